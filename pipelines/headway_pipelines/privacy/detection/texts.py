"""One text and what is known of its key -> what in it looks personal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from headway_pipelines.privacy.detection.births import births
from headway_pipelines.privacy.detection.by_key import fits, type_of
from headway_pipelines.privacy.detection.contact import emails, phones
from headway_pipelines.privacy.detection.credentials import credentials
from headway_pipelines.privacy.detection.decode import Budget, unfold
from headway_pipelines.privacy.detection.hits import Hit, outermost
from headway_pipelines.privacy.detection.keys import NOTHING, Hint
from headway_pipelines.privacy.detection.money import cards, ibans
from headway_pipelines.privacy.detection.national import national_ids
from headway_pipelines.privacy.detection.network import addresses
from headway_pipelines.privacy.detection.pairs import announced, links, pairs
from headway_pipelines.privacy.detection.people import names
from headway_pipelines.privacy.detection.places import locations, streets
from headway_pipelines.privacy.detection.views import View, view

#: Longer texts are not searched but reported whole: nobody sends them as the value of a property.
LONGEST = 65_536
UNREADABLE = "unreadable"
#: As few digits as a number of somebody's has; coordinates have more.
_DIGITS = re.compile(r"(?:[0-9][^0-9]{0,4}){4}")
#: No name, date or street is in one of these.
_ONE_WORD = re.compile(r"[a-z0-9]*|[0-9A-Fa-f-]*")
#: A number in one of these is part of a thing's number, where the key says that it is one.
_CODE = re.compile(r"[A-Za-z0-9_-]*")
_BRAND = re.compile(
    r"(?i)(?:visa|master(?:card)?|mc|amex|maestro|discover|diners|jcb|card|cc|pan|iban|ssn)[_-]"
)
#: More words are a sentence, whatever the key says.
_LONGEST_TITLE = 6
_OF_NUMBERS = frozenset(("card", "phone", "national_id", "ssn", "location"))


def find(
    text: str,
    told: Hint = NOTHING,
    within: Callable[[str], Iterable[str]] = lambda _: (),
    *,
    prose: bool = True,
) -> list[Hit]:
    """Finds what looks personal in a text.

    Args:
        text: The text, as it came.
        told: What its key says.
        within: Gives the types of what a decoded text holds that is an object or array written as JSON.
        prose: Whether names, birth dates and street addresses are looked for.

    Returns:
        Hits in order of their place; positions are code points of the text. A text that is too long, or encoded more
        often than it is decoded, is one hit of type ``unreadable``.

    Examples:
        >>> find("write to grizelda@example.com")
        [Hit(type='email', start=9, end=29)]
        >>> find("dG8gZ3JpemVsZGFAZXhhbXBsZS5jb20=")
        [Hit(type='email', start=0, end=32)]
    """
    if len(text) > LONGEST:
        return [Hit(UNREADABLE, 0, len(text))]
    budget = Budget()
    found: list[Hit] = []
    for each in unfold(view(text), budget):
        whole = len(each.text.strip()) == len(each.text) and not each.decoded
        for kind, start, end in _search(each, told, prose=prose):
            first, last = each.span(start, end)
            found.append(
                Hit(kind, 0, len(text))
                if whole and start == 0 and end == len(each.text)
                else Hit(kind, first, last)
            )
        if each.decoded and (each.text.lstrip()[:1] in ("{", "[")):
            found += [Hit(kind, *each.span(0, len(each.text))) for kind in within(each.text)]
    if budget.exceeded:
        found.append(Hit(UNREADABLE, 0, len(text)))
    return outermost(found)


def _search(each: View, told: Hint, *, prose: bool) -> Iterator[Hit]:
    text, shown = each.text, each.shown
    if fits(told, shown) or (not shown.isascii() and fits(told, text)):
        yield Hit(type_of(told, text), 0, len(text))
    agent = told.agent or text.startswith(("Mozilla/", "Dalvik/", "okhttp/", "curl/"))
    for hit in _by_form(text, version=told.version or agent):
        if not _vetoed(hit, text, told, agent):
            yield hit
    if prose and not agent and not _ONE_WORD.fullmatch(text):
        if not told.thing or len(shown.split()) > _LONGEST_TITLE:
            yield from names(shown)
        yield from chain(births(shown), streets(shown))
    yield from chain(pairs(text), announced(text), links(text))


def _by_form(text: str, *, version: bool) -> Iterator[Hit]:
    yield from emails(text)
    if _DIGITS.search(text):
        yield from chain(phones(text), cards(text), ibans(text), national_ids(text), locations(text))
    yield from addresses(text, version=version)
    yield from credentials(text)


def _vetoed(hit: Hit, text: str, told: Hint, agent: bool) -> bool:
    """What a key says of a value outweighs its form: numbers of orders may pass for cards."""
    if agent:
        return hit.type in ("phone", "national_id", "ssn", "card", "location")
    if hit.type not in _OF_NUMBERS:
        return False
    if hit.end - hit.start < len(text.strip()) and (
        not told.code or not _CODE.fullmatch(text) or _BRAND.match(text)
    ):
        return False
    if hit.type == "phone" and text.lstrip().startswith("+"):
        return False
    return told.code or told.time or told.version
