"""How bets are settled: by hand, and over thousands of simulated outcomes at the error rates that are promised."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from headway.strategy import FrozenBet, MeasuredEffect, settle

HORIZON = dt.date(2026, 6, 30)
BET = FrozenBet(
    bet="editor.publishing",
    option="editor",
    initiative="faster",
    team="creators",
    metric="publishing",
    segment=None,
    direction="up",
    definition_hash="d",
    scale="absolute",
    expect=0.10,
    low=0.05,
    high=0.15,
    confidence=0.8,
    probability=0.7,
    start=None,
    horizon=HORIZON,
    release="editor",
    experiment=None,
    guardrails=("errors", "tickets"),
)
DRAWS = 20_000 if os.environ.get("HEADWAY_FULL") else 2_000


def effect(
    value: float, half: float, metric: str = "publishing", *, direction: Literal["up", "down"] = "up"
) -> MeasuredEffect:
    return MeasuredEffect(
        metric, value, value - half, value + half, method="randomised", grade="A", direction=direction
    )


@pytest.mark.parametrize(
    ("value", "half", "verdict", "in_range"),
    [
        (0.08, 0.04, "hit", True),
        (0.20, 0.04, "hit", False),  # more than anybody dared to say
        (0.04, 0.03, "inconclusive", False),  # better for sure, but perhaps less than promised
        (0.02, 0.01, "miss", False),  # better for sure, and less than promised for sure
        (0.00, 0.04, "miss", False),
        (0.08, 0.09, "inconclusive", True),
        (-0.05, 0.04, "harm", False),
    ],
)
def test_the_interval_decides(value: float, half: float, verdict: str, in_range: bool) -> None:
    settled = settle(BET, effect(value, half), {}, today=HORIZON)
    assert (settled.verdict, settled.in_range) == (verdict, in_range)
    assert (settled.effect, settled.grade, settled.method) == (value, "A", "randomised")


def test_where_less_is_good_everything_is_the_other_way_round() -> None:
    fewer = replace(BET, direction="down", expect=-0.10, low=-0.15, high=-0.05)
    assert settle(fewer, effect(-0.08, 0.04, direction="down"), {}, today=HORIZON).verdict == "hit"
    assert settle(fewer, effect(-0.02, 0.01, direction="down"), {}, today=HORIZON).verdict == "miss"
    assert settle(fewer, effect(0.05, 0.04, direction="down"), {}, today=HORIZON).verdict == "harm"


def test_a_relative_bet_is_settled_by_the_relative_effect() -> None:
    bet = replace(BET, scale="relative")
    measured = replace(effect(5.0, 1.0), relative=0.08, relative_low=0.02, relative_high=0.14)
    settled = settle(bet, measured, {}, today=HORIZON)
    assert (settled.verdict, settled.effect) == ("hit", 0.08)
    without = settle(bet, effect(5.0, 1.0), {}, today=HORIZON)
    assert without.verdict == "untested"


def test_before_its_horizon_a_bet_is_open_whatever_is_measured() -> None:
    settled = settle(BET, effect(0.1, 0.01), {}, today=HORIZON - dt.timedelta(days=1))
    assert (settled.verdict, settled.effect) == ("open", None)


def test_what_nobody_measured_is_untested() -> None:
    assert settle(BET, None, {}, today=HORIZON).verdict == "untested"
    refused = MeasuredEffect("publishing", None, None, None, method="its", reason="too few weeks before")
    settled = settle(BET, refused, {}, today=HORIZON)
    assert (settled.verdict, settled.reason) == ("untested", "too few weeks before")


@pytest.mark.parametrize("grade", ["D", "E", None])
def test_weak_evidence_never_settles(grade: Literal["D", "E"] | None) -> None:
    settled = settle(BET, replace(effect(0.1, 0.01), grade=grade), {}, today=HORIZON)
    assert settled.verdict == "inconclusive"
    assert "too weak" in settled.reason


def test_a_guardrail_that_got_worse_makes_a_hit_a_harm() -> None:
    worse = effect(0.03, 0.01, "errors", direction="down")
    settled = settle(BET, effect(0.1, 0.02), {"errors": worse}, today=HORIZON)
    assert (settled.verdict, settled.effect) == ("harm", 0.1)
    assert "errors" in settled.reason
    # An effect that is no guardrail of this bet says nothing about it.
    assert settle(BET, effect(0.1, 0.02), {"elsewhere": worse}, today=HORIZON).verdict == "hit"
    # Weak evidence against a guardrail is none.
    weak = {"errors": replace(worse, grade="E")}
    assert settle(BET, effect(0.1, 0.02), weak, today=HORIZON).verdict == "hit"


def test_two_guardrails_need_stronger_evidence_each() -> None:
    """1.96 standard errors are enough for one guardrail, and too little for one of two."""
    just = effect(0.0205, 0.02, "errors", direction="down")
    fine = effect(0.0, 0.02, "tickets", direction="down")
    alone = replace(BET, guardrails=("errors",))
    assert settle(alone, effect(0.1, 0.02), {"errors": just}, today=HORIZON).verdict == "harm"
    both = {"errors": just, "tickets": fine}
    assert settle(BET, effect(0.1, 0.02), both, today=HORIZON).verdict == "hit"


@pytest.mark.parametrize(
    ("truth", "never", "guardrails"),
    [(0.0, ("hit", "harm"), 0), (0.05, ("miss",), 0), (0.10, ("harm",), 0), (0.10, ("harm",), 2)],
)
@pytest.mark.parametrize("error", [0.01, 0.03])
def test_verdicts_go_wrong_as_seldom_as_promised(
    truth: float, never: tuple[str, ...], guardrails: int, error: float
) -> None:
    rng = np.random.default_rng(20260101)
    half = 1.959964 * error
    found: Counter[str] = Counter(
        settle(
            BET,
            effect(rng.normal(truth, error), half),
            {
                name: effect(rng.normal(0, error), half, name, direction="down")
                for name in BET.guardrails[:guardrails]
            },
            today=HORIZON,
        ).verdict
        for _ in range(DRAWS)
    )
    # 2.5 % and three standard errors of the simulation
    bound = 0.025 + 3 * (0.025 * 0.975 / DRAWS) ** 0.5
    for verdict in never:
        assert found[verdict] / DRAWS <= bound, (verdict, found)


def test_with_enough_data_truth_is_found() -> None:
    rng = np.random.default_rng(7)
    for truth, verdict in ((0.10, "hit"), (0.01, "miss"), (-0.05, "harm")):
        found: Counter[str] = Counter(
            settle(BET, effect(rng.normal(truth, 0.01), 0.0196), {}, today=HORIZON).verdict
            for _ in range(500)
        )
        assert found[verdict] / 500 > 0.95, (truth, found)


def test_a_frozen_bet_is_read_back_as_it_was_written() -> None:
    bet = replace(BET, start=dt.date(2026, 1, 1))
    assert FrozenBet.from_text(bet.text()) == bet
    assert bet.hash != BET.hash
    # A field of a later version does not keep an older one from reading.
    assert FrozenBet.from_text(bet.text()[:-1] + ',"zz_new":1}') == bet
