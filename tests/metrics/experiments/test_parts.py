"""Parts of an experiment: where a split is broken, which segments differ, and how an effect grows or wears off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import polars as pl
import pytest

import headway as hw
from headway.errors import InputError
from headway.experiments import ExperimentResult

START = datetime(2026, 3, 1, 12)
Row = tuple[str, str, datetime, str | None, str | None]


def met(units: Mapping[tuple[str, str], tuple[int, int]], later: int = 0) -> Iterator[Row]:
    """By variant and device: how many met it, and how many of them paid an hour later, or some days later."""
    for (variant, device), (exposed, paying) in units.items():
        for unit in range(exposed):
            who = f"{variant}{device}{unit}"
            yield who, "Exposed", START, variant, device
            if unit < paying:
                yield who, "Paid", START + timedelta(days=later, hours=1), None, device


def ran(rows: list[Row], **options: object) -> ExperimentResult:
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at", "variant", "device"], orient="row")
    log = hw.EventLog(frame, horizon=START + timedelta(days=30))
    paying = hw.Outcome("paying", "Paid", within="7d")
    often = hw.Outcome("often", "Paid", "events", within="7d")
    asked = hw.Experiment("t", ["old", "new"], [paying, often], exposure="Exposed", before=None, **options)  # type: ignore[arg-type]
    return asked.run(log)


def test_a_split_that_is_broken_in_a_segment_is_found_there_though_the_whole_looks_right() -> None:
    units = {
        ("old", "app"): (300, 30),
        ("new", "app"): (150, 30),
        ("old", "web"): (400, 9),
        ("new", "web"): (550, 9),
    }
    units |= {("old", "tv"): (100, 9), ("new", "tv"): (100, 9)}
    found = ran(list(met(units)), by="device").splits.filter(variant="new")
    assert dict(found.filter(part="segment").select("label", "verdict").iter_rows()) == {
        "app": "broken", "tv": "as planned", "web": "broken",
    }  # fmt: skip
    assert found.filter(part="all")["verdict"].to_list() == ["as planned"]
    # Holm's correction for three segments: the smallest p-value counts three times.
    p_values = found.filter(part="segment").sort("p_value")["p_value"].to_list()
    statistic = (300 - 225) ** 2 / 225 + (150 - 225) ** 2 / 225
    assert statistic == 50.0 and p_values[0] == pytest.approx(3 * 1.537e-12, rel=1e-3)


def test_segments_are_those_of_an_experiment_with_nobody_else_and_shrink_to_each_other() -> None:
    shares = {"app": (40, 80), "web": (40, 60), "tv": (40, 50), "car": (40, 62)}
    units = {
        (v, d): (200, n) for d, pair in shares.items() for v, n in zip(("old", "new"), pair, strict=True)
    }
    rows = list(met(units))
    found = ran(rows, by="device").by_segment.filter(metric="paying", variant="new")
    assert found["segment"].to_list() == sorted(shares)
    for row in found.iter_rows(named=True):
        alone = ran([each for each in rows if each[4] == row["segment"]])
        (own,) = alone.frame.filter(metric="paying", variant="new").to_dicts()
        assert [row[each] for each in ("units", "effect", "low", "high")] == [
            own[each] for each in ("units", "effect", "low", "high")
        ]
    middle = found["effect"].mean()
    assert all(
        abs(shrunk - middle) <= abs(raw - middle) + 1e-12
        for raw, shrunk in found.select("effect", "shrunken").iter_rows()
    )
    assert found["shrunken"].n_unique() > 1 and found["p_differ"].n_unique() == 1
    with pytest.raises(InputError, match="no segments"):
        _ = ran(rows).by_segment


def test_an_effect_that_wears_off_is_seen_day_by_day() -> None:
    rows = [*met({("old", "app"): (100, 20), ("new", "app"): (100, 60)})]
    rows += [
        row
        for row in met({("old", "app"): (100, 30), ("new", "app"): (100, 30)}, later=2)
        if row[1] == "Paid"
    ]
    by_day = ran(rows).by_day("often", days=4)
    new = by_day.filter(variant="new")
    assert new["since"].to_list() == [0, 1, 2, 3] and new["units"].to_list() == [100] * 4
    assert new["mean"].to_list() == [0.6, 0.0, 0.3, 0.0]
    assert new["effect"].to_list()[0] == pytest.approx(0.4) and new["effect"].to_list()[2] == pytest.approx(
        0.0
    )
    first = new.row(0, named=True)
    error = (100 / 99 * (0.6 * 0.4 + 0.2 * 0.8) / 100) ** 0.5
    assert (first["high"] - first["low"]) / 2 == pytest.approx(1.974 * error, rel=0.002)
    assert new["low"].to_list()[1] is None, "nobody paid on that day: nothing varies"
    assert by_day.filter(variant="old")["effect"].null_count() == 4
    with pytest.raises(InputError, match="Did you mean 'often'"):
        ran(rows).by_day("oftn")
    with pytest.raises(InputError, match="days must be a whole number"):
        ran(rows).by_day("often", days=0)
