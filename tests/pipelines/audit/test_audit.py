"""The audit: what it counts is what was done, nothing of a log is in it, and what does not hold is told."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from canaries import Canary, planted
from rich.console import Console
from shop import PLAN, PRODUCT, Shop, track

from headway.errors import InputError
from headway_pipelines.audit import audit_workspace, guards, prove
from headway_pipelines.audit.page import audit_page, record_page
from headway_pipelines.audit.record import record_of, record_text
from headway_pipelines.audit.shared import privacy_account
from headway_pipelines.audit.show import came_in
from headway_pipelines.cli.audit_report import audit_report
from headway_pipelines.privacy.proof import scan
from headway_pipelines.publishing.publish import publish
from headway_pipelines.report import write_report
from headway_pipelines.warehouse.compute import compute


@pytest.fixture(autouse=True)
def for_its_owner_alone() -> Iterator[None]:
    """As the command line sets it."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with 30 people, of whom every third bought, and three e-mail addresses where none belong."""
    calls = [
        track("Page Viewed", n, user=f"user-{n:04d}", url="https://shop.example.com/") for n in range(30)
    ]
    calls += [track("Order Completed", 60 + n, user=f"user-{n:04d}", amount=9) for n in range(0, 30, 3)]
    calls += [
        track("Order Completed", 90 + n, user=f"user-{n:04d}", amount=9, email=f"quux.{n:04d}@example.org")
        for n in range(3)
    ]
    root = tmp_path_factory.mktemp("audited")
    (root / "a.key").write_text(secrets.token_hex(32))
    (root / "a.key").chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWAY_KEY_FILE", str(root / "a.key"))
        before = os.umask(0o077)
        shop = Shop(root / "shop")
        shop.land("a.json", [*calls, "no json"])
        finish(shop)
        os.umask(before)
    return shop.root


@pytest.fixture
def run_shop(built: Path, tmp_path: Path) -> Shop:
    """A copy of it."""
    shutil.copytree(built, tmp_path / "copy")
    return Shop(tmp_path / "copy")


def finish(shop: Shop) -> None:
    shop.load()
    with shop.ledger() as ledger:
        compute(shop.workspace, ledger)
    publish(shop.workspace)


def printed(root: Path, **asked: Any) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        audit_report(root, console=Console(file=out, width=200), **asked)
    except typer.Exit as left:
        return left.exit_code, out.getvalue()
    return 0, out.getvalue()


# -- what it says ----------------------------------------------------------------------------------------------------


def test_it_counts_what_was_done(run_shop: Shop) -> None:
    audit = audit_workspace(run_shop.workspace)
    assert audit.files == {"promoted": 1}
    assert {row["outcome"]: row["lines"] for row in audit.lines} == {"event": 43, "malformed JSON": 1}
    assert audit.stored == {"events": 43, "days": 1, "people": 30}
    assert [(row["event"], row["property"], row["reason"], row["n_values"]) for row in audit.dropped] == [
        ("Order Completed", "email", "sensitive", 3)
    ]
    assert audit.detector["looks_personal"] == {} and audit.detector["values"] > 2
    assert {each.table for each in audit.published} >= {"metric_values", "funnel_steps", "active_people"}
    assert [each["release"] for each in audit.releases] == [1]
    assert (audit.min_people, audit.fewer_than_five, audit.proof) == (10, None, None)
    assert len(audit.key["id"]) == 8 and audit.key["outside_the_workspace"]


def test_what_looked_personal_is_told_by_type_after_every_run(shop: Shop) -> None:
    shop.workspace.plan_file.write_text(PLAN.replace('"[0-9]+[.][0-9]+"', '"[A-Za-z0-9.]+"'))
    mail = base64.b64encode(b"grizelda@example.com").decode().rstrip("=")
    shop.land("a.json", [track("Order Completed", n, user="u1", version=mail) for n in range(2)])
    shop.ingest()
    audit = audit_workspace(shop.workspace, look=False)
    assert audit.caught == {"email": 2} and "looks_personal" not in audit.detector
    assert ("of these, look personal", "2 email") in came_in(audit)


def test_the_report_s_page_of_privacy_tells_no_small_number(run_shop: Shop) -> None:
    account = privacy_account(run_shop.workspace)
    assert account is not None
    assert account["lines"] == [("event", "43"), ("malformed JSON", "fewer than 10")]
    assert account["dropped"] == [("sensitive", "fewer than 10")]
    assert ("product_analytics", "token", "as it is, where it has the declared form and nothing in it looks personal",
            "25 months", "data", "1") in account["kept"]  # fmt: skip
    assert account["proof"] == [] and ("the key lies outside the workspace", "holds") in account["guards"]
    index = write_report(run_shop.workspace)
    page = (index.parent / "privacy.html").read_text(encoding="utf-8")
    assert "fewer than 10" in page and 'href="privacy.html"' in index.read_text(encoding="utf-8")
    assert "malformed JSON" in page and "user-" not in page
    # Written again, it says the same.
    write_report(run_shop.workspace)
    assert (index.parent / "privacy.html").read_text(encoding="utf-8") == page
    run_shop.workspace.plan_file.write_text("version: one\n")
    assert privacy_account(run_shop.workspace) is None


def test_it_says_what_is_kept_under_which_terms(run_shop: Shop) -> None:
    kept = {(each.of, each.property): each for each in audit_workspace(run_shop.workspace).kept}
    url = kept["Page Viewed", "url"]
    assert (url.privacy_class, url.columns) == ("url", ("url", "utm_source", "utm_medium"))
    assert (url.purpose, url.owner, url.retention) == ("product_analytics", "data", "25 months")
    assert kept["Order Completed", "email"].columns == ()
    assert kept["Order Completed", "order_id"].kept_as == "random pseudonym of domain order"


def test_a_workspace_that_never_ran_has_an_audit_too(shop: Shop) -> None:
    audit = audit_workspace(shop.workspace)
    assert (audit.run, audit.lines, audit.published) == (None, (), ())
    assert printed(shop.root)[0] == 0
    assert not shop.workspace.ledger_file.exists()


def test_who_answers_for_few_people_is_told(shop: Shop) -> None:
    said = 'publishing: {min_people: 3, fewer_than_five: "A. Keeper: own staff"}\n'
    shop.workspace.product_file.write_text(PRODUCT + said)
    audit = audit_workspace(shop.workspace)
    assert (audit.min_people, audit.fewer_than_five) == (3, "A. Keeper: own staff")
    assert "A. Keeper: own staff" in audit_page(audit)


def test_receipts_are_read_as_far_as_they_can_be(run_shop: Shop) -> None:
    folder = run_shop.workspace.state / "receipts"
    folder.mkdir()
    receipt = {
        "erasure": 1, "asked_at": "2026-03-02T10:00:00", "people": 1, "reason": "wrote to us as ada@example.org",
        "lake": {"rows": 3}, "proof": {"values": 4, "files_with_hits": []},
    }  # fmt: skip
    (folder / "erasure-000001.json").write_text(json.dumps(receipt))
    (folder / "erasure-000002.json").write_text("{cut")
    (folder / "list.json").write_text("[1]")
    assert audit_workspace(run_shop.workspace).rights == (
        {
            "receipt": "erasure-000001.json", "erasure": 1, "asked_at": "2026-03-02T10:00:00", "people": 1,
            "files_with_hits": 0,
        },
        {"receipt": "erasure-000002.json", "cannot_be_read": True},
        {"receipt": "list.json"},
    )  # fmt: skip


def test_nothing_of_a_log_is_in_any_form_of_it(shop: Shop, tmp_path: Path) -> None:
    canaries: list[Canary] = planted(shop)
    finish(shop)
    prove(shop.workspace, most=40)
    code, text = printed(shop.root)
    assert code == 0, text
    audit = audit_workspace(shop.workspace)
    record = record_of(audit)
    forms = [
        text,
        printed(shop.root, as_json=True)[1],
        audit_page(audit),
        record_page(record),
        record_text(record),
    ]
    folder = tmp_path / "forms"
    folder.mkdir()
    for number, form in enumerate(forms):
        (folder / f"{number}.txt").write_text(form)
    assert scan([folder, shop.workspace.state / "proof.json"], [each.value for each in canaries]) == []


# -- the proof -------------------------------------------------------------------------------------------------------


def test_the_proof_looks_for_what_raw_logs_hold_in_everything_else(run_shop: Shop) -> None:
    told = prove(run_shop.workspace)
    # 30 users, 43 messages, 3 addresses
    assert told["values_by_kind"] == {"user": 30, "message": 43, "looks personal": 3}
    assert told["values_by_type"] == {"email": 3}
    assert (told["values"], told["lines_sampled"], told["hits"], told["found_in"]) == (76, 44, 0, [])
    assert told["files"] > 10 and told["bytes"] > 10_000
    assert audit_workspace(run_shop.workspace).proof == told
    note = run_shop.workspace.state / "proof.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600 and b"quux" not in note.read_bytes()


@pytest.mark.parametrize("value", ["user-0003", "quux.0001@example.org"])
def test_what_lies_where_it_must_not_is_found_and_not_quoted(run_shop: Shop, value: str) -> None:
    (run_shop.workspace.warehouse / "left.log").write_text(f"... {value} ...")
    code, text = printed(run_shop.root, proof=True)
    assert code == 1
    assert "warehouse/left.log" in text and value not in text
    assert audit_workspace(run_shop.workspace).proof["hits"] == 1  # type: ignore[index]


def test_of_many_values_some_of_each_kind_are_looked_for(run_shop: Shop) -> None:
    told = prove(run_shop.workspace, most=9)
    assert told["values_by_kind"] == {"user": 3, "message": 3, "looks personal": 3}


def test_without_logs_there_is_nothing_to_prove(shop: Shop) -> None:
    with pytest.raises(InputError, match="no event logs"):
        prove(shop.workspace)


# -- guards ----------------------------------------------------------------------------------------------------------


def _captures(shop: Shop) -> None:
    shop.workspace.dagster_home.mkdir(parents=True, exist_ok=True)
    (shop.workspace.dagster_home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")


def _telemetry(shop: Shop) -> None:
    shop.workspace.dagster_home.mkdir(parents=True, exist_ok=True)
    (shop.workspace.dagster_home / "dagster.yaml").write_text("# NoOpComputeLogManager\n")


def _pickle(shop: Shop) -> None:
    (shop.workspace.warehouse / "x.pickle").touch(0o600)


def _spilled(shop: Shop) -> None:
    (shop.workspace.warehouse / "tmp").mkdir(exist_ok=True)
    (shop.workspace.warehouse / "tmp" / "block").touch(0o600)


def _readable(shop: Shop) -> None:
    shop.workspace.ledger_file.chmod(0o644)


BROKEN: dict[str, Callable[[Shop], None]] = {
    "what steps print is not kept": _captures,
    "telemetry is off": _telemetry,
    "nothing is pickled": _pickle,
    "nothing spilled is left": _spilled,
    "state and warehouse are their owner's alone": _readable,
}


@pytest.mark.parametrize("guard", BROKEN)
def test_a_guard_that_does_not_hold_is_told(run_shop: Shop, guard: str) -> None:
    assert all(guards(audit_workspace(run_shop.workspace)).values())
    BROKEN[guard](run_shop)
    audit = audit_workspace(run_shop.workspace)
    assert [name for name, holds in guards(audit).items() if not holds] == [guard]
    code, text = printed(run_shop.root)
    assert code == 1 and "DOES NOT HOLD" in text
    assert f"NOT IN PLACE: {guard}." in record_text(record_of(audit))
    assert "does not hold" in audit_page(audit)


def test_a_key_inside_the_workspace_or_open_to_others_is_told(
    run_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = run_shop.root / "the.key"
    inside.touch(0o644)
    inside.chmod(0o644)
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(inside))
    failing = [name for name, holds in guards(audit_workspace(run_shop.workspace)).items() if not holds]
    assert failing == ["the key lies outside the workspace", "the key is its owner's alone"]


# -- the command and the record ----------------------------------------------------------------------------------------


def test_pages_are_written_for_their_owner_alone(run_shop: Shop, tmp_path: Path) -> None:
    page, record = tmp_path / "audit.html", tmp_path / "record.md"
    code, text = printed(run_shop.root, html=page, record=record)
    assert code == 0 and text.count("written  ") == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in (page, record)} == {0o600}
    assert page.read_text().startswith("<!doctype html>") and "<script" not in page.read_text()
    assert record.read_text().startswith("# Record of processing activities: Shop")
    assert printed(run_shop.root, record=tmp_path / "record.html")[0] == 0
    assert (tmp_path / "record.html").read_text().startswith("<!doctype html>")
    with pytest.raises(InputError, match="cannot be written"):
        printed(run_shop.root, html=tmp_path / "missing" / "audit.html")


def test_json_is_one_object_with_everything(run_shop: Shop) -> None:
    code, text = printed(run_shop.root, as_json=True)
    told = json.loads(text)
    assert code == 0 and told["product"] == "Shop" and len(told["kept"]) == 11


def test_the_record_has_one_activity_per_purpose_and_leaves_open_what_nobody_told(run_shop: Shop) -> None:
    plan = run_shop.workspace.plan_file
    plan.write_text(
        plan.read_text().replace("  Signed Up:\n", "  Signed Up:\n    purpose: sign_up\n    owner: growth\n")
    )
    record = record_of(audit_workspace(run_shop.workspace))
    assert {each.purpose: (each.owners, each.events) for each in record.activities} == {
        "product_analytics": (("data",), ("Page Viewed", "Order Completed")),
        "sign_up": (("growth",), ("Signed Up",)),
    }
    text = record_text(record)
    assert text.count("to be filled in") == 4
    assert "Legal basis of each purpose" in text and "30 people" in text


def test_names_of_definitions_are_no_markup(run_shop: Shop) -> None:
    product = run_shop.workspace.product_file
    product.write_text(product.read_text().replace("name: Shop", 'name: "<b>*Shop*</b>"'))
    audit = audit_workspace(run_shop.workspace)
    assert "<b>" not in audit_page(audit) and "<b>" not in record_page(record_of(audit))
    assert r"\<b\>\*Shop\*" in record_text(record_of(audit))
