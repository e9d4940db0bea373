"""Delivery: how fast, how often and how safely a team ships. Output, to be read beside what it did for users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from headway.periods import local_day, utc_us
from headway.releases.log import Release
from headway.statistics.intervals import wilson
from headway.statistics.quantiles import clustered_quantile, survival_quantile

SCHEMA: Final[dict[str, pl.DataType]] = {
    "measure": pl.String(),
    "title": pl.String(),
    "month": pl.Date(),
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "unit": pl.String(),
    "counted": pl.Int64(),
    "reference": pl.Float64(),
    "reason": pl.String(),
}
"""Columns and types of the table ``delivery``, in order; month is null where everything is counted together."""

CADENCE_REFERENCE: Final = 14.0
"""Days between releases that a team should not exceed: something new every two weeks."""

_HOUR, _MINUTE, _DAY = 3600.0, 60.0, 86400.0


class Counted(NamedTuple):
    """One measure over some releases and incidents.

    Attributes:
        value: Its value; None where nothing can be counted.
        low: Lower end of its 95 % interval, None where there is none.
        high: Upper end.
        counted: Releases or incidents it is made of.
        reason: Why there is no value.
    """

    value: float | None
    low: float | None
    high: float | None
    counted: int
    reason: str | None = None


class _Log(NamedTuple):
    releases: Sequence[Release]
    incidents: Sequence[dict[str, Any]]
    now: datetime


@dataclass(frozen=True)
class _Measure:
    name: str
    title: str
    unit: str
    reference: float | None
    over: Callable[[_Log], Counted]


def delivery_table(
    releases: Sequence[Release], incidents: pl.DataFrame, *, now: datetime, timezone: str
) -> pl.DataFrame:
    """Measures delivery over everything that went live, and by month.

    *Lead time*: median hours from commit to going live. *Cadence*: median days from one going live to the next, beside
    a reference of two weeks. *Batch size*: median number of changes. *Change failure rate*: share of what went live
    that was taken back or that an incident names. *Time to detect*, *time to restore*: median minutes and hours from an
    incident's start until it was noticed, until all was well; incidents that are still open count as lasting so far.

    Args:
        releases: What went live, deploys among it.
        incidents: Rows of incident, started_at, detected_at, restored_at, release; times in UTC.
        now: The instant up to which open incidents have lasted, UTC.
        timezone: IANA name of the product's time zone.

    Returns:
        One row per measure and month, and one per measure over all (month null), see `SCHEMA`.

    References:
        Forsgren, N., Humble, J. and Kim, G. (2018). Accelerate, chapter 2; DORA's software delivery metrics,
        https://dora.dev/guides/dora-metrics (lead time for changes, deployment frequency, change fail rate, failed
        deployment recovery time).

    Examples:
        >>> from headway.releases.log import Step
        >>> def live(name, day):
        ...     return Release(name, name, "release", (Step(date(2026, 3, day)),), datetime(2026, 3, day), changes=day)
        >>> nothing = pl.DataFrame(schema=INCIDENTS)
        >>> found = delivery_table([live("a", 1), live("b", 11)], nothing, now=datetime(2026, 4, 1), timezone="UTC")
        >>> found.filter(pl.col("month").is_null(), pl.col("value").is_not_null()).select("measure", "value").rows()
        [('cadence', 10.0), ('batch_size', 1.0), ('change_failure_rate', 0.0)]
    """
    past = [each for each in releases if each.released_at <= now]
    begun = [row for row in incidents.iter_rows(named=True) if row["started_at"] <= now]
    months: list[date | None] = [None, *sorted(_months(past, begun, timezone))]
    rows = []
    for month in months:
        log = _Log(
            [each for each in past if month is None or each.on.replace(day=1) == month],
            [row for row in begun if month is None or _month(row["started_at"], timezone) == month],
            now,
        )
        for measure in MEASURES:
            # A release fails or not by its own incidents, whichever month they fall into.
            whole = log._replace(incidents=begun) if measure.name == "change_failure_rate" else log
            value, low, high, counted, reason = measure.over(whole)
            told = (value, low, high, measure.unit, counted, measure.reference, reason)
            rows.append((measure.name, measure.title, month, *told))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


INCIDENTS: Final[dict[str, pl.DataType]] = {
    "incident": pl.String(),
    "started_at": pl.Datetime("us"),
    "detected_at": pl.Datetime("us"),
    "restored_at": pl.Datetime("us"),
    "release": pl.String(),
}
"""Columns and types of incidents."""


def _months(releases: Sequence[Release], incidents: Sequence[dict[str, Any]], timezone: str) -> set[date]:
    return {each.on.replace(day=1) for each in releases} | {
        _month(row["started_at"], timezone) for row in incidents
    }


def _month(at: datetime, timezone: str) -> date:
    return local_day(utc_us(at), timezone).replace(day=1)


def _median(values: Sequence[float], why: str) -> Counted:
    if not values:
        return Counted(None, None, None, 0, why)
    found = clustered_quantile(np.array(values), np.arange(len(values)), 0.5)
    return Counted(float(found.value), _known(found.low), _known(found.high), len(values))


def _known(end: float) -> float | None:
    return None if np.isnan(end) else float(end)


def _lead_time(log: _Log) -> Counted:
    spans = [each.released_at - each.committed_at for each in log.releases if each.committed_at is not None]
    return _median([span / timedelta(seconds=_HOUR) for span in spans], "nothing says when it was committed")


def _cadence(log: _Log) -> Counted:
    instants = sorted({each.released_at for each in log.releases})
    gaps = [(late - early) / timedelta(seconds=_DAY) for early, late in pairwise(instants)]
    return _median(gaps, "it takes two to tell how far they are apart")


def _batch_size(log: _Log) -> Counted:
    return _median(
        [float(each.changes) for each in log.releases if each.changes is not None],
        "nothing says how many changes it holds",
    )


def _change_failure_rate(log: _Log) -> Counted:
    if not log.releases:
        return Counted(None, None, None, 0, "nothing went live")
    blamed = {row["release"] for row in log.incidents}
    failed = sum(each.rolled_back_on is not None or each.name in blamed for each in log.releases)
    low, high = wilson(failed, len(log.releases))
    return Counted(failed / len(log.releases), float(low), float(high), len(log.releases))


def _time_to_detect(log: _Log) -> Counted:
    spans = [row["detected_at"] - row["started_at"] for row in log.incidents if row["detected_at"]]
    return _median(
        [span / timedelta(seconds=_MINUTE) for span in spans], "no incident says when it was noticed"
    )


def _time_to_restore(log: _Log) -> Counted:
    if not log.incidents:
        return Counted(None, None, None, 0, "no incident")
    until = [min(row["restored_at"] or log.now, log.now) for row in log.incidents]
    hours = [
        (end - row["started_at"]) / timedelta(seconds=_HOUR)
        for end, row in zip(until, log.incidents, strict=True)
    ]
    is_open = [row["restored_at"] is None or row["restored_at"] > log.now for row in log.incidents]
    found = survival_quantile(hours, is_open, 0.5)
    if np.isnan(found.value):
        return Counted(None, None, None, len(hours), "most incidents are still open")
    return Counted(float(found.value), _known(found.low), _known(found.high), len(hours))


MEASURES: Final[tuple[_Measure, ...]] = (
    _Measure("lead_time", "Lead time from commit to live", "hours", None, _lead_time),
    _Measure("cadence", "Time between releases", "days", CADENCE_REFERENCE, _cadence),
    _Measure("batch_size", "Changes in a release", "changes", None, _batch_size),
    _Measure("change_failure_rate", "Releases that failed", "percent", None, _change_failure_rate),
    _Measure("time_to_detect", "Time until an incident is noticed", "minutes", None, _time_to_detect),
    _Measure("time_to_restore", "Time until an incident is over", "hours", None, _time_to_restore),
)
"""The measures, in the order a report shows them."""
