"""An experiment as a question: who was exposed to what, and what the variants did to outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import exp

from headway.engine import bind, load
from headway.errors import InputError
from headway.experiments.exposure import (
    Exposure,
    Phase,
    Variants,
    checked_shares,
    exposure_of,
    flagged,
    phase_number,
)
from headway.experiments.marks import Marks, Window
from headway.experiments.outcome import Outcome
from headway.experiments.query import Compiled
from headway.experiments.rates import rates_of
from headway.experiments.result import ExperimentResult
from headway.experiments.rule import DECLARED_NOTHING, Rule
from headway.insights.question import Question, Scope
from headway.log import EventLog
from headway.models.durations import describe_duration, parse_duration
from headway.periods import utc_text
from headway.selectors import Selector, condition

_PACKAGE = "headway.experiments"


@dataclass(frozen=True)
class Experiment(Question):
    """An experiment: units exposed to variants, and what they did afterwards.

    Units with at least one valid exposure count, from the first on, with the variant of that exposure. `since` and
    `until` bound the exposures; what units do counts beyond, until the window of an outcome closes.

    Attributes:
        name: The experiment's name, and that of its flag in the events.
        variants: Names of the variants, or planned shares by name; the first is the control.
        metrics: What the decision rests on: outcomes, or names of events for the share of units that do them.
        secondary: What is looked at beside; no decision rests on it.
        guardrails: What must not get worse than its margin (2 % of the control where it has none).
        exposure: Events that expose, an `Exposure`, or the name of a tracker in `headway.experiments.EXPOSURES`.
        flag: Property that names the flag or experiment; None where the events are about one alone.
        value: Name of the flag in the events; None: the experiment's name.
        variant: Property that names the variant; None: ``variant``, or what the tracker uses.
        control: The variant others are compared with; None: the first.
        holdout: Values of the variant's property that mean a unit was kept out; they are no arm and leave the planned
            shares.
        phases: Times in which the planned split differed, in order.
        window: Time after exposure in which outcomes without a window of their own count; None: until the data end.
        several: Units exposed to several variants are left out (``"exclude"``) or counted with the first (``"first"``).
        eligible: Events that make a unit one that could have been exposed, for the exposure funnel.
        by: A property whose value at the exposure divides units into segments.
        before: Time before the exposure whose outcomes are taken off (CUPED); None: not at all.
        cap: Quantile of the amounts of units at which larger ones are cut (winsorised); None: not at all.
        method: ``"fixed"`` judges once, at the planned end; ``"sequential"`` may be judged at any time.
        alpha: Probability of a false claim, two-sided.
        correction: For several primary metrics and variants: ``"holm"``, ``"benjamini-hochberg"`` or ``"none"``.
        relative: Interval of the relative effect: ``"delta"`` or ``"fieller"``.
        prior: Standard deviation of the prior of a relative effect, around 0; None: flat.
        rule: The decision rule, declared before the start.
        currency: What amounts of outcomes with a currency are turned into, ISO 4217, by the relation
            ``exchange_rates`` (day, currency, rate) on the log's connection: the latest rate of at most a week ago.

    Raises:
        InputError: An option cannot be used.

    Examples:
        >>> Experiment("editor", ["control", "new"], ["Course Published"], exposure="Exposed").control
        'control'
    """

    name: str
    variants: Variants
    metrics: Sequence[Outcome | str]
    secondary: Sequence[Outcome | str] = ()
    guardrails: Sequence[Outcome] = ()
    exposure: Exposure | Selector = "Feature Exposed"
    flag: str | None = None
    value: str | None = None
    variant: str | None = None
    control: str | None = None
    holdout: Sequence[str] = ()
    phases: Sequence[Phase] = ()
    window: str | None = None
    several: Literal["exclude", "first"] = "exclude"
    eligible: Selector | None = None
    by: str | None = None
    before: str | None = "14d"
    cap: float | None = None
    method: Literal["fixed", "sequential"] = "fixed"
    alpha: float = 0.05
    correction: Literal["holm", "benjamini-hochberg", "none"] = "holm"
    relative: Literal["delta", "fieller"] = "delta"
    prior: float | None = 0.3
    rule: Rule = DECLARED_NOTHING
    currency: str | None = None

    def __post_init__(self) -> None:
        shares = checked_shares(self.variants)
        object.__setattr__(self, "variants", tuple(shares.items()))
        if self.control is None:
            object.__setattr__(self, "control", next(iter(shares)))
        if self.control not in shares:
            raise InputError.unknown("control", str(self.control), shares)
        for name in ("metrics", "secondary", "guardrails"):
            given = getattr(self, name)
            made = [
                each if isinstance(each, Outcome) else Outcome(each, each) for each in _listed(given, name)
            ]
            object.__setattr__(self, name, tuple(made))
        names = [each.name for each in self.outcomes]
        if len(set(names)) < len(names):
            raise InputError("two outcomes have the same name; give each its own")
        if not self.outcomes:
            raise InputError("an experiment needs at least one metric")
        self._check_options()
        object.__setattr__(self, "exposure", exposure_of(self.exposure, self.flag, self.variant))
        object.__setattr__(self, "phases", tuple(_phase(each, shares) for each in self.phases))
        object.__setattr__(self, "holdout", tuple(self.holdout))
        if taken := set(self.holdout) & set(shares):
            raise InputError(f"{sorted(taken)[0]!r} is a variant and a holdout; it can be only one of them")

    def _check_options(self) -> None:
        allowed = {
            "several": ("exclude", "first"),
            "method": ("fixed", "sequential"),
            "correction": ("holm", "benjamini-hochberg", "none"),
            "relative": ("delta", "fieller"),
        }
        for option, values in allowed.items():
            if getattr(self, option) not in values:
                raise InputError.unknown(option, str(getattr(self, option)), values)
        if not 0 < self.alpha < 0.5:
            raise InputError(f"alpha must be between 0 and 0.5, not {self.alpha}")
        if self.cap is not None and not 0.5 < self.cap < 1:
            raise InputError(f"cap is a quantile between 0.5 and 1, such as 0.999, not {self.cap}")
        if self.prior is not None and not self.prior > 0:
            raise InputError("the prior's standard deviation must be above 0; None is flat")
        for length in (self.window, self.before):
            if length is not None and parse_duration(length) == 0:
                raise InputError("a window of no time holds nothing; write at least one second, or None")

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Everything that is compared: primary, secondary, guardrails."""
        return (*self.metrics, *self.secondary, *self.guardrails)  # type: ignore[arg-type]

    @property
    def shares(self) -> Mapping[str, float]:
        """Planned share by variant."""
        return dict(self.variants)  # type: ignore[arg-type]

    @property
    def split_changes(self) -> bool:
        """Whether the planned shares differ between phases, so that arms are not the same mix of times."""
        return len({phase.shares for phase in self.phases}) > 1

    @property
    def told_by(self) -> Exposure:
        """How exposure is told."""
        assert isinstance(self.exposure, Exposure)
        return self.exposure

    def role(self, outcome: Outcome) -> str:
        """Says what an outcome is for: ``primary``, ``secondary`` or ``guardrail``."""
        if outcome in self.metrics:
            return "primary"
        return "guardrail" if outcome in self.guardrails else "secondary"

    def describe(self) -> str:
        """Says in one sentence what is compared."""
        others = [name for name in self.shares if name != self.control]
        window = "" if self.window is None else f" within {describe_duration(self.window)} of it"
        cut = "" if self.cap is None else f", amounts cut at their {100 * self.cap:g} % quantile"
        return (
            f"Experiment {self.name}: {' and '.join(others)} against {self.control}, by what units did from their "
            f"first exposure on{window}{cut}; units exposed to several variants are "
            f"{'left out' if self.several == 'exclude' else 'counted with the first'}."
        )

    def run(self, log: EventLog) -> ExperimentResult:
        """Asks a log.

        Args:
            log: The log.

        Returns:
            The result.

        Raises:
            InputError: A property is unknown, or an event never occurs.
            EngineError: The database refused a query.
        """
        compiled = self.compiled(log)
        return ExperimentResult.of(self, Scope.of(self, log), compiled)

    def compiled(self, log: EventLog) -> Compiled:
        """Writes the relations on which the experiment's queries stand.

        Args:
            log: The log.

        Returns:
            The relations.
        """
        # What units do counts before the first exposure and after the last: the range bounds exposures only.
        everything = Scope.of(replace(self, since=None, until=None), log)
        inside = Scope.of(self, log)
        told = self.told_by.renamed(log.properties)
        marks = Marks(log.properties, self.currency)
        windows = [Window(each.opens, each.closes(self.window)) for each in self.outcomes]
        for outcome in self.outcomes:
            for event in outcome.selectors():
                everything.matches(event)
        everything.matches(told.event)
        makes_eligible = None if self.eligible is None else condition(self.eligible, log.properties)
        draft = Compiled(
            {},
            self.outcomes,
            windows,
            marks,
            everything.observed_us,
            None if self.before is None else parse_duration(self.before),
            [self.cap] * len(self.outcomes),
            None if makes_eligible is None else exp.and_(makes_eligible, inside.inside()),
        )
        draft.sums()
        for place, outcome in enumerate(self.outcomes):
            if outcome.kind in ("quantile", "time"):
                (draft.observations if outcome.kind == "quantile" else draft.waiting)(place)
        exposes = flagged(told, self.value or self.name, log.properties)
        conditions = [exposes, told.read(), *([exp.column(self.by, quoted=True)] if self.by else [])]
        conditions += [*marks.reads, *([] if makes_eligible is None else [makes_eligible])]
        tests = [test.copy() for test in marks.tests.values()]
        tests += [exp.not_(value.copy().is_(exp.null())) for value in marks.values.values()]
        ctes = {
            "ev": everything.events(conditions, ever=True),
            **({} if all(each.currency is None for each in self.outcomes) else {"rates": rates_of(log)}),
            "exposing": self._exposing(log, told, exposes, inside, everything),
            "units": load(_PACKAGE, "units"),
            "marked": bind(load(_PACKAGE, "marked"), {"marks": marks.select(), "kept": exp.or_(*tests)}),
        }
        return replace(draft, ctes=ctes)

    def _exposing(
        self, log: EventLog, told: Exposure, exposes: exp.Expr, inside: Scope, everything: Scope
    ) -> str:
        if self.by is not None and self.by not in log.properties:
            raise InputError.unknown("property", self.by, log.properties)
        variant = told.read()
        known = exp.In(this=variant.copy(), expressions=[exp.Literal.string(name) for name in self.shares])
        valid = exp.and_(exp.Coalesce(this=known, expressions=[exp.false()]), inside.inside())
        segment: exp.Expr = exp.Literal.string("(all)")
        if self.by is not None:
            value = exp.cast(exp.column(self.by, quoted=True), "VARCHAR")
            segment = exp.Coalesce(this=value, expressions=[exp.Literal.string("(none)")])
        return bind(
            load(_PACKAGE, "exposing"),
            {
                "flagged": exposes.copy(),
                "valid": exp.paren(valid),
                "variant": variant,
                "segment": segment,
                "phase": phase_number(self.phases, everything.timezone, exp.column("us")),
            },
        )

    def ends(self, log: EventLog) -> str:
        """Says when the planned end is, in UTC; empty where none is planned."""
        until = Scope.of(self, log).span.until_us
        return "" if until is None else utc_text(until)


def _listed(given: object, name: str) -> Sequence[Outcome | str]:
    if isinstance(given, str | Outcome) or not isinstance(given, Sequence):
        raise InputError(f"{name} is a list of outcomes")
    for each in given:
        if not isinstance(each, str | Outcome):
            raise InputError(f"{name}: an outcome is hw.Outcome(...) or the name of an event")
    return given


def _phase(given: Phase, shares: Mapping[str, float]) -> Phase:
    if not isinstance(given, Phase):
        raise InputError("phases are a list of Phase(since, shares)")
    if unknown := set(dict(given.shares)) - set(shares):  # type: ignore[arg-type]
        raise InputError.unknown("variant of a phase", sorted(unknown)[0], shares)
    return given
