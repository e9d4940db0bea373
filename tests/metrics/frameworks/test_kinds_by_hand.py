"""Counts, ratios, durations, growth, revenue, answers and attempts, on histories small enough to count by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import duckdb
import numpy as np
import pytest

from headway.engine import connect
from headway.frameworks import measure
from headway.frameworks.calendar import Calendar
from headway.frameworks.observed import Clock
from headway.models.product import BusinessHours, Product, WeekDay
from headway.periods import utc_us

COMMON = {"framework": "aarrr", "stage": "revenue", "title": "A title", "unit": "EUR"}
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)

Row = tuple[int, str, str, dict[str, Any]]
"""Person, event, time, properties."""


def measured(
    rows: Sequence[Row],
    *,
    rates: Sequence[tuple[str, str, float]] = (),
    holidays: Sequence[str] = (),
    grains: Sequence[str] = ("month",),
    horizon: str = "2027-01-01",
    **metric: Any,
) -> tuple[dict[date, dict[str, Any]], dict[str, int]]:
    """Computes one metric by month: everybody's cells, and what was left out."""
    con: duckdb.DuckDBPyConnection = connect()
    con.execute(
        "CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, line INTEGER, account VARCHAR, "
        "amount DOUBLE, currency VARCHAR, key VARCHAR)"
    )
    for line, (person, event, at, more) in enumerate(rows):
        values = [more.get(name) for name in ("account", "amount", "currency", "key")]
        con.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [str(UUID(int=person)), event, at, line, *values],
        )
    con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
    con.execute("CREATE TABLE exchange_rates (day DATE, currency VARCHAR, rate DOUBLE)")
    for rate in rates:
        con.execute("INSERT INTO exchange_rates VALUES (?, ?, ?)", list(rate))
    con.execute("CREATE TABLE holidays (day DATE, name VARCHAR)")
    for day in holidays:
        con.execute("INSERT INTO holidays VALUES (?, 'a day off')", [day])
    product = Product.model_validate(
        {
            "name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "A", "grains": list(grains),
            "metrics": {"m": {**COMMON, **metric}},
        }
    )  # fmt: skip
    try:
        found = measure(
            con,
            product,
            horizon=datetime.fromisoformat(horizon),
            as_of=datetime(2027, 1, 1),
            code_version="test",
        )
    finally:
        con.close()
    everybody = {r["period_start"]: r for r in found.values.filter(segment="all").iter_rows(named=True)}
    return everybody, dict(found.exclusions.select("reason", "n_events").rows())


def cells(rows: Sequence[Row], **more: Any) -> dict[date, dict[str, Any]]:
    return measured(rows, **more)[0]


def left_out(rows: Sequence[Row], **more: Any) -> dict[str, int]:
    return measured(rows, **more)[1]


PAYMENTS: list[Row] = [
    (1, "Pay", "2026-03-02 10:00", {"amount": 10, "currency": "EUR"}),
    (1, "Pay", "2026-03-03 10:00", {"amount": 10, "currency": "USD"}),
    (2, "Pay", "2026-03-03 10:00", {"amount": -5, "currency": "EUR"}),
    (2, "Refund", "2026-03-04 10:00", {"amount": 4, "currency": "EUR"}),
    (3, "Pay", "2026-03-04 10:00", {"amount": 7, "currency": "GBP"}),
    (3, "Pay", "2026-03-20 10:00", {"amount": 7, "currency": "USD"}),
]
REVENUE = {"event": "Pay", "measure": "sum", "value": "amount", "currency": "currency", "minus": "Refund"}
RATES = [("2026-03-01", "USD", 0.5)]


def test_revenue_in_several_currencies_less_refunds() -> None:
    # 10 EUR, 10 USD at 0.5, less 4 EUR; the pound has no rate, that of the dollar is too old on the 20th.
    row = cells(PAYMENTS, rates=RATES, kind="count", of=REVENUE)[MARCH]
    assert (row["value"], row["people"], row["contributors"]) == (11, 2, 2)
    assert left_out(PAYMENTS, rates=RATES, kind="count", of=REVENUE) == {
        "no exchange rate for the currency and day": 2,
        "the value is below 0": 1,
    }


def test_counts_of_events_and_people() -> None:
    assert cells(PAYMENTS, kind="count", of="Pay")[MARCH]["value"] == 5
    row = cells(PAYMENTS, kind="count", of={"event": "Pay", "measure": "people"})[MARCH]
    assert (row["value"], row["interval_method"]) == (3, "poisson exact")


def test_a_ratio_divides_sums_and_says_why_it_cannot() -> None:
    per_payer = {"kind": "ratio", "numerator": REVENUE, "denominator": {"event": "Pay", "measure": "people"}}
    row = cells(PAYMENTS, rates=RATES, **per_payer)[MARCH]
    assert (row["numerator"], row["denominator"], row["value"]) == (11, 3, pytest.approx(11 / 3))
    none = cells(PAYMENTS, rates=RATES, kind="ratio", numerator=REVENUE, denominator="Visit")[MARCH]
    assert (none["value"], none["reason"]) == (None, "the denominator is 0")


TICKETS: list[Row] = [
    (1, "Open", "2026-03-02 10:00", {"key": "t1"}),
    (9, "Answer", "2026-03-02 12:00", {"key": "t1"}),
    (2, "Open", "2026-03-06 16:00", {"key": "t2"}),  # a Friday
    (2, "Open", "2026-03-06 16:30", {"key": "t2"}),
    (9, "Answer", "2026-03-09 10:00", {"key": "t2"}),
    (3, "Open", "2026-03-09 10:00", {"key": "t3"}),  # still open
    (9, "Answer", "2026-03-09 11:00", {"key": "t9"}),
]
REPLY = {"kind": "duration", "start": "Open", "end": "Answer", "key": "key", "unit": "hours"}


def test_durations_count_what_is_still_open() -> None:
    # 2 hours, 66 hours, and 14 hours so far: after 2 hours a third is over, after 66 everything that was at risk.
    row = cells(TICKETS, horizon="2026-03-10", **REPLY)[MARCH]
    assert (row["value"], row["denominator"], row["people"]) == (66, 3, 3)
    # In business hours 2, 2 (an hour on Friday, one on Monday), and 7 so far.
    assert cells(TICKETS, horizon="2026-03-10", hours="business", **REPLY)[MARCH]["value"] == 2
    assert left_out(TICKETS, **REPLY) == {"it ended before anything began it": 1}


def test_every_end_of_what_never_began_is_counted() -> None:
    rows: list[Row] = [
        (9, "Answer", "2026-03-01", {"key": "t1"}),
        (9, "Answer", "2026-03-02", {"key": "t1"}),
        (1, "Open", "2026-03-03", {"key": "t1"}),
        (9, "Answer", "2026-03-04", {"key": "t1"}),
        (9, "Answer", "2026-03-05", {"key": "t1"}),  # a second answer to what did begin
        (9, "Answer", "2026-03-05", {}),  # of no ticket
    ]
    assert left_out(rows, **REPLY) == {"it ended before anything began it": 2}


def test_the_time_from_visit_to_visit() -> None:
    rows: list[Row] = [(1, "Visit", f"2026-03-{day:02}", {}) for day in (1, 2, 5, 12)]
    visits = {"kind": "duration", "start": "Visit", "end": "Visit", "each": "every", "unit": "days"}
    row = cells(rows, horizon="2026-03-13", **visits)[MARCH]
    # 1, 3 and 7 days, and a visit since which a day has passed.
    assert (row["value"], row["denominator"], row["people"]) == (3, 4, 1)
    assert left_out(rows, **visits) == {"it ended before anything began it": 0}


def test_nobody_works_on_holidays() -> None:
    # On Monday nobody works: of the second ticket the hour on Friday is left, of the third nothing so far.
    row = cells(TICKETS, horizon="2026-03-10", hours="business", holidays=["2026-03-09"], **REPLY)[MARCH]
    assert row["value"] == 1


def test_business_hours_last_as_long_as_they_do_when_clocks_change() -> None:
    always = BusinessHours(days=get_args(WeekDay), opens="00:00", closes="24:00")
    clock = Clock(Calendar("Europe/Berlin"), always, now=0)

    def minutes(start: str, end: str) -> float:
        one, two = (np.array([utc_us(datetime.fromisoformat(each))]) for each in (start, end))
        return float(clock.business_seconds(one, two)[0]) / 60

    # From noon to noon on the day the clocks go forward, and from half past two to ten past two when they go back.
    assert minutes("2026-03-28T12:00+01:00", "2026-03-29T12:00+02:00") == 23 * 60
    assert minutes("2026-10-25T02:30+02:00", "2026-10-25T02:10+01:00") == 40


ACTIVE: list[Row] = [
    (1, "A", "2026-02-10", {}), (1, "A", "2026-03-10", {}), (1, "A", "2026-04-01", {}), (1, "A", "2026-04-02", {}),
    (2, "A", "2026-02-11", {}), (2, "A", "2026-04-11", {}),
    (3, "A", "2026-03-12", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "march", "april"),
    [
        ("new", 1, 0),
        ("returning", 1, 1),
        ("resurrected", 0, 1),
        ("dormant", 1, 1),
        ("churn", 1 / 2, 1 / 2),
        ("quick_ratio", 1.0, 1.0),
    ],
)
def test_lifecycle_by_hand(part: str, march: float, april: float) -> None:
    found = cells(ACTIVE, kind="lifecycle", of="A", part=part)
    assert (found[MARCH]["value"], found[APRIL]["value"]) == (march, april)


def test_stickiness_by_hand() -> None:
    # The log covers eleven days of April: one person was active on two of them, one on one.
    row = cells(ACTIVE, kind="stickiness", of="A", unit="percent")[APRIL]
    assert row["value"] == pytest.approx(3 / 22)


def test_lifetime_value_counts_from_the_first_start() -> None:
    rows: list[Row] = [
        (1, "Join", "2026-03-01 00:00", {}),
        (1, "Pay", "2026-03-31 00:00", {"amount": 8}),  # exactly 30 days later
        (1, "Pay", "2026-03-31 00:01", {"amount": 100}),
        (2, "Join", "2026-03-05 00:00", {}),
    ]
    value = {"event": "Pay", "measure": "sum", "value": "amount"}
    row = cells(rows, kind="cohort_amount", start="Join", of=value, within="30d")[MARCH]
    assert (row["value"], row["people"]) == (4, 2)


INVITES: list[Row] = [
    (1, "Join", "2026-03-01", {}),
    (2, "Join", "2026-03-02", {}),
    (1, "Sent", "2026-03-03", {"key": "i1"}),
    (1, "Sent", "2026-03-03", {"key": "i2"}),
    (1, "Sent", "2026-03-03", {"key": "i3"}),
    (3, "Accepted", "2026-03-04", {"key": "i1"}),
    (4, "Accepted", "2026-03-05", {"key": "i1"}),  # accepted already
    (1, "Accepted", "2026-03-05", {"key": "i2"}),  # by the sender
    (5, "Accepted", "2026-05-05", {"key": "i3"}),  # too late
]


@pytest.mark.parametrize(("part", "value"), [("k", 1 / 2), ("sent", 3 / 2), ("acceptance", 1 / 3)])
def test_referral_by_hand(part: str, value: float) -> None:
    asked = {"kind": "referral", "start": "Join", "sent": "Sent", "accepted": "Accepted", "key": "key"}
    assert cells(INVITES, part=part, within="30d", **asked)[MARCH]["value"] == pytest.approx(value)


SUBSCRIPTIONS: list[Row] = [
    (1, "Plan", "2026-02-01", {"account": "a", "amount": 10}),
    (1, "Plan", "2026-03-05", {"account": "a", "amount": 25}),
    (2, "Plan", "2026-02-01", {"account": "b", "amount": 40}),
    (2, "End", "2026-03-09", {"account": "b"}),
    (2, "Plan", "2026-04-02", {"account": "b", "amount": 30}),
    (3, "Plan", "2026-03-20", {"account": "c", "amount": 50}),
    (3, "Plan", "2026-04-20", {"account": "c", "amount": 20}),
]
#: Asked on Friday, 6 March, and on Monday: business hours are 9 to 17, Monday to Friday.
ASKED: list[Row] = [
    (1, "Ask", "2026-03-06 16:00", {"key": "a"}),
    (1, "Reply", "2026-03-09 10:00", {"key": "a"}),  # 2 h of business, 66 h of the clock
    (1, "A", "2026-03-14 12:00", {}),
    (2, "Ask", "2026-03-06 20:00", {"key": "b"}),
    (2, "Reply", "2026-03-09 11:00", {"key": "b"}),  # exactly 2 h of business
    (2, "Ask", "2026-03-20 10:00", {"key": "c"}),  # a later one does not count
    (3, "Ask", "2026-03-09 10:00", {"key": "d"}),
    (3, "Reply", "2026-03-09 12:00", {"key": "x"}),  # of something else
    (3, "Reply", "2026-03-09 12:30", {"key": "d"}),  # too late
    (3, "A", "2026-03-17 12:00", {}),
    (4, "Ask", "2026-03-10 10:00", {"key": "e"}),  # nobody replies
]
BACK = {
    "kind": "retention",
    "start": "Ask",
    "returning": "A",
    "after": "7d",
    "within": "7d",
    "unit": "percent",
}


@pytest.mark.parametrize(
    ("answered", "back", "people"),
    [
        ({"hours": "business"}, 1, 2),
        ({"hours": "business", "in_time": False}, 1, 2),
        ({"within": "66h"}, 2, 3),
        ({"within": "65h"}, 1, 2),
        ({"within": "65h", "in_time": False}, 1, 2),
        ({"within": "1h", "hours": "business"}, 0, 0),
    ],
)
def test_who_comes_back_after_an_answer_in_time(answered: dict[str, Any], back: int, people: int) -> None:
    asked = {"by": "Reply", "key": "key", "within": "2h", **answered}
    row = cells(ASKED, answered=asked, **BACK).get(MARCH)
    assert row is not None
    assert (row["numerator"], row["people"]) == (back, people)


def test_without_a_key_any_reply_to_a_person_is_the_answer() -> None:
    row = cells(ASKED, answered={"by": "Reply", "within": "2h", "hours": "business"}, **BACK)[MARCH]
    assert (row["numerator"], row["people"]) == (2, 3)


MRR = {"kind": "mrr", "event": "Plan", "value": "amount", "ends": "End"}


@pytest.mark.parametrize(
    ("part", "march", "april"),
    [
        ("opening", 50, 75),
        ("new", 50, 0),
        ("reactivation", 0, 30),
        ("expansion", 15, 0),
        ("contraction", 0, 30),
        ("churned", 40, 0),
        ("closing", 75, 75),
        ("net_retention", 25 / 50, 45 / 75),
        ("gross_retention", 10 / 50, 45 / 75),
    ],
)
def test_the_bridge_of_recurring_revenue_by_hand(part: str, march: float, april: float) -> None:
    found = cells(SUBSCRIPTIONS, part=part, **MRR)
    assert found[MARCH]["value"] == pytest.approx(march)
    assert found[APRIL]["value"] == pytest.approx(april)


def test_who_paid_for_a_day_has_paid_before() -> None:
    rows: list[Row] = [
        (1, "Plan", "2026-03-05", {"account": "a", "amount": 10}),
        (1, "End", "2026-03-06", {"account": "a"}),
        (1, "Plan", "2026-04-05", {"account": "a", "amount": 10}),
    ]
    assert cells(rows, part="new", **MRR)[APRIL]["value"] == 0
    assert cells(rows, part="reactivation", **MRR)[APRIL]["value"] == 10


def test_prices_below_nothing_are_left_out_of_recurring_revenue() -> None:
    rows: list[Row] = [
        (1, "Plan", "2026-03-05", {"account": "a", "amount": 10}),
        (1, "Plan", "2026-03-06", {"account": "a", "amount": -10}),
        (1, "Plan", "2026-04-06", {"account": "a", "amount": -10}),
    ]
    assert cells(rows, **MRR)[MARCH]["value"] == cells(rows, **MRR)[APRIL]["value"] == 10
    assert left_out(rows, **MRR) == {"the value is below 0": 2}


def test_several_accounts_of_one_person_are_one_person() -> None:
    rows: list[Row] = [
        (1, "Plan", "2026-03-05", {"account": "a", "amount": 10}),
        (2, "Plan", "2026-03-06", {"account": "a", "amount": 20}),
        (1, "Plan", "2026-03-07", {"account": "b", "amount": 5}),
        (2, "Plan", "2026-03-08", {"account": "c", "amount": 7}),
        (2, "Plan", "2026-03-08", {"amount": 100}),  # of no account
    ]
    # An account is the person's who said first what it pays: a and b are of one person, c is another's.
    row = cells(rows, **MRR)[MARCH]
    assert (row["value"], row["people"], row["contributors"]) == (32, 2, 2)


def test_recurring_revenue_is_monthly_whatever_other_metrics_are() -> None:
    found = cells(SUBSCRIPTIONS, grains=["day", "week"], **MRR)
    assert {start: row["value"] for start, row in found.items()} == {
        date(2026, 2, 1): 50,
        MARCH: 75,
        APRIL: 75,
    }


def test_windows_have_no_period_before_them() -> None:
    found = cells(ACTIVE, grains=["week", "rolling_7d"], kind="lifecycle", of="A", part="churn")
    assert {row["period"] for row in found.values()} == {"week"}


def test_surveys_take_the_last_answer_on_the_scale() -> None:
    rows: list[Row] = [
        (1, "Say", "2026-03-01", {"amount": 2}),
        (1, "Say", "2026-03-02", {"amount": 5}),
        (2, "Say", "2026-03-02", {"amount": 3}),
        (2, "Say", "2026-03-03", {"amount": 11}),
    ]
    asked = {"kind": "survey", "event": "Say", "score": "amount", "scale": (1, 5)}
    assert cells(rows, unit="percent", top=4, **asked)[MARCH]["value"] == 0.5
    assert cells(rows, measure="mean", **asked)[MARCH]["value"] == 4
    assert left_out(rows, measure="mean", **asked) == {"the answer is not on the scale": 1}


def test_answers_off_the_scale_are_counted() -> None:
    scores = [10, 0, 11, -1, None]
    rows: list[Row] = [(1, "Say", "2026-03-01", {"amount": score}) for score in scores]
    nps = {"kind": "nps", "event": "Say", "score": "amount", "unit": "points"}
    assert left_out(rows, **nps) == {"the answer is not on the scale": 2}


ATTEMPTS: list[Row] = [
    (1, "Try", "2026-03-01 10:00", {"key": "u1"}),
    (1, "Fail", "2026-03-01 10:01", {"key": "u1"}),
    (1, "Try", "2026-03-01 10:02", {"key": "u1"}),
    (1, "Done", "2026-03-01 10:03", {"key": "u1"}),
    (2, "Try", "2026-03-01 10:00", {"key": "u2"}),
    (2, "Done", "2026-03-01 11:00", {"key": "u2"}),  # an hour later: too late
    (2, "Try", "2026-03-01 12:00", {"key": "u3"}),
]


@pytest.mark.parametrize(
    ("outcome", "attempts", "value"),
    [
        ("success", "every", 1 / 4),
        ("failure", "every", 1 / 4),
        ("abandoned", "every", 2 / 4),
        ("success", "first", 0),
        ("failure", "first", 1 / 2),
    ],
)
def test_tasks_by_hand(outcome: str, attempts: str, value: float) -> None:
    asked = {
        "kind": "task",
        "start": "Try",
        "success": "Done",
        "failure": "Fail",
        "key": "key",
        "within": "1h",
    }
    found = cells(ATTEMPTS, unit="percent", outcome=outcome, attempts=attempts, **asked)
    assert found[MARCH]["value"] == value


@pytest.mark.parametrize(
    ("asked", "value"),
    [({}, 1.0), ({"percentile": 99}, 4.0), ({"trim": 0.25}, 1.5), ({"trim": 0.1}, 2.0)],
)
def test_time_on_task_by_hand(asked: dict[str, Any], value: float) -> None:
    # Attempts take 1, 1, 2 and 4 minutes; one fails, one takes as long as nobody has, one never ends.
    ends = [("Done", 1), ("Done", 1), ("Done", 2), ("Done", 4), ("Fail", 3), ("Done", 60)]
    rows: list[Row] = [(9, "Try", "2026-03-01 12:00", {"key": "u9"})]
    for n, (event, minutes) in enumerate(ends):
        rows.append((n, "Try", "2026-03-01 10:00", {"key": f"u{n}"}))
        rows.append((n, event, f"2026-03-01 {10 + minutes // 60}:{minutes % 60:02}", {"key": f"u{n}"}))
    task = {"kind": "time_on_task", "start": "Try", "success": "Done", "failure": "Fail", "key": "key"}
    row = cells(rows, unit="minutes", within="1h", **task, **asked)[MARCH]
    assert (row["value"], row["denominator"], row["people"]) == (value, 4, 4)
    if "trim" in asked:
        assert row["contributors"] == (2 if asked["trim"] == 0.25 else 4)
        assert row["effective"] == pytest.approx(9 / 5 if asked["trim"] == 0.25 else 64 / 22)


def test_crash_free_sessions_by_hand() -> None:
    rows: list[Row] = [
        (1, "View", "2026-03-01 10:00", {}),
        (1, "View", "2026-03-01 10:30", {}),  # a pause of exactly 30 minutes
        (1, "Crash", "2026-03-01 10:40", {}),
        (1, "View", "2026-03-01 11:11", {}),  # 31 minutes later: the second session
        (2, "View", "2026-03-31 23:50", {}),
        (2, "Crash", "2026-04-01 00:10", {}),  # of the session that began in March
        (3, "Crash", "2026-04-02 10:00", {}),
        (3, "View", "2026-04-03 10:00", {}),
    ]
    found = cells(rows, kind="crash_free", of="View", failure="Crash", unit="percent")
    assert (found[MARCH]["value"], found[MARCH]["denominator"], found[MARCH]["people"]) == (1 / 3, 3, 2)
    assert (found[APRIL]["value"], found[APRIL]["interval_method"]) == (0.5, None)
    longer = cells(rows, kind="crash_free", of="View", failure="Crash", idle="1h", unit="percent")
    assert (longer[MARCH]["value"], longer[MARCH]["denominator"]) == (0, 2)


@pytest.mark.parametrize("seed", range(3))
def test_sessions_agree_with_a_plain_second_reading(seed: int) -> None:
    rng = np.random.default_rng(seed)
    minutes = rng.choice(61 * 24 * 60, 400, replace=False)
    rows: list[Row] = []
    for minute in minutes // 40 * 2 + minutes % 40:
        at = datetime(2026, 3, 1) + timedelta(minutes=int(minute))
        rows.append(
            (int(rng.integers(0, 6)), "Crash" if rng.random() < 0.1 else "View", at.isoformat(" "), {})
        )
    counted: dict[date, list[int]] = {MARCH: [0, 0], APRIL: [0, 0]}
    for person in range(6):
        mine = sorted((datetime.fromisoformat(at), event) for who, event, at, _ in rows if who == person)
        sessions: list[list[tuple[datetime, str]]] = []
        for at, event in mine:
            if not sessions or at - sessions[-1][-1][0] > timedelta(minutes=30):
                sessions.append([])
            sessions[-1].append((at, event))
        for session in sessions:
            mine_of_month = counted[session[0][0].date().replace(day=1)]
            mine_of_month[0] += all(event != "Crash" for _, event in session)
            mine_of_month[1] += 1
    found = cells(rows, kind="crash_free", of="View", failure="Crash", unit="percent")
    for month, row in found.items():
        assert [row["numerator"], row["denominator"]] == counted[month]


def test_ends_of_attempts_that_never_began_are_counted() -> None:
    rows: list[Row] = [
        *ATTEMPTS,
        (2, "Done", "2026-03-01", {"key": "u9"}),
        (2, "Done", "2026-03-09", {"key": "u1"}),
    ]
    asked = {
        "kind": "task",
        "start": "Try",
        "success": "Done",
        "key": "key",
        "within": "1h",
        "unit": "percent",
    }
    assert left_out(rows, **asked) == {"it ended before anything began it": 1}
