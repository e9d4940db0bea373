"""Declared tokens, parameters and hosts that hold something personal all the same: dropped, counted by type."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from shop import PLAN, Shop, track

from headway.engine import connect
from headway.models.plan import Column
from headway_pipelines.privacy import second_line
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.second_line import kinds_of

MAIL = "grizelda@example.com"
CODED = base64.b64encode(MAIL.encode()).decode().rstrip("=")
OPEN = PLAN.replace(
    'version: {class: token, pattern: "[0-9]+[.][0-9]+"}',
    'label: {class: token, pattern: "[A-Za-z0-9.%+_-]+"}',
) + ('person_properties:\n  badge: {class: token, pattern: "[A-Za-z0-9.%+_-]+"}\n')

#: What a product's own tokens look like.
TOKENS = [
    "spring_sale", "1.20.3", "10.15.7-rc.1", "v2.0.0.1", "SKU-4410-XL", "BK4410", "ORD-2024-000418-7", "de-AT", "EUR",
    "0190f2b4-7c1e-7a3b-9f00-5d2a1c3e4b6f", "01HV8Q2M6ZK3W9Y4T7R5P1N0BD", "507f1f77bcf86cd799439011", "2024-11-23",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "e83c5163316f89bfbde7d9ab23ca2e25604af290",
    "1718871234567", "4006381333931", "978-3-16-148410-0", "python-101", "exp_2024_q4.B", "hero-banner-2",
    "V1StGXR8_Z5jdHi6B-myT",
    "free", "A", "42", "20241123T101500Z", "eu-west-1", "summer+winter", "q4_black_friday_2024",
]  # fmt: skip


def kinds(*values: str, name: str = "label", privacy_class: str = "token") -> list[Any]:
    return kinds_of(pl.Series(values), Column(name, "VARCHAR", privacy_class)).to_list()


def test_tokens_of_a_product_are_not_suspected() -> None:
    for name in ("label", "campaign", "sku", "version", "build", "utm_term"):
        told = dict(zip(TOKENS, kinds(*TOKENS, name=name), strict=True))
        assert {token: kind for token, kind in told.items() if kind} == {}, name


def test_what_is_encoded_or_a_state_s_number_is() -> None:
    assert kinds(MAIL, MAIL.replace("@", "%40"), CODED, MAIL.encode().hex()) == ["email"] * 4
    assert kinds("AB123456C", "12345678Z", "219-09-9999") == ["national_id", "national_id", "ssn"]
    assert kinds("Ysolde", name="first_name") == ["person_name"]
    assert kinds("Ysolde", name="first_name", privacy_class="url") == [None]


def test_what_an_enum_declares_is_not_suspected() -> None:
    column = Column("method", "VARCHAR", "enum", values=("email", "219-09-9999"))
    values = pl.Series(["email", "219-09-9999", "219-09-9998", "once", None])
    assert kinds_of(values, column).to_list() == [None, None, "ssn", None, None]


def land(shop: Shop) -> None:
    shop.workspace.plan_file.write_text(OPEN)
    visit = "https://shop.example.com/?utm_source="
    shop.land(
        "a.json",
        [
            track("Order Completed", 0, user="u1", label="1.20"),
            track("Order Completed", 1, user="u1", label=CODED),
            track("Order Completed", 2, user="u1", label="AB123456C"),
            track("Order Completed", 3, user="u1", label="no token: blanks"),
            track("Page Viewed", 4, user="u1", url=f"{visit}news", referrer="https://www.example.org/x"),
            track("Page Viewed", 5, user="u1", url=f"{visit}AB123456C"),
            {"type": "identify", "messageId": "m9", "userId": "u1", "timestamp": "2026-03-02T09:00:00Z",
             "traits": {"badge": CODED}},
        ],
    )  # fmt: skip


def test_what_is_caught_is_dropped_and_counted_by_type(shop: Shop) -> None:
    land(shop)
    shop.ingest()
    with shop.ledger() as ledger:
        dropped = {(d["event"], d["property"], d["reason"]): d["n_values"] for d in ledger.dropped()}
        files = [str(shop.workspace.staging / name / "events.parquet") for name in ledger.waiting_groups()]
        counted = ledger.batch_counts([1], [])[0]["misfit_values"]
    assert dropped == {
        ("Order Completed", "label", "looks like email"): 1,
        ("Order Completed", "label", "looks like national_id"): 1,
        ("Order Completed", "label", "does not fit its class"): 1,
        ("Page Viewed", "utm_source", "looks like national_id"): 1,
        ("(identify)", "badge", "looks like email"): 1,
    }
    assert counted == 5  # a batch in which much is caught is held back
    con = connect()
    try:
        rows = con.execute(
            "SELECT label, utm_source, referrer FROM read_parquet($files) ORDER BY occurred_at",
            {"files": files},
        ).fetchall()
    finally:
        con.close()
    assert rows == [
        ("1.20", None, None), *[(None, None, None)] * 3, (None, "news", "www.example.org"), (None, None, None)
    ]  # fmt: skip


def test_without_the_second_line_it_gets_through(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    land(shop)

    def nothing(values: pl.Series, *_: object) -> pl.Series:
        return pl.repeat(None, len(values), dtype=pl.String, eager=True)

    def found() -> set[str]:
        written = [
            path for path in shop.root.iterdir() if path.name != "raw" and path != shop.workspace.plan_file
        ]
        return {[MAIL, "AB123456C"][hit.value] for hit in scan(list[Path](written), [MAIL, "AB123456C"])}

    with monkeypatch.context() as patch:
        patch.setattr(second_line, "kinds_of", nothing)
        shop.ingest()
        assert found() == {MAIL, "AB123456C"}
    for folder in (shop.workspace.warehouse, shop.workspace.state):
        shutil.rmtree(folder)
    shop.ingest()
    assert found() == set()
