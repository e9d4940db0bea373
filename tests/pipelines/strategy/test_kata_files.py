"""The kata on the command line: measured by Headway, sealed, continued in turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from headway.errors import DefinitionError, InputError
from headway_pipelines.cli import kata
from headway_pipelines.privacy.keys import Key
from headway_pipelines.strategy.kata_files import Turn, katas_of, new_kata, next_step
from headway_pipelines.strategy.kata_tables import kata_tables
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.workspace import Workspace

KEY = Key(bytes(range(32)))
PLAN = """\
version: 1
product: lectern
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events: {Signed Up: {}, Course Published: {}}
"""
PRODUCT = """\
name: Lectern
timezone: Pacific/Auckland
currency: EUR
activity: Course Published
grains: [week]
metrics:
  publishing: {framework: aarrr, stage: activation, title: Publish, unit: percent, kind: conversion,
    start: Signed Up, reach: Course Published, within: 1d}
funnels: {publish: {title: Publish, steps: [Signed Up, Course Published], within: 14d}}
retentions: {back: {title: Back, start: Signed Up, returning: Course Published}}
"""
STRATEGY = """\
teams: {creators: {title: Creators}}
intents: {supply: {title: Supply}}
initiatives: {faster: {title: Faster, under: supply, aims: [{metric: publishing}]}}
"""
TARGET = {"metric": "publishing", "value": 0.4, "by": dt.date(2026, 12, 31), "period": "week"}
TURN = Turn("funnel:publish:2", "Ask for the title only", 0.3, 0.35, dt.date(2026, 7, 1), tests="titles")
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def publish(workspace: Workspace, value: float | None) -> None:
    week = dt.date(2026, 5, 18)
    values = pl.DataFrame(
        {
            "metric": ["publishing"] * 3, "segment": ["all", "all", "channel=paid"], "period": ["week"] * 3,
            "period_start": [week, week + dt.timedelta(days=7), week],
            "period_end": [week + dt.timedelta(days=6), week + dt.timedelta(days=13), week],
            "complete": [True, False, True], "value": [value, 0.9, 0.8], "low": [0.2, 0.1, 0.1],
            "high": [0.4, 0.99, 0.9],
        }
    )  # fmt: skip
    workspace.published_db.parent.mkdir(exist_ok=True)
    replace_database(workspace.published_db, {"metric_values": values})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.plan_file.write_text(PLAN)
    workspace.product_file.write_text(PRODUCT)
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "tree.yml").write_text(STRATEGY)
    publish(workspace, 0.3125)
    return workspace


@pytest.fixture
def begun(workspace: Workspace) -> Workspace:
    new_kata(workspace, "sooner", "Publish sooner", "creators", "faster", TARGET)
    next_step(workspace, "sooner", KEY, turn=TURN, now=NOON)
    return workspace


def katas(workspace: Workspace, key: Key = KEY) -> dict[str, object]:
    from headway.models.plan import load_plan
    from headway.models.product import load_product
    from headway.models.strategy import load_strategy

    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    return dict(katas_of(workspace, product, load_strategy(workspace.root, product, plan), key))


def test_a_step_begins_with_what_is_measured_in_the_last_complete_period(begun: Workspace) -> None:
    text = (begun.root / "kata" / "sooner.yml").read_text()
    (step,) = next_step(
        begun, "sooner", KEY, learned="It was not the title", now=NOON + dt.timedelta(days=9)
    ).steps
    # In Auckland it is the next day already.
    assert str(step.date) == "2026-06-02"
    assert (step.current.value, step.current.low, str(step.current.period_start)) == (
        0.3125,
        0.2,
        "2026-05-18",
    )
    assert (step.obstacle.funnel, step.obstacle.step, step.tests) == ("publish", 2, "titles")
    assert step.happened is not None
    assert str(step.happened.taken) == "2026-06-11"
    # What stood there stays as it was, line by line: the history is read in git.
    assert (begun.root / "kata" / "sooner.yml").read_text().startswith(text)


def test_on_a_day_that_is_over_counts_what_was_known_then(begun: Workspace) -> None:
    """A week of a metric with a window of a day is known on the second day after it."""
    weeks = [dt.date(2026, 5, 18) + dt.timedelta(days=7 * n) for n in range(4)]
    values = pl.DataFrame(
        {
            "metric": "publishing", "segment": "all", "period": "week", "period_start": weeks,
            "period_end": [week + dt.timedelta(days=6) for week in weeks], "complete": True,
            "value": [0.1, 0.2, 0.3, 0.4], "low": 0.0, "high": 1.0,
        }
    )  # fmt: skip
    replace_database(begun.published_db, {"metric_values": values})
    noon = dt.datetime(
        2026, 6, 8, 12, tzinfo=dt.UTC
    )  # in Auckland it is the 9th, and the week of 1 June is over
    (step,) = next_step(begun, "sooner", KEY, learned="Then", now=noon).steps
    assert step.happened is not None
    assert (step.happened.value, str(step.happened.period_start)) == (0.3, "2026-06-01")
    *_, begun_now = next_step(begun, "sooner", KEY, turn=TURN, now=noon).steps
    assert begun_now.current.value == 0.3
    before = dt.datetime(2026, 6, 7, 11, tzinfo=dt.UTC)
    closed = next_step(begun, "sooner", KEY, learned="Sooner", now=noon)
    assert closed.steps[-1].happened is not None
    new_kata(begun, "other", "Other", "creators", "faster", TARGET)
    (early,) = next_step(begun, "other", KEY, turn=TURN, now=before).steps
    assert (early.current.value, str(early.current.period_start)) == (0.2, "2026-05-25")


def test_steps_go_in_turn(begun: Workspace) -> None:
    with pytest.raises(InputError, match="open step; close it first"):
        next_step(begun, "sooner", KEY, turn=TURN, now=NOON)
    publish(begun, None)
    kata = next_step(begun, "sooner", KEY, learned="Nothing", turn=TURN, now=NOON)
    assert [step.happened is not None for step in kata.steps] == [True, False]
    assert kata.steps[1].current.value is None
    next_step(begun, "sooner", KEY, learned="Nothing again", now=NOON)
    with pytest.raises(InputError, match="no open step to close"):
        next_step(begun, "sooner", KEY, learned="More", now=NOON)
    with pytest.raises(InputError, match="say what was learned"):
        next_step(begun, "sooner", KEY, now=NOON)
    with pytest.raises(InputError, match="unknown kata 'soner'"):
        next_step(begun, "soner", KEY, learned="x", now=NOON)


@pytest.mark.parametrize(
    ("obstacle", "message"),
    [
        ("people are slow", "is no obstacle; point to something in the data"),
        ("funnel:publish", "is no obstacle"),
        ("funnel:publish:1", "is no obstacle"),
        ("funnel:publish:3", "publish has 2 steps, no step 3"),
        ("funnel:publsh:2", "unknown funnel 'publsh' \\(did you mean 'publish'"),
        ("retention:front", "unknown retention question 'front'"),
        ("survey:publishing", "unknown metric of a survey 'publishing'; known: none"),
        ("topic:publishing", "unknown metric of a topic"),
    ],
)
def test_an_obstacle_is_something_in_the_data(workspace: Workspace, obstacle: str, message: str) -> None:
    new_kata(workspace, "sooner", "Publish sooner", "creators", "faster", TARGET)
    turn = Turn(obstacle, "Ask", 0.3, 0.4, dt.date(2026, 7, 1))
    with pytest.raises(InputError, match=message):
        next_step(workspace, "sooner", KEY, turn=turn, now=NOON)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("value: 0.3125", "value: 0.2"),
        lambda text: text.replace("low: 0.2", "low: 0.25"),
        lambda text: text.replace("taken: 2026-06-02", "taken: 2026-05-02"),
        lambda text: text.replace("metric: publishing", "metric: other"),
    ],
)
def test_what_was_measured_cannot_be_edited_unnoticed(begun: Workspace, edit: Callable[[str], str]) -> None:
    begun.product_file.write_text(
        PRODUCT.replace("metrics:\n", "metrics:\n  other: {framework: aarrr, stage: activation, title: O, unit: people,"
        " kind: new_people}\n")
    )  # fmt: skip
    path = begun.root / "kata" / "sooner.yml"
    path.write_text(edit(path.read_text()))
    with pytest.raises(DefinitionError, match=r"kata/sooner.yml: steps.0.current: was edited"):
        katas(begun)


def test_what_the_team_wrote_may_be_edited_and_another_key_does_not_hide_the_kata(begun: Workspace) -> None:
    path = begun.root / "kata" / "sooner.yml"
    path.write_text("# our first one\n" + path.read_text().replace("Ask for the title only", "Ask for less"))
    assert "sooner" in katas(begun)
    assert "sooner" in katas(begun, Key(bytes(range(100, 132))))


def test_tables_of_a_kata(begun: Workspace) -> None:
    kata = next_step(begun, "sooner", KEY, learned="It was the title", now=NOON + dt.timedelta(days=10))
    tables = kata_tables({"sooner": kata}, today=dt.date(2026, 7, 2))
    (step,) = tables["kata_steps"].to_dicts()
    assert (step["obstacle"], step["came"], step["learned"]) == (
        "funnel:publish:2",
        "as expected",
        "It was the title",
    )
    assert step["sealed_by"] == KEY.id
    assert tables["kata"].to_dicts()[0]["closed"] == 1
    # one turn of 10 days in 30
    assert tables["kata_measures"].select("team", "cycle_days", "steps_per_30_days", "surprised").rows() == [
        ("all", 10.0, 1.0, 0.0),
        ("creators", 10.0, 1.0, 0.0),
    ]
    assert kata_tables({}, today=dt.date(2026, 7, 2))["kata_steps"].is_empty()


def test_a_kata_that_does_not_fit_is_refused(workspace: Workspace) -> None:
    for said, message in (
        ({"name": "So oner"}, "is not a name"),
        ({"direction": "fastr"}, "unknown intent, product or initiative 'fastr'"),
        ({"team": "creatrs"}, "unknown team 'creatrs'"),
        ({"target": {**TARGET, "period": "month"}}, "no values by month"),
        ({"target": {**TARGET, "period": "fortnight"}}, "target.period"),
    ):
        base = {"name": "sooner", "title": "T", "team": "creators", "direction": "faster", "target": TARGET}
        with pytest.raises(InputError, match=message):
            new_kata(workspace, **{**base, **said})  # type: ignore[arg-type]
    assert not (workspace.root / "kata").exists()


def test_the_command_line(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(workspace.root.parent / "kata.key"))
    runner = CliRunner()

    def run(*arguments: str) -> str:
        found = runner.invoke(kata.app, [*arguments, "-w", str(workspace.root)], catch_exceptions=False)
        assert found.exit_code == 0
        return found.output

    assert "no kata yet" in run("show")
    new = ["--title", "Sooner", "--team", "creators", "--direction", "faster", "--metric", "publishing"]
    assert "headway kata next sooner" in run("new", "sooner", *new, "--value", "0.4", "--by", "2099-12-31")
    step = [
        "--obstacle",
        "retention:back",
        "--try",
        "Ask",
        "--low",
        "0.1",
        "--high",
        "0.4",
        "--by",
        "2099-01-01",
    ]
    assert "in the way: retention:back" in run("next", "sooner", *step)
    shown = run("next", "sooner", "--learned", "They forget")
    assert "happened    0.3125" in shown
    assert "as expected" in shown
    assert "They forget" in run("show", "sooner")
    with pytest.raises(InputError, match="a step needs --low, --high, --by, too"):
        run("next", "sooner", "--obstacle", "retention:back", "--try", "Ask")


def test_a_kata_that_names_somebody_is_refused(begun: Workspace) -> None:
    path = begun.root / "kata" / "sooner.yml"
    path.write_text(path.read_text().replace("Ask for the title only", "Ask grizelda@example.com"))
    with pytest.raises(DefinitionError, match=r"steps.0.try: looks like somebody's") as error:
        katas(begun)
    assert "grizelda" not in str(error.value)
