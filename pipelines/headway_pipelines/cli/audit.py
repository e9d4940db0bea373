"""``headway audit``: what a workspace keeps of its logs, and what detection makes of a team's own samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headway.errors import InputError

_HELP = """Report what came in and what was kept; with --sample, show what detection makes of your own rows.

The report says what was read, what was kept under which class and purpose, what was dropped and why, what is hidden
where it is published, and what the last proof found; its counts are exact. Exit code 1: a guard does not hold, or
the proof found something.

A sample is a file of JSON objects, one a line, with "key" (the property's name, dots for nesting) and "value" (any
JSON value); other members are ignored. With --json, one object a line is printed for each row, in the same order:
{"action": "keep" | "redact" | "drop", "types": [...], "cleaned": value or null}. keep: nothing was found, "cleaned"
is the value. redact: "cleaned" is the value with a placeholder such as [email] for each part that looks personal.
drop: the value cannot be kept in part. Without --json, counts are printed and no value. Exit code 1: some rows could
not be read.
"""


def audit(
    sample: Annotated[
        Path | None,
        typer.Option("--sample", metavar="FILE", help="Rows to test, as JSON lines; - for standard input."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", metavar="FILE", help="Write a record of processing (Art. 30 GDPR): .md or .html."
        ),
    ] = None,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove", help="Look for what the raw logs hold of people in everything else, byte by byte."
        ),
    ] = False,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="HEADWAY_WORKSPACE")
    ] = Path(),
) -> None:
    """Report what came in and what was kept; with --sample, test detection on your own rows."""
    if sample is None:
        from headway_pipelines.cli.audit_report import audit_report

        audit_report(workspace, html=html, as_json=as_json, record=record, proof=prove)
        return
    if html is not None or record is not None or prove:
        raise InputError("--sample tests rows of a file; --html, --record and --prove report on a workspace")
    from headway_pipelines.privacy.detection.samples import audit_sample

    if audit_sample(sample, as_json=as_json):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Adds the command to the command line.

    Args:
        app: The command line.
    """
    app.command(help=_HELP)(audit)
