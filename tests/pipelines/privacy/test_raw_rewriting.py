"""Lines taken out of raw files of every kind: they are gone from the bytes, all others are what and where they were."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.raw_rewriting import blank_lines, why_not
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.sources.shape import Reader, Source

ADA = "ada.lovelace@example.com"


def source(reader: Reader) -> Source:
    return Source("test", "test", "", reader=reader)


DELIMITED = source(Reader("delimited"))
LINES = source(Reader("lines"))


def rows(path: Path, reader: Reader) -> list[tuple[int, dict[str, str]]]:
    blocks = [block.lines for block in frame_table(path, reader)]
    return [(row["line"], dict(row["fields"])) for block in blocks for row in block.to_pylist()]


def without(path: Path, which: Source, gone: set[int]) -> list[tuple[int, dict[str, str]]]:
    """What must be left: the rows of before, numbered as before."""
    before = rows(path, which.reader)
    emptied, _ = blank_lines(path, gone, which)
    assert emptied == len(gone)
    after = rows(path, which.reader)
    assert after == [row for row in before if row[0] not in gone]
    return after


def test_a_row_over_several_lines_is_emptied_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    hers = f'{ADA},"hello ""you""\n\nmy name is Ada\nbye"\n'
    text = f'who,said\nbob,"one\ntwo"\n{hers}cat,odd"quote\n{ADA},x\ndan,"a,b"\n'
    path.write_text(text)
    assert [line for line, _ in without(path, DELIMITED, {4, 9})] == [2, 8, 10]
    assert path.read_text() == 'who,said\nbob,"one\ntwo"\n\n\n\n\ncat,odd"quote\n\ndan,"a,b"\n'


def test_windows_line_ends_and_a_missing_last_one_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f'who,said\r\n{ADA},"a\r\nb"\r\nbob,x\r\n{ADA},"c\r\nd"'.encode())
    without(path, DELIMITED, {2, 5})
    assert path.read_bytes() == b"who,said\r\n\r\n\r\nbob,x\r\n\r\n"


def test_a_row_without_an_end_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'who,said\n{ADA},"open\nbob,x\n')
    before = path.read_bytes()
    # The gate takes it for a reject, so that nobody asks for it.
    assert [line for line, _ in rows(path, DELIMITED.reader)] == [3]
    blank_lines(path, set(), DELIMITED)
    assert path.read_bytes() == before


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_members_of_a_zip_archive_are_written_anew(tmp_path: Path) -> None:
    """Lines are numbered on from member to member, sorted by name; b.csv ends without a newline."""
    path = zipped(
        tmp_path / "a.zip",
        {
            "c.csv.gz": gzip.compress(f"who,said\n{ADA},packed\ndan,y".encode(), mtime=0),
            "b.csv": f'who,said\n{ADA},"one\ntwo"\nbob,x'.encode(),
            "__MACOSX/b.csv": b"left alone",
        },
    )
    assert [line for line, _ in without(path, DELIMITED, {2, 6})] == [4, 7]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and set(archive.namelist()) == {
            "b.csv",
            "c.csv.gz",
            "__MACOSX/b.csv",
        }
        assert archive.read("b.csv") == b"who,said\n\n\nbob,x"
        assert gzip.decompress(archive.read("c.csv.gz")) == b"who,said\n\ndan,y"
        assert archive.read("__MACOSX/b.csv") == b"left alone"
    assert scan([path], [ADA]) == []


def test_an_archive_with_two_members_of_one_name_is_left(tmp_path: Path) -> None:
    """Which of the two comes first hangs on what is in them, and so would the numbers of lines."""
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(tmp_path / "a.zip", "w") as archive,
    ):
        archive.writestr("a.csv", "x")
        archive.writestr("a.csv", "y")
    assert why_not(tmp_path / "a.zip") == "members of the zip archive have the same name"
    assert why_not(zipped(tmp_path / "b.zip", {"a": b"", "b": b""})) == ""


def test_rows_of_parquet_lose_every_value_and_keep_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    who = [ADA, "bob", ADA, "cat", "dan"]
    table = pa.table(
        {
            "who": pa.array(who).dictionary_encode(),
            "amount": pa.array([1, 2, 3, 4, None], pa.int32()),
            "tags": pa.array([[who[at]] for at in range(5)], pa.list_(pa.string())),
            "more": pa.array([{"by": each} for each in who]),
        },
        schema=pa.schema(
            [
                pa.field("who", pa.dictionary(pa.int32(), pa.string())),
                pa.field("amount", pa.int32()),
                pa.field("tags", pa.list_(pa.string())),
                pa.field("more", pa.struct([("by", pa.string())])),
            ]
        ),
    )
    parquet.write_table(table, path, row_group_size=2, compression="zstd")
    which = source(Reader("parquet"))
    assert [line for line, _ in without(path, which, {1, 3})] == [2, 4, 5]
    file = parquet.ParquetFile(path)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [2, 2, 1]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    plain = tmp_path / "plain.parquet"
    parquet.write_table(file.read(), plain, compression="none")
    assert ADA.encode() not in plain.read_bytes() and b"bob" in plain.read_bytes()
    assert scan([path], [ADA]) == []


def test_rows_that_must_have_values_may_lose_them(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    schema = pa.schema([pa.field("who", pa.string(), nullable=False)])
    parquet.write_table(pa.table({"who": [ADA, "bob"]}, schema=schema), path)
    without(path, source(Reader("table")), {1})
    assert parquet.read_table(path)["who"].to_pylist() == [None, "bob"]


def test_what_cannot_be_read_is_left_as_it_was(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"who": [ADA] * 2_000}), buffer, compression="none", use_dictionary=False)
    broken = bytearray(buffer.getvalue())
    broken[40:90] = b"\xff" * 50
    for name, content in (("a.parquet", bytes(broken)), ("a.csv.gz", gzip.compress(b"a,b\n" * 999)[:-9])):
        path = tmp_path / name
        path.write_bytes(content)
        kind = Reader("parquet") if name.endswith("parquet") else Reader("delimited")
        with pytest.raises(DamagedFile):
            blank_lines(path, {2}, source(kind))
        assert path.read_bytes() == content and [each.name for each in tmp_path.iterdir()].count(name) == 1
        assert not list(tmp_path.glob(".*"))
