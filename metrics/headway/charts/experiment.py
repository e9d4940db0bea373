"""Experiments: relative effects with their intervals, one row per outcome and variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from headway.charts import theme

_COLOURS = {
    "better": theme.PALETTE[2],
    "holds": theme.PALETTE[2],
    "worse": theme.PALETTE[1],
    "breached": theme.PALETTE[1],
}
_SYMBOLS = {"better": "triangle-up", "holds": "circle", "worse": "triangle-down", "breached": "x"}


def experiment_figure(rows: Sequence[Mapping[str, Any]], *, title: str | None = None) -> go.Figure:
    """Draws relative effects against the control.

    Args:
        rows: Rows with ``metric``, ``variant``, ``relative``, ``relative_low``, ``relative_high``, ``verdict`` and
            ``direction``; those of the control are skipped.
        title: Heading, or None.

    Returns:
        A point with its interval per outcome and variant; where there is no estimate, a word instead of a point.

    Examples:
        >>> row = {"metric": "sales", "variant": "new", "relative": 0.1, "relative_low": 0.02, "relative_high": 0.18,
        ...        "verdict": "better", "direction": "up"}
        >>> experiment_figure([row]).data[0].x
        (0.1,)
    """
    shown = [row for row in rows if row["verdict"] != "control"]
    several = len({row["variant"] for row in shown}) > 1
    labels = [_label(row, several) for row in shown]
    result = theme.figure(
        title, "Effect relative to the control, 95 % interval", height=150 + 36 * max(len(shown), 1)
    )
    known = [(label, row) for label, row in zip(labels, shown, strict=True) if row["relative"] is not None]
    result.add_trace(
        go.Scatter(
            x=[row["relative"] for _, row in known],
            y=[label for label, _ in known],
            mode="markers",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_width(row["relative_high"], row["relative"]) for _, row in known],
                "arrayminus": [_width(row["relative"], row["relative_low"]) for _, row in known],
                "color": theme.MUTED,
                "thickness": 2,
            },
            marker={
                "size": 11,
                "color": [_COLOURS.get(row["verdict"], theme.MUTED) for _, row in known],
                "symbol": [_SYMBOLS.get(row["verdict"], "circle-open") for _, row in known],
            },
            customdata=[row["verdict"] for _, row in known],
            hovertemplate="%{y}: %{x:+.1%} (%{customdata})<extra></extra>",
            showlegend=False,
        )
    )
    for label, row in zip(labels, shown, strict=True):
        if row["relative"] is None:
            result.add_annotation(
                x=0,
                y=label,
                text="no estimate",
                showarrow=False,
                font={"color": theme.MUTED},
                xanchor="left",
                xshift=6,
            )
    result.add_vline(x=0, line={"color": theme.INK, "width": 1})
    result.update_xaxes(tickformat="+.0%")
    return result.update_yaxes(
        categoryorder="array", categoryarray=labels[::-1], type="category", automargin=True
    )


def novelty_figure(rows: Sequence[Mapping[str, Any]], *, title: str | None = None) -> go.Figure:
    """Draws an effect by day since exposure: does it wear off, does it grow?

    Args:
        rows: Rows with ``since`` (days), ``variant``, ``effect``, ``low`` and ``high``, the effect in shares of units;
            those of the control have none and are skipped.
        title: Heading, or None.

    Returns:
        A line per variant with the interval of each day.

    Examples:
        >>> row = {"since": 0, "variant": "new", "effect": 0.1, "low": 0.02, "high": 0.18}
        >>> novelty_figure([row]).data[0].y
        (0.1,)
    """
    result = theme.figure(
        title, "Effect against the control by day since exposure, 95 % interval", height=320
    )
    shown = [row for row in rows if row["effect"] is not None]
    variants = list(dict.fromkeys(row["variant"] for row in shown))
    for number, variant in enumerate(variants):
        mine = [row for row in shown if row["variant"] == variant]
        colour = theme.PALETTE[number % len(theme.PALETTE)]
        result.add_trace(
            go.Scatter(
                # Beside each other: intervals of one day would hide each other.
                x=[row["since"] + 0.12 * (number - (len(variants) - 1) / 2) for row in mine],
                y=[row["effect"] for row in mine],
                name=str(variant),
                mode="lines+markers",
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [_width(row["high"], row["effect"]) for row in mine],
                    "arrayminus": [_width(row["effect"], row["low"]) for row in mine],
                    "color": theme.MUTED,
                    "thickness": 1.5,
                },
                line={"color": colour, "width": 2},
                marker={"size": 8, "color": colour},
                customdata=[row["since"] for row in mine],
                hovertemplate=f"{variant}, day %{{customdata}}: %{{y:+.1%}}<extra></extra>",
                showlegend=len(variants) > 1,
            )
        )
    result.add_hline(y=0, line={"color": theme.INK, "width": 1})
    days = sorted({row["since"] for row in shown})
    result.update_xaxes(tickvals=days, title="Days since exposure")
    return result.update_yaxes(tickformat="+.0%")


def _label(row: Mapping[str, Any], several: bool) -> str:
    name = str(row.get("title") or row["metric"])
    return theme.shortened(f"{name} · {row['variant']}" if several else name)


def _width(more: float | None, less: float | None) -> float:
    return 0.0 if more is None or less is None else more - less
