"""How many people come back, cohort by cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import polars as pl

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.breakdown import By, as_by, by_words, columns_of, one_column, told_apart
from headway.insights.cohorts import Cohort
from headway.insights.options import Preset, fill, heading, history_words, whole_number
from headway.insights.question import Question, Scope, labels
from headway.insights.quick import quick_counts
from headway.insights.result import Result, choose, later, with_interval
from headway.insights.retention_sql import (
    ROLLING_DAYS,
    Anchor,
    Plan,
    Span,
    kept,
    lifetimes,
    reached,
    relations,
)
from headway.insights.retention_survival import survival_curves
from headway.log import EventLog
from headway.periods import Period, check_period
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_MOST_PERIODS = 1000
_MOST_EVENTS = 10**6
_COLUMNS = ("cohort_start", "cohort_people", "period", "people", "rate", "low", "high", "complete")
_BRACKETS = ("from_period", "to_period")
_DEFAULTS: Mapping[str, object] = {
    "criterion": "on",
    "windows": "calendar",
    "anchor": "instant",
    "attribution": "start",
}
_PRESETS: Mapping[str, Mapping[str, object]] = {
    "posthog": {"attribution": "same"},
    "mixpanel": {"criterion": "on_or_after", "windows": "rolling"},
    "amplitude": {"criterion": "on_or_after", "windows": "rolling"},
}
_CRITERIA = {
    "on": "in that {window}",
    "on_or_after": "in that {window} or later in the range",
    "streak": "in every {window} from the first to that one",
}
_ANCHORS = {
    "instant": "their own start",
    "hour": "the hour of their own start",
    "day": "the day of their own start",
}


@dataclass(frozen=True)
class Retention(Question):
    """How many people of a cohort come back in the periods after it.

    Column 0 is the size of the cohort; a person counts in a later column by the events of `returning` alone.

    Attributes:
        start: Events that put a person into the cohort of their period.
        returning: Events that count as coming back.
        period: ``"day"``, ``"week"`` or ``"month"``, on the local calendar.
        periods: Number of periods after the cohort's own; columns are 0 to `periods`. `brackets` replace it.
        cohort: ``"first_time"``: the period of the first start event ever, where that lies in the range;
            ``"recurring"``: every period with a start event. A cohort such as ``hw.Did(...)`` is the same as `among`.
        criterion: ``"on"`` (the default): returned in that column; ``"on_or_after"``: in that column or later
            in the range, also after the last column; ``"streak"``: in every column from 1 to that one.
        windows: ``"calendar"`` (the default): local days, weeks, months; ``"rolling"``: 24 hours, 7 or 30 days,
            counted from the person's own start (the first one in the cohort's period).
        anchor: Where rolling windows begin: ``"instant"`` of the start (the default), the ``"hour"`` (UTC) or
            the local ``"day"`` it lies in.
        min_events: Returning events a column needs to count.
        brackets: Ends of columns that hold several periods, included: ``[1, 3, 7]`` makes column 1 of period 1,
            column 2 of periods 2 and 3, column 3 of periods 4 to 7. A bracket counts as one window: once is
            enough, and `min_events` are summed over it. With ``"on_or_after"`` what lies after the last bracket
            is later.
        by: Property or cohort to break down by, a list of these, or None.
        top: Number of groups to keep, those with most people who start; the others become ``"(other)"``.
        attribution: ``"start"`` (the default): the value on the start event, the first one in the cohort's
            period, whatever the returning events say; ``"same"``: each value is a question of its own, asked of
            the events with that value, so that start and return need the same one and a person may be in
            several groups.
        among: People to ask of, as ``cohort`` of the other insights; here that word is taken.
        preset: Options as a tool sets them, where they were not named: ``"posthog"`` (same value on both events),
            ``"mixpanel"`` (on or after, rolling from the instant), ``"amplitude"`` (on or after, rolling from
            the hour for days, from the day for weeks and months).

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "bob"],
        ...     "event": ["Signed Up", "Payment", "Signed Up"],
        ...     "occurred_at": [datetime(2026, 3, 1), datetime(2026, 3, 2), datetime(2026, 3, 1)],
        ... })
        >>> with EventLog(frame) as log:
        ...     frame = Retention("Signed Up", "Payment", period="day", periods=1).run(log).frame
        >>> frame.select("cohort_start", "cohort_people", "period", "people").rows()[:2]
        [(datetime.date(2026, 3, 1), 2, 0, 2), (datetime.date(2026, 3, 1), 2, 1, 1)]
    """

    start: Selector
    returning: Selector
    period: Period = "week"
    periods: int = 12
    cohort: Literal["first_time", "recurring"] | Cohort = field(default="first_time", kw_only=True)
    criterion: Literal["on", "on_or_after", "streak"] | None = None
    windows: Literal["calendar", "rolling"] | None = None
    anchor: Anchor | None = None
    min_events: int = 1
    brackets: Sequence[int] | None = None
    by: By | None = None
    top: int | None = None
    attribution: Literal["start", "same"] | None = None
    among: Cohort | None = field(default=None, kw_only=True)
    preset: Preset | None = None

    def __post_init__(self) -> None:
        if isinstance(self.cohort, Cohort):
            object.__setattr__(self, "among", self.cohort if self.among is None else self.among & self.cohort)
            object.__setattr__(self, "cohort", "first_time")
        elif self.cohort not in (counted := ("first_time", "recurring")):
            error = InputError.unknown("cohort", str(self.cohort), counted)
            raise InputError(f"{error} A set of people is a cohort such as hw.Did(...).")
        object.__setattr__(self, "by", as_by(self.by, self.top))
        for name in ("start", "returning"):
            object.__setattr__(self, name, as_event(getattr(self, name)))
        check_period(self.period)
        amplitude = {**_PRESETS["amplitude"], "anchor": "hour" if self.period == "day" else "day"}
        fill(self, self.preset, {**_PRESETS, "amplitude": amplitude}, _DEFAULTS)
        choose("criterion", self.criterion, tuple(_CRITERIA))
        choose("windows", self.windows, ("calendar", "rolling"))
        choose("anchor", self.anchor, tuple(_ANCHORS))
        choose("attribution", self.attribution, ("start", "same"))
        whole_number("periods", self.periods, _MOST_PERIODS)
        whole_number("min_events", self.min_events, _MOST_EVENTS)
        if self.brackets is not None:
            object.__setattr__(self, "brackets", _ends(self.brackets))

    def asked_of(self) -> Cohort | None:
        """Says which people the question is asked of; None asks everyone."""
        if self.among is not None and not isinstance(self.among, Cohort):
            raise InputError("among must be a cohort such as hw.Did(...), hw.Where(...) or hw.People(...)")
        return self.among

    def run(self, log: EventLog) -> RetentionResult:
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
        counts = with_interval(self._counts(scope), "people", "cohort_people")
        rate = pl.when(pl.col("cohort_people") > 0).then(pl.col("people") / pl.col("cohort_people"))
        columns = (*_COLUMNS, *(() if self.brackets is None else _BRACKETS))
        frame = told_apart(counts.with_columns(rate=rate).select("touch", *columns), self.by)
        return RetentionResult(frame=frame, sql=later(lambda: self._sql(scope)), insight=self, scope=scope)

    def describe(self) -> str:
        """Says in one sentence what is counted."""
        start, returning = labels([self.start, self.returning])
        first = self.cohort == "first_time"
        who = "for the first time ever" if first else "in the period, whether or not before"
        days = ROLLING_DAYS[self.period]
        length = "24 hours" if days == 1 else f"{days} days"
        rolling = f"windows of {length} since {_ANCHORS[self.anchor or 'instant']}"
        when = f"calendar {self.period}s" if self.windows == "calendar" else rolling
        window = "period" if self.brackets is None else "bracket"
        exact = _CRITERIA[self.criterion or "on"].format(window=window)
        times = f" at least {self.min_events} times" if self.min_events > 1 else ""
        spans = ", ".join(
            str(opens) if opens == closes else f"{opens} to {closes}" for opens, closes in self._spans()[1:]
        )
        brackets = "" if self.brackets is None else f", in brackets of periods {spans}"
        split = "" if self.by is None else f"; {self._split()}"
        return (
            f"People by the {self.period} they did {start} {who}, and how many of them did {returning}{times} "
            f"{exact}, counted in {when}{brackets}{split}."
        )

    def _counts(self, scope: Scope) -> pl.DataFrame:
        """Counts the cells; a kernel may do the same from a person store."""
        found = quick_counts(self, scope)
        return scope.log.sql(self._sql(scope)) if found is None else found

    def _sql(self, scope: Scope) -> str:
        plan = self._plan(scope)
        text = bind(load(_PACKAGE, "retention"), {"broken_down": self.by is not None})
        return with_inputs(text, {**relations(plan, scope), **reached(plan, scope)})

    def _plan(self, scope: Scope) -> Plan:
        taken = (
            *_COLUMNS,
            *_BRACKETS,
            "person",
            "touch",
            "cohorts",
            "at_risk",
            "lost",
            "censored",
            "survival",
            "base",
            "usable",
        )
        return Plan(
            starts=scope.matches(self.start),
            returns=scope.matches(self.returning),
            period=self.period,
            recurring=self.cohort == "recurring",
            criterion=self.criterion or "on",
            anchor=self.anchor if self.windows == "rolling" else None,
            spans=self._spans(),
            min_events=self.min_events,
            by=self.by,
            top=self.top,
            touch=None if self.by is None else scope.breakdown(self.by, taken),
            same=self.by is not None and self.attribution == "same",
        )

    def _spans(self) -> list[Span]:
        ends = list(range(self.periods + 1)) if self.brackets is None else [0, *self.brackets]
        return [(0, 0), *((before + 1, end) for before, end in pairwise(ends))]

    def _split(self) -> str:
        split = by_words(self.by, self.top)
        if self.attribution == "same":
            return (
                f"{split}, where start and return need the same value and a person may be in several groups"
            )
        return f"{split} on the start event"


@dataclass(frozen=True, repr=False)
class RetentionResult(Result):
    """What retention found.

    Attributes:
        frame: One row per cohort and column (after the breakdown value): ``cohort_start`` (date),
            ``cohort_people``, ``period`` (0, 1, ...; with brackets their numbers), ``people``, ``rate``, ``low``
            and ``high`` (95 % Wilson interval), ``complete`` (whether the cell is over), with brackets also
            ``from_period`` and ``to_period``. Rows end with the range.
        insight: The question.
    """

    insight: Retention

    def average(
        self,
        *,
        weights: Literal["people", "none"] = "people",
        reference: Literal["start", "previous"] = "start",
    ) -> pl.DataFrame:
        """Averages the columns over cohorts, complete cells with people only.

        Args:
            weights: ``"people"`` weighs each cohort by its size, so that the mean is the share of all their people;
                ``"none"`` takes the mean of the cohorts' rates.
            reference: What a rate is a share of: ``"start"``, the people of column 0, or ``"previous"``, those of
                the column before, of the same cohort; column 0 is then 1.

        Returns:
            One row per column (after the breakdown value): ``period``, ``cohorts`` (how many are in the mean),
            ``cohort_people`` and ``people`` (what the weighted mean divides), ``rate``; null where no cell is
            complete. Later columns average fewer cohorts than earlier ones, so that a curve may rise.

        Raises:
            InputError: An option is unknown.
        """
        choose("weights", weights, ("people", "none"))
        choose("reference", reference, ("start", "previous"))
        keys = columns_of(self.insight.by)
        base = pl.col("cohort_people")
        if reference == "previous":
            before = pl.col("people").shift(1).over([*keys, "cohort_start"])
            base = pl.when(pl.col("period") == 0).then(base).otherwise(before)
        cells = self.frame.with_columns(base=base, usable=pl.col("complete") & (base > 0))
        used = cells.with_columns(pl.when("usable").then(pl.col("base", "people")))
        shares = pl.col("people") / pl.col("base")
        return (
            used.group_by([*keys, "period"])
            .agg(
                cohorts=pl.col("usable").sum().cast(pl.Int64),
                cohort_people=pl.col("base").sum(),
                people=pl.col("people").sum(),
                rate=pl.col("people").sum() / pl.col("base").sum() if weights == "people" else shares.mean(),
            )
            .with_columns(pl.col("rate").fill_nan(None))
            .sort([*keys, "period"])
        )

    @property
    def churn(self) -> pl.DataFrame:
        """The complement: the columns of `frame`, with the people of the cohort who do not count in a column.

        With ``criterion="on_or_after"`` these are the people not seen again within the range; with ``"on"`` they
        may still come back.
        """
        complement = {"people": pl.col("cohort_people") - pl.col("people")}
        ends = {"rate": 1 - pl.col("rate"), "low": 1 - pl.col("high"), "high": 1 - pl.col("low")}
        return self.frame.with_columns(**complement, **ends)

    @cached_property
    def people(self) -> pl.DataFrame:
        """Columns ``cohort_start``, ``period``, ``person``: one row per cell and person who counts in it."""
        plan = self.insight._plan(self.scope)
        ctes = {**relations(plan, self.scope), "kept": kept(plan)}
        frame = self.scope.log.sql(with_inputs(load(_PACKAGE, "retention_people"), ctes))
        return told_apart(frame, self.insight.by)

    def survival(self, *, inactive: int = 1) -> pl.DataFrame:
        """Estimates for how long people stay, also from cohorts that are still young (Kaplan and Meier).

        A person's last return is the last period with enough returning events; those who never returned were last
        seen in period 0. Who has since been away for at least `inactive` whole periods is lost, in the period after the
        last return; everyone else is censored at the last return: seen until then, unknown afterwards.

        Args:
            inactive: Whole periods without a return after which a person counts as lost. The longer, the fewer people
                are taken for lost who would have come back.

        Returns:
            One row per period from 0 (after the breakdown value): ``period``, ``at_risk``, ``lost``, ``censored``
            (people), ``survival`` (share still there in the period), ``low`` and ``high`` (95 % interval with
            Greenwood's variance on the log-log scale; null where it is not defined).

        Raises:
            InputError: Cohorts are recurring, so that a person counts several times, or `inactive` is no number.
        """
        whole_number("inactive", inactive, _MOST_PERIODS)
        if self.insight.cohort != "first_time":
            raise InputError('survival counts each person once: ask with cohort="first_time"')
        text, ctes = lifetimes(self.insight._plan(self.scope), self.scope)
        rows = self.scope.log.sql(with_inputs(text, ctes))
        return told_apart(survival_curves(rows, inactive), self.insight.by)

    def _caveat(self) -> str:
        if self.insight.cohort != "first_time":
            return super()._caveat()
        return f" The first time ever is that of all retained history{history_words(self.scope)}.{super()._caveat()}"

    def _draw(self) -> Any:
        from headway.charts import retention_curves_figure, retention_figure

        spans = None if self.insight.brackets is None else self.insight._spans()
        asked, period = self.insight, self.insight.period
        title = heading("Retention", asked.start, asked.returning)
        if asked.by is None:
            return retention_figure(self.frame, period=period, spans=spans, mean=self.average(), title=title)
        curves, by = one_column(self.average(), asked.by)
        return retention_curves_figure(curves, by=str(by), period=period, spans=spans, title=title)


def _ends(brackets: object) -> tuple[int, ...]:
    ends = tuple(brackets) if isinstance(brackets, list | tuple) else ()
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in ends)
    if (
        not ends
        or not whole
        or ends != tuple(sorted(set(ends)))
        or not 1 <= ends[0] <= ends[-1] <= _MOST_PERIODS
    ):
        raise InputError(
            "brackets must be the last periods of the columns, rising whole numbers from 1 to "
            f"{_MOST_PERIODS}, such as [1, 3, 7]"
        )
    return ends
