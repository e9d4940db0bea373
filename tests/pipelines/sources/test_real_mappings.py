"""Real tables that need no adapter, only a mapping: the counts that were published, or computed elsewhere."""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headway_pipelines.sources.config import parse_sources

Run = Callable[..., Any]

MESSAGES = """
sources:
  messages:
    format: delimited
    separator: whitespace
    event: {value: Message Sent}
    user: Source
    time: {column: Timestamp, format: s}
    properties: {receiver: Destination}
"""
INVOICES = """
sources:
  invoices:
    format: delimited
    event: {value: Item Invoiced}
    user: CustomerID
    device: InvoiceNo   # stands for the customer where nobody noted one
    time: {column: InvoiceDate}
    properties: {invoice: InvoiceNo, stock: StockCode, quantity: Quantity, price: UnitPrice, country: Country}
"""
ITEMS = """
  Item Invoiced:
    properties:
      invoice: {class: id, domain: invoice}
      stock: {class: id, domain: stock}
      country: {class: id, domain: country}
      quantity: {class: integer}
      price: {class: number}
"""


def test_messages_of_students(data: Path, clean: Run) -> None:
    (source,) = parse_sources(MESSAGES)
    # Who receives is a user too: one domain makes both comparable.
    plan = "\n  Message Sent: {properties: {receiver: {class: id, domain: user}}}"
    result = clean(data / "college_msg" / "CollegeMsg.txt.gz", source, plan)
    assert result.outcomes == {"event": 59_835}
    everyone = "SELECT actor FROM events UNION SELECT receiver FROM events"
    pairs = "SELECT DISTINCT actor, receiver FROM events"
    assert result.rows(f"SELECT (SELECT count(*) FROM ({everyone})), (SELECT count(*) FROM ({pairs}))") == [
        (1_899, 20_296)
    ]
    times = "SELECT count(DISTINCT actor), date_sub('day', min(occurred_at), max(occurred_at)) FROM events"
    assert result.rows(times) == [(1_350, 193)]
    # Equal lines are messages of their own: in 36 cases there are several within one second.
    assert result.rows("SELECT count(DISTINCT event_id) FROM events") == [(59_835,)]
    several = "SELECT 1 FROM events GROUP BY actor, receiver, occurred_at HAVING count(*) > 1"
    assert len(result.rows(several)) == 36


def first_days(data: Path) -> Iterator[list[str]]:
    """The header and the rows of the first five days; the file is in order of time."""
    with gzip.open(
        data / "online_retail" / "online_retail.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        rows = csv.reader(file)
        yield next(rows)
        for row in rows:
            if row[4] >= "2010-12-06":
                return
            yield row


INVOICE_TOTALS = """
    SELECT count(*), count(DISTINCT invoice), count(DISTINCT stock), count_if(price <= 0),
        CAST(sum(CAST(quantity * CAST(price AS DECIMAL(12, 4)) AS DECIMAL(18, 4))) AS DECIMAL(18, 2))
    FROM events"""
BEFORE_THE_GATE = """
    SELECT count_if(user_raw IS NULL), count_if(starts_with(properties['invoice'], 'C')),
        count_if(starts_with(properties['invoice'], 'A')), count(*) - count(DISTINCT content)
    FROM shape"""


def test_some_days_of_a_shop_s_invoices(tmp_path: Path, data: Path, clean: Run, shape: Run) -> None:
    header, *rows = first_days(data)
    path = tmp_path / "invoices.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    (source,) = parse_sources(INVOICES)
    result = clean(path, source, ITEMS)
    # The naive way.
    total = sum((int(row[3]) * Decimal(row[5]) for row in rows), Decimal(0))
    free = sum(Decimal(row[5]) <= 0 for row in rows)
    assert result.rows(INVOICE_TOTALS) == [
        (len(rows), len({row[0] for row in rows}), len({row[1] for row in rows}), free, round(total, 2))
    ]
    customers = {row[6] for row in rows if row[6]}
    assert result.rows("SELECT count(DISTINCT person_actor) FROM links") == [(len(customers),)]
    copies = sum(n - 1 for n in Counter(map(tuple, rows)).values())
    kinds = Counter(row[0][0] for row in rows)
    assert shape(path, source).execute(BEFORE_THE_GATE).fetchall() == [
        (sum(not row[6] for row in rows), kinds["C"], kinds["A"], copies)
    ]


@pytest.mark.skipif(not os.environ.get("HEADWAY_FULL"), reason="the whole year takes many seconds")
def test_a_year_of_a_shop_s_invoices(data: Path, clean: Run, shape: Run) -> None:
    path = data / "online_retail" / "online_retail.csv.gz"
    (source,) = parse_sources(INVOICES)
    result = clean(path, source, ITEMS)
    assert result.outcomes == {"event": 541_909}
    assert result.rows(INVOICE_TOTALS) == [(541_909, 25_900, 4_070, 2_517, Decimal("9747747.93"))]
    assert result.rows("SELECT count(DISTINCT country) FROM events") == [(38,)]
    assert result.rows("SELECT count(DISTINCT person_actor) FROM links") == [(4_372,)]
    con = shape(path, source)
    assert con.execute(BEFORE_THE_GATE).fetchall() == [(135_080, 9_288, 3, 5_268)]
    kept = "SELECT * FROM shape WHERE user_raw IS NOT NULL AND NOT starts_with(properties['invoice'], 'C')"
    sums = "sum(properties['quantity']::INTEGER * properties['price']::DECIMAL(12, 4))::DECIMAL(18, 2)"
    counts = f"count(*), count(DISTINCT user_raw), count(DISTINCT properties['invoice']), {sums}"
    assert con.execute(f"SELECT {counts} FROM ({kept})").fetchall() == [
        (397_924, 4_339, 18_536, Decimal("8911407.90"))
    ]
