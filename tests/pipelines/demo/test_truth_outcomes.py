"""The planted truth of money, surveys, tickets, uploads, quality and invites, against a naive reading of the log."""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from demo_reading import BERLIN, Event, Reading

from headway_pipelines.demo import CHANNELS, Truth

DAY = timedelta(days=1)
Cells = dict[str, Any]
#: An event with its person.
Mine = tuple[str, Event]


def events(reading: Reading, *names: str) -> Iterator[Mine]:
    """Events of these names, by time."""
    found = [
        (person, event)
        for person, history in reading.people.items()
        for event in history
        if event.name in names
    ]
    return iter(sorted(found, key=lambda each: each[1].at))


def by_period(truth: Truth, found: list[tuple[date, Any]]) -> list[list[Any]]:
    """Items of the range, then of every week; each item comes with the Monday of its week."""
    return [
        [item for _, item in found],
        *([item for at, item in found if str(at) == week] for week in truth.range["week_starts"]),
    ]


def cells(table: Cells) -> list[Cells]:
    return [table["all"], *table["weeks"]]


def table(workspace: Path, name: str) -> list[dict[str, str]]:
    with (workspace / "inputs" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rate_of(workspace: Path) -> Callable[[str, date], float]:
    rates = {(row["currency"], row["day"]): float(row["rate"]) for row in table(workspace, "exchange_rates")}
    return lambda currency, day: 1.0 if currency == "EUR" else rates[currency, str(day)]


def test_events_and_people_by_week(truth: Truth, reading: Reading) -> None:
    for name, planted in truth.weekly_events.items():
        weeks = by_period(truth, [(event.week, person) for person, event in events(reading, name)])[1:]
        assert planted == {"events": [len(w) for w in weeks], "people": [len(set(w)) for w in weeks]}, name
        assert sum(planted["events"]) == truth.log["events"][name] > 0


def test_payments_in_euros(truth: Truth, reading: Reading, workspace: Path) -> None:
    rate = rate_of(workspace)
    for section, name in (("payments", "Payment Completed"), ("refunds", "Payment Refunded")):
        found = [(e.week, (e.properties, e.day)) for _, e in events(reading, name)]
        periods = by_period(truth, found)
        eur = [sum(p["amount"] * rate(p["currency"], day) for p, day in period) for period in periods]
        assert cells(truth.money[section]["eur"]) == pytest.approx(eur)
        for currency in ("EUR", "USD", "GBP"):
            amounts = [
                [p["amount"] for p, _ in period if p["currency"] == currency] for period in periods[1:]
            ]
            planted: dict[str, list[float]] = truth.money[section][currency]
            assert planted["count"] == [len(each) for each in amounts]
            assert planted["amount"] == pytest.approx([sum(each) for each in amounts])
    used = Counter(e.properties["currency"] for _, e in events(reading, "Payment Completed"))
    assert set(used) == {"EUR", "USD", "GBP"} and used["EUR"] > 2 * (used["USD"] + used["GBP"])
    payers = by_period(truth, [(e.week, person) for person, e in events(reading, "Payment Completed")])
    told: list[object] = [*cells(truth.money["payers"])]
    assert told == [len(set(period)) for period in payers]


def test_revenue_per_active_in_euros(truth: Truth, workspace: Path, reading: Reading) -> None:
    """Everybody who pays is active."""
    eur, active = truth.metrics["revenue_per_active"], truth.metrics["payers"]
    rate = rate_of(workspace)
    for segment in ("all", *(f"channel={channel}" for channel in CHANNELS)):
        assert eur[segment]["weekly_denominator"] == active[segment]["weekly_denominator"]
        mine = [
            (e.week, e.properties["amount"] * rate(e.properties["currency"], e.day))
            for person, e in events(reading, "Payment Completed")
            if segment in ("all", f"channel={reading.channel[person]}")
        ]
        assert eur[segment]["weekly_numerator"] == pytest.approx(
            [sum(week) for week in by_period(truth, mine)[1:]]
        )
    raw = sum(e.properties["amount"] for _, e in events(reading, "Payment Completed"))
    assert eur["all"]["numerator"] != pytest.approx(raw)


def test_lifetime_value(truth: Truth, reading: Reading, workspace: Path) -> None:
    planted, rate = truth.money["lifetime_value"], rate_of(workspace)
    weeks = truth.range["week_starts"]
    found: dict[str, list[float]] = {name: [0.0] * len(weeks) for name in ("people", "eur_7d", "eur_28d")}
    for person in reading.people:
        start = reading.first(person, lambda e: e.name == "Signed Up")
        if start is None:
            continue
        row = weeks.index(str(start.week))
        found["people"][row] += 1
        for e in reading.people[person]:
            for days in (7, 28):
                if e.name == "Payment Completed" and start.at <= e.at < start.at + days * DAY:
                    value = e.properties["amount"] * rate(e.properties["currency"], e.day)
                    found[f"eur_{days}d"][row] += value
    assert {name: planted[name] for name in found} == {k: pytest.approx(v) for k, v in found.items()}
    ends = [datetime.combine(date.fromisoformat(week) + 7 * DAY, time(), BERLIN) for week in weeks]
    for days in (7, 28):
        assert planted[f"complete_{days}d"] == [end + days * DAY <= reading.end for end in ends]


def test_spend(truth: Truth, workspace: Path) -> None:
    rate, weeks = rate_of(workspace), truth.range["week_starts"]
    spent: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(weeks))
    for row in table(workspace, "spend"):
        day = date.fromisoformat(row["day"])
        monday = str(day - timedelta(days=day.weekday()))
        spent[row["channel"]][weeks.index(monday)] += float(row["amount"]) * rate(row["currency"], day)
    assert {row["currency"] for row in table(workspace, "spend")} == {"EUR", "USD"}
    assert set(spent) == set(truth.spend) == {"paid", "email", "referral"}
    for channel, eur in spent.items():
        planted, people = truth.spend[channel], truth.metrics["new_people"][f"channel={channel}"]
        assert planted["eur"] == pytest.approx(eur)
        assert planted["new_people"] == people["weekly_denominator"]
        costs = [
            cost / n if n else None
            for cost, n in zip([*eur, sum(eur)], [*planted["new_people"], people["denominator"]], strict=True)
        ]
        assert [*planted["cost_per_new_person"], planted["all"]["cost_per_new_person"]] == [
            None if cost is None else pytest.approx(cost) for cost in costs
        ]


def test_recurring_revenue(truth: Truth, reading: Reading) -> None:
    planted = truth.subscriptions
    months = planted["months"]
    names = {"started": "Subscription Started", "changed": "Subscription Changed"}
    names["cancelled"] = "Subscription Cancelled"
    said: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for _, event in events(reading, *names.values()):
        assert event.account is not None
        said[event.account].append((str(event.day.replace(day=1)), event.properties["mrr"]))
        assert (event.properties["mrr"] == 0) == (event.name == "Subscription Cancelled")
    mrr = {part: [0.0] * len(months) for part in planted["mrr"]}
    accounts = {part: [0] * len(months) for part in planted["mrr"]}
    for history in said.values():
        for i, month in enumerate(months):
            before = [value for at, value in history if at < month]
            upto = [value for at, value in history if at <= month]
            opening, closing = (before or [0.0])[-1], (upto or [0.0])[-1]
            parts = {"opening": opening, "closing": closing}
            if not opening:
                parts["reactivation" if any(before) else "new"] = closing
            elif not closing:
                parts["churned"] = opening
            else:
                parts["expansion" if closing > opening else "contraction"] = abs(closing - opening)
            for part, value in parts.items():
                mrr[part][i] += value
                accounts[part][i] += value > 0
    assert planted["mrr"] == {part: pytest.approx(values) for part, values in mrr.items()}
    assert planted["accounts"] == accounts
    for name, event_name in names.items():
        counts = Counter(str(e.day.replace(day=1)) for _, e in events(reading, event_name))
        assert planted["events"][name] == [counts[month] for month in months]


def test_the_bridge_adds_up(truth: Truth) -> None:
    mrr = truth.subscriptions["mrr"]
    grows = [sum(arms) for arms in zip(mrr["new"], mrr["reactivation"], mrr["expansion"], strict=True)]
    shrinks = [sum(arms) for arms in zip(mrr["contraction"], mrr["churned"], strict=True)]
    closing = [o + g - s for o, g, s in zip(mrr["opening"], grows, shrinks, strict=True)]
    assert mrr["closing"] == pytest.approx(closing)
    assert mrr["opening"] == [0.0, *mrr["closing"][:-1]]


WORTH: dict[str, Callable[[int], float]] = {
    "nps": lambda score: 100.0 * ((score >= 9) - (score <= 6)),
    "csat": lambda score: float(score >= 4),
    "ces": float,
}
SCALES = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}


@pytest.mark.parametrize("survey", WORTH)
def test_surveys(truth: Truth, reading: Reading, survey: str) -> None:
    planted = truth.surveys[survey]
    mine = [
        each
        for each in events(reading, "Survey Shown", "Survey Answered")
        if each[1].properties["survey"] == survey
    ]
    answers = [e.properties["score"] for _, e in mine if e.name == "Survey Answered"]
    assert answers and set(answers) <= set(SCALES[survey])
    for period, cell in zip(
        by_period(truth, [(e.week, (p, e)) for p, e in mine]), cells(planted), strict=True
    ):
        shown = {person for person, e in period if e.name == "Survey Shown"}
        last = {person: e.properties["score"] for person, e in period if e.name == "Survey Answered"}
        worth = {person: WORTH[survey](score) for person, score in last.items()}
        found: Cells = {"shown": len(shown), "answered": len(last)}
        found["response_rate"] = mean([float(person in last) for person in shown])
        found["raw"] = mean(list(worth.values()))
        means, weights = [], []
        for channel in set(reading.channel.values()):
            said = [value for person, value in worth.items() if reading.channel[person] == channel]
            if said:
                weights.append(sum(reading.channel[person] == channel for person in shown))
                means.append(sum(said) / len(said))
        total = sum(weights)
        found["weighted"] = sum(w * m for w, m in zip(weights, means, strict=True)) / total if total else None
        for key, value in found.items():
            assert cell[key] == (None if value is None else pytest.approx(value)), key


def test_every_answer_follows_its_showing_within_minutes(reading: Reading) -> None:
    twice = 0
    for history in reading.people.values():
        answered: dict[str, list[datetime]] = defaultdict(list)
        for event in history:
            if event.name == "Survey Answered":
                survey = event.properties["survey"]
                assert any(
                    e.name == "Survey Shown"
                    and e.properties["survey"] == survey
                    and timedelta(0) < event.at - e.at <= timedelta(minutes=4)
                    for e in history
                )
                twice += any(event.at - at < 7 * DAY for at in answered[survey])
                answered[survey].append(event.at)
    assert twice


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def worked(begin: datetime, end: datetime, closed: set[date]) -> float:
    """Seconds between two instants in which agents work, day by day."""
    total, day = 0.0, begin.astimezone(BERLIN).date()
    while day <= end.astimezone(BERLIN).date():
        if day.weekday() < 5 and day not in closed:
            opens, shuts = (datetime.combine(day, time(hour), BERLIN) for hour in (9, 17))
            total += max((min(end, shuts) - max(begin, opens)).total_seconds(), 0.0)
        day += DAY
    return total


def share_over(waits: list[tuple[float, bool]], share: float) -> float | None:
    """Quantile by redistributing the weight of open waits to the right (Efron 1967), the same as Kaplan-Meier's."""
    waits = sorted(waits, key=lambda each: (each[0], not each[1]))
    weight, done = [1 / len(waits)] * len(waits) if waits else [], 0.0
    for i, (value, closed) in enumerate(waits):
        if closed:
            done += weight[i]
            # All that end at once count at once.
            more = i + 1 < len(waits) and waits[i + 1] == (value, True)
            if done >= share - 1e-9 and not more:
                return value
        else:
            rest = len(waits) - i - 1
            for j in range(i + 1, len(waits)):
                weight[j] += weight[i] / rest
    return None


TICKET_EVENTS = {
    "Support Ticket Opened": "opened",
    "Support Ticket Followed Up": "followed_up",
    "Support Ticket Resolved": "resolved",
    "Support Ticket Reopened": "reopened",
    "Support Ticket Checked Back": "checked_back",
}


@pytest.fixture(scope="module")
def tickets(reading: Reading) -> dict[str, list[tuple[str, str, Event]]]:
    """What happened to every ticket, in order, with the person."""
    found: dict[str, list[tuple[str, str, Event]]] = defaultdict(list)
    for person, event in events(reading, *TICKET_EVENTS, "Support Ticket Answered"):
        what = TICKET_EVENTS.get(event.name) or f"{event.properties['by']}_answered"
        found[event.properties["ticket_id"]].append((what, person, event))
    return found


def test_tickets(truth: Truth, tickets: dict[str, list[tuple[str, str, Event]]]) -> None:
    weeks: dict[str, Counter[str]] = defaultdict(Counter)
    for happened in tickets.values():
        assert happened[0][0] == "opened"
        assert len({person for _, person, _ in happened}) == 1
        for what in {what for what, _, _ in happened}:
            weeks[what][str(happened[0][2].week)] += 1
    starts = truth.range["week_starts"]
    assert truth.support["tickets"] == {
        name: [weeks[name][week] for week in starts] for name in truth.support["tickets"]
    }
    assert set(weeks) == set(truth.support["tickets"])


def test_tickets_that_are_followed_up(truth: Truth, tickets: dict[str, list[tuple[str, str, Event]]]) -> None:
    weeks: Counter[str] = Counter()
    for happened in tickets.values():
        opened = happened[0][2]
        weeks[str(opened.week)] += any(
            what == "checked_back" and event.at < opened.at + 28 * DAY for what, _, event in happened
        )
    planted = truth.support["checked_back_28d"]
    assert planted == [weeks[week] for week in truth.range["week_starts"]]
    assert sum(planted) > 0


def test_waiting_for_support(
    truth: Truth, reading: Reading, tickets: dict[str, list[tuple[str, str, Event]]], workspace: Path
) -> None:
    closed = {date.fromisoformat(row["day"]) for row in table(workspace, "holidays")}
    waits: dict[str, list[tuple[Event, datetime | None]]] = defaultdict(list)
    for happened in tickets.values():
        opened = happened[0][2]
        agent = [event.at for what, _, event in happened if what == "agent_answered"]
        resolved = [event.at for what, _, event in happened if what == "resolved"]
        waits["first_reply"].append((opened, next(iter(agent), None)))
        waits["first_resolution"].append((opened, next(iter(resolved), None)))
        since: Event | None = None
        for what, _, event in happened:
            if what == "followed_up":
                since = since or event
            elif what == "agent_answered" and since:
                waits["next_reply"].append((since, event.at))
                since = None
        if since:
            waits["next_reply"].append((since, None))
    for name, found in waits.items():
        for hours, length in (
            ("calendar", lambda begin, end: (end - begin).total_seconds()),
            ("business", lambda begin, end: worked(begin, end, closed)),
        ):
            items = [
                (start.week, (length(start.at, end or reading.end), end is not None)) for start, end in found
            ]
            for period, cell in zip(by_period(truth, items), cells(truth.support[name][hours]), strict=True):
                over = [value for value, ended in period if ended]
                assert (cell["n"], cell["closed"]) == (len(period), len(over)), (name, hours)
                assert cell["closed_sum"] == pytest.approx(sum(over))
                for key, share in (("median", 0.5), ("p90", 0.9)):
                    value = share_over(period, share)
                    assert cell[key] == (None if value is None else pytest.approx(value)), (name, hours, key)
    assert any(end is None for found in waits.values() for _, end in found)
    calendar, business = (truth.support["first_reply"][hours]["all"] for hours in ("calendar", "business"))
    assert calendar["median"] > 2 * business["median"]


def test_quick_replies_and_who_comes_back(
    truth: Truth,
    reading: Reading,
    product: Cells,
    tickets: dict[str, list[tuple[str, str, Event]]],
    workspace: Path,
) -> None:
    closed = {date.fromisoformat(row["day"]) for row in table(workspace, "holidays")}
    first: dict[str, list[tuple[str, str, Event]]] = {}
    for happened in sorted(tickets.values(), key=lambda each: each[0][2].at):
        first.setdefault(happened[0][1], happened)
    groups = {"quick": [0, 0], "slow": [0, 0]}
    for person, happened in first.items():
        opened = happened[0][2].at
        if opened + 14 * DAY > reading.end:
            continue
        answered = next((event.at for what, _, event in happened if what == "agent_answered"), None)
        quick = answered is not None and worked(opened, answered, closed) <= 7200
        back = any(
            e.name in product["activity"] and opened + 7 * DAY <= e.at < opened + 14 * DAY
            for e in reading.people[person]
        )
        group = groups["quick" if quick else "slow"]
        group[0] += 1
        group[1] += back
    planted = truth.support["retention"]
    assert groups == {name: [planted[name]["people"], planted[name]["retained"]] for name in groups}
    assert planted["slow"]["retained"] == planted["slow"]["retained_without_effect"]


def test_uploads(truth: Truth, reading: Reading) -> None:
    history: dict[str, list[Mine]] = defaultdict(list)
    for person, event in events(reading, "Upload Started", "Upload Finished", "Upload Failed"):
        history[event.properties["upload_id"]].append((person, event))
    attempts: list[tuple[date, tuple[str, datetime, str]]] = []
    uploads: list[tuple[date, tuple[bool, bool]]] = []
    took: list[tuple[date, float]] = []
    for steps in history.values():
        outcomes = []
        for i, (person, event) in enumerate(steps):
            if event.name != "Upload Started":
                continue
            after = [e for _, e in steps[i + 1 : i + 2] if e.at - event.at < timedelta(hours=1)]
            ends = {"Upload Finished": "success", "Upload Failed": "failure"}
            outcome = ends.get(after[0].name, "abandoned") if after else "abandoned"
            attempts.append((event.week, (person, event.at, outcome)))
            outcomes.append(outcome)
            if outcome == "success":
                took.append((event.week, (after[0].at - event.at).total_seconds()))
        finished = any(e.name == "Upload Finished" for _, e in steps)
        uploads.append((steps[0][1].week, (outcomes[0] == "success", finished)))
    planted = truth.uploads
    for i, period in enumerate(by_period(truth, attempts)):
        first: dict[str, str] = {}
        for person, _, outcome in sorted(period, key=lambda each: each[1]):
            first.setdefault(person, outcome)
        counted = Counter(outcome for _, _, outcome in period)
        names = ("success", "failure", "abandoned")
        assert cells(planted["attempts"])[i] == {
            "attempts": len(period),
            "people": len(first),
            **{name: counted[name] for name in names},
        }
        counted = Counter(first.values())
        assert cells(planted["first_of_person"])[i] == {
            "attempts": len(first),
            **{name: counted[name] for name in names},
        }
    for period, cell in zip(by_period(truth, uploads), cells(planted["uploads"]), strict=True):
        assert cell == {
            "uploads": len(period),
            "first_try": sum(good for good, _ in period),
            "finished": sum(done for _, done in period),
        }
    for period, cell in zip(by_period(truth, took), cells(planted["seconds"]), strict=True):
        assert cell["n"] == len(period)
        values = sorted(period)
        if values:
            assert cell["median"] == pytest.approx(values[math.ceil(0.5 * len(values)) - 1])
            assert cell["p90"] == pytest.approx(values[math.ceil(0.9 * len(values)) - 1])
            cut = len(values) // 20
            assert cell["mean"] == pytest.approx(mean(values))
            assert cell["trimmed_mean"] == pytest.approx(mean(values[cut : len(values) - cut]))
    assert min(planted["attempts"]["all"].values()) > 0
    assert planted["uploads"]["all"]["finished"] > planted["uploads"]["all"]["first_try"]


def test_pages_and_errors(truth: Truth, reading: Reading) -> None:
    pages = [(e.week, (p, e.properties)) for p, e in events(reading, "Page Viewed")]
    for period, cell in zip(by_period(truth, pages), cells(truth.quality["pages"]), strict=True):
        speeds = sorted(properties["load_ms"] for _, properties in period)
        assert cell == {
            "views": len(period),
            "people": len({person for person, _ in period}),
            "failed": sum(properties["failed"] for _, properties in period),
            "slow": sum(speed > 2500 for speed in speeds),
            "p50_ms": speeds[math.ceil(0.5 * len(speeds)) - 1],
            "p95_ms": speeds[math.ceil(0.95 * len(speeds)) - 1],
        }
    errors = [(e.week, (p, e.properties["fatal"])) for p, e in events(reading, "App Error")]
    for period, cell in zip(by_period(truth, errors), cells(truth.quality["errors"]), strict=True):
        assert cell == {
            "errors": len(period),
            "fatal": sum(fatal for _, fatal in period),
            "people": len({person for person, _ in period}),
            "people_fatal": len({person for person, fatal in period if fatal}),
        }
    assert 0 < truth.quality["errors"]["all"]["fatal"] < truth.quality["errors"]["all"]["errors"]
    assert truth.quality["pages"]["all"]["failed"] > 0


def test_sessions(truth: Truth, reading: Reading) -> None:
    found: list[tuple[date, bool]] = []
    for history in reading.people.values():
        session: list[Event] = []
        for event in [e for e in history if e.name in ("Page Viewed", "App Error")]:
            if session and event.at - session[-1].at > timedelta(minutes=30):
                found.append((session[0].week, not any(e.properties.get("fatal") for e in session)))
                session = []
            session.append(event)
        found += [(session[0].week, not any(e.properties.get("fatal") for e in session))] if session else []
    for period, cell in zip(by_period(truth, found), cells(truth.quality["sessions"]), strict=True):
        assert cell == {"sessions": len(period), "crash_free": sum(period)}


def test_invites(truth: Truth, reading: Reading) -> None:
    weeks = truth.range["week_starts"]
    accepted = {e.properties["invite_id"]: (p, e.at) for p, e in events(reading, "Invite Accepted")}
    sent = {e.properties["invite_id"]: (p, e.at) for p, e in events(reading, "Invite Sent")}
    assert len(sent) == truth.referral["invites_sent"]
    assert len(accepted) == truth.referral["invites_accepted"]
    found = {name: [0] * len(weeks) for name in ("sent_14d", "accepted_14d", "sent_28d", "accepted_28d")}
    people, cycle = [0] * len(weeks), []
    for person in reading.people:
        start = reading.first(person, lambda e: e.name == "Signed Up")
        if start:
            people[weeks.index(str(start.week))] += 1
    for invite, (sender, at) in sent.items():
        by, when = accepted.get(invite, (sender, at))
        taken = by != sender and when >= at
        cycle += [(when - at).total_seconds()] if taken else []
        start = reading.first(sender, lambda e: e.name == "Signed Up")
        assert start is not None
        for days in (14, 28):
            if start.at <= at < start.at + days * DAY:
                row = weeks.index(str(start.week))
                found[f"sent_{days}d"][row] += 1
                found[f"accepted_{days}d"][row] += taken and when < start.at + days * DAY
    planted = truth.referral["cohorts"]
    assert planted["people"] == people
    assert {name: planted[name] for name in found} == found
    for days in (14, 28):
        k = [a / n if n else None for a, n in zip(planted[f"accepted_{days}d"], people, strict=True)]
        assert planted[f"k_{days}d"] == k
    assert truth.referral["cycle"] == {
        "accepted": len(cycle),
        "unknown_sender": len(accepted) - len(cycle),
        "median_seconds": pytest.approx(sorted(cycle)[math.ceil(len(cycle) / 2) - 1]),
    }
    assert sum(planted["accepted_28d"]) > 0
    waits = [
        (sent[invite][1], (when - sent[invite][1]).total_seconds())
        for invite, (by, when) in accepted.items()
        if invite in sent and by != sent[invite][0] and timedelta(0) <= when - sent[invite][1] < 28 * DAY
    ]
    found_in = [(monday(at), seconds) for at, seconds in waits]
    for period, cell in zip(by_period(truth, found_in), cells(truth.referral["cycle_28d"]), strict=True):
        assert cell["n"] == len(period)
        middle = sorted(period)[math.ceil(len(period) / 2) - 1] if period else None
        assert cell["median"] == (None if middle is None else pytest.approx(middle))


def monday(at: datetime) -> date:
    day = at.astimezone(BERLIN).date()
    return day - timedelta(days=day.weekday())


def test_time_to_value(truth: Truth, reading: Reading) -> None:
    """Who never gets there waits up to the horizon, and those who signed up late as long as the export goes on."""
    planted = truth.activation["time_to_value"]
    assert truth.activation["within_days"] == 14
    found: list[tuple[date, tuple[float, bool]]] = []
    for history in reading.people.values():
        start = next((event.at for event in history if event.name == "Signed Up"), None)
        if start is None:
            continue
        there = [
            event.at
            for event in history
            if event.name in ("Lesson Watched", "Course Published") and start <= event.at <= start + 14 * DAY
        ]
        until = min(there, default=min(start + 14 * DAY, reading.end))
        found.append((monday(start), ((until - start).total_seconds(), bool(there))))
    for waits, cell in zip(by_period(truth, found), cells(planted), strict=True):
        assert (cell["n"], cell["closed"]) == (len(waits), sum(closed for _, closed in waits))
        for name, share in (("median", 0.5), ("p90", 0.9)):
            expected = share_over(waits, share)
            assert cell[name] == (None if expected is None else pytest.approx(expected)), name
    assert 0 < planted["all"]["closed"] < planted["all"]["n"]


def test_steps_in_order(truth: Truth, reading: Reading) -> None:
    """Every search with every later enrolment and every lesson after that is looked at."""
    planted = truth.activation["search_to_lesson"]
    names = ("Search Performed", "Course Enrolled", "Lesson Watched")
    assert tuple(planted["steps"]) == names
    weeks: dict[str, Counter[str]] = {name: Counter() for name in ("learners", "in_order", "in_any_order")}
    for person, history in reading.people.items():
        start = reading.first(person, lambda e: e.name == "Signed Up" and e.properties["role"] == "learner")
        if start is None:
            continue
        times = [
            [e.at for e in history if e.name == name and start.at <= e.at <= start.at + 14 * DAY]
            for name in names
        ]
        weeks["learners"][str(start.week)] += 1
        weeks["in_any_order"][str(start.week)] += all(times)
        searched, joined, watched = times
        weeks["in_order"][str(start.week)] += any(
            a <= b <= c for a in searched for b in joined for c in watched
        )
    for name, counts in weeks.items():
        assert planted[name] == [counts[week] for week in truth.range["week_starts"]], name
    assert 0 < sum(planted["in_order"]) < sum(planted["in_any_order"])
