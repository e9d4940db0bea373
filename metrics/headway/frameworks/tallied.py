"""Metrics of what people did on which days, answered on arrays: the same numbers as the queries of those kinds give.

The tally is fetched once, in the order of people and days. Who was there in which period is found once for all metrics
that ask it of the same events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway.engine import guarded
from headway.frameworks.grids import Grid, compact
from headway.frameworks.layers import layers_of
from headway.frameworks.prelude import Prelude
from headway.frameworks.profiles import Profiles
from headway.kernels.stays import Diary, Ints, Layer, Moves, Stays, moves_of
from headway.statistics.intervals import Floats

Bits = tuple[int, ...]
"""Selectors, as their bits: an integer per column of bits."""

_KEPT = 6
"""Sets of events of which stays are remembered: metrics that follow each other ask for the same ones."""


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
    most: int | None = None


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
    most: int | None = None


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
    y: Ints
    x: Ints


@dataclass
class Tallies:
    """The tally as arrays, and what was found in it so far.

    Attributes:
        diary: The tally.
        width: More than any profile's number: instants are stamped.
        layers: Layers by the query of their periods; equal ones are the same.
        stays: Stays by their events and layer, the latest last.
    """

    diary: Diary
    width: int
    layers: dict[str, list[tuple[str, Layer]]] = field(default_factory=dict)
    stays: dict[tuple[Bits, int], Stays] = field(default_factory=dict)

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
            found = connection.execute(
                f"SELECT {names} FROM {shared.tally} ORDER BY _person, _day"
            ).fetchnumpy()
        person, day, at, times, *bits = (
            np.asarray(found[name]) for name in ("_person", "_day", "_at", "_n", *marks)
        )
        return cls(Diary(person, day, at, times, bits), shared.stamp.width)

    def added(
        self, connection: duckdb.DuckDBPyConnection, plan: Tallied | Moved, shared: Prelude
    ) -> Iterator[Added]:
        """Says what people add to each period.

        Args:
            connection: The connection of the prelude.
            plan: What is asked.
            shared: The shared input, with the periods of the metric.

        Yields:
            What is added, layer by layer.
        """
        for grain, layer in self.layers_of(connection, shared):
            yield (
                self._moved(plan, grain, layer)
                if isinstance(plan, Moved)
                else self._tallied(plan, grain, layer)
            )

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
        found = self.stays.pop(key, None) or Stays(self.diary.of(bits), layer)
        self.stays[key] = found
        while len(self.stays) > _KEPT:
            del self.stays[next(iter(self.stays))]
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
        values[mine] = 1 if how == "any" else (what.times if how == "times" else what.days)[theirs]
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


def _name(grain: str, layer: Layer) -> tuple[str, bytes, int]:
    return grain, layer.starts.tobytes(), layer.places.size


def _bounded(values: Ints, most: int | None) -> Ints:
    return values if most is None else np.clip(values, 0, most)


def sums_of(added: Iterator[Added], grid: Grid, profiles: Profiles, *, by_x: bool) -> dict[str, Floats]:
    """Adds up what people add, in every cell of a grid.

    Args:
        added: What they add, layer by layer.
        grid: The cells.
        profiles: The profiles of people.
        by_x: Whether what is added to the denominator matters; else everybody counts once there.

    Returns:
        n, y, yy, x, xx, xy and contributors of every cell.
    """
    parts = [_by_profile(each, grid, len(profiles.places[0]), by_x=by_x) for each in added]
    profile, column = (
        np.concatenate([each[name] for each in parts]) if parts else np.zeros(0, dtype=np.int64)
        for name in ("profile", "column")
    )
    sums: dict[str, NDArray[np.generic]] = {
        name: np.concatenate([each[name] for each in parts]) if parts else np.zeros(0)
        for name in ("n", "y", "yy", "x", "xx", "xy", "contributors")
    }
    return grid.summed(profiles, profile, column, sums)


def _by_profile(added: Added, grid: Grid, profiles: int, *, by_x: bool) -> Mapping[str, NDArray[np.generic]]:
    """Adds up by profile and period."""
    number = added.layer.number
    codes, place = compact(added.profile * number + added.period, profiles * number)
    y, x = added.y.astype(np.float64), added.x.astype(np.float64)

    def total(weights: Floats | None) -> NDArray[np.generic]:
        return np.bincount(place, weights=weights, minlength=codes.size)

    n = total(None)
    columns = np.array(
        [grid.columns[added.grain, start] for start in added.layer.starts.tolist()], dtype=np.int64
    )
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


def units_frame(added: Iterator[Added]) -> pl.DataFrame:
    """Lists what people add as rows: person, grain, start_day, y, x, profile."""
    schema = {
        "person": pl.Int64, "grain": pl.String, "start_day": pl.Int64, "y": pl.Int64, "x": pl.Int64,
        "profile": pl.Int64,
    }  # fmt: skip
    frames = [
        pl.DataFrame(
            {
                "person": each.person,
                "grain": pl.repeat(each.grain, each.person.size, dtype=pl.String, eager=True),
                "start_day": each.layer.starts[each.period],
                "y": each.y,
                "x": each.x,
                "profile": each.profile,
            }
        )
        for each in added
    ]
    return pl.concat([pl.DataFrame(schema=schema), *frames])
