"""How the text of one cell of a side input is read: what it may be, and what is said where it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import polars as pl

from headway.periods import zone
from headway_pipelines.privacy.detect import looks_personal

Cell = date | datetime | float | str
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/#-]{0,63}")
_LONGEST_TITLE: Final = 80


class UnusableCellError(ValueError):
    """A cell that cannot be used; the message says why and never quotes it."""


@dataclass(frozen=True)
class Column:
    """A column of a side input.

    Attributes:
        read: Makes a value of a cell's text; raises `UnusableCellError`.
        dtype: Type of the values.
        optional: Whether a file may lack the column or leave a cell empty; then `absent` stands in.
        absent: What stands in.
    """

    read: Callable[[str], Cell]
    dtype: pl.DataType
    optional: bool = False
    absent: Cell | None = None


Row = Mapping[str, Cell | None]
"""One row of a side input, by column."""


def _nothing(row: Row) -> None:
    """Finds nothing wrong with a row."""


@dataclass(frozen=True)
class Table:
    """A side input.

    Attributes:
        name: Its name; the file is ``inputs/<name>.csv``.
        meaning: What a row says.
        columns: Columns by name, in order.
        unread: Columns that a file may have and that are not read.
        once: Columns that together may have one row only; empty where rows add up.
        check: Raises `UnusableCellError` where the cells of one row contradict each other.
    """

    name: str
    meaning: str
    columns: Mapping[str, Column]
    unread: frozenset[str] = frozenset()
    once: tuple[str, ...] = ()
    check: Callable[[Row], None] = _nothing
    schema: Mapping[str, pl.DataType] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", {name: column.dtype for name, column in self.columns.items()})


def day(text: str) -> date:
    """Reads a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnusableCellError("day is no date; write 2026-03-31") from None


def number(name: str, text: str, *, zero: bool) -> float:
    """Reads an amount that is not below 0."""
    if not _NUMBER.fullmatch(text):
        raise UnusableCellError(f"{name} is no number; write 1250.50")
    found = float(text)
    if not math.isfinite(found):
        raise UnusableCellError(f"{name} is too large")
    if found < 0 or (found == 0 and not zero):
        raise UnusableCellError(f"{name} is below 0" if zero else f"{name} is not above 0")
    return found


def instants(name: str, timezone: str, *, optional: bool = False) -> Column:
    """A column of instants: ISO 8601, in the product's time zone where they name none; a day is its first instant."""

    def read(text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise UnusableCellError(f"{name} is no time; write 2026-03-31 or 2026-03-31T14:30") from None
        local = at if at.tzinfo else at.replace(tzinfo=zone(timezone))
        try:
            return local.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise UnusableCellError(f"{name} is no time of our calendar") from None

    return Column(read, pl.Datetime("us"), optional=optional)


def ids(name: str, *, optional: bool = False) -> Column:
    """A column of short identifiers such as ``v1.4.0``, in which nothing may look personal."""

    def read(text: str) -> str:
        if not _ID.fullmatch(text) or looks_personal(text):
            raise UnusableCellError(f"{name} is no short plain name such as v1.4.0, or looks personal")
        return text

    return Column(read, pl.String(), optional=optional)


def titles(name: str) -> Column:
    """A column of words for people, shown in the report: short, and nothing in them may look personal."""

    def read(text: str) -> str:
        if len(text) > _LONGEST_TITLE or not text.isprintable() or looks_personal(text):
            raise UnusableCellError(f"{name} is longer than {_LONGEST_TITLE} characters, or looks personal")
        return text

    return Column(read, pl.String(), optional=True)


def one_of(name: str, known: Collection[str], what: str, *, absent: str | None = None) -> Column:
    """A column of names out of a list, optional."""

    def read(text: str) -> str:
        if text not in known:
            raise UnusableCellError(f"{name} is {what}")
        return text

    return Column(read, pl.String(), optional=True, absent=absent)
