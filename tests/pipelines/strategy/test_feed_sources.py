"""What the feed reads of people: small cells of early behaviours are hidden, and stay hidden over publications."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from headway.models.plan import parse_plan
from headway.models.product import parse_product
from headway_pipelines.publications import PublicationLedger, hold_back
from headway_pipelines.publishing.suppression import suppress
from headway_pipelines.strategy.feed_sources import feed_sources, steps_of

PLAN = """\
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events: {Visit: {}, Sign: {}, Pay: {properties: {amount: {class: number, min: 0}}}}
"""
PRODUCT = """\
name: Shop
timezone: UTC
currency: EUR
activity: Pay
metrics:
  signing: &step {framework: aarrr, stage: acquisition, title: S, unit: percent, kind: conversion, start: Visit,
    reach: Sign, within: 7d}
  paying: {<<: *step, start: Sign, reach: Pay}
  paying_after_a_visit: {<<: *step, start: Sign, through: [Visit], reach: Pay}
  paying_much: {<<: *step, start: Sign, reach: {event: Pay, where: "amount > 10"}}
  visiting: {framework: aarrr, stage: retention, title: V, unit: people, kind: count, of: Visit}
funnels:
  all: {title: All, steps: [Visit, Sign, Pay], within: 30d}
  short: {title: Short, steps: [Sign, Pay], within: 7d}
"""


def cells(*rows: tuple[str, int, int, int, int]) -> pl.DataFrame:
    names = ["behaviour", "people", "kept", "did", "did_kept"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(
        retention=pl.lit("back"), title=pl.lit("Back"), period_unit=pl.lit("week")
    )


@pytest.mark.parametrize(
    ("row", "hidden"),
    [
        ((200, 80, 100, 60), False),
        ((200, 80, 100, 9), True),  # did it and came back
        ((200, 80, 100, 91), True),  # did it and stayed away
        ((200, 69, 100, 60), True),  # came back without it
        ((200, 155, 100, 60), True),  # neither
        ((100, 60, 100, 60), False),  # everybody did it: nobody is left over
        ((200, 80, 100, 0), False),  # all alike
    ],
)  # fmt: skip
def test_a_row_is_hidden_where_one_of_its_four_cells_is_small(
    row: tuple[int, int, int, int], hidden: bool
) -> None:
    (found,) = suppress("activation_correlates", cells(("Save", *row)), 10).to_dicts()
    assert found["suppressed"] is hidden
    assert (found["did_kept"] is None) is hidden and (found["people"] is None) is hidden


def test_a_row_stays_as_it_was_until_enough_people_changed_it(tmp_path: Path) -> None:
    ledger, last = PublicationLedger(tmp_path / "publications"), 0

    def published(row: tuple[int, int, int, int]) -> tuple[int, bool]:
        nonlocal last
        last += 1
        computed = {"activation_correlates": cells(("Save", *row))}
        shown = {name: suppress(name, frame, 10) for name, frame in computed.items()}
        at = dt.datetime(2026, 3, last)
        publication = hold_back(ledger, shown, computed, min_people=10, at=at)
        ledger.append(at, publication.released)
        (found,) = publication.tables["activation_correlates"].to_dicts()
        return found["did_kept"], found["held_since"] is not None

    assert published((200, 80, 100, 60)) == (60, False)
    assert published((203, 83, 103, 63)) == (60, True)  # three came late
    assert published((230, 95, 115, 75)) == (75, False)


def test_a_conversion_is_the_step_of_the_first_funnel_that_has_it() -> None:
    product = parse_product(PRODUCT, parse_plan(PLAN))
    assert steps_of(product) == {"signing": ("all", 2), "paying": ("all", 3)}


def test_without_retention_questions_only_steps_are_told() -> None:
    product = parse_product(PRODUCT, parse_plan(PLAN))
    catalogue = pl.DataFrame({"metric": ["visiting"], "kind": ["count"], "direction": ["up"]})
    shown = {"metric_values": pl.DataFrame({"metric": ["visiting"]}), "metric_catalogue": catalogue}
    tables = feed_sources(shown, product)
    assert set(tables) == {"step_changes"} and tables["step_changes"].is_empty()
