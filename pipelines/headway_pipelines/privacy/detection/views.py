"""Texts as they are matched: normalised, folded and decoded, with the way back to where each character stood.

A value may be written so that no pattern sees it: full-width or Arabic digits, letters of another script that look
the same, characters that show nothing, encodings inside encodings. A view is such a value made plain. It is used for
matching only: what is stored or shown is the value as it came, and the view says which part of it a match covers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝАВЕКМНОРСТХУІЈЅοαινρκυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɡɑօոս‐‑‒–—―−﹣։∶。·∙⁄∕’‘ʼ“”„«»",
    'aeopcyxijshdqwABEKMHOPCTXYIJSoaivpkuxABEZHIKMNOPTYXigaonu--------::...//\'\'\'"""""',
)
_CLUSTER_MOST = 8
_KEPT_CONTROLS = "\t\n\r"


@dataclass(frozen=True, slots=True)
class View:
    """A text to match, and where its characters came from.

    Attributes:
        text: The text, folded for matching.
        shown: The same text before letters that look alike were folded; as long as `text`.
        starts: Where each character began in the value as it came; None where nothing moved.
        ends: Where each character ended there; None where nothing moved.
        decoded: Whether a decoding led here.
    """

    text: str
    shown: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None
    decoded: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Says which part of the value as it came a part of this view covers.

        Args:
            start: First character.
            end: Behind the last character.

        Returns:
            Start and end in the value as it came, in code points.
        """
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end or start >= len(self.starts):
            return (0, 0)
        return self.starts[start], self.ends[min(end, len(self.ends)) - 1]


def view(text: str) -> View:
    r"""Makes a value plain without decoding it.

    Args:
        text: The value.

    Returns:
        Its view: compatibility characters resolved, what shows nothing removed, digits of all scripts as ASCII.

    Examples:
        >>> view("ｊｏ\u200b＠example．com").text
        'jo@example.com'
        >>> view("a\u00adb").span(0, 2)
        (0, 3)
    """
    if text.isascii() and text.isprintable():
        return View(text, text)
    shown: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, cluster in _clusters(text):
        for plain in unicodedata.normalize("NFKC", cluster):
            if _invisible(plain):
                continue
            shown.append(plain)
            starts.append(start)
            ends.append(end)
    joined = "".join(shown)
    return View(fold(joined), joined, starts, ends)


def fold(text: str) -> str:
    """Writes letters that look like Latin ones, and digits of any script, as ASCII, one for one.

    Args:
        text: The text.

    Returns:
        A text of the same length.
    """
    if text.isascii():
        return text
    folded = text.translate(_LOOKALIKES)
    return folded if folded.isascii() else "".join(map(_digit, folded))


def _digit(char: str) -> str:
    value = unicodedata.decimal(char, None) if char > "\x7f" else None
    return char if value is None else str(value)


def _clusters(text: str) -> Iterator[tuple[int, int, str]]:
    """Each character with the marks that stand on it, so that both can be composed."""
    start = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and unicodedata.combining(text[at]):
            continue
        yield start, at, text[start : min(at, start + _CLUSTER_MOST)]
        start = at


def _invisible(char: str) -> bool:
    if char in _KEPT_CONTROLS:
        return False
    # Format and control characters, and halves of surrogate pairs.
    return (
        unicodedata.category(char) in ("Cf", "Cc", "Cs") or "\ufe00" <= char <= "\ufe0f" or char == "\u034f"
    )
