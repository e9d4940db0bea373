"""PostHog: its batch exports, in JSON lines and in Parquet."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, StrictStr

from headway.engine import bind, load, with_inputs
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import BEGINNING, NAMES_NOBODY, FileSet, Reader, Source

_HERE = "headway_pipelines.sources"
_COLUMNS = ("uuid", "event", "distinct_id", "timestamp", "properties")
_MORE_COLUMNS = ("created_at", "person_properties", "person_id", "person_version", "is_deleted")
_PERSON_COLUMNS = ("distinct_id", "person_id", "person_version", "properties")
#: How posthog.sql writes PostHog's own id of a person.
MEMBERS = "person_id:"
_PERSONS: dict[str, datetime | str] = {"beginning": BEGINNING, "members": MEMBERS, "deleted": NAMES_NOBODY}
#: A share of lines: exports are of one piece.
_NEARLY_ALL = 0.9
#: What groups are called where a product has only one kind, in PostHog's own examples.
COMPANY = "company"
#: Where an export is split by size, its files are numbered, and this one is written when all of them are there.
_MANIFEST = "manifest.json"
_STAMP = r"\d{4}-\d\d-\d\d(T\d\d(%3A|\D)?\d\d(%3A|\D)?\d\d(\.\d+)?(\+\d\d(%3A|\D)?\d\d|Z)?)?"
_NUMBERED = rf"{_STAMP}-{_STAMP}-\d+\.(jsonl|parquet)(\.\w+)?"


def posthog(
    name: str = "posthog",
    files: tuple[str, ...] = ("**/*",),
    account: str = COMPANY,
) -> Source:
    """Describes PostHog's batch exports in JSON lines.

    `distinct_id` may be a person's or a browser's. It is a person's where the event has a `$user_id`, where
    `$is_identified` is true, or where it differs from `$device_id` (or `$anon_distinct_id`); `$identify`, `$set` and
    alias calls are about persons always. It is a device's where `$is_identified` is false, where it equals
    `$device_id`, or where `$process_person_profile` is false. Where an event says nothing of that, as those of servers
    do, an id with the shape of a UUID is a device's (every PostHog client makes its anonymous ids so) and any other
    one a person's. A device is joined with its person by what carries both ids. Numbered files
    (``2026-03-02-2026-03-03-0.jsonl``) are parts of one export and wait for its manifest.

    Rows of the persons model may lie beside the events. What they say of a person holds from the beginning, and all ids
    of one `person_id` are one person's.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        account: The group type that is the customer account.

    Returns:
        The source.

    Examples:
        >>> posthog().reader.kind
        'lines'
    """
    careful, hasty = (
        calls_query(bind(load(_HERE, "posthog_jsonl.sql"), {"hasty": each, **_PERSONS}), account)
        for each in (False, True)
    )
    return Source(
        name,
        "posthog",
        careful,
        files=files,
        finished_by=_MANIFEST,
        waits=_NUMBERED,
        retimed=True,
        numbers=MEMBERS,
        hasty_sql=hasty,
    )


def posthog_parquet(
    name: str = "posthog",
    files: tuple[str, ...] = ("**/*",),
    account: str = COMPANY,
) -> Source:
    """Describes PostHog's batch exports in Parquet, see `posthog`.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        account: The group type that is the customer account.

    Returns:
        The source.

    Examples:
        >>> posthog_parquet().reader.kind
        'parquet'
    """
    text = calls_query(bind(load(_HERE, "posthog_rows.sql"), _PERSONS), account)
    reader = Reader("parquet", required=_COLUMNS, instead=_PERSON_COLUMNS, parts=(*_COLUMNS, *_MORE_COLUMNS))
    return Source(
        name, "posthog_parquet", text, reader, files, _MANIFEST, _NUMBERED, retimed=True, numbers=MEMBERS
    )


def calls_query(given: str, account: str) -> str:
    """Writes the SELECT that turns PostHog calls into events.

    Args:
        given: Query of the calls, the input `given` of posthog.sql.
        account: The group type that is the customer account.

    Returns:
        The SELECT over ``frames``.
    """
    return with_inputs(bind(load(_HERE, "posthog.sql"), {"account": account}), {"given": given})


class PosthogFiles(FileSet):
    """Files with PostHog calls.

    Attributes:
        account: The group type that is the customer account.
    """

    account: StrictStr = Field(default=COMPANY, pattern=r"^[^\"\\]+$")


class PosthogSource(PosthogFiles):
    """PostHog batch exports in JSON lines, see `posthog`."""

    format: Literal["posthog"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return posthog(name, self.files, self.account)


class PosthogParquetSource(PosthogFiles):
    """PostHog batch exports in Parquet, see `posthog_parquet`."""

    format: Literal["posthog_parquet"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return posthog_parquet(name, self.files, self.account)


def recognise(sample: Sample) -> str | None:
    """Knows a PostHog export in JSON lines by its fields.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> row = {"uuid": "", "event": "", "distinct_id": "", "timestamp": "", "properties": {}}
        >>> recognise(Sample("a.jsonl", ("",), (row,)))
        'lines have uuid, event, distinct_id, timestamp and properties, as in a PostHog batch export'
        >>> person = {"distinct_id": "", "person_id": "", "person_version": 0, "properties": {}}
        >>> recognise(Sample("a.jsonl", ("",), (person,)))
        'lines have distinct_id, person_id, person_version and properties, as in the persons of a PostHog batch export'
    """
    if sample.share(lambda line: all(name in line for name in _COLUMNS)) >= _NEARLY_ALL:
        return f"lines have {_listed(_COLUMNS)}, as in a PostHog batch export"
    if sample.share(lambda line: all(name in line for name in _PERSON_COLUMNS)) >= _NEARLY_ALL:
        return f"lines have {_listed(_PERSON_COLUMNS)}, as in the persons of a PostHog batch export"
    return None


def recognise_parquet(sample: Sample) -> str | None:
    """Knows a PostHog export in Parquet by its columns.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> recognise_parquet(Sample("a.parquet", columns=("uuid", "event"), parquet=True))
    """
    if sample.parquet and set(_COLUMNS) <= set(sample.columns):
        return f"columns {_listed(_COLUMNS)}, as in a PostHog batch export"
    if sample.parquet and set(_PERSON_COLUMNS) <= set(sample.columns):
        return f"columns {_listed(_PERSON_COLUMNS)}, as in the persons of a PostHog batch export"
    return None


def _listed(columns: tuple[str, ...]) -> str:
    return f"{', '.join(columns[:-1])} and {columns[-1]}"
