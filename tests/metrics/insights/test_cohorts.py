"""Cohorts against a naive second implementation, hand counts, and what must not get in."""

from __future__ import annotations

import functools
import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headway as hw
from headway.insights.cohorts import Cohort, Combined, Inverse
from headway.log import EventLog
from headway.selectors import as_event

UTC = ZoneInfo("UTC")
# Clocks in Berlin go forward on 29 March 2026 at 01:00 UTC: that day has 23 hours.
START = datetime(2026, 3, 26)
EXAMPLES = 2000 if os.environ.get("HEADWAY_FULL") else 20
NASTY = 'Watched "it"; DROP TABLE events; --\' 🚢'


class Row(NamedTuple):
    person: str
    event: str
    hours: int
    amount: int | None = None

    @property
    def at(self) -> datetime:
        return START + timedelta(hours=self.hours)


def make_log(rows: Sequence[Row], plans: dict[str, str] | None = None, **options: Any) -> EventLog:
    frame = pl.DataFrame(
        [(row.person, row.event, row.at, row.amount) for row in rows],
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "amount": pl.Int64,
        },
        orient="row",
    )
    told: dict[str, list[Any]] = {
        "person": list(plans or {}),
        "valid_from": [START] * len(plans or {}),
        "plan": list((plans or {}).values()),
    }
    types: dict[str, Any] = {"person": pl.String, "valid_from": pl.Datetime("us"), "plan": pl.String}
    return EventLog(frame, person_properties=pl.DataFrame(told, schema=types), **options)


def nested(times: int) -> Cohort:
    cohort: Cohort = hw.Did("Signed Up")
    for _ in range(times):
        cohort = ~(cohort & hw.Did("Lesson"))
    return cohort


def people_in(cohort: Cohort, log: EventLog, **options: Any) -> list[str]:
    return cohort.people(log, **options)["person"].to_list()


# --- the definition, person by person -------------------------------------------------------------------------------


def is_in(
    cohort: Cohort, own: list[Row], plan: str | None, zone: str, until: date | None, last: datetime
) -> bool:
    match cohort:
        case Inverse(part=part):
            return not is_in(part, own, plan, zone, until, last)
        case Combined(kind=kind, parts=parts):
            each = [is_in(part, own, plan, zone, until, last) for part in parts]
            return all(each) if kind == "and" else any(each)
        case hw.Where():
            return plan == "pro"
        case hw.People():
            return own[0].person in cohort.ids
        case hw.Did():
            return counts_in(cohort, own, zone, until, last)
    raise AssertionError(cohort)


def counts_in(did: hw.Did, own: list[Row], zone: str, until: date | None, last: datetime) -> bool:
    def day(at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()

    def fits(row: Row, selector: object) -> bool:
        event = as_event(selector)  # type: ignore[arg-type]
        return row.event in event.names and (event.where is None or (row.amount or 0) > 1)  # type: ignore[operator]

    end = date.fromisoformat(str(did.until)) if did.until else until
    matching = [row for row in own if fits(row, did.event)]
    if did.first_time:
        matching = [row for row in matching if row.at == min(each.at for each in matching)]
    found = [row for row in matching if end is None or day(row.at) <= end]
    if did.since:
        found = [row for row in found if day(row.at) >= date.fromisoformat(str(did.since))]
    if did.last:
        final = end or day(last)
        found = [row for row in found if day(row.at) > final - timedelta(days=int(did.last[:-1]))]
    if did.within:
        starts = [row.at for row in own if did.of is None or fits(row, did.of)]
        hours = int(did.within[:-1]) * (24 if did.within.endswith("d") else 1)
        found = [
            row for row in found if starts and min(starts) <= row.at <= min(starts) + timedelta(hours=hours)
        ]
    least, most = did.times
    return least <= len(found) and (most is None or len(found) <= most)


selectors = st.sampled_from(["Visit", NASTY, ["Visit", NASTY], hw.Event("Visit", where="amount > 1")])
counts = st.sampled_from(
    [{}, {"at_least": 2}, {"at_most": 1}, {"exactly": 2}, {"exactly": 0}, {"at_least": 1, "at_most": 2}]
)
days = st.sampled_from(["2026-03-27", "2026-03-29", "2026-03-31"])
ranges = st.one_of(
    st.just({}),
    st.builds(lambda day: {"since": day}, days),
    st.builds(lambda day: {"until": day}, days),
    st.builds(lambda n: {"last": f"{n}d"}, st.integers(1, 3)),
    st.builds(
        lambda w, of: {"within": w, "of": of},
        st.sampled_from(["1d", "24h", "30h", "3d"]),
        st.none() | selectors,
    ),
)
dids = st.builds(lambda e, n, r: hw.Did(e, **n, **r), selectors, counts, ranges) | st.builds(
    lambda e, r: hw.Did(e, first_time=True, **r), selectors, ranges
)
cohorts = st.recursive(
    dids
    | st.just(hw.Where("person.plan = 'pro'"))
    | st.builds(lambda ids: hw.People([*ids, "z"]), st.lists(st.sampled_from("abc"))),
    lambda parts: st.one_of(
        parts.map(lambda c: ~c),
        st.builds(lambda a, b: a & b, parts, parts),
        st.builds(lambda a, b: a | b, parts, parts),
        st.builds(lambda a, b: a - b, parts, parts),
    ),
    max_leaves=4,
)
histories = st.lists(
    st.builds(
        Row,
        person=st.sampled_from("abcd"),
        event=st.sampled_from(["Visit", NASTY]),
        hours=st.integers(0, 150),
        amount=st.sampled_from([None, 1, 2]),
    ),
    max_size=25,
)
# Every event occurs and somebody on every list is there, so that no question is refused; long before all else.
KNOWN = [Row("z", "Visit", -1000, 1), Row("z", NASTY, -1000, 1)]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    rows=histories,
    cohort=cohorts,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]),
    until=st.none() | days,
    pros=st.sets(st.sampled_from("abcd")),
)
def test_equals_the_naive_definition(
    rows: list[Row], cohort: Cohort, zone: str, until: str | None, pros: set[str]
) -> None:
    rows = rows + KNOWN
    plans = {person: "pro" if person in pros else "free" for person in "abc"} | (
        {"d": "pro"} if "d" in pros else {}
    )
    last = max(row.at for row in rows)
    with make_log(rows, plans) as log:
        got = people_in(cohort, log, until=until, timezone=zone)
    end = None if until is None else date.fromisoformat(until)
    expected = [
        person
        for person in sorted({row.person for row in rows})
        if is_in(cohort, [row for row in rows if row.person == person], plans.get(person), zone, end, last)
    ]
    assert got == expected


# --- by hand --------------------------------------------------------------------------------------------------------

HISTORY = [
    Row("ann", "Signed Up", 0),
    Row("ann", "Lesson", 24),
    Row("ann", "Lesson", 168),
    Row("bob", "Signed Up", 0),
    Row("bob", "Lesson", 169),
    Row("cy", "Lesson", 0),
    Row("cy", "Signed Up", 1),
    Row("cy", "Lesson", 1),
]


@pytest.mark.parametrize(
    ("cohort", "expected"),
    [
        (hw.Did("Lesson"), "ann bob cy"),
        (hw.Did("Lesson", at_least=2), "ann cy"),
        (hw.Did("Lesson", at_most=1), "bob"),
        (hw.Did("Lesson", exactly=0), ""),
        # 168 hours after the start is still within 7 days, 169 are not.
        (hw.Did("Lesson", within="7d"), "ann cy"),
        (hw.Did("Lesson", at_least=2, within="7d"), "ann cy"),
        # Of cy's two lessons one came before the sign-up; the one at the same instant counts.
        (hw.Did("Lesson", exactly=1, within="7d", of="Signed Up"), "cy"),
        # The event that starts the window counts itself.
        (hw.Did("Lesson", exactly=1, within="1h", of="Lesson"), "ann bob"),
        (hw.Did("Lesson", first_time=True, since="2026-03-27"), "ann bob"),
        (hw.Did("Lesson", since="2026-03-27"), "ann bob"),
        (hw.Did("Lesson", last="1d"), "ann bob"),
        (hw.Did("Lesson", last="1d", until="2026-03-26"), "cy"),
        (~hw.Did("Lesson", last="1d"), "cy"),
        (hw.Did("Lesson", at_least=2) - hw.People(["ann"]), "cy"),
        (hw.People(["ann", None, "nobody"]) | hw.People(["cy"]), "ann cy"),
        (hw.People([]), ""),
        (~hw.People([]), "ann bob cy"),
    ],
)
def test_by_hand(cohort: Cohort, expected: str) -> None:
    with make_log(HISTORY) as log:
        assert people_in(cohort, log) == expected.split()


def test_a_funnels_people_are_a_cohort() -> None:
    with make_log(HISTORY) as log:
        reached = hw.Funnel(["Signed Up", "Lesson"], within="7d").run(log).people
        converted = hw.People(reached.filter(pl.col("level") == 2), name="converted")
        assert people_in(converted, log) == ["ann", "cy"]
        trend = hw.Trend("Lesson", period="month", by=converted).run(log).frame
        sums = trend.group_by("converted").agg(pl.col("value").sum()).sort("converted")
        assert sums.rows() == [("in", 4), ("not in", 1)]


def test_ends_with_the_question() -> None:
    """What happens after the question's range puts nobody into a cohort, unless the cohort says so."""
    asked = hw.Trend("Signed Up", measure="people", period="month", until="2026-03-26")
    with make_log(HISTORY) as log:
        early = replace(asked, cohort=hw.Did("Lesson")).run(log)
        late = replace(asked, cohort=hw.Did("Lesson", until="2026-12-31")).run(log)
    assert (early.frame["value"].to_list(), late.frame["value"].to_list()) == ([1], [3])


def test_properties_are_those_last_known_even_after_the_last_event() -> None:
    frame = pl.DataFrame({"person": ["ann", "bob"], "event": ["A", "A"], "occurred_at": [START, START]})
    told = pl.DataFrame(
        {
            "person": ["ann", "ann", "bob", "bob"],
            "valid_from": [START, START + timedelta(days=9)] * 2,
            "plan": ["free", "pro", "pro", "free"],
        }
    )
    with EventLog(frame, person_properties=told) as log:
        for word in ("person", "person_latest"):
            assert people_in(hw.Where(f"{word}.plan = 'pro'"), log) == ["ann"]
            assert people_in(~hw.Where(f"{word}.plan = 'pro'"), log) == ["bob"]


def test_people_of_other_units_go_by_their_person() -> None:
    rows = [("ann", "Visit", 1), ("bob", "Visit", 1), ("cy", "Visit", 2), ("ann", "Payment", 3)]
    frame = pl.DataFrame(rows, schema=["person", "event", "account"], orient="row").with_columns(
        occurred_at=START
    )
    with EventLog(frame) as log:
        asked = hw.Trend("Visit", measure="people", period="month", unit="account", cohort=~hw.Did("Payment"))
        assert asked.run(log).frame["value"].to_list() == [2]


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        (hw.Did("A"), "People who did A."),
        (~hw.Did("A"), "People who did not do A."),
        (hw.Did("A", exactly=0), "People who did not do A."),
        (~hw.Did("A", exactly=0), "People who did A."),
        (hw.Did("A", at_least=3, last="7d"), "People who did A at least 3 times on the last 7 local days."),
        (hw.Did("A", at_most=1), "People who did A at most once."),
        (hw.Did("A", at_least=2, at_most=4), "People who did A 2 to 4 times."),
        (~hw.Did("A", exactly=2), "People who are not among those who did A exactly 2 times."),
        (
            hw.Did("A", first_time=True, since="2026-03-01", until="2026-03-31"),
            "People who did A for the first time from 2026-03-01 to 2026-03-31.",
        ),
        (
            hw.Did("A", within="24h", of=["B", "C"]),
            "People who did A within 24 hours of their first B or C.",
        ),
        (hw.Did("A") & hw.Did("B") - hw.Did("C"), "People who did A and did B and did not do C."),
        (~(hw.Did("A") | hw.Did("B")), "People who did not do A and did not do B."),
        ((hw.Did("A").named("keen") - hw.Did("B")), "People who are in keen and did not do B."),
        (hw.People(["ann"], name="testers"), "testers: people who are on a list of 1 person."),
        (~hw.People(["ann", "bob"]), "People who are not on a list of 2 people."),
    ],
)
def test_says_who_is_in_it(cohort: Cohort, words: str) -> None:
    assert cohort.describe() == words


def test_a_result_says_whom_it_is_about_and_quotes_nobody() -> None:
    with make_log(HISTORY) as log:
        result = hw.Trend("Lesson", cohort=hw.People(["ann"]) & hw.Did("Lesson").named("keen")).run(log)
    assert "only people who are on a list of 1 person and are in keen." in result.describe()
    assert "ann" not in result.sql and "ann" not in repr(result)


# --- what cannot be asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hw.Did("A", at_least=-1), "at_least must be a whole number from 1"),
        (lambda: hw.Did("A", at_least=0), "exactly=0 takes people who did not"),
        (lambda: hw.Did("A", at_most=-1), "at_most must be"),
        (lambda: hw.Did("A", exactly=True), "exactly must be"),
        (lambda: hw.Did("A", exactly=1, at_least=1), "either exactly"),
        (lambda: hw.Did("A", at_least=3, at_most=2), "nobody can be"),
        (lambda: hw.Did("A", within="0d"), "longer than nothing"),
        (lambda: hw.Did("A", last="0d"), "longer than nothing"),
        (lambda: hw.Did("A", within=7), "longer than nothing"),  # type: ignore[arg-type]
        (lambda: hw.Did("A", within="soon"), "is not a duration"),
        (lambda: hw.Did("A", last="36h"), "counts local days"),
        (lambda: hw.Did("A", last="3d", since="2026-03-01"), "either since or last"),
        (lambda: hw.Did("A", of="B"), "give within as well"),
        (lambda: hw.Did("A", since="2026-03-02", until="2026-03-01"), "the range of time is empty"),
        (lambda: hw.Did("A", since="never"), "is not a date"),
        (lambda: hw.Did("A", first_time=True, at_least=2), "without a number of times"),
        (lambda: hw.Did("A", name=" "), "must be a text that is not empty"),
        (lambda: hw.Did("A").named(""), "must be a text that is not empty"),
        (lambda: hw.Where(""), "needs a condition"),
        (lambda: hw.People("ann"), "needs a list of ids"),
        (lambda: hw.People([1.5]), "texts or whole numbers"),
        (lambda: hw.People(pl.DataFrame({"persn": ["ann"]})), "Did you mean"),
        (lambda: hw.Did("A") & "B", "can be combined with cohorts only"),  # type: ignore[operator]
        (lambda: hw.Did("A") and hw.Did("B"), "neither true nor false"),
        (lambda: functools.reduce(operator.or_, [hw.Did("A")] * 501), "at most 500 others"),
        (
            lambda: nested(20),
            "at most 30 deep",
        ),
        (lambda: hw.Trend("A", top=3), "give by as well"),
        (lambda: hw.Trend("A", by="plan", top=0), "top must be"),
        (lambda: hw.Trend("A", by=[]), "by must be"),
        (lambda: hw.Trend("A", by=["plan", "plan"]), "names something twice"),
        (lambda: hw.Trend("A", by=3), "by must be"),  # type: ignore[arg-type]
    ],
)
def test_refuses(make: Callable[[], object], message: str) -> None:
    with pytest.raises(hw.InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        (hw.Did("Leson"), "Did you mean 'Lesson'"),
        (hw.Did("Lesson", within="1d", of="Sign Up"), "Did you mean 'Signed Up'"),
        (hw.Did(hw.Event("Lesson", where="amuont > 1")), "Did you mean 'amount'"),
        (hw.Where("person.plam = 'pro'"), "Did you mean 'person.plan'"),
        (hw.Where("amount > 1"), "unknown property 'amount'"),
        (hw.Where("person.plan = 'pro'; DROP TABLE events"), "cannot hold a semicolon"),
        (hw.Where("person.plan = (SELECT 1)"), "cannot use|cannot read"),
        (~hw.People(["someone", "of another log"]), "none of the 2 people on the list is in this log"),
        ("Lesson", "cohort must be a cohort"),
    ],
)
def test_refuses_what_the_log_does_not_know(cohort: Any, message: str) -> None:
    with make_log(HISTORY) as log, pytest.raises(hw.InputError, match=message) as refused:
        hw.Trend("Lesson", cohort=cohort).run(log)
    assert "another log" not in str(refused.value) or "someone" not in str(refused.value)


def test_a_log_without_properties_of_people_says_so() -> None:
    frame = pl.DataFrame({"person": ["ann"], "event": ["A"], "occurred_at": [START], "plan": ["pro"]})
    with EventLog(frame) as log:
        with pytest.raises(hw.InputError, match="no person properties are"):
            hw.Where("person.plan = 'pro'").people(log)
        with pytest.raises(hw.InputError, match="not a property of people"):
            hw.Where("plan = 'pro'").people(log)


def test_an_empty_log_has_nobody_in_any_cohort() -> None:
    with make_log([]) as log:
        for cohort in (
            hw.Did("A"),
            ~hw.Did("A"),
            hw.Did("A", last="7d"),
            hw.Did("A", within="1d"),
            hw.People([]),
        ):
            assert people_in(cohort, log) == []


def test_large_and_deep_cohorts_can_be_asked() -> None:
    wide = functools.reduce(operator.or_, [hw.Did("Lesson", at_least=n) for n in range(2, 400)])
    deep = nested(14)
    with make_log(HISTORY) as log:
        assert people_in(wide, log) == ["ann", "cy"]
        assert people_in(deep, log) == ["ann", "bob", "cy"]
    assert ~~deep == deep


def test_ids_of_any_type_are_found() -> None:
    frame = pl.DataFrame({"person": [1, 2], "event": ["A", "A"], "occurred_at": [START, START]})
    with EventLog(frame) as log:
        assert people_in(hw.People([2]), log) == people_in(hw.People(["2"]), log) == [2]  # type: ignore[comparison-overlap]


def test_is_a_value() -> None:
    one = (hw.Did("A", at_least=2) | hw.People(["b", "a", "a"])) - hw.Where("person.plan = 'pro'")
    other = (hw.Did("A", at_least=2) | hw.People(["a", "b"])) - hw.Where("person.plan = 'pro'")
    assert one == other and hash(one) == hash(other)
    assert hw.Trend("A", cohort=one, by=["plan", other]) == hw.Trend("A", cohort=other, by=["plan", one])


@pytest.mark.parametrize("name", [NASTY, "'", '"', ";", "ünï\u2028cödé", "\\", "$top", "-- x"])
def test_names_and_values_stay_data(name: str) -> None:
    frame = pl.DataFrame(
        {"person": ["ann", "bob"], "event": [name, "A"], "occurred_at": [START] * 2, name: [name, None]}
    )
    with EventLog(frame) as log:
        cohort = hw.Did(name).named(name + "!")
        assert people_in(cohort, log) == ["ann"]
        trend = hw.Trend(hw.Event(None), by=[name, cohort]).run(log).frame
        assert trend.select(name, name + "!", "value").rows() == sorted(
            [("(none)", "not in", 1), (name, "in", 1)]
        )
        assert people_in(hw.People([name, "ann"]), log) == ["ann"]
