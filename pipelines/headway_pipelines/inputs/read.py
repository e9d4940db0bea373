"""Reading side inputs: every row is used or rejected, and a rejected one is located."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from headway.errors import InputError
from headway.models.product import Product
from headway_pipelines.inputs.cells import Cell, Table, UnusableCellError
from headway_pipelines.inputs.tables import TABLES, tables
from headway_pipelines.privacy.detect import safe_name

REJECTS: Final[dict[str, pl.DataType]] = {
    "input": pl.String(),
    "line": pl.Int64(),
    "reason": pl.String(),
}
"""Columns and types of rejected rows."""

_SEPARATORS = (",", ";", "\t")
#: Characters. What the csv module itself refuses, until the reader of raw logs lets it take more in this process.
_LONGEST_CELL = 131_072


@dataclass(frozen=True)
class ReadInput:
    """What a side input holds.

    Attributes:
        table: What it is.
        rows: The rows that can be used.
        rejects: The others, see `REJECTS`.
        unread: Columns of the file that were not read, because nothing declares them; only how many.
    """

    table: Table
    rows: pl.DataFrame
    rejects: pl.DataFrame
    unread: int = 0


def read_inputs(folder: Path, product: Product) -> dict[str, ReadInput]:
    """Reads the side inputs of a workspace.

    Args:
        folder: The folder ``inputs/``; it need not exist.
        product: The product.

    Returns:
        Inputs by name, those that have a file.

    Raises:
        InputError: A file is no side input, lacks a column, or cannot be read as CSV text.
    """
    declared = tables(product)
    files = {path.stem: path for path in sorted(folder.glob("*.csv"))} if folder.is_dir() else {}
    for name in files:
        if name in declared:
            continue
        if safe_name(name):
            raise InputError.unknown("side input", name, TABLES)
        known = ", ".join(f"{each}.csv" for each in TABLES)
        raise InputError(f"a file in inputs/ is no side input. Only {known} belong there.")
    return {name: _read(path, declared[name]) for name, path in files.items()}


@dataclass
class _Rows:
    """Rows as they are met."""

    table: Table
    good: list[tuple[Cell | None, ...]] = field(default_factory=list)
    bad: list[tuple[str, int, str]] = field(default_factory=list)
    seen: dict[tuple[Cell | None, ...], tuple[Cell | None, ...]] = field(default_factory=dict)

    def take(self, line: int, cells: Sequence[str], places: Mapping[str, int], width: int) -> None:
        """Uses or rejects one row."""
        try:
            if len(cells) != width:
                raise UnusableCellError("another number of cells than the header")
            row = tuple(_cell(name, self.table, cells, places) for name in self.table.columns)
            self.table.check(dict(zip(self.table.columns, row, strict=True)))
            self._once(row)
        except UnusableCellError as error:
            self.bad.append((self.table.name, line, str(error)))

    def _once(self, row: tuple[Cell | None, ...]) -> None:
        if not self.table.once:
            self.good.append(row)
            return
        key = tuple(row[list(self.table.columns).index(name)] for name in self.table.once)
        before = self.seen.setdefault(key, row)
        if before is row:
            self.good.append(row)
        elif before != row:
            raise UnusableCellError(f"contradicts an earlier row of the same {' and '.join(self.table.once)}")


def _read(path: Path, table: Table) -> ReadInput:
    lines = _lines(path)
    header, separator = _header(path, table, next(lines, ""))
    places = {name: header.index(name) for name in table.columns if name in header}
    rows = _Rows(table)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(len(cell) > _LONGEST_CELL for cell in cells):
                raise csv.Error
            if cells:
                rows.take(reader.line_num + 1, [cell.strip() for cell in cells], places, len(header))
    except csv.Error:
        raise InputError(
            f"inputs/{path.name}, line {reader.line_num + 1}: a quotation mark is out of place, or a cell is "
            f"longer than {_LONGEST_CELL} characters. "
            'Write a quoted cell as "a, b" and a quotation mark in it twice.'
        ) from None
    known = set(table.columns) | table.unread
    return ReadInput(
        table,
        pl.DataFrame(rows.good, schema=dict(table.schema), orient="row"),
        pl.DataFrame(rows.bad, schema=REJECTS, orient="row"),
        sum(name not in known for name in header),
    )


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise InputError(
            f"inputs/{path.name} is not UTF-8 text (byte {error.start}). Save it as CSV in UTF-8."
        ) from None


def _header(path: Path, table: Table, line: str) -> tuple[list[str], str]:
    """Reads the first line; its columns say what separates cells."""
    needed = [name for name, column in table.columns.items() if not column.optional]
    for separator in _SEPARATORS:
        header = [cell.strip().strip('"').lower() for cell in line.split(separator)]
        if set(needed) <= set(header):
            if len(set(header)) < len(header):
                raise InputError(f"inputs/{path.name} has a column twice. Name each column once.")
            return header, separator
    raise InputError(
        f"inputs/{path.name} does not begin with a line that names its columns: {', '.join(table.columns)}. "
        f"Needed: {', '.join(needed)}."
    )


def _cell(name: str, table: Table, cells: Sequence[str], places: Mapping[str, int]) -> Cell | None:
    column = table.columns[name]
    text = cells[places[name]] if name in places else ""
    if text:
        return column.read(text)
    if not column.optional:
        raise UnusableCellError(f"{name} is empty")
    return column.absent
