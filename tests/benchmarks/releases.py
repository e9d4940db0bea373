"""What assessing many releases on many metrics costs: does it grow as releases times metrics, or faster?

A log is made in memory: people of three channels who do eight things over a year. Of the releases a third bring a
feature (matched adopters), a third reach one channel after the other (differences in differences) and a third reach
everybody; all are read from daily series, too. The figures are CPU seconds of one process with two threads; what counts
is how they grow:

    releases.py --events 2000000 --people 40000

``people`` is what adopters and segments tell, ``series`` what daily values tell, with the tests of both.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from generated import number  # beside this script

if TYPE_CHECKING:
    import duckdb

    from headway.models.product import Product
    from headway.releases import Release

START = date(2026, 1, 5)
DAYS = 371
"""A year of releases every two weeks."""
EVENTS = ("Visit", "Lesson", "Search", "Saved", "Paid", "Invite", "Answered", "Used")
CHANNELS = ("direct", "email", "ads")
SIZES = ((5, 40), (10, 40), (20, 40), (20, 10), (20, 20))


def definition(count: int, features: int) -> Product:
    """Writes a product of some metrics: means, conversions, ratios, shares and counts over the eight things."""
    from headway.models.product import Product

    metrics: dict[str, dict[str, Any]] = {}
    common = {"framework": "aarrr", "stage": "activation", "unit": "times"}
    for n in range(count):
        event, other = EVENTS[1 + n % 7], EVENTS[1 + (n // 7 + n) % 7]
        kinds: list[dict[str, Any]] = [
            {"kind": "mean", "of": "Visit", "event": event, "measure": "count"},
            {"kind": "share", "of": "Visit", "did": event, "unit": "percent"},
            {"kind": "ratio", "numerator": {"event": event, "measure": "events"},
             "denominator": {"event": other, "measure": "events"}},
            {"kind": "mean", "of": "Visit", "event": event, "measure": "sum", "value": "amount"},
            {"kind": "conversion", "start": "Visit", "reach": event, "within": f"{1 + n % 5}d", "unit": "percent"},
        ]  # fmt: skip
        metrics[f"m{n}"] = {**common, "title": f"Metric {n}", **kinds[n % 5]}
    told = {
        f"f{n}": {
            "title": f"Feature {n}",
            "eligible": "Visit",
            "used": {"event": "Used", "where": f"amount >= {90 - n}"},
        }
        for n in range(features)
    }
    channels = [{"name": name, "where": f"source = '{name}'"} for name in CHANNELS[1:]]
    return Product.model_validate(
        {
            "name": "Bench", "timezone": "UTC", "currency": "EUR", "activity": "Visit", "channels": channels,
            "metrics": metrics, "releases": {"features": told},
        }
    )  # fmt: skip


def release(n: int, count: int, metrics: list[str]) -> Release:
    """Writes one of several releases, evenly spread over the time."""
    from headway.releases import Release, Step

    on = START + timedelta(days=35 + n * (DAYS - 70) // count)
    at = datetime.combine(on, time())
    by_channel = [
        Step(on + timedelta(days=7 * k), None, f"channel={name}") for k, name in enumerate(CHANNELS[1:])
    ]
    steps = by_channel if n % 3 == 1 else [Step(on)]
    feature = f"f{n}" if n % 3 == 0 else None
    return Release(f"r{n}", f"R{n}", "release", tuple(steps), at, feature=feature, metrics=tuple(metrics[:3]))


def attached(options: argparse.Namespace) -> duckdb.DuckDBPyConnection:
    """Makes the log."""
    from headway.engine import connect

    con = connect(threads=2)
    people, names, span = options.people, list(EVENTS), 86_400_000_000 * DAYS
    con.execute(f"""
        CREATE TABLE events AS SELECT
            md5('e' || range)::UUID AS event_id,
            md5('u' || who)::UUID AS person,
            md5('u' || who)::UUID AS account,
            {names}[1 + floor(8 * pow({chance("event")}, 2))::BIGINT] AS event,
            TIMESTAMP '{START}' + to_microseconds(floor({span} * {chance("time")})::BIGINT) AS occurred_at,
            range::UBIGINT AS line,
            round(100 * {chance("amount")}, 2) AS amount,
            {list(CHANNELS)}[1 + (hash(who, 6) % 3)::BIGINT] AS source
        FROM (SELECT range, floor({people} * pow({chance("who")}, 2))::BIGINT AS who FROM range({options.events}))
        ORDER BY occurred_at""")
    con.execute(
        f"CREATE TABLE people AS SELECT md5('u' || range)::UUID AS person, "
        f"{list(CHANNELS)}[1 + (hash(range, 6) % 3)::BIGINT] AS channel FROM range({people})"
    )
    return con


def chance(what: str) -> str:
    """Writes a number that looks like chance; hashes of a number and a small one would follow each other."""
    return number(f"'{what}' || range")


def cpu_seconds() -> float:
    """CPU time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measures and prints."""
    from headway.frameworks import measure
    from headway.periods import utc_us
    from headway.releases import ask_people
    from headway.releases.impact import impact_table
    from headway.statistics.calibrated import _tails

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--people", type=int, default=10_000)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{options.events:,} events, {options.people:,} people")
    con, horizon = attached(options), datetime.combine(START + timedelta(days=DAYS), time())
    whole = definition(max(each for _, each in SIZES), max(each for each, _ in SIZES))
    values = measure(con, whole, horizon=horizon, as_of=horizon, code_version="bench").values
    values = values.with_columns(suppressed=False)
    kinds = dict(values.filter(segment="all").select("metric", "estimate").unique().rows())
    data = (START, START + timedelta(days=DAYS - 1))
    for releases, metrics in SIZES:
        product = definition(metrics, releases)
        asked = [release(n, releases, list(product.metrics)) for n in range(releases)]
        _tails.cache_clear()
        start = cpu_seconds()
        told = ask_people(con, product, asked, utc_us(horizon.replace(tzinfo=UTC)))
        between = cpu_seconds()
        found = impact_table(product, asked, values, kinds, told.evidence, data=data)
        by_people, by_series = between - start, cpu_seconds() - between
        each = 1000 / (releases * metrics)
        print(
            f"{releases} releases, {metrics} metrics: people {by_people:.2f} CPU s ({each * by_people:.1f} ms each), "
            f"series {by_series:.2f} ({each * by_series:.1f} ms each), {found['effect'].drop_nulls().len()} estimates"
        )


if __name__ == "__main__":
    main()
