"""`headway init`: what it guesses from logs, and that personal data never reaches a file it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shop import at, track

from headway.errors import InputError
from headway.models.plan import TrackingPlan, load_plan
from headway.models.product import load_product
from headway_pipelines.init_workspace import Initialised, init_workspace
from headway_pipelines.privacy.guesses import Common, Seen, guess
from headway_pipelines.privacy.proof import scan
from headway_pipelines.run import run
from headway_pipelines.sources.config import load_sources

PEOPLE = 40
PLANTED = (
    "grizelda.quux@example.org",
    "Grizelda Quux",
    "+49 170 55512345",
    "4111 1111 1111 1111",
    "203.0.113.77",
    "user-grizelda-only",
)


def calls() -> Iterator[dict[str, Any]]:
    """Forty people: a page, a sign-up, an order each day for nine days; personal data in the usual places."""
    for person in range(PEOPLE):
        who = f"user-{person}" if person else "user-grizelda-only"
        for day in range(9):
            minute = day * 1440 + person
            page: dict[str, Any] = {
                "url": f"https://www.example.com/u/{person}?utm_source=mail&email={PLANTED[0]}",
                "referrer": f"https://site{person}.example.net/path",
                "title": f"Hello {PLANTED[1]}" if person == 0 else f"Page {person}",
                "plan": ("free", "pro", "team")[person % 3],
                "seat": PLANTED[1] if person == 0 else "desk",
                "source": "web",
            }
            yield track("Page Viewed", minute, user=who, **page)
            order: dict[str, Any] = {
                "amount": 9.5 + person,
                "items": person % 4,
                "gift": person % 2 == 0,
                "due": at(minute + 60),
                "order_id": f"o-{person}-{day}",
                "e-mail": PLANTED[0],
                "reach": PLANTED[2],
                "payment": PLANTED[3],
                "host": PLANTED[4],
                "basket": {"sku": PLANTED[1]},
                "long": 10_000_000 + person,
                "zip": "10115",
            }
            yield track("Order Completed", minute + 1, user=who, **order)
        yield track("Signed Up", person, user=who, plan_name="free")
        traits = {
            "plan": ["free", "pro"][person % 2],
            "email": PLANTED[0],
            "seats": person,
            "nickname": f"n{person}",
        }
        yield track("", person, user=who) | {"type": "identify", "traits": traits}
        yield track("", person, user=who) | {"type": "group", "groupId": "g1", "traits": {"account": "firm"}}
    for i in range(12):
        # several people sent these, so only the look of the name can keep it out
        yield track(f"Mail to {PLANTED[0]}", i, user=f"user-{i}")
        yield track("Signed Up", 70 + i, user=f"user-{i}", **{f"of {PLANTED[2]}": "x"})
        names: dict[str, Any] = {PLANTED[0]: 1, PLANTED[1]: i}
        yield track("Only Grizelda Quux", i, user="user-1", **names)
        yield track("Signed Up", 50 + i, user="user-1", **names)


def write_logs(folder: Path) -> Path:
    folder.mkdir()
    lines = [json.dumps(call) for call in calls()]
    for part in range(3):
        (folder / f"part{part}.jsonl").write_text("\n".join(lines[part::3]) + "\n")
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return write_logs(tmp_path / "logs")


@pytest.fixture
def made(tmp_path: Path, logs: Path) -> Initialised:
    return init_workspace(tmp_path / "shop", [logs])


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> TrackingPlan:
    """What is guessed, once for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("guessed")
    return load_plan(init_workspace(folder / "shop", [write_logs(folder / "logs")]).workspace.plan_file)


def test_declares_the_events_that_several_people_sent(plan: TrackingPlan) -> None:
    assert set(plan.events) == {"Page Viewed", "Order Completed", "Signed Up"}


@pytest.mark.parametrize(
    ("event", "name", "class_"),
    [
        ("Page Viewed", "url", "url"),
        ("Page Viewed", "referrer", "url"),
        ("Page Viewed", "title", "text"),
        ("Page Viewed", "plan", "enum"),
        ("Page Viewed", "seat", "text"),
        ("Page Viewed", "source", "enum"),
        ("Order Completed", "amount", "number"),
        ("Order Completed", "items", "integer"),
        ("Order Completed", "gift", "bool"),
        ("Order Completed", "due", "timestamp"),
        ("Order Completed", "order_id", "id"),
        ("Order Completed", "e-mail", "sensitive"),
        ("Order Completed", "reach", "sensitive"),
        ("Order Completed", "payment", "sensitive"),
        ("Order Completed", "host", "sensitive"),
        ("Order Completed", "basket", "text"),
        ("Order Completed", "long", "text"),
        ("Order Completed", "zip", "sensitive"),
        ("Signed Up", "plan_name", "enum"),
    ],
)
def test_guesses_the_class_of_a_property(plan: TrackingPlan, event: str, name: str, class_: str) -> None:
    assert plan.events[event].properties[name].class_ == class_


def test_guesses_what_is_said_of_people_and_of_accounts(plan: TrackingPlan) -> None:
    assert {name: spec.class_ for name, spec in plan.person_properties.items()} == {
        "plan": "enum",
        "email": "sensitive",
        "seats": "integer",
        "nickname": "sensitive",
    }
    (account,) = plan.account_properties.values()
    assert (account.class_, account.column) == ("enum", "account_property")


def test_guesses_explain_themselves_and_keep_what_the_class_needs(made: Initialised) -> None:
    text = made.workspace.plan_file.read_text()
    assert "plan: {class: enum, values: [free, pro, team]} # 3 values, each sent by at least 10" in text
    assert 'hosts: ["www.example.com"], query: [utm_source, utm_medium, utm_campaign]' in text
    assert "referrer: {class: url, keep: host}" in text
    assert "order_id: {class: id, domain: order}" in text
    assert "source: {class: enum, values: [web], column: source_property}" in text
    assert all("# " in line for line in text.splitlines() if "{class:" in line)


def test_personal_data_never_appears_in_what_is_written(made: Initialised) -> None:
    files = [p for p in made.workspace.root.rglob("*") if p.is_file() and "raw" not in p.parts]
    assert {p.name for p in files} == {"tracking_plan.yml", "product.yml"}
    assert scan(files, PLANTED) == []


def test_the_workspace_runs_and_nothing_personal_is_stored(made: Initialised) -> None:
    outcome = run(made.workspace)
    assert (outcome.blocked, outcome.damaged, outcome.problems) == ({}, {}, ())
    assert (made.workspace.report / "index.html").exists()
    written = [p for p in made.workspace.root.iterdir() if p.name != "raw"]
    # The run counts undeclared names by its own, weaker rule: it does not know how many people sent them.
    values = [planted for planted in PLANTED if planted != PLANTED[1]]
    assert scan(written, values) == []


def test_the_product_file_asks_for_the_most_frequent_events(made: Initialised) -> None:
    product = load_product(made.workspace.product_file, load_plan(made.workspace.plan_file))
    assert product.activity.event == ("Order Completed", "Page Viewed", "Signed Up")
    assert {metric.kind for metric in product.metrics.values()} == {
        "new_people",
        "share",
        "retention",
        "mean",
    }
    assert [c.name for c in product.channels] == ["paid", "email", "referral", "organic"]


def test_one_folder_becomes_raw_so_that_later_files_are_seen(made: Initialised, logs: Path) -> None:
    assert made.follows and made.workspace.raw.resolve() == logs.resolve()


def test_files_are_linked_one_by_one(tmp_path: Path, logs: Path) -> None:
    made = init_workspace(tmp_path / "shop", [logs, logs / "part0.jsonl"])
    assert not made.follows
    links = [
        p.relative_to(made.workspace.raw).as_posix() for p in sorted(made.workspace.raw.rglob("*.jsonl"))
    ]
    assert links == ["logs/part0.jsonl", "logs/part1.jsonl", "logs/part2.jsonl", "part0.jsonl"]
    assert all(p.is_symlink() for p in made.workspace.raw.rglob("*.jsonl"))


def test_logs_that_lie_in_the_workspace_stay_there(tmp_path: Path, logs: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    logs.rename(root / "raw")
    assert init_workspace(root, [root / "raw"]).linked == 0


def test_access_logs_are_recognised(tmp_path: Path) -> None:
    lines = [
        f'198.51.100.{i % 30} - - [02/Mar/2026:10:00:{i % 60:02d} +0000] "GET /p{i % 3} HTTP/1.1" 200 5 "-" "agent{i}"'
        for i in range(300)
    ]
    (tmp_path / "access.log").write_text("\n".join(lines) + "\n")
    made = init_workspace(tmp_path / "site", [tmp_path / "access.log"])
    assert made.source_formats == ("access_log",)
    (source,) = load_sources(made.workspace)
    assert (source.name, source.format, source.files) == ("access_log", "access_log", ("**/*",))
    assert "198.51.100" not in made.workspace.plan_file.read_text()


def test_a_mapping_in_sources_yml_is_used(tmp_path: Path) -> None:
    root = tmp_path / "orders"
    root.mkdir()
    (root / "sources.yml").write_text(
        "sources:\n  orders:\n    format: delimited\n    event: {value: Order Completed}\n"
        "    user: customer\n    time: {column: date}\n"
    )
    rows = "\n".join(f"{i % 20},2026-03-{i % 28 + 1:02d},{i % 7}.50" for i in range(200))
    (tmp_path / "orders.csv").write_text(f"customer,date,amount\n{rows}\n")
    made = init_workspace(root, [tmp_path / "orders.csv"])
    assert made.source_formats == ("delimited",)
    assert "amount: {class: number}" in made.workspace.plan_file.read_text()


def test_refuses_a_workspace_and_logs_it_cannot_read(made: Initialised, tmp_path: Path, logs: Path) -> None:
    with pytest.raises(InputError, match=r"is a workspace already: it has product\.yml, tracking_plan\.yml"):
        init_workspace(made.workspace.root, [logs])
    with pytest.raises(InputError, match="does not exist"):
        init_workspace(tmp_path / "a", [tmp_path / "nowhere"])
    with pytest.raises(InputError, match="lies inside the logs' folder"):
        init_workspace(logs / "inside", [logs])
    with pytest.raises(InputError, match=r"unknown source 'csv'.*write .*sources\.yml first"):
        init_workspace(tmp_path / "b", [logs], "csv")
    (tmp_path / "poem.txt").write_text("Shall I compare thee to a summer's day?\n" * 20)
    with pytest.raises(
        InputError, match=r"1 file, and none is .* recognised:\n  poem.txt: text of no known format\n"
    ):
        init_workspace(tmp_path / "c", [tmp_path / "poem.txt"])


def test_a_second_try_leaves_the_folder_of_the_logs_alone(tmp_path: Path, logs: Path) -> None:
    root, before = tmp_path / "shop", sorted(logs.iterdir())
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in before)
    with pytest.raises(InputError, match=f"no event was found in {lines} lines"):
        init_workspace(root, [logs], "access_log")
    assert not root.exists()
    # what a try that was killed leaves behind
    root.mkdir()
    (root / "raw").symlink_to(logs, target_is_directory=True)
    with pytest.raises(InputError, match="is a link to another folder"):
        init_workspace(root, [logs / "part0.jsonl"])
    again = init_workspace(root, [logs])
    assert (again.linked, again.follows, sorted(logs.iterdir())) == (0, True, before)


def seen(name: str, values: tuple[Common, ...]) -> Seen:
    n = sum(each.n for each in values)
    return Seen(name, n, 50, len(values), values=values)


@pytest.mark.parametrize(
    ("value", "actors", "class_"),
    [
        ("gold", 10, "enum"),
        ("gold", 9, "text"),
        ("a" * 65, 10, "text"),
        ("0f8fad5bd9cb469fa165708677289502", 10, "text"),
        ("call 030 123 456 789 012", 10, "text"),
    ],
)
def test_an_enum_needs_ten_people_per_value_and_no_detector(value: str, actors: int, class_: str) -> None:
    values = (Common("basic", 90, 40), Common(value, 10, actors))
    assert guess(seen("tier", values)).class_ == class_


def test_thirty_one_values_are_no_enum() -> None:
    values = tuple(Common(f"v{i}", 10, 10) for i in range(31))
    assert guess(seen("tier", values[:30])).class_ == "enum"
    assert guess(seen("tier", values)).class_ == "text"
