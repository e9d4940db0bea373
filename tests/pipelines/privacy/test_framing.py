"""Cutting files into lines: every byte is in exactly one line or reject, whatever the bytes."""

from __future__ import annotations

import gzip
import resource
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from headway_pipelines.privacy import framing
from headway_pipelines.privacy.framing import frame_lines
from headway_pipelines.privacy.opening import DamagedFile

Framed = tuple[list[tuple[int, int, str]], list[tuple[int, int, str]]]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstandard": zstandard.compress,
}
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def framed(path: Path, cap: int = framing.MAX_LINE_BYTES) -> Framed:
    lines: list[tuple[int, int, str]] = []
    rejects: list[tuple[int, int, str]] = []
    for block in frame_lines(path, cap):
        lines += [tuple(row.values()) for row in block.lines.to_pylist()]
        rejects += block.rejects
    return lines, sorted(rejects)


def naive(data: bytes, cap: int) -> Framed:
    """The same in the plainest way, with the whole file in memory."""
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    pieces = data[position:].split(b"\n")
    lines, rejects = [], []
    for number, piece in enumerate(pieces[:-1] if not pieces[-1] else pieces, 1):
        try:
            text = piece.decode("utf-8")
            reason = "line too long" if len(piece) > cap else ""
        except UnicodeDecodeError:
            reason = "line too long" if len(piece) > cap else "not UTF-8"
        if reason:
            rejects.append((number, position, reason))
        else:
            lines.append((number, position, text + "\n"))
        position += len(piece) + 1
    return lines, rejects


# Bytes that matter to framing come often: newlines, a byte order mark, halves of characters.
SOUP = st.lists(
    st.sampled_from(
        [b"\n", b"\n\n", b"\r\n", b"a", b"bc ", b"\xc3\xa9", b"\xc3", b"\xef\xbb\xbf", b"\xff", b"\0"]
    )
    | st.binary(max_size=12)
).map(b"".join)


@QUICK
@given(SOUP, st.integers(3, 40), st.integers(1, 20), st.sampled_from(sorted(PACKERS)))
def test_any_bytes_are_framed_as_by_hand(
    tmp_path: Path, data: bytes, block: int, cap: int, packer: str
) -> None:
    assume(data[:2] not in (b"\x1f\x8b", b"PK") and data[:4] != b"\x28\xb5\x2f\xfd")
    path = tmp_path / "file"
    path.write_bytes(PACKERS[packer](data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "BLOCK_BYTES", block)
        lines, rejects = framed(path, cap)
    assert (lines, rejects) == naive(data, cap)
    # Lines and rejects are all lines there are, each at its offset.
    numbers = sorted([line for line, _, _ in lines] + [line for line, _, _ in rejects])
    assert numbers == list(range(1, len(numbers) + 1))
    for _, position, text in lines:
        assert (data + b"\n")[position:].startswith(text.encode())


def test_small_cases(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data, lines, rejects in (
        (b"", [], []),
        (b"\xef\xbb\xbf", [], []),
        (b"\xef\xbb\xbfa\n", [(1, 3, "a\n")], []),
        (b"a", [(1, 0, "a\n")], []),
        (b"a\r\n\r\nb\r\n", [(1, 0, "a\r\n"), (2, 3, "\r\n"), (3, 5, "b\r\n")], []),
        (b"a\n\xe9\nb", [(1, 0, "a\n"), (3, 4, "b\n")], [(2, 2, "not UTF-8")]),
    ):
        path.write_bytes(data)
        assert framed(path) == (lines, rejects)


def test_a_truncated_or_corrupt_stream_is_damaged(tmp_path: Path) -> None:
    text = b"".join(b'{"n": %d, "x": "%d"}\n' % (n, n * n * n) for n in range(5_000))
    meant = {"cut": "ends early", "half": "ends early", "flipped": "(is corrupt|ends early)"}
    for pack in (gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress):
        packed = pack(text)
        for name, data in (
            ("cut", packed[:-10]),
            ("half", packed[: len(packed) // 2]),
            ("flipped", packed[:200] + bytes([packed[200] ^ 255]) + packed[201:]),
        ):
            path = tmp_path / name
            path.write_bytes(data)
            with pytest.raises(
                DamagedFile,
                match=rf"compressed data damaged after byte \d+ \(line \d+\): it {meant[name]}$",
            ):
                framed(path)


def test_members_and_frames_that_follow_each_other_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for pack in (gzip.compress, zstandard.compress):
        path.write_bytes(pack(b"a\nb") + pack(b"c\n"))
        assert framed(path) == ([(1, 0, "a\n"), (2, 2, "bc\n")], [])


def test_a_line_of_50_megabytes_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb", compresslevel=1) as handle:
        handle.write(b'{"first": 1}\n')
        for _ in range(50):
            handle.write(b"x" * (1 << 20))
        handle.write(b'\n{"last": 1}\n')
    tracemalloc.start()
    lines, rejects = framed(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line for line, _, _ in lines] == [1, 3]
    assert rejects == [(2, 13, "line too long")]
    # One block, what is left of the one before, and their sum.
    assert peak < 4 * (framing.BLOCK_BYTES + framing.MAX_LINE_BYTES)
    if sys.platform == "linux":
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 << 20


def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        framed(tmp_path / "nothing")
