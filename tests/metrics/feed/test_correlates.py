"""Early behaviours and coming back: the query against a naive count, and the figures against other software."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from headway import EventLog
from headway.feed import EarlyBehaviours, feed, with_differences

START = dt.datetime(2026, 3, 2)
DAY = dt.timedelta(days=1)
COUNTS = ("behaviour", "people", "kept", "did", "did_kept")


def events(seed: int) -> list[tuple[str, str, dt.datetime]]:
    rng = np.random.default_rng(seed)
    found = []
    for person in range(40):
        for _ in range(rng.integers(1, 9)):
            name = str(rng.choice(["Sign", "Watch", "Save", "Ask"]))
            # Hours make some events lie on the very end of a window.
            at = START + dt.timedelta(hours=float(rng.integers(0, 24 * 30)) if rng.random() < 0.8 else 168.0)
            found.append((f"p{person}", name, at))
    return found


def naive(
    rows: list[tuple[str, str, dt.datetime]], end: dt.datetime, width: dt.timedelta
) -> list[tuple[object, ...]]:
    own = defaultdict(list)
    for person, name, at in rows:
        own[person].append((at, name))
    ripe, kept, did = set(), set(), defaultdict(set)
    for person, said in own.items():
        starts = [at for at, name in said if name == "Sign"]
        if not starts or min(starts) + 2 * width > end:
            continue
        first = min(starts)
        ripe.add(person)
        if any(name == "Watch" and first + width <= at < first + 2 * width for at, name in said):
            kept.add(person)
        for at, name in said:
            if first < at < first + width and name != "Watch":
                did[name].add(person)
    return [(name, len(ripe), len(kept), len(who), len(who & kept)) for name, who in sorted(did.items())]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("period", "days"), [("day", 1), ("week", 7)])
def test_it_counts_what_a_naive_count_does(seed: int, period: str, days: int) -> None:
    rows = events(seed)
    frame = pl.DataFrame(rows, schema=["person", "event", "occurred_at"], orient="row")
    with EventLog(frame, horizon=START + 31 * DAY) as log:
        found = EarlyBehaviours("Sign", "Watch", period=period).run(log)
    assert found.columns == list(COUNTS)
    assert found.rows() == naive(rows, START + 31 * DAY, days * DAY)


def counts(*rows: tuple[str, int | None, int | None, int | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(COUNTS), orient="row", infer_schema_length=None)


def test_figures_are_those_of_other_software() -> None:
    told = with_differences(counts(("Save", 200, 80, 100, 60), ("Ask", 200, 80, 40, 18))).to_dicts()
    save, ask = told
    assert (save["rate_with"], save["rate_without"], save["difference"]) == (0.6, 0.2, pytest.approx(0.4))
    low, high = confint_proportions_2indep(60, 100, 20, 100, method="newcomb")
    assert (save["low"], save["high"]) == (pytest.approx(low), pytest.approx(high))
    exact = [stats.fisher_exact(np.array(t)).pvalue for t in ([[60, 40], [20, 80]], [[18, 22], [62, 98]])]
    assert [save["p_value"], ask["p_value"]] == pytest.approx(exact)
    assert (save["adjusted_p"], ask["adjusted_p"]) == (pytest.approx(2 * exact[0]), pytest.approx(exact[1]))


def test_what_is_hidden_or_what_everybody_did_is_told_nothing_of() -> None:
    told = with_differences(counts(("Save", None, None, None, None), ("Page", 50, 20, 50, 20)))
    assert told["adjusted_p"].to_list() == [None, None]
    assert told["difference"].to_list() == [None, None]
    assert with_differences(counts()).is_empty()


def test_the_feed_tells_the_strongest_of_a_question_and_nothing_that_chance_explains() -> None:
    rows = counts(("Save", 200, 80, 100, 60), ("Ask", 200, 80, 40, 18), ("Less", 200, 80, 100, 20))
    table = with_differences(rows).with_columns(retention=pl.lit("back"), period_unit=pl.lit("week"))
    (item,) = feed({"activation_correlates": table}, today=dt.date(2026, 4, 1))
    assert (item.kind, item.subject, item.outcome, item.label) == ("correlate", "back", "Save", "week")
    assert (item.value, item.reference, item.good) == (0.6, 0.2, None)
