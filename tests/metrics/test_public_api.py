"""The names the package promises, and that importing it stays light."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import headway

NAMES = [
    *[
        "ActivePeople",
        "Cohort",
        "DefinitionError",
        "Did",
        "EngineError",
        "Event",
        "EventLog",
        "Exclude",
        "ExcludedEventsWarning",
        "Experiment",
        "Explorer",
        "Exposure",
        "Formula",
        "Funnel",
        "GrowthAccounting",
        "Lifecycle",
        "PowerUsers",
        "Stickiness",
        "UsageInterval",
    ],
    *[
        "HeadwayError",
        "HeadwayWarning",
        "InputError",
        "Outcome",
        "Paths",
        "People",
        "Phase",
        "Retention",
        "Rule",
        "Sessions",
        "Trend",
        "Where",
        "History",
        "aa_test",
        "plan_experiment",
        "open",
    ],
]
HEAVY = [
    "plotly",
    "scipy",
    "pandas",
    "dagster",
    "great_expectations",
    "pydantic",
    "ruamel",
    "headway_pipelines",
]


def test_names_are_these_and_documented_in_the_map() -> None:
    assert sorted(headway.__all__) == sorted(NAMES)
    for name in NAMES:
        assert f"`{name}`" in (headway.__doc__ or ""), name
        assert inspect.getdoc(getattr(headway, name)), name


def test_importing_does_not_load_what_most_questions_never_need() -> None:
    code = f"import sys, headway; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_questions_are_frozen_values() -> None:
    for question in (
        headway.Funnel(["a", "b"]),
        headway.Funnel(["a", "b"], exclude=[headway.Exclude(["x", "y"])], hold=["z"], preset="mixpanel"),
        headway.Retention("a", "b"),
        headway.ActivePeople(),
        headway.Sessions(exclude=["a"]),
        headway.Trend("a"),
        headway.Formula("A / B", A=headway.Trend("a"), B=headway.Trend("b")),
        headway.Paths(start="a", groups={"x": ["b", "c*"]}),
    ):
        assert question == dataclasses.replace(question)
        assert hash(question) == hash(dataclasses.replace(question))


def test_every_error_has_one_root() -> None:
    for name in ("DefinitionError", "EngineError", "InputError"):
        assert issubclass(getattr(headway, name), headway.HeadwayError)
    assert issubclass(headway.ExcludedEventsWarning, headway.HeadwayWarning)
