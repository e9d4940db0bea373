"""Tags of a repository beside the release log: joined to its rows, and watched for new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from headway.models.product import Product
from headway.models.releases import Releases
from headway_pipelines.inputs.cells import Table
from headway_pipelines.inputs.git_tags import INPUT, Tag, Tags
from headway_pipelines.inputs.read import REJECTS, ReadInput
from headway_pipelines.inputs.tables import tables
from headway_pipelines.workspace import Workspace

_RELEASES = "releases"


def with_tags(found: Mapping[str, ReadInput], tags: Tags | None, product: Product) -> dict[str, ReadInput]:
    """Adds the tags of a repository to the release log.

    A tag that the log names too is the log's: the repository only says when it was committed and how many changes it
    holds, where the log does not.

    Args:
        found: Side inputs by name.
        tags: The tags; None where no repository is named.
        product: The product.

    Returns:
        Side inputs by name.
    """
    table = tables(product)[_RELEASES]
    log = found.get(_RELEASES)
    if tags is None:
        return {**found, _RELEASES: replace(log, rows=_from(log.rows, "file"))} if log else dict(found)
    rows = log.rows if log else pl.DataFrame(schema=dict(table.schema))
    rejects = pl.DataFrame([(INPUT, *each) for each in tags.rejected], schema=REJECTS, orient="row")
    told = pl.DataFrame(
        [(tag.release, tag.committed_at, tag.changes) for tag in tags.used],
        schema={"release": pl.String, "_committed_at": pl.Datetime("us"), "_changes": pl.Float64},
        orient="row",
    )
    known = rows.join(told, on="release", how="left", maintain_order="left").select(
        pl.coalesce(name, f"_{name}").alias(name) if name in ("committed_at", "changes") else name
        for name in table.columns
    )
    logged = set(rows["release"])
    more = [_row(tag, product, table) for tag in tags.used if tag.release not in logged]
    added = pl.DataFrame(more, schema=dict(table.schema), orient="row")
    joined = ReadInput(
        table,
        pl.concat([_from(known, "file"), _from(added, "git")]),
        pl.concat([log.rejects if log else pl.DataFrame(schema=REJECTS), rejects]),
        log.unread if log else 0,
    )
    return {**found, _RELEASES: joined}


def _from(rows: pl.DataFrame, source: str) -> pl.DataFrame:
    return rows.with_columns(source=pl.lit(source))


def _row(tag: Tag, product: Product, table: Table) -> tuple[object, ...]:
    cells = {**tag._asdict(), "kind": product.releases.tags_are}
    return tuple(cells.get(name) for name in table.columns)


def remember_repository(workspace: Workspace, asked: Releases) -> None:
    """Notes where the repository is, so that another tag is noticed without reading the product file.

    Args:
        workspace: The workspace.
        asked: What ``product.yml`` says of releases.
    """
    path = workspace.repository_note
    if asked.git is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(str((workspace.root / asked.git).resolve()), encoding="utf-8")
