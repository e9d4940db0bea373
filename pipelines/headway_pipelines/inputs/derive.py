"""Side inputs for the metrics: typed Parquet tables beside the rest of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from headway.engine.sql import identifier, literal
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.inputs.git_tags import read_tags
from headway_pipelines.inputs.read import REJECTS, read_inputs
from headway_pipelines.inputs.repository import remember_repository, with_tags
from headway_pipelines.inputs.tables import TABLES
from headway_pipelines.workspace import Workspace

_REJECTED = "rejected"
_COUNTS = {"input": pl.String(), "outcome": pl.String(), "rows": pl.Int64(), "first_line": pl.Int64()}


@dataclass(frozen=True)
class Derived:
    """What became of the side inputs.

    Attributes:
        rows: Rows used, by input; inputs without a file are absent.
        rejected: Rows rejected, by input and reason.
    """

    rows: Mapping[str, int]
    rejected: Mapping[tuple[str, str], int]


def derive_inputs(workspace: Workspace) -> Derived:
    """Reads the side inputs anew and replaces their tables.

    Args:
        workspace: The workspace.

    Returns:
        What became of them.

    Raises:
        InputError: A file cannot be used at all.
        DefinitionError: The product file is wrong.
    """
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    found = with_tags(
        read_inputs(workspace.inputs, product), read_tags(workspace.root, product.releases), product
    )
    workspace.derived_inputs.mkdir(parents=True, exist_ok=True)
    remember_repository(workspace, product.releases)
    for name in TABLES:
        path = _path(workspace, name)
        if name in found:
            _replace(found[name].rows, path)
        else:
            path.unlink(missing_ok=True)
    rejects = pl.concat([pl.DataFrame(schema=REJECTS), *(each.rejects for each in found.values())])
    _replace(rejects, _path(workspace, _REJECTED))
    counted = rejects.group_by("input", "reason").len().sort("input", "reason")
    return Derived(
        {name: each.rows.height for name, each in found.items()},
        {(name, reason): n for name, reason, n in counted.iter_rows()},
    )


def attach_inputs(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Gives a connection the side inputs there are, as views of their names.

    Args:
        con: A connection.
        workspace: The workspace.
    """
    for name in TABLES:
        path = _path(workspace, name)
        if path.exists():
            query = f"FROM read_parquet({literal(str(path))})"
            con.execute(f"CREATE OR REPLACE VIEW {identifier(name)} AS {query}")


def is_attached(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Says whether a connection has a side input.

    Args:
        con: A connection, after `attach_inputs`.
        name: Name of the side input.

    Returns:
        True where there is a view of that name.
    """
    query = "SELECT count(*) FROM duckdb_views() WHERE view_name = $name AND NOT internal"
    return con.execute(query, {"name": name}).fetchall() != [(0,)]


def input_counts(workspace: Workspace) -> pl.DataFrame:
    """Counts what became of the rows of the side inputs.

    Args:
        workspace: The workspace.

    Returns:
        One row per input and outcome: input, outcome (``used``, or why rows were rejected), rows, first_line (of the
        rejected rows in the file).
    """
    path = _path(workspace, _REJECTED)
    if not path.exists():
        return pl.DataFrame(schema=_COUNTS)
    found = {name: _path(workspace, name) for name in TABLES}
    used = [
        (name, "used", pl.scan_parquet(path).select(pl.len()).collect().item(), None)
        for name, path in found.items()
        if path.exists()
    ]
    rejected = (
        pl.read_parquet(path)
        .group_by("input", outcome="reason")
        .agg(rows=pl.len(), first_line=pl.col("line").min())
        .select(pl.col(name).cast(dtype) for name, dtype in _COUNTS.items())
    )
    return pl.concat([pl.DataFrame(used, schema=_COUNTS, orient="row"), rejected]).sort("input", "outcome")


def _path(workspace: Workspace, name: str) -> Path:
    return workspace.derived_inputs / f"{name}.parquet"


def _replace(rows: pl.DataFrame, path: Path) -> None:
    temporary = path.with_suffix(".writing")
    rows.write_parquet(temporary)
    temporary.replace(path)
