"""Metrics a second time, in plain Python: loops over people and periods, straight from the definitions.

`naive` says of each metric what every person adds to every period, or what is observed of whom; `metric_cells` adds
that up by segment. Nothing is shared with the code under test but the declared metric and, for intervals, the formulas,
which have oracles of their own: what counts here is that they are fed the right sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metric_attempts import naive_crash_free, naive_time_on_task
from metric_parts import Expected
from metric_running import naive_cumulative
from metric_stories import (
    naive_answers,
    naive_lifecycle,
    naive_mrr,
    naive_referral,
    naive_stickiness,
    naive_task,
)
from metric_sums import (
    naive_cohort,
    naive_cohort_amount,
    naive_count,
    naive_duration,
    naive_mean,
    naive_new_people,
    naive_quantile,
    naive_ratio,
    naive_share,
)
from metric_worlds import Book

from headway.models.metrics import (
    CohortAmount,
    Conversion,
    Count,
    CrashFree,
    Cumulative,
    Duration,
    Lifecycle,
    Mean,
    Metric,
    Mrr,
    NewPeople,
    PromoterScore,
    Quantile,
    Ratio,
    Referral,
    Retained,
    Share,
    Stickiness,
    Survey,
    Task,
    TimeOnTask,
)


def naive(metric: Metric, book: Book) -> Expected:
    """Computes a metric from its definition."""
    return _KINDS[type(metric)](metric, book)


_KINDS: Mapping[type, Callable[..., Expected]] = {
    NewPeople: naive_new_people,
    Share: naive_share,
    Mean: naive_mean,
    Conversion: naive_cohort,
    Retained: naive_cohort,
    Count: naive_count,
    Ratio: naive_ratio,
    Cumulative: naive_cumulative,
    CohortAmount: naive_cohort_amount,
    Quantile: naive_quantile,
    Duration: naive_duration,
    Lifecycle: naive_lifecycle,
    Stickiness: naive_stickiness,
    Referral: naive_referral,
    Mrr: naive_mrr,
    Survey: naive_answers,
    PromoterScore: naive_answers,
    Task: naive_task,
    TimeOnTask: naive_time_on_task,
    CrashFree: naive_crash_free,
}
