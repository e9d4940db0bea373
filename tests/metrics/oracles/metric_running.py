"""Running totals a second time, from their definition: everything from the first day to the last, added up anew."""

from __future__ import annotations

from datetime import date, timedelta

from metric_parts import Expected, Unit
from metric_sums import added, left_out, total
from metric_worlds import Book

from headway.models.metrics import Cumulative


def first_day_of(since: str | date, last: date) -> date | None:
    """The day with which the total that is told on a day began."""
    if isinstance(since, date):
        return since if since <= last else None
    day = last
    starts = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "year": (1,)}[since]
    while day.day > 1 or day.month not in starts:
        day -= timedelta(days=1)
    return day


def naive_cumulative(metric: Cumulative, book: Book) -> Expected:
    """What every person has added so far, and (as x) what of it since the day before that a total is told of."""
    ends = {last for (grain, _), last in book.periods.items() if grain in ("day", "week", "month")}
    expected = Expected("running", left_out=left_out(book, metric.of))
    expected.once = metric.of.measure == "people"
    for (grain, start), last in book.periods.items():
        if grain not in ("day", "week", "month"):
            continue
        begin = first_day_of(metric.since, last)
        if begin is None:
            expected.unbegun.add((grain, start))
            continue
        before = max((end for end in ends if begin <= end < last), default=begin - timedelta(days=1))
        for person, rows in book.people.items():
            mine = [
                row for row in rows
                if begin <= book.day(row) <= last and added(metric.of, row, book) is not None
            ]  # fmt: skip
            if mine:
                earlier = [row for row in mine if book.day(row) <= before]
                recent = [row for row in mine if book.day(row) > before]
                new = not earlier if expected.once else total(metric.of, recent, book)
                y = total(metric.of, mine, book)
                expected.units.append(Unit(person, (grain, start), mine[0].us, y, new))
    return expected
