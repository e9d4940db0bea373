"""Exposure and outcomes in SQL against plain loops, on generated histories full of ties and edges."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import experiment_oracle as oracle
import polars as pl
import pytest
from experiment_oracle import DAY, Asked, Happened
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw

START = datetime(2026, 3, 1, tzinfo=UTC)
US = int(START.timestamp()) * 1_000_000
HOUR = DAY // 24
EXAMPLES = 600 if os.environ.get("HEADWAY_FULL") else 8

_rows = st.lists(
    st.builds(
        Happened,
        person=st.sampled_from("abcd"),
        event=st.sampled_from(["Exposed", "Exposed", "Paid", "Viewed"]),
        us=st.integers(0, 10 * 8).map(lambda step: US + step * 3 * HOUR),
        flag=st.sampled_from(["test", "test", "test", "other", None]),
        variant=st.sampled_from(["a", "b", "c", None]),
        amount=st.sampled_from([0.0, 1.5, 10.0, None]),
        device=st.sampled_from(["web", None]),
    ),
    min_size=1,
    max_size=30,
)


def log_of(rows: list[Happened], horizon: int) -> hw.EventLog:
    frame = pl.DataFrame(
        [(r.person, r.event, r.flag, r.variant, r.amount, r.device) for r in rows],
        schema={
            "person": pl.String, "event": pl.String, "flag": pl.String, "variant": pl.String, "amount": pl.Float64,
            "device": pl.String,
        },
        orient="row",
    ).with_columns(occurred_at=pl.Series([r.us for r in rows], dtype=pl.Int64).cast(pl.Datetime("us")))  # fmt: skip
    at = datetime.fromtimestamp(horizon / 1_000_000, UTC)
    return hw.EventLog(frame, horizon=at)


@settings(max_examples=EXAMPLES)
@given(rows=_rows, late=st.integers(0, 6))
def test_sums_are_those_of_plain_loops(rows: list[Happened], late: int) -> None:
    # The names must exist in the log: else they would be a mistake.
    rows = [*rows, *(Happened("z", event, US + 30 * DAY) for event in ("Exposed", "Paid", "Viewed"))]
    horizon = US + 9 * DAY + late * DAY
    since, until = START + timedelta(days=1), START + timedelta(days=8)
    asked = Asked(["a", "b"], US + DAY, US + 8 * DAY, horizon)
    experiment = hw.Experiment(
        "test",
        ["a", "b"],
        [
            hw.Outcome("paid", "Paid", within="3d"),
            hw.Outcome("later", "Paid", after="1d", within="2d"),
            hw.Outcome("sum", "Paid", "sum:amount", within="3d"),
            hw.Outcome("days", "Viewed", "days", within="3d"),
            hw.Outcome("per view", "Paid", "sum:amount", per="Viewed", within="2d"),
            hw.Outcome("both", "Paid", also="Viewed", within="3d"),
            hw.Outcome("days to come", "Viewed", "days", after="1d", within="59d"),
            hw.Outcome("days so far", "Viewed", "days"),
        ],
        exposure="Exposed",
        eligible=hw.Event("Viewed", where="amount > 1"),
        flag="flag",
        by="device",
        before="2d",
        since=since,
        until=until,
    )
    with log_of(rows, horizon) as log:
        seen = experiment.run(log)
    questions: list[tuple[Any, Any, int, int | None]] = [
        (oracle.did("Paid"), None, 0, 3 * DAY),
        (oracle.did("Paid"), None, DAY, 3 * DAY),
        (oracle.total("Paid"), None, 0, 3 * DAY),
        (oracle.days("Viewed"), None, 0, 3 * DAY),
        (oracle.total("Paid"), oracle.count("Viewed"), 0, 2 * DAY),
        (lambda seen: oracle.did("Paid")(seen) * oracle.did("Viewed")(seen), None, 0, 3 * DAY),
        (oracle.days("Viewed"), None, DAY, 60 * DAY),
        (oracle.days("Viewed"), None, 0, None),
    ]
    eligible = {
        r.person
        for r in rows
        if asked.since <= r.us <= asked.until and r.event == "Viewed" and (r.amount or 0) > 1
    }
    assert dict(seen.exposure.iter_rows())["eligible"] == len(eligible)
    cells = {
        (row["variant"], row["is_several"], row["label"]): row
        for row in seen.sums.filter(pl.col("part") == "segment").to_dicts()
    }
    for place, (top, bottom, opens, closes) in enumerate(questions):
        expected = oracle.sums(rows, asked, top, bottom, opens, closes, 2 * DAY)
        assert set(cells) == set(expected)
        for key, sums in expected.items():
            row = cells[key]
            assert row["units"] == sums["units"]
            assert row[f"n_{place}"] == sums["n"]
            for name in ("y", "c", "yy", "yc", "cc", *(("x", "d", "yx", "xd", "cd") if bottom else ())):
                assert row[f"{name}_{place}"] == pytest.approx(sums[name]), (key, name)


@settings(max_examples=EXAMPLES)
@given(rows=_rows)
def test_the_exposure_funnel_counts_people(rows: list[Happened]) -> None:
    rows = [*rows, *(Happened("z", event, US + 30 * DAY) for event in ("Exposed", "Paid"))]
    asked = Asked(["a", "b"], US, US + 40 * DAY, US + 40 * DAY)
    experiment = hw.Experiment("test", ["a", "b"], ["Paid"], exposure="Exposed", flag="flag", holdout=["c"])
    with log_of(rows, asked.horizon) as log:
        stages = dict(experiment.run(log).exposure.iter_rows())
    flagged = [row for row in rows if row.event == "Exposed" and row.flag == "test"]
    units = oracle.units_of(rows, asked)
    assert stages["seen by the flag"] == len({row.person for row in flagged})
    assert stages["held out"] == len({row.person for row in flagged if row.variant == "c"})
    assert stages["without a variant"] == len({row.person for row in flagged if row.variant is None})
    assert stages["exposed"] == len(units)
    assert stages["several variants"] == sum(unit.several for unit in units.values())
    assert stages["compared"] == sum(not unit.several for unit in units.values())


@settings(max_examples=EXAMPLES)
@given(rows=_rows)
def test_steps_in_order_are_those_of_plain_loops(rows: list[Happened]) -> None:
    rows = [*rows, *(Happened("z", event, US + 30 * DAY) for event in ("Exposed", "Paid", "Viewed"))]
    asked = Asked(["a", "b"], US, US + 40 * DAY, US + 40 * DAY)
    steps = [["Viewed"], ["Paid"], ["Viewed", "Paid"]]
    outcomes = [
        hw.Outcome("in order", steps[2], via=steps[:2], within="4d"),
        hw.Outcome("twice", "Paid", via=["Paid"], within="4d"),
    ]
    experiment = hw.Experiment("test", ["a", "b"], outcomes, exposure="Exposed", flag="flag", before="3d")
    with log_of(rows, asked.horizon) as log:
        cells = experiment.run(log).sums.filter(pl.col("part") == "all").to_dicts()
    for place, chain in enumerate((steps, [["Paid"], ["Paid"]])):
        expected = oracle.sums(rows, asked, oracle.in_order(chain), None, 0, 4 * DAY, 3 * DAY)
        for row in cells:
            own = [
                s
                for (v, several, _), s in expected.items()
                if (v, several) == (row["variant"], row["is_several"])
            ]
            for name in ("y", "c", "yc"):
                assert row[f"{name}_{place}"] == sum(each[name] for each in own), name
