"""One small simulated workspace, shared by all tests of the demo."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from headway_pipelines.demo import Truth, simulate

PEOPLE = 300


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lectern")
    simulate(folder, people=PEOPLE)
    return folder


@pytest.fixture(scope="session")
def truth(workspace: Path) -> Truth:
    return Truth.read(workspace / "truth.json")


@pytest.fixture(scope="session")
def files(workspace: Path) -> dict[str, bytes]:
    """Unpacked content of every raw file by its path below ``raw/``, in order of names."""
    raw = workspace / "raw"
    return {
        path.relative_to(raw).as_posix(): gzip.decompress(path.read_bytes())
        for path in sorted(raw.rglob("*.json.gz"))
    }
