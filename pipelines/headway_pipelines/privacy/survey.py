"""A first look at logs nobody has described yet, from behind the gate: counts, safe names and guesses come out.

It frames and reads a sample exactly as the gate does. A name leaves this module only when it is safe to show and
several people sent it, or when it is made of usual words or the mapping gives it; a value only when many people sent it
and nothing in it looks personal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from headway.engine import bind, connect, guarded, load
from headway.models.plan import RESERVED_PROPERTY_COLUMNS, SUBJECTS, Subject
from headway_pipelines.privacy.classes import TRAIT_OWNERS
from headway_pipelines.privacy.detect import PERSONAL, safe_name
from headway_pipelines.privacy.framing import frame_lines
from headway_pipelines.privacy.guesses import MOST_VALUES, Common, Guess, Seen, guess, settle
from headway_pipelines.privacy.judging import forget_no_ids, judged
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.privacy.traits import TRAIT_KINDS
from headway_pipelines.privacy.vocabulary import ordinary
from headway_pipelines.sources.shape import Source

SAMPLE_LINES = 60_000
#: At least so many files take part, where there are so many.
SPREAD = 24
#: A name is shown when so many users or devices sent it (and `NAME_EVENTS` events carry it).
NAME_EVENTS = 10
NAME_ACTORS = 3

_HERE = "headway_pipelines.privacy"


@dataclass(frozen=True)
class Survey:
    """What was found in a sample.

    Attributes:
        lines: Lines read.
        outcomes: What became of them, as the gate would judge them.
        events: Name -> number of events, the most frequent first; only names that may be shown.
        guesses: One per property that may be named, the most frequent first.
        hidden_events: Event names that are rare or look personal; not shown.
        hidden_properties: The same for properties.
        traits: Guesses about what is said of people and of accounts, the most frequent first.
    """

    lines: int
    outcomes: dict[str, int]
    events: dict[str, int]
    guesses: tuple[Guess, ...]
    hidden_events: int
    hidden_properties: int
    traits: dict[Subject, tuple[Guess, ...]] = field(default_factory=dict)


def survey(files: Sequence[tuple[Path, Source]], *, lines: int = SAMPLE_LINES) -> Survey:
    """Looks at the beginnings of some files, spread over all of them.

    Where no line can be read, everything is empty.

    Args:
        files: Raw files, each with how it is read.
        lines: Lines to read at most.

    Returns:
        Counts, names that may be shown, and a guess per property.

    Raises:
        EngineError: A source cannot be read.
    """
    # Raw values live in this memory only: nothing may spill to disk.
    con = connect(temp_directory="")
    try:
        frames = sample_frames(files, lines)
        if not frames:
            return Survey(0, {}, {}, (), 0, 0)
        for source, table in frames.items():
            with guarded(f"look at source {source.name}"):
                _judge(con, source, table)
        with guarded("survey the sample"):
            given = frozenset(name for source in frames for name in source.events)
            return _surveyed(con, sum(table.num_rows for table in frames.values()), given)
    finally:
        con.close()


def sample_frames(files: Sequence[tuple[Path, Source]], most: int) -> dict[Source, pa.Table]:
    """Reads the beginnings of files, in an order that is spread over all of them, until there are enough lines.

    Args:
        files: Raw files, each with how it is read.
        most: Lines to read at most.

    Returns:
        Rows by source; raw values, to be kept in memory.
    """
    step = max(1, -(-len(files) // SPREAD))
    each, left = max(1, most // min(max(len(files), 1), SPREAD)), most
    parts: dict[Source, list[pa.Table]] = {source: [] for _, source in files}
    for batch, (path, source) in enumerate(file for start in range(step) for file in files[start::step]):
        blocks = frame_lines(path) if source.reader.kind == "lines" else frame_table(path, source.reader)
        wanted = min(each, left)
        try:
            for block in blocks:
                part = block.lines.slice(0, wanted)
                parts[source].append(
                    part.append_column("batch", pa.array([batch] * part.num_rows, pa.uint32()))
                )
                left, wanted = left - part.num_rows, wanted - part.num_rows
                if not wanted:
                    break
        except DamagedFile:
            # Init only looks; a run sets the file aside and says where it is damaged.
            continue
        if not left:
            break
    return {
        source: pa.concat_tables(tables, promote_options="default")
        for source, tables in parts.items()
        if tables
    }


def _judge(con: duckdb.DuckDBPyConnection, source: Source, frames: pa.Table) -> None:
    """Adds a source's lines to `judged`, by the gate's own rules and with every event name declared."""
    con.register("frames", frames)
    con.execute(f"CREATE OR REPLACE TEMP TABLE shaped AS {source.query}")
    names = [
        n for (n,) in con.execute("SELECT DISTINCT event FROM shaped WHERE event IS NOT NULL").fetchall()
    ]
    query = judged("FROM shaped", sorted(names) or [""], datetime.now(UTC).replace(tzinfo=None))
    known = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'judged'").fetchall()[0][0]
    con.execute(f"INSERT INTO judged BY NAME {query}" if known else f"CREATE TEMP TABLE judged AS {query}")
    forget_no_ids(con)
    con.unregister("frames")


def _surveyed(con: duckdb.DuckDBPyConnection, lines: int, given: frozenset[str]) -> Survey:
    outcomes = dict(
        con.execute("SELECT outcome, count(*) FROM judged GROUP BY ALL ORDER BY 2 DESC, 1").fetchall()
    )
    con.execute(load(_HERE, "survey_values.sql"))
    found = con.execute(load(_HERE, "survey_events.sql")).fetchall()
    shown = {name: n for name, n, actors in found if name in given or _may_be_named(name, n, actors)}
    seen = [replace(s, events=tuple(e for e in s.events if e in shown)) for s in _seen(con)]
    named = [s for s in seen if s.events and "." not in s.name and _may_be_named(s.name, s.n, s.actors)]
    campaigns = max(named, key=lambda s: s.campaigns, default=None)
    guesses = settle(
        [guess(s) for s in named], campaigns.name if campaigns is not None and campaigns.campaigns else None
    )
    hidden = len(seen) - len(named)
    traits: dict[Subject, tuple[Guess, ...]] = {}
    for subject in SUBJECTS:
        traits[subject], more = _traits(con, subject)
        hidden += more
    return Survey(lines, outcomes, shown, guesses, len(found) - len(shown), hidden, traits)


def _traits(con: duckdb.DuckDBPyConnection, subject: Subject) -> tuple[tuple[Guess, ...], int]:
    """Guesses what is said of people or of accounts; also says how many names may not be shown."""
    query = load(_HERE, "survey_traits.sql")
    con.execute(bind(query, {"kinds": list(TRAIT_KINDS[subject]), "owner": TRAIT_OWNERS[subject]}))
    seen = _seen(con)
    named = [s for s in seen if "." not in s.name and _may_be_named(s.name, s.n, s.actors)]
    return settle([guess(s) for s in named], reserved=RESERVED_PROPERTY_COLUMNS), len(seen) - len(named)


def _seen(con: duckdb.DuckDBPyConnection) -> list[Seen]:
    common: dict[tuple[str, bool], list[Common]] = {}
    query = bind(load(_HERE, "survey_common.sql"), {"most": MOST_VALUES})
    for name, is_host, value, n, actors in con.execute(query).fetchall():
        common.setdefault((name, is_host), []).append(Common(value, n, actors))
    rows = con.sql(bind(load(_HERE, "survey_properties.sql"), {"personal": PERSONAL})).pl().to_dicts()
    return [
        Seen(
            **{**row, "events": tuple(row["events"])},
            values=tuple(common.get((row["name"], False), ())),
            hosts=tuple(common.get((row["name"], True), ())),
        )
        for row in rows
    ]


def _may_be_named(name: str, n: int, actors: int) -> bool:
    if not safe_name(name) or name != name.strip():
        return False
    return (n >= NAME_EVENTS and actors >= NAME_ACTORS) or ordinary(name)
