"""The funnel chart."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

_MOST_GROUPS = len(theme.PALETTE)
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def funnel_figure(
    frame: pl.DataFrame, *, by: str | None = None, title: str | None = "Funnel", counted: str = "people"
) -> go.Figure:
    """Draws how far people get.

    Args:
        frame: Columns as `Funnel` returns; nulls in ``people`` are suppressed cells.
        by: Name of the breakdown column, or None.
        title: Heading, or None.
        counted: What is counted, in the plural.

    Returns:
        One bar per step with people, the share of the first step and its 95 % interval; with a breakdown, one
        colour per value (the eight with most people) and bars of shares.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "step": [1, 2], "event": ["Signed Up", "Paid"], "people": [200, 50], "from_first": [1.0, 0.25],
        ...     "from_previous": [1.0, 0.25], "low": [1.0, 0.195], "high": [1.0, 0.314], "dropped": [0, 150],
        ...     "seconds_median": [None, 5400.0],
        ... })
        >>> funnel_figure(frame).data[1].text
        ('  <b>200</b>  100.0 %', '  <b>50</b>  25.0 %')
    """
    steps = frame["step"].n_unique()
    if by is None:
        result = theme.figure(
            title,
            f"{counted.capitalize()}, share of the first step, 95 % interval",
            height=150 + 58 * max(steps, 1),
        )
        result.add_traces(_bars(frame, theme.PALETTE[0], None, counted)).update_layout(showlegend=False)
    else:
        first = frame.filter(pl.col("step") == 1).sort(
            ["people", by], descending=[True, False], nulls_last=True
        )
        shown = first[by].head(_MOST_GROUPS).to_list()
        left = first.height - len(shown)
        note = f"Share of the first step by {by}" + (f"; {left} smaller groups are not drawn" if left else "")
        result = theme.figure(title, note, height=190 + (26 + 22 * max(len(shown), 1)) * max(steps, 1))
        for number, value in enumerate(shown):
            result.add_traces(
                _bars(frame.filter(pl.col(by) == value), theme.PALETTE[number], str(value), counted)
            )
        result.update_layout(showlegend=True, legend_traceorder="normal", margin_t=110)
    names = frame.unique("step", keep="first").sort("step")
    result.update_yaxes(
        autorange="reversed",
        tickvals=names["step"].to_list(),
        showgrid=False,
        tickfont={"size": 13, "color": theme.INK},
        ticktext=[
            f"{step}  {theme.shortened(event, 31)}" for step, event in names.select("step", "event").rows()
        ],
    )
    return result.update_xaxes(range=[0, 1.28], showticklabels=False, showgrid=False, zeroline=False)


def _bars(frame: pl.DataFrame, color: str, name: str | None, counted: str) -> list[go.Bar | go.Scatter]:
    rows = frame.sort("step").to_dicts()
    steps = [row["step"] for row in rows]
    extra = f"<extra>{theme.plain(name or '')}</extra>"
    bars = go.Bar(
        orientation="h",
        name=theme.plain(name or ""),
        y=steps,
        x=[row["from_first"] if row["people"] is not None else None for row in rows],
        text=None if name is None else [_label(row) for row in rows],
        textposition="outside",
        cliponaxis=False,
        textfont={"color": theme.INK, "size": 12.5},
        marker={"color": color, "line": {"width": 0}},
        error_x=_whiskers(rows) if name is None else None,
        customdata=[[_hover(row, counted)] for row in rows],
        hovertemplate="%{customdata[0]}" + extra,
    )
    if name is not None:
        return [bars]
    # Behind the whisker, where the bar's own text would lie under it.
    labels = go.Scatter(
        mode="text",
        y=steps,
        x=[0.0 if row["people"] is None else row["high"] or row["from_first"] or 0.0 for row in rows],
        text=[f"  {_label(row)}" for row in rows],
        textposition="middle right",
        textfont={"color": theme.INK, "size": 13},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    return [bars, labels]


def _whiskers(rows: list[dict[str, Any]]) -> dict[str, Any]:
    known = [row if row["people"] is not None and row["low"] is not None else None for row in rows]
    return {
        "type": "data",
        "array": [row["high"] - row["from_first"] if row else 0 for row in known],
        "arrayminus": [row["from_first"] - row["low"] if row else 0 for row in known],
        "color": "rgba(31,41,51,0.55)",
        "thickness": 1.2,
        "width": 4,
    }


def _label(row: dict[str, Any]) -> str:
    if row["people"] is None:
        return theme.SUPPRESSED
    share = "" if row["from_first"] is None else f"  {row['from_first']:.1%}".replace("%", " %")
    return f"<b>{row['people']:,}</b>{share}"


def _hover(row: dict[str, Any], counted: str) -> str:
    head = f"<b>{row['step']}  {theme.plain(row['event'])}</b>"
    if row["people"] is None:
        return f"{head}<br>fewer than ten people"
    parts = [head, f"{row['people']:,} {counted}"]
    if row["from_previous"] is not None and row["step"] > 1:
        parts.append(f"{row['from_previous']:.1%} of the step before, {row['dropped']:,} dropped")
    if row["low"] is not None:
        parts.append(f"{row['from_first']:.1%} of the first step ({row['low']:.1%} to {row['high']:.1%})")
    if row.get("seconds_median") is not None:
        parts.append(f"median {_duration(row['seconds_median'])} after the step before")
    return "<br>".join(parts)


def _duration(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
