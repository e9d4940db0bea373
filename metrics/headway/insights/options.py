"""Checks and defaults that several questions share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from headway.errors import InputError
from headway.insights.question import Question, Scope, labels
from headway.insights.result import choose
from headway.periods import local_day
from headway.selectors import Selector

Preset = Literal["posthog", "mixpanel", "amplitude"]


def whole_number(name: str, value: object, most: int) -> None:
    """Checks an option that counts something.

    Args:
        name: The option.
        value: What was given.
        most: The largest value allowed.

    Raises:
        InputError: It is no whole number from 1 to `most`.

    Examples:
        >>> whole_number("periods", 0, 10)
        Traceback (most recent call last):
            ...
        headway.errors.InputError: periods must be a whole number from 1 to 10
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InputError(f"{name} must be a whole number from 1 to {most}")


def flag(name: str, value: object) -> None:
    """Checks an option that is on or off: the text "no" would be on.

    Args:
        name: The option.
        value: What was given.

    Raises:
        InputError: It is neither True nor False.

    Examples:
        >>> flag("cumulative", "no")
        Traceback (most recent call last):
            ...
        headway.errors.InputError: cumulative must be True or False, not a str
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, not a {type(value).__name__}")


def fill(
    question: Question,
    preset: str | None,
    presets: Mapping[str, Mapping[str, object]],
    defaults: Mapping[str, object],
) -> None:
    """Gives every option that was not named its value: the preset's, else the usual one.

    Args:
        question: A question under construction; options not named are None.
        preset: Name of the preset, or None.
        presets: Values of options by preset.
        defaults: The usual values.

    Raises:
        InputError: There is no such preset.
    """
    if preset is not None:
        choose("preset", preset, presets)
    for name, value in {**defaults, **presets.get(preset or "", {})}.items():
        if getattr(question, name) is None:
            object.__setattr__(question, name, value)


def heading(kind: str, *events: Selector | None) -> str:
    """Heads a figure with its question.

    Args:
        kind: What is shown.
        events: Of which events; None where any counts.

    Returns:
        A title.

    Examples:
        >>> heading("Retention", "Signed Up", "Paid")
        'Retention: Signed Up, then Paid'
        >>> heading("Lifecycle", None)
        'Lifecycle'
    """
    named = ", then ".join(labels([event for event in events if event is not None]))
    return f"{kind}: {named}" if named else kind


def history_words(scope: Scope) -> str:
    """Says how far back "ever" reaches.

    Args:
        scope: A question's options applied to a log.

    Returns:
        A clause for the end of a sentence, or nothing where the log is empty.
    """
    if scope.log.first_us is None:
        return ""
    return f", which begins on {local_day(scope.log.first_us, scope.timezone)}"
