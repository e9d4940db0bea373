"""Figures: one style, no fetched fonts, suppressed cells never drawn as zero, unfinished ones marked."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
import polars as pl
import pytest

from headway.charts import (
    PALETTE,
    TEMPLATE,
    active_people_figure,
    funnel_figure,
    growth_figure,
    lifecycle_figure,
    metric_figure,
    retention_figure,
    survival_figure,
    trend_figure,
)
from headway.charts.theme import figure as figure_of
from headway.charts.theme import numbers, shortened, spread
from headway.insights import (
    ActivePeople,
    Formula,
    Funnel,
    GrowthAccounting,
    Lifecycle,
    Paths,
    PowerUsers,
    Retention,
    Sessions,
    Stickiness,
    Trend,
    UsageInterval,
)
from headway.log import EventLog

DAYS = [date(2026, 3, 2) + timedelta(days=7 * n) for n in range(6)]


def log() -> EventLog:
    rows = [
        (f"p{n}", event, datetime(2026, 3, 2 + n, 12 + hour), "x" if n % 2 else None)
        for n in range(6)
        for hour, event in enumerate(["Signed Up", "<b>Paid</b>"][: 1 + n % 2])
    ]
    return EventLog(pl.DataFrame(rows, schema=["person", "event", "occurred_at", "plan"], orient="row"))


def values(trace: Any, axis: str) -> list[Any]:
    return [] if trace[axis] is None else list(trace[axis])


def texts(figure: go.Figure) -> str:
    return json.dumps(figure.to_dict(), default=str)


def test_every_result_draws_itself_in_the_house_style() -> None:
    with log() as events:
        steps = ["Signed Up", "<b>Paid</b>"]
        questions: list[Any] = [
            Funnel(steps),
            Funnel(steps, by="plan"),
            Retention("Signed Up", "<b>Paid</b>", period="day", periods=3),
            Retention("Signed Up", "<b>Paid</b>", period="day", brackets=[1, 3], by="plan"),
            Lifecycle("<b>Paid</b>", period="day"),
            GrowthAccounting(period="day"),
            Stickiness(),
            PowerUsers(),
            UsageInterval(),
            ActivePeople(),
            Trend("Signed Up"),
            Trend("<b>Paid</b>", by="plan", period="week"),
            Trend("<b>Paid</b>", by="plan", period=None),
            Trend("<b>Paid</b>", period=None, since="2026-03-04", compare="previous"),
            Trend("<b>Paid</b>", since="2026-03-04", compare="previous"),
            Formula("paid / seen", paid=Trend("<b>Paid</b>"), seen=Trend("Signed Up")),
            Paths(start="Signed Up", idle="3h"),
            Paths(end="<b>Paid</b>", idle="3h", keep="last"),
            Sessions(),
        ]
        for question in questions:
            figure = question.run(events).figure()
            assert figure.layout.template.layout.font.family == pio.templates[TEMPLATE].layout.font.family
            assert "<b>Paid" not in texts(figure), "a name from the log must not become markup"
            assert figure.to_html(include_plotlyjs=False)


def test_empty_results_draw() -> None:
    with log() as events:
        rows = events.sql("FROM events LIMIT 0")
    with EventLog(rows) as empty:
        for question in (
            Funnel(["a", "b"]),
            Funnel(["a"], by="plan"),
            Retention("a", "b"),
            Retention("a", "b", by="plan"),
            GrowthAccounting(),
            Lifecycle(),
            PowerUsers(),
            Stickiness(),
            UsageInterval(),
            ActivePeople(),
            Trend("a"),
            Trend("a", period=None),
            Paths(start="a"),
            Formula("A / B", A=Trend("a"), B=Trend("b")),
        ):
            assert question.run(empty).figure().to_html(include_plotlyjs=False)


def test_no_font_or_script_is_fetched() -> None:
    template = pio.templates[TEMPLATE].to_plotly_json()
    assert "http" not in json.dumps(template)
    assert "system-ui" in template["layout"]["font"]["family"]


def _luminance(color: str) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _as_a_deuteranope(color: str) -> tuple[float, float, float]:
    """What is left of a colour without the middle cones; Viénot, Brettel and Mollon (1999), linear RGB."""
    linear = [(int(color[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    red, green, blue = linear
    mixed = 0.29275 * red + 0.70725 * green
    return (mixed**0.4545, mixed**0.4545, max(-0.02234 * red + 0.02234 * green + blue, 0.0) ** 0.4545)


def test_colours_stay_apart_without_red_and_green() -> None:
    for one, other in combinations(PALETTE[:5], 2):
        distance = (
            sum((a - b) ** 2 for a, b in zip(_as_a_deuteranope(one), _as_a_deuteranope(other), strict=True))
            ** 0.5
        )
        assert distance > 0.08, (one, other)
    ink = pio.templates[TEMPLATE].layout.font.color
    assert (1.05) / (_luminance(ink) + 0.05) > 7, "text must meet WCAG AAA on white"


def funnel_frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "step": [1, 2, 3],
            "event": ["A", "B", "C"],
            "people": [100, 40, None],
            "from_first": [1.0, 0.4, None],
            "from_previous": [1.0, 0.4, None],
            "low": [1.0, 0.3, None],
            "high": [1.0, 0.5, None],
            "dropped": [0, 60, None],
            "seconds_median": [None, 90.0, None],
        }
    )


def test_funnel_bars() -> None:
    bars, labels = funnel_figure(funnel_frame()).data
    assert list(bars.x) == [1.0, 0.4, None]
    assert [text.strip() for text in labels.text] == ["<b>100</b>  100.0 %", "<b>40</b>  40.0 %", "&lt;10"]
    assert list(bars.error_x.array) == pytest.approx([0.0, 0.1, 0.0])
    assert "median 1.5 min" in bars.customdata[1][0]
    assert "fewer than ten" in bars.customdata[2][0]


def test_funnel_draws_the_eight_largest_groups() -> None:
    frames = [
        funnel_frame().with_columns(plan=pl.lit(f"g{n}"), people=pl.col("people") + n) for n in range(10)
    ]
    figure = funnel_figure(pl.concat(frames), by="plan")
    assert [trace.name for trace in figure.data] == [f"g{n}" for n in range(9, 1, -1)]
    assert "2 smaller groups are not drawn" in figure.layout.title.subtitle.text


def test_retention_marks_unfinished_and_suppressed_cells() -> None:
    frame = pl.DataFrame(
        {
            "cohort_start": [DAYS[0]] * 3 + [DAYS[1]] * 2,
            "cohort_people": [40, 40, 40, None, None],
            "period": [0, 1, 2, 0, 1],
            "people": [40, 10, 4, None, None],
            "rate": [1.0, 0.25, 0.1, None, None],
            "low": [0.9, 0.14, 0.0, None, None],
            "high": [1.0, 0.4, 0.2, None, None],
            "complete": [True, True, False, True, False],
        }
    )
    over, running, rest = retention_figure(frame).data
    assert [list(line) for line in over.z] == [[None, 0.25, None], [None, None, None]]
    assert [list(line) for line in running.z] == [[None, None, 0.1], [None, None, None]]
    assert running.text[0][2] == "10.0 % ·" and running.opacity < 1
    assert [list(line) for line in rest.text] == [["40", "", ""], ["&lt;10", "&lt;10", ""]]
    assert len(set(map(str, rest.colorscale))) == 2 and rest.colorscale[0][1] == rest.colorscale[1][1]


def test_retention_with_brackets_and_the_mean_of_complete_cells() -> None:
    frame = pl.DataFrame(
        {
            "cohort_start": [DAYS[0]] * 3,
            "cohort_people": [40] * 3,
            "period": [0, 1, 2],
            "people": [40, 10, 4],
            "rate": [1.0, 0.25, 0.1],
            "low": [0.9, 0.14, 0.0],
            "high": [1.0, 0.4, 0.2],
            "complete": [True, True, False],
        }
    )
    mean = pl.DataFrame(
        {
            "period": [0, 1, 2],
            "cohorts": [1, 1, 0],
            "cohort_people": [40, 40, 0],
            "people": [40, 10, 0],
            "rate": [1.0, 0.25, None],
        }
    )
    figure = retention_figure(frame, spans=[(0, 0), (1, 3), (4, 7)], mean=mean)
    assert list(figure.layout.xaxis.ticktext) == ["people", "1–3", "4–7"]
    above, shown, below = figure.data[-1].text[0]
    assert (above, below) == ("", "") and "<b>25.0 %</b>" in shown
    assert figure.layout.yaxis.ticktext[0] == "<b>mean</b>"
    assert "not in the mean" in figure.layout.title.subtitle.text


def growth_frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "period_start": DAYS[:3],
            "new": [5, 4, 1],
            "returning": [0, 3, 2],
            "resurrected": [0, 0, 1],
            "dormant": [0, 2, 5],
            "active": [5, 7, 4],
            "change": [5, 2, -3],
            "quick_ratio": [None, 2.0, 0.4],
            "nobody_left": [True, False, False],
            "complete": [True, True, False],
        }
    )


def test_dormant_people_lie_below_the_line_and_open_periods_are_hatched() -> None:
    figure = lifecycle_figure(growth_frame())
    bars = {bar.name: bar for bar in figure.data}
    assert list(bars["dormant"].y) == [0, -2, -5] and list(bars["new"].y) == [5, 4, 1]
    assert list(bars["new"].marker.pattern.shape) == ["", "", "/"]
    assert "hatched: not over yet" in figure.layout.title.subtitle.text


def test_growth_shows_changes_and_quick_ratios() -> None:
    over, running, ratios = growth_figure(growth_frame()).data[-3:]
    assert list(over.y) == [5, 2, None] and list(running.y) == [None, 2, -3] and running.line.dash == "dot"
    assert list(ratios.text) == ["–", "2.0", "0.4 ·"]


def test_titles_keep_their_distance_from_the_top() -> None:
    short, tall = figure_of("a", height=300), figure_of("a", height=1200)
    assert 300 * (1 - short.layout.title.y) == pytest.approx(1200 * (1 - tall.layout.title.y))


def test_survival_curves() -> None:
    frame = pl.DataFrame(
        {
            "plan": ["a", "a", "b", "b"],
            "period": [0, 1] * 2,
            "at_risk": [5, 4, 9, 7],
            "survival": [1.0, 0.8, 1.0, 0.9],
            "low": [None, 0.3, None, 0.5],
            "high": [None, 0.9, None, 1.0],
        }
    )
    assert [trace.name for trace in survival_figure(frame, by="plan").data] == ["b", "a"]
    alone = survival_figure(frame.filter(pl.col("plan") == "a").drop("plan"))
    assert [trace.fill for trace in alone.data] == [None, "tonexty", None]


def metric_rows(**columns: list[Any]) -> pl.DataFrame:
    base: dict[str, list[Any]] = {
        "metric": ["activation"] * 6,
        "segment": ["all"] * 6,
        "unit": ["percent"] * 6,
        "period_start": list(DAYS),
        "value": [0.4, 0.5, None, 0.3, 0.4, 0.45],
        "low": [0.3, 0.4, None, 0.2, 0.3, 0.35],
        "high": [0.5, 0.6, None, 0.4, 0.5, 0.55],
        "complete": [True, True, True, True, True, False],
        "suppressed": [False, False, True, False, False, False],
    }
    return pl.DataFrame({**base, **columns})


def test_metric_gaps_bands_and_unfinished_periods() -> None:
    figure = metric_figure(metric_rows(), target=0.5, question="How many?")
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert [len(values(band, "x")) for band in bands] == [4, 6]
    line, dashed, hollow = [trace for trace in figure.data if trace.fill != "toself"]
    assert values(line, "y") == [0.4, 0.5, None, 0.3, 0.4, None] and line.connectgaps is False
    assert values(dashed, "y") == [None, None, None, None, 0.4, 0.45] and dashed.line.dash == "dot"
    assert values(hollow, "y")[-1] == 0.45 and hollow.marker.color == "#FFFFFF"
    marks = [note for note in figure.layout.annotations if note.text == "&lt;10"]
    assert [note.x for note in marks] == [DAYS[2]]
    assert [shape.y0 for shape in figure.layout.shapes] == [0.5]
    assert figure.layout.yaxis.range[1] >= 0.5
    assert 0.0 not in [y for trace in figure.data for y in values(trace, "y")]
    assert figure.layout.title.text == "activation" and figure.layout.title.subtitle.text == "How many?"


def test_metric_with_segments_or_without_values() -> None:
    both = pl.concat([metric_rows(), metric_rows(segment=["channel=email"] * 6)])
    labels = [note.text for note in metric_figure(both).layout.annotations]
    assert labels[:2] == ["all", "channel=email"]
    empty = metric_rows(value=[None] * 6, low=[None] * 6, high=[None] * 6).with_columns(
        pl.col("value", "low", "high").cast(pl.Float64)
    )
    assert metric_figure(empty, target=0.4).to_html(include_plotlyjs=False)
    assert metric_figure(metric_rows().clear()).to_html(include_plotlyjs=False)


def test_lines_carry_their_own_labels_apart() -> None:
    frame = pl.DataFrame(
        {
            "period_start": [DAYS[0], DAYS[1]] * 3,
            "window_days": [1, 1, 7, 7, 28, 28],
            "value": [1, 2, 1, 2, 9, 9],
            "complete": True,
        }
    )
    figure = active_people_figure(frame)
    notes = {note.text: note for note in figure.layout.annotations}
    assert set(notes) == {"1 day", "7 days", "28 days"} and figure.layout.showlegend is False
    assert notes["7 days"].yshift - notes["1 day"].yshift >= 12


def test_trend_draws_the_eight_largest_values() -> None:
    frame = pl.DataFrame(
        {
            "plan": [f"g{n}" for n in range(10)],
            "period_start": DAYS[0],
            "value": list(range(10)),
            "complete": True,
        }
    )
    figure = trend_figure(frame, by="plan", unit="EUR")
    assert [trace.name for trace in figure.data] == [f"g{n}" for n in range(9, 1, -1)]
    assert "2 more are not drawn" in figure.layout.title.subtitle.text
    assert figure.layout.yaxis.ticksuffix == " EUR"


def test_small_helpers() -> None:
    assert spread([5.0, 1.0, 1.1], 10.0) == [0, 0, 14]
    assert spread([], 0.0) == []
    assert numbers("people").hover == ",.2~f" and numbers("points").suffix == " points"
    assert shortened("a" * 50).endswith("…") and len(shortened("a" * 50)) == 34
    assert shortened("shop.example.com/cart/items", 12) == "…/cart/items"


@pytest.mark.parametrize(
    ("periods", "over", "running"), [(12, "30.0 %", "10.0 % ·"), (20, "30%", "10% ·"), (30, "", "·")]
)
def test_retention_writes_what_its_columns_have_room_for(periods: int, over: str, running: str) -> None:
    numbers_of = range(periods + 1)
    frame = pl.DataFrame(
        {
            "cohort_start": DAYS[0],
            "cohort_people": 100,
            "period": list(numbers_of),
            "people": [100, 40, *[30] * (periods - 2), 10],
            "rate": [1.0, 0.4, *[0.3] * (periods - 2), 0.1],
            "low": 0.0,
            "high": 1.0,
            "complete": [n < periods for n in numbers_of],
        }
    )
    done, rest, _ = retention_figure(frame).data
    assert over in done.text[0][2] and done.text[0][2].count("%") == over.count("%")
    assert rest.text[0][periods] == running


def test_dark_cells_are_written_in_white() -> None:
    frame = pl.DataFrame(
        {
            "cohort_start": [DAYS[0]] * 3,
            "cohort_people": [40] * 3,
            "period": [0, 1, 2],
            "people": [40, 20, 10],
            "rate": [1.0, 0.5, 0.25],
            "low": [0.9, 0.4, 0.1],
            "high": [1.0, 0.6, 0.4],
            "complete": [True] * 3,
        }
    )
    over = retention_figure(frame).data[0]
    assert "color:#FFFFFF" in over.text[0][1] and over.text[0][2] == "25.0 %"


def test_lines_say_what_dotted_means_only_where_something_is() -> None:
    frame = pl.DataFrame({"period_start": DAYS[:2], "value": [1.0, 2.0], "complete": [True, False]})
    assert trend_figure(frame).layout.title.subtitle.text == "Dotted and hollow: not over yet"
    assert trend_figure(frame.with_columns(complete=True)).layout.title.subtitle.text in (None, "")


def test_titles_fit_and_say_which_events() -> None:
    assert len(figure_of("Many words. " * 20).layout.title.text) <= 92
    assert figure_of("A sentence.").layout.title.text == "A sentence"
    drawn = Retention("Signed Up", "<b>Paid</b>", period="day", periods=2).run(log()).figure()
    assert drawn.layout.title.text == "Retention: Signed Up, then &lt;b&gt;Paid&lt;/b&gt;"
    assert Sessions().run(log()).figure().layout.title.text == "Sessions per local day"
    drawn = Trend("Signed Up", by="plan", top=2).run(log()).figure()
    assert drawn.layout.title.text == "Number of Signed Up per local day"
    drawn = Funnel(["Signed Up", "<b>Paid</b>"], order="any", within="7d").run(log()).figure()
    assert drawn.layout.title.text == "Funnel in any order within 7 days"
