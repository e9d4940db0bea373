"""Making the next of something while the one before is used."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from headway_pipelines.ahead import ahead


def test_items_come_in_order() -> None:
    assert list(ahead(number for number in range(100))) == list(range(100))
    assert list(ahead(number for number in range(0))) == []


def test_nothing_that_is_said_to_be_nothing_ends_it() -> None:
    assert list(ahead(each for each in (None, 0, None))) == [None, 0, None]


def test_the_next_is_made_while_one_is_used() -> None:
    second_is_made = threading.Event()

    def two() -> Generator[int]:
        yield 1
        second_is_made.set()
        yield 2

    items = ahead(two())
    assert next(items) == 1
    assert second_is_made.wait(timeout=60)
    assert next(items) == 2


def test_no_more_than_one_is_made_ahead() -> None:
    made = []

    def many() -> Generator[int]:
        for number in range(10):
            made.append(number)
            yield number

    seen = []
    for number in ahead(many()):
        seen.append(number)
        assert len(made) <= len(seen) + 1


def test_what_goes_wrong_is_told_where_its_item_was_due() -> None:
    def broken() -> Generator[int]:
        yield 1
        raise ValueError("no second one")

    items = ahead(broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(items)


def test_who_stops_early_closes_what_makes_the_items() -> None:
    closed = []

    def many() -> Generator[int]:
        try:
            yield from range(1000)
        finally:
            closed.append(threading.current_thread().name)

    items = ahead(many())
    assert next(items) == 0
    items.close()
    assert len(closed) == 1
