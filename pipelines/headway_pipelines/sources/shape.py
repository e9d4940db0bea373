"""The one event shape every source produces, and how a source is described."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from pydantic import Field, StrictBool, StrictStr, field_validator

from headway.engine import load, with_inputs
from headway.models.yaml_file import Definition

SHAPE = {
    "batch": "UINTEGER",
    "line": "UINTEGER",
    "position": "BIGINT",
    "outcome": "VARCHAR",
    "event": "VARCHAR",
    "user_raw": "VARCHAR",
    "device_raw": "VARCHAR",
    "account_raw": "VARCHAR",
    "alias_raw": "VARCHAR",
    "message_id": "VARCHAR",
    "content": "VARCHAR",
    "occurred_at": "TIMESTAMP",
    "client_at": "TIMESTAMP",
    "received_at": "TIMESTAMP",
    "properties": "MAP(VARCHAR, VARCHAR)",
    "property_names": "VARCHAR[]",
    "property_texts": "VARCHAR[]",
    "traits": "MAP(VARCHAR, VARCHAR)",
    "user_agent": "VARCHAR",
    "address": "VARCHAR",
    "consent": "VARCHAR",
}
"""Columns of the shape and their types. A source yields the first four and whichever others it knows.

`outcome` says what became of the line: ``event``, ``identify``, ``group``, ``alias``, ``blank`` or the reason why it
is rejected. An ``alias`` row says that `alias_raw`, of a user or a device, is another id of `user_raw`. On an ``event``
or ``identify`` row `alias_raw` is a further id of the person who acts. `message_id` is the tracker's own id of the
event; where it is null, `content` is hashed instead.
`properties` is a MAP from the raw property name to its value as text (JSON text for nested values). A source may yield
`property_names` and `property_texts` in its place, two lists as long as each other: to make a MAP costs more than to
read a line, because it looks for repeated names in every row. The gate then looks once in every set of names. `traits`
is the same MAP for what the row says of its person, and on a ``group`` row of its account. `user_agent` and `address`
(of the network) tell bots and the team's own traffic apart; neither is ever stored. `consent` is what the surroundings
of the call say of consent, as a JSON object; it is judged and never stored.
"""


BEGINNING = datetime(1990, 1, 1)
"""No line is older, or its clock was broken. What a line without a time says of somebody holds from here."""

NO_USABLE_ID = "no usable id"
"""Outcome of a line that names nobody who acts."""

NAMES_NOBODY = "names nobody"
"""The same where the source is known to have such lines, which are no mistakes then."""

ERASED = "of an erased person"
"""Outcome of a line of somebody who was erased: it does not pass."""

EXPIRED = "past its retention"
"""Outcome of a line that is older than what the plan keeps, and was written away before."""

NO_CONSENT = tuple(f"no consent: {reason}" for reason in ("unknown", "refused", "tcf", "gpc", "dnt"))
"""Outcomes of lines without consent: there is no signal, one says no, the TCF string does, or the browser."""

Copies = Literal["first_received", "last_received", "first_occurred", "last_occurred"]
"""Which of several copies of one event stays: the first or the last to arrive, or to have happened."""


@dataclass(frozen=True)
class Reader:
    """How the files of a source are cut into rows before the SQL sees them.

    Attributes:
        kind: ``lines`` gives one `text` per line; ``delimited`` and ``parquet`` give one `record` per row, and its
            `fields` as a MAP from column name to text that leaves out empty values; ``table`` reads each file as
            Parquet where it is Parquet, else as delimited text.
        separator: Field separator of ``delimited``; ``whitespace`` means runs of blanks.
        columns: Column names of ``delimited`` files without a header line.
        required: Columns that a file of the other kinds must have to be read at all.
        parts: Columns that the SQL reads by name. With them a row has no `fields` but a STRUCT `parts`, NULL where a
            value is empty or the column is missing, and `others`, a list of what the other columns hold as
            ``(key, value)``. This costs half of what a MAP does. Their names must differ in more than case.
        instead: Columns that a file may have in place of the required ones; without any there is no such file.
    """

    kind: Literal["lines", "delimited", "parquet", "table"] = "lines"
    separator: str = ","
    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One kind of export.

    Attributes:
        name: Name of the source, stored with every event.
        format: Name of the adapter.
        shape_sql: A SELECT over the relation ``frames`` (the reader's rows with `batch`) that yields
            columns of `SHAPE`.
        reader: How files are cut into rows.
        files: Patterns of paths below ``raw/`` that this source reads.
        finished_by: End of the name of the file that says the files beside it are complete; None reads files at once.
        waits: A regular expression of names of files that are read when such a file is there; None makes all wait.
        replaces: Whether a file that was written anew takes back what it said before.
        events: Names that the source itself gives to events, where it does not read them from the log.
        copies: Which of several copies of one event stays.
        retimed: Whether the vendor corrects the time of each copy of an event anew: where the client's own time is not
            known, copies that differ in time say the same.
        numbers: How ids begin that are no users but a vendor's own numbers of people.
        hasty_sql: The same SELECT, faster, but it fails on some malformed lines; empty where there is none.
    """

    name: str
    format: str
    shape_sql: str
    reader: Reader = Reader()
    files: tuple[str, ...] = ("**/*",)
    # When a file is read does not change what is read: these are no part of the source's fingerprint.
    finished_by: str | None = field(default=None, repr=False)
    waits: str | None = field(default=None, repr=False)
    replaces: bool = field(default=False, repr=False)
    events: tuple[str, ...] = ()
    copies: Copies = "first_received"
    retimed: bool = field(default=False, repr=False)
    numbers: str = ""
    # It reads the same.
    hasty_sql: str = field(default="", repr=False)

    @cached_property
    def query(self) -> str:
        """The SELECT with every column of the shape, in order; what the source does not yield is NULL."""
        return _whole(self.shape_sql)

    @cached_property
    def hasty_query(self) -> str | None:
        """The same with `hasty_sql`; None where there is none."""
        return _whole(self.hasty_sql) if self.hasty_sql else None


def _whole(yielded: str) -> str:
    columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in SHAPE.items())
    text = load("headway_pipelines.sources", "shape.sql").replace("/* columns */", columns)
    return with_inputs(text, {"yielded": yielded})


class FileSet(Definition):
    """What every source states in ``sources.yml``: the files it reads.

    Attributes:
        files: Patterns of paths below ``raw/``; ``*`` stays within a folder, ``**`` crosses folders.
        finished_by: End of a file name, for example ``manifest.json``. Files wait until there is such a file in their
            folder; what its name has before that end, theirs must begin with. Null makes no file wait.
        replaces: Whether a file that was written anew takes back what it said before. Otherwise it adds to that, as a
            file must that is emptied and used again.
        copies: Which of several copies of one event stays.
    """

    files: tuple[StrictStr, ...] = ("**/*",)
    finished_by: StrictStr | None = Field(default=None, pattern=r"^[^/]+$")
    replaces: StrictBool = False
    copies: Copies = "first_received"

    @field_validator("files")
    @classmethod
    def _patterns_are_relative(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        if not files:
            raise ValueError("is empty; list at least one pattern, for example '**/*.csv'")
        for pattern in files:
            if pattern.startswith("/") or ".." in pattern.split("/") or not pattern:
                raise ValueError(
                    f"{pattern!r} is not a pattern of paths below raw/; write for example 'web/**/*.gz'"
                )
        return files
