"""Amounts in several currencies: turned into one by the rate of their day, and what has no rate is said."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import headway as hw
from headway.engine import connect
from headway.errors import InputError
from headway.experiments.from_metrics import outcome_of
from headway.models.metrics import Amount, Count

START = datetime(2026, 3, 2)
#: Of each arm: two pay in euros, one in dollars, one in a currency that nobody told a rate of.
PAID = [(10.0, "EUR"), (30.0, None), (100.0, "USD"), (7.0, "SEK")]


def _add(con: Any, name: str, frame: pl.DataFrame) -> None:
    con.register("given", frame)
    con.execute(f"CREATE TABLE {name} AS FROM given")


def asked(rates: bool = True, **options: Any) -> dict[str, dict[str, Any]]:
    rows: list[tuple[Any, ...]] = []
    for variant in ("old", "new"):
        for unit, (amount, currency) in enumerate(PAID):
            who = f"{variant}{unit}"
            more = 1.0 if variant == "old" else 2.0
            rows += [
                (who, "Exposed", START, variant, None, None),
                (who, "Paid", START + timedelta(days=1), None, more * amount, currency),
                (who, "Refunded", START + timedelta(days=1), None, 1.0, currency),
            ]
    names = ("person", "event", "occurred_at", "variant", "amount", "money")
    con = connect()
    _add(con, "events", pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None))
    if rates:
        # The rate of Friday holds on Monday.
        told = [(date(2026, 2, 27), "USD", 0.5), (date(2026, 3, 20), "USD", 9.0)]
        _add(con, "exchange_rates", pl.DataFrame(told, schema=("day", "currency", "rate"), orient="row"))
    outcome = hw.Outcome("revenue", "Paid", "sum:amount", minus="Refunded", currency="money", within="7d")
    given: dict[str, Any] = {"currency": "EUR", "before": None, **options}
    log = hw.EventLog((con, "events"), horizon=START + timedelta(days=30))
    found = hw.Experiment("test", ["old", "new"], [outcome], exposure="Exposed", **given).run(log)
    con.close()
    return {row["variant"]: row for row in found.rows}


def test_amounts_are_turned_into_one_currency_by_the_rate_of_their_day() -> None:
    rows = asked()
    assert rows["old"]["mean"] == pytest.approx((10 - 1 + 30 - 1 + 0.5 * (100 - 1)) / 4)
    assert rows["new"]["effect"] == pytest.approx((10 + 30 + 50) / 4)
    # Two of each arm: what was paid and what was given back.
    assert rows["new"]["caution"].endswith(
        "4 amounts are left out: no exchange rate of their currency is known"
    )


def test_without_rates_other_currencies_are_left_out_and_counted() -> None:
    rows = asked(rates=False)
    assert rows["old"]["mean"] == pytest.approx((9 + 29) / 4)
    assert "8 amounts are left out" in rows["new"]["caution"]


def test_an_experiment_must_say_into_which_currency() -> None:
    with pytest.raises(InputError, match="into which one they are turned"):
        asked(currency=None)


def test_a_metric_in_currencies_is_an_outcome() -> None:
    amount = Amount.model_validate(
        {"event": "Paid", "measure": "sum", "value": "amount", "currency": "money"}
    )
    metric = Count.model_validate(
        {
            "kind": "count",
            "title": "Revenue",
            "unit": "EUR",
            "of": amount,
            "framework": "aarrr",
            "stage": "revenue",
        }
    )
    assert outcome_of("revenue", metric).currency == "money"
