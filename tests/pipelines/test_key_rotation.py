"""Rotation: another key, the same people; the same events are not stored twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from erasing import erase
from shop import Shop, track

from headway.errors import InputError
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.privacy.proof import scan
from headway_pipelines.rights.rotate import retire_keys, rotate_key

ADA, BOB = "ada.lovelace@example.com", "user-bob-0001"
LAKE = "SELECT actor, event, occurred_at FROM lake ORDER BY ALL"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop")
    made.land(
        "a.json", [track("Page Viewed", 0, user=ADA), track("Page Viewed", 1, user=BOB, device="device-0001")]
    )
    made.load()
    return made


def test_everybody_stays_who_they_are(shop: Shop) -> None:
    before: list[Any] = shop.query(LAKE)
    ids = shop.query("SELECT event_id FROM lake ORDER BY ALL")
    old = load_key(shop.workspace)
    done = rotate_key(shop.workspace)
    assert done.older == (old.id,) and done.id != old.id
    shop.load()
    assert shop.query(LAKE) == before
    assert shop.query("SELECT event_id FROM lake ORDER BY ALL") != ids
    # what comes later joins to what was there, and copies are known as such
    shop.land("b.json", [track("Page Viewed", 0, user=ADA), track("Page Viewed", 9, user=ADA)])
    shop.load()
    assert shop.query("SELECT count(*), count(DISTINCT actor) FROM lake") == [(3, 2)]
    retire_keys(shop.workspace)
    shop.land("c.json", [track("Page Viewed", 19, user=BOB)])
    shop.load()
    assert shop.query("SELECT count(*), count(DISTINCT actor) FROM lake") == [(4, 2)]


def test_an_erased_person_stays_away_under_the_new_key(shop: Shop) -> None:
    erase(shop, [ADA])
    rotate_key(shop.workspace)
    shop.land("late.json", [track("Page Viewed", 5, user=ADA)])
    shop.load()
    assert shop.query("SELECT count(DISTINCT actor) FROM lake") == [(1,)]
    assert shop.query("SELECT count(*) FROM lake") == [(1,)]


def test_who_is_erased_after_a_rotation_is_found_under_every_key(shop: Shop) -> None:
    old = load_key(shop.workspace)
    rotate_key(shop.workspace)
    assert erase(shop, [ADA]) is not None
    hashes = [key.digest("user", ADA) for key in (old, load_key(shop.workspace))]
    assert scan([shop.workspace.state, shop.workspace.warehouse], hashes) == []
    assert shop.query("SELECT count(DISTINCT actor) FROM lake") == [(1,)]


def test_no_key_is_in_the_workspace(shop: Shop, key_outside_the_workspace: Path) -> None:
    rotate_key(shop.workspace)
    shop.load()
    secrets = key_outside_the_workspace.read_text().split()
    assert len(secrets) == 2 and key_outside_the_workspace.stat().st_mode & 0o777 == 0o600
    assert scan([shop.root], secrets) == []
    for path in (p for p in shop.root.rglob("*") if p.is_file()):
        assert not any(bytes.fromhex(secret) in path.read_bytes() for secret in secrets), path


def test_a_rotation_needs_the_logs_and_a_retirement_a_run(shop: Shop) -> None:
    with pytest.raises(InputError, match="no older key"):
        retire_keys(shop.workspace)
    key = load_key(shop.workspace)
    (shop.workspace.raw / "a.json").rename(shop.root / "a.json")
    shop.land("b.json", [track("Page Viewed", 2, user=BOB)])
    with pytest.raises(InputError, match="no longer under raw/"):
        rotate_key(shop.workspace)
    assert load_key(shop.workspace).ring[0].id == key.id
    (shop.root / "a.json").rename(shop.workspace.raw / "a.json")
    rotate_key(shop.workspace)
    with pytest.raises(InputError, match="Run 'headway run' first"):
        retire_keys(shop.workspace)
