"""The proof on a product's own data: what its raw logs hold of people is looked for in everything else, byte by byte.

A sample of raw lines is read as the gate reads them. Identifiers, addresses, and values that look personal are kept in
memory, searched for in the files of the workspace, and forgotten. What leaves this module is counts and names of files.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import duckdb

from headway.engine import connect, guarded
from headway.engine.sql import bind, load
from headway_pipelines.privacy.detect import PERSONAL
from headway_pipelines.privacy.detection import judge
from headway_pipelines.privacy.proof import scan
from headway_pipelines.privacy.survey import sample_frames
from headway_pipelines.sources.shape import Source

MOST_VALUES = 1_000
"""Values that are looked for at most; of more, a sample that no order of the log decides."""

MOST_LINES = 20_000
_TYPED = 2_000
_HERE = "headway_pipelines.privacy"


@dataclass(frozen=True)
class Proof:
    """What looking for the raw logs' personal data in everything else found.

    Attributes:
        lines: Raw lines that were sampled.
        values: Different values that were looked for, in all their encodings.
        by_kind: Kind of value (user, device, account, message, address, looks personal) -> values.
        by_type: What detection makes of the values that look personal -> values, of the first 2,000.
        files: Files that were searched.
        size: Their bytes.
        hits: Values that were found.
        found_in: Files in which they were found.
    """

    lines: int
    values: int
    by_kind: Mapping[str, int]
    by_type: Mapping[str, int]
    files: int
    size: int
    hits: int
    found_in: tuple[Path, ...]


def prove_absent(
    raw: Sequence[tuple[Path, Source]], written: Sequence[Path], *, most: int = MOST_VALUES
) -> Proof:
    """Looks for what raw logs hold of people in files that must not hold it.

    Args:
        raw: Raw files, each with how it is read.
        written: Files and folders that are searched.
        most: Values that are looked for at most.

    Returns:
        Counts, and the files in which something was found.

    Raises:
        EngineError: A source cannot be read.
    """
    # Raw values live in this memory only: nothing may spill to disk.
    con = connect(temp_directory="")
    try:
        lines, found = _sampled(con, raw)
    finally:
        con.close()
    values = _chosen(found, most)
    files = [p for path in written for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file()]
    hits = scan(written, values) if values else []
    return Proof(
        lines=lines,
        values=len(values),
        by_kind=Counter(found[value] for value in values),
        by_type=_types([value for value in values if found[value] == "looks personal"]),
        files=len(files),
        size=sum(path.stat().st_size for path in files),
        hits=len({hit.value for hit in hits}),
        found_in=tuple(sorted({hit.path for hit in hits})),
    )


def _sampled(
    con: duckdb.DuckDBPyConnection, raw: Sequence[tuple[Path, Source]]
) -> tuple[int, dict[str, str]]:
    """Lines that were read, and value -> kind."""
    query = bind(load(_HERE, "witnesses.sql"), {"personal": PERSONAL})
    found: dict[str, str] = {}
    lines = 0
    for source, frames in sample_frames(raw, MOST_LINES).items():
        lines += frames.num_rows
        with guarded(f"look at source {source.name}"):
            con.register("frames", frames)
            con.execute(f"CREATE OR REPLACE TEMP TABLE shaped AS {source.query}")
            con.unregister("frames")
            for kind, value in con.execute(query).fetchall():
                found.setdefault(value, kind)
    return lines, found


def _chosen(found: Mapping[str, str], most: int) -> list[str]:
    """As many of each kind as there are of the rarest, then more of the others.

    Which ones goes by a hash, so that neither time nor alphabet chooses.
    """
    kinds: dict[str, list[str]] = {}
    for value in sorted(found, key=lambda each: hashlib.sha256(each.encode("utf-8", "replace")).digest()):
        kinds.setdefault(found[value], []).append(value)
    in_turn = (value for turn in zip_longest(*kinds.values()) for value in turn if value is not None)
    return list(islice(in_turn, most))


def _types(values: Sequence[str]) -> Mapping[str, int]:
    """What detection makes of values; JSON is looked into."""
    counts: Counter[str] = Counter()
    for value in values[:_TYPED]:
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        counts.update(judge(parsed).types)
    return counts
