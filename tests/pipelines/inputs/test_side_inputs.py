"""Side inputs: every row is used or rejected with its line, and no text of a file goes further."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from shop import PLAN, PRODUCT, Shop, track

from headway.engine import connect
from headway.errors import InputError
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product
from headway_pipelines.inputs import attach_inputs, derive_inputs, input_counts, read_inputs
from headway_pipelines.warehouse.closed_work import closed_work
from headway_pipelines.warehouse.compute import compute
from headway_pipelines.warehouse.reading import tables_of


@pytest.fixture
def product() -> Product:
    return parse_product(PRODUCT, parse_plan(PLAN))


def _write(folder: Path, name: str, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_workspace_needs_no_side_inputs(tmp_path: Path, product: Product) -> None:
    assert read_inputs(tmp_path / "inputs", product) == {}


def test_rows_are_typed_and_the_products_currency_is_the_default(tmp_path: Path, product: Product) -> None:
    _write(tmp_path, "spend", "Day,Channel,Amount\n2026-03-02,email,12.50\n2026-03-02,email,7\n")
    read = read_inputs(tmp_path, product)["spend"]
    assert read.rows.rows() == [
        (date(2026, 3, 2), "email", 12.5, "EUR"),
        (date(2026, 3, 2), "email", 7.0, "EUR"),
    ]
    assert read.rejects.is_empty()


def test_a_row_is_used_or_rejected_with_its_line_and_its_cells_are_never_told(
    tmp_path: Path, product: Product
) -> None:
    rows = [
        "day,channel,amount,currency,name",
        "2026-03-02,email,12.50,USD,x",
        "02.03.2026,email,1,EUR,x",
        '2026-03-02,grizelda@example.com,1,EUR,"two',
        'lines"',
        "2026-03-02,email,-1,EUR,x",
        '2026-03-02,email,"1,5",EUR,x',
        "2026-03-02,email,1e400,EUR,x",
        "2026-03-02,email,,EUR,x",
        "2026-03-02,email,1,euro,x",
        "2026-03-02,email,1",
        "",
        "2026-03-03,direct,0,,x",
    ]
    _write(tmp_path, "spend", "\r\n".join(rows))
    read = read_inputs(tmp_path, product)["spend"]
    assert read.rows.rows() == [
        (date(2026, 3, 2), "email", 12.5, "USD"),
        (date(2026, 3, 3), "direct", 0.0, "EUR"),
    ]
    assert read.rejects.rows() == [
        ("spend", 3, "day is no date; write 2026-03-31"),
        ("spend", 5, "channel is none of the product's"),
        ("spend", 6, "amount is below 0"),
        ("spend", 7, "amount is no number; write 1250.50"),
        ("spend", 8, "amount is no number; write 1250.50"),
        ("spend", 9, "amount is empty"),
        ("spend", 10, "currency is no currency code; write three capital letters such as EUR"),
        ("spend", 11, "another number of cells than the header"),
    ]
    assert read.unread == 1
    assert "grizelda" not in str(read)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark_are_understood(
    separator: str, tmp_path: Path, product: Product
) -> None:
    text = "day,currency,rate\n2026-03-02,USD,0.92\n".replace(",", separator)
    _write(tmp_path, "exchange_rates", b"\xef\xbb\xbf" + text.encode())
    assert read_inputs(tmp_path, product)["exchange_rates"].rows.rows() == [(date(2026, 3, 2), "USD", 0.92)]


def test_a_rate_told_twice_counts_once_and_a_contradicting_one_not_at_all(
    tmp_path: Path, product: Product
) -> None:
    rows = [
        "2026-03-02,USD,0.92",
        "2026-03-02,USD,0.92",
        "2026-03-02,USD,0.93",
        "2026-03-02,EUR,1",
        "2026-03-02,GBP,0",
    ]
    _write(tmp_path, "exchange_rates", "day,currency,rate\n" + "\n".join(rows))
    read = read_inputs(tmp_path, product)["exchange_rates"]
    assert read.rows.rows() == [(date(2026, 3, 2), "USD", 0.92)]
    assert read.rejects.select("line", "reason").rows() == [
        (4, "contradicts an earlier row of the same day and currency"),
        (5, "currency is the product's own, whose rate is 1"),
        (6, "rate is not above 0"),
    ]


def test_the_name_of_a_holiday_is_not_read(tmp_path: Path, product: Product) -> None:
    _write(tmp_path, "holidays", "day,name\n2026-12-25,Christmas\n2026-12-25,Christmas Day\n")
    read = read_inputs(tmp_path, product)["holidays"]
    assert (read.rows.rows(), read.rejects.height, read.unread) == ([(date(2026, 12, 25),)], 0, 0)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("spending", "day\n", r"unknown side input 'spending'. Did you mean 'spend'\?"),
        ("alice@example.com", "day\n", "a file in inputs/ is no side input. Only spend.csv"),
        ("spend", "", "does not begin with a line that names its columns: day, channel, amount, currency"),
        ("spend", "day,chanel,amount\n", "Needed: day, channel, amount"),
        ("spend", "day,channel,amount,day\n", "a column twice"),
        ("spend", b"day,channel,amount\n2026-03-02,caf\xe9,1\n", "not UTF-8 text"),
        ("spend", 'day,channel,amount\n2026-03-02,"email"x,1\n', "line 2: a quotation mark is out of place"),
        ("spend", f"day,channel,amount\n2026-03-02,email,{'9' * 200_000}\n", "a cell is longer than 131072"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_an_error(
    name: str, text: str | bytes, says: str, tmp_path: Path, product: Product
) -> None:
    _write(tmp_path, name, text)
    with pytest.raises(InputError, match=says) as told:
        read_inputs(tmp_path, product)
    assert "caf" not in str(told.value) and "alice" not in str(told.value)


def test_logs_with_longer_cells_that_were_read_before_change_nothing(
    tmp_path: Path, product: Product
) -> None:
    _write(tmp_path, "spend", f"day,channel,amount\n2026-03-02,email,{'9' * 200_000}\n")
    before = csv.field_size_limit(1 << 20)
    try:
        with pytest.raises(InputError, match="a cell is longer than 131072"):
            read_inputs(tmp_path, product)
    finally:
        csv.field_size_limit(before)


def test_tables_follow_the_files(shop: Shop) -> None:
    inputs = shop.workspace.inputs
    _write(inputs, "holidays", "day\n2026-03-02\nsoon\n")
    spend = _write(inputs, "spend", "day,channel,amount\n2026-03-02,email,5\n")
    done = derive_inputs(shop.workspace)
    assert dict(done.rows) == {"holidays": 1, "spend": 1}
    assert dict(done.rejected) == {("holidays", "day is no date; write 2026-03-31"): 1}
    assert input_counts(shop.workspace).rows() == [
        ("holidays", "day is no date; write 2026-03-31", 1, 3),
        ("holidays", "used", 1, None),
        ("spend", "used", 1, None),
    ]
    spend.unlink()
    derive_inputs(shop.workspace)
    con = connect()
    try:
        attach_inputs(con, shop.workspace)
        assert con.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == [
            ("holidays",)
        ]
    finally:
        con.close()


def test_tickets_are_a_row_each_or_their_number_and_whose_they_were_is_not_read(
    tmp_path: Path, product: Product
) -> None:
    rows = [
        "day,team,tickets,ticket,assignee",
        "2026-03-02,core,,SHOP-1,grizelda@example.com",
        "2026-03-02,core,4,,",
        "2026-03-03,,2,,",
        "2026-03-03,core,1.5,,",
        "2026-03-03,core,-1,,",
        "2026-03-03,grizelda@example.com,1,,",
        "soon,core,1,,",
    ]
    _write(tmp_path, "work", "\n".join(rows))
    read = read_inputs(tmp_path, product)["work"]
    assert read.rows.rows() == [
        (date(2026, 3, 2), "core", 1.0),
        (date(2026, 3, 2), "core", 4.0),
        (date(2026, 3, 3), None, 2.0),
    ]
    assert read.unread == 1
    assert read.rejects.rows() == [
        ("work", 5, "tickets is no whole number"),
        ("work", 6, "tickets is below 0"),
        ("work", 7, "team is no short plain name such as v1.4.0, or looks personal"),
        ("work", 8, "day is no date; write 2026-03-31"),
    ]


def test_tickets_of_a_day_that_is_still_to_come_wait(shop: Shop) -> None:
    text = "day,team,tickets\n2026-03-02,core,3\n2026-03-30,core,2\n2026-04-02,core,1\n2026-03-05,,4\n"
    _write(shop.workspace.inputs, "work", text)
    derive_inputs(shop.workspace)
    con = connect()
    try:
        attach_inputs(con, shop.workspace)
        found = closed_work(con, date(2026, 4, 1))["closed_work"].rows()
    finally:
        con.close()
    march = date(2026, 3, 1)
    assert sorted(found, key=str) == [(march, "core", 5), (march, None, 4)]


def test_amounts_in_other_currencies_count_once_rates_are_there(shop: Shop) -> None:
    plan, product = shop.workspace.plan_file, shop.workspace.product_file
    plan.write_text(
        plan.read_text().replace(
            "      items:", "      currency: {class: enum, values: [EUR, USD]}\n      items:"
        )
    )
    product.write_text(
        product.read_text().replace(
            "funnels:",
            """  revenue:
    {framework: aarrr, stage: revenue, title: Revenue, unit: EUR, kind: count,
     of: {event: Order Completed, measure: sum, value: amount, currency: currency}}
funnels:""",
        )
    )
    orders = [("EUR", 10.0), ("USD", 20.0)]
    shop.land(
        "a.json",
        [
            track("Order Completed", n, user=f"u{n}", amount=amount, currency=code)
            for n, (code, amount) in enumerate(orders)
        ],
    )
    shop.load()

    def revenue() -> tuple[float, int]:
        with shop.ledger() as ledger:
            derive_inputs(shop.workspace)
            compute(shop.workspace, ledger)
        tables = tables_of(shop.workspace.metrics_db)
        cell = tables["metric_values"].filter(metric="revenue", segment="all", period="week")
        left_out = (
            tables["metric_exclusions"].filter(metric="revenue").filter(pl.col("reason").str.contains("rate"))
        )
        return float(cell["value"].sum()), int(left_out["n_events"].sum())

    assert revenue() == (10.0, 1)
    _write(shop.workspace.inputs, "exchange_rates", "day,currency,rate\n2026-03-01,USD,0.9\n")
    assert revenue() == (28.0, 0)
