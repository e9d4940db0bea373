"""JSON Schemas of the definition files, for completion and checks in editors."""

from __future__ import annotations

from typing import Any

from headway.models.experiments import Experiments
from headway.models.plan import TrackingPlan
from headway.models.product import Product

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def tracking_plan_schema() -> dict[str, Any]:
    """Returns the JSON Schema of tracking_plan.yml.

    Returns:
        A JSON Schema (draft 2020-12); what it cannot express, such as columns that conflict between events,
        only the loader checks.

    Examples:
        >>> sorted(tracking_plan_schema()["required"])
        ['events', 'product', 'version']
    """
    return {"$schema": _DRAFT, **TrackingPlan.model_json_schema(by_alias=True)}


def product_schema() -> dict[str, Any]:
    """Returns the JSON Schema of product.yml.

    Returns:
        A JSON Schema (draft 2020-12); that events and properties exist in the plan only the loader checks.

    Examples:
        >>> sorted(product_schema()["required"])
        ['activity', 'currency', 'name', 'timezone']
    """
    return {"$schema": _DRAFT, **Product.model_json_schema(by_alias=True)}


def experiments_schema() -> dict[str, Any]:
    """Returns the JSON Schema of a file in experiments/: a mapping from name to experiment.

    Returns:
        A JSON Schema (draft 2020-12); that metrics, events and variants exist only the loader checks.

    Examples:
        >>> experiments_schema()["type"]
        'object'
    """
    whole = Experiments.model_json_schema(by_alias=True)
    return {"$schema": _DRAFT, **whole["properties"]["experiments"], "$defs": whole["$defs"]}
