"""Releases on a time series: a dotted line on the day, and what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from headway.charts import theme

_MOST_MARKS = 24


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day.

    Attributes:
        on: The day.
        text: What happened, in a few words.
    """

    on: date
    text: str


def marked(figure: dict[str, Any], marks: Iterable[Mark], first: date, last: date) -> dict[str, Any]:
    """Draws a dotted line at every mark between two days; pointing at its head says what it is.

    Args:
        figure: A figure as plain values, as Plotly's ``to_plotly_json`` returns; it is changed.
        marks: What happened; the latest 24 are drawn.
        first: First day of the series.
        last: Last day of the series.

    Returns:
        The figure.

    Examples:
        >>> drawn = marked({"layout": {}}, [Mark(date(2026, 3, 2), "Search")], date(2026, 3, 1), date(2026, 3, 9))
        >>> drawn["layout"]["shapes"][0]["x0"], drawn["layout"]["annotations"][0]["hovertext"]
        ('2026-03-02', '2026-03-02: Search')
    """
    shown = sorted((mark for mark in marks if first <= mark.on <= last), key=lambda mark: mark.on)[
        -_MOST_MARKS:
    ]
    on_day: dict[date, list[str]] = {}
    for mark in shown:
        on_day.setdefault(mark.on, []).append(mark.text)
    line = {"color": theme.MUTED, "width": 1, "dash": "dot"}
    layout = figure["layout"]
    layout["shapes"] = [
        *layout.get("shapes", ()),
        *(
            {"type": "line", "x0": day.isoformat(), "x1": day.isoformat(), "yref": "paper", "y0": 0, "y1": 1,
             "line": line, "layer": "below"}
            for day in on_day
        ),
    ]  # fmt: skip
    layout["annotations"] = [
        *layout.get("annotations", ()),
        *(
            {"x": day.isoformat(), "y": 1, "yref": "paper", "yanchor": "bottom", "text": "▾", "showarrow": False,
             "font": {"size": 12, "color": theme.MUTED}, "hovertext": f"{day.isoformat()}: {', '.join(texts)}"}
            for day, texts in on_day.items()
        ),
    ]  # fmt: skip
    return figure
