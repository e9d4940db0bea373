"""How each kind of metric is computed: a plan per kind, a query file per shape of it.

`PLANNERS` knows all of them. A new kind is a model in `headway.models.metrics`, a planner and its query here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from headway.engine.sql import bind, load, with_inputs
from headway.frameworks.kinds import amounts, growth, happiness, people, times
from headway.frameworks.kinds.plan import Observations, Plan, Planner, Running, Units, Weighted
from headway.frameworks.prelude import Prelude
from headway.models.metrics import BaseMetric

_HERE = "headway.frameworks.kinds"

PLANNERS: Mapping[type, Planner] = {
    **people.PLANNERS,
    **amounts.PLANNERS,
    **times.PLANNERS,
    **growth.PLANNERS,
    **happiness.PLANNERS,
}
"""Planner by kind of metric."""


def plan_of(metric: BaseMetric, shared: Prelude) -> Plan:
    """Makes the plan of a metric.

    Args:
        metric: The metric.
        shared: The shared input.

    Returns:
        What is to be computed.

    Raises:
        InputError: A condition uses a property that the events lack.
    """
    plan = PLANNERS[type(metric)](metric, shared)
    if metric.at_most is None or not isinstance(plan, Units):
        return plan
    most = int(metric.at_most) if plan.whole else float(metric.at_most)
    return replace(
        plan,
        query=with_inputs(bind(load(_HERE, "bounded"), {"most": most}), {"units": plan.query_text}),
        tallied=None if plan.tallied is None else replace(plan.tallied, most=most),
    )


__all__ = ["PLANNERS", "Observations", "Plan", "Planner", "Running", "Units", "Weighted", "plan_of"]
