"""A shop's invoices, counted without a database: what `docs/examples/online_retail` must come to."""

from __future__ import annotations

import csv
import gzip
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
DAY = 86_400
Cells = dict[date, tuple[float | None, float | None]]
"""First day of a month -> numerator and denominator; a count has no denominator."""


class Line(NamedTuple):
    """A line of an invoice, or of a credit note; `second` counts from 1970."""

    invoice: str
    quantity: int
    price: float
    second: float
    month: date
    customer: str
    country: str

    @property
    def back(self) -> bool:
        return self.invoice.startswith("C")

    @property
    def value(self) -> float:
        return self.quantity * self.price


class Order(NamedTuple):
    """An invoice or a credit note, at the time of its earliest line."""

    second: float
    month: date
    customer: str
    back: bool


def rows_of(file: Path, until: str) -> tuple[list[str], list[list[str]]]:
    """Header, and the rows before a day; the file is in order of time."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        header = next(rows)
        return header, list(takewhile(lambda row: row[4] < until, rows))


def some(rows: Iterable[list[str]], customers: int, seed: int) -> list[list[str]]:
    """The rows of a few customers, and about as large a part of those without one, invoice by invoice."""
    rows = list(rows)
    draw = random.Random(seed)
    everybody = sorted({row[6] for row in rows if row[6]})
    over_the_counter = sorted({row[0] for row in rows if not row[6]})
    kept = set(draw.sample(everybody, customers))
    invoices = set(draw.sample(over_the_counter, len(over_the_counter) * customers // len(everybody)))
    return [row for row in rows if (row[6] in kept if row[6] else row[0] in invoices)]


def write(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes them as they came."""
    with gzip.open(file, "wt", encoding="utf-8", newline="", compresslevel=1) as text:
        csv.writer(text).writerows([header, *rows])


class Books:
    """The shop's books: every number of the example, by hand."""

    def __init__(self, rows: Iterable[Sequence[str]]) -> None:
        self.nobody = 0
        self.lines: list[Line] = []
        for invoice, _, _, quantity, at, price, customer, country in rows:
            if not customer:
                self.nobody += 1
                continue
            moment = datetime.fromisoformat(at).replace(tzinfo=LONDON)
            second, month = moment.timestamp(), moment.date().replace(day=1)
            self.lines.append(Line(invoice, int(quantity), float(price), second, month, customer, country))

    @cached_property
    def notes(self) -> list[Order]:
        first: dict[str, Line] = {}
        for line in self.lines:
            known = first.get(line.invoice)
            first[line.invoice] = line if known is None or line.second < known.second else known
        return sorted(Order(line.second, line.month, line.customer, line.back) for line in first.values())

    @property
    def orders(self) -> list[Order]:
        return [note for note in self.notes if not note.back]

    @property
    def sold(self) -> list[Line]:
        return [line for line in self.lines if not line.back]

    @property
    def returned(self) -> list[Line]:
        return [line for line in self.lines if line.back]

    @cached_property
    def months(self) -> list[date]:
        """Every month from the first to the last; none is without sales."""
        return sorted({line.month for line in self.lines})

    def cells(self) -> dict[str, Cells]:
        """Numerator and denominator of every metric of the example, by month."""
        sales, revenue = total(self.sold), total(self.lines)
        active = people(self.orders)
        orders = count(self.orders)
        back = {m: -v for m, v in total(self.returned).items()}
        return {
            "new_customers": self._counted(people(first_of(self.notes))),
            "second_order": self._again(0, 90, 1),
            "back_in_second_month": self._again(30, 60, 0),
            "sales": self._counted(sales),
            "revenue": self._counted(revenue),
            "orders": self._counted(orders),
            "customers": self._counted(active),
            "revenue_per_customer": self._divided(revenue, active),
            "order_value": self._divided(sales, orders),
            "orders_per_customer": self._divided(orders, active),
            "buying_by_the_carton": self._divided(
                people([line for line in self.sold if line.quantity >= 48]), people(self.sold)
            ),
            "returned_lines": self._divided(count(self.returned), count(self.sold)),
            "returned_value": self._divided(back, sales),
            "value_90d": self._value(90),
            **self._lifecycle(),
        }

    def _counted(self, found: dict[date, float]) -> Cells:
        return {month: (found.get(month, 0), None) for month in self.months}

    def _divided(self, top: dict[date, float], bottom: dict[date, float]) -> Cells:
        return {month: (top.get(month, 0), bottom.get(month, 0)) for month in self.months}

    def _again(self, after: int, until: int, inclusive: int) -> Cells:
        """Of those whose first order falls in the month, who order again in the window."""
        seconds: dict[str, list[float]] = defaultdict(list)
        for order in self.orders:
            seconds[order.customer].append(order.second)
        starts = first_of(self.orders)
        reached = [
            start
            for start in starts
            if any(
                start.second + after * DAY <= later < start.second + until * DAY + inclusive * 1e-6
                for later in seconds[start.customer][1:]
            )
        ]
        return self._divided(count(reached), count(starts))

    def _value(self, days: int) -> Cells:
        """What customers bring from their first order on, credit notes taken off."""
        starts = {order.customer: order for order in first_of(self.orders)}
        brought: dict[date, list[float]] = defaultdict(list)
        for line in self.lines:
            start = starts.get(line.customer)
            if start and start.second <= line.second <= start.second + days * DAY:
                brought[start.month].append(line.value)
        sums = {month: math.fsum(values) for month, values in brought.items()}
        return self._divided(sums, count(list(starts.values())))

    def _lifecycle(self) -> dict[str, Cells]:
        active = {month: {o.customer for o in self.orders if o.month == month} for month in self.months}
        seen: set[str] = set()
        found: dict[str, Cells] = {"returning_customers": {}, "churn": {}, "quick_ratio": {}}
        for before, month in pairwise([None, *self.months]):
            was = active.get(before, set()) if before else set()
            now = active[month] if month else set()
            new, back, gone = now - seen, (now & seen) - was, was - now
            seen |= now
            assert month is not None
            found["returning_customers"][month] = (len(now & was), None)
            found["churn"][month] = (len(gone), len(was))
            found["quick_ratio"][month] = (len(new) + len(back), len(gone))
        return found

    def median_units(self) -> dict[date, int]:
        """The smallest number of units up to which half of the lines of a month lie."""
        units = {month: sorted(x.quantity for x in self.sold if x.month == month) for month in self.months}
        return {month: sizes[math.ceil(len(sizes) / 2) - 1] for month, sizes in units.items()}

    def median_wait(self, until: float) -> dict[date, float | None]:
        """Days by which half of the orders of a month were followed by another one of the customer's (Kaplan, Meier).

        Who has not ordered again has waited until the given second.
        """
        seconds: dict[str, list[Order]] = defaultdict(list)
        for order in self.orders:
            seconds[order.customer].append(order)
        waits: dict[date, list[tuple[float, bool]]] = defaultdict(list)
        for orders in seconds.values():
            for order, after in zip(orders, [*orders[1:], None], strict=True):
                waited = (after.second if after else until) - order.second
                waits[order.month].append((waited / DAY, after is None))
        return {month: half_over(waits[month]) for month in self.months}

    def revenue_by_country(self, top: int) -> dict[tuple[str, date], float]:
        """Revenue under the country that was written last when a customer first bought or returned in the month."""
        told: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for line in self.lines:
            told[line.customer].append((line.second, line.country))
        known = {"Unspecified"}
        ever: dict[str, set[str]] = defaultdict(set)
        for line in self.lines:
            if line.country not in known:
                ever[line.country].add(line.customer)
        ranked = sorted(ever, key=lambda name: (-len(ever[name]), name))[:top]
        first: dict[tuple[str, date], float] = {}
        for line in self.lines:
            key = line.customer, line.month
            first[key] = min(first.get(key, math.inf), line.second)
        labels = {}
        for (customer, month), until in first.items():
            said = [each for each in told[customer] if each[0] <= until and each[1] not in known]
            country = max(said, key=lambda each: each[0])[1] if said else "(none)"
            labels[customer, month] = country if country in (*ranked, "(none)") else "(other)"
        sums: dict[tuple[str, date], list[float]] = defaultdict(list)
        for line in self.lines:
            sums[labels[line.customer, line.month], line.month].append(line.value)
        return {key: math.fsum(values) for key, values in sums.items()}

    def cohorts(self) -> dict[date, list[int]]:
        """Customers by the month of their first invoice or credit note, and how many have any later."""
        started = {note.customer: note.month for note in reversed(self.notes)}
        found = {}
        for place, month in enumerate(self.months):
            cohort = {customer for customer, first in started.items() if first == month}
            found[month] = [
                len(cohort & {note.customer for note in self.notes if note.month == later})
                for later in self.months[place:]
            ]
        return found


def first_of(orders: Iterable[Order]) -> list[Order]:
    """Everybody's first."""
    first: dict[str, Order] = {}
    for order in orders:
        first.setdefault(order.customer, order)
    return list(first.values())


def total(lines: Iterable[Line]) -> dict[date, float]:
    """What lines come to, by month."""
    values: dict[date, list[float]] = defaultdict(list)
    for line in lines:
        values[line.month].append(line.value)
    return {month: math.fsum(each) for month, each in values.items()}


def count(things: Iterable[Line] | Iterable[Order]) -> dict[date, float]:
    """How many there are, by month."""
    found: dict[date, float] = defaultdict(int)
    for thing in things:
        found[thing.month] += 1
    return dict(found)


def people(things: Iterable[Line] | Iterable[Order]) -> dict[date, float]:
    """Of how many customers, by month."""
    found: dict[date, set[str]] = defaultdict(set)
    for thing in things:
        found[thing.month].add(thing.customer)
    return {month: len(names) for month, names in found.items()}


def half_over(waits: Sequence[tuple[float, bool]]) -> float | None:
    """The time at which Kaplan and Meier's curve comes down to a half, if it does; waits that are open are marked."""
    left = Fraction(1)
    for time in sorted({wait for wait, is_open in waits if not is_open}):
        at_risk = sum(wait >= time for wait, _ in waits)
        left *= 1 - Fraction(sum(wait == time and not is_open for wait, is_open in waits), at_risk)
        if left <= Fraction(1, 2):
            return time
    return None
