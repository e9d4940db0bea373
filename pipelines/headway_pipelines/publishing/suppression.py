"""Hiding small cells, and cells from which those could be worked out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import Replacement, bind, load, with_inputs
from headway_pipelines.publishing.cell_size import MIN_PEOPLE
from headway_pipelines.publishing.families import SCHEMA as FAMILIES
from headway_pipelines.warehouse.running_totals import RunningTotal, hidden_totals

_HERE = "headway_pipelines.publishing"
_COUNTS = ("people", "actors", "devices_joined", "shared_devices", "oversized_people", "not_one_to_one")
# Steps of a table's suppression, each a query on top of those before it.
_STEPS = {
    "metric_values": {
        "judged": "judged",
        "hidden_short": "short_periods",
        "hidden_long": "long_periods",
        "hidden_alike": "alike",
    }
}


def suppress(
    name: str,
    frame: pl.DataFrame,
    min_people: int = MIN_PEOPLE,
    *,
    together: pl.DataFrame | None = None,
    totals: Mapping[str, RunningTotal] | None = None,
    first_day: date | None = None,
    weeks_add_up: bool = True,
) -> pl.DataFrame:
    """Hides cells that speak of few people, and cells from which those could be worked out.

    Args:
        name: Table: ``metric_values``, ``funnel_steps``, ``retention_cells``, ``active_people`` or
            ``left_out``.
        frame: Its rows.
        min_people: Smallest number of people a cell may speak of.
        together: Which metrics are parts of one whole, see `headway_pipelines.publishing.families.families`;
            None: none are.
        totals: The running totals, see `headway_pipelines.warehouse.running_totals`; others are hidden.
        first_day: First local day of the log.
        weeks_add_up: Whether the sum over all weeks is known from elsewhere.

    Returns:
        The rows in the same order, hidden cells null and marked in the column `suppressed`.
    """
    con = connect()
    try:
        with guarded(f"suppress small cells of {name}"):
            con.register("cells", frame.with_row_index("n").to_arrow())
            parts = pl.DataFrame(schema=FAMILIES) if together is None else together
            con.register("families", parts.to_arrow())
            known: dict[str, Replacement] = {"k": min_people, "weeks_add_up": weeks_add_up}
            steps = {step: _bound(f"suppress_{file}", known) for step, file in _STEPS.get(name, {}).items()}
            if name == "metric_values":
                # Only beside what else is hidden can be said what a running total would tell.
                others = con.sql(with_inputs(load(_HERE, "suppress_others.sql"), steps)).pl()
                running = hidden_totals(frame, others, totals or {}, min_people, first_day)
                con.register("hidden_running", running.to_arrow())
            text = with_inputs(_bound(f"suppress_{name}", known), steps)
            hidden: pl.DataFrame = con.sql(text).pl()
            return hidden
    finally:
        con.close()


def _bound(name: str, known: Mapping[str, Replacement]) -> str:
    text = load(_HERE, f"{name}.sql")
    return bind(text, {each: value for each, value in known.items() if f"${each}" in text})


def hide_few_values(frame: pl.DataFrame, column: str, min_values: int = MIN_PEOPLE) -> pl.DataFrame:
    """Hides how often something happened where it was seldom: a few orders with an e-mail are a few people's orders.

    Args:
        frame: The table ``line_outcomes``, ``dropped_values`` or ``metric_exclusions``.
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
