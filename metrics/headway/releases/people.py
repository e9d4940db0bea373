"""What people tell of releases: every metric that adds up over people, by segments of a rollout and by adopters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta

import duckdb
import polars as pl

from headway.engine import guarded, identifier
from headway.frameworks.cells import base_of_units
from headway.frameworks.collect import collect
from headway.frameworks.kinds import Units, plan_of
from headway.frameworks.prelude import Prelude, prelude
from headway.frameworks.segments import Dimension, dimensions
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.metrics import BaseMetric, Conversion, NewPeople, Retained
from headway.models.product import Product
from headway.periods import day_start_us, local_day
from headway.releases.adopters import ADOPTION, Used, acts_of, adoption_row, matched_evidence
from headway.releases.evidence import Evidence
from headway.releases.log import Release, Span, span_of
from headway.releases.staggered import plan_of_rollout, staggered_evidence

_UNITS = identifier("headway_release_units")

#: Kinds in which a person counts once: nothing is known of the person before.
_ONCE = (Conversion, Retained, NewPeople)
#: Estimates that divide by something, so that groups of different size can be compared.
_DIVIDED = ("proportion", "mean", "ratio", "promoter_score")


@dataclass(frozen=True)
class Told:
    """What people tell of releases.

    Attributes:
        evidence: The evidence of the rungs that look at people, by release and metric.
        adoption: The table ``feature_adoption``, see `headway.releases.adopters.ADOPTION`.
    """

    evidence: tuple[Evidence, ...]
    adoption: pl.DataFrame


def ask_people(
    connection: duckdb.DuckDBPyConnection, product: Product, releases: Sequence[Release], horizon: int
) -> Told:
    """Looks at people around the releases that reached segments one after another or brought a feature.

    Args:
        connection: A connection that knows `events` and `people`, see `headway.frameworks.values.measure`.
        product: The product.
        releases: All releases.
        horizon: Instant before which all data is in, microseconds since 1970 UTC.

    Returns:
        What they tell; nothing where no release can be looked at this way.

    Raises:
        InputError: `events` lacks a property that is asked for.
        EngineError: The database refused a statement.
    """
    asked = [each for each in releases if each.segments or each.feature]
    empty = pl.DataFrame(schema=ADOPTION)
    has_days = any("day" in product.grains_of(name) for name in product.metrics)
    if not asked or not has_days:
        return Told((), empty)
    with prelude(connection, product) as shared:
        if shared.first_day is None:
            return Told((), empty)
        collect(connection, product, shared)
        return _asked(connection, product, shared, asked, releases, horizon)


def _asked(
    connection: duckdb.DuckDBPyConnection,
    product: Product,
    shared: Prelude,
    asked: Sequence[Release],
    releases: Sequence[Release],
    horizon: int,
) -> Told:
    with dimensions(connection, product, shared) as found, ExitStack() as stack:
        acts = {}
        for number, feature in enumerate(dict.fromkeys(each.feature for each in asked if each.feature)):
            told = product.releases.features[feature]
            used = Used(told.used, told.eligible or product.activity)
            acts[feature] = stack.enter_context(acts_of(connection, shared, used, number))
        asking = _Asking(
            connection, product, replace(shared, grains=("day",)), found, tuple(releases), horizon, acts
        )
        adoption = [asking.adoption(each) for each in asked if each.feature]
        evidence = [one for name in product.metrics for one in asking.metric(name, asked)]
    return Told(tuple(evidence), pl.DataFrame(adoption, schema=ADOPTION))


@dataclass(frozen=True)
class _Asking:
    connection: duckdb.DuckDBPyConnection
    product: Product
    shared: Prelude
    dimensions: Sequence[Dimension]
    releases: tuple[Release, ...]
    horizon: int
    acts: Mapping[str, str]

    @property
    def last_day(self) -> date:
        """The last whole local day whose events are in."""
        return _last_whole_day(self.horizon, self.product.timezone)

    def span(self, release: Release) -> Span:
        assert self.shared.first_day is not None
        told = self.product.releases
        data = (self.shared.first_day, self.last_day)
        return span_of(
            release, self.releases, data, weeks_before=told.weeks_before, weeks_after=told.weeks_after
        )

    def adoption(self, release: Release) -> dict[str, object]:
        title = self.product.releases.features[str(release.feature)].title
        kept_after = self.product.releases.kept_after
        acts = self.acts[str(release.feature)]
        return adoption_row(self.connection, release, title, acts, self.last_day, kept_after)

    def metric(self, name: str, asked: Sequence[Release]) -> Iterator[Evidence]:
        """Looks at every release by one metric, whose rows are made once."""
        metric = self.product.metrics[name]
        if metric.components() or metric.privacy is not None:
            return
        if not isinstance(plan := plan_of(metric, self.shared), Units):
            return
        if plan.estimate not in _DIVIDED:
            return
        base_of_units(self.connection, name, plan, self.shared, "")
        with ExitStack() as stack, guarded(f"follow the metric {name} around releases"):
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {_UNITS} AS {plan.query_text}")
            stack.callback(self.connection.execute, f"DROP TABLE IF EXISTS temp.{_UNITS}")
            scale = 100.0 if plan.estimate == "promoter_score" else 1.0
            for release in asked:
                yield from self._of_release(name, metric, release, scale)

    def _of_release(
        self, name: str, metric: BaseMetric, release: Release, scale: float
    ) -> Iterator[Evidence]:
        span = self.span(release)
        microseconds = metric.measured().wait
        wait = -(-microseconds // MICROSECONDS_PER_DAY)
        last = _last_whole_day(self.horizon - microseconds, self.product.timezone)
        units = f"FROM {_UNITS}"
        if release.segments:
            plan = plan_of_rollout(release, span, wait, last)
            yield staggered_evidence(self.connection, release, name, plan, self.dimensions, units, scale)
        if release.feature is None:
            return
        if isinstance(metric, _ONCE):
            yield Evidence(
                release.name,
                name,
                "matched",
                refused="a person counts once, so nothing is known of what the person did before",
            )
            return
        acts = self.acts[release.feature]
        yield matched_evidence(self.connection, release, name, span, self.shared, acts, units, last, scale)


def _last_whole_day(instant: int, timezone: str) -> date:
    """The last local day that is over at an instant."""
    day = local_day(instant, timezone)
    return day if day_start_us(day + timedelta(days=1), timezone) <= instant else day - timedelta(days=1)
