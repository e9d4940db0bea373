"""The whole demo a day later: everything it publishes is computed, held back and published a second time."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headway_pipelines.publishing.publish import published_tables
from headway_pipelines.workspace import Workspace


@pytest.fixture(scope="module")
def twice(demo_workspace: Any, headway: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo, run again after a day that repeats the last one's calls with ids of their own."""
    root: Path = tmp_path_factory.mktemp("again") / "demo"
    shutil.copytree(demo_workspace.root, root)
    last = max(folder.name for folder in (root / "raw").iterdir())
    tomorrow = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    (root / "raw" / tomorrow).mkdir()
    for file in (root / "raw" / last).glob("*.gz"):
        text = gzip.decompress(file.read_bytes()).replace(last.encode(), tomorrow.encode())
        text = re.sub(rb'("messageId": ?")', rb"\1again-", text)
        (root / "raw" / tomorrow / file.name).write_bytes(gzip.compress(text))
    done = headway("run", "--workspace", str(root), key_file=demo_workspace.root.parent / "demo.key")
    assert (done.returncode, done.stderr) == (0, "")
    return root


def published(root: Path) -> dict[str, pl.DataFrame]:
    return {name: frame.collect() for name, frame in _lazy(root).items()}


def _lazy(root: Path) -> dict[str, pl.LazyFrame]:
    return {name: frame.lazy() for name, frame in published_tables(Workspace.at(root).published_db).items()}


def test_a_day_later_everything_is_published_again(demo_workspace: Any, twice: Path) -> None:
    before, after = published(demo_workspace.root), published(twice)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name].height and not after[name].height} == set()
    horizon = [tables["run_info"]["horizon"].item() for tables in (before, after)]
    assert horizon[0] < horizon[1]


def test_no_number_of_people_says_how_few_came_since(demo_workspace: Any, twice: Path) -> None:
    before, after = published(demo_workspace.root), published(twice)
    keys = ["metric", "framework", "stage", "segment", "period", "period_start"]
    both = before["metric_values"].join(after["metric_values"], on=keys, suffix="_then")
    apart = (both["people"] - both["people_then"]).abs().drop_nulls()
    assert apart.len() > 100
    assert apart.filter(apart.is_between(1, 9)).is_empty()
