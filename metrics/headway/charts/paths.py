"""The flow of paths from item to item."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import plotly.graph_objects as go
import polars as pl

from headway.charts import theme

OTHER, ENDED = "(other)", "(end)"
_MOST_ITEMS = 8
_HEIGHT, _TOP, _BOTTOM, _LEFT, _RIGHT, _PAD = 520, 104, 24, 28, 190, 16
_THICKNESS, _LETTER = 12, 6.7
_QUIET, _GONE = "#B8C0CA", "#DDE2E8"


class Node(NamedTuple):
    """An item at a step.

    Attributes:
        step: The step.
        item: The item, or what stands for the rest or for the end.
    """

    step: int
    item: str


def paths_figure(
    frame: pl.DataFrame, items: pl.DataFrame, *, top: int | None = 50, title: str | None = "Paths"
) -> go.Figure:
    """Draws what follows what, step by step.

    Args:
        frame: Columns ``step``, ``source``, ``target``, ``traversals``, ``people``, ``seconds_mean``, as `Paths`
            returns.
        items: Columns ``step``, ``item``, ``stopped``, as `PathsResult.items`.
        top: How many edges count for what is shown by name; None for all. At most eight items a step are.
        title: Heading, or None.

    Returns:
        Columns of items joined by bands as wide as they are travelled; the most travelled on top, the rest as
        "(other)", and paths that stop there in pale grey.

    Examples:
        >>> frame = pl.DataFrame({
        ...     "step": [1], "source": ["Home"], "target": ["Search"], "traversals": [3], "people": [2],
        ...     "seconds_mean": [10.0],
        ... })
        >>> items = pl.DataFrame({"step": [1, 2], "item": ["Home", "Search"], "stopped": [1, 0]})
        >>> list(paths_figure(frame, items).data[0].node.customdata)
        ['Home', 'Search', '(end)']
    """
    note = "Width: how often one follows the other. (end): nothing more follows."
    result = theme.figure(
        title, note, height=_HEIGHT, margin={"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM}
    )
    bands, hovers = _bands(frame, items, _named(frame, top))
    if not bands:
        return result.update_xaxes(visible=False).update_yaxes(visible=False)
    flows = _flows(bands)
    nodes = sorted(flows, key=lambda node: (node.step, _last(node.item), -flows[node], node.item))
    places = {node: place for place, node in enumerate(nodes)}
    colors = _colors(flows)
    x, y = _positions(nodes, flows)
    result.add_trace(
        go.Sankey(
            arrangement="snap",
            node={
                "x": x,
                "y": y,
                "pad": _PAD,
                "thickness": _THICKNESS,
                "color": [colors[node.item] for node in nodes],
                "line": {"width": 0},
                "customdata": [theme.plain(node.item) for node in nodes],
                "hovertemplate": "<b>%{customdata}</b><br>%{value:,.0f} paths<extra></extra>",
            },
            link={
                "source": [places[source] for source, _ in bands],
                "target": [places[target] for _, target in bands],
                "value": list(bands.values()),
                "color": [_faint(_GONE if to.item == ENDED else colors[of.item]) for of, to in bands],
                "customdata": [hovers[band] for band in bands],
                "hovertemplate": "%{customdata}<extra></extra>",
            },
        )
    )
    _label(result, nodes, flows, (x, y))
    return result


def _named(frame: pl.DataFrame, top: int | None) -> set[Node]:
    """The nodes that are shown by name: ends of the most travelled edges, the largest of each step."""
    ranked = frame.sort(["traversals", "step", "source", "target"], descending=[True, False, False, False])
    flows: dict[Node, int] = defaultdict(int)
    for row in (ranked if top is None else ranked.head(top)).iter_rows(named=True):
        flows[Node(row["step"], row["source"])] += row["traversals"]
        flows[Node(row["step"] + 1, row["target"])] += row["traversals"]
    shown: set[Node] = set()
    for step in {node.step for node in flows}:
        mine = [node for node in flows if node.step == step]
        shown |= set(sorted(mine, key=lambda node: (-flows[node], node.item))[:_MOST_ITEMS])
    return shown


def _bands(
    frame: pl.DataFrame, items: pl.DataFrame, named: set[Node]
) -> tuple[dict[tuple[Node, Node], int], dict[tuple[Node, Node], str]]:
    def shown(node: Node) -> Node:
        return node if node in named else Node(node.step, OTHER)

    bands: dict[tuple[Node, Node], int] = defaultdict(int)
    hovers: dict[tuple[Node, Node], str] = {}
    for row in frame.iter_rows(named=True):
        ends = Node(row["step"], row["source"]), Node(row["step"] + 1, row["target"])
        band = shown(ends[0]), shown(ends[1])
        bands[band] += row["traversals"]
        head = f"<b>{theme.plain(band[0].item)} → {theme.plain(band[1].item)}</b><br>{bands[band]:,} times"
        more = f", {row['people']:,} people<br>{row['seconds_mean']:,.0f} s later on average"
        hovers[band] = head + (more if band == ends else "")
    for row in items.filter(pl.col("stopped") > 0).iter_rows(named=True):
        source = shown(Node(row["step"], row["item"]))
        band = source, Node(row["step"] + 1, ENDED)
        bands[band] += row["stopped"]
        hovers[band] = f"<b>{theme.plain(source.item)}</b><br>{bands[band]:,} paths have nothing more"
    return bands, hovers


def _flows(bands: dict[tuple[Node, Node], int]) -> dict[Node, int]:
    """How many paths pass each node: what comes in or goes out, whichever is more."""
    into: dict[Node, int] = defaultdict(int)
    out: dict[Node, int] = defaultdict(int)
    for (source, target), value in bands.items():
        out[source] += value
        into[target] += value
    return {node: max(into[node], out[node]) for node in {*into, *out}}


def _last(item: str) -> int:
    return {OTHER: 1, ENDED: 2}.get(item, 0)


def _colors(flows: dict[Node, int]) -> dict[str, str]:
    totals: dict[str, int] = defaultdict(int)
    for node, flow in flows.items():
        totals[node.item] += flow
    ranked = sorted((item for item in totals if not _last(item)), key=lambda item: (-totals[item], item))
    palette = [*theme.PALETTE, *[_QUIET] * len(ranked)]
    return {**dict(zip(ranked, palette, strict=False)), OTHER: _QUIET, ENDED: _GONE}


def _positions(nodes: list[Node], flows: dict[Node, int]) -> tuple[list[float], list[float]]:
    """Columns by step; in each, nodes from the top down in their order, as Plotly scales them."""
    height = _HEIGHT - _TOP - _BOTTOM
    steps = sorted({node.step for node in nodes})
    columns = {step: [node for node in nodes if node.step == step] for step in steps}
    scale = min(
        (height - _PAD * (len(column) - 1)) / sum(flows[node] for node in column)
        for column in columns.values()
    )
    x, y = [], []
    for step in steps:
        above = 0.0
        for node in columns[step]:
            size = flows[node] * scale
            x.append(min(max((step - steps[0]) / max(steps[-1] - steps[0], 1), 0.001), 0.999))
            y.append(min(max((above + size / 2) / height, 0.001), 0.999))
            above += size + _PAD
    return x, y


def _label(
    result: go.Figure, nodes: list[Node], flows: dict[Node, int], places: tuple[list[float], list[float]]
) -> None:
    """Writes names and numbers to the right of each node, as far as there is room, and the steps above."""
    steps = sorted({node.step for node in nodes})
    # The names of the last step stand in the right margin.
    width = min((theme.WIDTH - _LEFT - _RIGHT) / max(len(steps) - 1, 1), _RIGHT)
    for node, x, y in zip(nodes, *places, strict=True):
        number = f"{flows[node]:,}"
        room = min(int((width - 2 * _THICKNESS) / _LETTER), 26) - len(number) - 2
        name = theme.shortened(node.item, max(room, 4))
        color = theme.MUTED if _last(node.item) else theme.INK
        _write(result, f"{name}  <b>{number}</b>", x, 1 - y, xshift=_THICKNESS + 3, color=color)
    for step in steps:
        place = (step - steps[0]) / max(steps[-1] - steps[0], 1)
        _write(result, f"step {step}", place, 1, yshift=14, color=theme.MUTED)


def _write(
    result: go.Figure, text: str, x: float, y: float, *, color: str, xshift: int = 0, yshift: int = 0
) -> None:
    result.add_annotation(
        x=x,
        y=y,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="middle",
        xshift=xshift,
        yshift=yshift,
        text=text,
        showarrow=False,
        font={"size": 11.5, "color": color},
        # Bands run behind the text; they must not strike it through.
        bgcolor="rgba(255,255,255,0.55)",
        borderpad=0,
    )


def _faint(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{0.55 if color == _GONE else 0.3})"
