"""Cohorts: sets of people said in words, combined with ``&``, ``|``, ``-`` and ``~``.

A cohort is a value that knows no log. Asked of a log it becomes one query of person ids: every part is a condition on
all events of a person taken together, so that set algebra is the algebra of conditions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

import polars as pl

from headway.errors import InputError
from headway.models.durations import MICROSECONDS_PER_DAY, describe_duration, parse_duration
from headway.periods import Moment, Span
from headway.selectors import Selector, as_event

if TYPE_CHECKING:
    from headway.log import EventLog

_MOST_TIMES = 10**9
_MOST_PARTS = 500
_DEEPEST = 30


class Cohort(ABC):
    """A set of people: `Did`, `Where`, `People`, and what ``&``, ``|``, ``-`` and ``~`` make of them.

    Give it as ``cohort=`` to ask a question of these people only, or as ``by=`` to compare those in it with those
    outside.

    Attributes:
        name: What charts and tables call it; None takes the words that define it.
    """

    name: str | None

    @property
    def label(self) -> str:
        """The name, or the words that define the cohort."""
        return self.name or self.words()

    def named(self, name: str) -> Self:
        """Gives the cohort a name.

        Args:
            name: The name.

        Returns:
            The same cohort with that name.
        """
        named: Self = replace(self, name=_checked_name(name))  # type: ignore[type-var]
        return named

    def describe(self) -> str:
        """Says in one sentence who is in it."""
        told = f"People who {self.words()}."
        return told if self.name is None else f"{self.name}: {told[0].lower()}{told[1:]}"

    def people(
        self, log: EventLog, *, until: Moment | None = None, timezone: str | None = None
    ) -> pl.DataFrame:
        """Lists who is in it.

        Args:
            log: The log.
            until: Last day or instant to look at; None looks at the whole log.
            timezone: Time zone of days; None takes the log's.

        Returns:
            Column ``person``, sorted.

        Raises:
            InputError: An event never occurs, a property is unknown, or the list is of other people.
        """
        from headway.insights.cohort_sql import listed

        return listed(self, log, until=until, timezone=timezone)

    @abstractmethod
    def words(self, *, negated: bool = False) -> str:
        """Says what these people did or are, to go on from "people who".

        Args:
            negated: Whether to say it of those outside.

        Returns:
            Words without a full stop.
        """

    def __and__(self, other: Cohort) -> Cohort:
        return _combined("and", self, _cohort(other))

    def __or__(self, other: Cohort) -> Cohort:
        return _combined("or", self, _cohort(other))

    def __sub__(self, other: Cohort) -> Cohort:
        return _combined("and", self, Inverse(_cohort(other)))

    def __invert__(self) -> Cohort:
        return self.part if isinstance(self, Inverse) and self.name is None else Inverse(self)

    def __bool__(self) -> bool:
        raise InputError("a cohort is neither true nor false: combine cohorts with &, |, - and ~")


@dataclass(frozen=True)
class Did(Cohort):
    """People who did something, so many times, within a range of time.

    Without a range everything up to the end of the question's range counts, however early. The question's `where` and
    `since` narrow its events, not its cohorts.

    Attributes:
        event: Events that count.
        at_least: Fewest times; 1 where no other number is given.
        at_most: Most times; people who never did it are in, unless `at_least` says otherwise.
        exactly: Number of times; 0 takes people who did not.
        since: First day or instant that counts.
        until: Last one, included; None takes the end of the question's range.
        last: Only the local days up to that end count: ``"7d"`` are the last 7.
        within: Only what lies at most so long (inclusive, elapsed time) after the person's first event counts, or after
            the first event that matches `of`, which counts itself.
        of: Event that `within` is counted from; None takes the person's first event ever.
        first_time: The first such event ever must lie in the range.
        name: What charts and tables call the cohort.

    Raises:
        InputError: A number or a length of time makes no sense, or two options contradict each other.

    Examples:
        >>> Did("Lesson Watched", at_least=3, within="7d").describe()
        'People who did Lesson Watched at least 3 times within 7 days of their first event.'
        >>> (Did("Signed Up") - Did("Payment")).named("unpaid").describe()
        'unpaid: people who did Signed Up and did not do Payment.'
    """

    event: Selector
    _: KW_ONLY
    at_least: int | None = None
    at_most: int | None = None
    exactly: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    last: str | None = None
    within: str | None = None
    of: Selector | None = None
    first_time: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "event", as_event(self.event))
        object.__setattr__(self, "of", None if self.of is None else as_event(self.of))
        _checked_name(self.name)
        _check_times(self)
        _check_range(self)

    @property
    def times(self) -> tuple[int, int | None]:
        """Fewest and most times, both included; None is no limit."""
        if self.exactly is not None:
            return self.exactly, self.exactly
        least = (1 if self.at_most is None else 0) if self.at_least is None else self.at_least
        return least, self.at_most

    @property
    def last_days(self) -> int | None:
        """Number of local days of `last`."""
        return None if self.last is None else parse_duration(self.last) // MICROSECONDS_PER_DAY

    def words(self, *, negated: bool = False) -> str:
        """Says what these people did, to go on from "people who"."""
        event, when = as_event(self.event).label, _range_words(self)
        if self.first_time:
            when = f" for the first time{when}"
        if self.times == (0, 0):
            return f"did {event}{when}" if negated else f"did not do {event}{when}"
        if self.times == (1, None):
            return f"did not do {event}{when}" if negated else f"did {event}{when}"
        told = f"did {event} {_times_words(self.times)}{when}"
        return f"are not among those who {told}" if negated else told


@dataclass(frozen=True)
class Where(Cohort):
    """People with properties as they were last known.

    Attributes:
        condition: Condition over ``person.`` properties, such as ``"person.plan = 'pro' and person.country <> 'DE'"``.
        name: What charts and tables call the cohort.

    Examples:
        >>> (~Where("person.plan = 'pro'")).describe()
        "People who do not have person.plan = 'pro' as last known."
    """

    condition: str
    _: KW_ONLY
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.condition, str) or not self.condition.strip():
            raise InputError("hw.Where needs a condition, for example hw.Where(\"person.plan = 'pro'\")")
        _checked_name(self.name)

    @property
    def label(self) -> str:
        """The name, or the condition."""
        return self.name or self.condition

    def words(self, *, negated: bool = False) -> str:
        """Says what is known of these people, to go on from "people who"."""
        return f"{'do not have' if negated else 'have'} {self.condition} as last known"


@dataclass(frozen=True, repr=False)
class People(Cohort):
    """A list of people, such as those who got to a step of a funnel.

    Attributes:
        ids: Ids of people: a list, a Polars series, or a frame with a column ``person``; kept as text, missing ones
            left out. They are never printed.
        name: What charts and tables call the cohort.

    Raises:
        InputError: It is none of these, or an id is neither text nor a whole number.

    Examples:
        >>> People(["ann", "bob", "ann"], name="testers")
        People(2 people, name='testers')
    """

    ids: Sequence[Any] | pl.Series | pl.DataFrame = field(repr=False)
    _: KW_ONLY
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _ids(self.ids))
        _checked_name(self.name)

    @property
    def texts(self) -> tuple[str, ...]:
        """The ids as text, each once."""
        return tuple(self.ids)

    def words(self, *, negated: bool = False) -> str:
        """Says how many are on the list, to go on from "people who"."""
        count = len(self.ids)
        return f"are{' not' if negated else ''} on a list of {count:,} {'person' if count == 1 else 'people'}"

    def __repr__(self) -> str:
        count = len(self.ids)
        return f"People({count} {'person' if count == 1 else 'people'}, name={self.name!r})"


@dataclass(frozen=True)
class Inverse(Cohort):
    """People outside a cohort, as ``~cohort`` makes it.

    Attributes:
        part: The cohort.
        name: What charts and tables call the people outside.
    """

    part: Cohort
    _: KW_ONLY
    name: str | None = None

    def __post_init__(self) -> None:
        _check_depth(self)

    def words(self, *, negated: bool = False) -> str:
        """Says it of those outside, to go on from "people who"."""
        if self.part.name is not None:
            return f"are {'' if negated else 'not '}in {self.part.name}"
        return self.part.words(negated=not negated)


@dataclass(frozen=True)
class Combined(Cohort):
    """People in all, or in any, of several cohorts, as ``&``, ``|`` and ``-`` make it.

    Attributes:
        kind: ``"and"`` or ``"or"``.
        parts: The cohorts.
        name: What charts and tables call the combination.
    """

    kind: Literal["and", "or"]
    parts: tuple[Cohort, ...]
    _: KW_ONLY
    name: str | None = None

    def __post_init__(self) -> None:
        _check_depth(self)

    def words(self, *, negated: bool = False) -> str:
        """Joins the words of the parts, to go on from "people who"."""
        # De Morgan: those outside "this and that" are those who are outside this or outside that.
        kind = {"and": "or", "or": "and"}[self.kind] if negated else self.kind
        return f" {kind} ".join(_part_words(part, negated=negated) for part in self.parts)


def _combined(kind: Literal["and", "or"], *cohorts: Cohort) -> Cohort:
    """Combines cohorts; a row of the same word is one list, so that it can be long."""
    parts: list[Cohort] = []
    for each in cohorts:
        same = isinstance(each, Combined) and each.kind == kind and each.name is None
        parts += each.parts if isinstance(each, Combined) and same else [each]
    if len(parts) > _MOST_PARTS:
        raise InputError(
            f"a cohort can be made of at most {_MOST_PARTS} others: use hw.People for a list of people"
        )
    return Combined(kind, tuple(parts))


def _depth(cohort: Cohort) -> int:
    if isinstance(cohort, Inverse):
        return 1 + _depth(cohort.part)
    return 1 + max(map(_depth, cohort.parts)) if isinstance(cohort, Combined) else 1


def _check_depth(cohort: Cohort) -> None:
    if _depth(cohort) > _DEEPEST:
        raise InputError(f"a cohort can be nested at most {_DEEPEST} deep")


def _part_words(part: Cohort, *, negated: bool) -> str:
    if part.name is not None:
        return f"are {'not ' if negated else ''}in {part.name}"
    told = part.words(negated=negated)
    inner = part.part if isinstance(part, Inverse) else part
    return f"({told})" if isinstance(inner, Combined) and inner.name is None else told


def _cohort(other: object) -> Cohort:
    if not isinstance(other, Cohort):
        raise InputError(f"a cohort can be combined with cohorts only, not with a {type(other).__name__}")
    return other


def _checked_name(name: str | None) -> str | None:
    if name is not None and (not isinstance(name, str) or not name.strip() or "\x00" in name):
        raise InputError("the name of a cohort must be a text that is not empty")
    return name


def _check_times(did: Did) -> None:
    limits = {"at_least": (did.at_least, 1), "at_most": (did.at_most, 0), "exactly": (did.exactly, 0)}
    for name, (value, fewest) in limits.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not fewest <= value <= _MOST_TIMES:
            hint = "; exactly=0 takes people who did not do it" if name == "at_least" else ""
            raise InputError(f"{name} must be a whole number from {fewest} to {_MOST_TIMES}{hint}")
    if did.exactly is not None and (did.at_least is not None or did.at_most is not None):
        raise InputError("give either exactly, or at_least and at_most")
    least, most = did.times
    if most is not None and least > most:
        raise InputError("at_least is more than at_most: nobody can be in this cohort")
    if did.first_time and did.times != (1, None):
        raise InputError("first_time asks for the first event ever: it goes without a number of times")


def _check_range(did: Did) -> None:
    for name in ("last", "within"):
        value = getattr(did, name)
        if value is not None and (not isinstance(value, str) or parse_duration(value) == 0):
            raise InputError(f"{name} must be a length of time that is longer than nothing, for example '7d'")
    if did.last is not None and parse_duration(did.last) % MICROSECONDS_PER_DAY:
        raise InputError("last counts local days: write a number of days, for example '7d'")
    if did.last is not None and did.since is not None:
        raise InputError("give either since or last: both say where the range starts")
    if did.of is not None and did.within is None:
        raise InputError("of says what within is counted from: give within as well, for example within='7d'")
    Span.parse(did.since, did.until, "UTC")


def _ids(given: object) -> tuple[str, ...]:
    if isinstance(given, pl.DataFrame):
        if "person" not in given.columns:
            raise InputError.unknown("column", "person", given.columns)
        given = given["person"]
    values = given.to_list() if isinstance(given, pl.Series) else given
    if isinstance(values, str) or not isinstance(values, list | tuple | set | frozenset):
        raise InputError("hw.People needs a list of ids, a series, or a frame with a column 'person'")
    known = [value for value in values if value is not None]
    if any(isinstance(value, bool) or not isinstance(value, str | int | UUID) for value in known):
        raise InputError("ids of people are texts or whole numbers")
    return tuple(sorted({str(value) for value in known}))


def _times_words(times: tuple[int, int | None]) -> str:
    least, most = times
    if least == most:
        return f"exactly {_times(least)}"
    if most is None:
        return f"at least {_times(least)}"
    return f"at most {_times(most)}" if least == 0 else f"{least} to {_times(most)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _range_words(did: Did) -> str:
    told = [f"{word} {end}" for word, end in (("from", did.since), ("to", did.until)) if end is not None]
    if did.last is not None:
        days = did.last_days
        told.append("on the last local day" if days == 1 else f"on the last {days} local days")
    if did.within is not None:
        start = "their first event" if did.of is None else f"their first {as_event(did.of).label}"
        told.append(f"within {describe_duration(did.within)} of {start}")
    return "".join(f" {each}" for each in told)
