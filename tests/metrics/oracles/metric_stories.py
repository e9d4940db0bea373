"""Metrics of growth, answers and attempts a second time, from their definitions."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date

from metric_parts import VALUES, Expected, Period, Unit, each_person, first_ever, matches
from metric_sums import NEGATIVE, NO_START
from metric_worlds import Book, Row, last_of

from headway.models.durations import parse_duration
from headway.models.metrics import Lifecycle, Mrr, PromoterScore, Referral, Stickiness, Survey, Task

# --- Growth. ---


def naive_lifecycle(metric: Lifecycle, book: Book) -> Expected:
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


def naive_stickiness(metric: Stickiness, book: Book) -> Expected:
    found = []
    for person, period, rows in each_person(book, lambda row: matches(row, metric.of)):
        grain, start = period
        covered = [day for day in book.span if period in book.holding[day]]
        found.append(
            Unit(person, (grain, start), rows[0].us, len({book.day(row) for row in rows}), len(covered))
        )
    return Expected("ratio", units=found)


def naive_referral(metric: Referral, book: Book) -> Expected:
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


def naive_mrr(metric: Mrr, book: Book) -> Expected:
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
        Unit(
            person,
            period,
            since[person],
            math.fsum(y for y, _ in each),
            math.fsum(x for _, x in each) if expected.kind == "ratio" else 1,
        )
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


def naive_answers(metric: Survey | PromoterScore, book: Book) -> Expected:
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


def naive_task(metric: Task, book: Book) -> Expected:
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
