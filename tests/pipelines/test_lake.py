"""Each event once, whatever order its copies come in; a killed promotion changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from shop import Shop, at, track

from headway.errors import InputError
from headway.models.plan import load_plan
from headway_pipelines.lake import day_files, promote
from headway_pipelines.lake.integrity import damaged_files
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.workspace import Workspace

LAKE = "SELECT event_id, actor, occurred_at, received_at, amount, line FROM lake ORDER BY ALL"


def test_a_retry_is_one_event_and_the_first_arrival_wins(shop: Shop) -> None:
    first = track("Order Completed", 0, user="u1", id="m1", received=1, amount=10)
    retry = {**first, "receivedAt": at(3000), "timestamp": at(2)}
    shop.land("a.json", [retry, first])
    shop.load()
    assert shop.query("SELECT occurred_at::VARCHAR, received_at::VARCHAR FROM lake") == [
        ("2026-03-02 09:00:00", "2026-03-02 09:01:00")
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_same_copy_stays_whatever_order_files_come_in(tmp_path: Path, order: tuple[int, ...]) -> None:
    # three copies that arrived at the same instant and differ in content and day
    copies = [
        {
            **track("Order Completed", 0, user="u1", id="m1", amount=amount),
            "timestamp": at(shift),
            "receivedAt": at(9),
        }
        for amount, shift in ((30, 0), (20, 0), (10, -1440))
    ]
    shop = Shop(tmp_path / "shop")
    for index in order:
        shop.land(f"{index}.json", [copies[index]])
        shop.load()
    # equal arrivals: the smallest content wins, which starts with the actor and then the time
    assert shop.query("SELECT amount, occurred_at::VARCHAR FROM lake") == [(10.0, "2026-03-01 09:00:00")]
    assert shop.query("SELECT count(*) FROM links") == [(0,)]


def test_events_without_a_tracker_id_are_told_apart_by_content_and_occurrence(shop: Shop) -> None:
    call = {k: v for k, v in track("Signed Up", 0, user="u1").items() if k != "messageId"}
    shop.land("a.json", [call, call])
    shop.land("b.json", [call])
    shop.load()
    assert shop.query("SELECT count(*) FROM lake") == [(2,)]


def test_a_file_with_known_content_under_another_name_is_not_read_twice(shop: Shop) -> None:
    path = shop.land("a.json", [track("Signed Up", 0, user="u1")])
    shop.load()
    (shop.workspace.raw / "b.json").write_bytes(path.read_bytes())
    assert shop.ingest().copies == 1
    assert shop.promote() == {}


def test_a_file_read_by_two_sources_is_read_twice(shop: Shop) -> None:
    """As lines and as the orders they make: each source makes events of its own, and a copy adds nothing to either."""
    shop.root.joinpath("sources.yml").write_text(TWICE)
    rows = ["no,customer,at", "1,7,2026-03-02", "1,7,2026-03-02", "2,7,2026-03-03"]
    shop.land("lines/a.csv", rows)
    shop.load()
    for name in ("orders/a.csv", "orders/b.csv"):
        shop.land(name, rows)
    assert shop.ingest().copies == 1
    shop.load()
    counted = "SELECT event, count(*) FROM lake GROUP BY event ORDER BY event"
    assert shop.query(counted) == [("Order Completed", 2), ("Page Viewed", 3)]
    with shop.ledger() as ledger:
        assert {(o["source"], o["outcome"]): o["lines"] for o in ledger.outcomes()} == {
            ("lines", "event"): 3, ("orders", "event"): 2, ("orders", "copy of an event"): 1
        }  # fmt: skip


TWICE = """
sources:
  lines:
    format: delimited
    files: ["lines/*"]
    event: {value: Page Viewed}
    user: customer
    time: {column: at}
  orders:
    format: delimited
    files: ["orders/*"]
    event: {value: Order Completed}
    user: customer
    time: {column: at}
    id: "no"
"""


def test_a_file_that_grew_is_read_again_and_adds_only_what_is_new(shop: Shop) -> None:
    calls = [track("Signed Up", i, user=f"u{i}") for i in range(3)]
    shop.land("a.json", calls[:2])
    shop.load()
    shop.land("a.json", calls)
    assert shop.load() == {"2026-03-02": 3}


def test_only_touched_days_are_written(shop: Shop) -> None:
    shop.land("a.json", [track("Signed Up", 0, user="u1"), track("Signed Up", 1440, user="u2")])
    shop.load()
    before = _files(shop.workspace)
    shop.land("b.json", [track("Signed Up", 1441, user="u3")])
    assert shop.load() == {"2026-03-03": 2}
    assert before <= _files(shop.workspace)


def test_a_killed_promotion_leaves_the_lake_as_it_was_and_the_next_one_repairs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.land("a.json", [track("Signed Up", 0, user="u1")])
    shop.load()
    before = shop.query(LAKE)
    shop.land("b.json", [track("Signed Up", 1, user="u2"), track("Signed Up", 1500, user="u3")])
    shop.ingest()
    shop.judge()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "swap_files", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.promote()
    assert shop.query(LAKE) == before
    assert shop.promote() == {"2026-03-02": 2, "2026-03-03": 1}
    with shop.ledger() as ledger:
        assert promote.collect_garbage(shop.workspace, ledger) > 0
        live = {shop.workspace.warehouse / p for p in ledger.lake_files()}
    assert _files(shop.workspace) == live
    assert len(shop.query(LAKE)) == 3


def test_a_changed_plan_reads_everything_again(shop: Shop) -> None:
    shop.land("a.json", [track("Order Completed", 0, user="u1", amount=1, coupon="SPRING")])
    shop.load()
    plan = shop.plan.replace("      amount:", "      coupon: {class: enum, values: [SPRING]}\n      amount:")
    shop.workspace.plan_file.write_text(plan)
    shop.load()
    assert shop.query("SELECT amount, coupon FROM lake") == [(1.0, "SPRING")]


def _files(workspace: Workspace) -> set[Path]:
    return set(workspace.lake.glob("day=*/*.parquet"))


def test_a_day_of_many_small_files_is_written_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promote, "MAX_FILES_A_DAY", 2)
    for number in range(4):
        shop.land(f"{number}.json", [track("Signed Up", number, user=f"u{number}")])
        shop.load()
    with shop.ledger() as ledger:
        assert len(ledger.lake_files()) == 2
        assert ledger.rows_per_day() == {"2026-03-02": 4}
    assert shop.query("SELECT count(DISTINCT event_id) FROM lake") == [(4,)]


def test_a_changed_plan_never_forgets_events_whose_raw_file_is_gone(shop: Shop) -> None:
    path = shop.land("a.json", [track("Signed Up", 0, user="u1")])
    shop.land("b.json", [track("Signed Up", 1, user="u2")])
    shop.load()
    path.unlink()
    shop.load()
    assert len(shop.query(LAKE)) == 2
    shop.workspace.plan_file.write_text(shop.plan.replace("[email, google]", "[email, google, apple]"))
    with pytest.raises(
        InputError, match=r"1 files whose events are in the lake are no longer under raw/ .*a\.json"
    ):
        shop.ingest()
    assert len(shop.query(LAKE)) == 2


def _lake_file(shop: Shop, day: str) -> Path:
    (path,) = (shop.workspace.lake / f"day={day}").glob("*.parquet")
    return path


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _overwrite(path: Path) -> None:
    path.write_bytes(b"PAR1 but nothing of it after that")


@pytest.mark.parametrize("damage", [_cut, _overwrite, Path.unlink], ids=["cut", "overwritten", "gone"])
def test_a_damaged_lake_file_is_repaired_from_raw(shop: Shop, damage: Callable[[Path], None]) -> None:
    shop.land("a.json", [track("Signed Up", 1, user="u1"), track("Signed Up", 60 * 24 * 3, user="u2")])
    shop.load()
    before = shop.query("SELECT * EXCLUDE (batch) FROM lake ORDER BY ALL")
    damage(_lake_file(shop, "2026-03-02"))
    with shop.ledger() as ledger:
        assert damaged_files(shop.workspace, ledger).keys() == {
            path for path, day in ledger.lake_files().items() if day == "2026-03-02"
        }
    shop.load()
    assert shop.query("SELECT * EXCLUDE (batch) FROM lake ORDER BY ALL") == before
    with shop.ledger() as ledger:
        assert damaged_files(shop.workspace, ledger) == {}


def test_a_damaged_lake_file_is_reported_where_raw_is_gone(shop: Shop) -> None:
    raw = shop.land("a.json", [track("Signed Up", 1, user="u1")])
    shop.land("b.json", [track("Signed Up", 2, user="u2")])
    shop.load()
    raw.unlink()
    _cut(next(iter(shop.workspace.lake.rglob("*.parquet"))))
    with pytest.raises(
        InputError, match=r"1 files of the lake are gone or damaged .*2026-03-02.*a\.json.*backup"
    ):
        shop.ingest()


def test_days_are_the_same_however_their_rows_are_picked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # three days in turn, a retry among them, and a better copy of a lake row: days are added and written whole
    calls = [
        track("Signed Up", 60 * 24 * (i % 3) + i, user=f"u{i}", id=f"m{i}", received=9000 + i)
        for i in range(30)
    ]
    late = [track("Signed Up", 60 * 24 + 4, user="u4", id="m4", received=8000)]
    found = []
    # sorted, and every day alone; picked out of the files two days at once, or all of them
    for number, (readings, rows) in enumerate([(0, 1), (8, 25), (8, 1000)]):
        shop = Shop(tmp_path / f"shop{number}")
        cells = rows * len(promote.lake_columns(load_plan(shop.workspace.plan_file)))
        monkeypatch.setattr(day_files, "MAX_READINGS", readings)
        monkeypatch.setattr(day_files, "MOST_CELLS", cells)
        for name, file in {"a.json": [*calls, calls[7]], "b.json": late}.items():
            shop.land(name, file)
            shop.load()
        found.append(shop.query("SELECT occurred_at, received_at, line FROM lake ORDER BY ALL"))
        assert len(found[-1]) == 30 and shop.outcomes()["copy of an event"] == 2
    assert found[0] == found[1] == found[2]
