"""Declared experiments: what a file may say, and how its mistakes are told."""

from __future__ import annotations

import pytest

from headway.errors import DefinitionError, InputError
from headway.experiments.declared import experiment_of
from headway.experiments.from_metrics import outcome_of
from headway.models.experiments import parse_experiments
from headway.models.metrics import KINDS
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product
from headway.models.schemas import experiments_schema

PLAN = parse_plan(
    """
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Exposed: {properties: {flag: {class: enum, values: [cart, search]}, variant: {class: enum, values: [old, new, out]}}}
  Paid: {properties: {amount: {class: number}, currency: {class: enum, values: [EUR]}, seconds: {class: number}}}
  Viewed:
  Answered: {properties: {score: {class: integer, min: 0, max: 10}}}
"""
)
_AT = "framework: aarrr, stage: revenue, title: T"
PRODUCT: Product = parse_product(
    f"""
name: Shop
timezone: Europe/Berlin
currency: EUR
activity: Viewed
metrics:
  converts: {{{_AT}, unit: percent, kind: conversion, start: Viewed, reach: Paid, within: 7d}}
  looks_first:
    {{{_AT}, unit: percent, kind: conversion, start: Exposed, through: [Viewed, Answered], reach: Paid, within: 7d}}
  stays: {{{_AT}, unit: percent, kind: retention, start: Viewed, returning: Viewed, after: 7d, within: 7d}}
  both: {{{_AT}, unit: percent, kind: share, of: Viewed, did: Paid}}
  revenue: {{{_AT}, unit: EUR, kind: mean, of: Viewed, event: Paid, measure: sum, value: amount}}
  per_view:
    {{{_AT}, unit: EUR, kind: ratio, numerator: {{event: Paid, measure: sum, value: amount}}, denominator: Viewed}}
  buyers: {{{_AT}, unit: people, kind: count, of: {{event: Paid, measure: people}}}}
  slow: {{{_AT}, unit: seconds, kind: quantile, event: Paid, value: seconds, percentile: 90}}
  wait: {{{_AT}, unit: days, kind: duration, start: Viewed, end: Paid}}
  soon: {{{_AT}, unit: days, kind: duration, start: Viewed, end: Paid, within: 3d}}
  score: {{{_AT}, unit: points, kind: nps, event: Answered, score: score}}
  abroad: {{{_AT}, unit: EUR, kind: count, of: {{event: Paid, measure: sum, value: amount, currency: currency}}}}
  new: {{{_AT}, unit: people, kind: new_people}}
""",
    PLAN,
)
CART = """
cart:
  title: The new cart
  hypothesis: Fewer steps, more orders.
  exposure: {event: Exposed, flag: flag}
  variants: {old: 0.9, new: 0.1}
  start: 2026-03-01
  end: 2026-03-31
  primary: [converts]
"""


def told(text: str) -> str:
    with pytest.raises(DefinitionError) as raised:
        parse_experiments({"cart.yml": text}, PLAN, PRODUCT)
    return str(raised.value)


def test_a_declared_experiment_becomes_a_question() -> None:
    text = CART + "  guardrails: [{metric: revenue, margin: 0.05}]\n  holdout: [out]\n  window: 21d\n"
    definition = parse_experiments({"cart.yml": text}, PLAN, PRODUCT)["cart"]
    question = experiment_of("cart", definition, PRODUCT)
    assert question.shares == {"old": 0.9, "new": 0.1} and question.control == "old"
    assert [each.name for each in question.outcomes] == ["converts", "revenue"]
    assert question.outcomes[0].within == "7d" and question.guardrails[0].margin == 0.05
    assert (str(question.since), question.timezone, question.window) == ("2026-03-01", "Europe/Berlin", "21d")


def test_titles_do_not_change_the_hash_and_margins_do() -> None:
    plain, retitled, other = (
        parse_experiments({"cart.yml": text}, PLAN, PRODUCT)["cart"].definition_hash()
        for text in (CART, CART.replace("The new cart", "A cart"), CART.replace("0.9", "0.8"))
    )
    assert plain == retitled != other
    # What is said that would be so anyway is no change, nor are options that a later version adds.
    said = parse_experiments({"cart.yml": CART + "  window: 14d\n"}, PLAN, PRODUCT)["cart"].definition_hash()
    assert said == plain


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("flag: flag", "flag: flga", 5, "has no property 'flga' (did you mean 'flag'?)"),
        ("new: 0.1", "neu: 0.1", 5, "variant is never 'neu' by the tracking plan"),
        ("event: Exposed", "event: Exposd", 5, "the tracking plan has no event 'Exposd'"),
        ("[converts]", "[convert]", 9, "the product has no metric 'convert'"),
        ("[converts]", "[new]", 9, "kind new_people, which says nothing of a single unit"),
        ("[converts]", "[{outcome: {name: x, of: Paid, measure: 'sum:amont'}}]", 9, "(did you mean 'amount'?)"),
        ("[converts]", "[{outcome: {name: x, of: Paid, measure: 'sum:amount', currency: curency}}]", 9, "'curency'"),
        ("[converts]", "[{outcome: {name: x, of: Paid, via: [Viewd]}}]", 9, "no event 'Viewd'"),
        ("[converts]", "[{outcome: {name: x, of: Paid, measure: events, via: [Viewed]}}]", 9, "via go with measure="),
        ("[converts]", "[converts, converts]", 2, "'converts' is compared twice"),
        ("end: 2026-03-31", "end: 2026-02-01", 2, "end 2026-02-01 lies before start"),
        ("old: 0.9", "old: 0", 2, "above 0"),
        ("  primary: [converts]", "  primary: [{outcome: {name: x, of: Paid, measure: sum}}]", 9, "unknown measure"),
        ("  primary: [converts]", "  primary: [{outcome: {name: x, of: Piad}}]", 9, "no event 'Piad'"),
        ("title:", "titel:", 3, "titel"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_line(before: str, after: str, line: int, message: str) -> None:
    said = told(CART.replace(before, after))
    assert f"experiments/cart.yml:{line}:" in said
    assert message in said


def test_two_files_may_not_declare_the_same_experiment() -> None:
    with pytest.raises(DefinitionError, match=r"also defined in experiments/a\.yml"):
        parse_experiments({"a.yml": CART, "b.yml": CART}, PLAN, PRODUCT)


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("converts", "proportion"), ("stays", "proportion"), ("both", "proportion"), ("revenue", "mean"),
        ("per_view", "ratio"), ("buyers", "proportion"), ("slow", "quantile"), ("wait", "time"), ("score", "ratio"),
        ("abroad", "mean"), ("looks_first", "proportion"), ("soon", "time"),
    ],
)  # fmt: skip
def test_metrics_become_outcomes(metric: str, kind: str) -> None:
    outcome = outcome_of(metric, PRODUCT.metrics[metric])
    assert outcome.kind == kind and outcome.title == "T"


def test_a_retention_window_opens_after_the_exposure() -> None:
    outcome = outcome_of("stays", PRODUCT.metrics["stays"])
    day = 86_400_000_000
    assert (outcome.opens, outcome.closes(None)) == (7 * day, 14 * day)
    # A conversion's window is closed at its end.
    assert outcome_of("converts", PRODUCT.metrics["converts"]).closes(None) == 7 * day + 1


def test_steps_and_horizons_are_those_of_the_metric() -> None:
    through, wait, soon = (
        outcome_of(name, PRODUCT.metrics[name]) for name in ("looks_first", "wait", "soon")
    )
    assert (
        through.describe()
        == "share of units with 'Viewed', then 'Answered', then 'Paid' within 7 days of exposure"
    )
    assert through.closes("14d") == 7 * 86_400_000_000 + 1
    # Without a horizon of its own units are looked at as long as the experiment says.
    assert wait.closes("14d") == 14 * 86_400_000_000
    assert soon.closes("14d") == 3 * 86_400_000_000 + 1


def test_kinds_that_cannot_be_compared_say_which_can() -> None:
    with pytest.raises(InputError, match="kinds that do: conversion"):
        outcome_of("new", PRODUCT.metrics["new"])
    assert "new_people" in KINDS


def test_the_schema_is_that_of_a_file() -> None:
    schema = experiments_schema()
    assert schema["type"] == "object" and "ExperimentDefinition" in str(schema["patternProperties"])
