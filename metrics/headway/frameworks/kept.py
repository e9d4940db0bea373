"""What is kept between runs, and what is new since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

FIRSTS = "headway_metric_firsts"
"""Temporary table, left for the caller to keep: person, code, seen_us, first0, first1 ..."""

TOUCHES = "headway_metric_touches"
"""Likewise, where a segment goes by touches: person (its code), who (the person), since_us, label."""

NEEDED = "headway_metric_needed"
"""Likewise: events of which all must be at hand, each with who did it and the part of the log it lies in: who, part,
and all that metrics read of it."""


@dataclass(frozen=True)
class Kept:
    """What was computed, as far as it may be used again.

    Attributes:
        cells: The cells of every metric: metric, and all that a metric value has before it is placed.
        horizon: Everything received before this instant was in the log, microseconds since 1970 UTC.
        first_day: The first local day of the log.
        last_day: The last one.
        last_us: Instant of the last event.
        labels: Labels of each dimension.
        unbounded: Metrics whose cells may depend on more days than their reach says.
        parts: Parts of the log that the table `NEEDED` holds: of all others it is as it was kept. None: it holds all
            there are.
    """

    cells: pl.DataFrame
    horizon: int
    first_day: date
    last_day: date
    last_us: int
    labels: Mapping[str, tuple[str, ...]]
    unbounded: frozenset[str]
    parts: frozenset[int] | None = None


@dataclass(frozen=True)
class News:
    """What is new since something was kept.

    Attributes:
        days: Local days, in days since 1970-01-01, on which events came, went or changed.
        people: Quoted name of the relation of the people concerned: person, since_us, one row each: whose events,
            whose properties or whose first touch are not as they were, and the instant before which nothing but their
            first touch is new. Of whom the first touch is another, that is their first event.
        firsts: Quoted name of the relation of the table `FIRSTS` as it was kept.
        touches: The same of the table `TOUCHES`; empty where no segment goes by touches.
        needed: The same of the table `NEEDED`, of all parts; empty where these events are read from the log.
    """

    days: frozenset[int]
    people: str
    firsts: str
    touches: str = ""
    needed: str = ""
