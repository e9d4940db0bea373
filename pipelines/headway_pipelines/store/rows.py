"""Rows on their way into a part: where they come from, and how they are put in order without holding all twice."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from headway.kernels import Offsets
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.store import Part, make_part
from headway.store.files import PartWriter
from headway_pipelines.workspace import sync_file, sync_folder

COLUMNS = {"person": np.uint32, "us": np.int64, "code": np.uint16, "actor": np.uint32}
#: Rows put in order at a time.
_SORTED_AT_ONCE = 4_000_000
_BATCH = 500_000


@dataclass(frozen=True)
class Rows:
    """Rows in any order, or in order of persons.

    Attributes:
        columns: Arrays by name.
        in_order: Whether persons ascend.
        dead: Persons, ascending, whose rows are to be left out.
        dropped_days: UTC days, ascending, whose rows are to be left out.
    """

    columns: dict[str, npt.NDArray[Any]]
    in_order: bool
    dead: npt.NDArray[np.uint32]
    dropped_days: npt.NDArray[np.int64]

    @classmethod
    def of_part(cls, part: Part, dropped_days: npt.NDArray[np.int64]) -> Rows:
        """Takes the rows of a part that count."""
        columns = {name: getattr(part, name) for name in COLUMNS}
        return cls(columns, True, part.dead, dropped_days)

    def __len__(self) -> int:
        return len(self.columns["us"])

    def days(self) -> npt.NDArray[np.int64]:
        """Lists the UTC days of the rows that are not left out, ascending."""
        us = self.columns["us"]
        chunks = (us[low : low + _SORTED_AT_ONCE] for low in range(0, len(us), _SORTED_AT_ONCE))
        found = [np.unique(chunk // MICROSECONDS_PER_DAY) for chunk in chunks]
        return np.setdiff1d(np.concatenate([np.zeros(0, np.int64), *found]), self.dropped_days)

    def between(self, first: int, after: int) -> dict[str, npt.NDArray[Any]]:
        """Takes the rows of a range of persons.

        Args:
            first: First person.
            after: The person after the last.

        Returns:
            Arrays by name.
        """
        person = self.columns["person"]
        if self.in_order:
            low, high = np.searchsorted(person, np.array([first, after], np.uint32))
            taken = {name: values[low:high] for name, values in self.columns.items()}
        else:
            rows = np.flatnonzero((person >= first) & (person < after))
            taken = {name: values.take(rows) for name, values in self.columns.items()}
        if not len(self.dead) and not len(self.dropped_days):
            return taken
        keep = ~np.isin(taken["person"], self.dead)
        keep &= ~np.isin(taken["us"] // MICROSECONDS_PER_DAY, self.dropped_days)
        return {name: values[keep] for name, values in taken.items()}


def of_persons(part: Part, persons: npt.NDArray[np.uint32]) -> npt.NDArray[np.intp]:
    """Finds the rows of some persons, those left out that do not count.

    Args:
        part: A part.
        persons: Persons, ascending.

    Returns:
        Row numbers.
    """
    alive = np.setdiff1d(persons, part.dead, assume_unique=True)
    low = np.searchsorted(part.person, alive, side="left")
    count = np.searchsorted(part.person, alive, side="right") - low
    return np.repeat(low - np.concatenate(([0], np.cumsum(count)[:-1])), count) + np.arange(int(count.sum()))


def fetched(con: duckdb.DuckDBPyConnection, query: str, most: int) -> Rows:
    """Runs a query for rows.

    Args:
        con: A connection.
        query: A query with the columns of a row.
        most: How many rows there are at most.

    Returns:
        The rows, in any order.
    """
    columns = {name: np.empty(most, kind) for name, kind in COLUMNS.items()}
    filled = 0
    for batch in con.sql(query).to_arrow_reader(_BATCH) if most else ():
        for name, values in columns.items():
            values[filled : filled + batch.num_rows] = batch.column(name).to_numpy(zero_copy_only=False)
        filled += batch.num_rows
    return Rows({name: values[:filled] for name, values in columns.items()}, False, *_nobody())


def _nobody() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    return np.zeros(0, np.uint32), np.zeros(0, np.int64)


def write_rows(
    folder: Path,
    sources: Sequence[Rows],
    people: int,
    *,
    names: int,
    behaviours: Collection[int],
    offsets: Offsets,
) -> dict[str, Any]:
    """Writes rows as a part, ordered range by range of persons.

    Args:
        folder: Folder of the store.
        sources: The rows.
        people: Number of persons there are.
        names: Number of names of events there are.
        behaviours: Codes whose active days are kept, and any.
        offsets: What the reporting time zone adds to UTC.

    Returns:
        What the manifest says of the part: its folder, its rows and what was rolled up.
    """
    target = f"part-{secrets.token_hex(6)}"
    building = folder / f".{target}"
    building.mkdir(parents=True)
    most = sum(map(len, sources))
    with PartWriter(building, wide=names > np.iinfo(np.uint8).max + 1) as writer:
        for first, after in _ranges(people, most):
            taken = [source.between(first, after) for source in sources]
            columns = {name: np.concatenate([each[name] for each in taken]) for name in COLUMNS}
            if len(columns["us"]):
                writer.add(make_part(**columns, behaviours=behaviours, offsets=offsets))
    for path in building.iterdir():
        sync_file(path)
    sync_folder(building)
    building.rename(folder / target)
    sync_folder(folder)
    return {"folder": target, "rows": writer.rows, "rolled_up": writer.rolled_up, "dead": None}


def _ranges(people: int, rows: int) -> Iterator[tuple[int, int]]:
    width = max(people * _SORTED_AT_ONCE // max(rows, 1), 1)
    for first in range(0, people, width):
        yield first, min(first + width, people)
