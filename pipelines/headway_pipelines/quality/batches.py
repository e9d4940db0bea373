"""Judging staged batches: a batch without a verdict is never promoted."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from headway.engine import connect, guarded
from headway.engine.sql import bind, identifier, literal, load
from headway.models.plan import Column, load_plan
from headway_pipelines.lake.ledger import BLOCKED, PASSED, STAGED, Ledger
from headway_pipelines.privacy.second_line import kinds_of
from headway_pipelines.quality.judge import Rule, judge
from headway_pipelines.sources.shape import ERASED, EXPIRED, NAMES_NOBODY, NO_CONSENT, NO_USABLE_ID
from headway_pipelines.workspace import Workspace

BATCH_RULES = (
    Rule(
        "lines accounted for",
        "unaccounted_lines",
        0,
        0,
        "Every line read must become an event or be counted, with none left over.",
    ),
    Rule(
        "events accounted for",
        "miscounted_events",
        0,
        0,
        "As many events must be staged as the gate let through; the difference must be 0.",
    ),
    Rule(
        "events have ids",
        "events_without_id",
        0,
        0,
        "Every event must have an id, so that copies can be told.",
    ),
    Rule("events have actors", "events_without_actor", 0, 0, "Every event must have an actor."),
    Rule("events have times", "events_without_time", 0, 0, "Every event must have a time."),
    Rule("events are declared", "undeclared_events", 0, 0, "Only declared events may be stored."),
    Rule(
        "nothing looks personal",
        "personal_looking_values",
        0,
        0,
        "No stored text may look like personal data.",
    ),
    Rule("few lines rejected", "rejected_share", 0, 0.2, "At most 20 % of the lines may be rejected."),
    Rule(
        "values fit the plan",
        "misfits_per_event",
        0,
        0.2,
        "At most one value in five events, or five in all, may misfit its class in the tracking plan.",
    ),
    Rule(
        "hardly any line rejected",
        "rejected_share",
        0,
        0.02,
        "At most 2 % of the lines should be rejected.",
        critical=False,
    ),
)
"""What a staged batch must satisfy."""

_HERE = "headway_pipelines.quality"
_REJECTS_NOT = (
    "event",
    "identify",
    "group",
    "alias",
    "blank",
    NAMES_NOBODY,
    ERASED,
    EXPIRED,
    *NO_CONSENT,
    "undeclared event",
    "refused request",
    "request without events",
)


@dataclass(frozen=True)
class Verdict:
    """What was found about staged batches.

    Attributes:
        passed: Batches that may be promoted.
        blocked: Batch -> names of the critical rules it violates.
        warned: Batch -> names of the other rules it violates.
    """

    passed: tuple[int, ...]
    blocked: dict[int, tuple[str, ...]]
    warned: dict[int, tuple[str, ...]]


def judge_batches(workspace: Workspace, ledger: Ledger) -> Verdict:
    """Judges every staged batch and writes the verdicts into the ledger.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        The verdicts.
    """
    staged = [b.batch for b in ledger.batches(STAGED)]
    if not staged:
        return Verdict((), {}, {})
    profile = profile_batches(workspace, ledger, staged)
    found: dict[int, list[Rule]] = {batch: [] for batch in staged}
    for finding in judge(profile, BATCH_RULES):
        for batch in profile["batch"].gather(list(finding.rows)):
            found[batch].append(finding.rule)
    blocked = {b: tuple(r.name for r in rules if r.critical) for b, rules in found.items()}
    blocked = {b: names for b, names in blocked.items() if names}
    warned = {b: tuple(r.name for r in rules if not r.critical) for b, rules in found.items() if rules}
    passed = tuple(b for b in staged if b not in blocked)
    with ledger.transaction():
        ledger.move(passed, PASSED)
        for batch, names in blocked.items():
            row = profile.row(by_predicate=pl.col("batch") == batch, named=True)
            ledger.move([batch], BLOCKED, _reasons(names, row) + _why_rejected(ledger, batch, names))
    return Verdict(passed, blocked, {b: names for b, names in warned.items() if names and b not in blocked})


def _reasons(names: tuple[str, ...], profile: dict[str, float]) -> str:
    """Says which rules a batch breaks, with what was counted."""
    rules = {rule.name: rule for rule in BATCH_RULES}
    told = []
    for name in names:
        found = profile[rules[name].column]
        told.append(
            f"{rules[name].meaning} Here: {f'{found:.0%}' if 'share' in rules[name].column else f'{found:.3g}'}."
        )
    return " ".join(told)


def _why_rejected(ledger: Ledger, batch: int, names: tuple[str, ...]) -> str:
    """Says what most rejected lines have in common, where too many are rejected."""
    if "few lines rejected" not in names:
        return ""
    reason, lines = max(ledger.rejected(batch, _REJECTS_NOT).items(), key=lambda found: (found[1], found[0]))
    told = f" Most often: {reason} ({lines:,} lines)."
    if reason == NO_USABLE_ID:
        told += (
            " If rows of nobody are expected there, write nobody: leave_out in their mapping in sources.yml."
        )
    return told


def profile_batches(workspace: Workspace, ledger: Ledger, batches: list[int]) -> pl.DataFrame:
    """Counts what the suite judges, in one scan of the staged files.

    Args:
        workspace: The workspace.
        ledger: Its ledger.
        batches: The batches to profile.

    Returns:
        One row a batch; numbers only.
    """
    plan = load_plan(workspace.plan_file)
    texts = [column for column in plan.columns().values() if column.sql_type == "VARCHAR"]
    groups = [workspace.staging / g / "events.parquet" for g in ledger.groups(batches)]
    paths = ", ".join(literal(str(p)) for p in groups)
    counts = pl.DataFrame(ledger.batch_counts(batches, _REJECTS_NOT), orient="row")
    con = connect()
    try:
        with guarded("profile staged batches"):
            con.register("ledger_counts", counts.to_arrow())
            con.execute(
                f"CREATE TEMP VIEW staged AS SELECT * FROM read_parquet([{paths}], hive_partitioning = false)"
            )
            text = bind(load(_HERE, "batch_profile.sql"), {"declared": list(plan.events)})
            text = text.replace("/* suspicious */", _suspicious(con, texts))
            profile: pl.DataFrame = con.sql(text).pl()
            return profile
    finally:
        con.close()


def _suspicious(con: duckdb.DuckDBPyConnection, columns: list[Column]) -> str:
    """A condition on rows of `staged`. Texts repeat, so the detector looks at each of them once."""
    matched: list[str] = []
    for column in columns:
        name = identifier(column.name)
        values = con.sql(f"SELECT DISTINCT {name} AS text FROM staged WHERE {name} IS NOT NULL").pl()["text"]
        odd = values.filter(kinds_of(values, column).is_not_null())
        if not odd.is_empty():
            con.register(f"odd_{len(matched)}", odd.to_frame("text").to_arrow())
            matched.append(f"{name} IN (SELECT text FROM odd_{len(matched)})")
    return " OR ".join(matched) or "FALSE"


__all__ = ["BATCH_RULES", "Verdict", "judge_batches", "profile_batches"]
