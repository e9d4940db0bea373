"""What is kept of computed values between runs, and what is new since: so that a run computes what it can have changed.

A folder below the warehouse holds the cells of every metric, what people did first, and the tables of people as they
were then. The ledger says what these stand on, and by which size and time each file is known again. Whatever does not
match means that everything is computed, with a reason that is kept.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from headway.engine import guarded
from headway.engine.sql import bind, identifier, literal, load, with_inputs
from headway.errors import EngineError
from headway.frameworks.kept import FIRSTS, NEEDED, TOUCHES, Kept, News
from headway.models.plan import SUBJECTS
from headway.models.product import Product
from headway.periods import EPOCH, zone
from headway_pipelines.freshness import definitions
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.lake.promote import event_query
from headway_pipelines.people.basis import code_stamp, mark_of, marks_of
from headway_pipelines.people.derive import TABLES
from headway_pipelines.people.tables import ACTORS, read_table, readable, table_file
from headway_pipelines.workspace import Workspace, sync_file, sync_folder

#: To be raised whenever another way of computing gives other values.
SCHEME = 2
CELLS, FIRST_TIMES, LAST_TOUCHES = "cells", "firsts", "touches"
_LOG = "log_"

FIRST = "nothing was kept"
RULES = "definitions, side inputs or versions changed"
NOT_OURS = "what was kept is missing or not what was written"
GONE = "files of the lake were replaced and are gone"
UNREADABLE = "what was kept cannot be read"

_HERE = "headway_pipelines.warehouse"
_SETTING = "kept_values"
_US = timedelta(microseconds=1)


@dataclass(frozen=True)
class Basis:
    """What kept values stand on.

    Attributes:
        number: Names their folder.
        stamp: Definitions, side inputs and versions they were computed by.
        files: Live files of the lake they were computed from.
        marks: Size and time of each kept file.
        horizon: See `headway.frameworks.renewal.Kept`.
        first_day: Likewise, as text.
        last_day: Likewise.
        last_us: Likewise.
        labels: Likewise.
        unbounded: Likewise.
    """

    number: int
    stamp: str
    files: tuple[str, ...]
    marks: Mapping[str, tuple[int, int]]
    horizon: int
    first_day: str
    last_day: str
    last_us: int
    labels: Mapping[str, tuple[str, ...]]
    unbounded: tuple[str, ...]

    @classmethod
    def of(cls, ledger: Ledger) -> Basis | None:
        """Reads it; None where nothing was kept."""
        found: dict[str, Any] | None = ledger.get_json(_SETTING)
        if found is None:
            return None
        for name in ("files", "unbounded"):
            found[name] = tuple(found[name])
        for name in ("marks", "labels"):
            found[name] = {key: tuple(value) for key, value in found[name].items()}
        return cls(**found)


@dataclass(frozen=True)
class Recalled:
    """What may be used again.

    Attributes:
        kept: The values; None where everything must be computed.
        news: What is new since.
        anew: Why everything must be computed; empty where it need not.
    """

    kept: Kept | None = None
    news: News | None = None
    anew: str = ""


def recall(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, product: Product
) -> Recalled:
    """Looks up what was kept, and finds out what is new since.

    Args:
        con: A connection with `events` and the tables of people; the relations of the news are made there.
        workspace: The workspace.
        ledger: Its ledger.
        product: The product.

    Returns:
        Kept values and news, or why there are none.
    """
    basis = Basis.of(ledger)
    if basis is None:
        return Recalled(anew=FIRST)
    if basis.stamp != _stamp(workspace):
        return Recalled(anew=RULES)
    folder = _folder(workspace, basis.number)
    if any(mark_of(folder / name) != mark for name, mark in basis.marks.items()):
        return Recalled(anew=NOT_OURS)
    live = ledger.lake_files("events")
    came, went = sorted(set(live) - set(basis.files)), sorted(set(basis.files) - set(live))
    if not all((workspace.warehouse / path).exists() for path in went):
        return Recalled(anew=GONE)
    try:
        cells = pl.read_parquet(table_file(folder, CELLS))
        with guarded("find out what is new since values were kept"):
            news = _news(con, workspace, folder, product, (came, went))
    except (pl.exceptions.PolarsError, OSError, EngineError):
        if still_readable(workspace, ledger):
            raise
        return Recalled(anew=UNREADABLE)
    kept = Kept(
        cells,
        basis.horizon,
        date.fromisoformat(basis.first_day),
        date.fromisoformat(basis.last_day),
        basis.last_us,
        basis.labels,
        frozenset(basis.unbounded),
    )
    return Recalled(kept, news)


def still_readable(workspace: Workspace, ledger: Ledger) -> bool:
    """Reads all that was kept, to tell damage inside a file from other reasons why a query may fail.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        False where something cannot be read.
    """
    basis = Basis.of(ledger)
    folder = _folder(workspace, basis.number) if basis else workspace.kept
    return readable(folder / name for name in (basis.marks if basis else ()))


def remember(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger, product: Product, kept: Kept | None
) -> None:
    """Keeps what was computed in place of what was kept before.

    Args:
        con: The connection on which it was computed.
        workspace: The workspace.
        ledger: Its ledger.
        product: The product.
        kept: What was computed; None keeps nothing.
    """
    before = Basis.of(ledger)
    number = before.number + 1 if before else 1
    if kept is None:
        ledger.put_json(_SETTING, None)
        shutil.rmtree(workspace.kept, ignore_errors=True)
        return
    folder = _folder(workspace, number)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with guarded("keep what was computed"):
        for name, query in _state(product).items():
            con.execute(f"COPY ({query}) TO {literal(str(table_file(folder, name)))} (FORMAT parquet)")
    kept.cells.write_parquet(table_file(folder, CELLS), compression="zstd", compression_level=1)
    _keep_log(con, _folder(workspace, number - 1), folder, kept)
    for name in (CELLS, *_state(product)):
        sync_file(table_file(folder, name))
    for name in _tables():
        _keep_file(table_file(workspace.people, name), table_file(folder, name))
    sync_folder(folder)
    basis = Basis(
        number,
        _stamp(workspace),
        tuple(sorted(ledger.lake_files("events"))),
        marks_of(folder, sorted(path.name for path in folder.iterdir())),
        kept.horizon,
        kept.first_day.isoformat(),
        kept.last_day.isoformat(),
        kept.last_us,
        kept.labels,
        tuple(sorted(kept.unbounded)),
    )
    ledger.put_json(_SETTING, asdict(basis))
    for other in workspace.kept.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _folder(workspace: Workspace, number: int) -> Path:
    return workspace.kept / str(number)


def _stamp(workspace: Workspace) -> str:
    return f"{SCHEME} {code_stamp()} {definitions(workspace)}"


def _state(product: Product) -> dict[str, str]:
    """Queries of what is kept of people, by the name of its table."""
    state = {FIRST_TIMES: f"SELECT * EXCLUDE (code) FROM {identifier(FIRSTS)}"}
    if any(segment.touch for segment in product.segments.values()):
        state[LAST_TOUCHES] = f"SELECT * EXCLUDE (person) FROM {identifier(TOUCHES)}"
    return state


def _keep_log(con: duckdb.DuckDBPyConnection, before: Path, folder: Path, kept: Kept) -> None:
    """Keeps the events of which all are needed: a file for each part, those of other parts by another name for them."""
    parts = con.execute(f"SELECT DISTINCT part FROM {identifier(NEEDED)} ORDER BY part").fetchall()
    with guarded("keep what was computed"):
        for (part,) in parts:
            target = table_file(folder, f"{_LOG}{part}")
            query = f"SELECT * FROM {identifier(NEEDED)} WHERE part = {literal(part)}"
            con.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)")
            sync_file(target)
    written = {f"{_LOG}{part}.parquet" for part in kept.parts or ()}
    for path in () if kept.parts is None else sorted(before.glob(f"{_LOG}*.parquet")):
        if path.name not in written:
            _keep_file(path, folder / path.name)


def _tables() -> tuple[str, ...]:
    """Tables of people that are kept as they were."""
    return (*TABLES, *(f"{subject}_properties" for subject in SUBJECTS))


def _keep_file(source: Path, target: Path) -> None:
    """Keeps a file that will be replaced, never changed, by another name for it; a copy where that cannot be."""
    if not source.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _news(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    folder: Path,
    product: Product,
    files: tuple[list[str], list[str]],
) -> News:
    """Makes the relations of the news and of what was kept, and lists the days on which events came or went."""
    rows = dict(zip(("came", "went"), (event_query(workspace, each) for each in files), strict=True))
    _make(con, "news_events", "news_events", rows)
    parts = {
        "pairs_before": f"SELECT actor, person FROM {read_table(table_file(folder, 'actor_person'))}",
        "pairs_now": "SELECT actor, person FROM actor_person",
        "spans_before": f"FROM {read_table(table_file(folder, 'device_spans'))}",
        "spans_now": "FROM device_spans",
    }
    actors = {"actors": f"FROM {read_table(table_file(workspace.people, ACTORS))}"}
    _make(con, "news_actors", "news_actors", parts | actors)
    people = {
        "said": _said(con, folder),
        "before": f"FROM {read_table(table_file(folder, 'people'))}",
        "now": "FROM people",
    }
    _make(con, "news", "news_people", parts | people)
    before = {name: f"{name}_before" for name in _state(product)}
    for name, view in before.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS FROM {read_table(table_file(folder, name))}")
    log = sorted(folder.glob(f"{_LOG}*.parquet"))
    if log:
        con.execute(f"CREATE OR REPLACE TEMP VIEW needed_before AS {_read_tables(log)}")
    hours = con.execute(load(_HERE, "news_hours")).fetchall()
    days = _local_days((hour for (hour,) in hours), product.timezone)
    needed = identifier("needed_before") if log else ""
    return News(days, identifier("news"), before[FIRST_TIMES], before.get(LAST_TOUCHES, ""), needed)


def _read_tables(paths: Iterable[Path]) -> str:
    return " UNION ALL ".join(f"FROM {read_table(path)}" for path in paths)


def _make(con: duckdb.DuckDBPyConnection, name: str, text: str, inputs: Mapping[str, str]) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {with_inputs(load(_HERE, text), inputs)}")


def _said(con: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """Writes the query of people of whom, or of whose account, something else is said."""
    queries = ["SELECT CAST(NULL AS UUID) AS person, CAST(NULL AS BIGINT) AS since_us WHERE FALSE"]
    for subject in SUBJECTS:
        path = table_file(folder, f"{subject}_properties")
        if not path.exists():
            continue
        who = f"SELECT {identifier(subject)} AS who, * EXCLUDE ({identifier(subject)}) FROM"
        inputs = {"before": f"{who} {read_table(path)}", "now": f"{who} {subject}_properties"}
        table = f"news_of_{subject}"
        _make(con, table, "news_said", inputs)
        if subject == "person":
            queries.append(f"SELECT who AS person, since_us FROM {table}")
            continue
        ((since,),) = con.execute(f"SELECT min(since_us) FROM {table}").fetchall()
        if since is not None:
            text = bind(load(_HERE, "news_of_accounts"), {"since": since})
            _make_text(con, "news_of_accounts", with_inputs(text, {"accounts": f"FROM {table}"}))
            queries.append("FROM news_of_accounts")
    return " UNION ALL ".join(queries)


def _make_text(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _local_days(hours: Iterable[int], timezone: str) -> frozenset[int]:
    """Lists the local days that hours reach into: at most two each, where a zone is half an hour off."""
    found = set()
    for hour in hours:
        start = datetime.fromtimestamp(hour * 3600, UTC)
        for moment in (start, start + timedelta(hours=1) - _US):
            found.add((moment.astimezone(zone(timezone)).date() - EPOCH).days)
    return frozenset(found)
