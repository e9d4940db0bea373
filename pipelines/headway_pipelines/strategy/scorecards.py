"""Team scorecards: outcomes, bets, kata, experiments, guardrails, customers and focus of each team; output beside."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from headway.models.strategy import Strategy
from headway.statistics import verdict
from headway.strategy import owner_of
from headway_pipelines.strategy.tree_tables import Latest, latest_values

_TEXT, _DAY, _NUMBER, _YES = pl.String(), pl.Date(), pl.Float64(), pl.Boolean()

SCHEMA: Final[dict[str, pl.DataType]] = {
    "team": _TEXT, "part": _TEXT, "measure": _TEXT, "subject": _TEXT, "metric": _TEXT, "unit": _TEXT,
    "period_start": _DAY, "value": _NUMBER, "low": _NUMBER, "high": _NUMBER, "reference": _NUMBER, "state": _TEXT,
    "sure": _YES,
}  # fmt: skip
"""Columns of ``team_scorecards`` and their types, in order."""

PARTS: Final = ("outcomes", "bets", "kata", "experiments", "guardrails", "customers", "focus", "output")
"""Parts of a scorecard, in order: outcomes first, output last and beside its outcome."""

VERDICTS: Final = ("hit", "miss", "harm", "inconclusive", "untested", "open")

_STATES: Mapping[str, str] = {"ok": "kept", "breached": "broken", "unclear": "not sure"}
_PERIODS: Final = ("week", "month", "day")

Tables = Mapping[str, pl.DataFrame]
Row = dict[str, Any]


def team_scorecards(strategy: Strategy, tables: Tables, *, today: dt.date) -> pl.DataFrame:
    """Writes the scorecard of every team, from published tables alone.

    Args:
        strategy: The tree.
        tables: The published tables, those about strategy among them.
        today: The day up to which there is data.

    Returns:
        One row per team and figure; see `SCHEMA`. A team that owns something without being declared, or that ended,
        has its rows too.
    """
    latest = latest_values(tables["metric_values"])
    metrics = {row["metric"]: row for row in rows_of(tables, "metric_catalogue")}
    found = [
        {"team": team, "part": part, **row}
        for team in teams_of(strategy, tables)
        for part, rows in (
            ("outcomes", _outcomes(team, tables)),
            ("bets", _bets(team, tables)),
            ("kata", _kata(team, tables)),
            ("experiments", _experiments(team, strategy, tables)),
            ("guardrails", _guardrails(team, strategy, latest, metrics)),
            ("customers", _customers(team, latest, metrics)),
            ("focus", _focus(team, strategy, tables, today)),
            ("output", _output(team, tables)),
        )
        for row in rows
    ]
    for row in found:
        row.setdefault("unit", metrics[row["metric"]]["unit"] if row.get("metric") in metrics else "count")
    return pl.DataFrame(found, schema=SCHEMA)


def teams_of(strategy: Strategy, tables: Tables) -> tuple[str, ...]:
    """Lists the teams: those that are declared, and those that own a node, a bet or a kata all the same.

    Args:
        strategy: The tree.
        tables: The published tables.

    Returns:
        Their names; an empty one stands for what nobody owns, where there are bets of nobody.
    """
    owners = [owner_of(name, strategy) for _, name, _ in strategy.nodes()]
    seen = dict.fromkeys([*strategy.teams, *(each for each in owners if each)])
    for table in ("bets", "kata"):
        seen |= dict.fromkeys(row["team"] or "" for row in rows_of(tables, table))
    return tuple(seen)


def rows_of(tables: Tables, name: str) -> Iterator[Row]:
    """Yields the rows of a table; none where there is no such table."""
    if name in tables:
        yield from tables[name].iter_rows(named=True)


def owned_by(team: str, tables: Tables) -> frozenset[str]:
    """Returns the names of the nodes a team owns."""
    return frozenset(row["node"] for row in rows_of(tables, "strategy_nodes") if (row["team"] or "") == team)


def _outcomes(team: str, tables: Tables) -> Iterator[Row]:
    own = owned_by(team, tables)
    aims = [row for row in rows_of(tables, "strategy_aims") if row["node"] in own]
    targets = [row for row in aims if row["target"] is not None]
    if targets:
        yield {
            "measure": "targets met", "value": sum(row["state"] == "met" for row in targets),
            "reference": len(targets),
        }  # fmt: skip
    for row in aims:
        yield {
            "measure": "aim", "subject": row["node"], "metric": row["metric"], "period_start": row["period_start"],
            "value": row["value"], "low": row["low"], "high": row["high"], "reference": row["target"],
            "state": row["state"], "sure": row["sure"],
        }  # fmt: skip


def _bets(team: str, tables: Tables) -> Iterator[Row]:
    own = Counter(row["verdict"] for row in rows_of(tables, "bets") if (row["team"] or "") == team)
    for name in VERDICTS if own else ():
        yield {"measure": name, "value": own[name], "reference": own.total()}
    for row in rows_of(tables, "forecasts"):
        if row["team"] != team:
            continue
        if row["brier"] is not None:
            yield {"measure": "brier", "value": row["brier"], "unit": "score"}
        if row["ranges"]:
            yield {
                "measure": "ranges held", "unit": "percent", "value": row["share_held"], "low": row["low"],
                "high": row["high"], "reference": row["stated"], "state": row["calibration"],
            }  # fmt: skip


def _kata(team: str, tables: Tables) -> Iterator[Row]:
    for row in rows_of(tables, "kata_measures"):
        if row["team"] != team:
            continue
        yield {"measure": "steps closed", "value": row["closed"], "reference": row["steps"]}
        for name, unit in (("cycle_days", "days"), ("steps_per_30_days", "steps"), ("surprised", "percent")):
            if row[name] is not None:
                yield {"measure": name.replace("_", " "), "value": row[name], "unit": unit}


def _experiments(team: str, strategy: Strategy, tables: Tables) -> Iterator[Row]:
    tested = {
        option.experiment
        for name, option in strategy.options.items()
        if option.experiment and (owner_of(name, strategy) or "") == team
    }
    own = [
        row
        for row in rows_of(tables, "experiments")
        if row["experiment"] in tested or row.get("owner") == team
    ]
    names = {row["experiment"] for row in own}
    controls = {row["experiment"]: row.get("control") for row in own}
    for status, count in sorted(Counter(row.get("status") or "running" for row in own).items()):
        yield {"measure": status, "value": count, "reference": len(own)}
    for row in rows_of(tables, "experiment_results"):
        told = row["experiment"] in names and row.get("purpose") in ("primary", "guardrail")
        if told and row["variant"] != controls[row["experiment"]]:
            yield {
                "measure": row["purpose"], "subject": row["experiment"], "metric": row["metric"], "unit": row["unit"],
                "value": row["effect"], "low": row["low"], "high": row["high"], "state": row["verdict"],
            }  # fmt: skip


def latest_of(metric: str, latest: Latest) -> Mapping[str, Any] | None:
    """Returns a metric's latest complete value, of weeks where there are any."""
    found = (latest.get((metric, period)) for period in _PERIODS)
    return next((row for row in found if row is not None), None)


def _figures(metric: str, latest: Latest) -> Row:
    row = latest_of(metric, latest)
    names = ("period_start", "value", "low", "high")
    return {"metric": metric, **{name: row[name] if row else None for name in names}}


def _judged(figures: Row, reference: float | None, direction: Any) -> str:
    if figures["value"] is None:
        return "no value"
    if reference is None:
        return "no limit"
    return _STATES[verdict(figures["value"], figures["low"], figures["high"], reference, direction)]


def _guardrails(team: str, strategy: Strategy, latest: Latest, metrics: Mapping[str, Row]) -> Iterator[Row]:
    own = [node for _, name, node in strategy.nodes() if (owner_of(name, strategy) or "") == team]
    for metric in dict.fromkeys(metric for node in own for metric in node.guardrails):
        figures, known = _figures(metric, latest), metrics.get(metric, {})
        limit = known.get("limit_value")
        state = _judged(figures, limit, known.get("direction", "up"))
        yield {"measure": "guardrail", **figures, "reference": limit, "state": state}


def _customers(team: str, latest: Latest, metrics: Mapping[str, Row]) -> Iterator[Row]:
    """How customers in trouble are answered: the team's own metrics of that, else those of the whole product."""
    asked = [row for row in metrics.values() if row["framework"] == "customer"]
    own = [row for row in asked if row["owner"] == team]
    for row in own or asked:
        figures, target = _figures(row["metric"], latest), row["target_value"]
        state = _judged(figures, target, row["direction"])
        yield {
            "measure": "own" if own else "product", **figures, "reference": target,
            "state": {"no limit": "no target", "kept": "met", "broken": "missed"}.get(state, state),
        }  # fmt: skip


def _focus(team: str, strategy: Strategy, tables: Tables, today: dt.date) -> Iterator[Row]:
    for row in rows_of(tables, "strategy_teams"):
        if row["team"] == team:
            state = "ended" if row["ended"] and row["ended"] <= today else "together"
            if row["days_together"] is not None:
                yield {
                    "measure": "days together",
                    "value": row["days_together"],
                    "unit": "days",
                    "state": state,
                }
            yield {"measure": "initiatives at once", "value": row["initiatives_now"]}
    if team not in strategy.teams:
        yield {"measure": "not declared", "state": "not among teams:"}
    options = [name for name, option in strategy.options.items() if option.status == "active"]
    yield {
        "measure": "options at once",
        "value": sum((owner_of(name, strategy) or "") == team for name in options),
    }


def _output(team: str, tables: Tables) -> Iterator[Row]:
    """What went out, and beside it what of it helped: one row never stands without the other."""
    for row in output_and_outcome(tables, (team,)).iter_rows(named=True):
        yield {"measure": "releases", "value": row["releases"]}
        yield {"measure": "changes", "value": row["changes"]}
        if row["tickets_closed"] is not None:
            yield {"measure": "tickets closed", "value": row["tickets_closed"]}
        yield {
            "measure": "options improved",
            "value": row["options_improved"],
            "reference": row["options_released"],
        }


OUTPUT: Final[dict[str, pl.DataType]] = {
    "team": _TEXT, "releases": pl.Int64(), "changes": pl.Int64(), "tickets_closed": pl.Int64(),
    "options_released": pl.Int64(), "options_measured": pl.Int64(), "options_improved": pl.Int64(),
    "targets": pl.Int64(), "targets_met": pl.Int64(), "bets_settled": pl.Int64(), "bets_hit": pl.Int64(),
}  # fmt: skip
"""Columns of ``output_and_outcome`` and their types, in order."""


def output_and_outcome(tables: Tables, teams: tuple[str, ...]) -> pl.DataFrame:
    """Counts output and, in the same row, what came of it.

    Args:
        tables: The published tables.
        teams: The teams; ``all`` takes everything, whosever it is.

    Returns:
        One row per team; see `OUTPUT`. Deploys and rollbacks are releases too; `changes` is what the log says of them.
    """
    return pl.DataFrame([_both(team, tables) for team in teams], schema=OUTPUT)


def _both(team: str, tables: Tables) -> Row:
    def own(name: str) -> list[Row]:
        return [row for row in rows_of(tables, name) if team == "all" or (row.get("team") or "") == team]

    nodes = {row["node"] for row in own("strategy_nodes")}
    aims = [
        row for row in rows_of(tables, "strategy_aims") if row["node"] in nodes and row["target"] is not None
    ]
    released, bets = own("released_options"), own("bets")
    return {
        "team": team,
        "releases": len(own("releases")),
        "changes": sum(row.get("changes") or 0 for row in own("releases")),
        "tickets_closed": sum(row["tickets"] for row in own("closed_work"))
        if "closed_work" in tables
        else None,
        "options_released": len(released),
        "options_measured": sum(row["measured"] for row in released),
        "options_improved": sum(row["outcome"] == "improved" for row in released),
        "targets": len(aims),
        "targets_met": sum(row["state"] == "met" for row in aims),
        "bets_settled": sum(row["verdict"] != "open" for row in bets),
        "bets_hit": sum(row["verdict"] == "hit" for row in bets),
    }
