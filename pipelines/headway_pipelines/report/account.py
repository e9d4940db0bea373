"""What the run read, kept and refused: the privacy and quality summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from headway_pipelines.publishing.comments import TABLE_COMMENTS
from headway_pipelines.report.model import Calendar
from headway_pipelines.report.numbers import DASH, count, moment

DROPPED_SHOWN = 300
"""Rows of dropped values shown; the published database has all."""

_EVENT = "event"
_LEFT_OUT = {
    ("event", "bot"): ("Events of bots", "told by their user agent"),
    ("event", "internal"): ("Events of the team itself", "told by the rules of the tracking plan"),
    ("session", "too long"): ("Sessions that are too long", "longer than the product file allows"),
    ("session", "too many events"): (
        "Sessions with too many events",
        "more a minute than the product file allows",
    ),
}


@dataclass(frozen=True)
class Account:
    """The run's summary, as texts.

    Attributes:
        facts: Label, value and explanation of each fact, most important first.
        warnings: What a reader must know before trusting the numbers.
        outcomes: Source, state of the file, outcome, lines, share of all lines.
        left_out: What no number counts, how much of it, and how it is told.
        dropped: Event, property, reason, values; the most frequent first.
        dropped_more: Rows that are not shown.
        hidden: Table, hidden cells, all cells.
        versions: Label and value of what identifies the computation.
        tables: Name, meaning and rows of every published table.
    """

    facts: tuple[tuple[str, str, str], ...]
    warnings: tuple[str, ...]
    outcomes: tuple[tuple[str, str, str, str, str], ...]
    left_out: tuple[tuple[str, str, str], ...]
    dropped: tuple[tuple[str, str, str, str], ...]
    dropped_more: int
    hidden: tuple[tuple[str, str, str], ...]
    versions: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, str, str], ...]


def read_account(
    tables: Mapping[str, pl.DataFrame], info: Mapping[str, Any], calendar: Calendar, few: int
) -> Account:
    """Reads the run's summary.

    Args:
        tables: The published tables.
        info: The row of ``run_info``.
        calendar: When the numbers were taken.
        few: Smallest number of people a cell may speak of.

    Returns:
        The summary.
    """
    outcomes = tables.get("line_outcomes", pl.DataFrame())
    dropped = tables.get("dropped_values", pl.DataFrame())
    hidden = _hidden(tables)
    rows = (
        dropped.sort("n_values", descending=True, nulls_last=True, maintain_order=True)
        .select("event", "property", "reason", "n_values")
        .rows()
        if dropped.height
        else []
    )
    return Account(
        facts=_facts(info, outcomes, dropped, sum(number for _, number, _ in hidden), few),
        warnings=_warnings(info),
        outcomes=_outcomes(outcomes, few),
        left_out=_left_out(tables.get("left_out", pl.DataFrame()), few),
        dropped=tuple((e, p, r, _values(n, few)) for e, p, r, n in rows[:DROPPED_SHOWN]),
        dropped_more=max(len(rows) - DROPPED_SHOWN, 0),
        hidden=tuple((name, count(number), count(cells)) for name, number, cells in hidden),
        versions=_versions(info, calendar),
        tables=tuple(
            (name, TABLE_COMMENTS.get(name, ""), count(frame.height))
            for name, frame in sorted(tables.items())
        ),
    )


def _values(number: int | None, few: int) -> str:
    return f"fewer than {few}" if number is None else count(number)


def _facts(
    info: Mapping[str, Any], outcomes: pl.DataFrame, dropped: pl.DataFrame, hidden: int, few: int
) -> tuple[tuple[str, str, str], ...]:
    values = dropped["n_values"].sum() if dropped.height else 0
    return (
        ("Lines read", count(info.get("lines")), f"in {_things(info.get('files'), 'file')}"),
        ("Events kept", count(info.get("events")), "in the lake, after duplicates were left out"),
        (
            "Lines not kept as events",
            _refused(outcomes),
            "refused or of another kind; reasons on the data page",
        ),
        ("Values dropped", count(values), "did not pass the privacy gate"),
        ("Files blocked", count(info.get("files_blocked")), "held back by a quality check"),
        ("Files damaged", count(info.get("files_damaged")), "set aside, compression damaged"),
        ("Cells hidden", count(hidden), f"so that none speaks of fewer than {few} people"),
        ("People", _people(info.get("people"), few), _actors(info, few)),
        *_apart(info, few),
    )


def _people(number: object, few: int) -> str:
    """A number of people is a cell too: no fact speaks of fewer than may be shown, and hidden ones are null."""
    hidden = number is None or (isinstance(number, int) and 0 < number < few)
    return f"fewer than {few}" if hidden else count(number)


def _apart(info: Mapping[str, Any], few: int) -> tuple[tuple[str, str, str], ...]:
    """What stitching set aside instead of joining it."""
    most = info.get("max_users_per_device")
    facts = [("shared_devices", "Shared devices", f"of more than {most} users; they belong to nobody")]
    if info.get("oversized_people") != 0:
        facts.append(("oversized_people", "People not joined", "they would have had too many users"))
    if info.get("not_one_to_one") != 0:
        facts.append(("not_one_to_one", "Not one-to-one", "devices and users with several counterparts"))
    return tuple((label, _people(info[name], few), why) for name, label, why in facts if name in info)


def _actors(info: Mapping[str, Any], few: int) -> str:
    actors, devices = info.get("actors"), info.get("devices_joined")
    if actors is None:
        return "from users and devices"
    return f"from {_people(actors, few)} users and devices; {_people(devices, few)} devices recognised as a user’s"


def _things(number: object, noun: str) -> str:
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def _refused(outcomes: pl.DataFrame) -> str:
    lines = outcomes.filter(pl.col("outcome") != _EVENT)["lines"] if outcomes.height else pl.Series([0])
    return f"{count(lines.sum())} or more" if lines.has_nulls() else count(lines.sum())


def _warnings(info: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for name, why in (("blocked", "held back by a quality check"), ("damaged", "set aside as damaged")):
        number = info.get(f"files_{name}")
        if number:
            verb = "is" if number == 1 else "are"
            found.append(
                f"{_things(number, 'file')} {verb} {why}: what {'it holds' if number == 1 else 'they hold'} "
                "is missing from every number here."
            )
    if not info.get("events"):
        found.append("The lake holds no events: there is nothing to measure yet.")
    return tuple(found)


def _outcomes(outcomes: pl.DataFrame, few: int) -> tuple[tuple[str, str, str, str, str], ...]:
    if not outcomes.height:
        return ()
    total = outcomes["lines"].sum() or 1
    return tuple(
        (source, state, outcome, _values(n, few), DASH if n is None else f"{100 * n / total:.1f} %")
        for source, state, outcome, n in outcomes.select("source", "state", "outcome", "lines").rows()
    )


def _left_out(rows: pl.DataFrame, few: int) -> tuple[tuple[str, str, str], ...]:
    found = []
    for row in rows.iter_rows(named=True):
        title, why = _LEFT_OUT[row["kind"], row["reason"]]
        number = f"hidden: of fewer than {few} people" if row["suppressed"] else count(row["n_left_out"])
        found.append((title, number, why))
    return tuple(found)


def _hidden(tables: Mapping[str, pl.DataFrame]) -> list[tuple[str, int, int]]:
    return [
        (name, int(frame["suppressed"].sum()), frame.height)
        for name, frame in sorted(tables.items())
        if "suppressed" in frame.columns
    ]


def _versions(info: Mapping[str, Any], calendar: Calendar) -> tuple[tuple[str, str], ...]:
    def shown(instant: datetime | None) -> str:
        return f"{moment(instant)} ({calendar.timezone})" if instant else DASH

    return (
        ("Data in until", shown(calendar.horizon)),
        ("Computed at", shown(calendar.as_of)),
        ("First event", shown(calendar.local(info.get("first_event_at")))),
        ("Last event", shown(calendar.local(info.get("last_event_at")))),
        ("Time zone", calendar.timezone),
        ("Weeks start on", str(info.get("week_start") or DASH).capitalize()),
        ("Currency", str(info.get("currency") or DASH)),
        ("Headway", str(info.get("code_version") or DASH)),
        ("Tracking plan", _short(info.get("plan_hash"))),
        ("People mapping", _short(info.get("people_version"))),
    )


def _short(fingerprint: object) -> str:
    return str(fingerprint)[:12] if fingerprint else DASH
