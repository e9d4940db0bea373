"""Adds up the planted truth, block by block."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from headway_pipelines.demo.canaries import Canary
from headway_pipelines.demo.catalogue import SCHOOLS
from headway_pipelines.demo.clock import DAY, Ints
from headway_pipelines.demo.measures import MEASURES, History, evaluate, selectors
from headway_pipelines.demo.mess import FIRST_CANARY, FIRST_MALFORMED, FIRST_VIOLATION, MALFORMED, VIOLATIONS
from headway_pipelines.demo.people import People
from headway_pipelines.demo.rows import EVENT_NAMES, LATE, LOGGED_IN, UNDECLARED_NAMES, Bools, Kind, RowArray
from headway_pipelines.demo.scenario import CHANNELS
from headway_pipelines.demo.side_inputs import SideInputs
from headway_pipelines.demo.trials import TrialTruth
from headway_pipelines.demo.truth_activation import ActivationTruth
from headway_pipelines.demo.truth_money import MoneyTruth, amounts
from headway_pipelines.demo.truth_referral import EventTruth, ReferralTruth
from headway_pipelines.demo.truth_support import SupportTruth
from headway_pipelines.demo.truth_surveys import SurveyTruth
from headway_pipelines.demo.truth_tasks import QualityTruth, TaskTruth
from headway_pipelines.demo.world import World

#: Funnels of ``product.yml``: selectors of the steps and the window in days.
FUNNELS: dict[str, tuple[tuple[str, ...], int]] = {
    "publishing": (("sign_up", "course", "publication"), 14),
    "learning": (("page", "sign_up", "enrolment", "lesson_or_payment"), 14),
}
EXPERIMENT_DAYS = 14
VARIANTS = ("control", "treatment")


class Tally:
    """Counts of one simulation.

    Args:
        world: The world.
        canaries: Planted personal data, by special code from ``FIRST_CANARY`` on.
    """

    def __init__(self, world: World, canaries: tuple[Canary, ...]) -> None:
        self.world = world
        self.canaries = canaries
        weeks, days = world.clock.weeks, world.clock.days + 1
        self.measures = {name: np.zeros((2, weeks + 1, len(CHANNELS))) for name in MEASURES}
        self.funnels = {name: np.zeros(len(steps), np.int64) for name, (steps, _) in FUNNELS.items()}
        self.retention = np.zeros((weeks, weeks), np.int64)
        self.daily = {name: np.zeros(days, np.int64) for name in ("new_people", "sign_ups", "active_people")}
        self.experiment = np.zeros((2, 3), np.int64)
        self.counts: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.malformed: Counter[str] = Counter(dict.fromkeys(MALFORMED, 0))
        self.violations: Counter[str] = Counter({violation.name: 0 for violation in VIOLATIONS})
        self.used: dict[str, set[int]] = {
            part: set() for part in ("surname", "phone", "street", "school", "ip")
        }
        self.e_mail_user_ids: list[int] = []
        self.side = SideInputs.build(world)
        self.money = MoneyTruth(world, self.side)
        self.surveys, self.support = SurveyTruth(world), SupportTruth(world)
        self.uploads, self.quality = TaskTruth(world), QualityTruth(world)
        self.referral, self.weekly = ReferralTruth(world), EventTruth(world)
        self.trials = TrialTruth(world)
        self.activation = ActivationTruth(world)

    def add_people(self, people: People, rows: RowArray) -> None:
        """Counts what a block of people did.

        Args:
            people: The block.
            rows: Their lines in the export, each once, without malformed ones.
        """
        plan = rows.take(np.flatnonzero(rows["kind"] < Kind.IDENTIFY))
        plan = plan.take(np.lexsort((plan["ts"], plan["person"])))
        who = plan["person"].astype(np.int64) - int(people.person[0])
        money = amounts(self.world, self.side, plan)
        history = History(plan, who, people.channel, len(people), self.world.clock, *money)
        masks = selectors(plan)
        for name, measure in MEASURES.items():
            self.measures[name] += evaluate(measure, history, masks)
        for name, (steps, days) in FUNNELS.items():
            self.funnels[name] += _funnel(history, [masks[step] for step in steps], days)
        self._add_retention(history, masks)
        self._add_daily(history, masks)
        self._add_experiment(history, masks)
        self._add_identity(people, rows)
        for part in (
            self.money,
            self.surveys,
            self.support,
            self.uploads,
            self.quality,
            self.referral,
            self.weekly,
            self.trials,
            self.activation,
        ):
            part.add(history)

    def add_lines(self, rows: RowArray, copies: RowArray, broken: RowArray) -> None:
        """Counts lines.

        Args:
            rows: Good lines of people, each once.
            copies: Retries among them.
            broken: Malformed lines.
        """
        counts = self.counts
        counts["lines"] += len(rows) + len(copies) + len(broken)
        counts["messages"] += len(rows)
        counts["retries"] += len(copies)
        counts["late"] += int((rows["flags"] & LATE > 0).sum())
        counts["wrong_clock_lines"] += int((self.world.clock_error(rows["device"]) != 0).sum())
        counts["anonymous_lines"] += int((rows["flags"] & LOGGED_IN == 0).sum())
        for kind, name in (EVENT_NAMES | UNDECLARED_NAMES).items():
            self.events[name] += int((rows["kind"] == kind).sum())
        for kind in (Kind.IDENTIFY, Kind.GROUP):
            counts[kind.name.lower()] += int((rows["kind"] == kind).sum())
        counts["undeclared_events"] += int(np.isin(rows["kind"], list(UNDECLARED_NAMES)).sum())
        for code, times in zip(*np.unique(broken["special"], return_counts=True), strict=True):
            self.malformed[self._malformed_name(int(code))] += int(times)
        plain = rows["special"][(rows["special"] > 0) & (rows["special"] < FIRST_MALFORMED)]
        for code, times in zip(*np.unique(plain, return_counts=True), strict=True):
            self.violations[VIOLATIONS[int(code) - FIRST_VIOLATION].name] += int(times)

    def add_bots(self, rows: RowArray) -> None:
        """Counts the crawlers' lines.

        Args:
            rows: Their rows.
        """
        self.counts["bots"] = self.world.bots
        self.counts["bot_lines"] += len(rows)
        self.counts["lines"] += len(rows)
        self.counts["messages"] += len(rows)

    def _malformed_name(self, code: int) -> str:
        if code >= FIRST_CANARY:
            return self.canaries[code - FIRST_CANARY].malformed or ""
        return MALFORMED[code - FIRST_MALFORMED]

    def _add_retention(self, h: History, masks: dict[str, Bools]) -> None:
        """Calendar weeks: the cohort is the week of the first sign-up, column k the k-th week after it."""
        weeks = h.clock.weeks
        first = h.first(masks["learner"])
        did = h.did(masks["lesson"], h.clock.week(h.ts), weeks)
        person = np.flatnonzero(first >= 0)
        cohort = h.clock.week(h.ts[first[person]])
        for row in range(weeks):
            members = person[cohort == row]
            self.retention[row, 0] += len(members)
            self.retention[row, 1 : weeks - row] += did[members, row + 1 :].sum(axis=0)

    def _add_daily(self, h: History, masks: dict[str, Bools]) -> None:
        first_day = int(h.clock.day(np.array([h.clock.start]))[0])
        days = len(self.daily["new_people"])
        for name, rows in (("new_people", h.first(masks["any"])), ("sign_ups", h.first(masks["sign_up"]))):
            day = h.clock.day(h.ts[rows[rows >= 0]]) - first_day
            self.daily[name] += np.bincount(day, minlength=days)
        active = masks["activity"]
        seen = np.unique(h.who[active] * 2**20 + h.clock.day(h.ts[active]) - first_day)
        self.daily["active_people"] += np.bincount(seen % 2**20, minlength=days)

    def _add_experiment(self, h: History, masks: dict[str, Bools]) -> None:
        """Teachers exposed; of those whose 14 days have elapsed, how many published in them."""
        first = h.first(masks["exposed"])
        has = first >= 0
        at = np.where(has, h.ts[np.maximum(first, 0)] if len(h.ts) else 0, 0)
        end = at + EXPERIMENT_DAYS * DAY
        published = h.reached(masks["publication"], at, end)
        ripe = end <= h.clock.end
        for variant in range(len(VARIANTS)):
            unit = has.copy()
            unit[has] = h.rows["c"][first[has]] == variant
            self.experiment[variant] += [unit.sum(), (unit & ripe).sum(), (unit & ripe & published).sum()]

    def _add_identity(self, people: People, rows: RowArray) -> None:
        counts, world = self.counts, self.world
        real = rows["device"] != world.no_device
        devices = np.unique(rows["device"][real])
        first_person = int(people.person[0])
        counts["people"] += len(np.unique(rows["person"]))
        counts["devices"] += len(devices)
        counts["wrong_clock_devices"] += int((world.clock_error(devices) != 0).sum())
        counts["second_devices"] += int((devices % 2 == 1).sum())
        borrower = people.borrower[rows["person"] - first_person]
        seen = np.unique(rows["person"][borrower])
        counts["shared_devices"] += len(seen)
        counts["shared_device_anonymous_events"] += int((borrower & (rows["flags"] & LOGGED_IN == 0)).sum())
        signed_up = np.unique(rows["person"][rows["kind"] == Kind.SIGNED_UP])
        counts["sign_ups"] += len(signed_up)
        self._add_used(rows, devices, signed_up)

    def _add_used(self, rows: RowArray, devices: Ints, signed_up: Ints) -> None:
        """Which of the catalogue's personal values the log holds."""
        named = np.unique(rows["person"][rows["kind"] == Kind.IDENTIFY])
        for part, positions in self.world.person_parts(named).items():
            if part in self.used:
                self.used[part] |= set(np.unique(positions).tolist())
        self.used["ip"] |= set(np.unique(self.world.device_parts(devices)["ip"]).tolist())
        members = np.unique(rows["person"][rows["kind"] == Kind.GROUP])
        school = self.world.school(members[self.world.may_have_school(members)]) % len(SCHOOLS)
        self.used["school"] |= set(np.unique(school).tolist())
        mails = signed_up[self.world.has_e_mail_user_id(signed_up)]
        self.counts["e_mail_user_ids"] += len(mails)
        self.e_mail_user_ids += mails[: 50 - len(self.e_mail_user_ids)].tolist()

    def measure_table(self, name: str) -> dict[str, Any]:
        """Writes a measure as plain numbers.

        Args:
            name: Which.

        Returns:
            Overall and weekly numerators and denominators, for everybody and by channel.
        """
        measure = MEASURES[name]
        by_channel = self.measures[name]
        table = np.concatenate([by_channel.sum(axis=2, keepdims=True), by_channel], axis=2)
        scale = 100.0 if measure.kind == "nps" else 1.0
        segments = ["all", *(f"channel={channel}" for channel in CHANNELS)]
        elapsed = int((measure.after + measure.within) * DAY)
        bounds = self.world.clock.week_bounds(self.world.scenario.timezone)
        out: dict[str, Any] = {
            "kind": measure.kind,
            "complete": [bool(end + elapsed <= self.world.clock.end) for end in bounds[1:]],
        }
        for i, segment in enumerate(segments):
            # Sums of amounts are whole hundredths; what rates turn into EUR is not.
            above, below = table[:, :, i] if measure.sums == "eur" else np.round(table[:, :, i], 2)
            value = scale * above[-1] / below[-1] if below[-1] else None
            value = float(above[-1]) if measure.kind == "new_people" else value
            out[segment] = {
                "numerator": above[-1],
                "denominator": below[-1],
                "value": value,
                "weekly_numerator": above[:-1].tolist(),
                "weekly_denominator": below[:-1].tolist(),
            }
        return out


def _funnel(h: History, steps: list[Bools], days: int) -> Ints:
    """People per step; every step but the first and last occurs before it matters which attempt is meant.

    The second step (signing up, or the first course) is what limits an attempt: the best attempt starts with
    the latest first step before it, or, where the first step happens once, with that.
    """
    counts = np.zeros(len(steps), np.int64)
    start = h.first(steps[0])
    counts[0] = (start >= 0).sum()
    second = h.first(steps[1])
    index = np.flatnonzero(steps[0])
    # Latest first step not after the second one.
    early = index[h.ts[index] <= np.where(second >= 0, h.ts[second], -1)[h.who[index]]]
    latest = np.full(h.people, -1)
    latest[h.who[early]] = early
    alive = (latest >= 0) & (second >= 0)
    begin = np.where(alive, h.ts[latest], 0)
    at = np.where(alive, h.ts[second], 0)
    for k in range(1, len(steps)):
        if k > 1:
            at = _earliest_from(h, steps[k], at)
        alive &= at <= begin + days * DAY
        counts[k] = alive.sum()
    return counts


def _earliest_from(h: History, mask: Bools, since: Ints) -> Ints:
    found = h.first(mask & (h.ts >= since[h.who]))
    return np.where(found >= 0, h.ts[found], 2**62)
