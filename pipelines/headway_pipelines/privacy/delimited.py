"""Delimited text: rows with their line and byte offset, whatever the quoting.

Most lines are split by Arrow, many at a time: those without a quote, and those whose quotes surround whole fields and,
where one is part of a field, are doubled, as nearly every writer sets them. All others, and the lines a quoted field
runs over, go through Python's ``csv`` module, so that quotes have one meaning.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from headway_pipelines.privacy.fields import (
    check_columns,
    field_names,
    fields_of,
    numbers,
    table_schema,
    texts,
)
from headway_pipelines.privacy.framing import (
    LINE_TOO_LONG,
    NOT_UTF8,
    Block,
    Piece,
    Place,
    cut,
    not_utf8,
)
from headway_pipelines.privacy.opening import DamagedFile, open_raw
from headway_pipelines.sources.shape import Reader

UNCLOSED_QUOTE = "unclosed quote"
STRAY_RETURN = "stray carriage return"
WRONG_FIELDS = "wrong number of fields"
_BLANKS = re.compile(rb"[ \t\r\f\v]+")
_Offsets = npt.NDArray[np.int32]


def frame_delimited(path: Path, reader: Reader, max_line_bytes: int) -> Iterator[Block]:
    """Cuts a delimited text file into rows, see `tables.frame_table`.

    Args:
        path: The file; plain, gzip, zstandard or a zip archive of such files.
        reader: Separator, names and required columns.
        max_line_bytes: Longer lines, and quoted rows that span more, are rejected.

    Yields:
        Blocks of rows.

    Raises:
        DamagedFile: The file cannot be decompressed, or its header cannot be read.
        WrongColumns: The file lacks a required column.
    """
    # A process-wide setting of the csv module, which is never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), 2 * max_line_bytes))
    place = Place()
    for stream in open_raw(path):
        # Each member of a zip archive has a header of its own.
        yield from _frame(cut(stream, max_line_bytes, place), _Rows(reader, max_line_bytes))


def _frame(pieces: Iterator[Piece], rows: _Rows) -> Iterator[Block]:
    held: Piece | None = None
    for piece in pieces:
        if held and piece.rejects:
            # A line that was skipped lies between: the quoted row before it cannot be completed.
            yield rows.read(held, last=True)[0]
            held = None
        if held:
            piece = Piece(held.data + piece.data, held.line, held.position, piece.rejects)
        block, held = rows.read(piece, last=False)
        yield block
    if held:
        yield rows.read(held, last=True)[0]


class _Unclosed(Exception):
    """A quoted field does not end within the lines at hand."""


@dataclass
class _Lines:
    """The lines of a piece and what became of them."""

    piece: Piece
    offsets: _Offsets
    open: npt.NDArray[np.bool_]
    rejects: list[tuple[int, int, str]]
    starts: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.open)

    def bytes(self, first: int, after: int) -> bytes:
        return self.piece.data[self.offsets[first] : self.offsets[after]]

    def reject(self, index: int, reason: str) -> None:
        self.rejects.append((self.piece.line + index, self.piece.position + int(self.offsets[index]), reason))
        self.open[index] = False


class _Rows:
    """Reads the rows of one file."""

    def __init__(self, reader: Reader, max_line_bytes: int) -> None:
        self._reader, self._cap = reader, max_line_bytes
        self._blanks = reader.separator == "whitespace"
        self._separator = " " if self._blanks else reader.separator
        self._names: list[str] = list(reader.columns)
        if self._names:
            check_columns(self._names, reader)

    def read(self, piece: Piece, *, last: bool) -> tuple[Block, Piece | None]:
        """Reads the rows of a piece; where the last one goes on in the next piece, returns its beginning."""
        lines = self._lines(piece)
        after = lines.count
        if not self._names:
            after = self._read_header(lines, last)
        if self._names and not self._blanks:
            after = self._read_quoted(lines, last)
        held = None
        if after < lines.count:
            lines.open[after:] = False
            start = int(lines.offsets[after])
            held = Piece(piece.data[start:], piece.line + after, piece.position + start)
        return self._block(lines), held

    def _lines(self, piece: Piece) -> _Lines:
        lines = _Lines(piece, piece.offsets, np.ones(piece.count, np.bool_), list(piece.rejects))
        for index in np.flatnonzero(np.diff(piece.offsets) > self._cap + 1):
            lines.reject(int(index), LINE_TOO_LONG)
        return lines

    def _read_header(self, lines: _Lines, last: bool) -> int:
        """Takes the first row as names; returns the line to go on with, that is the last for none."""
        index = 0
        while index < lines.count:
            if not lines.open[index]:
                raise DamagedFile("the header line is too long")
            if not lines.bytes(index, index + 1).strip(b" \t\r\n" if self._blanks else b"\r\n"):
                index += 1
                continue
            try:
                fields, after = self._split(lines, index)
            except _Unclosed:
                if not last and len(lines.piece.data) - lines.offsets[index] <= self._cap:
                    return index
                raise DamagedFile("the header line has an unclosed quote") from None
            if fields is None or not _encodable(fields):
                raise DamagedFile("the header line cannot be read as UTF-8 text")
            self._names = field_names(fields)
            check_columns(self._names, self._reader)
            lines.open[:after] = False
            break
        return lines.count

    def _read_quoted(self, lines: _Lines, last: bool) -> int:
        """Reads rows that need care; returns the line where one begins that is not complete yet."""
        after = 0
        for index in self._careful(lines):
            if index < after or not lines.open[index]:
                continue
            try:
                fields, after = self._split(lines, index)
            except _Unclosed:
                if not last and len(lines.piece.data) - lines.offsets[index] <= self._cap:
                    return index
                # Only this line is given up: the rows after it are likely sound.
                lines.reject(index, UNCLOSED_QUOTE)
                after = index + 1
                continue
            self._keep(lines, index, after, fields)
        return lines.count

    def _careful(self, lines: _Lines) -> list[int]:
        """Lines with quotes neither around a field nor doubled, or a carriage return that does not end them."""
        data = lines.piece.data
        if b'"' not in data and data.count(b"\r") == data.count(b"\r\n"):
            return []
        array = np.frombuffer(data, np.uint8)
        returns = np.flatnonzero(array[:-1] == ord("\r"))
        stray = returns[array[returns + 1] != ord("\n")]
        careful = _intricate(array, lines.offsets, ord(self._separator), len(self._names))
        careful[np.searchsorted(lines.offsets, stray, side="right") - 1] = True
        found: list[int] = np.flatnonzero(careful).tolist()
        return found

    def _split(self, lines: _Lines, first: int) -> tuple[list[str] | None, int]:
        """Reads the one row that begins in a line, which may run over several.

        Returns:
            Its fields, None where they cannot be told apart, and the line after it.
        """
        if self._blanks:
            text = lines.bytes(first, first + 1).decode("utf-8", "surrogateescape")
            return text.split(), first + 1
        after = first

        def following() -> Iterator[str]:
            nonlocal after
            while after < lines.count and lines.offsets[after + 1] - lines.offsets[first] <= self._cap + 1:
                if not lines.open[after]:
                    break
                after += 1
                yield lines.bytes(after - 1, after).decode("utf-8", "surrogateescape")
            # The csv module asks for more only while a quote is open.
            raise _Unclosed

        try:
            return next(csv.reader(following(), delimiter=self._separator)), after
        except csv.Error:
            return None, after

    def _keep(self, lines: _Lines, first: int, after: int, fields: list[str] | None) -> None:
        lines.open[first:after] = False
        if fields is None:
            lines.reject(first, STRAY_RETURN)
        elif not fields:
            return
        elif not _encodable(fields):
            lines.reject(first, NOT_UTF8)
        elif len(fields) < len(self._names) or any(fields[len(self._names) :]):
            lines.reject(first, WRONG_FIELDS)
        else:
            lines.starts.append(first)
            lines.texts.append(lines.bytes(first, after).decode("utf-8"))
            lines.rows.append(fields)

    def _block(self, lines: _Lines) -> Block:
        index, records, columns = self._plain(lines)
        if lines.starts:
            index = np.concatenate([index, np.array(lines.starts, np.int64)])
            records = pa.concat_arrays([records, texts(lines.texts)])
            columns = [
                pa.concat_arrays([column, texts([row[place] for row in lines.rows])])
                for place, column in enumerate(columns)
            ]
        if bool((np.diff(index) < 0).any()):
            order = np.argsort(index)
            index, taken = index[order], numbers(order)
            records, columns = records.take(taken), [column.take(taken) for column in columns]
        table = pa.Table.from_arrays(
            [
                numbers((lines.piece.line + index).astype(np.uint32)),
                numbers(lines.piece.position + lines.offsets[index].astype(np.int64)),
                records,
                *fields_of(self._names, columns, len(index), self._reader),
            ],
            schema=table_schema(self._reader),
        )
        return Block(table, sorted(lines.rejects))

    def _plain(self, lines: _Lines) -> tuple[npt.NDArray[np.int64], pa.Array, list[pa.Array]]:
        """Reads the lines that are one row each: their places (not yet in order), texts and columns."""
        data, width = lines.piece.data, len(self._names)
        if not width:
            return np.zeros(0, np.int64), texts([]), []
        if not data.isascii():
            for bad in not_utf8(data, lines.offsets, lines.open):
                lines.reject(bad, NOT_UTF8)
        whole = pa.BinaryArray.from_buffers(
            pa.binary(), lines.count, [None, pa.py_buffer(lines.offsets), pa.py_buffer(data)]
        )
        index = np.flatnonzero(lines.open)
        body = data if len(index) == lines.count else b"".join(whole.take(numbers(index)).to_pylist())
        if self._blanks:
            body = _BLANKS.sub(b" ", body).replace(b" \n", b"\n").replace(b"\n ", b"\n").lstrip(b" ")
        sizes = _field_counts(body, ord(self._separator), width, quotes=not self._blanks)
        for place in np.flatnonzero(sizes < 0):
            lines.reject(int(index[place]), WRONG_FIELDS)
        masks = [sizes == size for size in np.unique(sizes[sizes > 0])]
        if not masks:
            return index[:0], texts([]), [texts([])] * width
        parts = [self._arrow(body, mask, int(sizes[mask][0])) for mask in masks]
        kept = index[np.concatenate([np.flatnonzero(mask) for mask in masks])]
        records = whole if len(kept) == lines.count and len(masks) == 1 else whole.take(numbers(kept))
        # Not a cast: the bytes have been checked.
        records = pa.StringArray.from_buffers(len(records), *records.buffers()[1:], None, 0, records.offset)
        return kept, records, [pa.concat_arrays([part[place] for part in parts]) for place in range(width)]

    def _arrow(self, body: bytes, mask: npt.NDArray[np.bool_], size: int) -> list[pa.Array]:
        """Splits the lines of a mask, which all have so many fields."""
        if not mask.all():
            body = b"".join(line for line, kept in zip(body.splitlines(True), mask, strict=True) if kept)
        names = [str(place) for place in range(size)]
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(body) + 1, column_names=names),
            arrow_csv.ParseOptions(
                delimiter=self._separator,
                quote_char=False if self._blanks or b'"' not in body else '"',
                double_quote=b'""' in body,
                ignore_empty_lines=False,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=names[: len(self._names)],
                check_utf8=False,
                null_values=[],
                strings_can_be_null=False,
            ),
        )
        if table.num_rows != int(mask.sum()):
            raise AssertionError("rows were lost while splitting lines")
        return [pa.concat_arrays(column.chunks) for column in table.columns]


def _intricate(
    array: npt.NDArray[np.uint8], offsets: _Offsets, separator: int, width: int
) -> npt.NDArray[np.bool_]:
    """Finds lines with quotes that neither surround fields nor are doubled in one, or with an unusual number of fields.

    By turns a quote opens a field and closes it. Two that touch within one close it and open it again, which is what a
    doubled quote means.
    """
    quotes = np.flatnonzero(array == ord('"'))
    places = np.searchsorted(quotes, offsets)
    counts = np.diff(places)
    lines = np.repeat(np.arange(len(counts)), counts)
    opening = (np.arange(len(quotes)) - places[:-1][lines]) % 2 == 0
    # Every line ends with a newline: there is a byte after each quote. The one before the first is not looked at.
    before, after = array[quotes - 1], array[np.minimum(quotes + 1, len(array) - 1)]
    opens = (before == separator) | (before == ord('"')) | (quotes == offsets[lines])
    closes = (after == separator) | (after == ord('"')) | (after == ord("\n")) | (after == ord("\r"))
    intricate: npt.NDArray[np.bool_] = counts % 2 == 1
    intricate[lines[~np.where(opening, opens, closes)]] = True
    # Extra fields may be there if they are empty, which is hard to say of a quoted one.
    separators = _outside(np.flatnonzero(array == separator), quotes[~intricate[lines]])
    fields = np.diff(np.searchsorted(separators, offsets)) + 1
    intricate |= (counts > 0) & (fields != width)
    return intricate


def _outside(places: npt.NDArray[np.int64], quotes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The places that no pair of quotes surrounds."""
    return places[np.searchsorted(quotes, places) % 2 == 0] if len(quotes) else places


def _field_counts(body: bytes, separator: int, width: int, *, quotes: bool) -> npt.NDArray[np.int64]:
    """Counts the fields of each line: 0 for a blank line, -1 for a wrong number; empty extra fields are not wrong."""
    array = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(array == ord("\n"))
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])[: len(ends)]
    ends = ends - ((ends > starts) & (array[ends - 1] == ord("\r")))
    places = np.flatnonzero(array == separator)
    if quotes:
        places = _outside(places, np.flatnonzero(array == ord('"')))
    after = np.searchsorted(places, ends)
    counts: npt.NDArray[np.int64] = after - np.searchsorted(places, starts) + 1
    extra = np.maximum(counts - width, 0)
    # The extra fields are empty if the line ends in that many separators.
    longer = np.flatnonzero(extra)
    empty = places[after[longer] - extra[longer]] == ends[longer] - extra[longer]
    fits = counts == width
    fits[longer[empty]] = True
    return np.where(ends == starts, 0, np.where(fits, counts, -1))


def _encodable(fields: list[str]) -> bool:
    """Whether no field holds bytes that were not UTF-8."""
    try:
        "".join(fields).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
