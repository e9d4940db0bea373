"""A product kata: one improvement after the other towards a target, each with an expectation and what came of it.

A file ``kata/NAME.yml`` is one kata. Its four questions are those of Melissa Perri, *Escaping the Build Trap* (2018),
chapter 16, after Mike Rother, *Toyota Kata* (2009): where do we want to be, where are we, what is the obstacle, what
do we try next, what do we expect, and what happened. Where we are and what happened is measured and sealed: Headway
writes it, nobody edits it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr, model_validator

from headway.models.explain import did_you_mean, listed
from headway.models.metrics import Grain
from headway.models.product import Name, Product
from headway.models.strategy import Strategy
from headway.models.yaml_file import (
    Definition,
    Document,
    Location,
    Problem,
    parse_document,
    read_text,
    validate,
)

Number = Annotated[StrictFloat | StrictInt, Field(allow_inf_nan=False)]


class TargetCondition(Definition):
    """Where the team wants to be next.

    Attributes:
        metric: A metric of the product.
        value: Value to reach; percent as a fraction.
        by: Last day for it.
        period: Kind of period whose value counts.
    """

    metric: Name
    value: Number
    by: dt.date
    period: Grain = "week"


class Snapshot(Definition):
    """What a metric was at a moment, as Headway measured it.

    Attributes:
        taken: Day on which it was looked at.
        period_start: First day of the last complete period then.
        value: Its value; None where there was none that may be shown.
        low: Lower end of its 95 % interval.
        high: Upper end.
        definition_hash: The metric's definition.
        seal: Id of a key, and what only Headway with that key can write.
    """

    taken: dt.date
    period_start: dt.date | None = None
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    definition_hash: StrictStr
    seal: StrictStr = Field(pattern=r"^[0-9a-f]{8}\.[0-9a-f]{32}$")


class Obstacle(Definition):
    """What stands in the way, as something that can be seen in the data: one of these.

    Attributes:
        funnel: A funnel of the product; with ``step``, the step that people do not get to.
        step: Number of the step, from 2.
        retention: A retention question of the product: cohorts that do not come back.
        survey: A metric made of a declared survey.
        topic: A metric of people who ask for help.
    """

    funnel: Name | None = None
    step: StrictInt | None = Field(default=None, ge=2)
    retention: Name | None = None
    survey: Name | None = None
    topic: Name | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Obstacle:
        kinds = [kind for kind in ("funnel", "retention", "survey", "topic") if getattr(self, kind)]
        if len(kinds) != 1:
            raise ValueError(
                "an obstacle points to one thing in the data: {funnel: NAME, step: N}, {retention: NAME}, "
                "{survey: METRIC} or {topic: METRIC}"
            )
        if (self.step is None) != (self.funnel is None):
            raise ValueError(
                "a funnel needs the step that people do not get to, as in {funnel: NAME, step: 2}"
            )
        return self

    @property
    def label(self) -> str:
        """The obstacle as the command line writes it, for example ``funnel:publish:2``."""
        if self.funnel:
            return f"funnel:{self.funnel}:{self.step}"
        kind = "retention" if self.retention else "survey" if self.survey else "topic"
        return f"{kind}:{self.retention or self.survey or self.topic}"


class Expectation(Definition):
    """What the team expects of a step: a range for the target's metric, by a day."""

    low: Number
    high: Number
    by: dt.date

    @model_validator(mode="after")
    def _range_is_one(self) -> Expectation:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class Step(Definition):
    """One turn of the kata.

    Attributes:
        date: Day on which it began.
        current: What was measured then.
        obstacle: What stands in the way.
        attempt: What is tried next; ``try`` in the file.
        tests: Option or experiment that it is, where it is one.
        expect: What is expected.
        happened: What was measured at its end.
        learned: What was learned.
    """

    date: dt.date
    current: Snapshot
    obstacle: Obstacle
    attempt: StrictStr = Field(alias="try", min_length=1)
    tests: Name | None = None
    expect: Expectation
    happened: Snapshot | None = None
    learned: StrictStr = ""

    @model_validator(mode="after")
    def _is_in_order(self) -> Step:
        if self.expect.by < self.date:
            raise ValueError(f"expect.by {self.expect.by} is before the step began, on {self.date}")
        if self.happened and self.happened.taken < self.date:
            raise ValueError(f"happened was taken on {self.happened.taken}, before the step began")
        if bool(self.learned) != bool(self.happened):
            raise ValueError(
                "what happened and what was learned go together; close a step with 'headway kata next'"
            )
        return self


class Kata(Definition):
    """One kata.

    Attributes:
        title: Its name for people.
        team: The team that practises it.
        direction: The initiative or intent that it serves.
        target: Where the team wants to be next.
        steps: Its turns, oldest first; only the last may be open.
    """

    title: StrictStr = Field(min_length=1)
    team: Name
    direction: Name
    target: TargetCondition
    steps: tuple[Step, ...] = ()

    @property
    def open_step(self) -> Step | None:
        """The step that is not closed yet, or None."""
        return self.steps[-1] if self.steps and self.steps[-1].happened is None else None


def kata_files(workspace: str | Path) -> tuple[Path, ...]:
    """Lists the kata of a workspace.

    Args:
        workspace: The workspace folder.

    Returns:
        ``kata/*.yml``, by name.
    """
    return tuple(sorted((Path(workspace) / "kata").glob("*.yml")))


def load_kata(path: str | Path, product: Product, strategy: Strategy) -> Kata:
    """Reads one kata and checks it against product and strategy.

    Args:
        path: The YAML file.
        product: The product.
        strategy: The strategy.

    Returns:
        The kata.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its line.
    """
    text, name = read_text(path)
    return check_kata(parse_document(text, f"kata/{name}"), product, strategy)


def check_kata(document: Document, product: Product, strategy: Strategy) -> Kata:
    """Makes a kata of what a file says.

    Args:
        document: What the file says.
        product: The product.
        strategy: The strategy.

    Returns:
        The kata.

    Raises:
        DefinitionError: Something is wrong.
    """
    return validate(document, Kata, lambda kata: _problems(kata, product, strategy))


def _problems(kata: Kata, product: Product, strategy: Strategy) -> Iterator[Problem]:
    nodes = [name for section, name, _ in strategy.nodes() if section != "options"]
    if kata.direction not in nodes:
        yield _unknown(("direction",), "intent, product or initiative", kata.direction, nodes)
    if kata.team not in strategy.teams:
        yield _unknown(("team",), "team", kata.team, strategy.teams)
    if kata.target.metric not in product.metrics:
        yield _unknown(("target", "metric"), "metric", kata.target.metric, product.metrics)
    elif kata.target.period not in (grains := product.grains_of(kata.target.metric)):
        yield Problem(
            ("target", "period"),
            f"{kata.target.metric} has no values by {kata.target.period}; write one of {', '.join(grains)}",
        )
    for position, step in enumerate(kata.steps):
        at: Location = ("steps", position)
        yield from obstacle_problems(step.obstacle, (*at, "obstacle"), product)
        if step.happened is None and position < len(kata.steps) - 1:
            yield Problem(at, "only the last step may be open; close this one first")
        if position and step.date < kata.steps[position - 1].date:
            yield Problem((*at, "date"), "is before the step above; steps stand in the order of time")


def obstacle_problems(obstacle: Obstacle, at: Location, product: Product) -> Iterator[Problem]:
    """Lists what the product does not know of an obstacle.

    Args:
        obstacle: The obstacle.
        at: Where it is written.
        product: The product.

    Yields:
        One problem each.
    """
    if obstacle.funnel:
        funnel = product.funnels.get(obstacle.funnel)
        if funnel is None:
            yield _unknown((*at, "funnel"), "funnel", obstacle.funnel, product.funnels)
        elif obstacle.step and obstacle.step > len(funnel.steps):
            yield Problem(
                (*at, "step"), f"{obstacle.funnel} has {len(funnel.steps)} steps, no step {obstacle.step}"
            )
    if obstacle.retention and obstacle.retention not in product.retentions:
        yield _unknown((*at, "retention"), "retention question", obstacle.retention, product.retentions)
    surveys = [name for name, metric in product.metrics.items() if _speaks_of(metric, "survey")]
    topics = [name for name, metric in product.metrics.items() if _speaks_of(metric, "topic")]
    for kind, known in (("survey", surveys), ("topic", topics)):
        name = getattr(obstacle, kind)
        if name and name not in known:
            yield _unknown((*at, kind), f"metric of a {kind}", name, known)


def _speaks_of(metric: Any, kind: Literal["survey", "topic"]) -> bool:
    if kind == "survey":
        return metric.kind in ("survey", "nps") or any(stage == "happiness" for _, stage in metric.places())
    return any(framework == "customer" for framework, _ in metric.places())


def _unknown(at: Location, kind: str, name: str, known: Any) -> Problem:
    return Problem(at, f"unknown {kind} {name!r}{did_you_mean(name, known)}; known: {listed(known)}")
