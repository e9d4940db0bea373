"""Every kind of item says its figures in one sentence, and asks something."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from headway.feed import Item
from headway_pipelines.strategy.sentences import feed_table
from headway_pipelines.warehouse.reading import tables_of

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
        (
            item("goodbye", subject="editor", metric="", value=0.012, reference=900.0, label="nearly nobody uses it"),
            "Video editor could go: nearly nobody uses it (1.2 % of those who could).",
        ),
    ],
)  # fmt: skip
def test_an_item_in_a_sentence(told: Item, sentence: str) -> None:
    (row,) = feed_table([told], TITLES, UNITS).to_dicts()
    assert row["sentence"] == sentence
    assert row["ask"].endswith(("?", "."))
    assert foreign_numbers(row, TITLES.values()) == []


_DATE = re.compile(rf"\d{{1,2}} (?:{'|'.join(calendar.month_name[1:])}) \d{{4}}")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_FIGURES = ("value", "reference", "change", "low", "high", "label_effect")


def foreign_numbers(row: Mapping[str, Any], titles: Iterable[str]) -> list[str]:
    """Numbers of a sentence that are none of the figures, labels and names in its row, rounded as they are shown."""
    text = _DATE.sub("", row["sentence"])
    for name in sorted((each for each in titles if each), key=len, reverse=True):
        text = text.replace(name, "")
    figures = [abs(row[name]) for name in _FIGURES if row[name] is not None]
    words = _NUMBER.findall(f"{row['outcome']} {row['label']}")
    found = []
    for number in _NUMBER.findall(text):
        shown, places = float(number.replace(",", "")), len(number.partition(".")[2])
        # Percent are stored as fractions.
        near = [abs(shown - scale * each) <= 0.5001 * 10.0**-places for each in figures for scale in (1, 100)]
        if not any(near) and number not in words:
            found.append(number)
    return found


def test_every_number_of_the_demo_s_feed_is_a_stored_value(demo_workspace: Any) -> None:
    tables = tables_of(demo_workspace.root / "published" / "analytics.duckdb")
    titles = [*tables["metric_catalogue"]["title"], *tables["strategy_nodes"]["title"]]
    titles += [*tables["funnel_steps"]["title"], *tables["retention_cells"]["title"]]
    feed = tables["insight_feed"]
    assert feed.height > 5
    assert feed["rank"].to_list() == list(range(1, feed.height + 1))
    foreign = {row["sentence"]: foreign_numbers(row, titles) for row in feed.to_dicts()}
    assert {sentence: numbers for sentence, numbers in foreign.items() if numbers} == {}
    assert all(row["ask"] for row in feed.to_dicts())
    days = {day for text in feed["sentence"] for day in _DATE.findall(text)}
    assert days <= {f"{day:%-d %B %Y}" for day in feed["period_start"].drop_nulls()}
    # What would be invented is found.
    invented = feed.row(0, named=True)
    assert foreign_numbers({**invented, "sentence": invented["sentence"] + " About 987.6 more."}, titles) == [
        "987.6"
    ]
