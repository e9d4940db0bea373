"""Framing files that are tables: delimited text and Parquet, both as rows of one schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from headway_pipelines.privacy.columnar import frame_parquet, is_parquet
from headway_pipelines.privacy.delimited import frame_delimited
from headway_pipelines.privacy.framing import MAX_LINE_BYTES, Block
from headway_pipelines.sources.shape import Reader


def frame_table(path: Path, reader: Reader, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Block]:
    r"""Cuts a delimited text file or a Parquet file into rows.

    Delimited text is read as Python's ``csv`` module reads it (RFC 4180 quoting), with these rules on top: blank lines
    are no rows, extra fields at the end of a row are allowed where they are empty, and ``whitespace`` as separator
    gives quotes no meaning.

    Args:
        path: The file; delimited text may be plain, gzip, zstandard or zip.
        reader: How to read it.
        max_line_bytes: Longer lines, and quoted rows that span more, are rejected.

    Returns:
        Blocks whose rows have the columns of `fields.table_schema`; `line` is the line where the row starts and
        `position` its byte offset, for Parquet both are the number of the row. Rows and rejects together are all rows
        of the file but those without any value, which are as blank as blank lines.

    Raises:
        DamagedFile: The file cannot be decompressed, or is no Parquet file.
        WrongColumns: The file lacks a required column.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "orders.csv"
        >>> _ = file.write_text("customer,amount\n7,9.90\n8\n")
        >>> [block] = frame_table(file, Reader("delimited"))
        >>> block.lines.select(["line", "position", "fields"]).to_pylist()
        [{'line': 2, 'position': 16, 'fields': [('customer', '7'), ('amount', '9.90')]}]
        >>> block.rejects
        [(3, 23, 'wrong number of fields')]
    """
    if reader.kind == "parquet" or (reader.kind == "table" and is_parquet(path)):
        return frame_parquet(path, reader)
    return frame_delimited(path, reader, max_line_bytes)
