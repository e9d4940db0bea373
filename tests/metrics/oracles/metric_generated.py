"""Worlds made from seeds: few people, instants packed around boundaries, ties, changes of the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from metric_worlds import HOUR, WEEKDAYS, Rate, Row, Spent, Told, World

# A zone and an instant some hours before something happens to its clock; Havana changes at midnight.
SCENES = (
    ("UTC", datetime(2026, 12, 31, 20)),
    ("Asia/Kathmandu", datetime(2026, 2, 28, 12)),
    ("Europe/Berlin", datetime(2026, 3, 28, 18)),
    ("Europe/Berlin", datetime(2026, 10, 24, 18)),
    ("America/New_York", datetime(2026, 3, 7, 20)),
    ("America/New_York", datetime(2026, 10, 31, 20)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 6)),
    ("America/Havana", datetime(2026, 3, 7, 18)),
    ("America/Havana", datetime(2026, 10, 31, 18)),
)

# Hours since the scene's instant: dense, so that windows are met at their exact ends, a later week and later months.
DENSE = (0, 0, 1, 1, 2, 3, 4, 9, 10, 11, 12, 24, 24, 25, 26, 48, 9 * 24, 30 * 24)
MONTHS = (
    0,
    1,
    1,
    2,
    3,
    12,
    24,
    25,
    5 * 24,
    9 * 24,
    16 * 24,
    30 * 24,
    31 * 24,
    32 * 24,
    45 * 24,
    61 * 24,
    62 * 24,
)
WINDOWS = (0, 1, 2, 24, 24, 9 * 24)
_SHIFTS = (0, 0, 0, 0, 0, 1, -1)
# Not too far apart, so that the order of addition does not show.
_AMOUNTS = (None, 0.0, 0.1, 0.2, 0.5, 1.0, 1.0, 2.5, 8.0, -3.0, 1e6)
_HOURS: tuple[Mapping[str, object], ...] = (
    {},
    {"opens": "08:30", "closes": "17:15", "days": ["monday", "wednesday", "saturday", "sunday"]},
    {"opens": "00:00", "closes": "24:00", "days": list(WEEKDAYS)},
    {"opens": "01:30", "closes": "02:30", "days": list(WEEKDAYS)},
)


def generate(
    seed: int,
    *,
    people: int = 9,
    rows: int = 60,
    hours: Sequence[int] = DENSE,
    keys: int = 5,
    accounts: int = 3,
) -> World:
    """Makes a world from a seed; seeds go through the scenes in turn."""
    rng = Random(seed)
    timezone, begin = SCENES[seed % len(SCENES)]
    base = int(begin.replace(tzinfo=UTC).timestamp()) * 1_000_000

    def moment() -> int:
        return base + rng.choice(hours) * HOUR + rng.choice(_SHIFTS)

    said: list[tuple[int, int, str | None]] = []

    def row(tie: int) -> Row:
        person, us = rng.randint(1, people), moment()
        key = f"k{rng.randint(1, keys)}" if rng.random() < 0.85 else None
        if said and rng.random() < 0.4:
            # As long after something else as windows are, to the microsecond or just not; of the same thing, mostly.
            someone, at, of = rng.choice(said)
            if rng.random() < 0.5:
                # Windows open with what a person did first.
                _, at, of = min((each for each in said if each[0] == someone), key=lambda each: each[1])
            person = rng.choice((person, someone, someone))
            us = at + rng.choice(WINDOWS) * HOUR + rng.choice((0, 0, 1, 1, -1))
            key = rng.choice((key, of, of))
        said.append((person, us, key))
        return Row(
            person=person,
            event=rng.choice("AABBCD"),
            us=us,
            line=rng.randint(0, 2),
            tie=tie,
            amount=rng.choice(_AMOUNTS),
            score=rng.choice((None, *range(-1, 12))),
            currency=rng.choice(("EUR", "EUR", "USD", "USD", "GBP", None)),
            key=key,
            account=f"a{rng.randint(1, accounts)}" if rng.random() < 0.85 else None,
            source=rng.choice((None, None, "mail", "ad", "other")),
        )

    ties = rng.sample(range(1, 10**9), rng.randint(max(rows // 3, 1), rows))
    told = {
        (rng.randint(1, people), moment()): rng.choice(("free", "pro", "team", None))
        for _ in range(rng.randint(0, people + 3))
    }
    # One person says one plan more often than all others say anything: what is said by most people is another.
    apart = Random(-1 - seed)
    someone = apart.randint(1, people)
    told |= {(someone, base + apart.randrange(30 * 24) * HOUR): "team" for _ in range(people + 8)}
    day = begin.date()
    # Events lie around days 0, 9 and 30: rates are told a week before, a day more, and a day less.
    days = (-8, -7, -6, -1, 1, 2, 3, 22, 23, 24)
    rated = {(rng.choice(days), rng.choice(("USD", "USD", "GBP", "EUR"))) for _ in range(9)}
    return World(
        rows=tuple(row(tie) for tie in ties),
        channels={
            n: rng.choice(("email", "ads", "direct", None))
            for n in range(1, people + 1)
            if rng.random() < 0.8
        },
        plans=tuple(Told(person, us, plan) for (person, us), plan in told.items()),
        timezone=timezone,
        week_start=rng.choice(WEEKDAYS),
        horizon=moment(),
        rates=tuple(
            Rate(day + timedelta(days=n), code, rng.choice((0.25, 0.5, 2.0))) for n, code in sorted(rated)
        ),
        holidays=tuple(
            sorted({day + timedelta(days=rng.choice((0, 1, 2, 9, 30))) for _ in range(rng.randint(0, 2))})
        ),
        business=rng.choice(_HOURS),
        spend=tuple(
            Spent(
                day + timedelta(days=rng.choice((-1, 0, 0, 1, 2, 9, 30, 31))),
                rng.choice(("email", "ads", "ads", "direct")),
                rng.choice((0.0, 0.5, 1.0, 2.5, 8.0, -3.0)),
                rng.choice((None, "EUR", "USD", "GBP")),
            )
            for _ in range(0 if seed % 7 == 6 else rng.choice((6, 12)))
        ),
    )
