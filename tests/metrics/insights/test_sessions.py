"""Sessions against a naive second implementation, hand counts and a published answer."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import Sessions
from headway.log import EventLog
from headway.selectors import Event

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
UTC = ZoneInfo("UTC")
# Clocks in Berlin go back on 25 October 2026 at 01:00 UTC.
EXAMPLES = 1000 if os.environ.get("HEADWAY_FULL") else 12
START = datetime(2026, 10, 24, 18)


class Row(NamedTuple):
    person: str
    event: str
    seconds: int
    tracker: str | None = None

    @property
    def at(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    columns = {
        "person": [row.person for row in rows],
        "event": [row.event for row in rows],
        "occurred_at": [row.at for row in rows],
        "visit": [row.tracker for row in rows],
    }
    frame = pl.DataFrame(
        columns,
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "visit": pl.String,
        },
    )
    return EventLog(frame, **options)


class Found(NamedTuple):
    person: str
    started: datetime
    ended: datetime
    events: int
    views: int
    reason: str | None = None


def naive(rows: Sequence[Row], asked: Sessions, zone: str) -> list[Found]:
    """Goes through each person's events one after the other."""
    idle = seconds_of(asked.idle)
    active = [row for row in sorted(rows, key=lambda row: row.seconds) if row.event != "Server Call"]
    runs: dict[tuple[str, object], list[Row]] = {}
    number: defaultdict[str, int] = defaultdict(int)
    last: dict[str, Row] = {}
    for row in active:
        day = row.at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() if asked.cut_at_midnight else None
        if asked.tracker:
            if row.tracker is not None:
                runs.setdefault((row.person, (row.tracker, day)), []).append(row)
            continue
        before = last.get(row.person)
        new = before is None or row.seconds - before.seconds > idle
        if before is not None and row.seconds > before.seconds:
            now = {each.event for each in active if (each.person, each.seconds) == (row.person, row.seconds)}
            then = {
                each.event for each in active if (each.person, each.seconds) == (row.person, before.seconds)
            }
            new = new or (asked.starts is not None and "Log In" in now)
            new = new or (asked.ends is not None and "Log Out" in then)
        if before is not None and asked.cut_at_midnight:
            new = new or before.at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() != day
        number[row.person] += new
        last[row.person] = row
        runs.setdefault((row.person, number[row.person]), []).append(row)
    return sorted((judged(run, asked) for run in runs.values()), key=repr)


def judged(run: list[Row], asked: Sessions) -> Found:
    reason = None
    if asked.max_length:
        longest = seconds_of(asked.max_length)
        if asked.too_long == "cut":
            run = [row for row in run if row.seconds - run[0].seconds <= longest]
        elif run[-1].seconds - run[0].seconds > longest:
            reason = "too long"
    minutes = max(1.0, (run[-1].seconds - run[0].seconds) / 60)
    if reason is None and asked.max_rate and len(run) / minutes > asked.max_rate:
        reason = "too many events"
    views = sum(row.event == "Page Viewed" for row in run)
    return Found(run[0].person, run[0].at, run[-1].at, len(run), views, reason)


def seconds_of(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


EVENTS = ["Page Viewed", "Payment", "Server Call", "Log In", "Log Out"]


def history(seed: int) -> list[Row]:
    """Up to 40 events of two people within eighteen hours, and one of each name, so that every question may name it."""
    dice = Random(seed)
    rows = [
        Row(
            dice.choice(["ann", "bob"]),
            dice.choice(EVENTS),
            dice.choice([dice.randrange(400) * 150, dice.randrange(40) * 150, dice.randrange(90)]),
            dice.choice(["1", "2", None]),
        )
        for _ in range(dice.choice([2, 15, 40]))
    ]
    return rows + [Row("cat", name, 0) for name in EVENTS]


histories = st.integers(1, 10**9).map(history)
any_session = st.builds(
    Sessions,
    idle=st.sampled_from(["5m", "30m", "3h"]),
    tracker=st.sampled_from([None, "visit"]),
    max_length=st.sampled_from([None, "1h", "8h"]),
    too_long=st.sampled_from(["set_apart", "cut"]),
    max_rate=st.sampled_from([None, 1, 3]),
    cut_at_midnight=st.booleans(),
    exclude=st.just("Server Call"),
    views=st.just("Page Viewed"),
)
questions = st.builds(
    lambda asked, starts, ends: asked if asked.tracker else replace(asked, starts=starts, ends=ends),
    any_session,
    st.sampled_from([None, "Log In"]),
    st.sampled_from([None, "Log Out"]),
)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(rows=histories, asked=questions, zone=st.sampled_from(["UTC", "Europe/Berlin"]))
def test_equals_the_naive_implementation(rows: list[Row], asked: Sessions, zone: str) -> None:
    with make_log(rows, timezone=zone) as log:
        result = asked.run(log)
        columns = ["person", "started_at", "ended_at", "events", "views"]
        found = [Found(*row) for row in result.frame.select(columns).rows()]
        found += [Found(*row) for row in result.set_apart.select([*columns, "reason"]).rows()]
        expected = naive(rows, asked, zone)
        assert sorted(found, key=repr) == expected
        # numbered in time, both kinds together
        numbers = pl.concat(
            [f.select("person", "session", "started_at") for f in (result.frame, result.set_apart)]
        )
        for person in numbers.partition_by("person"):
            ordered = person.sort("session")
            assert ordered["session"].to_list() == list(range(1, len(ordered) + 1))
            assert ordered["started_at"].is_sorted()
        summary = result.summary().row(0, named=True)
        kept = [each for each in expected if each.reason is None]
        assert summary["sessions"] == len(kept)
        assert summary["people"] == len({each.person for each in kept})
        assert summary["bounces"] == sum(each.events == 1 for each in kept)
        assert result.trend("day")["sessions"].sum() == len(kept)


def test_by_hand() -> None:
    rows = [
        Row("ann", "Page Viewed", 0),
        Row("ann", "Page Viewed", 30 * 60),
        Row("ann", "Page Viewed", 60 * 60 + 1),
        Row("bob", "Payment", 10),
    ]
    with make_log(rows, horizon=datetime(2026, 10, 24, 19, 30)) as log:
        result = Sessions(idle="30m").run(log)
        assert result.frame.columns == [
            "person",
            "session",
            "started_at",
            "ended_at",
            "events",
            "seconds",
            "complete",
        ]
        later = START + timedelta(seconds=3601)
        assert result.frame.rows() == [
            ("ann", 1, START, START + timedelta(minutes=30), 2, 1800.0, True),
            ("ann", 2, later, later, 1, 0.0, False),
            ("bob", 1, START + timedelta(seconds=10), START + timedelta(seconds=10), 1, 0.0, True),
        ]
        assert log.sql(result.sql).equals(result.frame)
        summary = result.summary().row(0, named=True)
        assert (summary["sessions"], summary["people"], summary["bounces"]) == (3, 2, 2)
        assert (summary["events_mean"], summary["seconds_mean"], summary["seconds_median"]) == (
            4 / 3,
            600.0,
            0.0,
        )
        assert summary["low"] < summary["bounce_rate"] == 2 / 3 < summary["high"]
        assert "30 minutes without activity" in result.describe() and "not over yet" in result.describe()
        assert list(result.figure().data[-1].y) == [3]


def test_a_session_is_whole_and_belongs_to_the_day_of_its_start() -> None:
    # 23:50 to 00:10 and 00:50 by Berlin's clock
    rows = [Row("ann", "Page Viewed", minutes * 60) for minutes in (230, 250, 290)]
    with make_log(rows, timezone="Europe/Berlin") as log:
        days = [Sessions(since=day, until=day).run(log) for day in (date(2026, 10, 24), date(2026, 10, 25))]
        assert [day.frame["events"].to_list() for day in days] == [[2], [1]]
        assert [day.frame["session"].to_list() for day in days] == [[1], [2]]
        whole = Sessions().run(log).trend("day")
        assert whole.select("period_start", "sessions").rows() == [
            (date(2026, 10, 24), 1),
            (date(2026, 10, 25), 1),
        ]
        cut = Sessions(cut_at_midnight=True, idle="40m").run(log)
        assert cut.frame["events"].to_list() == [1, 2]


def test_a_period_without_sessions_is_a_row() -> None:
    rows = [Row("ann", "Page Viewed", 0), Row("ann", "Page Viewed", 3 * 86400)]
    with make_log(rows) as log:
        trend = Sessions().run(log).trend("day")
        assert trend["sessions"].to_list() == [1, 0, 0, 1]
        assert trend["bounce_rate"].to_list() == [1.0, None, None, 1.0]
        assert trend["complete"].to_list() == [True, True, True, False]


def test_events_that_begin_and_end_a_session() -> None:
    names = ["Page Viewed", "Log In", "Page Viewed", "Log Out", "Page Viewed"]
    rows = [Row("ann", name, 60 * n) for n, name in enumerate(names)]
    # at one instant, which is not torn apart, whatever comes first in the log
    rows += [Row("bob", name, 0) for name in ("Page Viewed", "Log In", "Log Out")] + [
        Row("bob", "Payment", 1)
    ]
    with make_log(rows) as log:
        asked: list[tuple[dict[str, Any], list[int]]] = [
            ({"starts": "Log In"}, [1, 4, 4]),
            ({"ends": "Log Out"}, [4, 1, 3, 1]),
            ({"starts": "Log In", "ends": "Log Out"}, [1, 3, 1, 3, 1]),
        ]
        for options, sizes in asked:
            result = Sessions(**options).run(log)
            assert result.frame["events"].to_list() == sizes
        assert "Log In starts one, Log Out ends one" in result.describe()


def test_how_long_and_how_deep_sessions_are() -> None:
    rows = [
        Row(f"p{n}", "Page Viewed", second)
        for n, length in enumerate([0, 0, 9, 10, 90])
        for second in {0, length}
    ]
    with make_log(rows) as log:
        result = Sessions(views="Page Viewed").run(log)
        lengths = result.distribution()
        assert (
            lengths["low"].to_list()[:4] == [0.0, 1e-6, 10.0, 30.0] and lengths["high"].to_list()[-1] is None
        )
        assert lengths["sessions"].to_list() == [2, 1, 1, 0, 1, 0, 0, 0, 0, 0]
        assert lengths["share"].to_list()[:2] == [0.4, 0.2]
        assert result.distribution("events", [1, 2, 5])["sessions"].to_list() == [2, 3, 0]
        assert result.distribution("views", [2])["sessions"].to_list() == [5]
        assert result.distribution_figure("events").to_html(include_plotlyjs=False)
        for options, message in (
            (("second",), "unknown of 'second'. Did you mean 'seconds'?"),
            (("seconds", [2, 1]), "numbers that rise"),
            (("seconds", []), "numbers that rise"),
        ):
            with pytest.raises(InputError) as caught:
                result.distribution(*options)
            assert message in str(caught.value)
        with pytest.raises(InputError, match="unknown of 'views'"):
            Sessions().run(log).distribution("views")


def test_what_is_no_visit_is_set_apart_with_its_reason() -> None:
    robot = [Row("robot", "Page Viewed", second % 60) for second in range(700)]
    tab = [Row("tab", "Page Viewed", minutes * 1200) for minutes in range(80)]
    with make_log([*robot, *tab, Row("ann", "Page Viewed", 5)]) as log:
        result = Sessions().run(log)
        assert result.frame["person"].to_list() == ["ann"]
        assert result.set_apart.select("person", "events", "reason").rows() == [
            ("robot", 700, "too many events"),
            ("tab", 80, "too long"),
        ]
        everything = Sessions(max_length=None, max_rate=None).run(log)
        assert everything.frame["events"].to_list() == [1, 700, 80]
        assert everything.set_apart.height == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"idle": "half an hour"}, "is not a duration"),
        ({"max_length": "1w"}, "is not a duration"),
        ({"too_long": "drop"}, "unknown too_long 'drop'.*'cut', 'set_apart'"),
        ({"max_rate": 0}, "at least 1"),
        ({"tracker": "visit", "ends": "Page Viewed"}, "starts and ends go with idle"),
        ({"starts": "Pag Viewed"}, "unknown event 'Pag Viewed'"),
        ({"tracker": "vist"}, "unknown property 'vist'. Did you mean 'visit'"),
        ({"exclude": ["Pag Viewed"]}, "unknown event 'Pag Viewed'. Did you mean 'Page Viewed'"),
        ({"views": "Page View"}, "unknown event 'Page View'. Did you mean 'Page Viewed'"),
    ],
)
def test_wrong_options_are_explained(options: dict[str, Any], message: str) -> None:
    with make_log([Row("ann", "Page Viewed", 0)]) as log, pytest.raises(InputError, match=message):
        Sessions(**options).run(log)


def test_an_empty_log_has_no_sessions() -> None:
    with make_log([]) as log:
        result = Sessions().run(log)
        assert result.frame.height == 0
        assert result.summary()["sessions"].to_list() == [0]
        assert result.trend("week").height == 0


# -- a published answer ---------------------------------------------------------------------------------------------

# Snowplow's events as its web package takes them. Each event once, the copy collected first; none of the app
# `consent_accel`, none that was sent more than three days after it was made, none without a session. Who they are: the
# user a device was last seen with, else the device, else nobody but the session. A page view is one per id, and none
# without an id. A page ping whose page was never viewed stands for a view that began five seconds earlier, the least
# that a ping tells.
PREPARED = """
WITH once AS (
    SELECT
        *, derived_tstamp::TIMESTAMP AS happened_at,
        (contexts_com_snowplowanalytics_snowplow_web_page_1_0_0::JSON) ->> '$[0].id' AS page_view_id
    FROM read_csv($file, all_varchar = true)
    WHERE domain_sessionid IS NOT NULL AND coalesce(app_id, '') <> 'consent_accel'
        AND dvce_sent_tstamp::TIMESTAMP <= dvce_created_tstamp::TIMESTAMP + INTERVAL 3 DAY
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY collector_tstamp::TIMESTAMP) = 1
),
known AS (
    SELECT
        event_name, happened_at, domain_sessionid, page_view_id,
        coalesce(
            max_by(user_id, happened_at) FILTER (user_id IS NOT NULL AND domain_userid IS NOT NULL)
                OVER (PARTITION BY domain_userid),
            domain_userid,
            domain_sessionid
        ) AS visitor,
        event_name = 'page_view' AND page_view_id IS NOT NULL
            AND row_number() OVER (PARTITION BY page_view_id, event_name ORDER BY happened_at) = 1 AS viewed
    FROM once
),
stray AS (
    SELECT
        'implied view', min(happened_at) - INTERVAL 5 SECOND, domain_sessionid, page_view_id, visitor, true
    FROM known
    ANTI JOIN (FROM known WHERE viewed) AS views USING (page_view_id, domain_sessionid)
    WHERE event_name = 'page_ping'
    GROUP BY ALL
)
FROM known UNION ALL FROM stray
"""
PUBLISHED = """
SELECT
    domain_sessionid, start_tstamp::TIMESTAMP, end_tstamp::TIMESTAMP, page_views::BIGINT, total_events::BIGINT,
    absolute_time_in_s::BIGINT, engaged_time_in_s::BIGINT
FROM read_csv($file, all_varchar = true)
ORDER BY domain_sessionid
"""


def engaged(log: EventLog) -> dict[str, int]:
    """Engaged time by the query in docs/sessions.md."""
    page = (Path(__file__).parents[3] / "docs" / "sessions.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"```text\n(SELECT session_id, sum.*?)```", page, re.DOTALL)
    ours = {"session_id": "domain_sessionid", "occurred_at": "happened_at", "'Page Pinged'": "'page_ping'"}
    for name, theirs in {**ours, "event =": "event_name ="}.items():
        assert name in query
        query = query.replace(name, theirs)
    return {session: int(seconds) for session, seconds in log.sql(query).rows()}


def test_snowplow_sessions() -> None:
    """All 18 published sessions: start, end, page views, events, whole seconds, and by a query of its own engaged time.
    Not compared: what the package copies from the first and last event.
    """
    folder = DATA / "snowplow_web"
    if not folder.is_dir():
        pytest.skip("the real data sets are not here: ../shared/data")
    con = duckdb.connect()
    events = con.sql(PREPARED, params={"file": str(folder / "source" / "snowplow_web_events.csv")})
    published = folder / "expected" / "snowplow_web_sessions_expected.csv"
    expected = con.execute(PUBLISHED, {"file": str(published)}).fetchall()
    assert len(expected) == 18
    asked = Sessions(
        tracker="domain_sessionid",
        max_length="3d",
        too_long="cut",
        views=Event(["page_view", "implied view"], "viewed = true"),
    )
    with EventLog(events, person="visitor", event="event_name", time="happened_at") as log:
        frame = asked.run(log).frame
        pinged = engaged(log)
        implied = dict(
            log.sql(
                "SELECT domain_sessionid, count(*) FROM events WHERE event_name = 'implied view' GROUP BY 1"
            ).rows()
        )
    # without a page view there is no session for the package: a cookie event and a view without an id
    alone = frame.filter(pl.col("views") == 0)
    assert alone["events"].to_list() == [2]
    found = [
        (
            each["tracker_id"],
            each["started_at"],
            each["ended_at"],
            each["views"],
            each["events"] - implied.get(each["tracker_id"], 0),
            whole_seconds(each["started_at"], each["ended_at"]),
            pinged.get(each["tracker_id"], 0),
        )
        for each in frame.filter(pl.col("views") > 0).sort("tracker_id").iter_rows(named=True)
    ]
    assert found == expected


def whole_seconds(start: datetime, end: datetime) -> int:
    """The published seconds are counted between the clock's whole seconds."""
    return int((end.replace(microsecond=0) - start.replace(microsecond=0)).total_seconds())


def test_a_session_is_open_while_an_event_at_the_end_of_the_pause_could_go_on_with_it() -> None:
    at = datetime(2026, 3, 1, 9)
    frame = pl.DataFrame({"person": ["ann"], "event": ["Visit"], "occurred_at": [at]})
    for known, over in ((timedelta(minutes=30), False), (timedelta(minutes=30, microseconds=1), True)):
        with EventLog(frame, horizon=at + known) as log:
            assert Sessions(idle="30m").run(log).frame["complete"].to_list() == [over]
