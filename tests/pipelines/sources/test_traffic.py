"""Bots and the team's own traffic: which events are marked, and that nothing marked is counted."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from shop import PLAN, Shop, track

import headway as hw
from headway.errors import DefinitionError, InputError
from headway.models.plan import parse_plan
from headway.models.traffic import TrafficRules
from headway_pipelines import ingest as ingesting
from headway_pipelines.privacy.traffic import Marker
from headway_pipelines.publishing.publish import publish_explore
from headway_pipelines.sources.access_log import access_log
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
RULES = """
traffic:
  internal:
    networks: [10.0.0.0/8, 198.51.100.64/26, "2001:db8:7::/48"]
    hosts: [staging.example.com]
    user_agents: [OurTests]
  people: {user_agents: [KioskCrawler]}
  bots: {user_agents: [UptimeThing]}
"""


def marks(rules: dict[str, Any], *agents: str) -> list[str]:
    judged = Marker(TrafficRules.model_validate(rules)).judge(pl.Series(agents, dtype=pl.String))
    assert judged["agent"].to_list() == list(agents)
    return judged["mark"].to_list()


def call(minutes: float, user: str, *, agent: str | None = None, ip: str | None = None, **more: Any) -> Any:
    context = {k: v for k, v in (("userAgent", agent), ("ip", ip)) if v is not None}
    return track("Page Viewed", minutes, user=user, **more) | {"context": context}


@pytest.mark.parametrize(
    ("agent", "mark"),
    [
        (CHROME, "people"),
        (GOOGLE, "bot"),
        ("Mozilla/5.0 (compatible; ExampleCrawler/3.1; +https://crawler.example.org/bot)", "bot"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "bot"),
        ("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "bot"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "bot"),
        # a telephone whose name only sounds like one
        (
            "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/114 Mobile Safari/537.36",
            "people",
        ),
        # what a team's own apps and servers speak HTTP with
        ("okhttp/4.9.1", "people"),
        ("python-requests/2.31", "people"),
        ("MyApp/1.0 CFNetwork/1410.0.3 Darwin/22.6.0", "people"),
        ("", "people"),
    ],
)
def test_lists_of_bots(agent: str, mark: str) -> None:
    assert marks({}, agent) == [mark]


def test_declared_rules_come_before_the_lists() -> None:
    rules = {
        "internal": {"user_agents": ["OurTests"]},
        "people": {"user_agents": ["kioskcrawler"]},
        "bots": {"user_agents": ["UptimeThing"]},
    }
    agents = (f"{GOOGLE} ourtests", "KioskCrawler/1.0", "an uptimething", CHROME)
    assert marks(rules, *agents) == ["internal", "people", "bot", "people"]
    assert marks({}, *agents) == ["bot", "bot", "people", "people"]


def test_the_lists_are_asked_once_per_user_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    from headway_pipelines.privacy import traffic

    asked: Counter[str] = Counter()

    def parsed(agent: str) -> tuple[bool, str | None]:
        asked[agent] += 1
        return False, None

    monkeypatch.setattr(traffic, "_parsed", parsed)
    marker = Marker(TrafficRules())
    for group in (["a", "b"], ["b", "c"], ["a", "c"]):
        marker.judge(pl.Series(group))
    assert asked == {"a": 1, "b": 1, "c": 1}
    monkeypatch.setattr(traffic, "_REMEMBERED", 3)
    assert marker.judge(pl.Series(["d", "a"]))["agent"].to_list() == ["d", "a"]
    assert asked == {"a": 2, "b": 1, "c": 1, "d": 1}


def test_real_log_every_agent_that_says_what_it_is(
    tmp_path: Path, data: Path, clean: Callable[..., Any]
) -> None:
    """10,000 lines of a web server; of its user agents, 1,397 lines name a bot, crawler, spider or slurp."""
    log = tmp_path / "access.log"
    log.write_bytes(gzip.decompress((data / "apache_logs" / "apache_access.log.gz").read_bytes()))
    done = clean(
        log,
        access_log(),
        "  Page Requested: {properties: {browser: {class: enum, from: $browser_family, values: [Chrome, Firefox]}}}\n",
    )
    # one line has no closing quote and is no event
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.endswith('"')]
    agents = pl.Series([line.split('"')[5] for line in lines])
    naming = agents.filter(agents.str.contains("(?i)bot|crawl|spider|slurp"))
    assert len(naming) == 1397
    judged = Marker(TrafficRules()).judge(naming.unique())
    assert set(judged["mark"]) == {"bot"}
    # what the lists know beyond those that say so: feed readers, previews, link checkers; 585 lines in autumn 2026
    counted = dict(done.rows("SELECT traffic, count(*) FROM events GROUP BY 1"))
    assert sum(counted.values()) == 9999
    assert 1397 + 500 < counted["bot"] < 1397 + 1000
    browsers = dict(done.rows("SELECT browser, count(*) FROM events WHERE traffic = 'people' GROUP BY 1"))
    assert set(browsers) == {"Chrome", "Firefox", None}
    assert min(browsers.values()) > 1000


def test_internal_by_network_host_and_agent(shop: Shop) -> None:
    shop = Shop(shop.root, plan=PLAN + RULES)
    calls = {
        "people": [
            call(1, "a", ip="11.0.0.1"),
            call(2, "a", ip="198.51.100.1", agent=CHROME),
            call(3, "a", ip="not an address"),
            call(4, "a", url="https://shop.example.com/p/1?next=staging.example.com"),
            call(5, "a"),
        ],
        "internal": [
            call(6, "b", ip="10.200.3.4"),
            call(7, "b", ip="198.51.100.127"),
            call(8, "b", ip="2001:db8:7::5"),
            call(9, "b", ip="::ffff:10.1.1.1"),
            call(10, "b", url="https://Staging.example.com:8443/p/1"),
            call(11, "b", agent="OurTests 1.0"),
            call(12, "b", ip="10.0.0.1", agent=GOOGLE),
        ],
        "bot": [call(13, "c", agent=GOOGLE), call(14, "c", agent="UptimeThing/3", ip="11.0.0.1")],
    }
    shop.land("a.json", [each for group in calls.values() for each in group])
    shop.load()
    found = dict(shop.query("SELECT traffic, list(line ORDER BY line) FROM lake GROUP BY 1"))
    numbered = iter(range(1, 100))
    assert found == {mark: [next(numbered) for _ in group] for mark, group in calls.items()}


def test_marked_traffic_counts_nowhere_unless_asked(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            call(0, "u1", agent=CHROME),
            call(1, "u1", agent=GOOGLE),
            call(2, "crawler", agent=GOOGLE),
            call(3, "crawler", agent=GOOGLE),
        ],
    )
    shop.load()
    assert shop.query("SELECT count(*) FROM people") == [(1,)]
    with shop.ledger() as ledger:
        done = compute(shop.workspace, ledger)
        publish_explore(shop.workspace, ledger)
    assert (done.people, done.events) == (1, 4)
    tables = tables_of(shop.workspace.metrics_db)
    assert tables["daily_events"]["events"].to_list() == [1]
    assert tables["active_people"]["value"].max() == 1
    with hw.open(shop.root) as log, hw.open(shop.root, traffic="all") as everything:
        assert log.events().rows() == [("Page Viewed", 1, 1)]
        assert everything.events().rows() == [("Page Viewed", 4, 2)]
        bots = hw.Trend("Page Viewed", by="traffic").run(everything).frame
        assert dict(bots.group_by("traffic").agg(pl.col("value").sum()).iter_rows()) == {
            "people": 1,
            "bot": 3,
        }
    with pytest.raises(InputError, match=r"unknown traffic 'bots'\..*Available: 'all', 'people'"):
        hw.open(shop.root, traffic="bots")


def test_new_rules_and_new_lists_mark_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    marked = "SELECT traffic FROM lake"
    raw = shop.land("a.json", [call(0, "u1", agent="UptimeThing/1")])
    shop.load()
    assert shop.query(marked) == [("people",)]
    (shop.root / "tracking_plan.yml").write_text(PLAN + RULES)
    shop.load()
    assert shop.query(marked) == [("bot",)]
    # a new version of the lists: what is still there is read again
    monkeypatch.setattr(ingesting, "bot_lists", lambda: "newer")
    monkeypatch.setattr(Marker, "_mark", lambda *_: "internal")
    shop.load()
    assert shop.query(marked) == [("internal",)]
    # where raw logs are gone, their events keep their marks and later files are read
    monkeypatch.setattr(ingesting, "bot_lists", lambda: "newest")
    monkeypatch.setattr(Marker, "_mark", lambda *_: "people")
    raw.unlink()
    shop.land("b.json", [call(1, "u2", agent="UptimeThing/1")])
    shop.load()
    assert shop.query(marked + " ORDER BY 1") == [("internal",), ("people",)]


def test_neither_agent_nor_address_is_stored(shop: Shop) -> None:
    shop.land("a.json", [call(0, "u1", agent="Unusual/7.1 (grizelda)", ip="203.0.113.77")])
    shop.ingest()
    stored = b"".join(path.read_bytes() for path in shop.workspace.staging.rglob("*.parquet"))
    assert b"grizelda" not in stored and b"203.0.113.77" not in stored
    staged = duckdb.connect()
    assert staged.execute(
        "SELECT traffic FROM read_parquet($files)", {"files": f"{shop.workspace.staging}/*/events.parquet"}
    ).fetchall() == [("people",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "internal: {networks: [10.0.0.1/8]}",
            "7: traffic.internal.networks.0: 10.0.0.1/8 has host bits set",
        ),
        ("internal: {networks: [office]}", "7: traffic.internal.networks.0: .* such as 10.0.0.0/8"),
        ("internal: {hosts: ['https://a.example.com']}", "7: traffic.internal.hosts.0: .*without scheme"),
        ("bots: {user_agents: ['x']}", "7: traffic.bots.user_agents.0: 'x' would match nearly every"),
        ("bot: {}", "7: traffic.bot: unknown key"),
    ],
)
def test_rules_that_cannot_be_used_are_told_with_their_line(text: str, message: str) -> None:
    head = "version: 1\nproduct: p\ndefaults: {purpose: a, owner: b, retention: 1 year}\nevents:\n  A:\ntraffic:\n  "
    with pytest.raises(DefinitionError, match=f"tracking_plan.yml:{message}"):
        parse_plan(head + text)
