"""The recipe of `headway_pipelines.sources`, followed: a source for an export nobody knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway.engine import bind
from headway.errors import HeadwayError
from headway_pipelines.sources.shape import Reader, Source

TILL_SQL = """
-- Receipts of a shop's till as events of the common shape.
-- grain:  one row per row of the export
-- inputs: frames(batch, line, position, record, fields)
-- params: $zone, the shop's time zone
SELECT
    batch, line, position,
    CASE WHEN fields['kind'] IN ('sale', 'refund') THEN 'event' ELSE 'not a receipt' END AS outcome,
    CASE fields['kind'] WHEN 'sale' THEN 'Order Completed' WHEN 'refund' THEN 'Order Refunded' END AS event,
    fields['card'] AS user_raw,
    fields['shop'] AS account_raw,
    fields['receipt'] AS message_id,
    record AS content,
    CAST(timezone($zone, try_strptime(fields['when'], '%d.%m.%Y %H:%M')) AS TIMESTAMP) AS occurred_at,
    occurred_at AS client_at,
    MAP {'amount': replace(fields['total'], ',', '.'), 'cashier': fields['cashier']} AS properties
FROM frames
"""
EXPORT = """receipt;kind;card;shop;when;total;cashier
r1;sale;4711;north;29.03.2026 01:30;12,50;Ada Fixture
r2;sale;4712;north;29.03.2026 03:30;7,00;Ada Fixture
r3;refund;4711;south;29.03.2026 12:00;12,50;"Grace ""G"" Fixture"
;drawer opened;;north;29.03.2026 12:01;;Ada Fixture
r5;sale;4713
"""
PLAN = """
  Order Completed: &order
    properties: {amount: {class: number, min: 0}, cashier: {class: sensitive}}
  Order Refunded: *order
"""


def till(zone: str) -> Source:
    reader = Reader("delimited", ";", required=("receipt", "kind", "card", "when"))
    return Source("till", "till", bind(TILL_SQL, {"zone": zone}), reader, ("till/*.csv",))


def test_own_source(tmp_path: Path, shape: Callable[..., Any], clean: Callable[..., Any]) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text(EXPORT, encoding="utf-8")
    rows = shape(path, till("Europe/Berlin")).execute("SELECT outcome, occurred_at FROM shape ORDER BY line")
    # The clocks go forward between the first receipt and the second.
    assert rows.fetchall()[:2] == [
        ("event", dt.datetime(2026, 3, 29, 0, 30)),
        ("event", dt.datetime(2026, 3, 29, 1, 30)),
    ]
    result = clean(path, till("Europe/Berlin"), PLAN)
    assert result.outcomes == {"event": 3, "not a receipt": 1, "wrong number of fields": 1}
    assert result.rows("SELECT event, amount FROM events ORDER BY line") == [
        ("Order Completed", 12.5),
        ("Order Completed", 7.0),
        ("Order Refunded", 12.5),
    ]
    assert result.rows("SELECT count(DISTINCT actor), count(DISTINCT account) FROM events") == [(2, 2)]
    assert result.dropped == {
        ("Order Completed", "cashier", "sensitive"): 2,
        ("Order Refunded", "cashier", "sensitive"): 1,
    }
    assert not [text for text in ("Ada", "Grace", "4711", "r1", "north") if text in result.stored()]


def test_a_source_that_loses_rows_is_refused(tmp_path: Path, clean: Callable[..., Any]) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text(EXPORT, encoding="utf-8")
    whole = till("UTC")
    lossy = Source("till", "till", whole.shape_sql + "WHERE fields['kind'] = 'sale'", whole.reader)
    with pytest.raises(HeadwayError, match="lost 2 lines"):
        clean(path, lossy, PLAN)
