"""An audit as a page that is shown to others: the same account, with no number that speaks of a few people's values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from headway.errors import DefinitionError
from headway.models.plan import load_plan
from headway_pipelines.audit.facts import Audit, audit_workspace
from headway_pipelines.audit.show import ALIKE, guards
from headway_pipelines.workspace import Workspace

#: Guards that can be told of between runs only; the page is written within one.
_WHILE_IDLE = ("nothing spilled is left",)
Rows = list[tuple[str, ...]]


def privacy_account(workspace: Workspace) -> Mapping[str, Any] | None:
    """Says what the report's page of privacy says.

    Nothing in it depends on when it is asked, so that a report that is written again says the same.

    Args:
        workspace: The workspace, after a run.

    Returns:
        Texts by section; None where the definitions cannot be read: the report of what was published stands alone.
    """
    try:
        audit = audit_workspace(workspace, look=False)
        limits = load_plan(workspace.plan_file).limits
    except (DefinitionError, FileNotFoundError):
        return None
    few = audit.min_people
    reasons: Counter[str] = Counter()
    for row in audit.dropped:
        reasons[row["reason"]] += row["n_values"]
    return {
        "facts": _facts(audit),
        "lines": _counted(_by(audit.lines, "outcome", "lines"), few),
        "kept": _kept(audit),
        "dropped": _counted(reasons, few),
        "caught": _counted(audit.caught, few),
        "passed": f"{audit.detector['files']:,}",
        "published": [(p.table, f"{p.cells:,}", f"{p.hidden:,}", f"{p.held:,}") for p in audit.published],
        "retention": _retention(limits.model_dump() if limits is not None else {}),
        "guards": [
            (name, "holds" if holds else "does not hold")
            for name, holds in guards(audit).items()
            if name not in _WHILE_IDLE
        ],
        "proof": _proof(audit.proof),
        "few": few,
    }


def _facts(audit: Audit) -> Rows:
    run = audit.run or {}
    return [
        ("tracking plan", audit.plan[:12], "first characters of its checksum; another plan has another"),
        (
            "key",
            str(audit.key["id"] or "none yet"),
            "which key pseudonyms were made with; the key is elsewhere",
        ),
        (
            "values computed",
            _moment(run.get("as_of")),
            f"by Headway {run.get('code_version') or audit.code_version}",
        ),
        ("fewest people", f"{audit.min_people}", audit.fewer_than_five or "of whom a shown number may speak"),
        ("publications", f"{len(audit.releases):,}", "numbers are also judged by what earlier ones said"),
        ("receipts", f"{len(audit.rights):,}", "of erasures, exports and rotations of keys"),
    ]


def _moment(text: str | None) -> str:
    return "never" if text is None else f"{text[:16].replace('T', ' ')} UTC"


def _by(rows: Iterable[Mapping[str, Any]], name: str, number: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[name]] += row[number]
    return counts


def _counted(counts: Mapping[str, int], few: int) -> Rows:
    """What -> how many, the most first; as few as could be one person's are not told."""
    ordered = sorted(counts.items(), key=lambda each: (each[1] < few, -max(each[1], few), each[0]))
    return [(what, f"{n:,}" if n >= few else f"fewer than {few}") for what, n in ordered if n]


def _kept(audit: Audit) -> Rows:
    """Declared properties by purpose, class and what is kept of them."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    owners: dict[tuple[str, str, str, str], set[str]] = {}
    for k in audit.kept:
        terms = (k.purpose, k.privacy_class or "-", ALIKE.get(k.privacy_class) or k.kept_as, k.retention)
        counts[terms] += 1
        owners.setdefault(terms, set()).add(k.owner)
    return [(*terms, ", ".join(sorted(owners[terms])), f"{n:,}") for terms, n in sorted(counts.items())]


def _retention(limits: Mapping[str, Any]) -> Rows:
    off = "not limited"
    enforced = limits.get("events") == "enforce"
    rows: Rows = [
        (
            "events",
            "rows older than their retention are written away" if enforced else "retention is not enforced",
        )
    ]
    for name, label in (
        ("held_back", "batches that are held back"),
        ("dagster_history", "history of runs"),
        ("raw", "raw logs that were read"),
    ):
        rows.append((label, str(limits.get(name) or off)))
    return rows


def _proof(proof: Mapping[str, Any] | None) -> Rows:
    if proof is None:
        return []
    found = "nowhere" if not proof["hits"] else f"in {len(proof['found_in']):,} files"
    return [
        ("made", str(proof["at"])),
        (
            "looked for",
            f"{proof['values']:,} values of {proof['lines_sampled']:,} raw lines, in every encoding",
        ),
        ("looked in", f"{proof['files']:,} files, {proof['bytes']:,} bytes"),
        ("found", found),
    ]
