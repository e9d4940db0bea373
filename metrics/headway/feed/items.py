"""What is worth telling after a run, ranked."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from headway.feed.cohorts import shifts
from headway.feed.steps import ALPHA
from headway.frameworks.segments import ALL
from headway.moved import moves
from headway.statistics import verdict

Kind = Literal[
    "limit", "kill", "bet", "target", "funnel", "move", "retention", "correlate", "anomaly", "goodbye"
]
"""A limit is broken, a rule says to stop, a bet was settled, a target met or missed, a step of a funnel broke for
somebody, a metric moved, a cohort comes back otherwise than the ones before, an early behaviour goes with coming back,
a day that nobody expected, something that could be removed."""

_WEIGHT: Mapping[str, float] = {
    "limit": 90, "kill": 90, "bet harm": 100, "bet miss": 65, "bet hit": 60, "bet inconclusive": 45, "bet untested": 50,
    "target missed": 70, "target met": 55, "funnel": 52, "move": 40, "retention": 40,
    "correlate": 22, "anomaly": 30, "goodbye": 20,
}  # fmt: skip
"""What comes first. Within a kind the strength of the evidence decides, which moves nothing further than by 9."""

_DECLARED = 10.0
"""Added for a move of a metric that somebody set a target or a limit for."""

_NEWS_DAYS = 35
"""A bet or a target is news for so many days after its date."""

_ANOMALY_DAYS = 7


@dataclass(frozen=True)
class Item:
    """One thing worth telling.

    Attributes:
        kind: What it is.
        outcome: ``met``, ``missed``, a bet's verdict, number of a funnel's step, an early behaviour, or empty.
        subject: Name of the metric, bet, node or retention question.
        metric: The metric whose definition explains the figures; empty where there is none.
        period: Kind of period; empty where there is none.
        period_start: Its first day, or the day of the event.
        value: The figure.
        reference: What it is beside: the value before, the target, the limit, what was expected or promised.
        change: Difference of the two, where that is what matters.
        low: Lower end of the 95 % interval of the change, else of the value.
        high: Upper end.
        good: Whether it is good news; None where that is not known.
        label: Segment label that did most of a change, as ``dimension=label``; of a broken step the segment it broke
            for; of an early behaviour the period in which people came back; of a bet the scale of its effect; empty
            without.
        label_effect: What it did, in the metric's unit.
        weight: Rank among all: more comes first.
    """

    kind: Kind
    outcome: str
    subject: str
    metric: str
    period: str
    period_start: dt.date | None
    value: float | None
    reference: float | None
    change: float | None
    low: float | None
    high: float | None
    good: bool | None
    label: str
    label_effect: float | None
    weight: float


def feed(
    tables: Mapping[str, pl.DataFrame], *, today: dt.date, most: int = 12, of_a_kind: int = 4
) -> tuple[Item, ...]:
    """Picks what is worth telling.

    Args:
        tables: The published tables; those that are missing tell nothing.
        today: The day up to which there is data.
        most: Number of items at most.
        of_a_kind: Number of items of one kind at most: forty moves would hide the bet that failed.

    Returns:
        The items, what matters most first.
    """
    found = [
        *_limits(tables),
        *_kill_rules(tables),
        *_bets(tables, today),
        *_targets(tables, today),
        *_broken(tables),
        *_moves(tables),
        *_correlates(tables),
        *_cohorts(tables),
        *_anomalies(tables, today),
        *_goodbyes(tables),
    ]
    chosen: list[Item] = []
    taken: Counter[str] = Counter()
    told: set[str] = set()
    for item in sorted(
        found, key=lambda each: (-each.weight, each.kind, each.subject, str(each.period_start))
    ):
        # One metric is told of once, by what matters most about it.
        about = item.metric or f"{item.kind} {item.subject}"
        if taken[item.kind] < of_a_kind and about not in told:
            chosen.append(item)
            taken[item.kind] += 1
            told.add(about)
    return tuple(chosen[:most])


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> Iterable[dict[str, Any]]:
    return tables[name].iter_rows(named=True) if name in tables else ()


def _item(
    kind: Kind, outcome: str = "", evidence: float | None = None, more: float = 0.0, **said: Any
) -> Item:
    weight = _WEIGHT[f"{kind} {outcome}".strip()] if f"{kind} {outcome}".strip() in _WEIGHT else _WEIGHT[kind]
    empty: dict[str, Any] = {
        "metric": "", "period": "", "period_start": None, "value": None, "reference": None, "change": None,
        "low": None, "high": None, "good": None, "label": "", "label_effect": None,
    }  # fmt: skip
    return Item(
        kind=kind, outcome=outcome, weight=weight + more + min(evidence or 0.0, 9.0), **{**empty, **said}
    )


def _latest(values: pl.DataFrame, metric: str, period: str | None = None) -> dict[str, Any] | None:
    """Everybody's latest complete value that may be shown, of the longest kind of calendar period there is."""
    own = values.filter(
        (pl.col("metric") == metric)
        & (pl.col("segment") == ALL)
        & pl.col("complete")
        & pl.col("value").is_not_null()
    )
    for kind in (period,) if period else ("week", "day", "month"):
        chosen = own.filter(pl.col("period") == kind).sort("period_start")
        if not chosen.is_empty():
            return chosen.row(-1, named=True)
    return None


def _catalogue(tables: Mapping[str, pl.DataFrame]) -> Iterator[dict[str, Any]]:
    if "metric_catalogue" in tables and "metric_values" in tables:
        yield from (
            tables["metric_catalogue"]
            .unique("metric", keep="first", maintain_order=True)
            .iter_rows(named=True)
        )


def _limits(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    for row in _catalogue(tables):
        if row["limit_value"] is None:
            continue
        now = _latest(tables["metric_values"], row["metric"])
        if (
            now
            and verdict(now["value"], now["low"], now["high"], row["limit_value"], row["direction"])
            == "breached"
        ):
            yield _item(
                "limit", subject=row["metric"], metric=row["metric"], period=now["period"],
                period_start=now["period_start"], value=now["value"], reference=row["limit_value"], low=now["low"],
                high=now["high"], good=False,
            )  # fmt: skip


def _targets(tables: Mapping[str, pl.DataFrame], today: dt.date) -> Iterator[Item]:
    for row in _catalogue(tables):
        target, by = row["target_value"], row["target_by"]
        if target is None or by is None:
            continue
        now = _latest(tables["metric_values"], row["metric"], row["target_period"])
        if now is None:
            continue
        judged = verdict(now["value"], now["low"], now["high"], target, row["direction"])
        met, over = judged == "ok", by < today
        # What chance may explain is no news, and what has time is none yet.
        if judged == "unclear" or (over and (today - by).days > _NEWS_DAYS) or not (over or met):
            continue
        yield _item(
            "target", "met" if met else "missed", subject=row["metric"], metric=row["metric"], period=now["period"],
            period_start=now["period_start"], value=now["value"], reference=target, low=now["low"], high=now["high"],
            good=met,
        )  # fmt: skip


def _kill_rules(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    for row in _rows(tables, "strategy_kill_rules"):
        if row["state"] == "stop":
            yield _item(
                "kill", subject=row["node"], metric=row["metric"], period=row["period"],
                period_start=row["period_start"], value=row["value"], reference=row["worse_than"], low=row["low"],
                high=row["high"], good=False,
            )  # fmt: skip


def _bets(tables: Mapping[str, pl.DataFrame], today: dt.date) -> Iterator[Item]:
    for row in _rows(tables, "bets"):
        if row["verdict"] == "open" or (today - row["horizon"]).days > _NEWS_DAYS:
            continue
        # What was promised is the end of the range that is nearer to nothing.
        promised = row["low"] if row["low"] > 0 else row["high"]
        yield _item(
            "bet", row["verdict"], subject=row["bet"], metric=row["metric"], period_start=row["horizon"],
            value=row["effect"], reference=promised, low=row["effect_low"], high=row["effect_high"],
            good={"hit": True, "miss": False, "harm": False}.get(row["verdict"]), label=row.get("scale") or "",
        )  # fmt: skip


def _broken(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    for row in _rows(tables, "step_changes"):
        if not row["broken"]:
            continue
        towards = row["high"] - row["change"] if row["change"] < 0 else row["change"] - row["low"]
        yield _item(
            "funnel", evidence=abs(row["change"]) / towards, subject=row["funnel"] or row["metric"],
            outcome=str(row["step"] or ""), metric=row["metric"], period=row["period"],
            period_start=row["period_start"], value=row["value"], reference=row["value_before"], change=row["change"],
            low=row["low"], high=row["high"], good=False, label=row["segment"],
        )  # fmt: skip


def _correlates(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    """Of each retention question the early behaviour that goes most strongly with coming back."""
    strongest: dict[str, dict[str, Any]] = {}
    for row in _rows(tables, "activation_correlates"):
        if row["adjusted_p"] is None or row["adjusted_p"] >= ALPHA or row["difference"] <= 0:
            continue
        if row["retention"] not in strongest or row["low"] > strongest[row["retention"]]["low"]:
            strongest[row["retention"]] = row
    for row in strongest.values():
        yield _item(
            "correlate", evidence=row["difference"] / (row["difference"] - row["low"]), subject=row["retention"],
            outcome=row["behaviour"], value=row["rate_with"], reference=row["rate_without"], change=row["difference"],
            low=row["low"], high=row["high"], label=row["period_unit"],
        )  # fmt: skip


def _moves(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    if "metric_changes" not in tables or "metric_effects" not in tables:
        return
    catalogue = {row["metric"]: row for row in _catalogue(tables)}
    for period in ("week", "month"):
        for move in moves(tables["metric_changes"], tables["metric_effects"], period=period):
            row = catalogue.get(move.metric)
            if not move.is_sure or row is None:
                continue
            most = move.effects[0] if move.effects else None
            declared = row["target_value"] is not None or row["limit_value"] is not None
            yield _item(
                "move", evidence=move.evidence, more=_DECLARED if declared else 0.0, subject=move.metric,
                metric=move.metric, period=period, period_start=move.period_start, value=move.value,
                reference=move.value_before, change=move.change, low=move.low, high=move.high,
                good=(move.change > 0) == (row["direction"] == "up"),
                label=f"{most.dimension}={most.label}" if most else "", label_effect=most.effect if most else None,
            )  # fmt: skip


def _cohorts(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    if "retention_cells" not in tables:
        return
    for shift in shifts(tables["retention_cells"]):
        yield _item(
            "retention", evidence=shift.evidence, subject=shift.retention, period=shift.period_unit,
            period_start=shift.cohort_start, value=shift.rate, reference=shift.before, change=shift.rate - shift.before,
            low=shift.low, high=shift.high, good=shift.rate > shift.before, label=f"{shift.period_unit}={shift.period}",
        )  # fmt: skip


def _anomalies(tables: Mapping[str, pl.DataFrame], today: dt.date) -> Iterator[Item]:
    for row in _rows(tables, "metric_anomalies"):
        if not row["is_anomaly"] or (today - row["period_start"]).days > _ANOMALY_DAYS:
            continue
        half = (row["high"] - row["low"]) / 2
        off = abs(row["value"] - row["expected"]) / half if half > 0 else None
        yield _item(
            "anomaly", evidence=off, subject=row["metric"], metric=row["metric"], period=row["period"],
            period_start=row["period_start"], value=row["value"], reference=row["expected"], low=row["low"],
            high=row["high"],
        )  # fmt: skip


def _goodbyes(tables: Mapping[str, pl.DataFrame]) -> Iterator[Item]:
    for row in _rows(tables, "released_options"):
        if row["goodbye"]:
            yield _item(
                "goodbye", subject=row["option"], period_start=row["released"], value=row["adoption"],
                reference=row["cost_per_month"], good=False, label=row["goodbye"],
            )  # fmt: skip
