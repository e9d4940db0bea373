"""Properties of people and accounts: what was said of whom, from when on, and what questions make of it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shop import PLAN, PRODUCT, START, Shop, at, track

from headway.engine import connect, load, with_inputs
from headway.models.plan import Column
from headway_pipelines.people import histories, properties
from headway_pipelines.people.properties import history_query

DECLARED = (
    PLAN
    + """
person_properties:
  plan: {class: enum, values: [free, pro]}
  seats: {class: integer, min: 1, max: 100}
  country: {class: enum, values: [DE, FR], from: address.country}
  site: {class: url, keep: host}
  coach: {class: id, domain: user}
  email: {class: sensitive}
account_properties:
  sector: {class: enum, values: [school, firm]}
"""
)


_db = connect()
_db.execute(
    "CREATE TABLE kept (subject VARCHAR, property VARCHAR, value VARCHAR, by_minute BOOLEAN, "
    "valid_from TIMESTAMP, received_at TIMESTAMP)"
)


def identify(
    minutes: float, *, user: str | None = None, device: str | None = None, **traits: Any
) -> dict[str, Any]:
    call = {"type": "identify", "messageId": f"i{minutes}{user}{device}{traits}", "traits": traits}
    call |= {"timestamp": at(minutes), "receivedAt": at(traits.pop("received", minutes))}
    return call | {k: v for k, v in (("userId", user), ("anonymousId", device)) if v is not None}


def group(minutes: float, account: str, **traits: Any) -> dict[str, Any]:
    when = {"timestamp": at(minutes), "receivedAt": at(minutes)}
    return {
        "type": "group",
        "messageId": f"g{minutes}{account}",
        "groupId": account,
        "userId": "u1",
        **when,
        "traits": traits,
    }


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop", plan=DECLARED)


def history(shop: Shop, columns: str, subject: str = "person") -> list[tuple[Any, ...]]:
    """Minutes since the start and values, in order."""
    con = connect()
    path = shop.workspace.people / f"{subject}_properties.parquet"
    try:
        rows = con.execute(
            f"SELECT valid_from, {columns} FROM read_parquet('{path}') ORDER BY valid_from"
        ).fetchall()
    finally:
        con.close()
    return [((when - START) / timedelta(minutes=1), *values) for when, *values in rows]


def test_a_value_holds_from_when_it_was_said_until_another_is(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Signed Up", 0, user="u1"),
            identify(1, user="u1", plan="free", seats=3),
            identify(5, user="u1", plan="pro"),
            identify(9, user="u1", plan="pro", seats=4),
        ],
    )
    shop.load()
    assert history(shop, "plan, seats") == [(1, "free", 3), (5, "pro", 3), (9, "pro", 4)]


def test_every_class_is_typed_and_what_does_not_fit_is_dropped_and_counted(shop: Shop) -> None:
    fine: dict[str, Any] = {
        "plan": "pro",
        "seats": 3,
        "address": {"country": "DE"},
        "site": "https://a.example.com/x",
        "coach": "u9",
    }
    misfit: dict[str, Any] = {
        "plan": "gold",
        "seats": 0,
        "address": {"country": "US"},
        "site": "home",
        "email": "a@example.com",
    }
    shop.land("a.json", [identify(1, user="u1", **fine), identify(2, user="u1", **misfit, shoe_size=9)])
    shop.load()
    assert history(shop, "plan, seats, country, site, coach IS NULL") == [
        (1, "pro", 3, "DE", "a.example.com", False)
    ]
    with shop.ledger() as ledger:
        dropped = {
            (d["property"], d["reason"]): d["n_values"]
            for d in ledger.dropped()
            if d["event"] == "(identify)"
        }
    hidden = [key for key in dropped if key[0].startswith("property#")]
    assert [(reason, dropped.pop((name, reason))) for name, reason in hidden] == [("undeclared", 1)]
    misfits = {(name, "does not fit its class"): 1 for name in ("plan", "seats", "country", "site")}
    assert dropped == {**misfits, ("email", "sensitive"): 1}


def test_events_and_devices_speak_of_people_too_and_a_merge_merges_what_was_said(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1"),
            identify(1, device="d1", plan="free"),
            track("Signed Up", 2, user="u1", device="d1"),
            identify(3, user="u1", seats=2),
        ],
    )
    shop.load()
    assert history(shop, "plan, seats") == [(1, "free", None), (3, "free", 2)]


def test_what_a_device_said_belongs_to_who_had_it_then(shop: Shop) -> None:
    """The device goes from one person to the other by a log-out; what it said before is not true of the second."""
    shop = Shop(shop.root, plan=DECLARED, product=PRODUCT + "identity: {logout: [Order Completed]}\n")
    shop.land(
        "a.json",
        [
            track("Signed Up", 0, user="u1", device="d1"),
            identify(1, device="d1", plan="pro"),
            track("Page Viewed", 2, device="d1"),
            track("Order Completed", 3, user="u1", device="d1", amount=1),
            track("Signed Up", 10, user="u2", device="d1"),
            identify(11, device="d1", plan="free"),
        ],
    )
    shop.load()
    users = dict(shop.query("SELECT occurred_at, actor FROM lake WHERE event = 'Signed Up'"))
    first, second = (users[START + timedelta(minutes=minutes)] for minutes in (0, 10))
    assert shop.query("SELECT person, plan FROM person_properties ORDER BY valid_from") == [
        (first, "pro"),
        (second, "free"),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_each_of_three_holders_of_a_device_in_one_day_has_what_it_said(
    shop: Shop, order: tuple[int, ...]
) -> None:
    shop = Shop(shop.root, plan=DECLARED, product=PRODUCT + "identity: {logout: [Order Completed]}\n")
    files = [
        [
            track("Signed Up", 60 * hour, user=f"u{hour}", device="d1"),
            *(identify(60 * hour + 1 + second / 60, device="d1", plan="pro") for second in range(0, 60, 9)),
            track("Order Completed", 60 * hour + 2, user=f"u{hour}", device="d1", amount=1),
        ]
        for hour in range(3)
    ]
    for number in order:
        shop.land(f"{number}.json", files[number])
        shop.load()
    assert history(shop, "plan") == [(60 * hour + 1, "pro") for hour in range(3)]
    assert shop.query("SELECT count(DISTINCT person) FROM person_properties") == [(3,)]


def alias(minutes: float, user: str, other: str) -> dict[str, Any]:
    return {"type": "alias", "userId": user, "previousId": other, "timestamp": at(minutes)}


@pytest.mark.parametrize("mode", ["latest_user", "strict"])
def test_what_is_said_of_an_id_that_did_nothing_is_its_persons(tmp_path: Path, mode: str) -> None:
    shop = Shop(tmp_path / "shop", plan=DECLARED, product=PRODUCT + f"identity: {{mode: {mode}}}\n")
    users = [f"u{number}" for number in range(5)]
    known = [call for u in users for call in (track("Signed Up", 0, user=u), identify(1, user=u, seats=2))]
    alone = [alias(2, "u0", "old0"), identify(3, user="old0", plan="pro")]
    from_a_device = [alias(2, "u1", "old1"), identify(3, user="old1", device="d1", plan="pro")]
    of_a_device = [alias(2, "u2", "d2"), identify(3, device="d2", plan="pro")]
    device = [track("Page Viewed", 2, user="u3", device="d3"), identify(3, device="d3", plan="pro")]
    chain = [alias(1, "old4", "first4"), alias(2, "u4", "old4"), identify(3, user="first4", plan="pro")]
    shop.land("a.json", [*known, *alone, *from_a_device, *of_a_device, *device, *chain])
    shop.load()
    columns = "list((seats, plan) ORDER BY valid_from)"
    told = shop.query(f"SELECT {columns} FROM person_properties GROUP BY person")
    assert told == [([(2, None), (2, "pro")],)] * 5


def test_what_a_device_that_did_nothing_said_belongs_to_who_had_it_then(shop: Shop) -> None:
    shop = Shop(shop.root, plan=DECLARED, product=PRODUCT + "identity: {logout: [Order Completed]}\n")
    calls = [
        track("Signed Up", 0, user="u1", device="d1"),
        identify(1, device="d1", plan="pro"),
        track("Order Completed", 3, user="u1", device="d1", amount=1),
        identify(4, device="d1", seats=9),
        track("Order Completed", 5, device="d2", user="u1", amount=1),
        track("Order Completed", 6, user="u2", device="d1", amount=1),
        track("Signed Up", 10, user="u3", device="d1"),
        identify(11, device="d1", plan="free"),
    ]
    shop.land("a.json", calls)
    shop.load()
    users = dict(shop.query("SELECT occurred_at, actor FROM lake"))
    assert shop.query("SELECT person, seats, plan FROM person_properties ORDER BY valid_from") == [
        (users[START + timedelta(minutes=0)], None, "pro"),
        (users[START + timedelta(minutes=6)], 9, None),
        (users[START + timedelta(minutes=10)], None, "free"),
    ]


def test_a_day_puts_together_again_only_the_histories_it_touches(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second day says nothing new of u1 or d1, it only tells that they are one; the third speaks of acme and u2."""
    shop.land(
        "a.json",
        [
            *(track("Page Viewed", 0, device=device) for device in ("d1", "d2")),
            identify(1, device="d1", plan="free"),
            identify(2, user="u1", seats=2),
            identify(3, user="u2", plan="pro"),
            group(4, "acme", sector="firm"),
            group(4, "bee", sector="school"),
        ],
    )
    shop.load()
    before = history(shop, "person")

    def whole(*_: object) -> list[str]:
        raise AssertionError("all histories were derived")

    monkeypatch.setattr(histories, "write_histories", whole)
    accounts = shop.workspace.people / "account_properties.parquet"
    untouched = accounts.stat().st_mtime_ns
    shop.land("b.json", [track("Signed Up", 5, user="u1", device="d1")])
    shop.load()
    assert history(shop, "plan, seats") == [(1, "free", None), (2, "free", 2), (3, "pro", None)]
    (device, user, other), (d1, u1, u2) = (
        [person for _, person in rows] for rows in (before, history(shop, "person"))
    )
    assert device != user
    assert (d1, u2) == (u1, other)
    assert accounts.stat().st_mtime_ns == untouched
    shop.land("c.json", [group(6, "acme", sector="school"), identify(7, user="u2", seats=9)])
    shop.load()
    assert history(shop, "plan, seats")[2:] == [(3, "pro", None), (7, "pro", 9)]
    sectors = history(shop, "sector", "account")
    assert (sorted(sectors[:2]), sectors[2:]) == ([(4, "firm"), (4, "school")], [(6, "school")])


def test_many_files_of_statements_become_one_and_say_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties, "MAX_STATEMENT_FILES", 2)
    for day in range(4):
        shop.land(f"{day}.json", [identify(day, user="u1", seats=day + 1)])
        shop.load()
    with shop.ledger() as ledger:
        assert len(ledger.lake_files("person")) == 2
    assert history(shop, "seats") == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_accounts_have_properties_of_their_own(shop: Shop) -> None:
    shop.land("a.json", [group(1, "acme", sector="firm", plan="pro"), group(2, "acme", sector="school")])
    shop.load()
    assert history(shop, "sector", "account") == [(1, "firm"), (2, "school")]
    with shop.ledger() as ledger:
        assert [d["n_values"] for d in ledger.dropped() if d["event"] == "(group)"] == [1]


def test_who_and_when_must_be_known(shop: Shop) -> None:
    nameless = [identify(1, plan="pro"), identify(2, user="unknown", plan="pro")]
    timeless = identify(3, user="u1", plan="pro") | {"timestamp": "soon"}
    future = identify(10_000, user="u1", plan="pro", received=0)
    shop.land("a.json", [*nameless, timeless, future, identify(4, user="u1", plan="free")])
    shop.load()
    assert history(shop, "plan") == [(4, "free")]
    with shop.ledger() as ledger:
        assert {d["reason"]: d["n_values"] for d in ledger.dropped()} == {
            "no usable id or time": 4,
            "is no identifier": 1,
        }


def test_at_one_instant_the_first_to_arrive_holds_and_then_the_smallest_value(shop: Shop) -> None:
    said = [
        identify(1, user="u1", plan="pro", received=2, seats=1),
        identify(1, user="u1", plan="free", received=3, seats=1),
        identify(1, user="u2", plan="pro", seats=2),
        identify(1, user="u2", plan="free", seats=2),
    ]
    for number, call in enumerate(reversed(said)):
        shop.land(f"{number}.json", [call])
        shop.load()
    assert sorted(history(shop, "seats, plan")) == [(1, 1, "pro"), (1, 2, "free")]


def test_a_value_on_every_event_is_kept_twice_a_day(shop: Shop) -> None:
    calls = [identify(minute, user="u1", plan="pro", seats=1 + minute // 200) for minute in range(400)]
    shop.land("a.json", calls)
    shop.ingest()
    with shop.ledger() as ledger:
        (name,) = ledger.waiting_groups()
    con = connect()
    rows = con.execute(f"FROM read_parquet('{shop.workspace.staging / name / 'person.parquet'}')").fetchall()
    con.close()
    assert len(rows) == 6


@pytest.mark.parametrize("files", ["person-*", "account-*", "actors/*", "../events/contested-*"])
def test_a_damaged_file_beside_the_events_is_repaired_from_raw(shop: Shop, files: str) -> None:
    calls = [track("Signed Up", 0, user="u1", id="m1"), identify(1, user="u1", plan="pro")]
    shop.land("a.json", [*calls, group(1, "acme", sector="firm")])
    shop.land("b.json", [track("Page Viewed", 0, user="u1", id="m1")])
    shop.load()
    (path,) = shop.workspace.people.glob(files)
    path.write_bytes(path.read_bytes()[:-9])
    shop.land(
        "c.json", [track("Page Viewed", 9, user="u1"), track("Page Viewed", 0, user="u1", id="m1", title="x")]
    )
    shop.load()
    assert history(shop, "plan") == [(1, "pro")]
    assert history(shop, "sector", "account") == [(1, "firm")]
    assert shop.query("SELECT count(*) FROM actor_person") == [(1,)]


def test_an_empty_section_stores_nothing_and_writes_no_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "plain")
    shop.land("a.json", [track("Signed Up", 0, user="u1"), identify(1, user="u1", plan="free")])
    shop.load()
    assert not [
        path for path in shop.workspace.people.iterdir() if path.name.startswith(("person", "account"))
    ]


# -- incremental means equal ----------------------------------------------------------------------------------------

Said = tuple[str, str, str, int, int]
"""User (or device that may change hands), property, value, minute, minutes until it arrived."""

_said = st.tuples(
    st.sampled_from(["u1", "u2", "d1"]),
    st.sampled_from(["plan", "seats"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from([0, 1, 2, 3, 1440, 1441, 1442]),
    st.integers(0, 2),
)


_ENDS = (("", "_first"), ("-", "_last"))


def _instant(minute: int) -> str:
    return f"make_timestamp({minute * 60_000_000})"


def naive(said: Iterable[Said]) -> dict[tuple[str, str, int], str]:
    """Value by user, property and minute of a change: the ends of days or minutes, then ties, one by one."""
    told: dict[tuple[str, str, str, int], list[tuple[int, int]]] = {}
    for user, name, value, minute, late in said:
        slot = minute if user == "d1" else minute // 1440
        told.setdefault((user, name, value, slot), []).append((minute, minute + late))
    found: dict[tuple[str, str, int], tuple[int, str]] = {}
    for (user, name, value, _), times in told.items():
        last = max(minute for minute, _ in times)
        for minute, received in (min(times), min(time for time in times if time[0] == last)):
            rival = found.get((user, name, minute), (received, value))
            found[user, name, minute] = min(rival, (received, value))
    changes: dict[tuple[str, str, int], str] = {}
    before: dict[tuple[str, str], str] = {}
    for (user, name, minute), (_, value) in sorted(found.items()):
        if before.get((user, name)) != value:
            changes[user, name, minute] = before[user, name] = value
    return changes


#: Back to a value, and said again: the time between is lost whether the day came in one file or in many.
_RETURN: list[Said] = [("u1", "plan", value, minute, 0) for minute, value in enumerate("1211")]
_RETURN += [("u2", "seats", "1", minute, 0) for minute in range(6)]
# of a device that may change hands it is not lost
_RETURN += [("d1", "plan", value, minute, 0) for minute, value in enumerate("1211")]


@settings(max_examples=25, deadline=None, derandomize=True)
@example(said=_RETURN, seed=0)
@example(said=_RETURN, seed=1)
@example(said=_RETURN, seed=2)
@given(said=st.lists(_said, min_size=1, max_size=14), seed=st.integers(0, 99))
def test_any_order_and_any_cut_into_files_gives_the_history_of_the_whole(said: list[Said], seed: int) -> None:
    shuffled = [*said, *said[:2]]
    random.Random(seed).shuffle(shuffled)
    _db.execute("CREATE OR REPLACE TABLE statements AS SELECT * FROM kept LIMIT 0")
    for start in range(0, len(shuffled), 4):
        rows = ", ".join(
            f"('{user}', {_instant(minute)}, {_instant(minute + late)}, "
            f"{value if name == 'plan' else 'NULL'}::VARCHAR, {value if name == 'seats' else 'NULL'}::VARCHAR)"
            for user, name, value, minute, late in shuffled[start : start + 4]
        )
        ends = [
            f"{{'at': epoch_us(told), 'received': {sign}epoch_us(received)}} AS {end}" for sign, end in _ENDS
        ]
        stated = (
            "SELECT 1 AS _batch, who AS _subject, who = 'd1' AS _by_minute, "
            f"date_trunc(if(_by_minute, 'minute', 'day'), told) AS _slot, {', '.join(ends)}, plan, seats "
            f"FROM (VALUES {rows}) t(who, told, received, plan, seats)"
        )
        query = with_inputs(load("headway_pipelines.privacy", "trait_statements"), {"stated": stated})
        _db.execute(f"CREATE OR REPLACE TABLE staged_statements AS {query}")
        both = "FROM statements UNION ALL BY NAME SELECT * EXCLUDE (batch) FROM staged_statements"
        merged = with_inputs(load("headway_pipelines.people", "merged_statements"), {"said": both})
        _db.execute(f"CREATE OR REPLACE TABLE statements AS {merged}")
    columns = {name: Column(name, "VARCHAR", "enum") for name in ("plan", "seats")}
    query = history_query("person", columns, "(SELECT subject AS who, * FROM statements)")
    wide = _db.execute(
        f"SELECT person, epoch_us(valid_from) // 60000000, plan, seats FROM ({query})"
    ).fetchall()
    expected = naive(said)
    assert [(user, minute) for user, minute, *_ in wide] == sorted(
        {(user, minute) for user, _, minute in expected}
    )
    for user, minute, *values in wide:
        for name, value in zip(columns, values, strict=True):
            so_far = [m for u, n, m in expected if (u, n) == (user, name) and m <= minute]
            assert value == (expected[user, name, max(so_far)] if so_far else None)
