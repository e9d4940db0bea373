"""One row a raw line: the numbers every line of the log is rendered from."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway_pipelines.demo.clock import Ints

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: Structured array of ``ROW``.
RowArray = NDArray[np.void]


class Kind(IntEnum):
    """What a line says; from ``IDENTIFY`` on not an event of the tracking plan."""

    PAGE_VIEWED = 0
    SIGNED_UP = 1
    COURSE_CREATED = 2
    COURSE_PUBLISHED = 3
    FEATURE_EXPOSED = 4
    VIDEO_EDITED = 5
    COURSE_ENROLLED = 6
    LESSON_WATCHED = 7
    PAYMENT_COMPLETED = 8
    PAYMENT_REFUNDED = 9
    INVITE_SENT = 10
    INVITE_ACCEPTED = 11
    SURVEY_ANSWERED = 12
    TICKET_OPENED = 13
    TICKET_ANSWERED = 14
    SEARCH_PERFORMED = 15
    SURVEY_SHOWN = 16
    TICKET_FOLLOWED_UP = 17
    TICKET_RESOLVED = 18
    TICKET_REOPENED = 19
    TICKET_CHECKED_BACK = 20
    SUBSCRIPTION_STARTED = 21
    SUBSCRIPTION_CHANGED = 22
    SUBSCRIPTION_CANCELLED = 23
    UPLOAD_STARTED = 24
    UPLOAD_FINISHED = 25
    UPLOAD_FAILED = 26
    APP_ERROR = 27
    EXPERIMENT_VIEWED = 28
    COURSE_SAVED = 29
    IDENTIFY = 30
    GROUP = 31
    LOGGED_IN = 32
    PLAYBACK_STALLED = 33


#: Event names of the tracking plan by code.
EVENT_NAMES: dict[Kind, str] = {
    Kind.PAGE_VIEWED: "Page Viewed",
    Kind.SIGNED_UP: "Signed Up",
    Kind.COURSE_CREATED: "Course Created",
    Kind.COURSE_PUBLISHED: "Course Published",
    Kind.FEATURE_EXPOSED: "Feature Exposed",
    Kind.VIDEO_EDITED: "Video Edited",
    Kind.COURSE_ENROLLED: "Course Enrolled",
    Kind.LESSON_WATCHED: "Lesson Watched",
    Kind.PAYMENT_COMPLETED: "Payment Completed",
    Kind.PAYMENT_REFUNDED: "Payment Refunded",
    Kind.INVITE_SENT: "Invite Sent",
    Kind.INVITE_ACCEPTED: "Invite Accepted",
    Kind.SURVEY_ANSWERED: "Survey Answered",
    Kind.TICKET_OPENED: "Support Ticket Opened",
    Kind.TICKET_ANSWERED: "Support Ticket Answered",
    Kind.SEARCH_PERFORMED: "Search Performed",
    Kind.SURVEY_SHOWN: "Survey Shown",
    Kind.TICKET_FOLLOWED_UP: "Support Ticket Followed Up",
    Kind.TICKET_RESOLVED: "Support Ticket Resolved",
    Kind.TICKET_REOPENED: "Support Ticket Reopened",
    Kind.TICKET_CHECKED_BACK: "Support Ticket Checked Back",
    Kind.SUBSCRIPTION_STARTED: "Subscription Started",
    Kind.SUBSCRIPTION_CHANGED: "Subscription Changed",
    Kind.SUBSCRIPTION_CANCELLED: "Subscription Cancelled",
    Kind.UPLOAD_STARTED: "Upload Started",
    Kind.UPLOAD_FINISHED: "Upload Finished",
    Kind.UPLOAD_FAILED: "Upload Failed",
    Kind.APP_ERROR: "App Error",
    Kind.EXPERIMENT_VIEWED: "Experiment Viewed",
    Kind.COURSE_SAVED: "Course Saved",
}
#: Events the plan leaves out on purpose.
UNDECLARED_NAMES: dict[Kind, str] = {Kind.LOGGED_IN: "Logged In", Kind.PLAYBACK_STALLED: "Playback Stalled"}
#: Lines the backend sends: a user id, no device, no page.
SERVER_KINDS = (
    Kind.PAYMENT_COMPLETED,
    Kind.PAYMENT_REFUNDED,
    Kind.TICKET_ANSWERED,
    Kind.TICKET_RESOLVED,
    Kind.TICKET_CHECKED_BACK,
    Kind.SUBSCRIPTION_STARTED,
    Kind.SUBSCRIPTION_CHANGED,
    Kind.SUBSCRIPTION_CANCELLED,
)
#: What "active" means, as in ``product.yml``.
ACTIVITY = (
    Kind.LESSON_WATCHED,
    Kind.COURSE_CREATED,
    Kind.COURSE_PUBLISHED,
    Kind.COURSE_ENROLLED,
    Kind.VIDEO_EDITED,
)

LOGGED_IN = 1
"""Flag: the line carries the user id."""
RETRY = 2
"""Flag: a copy sent again."""
LATE = 4
"""Flag: received more than a day after it happened."""
IN_ACCOUNT = 8
"""Flag: the line carries the teacher's account: a school, or the teacher's own."""
BROUGHT_BACK = 16
"""Flag: happens only because a first human reply to a ticket was quick; in no line, for the truth alone."""

ROW = np.dtype(
    [
        ("ts", np.int64),  # when it happened, as the corrected timestamp says (UTC ms)
        ("recv", np.int64),  # when the server got it (UTC ms)
        ("msg", np.uint64),  # number of the message; a retry repeats it
        ("person", np.uint32),
        ("device", np.uint32),
        ("a", np.int32),  # properties, by kind: see properties
        ("b", np.int32),
        ("lat", np.int16),  # network latency (ms)
        ("skew", np.int16),  # a retry's latency minus the first copy's (ms)
        ("page", np.uint16),
        ("ref", np.uint16),
        ("special", np.uint16),  # 0, or a code of mess: violation, malformed, canary
        ("kind", np.uint8),
        ("c", np.uint8),
        ("flags", np.uint8),
    ]
)


class RowSink:
    """Collects rows column by column while journeys are drawn."""

    def __init__(self, first_number: int = 0) -> None:
        self._parts: list[RowArray] = []
        self._number = first_number

    def numbers(self, count: int) -> Ints:
        """Hands out running numbers, for orders.

        Args:
            count: How many.

        Returns:
            Numbers never handed out before by this sink.
        """
        self._number += count
        return np.arange(self._number - count, self._number)

    def add(
        self,
        kind: Kind,
        person: NDArray[Any],
        device: NDArray[Any],
        ts: Ints,
        *,
        logged: Bools | bool = True,
        page: NDArray[Any] | int = 0,
        ref: NDArray[Any] | int = 0,
        a: NDArray[Any] | int = 0,
        b: NDArray[Any] | int = 0,
        c: NDArray[Any] | int = 0,
    ) -> None:
        """Adds rows of one kind.

        Args:
            kind: What they say.
            person: Person numbers.
            device: Device numbers, as many.
            ts: UTC milliseconds.
            logged: Whether the user id is known to the tracker.
            page: Page the line was sent from.
            ref: Referrer of that page.
            a: First property, by kind.
            b: Second property.
            c: Third, small property.
        """
        part = np.zeros(len(ts), ROW)
        columns = {"person": person, "device": device, "ts": ts, "page": page, "ref": ref, "a": a, "b": b}
        for name, values in columns.items():
            part[name] = values
        part["kind"], part["c"] = int(kind), c
        part["flags"] = np.where(logged, LOGGED_IN, 0)
        self._parts.append(part)

    def finish(self) -> RowArray:
        """Puts the rows together.

        Returns:
            All rows ordered by time, ties in the order of adding.
        """
        rows = np.concatenate(self._parts) if self._parts else np.zeros(0, ROW)
        return by_time(rows)


def by_time(rows: RowArray) -> RowArray:
    """Orders rows by time.

    Args:
        rows: Rows.

    Returns:
        The same, ties in the order given.
    """
    # `take` copies rows as they are; indexing goes through them field by field, ten times slower.
    return rows.take(np.argsort(rows["ts"], kind="stable"))


def mix(values: NDArray[Any] | int, salt: int) -> NDArray[np.uint64]:
    """Scrambles integers (splitmix64), so that a property of a thing needs no storage.

    Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", the mix64 variant 13.

    Args:
        values: Integers, any shape.
        salt: Which of many independent scrambles.

    Returns:
        64-bit values that look random, of the same shape.

    Examples:
        >>> int(mix(np.array([1]), 2)[0]) == int(mix(np.array([1]), 2)[0])
        True
    """
    add = (salt * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & (2**64 - 1)
    z = np.atleast_1d(np.asarray(values)).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(add)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def chance(values: NDArray[Any] | int, salt: int) -> Floats:
    """Gives each integer its own fixed draw.

    Args:
        values: Integers.
        salt: Which draw.

    Returns:
        Uniform numbers in [0, 1).
    """
    return (mix(values, salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53
