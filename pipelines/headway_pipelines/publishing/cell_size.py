"""How few people nothing that is shown may speak of."""

from __future__ import annotations

from typing import Final

MIN_PEOPLE: Final = 10
"""No published cell speaks of fewer people (CMS cell size policy: 1 to 10 may be neither shown nor derivable)."""
