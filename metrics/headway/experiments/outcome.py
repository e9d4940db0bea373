"""What is compared between variants: one number per unit, of what it did after its exposure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from headway.arithmetic import names_in, parse_arithmetic
from headway.errors import InputError
from headway.models.durations import describe_duration, parse_duration
from headway.selectors import Event, Selector, as_event

Kind = Literal["proportion", "mean", "ratio", "quantile", "time"]
"""What the numbers of an arm's units become."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,6})?)")
_KNOWN = ("did", "events", "days", "sum:property", "nps:property", "median:property", "p90:property", "time")


@dataclass(frozen=True)
class Measure:
    """A measure, read from its text.

    Attributes:
        kind: ``did``, ``events``, ``days``, ``sum``, ``nps``, ``quantile`` or ``time``.
        value: Property, or arithmetic over some.
        q: The quantile, between 0 and 1.
    """

    kind: str
    value: str | None = None
    q: float | None = None

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Reads a measure.

        Args:
            text: Such as ``"did"``, ``"sum:price * seats"`` or ``"p90:seconds"``.

        Returns:
            The measure.

        Raises:
            InputError: There is no such measure.

        Examples:
            >>> Measure.parse("p90:seconds")
            Measure(kind='quantile', value='seconds', q=0.9)
        """
        kind, colon, rest = str(text).partition(":")
        if not colon and kind in ("did", "events", "days", "time"):
            return cls(kind)
        if rest and kind in ("sum", "nps"):
            parse_arithmetic(rest, names_in(rest), what="value")
            return cls(kind, rest)
        share = 50.0 if kind == "median" else None
        if match := _PERCENTILE.fullmatch(kind):
            share = float(match[1])
        if rest and share is not None and 0 < share < 100:
            return cls("quantile", rest, share / 100)
        raise InputError.unknown("measure", str(text), _KNOWN)


@dataclass(frozen=True)
class Outcome:
    """What is compared between variants.

    A unit counts from its first exposure on, with everything it adds in the window, zeros included. Units whose window
    is not over yet are left out.

    Attributes:
        name: Name in the results.
        of: Events that count.
        measure: ``did``: whether; ``events``: how many; ``days``: on how many local days; ``sum:property``;
            ``nps:property``: the promoter score of the last answers; ``median:property`` or ``p90:property``: a
            quantile of single events, units being what is sampled; ``time``: how long until the first.
        per: Events of a denominator: the outcome is then the ratio of two sums over units.
        per_measure: ``did``, ``events``, ``days`` or ``sum:property``.
        after: When the window opens after the exposure.
        within: How long it stays open; None: as long as the experiment says.
        minus: Events whose sum is taken off, such as refunds.
        also: For ``did``: a unit must have done this in the window, too.
        via: For ``did``: steps that a unit has to take before, in this order and in the same window, as in a funnel
            whose clock starts at the exposure; at one instant any order counts.
        currency: Property with the currency of what is added up; the experiment says which one it is turned into.
        direction: Which way is good.
        margin: For a guardrail: how much worse than the control may be accepted, as a share of the control.
        unit: Unit of the values, for people; percent for shares.
        title: Title for people; None: the name.
        inclusive: Whether an event at the window's last instant counts.
        negative: Whether values below 0 are added up or left out.

    Raises:
        InputError: A measure, a window, the direction or the margin cannot be used.

    Examples:
        >>> Outcome("revenue", "Payment", "sum:amount", within="28d").kind
        'mean'
        >>> Outcome("activated", "Lesson Watched", within="7d").describe()
        "share of units with 'Lesson Watched' within 7 days of exposure"
    """

    name: str
    of: Selector
    measure: str = "did"
    per: Selector | None = None
    per_measure: str = "events"
    after: str = "0s"
    within: str | None = None
    minus: Selector | None = None
    also: Selector | None = None
    via: Sequence[Selector] = ()
    currency: str | None = None
    direction: Literal["up", "down"] = "up"
    margin: float | None = None
    unit: str = ""
    title: str | None = None
    inclusive: bool = False
    negative: Literal["keep", "exclude"] = "keep"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InputError("an outcome needs a name")
        for name in ("of", "per", "minus", "also"):
            given = getattr(self, name)
            if given is not None or name == "of":
                object.__setattr__(self, name, as_event(given))
        top, bottom = Measure.parse(self.measure), Measure.parse(self.per_measure)
        if self.per is not None and (top.kind not in _ADDED or bottom.kind not in _ADDED):
            raise InputError(
                f"{self.name}: a ratio divides did, events, days or sum:property by one of these"
            )
        if self.minus is not None and top.kind != "sum":
            raise InputError(f"{self.name}: minus takes off a sum; write measure='sum:property'")
        if isinstance(self.via, str | Event) or not isinstance(self.via, Sequence):
            raise InputError(f"{self.name}: via is a list of steps")
        object.__setattr__(self, "via", tuple(as_event(each) for each in self.via))
        if (self.also is not None or self.via) and (top.kind != "did" or self.per is not None):
            raise InputError(f"{self.name}: also and via go with measure='did' and no per")
        if self.also is not None and self.via:
            raise InputError(f"{self.name}: also says nothing of order and via does; use one of them")
        if len(self.via) >= _MOST_STEPS:
            raise InputError(f"{self.name}: at most {_MOST_STEPS} steps, the last included")
        if self.currency is not None and "sum" not in (top.kind, bottom.kind):
            raise InputError(f"{self.name}: a currency goes with sum:property")
        if self.direction not in ("up", "down"):
            raise InputError.unknown("direction", str(self.direction), ["up", "down"])
        if self.margin is not None and not 0 < self.margin < 1:
            raise InputError(f"{self.name}: a margin is a share of the control, such as 0.02 for 2 %")
        parse_duration(self.after)
        if self.within is not None and parse_duration(self.within) == 0:
            raise InputError(f"{self.name}: a window of no time holds nothing; write at least one second")

    @property
    def numerator(self) -> Measure:
        """The measure, read."""
        return Measure.parse(self.measure)

    @property
    def denominator(self) -> Measure | None:
        """The measure of the denominator, None where it is the number of units."""
        return None if self.per is None else Measure.parse(self.per_measure)

    @property
    def kind(self) -> Kind:
        """What the numbers of an arm's units become."""
        measure = self.numerator.kind
        if self.per is not None or measure == "nps":
            return "ratio"
        if measure in ("quantile", "time"):
            return "quantile" if measure == "quantile" else "time"
        return "proportion" if measure == "did" else "mean"

    @property
    def opens(self) -> int:
        """When the window opens, in microseconds after the exposure."""
        return parse_duration(self.after)

    def closes(self, window: str | None) -> int | None:
        """Says when the window closes.

        Args:
            window: Length of the experiment's window, for outcomes without their own.

        Returns:
            Microseconds after the exposure, that instant excluded; None: never.
        """
        length = self.within or window
        return None if length is None else self.opens + parse_duration(length) + self.inclusive

    def selectors(self) -> tuple[Event, ...]:
        """Lists the events it reads."""
        return tuple(
            as_event(each)
            for each in (self.of, self.per, self.minus, self.also, *self.via)
            if each is not None
        )

    def _chain(self) -> str:
        return ", then ".join(repr(as_event(each).label) for each in (*self.via, self.of))

    def describe(self) -> str:
        """Says in a few words what is compared."""
        measure, of = self.numerator, repr(as_event(self.of).label)
        also = "" if self.also is None else f" and {as_event(self.also).label!r}"
        what = {
            "did": f"share of units with {self._chain()}{also}",
            "events": f"{of} events per unit",
            "days": f"days with {of} per unit",
            "sum": f"sum of {measure.value} over {of} per unit",
            "nps": f"promoter score of the last {measure.value} in {of}",
            "quantile": f"{100 * (measure.q or 0):g} % quantile of {measure.value} over {of}",
            "time": f"time until the first {of}",
        }[measure.kind]
        if self.per is not None:
            bottom = f"{_WORDS[Measure.parse(self.per_measure).kind]} {as_event(self.per).label!r}"
            what = f"{_WORDS[measure.kind]} {of} divided by {bottom}"
        if self.currency is not None:
            what += ", in one currency"
        start = "" if self.opens == 0 else f", from {describe_duration(self.after)} on"
        return what + (
            "" if self.within is None else f" within {describe_duration(self.within)} of exposure{start}"
        )


#: Steps are kept in the bits of one number.
_MOST_STEPS = 20
_ADDED = ("did", "events", "days", "sum")
_WORDS = {"did": "units with", "events": "number of", "days": "days with", "sum": "sum over"}
