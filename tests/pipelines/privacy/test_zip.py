"""Zip archives: their members are one file after the other, in an order that does not depend on the archive's."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from headway_pipelines.privacy import framing
from headway_pipelines.privacy.framing import frame_lines
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.sources.shape import Reader

Members = Sequence[tuple[str, bytes]]


def packed(path: Path, members: Members, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def framed(path: Path) -> tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]]:
    blocks = list(frame_lines(path, 20))
    return [tuple(row.values()) for b in blocks for row in b.lines.to_pylist()], [
        r for b in blocks for r in b.rejects
    ]


MEMBERS = [
    ("export/1_0.json.gz", gzip.compress(b"a\nb")),
    ("export/1_1.json.zst", zstandard.compress(b"\xef\xbb\xbfc\n" + b"x" * 30)),
    ("export/2_0.json", b"d\n\xff\n"),
]


def test_lines_and_offsets_go_on_over_the_members(tmp_path: Path) -> None:
    # a\nb is 3 bytes, then a byte order mark of 3, c\n, thirty x, then the last member
    lines, rejects = framed(packed(tmp_path / "export", MEMBERS))
    assert lines == [(1, 0, "a\n"), (2, 2, "b\n"), (3, 6, "c\n"), (5, 38, "d\n")]
    assert rejects == [(4, 8, "line too long"), (6, 40, "not UTF-8")]


def test_the_order_in_the_archive_and_hidden_members_mean_nothing(tmp_path: Path) -> None:
    hidden = [
        ("__MACOSX/export/._1_0.json", b"zz"),
        ("export/.DS_Store", b"zz"),
        ("_SUCCESS", b""),
        ("export/", b""),
    ]
    swapped = packed(tmp_path / "b", [*hidden, *reversed(MEMBERS)])
    assert framed(swapped) == framed(packed(tmp_path / "a", MEMBERS))


def test_a_long_line_at_the_end_of_a_member_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "BLOCK_BYTES", 8)
    lines, rejects = framed(
        packed(tmp_path / "a", [("1", b"x" * 100), ("2", b"b\n"), ("3", b""), ("4", b"c")])
    )
    assert lines == [(2, 100, "b\n"), (3, 102, "c\n")]
    assert rejects == [(1, 0, "line too long")]


def test_every_member_of_delimited_text_has_its_own_header(tmp_path: Path) -> None:
    path = packed(tmp_path / "a", [("2.csv", b't,u\n5,"6\n7"'), ("1.csv.gz", gzip.compress(b"u,t\n1,2\n"))])
    rows = [row for block in frame_table(path, Reader("delimited")) for row in block.lines.to_pylist()]
    assert [(row["line"], row["position"], row["fields"]) for row in rows] == [
        (2, 4, [("u", "1"), ("t", "2")]),
        (4, 12, [("t", "5"), ("u", "6\n7")]),
    ]


def test_parquet_in_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"u": ["1"]}), tmp_path / "a.parquet")
    path = packed(tmp_path / "a.zip", [("a.parquet", (tmp_path / "a.parquet").read_bytes())])
    with pytest.raises(DamagedFile, match="Parquet files in a zip archive are not read; unpack it"):
        list(frame_table(path, Reader("parquet")))
    with pytest.raises(
        DamagedFile, match=r"member 1 of 1 .* \(a.parquet\) is a Parquet file; unpack the archive"
    ):
        framed(path)


def test_other_ways_of_packing_are_named(tmp_path: Path) -> None:
    for name, pack in (("bzip2", bz2.compress), ("xz", lzma.compress)):
        path = tmp_path / name
        path.write_bytes(pack(b"{}\n"))
        with pytest.raises(
            DamagedFile, match=f"^the file is packed by {name}; pack it again with gzip, zstandard or zip"
        ):
            framed(path)
        packed(tmp_path / "a", [("1", b"{}\n"), ("2", pack(b"{}\n"))])
        with pytest.raises(
            DamagedFile, match=rf"member 2 of 2 of .* \(2\) is packed by {name}; pack it again"
        ):
            framed(tmp_path / "a")


def test_an_archive_without_members_has_no_lines(tmp_path: Path) -> None:
    assert framed(packed(tmp_path / "a", [])) == ([], [])


def encrypted(content: bytes) -> bytes:
    """Sets the flag of encryption in both headers of the first member."""
    local, central = content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8
    flagged = bytearray(content)
    flagged[local] |= 1
    flagged[central] |= 1
    return bytes(flagged)


def corrupt(content: bytes) -> bytes:
    place = content.index(b"1,2,3")
    return content[:place] + b"9" + content[place + 1 :]


@pytest.mark.parametrize(
    ("members", "change", "note"),
    [
        ([("b", b"x"), ("a.zip", b"PK\x03\x04...")], bytes, r"member 1 of 2 .*\(a.zip\) is a zip archive itself"),
        ([("ada@example.com.json", b"x\n")], encrypted, r"member 1 of 1 of the zip archive is encrypted"),
        ([("a", b"1,2,3\n")], corrupt, r"member 1 of 1 of .* \(a\) cannot be read: it is corrupt$"),
        ([("a", gzip.compress(b"x\n" * 9_999)[:-9])], bytes, r"after byte \d+ \(line \d+\): it ends early$"),
        ([("a", b"x\n" * 99)], lambda content: content[:-30], "zip archive ends early or is corrupt"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_without_unsafe_names(tmp_path, members, change, note) -> None:  # type: ignore[no-untyped-def]
    path = packed(tmp_path / "a", members, zipfile.ZIP_STORED)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DamagedFile, match=note) as caught:
        framed(path)
    assert "ada@" not in str(caught.value)


def test_an_archive_that_claims_much_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("lines", "w") as handle:
            for _ in range(32):
                handle.write(b"\n" * (1 << 10) + b"\0" * (1 << 20))
        archive.writestr("wrapped.gz", gzip.compress(b"\0" * (48 << 20)))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    for _ in frame_lines(path):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
