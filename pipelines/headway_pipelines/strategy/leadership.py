"""For those who lead: intents beside their targets, where evidence is weak, and what could be let go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from headway.models.strategy import LEVELS, RISKS, Node, Option, Strategy
from headway.strategy import owner_of
from headway.strategy.settlement import SETTLING_GRADES
from headway_pipelines.strategy.scorecards import OUTPUT, Row, Tables, output_and_outcome, rows_of, teams_of

_TEXT, _DAY, _NUMBER, _YES, _WHOLE = pl.String(), pl.Date(), pl.Float64(), pl.Boolean(), pl.Int64()

OLD_DAYS: Final = 180
"""Evidence older than so many days is called old: people and markets change."""

SCHEMAS: Final[dict[str, dict[str, pl.DataType]]] = {
    "leadership_intents": {
        "intent": _TEXT, "team": _TEXT, "metric": _TEXT, "period": _TEXT, "period_start": _DAY, "value": _NUMBER,
        "low": _NUMBER, "high": _NUMBER, "target": _NUMBER, "by": _DAY, "state": _TEXT, "sure": _YES, "grade": _TEXT,
        "initiatives": _WHOLE, "options_released": _WHOLE, "options_improved": _WHOLE, "bets_settled": _WHOLE,
        "bets_hit": _WHOLE, "bets_harm": _WHOLE,
    },
    "weak_evidence": {
        "node": _TEXT, "level": _TEXT, "team": _TEXT, "weakness": _TEXT, "metric": _TEXT, "value": _NUMBER,
        "reference": _NUMBER, "ask": _TEXT,
    },
    "stop_candidates": {
        "node": _TEXT, "level": _TEXT, "team": _TEXT, "reason": _TEXT, "adoption": _NUMBER, "cost_per_month": _NUMBER,
        "metric": _TEXT, "scale": _TEXT, "effect": _NUMBER, "low": _NUMBER, "high": _NUMBER, "grade": _TEXT,
    },
    "output_and_outcome": OUTPUT,
}  # fmt: skip
"""Table -> columns and their types, in order."""


def leadership_tables(strategy: Strategy, tables: Tables, *, today: dt.date) -> dict[str, pl.DataFrame]:
    """Writes what those who lead should look at, from published tables alone.

    Args:
        strategy: The tree.
        tables: The published tables, those about strategy among them.
        today: The day up to which there is data.

    Returns:
        The tables of `SCHEMAS`.
    """
    teams = ("all", *teams_of(strategy, tables))
    rows = {
        "leadership_intents": list(_intents(strategy, tables)),
        "weak_evidence": list(_weak(strategy, tables, today)),
        "stop_candidates": list(_candidates(strategy, tables)),
    }
    return {
        **{name: pl.DataFrame(each, schema=SCHEMAS[name]) for name, each in rows.items()},
        "output_and_outcome": output_and_outcome(tables, teams),
    }


def below(strategy: Strategy, name: str) -> frozenset[str]:
    """Returns the names of all nodes below a node.

    Args:
        strategy: A tree without circles.
        name: The node.

    Returns:
        Their names, its own not among them.
    """
    found: set[str] = set()
    ahead = [name]
    while ahead:
        parent = ahead.pop()
        children = [each for _, each, node in strategy.nodes() if node.under == parent]
        found.update(children)
        ahead += children
    return frozenset(found)


def _intents(strategy: Strategy, tables: Tables) -> Iterator[Row]:
    aims = list(rows_of(tables, "strategy_aims"))
    for name, intent in strategy.intents.items():
        if intent.status in ("done", "stopped"):
            continue
        under = below(strategy, name)
        bets = [row for row in rows_of(tables, "bets") if row["option"] in under]
        released = [row for row in rows_of(tables, "released_options") if row["option"] in under]
        counted = {
            "intent": name,
            "team": owner_of(name, strategy),
            "initiatives": sum(
                each in under and node.status == "active" for each, node in strategy.initiatives.items()
            ),
            "options_released": len(released),
            "options_improved": sum(row["outcome"] == "improved" for row in released),
            "bets_settled": sum(row["verdict"] != "open" for row in bets),
            "bets_hit": sum(row["verdict"] == "hit" for row in bets),
            "bets_harm": sum(row["verdict"] == "harm" for row in bets),
            "grade": min((row["grade"] for row in bets if row["grade"]), default=None),
        }
        own = [row for row in aims if row["node"] == name]
        for row in own:
            yield {**counted, **{key: value for key, value in row.items() if key != "node"}}
        if not own:
            yield {**counted, "state": "no outcome"}


def _weak(strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Row]:
    for section, name, node in strategy.nodes():
        about = {"node": name, "level": LEVELS[section], "team": owner_of(name, strategy)}
        if isinstance(node, Option) and node.status == "active":
            yield from ({**about, **row} for row in _risks(node, today))
        yield from ({**about, **row} for row in _standing(name, node, tables))
        yield from ({**about, **row} for row in _bets(name, tables))


def _risks(option: Option, today: dt.date) -> Iterator[Row]:
    known = [risk for risk in RISKS if option.risks.of(risk)]
    missing = [risk for risk in RISKS if risk not in known]
    if missing:
        yield {
            "weakness": f"no evidence about {', '.join(missing)}", "value": len(known), "reference": len(RISKS),
            "ask": "What is the cheapest way to know before more is built?",
        }  # fmt: skip
    evidence = [each for risk in RISKS for each in option.risks.of(risk)]
    against = sum(each.says == "contradicts" for each in evidence)
    if against:
        yield {
            "weakness": "evidence speaks against it", "value": against, "reference": len(evidence),
            "ask": "Why is it still worked on?",
        }  # fmt: skip
    if evidence and (age := (today - max(each.date for each in evidence)).days) > OLD_DAYS:
        yield {
            "weakness": "its latest evidence is old", "value": age, "reference": OLD_DAYS,
            "ask": "Who has talked to whom since?",
        }  # fmt: skip


def _standing(name: str, node: Node, tables: Tables) -> Iterator[Row]:
    if node.status != "active":
        return
    for row in rows_of(tables, "strategy_aims"):
        if row["node"] == name and row["sure"] is False:
            yield {
                "weakness": "where it stands beside its target may be chance", "metric": row["metric"],
                "value": row["value"], "reference": row["target"], "ask": "Would a longer period tell?",
            }  # fmt: skip


def _bets(name: str, tables: Tables) -> Iterator[Row]:
    for row in rows_of(tables, "bets"):
        if row["option"] != name:
            continue
        if row["verdict"] == "untested":
            yield {
                "weakness": "its bet was never tested", "metric": row["metric"],
                "ask": "What would have told, and is it still worth knowing?",
            }  # fmt: skip
        elif row["verdict"] == "inconclusive":
            weak = row["grade"] not in SETTLING_GRADES
            yield {
                "weakness": f"what came of its bet is of grade {row['grade'] or 'none'}" if weak
                else "what came of its bet may be chance",
                "metric": row["metric"], "value": row["effect"],
                "reference": row["low"] if row["low"] > 0 else row["high"],
                "ask": "Would an experiment be worth it?",
            }  # fmt: skip


def _candidates(strategy: Strategy, tables: Tables) -> Iterator[Row]:
    """What could be let go, each node once with every reason, and the figures to decide by."""
    reasons: dict[str, list[str]] = {}
    for row in rows_of(tables, "released_options"):
        if row["goodbye"]:
            reasons.setdefault(row["option"], []).append(row["goodbye"])
    for row in rows_of(tables, "strategy_kill_rules"):
        node = strategy.node(row["node"])
        if row["state"] == "stop" and node is not None and node.status in ("active", "proposed"):
            reasons.setdefault(row["node"], []).append("its own rule says stop")
    for row in rows_of(tables, "bets"):
        option = strategy.options.get(row["option"])
        if row["verdict"] == "miss" and option is not None and _is_kept(option):
            reasons.setdefault(row["option"], []).append("its bet missed")
    released = {row["option"]: row for row in rows_of(tables, "released_options")}
    levels = {name: LEVELS[section] for section, name, _ in strategy.nodes()}
    for name, why in reasons.items():
        known: Mapping[str, Any] = released.get(name, {})
        yield {
            "node": name, "level": levels.get(name, "option"), "team": _owner(name, known, strategy),
            "reason": "; ".join(dict.fromkeys(why)), "adoption": known.get("adoption"),
            "cost_per_month": known.get("cost_per_month"), **_effect(name, tables),
        }  # fmt: skip


def _owner(name: str, known: Mapping[str, Any], strategy: Strategy) -> str | None:
    # An option that was taken out of the files is owned by whom it was when it was bet on.
    owner = owner_of(name, strategy)
    return owner if owner is not None else known.get("team")


def _is_kept(option: Option) -> bool:
    return option.removed is None and option.status != "stopped"


def _effect(option: str, tables: Tables) -> Row:
    for row in rows_of(tables, "bets"):
        if row["option"] == option and row["effect"] is not None:
            return {
                "metric": row["metric"], "scale": row["scale"], "effect": row["effect"], "low": row["effect_low"],
                "high": row["effect_high"], "grade": row["grade"],
            }  # fmt: skip
    return {}
