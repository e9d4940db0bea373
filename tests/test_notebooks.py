"""Every notebook runs from its first cell to its last, in a fresh kernel."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Protocol

import nbformat
import pytest
from nbclient import NotebookClient

from headway_pipelines.privacy.proof import scan

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


class Demo(Protocol):
    """The fixture `demo_workspace`."""

    root: Path


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# The kernel's event loop and its sockets are closed by the client a little after the test is over.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_notebook_runs(
    path: Path, demo_workspace: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(demo_workspace.root))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "metrics"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    # `python3` is the kernel that ipykernel brings with this interpreter.
    assert notebook.metadata.kernelspec.name == "python3" and sys.executable
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    errors = [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
    assert errors == []
    shown = [o for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    charts = [o for o in shown if "application/vnd.plotly.v1+json" in o["data"]]
    assert len(charts) >= 5
    # nothing personal of the log is in what a notebook shows
    planted = json.loads((demo_workspace.root / "truth.json").read_text(encoding="utf-8"))["personal_data"]
    nbformat.write(notebook, tmp_path / "executed.ipynb")
    assert scan([tmp_path / "executed.ipynb"], sorted({each["value"] for each in planted})) == []
    # the last result: the query of a number gives the number again
    assert any(o["data"].get("text/plain") == "True" for o in shown)
