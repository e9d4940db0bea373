"""What a kind of metric hands to the computation: a query, and how its rows become values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from sqlglot import exp

from headway.engine.sql import DIALECT, Replacement, bind, identifier, load, with_inputs
from headway.frameworks.prelude import EVENTS, Prelude
from headway.frameworks.tallied import Asked, Bits
from headway.models.metrics import BaseMetric, EventSelector
from headway.models.yaml_file import Location
from headway.statistics.estimates import Kind

NO_START = "it ended before anything began it"

POINTS = "headway_metric_points"
"""Name of the relation of points that the query of a running total reads."""

_PACKAGE = "headway.frameworks.kinds"
_PASSED = ("person", "us", "line", "tie", "day")
_TALLIED = ("person", "us", "day", "n")
_LOGGED = identifier(EVENTS)


Text = str | Callable[[], str]
"""A query, or what writes it: arrays may answer, and then nobody needs it."""


@dataclass(frozen=True)
class Units:
    """A metric that adds up over people: who adds what to which period.

    Attributes:
        query: One statement whose rows are person, grain, start_day, at_us, y and x: one row per person and period,
            what the person adds to the numerator (y) and to the denominator (x), and the instant at which the
            person's segments count.
        estimate: How sums over people become a value with its interval.
        whole: Whether all y and x are whole numbers, which add up exactly in any order.
        whole_x: Whether all x are.
        stamped: Whether at_us is stamped with the profile of the person, see `headway.frameworks.prelude.Stamp`.
        tallied: The same as the query, told to arrays; None where they cannot answer it.
        exclusions: Queries by reason, each the number of events that the metric had to leave out.
        base: Query of what the metric's query reads as `base`, see `on_base`; metrics that follow each other and have
            it in common share its rows. Empty where there is none.
        further: Query that has a row where cells may depend on more days than the metric's reach says; empty where
            they never do.
    """

    query: Text
    estimate: Kind
    whole: bool = True
    exclusions: Mapping[str, str] = field(default_factory=dict)
    base: Text = ""
    further: str = ""
    whole_x: bool = True
    stamped: bool = False
    tallied: Asked | None = None

    @property
    def query_text(self) -> str:
        """The query."""
        return self.query if isinstance(self.query, str) else self.query()

    @property
    def base_text(self) -> str:
        """The query of the base."""
        return self.base if isinstance(self.base, str) else self.base()


@dataclass(frozen=True)
class Observations:
    """A metric about the size of single observations, several of which may be one person's.

    Attributes:
        query: One statement whose rows are person, at_us, day, value and is_open (false): whose the observation is,
            when it counts, and its value; or, where a clock measures it, person, at_us, day and until_us: the instant
            until which it lasted, null where it is open.
        q: The quantile, between 0 and 1.
        clock: Which hours a duration counts: ``calendar`` or ``business``; None where values are given.
        within: The longest time that a clock measures, in microseconds: what lasts longer counts as open; None: any.
        unit_seconds: Seconds in a unit of the metric.
        trim: Share cut off at either end before a mean is taken, instead of the quantile; None takes the quantile.
        exclusions: Queries by reason, each the number of events that the metric had to leave out.
        stamped: Whether at_us is stamped with the profile of the person; where no clock measures.
    """

    query: str
    q: float
    clock: Literal["calendar", "business"] | None
    unit_seconds: int = 1
    within: int | None = None
    trim: float | None = None
    exclusions: Mapping[str, str] = field(default_factory=dict)
    stamped: bool = False


@dataclass(frozen=True)
class Weighted:
    """A metric whose channels are weighted by people who count whether they add something or not.

    Attributes:
        answers: What each person adds, unweighted: a proportion, a mean or a promoter score.
        shown: The people who make the weights, one y and x each.
        ends: Smallest and largest value possible.
        scale: What the mean of what people add is multiplied by: 100 for a promoter score.
    """

    answers: Units
    shown: Units
    ends: tuple[float, float]
    scale: float = 1.0

    @property
    def exclusions(self) -> Mapping[str, str]:
        """Queries by reason, each the number of events that the metric had to leave out."""
        return self.answers.exclusions


@dataclass(frozen=True)
class Running:
    """A metric that adds up over a longer time than its periods.

    Attributes:
        units: What each person adds, by point (``start_day``) and the day since when it counts (``grain``); x is 1
            where the person is new to the total. Its query reads the relation `POINTS`.
        begins: From a period's last day to the day from which on it counts; None before the total begins.
        once: Whether people are counted, not what they add.
    """

    units: Units
    begins: Callable[[date], date | None]
    once: bool

    @property
    def exclusions(self) -> Mapping[str, str]:
        """Queries by reason, each the number of events that the metric had to leave out."""
        return self.units.exclusions


Plan = Units | Observations | Weighted | Running
"""What a kind of metric may hand over."""

Planner = Callable[[Any, Prelude], Plan]
"""Makes the plan of one metric, given the shared input."""


def tests_of(metric: BaseMetric, shared: Prelude) -> Mapping[Location, exp.Expr]:
    """Builds the condition of every selector of a metric, over the columns of the events.

    Args:
        metric: The metric.
        shared: The shared input.

    Returns:
        Conditions by the selector's place in the definition.

    Raises:
        InputError: A condition uses a property that the events lack.
    """
    return {place: shared.marks.test(each, shared.columns) for place, each in metric.selectors().items()}


def bits_of(shared: Prelude, *selectors: EventSelector) -> Bits | None:
    """Returns the bits of any of some selectors, where the tally answers on arrays; None where it does not."""
    return shared.marks.any_of(selectors) if shared.stamped else None


def on_events(
    text: str,
    shared: Prelude,
    columns: list[exp.Expr],
    keep: exp.Expr | None,
    params: Mapping[str, Replacement] | None = None,
    *,
    periods: bool = True,
    **more: str | exp.Expr,
) -> str:
    """Puts a query of this package on top of the events it needs.

    Args:
        text: Name of the query, such as ``"cohort"``.
        shared: The shared input.
        columns: What `ev` carries beside person, us, moment, line, tie and day: aliased expressions over the events.
        keep: Which events `ev` holds; None for all that any metric uses.
        params: The query's parameters.
        periods: Whether the query reads the periods of the metric.
        **more: Further inputs by name.

    Returns:
        One statement that stands alone.
    """
    inputs: dict[str, str | exp.Expr] = {"periods": shared.periods_query} if periods else {}
    inputs["ev"] = events_of(shared, columns, keep)
    return with_inputs(bind(load(_PACKAGE, text), dict(params or {})), {**inputs, **more})


def on_base(text: str, shared: Prelude, params: Mapping[str, Replacement], *, periods: bool = False) -> str:
    """Puts a query of this package on top of the rows of the plan's base.

    Args:
        text: Name of the query.
        shared: The shared input.
        params: The query's parameters.
        periods: Whether the query reads the periods of the metric.

    Returns:
        One statement that stands alone.
    """
    inputs: dict[str, str | exp.Expr] = {"periods": shared.periods_query} if periods else {}
    return with_inputs(bind(load(_PACKAGE, text), dict(params)), {**inputs, "base": f"FROM {shared.base}"})


def events_of(shared: Prelude, columns: list[exp.Expr], keep: exp.Expr | None) -> exp.Expr:
    """Writes the query of the events of one metric.

    Args:
        shared: The shared input.
        columns: What it carries beside person, us, line, tie, day and moment: us stamped, if it is.
        keep: Which events; None for all that any metric uses.

    Returns:
        One statement.
    """
    own = [exp.alias_(exp.column(f"_{column}", quoted=True), column, quoted=True) for column in _PASSED]
    # Events of all days are not stamped where not all days are read.
    at = "_at" if shared.stamped and shared.events == _LOGGED else "_us"
    own.append(exp.alias_(exp.column(at, quoted=True), "moment", quoted=True))
    return exp.select(*own, *columns).from_(f"{shared.events} AS events").where(keep)


def ends_without_start(shared: Prelude, columns: list[exp.Expr], keep: exp.Expr) -> str:
    """Writes the query that counts the ends of what never began.

    Args:
        shared: The shared input.
        columns: key, is_start and is_end: aliased expressions over the events.
        keep: Which events start or end something.

    Returns:
        One statement with one number.
    """
    whole = replace(shared, events=shared.log)
    return with_inputs(load(_PACKAGE, "excluded_ends"), {"ev": events_of(whole, columns, keep)})


def on_tally(
    text: str,
    shared: Prelude,
    columns: list[exp.Expr],
    keep: exp.Expr,
    params: Mapping[str, Replacement] | None = None,
    **more: str | exp.Expr,
) -> str:
    """Puts a query of this package on top of what people did on each day, where single events do not matter.

    Args:
        text: Name of the query.
        shared: The shared input.
        columns: What `ev` carries beside person, us and moment (the first time that day, stamped if the tally is), day
            and n (how often): aliased expressions over the bits.
        keep: Which rows `ev` holds.
        params: The query's parameters.
        **more: Further inputs by name.

    Returns:
        One statement that stands alone.
    """
    inputs: dict[str, str | exp.Expr] = {
        "periods": shared.periods_query,
        "ev": tally_of(shared, columns, keep, stamped=shared.stamped),
    }
    return with_inputs(bind(load(_PACKAGE, text), dict(params or {})), {**inputs, **more})


def tally_of(shared: Prelude, columns: list[exp.Expr], keep: exp.Expr, *, stamped: bool = False) -> exp.Expr:
    """Writes the query of what people did on each day, for one metric; see `on_tally`."""
    read = {column: f"_{column}" for column in _TALLIED}
    if stamped:
        read["us"] = "_at"
    read["moment"] = "_at" if shared.stamped else "_us"
    own = [exp.alias_(exp.column(name, quoted=True), column, quoted=True) for column, name in read.items()]
    return exp.select(*own, *columns).from_(f"{shared.tally} AS tally").where(keep)


def on_people(text: str, shared: Prelude, *, periods: bool = True, **more: str | exp.Expr) -> str:
    """Puts a query of this package that reads no events on top of its inputs.

    Args:
        text: Name of the query.
        shared: The shared input.
        periods: Whether the query reads the periods of the metric.
        **more: Inputs by name.

    Returns:
        One statement that stands alone.
    """
    inputs: dict[str, str | exp.Expr] = {"periods": shared.periods_query} if periods else {}
    return with_inputs(load(_PACKAGE, text), {**inputs, **more})


def first_starts(shared: Prelude, test: exp.Expr, started: str | exp.Expr) -> str | exp.Expr:
    """Keeps of some starts those that are a person's first, where that cannot be told from the events at hand.

    Args:
        shared: The shared input.
        test: Which events are starts.
        started: Their query: person, us and others.

    Returns:
        A query with the same columns.
    """
    known = shared.firsts.get(test.sql(DIALECT))
    if known is None:
        return started
    return with_inputs(load(_PACKAGE, "first_starts"), {"firsts": known, "started": started})


def first_flags(shared: Prelude, test: exp.Expr, events: exp.Expr) -> str | exp.Expr:
    """Keeps the flag of starts where they are a person's first, if that cannot be told from the events at hand.

    Args:
        shared: The shared input.
        test: Which events are starts.
        events: Their query: person, us, is_start and others.

    Returns:
        A query with the same columns.
    """
    known = shared.firsts.get(test.sql(DIALECT))
    if known is None:
        return events
    return with_inputs(load(_PACKAGE, "first_flags"), {"firsts": known, "events_read": events})


def flag(test: exp.Expr, name: str) -> exp.Expr:
    """Names a condition as a column."""
    return exp.alias_(exp.paren(test.copy()), name, quoted=True)


def any_of(tests: Mapping[Location, exp.Expr]) -> exp.Expr:
    """Returns whether an event satisfies any of the conditions."""
    return exp.or_(*(test.copy() for test in tests.values()))
