"""Files: spills blocks of rows to disk, then merges them into the log, file by file."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from isal import igzip

from headway_pipelines.demo.clock import DAY, FILES_PER_DAY, SECOND, Ints
from headway_pipelines.demo.rows import RowArray
from headway_pipelines.demo.segment_log import Renderer
from headway_pipelines.demo.world import World

#: Rows rendered at a time: small enough for the pieces to stay in the processor's cache.
SLICE = 65536
#: Rows of small files gathered into one rendering.
GATHER = 65_536
_WORKERS = 2
_LEVEL = 1


@dataclass(frozen=True)
class Written:
    """What the writer wrote.

    Attributes:
        files: Number of files.
        lines: Number of lines.
        bytes: Bytes before compression.
        compressed: Bytes on disk.
    """

    files: int
    lines: int
    bytes: int
    compressed: int


class Spill:
    """Rows of blocks on disk, each block ordered by arrival.

    Args:
        folder: An existing, empty folder.
        world: The world.
    """

    def __init__(self, folder: Path, world: World) -> None:
        self._folder = folder
        self._world = world
        self._files = world.clock.days * FILES_PER_DAY
        self._begins: dict[int, Ints] = {}

    def add(self, block: int, rows: RowArray) -> None:
        """Puts a block aside.

        Args:
            block: Its number: the order in which lines that arrive in the same millisecond are written.
            rows: Its lines, any order; ties keep it.
        """
        rows = rows.take(np.argsort(rows["recv"], kind="stable"))
        np.save(self._folder / f"{block:05d}.npy", rows)
        file = self._world.clock.file_of(rows["recv"])
        self._begins[block] = np.searchsorted(file, np.arange(self._files + 1))

    def counts(self) -> Ints:
        """Counts lines per file.

        Returns:
            One number a file of the range, empty ones included.
        """
        return np.asarray(np.sum([np.diff(begins) for begins in self._begins.values()], axis=0))

    def read(self, first: int, last: int) -> RowArray:
        """Merges the lines of consecutive files.

        Args:
            first: First file.
            last: One past the last file.

        Returns:
            Their lines by arrival.
        """
        parts = []
        for block in sorted(self._begins):
            begins = self._begins[block]
            rows = np.load(self._folder / f"{block:05d}.npy", mmap_mode="r")
            parts.append(np.array(rows[begins[first] : begins[last]]))
        rows = np.concatenate(parts)
        return rows.take(np.argsort(rows["recv"], kind="stable"))


def write_log(
    world: World, spill: Spill, renderer: Renderer, raw: Path, progress: Callable[[int], None]
) -> Written:
    """Writes all files of the log.

    Args:
        world: The world.
        spill: All lines.
        renderer: Makes text of them.
        raw: Folder to write into: one folder a received day (UTC), four files each.
        progress: Called with the number of lines written since the last call.

    Returns:
        What was written.
    """
    counts = spill.counts()

    def work(group: tuple[int, int]) -> Written:
        return _write_group(world, renderer, raw, spill.read(*group), group, counts)

    total = Written(0, 0, 0, 0)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for done in pool.map(work, list(_groups(counts))):
            progress(done.lines)
            total = Written(
                total.files + done.files,
                total.lines + done.lines,
                total.bytes + done.bytes,
                total.compressed + done.compressed,
            )
    return total


def file_name(world: World, file: int) -> str:
    """Names a file of the log.

    Args:
        world: The world.
        file: File number.

    Returns:
        Its path below ``raw/``.
    """
    day, part = divmod(file, FILES_PER_DAY)
    received = datetime.fromtimestamp((world.clock.start + day * DAY) // SECOND, UTC)
    return f"{received:%Y-%m-%d}/events-{part:02d}.json.gz"


def _groups(counts: Ints) -> Iterator[tuple[int, int]]:
    """Consecutive files that together are worth one rendering."""
    first, held = 0, 0
    for file, count in enumerate(counts.tolist()):
        held += count
        if held >= GATHER or file == len(counts) - 1:
            yield first, file + 1
            first, held = file + 1, 0


def _write_group(
    world: World, renderer: Renderer, raw: Path, rows: RowArray, group: tuple[int, int], counts: Ints
) -> Written:
    ends = np.cumsum(counts[group[0] : group[1]])
    written = size = compressed = 0
    out: _File | None = None
    file = group[0] - 1
    for begin in range(0, len(rows), SLICE):
        part = rows[begin : begin + SLICE]
        rendered = renderer.render(part)
        size += int(rendered.begins[-1])
        at = begin
        while at < begin + len(part):
            if out is None or at == out.end:
                compressed += out.close() if out else 0
                file = group[0] + int(np.searchsorted(ends, at, side="right"))
                out = _File(raw / file_name(world, file), int(ends[file - group[0]]))
                written += 1
            stop = min(out.end, begin + len(part))
            for piece in rendered.pieces(at - begin, stop - begin):
                out.write(piece)
            at = stop
    compressed += out.close() if out else 0
    return Written(written, len(rows), size, compressed)


class _File:
    """One gzip member whose bytes depend on nothing but the lines."""

    def __init__(self, path: Path, end: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.end = end
        self._path = path
        self._raw = path.open("wb")
        self._zip: gzip.GzipFile = igzip.IGzipFile("", "wb", _LEVEL, self._raw, 0)

    def write(self, data: bytes | memoryview) -> None:
        self._zip.write(data)

    def close(self) -> int:
        self._zip.close()
        self._raw.close()
        return self._path.stat().st_size
