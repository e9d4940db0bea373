"""Turns Pydantic's validation errors into sentences that say what is allowed."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel

Location = tuple[str | int, ...]

_KINDS = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "date_type": "must be a date, for example 2026-12-31",
    "date_from_datetime_parsing": "must be a date, for example 2026-12-31",
    "date_from_datetime_inexact": "must be a date, for example 2026-12-31",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to definitions",
    "mapping_type": "must be a mapping of names to definitions",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "finite_number": "must be a finite number",
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns `` (did you mean 'x'?)`` for the closest known name, or nothing.

    Args:
        name: The name that was written.
        known: The names that exist.

    Returns:
        Text to append to a message.

    Examples:
        >>> did_you_mean("Sign Up", ["Signed Up", "Payment"])
        " (did you mean 'Signed Up'?)"
        >>> did_you_mean("zzz", ["Signed Up"])
        ''
    """
    folded = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), sorted(folded), n=1, cutoff=0.6)
    return f" (did you mean {folded[close[0]]!r}?)" if close else ""


def listed(names: Iterable[str], limit: int = 20) -> str:
    """Joins names for a message, sorted, at most ``limit`` of them.

    Args:
        names: The names.
        limit: How many to show.

    Returns:
        The text.

    Examples:
        >>> listed(["b", "a"])
        'a, b'
    """
    ordered = sorted(names)
    more = f" and {len(ordered) - limit} more" if len(ordered) > limit else ""
    return ", ".join(ordered[:limit]) + more if ordered else "none"


def explain(data: Any, model: type[BaseModel], error: Mapping[str, Any]) -> tuple[Location, str]:
    """Says in one sentence what one Pydantic error means.

    Args:
        data: The plain values that were validated.
        model: The model of the whole file.
        error: One item of ``ValidationError.errors()``.

    Returns:
        Where it is in the file, and the sentence.
    """
    loc: Location = tuple(error["loc"])
    return _in_file(data, loc, missing=error["type"] == "missing"), _sentence(model, loc, error)


def _sentence(model: type[BaseModel], loc: Location, error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        owner = _type_at(model, loc[:-1])
        keys = _keys(owner)
        return f"unknown key; allowed: {listed(keys)}{did_you_mean(str(loc[-1]), keys)}"
    if kind == "union_tag_invalid":
        name, tags = _discriminator(context), _tags(context["expected_tags"])
        return (
            f"unknown {name} {context['tag']!r}; allowed: {listed(tags)}{did_you_mean(context['tag'], tags)}"
        )
    if kind == "union_tag_not_found":
        tags = _union_tags(_type_at(model, loc))
        return f"has no {_discriminator(context)}; allowed: {listed(tags)}"
    if kind == "literal_error":
        allowed = _tags(context["expected"].replace(" or ", ", "))
        given = error["input"]
        return f"{given!r} is not allowed; allowed: {', '.join(allowed)}{did_you_mean(str(given), allowed)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("too_short", "string_too_short"):
        least = context["min_length"]
        return "must not be empty" if least == 1 else f"needs at least {least} items"
    if kind in _KINDS:
        return f"{_KINDS[kind]}, not {_described(error['input'])}"
    return str(error["msg"][:1].lower() + error["msg"][1:])


def _described(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return f"{str(value).lower()} (put it in quotes if it is text)"
    if isinstance(value, int | float):
        return f"the number {value} (put it in quotes if it is text)"
    return repr(str(value))


def _tags(text: str) -> list[str]:
    return [tag.strip().strip("'") for tag in text.split(",")]


def _in_file(data: Any, loc: Location, *, missing: bool) -> Location:
    """Keeps the parts of a Pydantic location that exist in the file: union tags do not."""
    here, kept = data, []
    for position, part in enumerate(loc):
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_list or (isinstance(here, dict) and part in here):
            here = here[part]
        elif not (missing and position == len(loc) - 1):
            continue
        kept.append(part)
    return tuple(kept)


def _discriminator(context: Mapping[str, Any]) -> str:
    """Pydantic names the Python field and its alias; the file knows the alias."""
    return str(context["discriminator"]).split(" | ")[-1].strip("'")


def _union_tags(annotation: Any) -> list[str]:
    """Lists the tags of a discriminated union of models."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    return [tag for member in typing.get_args(annotation) for tag in _own_tags(member)]


def _keys(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return []


def _type_at(model: Any, loc: Location) -> Any:
    """Follows a Pydantic location through annotations to the type that was validated there."""
    here: Any = model
    for part in loc:
        here = _step(here, part)
    return here


def _step(annotation: Any, part: str | int) -> Any:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        return _step(arguments[0], part)
    if origin in (Union, types.UnionType):
        return _step_union(arguments, part)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part in (field.alias, name):
                return field.annotation
        return None
    if origin is not None and arguments:
        return arguments[-1] if issubclass(origin, Mapping) else arguments[0]
    return None


def _step_union(members: tuple[Any, ...], part: str | int) -> Any:
    for member in members:
        if part in _own_tags(member):
            return member
    return next((found for member in members if (found := _step(member, part)) is not None), None)


def _own_tags(model: Any) -> tuple[str, ...]:
    """Returns the values of a model's discriminator: its one required Literal field."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        for field in model.model_fields.values():
            if typing.get_origin(field.annotation) is Literal and field.is_required():
                return typing.get_args(field.annotation)
    return ()
