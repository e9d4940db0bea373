"""The kinds of metric a product can declare, each with its definition as one plain sentence.

One module holds a family of kinds; `Metric` is any of them, told apart by ``kind``.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from headway.models.metrics.amounts import Amount, Count, Ratio
from headway.models.metrics.base import (
    PRESENTATION,
    STAGES,
    BaseMetric,
    Framework,
    Grain,
    Measured,
    Place,
    Target,
    checked_duration,
)
from headway.models.metrics.cumulative import Cumulative
from headway.models.metrics.formula import CostPer, Formula
from headway.models.metrics.growth import CohortAmount, Lifecycle, Mrr, Referral, Stickiness
from headway.models.metrics.happiness import Survey, Task
from headway.models.metrics.people import (
    Answered,
    Conversion,
    Mean,
    NewPeople,
    PromoterScore,
    Retained,
    Share,
)
from headway.models.metrics.quality import CrashFree
from headway.models.metrics.selector import EventSelector
from headway.models.metrics.times import Duration, Quantile, TimeOnTask

Metric = Annotated[
    NewPeople
    | Share
    | Conversion
    | Retained
    | Mean
    | PromoterScore
    | Count
    | Cumulative
    | Ratio
    | Quantile
    | Duration
    | Lifecycle
    | Stickiness
    | CohortAmount
    | Referral
    | Mrr
    | Survey
    | Task
    | TimeOnTask
    | CrashFree
    | Formula
    | CostPer,
    Field(discriminator="kind"),
]

KINDS: tuple[str, ...] = tuple(
    get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Metric)[0])
)
"""Kinds of metric, in the order of the grammar."""

__all__ = [
    "KINDS",
    "PRESENTATION",
    "STAGES",
    "Amount",
    "Answered",
    "BaseMetric",
    "CohortAmount",
    "Conversion",
    "CostPer",
    "Count",
    "CrashFree",
    "Cumulative",
    "Duration",
    "EventSelector",
    "Formula",
    "Framework",
    "Grain",
    "Lifecycle",
    "Mean",
    "Measured",
    "Metric",
    "Mrr",
    "NewPeople",
    "Place",
    "PromoterScore",
    "Quantile",
    "Ratio",
    "Referral",
    "Retained",
    "Share",
    "Stickiness",
    "Survey",
    "Target",
    "Task",
    "TimeOnTask",
    "checked_duration",
]
