"""Google Analytics 4: rows of its BigQuery export, as JSON lines and as Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, StrictBool, StrictStr

from headway.engine import bind, load, with_inputs
from headway_pipelines.sources.names import canonical, renamed
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Reader, Source

_HERE = "headway_pipelines.sources"
_COLUMNS = ("event_name", "event_timestamp", "event_params")
_MORE_COLUMNS = (
    *(
        "user_id",
        "user_pseudo_id",
        "client_id",
        "stream_id",
        "platform",
        "items",
        "user_properties",
        "device",
        "geo",
    ),
    *("collected_traffic_source", "traffic_source"),
)
#: A share of lines: exports are of one piece.
_NEARLY_ALL = 0.9
#: What ga4.sql calls events that have other names in the export.
_OWN_NAMES = ("Page Viewed", "Screen Viewed")


def ga4(
    name: str = "ga4", files: tuple[str, ...] = ("**/*",), names: Mapping[str, str] | None = None
) -> Source:
    """Describes rows of GA4's BigQuery export in JSON lines.

    The parameters of an event are its properties. `url`, `referrer` and `title` are those of the page; `session_id` is
    stream, browser and session number together. A browser (`user_pseudo_id`) is known within its stream only. User
    properties, and where the person first came from (`traffic_source`), are properties of the person. The table of a
    day changes for up to three days: a file that was written anew takes back what it said before.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        names: GA4's name of an event -> name in the tracking plan; other names stay.

    Returns:
        The source.

    Examples:
        >>> ga4().reader.kind
        'lines'
    """
    events = canonical(_OWN_NAMES, names)
    careful, hasty = (
        _query(bind(load(_HERE, "ga4_jsonl.sql"), {"hasty": each}), names) for each in (False, True)
    )
    return Source(name, "ga4", careful, hasty_sql=hasty, files=files, replaces=True, events=events)


def ga4_parquet(
    name: str = "ga4", files: tuple[str, ...] = ("**/*",), names: Mapping[str, str] | None = None
) -> Source:
    """Describes rows of GA4's BigQuery export in Parquet, see `ga4`.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.
        names: GA4's name of an event -> name in the tracking plan; other names stay.

    Returns:
        The source.

    Examples:
        >>> ga4_parquet().reader.required
        ('event_name', 'event_timestamp', 'event_params')
    """
    reader = Reader("parquet", required=_COLUMNS, parts=(*_COLUMNS, *_MORE_COLUMNS))
    text, events = _query(load(_HERE, "ga4_rows.sql"), names), canonical(_OWN_NAMES, names)
    return Source(name, "ga4_parquet", text, reader, files, replaces=True, events=events)


def _query(rows: str, names: Mapping[str, str] | None) -> str:
    text = bind(load(_HERE, "ga4.sql"), {"event_name": renamed("raw_name", names)})
    return with_inputs(text, {"given": rows})


class Ga4Files(FileSet):
    """Files of GA4's BigQuery export: the table of a day changes for up to three days.

    Attributes:
        names: GA4's name of an event -> name in the tracking plan; other names stay.
    """

    replaces: StrictBool = True
    names: dict[StrictStr, StrictStr] = Field(default_factory=dict)


class Ga4Source(Ga4Files):
    """Rows of GA4's BigQuery export in JSON lines, see `ga4`."""

    format: Literal["ga4"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return ga4(name, self.files, self.names)


class Ga4ParquetSource(Ga4Files):
    """Rows of GA4's BigQuery export in Parquet, see `ga4_parquet`."""

    format: Literal["ga4_parquet"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return ga4_parquet(name, self.files, self.names)


def recognise(sample: Sample) -> str | None:
    """Knows GA4's export in JSON lines by its fields.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> row = {"event_name": "", "event_timestamp": "1", "event_params": []}
        >>> recognise(Sample("events_20260302.json", ("",), (row,)))
        'lines have event_name, event_timestamp and event_params, as in the BigQuery export of Google Analytics 4'
    """
    share = sample.share(lambda line: all(name in line for name in _COLUMNS))
    return f"lines have {_LISTED}" if share >= _NEARLY_ALL else None


def recognise_parquet(sample: Sample) -> str | None:
    """Knows GA4's export in Parquet by its columns.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> recognise_parquet(Sample("a.parquet", columns=("event_name",), parquet=True))
    """
    return f"columns {_LISTED}" if sample.parquet and set(_COLUMNS) <= set(sample.columns) else None


_LISTED = f"{', '.join(_COLUMNS[:-1])} and {_COLUMNS[-1]}, as in the BigQuery export of Google Analytics 4"
