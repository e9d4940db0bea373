"""Metrics made of others: what their declarations may say."""

from __future__ import annotations

import pytest

from headway.errors import DefinitionError
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product

PLAN = parse_plan("""
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Visit:
  Plan: {properties: {monthly: {class: number, min: 0}}}
  End:
""")
HEAD = """\
name: Shop
timezone: UTC
currency: EUR
activity: Visit
metrics:
  new: {framework: aarrr, stage: acquisition, title: New, unit: people, kind: new_people}
  share: {framework: aarrr, stage: revenue, title: S, unit: percent, kind: share, of: Visit, did: Plan}
  mrr: {framework: aarrr, stage: revenue, title: M, unit: EUR, kind: mrr, event: Plan, value: monthly, ends: End,
    account: null}
"""


def with_metrics(*fields: str) -> str:
    common = "framework: aarrr, stage: revenue, title: T, unit: EUR"
    return HEAD + "".join(f"  m{n}: {{{common}, {text}}}\n" for n, text in enumerate(fields))


def refused(*fields: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse_product(with_metrics(*fields), PLAN)
    return str(caught.value).splitlines()


def accepted(*fields: str) -> Product:
    return parse_product(with_metrics(*fields), PLAN)


def test_a_formula_says_what_it_is() -> None:
    product = accepted("kind: formula, expression: share * new")
    assert product.metrics["m0"].definition() == (
        "share * new: the values of the metrics of these names (new, share), each of the same period and segment, no "
        "value where one has none or a divisor is 0; a value is complete once those of all of them are."
    )
    assert product.grains_of("m0") == ("day", "week")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("expression: shar * 2", "m0.expression: unknown metric 'shar'. Did you mean 'share'? Available: "
         "'m0', 'mrr', 'new', 'share'."),
        ("expression: 1 + 2", "m0.expression: '1 + 2' names no metric; write for example revenue / new_people"),
        ("expression: round(new)", "m0.expression: cannot use ROUND in a formula: a formula may use names, numbers, "
         "+, -, *, / and parentheses"),
        ("expression: m0 + 1", "m0.expression: is made of itself: m0 -> m0"),
        ("expression: mrr / new", "m0.expression: its metrics share no kind of period (mrr: month; new: day, week)"),
        ("expression: share / new, grains: [month]",
         "m0.grains: month is no kind of period that all its metrics have (new: day, week; share: day, week)"),
    ],
)  # fmt: skip
def test_wrong_formulas(fields: str, message: str) -> None:
    found = refused(f"kind: formula, {fields}")
    assert len(found) == 1 and found[0].startswith("product.yml:10: ")
    assert message in found[0]


def test_every_metric_of_a_cycle_is_told_with_its_line() -> None:
    found = refused(
        "kind: formula, expression: m1 / new",
        "kind: formula, expression: m2",
        "kind: formula, expression: m0",
    )
    assert found == [
        "product.yml:10: metrics.m0.expression: is made of itself: m0 -> m1 -> m2 -> m0",
        "product.yml:11: metrics.m1.expression: is made of itself: m1 -> m2 -> m0 -> m1",
        "product.yml:12: metrics.m2.expression: is made of itself: m2 -> m0 -> m1 -> m2",
    ]


def test_a_cost_says_what_it_is() -> None:
    assert accepted("kind: cost_per, per: new").metrics["m0"].definition() == (
        "Money spent on the days of the period, each amount in the product's currency at the rate of its day, "
        "divided by new of the period, for everybody and by channel; the interval is that of the count, what was "
        "spent taken as known; a value is complete once that of new is and spend is told up to its end."
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("per: nwe", "m0.per: unknown metric 'nwe'. Did you mean 'new'?"),
        ("per: share", "m0.per: 'share' counts nothing; metrics that do: new"),
        ("per: new, unit: people", ""),
    ],
)
def test_wrong_costs(fields: str, message: str) -> None:
    text = with_metrics(f"kind: cost_per, {fields}")
    if "unit" in fields:
        text, message = (
            text.replace("unit: EUR, kind: cost_per", "kind: cost_per"),
            "m0.unit: costs are in the product's",
        )
    with pytest.raises(DefinitionError) as caught:
        parse_product(text, PLAN)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"product.yml:10: metrics.{message}")
