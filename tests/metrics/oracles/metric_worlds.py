"""Generated logs for metrics: few people, instants packed around boundaries, ties, changes of the clock.

A log is loaded into a database for the code under test, and indexed for loops in plain Python; nothing is shared with
that code but the declared product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from random import Random
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


# --- Generation. ---

# A zone and an instant some hours before something happens to its clock; Havana changes at midnight.
SCENES = (
    ("UTC", datetime(2026, 12, 31, 20)),
    ("Asia/Kathmandu", datetime(2026, 2, 28, 12)),
    ("Europe/Berlin", datetime(2026, 3, 28, 18)),
    ("Europe/Berlin", datetime(2026, 10, 24, 18)),
    ("America/New_York", datetime(2026, 3, 7, 20)),
    ("America/New_York", datetime(2026, 10, 31, 20)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 6)),
    ("America/Havana", datetime(2026, 3, 7, 18)),
    ("America/Havana", datetime(2026, 10, 31, 18)),
)

# Hours since the scene's instant: dense, so that windows are met at their exact ends, a later week and later months.
DENSE = (0, 0, 1, 1, 2, 3, 4, 9, 10, 11, 12, 24, 24, 25, 26, 48, 9 * 24, 30 * 24)
MONTHS = (
    0,
    1,
    1,
    2,
    3,
    12,
    24,
    25,
    5 * 24,
    9 * 24,
    16 * 24,
    30 * 24,
    31 * 24,
    32 * 24,
    45 * 24,
    61 * 24,
    62 * 24,
)
WINDOWS = (0, 1, 2, 24, 24, 9 * 24)
_SHIFTS = (0, 0, 0, 0, 0, 1, -1)
# Not too far apart, so that the order of addition does not show.
_AMOUNTS = (None, 0.0, 0.1, 0.2, 0.5, 1.0, 1.0, 2.5, 8.0, -3.0, 1e6)
_HOURS: tuple[Mapping[str, object], ...] = (
    {},
    {"opens": "08:30", "closes": "17:15", "days": ["monday", "wednesday", "saturday", "sunday"]},
    {"opens": "00:00", "closes": "24:00", "days": list(WEEKDAYS)},
    {"opens": "01:30", "closes": "02:30", "days": list(WEEKDAYS)},
)


def generate(
    seed: int,
    *,
    people: int = 9,
    rows: int = 60,
    hours: Sequence[int] = DENSE,
    keys: int = 5,
    accounts: int = 3,
) -> World:
    """Makes a world from a seed; seeds go through the scenes in turn."""
    rng = Random(seed)
    timezone, begin = SCENES[seed % len(SCENES)]
    base = int(begin.replace(tzinfo=UTC).timestamp()) * 1_000_000

    def moment() -> int:
        return base + rng.choice(hours) * HOUR + rng.choice(_SHIFTS)

    said: list[tuple[int, int, str | None]] = []

    def row(tie: int) -> Row:
        person, us = rng.randint(1, people), moment()
        key = f"k{rng.randint(1, keys)}" if rng.random() < 0.85 else None
        if said and rng.random() < 0.4:
            # As long after something else as windows are, to the microsecond or just not; of the same thing, mostly.
            someone, at, of = rng.choice(said)
            person = rng.choice((person, someone, someone))
            us = at + rng.choice(WINDOWS) * HOUR + rng.choice((0, 0, 1, -1))
            key = rng.choice((key, of, of))
        said.append((person, us, key))
        return Row(
            person=person,
            event=rng.choice("AABBCD"),
            us=us,
            line=rng.randint(0, 2),
            tie=tie,
            amount=rng.choice(_AMOUNTS),
            score=rng.choice((None, *range(-1, 12))),
            currency=rng.choice(("EUR", "EUR", "USD", "USD", "GBP", None)),
            key=key,
            account=f"a{rng.randint(1, accounts)}" if rng.random() < 0.85 else None,
            source=rng.choice((None, None, "mail", "ad", "other")),
        )

    ties = rng.sample(range(1, 10**9), rng.randint(max(rows // 3, 1), rows))
    told = {
        (rng.randint(1, people), moment()): rng.choice(("free", "pro", "team", None))
        for _ in range(rng.randint(0, people + 3))
    }
    day = begin.date()
    # Events lie around days 0, 9 and 30: rates are told a week before, a day more, and a day less.
    days = (-8, -7, -6, -1, 1, 2, 3, 22, 23, 24)
    rated = {(rng.choice(days), rng.choice(("USD", "USD", "GBP", "EUR"))) for _ in range(9)}
    return World(
        rows=tuple(row(tie) for tie in ties),
        channels={
            n: rng.choice(("email", "ads", "direct", None))
            for n in range(1, people + 1)
            if rng.random() < 0.8
        },
        plans=tuple(Told(person, us, plan) for (person, us), plan in told.items()),
        timezone=timezone,
        week_start=rng.choice(WEEKDAYS),
        horizon=moment(),
        rates=tuple(
            Rate(day + timedelta(days=n), code, rng.choice((0.25, 0.5, 2.0))) for n, code in sorted(rated)
        ),
        holidays=tuple(
            sorted({day + timedelta(days=rng.choice((0, 1, 2, 9, 30))) for _ in range(rng.randint(0, 2))})
        ),
        business=rng.choice(_HOURS),
    )
