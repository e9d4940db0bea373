"""Names and texts as YAML, for the files that `headway init` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def quoted(value: str | Sequence[str]) -> str:
    """Writes a text or a list of texts as YAML; JSON's quoting is also YAML's.

    Args:
        value: The text or the texts.

    Returns:
        YAML that is read as the same value.

    Examples:
        >>> quoted("Signed Up"), quoted("no"), quoted(["a", "b:c"])
        ('Signed Up', '"no"', '[a, "b:c"]')
    """
    if not isinstance(value, str):
        return f"[{', '.join(quoted(each) for each in value)}]"
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*( [A-Za-z0-9_]+)*", value)
    return value if plain and value.lower() not in _WORDS else json.dumps(value, ensure_ascii=False)
