"""Publishing: suppressed cells into the shareable file, pseudonymous views into the team's file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from headway.engine import connect
from headway.engine.sql import load
from headway.macros import add_macros
from headway.models.metrics import Cumulative
from headway.models.plan import load_plan
from headway.models.privacy_checks import private_metrics
from headway.models.product import Product, load_product
from headway.moved import moved_tables
from headway.periods import local_day, utc_us
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import lake_query
from headway_pipelines.noise import NOISE, noise_ledger, with_noise
from headway_pipelines.people.derive import TABLES
from headway_pipelines.people.properties import described_subjects, latest_query
from headway_pipelines.publications import (
    PublicationLedger,
    hold_back,
    hold_counts,
    hold_experiments,
    hold_impact,
)
from headway_pipelines.publishing.cell_size import MIN_PEOPLE
from headway_pipelines.publishing.families import families
from headway_pipelines.publishing.suppression import hide_few, hide_few_values, suppress
from headway_pipelines.publishing.views import views, with_view_names
from headway_pipelines.store import store_version
from headway_pipelines.strategy.feed_sources import feed_sources
from headway_pipelines.strategy.tables import strategy_tables
from headway_pipelines.warehouse.closed_work import CLOSED_WORK
from headway_pipelines.warehouse.compute import attach_people, attach_sessions
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.warehouse.experiments import shown_experiments
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.warehouse.release_impact import hide_few_adopters, published_releases
from headway_pipelines.warehouse.running_totals import running_totals
from headway_pipelines.workspace import Workspace

_PEOPLE = "headway_pipelines.people"
# What was spent moves nothing but costs, which are no secret; releases, incidents and tickets move no value.
_NO_BASIS = ("spend", "releases", "incidents", "work")
_SUPPRESSED = (
    "metric_values",
    "funnel_steps",
    "retention_cells",
    "activation_correlates",
    "active_people",
    "left_out",
)
_COUNTED = {"line_outcomes": "lines", "dropped_values": "n_values", "metric_exclusions": "n_events"}
_PLAIN = (
    "metric_catalogue",
    "metric_exclusions",
    "line_outcomes",
    "dropped_values",
    "side_inputs",
    "run_info",
)


def publish(workspace: Workspace) -> dict[str, int]:
    """Replaces the published database by the cells that may be shown.

    Args:
        workspace: The workspace.

    Returns:
        Table name -> number of suppressed cells.
    """
    tables = tables_of(workspace.metrics_db)
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    private = list(private_metrics(product))
    first_day = _first_day(tables["run_info"])
    ledger, at = PublicationLedger(workspace.publications), tables["run_info"]["as_of"][0]
    shown, noted = _cells(workspace, ledger, tables, product)
    hidden = {name: int(frame["suppressed"].sum()) for name, frame in shown.items() if name in _SUPPRESSED}
    # From what is shown alone: nothing hidden may move them.
    exact = shown["metric_values"].filter(pl.col("noise").is_null() & ~pl.col("metric").is_in(private))
    shown |= moved_tables(exact, _kinds(tables["metric_values"]), first_day=first_day)
    k = product.publishing.min_people
    # Before releases: what an experiment says of one is the strongest evidence.
    judged, more = hold_experiments(ledger, shown_experiments(tables, k), k, at)
    noted |= more
    hidden |= {
        name: int(each["suppressed"].sum()) for name, each in judged.items() if "suppressed" in each.columns
    }
    shown |= judged
    shown |= published_releases(
        tables,
        shown,
        product,
        _kinds(tables["metric_values"]),
        holidays=_holidays(workspace),
        first_day=first_day,
        min_people=k,
    )
    if "release_impact" in shown:
        estimates = tables["release_estimates"]
        shown["release_impact"], more = hold_impact(ledger, shown["release_impact"], estimates, k, at)
        noted |= more
    shown |= {name: tables[name] for name in (*_PLAIN, CLOSED_WORK) if name in tables}
    # How many events a metric left out is exact.
    left = shown["metric_exclusions"]
    shown["metric_exclusions"] = left.filter(~pl.col("metric").is_in(private))
    for name, column in _COUNTED.items():
        exact_counts = shown[name]
        few_hidden = hide_few_values(exact_counts, column, k)
        shown[name], more = hold_counts(ledger, name, few_hidden, exact_counts, k, at)
        noted |= more
    held = shown.pop("people_counts")
    shown["run_info"] = hide_few(shown["run_info"], k).with_columns(
        *held.select("people", "actors", "devices_joined", "held_since").get_columns(),
        min_people=pl.lit(k),
        fewer_than_five=pl.lit(product.publishing.fewer_than_five, dtype=pl.String),
    )
    shown["metric_catalogue"] = with_view_names(shown["metric_catalogue"])
    shown |= feed_sources(shown, product)
    shown |= strategy_tables(workspace, shown)
    found = views(shown["metric_catalogue"])
    ledger.append(at, noted)
    replace_database(
        workspace.published_db,
        shown,
        views={name: view.query for name, view in found.items()},
        view_comments={name: view.comment for name, view in found.items()},
        comments=True,
        mode=0o644,
    )
    # A file others may read, in a folder they may enter.
    workspace.published_db.parent.chmod(0o755)
    return hidden


def _cells(
    workspace: Workspace, ledger: PublicationLedger, tables: Mapping[str, pl.DataFrame], product: Product
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """Hides small cells, and what the publications before would help to work out; returns what must be noted, too."""
    k = product.publishing.min_people
    hide = partial(
        suppress,
        min_people=k,
        together=families(product),
        totals=running_totals(product),
        first_day=_first_day(tables["run_info"]),
    )
    is_noisy = pl.col("metric").is_in(list(private_metrics(product)))
    noisy, info = tables["metric_values"].with_row_index("n").filter(is_noisy), tables["run_info"]
    exact = tables["metric_values"].filter(~is_noisy)
    tables = {**tables, "metric_values": exact}
    shown = {name: hide(name, tables[name]) for name in _SUPPRESSED if name in tables}
    counted = ("product", "people", "actors", "devices_joined")
    tables = {**tables, "people_counts": tables["run_info"].select(counted)}
    if "feature_adoption" in tables:
        shown["feature_adoption"] = hide_few_adopters(tables["feature_adoption"], k)
    few = hide_few(tables["people_counts"], k)
    shown["people_counts"] = few.with_columns(suppressed=pl.lit(False))
    publication = hold_back(
        ledger,
        shown,
        tables,
        hide=hide,
        min_people=k,
        together=families(product),
        basis=_basis(workspace),
        at=info["as_of"][0],
    )
    # Last, so that nothing is spent where something else went wrong.
    return _with_noise(workspace, publication.tables, noisy, product, info), publication.released


def _with_noise(
    workspace: Workspace,
    tables: dict[str, pl.DataFrame],
    noisy: pl.DataFrame,
    product: Product,
    info: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Puts the metrics whose values are noisy back among the others."""
    values = tables["metric_values"].with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in NOISE.items()
    )
    if noisy.height:
        horizon, at = info.select("horizon", "as_of").row(0)
        ledger = noise_ledger(workspace)
        more = with_noise(ledger, noisy.drop("n"), product, horizon=horizon, at=at)
        more = more.with_columns(held_since=pl.lit(None, dtype=pl.Datetime("us")))
        taken = set(noisy["n"])
        free = [n for n in range(values.height + noisy.height) if n not in taken]
        at_n = pl.Series("n", free, dtype=pl.UInt32)
        both = [values.with_columns(at_n), more.select(values.columns).with_columns(noisy["n"])]
        values = pl.concat(both).sort("n").drop("n")
    return {**tables, "metric_values": values}


def _basis(workspace: Workspace) -> str:
    """Summarises the side inputs that values hang on; costs and releases move no value of people."""
    digest = hashlib.sha256()
    for path in sorted(workspace.inputs.glob("*.csv")):
        if path.stem not in _NO_BASIS:
            digest.update(path.name.encode("utf-8", "surrogateescape") + path.read_bytes())
    return digest.hexdigest()[:16]


def _kinds(values: pl.DataFrame) -> dict[str, str]:
    """Says how each metric's sums become everybody's values, which its definition settles."""
    # Channels of a weighted survey are as they are: another kind than everybody's value.
    everybody = values.filter(pl.col("segment") == "all")
    return dict(everybody.select("metric", "estimate").unique().iter_rows())


def _holidays(workspace: Workspace) -> list[date]:
    path = workspace.derived_inputs / "holidays.parquet"
    return pl.read_parquet(path)["day"].to_list() if path.exists() else []


def _first_day(info: pl.DataFrame) -> date | None:
    first, timezone = info.select("first_event_at", "timezone").row(0)
    return None if first is None else local_day(utc_us(first), timezone)


def months_never_shown(product: Product) -> tuple[str, ...]:
    """Lists the metrics whose months are hidden whatever they hold: those with weeks and no days.

    A month and the weeks around it tell the part of a week that lies in the month, and without days nobody can judge
    how many people that part speaks of.

    Args:
        product: The product.

    Returns:
        Names of metrics.

    Examples:
        >>> from headway.models.product import Product
        >>> metric = {"framework": "heart", "stage": "engagement", "title": "T", "unit": "events", "kind": "count",
        ...           "of": "A"}
        >>> grains = {"a": ["week", "month"], "b": ["day", "week", "month"], "c": ["month"]}
        >>> months_never_shown(Product.model_validate({
        ...     "name": "P", "timezone": "UTC", "currency": "EUR", "activity": "A",
        ...     "metrics": {name: {**metric, "grains": each} for name, each in grains.items()},
        ... }))
        ('a',)
    """
    return tuple(
        name
        for name in product.metrics
        if {"week", "month"} <= set(product.grains_of(name))
        and "day" not in product.grains_of(name)
        and not isinstance(product.metrics[name], Cumulative)
    )


def publish_explore(workspace: Workspace, ledger: Ledger) -> None:
    """Replaces the team's database: pseudonymous events, people, their properties, and unsuppressed metric values.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
    """
    con = connect()
    try:
        attach_people(con, workspace, ledger)
        attach_sessions(con, workspace)
        described = described_subjects(load_plan(workspace.plan_file))
        names = [*TABLES, *(f"{subject}_properties" for subject in described)]
        tables = {name: con.table(name).pl() for name in names} | {"sessions": con.view("sessions").pl()}
    finally:
        con.close()
    computed = tables_of(workspace.metrics_db)
    info = computed["run_info"]
    lake = lake_query(workspace, ledger)
    ((timezone, week_start),) = info.select("timezone", "week_start").rows()
    replace_database(
        workspace.explore_db,
        {
            **tables,
            "horizon": info.select("horizon"),
            "person_store": pl.DataFrame({"version": [store_version(workspace, ledger)]}),
            "product": info.select(pl.col("product").alias("name"), "timezone", "week_start", "currency"),
            **computed,
        },
        views={
            **{
                name: f"WITH lake AS ({lake}) {load(_PEOPLE, f'{name}.sql')}"
                for name in ("events", "all_events")
            },
            **{f"{subject}_latest": latest_query(subject) for subject in described},
        },
        finish=partial(add_macros, timezone=timezone, week_start=week_start),
        comments=True,
    )


def published_tables(path: Path) -> dict[str, pl.DataFrame]:
    """Reads the published database, the only input of the report.

    Args:
        path: The published file.

    Returns:
        Table name -> rows.
    """
    return tables_of(path)


__all__ = [
    "MIN_PEOPLE",
    "hide_few",
    "hide_few_values",
    "months_never_shown",
    "publish",
    "publish_explore",
    "published_tables",
    "suppress",
]
