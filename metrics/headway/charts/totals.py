"""Single numbers, and counts by bins."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

_MOST_BARS = 20
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def number_figure(
    frame: pl.DataFrame, *, by: str | None = None, title: str | None = None, unit: str | None = None
) -> go.Figure:
    """Draws a measure of a whole range.

    Args:
        frame: Columns ``value`` and the breakdown, as `Trend` without a period returns.
        by: Name of the breakdown column, or None.
        title: Heading, or None.
        unit: Unit of the values, or None.

    Returns:
        The number in large; with a breakdown one bar per value, the twenty largest at most.

    Examples:
        >>> number_figure(pl.DataFrame({"value": [1234.0], "complete": [True]})).layout.annotations[0].text
        '<b>1,234</b>'
    """
    formats = theme.numbers(unit)
    if by is None:
        result = theme.figure(title, height=200)
        for row in frame.iter_rows(named=True):
            result.add_annotation(
                x=0,
                y=0.5,
                xref="paper",
                yref="paper",
                xanchor="left",
                showarrow=False,
                text=f"<b>{_written(row['value'])}</b>{formats.suffix}{_before(row)}",
                font={"size": 40, "color": theme.PALETTE[0]},
            )
        return result.update_xaxes(visible=False).update_yaxes(visible=False)
    ranked = frame.sort(["value", by], descending=[True, False], nulls_last=True)
    shown = ranked.head(_MOST_BARS)
    left = ranked.height - shown.height
    note = f"By {by}" + (f"; {left} smaller groups are not drawn" if left else "")
    result = theme.figure(title, note, height=130 + 30 * max(shown.height, 1), showlegend=False)
    result.add_trace(
        go.Bar(
            orientation="h",
            x=shown["value"].to_list(),
            y=list(range(shown.height)),
            text=[f"  {_written(value)}" for value in shown["value"]],
            textposition="outside",
            cliponaxis=False,
            marker={"color": theme.PALETTE[0], "line": {"width": 0}},
            hoverinfo="skip",
        )
    )
    result.update_yaxes(
        autorange="reversed",
        showgrid=False,
        tickvals=list(range(shown.height)),
        ticktext=[theme.shortened(str(value)) for value in shown[by]],
        tickfont={"size": 13, "color": theme.INK},
    )
    return result.update_layout(margin_r=90).update_xaxes(showticklabels=False, showgrid=False)


def distribution_figure(frame: pl.DataFrame, *, of: str = "seconds", title: str | None = None) -> go.Figure:
    """Draws how many sessions fall in each bin.

    Args:
        frame: Columns ``low``, ``high``, ``sessions``, ``share``, as `SessionsResult.distribution` returns.
        of: What the bins are of; ``"seconds"`` are written as durations.
        title: Heading, or None.

    Returns:
        One bar per bin, with the share of all.

    Examples:
        >>> frame = pl.DataFrame({"low": [0.0, 60.0], "high": [60.0, None], "sessions": [3, 1], "share": [0.75, 0.25]})
        >>> distribution_figure(frame).data[0].text
        ('<b>3</b><br>75.0 %', '<b>1</b><br>25.0 %')
    """
    bins = frame.to_dicts()
    names = [_bin(row["low"], row["high"], of) for row in bins]
    result = theme.figure(title, f"Sessions by {'duration' if of == 'seconds' else of}", showlegend=False)
    result.add_trace(
        go.Bar(
            x=list(range(len(bins))),
            y=[row["sessions"] for row in bins],
            text=[_label(row["sessions"], row["share"]) for row in bins],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 12, "color": theme.INK},
            marker={"color": theme.PALETTE[0], "line": {"width": 0}},
            customdata=[name.replace("<br>", " ") for name in names],
            hovertemplate="%{customdata}<br><b>%{y:,} sessions</b><extra></extra>",
        )
    )
    result.update_xaxes(tickvals=list(range(len(bins))), ticktext=names, tickangle=0)
    return result.update_yaxes(rangemode="tozero", nticks=5, tickformat=",~r")


def _label(sessions: int, share: float | None) -> str:
    return f"<b>{sessions:,}</b>" + ("" if share is None else f"<br>{share:.1%}".replace("%", " %"))


def _bin(low: float, high: float | None, of: str) -> str:
    if of != "seconds":
        last = None if high is None else high - 1
        return f"{low:g} and more" if last is None else f"{low:g}" if last == low else f"{low:g} to {last:g}"
    if high is not None and high < 1:
        return "none"
    if high is None:
        return f"{_duration(low)}<br>and more"
    return f"under<br>{_duration(high)}" if low < 1 else f"{_duration(low)}<br>to {_duration(high)}"


def _duration(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return "0"


def _written(value: float | None) -> str:
    if value is None:
        return "no value"
    return (
        f"{value:,.0f}"
        if float(value).is_integer()
        else f"{value:,.4g}"
        if abs(value) < 1000
        else f"{value:,.2f}"
    )


def _before(row: dict[str, object]) -> str:
    if "value_before" not in row:
        return ""
    share = row["change_share"]
    told = f", {share:+.1%}".replace("%", " %") if isinstance(share, float) else ""
    before = row["value_before"]
    number = before if isinstance(before, int | float) else None
    return f"<span style='font-size:15px'>  before: {_written(number)}{told}</span>"
