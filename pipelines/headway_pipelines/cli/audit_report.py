"""What `headway audit` does without a sample: report, page, record of processing, proof."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from headway.errors import InputError

_out = Console(highlight=False)


def audit_report(
    root: Path,
    *,
    html: Path | None = None,
    as_json: bool = False,
    record: Path | None = None,
    proof: bool = False,
    console: Console | None = None,
) -> None:
    """Reports what a workspace keeps of people; prints it unless a page or a record is asked for.

    Args:
        root: The workspace folder.
        html: Where to write the audit as a page.
        as_json: Whether to print the audit as JSON.
        record: Where to write the record of processing: Markdown, or a page where the name ends with ``.html``.
        proof: Whether to make the proof first.
        console: Where to print; the terminal unless told.

    Raises:
        InputError: There is no such workspace, or a file cannot be written.
        typer.Exit: With 1, where a guard does not hold or the proof found something.
    """
    from headway_pipelines.audit import audit_workspace, guards, prove
    from headway_pipelines.workspace import Workspace

    out = console or _out
    workspace = Workspace.at(root)
    if proof:
        prove(workspace)
    audit = audit_workspace(workspace)
    if html is not None:
        from headway_pipelines.audit.page import audit_page

        _write(html, audit_page(audit), out)
    if record is not None:
        from headway_pipelines.audit.page import record_page
        from headway_pipelines.audit.record import record_of, record_text

        drawn = record_of(audit)
        page = record.suffix.lower() in (".html", ".htm")
        _write(record, record_page(drawn) if page else record_text(drawn), out)
    if as_json:
        out.print(json.dumps(asdict(audit), indent=2, sort_keys=True), markup=False, soft_wrap=True)
    elif html is None and record is None:
        from headway_pipelines.audit.show import show

        show(audit, out)
    found = audit.proof["hits"] if audit.proof else 0
    if found or not all(guards(audit).values()):
        raise typer.Exit(1)


def _write(path: Path, text: str, console: Console) -> None:
    """Exact counts are not for everybody: the file is its owner's alone."""
    target = path.expanduser().absolute()
    try:
        target.write_text(text, encoding="utf-8", newline="\n")
        target.chmod(0o600)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {type(error).__name__}. Name another file.") from None
    console.print(f"written         {target}", markup=False, soft_wrap=True)
