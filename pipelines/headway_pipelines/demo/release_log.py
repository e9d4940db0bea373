"""What Lectern shipped: what works, what does nothing, what broke something, and what reached people in steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from headway_pipelines.demo.scenario import Scenario

#: Cells of a row of ``releases.csv`` that are not always there.
HEADER = (
    "release", "released_at", "name", "kind", "committed_at", "share", "segment", "changes", "team", "rolls_back",
    "feature", "metrics", "experiment",
)  # fmt: skip
INCIDENTS = ("incident", "started_at", "detected_at", "restored_at", "release")

#: Days between deploys, hours from the median commit to going live, and changes, again and again.
_DEPLOYS = ((7, 20, 6), (7, 44, 11), (7, 30, 4), (7, 52, 9))


@dataclass(frozen=True)
class Shipped:
    """The release log of a scenario.

    Attributes:
        releases: Rows of ``releases.csv``.
        incidents: Rows of ``incidents.csv``.
        effects: Release -> metric it was meant to change -> what was planted, on those who got it.
    """

    releases: tuple[tuple[str, ...], ...]
    incidents: tuple[tuple[str, ...], ...]
    effects: dict[str, dict[str, float]]


def shipped(scenario: Scenario) -> Shipped:
    """Lists what was shipped in a scenario.

    Args:
        scenario: The planted rates.

    Returns:
        The release log; the same for the same scenario.

    Examples:
        >>> sorted(shipped(Scenario()).effects)
        ['checkout', 'recommendations', 'search', 'search_ranking', 'video_editor', 'welcome_tour']
    """
    s = scenario
    days = release_days(s)
    search, checkout, steps = days["search"], days["checkout"], days["recommendations"]
    broken = _at(s, checkout, 10)
    rows = [
        *(
            _row(trial, _at(s, days["trials"], 0), name=name, kind="rollout", share="50", changes=changes,
                 team="growth", committed_at=_at(s, days["trials"] - 2, 9), experiment=trial)
            for trial, name, changes in (
                ("welcome_tour", "A tour for newcomers", "12"), ("search_ranking", "Search by lessons finished", "3"),
            )
        ),
        _row("search", _at(s, search, 11), name="Search by topic", changes="14", team="learning",
             committed_at=_at(s, search - 3, 11), metrics="lessons_per_learner"),
        _row("checkout", broken, name="One-page checkout", changes="37", team="growth",
             committed_at=_at(s, checkout - 9, 10), metrics="payers"),
        _row("checkout-back", _at(s, checkout + 1, 9), name="One-page checkout taken back", kind="rollback",
             rolls_back="checkout", team="growth"),
        _row("video_editor", _utc(s, s.release_day), name="New video editor", changes="22", team="creators",
             committed_at=_at(s, s.release_day - 6, 15), feature="video_editor", metrics="publishing",
             experiment="video_editor"),
        *(
            _row("recommendations", _at(s, steps + 7 * step, 10), name="Courses you may like", kind="rollout",
                 segment=f"channel={channel}", changes="9", team="learning", metrics="lessons_per_learner",
                 committed_at=_at(s, steps - 4, 10) if step == 0 else "")
            for step, channel in enumerate(("email", "organic"))
        ),
        *_deploys(s),
    ]  # fmt: skip
    incidents = (
        ("payments-fail", _later(broken, 0.5), _later(broken, 1.25), _at(s, checkout + 1, 9), "checkout"),
        ("slow-pages", _at(s, steps - 3, 14), _later(_at(s, steps - 3, 14), 0.4), _at(s, steps - 3, 16), ""),
    )
    effects = {
        "welcome_tour": {"saved": s.tour_uplift},
        "search_ranking": {"saved": 0.0},
        "search": {"lessons_per_learner": 0.0},
        "checkout": {"payers": 0.0},
        "video_editor": {"publishing": s.editor_uplift},
        "recommendations": {"lessons_per_learner": 0.0},
    }
    return Shipped(tuple(rows), incidents, effects)


def release_days(scenario: Scenario) -> dict[str, int]:
    """Says on which days of the range something was shipped.

    The search has three weeks before it and one after it to itself: enough for a series to be read.

    Args:
        scenario: The planted rates.

    Returns:
        Day of the range, from 0 on, by release; ``trials`` begin together.
    """
    at = {"checkout": 0.15, "search": 0.67, "recommendations": 0.78}
    days = {name: round(scenario.days * share) for name, share in at.items()}
    return {"trials": 3, **days, "video_editor": scenario.release_day}


def _row(release: str, released_at: str, **cells: str) -> tuple[str, ...]:
    told = {"release": release, "released_at": released_at, **cells}
    return tuple(told.get(name, "") for name in HEADER)


def _deploys(s: Scenario) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    day = 3
    while day < s.days:
        gap, hours, changes = _DEPLOYS[len(rows) % len(_DEPLOYS)]
        at = _at(s, day, 13)
        rows.append(
            _row(
                f"web-{len(rows) + 1}",
                at,
                kind="deploy",
                committed_at=_later(at, -hours),
                changes=str(changes),
            )
        )
        day += gap
    return rows


def _at(s: Scenario, day: int, hour: int) -> str:
    """A local time of a day of the range."""
    at = datetime.combine(s.start + timedelta(days=day), time(hour), ZoneInfo(s.timezone))
    return at.isoformat(timespec="minutes")


def _utc(s: Scenario, day: int) -> str:
    at = datetime.combine(date.fromordinal(s.start.toordinal() + day), time(0), UTC)
    return at.isoformat(timespec="minutes")


def _later(at: str, hours: float) -> str:
    return (datetime.fromisoformat(at) + timedelta(hours=hours)).isoformat(timespec="minutes")
