"""CloudEvents: events in the JSON format of the CNCF's specification, one a line or in batches."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import StrictStr, model_validator

from headway.engine import bind, load
from headway_pipelines.sources.mapped import EventName, Mapping, TimeField
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import Source

_HERE = "headway_pipelines.sources"
#: The recommended labels, from the least to the most secret.
_LEVELS = ("public", "internal", "confidential", "restricted")
_REQUIRED = ("specversion", "type", "source", "id")
_NEARLY_ALL = 0.9
#: `source` and `id` together name an event, as the specification says.
_ID = "fields['source'] || e'\\x1f' || fields['id']"


class CloudEventsSource(Mapping):
    """CloudEvents in JSON: structured mode, one event or a batch (a JSON list) a line.

    The mapping's fields are attributes of the event (`type`, `subject`, extensions) and paths into its `data`, for
    example ``data.user.id``. Without `user` and `device`, `subject` is the user.

    Attributes:
        event: Name of the events; the attribute `type` unless said otherwise.
        time: When they happened; the attribute `time`.
        received: When they arrived; the extension attribute `recordedtime`.
        properties: Property -> field; None takes every other member of `data` under its own name.
        classification: The most secret `dataclassification` that is accepted; any other is rejected.
        regulations: Every `dataregulation` that is accepted; an event under any other one is rejected.
        categories: Every `datacategory` that is accepted; an event of any other one is rejected.
    """

    format: Literal["cloudevents"]
    event: EventName = EventName(column="type")
    time: TimeField = TimeField(column="time")
    received: TimeField | None = TimeField(column="recordedtime")
    classification: Literal["public", "internal", "confidential", "restricted"] = "internal"
    regulations: tuple[StrictStr, ...] = ()
    categories: tuple[StrictStr, ...] = ("non-sensitive", "non-sensitive-pii", "non-pii", "standard")

    @model_validator(mode="before")
    @classmethod
    def _subject_acts(cls, given: Any) -> Any:
        if isinstance(given, dict) and not {"user", "device"} & given.keys():
            return given | {"user": "subject"}
        return given

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        accepted = {
            "levels": list(_LEVELS[: _LEVELS.index(self.classification) + 1]),
            # A list of nothing would have no type.
            "regulations": ["", *(each.strip().lower() for each in self.regulations)],
            "categories": ["", *(each.strip().lower() for each in self.categories)],
        }
        own = {} if self.id else {"id": _ID}
        text = self.shape_query(
            bind(load(_HERE, "cloudevents.sql"), accepted),
            properties=self.properties_of("map_entries(members)", "data."),
            **own,
        )
        return Source(name, self.format, text, files=self.files)


def recognise(sample: Sample) -> str | None:
    """Knows CloudEvents by the attributes that every one of them has.

    Args:
        sample: The beginning of a file.

    Returns:
        The reason, or None.

    Examples:
        >>> event = {"specversion": "1.0", "type": "x", "source": "/shop", "id": "1", "subject": "7"}
        >>> recognise(Sample("a.json", ("",), (event,)))
        'lines have specversion, type, source, id and a subject: CloudEvents, whose subject is taken for the user'
    """
    share = sample.share(
        lambda line: all(isinstance(line.get(name), str) for name in (*_REQUIRED, "subject"))
    )
    if share < _NEARLY_ALL:
        return None
    return (
        f"lines have {', '.join(_REQUIRED)} and a subject: CloudEvents, whose subject is taken for the user"
    )
