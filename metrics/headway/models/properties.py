"""The classes a declared property can have. There is deliberately no class for arbitrary strings."""

from __future__ import annotations

import re
from contextlib import closing
from functools import lru_cache
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from headway.engine import connect, guarded
from headway.errors import EngineError
from headway.models.yaml_file import Definition

TOKEN_MAX_LENGTH = 64

_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DOMAIN = re.compile(r"[a-z][a-z0-9_]{0,31}")
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?"
)
_RE2_HINT = {"look-around": "look-around", "backreference": "a backreference"}

# A token's pattern describes short machine words. One that matches these describes any text at all.
_PROSE = ("ada lovelace", "ada@lovelace.example")


def snake_case(name: str) -> str:
    """Turns a property name into the lake column's name.

    Args:
        name: A name as trackers write it.

    Returns:
        Lower-case words joined by underscores; empty when nothing usable is left.

    Examples:
        >>> snake_case("lessonCount"), snake_case("Plan Name"), snake_case("$browser"), snake_case("courseID")
        ('lesson_count', 'plan_name', 'browser', 'course_id')
    """
    split = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


class _Property(Definition):
    """What every class shares: where the value comes from and which lake column it fills.

    Attributes:
        description: What the value means.
        column: Lake column; None takes the snake_case of the property's name.
        source: Dotted path in the raw event; None takes the property's name.
    """

    description: StrictStr = ""
    column: StrictStr | None = None
    source: StrictStr | None = Field(default=None, alias="from", min_length=1)

    @field_validator("column")
    @classmethod
    def _column_is_a_name(cls, column: str | None) -> str | None:
        if column is not None and not _COLUMN.fullmatch(column):
            raise ValueError(
                f"{column!r} is not a column name; use lower-case letters, digits and underscores, "
                "starting with a letter, at most 63"
            )
        return column


class EnumProperty(_Property):
    """One of a closed list of values; anything else is dropped and counted."""

    class_: Literal["enum"] = Field(alias="class")
    values: tuple[StrictStr, ...]
    case: Literal["fold"] | None = None

    @field_validator("values")
    @classmethod
    def _values_are_distinct(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values:
            raise ValueError("is empty; list the values that may be stored")
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} is listed twice")
        return values


class NumberProperty(_Property):
    """A number within bounds; what lies outside is dropped and counted."""

    class_: Literal["number"] = Field(alias="class")
    min: StrictFloat | StrictInt | None = None
    max: StrictFloat | StrictInt | None = None
    unit: StrictStr | None = None

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> NumberProperty:
        _ordered(self.min, self.max)
        return self


class IntegerProperty(_Property):
    """A whole number within bounds; what lies outside is dropped and counted."""

    class_: Literal["integer"] = Field(alias="class")
    min: StrictInt | None = None
    max: StrictInt | None = None
    unit: StrictStr | None = None

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> IntegerProperty:
        _ordered(self.min, self.max)
        return self


class BoolProperty(_Property):
    """True or false."""

    class_: Literal["bool"] = Field(alias="class")


class TimestampProperty(_Property):
    """An instant, stored in UTC."""

    class_: Literal["timestamp"] = Field(alias="class")


class TokenProperty(_Property):
    """A short machine word that matches a pattern from its first to its last character."""

    class_: Literal["token"] = Field(alias="class")
    pattern: StrictStr

    @field_validator("pattern")
    @classmethod
    def _pattern_is_narrow(cls, pattern: str) -> str:
        if _matches_prose(pattern):
            raise ValueError(
                f"{pattern!r} matches arbitrary text such as names or addresses; a token's pattern "
                "admits only its own kind of word, for example '[0-9]+\\.[0-9]+'"
            )
        return pattern


class UrlProperty(_Property):
    """A web address reduced to its host and a listed path; listed query parameters become columns."""

    class_: Literal["url"] = Field(alias="class")
    hosts: tuple[StrictStr, ...] = ()
    paths: tuple[StrictStr, ...] = ()
    query: tuple[StrictStr, ...] = ()
    keep: Literal["host"] | None = None

    @model_validator(mode="after")
    def _says_what_to_keep(self) -> UrlProperty:
        if self.keep is None and not self.hosts:
            raise ValueError("a url needs hosts: [your.host], or keep: host to store the host alone")
        if self.keep == "host" and self.paths:
            raise ValueError("keep: host stores no path; remove paths or remove keep")
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"host {host!r} must be a lower-case host name without scheme or path")
        for path in self.paths:
            if not path.startswith("/") or set(path) & set("?# "):
                raise ValueError(f"path {path!r} must start with / and hold no ?, # or space")
        for name in self.query:
            if not _COLUMN.fullmatch(snake_case(name)):
                raise ValueError(f"query parameter {name!r} cannot become a column name")
        return self


class IdProperty(_Property):
    """An identifier, stored as a keyed pseudonym of its domain."""

    class_: Literal["id"] = Field(alias="class")
    domain: StrictStr

    @field_validator("domain")
    @classmethod
    def _domain_is_a_name(cls, domain: str) -> str:
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(
                f"{domain!r} is not a domain; use lower-case letters, digits and underscores, at most 32"
            )
        return domain


class TextProperty(_Property):
    """Free text: never stored, only counted."""

    class_: Literal["text"] = Field(alias="class")


class SensitiveProperty(_Property):
    """Known to be personal: never stored, only counted."""

    class_: Literal["sensitive"] = Field(alias="class")


Property = Annotated[
    EnumProperty
    | NumberProperty
    | IntegerProperty
    | BoolProperty
    | TimestampProperty
    | TokenProperty
    | UrlProperty
    | IdProperty
    | TextProperty
    | SensitiveProperty,
    Field(discriminator="class_"),
]

SQL_TYPES: dict[str, str] = {
    "enum": "VARCHAR",
    "token": "VARCHAR",
    "url": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "id": "UUID",
}
"""Lake type of each stored class; text and sensitive are never stored."""


@lru_cache(maxsize=512)
def _matches_prose(pattern: str) -> bool:
    """Both engines that may apply the pattern must read it: Polars (Rust's regex) and DuckDB (RE2)."""
    whole = f"^(?:{pattern})$"
    try:
        wide = pl.Series(_PROSE).str.contains(whole, strict=True).any()
        with closing(connect()) as con, guarded("read a pattern"):
            con.execute("SELECT regexp_full_match('', $pattern)", {"pattern": pattern}).fetchall()
    except pl.exceptions.ComputeError as error:
        found = next((what for key, what in _RE2_HINT.items() if key in str(error)), None)
        if found:
            raise ValueError(
                f"{pattern!r} uses {found}, which RE2 does not have; write the pattern without it"
            ) from None
        raise ValueError(f"{pattern!r} is not a regular expression that RE2 reads") from None
    except EngineError:
        raise ValueError(f"{pattern!r} is not a regular expression that RE2 reads") from None
    return wide


def _ordered(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"min {low} is greater than max {high}; swap them")


def valid_column(name: str) -> bool:
    """Says whether a name can be a lake column.

    Args:
        name: The name.

    Returns:
        True when it can.

    Examples:
        >>> valid_column("utm_source"), valid_column("2x")
        (True, False)
    """
    return _COLUMN.fullmatch(name) is not None


__all__ = [
    "SQL_TYPES",
    "TOKEN_MAX_LENGTH",
    "BoolProperty",
    "EnumProperty",
    "IdProperty",
    "IntegerProperty",
    "NumberProperty",
    "Property",
    "SensitiveProperty",
    "TextProperty",
    "TimestampProperty",
    "TokenProperty",
    "UrlProperty",
    "snake_case",
    "valid_column",
]
