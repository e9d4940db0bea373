"""No number where none is warranted, and the reason in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

import headway as hw
from headway.errors import InputError
from headway.experiments import ExperimentResult
from headway.experiments.rule import decide

START = datetime(2026, 3, 1)
Row = tuple[str, str, float, str | None, float | None]


def exposed(variant: str, units: int, hour: float = 0) -> Iterator[Row]:
    for unit in range(units):
        yield f"{variant}{unit}", "Exposed", hour, variant, None


def paid(variant: str, amounts: Sequence[float], hour: float = 5) -> Iterator[Row]:
    for unit, amount in enumerate(amounts):
        if amount:
            yield f"{variant}{unit}", "Paid", hour, None, amount


def ran(rows: Sequence[Row], days: int = 30, **options: Any) -> ExperimentResult:
    frame = pl.DataFrame(
        [(p, e, START + timedelta(hours=h), v, None if a is None else float(a)) for p, e, h, v, a in rows],
        schema={
            "person": pl.String,
            "event": pl.String,
            "occurred_at": pl.Datetime("us"),
            "variant": pl.String,
            "amount": pl.Float64,
        },
        orient="row",
    )
    asked: dict[str, Any] = {
        "variants": ["old", "new"],
        "metrics": [
            hw.Outcome("paying", "Paid", within="7d"),
            hw.Outcome("sum", "Paid", "sum:amount", within="7d"),
        ],
        "exposure": "Exposed",
        "before": None,
        **options,
    }
    return hw.Experiment("test", **asked).run(hw.EventLog(frame, horizon=START + timedelta(days=days)))


def row(found: ExperimentResult, metric: str = "paying", variant: str = "new") -> dict[str, Any]:
    return next(r for r in found.rows if (r["metric"], r["variant"]) == (metric, variant))


NUMBERS = ("effect", "low", "high", "relative", "relative_low", "p_value", "anytime_low", "chance", "loss")


def nothing_but(found: ExperimentResult, reason: str, metric: str = "paying", variant: str = "new") -> None:
    said = row(found, metric, variant)
    assert [said[name] for name in NUMBERS] == [None] * len(NUMBERS)
    assert said["reason"] == reason and said["verdict"] == "no estimate"
    assert found.verdict.decision == "inconclusive" or found.verdict.decision == "continue"


def test_an_empty_arm() -> None:
    nothing_but(ran([*exposed("old", 20), *paid("old", [1] * 5)]), "new has no units")


def test_nobody_did_it() -> None:
    rows = [*exposed("old", 20), *exposed("new", 20), ("old1", "Paid", -9.0, None, 5.0)]
    found = ran(rows)
    nothing_but(found, "nothing was counted in old: without variance nothing can be said")
    nothing_but(found, "nothing was counted in old: without variance nothing can be said", "sum")


def test_everybody_did_the_same() -> None:
    rows = [*exposed("old", 20), *exposed("new", 20), *paid("old", [2] * 20), *paid("new", [3] * 20)]
    nothing_but(ran(rows), "every unit has the same in old: without variance nothing can be said")


def test_a_single_unit() -> None:
    rows = [*exposed("old", 20), *exposed("new", 1), *paid("old", [1] * 4), *paid("new", [1])]
    nothing_but(ran(rows), "new has a single unit whose window is over")


def test_an_arm_whose_windows_are_open() -> None:
    rows = [*exposed("old", 20), *exposed("new", 20, hour=24 * 9), *paid("old", [1] * 4)]
    found = ran(rows, days=10)
    nothing_but(found, "no unit of new has its window behind it")
    assert row(found)["units_open"] == 20 and row(found, variant="old")["units"] == 20


def test_units_whose_window_is_open_do_not_count() -> None:
    late = [*((f"{v}late{u}", "Exposed", 24 * 9.0, v, None) for v in ("old", "new") for u in range(30))]
    rows = [*exposed("old", 20), *exposed("new", 20), *paid("old", [1] * 4), *paid("new", [1] * 9)]
    sooner, later = ran(rows, days=10), ran([*rows, *late], days=10)
    for name in ("units", "mean", "effect", "low", "p_value"):
        assert row(sooner)[name] == row(later)[name]


def test_one_extreme_unit_is_named() -> None:
    rows = [
        *exposed("old", 30), *exposed("new", 30), *paid("old", [10.0, 20.0] * 10),
        *paid("new", [50_000.0, *([10.0, 20.0] * 10)]),
    ]  # fmt: skip
    assert row(ran(rows), "sum")["caution"] == "one unit makes up more than 20 % of new; consider cap"
    assert row(ran(rows, cap=0.9), "sum")["mean"] < 25


def test_outcomes_before_the_exposure_do_not_count_and_are_told() -> None:
    rows = [
        *exposed("old", 40), *exposed("new", 40), *paid("old", [1] * 20, hour=-1), *paid("new", [1] * 20, hour=-1),

        *((f"old{u}", "Paid", 3.0, None, 1.0) for u in (30, 31)),
        *((f"new{u}", "Paid", 3.0, None, 1.0) for u in (30, 31, 32)),
    ]  # fmt: skip
    said = row(ran(rows))
    assert said["mean"] == pytest.approx(3 / 40)
    assert "is the exposure told too late?" in said["caution"]


def test_several_variants_are_shown_both_ways() -> None:
    rows = [
        *exposed("old", 30), *exposed("new", 30), *paid("old", [1] * 6), *paid("new", [1] * 9),
        *((f"old{u}", "Exposed", 1.0, "new", None) for u in range(5)),
    ]  # fmt: skip
    found = ran(rows)
    units = found.both_ways.filter((pl.col("metric") == "paying") & (pl.col("variant") == "old"))["units"]
    assert units.to_list() == [25, 30]
    assert "5 units saw several variants" in found.describe()
    assert row(ran(rows, several="first"), variant="old")["units"] == 30


def test_a_broken_split_forbids_every_conclusion() -> None:
    rows = [*exposed("old", 400), *exposed("new", 250), *paid("old", [1] * 40), *paid("new", [1] * 125)]
    found = ran(rows)
    assert row(found)["verdict"] == "better"
    assert found.verdict.decision == "inconclusive" and "split differs from the plan" in found.verdict.why
    planned = ran(rows, variants={"old": 8, "new": 5})
    assert planned.verdict.decision == "ship" and planned.splits["verdict"].to_list() == ["as planned"] * 2


def test_a_split_that_changed_is_tested_phase_by_phase() -> None:
    late = [(f"{v}b{u}", "Exposed", 48.0, v, None) for v, n in (("old", 100), ("new", 900)) for u in range(n)]
    rows = [*exposed("old", 500), *exposed("new", 500), *paid("old", [1] * 9), *late]
    phases = [hw.Phase(None, ["old", "new"]), hw.Phase("2026-03-02", {"old": 1, "new": 9})]
    parts = ran(rows, phases=phases).splits.select("part", "label", "verdict").unique().sort("label").rows()
    assert parts == [("phase", "0", "as planned"), ("phase", "1", "as planned")]
    assert ran(rows).splits["verdict"].to_list() == ["broken"] * 2


def ramped(early: tuple[int, int], late: tuple[int, int]) -> list[Row]:
    """Half and half at first, one to nine later, when everybody pays more often; and how many pay of whom."""
    rows = [
        *exposed("old", 400),
        *exposed("new", 400),
        *paid("old", [1] * early[0]),
        *paid("new", [1] * early[1]),
    ]
    for variant, units, paying in (("old", 100, late[0]), ("new", 900, late[1])):
        for unit in range(units):
            rows.append((f"{variant}b{unit}", "Exposed", 48.0, variant, None))
            rows += [(f"{variant}b{unit}", "Paid", 50.0, None, 1.0)] if unit < paying else []
    return rows


RAMP = [hw.Phase(None, ["old", "new"]), hw.Phase("2026-03-02", {"old": 1, "new": 9})]


def test_where_the_split_changed_later_units_are_no_effect_of_the_variant() -> None:
    """In each phase as many pay of either variant; added up, the one that later units got pays twice as often."""
    rows = ramped((40, 40), (50, 450))
    naive, found = row(ran(rows)), row(ran(rows, phases=RAMP))
    assert naive["effect"] == pytest.approx(490 / 1300 - 90 / 500) and naive["p_value"] < 1e-6
    assert found["effect"] == pytest.approx(0.0) and found["p_value"] == pytest.approx(1.0)
    assert found["method"] == "welch, within phases" and found["mean"] == pytest.approx(
        0.1 * 8 / 18 + 0.5 * 10 / 18
    )


def test_an_effect_within_phases_is_that_of_post_stratification() -> None:
    found = row(ran(ramped((40, 80), (50, 540)), phases=RAMP))
    weights, shares = (8 / 18, 10 / 18), ((0.1, 0.2), (0.5, 0.6))
    assert found["effect"] == pytest.approx(
        sum(w * (new - old) for w, (old, new) in zip(weights, shares, strict=True))
    )
    units = ((400, 400), (100, 900))
    variance = sum(
        w**2 * share * (1 - share) / (n - 1)
        for w, pair, ns in zip(weights, shares, units, strict=True)
        for share, n in zip(pair, ns, strict=True)
    )
    assert found["error"] == pytest.approx(variance**0.5)


def test_what_cannot_be_compared_within_phases_says_so() -> None:
    asked = ran(
        ramped((40, 80), (50, 540)), phases=RAMP, metrics=[hw.Outcome("soon", "Paid", "time", within="7d")]
    )
    assert (
        row(asked, "soon")["reason"]
        == "the planned split changed, and a waiting time is not compared within phases"
    )
    assert row(asked, "soon")["effect"] is None and asked.verdict.decision == "inconclusive"
    with pytest.raises(InputError, match="ask each phase by itself"):
        ran(ramped((40, 80), (50, 540)), phases=RAMP).by_day("paying")
    gone = [each for each in ramped((40, 80), (50, 540)) if not each[0].startswith("oldb")]
    left = row(ran(gone, phases=RAMP))
    assert "not every variant has any" in left["caution"] and left["effect"] == pytest.approx(0.1)


def test_fixed_experiments_say_nothing_before_their_end() -> None:
    rows = [*exposed("old", 300), *exposed("new", 300), *paid("old", [1] * 30), *paid("new", [1] * 120)]
    found = ran(rows, days=10, until="2026-03-20")
    assert row(found)["verdict"] == "too early" and found.verdict.decision == "continue"
    sequential = ran(rows, days=10, until="2026-03-20", method="sequential")
    assert row(sequential)["verdict"] == "better" and sequential.verdict.decision == "ship"
    assert ran(rows, days=40, until="2026-03-20").verdict.decision == "ship"


def test_guardrails_hold_or_stop() -> None:
    rows = [*exposed("old", 500), *exposed("new", 500), *paid("old", [1] * 200), *paid("new", [1] * 100)]
    rows += [(f"old{u}", "Used", 2.0, None, None) for u in range(100)]
    rows += [(f"new{u}", "Used", 2.0, None, None) for u in range(200)]
    guardrail = hw.Outcome("paying", "Paid", within="7d", margin=0.05)
    found = ran(rows, metrics=["Used"], guardrails=[guardrail])
    assert row(found)["verdict"] == "breached" and found.verdict.decision == "stop"


def judged(metric: str, role: str, verdict: str, variant: str = "new", **more: Any) -> dict[str, Any]:
    return {"metric": metric, "role": role, "verdict": verdict, "variant": variant, "units": 500, "p_adjusted": 0.001,
            "direction": "up", "relative_low": 0.1, "relative_high": 0.3, "reason": None, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("guardrail", "says"),
    [
        ({"verdict": "unclear"}, 'the guardrail "Tickets" may still be worse by more than its margin'),
        ({"verdict": "no estimate", "reason": "nobody in new"}, "cannot be judged: nobody in new"),
        ({"verdict": "hidden"}, 'the guardrail "Tickets" has too few people to be judged'),
    ],
)  # fmt: skip
def test_what_improved_and_does_not_ship_says_which_guardrail_is_in_the_way(
    guardrail: dict[str, Any], says: str
) -> None:
    rows = [
        judged("sales", "primary", "better"),
        judged("tickets", "guardrail", **guardrail, title="Tickets"),
    ]
    found = decide(hw.Rule(), rows, over=True, sequential=False, split_p=0.5)
    assert found.decision == "inconclusive" and found.variant is None
    assert found.why.startswith("sales is better with new, but does not ship: ") and found.why.endswith(says)
    assert found.about == ("sales", "tickets")


def test_of_two_variants_the_one_that_improved_is_told_with_what_is_worse() -> None:
    rows = [judged("sales", "primary", "better"), judged("visits", "primary", "worse")]
    rows += [
        judged("sales", "primary", "no difference shown", "other"),
        judged("visits", "primary", "better", "other"),
    ]
    rows += [judged("tickets", "guardrail", "unclear", each) for each in ("new", "other")]
    found = decide(hw.Rule(), rows, over=True, sequential=False, split_p=None)
    assert found.why == (
        "sales is better with new, but does not ship: visits is worse; "
        'the guardrail "tickets" may still be worse by more than its margin'
    )
    small = [{**each, "units": 40} for each in rows[:2]]
    short = decide(hw.Rule(), [*small, *rows[2:]], over=True, sequential=False, split_p=None)
    assert short.why == "an arm has 40 units of the 100 the rule asks for" and short.about == (
        "sales",
        "visits",
    )


def test_a_rule_stops_where_nothing_worthwhile_is_left() -> None:
    base = {"role": "primary", "units": 900, "verdict": "no difference shown", "direction": "up", "p_adjusted": 0.5,
            "metric": "m", "variant": "new", "relative_low": -0.03, "relative_high": 0.03, "reason": None}  # fmt: skip
    assert (
        decide(hw.Rule(worthwhile=0.05), [base], over=True, sequential=False, split_p=0.3).decision == "stop"
    )
    assert (
        decide(hw.Rule(worthwhile=0.02), [base], over=True, sequential=False, split_p=0.3).decision
        == "inconclusive"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variants": ["only"]}, "two variants or more"),
        ({"variants": {"a": 1, "b": 0}}, "planned share must be above 0"),
        ({"control": "odl"}, "unknown control 'odl'. Did you mean 'old'?"),
        ({"metrics": []}, "at least one metric"),
        ({"metrics": ["Paid", "Paid"]}, "the same name"),
        ({"holdout": ["new"]}, "a variant and a holdout"),
        ({"method": "bayes"}, "unknown method"),
        ({"alpha": 1.5}, "alpha must be"),
        ({"cap": 2}, "cap is a quantile"),
        ({"window": "0d"}, "no time"),
        ({"phases": [hw.Phase(None, ["x", "y"])]}, "unknown variant of a phase"),
        ({"exposure": "Exposd"}, "Did you mean 'Exposed'"),
        ({"variant": "varient"}, "Did you mean 'variant'"),
        ({"by": "nothing"}, "unknown property"),
        ({"metrics": [hw.Outcome("x", "Piad")]}, "Did you mean 'Paid'"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        ran([*exposed("old", 3), *exposed("new", 3), *paid("old", [1])], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measure": "mena:amount"}, "unknown measure"),
        ({"measure": "time", "per": "Paid"}, "a ratio divides"),
        ({"margin": 3}, "a margin is a share"),
        ({"within": "0s"}, "a window of no time"),
        ({"minus": "Refunded"}, "takes off a sum"),
    ],
)
def test_mistakes_of_outcomes_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hw.Outcome("x", "Paid", **options)


def test_what_is_written_out_in_a_file_is_what_python_takes() -> None:
    from dataclasses import MISSING, fields

    from headway.models.experiments import Counted

    own = {each.name: each.default for each in fields(hw.Outcome)}
    left_out = {"margin", "inclusive", "negative"}
    assert set(Counted.model_fields) == set(own) - left_out
    for name, told in Counted.model_fields.items():
        if name not in ("name", "of"):
            assert told.default == own[name] and own[name] is not MISSING, name
