"""Delimited text and Parquet as rows: nothing lost, nothing nulled, every row at its place."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from headway.errors import InputError
from headway_pipelines.privacy import framing, opening
from headway_pipelines.privacy.fields import WrongColumns, fields_of
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.sources.shape import Reader

DATA = Path(__file__).parents[3].parent / "shared" / "data"
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
Row = tuple[int, int, str, dict[str, str]]
Reject = tuple[int, int, str]


def rows_of(path: Path, reader: Reader, cap: int = framing.MAX_LINE_BYTES) -> tuple[list[Row], list[Reject]]:
    rows: list[Row] = []
    rejects: list[Reject] = []
    for block in frame_table(path, reader, cap):
        block.lines.validate(full=True)
        rows += [(r["line"], r["position"], r["record"], dict(r["fields"])) for r in block.lines.to_pylist()]
        rejects += block.rejects
    return rows, rejects


def read(tmp_path: Path, data: bytes, reader: Reader | None = None) -> tuple[list[Row], list[Reject]]:
    path = tmp_path / "file"
    path.write_bytes(data)
    return rows_of(path, reader or Reader("delimited"))


class Open(Exception):
    pass


def naive(data: bytes, separator: str, names: list[str], cap: int) -> tuple[list[Row], list[Reject]]:
    """Python's csv module over the lines of the whole file, one row at a time."""
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    pieces = data[position:].split(b"\n")
    lines = [piece + b"\n" for piece in (pieces[:-1] if not pieces[-1] else pieces)]
    places = [position + sum(map(len, lines[:n])) for n in range(len(lines))]
    rows: list[Row] = []
    rejects: list[Reject] = []
    after = 0

    def feed(first: int) -> Iterator[str]:
        nonlocal after
        for after in range(first + 1, len(lines) + 1):
            whole = b"".join(lines[first:after])
            if len(whole) > cap + 1 or len(lines[after - 1]) > cap + 1:
                break
            yield lines[after - 1].decode("utf-8", "surrogateescape")
        raise Open

    first = 0
    while first < len(lines):
        reason, fields = "", []
        try:
            fields = next(csv.reader(feed(first), delimiter=separator))
        except Open:
            reason, after = "line too long" if len(lines[first]) > cap + 1 else "unclosed quote", first + 1
        except csv.Error:
            reason = "stray carriage return"
        record = b"".join(lines[first:after])
        if fields and not reason:
            if any("\udc80" <= letter <= "\udcff" for letter in "".join(fields)):
                reason = "not UTF-8"
            elif len(fields) < len(names) or any(fields[len(names) :]):
                reason = "wrong number of fields"
            else:
                filled = {name: text for name, text in zip(names, fields, strict=False) if text}
                rows.append((first + 1, places[first], record.decode(), filled))
        if reason:
            rejects.append((first + 1, places[first], reason))
        first = after
    return rows, rejects


SOUP = st.lists(
    st.sampled_from(
        [
            b"\n",
            b"\n",
            b"\r\n",
            b"\r",
            b",",
            b",",
            b'"',
            b'"',
            b'""',
            b"a",
            b"b c",
            b"\xc3\xa9",
            b"\xff",
            b"1,2\n",
            b'"x\ny",z\n',
        ]
    )
    | st.binary(max_size=6)
).map(b"".join)


@QUICK
@example(b'a,"b\n' + b"c,d\n" * 6, 5, 12)
@example(b'1,2\n"a\nb",c\n3,4\n', 3, 100)
@example(b'1,"o\n' + b"x" * 50 + b'\n"2",x\n3,y\n', 5, 12)
@example(b'1,"o\n' + b"x" * 13 + b'\n"2",x\n3,y\n', 40, 12)
@given(SOUP, st.integers(3, 40), st.integers(4, 60))
def test_any_bytes_are_read_as_the_csv_module_reads_them(
    tmp_path: Path, data: bytes, block: int, cap: int
) -> None:
    # Hypothesis also tries constants of our own modules, such as the beginnings of archives that are refused.
    assume(not data.startswith(tuple(opening._REFUSED)))
    assume(data[:2] != b"\x1f\x8b" and data[:4] not in (b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06"))
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "BLOCK_BYTES", block)
        rows, rejects = rows_of(path, Reader("delimited", ",", ("x", "y")), cap)
    assert (rows, sorted(rejects)) == naive(data, ",", ["x", "y"], cap)


QUOTES = st.lists(
    st.sampled_from([b'"', b'""', b'"""', b",", b"a", b"\n", b'"a""b"', b'"{""k"": 1}",', b'x""y', b'"" '])
)


@QUICK
@given(QUOTES.map(b"".join), st.integers(3, 40))
def test_quotes_mean_what_they_mean_to_the_csv_module(tmp_path: Path, data: bytes, block: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "BLOCK_BYTES", block)
        rows, rejects = rows_of(path, Reader("delimited", ",", ("x", "y")), 60)
    assert (rows, sorted(rejects)) == naive(data, ",", ["x", "y"], 60)


def test_doubled_quotes_are_not_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As fast as rows without any: that is why lines are told apart."""
    rows = b"".join(b'%d,"{""k"": ""v, w""}",""\n' % number for number in range(50))
    monkeypatch.setattr(csv, "reader", lambda *_, **__: pytest.fail("a row was read alone"))
    path = tmp_path / "file"
    path.write_bytes(rows)
    found, rejects = rows_of(path, Reader("delimited", ",", ("x", "y", "z")))
    assert rejects == []
    assert [fields for *_, fields in found] == [
        {"x": str(number), "y": '{"k": "v, w"}'} for number in range(50)
    ]


CELLS = st.text(st.sampled_from(list('ab é,;\t"\n|€')), max_size=6)


@QUICK
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([bytes, gzip.compress, zstandard.compress]),
)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path: Path, table: list[list[str]], separator: str, end: str, quoting: Any, pack: Any
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(["one", "two words", "drei"])
    writer.writerows(table)
    rows, rejects = read(tmp_path, pack(buffer.getvalue().encode()), Reader("delimited", separator))
    names = ["one", "two words", "drei"]
    expected = [{n: c for n, c in zip(names, cells, strict=True) if c} for cells in table]
    assert rejects == [] and [fields for *_, fields in rows] == expected


def test_line_numbers_and_offsets(tmp_path: Path) -> None:
    data = b'\xef\xbb\xbfid,note\r\n1,plain\r\n\r\n2,"two\nlines"\n3\n4,\xe9\n5,a,b\n6,,\n7,last'
    rows, rejects = read(tmp_path, data)
    assert [(line, position, fields) for line, position, _, fields in rows] == [
        (2, 12, {"id": "1", "note": "plain"}),
        (4, 23, {"id": "2", "note": "two\nlines"}),
        (9, 49, {"id": "6"}),
        (10, 53, {"id": "7", "note": "last"}),
    ]
    assert rejects == [
        (6, 37, "wrong number of fields"),
        (7, 39, "not UTF-8"),
        (8, 43, "wrong number of fields"),
    ]
    for _, position, record, _ in rows:
        assert (data + b"\n")[position:].startswith(record.encode())


def test_runs_of_blanks(tmp_path: Path) -> None:
    reader = Reader("delimited", "whitespace", ("a", "b", "c"))
    data = b' 00001 \t x\t "q  \r\n\n   \n2 3\n  4   5   6'
    rows, rejects = read(tmp_path, data, reader)
    assert [(line, fields) for line, _, _, fields in rows] == [
        (1, {"a": "00001", "b": "x", "c": '"q'}),
        (5, {"a": "4", "b": "5", "c": "6"}),
    ]
    assert rejects == [(4, 23, "wrong number of fields")]


def test_names_are_free(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"line,position,Line,batch,line,,fields\n1,2,3,4,5,6,7\n")
    assert rows[0][3] == {
        "line": "1", "position": "2", "Line": "3", "batch": "4", "line:2": "5", "column6": "6", "fields": "7"
    }  # fmt: skip


def test_nothing_is_guessed_or_nulled(tmp_path: Path) -> None:
    texts = ["007", "NULL", "NA", "nan", "1e5", "true", " x ", "2020-01-01", "\\N", "-", "0", "'", "#N/A"]
    rows, _ = read(tmp_path, ("v,w\n" + "".join(f"{text},1\n" for text in texts)).encode())
    assert [fields["v"] for *_, fields in rows] == texts


def test_files_without_rows(tmp_path: Path) -> None:
    for data in (b"", b"\n\r\n\n", b"\xef\xbb\xbf", b"a,b\n", gzip.compress(b"")):
        assert read(tmp_path, data, Reader("delimited", required=("a",) if b"a" in data else ())) == ([], [])


def test_mixed_separators_are_ragged_rows(tmp_path: Path) -> None:
    rows, rejects = read(tmp_path, b"a,b\n1,2\n3;4\n5\t6\n7,8\n")
    assert [fields["a"] for *_, fields in rows] == ["1", "7"]
    assert rejects == [(3, 8, "wrong number of fields"), (4, 12, "wrong number of fields")]


def test_a_first_line_of_values_is_not_quoted(tmp_path: Path) -> None:
    reader = Reader("delimited", required=("customer", "date"))
    with pytest.raises(WrongColumns) as caught:
        read(tmp_path, b"Grizelda Quuxington,Lotus Street,url\nBob Smith,Hill Road,1\n", reader)
    assert str(caught.value) == (
        "the file has no column 'customer', 'date'; it has: (column 1), (column 2), url; "
        "are the names of the columns in its first line?"
    )


def test_missing_columns_are_named(tmp_path: Path) -> None:
    reader = Reader("delimited", required=("customer", "date"))
    with pytest.raises(WrongColumns) as caught:
        read(tmp_path, b"customer_id,date,grizelda@example.com\n1,2,3\n", reader)
    assert str(caught.value) == ("the file has no column 'customer'; it has: customer_id, date, (column 3)")
    assert isinstance(caught.value, InputError) and isinstance(caught.value, DamagedFile)
    with pytest.raises(WrongColumns, match="is the separator right"):
        read(tmp_path, b"customer;date\n1;2\n", reader)
    # A path into nested JSON needs its column only.
    assert read(tmp_path, b"customer\n", Reader("delimited", required=("customer.id",))) == ([], [])


def test_a_header_that_cannot_be_read(tmp_path: Path) -> None:
    for data in (b"a,\xff\n1,2\n", b'a,"b\n1,2\n', b"a\rb,c\n1,2\n"):
        with pytest.raises(DamagedFile, match="header"):
            read(tmp_path, data)


def test_a_stray_quote_costs_one_row(tmp_path: Path) -> None:
    data = b"a,b\n" + b'1,"oops\n' + b"2,x\n" * 1_000
    rows, rejects = read(tmp_path, data)
    assert len(rows) == 1_000 and rejects == [(2, 4, "unclosed quote")]


def test_a_long_line_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb", compresslevel=1) as handle:
        handle.write(b'a,b\n1,2\n3,"')
        for _ in range(50):
            handle.write(b"x" * (1 << 20))
        handle.write(b'"\n5,6\n')
    tracemalloc.start()
    rows, rejects = rows_of(path, Reader("delimited"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [fields["a"] for *_, fields in rows] == ["1", "5"]
    assert rejects == [(3, 8, "line too long")] and peak < 6 * (framing.BLOCK_BYTES + framing.MAX_LINE_BYTES)


def test_half_a_million_invoice_lines() -> None:
    path = DATA / "online_retail" / "online_retail.csv.gz"
    if not path.exists():
        pytest.skip("the real data sets are not here: ../shared/data")
    rows = anonymous = 0
    for block in frame_table(path, Reader("delimited", required=("InvoiceNo", "CustomerID"))):
        assert block.rejects == []
        rows += block.lines.num_rows
        keys = block.lines["fields"].combine_chunks().keys
        anonymous += block.lines.num_rows - pa.compute.sum(pa.compute.equal(keys, "CustomerID")).as_py()
    assert (rows, anonymous) == (541_909, 135_080)


def table_of_everything() -> pa.Table:
    moment = dt.datetime(2026, 3, 2, 9, 30, 0, 250_000)
    return pa.table(
        {
            "whole": pa.array([1, None, -3]),
            "number": pa.array([1.5, 0.1, 1e300]),
            "price": pa.array([decimal.Decimal("9.90"), None, decimal.Decimal("-0.01")]),
            "flag": pa.array([True, False, None]),
            "text": pa.array(["a", "", "é\n"]),
            "category": pa.array(["x", "y", "x"]).dictionary_encode(),
            "bytes": pa.array([b"caf\xc3\xa9", b"\xff", None]),
            "local": pa.array([moment, None, moment]),
            "instant": pa.array([moment, None, moment], pa.timestamp("ms", "America/New_York")),
            "fine": pa.array([1, 2, 3], pa.timestamp("ns")),
            "day": pa.array([dt.date(2026, 3, 2), None, None]),
            "nested": pa.array([{"id": "u1", "tags": ["a", "b"]}, None, {"id": None, "tags": []}]),
            "list": pa.array([[1, 2], [], None]),
            "nothing": pa.nulls(3),
        }
    )


def test_parquet_values_become_text(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    parquet.write_table(table_of_everything(), path, row_group_size=2)
    rows, rejects = rows_of(path, Reader("parquet", required=("whole",)))
    assert rejects == [] and [(line, position) for line, position, *_ in rows] == [(1, 1), (2, 2), (3, 3)]
    first, second, third = (fields for *_, fields in rows)
    assert {name: text for name, text in first.items() if name != "nested"} == {
        "whole": "1",
        "number": "1.5",
        "price": "9.90",
        "flag": "true",
        "text": "a",
        "category": "x",
        "bytes": "café",
        "local": "2026-03-02 09:30:00.25",
        "instant": "2026-03-02 09:30:00.25+00",
        "fine": "1970-01-01 00:00:00.000000001",
        "day": "2026-03-02",
        "list": "[1,2]",
    }
    assert json.loads(first["nested"]) == {"id": "u1", "tags": ["a", "b"]}
    assert set(second) == {"number", "flag", "category", "bytes", "fine", "list"}
    assert float(third["number"]) == 1e300 and third["text"] == "é\n"


def test_parquet_records_do_not_depend_on_column_order(tmp_path: Path) -> None:
    table = pa.table({"b": ["1", "2"], "a": ["x", None]})
    for name, columns in (("one", ["a", "b"]), ("two", ["b", "a"])):
        parquet.write_table(table.select(columns), tmp_path / name)
    one, two = (rows_of(tmp_path / name, Reader("parquet"))[0] for name in ("one", "two"))
    assert (
        [record for _, _, record, _ in one] == [record for _, _, record, _ in two] == ["x\x1f1", "\x00\x1f2"]
    )


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    parquet.write_table(pa.table({"a": [f"secret {n}" for n in range(50_000)]}), path, compression="zstd")
    sound = path.read_bytes()
    for data in (b"", b"a,b\n1,2\n", sound[:-4], sound[:100], b"\xff" * 2_000 + sound[2_000:]):
        path.write_bytes(data)
        with pytest.raises(DamagedFile) as caught:
            rows_of(path, Reader("parquet"))
        assert "secret" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        rows_of(tmp_path / "nothing", Reader("parquet"))
    path.write_bytes(sound)
    with pytest.raises(WrongColumns, match="no column 'user'; it has: a"):
        rows_of(path, Reader("parquet", required=("user",)))


def test_a_large_row_group_is_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    parquet.write_table(pa.table({"a": range(100_000)}), path, row_group_size=100_000)
    sizes = [block.lines.num_rows for block in frame_table(path, Reader("parquet"))]
    assert sum(sizes) == 100_000 and max(sizes) < 20_000


def test_an_unclosed_quote_is_not_held_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "BLOCK_BYTES", 1 << 14)
    path = tmp_path / "file"
    path.write_bytes(b'a,b\n1,"oops\n' + (b"2," + b"x" * 60 + b"\n") * 100_000)
    tracemalloc.start()
    rows = rejects = 0
    for block in frame_table(path, Reader("delimited"), 1 << 15):
        rows, rejects = rows + block.lines.num_rows, rejects + len(block.rejects)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (rows, rejects) == (100_000, 1) and peak < path.stat().st_size // 3, peak


def test_a_header_that_never_ends_is_given_up_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "BLOCK_BYTES", 1 << 14)
    path = tmp_path / "file"
    path.write_bytes(b'a,"b\n' + (b"2," + b"x" * 60 + b"\n") * 100_000)
    tracemalloc.start()
    with pytest.raises(DamagedFile, match="header line has an unclosed quote"):
        list(frame_table(path, Reader("delimited"), 1 << 15))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size // 3


def test_bytes_below_a_null_are_no_text() -> None:
    sound = pa.array(["ab", "cd"])
    nulled = pa.StringArray.from_buffers(2, *sound.buffers()[1:], pa.py_buffer(b"\x01"))
    assert nulled.to_pylist() == ["ab", None]
    [maps] = fields_of(["x"], [nulled], 2, Reader("table"))
    assert maps.to_pylist() == [[("x", "ab")], []]
    [sliced] = fields_of(["x"], [pa.array(["", "b", "c"]).slice(1)], 2, Reader("table"))
    assert sliced.to_pylist() == [[("x", "b")], [("x", "c")]]
    parts, others = fields_of(["x", "y"], [nulled, sound], 2, Reader("table", parts=("x", "z")))
    assert parts.to_pylist() == [{"x": "ab", "z": None}, {"x": None, "z": None}]
    assert others.to_pylist() == [[{"key": "y", "value": "ab"}], [{"key": "y", "value": "cd"}]]


@pytest.mark.parametrize("packed", [False, True], ids=["csv", "parquet"])
def test_known_columns_are_read_by_name_and_the_others_listed(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "file"
    rows = [{"id": "1", "x": "a", "Id": ""}, {"id": "", "x": "", "Id": "3"}]
    if packed:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("id,x,Id\n1,a,\n,,3\n")
    [block] = frame_table(path, Reader("table", parts=("id", "missing")))
    block.lines.validate(full=True)
    assert block.lines.select(["parts", "others"]).to_pylist() == [
        {"parts": {"id": "1", "missing": None}, "others": [{"key": "x", "value": "a"}]},
        {"parts": {"id": None, "missing": None}, "others": [{"key": "Id", "value": "3"}]},
    ]


@pytest.mark.parametrize("nested", [False, True], ids=["text", "list"])
def test_a_parquet_file_with_text_that_is_not_utf8_is_set_aside(tmp_path: Path, nested: bool) -> None:
    offsets = pa.array([0, 3], pa.int32())
    column: pa.Array = pa.StringArray.from_buffers(1, offsets.buffers()[1], pa.py_buffer(b"a\xff\xfe"))
    if nested:
        column = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), column)
    parquet.write_table(pa.table({"c": column}), tmp_path / "bad")
    with pytest.raises(DamagedFile, match="row group 0 is damaged"):
        list(frame_table(tmp_path / "bad", Reader("parquet")))
    parquet.write_table(pa.table({"c": [1.5]}), tmp_path / "good")
    assert rows_of(tmp_path / "good", Reader("parquet"))[0] == [(1, 1, "1.5", {"c": "1.5"})]


def test_an_empty_extra_field_may_be_quoted(tmp_path: Path) -> None:
    rows, rejects = read(tmp_path, b'a,b\n1,2,""\n"3","4",""\n"5","6","7"\n"8,9",\n')
    assert [fields for *_, fields in rows] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": "8,9"}]
    assert rejects == [(4, 22, "wrong number of fields")]
