"""Generated logs for metrics: few people, instants packed around boundaries, ties, changes of the clock.

A log is loaded into a database for the code under test, and indexed for loops in plain Python; nothing is shared with
that code but the declared product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from headway.engine import connect
from headway.frameworks import measure
from headway.frameworks.values import Measured
from headway.models.product import Product

HOUR = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
GRAINS = ("day", "week", "month", "rolling_7d", "rolling_28d")
RULES = (("email", "mail"), ("ads", "ad"))
"""Channels and the source that makes a touch one of them."""


@dataclass(frozen=True)
class Row:
    """An event; `tie` makes the order of a log unambiguous."""

    person: int
    event: str
    us: int
    line: int
    tie: int
    amount: float | None = None
    score: int | None = None
    currency: str | None = None
    key: str | None = None
    account: str | None = None
    source: str | None = None

    @property
    def order(self) -> tuple[int, int, int]:
        return self.us, self.line, self.tie


@dataclass(frozen=True)
class Told:
    """What is known of a person from an instant on."""

    person: int
    us: int
    plan: str | None


@dataclass(frozen=True)
class Rate:
    """What one unit of a currency is worth in euros from a day on."""

    day: date
    currency: str
    rate: float


@dataclass(frozen=True)
class Spent:
    """Money spent on a day to win people of a channel; without a currency, euros."""

    day: date
    channel: str
    amount: float
    currency: str | None


@dataclass(frozen=True)
class World:
    """A log, what is known of its people, and what lies beside it."""

    rows: tuple[Row, ...]
    channels: Mapping[int, str | None]
    plans: tuple[Told, ...] = ()
    timezone: str = "UTC"
    week_start: str = "monday"
    horizon: int = 0
    rates: tuple[Rate, ...] = ()
    holidays: tuple[date, ...] = ()
    business: Mapping[str, object] = field(default_factory=dict)
    spend: tuple[Spent, ...] = ()


Cell = tuple[str, str, date]
"""Segment, kind of period and first day."""


# --- Days and periods. ---


@lru_cache(maxsize=200_000)
def local_date(us: int, timezone: str) -> date:
    return (EPOCH + timedelta(microseconds=us)).astimezone(ZoneInfo(timezone)).date()


def instant_of(day: date, time_of_day: str, timezone: str) -> int:
    """The instant at which clocks first show a time of a day; 24:00 is the next midnight."""
    hours, minutes = (int(part) for part in time_of_day.split(":"))
    day += timedelta(days=hours // 24)
    local = datetime(day.year, day.month, day.day, hours % 24, minutes, tzinfo=ZoneInfo(timezone))
    return (local.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def first_of(day: date, grain: str, week_start: str) -> date:
    if grain == "month":
        return day.replace(day=1)
    while grain == "week" and day.weekday() != WEEKDAYS.index(week_start):
        day -= timedelta(days=1)
    return day


def last_of(start: date, grain: str) -> date:
    if grain == "month":
        return (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return start + timedelta(days={"day": 1, "week": 7, "rolling_7d": 7, "rolling_28d": 28}[grain] - 1)


class Book:
    """A world with what loops ask of it time and again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows = sorted(world.rows, key=lambda row: row.order)
        self.people: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows:
            self.people[row.person].append(row)
        days = [self.day(row) for row in self.rows]
        self.first, self.last = min(days), max(days)
        self.span = [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def day(self, row: Row) -> date:
        return local_date(row.us, self.world.timezone)

    @cached_property
    def periods(self) -> dict[tuple[str, date], date]:
        """Last days of every period that holds a day of the log, and of the windows of days within it."""
        found = {}
        for day in self.span:
            for grain in ("day", "week", "month"):
                start = first_of(day, grain, self.world.week_start)
                found[grain, start] = last_of(start, grain)
            for grain in ("rolling_7d", "rolling_28d"):
                if last_of(day, grain) <= self.last:
                    found[grain, day] = last_of(day, grain)
        return found

    @cached_property
    def holding(self) -> dict[date, list[tuple[str, date]]]:
        """The periods that hold a day."""
        found: dict[date, list[tuple[str, date]]] = defaultdict(list)
        for (grain, start), last in self.periods.items():
            for n in range((last - start).days + 1):
                found[start + timedelta(days=n)].append((grain, start))
        return found

    def grouped(self, rows: Iterable[Row]) -> dict[tuple[str, date], list[Row]]:
        """Events by the periods they fall in."""
        found: dict[tuple[str, date], list[Row]] = defaultdict(list)
        for row in rows:
            for period in self.holding[self.day(row)]:
                found[period].append(row)
        return found

    def complete(self, grain: str, start: date, wait: int) -> bool:
        after = instant_of(last_of(start, grain) + timedelta(days=1), "00:00", self.world.timezone)
        return after + wait <= self.world.horizon

    def rate(self, currency: str | None, day: date) -> float | None:
        """What a currency is worth on a day: the latest of the last seven days and the day itself; 1 for euros."""
        if currency in (None, "EUR"):
            return 1
        told = [
            each
            for each in self.world.rates
            if each.currency == currency and day - timedelta(days=7) <= each.day <= day
        ]
        return max(told, key=lambda each: each.day).rate if told else None

    # --- Segments. ---

    @cached_property
    def shown(self) -> str | None:
        """The one plan that is shown by itself: that of most people, the first in the alphabet of several."""
        said: dict[str, set[int]] = defaultdict(set)
        for told in self.world.plans:
            if told.plan is not None and told.person in self.people:
                said[told.plan].add(told.person)
        return min(said, key=lambda plan: (-len(said[plan]), plan), default=None)

    @lru_cache(maxsize=100_000)  # noqa: B019 (books are few and short-lived)
    def segments(self, person: int, us: int) -> tuple[str, ...]:
        """The segments one person counts in at an instant."""
        held = [told for told in self.world.plans if told.person == person and told.us <= us]
        plan = max(held, key=lambda told: told.us).plan if held else None
        label = "(none)" if plan is None else plan if plan == self.shown else "(other)"
        known = {source: channel for channel, source in RULES}
        touches = [row for row in self.people[person] if row.us <= us and row.source in known]
        last = known[str(touches[-1].source)] if touches else "direct"
        channel = self.world.channels.get(person) or "direct"
        return "all", f"channel={channel}", f"plan={label}", f"touched={last}"

    def labels(self) -> set[str]:
        """Every segment, whether anybody is in it or not, as far as the world decides it."""
        return {"all", "channel=direct", *(f"channel={channel}" for channel, _ in RULES)}


# --- The code under test. ---


def make_product(world: World, metrics: Mapping[str, Mapping[str, object]], **more: object) -> Product:
    """Declares metrics for a world; each says only what its kind needs."""
    common = {"framework": "aarrr", "stage": "activation", "title": "t"}
    return Product.model_validate(
        {
            "name": "Toy",
            "timezone": world.timezone,
            "week_start": world.week_start,
            "currency": "EUR",
            "activity": "A",
            "channels": [{"name": name, "where": f"source = '{source}'"} for name, source in RULES],
            "segments": {"plan": {"person": "plan", "top": 1}, "touched": {"touch": "last"}},
            "grains": list(GRAINS),
            "business_hours": dict(world.business),
            "metrics": {name: {**common, "unit": "percent", **metric} for name, metric in metrics.items()},
            **more,
        }
    )


def _insert(con: duckdb.DuckDBPyConnection, query: str, frame: pl.DataFrame) -> None:
    con.register("given", frame.to_arrow())
    con.execute(query)
    con.unregister("given")


def load(world: World) -> duckdb.DuckDBPyConnection:
    """Opens a database that holds a world."""
    con = connect()
    schema = {
        "person": pl.String(), "event": pl.String(), "us": pl.Int64(), "line": pl.UInt32(), "tie": pl.String(),
        "amount": pl.Float64(), "score": pl.Int64(), "currency": pl.String(), "key": pl.String(),
        "account": pl.String(), "source": pl.String(),
    }  # fmt: skip
    rows = [
        (
            _uuid(r.person),
            r.event,
            r.us,
            r.line,
            _uuid(r.tie),
            r.amount,
            r.score,
            r.currency,
            r.key,
            r.account,
            r.source,
        )
        for r in world.rows
    ]
    _insert(
        con,
        "CREATE TABLE events AS SELECT person::UUID AS person, event, make_timestamp(us) AS occurred_at, line, "
        "tie::UUID AS event_id, amount, score, currency, key, account, source FROM given",
        pl.DataFrame(rows, schema=schema, orient="row"),
    )
    channels = [(_uuid(person), channel) for person, channel in world.channels.items()]
    _insert(
        con,
        "CREATE TABLE people AS SELECT person::UUID AS person, channel FROM given",
        pl.DataFrame(channels, schema={"person": pl.String(), "channel": pl.String()}, orient="row"),
    )
    told = [(_uuid(each.person), each.us, each.plan) for each in world.plans]
    _insert(
        con,
        "CREATE TABLE person_properties AS SELECT person::UUID AS person, make_timestamp(us) AS valid_from, plan "
        "FROM given",
        pl.DataFrame(
            told, schema={"person": pl.String(), "us": pl.Int64(), "plan": pl.String()}, orient="row"
        ),
    )
    rates = [(each.day, each.currency, each.rate) for each in world.rates]
    _insert(
        con,
        "CREATE TABLE exchange_rates AS FROM given",
        pl.DataFrame(
            rates, schema={"day": pl.Date(), "currency": pl.String(), "rate": pl.Float64()}, orient="row"
        ),
    )
    days = pl.DataFrame(
        [(day, "off") for day in world.holidays], schema={"day": pl.Date(), "name": pl.String()}, orient="row"
    )
    _insert(con, "CREATE TABLE holidays AS FROM given", days)
    if world.spend:
        told_of = {"day": pl.Date(), "channel": pl.String(), "amount": pl.Float64(), "currency": pl.String()}
        spent = [(each.day, each.channel, each.amount, each.currency) for each in world.spend]
        _insert(con, "CREATE TABLE spend AS FROM given", pl.DataFrame(spent, schema=told_of, orient="row"))
    return con


def _uuid(number: int) -> str:
    return str(UUID(int=number))


def compute(world: World, product: Product) -> Measured:
    """Measures a product's metrics in a world."""
    con = load(world)
    try:
        return measure(
            con,
            product,
            horizon=(EPOCH + timedelta(microseconds=world.horizon)).replace(tzinfo=None),
            as_of=datetime(2026, 1, 1),
            code_version="test",
        )
    finally:
        con.close()
