"""What every result offers: a frame, a figure, the query and a sentence."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from headway.errors import InputError
from headway.insights.cohorts import Cohort
from headway.insights.question import Question, Scope
from headway.periods import local_day

_SHOWN_ROWS = 30


class _Written:
    """The text of a query, or how to write it: writing takes longer than a quick answer does."""

    def __get__(self, result: Result | None, owner: type[Result]) -> str:
        if result is None:
            raise AttributeError("sql")
        text = result.__dict__["sql"]
        if not isinstance(text, str):
            text = result.__dict__["sql"] = text()
        return str(text)

    def __set__(self, result: Result, text: str | Callable[[], str]) -> None:
        result.__dict__["sql"] = text


def later(write: Callable[[], str]) -> str:
    """Leaves the text of a query to be written when a result's `sql` is looked at.

    Args:
        write: Writes the text.

    Returns:
        What to give as the result's `sql`.
    """
    return cast(str, write)


@dataclass(frozen=True, repr=False)
class Result(ABC):
    """What a question found.

    Attributes:
        frame: One row per cell, sorted by its leading columns, zeros included.
        sql: The whole query; it runs as it is on the log's connection.
        insight: The question.
        scope: The question's common options applied to the log; its connection is still used by `figure` and
            by derived frames, so close the log last.
        groups: Where the question was asked once per group: each group's own result, else None. What a result offers
            beside its frame, its figure and its sentence is then about all groups together.
    """

    frame: pl.DataFrame
    if TYPE_CHECKING:
        sql: str
    else:
        sql: str = _Written()
    insight: Question
    scope: Scope
    groups: Mapping[str, Result] | None = field(default=None, kw_only=True)

    def figure(self) -> Any:
        """Draws the frame.

        Returns:
            A Plotly figure; with groups, one that shows each of them by a menu.
        """
        if self.groups:
            from headway.charts.switched import switched
            from headway.insights.grouped import group_labels

            labels = group_labels(self.groups, getattr(self.insight, "by", None))
            return switched(labels, [part.figure() for part in self.groups.values()])
        return self._draw()

    def describe(self) -> str:
        """Says in plain words what the numbers mean.

        Returns:
            What was counted, the range and time zone, and the caveats.
        """
        return f"{self.insight.describe()} {_range_words(self.scope)}{_nothing_there(self.scope)}{self._caveat()}"

    @abstractmethod
    def _draw(self) -> Any:
        """Draws the frame; charts are imported here, so that asking alone does not load them."""

    def _caveat(self) -> str:
        if "complete" not in self.frame.columns or self.frame["complete"].all():
            return ""
        return " Cells marked incomplete are not over yet and will still change."

    def __repr__(self) -> str:
        return f"{self.describe()}\n{self.frame}"

    def _repr_html_(self) -> str:
        shown = self.frame.head(_SHOWN_ROWS)
        more = self.frame.height - shown.height
        note = f"<p>and {more} more rows in .frame</p>" if more else ""
        # Polars would leave out rows in the middle that the note does not count.
        with pl.Config(tbl_rows=_SHOWN_ROWS, tbl_cols=-1, tbl_hide_dataframe_shape=True):
            table = shown._repr_html_()
        return f"<p>{html.escape(self.describe())}</p>{table}{note}"


def with_interval(frame: pl.DataFrame, successes: str, trials: str) -> pl.DataFrame:
    """Adds the 95 % Wilson interval of a share.

    Args:
        frame: Rows with counts.
        successes: Column with the numerator.
        trials: Column with the denominator.

    Returns:
        The frame with ``low`` and ``high``, null where there are no trials.
    """
    # SciPy takes longer to import than everything else; asking is early enough.
    from headway.statistics.intervals import wilson

    low, high = wilson(frame[successes].to_numpy(), frame[trials].to_numpy())
    ends = pl.DataFrame({"low": low, "high": high}, schema={"low": pl.Float64, "high": pl.Float64})
    return frame.hstack(ends.fill_nan(None))


def choose(name: str, value: object, allowed: Collection[object]) -> None:
    """Checks an option against the values it may take.

    Args:
        name: The option.
        value: What was given.
        allowed: What may be given.

    Raises:
        InputError: The value is not allowed.

    Examples:
        >>> choose("entry", "frist", ["first", "best"])
        Traceback (most recent call last):
            ...
        headway.errors.InputError: unknown entry 'frist'. Did you mean 'first'? Available: 'best', 'first'.
    """
    if value not in allowed:
        raise InputError.unknown(name, str(value), [str(each) for each in allowed])


def _range_words(scope: Scope) -> str:
    ends = [("from", scope.span.since), ("to", scope.span.until)]
    told = " ".join(f"{word} {end}" for word, end in ends if end is not None) or "The whole log"
    where = f", events where {scope.where}" if scope.where else ""
    unit = "" if scope.unit == "person" else f", counted by {scope.unit}, events without one left out"
    people = "" if scope.cohort is None else f", only people who {_who(scope.cohort)}"
    return f"{told[0].upper()}{told[1:]}, time zone {scope.timezone}{where}{unit}{people}."


def _nothing_there(scope: Scope) -> str:
    """Warns of a range outside the log, whose zeros would else look like an answer."""
    first, last, span = scope.log.first_us, scope.log.last_us, scope.span
    if first is None or last is None:
        return " The log holds no events."
    after = span.since_us is not None and span.since_us > last
    before = span.until_us is not None and span.until_us < first
    days = [local_day(us, scope.timezone) for us in (first, last)]
    return (
        f" No event lies in that range; the log goes from {days[0]} to {days[1]}." if after or before else ""
    )


def _who(cohort: Cohort) -> str:
    return cohort.words() if cohort.name is None else f"are in {cohort.name} ({cohort.words()})"
