"""How far people get through a series of steps, and how long they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.engine.sql import Replacement
from headway.errors import InputError
from headway.insights.breakdown import By, as_by, by_words
from headway.insights.funnel_options import (
    ENTRIES,
    PRESETS,
    SESSION,
    Count,
    Entry,
    Exclude,
    OnExclusion,
    Order,
    Preset,
    Unset,
    check_attribution,
    check_exclusions,
    check_steps,
    counted_words,
    entry_words,
    exclusion_words,
    tie_us,
    tie_words,
    unset,
    window_words,
)
from headway.insights.funnel_plan import Plan, plan_of
from headway.insights.funnel_result import FunnelResult, completed, step_names
from headway.insights.funnel_sql import per_step, relations, rows_of
from headway.insights.question import Question, Scope
from headway.insights.quick import quick_counts
from headway.insights.result import choose, later
from headway.log import EventLog
from headway.models.durations import describe_duration, parse_duration
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_COUNTS = ("step", "event", "people", "from_first", "from_previous", "low", "high", "dropped")
_BEST, _DROP = unset("best"), unset("drop_person")
_SECONDS = ("seconds_mean", "seconds_median", "seconds_p90")


@dataclass(frozen=True)
class Funnel(Question):
    """How many people get through a series of steps.

    An attempt starts at an event that matches step 1. Each later step takes another event, not earlier than the
    one before it and at most `within` after the start (inclusive, elapsed time). A person counts for every step
    up to the furthest one reached. Attempts that start in one instant are one attempt: the events of that instant
    that suit it best start it.

    Attributes:
        steps: Selectors, in order; a repeated step takes another event. ``hw.Event(..., optional=True)`` is counted
            and may be skipped: it neither blocks nor anchors other steps, and lies between the required steps around
            it (where the next one is not reached, before the window ends). Its shares are of the required step before
            it. An event that could also fill a required step counts for it only strictly between their instants.
            ``hw.Event(..., first_time="event" | "matching")`` takes a person's first event only, see `Event`.
        within: Length of the window from the first step to the last, such as ``"14d"``, ``"24h"``, ``"30m"``; or
            ``"session"``: all steps in one session as `Sessions` finds them by default.
        within_step: Longest time from one required step to the next one, or None. Of all ways to take the steps the
            one that gets furthest counts.
        order: ``"sequential"``: other events may lie between the steps. ``"strict"``: the steps are consecutive
            events of everything the person did (events of one instant in the order of the log). ``"any"``: the
            attempt starts at any step, and row k counts those with k different steps within the window, each
            filled by another event: of all ways to give the events to the steps the one that fills most.
        entry: ``"best"`` takes the attempt that gets furthest (then finishes earliest, then starts latest);
            ``"first"`` only the attempts of the person's first instant with step 1; ``"latest"`` lets every
            event of step 1 restart the attempt: it then fills no later step, and what lies after a restart
            belongs to the new attempt.
        exclude: Events that spoil an attempt, see `Exclude`: strictly between the instants of its two steps or,
            where the second one is not reached, after the first one until the window ends. An attempt gets as far as
            it can without being spoilt between two steps it takes. With order ``"any"`` they spoil it anywhere
            between its first and its last step.
        on_exclusion: ``"drop_person"``: a spoilt attempt counts for nothing, and a person without another one leaves
            the funnel. ``"stop_there"``: it keeps what it had reached.
        tie: ``"0s"``: events of one instant fill steps in any order; None demands strictly later steps; ``"2s"``: a
            step may also come up to two seconds before the one before it; neighbouring steps that one event could
            fill alike are then strictly later than each other.
        hold: Property, or several, whose value stays the same through the attempt: what is counted are pairs of
            person and value; events without one are left out.
        count: ``"people"``; ``"totals"``: attempts, of which the next one starts strictly after the one before
            converted, ran out of time or met an exclusion; ``"sessions"``: sessions in which the steps lie.
        by: Property or cohort to break down by, a list of these, or None.
        top: Number of groups to keep, those with most people at step 1 (with `attribution` other than ``"first"``: at
            any step); the others become ``"(other)"``.
        attribution: Whose value counts: ``"first"`` and ``"last"`` of the steps the reported attempt took,
            ``"step:2"`` of that step, ``(none)`` where it was not reached; ``"all"``: one funnel per value, each of
            the events with that value alone.
        preset: ``"posthog"``, ``"mixpanel"`` or ``"amplitude"``: sets `within`, `entry`, `tie`, `on_exclusion` and
            `attribution` as that tool has them by default; what is given explicitly wins.

    References:
        The semantics are those of the repository's definitions of a funnel; Hall, P. (1935). On representatives
        of subsets. Journal of the London Mathematical Society 10, 26-30, for events of one instant.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Signed Up", "Payment", "Signed Up"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 3)],
        ... })
        >>> with EventLog(frame) as log:
        ...     Funnel(["Signed Up", "Payment"], within="7d").run(log).frame["people"].to_list()
        [2, 1]
    """

    columns: ClassVar[tuple[str, ...]] = (*_COUNTS, *_SECONDS, "previous_low", "previous_high")

    steps: Sequence[Selector]
    within: str = unset("14d")
    within_step: str | None = None
    order: Order = "sequential"
    entry: Entry = _BEST
    exclude: Sequence[Exclude] = ()
    on_exclusion: OnExclusion = _DROP
    tie: str | None = unset("0s")
    hold: str | Sequence[str] = ()
    count: Count = "people"
    by: By | None = None
    top: int | None = None
    attribution: str = unset("first")
    preset: Preset | None = None

    def __post_init__(self) -> None:
        if isinstance(self.steps, str) or not self.steps:
            raise InputError("a funnel needs a list of steps")
        self._fill_in()
        steps = tuple(as_event(step) for step in self.steps)
        object.__setattr__(self, "by", as_by(self.by, self.top))
        exclude = (self.exclude,) if isinstance(self.exclude, Exclude) else tuple(self.exclude)
        hold = (self.hold,) if isinstance(self.hold, str) else tuple(self.hold)
        for name, value in (("steps", steps), ("exclude", exclude), ("hold", hold)):
            object.__setattr__(self, name, value)
        if self.within != SESSION:
            parse_duration(self.within)
        if self.within_step is not None and parse_duration(self.within_step) == 0:
            raise InputError("within_step must be longer than nothing")
        tie_us(self.tie)
        choose("order", self.order, ("sequential", "strict", "any"))
        choose("entry", self.entry, tuple(ENTRIES))
        choose("on_exclusion", self.on_exclusion, ("drop_person", "stop_there"))
        choose("count", self.count, ("people", "totals", "sessions"))
        check_steps(steps, self.order)
        check_exclusions(exclude, steps)
        check_attribution(self.attribution, len(steps))
        if self.order == "any" and (self.entry == "latest" or self.within_step is not None):
            raise InputError(
                "with order='any' attempts start at any step: entry='latest' and within_step do not apply"
            )

    def run(self, log: EventLog) -> FunnelResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property is unknown, or an option cannot be used.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)

        def sql() -> str:
            plan = plan_of(self, scope)
            return with_inputs(self._query(plan), relations(plan, scope, self.by, self.top))

        frame = completed(self._counts(scope, sql), self)
        return FunnelResult(frame=frame, sql=later(sql), insight=self, scope=scope)

    def counts_sql(self, log: EventLog) -> str:
        """Writes the query of the counts alone, in constructs that every engine has.

        Args:
            log: The log.

        Returns:
            A query with the columns ``touch``, ``step`` and ``people``; groups without anybody are left out.
        """
        scope = Scope.of(self, log)
        plan = plan_of(self, scope)
        text = bind(
            load(_PACKAGE, "funnel_steps"),
            {"steps": rows_of(len(self.steps)), "reached": per_step(plan, "reached")},
        )
        return with_inputs(text, relations(plan, scope, self.by, self.top))

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        told = [
            f"{counted_words(self.count, self.order, step_names(self))}, "
            f"{window_words(self.within, self.within_step)}; {entry_words(self.entry, self.count)}, "
            f"{tie_words(self.tie, self.order)}, and one event fills one step",
            exclusion_words(self.exclude, self.on_exclusion, self.order),
        ]
        if self.hold:
            told.append(f"; the same {' and '.join(self.hold)} throughout, counted for each person and value")
        if self.count == "totals":
            told.append("; a person's next attempt starts after the one before is over")
        if self.by is not None:
            where = {"first": "on the attempt's first event", "last": "on the last event of a step"}
            told.append(
                f"; one funnel for each value, {by_words(self.by, self.top)}"
                if self.attribution == "all"
                else f"; broken down {by_words(self.by, self.top)} "
                + where.get(
                    self.attribution, f"on the event of step {self.attribution.removeprefix('step:')}"
                )
            )
        return "".join(told) + "."

    @property
    def window(self) -> str:
        """How long an attempt can take at most, in words; for figures."""
        return "one session" if self.within == SESSION else describe_duration(self.within)

    def _counts(self, scope: Scope, sql: Callable[[], str]) -> Mapping[str, Sequence[Any]]:
        """Counts: columns touch, step, people and the seconds from the step before; what is faster may answer here."""
        found = quick_counts(self, scope)
        return scope.log.sql(sql()).to_dict(as_series=False) if found is None else found

    def _query(self, plan: Plan) -> str:
        steps = len(self.steps)
        waited = per_step(plan, "waited") if steps > 1 else exp.cast(exp.null(), "BIGINT")
        values: dict[str, Replacement] = {
            "steps": rows_of(steps),
            "broken_down": self.by is not None,
            "reached": per_step(plan, "reached"),
            "waited": waited,
        }
        return bind(load(_PACKAGE, "funnel"), values)

    def _fill_in(self) -> None:
        """Puts a preset's options where none was given."""
        if self.preset is not None:
            choose("preset", self.preset, tuple(PRESETS))
        values = PRESETS[self.preset] if self.preset else {}
        for field in fields(self):
            given = getattr(self, field.name)
            if isinstance(given, Unset):
                object.__setattr__(self, field.name, str(values.get(field.name, given)))
