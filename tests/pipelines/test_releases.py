"""Releases from their log to what is published: what may be told, what is planted, and what earns no credit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from planted import Computed
from shop import PLAN, PRODUCT, Shop, track
from statsmodels.stats import proportion

from headway.engine import connect
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway.releases.adopters import ADOPTION
from headway_pipelines.inputs import derive_inputs
from headway_pipelines.publishing.publish import publish
from headway_pipelines.report.pages import render
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.warehouse.release_impact import (
    hide_few_adopters,
    last_whole_day,
    published_releases,
    randomised,
)
from headway_pipelines.workspace import Workspace

RELEASES = """releases:
  features: {gifts: {title: Gifts, used: {event: Order Completed, where: gift = true}, eligible: Page Viewed}}
  events: {orders: {title: Orders, event: Order Completed, metrics: [buying]}}
"""
TABLES = {"releases", "release_impact", "feature_adoption", "delivery", "release_problems"}


def _run(shop: Shop) -> dict[str, pl.DataFrame]:
    shop.load()
    derive_inputs(shop.workspace)
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
    publish(shop.workspace)
    return tables_of(shop.workspace.published_db)


def _told(shop: Shop, releases: str, incidents: str = "") -> None:
    shop.workspace.inputs.mkdir(exist_ok=True)
    (shop.workspace.inputs / "releases.csv").write_text(releases)
    if incidents:
        (shop.workspace.inputs / "incidents.csv").write_text(incidents)


@pytest.fixture
def told(tmp_path: Any) -> Shop:
    """A shop whose log begins on 2 March 2026; 12 people order on the third day, all of them gifts but one."""
    shop = Shop(tmp_path / "told", plan=PLAN, product=PRODUCT + RELEASES)
    day = 24 * 60
    calls = [track("Page Viewed", day * n + user, user=f"u{user}") for n in range(6) for user in range(40)]
    calls += [track("Order Completed", 2 * day + n, user=f"u{n}", gift=n > 0) for n in range(12)]
    shop.land("a.json", calls)
    return shop


def test_without_releases_nothing_is_shown(shop: Shop) -> None:
    shop.land("a.json", [track("Page Viewed", n, user=f"u{n}") for n in range(3)])
    tables = _run(shop)
    assert not TABLES & set(tables)
    assert "releases.html" not in render(tables)


def test_what_is_told_is_published_documented_and_has_a_page(told: Shop) -> None:
    _told(
        told,
        "release,released_at,name,kind,changes,feature,metrics,rolls_back\n"
        "v1,2026-03-03,Gifts <b>,release,4,gifts,buying,\n"
        "v2,2026-03-05,,deploy,2,,,\n"
        "b,2026-03-06,,rollback,,,,v9\n",
        "incident,started_at,restored_at\ni1,2026-03-05T10:00,2026-03-05T12:00\n",
    )
    tables = _run(told)
    assert set(tables) >= TABLES
    rows = tables["releases"].select("release", "title", "kind", "source", "released_on", "assessed").rows()
    assert rows == [
        ("v1", "Gifts <b>", "release", "file", date(2026, 3, 3), True),
        # The instant of the first order would be somebody's: only its day is told.
        ("orders", "Orders", "release", "events", date(2026, 3, 4), True),
        ("v2", "v2", "deploy", "file", date(2026, 3, 5), False),
    ]
    assert tables["releases"].filter(release="orders")["released_at"][0] == datetime(2026, 3, 3, 23)
    assert tables["release_problems"]["problem"].to_list() == [
        "the rollback b takes back v9, which the log does not hold"
    ]
    assert tables["release_impact"]["verdict"].unique().to_list() == ["no estimate"]
    row = tables["feature_adoption"].row(0, named=True)
    assert (row["eligible"], row["tried"], row["ripe"], row["suppressed"]) == (40, 11, 0, False)
    assert row["reason"] == "nobody has used it for long enough to tell who keeps it"
    page = render(tables)["releases.html"]
    assert "Gifts &lt;b&gt;" in page and "cannot be told" in page
    assert "takes back v9, which the log does not hold" in page
    con = connect(told.workspace.published_db, read_only=True)
    try:
        silent = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        ).fetchall()
        assert silent == []
        # Names that need no quotes: people ask these tables by hand.
        for name in sorted(TABLES):
            columns = ", ".join(tables[name].columns)
            con.execute(f"SELECT {columns} FROM {name}")
    finally:
        con.close()


def test_an_event_that_few_people_did_tells_of_no_release(told: Shop) -> None:
    product = told.workspace.product_file
    product.write_text(
        product.read_text().replace("event: Order Completed, metrics", "event: Signed Up, metrics")
    )
    told.land("b.json", [track("Signed Up", n, user=f"u{n}") for n in range(9)])
    assert not TABLES & set(_run(told))


def _adoption(*counts: tuple[int, int, int, int]) -> pl.DataFrame:
    names = ("eligible", "tried", "ripe", "kept")
    rows = [
        {
            **dict.fromkeys(ADOPTION),
            "feature": "f",
            "suppressed": False,
            **dict(zip(names, each, strict=True)),
        }
        for each in counts
    ]
    return pl.DataFrame(rows, schema=ADOPTION)


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([(100, 60, 40, 20)], [False]),
        ([(100, 60, 40, 9)], [True]),
        ([(100, 60, 40, 0)], [False]),
        ([(100, 95, 40, 20)], [True]),
        ([(100, 60, 40, 20), (105, 60, 40, 20)], [False, True]),
        ([(100, 60, 40, 20), (120, 80, 60, 30)], [False, False]),
    ],
)
def test_adoption_tells_of_nobody_alone_or_by_subtraction(
    counts: list[tuple[int, int, int, int]], hidden: list[bool]
) -> None:
    shown = hide_few_adopters(_adoption(*counts), 10)
    assert shown["suppressed"].to_list() == hidden
    gone = shown.filter("suppressed").select("eligible", "tried", "ripe", "kept")
    assert all(value is None for row in gone.rows() for value in row)


def test_the_last_whole_day_is_over_where_the_product_is() -> None:
    assert last_whole_day(datetime(2026, 3, 10, 23), "Europe/Berlin") == date(2026, 3, 10)
    assert last_whole_day(datetime(2026, 3, 10, 22, 59), "Europe/Berlin") == date(2026, 3, 9)


def _experiment(truth: dict[str, Any], **cells: Any) -> dict[str, pl.DataFrame]:
    """What an experiment on the editor says, from the planted counts and by statsmodels."""
    arms = truth["experiment"]["arms"]
    (n0, y0), (n1, y1) = ((arms[v]["window_elapsed"], arms[v]["published"]) for v in ("control", "treatment"))
    low, high = proportion.confint_proportions_2indep(y1, n1, y0, n0, method="wald")
    p_value = float(proportion.test_proportions_2indep(y1, n1, y0, n0, method="wald").pvalue)
    row = {
        "experiment": "video_editor", "metric": "published", "purpose": "primary", "unit": "percent", "direction": "up",
        "effect": y1 / n1 - y0 / n0, "low": float(low), "high": float(high), "p_value": p_value,
        "variant": "treatment", "units": n1, **cells,
    }  # fmt: skip
    control = {
        **row,
        "variant": "control",
        "units": n0,
        "effect": None,
        "low": None,
        "high": None,
        "p_value": None,
    }
    health = {
        "experiment": "video_editor",
        "check": "split all",
        "label": None,
        "p_value": 0.4,
        "verdict": "as planned",
    }
    return {"experiment_results": pl.DataFrame([control, row]), "experiment_health": pl.DataFrame([health])}


def _published(world: Computed, experiments: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    workspace = Workspace.at(world.root)
    shown = {**tables_of(workspace.published_db), **experiments}
    values = world.tables["metric_values"].filter(segment="all")
    kinds = dict(values.select("metric", "estimate").unique().iter_rows())
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    return published_releases(
        world.tables, shown, product, kinds, holidays=(), first_day=date(2026, 8, 31), min_people=10
    )


def test_the_editors_planted_effect_is_found_and_earns_credit(exact: Computed) -> None:
    impact = _published(exact, _experiment(exact.truth))["release_impact"]
    found = impact.filter(release="video_editor", metric="published").row(0, named=True)
    planted = exact.truth["releases"]["video_editor"]["publishing"]
    assert (found["rung"], found["grade"]) == ("randomised", "A")
    assert found["low"] < planted < found["high"]
    assert found["effect"] > 0
    assert found["credited"] == (found["p_value"] < 0.05)
    assert impact.filter("credited")["release"].unique().to_list() in (["video_editor"], [])


def test_planted_nulls_earn_no_credit_and_are_not_taken_for_more_than_they_are(exact: Computed) -> None:
    impact = _published(exact, {})["release_impact"]
    for release, effects in exact.truth["releases"].items():
        if set(effects.values()) != {0.0}:
            continue
        own = impact.filter(release=release)
        assert not own["credited"].any(), release
        intended = own.filter("intended", "strongest")
        assert set(intended["verdict"]) <= {"no measurable change"}
        for low, high in intended.select("low", "high").rows():
            assert low < 0 < high
    steps = impact.filter(pl.col("effect").is_not_null(), release="recommendations", rung="staggered")
    # By every metric that could be compared: of 20 intervals one may miss.
    holds = steps.filter(pl.col("low") < 0, pl.col("high") > 0)
    assert steps.height > 5
    assert holds.height >= 0.8 * steps.height


def test_what_was_shipped_is_measured_and_what_broke_is_named(exact: Computed) -> None:
    tables = _published(exact, {})
    releases = tables["releases"]
    release = datetime(1970, 1, 1) + timedelta(milliseconds=exact.truth["range"]["release_ms"])
    assert releases.filter(release="video_editor")["released_at"].to_list() == [release]
    assert releases.filter(release="checkout")["rolled_back_on"].to_list() == [date(2026, 9, 10)]
    delivery = tables["delivery"].filter(pl.col("month").is_null())
    values = dict(delivery.select("measure", "value").iter_rows())
    assert values["change_failure_rate"] == 1 / 16
    # 45 and 24 minutes; 22.5 and 2 hours.
    assert (values["time_to_detect"], values["time_to_restore"]) == (24.0, 2.0)
    assert values["cadence"] < 14


def test_an_uneven_split_or_few_units_say_nothing(exact: Computed) -> None:
    rows = exact.tables["release_log"]
    told = _experiment(exact.truth)
    told["experiment_health"] = told["experiment_health"].with_columns(p_value=pl.lit(1e-6))
    (result,) = randomised(rows, told)
    assert result.refused == "the arms are not of the planned sizes (p = 1e-06)"
    several = pl.concat(
        [told["experiment_results"], told["experiment_results"].with_columns(variant=pl.lit("other"))]
    )
    assert list(randomised(rows, {"experiment_results": several})) == []
    assert list(randomised(rows, {})) == []
