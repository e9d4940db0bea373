"""Publishing running totals, attacked: no difference of two of them, in time or between labels, is of few people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from test_publish import MONDAY, K
from test_publish_together import Event, did, product

from headway.engine import connect
from headway.frameworks.values import measure
from headway.models.product import Product
from headway_pipelines.publishing.families import families
from headway_pipelines.publishing.publish import months_never_shown, suppress
from headway_pipelines.warehouse.running_totals import running_totals

PEOPLE = {
    "kind": "cumulative",
    "of": {"event": "A", "measure": "people"},
    "since": "2026-01-01",
    "unit": "people",
}
EVENTS = {"kind": "cumulative", "of": "A", "since": "2026-01-01", "unit": "events"}
SPENT = {**EVENTS, "of": {"event": "A", "measure": "sum", "value": "amount"}, "unit": "EUR"}
COUNTED = {"kind": "count", "of": "A", "unit": "events"}
SEEN = {"kind": "count", "of": {"event": "A", "measure": "people"}, "unit": "people"}


def published(
    of: Product,
    events: Sequence[Event],
    channels: Mapping[int, str] | None = None,
    amounts: Sequence[float] = (),
) -> pl.DataFrame:
    """The metric values as they are published, beside what was counted in the column ``true``."""
    noon = datetime(MONDAY.year, MONDAY.month, MONDAY.day, 12)
    paid = [*amounts, *(1.0 for _ in events)]
    log = [
        (f"p{who}", what, noon + timedelta(day, 0, n), paid[n]) for n, (who, what, day) in enumerate(events)
    ]
    people = [(f"p{who}", (channels or {}).get(who, "direct")) for who in {who for who, _, _ in events}]
    con = connect()
    try:
        columns = {
            "person": pl.String(),
            "event": pl.String(),
            "occurred_at": pl.Datetime("us"),
            "amount": pl.Float64(),
        }
        con.register("events", pl.DataFrame(log, schema=columns, orient="row").to_arrow())
        con.register("people", pl.DataFrame(people, schema=["person", "channel"], orient="row").to_arrow())
        end = datetime(2027, 1, 1)
        values = measure(con, of, horizon=end, as_of=end, code_version="x").values
    finally:
        con.close()
    first = MONDAY + timedelta(min(day for *_, day in events))
    out = suppress("metric_values", values, together=families(of), totals=running_totals(of), first_day=first)
    return out.with_columns(true=values["value"])


def told(
    frame: pl.DataFrame, segment: str = "all", metric: str = "so_far", period: str = "week"
) -> list[Any]:
    return frame.filter(metric=metric, segment=segment, period=period).sort("period_start")["value"].to_list()


def test_by_hand_few_new_people_wait_until_they_are_many() -> None:
    # 20, then 4 more, then 7 more: the 4 are told with the 7.
    events = [*did("A", 0, range(20)), *did("A", 7, range(24)), *did("A", 14, range(17, 31))]
    assert told(published(product({"so_far": PEOPLE}), events)) == [20, None, 31]
    # Nobody new says nothing.
    events = [*did("A", 0, range(20)), *did("A", 7, range(20)), *did("A", 14, range(17, 31))]
    assert told(published(product({"so_far": PEOPLE}), events)) == [20, 20, 31]


def test_by_hand_few_people_who_do_it_again_wait_too() -> None:
    events = [*did("A", 0, range(20)), *did("A", 7, range(4)), *did("A", 14, range(20))]
    assert told(published(product({"so_far": EVENTS}), events)) == [20, None, 44]
    # 4 people a week are 4 people after three weeks, not 12.
    events = [*did("A", 0, range(20)), *(each for week in (7, 14, 21) for each in did("A", week, range(4)))]
    assert told(published(product({"so_far": EVENTS}), events)) == [20, None, None, None]


def test_by_hand_an_amount_of_which_one_person_gives_most_is_not_told() -> None:
    events = [*did("A", 0, range(20)), *did("A", 7, range(20)), *did("A", 14, range(20))]
    amounts = [*[1.0] * 20, *[1.0] * 19, 500.0, *[1.0] * 20]
    assert told(published(product({"so_far": SPENT}), events, amounts=amounts)) == [20, None, None]


def test_by_hand_labels_are_told_together() -> None:
    channels = {**dict.fromkeys(range(20, 40), "ads"), **dict.fromkeys(range(100, 115), "ads")}
    # 15 by ads and 3 others in the second week; 12 others in the third.
    events = [
        *did("A", 0, range(40)), *did("A", 7, range(100, 118)), *did("A", 14, range(200, 212)),
    ]  # fmt: skip
    found = published(product({"so_far": PEOPLE}), events, channels)
    assert told(found) == [40, 58, 70]
    assert told(found, "channel=ads") == [20, None, 35]
    assert told(found, "channel=direct") == [20, None, 35]


def test_by_hand_beside_single_weeks_a_total_tells_what_they_tell() -> None:
    # 3 people in the third week: it is hidden, and the second with it. Their sum is told by neither.
    events = [
        *did("A", 0, range(50)), *did("A", 7, range(30)), *did("A", 14, range(3)), *did("A", 21, range(50)),
    ]  # fmt: skip
    found = published(product({"so_far": EVENTS, "weekly": COUNTED}), events)
    assert told(found, metric="weekly") == [50, None, None, 50]
    assert told(found) == [50, None, None, None]
    assert told(published(product({"so_far": EVENTS}), events)) == [50, 80, None, 133]


def test_by_hand_people_seen_again_are_not_told_by_a_difference() -> None:
    # 20 in the second week, 17 of them new: 3 came in both.
    events = [*did("A", 0, range(20)), *did("A", 7, range(17, 37)), *did("A", 14, range(100, 130))]
    found = published(product({"so_far": PEOPLE, "weekly": SEEN}), events)
    assert told(found, metric="weekly") == [20, 20, 30]
    assert told(found) == [20, None, None]


def test_of_two_totals_of_the_same_one_is_published() -> None:
    events = [*did("A", 0, range(20)), *did("A", 7, range(20))]
    found = published(product({"so_far": EVENTS, "monthly": {**EVENTS, "since": "month"}}), events)
    assert (told(found), told(found, metric="monthly")) == ([20, 40], [None, None])


def test_without_its_definition_a_total_is_hidden_and_months_need_no_days() -> None:
    of = product({"so_far": EVENTS}, "week", "month")
    assert months_never_shown(of) == ()
    found = published(of, did("A", 0, range(20)))
    assert not found["suppressed"].any()
    cells = found.with_columns(estimate=pl.lit("running"), components=pl.lit(None, dtype=pl.String))
    cells = cells.with_columns(contributors=pl.lit(20), effective=pl.lit(20.0))
    assert suppress("metric_values", cells)["suppressed"].all()


def test_what_is_made_of_totals_is_shown_where_they_are() -> None:
    events = [*did("A", 0, range(20)), *did("A", 7, range(24)), *did("A", 14, range(17, 31))]
    formula = {"kind": "formula", "expression": "so_far * 2", "unit": "x"}
    assert told(published(product({"so_far": PEOPLE, "twice": formula}), events), metric="twice") == [
        40,
        None,
        62,
    ]


@pytest.mark.parametrize("seed", range(2))
def test_no_difference_of_what_is_shown_is_of_few_people(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, days = 700, 40
    keen = rng.choice([0.02, 0.05, 0.3], size=size)
    begins = rng.integers(0, days, size=size)
    channels = {who: f"c{rng.choice(3, p=[0.1, 0.3, 0.6])}" for who in range(size)}
    events = [
        (who, "A", day)
        for day in range(days)
        for who in range(size)
        if day == begins[who] or (day > begins[who] and rng.random() < keen[who])
    ]
    metrics: dict[str, dict[str, Any]] = {"people": PEOPLE, "events": {**EVENTS, "since": "month"}}
    found = published(product(metrics, "day", "week", "month"), events, channels)
    segments = ["all", *(f"channel=c{n}" for n in range(3)), "channel=direct"]
    for metric, since in (("people", None), ("events", 1)):
        shown = found.filter(~pl.col("suppressed"), metric=metric)
        assert shown.height > 30 and found.filter(metric=metric)["suppressed"].sum() > 30
        for segment in segments:
            in_it = [who for who in range(size) if segment in ("all", f"channel={channels[who]}")]
            ends = sorted(set(shown.filter(segment=segment)["period_end"]))
            for before, after in [(None, end) for end in ends] + list(combinations(ends, 2)):
                window = [each for each in (before, after) if each]
                if since and len({(each.year, each.month) for each in window}) > 1:
                    continue
                assert not 1 <= _between(events, in_it, before, after, since) < K, (segment, before, after)


def _between(
    events: Sequence[Event], people: Sequence[int], before: date | None, after: date, since: int | None
) -> int:
    """People of whom the difference of two totals speaks: those new to it; of events, all who did any."""
    start, known = after.replace(day=since) if since else date.min, set(people)
    told, earlier = set(), set()
    for who, _, day in events:
        at = MONDAY + timedelta(day)
        if before is not None and at <= before:
            earlier.add(who)
        elif who in known and start <= at <= after:
            told.add(who)
    return len(told - earlier if since is None else told)
