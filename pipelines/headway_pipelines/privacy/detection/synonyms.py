"""Names of properties that no list has: phrases in another order, abbreviations, words that a language runs together.

A list of phrases is never complete: ``numero carte`` is in it and ``carte_num`` is not, ``fecha nacimiento``
is and ``fec_nac`` is not, ``telefonnummer`` is and ``festnetznummer`` is not. What is looked for here is how such names
are made: the same words in any order without small ones between them, a word for *day* beside a word for *born*, and a
compound that ends in a word for *number*.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from headway_pipelines.privacy.detection.words import abbreviations, phrase_words, phrases, words

Told = tuple[str, str, tuple[str, ...]]

_LONGEST = 6
_SHORTEST_HEAD = 3
#: A phrase of one word in any order is that word: these need two.
_FEWEST = 2
_NUMBER = "#"


def in_other_words(own: tuple[str, ...]) -> Told | None:
    """Says what a name says that is in no list as it is.

    Args:
        own: The words of the name.

    Returns:
        The type, the phrase it stands for, and the words that are not part of it; None where the name says nothing.

    Examples:
        >>> in_other_words(("carte", "num")), in_other_words(("fec", "nac", "hijo"))
        (('card', 'ncarte', ()), ('birth_date', 'fecnac', ('hijo',)))
        >>> in_other_words(("festnetznummer",)), in_other_words(("bestellnummer",))
        (('phone', 'phonenumber', ()), None)
    """
    return _written_otherwise(own) or _reordered(own) or _born(own) or _compound(own) or hashed_address(own)


def spelled_out(own: tuple[str, ...]) -> tuple[str, ...]:
    """Writes abbreviations out: usual ones, and words that are cut off behind half of them.

    Args:
        own: The words of a name.

    Returns:
        The words, as many or more.

    Examples:
        >>> spelled_out(("lst", "nm")), spelled_out(("apell", "2")), spelled_out(("port",))
        (('last', 'name'), ('apellido', '2'), ('port',))
    """
    return tuple(word for token in own for word in abbreviations().get(token, (_begun().get(token, token),)))


#: Shorter beginnings say too little.
_SHORTEST_BEGINNING = 4


@cache
def _begun() -> Mapping[str, str]:
    """Beginnings of phrases of one word, at least half of it, that only phrases of one type have."""
    found: dict[str, str] = {}
    kinds: dict[str, set[str]] = {}
    compound = frozenset(phrase_words())
    for phrase, kind in phrases().items():
        if phrase in compound or not phrase.isascii():
            continue
        for end in range(_SHORTEST_BEGINNING, len(phrase)):
            kinds.setdefault(phrase[:end], set()).add(kind)
            if 2 * end >= len(phrase):
                found.setdefault(phrase[:end], phrase)
    taken = (
        words("words")
        | words("things")
        | words("harmless")
        | words("codes")
        | words("times")
        | words("no_beginnings")
    )
    taken |= words("amounts") | words("versions") | words("generic") | words("people") | phrases().keys()
    return {
        begin: phrase
        for begin, phrase in found.items()
        if len(kinds[begin]) == 1 and "weak_name" not in kinds[begin] and begin not in taken
    }


def _written_otherwise(own: tuple[str, ...]) -> Told | None:
    """Phrases with an umlaut written as one letter instead of two, or the other way round."""
    known = _even("".join(own))
    return (phrases()[known], known, ()) if known and phrases()[known] != "weak_name" else None


@cache
def _evened() -> Mapping[str, str]:
    return {_level(phrase): phrase for phrase in phrases() if phrase.isascii()}


def _even(joined: str) -> str | None:
    return _evened().get(_level(joined))


def _level(joined: str) -> str:
    return joined.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def _reordered(own: tuple[str, ...]) -> Told | None:
    known = _bags()
    for size in range(min(_LONGEST, len(own)), 1, -1):
        for start in range(len(own) - size + 1):
            bag = _bag(own[start : start + size])
            if phrase := known.get(bag):
                return phrases()[phrase], phrase, own[:start] + own[start + size :]
    return None


def _bag(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Words of a phrase in alphabetical order, without small words, all words for *number* alike."""
    kept = (
        _NUMBER if t in words("number_words") else _base(t) for t in tokens if t not in words("small_words")
    )
    return tuple(sorted(kept))


def _base(token: str) -> str:
    """A word without what is written in two ways: its plural, and licence."""
    token = token.replace("licence", "license")
    return token[:-1] if token.endswith("s") and not token.endswith("ss") and len(token) > 4 else token


@cache
def _bags() -> Mapping[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for phrase, tokens in phrase_words().items():
        bag = _bag(tokens)
        # A weak phrase needs its order: "from name" is not "name from".
        if len(bag) >= _FEWEST and phrases()[phrase] != "weak_name" and any(len(t) > 1 for t in bag):
            found.setdefault(bag, phrase)
    return found


def _born(own: tuple[str, ...]) -> Told | None:
    """A word for *born* that nothing else begins with, or a short one beside a word for *day*."""
    for at, token in enumerate(own):
        if token.startswith(tuple(words("stems_of_birth"))) and not token.endswith(
            ("ort", "name", "land", "place")
        ):
            return "birth_date", "birthdate", own[:at] + own[at + 1 :]
    short, day = words("short_births"), words("short_days")
    for at, (one, other) in enumerate(pairwise(own)):
        if (one in short and other in day) or (one in day and other in short):
            return "birth_date", "birthdate", own[:at] + own[at + 2 :]
    for at, token in enumerate(own):
        for cut in range(1, len(token)):
            one, other = token[:cut], token[cut:]
            if (one in short and other in day and len(other) > 2) or (
                one in day and other in short and len(other) > 2
            ):
                return "birth_date", "birthdate", own[:at] + own[at + 1 :]
    return None


#: What a compound says whose last part is a word for *number*, by a part before it.
_COMPOUNDS: Mapping[str, tuple[str, str]] = {
    "parts_of_phones": ("phone", "phonenumber"),
    "parts_of_cards": ("card", "cardnumber"),
    "parts_of_accounts": ("iban", "kontonummer"),
    "parts_of_papers": ("national_id", "idnummer"),
}


#: Types whose phrases may have a word for number behind them: cprnr, telnr.
_NUMBERED = frozenset(("phone", "card", "iban", "ssn", "national_id", "device_id"))


def hashed_address(own: tuple[str, ...]) -> Told | None:
    """Finds a word for a hash beside a word for an address or number that can be guessed.

    Args:
        own: The words of a name.

    Returns:
        As `in_other_words`.
    """
    hashes = words("words_for_hashes")
    if not hashes.intersection(own):
        return None
    rest = tuple(t for t in own if t not in hashes | words("small_words") - {"e"} and not t.isdigit())
    reached = any(phrases().get(token) in ("email", "phone") for token in rest)
    return ("email_hash", "emailhash", ()) if reached or rest in (("e",), ("em",), ("eml",), ("m",)) else None


_ENDINGS = ("nummer", "number", "numero", "numer", "num", "nro", "nr", "no")


def _compound(own: tuple[str, ...]) -> Told | None:
    """What a word says that ends in one for *number*, or has one behind it."""
    for at, token in enumerate(own):
        end = next((each for each in _ENDINGS if token.endswith(each)), "")
        apart = not end and bool(words("number_words").intersection(own[at + 1 : at + 2]))
        head = token.removesuffix(end)
        if len(head) < _SHORTEST_HEAD or not (end or apart):
            continue
        rest = own[:at] + own[at + (2 if apart else 1) :]
        for whole in (head, *(head + word for word in _ENDINGS[:4])) if end else ():
            if (known := _even(whole)) and phrases()[known] in _NUMBERED:
                return phrases()[known], known, rest
        for part, (kind, phrase) in _COMPOUNDS.items():
            stems = tuple(words(part))
            if head.startswith(stems) or head.removesuffix("s").endswith(stems):
                return kind, phrase, rest
    return None
