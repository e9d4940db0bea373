"""Values made to break detection: each ends, within limits, and nothing of it is shown.

No duration is asserted. What would take minutes if a pattern went back and forth is run at a size at which the suite
would be seen to hang.
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from headway_pipelines.privacy.detection import judge
from headway_pipelines.privacy.detection.columns import suspects
from headway_pipelines.privacy.detection.decode import BUDGET, Budget, unfold
from headway_pipelines.privacy.detection.texts import LONGEST, find
from headway_pipelines.privacy.detection.views import view

SIZE = 30_000


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


REPEATED = [
    "a",
    "A",
    "Ab",
    "1",
    "1 ",
    "1.",
    "12-",
    "a.",
    "a@",
    "@.",
    ":",
    "ff:",
    "a:",
    "a_",
    "a_at_b_dot_",
    "at dot ",
    "eyJ",
    "%25",
    "&#64;",
    "=40",
    "\\u0040",
    "Aa ",
    "Maria ",
    "Maria_",
    "12 Aa ",
    "+1 ",
    "DE89 ",
    "password is ",
    "http://",
    "k=",
    "x: ",
    "born ",
    "52°",
    "1.2345,",
    "ул. Аа ",
    "市",
    "-----BEGIN PRIVATE KEY-----",
    "{",
    '["',
]


@pytest.mark.parametrize("part", REPEATED)
def test_repetition_ends(part: str) -> None:
    assert judge((part * SIZE)[:SIZE], "note").action in ("keep", "redact", "drop")


@pytest.mark.parametrize(
    "written", ["\ud800", "\x00", "a\u0301" * 5, "\ufeff", "\U0010ffff", "\x7f\x1b[31m", "\u202e"]
)
def test_odd_characters_hide_nothing(written: str) -> None:
    assert judge(f"{written} grizelda@example.com", "note").types == ("email",)


@pytest.mark.parametrize("hidden", ["\x00", "\u200b", "\u00ad", "\u2060", "\ufe0f", "\ud800"])
def test_characters_that_show_nothing_hide_nothing(hidden: str) -> None:
    assert judge(hidden.join("grizelda@example.com"), "x").cleaned == "[email]"


def test_what_is_encoded_too_often_is_unreadable() -> None:
    value = "grizelda@example.com"
    for _ in range(3):
        value = quote(value, safe="")
    assert judge(value, "x").types == ("email",)
    for _ in range(2):
        value = quote(value, safe="")
    assert judge(value, "x").types == ("unreadable",) and judge(value, "x").action == "drop"


def test_a_bomb_of_encodings_spends_its_budget_and_no_more() -> None:
    text = "grizelda " * 1_000
    for _ in range(4):
        text = base64.b64encode(text.encode()).decode()
    budget = Budget()
    seen = sum(len(each.text) for each in unfold(view(text[:LONGEST]), budget))
    assert budget.exceeded and seen <= BUDGET + LONGEST


def test_many_encoded_runs_spend_the_budget() -> None:
    text = " ".join(base64.b64encode(f"nothing in here {n}".encode()).decode() for n in range(100))
    assert judge(text, "x").types == ("unreadable",)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a" * (LONGEST + 1), id="long text"),
        pytest.param(nested(200), id="deep"),
        pytest.param({f"k{n}": n for n in range(30_000)}, id="wide"),
        pytest.param(["a" * 30_000] * 20, id="much"),
    ],
)
def test_what_is_too_much_is_unreadable(value: Any) -> None:
    verdict = judge(value, "x")
    assert verdict.action == "drop" and verdict.types == ("unreadable",) and verdict.cleaned is None


def test_json_too_deep_for_a_parser_is_a_text() -> None:
    deep = "[" * 10_000 + "]" * 10_000
    assert judge(deep, "x").action == "keep"
    assert judge(f'{deep} "email": "grizelda@example.com"', "x").types == ("email",)


def test_a_name_of_a_million_characters() -> None:
    assert judge(1, "k" * 1_000_000).types == ("unreadable",)
    assert judge({"k" * 1_000_000: 1}, "x").cleaned == {"[unreadable]": 1}


def test_a_number_of_thousands_of_digits() -> None:
    assert judge(10**5_000, "phone").action in ("keep", "drop")


def test_numbers_as_texts_are_found_as_numbers_are() -> None:
    for value in (4915123456789, "4915123456789"):
        assert judge(value, "phone").types == ("phone",)


def test_letters_that_look_the_same() -> None:
    assert judge("grizеldа@еxаmple.com", "x").cleaned == "[email]"  # three of them are Cyrillic
    assert judge("привет", "x").action == "keep"


def test_findings_show_no_value() -> None:
    verdict = judge({"jo@example.com": ["call +49 151 23456789 now please"]}, "x")
    assert {"email", "phone"} == set(verdict.types)
    shown = repr(verdict) + repr(find("jo@example.com"))
    assert "jo@" not in shown and "151" not in shown


def test_spans_are_code_points_of_the_value_as_it_came() -> None:
    text = "😀 ｊｏ＠example．com %40 é"
    (hit,) = find(text)
    assert text[hit.start : hit.end] == "ｊｏ＠example．com"


def test_a_cleaned_text_in_json_stays_json() -> None:
    cleaned = judge(json.dumps({"email": "jo@example.com", "n": [1, 2]}), "payload").cleaned
    assert json.loads(cleaned) == {"email": "[email]", "n": [1, 2]}


def test_numbers_that_a_library_stumbles_over_end_nothing() -> None:
    """Any eighteen digits: some name a county of China that the library of state numbers knows without its parts."""
    numbers = random.Random(6).choices(range(10**17, 10**18), k=3_000)
    found = suspects(pl.Series([str(number) for number in numbers])).types
    assert sum(found.values()) < 150
