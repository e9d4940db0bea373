"""The proof, end to end: none of the personal data that was planted in a log is in anything a run writes or prints.

Each guard is then taken away on its own: the scan must find what gets through.
"""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import polars as pl
import pytest
from command_line import run_here
from shop import by_bounds

from headway_pipelines import ingest as ingesting
from headway_pipelines.demo import simulate
from headway_pipelines.ingest import ingest
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import promote
from headway_pipelines.privacy import accounts, classes, keys, second_line
from headway_pipelines.privacy.proof import Hit, scan
from headway_pipelines.quality import batches
from headway_pipelines.quality.batches import judge_batches
from headway_pipelines.run import dagster_environment
from headway_pipelines.workspace import Workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]


class DemoWorkspace(Protocol):
    """The shared demo of the tests."""

    root: Path
    printed: str


#: What holds personal data by right: the logs themselves, and the simulator's own list.
_ALLOWED = ("raw", "truth.json")


def planted(root: Path) -> list[str]:
    """Every planted value, as it is and as it was written into the log."""
    entries = json.loads((root / "truth.json").read_text(encoding="utf-8"))["personal_data"]
    return sorted({entry[name] for entry in entries for name in ("value", "written")})


def written(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.name not in _ALLOWED]


def shown(hits: list[Hit], values: list[str]) -> list[str]:
    return sorted({f"{values[hit.value]} as {hit.form} in {hit.path}" for hit in hits})[:10]


# -- a run ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scanned:
    """What one scan of the whole demo found: it looks for everything at once.

    Attributes:
        values: What was planted, then the key.
        inside: Hits in what holds personal data by right.
        outside: Hits in everything else.
    """

    values: list[str]
    inside: list[Hit]
    outside: list[Hit]


@pytest.fixture(scope="module")
def scanned(demo_workspace: DemoWorkspace) -> Scanned:
    root = demo_workspace.root
    values = [*planted(root), key_of(demo_workspace)]
    parts: tuple[list[Hit], list[Hit]] = ([], [])
    for hit in scan([root], values):
        parts[hit.path.relative_to(root).parts[0] not in _ALLOWED].append(hit)
    return Scanned(values, *parts)


def key_of(demo: DemoWorkspace) -> str:
    return (demo.root.parent / "demo.key").read_text().strip()


def test_the_log_holds_what_was_planted(demo_workspace: DemoWorkspace, scanned: Scanned) -> None:
    """Else the tests below would prove nothing."""
    values = planted(demo_workspace.root)
    assert len(values) > 150
    raw = demo_workspace.root / "raw"
    found = {hit.value for hit in scanned.inside if hit.path.is_relative_to(raw)}
    assert len(found) == len(values), [v for i, v in enumerate(values) if i not in found][:10]


def test_nothing_planted_is_in_anything_a_run_writes_or_prints(
    demo_workspace: DemoWorkspace, scanned: Scanned, tmp_path: Path
) -> None:
    names = {path.name for path in written(demo_workspace.root)}
    assert {"warehouse", "state", "published", "report", "product.yml"} <= names
    (tmp_path / "printed.txt").write_text(demo_workspace.printed)
    hits = scanned.outside + scan([tmp_path], scanned.values)
    assert shown(hits, scanned.values) == []


def test_the_key_is_nowhere_in_the_workspace(demo_workspace: DemoWorkspace, scanned: Scanned) -> None:
    text = key_of(demo_workspace)
    assert not [hit for hit in (*scanned.inside, *scanned.outside) if scanned.values[hit.value] == text]
    secret = bytes.fromhex(text)
    for path in (p for p in demo_workspace.root.rglob("*") if p.is_file()):
        assert secret not in path.read_bytes(), path


# -- runs that fail ------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small world's logs, not read yet, and a product with two metrics, which is sooner computed."""
    root = tmp_path / "world"
    simulate(root, people=100, days=8, seed=5)
    product = root / "product.yml"
    text, _, metrics = product.read_text().partition("metrics:")
    product.write_text(f"{text}metrics:{metrics.partition('  activation:')[0]}")
    for folder in ("metrics", "experiments"):
        shutil.rmtree(root / folder)
    return root


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., int]:
    """Runs the command line in this process and keeps what it printed in a file that is scanned, too."""
    printed = tmp_path / "printed"
    printed.mkdir()

    def run(*arguments: str) -> int:
        capfd.readouterr()
        code = run_here(*arguments, keep=False).returncode
        out, err = capfd.readouterr()
        (printed / f"{len(list(printed.iterdir()))}.txt").write_text(out + err)
        return code

    return run


#: What assets and checks call, where it is looked up: those that a run reaches first, and the others.
EARLY_STEPS = {
    "staged_batches": "headway_pipelines.assets.ingest.ingest",
    "staging, inside the gate": "headway_pipelines.ingest.stage",
    "batches_pass_quality": "headway_pipelines.assets.ingest.judge_batches",
    "event_lake": "headway_pipelines.assets.lake.promote",
}
LATER_STEPS = {
    "each_event_once": "headway_pipelines.assets.lake.repeated_events",
    "stored_text_is_clean": "headway_pipelines.assets.lake.stored_text",
    "people": "headway_pipelines.assets.people.derive_people",
    "person_store": "headway_pipelines.assets.person_store.derive_store",
    "metric_values": "headway_pipelines.assets.metrics.compute",
    "values_are_sound": "headway_pipelines.assets.metrics.judge_values",
    "published_database": "headway_pipelines.assets.publish.publish",
    "explore_database": "headway_pipelines.assets.publish.publish_explore",
    "report": "headway_pipelines.assets.publish.write_report",
}


def looked_up(step: str) -> tuple[Any, str]:
    """The module and the name in it; some assets are called like the module that they are in."""
    module, _, name = step.rpartition(".")
    return importlib.import_module(module), name


def leaking(value: str) -> Callable[..., None]:
    """Fails as libraries do: the database quotes the cell, and one exception is raised while handling another."""

    def fail(*_: object, **__: object) -> None:
        try:
            duckdb.execute("SELECT CAST($value AS INTEGER)", {"value": value})
        except duckdb.Error as error:
            assert value in str(error)
            raise KeyError(value) from error

    return fail


def fails_alone(root: Path, name: str) -> bool:
    """Materialises one asset, or runs one check, as Dagster would on its own; says whether it failed."""
    import dagster as dg

    from headway_pipelines.assets import ASSETS, CHECKS
    from headway_pipelines.assets.resource import WorkspaceResource

    checked = next((key for check in CHECKS for key in check.check_keys if key.name == name), None)
    dagster_environment(Workspace.at(root))
    with dg.DagsterInstance.get() as instance:
        result = dg.materialize(
            [*ASSETS, *CHECKS],
            instance=instance,
            resources={"warehouse": WorkspaceResource(root=str(root))},
            selection=dg.AssetSelection.checks(checked) if checked else [name],
            raise_on_error=False,
        )
    return not result.success


def test_nothing_planted_is_written_or_printed_when_runs_fail(
    small: Path, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = planted(small)
    run = ("run", "--workspace", str(small))
    raw = small / "raw"
    for name, step in EARLY_STEPS.items():
        with monkeypatch.context() as patch:
            patch.setattr(*looked_up(step), leaking(values[0]))
            assert command(*run) == 3, name
    # a batch that is held back, a damaged file, a file whose name is personal
    (raw / "notes.json").write_text("\n".join(values))
    (raw / f"{values[0]}.json").write_text("\n".join(values))
    packed = next(p for p in sorted(raw.rglob("*.json.gz")) if p.stat().st_size > 200)
    (raw / "cut.json.gz").write_bytes(packed.read_bytes()[:-150])
    assert command(*run) == 1
    # a plan that is wrong, and one that no longer fits the log
    plan = (small / "tracking_plan.yml").read_text()
    (small / "tracking_plan.yml").write_text(plan.replace("class: text", "class: string"))
    assert command(*run) == 2
    (small / "tracking_plan.yml").write_text(plan.replace("class: text", "class: number"))
    assert command(*run) == 1
    for name, step in LATER_STEPS.items():
        with monkeypatch.context() as patch:
            patch.setattr(*looked_up(step), leaking(values[0]))
            assert fails_alone(small, name), name
    hits = scan([*written(small), small.parent / "printed"], values)
    assert shown(hits, values) == []


# -- one guard less -------------------------------------------------------------------------------------------------


def ingested(root: Path) -> list[str]:
    """Reads the logs into the lake, without Dagster, and scans."""
    workspace = Workspace.at(root)
    workspace.warehouse.mkdir(exist_ok=True)
    ledger = Ledger(workspace.ledger_file)
    try:
        ingest(workspace, ledger)
        with by_bounds():
            judge_batches(workspace, ledger)
        promote(workspace, ledger)
    finally:
        ledger.close()
    values = planted(root)
    return shown(scan(written(root), values), values)


def any_text(root: Path, patch: pytest.MonkeyPatch) -> None:
    """A plan whose free texts are tokens of any form, which the plan's own checks refuse."""
    patch.setattr("headway.models.properties._matches_prose", lambda _: False)
    plan = root / "tracking_plan.yml"
    plan.write_text(plan.read_text().replace("class: text", 'class: token, pattern: ".*"'))


def any_value(patch: pytest.MonkeyPatch) -> None:
    """Closed values, addresses and tokens are all let through as they came."""
    patch.setattr(classes, "_typed", lambda _, raw: raw)
    patch.setattr(classes, "_url", lambda raw, _: raw)


def nothing(values: pl.Series, *_: object) -> pl.Series:
    """Suspects no value."""
    return pl.repeat(None, len(values), dtype=pl.String, eager=True)


def no_detector(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(second_line, "kinds_of", nothing)
    patch.setattr(batches, "kinds_of", nothing)


def any_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(accounts, "safe_name", lambda _: True)
    patch.setattr(accounts, "MIN_NAME_PEOPLE", 0)


def any_file_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ingesting, "safe_path", lambda _: True)


def test_with_all_guards_nothing_gets_into_the_warehouse(small: Path) -> None:
    assert ingested(small) == []


def test_without_a_closed_plan_free_text_gets_through(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    any_text(small, monkeypatch)
    assert ingested(small)


def test_without_classes_values_get_through(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    any_value(monkeypatch)
    assert ingested(small)


def test_without_the_detector_addresses_get_through_an_open_token(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_text(small, monkeypatch)
    with_detector = {line.split(" as ")[0] for line in ingested(small)}
    assert not [value for value in with_detector if "@" in value]
    shutil.rmtree(small / "warehouse")
    no_detector(monkeypatch)
    assert [line for line in ingested(small) if "@" in line]


def test_without_safe_names_property_names_get_through(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    any_name(monkeypatch)
    assert ingested(small)


def test_without_safe_names_file_names_get_through(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = next(v for v in planted(small) if "@" in v)
    (small / "raw" / f"{value}.json").write_text('{"type": "identify"}\n')
    assert ingested(small) == []
    shutil.rmtree(small / "warehouse")
    any_file_name(monkeypatch)
    assert ingested(small)


def test_without_a_key_hashes_of_identifiers_are_recognised(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    import polars as pl

    def unkeyed(_: keys.Key, domain: pl.Expr, text: pl.Expr) -> pl.Expr:
        return text.map_elements(
            lambda t: hashlib.md5(t.encode(), usedforsecurity=False).hexdigest(), return_dtype=pl.String
        )

    monkeypatch.setattr(keys.Key, "digests", unkeyed)
    assert [line for line in ingested(small) if "md5" in line]


def test_without_sanitised_errors_their_texts_are_kept(
    small: Path, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = planted(small)
    monkeypatch.setattr("headway_pipelines.assets.resource.sanitised", nullcontext)
    monkeypatch.setattr(*looked_up(EARLY_STEPS["staged_batches"]), leaking(values[0]))
    assert command("run", "--workspace", str(small)) == 3
    assert scan(written(small), values)
    # even then the command line itself says nothing
    assert scan([small.parent / "printed"], values) == []


def test_without_withheld_messages_the_command_line_prints_them(
    small: Path, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = planted(small)

    def telling(error: Exception, console: Any) -> int:
        console.print(str(error), markup=False)
        return 3

    monkeypatch.setattr("headway_pipelines.cli.errors.explain", telling)
    monkeypatch.setattr("headway_pipelines.run.fingerprint", leaking(values[0]))
    assert command("run", "--workspace", str(small)) == 3
    assert scan([small.parent / "printed"], values)
