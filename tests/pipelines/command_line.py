"""The command line in the process of the tests: importing Dagster and Great Expectations again takes seconds a time."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock


def run_here(
    *arguments: str, key_file: Path | None = None, cwd: Path | None = None, keep: bool = True
) -> CompletedProcess[str]:
    """Runs `headway` as a program of its own would: nothing it sets outlives it.

    Args:
        arguments: The command and its options.
        key_file: The key; None leaves the one that is set.
        cwd: The working directory; None leaves it.
        keep: Whether to keep what Python prints. A test with `capfd` does not want that: there, as in a program,
            it goes through the process's own output, which Dagster may capture.

    Returns:
        The exit code and what was printed, where it was kept.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # typer imports what click has deprecated
        from headway_pipelines import cli
    left = {k: v for k, v in os.environ.items() if k == "HEADWAY_KEY_FILE" or not _told(k)}
    told = {} if key_file is None else {"HEADWAY_KEY_FILE": str(key_file)}
    out, err = io.StringIO(), io.StringIO()
    mask, code = os.umask(0o077), 0
    try:
        with (
            mock.patch.dict(os.environ, left | told, clear=True),
            mock.patch.object(sys, "argv", ["headway", *arguments]),
            contextlib.chdir(cwd or Path.cwd()),
            contextlib.redirect_stdout(out if keep else sys.stdout),
            contextlib.redirect_stderr(err if keep else sys.stderr),
        ):
            cli.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os.umask(mask)
    return CompletedProcess(["headway", *arguments], code, out.getvalue(), err.getvalue())


def _told(name: str) -> bool:
    """Whether a variable of the environment tells the command line something."""
    return name.startswith(("HEADWAY_", "DAGSTER_"))
