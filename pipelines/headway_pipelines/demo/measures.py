"""The planted truth of every metric in ``product.yml``, counted from the simulated histories themselves.

A second, independent reading of the definitions: NumPy over one block of people, no lake, no identity, no SQL.
Everything counted is people (or sums over people), so that blocks add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headway_pipelines.demo.clock import DAY, Clock, Ints
from headway_pipelines.demo.rows import ACTIVITY, Bools, Floats, Kind, RowArray
from headway_pipelines.demo.scenario import CHANNELS


@dataclass(frozen=True)
class Measure:
    """One metric: its kind and the selectors (names of ``selectors``) it is made of.

    Attributes:
        kind: new_people, share, conversion, retention, mean or nps.
        of: The people counted: ``of`` of a share or mean, ``start`` of a conversion or retention.
        did: What they may do: ``did``, ``reach``, ``returning`` or ``event``.
        after: Days from the start until the window opens.
        within: Days the window lasts.
        sums: What a mean sums up: eur (at the rate of the day), count or days.
    """

    kind: str
    of: str = "any"
    did: str = "any"
    after: float = 0
    within: float = 0
    sums: str = ""


MEASURES: dict[str, Measure] = {
    "new_people": Measure("new_people"),
    "sign_up_rate": Measure("conversion", "page", "sign_up", within=7),
    "activation": Measure("conversion", "sign_up", "activation", within=7),
    "learner_week1": Measure("retention", "learner", "learning", after=7, within=7),
    "inviters": Measure("share", "activity", "invite"),
    "invited_sign_ups": Measure("share", "sign_up", "invited"),
    "revenue_per_active": Measure("mean", "activity", "payment", sums="eur"),
    "payers": Measure("share", "activity", "payment"),
    "refunds": Measure("share", "payment", "refund"),
    "recommendation": Measure("nps", "nps", "nps"),
    "tickets": Measure("share", "activity", "ticket"),
    "lessons_per_learner": Measure("mean", "lesson", "lesson", sums="count"),
    "learning_days": Measure("mean", "lesson", "lesson", sums="days"),
    "first_enrolment": Measure("conversion", "learner", "enrolment", within=7),
    "editor_adoption": Measure("conversion", "exposed_treatment", "edit", within=7),
    "teacher_week1": Measure("retention", "course", "teaching", after=7, within=7),
    "publishing": Measure("conversion", "course", "publication", within=14),
    "quick_support": Measure("conversion", "ticket", "answer", within=1),
    "saved": Measure("conversion", "sign_up", "save", within=7),
}


@dataclass(frozen=True)
class History:
    """What one block of people really did, as far as the export holds it.

    Attributes:
        rows: Events of the tracking plan, each once, by person and time.
        who: Position of each row's person in the block.
        channel: First touch of each person in the block.
        people: How many people the block has.
        clock: Times of the range.
        amount: What each row pays or pays back in the currency of the payment, else 0.
        eur: The same in EUR at the rate of the row's local day.
    """

    rows: RowArray
    who: Ints
    channel: Ints
    people: int
    clock: Clock
    amount: Floats
    eur: Floats

    @property
    def ts(self) -> Ints:
        """When each event happened, UTC milliseconds."""
        return np.asarray(self.rows["ts"])

    def first(self, mask: Bools) -> Ints:
        """Finds each person's first matching event.

        Args:
            mask: Which rows match.

        Returns:
            Row numbers by person, -1 for none.
        """
        found = np.full(self.people, -1)
        index = np.flatnonzero(mask)[::-1]
        # Written backwards, the earliest row of a person is what stays.
        found[self.who[index]] = index
        return found

    def did(self, mask: Bools, period: Ints, periods: int) -> Bools:
        """Says who has a matching event in which period.

        Args:
            mask: Which rows match.
            period: Period of every row.
            periods: How many there are.

        Returns:
            One row a person, one column a period.
        """
        out = np.zeros((self.people, periods), bool)
        out[self.who[mask], period[mask]] = True
        return out

    def reached(self, mask: Bools, begin: Ints, end: Ints) -> Bools:
        """Says who has a matching event in the person's own window.

        Args:
            mask: Which rows match.
            begin: Start of each person's window, included.
            end: End of it, included.

        Returns:
            One entry a person.
        """
        inside = mask & (self.ts >= begin[self.who]) & (self.ts <= end[self.who])
        out = np.zeros(self.people, bool)
        out[self.who[inside]] = True
        return out


def selectors(rows: RowArray) -> dict[str, Bools]:
    """Evaluates every selector the measures use.

    Args:
        rows: Events.

    Returns:
        One mask a selector.
    """
    kind = rows["kind"]

    def any_of(*kinds: Kind) -> Bools:
        return np.isin(kind, kinds)

    done = (kind == Kind.LESSON_WATCHED) & (rows["c"] == 1)
    return {
        "any": np.ones(len(rows), bool),
        "page": kind == Kind.PAGE_VIEWED,
        "sign_up": kind == Kind.SIGNED_UP,
        "learner": (kind == Kind.SIGNED_UP) & (rows["b"] == 0),
        "activation": done | (kind == Kind.COURSE_PUBLISHED),
        "learning": any_of(Kind.LESSON_WATCHED, Kind.COURSE_ENROLLED),
        "lesson": kind == Kind.LESSON_WATCHED,
        "enrolment": kind == Kind.COURSE_ENROLLED,
        "lesson_or_payment": any_of(Kind.LESSON_WATCHED, Kind.PAYMENT_COMPLETED),
        "activity": any_of(*ACTIVITY),
        "invite": kind == Kind.INVITE_SENT,
        "invited": kind == Kind.INVITE_ACCEPTED,
        "payment": kind == Kind.PAYMENT_COMPLETED,
        "refund": kind == Kind.PAYMENT_REFUNDED,
        "nps": (kind == Kind.SURVEY_ANSWERED) & (rows["c"] == 0),
        "ticket": kind == Kind.TICKET_OPENED,
        "answer": kind == Kind.TICKET_ANSWERED,
        "exposed": kind == Kind.FEATURE_EXPOSED,
        "exposed_treatment": (kind == Kind.FEATURE_EXPOSED) & (rows["c"] == 1),
        "edit": kind == Kind.VIDEO_EDITED,
        "course": kind == Kind.COURSE_CREATED,
        "teaching": any_of(Kind.VIDEO_EDITED, Kind.COURSE_CREATED, Kind.COURSE_PUBLISHED),
        "publication": kind == Kind.COURSE_PUBLISHED,
        "save": kind == Kind.COURSE_SAVED,
    }


def evaluate(measure: Measure, history: History, masks: dict[str, Bools]) -> Floats:
    """Counts a measure in one block.

    Args:
        measure: What to count.
        history: The block's history.
        masks: Its selectors.

    Returns:
        Shape (2, weeks + 1, channels): numerator and denominator by local week and first touch; the last
        "week" is the whole range. In it, conversions and retentions count only people whose window has
        elapsed by the end of the export.
    """
    if measure.kind in ("new_people", "conversion", "retention"):
        parts = _cohort(measure, history, masks)
    else:
        parts = _period(measure, history, masks)
    out = np.zeros((2, history.clock.weeks + 1, len(CHANNELS)))
    for i, values in enumerate(parts):
        for code in range(len(CHANNELS)):
            out[i, :, code] = values[history.channel == code].sum(axis=0)
    return out


def _cohort(measure: Measure, h: History, masks: dict[str, Bools]) -> tuple[Floats, Floats]:
    weeks = h.clock.weeks
    first = h.first(masks[measure.of])
    has = first >= 0
    start = np.where(has, h.ts[np.maximum(first, 0)] if len(h.ts) else 0, 0)
    end = start + int((measure.after + measure.within) * DAY)
    if measure.kind == "new_people":
        good, ripe = has, has
    else:
        begin = start + int(measure.after * DAY)
        # A retention window is open at its end, a conversion window closed.
        last = end - 1 if measure.kind == "retention" else end
        good, ripe = has & h.reached(masks[measure.did], begin, last), has & (end <= h.clock.end)
    people = np.zeros((h.people, weeks + 1))
    people[np.flatnonzero(has), h.clock.week(start[has])] = 1
    people[:, weeks] = ripe
    return people * good[:, None], people


def _period(measure: Measure, h: History, masks: dict[str, Bools]) -> tuple[Floats, Floats]:
    weeks = h.clock.weeks
    week = h.clock.week(h.ts)
    base = _with_range(h.did(masks[measure.of], week, weeks))
    mask = masks[measure.did]
    if measure.kind == "share":
        return (base & _with_range(h.did(mask, week, weeks))).astype(np.float64), base.astype(np.float64)
    if measure.kind == "nps":
        return _points(h, mask, week), base.astype(np.float64)
    value = np.ones(int(mask.sum()))
    index = np.flatnonzero(mask)
    if measure.sums == "eur":
        value = h.eur[index]
    elif measure.sums == "days":
        day = h.who[index] * 2**20 + h.clock.day(h.ts[index])
        index = index[np.unique(day, return_index=True)[1]]
        value = np.ones(len(index))
    total = np.zeros((h.people, weeks + 1))
    np.add.at(total, (h.who[index], week[index]), value)
    total[:, weeks] = total[:, :weeks].sum(axis=1)
    return total * base, base.astype(np.float64)


def _points(h: History, mask: Bools, week: Ints) -> Floats:
    """+1 for each promoter, -1 for each detractor, by the last answer in the period."""
    out = np.zeros((h.people, h.clock.weeks + 1))
    index = np.flatnonzero(mask)
    score = h.rows["b"][index]
    point = (score >= 9).astype(np.float64) - (score <= 6)
    # Rows are in time order and assignment keeps the last value.
    out[h.who[index], week[index]] = point
    out[h.who[index], h.clock.weeks] = point
    return out


def _with_range(did: Bools) -> NDArray[np.bool_]:
    return np.concatenate([did, did.any(axis=1, keepdims=True)], axis=1)
