"""Publishing with noise: every cell once, the same value ever after, and no more than the budget allows."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from shop import PLAN, PRODUCT, Shop, track
from test_publish import row

from headway.errors import HeadwayError
from headway.frameworks.values import SCHEMA
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product
from headway_pipelines.audit import audit_workspace
from headway_pipelines.noise import TABLE, check_noise, noise_ledger, spent_of, with_noise
from headway_pipelines.publications import PublicationLedger
from headway_pipelines.publishing.publish import publish, published_tables
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of

MONDAY = date(2026, 3, 2)
HORIZON = datetime(2026, 4, 1)
AT = datetime(2026, 4, 1, 6)


def product(privacy: str = "{epsilon: 1, budget: 80, by_channel: true}", budget: float = 80) -> Product:
    text = PRODUCT.replace("kind: new_people", f"kind: new_people\n    privacy: {privacy}")
    return parse_product(f"{text}\npublishing: {{privacy_budget: {budget}}}", parse_plan(PLAN))


def people(
    *counts: int, period: str = "week", segments: tuple[str, ...] = ("all",), **other: Any
) -> pl.DataFrame:
    """Cells of so many new people in one week or day after the other."""
    step = 7 if period == "week" else 1
    rows = [
        row(segment, period, MONDAY + timedelta(step * at), n, float(n), method="wilson")
        | {"metric": "new_people", "estimate": "count", "denominator": None, "definition_hash": "d"}
        | {"period_end": MONDAY + timedelta(step * at + step - 1)}
        | other
        for segment in segments
        for at, n in enumerate(counts)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


class Publisher:
    def __init__(self, folder: Path) -> None:
        self.ledger = PublicationLedger(folder / "noise")
        self.at = AT

    def publish(self, cells: pl.DataFrame, asked: Product, horizon: datetime = HORIZON) -> pl.DataFrame:
        self.at += timedelta(days=1)
        return with_noise(self.ledger, cells, asked, horizon=horizon, at=self.at)

    def spent(self, month: int = 3) -> float:
        return spent_of(self.ledger.cells(TABLE)).of_all(date(2026, month, 1))


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


# -- the same value ever after -------------------------------------------------------------------------------------


def test_a_rerun_publishes_the_same_noise_and_spends_nothing(publisher: Publisher) -> None:
    """Whoever averages a hundred publications knows what one of them says."""
    cells = people(1_000, 2_000)
    first = publisher.publish(cells, product())
    assert publisher.spent() == 2.0
    again = [publisher.publish(cells, product()) for _ in range(5)]
    assert all(each.equals(first) for each in again)
    assert publisher.spent() == 2.0


def test_late_data_does_not_move_a_value_that_was_told(publisher: Publisher) -> None:
    """A value drawn anew where data changed would tell that it changed: that may be one person's doing."""
    first = publisher.publish(people(1_000), product())
    later = publisher.publish(people(1_400), product())
    assert later["value"].equals(first["value"]) and publisher.spent() == 1.0
    assert later["as_of"].to_list() == first["as_of"].to_list()


def test_a_new_release_draws_and_spends_anew(publisher: Publisher) -> None:
    first = publisher.publish(people(1_000), product())
    asked = product("{epsilon: 1, budget: 80, by_channel: true, release: 2}")
    second = publisher.publish(people(5_000), asked)
    assert abs(second["value"][0] - 5_000) < 60 and publisher.spent() == 2.0
    assert publisher.publish(people(1_000), product())["value"].equals(first["value"])


def test_another_definition_draws_and_spends_anew(publisher: Publisher) -> None:
    publisher.publish(people(1_000), product())
    publisher.publish(people(1_000, definition_hash="e"), product())
    assert publisher.spent() == 2.0


def test_two_places_of_a_metric_tell_the_same(publisher: Publisher) -> None:
    both = pl.concat([people(1_000), people(1_000, framework="heart", stage="adoption")])
    told = publisher.publish(both, product())
    assert told["value"][0] == told["value"][1] and publisher.spent() == 1.0


# -- what is spent ---------------------------------------------------------------------------------------------------


def test_channels_of_a_week_cost_what_one_of_them_costs(publisher: Publisher) -> None:
    """Nobody comes by two channels; everybody is in the cell of all beside."""
    segments = ("all", "channel=direct", "channel=email")
    told = publisher.publish(people(300, segments=segments), product())
    assert told["suppressed"].to_list() == [False] * 3 and publisher.spent() == 2.0


def test_a_week_counts_in_both_months_it_touches(publisher: Publisher) -> None:
    publisher.publish(people(*[300] * 5), product(), HORIZON + timedelta(days=14))
    assert (publisher.spent(), publisher.spent(4)) == (5.0, 1.0)


def test_what_the_budget_does_not_allow_is_hidden_and_says_why(publisher: Publisher) -> None:
    """A metric that was defined anew too often in a month; the budget was enough for one definition."""
    asked = product("{epsilon: 1, budget: 37}", budget=37)
    days = people(*[100] * 30, period="day")
    for definition in ("a", "b"):
        told = publisher.publish(days.with_columns(definition_hash=pl.lit(definition)), asked)
    # Its last days wait for late data: 27 days of the first definition, 10 of the second.
    assert told["suppressed"].sum() == 20 and publisher.spent() == 37.0
    waits = "published once, with noise, when it is complete and late data is in"
    assert (
        told["reason"].to_list()
        == [None] * 10 + ["the privacy budget of 2026-03 is spent"] * 17 + [waits] * 3
    )
    assert told["value"].null_count() == 20
    publisher.publish(days.with_columns(definition_hash=pl.lit("b")), asked)
    assert publisher.spent() == 37.0


def test_all_metrics_share_the_budget_of_the_product(publisher: Publisher) -> None:
    """What a metric spent that is gone by now counts on."""
    gone = people(500).with_columns(metric=pl.lit("gone"))
    known = product("{epsilon: 1, budget: 70}")
    before = known.model_copy(update={"metrics": {"gone": known.metrics["new_people"]}})
    publisher.publish(gone, before)
    tight = known.model_copy(
        update={"publishing": known.publishing.model_copy(update={"privacy_budget": 1.5})}
    )
    told = publisher.publish(people(500), tight)
    assert told["reason"].to_list() == ["the privacy budget of 2026-03 is spent"]


# -- what is shown ---------------------------------------------------------------------------------------------------


def test_a_cell_is_published_when_it_is_complete_and_late_data_is_in(publisher: Publisher) -> None:
    cells = people(300, 300)
    told = publisher.publish(cells, product(), datetime(2026, 3, 12))
    assert told["suppressed"].to_list() == [False, True]
    assert told["reason"][1] == "published once, with noise, when it is complete and late data is in"
    unfinished = publisher.publish(
        people(300, complete=False), product("{epsilon: 1, budget: 80, release: 2}")
    )
    assert unfinished["suppressed"].all()


def test_few_people_are_hidden_as_far_as_the_noise_tells(publisher: Publisher) -> None:
    told = publisher.publish(people(300, 0), product("{epsilon: 2, budget: 80}", budget=80))
    assert told["suppressed"].to_list() == [False, True]
    assert told["reason"].to_list() == [None, "fewer than 10 people, or too few beside the noise"]
    shown = told.row(0, named=True)
    assert (shown["noise"], shown["epsilon"], shown["noise_margin"]) == ("discrete laplace", 2.0, 1.0)
    assert told.row(1, named=True)["noise"] is None


def test_segments_whose_labels_come_from_the_data_are_not_told(publisher: Publisher) -> None:
    segments = ("all", "channel=email", "plan=pro")
    told = publisher.publish(people(300, segments=segments), product("{epsilon: 1, budget: 70}"))
    assert told["suppressed"].to_list() == [False, True, True]
    assert told["reason"][2] == "published with noise for everybody only"


def test_a_part_of_a_whole_that_is_told_exactly_is_refused() -> None:
    head = "{framework: heart, stage: engagement, title: T, unit: people"
    part = "  {name}: {head}, kind: lifecycle, of: Page Viewed, part: {name}}}\n"
    pair = "".join(part.format(name=name, head=head) for name in ("new", "returning"))
    asked = "kind: count, of: {event: Page Viewed, measure: people}, privacy: {epsilon: 1, budget: 37}"
    text = PRODUCT.replace("metrics:\n", f"metrics:\n{pair}  viewing: {head}, {asked}}}\n")
    made = parse_product(f"{text}\npublishing: {{privacy_budget: 37}}", parse_plan(PLAN))
    with pytest.raises(HeadwayError, match="viewing has privacy, and new, a part of the same whole"):
        check_noise(made)


# -- the whole way ---------------------------------------------------------------------------------------------------


def test_the_published_file_has_noise_and_the_team_s_has_none(shop: Shop) -> None:
    """40 people on one day; with epsilon 10 noise is small, and the ledger is what makes a second file the same."""
    text = PRODUCT.replace(
        "kind: new_people", "kind: new_people\n    privacy: {epsilon: 10, budget: 400, after: 0s}"
    )
    shop.workspace.product_file.write_text(f"{text}\npublishing: {{privacy_budget: 400}}\n")
    shop.land("a.jsonl", [track("Page Viewed", n, user=f"user-{n:04}", title="t") for n in range(40)])
    shop.land("b.jsonl", [track("Page Viewed", 20 * 24 * 60, user="user-0001", title="t")])
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
    publish(shop.workspace)
    told = published_tables(shop.workspace.published_db)["metric_values"]
    mine = told.filter(metric="new_people", segment="all", period="day")
    computed = tables_of(shop.workspace.metrics_db)["metric_values"]
    assert computed.filter(metric="new_people", segment="all", period="day")["value"][0] == 40
    assert abs(mine["value"][0] - 40) <= 5 and mine["noise"][0] == "discrete laplace"
    assert told.filter(pl.col("metric") != "new_people")["noise"].count() == 0
    assert told["metric"].equals(computed["metric"])
    noted = PublicationLedger(shop.workspace.publications).cells("metric_values")
    assert set(noted["metric"]) == {"buying"}
    publish(shop.workspace)
    again = published_tables(shop.workspace.published_db)["metric_values"]
    assert again.filter(metric="new_people").equals(told.filter(metric="new_people"))
    (said, all_of_them) = audit_workspace(shop.workspace).noise
    assert (said["metric"], said["budget_of_a_month"]) == ("new_people", 400.0)
    assert said["spent_ever"] == all_of_them["spent_ever"] > 0
    shutil.rmtree(shop.workspace.noise)
    with pytest.raises(HeadwayError, match="drawing them again would let the noise be averaged away"):
        noise_ledger(shop.workspace)
