"""What a person store holds, in words that two stores of the same events share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import polars as pl

from headway.kernels.bitmaps import BITS
from headway.store import ANY, PersonStore
from headway.store.files import read_manifest, read_store
from headway_pipelines.workspace import Workspace

Row = tuple[str, int, str, str]


def opened(workspace: Workspace) -> PersonStore:
    """The store of a workspace."""
    manifest = read_manifest(workspace.store)
    assert manifest is not None
    return read_store(workspace.store, manifest)


def ids(workspace: Workspace, table: str) -> dict[int, str]:
    """Surrogate by number."""
    manifest = read_manifest(workspace.store)
    assert manifest is not None
    frame = pl.read_parquet(workspace.store / manifest["numbers"] / f"{table}.parquet")
    return {number: str(UUID(bytes=who)) for who, number in frame.rows()}


def rows_of(workspace: Workspace) -> list[Row]:
    """Person, instant, name and actor of each row that counts, sorted."""
    store, people, actors = opened(workspace), ids(workspace, "people"), ids(workspace, "actors")
    rows = []
    for part in store.parts:
        dead = set(part.dead.tolist())
        columns = (values.tolist() for values in (part.person, part.us, part.code, part.actor))
        held = list(zip(*columns, strict=True))
        assert held == sorted(held)
        rows += [(people[p], us, store.names[code], actors[a]) for p, us, code, a in held if p not in dead]
    return sorted(rows)


def days_of(workspace: Workspace) -> dict[str, list[tuple[str, int]]]:
    """Active days by behaviour: persons and days, sorted."""
    store, people = opened(workspace), ids(workspace, "people")
    result: dict[str, Any] = {}
    for behaviour in store.behaviours:
        found = set()
        for each in store.activity(None if behaviour == ANY else [behaviour], store.timezone):
            for word, row in enumerate(each.words.tolist(), start=each.first_word):
                for person, bits in zip(each.persons.tolist(), row, strict=True):
                    found |= {(people[person], word * BITS + bit) for bit in range(BITS) if bits >> bit & 1}
        result["any" if behaviour == ANY else store.names[behaviour]] = sorted(found)
    return result
