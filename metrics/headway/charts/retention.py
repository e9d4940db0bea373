"""The retention heat map."""

from __future__ import annotations

from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

_FLAT = [[0, theme.EMPTY], [1, theme.EMPTY]]


def retention_figure(
    frame: pl.DataFrame, *, period: str = "week", title: str | None = "Retention"
) -> go.Figure:
    """Draws cohorts against the periods since their start.

    Args:
        frame: Columns as `Retention` returns; nulls in ``people`` are suppressed cells.
        period: ``"day"``, ``"week"`` or ``"month"``, for labels.
        title: Heading, or None.

    Returns:
        A heat map of shares; column 0 shows the size of the cohort. Cells that are not over yet are pale and
        carry a dot; suppressed ones are grey and read "<10".

    Examples:
        >>> frame = pl.DataFrame({
        ...     "cohort_start": [date(2026, 3, 2)] * 2, "cohort_people": [40, 40], "period": [0, 1],
        ...     "people": [40, 10], "rate": [1.0, 0.25], "low": [0.9, 0.14], "high": [1.0, 0.4],
        ...     "complete": [True, False],
        ... })
        >>> retention_figure(frame).data[1].text[0][1]
        '25.0 % ·'
    """
    cohorts = frame["cohort_start"].unique().sort().to_list()
    columns = frame["period"].unique().sort().to_list()
    rows = frame.to_dicts()
    later = [row["rate"] for row in rows if row["period"] > 0 and row["rate"] is not None]
    top = max([*later, 0.01])
    result = theme.figure(
        title,
        f"Share of the cohort by {period} since the start; pale cells with a dot are not over yet",
        height=170 + 30 * max(len(cohorts), 1),
        margin_t=104,
    )
    shown = [
        row for row in rows if row["period"] > 0 and row["rate"] is not None and row["people"] is not None
    ]
    layers: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        ([row for row in shown if row["complete"]], {"zmax": top}),
        (
            [row for row in shown if not row["complete"]],
            {"zmax": top, "opacity": 0.5, "textfont": {"size": 12, "color": theme.INK}},
        ),
        ([row for row in rows if row not in shown], {"zmax": 1, "colorscale": _FLAT}),
    ]
    for cells, look in layers:
        result.add_trace(_layer(cells, cohorts, columns, look))
    result.update_xaxes(
        side="top",
        zeroline=False,
        showgrid=False,
        tickvals=columns,
        ticktext=["people", *map(str, columns[1:])] if columns else [],
        range=[-0.5, max(columns, default=0) + 0.5],
    )
    return result.update_yaxes(
        zeroline=False,
        autorange="reversed",
        showgrid=False,
        tickvals=list(range(len(cohorts))),
        ticktext=[_day(day, period) for day in cohorts],
    )


def _layer(
    cells: list[dict[str, Any]], cohorts: list[date], columns: list[int], look: dict[str, Any]
) -> go.Heatmap:
    place = {(row["cohort_start"], row["period"]): row for row in cells}
    grid = [[place.get((cohort, column)) for column in columns] for cohort in cohorts]
    return go.Heatmap(
        x=columns,
        y=list(range(len(cohorts))),
        z=[[None if row is None else row["rate"] or 0.0 for row in line] for line in grid],
        text=[["" if row is None else _text(row) for row in line] for line in grid],
        customdata=[["" if row is None else _hover(row) for row in line] for line in grid],
        texttemplate="%{text}",
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        zmin=0,
        xgap=2,
        ygap=2,
        showscale=False,
        **{"colorscale": [list(stop) for stop in theme.SEQUENTIAL], "textfont": {"size": 12}, **look},
    )


def _text(row: dict[str, Any]) -> str:
    if row["people"] is None:
        return theme.SUPPRESSED
    if row["period"] == 0:
        return f"{row['people']:,}" + ("" if row["complete"] else " ·")
    if row["rate"] is None:
        return "–"
    return f"{row['rate']:.1%}".replace("%", " %") + ("" if row["complete"] else " ·")


def _hover(row: dict[str, Any]) -> str:
    head = f"<b>Cohort of {row['cohort_start']:%d %b %Y}</b>"
    if row["people"] is None:
        return f"{head}<br>fewer than ten people"
    if row["period"] == 0:
        return f"{head}<br>{row['people']:,} people"
    parts = [head, f"period {row['period']}: {row['people']:,} of {row['cohort_people']:,} people"]
    if row["low"] is not None:
        parts.append(f"{row['rate']:.1%} ({row['low']:.1%} to {row['high']:.1%})")
    if not row["complete"]:
        parts.append("not over yet, will change")
    return "<br>".join(parts)


def _day(day: date, period: str) -> str:
    return f"{day:%b %Y}" if period == "month" else f"{day:%d %b %Y}"
