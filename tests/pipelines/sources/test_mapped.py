"""Mappings on small files: names, times, paths, quoting."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.shape import Source

Run = Callable[..., Any]


def the(text: str) -> Source:
    (source,) = parse_sources("sources:\n  s: " + text)
    return source


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    return path


ISO = {
    "2026-03-29T01:30:00Z": "01:30:00",
    "2026-03-29 01:30:00.25+02:00": "23:30:00.250000-1",
    "2026-03-29 01:30:00": "01:30:00",
    "2026-03-29": "00:00:00",
    "\t2026-03-29 ": "00:00:00",
    "soon": None,
    "29.3.": None,
}
BERLIN = {
    "2026-03-29 01:30:00": "00:30:00",
    "2026-03-29 03:30:00": "01:30:00",
    "2026-03-29T03:30:00Z": "03:30:00",
    "2026-03-29T03:30:00-05:00": "08:30:00",
    "2026-03-29": "23:00:00-1",
}
SECONDS = {
    "1774747800": "01:30:00",
    "1774747800.25": "01:30:00.250000",
    "1.7747478e9": "01:30:00",
    "x": None,
    "99999999999999999999": None,
}
PATTERN = {"29.03.2026 01:30": "01:30:00", "2026-03-29": None}
LOG = {"29/Mar/2026:01:30:00 +0200": "23:30:00-1"}


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        ("", ISO),
        (", timezone: Europe/Berlin", BERLIN),
        (", format: s", SECONDS),
        (", format: ms", {"1774747800250": "01:30:00.250000"}),
        (", format: us", {"1774747800250001": "01:30:00.250001"}),
        (", format: '%d.%m.%Y %H:%M'", PATTERN),
        (", format: '%d.%m.%Y %H:%M', timezone: America/New_York", {"29.03.2026 01:30": "05:30:00"}),
        (", format: '%d/%b/%Y:%H:%M:%S %z', timezone: America/New_York", LOG),
    ],
)
def test_times(tmp_path: Path, shape: Run, spec: str, texts: dict[str, str | None]) -> None:
    source = the("{format: jsonl, event: {value: E}, user: u, time: {column: t" + spec + "}}")
    path = write(tmp_path, "".join(json.dumps({"u": "1", "t": text}) + "\n" for text in texts))
    found = shape(path, source).execute("SELECT occurred_at FROM shape ORDER BY line").fetchall()
    assert [moment for (moment,) in found] == [expected(text) for text in texts.values()]


def expected(text: str | None) -> dt.datetime | None:
    """A time of 29 March 2026, when the clocks go forward in Berlin; -1 is the day before."""
    if text is None:
        return None
    day = dt.date(2026, 3, 28 if text.endswith("-1") else 29)
    return dt.datetime.combine(day, dt.time.fromisoformat(text.removesuffix("-1")))


def test_json_lines(tmp_path: Path, shape: Run) -> None:
    source = the(
        """{format: jsonl, event: {column: kind, names: {open: Mail Opened, "it's": "Quoted ' name"}}, device: to.hash,
        account: to.company.id, id: id, time: {column: at}, received: {column: got, format: ms}}"""
    )
    lines = [
        '\t{"kind": "open", "to": {"hash": "h1", "company": {"id": 7}}, "id": "m1", "at": "2026-03-02",'
        ' "got": 1772409600000, "n": 1, "deep": {"a": [1]}, "no": null}',
        '{"kind": "it\'s", "to.hash": "h2", "at": "2026-03-02"}',
        '{"kind": "other", "to": "text", "at": "2026-03-02"}',
        "",
        '{"kind": "open"',
        "[1]",
        "null",
        '{"a": 1, "a": 2}',
    ]
    con = shape(write(tmp_path, "\n".join(lines)), source)
    rows = con.execute(
        "SELECT outcome, event, device_raw, account_raw, message_id, properties FROM shape ORDER BY line"
    ).fetchall()
    rest = {"n": "1", "deep": '{"a":[1]}', "to": '{"hash":"h1","company":{"id":7}}'}
    assert rows[0] == ("event", "Mail Opened", "h1", "7", "m1", rest)
    assert rows[1] == ("event", "Quoted ' name", "h2", None, None, {})
    assert rows[2] == ("event", "other", None, None, None, {"to": "text"})
    assert [row[0] for row in rows[3:]] == [
        "blank", "malformed JSON", "not a JSON object", "not a JSON object", "a name occurs twice"
    ]  # fmt: skip
    received = con.execute("SELECT received_at, client_at FROM shape WHERE line = 1").fetchall()
    assert received == [(dt.datetime(2026, 3, 2), dt.datetime(2026, 3, 2))]


def test_names_with_wild_cards(tmp_path: Path, shape: Run) -> None:
    """The first entry that fits counts; % and _ are characters like any other; what fits none stays."""
    source = the(
        """{format: delimited, event: {column: n, names: {"C9*": Checked, "C*": Cancelled, "5*1": Odd, "1_%": Rate,
        "1_%*": Rates, "it's*": "Quoted '"}}, user: u, time: {column: t}}"""
    )
    given = ["C91", "C12", "C", "5361", "536", "1_%", "1_%2", "1x2", "it's me"]
    told = ["Checked", "Cancelled", "Cancelled", "Odd", "536", "Rate", "Rates", "1x2", "Quoted '"]
    path = write(tmp_path, "n,u,t\n" + "".join(f"{name},7,2026-03-02\n" for name in given))
    assert shape(path, source).execute("SELECT event FROM shape ORDER BY line").fetchall() == [
        (name,) for name in told
    ]


def test_what_rows_say_of_who_acts(tmp_path: Path, shape: Run) -> None:
    """Fields of traits are no properties of the event, unless the mapping says so; nothing said is nothing stored."""
    source = the(
        "{format: jsonl, event: {value: E}, user: u.id, time: {column: t}, traits: {country: u.country, plan: p}}"
    )
    lines = [
        '{"t": "2026-03-02", "u": {"id": 1, "country": "FR"}, "p": "pro", "n": 1}',
        '{"t": "2026-03-02", "u.id": 1, "n": 1}',
    ]
    rows = shape(write(tmp_path, "\n".join(lines)), source).execute("SELECT traits, properties FROM shape")
    assert [(traits, {k: v for k, v in own.items() if k != "u"}) for traits, own in rows.fetchall()] == [
        ({"country": "FR", "plan": "pro"}, {"n": "1"}),
        ({}, {"n": "1"}),
    ]


def test_rows_of_nobody_are_mistakes_unless_they_are_expected(tmp_path: Path, clean: Run) -> None:
    text = "{format: delimited, event: {value: E}, user: u, device: d, time: {column: t}"
    path = write(
        tmp_path, "u,d,t\n1,,2026-03-02\n,b,2026-03-02\n,,2026-03-02\nnull, undefined ,2026-03-02\n,,\n2,,\n"
    )
    assert clean(path, the(text + "}"), "\n  E:").outcomes == {
        "event": 2, "no usable id": 3, "no valid time": 1
    }  # fmt: skip
    expected = clean(path, the(text + ", nobody: leave_out}"), "\n  E:")
    assert expected.outcomes == {"event": 2, "names nobody": 3, "no valid time": 1}
    assert expected.rejects == [(7, 78, "no valid time")]


def test_where_user_agent_and_address_are(tmp_path: Path, clean: Run) -> None:
    """They tell bots from people and are properties of nothing, not even where the plan declares their names."""
    source = the(
        "{format: jsonl, event: {value: Seen}, device: d, time: {column: at}, user_agent: from.agent, address: ip}"
    )
    bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    lines = [
        {"d": "d1", "at": "2026-03-02T09:00:00Z", "from": {"agent": agent}, "ip": "203.0.113.9"}
        for agent in (bot, "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
    ]
    path = write(tmp_path, "".join(json.dumps(line) + "\n" for line in lines))
    result = clean(path, source, "  Seen: {properties: {ip: {class: id, domain: network}}}")
    assert result.rows("SELECT traffic, ip FROM events ORDER BY line") == [("bot", None), ("people", None)]
    assert "203.0.113.9" not in result.stored()


def test_names_cannot_break_out_of_the_query(tmp_path: Path, shape: Run) -> None:
    nasty = "a'; DROP TABLE shape; --"
    source = the(
        f"""{{format: delimited, columns: ["{nasty}", "/* user */", t], user: "/* user */", time: {{column: t}},
        event: {{column: "{nasty}", names: {{"x'": "/* time */"}}}}, properties: {{"$p' ]": "{nasty}"}}}}"""
    )
    con = shape(write(tmp_path, "x',1,2026-03-02\n"), source)
    assert con.execute("SELECT event, user_raw, properties FROM shape").fetchall() == [
        ("/* time */", "1", {"$p' ]": "x'"})
    ]


def test_properties_of_tables(tmp_path: Path, shape: Run) -> None:
    text = "u,t,line,Line,amount,note\n1,2026-03-02,5,6,,x\n"
    head = "{format: delimited, event: {value: E}, user: u, time: {column: t}"
    every = shape(write(tmp_path, text), the(head + "}")).execute("SELECT properties FROM shape").fetchall()
    assert every == [({"line": "5", "Line": "6", "note": "x"},)]
    some = the(head + ", properties: {L: Line, total: amount, memo: note}}")
    assert shape(write(tmp_path, text), some).execute("SELECT properties FROM shape").fetchall() == [
        ({"L": "6", "memo": "x"},)
    ]
    none = the(head + ", properties: {}}")
    assert shape(write(tmp_path, text), none).execute("SELECT properties FROM shape").fetchall() == [({},)]


def test_parquet(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "file.parquet"
    table = {
        "customer": [{"id": "c1"}, {"id": "c2"}, {"id": None}],
        "at": pa.array([0, 1, 2], pa.timestamp("s", "Europe/Berlin")).cast(
            pa.timestamp("us", "Europe/Berlin")
        ),
        "amount": [1.5, None, 2.0],
    }
    table["at"] = pa.array(
        [dt.datetime(2026, 3, 2, n) for n in range(3)], pa.timestamp("us", "Europe/Berlin")
    )
    parquet.write_table(pa.table(table), path)
    source = the("{format: parquet, event: {value: Paid}, user: customer.id, time: {column: at}}")
    result = clean(path, source, "\n  Paid: {properties: {amount: {class: number}}}")
    assert result.outcomes == {"event": 2, "no usable id": 1}
    assert result.rows("SELECT amount, occurred_at FROM events ORDER BY line") == [
        (1.5, dt.datetime(2026, 3, 2, 0)),
        (None, dt.datetime(2026, 3, 2, 1)),
    ]
    assert result.rejects == [(3, 3, "no usable id")]
    # The nested column is undeclared: counted, and nameless while so few rows have it.
    [(event, name, reason)] = result.dropped
    assert (event, reason) == ("Paid", "undeclared") and name.startswith("property#")


def test_files_with_other_columns_share_a_group(tmp_path: Path, clean: Run) -> None:
    texts = [
        "u,t,amount\n1,2026-03-02,5\n",
        "t,extra,u\n2026-03-02,x,2\n",
        "id,t\n1,2\n",
        "",
        "u,t\n3,2026-03-02\n",
    ]
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"file{number}")
        paths[-1].write_text(text, encoding="utf-8")
    source = the("{format: delimited, event: {value: Paid}, user: u, time: {column: t}}")
    result = clean(paths, source, "\n  Paid: {properties: {amount: {class: number}}}")
    assert result.rows("SELECT batch, amount FROM events ORDER BY batch") == [(1, 5.0), (2, None), (5, None)]
    assert result.damaged == {3: "the file has no column 'u'; it has: id, t"}


def test_only_files_without_rows(tmp_path: Path, clean: Run) -> None:
    for text in ("", "u,t\n", "\n\n"):
        source = the("{format: delimited, event: {value: Paid}, user: u, time: {column: t}}")
        result = clean(write(tmp_path, text), source, "\n  Paid: {}")
        assert result.lines == 0 and result.rows("FROM events") == []


def test_equal_rows_are_equal_events_in_another_file(tmp_path: Path, clean: Run) -> None:
    text = "u,t\n1,2026-03-02\n1,2026-03-02\n2,2026-03-02\n"
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        path.write_text(text, encoding="utf-8")
    source = the("{format: delimited, event: {value: Paid}, user: u, time: {column: t}}")
    result = clean(paths, source, "\n  Paid: {}")
    assert result.rows("SELECT count(*), count(DISTINCT event_id) FROM events") == [(6, 3)]


def test_bad_rows_are_counted_with_their_place(tmp_path: Path, clean: Run) -> None:
    path = tmp_path / "file"
    path.write_bytes(
        b"\xef\xbb\xbfu;t;amount\r\n1;2026-03-02;5\r\n\r\n2;2026-03-02\r\n3,2026-03-02,5\r\n\xfc;2026-03-02;5\r\n"
        b';2026-03-02;5\r\n4;yesterday;5\r\n5;2026-03-02;"6\r\n"\r\n6;2026-03-02;five\r\n7;2026-03-02;"1\r\n8;2026-03-02;2\r\n'
    )
    source = the("{format: delimited, separator: ';', event: {value: Paid}, user: u, time: {column: t}}")
    result = clean(path, source, "\n  Paid: {properties: {amount: {class: number}}}")
    assert result.outcomes == {
        "event": 4,
        "wrong number of fields": 2,
        "not UTF-8": 1,
        "no usable id": 1,
        "no valid time": 1,
        "unclosed quote": 1,
    }
    assert result.lines == 10
    assert {line: reason for line, _, reason in result.rejects} == {
        4: "wrong number of fields",
        5: "wrong number of fields",
        6: "not UTF-8",
        7: "no usable id",
        8: "no valid time",
        12: "unclosed quote",
    }
    assert result.rows("SELECT amount FROM events ORDER BY line") == [(5.0,), (6.0,), (None,), (2.0,)]
    assert result.dropped == {("Paid", "amount", "does not fit its class"): 1}
