"""Turns rows into the lines a Segment export holds, a slice of a file at a time.

What is the same for many lines (a page, a browser, a school) is written once and looked up; what is different
in every line but always equally long (ids, times) is written into a byte matrix. Polars puts the pieces together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from headway_pipelines.demo import catalogue as cat
from headway_pipelines.demo.canaries import Canary, plant
from headway_pipelines.demo.clock import DAY, MINUTE, SECOND, Ints
from headway_pipelines.demo.mess import FIRST_CANARY, NOT_UTF8, change_line
from headway_pipelines.demo.properties import Piece, look_up, properties
from headway_pipelines.demo.rows import (
    EVENT_NAMES,
    IN_ACCOUNT,
    LOGGED_IN,
    SERVER_KINDS,
    UNDECLARED_NAMES,
    Kind,
    RowArray,
)
from headway_pipelines.demo.world import Trait, World

Bytes = NDArray[np.uint8]
_ZONE_CLIENT, _ZONE_SERVER = "Z", "+00:00"
_WEB = '"library":{"name":"analytics.js","version":"next-1.81.0"},'
_SERVER_CONTEXT = '"context":{"library":{"name":"analytics-python","version":"2.3.4"}'
#: Two bytes that are never UTF-8, as long as ``NOT_UTF8``.
DAMAGE = b"\xff\xfe"
# Clocks are wrong by up to three days, and that early lines may say so.
_DAYS_BEFORE = 6


@dataclass(frozen=True)
class Rendered:
    """Lines ready to be written.

    Attributes:
        text: All lines, each with its line end.
        begins: Where each line begins; one entry more than there are lines.
        damaged: Where ``NOT_UTF8`` stands, which no string type can hold: ``DAMAGE`` goes in its place.
    """

    text: memoryview
    begins: Ints
    damaged: list[int]

    def pieces(self, first: int, last: int) -> Iterator[bytes | memoryview]:
        """Gives the bytes of consecutive lines.

        Args:
            first: First line.
            last: One past the last line.

        Yields:
            Their bytes, in order.
        """
        at, end = int(self.begins[first]), int(self.begins[last])
        for hole in self.damaged:
            if at <= hole < end:
                yield self.text[at:hole]
                yield DAMAGE
                at = hole + len(NOT_UTF8)
        yield self.text[at:end]


class Renderer:
    """Renders rows of one world.

    Args:
        world: The world.
        canaries: Planted personal data, by special code from ``FIRST_CANARY`` on.
    """

    def __init__(self, world: World, canaries: tuple[Canary, ...]) -> None:
        self._world = world
        self._canaries = canaries
        self._day_text = _day_texts(world)
        self._minute_text = _table([f"{m // 60:02d}:{m % 60:02d}:" for m in range(24 * 60)])
        self._second_text = _table([f"{ms // 1000:02d}.{ms % 1000:03d}" for ms in range(60_000)])
        self._hex = np.frombuffer(b"".join(b"%02x" % i for i in range(256)), np.uint16)
        self._user_id = _user_ids(world, self._hex)
        self._school_names = school_names(world)
        self._school = pl.Series([json.dumps(name) for name in self._school_names])
        self._in_school = pl.Series([f',"groupId":{json.dumps(name)}' for name in self._school_names] + [""])
        self._context = pl.Series(_contexts())
        self._page = pl.Series(
            [_page(url, path, title, ref) for url, path, title in cat.PAGES for ref in cat.REFERRERS]
        )

    def render(self, rows: RowArray) -> Rendered:
        """Renders rows in the order given.

        Args:
            rows: Rows, a few ten thousand at a time.

        Returns:
            Their lines.
        """
        parts: list[pl.Series] = []
        order: list[Ints] = []
        for kind in Kind:
            index = np.flatnonzero(rows["kind"] == kind)
            if len(index):
                parts.append(self._lines(kind, rows.take(index)))
                order.append(index)
        back = np.argsort(np.concatenate(order))
        lines = self._special(rows, look_up(pl.concat(parts), back))
        array = lines.to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, data = array.buffers()
        text = memoryview(data)
        begins = np.frombuffer(offsets, np.int64, len(rows) + 1, array.offset * 8)
        damaged = []
        for i in np.flatnonzero(rows["special"]):
            at = bytes(text[begins[i] : begins[i + 1]]).find(NOT_UTF8.encode())
            if at >= 0:
                damaged.append(int(begins[i]) + at)
        return Rendered(text, begins, damaged)

    def _special(self, rows: RowArray, lines: pl.Series) -> pl.Series:
        index = np.flatnonzero(rows["special"])
        if not len(index):
            return lines
        changed = []
        for code, text in zip(rows["special"][index].tolist(), look_up(lines, index).to_list(), strict=True):
            canary = self._canaries[code - FIRST_CANARY] if code >= FIRST_CANARY else None
            changed.append(plant(canary, text[:-1]) if canary else change_line(code, text[:-1]))
        return lines.scatter(index, [text + "\n" for text in changed])

    def _lines(self, kind: Kind, rows: RowArray) -> pl.Series:
        pieces: list[Piece] = [*self._opening(kind, rows), self._fixed(rows, kind in SERVER_KINDS)]
        person = np.where(rows["flags"] & LOGGED_IN > 0, rows["person"], self._world.scenario.people)
        pieces.append(look_up(self._user_id, person))
        pieces += properties(self._world, kind, rows)
        if kind in SERVER_KINDS:
            pieces.append(_SERVER_CONTEXT)
        else:
            pieces.append(look_up(self._context, self._context_number(rows["device"])))
            pieces.append(look_up(self._page, _page_number(rows)))
        pieces.append(self._account(rows))
        pieces.append('},"integrations":{}}\n')
        return pl.select(pl.concat_str([pl.lit(piece) for piece in pieces]).alias("line")).to_series()

    def _opening(self, kind: Kind, rows: RowArray) -> list[Piece]:
        if kind == Kind.PAGE_VIEWED:
            return ['{"type":"page","name":', look_up(_PAGE_NAMES, rows["page"]), ","]
        if kind == Kind.IDENTIFY:
            return ['{"type":"identify",']
        if kind == Kind.GROUP:
            return ['{"type":"group","groupId":', self._account_ids(rows), ","]
        name = EVENT_NAMES.get(kind) or UNDECLARED_NAMES[kind]
        return [f'{{"type":"track","event":{json.dumps(name)},']

    def _fixed(self, rows: RowArray, server: bool) -> pl.Series:
        """Message id, device id and the four times: the same width in every line."""
        lat = rows["lat"].astype(np.int64) + rows["skew"]
        error = self._world.clock_error(rows["device"])
        sent = rows["recv"] - lat + error
        ids = [("messageId", self._uuid(rows["msg"], Trait.MESSAGE_ID))]
        if not server:
            ids.append(("anonymousId", self._uuid(rows["device"], Trait.DEVICE_ID)))
        zone = _ZONE_SERVER if server else _ZONE_CLIENT
        times = {
            "originalTimestamp": rows["ts"] - rows["lat"] + error,
            "sentAt": sent,
            "receivedAt": rows["recv"],
            # What Segment's server computes: receivedAt - (sentAt - originalTimestamp).
            "timestamp": rows["ts"] + rows["skew"],
        }
        fields = [*((name, value, "") for name, value in ids)]
        fields += [(name, self._instant(value), zone) for name, value in times.items()]
        return _join(fields, len(rows))

    def _instant(self, ms: Ints) -> Bytes:
        day, rest = np.divmod(ms - (self._world.clock.start - _DAYS_BEFORE * DAY), DAY)
        minute, inside = np.divmod(rest, MINUTE)
        return np.concatenate(
            [self._day_text[day], self._minute_text[minute], self._second_text[inside]], axis=1
        )

    def _uuid(self, number: NDArray[np.unsignedinteger], trait: Trait) -> Bytes:
        high = self._world.mix(number, trait)
        low = self._world.mix(high, trait)
        raw = np.stack([high, low], axis=1).view(np.uint8)
        text = self._hex[raw].view(np.uint8).reshape(len(number), 32)
        out = np.full((len(number), 36), ord("-"), np.uint8)
        for at, begin, end in ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32)):
            out[:, at : at + end - begin] = text[:, begin:end]
        return out

    def _context_number(self, device: NDArray[np.uint32]) -> Ints:
        parts = self._world.device_parts(device)
        browsers, locales = len(cat.USER_AGENTS), len(cat.LOCALES)
        number = (parts["ip"] * browsers + parts["browser"]) * locales + parts["locale"]
        bots = len(cat.IPS) * browsers * locales + device.astype(np.int64) % len(cat.BOT_AGENTS)
        return np.where(device >= self._world.first_bot_device, bots, number)

    def _account(self, rows: RowArray) -> Piece:
        inside = rows["flags"] & IN_ACCOUNT > 0
        if not inside.any():
            return ""
        school = self._world.may_have_school(rows["person"])
        number = np.where(inside & school, self._world.school(rows["person"]), len(self._school_names))
        texts = look_up(self._in_school, number)
        own = np.flatnonzero(inside & ~school)
        return (
            texts.scatter(own, self._own_accounts(rows["person"][own], ',"groupId":')) if len(own) else texts
        )

    def _account_ids(self, rows: RowArray) -> pl.Series:
        """Ids of the accounts of teachers, as JSON: of their school, or of their own."""
        person = rows["person"]
        texts = look_up(self._school, self._world.school(person))
        own = np.flatnonzero(~self._world.may_have_school(person))
        return texts.scatter(own, self._own_accounts(person[own])) if len(own) else texts

    def _own_accounts(self, person: NDArray[np.unsignedinteger], prefix: str = "") -> pl.Series:
        raw = self._world.mix(person, Trait.ACCOUNT).view(np.uint8).reshape(-1, 8)
        template = f'{prefix}"acc_0123456789abcdef"'.encode()
        matrix = np.tile(np.frombuffer(template, np.uint8), (len(person), 1))
        matrix[:, -17:-1] = self._hex[raw].view(np.uint8).reshape(-1, 16)
        return fixed_width(matrix)


def school_names(world: World) -> list[str]:
    """Names the schools of a world.

    Args:
        world: The world.

    Returns:
        Names by school number.
    """
    return [f"{cat.SCHOOLS[i % len(cat.SCHOOLS)]} {i // len(cat.SCHOOLS) + 1}" for i in range(world.schools)]


def user_id(world: World, person: int) -> str:
    """Gives the user id the log shows for a person.

    Args:
        world: The world.
        person: Person number.

    Returns:
        The id: 16 hex digits, or an e-mail address.
    """
    one = np.array([person])
    if world.has_e_mail_user_id(one)[0]:
        return e_mail(world, person)
    return f"u_{world.mix(one, Trait.USER_ID).tobytes().hex()}"


def e_mail(world: World, person: int) -> str:
    """Gives a person's e-mail address.

    Args:
        world: The world.
        person: Person number.

    Returns:
        An address at a reserved domain.
    """
    parts = world.person_parts(np.array([person]))
    first, last = cat.FIRST_NAMES[parts["first"][0]], cat.SURNAMES[parts["surname"][0]]
    return f"{first}.{last}.{person}@example.com".lower()


def fixed_width(matrix: Bytes) -> pl.Series:
    """Makes strings of equal length.

    Args:
        matrix: ASCII bytes, one row a string.

    Returns:
        The strings.
    """
    rows, width = matrix.shape
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int64) * width)
    data = pa.py_buffer(np.ascontiguousarray(matrix).reshape(-1))
    return pl.Series(pl.from_arrow(pa.LargeStringArray.from_buffers(rows, offsets, data)))


def _join(fields: list[tuple[str, Bytes, str]], rows: int) -> pl.Series:
    template = b""
    spans: list[tuple[int, Bytes]] = []
    for name, value, suffix in fields:
        template += f'"{name}":"'.encode()
        spans.append((len(template), value))
        template += b" " * value.shape[1] + f'{suffix}",'.encode()
    matrix = np.empty((rows, len(template)), np.uint8)
    matrix[:] = np.frombuffer(template, np.uint8)
    for begin, value in spans:
        matrix[:, begin : begin + value.shape[1]] = value
    return fixed_width(matrix)


def _table(texts: list[str]) -> Bytes:
    return np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1)


def _day_texts(world: World) -> Bytes:
    first = world.clock.start // DAY - _DAYS_BEFORE
    days = range(first, first + world.clock.days + 2 * _DAYS_BEFORE + 30)
    return _table([datetime.fromtimestamp(day * DAY // SECOND, UTC).strftime("%Y-%m-%dT") for day in days])


def _user_ids(world: World, hexes: NDArray[np.uint16]) -> pl.Series:
    """JSON pieces by person number; one more at the end for lines without a user."""
    person = np.arange(world.scenario.people)
    raw = world.mix(person, Trait.USER_ID).view(np.uint8).reshape(-1, 8)
    template = b'"userId":"u_0123456789abcdef",'
    matrix = np.tile(np.frombuffer(template, np.uint8), (len(person), 1))
    matrix[:, 12:28] = hexes[raw].view(np.uint8).reshape(-1, 16)
    texts = fixed_width(matrix)
    mails = np.flatnonzero(world.has_e_mail_user_id(person))
    texts = texts.scatter(mails, [f'"userId":"{e_mail(world, int(p))}",' for p in mails])
    return pl.concat([texts, pl.Series(['"userId":null,'])])


def _contexts() -> list[str]:
    people = [
        f'"context":{{"ip":"{ip}","userAgent":"{browser}","locale":"{locale}",{_WEB}'
        for ip in cat.IPS
        for browser in cat.USER_AGENTS
        for locale in cat.LOCALES
    ]
    bots = [
        f'"context":{{"ip":"{cat.IPS[0]}","userAgent":"{bot}","locale":"en-US",{_WEB}'
        for bot in cat.BOT_AGENTS
    ]
    return people + bots


def _page_number(rows: RowArray) -> Ints:
    return np.asarray(rows["page"].astype(np.int64) * len(cat.REFERRERS) + rows["ref"])


def _page(url: str, path: str, title: str, referrer: str) -> str:
    page = {"path": path, "referrer": referrer, "title": title, "url": url}
    return f'"page":{json.dumps(page, separators=(",", ":"))}'


_PAGE_NAMES = pl.Series([json.dumps(path.split("/")[1].capitalize() or "Home") for _, path, _ in cat.PAGES])
