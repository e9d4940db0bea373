"""What `headway run` says it did, in sentences; where results are, and what was held back, is said after them."""

from __future__ import annotations

from collections.abc import Iterator

from headway_pipelines.run import Outcome


def told_of_run(outcome: Outcome) -> Iterator[str]:
    """Tells what changed, and what was set aside instead of being counted or joined, where there is any.

    Args:
        outcome: What the run did.

    Yields:
        Lines of counts; none says anything about one person.

    Examples:
        >>> done = Outcome(changed_days=("2026-03-02",), copies=12, new_copies=2)
        >>> for line in told_of_run(done):
        ...     print(line)
        1 day changed, 2026-03-02
        12 copies of events left out (2 of them new in this run)
    """
    if outcome.nothing_new:
        yield "nothing new under raw/: everything is up to date"
        return
    days = outcome.changed_days
    span = f", {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
    yield f"{_counted(len(days), 'day', 'days')} changed{span}"
    people = outcome.people
    if people:
        yield (
            "{after:,} people ({before:,} before; {new:,} new, {merged:,} merged, {split:,} split; "
            "{devices_joined:,} devices joined)"
        ).format(**people)
    yield from _not_joined(people)
    if outcome.copies:
        some_new = 0 < outcome.new_copies < outcome.copies
        new = f" ({outcome.new_copies:,} of them new in this run)" if some_new else ""
        yield f"{_counted(outcome.copies, 'copy of an event', 'copies of events')} left out{new}"
    if outcome.contested:
        yield f"{_counted(outcome.contested, 'event id has', 'event ids have')} copies that say different things"


def _not_joined(people: dict[str, int]) -> Iterator[str]:
    if shared := people.get("shared_devices"):
        devices = _counted(shared, "shared device belongs", "shared devices belong")
        yield f"{devices} to nobody and joined nobody (more people than max_users_per_device)"
    if crowds := people.get("oversized_people"):
        groups = _counted(crowds, "group of users was", "groups of users were")
        yield f"{groups} not joined (more users than max_users_per_person)"
    if several := people.get("not_one_to_one"):
        many = _counted(several, "device or user has", "devices or users have")
        yield f"{many} more than one counterpart and were not joined (identity mode strict)"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
