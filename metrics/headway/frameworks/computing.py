"""Computing the metrics of a product from a log: all of it, or again what news can have changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import duckdb
import polars as pl

from headway.frameworks.cells import KEYS
from headway.frameworks.collect import collect
from headway.frameworks.kept import Kept, News
from headway.frameworks.needed import list_needed
from headway.frameworks.parts import Computation
from headway.frameworks.prelude import Doubt, Prelude, prelude
from headway.frameworks.profiles import Profiles, profiles_of
from headway.frameworks.recent import recent
from headway.frameworks.renewal import Again, labels_of, list_kept, renewed
from headway.frameworks.segments import Dimension, dimensions
from headway.frameworks.stale import Stale
from headway.models.composition import in_order, parts_of
from headway.models.product import Product

CELL = (
    "metric",
    *KEYS,
    "period_end",
    "complete",
    "value",
    "numerator",
    "denominator",
    "people",
    "contributors",
    "effective",
    "low",
    "high",
    "interval_method",
    "reason",
    "estimate",
)
"""Columns of a metric's cells, before it is known where they are reported."""


@dataclass(frozen=True)
class Computed:
    """What was computed.

    Attributes:
        cells: The cells of every metric, see `CELL`.
        excluded: Metric, reason and number of what had to be left out.
        kept: What may be used again; None where nothing is to be kept, or there is nothing.
    """

    cells: pl.DataFrame
    excluded: list[tuple[str, str, int]]
    kept: Kept | None


@dataclass(frozen=True)
class Job:
    """What is to be computed from what.

    Attributes:
        connection: A connection that knows `events` and `people`.
        product: The product.
        horizon: Everything received before this instant is in the log, microseconds since 1970 UTC.
        keep: Whether to find out what may be used again.
    """

    connection: duckdb.DuckDBPyConnection
    product: Product
    horizon: int
    keep: bool

    def all_of_it(self) -> Computed:
        """Computes everything.

        Returns:
            All cells.

        Raises:
            InputError: `events` lacks a property that a metric uses, or a metric is made of itself.
            EngineError: The database refused a query.
        """
        order = in_order(self.product.metrics)
        con = self.connection
        with (
            prelude(con, self.product) as bare,
            dimensions(con, self.product, bare) as found,
            profiles_of(con, bare, found) as profiles,
        ):
            shared = replace(bare, stamp=profiles.stamp)
            collect(con, self.product, shared)
            computation = self._computation(shared, profiles, None)
            excluded = [row for name in order for row in computation.add(name)]
            cells = _cells(computation, order)
            if self.keep:
                list_kept(con, self.product, shared, computation.unbounded)
            return Computed(cells, excluded, self._kept(cells, shared, found, computation.unbounded, None))

    def again(self, kept: Kept, news: News) -> Computed:
        """Computes what news can have changed, and takes the rest from what was kept.

        Args:
            kept: What was computed before.
            news: What is new since.

        Returns:
            All cells.

        Raises:
            Doubt: What was computed before is of no use.
            EngineError: The database refused a query.
        """
        if self.horizon < kept.horizon:
            raise Doubt("less has arrived than before")
        order = in_order(self.product.metrics)
        con = self.connection
        with (
            recent(con, self.product, kept.last_us, news),
            prelude(con, self.product, known_last=kept.last_us) as bare,
            dimensions(con, self.product, bare, news) as found,
            profiles_of(con, bare, found) as profiles,
        ):
            if labels_of(found) != kept.labels:
                raise Doubt("segments have other labels")
            shared = replace(bare, stamp=profiles.stamp)
            with renewed(con, self.product, shared, kept, news) as (again, narrowed):
                computation = self._computation(narrowed, profiles, again)
                excluded = [row for name in order for row in computation.add(name)]
                cells = _with_kept(_cells(computation, order), kept.cells, again.stale)
                if self.keep:
                    list_needed(con, narrowed, again.reaches.values(), again.parts)
            _expect(cells, self.product, shared, found)
            unbounded = kept.unbounded | computation.unbounded
            return Computed(cells, excluded, self._kept(cells, shared, found, unbounded, again.parts))

    def _computation(self, shared: Prelude, profiles: Profiles, again: Again | None) -> Computation:
        needed = {part for metric in self.product.metrics.values() for part in parts_of(metric)}
        return Computation(self.connection, self.product, shared, profiles, self.horizon, needed, again=again)

    def _kept(
        self,
        cells: pl.DataFrame,
        shared: Prelude,
        found: Sequence[Dimension],
        unbounded: Collection[str],
        parts: frozenset[int] | None,
    ) -> Kept | None:
        first, last, us = shared.first_day, shared.last_day, shared.last_us
        if not self.keep or first is None or last is None or us is None or cells.is_empty():
            return None
        return Kept(cells, self.horizon, first, last, us, labels_of(found), frozenset(unbounded), parts)


def _cells(computation: Computation, order: Sequence[str]) -> pl.DataFrame:
    """Puts the cells of all metrics together."""
    parts = computation.parts
    return (
        pl.concat([parts[name].cells.with_columns(metric=pl.lit(name)).select(CELL) for name in order])
        if order
        else pl.DataFrame(schema=dict.fromkeys(CELL, pl.String))
    )


def _with_kept(cells: pl.DataFrame, kept: pl.DataFrame, stale: Stale) -> pl.DataFrame:
    """Adds the cells that were not computed again."""
    whole = [name for name, periods in stale.periods.items() if periods is None]
    rows = [(name, grain, start) for name, periods in stale.periods.items() for grain, start in periods or ()]
    again = pl.DataFrame(
        rows, schema={"metric": pl.String, "period": pl.String, "period_start": pl.Date}, orient="row"
    )
    rest = kept.filter(~pl.col("metric").is_in(whole)).join(
        again, on=["metric", "period", "period_start"], how="anti"
    )
    return pl.concat([cells, rest.select(CELL)])


def _expect(cells: pl.DataFrame, product: Product, shared: Prelude, found: Sequence[Dimension]) -> None:
    """Guards against cells that are missing, or there twice."""
    first, last = shared.first_day, shared.last_day
    if first is None or last is None:
        return
    segments = sum(len(each.labels) for each in found)
    by_grains: dict[object, int] = {}
    for name in product.metrics:
        grains = product.grains_of(name)
        if grains not in by_grains:
            by_grains[grains] = sum(1 for _ in shared.calendar.periods(first, last, grains))
    wanted = segments * sum(by_grains[product.grains_of(name)] for name in product.metrics)
    if cells.height != wanted or cells.select("metric", *KEYS).n_unique() != wanted:
        raise Doubt("cells are missing")
