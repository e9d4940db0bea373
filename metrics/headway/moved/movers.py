"""What moved most: the changes of one kind of period, the surest first, with the segments they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from headway.frameworks.segments import ALL
from headway.moved.pairs import PREVIOUS


@dataclass(frozen=True)
class Effect:
    """What one label of a segment did to the change of everybody.

    Attributes:
        dimension: The segment, for example ``channel``.
        label: Its label, for example ``email``.
        effect: Part of the change of everybody, in the metric's unit.
        mix_effect: Of that, what came from the label's growth; None for numbers and sums.
        rate_effect: Of that, what the metric itself did within the label; None for numbers and sums.
    """

    dimension: str
    label: str
    effect: float
    mix_effect: float | None
    rate_effect: float | None


@dataclass(frozen=True)
class Move:
    """The latest change of one metric.

    Attributes:
        metric: Name of the metric.
        period: Kind of period.
        period_start: First day of its latest complete one.
        compared_with: ``previous`` or ``last year``.
        period_before: First day of the earlier period.
        value: Its value.
        value_before: The value before.
        change: The difference.
        relative_change: The change as a fraction of the value before; None unless that is above 0.
        low: Lower end of the change's 95 % interval; None where there is none.
        high: Upper end.
        evidence: The change, measured in the length of its interval towards 0: at 1 the interval ends at 0, above
            it does not reach 0. None without an interval.
        effects: What the labels of all segments did, the largest effects first; hidden ones are absent.
        whole: Segments whose effects are all known: they add up to the change.
    """

    metric: str
    period: str
    period_start: date
    compared_with: str
    period_before: date
    value: float
    value_before: float
    change: float
    relative_change: float | None
    low: float | None
    high: float | None
    evidence: float | None
    effects: tuple[Effect, ...]
    whole: frozenset[str]

    @property
    def is_sure(self) -> bool:
        """Whether the interval of the change excludes 0."""
        return self.evidence is not None and self.evidence > 1


def moves(
    changes: pl.DataFrame, effects: pl.DataFrame, *, period: str = "week", compared_with: str = PREVIOUS
) -> tuple[Move, ...]:
    """Lists the change of every metric in its latest complete period, the surest first.

    Metrics that wait for people to have their time have an earlier latest period than others. Of 20 metrics of
    which none moved, one is sure by chance.

    Args:
        changes: The table ``metric_changes``.
        effects: The table ``metric_effects``.
        period: Kind of period.
        compared_with: ``previous`` or ``last year``.

    Returns:
        One move per metric that has a change, by evidence; those without an interval come last.
    """
    chosen = {"period": period, "compared_with": compared_with}
    everybody = changes.filter(segment=ALL, **chosen)
    latest = everybody.filter(pl.col("period_start") == pl.col("period_start").max().over("metric"))
    own = effects.filter(**chosen).join(latest, on=["metric", "period_start"], how="semi")
    by_metric = {str(name): rows for (name,), rows in own.group_by("metric")}
    found = [
        _move(row, by_metric.get(row["metric"], own.clear()))
        for row in latest.filter(pl.col("change").is_not_null()).iter_rows(named=True)
    ]
    return tuple(
        sorted(found, key=lambda each: (each.evidence is None, -(each.evidence or 0.0), each.metric))
    )


def _move(row: dict[str, Any], effects: pl.DataFrame) -> Move:
    names = "metric period period_start compared_with period_before value value_before change relative_change low high"
    unknown = set(effects.filter(pl.col("effect").is_null())["dimension"])
    return Move(
        **{name: row[name] for name in names.split()},
        evidence=_evidence(row["change"], row["low"], row["high"]),
        effects=tuple(_effects(effects)),
        whole=frozenset(effects["dimension"]) - unknown,
    )


def _effects(effects: pl.DataFrame) -> Iterator[Effect]:
    known = effects.filter(pl.col("effect").is_not_null())
    ordered = known.sort(pl.col("effect").abs(), "dimension", "label", descending=[True, False, False])
    for row in ordered.iter_rows(named=True):
        yield Effect(
            **{name: row[name] for name in ("dimension", "label", "effect", "mix_effect", "rate_effect")}
        )


def _evidence(change: float, low: float | None, high: float | None) -> float | None:
    if low is None or high is None:
        return None
    towards_zero = change - low if change > 0 else high - change
    return abs(change) / towards_zero if towards_zero > 0 else None
