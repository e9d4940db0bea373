"""How often people come: stickiness, the power-user curve, the usage interval, and for how long they stay."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

_MOST_LABELS = 16


def stickiness_figure(
    frame: pl.DataFrame, *, interval: str = "day", cumulative: bool = False, title: str | None = "Stickiness"
) -> go.Figure:
    """Draws people by the number of periods they were active in.

    Args:
        frame: Columns ``periods``, ``people``, ``share``, ``complete``, as `Stickiness` returns.
        interval: ``"day"``, ``"week"`` or ``"month"``, for labels.
        cumulative: Whether the counts are of people with at least that many.
        title: Heading, or None.

    Returns:
        One bar per number.

    Examples:
        >>> frame = pl.DataFrame({"periods": [1, 2], "people": [3, 1], "share": [0.75, 0.25], "complete": [True] * 2})
        >>> list(stickiness_figure(frame).data[0].y)
        [0.75, 0.25]
    """
    exact = "at least" if cumulative else "exactly"
    note = f"Share of active people with {exact} that many active {interval}s in the range"
    return _histogram(frame.rename({"periods": "number"}), title, note, f"active {interval}s")


def power_users_figure(frame: pl.DataFrame, *, title: str | None = "Power users") -> go.Figure:
    """Draws the power-user curve.

    Args:
        frame: Columns ``active_days``, ``people``, ``share``, ``complete``, as `PowerUsers` returns.
        title: Heading, or None.

    Returns:
        One bar per number of days; a curve that rises again at its right end is a habit.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "active_days": [1, 2], "people": [3, 1], "share": [0.75, 0.25], "complete": [True] * 2
        ... })
        >>> power_users_figure(frame).layout.title.subtitle.text
        'Share of people active on so many of the last 2 days; 1.2 days on average'
    """
    people = int(frame["people"].sum())
    mean = int((frame["active_days"] * frame["people"]).sum()) / people if people else None
    average = "" if mean is None else f"; {mean:.1f} days on average"
    note = f"Share of people active on so many of the last {frame.height} days{average}"
    return _histogram(frame.rename({"active_days": "number"}), title, note, "active days")


def usage_interval_figure(
    frame: pl.DataFrame,
    *,
    interval: int | None = None,
    share: float = 0.8,
    longer: int = 0,
    title: str | None = "Usage interval",
) -> go.Figure:
    """Draws how long people usually stay away.

    Args:
        frame: Columns ``days``, ``gaps``, ``people``, ``share``, as `UsageInterval` returns.
        interval: The product's interval in days, or None.
        share: Share of people it covers.
        longer: People whose interval is longer than all rows.
        title: Heading, or None.

    Returns:
        Bars of people by their usual interval, the covered share as a line, the product's interval marked.

    Examples:
        >>> frame = pl.DataFrame({"days": [1, 2], "gaps": [9, 2], "people": [3, 1], "share": [0.75, 1.0]})
        >>> usage_interval_figure(frame, interval=2).layout.annotations[0].text
        '80 % within 2 days'
    """
    rows = frame.sort("days").to_dicts()
    everyone = frame["people"].sum() + longer
    beyond = f"; {longer:,} people with longer ones are not drawn" if longer else ""
    note = f"Share of people by their median of days between active days, and of those up to it{beyond}"
    result = theme.figure(title, note, margin_t=104, showlegend=True)
    days = [row["days"] for row in rows]
    result.add_trace(
        go.Bar(
            x=days,
            y=[row["people"] / everyone if everyone else None for row in rows],
            name="people with that interval",
            marker={"color": theme.PALETTE[0], "line": {"width": 0}},
            customdata=[f"{row['people']:,} people, {row['gaps']:,} gaps of that length" for row in rows],
            hovertemplate="%{x} days: <b>%{y:.1%}</b><br>%{customdata}<extra></extra>",
        )
    )
    result.add_trace(
        go.Scatter(
            x=days,
            y=[row["share"] for row in rows],
            name="up to that interval",
            mode="lines",
            line={"color": theme.PALETTE[4], "width": 2.5, "shape": "hv"},
            hovertemplate="up to %{x} days: <b>%{y:.1%}</b><extra></extra>",
        )
    )
    if interval is not None:
        word = "1 day" if interval == 1 else f"{interval} days"
        result.add_vline(x=interval, line={"color": theme.MUTED, "width": 1.25, "dash": "dash"})
        result.add_annotation(
            x=interval,
            y=min(share, 1.0),
            text=f"{share:.0%} within {word}".replace("%", " %"),
            showarrow=False,
            xanchor="left",
            xshift=8,
            yshift=-12,
            font={"size": 12.5, "color": theme.INK},
        )
    result.update_yaxes(range=[0, 1.02], tickformat=".0~%", nticks=6)
    return result.update_xaxes(title={"text": "days between active days"}, zeroline=False, nticks=16)


def survival_figure(
    frame: pl.DataFrame, *, by: str | None = None, period: str = "week", title: str | None = "Survival"
) -> go.Figure:
    """Draws survival curves.

    Args:
        frame: Columns ``period``, ``at_risk``, ``survival``, ``low``, ``high`` and the breakdown, as
            `RetentionResult.survival` returns.
        by: Name of the breakdown column, or None.
        period: ``"day"``, ``"week"`` or ``"month"``, for labels.
        title: Heading, or None.

    Returns:
        One step curve per value, the eight with most people at most; a single one with its 95 % interval.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "period": [0, 1], "at_risk": [10, 8], "survival": [1.0, 0.75], "low": [None, 0.3], "high": [None, 0.9]
        ... })
        >>> len(survival_figure(frame).data)
        3
    """
    values: list[object] = [None]
    if by is not None:
        first = frame.filter(pl.col("period") == 0).sort(["at_risk", by], descending=[True, False])
        values = first[by].head(len(theme.PALETTE)).to_list()
    note = "Share of people still there (Kaplan and Meier)" + (
        ", 95 % interval" if by is None else f", by {by}"
    )
    result = theme.figure(title, note, showlegend=by is not None, margin_t=76 if by is None else 110)
    for number, value in enumerate(values):
        own = (frame if by is None else frame.filter(pl.col(by) == value)).sort("period")
        color = theme.PALETTE[number]
        name = "" if by is None else theme.shortened(str(value), 22)
        periods = own["period"].to_list()
        if by is None:
            faint = theme.faint(color)
            for column, fill in (("low", None), ("high", "tonexty")):
                result.add_trace(
                    go.Scatter(
                        x=periods,
                        y=own[column].to_list(),
                        mode="lines",
                        line={"width": 0, "shape": "hv", "color": color},
                        fill=fill,
                        fillcolor=faint,
                        hoverinfo="skip",
                        showlegend=False,
                    )
                )
        result.add_trace(
            go.Scatter(
                x=periods,
                y=own["survival"].to_list(),
                name=name,
                mode="lines",
                line={"color": color, "width": 2.5, "shape": "hv"},
                customdata=own["at_risk"].to_list(),
                hovertemplate=(
                    f"period %{{x}}: <b>%{{y:.1%}}</b><br>%{{customdata:,}} people at risk<extra>{name}</extra>"
                ),
            )
        )
    result.update_yaxes(range=[0, 1.02], tickformat=".0~%", nticks=6)
    return result.update_xaxes(title={"text": f"{period}s since the start"}, zeroline=False, nticks=14)


def _histogram(frame: pl.DataFrame, title: str | None, note: str, axis: str) -> go.Figure:
    rows = frame.sort("number").to_dicts()
    unfinished = not frame["complete"].all()
    result = theme.figure(
        title, note + ("; the range is not over yet" if unfinished else ""), showlegend=False
    )
    result.add_trace(
        go.Bar(
            x=[row["number"] for row in rows],
            y=[row["share"] for row in rows],
            marker={"color": theme.PALETTE[0], "line": {"width": 0}, "opacity": 0.6 if unfinished else 1.0},
            text=[_percent(row["share"]) for row in rows] if len(rows) <= _MOST_LABELS else None,
            textposition="outside",
            cliponaxis=False,
            textfont={"color": theme.INK, "size": 12},
            customdata=[f"{row['people']:,} people" for row in rows],
            hovertemplate=f"%{{x}} {axis}<br><b>%{{y:.1%}}</b>, %{{customdata}}<extra></extra>",
        )
    )
    result.update_yaxes(rangemode="tozero", tickformat=".0~%", nticks=6)
    step = 1 if len(rows) <= 31 else None
    return result.update_xaxes(title={"text": axis}, zeroline=False, dtick=step, nticks=16)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}".replace("%", " %")
