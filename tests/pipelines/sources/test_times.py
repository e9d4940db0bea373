"""Times written as numbers: which instant they mean, and what becomes of those in another unit than said."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.engine import connect, literal
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.segment import segment
from headway_pipelines.sources.times import UNITS, since_1970

Run = Callable[..., Any]

PLAN = "\n  Paid: {}"
EARLY = "time in another unit (seconds read as milliseconds?)"
LATE = "time in another unit (milliseconds read as seconds?)"
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def outcomes(
    tmp_path: Path, clean: Run, unit: str, *numbers: int | str, received: str = ""
) -> dict[str, int]:
    mapping = f"event: {{value: Paid}}, user: u, time: {{column: t, format: {unit}}}{received}"
    (source,) = parse_sources(f"sources: {{s: {{format: jsonl, {mapping}}}}}")
    path = tmp_path / "file"
    lines = [{"u": "1", "n": place, "t": number} for place, number in enumerate(numbers)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found: dict[str, int] = clean(path, source, PLAN).outcomes
    return found


@pytest.mark.parametrize("said", UNITS)
@pytest.mark.parametrize("written", PER_SECOND)
def test_every_pair_of_units_is_told_apart(tmp_path: Path, clean: Run, said: str, written: str) -> None:
    # 1990-01-02, 2001-09-09 01:46:40, 2026-11-20 and 2026-11-22 11:59:59, the last second before the present.
    seconds = (631_238_400, 1_000_000_000, 1_795_132_800, 1_795_348_799)
    found = outcomes(tmp_path, clean, said, *(n * PER_SECOND[written] for n in seconds))
    if said == written:
        assert found == {"event": 4}
    else:
        factor = PER_SECOND[written] / PER_SECOND[said]
        assert found == {LATE if factor > 1 else EARLY: 4}


def test_no_time_of_a_history_is_taken_for_another_unit() -> None:
    con = connect()

    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(st.integers(631_152_000, 4_102_444_800), st.sampled_from([*UNITS]), st.sampled_from([*UNITS]))
    def holds(seconds: int, said: str, written: str) -> None:
        number = literal(str(seconds * PER_SECOND[written]))
        [(moment,)] = con.execute(f"SELECT epoch_us({since_1970(number, said)})").fetchall()
        february, year_20000 = 59 * 86_400 * 10**6, 568_971_820_800 * 10**6
        wrong = 10 * 60 * 10**6 <= moment < february or moment >= year_20000
        assert wrong == (said != written)
        assert wrong or moment == seconds * 10**6

    holds()
    con.close()


def test_clocks_without_a_battery_and_sentinels_are_something_else(tmp_path: Path, clean: Run) -> None:
    # 0, nine minutes and one second into 1970, March 1970, the last second of 1989, the year 9999
    found = outcomes(tmp_path, clean, "s", 0, 541, 5_097_600, 631_151_999, 253_402_300_799)
    assert found == {"time too long ago": 4, "time in the future": 1}
    assert outcomes(tmp_path, clean, "s", 10**20, "", "soon", "NaN", "infinity", "-inf", -(10**15)) == {
        "no valid time": 7
    }
    assert outcomes(tmp_path, clean, "iso", "infinity", "-infinity") == {"no valid time": 2}


def test_the_time_of_arrival_has_a_unit_too(tmp_path: Path, clean: Run) -> None:
    given = 1_772_442_000
    for unit, reason in (("ms", EARLY), ("s", "event")):
        received = f", received: {{column: t, format: {unit}}}"
        assert outcomes(tmp_path, clean, "s", given, received=received) == {reason: 1}


def test_a_call_that_says_who_somebody_is_has_a_unit_too(tmp_path: Path, clean: Run) -> None:
    calls = [
        {"type": kind, "userId": "u", "anonymousId": "d", "groupId": "g", "previousId": "p", "timestamp": at}
        for kind in ("identify", "group", "alias")
        for at in ("1970-01-21T12:20:42Z", "2026-03-02T09:00:00Z", None)
    ]
    path = tmp_path / "file"
    path.write_text("".join(json.dumps(call) + "\n" for call in calls), encoding="utf-8")
    result = clean(path, segment(), PLAN)
    assert result.outcomes == {EARLY: 3, "identify": 2, "group": 2, "alias": 2}
    assert result.rows("SELECT DISTINCT first_at FROM links") == [(dt.datetime(2026, 3, 2, 9),)]
    assert {reason for _, _, reason in result.rejects} == {EARLY}
