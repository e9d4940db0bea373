"""The product definition: what it accepts, what it refuses and in which words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from headway.errors import DefinitionError, InputError
from headway.frameworks import metric_catalogue
from headway.models.explain import listed
from headway.models.metrics import KINDS, Conversion, EventSelector, Mean, PromoterScore
from headway.models.plan import load_plan, parse_plan
from headway.models.product import Product, load_product, parse_product
from headway.models.schemas import product_schema, tracking_plan_schema

PLAN_TEXT = """
version: 1
product: lectern
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
events:
  Page Viewed: {properties: {url: {class: url, hosts: [learn.example.com], query: [utm_medium]}}}
  Signed Up: {properties: {role: {class: enum, values: [teacher, learner]}, team: {class: id, domain: team}}}
  Course Published: {properties: {price: {class: number, min: 0}, video: {class: bool}}}
  Payment Completed: {properties: {amount: {class: number, min: 0}, currency: {class: enum, values: [EUR]}}}
  Survey Answered: {properties: {score: {class: integer, min: 0, max: 10}, points: {class: integer, max: 100}}}
  Lesson Watched:
"""
PLAN = parse_plan(PLAN_TEXT)

HEAD = """\
name: Lectern
timezone: Europe/Berlin
week_start: sunday
currency: EUR
activity: [Lesson Watched, Course Published]
"""

GOOD = (
    HEAD
    + """\
channels:
  - {name: paid, where: "utm_medium in ('cpc', 'ppc')"}
metrics:
  new_people: {framework: aarrr, stage: acquisition, title: New people, unit: people, kind: new_people,
    target: {value: 1200, by: 2026-12-31}}
  publishing:
    report: [{framework: aarrr, stage: activation}, {framework: heart, stage: task_success}]
    title: Publish
    question: Do teachers finish?
    unit: percent
    kind: conversion
    start: {event: Signed Up, where: role = 'teacher'}
    reach: [Course Published]
    within: 14d
  back: {framework: heart, stage: retention, title: Back, unit: percent, kind: retention, start: Signed Up,
    returning: {event: [Lesson Watched, Course Published]}, after: 7d, within: 7d}
  payers: {framework: aarrr, stage: revenue, title: Payers, unit: percent, kind: share, of: Lesson Watched,
    did: Payment Completed}
  revenue: {framework: aarrr, stage: revenue, title: Revenue, unit: EUR, kind: mean, of: Lesson Watched,
    event: Payment Completed, value: amount, measure: sum, direction: up}
  days: {framework: heart, stage: engagement, title: Days, unit: days, kind: mean, of: Lesson Watched,
    event: Lesson Watched, value: null, measure: days}
  happy: {framework: heart, stage: happiness, title: NPS, unit: points, kind: nps, event: Survey Answered,
    score: score}
funnels:
  publishing: {title: Publishing, steps: [Signed Up, Course Published], within: 14d}
retentions:
  learning: {title: Learning, start: Signed Up, returning: Lesson Watched, period: week, periods: 8}
"""
)


def refused(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse_product(text, PLAN)
    return str(caught.value).splitlines()


def with_metric(fields: str) -> str:
    return (
        HEAD
        + "metrics:\n  m: {framework: aarrr, stage: activation, title: T, unit: percent, "
        + fields
        + "}\n"
    )


def test_a_good_product() -> None:
    product = parse_product(GOOD, PLAN)
    assert (product.timezone, product.week_start, product.currency) == ("Europe/Berlin", "sunday", "EUR")
    publishing = product.metric("publishing")
    assert isinstance(publishing, Conversion)
    assert publishing.start == EventSelector(event=("Signed Up",), where="role = 'teacher'")
    assert publishing.reach.selector().names == ("Course Published",)
    assert publishing.places() == (("aarrr", "activation"), ("heart", "task_success"))
    target = product.metric("new_people").target
    assert target is not None
    assert (target.value, target.by, target.period) == (1200, date(2026, 12, 31), "week")
    revenue, happy = product.metric("revenue"), product.metric("happy")
    assert isinstance(revenue, Mean)
    assert isinstance(happy, PromoterScore)
    assert (revenue.value, happy.score) == ("amount", "score")
    assert product.funnels["publishing"].steps[1].event == ("Course Published",)
    with pytest.raises(InputError, match=r"unknown metric 'payer'\. Did you mean 'payers'"):
        product.metric("payer")


def test_definitions_are_sentences() -> None:
    product = parse_product(GOOD, PLAN)
    assert {name: metric.definition() for name, metric in product.metrics.items()} == {
        "new_people": "Number of people whose first event ever falls in the period, looking at all retained history; "
        "a value is complete once the period is over.",
        "publishing": "People who did 'Course Published' after their first 'Signed Up' (where role = 'teacher'), "
        "divided by people whose first 'Signed Up' (where role = 'teacher') ever falls in the period, within 14 days "
        "of that first event (inclusive); a value is complete once the period and 14 days after it are over.",
        "back": "People who did any of 'Lesson Watched', 'Course Published' after their first 'Signed Up', divided by "
        "people whose first 'Signed Up' ever falls in the period, from 7 days (inclusive) to 14 days (exclusive) "
        "after that first event; a value is complete once the period and 14 days after it are over.",
        "payers": "People who did 'Lesson Watched' and also 'Payment Completed', divided by people who did 'Lesson "
        "Watched', within the same period and in any order; a value is complete once the period is over.",
        "revenue": "Sum of amount over 'Payment Completed' by the people who did 'Lesson Watched' in the period, "
        "divided by the number of those people, people with nothing counted as zero; a value is complete once the "
        "period is over.",
        "days": "Number of distinct local days with 'Lesson Watched' by the people who did 'Lesson Watched' in the "
        "period, divided by the number of those people, people with nothing counted as zero; a value is complete "
        "once the period is over.",
        "happy": "People whose last score from 0 to 10 in 'Survey Answered' is 9 or 10 minus people whose last is 0 to "
        "6, divided by people who answered, times 100, taking the last answer of each person in the period; a value "
        "is complete once the period is over.",
    }


def test_the_definition_hash_follows_the_numbers_not_the_words() -> None:
    def hashed(text: str, name: str = "publishing") -> str:
        return parse_product(text, PLAN).definition_hash(name)

    same = GOOD.replace("title: Publish\n", "title: Other words\n").replace("finish?", "start?")
    assert same != GOOD
    assert hashed(same) == hashed(GOOD)
    assert hashed(GOOD.replace("{event: Signed Up, where", '{"event": ["Signed Up"], where')) == hashed(GOOD)
    for before, after in (("14d\n", "13d\n"), ("sunday", "monday"), ("Berlin", "Paris"), ("'ppc'", "'ad'")):
        assert hashed(GOOD.replace(before, after)) != hashed(GOOD)
    assert hashed(GOOD, "payers") != hashed(GOOD)


def test_the_definition_hash_follows_currency_and_business_hours_where_they_decide_the_numbers() -> None:
    reply: dict[str, object] = {
        "kind": "duration",
        "start": "A",
        "end": "B",
        "hours": "business",
        "unit": "hours",
    }
    money: dict[str, object] = {"event": "A", "measure": "sum", "value": "amount"}
    metrics: dict[str, dict[str, object]] = {
        "reply": reply,
        "wait": {**reply, "hours": "calendar"},
        "revenue": {"kind": "count", "unit": "EUR", "of": {**money, "currency": "currency"}},
        "kilograms": {"kind": "count", "unit": "kg", "of": money},
    }

    def hashes(**more: object) -> dict[str, str]:
        common: dict[str, object] = {"framework": "aarrr", "stage": "revenue", "title": "t"}
        head = {"name": "Toy", "timezone": "UTC", "currency": "EUR", "activity": "A", **more}
        declared = {name: {**common, **metric} for name, metric in metrics.items()}
        product = Product.model_validate({**head, "metrics": declared})
        return {name: product.definition_hash(name) for name in metrics}

    def changed(**more: object) -> list[str]:
        return [name for name, found in hashes(**more).items() if found != hashes()[name]]

    assert changed(currency="USD") == ["revenue"]
    assert changed(business_hours={"opens": "08:00"}) == ["reply"]


def test_top_of_the_file() -> None:
    text = (
        GOOD.replace("Europe/Berlin", "Europe/Berln")
        .replace("sunday", "sundy")
        .replace("EUR\nact", "euro\nact")
    )
    assert refused(text + "metrix: 1\n") == [
        "product.yml:2: timezone: unknown time zone 'Europe/Berln'; write an IANA name such as Europe/Berlin (did you "
        "mean 'Europe/Berlin'?)",
        "product.yml:3: week_start: 'sundy' is not allowed; allowed: monday, tuesday, wednesday, thursday, friday, "
        "saturday, sunday (did you mean 'sunday'?)",
        "product.yml:4: currency: 'euro' is not a currency code; write three capital letters such as EUR",
        f"product.yml:34: metrix: unknown key; allowed: {', '.join(sorted(Product.model_fields))} (did you mean "
        "'metrics'?)",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            "kind: lifecycle, of: Signed Up, part: churn, grains: [rolling_7d]",
            "m: grains: rolling_7d makes no sense for this kind of metric; allowed: day, week, month",
        ),
        (
            "kind: shares, of: Signed Up",
            f"m: unknown kind 'shares'; allowed: {listed(KINDS)} (did you mean 'share'?)",
        ),
        (
            "kind: conversion, start: Sign Up, reach: Lesson Watched, within: 1d",
            "m.start: the tracking plan has no event 'Sign Up' (did you mean 'Signed Up'?); it declares: Course "
            "Published, Lesson Watched, Page Viewed, Payment Completed, Signed Up, Survey Answered",
        ),
        (
            "kind: conversion, start: Signed Up, reach: Lesson Watched, within: 2 weeks",
            "m.within: '2 weeks' is not a duration; write a whole number and d, h, m or s, for example '14d', '24h' or "
            "'30m'",
        ),
        (
            "kind: conversion, start: Signed Up, reach: Lesson Watched, within: 0d",
            "m.within: '0d' is no time at all; write at least one second",
        ),
        (
            "kind: share, of: Signed Up, did: {event: Course Published, where: cost > 3}",
            "m.did.where: unknown property 'cost'. Available: 'price', 'video'. (properties of Course Published)",
        ),
        (
            "kind: share, of: Signed Up, did: {event: Signed Up, where: role = 'teachr'}",
            "m.did.where: 'role' is never 'teachr' (did you mean 'teacher'?); its values are: learner, teacher",
        ),
        (
            "kind: share, of: Signed Up, did: {event: Course Published, where: price > '3'}",
            "m.did.where: 'price' is a number; compare it with a number, not with '3'",
        ),
        (
            "kind: share, of: Signed Up, did: {event: Course Published, where: video = 1}",
            "m.did.where: 'video' is true or false; compare it with true or false, not with 1",
        ),
        (
            "kind: share, of: Signed Up, did: {event: Signed Up, where: team in ('a')}",
            "m.did.where: 'team' is a pseudonym; only 'is null' and 'is not null' make sense for it",
        ),
        (
            "kind: share, of: Signed Up, did: {event: Signed Up, where: role > 1}",
            "m.did.where: 'role' is text; quote 1",
        ),
        (
            "kind: share, of: [], did: Signed Up",
            "m.of: name at least one event",
        ),
        (
            "kind: share, of: 3, did: Signed Up",
            "m.of: must be an event's name, a list of names, or {event: ..., where: ...}",
        ),
        (
            "kind: mean, of: Signed Up, event: [Payment Completed, Signed Up], measure: sum, value: amount",
            "m.value: 'Signed Up' has no property 'amount'; its numbers are: none",
        ),
        (
            "kind: mean, of: Signed Up, event: Payment Completed, measure: sum, value: currency",
            "m.value: 'currency' of 'Payment Completed' is of class enum, not a number; its numbers are: amount",
        ),
        (
            "kind: mean, of: Signed Up, event: Payment Completed, measure: sum",
            "m: measure: sum needs value: the property to add up",
        ),
        (
            "kind: mean, of: Signed Up, event: Payment Completed, measure: count, value: amount",
            "m: measure: count takes no value; remove it or write measure: sum",
        ),
        (
            "kind: survey, event: Survey Answered, score: score, scale: [0, 10], top: 8, weighted: true",
            "m: weighted: true needs shown: the events by which people were asked",
        ),
        (
            "kind: survey, event: Survey Answered, score: score, scale: [0, 10], top: 8, shown: Lesson Watched",
            "m: shown is for weighted: true; the share of people who answer is kind: share",
        ),
        (
            "kind: time_on_task, start: Signed Up, success: Course Published, within: 1h",
            "m: unit 'percent' is no unit of time; write one of seconds, minutes, hours, days",
        ),
        (
            "kind: conversion, start: Signed Up, through: [Lesson Wached], reach: Course Published, within: 1d",
            "m.through.0: the tracking plan has no event 'Lesson Wached' (did you mean 'Lesson Watched'?); it "
            "declares: Course Published, Lesson Watched, Page Viewed, Payment Completed, Signed Up, Survey Answered",
        ),
        (
            "kind: conversion, start: Signed Up, through: [{event: Course Published, where: cost > 3}], "
            "reach: Lesson Watched, within: 1d",
            "m.through.0.where: unknown property 'cost'. Available: 'price', 'video'. (properties of Course Published)",
        ),
        (
            "kind: conversion, start: Signed Up, through: [], reach: Lesson Watched, within: 1d",
            "m.through: must not be empty",
        ),
        (
            "kind: conversion, start: Signed Up, through: Page Viewed, reach: Lesson Watched, within: 1d",
            "m.through: must be a list, not 'Page Viewed'",
        ),
        (
            "kind: conversion, start: Signed Up, through: [Page Viewed, [Course Published, Page Viewed]], "
            "reach: Lesson Watched, within: 1d",
            "m: 'Page Viewed' is named in through.0 and in through.1; with through, start, every step and reach need "
            "different events, so that one event is not two steps",
        ),
        (
            "kind: conversion, start: [Signed Up, Page Viewed], through: [Course Published], "
            "reach: {event: Page Viewed}, within: 1d",
            "m: 'Page Viewed' is named in start and in reach; with through, start, every step and reach need different "
            "events, so that one event is not two steps",
        ),
        (
            "kind: crash_free, of: Page Viewed, failure: Lesson Watched, idle: soon",
            "m.idle: 'soon' is not a duration; write a whole number and d, h, m or s, for example '14d', '24h' or "
            "'30m'",
        ),
        (
            "kind: crash_free, of: Page Viewed, failure: Lesson Watched, limit: 99",
            "m: limit 99: percent limits are fractions; write 0.45 for 45 %",
        ),
        (
            "kind: new_people",
            "m: unit 'percent' does not fit this kind of metric; write unit: people",
        ),
        (
            "kind: share, of: Signed Up, did: Signed Up, target: {value: 45, by: 2026-12-31}",
            "m: target 45: percent targets are fractions; write 0.45 for 45 %",
        ),
        (
            "kind: share, of: Signed Up, did: Signed Up, target: {value: 0.4, by: 2026-13-31}",
            "m.target.by: must be a date, for example 2026-12-31, not '2026-13-31'",
        ),
        (
            "kind: share, of: Signed Up, did: Signed Up, report: [{framework: heart, stage: adoption}]",
            "m: say where it is reported: framework and stage, or report: [{framework: ..., stage: ...}]",
        ),
    ],
)  # fmt: skip
def test_wrong_metrics(fields: str, message: str) -> None:
    assert refused(with_metric(fields)) == [f"product.yml:7: metrics.{message}"]


def test_a_task_has_one_number_of_time() -> None:
    fields = "kind: time_on_task, start: Signed Up, success: Course Published, within: 1h"
    text = with_metric(fields).replace("unit: percent", "unit: minutes")
    assert parse_product(text, PLAN).metrics["m"].definition() == (
        "Smallest time from 'Signed Up' to the next 'Course Published' of the same person up to which 50 % of the "
        "attempts lie, over the attempts that begin in the period and succeed within 1 hour; a value is complete once "
        "the period and 1 hour after it are over."
    )
    (found,) = refused(text.replace("within: 1h", "within: 1h, trim: 0.1, percentile: 90"))
    assert found.endswith("m: percentile and trim are two numbers; declare a metric for each")
    (found,) = refused(text.replace("within: 1h", "within: 1h, trim: 0.5"))
    assert found.startswith("product.yml:7: metrics.m.trim")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "within: 2 weeks",
            ".within: '2 weeks' is not a duration; write a whole number and d, h, m or s, for example",
        ),
        ("within: 0d", ".within: '0d' is no time at all; write at least one second"),
        ("within: 14d, mature: 7d", ": a value with within is complete once that has elapsed; remove mature"),
        ("within: 14d, hours: business", ": within is elapsed time; remove it, or hours: business"),
    ],
)
def test_a_duration_has_one_horizon(more: str, message: str) -> None:
    fields = "kind: duration, start: Signed Up, end: Course Published"
    text = with_metric(fields).replace("unit: percent", "unit: days")
    assert parse_product(text, PLAN).metrics["m"].measured().wait == 0
    within = parse_product(text.replace(fields, f"{fields}, within: 14d"), PLAN).metrics["m"]
    assert within.measured().wait == 14 * 86_400_000_000
    (found,) = refused(text.replace(fields, f"{fields}, {more}"))
    assert found.startswith(f"product.yml:7: metrics.m{message}")


def test_a_limit_does_not_change_the_numbers() -> None:
    text = with_metric("kind: share, of: Signed Up, did: Lesson Watched")
    limited = text.replace("unit: percent", "unit: percent, limit: 0.2")
    before, after = (parse_product(each, PLAN) for each in (text, limited))
    assert (before.metrics["m"].limit, after.metrics["m"].limit) == (None, 0.2)
    assert before.definition_hash("m") == after.definition_hash("m")
    assert metric_catalogue(after)["limit_value"].to_list() == [0.2]


def test_every_problem_is_listed_with_its_line() -> None:
    text = HEAD + (
        "metrics:\n"
        "  Active: {framework: aarrr, stage: activaton, title: T, unit: percent, kind: share, of: A}\n"
        "  m:\n"
        "    report: [{framework: heart, stage: revenue}]\n"
        "    title: ''\n"
        "    unit: percent\n"
        "    kind: nps\n"
    )
    assert refused(text) == [
        "product.yml:7: metrics.Active: 'Active' is not a name; use lower-case letters, digits and underscores, at "
        "most 63",
        "product.yml:7: metrics.Active.stage: unknown stage 'activaton' of aarrr; allowed: acquisition, activation, "
        "retention, referral, revenue (did you mean 'activation'?)",
        "product.yml:7: metrics.Active.did: is missing",
        "product.yml:8: metrics.m.event: is missing",
        "product.yml:8: metrics.m.score: is missing",
        "product.yml:9: metrics.m.report.0.stage: unknown stage 'revenue' of heart; allowed: happiness, engagement, "
        "adoption, retention, task_success",
        "product.yml:10: metrics.m.title: must not be empty",
    ]


def test_channels_funnels_and_scores() -> None:
    text = HEAD.replace("Lesson Watched", "Lesson Wached") + (
        "channels:\n"
        '  - {name: paid, where: "utm_medum = 1"}\n'
        '  - {name: paid, where: "lower(utm_medium) = 1"}\n'
        '  - {name: direct, where: "utm_medium = 2"}\n'
        "metrics:\n"
        "  m: {framework: heart, stage: happiness, title: T, unit: points, kind: nps, event: Survey Answered,\n"
        "    score: points}\n"
        "funnels:\n"
        "  f: {title: F, steps: [Signed Up, Foo], within: 3d}\n"
    )
    found = refused(text)
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in found] == [
        "product.yml:5 activity",
        "product.yml:7 channels.0.where",
        "product.yml:8 channels.1.name",
        "product.yml:8 channels.1.where",
        "product.yml:9 channels.2.name",
        "product.yml:9 channels.2.where",
        "product.yml:12 metrics.m.score",
        "product.yml:14 funnels.f.steps.1",
    ]
    assert found[2].endswith("'paid' is listed twice; join the conditions with or")
    assert found[4].endswith("'direct' is taken: it is what Headway calls the rest or the sum")
    assert found[6].endswith(
        "a promoter score lies between 0 and 10; the plan's limits of 'points' are wider"
    )


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "product.yml"
    path.write_text(GOOD)
    assert load_product(path, PLAN) == parse_product(GOOD, PLAN)


def test_the_schemas_know_short_selectors_and_yaml_names() -> None:
    product = product_schema()
    forms = product["$defs"]["EventSelector"]["anyOf"]
    assert [form["type"] for form in forms] == ["string", "array", "object"]
    assert product["$defs"]["Conversion"]["required"] == ["title", "unit", "kind", "start", "reach", "within"]
    steps = product["$defs"]["Conversion"]["properties"]["through"]["anyOf"][0]
    assert (steps["type"], steps["items"], steps["minItems"]) == (
        "array",
        {"$ref": "#/$defs/EventSelector"},
        1,
    )
    assert product["$defs"]["Duration"]["properties"]["within"]["anyOf"][0] == {"type": "string"}
    enum = tracking_plan_schema()["$defs"]["EnumProperty"]
    assert {"class", "from"} <= set(enum["properties"])
    assert enum["additionalProperties"] is False


def test_the_demo_is_a_valid_product() -> None:
    demo = Path(__file__).parents[3] / "pipelines" / "headway_pipelines" / "demo"
    plan = load_plan(demo / "tracking_plan.yml")
    assert isinstance(load_product(demo / "product.yml", plan), Product)


def test_conditions_may_use_properties_of_people_and_accounts() -> None:
    plan = parse_plan(PLAN_TEXT + "person_properties: {tier: {class: enum, values: [free, pro]}}\n")
    fine = with_metric(
        "kind: share, of: Signed Up, did: {event: Signed Up, where: person_latest.tier = 'pro'}"
    )
    parse_product(fine, plan)
    wrong = {
        "person.tier = 'por'": "'person.tier' is never 'por' (did you mean 'pro'?); its values are: free, pro",
        "person.tir = 'pro'": "unknown property 'person.tir'. Did you mean 'person.tier'?",
        "account.tier = 'pro'": "'account.tier' is not known here: no account properties are",
    }
    for where, message in wrong.items():
        with pytest.raises(DefinitionError) as caught:
            parse_product(fine.replace("person_latest.tier = 'pro'", where), plan)
        assert message in str(caught.value)


def test_how_people_are_joined() -> None:
    assert parse_product(GOOD, PLAN).identity.mode == "latest_user"
    mode, most = refused(GOOD + "identity: {mode: latest, max_users_per_device: 0}\n")
    assert "allowed: none, latest_user, components, strict" in mode and "max_users_per_device" in most
    (unknown,) = refused(GOOD + "identity: {logout: [Signd Up]}\n")
    assert "identity.logout: the tracking plan has no event 'Signd Up' (did you mean 'Signed Up'?)" in unknown


def test_further_metrics_lie_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "product.yml").write_text(GOOD)
    more = tmp_path / "metrics" / "growth.yml"
    more.write_text(
        "# growth\nsign_ups: {framework: aarrr, stage: acquisition, title: Sign-ups, unit: people, kind: count,\n"
        "  of: {event: Signed Up, measure: people}}\n"
    )
    found = load_product(tmp_path / "product.yml", PLAN)
    assert set(found.metrics) == {*parse_product(GOOD, PLAN).metrics, "sign_ups"}
    more.write_text(more.read_text().replace("Signed Up", "Signd Up"))
    with pytest.raises(DefinitionError) as caught:
        load_product(tmp_path / "product.yml", PLAN)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(
        "metrics/growth.yml:3: metrics.sign_ups.of.event: the tracking plan has no event 'Signd Up'"
    )
    name = next(iter(parse_product(GOOD, PLAN).metrics))
    more.write_text(f"\n{name}: 1\n")
    with pytest.raises(
        DefinitionError, match=f"metrics/growth.yml:2: {name}: is also defined in product.yml"
    ):
        load_product(tmp_path / "product.yml", PLAN)
