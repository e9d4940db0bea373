"""Names and labels that may be shown: of events, properties and files from the wild, of cells in side inputs.

They are few, and losing one is harmless: what either a wide pattern or detection takes for personal is not shown.
"""

from __future__ import annotations

import re

from headway_pipelines.privacy.detection.texts import find

#: E-mail (also percent-encoded), IPv4, 13 to 19 digits as on a payment card, phone number, social security number,
#: hardware address, IPv6, JSON web token.
PERSONAL = (
    r"(?i)[^\s@/?&=]+(?:@|%40)[^\s@/?&=]+\.[a-z]{2,}"
    r"|(?:^|[^0-9.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    r"(?:[^0-9.]|\.[^0-9]|\.?$)"
    r"|(?:[0-9][ -]?){12,18}[0-9]"
    r"|\+[0-9][0-9 ().-]{7,}[0-9]"
    r"|\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}"
    r"|\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"
    r"|\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b"
    r"|\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){2,6}:[0-9a-f]{1,4}\b|\bf[cde][0-9a-f]{2}::[0-9a-f]"
    r"|eyJ[a-z0-9_-]{8,}\."
)

_PERSONAL = re.compile(PERSONAL)
_SAFE_NAME = re.compile(r"[A-Za-z$][A-Za-z0-9_.$:/ -]{0,63}")
_LONG_SECRET = re.compile(r"[A-Fa-f0-9]{24,}|[A-Za-z0-9+/_-]{40,}")

#: Digits with no more than two other signs between them, also across folders: what a telephone number may look like.
_DIGITS = re.compile(r"[0-9](?:[^A-Za-z0-9]{0,2}[0-9])*")
_SHORTEST_PHONE = 7

_COUNTER = r"000+[0-9]{0,6}"
_TIME = r"(?:[01]?[0-9]|2[0-3])(?:[-_.:/]?[0-5][0-9](?:[-_.:/]?[0-5][0-9](?:\.[0-9]{1,6})?)?)?"
_YEAR, _MONTH, _DAY = r"(?:19|20)[0-9]{2}", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12][0-9]|3[01])"
_DATE = "(?:" + "|".join(f"{_YEAR}{sep}{_MONTH}{sep}{_DAY}" for sep in ("-", "_", r"\.", "/")) + ")"
_SHORT_DATE = f"{_YEAR}{_MONTH}{_DAY}"
_GAP = "[-_./# ]"

#: Long runs of digits that are known for dates, times and counters. All others may be somebody's number.
_EXPORT_NUMBER = re.compile(
    # numbers of a project, dates, hours, counters: 187520_2026-03-01_00#001, 2026-03-01-12-30-00, 2026/03/01/09/0001
    rf"(?:[0-9]{{1,6}}{_GAP})?{_DATE}(?:{_GAP}{_TIME})?(?:{_GAP}{_DATE}(?:{_GAP}{_TIME})?)?(?:{_GAP}[0-9]{{1,6}})?"
    # beside a date without hyphens stand only dates, times and counters: 030-20251231 is a telephone number
    rf"|{_SHORT_DATE}(?:{_GAP}?{_SHORT_DATE})?(?:{_GAP}{_TIME})?(?:{_GAP}(?:{_COUNTER}|[0-9]{{1,3}}))?"
    rf"|{_YEAR}[-_./]?{_MONTH}/[0-9]{{1,6}}"
    rf"|{_COUNTER}(?:{_GAP}(?:{_COUNTER}|[0-9]{{1,3}}))*"
    r"|[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{1,6}"
)


def looks_personal(text: str) -> bool:
    """Says whether a name or label holds something that looks like personal data.

    Args:
        text: The text; names of people are not looked for.

    Returns:
        True when the pattern or a detector fires.

    Examples:
        >>> looks_personal("grizelda@example.com"), looks_personal("spring_sale")
        (True, False)
        >>> looks_personal("Z3JpemVsZGFAZXhhbXBsZS5jb20=")
        True
    """
    return _PERSONAL.search(text) is not None or bool(find(text, prose=False))


def safe_name(name: str) -> bool:
    """Says whether a name met in a log may be shown: short, plain, nothing personal or secret in it.

    Args:
        name: Name of an event, property or file.

    Returns:
        True when it may be shown.

    Examples:
        >>> safe_name("Coupon Entered"), safe_name("grizelda@example.com")
        (True, False)
    """
    return bool(_SAFE_NAME.fullmatch(name)) and not looks_personal(name) and not _LONG_SECRET.search(name)


def safe_path(path: str) -> bool:
    """Says whether a path met under ``raw/`` may be shown: as names are, and its parts may begin with a date or number.

    A run of seven digits or more may be a telephone number, however its groups are set apart. Only what is known for a
    date, a time or a counter is shown.

    Args:
        path: The path, with forward slashes.

    Returns:
        True when it may be shown.

    Examples:
        >>> safe_path("2026-03-02/events-00.json.gz"), safe_path("customers/0171-2345678.json")
        (True, False)
    """
    checked = _DIGITS.sub(_known_number, path)
    # The hyphen keeps the number a word of its own for the detector.
    return all(safe_name(f"n-{part}" if part[:1].isdigit() else part) for part in checked.split("/"))


def _known_number(digits: re.Match[str]) -> str:
    """Writes 0 for the digits of dates and counters, and what no name may hold for digits that may be somebody's."""
    run = digits[0]
    if sum(map(str.isdigit, run)) < _SHORTEST_PHONE:
        return run.replace("#", "-")
    return "0" if _EXPORT_NUMBER.fullmatch(run) else "?"
