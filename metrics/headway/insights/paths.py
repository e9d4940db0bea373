"""Paths: what people do one after the other, from an anchor on or up to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
from sqlglot import exp

from headway.engine import bind, load, with_inputs
from headway.errors import InputError
from headway.insights.begun import begun_words, figure_of_each, largest_alone
from headway.insights.breakdown import COLUMN, By, as_by, told_apart
from headway.insights.options import flag
from headway.insights.path_items import Group, check_anchor, check_groups, is_one_of, item_of
from headway.insights.question import Question, Scope, labels
from headway.insights.result import Result, choose
from headway.log import EventLog
from headway.models.durations import describe_duration, parse_duration
from headway.selectors import Selector, as_event

_PACKAGE = "headway.insights"
_EVER_US = 9_223_372_036_854_775_807
_MOST_STEPS = 50
_COUNTS = ("paths", "people")
_EDGE = ("step", "source", "target", "traversals", "people", "seconds_mean")
_COLUMNS = (*_EDGE, "item", "items", "paths", "stopped")
_KEEPS = ("first", "last")
_WITHOUT_END = ("leave_out", "keep")


@dataclass(frozen=True)
class Paths(Question):
    """What people do next, or did before, step by step.

    A path is a run of one person's activity. Events become items, runs of equal items become one, the path is cut at
    its anchors, and its first (or last) items are kept.

    Attributes:
        start: Item a path begins at, or several (any of them): its first one in the path. Paths without it do not
            count. None begins where activity does.
        end: Item a path ends at, or several: the first one after the start. None ends where activity does.
        steps: How many items of a path are kept, 2 to 50.
        keep: ``"first"`` keeps the first items and counts steps from 1; ``"last"`` keeps the last ones and counts steps
            back from -1, the one that leads into the end: what came before an anchor.
        without_end: What becomes of a path that never gets to `end`: ``"leave_out"`` or ``"keep"``.
        event: Events that are items; None takes all. Others still keep a path alive.
        item: Property that is the item, such as ``"url"`` (events without it are none); None takes the event's name.
        groups: Items under one name: a mapping from the name to items, patterns or ``Event(...)``, or a list of
            patterns that name themselves, such as ``["/course/*/lesson/*"]``. In a pattern ``*`` stands for any
            characters but a slash and ``**`` for any. The first group that takes an event wins.
        rename: New names of single items that no group takes.
        idle: A longer pause splits a path; None never does.
        collapse: Whether repeats of an item right after another count once.
        count: ``"paths"`` counts all paths of a person, ``"people"`` only the first one that counts, so that every
            person is one path.
        min_people: Edges and paths of fewer people are left out.
        edges: How many edges the figure shows; the rest goes through "(other)".
        by: Property or cohort to break down by, a list of these, or None. A path is of the group of the event it begins
            with: its first start item, whatever is kept of it.
        top: Number of groups to keep, those with most people; the others become ``"(other)"``.

    Examples:
        >>> from datetime import datetime
        >>> frame = pl.DataFrame({
        ...     "person": ["ann", "ann", "ann"],
        ...     "event": ["Home", "Search", "Search"],
        ...     "occurred_at": [datetime(2026, 3, 1, 9, 0, second) for second in (0, 10, 30)],
        ... })
        >>> with EventLog(frame) as log:
        ...     Paths(start="Home").run(log).frame.rows()
        [(1, 'Home', 'Search', 1, 1, 10.0)]
    """

    start: str | Sequence[str] | None = None
    end: str | Sequence[str] | None = None
    steps: int = 5
    keep: str = "first"
    without_end: str = "leave_out"
    event: Selector | None = None
    item: str | None = None
    groups: Mapping[str, Group] | Sequence[Any] | None = None
    rename: Mapping[str, str] | Sequence[Any] | None = None
    idle: str | None = "30m"
    collapse: bool = True
    count: str = "paths"
    min_people: int = 1
    edges: int | None = 50
    by: By | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            object.__setattr__(self, name, check_anchor(name, getattr(self, name)))
        object.__setattr__(self, "by", as_by(self.by, self.top))
        object.__setattr__(self, "groups", check_groups(self.groups))
        object.__setattr__(self, "rename", check_groups(self.rename, renames=True))
        if self.event is not None:
            object.__setattr__(self, "event", as_event(self.event))
        if self.idle is not None:
            parse_duration(self.idle)
        flag("collapse", self.collapse)
        choose("keep", self.keep, _KEEPS)
        choose("without_end", self.without_end, _WITHOUT_END)
        choose("count", self.count, _COUNTS)
        if type(self.steps) is not int or not 2 <= self.steps <= _MOST_STEPS:
            raise InputError(f"steps is the number of items of a path to keep, from 2 to {_MOST_STEPS}")
        if type(self.min_people) is not int or self.min_people < 1:
            raise InputError("min_people is a whole number of at least 1")
        if self.edges is not None and (type(self.edges) is not int or self.edges < 1):
            raise InputError("edges is a whole number of edges to show, at least 1, or None for all")

    def run(self, log: EventLog) -> PathsResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: An event never occurs, a property or an item is unknown, or an option is wrong.
            EngineError: The database refused the query.
        """
        scope = Scope.of(self, log)
        ctes = _relations(self, scope)
        shown = [exp.column(name) for name in (*([] if self.by is None else [COLUMN]), *_EDGE)]
        text = bind(load(_PACKAGE, "paths"), {"min_people": self.min_people, "columns": shown})
        sql = with_inputs(text, ctes)
        frame = told_apart(_counts(scope, sql), self.by, COLUMN)
        return PathsResult(frame=frame, sql=sql, insight=self, scope=scope, relations=ctes)

    def describe(self) -> str:
        """Says in one sentence what a path is."""
        of = f" through {self.item}" if self.item else ""
        only = "" if self.event is None else f", of {labels([self.event])[0]} alone"
        told = [f"Paths of people{of}{self.anchors}{only}", f"the {self.keep} {self.steps} items"]
        if self.end and self.without_end == "keep":
            told.append("those that never get there kept as they are")
        told.append(
            f"split by {describe_duration(self.idle)} without activity" if self.idle else "never split"
        )
        if self.collapse:
            told.append("repeats counted once")
        if self.count == "people":
            told.append("each person's first path only")
        if self.min_people > 1:
            told.append(f"edges of fewer than {self.min_people} people left out")
        split = begun_words(self.by, self.top, "the first event of a path")
        return f"{', '.join(told)}{split}."

    @property
    def anchors(self) -> str:
        """The anchors, in words that go on with a sentence."""
        start = f" from {_any(self.start)}" if self.start else ""
        end = f" to the first {_any(self.end)}{' after that' if self.start else ''}" if self.end else ""
        return start + end


@dataclass(frozen=True, repr=False)
class PathsResult(Result):
    """What was found about paths.

    Attributes:
        frame: One row per edge (after the breakdown value): ``step``, ``source``, ``target``, ``traversals`` (how
            often), ``people``, ``seconds_mean`` (between the first events of the two runs).
        insight: The question.
        relations: The queries the result stands on, by name.
    """

    insight: Paths
    relations: dict[str, str]

    @cached_property
    def items(self) -> pl.DataFrame:
        """Columns ``step``, ``item``, ``paths``, ``people``, and ``stopped``: paths that have nothing after it.

        The breakdown value comes first. A path that was cut, at the number of steps or at the end asked for, has
        not stopped.
        """
        asked = self.insight
        may_go_on: exp.Expr = exp.true()
        if asked.keep == "first":
            may_go_on = exp.column("step") < asked.steps
        elif asked.end is None:
            may_go_on = exp.false()
        if asked.end is not None:
            may_go_on = exp.and_(may_go_on, exp.not_(is_one_of("item", asked.end)))
        return self._ask(bind(load(_PACKAGE, "paths_items_reached"), {"may_go_on": may_go_on}))

    def top(self, n: int = 10) -> pl.DataFrame:
        """Lists the paths that most people take, from the first item kept to the last.

        Args:
            n: How many paths, of each group.

        Returns:
            Columns ``items`` (list), ``paths``, ``people``, ``seconds_mean`` (first to last item), most people first;
            the breakdown value before them.

        Raises:
            InputError: `n` is no number of at least 1.
        """
        if type(n) is not int or n < 1:
            raise InputError("n is a whole number of at least 1")
        return self._ask(
            bind(load(_PACKAGE, "paths_top"), {"min_people": self.insight.min_people, "most": n})
        )

    def _ask(self, text: str) -> pl.DataFrame:
        return told_apart(self.scope.log.sql(with_inputs(text, self.relations)), self.insight.by, COLUMN)

    def _draw(self) -> Any:
        from headway.charts import paths_figure

        asked = self.insight
        title = f"Paths{asked.anchors}" if asked.anchors else "Paths"

        def draw(edges: pl.DataFrame, items: pl.DataFrame) -> Any:
            return paths_figure(edges, items, top=asked.edges, title=title)

        return figure_of_each(asked.by, draw, self.frame, self.items, rank="traversals")

    def _caveat(self) -> str:
        return " Traversals count how often something follows; they are no funnel."


def _counts(scope: Scope, sql: str) -> pl.DataFrame:
    return scope.log.sql(sql)


def _relations(asked: Paths, scope: Scope) -> dict[str, str]:
    item, used = item_of(asked, scope)
    from_end = asked.keep == "last"
    start, end = asked.start, asked.end
    group = scope.breakdown(asked.by, _COLUMNS)
    grouped = {}
    if asked.top is not None:
        grouped["grouped"] = largest_alone(asked.by, asked.top, "cut", exp.true())
    return {
        "ev": scope.events(used, by=asked.by),
        "items": bind(
            load(_PACKAGE, "paths_items"),
            {
                "item": item,
                "breakdown": group,
                "idle_us": _EVER_US if asked.idle is None else parse_duration(asked.idle),
            },
        ),
        "runs": bind(load(_PACKAGE, "paths_runs"), {"collapse": asked.collapse}),
        "cut": bind(
            load(_PACKAGE, "paths_cut"),
            {
                "is_start": exp.true() if start is None else is_one_of("item", start),
                "is_end": exp.false() if end is None else is_one_of("item", end, "runs"),
                "between": 0 if start is None else 1,
                "needs_end": end is not None and asked.without_end == "leave_out",
                "from_end": from_end,
                "steps": asked.steps,
                "most_paths": 1 if asked.count == "people" else _EVER_US,
            },
        ),
        **grouped,
        "kept": bind(
            load(_PACKAGE, "paths_kept"),
            {"from_end": from_end, "paths": exp.to_table("grouped" if grouped else "cut")},
        ),
    }


def _any(items: str | Sequence[str] | None) -> str:
    return " or ".join(items or ())
