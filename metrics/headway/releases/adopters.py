"""People who took a released feature up: how many, whether they kept it, and what became of them beside like people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import duckdb
import numpy as np
import polars as pl
from sqlglot import exp

from headway.engine import bind, guarded, identifier, load, with_inputs
from headway.engine.sql import DIALECT
from headway.frameworks.prelude import Prelude, instant, local_time, relation_columns
from headway.models.metrics import EventSelector
from headway.periods import EPOCH
from headway.releases.evidence import Evidence, judged
from headway.releases.log import Release, Span
from headway.selectors import condition, names_of
from headway.statistics.intervals import wilson
from headway.statistics.matching import Strata, compare, imbalance
from headway.subjects import histories_of, with_properties

ADOPTION: Final[dict[str, pl.DataType]] = {
    "release": pl.String(),
    "feature": pl.String(),
    "title": pl.String(),
    "eligible": pl.Int64(),
    "tried": pl.Int64(),
    "tried_rate": pl.Float64(),
    "tried_low": pl.Float64(),
    "tried_high": pl.Float64(),
    "kept_after_days": pl.Int64(),
    "ripe": pl.Int64(),
    "kept": pl.Int64(),
    "kept_rate": pl.Float64(),
    "kept_low": pl.Float64(),
    "kept_high": pl.Float64(),
    "suppressed": pl.Boolean(),
    "reason": pl.String(),
}
"""Columns and types of the table ``feature_adoption``, in order."""

DAYS_TO_ADOPT: Final = 14
"""Days after a release within which somebody counts as having taken it up, for the comparison with like people."""

TOO_DIFFERENT, DIFFERENT, MATCHED = 0.25, 0.1, 0.8
"""Standard deviations apart that refuse and that weaken a comparison; share of adopters with like people it takes."""

_HERE = "headway.releases"
_KNOWN = ("y0", "x0", "y1", "x1", "y2", "x2", "active_days", "weeks_known")
_BALANCED = {
    "y1": "what they did before",
    "active_days": "how active they were",
    "weeks_known": "how long they are known",
}


@dataclass(frozen=True)
class Used:
    """Which events show that somebody used a feature, and that somebody could have."""

    used: EventSelector
    eligible: EventSelector


@contextmanager
def acts_of(connection: duckdb.DuckDBPyConnection, shared: Prelude, told: Used, number: int) -> Iterator[str]:
    """Keeps the days on which people used a feature, or could have, in a temporary table.

    Args:
        connection: The connection of the prelude.
        shared: The shared input.
        told: Which events show it.
        number: Number of the feature: the days of each are listed once, whatever is asked of them.

    Yields:
        The query of the rows: person, day, is_used, is_eligible.

    Raises:
        InputError: A condition uses a property that the events lack.
        EngineError: The database refused a statement.
    """
    name = identifier(f"headway_release_acts_{number}")
    columns = relation_columns(connection, "events")
    histories = histories_of(connection)
    available = (*columns, *(name for each in histories for name in each.names))
    tests = {
        "is_used": condition(told.used.selector(), available),
        "is_eligible": condition(told.eligible.selector(), available),
    }
    dated, source = with_properties(
        identifier("events"),
        histories,
        sorted(set(names_of(tests.values()))),
        keys={"person": "person", "account": "account"},
        utc=exp.column("occurred_at", quoted=True),
    )
    done = exp.select(
        exp.column("person", quoted=True),
        exp.alias_(local_time(instant(), shared.offsets), "local_us", quoted=True),
        *(exp.alias_(exp.paren(test), each, quoted=True) for each, test in tests.items()),
    ).from_(exp.to_table(source, dialect=DIALECT))
    everyone = f"SELECT person, code FROM {shared.people}"
    query = with_inputs(load(_HERE, "acts"), {**dated, "done": done, "everyone": everyone})
    with guarded("list who used a feature"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    try:
        yield f"FROM {name}"
    finally:
        connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def adoption_row(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    title: str,
    acts: str,
    last: date,
    kept_after: int,
) -> dict[str, object]:
    """Counts who could use a feature, tried it and kept it.

    Args:
        connection: The connection of the prelude.
        release: The release that brought it.
        title: The feature's name for people.
        acts: Query of the days, see `acts_of`.
        last: Last whole day with data.
        kept_after: Weeks after first use from which on a further use means that it was kept.

    Returns:
        A row of the table, see `ADOPTION`.
    """
    days = 7 * kept_after
    if release.rolled_back_on is not None:
        last = min(last, release.rolled_back_on - timedelta(days=1))
    params = {
        "released": _number(release.on),
        "last": _number(last),
        "kept_days": days,
        # A further use may come within as many days again.
        "ripe": _number(last) - 2 * days,
    }
    query = with_inputs(bind(load(_HERE, "adoption"), params), {"acts": acts})
    with guarded("count who uses a feature"):
        ((eligible, tried, ripe, kept),) = connection.execute(query).fetchall()
    tried_low, tried_high = (float(end) for end in wilson(tried, eligible))
    kept_low, kept_high = (float(end) for end in wilson(kept, ripe))
    row = (
        (release.name, release.feature, title, eligible, tried)
        + ((tried / eligible, tried_low, tried_high) if eligible else (None, None, None))
        + (days, ripe, kept)
        + ((kept / ripe, kept_low, kept_high) if ripe else (None, None, None))
        + (False, None if ripe else "nobody has used it for long enough to tell who keeps it")
    )
    return dict(zip(ADOPTION, row, strict=True))


def matched_evidence(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    metric: str,
    span: Span,
    shared: Prelude,
    acts: str,
    units: str,
    last: date,
    scale: float = 1.0,
) -> Evidence:
    """Compares people who took a feature up with like people who could have and did not.

    Like are people of the same channel who were about as active in the weeks before, did about as much of what the
    metric counts, and are known for about as long. The time after begins once the time to adopt is over, for both. Its
    pre-trend test is the same comparison of the time long before, by which nobody was matched.

    Args:
        connection: The connection of the prelude.
        release: The release.
        metric: The metric.
        span: The release's days.
        shared: The shared input.
        acts: Query of who used the feature when, see `acts_of`.
        units: Query of what each person adds to the metric on each day.
        last: Last day whose values are final.
        scale: What a ratio is multiplied by to be the metric's value.

    Returns:
        The evidence, refused where nothing can be said.
    """
    empty = Evidence(release.name, metric, "matched")
    since, end = release.complete_on + timedelta(days=DAYS_TO_ADOPT), min(span.last, last)
    before = (release.on - span.first).days
    if before < DAYS_TO_ADOPT or (end - since).days < 6:
        return replace(
            empty,
            refused=f"it takes {DAYS_TO_ADOPT} days before, as many to adopt, and a week after that are over",
        )
    params = {
        "far": _number(span.first),
        "near": _number(release.on - timedelta(days=before // 2)),
        "released": _number(release.on),
        "since": _number(since),
        "last": _number(end),
    }
    first_day = exp.alias_(
        exp.cast(_day_of(local_time(exp.column("first_us", quoted=True), shared.offsets)), "INTEGER"),
        "first_day",
    )
    everyone = exp.select("code", "channel", first_day).from_(shared.people)
    query = with_inputs(
        bind(load(_HERE, "matched"), params),
        {
            "acts": acts,
            "units": units,
            "tally": f'SELECT _person AS person, _day AS "day" FROM {shared.tally}',
            "everyone": everyone,
        },
    )
    with guarded("compare people who use a feature with others"):
        rows = connection.sql(query).pl()
    return evidence_of_people(empty, rows, span, scale)


def evidence_of_people(empty: Evidence, rows: pl.DataFrame, span: Span, scale: float) -> Evidence:
    """Estimates from rows of people, see matched.sql.

    Args:
        empty: Which release and metric.
        rows: One row a person.
        span: The release's days.
        scale: What a ratio is multiplied by to be the metric's value.

    Returns:
        The evidence.
    """
    sides = [rows.filter(arm=arm).filter(pl.col("x2") > 0).height for arm in (0, 1)]
    if not all(sides):
        return replace(empty, refused="nobody who could use it did, or nobody did not", people=0)
    strata = strata_of(rows)
    found = compare(strata, _KNOWN.index("y2"), _KNOWN.index("x2"))
    if np.isnan(found.effect) or not found.error > 0:
        return replace(
            empty, refused="nobody who did not use it is like those who did, or nothing varies", people=0
        )
    apart = {said: float(imbalance(strata, _KNOWN.index(name))[1]) for name, said in _BALANCED.items()}
    worst = max(apart, key=lambda said: abs(apart[said]))
    low, high = found.interval()
    past = compare(strata, _KNOWN.index("y0"), _KNOWN.index("x0"))
    evidence = replace(
        empty,
        effect=float(found.effect) * scale,
        low=float(low) * scale,
        high=float(high) * scale,
        p_value=float(found.p_value),
        people=min(sides),
        pre_trend=float(past.p_value) if past.error > 0 else None,
        weakened=(*span.weakened, *([span.refused] if span.refused else []), *_weakened(strata, apart)),
    )
    if abs(apart[worst]) > TOO_DIFFERENT:
        return replace(
            evidence,
            refused=f"even the most like people differ in {worst}, by {abs(apart[worst]):.2f} standard deviations",
        )
    if evidence.pre_trend is None:
        evidence = replace(
            evidence, weakened=(*evidence.weakened, "nothing is known of long before, so nothing tests it")
        )
    return judged(evidence)


def strata_of(rows: pl.DataFrame) -> Strata:
    """Puts people into strata: same channel, and about the same before, each number to the half of a power of two.

    Args:
        rows: One row a person, see matched.sql.

    Returns:
        The sums.
    """
    coarse = [
        ((pl.col(name).abs() + 1).log(2) * 2).floor().cast(pl.Int64) * pl.col(name).sign().cast(pl.Int64)
        for name in _BALANCED
    ]
    number = pl.struct("channel", *coarse).rank("dense").cast(pl.Int64) - 1
    stratum = rows.select(number.alias("stratum"))["stratum"].to_numpy()
    return Strata.of_units(stratum, rows["arm"].cast(pl.Int64).to_numpy(), rows.select(_KNOWN).to_numpy())


def _weakened(strata: Strata, apart: dict[str, float]) -> Iterator[str]:
    matched = float(strata.matched)
    if matched < MATCHED:
        yield f"only {matched:.0%} of those who used it have anybody like them"
    for said, size in apart.items():
        if DIFFERENT < abs(size) <= TOO_DIFFERENT:
            yield f"the people compared still differ in {said}, by {abs(size):.2f} standard deviations"


def _number(day: date) -> int:
    return (day - EPOCH).days


def _day_of(local_us: exp.Expr) -> exp.Expr:
    """The local day of a local instant; 700000 days keep the division away from negative numbers."""
    shift = exp.Literal.number(700_000 * 86_400_000_000)
    moved = exp.Paren(this=exp.Add(this=exp.Paren(this=local_us), expression=shift))
    days = exp.IntDiv(this=moved, expression=exp.Literal.number(86_400_000_000))
    return exp.Sub(this=days, expression=exp.Literal.number(700_000))
