"""One small demo for all tests that need a workspace with results: built once, shared by parallel workers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from command_line import run_here
from filelock import FileLock
from hypothesis import settings

# Generated tests try the same examples every time; the full run looks for new ones. Neither is ever timed.
settings.register_profile("seeded", derandomize=True, database=None, deadline=None)
settings.register_profile("full", deadline=None)
settings.load_profile("full" if os.environ.get("HEADWAY_FULL") else "seeded")

PEOPLE, DAYS = 500, 30


@dataclass(frozen=True)
class DemoWorkspace:
    """A finished demo.

    Attributes:
        root: The workspace; the folder is called ``demo``, as `make demo` calls it.
        printed: What the command printed.
    """

    root: Path
    printed: str


Headway = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session", name="headway")
def headway_command() -> Headway:
    """This checkout's command line: ``headway("run", cwd=..., key_file=...)``."""
    return run_here


@pytest.fixture(scope="session")
def demo_workspace(tmp_path_factory: pytest.TempPathFactory) -> DemoWorkspace:
    """A demo of 500 people over 30 days. Read it, do not change it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-demo"
    printed = shared / "printed.txt"
    with FileLock(f"{shared}.lock"):
        if not printed.exists():
            shared.mkdir(exist_ok=True)
            key = shared / "demo.key"
            key.write_text(secrets.token_hex(32))
            key.chmod(0o600)
            done = run_here("demo", "--people", str(PEOPLE), "--days", str(DAYS), cwd=shared, key_file=key)
            assert done.returncode == 0, done.stderr
            printed.write_text(done.stdout)
    return DemoWorkspace(shared / "demo", printed.read_text())
