"""Retention: what is too old is written away and stays away; younger days keep their files."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from shop import PLAN, Shop, track

from headway.errors import DefinitionError
from headway.models.plan import parse_plan
from headway_pipelines.rights.journal import is_due
from headway_pipelines.rights.kept_values import with_kept
from headway_pipelines.rights.limits import limits_in_force
from headway_pipelines.rights.retention import Expired, expire
from headway_pipelines.warehouse.databases import replace_database

DAY = 24 * 60
#: The shop opens on 2 March 2026. Page views are kept for ten days, orders for 25 months.
SHORT = PLAN.replace("    properties:", "    retention: 10 days\n    properties:", 1)
LIMITED = f"""{SHORT}
person_properties:
  plan: {{class: enum, values: [free, pro]}}
limits: {{events: enforce}}
"""
ON = date(2026, 3, 14)
TABLES = ("lake", "actor_person", "people", "sessions")


def made(root: Path, plan: str = LIMITED) -> Shop:
    shop = Shop(root, plan=plan)
    shop.land(
        "a.json",
        [
            track("Page Viewed", 0, user="u1"),
            track("Page Viewed", DAY, user="u1"),
            track("Order Completed", DAY + 1, user="u1", amount=5),
            track("Page Viewed", 2 * DAY, user="u2"),
            track("Page Viewed", 5 * DAY, user="u2"),
        ],
    )
    shop.load()
    return shop


def expired(shop: Shop, today: date = ON) -> Expired:
    with shop.ledger() as ledger:
        return expire(shop.workspace, ledger, today=today)


def test_old_rows_go_and_other_days_keep_their_files(tmp_path: Path) -> None:
    shop = made(tmp_path / "shop")
    before = {p: p.stat().st_ino for p in shop.workspace.lake.rglob("day=*/*.parquet")}
    done = expired(shop)
    # ten days before 14 March is the 4th: page views of the 2nd and 3rd go, the order of the 3rd stays
    assert (done.events, done.days) == (2, ("2026-03-02", "2026-03-03"))
    assert shop.query("SELECT event, strftime(occurred_at, '%d') FROM lake ORDER BY ALL") == [
        ("Order Completed", "03"),
        ("Page Viewed", "04"),
        ("Page Viewed", "07"),
    ]
    with shop.ledger() as ledger:
        live = {shop.workspace.warehouse / path for path in ledger.lake_files()}
    kept = {p for p in live if before.get(p) == p.stat().st_ino}
    assert {p.parent.name for p in kept} == {"day=2026-03-04", "day=2026-03-07"}
    assert {p.parent.name for p in live - kept} == {"day=2026-03-03"}
    assert expired(shop) == Expired()


def test_what_is_gone_does_not_come_back(tmp_path: Path) -> None:
    shop = made(tmp_path / "shop")
    expired(shop)
    shop.land("late.json", [track("Page Viewed", 3, user="u1"), track("Page Viewed", 6 * DAY, user="u1")])
    shop.load()
    assert shop.outcomes()["past its retention"] == 3
    again = Shop(tmp_path / "again", plan=LIMITED)
    for name in ("raw", "state"):
        shutil.rmtree(again.root / name, ignore_errors=True)
        shutil.copytree(shop.root / name, again.root / name)
    again.load()
    for table in TABLES:
        columns = "* EXCLUDE (batch)" if table == "lake" else "*"
        query = f"SELECT {columns} FROM {table} ORDER BY ALL"
        assert shop.query(query) == again.query(query), table


def test_it_is_off_unless_the_plan_says_so(tmp_path: Path) -> None:
    shop = made(tmp_path / "shop", LIMITED.replace("limits: {events: enforce}", ""))
    assert expired(shop, date(2099, 1, 1)) == Expired()
    assert limits_in_force(shop.workspace) == {}
    with shop.ledger() as ledger:
        assert not is_due(ledger, date(2099, 1, 1))


def test_every_day_is_looked_at_once_and_limits_never_go_back(tmp_path: Path) -> None:
    shop = made(tmp_path / "shop")
    expired(shop)
    with shop.ledger() as ledger:
        assert not is_due(ledger, ON) and is_due(ledger, date(2026, 3, 15))
    longer = LIMITED.replace("retention: 10 days", "retention: 20 days")
    (shop.root / "tracking_plan.yml").write_text(longer)
    expired(shop)
    assert limits_in_force(shop.workspace)["Page Viewed"] == date(2026, 3, 4)


def test_values_over_periods_that_are_gone_stay(tmp_path: Path) -> None:
    shop = made(tmp_path / "shop")
    values = pl.DataFrame(
        {
            "metric": ["views", "views"],
            "period_start": [date(2026, 3, 2), date(2026, 3, 9)],
            "value": [2.0, 7.0],
            "as_of": [datetime(2026, 3, 10)] * 2,
        }
    )
    replace_database(shop.workspace.metrics_db, {"metric_values": values})
    expired(shop)
    anew = values.with_columns(value=pl.lit(1.0), as_of=pl.lit(datetime(2026, 3, 14)))
    kept = with_kept(shop.workspace, anew).sort("period_start")
    assert kept["value"].to_list() == [2.0, 1.0]
    assert kept["as_of"].dt.day().to_list() == [10, 14]


def test_limits_are_no_part_of_what_is_read() -> None:
    assert parse_plan(LIMITED).hash == parse_plan(LIMITED.replace("enforce", "'off'")).hash


@pytest.mark.parametrize("wrong", ["{events: perhaps}", "{raw: 6}", "{raw: soon}", "{dagster: 1 day}"])
def test_mistakes_are_told(wrong: str) -> None:
    with pytest.raises(DefinitionError, match=r"tracking_plan\.yml:"):
        parse_plan(LIMITED.replace("{events: enforce}", wrong))
