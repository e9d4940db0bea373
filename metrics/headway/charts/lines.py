"""Lines over time: active people, trends, and the published values of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

_MOST_LINES = len(theme.PALETTE)
_MOST_MARKS = 12
_NEAR = 0.2
"""Share of the largest value within which values are near each other."""


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: Its label.
        days: First day of each period.
        values: One value per period; None leaves a gap.
        complete: Whether each period is over.
        low: Lower ends of intervals, or None for no band.
        high: Upper ends of intervals, or None for no band.
    """

    name: str
    days: Sequence[date]
    values: Sequence[float | None]
    complete: Sequence[bool]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None


def active_people_figure(frame: pl.DataFrame, *, title: str | None = "Active people") -> go.Figure:
    """Draws distinct people in trailing windows.

    Args:
        frame: Columns ``period_start``, ``window_days``, ``value``, ``complete``, as `ActivePeople` returns.
        title: Heading, or None.

    Returns:
        One line per window, labelled at its end; periods that are not over are dashed and hollow.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "period_start": [date(2026, 3, 1)] * 2, "window_days": [1, 7], "value": [3, 5],
        ...     "complete": [True, True],
        ... })
        >>> [trace.name for trace in active_people_figure(frame).data if trace.name]
        ['1 day', '7 days']
    """
    windows = frame["window_days"].unique().sort().to_list()
    lines = [
        _line(f"{days} day" if days == 1 else f"{days} days", frame.filter(pl.col("window_days") == days))
        for days in windows
    ]
    note = f"Distinct people in the trailing window{_running(frame)}"
    return _drawn(lines, title, note, theme.numbers("people"))


def trend_figure(
    frame: pl.DataFrame, *, by: str | None = None, title: str | None = None, unit: str | None = None
) -> go.Figure:
    """Draws a measure over time.

    Args:
        frame: Columns ``period_start``, ``value``, ``complete`` and the breakdown, as `Trend` returns.
        by: Name of the breakdown column, or None.
        title: Heading, or None.
        unit: Unit of the values, or None.

    Returns:
        One line per breakdown value, the eight largest at most.

    Examples:
        >>> frame = pl.DataFrame({"period_start": [date(2026, 3, 1)], "value": [3.0], "complete": [True]})
        >>> len(trend_figure(frame).data)
        1
    """
    if by is None:
        compared = "value_before" in frame.columns
        note = ("; dashed grey: the equally long range before" if compared else "") + _running(frame)
        result = _drawn([_line("", frame)], title, _sentence(note), theme.numbers(unit))
        return _with_before(result, frame, theme.numbers(unit)) if compared else result
    largest = frame.group_by(by).agg(pl.col("value").sum()).sort(["value", by], descending=[True, False])
    shown = largest[by].head(_MOST_LINES).to_list()
    left = largest.height - len(shown)
    note = f"By {by}; the {len(shown)} largest, {left} more are not drawn" if left else f"By {by}"
    return _drawn(
        [_line(str(value), frame.filter(pl.col(by) == value)) for value in shown],
        title,
        note + _running(frame),
        theme.numbers(unit),
    )


def metric_figure(
    frame: pl.DataFrame,
    *,
    title: str | None = None,
    question: str | None = None,
    target: float | None = None,
    limit: float | None = None,
) -> go.Figure:
    """Draws the values of one metric with their intervals.

    Args:
        frame: Rows of ``metric_values`` of one metric: ``segment``, ``period_start``, ``value``, ``low``,
            ``high``, ``unit``, ``complete``, ``suppressed``.
        title: Heading; None takes the metric's name.
        question: What the metric answers, shown below the heading.
        target: Value to reach, in the metric's unit, or None.
        limit: Value not to be crossed, in the same unit, or None. Where everything lies close to it, the axis does not
            begin at zero: whether the limit is kept is what is to be seen.

    Returns:
        The line of all people with its 95 % interval; other segments as thinner lines without a band. Suppressed
        values are gaps marked "<10".

    Examples:
        >>> frame = pl.DataFrame({
        ...     "metric": ["activation"] * 2, "segment": ["all"] * 2, "unit": ["percent"] * 2,
        ...     "period_start": [date(2026, 3, 2), date(2026, 3, 9)], "value": [0.4, 0.5], "low": [0.3, 0.4],
        ...     "high": [0.5, 0.6], "complete": [True, False], "suppressed": [False, False],
        ... })
        >>> metric_figure(frame, target=0.45).layout.title.text
        'activation'
    """
    frame = frame.sort("period_start")
    names = frame["metric"].unique().to_list() if "metric" in frame.columns else []
    unit = frame["unit"].drop_nulls().first() if frame.height else None
    segments = frame["segment"].unique().sort().to_list()
    ordered = sorted(segments, key=lambda segment: segment != "all")[:_MOST_LINES]
    lines = [
        _line("" if segments == ["all"] else segment, frame.filter(pl.col("segment") == segment))
        for segment in ordered
    ]
    formats = theme.numbers(str(unit) if unit else None)
    result = _drawn(lines, title or (names[0] if names else None), question, formats, band=True)
    hidden = frame.filter(pl.col("suppressed") & (pl.col("segment") == "all"))["period_start"].to_list()
    marks = [
        {
            "x": day,
            "y": 0,
            "yref": "paper",
            "yanchor": "bottom",
            "text": theme.SUPPRESSED,
            "showarrow": False,
            "font": {"size": 11, "color": theme.MUTED},
            "hovertext": "Fewer than ten people: not published",
        }
        for day in hidden[-_MOST_MARKS:]
    ]
    if marks:
        # All at once: Plotly validates every annotation again whenever one is added.
        result.update_layout(annotations=[*result.layout.annotations, *marks])
    _mark_levels(result, target, limit)
    return result


def _line(name: str, frame: pl.DataFrame) -> Line:
    frame = frame.sort("period_start")
    ends = {"low", "high"} <= set(frame.columns)
    return Line(
        name=name,
        days=frame["period_start"].to_list(),
        values=frame["value"].to_list(),
        complete=frame["complete"].to_list(),
        low=frame["low"].to_list() if ends else None,
        high=frame["high"].to_list() if ends else None,
    )


def _drawn(
    lines: Sequence[Line], title: str | None, subtitle: str | None, formats: theme.Numbers, band: bool = False
) -> go.Figure:
    result = theme.figure(
        title, subtitle, showlegend=False, hovermode="x unified" if len(lines) > 1 else "closest"
    )
    result.update_yaxes(rangemode="tozero", tickformat=formats.tick, ticksuffix=formats.ticks, nticks=6)
    result.update_xaxes(
        type="date", hoverformat=theme.DATE, **theme.date_ticks([day for line in lines for day in line.days])
    )
    for number, line in enumerate(lines):
        color = theme.PALETTE[number % len(theme.PALETTE)]
        if band and number == 0:
            _add_band(result, line, color)
        _add_line(result, line, color, formats, width=2.5 if number == 0 or not band else 1.5)
    _label_ends(result, lines)
    return result


def _add_line(result: go.Figure, line: Line, color: str, formats: theme.Numbers, width: float) -> None:
    over = [value if done else None for value, done in zip(line.values, line.complete, strict=True)]
    hover = f"%{{x|{theme.DATE}}}<br><b>%{{y:{formats.hover}}}{formats.suffix}</b>"
    name = theme.plain(line.name)
    lonely = _lonely(over)
    result.add_trace(
        go.Scatter(
            x=list(line.days),
            y=over,
            name=name,
            mode="lines+markers" if len(over) <= 60 or lonely else "lines",
            line={"color": color, "width": width},
            marker={"size": 6 if len(over) <= 60 else 4},
            connectgaps=False,
            hovertemplate=f"{hover}<extra>{name}</extra>",
        )
    )
    if all(line.complete):
        return
    # A dashed piece leads from the last finished period to each one that still runs.
    after = [*line.complete[1:], True]
    dashed = [
        value if not done or not following else None
        for value, done, following in zip(line.values, line.complete, after, strict=True)
    ]
    result.add_trace(
        go.Scatter(
            x=list(line.days),
            y=dashed,
            mode="lines",
            line={"color": color, "width": width, "dash": "dot"},
            hoverinfo="skip",
            connectgaps=False,
        )
    )
    running = [None if done else value for value, done in zip(line.values, line.complete, strict=True)]
    result.add_trace(
        go.Scatter(
            x=list(line.days),
            y=running,
            mode="markers",
            marker={"size": 8, "color": theme.PAPER, "line": {"color": color, "width": 2}},
            cliponaxis=False,
            hovertemplate=f"{hover}<br>not over yet, will change<extra>{name}</extra>",
        )
    )


def _with_before(result: go.Figure, frame: pl.DataFrame, formats: theme.Numbers) -> go.Figure:
    frame = frame.sort("period_start")
    result.add_trace(
        go.Scatter(
            x=frame["period_start"].to_list(),
            y=frame["value_before"].to_list(),
            mode="lines",
            line={"color": theme.MUTED, "width": 1.5, "dash": "dash"},
            hovertemplate=f"in the range before<br><b>%{{y:{formats.hover}}}{formats.suffix}</b><extra></extra>",
        )
    )
    return result


def _add_band(result: go.Figure, line: Line, color: str) -> None:
    if line.low is None or line.high is None:
        return
    runs: list[list[int]] = []
    for place, (low, high) in enumerate(zip(line.low, line.high, strict=True)):
        if low is None or high is None:
            continue
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    for run in runs:
        days = [line.days[i] for i in run]
        edge = [line.high[i] for i in run] + [line.low[i] for i in reversed(run)]
        result.add_trace(
            go.Scatter(
                x=days + days[::-1],
                y=edge,
                fill="toself",
                fillcolor=theme.faint(color),
                mode="lines",
                line={"width": 0},
                hoverinfo="skip",
            )
        )


def _label_ends(result: go.Figure, lines: Sequence[Line]) -> None:
    ends: list[tuple[int, date, float]] = []
    for number, line in enumerate(lines):
        known = [(day, value) for day, value in zip(line.days, line.values, strict=True) if value is not None]
        if line.name and known:
            ends.append((number, *known[-1]))
    if not ends:
        return
    values = [value for line in lines for value in line.values if value is not None]
    shifts = theme.spread([value for *_, value in ends], max(values) - min(0.0, *values, 0.0))
    for (number, day, value), shift in zip(ends, shifts, strict=True):
        result.add_annotation(
            x=day,
            y=value,
            text=theme.shortened(lines[number].name, 22),
            showarrow=False,
            xanchor="left",
            xshift=10,
            yshift=shift,
            font={"color": theme.PALETTE[number % len(theme.PALETTE)], "size": 12.5},
        )
    longest = max(len(theme.shortened(lines[number].name, 22)) for number, *_ in ends)
    result.update_layout(margin_r=28 + 8 * longest)


def _mark_levels(result: go.Figure, target: float | None, limit: float | None) -> None:
    """Draws the lines to be reached and not to be crossed, and makes the axis show them."""
    levels = {name: level for name, level in (("target", target), ("limit", limit)) if level is not None}
    if not levels:
        return
    for name, level in levels.items():
        color, right = (theme.LIMIT, True) if name == "limit" else (theme.MUTED, False)
        result.add_hline(
            y=level,
            line={"color": color, "width": 1.25, "dash": "solid" if right else "dash"},
            annotation={
                "text": name,
                "font": {"size": 11.5, "color": color},
                "xanchor": "right" if right else "left",
                "x": 1 if right else 0,
            },
            annotation_position="top right" if right else "top left",
        )
    shown = [v for trace in result.data for v in (trace.y if trace.y is not None else []) if v is not None]
    close = _close_to(limit, [*shown, *levels.values()])
    top = [level * 1.1 for level in levels.values()]
    result.update_yaxes(
        range=close or [min(0.0, *top, *shown), max(0.0, *top, *(value * 1.06 for value in shown))]
    )


def _close_to(limit: float | None, shown: Sequence[float]) -> list[float] | None:
    """Returns the range of an axis on which a limit can be told from values near it; None where zero may be on it."""
    low, high = min(shown), max(shown)
    if limit is None or low <= 0 or high - low > _NEAR * high:
        return None
    room = max((high - low) * 0.2, high * 1e-3)
    return [low - room, high + room]


def _running(frame: pl.DataFrame) -> str:
    return "" if frame["complete"].all() else "; dotted and hollow: not over yet"


def _sentence(note: str) -> str | None:
    note = note.removeprefix("; ")
    return note[:1].upper() + note[1:] or None


def _lonely(values: Sequence[float | None]) -> bool:
    """Tells whether a value stands between gaps, where a line alone would not show it."""
    padded = [None, *values, None]
    return any(
        value is not None and padded[i] is None and padded[i + 2] is None for i, value in enumerate(values)
    )
