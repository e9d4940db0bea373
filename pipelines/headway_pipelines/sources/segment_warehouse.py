"""Tables that Segment or RudderStack sync into a warehouse, exported as CSV or Parquet."""

from __future__ import annotations

from typing import Literal

from headway.engine import bind, load
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Reader, Source

Kind = Literal["tracks", "pages", "screens", "identifies", "groups", "aliases"]

KINDS: dict[Kind, str] = {
    "tracks": "track",
    "pages": "page",
    "screens": "screen",
    "identifies": "identify",
    "groups": "group",
    "aliases": "alias",
}
"""Table -> the call its rows are."""

_REQUIRED = ("id", "received_at")
#: Columns with a part of their own in the shape, or that describe the sync.
_PARTS = (
    *("id", "anonymous_id", "user_id", "event", "event_text"),
    *("timestamp", "original_timestamp", "sent_at", "received_at", "uuid", "uuid_ts", "loaded_at", "channel"),
    *("context_ip", "context_user_agent", "context_group_id", "context_session_id"),
    *("context_page_url", "context_page_referrer", "context_page_title"),
)
#: Columns that tell what kind of call a row is or override what is around it, and are properties as all others are.
_LOOKED_AT = ("url", "referrer", "title", "session_id", "path", "previous_id", "group_id")


def segment_warehouse(
    name: str = "segment_warehouse", files: tuple[str, ...] = ("**/*",), table: Kind | None = None
) -> Source:
    """Describes exports of a warehouse's tables: tracks, one table per event, pages, screens, identifies and so on.

    Without `table` a row's columns tell what it is: an `event_text` or `event` makes it a tracked event, a
    `previous_id` an alias, a `group_id` a group call, a `url` or `path` a page view; otherwise it is an identify call
    and its columns are traits. Screen views need ``table="screens"``: nothing tells them from identify calls.

    The table ``tracks`` has a row for every row of the events' own tables, without properties. Read one or the other:
    of two rows with one id only one is stored.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        table: The table all files come from; None looks at each row.

    Returns:
        The source.

    Examples:
        >>> segment_warehouse().reader.required
        ('id', 'received_at')
    """
    text = bind(
        load("headway_pipelines.sources", "segment_warehouse.sql"),
        {"kind": KINDS[table] if table else None},
    )
    reader = Reader("table", required=_REQUIRED, parts=(*_PARTS, *_LOOKED_AT))
    return Source(name, "segment_warehouse", text, reader, files)


class SegmentWarehouseSource(FileSet):
    """Tables of a warehouse, see `segment_warehouse`.

    Attributes:
        table: The table all files come from.
    """

    format: Literal["segment_warehouse"]
    table: Kind | None = None

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return segment_warehouse(name, self.files, self.table)


def recognise(sample: Sample) -> str | None:
    """Knows such a table by the columns that each of them has.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> columns = ("id", "received_at", "sent_at", "user_id", "context_ip")
        >>> recognise(Sample("pages.csv", columns=columns))
        "it has the columns id, received_at and sent_at of a warehouse's Segment tables"
        >>> recognise(Sample("orders.csv", columns=("id", "received_at")))
    """
    columns = set(sample.columns)
    whole = {"id", "received_at", "sent_at"} <= columns and columns & {
        "anonymous_id",
        "user_id",
        "previous_id",
    }
    if not whole or not (
        columns & {"uuid_ts", "original_timestamp"} or any(c.startswith("context_") for c in columns)
    ):
        return None
    return "it has the columns id, received_at and sent_at of a warehouse's Segment tables"
