"""A run derives people and sessions only where something is new, and says why when it derives everybody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from shop import PRODUCT, Shop, track

from headway_pipelines.lake.promote import collect_garbage
from headway_pipelines.people import basis, sessions
from headway_pipelines.people import derive as deriving
from headway_pipelines.people import part as people_part
from headway_pipelines.people.derive import Stitched, derive_people
from headway_pipelines.people.sessions import Visits, derive_sessions


def arrive(shop: Shop) -> None:
    """Brings what landed into the lake."""
    shop.ingest()
    shop.judge()
    shop.promote()


def derive(shop: Shop) -> tuple[Stitched, Visits]:
    with shop.ledger() as ledger:
        return derive_people(shop.workspace, ledger), derive_sessions(shop.workspace, ledger)


def everything(shop: Shop) -> list[list[tuple[object, ...]]]:
    """The derived tables, as sets of rows."""
    return [
        shop.query(f"SELECT * FROM {table} ORDER BY ALL")
        for table in ("actor_person", "device_spans", "people", "sessions")
    ]


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """Three users with a device each, and a visitor."""
    calls = [track("Signed Up", i, user=f"u{i}", device=f"d{i}") for i in range(3)]
    shop.land("a.json", [*calls, track("Page Viewed", 7, device="d9")])
    arrive(shop)
    first = derive(shop)
    assert [done.anew for done in first] == [basis.FIRST, basis.FIRST]
    assert first[0].again == 4
    return shop


def test_a_run_without_anything_new_derives_nothing(busy: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(deriving, "connect", never)
    monkeypatch.setattr(sessions, "connect", never)
    stitched, visits = derive(busy)
    assert (stitched.again, stitched.anew, visits.anew) == (0, "", "")
    assert (stitched.change.before, stitched.change.after, visits.sessions) == (4, 4, 4)


@pytest.mark.parametrize(
    ("call", "again", "touched"),
    [
        # who is known comes back: nobody is somebody else, one person has other sessions
        (track("Page Viewed", 90, user="u1", device="d1"), 0, 1),
        # a new visitor is the only one to be looked at
        (track("Page Viewed", 90, device="new"), 1, 1),
        # the visitor signs up as somebody known, whose device is looked at again
        (track("Page Viewed", 90, user="u1", device="d9"), 3, 2),
        # an alias joins two users, each with a device
        ({"type": "alias", "userId": "u1", "previousId": "u2", "timestamp": "2026-03-02T12:00:00Z"}, 5, 2),
    ],
)  # fmt: skip
def test_only_whom_the_news_touch(
    busy: Shop, monkeypatch: pytest.MonkeyPatch, call: dict[str, object], again: int, touched: int
) -> None:
    asked = []
    true = people_part.attach_members

    def counted(con: duckdb.DuckDBPyConnection) -> None:
        asked.append(con.execute("SELECT count(*) FROM touched_people").fetchall()[0][0])
        true(con)

    monkeypatch.setattr(sessions, "attach_members", counted)
    busy.land("b.json", [call])
    arrive(busy)
    stitched, visits = derive(busy)
    assert (stitched.anew, visits.anew) == ("", "")
    assert (stitched.again, asked) == (again, [touched])


def test_a_day_that_is_written_anew_touches_whose_events_changed(busy: Shop) -> None:
    # an earlier copy of one event replaces it: the file of the day is another one, with the others' events in it
    busy.land("b.json", [track("Page Viewed", 7, device="d9", received=-5)])
    arrive(busy)
    with busy.ledger() as ledger:
        assert len(ledger.lake_files("events")) == 1
        stitched = derive_people(busy.workspace, ledger)
    assert stitched.anew == ""
    changes = basis.changes_file(busy.workspace, 2)
    assert busy.query(f"SELECT count(*) FROM read_parquet('{changes}')") == [(1,)]


def _rules(shop: Shop) -> None:
    (shop.root / "product.yml").write_text(PRODUCT + "identity: {mode: none}\n")


def _channels(shop: Shop) -> None:
    (shop.root / "product.yml").write_text(PRODUCT.replace("'email'", "'mail'"))


def _version(shop: Shop) -> None:
    with shop.ledger() as ledger:
        kept = ledger.get_json("people_basis")
        ledger.put_json("people_basis", kept | {"stamps": kept["stamps"] | {"code": "older"}})


def _restart(shop: Shop) -> None:
    with shop.ledger() as ledger, ledger.transaction():
        ledger.reset()
    arrive(shop)


def _cut(shop: Shop) -> None:
    path = shop.workspace.people / "actor_person.parquet"
    path.write_bytes(path.read_bytes()[:-9])


def _gone(shop: Shop) -> None:
    (shop.workspace.people / "people.parquet").unlink()


def _overwritten_inside(shop: Shop) -> None:
    path = shop.workspace.people / "actor_person.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\0" * (len(content) - 8 - 4) + content[-8:])
    with shop.ledger() as ledger:
        kept = ledger.get_json("people_basis")
        kept["tables"]["actor_person.parquet"] = basis.mark_of(path)
        ledger.put_json("people_basis", kept)
    shop.land("b.json", [track("Page Viewed", 90, device="new")])
    arrive(shop)


def _other_rows(shop: Shop) -> None:
    """Another mapping in the table's place, taken for the one that was written."""
    path = shop.workspace.people / "actor_person.parquet"
    duckdb.sql(f"COPY (FROM read_parquet('{path}') LIMIT 2) TO '{path}.new' (FORMAT parquet)")
    Path(f"{path}.new").replace(path)
    with shop.ledger() as ledger:
        kept = ledger.get_json("people_basis")
        kept["tables"]["actor_person.parquet"] = basis.mark_of(path)
        ledger.put_json("people_basis", kept)
    shop.land("b.json", [track("Page Viewed", 90, device="new")])
    arrive(shop)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_rules, basis.RULES["identity"]),
        (_channels, basis.RULES["channels"]),
        (_version, basis.VERSION),
        (_restart, basis.READ_ANEW),
        (_cut, basis.NOT_OURS),
        (_gone, basis.NOT_OURS),
        (_other_rows, basis.NOT_OURS),
        (_overwritten_inside, basis.UNREADABLE),
    ],
)
def test_everybody_is_derived_anew_for_a_reason(
    busy: Shop, happens: Callable[[Shop], None], why: str
) -> None:
    happens(busy)
    stitched, visits = derive(busy)
    assert (stitched.anew, visits.anew) == (why, basis.ALL_PEOPLE)
    with busy.ledger() as ledger:
        assert ledger.get_json("identity")["derived_anew"] == why
    kept = everything(busy)
    with busy.ledger() as ledger:
        for name in ("people_basis", "sessions_basis"):
            ledger.put_json(name, None)
    derive(busy)
    assert everything(busy) == kept


def test_replaced_files_that_are_gone_cannot_be_compared(shop: Shop) -> None:
    shop.land("a.json", [track("Page Viewed", 7, device="d9"), track("Page Viewed", 5000, device="d9")])
    arrive(shop)
    derive(shop)
    shop.land("b.json", [track("Page Viewed", 7, device="d9", received=-5)])
    arrive(shop)
    with shop.ledger() as ledger:
        collect_garbage(shop.workspace, ledger)
    assert derive(shop)[0].anew == basis.REPLACED


def test_when_most_are_touched_everybody_is_derived(busy: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_part, "_MANY", 3)
    busy.land("b.json", [track("Page Viewed", 90 + i, device=f"new{i}") for i in range(4)])
    arrive(busy)
    assert derive(busy)[0].anew == basis.TOO_MUCH


@pytest.mark.parametrize(
    ("rules", "why"),
    [("sessions: {idle: 10m}\n", basis.RULES["sessions"]), ("", "")],
)
def test_changed_rules_of_sessions_make_all_of_them_anew(busy: Shop, rules: str, why: str) -> None:
    (busy.root / "product.yml").write_text(PRODUCT + rules)
    assert [done.anew for done in derive(busy)] == ["", why]


def test_sessions_catch_up_with_several_changes_of_people(busy: Shop) -> None:
    for n, who in enumerate(("d9", "d0")):
        busy.land(f"b{n}.json", [track("Page Viewed", 90, device=who)])
        arrive(busy)
        with busy.ledger() as ledger:
            derive_people(busy.workspace, ledger)
    with busy.ledger() as ledger:
        visits = derive_sessions(busy.workspace, ledger)
    assert (visits.anew, visits.sessions) == ("", 6)
    assert not list((busy.workspace.people / "changes").iterdir())
