"""Sessions of a workspace: the product's rules, stitching first, late events and merges."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from shop import PLAN, PRODUCT, Shop, track

import headway as hw
from headway.errors import DefinitionError
from headway.models.plan import parse_plan
from headway.models.product import SessionRules, parse_product
from headway_pipelines.people import sessions
from headway_pipelines.people.sessions import session_question
from headway_pipelines.publishing.publish import publish, publish_explore, published_tables
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of

SESSIONS = "SELECT session, events, seconds FROM sessions ORDER BY ALL"
GOOGLE = {
    "context": {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
}


def view(minutes: float, **who: Any) -> dict[str, Any]:
    return track("Page Viewed", minutes, **who)


def test_a_session_may_go_from_a_device_to_the_user_who_signs_up(shop: Shop) -> None:
    shop.land(
        "a.json", [view(0, device="d1"), track("Signed Up", 20, user="u1", device="d1"), view(45, user="u1")]
    )
    shop.load()
    assert shop.query(SESSIONS) == [(1, 3, 2700.0)]


def test_a_late_event_joins_two_sessions_and_a_merge_two_people(shop: Shop) -> None:
    shop.land("a.json", [view(0, user="u1"), view(50, user="u1"), view(70, device="d2")])
    shop.load()
    assert shop.query(SESSIONS) == [(1, 1, 0.0), (1, 1, 0.0), (2, 1, 0.0)]
    shop.land("b.json", [view(25, user="u1", received=5000)])
    shop.load()
    assert shop.query(SESSIONS) == [(1, 1, 0.0), (1, 3, 3000.0)]
    shop.land("c.json", [{**view(400, user="u1", device="d2"), "type": "identify"}])
    shop.load()
    assert shop.query(SESSIONS) == [(1, 4, 4200.0)]


def test_the_rules_of_the_product(shop: Shop) -> None:
    rules = "sessions: {idle: 10m, cut_at_midnight: true, exclude: [Order Completed], max_rate: 2}\n"
    shop = Shop(shop.root, product=PRODUCT + rules)
    shop.land(
        "a.json",
        [
            *[view(minutes, user="u1") for minutes in (0, 10, 21)],
            track("Order Completed", 15, user="u1", amount=1),
            # midnight in Berlin is 23:00 UTC, 14 hours after the shop's first morning
            *[view(minutes, user="u2") for minutes in (835, 845)],
            *[view(second / 60, user="u3", id=f"m{second}") for second in range(3)],
        ],
    )
    shop.load()
    assert shop.query("SELECT events, seconds, reason FROM sessions ORDER BY started_at, events") == [
        (2, 600.0, None),
        (3, 2.0, "too many events"),
        (1, 0.0, None),
        (1, 0.0, None),
        (1, 0.0, None),
    ]


def test_sessions_by_the_trackers_id(shop: Shop) -> None:
    plan = PLAN.replace("      title: {class: text}", "      session_id: {class: id, domain: session}")
    shop = Shop(shop.root, plan=plan, product=PRODUCT + "sessions: {tracker_id: session_id}\n")
    shop.land(
        "a.json",
        [
            view(0, user="u1", session_id="s-1"),
            view(300, user="u1", session_id="s-1"),
            view(301, user="u1", session_id="s-2"),
            view(302, user="u1"),
        ],
    )
    shop.load()
    found = shop.query("SELECT session, events, seconds, tracker_id FROM sessions ORDER BY session")
    assert [row[:3] for row in found] == [(1, 2, 18000.0), (2, 1, 0.0)]
    # the id is the surrogate the events have
    assert {row[3] for row in found} == {
        str(each)
        for (each,) in shop.query("SELECT DISTINCT session_id FROM lake WHERE session_id IS NOT NULL")
    }


def test_what_is_left_out_is_counted_and_few_are_not_shown(shop: Shop) -> None:
    def crawl(user: str) -> dict[str, Any]:
        return view(0, user=user) | GOOGLE

    runaway = [view(second / 60, user="robot", id=f"m{second % 60}-{second}") for second in range(1800)]
    shop = Shop(shop.root, product=PRODUCT + "sessions: {max_rate: 30}\n")
    shop.land("a.json", [*(crawl(f"c{n}") for n in range(12)), *runaway, view(0, user="u1")])
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
        publish_explore(shop.workspace, ledger)
        publish(shop.workspace)
    left_out = tables_of(shop.workspace.metrics_db)["left_out"]
    assert left_out.rows() == [("event", "bot", 12, 12), ("session", "too many events", 1, 1)]
    shown = published_tables(shop.workspace.published_db)["left_out"]
    assert shown.rows() == [
        ("event", "bot", 12, 12, False, None),
        ("session", "too many events", None, None, True, None),
    ]
    with hw.open(shop.root) as log:
        assert log.sql("SELECT count(*) FILTER (reason IS NULL) AS n FROM sessions")["n"].to_list() == [1]
        asked = hw.Sessions(max_rate=30).run(log)
        assert asked.frame.height == 1
        assert asked.set_apart["events"].to_list() == [1800]


def test_who_is_left_out_is_who_had_the_device_then(shop: Shop) -> None:
    shop = Shop(shop.root, product=PRODUCT + "identity: {logout: [Order Completed]}\n")
    hands = [
        [
            track("Signed Up", 60 * hour, user=f"u{hour}", device="d1"),
            view(60 * hour + 1, device="d1") | GOOGLE,
            track("Order Completed", 60 * hour + 2, user=f"u{hour}", device="d1", amount=1),
        ]
        for hour in range(3)
    ]
    shop.land("a.json", [*(call for calls in hands for call in calls), view(200, device="d1")])
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
    assert tables_of(shop.workspace.metrics_db)["left_out"].rows() == [("event", "bot", 3, 3)]


def test_an_empty_workspace_has_no_sessions(shop: Shop) -> None:
    shop.land("a.json", ["not json"])
    shop.load()
    assert shop.query(SESSIONS) == []


def test_rules_default_to_those_of_the_question() -> None:
    defaults = {name: field.default for name, field in SessionRules.model_fields.items()}
    assert defaults.pop("tracker_id") is None
    assert defaults.pop("exclude") == ()
    question = {each.name: each.default for each in dataclasses.fields(hw.Sessions)}
    assert defaults == {name: question[name] for name in defaults}
    plan = parse_plan(PLAN)
    assert session_question(parse_product(PRODUCT, plan)) == hw.Sessions()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("{idle: soon}", "sessions.idle: 'soon' is not a duration"),
        ("{idle: 0m}", "sessions.idle: '0m' is no time at all"),
        (
            "{exclude: [Page View]}",
            "sessions.exclude.0: the tracking plan has no event 'Page View' .did you mean",
        ),
        (
            "{tracker_id: order}",
            "sessions.tracker_id: the tracking plan has no id 'order' .did you mean 'order_id'",
        ),
        ("{tracker_id: version}", "sessions.tracker_id: the tracking plan has no id 'version'"),
        ("{max_rate: 0}", "sessions.max_rate: "),
        ("{separator: x}", "sessions.separator: unknown key"),
    ],
)
def test_wrong_rules_are_told_with_their_line(rules: str, message: str) -> None:
    line = PRODUCT.count("\n") + 1
    with pytest.raises(DefinitionError, match=f"product.yml:{line}: {message}"):
        parse_product(PRODUCT + f"sessions: {rules}\n", parse_plan(PLAN))


ALL_ROWS = "SELECT session, started_at, ended_at, events, seconds, reason FROM sessions ORDER BY ALL"


@pytest.mark.parametrize(
    "rules",
    [
        "{}",
        "{idle: 10m, cut_at_midnight: true, exclude: [Order Completed], too_long: cut, max_length: 1h, max_rate: 4}",
        "{tracker_id: session_id}",
    ],
)
def test_bundles_of_people_give_what_all_at_once_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str
) -> None:
    """Two days of 60 people, of whom some come back late: the sessions of all, then of those who changed."""
    plan = PLAN.replace("      title: {class: text}", "      session_id: {class: id, domain: session}")
    chance = random.Random(5)

    def day(first: int, count: int) -> list[dict[str, Any]]:
        def call(number: int) -> dict[str, Any]:
            minutes, user = first + chance.uniform(0, 900), f"u{chance.randrange(60)}"
            if chance.random() < 0.2:
                return track("Order Completed", minutes, user=user, id=f"o{first}-{number}", amount=1)
            return view(
                minutes, user=user, id=f"v{first}-{number}", session_id=f"{user}-{int(minutes) // 300}"
            )

        return [call(number) for number in range(count)]

    days = [day(0, 600), day(700, 90)]
    in_bundles = Mock(side_effect=sessions._found_in_bundles)
    monkeypatch.setattr(sessions, "_found_in_bundles", in_bundles)
    found = []
    for at_once in (10_000, 100):
        monkeypatch.setattr(sessions, "_AT_ONCE", at_once)
        shop = Shop(tmp_path / str(at_once), plan=plan, product=f"{PRODUCT}sessions: {rules}\n")
        for number, calls in enumerate(days):
            shop.land(f"{number}.json", calls)
            shop.load()
            found.append(shop.query(ALL_ROWS))
        assert not list((shop.workspace.warehouse / "tmp").glob("*"))
    assert [call.args[-1] for call in in_bundles.call_args_list] == [6, 7]
    assert found[:2] == found[2:]
    assert len(found[1]) > len(found[0]) > 60
    assert shop.query("SELECT count(DISTINCT person) FROM sessions") == [(60,)]
