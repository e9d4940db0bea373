"""A team's own rows, judged one by one: what ``headway audit --sample`` prints."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

from headway.errors import InputError
from headway_pipelines.privacy.detection.texts import UNREADABLE
from headway_pipelines.privacy.detection.walk import Verdict, judge

#: A longer line is not read: it counts as a row that cannot be used.
LONGEST_LINE = 16 << 20
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a sample.

    Attributes:
        line: Its number, from 1.
        key: The property's name.
        value: Its value. Not shown by `repr`.
        problem: Why the line cannot be used; empty where it can.
    """

    line: int
    key: str = field(default="", repr=False)
    value: Any = field(default=None, repr=False)
    problem: str = ""


def rows(path: Path) -> Iterator[Row]:
    """Reads a sample.

    Args:
        path: A file of JSON objects, one a line; ``-`` for standard input. Blank lines are left out.

    Yields:
        Its rows. What cannot be used is yielded too, with the problem, so that rows and verdicts stay in step.

    Raises:
        InputError: There is no such file.
    """
    if str(path) == "-":
        yield from _rows(sys.stdin.buffer)
        return
    try:
        handle = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read the sample {path}: {error.strerror}") from None
    with handle:
        yield from _rows(handle)


def _rows(handle: IO[bytes]) -> Iterator[Row]:
    line = 0
    while data := handle.readline(LONGEST_LINE + 1):
        line += 1
        if len(data) > LONGEST_LINE:
            while not data.endswith(b"\n") and (data := handle.readline(LONGEST_LINE)):
                pass
            yield Row(line, problem="longer than 16 MB")
        elif data.strip():
            yield _row(data, line)


def _row(data: bytes, line: int) -> Row:
    try:
        found = json.loads(
            data.decode("utf-8-sig" if line == 1 else "utf-8"), parse_constant=_no_number, parse_float=_float
        )
    except UnicodeDecodeError:
        return Row(line, problem="not UTF-8")
    except RecursionError:
        return Row(line, problem="nested too deeply")
    except ValueError:
        return Row(line, problem="not JSON")
    if not isinstance(found, dict):
        return Row(line, problem="not an object")
    if "value" not in found:
        return Row(line, problem='without "value"')
    key = found.get("key")
    if key is not None and not isinstance(key, str):
        return Row(line, problem='"key" is not a text')
    return Row(line, key or "", found["value"])


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def audit_sample(path: Path, *, as_json: bool) -> int:
    """Judges the rows of a sample and prints what becomes of them.

    Args:
        path: The sample.
        as_json: Print one JSON object a row instead of counts. Counts hold no value.

    Returns:
        How many rows could not be read. They are dropped in the output and reported with their lines on standard
        error.
    """
    problems: list[Row] = []
    unread = Counter[str]()
    actions = Counter[str]()
    types = Counter[str]()
    for row in rows(path):
        verdict = Verdict("drop", (UNREADABLE,)) if row.problem else judge(row.value, row.key)
        actions[verdict.action] += 1
        types.update(verdict.types)
        if row.problem:
            unread[row.problem] += 1
            problems += [row] if len(problems) < _MOST_TOLD else []
        if as_json:
            said = {"action": verdict.action, "types": list(verdict.types), "cleaned": verdict.cleaned}
            sys.stdout.write(json.dumps(said) + "\n")
    if not as_json:
        _say_counts(actions, types)
    for row in problems:
        sys.stderr.write(f"{path}:{row.line}: {row.problem}; the row is dropped\n")
    if (more := unread.total() - len(problems)) > 0:
        sys.stderr.write(f"{path}: {more:,} more rows cannot be read\n")
    return unread.total()


def _say_counts(actions: Counter[str], types: Counter[str]) -> None:
    total = actions.total()
    lines = [f"rows            {total:,}"]
    lines += [f"{action:16}{actions[action]:,}" for action in ("keep", "redact", "drop")]
    lines += ["found in rows"] if types else []
    lines += [
        f"  {kind:14}{count:,}" for kind, count in sorted(types.items(), key=lambda each: (-each[1], each[0]))
    ]
    sys.stdout.write("\n".join(lines) + "\n")
