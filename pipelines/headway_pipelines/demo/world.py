"""What is true of a person or a device for good: looked up from its number, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway_pipelines.demo.business import BusinessHours
from headway_pipelines.demo.catalogue import (
    CURRENCIES,
    FIRST_NAMES,
    IPS,
    LOCALES,
    MOBILE,
    PHONES,
    SCHOOLS,
    STREETS,
    SURNAMES,
    USER_AGENTS,
)
from headway_pipelines.demo.clock import DAY, MINUTE, Clock, Ints
from headway_pipelines.demo.rows import Bools, Floats, chance, mix
from headway_pipelines.demo.scenario import Scenario

#: People drawn from one random stream; part of what a seed means, so not an option.
BLOCK = 8192


class Trait(IntEnum):
    """Salts of the scrambles; a new one goes last, or every seed means something else."""

    USER_ID = 1
    USER_ID_IS_E_MAIL = 2
    FIRST_NAME = 3
    SURNAME = 4
    PHONE = 5
    STREET = 6
    WRONG_CLOCK = 7
    CLOCK_SIZE = 8
    IP = 9
    BROWSER = 10
    LOCALE = 11
    DEVICE_ID = 12
    MESSAGE_ID = 13
    SCHOOL = 14
    BLOCK = 15
    CURRENCY = 16
    ACCOUNT = 17


@dataclass(frozen=True)
class World:
    """Scenario, clock and the lookups derived from the seed.

    Attributes:
        scenario: The planted rates.
        clock: Times of the range.
        hours: When agents work.
    """

    scenario: Scenario
    clock: Clock
    hours: BusinessHours

    @classmethod
    def build(cls, scenario: Scenario) -> World:
        """Makes the world of a scenario.

        Args:
            scenario: The planted rates.

        Returns:
            The world.
        """
        clock = Clock.build(scenario.start, scenario.days, scenario.timezone)
        return cls(scenario, clock, BusinessHours.build(clock))

    @property
    def release(self) -> int:
        """Instant of the editor's release, UTC milliseconds."""
        return self.clock.start + self.scenario.release_day * DAY

    @property
    def first_bot_device(self) -> int:
        """Devices from this number on are bots."""
        return 2 * self.scenario.people

    @property
    def no_device(self) -> int:
        """Number that stands for no device (lines from the backend)."""
        return 2**32 - 1

    @property
    def bots(self) -> int:
        """Number of bots."""
        return max(1, round(self.scenario.bots * self.scenario.people))

    @property
    def schools(self) -> int:
        """Number of schools; they grow in number with the people."""
        return max(len(SCHOOLS), self.scenario.people // 200)

    def rng(self, *stream: int) -> np.random.Generator:
        """Opens a random stream of its own.

        Args:
            stream: Which one.

        Returns:
            A generator that depends on the seed and the stream only.
        """
        return np.random.default_rng([self.scenario.seed, *stream])

    def mix(self, values: NDArray[Any], trait: Trait) -> NDArray[np.uint64]:
        """Scrambles numbers for a trait.

        Args:
            values: Numbers of people, devices or messages.
            trait: Which scramble.

        Returns:
            64 random-looking bits each.
        """
        return mix(values, self.scenario.seed * 64 + trait)

    def chance(self, values: NDArray[Any], trait: Trait) -> Floats:
        """Gives each number its fixed uniform draw for a trait.

        Args:
            values: Numbers of people or devices.
            trait: Which draw.

        Returns:
            Numbers in [0, 1).
        """
        return chance(values, self.scenario.seed * 64 + trait)

    def pick(self, values: NDArray[Any], trait: Trait, options: int) -> NDArray[np.int64]:
        """Gives each number one of several options for good.

        Args:
            values: Numbers of people or devices.
            trait: Which choice.
            options: How many there are.

        Returns:
            Choices from 0 on.
        """
        return (self.mix(values, trait) % np.uint64(options)).astype(np.int64)

    def school(self, person: NDArray[Any]) -> NDArray[np.int64]:
        """Gives each person the school they would teach at; all members of a school are of one block.

        Args:
            person: Person numbers.

        Returns:
            School numbers.
        """
        blocks = -(-self.scenario.people // BLOCK)
        block = np.asarray(person).astype(np.int64) // BLOCK
        here = (self.schools - block + blocks - 1) // blocks
        number = (self.mix(person, Trait.SCHOOL) % here.astype(np.uint64)).astype(np.int64)
        return np.asarray(block + blocks * number)

    def may_have_school(self, person: NDArray[Any]) -> Bools:
        """Says which teachers belong to a school; the others have, at most, an account of their own.

        Args:
            person: Person numbers.

        Returns:
            True where a teacher of that number belongs to one.
        """
        return self.chance(person, Trait.SCHOOL) < self.scenario.school

    def currency(self, person: NDArray[Any]) -> NDArray[np.int64]:
        """Gives each person the currency they pay in.

        Args:
            person: Person numbers.

        Returns:
            Positions in ``CURRENCIES``.
        """
        shares = np.cumsum([self.scenario.currency_share[name] for name in CURRENCIES])[:-1]
        return np.searchsorted(shares, self.chance(person, Trait.CURRENCY), side="right")

    def clock_error(self, device: NDArray[Any]) -> Ints:
        """Says how far a device's clock is off.

        Args:
            device: Device numbers.

        Returns:
            Milliseconds to add to the true time: 0 for most (and for bots and the backend), else 2 minutes to
            3 days, fast or slow.
        """
        off = self.chance(device, Trait.WRONG_CLOCK) < self.scenario.wrong_clock
        draw = self.chance(device, Trait.CLOCK_SIZE) * 2 - 1
        span = 2 * MINUTE * (3 * DAY / (2 * MINUTE)) ** np.abs(draw)
        return np.where(off & (device < self.first_bot_device), np.sign(draw) * span, 0).astype(np.int64)

    def is_mobile(self, device: NDArray[Any]) -> Bools:
        """Says which devices are phones or tablets.

        Args:
            device: Device numbers.

        Returns:
            True for mobile devices.
        """
        return self.pick(device, Trait.BROWSER, len(USER_AGENTS)) < MOBILE

    def has_e_mail_user_id(self, person: NDArray[Any]) -> Bools:
        """Says whose user id is an e-mail address.

        Args:
            person: Person numbers.

        Returns:
            True where it is.
        """
        return self.chance(person, Trait.USER_ID_IS_E_MAIL) < self.scenario.e_mail_user_id

    def person_parts(self, person: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
        """Looks up what an identify call would say.

        Args:
            person: Person numbers.

        Returns:
            Positions in the catalogue: ``first``, ``surname``, ``phone``, ``street``.
        """
        return {
            "first": self.pick(person, Trait.FIRST_NAME, len(FIRST_NAMES)),
            "surname": self.pick(person, Trait.SURNAME, len(SURNAMES)),
            "phone": self.pick(person, Trait.PHONE, len(PHONES)),
            "street": self.pick(person, Trait.STREET, len(STREETS)),
        }

    def device_parts(self, device: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
        """Looks up what a device's context says.

        Args:
            device: Device numbers of people.

        Returns:
            Positions in the catalogue: ``ip``, ``browser``, ``locale``.
        """
        return {
            "ip": self.pick(device, Trait.IP, len(IPS)),
            "browser": self.pick(device, Trait.BROWSER, len(USER_AGENTS)),
            "locale": self.pick(device, Trait.LOCALE, len(LOCALES)),
        }
