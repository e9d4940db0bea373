"""Publishing, attacked across metrics: parts of one whole, and metrics that speak of the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from test_publish import MONDAY, Attacker, K, World, shown

from headway.engine import connect
from headway.frameworks.values import measure
from headway.models.product import Product
from headway_pipelines.publishing.families import families
from headway_pipelines.publishing.publish import suppress

Event = tuple[int, str, int]
"""Person, what they did, and on which day after the first Monday."""


def product(metrics: Mapping[str, Mapping[str, Any]], *grains: str) -> Product:
    said = {"framework": "aarrr", "stage": "revenue", "title": "T"}
    return Product.model_validate(
        {
            "name": "Shop", "timezone": "UTC", "currency": "EUR", "activity": "A", "grains": grains or ("week",),
            "metrics": {name: {**said, **metric} for name, metric in metrics.items()},
        }
    )  # fmt: skip


def published(
    of: Product, events: Sequence[Event], channels: Mapping[int, str] | None = None
) -> pl.DataFrame:
    """The metric values as they are published, beside the truth in the column ``true``."""
    noon = datetime(MONDAY.year, MONDAY.month, MONDAY.day, 12)
    log = [(f"p{who}", what, noon + timedelta(day, 0, n)) for n, (who, what, day) in enumerate(events)]
    people = [
        (f"p{who}", (channels or {}).get(who, "direct")) for who in sorted({who for who, _, _ in events})
    ]
    con = connect()
    try:
        columns = {"person": pl.String(), "event": pl.String(), "occurred_at": pl.Datetime("us")}
        con.register("events", pl.DataFrame(log, schema=columns, orient="row").to_arrow())
        con.register("people", pl.DataFrame(people, schema=["person", "channel"], orient="row").to_arrow())
        end = datetime(2027, 1, 1)
        values = measure(con, of, horizon=end, as_of=end, code_version="x").values
    finally:
        con.close()
    out = suppress("metric_values", values, together=families(of))
    return out.with_columns(true=values["numerator"])


def hidden(frame: pl.DataFrame, day: int = 0, segment: str = "all", period: str = "week") -> set[str]:
    here = frame.filter(
        pl.col("suppressed"), period=period, segment=segment, period_start=MONDAY + timedelta(day)
    )
    return set(here["metric"])


def did(what: str, day: int, *people: range) -> list[Event]:
    return [(who, what, day) for some in people for who in some]


PARTS = {
    part: {"kind": "lifecycle", "of": "A", "part": part, "unit": "people"}
    for part in ("new", "returning", "resurrected", "dormant")
}
ACTIVE = {"kind": "count", "of": {"event": "A", "measure": "people"}, "unit": "people"}


def test_by_hand_one_part_of_the_active_people_hides_the_others() -> None:
    # In the third week 60 are new, 35 return, 5 come back: 100 - 60 - 35 = 5.
    events = [
        *did("A", 0, range(40)), *did("A", 7, range(200, 265)),
        *did("A", 14, range(5), range(200, 235), range(400, 460)), *did("A", 21, range(500, 560)),
    ]  # fmt: skip
    found = published(product({**PARTS, "active": ACTIVE}), events)
    assert hidden(found, 14) == set(PARTS)
    assert found.filter(metric="active", segment="all")["suppressed"].sum() == 0


def test_by_hand_who_returns_and_who_does_not_are_those_of_the_week_before() -> None:
    # 5 active people in the second week, all of whom stay away: hidden there, and not told a week later.
    events = [
        *did("A", 0, range(100)), *did("A", 7, range(5)), *did("A", 14, range(200, 230)),
        *did("A", 21, range(200, 230)),
    ]  # fmt: skip
    churn = {"kind": "lifecycle", "of": "A", "part": "churn", "unit": "percent"}
    found = published(product({**PARTS, "churn": churn, "active": ACTIVE}), events)
    assert "active" in hidden(found, 7)
    assert {"dormant", "churn"} <= hidden(found, 14)


@pytest.mark.parametrize("seed", range(3))
def test_no_part_of_the_active_people_is_hidden_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 120
    weights = rng.choice([0.05, 0.3, 0.7], size=size)
    channels = {who: f"c{rng.choice(3, p=[0.1, 0.3, 0.6])}" for who in range(size)}
    events = [(who, "A", 7 * week) for week in range(6) for who in range(size) if rng.random() < weights[who]]
    found = published(product({**PARTS, "active": ACTIVE}), events, channels)
    cells = found.pivot("metric", index=["segment", "period_start"], values=["suppressed", "true"])
    came = ("new", "returning", "resurrected")
    small = 0
    for cell in cells.iter_rows(named=True):
        assert len({cell[f"suppressed_{part}"] for part in came}) == 1
        small += sum(1 <= cell[f"true_{part}"] < K for part in came)
        if cell["suppressed_active"]:
            assert cell["suppressed_new"]
    assert small > 5


def test_attempts_and_halves_of_a_cohort_and_recurring_revenue_are_families() -> None:
    task = {"kind": "task", "start": "A", "success": "B", "failure": "C", "within": "1h", "unit": "percent"}
    back = {
        "kind": "retention",
        "start": "A",
        "returning": "B",
        "after": "7d",
        "within": "7d",
        "unit": "percent",
    }
    answered = {"by": "B", "within": "2h"}
    mrr = {"kind": "mrr", "event": "P", "value": "monthly", "ends": "E", "unit": "EUR"}
    rows = families(
        product(
            {
                **{part: {**task, "outcome": part} for part in ("success", "failure", "abandoned")},
                "first": {**task, "attempts": "first"},
                "back": back,
                "quick": {**back, "answered": answered},
                "slow": {**back, "answered": {**answered, "in_time": False}, "title": "Slow"},
                "later": {**back, "answered": {**answered, "within": "3h"}},
                **{part: {**mrr, "part": part} for part in ("opening", "expansion", "churned", "closing")},
            }
        )
    )
    found = {frozenset(part.select("metric", "role").rows()) for part in rows.partition_by("family")}
    assert found == {
        frozenset({("success", "part"), ("failure", "part"), ("abandoned", "part")}),
        frozenset({("first", "part")}),
        frozenset({("quick", "part"), ("slow", "part"), ("back", "whole")}),
        frozenset({("later", "part"), ("back", "whole")}),
        frozenset({("opening", "whole"), ("expansion", "part"), ("churned", "part"), ("closing", "whole")}),
    }


def test_by_hand_sessions_that_crash_are_hidden_where_they_are_few() -> None:
    crash_free = {"kind": "crash_free", "of": "A", "failure": "X", "unit": "percent"}
    of = product({"crash_free": crash_free})
    assert hidden(published(of, [*did("A", 0, range(103)), *did("X", 0, range(3))])) == {"crash_free"}
    assert hidden(published(of, [*did("A", 0, range(103)), *did("X", 0, range(10))])) == set()
    assert hidden(published(of, did("A", 0, range(103)))) == set()


def test_by_hand_a_day_that_has_nearly_all_of_its_week_is_hidden() -> None:
    # 104 in the week, 100 on Monday, 54 on Tuesday: 4 came on Tuesday alone.
    events = [*did("A", 0, range(100)), *did("A", 1, range(50, 104))]
    found = published(product({"active": ACTIVE}, "day", "week"), events)
    assert hidden(found) == set() and hidden(found, 0, period="day") == {"active"}
    events = [*did("A", 0, range(100)), *did("A", 1, range(50, 110))]
    found = published(product({"active": ACTIVE}, "day", "week"), events)
    assert hidden(found, 0, period="day") == set()


def test_by_hand_metrics_of_the_same_people_hide_the_same_of_them() -> None:
    # Channels of 5, 40, 60 and 100 people. 6 of the 60 did it: the share could do with hiding 5 + 60, beside which the
    # number of people hides 5 + 40. Both together would show the 5.
    sizes, bought = {"a": 5, "b": 40, "c": 60, "d": 100}, {"a": 5, "b": 20, "c": 6, "d": 50}
    channels: dict[int, str] = {}
    events: list[Event] = []
    for channel, size in sizes.items():
        who = range(len(channels), len(channels) + size)
        channels |= dict.fromkeys(who, channel)
        events += [*did("A", 0, who), *did("B", 0, who[: bought[channel]])]
    share = {"kind": "share", "of": "A", "did": "B", "unit": "percent"}
    found = published(product({"share": share, "active": ACTIVE}), events, channels)
    assert hidden(found, 0, "channel=a") == hidden(found, 0, "channel=b") == {"active", "share"}
    assert hidden(found, 0, "channel=c") == {"share"}


@pytest.mark.parametrize("seed", range(6))
def test_no_number_of_people_can_be_worked_out_from_metrics_of_the_same_people(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = np.array([3, *rng.choice([3, 12, 40, 90], size=3)]) * rng.choice([0, 1, 1, 2], size=(14, 1))
    people = rng.poisson(scale)
    truth = World(people, people).cells(people)
    known: dict[str, dict[tuple[str, date], float]] = {"day": {}, "week": {}}
    for _ in range(3):
        part = rng.binomial(people, rng.choice([0.1, 0.5, 0.9, 1.0], size=4))
        for period, cells in shown(suppress("metric_values", World(people, part).frame()), "people").items():
            known[period] |= cells
    attacker = Attacker(known, truth, cohort=True, total_known=True)
    small = [(period, key) for period, cells in truth.items() for key, n in cells.items() if 1 <= n < K]
    assert small
    for period, key in small[:: max(1, len(small) // 10)]:
        assert key not in known[period]
        assert attacker.most(period, key) >= K - 1e-6, (period, key)
