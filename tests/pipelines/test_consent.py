"""Consent at the gate: without it a line is counted and its ids are never looked up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from erasing import erase
from privacy.test_tcf import packed
from shop import PLAN, Shop, track

from headway.engine import connect
from headway.errors import DefinitionError
from headway.models.plan import parse_plan
from headway.models.schemas import tracking_plan_schema
from headway_pipelines.privacy.keys import load_key
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.rights.forget import look_up
from headway_pipelines.rights.withdrawals import withdrawn

CONSENT = """
consent:
  purposes:
    product_analytics:
      signals:
        - {from: context.consent.categoryPreferences.Analytics}
        - {from: ok, granted: [sure]}
      tcf: [1, 8, 9, 10]
  exempt: [security]
  tcf: properties.tcf
  gpc: {from: gpc, denies: [product_analytics]}
  dnt: {from: properties.dnt, denies: [product_analytics]}
"""
ADA = "ada.lovelace@example.com"
Make = Callable[..., Shop]


def preferring(value: object, call: dict[str, Any]) -> dict[str, Any]:
    return call | {"context": {"consent": {"categoryPreferences": {"Analytics": value}}}}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(*calls: dict[str, Any], consent: str = CONSENT, plan: str = PLAN) -> Shop:
        shop = Shop(tmp_path / "shop", plan=f"{plan}{consent}")
        shop.land("a.json", calls)
        shop.load()
        return shop

    return made


def passed(shop: Shop) -> list[str]:
    return [minute for (minute,) in shop.query("SELECT strftime(occurred_at, '%M') FROM lake ORDER BY 1")]


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (preferring(True, track("Page Viewed", 1, user=ADA)), "event"),
        (preferring(False, track("Page Viewed", 1, user=ADA)), "no consent: refused"),
        (preferring("perhaps", track("Page Viewed", 1, user=ADA)), "no consent: refused"),
        (track("Page Viewed", 1, user=ADA), "no consent: unknown"),
        (track("Page Viewed", 1, user=ADA, ok=" Sure "), "event"),
        (track("Page Viewed", 1, user=ADA, ok="true"), "no consent: refused"),
        # one yes does not outweigh one no
        (preferring(False, track("Page Viewed", 1, user=ADA, ok="sure")), "no consent: refused"),
        (track("Page Viewed", 1, user=ADA, tcf=packed({1, 8, 9, 10})), "event"),
        (track("Page Viewed", 1, user=ADA, tcf=packed({1, 8, 9})), "no consent: tcf"),
        (track("Page Viewed", 1, user=ADA, tcf="damaged"), "no consent: tcf"),
        (track("Page Viewed", 1, user=ADA, ok="sure", gpc="1"), "no consent: gpc"),
        (track("Page Viewed", 1, user=ADA, ok="sure", gpc="0"), "event"),
        (track("Page Viewed", 1, user=ADA, ok="sure", dnt="yes"), "no consent: dnt"),
        (track("", 1, user=ADA) | {"type": "identify", "traits": {}}, "no consent: unknown"),
    ],
)
def test_signals(make: Make, call: dict[str, Any], outcome: str) -> None:
    shop = make(call)
    assert shop.outcomes() == {outcome: 1}
    assert len(passed(shop)) == (outcome == "event")


def test_ids_of_lines_without_consent_are_never_looked_up(make: Make) -> None:
    shop = make(
        track("Page Viewed", 1, user=ADA, device="device-ada-0001"),
        track("Order Completed", 2, user=ADA, order_id="order-000001", ok="no"),
        track("Page Viewed", 3, user="user-bob-0001", ok="sure"),
    )
    assert passed(shop) == ["03"]
    con = connect()
    try:
        key = load_key(shop.workspace)
        assert Vault(shop.workspace.state / "vault", key, con).rows().height == 1
    finally:
        con.close()
    hashes = [key.digest("user", ADA), key.digest("device", "device-ada-0001")]
    assert scan([shop.workspace.state, shop.workspace.warehouse], [ADA, *hashes]) == []


@pytest.mark.parametrize(("unknown", "counted"), [("count", 1), ("drop", 0)])
def test_events_without_consent_are_counted_by_name_where_the_plan_says_so(
    make: Make, unknown: str, counted: int
) -> None:
    shop = make(track("Page Viewed", 1, user=ADA), consent=f"{CONSENT}  unknown: {unknown}\n")
    with shop.ledger() as ledger:
        dropped = [row for row in ledger.dropped() if row["reason"] == "no consent: unknown"]
    assert [(row["event"], row["n_values"]) for row in dropped] == [("Page Viewed", 1)] * counted
    assert shop.outcomes() == {"no consent: unknown": 1}


def test_unknown_may_be_let_through(make: Make) -> None:
    shop = make(
        track("Page Viewed", 1, user=ADA),
        track("Page Viewed", 2, user=ADA, ok="no"),
        consent=f"{CONSENT}  unknown: allow\n",
    )
    assert passed(shop) == ["01"]


def test_each_event_is_judged_by_its_own_purpose(make: Make) -> None:
    plan = PLAN.replace("  Signed Up:\n", "  Signed Up:\n    purpose: security\n")
    shop = make(track("Signed Up", 1, user=ADA), track("Page Viewed", 2, user=ADA), plan=plan)
    assert passed(shop) == ["01"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[1, 8, 9, 10]", "[1, 25]"), "25 is no purpose of the TCF"),
        (("exempt: [security]", "exempt: [product_analytics]"), "it can only be one of them"),
        (
            ("denies: [product_analytics]}\n  dnt", "denies: [ads]}\n  dnt"),
            "gpc denies 'ads', which is not among purposes",
        ),
        (("  tcf: properties.tcf\n", ""), "say where it is with tcf"),
        (
            ("context.consent.categoryPreferences.Analytics", "context.ip"),
            "of the context only context.consent is",
        ),
        (("    product_analytics:", "    analytics:"), "which is not among purposes"),
        (
            ("exempt: [security]", "exempt: [security]\n  withdrawal: {events: [Left]}"),
            "'Left' is not among events",
        ),
    ],
)
def test_mistakes_are_told_with_their_line(change: tuple[str, str], words: str) -> None:
    with pytest.raises(DefinitionError) as told:
        parse_plan(PLAN + CONSENT.replace(*change))
    assert words in str(told.value) and "tracking_plan.yml:" in str(told.value)


def test_a_purpose_that_nobody_spoke_of_is_refused() -> None:
    plan = PLAN.replace("  Signed Up:\n", "  Signed Up:\n    purpose: advertising\n")
    with pytest.raises(DefinitionError, match="purpose 'advertising' is in neither"):
        parse_plan(plan + CONSENT)


def test_the_schema_knows_the_section_and_old_plans_keep_their_hash() -> None:
    assert "consent" in tracking_plan_schema()["properties"]
    assert "consent" not in parse_plan(PLAN).model_dump(exclude_none=True)


def test_withdrawal_is_listed_and_never_held_up_by_a_missing_signal(make: Make) -> None:
    consent = f"{CONSENT}  withdrawal: {{events: [Signed Up]}}\n"
    shop = make(
        track("Page Viewed", 1, user=ADA, ok="sure"),
        track("Signed Up", 2, user=ADA, ok="no"),
        track("Page Viewed", 3, user="user-bob-0001", ok="sure"),
        consent=consent,
    )
    with shop.ledger() as ledger:
        assert len(withdrawn(shop.workspace, ledger)) == 1
        subject, _ = look_up(shop.workspace, ledger, load_key(shop.workspace), [ADA])
        assert withdrawn(shop.workspace, ledger) == list(subject.surrogates)
    assert erase(shop, [], seeds=subject.surrogates, reason="withdrawal") is not None
    assert passed(shop) == ["03"]
    with shop.ledger() as ledger:
        assert withdrawn(shop.workspace, ledger) == []
