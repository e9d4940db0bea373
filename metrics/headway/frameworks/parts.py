"""Computing one metric: by its kind from sums over people, from observations, from spend, or from other metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import duckdb
import polars as pl

from headway.engine import guarded
from headway.frameworks.cells import KEYS, base_of_units, estimated, groups_of_units, sums_of_units, units_of
from headway.frameworks.costs import cost_part, excluded_spend
from headway.frameworks.formulas import Part, formula_part, replicates_of_sums
from headway.frameworks.grids import Grid, grid_of
from headway.frameworks.kinds import Observations, Running, Units, Weighted, plan_of
from headway.frameworks.observed import Clock, cells_of_observations
from headway.frameworks.prelude import Doubt, Prelude
from headway.frameworks.profiles import Profiles
from headway.frameworks.renewal import Again
from headway.frameworks.running import running_part
from headway.frameworks.segments import ALL, Dimension
from headway.frameworks.stale import Cells
from headway.frameworks.tallied import Moved, Tallies, sums_of
from headway.frameworks.weighted import weighted_part
from headway.models.metrics import BaseMetric, CostPer, Formula
from headway.models.product import Product
from headway.statistics.estimates import NOBODY


@dataclass(frozen=True)
class Computation:
    """What computing metrics needs, and what was computed so far.

    Attributes:
        connection: The connection of the prelude.
        product: The product.
        shared: The shared input.
        profiles: The profiles of people, and the ways to divide them.
        horizon: Instant before which all data is in, in microseconds since 1970 UTC.
        needed: Names of metrics that others are made of.
        parts: Metrics computed so far, by name.
        bases: Name of the table of what metrics have in common -> query whose rows it holds.
        counted: Query of what had to be left out -> number.
        again: Which periods are computed; None: all.
        unbounded: Metrics some of whose cells may depend on more days than their reach says.
        grids: Grids of cells by what they are made of.
    """

    connection: duckdb.DuckDBPyConnection
    product: Product
    shared: Prelude
    profiles: Profiles
    horizon: int
    needed: Collection[str]
    parts: dict[str, Part] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    again: Again | None = None
    unbounded: set[str] = field(default_factory=set)
    grids: dict[object, Grid] = field(default_factory=dict)

    def add(self, name: str) -> Iterator[tuple[str, str, int]]:
        """Computes a metric; those it is made of are there already.

        Args:
            name: Its name.

        Yields:
            Name, reason and number of what it had to leave out.

        Raises:
            InputError: A condition uses a property that the events lack.
            EngineError: The database refused a query.
        """
        metric = self.product.metrics[name]
        shared = replace(self.shared, grains=self.product.grains_of(name))
        if self.again is not None:
            shared = self.again.narrowed(name, shared)
        exclusions: Mapping[str, str] = {}
        if isinstance(metric, Formula):
            self.parts[name] = formula_part(metric, self.parts, shared.grains)
        elif isinstance(metric, CostPer):
            self.parts[name] = cost_part(self.connection, name, self.parts[metric.per], shared)
            exclusions = excluded_spend(self.connection, shared)
        else:
            exclusions = self._from_events(name, metric, shared)
        with guarded(f"count what the metric {name} leaves out"):
            for reason, query in exclusions.items():
                # Parts of one whole leave the same out.
                if query not in self.counted:
                    self.counted[query] = self.connection.execute(query).fetchall()[0][0]
                yield name, reason, self.counted[query]

    def _from_events(self, name: str, metric: BaseMetric, shared: Prelude) -> Mapping[str, str]:
        plan = plan_of(metric, shared)
        cells = None if self.again is None else self.again.stale.periods[name]
        grid = self._grid(shared, self.horizon - metric.measured().wait, cells)
        if isinstance(plan, Observations):
            self.parts[name] = self._observed(name, plan, grid.cells, shared)
        elif isinstance(plan, Weighted):
            self.parts[name] = self._weighted(name, plan, grid, shared)
        elif isinstance(plan, Running):
            con, profiles, grouped = self.connection, self.profiles, name in self.needed
            self.parts[name] = running_part(con, name, plan, grid.cells, profiles, shared, grouped=grouped)
        else:
            self.parts[name] = self._added_up(name, plan, grid, shared)
            if plan.further:
                self._look_further(name, plan)
        return plan.exclusions

    def _added_up(self, name: str, plan: Units, grid: Grid, shared: Prelude) -> Part:
        """Computes a metric that adds up over people; by group of people as well where others are made of it."""
        grouped = name in self.needed
        con, base = self.connection, self.shared.base
        if not isinstance(plan.tallied, Moved) or grouped:
            self.bases[base] = base_of_units(con, name, plan, self.shared, self.bases.get(base, ""))
        if plan.tallied is not None and not grouped:
            with guarded(f"compute the metric {name}"):
                added, by_x = (
                    self.tallies.added(con, plan.tallied, shared),
                    plan.estimate in ("ratio", "total"),
                )
                sums, groups = sums_of(added, grid, self.profiles, by_x=by_x, whole=plan.whole), None
        else:
            with units_of(con, name, plan, self.profiles, again=grouped or not plan.whole) as units:
                sums = sums_of_units(con, units, plan, self.profiles, grid)
                groups = self._grouped(units, self.profiles.dimensions, "bucket") if grouped else None
        cells = estimated(plan.estimate, grid.with_sums(sums))
        return Part(cells, None if groups is None else replicates_of_sums(plan.estimate, cells, groups))

    def _grid(self, shared: Prelude, complete_before: int, cells: Cells | None) -> Grid:
        """The cells of a metric; many metrics have the same."""
        key = shared.grains, complete_before, cells
        if key not in self.grids:
            self.grids[key] = grid_of(shared, self.profiles.dimensions, complete_before, cells)
        return self.grids[key]

    @cached_property
    def tallies(self) -> Tallies:
        """What people did on which days, as arrays; where instants are stamped."""
        return Tallies.read(self.connection, self.shared)

    def _look_further(self, name: str, plan: Units) -> None:
        """Notes a metric that reaches further than its reach says, which must not have been relied on."""
        if not self.connection.execute(plan.further).fetchall():
            return
        self.unbounded.add(name)
        if self.again is not None and self.again.stale.periods[name] is not None:
            raise Doubt(f"{name} depends on more days than usual")

    def _weighted(self, name: str, plan: Weighted, grid: Grid, shared: Prelude) -> Part:
        """Computes a metric whose channels are weighted."""
        con, profiles = self.connection, self.profiles
        everybody = [each for each in profiles.dimensions if each.name == ALL]
        with units_of(con, name, plan.answers, profiles, again=True) as units:
            sums = sums_of_units(con, units, plan.answers, profiles, grid)
            answers = self._grouped(units, everybody, "channel")
        with units_of(con, name, plan.shown, profiles, again=False) as units:
            shown = self._grouped(units, everybody, "channel")
        cells = estimated(plan.answers.estimate, grid.with_sums(sums))
        return weighted_part(cells, answers, shown, plan.ends, plan.scale)

    def _grouped(self, units: str, dimensions: Sequence[Dimension], by: str) -> pl.DataFrame:
        return groups_of_units(self.connection, units, self.profiles, dimensions, self.shared.people, by)

    def _observed(self, name: str, plan: Observations, grid: pl.DataFrame, shared: Prelude) -> Part:
        """Computes a metric about single observations."""
        now = Clock(shared.calendar, shared.business, self.horizon, shared.holidays)
        observed = cells_of_observations(self.connection, name, plan, self.profiles, shared, now)
        cells = grid.join(observed, on=KEYS, how="left", maintain_order="left").with_columns(
            people=pl.col("people").fill_null(0),
            contributors=pl.col("contributors").fill_null(0),
            reason=pl.when(pl.col("people").is_null()).then(pl.lit(NOBODY)).otherwise("reason"),
            estimate=pl.lit("quantile"),
        )
        return Part(cells, None)
