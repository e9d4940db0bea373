"""Erasure: the person is gone from every byte, everybody else is as they were, and nothing brings the person back.

What a world without the person looks like is told by a rebuild: a second workspace with the same raw logs and the same
state, in which the gate alone keeps the person out.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from erasing import erase
from shop import PLAN, PRODUCT, Shop, track
from stored import rows_of

from headway.errors import InputError
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.rights import carry_out as carrying
from headway_pipelines.rights.forget import begin, look_up
from headway_pipelines.rights.holds import hold, release
from headway_pipelines.rights.journal import is_pending

DAY = 24 * 60
ADA, BOB, CAT = "ada.lovelace@example.com", "user-bob-0001", "user-cat-0001"
PHONE, LAPTOP, KIOSK = "device-phone-0001", "device-laptop-0001", "device-kiosk-0001"
DECLARED = f"""{PLAN}
  Invited:
    properties:
      by: {{class: id, domain: user}}
person_properties:
  plan: {{class: enum, values: [free, pro]}}
"""
TABLES = {
    "lake": "SELECT * EXCLUDE (batch) FROM lake ORDER BY ALL",
    "links": "SELECT DISTINCT * EXCLUDE (batch) FROM links ORDER BY ALL",
    "actor_person": "SELECT * FROM actor_person ORDER BY ALL",
    "device_spans": "SELECT * FROM device_spans ORDER BY ALL",
    "people": "SELECT * FROM people ORDER BY ALL",
    "sessions": "SELECT * FROM sessions ORDER BY ALL",
    "person_properties": "SELECT * FROM person_properties ORDER BY ALL",
}


def identify(user: str, minute: float, plan: str, device: str | None = None) -> dict[str, Any]:
    return track("", minute, user=user, device=device) | {"type": "identify", "traits": {"plan": plan}}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Ada on two devices of her own on days 0 and 2; Bob on his own on days 0, 1 and 2, invited by Ada."""
    made = Shop(tmp_path / "shop", plan=DECLARED)
    made.land(
        "a.json",
        [
            track("Page Viewed", 0, device=PHONE),
            track("Signed Up", 1, user=ADA, device=PHONE, method="email"),
            identify(ADA, 2, "pro"),
            track("Page Viewed", 3, device="device-bob-0001"),
            track("Signed Up", 4, user=BOB, device="device-bob-0001", method="google"),
            track("Invited", 5, user=BOB, by=ADA),
            track("Page Viewed", DAY, user=BOB),
        ],
    )
    made.land(
        "b.json.gz",
        [
            track("Order Completed", 2 * DAY, user=ADA, device=LAPTOP, amount=12, order_id="order-000001"),
            track("Page Viewed", 2 * DAY + 1, device=LAPTOP),
            track("Page Viewed", 2 * DAY + 2, user=BOB),
        ],
    )
    # held back by the quality rules, so that rows of hers stay staged
    made.land("c.json", [track("Page Viewed", 3 * DAY, user=ADA), "no", "JSON", "at all"])
    made.load()
    return made


def rebuilt(shop: Shop, folder: Path) -> Shop:
    """The same raw logs and state, read at once."""
    again = Shop(folder, plan=shop.plan, product=shop.product)
    for name in ("raw", "state"):
        shutil.rmtree(again.root / name, ignore_errors=True)
        shutil.copytree(shop.root / name, again.root / name)
    again.load()
    return again


def equal(one: Shop, other: Shop) -> None:
    for table, query in TABLES.items():
        assert one.query(query) == other.query(query), table
    assert rows_of(one.workspace) == rows_of(other.workspace)


def lake_files(shop: Shop) -> dict[str, tuple[int, int]]:
    """Inode and time of every file of events: a file that was written again has others."""
    stats = {p: p.stat() for p in shop.workspace.lake.rglob("*.parquet")}
    return {
        p.relative_to(shop.workspace.lake).as_posix(): (s.st_ino, s.st_mtime_ns) for p, s in stats.items()
    }


def test_a_person_is_gone_and_everybody_else_is_as_before(shop: Shop, tmp_path: Path) -> None:
    before = shop.query("SELECT event, occurred_at FROM lake WHERE event <> 'Invited' ORDER BY ALL")
    done = erase(shop, [ADA])
    assert done is not None and done.counts is not None
    assert done.people == 1 and done.found == ()
    # phone and laptop went with her: two events on each
    assert done.counts["events_removed"] == 4
    after = shop.query("SELECT event, occurred_at FROM lake WHERE event <> 'Invited' ORDER BY ALL")
    assert len(before) - len(after) == 4 and set(after) < set(before)
    # Bob's invitation stays, and no longer says by whom
    assert shop.query("SELECT event, \"by\" FROM lake WHERE event = 'Invited'") == [("Invited", None)]
    assert shop.query("SELECT count(*) FROM people") == [(1,)]
    equal(shop, rebuilt(shop, tmp_path / "again"))


def test_only_the_days_of_the_person_are_written_again(shop: Shop) -> None:
    before = lake_files(shop)
    done = erase(shop, [LAPTOP], only=True)
    assert done is not None and done.counts is not None and done.counts["days_rewritten"] == 1
    after = lake_files(shop)
    stayed = {name for name in before if before[name] == after.get(name)}
    assert {name.split("/")[0] for name in set(before) - stayed} == {"day=2026-03-04"}
    assert {name.split("/")[0] for name in stayed} == {"day=2026-03-02", "day=2026-03-03"}


def test_nothing_of_the_person_is_in_any_byte(shop: Shop) -> None:
    """The vault's rows are gone too: not even the hash of the id is left."""
    key = load_key(shop.workspace)
    values = [
        ADA,
        PHONE,
        LAPTOP,
        *(key.digest("device", each) for each in (PHONE, LAPTOP)),
        key.digest("user", ADA),
    ]
    surrogates = [
        str(s) for (s,) in shop.query("SELECT DISTINCT actor FROM lake WHERE occurred_at >= '2026-03-04'")
    ]
    written = [shop.workspace.warehouse, shop.workspace.state]
    assert {hit.value for hit in scan(written, values)} == {3, 4, 5}  # the hashes, in the vault
    assert list(shop.workspace.staging.rglob("events.parquet")) != []
    erase(shop, [ADA])
    assert scan(written, values) == []
    left = {surrogates[hit.value] for hit in scan(written, surrogates)}
    assert left == {str(s) for (s,) in shop.query("SELECT DISTINCT actor FROM lake")} & set(surrogates)
    assert len(left) == len(surrogates) - 2


@pytest.mark.parametrize(
    "calls",
    [
        [track("Page Viewed", 2 * DAY + 9, user=" ADA.Lovelace@example.com ", id="late")],
        [track("Page Viewed", 2 * DAY + 9, device=PHONE, id="late")],
        [identify(ADA, 9, "free")],
        [
            {
                "type": "alias",
                "userId": ADA,
                "previousId": "device-new-0001",
                "timestamp": "2026-03-05T09:00:00Z",
            }
        ],
    ],
    ids=["late event", "late event of a device", "identify", "alias"],
)
def test_what_comes_late_does_not_bring_the_person_back(shop: Shop, calls: list[dict[str, Any]]) -> None:
    erase(shop, [ADA])
    known = {name: shop.query(query) for name, query in TABLES.items()}
    rows = vault_rows(shop)
    shop.land("late.json", calls)
    shop.load()
    assert {name: shop.query(query) for name, query in TABLES.items()} == known
    assert shop.outcomes()["of an erased person"] >= len(calls)
    assert vault_rows(shop) == rows


def vault_rows(shop: Shop) -> int:
    from headway.engine import connect

    con = connect()
    try:
        return Vault(shop.workspace.state / "vault", load_key(shop.workspace), con).rows().height
    finally:
        con.close()


def test_somebody_else_on_her_device_stays_and_is_not_joined_to_it(shop: Shop, tmp_path: Path) -> None:
    erase(shop, [ADA])
    shop.land("late.json", [track("Page Viewed", 3 * DAY, user=CAT, device=PHONE)])
    shop.load()
    assert shop.query("SELECT count(*) FROM people") == [(2,)]
    assert shop.query("SELECT count(*) FROM links WHERE device IS NOT NULL") == [(1,)]  # Bob's own
    equal(shop, rebuilt(shop, tmp_path / "again"))


def test_a_shared_device_keeps_what_others_did_there(tmp_path: Path) -> None:
    """The kiosk is Bob's, who was seen there last; before that it was Ada's, until she logged out."""
    product = PRODUCT + "identity: {mode: components, max_users_per_device: 5, logout: [Order Completed]}\n"
    shop = Shop(tmp_path / "shop", plan=DECLARED, product=product)
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, device=KIOSK),
            track("Page Viewed", 1, user=ADA, device=KIOSK),
            track("Order Completed", 2, user=ADA, device=KIOSK),
            track("Page Viewed", 10, device=KIOSK),
            track("Page Viewed", 11, user=BOB, device=KIOSK),
            track("Page Viewed", 12, device=KIOSK),
        ],
    )
    shop.load()
    assert shop.query("SELECT count(*) FROM device_spans") == [(2,)]
    with pytest.raises(InputError, match="2 people used"), shop.ledger() as ledger:
        look_up(shop.workspace, ledger, load_key(shop.workspace), [KIOSK])
    done = erase(shop, [ADA])
    assert done is not None
    assert shop.query("SELECT strftime(occurred_at, '%M')::INTEGER FROM lake ORDER BY 1") == [
        (10,),
        (11,),
        (12,),
    ]
    assert shop.query("SELECT count(*) FROM people") == [(1,)]
    equal(shop, rebuilt(shop, tmp_path / "again"))


def test_another_copy_takes_the_place_of_an_event_that_went(tmp_path: Path) -> None:
    """Of two copies that name different people the first to arrive stays: hers, until she is gone."""
    shop = Shop(tmp_path / "shop", plan=DECLARED)
    shop.land(
        "a.json",
        [track("Page Viewed", 0, user=ADA, received=1, id="same"), track("Page Viewed", 5, user=CAT)],
    )
    shop.land("b.json", [track("Page Viewed", 0, user=BOB, received=2, id="same")])
    shop.load()
    assert shop.query("SELECT count(*) FROM people") == [(2,)]
    done = erase(shop, [ADA])
    assert done is not None and done.counts is not None and done.counts["entangled"]
    assert shop.query("SELECT count(*), count(DISTINCT actor) FROM lake") == [(2, 2)]
    equal(shop, rebuilt(shop, tmp_path / "again"))


@pytest.mark.parametrize("name", ["add", "drop"])
@pytest.mark.parametrize("where", [Tombstones, Vault])
def test_a_killed_erasure_is_finished_by_the_next_run(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    if not hasattr(where, name):
        where, name = {"add": (Ledger, "swap_files"), "drop": (carrying, "_note")}[name]

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(where, name, die)
        with pytest.raises(Killed):
            erase(shop, [ADA])
    assert is_pending(shop.workspace)
    shop.load()
    assert shop.query("SELECT count(*) FROM people") == [(1,)]
    equal(shop, rebuilt(shop, tmp_path / "again"))


def test_raw_files_are_listed_and_left(shop: Shop) -> None:
    before = {p: p.read_bytes() for p in shop.workspace.raw.iterdir()}
    done = erase(shop, [ADA])
    assert done is not None
    assert [(e["file"], e["lines"], e["named"], e["emptied"]) for e in done.raw] == [
        ("a.json", 3, 0, 0),
        ("b.json.gz", 2, 0, 0),
        ("c.json", 1, 0, 0),
    ]
    assert {p: p.read_bytes() for p in shop.workspace.raw.iterdir()} == before


def test_raw_files_are_rewritten_where_that_is_asked_for(shop: Shop, tmp_path: Path) -> None:
    before = (shop.workspace.raw / "a.json").read_text().splitlines()
    done = erase(shop, [ADA], rewrite_raw=True)
    assert done is not None and [e["emptied"] for e in done.raw] == [3, 2, 1]
    after = (shop.workspace.raw / "a.json").read_text().splitlines()
    assert [(a or "gone") for a in after] == ["gone"] * 3 + before[3:]
    packed = gzip.decompress((shop.workspace.raw / "b.json.gz").read_bytes()).decode()
    assert ADA not in packed and packed.count("\n") == 3
    # what is left is known already: nothing is read again, and a rebuild gives the same
    assert shop.ingest().files == 0
    equal(shop, rebuilt(shop, tmp_path / "again"))


def test_an_id_that_is_not_known_changes_nothing(shop: Shop) -> None:
    before = {p: p.read_bytes() for p in shop.root.rglob("*") if p.is_file() and p.parent.name != "warehouse"}
    assert erase(shop, ["user-zoe-0001"]) is None
    key = load_key(shop.workspace)
    with shop.ledger() as ledger:
        _, unknown, already = begin(shop.workspace, ledger, key, ["user-zoe-0001"])
        assert (unknown, already) == ((1,), 0)
    after = {p: p.read_bytes() for p in shop.root.rglob("*") if p.is_file() and p.parent.name != "warehouse"}
    assert after == before


def test_who_was_erased_before_is_said_to_be(shop: Shop) -> None:
    erase(shop, [ADA])
    with shop.ledger() as ledger:
        begun = begin(shop.workspace, ledger, load_key(shop.workspace), [ADA, PHONE, "user-zoe-0001"])
    assert begun == (None, (3,), 2)


def test_a_legal_hold_refuses_with_its_reason(shop: Shop) -> None:
    key = load_key(shop.workspace)
    with shop.ledger() as ledger:
        subject, _ = look_up(shop.workspace, ledger, key, [ADA])
    hold(shop.workspace, key, subject.lookups, "tax")
    assert (
        scan([shop.workspace.state / "holds.json"], [ADA, *(lookup for _, lookup in subject.lookups)]) == []
    )
    # also by another id of the same person
    with pytest.raises(InputError, match=r"legal hold \(tax\) since 20..-..-.. and is not erased"):
        erase(shop, [PHONE])
    assert not is_pending(shop.workspace)
    release(shop.workspace, key, subject.lookups)
    assert erase(shop, [PHONE]) is not None


def test_the_receipt_names_nobody_and_the_one_before(shop: Shop) -> None:
    first, second = erase(shop, [ADA], reason="withdrawal"), erase(shop, [BOB])
    assert (
        first is not None and first.receipt is not None and second is not None and second.receipt is not None
    )
    told = json.loads(first.receipt.read_text())
    assert (told["reason"], told["people"], told["proof"]["files_with_hits"]) == ("withdrawal", 1, [])
    assert told["lake"]["events_removed"] == 4 and "days" not in told["lake"]
    assert json.loads(second.receipt.read_text())["previous_receipt_sha256"]
    assert first.receipt.stat().st_mode & 0o077 == 0


def test_ids_of_accounts_are_taken_for_such_only_when_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop", plan=DECLARED)
    of_account: Callable[[dict[str, Any]], dict[str, Any]] = lambda call: (  # noqa: E731
        call | {"context": {"groupId": "account-acme-01"}}
    )
    shop.land("a.json", [of_account(track("Page Viewed", 0, user=ADA)), track("Page Viewed", 1, user=BOB)])
    shop.load()
    assert shop.query("SELECT count(account) FROM lake") == [(1,)]
    with pytest.raises(InputError, match=r"is an account's\. Say so with --kind account"):
        erase(shop, ["account-acme-01"])
    assert erase(shop, ["account-acme-01"], kind="account") is not None
    assert shop.query("SELECT count(*), count(account) FROM lake") == [(2, 0)]
    equal(shop, rebuilt(shop, tmp_path / "again"))
