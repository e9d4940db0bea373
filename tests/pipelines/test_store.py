"""The person store holds the events that `headway.open` shows, whatever happened to the lake and to people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from shop import PRODUCT, Shop, at, track
from stored import days_of, opened, rows_of

import headway as hw
from headway.engine import connect
from headway.store.files import attach_store, read_manifest
from headway_pipelines.publishing.publish import publish_explore
from headway_pipelines.store import derive, derive_store, store_version
from headway_pipelines.warehouse.compute import attach_people, compute

DAY = 24 * 60
MERGING = PRODUCT + "identity: {mode: components}\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose store keeps its parts apart."""
    monkeypatch.setattr(derive, "MERGED_BELOW", 0)
    return Shop(tmp_path / "shop", product=MERGING)


def events_of(shop: Shop) -> list[tuple[str, int, str, str]]:
    """The same as `rows_of`, from the view over the lake."""
    con = connect()
    with shop.ledger() as ledger:
        attach_people(con, shop.workspace, ledger)
    query = "SELECT person::VARCHAR, epoch_us(occurred_at), event, actor::VARCHAR FROM events ORDER BY ALL"
    return con.execute(query).fetchall()


def load(shop: Shop, name: str, *calls: dict[str, object]) -> None:
    shop.land(name, calls)
    shop.load()
    assert rows_of(shop.workspace) == events_of(shop)


def test_each_day_adds_its_events(shop: Shop) -> None:
    for day in range(2):
        load(
            shop,
            f"{day}.json",
            track("Page Viewed", day * DAY, user="u1"),
            track("Signed Up", day * DAY, user="u2"),
        )
    assert len(opened(shop.workspace).parts) == 2
    assert len(days_of(shop.workspace)["any"]) == 4
    assert len(days_of(shop.workspace)["Signed Up"]) == 2


def test_a_day_leaves_larger_parts_alone(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    load(shop, "0.json", *(track("Page Viewed", minute, user=f"u{minute % 3}") for minute in range(20)))
    (before,) = read_manifest(shop.workspace.store)["parts"]  # type: ignore[index]
    load(shop, "1.json", track("Page Viewed", DAY, user="u1"))
    first, second = read_manifest(shop.workspace.store)["parts"]  # type: ignore[index]
    assert (first["folder"], second["rows"]) == (before["folder"], 1)


def test_events_of_a_device_go_to_the_person_it_turns_out_to_be(shop: Shop) -> None:
    load(shop, "0.json", track("Page Viewed", 0, device="d1"), track("Page Viewed", 5, user="u2"))
    load(shop, "1.json", track("Page Viewed", 9, user="u1"))
    load(shop, "2.json", track("Signed Up", DAY, user="u1", device="d1"))
    assert len({person for person, *_ in rows_of(shop.workspace)}) == 2
    assert len(days_of(shop.workspace)["any"]) == 3


def test_late_copies_and_bots_are_handled_as_in_the_lake(shop: Shop) -> None:
    load(
        shop,
        "0.json",
        track("Page Viewed", 0, user="u1", id="m1", received=50),
        track("Signed Up", 1, user="u1"),
    )
    load(shop, "1.json", track("Page Viewed", 2, user="u2", id="m1", received=10))
    assert len(rows_of(shop.workspace)) == 2


def test_another_time_zone_moves_the_days(shop: Shop) -> None:
    load(shop, "0.json", track("Page Viewed", -11 * 60, user="u1"), track("Page Viewed", -9 * 60, user="u1"))
    assert len(days_of(shop.workspace)["any"]) == 2
    shop.workspace.product_file.write_text(MERGING.replace("Europe/Berlin", "America/New_York"))
    with shop.ledger() as ledger:
        derive_store(shop.workspace, ledger)
    assert len(days_of(shop.workspace)["any"]) == 1
    assert rows_of(shop.workspace) == events_of(shop)


def test_nothing_new_writes_nothing_and_a_damaged_store_is_made_anew(shop: Shop) -> None:
    load(shop, "0.json", track("Page Viewed", 0, user="u1"))
    before = {path: path.stat().st_mtime_ns for path in shop.workspace.store.rglob("*")}
    with shop.ledger() as ledger:
        assert derive_store(shop.workspace, ledger).written == 0
        assert before == {path: path.stat().st_mtime_ns for path in shop.workspace.store.rglob("*")}
        next(shop.workspace.store.glob("part-*/us.npy")).write_bytes(b"")
        assert derive_store(shop.workspace, ledger).written == 1
    assert rows_of(shop.workspace) == events_of(shop)


def _rewritten(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:128] + b"\0" * (len(content) - 128))


def _shorter(path: Path) -> None:
    np.save(path, np.load(path)[..., :-1])


@pytest.mark.parametrize(
    ("damaged", "how"),
    [
        ("part-*/us.npy", _rewritten),
        ("part-*/days_any_*_words.npy", _rewritten),
        ("part-*/days_any_*_persons.npy", _shorter),
        ("dead-*.npy", _rewritten),
        ("numbers-*/owners.parquet", Path.unlink),
        (
            "manifest.json",
            lambda path: path.write_text(path.read_text().replace('"people": 9', '"people": 99')),
        ),
        ("manifest.json", lambda path: path.write_text("[]")),
    ],
)
def test_what_is_not_as_it_was_written_answers_nothing(
    shop: Shop, damaged: str, how: Callable[[Path], object]
) -> None:
    load(shop, "0.json", *(track("Page Viewed", n, user=f"u{n}", device=f"d{n}") for n in range(8)))
    load(shop, "1.json", {"type": "alias", "userId": "u0", "previousId": "u1", "timestamp": at(9)})
    load(shop, "2.json", track("Page Viewed", DAY, user="u9"))
    with shop.ledger() as ledger:
        version = store_version(shop.workspace, ledger)
        assert attach_store(shop.workspace.store, version) is not None
        how(next(shop.workspace.store.glob(damaged)))
        assert attach_store(shop.workspace.store, version) is None
        derive_store(shop.workspace, ledger)
        assert attach_store(shop.workspace.store, version) is not None
    assert rows_of(shop.workspace) == events_of(shop)


def test_an_opened_workspace_answers_from_its_store_while_that_is_of_the_same_events(shop: Shop) -> None:
    load(shop, "0.json", track("Page Viewed", 0, user="u1"), track("Signed Up", 9, user="u1"))
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
        publish_explore(shop.workspace, ledger)
        version = store_version(shop.workspace, ledger)
    question = hw.Funnel(["Page Viewed", "Signed Up"], within="1d")
    with hw.open(shop.root) as log:
        assert log.store is not None
        assert question.run(log).frame["people"].to_list() == [1, 1]
    with hw.open(shop.root, traffic="all") as log:
        assert log.store is None
    assert attach_store(shop.workspace.store, version) is not None
    load(shop, "1.json", track("Page Viewed", DAY, user="u2"))
    with hw.open(shop.root) as log:
        assert log.store is None
        assert question.run(log).frame["people"].to_list() == [1, 1]
