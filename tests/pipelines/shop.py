"""A small shop: a workspace in a temporary folder and logs written as data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import polars as pl

from headway.engine import connect
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.ingest import Ingested, ingest
from headway_pipelines.inputs import attach_inputs
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import attach_lake, promote
from headway_pipelines.people.derive import TABLES, derive_people
from headway_pipelines.people.sessions import derive_sessions
from headway_pipelines.quality import judge as judging
from headway_pipelines.quality.batches import Verdict, judge_batches
from headway_pipelines.store import derive_store, sweep_store
from headway_pipelines.warehouse.compute import attach_people, horizon_of, renewed_values
from headway_pipelines.warehouse.kept_values import remember
from headway_pipelines.workspace import Workspace

PLAN = """
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Page Viewed:
    properties:
      url: {class: url, hosts: [shop.example.com], paths: ["/", "/p/*"], query: [utm_source, utm_medium]}
      referrer: {class: url, keep: host}
      title: {class: text}
  Signed Up:
    properties:
      method: {class: enum, values: [email, google]}
  Order Completed:
    properties:
      amount: {class: number, min: 0, max: 10000, unit: EUR}
      items: {class: integer, min: 1, max: 100}
      gift: {class: bool}
      delivered_at: {class: timestamp}
      version: {class: token, pattern: "[0-9]+[.][0-9]+"}
      order_id: {class: id, domain: order}
      email: {class: sensitive}
"""

PRODUCT = """
name: Shop
timezone: Europe/Berlin
week_start: monday
currency: EUR
activity: [Page Viewed, Order Completed]
channels:
  - {name: email, where: "utm_medium = 'email'"}
metrics:
  new_people:
    framework: aarrr
    stage: acquisition
    title: New people
    unit: people
    kind: new_people
  buying:
    framework: aarrr
    stage: activation
    title: Sign-ups that buy
    unit: percent
    kind: conversion
    start: Signed Up
    reach: Order Completed
    within: 7d
funnels:
  buying: {title: Buying, steps: [Page Viewed, Signed Up, Order Completed], within: 14d}
retentions:
  visiting: {title: Visiting, start: Signed Up, returning: Page Viewed, period: week, periods: 4}
"""

START = datetime(2026, 3, 2, 9)
#: When values are computed.
LATER = datetime(2026, 6, 1)


def at(minutes: float) -> str:
    """An instant, minutes after the shop's first morning."""
    return (START + timedelta(minutes=minutes)).isoformat(timespec="milliseconds") + "Z"


def track(
    event: str, minutes: float, *, user: str | None = None, device: str | None = None, **more: Any
) -> dict[str, Any]:
    """One Segment call. `received` (minutes) and `id` may be given; other names are properties."""
    received = more.pop("received", minutes)
    call = {
        "type": "track",
        "event": event,
        "messageId": more.pop("id", None) or f"{event}-{minutes}-{user}-{device}",
        "timestamp": at(minutes),
        "originalTimestamp": at(minutes),
        "receivedAt": at(received),
        "properties": more,
    }
    return call | {k: v for k, v in (("userId", user), ("anonymousId", device)) if v is not None}


@dataclass
class Shop:
    """A workspace under test."""

    root: Path
    plan: str = PLAN
    product: str = PRODUCT
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "tracking_plan.yml").write_text(self.plan)
        (self.root / "product.yml").write_text(self.product)
        self.workspace = Workspace.at(self.root)
        self.workspace.raw.mkdir(exist_ok=True)

    def land(self, name: str, calls: Iterable[Mapping[str, Any] | str | bytes]) -> Path:
        """Writes a raw file; texts and bytes are written as they are."""
        lines = [
            c if isinstance(c, bytes) else (c if isinstance(c, str) else json.dumps(c)).encode()
            for c in calls
        ]
        path = self.workspace.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = b"".join(line + b"\n" for line in lines)
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    def ingest(self) -> Ingested:
        with self.ledger() as ledger:
            return ingest(self.workspace, ledger)

    def judge(self) -> Verdict:
        """Judges by the bounds alone; `judge_as_runs_do` asks Great Expectations."""
        with by_bounds():
            return self.judge_as_runs_do()

    def judge_as_runs_do(self) -> Verdict:
        with self.ledger() as ledger:
            return judge_batches(self.workspace, ledger)

    def promote(self) -> dict[str, int]:
        with self.ledger() as ledger:
            return promote(self.workspace, ledger)

    def load(self) -> dict[str, int]:
        """Ingest, judge, promote, stitch: everything up to people, sessions and their store."""
        self.ingest()
        self.judge()
        days = self.promote()
        with self.ledger() as ledger:
            derive_people(self.workspace, ledger)
            derive_sessions(self.workspace, ledger)
            derive_store(self.workspace, ledger)
            sweep_store(self.workspace)
        return days

    def values(self) -> tuple[pl.DataFrame, str]:
        """Computes the metric values from what was kept of them; with the reason where everything was computed."""
        product = load_product(self.workspace.product_file, load_plan(self.workspace.plan_file))
        con = connect()
        try:
            with self.ledger() as ledger:
                attach_people(con, self.workspace, ledger)
                attach_inputs(con, self.workspace)
                horizon = horizon_of(con, LATER)
                found = renewed_values(con, self.workspace, ledger, product, horizon, LATER)
                remember(con, self.workspace, ledger, product, found.kept)
        finally:
            con.close()
        return found.values, found.anew

    def ledger(self) -> _OpenLedger:
        return _OpenLedger(self.workspace)

    def outcomes(self) -> dict[str, int]:
        with self.ledger() as ledger:
            return {o["outcome"]: o["lines"] for o in ledger.outcomes()}

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Asks the views `lake`, `links`, and the tables of the people's folder where they exist."""
        con = _engine().cursor()
        with self.ledger() as ledger:
            attach_lake(con, self.workspace, ledger)
        for name in (*TABLES, "sessions", "person_properties", "account_properties"):
            path = self.workspace.people / f"{name}.parquet"
            if path.exists():
                con.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet('{path}')")
        try:
            return con.execute(text).fetchall()
        finally:
            con.close()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """Opened once: most questions take less time than that. Every question makes its views anew."""
    return connect()


@contextmanager
def by_bounds() -> Iterator[None]:
    """Judges without Great Expectations, which takes half of the time of a small load.

    It confirms nothing but the bounds: test_quality.py compares the two.
    """

    def validate(frame: pl.DataFrame, rules: Sequence[judging.Rule]) -> list[bool]:
        return [not judging._outside(frame, rule) for rule in rules]

    with mock.patch.object(judging, "_validate", validate):
        yield


class _OpenLedger:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __enter__(self) -> Ledger:
        self._ledger = Ledger(self._workspace.ledger_file)
        return self._ledger

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
