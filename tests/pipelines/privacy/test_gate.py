"""What passes the gate and what does not, line by line."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from shop import PLAN, START, at, track

from headway.models.plan import parse_plan
from headway_pipelines.demo import Scenario, simulate_scenario
from headway_pipelines.privacy import accounts, framing, gate
from headway_pipelines.privacy.gate import CleanBatch, Gate, RawFile
from headway_pipelines.privacy.keys import Key
from headway_pipelines.sources.segment import segment

if TYPE_CHECKING:
    from shop import Shop


def test_nobody_else_makes_a_clean_batch() -> None:
    with pytest.raises(TypeError, match="cannot be made elsewhere"):
        CleanBatch(object(), folder=None, accounts={}, finished=(), damaged={})


def test_declared_values_of_each_class_pass_and_misfits_are_counted(shop: Shop) -> None:
    fine = {
        "amount": 12.5,
        "items": 3,
        "gift": True,
        "delivered_at": "2026-03-02T11:00:00+02:00",
        "version": "1.20",
        "order_id": "o-1",
    }
    misfits: dict[str, Any] = {
        "amount": "a lot",
        "items": 2.5,
        "gift": "maybe",
        "delivered_at": "tomorrow",
        "version": "203.0.113.7",
    }
    out_of_bounds = {"amount": -1, "items": 101}
    shop.land(
        "a.json",
        [track("Order Completed", i, user="u1", **p) for i, p in enumerate([fine, misfits, out_of_bounds])],
    )
    shop.ingest()
    with shop.ledger() as ledger:
        dropped = {
            d["property"]: d["n_values"] for d in ledger.dropped() if d["reason"] == "does not fit its class"
        }
        group = ledger.waiting_groups().pop()
    assert dropped == {"amount": 2, "items": 2, "gift": 1, "delivered_at": 1, "version": 1}
    rows = _staged(shop, group, "amount, items, gift, delivered_at::VARCHAR, version, order_id IS NULL")
    assert rows == [
        (12.5, 3, True, "2026-03-02 09:00:00", "1.20", False),
        (None, None, None, None, None, True),
        (None, None, None, None, None, True),
    ]


@pytest.mark.parametrize(
    ("url", "stored", "source"),
    [
        ("https://shop.example.com/p/42?utm_source=news&x=1#frag", "shop.example.com/p/*", "news"),
        ("https://ada:secret@shop.example.com/", "shop.example.com/", None),
        ("https://shop.example.com", "shop.example.com/", None),
        ("https://SHOP.example.com/account/ada@example.com", "shop.example.com/…", None),
        ("https://other.example.com/p/42", None, None),
        ("https://shop.example.com/?utm_source=ada%40example.com", "shop.example.com/", None),
        ("https://shop.example.com/?utm_source=" + "a" * 65, "shop.example.com/", None),
        ("https://shop.example.com/#?utm_source=hidden", "shop.example.com/", None),
        ("not a url", None, None),
    ],
)
def test_an_address_keeps_its_host_and_path_template(
    shop: Shop, url: str, stored: str | None, source: str | None
) -> None:
    shop.land("a.json", [track("Page Viewed", 0, device="d1", url=url)])
    shop.ingest()
    with shop.ledger() as ledger:
        assert _staged(shop, ledger.waiting_groups().pop(), "url, utm_source") == [(stored, source)]


def test_every_line_has_an_outcome(shop: Shop) -> None:
    lines: list[Any] = [
        track("Signed Up", 0, user="u1", method="email"),
        track("Never Declared", 1, user="u1"),
        track("Signed Up", 2, user="undefined", device="00000000-0000-0000-0000-000000000000"),
        {**track("Signed Up", 3, user="u1"), "timestamp": "yesterday", "originalTimestamp": None},
        {**track("Signed Up", 4, user="u1"), "timestamp": at(10_000)},
        {**track("Signed Up", 5, user="u1"), "timestamp": "1970-01-01T00:00:00Z"},
        {**track("Signed Up", 6, user="u1"), "event": None},
        {**track("Signed Up", 7, user="u1"), "type": "telepathy"},
        {**track("Signed Up", 8, user="u1"), "properties": ["a list"]},
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "d1",
            "timestamp": at(9),
            "traits": {"email": "x"},
        },
        {"type": "group", "userId": "u1", "groupId": "g1", "timestamp": at(9)},
        {"type": "alias", "userId": "u1", "previousId": "d2", "timestamp": at(9)},
        '{"type": "track", "event": "Signed',
        "[1, 2]",
        "",
        b'{"type": "track", "event": "Signed Up\xff"}',
    ]
    shop.land("a.json", lines)
    done = shop.ingest()
    assert done.lines == 16
    assert shop.outcomes() == {
        "event": 1,
        "undeclared event": 1,
        "no usable id": 1,
        "no valid time": 1,
        "time in the future": 1,
        "time too long ago": 1,
        "event without a name": 1,
        "unknown call type": 1,
        "unusable properties": 1,
        "identify": 1,
        "group": 1,
        "alias": 1,
        "malformed JSON": 1,
        "not a JSON object": 1,
        "blank": 1,
        "not UTF-8": 1,
    }
    with shop.ledger() as ledger:
        places = {r["reason"]: (r["file"], r["line"]) for r in ledger.rejects()}
    assert places["malformed JSON"] == ("a.json", 13)
    assert places["not UTF-8"] == ("a.json", 16)
    assert "undeclared event" not in places


@pytest.mark.parametrize(
    "broken", ['{"type": "track", "event": oops}', '{"a": 1}}', '{"type": "track"} {"type": "page"}']
)
def test_a_malformed_line_that_ends_as_an_object_does_spoils_no_other(shop: Shop, broken: str) -> None:
    fine = [track("Signed Up", i, user=f"u{i}") for i in range(3)]
    shop.land("a.json", [fine[0], broken, fine[1]])
    shop.land("b.json", [fine[2], broken])
    shop.ingest()
    assert shop.outcomes() == {"event": 3, "malformed JSON": 2}


def test_what_is_no_identifier_decides_before_the_time_and_after_the_name(shop: Shop) -> None:
    never = {"timestamp": "yesterday", "originalTimestamp": None}
    far = {"timestamp": at(10_000)}
    lines: list[Any] = [
        {**track("Signed Up", 0, user="null", device=" NULL "), **never},
        {**track("Signed Up", 1, user="'none'"), **far},
        {**track("Signed Up", 2, user="", device=""), **far},
        track("Never Declared", 3, user="null"),
        {**track("Signed Up", 4, user="null"), "event": None},
        {**track("Signed Up", 5, user="null"), "properties": ["a list"]},
        {"type": "alias", "userId": "u1", "previousId": "undefined", "timestamp": at(6)},
        {"type": "alias", "userId": "undefined", "previousId": "d1", "timestamp": at(6)},
        {"type": "alias", "userId": "u1", "previousId": "0", "anonymousId": "d1", "timestamp": at(6)},
        track("Signed Up", 7, user="null", device="d1"),
        track("Signed Up", 8, user="u1", device="-1"),
    ]
    shop.land("a.json", lines)
    shop.ingest()
    assert shop.outcomes() == {
        "no usable id": 3,
        "undeclared event": 1,
        "event without a name": 1,
        "unusable properties": 1,
        "alias without two ids": 2,
        "alias": 1,
        "event": 2,
    }


def test_names_from_the_wild_are_shown_only_when_many_carry_them_and_nothing_personal_is_in_them(
    shop: Shop,
) -> None:
    personal: dict[str, Any] = {"ada@example.com": 1}
    calls = [track("Signed Up", i, user=f"u{i}", coupon="x", **personal) for i in range(10)]
    calls += [track("Signed Up", 20, user="u1", rare="x"), track("Grizelda Quux", 21, user="u1")]
    # one person who repeats it is still one person
    calls += [track("Only Zebulon Quark", 30 + i, user="u1", zebulon="x") for i in range(12)]
    calls += [track("Signed Up", 50 + i, user="u1", quark="x") for i in range(12)]
    shop.land("a.json", calls)
    shop.ingest()
    with shop.ledger() as ledger:
        dropped = {(d["event"], d["property"]): d["n_values"] for d in ledger.dropped()}
    assert dropped["Signed Up", "coupon"] == 10
    hidden = [(e, p) for e, p in dropped if "#" in e + p]
    assert len(hidden) == 5
    assert not any(word in str(dropped).lower() for word in ("ada", "rare", "grizelda", "zebulon", "quark"))


def test_free_text_and_sensitive_values_are_counted_never_stored(shop: Shop) -> None:
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device="d1", title="Orders of Grizelda Quux"),
            track("Order Completed", 1, user="u1", email="grizelda@example.com"),
        ],
    )
    shop.ingest()
    with shop.ledger() as ledger:
        reasons = {(d["property"], d["reason"]): d["n_values"] for d in ledger.dropped()}
    assert reasons == {("title", "free text"): 1, ("email", "sensitive"): 1}


def _staged(shop: Shop, group: str, columns: str) -> list[tuple[Any, ...]]:
    from headway.engine import connect

    con = connect()
    path = shop.workspace.staging / group / "events.parquet"
    try:
        return con.execute(f"SELECT {columns} FROM read_parquet('{path}') ORDER BY line").fetchall()
    finally:
        con.close()


#: Columns of a line as the gate holds it. A plan may use every one of these names for a property of its own.
INTERNAL = (
    "address",
    "user_agent",
    "content",
    "user_raw",
    "device_raw",
    "outcome",
    "message_id",
    "properties",
    "n",
)


def test_a_property_may_have_the_name_of_a_raw_column_and_never_gets_its_value(shop: Shop) -> None:
    declared = "".join(f"      {name}: {{class: enum, values: [fine]}}\n" for name in INTERNAL)
    plan = f"{PLAN}  Named:\n    properties:\n{declared}"
    (shop.root / "tracking_plan.yml").write_text(plan)
    raw = {"context": {"ip": "203.0.113.9", "userAgent": "Browser of Ada Fixture"}}
    named = track("Named", 1, user="ada", device="d1", id="m1", **dict.fromkeys(INTERNAL, "fine")) | raw
    bare = track("Named", 2, user="ada", device="d1", id="m2") | raw
    other = track("Signed Up", 3, user="ada", device="d1", id="m3") | raw
    shop.land("a.json", [named, bare, other])
    shop.load()
    columns = ", ".join(f'"{name}"' for name in INTERNAL)
    found = shop.query(f"SELECT {columns} FROM lake ORDER BY occurred_at")
    assert found == [("fine",) * len(INTERNAL), (None,) * len(INTERNAL), (None,) * len(INTERNAL)]


def test_reading_that_was_stopped_is_not_begun_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def stopped(*asked: object) -> str:
        begun.append(asked)
        raise duckdb.InterruptException("stopped")

    monkeypatch.setattr(gate, "judged", stopped)
    shop.land("a.json", [track("Page Viewed", 0, user="u1")])
    with pytest.raises(KeyboardInterrupt):
        shop.ingest()
    assert len(begun) == 1


def test_many_small_groups_are_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one group is cleaned the next is read: neither may see lines of the other."""
    simulate_scenario(tmp_path, Scenario(people=60, days=7))
    again = [json.dumps({**track("Lesson Watched", 0, device="d"), "messageId": None}) + "\n"] * 40
    (tmp_path / "raw" / "nameless.jsonl").write_text("".join(again), encoding="utf-8")
    monkeypatch.setattr(framing, "BLOCK_BYTES", 3000)
    whole = _cleaned(tmp_path, monkeypatch, 10**6)
    parts = _cleaned(tmp_path, monkeypatch, 60)
    assert whole.groups == 1
    assert parts.groups > 10
    assert parts.counted == whole.counted
    for name, rows in whole.rows.items():
        assert rows.height > 0, name
        # Which of several lines that say the same is the first of them does not matter.
        places = [name for name in ("line", "position") if name in rows.columns]
        assert_frame_equal(*(each.drop(places).sort(pl.all()) for each in (parts.rows[name], rows)))
    nameless = parts.rows["events"].filter(pl.col("batch") == pl.col("batch").max())
    assert nameless["event_id"].n_unique() == nameless.height == nameless["line"].n_unique() == 40


@dataclass
class _Cleaned:
    """What came out of the gate: rows of all groups, sorted, and counts by batch."""

    groups: int
    rows: dict[str, pl.DataFrame]
    counted: dict[int, tuple[Counter[str], Counter[tuple[str, str, str]], list[tuple[int, int, str]]]]


def _cleaned(root: Path, monkeypatch: pytest.MonkeyPatch, lines: int) -> _Cleaned:
    """Takes a demo's log through the gate in groups of so many lines; surrogates are the same each time."""
    monkeypatch.setattr(gate, "GROUP_LINES", lines)
    monkeypatch.setattr(gate, "FIRST_GROUP_LINES", lines)
    # Names of few people and places of rejected lines are told by group; here all are.
    monkeypatch.setattr(accounts, "MIN_NAME_PEOPLE", 10**6)
    monkeypatch.setattr(accounts, "LOCATED", 10**6)
    raw = [path for path in sorted((root / "raw").rglob("*")) if path.is_file()]
    files = [RawFile(path, number) for number, path in enumerate(raw, 1)]
    plan = parse_plan((root / "tracking_plan.yml").read_text(encoding="utf-8"))
    found = _Cleaned(0, {}, {n: (Counter(), Counter(), []) for n in range(1, len(files) + 1)})
    with Gate(plan, Key(bytes(range(32))), root / "vault", now=datetime(2030, 1, 1)) as opened:
        for batch in opened.clean(files, segment()):
            found.groups += 1
            for path in batch.folder.glob("*.parquet"):
                rows = [*([found.rows[path.stem]] if path.stem in found.rows else []), pl.read_parquet(path)]
                found.rows[path.stem] = pl.concat(rows)
            for number, account in batch.accounts.items():
                outcomes, dropped, rejects = found.counted[number]
                outcomes.update(account.outcomes)
                dropped.update(account.dropped)
                rejects.extend(account.rejects)
    found.rows = {
        name: (rows if name == "events" else _merged(rows)).sort(pl.all())
        for name, rows in found.rows.items()
    }
    for _, _, rejects in found.counted.values():
        rejects.sort()
    return found


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """What was said in several groups, once: from when on, and until when."""
    times = [name for name, kind in rows.schema.items() if kind.is_temporal()]
    told = [pl.col(name).min() if name.startswith("first") else pl.col(name).max() for name in times]
    return rows.group_by(pl.all().exclude(times)).agg(told)


def test_a_folder_of_the_gates_own_is_gone_with_it(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shop.land("a.json", [track("Page Viewed", 0, user="u1")])
    raw = RawFile(next(shop.workspace.raw.rglob("a.json")), 1)
    with Gate(
        parse_plan(PLAN), Key(bytes(range(32))), tmp_path / "vault", now=START + timedelta(hours=1)
    ) as own:
        (batch,) = own.clean([raw], segment())
        assert batch.events.num_rows == 1
        assert batch.folder.is_relative_to(tmp_path)
    assert not batch.folder.exists()
    assert not list(tmp_path.glob("headway-*"))
