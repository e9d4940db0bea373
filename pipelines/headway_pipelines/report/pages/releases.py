"""Releases: how they were delivered, and for each what it was meant to change and what it did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from headway.charts.releases import Mark
from headway_pipelines.report.model import Metric
from headway_pipelines.report.numbers import amount, bounds, count, day, decimals, signed
from headway_pipelines.report.pages.page import Page
from headway_pipelines.report.reading import Report

#: Changes of metrics a release was not meant for that are listed; the rest is in the table.
OTHERS_SHOWN: Final = 5


@dataclass(frozen=True)
class Rung:
    """One rung's answer in words."""

    method: str
    effect: str
    grade: str
    reason: str
    is_strongest: bool


@dataclass(frozen=True)
class Answer:
    """What a release did to one metric.

    Attributes:
        title: The metric or outcome.
        metric: The metric as the report knows it; None for an outcome of an experiment.
        sentence: The strongest estimate in words.
        tone: ``better``, ``worse`` or empty.
        grade: Its grade; empty where there is none.
        why: Why it has this grade.
        first: When it could first be told.
        rungs: Every rung that was tried.
    """

    title: str
    metric: Metric | None
    sentence: str
    tone: str
    grade: str
    why: str
    first: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True)
class Section:
    """One release.

    Attributes:
        anchor: Identifier of its place in the page.
        facts: Its row of the table ``releases``.
        when: Its day or days.
        intended: What it did to the metrics it was meant to change.
        others: What it may have done besides.
        more: Other metrics that moved and are not listed.
        adoption: Who took its feature up, in words.
        is_credited: Whether it earned credit.
    """

    anchor: str
    facts: Mapping[str, Any]
    when: str
    intended: tuple[Answer, ...]
    others: tuple[Answer, ...]
    more: int
    adoption: tuple[str, ...]
    is_credited: bool

    @property
    def summary(self) -> str:
        """Its outcome in a few words, for the list."""
        if self.facts["rolled_back_on"] is not None:
            return "taken back"
        if not self.intended:
            return "not said what it was meant to change"
        if self.is_credited:
            return "did what it was meant to"
        if any(each.tone == "worse" for each in self.intended):
            return "made it worse"
        if any(each.tone == "better" for each in self.intended):
            return "a hint, no proof"
        return "no measurable change" if any(each.grade for each in self.intended) else "cannot be told"


@dataclass(frozen=True)
class Delivered:
    """One measure of delivery in words."""

    title: str
    value: str
    interval: str
    counted: str
    note: str


def marks(report: Report) -> tuple[Mark, ...]:
    """Lists what is drawn on every time series: releases and what was taken back, deploys aside.

    Args:
        report: The report.

    Returns:
        The marks in order.
    """
    table = report.table("releases")
    if table.is_empty():
        return ()
    found = []
    for row in table.filter("assessed").iter_rows(named=True):
        found.append(Mark(row["released_on"], str(row["title"])))
        if row["rolled_back_on"] is not None:
            found.append(Mark(row["rolled_back_on"], f"{row['title']} taken back"))
    return tuple(sorted(found, key=lambda mark: (mark.on, mark.text)))


def _fill(report: Report) -> Mapping[str, Any]:
    table = report.table("releases")
    known = {metric.name: metric for metric in reversed(report.metrics)}
    assessed = table.filter("assessed").sort("released_at", "release", descending=[True, False])
    sections = [_section(report, row, known) for row in assessed.iter_rows(named=True)]
    others = table.filter(~pl.col("assessed")).sort("released_at", descending=True)
    problems = report.table("release_problems")
    return {
        "sections": sections,
        "credited": sum(each.is_credited for each in sections),
        "measured": sum(any(answer.grade for answer in each.intended) for each in sections),
        "delivered": list(_delivered(report.table("delivery"))),
        "deploys": [
            (row["title"], day(row["released_on"]), row["changes"]) for row in others.iter_rows(named=True)
        ],
        "problems": problems["problem"].to_list() if problems.height else [],
    }


def _section(report: Report, row: Mapping[str, Any], known: Mapping[str, Metric]) -> Section:
    impact = report.table("release_impact")
    own = impact.filter(release=row["release"]) if impact.height else impact
    groups = own.partition_by("metric", maintain_order=True) if own.height else []
    answers = [(bool(group["intended"][0]), _answer(group, known)) for group in groups]
    moved = [answer for intended, answer in answers if not intended and answer.tone]
    return Section(
        f"r-{re.sub('[^a-z0-9]+', '-', str(row['release']).lower()).strip('-')}",
        row,
        _when(row["released_on"], row["complete_on"]),
        tuple(answer for intended, answer in answers if intended),
        tuple(moved[:OTHERS_SHOWN]),
        max(len(moved) - OTHERS_SHOWN, 0),
        tuple(_adoption(report.table("feature_adoption"), row["release"])),
        bool(own["credited"].any()) if own.height else False,
    )


def _when(first: date, last: date) -> str:
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def _answer(rows: pl.DataFrame, known: Mapping[str, Metric]) -> Answer:
    name = str(rows["metric"][0])
    metric = known.get(name)
    found = [dict(row) for row in rows.iter_rows(named=True)]
    best = next((row for row in found if row["strongest"]), None)
    rungs = tuple(
        Rung(row["method"], _effect(row), row["grade"] or "none", row["reason"], bool(row["strongest"]))
        for row in found
    )
    title = metric.title if metric else name.replace("_", " ").capitalize()
    if best is None:
        why = str(found[0]["reason"]).removeprefix("no grade: ")
        return Answer(title, metric, f"cannot be told: {why}", "", "", "", "", rungs)
    verdict = str(best["verdict"])
    first = best["days_to_value"]
    return Answer(
        title,
        metric,
        _sentence(best, verdict),
        verdict if verdict in ("better", "worse") else "",
        str(best["grade"]),
        str(best["reason"]),
        "" if first is None else f"first measurable after {first} days",
        rungs,
    )


def _sentence(best: Mapping[str, Any], verdict: str) -> str:
    if verdict in ("better", "worse"):
        return f"{verdict}: {_effect(best)}"
    return f"no measurable change: {_effect(best)}"


def _effect(row: Mapping[str, Any]) -> str:
    if row["effect"] is None:
        return "–"
    unit = str(row["unit"])
    places = decimals(unit, row["effect"], row["low"], row["high"])
    return f"{signed(row['effect'], unit, places)} ({bounds(row['low'], row['high'], unit, places)})"


def _adoption(table: pl.DataFrame, release: str) -> Iterator[str]:
    rows = table.filter(release=release) if table.height else table
    for row in rows.iter_rows(named=True):
        if row["suppressed"] or row["tried_rate"] is None:
            yield f"{row['title']}: {row['reason'] or 'nobody could use it yet'}"
            continue
        tried = amount(row["tried_rate"], "percent", 0)
        yield (
            f"{row['title']}: of {count(row['eligible'])} people who could use it, {count(row['tried'])} tried it "
            f"({tried}, {bounds(row['tried_low'], row['tried_high'], 'percent', 0)})"
        )
        if row["kept_rate"] is None:
            yield str(row["reason"])
            continue
        kept = amount(row["kept_rate"], "percent", 0)
        yield (
            f"of {count(row['ripe'])} who first did long enough ago, {count(row['kept'])} still used it "
            f"{row['kept_after_days']} days later or after that ({kept}, "
            f"{bounds(row['kept_low'], row['kept_high'], 'percent', 0)})"
        )


def _delivered(table: pl.DataFrame) -> Iterator[Delivered]:
    rows = table.filter(pl.col("month").is_null()) if table.height else table
    for row in rows.iter_rows(named=True):
        if row["value"] is None:
            yield Delivered(row["title"], "–", "", count(row["counted"]), str(row["reason"]))
            continue
        unit = str(row["unit"])
        has_interval = row["low"] is not None and row["high"] is not None
        places = decimals(unit, row["value"], row["low"], row["high"])
        interval = f"({bounds(row['low'], row['high'], unit, places)})" if has_interval else ""
        reference = row["reference"]
        note = "" if reference is None else _beside(row["value"], reference, unit)
        yield Delivered(
            row["title"], amount(row["value"], unit, places), interval, count(row["counted"]), note
        )


def _beside(value: float, reference: float, unit: str) -> str:
    than = "within" if value <= reference else "above"
    return f"{than} the reference of {reference:g} {unit}"


def _wanted(report: Report) -> bool:
    return not (report.table("releases").is_empty() and report.table("delivery").is_empty())


PAGE = Page("releases.html", "Releases", "releases.html.j2", _fill, _wanted)
