"""Flags: steps of a rollout are found where shares change, and only there; who is met no more is stale."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import polars as pl

import headway as hw
from headway.experiments.flags import Flags

START = datetime(2026, 3, 1, 12)


def met(flag: str, day: int, on: int, off: int) -> Iterator[tuple[str, str, datetime, str, str]]:
    for variant, units in (("on", on), ("off", off)):
        for unit in range(units):
            yield f"{flag}{day}{variant}{unit}", "Seen", START + timedelta(days=day), flag, variant


def test_steps_and_stale_flags() -> None:
    rows = [*met("cart", 0, 5, 95), *met("cart", 1, 6, 94), *met("cart", 2, 50, 50), *met("cart", 3, 48, 52)]
    rows += [*met("old", 0, 50, 50), *met("cart", 20, 50, 50)]
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at", "flag", "variant"], orient="row")
    with hw.EventLog(frame) as log:
        found = Flags(exposure=hw.Exposure("Seen", "flag")).run(log)
    cart = found.filter((pl.col("flag") == "cart") & (pl.col("variant") == "on"))
    assert cart.select("step", "since", "until", "units").rows() == [
        (1, date(2026, 3, 1), date(2026, 3, 2), 11),
        (2, date(2026, 3, 3), date(2026, 3, 21), 148),
    ]
    assert cart["share"].to_list() == [11 / 200, 148 / 300]
    assert dict(found.group_by("flag").agg(pl.col("stale").first()).iter_rows()) == {
        "cart": False,
        "old": True,
    }
