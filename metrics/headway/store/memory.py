"""A store of a log, in memory: worth it where many questions are asked of the same log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from headway.engine import load, with_inputs
from headway.kernels import utc_offsets
from headway.store.part import ANY, make_part
from headway.store.person_store import PersonStore

if TYPE_CHECKING:
    from headway.log import EventLog


def store_of(log: EventLog, behaviours: Iterable[str] = ()) -> PersonStore:
    """Orders the events of a log by person and time.

    Args:
        log: The log.
        behaviours: Events whose active days are kept, besides those of any event.

    Returns:
        The store; assign it to ``log.store`` and questions are answered from it where it can.

    Raises:
        EngineError: The events cannot be read.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> import headway as hw
        >>> frame = pl.DataFrame({"person": ["ann"], "event": ["Visit"], "occurred_at": [datetime(2026, 3, 1)]})
        >>> with hw.EventLog(frame) as log:
        ...     log.store = store_of(log)
        ...     hw.ActivePeople(windows=(1,)).run(log).frame["value"].to_list()
        [1]
    """
    rows = log.sql(with_inputs(load("headway.store", "rows"), {"ev": log.prelude()}))
    person, us, code = (rows[name].to_numpy() for name in ("person", "us", "code"))
    names = tuple(sorted(log.names))
    extent = (int(us.min()), int(us.max())) if len(us) else (0, 0)
    kept = frozenset({ANY, *(names.index(name) for name in behaviours if name in names)})
    part = make_part(
        person,
        us,
        code,
        np.zeros(len(us), np.uint32),
        behaviours=kept,
        offsets=utc_offsets(log.timezone, *extent),
    )
    return PersonStore((part,), names, int(person.max(initial=0)) + 1, log.timezone, kept)
