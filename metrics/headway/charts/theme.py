"""How every Headway chart looks: one Plotly template, and the few helpers that keep charts alike.

The colours are those of Okabe and Ito, chosen to stay apart for all common forms of colour blindness; shapes
(dashes, hollow points, dots) say the same again, so that nothing depends on colour alone. Fonts are the reader's
own: nothing is fetched.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import plotly.graph_objects as go
import plotly.io as pio

TEMPLATE = "headway"

# Okabe, M. and Ito, K. (2008). Color Universal Design. https://jfly.uni-koeln.de/color/
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6B4E9B", "#5F6B7A")
INK = "#1F2933"
MUTED = "#5F6B7A"
LIMIT = "#B04500"
GRID = "#E8EBEF"
EMPTY = "#F1F3F5"
PAPER = "#FFFFFF"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SEQUENTIAL = ((0.0, "#F2F7FB"), (0.25, "#C5DDEE"), (0.5, "#7FB3D8"), (0.75, "#3486BD"), (1.0, "#004C7F"))

WIDTH, HEIGHT = 860, 420
SUPPRESSED = "&lt;10"
DATE = "%d %b %Y"
# Room, in pixels, that a label beside a line needs for itself.
_LABEL_ROOM = 17
_MOST_TICKS = 8
_TITLE_TOP = 15
# Characters of a title that fit beside the margins.
_TITLE = 92


class Numbers(NamedTuple):
    """How the numbers of a unit are written.

    Attributes:
        tick: Format of axis ticks (d3).
        hover: Format in hover texts (d3).
        suffix: Text behind the number in hover texts.
        ticks: Text behind the number at the axis.
    """

    tick: str
    hover: str
    suffix: str = ""
    ticks: str = ""


def numbers(unit: str | None) -> Numbers:
    """Chooses how to write the numbers of a unit.

    Args:
        unit: ``"percent"`` (values are fractions), ``"people"``, ``"points"``, a currency, or None.

    Returns:
        Formats for ticks and hover texts.

    Examples:
        >>> numbers("percent")
        Numbers(tick='.0~%', hover='.1%', suffix='', ticks='')
        >>> numbers("EUR").suffix
        ' EUR'
    """
    if unit == "percent":
        return Numbers(".0~%", ".1%")
    if unit in (None, "people", "events"):
        return Numbers(",~r", ",.2~f" if unit else ",.6~r", f" {unit}" if unit else "")
    return Numbers(",~r", ",.2~f", f" {plain(str(unit))}", f" {plain(str(unit))}")


def plain(text: str) -> str:
    """Makes a name safe for labels: Plotly reads some HTML, and a name may hold any.

    Args:
        text: A name from a log or a definition.

    Returns:
        The text with markup escaped.

    Examples:
        >>> plain("<b>a</b>")
        '&lt;b&gt;a&lt;/b&gt;'
    """
    return html.escape(text, quote=False)


def shortened(text: str, length: int = 34) -> str:
    """Cuts a long name for an axis.

    Args:
        text: A name.
        length: Most characters to keep.

    Returns:
        The escaped name, with an ellipsis where it was cut: at its end, or where it is a path at its front, since pages
        of one site begin alike.

    Examples:
        >>> shortened("a very long name", 9)
        'a very l…'
        >>> shortened("shop.example.com/cart", 9)
        '…com/cart'
    """
    if len(text) <= length:
        return plain(text)
    if "/" in text and " " not in text:
        return plain("…" + text[1 - length :])
    return plain(text[: length - 1].rstrip() + "…")


def figure(title: str | None, subtitle: str | None = None, height: int = HEIGHT, **layout: Any) -> go.Figure:
    """Starts a figure in the house style.

    Args:
        title: What the chart shows, or None.
        subtitle: The caveat or the unit, or None.
        height: Height in pixels.
        **layout: More Plotly layout.

    Returns:
        An empty figure.
    """
    result = go.Figure(layout={"template": TEMPLATE, "height": height, **layout})
    if title:
        # A sentence makes a title: without its full stop, and no wider than the figure.
        told = title.rstrip(".")
        told = told if len(told) <= _TITLE else told[: _TITLE - 1].rstrip(" ,;:") + "…"
        heading = {"text": plain(told), "subtitle": {"text": plain(subtitle or "")}}
        # The same distance from the top however tall the figure is.
        result.update_layout(title={**heading, "y": 1 - _TITLE_TOP / height})
    elif subtitle:
        result.update_layout(title={"text": "", "subtitle": {"text": plain(subtitle)}}, margin_t=56)
    else:
        result.update_layout(margin_t=28)
    return result


def spread(positions: Sequence[float], span: float, height: int = HEIGHT) -> list[int]:
    """Moves labels beside lines apart, so that none covers another.

    Args:
        positions: Where the labels belong, in units of the axis.
        span: Length of the axis in the same units.
        height: Height of the figure in pixels.

    Returns:
        Shift of each label in pixels, upwards positive.

    Examples:
        >>> spread([1.0, 1.0], 10.0)
        [0, 17]
    """
    scale = (height - 130) / span if span else 0.0
    shifts = [0] * len(positions)
    lowest = float("-inf")
    for place in sorted(range(len(positions)), key=lambda i: positions[i]):
        wanted = positions[place] * scale
        actual = max(wanted, lowest + _LABEL_ROOM)
        shifts[place], lowest = round(actual - wanted), actual
    return shifts


def faint(color: str) -> str:
    """Makes a colour faint, for bands.

    Args:
        color: Six hexadecimal digits behind a ``#``.

    Returns:
        The colour as Plotly reads it.

    Examples:
        >>> faint("#0072B2")
        'rgba(0,114,178,0.13)'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.13)"


def date_ticks(days: Sequence[date], most: int = _MOST_TICKS) -> dict[str, Any]:
    """Puts ticks on starts of periods, evenly and not too many.

    Args:
        days: First days of the periods.
        most: Most ticks.

    Returns:
        Options of a Plotly axis.

    Examples:
        >>> date_ticks([date(2026, 3, 1), date(2026, 4, 1)])["ticktext"]
        ['Mar 2026', 'Apr 2026']
    """
    known = sorted(set(days))
    if not known:
        return {}
    step = -(-len(known) // most)
    marked = known[::-1][::step][::-1]
    long = known[-1].year != known[0].year
    pattern = (
        "%b %Y" if all(day.day == 1 for day in known) and len(known) > 1 else "%d %b %Y" if long else "%d %b"
    )
    return {"tickvals": marked, "ticktext": [day.strftime(pattern) for day in marked]}


def _template() -> go.layout.Template:
    axis = {
        "gridcolor": GRID,
        "linecolor": GRID,
        "zerolinecolor": GRID,
        "zerolinewidth": 1,
        "ticks": "",
        "tickfont": {"color": MUTED, "size": 12},
        "title": {"font": {"color": MUTED, "size": 12}, "standoff": 12},
        "ticklabelstandoff": 6,
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": INK},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "pad": {"l": 24},
                "y": 0.965,
                "yanchor": "top",
                "font": {"size": 17, "color": INK},
                "subtitle": {"font": {"size": 12.5, "color": MUTED}},
            },
            "colorway": list(PALETTE),
            "colorscale": {"sequential": [list(stop) for stop in SEQUENTIAL]},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "margin": {"l": 64, "r": 40, "t": 76, "b": 48},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": {**axis, "linecolor": PAPER},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
            "hoverlabel": {
                "bgcolor": PAPER,
                "bordercolor": GRID,
                "align": "left",
                "font": {"family": FONT, "size": 12.5, "color": INK},
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#C3CAD3", "activecolor": MUTED},
            "bargap": 0.32,
            "hovermode": "closest",
        }
    )


pio.templates[TEMPLATE] = _template()
