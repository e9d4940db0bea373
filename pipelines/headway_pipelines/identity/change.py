"""What a new mapping changes: who was joined, who came apart, who is new."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import duckdb

from headway.engine.sql import load

_HERE = "headway_pipelines.identity"


@dataclass(frozen=True)
class Change:
    """How the people of one run differ from those of the run before.

    ``after = before - gone + new - merged + split`` always holds.

    Attributes:
        before: People before.
        after: People now.
        new: People none of whose users and devices was known before.
        gone: People all of whose users and devices are gone.
        merged: People that were absorbed by others.
        split: People that came out of others.
        devices_joined: Devices that are somebody's now and were nobody's before.
    """

    before: int = 0
    after: int = 0
    new: int = 0
    gone: int = 0
    merged: int = 0
    split: int = 0
    devices_joined: int = 0

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def compare(con: duckdb.DuckDBPyConnection) -> Change:
    """Compares two mappings.

    Args:
        con: A connection that knows `earlier(actor, person)`, `mapping(actor, person)` and `links`.

    Returns:
        The change.

    Examples:
        >>> from headway.engine import connect
        >>> con = connect()
        >>> for name, rows in (("earlier", "(1, 1), (2, 2), (3, 3)"), ("mapping", "(1, 1), (2, 1), (4, 4)")):
        ...     _ = con.execute(f"CREATE TABLE {name} AS FROM (VALUES {rows}) t(actor, person)")
        >>> _ = con.execute("CREATE TABLE links AS SELECT 1 AS person_actor, NULL::INTEGER AS other")
        >>> compare(con)
        Change(before=3, after=2, new=1, gone=1, merged=1, split=0, devices_joined=1)
        >>> con.close()
    """
    return Change(*(int(n) for n in con.execute(load(_HERE, "change.sql")).fetchall()[0]))
