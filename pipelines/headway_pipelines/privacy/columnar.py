"""Parquet files as rows of text, one row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from headway.engine import connect, guarded, identifier
from headway.errors import EngineError
from headway_pipelines.privacy.fields import check_columns, field_names, fields_of, numbers, table_schema
from headway_pipelines.privacy.framing import Block
from headway_pipelines.privacy.opening import DamagedFile, is_zip
from headway_pipelines.sources.shape import Reader

_ROWS = 16_384


def frame_parquet(path: Path, reader: Reader) -> Iterator[Block]:
    """Reads a Parquet file as rows of text, see `tables.frame_table`.

    Numbers, dates and times get the text the database reads back as the same value; lists, structs and maps become
    JSON. A row's `record` is all its values in the order of the column names.

    Args:
        path: The file.
        reader: What columns are required.

    Yields:
        Blocks of rows.

    Raises:
        DamagedFile: The file is no Parquet file, or a part of it cannot be read.
        WrongColumns: The file lacks a required column.
    """
    row = 0
    with closing(_engine().cursor()) as con, _opened(path) as file:
        names = field_names(file.schema_arrow.names)
        check_columns(names, reader)
        if not names:
            return
        for batch in _batches(file):
            columns = _texts(con, batch)
            places = np.arange(row + 1, row + 1 + batch.num_rows)
            table = pa.Table.from_arrays(
                [
                    numbers(places.astype(np.uint32)),
                    numbers(places),
                    _records(names, columns),
                    *fields_of(names, columns, batch.num_rows, reader),
                ],
                schema=table_schema(reader),
            )
            row += batch.num_rows
            # A row without any value is a blank line, which is what is left of one that was taken out.
            some = pa.compute.is_valid(pa.compute.coalesce(*columns))
            yield Block(table.filter(some))


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """The database that turns values into texts. It keeps nothing; to open one takes as long as a small file."""
    return connect(threads=1, temp_directory="")


def is_parquet(path: Path) -> bool:
    """Whether a file says at its beginning that it is Parquet.

    Args:
        path: The file.

    Returns:
        True for Parquet, whatever its name.
    """
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _opened(path: Path) -> parquet.ParquetFile:
    # A file that cannot be opened is not a damaged one: that error passes through.
    if is_zip(path):
        raise DamagedFile(
            "Parquet files in a zip archive are not read; unpack it, they are compressed already"
        )
    try:
        # Pages are read as they are needed: a row group may be larger than memory.
        return parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as error:
        kind = type(error).__name__
    raise DamagedFile(f"this is no Parquet file, or its footer is damaged: {kind}")


def _batches(file: parquet.ParquetFile) -> Iterator[pa.RecordBatch]:
    for group in range(file.num_row_groups):
        try:
            for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group], use_threads=False):
                # Texts that are not UTF-8 would stop the database, not only fail a query.
                batch.validate(full=True)
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise DamagedFile(f"row group {group} is damaged: {type(error).__name__}") from None


def _texts(con: duckdb.DuckDBPyConnection, batch: pa.RecordBatch) -> list[pa.Array]:
    """Every column as text; the names do not matter here and may repeat."""
    columns = dict(enumerate(batch.columns))
    others = {f"c{place}": column for place, column in columns.items() if not pa.types.is_string(column.type)}
    try:
        if others:
            chosen = ", ".join(
                f"{_text(identifier(name), column.type)} AS {identifier(name)}"
                for name, column in others.items()
            )
            with guarded("read a Parquet file"):
                con.register("batch", pa.Table.from_arrays(list(others.values()), names=list(others)))
                table = con.sql(f"SELECT {chosen} FROM batch").to_arrow_table()
                con.unregister("batch")
            for name, column in zip(others, table.columns, strict=True):
                columns[int(name[1:])] = pa.concat_arrays(column.chunks).cast(pa.string())
    except (EngineError, pa.ArrowException) as error:
        _engine.cache_clear()
        raise DamagedFile(f"a column has a type that cannot be read: {type(error).__name__}") from None
    return list(columns.values())


def _text(column: str, arrow_type: pa.DataType) -> str:
    if pa.types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    if pa.types.is_nested(arrow_type):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type):
        # Old writers store text as bytes without saying so.
        return f"coalesce(TRY(decode({column})), CAST({column} AS VARCHAR))"
    return f"CAST({column} AS VARCHAR)"


def _records(names: list[str], columns: list[pa.Array]) -> pa.Array:
    ordered = [columns[place] for place in sorted(range(len(names)), key=names.__getitem__)]
    return pa.compute.binary_join_element_wise(
        *ordered, "\x1f", null_handling="replace", null_replacement="\x00"
    )
