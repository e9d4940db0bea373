"""What questions about being active share: which periods a person was active in."""

from __future__ import annotations

from headway.engine import bind, load
from headway.insights.question import Scope
from headway.periods import Period
from headway.selectors import Event, Selector, as_event

PACKAGE = "headway.insights"
MOST_EVENTS = 10**6


def any_event(event: Selector | None) -> Event:
    """Reads the selector of a question about being active.

    Args:
        event: A selector, or None for any event.

    Returns:
        The selector as an `Event`.
    """
    return Event(None) if event is None else as_event(event)


def active_periods(
    scope: Scope, event: Selector | None, period: Period, min_events: int, *, ever: bool
) -> dict[str, str]:
    """Writes the queries for the periods each person was active in.

    Args:
        scope: A question's options applied to a log.
        event: Events that make a person active; None takes any.
        period: Length of the periods.
        min_events: Events a period needs.
        ever: Whether periods before the range are needed too.

    Returns:
        Queries ``ev`` and ``activity`` (one row per person and active period).
    """
    active = scope.matches(any_event(event))
    return {
        "ev": scope.events([active], period=period, ever=ever),
        "activity": bind(load(PACKAGE, "activity"), {"active": active, "min_events": min_events}),
    }


def often(min_events: int) -> str:
    """Words for what a period needs.

    Examples:
        >>> often(1), often(3)
        ('', ' at least 3 times')
    """
    return f" at least {min_events} times" if min_events > 1 else ""
