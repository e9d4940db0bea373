"""Who was exposed to which variant, and when: read from exposure events alone, never from an assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from headway.errors import InputError
from headway.periods import Moment, Span
from headway.selectors import Selector, as_event, condition

Variants = Mapping[str, float] | Sequence[str] | Sequence[tuple[str, float]]
"""Names of variants of equal shares, or planned shares by name."""


@dataclass(frozen=True)
class Exposure:
    """Which events expose a unit to a variant of a flag or an experiment.

    Attributes:
        event: Events that expose.
        flag: Property that names the flag or experiment; None where the event is about one alone.
        variant: Property that names the variant.
        constant: The variant of every exposure, where no property says it: for planning.

    Examples:
        >>> EXPOSURES["posthog"].variant
        '$feature_flag_response'
    """

    event: Selector
    flag: str | None
    variant: str = "variant"
    constant: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", as_event(self.event))
        for name in (self.flag, self.variant):
            if name is not None and (not isinstance(name, str) or not name):
                raise InputError("flag and variant are names of properties")

    def renamed(self, columns: Sequence[str]) -> Exposure:
        """Finds properties under the names a lake gives them: ``$feature_flag`` may be ``feature_flag`` there.

        Args:
            columns: The properties of the log.

        Returns:
            The same exposure, with names that the log has where it has them.
        """

        def found(name: str | None) -> str | None:
            if name is None or name in columns:
                return name
            plain = name.lstrip("$").lower().replace(" ", "_")
            return plain if plain in columns else name

        return Exposure(self.event, found(self.flag), found(self.variant) or self.variant, self.constant)

    def read(self) -> exp.Expr:
        """Builds the variant of an event, as text."""
        if self.constant is not None:
            return exp.Literal.string(self.constant)
        return exp.cast(exp.column(self.variant, quoted=True), "VARCHAR")


EXPOSURES: Final[Mapping[str, Exposure]] = {
    "posthog": Exposure("$feature_flag_called", "$feature_flag", "$feature_flag_response"),
    "amplitude": Exposure("$exposure", "flag_key", "variant"),
    "mixpanel": Exposure("$experiment_started", "Experiment name", "Variant name"),
    "growthbook": Exposure(["Experiment Viewed", "experiment_viewed"], "experimentId", "variantId"),
    "segment": Exposure("Experiment Viewed", "experiment_name", "variation_name"),
}
"""How trackers tell of exposures, by their name."""


def exposure_of(given: Exposure | Selector, flag: str | None, variant: str | None) -> Exposure:
    """Reads how exposure is told.

    Args:
        given: An `Exposure`, the name of a tracker in `EXPOSURES`, or events.
        flag: Property that names the flag; None leaves what a tracker uses.
        variant: Property that names the variant; None leaves what a tracker uses.

    Returns:
        The exposure.
    """
    if isinstance(given, str) and given in EXPOSURES:
        given = EXPOSURES[given]
    if isinstance(given, Exposure):
        return Exposure(given.event, flag or given.flag, variant or given.variant, given.constant)
    return Exposure(given, flag, variant or "variant")


@dataclass(frozen=True)
class Phase:
    """A time within an experiment in which the planned split stays the same.

    Attributes:
        since: Its first day or instant; None: the experiment's.
        shares: Planned share of each variant.
    """

    since: Moment | None
    shares: Variants

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", tuple(checked_shares(self.shares).items()))


def checked_shares(variants: Variants) -> dict[str, float]:
    """Reads the variants of an experiment.

    Args:
        variants: Planned share by name, or names of equal shares.

    Returns:
        Share by name, adding up to 1.

    Raises:
        InputError: There are fewer than two, a name is used twice, or a share is not above 0.

    Examples:
        >>> checked_shares({"control": 80, "new": 20})
        {'control': 0.8, 'new': 0.2}
    """
    if isinstance(variants, str) or not isinstance(variants, Mapping | Sequence):
        raise InputError(
            'variants are a list of names, or shares by name such as {"control": 0.5, "new": 0.5}'
        )
    if not isinstance(variants, Mapping) and variants and all(isinstance(each, tuple) for each in variants):
        variants = dict(variants)  # type: ignore[arg-type]
    names = [str(each) if isinstance(each, str) else "" for each in variants]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise InputError("an experiment needs two variants or more, each with a name of its own")
    shares = [variants[name] for name in names] if isinstance(variants, Mapping) else [1.0] * len(names)
    for share in shares:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < float("inf"):
            raise InputError(
                "a variant's planned share must be above 0; leave out one that nobody should get"
            )
    whole = sum(shares)
    return {name: share / whole for name, share in zip(names, shares, strict=True)}


def phase_number(phases: Sequence[Phase], timezone: str, column: exp.Expr) -> exp.Expr:
    """Builds the number of the phase an instant lies in.

    Args:
        phases: The phases in order.
        timezone: Time zone of their days.
        column: The instant, in microseconds.

    Returns:
        A number from 0 on.

    Raises:
        InputError: The phases are not in order.
    """
    starts = [Span.parse(phase.since, None, timezone).since_us for phase in phases[1:]]
    known = [start for start in starts if start is not None]
    if len(known) < len(starts) or known != sorted(set(known)):
        raise InputError("phases follow each other: every one after the first needs a later start")
    number: exp.Expr = exp.Literal.number(0)
    if not known:
        return number
    case = exp.Case()
    for place, start in reversed(list(enumerate(known, start=1))):
        later = exp.GTE(this=column.copy(), expression=exp.Literal.number(start))
        case = case.when(later, exp.Literal.number(place))
    return case.else_(number)


def flagged(exposure: Exposure, value: str, columns: Sequence[str]) -> exp.Expr:
    """Builds the test whether an event exposes somebody to the flag.

    Args:
        exposure: How exposure is told.
        value: Name of the flag or experiment in the events.
        columns: The properties of the log.

    Returns:
        A test that is never null.

    Raises:
        InputError: A property is missing.
    """
    for name in (exposure.flag, None if exposure.constant is not None else exposure.variant):
        if name is not None and name not in columns:
            raise InputError.unknown("property", name, columns)
    test = condition(exposure.event, columns)
    if exposure.flag is None:
        return test
    named = exp.EQ(
        this=exp.cast(exp.column(exposure.flag, quoted=True), "VARCHAR"), expression=exp.Literal.string(value)
    )
    return exp.and_(test, exp.Coalesce(this=named, expressions=[exp.false()]))
