"""What five times as many events over six times as many days cost the questions of the bench, asked of the store alone.

The store is made of generated arrays in memory, as the bench's lake would fill it: a quarter of the events are a step
of the funnel, half of all events are of a quarter of the people. No lake is written, so that the largest size takes a
minute. Each size runs in a process of its own; its peak memory holds all arrays, which in a workspace are mapped files.

    insights_sizes.py                              20 million over 60 days, 100 million over 365, a million people
    insights_sizes.py --size 2000000 60 100000 --size 10000000 365 200000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import insights_questions
import numpy as np
from ingest import measure  # beside this script
from insights_lake import START, STEPS

_DAY_US = 86_400_000_000
_NAMES = (*sorted({*STEPS, "Lesson Watched", "Page Viewed"}),)
#: In hundredths, as in the bench's lake.
_SHARES = {
    "Signed Up": 12,
    "Course Created": 6,
    "Course Published": 4,
    "Payment": 3,
    "Lesson Watched": 25,
    "Page Viewed": 50,
}
_ROWS_AT_ONCE = 2_000_000
_SIZES = [(20_000_000, 60, 1_000_000), (100_000_000, 365, 1_000_000)]


def make_store(events: int, days: int, people: int) -> Any:
    """Fills a store with generated events, a range of persons at a time."""
    from headway.kernels import utc_offsets
    from headway.store.part import ANY, Part, roll_up
    from headway.store.person_store import PersonStore

    draw = np.random.default_rng(20261126)
    first_us = (
        int((datetime(START.year, START.month, START.day) - datetime(1970, 1, 1)).total_seconds()) * 1_000_000
    )
    span, names = days * _DAY_US, np.array([_NAMES.index(name) for name in _SHARES], np.uint8)
    hundred = np.repeat(names, list(_SHARES.values()))
    arrays = (np.empty(events, np.uint32), np.empty(events, np.int64), np.empty(events, np.uint8))
    row, before, pieces = 0, 0, max(events // _ROWS_AT_ONCE, 1)
    for piece in range(1, pieces + 1):
        # The person of u is people * u ** 2: of a range of persons all u lie in one range.
        until = round(people * (piece / pieces) ** 2) if piece < pieces else people
        low, high = (before / people) ** 0.5, (until / people) ** 0.5
        after = round(events * high) if piece < pieces else events
        person = (people * draw.uniform(low, high, after - row) ** 2).astype(np.int64).clip(before, until - 1)
        key = np.sort((person - before) * span + draw.integers(0, span, after - row))
        arrays[0][row:after] = key // span + before
        arrays[1][row:after] = key % span + first_us
        arrays[2][row:after] = hundred[draw.integers(0, 100, after - row)]
        row, before = after, until
    part = Part(*arrays, np.zeros(0, np.uint32))
    kept = (ANY, *(_NAMES.index(name) for name in ("Page Viewed", "Signed Up")))
    offsets = utc_offsets("UTC", first_us, first_us + span)
    rolled_up = {each: tuple(roll_up(part, each, offsets)) for each in kept}
    made = Part(*arrays, part.actor, rolled_up)
    return PersonStore((made,), _NAMES, people, "UTC", frozenset(kept))


def ask(events: int, days: int, people: int, repeat: int) -> dict[str, Any]:
    """Asks the questions of the bench."""
    import polars as pl

    from headway.log import EventLog

    start = datetime(START.year, START.month, START.day)
    ends = [start, start + timedelta(days=days, microseconds=-1)]
    # All that is read of the events themselves is which names there are, and their first and last instant.
    frame = pl.DataFrame(
        [(who, name, at) for who, at in enumerate(ends) for name in _NAMES],
        schema={"person": pl.Int64, "event": pl.String, "occurred_at": pl.Datetime("us")},
        orient="row",
    )
    with EventLog(frame) as log:
        log.store = make_store(events, days, people)
        found = {}
        for name, question in insights_questions.headway_questions(days).items():
            done = insights_questions.best(repeat, lambda: question(log))  # noqa: B023 - called at once
            found[name] = {"seconds": done.seconds, "cpu": done.cpu, "cells": len(done.answer)}
        return found


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, nargs=3, action="append", metavar=("EVENTS", "DAYS", "PEOPLE"))
    parser.add_argument("--repeat", type=int, default=3, help="runs of each question; the best counts")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = options.size or _SIZES
    if options.into:
        events, days, people = sizes[0]
        options.into.write_text(json.dumps(ask(events, days, people, options.repeat)))
        return
    told = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "found.json"
            words = [sys.executable, __file__, "--size", *map(str, size), "--repeat", str(options.repeat)]
            done = measure([*words, "--into", str(into)], dict(os.environ))
            told.append((size, json.loads(into.read_text()), done))
        print(f"{size[0]:,} events: {done.cpu:.0f} CPU s in all, peak {done.peak_mb:,.0f} MB", flush=True)
    print("\n| | " + " | ".join(f"{size[0]:,} over {size[1]}: CPU s" for size, _, _ in told) + " | times |")
    print("|---|" + "---|" * (len(told) + 1))
    for name in told[0][1]:
        seconds = [found[name]["cpu"] for _, found, _ in told]
        print(
            f"| {name} | "
            + " | ".join(f"{each:.3f}" for each in seconds)
            + f" | {seconds[-1] / seconds[0]:.1f} |"
        )


if __name__ == "__main__":
    main()
