"""What does not come from the log: money spent, exchange rates, holidays, releases, incidents, tickets closed."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headway_pipelines.demo.business import holidays
from headway_pipelines.demo.catalogue import CURRENCIES
from headway_pipelines.demo.clock import Ints
from headway_pipelines.demo.release_log import HEADER, INCIDENTS, Shipped, shipped
from headway_pipelines.demo.rows import Floats
from headway_pipelines.demo.world import World

#: Mean spend per expected new person, in the currency it is paid in.
_SPEND = {"paid": (6.4, "EUR"), "email": (0.9, "EUR"), "referral": (2.2, "USD")}
#: Rates on the first day, and how much they move a day.
_RATES, _MOVES = {"EUR": 1.0, "USD": 0.92, "GBP": 1.16}, 0.003
#: Mean tickets that a team closes on a day.
_TICKETS = {"creators": 2.4, "learning": 3.1, "growth": 1.7}
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class SideInputs:
    """Side inputs of a world.

    Attributes:
        first_day: First local day of the rates: the day before the range, days since 1970.
        rates: EUR for one unit; one row a currency of ``CURRENCIES``, one column a local day.
        spend: Day, channel, amount, currency.
        holidays: Day, name.
        shipped: Releases and incidents.
        work: Day, team, tickets closed.
    """

    first_day: int
    rates: Floats
    spend: tuple[tuple[date, str, float, str], ...]
    holidays: tuple[tuple[date, str], ...]
    shipped: Shipped
    work: tuple[tuple[date, str, int], ...]

    @classmethod
    def build(cls, world: World) -> SideInputs:
        """Draws the side inputs of a world.

        Args:
            world: The world.

        Returns:
            The same for the same world.
        """
        s = world.scenario
        first_day = (s.start - _EPOCH).days - 1
        days_off = tuple(holidays(world.clock))
        spend, work = tuple(_spend(world)), tuple(_work(world, {day for day, _ in days_off}))
        return cls(first_day, _rates(world), spend, days_off, shipped(s), work)

    def rate(self, currency: NDArray[np.int64], day: Ints) -> Floats:
        """Looks up rates.

        Args:
            currency: Positions in ``CURRENCIES``.
            day: Local days since 1970.

        Returns:
            EUR for one unit.
        """
        return np.asarray(self.rates[currency, day - self.first_day])

    def write(self, folder: Path) -> None:
        """Writes the CSV files.

        Args:
            folder: Folder of the workspace for side inputs; made if missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        rates = [
            (_EPOCH + timedelta(days=self.first_day + day), name, f"{self.rates[code, day]:.6f}")
            for day in range(self.rates.shape[1])
            for code, name in enumerate(CURRENCIES)
            if code
        ]
        spend = [(day, channel, f"{amount:.2f}", currency) for day, channel, amount, currency in self.spend]
        _write(folder / "exchange_rates.csv", ("day", "currency", "rate"), rates)
        _write(folder / "spend.csv", ("day", "channel", "amount", "currency"), spend)
        _write(folder / "holidays.csv", ("day", "name"), self.holidays)
        _write(folder / "releases.csv", HEADER, self.shipped.releases)
        _write(folder / "incidents.csv", INCIDENTS, self.shipped.incidents)
        _write(folder / "work.csv", ("day", "team", "tickets"), self.work)


def _rates(world: World) -> Floats:
    rng, days = world.rng(2**31, 5), world.scenario.days + 3
    moves = np.cumsum(_MOVES * rng.standard_normal((len(CURRENCIES), days)), axis=1)
    start = np.array([[_RATES[name]] for name in CURRENCIES])
    return np.asarray(np.where(start == 1.0, 1.0, start * np.exp(moves)), dtype=np.float64).round(6)


def _spend(world: World) -> Iterable[tuple[date, str, float, str]]:
    s, rng = world.scenario, world.rng(2**31, 6)
    growth = (1 + s.daily_growth) ** np.arange(s.days)
    for day in range(s.days):
        at = s.start + timedelta(days=day)
        for channel, (each, currency) in _SPEND.items():
            expected = s.people * s.channel_share[channel] * growth[day] / growth.sum()
            amount = each * expected * (0.9 if at.weekday() >= 5 else 1.0) * rng.lognormal(0, 0.2)
            yield at, channel, round(float(amount), 2), currency


def _work(world: World, days_off: Collection[date]) -> Iterable[tuple[date, str, int]]:
    """Tickets that teams close on days they work; on some days a team closes none."""
    s, rng = world.scenario, world.rng(2**31, 7)
    for day in range(s.days):
        at = s.start + timedelta(days=day)
        closed = rng.poisson(list(_TICKETS.values()))
        if at.weekday() < 5 and at not in days_off:
            yield from ((at, team, int(n)) for team, n in zip(_TICKETS, closed, strict=True) if n)


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)
