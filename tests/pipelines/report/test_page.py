"""What the pages say about small hand-made histories."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Read = Callable[[Path], str]
MONDAY = date(2026, 3, 2)


def markup(index: Path) -> str:
    return " ".join(path.read_text() for path in sorted(index.parent.glob("*.html")))


def test_value_interval_target_and_change(published: Any, read: Read) -> None:
    # 400 of 1,000 then 380 of 1,000: 38 % (35–41) by Wilson, and -2 points (-6 to 2) by Newcombe.
    published.metric(target_value=0.45, target_by=date(2026, 12, 31)).weeks((1000, 400), (1000, 380))
    page = read(published.write())
    assert "38 % (35–41)" in page
    assert "45 % by 31 Dec 2026 Not met yet" in page
    assert "−2 points (−6 to 2)" in page and "within noise" in page
    assert "Of 1 metric with a target, 1 falls short of it." in page
    assert "Activation is 38 % (35–41), below its target of 45 %." in page
    assert "None of 1 metric differs from the week before by more than noise." in page
    assert "Values are of the latest complete week, 9–15 Mar 2026." in page


def test_a_due_date_in_the_past_makes_it_missed(published: Any, read: Read) -> None:
    published.metric(target_value=0.45, target_by=date(2026, 4, 5)).weeks((1000, 380))
    assert "45 % by 5 Apr 2026 Missed" in read(published.write())


def test_a_change_beyond_noise_names_its_size_and_direction(published: Any, read: Read) -> None:
    published.metric(direction="down").weeks((1000, 400), (1000, 500))
    page = read(published.write())
    assert "+10 points (6–14)" in page and "worse, more than noise" in page
    assert "moved by more than noise (1 comparison in 20 does so by chance alone): Activation rose by" in page
    assert "rose by 10 percentage points (6–14)." in page


def test_an_interval_never_seems_to_touch_a_target_it_misses(published: Any, read: Read) -> None:
    # 4,200 of 10,000 is 41.0 to 43.0: as "41–43" it would seem to touch 43 %.
    published.metric(target_value=0.43).weeks((10_000, 4_200))
    page = read(published.write())
    assert "42.00 % (41.04–42.97)" in page and "Missed" in page


def test_incomplete_weeks_are_neither_judged_nor_compared(published: Any, read: Read) -> None:
    published.metric(target_value=0.45).weeks((1000, 480), (1000, 490), (1000, 10), incomplete=1)
    page = read(published.write())
    assert "49 % (46–52)" in page and "45 % Met" in page
    assert "16–22 Mar 2026 1 % (1–2) 1,000 incomplete" in page  # in the table of weeks only
    assert page.count("1 % (1–2)") == 1


def test_no_complete_week_is_said_so(published: Any, read: Read) -> None:
    published.metric(target_value=0.45).weeks((1000, 10), incomplete=1)
    page = read(published.write())
    assert "No metric has a complete week yet, so there is no value to judge." in page
    assert "No value to compare" in page and "no complete week yet" in page


def test_a_week_in_which_the_data_begin_is_not_compared(published: Any, read: Read) -> None:
    published.info["first_event_at"] = datetime(2026, 3, 4, 8)
    published.metric().weeks((1000, 100), (1000, 500))
    page = read(published.write())
    assert "the data begin within the week before" in page and "moved by" not in page


@pytest.mark.parametrize(
    ("unit", "kind", "cell", "squares", "shown"),
    [
        ("people", "count", (1204, 1204), (), "1,204 people (1,137–1,274)"),
        ("EUR", "mean", (400, 4_960.0), (100_000.0,), "12.40 EUR (11.43–13.37)"),
        ("points", "promoter_score", (100, 30), (70,), "30 points (14–45)"),
        ("days", "mean", (400, 1_360.0), (6_000.0,), "3.4 days (3.2–3.6)"),
    ],
)
def test_units(
    published: Any, read: Read, unit: str, kind: str, cell: tuple[int, float], squares: Any, shown: str
) -> None:
    published.metric(unit=unit).weeks(cell, kind=kind, squares=squares)
    assert shown in read(published.write())


def test_a_value_without_an_interval_claims_nothing(published: Any, read: Read) -> None:
    # Everybody paid 5 EUR in both weeks: no spread, no interval.
    published.metric(unit="EUR", target_value=4.0)
    published.weeks((100, 500.0), (100, 600.0), kind="mean", squares=(2500.0, 3600.0))
    page = read(published.write())
    assert "6.00 EUR (no interval) 4 EUR Too uncertain to say" in page
    assert "+1.00 EUR no interval: cannot tell it from noise" in page


def test_suppressed_cells_say_fewer_than_10_people_and_never_a_number(published: Any, read: Read) -> None:
    published.metric().weeks((100, 37), (120, 41), (100, 7), (7, 4), (130, 50))
    published.weeks((100, 37), (110, 41), (90, 7), (0, 0), (110, 45), segment="channel=email")
    index = published.write()
    page, html = read(index), markup(index)
    assert "fewer than 10 people" in page
    assert not re.search(r"\b(7|7\.0|57) %|\b7 people", page)
    assert re.search("[2-4] weeks hidden: fewer than 10 people, or would reveal so few", page)
    assert "0.07" not in html and "0.571" not in html  # nor in a chart


def test_nobody_is_not_hidden_and_not_zero(published: Any, read: Read) -> None:
    published.metric(target_value=0.45).weeks((100, 40), None)
    page = read(published.write())
    assert "no people in the denominator" in page and "0 %" not in page.replace("40 %", "")


def test_channels_show_their_own_latest_complete_week(published: Any, read: Read) -> None:
    published.metric().weeks((300, 120), (300, 120), (300, 120), incomplete=1)
    published.weeks((200, 70), (200, 80), (200, 90), segment="channel=paid", incomplete=1)
    published.weeks((100, 50), (100, 40), (100, 30), segment="channel=email", incomplete=1)
    page = read(published.write())
    assert "By channel, latest complete week Channel Value People Weeks" in page
    assert "email 40 % (31–50) 100 paid 40 % (33–47) 200" in page


def test_every_cell_hidden(published: Any, read: Read) -> None:
    published.metric(target_value=0.5).weeks((8, 4), (9, 4))
    published.weeks((8, 4), (9, 4), segment="channel=email")
    page = read(published.write())
    assert "Of 1 metric, 1 is hidden because too few people are behind the value" in page
    assert "Nothing to draw week by week: fewer than 10 people" in page
    assert "By channel: no value to show, fewer than 10 people" in page


def test_an_empty_lake(published: Any, read: Read) -> None:
    nothing = dict.fromkeys(("first_event_at", "last_event_at"))
    published.info |= {
        "events": 0,
        "people": 0,
        "actors": 0,
        "devices_joined": 0,
        "lines": 0,
        "files": 0,
    } | nothing
    published.metric(target_value=0.5)
    page = read(published.write())
    assert "The lake holds no events: there is nothing to measure yet." in page
    assert "No metric has a complete week yet" in page and "there are no weeks in the data" in page
    assert "No funnel to show." in page and "Nobody has been active yet." in page


def test_nothing_declared(published: Any, read: Read) -> None:
    page = read(published.write())
    assert "No metric is declared yet." in page and "Metrics are declared in product.yml" in page
    assert not published.workspace.report.joinpath("heart.html").exists()


def test_heart_table_and_a_metric_in_two_frameworks(published: Any, text: Read, read: Read) -> None:
    heart = {"framework": "heart", "stage": "retention", "goal": "A habit.", "signal": "A lesson."}
    published.metric("back", stage="retention", target_value=0.4).weeks((1000, 380), name="back")
    published.metric("back", target_value=0.4, **heart)
    rows = [row | {"framework": "heart"} for row in published.values]
    published.values += rows
    index = published.write()
    page = read(index)
    assert "Retention A habit. A lesson. Back" in page
    assert "Of 1 metric with a target" in page  # it is one metric
    # Each framework's page has its chart, and no page has it twice.
    for name in ("aarrr.html", "heart.html"):
        page = text(index.with_name(name))
        assert "38 % (35–41) target 40 % Too uncertain to say" in page
        assert index.with_name(name).read_text().count("data-chart=") == 1


def test_a_target_a_day_is_compared_with_a_day(published: Any, read: Read) -> None:
    published.metric(unit="people", target_value=100.0, target_period="day")
    published.weeks((900, 900), kind="count").weeks((130, 130), kind="count", period="day")
    page = read(published.write())
    assert "100 people a day Met" in page and "900 people" in page


def funnel(*people: int) -> pl.DataFrame:
    steps = range(len(people))
    return pl.DataFrame(
        {
            "funnel": ["publishing"] * len(people),
            "title": ["To a course"] * len(people),
            "within": ["14d"] * len(people),
            "step": [i + 1 for i in steps],
            "event": [f"Step {'abcdef'[i]}" for i in steps],
            "people": people,
            "from_first": [n / people[0] if people[0] else None for n in people],
            "from_previous": [None] + [b / a if a else None for a, b in pairwise(people)],
            "low": [0.1 for _ in steps],
            "high": [0.9 for _ in steps],
            "dropped": [None] + [a - b for a, b in pairwise(people)],
            "seconds_mean": [7200.0 for _ in steps],
            "seconds_median": [5400.0 for _ in steps],
            "seconds_p90": [9000.0 for _ in steps],
        },
        schema_overrides={"from_first": pl.Float64, "from_previous": pl.Float64, "dropped": pl.Int64},
    )


def test_funnel_with_a_small_step(published: Any, read: Read) -> None:
    published.others["funnel_steps"] = funnel(1000, 250, 6)
    page = read(published.write())
    assert "within 14 days of the first" in page
    assert "2Step b 25 % (10–90) 250 25 % 1.5 hours" in page
    assert "3Step c fewer than 10 people, or would reveal so few hidden" in page
    assert "2.4 %" not in page and "0.6 %" not in page


def test_funnel_without_anybody(published: Any, read: Read) -> None:
    published.others["funnel_steps"] = funnel(0, 0)
    assert "Nobody has taken the first step yet." in read(published.write())


def test_retention_marks_incomplete_and_small_cells(published: Any, read: Read) -> None:
    rows = [
        (MONDAY, 100, 0, 80, True, False),
        (MONDAY, 100, 1, 33, True, False),
        (MONDAY + timedelta(7), 100, 0, 4, True, True),
        (MONDAY + timedelta(7), 100, 1, 21, False, False),
        (MONDAY + timedelta(14), None, 0, 5, False, True),
    ]
    published.others["retention_cells"] = pl.DataFrame(
        [
            ("learning", "Who learns", "week", start, n, k, x, x / 100, x / 100 - 0.01, x / 100 + 0.01, done, hide)
            for start, n, k, x, done, hide in rows
        ],
        schema=[
            "retention", "title", "period_unit", "cohort_start", "cohort_people", "period", "people", "rate", "low",
            "high", "complete", "suppressed",
        ],
        orient="row",
    )  # fmt: skip
    index = published.write()
    page, html = read(index), markup(index)
    assert "2–8 Mar 2026 100 80 % 33 %" in page
    few = (
        "hiddenfewer than 10 people, or would reveal so few"  # the first word is for eyes, the rest for ears
    )
    assert f"9–15 Mar 2026 100 {few} 21 % (incomplete)" in page
    assert f"16–22 Mar 2026 hidden {few} (incomplete)" in page
    assert not re.search(r"\b[45] %|\b5 of", page)
    assert re.search(r'class="number shade\d+ incomplete"', html)
    assert html.count('class="beyond"') == 1  # the youngest cohort has no second week yet


def active(*rows: tuple[int, int, int, bool, bool]) -> pl.DataFrame:
    schema = {"period_start": pl.Date, "window_days": pl.Int64, "value": pl.Int64, "complete": pl.Boolean}
    days = [(MONDAY + timedelta(days=row[0]), *row[1:]) for row in rows]
    return pl.DataFrame(days, schema=schema | {"suppressed": pl.Boolean}, orient="row")


def test_active_people_shows_whole_windows_only(published: Any, read: Read) -> None:
    published.others["active_people"] = active(
        (0, 1, 50, True, False),
        (0, 7, 51, True, False),
        (6, 1, 60, True, False),
        (6, 7, 170, True, False),
        (7, 1, 5, True, True),
        (7, 7, 180, True, False),
        (8, 7, 12, False, False),
    )
    page = read(published.write())
    assert "1 day fewer than 10 people, or would reveal so few 9 Mar 2026 50 people" in page
    assert "7 days 180 people 9 Mar 2026 –" in page  # a week before, the window began before the data
    assert "28" not in page.split("Active people How many use it?")[1].split("Funnels")[0]


def test_account_of_the_run(published: Any, text: Read) -> None:
    published.outcomes = [
        ("segment", "promoted", "event", 12_345),
        ("segment", "promoted", "malformed JSON", 17),
        ("segment", "promoted", "not UTF-8", None),
    ]
    published.dropped = [
        ("Page Viewed", "title", "class text", 52),
        ("(identify)", "email", "undeclared", 900),
    ]
    published.info |= {"files_blocked": 1, "files_damaged": 2, "people": 4}
    index = published.write()
    page, data = text(index), text(index.with_name("data.html"))
    assert "1 file is held back by a quality check: what it holds is missing from every number here." in page
    assert "2 files are set aside as damaged: what they hold is missing" in page
    assert "Lines read 20,000" in page and "Values dropped 952" in page
    assert "People fewer than 10from 1,500 users and devices" in page
    assert "Lines not kept as events 17 or more" in data
    assert "segment promoted malformed JSON 17 0.1 % segment promoted not UTF-8 fewer than 10 –" in data
    assert data.index("email undeclared 900") < data.index("Page Viewed title class text 52")
    assert "Data in until 6 Apr 2026, 00:00 (Europe/Berlin)" in data and "Headway 0.1.0" in data
    assert "Tracking plan 998877665544" in data


def test_what_is_left_out_is_told_and_few_people_are_not(published: Any, text: Read) -> None:
    rows = [("event", "bot", 2048, 31), ("event", "internal", 700, 4), ("session", "too long", 12, 10)]
    columns = {"kind": pl.String, "reason": pl.String, "n_left_out": pl.Int64, "people": pl.Int64}
    published.others["left_out"] = pl.DataFrame(rows, schema=columns, orient="row")
    data = text(published.write().with_name("data.html"))
    assert "Events of bots 2,048 told by their user agent" in data
    assert "Events of the team itself hidden: of fewer than 10 people" in data and "700" not in data
    assert "Sessions that are too long 12 longer" in data


def test_nothing_left_out(published: Any, text: Read) -> None:
    data = text(published.write().with_name("data.html"))
    assert "No bot, no traffic of the team itself and no runaway session was found." in data


def test_every_number_has_its_definition(published: Any, text: Read) -> None:
    published.metric(owner="data").weeks((1000, 400))
    index = published.write()
    definitions = index.with_name("definitions.html")
    links = re.findall(r'href="definitions\.html#([^"]+)"', markup(index))
    targets = re.findall(r'id="([^"]+)"', definitions.read_text())
    assert links and set(links) <= set(targets)
    words = text(definitions)
    assert "People who did 'b' divided by people who did 'a'." in words
    assert "Newcombe, R. G. (1998)" in words and "Wilson’s score interval of a share" in words


@pytest.mark.parametrize(
    "word", ["because of", "caused", "thanks to", "led to", "due to", "impact", "effect of"]
)
def test_no_causal_words(published: Any, read: Read, word: str) -> None:
    published.metric(target_value=0.45).weeks((1000, 300), (1000, 500), (1000, 20), incomplete=1)
    assert word not in read(published.write()).lower()
