"""Bets, forecasts, what was released and the money it brought, as tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from headway.models.strategy import Strategy
from headway.statistics.calibration import brier, range_coverage
from headway.strategy import (
    Adoption,
    Income,
    MeasuredEffect,
    Released,
    build_trap,
    owner_of,
    released_options,
    time_to_money,
)
from headway_pipelines.strategy.bets_ledger import Entry
from headway_pipelines.strategy.follow import History

_TEXT, _DAY, _NUMBER, _YES, _WHOLE = pl.String(), pl.Date(), pl.Float64(), pl.Boolean(), pl.Int64()
_AT = pl.Datetime("us")

SCHEMAS: Final[dict[str, dict[str, pl.DataType]]] = {
    "bets": {
        "bet": _TEXT, "option": _TEXT, "initiative": _TEXT, "team": _TEXT, "metric": _TEXT, "segment": _TEXT,
        "scale": _TEXT, "expect": _NUMBER, "low": _NUMBER, "high": _NUMBER, "confidence": _NUMBER,
        "probability": _NUMBER, "start_day": _DAY, "horizon": _DAY, "frozen_at": _AT, "committed_at": _AT,
        "made_before": _TEXT, "changes": _WHOLE, "changed": _TEXT, "withdrawn_at": _AT, "verdict": _TEXT,
        "reason": _TEXT, "effect": _NUMBER, "effect_low": _NUMBER, "effect_high": _NUMBER, "in_range": _YES,
        "method": _TEXT, "grade": _TEXT, "settled_at": _AT, "revised_verdict": _TEXT, "revised_reason": _TEXT,
        "hash": _TEXT,
    },
    "bet_entries": {
        "number": _WHOLE, "at": _AT, "kind": _TEXT, "bet": _TEXT, "hash": _TEXT,
    },
    "forecasts": {
        "team": _TEXT, "settled": _WHOLE, "hits": _WHOLE, "brier": _NUMBER, "skill": _NUMBER, "reliability": _NUMBER,
        "resolution": _NUMBER, "ranges": _WHOLE, "held": _WHOLE, "share_held": _NUMBER, "low": _NUMBER,
        "high": _NUMBER, "stated": _NUMBER, "calibration": _TEXT,
    },
    "forecast_history": {
        "team": _TEXT, "until": _DAY, "settled": _WHOLE, "hits": _WHOLE, "brier": _NUMBER, "ranges": _WHOLE,
        "held": _WHOLE, "share_held": _NUMBER, "low": _NUMBER, "high": _NUMBER, "stated": _NUMBER,
    },
    "released_options": {
        "option": _TEXT, "team": _TEXT, "released": _DAY, "removed": _DAY, "measured": _YES, "outcome": _TEXT,
        "unused": _YES, "adoption": _NUMBER, "cost_per_month": _NUMBER, "goodbye": _TEXT,
    },
    "build_trap": {
        "team": _TEXT, "released": _WHOLE, "measured": _WHOLE, "improved": _WHOLE, "unused": _WHOLE,
        "removed": _WHOLE, "share_improved": _NUMBER, "low": _NUMBER, "high": _NUMBER,
    },
    "time_to_money": {
        "option": _TEXT, "start_to_outcome_days": _WHOLE, "release_to_outcome_days": _WHOLE,
        "start_to_break_even_days": _WHOLE, "release_to_break_even_days": _WHOLE, "cost": _NUMBER, "income": _NUMBER,
        "currency": _TEXT,
    },
}  # fmt: skip
"""Table -> columns and their types, in order."""

EVERYBODY = "all"
"""Team under which the figures of all teams stand."""

_DECIDED = ("hit", "miss", "harm")


def bet_tables(
    strategy: Strategy,
    histories: Mapping[str, History],
    entries: Sequence[Entry],
    effects: Mapping[str, Sequence[MeasuredEffect]],
    adoption: Mapping[str, Adoption],
    days: Mapping[str, dt.date],
    first_outcomes: Mapping[str, dt.date],
    values: pl.DataFrame,
    currency: str,
    *,
    today: dt.date,
) -> dict[str, pl.DataFrame]:
    """Writes bets and what followed from them as tables.

    Args:
        strategy: The tree.
        histories: Bet -> what the ledger knows of it.
        entries: The ledger.
        effects: Option -> effects measured of it.
        adoption: Option -> who used it.
        days: Option -> day of its release, as far as the release log tells.
        first_outcomes: Option -> day of its first measured outcome.
        values: The published table ``metric_values``, for income.
        currency: The product's currency.
        today: The day up to which there is data.

    Returns:
        The tables of `SCHEMAS`.
    """
    released = released_options(strategy, effects, adoption, days, today=today)
    owners = {each.option: owner_of(each.option, strategy) for each in released}
    rows: dict[str, list[dict[str, Any]]] = {
        "bets": [_bet(history, _released_on(strategy, history.bet.option, days)) for history in histories.values()],
        "bet_entries": [
            {"number": each.number, "at": each.at, "kind": each.kind, "bet": each.bet, "hash": each.hash}
            for each in entries
        ],
        "forecasts": list(_by_team(histories)),
        "forecast_history": list(_over_time(histories)),
        "released_options": [_released(each, owners[each.option]) for each in released],
        "build_trap": list(_traps(released, owners)),
        "time_to_money": list(_money(strategy, released, first_outcomes, values, currency)),
    }  # fmt: skip
    return {name: pl.DataFrame(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _released_on(strategy: Strategy, option: str, days: Mapping[str, dt.date]) -> dt.date | None:
    known = strategy.options.get(option)
    return days.get(option, known.released if known else None)


def _bet(history: History, released: dt.date | None) -> dict[str, Any]:
    bet, settled, revised = history.bet, history.settled, history.revised
    return {
        "bet": bet.bet, "option": bet.option, "initiative": bet.initiative, "team": bet.team, "metric": bet.metric,
        "segment": bet.segment, "scale": bet.scale, "expect": bet.expect, "low": bet.low, "high": bet.high,
        "confidence": bet.confidence, "probability": bet.probability, "start_day": bet.start, "horizon": bet.horizon,
        "frozen_at": history.frozen_at, "committed_at": history.committed_at,
        "made_before": history.made_before(released), "changes": history.changes,
        "changed": ", ".join(history.changed), "withdrawn_at": history.withdrawn_at,
        "verdict": settled.verdict if settled else "open",
        "reason": settled.reason if settled else f"will be settled on {bet.horizon}",
        "effect": settled.effect if settled else None, "effect_low": settled.low if settled else None,
        "effect_high": settled.high if settled else None, "in_range": settled.in_range if settled else None,
        "method": settled.method if settled else None, "grade": settled.grade if settled else None,
        "settled_at": history.settled_at, "revised_verdict": revised.verdict if revised else None,
        "revised_reason": revised.reason if revised else None, "hash": bet.hash,
    }  # fmt: skip


def _by_team(histories: Mapping[str, History]) -> Iterator[dict[str, Any]]:
    teams = dict.fromkeys(history.bet.team or "" for history in histories.values())
    for team in (EVERYBODY, *teams):
        chosen = [each for each in histories.values() if team == EVERYBODY or (each.bet.team or "") == team]
        if chosen:
            yield {"team": team, **_forecasts(chosen)}


def _over_time(histories: Mapping[str, History]) -> Iterator[dict[str, Any]]:
    """The same of each team after every day on which a bet of its own was settled: whether it learns."""
    teams = dict.fromkeys(history.bet.team or "" for history in histories.values())
    for team in (EVERYBODY, *teams):
        own = [each for each in histories.values() if team == EVERYBODY or (each.bet.team or "") == team]
        settled = [each for each in own if each.settled is not None]
        for day in sorted({each.bet.horizon for each in settled}):
            so_far = _forecasts([each for each in settled if each.bet.horizon <= day])
            kept = {name: each for name, each in so_far.items() if name in SCHEMAS["forecast_history"]}
            yield {"team": team, "until": day, **kept}


def _forecasts(histories: Sequence[History]) -> dict[str, Any]:
    """Scores what was decided: an inconclusive bet was neither right nor wrong."""
    settled = [(each.bet, each.settled) for each in histories if each.settled is not None]
    decided = [(bet, end) for bet, end in settled if end.verdict in _DECIDED]
    stated = [(bet.probability, end.verdict == "hit") for bet, end in decided if bet.probability is not None]
    held = [(end.in_range, bet.confidence) for bet, end in settled if end.in_range is not None]
    row: dict[str, Any] = {"settled": len(settled), "hits": sum(end.verdict == "hit" for _, end in settled)}
    if stated:
        scored = brier([said for said, _ in stated], [hit for _, hit in stated])
        row |= {
            "brier": scored.score,
            # Not a number where all ended alike: there was nothing to be better than.
            "skill": None if scored.skill != scored.skill else scored.skill,
            "reliability": scored.reliability,
            "resolution": scored.resolution,
        }
    if held:
        cover = range_coverage([inside for inside, _ in held], [confidence for _, confidence in held])
        row |= {
            "ranges": cover.ranges, "held": cover.held, "share_held": cover.share, "low": cover.low,
            "high": cover.high, "stated": cover.expected, "calibration": cover.verdict,
        }  # fmt: skip
    return row


def _released(each: Released, team: str | None) -> dict[str, Any]:
    return {
        "option": each.option, "team": team, "released": each.released, "removed": each.removed,
        "measured": each.measured, "outcome": each.outcome, "unused": each.unused, "adoption": each.adoption,
        "cost_per_month": each.per_month, "goodbye": each.goodbye,
    }  # fmt: skip


def _traps(released: Sequence[Released], owners: Mapping[str, str | None]) -> Iterator[dict[str, Any]]:
    for team in (EVERYBODY, *dict.fromkeys(owners.values())):
        chosen = [each for each in released if team == EVERYBODY or owners[each.option] == team]
        if chosen:
            yield {"team": team or "", **build_trap(chosen).__dict__}


def _money(
    strategy: Strategy,
    released: Sequence[Released],
    first_outcomes: Mapping[str, dt.date],
    values: pl.DataFrame,
    currency: str,
) -> Iterator[dict[str, Any]]:
    for each in released:
        option = strategy.options[each.option]
        if option.cost is None:
            continue
        times = time_to_money(
            option.cost,
            each.released,
            _incomes(values, option.income, each.released) if option.income else (),
            start=option.start,
            first_outcome=first_outcomes.get(each.option),
        )
        yield {
            "option": each.option,
            "start_to_outcome_days": times.start_to_outcome,
            "release_to_outcome_days": times.release_to_outcome,
            "start_to_break_even_days": times.start_to_break_even,
            "release_to_break_even_days": times.release_to_break_even,
            "cost": times.cost,
            "income": times.income if option.income else None,
            "currency": currency,
        }


def _incomes(values: pl.DataFrame, metric: str, released: dt.date) -> tuple[Income, ...]:
    """Whole periods from the release on, of the shortest kind there is; hidden ones bring nothing."""
    own = values.filter(
        (pl.col("metric") == metric) & (pl.col("segment") == "all") & pl.col("complete")
        & (pl.col("period_start") >= released) & pl.col("value").is_not_null()
    )  # fmt: skip
    for period in ("day", "week", "month"):
        chosen = own.filter(pl.col("period") == period).unique("period_start").sort("period_start")
        if not chosen.is_empty():
            return tuple(
                Income(last, amount) for last, amount in chosen.select("period_end", "value").iter_rows()
            )
    return ()
