"""Personal data of every type, in every encoding, planted in every place of a log; one distinct value a line.

Only what is reserved for documentation and tests is used (example.org, 555-01xx, 203.0.113.0/24, test cards, void
numbers), so that nothing here is anybody's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any
from urllib.parse import quote

from shop import Shop, track

Line = dict[str, Any]


def _luhn(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def _iban(number: int) -> str:
    rest = f"BUKB2020155{number:07d}"
    digits = "".join(str(int(c, 36)) for c in f"{rest}GB00")
    return f"GB{98 - int(digits) % 97:02d}{rest}"


def _word(number: int) -> str:
    """A name that is nobody's and no word: letters that stand for a number."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05d}")


TYPES: Mapping[str, Callable[[int], str]] = {
    "e-mail": lambda n: f"quux.{_word(n)}@mail.example.org",
    "phone": lambda n: f"+1 202 555 {1000000 + n}"[:-3] + f"{n % 1000:03d}",
    "payment card": lambda n: _luhn(f"400000{n:09d}"),
    "iban": _iban,
    "social security number": lambda n: f"987-65-{4000 + n:04d}",
    "national id": lambda n: f"QQ{100000 + n}C",
    "ipv4": lambda n: f"203.0.113.{100 + n % 100}:{10000 + n}",
    "ipv6": lambda n: f"2001:db8:85a3::8a2e:{n:04x}:7334",
    "mac": lambda n: f"00:00:5e:00:{n // 256:02x}:{n % 256:02x}",
    "device id": lambda n: str(uuid.uuid5(uuid.NAMESPACE_DNS, f"device {n}")),
    "name": lambda n: f"Perpetua Q{_word(n)}",
    "address": lambda n: f"{n} Q{_word(n)} Hollow, Upper Snoring",
    "url": lambda n: f"https://intranet.example.net/u/q{_word(n)}?session={_word(n + 7)}",
    "secret": lambda n: f"sk_test_{hashlib.sha256(str(n).encode()).hexdigest()[:24]}",
    "web token": lambda n: f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{_word(n)}ifQ.c2lnbmF0dXJl{_word(n)}",
    "place": lambda n: f"52.5200{n:05d}, 13.4049{n:05d}",
    "birth date": lambda n: f"born 19{n % 60 + 10}-02-{n % 28 + 1:02d} ({_word(n)})",
    "free text": lambda n: f"please call Mrs Q{_word(n)} back about the rash",
    "hash of an e-mail": lambda n: hashlib.md5(f"quux.{n}@example.org".encode(), usedforsecurity=False).hexdigest(),
}  # fmt: skip

ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "plain": lambda v: v,
    "upper": str.upper,
    "percent": lambda v: quote(v, safe=""),
    "percent twice": lambda v: quote(quote(v, safe=""), safe=""),
    "base64": lambda v: base64.b64encode(f"x{v}".encode()).decode(),
    "hex": lambda v: v.encode().hex(),
    "html": lambda v: v.replace("@", "&#64;"),
    "json in text": lambda v: json.dumps({"to": v}),
}


def _property(name: str, shape: Callable[[str], Any] = lambda v: v) -> Callable[[Line, str], None]:
    return lambda line, value: line["properties"].__setitem__(name, shape(value))


def _context(name: str, shape: Callable[[str], Any] = lambda v: v) -> Callable[[Line, str], None]:
    return lambda line, value: line.setdefault("context", {}).__setitem__(name, shape(value))


def _top(name: str, shape: Callable[[str], Any] = lambda v: v) -> Callable[[Line, str], None]:
    return lambda line, value: line.__setitem__(name, shape(value))


_HOST = "https://shop.example.com"
PLACES: Mapping[str, tuple[str, Callable[[Line, str], None]]] = {
    "undeclared property": ("Order Completed", _property("note")),
    "sensitive property": ("Order Completed", _property("email")),
    "number": ("Order Completed", _property("amount")),
    "whole number": ("Order Completed", _property("items")),
    "bool": ("Order Completed", _property("gift")),
    "timestamp": ("Order Completed", _property("delivered_at")),
    "token": ("Order Completed", _property("version")),
    "id": ("Order Completed", _property("order_id")),
    "enum": ("Signed Up", _property("method")),
    "text": ("Page Viewed", _property("title")),
    "path of a url": ("Page Viewed", _property("url", lambda v: f"{_HOST}/p/{v}")),
    "query of a url": ("Page Viewed", _property("url", lambda v: f"{_HOST}/?email={v}")),
    "declared parameter of a url": ("Page Viewed", _property("url", lambda v: f"{_HOST}/?utm_source={v}")),
    "fragment of a url": ("Page Viewed", _property("url", lambda v: f"{_HOST}/#{v}")),
    "user of a url": ("Page Viewed", _property("url", lambda v: f"https://{v}@shop.example.com/")),
    "referrer": ("Page Viewed", _property("referrer", lambda v: f"https://mail.example.net/?to={v}")),
    "nested leaf": ("Page Viewed", _property("a", lambda v: {"b": [{"c": {"d": v}}]})),
    "list": ("Page Viewed", _property("with", lambda v: ["me", v])),
    "name of a property": ("Page Viewed", lambda line, value: line["properties"].__setitem__(value, True)),
    "key of a map": ("Page Viewed", _property("scores", lambda v: {v: 3})),
    "name of an event": ("Page Viewed", _top("event")),
    "user": ("Page Viewed", _top("userId")),
    "device": ("Page Viewed", _top("anonymousId")),
    "message id": ("Page Viewed", _top("messageId")),
    "account": ("Page Viewed", _context("groupId")),
    "user agent": ("Page Viewed", _context("userAgent", lambda v: f"ShopApp/2.1 ({v})")),
    "locale": ("Page Viewed", _context("locale")),
    "campaign": ("Page Viewed", _context("campaign", lambda v: {"name": v, "source": v})),
    "traits in context": ("Page Viewed", _context("traits", lambda v: {"email": v})),
    "key at the top": ("Page Viewed", lambda line, value: line.__setitem__(value, 1)),
    "oversized row": ("Page Viewed", _property("blob", lambda v: v + "x" * 1_200_000)),
}  # fmt: skip


@dataclass(frozen=True)
class Canary:
    """One planted value: what it is, how it is written, where."""

    type: str
    encoding: str
    place: str
    value: str

    @property
    def written(self) -> str:
        return ENCODINGS[self.encoding](self.value)

    def __str__(self) -> str:
        return f"{self.type}, {self.encoding}, in {self.place}"


def canaries() -> Iterator[Canary]:
    """Every type in every encoding, and every place, at least once; in the full run every type in every place."""
    numbers = iter(range(1, 10_000))

    def one(type_: str, encoding: str, place: str) -> Canary:
        # A declared parameter is open to labels, and a number of nine signs may be one: it is not recognised there.
        if type_ == "national id" and place == "declared parameter of a url":
            place = "query of a url"
        return Canary(type_, encoding, place, TYPES[type_](next(numbers)))

    everywhere = [place for place in PLACES if place != "oversized row"]
    places = cycle(everywhere)
    if os.environ.get("HEADWAY_FULL"):
        yield from (one(*each) for each in product(TYPES, ENCODINGS, everywhere))
    else:
        yield from (one(type_, encoding, next(places)) for type_, encoding in product(TYPES, ENCODINGS))
        yield from (one("e-mail", "plain", place) for place in everywhere)
        yield from (one("name", "plain", place) for place in everywhere)
    yield one("e-mail", "plain", "oversized row")
    yield one("secret", "plain", "oversized row")


def planted(shop: Shop) -> list[Canary]:
    """Writes a log with all canaries among the doings of usual people; returns what is in it."""
    found = list(canaries())
    lines: list[Line] = []
    for number, canary in enumerate(found):
        event, change = PLACES[canary.place]
        line = track(event, number % 3000, user=f"u{number % 40}", device=f"d{number % 40}", id=f"m{number}")
        change(line, canary.written)
        lines.append(line)
    usual = [
        track(event, 3 * n, user=f"u{n % 40}", device=f"d{n % 40}", id=f"usual-{event}-{n}", **more)
        for n in range(4 * len(found))
        for event, more in (("Page Viewed", {"url": f"{_HOST}/"}), ("Signed Up", {"method": "google"}))
    ]
    shop.land("2026-03-02.json.gz", [*lines, *usual])
    return found


MALFORMED: Mapping[str, Callable[[str], bytes]] = {
    "cut off": lambda v: f'{{"type": "track", "event": "Page Viewed", "userId": "{v}"'.encode(),
    "no json": lambda v: f"ERROR user {v} not found".encode(),
    "a list": lambda v: json.dumps([v]).encode(),
    "not utf-8": lambda v: b'{"userId": "\xff\xfe' + v.encode() + b'"}',
    "nul": lambda v: b'{"userId": "\x00' + v.encode() + b'"}',
    "lone surrogate": lambda v: f'{{"userId": "\\ud800{v}"}}'.encode(),
    "deep": lambda v: ('{"a":' * 5000 + json.dumps(v) + "}" * 5000).encode(),
    "no event": lambda v: json.dumps({"type": "track", "userId": v}).encode(),
    "impossible time": lambda v: json.dumps(
        {"type": "track", "event": "Page Viewed", "userId": "u1", "timestamp": v}
    ).encode(),
}


def planted_malformed(shop: Shop) -> list[Canary]:
    """Writes a log whose every line is broken, with a value in each, under a name that is personal."""
    found = [
        Canary("e-mail", "plain", f"malformed: {how}", TYPES["e-mail"](20_000 + n))
        for n, how in enumerate(MALFORMED)
    ]
    name = Canary("e-mail", "plain", "name of a file", TYPES["e-mail"](21_000))
    lines = [MALFORMED[each.place.removeprefix("malformed: ")](each.value) for each in found]
    shop.land(f"exports/{name.value}.json", lines)
    return [*found, name]


def planted_inputs(shop: Shop) -> list[Canary]:
    """Writes side inputs with a value in a cell, a column's name and a label."""
    values = [TYPES["e-mail"](22_000 + n) for n in range(4)]
    shop.workspace.inputs.mkdir(exist_ok=True)
    (shop.workspace.inputs / "spend.csv").write_text(
        f"day,channel,amount,currency,{values[0]}\n"
        f"2026-03-02,email,10,EUR,x\n2026-03-02,{values[1]},10,EUR,x\n2026-03-03,email,{values[2]},EUR,{values[3]}\n"
    )
    places = ("name of a column", "label of a side input", "number of a side input", "unread cell")
    return [Canary("e-mail", "plain", f"inputs: {p}", v) for p, v in zip(places, values, strict=True)]
