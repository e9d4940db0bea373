"""Who is who: hand-made histories with the people they must give."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shop import PRODUCT, START, Shop, at, track

from headway_pipelines.identity import actors
from headway_pipelines.lake import promote

PEOPLE = "SELECT count(DISTINCT person) FROM actor_person"


def test_an_anonymous_visit_belongs_to_the_user_who_signed_up_on_that_device_later(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1"),
            track("Signed Up", 5, user="u1", device="d1"),
            track("Order Completed", 9, user="u1", amount=5),
        ],
    )
    shop.load()
    assert shop.query(PEOPLE) == [(1,)]
    assert shop.query("SELECT count(DISTINCT actor) FROM lake") == [(2,)]


def test_without_stitching_nobody_who_browsed_first_ever_converts(shop: Shop) -> None:
    """Why the mapping exists: by actor, step 1 and step 2 are different people."""
    shop.land("a.json", [track("Page Viewed", 0, device="d1"), track("Signed Up", 5, user="u1", device="d1")])
    shop.load()
    both = (
        "SELECT count(*) FROM (SELECT {who} FROM lake JOIN actor_person USING (actor) "
        "GROUP BY 1 HAVING count(DISTINCT event) = 2)"
    )
    assert shop.query(both.format(who="actor")) == [(0,)]
    assert shop.query(both.format(who="person")) == [(1,)]


def test_a_device_belongs_to_the_user_it_was_last_seen_with(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1"),
            track("Signed Up", 5, user="u1", device="d1"),
            track("Signed Up", 50, user="u2", device="d1"),
        ],
    )
    shop.load()
    assert shop.query(PEOPLE) == [(2,)]
    persons = (
        "SELECT person FROM lake JOIN actor_person USING (actor) WHERE event = '{}' ORDER BY occurred_at"
    )
    (visit,), (_, second) = shop.query(persons.format("Page Viewed")), shop.query(persons.format("Signed Up"))
    assert visit == second


def test_identify_and_alias_calls_join_devices_without_being_events(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1"),
            track("Page Viewed", 1, device="d2"),
            track("Order Completed", 2, user="u1", amount=5),
            {"type": "identify", "userId": "u1", "anonymousId": "d1", "timestamp": at(3)},
            {"type": "alias", "userId": "u1", "previousId": "d2", "timestamp": at(4)},
        ],
    )
    shop.load()
    assert shop.query(PEOPLE) == [(1,)]


def test_ids_are_normalised_before_they_are_hashed(shop: Shop) -> None:
    # the same address in other letters, with a blank, and with a decomposed accent
    ids = ["Zoé@Example.com", " zoé@example.com ", "zoe\u0301@example.com"]
    shop.land("a.json", [track("Signed Up", i, user=user) for i, user in enumerate(ids)])
    shop.load()
    assert shop.query(PEOPLE) == [(1,)]


def test_a_later_link_moves_history_by_the_mapping_and_not_by_rewriting(shop: Shop) -> None:
    shop.land("a.json", [track("Page Viewed", 0, device="d1")])
    shop.load()
    lake = shop.query("SELECT * FROM lake")
    shop.land("b.json", [{"type": "identify", "userId": "u1", "anonymousId": "d1", "timestamp": at(9)}])
    shop.load()
    assert shop.query("SELECT * FROM lake") == lake
    assert shop.query("SELECT actor <> person FROM actor_person") == [(True,)]


def test_the_channel_is_that_of_the_first_touch(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1", url="https://shop.example.com/?utm_medium=email"),
            track("Page Viewed", 9, device="d1", url="https://shop.example.com/?utm_medium=cpc"),
            track("Page Viewed", 9, device="d2", url="https://shop.example.com/"),
        ],
    )
    shop.load()
    assert shop.query("SELECT channel, actors FROM people ORDER BY channel") == [("direct", 1), ("email", 1)]


def alias(user: str, other: str, minutes: float) -> dict[str, object]:
    return {"type": "alias", "userId": user, "previousId": other, "timestamp": at(minutes)}


def identity(shop: Shop) -> dict[str, int]:
    with shop.ledger() as ledger:
        found: dict[str, int] = ledger.get_json("identity")
        del found["derived_again"], found["derived_anew"]
    return found


@pytest.mark.parametrize("first", [0, 1, 2])
def test_an_alias_joins_two_users_whichever_comes_first(shop: Shop, first: int) -> None:
    files = [
        [track("Signed Up", 0, user="u1")],
        [track("Signed Up", 1, user="u2"), track("Page Viewed", 2, device="d1")],
        [alias("u1", "u2", 3), alias("u2", "d1", 4), alias("u2", "u2", 5), alias("u2", "u1", 6)],
    ]
    for number, calls in enumerate(files[first:] + files[:first]):
        shop.land(f"{number}.json", calls)
        shop.load()
    assert shop.query(PEOPLE) == [(1,)]


def test_each_run_tells_what_it_changed(shop: Shop) -> None:
    visits = [track("Page Viewed", i, device=f"d{i}") for i in range(3)]
    shop.land("a.json", [*visits, *(track("Signed Up", i, user=f"u{i}") for i in range(2))])
    shop.load()
    assert identity(shop) == {
        "mode": "latest_user", "before": 0, "after": 5, "new": 5, "gone": 0, "merged": 0, "split": 0,
        "devices_joined": 0, "shared_devices": 0, "oversized_people": 0, "not_one_to_one": 0,
    }  # fmt: skip
    # u0 gets d0 and turns out to be u1; somebody new comes
    shop.land("b.json", [track("Signed Up", 9, user="u0", device="d0"), alias("u1", "u0", 9)])
    shop.land("c.json", [track("Page Viewed", 9, device="d9")])
    shop.load()
    told = {k: v for k, v in identity(shop).items() if v}
    assert told == {
        "mode": "latest_user",
        "before": 5,
        "after": 4,
        "new": 1,
        "merged": 2,
        "devices_joined": 1,
    }


def test_a_device_of_ten_thousand_users_is_shared(shop: Shop) -> None:
    kiosk = [track("Signed Up", 1, user=f"u{i}", device="kiosk", id=str(i)) for i in range(10_000)]
    shop.land("a.json", [track("Page Viewed", 0, device="kiosk"), *kiosk])
    shop.load()
    assert shop.query(PEOPLE) == [(10_001,)]
    assert identity(shop)["shared_devices"] == 1


LOG_OUTS = PRODUCT + "identity: {mode: components, logout: [Order Completed]}\n"


def test_events_after_a_log_out_are_nobodys(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop", product=LOG_OUTS)
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1"),
            track("Signed Up", 1, user="u1", device="d1"),
            track("Order Completed", 2, user="u1", device="d1", amount=5),
            track("Page Viewed", 3, device="d1"),
        ],
    )
    shop.load()
    people = "SELECT count(*), count(DISTINCT person) FROM people"
    assert shop.query(people) == [(2, 2)]
    assert shop.query("SELECT count(*) FROM device_spans") == [(2,)]
    shop.land("b.json", [track("Signed Up", 4, user="u2", device="d1")])
    shop.load()
    assert shop.query(people) == [(2, 2)]
    assert shop.query("SELECT count(*) FROM people WHERE actors = 2") == [(2,)]


def test_changing_what_is_a_log_out_reads_the_logs_again(shop: Shop) -> None:
    shop.land(
        "a.json", [track("Page Viewed", 0, device="d1"), track("Order Completed", 1, user="u1", device="d1")]
    )
    shop.load()
    assert shop.query("SELECT count(*) FROM device_spans") == [(0,)]
    (shop.root / "product.yml").write_text(LOG_OUTS)
    shop.land("b.json", [track("Page Viewed", 3, device="d1")])
    shop.load()
    assert shop.query("SELECT count(*) FROM device_spans") == [(2,)]


def test_ids_that_are_none_join_nobody_and_are_counted(shop: Shop) -> None:
    nobody = ['"null"', " Anonymous\t", "00000000-0000-0000-0000-000000000000", "", "[object Object]", "'0'"]
    shop.land("a.json", [track("Page Viewed", i, user=n, device=f"d{i}") for i, n in enumerate(nobody)])
    shop.land("b.json", [track("Signed Up", 1, user="NULL", device="undefined"), alias("u1", "None", 1)])
    shop.load()
    assert shop.query(PEOPLE) == [(len(nobody),)]
    assert shop.query("SELECT count(*) FROM links") == [(0,)]
    with shop.ledger() as ledger:
        dropped = {(d["event"], d["property"]): d["n_values"] for d in ledger.dropped()}
        located = {r["reason"] for r in ledger.rejects()}
    assert dropped == {
        ("Page Viewed", "user id"): len(nobody),
        ("(no usable id)", "user id"): 1,
        ("(no usable id)", "device id"): 1,
        ("(alias without two ids)", "other id"): 1,
    }
    assert located == {"no usable id", "alias without two ids"}


def test_only_new_files_of_the_lake_are_read_for_actors(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    true = actors._list_actors

    def listed_once(con: duckdb.DuckDBPyConnection, lake_file: Path, target: Path) -> None:
        read.append(lake_file)
        true(con, lake_file, target)

    monkeypatch.setattr(actors, "_list_actors", listed_once)
    shop.land("a.json", [track("Page Viewed", 0, device="d1"), track("Page Viewed", 3000, device="d1")])
    shop.load()
    shop.land("b.json", [track("Page Viewed", 1, device="d2")])
    shop.load()
    assert len(read) == 3
    # a day that is written anew leaves no list of the old file behind
    shop.land("c.json", [track("Page Viewed", 0, device="d1", received=-5)])
    shop.load()
    listed = {p.name for p in (shop.workspace.people / "actors").iterdir()}
    with shop.ledger() as ledger:
        assert listed == {Path(p).name for p in ledger.lake_files()}


def test_files_of_links_become_one_when_there_are_many(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promote, "MAX_LINK_FILES", 2)
    for n in range(4):
        shop.land(
            f"{n}.json",
            [track("Signed Up", n, user="u1", device="d1"), track("Page Viewed", 9 + n, device="d1")],
        )
        shop.load()
        with shop.ledger() as ledger:
            assert len(ledger.lake_files("links")) == [1, 2, 1, 2][n]
    assert shop.query("SELECT min(first_at), max(last_at) FROM links") == [
        (START, START + timedelta(minutes=3))
    ]
    assert shop.query(PEOPLE) == [(1,)]


_call = st.tuples(
    st.sampled_from(["d1", "d2", "d3", None]), st.sampled_from(["u1", "u2", None]), st.integers(0, 5)
).filter(lambda call: call[0] is not None or call[1] is not None)
_calls = st.lists(_call, min_size=1, max_size=8)


@given(_calls)
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_stitching_agrees_with_a_naive_reading(
    tmp_path_factory: object, calls: list[tuple[str | None, str | None, int]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("naive")  # type: ignore[attr-defined]
    shop = Shop(folder / "shop")
    seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
    actors = set()
    for device, user, minute in calls:
        if user or device:
            actors.add(("user", user) if user else ("device", device))
        if user and device:
            seen[device].append((minute, user))
    shop.land(
        "a.json", [track("Signed Up", m, user=u, device=d, id=str(i)) for i, (d, u, m) in enumerate(calls)]
    )
    shop.load()
    # two users at the same last instant: either is right, and which one is decided by their pseudonyms
    clear = [d for d in seen if len({u for m, u in seen[d] if m == max(m for m, _ in seen[d])}) == 1]
    if set(clear) == set(seen):
        owner = {d: max(links)[1] for d, links in seen.items()}
        people = {("user", owner[n]) if k == "device" and n in owner else (k, n) for k, n in actors}
        assert shop.query(PEOPLE) == [(len(people),)]
