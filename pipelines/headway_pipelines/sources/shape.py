"""The one event shape every source produces, and how a source is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SHAPE = (
    "batch",
    "line",
    "position",
    "outcome",
    "event",
    "user_raw",
    "device_raw",
    "account_raw",
    "alias_raw",
    "message_id",
    "content",
    "occurred_at",
    "client_at",
    "received_at",
    "properties",
)
"""Columns of the shape.

`outcome` says what became of the line: ``event``, ``identify``, ``group``, ``alias``, ``blank`` or the reason why it
is rejected. `message_id` is the tracker's own id of the event; where it is null, `content` is hashed instead.
`properties` is a MAP from the raw property name to its value as text (JSON text for nested values).
"""


@dataclass(frozen=True)
class Reader:
    """How the files of a source are cut into rows before the SQL sees them.

    Attributes:
        kind: ``lines`` gives one `text` per line; ``delimited`` and ``parquet`` give one `record` per row, and its
            `fields` as a MAP from column name to text that leaves out empty values.
        separator: Field separator of ``delimited``; ``whitespace`` means runs of blanks.
        columns: Column names of ``delimited`` files without a header line.
        required: Columns that a ``delimited`` or ``parquet`` file must have to be read at all.
    """

    kind: Literal["lines", "delimited", "parquet"] = "lines"
    separator: str = ","
    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One kind of export.

    Attributes:
        name: Name of the source, stored with every event.
        format: Name of the adapter.
        shape_sql: A SELECT over the relation ``frames`` (the reader's rows with `batch`) that yields `SHAPE`.
        reader: How files are cut into rows.
        files: Patterns of paths below ``raw/`` that this source reads.
    """

    name: str
    format: str
    shape_sql: str
    reader: Reader = Reader()
    files: tuple[str, ...] = ("**/*",)
