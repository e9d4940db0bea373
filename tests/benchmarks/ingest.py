"""`make bench`: what ingest costs beside a bare typed scan of the same files, in one run on one machine.

Every figure is a whole process's wall time and peak memory, measured from outside; read the ratios, not the seconds.

* bare     DuckDB `read_json` with typed columns, written to one Parquet file: nothing checked, nothing removed
* gate     raw files through the privacy gate into staged files, nothing else
* adapter  the same with all that the gate does to an event left out: framed, read as events of the common shape, and
           written as they are. Only here: no such switch is part of Headway
* lake     raw files through the privacy gate, the Great Expectations checks and into the event lake
* plain    the whole pipeline by plain function calls: lake, people, metrics, publishing, report
* run      the same through Dagster (`headway run`)
* no-op    `headway run` again with nothing new
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from headway_pipelines.privacy.gate import Gate
    from headway_pipelines.sources.shape import Source

LINES_PER_PERSON = 26


@dataclass(frozen=True)
class Measured:
    """One process: wall seconds, CPU seconds, peak memory in MB."""

    wall: float
    cpu: float
    peak_mb: float


def bare(root: Path) -> None:
    """The yardstick: a typed scan and a Parquet write."""
    import duckdb

    from headway.models.plan import load_plan

    columns = load_plan(root / "tracking_plan.yml").columns().values()
    kinds = {"UUID": "VARCHAR"}
    properties = ", ".join(f'"{c.name}" {kinds.get(c.sql_type, c.sql_type)}' for c in columns)
    con = duckdb.connect()
    con.execute(
        f"""COPY (SELECT * FROM read_json($files, format = 'newline_delimited', ignore_errors = true, columns = {{
            type: 'VARCHAR', event: 'VARCHAR', messageId: 'VARCHAR', userId: 'VARCHAR', anonymousId: 'VARCHAR',
            timestamp: 'TIMESTAMP', originalTimestamp: 'TIMESTAMP', sentAt: 'TIMESTAMP', receivedAt: 'TIMESTAMP',
            context: 'STRUCT(groupId VARCHAR)', properties: 'STRUCT({properties})'}}))
        TO '{root / "bare.parquet"}' (FORMAT parquet, COMPRESSION zstd)""",
        {"files": [str(p) for p in sorted((root / "raw").rglob("*.gz"))]},
    )


def gate(root: Path, kind: type[Gate] | None = None) -> None:
    """Raw files to staged files."""
    from headway.models.plan import load_plan
    from headway_pipelines.privacy.gate import Gate, RawFile
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.sources.config import load_sources
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    source = next(iter(load_sources(workspace)))
    files = [RawFile(path, n) for n, path in enumerate(sorted((root / "raw").rglob("*.gz")), 1)]
    plan, now = load_plan(workspace.plan_file), datetime.now(UTC).replace(tzinfo=None)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        staging = Path(folder) / "staging"
        staging.mkdir()
        made = (kind or Gate)(plan, load_key(workspace), Path(folder) / "vault", now=now, staging=staging)
        with made as opened:
            for _ in opened.clean(files, source):
                pass


def adapter(root: Path) -> None:
    """The gate without what it is for."""
    from headway.engine.sql import literal
    from headway_pipelines.privacy.gate import Gate

    class Adapter(Gate):
        def _told(self, groups: Any, source: Source) -> Any:
            yield from groups

        def _clean(self, group: Any, source: Source) -> Any:
            self._con.register("frames", self._frames(group, source))
            # The text of a line with an id of its own, as all have here, is not looked at again.
            query = f"SELECT * EXCLUDE (content) FROM ({source.hasty_query or source.query})"
            target = literal(str(self._staging / f"{uuid4().hex}.parquet"))
            self._con.execute(
                f"COPY ({query}) TO {target} (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION snappy)"
            )
            self._con.unregister("frames")

    gate(root, Adapter)


def lake(root: Path) -> None:
    """Raw files to the event lake, gate and checks on."""
    from headway_pipelines.ingest import ingest
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.lake.promote import promote
    from headway_pipelines.quality.batches import judge_batches
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    ledger = Ledger(workspace.ledger_file)
    trace = bool(os.environ.get("HEADWAY_BENCH_STEPS"))
    for name, step in (("ingest", ingest), ("judge", judge_batches), ("promote", promote)):
        start, cpu = time.perf_counter(), time.process_time()
        step(workspace, ledger)
        if trace:
            wall, used = time.perf_counter() - start, time.process_time() - cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"   {name}: {wall:.2f} s wall, {used:.2f} s cpu, peak so far {peak:.0f} MB")
    ledger.close()


def plain(root: Path) -> None:
    """The whole pipeline without Dagster."""
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.lake.promote import collect_garbage
    from headway_pipelines.people.derive import derive_people
    from headway_pipelines.publishing.publish import publish, publish_explore
    from headway_pipelines.quality.values import judge_values
    from headway_pipelines.report import write_report
    from headway_pipelines.warehouse.compute import compute
    from headway_pipelines.warehouse.reading import tables_of
    from headway_pipelines.workspace import Workspace

    lake(root)
    workspace = Workspace.at(root)
    ledger = Ledger(workspace.ledger_file)
    derive_people(workspace, ledger)
    compute(workspace, ledger)
    judge_values(tables_of(workspace.metrics_db)["metric_values"])
    publish(workspace)
    publish_explore(workspace, ledger)
    collect_garbage(workspace, ledger)
    write_report(workspace)
    ledger.close()


_WORKERS = {"bare": bare, "gate": gate, "adapter": adapter, "lake": lake, "plain": plain}


def measure(command: list[str], environment: dict[str, str]) -> Measured:
    """Runs a command and reads the operating system's own account of it."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"failed: {' '.join(command)}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def forget(root: Path) -> None:
    """Makes the workspace as it was before its first run."""
    for name in ("warehouse", "state", "published", "report"):
        shutil.rmtree(root / name, ignore_errors=True)


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=2_000_000, help="lines to simulate, about")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the median is printed")
    parser.add_argument("--root", type=Path, help="reuse this demo workspace instead of simulating one")
    parser.add_argument("--only-lake", action="store_true", help="skip the whole runs")
    parser.add_argument("worker", nargs="?", choices=list(_WORKERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _WORKERS[options.worker](options.root)
        return
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "bench.key"
        key.write_text(os.urandom(32).hex())
        key.chmod(0o600)
        environment = {**os.environ, "HEADWAY_KEY_FILE": str(key)}
        root = options.root or _simulated(Path(folder) / "demo", options.events)
        _compare(root, environment, options.repeat, options.only_lake)


def _simulated(root: Path, events: int) -> Path:
    from headway_pipelines.demo import simulate

    root.mkdir()
    start = time.perf_counter()
    simulate(root, people=max(1000, events // LINES_PER_PERSON), days=60)
    print(f"simulated in {time.perf_counter() - start:.1f} s")
    return root


def _compare(root: Path, environment: dict[str, str], repeat: int, only_lake: bool) -> None:
    worker = [sys.executable, __file__, "--root", str(root)]
    headway = [str(Path(sys.executable).with_name("headway")), "run", "--workspace", str(root)]
    raw_mb = sum(p.stat().st_size for p in (root / "raw").rglob("*.gz")) / 1e6
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; raw {raw_mb:.0f} MB compressed")
    names = ["bare", "adapter", "gate", "lake"] + ([] if only_lake else ["plain", "run", "no-op"])
    results: dict[str, list[Measured]] = {name: [] for name in names}
    for _ in range(repeat):
        for name in ("bare", "adapter", "gate", "lake"):
            forget(root)
            results[name].append(measure([*worker, name], environment))
        if not only_lake:
            forget(root)
            results["plain"].append(measure([*worker, "plain"], environment))
            forget(root)
            results["run"].append(measure([*headway], environment))
            results["no-op"].append(measure([*headway], environment))
    forget(root)
    walls, cpus = (
        {name: statistics.median(getattr(m, kind) for m in runs) for name, runs in results.items()}
        for kind in ("wall", "cpu")
    )
    print(f"{'':8}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}{'x bare':>9}{'x its cpu':>11}")
    for name, runs in results.items():
        peak, ratios = max(m.peak_mb for m in runs), (walls[name] / walls["bare"], cpus[name] / cpus["bare"])
        print(f"{name:8}{walls[name]:9.1f}{cpus[name]:9.1f}{peak:9.0f}{ratios[0]:9.2f}{ratios[1]:11.2f}")
    added = [times["gate"] / times["adapter"] - 1 for times in (walls, cpus)]
    print(f"the gate adds {added[0]:.2f} of the adapter's wall time, {added[1]:.2f} of its CPU time")
    if not only_lake:
        print(f"Dagster's share of a run: {100 * (1 - walls['plain'] / walls['run']):.0f} %")
        print(f"no-op rerun: {100 * walls['no-op'] / walls['run']:.1f} % of the first run")
    print(f"peak of this script itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
