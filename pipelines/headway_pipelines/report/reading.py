"""Reads the published tables once, for every page: what was measured, when, and by which definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from headway.models.metrics import STAGES
from headway_pipelines.report.account import Account, read_account
from headway_pipelines.report.grains import CHARTED, GRAINS, shown_by
from headway_pipelines.report.judge import Estimate
from headway_pipelines.report.model import ALL, Calendar, Cell, Metric, Series
from headway_pipelines.report.numbers import finite

_SERIES = ("metric", "framework", "stage", "segment", "period")

FRAMEWORKS = {"aarrr": "AARRR", "heart": "HEART", "customer": "Customer focus", "quality": "Product quality"}
"""Frameworks by their names in the tables, with their titles."""

_TAGLINES = {
    "acquisition": "Do people find it?",
    "activation": "Do they get to the first success?",
    "retention": "Do they come back?",
    "referral": "Do they bring others?",
    "revenue": "Do they pay?",
    "happiness": "Are they glad they use it?",
    "engagement": "How much do they use it?",
    "adoption": "Do they take up what is new to them?",
    "task_success": "Do they get done what they came for?",
    "responsiveness": "Do people who ask get an answer?",
    "resolution": "Is their problem solved?",
    "reliability": "Does it work?",
    "speed": "Is it fast?",
    "availability": "Is it there?",
}


@dataclass(frozen=True)
class Group:
    """The metrics of one stage of one framework."""

    framework: str
    stage: str
    metrics: tuple[Metric, ...]

    @property
    def anchor(self) -> str:
        """Identifier of its section."""
        return f"{self.framework}-{self.stage}"

    @property
    def title(self) -> str:
        """Its name."""
        return self.stage.replace("_", " ").capitalize()

    @property
    def framework_title(self) -> str:
        """The framework's name."""
        return FRAMEWORKS[self.framework]

    @property
    def tagline(self) -> str:
        """The question behind the stage."""
        return _TAGLINES.get(self.stage, "")

    @property
    def leading(self) -> Metric | None:
        """The metric that stands for the stage: the first with a target, else the first."""
        aimed = (metric for metric in self.metrics if metric.target is not None)
        return next(aimed, self.metrics[0] if self.metrics else None)


@dataclass(frozen=True)
class Report:
    """What the published tables say.

    Attributes:
        tables: The published tables; missing ones count as empty.
        info: The row of ``run_info``, empty where there is none.
        calendar: When the numbers were taken.
        metrics: Metrics by framework and stage, in the catalogue's order within a stage.
        few: Smallest number of people a cell may speak of.
        privacy: What the page of privacy says, see `headway_pipelines.audit.shared`; None where there is none.
    """

    tables: Mapping[str, pl.DataFrame]
    info: Mapping[str, Any]
    calendar: Calendar
    metrics: tuple[Metric, ...]
    few: int
    privacy: Mapping[str, Any] | None = None

    def table(self, name: str) -> pl.DataFrame:
        """Returns a published table, empty where it is missing."""
        return self.tables.get(name, pl.DataFrame())

    @property
    def product(self) -> str:
        """Name of the product."""
        return str(self.info.get("product") or "Product")

    @property
    def hidden(self) -> str:
        """What a hidden cell says."""
        return f"fewer than {self.few} people, or would reveal so few"

    @cached_property
    def account(self) -> Account:
        """What the run read, kept and refused."""
        return read_account(self.tables, self.info, self.calendar, self.few)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Every stage of every framework with its metrics, in the order of the frameworks."""
        return tuple(
            Group(
                framework,
                stage,
                tuple(m for m in self.metrics if (m.framework, m.stage) == (framework, stage)),
            )
            for framework, stages in STAGES.items()
            for stage in stages
        )

    @cached_property
    def guards(self) -> tuple[Metric, ...]:
        """Every metric that has a limit, once."""
        found = {metric.name: metric for metric in reversed(self.metrics) if metric.limit is not None}
        return tuple(reversed(found.values()))

    @cached_property
    def places(self) -> dict[tuple[str, str], str]:
        """Framework and metric -> where its chart is: at the first of its stages there, drawn once a page."""
        found: dict[tuple[str, str], str] = {}
        for metric in self.metrics:
            found.setdefault((metric.framework, metric.name), metric.anchor)
        return found

    def link(self, metric: Metric) -> str:
        """Returns the address of a metric's chart within the report."""
        return f"{metric.framework}.html#{self.places[metric.framework, metric.name]}"


def read_report(tables: Mapping[str, pl.DataFrame], privacy: Mapping[str, Any] | None = None) -> Report:
    """Reads the published tables.

    Args:
        tables: The published tables; missing ones count as empty.
        privacy: What the page of privacy says.

    Returns:
        What they say.
    """
    infos = tables.get("run_info", pl.DataFrame())
    info: Mapping[str, Any] = infos.row(0, named=True) if infos.height else {}
    calendar = read_calendar(info)
    few = int(info.get("min_people") or 10)
    return Report(tables, info, calendar, tuple(read_metrics(tables, calendar)), few, privacy)


def read_calendar(info: Mapping[str, Any]) -> Calendar:
    """Reads when the numbers were taken.

    Args:
        info: The row of ``run_info``.

    Returns:
        The calendar, in the product's time zone.
    """
    bare = Calendar(str(info.get("timezone") or "UTC"), None, None, None)
    first = bare.local(info.get("first_event_at"))
    return replace(
        bare,
        horizon=bare.local(info.get("horizon")),
        as_of=bare.local(info.get("as_of")),
        first_day=first.date() if first else None,
    )


def read_metrics(tables: Mapping[str, pl.DataFrame], calendar: Calendar) -> list[Metric]:
    """Reads every metric of the catalogue with its values.

    Args:
        tables: The published tables.
        calendar: When the numbers were taken.

    Returns:
        Metrics by framework and stage, in the catalogue's order within a stage.
    """
    catalogue = tables.get("metric_catalogue", pl.DataFrame())
    values = tables.get("metric_values", pl.DataFrame())
    left_out = _left_out(tables.get("metric_exclusions", pl.DataFrame()))
    shown = _shown_by(catalogue, values)
    found = _read_series(catalogue, values, shown) if values.height and catalogue.height else {}
    metrics = [
        _metric(
            f"m{number}-{re.sub('[^a-z0-9]+', '-', row['metric'].lower()).strip('-')}",
            row,
            found.get((row["metric"], row["framework"], row["stage"]), {}),
            shown[row["metric"]],
            left_out.get(row["metric"], ()),
            calendar,
        )
        for number, row in enumerate(catalogue.iter_rows(named=True))
    ]
    places = [(framework, stage) for framework, stages in STAGES.items() for stage in stages]
    return sorted(metrics, key=lambda m: places.index((m.framework, m.stage)))


_Place = tuple[str, str, str]
_Segments = dict[tuple[str, str], tuple[Series, tuple[str, ...]]]


def _shown_by(catalogue: pl.DataFrame, values: pl.DataFrame) -> dict[str, str]:
    """Metric -> the kind of period it is shown by."""
    present: dict[str, set[str]] = {}
    if values.height:
        for metric, period in values.select("metric", "period").unique().rows():
            present.setdefault(metric, set()).add(period)
    return {
        row["metric"]: shown_by(present.get(row["metric"], set()), row["target_period"])
        for row in catalogue.iter_rows(named=True)
    }


def _read_series(
    catalogue: pl.DataFrame, values: pl.DataFrame, shown: Mapping[str, str]
) -> dict[_Place, _Segments]:
    """Metric and place -> segment and kind of period -> series and methods, the labels in brackets last."""
    facts = catalogue.select(
        "metric", "framework", "stage", "target_period", current="definition_hash"
    ).with_columns(shown=pl.col("metric").replace_strict(shown))
    period = pl.col("period")
    of_all = (pl.col("segment") == ALL) & (period.is_in(CHARTED) | (period == pl.col("target_period")))
    groups = (
        values.join(facts, on=("metric", "framework", "stage"))
        .filter((period == pl.col("shown")) | of_all.fill_null(False))
        .sort("period_start", maintain_order=True)
        .partition_by(_SERIES, as_dict=True)
    )
    found: dict[_Place, _Segments] = {}
    for (metric, framework, stage, segment, grain), group in sorted(groups.items(), key=_order):
        cells = tuple(_read(row) for row in group.iter_rows(named=True))
        series = Series(str(segment), GRAINS[str(grain)], cells)
        methods = tuple(group["interval_method"].drop_nulls().unique().sort())
        found.setdefault((metric, framework, stage), {})[str(segment), str(grain)] = (series, methods)
    return found


def _order(group: tuple[tuple[object, ...], pl.DataFrame]) -> tuple[object, ...]:
    metric, framework, stage, segment, grain = group[0]
    dimension, _, label = str(segment).partition("=")
    return metric, framework, stage, dimension, label.startswith("("), label, grain


def _read(row: Mapping[str, Any]) -> Cell:
    value = None if row["suppressed"] else finite(row["value"])
    estimate = None if value is None else Estimate(value, finite(row["low"]), finite(row["high"]))
    return Cell(
        start=row["period_start"],
        estimate=estimate,
        people=None if row["suppressed"] else row["people"],
        complete=bool(row["complete"]),
        suppressed=bool(row["suppressed"]),
        reason=str(row["reason"] or ("" if estimate else "no value")),
        redefined=row["definition_hash"] != row["current"],
    )


def _metric(
    anchor: str,
    facts: Mapping[str, Any],
    found: _Segments,
    shown: str,
    left_out: tuple[tuple[str, int | None], ...],
    calendar: Calendar,
) -> Metric:
    main, methods = found.get((ALL, shown), (Series(ALL, GRAINS[shown]), ()))
    return Metric(
        anchor=anchor,
        name=facts["metric"],
        framework=facts["framework"],
        stage=facts["stage"],
        facts=facts,
        main=main,
        others={
            grain: series
            for (segment, grain), (series, _) in found.items()
            if segment == ALL and grain != shown
        },
        segments=tuple(_segments(found, shown)),
        methods=methods,
        left_out=left_out,
        calendar=calendar,
    )


def _segments(found: _Segments, shown: str) -> Iterator[Series]:
    for (segment, grain), (series, _) in found.items():
        if grain == shown and segment != ALL:
            yield series


def _left_out(exclusions: pl.DataFrame) -> dict[str, tuple[tuple[str, int | None], ...]]:
    """Metric -> reasons and numbers of events it had to leave out; a hidden number is None, none at all is no row."""
    found: dict[str, tuple[tuple[str, int | None], ...]] = {}
    if exclusions.height:
        for metric, reason, number in exclusions.select("metric", "reason", "n_events").rows():
            if number != 0:
                found[metric] = (*found.get(metric, ()), (reason, number))
    return found
