"""How data moves: from raw logs through the privacy gate to metrics and reports."""
