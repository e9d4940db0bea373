"""Paths against the sentence that defines them, on generated histories, and against hand counts."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import InputError
from headway.insights import Paths
from headway.log import EventLog
from headway.selectors import Event

EXAMPLES = 2000 if os.environ.get("HEADWAY_FULL") else 30
#: The last day before a year ends, and the night clocks change; a path crosses both.
STARTS = [datetime(2025, 12, 31, 23), datetime(2026, 3, 28, 23, 50), datetime(2024, 2, 28, 23, 59)]
NAMES = ["Home", "Search", "Lesson 1", "Lesson 2", "Buy; '\"é"]


class Row(NamedTuple):
    person: str
    event: str
    at: datetime
    url: str | None = None


class Edge(NamedTuple):
    step: int
    source: str
    target: str


def make_log(rows: Sequence[Row], **options: Any) -> EventLog:
    schema: dict[str, Any] = {
        "person": pl.String,
        "event": pl.String,
        "occurred_at": pl.Datetime("us"),
        "url": pl.String,
    }
    return EventLog(pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row"), **options)


def history(seed: int) -> list[Row]:
    dice = Random(seed)
    start = dice.choice(STARTS)
    return [
        Row(
            dice.choice("opq"),
            dice.choice(NAMES),
            start + timedelta(minutes=dice.choice([dice.randrange(180), dice.randrange(8) * 30])),
            dice.choice(["/", "/course/7", "/course/7/lesson/1", "/course/8/lesson/2", None]),
        )
        for _ in range(dice.choice([3, 15, 40]))
    ]


def item(row: Row, asked: Paths) -> str | None:
    if asked.event is not None and row.event == "Search":
        return None
    raw = row.url if asked.item else row.event
    if raw is None:
        return None
    for name, members in [*(asked.groups or ()), *(asked.rename or ())]:
        for member in members:
            if isinstance(member, Event):
                if row.event == "Home" and row.url == "/":
                    return str(name)
            elif matched(str(member), raw):
                return str(name)
    return raw


def matched(pattern: str, text: str) -> bool:
    """``**`` any characters, ``*`` any but a slash."""
    if pattern.startswith("**"):
        return any(matched(pattern[2:], text[n:]) for n in range(len(text) + 1))
    if pattern.startswith("*"):
        stop = text.find("/")
        return any(matched(pattern[1:], text[n:]) for n in range((len(text) if stop < 0 else stop) + 1))
    if not pattern or not text:
        return pattern == text
    return pattern[0] == text[0] and matched(pattern[1:], text[1:])


def paths_of(rows: Sequence[Row], asked: Paths) -> list[tuple[str, list[tuple[str, datetime]], bool]]:
    """Person, kept items with the first event of each run, and whether nothing follows in the path."""
    idle = None if asked.idle is None else timedelta(minutes=int(asked.idle[:-1]))
    split: list[tuple[str, list[Row]]] = []
    for person in sorted({row.person for row in rows}):
        last = None
        for row in sorted((row for row in rows if row.person == person), key=lambda row: row.at):
            if last is None or (idle is not None and row.at - last > idle):
                split.append((person, []))
            split[-1][1].append(row)
            last = row.at
    found = []
    done = set()
    for person, path in split:
        runs: list[tuple[str, datetime]] = []
        for row in path:
            name = item(row, asked)
            if name is not None and not (asked.collapse and runs and runs[-1][0] == name):
                runs.append((name, row.at))
        kept = cut(runs, asked)
        if kept and not (asked.count == "people" and person in done):
            done.add(person)
            found.append((person, *kept))
    return found


def cut(runs: list[tuple[str, datetime]], asked: Paths) -> tuple[list[tuple[str, datetime]], bool] | None:
    begin = 0
    if asked.start is not None:
        places = [n for n, (name, _) in enumerate(runs) if name in asked.start]
        if not places:
            return None
        begin = places[0]
    end = len(runs) - 1
    if asked.end is not None:
        first = begin + 1 if asked.start is not None else begin
        places = [n for n, (name, _) in enumerate(runs) if n >= first and name in asked.end]
        if not places and asked.without_end == "leave_out":
            return None
        end = places[0] if places else end
    piece = runs[begin : end + 1]
    kept = piece[-asked.steps :] if asked.keep == "last" else piece[: asked.steps]
    last = end if asked.keep == "last" else begin + len(kept) - 1
    return (kept, last == len(runs) - 1) if kept else None


questions = st.builds(
    Paths,
    start=st.sampled_from([None, "Home", ["Home", "Search"]]),
    end=st.sampled_from([None, None, "Search", "Home"]),
    steps=st.integers(2, 5),
    keep=st.sampled_from(["first", "last"]),
    without_end=st.sampled_from(["leave_out", "keep"]),
    event=st.sampled_from([None, Event(["Home", "Lesson 1", "Lesson 2", "Buy; '\"é"])]),
    groups=st.sampled_from(
        [None, {"Lesson": ["Lesson *"]}, {"Start": [Event("Home", where="url = '/'")], "Do": ["B*"]}]
    ),
    rename=st.sampled_from([None, {"Lesson 1": "First"}]),
    idle=st.sampled_from(["30m", "7m", None]),
    collapse=st.booleans(),
    count=st.sampled_from(["paths", "people"]),
    min_people=st.sampled_from([1, 1, 2]),
)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(1, 10**9), asked=questions)
def test_equals_the_sentence(seed: int, asked: Paths) -> None:
    check(history(seed), asked)


@settings(max_examples=EXAMPLES // 3, deadline=None, derandomize=True)
@given(
    seed=st.integers(1, 10**9),
    groups=st.sampled_from([None, ["/course/*"], ["/course/*/lesson/*", "/course/**"], {"All": ["/**"]}]),
    start=st.sampled_from([None, "/"]),
)
def test_property_paths_equal_the_sentence(seed: int, groups: Any, start: str | None) -> None:
    check(history(seed), Paths(start=start, item="url", groups=groups))


def check(rows: list[Row], asked: Paths) -> None:
    known = [Row("~", name, datetime(2027, 1, day)) for day, name in enumerate(NAMES, 1)]
    rows = [*rows, *known]
    found = paths_of(rows, asked)
    walked: defaultdict[Edge, list[tuple[str, float]]] = defaultdict(list)
    reached: Counter[tuple[int, str]] = Counter()
    stopped: Counter[tuple[int, str]] = Counter()
    for person, kept, whole in found:
        first = 1 - len(kept) if asked.keep == "last" else 1
        for step, ((source, at), (target, then)) in enumerate(pairwise(kept), first):
            walked[Edge(step, source, target)].append((person, (then - at).total_seconds()))
        reached.update((step, name) for step, (name, _) in enumerate(kept, first))
        final = kept[-1][0]
        is_cut = len(kept) == asked.steps if asked.keep == "first" else asked.end is None
        if whole and not is_cut and final not in (asked.end or ()):
            stopped[(first + len(kept) - 1, final)] += 1
    wanted = [
        (*edge, len(times), len({p for p, _ in times}), pytest.approx(sum(t for _, t in times) / len(times)))
        for edge, times in sorted(walked.items())
        if len({p for p, _ in times}) >= asked.min_people
    ]
    with make_log(rows, timezone="Europe/Berlin") as log:
        result = asked.run(log)
        assert result.frame.rows() == wanted
        items = result.items.rows(named=True)
        assert {(row["step"], row["item"]): row["paths"] for row in items} == dict(reached)
        assert {(r["step"], r["item"]): r["stopped"] for r in items if r["stopped"]} == dict(stopped)
        sequences = Counter(tuple(name for name, _ in kept) for _, kept, _ in found)
        if asked.min_people == 1:
            top = result.top(10_000)
            assert {tuple(items): n for items, n in top.select("items", "paths").rows()} == dict(sequences)


# -- by hand --------------------------------------------------------------------------------------------------------


def walk(person: str, names: str, start: int = 0, step: int = 60) -> list[Row]:
    at = datetime(2026, 3, 1, 9)
    return [Row(person, name, at + timedelta(seconds=start + n * step)) for n, name in enumerate(names)]


STORY = [*walk("ann", "aabcb"), *walk("bob", "abxc"), *walk("cat", "xab", step=30), *walk("ann", "ab", 9000)]


def test_next_from_an_anchor() -> None:
    with make_log(STORY) as log:
        result = Paths(start="a", steps=3).run(log)
        assert result.frame.columns == ["step", "source", "target", "traversals", "people", "seconds_mean"]
        assert result.frame.rows() == [
            (1, "a", "b", 4, 3, (120 + 60 + 30 + 60) / 4),
            (2, "b", "c", 1, 1, 60.0),
            (2, "b", "x", 1, 1, 60.0),
        ]
        assert log.sql(result.sql).equals(result.frame)
        assert result.items["stopped"].to_list() == [0, 2, 0, 0]
        assert result.top(1).rows() == [(["a", "b"], 2, 2, 45.0)]
        alone = Paths(start="a", steps=3, count="people").run(log).frame
        assert alone["traversals"].to_list() == alone["people"].to_list() == [3, 1, 1]


def test_before_an_anchor() -> None:
    with make_log(STORY) as log:
        frame = Paths(end="c", steps=3, keep="last").run(log).frame
        assert frame.select("step", "source", "target", "traversals").rows() == [
            (-2, "a", "b", 1),
            (-2, "b", "x", 1),
            (-1, "b", "c", 1),
            (-1, "x", "c", 1),
        ]


def test_between_anchors_and_without_the_end() -> None:
    with make_log(STORY) as log:
        asked: dict[str, Any] = {"start": "a", "end": "c"}
        assert Paths(**asked).run(log).frame["traversals"].to_list() == [2, 1, 1, 1]
        assert Paths(**asked, without_end="keep").run(log).frame["traversals"].to_list() == [4, 1, 1, 1]


def test_repeats_pauses_and_small_edges() -> None:
    with make_log(STORY) as log:
        loops = Paths(start="a", collapse=False, steps=2).run(log).frame
        assert loops.select("source", "target", "traversals").rows() == [("a", "a", 1), ("a", "b", 3)]
        assert Paths(start="a", min_people=2).run(log).frame["people"].to_list() == [3]
        # never split: ann's second visit goes on where the first one ended
        whole = Paths(start="a", idle=None, steps=7, count="people").run(log).frame
        assert whole.filter(pl.col("step") == 4).rows() == [(4, "b", "a", 1, 1, 9000.0 - 240)]


def test_a_pause_is_one_of_all_activity() -> None:
    rows = [Row("ann", n, datetime(2026, 3, 1, 9) + timedelta(minutes=25 * k)) for k, n in enumerate("axb")]
    with make_log(rows) as log:
        assert Paths(event=["a", "b"]).run(log).frame["seconds_mean"].to_list() == [3000.0]
        # what does not exist for the question keeps nothing alive
        assert Paths(where="url is not null").run(log).frame.is_empty()


def test_one_event_and_none() -> None:
    with make_log([Row("ann", "a", datetime(1970, 1, 1))]) as log:
        result = Paths(start="a").run(log)
        assert result.frame.is_empty() and result.items.rows() == [(1, "a", 1, 1, 1)]
        assert result.top().rows() == [(["a"], 1, 1, 0.0)]
        assert result.figure().to_html(include_plotlyjs=False)
    with make_log([]) as log:
        result = Paths(start="a").run(log)
        assert result.frame.is_empty() and result.items.is_empty() and result.top().is_empty()
        assert result.figure().to_html(include_plotlyjs=False)


def test_the_figure_loses_no_path() -> None:
    """What flows into the items of a step is what stops there, is cut there, and flows on."""
    rows = [row for n in range(40) for row in walk(f"p{n}", "a" + "bcdefghijkl"[n % 11] + "mn"[n % 2])]
    with make_log(rows) as log:
        result = Paths(start="a", edges=12).run(log)
        figure = result.figure()
        link, names = figure.data[0].link, figure.data[0].node.customdata
        assert "(other)" in names
        labels = [each.text for each in figure.layout.annotations]
        assert "step 1" in labels and "a  <b>40</b>" in labels
        into, out = Counter[int](), Counter[int]()
        for source, target, value in zip(link.source, link.target, link.value, strict=True):
            out[source] += value
            into[target] += value
        assert out[0] == 40
        assert all(into[n] == out[n] for n in into if n in out)
        assert sum(value for n, value in into.items() if n not in out) == 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "aa"}, "unknown item 'aa'"),
        ({"end": []}, "end is an item"),
        ({"start": 7}, "start is an item"),
        ({"steps": 1}, "from 2 to 50"),
        ({"steps": 51}, "from 2 to 50"),
        ({"groups": {"g": ["zz"]}}, "unknown event 'zz'"),
        ({"groups": {"g": []}}, "at least one item"),
        ({"groups": "a*"}, "groups is a mapping"),
        ({"groups": {"": ["a"]}}, "groups needs a name"),
        ({"rename": {"zz": "y"}}, "unknown event 'zz'"),
        ({"rename": {"a": 3}}, "rename needs a name"),
        ({"item": "urk"}, "unknown property 'urk'. Did you mean 'url'?"),
        ({"idle": "soon"}, "is not a duration"),
        ({"keep": "lst"}, "unknown keep 'lst'. Did you mean 'last'?"),
        ({"count": "persons"}, "unknown count 'persons'"),
        ({"without_end": "drop"}, "unknown without_end 'drop'"),
        ({"min_people": 0}, "min_people"),
        ({"edges": 0}, "edges is a whole number"),
        ({"event": "zz"}, "unknown event 'zz'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with make_log(STORY) as log, pytest.raises(InputError) as caught:
        Paths(**options).run(log)
    assert message in str(caught.value)


def test_describe_says_what_a_path_is() -> None:
    told = Paths(start="a", end=["b", "c"], count="people", min_people=3).describe()
    assert told == (
        "Paths of people from a to the first b or c after that, the first 5 items, split by 30 minutes without "
        "activity, repeats counted once, each person's first path only, edges of fewer than 3 people left out."
    )


def test_says_what_items_are_and_what_becomes_of_paths_without_an_end() -> None:
    told = Paths(end="Pay", without_end="keep", event=["Home", "Pay"], item="url").describe()
    assert told == (
        "Paths of people through url to the first Pay, of Home or Pay alone, the first 5 items, "
        "those that never get there kept as they are, split by 30 minutes without activity, repeats counted once."
    )
