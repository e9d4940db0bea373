"""What the command line says when something goes wrong, and the exit code it leaves with."""

from __future__ import annotations

import click
from rich.console import Console

from headway_pipelines.faults import InternalFault, in_words, place_of


def explain(error: Exception, console: Console) -> int:
    """Prints what went wrong in a sentence; where an internal fault happened, without quoting any value.

    Args:
        error: What was raised.
        console: Where to print.

    Returns:
        The exit code: 2 for what the user can mend, 3 for an internal fault.
    """
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, OSError) and error.filename is not None and not isinstance(error, BlockingIOError):
        # The path is the user's own; the text of an OSError holds nothing else.
        words = in_words(error)
        text = f"{error.strerror}: {error.filename}" if isinstance(words, InternalFault) else f"{words}"
        console.print(f"headway: {text}", markup=False)
        return 2
    words = in_words(error)
    if not isinstance(words, InternalFault):
        console.print(f"headway: {words}", markup=False)
        return 2
    told = (
        str(error) if isinstance(error, InternalFault) else f"{type(error).__name__} at {place_of(error, 4)}"
    )
    console.print(f"headway: internal fault: {told}", markup=False)
    console.print(
        "Messages are withheld because they may quote data. The previous state is intact.", markup=False
    )
    return 3
