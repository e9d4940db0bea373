"""Computing again only what news can have changed: what is kept between runs, and what of it still holds.

Kept are the cells of every metric, and of every person when they did first what metrics ask for. News are the local
days on which events came, went or changed hands, and the people concerned, each with the instant before which nothing
about them is new. Whatever casts doubt on what is kept means computing everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb
import polars as pl
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import DIALECT, bind, identifier, load, with_inputs
from headway.frameworks.collect import Reading, collect
from headway.frameworks.kept import FIRSTS, Kept, News
from headway.frameworks.needed import list_needed, parts_with, recall_needed
from headway.frameworks.prelude import GRAIN_TYPE, LOG, LOG_TALLY, Doubt, Prelude, local_time
from headway.frameworks.reach import Reach, firsts_of, longest, reach_of
from headway.frameworks.recent import active_days, days_of
from headway.frameworks.segments import Dimension
from headway.frameworks.stale import Cells, Log, Stale, stale
from headway.models.composition import parts_of
from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.metrics import EventSelector
from headway.models.product import Product
from headway.periods import EPOCH

_HERE = "headway.frameworks"
_STALE = "headway_metric_stale_"


@dataclass(frozen=True)
class Again:
    """What is computed again.

    Attributes:
        stale: Which cells.
        tables: By periods, the quoted name of the table that lists them.
        reaches: On what each metric depends.
        parts: Parts of the log in which events of which all are needed may be other ones; None: all.
    """

    stale: Stale
    tables: Mapping[Cells, str]
    reaches: Mapping[str, Reach]
    parts: frozenset[int] | None

    def narrowed(self, name: str, shared: Prelude) -> Prelude:
        """Returns the shared input for one metric."""
        cells = self.stale.periods[name]
        if cells is not None:
            return replace(shared, stale=self.tables[cells])
        # All its events are there, and what was first is found among them.
        return replace(shared, firsts={}, events=shared.log, tally=shared.log_tally, stamp=None)


def reaches_of(
    connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude, unbounded: Collection[str]
) -> dict[str, Reach]:
    """Says on what each metric of a product depends.

    Args:
        connection: The connection of the prelude.
        product: The product.
        shared: The shared input.
        unbounded: Metrics that depend on everything, whatever their declaration says.

    Returns:
        Reach by metric.
    """
    first, last = (
        (((day or EPOCH) - EPOCH).days + more) * MICROSECONDS_PER_DAY
        for day, more in ((shared.first_day, -1), (shared.last_day, 2))
    )

    def span(wanted: int) -> int:
        hours = connection.sql(f"SELECT opens_us, closes_us FROM {shared.shifts} ORDER BY opens_us").pl()
        return longest(hours["opens_us"].to_numpy(), hours["closes_us"].to_numpy(), first, last, wanted)

    found = {name: reach_of(metric, span) for name, metric in product.metrics.items()}
    whole = {name for name, reach in found.items() if reach.whole}.union(unbounded)
    for name in _made_together(product, whole):
        selectors = product.metrics[name].selectors().values()
        found[name] = replace(found[name], whole=True, log=tuple(selectors))
    return found


def _made_together(product: Product, names: Collection[str]) -> set[str]:
    """Adds the metrics that some are made of, those that are made of them, and so on: they have the same periods."""
    found = set(names)
    while True:
        before = len(found)
        for name, metric in product.metrics.items():
            family = {name, *parts_of(metric)}
            if found & family:
                found |= family
        if len(found) == before:
            return found


@contextmanager
def renewed(
    connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude, kept: Kept, news: News
) -> Iterator[tuple[Again, Prelude]]:
    """Reads the events of what must be computed again, and finds out what that is.

    Args:
        connection: The connection of the prelude.
        product: The product.
        shared: The shared input, without events.
        kept: What was computed before.
        news: What is new since.

    Yields:
        What is computed again, and the shared input, which knows what people did first.

    Raises:
        Doubt: What was computed before is of no use.
    """
    if shared.first_day != kept.first_day or shared.last_day is None or shared.last_day < kept.last_day:
        raise Doubt("the log covers other days")
    if any("_latest." in name for name in shared.columns):
        raise Doubt("a metric looks at what is last known of people or accounts")
    reaches = reaches_of(connection, product, shared, kept.unbounded)
    log = Log(shared.calendar, shared.first_day, shared.last_day)
    end = {(day - EPOCH).days for day in (kept.last_day, shared.last_day)}
    days = {*news.days, *range(min(end), max(end) + 1), *active_days(connection, shared.offsets)}
    selectors = firsts_of(reaches.values())
    read: frozenset[int] | None = None
    while True:
        found = stale(product, reaches, log, days, kept.horizon)
        # What was kept of other days holds where nothing about them is new.
        wanted = found.days.union(days) if news.needed else found.days
        if read is None or not wanted <= read:
            if news.needed:
                recall_needed(connection, shared, news.needed, wanted)
            reading = Reading.of(wanted, found.names, product.timezone)
            collect(connection, product, shared, reading, needed=not news.needed)
            _list_firsts(connection, shared, selectors, news)
            read = wanted
        moved = _moved_days(connection, shared, len(selectors), news)
        if moved <= days:
            break
        days |= moved
    tables = _list_stale(connection, found)
    try:
        yield (
            Again(found, tables, reaches, parts_with(days) if news.needed else None),
            replace(
                shared,
                firsts=_firsts_by_test(shared, selectors),
                log=identifier(LOG),
                log_tally=identifier(LOG_TALLY),
            ),
        )
    finally:
        for table in tables.values():
            connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


def list_kept(
    connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude, unbounded: Collection[str]
) -> None:
    """Writes what is kept of people and of events, from all events there are.

    Args:
        connection: The connection of the prelude.
        product: The product.
        shared: The shared input with all events.
        unbounded: Metrics that depend on everything, whatever their declaration says.
    """
    reaches = reaches_of(connection, product, shared, unbounded)
    _list_firsts(connection, shared, firsts_of(reaches.values()), None)
    list_needed(connection, shared, reaches.values(), None)


def labels_of(dimensions: Sequence[Dimension]) -> dict[str, tuple[str, ...]]:
    """Lists the labels of each dimension."""
    return {each.name: each.labels for each in dimensions}


def _columns(number: int) -> list[str]:
    return [f"first{place}" for place in range(number)]


def _list_firsts(
    connection: duckdb.DuckDBPyConnection,
    shared: Prelude,
    selectors: Sequence[EventSelector],
    news: News | None,
) -> None:
    names = _columns(len(selectors))
    person = exp.column("_person", quoted=True)
    found = exp.select(
        exp.alias_(person, "code"),
        *(
            exp.alias_(_first(shared.marks.test(selector, shared.columns)), name)
            for name, selector in zip(names, selectors, strict=True)
        ),
    )
    nobody = exp.select(
        "person", *(exp.alias_(exp.cast(exp.null(), "BIGINT"), name) for name in ("since_us", *names))
    )
    nobody = nobody.from_(shared.people).limit(0)
    seen = exp.alias_(exp.column("first_us", table="everyone"), "seen_us")
    text = with_inputs(
        bind(load(_HERE, "firsts"), {"columns": [seen, *(_earlier(name) for name in names)]}),
        {
            "everyone": f"SELECT person, code, first_us FROM {shared.people}",
            "found": found.from_(shared.tally).group_by(person.copy()),
            "known": nobody if news is None else f"FROM {news.firsts}",
            "news": nobody.copy() if news is None else f"FROM {news.people}",
        },
    )
    with guarded("find what people did first"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(FIRSTS)} AS {text}")


def _first(test: exp.Expr) -> exp.Expr:
    return exp.func("min", exp.Case().when(test, exp.column("_us", quoted=True)))


def _earlier(name: str) -> exp.Expr:
    """The earlier of what was found and what was known, as far as that still holds."""
    since = exp.column("since_us", table="news")
    known, found = (exp.column(name, table=table) for table in ("known", "found"))
    holds = exp.or_(since.is_(exp.Null()), exp.LT(this=known.copy(), expression=since.copy()))
    return exp.alias_(exp.func("least", exp.Case().when(holds, known), found), name)


def _firsts_by_test(shared: Prelude, selectors: Sequence[EventSelector]) -> dict[str, exp.Expr]:
    return {
        shared.marks.test(selector, shared.columns).sql(DIALECT): exp.select(
            exp.alias_(exp.column("code"), "person"), exp.alias_(exp.column(name), "us")
        )
        .from_(identifier(FIRSTS))
        .where(exp.column(name).is_(exp.Null()).not_())
        for name, selector in zip(_columns(len(selectors)), selectors, strict=True)
    }


def _moved_days(connection: duckdb.DuckDBPyConnection, shared: Prelude, number: int, news: News) -> set[int]:
    """Lists the local days on which people did something first, and those on which they were thought to."""
    names = ["seen_us", *_columns(number)]
    us = exp.column("us", table="moments")
    params = {
        "before": exp.array(*(exp.column(name, table="known") for name in names)),
        "after": exp.array(*(exp.column(name, table="firsts") for name in names)),
        "local_us": local_time(us, shared.offsets),
    }
    inputs = {
        "news": f"FROM {news.people}",
        "known": f"FROM {news.firsts}",
        "firsts": f"FROM {identifier(FIRSTS)}",
    }
    with guarded("find whose firsts are other ones"):
        return days_of(connection, with_inputs(bind(load(_HERE, "moved_firsts"), params), inputs))


def _list_stale(connection: duckdb.DuckDBPyConnection, found: Stale) -> dict[Cells, str]:
    """Writes a table of periods for every set of them."""
    tables: dict[Cells, str] = {}
    for cells in found.periods.values():
        if cells is None or cells in tables:
            continue
        table = tables[cells] = identifier(f"{_STALE}{len(tables)}")
        rows = [(grain, (start - EPOCH).days) for grain, start in sorted(cells)]
        frame = pl.DataFrame(rows, schema={"grain": pl.String, "start_day": pl.Int32}, orient="row")
        with guarded("list the periods that are computed again"):
            connection.register("headway_stale", frame.to_arrow())
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {table} AS "
                f"SELECT CAST(grain AS {GRAIN_TYPE}) AS grain, start_day FROM headway_stale"
            )
            connection.unregister("headway_stale")
    return tables
