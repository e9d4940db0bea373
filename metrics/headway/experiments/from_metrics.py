"""Metrics of a product as outcomes of an experiment: the same events, counted from each unit's exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headway.errors import InputError
from headway.experiments.outcome import Outcome
from headway.models.metrics import (
    Amount,
    BaseMetric,
    CohortAmount,
    Conversion,
    Count,
    Duration,
    Mean,
    PromoterScore,
    Quantile,
    Ratio,
    Retained,
    Share,
)

_POSSIBLE = "conversion, retention, share, mean, count, ratio, cohort_amount, quantile, duration, nps"


def outcome_of(name: str, metric: BaseMetric, margin: float | None = None) -> Outcome:
    """Turns a metric into what is compared between variants.

    The clock starts at a unit's exposure instead of a start event or a period, and every exposed unit is in the
    denominator, because who starts something may itself be an effect. A conversion becomes the share of exposed units
    that reach the goal in time, and take the steps through which it leads before; retention, the share that comes back
    in its window; a share, that of units that did both; a mean or count, the amount per exposed unit; a ratio stays a
    ratio of two sums; a duration becomes the time until its end, looked at up to its horizon.

    Args:
        name: The metric's name.
        metric: The metric.
        margin: How much worse it may get, for a guardrail.

    Returns:
        The outcome.

    Raises:
        InputError: A metric of this kind cannot be told from a unit's events after its exposure.
    """
    make = _MAKERS.get(type(metric))
    if make is None:
        kind = getattr(metric, "kind", "?")
        raise InputError(
            f"metric {name!r} is of kind {kind}, which says nothing of a single unit after its exposure; kinds that "
            f"do: {_POSSIBLE}"
        )
    if metric.privacy is not None:
        raise InputError(
            f"metric {name!r} is published with noise, and an experiment would show its sums exactly; write the "
            "outcome out instead, if that may be shown"
        )
    common = {
        "name": name,
        "title": metric.title,
        "unit": metric.unit,
        "direction": metric.direction,
        "margin": margin,
    }
    return Outcome(**{**common, **make(metric)})


def _conversion(metric: Conversion) -> dict[str, Any]:
    via = tuple(step.selector() for step in metric.through or ())
    return {"of": metric.reach.selector(), "via": via, "within": metric.within, "inclusive": True}


def _retained(metric: Retained) -> dict[str, Any]:
    if metric.answered is not None:
        raise InputError(
            "people by whether they were answered are no outcome: the answer comes after the exposure"
        )
    return {"of": metric.returning.selector(), "after": metric.after, "within": metric.within}


def _share(metric: Share) -> dict[str, Any]:
    return {"of": metric.did.selector(), "also": metric.of.selector()}


def _mean(metric: Mean) -> dict[str, Any]:
    measure = (
        f"sum:{metric.value}" if metric.measure == "sum" else {"count": "events"}.get(metric.measure, "days")
    )
    return {"of": metric.event.selector(), "measure": measure}


def _added(amount: Amount) -> tuple[Any, str]:
    measure = {"events": "events", "people": "did", "days": "days", "sum": f"sum:{amount.value}"}[
        amount.measure
    ]
    return amount.event.selector(), measure


def _amount(amount: Amount) -> dict[str, Any]:
    of, measure = _added(amount)
    found: dict[str, Any] = {"of": of, "measure": measure, "negative": amount.negative}
    if amount.minus is not None:
        found["minus"] = amount.minus.selector()
    if amount.currency is not None:
        found["currency"] = amount.currency
    return found


def _count(metric: Count) -> dict[str, Any]:
    return {**_amount(metric.of), "unit": "percent" if metric.of.measure == "people" else metric.unit}


def _ratio(metric: Ratio) -> dict[str, Any]:
    of, measure = _added(metric.denominator)
    top, bottom = metric.numerator, metric.denominator
    if bottom.measure == "sum" and top.currency != bottom.currency:
        raise InputError("both amounts of a ratio need the same property for their currency, or none")
    return {**_amount(metric.numerator), "per": of, "per_measure": measure}


def _cohort_amount(metric: CohortAmount) -> dict[str, Any]:
    return {**_amount(metric.of), "within": metric.within}


def _quantile(metric: Quantile) -> dict[str, Any]:
    return {"of": metric.event.selector(), "measure": f"p{metric.percentile:g}:{metric.value}"}


def _duration(metric: Duration) -> dict[str, Any]:
    if metric.key is not None or metric.each != "first" or metric.hours != "calendar":
        raise InputError(
            "only the first duration of a person, in calendar time, can be counted from an exposure"
        )
    # Sooner is better: more units get there in time.
    found = {"of": metric.end.selector(), "measure": "time", "unit": "percent", "direction": "up"}
    return found if metric.within is None else {**found, "within": metric.within, "inclusive": True}


def _score(metric: PromoterScore) -> dict[str, Any]:
    return {"of": metric.event.selector(), "measure": f"nps:{metric.score}"}


_MAKERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Conversion: _conversion,
    Retained: _retained,
    Share: _share,
    Mean: _mean,
    Count: _count,
    Ratio: _ratio,
    CohortAmount: _cohort_amount,
    Quantile: _quantile,
    Duration: _duration,
    PromoterScore: _score,
}
