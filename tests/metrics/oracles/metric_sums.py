"""Metrics about people, amounts, quantiles and durations a second time, from their definitions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction

from metric_parts import SECONDS, VALUES, Expected, Period, Seen, Unit, each_person, first_ever, matches
from metric_worlds import WEEKDAYS, Book, Row, instant_of

from headway.models.durations import parse_duration
from headway.models.metrics import (
    Amount,
    Answered,
    CohortAmount,
    Conversion,
    Count,
    Duration,
    EventSelector,
    Mean,
    NewPeople,
    Quantile,
    Ratio,
    Retained,
    Share,
)

# --- People. ---


def naive_new_people(_: NewPeople, book: Book) -> Expected:
    firsts = [rows[0] for rows in book.people.values()]
    return Expected(
        "count",
        units=[
            Unit(row.person, period, row.us, 1) for row in firsts for period in book.holding[book.day(row)]
        ],
    )


def naive_share(metric: Share, book: Book) -> Expected:
    found = []
    for person, period, rows in each_person(
        book, lambda row: matches(row, metric.of) or matches(row, metric.did)
    ):
        base = [row for row in rows if matches(row, metric.of)]
        if base:
            found.append(Unit(person, period, base[0].us, any(matches(row, metric.did) for row in rows)))
    return Expected("proportion", units=found)


def naive_mean(metric: Mean, book: Book) -> Expected:
    found = []
    for person, period, rows in each_person(
        book, lambda row: matches(row, metric.of) or matches(row, metric.event)
    ):
        base = [row for row in rows if matches(row, metric.of)]
        hits = [row for row in rows if matches(row, metric.event)]
        if metric.measure == "sum":
            y = math.fsum(row.amount for row in hits if row.amount is not None)
        else:
            y = len(hits) if metric.measure == "count" else len({book.day(row) for row in hits})
        if base:
            found.append(Unit(person, period, base[0].us, y))
    return Expected("mean", units=found)


def naive_cohort(metric: Conversion | Retained, book: Book) -> Expected:
    if isinstance(metric, Conversion):
        opens, closes, goal = 0, parse_duration(metric.within) + 1, metric.reach
    else:
        opens, goal = parse_duration(metric.after), metric.returning
        closes = opens + parse_duration(metric.within)
    found = []
    asked = metric.answered if isinstance(metric, Retained) else None
    for person, rows in book.people.items():
        starts = [row for row in rows if matches(row, metric.start)]
        if not starts or (asked is not None and is_in_time(asked, starts[0], book) != asked.in_time):
            continue
        at = starts[0].us
        if isinstance(metric, Conversion) and metric.through:
            inside = [row for row in rows if at <= row.us < at + closes]
            reached = is_done_in_order([*metric.through, goal], at, inside)
        else:
            reached = any(
                matches(row, goal) and opens <= row.us - at < closes and row is not start
                for start in starts
                if start.us == at
                for row in rows
            )
        found += [Unit(person, period, at, reached) for period in book.holding[book.day(starts[0])]]
    wait = closes - 1 if isinstance(metric, Conversion) else closes
    return Expected("proportion", wait, units=found)


def is_done_in_order(steps: Sequence[EventSelector], since: int, rows: Sequence[Row]) -> bool:
    """Whether there is any way to take all steps, each not before the one before it; all ways are tried."""
    return not steps or any(
        matches(row, steps[0]) and row.us >= since and is_done_in_order(steps[1:], row.us, rows)
        for row in rows
    )


def is_in_time(asked: Answered, start: Row, book: Book) -> bool:
    """Whether a start had its answer in time."""
    for row in book.rows:
        same = row.person == start.person if asked.key is None else row.key == start.key is not None
        if same and row.order > start.order and matches(row, asked.by):
            us = row.us - start.us if asked.hours == "calendar" else business_us(start.us, row.us, book)
            return us <= parse_duration(asked.within)
    return False


# --- Amounts. ---

NO_RATE = "no exchange rate for the currency and day"
NEGATIVE = "the value is below 0"


def rate_of(row: Row, book: Book) -> float | None:
    """The rate of an event's day; none for an event that says no currency."""
    return None if row.currency is None else book.rate(row.currency, book.day(row))


def added(amount: Amount, row: Row, book: Book) -> float | None:
    """What an event adds; None where it adds nothing, not even 0."""
    if amount.measure != "sum":
        return 1 if matches(row, amount.event) else None
    is_back = not matches(row, amount.event)
    if is_back and not matches(row, amount.minus):
        return None
    value = VALUES[str(amount.value)](row)
    rate = 1 if amount.currency is None else rate_of(row, book)
    if value is None or rate is None:
        return None
    if is_back:
        # What is given back may be told as a positive or as a negative number.
        return -abs(value) * rate
    return None if value < 0 and amount.negative == "exclude" else value * rate


def total(amount: Amount, rows: Iterable[Row], book: Book) -> float:
    """What events of one person add up to."""
    adding = [row for row in rows if added(amount, row, book) is not None]
    if amount.measure == "people":
        return min(len(adding), 1)
    if amount.measure == "days":
        return len({book.day(row) for row in adding})
    return math.fsum(added(amount, row, book) or 0 for row in adding)


def left_out(book: Book, *amounts: Amount) -> dict[str, int]:
    """Counts the events that amounts leave out."""
    found: dict[str, set[Row]] = {}
    for amount in amounts:
        if amount.measure != "sum":
            continue
        if amount.currency is not None:
            found.setdefault(NO_RATE, set())
        if amount.negative == "exclude":
            found.setdefault(NEGATIVE, set())
        for row in book.rows:
            value = VALUES[str(amount.value)](row)
            if value is None:
                continue
            concerned = matches(row, amount.event) or matches(row, amount.minus)
            if concerned and amount.currency is not None and rate_of(row, book) is None:
                found[NO_RATE].add(row)
            if matches(row, amount.event) and value < 0 and amount.negative == "exclude":
                found[NEGATIVE].add(row)
    return {reason: len(rows) for reason, rows in found.items()}


def naive_count(metric: Count, book: Book) -> Expected:
    kept = each_person(book, lambda row: added(metric.of, row, book) is not None)
    return Expected(
        "count" if metric.of.measure == "people" else "total",
        units=[
            Unit(person, period, rows[0].us, total(metric.of, rows, book)) for person, period, rows in kept
        ],
        left_out=left_out(book, metric.of),
    )


def naive_ratio(metric: Ratio, book: Book) -> Expected:
    top, bottom = metric.numerator, metric.denominator
    kept = each_person(book, lambda row: any(added(each, row, book) is not None for each in (top, bottom)))
    return Expected(
        "ratio",
        units=[
            Unit(person, period, rows[0].us, total(top, rows, book), total(bottom, rows, book))
            for person, period, rows in kept
        ],
        left_out=left_out(book, top, bottom),
    )


def naive_cohort_amount(metric: CohortAmount, book: Book) -> Expected:
    within, found = parse_duration(metric.within), []
    for person, rows in book.people.items():
        start = first_ever(rows, metric.start)
        if start is not None:
            y = total(metric.of, [row for row in rows if 0 <= row.us - start.us <= within], book)
            found += [Unit(person, period, start.us, y) for period in book.holding[book.day(start)]]
    return Expected("mean", within, units=found, left_out=left_out(book, metric.of))


# --- Observations. ---

NO_START = "it ended before anything began it"


def naive_quantile(metric: Quantile, book: Book) -> Expected:
    value = VALUES[metric.value]
    found = [
        Seen(person, period, rows[0].us, float(value(row) or 0))
        for person, period, rows in each_person(
            book, lambda row: matches(row, metric.event) and value(row) is not None
        )
        for row in rows
    ]
    return Expected("quantile", seen=found)


def business_us(start: int, end: int, book: Book) -> int:
    """The part of a stretch of time that lies in business hours, day by day."""
    world = book.world
    product = {"opens": "09:00", "closes": "17:00", "days": WEEKDAYS[:5], **world.business}
    days = list(product["days"])  # type: ignore[call-overload]
    timezone, found = world.timezone, 0
    day = date(1970, 1, 1) + timedelta(days=start // 86_400_000_000 - 1)
    while instant_of(day, "00:00", timezone) < end:
        if WEEKDAYS[day.weekday()] in days and day not in world.holidays:
            opens, closes = (instant_of(day, str(product[name]), timezone) for name in ("opens", "closes"))
            found += max(min(end, closes) - max(start, opens), 0)
        day += timedelta(days=1)
    return found


def naive_duration(metric: Duration, book: Book) -> Expected:
    by_key: dict[object, list[Row]] = defaultdict(list)
    for row in book.rows:
        key = row.person if metric.key is None else row.key
        if key is not None:
            by_key[key].append(row)
    within = None if metric.within is None else parse_duration(metric.within)
    wait = parse_duration(metric.mature) if within is None else within
    expected = Expected("quantile", wait, left_out={NO_START: 0})
    for rows in by_key.values():
        begun: list[tuple[Row, Row | None]] = []
        for row in rows:
            is_open = bool(begun) and begun[-1][1] is None
            if matches(row, metric.end) and is_open:
                begun[-1] = (begun[-1][0], row)
                is_open = False
            elif matches(row, metric.end) and not begun and not matches(row, metric.start):
                expected.left_out[NO_START] += 1
            # What is both ends one interval and begins the next.
            if matches(row, metric.start) and not is_open:
                begun.append((row, None))
        for start, end in begun[:1] if metric.each == "first" else begun:
            until = max(book.world.horizon, start.us) if end is None else end.us
            us = until - start.us if metric.hours == "calendar" else business_us(start.us, until, book)
            # Who got there too late has not got there.
            is_open = end is None or (within is not None and us > within)
            # and is told from who got there at the last instant.
            us = us if within is None else min(us, within + 1)
            expected.seen += [
                Seen(start.person, period, start.us, us / 1e6 / SECONDS[metric.unit], is_open)
                for period in book.holding[book.day(start)]
            ]
    expected.seen = as_of_the_first(expected.seen)
    return expected


def as_of_the_first(seen: list[Seen]) -> list[Seen]:
    """Counts all observations of a person in a period under the segments of the first one."""
    first: dict[tuple[int, Period], int] = {}
    for each in seen:
        key = each.person, each.period
        first[key] = min(first.get(key, each.at), each.at)
    return [each._replace(at=first[each.person, each.period]) for each in seen]


def quantile_of(values: Sequence[float], q: Fraction) -> float:
    """The smallest value up to which a share of them lies."""
    return next(value for value in sorted(values) if sum(each <= value for each in values) >= q * len(values))


def time_over(values: Sequence[float], are_open: Sequence[bool], q: Fraction) -> float | None:
    """The time by which a share is over, by Kaplan and Meier's product over the times at which something ended."""
    ended = [value for value, is_open in zip(values, are_open, strict=True) if not is_open]
    left = Fraction(1)
    for time in sorted(set(ended)):
        left *= 1 - Fraction(ended.count(time), sum(each >= time for each in values))
        if left <= 1 - q:
            return time
    return None
