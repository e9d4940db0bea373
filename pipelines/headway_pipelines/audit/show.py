"""An audit on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway_pipelines.audit.facts import Audit

_MOST = 25
NOISE_HEADER = ("metric", "most by one month", "budget of a month", "over all time")
_ALIKE = {"id": "random pseudonym", "enum": "a declared value"}


def show(audit: Audit, console: Console) -> None:
    """Prints an audit: what came in, what was kept and why, what was dropped, what was published, the proof.

    Args:
        audit: The audit.
        console: Where to print.
    """
    console.print(Text(f"{audit.product}: what is kept of people, and why", style="bold"))
    _pairs(console, "as of", _about(audit))
    _pairs(console, "came in", came_in(audit))
    for title, header, rows in _tables(audit):
        _table(console, title, header, rows)
    _pairs(
        console,
        "guards",
        [(name, "holds" if holds else "DOES NOT HOLD") for name, holds in guards(audit).items()],
    )
    _pairs(console, "proof", proof_words(audit.proof))
    if audit.rights:
        _pairs(console, "receipts", [(str(r["receipt"]), receipt_words(r)) for r in audit.rights])


def _tables(audit: Audit) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
    """Title, header and rows of each table."""
    lines = [(row["source"], row["state"], row["outcome"], row["lines"]) for row in audit.lines]
    yield "lines", ("source", "file", "what became of them", "lines"), lines
    yield "kept", ("purpose", "class", "kept as", "for", "properties"), _kept(audit)
    dropped = [
        (row["event"], row["property"] or "-", row["reason"], row["n_values"]) for row in audit.dropped
    ]
    yield "dropped", ("event", "property", "why", "values"), dropped
    published = [(each.table, each.cells, each.hidden, each.held) for each in audit.published]
    yield "published", ("table", "cells", "hidden", "stay as before"), published
    yield "told with noise (epsilon)", NOISE_HEADER, noise_rows(audit)
    zones = [(z.name, z.holds, z.files, z.size, z.open_to_others) for z in audit.zones]
    yield "where it lies", ("folder", "what", "files", "bytes", "open to others"), zones


def noise_rows(audit: Audit) -> list[tuple[str, ...]]:
    """Lists what metrics with noise told of a person.

    Args:
        audit: The audit.

    Returns:
        Metric, and epsilon: most by one month, of a budget, over all time.
    """
    names = ("spent_in_one_month", "budget_of_a_month", "spent_ever")
    return [
        (str(row["metric"]), *("-" if row[name] is None else f"{row[name]:g}" for name in names))
        for row in audit.noise
    ]


def _kept(audit: Audit) -> list[tuple[str, str, str, str, int]]:
    """Properties that are kept, counted; each of them is on the page and in the JSON."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for each in audit.kept:
        if each.columns:
            words = _ALIKE.get(each.privacy_class) or each.kept_as.partition(";")[0]
            counts[each.purpose, each.privacy_class, words, each.retention] += 1
    return [(*key, n) for key, n in sorted(counts.items())]


def _about(audit: Audit) -> list[tuple[str, str]]:
    run = audit.run or {}
    return [
        ("made", audit.at),
        ("values computed", run.get("as_of") or "never"),
        ("tracking plan", audit.plan[:12]),
        ("key", audit.key["id"] or "none yet"),
        ("Headway", audit.code_version),
        (
            "fewest people",
            str(audit.min_people) + (f" ({audit.fewer_than_five})" if audit.fewer_than_five else ""),
        ),
        ("publications", str(len(audit.releases))),
    ]


def came_in(audit: Audit) -> list[tuple[str, str]]:
    """Says what came in, in numbers.

    Args:
        audit: The audit.

    Returns:
        Label and number.
    """
    files = ", ".join(f"{n:,} {state}" for state, n in sorted(audit.files.items())) or "none"
    return [
        ("files", files),
        ("lines", f"{sum(row['lines'] for row in audit.lines):,}"),
        ("values dropped", f"{sum(row['n_values'] for row in audit.dropped):,}"),
        ("events kept", f"{audit.stored['events']:,} of {audit.stored['days']:,} days"),
        ("people", f"{audit.stored['people']:,}"),
    ]


def guards(audit: Audit) -> Mapping[str, bool]:
    """Lists every guard that an audit can tell of.

    Args:
        audit: The audit.

    Returns:
        Guard -> whether it holds.
    """
    clean = not audit.detector["looks_personal"]
    return {
        "the key lies outside the workspace": audit.key["outside_the_workspace"],
        "the key is its owner's alone": audit.key["for_its_owner_alone"] or not audit.key["found"],
        "nothing in stored texts looks personal": clean,
        **audit.guards,
    }


def proof_words(proof: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Says what the last proof found.

    Args:
        proof: What was noted; None where no proof was made.

    Returns:
        Label and text.
    """
    if proof is None:
        return [("none yet", "make one with 'headway audit --prove'")]
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(proof["values_by_kind"].items()))
    types = ", ".join(f"{n:,} {kind}" for kind, n in sorted(proof["values_by_type"].items())) or "none"
    found = ", ".join(proof["found_in"]) or "nowhere"
    return [
        ("made", proof["at"]),
        ("looked for", f"{proof['values']:,} values of {proof['lines_sampled']:,} raw lines: {kinds}"),
        ("look personal as", types),
        ("looked in", f"{proof['files']:,} files, {proof['bytes']:,} bytes"),
        ("found", f"{proof['hits']:,}, {found}"),
    ]


def receipt_words(receipt: Mapping[str, Any]) -> str:
    """Says what a receipt counts.

    Args:
        receipt: What was read of it.

    Returns:
        Names and numbers.
    """
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in receipt.items() if name != "receipt"
    )


def _pairs(console: Console, title: str, pairs: Iterable[tuple[str, str]]) -> None:
    console.print()
    console.print(Text(title, style="bold"))
    for label, text in pairs:
        console.print(f"  {label:44}{text}", markup=False, highlight=False)


def _table(console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    console.print()
    table = Table(*header, title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for column, cell in zip(table.columns, rows[0], strict=True):
        column.justify = "right" if isinstance(cell, int) else "left"
    for row in rows[:_MOST]:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    console.print(table)
    if len(rows) > _MOST:
        console.print(f"  and {len(rows) - _MOST} more; --html and --json have all", markup=False)
