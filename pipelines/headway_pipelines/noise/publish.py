"""Publishing metrics with noise: each cell once, as long as the budget lasts, and the same value ever after.

A cell is drawn when it is complete and late data had its time, whatever the data then is, and stays: a value that
changed whenever its data did would tell that something changed, which may be one person's doing. Who wants newer data
in old cells raises ``release`` in the product file, and everything is drawn, and spent, anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from headway.errors import HeadwayError
from headway.models.durations import parse_duration
from headway.models.metrics import Count, Metric
from headway.models.privacy import Privacy
from headway.models.privacy_checks import private_metrics
from headway.models.product import Product
from headway.periods import local_day, utc_us
from headway_pipelines.noise.mechanism import opendp
from headway_pipelines.noise.spending import GROUP, spent_of
from headway_pipelines.noise.sums import SUMS, Bound, noisy_sums, values_of
from headway_pipelines.publications import PublicationLedger
from headway_pipelines.publishing.families import families
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace

NOISE: Final[dict[str, pl.DataType]] = {
    "noise": pl.String(),
    "noise_margin": pl.Float64(),
    "epsilon": pl.Float64(),
}
"""Columns and types that say of a published value how noisy it is; null where it is exact."""

MECHANISM: Final = "discrete laplace"
TABLE: Final = "noisy_cells"

_CELL = ("metric", "definition_hash", "publication", "period", "period_start", "segment")
_NUMBERS = ("value", "numerator", "denominator", "people", "low", "high", "interval_method")
_LOST = (
    "which noisy values were published is not known any more, and drawing them again would let the noise be averaged "
    "away. Restore the folder from a backup; only where nobody can have a copy of an earlier publication, move it away."
)


def noise_ledger(workspace: Workspace) -> PublicationLedger:
    """Opens the ledger of noisy values.

    Args:
        workspace: The workspace.

    Returns:
        The ledger; it is empty where nothing was published with noise.

    Raises:
        HeadwayError: It is gone although noisy values were published.
    """
    ledger = PublicationLedger(workspace.noise, _LOST)
    if not ledger.releases and _was_noisy(workspace.published_db):
        raise HeadwayError(f"state/{workspace.noise.name} is missing: {_LOST}")
    return ledger


def _was_noisy(published: Path) -> bool:
    if not published.is_file():
        return False
    values = tables_of(published).get("metric_values", pl.DataFrame())
    return "noise" in values.columns and values["noise"].count() > 0


def with_noise(
    ledger: PublicationLedger, computed: pl.DataFrame, product: Product, *, horizon: datetime, at: datetime
) -> pl.DataFrame:
    """Gives the cells of metrics with privacy noisy values, and notes the new ones before anybody sees them.

    Args:
        ledger: The ledger of noisy values.
        computed: Their cells as they were computed, see `headway.frameworks.values.SCHEMA`.
        product: The product.
        horizon: The instant before which all data is in (UTC).
        at: As of when the values were computed (UTC).

    Returns:
        The cells in the same order: numbers noisy or null, `suppressed` and `reason`, and the columns of `NOISE`.

    Raises:
        HeadwayError: OpenDP is missing; or a metric is part of a whole that others tell exactly.
    """
    check_noise(product)
    private = private_metrics(product)
    cells = computed.with_row_index("n").with_columns(
        publication=pl.col("metric").replace_strict({name: each.release for name, each in private.items()}),
        dimension=pl.col("segment").str.split("=").list.first(),
    )
    ready = cells.unique(_CELL, keep="first", maintain_order=True)
    ready = pl.concat([_ready(product, name, ready, horizon) for name in private])
    known = ledger.cells(TABLE)
    new, refused = _granted(_unknown(ready, known), product, known)
    drawn = _drawn(new, product, at)
    ledger.append(at, {TABLE: drawn})
    released = pl.concat([known.drop("publication_number", strict=False), drawn], how="diagonal_relaxed")
    return _shown(cells, released, refused, product)


def check_noise(product: Product) -> None:
    """Says what stands against publishing metrics with noise, before anything is computed.

    Args:
        product: The product.

    Raises:
        HeadwayError: OpenDP is missing; or a metric is part of a whole that others tell exactly.
    """
    if private_metrics(product):
        opendp()
        _refuse_exact_relatives(product)


def _refuse_exact_relatives(product: Product) -> None:
    """Parts of one whole are all noisy or none is: those that are exact would tell the noise of the others."""
    private = private_metrics(product)
    for _, family in families(product).group_by("family"):
        names = set(family["metric"])
        if (exact := sorted(names - set(private))) and (noisy := sorted(names & set(private))):
            raise HeadwayError(
                f"metric {noisy[0]} has privacy, and {exact[0]}, a part of the same whole, is published exactly: "
                "together they tell what noise should hide; give all of them privacy, or none"
            )


def _ready(product: Product, name: str, cells: pl.DataFrame, horizon: datetime) -> pl.DataFrame:
    """Cells of a metric whose people and late data had their time, in the segments that are published."""
    metric, privacy = product.metrics[name], private_metrics(product)[name]
    wait = timedelta(microseconds=metric.measured().wait + parse_duration(privacy.after))
    last = local_day(utc_us(horizon - wait), product.timezone)
    return cells.filter(
        pl.col("metric") == name,
        pl.col("dimension").is_in(_ways(privacy)),
        "complete",
        pl.col("period_end") < last,
    )


def _ways(privacy: Privacy) -> tuple[str, ...]:
    return ("all", "channel") if privacy.by_channel else ("all",)


def _unknown(ready: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    return ready if known.is_empty() else ready.join(known, on=list(_CELL), how="anti", maintain_order="left")


def _granted(
    ready: pl.DataFrame, product: Product, known: pl.DataFrame
) -> tuple[pl.DataFrame, dict[tuple[Any, ...], date]]:
    """Cells for which there is budget, and of the others the month in which there is none."""
    spent, private = spent_of(known), private_metrics(product)
    of_all = float(product.publishing.privacy_budget or 0)
    granted, refused = [], {}
    keys = [name for name in GROUP if name != "released_at"]
    ordered = ready.sort(
        "period_end", "period_start", "metric", "dimension", descending=[False, True, False, False]
    )
    for key, group in ordered.group_by(keys, maintain_order=True):
        row = dict(zip(keys, key, strict=True))
        privacy = private[str(row["metric"])]
        cost = (row["metric"], row["period_start"], row["period_end"], float(privacy.epsilon))
        month = spent.refused(*cost, float(privacy.budget), of_all)
        if month is None:
            spent.add(*cost)
            granted.append(group)
        else:
            refused[tuple(row[name] for name in ("metric", "period", "period_start", "dimension"))] = month
    return pl.concat(granted) if granted else ready.clear(), refused


def _drawn(new: pl.DataFrame, product: Product, at: datetime) -> pl.DataFrame:
    """Draws noise for cells, those of disjoint people together."""
    keys = [*_CELL, "period_end", "dimension"]
    parts = []
    for (name, *_), group in new.group_by(
        "metric", "period", "period_start", "dimension", maintain_order=True
    ):
        metric = product.metrics[str(name)]
        privacy = private_metrics(product)[str(name)]
        sums = noisy_sums(group, bound_of(metric), float(privacy.epsilon))
        parts.append(group.select(keys).hstack(sums))
    schema: Mapping[str, Any] = {name: new.schema[name] for name in keys} | SUMS
    drawn = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    return drawn.with_columns(mechanism=pl.lit(MECHANISM), released_at=pl.lit(at, dtype=pl.Datetime("us")))


def bound_of(metric: Metric) -> Bound:
    """Returns what one person adds to a metric at most.

    Args:
        metric: A metric with privacy.
    """
    if metric.at_most is None:
        return Bound()
    amount = metric.of if isinstance(metric, Count) else metric
    return Bound(float(metric.at_most), whole=getattr(amount, "measure", "") != "sum")


def _shown(
    cells: pl.DataFrame, released: pl.DataFrame, refused: Mapping[tuple[Any, ...], date], product: Product
) -> pl.DataFrame:
    noted = released.select(*_CELL, "epsilon", "n_margin", "released_at", pl.col("mechanism").alias("noise"))
    noted = noted.hstack(values_of(released.select(*SUMS)))
    found = cells.drop(*_NUMBERS).join(noted, on=list(_CELL), how="left", maintain_order="left")
    least = pl.max_horizontal(pl.lit(float(product.publishing.min_people)), "n_margin")
    reasons = pl.Series(list(_reasons(found, refused, product)), dtype=pl.String)
    found = found.with_columns(suppressed=(pl.col("people") < least).fill_null(True), reason=reasons)
    hidden = [pl.when(~pl.col("suppressed")).then(name).alias(name) for name in (*_NUMBERS, *NOISE)]
    shown = found.with_columns(*hidden, as_of=pl.coalesce("released_at", "as_of"))
    return shown.select(
        *(each for each in cells.columns if each not in ("publication", "dimension", "n")), *NOISE
    )


def _reasons(
    found: pl.DataFrame, refused: Mapping[tuple[Any, ...], date], product: Product
) -> Iterator[str | None]:
    private = private_metrics(product)
    k = product.publishing.min_people
    for row in found.iter_rows(named=True):
        privacy = private[row["metric"]]
        month = refused.get((row["metric"], row["period"], row["period_start"], row["dimension"]))
        if row["noise"] is not None:
            few = row["people"] < max(k, row["n_margin"])
            yield f"fewer than {k} people, or too few beside the noise" if few else None
        elif row["dimension"] not in _ways(privacy):
            yield (
                "published with noise for everybody only"
                if not privacy.by_channel
                else ("published with noise for everybody and by channel only")
            )
        elif month is not None:
            yield f"the privacy budget of {month:%Y-%m} is spent"
        else:
            yield "published once, with noise, when it is complete and late data is in"


__all__ = ["MECHANISM", "NOISE", "TABLE", "bound_of", "check_noise", "noise_ledger", "with_noise"]
