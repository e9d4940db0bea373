"""What releases did: every rung's answer for every metric, the strongest one, and whether it earns credit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import polars as pl

from headway.models.durations import MICROSECONDS_PER_DAY
from headway.models.product import Product
from headway.releases.evidence import (
    CREDITED,
    SIGNIFICANT,
    WORDS,
    Evidence,
    Randomised,
    holm,
    of_experiment,
    strongest,
)
from headway.releases.log import Release, span_of
from headway.releases.series import OF_SERIES, Daily, daily_values, series_evidence

ESTIMATES: Final[dict[str, pl.DataType]] = {
    "release": pl.String(),
    "metric": pl.String(),
    "rung": pl.String(),
    "effect": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "p_value": pl.Float64(),
    "people": pl.Int64(),
    "pre_trend_p": pl.Float64(),
    "placebo_p": pl.List(pl.Float64()),
    "days_to_value": pl.Int64(),
    "weakened": pl.List(pl.String()),
    "refused": pl.String(),
}
"""Columns and types of evidence as it is kept between computing and publishing."""

IMPACT: Final[dict[str, pl.DataType]] = {
    "release": pl.String(),
    "metric": pl.String(),
    "intended": pl.Boolean(),
    "rung": pl.String(),
    "method": pl.String(),
    "strongest": pl.Boolean(),
    "effect": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "unit": pl.String(),
    "p_value": pl.Float64(),
    "adjusted_p": pl.Float64(),
    "people": pl.Int64(),
    "grade": pl.String(),
    "reason": pl.String(),
    "pre_trend_p": pl.Float64(),
    "placebo_p": pl.Float64(),
    "days_to_value": pl.Int64(),
    "verdict": pl.String(),
    "credited": pl.Boolean(),
    "suppressed": pl.Boolean(),
}
"""Columns and types of the table ``release_impact``, in order."""

BETTER, WORSE, NOTHING, UNKNOWN = "better", "worse", "no measurable change", "no estimate"

#: Digits that are kept: sums run in any order, so the last ones mean nothing.
_DIGITS: Final = 10


def estimates_table(evidence: Iterable[Evidence]) -> pl.DataFrame:
    """Writes evidence as rows.

    Args:
        evidence: The evidence.

    Returns:
        One row each, see `ESTIMATES`.
    """
    rows = [
        (
            *(
                each.release,
                each.metric,
                each.rung,
                *_rounded(each.effect, each.low, each.high, each.p_value),
            ),
            each.people,
            *_rounded(each.pre_trend),
            _rounded(*each.placebos),
            each.days_to_value,
            list(each.weakened),
            each.refused,
        )
        for each in evidence
    ]
    return pl.DataFrame(rows, schema=ESTIMATES, orient="row")


def read_estimates(table: pl.DataFrame) -> list[Evidence]:
    """Reads what `estimates_table` wrote."""
    return [
        Evidence(
            row["release"],
            row["metric"],
            row["rung"],
            row["effect"],
            row["low"],
            row["high"],
            row["p_value"],
            row["people"],
            pre_trend=row["pre_trend_p"],
            placebos=tuple(row["placebo_p"]),
            days_to_value=row["days_to_value"],
            weakened=tuple(row["weakened"]),
            refused=row["refused"],
        )
        for row in table.iter_rows(named=True)
    ]


def _rounded(*values: float | None) -> list[float | None]:
    return [None if value is None else float(f"{value:.{_DIGITS}g}") for value in values]


def impact_table(
    product: Product,
    releases: Sequence[Release],
    values: pl.DataFrame,
    kinds: Mapping[str, str],
    told: Iterable[Evidence],
    randomised: Iterable[Randomised] = (),
    *,
    data: tuple[date, date],
    holidays: Collection[date] = (),
    min_people: int = 10,
) -> pl.DataFrame:
    """Puts every rung's answer together and says which one is believed.

    Series are read from values as they are published, hidden ones null, so that nothing hidden moves them. What people
    or experiments tell is hidden where a group compared is smaller than `min_people`.

    Args:
        product: The product.
        releases: All releases.
        values: The table ``metric_values`` as it is published.
        kinds: Metric -> kind of estimate.
        told: What people tell, see `headway.releases.people.ask_people`.
        randomised: What experiments tell.
        data: First and last whole local day with data.
        holidays: Local days on which nobody works.
        min_people: Fewest people in a group that is published.

    Returns:
        One row per release that is assessed, metric, and rung that could be tried, see `IMPACT`. Effects are those on
        the metric's daily value.
    """
    tried = list(randomised)
    of_people: dict[tuple[str, str], list[Evidence]] = {}
    for each in (*map(of_experiment, tried), *told):
        of_people.setdefault((each.release, each.metric), []).append(each)
    series = {name: _series(product, values, name, kinds.get(name, "")) for name in product.metrics}
    rows: list[dict[str, Any]] = []
    for release in releases:
        if release.is_assessed and release.on <= data[1]:
            own = [each for each in tried if each.release == release.name]
            names = dict.fromkeys((*(each.metric for each in own), *product.metrics))
            found = {
                name: (
                    *of_people.get((release.name, name), ()),
                    *(
                        _of_series(product, releases, release, series[name], data, holidays)
                        if name in series
                        else ()
                    ),
                )
                for name in names
            }
            rows += _judged(_asked(product, release, own), release, found, min_people)
    return pl.DataFrame(rows, schema=IMPACT)


class _Asked(NamedTuple):
    """What is asked of one metric or outcome."""

    unit: str
    direction: str
    intended: bool


def _asked(product: Product, release: Release, tried: Iterable[Randomised]) -> dict[str, _Asked]:
    """Says of every metric and outcome what is good, and whether the release was meant to change it."""
    outcomes = {each.metric: _Asked(each.unit or "", each.direction, each.intended) for each in tried}
    # What an experiment of the release was declared to decide by, the release was meant to change.
    meant = {*release.metrics, *(name for name, outcome in outcomes.items() if outcome.intended)}
    metrics = {
        name: _Asked(metric.unit, metric.direction, name in meant) for name, metric in product.metrics.items()
    }
    return {**outcomes, **metrics}


def _series(product: Product, values: pl.DataFrame, name: str, kind: str) -> Daily:
    wait = -(-product.metrics[name].measured().wait // MICROSECONDS_PER_DAY)
    return daily_values(values, name, kind, wait)


def _of_series(
    product: Product,
    releases: Sequence[Release],
    release: Release,
    series: Daily,
    data: tuple[date, date],
    holidays: Collection[date],
) -> Iterator[Evidence]:
    asked = product.releases
    span = span_of(release, releases, data, weeks_before=asked.weeks_before, weeks_after=asked.weeks_after)
    return series_evidence(release, span, series, holidays)


def _judged(
    asked: Mapping[str, _Asked], release: Release, found: Mapping[str, Sequence[Evidence]], min_people: int
) -> Iterator[dict[str, Any]]:
    """Chooses per metric, corrects for the number of metrics, and says what came of it."""
    shown = {name: [_shown(each, min_people) for each in rungs] for name, rungs in found.items()}
    best = {name: strongest(rungs) for name, rungs in shown.items()}
    adjusted: dict[str, float] = {}
    for intended in (True, False):
        # What a release was meant to do and what it may have done besides are two questions.
        names = [
            name
            for name, each in best.items()
            if each is not None and each.p_value is not None and asked[name].intended == intended
        ]
        corrected = holm([float(best[name].p_value) for name in names])  # type: ignore[union-attr, arg-type]
        adjusted |= dict(zip(names, corrected, strict=True))
    for name, rungs in shown.items():
        chosen = best[name]
        verdict = _verdict(chosen, adjusted.get(name), asked[name].direction)
        credited = (
            chosen is not None
            and asked[name].intended
            and verdict == BETTER
            and str(chosen.grade) in CREDITED
            and release.rolled_back_on is None
        )
        for each, original in zip(rungs, found[name], strict=True):
            is_best = each is chosen
            yield {
                **_cells(each, min_people),
                "intended": asked[name].intended,
                "unit": asked[name].unit,
                "strongest": is_best,
                "adjusted_p": adjusted.get(name) if is_best else None,
                "verdict": verdict if is_best or chosen is None else None,
                "credited": credited and is_best,
                "suppressed": each is not original,
            }


def _shown(each: Evidence, min_people: int) -> Evidence:
    """Hides what few people tell."""
    if each.people is None or each.people >= min_people or each.effect is None:
        return each
    return Evidence(
        each.release, each.metric, each.rung, refused=f"fewer than {min_people} people in one of the groups"
    )


def _verdict(chosen: Evidence | None, p_value: float | None, direction: str) -> str:
    if chosen is None or chosen.effect is None:
        return UNKNOWN
    if p_value is None or p_value >= SIGNIFICANT:
        return NOTHING
    return BETTER if (chosen.effect > 0) == (direction == "up") else WORSE


def _cells(each: Evidence, min_people: int) -> dict[str, Any]:
    effect, low, high, p_value, pre_trend = _rounded(
        each.effect, each.low, each.high, each.p_value, each.pre_trend
    )
    people = each.people
    if people is not None and each.rung not in OF_SERIES:
        # To a multiple: a group that grows by a few people from one publication to the next tells nothing of them.
        people -= people % min_people
    placebo = min((min(len(each.placebos) * one, 1.0) for one in each.placebos), default=None)
    return {
        "release": each.release,
        "metric": each.metric,
        "rung": each.rung,
        "method": WORDS[each.rung],
        "effect": effect,
        "low": low,
        "high": high,
        "p_value": p_value,
        "people": people,
        "grade": each.grade,
        "reason": each.reason,
        "pre_trend_p": pre_trend,
        "placebo_p": _rounded(placebo)[0],
        "days_to_value": each.days_to_value,
    }
