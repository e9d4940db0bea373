"""The planted truth of support: what happens to tickets, how long it takes, and what quick replies do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headway_pipelines.demo.clock import DAY, MINUTE
from headway_pipelines.demo.measures import History
from headway_pipelines.demo.rows import ACTIVITY, BROUGHT_BACK, Kind
from headway_pipelines.demo.truth_values import open_durations
from headway_pipelines.demo.world import World

_KINDS = (
    Kind.TICKET_OPENED,
    Kind.TICKET_ANSWERED,
    Kind.TICKET_FOLLOWED_UP,
    Kind.TICKET_RESOLVED,
    Kind.TICKET_REOPENED,
    Kind.TICKET_CHECKED_BACK,
)
HAPPENS = ("opened", "bot_answered", "agent_answered", "followed_up", "resolved", "reopened", "checked_back")
#: Days in which agents check back on a ticket.
CHECK_BACK_DAYS = 28
WAITS = ("first_reply", "next_reply", "first_resolution")


@dataclass
class _Ticket:
    """What happened to one ticket: instants in order, UTC milliseconds."""

    who: int = -1
    opened: int = -1
    bot: list[int] = field(default_factory=list)
    agent: list[int] = field(default_factory=list)
    followed_up: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)
    checked_back: list[int] = field(default_factory=list)


class SupportTruth:
    """Adds up tickets, block by block.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._tickets = {name: np.zeros(world.clock.weeks, np.int64) for name in HAPPENS}
        self._checked_back = np.zeros(world.clock.weeks, np.int64)
        #: Per kind of wait: begin and end of each, end -1 while it is open.
        self._waits: dict[str, list[tuple[int, int]]] = {name: [] for name in WAITS}
        self._people = {name: np.zeros(3, np.int64) for name in ("quick", "slow")}

    def add(self, h: History) -> None:
        """Counts a block.

        Args:
            h: Its history.
        """
        tickets = _tickets(h)
        opened = np.array([ticket.opened for ticket in tickets], np.int64)
        for ticket, week in zip(tickets, h.clock.week(opened).tolist(), strict=True):
            happened = (
                [ticket.opened],
                ticket.bot,
                ticket.agent,
                ticket.followed_up,
                ticket.resolved,
                ticket.reopened,
                ticket.checked_back,
            )
            for name, times in zip(HAPPENS, happened, strict=True):
                self._tickets[name][week] += bool(times)
            in_time = ticket.opened + CHECK_BACK_DAYS * DAY
            self._checked_back[week] += any(at < in_time for at in ticket.checked_back)
            self._waits["first_reply"].append((ticket.opened, next(iter(ticket.agent), -1)))
            self._waits["first_resolution"].append((ticket.opened, next(iter(ticket.resolved), -1)))
            self._waits["next_reply"] += _next_replies(ticket)
        self._add_retention(h, tickets)

    def _add_retention(self, h: History, tickets: list[_Ticket]) -> None:
        opens = np.full(h.people, -1)
        quick = np.zeros(h.people, bool)
        limit = self._world.scenario.quick_reply_minutes * MINUTE
        for ticket in sorted(tickets, key=lambda each: -each.opened):
            opens[ticket.who] = ticket.opened
            ends = np.array([ticket.opened, *ticket.agent[:1]])
            worked = np.diff(self._world.hours.elapsed(ends))
            quick[ticket.who] = bool(len(worked)) and worked[0] <= limit
        ripe = (opens >= 0) & (opens + 14 * DAY <= h.clock.end)
        inside = np.isin(h.rows["kind"], ACTIVITY) & (h.ts >= opens[h.who] + 7 * DAY)
        inside &= h.ts < opens[h.who] + 14 * DAY
        own = inside & (h.rows["flags"] & BROUGHT_BACK == 0)
        back, back_anyway = np.zeros(h.people, bool), np.zeros(h.people, bool)
        back[h.who[inside]] = True
        back_anyway[h.who[own]] = True
        for name, group in (("quick", ripe & quick), ("slow", ripe & ~quick)):
            self._people[name] += [group.sum(), (group & back).sum(), (group & back_anyway).sum()]

    def table(self) -> dict[str, Any]:
        """Gives the section ``support``."""
        scenario = self._world.scenario
        names = ("people", "retained", "retained_without_effect")
        return {
            "tickets": {name: values.tolist() for name, values in self._tickets.items()},
            f"checked_back_{CHECK_BACK_DAYS}d": self._checked_back.tolist(),
            **{name: self._durations(waits) for name, waits in self._waits.items()},
            "retention": {
                **{
                    group: dict(zip(names, values.tolist(), strict=True))
                    for group, values in self._people.items()
                },
                "planted": scenario.quick_reply_return,
                "quick_within_business_minutes": scenario.quick_reply_minutes,
            },
        }

    def _durations(self, waits: list[tuple[int, int]]) -> dict[str, Any]:
        clock, hours = self._world.clock, self._world.hours
        begin, end = np.array(waits, np.int64).reshape(-1, 2).T
        closed = end >= 0
        until = np.where(closed, end, clock.end)
        week = clock.week(begin)
        business = hours.elapsed(until) - hours.elapsed(begin)
        return {
            "calendar": open_durations(week, until - begin, closed, clock.weeks),
            "business": open_durations(week, business, closed, clock.weeks),
        }


def _tickets(h: History) -> list[_Ticket]:
    rows = h.rows[np.isin(h.rows["kind"], _KINDS)]
    who = h.who[np.isin(h.rows["kind"], _KINDS)]
    order = np.argsort(rows["ts"], kind="stable")
    found: dict[int, _Ticket] = defaultdict(_Ticket)
    for row, person in zip(rows[order].tolist(), who[order].tolist(), strict=True):
        event = dict(zip(rows.dtype.names or (), row, strict=True))
        ticket, at = found[event["a"]], event["ts"]
        match Kind(event["kind"]):
            case Kind.TICKET_OPENED:
                ticket.opened, ticket.who = at, person
            case Kind.TICKET_ANSWERED:
                (ticket.bot if event["b"] else ticket.agent).append(at)
            case Kind.TICKET_FOLLOWED_UP:
                ticket.followed_up.append(at)
            case Kind.TICKET_RESOLVED:
                ticket.resolved.append(at)
            case Kind.TICKET_REOPENED:
                ticket.reopened.append(at)
            case _:
                ticket.checked_back.append(at)
    # What began before the range, or is not in the export, is nobody's ticket.
    return [ticket for ticket in found.values() if ticket.opened >= 0]


def _next_replies(ticket: _Ticket) -> list[tuple[int, int]]:
    """From a follow-up, unless one is open, to the next answer by an agent."""
    out: list[tuple[int, int]] = []
    steps = [(at, False) for at in ticket.followed_up] + [(at, True) for at in ticket.agent]
    since = -1
    for at, answers in sorted(steps):
        if answers and since >= 0:
            out.append((since, at))
            since = -1
        elif not answers and since < 0:
            since = at
    return [*out, (since, -1)] if since >= 0 else out
