"""Query texts lie beside the code that runs them; this reads them, and imports nothing heavy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from headway.errors import InputError


@cache
def load(package: str, name: str) -> str:
    """Reads the text of a query that lies beside the code of a package.

    Args:
        package: Importable package, for example ``"headway.insights"``.
        name: File name with or without ``.sql``.

    Returns:
        The text of the file.

    Raises:
        InputError: The package holds no such file.

    Examples:
        >>> load("headway.engine", "nothing")
        Traceback (most recent call last):
            ...
        headway.errors.InputError: unknown query 'nothing.sql'. Available: none.
    """
    folder = resources.files(package)
    file = name if name.endswith(".sql") else f"{name}.sql"
    if not folder.joinpath(file).is_file():
        present = [entry.name for entry in folder.iterdir() if entry.name.endswith(".sql")]
        raise InputError.unknown("query", file, present)
    return folder.joinpath(file).read_text(encoding="utf-8")
