"""What the insight feed reads beyond the other tables: steps of funnels by segment, and early behaviours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from headway.feed import step_changes, with_differences
from headway.models.metrics import Conversion
from headway.models.product import Product

FEED_TABLES: Final = {
    "step_changes": "One row per conversion and segment: its latest complete week (or month) beside the one before, "
    "and whether it broke. Corrected for everything that is compared.",
    "activation_correlates": "One row per retention question and event that people did early: how many came back of "
    "those who did it, and of those who did not. It goes with coming back, which does not say that it causes it.",
}

FEED_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "step_changes": {
        "metric": "The conversion, a metric in product.yml.",
        "funnel": "Declared funnel of which it is a step; null where it is none.",
        "step": "Number of the step that people reach, from 2.",
        "segment": "Segment, as dimension=label.",
        "period": "Kind of period: week, or month where there are no weeks.",
        "period_start": "First local day of the latest complete period.",
        "period_before": "First local day of the period before.",
        "people": "People who began in the period.",
        "people_before": "People who began in the period before.",
        "value": "Share of them who got to the step.",
        "value_before": "The same in the period before.",
        "change": "Difference of the two.",
        "low": "Lower bound of its 95 % interval (Newcombe).",
        "high": "Upper bound.",
        "p_value": "Probability of so large a difference by chance alone (Fisher's exact test).",
        "adjusted_p": "The same, corrected for all rows of the table (Holm).",
        "broken": "Whether it got worse, and chance does not explain it.",
    },
    "activation_correlates": {
        "retention": "Name of the retention question in product.yml.",
        "title": "Its title.",
        "period_unit": "Length of the windows: day, week (7 days) or month (30 days) from the start, to the instant.",
        "behaviour": "Event that was done in the window after the start.",
        "people": "People who started and whose second window is over.",
        "kept": "Of them, those who came back in the second window.",
        "did": "Of them, those who did it in the first window.",
        "did_kept": "Those who did both.",
        "suppressed": "Whether it is hidden: it would tell of few people.",
        "held_since": "As of when the row stayed as it was published; null where it is new.",
        "rate_with": "Share of those who did it who came back.",
        "rate_without": "Share of the others who came back.",
        "difference": "Difference of the two.",
        "low": "Lower bound of its 95 % interval (Newcombe).",
        "high": "Upper bound.",
        "p_value": "Probability of so large a difference by chance alone (Fisher's exact test).",
        "adjusted_p": "The same, corrected for all rows of the table (Holm).",
    },
}


def feed_sources(shown: Mapping[str, pl.DataFrame], product: Product) -> dict[str, pl.DataFrame]:
    """Compares steps with the period before, and who did something early with who did not.

    Args:
        shown: The tables that are about to be published, hidden cells null.
        product: The product.

    Returns:
        The tables to publish: ``step_changes`` and, where retention is asked for, ``activation_correlates``.
    """
    steps = steps_of(product)
    tables = {"step_changes": step_changes(shown["metric_values"], shown["metric_catalogue"], steps)}
    if "activation_correlates" in shown:
        tables["activation_correlates"] = with_differences(shown["activation_correlates"])
    return tables


def steps_of(product: Product) -> dict[str, tuple[str, int]]:
    """Finds the conversions that lead from one step of a declared funnel to the next.

    Args:
        product: The product.

    Returns:
        Metric -> funnel and number of the step that people reach; the first funnel that has it.
    """
    found: dict[str, tuple[str, int]] = {}
    for name, metric in product.metrics.items():
        # One that leads through steps of its own is no step from one event to the next.
        if not isinstance(metric, Conversion) or metric.through is not None:
            continue
        for funnel, asked in product.funnels.items():
            for number, (one, other) in enumerate(zip(asked.steps, asked.steps[1:], strict=False), start=2):
                if (metric.start, metric.reach) == (one, other):
                    found.setdefault(name, (funnel, number))
    return found
