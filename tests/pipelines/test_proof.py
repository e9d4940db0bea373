"""The proof on a small log with everything in it, and the proof of the proof: each guard taken away on its own.

`test_canaries` runs the whole demo; here are all types of personal data in all encodings and places, read by a small
workspace. A guard whose absence the scan does not notice is no guard, or the scan is no scan.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from canaries import PLACES, TYPES, Canary, planted, planted_inputs, planted_malformed
from shop import PLAN, Shop
from test_canaries import command, leaking, looked_up  # noqa: F401  (a fixture)

from headway.engine import connect, duck
from headway_pipelines import ingest as ingesting
from headway_pipelines.audit.stored import stored_text
from headway_pipelines.privacy import accounts, classes, keys, second_line
from headway_pipelines.privacy.detect import looks_personal
from headway_pipelines.privacy.proof import scan
from headway_pipelines.quality import batches, judge
from headway_pipelines.run import dagster_environment

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]
_ALLOWED = ("raw", "inputs")


@pytest.fixture
def found(shop: Shop) -> list[Canary]:
    """What is planted in the shop's log."""
    return planted(shop)


def written(shop: Shop) -> list[Path]:
    return [path for path in shop.root.iterdir() if path.name not in _ALLOWED]


def leaks(found: Iterable[Canary], paths: Iterable[Path]) -> set[str]:
    """What of the planted is in files: type, encoding and place, never the value."""
    canaries = list(found)
    return {str(canaries[hit.value]) for hit in scan(paths, [each.value for each in canaries])}


# -- runs ----------------------------------------------------------------------------------------------------------


def test_all_types_and_places_are_planted(shop: Shop) -> None:
    canaries = [*planted(shop), *planted_malformed(shop), *planted_inputs(shop)]
    assert {each.type for each in canaries} == set(TYPES)
    assert {each.place for each in canaries} >= set(PLACES)
    assert len({each.value for each in canaries}) == len(canaries)
    assert leaks(canaries, [shop.workspace.raw, shop.workspace.inputs]) == {str(c) for c in canaries}


def test_nothing_planted_is_anywhere_after_runs(shop: Shop, command: Callable[..., int]) -> None:  # noqa: F811
    """One run that succeeds, one with a broken export, one with side inputs that cannot be read."""
    run = ("run", "--workspace", str(shop.root))
    canaries = planted(shop)
    assert command(*run) == 0
    canaries += planted_malformed(shop)
    canaries += planted_inputs(shop)
    assert command(*run) == 1  # the broken export is held back
    name = Canary("e-mail", "plain", "name of a side input", TYPES["e-mail"](23_000))
    (shop.workspace.inputs / f"{name.value}.csv").write_text("a\n")
    assert command(*run) == 2
    everything = [*written(shop), shop.root.parent / "printed"]
    assert leaks([*canaries, name], everything) == set()
    # The runs did something: an audit of nothing proves nothing.
    assert (shop.workspace.report / "index.html").exists()
    assert len(scan([shop.workspace.published_db], ["Sign-ups that buy"])) > 0
    no_by_products(shop)


def no_by_products(shop: Shop) -> None:
    """What lies about after a run: readable by its owner alone, no pickles, nothing spilled, nothing printed."""
    files = [path for path in shop.root.rglob("*") if path.is_file()]
    ours = [
        p for p in files if not {"raw", "inputs", "published", "report"} & set(p.relative_to(shop.root).parts)
    ]
    ours = [p for p in ours if p.parent != shop.root]
    assert {stat.S_IMODE(path.stat().st_mode) for path in ours} <= {0o600}
    assert not [path for path in files if path.suffix in (".pickle", ".pkl")]
    assert not [path for path in files if "compute_logs" in path.parts]
    assert not (shop.workspace.warehouse / "tmp").exists() or not any(
        (shop.workspace.warehouse / "tmp").iterdir()
    )
    assert not Path(".tmp").exists()


def test_a_statement_that_fails_says_nothing_of_the_cell(
    shop: Shop, found: list[Canary], command: Callable[..., int], monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    fails = failing_statement(found[0].value)
    monkeypatch.setattr(*looked_up("headway_pipelines.assets.ingest.ingest"), fails)
    assert command("run", "--workspace", str(shop.root)) in (2, 3)
    assert leaks(found, [*written(shop), shop.root.parent / "printed"]) == set()


def failing_statement(value: str) -> Callable[..., None]:
    """A step whose SQL meets a cell that it cannot cast: the database quotes the cell."""

    def fail(*_: object, **__: object) -> None:
        con = connect()
        try:
            with duck.guarded("cast a column"):
                con.execute("SELECT CAST($value AS INTEGER)", {"value": value})
        finally:
            con.close()

    return fail


def test_what_dagster_writes_by_itself_its_owner_alone_can_read(shop: Shop) -> None:
    """`headway` sets the mask for files; a Dagster that was started otherwise does not."""
    from headway_pipelines.assets.resource import WorkspaceResource

    before = os.umask(0o022)
    try:
        with WorkspaceResource(root=str(shop.root)).opened() as (workspace, _):
            (workspace.warehouse / "new").touch()
        assert stat.S_IMODE((shop.workspace.warehouse / "new").stat().st_mode) == 0o600
        (shop.workspace.warehouse / "later").touch()
        assert stat.S_IMODE((shop.workspace.warehouse / "later").stat().st_mode) == 0o644
    finally:
        os.umask(before)


# -- what files say of themselves ------------------------------------------------------------------------------------


def test_footers_of_parquet_files_hold_no_personal_values(shop: Shop, found: list[Canary]) -> None:
    shop.load()
    told = 0
    for path in shop.workspace.warehouse.rglob("*.parquet"):
        for text in statistics(path):
            told += 1
            assert not looks_personal(text), path.name
    assert told > 20
    vault = list((shop.workspace.state / "vault").glob("*.parquet"))
    assert vault and not [text for path in vault for text in statistics(path)]


def statistics(path: Path) -> list[str]:
    """Smallest and largest values of the columns of text in a file's footer."""
    metadata = pq.ParquetFile(path).metadata
    out = []
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            if chunk.is_stats_set and chunk.statistics.has_min_max and chunk.physical_type == "BYTE_ARRAY":
                out += [str(chunk.statistics.min), str(chunk.statistics.max)]
    return out


def test_great_expectations_say_yes_or_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of a profile that were personal would come back with every richer format."""
    number = 4000056655665556
    kept: list[str] = []
    real = judge._profiles()

    class Kept:
        def get_batch(self, options: object) -> Any:
            batch = real.get_batch(options)

            class Batch:
                def validate(self, suite: object, result_format: str) -> Any:
                    result = batch.validate(suite, result_format=result_format_used(result_format))
                    kept.append(json.dumps(result.to_json_dict()))
                    return result

            return Batch()

    def result_format_used(asked: str) -> str:
        return replaced or asked

    replaced = ""
    monkeypatch.setattr(judge, "_profiles", Kept)
    rule = judge.Rule("few", "n", 0, 10, "Few.")
    frame = pl.DataFrame({"n": [3, number]})
    assert judge.judge(frame, [rule])[0].rows == (1,)
    assert not [text for text in kept if str(number) in text]
    replaced = "COMPLETE"
    judge.judge(frame, [rule])
    assert [text for text in kept if str(number) in text]


def test_the_lake_is_looked_at_once_more(shop: Shop, found: list[Canary]) -> None:
    shop.load()
    with shop.ledger() as ledger:
        first, second = stored_text(shop.workspace, ledger), stored_text(shop.workspace, ledger)
        everything = stored_text(shop.workspace, ledger, everything=True)
    assert first.clean and first.files > 0 and first.columns > 5 and first.values > 5
    assert (second.files, everything.files) == (0, first.files)


def test_what_came_past_the_gate_stops_the_run(
    shop: Shop, found: list[Canary], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ingest()
    no_detector(shop, monkeypatch)
    monkeypatch.setattr(batches, "kinds_of", nothing)
    any_value(shop, monkeypatch)
    shutil.rmtree(shop.workspace.warehouse)
    shop.load()
    with shop.ledger() as ledger:
        told = stored_text(shop.workspace, ledger)
        again = stored_text(shop.workspace, ledger)
    assert not told.clean and {"method", "url"} <= set(told.personal)
    assert again == told  # it is not taken for clean by having been looked at


# -- one guard less --------------------------------------------------------------------------------------------------


def any_text(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    """The plan is not closed: texts are tokens of any form."""
    patch.setattr("headway.models.properties._matches_prose", lambda _: False)
    text = PLAN.replace("{class: text}", '{class: token, pattern: ".*"}')
    shop.workspace.plan_file.write_text(text)


def undeclared(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    """What is not declared is declared as it comes."""
    any_text(shop, patch)
    text = shop.workspace.plan_file.read_text()
    note = '      note: {class: token, pattern: ".*"}\n'
    shop.workspace.plan_file.write_text(text.replace("      amount:", f"{note}      amount:"))


def any_value(_: Shop, patch: pytest.MonkeyPatch) -> None:
    """Closed values, addresses and tokens are let through as they came."""
    patch.setattr(classes, "_typed", lambda _, raw: raw)
    patch.setattr(classes, "_url", lambda raw, _: raw)


def any_url(_: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(classes, "_url", lambda raw, _: raw)


def any_token(_: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(classes, "_token", lambda value, _: value)


def nothing(values: pl.Series, *_: object) -> pl.Series:
    """Suspects no value."""
    return pl.repeat(None, len(values), dtype=pl.String, eager=True)


def no_detector(_: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(second_line, "kinds_of", nothing)


def no_detector_on_parameters(shop: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(classes, "_PARAMETER_PATTERN", ".*")
    patch.setattr(classes, "_NO_LABEL", "^never$")


def long_parameters(_: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(classes, "_NO_LABEL", "^never$")


def any_name(_: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(accounts, "safe_name", lambda _: True)
    patch.setattr(accounts, "MIN_NAME_PEOPLE", 0)


def any_file_name(_: Shop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ingesting, "safe_path", lambda _: True)


def unkeyed(_: Shop, patch: pytest.MonkeyPatch) -> None:
    import hashlib

    def digests(_: keys.Key, domain: pl.Expr, text: pl.Expr) -> pl.Expr:
        return text.map_elements(
            lambda t: hashlib.md5(t.encode(), usedforsecurity=False).hexdigest(), return_dtype=pl.String
        )

    patch.setattr(keys.Key, "digests", digests)


GUARDS: dict[str, Callable[[Shop, pytest.MonkeyPatch], None]] = {
    "a closed plan": any_text,
    "undeclared is dropped": undeclared,
    "classes": any_value,
    "addresses are cut to a template": any_url,
    "tokens have a form": any_token,
    "parameters have a form": no_detector_on_parameters,
    "parameters are labels": long_parameters,
    "names of properties": any_name,
    "names of files": any_file_name,
    "keyed pseudonyms": unkeyed,
}


@pytest.mark.parametrize("guard", GUARDS)
def test_each_guard_is_needed(shop: Shop, guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    canaries = [*planted(shop), *planted_malformed(shop)]
    # The batch is not judged by the detector here: what the gate itself lets through is what counts.
    monkeypatch.setattr(batches, "kinds_of", nothing)
    GUARDS[guard](shop, monkeypatch)
    shop.ingest()
    assert leaks(canaries, written(shop))


def test_with_all_guards_nothing_gets_in(shop: Shop) -> None:
    canaries = [*planted(shop), *planted_malformed(shop)]
    shop.ingest()
    shop.judge()
    shop.promote()
    assert leaks(canaries, written(shop)) == set()


def quoting(what: str) -> Any:
    """A boundary that passes the database's own words on."""
    from contextlib import contextmanager

    from headway.errors import EngineError

    @contextmanager
    def told(what: str) -> Any:
        try:
            yield
        except duckdb.Error as error:
            raise EngineError(f"could not {what}: {error}") from None

    return told(what)


def printing(value: str) -> Callable[..., None]:
    """A step in which a library prints what it has in hand, then fails without a word."""

    def step(*_: object, **__: object) -> None:
        print(f"debug: {value}", flush=True)
        raise RuntimeError("stop")

    return step


@pytest.mark.parametrize("guard", ["engine boundary", "exceptions"])
def test_each_guard_of_failing_runs_is_needed(
    shop: Shop, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch, guard: str  # noqa: F811
) -> None:  # fmt: skip
    value = TYPES["e-mail"](1)
    step = failing_statement(value) if guard == "engine boundary" else leaking(value)
    if guard == "engine boundary":
        monkeypatch.setattr(duck, "guarded", quoting)
    if guard == "exceptions":
        monkeypatch.setattr("headway_pipelines.assets.resource.sanitised", nullcontext)
    monkeypatch.setattr(*looked_up("headway_pipelines.assets.ingest.ingest"), step)
    shop.land("a.json", ["{}"])
    assert command("run", "--workspace", str(shop.root)) in (2, 3)
    assert scan(written(shop), [value])


def test_settings_of_an_earlier_version_learn_not_to_keep_what_steps_print(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "HEADWAY_WORKSPACE"):
        monkeypatch.setenv(name, "")
    settings = shop.workspace.dagster_home / "dagster.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("telemetry:\n  enabled: false\n")
    dagster_environment(shop.workspace)
    once = settings.read_text()
    assert (
        once.startswith("telemetry:\n  enabled: false\ncompute_logs:\n") and "NoOpComputeLogManager" in once
    )
    dagster_environment(shop.workspace)
    assert settings.read_text() == once


@pytest.mark.parametrize("captured", [False, True])
def test_output_of_steps_is_not_captured(
    shop: Shop, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch, captured: bool  # noqa: F811
) -> None:  # fmt: skip
    if captured:  # one guard less
        shop.workspace.dagster_home.mkdir(parents=True)
        (shop.workspace.dagster_home / "dagster.yaml").write_text(
            "telemetry:\n  enabled: false\ncompute_logs:\n"
            "  module: dagster._core.storage.local_compute_log_manager\n  class: LocalComputeLogManager\n"
            f"  config:\n    base_dir: {shop.workspace.dagster_home / 'storage'}\n"
        )
    monkeypatch.setattr(*looked_up("headway_pipelines.assets.ingest.ingest"), printing(TYPES["e-mail"](1)))
    shop.land("a.json", ["{}"])
    assert command("run", "--workspace", str(shop.root)) == 3
    # Files that what a step prints goes to; under the tests' own capture it may go past them.
    assert bool(list(shop.workspace.dagster_home.rglob("compute_logs/*"))) == captured
