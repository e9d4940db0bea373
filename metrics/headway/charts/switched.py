"""One figure for several: a menu that switches between groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from headway.charts import theme

_ABOVE, _ABOVE_HEADINGS = 1.02, 1.1
_SWAPPED = ("xaxis", "yaxis", "xaxis2", "yaxis2", "annotations", "shapes", "height")


def switched(labels: Sequence[str], figures: Sequence[go.Figure]) -> go.Figure:
    """Puts figures of the same kind behind a menu.

    Args:
        labels: What the menu says, in order.
        figures: One for each label, drawn alike.

    Returns:
        The first figure, with a menu that shows any of them.

    Examples:
        >>> one, other = theme.figure("a").add_bar(y=[1]), theme.figure("b").add_bar(y=[2])
        >>> result = switched(["one", "other"], [one, other])
        >>> [trace.visible for trace in result.data], len(result.layout.updatemenus[0].buttons)
        ([True, False], 2)
    """
    result = go.Figure(layout=figures[0].layout)
    owners: list[int] = []
    for place, each in enumerate(figures):
        for trace in each.data:
            # What a figure hides itself stays hidden when it is its turn.
            result.add_trace(trace.update(visible=(trace.visible is not False) and place == 0))
            owners.append(place)
    buttons = [
        {
            "label": theme.shortened(label),
            "method": "update",
            "args": [{"visible": [owner == place for owner in owners]}, _layout(each)],
        }
        for place, (label, each) in enumerate(zip(labels, figures, strict=True))
    ]
    # A flow has headings over its columns, where the menu would lie.
    flows = any(trace.type == "sankey" for trace in result.data)
    menu = {
        "buttons": buttons,
        "x": 1,
        "xanchor": "right",
        "y": _ABOVE_HEADINGS if flows else _ABOVE,
        "yanchor": "bottom",
        "bgcolor": theme.PAPER,
        "bordercolor": theme.GRID,
        "font": {"size": 12, "color": theme.INK},
        "pad": {"r": 0, "b": 4},
        "showactive": True,
    }
    return result.update_layout(updatemenus=[menu])


def _layout(figure: go.Figure) -> dict[str, Any]:
    layout = figure.layout.to_plotly_json()
    return {name: layout[name] for name in _SWAPPED if name in layout}
