"""Plans of quantiles and durations: what is observed of whom, and when."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from headway.frameworks.kinds.plan import (
    NO_START,
    Observations,
    Planner,
    any_of,
    ends_without_start,
    events_of,
    first_flags,
    flag,
    on_events,
    tests_of,
)
from headway.frameworks.prelude import Prelude
from headway.models.durations import parse_duration
from headway.models.metrics import Duration, Quantile, TimeOnTask
from headway.models.metrics.times import SECONDS


def _quantile(metric: Quantile, shared: Prelude) -> Observations:
    value = exp.alias_(exp.column(metric.value, quoted=True), "value", quoted=True)
    query = on_events("observed_values", shared, [value], any_of(tests_of(metric, shared)), periods=False)
    return Observations(query, metric.percentile / 100, clock=None, stamped=shared.stamped)


def _duration(metric: Duration, shared: Prelude) -> Observations:
    tests = tests_of(metric, shared)
    key = exp.column(metric.key or "_person", quoted=True)
    columns = [
        exp.alias_(key, "key", quoted=True),
        flag(tests["start",], "is_start"),
        flag(tests["end",], "is_end"),
    ]
    params = {"first_only": metric.each == "first"}
    ev = events_of(shared, columns, any_of(tests))
    # Only then does a run look at some days alone, see `headway.frameworks.reach`.
    flagged = first_flags(shared, tests["start",], ev) if metric.of_people_once else ev
    query = on_events("observed_intervals", shared, [], None, params, periods=False, ev=flagged)
    return Observations(
        query,
        metric.percentile / 100,
        clock=metric.hours,
        unit_seconds=SECONDS[metric.unit],
        within=metric.horizon,
        exclusions={NO_START: ends_without_start(shared, columns, any_of(tests))},
    )


def _time_on_task(metric: TimeOnTask, shared: Prelude) -> Observations:
    tests = tests_of(metric, shared)
    key = exp.column(metric.key or "_person", quoted=True)
    columns = [
        exp.alias_(key, "key", quoted=True),
        flag(tests["start",], "is_start"),
        flag(tests["success",], "is_success"),
    ]
    params = {"timeout": parse_duration(metric.within), "unit": SECONDS[metric.unit] * 1_000_000}
    query = on_events("task_times", shared, columns, any_of(tests), params, periods=False)
    return Observations(query, metric.share, clock=None, trim=metric.trim, stamped=shared.stamped)


PLANNERS: Mapping[type, Planner] = {Quantile: _quantile, Duration: _duration, TimeOnTask: _time_on_task}
"""Planner by kind of metric."""
