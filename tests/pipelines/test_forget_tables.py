"""Erasure from raw files that are no lines of JSON: a zip archive, Parquet, and CSV rows over several lines.

The whole way: read by the gate, in the lake, erased with their lines taken out of the raw files, loaded again, proven
byte by byte, and the same as a world that was built from what is left.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from erasing import erase
from pyarrow import parquet
from shop import PLAN, Shop, at, track

from headway_pipelines.privacy.keys import load_key
from headway_pipelines.privacy.proof import scan

ADA, BOB = "ada.lovelace@example.com", "user-bob-0001"
NOTE = 'please call me, Ada:\n"+44 20 7946 0018"\nthanks'
SOURCES = """
sources:
  calls: {format: segment, files: ["*.zip"]}
  orders:
    format: delimited
    files: ["*.csv"]
    event: {value: Order Completed}
    user: customer
    time: {column: at, format: iso}
    properties: {amount: amount}
  table:
    format: parquet
    files: ["*.parquet"]
    event: {value: Order Completed}
    user: customer
    time: {column: at, format: iso}
    properties: {amount: amount}
"""
EVENTS = "SELECT event, occurred_at FROM lake ORDER BY ALL"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """In each file one event of Ada's stands between two of Bob's."""
    made = Shop(tmp_path / "shop", plan=PLAN)
    (made.root / "sources.yml").write_text(SOURCES)
    raw = made.workspace.raw
    who = [BOB, ADA, BOB]
    calls = [json.dumps(track("Page Viewed", n, user=user)) for n, user in enumerate(who)]
    later = [json.dumps(track("Page Viewed", 10 + n, user=user)) for n, user in enumerate(who)]
    with zipfile.ZipFile(raw / "calls.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.json", "".join(f"{line}\n" for line in calls))
        archive.writestr(
            "two.json.gz", gzip.compress("".join(f"{line}\n" for line in later).encode(), mtime=0)
        )
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["customer", "at", "amount", "note"])
    rows.writerows(
        [user, at(20 + n), 20 + n, NOTE if user == ADA else "two\nlines"] for n, user in enumerate(who)
    )
    (raw / "orders.csv").write_text(text.getvalue())
    table = {
        "customer": who,
        "at": [at(30 + n) for n in range(3)],
        "amount": [30, 31, 32],
        "note": [NOTE if user == ADA else "none" for user in who],
    }
    parquet.write_table(
        pa.table(table), raw / "table.parquet", compression="zstd", use_dictionary=["customer"]
    )
    made.load()
    return made


def test_a_person_is_gone_from_files_of_every_kind(shop: Shop, tmp_path: Path) -> None:
    key = load_key(shop.workspace)
    hers = [ADA, "+44 20 7946 0018", key.digest("user", ADA)]
    assert len(shop.query(EVENTS)) == 12
    found = {hit.path.name for hit in scan([shop.workspace.raw], hers)}
    assert found == {"calls.zip", "orders.csv", "table.parquet"}  # the scan sees into each of them

    done = erase(shop, [ADA], rewrite_raw=True)

    assert done is not None and done.receipt is not None
    assert {each["file"]: (each["lines"], each["emptied"]) for each in done.raw} == {
        "calls.zip": (2, 2),
        "orders.csv": (1, 1),
        "table.parquet": (1, 1),
    }
    told = json.loads(done.receipt.read_text())
    assert told["lake"]["events_removed"] == 4 and told["proof"]["files_with_hits"] == []
    assert scan([shop.root], hers) == []
    # Bob's eight events are where they were: nothing is read again, and a world built from what is left is the same.
    assert len(shop.query(EVENTS)) == 8 and shop.ingest().files == 0
    again = Shop(tmp_path / "again", plan=shop.plan)
    (again.root / "sources.yml").write_text(SOURCES)
    for name in ("raw", "state"):
        shutil.rmtree(again.root / name, ignore_errors=True)
        shutil.copytree(shop.root / name, again.root / name)
    again.load()
    assert again.query(EVENTS) == shop.query(EVENTS)


def test_without_being_asked_for_raw_files_are_listed_and_left(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in shop.workspace.raw.iterdir()}
    done = erase(shop, [ADA])
    assert done is not None and {each["file"]: each["emptied"] for each in done.raw} == {
        "calls.zip": 0,
        "orders.csv": 0,
        "table.parquet": 0,
    }
    assert {path: path.read_bytes() for path in shop.workspace.raw.iterdir()} == before
    assert scan([shop.workspace.warehouse, shop.workspace.state], [ADA, "+44 20 7946 0018"]) == []
