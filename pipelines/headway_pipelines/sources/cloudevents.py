"""CloudEvents: events in the JSON format of the CNCF's specification, one a line or in batches."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import StrictStr, model_validator

from headway.engine import bind, load
from headway_pipelines.sources.mapped import EventName, Mapping, TimeField
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import Source

_HERE = "headway_pipelines.sources"
#: The recommended labels, from the least to the most secret.
_LEVELS = ("public", "internal", "confidential", "restricted")
_LABELS = ("dataclassification", "dataregulation", "datacategory")
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

    @model_validator(mode="after")
    def _names_differ_in_more_than_case(self) -> CloudEventsSource:
        names = self._attributes()
        for name in names:
            if name != name.lower() and name.lower() in map(str.lower, set(names) - {name}):
                raise ValueError(
                    f"{name!r} differs from another name in case only; attributes are lower case"
                )
        return self

    def _attributes(self) -> tuple[str, ...]:
        """What is read of an event: what the mapping names, whole or as the beginning of a path, and what is judged."""
        heads = (path.split(".")[0] for path in self.fields())
        return tuple(dict.fromkeys((*_REQUIRED, *_LABELS, "data", "data_base64", *self.fields(), *heads)))

    def _members(self) -> dict[str, str]:
        """SQL of the properties; where all members of `data` are, they are taken as they are: to make a MAP is dear."""
        if self.properties is not None or any(path.startswith("data.") for path in self.fields()):
            return {"properties": self.properties_of("map_entries(members)", "data.")}
        told = "list_transform(member_texts, lambda text: text IS NOT NULL)"
        whole = "list_count(member_texts) = len(member_names)"
        lists = {"names": "member_names", "texts": "member_texts"}
        return {"properties": "NULL::MAP(VARCHAR, VARCHAR)"} | {
            slot: f"CASE WHEN {whole} THEN {each} ELSE list_where({each}, {told}) END"
            for slot, each in lists.items()
        }

    def source(self, name: str) -> Source:
        """Builds the source under its name."""
        accepted = {
            "levels": list(_LEVELS[: _LEVELS.index(self.classification) + 1]),
            # A list of nothing would have no type.
            "regulations": ["", *(each.strip().lower() for each in self.regulations)],
            "categories": ["", *(each.strip().lower() for each in self.categories)],
            "attributes": json.dumps(dict.fromkeys(self._attributes(), "VARCHAR")),
        }
        own = {} if self.id else {"id": _ID}
        careful, hasty = (
            self.shape_query(
                bind(load(_HERE, "cloudevents.sql"), accepted | {"hasty": each}), **self._members(), **own
            )
            for each in (False, True)
        )
        return Source(name, self.format, careful, hasty_sql=hasty, files=self.files)


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
