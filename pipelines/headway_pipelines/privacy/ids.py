"""Texts that trackers send in place of an identifier when they have none."""

from __future__ import annotations

_WORDS = (
    "",
    "-1",
    "0",
    "00000000-0000-0000-0000-000000000000",
    "00000000000000000000000000000000",
    "[]",
    "[object object]",
    "(none)",
    "(not set)",
    "(null)",
    "<nil>",
    "<null>",
    "anon",
    "anonymous",
    "deleted",
    "distinct_id",
    "distinctid",
    "false",
    "guest",
    "n/a",
    "na",
    "nan",
    "nil",
    "no_user",
    "none",
    "not_authenticated",
    "null",
    "true",
    "undefined",
    "unidentified",
    "unknown",
    "{}",
    "{00000000-0000-0000-0000-000000000000}",
)
_QUOTES = ("", '"', "'", "`")

NO_ID = tuple(f"{quote}{word}{quote}" for word in _WORDS for quote in _QUOTES)
"""No identifiers, in lower case and without blanks around; one of them would merge strangers into one person."""
