"""The strategy files: what they accept, what they refuse and in which words."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from headway.errors import DefinitionError
from headway.models.plan import parse_plan
from headway.models.product import parse_product
from headway.models.strategy import Strategy, load_strategy, parse_strategy
from headway.models.yaml_file import parse_document

PLAN = parse_plan("""
version: 1
product: lectern
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Signed Up: {}
  Course Published: {}
  Payment Completed: {properties: {amount: {class: number, min: 0}}}
""")
PRODUCT = parse_product(
    """
name: Lectern
timezone: Europe/Berlin
currency: EUR
activity: Course Published
grains: [week]
metrics:
  publishing: {framework: aarrr, stage: activation, title: Publish, unit: percent, kind: conversion,
    start: Signed Up, reach: Course Published, within: 14d}
  revenue: {framework: aarrr, stage: revenue, title: Revenue, unit: EUR, kind: count,
    of: {event: Payment Completed, measure: sum, value: amount}}
  churn: {framework: aarrr, stage: retention, title: Churn, unit: percent, kind: share, of: Signed Up,
    did: Payment Completed, direction: down}
""",
    PLAN,
)

GOOD = """\
vision: {statement: Everybody can teach, by: 2030-01-01, principles: [Teachers first]}
value_streams: {teaching: {title: Teaching, customer: teachers}}
teams:
  creators: {title: Creators, value_stream: teaching, formed: 2025-01-01}
intents:
  supply: {title: More courses, team: creators, aims: [{metric: publishing, target: 0.4, by: 2026-12-31}]}
products:
  studio: {title: Studio, under: supply, vision: A course in a day}
initiatives:
  faster: {title: Publish sooner, under: studio, aims: [{metric: publishing}]}
options:
  editor:
    title: Video editor
    under: faster
    start: 2026-01-10
    released: 2026-02-01
    horizon: 2026-05-01
    feature: {event: Course Published}
    income: revenue
    bets: [{metric: publishing, expect: 0.1, low: 0.05, high: 0.2, probability: 0.6}]
    risks: {value: [{date: 2025-12-01, kind: interview, says: supports, reference: research/17}]}
    kill: {metric: churn, worse_than: 0.3, from: 2026-03-01}
"""


def parse(text: str) -> Strategy:
    return parse_strategy(text, PRODUCT, PLAN)


def test_a_whole_tree_is_read() -> None:
    strategy = parse(GOOD)
    assert [(section, name) for section, name, _ in strategy.nodes()] == [
        ("intents", "supply"),
        ("products", "studio"),
        ("initiatives", "faster"),
        ("options", "editor"),
    ]
    option = strategy.options["editor"]
    assert option.kill is not None
    assert str(option.kill.since) == "2026-03-01"
    assert option.risks.of("value")[0].reference == "research/17"
    assert option.risks.of("usability") == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("under: faster", "under: fastr", "6: options.editor.under: unknown node 'fastr' (did you mean 'faster'?)"),
        ("under: faster", "under: supply", "an option stands under an initiative, and 'supply' is an intent"),
        ("    under: faster\n", "", "options.editor: stands under nothing; add under:"),
        (", aims: [{metric: publishing}]}", "}", "initiatives.faster: an initiative needs an outcome"),
        (", by: 2026-12-31}", "}", "a target and its date go together; add by: a date"),
        ("target: 0.4, by", "by", "a target and its date go together; add target:"),
        ("horizon: 2026-05-01", "horizon: 2026-01-05", "horizon 2026-01-05 must be after start 2026-01-10"),
        ("    horizon: 2026-05-01\n", "", "a bet needs a horizon"),
        ("{metric: publishing, expect", "{metric: publisching, expect", "unknown metric 'publisching'"),
        ("low: 0.05, high", "low: 0.15, high", "low <= expect <= high"),
        ("low: 0.05, high", "low: -0.05, high", "the whole range must be above 0"),
        ("{metric: publishing, expect", "{metric: churn, expect", "the whole range must be below 0"),
        ("by: 2026-12-31}]", "by: 2026-12-31, period: month}]", "publishing has no values by month; write one of week"),
        ("income: revenue", "income: churn", "churn is in percent, not in EUR"),
        ("feature: {event: Course Published}", "feature: Course Publish", "no event 'Course Publish'"),
        ("value_stream: teaching", "value_stream: teachin", "unknown value stream 'teachin'"),
        ("  faster: {", "  studio: {", "another node has the same name"),
        ("probability: 0.6", "probability: 1.5", "options.editor.bets.0.probability"),
        ("formed: 2025-01-01", "formed: 2025-01-01, ended: 2024-01-01", "ended 2024-01-01 is before formed"),
        (
            "    released: 2026-02-01",
            "    released: 2026-02-01\n    removed: 2026-01-20",
            "removed 2026-01-20 is before",
        ),
        ("says: supports", "says: yes", "risks.value.0.says"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(DefinitionError) as error:
        parse(GOOD.replace(old, new, 1))
    assert message.split(": ", 1)[-1] in str(error.value)
    assert "strategy/strategy.yml:" in str(error.value)


def test_a_circle_is_told_in_its_order() -> None:
    text = "intents:\n  a: {title: A, under: c}\n  b: {title: B, under: a}\n  c: {title: C, under: b}\n"
    with pytest.raises(DefinitionError, match="goes in a circle") as error:
        parse(text)
    circle = str(error.value).split("circle: ")[1].split(";")[0].split(" under ")
    above = {"a": "c", "b": "a", "c": "b"}
    assert circle[0] == circle[-1]
    assert all(above[one] == two for one, two in pairwise(circle))


def test_two_bets_on_one_metric_of_one_option_are_refused() -> None:
    twice = GOOD.replace("bets: [", "bets: [{metric: publishing, expect: 0.3, low: 0.1, high: 0.4}, ", 1)
    with pytest.raises(DefinitionError, match="two bets on 'publishing'"):
        parse(twice)


def test_sections_that_do_not_exist_are_named() -> None:
    with pytest.raises(DefinitionError, match=r"1: visoin: unknown section; .*did you mean 'vision'"):
        parse("visoin: {}\n")
    with pytest.raises(DefinitionError, match="options: must be a mapping of names"):
        parse("options: [editor]\n")
    with pytest.raises(DefinitionError, match="must be a mapping with any of"):
        parse("- editor\n")


def test_a_tree_may_lie_in_several_files(tmp_path: Path) -> None:
    folder = tmp_path / "strategy"
    assert load_strategy(tmp_path, PRODUCT, PLAN) == Strategy()
    folder.mkdir()
    at = GOOD.index("initiatives:")
    (folder / "a.yml").write_text(GOOD[:at])
    (folder / "b.yml").write_text("# bets\n" + GOOD[at:])
    assert load_strategy(tmp_path, PRODUCT, PLAN) == parse(GOOD)
    (folder / "b.yml").write_text("# bets\n" + GOOD[at:].replace("under: faster", "under: nowhere"))
    with pytest.raises(
        DefinitionError, match=r"strategy/b.yml:7: options.editor.under: unknown node 'nowhere'"
    ):
        load_strategy(tmp_path, PRODUCT, PLAN)
    (folder / "b.yml").write_text("# bets\n" + GOOD[at:] + "intents: {supply: {title: Again}}\n")
    with pytest.raises(DefinitionError, match=r"strategy/b.yml:.* supply: is also defined in strategy/a.yml"):
        load_strategy(tmp_path, PRODUCT, PLAN)


def test_an_empty_section_is_fine() -> None:
    assert parse("options:\n") == Strategy()


def test_the_document_is_not_changed() -> None:
    before = str(parse_document(GOOD, "strategy/strategy.yml"))
    parse(GOOD)
    assert str(parse_document(GOOD, "strategy/strategy.yml")) == before
