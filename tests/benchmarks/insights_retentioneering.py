"""The same questions of retentioneering's own log, asked of retentioneering and of Headway.

Runs as a script under an interpreter that has retentioneering, and prints a line of JSON. Its tracking is switched off:
it would send what is asked to a server.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("catalog", "product_view", "add_to_cart", "purchase")
Answer = dict[str, tuple[float, float, list[int]]]


def fastest(repeat: int, ask: Callable[[], list[int]]) -> tuple[float, float, list[int]]:
    """Asks several times, once to warm up; the shortest wall and CPU times."""
    walls, cpus = [], []
    for _ in range(repeat + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = ask()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls[1:]), min(cpus[1:]), answer


def theirs(log: Path, repeat: int) -> Answer:
    """Asks retentioneering."""
    os.environ["RETENTIONEERING_NO_TRACK"] = "1"
    # Without the client's module nothing can be sent, whatever the setting is called.
    sys.modules["posthog"] = None  # type: ignore[assignment]
    import pandas as pd
    from retentioneering.eventstream import Eventstream  # type: ignore[import-not-found]

    schema = {"path_cols": ["user_id", "session_id"], "event_col": "event", "timestamp_col": "timestamp"}
    stream = Eventstream(pd.read_csv(log), schema=schema)

    def funnel() -> list[int]:
        return [step["unique_paths"] for step in stream.funnel_data(list(STEPS))["steps"]]

    def conversion() -> list[int]:
        found = stream.get_conversion_rate("add_to_cart", "purchase", within="7d")
        return [int(found["paths_with_start"].iloc[0]), int(found["converted"].iloc[0])]

    def counts() -> list[int]:
        return sorted(stream.get_event_counts().values())

    return {
        "funnel of 4 steps": fastest(repeat, funnel),
        "conversion within 7 days of the first": fastest(repeat, conversion),
        "events by name": fastest(repeat, counts),
    }


def headway(log: Path, repeat: int) -> Answer:
    """Asks Headway, with a store of the log in memory."""
    import polars as pl

    import headway as hw
    from headway.store.memory import store_of

    frame = pl.read_csv(log, try_parse_dates=True).with_columns(pl.col("timestamp").cast(pl.Datetime("us")))
    with hw.EventLog(frame, person="user_id", time="timestamp") as asked:
        asked.store = store_of(asked)

        def people(question: Any) -> list[int]:
            answer: list[int] = question.run(asked).frame["people"].to_list()
            return answer

        def counts() -> list[int]:
            return sorted(asked.events()["events"].to_list())

        return {
            "funnel of 4 steps": fastest(repeat, lambda: people(hw.Funnel(STEPS, within="400d"))),
            "conversion within 7 days of the first": fastest(
                repeat,
                lambda: people(hw.Funnel(["add_to_cart", "purchase"], within="7d", entry="first", tie=None)),
            ),
            "events by name": fastest(repeat, counts),
        }


if __name__ == "__main__":
    print(json.dumps(theirs(Path(sys.argv[1]), int(sys.argv[2]))))
