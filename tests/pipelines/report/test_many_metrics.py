"""Pages of fifty metrics of every kind of unit, estimate and period; and what they say of months and windows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headway.models.metrics import STAGES
from headway_pipelines.report import pages
from headway_pipelines.report.grains import GRAINS, shown_by
from headway_pipelines.report.pages.page import Page

Read = Callable[[Path], str]
MONDAY = date(2026, 3, 2)

KINDS: tuple[tuple[str, str, str], ...] = (
    ("percent", "proportion", "wilson"),
    ("people", "count", "poisson exact"),
    ("EUR", "total", "compound poisson"),
    ("points", "promoter_score", "adjusted wald"),
    ("hours", "quantile", "brookmeyer crowley"),
    ("milliseconds", "quantile", "woodruff"),
    ("lessons", "ratio", "delta method"),
)


def cell(facts: dict[str, Any], period: str, start: date, value: float | None, **more: Any) -> dict[str, Any]:
    """A published value, of everybody unless told otherwise, with an interval of a tenth either way."""
    shown = {"metric", "framework", "stage", "unit", "definition_hash"}
    return {
        **{name: facts[name] for name in shown},
        "segment": "all", "period": period, "period_start": start, "period_end": start + timedelta(6),
        "value": value, "numerator": None, "denominator": None, "people": 200, "contributors": 100,
        "effective": 100.0, "estimate": "quantile", "low": None if value is None else 0.9 * value,
        "high": None if value is None else 1.1 * value, "interval_method": "woodruff", "complete": True,
        "suppressed": False, "reason": None, "as_of": None, "code_version": "0.1.0", **more,
    }  # fmt: skip


def months(number: int) -> list[date]:
    return [date(2025 + (8 + n) // 12, (8 + n) % 12 + 1, 1) for n in range(number)]


def fifty(published: Any) -> Any:
    """Fifty metrics over all stages; some have only months or windows, some no interval, some no value."""
    places = [(framework, stage) for framework, stages in STAGES.items() for stage in stages]
    for n in range(50):
        framework, stage = places[n % len(places)]
        unit, estimate, method = KINDS[n % len(KINDS)]
        target = {"target_value": 0.5, "target_by": date(2026, 12, 31)} if n % 3 == 0 else {}
        published.metric(f"m{n}", framework=framework, stage=stage, unit=unit, **target)
        facts = published.catalogue[-1]
        grains = [("week", "month", "day"), ("month",), ("rolling_28d",), ("week",)][n % 4]
        facts["target_period"] = grains[0] if target else None
        how = {"estimate": estimate, "interval_method": method}
        starts = {
            "week": [MONDAY + timedelta(7 * k) for k in range(20)],
            "month": months(12),
            "day": [MONDAY + timedelta(k) for k in range(30)],
            "rolling_28d": [MONDAY + timedelta(k) for k in range(30)],
        }
        for grain in grains:
            for k, start in enumerate(starts[grain]):
                value = None if (k + n) % 11 == 0 else 0.4 + 0.01 * (k % 7)
                reason = None if value is not None else "the denominator is 0"
                row = cell(
                    facts, grain, start, value, reason=reason, complete=k < len(starts[grain]) - 2, **how
                )
                open_end = {"high": None} if unit == "hours" else {}
                published.values.append(row | open_end)
                for label in ("channel=email", "channel=(none)", "plan=pro"):
                    if grain in ("week", "month"):
                        published.values.append(row | open_end | {"segment": label})
    return published


def metrics_of(index: Path) -> dict[str, list[str]]:
    """Framework -> anchors of the metrics its page shows."""
    return {
        framework: re.findall(
            r'<article class="metric" id="([^"]+)"', index.with_name(f"{framework}.html").read_text()
        )
        for framework in STAGES
    }


def test_fifty_metrics_are_all_there_and_every_link_leads_somewhere(published: Any) -> None:
    published.as_given = True
    index = fifty(published).write()
    assert sum(len(anchors) for anchors in metrics_of(index).values()) == 50
    drawn = " ".join(index.with_name(f"{name}.html").read_text() for name in STAGES)
    # every fourth metric has weeks and months, the others one kind of period
    assert drawn.count("data-chart=") == 13 * 2 + 37
    sources = {path.name: path.read_text() for path in index.parent.glob("*.html")}
    named = {name: re.findall(r'\bid="([^"]+)"', source) for name, source in sources.items()}
    for name, source in sources.items():
        assert len(named[name]) == len(set(named[name]))
        for link in re.findall(r'href="([^"]+)"', source):
            file, _, anchor = link.partition("#")
            assert not anchor or anchor in named[file or name], (name, link)
    assert max(len(source) for source in sources.values()) < 600_000
    assert 'src="plotly.min.js"' not in sources["index.html"]
    assert len(re.findall(r'class="stage-name"', sources["index.html"])) == 15
    assert len(re.findall(r">[34] metrics<", sources["index.html"])) == 15


def test_a_chart_is_drawn_when_it_comes_near_the_window(published: Any, browse: Any) -> None:
    """A hundred charts at once would keep a reader waiting; a page that is printed shows them all."""
    for n in range(12):
        published.metric(f"m{n}").weeks((1000, 400), (1000, 420), name=f"m{n}")
    page = published.write().with_name("aarrr.html")
    drawn = [
        browse(page, f"--window-size=1280,{height}", "--dump-dom").stdout.count(
            'class="plot-container plotly"'
        )
        for height in (1000, 9000)
    ]
    assert 0 < drawn[0] < 12 and drawn[1] == 12


def test_each_stage_is_told_by_its_first_metric_with_a_target(published: Any, text: Read) -> None:
    published.metric("first").weeks((1000, 100), (1000, 100), name="first")
    published.metric("second", target_value=0.4).weeks((1000, 500), (1000, 500), name="second")
    published.metric("third", target_value=0.9).weeks((1000, 500), (1000, 500), name="third")
    published.metric("fourth", target_value=0.9).weeks((1000, 500), (1000, 500), name="fourth")
    page = text(published.write())
    row = page.split("Activation", 1)[1].split("Retention", 1)[0]
    assert "Seconddefinition 50 % (47–53) 40 % Met" in row
    assert "4 metrics of Activation 1 met 2 missed" in row
    assert "First" not in row and "Third" not in row
    assert "Retention no metric declared" in page and "Happiness" not in page


def monthly(published: Any, *values: float | None, name: str = "kept", **facts: Any) -> Any:
    published.as_given = True
    published.info["first_event_at"] = datetime(2025, 8, 31)
    published.metric(name, stage="revenue", **facts)
    for start, value in zip(months(len(values)), values, strict=True):
        reason = None if value is not None else "the denominator is 0"
        published.values.append(cell(published.catalogue[-1], "month", start, value, reason=reason))
    return published


def test_a_metric_of_months_is_told_by_months(published: Any, read: Read) -> None:
    monthly(published, 0.5, 0.9, target_value=0.7, target_period="month")
    page = read(published.write())
    assert "Values are of the latest complete month, Oct 2025." in page
    assert "Keptdefinition 90 % (81–99) Oct 2025 70 % in a month Met" in page
    assert "+40 points" in page and "better, more than noise" in page
    assert "Change on the month before Recent months" in page
    assert "Against the month before, 1 of 1 metric moved" in page
    assert "Numbers month by month of Kept Month Value (95 % interval) People State Oct 2025 90 %" in page
    assert "week by week" not in page


def test_months_before_a_gap_are_not_compared(published: Any, read: Read) -> None:
    page = read(monthly(published, 0.5, None, 0.9).write())
    assert "month before: the denominator is 0" in page


def test_a_month_that_begins_before_the_data_is_not_compared(published: Any, read: Read) -> None:
    monthly(published, 0.5, 0.9)
    published.info["first_event_at"] = datetime(2025, 9, 4)
    page = read(published.write())
    assert "the data begin within the month before" in page


def test_a_target_a_month_is_compared_with_a_month(published: Any, read: Read) -> None:
    """The value shown is the one that is compared, though the metric has weeks as well."""
    monthly(published, 0.5, 0.9, target_value=0.7, target_period="month")
    published.values.append(cell(published.catalogue[-1], "week", MONDAY, 0.2))
    page = read(published.write())
    assert "Keptdefinition 90 % (81–99) Oct 2025 70 % in a month Met" in page
    assert (
        "Numbers week by week of Kept" in page and "20 % (18–22)" in page
    )  # weeks have a chart of their own


def test_windows_are_compared_with_the_window_that_shares_no_day(published: Any, read: Read) -> None:
    published.as_given = True
    published.metric("active", stage="retention", unit="people")
    facts = published.catalogue[-1]
    published.values = [
        cell(facts, "rolling_28d", MONDAY + timedelta(k), 1000.0 if k < 27 else 2000.0) for k in range(30)
    ]
    page = read(published.write())
    # 31 March is 28 days after 3 March, the window before it; not 30 March, the day before.
    assert "2,000 people (1,800–2,200) 31 Mar – 27 Apr 2026" in page
    assert "+1,000 people" in page
    assert "Windows of 28 days, one ending with each day" in page


def test_values_of_an_earlier_definition_are_marked_and_not_compared(published: Any, read: Read) -> None:
    published.metric().weeks((1000, 200), (1000, 500))
    published.values[0]["definition_hash"] = "another"
    page = read(published.write())
    assert "the definition has changed" in page and "moved by" not in page
    assert "2–8 Mar 2026 20 % (18–23) 1,000 by an earlier definition" in page
    assert "9–15 Mar 2026 50 % (47–53) 1,000 complete" in page


def test_an_interval_open_above_says_so(published: Any, read: Read) -> None:
    published.as_given = True
    published.metric("wait", unit="hours", direction="down", target_value=1.0)
    published.values = [cell(published.catalogue[-1], "week", MONDAY, 2.0, low=1.5, high=None)]
    page = read(published.write())
    assert "2 hours (2 hours or more)" in page or "2.0 hours (1.5 hours or more)" in page
    assert "Missed" in page


def test_labels_in_brackets_come_last(published: Any, read: Read) -> None:
    published.metric().weeks((900, 300))
    for label in ("(none)", "(other)", "pro", "free"):
        published.weeks((225, 75), segment=f"plan={label}")
    page = read(published.write())
    table = page.split("By plan, latest complete week")[1]
    found = [table.index(label) for label in ("free", "pro", "(none)", "(other)")]
    assert found == sorted(found)


def test_events_that_were_left_out_stand_with_the_definition(published: Any, text: Read) -> None:
    published.metric().weeks((1000, 400))
    published.exclusions = [
        ("activation", "amount below 0", 12),
        ("activation", "no exchange rate", None),
        ("activation", "off the scale", 0),
    ]
    index = published.write()
    for name in ("aarrr.html", "definitions.html"):
        page = text(index.with_name(name))
        assert "Left out 12 events: amount below 0 Left out fewer than 10 events: no exchange rate" in page
        assert "off the scale" not in page


def test_a_page_is_one_entry_of_the_list(published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = Page("moved.html", "What moved", "data.html.j2", lambda report: {})
    never = Page("never.html", "Never", "data.html.j2", lambda report: {}, lambda report: False)
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, extra, never))
    index = published.metric().weeks((1000, 400)).write()
    for path in index.parent.glob("*.html"):
        html = path.read_text()
        assert 'href="moved.html"' in html and "never.html" not in html
        assert html.count('aria-current="page"') == 1
    assert index.with_name("moved.html").exists() and not index.with_name("never.html").exists()


@pytest.mark.parametrize(
    ("grain", "start", "words", "before"),
    [
        ("day", date(2026, 3, 1), "1 Mar 2026", date(2026, 2, 28)),
        ("week", date(2026, 1, 5), "5–11 Jan 2026", date(2025, 12, 29)),
        ("month", date(2026, 1, 1), "Jan 2026", date(2025, 12, 1)),
        ("rolling_7d", date(2026, 3, 1), "1 Mar – 7 Mar 2026", date(2026, 2, 22)),
        ("rolling_28d", date(2025, 12, 20), "20 Dec 2025 – 16 Jan 2026", date(2025, 11, 22)),
    ],
)
def test_periods_in_words(grain: str, start: date, words: str, before: date) -> None:
    assert GRAINS[grain].words(start) == words
    assert GRAINS[grain].before(start) == before


def test_a_metric_without_values_is_told_by_weeks() -> None:
    assert shown_by(set(), None) == shown_by(set(), "month") == "week"
