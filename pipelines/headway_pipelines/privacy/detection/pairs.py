"""Keys and values inside texts: addresses of pages, forms, cookies, ``key: value`` lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headway_pipelines.privacy.detection.by_key import fits, type_of
from headway_pipelines.privacy.detection.hits import Hit
from headway_pipelines.privacy.detection.keys import Hint, hint, tokens_of
from headway_pipelines.privacy.detection.people import slug
from headway_pipelines.privacy.detection.words import words

_MOST_PIECES = 2_000
_NESTED = 3
_SEPARATOR = re.compile(
    r"[&;\n|{}<>]|[,?#\[\]](?=\s{0,3}[\"']?[^\W\d][\w .-]{0,40}[\"']?\s?[:=])|\.\s(?=[A-Z][\w "
    r"]{1,30}[:=])|\s(?=[A-Za-z_.-]{2,30}=)"
)
_PAIR = re.compile(
    r"\s*[\"']?(?P<key>[^\W\d][^:=\"']{0,60}?)[\"']?\s{0,2}(?:=>|:=|[:=])\s{0,2}(?P<value>\S.*)", re.DOTALL
)
_TRIM = " \t\r\n\"'`"
_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\"'<>]+|(?:mailto|tel|sms|callto|skype|sip|sips|xmpp"
    r"|whatsapp|facetime):[^\s\"'<>]+"
)
_SCHEMES_OF_PEOPLE = {
    "mailto": "email",
    "tel": "phone",
    "sms": "phone",
    "callto": "phone",
    "skype": "username",
    "sip": "username",
    "sips": "username",
    "xmpp": "username",
    "facetime": "phone",
}
_BODIES = {
    "email": re.compile("@|%40"),
    "phone": re.compile("(?:[0-9][^0-9]{0,3}){5}"),
    "username": re.compile("[A-Za-z0-9]{2}"),
}
_CHAT = re.compile(
    r"(?i)(?:\bwa\.me/|whatsapp\.com/send/?\?phone="
    r"|\bt\.me/)\+?(?P<number>[0-9]{7,15})(?![0-9A-Za-z])"
)
_AVATAR = re.compile(r"(?i)gravatar\.com/(?:avatar/)?(?P<hash>[0-9a-f]{32,64})")


def pairs(text: str) -> Iterator[Hit]:
    """Finds values whose key stands in the text before them.

    Args:
        text: A folded text.

    Yields:
        Hits of the types that the keys say, where the values fit.
    """
    if ":" not in text and "=" not in text:
        return
    start = 0
    for count, end in enumerate([*(m.start() for m in _SEPARATOR.finditer(text)), len(text)]):
        if count == _MOST_PIECES:
            return
        if match := _PAIR.fullmatch(text[start:end][:4_000]):
            yield from _pair(match, start, opening=text[start - 1 : start])
        start = end + 1


def lets_in(parameter: str) -> bool:
    """Says whether a parameter of an address is a session's.

    Args:
        parameter: Its name.

    Returns:
        True when whoever has its value may be let in.
    """
    return "".join(tokens_of(parameter)) in words("session_parameters")


def _pair(match: re.Match[str], offset: int, depth: int = 0, opening: str = "") -> Iterator[Hit]:
    value = match["value"].rstrip(_TRIM)
    if value.startswith("//"):
        return
    lead = len(value) - len(value.lstrip(_TRIM + "["))
    value = value[lead:]
    # Of a sentence the last words are the key: Please note my phone: ...
    key = " ".join(match["key"].split()[-4:])
    told = hint((key,))
    if told.type is None and opening in "?&;#" and opening and lets_in(key):
        told = Hint("secret", "sessiontoken")
    begin = offset + match.start("value") + lead
    for candidate in (
        value,
        value.rstrip(".!?)]"),
        value.split(", ")[0],
        re.split(r"[ ,;]", value)[0].rstrip(".!?)]"),
    ):
        if candidate and fits(
            told,
            candidate.replace("+", " ")
            if told.type not in ("phone", "secret", "email_hash", "location", "email")
            else candidate,
        ):
            yield Hit(type_of(told, candidate), begin, begin + len(candidate))
            return
    if depth < _NESTED and (inner := _PAIR.fullmatch(value)) and "://" not in value[:30]:
        yield from _pair(inner, begin, depth + 1)


_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.+])[A-Za-z]{0,6}[0-9][0-9A-Za-z]*(?:[ "
    r"./-][0-9A-Za-z]*[0-9][0-9A-Za-z]*){0,7}(?:[ -][A-Za-z](?![A-Za-z]))?"
)
_MOST_NUMBERS = 50
_TOLD_BY_WORDS = frozenset(("national_id", "phone", "ssn", "card", "iban", "device_id"))


def announced(text: str) -> Iterator[Hit]:
    """Finds numbers whose name stands in the words before them: my steuer id is 86095742719.

    Args:
        text: A folded text.

    Yields:
        Hits of the types that the words say, where the numbers fit.
    """
    for count, match in enumerate(_NUMBER.finditer(text)):
        if count == _MOST_NUMBERS:
            return
        if sum(map(str.isdigit, match[0])) < 5 or match.start() == 0:
            continue
        before = [*tokens_of(text[max(0, match.start() - 60) : match.start()])]
        while before and before[-1] in words("links"):
            before.pop()
        for size in range(min(4, len(before)), 0, -1):
            told = hint((" ".join(before[-size:]),))
            if told.type in _TOLD_BY_WORDS and fits(told, match[0]):
                yield Hit(type_of(told, match[0]), *match.span())
                break


def links(text: str) -> Iterator[Hit]:
    """Finds people in the parts of addresses: schemes, paths below people, hashes of avatars.

    User names and passwords, parameters and fragments are found as secrets and as pairs.

    Args:
        text: A folded text.

    Yields:
        Hits.
    """
    if ":" in text:
        for match in _URL.finditer(text):
            scheme, _, rest = match[0].partition(":")
            if kind := _SCHEMES_OF_PEOPLE.get(scheme.lower()):
                body = rest.split("?")[0].lstrip("/")
                if _BODIES[kind].search(body):
                    at = match.start() + match[0].index(body, len(scheme))
                    yield Hit(kind, at, at + len(body))
            else:
                yield from _path(match[0], match.start())
    if text.startswith("/"):
        yield from _path(text, 0)
    for match in _CHAT.finditer(text):
        yield Hit("phone", *match.span("number"))
    for match in _AVATAR.finditer(text):
        yield Hit("email_hash", *match.span("hash"))


def _path(url: str, offset: int) -> Iterator[Hit]:
    before = ""
    for match in re.finditer(r"[^/?#&=]+", url):
        part, word = match[0], before.lower().lstrip("@~")
        before = part
        if url[match.end() : match.end() + 1] == "=":
            continue
        start, end = offset + match.start(), offset + match.end()
        bare = re.sub(r"\.(?:html?|php|aspx?|json|jpe?g|png|pdf)$", "", part.lstrip("@~"))
        if (word in words("folders_of_people") or part[0] in "@~") and slug(bare):
            yield Hit("person_name", start, end)
        elif word and match.start() > 8:
            told: Hint = hint((word,))
            if told.type not in (
                None,
                "weak_name",
                "person_name",
                "secret",
                "username",
                "address",
                "location",
            ) and fits(told, part):
                yield Hit(type_of(told, part), start, end)
            elif told.type in ("secret",) and len(part) >= 12 and fits(told, part):
                yield Hit("secret", start, end)
            elif told.type == "person_name" and fits(told, re.sub(r"[-+_]", " ", part)):
                yield Hit("person_name", start, end)
