"""Kata as tables: every step, and how a team practises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from headway.models.kata import Kata
from headway.strategy import came, kata_measures
from headway_pipelines.strategy.bet_tables import EVERYBODY
from headway_pipelines.strategy.kata_files import sealed_by

_TEXT, _DAY, _NUMBER, _WHOLE = pl.String(), pl.Date(), pl.Float64(), pl.Int64()

SCHEMAS: Final[dict[str, dict[str, pl.DataType]]] = {
    "kata": {
        "kata": _TEXT, "title": _TEXT, "team": _TEXT, "direction": _TEXT, "metric": _TEXT, "period": _TEXT,
        "target": _NUMBER, "by": _DAY, "steps": _WHOLE, "closed": _WHOLE,
    },
    "kata_steps": {
        "kata": _TEXT, "step": _WHOLE, "date": _DAY, "value": _NUMBER, "low": _NUMBER, "high": _NUMBER,
        "obstacle": _TEXT, "attempt": _TEXT, "tests": _TEXT, "expected_low": _NUMBER, "expected_high": _NUMBER,
        "expected_by": _DAY, "happened_on": _DAY, "happened": _NUMBER, "happened_low": _NUMBER,
        "happened_high": _NUMBER, "came": _TEXT, "learned": _TEXT, "sealed_by": _TEXT,
    },
    "kata_measures": {
        "team": _TEXT, "steps": _WHOLE, "closed": _WHOLE, "cycle_days": _NUMBER, "steps_per_30_days": _NUMBER,
        "surprised": _NUMBER,
    },
}  # fmt: skip
"""Table -> columns and their types, in order."""


def kata_tables(katas: Mapping[str, Kata], *, today: dt.date) -> dict[str, pl.DataFrame]:
    """Writes kata as tables.

    Args:
        katas: Name -> kata.
        today: The day up to which there is data.

    Returns:
        The tables of `SCHEMAS`.
    """
    teams = dict.fromkeys(kata.team for kata in katas.values())
    rows: dict[str, list[dict[str, Any]]] = {
        "kata": [_kata(name, kata) for name, kata in katas.items()],
        "kata_steps": [
            _step(name, kata, position) for name, kata in katas.items() for position in range(len(kata.steps))
        ],
        "kata_measures": [
            {"team": team, **kata_measures(chosen, today=today).__dict__}
            for team in (EVERYBODY, *teams)
            if (chosen := [kata for kata in katas.values() if team in (EVERYBODY, kata.team)])
        ],
    }
    return {name: pl.DataFrame(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _kata(name: str, kata: Kata) -> dict[str, Any]:
    return {
        "kata": name,
        "title": kata.title,
        "team": kata.team,
        "direction": kata.direction,
        "metric": kata.target.metric,
        "period": kata.target.period,
        "target": kata.target.value,
        "by": kata.target.by,
        "steps": len(kata.steps),
        "closed": sum(step.happened is not None for step in kata.steps),
    }


def _step(name: str, kata: Kata, position: int) -> dict[str, Any]:
    step = kata.steps[position]
    happened = step.happened
    return {
        "kata": name,
        "step": position + 1,
        "date": step.date,
        "value": step.current.value,
        "low": step.current.low,
        "high": step.current.high,
        "obstacle": step.obstacle.label,
        "attempt": step.attempt,
        "tests": step.tests,
        "expected_low": step.expect.low,
        "expected_high": step.expect.high,
        "expected_by": step.expect.by,
        "happened_on": happened.taken if happened else None,
        "happened": happened.value if happened else None,
        "happened_low": happened.low if happened else None,
        "happened_high": happened.high if happened else None,
        "came": came(step),
        "learned": step.learned,
        "sealed_by": sealed_by(step),
    }
