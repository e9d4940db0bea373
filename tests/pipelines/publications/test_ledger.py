"""The publication ledger: append-only, checksummed, and refused when something in it was changed."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from headway.errors import HeadwayError
from headway_pipelines.publications import PublicationLedger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "publications"
    ledger = PublicationLedger(folder)
    for day, value in ((2, 40), (3, 52)):
        ledger.append(datetime(2026, 3, day), {"active_people": pl.DataFrame({"value": [value]})})
    return folder


def test_every_release_is_kept(folder: Path) -> None:
    ledger = PublicationLedger(folder)
    assert [(each.number, each.at, dict(each.cells)) for each in ledger.releases] == [
        (1, "2026-03-02T00:00:00", {"active_people": 1}),
        (2, "2026-03-03T00:00:00", {"active_people": 1}),
    ]
    assert ledger.cells("active_people").rows() == [(40, 1), (52, 2)]
    assert ledger.cells("active_people", until=datetime(2026, 3, 2, 12))["value"].to_list() == [40]
    assert ledger.cells("funnel_steps").is_empty()


def test_nothing_is_written_where_nothing_is_new(folder: Path) -> None:
    before = sorted(folder.iterdir())
    PublicationLedger(folder).append(datetime(2026, 3, 4), {"active_people": pl.DataFrame({"value": []})})
    assert sorted(folder.iterdir()) == before


def test_only_the_owner_can_read_it(folder: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_write_that_was_cut_off_before_the_index_is_made_again(folder: Path) -> None:
    (folder / "000003-active_people.parquet").write_bytes(b"half")
    PublicationLedger(folder).append(datetime(2026, 3, 4), {"active_people": pl.DataFrame({"value": [70]})})
    assert PublicationLedger(folder).cells("active_people")["value"].to_list() == [40, 52, 70]


@pytest.mark.parametrize("damage", ["cells", "line", "order", "file missing", "index missing", "no json"])
def test_what_was_changed_is_refused(folder: Path, damage: str) -> None:
    index, file = folder / "releases.jsonl", folder / "000001-active_people.parquet"
    lines = index.read_text().splitlines()
    if damage == "cells":
        file.write_bytes(file.read_bytes().replace(b"value", b"other"))
    elif damage == "file missing":
        file.unlink()
    elif damage == "index missing":
        index.unlink()
    else:
        changed = {
            "line": [lines[0].replace("03-02", "03-01"), lines[1]],
            "order": [lines[1], lines[0]],
            "no json": ["[]", lines[1]],
        }[damage]
        index.write_text("\n".join(changed) + "\n")
    with pytest.raises(HeadwayError, match=r"state/publications/.* what was published before is not known"):
        _ = PublicationLedger(folder).releases
