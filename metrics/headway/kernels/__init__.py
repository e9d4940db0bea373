"""Answers worked out on arrays, for questions where SQL is too slow.

A kernel is a pure function of NumPy arrays. It knows no log and no question; `headway.store` asks it. What it
answers is defined by the SQL of the insight, and tests hold both equal.
"""

from headway.kernels.bitmaps import (
    Activity,
    active_days,
    column_counts,
    combine,
    delayed,
    first_days,
    grouped,
    trailing,
    until_last,
    within,
)
from headway.kernels.days import Offsets, local_days, utc_offsets
from headway.kernels.funnel import (
    Attempts,
    Instants,
    StepEvents,
    attempts_among,
    reported_attempts,
    shared_instants,
    step_events,
    together,
)

__all__ = [
    "Activity",
    "Attempts",
    "Instants",
    "Offsets",
    "StepEvents",
    "active_days",
    "attempts_among",
    "column_counts",
    "combine",
    "delayed",
    "first_days",
    "grouped",
    "local_days",
    "reported_attempts",
    "shared_instants",
    "step_events",
    "together",
    "trailing",
    "until_last",
    "utc_offsets",
    "within",
]
