"""Metrics of what people did on which days, answered on arrays: the same numbers as the queries of those kinds give.

The tally is fetched once, in the order of people and days. Who was there in which period is found once for all metrics
that ask it of the same events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from headway.engine import guarded
from headway.frameworks.grids import Grid, compact
from headway.frameworks.layers import layers_of
from headway.frameworks.prelude import Prelude
from headway.frameworks.profiles import Profiles
from headway.kernels.ordering import order_of
from headway.kernels.stays import Diary, Ints, Layer, Moves, Stays, moves_of, together
from headway.statistics.intervals import Floats

Bits = tuple[int, ...]
"""Selectors, as their bits: an integer per column of bits."""

_KEPT = 6
"""Sets of events of which stays are remembered: metrics that follow each other ask for the same ones."""
_READ = 4
"""Sets of events of which the days themselves are: a metric asks for them once for every kind of period."""


@dataclass(frozen=True)
class Tallied:
    """What people add, told from what they did on which days.

    Attributes:
        of: The events that put a person into a period; the first of them says when.
        y: The events of the numerator.
        y_as: What of them counts: whether there is ``any``, how many ``times`` they happened, on how many ``days``.
        x: The events of the denominator.
        x_as: The same, or ``one`` for everybody, or the days that the log has of the ``period``.
        most: What a person adds to the numerator at most; None: any number.
    """

    of: Bits
    y: Bits
    y_as: Literal["any", "times", "days"]
    x: Bits = ()
    x_as: Literal["any", "times", "days", "one", "period"] = "one"
    most: float | None = None


@dataclass(frozen=True)
class Moved:
    """What people add who come, stay, leave or come back.

    Attributes:
        of: The events that make active.
        moves: Names of the moves that are looked at.
        top: Those of them that count in the numerator.
        bottom: Those that count in the denominator.
        most: What a person adds to the numerator at most; None: any number.
    """

    of: Bits
    moves: tuple[str, ...]
    top: tuple[str, ...]
    bottom: tuple[str, ...]
    most: float | None = None


@dataclass(frozen=True)
class Listed:
    """What people add, told from rows that a query lists and, for the denominator, perhaps from the tally.

    Attributes:
        query: One statement whose rows are person, day, moment (when, stamped with the profile) and y (what it adds to
            the numerator), in the order of people and days.
        x_as: What counts in the denominator: the number of ``rows``, whether there are ``any``, or of other events
            whether there are any, how many ``times`` they happened, on how many ``days``.
        x: Those other events; none where rows count.
        most: What a person adds to the numerator at most; None: any number.
    """

    query: str
    x_as: Literal["rows", "any", "times", "days"]
    x: Bits = ()
    most: float | None = None


Numbers = TypeVar("Numbers", Ints, Floats)

Asked = Tallied | Moved | Listed
"""What arrays can be asked."""


@dataclass(frozen=True)
class Added:
    """What people add to the periods of one layer.

    Attributes:
        grain: The kind of period.
        layer: The periods.
        person: Who.
        period: The place of the period.
        profile: The profile under which it counts.
        y: What is added to the numerator.
        x: What is added to the denominator.
    """

    grain: str
    layer: Layer
    person: Ints
    period: Ints
    profile: Ints
    y: Ints | Floats
    x: Ints


@dataclass
class Tallies:
    """The tally as arrays, and what was found in it so far.

    Attributes:
        diary: The tally.
        width: More than any profile's number: instants are stamped.
        layers: Layers by the query of their periods; equal ones are the same.
        stays: Stays by their events and layer, the latest last.
        days: Days by their events, the latest last.
    """

    diary: Diary
    width: int
    layers: dict[str, list[tuple[str, Layer]]] = field(default_factory=dict)
    stays: dict[tuple[Bits, int], Stays] = field(default_factory=dict)
    days: dict[Bits, Diary] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, shared: Prelude) -> Tallies:
        """Fetches the tally, whose instants must be stamped.

        Args:
            connection: The connection of the prelude.
            shared: The shared input.

        Returns:
            The arrays.
        """
        assert shared.stamp is not None
        marks = [column.alias for column in shared.marks.columns]
        names = ", ".join(f'"{name}"' for name in ("_person", "_day", "_at", "_n", *marks))
        with guarded("fetch what people did on each day"):
            found = connection.execute(f"SELECT {names} FROM {shared.tally}").fetchnumpy()
        order = _by_person_and_day(np.asarray(found["_person"]), np.asarray(found["_day"]))
        person, day, at, times, *bits = (
            np.asarray(found[name])[order] for name in ("_person", "_day", "_at", "_n", *marks)
        )
        return cls(Diary(person, day, at, times, bits), shared.stamp.width)

    def added(self, connection: duckdb.DuckDBPyConnection, plan: Asked, shared: Prelude) -> Iterator[Added]:
        """Says what people add to each period.

        Args:
            connection: The connection of the prelude.
            plan: What is asked.
            shared: The shared input, with the periods of the metric.

        Yields:
            What is added, layer by layer.
        """
        rows = _rows(connection, plan.query) if isinstance(plan, Listed) else None
        for grain, layer in self.layers_of(connection, shared):
            if isinstance(plan, Moved):
                yield self._moved(plan, grain, layer)
            elif isinstance(plan, Tallied):
                yield self._tallied(plan, grain, layer)
            elif rows is not None:
                yield self._listed(plan, Stays(rows, layer), grain)

    def layers_of(self, connection: duckdb.DuckDBPyConnection, shared: Prelude) -> list[tuple[str, Layer]]:
        """Deals the periods of a metric out to layers."""
        query = shared.periods_query
        if query not in self.layers:
            known = {_name(*each): each for listed in self.layers.values() for each in listed}
            found = layers_of(connection.sql(query).pl())
            self.layers[query] = [known.get(_name(*each), each) for each in found]
        return self.layers[query]

    def _stays(self, bits: Bits, layer: Layer) -> Stays:
        key = bits, id(layer)
        found = self.stays.pop(key, None) or Stays(self._days(bits), layer)
        self.stays[key] = found
        _forget(self.stays, _KEPT)
        return found

    def _days(self, bits: Bits) -> Diary:
        found = self.days.pop(bits) if bits in self.days else self.diary.of(bits)
        self.days[bits] = found
        _forget(self.days, _READ)
        return found

    def _tallied(self, plan: Tallied, grain: str, layer: Layer) -> Added:
        who = self._stays(plan.of, layer)
        return Added(
            grain,
            layer,
            who.person,
            who.period,
            who.at % self.width,
            _bounded(self._counted(who, plan.y, plan.y_as), plan.most),
            self._counted(who, plan.x, plan.x_as),
        )

    def _counted(self, who: Stays, bits: Bits, how: str) -> Ints:
        if how == "one":
            return np.ones(who.size, dtype=np.int64)
        if how == "period":
            return who.layer.sizes[who.period]
        what = self._stays(bits, who.layer)
        theirs, mine = who.found(what)
        values = np.zeros(who.size, dtype=np.int64)
        number = _number(what, how)
        values[mine] = number if isinstance(number, int) else number[theirs]
        return values

    def _moved(self, plan: Moved, grain: str, layer: Layer) -> Added:
        found = moves_of(self._stays(plan.of, layer))
        wanted, top, bottom = (
            np.isin(np.arange(len(Moves.NAMES)), [Moves.NAMES.index(each) for each in names])
            for names in (plan.moves, plan.top, plan.bottom)
        )
        rows = np.flatnonzero(wanted[found.move])
        move = found.move[rows]
        return Added(
            grain,
            layer,
            found.person[rows],
            found.period[rows],
            found.at[rows] % self.width,
            _bounded(top[move].astype(np.int64), plan.most),
            bottom[move].astype(np.int64),
        )

    def _listed(self, plan: Listed, rows: Stays, grain: str) -> Added:
        layer = rows.layer
        key, at, x = rows.key, rows.at, np.ones(rows.size, dtype=np.int64)
        if plan.x_as == "rows":
            x = rows.times
        elif plan.x:
            others = self._stays(plan.x, layer)
            key, at = together(rows, others)
            x = np.zeros(key.size, dtype=np.int64)
            x[np.searchsorted(key, others.key)] = _number(others, plan.x_as)
        y = np.zeros(key.size)
        y[np.searchsorted(key, rows.key)] = rows.added
        return Added(
            grain, layer, key // layer.number, key % layer.number, at % self.width, _bounded(y, plan.most), x
        )


def _by_person_and_day(person: NDArray[np.integer], day: NDArray[np.integer]) -> Ints:
    if not day.size:
        return np.zeros(0, dtype=np.int64)
    first, days = int(day.min()), int(day.max()) - int(day.min()) + 1
    codes = person.astype(np.int64) * days + (day - first)
    return order_of(codes, int(codes.max()) + 1)


def _forget(found: dict[Any, Any], number: int) -> None:
    """Keeps only so many of the latest."""
    while len(found) > number:
        del found[next(iter(found))]


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Diary:
    """Fetches the rows of a query."""
    found = connection.execute(query).fetchnumpy()
    person, day, at, y = (np.asarray(found[name]) for name in ("person", "day", "moment", "y"))
    return Diary(person, day, at, np.ones(person.size, dtype=np.int64), adds=y.astype(np.float64))


def _number(stays: Stays, how: str) -> Ints | int:
    return 1 if how == "any" else stays.times if how == "times" else stays.days


def _name(grain: str, layer: Layer) -> tuple[str, bytes, int]:
    return grain, layer.starts.tobytes(), layer.places.size


def _bounded(values: Numbers, most: float | None) -> Numbers:
    return values if most is None else np.clip(values, 0, most).astype(values.dtype)


def sums_of(
    added: Iterator[Added], grid: Grid, profiles: Profiles, *, by_x: bool, whole: bool = True
) -> dict[str, Floats]:
    """Adds up what people add, in every cell of a grid.

    Args:
        added: What they add, layer by layer.
        grid: The cells.
        profiles: The profiles of people.
        by_x: Whether what is added to the denominator matters; else everybody counts once there.
        whole: Whether what is added to the numerator is in whole numbers.

    Returns:
        n, y, yy, x, xx, xy and contributors of every cell.
    """
    parts = []
    for each in added:
        columns = np.array(
            [grid.columns[each.grain, start] for start in each.layer.starts.tolist()], dtype=np.int64
        )
        parts.append(_by_profile(each, columns, len(profiles.places[0]), by_x=by_x))
        if not whole:
            parts.append(_in_fractions(each, columns))
    names = ("n", "y", "yy", "x", "xx", "xy", "contributors")
    profile, column = (_joined(parts, name, np.int64) for name in ("profile", "column"))
    if whole:
        sums = {name: _joined(parts, name, np.float64) for name in names}
        return grid.summed(profiles, profile, column, sums)
    return _summed_apart(parts, grid, profiles)


def _summed_apart(
    parts: Sequence[Mapping[str, NDArray[Any]]], grid: Grid, profiles: Profiles
) -> dict[str, Floats]:
    """Adds up what is whole by profile, and what is not row by row, in its order."""
    found: dict[str, Floats] = {}
    for names in (("n", "x", "xx", "contributors"), ("y", "yy", "xy")):
        mine = [each for each in parts if ("row" in each) == ("y" in names)]
        profile, column = (_joined(mine, name, np.int64) for name in ("profile", "column"))
        sums = {name: _joined(mine, name, np.float64) for name in names}
        found |= grid.summed(profiles, profile, column, sums)
    return found


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]], name: str, dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype=dtype), *(each[name] for each in parts)])


def _in_fractions(added: Added, columns: Ints) -> dict[str, NDArray[Any]]:
    """Rows that add something, smallest first: equal rows give equal bits."""
    adding = np.flatnonzero(added.y)
    row = adding[np.lexsort((added.x[adding], added.y[adding]))]
    y, x = added.y[row].astype(np.float64), added.x[row].astype(np.float64)
    return {
        "row": row,
        "profile": added.profile[row],
        "column": columns[added.period[row]],
        "y": y,
        "yy": y * y,
        "xy": x * y,
    }


def _by_profile(added: Added, columns: Ints, profiles: int, *, by_x: bool) -> dict[str, NDArray[Any]]:
    """Adds up by profile and period."""
    number = added.layer.number
    codes, place = compact(added.profile * number + added.period, profiles * number)
    y, x = added.y.astype(np.float64), added.x.astype(np.float64)

    def total(weights: Floats | None) -> NDArray[Any]:
        return np.bincount(place, weights=weights, minlength=codes.size)

    n = total(None)
    return {
        "profile": codes // number,
        "column": columns[codes % number],
        "n": n,
        "y": total(y),
        "yy": total(y * y),
        "x": total(x) if by_x else n,
        "xx": total(x * x) if by_x else n,
        "xy": total(x * y) if by_x else total(y),
        "contributors": total((y != 0).astype(np.float64)),
    }
