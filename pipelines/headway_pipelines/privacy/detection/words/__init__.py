"""Lists of words: names of properties by what they hold, given and family names, and words that are nobody's name."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


def plain(text: str) -> str:
    """Writes a word as the lists do: small letters without accents.

    Args:
        text: The word.

    Returns:
        Its plain form.

    Examples:
        >>> plain("Prénom"), plain("Straße"), plain("Łukasz")
        ('prenom', 'strasse', 'lukasz')
    """
    if text.isascii():
        return text.lower()
    low = text.lower().translate(_SPECIAL)
    return "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))


_SPECIAL = {
    ord(a): b
    for a, b in zip("ßłøæœđðþıħŋ", ("ss", "l", "o", "ae", "oe", "d", "d", "th", "i", "h", "n"), strict=True)
}


@cache
def words(name: str) -> frozenset[str]:
    """Reads a set of words.

    Args:
        name: Its file without ending (``given``, ``family``, ``words``, ``harmless``, ``things``), or its section of
            ``sets.txt``.

    Returns:
        The words.
    """
    sets = _sections()
    if name in sets:
        return sets[name]
    lines = _read(name).splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _sections() -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    name = ""
    for line in _read("sets").splitlines():
        if line.startswith("["):
            name = line.strip("[] ")
        elif not line.startswith("#"):
            found[name] = found.get(name, frozenset()) | frozenset(line.split())
    return found


@cache
def phrases() -> Mapping[str, str]:
    """Reads which names of properties say what their value is.

    Returns:
        Phrase written in one word -> type. The first type that lists a phrase has it.
    """
    found: dict[str, str] = {}
    kind = ""
    for line in _read("keys").splitlines():
        if line.startswith("["):
            kind = line.strip("[] ")
        elif not line.startswith("#"):
            for phrase in line.split(";"):
                if joined := plain("".join(phrase.split())):
                    found.setdefault(joined, kind)
    return found


@cache
def phrase_words() -> Mapping[str, tuple[str, ...]]:
    """Reads the words that names of properties are made of.

    Returns:
        Phrase written in one word -> its words, for phrases of more than one.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in _read("keys").splitlines():
        if not line.startswith(("[", "#")):
            for phrase in line.split(";"):
                parts = tuple(plain(part) for part in phrase.split())
                if len(parts) > 1:
                    found.setdefault("".join(parts), parts)
    return found


@cache
def abbreviations() -> Mapping[str, tuple[str, ...]]:
    """Reads what short words in names of properties stand for.

    Returns:
        Abbreviation -> the words it stands for.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in _read("short").splitlines():
        if line and not line.startswith("#"):
            short, _, long = line.partition(" = ")
            found |= dict.fromkeys(short.split(), tuple(long.split()))
    return found


def _read(name: str) -> str:
    return (files(__package__) / f"{name}.txt").read_text(encoding="utf-8")
