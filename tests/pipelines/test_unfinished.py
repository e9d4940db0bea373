"""An export of several files is read once the file is there that says it is complete."""

from __future__ import annotations

import re
from typing import Any

import pytest
from shop import Shop, at, track

from headway_pipelines.sources.posthog import posthog, posthog_parquet

SOURCES = 'sources: {web: {format: segment, files: ["web/**"], finished_by: manifest.json}, rest: {format: segment}}'


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.workspace.sources_file.write_text(SOURCES)
    return shop


def test_files_wait_for_the_manifest_of_their_folder(shop: Shop) -> None:
    shop.land("web/day=1/0.json", [track("Signed Up", 0, user="u1")])
    shop.land("web/day=1/1.json", [track("Signed Up", 1, user="u2")])
    shop.land("web/day=2/manifest.json", ["{}"])
    shop.land("b.json", [track("Signed Up", 2, user="u3")])
    done = shop.ingest()
    # The manifest itself is no log: it is neither read nor counted.
    assert (done.files, done.unfinished, done.unclaimed) == (1, 2, 0)
    shop.land("web/day=1/manifest.json", ["{}"])
    done = shop.ingest()
    assert (done.files, done.unfinished) == (2, 0)


def test_one_folder_may_hold_several_exports(shop: Shop) -> None:
    for name in ("2026-03-02-2026-03-03-0", "2026-03-02-2026-03-03-1", "2026-03-03-2026-03-04-0"):
        shop.land(f"web/{name}.jsonl", [track("Signed Up", 0, user=name)])
    shop.land("web/2026-03-02-2026-03-03_manifest.json", ["{}"])
    done = shop.ingest()
    assert (done.files, done.unfinished) == (2, 1)
    with shop.ledger() as ledger:
        assert ledger.get("unfinished") == "1"


@pytest.mark.parametrize(("end", "sign"), [("_SUCCESS", "_SUCCESS"), ("done.txt", "0-done.txt")])
def test_other_signs_that_an_export_is_complete(shop: Shop, end: str, sign: str) -> None:
    shop.workspace.sources_file.write_text(SOURCES.replace("manifest.json", end))
    shop.land("web/day=1/0.json", [track("Signed Up", 1, user="u1")])
    assert shop.ingest().unfinished == 1
    shop.land(f"web/day=1/{sign}", [""])
    done = shop.ingest()
    assert (done.files, done.unfinished, done.unclaimed) == (1, 0, 0)


def test_a_source_that_asks_for_nothing_waits_for_nothing(shop: Shop) -> None:
    shop.workspace.sources_file.unlink()
    shop.land("web/0.json", [track("Signed Up", 0, user="u1")])
    done = shop.ingest()
    assert (done.files, done.unfinished) == (1, 0)


POSTHOG = "sources: {events: {format: posthog%s}}"
INTERVAL = "2026-03-02T00:00:00+00:00-2026-03-03T00:00:00+00:00"


def exported(user: str) -> dict[str, Any]:
    return {"uuid": user, "event": "Signed Up", "distinct_id": user, "timestamp": at(0), "properties": {}}


def test_numbered_files_of_posthog_wait_without_being_asked(shop: Shop) -> None:
    """An export of one file has no number and no manifest; one that was split by size has both."""
    shop.workspace.sources_file.write_text(POSTHOG % "")
    for name in (f"{INTERVAL}-0.jsonl", f"{INTERVAL}-1.jsonl.gz", "2026-03-03-2026-03-04.jsonl"):
        shop.land(name, [exported(name)])
    done = shop.ingest()
    assert (done.files, done.unfinished) == (1, 2)
    shop.land(f"{INTERVAL}_manifest.json", ['{"files": []}'])
    done = shop.ingest()
    assert (done.files, done.unfinished, done.events) == (2, 0, 2)


@pytest.mark.parametrize("stated", [", finished_by: null", ", finished_by: _done"])
def test_what_is_stated_holds_instead(shop: Shop, stated: str) -> None:
    shop.workspace.sources_file.write_text(POSTHOG % stated)
    shop.land(f"{INTERVAL}-0.jsonl", [exported("u1")])
    shop.land("other.jsonl", [exported("u2")])
    shop.land("manifest.json", ["{}"])
    done = shop.ingest()
    assert (done.files, done.unfinished) == ((2, 0) if "null" in stated else (0, 2))


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("2026-03-02-2026-03-03-0.jsonl", True),
        ("2026-03-02T00%3A00%3A00+00%3A00-2026-03-02T01%3A00%3A00+00%3A00-12.parquet.zst", True),
        ("2026-03-02T00-00-00-2026-03-02T01-00-00.parquet", False),
        ("2026-03-02T00:00:00Z-2026-03-02T01:00:00Z.jsonl.gz", False),
        ("2026-03-02-2026-03-03.jsonl", False),
        ("events-0.jsonl", False),
    ],
)
def test_which_names_are_those_of_parts(name: str, waits: bool) -> None:
    for source in (posthog(), posthog_parquet()):
        assert source.waits is not None
        assert bool(re.fullmatch(source.waits, name)) == waits
