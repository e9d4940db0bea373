"""The section `privacy` of a metric: what is refused, and that contributions are cut off."""

from __future__ import annotations

import pytest

from headway.errors import DefinitionError
from headway.models.plan import parse_plan
from headway.models.product import Product, parse_product

PLAN = """
version: 1
product: shop
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Viewed:
  Paid: {properties: {amount: {class: number, min: 0, max: 1000}}}
"""
HEAD = "{framework: aarrr, stage: revenue, title: T"
SHARE = f"{HEAD}, unit: percent, kind: share, of: Viewed, did: Paid"
SUM = f"{HEAD}, unit: EUR, kind: count, of: {{event: Paid, measure: sum, value: amount}}"
PEOPLE = f"{HEAD}, unit: people, kind: count, of: {{event: Paid, measure: people}}"
NOISY = "privacy: {epsilon: 1, budget: 37"


def parsed(*metrics: str, budget: str = "100", more: str = "") -> Product:
    listed = "\n".join(f"  m{at}: {text}}}" for at, text in enumerate(metrics))
    publishing = f"publishing: {{privacy_budget: {budget}}}" if budget else ""
    return parse_product(
        f"name: S\ntimezone: UTC\ncurrency: EUR\nactivity: Viewed\n{publishing}\nmetrics:\n{listed}\n{more}",
        parse_plan(PLAN),
    )


def refused(*metrics: str, **more: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        parsed(*metrics, **more)
    return str(caught.value)


def test_a_share_and_a_bounded_sum_may_be_published_with_noise() -> None:
    made = parsed(f"{SHARE}, {NOISY}}}", f"{SUM}, {NOISY}, at_most: 50}}")
    assert made.metrics["m1"].at_most == 50.0
    assert "a person adding 50 at most and nothing below 0" in made.metrics["m1"].definition()
    assert made.metrics["m0"].at_most is None


def test_noise_does_not_change_a_definition_but_the_bound_does() -> None:
    plain = parsed(SHARE, SUM)
    noisy = parsed(f"{SHARE}, {NOISY}}}", f"{SUM}, {NOISY}, at_most: 50}}")
    assert plain.definition_hash("m0") == noisy.definition_hash("m0")
    assert plain.definition_hash("m1") != noisy.definition_hash("m1")


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (f"{SUM}, privacy: {{epsilon: 1, budget: 37}}", "needs at_most"),
        (f"{SHARE}, privacy: {{epsilon: 1, budget: 37, at_most: 2}}", "takes no at_most"),
        (f"{HEAD}, unit: percent, kind: stickiness, of: Viewed, {NOISY}}}", "of kind stickiness has no bound"),
        (f"{SHARE}, privacy: {{epsilon: 1, budget: 10}}", "spends up to 37 a month on day, week; its budget is 10"),
        (f"{SHARE}, privacy: {{epsilon: 1, budget: 37, by_channel: true}}", "spends up to 74 a month"),
        (f"{SHARE}, privacy: {{epsilon: 2, budget: 1}}", "is not enough for one cell"),
        (f"{SHARE}, privacy: {{epsilon: 0, budget: 1}}", "epsilon"),
        (f"{SHARE}, privacy: {{epsilon: 1, budget: 37, after: soon}}", "after"),
        (f"{HEAD}, unit: events, kind: count, of: Paid, {NOISY}, at_most: 2.5}}", "must be a whole number"),
    ],
)  # fmt: skip
def test_what_noise_could_not_hide_is_refused(metric: str, said: str) -> None:
    assert said in refused(metric)


def test_exact_numbers_from_which_noise_could_be_taken_off_are_refused() -> None:
    noisy = f"{PEOPLE}, privacy: {{epsilon: 1, budget: 37}}"
    assert "m1 counts the same and is published exactly" in refused(noisy, PEOPLE)
    cost = "{framework: aarrr, stage: revenue, title: T, unit: EUR, kind: cost_per, per: m0"
    assert "m1 is made of it" in refused(noisy, cost)
    active = noisy.replace("event: Paid", "event: Viewed")
    assert "active_people publishes the same number exactly" in refused(active)


def test_the_product_says_what_all_metrics_may_tell() -> None:
    noisy = f"{SHARE}, privacy: {{epsilon: 1, budget: 37}}"
    assert "publishing.privacy_budget" in refused(noisy, budget="")
    assert "less than the budgets of m0 together: 37" in refused(noisy, budget="30")


def test_an_experiment_does_not_tell_exactly_what_noise_hides() -> None:
    from headway.errors import InputError
    from headway.experiments.from_metrics import outcome_of

    with pytest.raises(InputError, match="published with noise"):
        outcome_of("m0", parsed(f"{SHARE}, privacy: {{epsilon: 1, budget: 37}}").metrics["m0"])
