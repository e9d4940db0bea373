"""How labelled rows come out: which are free of leaks, and which traps were touched."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway_pipelines.privacy.detection import Verdict, judge

HERE = Path(__file__).parent / "privacy" / "labelled"
OWN = ("made", "hand")
HELD_OUT = ("made_held_out", "hand_held_out")
#: Three more sets, each written before the detectors met it, in other languages, contexts and encodings; and of eight
#: others every row that came out wrong when first met, with some that came out right. The last three are whole again.
FRESH = ("fresh_one", "fresh_two", "fresh_three", "fresh_four", "fresh_five", "fresh_six", "fresh_seven")
Row = dict[str, Any]


@dataclass
class Score:
    """Shares of rows.

    Attributes:
        tiers: Tier -> share of its rows that are free of leaks; for traps, share that was touched.
        types: Type of core rows -> the same.
        failed: Rows that came out wrong.
    """

    tiers: dict[str, float]
    types: dict[str, float]
    failed: list[Row] = field(repr=False)


def rows(names: Iterable[str]) -> list[Row]:
    return [
        json.loads(line)
        for name in names
        for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def score(labelled: Sequence[Row]) -> Score:
    tiers: dict[str, list[bool]] = defaultdict(list)
    types: dict[str, list[bool]] = defaultdict(list)
    failed: list[Row] = []
    for row in labelled:
        verdict = judge(row["value"], row["key"])
        touched = verdict.action != "keep" or verdict.cleaned != row["value"]
        counted = touched if row["tier"] == "trap" else free_of_leaks(row, verdict)
        tiers[row["tier"]].append(counted)
        if row["tier"] == "core":
            types[row["type"]].append(counted)
        if counted == (row["tier"] == "trap"):
            failed.append(
                row | {"action": verdict.action, "types": verdict.types, "cleaned": verdict.cleaned}
            )
    return Score(_shares(tiers), _shares(types), failed)


def free_of_leaks(row: Row, verdict: Verdict) -> bool:
    """Nothing labelled is in what may be kept; a personal name of a property is not kept either."""
    if verdict.action == "drop":
        return True
    if any(span in row["key"] for span in row["spans"]) or verdict.action == "keep":
        return False
    kept = json.dumps(verdict.cleaned, ensure_ascii=False)
    plain = verdict.cleaned if isinstance(verdict.cleaned, str) else kept
    return not any(span in kept or span in plain for span in row["spans"])


def _shares(counts: dict[str, list[bool]]) -> dict[str, float]:
    return {name: sum(each) / len(each) for name, each in sorted(counts.items())}


if __name__ == "__main__":
    import sys

    found = score(rows(sys.argv[1:] or OWN))
    for each in found.failed:
        print(
            each["tier"],
            each["type"],
            "|",
            each["key"],
            "|",
            json.dumps(each["value"], ensure_ascii=False)[:120],
            "|",
            each["action"],
            each["types"],
            json.dumps(each["cleaned"], ensure_ascii=False)[:120],
            "|",
            each["spans"],
        )
    print(found.tiers, found.types, sep="\n")
