"""What was read, judged and promoted: the pipeline's memory between runs.

One SQLite file; a run's effects become visible in single transactions, so a killed run leaves the previous state and
the next one repairs. It holds counts, hashes and line numbers, never a value from a log.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway.queries import load

#: States of a batch (one version of one raw file), in the order they are passed through.
READING, STAGED, PASSED, BLOCKED, PROMOTED, DAMAGED, COPY = (
    "reading",
    "staged",
    "passed",
    "blocked",
    "promoted",
    "damaged",
    "copy",
)

#: Why a declared value was dropped: it is not what the plan says, or it looks personal; the type follows.
MISFIT, LOOKS_LIKE = "does not fit its class", "looks like "

#: The setting that holds how many files wait for the rest of their export.
UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Batch:
    """One version of one raw file.

    Attributes:
        batch: Its number, the `batch` column of the lake.
        path_id: Keyed hash of the path below ``raw/``.
        label: The path, or a neutral name where the path itself looks personal.
        size: Bytes on disk.
        mtime_ns: Modification time, nanoseconds since 1970.
        sha256: Checksum of the file as it lies there.
        source: Name of the source that read it.
        state: One of the states of this module.
        note: Why it is damaged or blocked, else empty.
        lines: Lines framed.
        events: Events staged.
    """

    batch: int
    path_id: str
    label: str
    size: int
    mtime_ns: int
    sha256: str
    source: str
    state: str
    note: str = ""
    lines: int = 0
    events: int = 0


@dataclass
class Account:
    """Everything counted while one batch went through the gate. Counts add up over the groups of a large file.

    Attributes:
        lines: Lines framed.
        events: Events that passed.
        outcomes: Lines by what became of them, for example ``{"event": 90, "identify": 8, "malformed JSON": 2}``.
        dropped: ``(event, property, reason) -> values``; names are shown only where they are safe to show.
        rejects: ``(line, byte offset, reason)`` of the first rejected lines.
        contested: ``(line, batch and line of the copy that stays)`` of the first copies that say something else.
    """

    lines: int = 0
    events: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    dropped: dict[tuple[str, str, str], int] = field(default_factory=dict)
    rejects: list[tuple[int, int, str]] = field(default_factory=list)
    contested: list[tuple[int, int, int]] = field(default_factory=list)


class Ledger:
    """The ledger of one workspace.

    Args:
        path: The SQLite file; made when missing.

    Examples:
        >>> import tempfile
        >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "ledger.sqlite")
        >>> ledger.batches()
        []
        >>> ledger.close()
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Transactions are explicit, in `transaction`; FULL makes a commit survive a power cut.
        self._con = sqlite3.connect(path, isolation_level=None)
        self._con.row_factory = sqlite3.Row
        self._con.execute("PRAGMA synchronous = FULL")
        self._con.execute("PRAGMA secure_delete = ON")
        self._con.executescript(load("headway_pipelines.lake", "ledger.sql"))

    def close(self) -> None:
        """Closes the file."""
        self._con.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing of it."""
        self._con.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._con.execute("ROLLBACK")
            raise
        self._con.execute("COMMIT")

    def get(self, name: str) -> str | None:
        """Reads a setting of the warehouse, for example the plan it was built under."""
        rows = self._rows("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0]["value"]) if rows else None

    def put(self, name: str, value: str) -> None:
        """Writes a setting of the warehouse."""
        self._con.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def batches(self, *states: str) -> list[Batch]:
        """Lists batches in order of their number; with states, only those in one of them."""
        rows = self._rows("SELECT * FROM batches ORDER BY batch")
        return [Batch(**dict(r)) for r in rows if not states or r["state"] in states]

    def current(self) -> dict[str, Batch]:
        """The newest batch of every path, by path id."""
        return {b.path_id: b for b in self.batches()}

    def open_batch(self, batch: Batch) -> int:
        """Adds a batch (its number is assigned here).

        Returns:
            The number.
        """
        cursor = self._con.execute(
            "INSERT INTO batches (path_id, label, size, mtime_ns, sha256, source, state, note)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                batch.path_id,
                batch.label,
                batch.size,
                batch.mtime_ns,
                batch.sha256,
                batch.source,
                batch.state,
                batch.note,
            ),
        )
        return int(cursor.lastrowid or 0)

    def move(self, numbers: Iterable[int], state: str, note: str = "") -> None:
        """Moves batches to a state."""
        self._con.executemany(
            "UPDATE batches SET state = ?, note = ? WHERE batch = ?", [(state, note, n) for n in numbers]
        )

    def touch(self, batch: int, mtime_ns: int) -> None:
        """Notes that a file's modification time changed while its content did not."""
        self._con.execute("UPDATE batches SET mtime_ns = ? WHERE batch = ?", (mtime_ns, batch))

    def rewritten(self, batch: int, size: int, mtime_ns: int, sha256: str) -> None:
        """Notes that a raw file was written anew without lines that do not pass anyway: it need not be read again."""
        self._con.execute(
            "UPDATE batches SET size = ?, mtime_ns = ?, sha256 = ? WHERE batch = ?",
            (size, mtime_ns, sha256, batch),
        )

    def add_account(self, batch: int, account: Account) -> None:
        """Adds what was counted for one batch in one group."""
        self._con.execute(
            "UPDATE batches SET lines = lines + ?, events = events + ? WHERE batch = ?",
            (account.lines, account.events, batch),
        )
        add = " ON CONFLICT DO UPDATE SET n = n + excluded.n"
        self._con.executemany(
            "INSERT INTO outcomes VALUES (?, ?, ?)" + add,
            [(batch, o, n) for o, n in account.outcomes.items()],
        )
        self._con.executemany(
            "INSERT INTO dropped VALUES (?, ?, ?, ?, ?)" + add,
            [(batch, *k, n) for k, n in account.dropped.items()],
        )
        self._con.executemany(
            "INSERT INTO rejects VALUES (?, ?, ?, ?)", [(batch, *r) for r in account.rejects]
        )
        self._con.executemany(
            "INSERT INTO contested VALUES (?, ?, ?, ?)", [(batch, *c) for c in account.contested]
        )

    def rejected(self, batch: int, not_rejects: Iterable[str]) -> dict[str, int]:
        """Rejected lines of a batch by outcome.

        Args:
            batch: The batch.
            not_rejects: Outcomes that are no rejects.
        """
        fine = set(not_rejects)
        rows = self._rows("SELECT outcome, n FROM outcomes WHERE batch = ?", batch)
        return {r["outcome"]: r["n"] for r in rows if r["outcome"] not in fine}

    def batch_counts(self, batches: Iterable[int], not_rejects: Iterable[str]) -> list[dict[str, Any]]:
        """What the gate counted, per batch: lines, events, rejected lines, misfits, lines without an outcome.

        Args:
            batches: The batches.
            not_rejects: Outcomes that are no rejects.
        """
        wanted, fine = set(batches), set(not_rejects)
        counts = {
            b.batch: {
                "batch": b.batch,
                "lines": b.lines,
                "events": b.events,
                "rejected_lines": 0,
                "misfit_values": 0,
            }
            for b in self.batches()
            if b.batch in wanted
        }
        for count in counts.values():
            outcomes = self._rows("SELECT outcome, n FROM outcomes WHERE batch = ?", count["batch"])
            count["rejected_lines"] = sum(self.rejected(count["batch"], fine).values())
            count["misfit_values"] = self._rows(
                "SELECT coalesce(sum(n), 0) AS n FROM dropped WHERE batch = ? AND (reason = ? OR reason LIKE ?)",
                count["batch"],
                MISFIT,
                f"{LOOKS_LIKE}%",
            )[0]["n"]
            # A line of a batched request has several outcomes, never none.
            count["unaccounted_lines"] = max(0, count["lines"] - sum(r["n"] for r in outcomes))
        return list(counts.values())

    def forget_batches(self, numbers: Iterable[int]) -> None:
        """Removes batches and their counts, as if their files had never been read."""
        keys = [(n,) for n in numbers]
        for table in ("batches", "outcomes", "dropped", "rejects", "contested", "groups"):
            self._con.executemany(f"DELETE FROM {table} WHERE batch = ?", keys)

    def add_group(self, group: str, batches: Iterable[int]) -> None:
        """Notes which batches have rows in a staged group."""
        self._con.executemany("INSERT INTO groups VALUES (?, ?)", [(group, b) for b in batches])

    def groups(self, batches: Iterable[int]) -> list[str]:
        """The staged groups in which these batches have rows."""
        wanted = set(batches)
        rows = self._rows("SELECT name, batch FROM groups ORDER BY name")
        return sorted({str(r["name"]) for r in rows if r["batch"] in wanted})

    def waiting_groups(self) -> set[str]:
        """Every staged group with rows of a batch that was neither promoted nor given up."""
        waiting = {b.batch for b in self.batches(READING, STAGED, PASSED, BLOCKED)}
        return set(self.groups(waiting))

    def lake_files(self, kind: str = "events") -> dict[str, str]:
        """The live files: path below the warehouse -> UTC day (empty for tables without days)."""
        rows = self._rows("SELECT path, day FROM files WHERE kind = ? ORDER BY day, path", kind)
        return {str(r["path"]): str(r["day"]) for r in rows}

    def rows_per_day(self) -> dict[str, int]:
        """Live events by UTC day."""
        rows = self._rows(
            "SELECT day, sum(rows) AS n FROM files WHERE kind = 'events' GROUP BY day ORDER BY day"
        )
        return {str(r["day"]): int(r["n"]) for r in rows}

    def swap_files(self, kind: str, added: Mapping[str, tuple[str, int]], removed: Iterable[str]) -> None:
        """Replaces live files; part of a transaction.

        Args:
            kind: ``"events"``, ``"links"``, or of whom they are statements.
            added: Path below the warehouse -> (UTC day, rows).
            removed: Paths that are no longer live.
        """
        self._con.executemany("DELETE FROM files WHERE path = ?", [(p,) for p in removed])
        self._con.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?)", [(p, kind, d, n) for p, (d, n) in added.items()]
        )

    def reset(self) -> None:
        """Forgets everything read so far, so that all raw files are read again."""
        for table in ("batches", "outcomes", "dropped", "rejects", "contested", "groups", "files"):
            self._con.execute(f"DELETE FROM {table}")

    def outcomes(self) -> list[dict[str, Any]]:
        """Lines by source, batch state and outcome, over everything read."""
        return [dict(r) for r in self._rows(load("headway_pipelines.lake", "outcomes.sql"))]

    def dropped(self) -> list[dict[str, Any]]:
        """Values dropped by event, property and reason, over everything read."""
        return [dict(r) for r in self._rows(load("headway_pipelines.lake", "dropped.sql"))]

    def rejects(self, limit: int = 100) -> list[dict[str, Any]]:
        """Where rejected lines are: file label, line, byte offset, reason."""
        return [dict(r) for r in self._rows(load("headway_pipelines.lake", "rejects.sql"), limit)]

    def contested(self, limit: int = 100) -> list[dict[str, Any]]:
        """Where copies are that say something else: file label and line, and those of the copy that stays."""
        return [dict(r) for r in self._rows(load("headway_pipelines.lake", "contested.sql"), limit)]

    def put_json(self, name: str, value: object) -> None:
        """Stores a small structure as a setting."""
        self.put(name, json.dumps(value, sort_keys=True))

    def get_json(self, name: str) -> Any:
        """Reads a structure stored by `put_json`; None when absent."""
        text = self.get(name)
        return None if text is None else json.loads(text)

    def _rows(self, query: str, *params: object) -> list[sqlite3.Row]:
        return self._con.execute(query, params).fetchall()
