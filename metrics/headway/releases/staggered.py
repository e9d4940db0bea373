"""Staggered rollouts: the segments that had a release against those that did not, or not yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import duckdb
import numpy as np
import polars as pl

from headway.engine import bind, guarded, identifier, load, with_inputs
from headway.errors import InputError
from headway.frameworks.segments import Dimension
from headway.periods import EPOCH
from headway.releases.evidence import SIGNIFICANT, Evidence, judged
from headway.releases.log import Release, Span
from headway.statistics.did import Contrast, GroupTime, Panel, group_time

PERIOD: Final = 7
"""Days of a period: whole weeks, so that weekdays cannot differ."""

FEWEST_BEFORE, FEWEST_AFTER = 3, 1
"""Periods on either side without which nothing is said."""

_HERE = "headway.releases"
_PANEL = identifier("headway_release_panel")


@dataclass(frozen=True)
class Plan:
    """Which periods a rollout is looked at in, and which segments start when.

    Attributes:
        dimension: Name of what divides people.
        starts: Label -> number of the first period in which it has the release; labels without one never do.
        everybody: Number of the first period in which everybody has it; None: never, within the days looked at.
        first: First day of the first period.
        until: Day after the last period before.
        released: First day of the first period after.
        before: Periods before.
        after: Periods after.
        weakened: What weakens the comparison, in words.
    """

    dimension: str
    starts: Mapping[str, int]
    everybody: int | None
    first: date
    until: date
    released: date
    before: int
    after: int
    weakened: tuple[str, ...]

    def start(self, label: str) -> int | None:
        """Number of the first period in which a label has the release; None: never."""
        told = [each for each in (self.starts.get(label), self.everybody) if each is not None]
        return min(told, default=None)

    @property
    def params(self) -> dict[str, int]:
        """Parameters of the query of the panel."""
        days = {"first": self.first, "until": self.until, "released": self.released}
        past = self.released + timedelta(days=PERIOD * self.after)
        numbers = {name: (day - EPOCH).days for name, day in {**days, "past": past}.items()}
        return {**numbers, "length": PERIOD, "before": self.before}


def plan_of_rollout(release: Release, span: Span, wait: int, last: date) -> Plan | str:
    """Says how a rollout by segments is looked at, or why it cannot be.

    Args:
        release: The release.
        span: Its days.
        wait: Days after its day until a value is final: whoever starts that shortly before is touched by the release.
        last: Last day whose values are final.

    Returns:
        The plan, or the reason in words.
    """
    dimensions = {segment.partition("=")[0] for segment in release.segments}
    if not dimensions:
        return "it went to no segment before the others, so there is nobody to compare with"
    if len(dimensions) > 1:
        return "it went to segments of several kinds, which overlap"
    released, until = release.on, release.on - timedelta(days=wait)
    before = (until - span.first).days // PERIOD
    after = ((min(span.last, last) - released).days + 1) // PERIOD
    if before < FEWEST_BEFORE or after < FEWEST_AFTER:
        return (
            f"{max(before, 0)} whole weeks before and {max(after, 0)} after it are too few; "
            f"it takes {FEWEST_BEFORE} and {FEWEST_AFTER}"
        )
    starts: dict[str, int] = {}
    everybody: int | None = None
    for step in release.steps:
        number = before + max((step.on - released).days - (wait if step.on > released else 0), 0) // PERIOD
        if step.segment is None:
            everybody = number if everybody is None else min(everybody, number)
        else:
            label = step.segment.partition("=")[2]
            starts[label] = min(number, starts.get(label, number))
    weakened = [*span.weakened, *([span.refused] if span.refused else [])]
    if any((step.on - released).days % PERIOD for step in release.steps):
        weakened.append("its steps are not whole weeks apart")
    (dimension,) = dimensions
    first = until - timedelta(days=PERIOD * before)
    return Plan(dimension, starts, everybody, first, until, released, before, after, tuple(weakened))


def staggered_evidence(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    metric: str,
    plan: Plan | str,
    dimensions: Sequence[Dimension],
    units: str,
    scale: float = 1.0,
) -> Evidence:
    """Compares the segments of a rollout.

    Its pre-trend test asks whether the segments went different ways before. Its placebos are a start in the middle of
    the time before, and the same start for the largest segment that never got it.

    Args:
        connection: The connection of the prelude.
        release: The release.
        metric: The metric.
        plan: How it is looked at, or why it cannot be.
        dimensions: Ways to divide people.
        units: Query of what each person adds on each day.
        scale: What a ratio is multiplied by to be the metric's value.

    Returns:
        The evidence, refused where nothing can be said.
    """
    empty = Evidence(release.name, metric, "staggered")
    if isinstance(plan, str):
        return replace(empty, refused=plan)
    dimension = next((each for each in dimensions if each.name == plan.dimension), None)
    if dimension is None:
        return replace(empty, refused=f"the product has no segment {plan.dimension}")
    with guarded(f"follow the rollout of a release by {plan.dimension}"):
        text = bind(load(_HERE, "panel"), plan.params)
        query = with_inputs(text, {"labelled": dimension.labelled(units)})
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_PANEL} AS {query}")
        try:
            inputs = {"panel": f"FROM {_PANEL}"}
            moments = connection.sql(with_inputs(load(_HERE, "moments"), inputs)).pl()
            people = dict(connection.sql(with_inputs(load(_HERE, "panel_people"), inputs)).fetchall())
        finally:
            connection.execute(f"DROP TABLE IF EXISTS temp.{_PANEL}")
    return evidence_of_moments(empty, plan, moments, people, scale)


def evidence_of_moments(
    empty: Evidence, plan: Plan, moments: pl.DataFrame, people: Mapping[str, int], scale: float
) -> Evidence:
    """Estimates from sums over people.

    Args:
        empty: Which release and metric.
        plan: How the rollout is looked at.
        moments: Rows of label, period, other, people, y, x, yy, yx, xx.
        people: People by label.
        scale: What a ratio is multiplied by to be the metric's value.

    Returns:
        The evidence.
    """
    labels = sorted(people)
    starts = {label: plan.start(label) for label in labels}
    treated = [label for label in labels if starts[label] is not None]
    spared = [label for label in labels if starts[label] is None or starts[label] > plan.before]  # type: ignore[operator]
    if missing := sorted(set(plan.starts) - set(labels)):
        return replace(empty, refused=f"nobody was seen in {' and '.join(missing)}")
    panel = panel_of(moments, labels, people, starts, plan.before + plan.after)
    try:
        found = group_time(panel)
    except InputError:
        return replace(empty, refused="everybody got it at once, so there is nobody to compare with")
    overall = found.overall()
    if np.isnan(found.effect).any() or not overall.error > 0:
        return replace(empty, refused="in some week nobody counts, or nothing varies")
    low, high = overall.interval()
    return judged(
        replace(
            empty,
            effect=float(overall.effect) * scale,
            low=float(low) * scale,
            high=float(high) * scale,
            p_value=float(overall.p_value),
            people=_fewest(moments, treated, spared),
            pre_trend=_known(float(found.pre_trend())),
            placebos=tuple(_placebos(found, moments, people, starts, plan)),
            days_to_value=_days_to_value(found, plan),
            weakened=(*plan.weakened, *_one_each(treated, spared)),
        )
    )


def panel_of(
    moments: pl.DataFrame,
    labels: Sequence[str],
    people: Mapping[str, int],
    starts: Mapping[str, int | None],
    periods: int,
) -> Panel:
    """Arranges sums over people for `headway.statistics.did`.

    Args:
        moments: See `evidence_of_moments`.
        labels: Labels in the order of the panel.
        people: People by label.
        starts: First period by label.
        periods: Number of periods.

    Returns:
        The panel.
    """
    own = moments.filter(pl.col("label").is_in(list(labels)))
    places = {label: place for place, label in enumerate(labels)}
    group = own["label"].replace_strict(places, return_dtype=pl.Int64).to_numpy()
    one, other = own["period"].to_numpy(), own["other"].to_numpy()
    sums, products = (np.zeros((len(labels), 2 * periods)), np.zeros((len(labels), 2 * periods, 2 * periods)))
    same = one == other
    sums[group[same], one[same]] = own["y"].to_numpy()[same]
    sums[group[same], one[same] + periods] = own["x"].to_numpy()[same]
    products[group, one, other] = own["yy"].to_numpy()
    products[group, one, other + periods] = own["yx"].to_numpy()
    products[group, other + periods, one] = own["yx"].to_numpy()
    products[group, one + periods, other + periods] = own["xx"].to_numpy()
    units = np.array([people[label] for label in labels])
    return Panel(tuple(starts[label] for label in labels), units, sums, products)


def _fewest(moments: pl.DataFrame, treated: Sequence[str], spared: Sequence[str]) -> int:
    """People in the smallest of the cells that are compared: a side, in one period."""
    same = moments.filter(pl.col("period") == pl.col("other"))
    sides = [
        same.filter(pl.col("label").is_in(list(side))).group_by("period").agg(pl.col("people").sum())
        for side in (treated, spared)
    ]
    return min((int(side["people"].min() or 0) for side in sides), default=0)  # type: ignore[arg-type]


def _one_each(treated: Sequence[str], spared: Sequence[str]) -> Iterator[str]:
    if len(treated) + len(spared) < 3:
        yield "one segment stands against one, so whatever else happened to either counts as its effect"


def _placebos(
    found: GroupTime,
    moments: pl.DataFrame,
    people: Mapping[str, int],
    starts: Mapping[str, int | None],
    plan: Plan,
) -> Iterator[float]:
    yield from _p_value(found.placebo())
    never = sorted((label for label in people if starts[label] is None), key=lambda label: -people[label])
    if len(never) < 2:
        return
    pretended: dict[str, int | None] = {never[0]: plan.before, **dict.fromkeys(never[1:])}
    panel = panel_of(moments, never, people, pretended, plan.before + plan.after)
    yield from _p_value(group_time(panel).overall())


def _p_value(contrast: Contrast) -> Iterator[float]:
    if contrast.error > 0 and not np.isnan(contrast.effect):
        yield float(contrast.p_value)


def _days_to_value(found: GroupTime, plan: Plan) -> int | None:
    """Days after which the effect so far can be told from none, looking once a week and correcting for all looks."""
    looks = sorted({int(each) for each in found.since if each >= 0})
    for place, last in enumerate(looks):
        so_far = (found.since >= 0) & (found.since <= last)
        weights = np.where(so_far, found.units, 0).astype(np.float64)
        contrast = found.combined(weights / weights.sum())
        if contrast.error > 0 and float(contrast.p_value) < SIGNIFICANT / len(looks):
            return PERIOD * (looks[place] + 1)
    return None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
