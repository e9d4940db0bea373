"""Which events a metric is about, as a definition file says it."""

from __future__ import annotations

from typing import Any

from pydantic import StrictStr, field_validator, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from headway.models.yaml_file import Definition
from headway.selectors import Event


class EventSelector(Definition):
    """Events by name and condition: ``name``, ``[names]`` or ``{event: ..., where: ...}``.

    Attributes:
        event: Names; an event with any of them matches.
        where: Condition on the event's properties, or None.
    """

    event: tuple[StrictStr, ...]
    where: StrictStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: object) -> object:
        if isinstance(data, str | list | tuple):
            data = {"event": data}
        if isinstance(data, dict) and isinstance(data.get("event"), str):
            data = {**data, "event": [data["event"]]}
        if not isinstance(data, dict | EventSelector):
            raise ValueError("must be an event's name, a list of names, or {event: ..., where: ...}")
        return data

    @field_validator("event")
    @classmethod
    def _names_something(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or not all(names):
            raise ValueError("name at least one event")
        return names

    def selector(self) -> Event:
        """Returns the same selection for `headway.selectors.condition`."""
        return Event(self.event, where=self.where)

    @property
    def label(self) -> str:
        """The events in a sentence."""
        names = ", ".join(repr(name) for name in self.event)
        named = f"any of {names}" if len(self.event) > 1 else names
        return f"{named} (where {self.where})" if self.where else named

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Lets editors accept the short forms too."""
        full = handler.resolve_ref_schema(handler(core_schema))
        names: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        full["properties"]["event"] = {"anyOf": [{"type": "string"}, names]}
        return {"anyOf": [{"type": "string"}, names, full]}
