"""The second line: values and names that look personal although they were declared harmless.

The first line is the tracking plan. This pattern only guards the classes that stay open (tokens, query parameters,
names from the wild). It is one RE2 alternation, because one pass is several times faster than many.
"""

from __future__ import annotations

import re

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

#: A date without hyphens has eight digits, a telephone number has more.
_LONG_NUMBER = re.compile(r"[0-9]{9,}")


def looks_personal(text: str) -> bool:
    """Says whether a text holds something that looks like personal data.

    Args:
        text: The text.

    Returns:
        True when the pattern fires.

    Examples:
        >>> looks_personal("grizelda@example.com"), looks_personal("spring_sale")
        (True, False)
    """
    return _PERSONAL.search(text) is not None


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

    Args:
        path: The path, with forward slashes.

    Returns:
        True when it may be shown.

    Examples:
        >>> safe_path("2026-03-02/events-00.json.gz"), safe_path("customers/2025550143.json")
        (True, False)
    """
    return all(
        safe_name(part)
        # The hyphen keeps the number a word of its own for the detector.
        or (part[:1].isdigit() and safe_name(f"n-{part}") and not _LONG_NUMBER.search(part))
        for part in path.split("/")
    )
