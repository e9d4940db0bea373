"""The core of an IAB TCF v2 string: which purposes were consented to.

Source: IAB Tech Lab, Transparency and Consent String with Global Vendor & CMP List Formats, version 2, "Core string":
base64url without padding; the version is bits 0-5, the 24 bits of purposes consented to begin at bit 152.
"""

from __future__ import annotations

import base64
import binascii
import re

_VERSION = 2
_PURPOSES_FROM, _PURPOSES = 152, 24
_TEXT = re.compile(r"[A-Za-z0-9_-]+")
#: The core segment ends after publisher restrictions; ranges of vendors may make it long, but not endless.
_LONGEST = 1 << 16


def consented_purposes(text: str) -> int | None:
    """Reads the purposes out of a TCF string.

    Args:
        text: The string, its first segment being the core.

    Returns:
        A number whose bit n - 1 says that purpose n was consented to; None where the string cannot be read, is of
        another version or ends early.

    Examples:
        >>> consented_purposes("COw4XqLOw4XqLAAAAAENAXCAAAAAAAAAAAAAAAAAAAAA")
        0
        >>> consented_purposes("BOw4XqLOw4XqL") is None
        True
    """
    core = text.strip()[:_LONGEST].split(".", 1)[0]
    if not _TEXT.fullmatch(core):
        return None
    try:
        data = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4))
    except (binascii.Error, ValueError):
        return None
    if 8 * len(data) < _PURPOSES_FROM + _PURPOSES or data[0] >> 2 != _VERSION:
        return None
    bits = int.from_bytes(data[_PURPOSES_FROM // 8 : (_PURPOSES_FROM + _PURPOSES) // 8])
    # purpose 1 is the first bit as written
    return sum(1 << n for n in range(_PURPOSES) if bits >> (_PURPOSES - 1 - n) & 1)
