"""Profiles: a number for every combination of labels that people ever had at once, one label of each segment.

A metric adds up by profile, once, and profiles are added up to the labels of each segment: so it does not matter to the
cost how many segments there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import Replacement, bind, identifier, load, with_inputs
from headway.frameworks.prelude import Prelude, Stamp
from headway.frameworks.segments import ALL, CHANNEL, Dimension

_SPANS = identifier("headway_metric_profiles")
_HERE = "headway.frameworks"
_ALWAYS = {"first": -9_000_000_000_000_000, "last": 9_000_000_000_000_000}
_ROOM = 1 << 62
"""What a stamp must stay below."""


@dataclass(frozen=True)
class Profiles:
    """The profiles of the people in a log.

    Attributes:
        dimensions: Ways to divide people, everybody first.
        stamp: How instants are stamped with profiles.
        places: Of each dimension the place among its labels that each profile has: profiles in order.
    """

    dimensions: Sequence[Dimension]
    stamp: Stamp
    places: Sequence[NDArray[np.int64]]

    def profiled(self, units: str, *, stamped: bool) -> str:
        """Writes the query that puts each unit under its profile.

        Args:
            units: Query of the units: person, grain, start_day, at_us, y, x.
            stamped: Whether their instants are stamped.

        Returns:
            One statement: person, grain, start_day, y, x, profile.
        """
        if stamped:
            text = bind(load(_HERE, "profiled_by_stamp"), {"width": self.stamp.width})
            return with_inputs(text, {"units": units})
        return with_inputs(load(_HERE, "profiled"), {"units": units, "profiles": f"FROM {self.stamp.spans}"})

    def places_of(self, dimension: Dimension) -> NDArray[np.int64]:
        """Returns the place among its labels that each profile has of a dimension."""
        return self.places[self.dimensions.index(dimension)]

    def by_label(self, sums: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """Adds sums of whole numbers up, from profiles to the labels of every dimension.

        Args:
            sums: One row per profile, grain and start_day, and whatever else divides them: the columns are added up.
            columns: What is added up.

        Returns:
            The same with segment in place of profile, one row per segment that has any.
        """
        keys = [name for name in sums.columns if name not in ("profile", *columns)]
        profile = sums["profile"].to_numpy()
        found = []
        for dimension, places in zip(self.dimensions, self.places, strict=True):
            placed = sums.drop("profile").with_columns(place=pl.Series(places[profile], dtype=pl.Int32))
            added = placed.group_by("place", *keys).agg(pl.col(columns).sum())
            names = pl.Series([dimension.segment(label) for label in dimension.labels], dtype=pl.String)
            found.append(added.select(names.gather(added["place"]).alias("segment"), *keys, *columns))
        return pl.concat(found)


@contextmanager
def profiles_of(
    connection: duckdb.DuckDBPyConnection, shared: Prelude, dimensions: Sequence[Dimension]
) -> Iterator[Profiles]:
    """Finds the profiles of everybody, and drops their tables afterwards.

    Args:
        connection: The connection of the prelude.
        shared: The shared input.
        dimensions: Ways to divide people, while their tables are there.

    Yields:
        The profiles.

    Raises:
        EngineError: The database refused a statement.
    """
    try:
        with guarded("find the labels that people had at once"):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SPANS} AS {_by_code(dimensions, shared)}")
            codes = connection.sql(f"SELECT DISTINCT code FROM {_SPANS} ORDER BY code").fetchall()
            listed = [int(code) for (code,) in codes]
            places = list(_places(dimensions, listed))
            text = with_inputs(load(_HERE, "profiles_numbered"), {"profiles": f"FROM {_SPANS}"})
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SPANS} AS {text}")
        yield Profiles(dimensions, _stamp(shared, len(listed)), places)
    finally:
        connection.execute(f"DROP TABLE IF EXISTS temp.{_SPANS}")


def _by_code(dimensions: Sequence[Dimension], shared: Prelude) -> str:
    """Writes the query of profiles by their code: labels of each dimension as digits."""
    query = ""
    for dimension in dimensions:
        labels = exp.array(*(exp.Literal.string(label) for label in dimension.labels))
        if dimension.name == ALL:
            continue
        if dimension.name == CHANNEL:
            text = bind(load(_HERE, "profiles_of_channels"), {"labels": labels, **_ALWAYS})
            query = with_inputs(text, {"everyone": f"SELECT code, channel FROM {shared.people}"})
            continue
        params: dict[str, Replacement] = {
            "labels": labels,
            "missing": dimension.labels.index(str(dimension.params["missing"])),
            "number": len(dimension.labels),
            **_ALWAYS,
        }
        inputs = {"profiles": query, "labels": dimension.inputs["labels"]}
        query = with_inputs(bind(load(_HERE, "profiles_by_segment"), params), inputs)
    return query


def _places(dimensions: Sequence[Dimension], codes: Sequence[int]) -> Iterator[NDArray[np.int64]]:
    """Reads the digits of codes: yields for each dimension the place of each profile's label."""
    rest, found = list(codes), []
    for dimension in reversed(dimensions):
        number = len(dimension.labels)
        found.append(np.array([code % number for code in rest], dtype=np.int64))
        rest = [code // number for code in rest]
    yield from reversed(found)


def _stamp(shared: Prelude, number: int) -> Stamp:
    """Says how instants are stamped; not at all where the numbers would become too large."""
    origin, width = shared.first_us or 0, max(number, 1)
    room = ((shared.last_us or 0) - origin + 1) * width < _ROOM
    return Stamp(_SPANS, origin, width if room else 0)
