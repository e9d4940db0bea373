"""Lifecycle and growth accounting: who came above the line, who left below it."""

from __future__ import annotations

from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

# One colour a state in every chart; dormant people are the colour of warning.
_COLORS = {
    "new": theme.PALETTE[2],
    "returning": theme.PALETTE[0],
    "resurrected": theme.PALETTE[5],
    "dormant": theme.PALETTE[1],
}
_MOST_LABELS = 20


def lifecycle_figure(
    frame: pl.DataFrame, *, period: str = "week", title: str | None = "Lifecycle"
) -> go.Figure:
    """Draws people by their state, dormant ones below zero.

    Args:
        frame: Columns ``period_start``, ``new``, ``returning``, ``resurrected``, ``dormant``, ``complete``, as
            `Lifecycle` returns.
        period: ``"day"``, ``"week"`` or ``"month"``, for labels.
        title: Heading, or None.

    Returns:
        Stacked bars; periods that are not over are pale and hatched.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "period_start": [date(2026, 3, 2)], "new": [5], "returning": [7], "resurrected": [1],
        ...     "dormant": [2], "complete": [True],
        ... })
        >>> [list(trace.y) for trace in lifecycle_figure(frame).data]
        [[7], [1], [5], [-2]]
    """
    note = f"People per {period}; dormant ones, active the {period} before and no more, below the line{_open(frame)}"
    result = theme.figure(title, note, barmode="relative", margin_t=112, hovermode="x unified")
    for state in ("returning", "resurrected", "new", "dormant"):
        result.add_trace(_bars(frame, state))
    return _axes(result, frame)


def growth_figure(
    frame: pl.DataFrame, *, period: str = "week", title: str | None = "Growth accounting"
) -> go.Figure:
    """Draws what the change of active people is made of.

    Args:
        frame: Columns as `GrowthAccounting` returns.
        period: ``"day"``, ``"week"`` or ``"month"``, for labels.
        title: Heading, or None.

    Returns:
        New and resurrected people above the line, dormant ones below, the difference as a line, and the quick ratio
        in a row below where there is room.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "period_start": [date(2026, 3, 2)], "new": [5], "returning": [7], "resurrected": [1], "dormant": [2],
        ...     "active": [13], "quick_ratio": [3.0], "change": [4], "complete": [True],
        ... })
        >>> growth_figure(frame).data[-1].text
        ('3.0',)
    """
    note = (
        f"People won and lost per {period}, their difference, and the quick ratio: won / lost{_open(frame)}"
    )
    result = theme.figure(title, note, barmode="relative", margin_t=112, hovermode="x unified", height=460)
    for state in ("resurrected", "new", "dormant"):
        result.add_trace(_bars(frame, state))
    rows = frame.sort("period_start").to_dicts()
    days = [row["period_start"] for row in rows]
    over = [row["change"] if row["complete"] else None for row in rows]
    after = [*(row["complete"] for row in rows[1:]), True][: len(rows)]
    # A dotted piece leads from the last finished period to those that still run.
    running = [
        None if row["complete"] and done else row["change"] for row, done in zip(rows, after, strict=True)
    ]
    for values, shown in ((over, True), (running, False)):
        result.add_trace(
            go.Scatter(
                x=days,
                y=values,
                name="change of active people",
                mode="lines+markers" if len(rows) <= 60 and shown else "lines",
                line={"color": theme.INK, "width": 2, "dash": "solid" if shown else "dot"},
                marker={"size": 6},
                customdata=[f"{row['active']:,} active" for row in rows],
                hovertemplate="%{y:+,.0f} to %{customdata}<extra>change</extra>",
                showlegend=shown,
                hoverinfo=None if shown else "skip",
            )
        )
    lowest = max([row["dormant"] for row in rows], default=1)
    highest = max([row["new"] + row["resurrected"] for row in rows], default=1)
    floor = -lowest - 0.1 * (lowest + highest)
    result.add_trace(
        go.Scatter(
            x=days,
            y=[floor] * len(rows),
            name="quick ratio",
            mode="text" if len(rows) <= _MOST_LABELS else "none",
            text=[_ratio(row) for row in rows],
            textfont={"size": 12, "color": theme.MUTED},
            hovertemplate="%{text}<extra>quick ratio</extra>",
            showlegend=False,
            cliponaxis=False,
        )
    )
    return _axes(result, frame)


def _bars(frame: pl.DataFrame, state: str) -> go.Bar:
    rows = frame.sort("period_start").to_dicts()
    sign = -1 if state == "dormant" else 1
    open_ = [not row["complete"] for row in rows]
    return go.Bar(
        x=[row["period_start"] for row in rows],
        y=[sign * row[state] for row in rows],
        name=state,
        marker={
            "color": _COLORS[state],
            "opacity": [0.45 if each else 1.0 for each in open_],
            "line": {"width": 0},
            "pattern": {
                "shape": ["/" if each else "" for each in open_],
                "fgcolor": theme.PAPER,
                "size": 6,
                "solidity": 0.25,
                "fillmode": "overlay",
            },
        },
        customdata=[f"{row[state]:,} people" + ("" if row["complete"] else ", not over yet") for row in rows],
        hovertemplate=f"%{{customdata}}<extra>{state}</extra>",
    )


def _axes(result: go.Figure, frame: pl.DataFrame) -> go.Figure:
    result.update_yaxes(tickformat=",~r", nticks=7, zerolinecolor=theme.INK, zerolinewidth=1)
    days: list[date] = frame["period_start"].sort().to_list()
    ticks: dict[str, Any] = theme.date_ticks(days)
    return result.update_xaxes(type="date", hoverformat=theme.DATE, zeroline=False, **ticks)


def _open(frame: pl.DataFrame) -> str:
    return "" if frame["complete"].all() else "; hatched: not over yet"


def _ratio(row: dict[str, Any]) -> str:
    shown = "–" if row["quick_ratio"] is None else f"{row['quick_ratio']:.1f}"
    return shown if row["complete"] else f"{shown} ·"
