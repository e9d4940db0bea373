"""Progress bars on long work: on a terminal only, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

Update = Callable[[int, int], None]
"""Called with what is done and what there is in all."""


@contextmanager
def bytes_progress(label: str) -> Iterator[Update]:
    """Shows a bar that counts bytes.

    Args:
        label: What is being done.

    Yields:
        A function of bytes done and bytes in all.
    """
    with _bar(label, DownloadColumn()) as update:
        yield update


@contextmanager
def counted_progress(label: str) -> Iterator[Update]:
    """Shows a bar that counts anything else.

    Args:
        label: What is being done.

    Yields:
        A function of the number done and the number in all.
    """
    with _bar(label, TextColumn("{task.percentage:>3.0f} %")) as update:
        yield update


@contextmanager
def _bar(label: str, counter: ProgressColumn) -> Iterator[Update]:
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), counter, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
