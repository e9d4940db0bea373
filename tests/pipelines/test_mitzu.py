"""A published log of subscriptions, from its CSV through the whole pipeline to the values that others found.

The data and its published answers: ../shared/data/README.md. What metrics make of the same events without a pipeline is
in tests/metrics/frameworks/test_real_answers.py.
"""

from __future__ import annotations

import csv
import secrets
import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from command_line import run_here

from headway.engine import connect

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "mitzu_samples" / "subscriptions.csv"
PLAN = """
version: 1
product: subscriptions
defaults: {purpose: test, owner: test, retention: 60 months}
events:
  New Subscription:
  Renewed:
"""
SOURCES = """
sources:
  billing:
    format: delimited
    files: ["*.csv"]
    event: {column: event_type, names: {new_subscription: New Subscription, renewed_subscription: Renewed}}
    user: user_id
    time: {column: event_time, timezone: UTC}
    properties: {}
"""
PRODUCT = """
name: Subscriptions
timezone: UTC
currency: USD
activity: [New Subscription, Renewed]
grains: [month]
metrics:
  renewing: {framework: aarrr, stage: activation, title: Renewing, unit: percent, kind: conversion,
             start: New Subscription, reach: Renewed, within: 7d}
  renewals: {framework: heart, stage: engagement, title: Renewals, unit: renewals, kind: count, of: Renewed}
  churn: {framework: aarrr, stage: retention, title: Churn, unit: percent, kind: lifecycle,
          of: [New Subscription, Renewed], part: churn}
"""
MONTHS = [date(2021, month, 1) for month in range(1, 7)]


@pytest.fixture(scope="module")
def values(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[tuple[str, date], tuple[float | None, float | None, float | None]]:
    """Value, numerator and denominator of everybody, by metric and month."""
    if not DATA.exists():
        pytest.skip("the real data sets are not here: ../shared/data")
    root = tmp_path_factory.mktemp("mitzu") / "shop"
    (root / "raw").mkdir(parents=True)
    for name, text in {"tracking_plan": PLAN, "sources": SOURCES, "product": PRODUCT}.items():
        (root / f"{name}.yml").write_text(text)
    shutil.copy(DATA, root / "raw")
    key = root.parent / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    done = run_here("run", "-w", str(root), cwd=root.parent, key_file=key)
    assert done.returncode == 0, done.stderr
    con = connect(root / "warehouse" / "headway.duckdb", read_only=True)
    try:
        rows = con.execute(
            "SELECT metric, period_start, value, numerator, denominator FROM metric_values WHERE segment = 'all'"
        ).fetchall()
    finally:
        con.close()
    return {(metric, start): (value, top, bottom) for metric, start, value, top, bottom in rows}


def test_the_published_answers(
    values: dict[tuple[str, date], tuple[float | None, float | None, float | None]],
) -> None:
    assert values["renewing", MONTHS[0]][1:] == (919, 1_000)
    assert [values["renewals", month][0] for month in MONTHS] == [919, 878, 707, 606, 505, 404]


def test_who_left_is_who_is_missing(
    values: dict[tuple[str, date], tuple[float | None, float | None, float | None]],
) -> None:
    with DATA.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    by_month = {m: {r["user_id"] for r in rows if r["event_time"][:7] == m.isoformat()[:7]} for m in MONTHS}
    for before, month in pairwise(MONTHS):
        gone = len(by_month[before] - by_month[month])
        assert values["churn", month][1:] == (gone, len(by_month[before]))
