r"""What a text says once it is decoded, round by round, within limits.

Percent, HTML entities, ``\u0040`` and ``\x40``, quoted-printable, base64 in both alphabets (also of what gzip or
zlib packed), base32, hexadecimal, bytes in decimal and letters set apart are undone wherever they stand in a text,
and again in what comes out. Three rounds and a budget of characters bound the work; what is still encoded after that
is reported as unreadable, so that nobody hides behind a fourth round.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from headway_pipelines.privacy.detection.views import View, view

ROUNDS = 3
BUDGET = 262_144
_MOST_TOKENS = 64

_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8}(?=;));?")
_ESCAPE = re.compile(
    r"(?:\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|%u[0-9A-Fa-f]{4}|\\[0-7]{3})+|\\[/\"'@]"
)
_ESCAPED = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}|[ux]([0-9A-Fa-f]{2,4})|([0-7]{3})")
#: One alone is a parameter's value more often, unless it stands for a sign of an address.
_QUOTED = re.compile(r"(?:=[0-9A-F]{2}){2,}|=(?:40|2[BDE]|3[AD]|5F)(?=[A-Za-z0-9])|=\r?\n")

#: Runs whose every part can be the encoding of letters, digits and signs that are printed: what chance seldom writes.
_BASE64 = re.compile(
    r"(?:[I-Za-f][C-HS-Xi-ny-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]){3,}"
    r"(?:[I-Za-f][A-Za-z0-9+/_-]{1,2})?"
)
_BASE64_REST = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:0[xX])?((?:[2-7][0-9A-Fa-f]){6,})(?![0-9A-Fa-f])")
#: Two bytes a character, of which one is nothing; eight bits a character.
_WIDE = re.compile(
    r"(?<![0-9A-Fa-f])(?:(?:[2-7][0-9A-Fa-f]00){6,}|(?:00[2-7][0-9A-Fa-f]){6,})(?![0-9A-Fa-f])"
)
_BITS = re.compile(r"(?<![0-9])0[01]{7}(?:[ ,]?0[01]{7}){7,}(?![0-9])")
_BASE32 = re.compile(r"(?<![A-Z0-9])[A-Z2-7]{16,}={0,6}(?![A-Z0-9])")
#: Bytes in pairs with something between: 67 72 69 7a ...
_SPACED = re.compile(r"(?<![0-9A-Fa-f])[2-7][0-9A-Fa-f](?:(?P<gap>[ ,:])[2-7][0-9A-Fa-f]){7,}(?![0-9A-Fa-f])")
#: The same in decimal, with the sign of an address among them: 97 108 105 99 101 64 ...
_CODES = r"(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])"
_DECIMAL = re.compile(
    rf"(?<![0-9.]){_CODES}(?:(?P<gap>[ ,;]{{1,2}}){_CODES}(?:(?P=gap){_CODES}){{6,}})(?![0-9.])"
)
#: Letters set apart: j o @ e x a m p l e . c o m
_APART = re.compile(r"(?<!\S)\S(?P<gap>[ _|-])\S(?:(?P=gap)\S){6,}(?!\S)")
#: How base64 of what gzip or zlib packed begins.
_PACKED = re.compile(r"(?<![A-Za-z0-9+/_-])(?:H4sI|eJ[w-z]|eN[o-r]|eA[E-H])[A-Za-z0-9+/_-]{12,}={0,2}")
_MOST_UNPACKED = 65_536
#: Dots and colons in brackets, as in reports of attacks, so that nobody clicks.
_BRACKETS = re.compile(r"(?<=[0-9A-Za-z])[\[({](?:\.|:|@|dot|DOT)[\])}](?=[0-9A-Za-z])")
#: One run of base64 over several lines.
_LINES = re.compile(r"(?<=[A-Za-z0-9+/_-]{4})\r?\n[ \t]?(?=[A-Za-z0-9+/_-]{4})")
_SHORTEST = 6


@dataclass
class Budget:
    """How much may still be decoded for one value.

    Attributes:
        left: Characters.
        tokens: Encoded runs.
        exceeded: Whether something had to be left unread.
    """

    left: int = BUDGET
    tokens: int = _MOST_TOKENS
    exceeded: bool = False

    def spend(self, size: int) -> bool:
        """Takes from the budget.

        Args:
            size: Characters about to be looked at.

        Returns:
            False when they do not fit; the value then counts as unreadable.
        """
        if size > self.left:
            self.exceeded = True
            return False
        self.left -= size
        return True


def unfold(first: View, budget: Budget) -> Iterator[View]:
    """Yields a text, then what it says once decoded, round by round.

    Args:
        first: The text.
        budget: What may be spent; `Budget.exceeded` says afterwards whether something stayed unread.

    Yields:
        Views, each of which leads back to the value as it came.
    """
    waiting = [(first, 0)]
    seen = {first.text}
    while waiting:
        current, depth = waiting.pop(0)
        yield current
        for following in _decoded(current, budget):
            if following.text in seen:
                continue
            if depth == ROUNDS or not budget.spend(len(following.text)):
                budget.exceeded = True
                continue
            seen.add(following.text)
            waiting.append((following, depth + 1))


def says_more(text: str) -> bool:
    """Says whether a text has something in it that is only seen once it is decoded.

    Args:
        text: The text.

    Returns:
        True also when there is more than the budget allows to look at.

    Examples:
        >>> says_more("dG8gZ3JpemVsZGFAZXhhbXBsZS5jb20="), says_more("ee393a6eb7a63bc8")
        (True, False)
    """
    budget = Budget()
    return len(list(islice(unfold(view(text), budget), 2))) > 1 or budget.exceeded


def _decoded(current: View, budget: Budget) -> Iterator[View]:
    text = current.text
    local = current
    for sign, pattern, decode in _LOCAL:
        if sign in local.text:
            local = _replaced(local, pattern, decode)
    if local is not current:
        yield local
    if "@" in text and len(text) > 12:
        apart = _replaced(current, _APART, lambda run: run[::2])
        if apart is not current:
            yield apart
    if "\n" in text and " " not in text:
        yield _replaced(current, _LINES, lambda _: "")
    if len(text) >= 12:
        yield from _tokens(current, budget)


def _percent(run: str) -> str | None:
    return _as_text(bytes.fromhex(run.replace("%", "")))


def _quoted(run: str) -> str | None:
    return "" if run[1] in "\r\n" else _as_text(bytes.fromhex(run.replace("=", "")))


def _entity(run: str) -> str | None:
    plain = html.unescape(run if run.endswith(";") else f"{run};")
    return plain if plain != run and not plain.endswith(";") else None


def _escape(run: str) -> str | None:
    if not _ESCAPED.search(run):
        return run[1:]
    units = [int(m[1] or m[2] or m[3], 8 if m[3] else 16) for m in _ESCAPED.finditer(run)]
    if max(units) > 0x10FFFF:
        return None
    joined = "".join(map(chr, units))
    return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _bracketed(run: str) -> str | None:
    return "." if len(run) > 3 else run[1]


_LOCAL: tuple[tuple[str, re.Pattern[str], Callable[[str], str | None]], ...] = (
    ("%", _PERCENT, _percent),
    ("&", _ENTITY, _entity),
    ("\\", _ESCAPE, _escape),
    ("%u", _ESCAPE, _escape),
    ("=", _QUOTED, _quoted),
    ("]", _BRACKETS, _bracketed),
    (")", _BRACKETS, _bracketed),
    ("}", _BRACKETS, _bracketed),
)


def _as_text(data: bytes) -> str | None:
    for encoding in ("utf-8", "latin-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _replaced(current: View, pattern: re.Pattern[str], decode: Callable[[str], str | None]) -> View:
    """A view with runs decoded in place; characters of a run all lead back to the whole run."""
    shown: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last = 0

    def copy(start: int, end: int) -> None:
        shown.append(current.shown[start:end])
        if current.starts is None or current.ends is None:
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
        else:
            starts.extend(current.starts[start:end])
            ends.extend(current.ends[start:end])

    for match in pattern.finditer(current.text):
        plain = decode(match[0])
        if plain is None:
            continue
        copy(last, match.start())
        start, end = current.span(*match.span())
        shown.append(plain)
        starts.extend([start] * len(plain))
        ends.extend([end] * len(plain))
        last = match.end()
    if last == 0:
        return current
    copy(last, len(current.text))
    return _through(View("", "".join(shown), starts, ends, decoded=True))


def _through(moved: View) -> View:
    """The view of a decoded text: made plain again, leading back through both steps."""
    again = view(moved.shown)
    if again.starts is None or again.ends is None:
        return View(again.text, again.shown, moved.starts, moved.ends, decoded=True)
    assert moved.starts is not None and moved.ends is not None
    starts = [moved.starts[at] for at in again.starts]
    ends = [moved.ends[at - 1] for at in again.ends]
    return View(again.text, again.shown, starts, ends, decoded=True)


def _tokens(current: View, budget: Budget) -> Iterator[View]:
    """Views of what encoded runs say; each of their characters leads back to the whole run."""
    for start, end, plain in _runs(current.text):
        if budget.tokens == 0:
            budget.exceeded = True
            return
        budget.tokens -= 1
        first, last = current.span(start, end)
        yield _through(View("", plain, [first] * len(plain), [last] * len(plain), decoded=True))


def _runs(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _HEX.finditer(text):
        digits = match[1][: len(match[1]) // 2 * 2]
        plain = _printable(bytes.fromhex(digits))
        # Digits that say digits: chance does that in short numbers only.
        if plain and not (plain.isdigit() and len(plain) < 10):
            yield match.start(), match.end(), plain
    for match in _WIDE.finditer(text):
        if plain := _printable(bytes.fromhex(match[0]).replace(b"\0", b"")):
            yield match.start(), match.end(), plain
    for match in _BITS.finditer(text):
        bits = re.sub("[ ,]", "", match[0])
        yield (
            match.start(),
            match.end(),
            "".join(chr(int(bits[at : at + 8], 2)) for at in range(0, len(bits), 8)),
        )
    for match in _SPACED.finditer(text):
        if plain := _printable(bytes.fromhex(re.sub(r"[ ,:]", "", match[0]))):
            yield match.start(), match.end(), plain
    if "64" in text:
        for match in _DECIMAL.finditer(text):
            codes = re.findall("[0-9]+", match[0])
            if "64" in codes:
                yield match.start(), match.end(), "".join(chr(int(code)) for code in codes)
    for match in _PACKED.finditer(text):
        if plain := _unpacked(match[0].rstrip("=")):
            yield match.start(), match.end(), plain
    end = 0
    for match in _BASE64.finditer(text):
        if match.start() < end:
            continue
        rest = _BASE64_REST.match(text, match.end())
        end = rest.end() if rest else match.end()
        if plain := _base64(text[match.start() : end].rstrip("=")):
            yield match.start(), end, plain
    for match in _BASE32.finditer(text):
        if plain := _base32(match[0].rstrip("=")):
            yield match.start(), match.end(), plain


def _base64(run: str) -> str | None:
    run = run[:-1] if len(run) % 4 == 1 else run
    padded = run.translate({ord("-"): "+", ord("_"): "/"}) + "=" * (-len(run) % 4)
    try:
        data = base64.b64decode(padded)
    except binascii.Error:  # pragma: no cover  (the pattern admits the alphabet only)
        return None
    if data[1::2].count(0) > len(data) // 3:
        return _printable(data.replace(b"\0", b""))
    return _printable(data)


def _unpacked(run: str) -> str | None:
    """What gzip or zlib packed, as far as the budget of a text goes."""
    try:
        packed = base64.b64decode(run.translate({ord("-"): "+", ord("_"): "/"}) + "=" * (-len(run) % 4))
        data = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(packed, _MOST_UNPACKED)
    except (binascii.Error, zlib.error):
        return None
    return _printable(data)


def _base32(run: str) -> str | None:
    try:
        return _printable(base64.b32decode(run + "=" * (-len(run) % 8)))
    except binascii.Error:
        return None


def _printable(data: bytes) -> str | None:
    """The bytes as text, where they are one: at least its beginning is printed."""
    plain = data.decode("utf-8", "replace")
    cut = next(
        (at for at, char in enumerate(plain) if char == "\ufffd" or (char < " " and char not in "\t\r\n")),
        len(plain),
    )
    return plain[:cut] if cut >= _SHORTEST else None
