"""The retention heat map."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

_MOST_GROUPS = len(theme.PALETTE)
# Above the cohorts, with a little air between.
_MEAN_ROW = -1.15
# More columns leave no room for decimals, still more none for numbers.
_DECIMALS, _NUMBERS = 13, 25
# Where on the scale cells become so dark that white reads better on them.
_DARK = 0.75
_FLAT = [[0, theme.EMPTY], [1, theme.EMPTY]]


def retention_figure(
    frame: pl.DataFrame,
    *,
    period: str = "week",
    title: str | None = "Retention",
    spans: Sequence[tuple[int, int]] | None = None,
    mean: pl.DataFrame | None = None,
) -> go.Figure:
    """Draws cohorts against the periods since their start.

    Args:
        frame: Columns as `Retention` returns; nulls in ``people`` are suppressed cells.
        period: ``"day"``, ``"week"`` or ``"month"``, for labels.
        title: Heading, or None.
        spans: First and last period of each column, where columns are brackets.
        mean: Columns ``period``, ``cohorts`` and ``rate`` of the mean over cohorts, drawn as a row above them.

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
        f"Share of the cohort by {period} since the start; pale cells with a dot are not over yet"
        + ("" if mean is None else " and not in the mean"),
        height=170 + 30 * max(len(cohorts) + (mean is not None), 1),
        margin_t=104,
    )
    shown = [
        row for row in rows if row["period"] > 0 and row["rate"] is not None and row["people"] is not None
    ]
    layers: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        ([row for row in shown if row["complete"]], {"zmax": top}),
        (
            [row for row in shown if not row["complete"]],
            {"zmax": top, "opacity": 0.5},
        ),
        ([row for row in rows if row not in shown], {"zmax": 1, "colorscale": _FLAT}),
    ]
    for cells, look in layers:
        result.add_trace(_layer(cells, cohorts, columns, look))
    if mean is not None and cohorts:
        result.add_trace(_mean_row(mean, columns, top))
    result.update_xaxes(
        side="top",
        zeroline=False,
        showgrid=False,
        tickvals=columns,
        ticktext=["people", *columns_named(columns, spans)[1:]] if columns else [],
        range=[-0.5, max(columns, default=0) + 0.5],
    )
    return result.update_yaxes(
        zeroline=False,
        autorange="reversed",
        showgrid=False,
        tickvals=[*([_MEAN_ROW] if mean is not None and cohorts else []), *range(len(cohorts))],
        ticktext=[
            *(["<b>mean</b>"] if mean is not None and cohorts else []),
            *(_day(day, period) for day in cohorts),
        ],
    )


def retention_curves_figure(
    frame: pl.DataFrame,
    *,
    by: str,
    period: str = "week",
    title: str | None = "Retention",
    spans: Sequence[tuple[int, int]] | None = None,
) -> go.Figure:
    """Draws the mean retention of groups.

    Args:
        frame: Columns ``period``, ``cohort_people``, ``people``, ``rate`` and the breakdown, as
            `RetentionResult.average` returns.
        by: Name of the breakdown column.
        period: ``"day"``, ``"week"`` or ``"month"``, for labels.
        title: Heading, or None.
        spans: First and last period of each column, where columns are brackets.

    Returns:
        One line per value, the eight with most people at most.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "plan": ["pro"] * 2, "period": [0, 1], "cohort_people": [40, 40], "people": [40, 10],
        ...     "rate": [1.0, 0.25],
        ... })
        >>> retention_curves_figure(frame, by="plan").data[0].name
        'pro'
    """
    first = frame.filter(pl.col("period") == 0).sort(["cohort_people", by], descending=[True, False])
    shown = first[by].head(_MOST_GROUPS).to_list()
    left = first.height - len(shown)
    note = f"Mean over complete cells by {by}, weighted by people" + (
        f"; {left} smaller groups are not drawn" if left else ""
    )
    result = theme.figure(title, note, margin_t=110, showlegend=True)
    for number, value in enumerate(shown):
        rows = frame.filter((pl.col(by) == value) & (pl.col("period") > 0)).sort("period").to_dicts()
        name = theme.shortened(str(value), 22)
        result.add_trace(
            go.Scatter(
                x=[row["period"] for row in rows],
                y=[row["rate"] for row in rows],
                name=name,
                mode="lines+markers",
                line={"color": theme.PALETTE[number], "width": 2.5},
                marker={"size": 6},
                connectgaps=False,
                customdata=[f"{row['people']:,} of {row['cohort_people']:,} people" for row in rows],
                hovertemplate=f"period %{{x}}<br><b>%{{y:.1%}}</b>, %{{customdata}}<extra>{name}</extra>",
            )
        )
    columns = frame["period"].unique().sort().to_list()
    step = max(1, -(-len(columns) // 16))
    marked = columns[1::step]
    names = columns_named(columns, spans)[1::step]
    result.update_yaxes(rangemode="tozero", tickformat=".0~%", nticks=6)
    return result.update_xaxes(tickvals=marked, ticktext=names, title={"text": f"{period}s since the start"})


def columns_named(columns: Sequence[int], spans: Sequence[tuple[int, int]] | None) -> list[str]:
    """Names columns for an axis.

    Args:
        columns: Their numbers.
        spans: First and last period of each, where they are brackets.

    Returns:
        One label each.

    Examples:
        >>> columns_named([0, 1, 2], [(0, 0), (1, 1), (2, 6)])
        ['0', '1', '2–6']
    """
    if spans is None:
        return [str(column) for column in columns]
    ends = [spans[column] for column in columns]
    return [str(opens) if opens == closes else f"{opens}–{closes}" for opens, closes in ends]


def _mean_row(mean: pl.DataFrame, columns: list[int], top: float) -> go.Heatmap:
    rows = {row["period"]: row for row in mean.to_dicts()}
    known = [None if column == 0 else rows.get(column) for column in columns]
    rates = [None if row is None else row["rate"] for row in known]
    return go.Heatmap(
        x=columns,
        y=[_MEAN_ROW],
        z=[rates],
        text=[
            [
                "" if rate is None else _on(f"<b>{_share(rate, len(columns))}</b>", rate >= _DARK * top)
                for rate in rates
            ]
        ],
        customdata=[
            [
                ""
                if row is None
                else f"<b>Mean of {row['cohorts']:,} complete cells, weighted by people</b>"
                f"<br>period {row['period']}: {row['people']:,} of {row['cohort_people']:,} people"
                for row in known
            ]
        ],
        texttemplate="%{text}",
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        zmin=0,
        zmax=top,
        xgap=2,
        ygap=2,
        showscale=False,
        colorscale=[list(stop) for stop in theme.SEQUENTIAL],
        textfont={"size": 12, "color": theme.INK},
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
        text=[
            ["" if row is None else _text(row, len(columns), look["zmax"]) for row in line] for line in grid
        ],
        customdata=[["" if row is None else _hover(row) for row in line] for line in grid],
        texttemplate="%{text}",
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        zmin=0,
        xgap=2,
        ygap=2,
        showscale=False,
        textfont={"size": 12, "color": theme.INK},
        **{"colorscale": [list(stop) for stop in theme.SEQUENTIAL], **look},
    )


def _share(rate: float, columns: int) -> str:
    if columns > _NUMBERS:
        return ""
    return f"{rate:.0%}" if columns > _DECIMALS else f"{rate:.1%}".replace("%", " %")


def _on(text: str, dark: bool) -> str:
    # A heat map has one colour for all its texts.
    return f'<span style="color:{theme.PAPER}">{text}</span>' if dark else text


def _text(row: dict[str, Any], columns: int, top: float) -> str:
    if row["people"] is None:
        return theme.SUPPRESSED
    if row["period"] == 0:
        return f"{row['people']:,}" + ("" if row["complete"] else " ·")
    if row["rate"] is None:
        return "–"
    share = _share(row["rate"], columns)
    if not row["complete"]:
        return f"{share} ·".strip()
    return _on(share, row["rate"] >= _DARK * top)


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
