"""The judge and its rules: every rule red once, green on its bounds, and what a red one does to a batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shop import Shop, track

from headway.errors import HeadwayError
from headway.frameworks.values import SCHEMA
from headway_pipelines.lake.ledger import BLOCKED, PROMOTED
from headway_pipelines.quality import judge as judging
from headway_pipelines.quality.batches import BATCH_RULES, profile_batches
from headway_pipelines.quality.judge import Rule, judge
from headway_pipelines.quality.values import judge_values

# -- the judge -----------------------------------------------------------------------------------------------------

RULES = (
    Rule("at most two", "a", None, 2, "No more than 2."),
    Rule("at least one", "a", 1, None, "No less than 1."),
    Rule("between", "b", 0, 0.5, "A share."),
)
_number = st.none() | st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0000001, 1e12])


def outside(rule: Rule, value: float | None) -> bool:
    """The bounds, read by a child."""
    if value is None:
        return False
    return (rule.low is not None and value < rule.low) or (rule.high is not None and value > rule.high)


@given(st.lists(st.tuples(_number, _number), min_size=1, max_size=4))
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_great_expectations_agree_with_the_bounds(rows: list[tuple[float | None, float | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Float64, "b": pl.Float64}, orient="row")
    expected = {}
    for rule in RULES:
        broken = tuple(i for i, value in enumerate(frame[rule.column]) if outside(rule, value))
        if broken:
            expected[rule.name] = broken
    assert {finding.rule.name: finding.rows for finding in judge(frame, RULES)} == expected


def test_an_empty_profile_breaks_no_rule() -> None:
    assert judge(pl.DataFrame(schema={"a": pl.Float64, "b": pl.Float64}), RULES) == []


def test_a_verdict_the_bounds_do_not_explain_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a rule that Great Expectations judges by something else would let everything pass."""
    monkeypatch.setattr(judging, "_validate", lambda _, rules: [False for _ in rules])
    with pytest.raises(HeadwayError, match="fails for rows that its bounds do not explain"):
        judge(pl.DataFrame({"a": [1.5], "b": [0.1]}), RULES)


# -- batches -------------------------------------------------------------------------------------------------------


def fine(**spoiled: float) -> dict[str, float]:
    """The profile of a batch nothing is wrong with."""
    return {
        "batch": 1,
        "lines": 100,
        "rejected_share": 0.0,
        "unaccounted_lines": 0,
        "misfits_per_event": 0.0,
        "miscounted_events": 0,
        "events_without_id": 0,
        "events_without_actor": 0,
        "events_without_time": 0,
        "undeclared_events": 0,
        "personal_looking_values": 0,
    } | spoiled


@pytest.mark.parametrize(
    ("spoiled", "broken"),
    [
        ({}, set()),
        ({"unaccounted_lines": 1}, {"lines accounted for"}),
        ({"miscounted_events": 1}, {"events accounted for"}),
        ({"events_without_id": 1}, {"events have ids"}),
        ({"events_without_actor": 1}, {"events have actors"}),
        ({"events_without_time": 1}, {"events have times"}),
        ({"undeclared_events": 1}, {"events are declared"}),
        ({"personal_looking_values": 1}, {"nothing looks personal"}),
        ({"rejected_share": 0.02}, set()),
        ({"rejected_share": 0.0201}, {"hardly any line rejected"}),
        ({"rejected_share": 0.2}, {"hardly any line rejected"}),
        ({"rejected_share": 0.2001}, {"hardly any line rejected", "few lines rejected"}),
        ({"misfits_per_event": 0.2}, set()),
        ({"misfits_per_event": 0.2001}, {"values fit the plan"}),
    ],
)
def test_every_rule_of_a_batch(spoiled: dict[str, float], broken: set[str]) -> None:
    profile = pl.DataFrame([fine(batch=1), fine(batch=2, **spoiled)])
    findings = judge(profile, BATCH_RULES)
    assert {finding.rule.name for finding in findings} == broken
    assert all(finding.rows == (1,) for finding in findings)


def test_every_rule_is_tested() -> None:
    table = test_every_rule_of_a_batch.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert set().union(*(broken for _, broken in table)) == {rule.name for rule in BATCH_RULES}


def test_profiles_count_what_is_staged(shop: Shop) -> None:
    shop.land(
        "a.json", [track("Order Completed", i, user="u1", items=2.5) for i in range(6)] + ["no JSON", ""]
    )
    shop.land("b.json", [track("Signed Up", i, user="u2") for i in range(3)])
    shop.land("c.json", [track("Order Completed", i, user="u3", items=2.5) for i in range(5)])
    shop.ingest()
    with shop.ledger() as ledger:
        numbers = [b.batch for b in ledger.batches()]
        profile = profile_batches(shop.workspace, ledger, numbers)
    counts = profile.select(
        "lines", "rejected_share", "misfits_per_event", "unaccounted_lines", "miscounted_events"
    )
    assert counts.rows() == [(8, 1 / 8, 1.0, 0, 0), (3, 0.0, 0.0, 0, 0), (5, 0.0, 0.0, 0, 0)]
    assert {str(kind) for kind in profile.dtypes} <= {"Int64", "Float64", "UInt32", "Int32"}


def good(first: int, count: int = 10) -> list[dict[str, Any]]:
    return [track("Signed Up", i, user=f"u{i}") for i in range(first, first + count)]


def test_a_file_held_back_for_rows_of_nobody_says_how_to_expect_them(shop: Shop) -> None:
    (shop.root / "sources.yml").write_text(NOBODY)
    shop.land("sales.csv", ["customer,at", "7,2026-03-02", ",2026-03-02", " NaN ,2026-03-03", ",2026-03-04"])
    shop.ingest()
    shop.judge_as_runs_do()
    with shop.ledger() as ledger:
        [note] = [b.note for b in ledger.batches(BLOCKED)]
    assert note.endswith(
        "Here: 75%. Most often: no usable id (3 lines). If rows of nobody are expected there, write nobody: leave_out "
        "in their mapping in sources.yml."
    )
    (shop.root / "sources.yml").write_text(f"{NOBODY}    nobody: leave_out\n")
    shop.load()
    assert states(shop) == {"sales.csv": PROMOTED}
    assert shop.outcomes() == {"event": 1, "names nobody": 3}
    with shop.ledger() as ledger:
        assert ledger.rejects() == []


NOBODY = """
sources:
  sales:
    format: delimited
    files: ["sales.csv"]
    event: {value: Signed Up}
    user: customer
    time: {column: at}
"""


def states(shop: Shop) -> dict[str, str]:
    with shop.ledger() as ledger:
        return {b.label: b.state for b in ledger.batches()}


def test_a_blocked_batch_stays_staged_and_listed_while_others_proceed(shop: Shop) -> None:
    shop.land("bad.json", [*good(0, 7), "no JSON", "none", "either"])
    shop.land("good.json", good(100))
    shop.ingest()
    verdict = shop.judge_as_runs_do()
    assert list(verdict.blocked.values()) == [("few lines rejected",)]
    assert len(verdict.passed) == 1
    shop.promote()
    assert states(shop) == {"bad.json": BLOCKED, "good.json": PROMOTED}
    assert shop.query("SELECT count(*) FROM lake") == [(10,)]
    with shop.ledger() as ledger:
        [note] = [b.note for b in ledger.batches(BLOCKED)]
        [group] = ledger.waiting_groups()
    assert note == (
        "At most 20 % of the lines may be rejected. Here: 30%. Most often: malformed JSON (3 lines)."
    )
    assert (shop.workspace.staging / group / "events.parquet").exists()
    # later runs leave it alone
    shop.land("later.json", good(200))
    shop.load()
    assert states(shop) == {"bad.json": BLOCKED, "good.json": PROMOTED, "later.json": PROMOTED}
    assert shop.query("SELECT count(*) FROM lake") == [(20,)]


def test_a_blocked_file_that_is_replaced_is_read_again_and_proceeds(shop: Shop) -> None:
    shop.land("a.json", [*good(0), *["no JSON"] * 9])
    shop.load()
    assert states(shop) == {"a.json": BLOCKED}
    shop.land("a.json", good(0))
    shop.load()
    assert states(shop) == {"a.json": PROMOTED}
    assert shop.query("SELECT count(*) FROM lake") == [(10,)]
    # nothing of the blocked version is left
    assert shop.outcomes() == {"event": 10}
    assert not any(shop.workspace.staging.iterdir())


def test_a_blocked_file_that_is_removed_is_forgotten(shop: Shop) -> None:
    shop.land("good.json", good(0))
    path = shop.land("bad.json", ["no JSON"] * 9)
    shop.load()
    path.unlink()
    shop.load()
    assert states(shop) == {"good.json": PROMOTED}


def test_a_few_rejected_lines_are_a_warning(shop: Shop) -> None:
    shop.land("a.json", [*good(0, 19), "no JSON"])
    shop.ingest()
    verdict = shop.judge_as_runs_do()
    assert list(verdict.warned.values()) == [("hardly any line rejected",)]
    assert (len(verdict.passed), verdict.blocked) == (1, {})


def test_a_group_of_small_files_is_judged_file_by_file(shop: Shop) -> None:
    """They share a staged group; only the good ones' rows may be promoted."""
    for number in range(4):
        lines: list[Any] = good(100 * number)
        shop.land(f"{number}.json", lines + ["no JSON"] * (9 if number % 2 else 0))
    shop.load()
    assert states(shop) == {"0.json": PROMOTED, "1.json": BLOCKED, "2.json": PROMOTED, "3.json": BLOCKED}
    assert shop.query("SELECT count(*), count(DISTINCT batch) FROM lake") == [(20, 2)]


def test_nothing_to_judge(shop: Shop) -> None:
    verdict = shop.judge_as_runs_do()
    assert (verdict.passed, verdict.blocked, verdict.warned) == ((), {}, {})


# -- metric values ---------------------------------------------------------------------------------------------------


def value(**spoiled: Any) -> dict[str, Any]:
    """A metric value nothing is wrong with."""
    return {
        "metric": "m",
        "framework": "aarrr",
        "stage": "activation",
        "segment": "all",
        "period": "week",
        "period_start": date(2026, 3, 2),
        "value": 0.5,
        "unit": "percent",
        "numerator": 50.0,
        "denominator": 100.0,
        "people": 100,
        "low": 0.4,
        "high": 0.6,
        "interval_method": "wilson",
        "complete": True,
        "suppressed": False,
        "reason": None,
        "as_of": None,
        "definition_hash": "x",
        "code_version": "x",
    } | spoiled


def judged(*rows: dict[str, Any]) -> set[str]:
    return set(judge_values(pl.DataFrame(list(rows), schema=SCHEMA)))


OTHER: Callable[..., dict[str, Any]] = lambda **more: value(segment="channel=email", **more)  # noqa: E731


@pytest.mark.parametrize(
    ("spoiled", "broken"),
    [
        ({}, None),
        ({"people": -1}, "people are counted"),
        ({"value": 1.01, "low": 0.9, "high": 1.1}, "shares lie between 0 and 1"),
        ({"value": -0.01, "low": -0.1, "high": 0.1}, "shares lie between 0 and 1"),
        ({"value": 7.0, "low": 6.0, "high": 8.0, "unit": "EUR"}, None),
        ({"low": 0.51}, "intervals hold their value"),
        ({"high": 0.49}, "intervals hold their value"),
        ({"value": 0.6, "high": 0.6 - 1e-16}, None),
        ({"low": None, "high": None}, None),
        ({"value": None, "low": None, "high": None}, "undefined values say why"),
        ({"value": None, "low": None, "high": None, "reason": "no people in the denominator"}, None),
        ({"definition_hash": None}, "definitions are stamped"),
    ],
)
def test_every_rule_of_a_value(spoiled: dict[str, Any], broken: str | None) -> None:
    assert judged(value(), OTHER(**spoiled)) == ({broken} if broken else set())


def test_no_cell_twice() -> None:
    assert judged(value(), value()) == {"no cell twice"}
    assert (
        judged(value(), value(stage="retention"), value(period="day"), value(period_start=date(2026, 3, 9)))
        == set()
    )


def test_no_values_at_all() -> None:
    assert judged() == set()


def test_judging_loads_no_statistics_and_leaves_them_usable() -> None:
    """What Great Expectations imports and is not used here stays unloaded until somebody looks into it."""
    script = """
import sys
import polars as pl
from headway_pipelines.quality.judge import Rule, judge
(finding,) = judge(pl.DataFrame({"a": [1.0, 5.0, None]}), [Rule("few", "a", 0, 2, "Few.")])
assert finding.rows == (1,)
assert not [name for name in sys.modules if name.startswith("scipy.stats.")]
import scipy.stats
assert abs(scipy.stats.norm.cdf(1.959963984540054) - 0.975) < 1e-12
from scipy.stats import norm
assert norm is scipy.stats.norm
"""
    subprocess.run([sys.executable, "-c", script], check=True)
