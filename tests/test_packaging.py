"""The wheel holds the two packages and nothing else, and works where there is no repository."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOTS = {"headway": "metrics", "headway_pipelines": "pipelines"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        check=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_installs_two_names(names: set[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == set(ROOTS)
    assert len(top) == 3


def test_every_tracked_file_of_the_packages_is_in_the_wheel(names: set[str]) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: nothing says which files are tracked")
    for package, root in ROOTS.items():
        listed = subprocess.run(
            ["git", "ls-files", "-z", f"{root}/{package}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        tracked = {n.removeprefix(f"{root}/") for n in listed.split("\0") if n and (ROOT / n).is_file()}
        assert len(tracked) > 30
        assert tracked - names == set()


def test_both_packages_are_typed_and_bring_what_they_read(names: set[str]) -> None:
    for package in ROOTS:
        assert f"{package}/py.typed" in names
    for ending in (".sql", ".yml", ".yaml", ".j2", ".css", ".js"):
        assert any(name.endswith(ending) for name in names), ending


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare environment with the wheel, far from the repository. Returns its folder of programs.

    The dependencies come from the environment of the tests, by a line in a .pth file: that puts its site-packages
    at the end of the path but does not read the .pth files in there, and one of those is what makes the editable
    install of this repository importable. So `headway` can only come from the wheel.
    """
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True
    )
    (site,) = folder.rglob("site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(program: Path, *arguments: str, cwd: Path) -> str:
    left = {k: v for k, v in os.environ.items() if not k.startswith(("HEADWAY_", "DAGSTER_", "PYTHONPATH"))}
    key = cwd.parent / f"{cwd.name}.key"
    if not key.exists():
        key.write_text(secrets.token_hex(32))
        key.chmod(0o600)
    done = subprocess.run(
        [str(program), *arguments],
        cwd=cwd,
        env={**left, "HEADWAY_KEY_FILE": str(key)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_the_installed_packages_are_the_wheels(installed: Path, elsewhere: Path) -> None:
    code = "import headway, headway_pipelines; print(headway.__file__); print(headway_pipelines.__file__)"
    files = run(installed / "python", "-c", code, cwd=elsewhere).splitlines()
    assert all(Path(file).is_relative_to(installed.parent) for file in files), files


def test_the_installed_command_says_what_it_can(installed: Path, elsewhere: Path) -> None:
    text = run(installed / "headway", "--help", cwd=elsewhere)
    assert all(command in text for command in ("demo", "init", "run", "dev", "check", "report"))


def test_the_installed_command_runs_a_demo_in_an_empty_folder(installed: Path, elsewhere: Path) -> None:
    printed = run(installed / "headway", "demo", "--people", "60", "--days", "14", cwd=elsewhere)
    assert "14 days changed" in printed or "15 days changed" in printed
    demo = elsewhere / "demo"
    for path in ("report/index.html", "published/analytics.duckdb", "warehouse/explore.duckdb"):
        assert (demo / path).is_file()
    assert [path.name for path in elsewhere.iterdir()] == ["demo"]
