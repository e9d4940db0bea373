"""What rows of every table look like: where they are, their text, and their fields as a map.

A map, not columns: files with different headers fit into one table, a field may be called `line` or differ from
another in case only, and what is empty is left out. The database makes sure that no key of a map occurs twice, which
costs more than anything else here; a source that knows its columns by name (`Reader.parts`) is spared it.
Nothing here guesses a type; the tracking plan decides on types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headway.errors import InputError
from headway_pipelines.privacy.detect import safe_name
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.vocabulary import ordinary
from headway_pipelines.sources.shape import Reader

_ENTRY = pa.struct([("key", pa.string()), ("value", pa.string())])
_SHOWN = 40


def table_schema(reader: Reader) -> pa.Schema:
    """The columns of rows of a table.

    Args:
        reader: How the source reads it.

    Returns:
        `line`, `position`, `record`, and `fields`; where the reader names parts, `parts` and `others` instead of that.

    Examples:
        >>> table_schema(Reader("table", parts=("id",))).names
        ['line', 'position', 'record', 'parts', 'others']
    """
    known = [
        ("parts", pa.struct([(name, pa.string()) for name in reader.parts])),
        ("others", pa.list_(_ENTRY)),
    ]
    fields = known if reader.parts else [("fields", pa.map_(pa.string(), pa.string()))]
    return pa.schema([("line", pa.uint32()), ("position", pa.int64()), ("record", pa.string()), *fields])


class WrongColumns(DamagedFile, InputError):
    """A file lacks a column that its source is told to read; the file is set aside."""


def field_names(header: Sequence[str]) -> list[str]:
    """Makes the column names of a header usable as keys.

    Args:
        header: The names as they stand in the file.

    Returns:
        The names trimmed; a missing one becomes ``column3``, a repeated one ``name:2``.

    Examples:
        >>> field_names(["id", " amount", "", "id"])
        ['id', 'amount', 'column3', 'id:2']
    """
    names: list[str] = []
    for place, raw in enumerate(header, 1):
        base = name = raw.strip() or f"column{place}"
        repeat = 1
        while name in names:
            repeat += 1
            name = f"{base}:{repeat}"
        names.append(name)
    return names


def check_columns(names: Sequence[str], reader: Reader) -> None:
    """Makes sure that a file has the columns its source reads.

    Args:
        names: The file's columns.
        reader: What the source asks for.

    Raises:
        WrongColumns: One is missing; the message names those that exist, as far as they may be shown.
    """
    # A dotted path may also lead into a column of nested JSON.
    missing = [name for name in reader.required if name not in names and name.split(".")[0] not in names]
    if not missing or (reader.instead and set(reader.instead) <= set(names)):
        return
    # A first line of which nothing is wanted may be a row: of such only words that are nobody's are shown.
    names_are_told = reader.kind == "parquet" or len(missing) < len(reader.required)
    shown = [
        name if safe_name(name) and (names_are_told or ordinary(name)) else f"(column {place})"
        for place, name in enumerate(names, 1)
    ]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    hint = "; is the separator right?" if len(names) == 1 and reader.kind == "delimited" else ""
    if not names_are_told:
        hint = hint or "; are the names of the columns in its first line?"
    raise WrongColumns(
        f"the file has no column {', '.join(map(repr, missing))}; it has: {', '.join(shown[:_SHOWN])}{more}{hint}"
    )


def fields_of(
    names: Sequence[str], columns: Sequence[pa.Array], count: int, reader: Reader
) -> list[pa.Array]:
    """Turns columns of text into the fields of each row, without nulls and empty texts.

    Args:
        names: Distinct column names.
        columns: One string array per name, each of `count` texts.
        count: Number of rows.
        reader: How the source reads them.

    Returns:
        The last columns of `table_schema`: maps, or structs of the parts and lists of the other fields, in the order
        of the columns.
    """
    given = {name: (column, _filled(column, count)) for name, column in zip(names, columns, strict=True)}
    if not reader.parts:
        return [pa.MapArray.from_arrays(*_entries(given, count))]
    parts = [
        _without_empty(*given.pop(name)) if name in given else pa.nulls(count, pa.string())
        for name in reader.parts
    ]
    offsets, keys, values = _entries(given, count)
    others = pa.ListArray.from_arrays(
        offsets, pa.StructArray.from_arrays([keys, values], fields=list(_ENTRY))
    )
    return [pa.StructArray.from_arrays(parts, names=list(reader.parts)), others]


_Filled = npt.NDArray[np.bool_]


def _offsets(column: pa.Array, count: int) -> npt.NDArray[np.int32]:
    return np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + count + 1]


def _filled(column: pa.Array, count: int) -> _Filled:
    filled: _Filled = np.diff(_offsets(column, count)) > 0
    # Bytes may lie below a null.
    return filled & column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else filled


def _without_empty(column: pa.Array, filled: _Filled) -> pa.Array:
    """The same texts, with NULL for those that are empty."""
    valid = pa.py_buffer(np.packbits(filled, bitorder="little"))
    offsets = pa.py_buffer(_offsets(column, len(filled)))
    return pa.StringArray.from_buffers(len(filled), offsets, column.buffers()[2], valid)


def _entries(
    given: Mapping[str, tuple[pa.Array, _Filled]], count: int
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Where each row's fields begin, their names, and their texts, all rows one after the other."""
    filled = np.empty((count, len(given)), np.bool_)
    for place, (_, each) in enumerate(given.values()):
        filled[:, place] = each
    rows, places = np.nonzero(filled)
    values = pa.concat_arrays([column for column, _ in given.values()]) if given else texts([])
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(filled.sum(axis=1), dtype=np.int32)])
    return (
        numbers(offsets),
        texts(list(given)).take(numbers(places)),
        values.take(numbers(places * count + rows)),
    )


def numbers(values: npt.NDArray[np.integer[Any]]) -> pa.Array:
    """Hands numbers to Arrow without the import of pandas that ``pa.array`` brings.

    Args:
        values: Integers.

    Returns:
        The same as an Arrow array.
    """
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, buffer])


def texts(values: Sequence[str]) -> pa.Array:
    """Hands texts to Arrow, likewise.

    Args:
        values: The texts.

    Returns:
        The same as an Arrow array.

    Examples:
        >>> texts(["a", "", "é"]).to_pylist()
        ['a', '', 'é']
    """
    parts = [value.encode("utf-8") for value in values]
    offsets = np.cumsum([0, *map(len, parts)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(parts), pa.py_buffer(offsets), pa.py_buffer(b"".join(parts)))
