"""Publishing: suppressed cells into the shareable file, pseudonymous views into the team's file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import bind, load, with_inputs
from headway.macros import add_macros
from headway.models.metrics import Cumulative
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway.moved import moved_tables
from headway.periods import local_day, utc_us
from headway_pipelines.compute import attach_people, attach_sessions, tables_of
from headway_pipelines.databases import replace_database
from headway_pipelines.experiments import shown_experiments
from headway_pipelines.families import SCHEMA as FAMILIES
from headway_pipelines.families import families
from headway_pipelines.lake import lake_query
from headway_pipelines.ledger import Ledger
from headway_pipelines.people import TABLES
from headway_pipelines.properties import described_subjects, latest_query
from headway_pipelines.published_views import views, with_view_names
from headway_pipelines.running_totals import RunningTotal, hidden_totals, running_totals
from headway_pipelines.store import store_version
from headway_pipelines.workspace import Workspace

MIN_PEOPLE = 10
"""No published cell speaks of fewer people (CMS cell size policy: 1 to 10 may be neither shown nor derivable)."""

_HERE = "headway_pipelines"
_COUNTS = ("people", "actors", "devices_joined", "shared_devices", "oversized_people", "not_one_to_one")
_SUPPRESSED = ("metric_values", "funnel_steps", "retention_cells", "active_people", "left_out")
# Steps of a table's suppression, each a query on top of those before it.
_STEPS = {
    "metric_values": {
        "judged": "judged",
        "hidden_short": "short_periods",
        "hidden_long": "long_periods",
        "hidden_alike": "alike",
    }
}
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
    first_day = _first_day(tables["run_info"])
    hide = partial(suppress, together=families(product), totals=running_totals(product), first_day=first_day)
    shown = {name: hide(name, tables[name]) for name in _SUPPRESSED if name in tables}
    hidden = {name: int(frame["suppressed"].sum()) for name, frame in shown.items()}
    # From what is shown alone: nothing hidden may move them.
    shown |= moved_tables(shown["metric_values"], _kinds(tables["metric_values"]), first_day=first_day)
    shown |= {name: tables[name] for name in _PLAIN}
    judged = shown_experiments(tables, MIN_PEOPLE)
    hidden |= {
        name: int(each["suppressed"].sum()) for name, each in judged.items() if "suppressed" in each.columns
    }
    shown |= judged
    for name, column in _COUNTED.items():
        shown[name] = hide_few_values(shown[name], column)
    shown["run_info"] = hide_few(shown["run_info"]).with_columns(min_people=pl.lit(MIN_PEOPLE))
    shown["metric_catalogue"] = with_view_names(shown["metric_catalogue"])
    found = views(shown["metric_catalogue"])
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


def _kinds(values: pl.DataFrame) -> dict[str, str]:
    """Says how each metric's sums become everybody's values, which its definition settles."""
    # Channels of a weighted survey are as they are: another kind than everybody's value.
    everybody = values.filter(pl.col("segment") == "all")
    return dict(everybody.select("metric", "estimate").unique().iter_rows())


def _first_day(info: pl.DataFrame) -> date | None:
    first, timezone = info.select("first_event_at", "timezone").row(0)
    return None if first is None else local_day(utc_us(first), timezone)


def suppress(
    name: str,
    frame: pl.DataFrame,
    min_people: int = MIN_PEOPLE,
    *,
    together: pl.DataFrame | None = None,
    totals: Mapping[str, RunningTotal] | None = None,
    first_day: date | None = None,
) -> pl.DataFrame:
    """Hides cells that speak of few people, and cells from which those could be worked out.

    Args:
        name: Table: ``metric_values``, ``funnel_steps``, ``retention_cells``, ``active_people`` or
            ``left_out``.
        frame: Its rows.
        min_people: Smallest number of people a cell may speak of.
        together: Which metrics are parts of one whole, see `headway_pipelines.families.families`; None: none are.
        totals: The running totals, see `headway_pipelines.running_totals`; others are hidden.
        first_day: First local day of the log.

    Returns:
        The rows in the same order, hidden cells null and marked in the column `suppressed`.
    """
    con = connect()
    try:
        with guarded(f"suppress small cells of {name}"):
            con.register("cells", frame.with_row_index("n").to_arrow())
            parts = pl.DataFrame(schema=FAMILIES) if together is None else together
            con.register("families", parts.to_arrow())
            steps = {
                step: _bound(f"suppress_{file}", min_people) for step, file in _STEPS.get(name, {}).items()
            }
            if name == "metric_values":
                # Only beside what else is hidden can be said what a running total would tell.
                others = con.sql(with_inputs(load(_HERE, "suppress_others.sql"), steps)).pl()
                running = hidden_totals(frame, others, totals or {}, min_people, first_day)
                con.register("hidden_running", running.to_arrow())
            text = with_inputs(_bound(f"suppress_{name}", min_people), steps)
            hidden: pl.DataFrame = con.sql(text).pl()
            return hidden
    finally:
        con.close()


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


def _bound(name: str, min_people: int) -> str:
    text = load(_HERE, f"{name}.sql")
    return bind(text, {"k": min_people}) if "$k" in text else text


def hide_few_values(frame: pl.DataFrame, column: str, min_values: int = MIN_PEOPLE) -> pl.DataFrame:
    """Hides how often something happened where it was seldom: a few orders with an e-mail are a few people's orders.

    Args:
        frame: The table ``line_outcomes`` or ``dropped_values``.
        column: Its numbers.
        min_values: Smallest number that is shown.

    Returns:
        The rows, small numbers null.

    Examples:
        >>> hide_few_values(pl.DataFrame({"n_values": [3, 12, 0]}), "n_values")["n_values"].to_list()
        [None, 12, 0]
    """
    return frame.with_columns(
        pl.when(~pl.col(column).is_between(1, min_values - 1)).then(column).alias(column)
    )


def hide_few(info: pl.DataFrame, min_people: int = MIN_PEOPLE) -> pl.DataFrame:
    """Hides what the account of a run says of few people.

    Actors are people and the devices that were joined, so where one of two differences is small both go.

    Args:
        info: The row of ``run_info``.
        min_people: Smallest number of people or devices a cell may speak of.

    Returns:
        The row, hidden cells null.

    Examples:
        >>> info = pl.DataFrame({"people": [40], "actors": [43], "devices_joined": [3], "shared_devices": [0]})
        >>> hide_few(info).row(0)
        (40, None, None, 0)
    """
    counts = [name for name in _COUNTS if name in info.columns]
    few = {name: pl.col(name).is_between(1, min_people - 1) for name in counts}
    apart = (pl.col("actors") - pl.col("people")).abs().is_between(1, min_people - 1)
    for name in ("actors", "devices_joined"):
        few[name] = few["actors"] | few["devices_joined"] | apart
    hidden = [pl.when(~is_few).then(pl.col(name)).alias(name) for name, is_few in few.items()]
    return info.with_columns(hidden)


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
                name: f"WITH lake AS ({lake}) {load(_HERE, f'{name}.sql')}"
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


__all__ = ["MIN_PEOPLE", "hide_few", "publish", "publish_explore", "published_tables", "suppress"]
