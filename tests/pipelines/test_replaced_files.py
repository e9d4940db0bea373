"""A file that was written anew takes back what it said before, where its source says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import Shop, track

from headway_pipelines.lake.ledger import PASSED, STAGED

REPLACES = "sources: {web: {format: segment, replaces: true}}"
LAKE = "SELECT event_id, actor, event, occurred_at FROM lake ORDER BY ALL"
ONE, TWO, THREE = (
    track("Signed Up", n, user=f"u{n}", device="shared" if n == 1 else None, id=f"m{n}") for n in (1, 2, 3)
)


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.workspace.sources_file.write_text(REPLACES)
    return shop


def load(shop: Shop) -> None:
    """Everything up to the lake; whether the files are any good is not the question here."""
    shop.ingest()
    with shop.ledger() as ledger, ledger.transaction():
        ledger.move([b.batch for b in ledger.batches(STAGED)], PASSED)
    shop.promote()


def loaded(shop: Shop) -> list[object]:
    """What the warehouse holds, and what is told about it."""
    load(shop)
    minutes = "SELECT minute(occurred_at) FROM lake ORDER BY ALL"
    return [
        [n for (n,) in shop.query(minutes)],
        shop.query("SELECT count(*) FROM links")[0][0],
        shop.outcomes(),
    ]


def test_what_a_file_no_longer_says_is_gone(shop: Shop) -> None:
    shop.land("day.json", [ONE, TWO])
    shop.land("other.json", [track("Signed Up", 9, user="u9")])
    assert loaded(shop) == [[1, 2, 9], 1, {"event": 3}]
    shop.land("day.json", [THREE, TWO])
    # The event, and that its device is its user's.
    assert loaded(shop) == [[2, 3, 9], 0, {"event": 3}]
    shop.land("day.json", [THREE])
    assert loaded(shop) == [[3, 9], 0, {"event": 2}]


def test_what_another_file_says_too_stays(shop: Shop) -> None:
    name = "other.json"
    shop.land("day.json", [ONE, TWO])
    shop.land(name, [ONE])
    load(shop)
    shop.land("day.json", [TWO])
    assert loaded(shop)[:2] == [[1, 2], 1]
    # Also where it had been a copy of the whole file and was never read.
    shop.land(name, [TWO])
    load(shop)
    shop.land("day.json", [THREE])
    assert loaded(shop)[:2] == [[2, 3], 0]


def test_a_file_before_it_reached_the_lake(shop: Shop) -> None:
    shop.land("day.json", [ONE, TWO])
    shop.ingest()
    shop.land("day.json", [TWO])
    assert loaded(shop) == [[2], 0, {"event": 1}]


def test_a_file_that_grew_is_read_alone(shop: Shop) -> None:
    shop.land("day.json", [ONE])
    shop.land("other.json", [TWO])
    load(shop)
    shop.land("day.json", [ONE, THREE])
    assert shop.ingest().files == 1
    # The same bytes at another time are nothing new.
    path = shop.workspace.raw / "other.json"
    path.write_bytes(path.read_bytes())
    assert shop.ingest().files == 0


def test_where_raw_logs_are_gone_nothing_is_taken_back(shop: Shop) -> None:
    shop.land("day.json", [ONE])
    shop.land("other.json", [TWO])
    load(shop)
    (shop.workspace.raw / "other.json").unlink()
    shop.land("day.json", [THREE])
    assert loaded(shop)[0] == [1, 2, 3]


def test_other_sources_add_to_what_a_file_said(shop: Shop) -> None:
    shop.workspace.sources_file.unlink()
    shop.land("day.json", [ONE])
    load(shop)
    shop.land("day.json", [THREE])
    assert loaded(shop)[0] == [1, 3]


def test_the_warehouse_equals_a_rebuild(shop: Shop, tmp_path: Path) -> None:
    for day, calls in ((1, [ONE, TWO]), (2, [TWO, THREE]), (1, [ONE, THREE]), (2, [])):
        shop.land(f"{day}.json", calls)
        load(shop)
    fresh = Shop(tmp_path / "fresh")
    fresh.workspace.sources_file.write_text(REPLACES)
    # The same key and the same surrogates.
    (shop.workspace.state).rename(fresh.workspace.state)
    fresh.land("1.json", [ONE, THREE])
    fresh.land("2.json", [])
    load(fresh)
    assert len(fresh.query(LAKE)) == 2
    assert [row[2:] for row in shop.query(LAKE)] == [row[2:] for row in fresh.query(LAKE)]
