"""What the gate costs for each export format, beside Segment's JSON lines: the same simulated calls in all of them.

CPU seconds of `Gate.clean`, from raw files to clean events: unpacking, framing, reading, judging, pseudonyms. Bytes are
those of the unpacked text; a Parquet file is packed, so its cost is told by call only. The lowest of --repeat rounds
counts, after one on a small world that is thrown away.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pipelines"))

from calls import Call, calls_of
from exports import EXPORTS

from headway.models.plan import parse_plan
from headway_pipelines.demo import Scenario, simulate_scenario
from headway_pipelines.privacy.gate import Gate, RawFile
from headway_pipelines.privacy.keys import Key
from headway_pipelines.sources.config import parse_sources

CALLS_PER_PERSON = 17


@dataclass(frozen=True)
class World:
    """One world's calls, in files of one format.

    Attributes:
        name: The format.
        sources: Text of ``sources.yml``.
        plan: Text of the tracking plan.
        raw: The folder of the files.
    """

    name: str
    sources: str
    plan: str
    raw: Path

    def files(self) -> list[Path]:
        return sorted(path for path in self.raw.rglob("*") if path.is_file())

    def megabytes(self) -> float:
        return sum(map(_unpacked, self.files())) / 1e6


def _unpacked(path: Path) -> int:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return sum(len(gzip.decompress(archive.read(name))) for name in archive.namelist())
    return len(gzip.decompress(path.read_bytes())) if path.suffix == ".gz" else path.stat().st_size


def worlds(root: Path, people: int) -> Iterator[tuple[World, int]]:
    """Simulates a world and writes it in every format, Segment first, each with the number of its calls."""
    root.mkdir()
    simulate_scenario(root, Scenario(people=people, days=21, bots=0.0))
    plan = (root / "tracking_plan.yml").read_text(encoding="utf-8")
    calls: list[Call] = calls_of(root / "raw")
    yield World("segment", "sources: {log: {format: segment}}", plan, root / "raw"), len(calls)
    for export in EXPORTS.values():
        folder = root / export.name
        folder.mkdir()
        export.write(folder, calls)
        adapted = plan
        for ours, theirs in export.plan.items():
            adapted = adapted.replace(ours, theirs)
        yield (
            World(export.name, json.dumps({"sources": {"log": export.options}}), adapted, folder),
            len(calls),
        )


def cost(world: World) -> tuple[float, int]:
    """CPU seconds of one passage through the gate, and the events that came out."""
    [source] = parse_sources(world.sources)
    numbered = [RawFile(path, number) for number, path in enumerate(world.files(), 1)]
    events = 0
    with tempfile.TemporaryDirectory() as vault:
        start = time.process_time()
        now = datetime.now(UTC).replace(tzinfo=None)
        with Gate(parse_plan(world.plan), Key(bytes(range(32))), Path(vault) / "vault", now=now) as gate:
            for batch in gate.clean(numbered, source):
                events += sum(account.outcomes.get("event", 0) for account in batch.accounts.values())
        return time.process_time() - start, events


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=300_000, help="calls to simulate, about")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; the lowest cost is printed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for world, _ in worlds(Path(folder) / "warm-up", 200):
            cost(world)
        measured = list(worlds(Path(folder) / "world", max(200, options.calls // CALLS_PER_PERSON)))
        rounds = [[cost(world) for world, _ in measured] for _ in range(options.repeat)]
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {measured[0][1]:,} calls")
        print("| | MB | events | CPU s | µs a call | × Segment, by call | × Segment, by byte |")
        print("|---|---|---|---|---|---|---|")
        base_cost, base_size = min(each[0][0] for each in rounds), measured[0][0].megabytes()
        for place, (world, calls) in enumerate(measured):
            used, size = min(each[place][0] for each in rounds), world.megabytes()
            by_byte = f"{used / size / (base_cost / base_size):.2f}" if "parquet" not in world.name else "–"
            row = (
                world.name,
                f"{size:.1f}",
                f"{rounds[0][place][1]:,}",
                f"{used:.2f}",
                f"{used / calls * 1e6:.1f}",
            )
            print(f"| {' | '.join(row)} | {used / base_cost:.2f} | {by_byte} |")


if __name__ == "__main__":
    main()
