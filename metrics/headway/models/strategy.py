"""The strategy tree: vision, strategic intents, products, initiatives and the options that are bet on.

The files ``strategy/*.yml`` together hold one tree. A node says which team owns it, which problem it is about, which
metrics it is to move, and under which node it stands. An option is one way to solve an initiative's problem; its
bets say, before it is built, which effect is expected on which metric and when that is settled.

The vocabulary is that of Melissa Perri, *Escaping the Build Trap* (2018), chapters 12 to 16; the four risks are Marty
Cagan's, *Inspired* (2nd edition, 2017), chapter 33.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from headway.models.metrics import EventSelector, Grain
from headway.models.plan import TrackingPlan
from headway.models.product import Name, Product
from headway.models.yaml_file import Definition, Document, joined, parse_document, read_text, validate

Number = Annotated[StrictFloat | StrictInt, Field(allow_inf_nan=False)]

Status = Literal["proposed", "active", "done", "stopped"]
"""Where a node stands: thought of, worked on, finished, given up."""

Risk = Literal["value", "usability", "viability", "feasibility"]
"""Whether people want it, can use it, whether it works for the business, whether it can be built."""

RISKS: tuple[Risk, ...] = ("value", "usability", "viability", "feasibility")

SECTIONS = ("vision", "value_streams", "teams", "intents", "products", "initiatives", "options")
"""Top-level keys of a strategy file."""

LEVELS: Mapping[str, str] = {
    "intents": "intent",
    "products": "product",
    "initiatives": "initiative",
    "options": "option",
}
"""Sections whose entries are nodes of the tree -> what one of them is called, from the top down."""


class Vision(Definition):
    """Where the company is going.

    Attributes:
        statement: The vision in a sentence or two.
        by: When it should be true; None for a direction without a date.
        principles: Product principles: what is decided the same way every time.
    """

    statement: StrictStr = Field(min_length=1)
    by: dt.date | None = None
    principles: tuple[StrictStr, ...] = ()


class ValueStream(Definition):
    """Everything that is done to bring value to one kind of customer."""

    title: StrictStr = Field(min_length=1)
    customer: StrictStr = ""


class Team(Definition):
    """A team: it owns nodes of the tree.

    Attributes:
        title: Its name for people.
        value_stream: The value stream it works for.
        formed: Since when it works together as it is.
        ended: When it was dissolved; what it owned is still settled under its name.
    """

    title: StrictStr = Field(min_length=1)
    value_stream: Name | None = None
    formed: dt.date | None = None
    ended: dt.date | None = None

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Team:
        if self.formed and self.ended and self.ended < self.formed:
            raise ValueError(f"ended {self.ended} is before formed {self.formed}")
        return self


class Aim(Definition):
    """A metric that a node is to move; a target needs a date.

    Attributes:
        metric: A metric of the product.
        target: Value to reach; percent targets are fractions.
        by: Last day on which it may be reached.
        period: Kind of period whose value counts.
    """

    metric: Name
    target: Number | None = None
    by: dt.date | None = None
    period: Grain = "week"

    @model_validator(mode="after")
    def _target_has_a_date(self) -> Aim:
        if (self.target is None) != (self.by is None):
            missing = (
                "by: a date, for example 2026-12-31" if self.by is None else "target: the value to reach"
            )
            raise ValueError(f"a target and its date go together; add {missing}")
        return self


class KillRule(Definition):
    """When to give up: the metric is worse than a value for sure, from a day on."""

    metric: Name
    worse_than: Number
    since: dt.date | None = Field(default=None, alias="from")
    period: Grain = "week"


class Decision(Definition):
    """What was decided, when, why, and by whom: the team itself, those who lead, sales, or a customer who asked."""

    date: dt.date
    decision: Literal["do", "do_not", "continue", "change", "stop"]
    reason: StrictStr = Field(min_length=1)
    by: Literal["team", "leadership", "sales", "customer"] | None = None


class Evidence(Definition):
    """One dated piece of evidence about a risk: what it says and where it is kept, never what somebody said.

    Attributes:
        date: When it was found.
        kind: How.
        says: Whether it speaks for the option.
        reference: Where it is kept: a link, a path, a number.
    """

    date: dt.date
    kind: Literal[
        "interview", "observation", "survey", "usability_test", "prototype", "experiment", "data", "market",
        "review",
    ]  # fmt: skip
    says: Literal["supports", "contradicts", "unclear"]
    reference: StrictStr = Field(min_length=1, max_length=300)


class Risks(Definition):
    """Evidence by risk."""

    value: tuple[Evidence, ...] = ()
    usability: tuple[Evidence, ...] = ()
    viability: tuple[Evidence, ...] = ()
    feasibility: tuple[Evidence, ...] = ()

    def of(self, risk: Risk) -> tuple[Evidence, ...]:
        """Returns the evidence about one risk.

        Args:
            risk: Which.

        Returns:
            Its evidence, as written.
        """
        return {
            "value": self.value,
            "usability": self.usability,
            "viability": self.viability,
            "feasibility": self.feasibility,
        }[risk]


class Cost(Definition):
    """What an option costs, in the product's currency.

    Attributes:
        build: Once, to build it.
        per_month: To keep it.
    """

    build: Number = Field(default=0, ge=0)
    per_month: Number = Field(default=0, ge=0)


class Bet(Definition):
    """The effect that an option is expected to have on one metric.

    Attributes:
        metric: A metric of the product.
        expect: The effect that is thought likeliest.
        low: Lower end of the range; with ``high`` what is promised.
        high: Upper end.
        scale: ``relative``: 0.1 is a tenth more; ``absolute``: in the metric's unit, percent as a fraction.
        confidence: Probability that the effect lies within the range, as the team sees it.
        probability: Probability that the bet is a hit, as the team sees it.
        segment: Segment the effect is expected in, as in ``channel=paid``; None for everybody.
    """

    metric: Name
    expect: Number
    low: Number
    high: Number
    scale: Literal["relative", "absolute"] = "relative"
    confidence: StrictFloat = Field(default=0.8, gt=0, lt=1)
    probability: StrictFloat | None = Field(default=None, gt=0, lt=1)
    segment: StrictStr | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*=.+$")

    @model_validator(mode="after")
    def _range_is_one(self) -> Bet:
        if not self.low <= self.expect <= self.high or self.low == self.high:
            raise ValueError(
                f"a bet needs low <= expect <= high and a range, not {self.low}, {self.expect}, {self.high}"
            )
        if self.scale == "relative" and self.low <= -1:
            raise ValueError(
                f"low {self.low}: a relative effect is a fraction; -0.1 is a tenth less, and -1 is all of it"
            )
        return self


class Node(Definition):
    """What every node of the tree says.

    Attributes:
        title: Its name for people.
        under: The node above; None for those directly below the vision.
        team: The team that owns it.
        problem: The problem it is about, as the people who have it would say.
        aims: The metrics it is to move.
        guardrails: Metrics that must not get worse meanwhile.
        kill: When to give up.
        decisions: What was decided about it, and why.
        status: Where it stands.
        start: First day of work.
        end: Last day of work.
    """

    title: StrictStr = Field(min_length=1)
    under: Name | None = None
    team: Name | None = None
    problem: StrictStr = ""
    aims: tuple[Aim, ...] = ()
    guardrails: tuple[Name, ...] = ()
    kill: KillRule | None = None
    decisions: tuple[Decision, ...] = ()
    status: Status = "active"
    start: dt.date | None = None
    end: dt.date | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Node:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class Intent(Node):
    """A strategic intent: one of the few things the company wants now."""


class ProductVision(Node):
    """A product of the portfolio, and where it is going.

    Attributes:
        vision: The product's vision.
    """

    vision: StrictStr = ""


class Initiative(Node):
    """A product initiative: a problem that is worth solving."""


class Option(Node):
    """One way to solve an initiative's problem, and what is bet on it.

    Attributes:
        bets: Expected effects, one a metric.
        horizon: Day on which the bets are settled.
        release: Id of the release in ``inputs/releases.csv`` that brought it to people.
        experiment: Experiment that tests it.
        feature: Events that show somebody using it.
        released: Day on which people got it; the release's own day where there is a release.
        removed: Day on which it was taken away.
        risks: Evidence about the four risks.
        cost: What it costs.
        income: Metric with the money that it brings, to say when it has paid for itself.
    """

    bets: tuple[Bet, ...] = ()
    horizon: dt.date | None = None
    release: StrictStr | None = Field(default=None, min_length=1)
    experiment: Name | None = None
    feature: EventSelector | None = None
    released: dt.date | None = None
    removed: dt.date | None = None
    risks: Risks = Risks()
    cost: Cost | None = None
    income: Name | None = None

    @field_validator("bets")
    @classmethod
    def _one_bet_a_metric(cls, bets: tuple[Bet, ...]) -> tuple[Bet, ...]:
        seen = [(bet.metric, bet.segment) for bet in bets]
        if repeated := [metric for metric, segment in seen if seen.count((metric, segment)) > 1]:
            raise ValueError(f"two bets on {repeated[0]!r}; keep one, or give each its own segment")
        return bets

    @model_validator(mode="after")
    def _days_are_in_order(self) -> Option:
        if self.bets and self.horizon is None:
            raise ValueError("a bet needs a horizon: the day on which it is settled, for example 2026-12-31")
        for name, first in (("start", self.start), ("released", self.released)):
            if first and self.horizon and self.horizon <= first:
                raise ValueError(f"horizon {self.horizon} must be after {name} {first}")
        if self.released and self.removed and self.removed < self.released:
            raise ValueError(f"removed {self.removed} is before released {self.released}")
        return self


class Strategy(Definition):
    """The whole tree.

    Attributes:
        vision: Where the company is going.
        value_streams: Value streams by name.
        teams: Teams by name.
        intents: Strategic intents by name.
        products: Products of the portfolio by name.
        initiatives: Product initiatives by name.
        options: Options by name.
    """

    vision: Vision | None = None
    value_streams: dict[Name, ValueStream] = Field(default_factory=dict)
    teams: dict[Name, Team] = Field(default_factory=dict)
    intents: dict[Name, Intent] = Field(default_factory=dict)
    products: dict[Name, ProductVision] = Field(default_factory=dict)
    initiatives: dict[Name, Initiative] = Field(default_factory=dict)
    options: dict[Name, Option] = Field(default_factory=dict)

    def nodes(self) -> Iterator[tuple[str, str, Node]]:
        """Lists the nodes of the tree, from the top down.

        Yields:
            Section, name and node.
        """
        sections: Mapping[str, Mapping[str, Node]] = {
            "intents": self.intents,
            "products": self.products,
            "initiatives": self.initiatives,
            "options": self.options,
        }
        for section, nodes in sections.items():
            for name, node in nodes.items():
                yield section, name, node

    def node(self, name: str) -> Node | None:
        """Returns a node by its name, or None."""
        return next((node for _, each, node in self.nodes() if each == name), None)


def strategy_files(workspace: str | Path) -> tuple[Path, ...]:
    """Lists the files with the strategy of a workspace.

    Args:
        workspace: The workspace folder.

    Returns:
        ``strategy/*.yml``, by name.
    """
    return tuple(sorted((Path(workspace) / "strategy").glob("*.yml")))


def load_strategy(workspace: str | Path, product: Product, plan: TrackingPlan) -> Strategy:
    """Reads the strategy of a workspace and checks it against the product.

    Args:
        workspace: The workspace folder.
        product: The product, whose metrics the tree speaks of.
        plan: The tracking plan, whose events options speak of.

    Returns:
        The strategy; an empty one where there are no files.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with file and line.
    """
    documents = []
    for path in strategy_files(workspace):
        text, name = read_text(path)
        documents.append(parse_document(text, f"strategy/{name}"))
    return checked_strategy(documents, product, plan)


def parse_strategy(text: str, product: Product, plan: TrackingPlan) -> Strategy:
    """Reads a strategy from YAML text.

    Args:
        text: The YAML text.
        product: The product, whose metrics the tree speaks of.
        plan: The tracking plan.

    Returns:
        The strategy.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its line.
    """
    return checked_strategy([parse_document(text, "strategy/strategy.yml")], product, plan)


def checked_strategy(documents: list[Document], product: Product, plan: TrackingPlan) -> Strategy:
    """Makes one tree of all strategy files.

    Args:
        documents: What the files say.
        product: The product.
        plan: The tracking plan.

    Returns:
        The strategy.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with file and line.
    """
    # The checks import the models.
    from headway.models.strategy_checks import problems, shape_problems

    whole = Document("strategy", {}, {(): 1})
    for document in documents:
        if wrong := list(shape_problems(document)):
            raise document.error(wrong)
        for section, content in document.data.items():
            whole = joined(whole, section, [_section(document, section, content)])
    return validate(whole, Strategy, lambda strategy: problems(strategy, product, plan))


def _section(document: Document, section: str, content: object) -> Document:
    lines = {at[1:]: line for at, line in document.lines.items() if at[:1] == (section,)}
    return Document(document.name, content if content is not None else {}, {(): 1, **lines})
