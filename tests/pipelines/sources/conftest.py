"""How sources are tested: on the shape they yield, and behind the gate."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from headway.engine import connect
from headway.models.plan import parse_plan
from headway_pipelines.privacy.framing import frame_lines
from headway_pipelines.privacy.gate import Gate, RawFile
from headway_pipelines.privacy.judging import refuse_repeated_names
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.sources.shape import SHAPE, Source

DATA = Path(__file__).parents[3].parent / "shared" / "data"
NOW = dt.datetime(2026, 11, 22, 12)
HEAD = "version: 1\nproduct: test\ndefaults: {purpose: test, owner: test, retention: 60 months}\nevents:\n"


@dataclass
class Cleaned:
    """What came out of the gate, over all groups.

    Attributes:
        con: Holds the tables `events` and `links`, and `person` where the plan declares properties of people.
        outcomes: Lines by outcome.
        dropped: Values dropped by event, property and reason.
        rejects: Line, byte offset and reason of located rejects.
        lines: Lines framed.
        damaged: Notes on damaged files, by batch.
    """

    con: duckdb.DuckDBPyConnection
    outcomes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rejects: list[tuple[int, int, str]] = field(default_factory=list)
    lines: int = 0
    damaged: dict[int, str] = field(default_factory=dict)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.con.execute(query).fetchall()

    def stored(self) -> str:
        """Everything that left the gate, as one text."""
        counted = repr((self.outcomes, self.dropped, self.rejects, self.damaged))
        return repr(self.rows("FROM events")) + repr(self.rows("FROM links")) + counted


@pytest.fixture
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip("the real data sets are not here: ../shared/data")
    return DATA


def _make_shape(con: duckdb.DuckDBPyConnection, query: str, name: str = "shape") -> None:
    """Makes a table of the shape whose properties are a MAP, however the source yields them."""
    con.execute(f"CREATE OR REPLACE TABLE yielded AS {query}")
    assert tuple(row[0] for row in con.execute("DESCRIBE yielded").fetchall()) == tuple(SHAPE)
    refuse_repeated_names(con, "yielded")
    whole = "coalesce(properties, map(property_names, property_texts))"
    con.execute(
        f"CREATE OR REPLACE TABLE {name} AS SELECT * EXCLUDE (property_names, property_texts) "
        f"REPLACE (CASE WHEN property_names IS NULL THEN properties ELSE {whole} END AS properties) FROM yielded"
    )


def _haste_changes_nothing(con: duckdb.DuckDBPyConnection, hasty: str) -> None:
    """It either fails as a whole or reads the same."""
    try:
        _make_shape(con, hasty, "hasty")
    except duckdb.InvalidInputException:
        return
    assert not con.execute(
        "(FROM hasty EXCEPT ALL FROM shape) UNION ALL (FROM shape EXCEPT ALL FROM hasty)"
    ).fetchall()


@pytest.fixture
def shape() -> Iterator[Callable[..., duckdb.DuckDBPyConnection]]:
    """Runs a source on one file, without the gate: a connection with the table `shape`."""
    con = connect()

    def run(path: Path, source: Source) -> duckdb.DuckDBPyConnection:
        lines = source.reader.kind == "lines"
        blocks = frame_lines(path) if lines else frame_table(path, source.reader)
        frames = pa.concat_tables([block.lines for block in blocks])
        con.register(
            "frames", frames.append_column("batch", pa.repeat(pa.scalar(1, pa.uint32()), len(frames)))
        )
        _make_shape(con, source.query)
        if source.hasty_query is not None:
            _haste_changes_nothing(con, source.hasty_query)
        return con

    yield run
    con.close()


@pytest.fixture
def clean(tmp_path: Path) -> Iterator[Callable[..., Cleaned]]:
    """Sends files of one source through the gate, under the events of a tracking plan."""
    con = connect()

    def run(files: Path | Sequence[Path], source: Source, events: str) -> Cleaned:
        paths = [files] if isinstance(files, Path) else list(files)
        numbered = [RawFile(path, number) for number, path in enumerate(paths, 1)]
        plan = parse_plan(HEAD + events)
        result = Cleaned(con)
        tables: dict[str, list[pa.Table]] = {}
        with Gate(plan, Key(bytes(range(32))), tmp_path / "vault", now=NOW) as gate:
            for batch in gate.clean(numbered, source):
                parts = {"events": batch.events, "links": batch.links}
                if plan.person_properties:
                    parts["person"] = batch.statements("person")
                for name, part in parts.items():
                    tables.setdefault(name, []).append(part)
                result.damaged.update(batch.damaged)
                for account in batch.accounts.values():
                    result.outcomes.update(account.outcomes)
                    result.dropped.update(account.dropped)
                    result.rejects += account.rejects
                    result.lines += account.lines
        for name, parts_of_it in tables.items():
            con.register("given", pa.concat_tables(parts_of_it))
            con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM given")
            con.unregister("given")
        return result

    yield run
    con.close()
