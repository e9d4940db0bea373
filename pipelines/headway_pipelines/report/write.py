"""Writes the report folder: built beside the old one, then swapped in."""

from __future__ import annotations

import secrets
import shutil
from importlib import resources
from pathlib import Path

from headway.errors import InputError
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

_STATIC = ("report.css", "report.js")


def write_report(workspace: Workspace) -> Path:
    """Writes the report from the published database, and the page of privacy from what the workspace says of itself.

    The folder is complete at every moment a reader can see it: a failure leaves the old one as it was. The caller
    holds the workspace's lock.

    Args:
        workspace: The workspace.

    Returns:
        The page to open.

    Raises:
        InputError: Nothing has been published yet.
    """
    if not workspace.published_db.is_file():
        raise InputError(
            "nothing has been published yet, so there is nothing to report. Run 'headway run' first."
        )
    # Templates and charts load only where a report is written: every command imports this package.
    from headway_pipelines.audit.shared import privacy_account
    from headway_pipelines.report.pages import render

    pages = render(tables_of(workspace.published_db), privacy_account(workspace))
    folder = workspace.report
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        _fill(temporary, pages)
        _swap(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder / "index.html"


def _fill(folder: Path, pages: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    static = resources.files("headway_pipelines.report") / "static"
    for name in _STATIC:
        (folder / name).write_bytes((static / name).read_bytes())
    (folder / "plotly.min.js").write_bytes(_plotly())
    for path in folder.iterdir():
        path.chmod(0o644)
        sync_file(path)
    # Like the published database, and unlike the rest of the workspace, the report may be shown to others.
    folder.chmod(0o755)
    sync_folder(folder)


def _plotly() -> bytes:
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def _swap(new: Path, folder: Path) -> None:
    """Two renames: there is no portable exchange of folders. Should the second fail, the first is undone."""
    old = folder.with_name(f".{folder.name}.old")
    existed = folder.exists()
    if existed:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if existed:
            old.rename(folder)
        raise
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(folder: Path) -> None:
    """Clears what a killed run left; puts the old report back if it was killed between the two renames."""
    old = folder.with_name(f".{folder.name}.old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
