"""Files whose rows become events by a mapping: JSON lines, delimited text and Parquet.

The mapping says which field is the user, the time, the event's name and so on. A field is named by its column, or in
nested JSON by a dotted path. Which values may be stored is not decided here but by the tracking plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Literal

from pydantic import Field, StrictStr, field_validator, model_validator

from headway.engine import connect, guarded, literal, load, with_inputs
from headway.errors import EngineError
from headway.models.explain import did_you_mean, listed
from headway.models.yaml_file import Definition
from headway_pipelines.privacy.ids import NO_ID
from headway_pipelines.sources.shape import NAMES_NOBODY, FileSet, Reader, Source
from headway_pipelines.sources.times import UNITS, in_zone, iso, known_timezone, since_1970

_HERE = "headway_pipelines.sources"
_BLANKS = r"e' \t\r\n'"
_NOTHING = "NULL::VARCHAR"


class TimeField(Definition):
    """Which field is a point in time, and how it is written.

    Attributes:
        column: The field.
        format: ``iso``; ``s``, ``ms`` or ``us`` since 1970; or a pattern such as ``%d.%m.%Y %H:%M``.
        timezone: IANA zone of values that carry none.
    """

    column: StrictStr = Field(min_length=1)
    format: StrictStr = "iso"
    timezone: StrictStr = "UTC"

    @field_validator("format")
    @classmethod
    def _format_is_known(cls, name: str) -> str:
        if name == "iso" or name in UNITS:
            return name
        if "%" not in name:
            known = ["iso", *UNITS]
            raise ValueError(
                f"unknown time format {name!r}; write {', '.join(known)} or a pattern such as %Y-%m-%d"
                f"{did_you_mean(name, known)}"
            )
        try:
            with closing(connect()) as con, guarded("use the pattern"):
                con.execute("SELECT try_strptime('', $pattern)", {"pattern": name})
        except EngineError:
            raise ValueError(
                f"{name!r} is not a time pattern; %Y %m %d %H %M %S %f and %z are the usual parts"
            ) from None
        return name

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        return known_timezone(name)

    def expression(self) -> str:
        """SQL of the instant, a naive UTC TIMESTAMP; NULL where the text is no such time."""
        raw = f"trim({value(self.column)}, {_BLANKS})"
        if self.format in UNITS:
            return since_1970(raw, self.format)
        if self.format == "iso":
            return iso(raw, self.timezone)
        parsed = f"try_strptime({raw}, {literal(self.format)})"
        return (
            f"CAST({parsed} AS TIMESTAMP)"
            if re.search("%[zZ]", self.format)
            else in_zone(parsed, self.timezone)
        )


class EventName(Definition):
    """What the events are called: always the same, or as a field says.

    Attributes:
        value: The one name.
        column: The field that holds the name.
        names: Raw name -> name in the tracking plan; other names stay. ``*`` in a raw name stands for any characters,
            and the first entry that fits counts, so that ``{"C*": Order Cancelled, "*": Order Placed}`` tells credit
            notes by their number.
    """

    value: StrictStr | None = Field(default=None, min_length=1)
    column: StrictStr | None = Field(default=None, min_length=1)
    names: dict[StrictStr, StrictStr] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of_both(self) -> EventName:
        if (self.value is None) == (self.column is None):
            raise ValueError(
                "write either value: the name of every event, or column: the field that holds it"
            )
        if self.names and self.column is None:
            raise ValueError("names: needs column: the field whose values they rename")
        return self

    def given(self) -> tuple[str, ...]:
        """Names that stand in the mapping, not in the log."""
        return (self.value,) if self.value is not None else tuple(dict.fromkeys(self.names.values()))

    def expression(self) -> str:
        """SQL of the event's name."""
        if self.column is None:
            return literal(self.value)
        raw = value(self.column)
        renamed = " ".join(f"WHEN {_fits(raw, old)} THEN {literal(new)}" for old, new in self.names.items())
        return f"CASE {renamed} ELSE {raw} END" if renamed else raw


def _fits(raw: str, name: str) -> str:
    """SQL of whether a raw name is the one that `names` lists, ``*`` standing for any characters."""
    if "*" not in name:
        return f"{raw} = {literal(name)}"
    # LIKE knows further wild cards, which stand for themselves here.
    pattern = re.sub("([!%_])", r"!\1", name).replace("*", "%")
    return f"{raw} LIKE {literal(pattern)} ESCAPE '!'"


class Mapping(FileSet):
    """Which field becomes which part of an event.

    Attributes:
        event: Name of the events.
        time: When they happened.
        user: Field with the identified user's id.
        device: Field with the id of a browser, device or address.
        account: Field with the id of the customer account.
        id: Field with the event's own id; without one, equal rows of one file are told apart by counting them.
        received: When they arrived.
        user_agent: Field with the browser's name for itself, which tells bots.
        address: Field with the network address, which tells the team's own traffic. Neither is ever stored.
        properties: Property -> field; None takes every other top-level field under its own name.
        traits: Property of the person -> field: what each row says of who acts, from then on.
        nobody: What becomes of rows that name neither user nor device: ``reject`` them as mistakes, too many of which
            hold a file back, or ``leave_out``, for files that are known to have some.
    """

    event: EventName
    time: TimeField
    user: StrictStr | None = Field(default=None, min_length=1)
    device: StrictStr | None = Field(default=None, min_length=1)
    account: StrictStr | None = Field(default=None, min_length=1)
    id: StrictStr | None = Field(default=None, min_length=1)
    received: TimeField | None = None
    user_agent: StrictStr | None = Field(default=None, min_length=1)
    address: StrictStr | None = Field(default=None, min_length=1)
    properties: dict[StrictStr, StrictStr] | None = None
    traits: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    nobody: Literal["reject", "leave_out"] = "reject"

    @model_validator(mode="after")
    def _someone_acts(self) -> Mapping:
        if self.user is None and self.device is None:
            raise ValueError("has neither user nor device; name the field that says who acted")
        for name in self.fields():
            if '"' in name or not name.isprintable() or "" in name.split("."):
                raise ValueError(
                    f"{name!r} cannot name a field; write a column, or a path such as customer.id"
                )
        return self

    def fields(self) -> tuple[str, ...]:
        """Every field the mapping names, once each."""
        own = (self.user, self.device, self.account, self.id, self.event.column, self.time.column)
        received = self.received.column if self.received else None
        around = (received, self.user_agent, self.address)
        given = (*own, *around, *(self.properties or {}).values(), *self.traits.values())
        return tuple(dict.fromkeys(name for name in given if name is not None))

    def shape_query(self, rows: str, **other: str) -> str:
        """Writes the SELECT that turns rows into events.

        Args:
            rows: Query of the rows, the input `given` of mapped.sql.
            **other: Slots of mapped.sql that a format fills in its own way.

        Returns:
            The SELECT over ``frames``.
        """
        slots = {
            "outcome": self.outcome(),
            "event": self.event.expression(),
            "user": value(self.user),
            "device": value(self.device),
            "account": value(self.account),
            "id": value(self.id),
            "time": self.time.expression(),
            "received": self.received.expression() if self.received else "NULL::TIMESTAMP",
            "properties": self.properties_of("map_entries(fields)"),
            "names": "NULL::VARCHAR[]",
            "texts": "NULL::VARCHAR[]",
            "traits": _taken(self.traits),
            "agent": value(self.user_agent),
            "address": value(self.address),
        } | other
        text = load(_HERE, "mapped.sql")
        # In one pass: what fills one slot is never searched for another.
        filled = re.sub(r"/\* ([a-z]+) \*/(?= AS )", lambda found: slots[found[1]], text)
        return with_inputs(filled, {"given": rows})

    def outcome(self) -> str:
        """SQL of what becomes of a row, as far as the mapping decides it."""
        if self.nobody == "reject":
            return "outcome"
        ids = [value(path) for path in (self.user, self.device) if path is not None]
        none = " AND ".join(
            f"lower(trim(coalesce({each}, ''), {_BLANKS})) IN {literal(list(NO_ID))}" for each in ids
        )
        return f"CASE WHEN outcome = 'event' AND {none} THEN {literal(NAMES_NOBODY)} ELSE outcome END"

    def properties_of(self, others: str, within: str = "") -> str:
        """SQL of the properties.

        Args:
            others: Where the mapping names none: entries of a MAP, all of which are properties but those it uses.
            within: What the names of those entries have before them in a path.

        Returns:
            An expression of type MAP.
        """
        if self.properties is None:
            used = [name.removeprefix(within) for name in self.fields() if name.startswith(within)]
            # No field is called nothing: IN needs at least one.
            return _filtered(others, f"e.value IS NOT NULL AND e.key NOT IN {literal(used or [''])}")
        return _taken(self.properties) if self.properties else "CAST(MAP {} AS MAP(VARCHAR, VARCHAR))"


def _taken(fields: dict[str, str]) -> str:
    """SQL of the MAP from a name to the value of its field, without those that have none."""
    if not fields:
        return "CAST(NULL AS MAP(VARCHAR, VARCHAR))"
    pairs = (f"{{'key': {literal(name)}, 'value': {value(path)}}}" for name, path in fields.items())
    return _filtered(f"[{', '.join(pairs)}]", "e.value IS NOT NULL")


def _filtered(entries: str, keep: str) -> str:
    return f"map_from_entries(list_filter({entries}, lambda e: {keep}))"


def value(path: str | None) -> str:
    """SQL of one field's text; a dotted path is looked up as a name first, then inside nested JSON.

    Args:
        path: Name or dotted path; None gives NULL.

    Returns:
        An expression of type VARCHAR.

    Examples:
        >>> value("customer")
        "fields['customer']"
        >>> print(value("customer.id"))
        coalesce(fields['customer.id'], TRY(json_extract_string(fields['customer'], '$."id"')))
    """
    if path is None:
        return _NOTHING
    whole = f"fields[{literal(path)}]"
    head, *rest = path.split(".")
    if not rest:
        return whole
    inside = "$" + "".join(f'."{part}"' for part in rest)
    return f"coalesce({whole}, TRY(json_extract_string(fields[{literal(head)}], {literal(inside)})))"


class JsonlSource(Mapping):
    """JSON objects, one a line."""

    format: Literal["jsonl"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        query = self.shape_query(load(_HERE, "mapped_jsonl.sql"))
        return Source(name, self.format, query, files=self.files, events=self.event.given())


class ParquetSource(Mapping):
    """Parquet files."""

    format: Literal["parquet"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        reader = Reader("parquet", required=self.fields())
        query = self.shape_query(load(_HERE, "mapped_rows.sql"))
        return Source(name, self.format, query, reader, self.files, events=self.event.given())


class DelimitedSource(Mapping):
    """Delimited text, for example CSV.

    Attributes:
        separator: ``whitespace`` (runs of blanks) or one ASCII character.
        columns: Column names of files without a header line.
    """

    format: Literal["delimited"]
    separator: StrictStr = ","
    columns: tuple[StrictStr, ...] = ()

    @field_validator("separator")
    @classmethod
    def _separator_is_a_character(cls, separator: str) -> str:
        separator = {"\\t": "\t", "tab": "\t"}.get(separator, separator)
        if separator != "whitespace" and (
            len(separator) != 1 or not separator.isascii() or separator in '"\r\n\0'
        ):
            raise ValueError(
                f'{separator!r} is not a separator; write one ASCII character, "\\t" or whitespace'
            )
        return separator

    @model_validator(mode="after")
    def _columns_cover_the_mapping(self) -> DelimitedSource:
        twice = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if twice:
            raise ValueError(f"columns lists {twice[0]!r} twice")
        for name in _missing(self.fields(), self.columns) if self.columns else ():
            raise ValueError(
                f"{name!r} is not among the columns; they are: {listed(self.columns)}{did_you_mean(name, self.columns)}"
            )
        return self

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        reader = Reader("delimited", self.separator, self.columns, required=self.fields())
        query = self.shape_query(load(_HERE, "mapped_rows.sql"))
        return Source(name, self.format, query, reader, self.files, events=self.event.given())


def _missing(fields: tuple[str, ...], columns: tuple[str, ...]) -> Iterator[str]:
    return (name for name in fields if name not in columns and name.split(".")[0] not in columns)
