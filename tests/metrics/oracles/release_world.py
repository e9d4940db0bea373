"""A world with a release in it, and what people tell of the release, by loops in plain Python."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np
from metric_worlds import EPOCH, HOUR, RULES, Row, World, local_date, make_product

from headway.models.product import Product
from headway.releases import Release, Step

START = date(2026, 2, 23)
RELEASED = START + timedelta(days=42)
DAYS = 84
ZONE = "Europe/Berlin"

METRICS = {
    "depth": {"kind": "mean", "of": "A", "event": "B", "measure": "count", "unit": "times"},
    "reach": {"kind": "conversion", "start": "A", "reach": "B", "within": "7d"},
    "volume": {"kind": "count", "of": "B", "unit": "events"},
}
RELEASES = {"features": {"search": {"title": "Search", "used": "C", "eligible": "A"}}}


class Planted(NamedTuple):
    """What is planted.

    Attributes:
        segments: Added to B per A where the channel has it.
        drift: Added to B per A and week of that channel, all the time.
        adopters: Added to B per A by using the feature.
        eagerness: How much more often busy people use the feature.
        hidden: Added to B per A of those who will use it, but not in the three weeks by which people are matched.
    """

    segments: float = 0.0
    drift: float = 0.0
    adopters: float = 0.0
    eagerness: float = 0.0
    hidden: float = 0.0


def product(world: World) -> Product:
    return make_product(world, METRICS, releases=RELEASES)


def rollout(*steps: tuple[int, str | None], feature: str | None = None) -> Release:
    """A release by steps: days after the first one, and segment."""
    on = [Step(RELEASED + timedelta(days=day), None, segment) for day, segment in steps]
    at = datetime.combine(RELEASED, datetime.min.time())
    return Release("it", "It", "rollout", tuple(on), at, feature=feature, metrics=("depth",))


NOTHING = Planted()


def build(seed: int, planted: Planted = NOTHING, people: int = 150) -> World:
    """Draws a world: everybody does A on some days, B some times a day of A; some use C after the release."""
    rng = np.random.default_rng(seed)
    names = [None, *(source for _, source in RULES)]
    source = rng.integers(0, 3, people)
    busy = rng.gamma(3.0, 0.1, people).clip(0.05, 0.9)
    keen = rng.random(people) < np.clip(0.3 + planted.eagerness * (busy - 0.3), 0.02, 0.95)
    begins = np.where(rng.random(people) < 0.8, 0, rng.integers(0, DAYS, people))
    rows: list[Row] = []
    first = int(
        (datetime.combine(START, datetime.min.time(), EPOCH.tzinfo) - EPOCH) / timedelta(microseconds=1)
    )
    released = (RELEASED - START).days
    for person in range(people):
        for day in range(int(begins[person]), DAYS):
            if rng.random() > busy[person]:
                continue
            has_it = source[person] == 1 and day >= released
            rate = 1.0 + 3 * busy[person] + planted.segments * has_it
            rate += planted.drift * (day // 7) * (source[person] == 1)
            rate += planted.adopters * bool(keen[person] and day >= released)
            rate += planted.hidden * bool(keen[person] and not 0 < released - day <= 21)
            at = first + day * 24 * HOUR + int(rng.integers(0, 24 * HOUR))
            told = names[source[person]]
            rows += [_row(person, "A", at, len(rows), told)]
            rows += [_row(person, "B", at + n + 1, len(rows) + n, told) for n in range(rng.poisson(rate))]
            if keen[person] and day >= released and rng.random() < 0.5:
                rows += [_row(person, "C", at + 50, len(rows), told)]
    channels = {
        person: dict(zip([None, "mail", "ad"], ["direct", "email", "ads"], strict=True))[
            names[source[person]]
        ]
        for person in range(people)
    }
    horizon = first + DAYS * 24 * HOUR
    return World(tuple(rows), channels, timezone=ZONE, horizon=horizon)


def _row(person: int, event: str, us: int, line: int, source: str | None) -> Row:
    return Row(person, event, us, line, line, source=source)


@dataclass(frozen=True)
class Naive:
    """The world, counted by loops."""

    world: World

    @cached_property
    def days(self) -> Mapping[tuple[int, date], Counter[str]]:
        """Person and local day -> how often each thing was done."""
        found: dict[tuple[int, date], Counter[str]] = defaultdict(Counter)
        for row in self.world.rows:
            found[row.person, local_date(row.us, ZONE)][row.event] += 1
        return found

    def depth(self) -> list[tuple[int, date, int, int]]:
        """Person, day, number of B and 1, of days with an A."""
        return [(person, day, done["B"], 1) for (person, day), done in self.days.items() if done["A"]]

    def units_by_week(self, weeks_before: int, weeks_after: int) -> dict[tuple[str, int], np.ndarray]:
        """Channel and person -> B of every week, then A-days of every week."""
        weeks = weeks_before + weeks_after
        found: dict[tuple[str, int], np.ndarray] = defaultdict(lambda: np.zeros(2 * weeks))
        for person, day, y, x in self.depth():
            week = math.floor((day - RELEASED).days / 7) + weeks_before
            if 0 <= week < weeks:
                row = found[str(self.world.channels[person]), person]
                row[week] += y
                row[weeks + week] += x
        return found

    def adoption(self, last: date, kept_days: int) -> tuple[int, int, int, int]:
        """Eligible, tried, ripe, kept."""
        used: dict[int, list[date]] = defaultdict(list)
        eligible = set()
        for (person, day), done in self.days.items():
            if RELEASED <= day <= last and (done["A"] or done["C"]):
                eligible.add(person)
                used[person] += [day] if done["C"] else []
        tried = {person: days for person, days in used.items() if days}
        ripe = {p: d for p, d in tried.items() if min(d) + timedelta(days=2 * kept_days) <= last}
        kept = [p for p, d in ripe.items() if max(d) >= min(d) + timedelta(days=kept_days)]
        return len(eligible), len(tried), len(ripe), len(kept)

    def matched(self, since: date, last: date) -> tuple[float, float]:
        """Matched and plain difference of B per A-day between people who used C in time and others."""
        first: dict[int, date] = {}
        for (person, day), _ in sorted(self.days.items(), key=lambda each: each[0][1]):
            first.setdefault(person, day)
        near = RELEASED - timedelta(days=21)
        arms: dict[int, int] = {}
        for (person, day), done in self.days.items():
            if RELEASED <= day < since and (done["A"] or done["C"]):
                arms[person] = max(arms.get(person, 0), int(done["C"] > 0))
        people: list[tuple[tuple[object, ...], int, int, int]] = []
        for person, arm in arms.items():
            if first[person] >= RELEASED:
                continue
            own = [(day, done) for (who, day), done in self.days.items() if who == person]
            before = [done for day, done in own if near <= day < RELEASED]
            y1 = sum(done["B"] for done in before if done["A"])
            active = sum(1 for done in before if done["A"] or done["B"])
            weeks = (RELEASED - first[person]).days // 7
            after = [done for day, done in own if since <= day <= last and done["A"]]
            key: tuple[object, ...] = (
                self.world.channels[person],
                *(int(2 * math.log2(n + 1)) for n in (y1, active, weeks)),
            )
            people.append((key, arm, sum(done["B"] for done in after), len(after)))
        counts = Counter((key, arm) for key, arm, _, _ in people)
        sums = {(arm, plain): [0.0, 0.0] for arm in (0, 1) for plain in (False, True)}
        for key, arm, y, x in people:
            both = counts[key, 0] and counts[key, 1]
            weight = 0.0 if not both else 1.0 if arm else counts[key, 1] / counts[key, 0]
            for plain, w in ((False, weight), (True, 1.0)):
                sums[arm, plain][0] += w * y
                sums[arm, plain][1] += w * x

        def gap(plain: bool) -> float:
            return sums[1, plain][0] / sums[1, plain][1] - sums[0, plain][0] / sums[0, plain][1]

        return gap(False), gap(True)
