"""The build trap in figures: how much of what was released was ever shown to help anybody, and what to say goodbye to.

After Melissa Perri, *Escaping the Build Trap* (2018): a company is in the build trap when it counts what it ships and
not what that does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from headway.models.strategy import Option, Strategy
from headway.statistics.intervals import wilson
from headway.strategy.settlement import SETTLING_GRADES, MeasuredEffect

UNUSED_BELOW = 0.05
"""Share of eligible people that used a released feature below which it counts as unused."""

Outcome = Literal["improved", "no effect", "worse", "unknown"]


@dataclass(frozen=True)
class Adoption:
    """Who used what an option brought.

    Attributes:
        eligible: People who could have.
        tried: People who did.
        share: ``tried / eligible``; None where it is not known or may not be shown.
        high: Upper end of its 95 % interval.
    """

    eligible: int | None
    tried: int | None
    share: float | None
    high: float | None = None


@dataclass(frozen=True)
class Released:
    """One option that people got.

    Attributes:
        option: Its name.
        released: Day on which people got it.
        removed: Day on which it was taken away, or None.
        measured: Whether any outcome was measured with evidence that settles.
        outcome: What it did to the metrics it was to move: ``improved`` where at least one got better for sure,
            ``worse`` where one of them or a guardrail got worse for sure.
        unused: Whether fewer people than `UNUSED_BELOW` used it for sure; None where use is not known.
        adoption: Share of eligible people that used it, or None.
        per_month: Cost of keeping it, or None.
    """

    option: str
    released: dt.date
    removed: dt.date | None
    measured: bool
    outcome: Outcome
    unused: bool | None
    adoption: float | None
    per_month: float | None

    @property
    def goodbye(self) -> str:
        """Why it is a candidate for removal, or nothing."""
        if self.removed is not None:
            return ""
        if self.outcome == "worse":
            return "it made things worse"
        if self.unused:
            return "nearly nobody uses it"
        if self.measured and self.outcome == "no effect" and self.per_month:
            return "it costs money and was not shown to help"
        return ""


@dataclass(frozen=True)
class BuildTrap:
    """The build-trap index of a set of released options.

    Attributes:
        released: Number of options that people got.
        measured: How many of them had any outcome measured.
        improved: How many were shown to improve one.
        unused: How many nearly nobody uses.
        removed: How many were taken away again.
        share_improved: ``improved / released``: the share of the work that ever moved an outcome; None without any.
        low: Lower end of Wilson's 95 % interval of that share.
        high: Upper end.
    """

    released: int
    measured: int
    improved: int
    unused: int
    removed: int
    share_improved: float | None
    low: float | None
    high: float | None


def released_options(
    strategy: Strategy,
    effects: Mapping[str, Sequence[MeasuredEffect]],
    adoption: Mapping[str, Adoption],
    days: Mapping[str, dt.date],
    *,
    today: dt.date,
) -> tuple[Released, ...]:
    """Lists what was released, and what is known of its outcome.

    Args:
        strategy: The tree.
        effects: Option -> effects measured of it, on whatever metric.
        adoption: Option -> who used it.
        days: Option -> day of its release, as far as the release log tells.
        today: The day on which it is looked at.

    Returns:
        The released options, oldest first.
    """
    found = []
    for name, option in strategy.options.items():
        day = days.get(name, option.released)
        if day is not None and day <= today:
            found.append(_released(name, option, day, effects.get(name, ()), adoption.get(name)))
    return tuple(sorted(found, key=lambda each: (each.released, each.option)))


def build_trap(released: Sequence[Released]) -> BuildTrap:
    """Counts how much of what was released was shown to help.

    Args:
        released: What `released_options` lists.

    Returns:
        The index.
    """
    improved = sum(each.outcome == "improved" for each in released)
    interval = wilson(improved, len(released)) if released else None
    return BuildTrap(
        released=len(released),
        measured=sum(each.measured for each in released),
        improved=improved,
        unused=sum(each.unused is True for each in released),
        removed=sum(each.removed is not None for each in released),
        share_improved=improved / len(released) if released else None,
        low=float(interval.low) if interval else None,
        high=float(interval.high) if interval else None,
    )


def _released(
    name: str,
    option: Option,
    day: dt.date,
    effects: Sequence[MeasuredEffect],
    adoption: Adoption | None,
) -> Released:
    settled = [
        each
        for each in effects
        if each.grade in SETTLING_GRADES and each.low is not None and each.high is not None
    ]
    share = adoption.share if adoption else None
    # Nearly nobody only where chance does not explain it: 1 of 10 people says little.
    most = adoption.high if adoption and adoption.high is not None else share
    return Released(
        option=name,
        released=day,
        removed=option.removed,
        measured=bool(settled),
        outcome=_outcome(settled, option),
        unused=None if most is None else most < UNUSED_BELOW,
        adoption=share,
        per_month=float(option.cost.per_month) if option.cost and option.cost.per_month else None,
    )


def _outcome(settled: Sequence[MeasuredEffect], option: Option) -> Outcome:
    # Among dozens of metrics some always move by chance: only those count that were named beforehand.
    meant = [bet.metric for bet in option.bets] or [aim.metric for aim in option.aims]
    signs = {each.metric: _sign(each) for each in settled}
    if any(signs.get(metric) == -1 for metric in (*meant, *option.guardrails)):
        return "worse"
    told = [signs[metric] for metric in meant if metric in signs]
    if not told:
        return "unknown"
    return "improved" if 1 in told else "no effect"


def _sign(effect: MeasuredEffect) -> int:
    low, high = effect.low or 0.0, effect.high or 0.0
    if effect.direction == "down":
        low, high = -high, -low
    return 1 if low > 0 else -1 if high < 0 else 0
