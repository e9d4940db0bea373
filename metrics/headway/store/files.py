"""The store on disk: a folder with a manifest, and a folder of plain arrays for each part.

Arrays are NumPy's own format, uncompressed: they are mapped into memory, so that opening costs nothing and what a
question does not touch is not read. Files never change; a reader that holds them keeps them when they are replaced.
The manifest tells the size and the time of each file, and a fingerprint of itself: a file that is not the one that was
written, or is damaged, makes the store one that nobody uses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.kernels import Activity
from headway.store.part import ANY, Part, joined
from headway.store.person_store import PersonStore

MANIFEST = "manifest.json"
#: Raised when the files come to mean something else: a store of another format is made anew.
FORMAT = 2
_COLUMNS = {"person": "<u4", "us": "<i8", "code": "<u2", "actor": "<u4"}
#: Smaller files are read at once: mapping them costs more.
_MAPPED_BYTES = 1 << 16


class PartWriter:
    """Writes a part range by range of persons, so that it need not be held in memory.

    Attributes:
        rows: Rows written.
        rolled_up: What was rolled up, as pairs of behaviour and first word; known when all is written.
    """

    def __init__(self, folder: Path, *, wide: bool) -> None:
        """Begins a part.

        Args:
            folder: An empty folder.
            wide: Whether there are more names of events than fit into a byte.
        """
        self._folder = folder
        kinds = {name: np.dtype(kind) for name, kind in _COLUMNS.items()}
        kinds["code"] = np.dtype("<u2" if wide else "u1")
        self._files = {name: _ColumnFile(folder / f"{name}.npy", kind) for name, kind in kinds.items()}
        self._activity: dict[int, list[Activity]] = {}
        self.rows = 0
        self.rolled_up: list[list[int]] = []

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        for behaviour, found in sorted(self._activity.items()):
            for each in joined(found):
                for name, values in (("persons", each.persons), ("words", each.words)):
                    np.save(
                        _activity_file(self._folder, behaviour, each.first_word, name),
                        values,
                        allow_pickle=False,
                    )
                self.rolled_up.append([behaviour, each.first_word])

    def add(self, part: Part) -> None:
        """Adds the rows of persons that come after those added before.

        Args:
            part: The rows.
        """
        for name, file in self._files.items():
            file.append(getattr(part, name))
        for behaviour, activities in part.activity.items():
            self._activity.setdefault(behaviour, []).extend(activities)
        self.rows += len(part)


class _ColumnFile:
    """An array in NumPy's format that grows: its length is filled in at the end."""

    def __init__(self, path: Path, kind: np.dtype[Any]) -> None:
        self._file = path.open("wb+")
        self._kind = kind
        self._length = 0
        self._head()

    def append(self, values: npt.NDArray[Any]) -> None:
        values.astype(self._kind, copy=False).tofile(self._file)
        self._length += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._head()
        self._file.close()

    def _head(self) -> None:
        # NumPy leaves room in the header for a length that grows.
        head = {
            "descr": np.lib.format.dtype_to_descr(self._kind),
            "fortran_order": False,
            "shape": (self._length,),
        }
        np.lib.format.write_array_header_1_0(self._file, head)


def read_part(folder: Path, rolled_up: list[list[int]], dead: Path | None = None) -> Part:
    """Opens the arrays of a part.

    Args:
        folder: Its folder.
        rolled_up: What its writer said was rolled up.
        dead: File with the persons whose rows do not count, or None.

    Returns:
        The part.

    Raises:
        OSError: A file is not there.
        ValueError: A file is damaged.
    """
    columns = {name: _array(folder / f"{name}.npy") for name in _COLUMNS}
    activity: dict[int, tuple[Activity, ...]] = {}
    for behaviour, word in rolled_up:
        persons, words = (
            _array(_activity_file(folder, behaviour, word, name)) for name in ("persons", "words")
        )
        activity[behaviour] = (*activity.get(behaviour, ()), Activity(word, persons, words))
    if len({len(values) for values in columns.values()}) > 1:
        raise ValueError("columns of a part differ in length")
    return Part(**columns, activity=activity, dead=_array(dead) if dead else np.zeros(0, np.uint32))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Reads what a store says of itself.

    Args:
        folder: Folder of the store.

    Returns:
        The manifest; None where there is none that this version of Headway reads.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    seal = manifest.pop("seal", None)
    return manifest if seal == _seal(manifest) else None


def manifest_text(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Writes what a store says of itself, with the marks of the files it consists of.

    Args:
        folder: Folder of the store; all files are there.
        manifest: What it says of itself.

    Returns:
        Content of the file `MANIFEST`.
    """
    told = {
        **manifest,
        "marks": {path.relative_to(folder).as_posix(): _mark(path) for path in _files(folder, manifest)},
    }
    return json.dumps({**told, "seal": _seal(told)})


def _files(folder: Path, manifest: Mapping[str, Any]) -> Iterable[Path]:
    """The files a store consists of, apart from the manifest."""
    folders = [manifest["numbers"], *(part["folder"] for part in manifest["parts"])]
    yield from (path for name in folders for path in sorted((folder / name).iterdir()))
    yield from (folder / part["dead"] for part in manifest["parts"] if part["dead"])


def _mark(path: Path) -> list[int]:
    """By what a written file is known again: its size and time."""
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:32]


def read_store(folder: Path, manifest: Mapping[str, Any]) -> PersonStore:
    """Opens a store.

    Args:
        folder: Its folder.
        manifest: What it says of itself.

    Returns:
        The store.

    Raises:
        OSError: A file is not there.
        ValueError: A file is damaged, or not the one that was written.
    """
    if any(_mark(folder / path) != mark for path, mark in manifest["marks"].items()):
        raise ValueError("a file is not the one that was written")
    parts = tuple(
        read_part(folder / each["folder"], each["rolled_up"], folder / each["dead"] if each["dead"] else None)
        for each in manifest["parts"]
    )
    names = tuple(manifest["names"])
    behaviours = frozenset(ANY if name is None else names.index(name) for name in manifest["behaviours"])
    return PersonStore(
        parts, names, manifest["people"], manifest["timezone"], behaviours, manifest["version"]
    )


def attach_store(folder: Path, version: str) -> PersonStore | None:
    """Opens a store where it is there, whole and made from what the caller sees.

    Args:
        folder: Folder of the store.
        version: Fingerprint of what the caller sees.

    Returns:
        The store, or None: then SQL answers.
    """
    manifest = read_manifest(folder)
    if manifest is None or manifest["version"] != version:
        return None
    try:
        return read_store(folder, manifest)
    except (OSError, ValueError):
        return None


def _array(path: Path) -> npt.NDArray[Any]:
    mapped = path.stat().st_size > _MAPPED_BYTES
    try:
        return np.asarray(np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False))
    except EOFError:
        raise ValueError("an array is cut short") from None


def _activity_file(folder: Path, behaviour: int, word: int, name: str) -> Path:
    return folder / f"days_{'any' if behaviour == ANY else behaviour}_{word}_{name}.npy"
