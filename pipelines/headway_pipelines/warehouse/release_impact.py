"""Releases of a workspace as tables: what the log and the lake say of them, and what of it may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import duckdb
import polars as pl
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import DIALECT, identifier, load, with_inputs
from headway.experiments.together import CONFOUNDED
from headway.frameworks.prelude import instant, relation_columns
from headway.models.product import Product
from headway.models.releases import ReleaseEvent
from headway.periods import day_start_us, local_day, utc_us
from headway.releases import (
    Randomised,
    Release,
    ask_people,
    delivery_table,
    estimates_table,
    impact_table,
    read_estimates,
    read_log,
    release_table,
    unknown_names,
)
from headway.releases.delivery import INCIDENTS
from headway.releases.log import span_of
from headway.selectors import condition, names_of
from headway.subjects import histories_of, with_properties
from headway_pipelines.inputs import is_attached

ROWS: Final[dict[str, pl.DataType]] = {
    "release": pl.String(),
    "released_at": pl.Datetime("us"),
    "name": pl.String(),
    "kind": pl.String(),
    "committed_at": pl.Datetime("us"),
    "share": pl.Float64(),
    "segment": pl.String(),
    "changes": pl.Float64(),
    "team": pl.String(),
    "rolls_back": pl.String(),
    "feature": pl.String(),
    "metrics": pl.String(),
    "experiment": pl.String(),
    "source": pl.String(),
}
"""Columns and types of the rows of all release logs together."""

_HERE = "headway_pipelines.warehouse"
_UNEVEN: Final = 0.001
_ADOPTED = ("eligible", "tried", "ripe", "kept")
_TOLD_OF_ADOPTION = (
    *_ADOPTED, "tried_rate", "tried_low", "tried_high", "kept_rate", "kept_low", "kept_high",
)  # fmt: skip


def release_tables(
    connection: duckdb.DuckDBPyConnection, product: Product, horizon: datetime, min_people: int
) -> dict[str, pl.DataFrame]:
    """Computes what people and the log say of releases.

    Args:
        connection: A connection that knows `events` and `people`, and the side inputs `releases` and `incidents` where
            there are any.
        product: The product.
        horizon: Instant before which all data is in, naive UTC.
        min_people: People who must have done what shows a release before the log of events may tell of it.

    Returns:
        The tables ``release_log`` (rows of all logs), ``incidents``, ``release_estimates`` and ``feature_adoption``;
        none where nobody tells of a release or an incident.

    Raises:
        InputError: The events lack a property that a selector uses.
        EngineError: The database refused a statement.
    """
    seen = list(_from_events(connection, product, min_people))
    told = _side_input(connection, "releases", ROWS)
    known = set(told["release"])
    more = [row for row in seen if row["release"] not in known]
    rows = pl.concat([told, pl.DataFrame(more, schema=ROWS)])
    incidents = _side_input(connection, "incidents", INCIDENTS)
    if rows.is_empty() and incidents.is_empty():
        return {}
    releases = read_log(rows, product.timezone)
    people = ask_people(connection, product, releases, utc_us(horizon))
    return {
        "release_log": rows.sort("released_at", "release", "segment", "share"),
        "incidents": incidents.sort("started_at", "incident"),
        "release_estimates": estimates_table(people.evidence),
        "feature_adoption": people.adoption,
    }


def _side_input(
    connection: duckdb.DuckDBPyConnection, name: str, schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    with guarded(f"read the side input {name}"):
        if not is_attached(connection, name):
            return pl.DataFrame(schema=schema)
        found: pl.DataFrame = connection.sql(f"FROM {identifier(name)}").pl()
    return found.select(pl.col(column).cast(dtype) for column, dtype in schema.items())


def _from_events(
    connection: duckdb.DuckDBPyConnection, product: Product, min_people: int
) -> Iterator[dict[str, Any]]:
    """Finds the releases that events tell of: by day, since an instant would be somebody's."""
    for name, told in product.releases.events.items():
        first, people = _first_seen(connection, told)
        if first is None or people < min_people:
            continue
        start = day_start_us(local_day(first, product.timezone), product.timezone)
        yield {
            **dict.fromkeys(ROWS),
            "release": name,
            "released_at": datetime.fromtimestamp(start // 1_000_000, UTC).replace(tzinfo=None),
            "name": told.title,
            "kind": told.kind,
            "feature": told.feature,
            "metrics": " ".join(told.metrics) or None,
            "source": "events",
        }


def _first_seen(connection: duckdb.DuckDBPyConnection, told: ReleaseEvent) -> tuple[int | None, int]:
    histories = histories_of(connection)
    columns = relation_columns(connection, "events")
    available = (*columns, *(name for each in histories for name in each.names))
    test = condition(told.event.selector(), available)
    dated, source = with_properties(
        identifier("events"),
        histories,
        sorted(set(names_of([test]))),
        keys={"person": "person", "account": "account"},
        utc=exp.column("occurred_at", quoted=True),
    )
    done = (
        exp.select(exp.column("person", quoted=True), exp.alias_(instant(), "us", quoted=True))
        .from_(exp.to_table(source, dialect=DIALECT))
        .where(test)
    )
    with guarded("find when a release was first seen"):
        query = with_inputs(load(_HERE, "release_seen"), {**dated, "done": done})
        ((first, people),) = connection.execute(query).fetchall()
    return first, int(people)


def published_releases(
    tables: Mapping[str, pl.DataFrame],
    shown: Mapping[str, pl.DataFrame],
    product: Product,
    kinds: Mapping[str, str],
    *,
    holidays: Sequence[date],
    first_day: date | None,
    min_people: int,
) -> dict[str, pl.DataFrame]:
    """Says what may be shown of releases.

    Args:
        tables: What was computed.
        shown: What is shown of it: ``metric_values``, ``feature_adoption``, and the tables of experiments where there
            are any.
        product: The product.
        kinds: Metric -> kind of estimate.
        holidays: Local days on which nobody works.
        first_day: First local day of the log.
        min_people: Fewest people that a cell may speak of.

    Returns:
        The tables ``releases``, ``release_impact``, ``feature_adoption``, ``delivery`` and ``release_problems``; none
        where nothing was told of releases.
    """
    if "release_log" not in tables:
        return {}
    rows, incidents = tables["release_log"], tables["incidents"]
    releases = read_log(rows, product.timezone)
    horizon, as_of = tables["run_info"].select("horizon", "as_of").row(0)
    data = (first_day or date.max, last_whole_day(horizon, product.timezone))
    impact = impact_table(
        product,
        releases,
        shown["metric_values"],
        kinds,
        read_estimates(tables["release_estimates"]),
        randomised(rows, shown),
        data=data,
        holidays=holidays,
        min_people=min_people,
    )
    problems = unknown_names(rows, incidents)
    return {
        "releases": _with_neighbours(release_table(releases), releases, product, data),
        "release_impact": impact,
        "feature_adoption": shown["feature_adoption"],
        "delivery": delivery_table(releases, incidents, now=as_of, timezone=product.timezone),
        "release_problems": pl.DataFrame({"problem": problems}, schema={"problem": pl.String}),
    }


def last_whole_day(horizon: datetime, timezone: str) -> date:
    """Returns the last local day all of whose data is in.

    Args:
        horizon: Instant before which all data is in, naive UTC.
        timezone: IANA name.

    Examples:
        >>> last_whole_day(datetime(2026, 3, 10, 22, 30), "Europe/Berlin").isoformat()
        '2026-03-09'
    """
    day = local_day(utc_us(horizon), timezone)
    return (
        day - timedelta(days=1) if utc_us(horizon) < day_start_us(day + timedelta(days=1), timezone) else day
    )


def _with_neighbours(
    table: pl.DataFrame, releases: Sequence[Release], product: Product, data: tuple[date, date]
) -> pl.DataFrame:
    """Adds what else happened around each release."""
    asked = product.releases
    said = []
    for each in releases:
        span = span_of(each, releases, data, weeks_before=asked.weeks_before, weeks_after=asked.weeks_after)
        said.append("; ".join((*([span.refused] if span.refused else []), *span.weakened)) or None)
    assessed = [each.is_assessed for each in releases]
    return table.with_columns(
        assessed=pl.Series(assessed, dtype=pl.Boolean),
        neighbours=pl.Series(
            [text if is_assessed else None for text, is_assessed in zip(said, assessed, strict=True)],
            dtype=pl.String,
        ),
    )


def randomised(rows: pl.DataFrame, shown: Mapping[str, pl.DataFrame]) -> Iterator[Randomised]:
    """Reads what experiments say of the releases that name one.

    Args:
        rows: Rows of the release log; the column experiment names one.
        shown: The tables ``experiment_results`` and ``experiment_health`` as they are shown, where there are any.

    Yields:
        One result per release and outcome of its experiment; none where the experiment has several treatments, since
        the log does not say which of them went live.
    """
    results = shown.get("experiment_results")
    if results is None:
        return
    linked = rows.filter(pl.col("experiment").is_not_null()).unique(
        "release", keep="first", maintain_order=True
    )
    for release, experiment in linked.select("release", "experiment").rows():
        own = results.filter(pl.col("effect").is_not_null(), experiment=experiment)
        if own["variant"].n_unique() != 1:
            continue
        refused = _uneven(experiment, shown.get("experiment_health"))
        for row in own.iter_rows(named=True):
            yield Randomised(
                release,
                row["metric"],
                row["effect"],
                row["low"],
                row["high"],
                row["p_value"],
                _smaller_arm(results, experiment, row["metric"]),
                refused=refused,
                unit=row["unit"],
                direction=row["direction"] or "up",
                intended=row["purpose"] == "primary",
            )


def _smaller_arm(results: pl.DataFrame, experiment: str, metric: str) -> int:
    units = results.filter(experiment=experiment, metric=metric)["units"].drop_nulls()
    return int(units.min() or 0)  # type: ignore[arg-type]


def _uneven(experiment: str, health: pl.DataFrame | None) -> str:
    if health is None:
        return ""
    beside = health.filter(experiment=experiment)
    if beside.filter(check="definition").height:
        return "its definition was changed after it had begun"
    for other in beside.filter(check="together", verdict=CONFOUNDED)["label"]:
        return f"its effect and that of {other} cannot be told apart"
    tested = health.filter(pl.col("check").str.starts_with("split"), experiment=experiment)["p_value"]
    smallest = min((float(each) for each in tested.drop_nulls()), default=1.0)
    if smallest >= _UNEVEN:
        return ""
    return f"the arms are not of the planned sizes (p = {smallest:.1g})"


def hide_few_adopters(adoption: pl.DataFrame, min_people: int) -> pl.DataFrame:
    """Hides what the adoption of a feature says of few people, alone or by subtraction.

    A row goes as a whole where a number of it, or the difference of two that follow each other, is small; and where a
    number differs by few from the same number of another release of the same feature.

    Args:
        adoption: The table ``feature_adoption``.
        min_people: Fewest people that a cell may speak of.

    Returns:
        The rows, hidden cells null and marked in `suppressed`.

    Examples:
        >>> from headway.releases.adopters import ADOPTION
        >>> row = {**dict.fromkeys(ADOPTION), "feature": "search", "suppressed": False, "eligible": 40, "tried": 33,
        ...        "ripe": 20, "kept": 10}
        >>> hide_few_adopters(pl.DataFrame([row], schema=ADOPTION), 10).select("tried", "suppressed").row(0)
        (None, True)
    """
    hidden: list[bool] = []
    told: dict[str, list[tuple[int, ...]]] = {}
    for row in adoption.iter_rows(named=True):
        counts = tuple(int(row[name]) for name in _ADOPTED)
        apart = [early - late for early, late in pairwise(counts)]
        others = [
            abs(one - other)
            for before in told.get(row["feature"], ())
            for one, other in zip(counts, before, strict=True)
        ]
        hide = any(0 < each < min_people for each in (*counts, *apart, *others))
        if not hide:
            told.setdefault(row["feature"], []).append(counts)
        hidden.append(hide)
    marked = adoption.with_columns(suppressed=pl.Series(hidden, dtype=pl.Boolean))
    return marked.with_columns(
        *(pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in _TOLD_OF_ADOPTION),
        reason=pl.when("suppressed").then(pl.lit(f"fewer than {min_people} people")).otherwise("reason"),
    )
