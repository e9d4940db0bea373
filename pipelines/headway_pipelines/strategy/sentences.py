"""Sentences of the insight feed: templates whose every number is a published one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from headway.feed import Item
from headway_pipelines.report.numbers import MINUS, amount, bounds, decimals, signed

SCHEMA: Final[dict[str, pl.DataType]] = {
    "rank": pl.Int64(), "kind": pl.String(), "outcome": pl.String(), "subject": pl.String(), "metric": pl.String(),
    "period": pl.String(), "period_start": pl.Date(), "value": pl.Float64(), "reference": pl.Float64(),
    "change": pl.Float64(), "low": pl.Float64(), "high": pl.Float64(), "good": pl.Boolean(), "label": pl.String(),
    "label_effect": pl.Float64(), "sentence": pl.String(), "ask": pl.String(),
}  # fmt: skip
"""Columns and types of ``insight_feed``, in order."""

_ASK: Mapping[str, str] = {
    "limit": "Since when, for whom, and what changed then?",
    "kill": "Will you stop? If not, write down why.",
    "bet harm": "What will you take back, and what did nobody see coming?",
    "bet miss": "Which belief was wrong?",
    "bet hit": "What of it can be done again?",
    "bet inconclusive": "What would tell, and is it worth knowing?",
    "bet untested": "How could you have known?",
    "target missed": "What did you learn on the way, and is the target still the right one?",
    "target met": "Did it do anything for the people it was meant for, and what next?",
    "funnel": "What is different for them on the way to this step since then?",
    "move": "Did you do that, and can you show it?",
    "retention": "What was different for the people who came in then?",
    "correlate": "Would more people come back if more did it? Only an experiment tells.",
    "anomaly": "What happened on that day?",
    "goodbye": "Who would miss it?",
}
"""Kind, and outcome where it matters -> the question to ask next."""


def feed_table(items: Sequence[Item], titles: Mapping[str, str], units: Mapping[str, str]) -> pl.DataFrame:
    """Writes the feed as a table.

    Args:
        items: The items, what matters most first.
        titles: Metric, retention question or node -> its title.
        units: Metric -> its unit.

    Returns:
        One row per item; see `SCHEMA`.
    """
    rows = [
        {
            "rank": rank,
            **{name: value for name, value in item.__dict__.items() if name != "weight"},
            "sentence": sentence(item, titles, units),
            "ask": _ASK.get(f"{item.kind} {item.outcome}".strip(), _ASK.get(item.kind, "")),
        }
        for rank, item in enumerate(items, start=1)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def sentence(item: Item, titles: Mapping[str, str], units: Mapping[str, str]) -> str:
    """Says one item in a sentence.

    Args:
        item: The item.
        titles: Metric, retention question or node -> its title.
        units: Metric -> its unit.

    Returns:
        The sentence.
    """
    unit = "percent" if item.kind in ("retention", "correlate") else units.get(item.metric, "")
    places = decimals(unit, item.value, item.low, item.high) if item.value is not None else 0
    value = amount(item.value, unit, places) if item.value is not None else "unknown"
    beside = amount(item.reference, unit, places) if item.reference is not None else "unknown"
    interval = _interval(item, unit, places)
    title = titles.get(item.metric or item.subject, item.metric or item.subject)
    when = f"in the {item.period} of {_day(item.period_start)}" if item.period else ""
    if item.kind == "limit":
        return f"{title} broke its limit of {beside}: {value}{interval} {when}."
    if item.kind == "kill":
        node = titles.get(item.subject, item.subject)
        return f"{node}: the rule says stop. {title} was {value}{interval} {when}, worse than {beside}."
    if item.kind == "target":
        verb = "met" if item.outcome == "met" else "missed"
        return f"{title} {verb} its target of {beside}: {value}{interval} {when}."
    if item.kind == "bet":
        return _bet(item, title, unit, titles)
    if item.kind == "goodbye":
        used = (
            f" ({amount(item.value, 'percent', decimals('percent', item.value))} of those who could)"
            if item.value is not None and "uses it" in item.label
            else ""
        )
        return f"{titles.get(item.subject, item.subject)} could go: {item.label}{used}."
    if item.kind == "anomaly":
        return f"{title} was {value} on {_day(item.period_start)}, expected was {beside}{interval}."
    return _changed(item, title, unit, value, beside, when, titles)


def _changed(
    item: Item, title: str, unit: str, value: str, beside: str, when: str, titles: Mapping[str, str]
) -> str:
    change = item.change or 0.0
    places = decimals(unit, change, item.low, item.high)
    by = signed(change, unit, places)
    if item.low is not None and item.high is not None:
        by += f", {bounds(item.low, item.high, unit, places)}"
    if item.kind == "retention":
        period, _, number = item.label.partition("=")
        return (
            f"{title}: {value} of the cohort of {_day(item.period_start)} came back in {period} {number}, "
            f"{beside} of those before ({by})."
        )
    if item.kind == "correlate":
        return (
            f"{title}: of those who did {item.outcome} in their first {item.label}, {value} came back in the next, of "
            f"the others {beside} ({by}). It goes with coming back; that does not say it is the cause."
        )
    dimension, _, label = item.label.partition("=")
    if item.kind == "funnel":
        place = (
            f"Step {item.outcome} of {titles.get(f'funnel {item.subject}', item.subject)}"
            if item.outcome
            else "A step"
        )
        return (
            f"{place} broke for {dimension.replace('_', ' ')} {label}: {title} went from {beside} to {value} {when} "
            f"({by})."
        )
    # A part needs a digit more than the whole, but people are whole.
    finer = places if unit == "people" and places == 0 else places + 1
    most = (
        f" {dimension.replace('_', ' ').capitalize()} {label} did most of it: "
        f"{signed(item.label_effect, unit, finer)}."
        if item.label and item.label_effect is not None
        else ""
    )
    return f"{title} went from {beside} to {value} {when} ({by}).{most}"


def _bet(item: Item, title: str, unit: str, titles: Mapping[str, str]) -> str:
    option = item.subject.partition(".")[0]
    name = titles.get(option, option)
    words = {
        "hit": "hit", "miss": "missed", "harm": "did harm", "inconclusive": "stayed inconclusive",
        "untested": "was never tested",
    }  # fmt: skip
    said = f"The bet on {name} {words.get(item.outcome, item.outcome)}: {title}, settled for {_day(item.period_start)}"
    if item.value is None or item.low is None or item.high is None:
        return f"{said}."
    promised = f", promised was {_effect(item.reference, item, unit)}" if item.reference is not None else ""
    return (
        f"{said}: {_effect(item.value, item, unit)} ({_between(item.low, item.high, item, unit)}){promised}."
    )


def _between(low: float, high: float, item: Item, unit: str) -> str:
    unit = "percent" if item.label == "relative" else unit
    return bounds(low, high, unit, decimals(unit, item.value or 0.0, item.low, item.high))


def _effect(value: float, item: Item, unit: str) -> str:
    """An effect on the scale of its bet: a fraction of what would have been, or in the metric's unit."""
    if item.label == "relative":
        places = decimals("percent", item.value or 0.0, item.low, item.high)
        return f"{100 * value:+.{places}f} %".replace("-", MINUS)
    return signed(value, unit, decimals(unit, item.value or 0.0, item.low, item.high))


def _interval(item: Item, unit: str, places: int) -> str:
    if item.low is None or item.high is None:
        return ""
    return f" ({bounds(item.low, item.high, unit, places)})"


def _day(day: dt.date | None) -> str:
    return f"{day:%-d %B %Y}" if day else ""
