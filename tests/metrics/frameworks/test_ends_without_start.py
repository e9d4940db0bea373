"""Ends of what never began are counted as going through the log in its order counts them."""

from __future__ import annotations

from random import Random

import pytest

from headway.engine import connect
from headway.engine.sql import load, with_inputs


@pytest.mark.parametrize("seed", range(20))
def test_ends_are_counted_as_going_through_the_log_does(seed: int) -> None:
    rng = Random(seed)
    # Few instants and lines: most ends are of one instant with a start, before or after it in the log.
    rows = [
        (
            rng.randrange(3),
            rng.randrange(2),
            tie,
            rng.choice((None, "a", "b", "c", "d")),
            *rng.choices((True, False), k=2),
        )
        for tie in range(12)
    ]
    begun, expected = set(), 0
    for _, _, _, key, is_start, is_end in sorted(rows, key=lambda row: row[:3]):
        if key is None:
            continue
        if is_start:
            begun.add(key)
        expected += bool(is_end) and key not in begun
    con = connect()
    con.execute(
        "CREATE TABLE rows (us BIGINT, line BIGINT, tie BIGINT, key VARCHAR, is_start BOOLEAN, is_end BOOLEAN)"
    )
    con.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", rows)
    query = with_inputs(load("headway.frameworks.kinds", "excluded_ends"), {"ev": "FROM rows"})
    assert con.execute(query).fetchall() == [(expected,)]
    con.close()
