"""The release log: what went live when, in which steps, what took it back, and what else happened at the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import polars as pl

from headway.periods import local_day, utc_us

SCHEMA: Final[dict[str, pl.DataType]] = {
    "release": pl.String(),
    "title": pl.String(),
    "kind": pl.String(),
    "source": pl.String(),
    "team": pl.String(),
    "feature": pl.String(),
    "metrics": pl.String(),
    "committed_at": pl.Datetime("us"),
    "released_at": pl.Datetime("us"),
    "released_on": pl.Date(),
    "complete_on": pl.Date(),
    "steps": pl.String(),
    "changes": pl.Int64(),
    "rolled_back_on": pl.Date(),
    "problems": pl.String(),
}
"""Columns and types of the table ``releases``, in order."""

ASSESSED: Final = ("release", "rollout")
"""Kinds whose effect is asked for whatever the log says of them."""


@dataclass(frozen=True)
class Step:
    """One step of a release.

    Attributes:
        on: Local day.
        share: Share of the people it reached by then; None where the log does not say.
        segment: The segment that got it, such as ``channel=email``; None for everybody.
    """

    on: date
    share: float | None = None
    segment: str | None = None

    @property
    def label(self) -> str:
        """The step in words."""
        to = self.segment or ("everybody" if self.share is None or self.share >= 1 else f"{self.share:.0%}")
        return f"{self.on.isoformat()} to {to}"


@dataclass(frozen=True)
class Release:
    """Something that went live.

    Attributes:
        name: Its identifier in the log.
        title: What people call it.
        kind: release, rollout or deploy.
        steps: Its steps in order of time; one for a release that everybody got at once.
        released_at: First instant, UTC.
        committed_at: When it was committed, UTC, where that is known.
        changes: How many changes it holds, where that is known.
        team: Who answers for it.
        feature: The feature it brings, a name of product.yml.
        metrics: Metrics it is meant to change.
        source: file, git or events: where the log knows it from.
        rolled_back_on: Local day on which it was taken back.
        problems: What is wrong with what the log says, in words.
    """

    name: str
    title: str
    kind: str
    steps: tuple[Step, ...]
    released_at: datetime
    committed_at: datetime | None = None
    changes: int | None = None
    team: str | None = None
    feature: str | None = None
    metrics: tuple[str, ...] = ()
    source: str = "file"
    rolled_back_on: date | None = None
    problems: tuple[str, ...] = ()

    @property
    def on(self) -> date:
        """Local day of its first step."""
        return self.steps[0].on

    @property
    def complete_on(self) -> date:
        """Local day of its last step: from then on everybody it reaches has it."""
        return self.steps[-1].on

    @property
    def is_assessed(self) -> bool:
        """Whether its effect is asked for."""
        return self.kind in ASSESSED or bool(self.metrics)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments it was rolled out to, by steps."""
        return tuple(step.segment for step in self.steps if step.segment is not None)


def read_log(rows: pl.DataFrame, timezone: str) -> tuple[Release, ...]:
    """Puts the rows of a release log together.

    Rows of one name are the steps of one release; a row of the kind ``rollback`` takes back the release it names, from
    its day on.

    Args:
        rows: The side input ``releases`` with a column source: release, released_at (UTC), name, kind, committed_at,
            share, segment, changes, team, rolls_back, feature, metrics.
        timezone: IANA name of the product's time zone.

    Returns:
        Releases in order of time.

    Examples:
        >>> row = {"release": "v1", "released_at": datetime(2026, 3, 1, 23), "name": "Search", "kind": "release",
        ...        "committed_at": None, "share": None, "segment": None, "changes": 4.0, "team": None,
        ...        "rolls_back": None, "feature": None, "metrics": "buying", "source": "file"}
        >>> (found,) = read_log(pl.DataFrame([row]), "Europe/Berlin")
        >>> found.title, found.on.isoformat(), found.changes, found.metrics
        ('Search', '2026-03-02', 4, ('buying',))
    """
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows.sort("released_at", "release", "segment", "share").iter_rows(named=True):
        by_name.setdefault(row["release"], []).append(row)
    backs: dict[str, date] = {}
    found: list[Release] = []
    for name, own in by_name.items():
        live = [row for row in own if row["kind"] != "rollback"]
        for row in own:
            if row["kind"] == "rollback":
                backs.setdefault(row["rolls_back"], _day(row["released_at"], timezone))
        if live:
            found.append(_release(name, live, timezone))
    return tuple(sorted(_taken_back(found, backs), key=lambda each: (each.released_at, each.name)))


def unknown_names(rows: pl.DataFrame, incidents: pl.DataFrame) -> tuple[str, ...]:
    """Lists what rollbacks and incidents say of releases that the log does not hold, in words.

    Args:
        rows: As for `read_log`.
        incidents: The side input ``incidents``.

    Returns:
        One sentence each.
    """
    known = set(rows.filter(pl.col("kind") != "rollback")["release"])
    found = [
        f"the rollback {row['release']} takes back {row['rolls_back']}, which the log does not hold"
        for row in rows.filter(kind="rollback").iter_rows(named=True)
        if row["rolls_back"] not in known
    ]
    found += [
        f"the incident {row['incident']} names the release {row['release']}, which the log does not hold"
        for row in incidents.iter_rows(named=True)
        if row["release"] is not None and row["release"] not in known
    ]
    return tuple(found)


def _release(name: str, rows: Sequence[Mapping[str, Any]], timezone: str) -> Release:
    first = rows[0]

    def told(column: str) -> Any:
        return next((row[column] for row in rows if row[column] is not None), None)

    changes = told("changes")
    kinds = {row["kind"] for row in rows}
    shares = [row["share"] for row in rows if row["share"] is not None]
    problems = ["its share falls from one step to the next"] if shares != sorted(shares) else []
    return Release(
        name=name,
        title=told("name") or name,
        kind="rollout" if "rollout" in kinds or len(rows) > 1 else first["kind"],
        steps=tuple(Step(_day(row["released_at"], timezone), row["share"], row["segment"]) for row in rows),
        released_at=first["released_at"],
        committed_at=told("committed_at"),
        changes=None if changes is None else int(changes),
        team=told("team"),
        feature=told("feature"),
        metrics=tuple(dict.fromkeys(m for row in rows for m in (row["metrics"] or "").split())),
        source=first["source"],
        problems=tuple(problems),
    )


def _taken_back(releases: Iterable[Release], backs: Mapping[str, date]) -> Iterator[Release]:
    for each in releases:
        day = backs.get(each.name)
        if day is None:
            yield each
        elif day < each.on:
            yield replace(each, problems=(*each.problems, "it is taken back before it went live"))
        else:
            yield replace(each, rolled_back_on=day)


def _day(at: datetime, timezone: str) -> date:
    return local_day(utc_us(at), timezone)


def release_table(releases: Sequence[Release]) -> pl.DataFrame:
    """Writes releases as a table.

    Args:
        releases: The releases.

    Returns:
        One row per release, see `SCHEMA`; `steps` and `problems` are separated by semicolons.
    """
    rows = [
        (
            each.name,
            each.title,
            each.kind,
            each.source,
            each.team,
            each.feature,
            " ".join(each.metrics) or None,
            each.committed_at,
            each.released_at,
            each.on,
            each.complete_on,
            "; ".join(step.label for step in each.steps),
            each.changes,
            each.rolled_back_on,
            "; ".join(each.problems) or None,
        )
        for each in releases
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@dataclass(frozen=True)
class Span:
    """The days around a release that its effect is read from.

    Attributes:
        first: First day before it.
        until: Day after the last one before it: its first step.
        since: First day after it: its last step.
        last: Last day after it.
        weakened: What else happened within these days, in words.
        refused: Why no series can tell its effect; empty where one may.
    """

    first: date
    until: date
    since: date
    last: date
    weakened: tuple[str, ...] = ()
    refused: str = ""


NEAR: Final = timedelta(days=7)
"""Releases closer than this cannot be told apart by a series."""

ENOUGH_BEFORE, ENOUGH_AFTER = timedelta(days=21), timedelta(days=7)
"""Days on either side that are enough, so that they end where something else began."""


def span_of(
    release: Release,
    others: Iterable[Release],
    data: tuple[date, date],
    *,
    weeks_before: int,
    weeks_after: int,
) -> Span:
    """Says which days a release's effect can be read from.

    The days end where another release begins if enough are left: 21 before and 7 after. Else they reach further, and
    the other release weakens what is read from them. One within 7 days cannot be told apart from it at all.

    Args:
        release: The release.
        others: All releases that could have changed something, itself among them or not.
        data: First and last whole local day with data.
        weeks_before: Weeks before the release, at most.
        weeks_after: Weeks after its last step, at most.

    Returns:
        The days.

    Examples:
        >>> def released(name, day):
        ...     return Release(name, name, "release", (Step(date(2026, 3, day)),), datetime(2026, 3, day))
        >>> data = date(2026, 2, 1), date(2026, 4, 30)
        >>> found = span_of(released("b", 20), [released("a", 10)], data, weeks_before=8, weeks_after=4)
        >>> found.first.isoformat(), found.weakened
        ('2026-02-01', ('a went live on 2026-03-10, within the days it is compared with',))
        >>> span_of(released("b", 20), [released("a", 17)], data, weeks_before=8, weeks_after=4).refused
        'a went live on 2026-03-17, too close to tell the two apart'
    """
    first = max(data[0], release.on - timedelta(weeks=weeks_before))
    last = min(data[1], release.complete_on + timedelta(weeks=weeks_after) - timedelta(days=1))
    if release.rolled_back_on is not None:
        last = min(last, release.rolled_back_on - timedelta(days=1))
    weakened: list[str] = []
    refused = ""
    for other, day, what in _happenings(release, others):
        said = f"{other} {what} on {day.isoformat()}"
        if release.on - NEAR < day < release.complete_on + NEAR:
            refused = refused or f"{said}, too close to tell the two apart"
        elif first < day <= release.on:
            if release.on - day >= ENOUGH_BEFORE:
                first = day
            else:
                weakened.append(f"{said}, within the days it is compared with")
        elif release.complete_on < day <= last:
            if day - release.complete_on >= ENOUGH_AFTER:
                last = day - timedelta(days=1)
            else:
                weakened.append(f"{said}, within the days it is measured over")
    return Span(first, release.on, release.complete_on, last, tuple(dict.fromkeys(weakened)), refused)


def _happenings(release: Release, others: Iterable[Release]) -> Iterator[tuple[str, date, str]]:
    """Everything else that may have changed something, the days farthest from the release first."""
    found = []
    for each in others:
        if each.name == release.name or not each.is_assessed:
            continue
        found += [(each.title, step.on, "went live") for step in each.steps]
        if each.rolled_back_on is not None:
            found.append((each.title, each.rolled_back_on, "was taken back"))
    return iter(sorted(found, key=lambda one: (-abs((one[1] - release.on).days), one[0])))
