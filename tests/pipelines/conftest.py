"""Fixtures of the pipeline's tests."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from shop import Shop


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
