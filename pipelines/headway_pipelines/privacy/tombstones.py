"""Tombstones: which identifiers belong to people who were erased, as keyed marks that nothing can be read from.

The mark of an identifier is a keyed hash of its keyed hash, so that a mark cannot be compared with an old copy of the
vault without the key. What the gate meets under a mark does not pass: a replay, a late event, a restated file or a
rebuild cannot bring the person back. A device that others used too has no mark but windows of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import polars as pl

from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.segments import add_segment, segments_of

_SCHEMA = {
    "mark": pl.String,
    "surrogate": pl.String,
    "from_us": pl.Int64,
    "until_us": pl.Int64,
}
_DOMAIN = "tombstone"

Window = tuple[str, int | None, int | None]
"""Surrogate of a device, and from when (exclusive) until when (inclusive) it was the erased person's, in µs."""


def normalised(raw: pl.Expr) -> pl.Expr:
    """Writes an identifier in the one form in which it is hashed, or one person would become two.

    Args:
        raw: Identifiers as trackers wrote them.

    Returns:
        Unicode NFKC, trimmed; e-mail addresses case-folded.

    Examples:
        >>> pl.DataFrame({"raw": [" Ada@Example.com ", "U-7"]}).select(normalised(pl.col("raw")))["raw"].to_list()
        ['ada@example.com', 'U-7']
    """
    normal = raw.str.normalize("NFKC").str.strip_chars()
    return pl.when(normal.str.contains("@", literal=True)).then(normal.str.to_lowercase()).otherwise(normal)


class Tombstones:
    """The tombstones of one workspace.

    Args:
        folder: Where they are, normally ``state/tombstones``.
        key: The workspace's key, with the older ones.

    Raises:
        HeadwayError: A segment is missing or was changed since it was written.
    """

    def __init__(self, folder: Path, key: Key) -> None:
        self._folder, self._key = folder, key
        files = segments_of(folder, "tombstones")
        frames = [pl.read_parquet(file) for file in files]
        self._rows = pl.concat([pl.DataFrame(schema=_SCHEMA), *frames])
        self._next = len(files) + 1

    def __len__(self) -> int:
        return self._rows.height

    def marked(self, lookups: pl.DataFrame) -> pl.DataFrame:
        """Picks the identifiers that were erased.

        Args:
            lookups: Columns ``domain`` and ``raw``, whatever else.

        Returns:
            Those rows.
        """
        if not self._rows["mark"].drop_nulls().len():
            return lookups.clear()
        marks = self._rows["mark"].drop_nulls().implode()
        hit = pl.lit(False)
        for hashing in self._key.ring:
            lookup = hashing.digests(pl.col("domain"), normalised(pl.col("raw")))
            for marking in self._key.ring:
                hit |= _marks(marking, lookup).is_in(marks)
        return lookups.filter(hit)

    def windows(self) -> pl.DataFrame:
        """The windows of shared devices: ``surrogate``, ``from_us``, ``until_us``."""
        return self._rows.filter(pl.col("mark").is_null()).drop("mark")

    def add(self, lookups: Sequence[tuple[str, str]], windows: Sequence[Window]) -> int:
        """Adds what is not there yet.

        Args:
            lookups: Domain and keyed hash of identifiers, as the vault has them.
            windows: Times in which shared devices were the erased person's.

        Returns:
            Number of tombstones added.
        """
        rows = self._of(lookups, windows)
        fresh = rows.unique(maintain_order=True).join(
            self._rows, on=list(_SCHEMA), how="anti", nulls_equal=True
        )
        # sorted: which identifier was given first says something
        fresh = fresh.sort(list(_SCHEMA))
        if fresh.height:
            add_segment(self._folder, self._next, fresh, list(_SCHEMA))
            self._rows, self._next = pl.concat([self._rows, fresh]), self._next + 1
        return fresh.height

    def only(self, lookups: Sequence[tuple[str, str]], windows: Sequence[Window]) -> Tombstones:
        """Takes the tombstones of some identifiers alone.

        Args:
            lookups: As for `add`.
            windows: As for `add`.

        Returns:
            Tombstones that nothing may be added to.
        """
        some = copy(self)
        some._rows = self._of(lookups, windows)
        return some

    def _of(self, lookups: Sequence[tuple[str, str]], windows: Sequence[Window]) -> pl.DataFrame:
        named = pl.DataFrame(list(lookups), schema={"domain": pl.String, "lookup": pl.String}, orient="row")
        marks = named.select(mark=_marks(self._key, pl.col("lookup")))
        times = {name: kind for name, kind in _SCHEMA.items() if name != "mark"}
        held = pl.DataFrame(list(windows), schema=times, orient="row")
        return pl.concat([pl.DataFrame(schema=_SCHEMA), marks, held], how="diagonal")


def _marks(key: Key, lookup: pl.Expr) -> pl.Expr:
    return key.digests(pl.concat_str([pl.lit(_DOMAIN), pl.col("domain")], separator=":"), lookup)
