"""The vault: keyed hash of an identifier -> random surrogate.

Surrogates are random, so nothing can be computed back from the lake; deleting a row of the vault makes a person's
surrogate meaningless for good. The vault is append-only but for that: every call that meets new identifiers writes one
more Parquet segment whose name carries the first digits of its SHA-256.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb
import polars as pl

from headway.engine import guarded
from headway.errors import InputError
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.segments import add_segment, replace_segment, segments_of
from headway_pipelines.privacy.tombstones import Tombstones, normalised
from headway_pipelines.workspace import write_atomically

_SCHEMA = {"domain": pl.String, "lookup": pl.String, "surrogate": pl.String}
_WORDS = "vault"


class Vault:
    """The identifiers a workspace has met, as keyed hashes and random surrogates.

    Args:
        folder: Where the segments are, normally ``state/vault``.
        key: The workspace's key, with the older ones.
        connection: The gate's DuckDB connection, in which the vault is held as the table ``vault``.

    Attributes:
        tombstones: Whose identifiers get no surrogate any more.

    Raises:
        InputError: The vault was made with another key.
        HeadwayError: A segment is missing or was changed since it was written.
    """

    def __init__(self, folder: Path, key: Key, connection: duckdb.DuckDBPyConnection) -> None:
        self._folder, self._key, self._con = folder, key, connection
        folder.mkdir(parents=True, exist_ok=True)
        self._check_key(folder / "key-id")
        self.tombstones = Tombstones(folder.with_name("tombstones"), key)
        segments = segments_of(folder, _WORDS)
        self._next = 1 + len(segments)
        with guarded("load the vault"):
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE vault (domain VARCHAR, lookup UUID, surrogate UUID)"
            )
            if segments:
                connection.execute(
                    "INSERT INTO vault SELECT domain, lookup::UUID, surrogate::UUID FROM read_parquet($paths)",
                    {"paths": [str(s) for s in segments]},
                )

    def _check_key(self, stamp: Path) -> None:
        if stamp.exists():
            known = stamp.read_text(encoding="ascii").strip()
            if known not in {key.id for key in self._key.ring}:
                raise InputError(
                    f"this workspace's ids were made with key {known}, but the key found is {self._key.id}. "
                    "Restore the right key file or set HEADWAY_KEY_FILE."
                )
            if known == self._key.id:
                return
        write_atomically(stamp, self._key.id + "\n")

    def assign(self, identifiers: pl.DataFrame) -> None:
        """Gives every identifier its surrogate, as the temporary table ``ids(domain, raw, surrogate)``.

        Identifiers are normalised before hashing (Unicode NFKC, trimmed; e-mail addresses case-folded), or one
        person would become two. One that was erased gets none.

        Args:
            identifiers: Distinct pairs in the columns ``domain`` and ``raw``.
        """
        with guarded("look up identifiers in the vault"):
            self._look_up(identifiers)
            missing = self._missing()
            if missing.height and len(self.tombstones):
                missing = missing.join(self.tombstones.marked(missing), on=["domain", "lookup"], how="anti")
            if missing.height:
                self._append(self._known_before(missing))
            self._con.execute(
                "CREATE OR REPLACE TEMP TABLE ids AS "
                "SELECT i.domain, i.raw, v.surrogate FROM identifiers i "
                "JOIN vault v ON v.domain = i.domain AND v.lookup = i.lookup"
            )
            self._con.execute("DROP TABLE identifiers")

    def erased(self, identifiers: pl.DataFrame, some: Tombstones) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Picks identifiers that were erased, and devices with windows of time that were.

        Args:
            identifiers: Distinct pairs in the columns ``domain`` and ``raw``.
            some: The tombstones that count.

        Returns:
            Columns ``domain`` and ``raw`` of the erased; columns ``raw``, ``from_us`` and ``until_us`` of the windows.
        """
        with guarded("look up erased identifiers"):
            self._look_up(identifiers)
            gone = some.marked(self._missing(every=True)).select("domain", "raw")
            self._con.register("windows", some.windows().to_arrow())
            held = self._con.sql(
                "SELECT i.raw, w.from_us, w.until_us FROM identifiers i JOIN vault v USING (domain, lookup) "
                "JOIN windows w ON w.surrogate::UUID = v.surrogate WHERE i.domain = 'device' ORDER BY ALL"
            ).pl()
            self._con.unregister("windows")
            self._con.execute("DROP TABLE identifiers")
        return gone, held

    def entries(self, raws: Iterable[str], domains: Collection[str] | None = None) -> pl.DataFrame:
        """Finds what the vault has of some identifiers, under every live key.

        Args:
            raws: The identifiers as trackers wrote them.
            domains: Where to look; None looks in all domains there are.

        Returns:
            Columns ``raw``, ``domain``, ``lookup`` and ``surrogate``.
        """
        known = [name for (name,) in self._con.execute("SELECT DISTINCT domain FROM vault").fetchall()]
        wanted = sorted(set(known) if domains is None else set(known) & set(domains))
        named = pl.DataFrame({"raw": list(dict.fromkeys(raws))}, schema={"raw": pl.String})
        named = named.join(pl.DataFrame({"domain": wanted}, schema={"domain": pl.String}), how="cross")
        hashed = pl.concat([self._hashed(named, key) for key in self._key.ring])
        return self.rows().join(hashed, on=["domain", "lookup"]).select("raw", *_SCHEMA)

    def rows(self) -> pl.DataFrame:
        """The whole vault: ``domain``, ``lookup`` and ``surrogate``, as texts of 32 digits."""
        frame: pl.DataFrame = self._con.sql(
            "SELECT domain, replace(lookup::VARCHAR, '-', '') AS lookup, "
            "replace(surrogate::VARCHAR, '-', '') AS surrogate FROM vault"
        ).pl()
        return frame

    def drop(self, surrogates: Collection[str]) -> int:
        """Deletes rows for good: segments with such rows are written anew.

        Args:
            surrogates: Surrogates of 32 digits.

        Returns:
            Number of rows deleted.
        """
        deleted = 0
        for segment in segments_of(self._folder, _WORDS):
            rows = pl.read_parquet(segment)
            kept = rows.filter(~pl.col("surrogate").is_in(list(surrogates)))
            if kept.height < rows.height:
                replace_segment(segment, kept)
                deleted += rows.height - kept.height
        gone = pl.DataFrame({"surrogate": list(surrogates)}, schema={"surrogate": pl.String})
        self._con.register("gone", gone.to_arrow())
        self._con.execute("DELETE FROM vault WHERE surrogate IN (SELECT surrogate::UUID FROM gone)")
        self._con.unregister("gone")
        return deleted

    def _hashed(self, identifiers: pl.DataFrame, key: Key) -> pl.DataFrame:
        return identifiers.with_columns(lookup=key.digests(pl.col("domain"), normalised(pl.col("raw"))))

    def _look_up(self, identifiers: pl.DataFrame) -> None:
        """Makes the table `identifiers` with the hashes."""
        self._con.register("hashes", self._hashed(identifiers, self._key).to_arrow())
        self._con.execute(
            "CREATE OR REPLACE TEMP TABLE identifiers AS SELECT domain, raw, lookup::UUID AS lookup FROM hashes"
        )
        self._con.unregister("hashes")

    def _missing(self, *, every: bool = False) -> pl.DataFrame:
        """Identifiers that the vault does not have: one raw form each, or every one."""
        raw, group = ("raw", "") if every else ("min(raw) AS raw", "GROUP BY domain, lookup ")
        frame: pl.DataFrame = self._con.sql(
            f"SELECT domain, {raw}, replace(lookup::VARCHAR, '-', '') AS lookup FROM identifiers i "
            "WHERE NOT EXISTS (FROM vault v WHERE v.domain = i.domain AND v.lookup = i.lookup) "
            f"{group}ORDER BY ALL"
        ).pl()
        return frame

    def _known_before(self, missing: pl.DataFrame) -> pl.DataFrame:
        """Adds the surrogates that the vault has under older keys: who is met again stays the same."""
        known = pl.DataFrame(schema={"domain": pl.String, "raw": pl.String, "known": pl.String})
        for key in self._key.ring[1:]:
            found = self._hashed(missing.drop("lookup"), key).join(self.rows(), on=["domain", "lookup"])
            known = pl.concat([known, found.select("domain", "raw", known="surrogate")])
        return missing.join(known.unique(["domain", "raw"], keep="first"), on=["domain", "raw"], how="left")

    def _append(self, missing: pl.DataFrame) -> None:
        random = secrets.token_bytes(16 * missing.height).hex()
        surrogates = [random[start : start + 32] for start in range(0, len(random), 32)]
        fresh = pl.Series(surrogates, dtype=pl.String)
        segment = missing.with_columns(surrogate=pl.coalesce(pl.col("known"), fresh))
        add_segment(self._folder, self._next, segment, list(_SCHEMA))
        self._next += 1
        self._con.register("segment", segment.to_arrow())
        self._con.execute("INSERT INTO vault SELECT domain, lookup::UUID, surrogate::UUID FROM segment")
        self._con.unregister("segment")
