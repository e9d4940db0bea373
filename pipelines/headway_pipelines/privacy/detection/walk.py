"""A value of any shape and its key -> what to do with it: keep it, replace parts of it, or drop it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from headway_pipelines.privacy.detection.by_key import fits, type_of
from headway_pipelines.privacy.detection.hits import Hit
from headway_pipelines.privacy.detection.keys import Hint, hint, tokens_of
from headway_pipelines.privacy.detection.money import is_card
from headway_pipelines.privacy.detection.texts import LONGEST, UNREADABLE, find
from headway_pipelines.privacy.detection.words import words

Action = Literal["keep", "redact", "drop"]
Path = tuple[str, ...]

_DEEPEST = 64
_MOST_NODES = 20_000
_MOST_CHARACTERS = 262_144
_LONGEST_NAME = 1_024
_PROSE_WORDS = 4
_PARTS_OF_A_DAY = frozenset(("year", "month", "day", "y", "m", "d"))
_NAMING = frozenset(
    ("name", "key", "field", "id", "label", "property", "attribute", "question", "title", "k", "code", "type")
)
_VALUED = frozenset(
    (
        "value",
        "val",
        "values",
        "content",
        "data",
        "answer",
        "text",
        "v",
        "response",
        "stringvalue",
        "string_value",
    )
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that looks personal, by place; it holds no part of the value.

    Attributes:
        type: What it looks like, for example ``email``.
        path: Where it lies below the value: how many members deep is told by its length; names are not shown by `repr`.
        start: First character of the text at that place, in code points.
        end: Behind its last character.
        in_name: Whether the name of a member looks personal, not what it holds.
    """

    type: str
    path: Path = field(repr=False)
    start: int
    end: int
    in_name: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a value.

    Attributes:
        action: ``keep`` it as it is, ``redact``: use `cleaned` instead, or ``drop`` it.
        types: What was found, in alphabetical order.
        findings: Where.
        cleaned: What may be kept; None where the value is dropped. Not shown by `repr`.
    """

    action: Action
    types: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    cleaned: Any = field(default=None, repr=False)


@dataclass
class _Walk:
    findings: list[Finding] = field(default_factory=list)
    nodes: int = _MOST_NODES
    characters: int = _MOST_CHARACTERS
    changed: bool = False


class _Removed(Exception):
    """The whole value cannot be kept."""


def judge(value: Any, key: str = "", *, declared: Hint | None = None) -> Verdict:
    """Says what becomes of a value.

    Args:
        value: Any value that JSON can hold.
        key: Its name; dots part the names of what it lies in. Personal data in it drops the value.
        declared: What else is known of the value, instead of what the key says.

    Returns:
        The verdict.

    Examples:
        >>> judge("mailto:grizelda@example.com", "link").cleaned
        'mailto:[email]'
        >>> judge(52.520008, "lat").action, judge("spring_sale", "campaign").action
        ('drop', 'keep')
        >>> judge({"email": "grizelda@example.com", "plan": "pro"}, "traits").cleaned
        {'email': '[email]', 'plan': 'pro'}
    """
    walk = _Walk()
    for kind in _in_name(key):
        walk.findings.append(Finding(kind, (), 0, len(key), in_name=True))
    if walk.findings:
        return _verdict("drop", walk, None)
    path = tuple(part for part in key[:_LONGEST_NAME].split(".") if part) or ("",)
    try:
        cleaned = _cleaned(value, path, declared, walk, 0)
    except _Removed:
        return _verdict("drop", walk, None)
    if not walk.findings:
        return _verdict("keep", walk, value)
    if cleaned is None or not isinstance(value, str | dict | list):
        return _verdict("drop", walk, None)
    return _verdict("redact", walk, cleaned)


def _verdict(action: Action, walk: _Walk, cleaned: Any) -> Verdict:
    return Verdict(action, tuple(sorted({f.type for f in walk.findings})), tuple(walk.findings), cleaned)


def _cleaned(value: Any, path: Path, declared: Hint | None, walk: _Walk, depth: int) -> Any:
    """The value as it may be kept; None for a text that is not kept at all."""
    walk.nodes -= 1
    if depth > _DEEPEST or walk.nodes < 0:
        walk.findings.append(Finding(UNREADABLE, path[1:], 0, 0))
        raise _Removed
    if isinstance(value, str):
        return _text(value, path, declared, walk, depth)
    if isinstance(value, dict):
        return _members(value, path, walk, depth)
    if isinstance(value, list):
        return _items(value, path, walk, depth)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, path, declared, walk)
    return value


def _number(value: float, path: Path, declared: Hint | None, walk: _Walk) -> Any:
    told = declared or hint(path[-3:])
    # JSON's numbers have lost their leading zeros; Python's have limits on their length.
    text = repr(value) if isinstance(value, float) or abs(value) < 10**40 else "9" * 40
    # A card's number sent as a number: of those that chance writes, hardly one fits issuer and check digit.
    bare = isinstance(value, int) and len(text) in (15, 16) and is_card(text)
    if not fits(told, text) and (not bare or told.code or told.time):
        return value
    kind = type_of(told, text) if fits(told, text) else "card"
    walk.findings.append(Finding(kind, path[1:], 0, len(text)))
    return _placeholder(kind)


def _text(text: str, path: Path, declared: Hint | None, walk: _Walk, depth: int) -> Any:
    walk.characters -= len(text)
    if walk.characters < 0:
        walk.findings.append(Finding(UNREADABLE, path[1:], 0, len(text)))
        raise _Removed
    told = declared or hint(path[-3:])
    inner = _parsed(text)
    if inner is not None:
        before = len(walk.findings)
        cleaned = _cleaned(inner, path, None, walk, depth + 1)
        if len(walk.findings) > before:
            return json.dumps(cleaned)
    hits = find(text, told, lambda decoded: _types_within(decoded, path))
    if not hits:
        return text
    walk.findings += [Finding(hit.type, path[1:], hit.start, hit.end) for hit in hits]
    if any(hit.type == UNREADABLE for hit in hits):
        return None if depth == 0 else _placeholder(UNREADABLE)
    if not _covered(hits, len(text)) and _is_prose(text):
        return None if depth == 0 else _placeholder("text")
    return _redacted(text, hits)


def _types_within(decoded: str, path: Path) -> Iterable[str]:
    inner = _parsed(decoded)
    if inner is None:
        return ()
    walk = _Walk()
    try:
        _cleaned(inner, path, None, walk, 1)
    except _Removed:
        return (UNREADABLE,)
    return {finding.type for finding in walk.findings}


def _parsed(text: str) -> Any:
    """What a text says as JSON, where it is an object, an array or a text in quotes."""
    stripped = text.strip()
    if len(text) > LONGEST or stripped[:1] + stripped[-1:] not in ("{}", "[]", '""') or len(stripped) < 3:
        return None
    try:
        return json.loads(stripped)
    except (ValueError, RecursionError):
        return None


def _covered(hits: Iterable[Hit], length: int) -> bool:
    return any(hit.start == 0 and hit.end >= length for hit in hits)


def _is_prose(text: str) -> bool:
    """A sentence: what else it says of the same person no rule finds, so that it is not kept in part."""
    parts = text.split()
    return len(parts) >= _PROSE_WORDS and sum(part[0].isalpha() for part in parts) >= _PROSE_WORDS // 2


def _redacted(text: str, hits: list[Hit]) -> str:
    parts: list[str] = []
    at = 0
    for hit in hits:
        if hit.start >= at:
            parts += [text[at : hit.start], _placeholder(hit.type)]
        at = max(at, hit.end)
    return "".join([*parts, text[at:]])


def _placeholder(kind: str) -> str:
    return f"[{kind}]"


def _members(value: Mapping[str, Any], path: Path, walk: _Walk, depth: int) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    if value and value.keys() <= _PARTS_OF_A_DAY and hint(path[-3:]).type == "birth_date":
        walk.findings.append(Finding("birth_date", path[1:], 0, 0))
        return {name: _placeholder("birth_date") for name in value}
    named = _named_value(value)
    for name, member in value.items():
        kinds = _in_name(name)
        walk.findings += [Finding(kind, path[1:], 0, len(name), in_name=True) for kind in kinds]
        below = (*path, "" if kinds else name)
        if named is not None and name.lower() in _VALUED:
            below = (*path, named)
        shown = _unused(cleaned, _placeholder(kinds[0])) if kinds else name
        cleaned[shown] = _cleaned(member, below, None, walk, depth + 1)
    return cleaned


def _named_value(value: Mapping[str, Any]) -> str | None:
    """The name in ``{"name": "email", "value": …}``."""
    lower = {name.lower(): member for name, member in value.items()}
    if not any(name in _VALUED for name in lower):
        return None
    named = (lower[name] for name in _NAMING if name in lower)
    return next(
        (n for n in named if isinstance(n, str) and len(n) < 100 and hint((n,)).type is not None), None
    )


def _unused(taken: Mapping[str, Any], name: str) -> str:
    return (
        name
        if name not in taken
        else next(n for n in (f"{name}#{i}" for i in range(2, len(taken) + 3)) if n not in taken)
    )


def _items(value: list[Any], path: Path, walk: _Walk, depth: int) -> list[Any]:
    if (
        len(value) == 2
        and isinstance(value[0], str)
        and len(value[0]) < 100
        and not isinstance(value[1], list)
    ):
        told = hint((value[0],)).type
        if told is not None and told != "weak_name":
            return [
                _cleaned(value[0], path, None, walk, depth + 1),
                _cleaned(value[1], (*path, value[0]), None, walk, depth + 1),
            ]
    if hits := _in_bytes(value):
        walk.findings += [Finding(kind, path[1:], 0, 0) for kind in hits]
        return [_placeholder(hits[0])]
    return [_cleaned(item, path, None, walk, depth + 1) for item in value]


_SIGN = ord("@")
_FEWEST_BYTES = 8


def _in_bytes(value: list[Any]) -> list[str]:
    """What an array of bytes spells, as buffers are written into JSON: types of an address in it."""
    if len(value) < _FEWEST_BYTES or _SIGN not in value or len(value) > LONGEST:
        return []
    if not all(type(each) is int and 0 <= each < 256 for each in value):
        return []
    return sorted({hit.type for hit in find(bytes(value).decode("utf-8", "replace"))})


#: Dots and signs that part names, not numbers: users.81.2.69.142, visits@81.2.69.142
_NESTING = re.compile(r"\.(?![0-9])|(?<![0-9])\.|@(?=[0-9.]{7,15}$)")


@lru_cache(maxsize=16_384)
def _in_name(name: str) -> tuple[str, ...]:
    """Types of what the name of a property holds."""
    if len(name) > _LONGEST_NAME:
        return (UNREADABLE,)
    kinds = {hit.type for part in {name, *name.split("."), _NESTING.sub(" ", name)} for hit in find(part)}
    tokens = [token for token in tokens_of(name) if not token.isdigit()]
    for one, other in pairwise(tokens):
        known = one in words("given") and one not in words("words")
        if (
            known
            and other in words("family")
            and other not in words("words") | words("harmless") | words("things")
        ):
            kinds.add("person_name")
    return tuple(sorted(kinds))
