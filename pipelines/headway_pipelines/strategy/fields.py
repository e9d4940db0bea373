"""What the fields of a frozen bet are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_FIELDS: Final[Mapping[str, str]] = {
    "metric": "its metric", "segment": "its segment", "direction": "which way is good",
    "definition_hash": "the definition of its metric", "scale": "its scale", "expect": "the effect thought likeliest",
    "low": "the lower end", "high": "the upper end", "confidence": "the confidence in the range",
    "probability": "the probability of a hit", "start": "the start of work", "horizon": "its horizon",
    "release": "its release", "experiment": "its experiment", "guardrails": "its guardrails", "team": "its team",
    "initiative": "its initiative",
}  # fmt: skip
"""Field of a frozen bet -> what it is called."""


def changed_fields(names: Iterable[str]) -> str:
    """Says which parts of a bet were written otherwise.

    Args:
        names: Fields of the bet.

    Returns:
        Their names for people, joined by commas.

    Examples:
        >>> changed_fields(["low", "definition_hash"])
        'the lower end, the definition of its metric'
    """
    return ", ".join(_FIELDS.get(each, each) for each in names)
