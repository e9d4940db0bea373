"""What a property seems to be, judged from counts about its values. Every guess says what it rests on.

In doubt a property is text, which is never stored: a wrong guess in that direction loses a number that can be had
later, the other one stores what should not have been stored.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from headway.models.plan import RESERVED_COLUMNS
from headway.models.properties import TOKEN_MAX_LENGTH, snake_case, valid_column
from headway_pipelines.privacy.detect import looks_personal

#: A value may become part of an enum, a host part of a url, when so many users or devices sent it.
VALUE_ACTORS = 10
MOST_VALUES, MOST_HOSTS = 30, 5
#: So large a part of the values must fit a class; the gate drops and counts the others.
FITS = 0.995
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign")

_PERSONAL_NAME = re.compile(
    r"(^|_)(e_?mail|phone|telephone|password|passwd|secret|iban|ssn|passport|birth\w*|(first|last|full|sur|user|nick)_?name)"
    r"(_|$)"
    r"|(^|_)(tel|fax|login|ip|ip_?addr|address|street|city|zip|zip_?code|post_?code|postal_?code|dob|age|gender|sex|card|"
    r"salary|lat|lon|lng|latitude|longitude|author|contact|recipient|sender|assignee|avatar|signature|user_?agent)$"
    r"|^(name|mail)$"
)
_SECRET = re.compile(r"[A-Za-z0-9+/_-]{24,}")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


@dataclass(frozen=True)
class Common:
    """A value of a property, or the host of a web address, and how many sent it."""

    value: str
    n: int
    actors: int


@dataclass(frozen=True)
class Seen:
    """Counts about the values of one property, see survey_properties.sql.

    Attributes:
        values: Its values with their counts, where it has few.
        hosts: Hosts of its web addresses.
    """

    name: str
    n: int
    actors: int
    distinct_values: int
    events: tuple[str, ...] = ()
    bools: int = 0
    integers: int = 0
    numbers: int = 0
    timestamps: int = 0
    addresses: int = 0
    campaigns: int = 0
    nested: int = 0
    personal: int = 0
    values: tuple[Common, ...] = ()
    hosts: tuple[Common, ...] = ()

    def fits(self, count: int) -> bool:
        """Whether so many values are as good as all of them."""
        return count >= FITS * self.n


@dataclass(frozen=True)
class Guess:
    """What a property seems to be.

    Attributes:
        name: Its name in the log.
        class_: Class of the tracking plan.
        why: What the guess rests on, for people.
        options: Further keys of the class, for example the values of an enum.
        events: Events that carry it.
    """

    name: str
    class_: str
    why: str
    options: dict[str, str | list[str]] = field(default_factory=dict)
    events: tuple[str, ...] = ()


def guess(seen: Seen) -> Guess:
    """Guesses the class of one property.

    Args:
        seen: Counts about its values.

    Returns:
        The guess.

    Examples:
        >>> guess(Seen("price", n=1000, actors=90, distinct_values=40, numbers=1000)).class_
        'number'
        >>> guess(Seen("contact_email", n=1000, actors=90, distinct_values=90)).class_
        'sensitive'
    """
    class_, why, options = _class_of(seen)
    return Guess(seen.name, class_, why, options, seen.events)


def _class_of(seen: Seen) -> tuple[str, str, dict[str, str | list[str]]]:
    column = snake_case(seen.name)
    if _PERSONAL_NAME.search(column) and not seen.fits(seen.bools):
        return "sensitive", "its name suggests personal data", {}
    if seen.fits(seen.addresses):
        return _address(seen)
    if not valid_column(column):
        return "text", "its name cannot become a column; give it column: a_name to store it", {}
    closed = _closed(seen)
    if re.search(r"(^|_)(id|uuid|guid)$", column) and not closed:
        domain = re.sub(r"_?(id|uuid|guid)$", "", column)[:32].strip("_") or "item"
        return "id", "named like an identifier; stored as a keyed pseudonym", {"domain": domain}
    # These classes are closed: an e-mail address among numbers is dropped by its type.
    for class_, count in (
        ("bool", seen.bools),
        ("timestamp", seen.timestamps),
        ("integer", seen.integers),
        ("number", seen.numbers),
    ):
        if seen.fits(count):
            return class_, _NUMBERS.get(class_, f"reads as a {class_}"), {}
    if seen.personal:
        return "sensitive", "some values look like e-mail, IP address, phone, card or other long numbers", {}
    if closed and not seen.nested:
        values = [each.value for each in seen.values]
        return (
            "enum",
            f"{len(values)} value{'s' * (len(values) > 1)}, each sent by at least {VALUE_ACTORS} users or devices",
            {"values": values},
        )
    return (
        "text",
        "nested values; declare a part of them with from: name.part" if seen.nested else _open(seen),
        {},
    )


_NUMBERS = {
    "integer": "whole numbers; add min: and max:",
    "number": "numbers; add min:, max: and unit:",
}


def _closed(seen: Seen) -> bool:
    return 0 < len(seen.values) == seen.distinct_values <= MOST_VALUES and all(
        each.actors >= VALUE_ACTORS
        and each.value.isprintable()
        and each.value == each.value.strip()
        and len(each.value) <= TOKEN_MAX_LENGTH
        and not looks_personal(each.value)
        and not _SECRET.search(each.value)
        for each in seen.values
    )


def _open(seen: Seen) -> str:
    if seen.distinct_values > MOST_VALUES:
        return f"more than {MOST_VALUES} different values"
    return f"some values were sent by fewer than {VALUE_ACTORS} users or devices"


def _address(seen: Seen) -> tuple[str, str, dict[str, str | list[str]]]:
    usual = [
        h
        for h in seen.hosts
        if h.actors >= VALUE_ACTORS and _HOST.fullmatch(h.value) and not looks_personal(h.value)
    ]
    own = "refer" not in seen.name.lower() and len(usual) <= MOST_HOSTS
    if own and seen.fits(sum(h.n for h in usual)):
        hosts = [h.value for h in usual]
        return (
            "url",
            'web addresses of these hosts; add paths: ["/", "/pricing", "/blog/*"] to keep pages',
            {"hosts": hosts},
        )
    if seen.fits(sum(h.n for h in seen.hosts if _HOST.fullmatch(h.value))):
        return "url", "web addresses of other sites; only the host is kept", {"keep": "host"}
    return "text", "web addresses of hosts without a public name", {}


def settle(
    guesses: Sequence[Guess], campaigns: str | None = None, reserved: Collection[str] = RESERVED_COLUMNS
) -> tuple[Guess, ...]:
    """Makes guesses fit together: in one plan a column has one meaning, and some names are taken.

    Args:
        guesses: A guess per property, the most important first.
        campaigns: Property whose addresses carry campaign parameters.
        reserved: Columns that are there already.

    Returns:
        The guesses in the same order; of two for one column the later one is text.

    Examples:
        >>> first, second = settle([Guess("courseId", "id", "", {"domain": "course"}), Guess("course_id", "id", "")])
        >>> second.class_, second.why
        ('text', "would fill the same column as 'courseId'; give one of them column: another_name")
    """
    taken: dict[str, str] = {}
    settled = []
    for each in guesses:
        column = snake_case(each.name)
        if each.class_ not in ("text", "sensitive"):
            if column in reserved:
                column = f"{column}_property"
                each = replace(each, options={**each.options, "column": column})
            if column in taken:
                why = (
                    f"would fill the same column as {taken[column]!r}; give one of them column: another_name"
                )
                each = replace(each, class_="text", why=why, options={})
            else:
                taken[column] = each.name
        settled.append(each)
    if campaigns is not None and not taken.keys() & set(CAMPAIGN):
        settled = [
            replace(e, options={**e.options, "query": list(CAMPAIGN)})
            if e.name == campaigns and e.class_ == "url"
            else e
            for e in settled
        ]
    return tuple(settled)
