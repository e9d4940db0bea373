"""Properties of people and accounts in questions: as of the event, as last known, and accounts as what is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway import EventLog
from headway.errors import InputError

START = datetime(2026, 3, 2)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def events(*rows: tuple[str, str | None, str, int]) -> pl.DataFrame:
    """Person, account, event, day."""
    return pl.DataFrame(
        [(person, account, event, day(at), f"{event} of the event") for person, account, event, at in rows],
        schema=["person", "account", "event", "occurred_at", "plan"],
        orient="row",
    )


def told(subject: str, *rows: tuple[str, int, str]) -> pl.DataFrame:
    """Who, since which day, plan."""
    return pl.DataFrame(
        [(who, day(since), plan) for who, since, plan in rows],
        schema=[subject, "valid_from", "plan"],
        orient="row",
    )


EVENTS = events(
    ("ann", "acme", "Visit", 0),
    ("ann", "acme", "Visit", 2),
    ("ann", "acme", "Visit", 4),
    ("bob", "acme", "Visit", 2),
    ("cat", None, "Visit", 2),
    ("bob", "beta", "Pay", 3),
)
PEOPLE = told("person", ("ann", 1, "free"), ("ann", 3, "pro"), ("bob", 2, "pro"))
ACCOUNTS = told("account", ("acme", 0, "team"), ("beta", 9, "solo"))


def log() -> EventLog:
    return EventLog(EVENTS, person_properties=PEOPLE, account_properties=ACCOUNTS)


def visits(where: str) -> float:
    with log() as open_log:
        question = hw.Trend(hw.Event(None, where=where), measure="total", period="month")
        return float(question.run(open_log).frame["value"].sum())


@pytest.mark.parametrize(
    ("where", "matching"),
    [
        ("person.plan = 'pro'", 3),  # ann on day 4, bob on days 2 (the very instant) and 3
        ("person.plan = 'free'", 1),
        ("person.plan is null", 2),  # ann before anything was known, and cat
        ("person.plan <> 'pro'", 3),
        ("person_latest.plan = 'pro'", 5),
        ("person_latest.plan is null", 1),
        ("account.plan = 'team'", 4),
        ("account.plan is null", 2),  # cat has none, beta's is known only later
        ("account_latest.plan = 'solo'", 1),
        ("person.plan = 'pro' and account.plan = 'team' and plan like 'Visit%'", 2),
    ],
)
def test_conditions(where: str, matching: int) -> None:
    assert visits(where) == matching


def test_a_condition_on_all_events_and_a_breakdown() -> None:
    with log() as open_log:
        by = hw.Trend("Visit", measure="people", period="month", by="person.plan").run(open_log).frame
        assert by.rows() == [
            ("(none)", START.date().replace(day=1), 2, False),
            ("free", START.date().replace(day=1), 1, False),
            ("pro", START.date().replace(day=1), 2, False),
        ]
        assert by.columns[0] == "person.plan"
        question = hw.ActivePeople(windows=(28,), where="person_latest.plan = 'pro'")
        assert question.run(open_log).frame["value"].to_list()[-1] == 2
        paying = hw.Event("Visit", where="person.plan = 'pro'")
        assert hw.Funnel([paying, "Pay"]).run(open_log).frame["people"].to_list() == [2, 1]


def test_the_query_stands_alone() -> None:
    with log() as open_log:
        sql = hw.Trend("Visit", where="person.plan = 'pro'", period="month").run(open_log).sql
        assert sql.count("ASOF LEFT JOIN") == 1
        assert open_log.sql(sql)["value"].to_list() == [2]


COUNTED: dict[str, tuple[Callable[[], Any], str, list[int]]] = {
    "trend": (lambda: hw.Trend("Visit", measure="people", period="month", unit="account"), "value", [1]),
    "active": (lambda: hw.ActivePeople(windows=(28,), unit="account", period="month"), "value", [2]),
    "funnel": (lambda: hw.Funnel(["Visit", "Pay"], unit="account"), "people", [1, 0]),
    "retention": (
        lambda: hw.Retention("Visit", hw.Event(None), period="day", periods=2, unit="account"),
        "people",
        [1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_accounts_can_be_what_is_counted(name: str) -> None:
    question, column, counted = COUNTED[name]
    with log() as open_log:
        result = question().run(open_log)
        assert result.frame[column].to_list()[: len(counted)] == counted
        assert "counted by account, events without one left out" in result.describe()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda: hw.Trend("Visit", where="person.plam = 'pro'"),
            "unknown property 'person.plam'. Did you mean",
        ),
        (lambda: hw.Trend("Visit", by="account.sector"), "unknown property 'account.sector'"),
        (lambda: hw.Trend("Visit", unit="team"), "unknown unit 'team'"),
        (lambda: hw.Trend("Visit", unit="person.plan"), "changes over time"),
    ],
)
def test_what_is_not_there_is_refused_by_name(ask: Callable[[], Any], message: str) -> None:
    with log() as open_log, pytest.raises(InputError, match=message):
        ask().run(open_log)


def test_a_history_must_say_of_whom_and_since_when() -> None:
    with pytest.raises(InputError, match="properties of persons need a column 'valid_from'"):
        EventLog(EVENTS, person_properties=pl.DataFrame({"person": ["ann"], "plan": ["pro"]}))
    with pytest.raises(InputError, match="unknown column 'account'"):
        EventLog(EVENTS.drop("account"), account_properties=ACCOUNTS)


_who = st.sampled_from(["a", "b"])
_said = st.tuples(_who, st.integers(0, 6), st.sampled_from(["x", "y"]))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    did=st.lists(st.tuples(_who, st.integers(0, 6)), min_size=1, max_size=8),
    said=st.lists(
        st.tuples(_who, st.integers(0, 6), st.sampled_from(["x", "y"])), max_size=6, unique_by=lambda s: s[:2]
    ),
)
def test_values_as_of_the_event_agree_with_a_search(
    did: list[tuple[str, int]], said: list[tuple[str, int, str]]
) -> None:
    rows = events(*((who, None, "Visit", at) for who, at in did))
    with EventLog(rows, person_properties=told("person", *said) if said else PEOPLE.clear()) as open_log:
        found = open_log.sql(open_log.prelude(["person.plan", "person_latest.plan"]) + " ORDER BY seq")
    for (who, at), was, last in zip(did, found["person.plan"], found["person_latest.plan"], strict=True):
        known = sorted((since, plan) for subject, since, plan in said if subject == who)
        assert was == next((plan for since, plan in reversed(known) if since <= at), None)
        assert last == (known[-1][1] if known else None)
