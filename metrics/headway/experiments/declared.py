"""From a declared experiment to the question it asks of a log."""

from __future__ import annotations

from typing import Any

from headway.experiments.experiment import Experiment
from headway.experiments.exposure import Exposure, Phase
from headway.experiments.from_metrics import outcome_of
from headway.experiments.outcome import Outcome
from headway.experiments.rule import Rule
from headway.models.experiments import Compared, Counted, ExperimentDefinition
from headway.models.metrics import EventSelector
from headway.models.product import Product


def outcome_named(compared: Compared, product: Product) -> Outcome:
    """Makes the outcome that a definition names or writes out.

    Args:
        compared: What is compared.
        product: The product, for its metrics.

    Returns:
        The outcome.

    Raises:
        InputError: There is no such metric, or it cannot be compared.
    """
    margin = None if compared.margin is None else float(compared.margin)
    told = compared.outcome
    if told is None:
        return outcome_of(str(compared.metric), product.metric(str(compared.metric)), margin)
    given = {name: _selected(getattr(told, name)) for name in Counted.model_fields}
    given["unit"] = told.unit or ("percent" if told.measure in ("did", "time") and told.per is None else "")
    return Outcome(**given, margin=margin)


def _selected(value: Any) -> Any:
    if isinstance(value, EventSelector):
        return value.selector()
    return tuple(map(_selected, value)) if isinstance(value, tuple) else value


def experiment_of(name: str, definition: ExperimentDefinition, product: Product) -> Experiment:
    """Makes the question of a declared experiment.

    Args:
        name: Its name.
        definition: What was declared.
        product: The product, for metrics and time zone.

    Returns:
        The question.
    """
    d = definition
    told = Exposure(d.exposure.event.selector(), d.exposure.flag, d.exposure.variant)
    phases = [Phase(None, d.variants), *(Phase(p.start, p.variants) for p in d.phases)] if d.phases else []
    outcomes = {role: [outcome_named(each, product) for each in getattr(d, role)] for role in _ROLES}
    return Experiment(
        name,
        d.variants,
        outcomes["primary"],
        outcomes["secondary"],
        outcomes["guardrails"],
        exposure=told,
        value=d.exposure.value,
        control=d.control,
        holdout=d.holdout,
        phases=phases,
        window=d.window,
        several=d.several,
        eligible=None if d.eligible is None else d.eligible.selector(),
        by=d.by,
        before=d.cuped,
        cap=None if d.cap is None else float(d.cap),
        method=d.method,
        alpha=float(d.alpha),
        correction=d.correction,
        relative=d.relative,
        prior=None if d.prior is None else float(d.prior),
        rule=Rule(
            d.decision.minimum_units,
            None if d.decision.worthwhile is None else float(d.decision.worthwhile),
            float(d.decision.split),
        ),
        since=d.start,
        until=d.end,
        timezone=product.timezone,
        unit=d.unit,
        currency=product.currency,
    )


_ROLES = ("primary", "secondary", "guardrails")
