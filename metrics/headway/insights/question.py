"""What every question has in common: the range, the calendar, the condition on all events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.engine.sql import Replacement
from headway.errors import InputError
from headway.insights.breakdown import (
    COLUMN,
    IN,
    NONE,
    OTHER,
    OUT,
    By,
    columns_of,
    group_of,
    items_of,
    parts_of,
)
from headway.insights.cohort_sql import cohort_query
from headway.insights.cohorts import Cohort
from headway.log import EventLog
from headway.periods import (
    EARLIEST,
    Moment,
    Period,
    Span,
    check_period,
    local_day,
    period_number,
    period_start,
    weekday,
)
from headway.selectors import Selector, as_event, condition, names_of

_PACKAGE = "headway.insights"
# Only there where something other than people is counted, and named as no property is.
_WHO = "the person"


@dataclass(frozen=True)
class Group:
    """One group of a breakdown.

    Attributes:
        by: What is broken down by.
        value: The group.
        kept: The groups that keep their name, where the others became one; None where all do.
    """

    by: By
    value: str
    kept: tuple[str, ...] | None = None

    def test(self) -> exp.Expr:
        """Builds the test whether an event is in the group."""
        group = exp.column(COLUMN)
        if self.value != OTHER or self.kept is None:
            return group.eq(exp.Literal.string(self.value))
        names = [exp.Literal.string(name) for name in self.kept]
        return exp.not_(group.isin(*names)) if names else exp.true()


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """Options every insight takes.

    Attributes:
        since: First day (a date, whole local day) or instant; None starts with the log.
        until: Last day or instant, included; None ends with the log.
        timezone: Reporting time zone; None takes the log's.
        week_start: The day weeks start on; None takes the log's.
        where: Condition on the properties of all events; others do not exist for the question.
        unit: What is counted in place of people: ``"person"``, or another column of the log such as
            ``"account"``; events without it are left out.
        cohort: People to ask of; others do not exist for the question. The range stays that of the whole log.
        only: One group of a breakdown, whose events alone exist; None takes all.
    """

    since: Moment | None = None
    until: Moment | None = None
    timezone: str | None = None
    week_start: str | None = None
    where: str | None = None
    unit: str = "person"
    cohort: Cohort | str | None = None
    only: Group | None = field(default=None, repr=False)

    @abstractmethod
    def describe(self) -> str:
        """Says in one sentence what is counted."""

    def asked_of(self) -> Cohort | None:
        """Says which people the question is asked of; None asks everyone."""
        if self.cohort is not None and not isinstance(self.cohort, Cohort):
            raise InputError(
                "cohort must be a cohort such as hw.Did(...), hw.Where(...) or hw.People(...), "
                f"not a {type(self.cohort).__name__}"
            )
        return self.cohort


@dataclass(frozen=True)
class Scope:
    """A question's common options, applied to one log.

    Attributes:
        log: The log asked.
        timezone: Reporting time zone.
        week_start: The day weeks start on.
        span: The range of time.
        where: Condition on all events, or None.
        unit: What is counted.
        cohort: People asked of, or None.
        cohort_until_us: Last instant cohorts look at by themselves: the end of the question's range.
        only: Group whose events alone exist, or None.
    """

    log: EventLog
    timezone: str
    week_start: str
    span: Span
    where: str | None
    unit: str = "person"
    cohort: Cohort | None = None
    cohort_until_us: int | None = None
    only: Group | None = None

    @classmethod
    def of(cls, question: Question, log: EventLog) -> Scope:
        """Applies a question to a log.

        Args:
            question: The question.
            log: The log asked.

        Returns:
            The options with the log's defaults filled in.

        Raises:
            InputError: A time zone, a week start or an end of the range is wrong.
        """
        timezone = question.timezone or log.timezone
        week_start = question.week_start or log.week_start
        weekday(week_start)
        span = Span.parse(question.since, question.until, timezone)
        return cls(
            log,
            timezone,
            week_start,
            span,
            question.where,
            question.unit,
            question.asked_of(),
            span.until_us,
            question.only,
        )

    @cached_property
    def observed_us(self) -> int:
        """End of what is known (excluded, epoch microseconds): the horizon, or the end of the range if earlier."""
        # An empty log without a horizon: nothing is known, so nothing is over.
        known = self.log.horizon_us or 0
        return known if self.span.until_us is None else min(known, self.span.until_us + 1)

    def periods(self, period: Period) -> tuple[int, int]:
        """Numbers the periods of the range.

        Args:
            period: Length of the periods.

        Returns:
            First and last; the last lies before the first where there are none. Open ends are the first and
            last local day of the log.
        """
        first = self.log.first_us if self.span.since_us is None else self.span.since_us
        last = self.log.last_us if self.span.until_us is None else self.span.until_us
        if first is None or last is None or first > last:
            return 0, -1
        numbers = [
            period_number(local_day(us, self.timezone), check_period(period), self.week_start)
            for us in (first, last)
        ]
        return numbers[0], numbers[1]

    def last_day(self) -> int:
        """Numbers the last local day of the range, in days since 1970-01-01."""
        return self.periods("day")[1]

    def reaching_back(self, day: int) -> Scope:
        """Moves the start of the range.

        Args:
            day: Number of the first local day that counts, see `headway.periods.period_number`.

        Returns:
            The options with the new start; unchanged where the range holds no day.
        """
        first, last = self.periods("day")
        since = self.span.since if last < first else max(period_start(day, "day"), EARLIEST)
        return replace(self, span=replace(self.span, since=since))

    def events(
        self,
        conditions: Iterable[exp.Expr] = (),
        *,
        by: By | None = None,
        top: int | None = None,
        counted: exp.Expr | None = None,
        period: Period | None = None,
        ever: bool = False,
    ) -> str:
        """Writes the query for relation ``ev``.

        Args:
            conditions: Conditions that will be tested on it.
            by: What to break down by; adds the column ``breakdown``, see `breakdown`.
            top: Number of groups to keep; the others become one.
            counted: Condition on the events by which groups are ranked, those in the range; None takes all.
            period: Adds the number of the local day, week or month.
            ever: Whether events before the range are needed too.

        Returns:
            Query text.
        """
        if self.only is not None:
            return self._group_alone(list(conditions), self.only, period=period, ever=ever)
        tested = {name for name in names_of(conditions) if name != "event"}
        items = items_of(by)
        split = {item for item in items if isinstance(item, str)}
        plain = self.cohort is None and not items
        events = self.log.prelude(
            sorted(tested | split),
            since=None if ever else self.span.since,
            until=self.span.until,
            timezone=self.timezone,
            where=self.where,
            period=period,
            week_start=self.week_start,
            unit=self.unit,
            who=None if plain or self.unit == "person" else _WHO,
        )
        if plain:
            return events
        shown = _columns(period, tested)
        ctes = {"asked": events} | self._cohorts(items)
        group = [exp.alias_(self._group(items), COLUMN)] if items else []
        among = exp.true() if self.cohort is None else self._member(0)
        text = bind(load(_PACKAGE, "breakdown"), {"columns": [*shown, *group], "among": among})
        if top is None:
            return with_inputs(text, ctes)
        counts = exp.and_(self.inside(), exp.true() if counted is None else counted.copy())
        params: dict[str, Replacement] = {
            "columns": shown,
            "counted": counts,
            "values": parts_of(by),
            "top": top,
        }
        largest = bind(load(_PACKAGE, "breakdown_top"), params)
        return with_inputs(largest, {"split": with_inputs(text, ctes)})

    def _group_alone(
        self, conditions: list[exp.Expr], only: Group, *, period: Period | None, ever: bool
    ) -> str:
        split = replace(self, only=None).events(conditions, by=only.by, period=period, ever=ever)
        shown = _columns(period, {name for name in names_of(conditions) if name != "event"})
        text = bind(load(_PACKAGE, "breakdown_group"), {"columns": shown, "chosen": only.test()})
        return with_inputs(text, {"split": split})

    def calendar(self, period: Period) -> str:
        """Writes the query for relation ``calendar``.

        Args:
            period: Length of the periods.

        Returns:
            Query text.
        """
        first, last = self.periods(period)
        return self.log.calendar(period, first, last, timezone=self.timezone, week_start=self.week_start)

    def inside(self, column: str = "us") -> exp.Expr:
        """Builds the test whether an event of ``ev`` lies in the range.

        Args:
            column: Column with the instant that counts.

        Returns:
            A SQLGlot expression.
        """
        us = exp.column(column)
        tests = [
            test(this=us.copy(), expression=exp.convert(bound))
            for test, bound in ((exp.GTE, self.span.since_us), (exp.LTE, self.span.until_us))
            if bound is not None
        ]
        return exp.and_(*tests) if tests else exp.true()

    def matches(self, selector: Selector) -> exp.Expr:
        """Builds the test whether an event of ``ev`` matches a selector.

        Args:
            selector: The selector.

        Returns:
            A SQLGlot expression.

        Raises:
            InputError: An event name never occurs in the log, or the condition cannot be used, or it is an optional
                step or a first time, which only funnels know.
        """
        event = as_event(selector)
        if event.optional or event.first_time:
            raise InputError("optional and first_time are for the steps of a funnel")
        known = self.log.names
        for name in event.names or ():
            if known and name not in known:
                raise InputError.unknown("event", name, known)
        return condition(event, self.log.properties)

    def breakdown(self, by: By | None, taken: Iterable[str]) -> exp.Expr:
        """Builds the value an event is broken down by.

        Args:
            by: What to break down by, or None.
            taken: Column names of the result frame.

        Returns:
            Text; a missing value is its own group, and without a breakdown everything is one group.

        Raises:
            InputError: A property is unknown, or something is named like a column of the result.
        """
        if by is None:
            return exp.Literal.string("(all)")
        for item in items_of(by):
            if isinstance(item, str) and item not in self.log.properties:
                raise InputError.unknown("property", item, self.log.properties)
        for name in columns_of(by):
            if name in taken:
                raise InputError(f"cannot break down by {name!r}: the result has a column of that name")
        return exp.column(COLUMN)

    def _cohorts(self, items: tuple[str | Cohort, ...]) -> dict[str, str]:
        """The queries of the cohorts in question: 0 is the one asked of, 1 and on are items of the breakdown."""
        return {
            _cohort_name(number): cohort_query(each, self)
            for number, each in enumerate((self.cohort, *items))
            if isinstance(each, Cohort)
        }

    def _member(self, number: int) -> exp.Expr:
        who = exp.column("person" if self.unit == "person" else _WHO, quoted=True)
        people = exp.select("person").from_(exp.to_table(_cohort_name(number), quoted=True))
        return exp.In(this=who, query=people.subquery())

    def _group(self, items: tuple[str | Cohort, ...]) -> exp.Expr:
        values: list[exp.Expr] = []
        for number, item in enumerate(items, start=1):
            if isinstance(item, Cohort):
                inside = exp.Case().when(self._member(number), exp.Literal.string(IN))
                values.append(inside.else_(exp.Literal.string(OUT)))
                continue
            value = exp.cast(exp.column(item, quoted=True), "VARCHAR")
            values.append(exp.Coalesce(this=value, expressions=[exp.Literal.string(NONE)]))
        return group_of(values)


def _columns(period: Period | None, tested: Iterable[str]) -> list[exp.Column]:
    names = ["person", "event", "us", "day", "seq", *(["period"] if period else []), *sorted(tested)]
    return [exp.column(name, quoted=True) for name in names]


def _cohort_name(number: int) -> str:
    return f"cohort {number}" if number else "cohort"


def labels(selectors: Iterable[Selector]) -> list[str]:
    """Names selectors for a table or a sentence.

    Args:
        selectors: Selectors.

    Returns:
        One label each.

    Examples:
        >>> from headway.selectors import Event
        >>> labels(["a", ["b", "c"], Event("d", where="x = 1")])
        ['a', 'b or c', 'd where x = 1']
    """
    return [as_event(selector).label for selector in selectors]
