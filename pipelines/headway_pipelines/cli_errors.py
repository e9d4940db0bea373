"""What the command line says when something unforeseen happens."""

from __future__ import annotations

import traceback
from pathlib import Path

import click
from rich.console import Console


def explain(error: Exception, console: Console) -> int:
    """Prints a mistake in the arguments, or where an internal fault happened without quoting any value.

    Args:
        error: What was raised.
        console: Where to print.

    Returns:
        The exit code.
    """
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames[-4:]))
    console.print(f"headway: internal fault: {type(error).__name__} at {place}", markup=False)
    console.print(
        "The message is withheld because it may quote data. The previous state is intact.", markup=False
    )
    return 3
