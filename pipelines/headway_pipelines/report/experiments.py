"""Experiments as objects a page can show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from headway_pipelines.report.numbers import DASH, amount, bounds, count, day, decimals, finite, signed
from headway_pipelines.report.reading import Report

ROLES: Final[Mapping[str, str]] = {
    "primary": "What the decision rests on",
    "guardrail": "What must not get worse",
    "secondary": "What was looked at beside",
}
DECISIONS: Final[Mapping[str, str]] = {
    "ship": "Ship",
    "stop": "Stop",
    "continue": "Continue",
    "inconclusive": "Inconclusive",
}
_DIFFER: Final = 0.05
"""Below this probability segments are said to differ."""
_GOOD, _BAD = ("better", "holds"), ("worse", "breached")


@dataclass(frozen=True)
class Arm:
    """One variant of one metric, in words.

    Attributes:
        variant: The variant.
        is_control: Whether others are compared with it.
        units: Units that count.
        open: Units whose window is not over; empty where none or few.
        mean: Mean or share.
        effect: The effect, empty for the control.
        interval: Its interval.
        relative: The relative effect with its interval.
        chance: Probability of being better.
        p_value: As adjusted.
        verdict: In words.
        tone: ``better``, ``worse`` or empty.
        notes: Reason and caution.
        method: Method of the interval.
    """

    variant: str
    is_control: bool
    units: str
    open: str
    mean: str
    effect: str
    interval: str
    relative: str
    chance: str
    p_value: str
    verdict: str
    tone: str
    notes: tuple[str, ...]
    method: str


@dataclass(frozen=True)
class Compared:
    """One metric of an experiment."""

    title: str
    role: str
    margin: str
    hidden: bool
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class Check:
    """One line of the health of an experiment."""

    label: str
    variant: str
    units: str
    expected: str
    verdict: str
    tone: str
    p_value: str


@dataclass(frozen=True)
class Segments:
    """Effects on one metric in segments.

    Attributes:
        title: The metric.
        by: The property that divides units.
        differ: Whether the segments differ, in words.
        rows: Segment, variant, effect with interval, and the same shrunken.
    """

    title: str
    by: str
    differ: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class Novelty:
    """Effects on one metric by day since exposure.

    Attributes:
        title: The metric.
        rows: Day, variant, effect with interval.
        drawn: Rows of the table, for the chart.
    """

    title: str
    rows: tuple[tuple[str, str, str], ...]
    drawn: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        facts: Its row of ``experiments``.
        file: Its page.
        lead: Its effect in one line: the first primary metric of the variant that matters most.
        metrics: What was compared, primary first.
        rows: Rows of the results, for the chart.
        splits: Whether units were split as planned.
        stages: How exposures became units.
        late: Whether it was written down after its start.
        beside: What other experiments its units were in, and whether that changes its effect.
        segments: Effects in segments, where every segment is large enough to be told.
        novelty: Effects by day since exposure, as far as no day is of few.
        both_ways: Metric, variant, and its effect without and with the units that met several variants.
    """

    facts: Mapping[str, Any]
    file: str
    lead: str
    metrics: tuple[Compared, ...]
    rows: tuple[Mapping[str, Any], ...]
    splits: tuple[Check, ...]
    stages: tuple[tuple[str, str], ...]
    late: bool
    beside: tuple[str, ...] = ()
    segments: tuple[Segments, ...] = ()
    novelty: tuple[Novelty, ...] = ()
    both_ways: tuple[tuple[str, str, str, str], ...] = ()

    @property
    def title(self) -> str:
        """Title for people."""
        return str(self.facts["title"])

    @property
    def decision(self) -> str:
        """What the rule says, in words; where only guardrails are in the way, that."""
        if self.facts["decision"] == "inconclusive" and not self.is_broken:
            primary = [arm for metric in self._of("primary") for arm in metric.arms]
            improved = {arm.variant for arm in primary if arm.verdict == "better"}
            improved -= {arm.variant for arm in primary if arm.verdict == "worse"}
            open_ = [
                metric
                for metric in self._of("guardrail")
                if any(arm.variant in improved and arm.verdict != "holds" for arm in metric.arms)
            ]
            if open_:
                hidden = any(metric.hidden for metric in open_)
                return f"Improved, guardrail {'not judged' if hidden else 'not shown to hold'}"
        return DECISIONS[str(self.facts["decision"])]

    def _of(self, role: str) -> tuple[Compared, ...]:
        return tuple(each for each in self.metrics if each.role == role)

    @property
    def next(self) -> str:
        """What can be done about it; empty where the decision says it."""
        judged = all(arm.verdict != "not judged" for metric in self.metrics for arm in metric.arms)
        if self.facts["decision"] != "inconclusive" or self.is_broken or not judged:
            return ""
        if self.decision.startswith("Improved"):
            return (
                "Nothing ships without its guardrails, as was declared. Let it run longer, or declare guardrails that "
                "more people meet the next time"
            )
        return "It was too small or too short for what it should have found"

    @property
    def tone(self) -> str:
        """``better`` where it ships, ``worse`` where it is stopped."""
        return {"ship": "better", "stop": "worse"}.get(str(self.facts["decision"]), "")

    @property
    def why(self) -> str:
        """Why the rule says so."""
        return str(
            self.facts["why"] or "so few people met it that numbers are hidden, and the reason with them"
        )

    @property
    def days(self) -> str:
        """First to last day of exposures."""
        return f"{day(self.facts['start'])} to {day(self.facts['end'])}"

    @property
    def is_broken(self) -> bool:
        """Whether the split forbids every conclusion."""
        return any(check.verdict == "broken" for check in self.splits)

    @property
    def alike(self) -> tuple[tuple[str, tuple[Compared, ...]], ...]:
        """Metrics by what they are for."""
        parts = ((title, tuple(m for m in self.metrics if m.role == role)) for role, title in ROLES.items())
        return tuple(part for part in parts if part[1])


def read_experiments(report: Report) -> tuple[Experiment, ...]:
    """Reads the experiments of the published tables.

    Args:
        report: The report.

    Returns:
        The experiments, those that ended last first.
    """
    listed = report.table("experiments")
    if listed.is_empty():
        return ()
    rows = listed.sort(["end", "experiment"], descending=[True, False]).iter_rows(named=True)
    return tuple(_read(report, row) for row in rows)


def _read(report: Report, facts: Mapping[str, Any]) -> Experiment:
    name = facts["experiment"]
    results = report.table("experiment_results").filter(pl.col("experiment") == name)
    health = report.table("experiment_health").filter(pl.col("experiment") == name)
    metrics = tuple(
        _compared(part.to_dicts(), report.few) for part in results.partition_by("metric", maintain_order=True)
    )
    stages = health.filter(pl.col("check") == "exposure").select("label", "units", "suppressed").iter_rows()
    return Experiment(
        facts=facts,
        file=f"experiment-{re.sub('[^a-z0-9]+', '-', name)}.html",
        lead=_lead(facts, metrics),
        metrics=metrics,
        rows=tuple(results.filter(~pl.col("suppressed")).to_dicts()),
        splits=tuple(_checks(health)),
        stages=tuple((label, "hidden" if hidden else count(units)) for label, units, hidden in stages),
        late=facts["declared"] is None or facts["declared"] > facts["start"],
        beside=tuple(_beside(health)),
        segments=tuple(_segments(report, name)),
        novelty=tuple(_novelty(report, name)),
        both_ways=tuple(_both_ways(report, name)),
    )


def _compared_in(report: Report, table: str, name: str) -> pl.DataFrame:
    """Rows of a table that compare something with the control of an experiment."""
    told = report.table(table)
    if told.is_empty():
        return pl.DataFrame(schema={"metric": pl.String, "variant": pl.String})
    return told.filter(pl.col("experiment") == name, pl.col("effect").is_not_null())


def _novelty(report: Report, name: str) -> Iterator[Novelty]:
    for part in _compared_in(report, "experiment_days", name).partition_by("metric", maintain_order=True):
        rows = part.to_dicts()
        told = tuple(
            (
                str(row["since"]),
                str(row["variant"]),
                _spread(row["effect"], row["low"], row["high"], row["unit"]),
            )
            for row in rows
        )
        yield Novelty(str(rows[0]["title"]), told, tuple(rows))


def _both_ways(report: Report, name: str) -> Iterator[tuple[str, str, str, str]]:
    compared = _compared_in(report, "experiment_both_ways", name)
    for part in compared.partition_by("metric", "variant", maintain_order=True):
        ways = {row["several"]: row for row in part.iter_rows(named=True)}
        first = part.row(0, named=True)
        without, whole = (
            _spread(row["effect"], row["low"], row["high"], row["unit"]) if (row := ways.get(way)) else DASH
            for way in ("exclude", "first")
        )
        yield str(first["title"]), str(first["variant"]), without, whole


def _segments(report: Report, name: str) -> Iterator[Segments]:
    compared = _compared_in(report, "experiment_segments", name)
    for part in compared.partition_by("metric", "variant", maintain_order=True):
        first = part.row(0, named=True)
        p = finite(first["p_differ"])
        chance = "" if p is None else f" (p = {_p(p)})".replace("= <", "< ")
        rows = tuple(
            (
                str(row["segment"]),
                str(row["variant"]),
                _spread(row["effect"], row["low"], row["high"], row["unit"]),
                _spread(row["shrunken"], row["shrunken_low"], row["shrunken_high"], row["unit"]),
            )
            for row in part.iter_rows(named=True)
        )
        differ = f"{'differ' if p is not None and p < _DIFFER else 'are not told apart'}{chance}"
        yield Segments(str(first["title"]), str(first["by"]), differ, rows)


def _spread(effect: object, low: object, high: object, unit: str) -> str:
    middle, lowest, highest = finite(effect), finite(low), finite(high)
    if middle is None or lowest is None or highest is None:
        return DASH
    places = decimals(unit, middle, lowest, highest)
    return f"{signed(middle, unit, places).strip()} ({_range(lowest, highest, unit, places)})"


def _beside(health: pl.DataFrame) -> Iterator[str]:
    for row in health.filter(check="together").iter_rows(named=True):
        units = "few units" if row["suppressed"] else f"{count(row['units'])} units or more"
        p = _p(row["p_value"])
        yield f"{row['label']}: {units}; {row['verdict']}{f' (p = {p})' if p else ''}".replace("= <", "< ")
    for row in health.filter(check="definition").iter_rows(named=True):
        yield f"its definition was changed after it had begun, first seen on {row['label']}"


def _lead(facts: Mapping[str, Any], metrics: Sequence[Compared]) -> str:
    for metric in metrics:
        if metric.role != "primary":
            continue
        if metric.hidden:
            return f"{metric.title}: hidden"
        wanted = [arm for arm in metric.arms if arm.variant == facts["ships"]]
        arm = (wanted or [arm for arm in metric.arms if not arm.is_control])[0]
        return f"{metric.title}: {f'{arm.effect} {arm.interval}'.strip() or arm.verdict}"
    return ""


def _compared(rows: Sequence[Mapping[str, Any]], few: int) -> Compared:
    first = rows[0]
    margin = finite(first["margin"])
    told = "" if margin is None else f"may get up to {100 * margin:g} % worse"
    return Compared(
        str(first["title"]),
        str(first["purpose"]),
        told if first["purpose"] == "guardrail" else "",
        bool(first["suppressed"]),
        tuple(_arm(row, few) for row in rows),
    )


def _arm(row: Mapping[str, Any], few: int) -> Arm:
    unit = str(row["unit"] or "")
    mean, effect, low, high = (finite(row[name]) for name in ("mean", "effect", "low", "high"))
    places = decimals(unit, effect, low, high) if effect is not None else _places(unit, mean)
    is_control = row["verdict"] == "control"
    hidden = bool(row["suppressed"])
    relative = finite(row["relative"])
    ends = finite(row["relative_low"]), finite(row["relative_high"])
    spread = "" if ends[0] is None or ends[1] is None else f" ({_range(ends[0], ends[1], 'percent', 0)})"
    open_ = row["units_open"]
    chance = finite(row["chance"])
    return Arm(
        variant=str(row["variant"]),
        is_control=is_control,
        units="hidden" if hidden else count(row["units"]),
        open=f"{count(open_)} more not yet over" if open_ else "",
        mean=f"fewer than {few} people, or would reveal so few" if hidden else DASH if mean is None
        else amount(mean, unit, max(places, _places(unit, mean))).strip(),
        effect="" if effect is None else signed(effect, unit, places).strip(),
        interval="" if low is None or high is None else f"({_range(low, high, unit, places)})",
        relative="" if relative is None else f"{signed(100 * relative, '', 0).strip()} %{spread}",
        chance="" if chance is None else _chance(chance),
        p_value=_p(row["p_adjusted"]),
        verdict="" if is_control or hidden else str(row["verdict"]),
        tone="better" if row["verdict"] in _GOOD else "worse" if row["verdict"] in _BAD else "",
        notes=tuple(str(row[name]) for name in ("reason", "caution") if row[name]),
        method=str(row["method"] or ""),
    )  # fmt: skip


def _places(unit: str, mean: float | None) -> int:
    return 1 if unit == "percent" else 0 if mean is None else max(decimals(unit, mean), 1)


def _range(low: float, high: float, unit: str, places: int) -> str:
    return bounds(low, high, unit, places)


def _chance(chance: float) -> str:
    if chance > 0.995:
        return "over 99 %"
    return "under 1 %" if chance < 0.005 else f"{100 * chance:.0f} %"


def _p(value: object) -> str:
    p = finite(value)
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _checks(health: pl.DataFrame) -> Iterator[Check]:
    for row in health.filter(pl.col("check").str.starts_with("split")).iter_rows(named=True):
        kind = str(row["check"]).removeprefix("split ")
        names = {"all": "All", "phase": f"Phase {int(row['label'] or 0) + 1 if kind == 'phase' else ''}"}
        yield Check(
            names.get(kind, str(row["label"])),
            str(row["variant"]),
            "hidden" if row["suppressed"] else count(row["units"]),
            "" if row["expected"] is None else count(round(row["expected"])),
            str(row["verdict"]),
            {"broken": "worse", "suspicious": "worse"}.get(str(row["verdict"]), ""),
            _p(row["p_value"]),
        )
