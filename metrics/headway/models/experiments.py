"""Experiments of a workspace, declared in ``experiments/*.yml`` before they start."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from headway.arithmetic import names_in
from headway.errors import InputError
from headway.models.explain import did_you_mean, listed
from headway.models.metrics import EventSelector, checked_duration
from headway.models.plan import TrackingPlan
from headway.models.product import Name, Product
from headway.models.product_checks import selector_problems
from headway.models.yaml_file import (
    Definition,
    Document,
    Location,
    Problem,
    joined,
    parse_document,
    read_text,
    validate,
)

if TYPE_CHECKING:
    from headway.experiments.outcome import Outcome

Number = StrictInt | StrictFloat


class Exposed(Definition):
    """Which events say that a unit met a variant.

    Attributes:
        event: The events.
        flag: Property that names the flag or experiment; None where the events are about one alone.
        value: Name of the flag in the events; None: the experiment's name.
        variant: Property that names the variant.
    """

    event: EventSelector
    flag: StrictStr | None = None
    value: StrictStr | None = None
    variant: StrictStr = "variant"


class PhaseDefinition(Definition):
    """A time from `start` on in which the planned split stays the same."""

    start: dt.date
    variants: dict[StrictStr, Number]


class Counted(Definition):
    """An outcome written out, where no metric of the product says it: fields and defaults are `headway.Outcome`'s."""

    name: Name
    title: StrictStr | None = None
    of: EventSelector
    measure: StrictStr = "did"
    per: EventSelector | None = None
    per_measure: StrictStr = "events"
    after: StrictStr = "0s"
    within: StrictStr | None = None
    minus: EventSelector | None = None
    also: EventSelector | None = None
    via: tuple[EventSelector, ...] = ()
    currency: StrictStr | None = None
    direction: Literal["up", "down"] = "up"
    unit: StrictStr = ""


class Compared(Definition):
    """Something that is compared: a metric of the product, or an outcome written out.

    Attributes:
        metric: Name of the metric.
        outcome: The outcome.
        margin: For a guardrail: how much worse it may get, as a share of the control.
    """

    metric: StrictStr | None = None
    outcome: Counted | None = None
    margin: Number | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: object) -> object:
        return {"metric": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _is_one_thing(self) -> Compared:
        if (self.metric is None) == (self.outcome is None):
            raise ValueError("write the name of a metric, or outcome: with its events")
        return self

    @property
    def name(self) -> str:
        """Its name in the results."""
        return self.outcome.name if self.outcome is not None else str(self.metric)


class Decision(Definition):
    """The rule by which the experiment is decided; see `headway.Rule`."""

    minimum_units: StrictInt = Field(default=100, ge=2)
    worthwhile: Number | None = Field(default=None, gt=0, lt=10)
    split: Number = Field(default=0.001, gt=0, lt=0.5)


class ExperimentDefinition(Definition):
    """One experiment.

    Attributes:
        title: Title for people.
        hypothesis: What is believed, and why.
        owner: Who answers for it.
        exposure: Which events expose.
        unit: What is exposed: ``person``, or a property such as ``account``.
        variants: Planned share by variant; the first is the control unless `control` says another.
        control: What others are compared with.
        holdout: Values of the variant that mean a unit was kept out.
        eligible: Events of units that could have been exposed.
        start: First local day of exposures.
        end: Last local day of exposures.
        declared: Day on which this was written down.
        phases: Times with other planned shares, in order; the first is the experiment's own.
        window: Time after exposure, for what has no window of its own.
        primary: What the decision rests on.
        secondary: What is looked at beside.
        guardrails: What must not get worse than its margin.
        by: Property whose value at the exposure divides units into segments.
        cuped: Time before the exposure whose outcomes are taken off; null: not at all.
        cap: Quantile at which larger amounts of units are cut.
        method: ``fixed``: judged once, at the end; ``sequential``: at any time.
        alpha: Probability of a false claim.
        correction: For several primary metrics and variants.
        relative: Interval of the relative effect.
        prior: Standard deviation of the prior of a relative effect; null: flat.
        several: What becomes of units that met several variants.
        decision: The rule.
    """

    title: StrictStr = Field(min_length=1)
    hypothesis: StrictStr = Field(min_length=1)
    owner: StrictStr = ""
    exposure: Exposed
    unit: StrictStr = "person"
    variants: dict[StrictStr, Number] = Field(min_length=2)
    control: StrictStr | None = None
    holdout: tuple[StrictStr, ...] = ()
    eligible: EventSelector | None = None
    start: dt.date
    end: dt.date
    declared: dt.date | None = None
    phases: tuple[PhaseDefinition, ...] = ()
    window: StrictStr | None = "14d"
    primary: tuple[Compared, ...] = Field(min_length=1)
    secondary: tuple[Compared, ...] = ()
    guardrails: tuple[Compared, ...] = ()
    by: StrictStr | None = None
    cuped: StrictStr | None = "14d"
    cap: Number | None = Field(default=None, gt=0.5, lt=1)
    method: Literal["fixed", "sequential"] = "fixed"
    alpha: Number = Field(default=0.05, gt=0, lt=0.5)
    correction: Literal["holm", "benjamini-hochberg", "none"] = "holm"
    relative: Literal["delta", "fieller"] = "delta"
    prior: Number | None = Field(default=0.3, gt=0)
    several: Literal["exclude", "first"] = "exclude"
    decision: Decision = Decision()

    @field_validator("window", "cuped")
    @classmethod
    def _is_a_duration(cls, text: str | None) -> str | None:
        return text if text is None else checked_duration(text)

    @model_validator(mode="after")
    def _times_and_names_fit(self) -> ExperimentDefinition:
        if self.end < self.start:
            raise ValueError(f"end {self.end} lies before start {self.start}")
        if any(share <= 0 for share in self.variants.values()):
            raise ValueError(
                "every variant's planned share must be above 0; leave out one that nobody should get"
            )
        if self.control is not None and self.control not in self.variants:
            raise ValueError(f"control {self.control!r} is none of the variants: {listed(self.variants)}")
        starts = [self.start, *(phase.start for phase in self.phases)]
        if starts != sorted(set(starts)) or starts[-1] > self.end:
            raise ValueError("phases start one after another, after start and not after end")
        names = [each.name for each in (*self.primary, *self.secondary, *self.guardrails)]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{sorted(repeated)[0]!r} is compared twice; once is enough")
        return self

    @property
    def compared(self) -> Iterator[tuple[Location, Compared]]:
        """Everything compared, each with its place."""
        for role in ("primary", "secondary", "guardrails"):
            for place, each in enumerate(getattr(self, role)):
                yield (role, place), each

    def definition_hash(self) -> str:
        """Hashes everything that decides numbers and verdicts; titles and owners do not count.

        Returns:
            SHA-256 in hexadecimal.
        """
        # Without what is so by default: an option that a later version adds would pass for a change.
        left_out = {"title", "hypothesis", "owner", "declared"}
        content = self.model_dump(mode="json", exclude=left_out, exclude_defaults=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Experiments(Definition):
    """All experiments of a workspace, by name."""

    experiments: dict[Name, ExperimentDefinition] = Field(default_factory=dict)


def load_experiments(
    path: str | Path, plan: TrackingPlan, product: Product
) -> Mapping[str, ExperimentDefinition]:
    """Reads the experiments beside a product file.

    Args:
        path: The product's file; ``experiments/*.yml`` lie beside it, each a mapping from name to experiment.
        plan: The tracking plan.
        product: The product.

    Returns:
        Experiments by name, in the order of the files; none where there is no such file.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its file and line.
    """
    files = experiment_files(path)
    return (
        parse_experiments({each.name: read_text(each)[0] for each in files}, plan, product) if files else {}
    )


def experiment_files(path: str | Path) -> tuple[Path, ...]:
    """Lists the files with the experiments of a product.

    Args:
        path: The product's file.

    Returns:
        ``experiments/*.yml`` beside it, by name.
    """
    return tuple(sorted((Path(path).parent / "experiments").glob("*.yml")))


def parse_experiments(
    texts: Mapping[str, str], plan: TrackingPlan, product: Product
) -> Mapping[str, ExperimentDefinition]:
    """Reads experiments from YAML texts and checks them against plan and product.

    Args:
        texts: YAML text by file name.
        plan: The tracking plan.
        product: The product.

    Returns:
        Experiments by name.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its file and line.
    """
    more = [parse_document(text, f"experiments/{name}") for name, text in texts.items()]
    empty = Document("experiments", {"experiments": {}}, {(): 1, ("experiments",): 1})
    found = validate(
        joined(empty, "experiments", more),
        Experiments,
        lambda made: problems(made.experiments, plan, product),
    )
    return found.experiments


def problems(
    experiments: Mapping[str, ExperimentDefinition], plan: TrackingPlan, product: Product
) -> Iterator[Problem]:
    """Lists everything in experiments that plan or product contradict.

    Args:
        experiments: Experiments whose shape is right.
        plan: The tracking plan.
        product: The product.

    Yields:
        One problem each, with its place.
    """
    # Outcomes need the parser of conditions, which the models of a plan alone do not.
    from headway.experiments.declared import outcome_named

    for name, experiment in experiments.items():
        at: Location = ("experiments", name)
        yield from _exposure(experiment, (*at, "exposure"), plan)
        if experiment.eligible is not None:
            yield from selector_problems(experiment.eligible, (*at, "eligible"), plan)
        known: Mapping[str, Any] = {**plan.columns(), **plan.dated_columns()}
        for option in ("by", "unit"):
            value = getattr(experiment, option)
            if value not in (None, "person", "account") and value not in known:
                yield Problem(
                    (*at, option),
                    f"the tracking plan has no property {value!r}{did_you_mean(value, known)}; it has: {listed(known)}",
                )
        for position, phase in enumerate(experiment.phases):
            for variant in phase.variants:
                if variant not in experiment.variants:
                    yield Problem(
                        (*at, "phases", position, "variants", variant),
                        f"{variant!r} is none of the variants: {listed(experiment.variants)}",
                    )
        for place, each in experiment.compared:
            if each.metric is not None and each.metric not in product.metrics:
                hint = did_you_mean(each.metric, product.metrics)
                yield Problem((*at, *place), f"the product has no metric {each.metric!r}{hint}")
                continue
            if each.outcome is not None:
                for part in ("of", "per", "minus", "also"):
                    if (selector := getattr(each.outcome, part)) is not None:
                        yield from selector_problems(selector, (*at, *place, "outcome", part), plan)
                for step, selector in enumerate(each.outcome.via):
                    yield from selector_problems(selector, (*at, *place, "outcome", "via", step), plan)
            try:
                outcome = outcome_named(each, product)
            except InputError as error:
                yield Problem((*at, *place), str(error))
                continue
            if each.outcome is not None:
                yield from _read_by(outcome, (*at, *place, "outcome"), plan.columns())


def _read_by(outcome: Outcome, at: Location, known: Mapping[str, Any]) -> Iterator[Problem]:
    """Properties that an outcome adds up or turns into one currency, and the plan does not have."""
    measures = [outcome.numerator, *([outcome.denominator] if outcome.denominator is not None else [])]
    names = [("measure", name) for each in measures if each.value for name in names_in(each.value)]
    for part, name in (*names, *([("currency", outcome.currency)] if outcome.currency else [])):
        if name not in known:
            hint = did_you_mean(name, known)
            yield Problem(
                (*at, part), f"the tracking plan has no property {name!r}{hint}; it has: {listed(known)}"
            )


def _exposure(experiment: ExperimentDefinition, at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    exposed = experiment.exposure
    yield from selector_problems(exposed.event, (*at, "event"), plan)
    for option in ("flag", "variant"):
        name = getattr(exposed, option)
        for event in exposed.event.event:
            if name is None or event not in plan.events:
                continue
            carried = plan.events[event].properties
            if name not in carried:
                yield Problem(
                    (*at, option),
                    f"event {event!r} has no property {name!r}{did_you_mean(name, carried)}; it has: {listed(carried)}",
                )
                continue
            if option == "variant":
                yield from _values(experiment, name, getattr(carried[name], "values", None) or (), at)


def _values(experiment: ExperimentDefinition, name: str, values: Any, at: Location) -> Iterator[Problem]:
    for variant in (*experiment.variants, *experiment.holdout):
        if values and variant not in values:
            yield Problem(
                at, f"{name} is never {variant!r} by the tracking plan; its values: {listed(values)}"
            )
