"""Every kind of item says its figures in one sentence, and asks something."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from headway.feed import Item
from headway_pipelines.strategy.sentences import feed_table

TITLES = {
    "funnel arrival": "Arrival",
    "m": "Active people",
    "n": "Publish",
    "back": "Back again",
    "editor": "Video editor",
}
UNITS = {"m": "people", "n": "percent"}
MONDAY = dt.date(2026, 3, 2)


def item(kind: Any, outcome: str = "", **said: Any) -> Item:
    empty: dict[str, Any] = {
        "subject": "n", "metric": "n", "period": "week", "period_start": MONDAY, "value": None, "reference": None,
        "change": None, "low": None, "high": None, "good": None, "label": "", "label_effect": None, "weight": 1.0,
    }  # fmt: skip
    return Item(kind=kind, outcome=outcome, **{**empty, **said})


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            item("limit", value=0.2, reference=0.1, low=0.15, high=0.25),
            "Publish broke its limit of 10 %: 20 % (15–25) in the week of 2 March 2026.",
        ),
        (
            item("kill", subject="editor", value=0.2, reference=0.1, low=0.15, high=0.25),
            "Video editor: the rule says stop. Publish was 20 % (15–25) in the week of 2 March 2026, worse than 10 %.",
        ),
        (
            item("target", "missed", value=0.3, reference=0.4, low=0.25, high=0.35),
            "Publish missed its target of 40 %: 30 % (25–35) in the week of 2 March 2026.",
        ),
        (
            item("bet", "miss", subject="editor.n", period=""),
            "The bet on Video editor missed: Publish, settled for 2 March 2026.",
        ),
        (
            item("bet", "harm", subject="editor.n", period="", value=-0.13, reference=0.03, low=-0.21, high=-0.05,
                 label="absolute"),
            "The bet on Video editor did harm: Publish, settled for 2 March 2026: −13 percentage points (−21 to −5), "
            "promised was +3 percentage points.",
        ),
        (
            item("bet", "hit", subject="editor.m", metric="m", period="", value=0.2, reference=0.1, low=0.12,
                 high=0.28, label="relative"),
            "The bet on Video editor hit: Active people, settled for 2 March 2026: +20 % (12–28), promised was +10 %.",
        ),
        (
            item("funnel", "2", subject="arrival", value=0.25, reference=0.6, change=-0.35, low=-0.47, high=-0.22,
                 label="channel=paid"),
            "Step 2 of Arrival broke for channel paid: Publish went from 60 % to 25 % in the week of 2 March 2026 "
            "(−35 percentage points, −47 to −22).",
        ),
        (
            item("correlate", "Course Saved", subject="back", metric="", period="", value=0.6, reference=0.2,
                 change=0.4, low=0.27, high=0.51, label="week"),
            "Back again: of those who did Course Saved in their first week, 60 % came back in the next, of the "
            "others 20 % (+40 percentage points, 27–51). It goes with coming back; that does not say it is the cause.",
        ),
        (
            item("move", subject="m", metric="m", value=120.0, reference=100.0, change=20.0, low=5.0, high=35.0,
                 label="channel=paid", label_effect=15.0),
            "Active people went from 100 people to 120 people in the week of 2 March 2026 (+20 people, 5–35). "
            "Channel paid did most of it: +15 people.",
        ),
        (
            item("move", value=0.3, reference=0.4, change=-0.1, low=-0.15, high=-0.05),
            "Publish went from 40 % to 30 % in the week of 2 March 2026 (−10 percentage points, −15 to −5).",
        ),
        (
            item("retention", subject="back", metric="", value=0.2, reference=0.4, change=-0.2, low=-0.3, high=-0.1,
                 label="week=1"),
            "Back again: 20 % of the cohort of 2 March 2026 came back in week 1, 40 % of those before "
            "(−20 percentage points, −30 to −10).",
        ),
        (
            item("anomaly", subject="m", metric="m", period="day", value=50.0, reference=100.0, low=90.0, high=110.0),
            "Active people was 50 people on 2 March 2026, expected was 100 people (90–110).",
        ),
        (
            item("goodbye", subject="editor", metric="", label="nearly nobody uses it"),
            "Video editor could go: nearly nobody uses it.",
        ),
    ],
)  # fmt: skip
def test_an_item_in_a_sentence(told: Item, sentence: str) -> None:
    (row,) = feed_table([told], TITLES, UNITS).to_dicts()
    assert row["sentence"] == sentence
    assert row["ask"].endswith(("?", "."))
