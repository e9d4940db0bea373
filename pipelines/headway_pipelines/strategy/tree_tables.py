"""The strategy tree as tables: nodes, what they are to move and where that stands, decisions, evidence, gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import polars as pl

from headway.models.strategy import LEVELS, RISKS, Aim, KillRule, Node, Option, ProductVision, Strategy
from headway.statistics import verdict
from headway.strategy import gaps, owner_of

_TEXT, _DAY, _NUMBER, _YES = pl.String(), pl.Date(), pl.Float64(), pl.Boolean()

SCHEMAS: Final[dict[str, dict[str, pl.DataType]]] = {
    "strategy_vision": {"statement": _TEXT, "by": _DAY},
    "strategy_principles": {"position": pl.Int64(), "principle": _TEXT},
    "strategy_value_streams": {"value_stream": _TEXT, "title": _TEXT, "customer": _TEXT},
    "strategy_nodes": {
        "position": pl.Int64(), "level": _TEXT, "node": _TEXT, "under": _TEXT, "title": _TEXT, "problem": _TEXT,
        "team": _TEXT, "status": _TEXT, "start_day": _DAY, "end_day": _DAY, "horizon": _DAY, "guardrails": _TEXT,
        "vision": _TEXT,
    },
    "strategy_aims": {
        "node": _TEXT, "metric": _TEXT, "period": _TEXT, "target": _NUMBER, "by": _DAY, "period_start": _DAY,
        "value": _NUMBER, "low": _NUMBER, "high": _NUMBER, "state": _TEXT, "sure": _YES,
    },
    "strategy_kill_rules": {
        "node": _TEXT, "metric": _TEXT, "period": _TEXT, "worse_than": _NUMBER, "from_day": _DAY,
        "period_start": _DAY, "value": _NUMBER, "low": _NUMBER, "high": _NUMBER, "state": _TEXT,
    },
    "strategy_decisions": {"node": _TEXT, "date": _DAY, "decision": _TEXT, "reason": _TEXT, "decided_by": _TEXT},
    "strategy_evidence": {
        "node": _TEXT, "risk": _TEXT, "date": _DAY, "kind": _TEXT, "says": _TEXT, "reference": _TEXT,
    },
    "strategy_gaps": {"level": _TEXT, "node": _TEXT, "missing": _TEXT, "ask": _TEXT},
    "strategy_teams": {
        "team": _TEXT, "title": _TEXT, "value_stream": _TEXT, "formed": _DAY, "ended": _DAY,
        "days_together": pl.Int64(), "initiatives_now": pl.Int64(),
    },
}  # fmt: skip
"""Table -> columns and their types, in order."""

Latest = Mapping[tuple[str, str], Mapping[str, Any]]
"""Metric and kind of period -> everybody's latest complete published value."""


def latest_values(values: pl.DataFrame, *, until: dt.date | None = None) -> Latest:
    """Finds everybody's latest complete value of each metric and kind of period.

    Args:
        values: The published table ``metric_values``.
        until: Last day that may count; None for the latest there is.

    Returns:
        The rows; the value is None where it may not be shown.
    """
    found = values.filter(pl.col("complete") & (pl.col("segment") == "all"))
    if until is not None:
        found = found.filter(pl.col("period_end") <= until)
    found = found.sort("period_start").unique(["metric", "period"], keep="last", maintain_order=True)
    return {(row["metric"], row["period"]): row for row in found.iter_rows(named=True)}


def tree_tables(
    strategy: Strategy,
    values: pl.DataFrame,
    directions: Mapping[str, Literal["up", "down"]],
    *,
    today: dt.date,
) -> dict[str, pl.DataFrame]:
    """Writes the tree as tables.

    Args:
        strategy: The tree.
        values: The published table ``metric_values``.
        directions: Metric -> which way is good.
        today: The day up to which there is data.

    Returns:
        The tables of `SCHEMAS`.
    """
    latest = latest_values(values)
    nodes = list(strategy.nodes())
    vision = strategy.vision
    rows: dict[str, list[dict[str, Any]]] = {
        "strategy_vision": [{"statement": vision.statement, "by": vision.by}] if vision else [],
        "strategy_principles": [
            {"position": position, "principle": each}
            for position, each in enumerate(vision.principles if vision else (), start=1)
        ],
        "strategy_value_streams": [
            {"value_stream": name, "title": each.title, "customer": each.customer}
            for name, each in strategy.value_streams.items()
        ],
        "strategy_nodes": [
            _node(position, section, name, node, strategy)
            for position, (section, name, node) in enumerate(_in_order(strategy))
        ],
        "strategy_aims": [
            _aim(name, aim, latest_values(values, until=aim.by) if aim.by and aim.by < today else latest,
                 directions[aim.metric], today)
            for _, name, node in nodes
            for aim in node.aims
        ],
        "strategy_kill_rules": [
            _kill(name, node.kill, latest, directions[node.kill.metric], today) for _, name, node in nodes if node.kill
        ],
        "strategy_decisions": [
            {"node": name, "date": each.date, "decision": each.decision, "reason": each.reason, "decided_by": each.by}
            for _, name, node in nodes
            for each in sorted(node.decisions, key=lambda each: each.date)
        ],
        "strategy_evidence": list(_evidence(strategy)),
        "strategy_gaps": [
            {"level": LEVELS.get(gap.section, gap.section), "node": gap.node, "missing": gap.missing, "ask": gap.ask}
            for gap in gaps(strategy, today=today)
        ],
        "strategy_teams": list(_teams(strategy, today)),
    }  # fmt: skip
    return {name: pl.DataFrame(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _in_order(strategy: Strategy) -> Iterator[tuple[str, str, Node]]:
    """Each node before those below it, and these next to it."""
    nodes = list(strategy.nodes())

    def below(parent: str | None) -> Iterator[tuple[str, str, Node]]:
        for section, name, node in nodes:
            if node.under == parent:
                yield section, name, node
                yield from below(name)

    yield from below(None)


def _node(position: int, section: str, name: str, node: Node, strategy: Strategy) -> dict[str, Any]:
    return {
        "position": position,
        "level": LEVELS[section],
        "node": name,
        "under": node.under,
        "title": node.title,
        "problem": node.problem,
        "team": owner_of(name, strategy),
        "status": node.status,
        "start_day": node.start,
        "end_day": node.end,
        "horizon": node.horizon if isinstance(node, Option) else None,
        "guardrails": ", ".join(node.guardrails),
        "vision": node.vision if isinstance(node, ProductVision) else "",
    }


def _figures(row: Mapping[str, Any] | None) -> dict[str, Any]:
    names = ("period_start", "value", "low", "high")
    return {name: row[name] if row else None for name in names}


def _aim(
    node: str, aim: Aim, latest: Latest, direction: Literal["up", "down"], today: dt.date
) -> dict[str, Any]:
    row = latest.get((aim.metric, aim.period))
    figures = _figures(row)
    state, sure = "no target", None
    if aim.target is not None:
        judged = verdict(figures["value"], figures["low"], figures["high"], aim.target, direction)
        sure = judged != "unclear"
        value = figures["value"]
        if value is None:
            state, sure = "no value", None
        elif (value >= aim.target) if direction == "up" else (value <= aim.target):
            state = "met"
        else:
            state = "missed" if aim.by is not None and aim.by < today else "on the way"
    return {
        "node": node, "metric": aim.metric, "period": aim.period, "target": aim.target, "by": aim.by, **figures,
        "state": state, "sure": sure,
    }  # fmt: skip


def _kill(
    node: str, kill: KillRule, latest: Latest, direction: Literal["up", "down"], today: dt.date
) -> dict[str, Any]:
    figures = _figures(latest.get((kill.metric, kill.period)))
    if kill.since is not None and today < kill.since:
        state = "not yet"
    elif figures["value"] is None:
        state = "no value"
    else:
        judged = verdict(figures["value"], figures["low"], figures["high"], kill.worse_than, direction)
        state = {"ok": "go on", "breached": "stop", "unclear": "not sure"}[judged]
    return {
        "node": node, "metric": kill.metric, "period": kill.period, "worse_than": kill.worse_than,
        "from_day": kill.since, **figures, "state": state,
    }  # fmt: skip


def _evidence(strategy: Strategy) -> Iterator[dict[str, Any]]:
    for name, option in strategy.options.items():
        for risk in RISKS:
            for each in sorted(option.risks.of(risk), key=lambda each: each.date):
                yield {
                    "node": name,
                    "risk": risk,
                    "date": each.date,
                    "kind": each.kind,
                    "says": each.says,
                    "reference": each.reference,
                }


def _teams(strategy: Strategy, today: dt.date) -> Iterator[dict[str, Any]]:
    for name, team in strategy.teams.items():
        until = min(team.ended, today) if team.ended else today
        yield {
            "team": name,
            "title": team.title,
            "value_stream": team.value_stream,
            "formed": team.formed,
            "ended": team.ended,
            "days_together": (until - team.formed).days if team.formed and team.formed <= until else None,
            "initiatives_now": sum(
                node.status == "active" and owner_of(each, strategy) == name
                for each, node in strategy.initiatives.items()
            ),
        }
