"""What a funnel found: the counts, the times, the people, the trend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.engine.sql import Replacement
from headway.errors import InputError
from headway.insights.breakdown import columns_of, one_column, told_apart
from headway.insights.funnel_options import SESSION
from headway.insights.funnel_parts import columns, named
from headway.insights.funnel_plan import Plan, plan_of
from headway.insights.funnel_sql import instant, level_number, reached, relations
from headway.insights.question import labels
from headway.insights.result import Result
from headway.insights.sessions import Sessions
from headway.models.durations import parse_duration
from headway.periods import Period, check_period

if TYPE_CHECKING:
    from headway.insights.funnel import Funnel

_PACKAGE = "headway.insights"
_PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_WIDTHS = ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "3h", "6h", "12h", "1d", "7d", "30d", "365d")
_MOST_BINS = 40
_FEW_ROWS = 200
_KINDS = {"touch": pl.String, "step": pl.Int32, "event": pl.String, "people": pl.Int64, "dropped": pl.Int64}


@dataclass(frozen=True, repr=False)
class FunnelResult(Result):
    """What a funnel found.

    Attributes:
        frame: One row per step (after the breakdown value): ``step``, ``event`` (with order ``"any"`` how many of the
            steps), ``people``, ``from_first`` and ``from_previous`` (shares), ``low`` and ``high`` (95 % Wilson
            interval of ``from_first``), ``dropped`` (people who stopped at the step before), ``seconds_mean``,
            ``seconds_median``, ``seconds_p90`` (from the step before, of the reported attempts), ``previous_low`` and
            ``previous_high`` (95 % Wilson interval of ``from_previous``). The step before is the required one
            before; nobody drops at an optional step. Where sessions or attempts are counted, ``people`` are those.
        insight: The question.
    """

    insight: Funnel

    @cached_property
    def plan(self) -> Plan:
        """What the queries depend on."""
        return plan_of(self.insight, self.scope)

    @cached_property
    def ctes(self) -> Mapping[str, str | exp.Expr]:
        """The relations the queries build on."""
        return relations(self.plan, self.scope, self.insight.by, self.insight.top)

    @cached_property
    def people(self) -> pl.DataFrame:
        """Columns ``person`` and ``level`` (furthest required step), one row per person who entered.

        With `hold` the values follow ``person``; where sessions or attempts are counted, each is a row.
        """
        return self._listed(exp.true())

    def dropped(self, step: int) -> pl.DataFrame:
        """Lists who got to the required step before a step and not to it.

        Args:
            step: Number of a required step, from 2.

        Returns:
            The rows of `people` who dropped there.

        Raises:
            InputError: There is no such step, or it is optional.
        """
        if step not in self.plan.numbers[1:]:
            raise InputError(f"people drop at a required step after the first: {list(self.plan.numbers[1:])}")
        return self._listed(exp.column("level").eq(self.plan.numbers.index(step)))

    @cached_property
    def durations(self) -> pl.DataFrame:
        """Columns ``person`` and ``seconds`` from the first to the last required step, for people who got there."""
        return self._named(self._waits(1, self.plan.numbers[-1]))

    def times(self, from_step: int = 1, to_step: int | None = None) -> pl.DataFrame:
        """Measures how long reported attempts took from one step to another.

        Args:
            from_step: Number of a step.
            to_step: Number of a later step; None is the last required one.

        Returns:
            One row (per breakdown value): ``people`` who took both, ``mean``, ``min``, ``p10``, ``p25``,
            ``median``, ``p75``, ``p90``, ``p95``, ``p99`` and ``max``, in seconds, exact; nulls where nobody did.

        Raises:
            InputError: There are no such steps.
        """
        params = self._pair(from_step, to_step)
        waited = exp.column("waited_us")
        percentiles = [
            named(
                exp.Div(
                    this=exp.PercentileCont(this=waited.copy(), expression=exp.convert(share)),
                    expression=exp.convert(1e6),
                ),
                "median" if share == 0.5 else f"p{share * 100:.0f}",
            )
            for share in _PERCENTILES
        ]
        text = bind(load(_PACKAGE, "funnel_times"), {**params, "percentiles": percentiles})
        frame = self._ask(text)
        if frame.is_empty() and self.insight.by is None:
            empty = pl.DataFrame(
                {"touch": ["(all)"], "people": [0]}, schema=dict(list(frame.schema.items())[:2])
            )
            frame = pl.concat([frame, empty], how="diagonal")
        return self._named(frame)

    def histogram(
        self, from_step: int = 1, to_step: int | None = None, *, width: str | None = None
    ) -> pl.DataFrame:
        """Counts how long reported attempts took from one step to another.

        Args:
            from_step: Number of a step.
            to_step: Number of a later step; None is the last required one.
            width: Width of the bins, such as ``"1h"``; None takes one that gives up to 40 of them.

        Returns:
            One row per bin (per breakdown value), bins without anybody included: ``seconds_from`` (in the bin),
            ``seconds_to`` (in the next one) and ``people``.

        Raises:
            InputError: There are no such steps, or the width is not a length of time.
        """
        waits = self._waits(from_step, to_step or self.plan.numbers[-1])
        size = _fitting(waits["seconds"]) if width is None else parse_duration(width) / 1e6
        if size <= 0:
            raise InputError("the width of a bin must be longer than nothing")
        at = waits.select("touch", bin=(pl.col("seconds") // size).cast(pl.Int64))
        found = at["bin"].to_list()
        bins = pl.DataFrame(
            {"bin": range(min(found), max(found) + 1) if found else []}, schema={"bin": pl.Int64}
        )
        every = at.select(pl.col("touch").unique().sort()).join(bins, how="cross")
        counted = every.join(at.group_by("touch", "bin").len("people"), on=["touch", "bin"], how="left")
        return self._named(
            counted.sort("touch", "bin").select(
                "touch",
                seconds_from=pl.col("bin") * size,
                seconds_to=(pl.col("bin") + 1) * size,
                people=pl.col("people").fill_null(0).cast(pl.Int64),
            )
        )

    def trend(
        self, period: Period = "week", *, entered: int = 1, converted: int | None = None
    ) -> pl.DataFrame:
        """Follows the funnel over the periods its attempts start in.

        Args:
            period: ``"day"``, ``"week"`` or ``"month"``.
            entered: Required step a person must reach to count as entered.
            converted: Required step a person must reach to count as converted; None takes the last.

        Returns:
            Columns ``period_start``, ``entered``, ``converted`` (people), ``rate`` and ``complete`` (whether
            the window is over for everyone who started in the period), one row per period of the range. A
            person counts in every period an attempt starts in, so that the periods do not add up to the funnel;
            where attempts are counted each counts in the period of its start. Attempts that exclusions spoil
            count in none.

        Raises:
            InputError: The period or a step is unknown.
        """
        numbers, last = self.plan.numbers, len(self.insight.steps)
        reach = numbers[-1] if converted is None else converted
        if not 1 <= entered <= reach <= last:
            raise InputError(f"steps of a trend must satisfy 1 <= entered <= converted <= {last}")
        if entered not in numbers or reach not in numbers:
            raise InputError("steps of a trend must not be optional")
        totals = self.plan.count == "totals"
        keys = [*(name for name in self.plan.counted if name != "touch"), *(["t1"] if totals else [])]
        params: dict[str, Replacement] = {
            "entered": numbers.index(entered) + 1,
            "converted": numbers.index(reach) + 1,
            "within_us": self._longest_us(),
            "observed_us": self.scope.observed_us,
            "attempts": exp.to_table("reported" if totals else "attempts"),
            "key": columns(keys, "tried"),
        }
        text = bind(load(_PACKAGE, "funnel_trend"), params)
        frame = self._ask(text, calendar=self.scope.calendar(check_period(period)))
        share = pl.when(pl.col("entered") > 0).then(pl.col("converted") / pl.col("entered"))
        return frame.with_columns(rate=share).select(
            "period_start", "entered", "converted", "rate", "complete"
        )

    def _longest_us(self) -> int:
        """How long an attempt can take at most."""
        asked = self.insight
        bounds = [parse_duration(Sessions().max_length or "24h")] if self.plan.sessions else []
        bounds += [] if asked.within == SESSION else [parse_duration(asked.within)]
        if self.plan.step_us is not None:
            bounds.append(self.plan.step_us * max(len(self.plan.numbers) - 1, 1))
        return min(bounds)

    def _pair(self, from_step: int, to_step: int | None) -> dict[str, exp.Expr]:
        known, last = len(self.insight.steps), self.plan.numbers[-1] if to_step is None else to_step
        if not 1 <= from_step <= last <= known:
            raise InputError(f"a pair of steps must satisfy 1 <= from_step <= to_step <= {known}")
        return {
            "earlier": instant(self.plan, from_step),
            "later": instant(self.plan, last),
            "reached": exp.and_(reached(self.plan, from_step), reached(self.plan, last)),
        }

    def _waits(self, from_step: int, to_step: int) -> pl.DataFrame:
        params: dict[str, Replacement] = {**self._pair(from_step, to_step), "listed": columns(self._keys)}
        return self._ask(bind(load(_PACKAGE, "funnel_durations"), params))

    def _listed(self, kept: exp.Expr) -> pl.DataFrame:
        params: dict[str, Replacement] = {
            "listed": columns(self._keys),
            "level": level_number(self.plan),
            "kept": kept,
        }
        return self._ask(bind(load(_PACKAGE, "funnel_people"), params)).rename(self._held)

    @property
    def _keys(self) -> list[str]:
        return ["person", *self.plan.held_names]

    @property
    def _held(self) -> dict[str, str]:
        return dict(zip(self.plan.held_names, self.plan.held, strict=True))

    def _ask(self, text: str, **more: str) -> pl.DataFrame:
        return self.scope.log.sql(with_inputs(text, {**self.ctes, **more}))

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        held = {old: new for old, new in self._held.items() if old in frame.columns}
        # What is broken down by has its column already.
        doubled = [old for old, new in held.items() if new in columns_of(self.insight.by)]
        renamed = {old: new for old, new in held.items() if old not in doubled}
        return told_apart(frame.drop(doubled).rename(renamed), self.insight.by)

    def _draw(self) -> Any:
        from headway.charts import funnel_figure

        frame, by = one_column(self.frame, self.insight.by)
        counted = {"people": "people", "totals": "attempts", "sessions": "sessions"}[self.insight.count]
        order = {"sequential": "", "strict": " step right after step", "any": " in any order"}[
            self.insight.order
        ]
        return funnel_figure(
            frame, by=by, counted=counted, title=f"Funnel{order} within {self.insight.window}"
        )

    def _caveat(self) -> str:
        if self.insight.within == SESSION or len(self.insight.steps) == 1:
            return super()._caveat()
        late = f" Attempts that began less than {self.insight.window} before the end had less time than that."
        return f"{super()._caveat()}{late}"


def completed(counts: Mapping[str, Sequence[Any]], asked: Funnel) -> pl.DataFrame:
    """Adds names, shares and intervals to counts.

    Args:
        counts: Columns touch, step, people and the seconds, one place per breakdown value and step.
        asked: The question.

    Returns:
        The result's frame.
    """
    # SciPy takes longer to import than everything else; asking is early enough.
    from headway.statistics.intervals import wilson

    count = len(asked.steps)
    required = [not getattr(step, "optional", False) for step in asked.steps]
    # Shares and losses are of the required step before.
    before = [max((n for n in range(number) if required[n]), default=0) for number in range(count)]
    people = np.array(counts["people"], np.int64).reshape(-1, count)
    of = np.stack([np.broadcast_to(people[:, :1], people.shape), people[:, before]])
    low, high = wilson(people, of)
    with np.errstate(invalid="ignore"):
        shares = people / of
    dropped = np.where(required, of[1] - people, 0)
    told = step_names(asked) if asked.order != "any" else [f"any {n} of {count}" for n in range(1, count + 1)]
    shown: dict[str, Sequence[Any]] = {
        **counts,
        "event": told * len(people),
        "dropped": dropped.ravel().tolist(),
        **{"from_first": _numbers(shares[0]), "low": _numbers(low[0]), "high": _numbers(high[0])},
        **{"from_previous": _numbers(shares[1]), "previous_low": _numbers(low[1])},
        "previous_high": _numbers(high[1]),
    }
    names = asked.columns if asked.by is None else ("touch", *asked.columns)
    kinds = {name: _KINDS.get(name, pl.Float64) for name in names}
    columns = {name: shown[name] for name in names}
    # A few rows at once are quicker to take than many columns of a few values.
    few = people.size <= _FEW_ROWS
    frame = (
        pl.DataFrame(list(zip(*columns.values(), strict=True)), kinds, orient="row")
        if few
        else pl.DataFrame(columns, kinds)
    )
    return frame if asked.by is None else told_apart(frame, asked.by)


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Lists numbers; what is none becomes None."""
    return [None if value != value else value for value in values.ravel().tolist()]


def step_names(asked: Funnel) -> list[str]:
    """Names the rows of a funnel.

    Args:
        asked: The question.

    Returns:
        One name a step.
    """
    names = labels(asked.steps)
    return [
        f"{name} (optional)" if getattr(step, "optional", False) else name
        for name, step in zip(names, asked.steps, strict=True)
    ]


def _fitting(seconds: pl.Series) -> float:
    longest = float(seconds.max() or 0.0)  # type: ignore[arg-type]
    sizes: Sequence[float] = [parse_duration(width) / 1e6 for width in _WIDTHS]
    return next((size for size in sizes if longest / size < _MOST_BINS), sizes[-1])
