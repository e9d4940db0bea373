"""The vault: keyed hash of an identifier -> random surrogate.

Surrogates are random, so nothing can be computed back from the lake; deleting a row of the vault makes a person's
surrogate meaningless for good. The vault is append-only: every call that meets new identifiers writes one more
Parquet segment whose name carries the first digits of its SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from headway.engine import guarded
from headway.errors import HeadwayError, InputError
from headway_pipelines.privacy.keys import Key
from headway_pipelines.workspace import sync_folder, write_atomically

_SCHEMA = {"domain": pl.String, "lookup": pl.String, "surrogate": pl.String}


class Vault:
    """The identifiers a workspace has met, as keyed hashes and random surrogates.

    Args:
        folder: Where the segments are, normally ``state/vault``.
        key: The workspace's key.
        connection: The gate's DuckDB connection, in which the vault is held as the table ``vault``.

    Raises:
        InputError: The vault was made with another key.
        HeadwayError: A segment is missing or was changed since it was written.
    """

    def __init__(self, folder: Path, key: Key, connection: duckdb.DuckDBPyConnection) -> None:
        self._folder, self._key, self._con = folder, key, connection
        folder.mkdir(parents=True, exist_ok=True)
        stamp = folder / "key-id"
        if stamp.exists():
            known = stamp.read_text(encoding="ascii").strip()
            if known != key.id:
                raise InputError(
                    f"this workspace's ids were made with key {known}, but the key found is {key.id}. "
                    "Restore the right key file or set HEADWAY_KEY_FILE."
                )
        else:
            write_atomically(stamp, key.id + "\n")
        segments = sorted(folder.glob("*.parquet"))
        for number, segment in enumerate(segments, 1):
            _verify(segment, number)
        self._next = 1 + max((int(s.name.split("-")[0]) for s in segments), default=0)
        with guarded("load the vault"):
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE vault (domain VARCHAR, lookup UUID, surrogate UUID)"
            )
            if segments:
                connection.execute(
                    "INSERT INTO vault SELECT domain, lookup::UUID, surrogate::UUID FROM read_parquet($paths)",
                    {"paths": [str(s) for s in segments]},
                )

    def assign(self, identifiers: pl.DataFrame) -> None:
        """Gives every identifier its surrogate, as the temporary table ``ids(domain, raw, surrogate)``.

        Identifiers are normalised before hashing (Unicode NFKC, trimmed; e-mail addresses case-folded), or one
        person would become two.

        Args:
            identifiers: Distinct pairs in the columns ``domain`` and ``raw``.
        """
        normal = pl.col("raw").str.normalize("NFKC").str.strip_chars()
        normal = (
            pl.when(normal.str.contains("@", literal=True)).then(normal.str.to_lowercase()).otherwise(normal)
        )
        hashed = identifiers.with_columns(lookup=self._key.digests(pl.col("domain"), normal))
        with guarded("look up identifiers in the vault"):
            self._con.register("hashes", hashed.to_arrow())
            self._con.execute(
                "CREATE OR REPLACE TEMP TABLE identifiers AS SELECT domain, raw, lookup::UUID AS lookup FROM hashes"
            )
            self._con.unregister("hashes")
            missing = self._con.sql(
                "SELECT DISTINCT domain, lookup::VARCHAR AS lookup FROM identifiers i "
                "WHERE NOT EXISTS (FROM vault v WHERE v.domain = i.domain AND v.lookup = i.lookup) "
                "ORDER BY ALL"
            ).pl()
            if missing.height:
                self._append(missing)
            self._con.execute(
                "CREATE OR REPLACE TEMP TABLE ids AS "
                "SELECT i.domain, i.raw, v.surrogate FROM identifiers i "
                "JOIN vault v ON v.domain = i.domain AND v.lookup = i.lookup"
            )
            self._con.execute("DROP TABLE identifiers")

    def _append(self, missing: pl.DataFrame) -> None:
        random = secrets.token_bytes(16 * missing.height).hex()
        surrogates = [random[start : start + 32] for start in range(0, len(random), 32)]
        segment = missing.with_columns(surrogate=pl.Series(surrogates, dtype=pl.String))
        sink = pa.BufferOutputStream()
        # No column statistics: a Parquet footer would show the smallest and largest hash in clear.
        segment.select(list(_SCHEMA)).write_parquet(sink, compression="zstd", statistics=False)
        content = sink.getvalue().to_pybytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        write_atomically(self._folder / f"{self._next:06d}-{digest}.parquet", content)
        sync_folder(self._folder)
        self._next += 1
        self._con.register("segment", segment.to_arrow())
        self._con.execute("INSERT INTO vault SELECT domain, lookup::UUID, surrogate::UUID FROM segment")
        self._con.unregister("segment")


def _verify(segment: Path, number: int) -> None:
    if int(segment.name.split("-")[0]) != number:
        raise HeadwayError(
            f"segment {number:06d} of the vault is missing in state/vault/: the people in it would become new ones. "
            "Restore state/ from a backup."
        )
    digest = hashlib.sha256(segment.read_bytes()).hexdigest()[:16]
    if segment.stem.split("-")[-1] != digest:
        raise HeadwayError(
            f"the vault segment state/vault/{segment.name} is damaged: its content does not match its checksum. "
            "Restore state/ from a backup."
        )
