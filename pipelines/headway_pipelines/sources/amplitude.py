"""Amplitude: files of the Export API and of its exports to storage, merged ids included."""

from __future__ import annotations

import json
from typing import Literal

from headway.engine import bind, load, with_inputs
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import FileSet, Source
from headway_pipelines.sources.times import iso, since_1970

_HERE = "headway_pipelines.sources"
_TEXTS = (
    "event_type user_id device_id amplitude_id session_id insert_id $insert_id uuid user_agent ip ip_address time "
    "event_time client_event_time client_upload_time server_received_time "
    "merged_amplitude_id merge_event_time merge_time merge_server_time"
)
_MAPS = "user_properties groups group_properties"

#: How amplitude_events.sql writes Amplitude's own number of a person.
NUMBERS = "amplitude_id:"

#: What is read of one event, in the export and in requests of clients: everything as text, objects as maps but the one
#: that has many members.
EVENT = json.dumps(
    dict.fromkeys(_TEXTS.split(), "VARCHAR")
    | {"event_properties": "JSON"}
    | dict.fromkeys(_MAPS.split(), "MAP(VARCHAR, VARCHAR)")
)


def amplitude(name: str = "amplitude", files: tuple[str, ...] = ("**/*",)) -> Source:
    """Describes files of Amplitude's exports: one event, or one merge of two Amplitude ids, a line.

    Args:
        name: Name stored with every event.
        files: Patterns of paths below ``raw/``.

    Returns:
        The source.

    Examples:
        >>> amplitude().format
        'amplitude'
    """
    careful, hasty = (_query(hasty=each) for each in (False, True))
    return Source(name, "amplitude", careful, hasty_sql=hasty, files=files, numbers=NUMBERS)


def _query(*, hasty: bool) -> str:
    calls = bind(load(_HERE, "amplitude.sql"), {"event": EVENT, "hasty": hasty})
    merged_at = f"coalesce({since_1970('merge_text', 'auto')}, {iso('merge_text')})"
    calls = calls.replace("/* merge_time */)", f"{merged_at})")
    return with_inputs(load(_HERE, "amplitude_events.sql"), {"calls": calls})


class AmplitudeSource(FileSet):
    """Amplitude's export, see `amplitude`."""

    format: Literal["amplitude"]

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        return amplitude(name, self.files)


def recognise(sample: Sample) -> str | None:
    """Knows the export by what every line of it carries.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> recognise(Sample("a.json", ("...",), ({"event_type": "Signed Up", "amplitude_id": 1, "uuid": "x"},)))
        'lines have event_type, amplitude_id and uuid, as in the export of Amplitude'
        >>> recognise(Sample("a.json", ("...",), ({"amplitude_id": 1, "merged_amplitude_id": 2},)))
        'lines have amplitude_id and merged_amplitude_id, as in the merged ids of Amplitude'
    """
    if sample.share(lambda line: {"event_type", "amplitude_id", "uuid"} <= set(line)) > 0.5:
        return "lines have event_type, amplitude_id and uuid, as in the export of Amplitude"
    if sample.share(lambda line: {"amplitude_id", "merged_amplitude_id"} <= set(line)) > 0.5:
        return "lines have amplitude_id and merged_amplitude_id, as in the merged ids of Amplitude"
    return None
