"""What may be asked of a funnel, and how the options are put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from headway.errors import InputError
from headway.insights.result import choose
from headway.models.durations import describe_duration, parse_duration
from headway.selectors import Event, Selector, as_event

Order = Literal["sequential", "strict", "any"]
Entry = Literal["best", "first", "latest"]
OnExclusion = Literal["drop_person", "stop_there"]
Count = Literal["people", "totals", "sessions"]
Preset = Literal["posthog", "mixpanel", "amplitude"]

SESSION = "session"
ENTRIES = {
    "best": "the attempt that gets furthest counts",
    "first": "only the first attempt counts",
    "latest": "each event of step 1 restarts the attempt, and the one that gets furthest counts",
}
_ORDERS = {
    "sequential": "in this order with anything in between",
    "strict": "in this order with nothing in between",
    "any": "in any order, the k-th row counting those with k different steps",
}
_COUNTED = {"people": "People who did", "totals": "Attempts at", "sessions": "Sessions with"}
# What the tools do where nothing is set, for the options on which they differ.
PRESETS: Mapping[str, Mapping[str, str]] = {
    "posthog": {
        "within": "14d",
        "entry": "best",
        "tie": "0s",
        "on_exclusion": "drop_person",
        "attribution": "first",
    },
    "mixpanel": {
        "within": "7d",
        "entry": "first",
        "tie": "2s",
        "on_exclusion": "stop_there",
        "attribution": "first",
    },
    "amplitude": {
        "within": "1d",
        "entry": "best",
        "tie": "1s",
        "on_exclusion": "drop_person",
        "attribution": "first",
    },
}


class Unset(str):
    """A default nobody asked for: a preset may replace it."""


def unset(value: str) -> Any:
    """Marks a default that a preset may replace.

    Args:
        value: The default.

    Returns:
        The value, marked.
    """
    return Unset(value)


@dataclass(frozen=True)
class Exclude:
    """An event that spoils an attempt when it happens between two steps.

    Attributes:
        selector: The event.
        after: Step after whose instant it spoils, from 1.
        before: Step before whose instant it spoils; None is the last.

    Raises:
        InputError: The steps are not in order, or the selector cannot be used.

    Examples:
        >>> Exclude("Refunded", after=1, before=2).after
        1
    """

    selector: Selector
    after: int = 1
    before: int | None = None

    def __post_init__(self) -> None:
        event = as_event(self.selector)
        if event.optional or event.first_time:
            raise InputError("an exclusion takes neither optional nor first_time")
        object.__setattr__(self, "selector", event)
        if type(self.after) is not int or self.after < 1:
            raise InputError("an exclusion needs after=, the number of a step, from 1")
        if self.before is not None and (type(self.before) is not int or self.before <= self.after):
            raise InputError("an exclusion needs before=, the number of a step later than after=, or None")


def check_steps(steps: Sequence[Event], order: str) -> None:
    """Checks which steps may be optional.

    Args:
        steps: The steps.
        order: Their order.

    Raises:
        InputError: The first step is optional, or the order knows no optional steps.
    """
    if steps[0].optional:
        raise InputError("the first step of a funnel cannot be optional: attempts start there")
    if order != "sequential" and any(step.optional for step in steps):
        raise InputError(f"optional steps go with order='sequential', not {order!r}")


def check_exclusions(exclusions: Sequence[Exclude], steps: Sequence[Event]) -> None:
    """Checks that exclusions lie between required steps of the funnel.

    Args:
        exclusions: The exclusions.
        steps: The steps.

    Raises:
        InputError: One names a step that does not exist or is optional.
    """
    last = max(number for number, step in enumerate(steps, 1) if not step.optional)
    for exclusion in exclusions:
        if not isinstance(exclusion, Exclude):
            raise InputError("exclude takes a list of hw.Exclude(event, after=1, before=2)")
        ends = (exclusion.after, exclusion.before or last)
        if not 1 <= ends[0] < ends[1] <= len(steps):
            raise InputError(
                f"an exclusion lies between steps {ends[0]} and {ends[1]}, but the steps are 1 to {len(steps)}"
            )
        if any(steps[end - 1].optional for end in ends):
            raise InputError("an exclusion lies between two steps that are not optional")


def check_attribution(attribution: str, steps: int) -> None:
    """Checks which value a breakdown takes.

    Args:
        attribution: ``first``, ``last``, ``all`` or ``step:k``.
        steps: Number of steps.

    Raises:
        InputError: It is none of these.
    """
    choose("attribution", attribution, ["first", "last", "all", *(f"step:{k}" for k in range(1, steps + 1))])


def tie_us(tie: str | None) -> int | None:
    """Reads how far apart events count in either order.

    Args:
        tie: A duration, or None where each step must be strictly later.

    Returns:
        Microseconds, or None.
    """
    return None if tie is None else parse_duration(tie)


def counted_words(count: str, order: str, names: Sequence[str]) -> str:
    """Says what is counted.

    Args:
        count: people, totals or sessions.
        order: Order of the steps.
        names: Labels of the steps.

    Returns:
        The beginning of a sentence.
    """
    joined = (", ", " and ") if order == "any" else (" → ", " → ")
    listed = joined[1].join([joined[0].join(names[:-1]), names[-1]]) if names[1:] else names[0]
    return f"{_COUNTED[count]} {listed}, {_ORDERS[order]}"


def entry_words(entry: str, count: str) -> str:
    """Says which attempts count.

    Args:
        entry: best, first or latest.
        count: people, totals or sessions.

    Returns:
        Part of a sentence.
    """
    if count != "totals":
        return ENTRIES[entry]
    return "each event of step 1 starts another attempt" if entry == "latest" else "each attempt counts"


def window_words(within: str, within_step: str | None) -> str:
    """Says how long an attempt may take.

    Args:
        within: A duration, or ``session``.
        within_step: A duration, or None.

    Returns:
        Part of a sentence.
    """
    told = (
        "within one session"
        if within == SESSION
        else f"within {describe_duration(within)} of the first step (inclusive)"
    )
    return (
        f"{told}, each step within {describe_duration(within_step)} of the one before"
        if within_step
        else told
    )


def tie_words(tie: str | None, order: str) -> str:
    """Says what becomes of events at about the same time.

    Args:
        tie: A duration, or None.
        order: Order of the steps.

    Returns:
        Part of a sentence.
    """
    if order == "any":
        return "whatever came first"
    if tie is None:
        return "each step is strictly later"
    if order == "strict":
        return "events of the same instant come in the order of the log"
    if parse_duration(tie) == 0:
        return "events of the same instant count in any order"
    return f"events at most {describe_duration(tie)} apart count in either order"


def exclusion_words(exclusions: Sequence[Exclude], on_exclusion: str, order: str) -> str:
    """Says which events spoil an attempt.

    Args:
        exclusions: The exclusions.
        on_exclusion: What becomes of the attempt.
        order: Order of the steps.

    Returns:
        Part of a sentence, empty without exclusions.
    """
    if not exclusions:
        return ""
    told = [
        f"{as_event(each.selector).label} "
        + (
            "during the attempt"
            if order == "any"
            else f"after step {each.after} and before "
            + (f"step {each.before}" if each.before else "the last step")
        )
        for each in exclusions
    ]
    effect = (
        "spoils it, and without another one the person leaves the funnel"
        if on_exclusion == "drop_person"
        else "ends it there"
    )
    return f"; {' or '.join(told)} {effect}"
