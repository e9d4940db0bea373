"""Holding back what an earlier publication would help to work out: differences of fewer than k people.

A publication is compared with all before it. A cell that differs from what was published of it by 1 to k-1 people is
not published anew: it stays as it was, and says so, or is hidden where the old value would mislead. With it go as many
other changed cells as it takes that the difference cannot be worked out from totals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import Replacement, bind, load
from headway.frameworks.values import SCHEMA
from headway_pipelines.publications.groups import GROUPED, MANY, hold_groups
from headway_pipelines.publications.ledger import PublicationLedger
from headway_pipelines.publishing.families import SCHEMA as FAMILIES
from headway_pipelines.publishing.suppression import suppress

_HERE = "headway_pipelines.publications"
_KEYS = ("metric", "framework", "stage", "segment", "period", "period_start")
_NUMBERS = ("value", "numerator", "denominator", "people", "low", "high", "complete")
_INTERNAL = ("contributors", "effective", "estimate", "components")


@dataclass(frozen=True)
class Publication:
    """What may be published now.

    Attributes:
        tables: Published tables, each with the column ``held_since``: as of when a value that stays as it was before
            was computed, else null.
        released: What the ledger must note before these are published: cells that are new or changed.
    """

    tables: dict[str, pl.DataFrame]
    released: dict[str, pl.DataFrame]


def hold_back(
    ledger: PublicationLedger,
    shown: Mapping[str, pl.DataFrame],
    computed: Mapping[str, pl.DataFrame],
    *,
    hide: Callable[..., pl.DataFrame] = suppress,
    min_people: int,
    together: pl.DataFrame | None = None,
    basis: str = "",
    at: datetime,
) -> Publication:
    """Decides what of a publication may be shown beside the publications before it.

    Args:
        ledger: What was published before.
        shown: The tables with small cells hidden, see `headway_pipelines.publishing.suppression.suppress`.
        computed: The same tables as they were computed.
        min_people: Smallest number of people a cell, or a difference from an earlier one, may speak of.
        hide: Hides small cells of a table, see `headway_pipelines.publishing.suppression.suppress`.
        together: Which metrics are parts of one whole.
        basis: Summary of what values hang on beside events and definitions.
        at: As of when the tables were computed (UTC).

    Returns:
        The tables, and what is to be noted of them.
    """
    tables, released = {}, {}
    for name, frame in shown.items():
        before = ledger.cells(name)
        if name == "metric_values":
            tables[name], released[name] = _hold_values(
                before, frame, computed[name], hide, min_people, together, basis
            )
        elif name in GROUPED:
            tables[name], released[name] = hold_groups(name, before, frame, computed[name], min_people, at)
        else:
            tables[name] = frame
    return Publication(tables, {name: frame for name, frame in released.items() if frame.height})


def _hold_values(
    before: pl.DataFrame,
    shown: pl.DataFrame,
    computed: pl.DataFrame,
    hide: Callable[..., pl.DataFrame],
    k: int,
    together: pl.DataFrame | None,
    basis: str,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    parts = pl.DataFrame(schema=FAMILIES) if together is None else together
    final = _asked("unfinished", {"many": MANY * k}, cells=shown, counts=computed, families=parts)
    if before.is_empty():
        final = final.with_columns(held_since=pl.lit(None, dtype=pl.Datetime("us")))
        before = pl.DataFrame(schema={**final.schema, "publication_number": pl.Int64()})
    else:
        changes = _asked("changes", {"k": k, "basis": basis}, cells=computed, released=before)
        changes = pl.concat([pl.DataFrame(schema=SCHEMA), changes], how="diagonal_relaxed").select(*SCHEMA)
        unknown = hide("metric_values", changes, min_people=k, together=parts, weeks_add_up=False)
        told = unknown.filter("suppressed").select(_KEYS)
        final = _asked("held", {"k": k}, cells=final, counts=computed, released=before, told=told)
    noted = final.with_columns(computed.select(_INTERNAL)).with_columns(basis=pl.lit(basis))
    # What showed no number is published for the first time when it does.
    numbers = pl.any_horizontal(pl.col("value", "numerator", "denominator", "people").is_not_null())
    return final, _news(noted.filter(~pl.col("suppressed") & numbers), before)


def _news(noted: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Cells that were not published yet, or not with these numbers."""
    last = before.sort("publication_number").unique(_KEYS, keep="last").select(*_KEYS, *_NUMBERS)
    joined = noted.join(last, on=_KEYS, how="left", suffix="_then", maintain_order="left")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_then")) for name in _NUMBERS)
    return joined.filter(~same).select(noted.columns)


def _asked(query: str, params: Mapping[str, Replacement], **inputs: pl.DataFrame) -> pl.DataFrame:
    con = connect()
    try:
        with guarded(f"compare with earlier publications ({query})"):
            for name, frame in inputs.items():
                numbered = frame.with_row_index("n") if name in ("cells", "counts") else frame
                con.register(name, numbered.to_arrow())
            found: pl.DataFrame = con.sql(bind(load(_HERE, f"{query}.sql"), params)).pl()
            return found
    finally:
        con.close()


def as_released(
    ledger: PublicationLedger, at: datetime, table: str = "metric_values", keys: tuple[str, ...] = _KEYS
) -> pl.DataFrame:
    """Returns the cells of a table as they stood in the publications up to an instant.

    It reads the ledger alone, so that nothing is seen that was not published then: differences from today obey the same
    rule as publications do.

    Args:
        ledger: What was published.
        at: The instant (UTC); what was computed after it is left out.
        table: Name of the published table.
        keys: Columns that say which cell it is.

    Returns:
        One row per cell, as last released; internal counts left out.
    """
    cells = ledger.cells(table, until=at)
    if cells.is_empty():
        return cells
    last = cells.sort("publication_number").unique(keys, keep="last", maintain_order=True)
    return last.drop("publication_number", "basis", "released_at", "held_since", *_INTERNAL, strict=False)
