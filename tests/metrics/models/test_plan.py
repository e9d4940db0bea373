"""The tracking plan: what it accepts, what it refuses and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import DefinitionError, InputError
from headway.models.durations import Retention, describe_duration, parse_duration, parse_retention
from headway.models.plan import Column, load_plan, parse_plan
from headway.models.properties import TokenProperty, UrlProperty, snake_case

HEAD = """\
version: 1
product: lectern
defaults: {purpose: product_analytics, owner: data, retention: 25 months}
"""

GOOD = (
    HEAD
    + r"""
events:
  Page Viewed:
    properties:
      url: {class: url, hosts: [learn.example.com], paths: ["/", "/courses/*"], query: [utm_source, utmMedium]}
      referrer: {class: url, keep: host}
      title: {class: text}
  Course Published:
    description: A teacher made a course public.
    owner: teaching
    retention: 90 days
    properties:
      category: {class: enum, values: [art, business]}
      price: {class: number, min: 0, max: 1000.5, unit: EUR}
      lessonCount: {class: integer, min: 0, max: 500}
      has_video: {class: bool}
      starts_at: {class: timestamp}
      version: {class: token, pattern: "[0-9]+\\.[0-9]+"}
      course_id: {class: id, domain: course}
      email: {class: sensitive}
      plan: {class: enum, values: [free, pro], column: tariff, from: properties.plan_name}
  Course Enrolled:
    properties:
      category: {class: enum, values: [business, music]}
      course_id: {class: id, domain: course}
  Invite Accepted:
"""
)


def refused(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse_plan(text)
    return str(caught.value).splitlines()


def test_columns_are_united_and_sorted() -> None:
    assert list(parse_plan(GOOD).columns().values()) == [
        Column("category", "VARCHAR", "enum", values=("art", "business", "music")),
        Column("course_id", "UUID", "id", domain="course"),
        Column("has_video", "BOOLEAN", "bool"),
        Column("lesson_count", "BIGINT", "integer"),
        Column("price", "DOUBLE", "number"),
        Column("referrer", "VARCHAR", "url"),
        Column("starts_at", "TIMESTAMP", "timestamp"),
        Column("tariff", "VARCHAR", "enum", values=("free", "pro")),
        Column("url", "VARCHAR", "url"),
        Column("utm_medium", "VARCHAR", "token"),
        Column("utm_source", "VARCHAR", "token"),
        Column("version", "VARCHAR", "token"),
    ]


def test_fields_say_where_a_value_comes_from_and_goes_to() -> None:
    plan = parse_plan(GOOD)
    fields = {field.name: field for field in plan.event("Course Published").fields()}
    assert (fields["plan"].source, fields["lessonCount"].source) == ("properties.plan_name", "lessonCount")
    assert fields["email"].columns() == ()
    url = plan.event("Page Viewed").fields()[0]
    assert isinstance(url.spec, UrlProperty)
    assert [column.name for column in url.columns()] == ["url", "utm_source", "utm_medium"]
    assert url.query["utmMedium"].name == "utm_medium"
    assert plan.event("Invite Accepted").fields() == ()


def test_terms_of_an_event_override_the_defaults() -> None:
    terms = parse_plan(GOOD).terms("Course Published")
    assert (terms.purpose, terms.owner, terms.retention) == (
        "product_analytics",
        "teaching",
        Retention(90, "day"),
    )
    with pytest.raises(
        InputError, match=r"unknown event 'Course Publishd'\. Did you mean 'Course Published'"
    ):
        parse_plan(GOOD).terms("Course Publishd")


def test_the_hash_ignores_comments_and_order_but_not_content() -> None:
    plan = parse_plan(GOOD)
    assert len(plan.hash) == 64
    moved = HEAD + "# a comment\nevents:\n  B:\n  A: {owner: x, purpose: y}\n"
    assert parse_plan(moved).hash == parse_plan(HEAD + "events: {A: {purpose: y, owner: x}, B: {}}").hash
    assert plan.hash != parse_plan(GOOD.replace("max: 500", "max: 501")).hash


def test_a_plan_cannot_be_changed() -> None:
    plan = parse_plan(GOOD)
    with pytest.raises(Exception, match="frozen"):
        plan.product = "other"  # type: ignore[misc]


def test_unknown_class_and_key_bad_bounds_and_empty_enum() -> None:
    text = HEAD + (
        "events:\n"
        "  Signed Up:\n"
        "    properties:\n"
        "      name: {class: string}\n"
        "      plan: {class: enum, values: []}\n"
        "      price: {class: number, min: 10, max: 1}\n"
        "      lessons: {class: integer, mim: 0}\n"
        "      method: {values: [email]}\n"
    )
    classes = "bool, enum, id, integer, number, sensitive, text, timestamp, token, url"
    at = "events.Signed Up.properties"
    assert refused(text) == [
        f"tracking_plan.yml:7: {at}.name: unknown class 'string'; allowed: {classes}",
        f"tracking_plan.yml:8: {at}.plan.values: is empty; list the values that may be stored",
        f"tracking_plan.yml:9: {at}.price: min 10 is greater than max 1; swap them",
        f"tracking_plan.yml:10: {at}.lessons.mim: unknown key; allowed: class, column, description, from, max, "
        "min, unit (did you mean 'min'?)",
        f"tracking_plan.yml:11: {at}.method: has no class; allowed: {classes}",
    ]


def test_conflicting_columns() -> None:
    text = HEAD + (
        "events:\n"
        "  A: {properties: {amount: {class: number}, course: {class: id, domain: course}}}\n"
        "  B:\n"
        "    properties:\n"
        "      amount: {class: integer}\n"
        "      course: {class: id, domain: lesson}\n"
        "      Line: {class: integer}\n"
        "      lineNo: {class: integer}\n"
        "      line_no: {class: integer}\n"
        "      $: {class: bool}\n"
    )
    end = "make them equal or give one its own column: name"
    assert refused(text) == [
        "tracking_plan.yml:8: events.B.properties.amount: the column 'amount' is class integer here and class "
        f"number in A.amount; {end}",
        "tracking_plan.yml:9: events.B.properties.course: the column 'course' is an id of domain lesson here and "
        f"an id of domain course in A.course; {end}",
        "tracking_plan.yml:10: events.B.properties.Line: the lake has its own column 'line'; give it column: "
        "another_name",
        "tracking_plan.yml:12: events.B.properties.line_no: fills the column 'line_no', which 'lineNo' fills "
        "already",
        "tracking_plan.yml:13: events.B.properties.$: cannot become the column ''; give it column: a_name",
    ]


def test_the_browser_is_known_of_events_and_as_a_word() -> None:
    text = HEAD + (
        "events:\n"
        "  A: {properties: {browser: {class: id, domain: browser, from: $browser_family}}}\n"
        "person_properties:\n"
        "  browser: {class: enum, values: [Chrome], from: $browser_family}\n"
    )
    assert [line.split(": ", 1)[1] for line in refused(text)] == [
        "events.A.properties.browser: $browser_family is a word; make it an enum or a token",
        "person_properties.browser: $browser_family is known of events only; declare it there",
    ]


def test_patterns_must_be_re2_and_narrow() -> None:
    patterns = ["(?=a)b", r"(a)\1", "(a", ".*", r"[^@]+@.+", "a{3}++"]
    lines = "".join(f"      p{at}: {{class: token, pattern: '{each}'}}\n" for at, each in enumerate(patterns))
    found = [
        line.split(".pattern: ")[1] for line in refused(HEAD + "events:\n  A:\n    properties:\n" + lines)
    ]
    narrow = (
        "matches arbitrary text such as names or addresses; a token's pattern admits only its own kind of word, "
        r"for example '[0-9]+\.[0-9]+'"
    )
    assert found == [
        "'(?=a)b' uses look-around, which RE2 does not have; write the pattern without it",
        r"'(a)\\1' uses a backreference, which RE2 does not have; write the pattern without it",
        "'(a' is not a regular expression that RE2 reads",
        f"'.*' {narrow}",
        f"'[^@]+@.+' {narrow}",
        "'a{3}++' is not a regular expression that RE2 reads",
    ]
    assert TokenProperty.model_validate({"class": "token", "pattern": "v[0-9]{1,3}"}).pattern == "v[0-9]{1,3}"


def test_urls_name_their_hosts() -> None:
    text = HEAD + (
        "events:\n"
        "  A:\n"
        "    properties:\n"
        "      a: {class: url}\n"
        "      b: {class: url, keep: hots}\n"
        "      c: {class: url, hosts: ['https://x.example']}\n"
        "      d: {class: url, hosts: [x.example], paths: [courses]}\n"
        "      e: {class: url, keep: host, paths: [/]}\n"
    )
    at = "events.A.properties"
    assert refused(text) == [
        f"tracking_plan.yml:7: {at}.a: a url needs hosts: [your.host], or keep: host to store the host alone",
        f"tracking_plan.yml:8: {at}.b.keep: 'hots' is not allowed; allowed: host (did you mean 'host'?)",
        f"tracking_plan.yml:9: {at}.c: host 'https://x.example' must be a lower-case host name without scheme or "
        "path",
        f"tracking_plan.yml:10: {at}.d: path 'courses' must start with / and hold no ?, # or space",
        f"tracking_plan.yml:11: {at}.e: keep: host stores no path; remove paths or remove keep",
    ]


def test_terms_are_required_somewhere() -> None:
    text = "version: 1\nproduct: lectern\ndefaults: {owner: data, retention: 2 moons}\nevents: {A: {}}"
    assert refused(text) == [
        "tracking_plan.yml:3: defaults.retention: '2 moons' is not a retention period; write a whole number and "
        "days, weeks, months or years, for example '25 months'"
    ]
    assert refused(text.replace("moons", "months")) == [
        "tracking_plan.yml:4: events.A: has no purpose; state it here or for all events under defaults"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "tracking_plan.yml:1: the file is empty"),
        ("- a", "tracking_plan.yml:1: must be a mapping, not a list"),
        (
            "version: 1\nevents:\n  A: {}\n  A: {}",
            "tracking_plan.yml:4: events.A: written twice; the first is on line 3",
        ),
        (
            "version: 1\nevents: [\nproduct: x",
            "tracking_plan.yml:3: this is not valid YAML: expected ',' or ']', but got '<stream end>' while parsing a "
            "flow sequence",
        ),
        (
            "a: !!python/object:os.system x",
            "tracking_plan.yml:1: a: this value or tag cannot be read; write it in quotes",
        ),
        ("a: &x {b: *x}", "tracking_plan.yml:1: a.b: this alias repeats too much or contains itself; write it out"),
        ("? [1]\n: 2", "tracking_plan.yml:1: a key must be text"),
    ],
)  # fmt: skip
def test_broken_yaml(text: str, message: str) -> None:
    assert refused(text)[0] == message


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.text(alphabet="abAB:-{}[]&*!|>'\"\n #?1", max_size=40), st.integers(0, len(GOOD)), st.integers(0, 30)
)
def test_whatever_the_text_the_error_is_ours(junk: str, at: int, cut: int) -> None:
    for text in (junk, GOOD[:at] + junk + GOOD[at + cut :]):
        try:
            parse_plan(text)
        except DefinitionError as error:
            assert all(line.startswith("tracking_plan.yml:") for line in str(error).splitlines())


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "tracking_plan.yml"
    with pytest.raises(DefinitionError, match=r"tracking_plan\.yml: there is no such file"):
        load_plan(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DefinitionError, match=r"tracking_plan\.yml: cannot be read as UTF-8 text"):
        load_plan(path)
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load_plan(path).product == "lectern"


def test_durations() -> None:
    assert [parse_duration(each) for each in ("90s", "30m", "24h", "14d")] == [
        90_000_000, 1_800_000_000, 86_400_000_000, 14 * 86_400_000_000,
    ]  # fmt: skip
    assert describe_duration("90s") == "90 seconds"
    for text in ("14 days", "d", "-1d", "1.5h", "1w", "", "١d", 14):
        with pytest.raises(InputError, match="is not a duration"):
            parse_duration(text)  # type: ignore[arg-type]
    for text in ("0 days", "months", "3 fortnights", "25months"):
        with pytest.raises(InputError, match="is not a retention period"):
            parse_retention(text)


def test_snake_case() -> None:
    names = {
        "lessonCount": "lesson_count",
        "courseID": "course_id",
        "HTMLPage": "html_page",
        "a-b c.d": "a_b_c_d",
    }
    assert {name: snake_case(name) for name in names} == names


PROPERTIES = (
    GOOD
    + """
person_properties:
  plan: {class: enum, values: [free, pro]}
  homePage: {class: url, keep: host, query: [ref]}
  email: {class: sensitive}
account_properties:
  seats: {class: integer, min: 1}
"""
)


def test_people_and_accounts_have_properties_of_the_same_classes() -> None:
    plan = parse_plan(PROPERTIES)
    assert {n: c.sql_type for n, c in plan.subject_columns("person").items()} == {
        "home_page": "VARCHAR",
        "plan": "VARCHAR",
        "ref": "VARCHAR",
    }
    assert list(plan.subject_columns("account").values()) == [Column("seats", "BIGINT", "integer")]
    assert list(plan.dated_columns())[-2:] == ["account.seats", "account_latest.seats"]
    assert plan.dated_columns()["person_latest.plan"] == Column(
        "person_latest.plan", "VARCHAR", "enum", values=("free", "pro")
    )
    # the lake's columns are those of events
    assert plan.columns() == parse_plan(GOOD).columns()


def test_properties_count_in_the_hash_and_empty_sections_do_not() -> None:
    plain = parse_plan(GOOD).hash
    assert parse_plan(GOOD + "person_properties: {}\naccount_properties: {}\n").hash == plain
    assert len({plain, parse_plan(PROPERTIES).hash, parse_plan(PROPERTIES.replace("free, ", "")).hash}) == 3


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            "valid_from: {class: timestamp}",
            "person_properties.valid_from: the history has its own column 'valid_from'",
        ),
        ("person: {class: bool}", "person_properties.person: the history has its own column 'person'"),
        (
            "Plan: {class: bool}\n  plan: {class: bool}",
            "person_properties.plan: fills the column 'plan', which 'Plan'",
        ),
        ("2x: {class: bool}", "person_properties.2x: cannot become the column '2x'; give it column: a_name"),
        ("plan: {class: enun}", "person_properties.plan: unknown class 'enun'"),
    ],
)
def test_properties_of_people_are_refused_with_their_line(declared: str, message: str) -> None:
    (found,) = refused(f"{GOOD}\nperson_properties:\n  {declared}\n")
    line = len(GOOD.splitlines()) + 2 + declared.count("\n") + 1
    assert found.startswith(f"tracking_plan.yml:{line}: {message}")


def test_properties_of_people_need_terms_under_defaults() -> None:
    text = GOOD.replace(", owner: data", "").replace("  Page Viewed:", "  Page Viewed:\n    owner: a")
    text = text.replace("  Course Enrolled:", "  Course Enrolled:\n    owner: a").replace(
        "  Invite Accepted:", "  Invite Accepted:\n    owner: a"
    )
    parse_plan(text)
    (found,) = refused(text + "account_properties:\n  plan: {class: bool}\n")
    assert found.endswith("account_properties: properties of accounts have no owner; state it under defaults")
