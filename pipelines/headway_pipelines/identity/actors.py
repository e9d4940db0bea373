"""Who did something, and since when: kept beside the lake file by file, so that only new files are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from headway.engine.sql import literal, load
from headway_pipelines.ledger import Ledger
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.identity"


def attach_actors(con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger) -> None:
    """Makes the temporary table `actors(actor, first_at)` over the live event files.

    Args:
        con: A connection that knows `lake`.
        workspace: The workspace.
        ledger: Its ledger, which says which files are live.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE actors AS {load(_HERE, 'actors.sql')}")
