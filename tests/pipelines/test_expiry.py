"""What is kept beside the lake has limits too: rows held back, raw files that were read, Dagster's history."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from shop import PLAN, Shop, track

from headway_pipelines.lake.ledger import BLOCKED
from headway_pipelines.privacy.proof import scan
from headway_pipelines.rights import retention
from headway_pipelines.rights.retention import expire, expire_history, expire_raw, sweep_limits

TODAY = datetime.now(UTC).date()
#: Of nobody; it is in no name and no path.
MARK = "zanzibar-marker-0001"


def limited(root: Path, limits: str) -> Shop:
    shop = Shop(root, plan=f"{PLAN}\nlimits: {{{limits}}}\n")
    shop.land("a.json", [track("Page Viewed", n, user=f"user-{n:04}", title="t") for n in range(12)])
    return shop


def held_back(root: Path, limits: str) -> Shop:
    """A shop in which half of a file's lines are rejected, beside one that is fine."""
    shop = limited(root, limits)
    shop.land("b.json", [track("Page Viewed", 99, user=MARK), *["no JSON"] * 9])
    shop.load()
    with shop.ledger() as ledger:
        assert [b.label for b in ledger.batches(BLOCKED)] == ["b.json"]
    return shop


def days_on(monkeypatch: pytest.MonkeyPatch, days: int) -> date:
    later = TODAY + timedelta(days=days)
    monkeypatch.setattr(retention, "_today", lambda: later)
    return later


# -- rows held back ------------------------------------------------------------------------------------------------


def staged(shop: Shop) -> list[Path]:
    return [path for path in shop.workspace.staging.rglob("*.parquet") if path.is_file()]


def test_rows_held_back_are_deleted_after_their_time_and_stay_on_the_list(tmp_path: Path) -> None:
    shop = held_back(tmp_path / "shop", "held_back: 30 days")
    assert staged(shop)
    with shop.ledger() as ledger:
        assert expire(shop.workspace, ledger, today=TODAY + timedelta(days=30)).held_back == 0
        assert staged(shop)
        assert expire(shop.workspace, ledger, today=TODAY + timedelta(days=31)).held_back == 1
    assert not staged(shop)
    # The next night finds nothing more to do, and everything else goes on.
    with shop.ledger() as ledger:
        assert expire(shop.workspace, ledger, today=TODAY + timedelta(days=32)).held_back == 0
    shop.land("c.json", [track("Page Viewed", 200, user="user-0001", title="t")])
    shop.load()
    with shop.ledger() as ledger:
        assert [b.label for b in ledger.batches(BLOCKED)] == ["b.json"]
    assert shop.query("SELECT count(*) FROM lake") == [(13,)]


def test_what_was_held_back_is_read_again_where_the_file_is_mended(tmp_path: Path) -> None:
    shop = held_back(tmp_path / "shop", "held_back: 30 days")
    with shop.ledger() as ledger:
        expire(shop.workspace, ledger, today=TODAY + timedelta(days=31))
    shop.land("b.json", [track("Page Viewed", 99, user=MARK)])
    shop.load()
    assert shop.query("SELECT count(*) FROM lake") == [(13,)]


# -- raw files -----------------------------------------------------------------------------------------------------


def test_raw_files_go_after_their_time_once_they_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = held_back(tmp_path / "shop", "raw: 1 month")
    late = shop.land("late.json", [track("Page Viewed", 300, user="user-0002", title="t")])
    days_on(monkeypatch, 20)
    with shop.ledger() as ledger:
        assert expire_raw(shop.workspace, ledger) == 0
        days_on(monkeypatch, 40)
        assert expire_raw(shop.workspace, ledger) == 1
    # What is held back or was not read yet is needed.
    assert sorted(p.name for p in shop.workspace.raw.iterdir()) == ["b.json", "late.json"]
    before = shop.query("SELECT * FROM lake WHERE line > 0 ORDER BY event_id")
    shop.load()
    assert len(shop.query("SELECT * FROM lake")) == len(before) + 1 and late.exists()


def test_a_file_is_as_old_as_the_time_since_it_landed(tmp_path: Path) -> None:
    """A copy of an old log bears the old log's date; it must not go the night after it landed."""
    shop = limited(tmp_path / "shop", "raw: 1 month")
    long_ago = time.time() - 400 * 86_400
    os.utime(shop.workspace.raw / "a.json", (long_ago, long_ago))
    shop.load()
    with shop.ledger() as ledger:
        assert expire_raw(shop.workspace, ledger) == 0


def test_what_a_link_points_at_elsewhere_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = limited(tmp_path / "shop", "raw: 1 month")
    outside = shop.root / "archive.json"
    (shop.workspace.raw / "a.json").rename(outside)
    (shop.workspace.raw / "a.json").symlink_to(outside)
    shop.load()
    days_on(monkeypatch, 100)
    with shop.ledger() as ledger:
        assert expire_raw(shop.workspace, ledger) == 0
    assert outside.exists() and (shop.workspace.raw / "a.json").is_symlink()


def test_everything_stays_unless_the_plan_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = held_back(tmp_path / "shop", "events: off")
    later = days_on(monkeypatch, 4_000)
    with shop.ledger() as ledger:
        assert sweep_limits(shop.workspace, ledger) == {"runs_deleted": 0, "raw_files_deleted": 0}
        assert expire(shop.workspace, ledger, today=later).held_back == 0
    assert (shop.workspace.raw / "a.json").exists() and staged(shop)


# -- Dagster's history ---------------------------------------------------------------------------------------------


def test_runs_and_every_byte_of_them_go_after_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark in a run's tags and in its events; deleted rows would leave it in the pages of the databases."""
    shop = limited(tmp_path / "shop", "dagster_history: 90 days")
    home = shop.workspace.dagster_home
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    @dg.op
    def tell() -> None:
        dg.get_dagster_logger().info(MARK)

    @dg.job
    def told() -> None:
        tell()

    with dg.DagsterInstance.get() as instance:
        run = told.execute_in_process(instance=instance, tags={"mark": MARK}).run_id
    files = [path for path in home.rglob("*") if path.is_file()]
    assert scan(files, [MARK])
    days_on(monkeypatch, 89)
    assert expire_history(shop.workspace) == 0
    days_on(monkeypatch, 92)
    assert expire_history(shop.workspace) == 1
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files and scan(files, [MARK, run]) == []
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0
    assert expire_history(shop.workspace) == 0


def test_a_run_that_goes_on_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = limited(tmp_path / "shop", "dagster_history: 1 day")
    home = shop.workspace.dagster_home
    home.mkdir(parents=True)
    monkeypatch.setenv("DAGSTER_HOME", str(home))

    @dg.job
    def nothing() -> None:
        pass

    with dg.DagsterInstance.get() as instance:
        instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    days_on(monkeypatch, 10)
    assert expire_history(shop.workspace) == 0
