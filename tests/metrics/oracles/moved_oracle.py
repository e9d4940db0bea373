"""Cells as they are published, and what moved in them by plain Python: a second opinion on `headway.moved`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import polars as pl

from headway.frameworks.values import SCHEMA

Row = dict[str, Any]
HIDDEN = "fewer than 10 people, or would reveal so few"
NOBODY = "no people in the denominator"
PUBLISHED = {k: v for k, v in SCHEMA.items() if k not in ("contributors", "effective", "estimate")}


def cell(
    start: date,
    value: float | None = None,
    of: float | None = None,
    *,
    segment: str = "all",
    period: str = "week",
    metric: str = "m",
    scale: float = 1.0,
    **more: Any,
) -> Row:
    """One published cell: `value` is the numerator where there is a denominator `of`, else the value itself."""
    rate = value if of is None or value is None else scale * value / of if of else None
    row: Row = dict.fromkeys(PUBLISHED)
    row |= {
        "metric": metric,
        "framework": "aarrr",
        "stage": "activation",
        "segment": segment,
        "period": period,
    }
    row |= {"period_start": start, "value": rate, "numerator": value, "denominator": of, "unit": "percent"}
    row |= {"people": None if of is None else int(of), "complete": True, "suppressed": False}
    row |= {"definition_hash": "a", "code_version": "1", "reason": NOBODY if of == 0 else None}
    return row | more


def hidden(row: Row) -> Row:
    """The cell as it is published where it is hidden."""
    gone = dict.fromkeys(("value", "numerator", "denominator", "people", "low", "high", "interval_method"))
    return row | gone | {"suppressed": True, "reason": HIDDEN}


def table(rows: Iterable[Row]) -> pl.DataFrame:
    """The published table."""
    return pl.DataFrame(list(rows), schema=PUBLISHED, orient="row")


def earlier(start: date, period: str, compared_with: str) -> date:
    """The first day of the period another is compared with."""
    if period == "month":
        back = 1 if compared_with == "previous" else 12
        months = start.year * 12 + start.month - 1 - back
        return date(months // 12, months % 12 + 1, 1)
    days = {"day": 1, "week": 7, "rolling_7d": 7, "rolling_28d": 28}[period]
    return start - timedelta(364 if compared_with == "last year" else days)


def usable(row: Row | None, first_day: date | None) -> bool:
    """Whether a cell's period is whole and its value shown."""
    return whole(row, first_day) and row is not None and row["value"] is not None


def whole(row: Row | None, first_day: date | None) -> bool:
    return row is not None and row["complete"] and (first_day is None or row["period_start"] >= first_day)


def latest(
    rows: Iterable[Row], first_day: date | None, most: Mapping[str, int]
) -> set[tuple[str, str, date]]:
    """The latest whole periods of each metric, by the cells of everybody."""
    found: dict[tuple[str, str], list[date]] = {}
    for row in rows:
        if row["segment"] == "all" and whole(row, first_day):
            found.setdefault((row["metric"], row["period"]), []).append(row["period_start"])
    return {
        (metric, period, start)
        for (metric, period), starts in found.items()
        for start in sorted(set(starts))[-most[period] :]
    }


Key = tuple[str, str, str, date, str]


def naive_changes(
    rows: list[Row], first_day: date | None, most: Mapping[str, int]
) -> dict[Key, float | None]:
    """The change of every cell; None where it is not known."""
    by_key = {(r["metric"], r["segment"], r["period"], r["period_start"]): r for r in rows}
    wanted = latest(rows, first_day, most)
    out: dict[Key, float | None] = {}
    for (metric, segment, period, start), row in by_key.items():
        if (metric, period, start) not in wanted:
            continue
        for compared_with in ("previous", "last year"):
            before = by_key.get((metric, segment, period, earlier(start, period, compared_with)))
            fine = usable(row, first_day) and usable(before, first_day)
            same = before is not None and before["definition_hash"] == row["definition_hash"]
            change = row["value"] - before["value"] if fine and same and before else None
            out[metric, segment, period, start, compared_with] = change
    return out


def exact_effects(
    after: Mapping[str, tuple[int, int]], before: Mapping[str, tuple[int, int]], scale: int = 1
) -> dict[str, tuple[Fraction, Fraction]]:
    """Mix and rate effect of each label by Kitagawa's formulas in fractions, from numerators and denominators."""

    def rate(cells: Iterable[tuple[int, int]]) -> Fraction:
        parts = list(cells)
        return scale * Fraction(sum(y for y, _ in parts), sum(x for _, x in parts))

    total1, total0 = sum(x for _, x in after.values()), sum(x for _, x in before.values())
    middle = (rate(after.values()) + rate(before.values())) / 2
    out = {}
    for label in after:
        (y1, x1), (y0, x0) = after[label], before[label]
        w1, w0 = Fraction(x1, total1), Fraction(x0, total0)
        if x1 and x0:
            r1, r0 = rate([(y1, x1)]), rate([(y0, x0)])
            out[label] = ((w1 - w0) * ((r1 + r0) / 2 - middle), (w1 + w0) / 2 * (r1 - r0))
        else:
            came = Fraction(scale * y1, total1) - Fraction(scale * y0, total0)
            out[label] = (came - (w1 - w0) * middle, Fraction(0))
    return out
