"""What was planted is what comes out: the whole pipeline against the simulator's own account of what happened.

The world here has no shared devices, the one thing no rule gets right, so every number must be equal, exactly. The
usual world, in which they occur, must differ by the people who share a device and by nobody else.

Planted probabilities are compared with what was counted by intervals. The rule for many comparisons: each probability
lies within its interval at level 1 - 0.05/m (Bonferroni, m of them), and at most as many lie outside of their plain
95 % intervals as chance explains in 999 of 1,000 worlds. Both are about one fixed seed, so they hold or fail for good.
"""

from __future__ import annotations

import duckdb
import polars as pl
import pytest
from planted import CHANNELS, SCENARIO, Computed
from scipy import stats
from test_truth_outcomes import OUTCOMES

from headway import EventLog, Funnel, Trend
from headway import open as open_workspace
from headway.statistics.intervals import wilson
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

METRICS = (
    "activation",
    "editor_adoption",
    "first_enrolment",
    "invited_sign_ups",
    "inviters",
    "learner_week1",
    "learning_days",
    "lessons_per_learner",
    "new_people",
    "payers",
    "publishing",
    "quick_support",
    "recommendation",
    "refunds",
    "revenue_per_active",
    "saved",
    "sign_up_rate",
    "teacher_week1",
    "tickets",
)


# -- equal, exactly -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "role"),
    [("Course Published", "teacher"), ("Feature Exposed", "teacher"), ("Lesson Watched", "learner")],
)
def test_role_of_the_person_as_of_the_event(exact: Computed, event: str, role: str) -> None:
    """Only identify calls say the role; each of these events is done by people of one role only."""
    with open_workspace(exact.root) as log:
        by = Trend(event, period="month", by="person.role").run(log).frame
    counted = by.group_by("person.role").agg(pl.col("value").sum()).rows()
    assert counted == [(role, exact.truth["log"]["events"][event])]


def test_what_was_said_of_people_is_in_the_team_s_database_and_not_in_the_published_one(
    exact: Computed,
) -> None:
    roles = dict(exact.ask("SELECT role, count(*) FROM person_latest GROUP BY role ORDER BY role"))
    assert set(roles) == {"learner", "teacher"}
    assert sum(roles.values()) == exact.truth["people"]["sign_ups"]
    assert exact.ask("SELECT DISTINCT country FROM person_properties") == [("DE",)]
    assert exact.ask("SELECT DISTINCT industry FROM account_latest") == [("education",)]
    published = tables_of(Workspace(exact.root).published_db)
    assert not {"person_properties", "person_latest", "account_properties", "account_latest"} & set(published)
    assert not any({"person", "account", "role"} & set(frame.columns) for frame in published.values())


def test_lines_by_outcome(exact: Computed) -> None:
    log, found = (
        exact.truth["log"],
        dict(exact.tables["line_outcomes"].select("outcome", "lines").iter_rows()),
    )
    kinds = log["malformed_by_kind"]
    malformed = {
        "malformed JSON": kinds["truncated"] + kinds["not_json"],
        "not UTF-8": kinds["not_utf8"],
        "not a JSON object": kinds["not_an_object"],
        "no usable id": kinds["no_id"],
        "no valid time": kinds["bad_timestamp"],
    }
    assert {name: found.pop(name) for name in malformed} == malformed
    # a retry is a line of its own: of these four kinds together there are as many more as there are retries
    messages = {name: log[name] for name in ("identify", "group")} | {
        "undeclared event": log["undeclared_events"]
    }
    events = log["messages"] - sum(messages.values())
    assert set(found) == {*messages, "event", "copy of an event"}
    assert sum(found.values()) == log["messages"] + log["retries"]
    assert all(found[name] >= count for name, count in messages.items())
    # no retry is counted as an event: a copy of one loses, whenever it comes
    assert found["event"] == events
    run = exact.tables["run_info"].row(0, named=True)
    assert (run["lines"], run["files"], run["files_blocked"], run["files_damaged"]) == (
        log["lines"],
        log["files"],
        0,
        0,
    )


def test_events_once_each(exact: Computed) -> None:
    log = exact.truth["log"]
    found = dict(exact.ask("SELECT event, count(*) FROM events GROUP BY event"))
    undeclared = {"Logged In", "Playback Stalled"}
    planted = {name: count for name, count in log["events"].items() if name not in undeclared}
    # the crawlers' page views are in the lake, marked, and nobody's
    assert sum(found.values()) + log["bot_lines"] == exact.tables["run_info"]["events"][0]
    planted_total = log["messages"] - log["identify"] - log["group"] - log["undeclared_events"]
    assert planted_total == exact.tables["run_info"]["events"][0]
    different = {
        name: (found.get(name), count) for name, count in planted.items() if found.get(name, 0) != count
    }
    assert different == {}
    assert exact.ask("SELECT count(*) - count(DISTINCT event_id) FROM all_events") == [(0,)]


def test_crawlers_are_marked_and_nobody_else(exact: Computed) -> None:
    bots, lines = exact.truth["people"]["bots"], exact.truth["log"]["bot_lines"]
    assert bots > 0, "the world has no crawler: nothing is tested"
    marked = exact.ask("SELECT traffic, event, count(*), count(DISTINCT person) FROM all_events GROUP BY ALL")
    assert [row for row in marked if row[0] != "people"] == [("bot", "Page Viewed", lines, bots)]
    events = exact.tables["left_out"].filter(kind="event")
    assert events.rows() == [("event", "bot", lines, bots)]


def test_people(exact: Computed) -> None:
    assert exact.tables["run_info"]["people"][0] == exact.truth["people"]["people"]
    sign_ups = exact.ask("SELECT count(DISTINCT person) FROM events WHERE event = 'Signed Up'")
    assert sign_ups == [(exact.truth["people"]["sign_ups"],)]
    # everybody who signed up is one person with all their devices
    assert exact.ask(
        "SELECT count(*) FROM (SELECT person FROM events WHERE event = 'Signed Up' GROUP BY 1 HAVING count(*) > 1)"
    ) == [(0,)]


@pytest.mark.parametrize("segment", ["all", *(f"channel={channel}" for channel in CHANNELS)])
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_every_week_every_channel(exact: Computed, metric: str, segment: str) -> None:
    found, planted = exact.weekly(metric, segment), exact.planted(metric, segment)
    assert [n for _, n in found] == [n for _, n in planted]
    assert [x for x, _ in found] == pytest.approx([x for x, _ in planted], abs=1e-6)


def test_no_metric_is_left_out(exact: Computed) -> None:
    declared = set(exact.tables["metric_values"]["metric"])
    # the metrics of metrics/*.yml are compared in test_truth_outcomes.py
    assert set(exact.truth["metrics"]) == set(METRICS) == declared - set(OUTCOMES)


def test_weeks_are_complete_when_their_windows_have_elapsed(exact: Computed) -> None:
    values = exact.tables["metric_values"].filter(segment="all", period="week")
    for metric, table in exact.truth["metrics"].items():
        rows = values.filter(metric=metric).unique("period_start", keep="first").sort("period_start")
        assert rows["complete"].to_list() == table["complete"], metric


def test_funnels(exact: Computed) -> None:
    steps = exact.tables["funnel_steps"]
    planted = {name: list(funnel["people"]) for name, funnel in exact.truth["funnels"].items()}
    assert {name: steps.filter(funnel=name).sort("step")["people"].to_list() for name in planted} == planted


def test_retention(exact: Computed) -> None:
    planted = exact.truth["retention"]["learning"]
    cells = exact.tables["retention_cells"].sort("cohort_start", "period")
    for number, start in enumerate(exact.truth["range"]["week_starts"]):
        row = cells.filter(pl.col("cohort_start").cast(pl.String) == start)
        cohort = planted["cohort_people"][number]
        assert row["people"].to_list() == [cohort, *planted["returned"][number]], start
        assert set(row["cohort_people"]) == {cohort}


def test_days(exact: Computed) -> None:
    daily = exact.truth["daily"]
    active = exact.tables["active_people"].filter(window_days=1).sort("period_start")
    assert str(active["period_start"][0]) == daily["first_day"]
    assert active["value"].to_list() == daily["active_people"]
    new = exact.tables["metric_values"].filter(metric="new_people", segment="all", period="day")
    assert new.sort("period_start")["people"].to_list() == daily["new_people"]


def test_clocks_are_corrected(exact: Computed) -> None:
    """No event lies where a wrong clock put it: the log says so for as many lines as were planted, retries aside."""
    [(wrong, outside)] = exact.ask(
        "SELECT count(*) FILTER (abs(epoch_us(client_at) - epoch_us(occurred_at)) > 60e6), "
        "count(*) FILTER (occurred_at < TIMESTAMP '2026-08-31' OR occurred_at >= TIMESTAMP '2026-10-30') FROM events"
    )
    assert outside == 0
    assert 0 < wrong <= exact.truth["log"]["wrong_clock_lines"]
    [(early,)] = exact.ask("SELECT count(*) FROM events WHERE received_at < occurred_at - INTERVAL 1 SECOND")
    assert early == 0


# -- what stitching is for ------------------------------------------------------------------------------------------


def test_without_stitching_hardly_anybody_signs_up(exact: Computed) -> None:
    """By actor, a visitor is a device and a sign-up is a user: the same person's first two steps never meet.

    What is left are people who looked at a page as a user within the window before they "signed up": nobody can.
    """
    steps = ["Page Viewed", "Signed Up", "Course Enrolled", ["Lesson Watched", "Payment Completed"]]
    con = duckdb.connect(str(Workspace(exact.root).explore_db), read_only=True)
    try:
        by_person, by_actor = (
            Funnel(steps, within="14d").run(EventLog((con, "events"), person=who)).frame["people"].to_list()
            for who in ("person", "actor")
        )
    finally:
        con.close()
    visitors, signed_up, *_ = exact.truth["funnels"]["learning"]["people"]
    assert by_person[:2] == [visitors, signed_up]
    assert by_actor[1:] == [0, 0, 0]
    # and every device and every user counts as a visitor of its own
    assert by_actor[0] > by_person[0]
    [(devices_of_users,)] = exact.ask("SELECT count(*) FILTER (actor <> person) FROM actor_person")
    assert devices_of_users > signed_up


# -- what shared devices do ------------------------------------------------------------------------------------------


def test_shared_devices_move_the_people_who_share_them_and_nobody_else(usual: Computed) -> None:
    people = usual.truth["people"]
    sharers, pairs = people["shared_device_people"], people["shared_devices"]
    assert pairs > 0, "the demo has no shared device: nothing is tested"
    assert usual.tables["run_info"]["people"][0] == people["people"]
    for metric in usual.truth["metrics"]:
        for segment in ("all", *(f"channel={channel}" for channel in CHANNELS)):
            moved = sum(
                abs(n - m)
                for (_, n), (_, m) in zip(
                    usual.weekly(metric, segment), usual.planted(metric, segment), strict=True
                )
            )
            # a sharer may leave one week (and channel) and appear in another
            per_week = len(usual.truth["range"]["week_starts"]) if metric in SHARES else 1
            assert moved <= 2 * sharers * per_week, (metric, segment)
    # what users did signed in is theirs whoever else used the device: nothing is moved but by channel
    for metric in (
        "activation",
        "first_enrolment",
        "learner_week1",
        "publishing",
        "payers",
        "lessons_per_learner",
    ):
        found, planted = usual.weekly(metric, "all"), usual.planted(metric, "all")
        assert [n for _, n in found] == [n for _, n in planted], metric
        assert [x for x, _ in found] == pytest.approx([x for x, _ in planted]), metric
    publishing = usual.tables["funnel_steps"].filter(funnel="publishing").sort("step")["people"].to_list()
    assert publishing == usual.truth["funnels"]["publishing"]["people"]
    # who lost their first page views to the other user of the device does not start at the first page
    learning = usual.tables["funnel_steps"].filter(funnel="learning").sort("step")["people"].to_list()
    lost = [m - n for n, m in zip(learning, usual.truth["funnels"]["learning"]["people"], strict=True)]
    assert all(0 <= n <= pairs for n in lost), lost


#: Metrics that count a person in every week with the event.
SHARES = (
    "inviters",
    "invited_sign_ups",
    "revenue_per_active",
    "payers",
    "refunds",
    "recommendation",
    "tickets",
    "lessons_per_learner",
    "learning_days",
)


# -- what was planted ------------------------------------------------------------------------------------------------

SIGNED_UP_LEARNERS = """
    SELECT e.person, p.channel, min(e.occurred_at) AS start
    FROM events e JOIN people p USING (person)
    WHERE e.event = 'Signed Up' AND e.role = 'learner'
    GROUP BY ALL
    HAVING start + INTERVAL {days} DAY <= (SELECT horizon FROM horizon)
"""


def counted(exact: Computed) -> dict[str, tuple[float, float, float]]:
    """Planted probability, how often it happened, out of how many; each counted as the scenario defines it."""
    scenario = exact.truth["scenario"]
    people = dict(exact.ask("SELECT channel, count(*) FROM people GROUP BY 1"))
    signed_up = dict(
        exact.ask(
            "SELECT channel, count(DISTINCT person) FROM events JOIN people USING (person) "
            "WHERE event = 'Signed Up' GROUP BY 1"
        )
    )
    active = {
        channel: (did, all_)
        for channel, did, all_ in exact.ask(
            f"SELECT channel, count(*) FILTER (EXISTS (FROM events e WHERE e.person = s.person AND "
            f"e.event = 'Lesson Watched' AND e.completed AND e.occurred_at BETWEEN start AND start + INTERVAL 7 DAY)), "
            f"count(*) FROM ({SIGNED_UP_LEARNERS.format(days=7)}) s GROUP BY 1"
        )
    }
    back = {
        channel: (did, all_)
        for channel, did, all_ in exact.ask(
            f"SELECT channel, count(*) FILTER (EXISTS (FROM events e WHERE e.person = s.person AND "
            f"e.event IN ('Lesson Watched', 'Course Enrolled') AND e.occurred_at >= start + INTERVAL 7 DAY "
            f"AND e.occurred_at < start + INTERVAL 14 DAY)), "
            f"count(*) FROM ({SIGNED_UP_LEARNERS.format(days=14)}) s GROUP BY 1"
        )
    }
    [(teachers, everybody)] = exact.ask(
        "SELECT count(*) FILTER (role = 'teacher'), count(*) FROM events WHERE event = 'Signed Up'"
    )
    [(treated, exposed)] = exact.ask(
        "SELECT count(DISTINCT person) FILTER (variant = 'treatment'), count(DISTINCT person) "
        "FROM events WHERE event = 'Feature Exposed'"
    )
    out = {
        "teacher": (scenario["teacher"], teachers, everybody),
        "treatment": (scenario["treatment"], treated, exposed),
    }
    for channel in CHANNELS:
        out[f"channel_share {channel}"] = (
            scenario["channel_share"][channel],
            people[channel],
            sum(people.values()),
        )
        out[f"sign_up {channel}"] = (scenario["sign_up"][channel], signed_up[channel], people[channel])
        out[f"activation {channel}"] = (scenario["activation"][channel], *active[channel])
        out[f"week1 {channel}"] = (scenario["week1_expected"][channel], *back[channel])
    return out


def test_planted_probabilities_lie_within_the_intervals(exact: Computed) -> None:
    table = counted(exact)
    level = 1 - 0.05 / len(table)
    outside = []
    for name, (planted, times, of) in table.items():
        low, high = wilson(times, of, confidence=level)
        assert low <= planted <= high, (name, planted, times / of)
        low, high = wilson(times, of)
        outside += [] if low <= planted <= high else [name]
    assert len(outside) <= stats.binom.ppf(0.999, len(table), 0.05), outside


def test_the_editor_s_effect_lies_within_its_interval(exact: Computed) -> None:
    """Few teachers were exposed long enough ago, so the interval is wide; the planted effect is in it."""
    arms = {
        variant: (published, exposed)
        for variant, published, exposed in exact.ask(
            "WITH first AS (SELECT person, arg_min(variant, occurred_at) AS variant, min(occurred_at) AS start "
            "FROM events WHERE event = 'Feature Exposed' GROUP BY person) "
            "SELECT variant, count(*) FILTER (EXISTS (FROM events e WHERE e.person = f.person "
            "AND e.event = 'Course Published' AND e.occurred_at BETWEEN start AND start + INTERVAL 14 DAY)), count(*) "
            "FROM first f WHERE start + INTERVAL 14 DAY <= TIMESTAMP '2026-10-30' GROUP BY variant"
        )
    }
    planted = exact.truth["experiment"]["arms"]
    assert {v: (a["published"], a["window_elapsed"]) for v, a in planted.items()} == arms
    old = SCENARIO.publish_control
    for variant, rate in (("control", old), ("treatment", old + SCENARIO.editor_uplift)):
        low, high = wilson(*arms[variant], confidence=1 - 0.05 / 2)
        assert low <= rate <= high
