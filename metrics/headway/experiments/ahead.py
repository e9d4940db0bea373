"""What an experiment would need: of a declared experiment, or of a metric that somebody wants to move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from headway.errors import InputError
from headway.experiments.declared import experiment_of
from headway.experiments.from_metrics import outcome_of
from headway.experiments.judging import MARGIN
from headway.experiments.outcome import Outcome
from headway.experiments.planning import History, plan_experiment
from headway.experiments.rule import DECLARED_NOTHING, Rule
from headway.log import EventLog
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.experiments import ExperimentDefinition
from headway.models.metrics import EventSelector
from headway.models.product import Product
from headway.selectors import Selector
from headway.statistics.power import smallest_effect, units_needed

#: Relative effect that is planned for where nobody says which one is worthwhile.
EFFECT: Final = 0.05

SCHEMA: Final[dict[str, Any]] = {
    "metric": pl.String, "title": pl.String, "role": pl.String, "unit": pl.String, "units": pl.Int64,
    "units_per_day": pl.Float64, "mean": pl.Float64, "variance": pl.Float64, "reduction": pl.Float64,
    "zeros": pl.Float64, "alpha": pl.Float64, "effect": pl.Float64, "units_needed": pl.Int64,
    "weeks_needed": pl.Int64, "smallest": pl.List(pl.Float64), "reason": pl.String,
}  # fmt: skip
"""Columns of an outlook."""


@dataclass(frozen=True)
class Ahead:
    """An experiment that may come.

    Attributes:
        name: Its name, or that of the metric.
        history: Which units, and what will be compared.
        roles: Role by outcome.
        effects: Relative effect that should be found, by outcome; of a guardrail: its margin.
        alphas: Two-sided error by outcome, less where several comparisons share it.
        shares: Planned shares of the control and of the smallest other variant.
        rule: The decision rule.
        method: ``fixed`` or ``sequential``.
        left_out: What cannot be planned, and why.
    """

    name: str
    history: History
    roles: Mapping[str, str]
    effects: Mapping[str, float]
    alphas: Mapping[str, float]
    shares: tuple[float, float] = (0.5, 0.5)
    rule: Rule = DECLARED_NOTHING
    method: str = "fixed"
    left_out: tuple[tuple[str, str], ...] = ()

    def aware_of(self, **options: Any) -> Ahead:
        """The same with another history, such as ``since=``."""
        return replace(self, history=replace(self.history, **options))


def ahead_of_experiment(
    name: str,
    definition: ExperimentDefinition,
    product: Product,
    *,
    effect: float | None = None,
    after: Selector | None = None,
) -> Ahead:
    """Plans a declared experiment.

    Args:
        name: Its name.
        definition: What was declared.
        product: The product.
        effect: Relative effect that should be found; None: the one declared worthwhile, else `EFFECT`.
        after: Events that could have exposed somebody; None: the declared eligible events, else those that expose.

    Returns:
        The plan's questions.

    Raises:
        InputError: Nothing of it can be planned.
    """
    asked = experiment_of(name, definition, product)
    wanted = effect or asked.rule.worthwhile or EFFECT
    kept, left_out = _plannable(asked.outcomes)
    roles = {each.name: asked.role(each) for each in kept}
    others = [share for variant, share in asked.shares.items() if variant != asked.control]
    compared = len(asked.metrics) * len(others)
    # Holm's first step: whatever the other comparisons say, this error is left for each.
    shared = asked.alpha if asked.correction == "none" else asked.alpha / compared
    exposed_by = after or asked.eligible or asked.told_by.event
    return Ahead(
        name,
        History(
            exposed_by,
            kept,
            window=asked.window,
            before=asked.before,
            cap=asked.cap,
            unit=asked.unit,
            currency=asked.currency,
        ),
        roles,
        {each.name: (each.margin or MARGIN) if roles[each.name] == "guardrail" else wanted for each in kept},
        {each: shared if role == "primary" else asked.alpha for each, role in roles.items()},
        (asked.shares[str(asked.control)], min(others)),
        asked.rule,
        asked.method,
        left_out,
    )


def ahead_of_metric(
    name: str, product: Product, *, effect: float | None = None, after: Selector | None = None
) -> Ahead:
    """Plans an experiment of two equal arms that should move one metric.

    Args:
        name: The metric.
        product: The product.
        effect: Relative effect that should be found; None: `EFFECT`.
        after: Events that could have exposed somebody; None: what the metric starts with, else the product's activity.

    Returns:
        The plan's questions.

    Raises:
        InputError: There is no such metric, or nothing of it can be planned.
    """
    metric = product.metric(name)
    kept, left_out = _plannable([outcome_of(name, metric)])
    told = (getattr(metric, part, None) for part in ("start", "of"))
    selector = next((each for each in told if isinstance(each, EventSelector)), product.activity)
    return Ahead(
        name,
        History(after or selector.selector(), kept, currency=product.currency),
        {name: "primary"},
        {name: effect or EFFECT},
        {name: 0.05},
        left_out=left_out,
    )


def _plannable(outcomes: Sequence[Outcome]) -> tuple[tuple[Outcome, ...], tuple[tuple[str, str], ...]]:
    kept = tuple(each for each in outcomes if each.kind not in ("quantile", "time"))
    why = "how long units wait, and quantiles, cannot be planned by a variance"
    if not kept:
        raise InputError(
            f"{outcomes[0].name}: {why}; take a share, a mean or a ratio, such as the share in time"
        )
    return kept, tuple((each.title or each.name, why) for each in outcomes if each not in kept)


def outlook(
    log: EventLog, ahead: Ahead, weeks: Sequence[int] = (1, 2, 4, 8), *, power: float = 0.8
) -> pl.DataFrame:
    """Says what an experiment could find, and when, from what units did so far, zeros included.

    Args:
        log: The log.
        ahead: What is planned.
        weeks: Weeks of exposures for which the smallest effect that can be found is told.
        power: Probability of finding an effect that is there; of a guardrail: of showing that it holds where nothing
            changes.

    Returns:
        One row per outcome in the order of the declaration: ``units`` seen, ``units_per_day``, ``mean``, ``variance``
        between units, ``reduction`` of it by what was before, share of ``zeros``, ``alpha``, relative ``effect``
        wanted, ``units_needed`` over the control and the smallest variant, ``weeks_needed`` (with the window at the
        end), ``smallest`` relative effect by `weeks`, and ``reason`` where nothing can be said.

    Raises:
        InputError: An event never occurs, or a number is out of range.

    References:
        Non-inferiority needs as many units as an effect as large as the margin: Julious, S. A. (2004). Sample sizes for
        clinical trials with normal data. Statistics in Medicine 23, 1921-1986, section 5.
    """
    if not weeks or min(weeks) < 1:
        raise InputError("weeks are whole numbers of at least 1")
    known = plan_experiment(log, ahead.history, power=power)
    outcomes = {each.name: each for each in ahead.history.experiment.outcomes}
    rows = [_row(row, outcomes[row["metric"]], ahead, weeks, power) for row in known.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=SCHEMA)


def _row(
    known: Mapping[str, Any], outcome: Outcome, ahead: Ahead, weeks: Sequence[int], power: float
) -> dict[str, Any]:
    name = outcome.name
    deviation, alpha, effect = known["deviation"], ahead.alphas[name], ahead.effects[name]
    row: dict[str, Any] = {
        **dict.fromkeys(SCHEMA),
        **{key: known[key] for key in ("metric", "units", "units_per_day", "mean", "reduction", "zeros", "reason")},
        "title": outcome.title or name,
        "role": ahead.roles[name],
        "unit": outcome.unit or ("percent" if outcome.kind == "proportion" else ""),
        "variance": None if deviation is None else deviation**2,
        "alpha": alpha,
        "effect": effect,
    }  # fmt: skip
    if known["reason"] is not None:
        return row
    left, per_day = row["variance"] * (1 - known["reduction"]), known["units_per_day"]
    both = sum(ahead.shares)
    needed = units_needed(effect * known["mean"], left, ahead.shares, alpha, power)
    wait = (outcome.closes(ahead.history.window) or 0) / MICROSECONDS_PER_DAY
    return {
        **row,
        "units_needed": needed,
        "weeks_needed": math.ceil((needed / both / per_day + wait) / 7),
        "smallest": list(_smallest(left, per_day, ahead.shares, weeks, alpha, power, known["mean"])),
    }


def _smallest(
    variance: float,
    per_day: float,
    shares: tuple[float, float],
    weeks: Sequence[int],
    alpha: float,
    power: float,
    mean: float,
) -> Iterator[float]:
    for number in weeks:
        first, second = (7 * number * per_day * share for share in shares)
        yield float(smallest_effect(variance, first, second, alpha, power)) / mean
