"""Fixtures of the pipeline's tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from planted import SCENARIO, Computed, DemoWorkspace, computed
from shop import Shop

from headway_pipelines.demo import simulate_scenario


@pytest.fixture(autouse=True)
def key_outside_the_workspace(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Every test has its own key, never the user's."""
    path = tmp_path_factory.mktemp("keys") / "test.key"
    path.write_text(secrets.token_hex(32))
    path.chmod(0o600)
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


@pytest.fixture(scope="session")
def exact(tmp_path_factory: pytest.TempPathFactory, headway: Callable[..., Any]) -> Computed:
    """The world without shared devices, read by the pipeline; built once, shared by parallel workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-truth"
    with FileLock(f"{shared}.lock"):
        if not (shared / "done").exists():
            root = shared / "world"
            root.mkdir(parents=True)
            key = shared / "world.key"
            key.write_text(secrets.token_hex(32))
            key.chmod(0o600)
            simulate_scenario(root, SCENARIO)
            done = headway("run", "--workspace", str(root), cwd=shared, key_file=key)
            assert (done.returncode, done.stderr) == (0, "")
            (shared / "done").touch()
    return computed(shared / "world")


@pytest.fixture(scope="session")
def usual(demo_workspace: DemoWorkspace) -> Computed:
    """The demo as everybody sees it, with shared devices and crawlers."""
    return computed(demo_workspace.root)
