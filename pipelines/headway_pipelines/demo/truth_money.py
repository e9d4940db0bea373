"""The planted truth of money: payments in EUR, recurring revenue by account, spend by channel, lifetime value."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import numpy as np

from headway_pipelines.demo.catalogue import CURRENCIES
from headway_pipelines.demo.clock import DAY, Ints
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.properties import amount_of
from headway_pipelines.demo.rows import Floats, Kind, RowArray
from headway_pipelines.demo.side_inputs import SideInputs
from headway_pipelines.demo.world import World

PARTS = ("opening", "new", "reactivation", "expansion", "contraction", "churned", "closing")
_PAID = {"payments": Kind.PAYMENT_COMPLETED, "refunds": Kind.PAYMENT_REFUNDED}
_SAYS = {
    "started": Kind.SUBSCRIPTION_STARTED,
    "changed": Kind.SUBSCRIPTION_CHANGED,
    "cancelled": Kind.SUBSCRIPTION_CANCELLED,
}
_HORIZONS = (7, 28)
_EPOCH = date(1970, 1, 1)


def amounts(world: World, side: SideInputs, rows: RowArray) -> tuple[Floats, Floats]:
    """Says what each row pays or pays back.

    Args:
        world: The world.
        side: Its exchange rates.
        rows: Events.

    Returns:
        Amounts in the payments' own currencies, and in EUR at the rate of their local days; 0 for other events.
    """
    own, eur = np.zeros(len(rows)), np.zeros(len(rows))
    index = np.flatnonzero(np.isin(rows["kind"], list(_PAID.values())))
    currency = world.currency(rows["person"][index])
    own[index] = amount_of(rows["a"][index], currency) / 100
    eur[index] = own[index] * side.rate(currency, world.clock.day(rows["ts"][index]))
    return own, eur


class MoneyTruth:
    """Adds up money, block by block.

    Args:
        world: The world.
        side: Its side inputs.
    """

    def __init__(self, world: World, side: SideInputs) -> None:
        self._world, self._side = world, side
        weeks = world.clock.weeks
        self._weeks = weeks
        self._count = {name: np.zeros((len(CURRENCIES), weeks), np.int64) for name in _PAID}
        self._amount = {name: np.zeros((len(CURRENCIES), weeks)) for name in _PAID}
        self._eur = {name: np.zeros(weeks) for name in _PAID}
        self._payers = np.zeros(weeks + 1, np.int64)
        self._cohort = np.zeros(weeks, np.int64)
        self._value = {days: np.zeros(weeks) for days in _HORIZONS}
        self._months = _months(world)
        self._mrr = {part: np.zeros(len(self._months)) for part in PARTS}
        self._accounts = {part: np.zeros(len(self._months), np.int64) for part in PARTS}
        self._kept = np.zeros(len(self._months))
        self._kept_at_most = np.zeros(len(self._months))
        self._said = {name: np.zeros(len(self._months), np.int64) for name in _SAYS}

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        week = h.clock.week(h.ts)
        for name, kind in _PAID.items():
            index = np.flatnonzero(h.rows["kind"] == kind)
            at = (self._world.currency(h.rows["person"][index]), week[index])
            np.add.at(self._count[name], at, 1)
            np.add.at(self._amount[name], at, h.amount[index])
            np.add.at(self._eur[name], week[index], h.eur[index])
        payment = h.rows["kind"] == Kind.PAYMENT_COMPLETED
        did = h.did(payment, week, self._weeks)
        self._payers += np.append(did.sum(axis=0), did.any(axis=1).sum())
        self._add_value(h, payment)
        self._add_subscriptions(h)

    def _add_value(self, h: History, payment: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        first = h.first(h.rows["kind"] == Kind.SIGNED_UP)
        has = first >= 0
        start = np.where(has, h.ts[np.maximum(first, 0)] if len(h.ts) else 0, 2**61)
        cohort = h.clock.week(start[has])
        self._cohort += np.bincount(cohort, minlength=self._weeks)
        week = np.zeros(h.people, np.int64)
        week[has] = cohort
        for days in _HORIZONS:
            inside = payment & (h.ts >= start[h.who]) & (h.ts < start[h.who] + days * DAY)
            np.add.at(self._value[days], week[h.who[inside]], h.eur[inside])

    def _add_subscriptions(self, h: History) -> None:
        """Replays what every account said, month after month."""
        rows = h.rows[np.isin(h.rows["kind"], list(_SAYS.values()))]
        rows = rows[np.argsort(rows["ts"], kind="stable")]
        month = _month_of(self._months, h.clock.day(rows["ts"]))
        for name, kind in _SAYS.items():
            self._said[name] += np.bincount(month[rows["kind"] == kind], minlength=len(self._months))
        said: dict[int, dict[int, float]] = defaultdict(dict)
        paid: dict[int, set[int]] = defaultdict(set)
        for account, at, cents in zip(
            account_of(self._world, rows["person"]).tolist(), month.tolist(), rows["a"].tolist(), strict=True
        ):
            said[account][at] = cents / 100
            paid[account] |= {at} if cents else set()
        for account in sorted(said):
            opening, ever = 0.0, False
            for at in range(len(self._months)):
                closing = said[account].get(at, opening)
                self._add_month(at, opening, closing, ever)
                opening, ever = closing, ever or at in paid[account]

    def _add_month(self, at: int, opening: float, closing: float, ever: bool) -> None:
        back = opening == 0 and ever
        goes_on = opening > 0 and closing > 0
        parts = {
            "opening": opening,
            "new": closing if opening == 0 and not ever else 0.0,
            "reactivation": closing if back else 0.0,
            "expansion": max(closing - opening, 0.0) if goes_on else 0.0,
            "contraction": max(opening - closing, 0.0) if goes_on else 0.0,
            "churned": opening if closing == 0 else 0.0,
            "closing": closing,
        }
        for part, value in parts.items():
            self._mrr[part][at] += value
            self._accounts[part][at] += value > 0
        if opening > 0:
            self._kept[at] += closing
            self._kept_at_most[at] += min(opening, closing)

    def subscriptions(self) -> dict[str, Any]:
        """Gives the section of that name."""
        opening = self._mrr["opening"]
        return {
            "months": [month.isoformat() for month in self._months],
            "currency": "EUR",
            "mrr": {part: values.tolist() for part, values in self._mrr.items()},
            "accounts": {part: values.tolist() for part, values in self._accounts.items()},
            "net_retention": _divided(self._kept, opening),
            "gross_retention": _divided(self._kept_at_most, opening),
            "events": {name: values.tolist() for name, values in self._said.items()},
        }

    def money(self) -> dict[str, Any]:
        """Gives the section of that name."""
        out: dict[str, Any] = {"currency": "EUR"}
        for name in _PAID:
            out[name] = {
                "eur": {"all": float(self._eur[name].sum()), "weeks": self._eur[name].tolist()},
                **{
                    currency: {
                        "count": self._count[name][code].tolist(),
                        "amount": np.round(self._amount[name][code], 2).tolist(),
                    }
                    for code, currency in enumerate(CURRENCIES)
                },
            }
        clock = self._world.clock
        bounds = clock.week_bounds(self._world.scenario.timezone)[1:]
        value: dict[str, Any] = {"people": self._cohort.tolist()}
        for days in _HORIZONS:
            value[f"eur_{days}d"] = self._value[days].tolist()
            value[f"complete_{days}d"] = [bool(end + days * DAY <= clock.end) for end in bounds]
        return out | {
            "payers": {"all": int(self._payers[-1]), "weeks": self._payers[:-1].tolist()},
            "lifetime_value": value,
        }

    def spend(self, new_people: dict[str, Any]) -> dict[str, Any]:
        """Gives the section of that name.

        Args:
            new_people: Truth of the metric ``new_people``.
        """
        clock = self._world.clock
        eur: dict[str, Floats] = defaultdict(lambda: np.zeros(self._weeks))
        for day, channel, amount, currency in self._side.spend:
            number = np.array([(day - _EPOCH).days])
            rate = self._side.rate(np.array([CURRENCIES.index(currency)]), number)[0]
            eur[channel][(day - clock.first_monday).days // 7] += amount * rate
        out = {}
        for channel, spent in eur.items():
            people = np.array(new_people[f"channel={channel}"]["weekly_denominator"])
            out[channel] = {
                "eur": spent.tolist(),
                "new_people": people.astype(int).tolist(),
                "cost_per_new_person": _divided(spent, people),
                "all": {
                    "eur": float(spent.sum()),
                    "new_people": int(people.sum()),
                    "cost_per_new_person": _divided(spent.sum(keepdims=True), people.sum(keepdims=True))[0],
                },
            }
        return out


def account_of(world: World, person: np.ndarray[Any, np.dtype[Any]]) -> Ints:
    """Numbers the accounts of teachers: schools first, then teachers' own.

    Args:
        world: The world.
        person: Person numbers of teachers.

    Returns:
        Account numbers.
    """
    own = world.schools + person.astype(np.int64)
    return np.where(world.may_have_school(person), world.school(person), own)


def _months(world: World) -> list[date]:
    ends = world.clock.day(np.array([world.clock.start, world.clock.end - 1]))
    first, last = (date.fromordinal(_EPOCH.toordinal() + int(day)) for day in ends)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    begin = first.year * 12 + first.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(begin, begin + count)]


def _month_of(months: list[date], day: Ints) -> Ints:
    starts = np.array([(month - _EPOCH).days for month in months])
    return np.asarray(np.searchsorted(starts, day, side="right") - 1)


def _divided(above: Floats, below: Floats) -> list[float | None]:
    return [float(a / b) if b else None for a, b in zip(above, below, strict=True)]
