"""A record of processing activities, drawn up from the tracking plan and the runs (Art. 30 GDPR).

What a program can know is filled in; what only people know (names, legal bases, recipients) is left open by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headway_pipelines.audit.facts import Audit
from headway_pipelines.audit.kept import Kept
from headway_pipelines.audit.show import guards, proof_words

OPEN = "to be filled in"

_MEASURES = (
    "What the tracking plan does not declare is dropped; there is no class for arbitrary text.",
    "Identifiers are replaced by random pseudonyms; the table that leads back is keyed (HMAC-SHA-256).",
    "The key lies outside the data, for its owner alone.",
    "Published numbers speak of enough people, and differ from earlier ones by enough people.",
    "Messages, logs and reports carry no value of a log; every byte written is searched in tests.",
    "Files of the workspace are readable by their owner alone, but for what is published.",
)


@dataclass(frozen=True)
class Activity:
    """What is processed for one purpose.

    Attributes:
        purpose: The purpose, as the plan says it.
        owners: Who answers for it.
        events: Events that are processed for it.
        data: Kinds of data: class and number of properties.
        retention: For how long, each period once.
    """

    purpose: str
    owners: tuple[str, ...]
    events: tuple[str, ...]
    data: tuple[str, ...]
    retention: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """A record of processing activities.

    Attributes:
        product: The product.
        at: When it was drawn up (UTC, ISO 8601).
        plan: Summary of the tracking plan.
        open: What only people know: what is asked for, and where in Art. 30(1).
        activities: One per purpose.
        subjects: Whose data it is.
        recipients: Where results go.
        measures: Technical measures.
        facts: What the last run and the last proof say.
    """

    product: str
    at: str
    plan: str
    open: tuple[tuple[str, str], ...]
    activities: tuple[Activity, ...]
    subjects: str
    recipients: str
    measures: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def record_of(audit: Audit) -> Record:
    """Draws up the record of processing of a workspace.

    Args:
        audit: What is known of the workspace.

    Returns:
        The record.
    """
    by_purpose: dict[str, list[Kept]] = {}
    for each in audit.kept:
        by_purpose.setdefault(each.purpose or OPEN, []).append(each)
    failing = [name for name, holds in guards(audit).items() if not holds]
    return Record(
        product=audit.product,
        at=audit.at,
        plan=audit.plan,
        open=(
            ("Controller, its representative and data protection officer", "Art. 30(1)(a)"),
            ("Legal basis of each purpose", "Art. 6"),
            ("Transfers to third countries", "Art. 30(1)(e)"),
            ("Organisational measures", "Art. 30(1)(g)"),
        ),
        activities=tuple(_activity(purpose, kept) for purpose, kept in by_purpose.items()),
        subjects=f"Users of {audit.product}, their accounts and devices: {audit.stored['people']:,} people.",
        recipients="The team, by pseudonymised data; whoever is given published/ or report/, by aggregated numbers. "
        "Headway sends nothing anywhere.",
        measures=(*_MEASURES, *(f"NOT IN PLACE: {name}." for name in failing)),
        facts=(
            ("Events stored", f"{audit.stored['events']:,} of {audit.stored['days']:,} days"),
            ("Values dropped", f"{sum(row['n_values'] for row in audit.dropped):,}"),
            ("Fewest people a published number speaks of", f"{audit.min_people:,}"),
            (
                "Metrics published with noise",
                f"{sum(row['metric'] != 'all of them' for row in audit.noise):,}",
            ),
            ("Erasures and other receipts", f"{len(audit.rights):,}"),
            *((f"Proof, {label}", text) for label, text in proof_words(audit.proof)),
        ),
    )


def _activity(purpose: str, kept: list[Kept]) -> Activity:
    stored = [each for each in kept if each.columns]
    classes: dict[str, int] = {}
    for each in stored:
        classes[each.privacy_class] = classes.get(each.privacy_class, 0) + 1
    return Activity(
        purpose,
        _distinct(each.owner or OPEN for each in kept),
        _distinct(each.of for each in kept),
        tuple(f"{class_}: {n} propert{'y' if n == 1 else 'ies'}" for class_, n in sorted(classes.items())),
        _distinct(each.retention or OPEN for each in kept),
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def record_text(record: Record) -> str:
    """Writes a record of processing as Markdown.

    Args:
        record: The record.

    Returns:
        The text.
    """
    lines = [
        f"# Record of processing activities: {_plain(record.product)}",
        "",
        f"Drawn up on {record.at} from tracking plan {record.plan[:12]} and the runs of Headway (Art. 30 GDPR). "
        "What a program cannot know is left open.",
        "",
        *(f"* **{what}** ({where}): {OPEN}" for what, where in record.open),
    ]
    for each in record.activities:
        lines += ["", f"## Purpose: {_plain(each.purpose)}", "", *_facts(_rows(each))]
    lines += [
        "",
        "## Whose data, and who gets them",
        "",
        f"* {_plain(record.subjects)}",
        f"* {record.recipients}",
    ]
    lines += ["", "## Technical measures (Art. 32)", "", *(f"* {measure}" for measure in record.measures)]
    lines += ["", "## As of the last run", "", *_facts(dict(record.facts))]
    return "\n".join(lines) + "\n"


def _rows(activity: Activity) -> Mapping[str, str]:
    return {
        "Who answers for it": ", ".join(activity.owners),
        "Events": ", ".join(activity.events),
        "Data kept": ", ".join(activity.data) or "that events happened, when, and under which pseudonym",
        "Kept for": ", ".join(activity.retention),
    }


def _facts(rows: Mapping[str, str]) -> list[str]:
    return [f"* {label}: {_plain(text)}" for label, text in rows.items()]


def _plain(text: str) -> str:
    """Names come from definition files: none becomes markup."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in text.replace("\n", " "))
