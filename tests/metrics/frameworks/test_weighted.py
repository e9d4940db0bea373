"""Surveys weighted back to the people who were asked, by hand and against a plain second reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from scipy import stats

from headway.engine import connect
from headway.frameworks import measure
from headway.models.metrics import PromoterScore
from headway.models.product import Product
from headway.statistics.intervals import wilson

Row = tuple[int, str, str, int | None]
"""Person, event, time, score."""
WEEK = date(2026, 3, 2)
WORDS = {"framework": "heart", "stage": "happiness", "title": "A title"}
CSAT = {
    **WORDS,
    "kind": "survey",
    "event": "Say",
    "score": "score",
    "scale": (1, 5),
    "unit": "percent",
    "top": 4,
}
EFFORT = {
    **WORDS,
    "kind": "survey",
    "event": "Say",
    "score": "score",
    "scale": (1, 5),
    "unit": "points",
    "measure": "mean",
}
WEIGHTED = {"shown": "Show", "weighted": True}


def values(rows: Sequence[Row], channels: Mapping[int, str], metric: Mapping[str, Any]) -> pl.DataFrame:
    con = connect()
    try:
        con.execute("CREATE TABLE events (person UUID, event VARCHAR, occurred_at TIMESTAMP, score INTEGER)")
        con.execute("CREATE TABLE people (person UUID, channel VARCHAR)")
        con.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?)", [(str(UUID(int=p)), *rest) for p, *rest in rows]
        )
        con.executemany(
            "INSERT INTO people VALUES (?, ?)", [(str(UUID(int=p)), c) for p, c in channels.items()]
        )
        product = Product.model_validate(
            {
                "name": "T", "timezone": "UTC", "currency": "EUR", "activity": "Show", "grains": ["week"],
                "segments": {"last": {"touch": "last"}}, "metrics": {"m": metric},
            }
        )  # fmt: skip
        late = datetime(2027, 1, 1)
        return measure(con, product, horizon=late, as_of=late, code_version="test").values
    finally:
        con.close()


ASKED: list[Row] = [
    *((p, "Show", "2026-03-02 10:00", None) for p in range(1, 9)),
    (1, "Show", "2026-03-03 10:00", None),  # asked twice
    (1, "Say", "2026-03-02 11:00", 1),
    (1, "Say", "2026-03-03 11:00", 5),  # the last one counts
    (2, "Say", "2026-03-02 11:00", 2),
    (7, "Say", "2026-03-02 11:00", 4),
    (8, "Say", "2026-03-02 11:00", 9),  # off the scale
    (10, "Say", "2026-03-02 11:00", 1),  # nobody of the channel was asked this week
]
CHANNELS = {**dict.fromkeys(range(1, 7), "ads"), 7: "email", 8: "email", 10: "press"}


def test_channels_count_as_much_as_they_were_asked() -> None:
    # 6 of 8 people asked came by ads, of whom 1 of 2 is satisfied; 2 by e-mail, of whom 1 of 1 is.
    frame = values(ASKED, CHANNELS, {**CSAT, **WEIGHTED}).filter(period_start=WEEK)
    found = {row["segment"]: row for row in frame.iter_rows(named=True)}
    everybody = found["all"]
    assert everybody["value"] == pytest.approx(6 / 8 * 0.5 + 2 / 8 * 1)
    assert (everybody["numerator"], everybody["denominator"], everybody["people"]) == (None, None, 4)
    assert (everybody["estimate"], everybody["contributors"], everybody["effective"]) == ("weighted", 2, 1)
    ads, none = found["channel=ads"], found["last=direct"]
    assert (ads["value"], ads["denominator"], ads["estimate"]) == (0.5, 2, "proportion")
    assert (ads["low"], ads["high"]) == tuple(float(end) for end in wilson(1, 2))
    assert (none["value"], none["people"]) == (None, 0)
    assert none["reason"] == "weighted for everybody only; a channel is as it is"
    mean = values(ASKED, CHANNELS, {**EFFORT, **WEIGHTED}).filter(segment="all", period_start=WEEK)
    assert mean["value"].item() == pytest.approx(6 / 8 * 3.5 + 2 / 8 * 4)


NPS = {**WORDS, "kind": "nps", "event": "Say", "score": "score", "unit": "points"}


def test_a_promoter_score_is_weighted_as_a_mean_of_promoters_and_detractors() -> None:
    # By ads 90 people were asked and 4 of 12 promote, 6 detract; by e-mail 10 of 10 asked: 7 promote, 1 detracts.
    said = [*[9] * 4, *[8] * 2, *[3] * 6, *[10] * 7, *[7] * 2, *[0]]
    channels = {
        **dict.fromkeys([*range(12), *range(100, 178)], "ads"),
        **dict.fromkeys(range(12, 22), "email"),
    }
    rows: list[Row] = [
        *((p, "Show", "2026-03-02 10:00", None) for p in channels),
        *((p, "Say", "2026-03-02 11:00", score) for p, score in enumerate(said)),
    ]
    frame = values(rows, channels, {**NPS, **WEIGHTED})
    found = {row["segment"]: row for row in frame.iter_rows(named=True)}
    everybody, ads = found["all"], found["channel=ads"]
    means = np.array([-2 / 12, 6 / 10])
    weight = np.array([0.9, 0.1])
    assert everybody["value"] == pytest.approx(100 * weight @ means)
    assert (everybody["people"], everybody["contributors"]) == (22, 18)
    # The plain score of a channel; the raw one of everybody is 18.2, for those who answer are the glad ones.
    assert (ads["value"], ads["interval_method"]) == (pytest.approx(-200 / 12), "adjusted wald")
    raw = values(rows, channels, NPS).filter(segment="all")["value"].item()
    assert raw == pytest.approx(100 * 4 / 22) and raw > everybody["value"]
    # The variance by hand: within channels s^2 / n weighted, between them the weights being those of 100 people asked.
    s2 = np.array([(10 - 12 * means[0] ** 2) / 11, (8 - 10 * means[1] ** 2) / 9])
    within = weight**2 * s2 / np.array([12, 10])
    between = weight @ (means - weight @ means) ** 2 / 100
    variance = within.sum() + between
    freedom = variance**2 / (within**2 @ (1 / np.array([11, 9])) + between**2 / 100)
    half = 100 * stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    assert everybody["high"] - everybody["value"] == pytest.approx(half)
    assert everybody["value"] - everybody["low"] == pytest.approx(half)
    assert everybody["interval_method"] == "post-stratified"


def test_a_promoter_score_needs_to_know_who_was_asked() -> None:
    for fields in ({"weighted": True}, {"shown": "Show"}):
        with pytest.raises(ValidationError, match="weighted: true"):
            Product.model_validate(
                {
                    "name": "T", "timezone": "UTC", "currency": "EUR", "activity": "Show",
                    "metrics": {"m": NPS | fields},
                }
            )  # fmt: skip
    metric = PromoterScore.model_validate({**NPS, **WEIGHTED})
    assert (
        "the channels weighted by their shares of the people who did 'Show' in the period"
        in metric.definition()
    )


def test_without_answers_there_is_no_value() -> None:
    rows: list[Row] = [(1, "Show", "2026-03-02", None), (2, "Say", "2026-03-10", 5)]
    frame = values(rows, {1: "ads"}, {**CSAT, **WEIGHTED}).filter(segment="all")
    assert frame["value"].to_list() == [None, None]
    assert frame["reason"].to_list() == ["no people in the denominator", "the denominator is 0"]


def naive(rows: Sequence[Row], channels: Mapping[int, str], first: date) -> float | None:
    inside = [r for r in rows if first <= datetime.fromisoformat(r[2]).date() < first + timedelta(7)]
    shown: dict[str, set[int]] = defaultdict(set)
    last: dict[str, dict[int, int]] = defaultdict(dict)
    for person, event, _, score in sorted(inside, key=lambda r: r[2]):
        if event == "Show":
            shown[channels[person]].add(person)
        elif score is not None and 1 <= score <= 5:
            last[channels[person]][person] = score
    asked = {c: len(people) for c, people in shown.items() if c in last}
    if not asked:
        return None
    parts = [n * sum(s >= 4 for s in last[c].values()) / len(last[c]) for c, n in asked.items()]
    return sum(parts) / sum(asked.values())


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_a_plain_second_reading(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels = {p: str(rng.choice(["ads", "email", "press"])) for p in range(1, 40)}
    rows: list[Row] = []
    for minute in rng.choice(21 * 24 * 60, 150, replace=False):
        at = datetime(2026, 3, 2) + timedelta(minutes=int(minute))
        says = bool(rng.random() < 0.4)
        score = int(rng.integers(0, 7)) if says else None
        rows.append((int(rng.integers(1, 40)), "Say" if says else "Show", at.isoformat(" "), score))
    frame = values(rows, channels, {**CSAT, **WEIGHTED}).filter(segment="all")
    assert frame.height >= 3
    for start, value in frame.select("period_start", "value").iter_rows():
        assert value == pytest.approx(naive(rows, channels, start))
