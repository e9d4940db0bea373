"""From sums over units to effects: one row per outcome and variant, with a reason wherever there is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headway.experiments.outcome import Outcome
from headway.experiments.query import VARIABLES
from headway.statistics.arms import Adjusted, ArmSums, Moments, cuped, moments, within_strata
from headway.statistics.bayes import posterior
from headway.statistics.comparisons import Comparison, lift_delta, lift_fieller, two_proportions, welch
from headway.statistics.sequential import confidence_sequence

if TYPE_CHECKING:
    from headway.experiments.experiment import Experiment

#: Share of the variance that has to go before anything is taken off.
WORTH_ADJUSTING = 0.01
#: Share of an arm's total that one unit may make up before it is said.
ONE_UNIT = 0.2
#: p-value below which arms are said to have differed before their exposure.
DIFFERED = 0.001
#: Units after which a sequential experiment is most likely decided.
TUNED_TO = 5_000


@dataclass(frozen=True)
class Arm:
    """What is known of one outcome in one variant.

    Attributes:
        variant: The variant.
        units: Units exposed.
        n: Of those, units whose window is over.
        sums: Sums over these.
        top: Largest amount of one of them; None where there is none.
        done_before: Units that had done it before their exposure.
        without_rate: Amounts left out because no rate of their currency is known.
    """

    variant: str
    units: int
    n: int
    sums: ArmSums
    top: float | None
    done_before: float
    without_rate: float = 0.0


def arm_of(rows: Sequence[Mapping[str, Any]], variant: str, place: int) -> Arm:
    """Reads one arm from rows of the sums; rows of disjoint units add up.

    Args:
        rows: Rows of ``sums.sql`` for the variant.
        variant: The variant.
        place: Number of the outcome.

    Returns:
        The arm.
    """
    n = sum(int(row[f"n_{place}"]) for row in rows)
    first, second = np.zeros(4), np.zeros((4, 4))
    # Denominators that are not told are 1 for every unit, and what was before is 0.
    for at, name in enumerate(VARIABLES):
        first[at] = _total(rows, f"{name}_{place}", n if name in "xd" else 0)
        for to, other in enumerate(VARIABLES):
            key = f"{min((at, name), (to, other))[1]}{max((at, name), (to, other))[1]}_{place}"
            second[at, to] = _total(rows, key, _product(rows, name, other, place, n))
    tops = [row[f"top_{place}"] for row in rows if row.get(f"top_{place}") is not None]
    return Arm(
        variant,
        sum(int(row["units"]) for row in rows),
        n,
        ArmSums(np.float64(n) * np.ones(()), first, second),
        max(tops, default=None),
        _total(rows, f"b_{place}", 0),
        _total(rows, f"l_{place}", 0),
    )


def _product(rows: Sequence[Mapping[str, Any]], name: str, other: str, place: int, n: int) -> float:
    known = [each for each in (name, other) if rows and f"{each}_{place}" in rows[0]]
    rest = [each for each in (name, other) if each not in known]
    if any(each == "c" for each in rest):
        return 0.0
    return float(n) if not known else _total(rows, f"{known[0]}_{place}", 0)


def _total(rows: Sequence[Mapping[str, Any]], key: str, missing: float) -> float:
    if not rows or key not in rows[0]:
        return float(missing)
    return float(sum(row[key] or 0 for row in rows))


def compared(
    experiment: Experiment, outcome: Outcome, arms: Sequence[Arm], phases: Sequence[Sequence[Arm]] = ()
) -> list[dict[str, Any]]:
    """Compares every arm with the first one.

    Args:
        experiment: How.
        outcome: What.
        arms: The arms, the control first.
        phases: The same by phase, where the planned split changed: arms are then compared within phases.

    Returns:
        One row per arm.
    """
    both = [each for each in phases if all(arm.n > 1 for arm in each)]
    with np.errstate(all="ignore"):
        plain = within_strata([_moments(each) for each in both]) if both else _moments(arms)
        taken = cuped(plain)
    control = arms[0]
    rows = [base_row(experiment, outcome, control, float(plain.mean[0]), "control")]
    for at, arm in enumerate(arms[1:], start=1):
        row = base_row(experiment, outcome, arm, float(plain.mean[at]), None)
        reason = why_not(outcome, control, arm, plain, at)
        if reason is None and phases and not both:
            reason = (
                "the planned split changed, and in no phase every variant has two units whose window is over"
            )
        if reason is None:
            row |= _effect(experiment, outcome, (control, arm), plain, taken, at, phased=bool(phases))
            if len(both) < len(phases):
                said = "units of a phase in which not every variant has any are left out of the effect"
                row["caution"] = "; ".join(filter(None, (row["caution"], said)))
        row["reason"] = reason
        rows.append(row)
    return rows


def _moments(arms: Sequence[Arm]) -> Moments:
    names = ("n", "first", "second")
    return moments(ArmSums(*(np.stack([getattr(arm.sums, name) for arm in arms]) for name in names)))


EMPTY: Mapping[str, Any] = dict.fromkeys(
    (
        "effect", "low", "high", "error", "relative", "relative_low", "relative_high", "p_value", "anytime_low",
        "anytime_high", "anytime_p", "chance", "loss", "reduction", "caution", "reason", "method",
    )
)  # fmt: skip


def base_row(
    experiment: Experiment, outcome: Outcome, arm: Arm, mean: float, verdict: str | None
) -> dict[str, Any]:
    """Makes the row of an arm, without an effect yet."""
    return {
        "metric": outcome.name,
        "title": outcome.title,
        "variant": arm.variant,
        "role": experiment.role(outcome),
        "kind": outcome.kind,
        "direction": outcome.direction,
        "units": arm.n,
        "units_open": arm.units - arm.n,
        "mean": None if arm.n == 0 or math.isnan(mean) else mean,
        "verdict": verdict,
        **EMPTY,
    }


def why_not(outcome: Outcome, control: Arm, arm: Arm, plain: Moments, at: int) -> str | None:
    """Says why two arms cannot be compared; None where they can."""
    for each in (control, arm):
        if each.units == 0:
            return f"{each.variant} has no units"
        if each.n == 0:
            return f"no unit of {each.variant} has its window behind it"
        if each.n < 2:
            return f"{each.variant} has a single unit whose window is over"
    for place, each in ((0, control), (at, arm)):
        if np.isnan(plain.mean[place]):
            return f"the denominator is 0 in {each.variant}"
        if not plain.variance[place] > 0:
            some = "nothing was counted" if plain.mean[place] == 0 else "every unit has the same"
            return f"{some} in {each.variant}: without variance nothing can be said"
    return None


def _effect(
    experiment: Experiment,
    outcome: Outcome,
    pair: tuple[Arm, Arm],
    plain: Moments,
    taken: Adjusted,
    at: int,
    phased: bool,
) -> dict[str, Any]:
    control, arm = pair
    adjusts = experiment.before is not None and float(taken.reduction) >= WORTH_ADJUSTING
    used = taken.moments if adjusts else plain
    found = _between(used, at, experiment.alpha)
    method = "welch"
    if outcome.kind == "ratio":
        method = "delta method"
    elif outcome.kind == "proportion" and not adjusts and not phased:
        method = "newcombe"
        y, y0 = arm.sums.first[0], control.sums.first[0]
        found = two_proportions(y, arm.n, y0, control.n, 1 - experiment.alpha)
    if phased:
        method += ", within phases"
    if adjusts:
        method += ", adjusted for what was before"
    errors = np.sqrt(used.variance / used.n)
    means = (float(used.mean[at]), float(errors[at]), float(used.mean[0]), float(errors[0]))
    row = effect_row(experiment, outcome, found, means, arm.n + control.n, method)
    row["reduction"] = float(taken.reduction) if adjusts else None
    row["caution"] = _caution(outcome, pair, plain, at, found, adjusts)
    return row


def _between(used: Moments, at: int, alpha: float) -> Comparison:
    n, mean, variance = used.n, used.mean, used.variance
    return welch(n[at], mean[at], variance[at], n[0], mean[0], variance[0], 1 - alpha)


def effect_row(
    experiment: Experiment,
    outcome: Outcome,
    found: Comparison,
    means: tuple[float, float, float, float],
    n: int,
    method: str,
) -> dict[str, Any]:
    """Turns a comparison into what a row says.

    Args:
        experiment: How.
        outcome: What.
        found: The comparison.
        means: Mean of the arm, its error, mean of the control, its error.
        n: Units of both.
        method: Method of the interval.

    Returns:
        Effect, relative effect, intervals, p-values, chance and loss.
    """
    confidence = 1 - experiment.alpha
    make = lift_fieller if experiment.relative == "fieller" else lift_delta
    with np.errstate(all="ignore"):
        lift = make(*means, confidence=confidence, degrees=found.degrees)
        spread = lift_delta(*means, confidence=confidence).error
        anytime = confidence_sequence(found.effect, found.error, n, confidence, TUNED_TO)
        relative = confidence_sequence(lift.lift, spread, n, confidence, TUNED_TO)
        prior = math.inf if experiment.prior is None else experiment.prior
        sign = 1 if outcome.direction == "up" else -1
        believed = posterior(sign * lift.lift, spread, prior)
    sequential = experiment.method == "sequential"
    low, high, p_value = anytime if sequential else (found.low, found.high, found.p_value)
    ends = (relative.low, relative.high) if sequential else (lift.low, lift.high)
    numbers = {
        "effect": found.effect, "low": low, "high": high, "error": found.error, "p_value": p_value,
        "relative": lift.lift, "relative_low": ends[0], "relative_high": ends[1],
        "anytime_low": anytime.low, "anytime_high": anytime.high, "anytime_p": anytime.p_value,
        "chance": believed.chance, "loss": believed.loss,
    }  # fmt: skip
    said: dict[str, Any] = {name: _number(value) for name, value in numbers.items()}
    said["method"] = f"{method}, confidence sequence" if sequential else method
    return said


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _caution(
    outcome: Outcome, pair: tuple[Arm, Arm], plain: Moments, at: int, found: Comparison, adjusts: bool
) -> str | None:
    """Says what a reader of the numbers should know."""
    said = []
    for arm in pair:
        total = float(arm.sums.first[0])
        if outcome.kind == "mean" and arm.top and total > 0 and arm.top > ONE_UNIT * total and arm.n >= 10:
            # Not how much more: with the mean and the units of the arm that is the amount of one unit.
            said.append(f"one unit makes up more than {100 * ONE_UNIT:.0f} % of {arm.variant}; consider cap")
    if lost := sum(arm.without_rate for arm in pair):
        said.append(f"{lost:.0f} amounts are left out: no exchange rate of their currency is known")
    if outcome.kind == "proportion":
        before, after = (
            sum(each) for each in zip(*((a.done_before, a.sums.first[0]) for a in pair), strict=True)
        )
        if before > after and before > 0:
            said.append(
                "more units had done it before their exposure than did it after: is the exposure told too late?"
            )
    if adjusts:
        b, v, n = plain.before, plain.before_variance, plain.n
        earlier = welch(n[at], b[at], v[at], n[0], b[0], v[0])
        if earlier.p_value < DIFFERED:
            said.append(f"the arms differed before their exposure (p = {float(earlier.p_value):.1g})")
        raw = float(plain.mean[at] - plain.mean[0])
        if raw * float(found.effect) < 0 and found.p_value < 0.05:
            said.append("taking off what was before turns the sign of the effect")
    return "; ".join(said) or None
