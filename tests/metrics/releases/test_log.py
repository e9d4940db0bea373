"""The release log: steps make a release, rollbacks end it, and neighbours are named."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from headway.releases import Release, Step, read_log, release_table, unknown_names
from headway.releases.delivery import INCIDENTS
from headway.releases.log import span_of

COLUMNS: dict[str, Any] = {
    "release": pl.String, "released_at": pl.Datetime("us"), "name": pl.String, "kind": pl.String,
    "committed_at": pl.Datetime("us"), "share": pl.Float64, "segment": pl.String, "changes": pl.Float64,
    "team": pl.String, "rolls_back": pl.String, "feature": pl.String, "metrics": pl.String, "source": pl.String,
}  # fmt: skip
DATA = date(2026, 1, 1), date(2026, 6, 30)


def rows(*told: dict[str, Any]) -> pl.DataFrame:
    defaults = {"kind": "release", "source": "file"}
    return pl.DataFrame([{**dict.fromkeys(COLUMNS), **defaults, **row} for row in told], schema=COLUMNS)


def released(name: str, month: int, day: int, **more: Any) -> Release:
    on = date(2026, month, day)
    return Release(name, name.upper(), "release", (Step(on),), datetime(2026, month, day), **more)


def test_rows_of_one_name_are_the_steps_of_one_release() -> None:
    (found,) = read_log(
        rows(
            {"release": "v2", "released_at": datetime(2026, 3, 9, 23, 30), "kind": "rollout", "share": 0.5},
            {"release": "v2", "released_at": datetime(2026, 3, 2), "name": "Search", "kind": "rollout", "share": 0.1,
             "metrics": "buying"},
            {"release": "v2", "released_at": datetime(2026, 3, 16), "kind": "rollout", "metrics": "buying visits"},
        ),
        "Europe/Berlin",
    )  # fmt: skip
    assert (found.title, found.kind, found.metrics) == ("Search", "rollout", ("buying", "visits"))
    assert [step.label for step in found.steps] == [
        "2026-03-02 to 10%", "2026-03-10 to 50%", "2026-03-16 to everybody"
    ]  # fmt: skip
    assert (found.on, found.complete_on) == (date(2026, 3, 2), date(2026, 3, 16))


def test_a_rollback_ends_a_release_and_is_none_itself() -> None:
    log = rows(
        {"release": "v1", "released_at": datetime(2026, 3, 2)},
        {"release": "v1-back", "released_at": datetime(2026, 3, 4), "kind": "rollback", "rolls_back": "v1"},
        {"release": "v0-back", "released_at": datetime(2026, 3, 4), "kind": "rollback", "rolls_back": "v0"},
    )
    incidents = pl.DataFrame(
        [("i1", datetime(2026, 3, 2), None, None, "v1"), ("i2", datetime(2026, 3, 2), None, None, "v7")],
        schema=INCIDENTS,
        orient="row",
    )
    (found,) = read_log(log, "UTC")
    assert found.rolled_back_on == date(2026, 3, 4)
    assert unknown_names(log, incidents) == (
        "the rollback v0-back takes back v0, which the log does not hold",
        "the incident i2 names the release v7, which the log does not hold",
    )


def test_what_cannot_be_is_said_and_nothing_is_lost() -> None:
    found = read_log(
        rows(
            {"release": "v1", "released_at": datetime(2026, 3, 2)},
            {"release": "b", "released_at": datetime(2026, 3, 1), "kind": "rollback", "rolls_back": "v1"},
            {"release": "v2", "released_at": datetime(2026, 3, 2), "kind": "rollout", "share": 0.5},
            {"release": "v2", "released_at": datetime(2026, 3, 3), "kind": "rollout", "share": 0.1},
        ),
        "UTC",
    )
    table = release_table(found)
    assert table.select("release", "rolled_back_on", "problems").rows() == [
        ("v1", None, "it is taken back before it went live"),
        ("v2", None, "its share falls from one step to the next"),
    ]


def test_days_end_where_another_release_begins_if_enough_are_left() -> None:
    others = [released("before", 3, 1), released("after", 5, 1), released("deploy", 4, 2)]
    found = span_of(
        released("it", 4, 1),
        [*others[:2], Release("deploy", "d", "deploy", (Step(date(2026, 4, 2)),), datetime(2026, 4, 2))],
        DATA,
        weeks_before=8,
        weeks_after=6,
    )
    assert (found.first, found.until, found.since, found.last) == (
        date(2026, 3, 1), date(2026, 4, 1), date(2026, 4, 1), date(2026, 4, 30)
    )  # fmt: skip
    assert (found.weakened, found.refused) == ((), "")


@pytest.mark.parametrize(
    ("other", "weakened", "refused"),
    [
        (released("x", 3, 20), "X went live on 2026-03-20, within the days it is compared with", ""),
        (released("x", 3, 26), "", "X went live on 2026-03-26, too close to tell the two apart"),
        (released("x", 4, 7), "", "X went live on 2026-04-07, too close to tell the two apart"),
        (
            released("x", 1, 5, rolled_back_on=date(2026, 3, 20)),
            "X was taken back on 2026-03-20, within the days it is compared with",
            "",
        ),
    ],
)
def test_overlapping_releases_are_named(other: Release, weakened: str, refused: str) -> None:
    found = span_of(released("it", 4, 1), [other], DATA, weeks_before=8, weeks_after=4)
    assert found.weakened == ((weakened,) if weakened else ())
    assert found.refused == refused


def test_what_follows_a_rollback_is_not_the_releases_effect() -> None:
    found = span_of(
        released("it", 4, 1, rolled_back_on=date(2026, 4, 5)), [], DATA, weeks_before=8, weeks_after=4
    )
    assert found.last == date(2026, 4, 4)
