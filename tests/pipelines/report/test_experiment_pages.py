"""The pages of experiments: the decision first, the numbers of an expert below, and nothing hidden shown."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from headway.experiments.flags import SCHEMA as FLAGS
from headway_pipelines.report import pages
from headway_pipelines.report.experiments import read_experiments
from headway_pipelines.report.reading import read_report
from headway_pipelines.warehouse.experiment_both_ways import BOTH_WAYS
from headway_pipelines.warehouse.experiment_both_ways import INTERNAL as OF_BOTH
from headway_pipelines.warehouse.experiment_days import DAYS, INTERNAL
from headway_pipelines.warehouse.experiment_segments import SEGMENTS
from headway_pipelines.warehouse.experiments import EXPERIMENTS, HEALTH, RESULTS

SHOWN: dict[str, Any] = {"suppressed": pl.Boolean}
EMPTY: dict[str, Any] = dict.fromkeys((*EXPERIMENTS, *RESULTS, *HEALTH, *FLAGS))

SEGMENT_ROWS = [
    {
        **dict.fromkeys(SEGMENTS), "experiment": "cart", "metric": "orders", "title": "Orders", "unit": "percent",
        "by": "person.role", "segment": segment, "variant": variant, "p_differ": None if variant == "old" else 0.37,
    }
    | ({} if variant == "old" else {"effect": effect, "low": effect - 0.1, "high": effect + 0.1, "shrunken": 0.08,
                                    "shrunken_low": 0.01, "shrunken_high": 0.15})
    for segment, effect in (("<teacher>", 0.12), ("learner", 0.05))
    for variant in ("old", "new")
]  # fmt: skip


DAY_ROWS = [
    {**dict.fromkeys(DAYS), "experiment": "cart", "metric": "orders", "title": "<Orders>", "unit": "percent",
     "since": since, "variant": variant}
    | ({} if variant == "old" else {"effect": effect, "low": effect - 0.02, "high": effect + 0.02})
    for since, effect in enumerate((0.06, 0.03, -0.01))
    for variant in ("old", "new")
]  # fmt: skip
BOTH_ROWS = [
    {**dict.fromkeys(BOTH_WAYS), "experiment": "cart", "metric": "orders", "title": "<Orders>", "unit": "percent",
     "several": several, "variant": variant}
    | ({} if variant == "old" else {"effect": effect, "low": effect - 0.02, "high": effect + 0.02})
    for several, effect in (("exclude", 0.06), ("first", 0.04))
    for variant in ("old", "new")
]  # fmt: skip


def base_of(units: int | None, hidden: bool) -> dict[str, Any]:
    return {**EMPTY, "experiment": "cart", "units": units, "suppressed": hidden}


def tables(
    *, decision: str = "ship", hidden: bool = False, split: str = "as planned", guardrail: str | None = None
) -> dict[str, pl.DataFrame]:
    listed = {
        **EMPTY, "experiment": "cart", "title": "The <new> cart", "hypothesis": "Fewer steps", "owner": "shop",
        "unit": "person", "control": "old", "variants": "old 50 %, new 50 %", "method": "fixed", "alpha": 0.05,
        "several": "exclude", "declared": date(2026, 3, 2),
        "start": date(2026, 3, 1), "end": date(2026, 3, 14), "status": "over",
        "decision": decision, "ships": "new" if decision == "ship" else None, "why": "Orders is better", "rule": "rule",
        "definition": "Experiment cart", "definition_hash": "0" * 64, "as_of": datetime(2026, 4, 1),
    }  # fmt: skip
    number = None if hidden else 400
    base = {**EMPTY, "experiment": "cart", "metric": "orders", "title": "Orders", "purpose": "primary",
            "unit": "percent", "direction": "up", "units": number, "units_open": 0, "suppressed": hidden}  # fmt: skip
    results = [
        {**base, "variant": "old", "mean": None if hidden else 0.20, "verdict": "hidden" if hidden else "control"},
        {**base, "variant": "new", "mean": None if hidden else 0.26, "verdict": "hidden" if hidden else "better"}
        | ({} if hidden else {"effect": 0.06, "low": 0.01, "high": 0.11, "relative": 0.3, "relative_low": 0.04,
                              "relative_high": 0.56, "p_adjusted": 0.0213, "chance": 0.998, "method": "newcombe"}),
    ]  # fmt: skip
    if guardrail is not None:
        unseen = guardrail == "hidden"
        more = {
            "metric": "tickets",
            "title": "Tickets",
            "purpose": "guardrail",
            "margin": 0.25,
            "suppressed": unseen,
        }
        results += [{**each, **more, "mean": None if unseen else 0.2, "verdict": guardrail if each["variant"] == "new"
                     else "hidden" if unseen else "control"} | ({"effect": None, "units": None} if unseen else {})
                    for each in results]  # fmt: skip
    checked = {"check": "split all", "expected": number, "p_value": 0.5, "verdict": split}
    health = [
        *({**base_of(number, hidden), "variant": variant, **checked} for variant in ("old", "new")),
        {**base_of(number, hidden), "check": "exposure", "label": "exposed"},
    ]
    flags = [
        {
            **EMPTY, "flag": "cart", "step": 1, "since": date(2026, 3, 1), "until": date(2026, 3, 9),
            "variant": "new", "units": 400, "share": 1.0, "last_seen": date(2026, 3, 9), "stale": True,
            "suppressed": False,
        }
    ]  # fmt: skip
    return {
        "experiments": pl.DataFrame([listed], schema=EXPERIMENTS),
        "experiment_results": pl.DataFrame(results, schema=RESULTS | SHOWN).drop("some"),
        "experiment_segments": pl.DataFrame(SEGMENT_ROWS, schema=SEGMENTS).drop("units", "some"),
        "experiment_days": pl.DataFrame(DAY_ROWS, schema=DAYS).drop(INTERNAL),
        "experiment_both_ways": pl.DataFrame(BOTH_ROWS, schema=BOTH_WAYS).drop(OF_BOTH),
        "experiment_health": pl.DataFrame(health, schema=HEALTH | SHOWN),
        "flags": pl.DataFrame(flags, schema={**FLAGS, **SHOWN}),
    }


@pytest.fixture
def written(published: Any) -> Any:
    def write(**options: Any) -> dict[str, str]:
        published.metric("activation")
        return pages.render({**published.tables(), **tables(**options)})

    return write


def test_the_list_leads_to_every_experiment(written: Any) -> None:
    found = written()
    assert 'href="experiment-cart.html"' in found["experiments.html"]
    assert (
        "Ship new" in found["experiments.html"] and "+6 percentage points (1–11)" in found["experiments.html"]
    )
    assert "stale: nobody meets it any more" in found["experiments.html"]
    assert "1 of 1 was not written down before the start" in found["experiments.html"]


def test_a_page_says_what_to_do_and_how_sure_it_is(written: Any) -> None:
    page = written()["experiment-cart.html"]
    assert "The &lt;new&gt; cart" in page and "<new>" not in page
    for words in (
        "Ship new",
        "+30 % (4–56)",
        "over 99 % chance to be better",
        "newcombe",
        "0.021",
        "not written down",
    ):
        assert words in page, words
    assert page.index("Ship new") < page.index("For whoever checks")


@pytest.mark.parametrize(
    ("horizon", "said"),
    [
        # midnight in Berlin at the end of 10 March, and the last moment of that day
        (datetime(2026, 3, 10, 23), "They ran for 10 days on average of 14 planned;"),
        (datetime(2026, 3, 10, 22, 59), "They ran for 10 days on average of 14 planned;"),
        (datetime(2026, 4, 5, 22), "They ran for 14 days on average;"),
    ],
)
def test_the_list_says_how_long_experiments_ran(
    written: Any, published: Any, horizon: datetime, said: str
) -> None:
    published.info["horizon"] = horizon
    assert said in written()["experiments.html"]


def test_segments_are_shown_with_what_they_have_in_common(written: Any) -> None:
    page = written()["experiment-cart.html"]
    part = page[page.index('id="segments"') : page.index('id="audit"')]
    assert "by person.role" in part and "are not told apart (p = 0.370)" in part
    cells = "<td>new</td><td>+12 percentage points (2–22)</td><td>+8 percentage points (1–15)</td>"
    assert f'<th scope="row">&lt;teacher&gt;</th>{cells}' in part
    assert "old</td>" not in part


def test_days_are_drawn_and_listed(written: Any) -> None:
    page = written()["experiment-cart.html"]
    part = page[page.index('id="novelty"') : page.index('id="audit"')]
    assert "<h3>&lt;Orders&gt;</h3>" in part
    for since, effect in enumerate(("+6", "+3", "-1")):
        words = f'<th scope="row">{since}</th><td>new</td><td>{effect} percentage point'
        assert words in part.replace("−", "-"), (since, part)
    figure = json.loads(part.split('id="chart-novelty-1">')[1].split("</script>")[0])
    assert figure["data"][0]["y"] == [0.06, 0.03, -0.01]
    assert figure["layout"]["xaxis"]["tickvals"] == [0, 1, 2]
    assert "plotly.min.js" in page


def test_both_ways_stand_beside_each_other_and_say_which_one_is_above(written: Any) -> None:
    page = written()["experiment-cart.html"]
    part = page[page.index("With and without units that met several variants") :]
    row = '<th scope="row">&lt;Orders&gt;</th><td>new</td><td>+6 percentage points (4–8)</td>'
    assert f"{row}<td>+4 percentage points (2–6)</td>" in part
    assert "such units are left out" in part


def test_what_is_hidden_stays_hidden(written: Any) -> None:
    page = written(hidden=True, decision="inconclusive")["experiment-cart.html"]
    assert "fewer than 10 people" in page and "400" not in page


@pytest.mark.parametrize(
    ("guardrail", "says"),
    [("hidden", "Improved, guardrail not judged"), ("unclear", "Improved, guardrail not shown to hold")],
)
def test_an_improvement_that_a_guardrail_holds_up_is_not_called_inconclusive(
    written: Any, guardrail: str, says: str
) -> None:
    found = written(decision="inconclusive", guardrail=guardrail)
    assert says in found["experiment-cart.html"] and says in found["experiments.html"]
    assert "Inconclusive" not in found["experiment-cart.html"]
    assert "Nothing ships without its guardrails" in found["experiment-cart.html"]
    assert "headway plan cart" in found["experiment-cart.html"]
    assert "Inconclusive" in written(decision="inconclusive", guardrail="holds")["experiment-cart.html"]
    assert (
        "Improved"
        not in written(decision="inconclusive", split="broken", guardrail=guardrail)["experiment-cart.html"]
    )


def test_a_broken_split_warns_before_the_numbers(written: Any) -> None:
    page = written(split="broken", decision="inconclusive")["experiment-cart.html"]
    assert page.index("not split as planned") < page.index('id="effects"')


def test_without_experiments_there_is_no_page(published: Any) -> None:
    published.metric("activation")
    assert "experiments.html" not in pages.render(published.tables())
    assert read_experiments(read_report(published.tables())) == ()
