"""Metrics made of others: shown only where nobody can solve them for what is hidden."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from shop import PRODUCT, Shop, track

from headway.frameworks.values import SCHEMA
from headway.statistics.estimates import SufficientStatistics, estimate
from headway_pipelines.inputs import derive_inputs
from headway_pipelines.publishing.publish import _kinds, publish, suppress
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of

MONDAY = date(2026, 3, 2)


def cell(metric: str, people: int, segment: str = "all", **more: Any) -> dict[str, Any]:
    return {
        "metric": metric, "framework": "aarrr", "stage": "activation", "segment": segment, "period": "week",
        "period_start": MONDAY, "period_end": MONDAY + timedelta(6), "value": float(people), "unit": "people",
        "numerator": float(people), "people": people, "contributors": people, "estimate": "count", "low": 1.0,
        "high": 2.0, "interval_method": "poisson exact", "complete": True, "suppressed": False, **more,
    }  # fmt: skip


def made(components: str, segment: str = "all", **more: Any) -> dict[str, Any]:
    return cell(
        "made", 50, segment, estimate="formula", components=components, interval_method="jackknife", **more
    )


def published(*rows: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    frame = suppress("metric_values", pl.DataFrame(list(rows), schema=SCHEMA))
    assert "components" not in frame.columns
    return {(row["metric"], row["segment"]): row for row in frame.iter_rows(named=True)}


@pytest.mark.parametrize(
    ("a", "b", "hidden"), [(50, 60, False), (5, 60, True), (50, 5, True), (0, 60, False)]
)
def test_it_is_shown_where_all_its_metrics_are(a: int, b: int, hidden: bool) -> None:
    found = published(cell("a", a), cell("b", b), made("a,b"))["made", "all"]
    assert found["suppressed"] is hidden
    assert (found["value"] is None, found["low"] is None, found["people"] is None) == (hidden, hidden, hidden)
    if hidden:
        assert found["reason"] == "fewer than 10 people, or would reveal so few"


def test_a_hidden_label_hides_the_formula_of_that_label_alone() -> None:
    segments = {"all": 175, "channel=a": 5, "channel=b": 50, "channel=c": 120}
    rows = [cell("a", n, s) for s, n in segments.items()] + [cell("b", 90, s) for s in segments]
    found = published(*rows, *(made("a,b", s) for s in segments))
    for segment in segments:
        assert found["made", segment]["suppressed"] == found["a", segment]["suppressed"], segment
    assert {s for s in segments if found["made", s]["suppressed"]} == {"channel=a", "channel=b"}


def test_a_formula_of_a_cell_nobody_knows_is_hidden() -> None:
    assert published(cell("a", 50), made("a,b"))["made", "all"]["suppressed"]


def test_a_formula_does_not_hide_its_metrics() -> None:
    # Its own number of people is the fewest of its metrics; a small one says nothing new.
    found = published(cell("a", 0), cell("b", 60), made("a,b") | {"people": 3})
    assert not found["b", "all"]["suppressed"] and not found["made", "all"]["suppressed"]


def test_the_interval_goes_where_that_of_a_score_would_tell() -> None:
    score = cell("a", 100, estimate="promoter_score", interval_method="adjusted wald") | {
        # 50 promoters, 5 detractors: their number follows from the interval.
        "value": 45.0, "numerator": 45.0, "denominator": 100.0, "low": 33.0, "high": 55.6,
    }  # fmt: skip
    found = published(score, cell("b", 60), made("a,b"))
    assert found["a", "all"]["low"] is None and found["a", "all"]["value"] is not None
    assert found["made", "all"]["low"] is None and found["made", "all"]["interval_method"] is None
    assert found["made", "all"]["value"] is not None


def score(n: int, promoters: int, detractors: int, segment: str = "all") -> dict[str, Any]:
    """A promoter score with its interval, from which the number of promoters follows."""
    total = promoters - detractors
    found = estimate("promoter_score", SufficientStatistics.of([n], [total], [promoters + detractors]))
    value, low, high = (float(each[0]) for each in (found.value, found.low, found.high))
    row = cell("a", n, segment, estimate="promoter_score", interval_method="adjusted wald")
    return row | {
        "value": value, "numerator": float(total), "denominator": float(n), "low": low, "high": high,
        "contributors": promoters + detractors,
    }  # fmt: skip


def test_intervals_of_the_other_labels_do_not_tell_what_one_hides() -> None:
    # Everybody 90 promoters and 33 detractors, direct 60 and 30: whoever knows both knows the 3 of e-mail.
    rows = [score(200, 90, 33), score(120, 60, 30, "channel=direct"), score(80, 30, 3, "channel=email")]
    found = published(*rows)
    for segment in ("channel=direct", "channel=email"):
        assert found["a", segment]["value"] is not None and found["a", segment]["low"] is None
    assert found["a", "all"]["low"] is not None
    # Nor does the interval of their weighted sum.
    everybody = {
        "estimate": "weighted",
        "interval_method": "post-stratified",
        "effective": 50.0,
        "numerator": None,
    }
    found = published(rows[0] | everybody, *rows[1:])
    assert found["a", "all"]["value"] is not None and found["a", "all"]["low"] is None
    fine = published(score(200, 90, 60) | everybody, rows[1], score(80, 30, 30, "channel=email"))
    assert fine["a", "all"]["low"] is not None


def weighted(
    people: int, satisfied: int, segment: str = "all", period: str = "week", **more: Any
) -> dict[str, Any]:
    row = cell("w", people, segment, period=period, value=0.5, contributors=satisfied)
    if segment == "all":
        return (
            row | {"numerator": None, "denominator": None, "estimate": "weighted", "effective": 50.0} | more
        )
    return (
        row | {"numerator": float(satisfied), "denominator": float(people), "estimate": "proportion"} | more
    )


def channels(*counts: tuple[int, int], period: str = "week") -> list[dict[str, Any]]:
    return [weighted(n, y, f"channel=c{i}", period) for i, (n, y) in enumerate(counts)]


@pytest.mark.parametrize(
    ("counts", "effective", "hidden"),
    [
        ([(60, 30), (60, 40)], 50.0, False),
        ([(60, 30), (60, 40), (0, 0)], None, False),
        # Of one channel 4 are not satisfied: with what is shown of the others they could be told.
        ([(60, 30), (60, 56), (80, 40)], 50.0, True),
        # 9 people of a channel did not answer, or were asked at all: the weights would say so.
        ([(60, 30), (60, 40)], 9.0, True),
    ],
)
def test_a_weighted_value_is_shown_where_every_channel_is(
    counts: list[tuple[int, int]], effective: float | None, hidden: bool
) -> None:
    people, satisfied = (sum(each) for each in zip(*counts, strict=True))
    rows = [weighted(people, satisfied, effective=effective), *channels(*counts), made("w")]
    found = published(*rows)
    assert found["w", "all"]["suppressed"] is hidden
    assert (found["w", "all"]["value"] is None) is hidden
    # What is made of it goes with it.
    assert found["made", "all"]["suppressed"] is hidden
    if effective == 9.0:
        assert not any(found["w", f"channel=c{i}"]["suppressed"] for i in range(len(counts)))


def test_a_weighted_value_of_few_answers_is_hidden() -> None:
    assert published(weighted(9, 4))["w", "all"]["suppressed"]
    assert published(weighted(60, 57))["w", "all"]["suppressed"]
    assert not published(weighted(60, 30))["w", "all"]["suppressed"]


def test_a_weighted_value_is_shown_of_one_kind_of_period() -> None:
    rows = [weighted(70, 35, period=period) for period in ("day", "week", "month", "rolling_7d")]
    frame = suppress("metric_values", pl.DataFrame(rows, schema=SCHEMA))
    assert frame.filter(~pl.col("suppressed"))["period"].to_list() == ["week"]
    of_days = suppress("metric_values", pl.DataFrame([rows[0]], schema=SCHEMA))
    assert of_days["suppressed"].to_list() == [False]


MORE = """
  orders: {framework: aarrr, stage: revenue, title: Orders, unit: EUR, kind: count,
    of: {event: Order Completed, measure: sum, value: amount}}
  each: {framework: aarrr, stage: revenue, title: Each, unit: EUR, kind: formula, expression: orders / new_people}
  cost: {framework: aarrr, stage: acquisition, title: Cost, unit: EUR, kind: cost_per, per: new_people, limit: 4,
    direction: down}
funnels:"""


def test_a_workspace_publishes_what_is_made_of_metrics(shop: Shop) -> None:
    (shop.root / "product.yml").write_text(PRODUCT.replace("\nfunnels:", MORE))
    calls = []
    # 36 people come in the first week, 45 in the second, 4 in the third.
    for n in range(85):
        minute = ((n >= 36) + (n >= 81)) * 7 * 24 * 60 + n
        calls.append(track("Page Viewed", minute, user=f"u{n}", url="https://shop.example.com/"))
        calls.append(track("Order Completed", minute + 1, user=f"u{n}", amount=2 + n % 3))
    shop.land("a.json", calls)
    shop.workspace.inputs.mkdir(exist_ok=True)
    (shop.workspace.inputs / "spend.csv").write_text(
        "day,channel,amount,currency\n2026-03-02,direct,72,EUR\n2026-03-09,direct,90,\n2026-03-16,direct,8,EUR\n"
    )
    derive_inputs(shop.workspace)
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
    publish(shop.workspace)
    tables = tables_of(shop.workspace.published_db)
    values = tables["metric_values"].filter(segment="all", period="week")
    shown = {
        (m, s): (v, low) for m, s, v, low in values.select("metric", "period_start", "value", "low").rows()
    }
    first, second, third = (MONDAY + timedelta(7 * week) for week in range(3))
    assert shown["each", second][0] == 3.0 and shown["each", second][1] is not None
    assert shown["cost", second][0] == 2.0
    # With the small week another one is hidden, of everything that is made of it.
    for name in ("new_people", "each", "cost"):
        assert shown[name, first] == shown[name, third] == (None, None)
    assert "components" not in tables["metric_values"].columns
    catalogue = tables["metric_catalogue"].filter(metric="cost")
    assert catalogue["limit_value"].to_list() == [4.0]


def test_the_kind_of_a_weighted_survey_is_that_of_everybodys_value() -> None:
    rows = [*channels((60, 30), (60, 40)), weighted(120, 70), cell("a", 50)]
    for order in (rows, rows[::-1]):
        assert _kinds(pl.DataFrame(order, schema=SCHEMA)) == {"w": "weighted", "a": "count"}
