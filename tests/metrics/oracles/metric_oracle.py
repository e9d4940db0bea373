"""Metrics a second time, in plain Python: loops over people and periods, straight from the definitions.

`naive` says of each metric what every person adds to every period, or what is observed of whom; `Expected` adds that up
by segment. Nothing is shared with the code under test but the declared metric and, for intervals, the formulas, which
have oracles of their own: what counts here is that they are fed the right sums.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from metric_worlds import WEEKDAYS, Book, Row, instant_of, last_of

from headway.models.durations import parse_duration
from headway.models.metrics import (
    Amount,
    CohortAmount,
    Conversion,
    Count,
    Duration,
    EventSelector,
    Lifecycle,
    Mean,
    Metric,
    Mrr,
    NewPeople,
    PromoterScore,
    Quantile,
    Ratio,
    Referral,
    Retained,
    Share,
    Stickiness,
    Survey,
    Task,
)
from headway.statistics.estimates import Kind

CONDITIONS: Mapping[str, Callable[[Row], bool]] = {
    "amount > 1": lambda row: row.amount is not None and row.amount > 1,
    "amount < 2": lambda row: row.amount is not None and row.amount < 2,
    "score > 5": lambda row: row.score is not None and row.score > 5,
}
VALUES: Mapping[str, Callable[[Row], float | None]] = {
    "amount": lambda row: row.amount,
    "score": lambda row: row.score,
    "amount * score": lambda row: None if row.amount is None or row.score is None else row.amount * row.score,
}
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}

Period = tuple[str, date]


class Unit(NamedTuple):
    """What one person adds to a period; `at` is the instant at which the person's segments count."""

    person: int
    period: Period
    at: int
    y: float
    x: float = 1


class Seen(NamedTuple):
    """One observation, and whether it is still open."""

    person: int
    period: Period
    at: int
    value: float
    is_open: bool = False


@dataclass
class Expected:
    """What a metric should come to.

    Attributes:
        kind: How sums become a value; ``quantile`` for observations.
        wait: Time after a period's end until its value is complete.
        units: What people add.
        seen: What is observed.
        left_out: Events left out, by reason.
    """

    kind: Kind | str
    wait: int = 0
    units: list[Unit] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def matches(row: Row, selector: EventSelector | None) -> bool:
    if selector is None or row.event not in selector.event:
        return False
    return selector.where is None or CONDITIONS[selector.where](row)


def naive(metric: Metric, book: Book) -> Expected:
    """Computes a metric from its definition."""
    return _KINDS[type(metric)](metric, book)


def each_person(book: Book, keep: Callable[[Row], bool]) -> Iterator[tuple[int, Period, list[Row]]]:
    """Goes through people and the periods in which they did something."""
    for person, rows in book.people.items():
        for period, found in book.grouped(filter(keep, rows)).items():
            yield person, period, found


def first_ever(rows: Iterable[Row], selector: EventSelector) -> Row | None:
    return next((row for row in rows if matches(row, selector)), None)


# --- People. ---


def _new_people(_: NewPeople, book: Book) -> Expected:
    firsts = [rows[0] for rows in book.people.values()]
    return Expected(
        "count",
        units=[
            Unit(row.person, period, row.us, 1) for row in firsts for period in book.holding[book.day(row)]
        ],
    )


def _share(metric: Share, book: Book) -> Expected:
    found = []
    for person, period, rows in each_person(
        book, lambda row: matches(row, metric.of) or matches(row, metric.did)
    ):
        base = [row for row in rows if matches(row, metric.of)]
        if base:
            found.append(Unit(person, period, base[0].us, any(matches(row, metric.did) for row in rows)))
    return Expected("proportion", units=found)


def _mean(metric: Mean, book: Book) -> Expected:
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


def _cohort(metric: Conversion | Retained, book: Book) -> Expected:
    if isinstance(metric, Conversion):
        opens, closes, goal = 0, parse_duration(metric.within) + 1, metric.reach
    else:
        opens, goal = parse_duration(metric.after), metric.returning
        closes = opens + parse_duration(metric.within)
    found = []
    for person, rows in book.people.items():
        starts = [row for row in rows if matches(row, metric.start)]
        if not starts:
            continue
        at = starts[0].us
        reached = any(
            matches(row, goal) and opens <= row.us - at < closes and row is not start
            for start in starts
            if start.us == at
            for row in rows
        )
        found += [Unit(person, period, at, reached) for period in book.holding[book.day(starts[0])]]
    wait = closes - 1 if isinstance(metric, Conversion) else closes
    return Expected("proportion", wait, units=found)


# --- Amounts. ---

NO_RATE = "no exchange rate for the currency and day"
NEGATIVE = "the value is below 0"


def rate_of(row: Row, book: Book) -> float | None:
    """The rate of an event's day: the latest of the last seven days and the day itself; 1 for euros."""
    if row.currency == "EUR":
        return 1
    day = book.day(row)
    told = [
        each
        for each in book.world.rates
        if each.currency == row.currency and day - timedelta(days=7) <= each.day <= day
    ]
    return max(told, key=lambda each: each.day).rate if told else None


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


def _count(metric: Count, book: Book) -> Expected:
    kept = each_person(book, lambda row: added(metric.of, row, book) is not None)
    return Expected(
        "count" if metric.of.measure == "people" else "total",
        units=[
            Unit(person, period, rows[0].us, total(metric.of, rows, book)) for person, period, rows in kept
        ],
        left_out=left_out(book, metric.of),
    )


def _ratio(metric: Ratio, book: Book) -> Expected:
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


def _cohort_amount(metric: CohortAmount, book: Book) -> Expected:
    within, found = parse_duration(metric.within), []
    for person, rows in book.people.items():
        start = first_ever(rows, metric.start)
        if start is not None:
            y = total(metric.of, [row for row in rows if 0 <= row.us - start.us <= within], book)
            found += [Unit(person, period, start.us, y) for period in book.holding[book.day(start)]]
    return Expected("mean", within, units=found, left_out=left_out(book, metric.of))


# --- Observations. ---

NO_START = "it ended before anything began it"


def _quantile(metric: Quantile, book: Book) -> Expected:
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


def _duration(metric: Duration, book: Book) -> Expected:
    by_key: dict[object, list[Row]] = defaultdict(list)
    for row in book.rows:
        key = row.person if metric.key is None else row.key
        if key is not None:
            by_key[key].append(row)
    expected = Expected("quantile", parse_duration(metric.mature), left_out={NO_START: 0})
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
            expected.seen += [
                Seen(start.person, period, start.us, us / 1e6 / SECONDS[metric.unit], end is None)
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


# --- Growth. ---


def _lifecycle(metric: Lifecycle, book: Book) -> Expected:
    grains: dict[str, list[date]] = defaultdict(list)
    for grain, start in sorted(book.periods):
        if grain in ("day", "week", "month"):
            grains[grain].append(start)
    found = []
    for person, rows in book.people.items():
        active = book.grouped(row for row in rows if matches(row, metric.of))
        for grain, starts in grains.items():
            for n, start in enumerate(starts):
                now = active.get((grain, start))
                before = active.get((grain, starts[n - 1])) if n else None
                ever = any((grain, each) in active for each in starts[:n])
                move = (
                    "returning" if now and before else "resurrected" if now and ever else "new" if now
                    else "dormant" if before else None
                )  # fmt: skip
                unit = _moved(metric.part, move)
                if unit is not None:
                    # Who is not there any more counts as of the period before.
                    put_in = before if metric.part == "churn" or not now else now
                    assert put_in
                    found.append(Unit(person, (grain, start), put_in[0].us, *unit))
    kinds = {"churn": "proportion", "quick_ratio": "ratio"}
    return Expected(kinds.get(metric.part, "count"), units=found)


def _moved(part: str, move: str | None) -> tuple[float, float] | None:
    if part == "churn":
        return (float(move == "dormant"), 1) if move in ("dormant", "returning") else None
    if part == "quick_ratio":
        came, went = move in ("new", "resurrected"), move == "dormant"
        return (float(came), float(went)) if came or went else None
    return (1, 1) if move == part else None


def _stickiness(metric: Stickiness, book: Book) -> Expected:
    found = []
    for person, period, rows in each_person(book, lambda row: matches(row, metric.of)):
        grain, start = period
        covered = [day for day in book.span if period in book.holding[day]]
        found.append(
            Unit(person, (grain, start), rows[0].us, len({book.day(row) for row in rows}), len(covered))
        )
    return Expected("ratio", units=found)


def _referral(metric: Referral, book: Book) -> Expected:
    within, found = parse_duration(metric.within), []
    senders: dict[str, Row] = {}
    for row in book.rows:
        if matches(row, metric.sent) and row.key is not None:
            senders.setdefault(row.key, row)
    for person, rows in book.people.items():
        start = first_ever(rows, metric.start)
        if start is None:
            continue
        ends = start.us + within
        mine = [row for row in senders.values() if row.person == person and start.us <= row.us <= ends]
        taken = [
            sent
            for sent in mine
            if any(
                matches(row, metric.accepted) and row.key == sent.key and row.person != person
                and sent.us <= row.us <= ends
                for row in book.rows
            )
        ]  # fmt: skip
        y = len(mine) if metric.part == "sent" else len(taken)
        x = len(mine) if metric.part == "acceptance" else 1
        found += [Unit(person, period, start.us, y, x) for period in book.holding[book.day(start)]]
    return Expected("ratio" if metric.part == "acceptance" else "mean", within, units=found)


def _mrr(metric: Mrr, book: Book) -> Expected:
    months = sorted(start for grain, start in book.periods if grain == "month")
    accounts: dict[object, list[tuple[Row, float]]] = defaultdict(list)
    expected = Expected("ratio" if "retention" in metric.part else "total", left_out={NEGATIVE: 0})
    for row in book.rows:
        account = row.person if metric.account is None else row.account
        value = (
            0
            if matches(row, metric.ends)
            else VALUES[metric.value](row)
            if matches(row, metric.event)
            else None
        )
        if value is not None and value < 0:
            expected.left_out[NEGATIVE] += 1
        elif value is not None and account is not None:
            accounts[account].append((row, value))
    # An account is the person's who said first what it pays; segments are those of the person's first such event.
    since: dict[int, int] = {}
    for history in accounts.values():
        row = history[0][0]
        since[row.person] = min(since.get(row.person, row.us), row.us)
    adds: dict[tuple[int, Period], list[tuple[float, float]]] = defaultdict(list)
    for history in accounts.values():
        for month in months:
            before = [value for row, value in history if book.day(row) < month]
            upto = [value for row, value in history if book.day(row) <= last_of(month, "month")]
            opening, closing = (values[-1] if values else 0 for values in (before, upto))
            unit = bridge(metric.part, opening, closing, paid=any(value > 0 for value in before))
            if unit is not None:
                adds[history[0][0].person, ("month", month)].append(unit)
    expected.units = [
        Unit(person, period, since[person], math.fsum(y for y, _ in each), math.fsum(x for _, x in each))
        for (person, period), each in adds.items()
    ]
    return expected


def bridge(part: str, opening: float, closing: float, *, paid: bool) -> tuple[float, float] | None:
    """What one account adds to a part of the bridge, and to what a rate is divided by."""
    if "retention" in part:
        kept = closing if part == "net_retention" else min(opening, closing)
        return (kept, opening) if opening else None
    y = {
        "opening": opening,
        "new": closing if not opening and not paid else 0,
        "reactivation": closing if not opening and paid else 0,
        "expansion": closing - opening if closing > opening > 0 else 0,
        "contraction": opening - closing if opening > closing > 0 else 0,
        "churned": opening if not closing else 0,
        "closing": closing,
    }[part]
    return (y, 1) if y else None


# --- Answers and attempts. ---

OFF_SCALE = "the answer is not on the scale"


def _answers(metric: Survey | PromoterScore, book: Book) -> Expected:
    is_nps = isinstance(metric, PromoterScore)
    low, high = (0, 10) if isinstance(metric, PromoterScore) else metric.scale

    def is_answer(row: Row) -> bool:
        return matches(row, metric.event) and VALUES[metric.score](row) is not None

    def is_on_scale(row: Row) -> bool:
        return low <= (VALUES[metric.score](row) or 0) <= high

    def worth(answer: float) -> float:
        if isinstance(metric, PromoterScore):
            return 1 if answer >= 9 else -1 if answer <= 6 else 0
        return answer if metric.top is None else float(answer >= metric.top)

    found = [
        Unit(person, period, rows[0].us, worth(VALUES[metric.score](rows[-1]) or 0))
        for person, period, rows in each_person(book, lambda row: is_answer(row) and is_on_scale(row))
    ]
    off = sum(is_answer(row) and not is_on_scale(row) for row in book.rows)
    kind = "promoter_score" if is_nps else "mean" if metric.measure == "mean" else "proportion"  # type: ignore[union-attr]
    return Expected(kind, units=found, left_out={OFF_SCALE: off})


def _task(metric: Task, book: Book) -> Expected:
    within = parse_duration(metric.within)
    by_key: dict[object, list[Row]] = defaultdict(list)
    for row in book.rows:
        key = row.person if metric.key is None else row.key
        if key is not None:
            by_key[key].append(row)
    ended: dict[Row, str] = {}
    unbegun = 0
    for rows in by_key.values():
        running: Row | None = None
        has_begun = False
        for row in rows:
            if matches(row, metric.start):
                running, has_begun = row, True
                ended[row] = "abandoned"
            elif not has_begun:
                unbegun += matches(row, metric.success) or matches(row, metric.failure)
            elif running is not None and (matches(row, metric.success) or matches(row, metric.failure)):
                if row.us - running.us < within:
                    ended[running] = "success" if matches(row, metric.success) else "failure"
                running = None
    found = []
    for person, period, rows in each_person(book, lambda row: row in ended):
        asked = rows[:1] if metric.attempts == "first" else rows
        y = sum(ended[row] == metric.outcome for row in asked)
        found.append(Unit(person, period, rows[0].us, y, len(asked)))
    kind = "proportion" if metric.attempts == "first" else "ratio"
    return Expected(kind, within, units=found, left_out={NO_START: unbegun})


_KINDS: Mapping[type, Callable[..., Expected]] = {
    NewPeople: _new_people,
    Share: _share,
    Mean: _mean,
    Conversion: _cohort,
    Retained: _cohort,
    Count: _count,
    Ratio: _ratio,
    CohortAmount: _cohort_amount,
    Quantile: _quantile,
    Duration: _duration,
    Lifecycle: _lifecycle,
    Stickiness: _stickiness,
    Referral: _referral,
    Mrr: _mrr,
    Survey: _answers,
    PromoterScore: _answers,
    Task: _task,
}
