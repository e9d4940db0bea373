"""What the name of a property says about its value: looked up once per distinct path, in many languages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from headway_pipelines.privacy.detection.synonyms import hashed_address, in_other_words, spelled_out
from headway_pipelines.privacy.detection.words import phrases, plain, words

_PARTS = re.compile(r"[^\W\d_]+|[0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST_PHRASE = 5
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Hint:
    """What a path says about the value at its end.

    Attributes:
        type: What the value is, as in ``keys.txt``; None where the path does not say.
        phrase: The phrase that says it, in one word.
        version: The value is a version of something, never a network address.
        code: It is a number or code of a thing: digits in it are no card, telephone or identity number.
        time: It is a point in time or an amount, likewise.
        thing: It is what a thing is called: names in it are no person's.
        agent: It is a browser's description of itself.
        person: Something around it is about a person.
        tokens: The words of the name.
        also: What else the name says, of types whose form decides: a ``tel_domicile`` is an address or a telephone.
    """

    type: str | None = None
    phrase: str = ""
    version: bool = False
    code: bool = False
    time: bool = False
    thing: bool = False
    agent: bool = False
    person: bool = False
    tokens: tuple[str, ...] = field(default=(), repr=False)
    also: tuple[Hint, ...] = field(default=(), repr=False)


NOTHING = Hint()


def tokens_of(name: str) -> tuple[str, ...]:
    """Cuts a name into plain words, however it is written.

    Args:
        name: The name of a property.

    Returns:
        Its words and numbers.

    Examples:
        >>> tokens_of("billingFirstName"), tokens_of("Prénom_2"), tokens_of("IPAddress")
        (('billing', 'first', 'name'), ('prenom', '2'), ('ip', 'address'))
    """
    cut = _CAMEL.sub(" ", name[:_LONGEST_KEY])
    return tuple(plain(part) for part in _PARTS.findall(cut))


@lru_cache(maxsize=65_536)
def hint(path: tuple[str, ...]) -> Hint:
    """Says what a path says about the value at its end.

    Args:
        path: Names from the outside in; members of arrays have their array's.

    Returns:
        The hint.

    Examples:
        >>> hint(("email",)).type, hint(("email_opened",)).type, hint(("translation",)).type
        ('email', None, None)
        >>> hint(("user", "name")).type, hint(("plan", "name")).type
        ('person_name', None)
    """
    if not path:
        return NOTHING
    own = tokens_of(path[-1])
    around = tuple(token for name in path[-3:-1] for token in tokens_of(name))
    # A user's name is no user name.
    bare = len(own) == 1 and own[0] in words("bare_names")
    kind, phrase, rest = _longest(own, () if bare else around[-2:])
    person = any(token in words("people") for token in (*around, *own))
    if kind is not None and (
        any(_harmless(token, kind, phrase) for token in rest) or (own and own[0] in ("is", "has"))
    ):
        kind = None
        # "date birth" is "birth date"; what a phrase leaves over may be part of another.
        other = in_other_words(own)
        if other and not any(_harmless(token, other[0], other[1]) for token in other[2]):
            kind, phrase, rest = other
    if kind in (None, "weak_name") and own and own[-1] in words("parts_of_names") and person:
        # {"student": {"last": …}}, student_last
        if len(own) == 1 or (len(own) == 2 and own[0] in words("people")):
            kind, phrase = "person_name", f"{own[-1]}name"
    elif kind == "weak_name" or (kind == "person_name" and phrase in words("bare_names")):
        kind = _name_of(own, rest, around, kind, phrase)
    elif (
        kind is None
        and len(path) > 1
        and own
        and all(token in words("generic") or token.isdigit() for token in own)
    ):
        kind, phrase = hint(path[:-1]).type, hint(path[:-1]).phrase
    held = set(own)
    return Hint(
        type=kind,
        phrase=phrase,
        version=bool(held & words("versions"))
        # A driver's version is one, a driver's place is none.
        or (bool(held & words("components")) and all(t in words("components") or t.isdigit() for t in own))
        or (bool(set(around) & words("versions")) and len(own) <= 1 and kind is None),
        code=kind is None and bool(held & words("codes")) and not set(around) & words("of_cards"),
        time=kind is None and bool(held & (words("times") | words("amounts"))),
        thing=kind is None and bool(held & words("called_after_people")) and not person,
        agent="".join(own).endswith(("useragent",)) or bool(held & {"ua"}),
        person=person,
        tokens=own,
        also=_also(own, rest, kind),
    )


#: Types that a value's form tells apart.
_OF_FORM = frozenset(("email", "phone", "card", "card_code", "birth_date", "ip", "mac"))
#: Types whose values are no words: what is said of their quality is never mistaken for them.
_NO_WORDS = _OF_FORM | {"iban", "national_id", "ssn", "email_hash"}


def _also(own: tuple[str, ...], rest: tuple[str, ...], kind: str | None) -> tuple[Hint, ...]:
    if kind is None or any(map(_harmless, rest)):
        return ()
    found = ((phrases().get(token), token) for token in rest if len(own) > 1)
    return tuple(Hint(other, token) for other, token in found if other in _OF_FORM and other != kind)


_GERMAN_NAMES = frozenset(("vorname", "nachname", "familienname", "geburtsname"))


def _harmless(token: str, kind: str | None = None, phrase: str = "") -> bool:
    if token == "kind" and phrase in _GERMAN_NAMES:
        return False
    if kind == "birth_date" and token in words("writings_of_times"):
        return False
    return token in words("harmless") and not (kind in _NO_WORDS and token in words("qualities"))


def _name_of(
    own: tuple[str, ...], rest: tuple[str, ...], around: tuple[str, ...], kind: str, phrase: str
) -> str | None:
    """A bare ``name``: a person's beside a person, a thing's beside a thing, else anything."""
    things = words("things")
    named = own and own[-1] in words("bare_names")
    bare = phrase in words("bare_names")
    # A hotel's guest is somebody; a guest's hotel is none.
    ends_in_person = kind == "weak_name" and not bare and "".join(own).endswith(phrase)
    if not ends_in_person and any(token in things and token not in words("people") for token in rest):
        return None
    if named and any(token in words("people") for token in (*rest, *around)):
        return "person_name"
    if bare and any(token in things for token in around):
        return None
    return "weak_name" if kind == "weak_name" or (named and own[-1] in words("bare_names")) else kind


def _longest(own: tuple[str, ...], around: tuple[str, ...]) -> tuple[str | None, str, tuple[str, ...]]:
    """The longest phrase that takes in some of the own words; it may begin in what is around them."""
    known = phrases()
    every = (*around, *own)
    best: tuple[int, int, int] | None = None
    for start in range(len(every)):
        for end in range(start + 1, min(len(every), start + _LONGEST_PHRASE) + 1):
            if end <= len(around):
                continue
            joined = "".join(every[start:end])
            if (joined in known or _singular(joined) in known) and (
                best is None or _weight(every, start, end) > best[0]
            ):
                best = (_weight(every, start, end), start, end)
    if best is None:
        return in_other_words(own) or _spelled_out(own) or _run_together(own)
    _, start, end = best
    joined = "".join(every[start:end])
    phrase = joined if joined in known else _singular(joined)
    if known[phrase] in ("email", "phone") and (hashed := hashed_address(own)):
        return hashed
    if known[phrase] == "weak_name" and (stronger := in_other_words(own) or _spelled_out(own)):
        return stronger
    kept = tuple(token for at, token in enumerate(every) if at >= len(around) and not start <= at < end)
    return known[phrase], phrase, kept


def _spelled_out(own: tuple[str, ...]) -> tuple[str | None, str, tuple[str, ...]] | None:
    if (long := spelled_out(own)) == own:
        return None
    told = _longest(long, ())
    return None if told[0] is None else told


def _run_together(own: tuple[str, ...]) -> tuple[str | None, str, tuple[str, ...]]:
    """Words without anything between them: useremail, billingphone."""
    known, beside = phrases(), words("people") | words("generic") | words("beside")
    for token in own:
        for cut in range(3, len(token) - 2):
            for phrase, other in ((token[cut:], token[:cut]), (token[:cut], token[cut:])):
                if len(phrase) >= 4 and other in beside and known.get(phrase, "weak_name") != "weak_name":
                    return known[phrase], phrase, tuple(each for each in own if each is not token)
    return None, "", own


def _weight(every: tuple[str, ...], start: int, end: int) -> int:
    # Of two words, a secret's is worth more: a token for an address is a token.
    secret = phrases().get("".join(every[start:end])) in ("secret", "email_hash")
    weak = phrases().get("".join(every[start:end])) == "weak_name"
    return sum(map(len, every[start:end])) + (4 if secret else 0) - (100 if weak else 0) + (end - start)


def _singular(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
