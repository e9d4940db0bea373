"""Who is who: hand-made histories with the people they must give."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shop import Shop, at, track

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


_call = st.tuples(
    st.sampled_from(["d1", "d2", "d3", None]), st.sampled_from(["u1", "u2", None]), st.integers(0, 5)
).filter(lambda call: call[0] is not None or call[1] is not None)
_calls = st.lists(_call, min_size=1, max_size=8)


@given(_calls)
@settings(
    max_examples=15,
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
