"""Before an experiment: how much data is enough, how long it takes, and whether it will err as seldom as it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from headway.errors import InputError
from headway.experiments.analysis import WORTH_ADJUSTING, arm_of
from headway.experiments.experiment import Experiment
from headway.experiments.exposure import Exposure
from headway.experiments.outcome import Outcome
from headway.log import EventLog
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.periods import Moment
from headway.selectors import Selector
from headway.statistics.arms import ArmSums, cuped, moments
from headway.statistics.comparisons import welch
from headway.statistics.intervals import Floats, wilson
from headway.statistics.power import smallest_effect, units_needed

_EVERYBODY = "everybody"
_CHUNK = 8_000_000

SCHEMA = {
    "metric": pl.String, "units": pl.Int64, "units_per_day": pl.Float64, "mean": pl.Float64, "deviation": pl.Float64,
    "zeros": pl.Float64, "reduction": pl.Float64, "effect": pl.Float64, "units_needed": pl.Int64,
    "days_needed": pl.Int64, "smallest_effect": pl.Float64, "reason": pl.String,
}  # fmt: skip
"""Columns of a plan."""


@dataclass(frozen=True)
class History:
    """What units did after an event that could have exposed them.

    Attributes:
        exposed_by: Events that could have exposed somebody, such as opening the page to be changed.
        outcomes: What will be compared.
        since: First day or instant of these events; None starts with the log.
        until: Last one; None ends with the log.
        window: Time after it in which outcomes without a window of their own count.
        before: Time before it whose outcomes will be taken off (CUPED); None: not at all.
        cap: Quantile at which larger amounts will be cut.
        unit: What is counted.
        currency: What amounts of outcomes with a currency are turned into.

    Examples:
        >>> History("Visit", ["Order"]).outcomes[0].kind
        'proportion'
    """

    exposed_by: Selector
    outcomes: Sequence[Outcome | str]
    since: Moment | None = None
    until: Moment | None = None
    window: str | None = "14d"
    before: str | None = "14d"
    cap: float | None = None
    unit: str = "person"
    currency: str | None = None

    def __post_init__(self) -> None:
        made = tuple(each if isinstance(each, Outcome) else Outcome(each, each) for each in self.outcomes)
        for each in made:
            if each.kind in ("quantile", "time"):
                raise InputError(
                    f"{each.name}: only shares, means and ratios can be planned by their variance"
                )
        object.__setattr__(self, "outcomes", made)

    @property
    def experiment(self) -> Experiment:
        """The experiment in which nobody is treated differently."""
        return Experiment(
            "history",
            [_EVERYBODY, "nobody"],
            self.outcomes,
            exposure=Exposure(self.exposed_by, None, constant=_EVERYBODY),
            window=self.window,
            before=self.before,
            cap=self.cap,
            unit=self.unit,
            since=self.since,
            until=self.until,
            currency=self.currency,
        )


def plan_experiment(
    log: EventLog,
    history: History,
    *,
    effect: float = 0.05,
    days: int = 14,
    shares: tuple[float, float] = (0.5, 0.5),
    alpha: float = 0.05,
    power: float = 0.8,
) -> pl.DataFrame:
    """Says how many units and days an experiment needs, from what units did so far, those that did nothing included.

    Args:
        log: The log.
        history: Which units, and what will be compared.
        effect: Smallest relative effect worth finding, such as 0.05 for 5 %.
        days: Days of exposures for which the smallest effect that can be found is told.
        shares: Planned shares of the two arms.
        alpha: Two-sided error probability.
        power: Probability of finding an effect that is there.

    Returns:
        One row per outcome: ``units`` seen, ``units_per_day``, ``mean``, ``deviation`` between units, share of
        ``zeros``, ``reduction`` of the variance by what was before, ``effect`` in the unit of the mean,
        ``units_needed`` in both arms, ``days_needed`` (with the window at the end), ``smallest_effect`` (relative,
        after `days` of exposures), and ``reason`` where nothing can be said.

    Raises:
        InputError: An event never occurs, or a number is out of range.
    """
    if not 0 < effect < 10 or days < 1:
        raise InputError("effect is a relative effect such as 0.05, and days a number of at least 1")
    experiment = history.experiment
    compiled = experiment.compiled(log)
    sums = log.sql(compiled.sums()).filter(pl.col("part") == "all").to_dicts()
    (seen,) = log.sql(compiled.funnel([_EVERYBODY], [])).to_dicts()
    spanned = 0 if seen["first_us"] is None else seen["last_us"] - seen["first_us"]
    per_day = seen["exposed"] / max(spanned / MICROSECONDS_PER_DAY, 1)
    rows = []
    for place, outcome in enumerate(experiment.outcomes):
        arm = arm_of(sums, _EVERYBODY, place)
        some = sum(int(row[f"some_{place}"]) for row in sums)
        closes = compiled.windows[place].closes or 0
        known = _known(arm.sums, arm.n)
        row: dict[str, Any] = {
            **dict.fromkeys(SCHEMA), "metric": outcome.name, "units": arm.n, "units_per_day": per_day,
            "zeros": 1 - some / arm.n if arm.n else None, **known,
        }  # fmt: skip
        if row["reason"] is None:
            variance = row["deviation"] ** 2 * (1 - row["reduction"])
            whole = effect * row["mean"]
            needed = units_needed(whole, variance, shares, alpha, power)
            first, second = (per_day * days * share / sum(shares) for share in shares)
            least = float(smallest_effect(variance, first, second, alpha, power))
            row |= {
                "effect": whole,
                "units_needed": needed,
                "days_needed": math.ceil(needed / per_day) + math.ceil(closes / MICROSECONDS_PER_DAY),
                "smallest_effect": least / row["mean"],
            }
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def _known(sums: ArmSums, n: int) -> dict[str, Any]:
    if n < 2:
        return {"reason": "no two units have their window behind them"}
    with np.errstate(all="ignore"):
        found = moments(ArmSums(*(each[None, ...] for each in (sums.n, sums.first, sums.second))))
        taken = float(cuped(found).reduction)
    mean, variance = float(found.mean[0]), float(found.variance[0])
    if not variance > 0:
        return {"mean": mean, "reason": "every unit has the same: without variance nothing can be planned"}
    if not mean > 0:
        return {"mean": mean, "reason": "the mean is not above 0, so that no relative effect has a meaning"}
    reduction = taken if taken >= WORTH_ADJUSTING else 0.0
    return {"mean": mean, "deviation": math.sqrt(variance), "reduction": reduction, "reason": None}


@dataclass(frozen=True)
class AATest:
    """How often a difference is claimed where there is none.

    Attributes:
        metric: The outcome.
        units: Units that were split.
        draws: How often.
        alpha: The error that is promised.
        error: The error that came out.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    metric: str
    units: int
    draws: int
    alpha: float
    error: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the promise may hold."""
        return self.low <= self.alpha

    def describe(self) -> str:
        """Says it in words."""
        verdict = "as promised" if self.holds else "more than promised: cap large amounts, or take more units"
        return (
            f"{self.metric}: {self.units} units split at random {self.draws} times; a difference was claimed in "
            f"{100 * self.error:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f}), {100 * self.alpha:g} % were "
            f"promised: {verdict}."
        )


def aa_test(
    log: EventLog,
    history: History,
    *,
    draws: int = 2_000,
    alpha: float = 0.05,
    share: float = 0.5,
    seed: int = 0,
) -> list[AATest]:
    """Splits the same units again and again, and counts how often a difference is claimed that cannot be there.

    Args:
        log: The log.
        history: Which units, and what is compared; as in the experiment to come, with cap and what was before.
        draws: How often.
        alpha: Error probability that is promised.
        share: Share of units in the treatment.
        seed: Seed of the splits.

    Returns:
        One test per outcome; outcomes of fewer than 20 units have none.

    Raises:
        InputError: A number is out of range.
    """
    if draws < 100 or not 0 < share < 1 or not 0 < alpha < 0.5:
        raise InputError("an A/A test needs 100 draws or more, a share between 0 and 1, and alpha below 0.5")
    experiment = history.experiment
    compiled = experiment.compiled(log)
    found = []
    for place, outcome in enumerate(experiment.outcomes):
        frame = log.sql(compiled.units(place))
        columns = {name: frame[name].to_numpy() for name in frame.columns}
        if frame.height < 20:
            continue
        p_values = _again(
            columns, draws, share, np.random.default_rng([seed, place]), history.before is not None
        )
        claims = int(np.sum(p_values < alpha))
        ends = wilson(claims, draws)
        found.append(
            AATest(
                outcome.name, frame.height, draws, alpha, claims / draws, float(ends.low), float(ends.high)
            )
        )
    return found


def _again(
    columns: dict[str, Any], draws: int, share: float, rng: np.random.Generator, before: bool
) -> Floats:
    """p-values of many random splits: sums of an arm are one product of matrices."""
    ones, zeros = np.ones(len(columns["y"])), np.zeros(len(columns["y"]))
    units = np.stack(
        [columns["y"], columns.get("x", ones), columns.get("c", zeros), columns.get("d", ones)], axis=1
    )
    n = len(units)
    products = np.einsum("ui,uj->uij", units, units).reshape(n, -1)
    table = np.concatenate([ones[:, None], units, products], axis=1)
    whole = table.sum(0)
    p_values = []
    size = max(1, _CHUNK // n)
    for start in range(0, draws, size):
        treated = (rng.random((min(size, draws - start), n)) < share).astype(np.float64)
        sums = np.stack([whole - (some := treated @ table), some], axis=1)
        arms = moments(ArmSums(sums[..., 0], sums[..., 1:5], sums[..., 5:].reshape(*sums.shape[:-1], 4, 4)))
        adjusted = cuped(arms)
        if before and float(np.mean(adjusted.reduction)) >= WORTH_ADJUSTING:
            arms = adjusted.moments
        control, other = ([each[:, at] for each in arms[:3]] for at in (0, 1))
        found = welch(other[0], other[1], other[2], control[0], control[1], control[2])
        p_values.append(found.p_value)
    return np.concatenate(p_values)
