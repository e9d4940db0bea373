"""Differences in differences of ratios over a staggered rollout, from sums over units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from headway.errors import InputError
from headway.statistics.intervals import Floats


@dataclass(frozen=True)
class Panel:
    """What units of several groups did in several periods, added up over the units of each group.

    A unit's row is what it adds to the numerator y and the denominator x of a ratio in every period, zeros included.
    Leading dimensions, equal in `sums` and `products`, hold independent panels of the same shape.

    Attributes:
        starts: For each group the number of the first period in which it has what is rolled out; None: never.
        units: Units of each group.
        sums: Sums over units: groups, 2 x periods; y of every period, then x of every period.
        products: Sums over units of the products of these columns: groups, 2 x periods, 2 x periods.
    """

    starts: tuple[int | None, ...]
    units: NDArray[np.int64]
    sums: Floats
    products: Floats

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.sums.shape[-1]) // 2

    @classmethod
    def of_units(cls, starts: Sequence[int | None], rows: Sequence[Floats]) -> Panel:
        """Adds up rows of units.

        Args:
            starts: See `Panel`.
            rows: For each group an array of units and 2 x periods, with leading dimensions if there are many panels.

        Returns:
            The panel.
        """
        sums = np.stack([each.sum(axis=-2) for each in rows], axis=-2)
        products = np.stack([np.einsum("...ui,...uj->...ij", each, each) for each in rows], axis=-3)
        return cls(tuple(starts), np.array([each.shape[-2] for each in rows]), sums, products)


class Contrast(NamedTuple):
    """A linear combination of effects, one entry a panel.

    Attributes:
        effect: Its value, in the unit of the ratio; NaN where a denominator is 0.
        error: Its standard error, clustered by unit.
    """

    effect: Floats
    error: Floats

    def interval(self, confidence: float = 0.95) -> tuple[Floats, Floats]:
        """Ends of the interval."""
        half = float(stats.norm.isf((1 - confidence) / 2)) * self.error
        return self.effect - half, self.effect + half

    @property
    def p_value(self) -> Floats:
        """Chance of an effect at least this large where there is none, two-sided."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(2 * stats.norm.sf(np.abs(self.effect / self.error)))


class GroupTime(NamedTuple):
    """Effects by group and period.

    Attributes:
        group: Position of the group of each effect.
        period: Period of each effect.
        since: Periods since the group's start; below 0 before it.
        effect: Effects in the last dimension.
        covariance: Their covariances, clustered by unit.
        units: Units of the group of each effect.
    """

    group: NDArray[np.int64]
    period: NDArray[np.int64]
    since: NDArray[np.int64]
    effect: Floats
    covariance: Floats
    units: NDArray[np.int64]

    def combined(self, weights: Floats) -> Contrast:
        """Adds effects up.

        Args:
            weights: One weight an effect.

        Returns:
            The sum with its error.
        """
        used = weights != 0
        effect = self.effect[..., used] @ weights[used]
        variance = np.einsum(
            "i,...ij,j->...", weights[used], self.covariance[..., used, :][..., used], weights[used]
        )
        return Contrast(effect, np.sqrt(np.maximum(variance, 0)))

    def overall(self) -> Contrast:
        """The mean effect over all groups and periods since their start, by units.

        Returns:
            The average effect on the treated (Callaway and Sant'Anna, 2021, their simple weighting).
        """
        return self.combined(self._mean(self.since >= 0))

    def at(self, since: int) -> Contrast:
        """The mean effect of all groups a number of periods after their start, by units."""
        return self.combined(self._mean(self.since == since))

    def placebo(self) -> Contrast:
        """What a start in the middle of the time before would have done: nothing, if all is well.

        Returns:
            The mean of the later half of the periods before minus that of the earlier half.
        """
        before = np.unique(self.since[self.since < 0])
        late = before[len(before) // 2 :]
        is_late, is_early = np.isin(self.since, late), (self.since < 0) & ~np.isin(self.since, late)
        return self.combined(self._mean(is_late) - self._mean(is_early))

    def pre_trend(self) -> Floats:
        """Tests whether all effects before the start are 0.

        Returns:
            p-value of a Wald test of the mean effects at every number of periods before, one entry a panel; NaN with
            fewer than two periods before.
        """
        before = np.unique(self.since[self.since < 0])
        # The effects of the time before average to 0 by construction: one of them is told by the others.
        if len(before) < 2:
            return np.full(self.effect.shape[:-1], np.nan)
        rows = np.stack([self._mean(self.since == each) for each in before[1:]])
        effect = np.einsum("ri,...i->...r", rows, self.effect)
        covariance = np.einsum("ri,...ij,sj->...rs", rows, self.covariance, rows)
        inverse = np.linalg.pinv(covariance, hermitian=True)
        wald = np.einsum("...r,...rs,...s->...", effect, inverse, effect)
        return np.asarray(stats.chi2.sf(wald, len(rows)))

    def _mean(self, of: NDArray[np.bool_]) -> Floats:
        weights = np.where(of, self.units, 0).astype(np.float64)
        return weights / weights.sum() if weights.any() else weights


def group_time(panel: Panel) -> GroupTime:
    """Estimates the effect on every group in every period.

    The ratio of a group in a period, minus its ratio over all periods before its start, is compared with the same
    difference of the units that do not have the thing in any of those periods: never, or not yet. Errors are those of
    ratios by linearisation, clustered by unit, so that what one unit does in several periods may hang together.

    Args:
        panel: The sums.

    Returns:
        One effect per group that starts, and period for which anybody is left to compare with; those before the start
        show whether the groups went the same way.

    Raises:
        InputError: No group starts within the periods after at least one period, or there is nobody to compare with.

    References:
        Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods. Journal of
        Econometrics 225, 200-230 (group-time effects, never and not-yet treated). The mean of all periods before as
        base: Wooldridge, J. M. (2021). Two-way fixed effects, the two-way Mundlak regression, and
        difference-in-differences estimators, section 6. Ratios by linearisation: Woodruff, R. S. (1971). A simple
        method for approximating the variance of a complicated estimate. JASA 66, 411-414.

    Examples:
        >>> rng = np.random.default_rng(7)
        >>> def units(n, effect):
        ...     y = 5 + rng.standard_normal((n, 6)); y[:, 3:] += effect
        ...     return np.hstack([y, np.ones((n, 6))])
        >>> panel = Panel.of_units([3, None], [units(300, 1.0), units(300, 0.0)])
        >>> found = group_time(panel).overall()
        >>> bool(found.interval()[0] < 1 < found.interval()[1])
        True
    """
    found: list[tuple[int, int, int]] = []
    effects: list[Floats] = []
    forms: list[Floats] = []
    for group, start in enumerate(panel.starts):
        if start is None or not 0 < start < panel.periods:
            continue
        for period in range(panel.periods):
            others = [
                place
                for place, theirs in enumerate(panel.starts)
                if place != group and (theirs is None or theirs > max(period, start))
            ]
            if others:
                effect, form = _difference(panel, [group], others, period, start)
                found.append((group, period, period - start))
                effects.append(effect)
                forms.append(form)
    if not any(since >= 0 for _, _, since in found):
        raise InputError(
            "nobody can be compared: a group must start after the first period, and another one later or never."
        )
    form = np.stack(forms, axis=-3)
    covariance = np.einsum("...agi,...gij,...bgj->...ab", form, panel.products, form)
    correction = panel.units.sum() / max(int(panel.units.sum()) - 1, 1)
    groups, periods, since = (np.array(each) for each in zip(*found, strict=True))
    return GroupTime(
        groups, periods, since, np.stack(effects, axis=-1), covariance * correction, panel.units[groups]
    )


def _difference(
    panel: Panel, group: list[int], others: list[int], period: int, start: int
) -> tuple[Floats, Floats]:
    """One effect, and the linear form by which each unit moves it: groups, 2 x periods."""
    form = np.zeros(panel.sums.shape)
    effect = np.zeros(panel.sums.shape[:-2])
    for side, sign in ((group, 1.0), (others, -1.0)):
        for periods, direction in (([period], sign), (list(range(start)), -sign)):
            effect = effect + direction * _add_ratio(form, panel, side, periods, direction)
    return effect, form


def _add_ratio(form: Floats, panel: Panel, side: list[int], periods: list[int], sign: float) -> Floats:
    """Adds the linear form of a ratio over some groups and periods; returns the ratio."""
    k = panel.periods
    at = np.array(periods)
    y = panel.sums[..., side, :][..., at].sum(axis=(-1, -2))
    x = panel.sums[..., side, :][..., at + k].sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(x != 0, y / x, np.nan)
        each = np.where(x != 0, 1 / x, np.nan)
    for place in side:
        form[..., place, at] += sign * each[..., None]
        form[..., place, at + k] -= sign * (ratio * each)[..., None]
    return np.asarray(ratio)
