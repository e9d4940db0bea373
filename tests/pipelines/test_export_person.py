"""The access request: all that is known of one person, explained, and nothing of anybody else."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from shop import PLAN, Shop, track

from headway.errors import InputError
from headway_pipelines.rights.export import export_person

ADA, BOB = "ada.lovelace@example.com", "user-bob-0001"
DECLARED = f"""{PLAN}
  Invited:
    properties:
      by: {{class: id, domain: user}}
person_properties:
  plan: {{class: enum, values: [free, pro]}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop", plan=DECLARED)
    of_ada = track("", 2, user=ADA) | {"type": "identify", "traits": {"plan": "pro"}}
    of_bob = track("", 2, user=BOB) | {"type": "identify", "traits": {"plan": "free"}}
    made.land(
        "a.json",
        [
            track("Page Viewed", 0, device="device-ada-0001"),
            track("Signed Up", 1, user=ADA, device="device-ada-0001", method="email"),
            track("Invited", 3, user=ADA, by=BOB),
            of_ada,
            of_bob,
            track("Order Completed", 4, user=BOB, amount=77),
        ],
    )
    made.load()
    return made


def opened(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        return {
            name: json.loads(archive.read(name))
            if name == "manifest.json"
            else [json.loads(line) for line in archive.read(name).decode().splitlines()]
            for name in archive.namelist()
        }


def test_everything_about_the_person_and_nothing_about_others(shop: Shop, tmp_path: Path) -> None:
    done = export_person(shop.workspace, [ADA], tmp_path / "ada.zip")
    found = opened(done.path)
    assert [row["event"] for row in found["events.jsonl"]] == ["Page Viewed", "Signed Up", "Invited"]
    assert found["events.jsonl"][1]["method"] == "email"
    assert len(found["sessions.jsonl"]) == len(found["people.jsonl"]) == 1
    assert [row["value"] for row in found["said_of_the_person.jsonl"]] == ["pro"]
    assert [row["plan"] for row in found["properties_over_time.jsonl"]] == ["pro"]
    assert len(found["ids.jsonl"]) == 2
    # who invited her is somebody else: not even a random number of theirs is told
    (bob,) = (str(row[0]) for row in shop.query("SELECT DISTINCT actor FROM lake WHERE amount = 77"))
    assert bob not in json.dumps(found) and '"amount"' not in json.dumps(found["events.jsonl"])
    assert done.rows == {
        name.removesuffix(".jsonl"): len(rows) for name, rows in found.items() if name != "manifest.json"
    }


def test_the_manifest_explains_every_field(shop: Shop, tmp_path: Path) -> None:
    found = opened(export_person(shop.workspace, [ADA], tmp_path / "ada.zip").path)
    manifest = found["manifest.json"]
    explained = {*manifest["fields"], *manifest["properties_of_events"]}
    assert {name for row in found["events.jsonl"] for name in row} <= explained
    assert manifest["properties_of_events"]["method"] == {
        "class": "enum",
        "type": "VARCHAR",
        "values": ["email", "google"],
    }
    assert manifest["events"]["Signed Up"]["purpose"] == "product_analytics"
    assert manifest["events"]["Signed Up"]["kept_for"] == "25 months"


def test_the_file_is_for_its_owner_alone_and_never_replaces_one(shop: Shop, tmp_path: Path) -> None:
    done = export_person(shop.workspace, [ADA], tmp_path / "ada.zip")
    assert done.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="is there already"):
        export_person(shop.workspace, [ADA], tmp_path / "ada.zip")


def test_it_is_for_one_known_person(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="those of 2 people"):
        export_person(shop.workspace, [ADA, BOB], tmp_path / "both.zip")
    with pytest.raises(InputError, match="none of the ids is known"):
        export_person(shop.workspace, ["user-zoe-0001"], tmp_path / "zoe.zip")
    assert list(tmp_path.glob("*.zip")) == []
