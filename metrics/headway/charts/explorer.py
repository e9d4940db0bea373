"""What a log holds, at a glance."""

from __future__ import annotations

from datetime import date, timedelta

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme
from headway.periods import EPOCH

_MOST_ROWS = 30
_ROW = 34
# Heights of a row's day lines, in rows.
_LINE = 0.62
_LEFT, _RIGHT = (0.0, 0.42), (0.47, 1.0)


def explorer_figure(
    frame: pl.DataFrame, *, first_day: int, days: int, title: str | None = "Events"
) -> go.Figure:
    """Draws how many people did what, and when.

    Args:
        frame: Columns as `Explorer` returns.
        first_day: First local day of the range, in days since 1970-01-01.
        days: Number of days.
        title: Heading, or None.

    Returns:
        A bar of people per event, and beside it the events day by day, each row on its own scale; the events with most
        people on top.

    Examples:
        >>> frame = pl.DataFrame({"event": ["Visit"], "events": [3], "people": [2], "per_day": [[1, 2]]})
        >>> [trace.type for trace in explorer_figure(frame, first_day=0, days=2).data]
        ['bar', 'scatter']
    """
    shown = frame.sort(["people", "events", "event"], descending=[True, True, False]).head(_MOST_ROWS)
    left = frame.height - shown.height
    note = "People, and events per local day, each row on its own scale" + (
        f"; {left} events with fewer people are not drawn" if left else ""
    )
    rows = shown.height
    result = theme.figure(title, note, height=130 + _ROW * max(rows, 1), showlegend=False)
    places = list(range(rows))
    result.add_trace(_bars(shown, places))
    dates = [EPOCH + timedelta(days=first_day + n) for n in range(days)]
    for place, (event, counts) in zip(places, shown.select("event", "per_day").rows(), strict=True):
        result.add_trace(_days(event, counts, dates, place))
    result.update_yaxes(
        tickvals=places,
        ticktext=[theme.shortened(event) for event in shown["event"].to_list()],
        range=[rows - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
        tickfont={"size": 13, "color": theme.INK},
    )
    most = shown["people"].max() or 1
    result.update_layout(
        xaxis={
            "domain": _LEFT,
            "range": [0, float(most) * 1.5],  # type: ignore[arg-type]
            "showticklabels": False,
            "zeroline": False,
        },
        xaxis2={
            "domain": _RIGHT,
            "type": "date",
            "showgrid": False,
            "anchor": "y",
            **theme.date_ticks(dates, 5),
        },
    )
    return result


def _bars(shown: pl.DataFrame, places: list[int]) -> go.Bar:
    counts = shown.select("people", "events").rows()
    return go.Bar(
        orientation="h",
        y=places,
        x=shown["people"].to_list(),
        text=[f"<b>{people:,}</b>" for people, _ in counts],
        textposition="outside",
        cliponaxis=False,
        textfont={"color": theme.INK, "size": 12.5},
        marker={"color": theme.PALETTE[0], "line": {"width": 0}},
        customdata=[
            [f"<b>{theme.plain(event)}</b><br>{people:,} people<br>{events:,} events"]
            for event, (people, events) in zip(shown["event"].to_list(), counts, strict=True)
        ],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )


def _days(event: str, counts: list[int], dates: list[date], place: int) -> go.Scatter:
    most = max(counts, default=0) or 1
    base = place + _LINE / 2
    return go.Scatter(
        xaxis="x2",
        x=dates,
        # The axis points down: a day without events lies on the row's ground line.
        y=[base - _LINE * count / most for count in counts],
        mode="lines" if len(counts) > 1 else "markers",
        line={"color": theme.PALETTE[0], "width": 1.4},
        customdata=counts,
        hovertemplate=f"<b>{theme.plain(event)}</b><br>%{{x|{theme.DATE}}}<br>%{{customdata:,}} events<extra></extra>",
    )
