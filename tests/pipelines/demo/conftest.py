"""Two small simulated workspaces, shared by all tests of the demo: the usual one and a much messier one."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from demo_reading import Reading, read
from ruamel.yaml import YAML

from headway_pipelines.demo import Scenario, Truth, simulate_scenario

SCENARIOS = {
    "usual": Scenario(people=300),
    "messy": Scenario(
        people=300,
        seed=12,
        shared_device=0.4,
        second_device=0.8,
        e_mail_user_id=0.5,
        wrong_clock=0.5,
        late=0.1,
        retry=0.2,
        violation=0.05,
        malformed=0.02,
        bots=0.05,
    ),
}


@pytest.fixture(scope="session", params=SCENARIOS)
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lectern")
    simulate_scenario(folder, SCENARIOS[request.param])
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


@pytest.fixture(scope="session")
def reading(workspace: Path, files: dict[str, bytes]) -> Reading:
    return read(workspace, files)


@pytest.fixture(scope="session")
def product(workspace: Path) -> dict[str, Any]:
    yaml = YAML(typ="safe")
    loaded: dict[str, Any] = yaml.load(workspace / "product.yml")
    # Of the other files of metrics the truth is of another form, but for what newcomers do.
    loaded["metrics"] |= yaml.load(workspace / "metrics" / "newcomers.yml")
    return loaded
