"""Personal data planted on purpose, one distinct value a place, so that a byte scan can tell where a leak began.

Only values reserved for documentation and tests are used (example.org, 555-01xx, 203.0.113.0/24, published test
card numbers). They are written where real logs have them: in places a tracking plan does not expect.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import quote

import numpy as np

from headway_pipelines.demo import catalogue as cat
from headway_pipelines.demo.mess import FIRST_CANARY, FIRST_MALFORMED, MALFORMED, Line, change_line, dump
from headway_pipelines.demo.rows import LATE, LOGGED_IN, Kind, RowArray
from headway_pipelines.demo.world import World

Change = Callable[[Line, str], None]

_ENCODERS: dict[str, Callable[[str], str]] = {
    "plain": lambda v: v,
    "upper": str.upper,
    "percent": lambda v: quote(v, safe=""),
    "double_percent": lambda v: quote(quote(v, safe=""), safe=""),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "hex": lambda v: v.encode().hex(),
    "html": lambda v: v.replace("@", "&#64;"),
    "json_escape": lambda v: v.replace("@", "\\u0040"),
}


@dataclass(frozen=True)
class Canary:
    """One planted value.

    Attributes:
        type: What it is: e_mail, phone, card, name, ...
        value: The value itself.
        encoding: How it is written in the log.
        where: The place, as a path into the line.
        kind: The lines it may be planted in; None for malformed lines.
        change: Puts the written value into a parsed line.
        malformed: How the line is broken, if it is.
    """

    type: str
    value: str
    encoding: str
    where: str
    kind: Kind | None
    change: Change
    malformed: str | None = None

    @property
    def written(self) -> str:
        """The bytes that stand in the log (ASCII)."""
        return _ENCODERS[self.encoding](self.value)


def plant(canary: Canary, text: str) -> str:
    """Renders a line with a planted value.

    Args:
        canary: What to plant.
        text: The line as it would have been, without its line end.

    Returns:
        The line to write.
    """
    line: Line = json.loads(text)
    # JSON's own escapes would be escaped again: the plain value goes in and is replaced in the text.
    escaped = canary.encoding == "json_escape"
    canary.change(line, canary.value if escaped else canary.written)
    if canary.malformed:
        return change_line(FIRST_MALFORMED + MALFORMED.index(canary.malformed), dump(line))
    return dump(line).replace(canary.value, canary.written) if escaped else dump(line)


def assign(
    rng: np.random.Generator, rows: RowArray, broken: RowArray, canaries: tuple[Canary, ...]
) -> list[Canary]:
    """Chooses the lines that carry planted values, in place.

    Args:
        rng: A stream of its own.
        rows: Rows of the first block; lines of signed-in people, on time and otherwise good, are taken.
        broken: Its malformed rows.
        canaries: What to plant.

    Returns:
        What found a place; tiny worlds lack some kinds of lines.
    """
    good = (rows["special"] == 0) & (rows["flags"] & LATE == 0) & (rows["flags"] & LOGGED_IN > 0)
    good &= (rows["kind"] != Kind.PAGE_VIEWED) | (rows["page"] < cat.TEACH_PAGES.stop)
    by_kind = {kind: iter(rng.permutation(np.flatnonzero(good & (rows["kind"] == kind)))) for kind in Kind}
    by_break = {
        name: iter(np.flatnonzero(broken["special"] == FIRST_MALFORMED + i))
        for i, name in enumerate(MALFORMED)
    }
    planted = []
    for i, canary in enumerate(canaries):
        places = by_break[canary.malformed] if canary.malformed else by_kind[canary.kind or Kind.PAGE_VIEWED]
        at = next(places, None)
        if at is not None:
            (broken if canary.malformed else rows)["special"][at] = FIRST_CANARY + i
            planted.append(canary)
    return planted


def build(world: World) -> tuple[Canary, ...]:
    """Makes the canaries of a world: the same places for every seed, other values.

    Args:
        world: The world.

    Returns:
        The canaries; a canary's position is its special code minus ``FIRST_CANARY``.
    """
    rng = world.rng(2**31, 1)
    pairs = list(
        product(("Gribble", "Mumble", "Spindle", "Crumple", "Whortle", "Nettle", "Puddle", "Thimble"), _ENDS)
    )
    names = iter([pairs[i] for i in rng.permutation(len(pairs))])
    digits = int(rng.integers(10, 99))
    return tuple(_canary(spec, names, digits + i) for i, spec in enumerate(_PLACES))


_ENDS = (
    "thwaite",
    "snitch",
    "borough",
    "wickham",
    "grovesend",
    "ferrers",
    "magna",
    "parva",
    "stoke",
    "combe",
)
_Spec = tuple[str, str, str, Kind | None, Change]


def _canary(spec: _Spec, names: Iterator[tuple[str, str]], digits: int) -> Canary:
    type_, encoding, where, kind, change = spec
    last = "".join(next(names))
    value = {
        "e_mail": f"perpetua.{last.lower()}{digits}@example.org",
        "name": f"Perpetua {last}",
        "slug": f"perpetua-{last.lower()}",
        "phone": f"+1 (212) 555-01{digits % 100:02d}",
        "phone_number": f"13125550{100 + digits % 100}",
        "card": ("4242 4242 4242 4242", "5555 5555 5555 4444", "4000 0566 5566 5556")[digits % 3],
        "card_number": ("4000056655665556", "5200828282828210", "6011111111111117")[digits % 3],
        "ip": f"198.51.100.{200 + digits % 50}",
        "ipv6": f"2001:db8:85a3::8a2e:370:{7000 + digits}",
        "mac": f"00:00:5e:00:53:{digits % 100:02d}",
        "iban": "GB33BUKB20201555555555",
        "national_id": f"987-65-43{20 + digits % 10}",
        "birth_date": f"19{50 + digits % 40}-02-2{digits % 9}",
        "place": f"52.5{digits}1173",
        "address": f"{digits} {last} Hollow, Upper Snoring",
        "token": f"tok-{last.lower()}-{digits}-7Qx9Zp2LmVr4Ks8W",
    }[type_]
    broken = where.removeprefix("malformed:") if where.startswith("malformed:") else None
    return Canary(type_, value, encoding, where, kind, change, broken)


def _prop(name: str, shape: Callable[[str], Any] = lambda v: v) -> Change:
    def change(line: Line, value: str) -> None:
        line["properties"][name] = shape(value)

    return change


def _url(template: str) -> Change:
    def change(line: Line, value: str) -> None:
        url = template.format(value)
        line["context"]["page"]["url"] = url
        if line["type"] == "page":
            line["properties"]["url"] = url

    return change


def _context(*path: str, shape: Callable[[str], Any] = lambda v: v) -> Change:
    def change(line: Line, value: str) -> None:
        at = line["context"]
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = shape(value)

    return change


def _top(name: str, shape: Callable[[str], Any] = lambda v: v) -> Change:
    def change(line: Line, value: str) -> None:
        line[name] = shape(value)

    return change


def _trait(name: str, shape: Callable[[str], Any] = lambda v: v) -> Change:
    def change(line: Line, value: str) -> None:
        line["traits"][name] = shape(value)

    return change


def _property_name(line: Line, value: str) -> None:
    line["properties"][value] = True


def _broken(line: Line, value: str) -> None:
    line["messageId"] = value


_H = cat.HOST
_PV, _LW, _SP, _TO, _SA = (
    Kind.PAGE_VIEWED,
    Kind.LESSON_WATCHED,
    Kind.SEARCH_PERFORMED,
    Kind.TICKET_OPENED,
    Kind.SURVEY_ANSWERED,
)
_PLACES: tuple[_Spec, ...] = (
    ("e_mail", "percent", "url.query", _PV, _url(_H + "/courses?email={}")),
    ("e_mail", "double_percent", "url.query", _PV, _url(_H + "/courses?next=%2Faccount%3Fmail%3D{}")),
    ("e_mail", "plain", "url.path", _PV, _url(_H + "/invitations/{}/accept")),
    ("e_mail", "plain", "url.path.matching_the_plan", _PV, _url(_H + "/courses/{}")),
    ("e_mail", "plain", "url.userinfo", _PV, _url("https://{}:hunter2@learn.example.com/account")),
    ("e_mail", "plain", "url.fragment", _PV, _url(_H + "/account#user={}")),
    ("e_mail", "plain", "url.utm_campaign", _PV, _url(_H + "/courses?utm_campaign={}")),
    ("e_mail", "base64", "url.utm_source", _PV, _url(_H + "/courses?utm_source={}")),
    ("token", "plain", "url.query", _PV, _url(_H + "/login?reset_token={}")),
    ("token", "plain", "url.fragment", _PV, _url(_H + "/login#access_token={}&state=1")),
    ("card_number", "plain", "url.query", _PV, _url(_H + "/pricing?card={}")),
    ("slug", "plain", "url.path.matching_the_plan", _PV, _url(_H + "/teach/{}")),
    (
        "e_mail",
        "plain",
        "properties.referrer",
        _PV,
        _prop("referrer", "https://mail.example.net/?to={}".format),
    ),
    ("ip", "plain", "properties.referrer.host", _PV, _prop("referrer", "http://{}/intranet".format)),
    ("name", "plain", "properties.title", _PV, _prop("title", "{} | Your profile".format)),
    ("e_mail", "plain", "context.page.title", _PV, _context("page", "title", shape="Inbox of {}".format)),
    (
        "e_mail",
        "plain",
        "context.page.referrer",
        _LW,
        _context("page", "referrer", shape="https://mail.example.net/{}".format),
    ),
    ("e_mail", "plain", "name (page call)", _PV, _top("name", "Profile {}".format)),
    ("e_mail", "upper", "properties.query", _SP, _prop("query")),
    ("phone", "plain", "properties.query", _SP, _prop("query", "call {}".format)),
    ("phone_number", "plain", "properties.results (a number)", _SP, _prop("results", int)),
    ("e_mail", "plain", "properties.comment", _SA, _prop("comment", "Write to me at {}, please.".format)),
    ("address", "plain", "properties.comment", _SA, _prop("comment", "Send the invoice to {}.".format)),
    ("national_id", "plain", "properties.comment", _SA, _prop("comment", "My number is {}".format)),
    ("card", "plain", "properties.message", _TO, _prop("message", "You charged {} twice".format)),
    ("e_mail", "base64", "properties.message", _TO, _prop("message", "data:{}".format)),
    ("e_mail", "html", "properties.message", _TO, _prop("message", "<b>{}</b>".format)),
    ("iban", "plain", "properties.message", _TO, _prop("message", "Refund to {}".format)),
    ("e_mail", "plain", "properties.topic (an enum)", _TO, _prop("topic")),
    ("e_mail", "hex", "properties.blob (undeclared)", _LW, _prop("blob")),
    ("e_mail", "json_escape", "properties.note (undeclared)", _LW, _prop("note")),
    (
        "name",
        "plain",
        "properties.profile (nested)",
        _LW,
        _prop("profile", lambda v: {"a": [{"full_name": v}]}),
    ),
    ("e_mail", "plain", "properties.watched_with (array)", _LW, _prop("watched_with", lambda v: ["me", v])),
    (
        "e_mail",
        "plain",
        "properties.payload (JSON in a string)",
        _LW,
        _prop("payload", lambda v: dump({"to": v})),
    ),
    ("e_mail", "plain", "a property's name", _LW, _property_name),
    ("e_mail", "plain", "a key of a map", _LW, _prop("scores", lambda v: {v: 3})),
    ("card_number", "plain", "properties.seconds (a number)", _LW, _prop("seconds", int)),
    ("e_mail", "plain", "properties.course_id (an id)", _LW, _prop("course_id")),
    ("e_mail", "plain", "properties.seconds (wrong type)", _LW, _prop("seconds")),
    ("e_mail", "plain", "properties.category (an enum)", Kind.COURSE_ENROLLED, _prop("category")),
    ("e_mail", "plain", "properties.order_id (an id)", Kind.PAYMENT_COMPLETED, _prop("order_id")),
    ("name", "plain", "properties.medium (an enum)", Kind.INVITE_SENT, _prop("medium")),
    ("e_mail", "plain", "event (undeclared)", Kind.PLAYBACK_STALLED, _top("event", "Stalled for {}".format)),
    ("e_mail", "plain", "traits.contact.email", Kind.IDENTIFY, _trait("contact", lambda v: {"email": v})),
    ("birth_date", "plain", "traits.birthday", Kind.IDENTIFY, _trait("birthday")),
    ("token", "plain", "traits.password", Kind.IDENTIFY, _trait("password")),
    ("name", "plain", "groupId (group call)", Kind.GROUP, _top("groupId", "Private school of {}".format)),
    ("e_mail", "plain", "context.traits.email", _LW, _context("traits", "email")),
    (
        "name",
        "plain",
        "context.userAgent",
        _LW,
        _context("userAgent", shape="LecternApp/2.1 ({}'s iPhone)".format),
    ),
    ("e_mail", "plain", "context.locale", _LW, _context("locale")),
    ("e_mail", "plain", "context.campaign.name", _LW, _context("campaign", "name")),
    ("ipv6", "plain", "context.ip", _LW, _context("ip")),
    ("mac", "plain", "context.device.id", _LW, _context("device", "id")),
    ("place", "plain", "context.location.latitude", _LW, _context("location", "latitude", shape=float)),
    ("e_mail", "plain", "messageId", _LW, _top("messageId", "msg-{}".format)),
    ("e_mail", "plain", "integrations (a key)", _LW, _top("integrations", lambda v: {v: True})),
    *(("e_mail", "plain", f"malformed:{how}", None, _broken) for how in MALFORMED),
    (
        "e_mail",
        "plain",
        "properties.message of an error",
        Kind.APP_ERROR,
        _prop("message", "No user {}".format),
    ),
    ("phone", "plain", "properties.message", Kind.TICKET_FOLLOWED_UP, _prop("message", "Ring me: {}".format)),
    (
        "name",
        "plain",
        "properties.comment",
        Kind.SUBSCRIPTION_CANCELLED,
        _prop("comment", "{} took over".format),
    ),
    (
        "e_mail",
        "plain",
        "properties.file (undeclared)",
        Kind.UPLOAD_STARTED,
        _prop("file", "{}/intro.mp4".format),
    ),
    ("e_mail", "plain", "properties.reason (an enum)", Kind.UPLOAD_FAILED, _prop("reason")),
)
