"""Which copy of an event stays under each rule, and how copies are counted: the same in any order of files."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, at, track

from headway.errors import DefinitionError
from headway_pipelines.sources.config import parse_sources


def copy(amount: int, *, received: int, occurred: int, name: str = "m1") -> dict[str, Any]:
    """A copy that says something of its own, in minutes."""
    return track("Order Completed", occurred, user="u1", id=name, received=received, amount=amount)


#: The first to arrive, the first to have happened, the last to have happened, the last to arrive.
COPIES = [
    copy(10, received=1, occurred=5),
    copy(20, received=2, occurred=3),
    copy(40, received=3, occurred=9),
    copy(30, received=4, occurred=6),
]
ORDERS = [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)]


def bring_in(shop: Shop) -> None:
    shop.ingest()
    shop.judge()
    shop.promote()


def shop_with(root: Path, rule: str) -> Shop:
    shop = Shop(root / "shop")
    (shop.root / "sources.yml").write_text(f"sources: {{web: {{format: segment, copies: {rule}}}}}\n")
    return shop


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("rule", "stays"),
    [("first_received", 10), ("last_received", 30), ("first_occurred", 20), ("last_occurred", 40)],
)
def test_each_rule_keeps_its_copy_in_any_order_of_files(
    tmp_path: Path, rule: str, stays: int, order: tuple[int, ...]
) -> None:
    shop = shop_with(tmp_path, rule)
    for part in (order[:2], order[2:]):
        shop.land(f"{part}.json", [COPIES[place] for place in part])
        bring_in(shop)
    assert shop.query("SELECT amount FROM lake") == [(stays,)]


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_copies_that_lie_on_different_days_are_one_event_as_if_all_were_ranked_at_once(
    tmp_path: Path, parts: int
) -> None:
    # Lake days are written one by one, each with the losing copies of that day alone. A corrected clock moves copies.
    chosen = random.Random(7)
    calls = [
        copy(
            number,
            received=6000 + number,
            occurred=1440 * chosen.randrange(4) + number,
            name=f"m{number % 17}",
        )
        for number in range(60)
    ]
    chosen.shuffle(calls)
    shop = shop_with(tmp_path, "first_received")
    for part in range(parts):
        shop.land(f"{part}.json", calls[part::parts])
        bring_in(shop)
    # The first seventeen arrived first, one of each id.
    assert shop.query("SELECT amount, occurred_at FROM lake ORDER BY amount") == [
        (each["properties"]["amount"], dt.datetime.fromisoformat(each["timestamp"]).replace(tzinfo=None))
        for each in sorted(calls, key=lambda call: call["properties"]["amount"])[:17]
    ]


def test_equal_under_the_rule_the_smallest_arrival_and_then_the_smallest_content_stays(
    tmp_path: Path,
) -> None:
    shop = shop_with(tmp_path, "last_occurred")
    same = [copy(amount, received=received, occurred=5) for amount, received in ((7, 2), (9, 1), (8, 1))]
    for number, call in enumerate(same):
        shop.land(f"{number}.json", [call])
    bring_in(shop)
    assert shop.query("SELECT amount FROM lake") == [(8,)]


def test_an_unknown_rule_is_refused_by_name() -> None:
    with pytest.raises(DefinitionError, match=r"first_received.*last_received"):
        parse_sources("sources: {web: {format: segment, copies: newest}}")


COUNTED = [
    copy(10, received=1, occurred=5),
    copy(10, received=7, occurred=6)
    | {"originalTimestamp": at(5)},  # sent again: the clock was corrected anew
    copy(20, received=2, occurred=5),  # says something else
    copy(20, received=3, occurred=5),
    copy(1, received=1, occurred=1, name="m2"),
    copy(1, received=2, occurred=1, name="m2"),
    copy(1, received=1, occurred=1, name="m3"),
]


@pytest.mark.parametrize("step", [2, 3, 7])
@pytest.mark.parametrize("backwards", [False, True])
def test_copies_are_counted_by_source_and_ids_that_say_different_things_apart(
    shop: Shop, step: int, backwards: bool
) -> None:
    calls = COUNTED[::-1] if backwards else COUNTED
    for start in range(0, len(calls), step):
        shop.land(f"{start}.json", calls[start : start + step])
        bring_in(shop)
    assert shop.outcomes() == {"event": 3, "copy of an event": 3, "same id, other content": 1}
    assert shop.query("SELECT count(*) FROM lake") == [(3,)]


def posthog(hour: int, *, uuid: str, amount: int = 5, clock: float | None = None) -> dict[str, Any]:
    """A line of an export: its time was corrected when it arrived, a browser also says its own."""
    own = {} if clock is None else {"$time": clock, "$device_id": "d1"}
    return {
        "uuid": uuid,
        "event": "Order Completed",
        "distinct_id": "u1",
        "timestamp": f"2026-03-02T{hour:02}:00:00.000000+00:00",
        "created_at": f"2026-03-02T{hour:02}:00:01.000000+00:00",
        "properties": {"amount": amount, **own},
    }


@pytest.mark.parametrize("backwards", [False, True])
def test_a_retry_that_a_vendor_gave_another_time_is_the_same_event(tmp_path: Path, backwards: bool) -> None:
    shop = Shop(tmp_path / "shop")
    (shop.root / "sources.yml").write_text("sources: {app: {format: posthog}}\n")
    by_server = [posthog(hour, uuid="e1") for hour in (9, 10)]
    otherwise = [posthog(9, uuid="e2"), posthog(10, uuid="e2", amount=6)]
    by_browser = [posthog(hour, uuid="e3", clock=1772442000) for hour in (9, 10)]
    another_time = [posthog(9, uuid="e4", clock=1772442000), posthog(9, uuid="e4", clock=1772442060)]
    calls = [*by_server, *otherwise, *by_browser, *another_time]
    for number, call in enumerate(calls[::-1] if backwards else calls):
        shop.land(f"{number}.json", [call])
    bring_in(shop)
    assert shop.outcomes() == {"event": 4, "copy of an event": 2, "same id, other content": 2}


def test_without_copies_nothing_is_noted(shop: Shop) -> None:
    shop.land("a.json", [COUNTED[0]])
    bring_in(shop)
    assert shop.outcomes() == {"event": 1}
    assert not list(shop.workspace.lake.glob("contested-*"))


def contested(shop: Shop) -> list[tuple[object, ...]]:
    with shop.ledger() as ledger:
        return [tuple(each.values()) for each in ledger.contested()]


def test_a_copy_that_says_something_else_is_located_beside_the_one_that_stays(shop: Shop) -> None:
    stays, otherwise = copy(10, received=1, occurred=5), copy(20, received=2, occurred=5)
    sent_again = copy(10, received=3, occurred=5)
    filler = [copy(1, received=1, occurred=1, name=f"f{number}") for number in range(3)]
    # The worst copy of all says what the best one says.
    shop.land("a.json", [*filler[:2], stays])
    shop.land("b.json", [filler[2], otherwise, sent_again])
    bring_in(shop)
    assert contested(shop) == [("b.json", 2, "a.json", 3)]
    # Nothing more is said of an id that is known.
    shop.land("c.json", [copy(30, received=4, occurred=5)])
    bring_in(shop)
    assert contested(shop) == [("b.json", 2, "a.json", 3)]
    assert shop.outcomes()["same id, other content"] == 1


def test_the_copy_in_the_lake_is_located_where_a_better_one_replaces_it(shop: Shop) -> None:
    shop.land("late.json", [copy(1, received=1, occurred=1, name="f"), copy(20, received=2, occurred=5)])
    bring_in(shop)
    assert contested(shop) == []
    shop.land("early.json", [copy(10, received=1, occurred=5)])
    bring_in(shop)
    assert contested(shop) == [("late.json", 2, "early.json", 1)]
    assert shop.query("SELECT amount FROM lake WHERE amount > 1") == [(10,)]


def test_only_the_first_contested_copies_of_a_file_are_located_and_all_are_counted(shop: Shop) -> None:
    names = [f"m{number}" for number in range(30)]
    shop.land("a.json", [copy(10, received=1, occurred=5, name=name) for name in names])
    shop.land("b.json", [copy(20, received=2, occurred=5, name=name) for name in names])
    bring_in(shop)
    assert contested(shop) == [("b.json", line, "a.json", line) for line in range(1, 21)]
    assert shop.outcomes()["same id, other content"] == 30
    with shop.ledger() as ledger:
        ledger.forget_batches(each.batch for each in ledger.batches() if each.label == "b.json")
    assert contested(shop) == []
