"""The report folder: safe to open, safe to replace."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headway.errors import InputError
from headway_pipelines.report import write, write_report
from headway_pipelines.warehouse.databases import replace_database

Read = Callable[[Path], str]
Browse = Callable[..., subprocess.CompletedProcess[str]]

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \" ' & {{ 7 * 7 }} <b>"
PAGES = ("index.html", "aarrr.html", "heart.html", "people.html", "definitions.html", "data.html")
MONDAY = date(2026, 3, 2)


class Elements(HTMLParser):
    """Collects every element of a page with its attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.found if (value := attributes.get(name))]


def history(published: Any) -> Any:
    """A product with something in every section."""
    published.metric("activation", target_value=0.45).weeks((300, 120), (310, 128), (305, 90), incomplete=1)
    published.weeks((100, 40), (100, 44), (90, 20), segment="channel=email", incomplete=1)
    published.metric("payers", stage="revenue").weeks((300, 30), None, (300, 31), name="payers")
    published.metric("answers", framework="heart", stage="happiness", unit="points")
    published.weeks((80, 20), (90, 24), name="answers", kind="promoter_score", squares=(60, 64))
    days = [MONDAY + timedelta(days=d) for d in range(14)]
    published.others["active_people"] = pl.DataFrame(
        [(day, window, 100 + 20 * window, True) for window in (1, 7) for day in days],
        schema={"period_start": pl.Date, "window_days": pl.Int64, "value": pl.Int64, "complete": pl.Boolean},
        orient="row",
    )
    return published


def test_hostile_names_stay_text(published: Any, text: Read) -> None:
    published.info["product"] = HOSTILE
    words = dict.fromkeys(("title", "question", "goal", "signal", "owner", "definition"), HOSTILE)
    published.metric(HOSTILE, **words, unit=HOSTILE, target_value=0.3).weeks(
        (100, 40), (100, 44), name=HOSTILE
    )
    published.weeks((50, 20), (50, 24), name=HOSTILE, segment=f"channel={HOSTILE}")
    published.metric("h", framework="heart", stage="adoption", **words).weeks((100, 40), name="h")
    published.dropped = [(HOSTILE, HOSTILE, HOSTILE, 5)]
    published.outcomes = [(HOSTILE, HOSTILE, HOSTILE, 5)]
    index = published.write()
    for name in PAGES:
        page = index.with_name(name)
        tags = [tag for tag, _ in Elements(page).found]
        assert "img" not in tags and "b" not in tags
        scripts = [attributes for tag, attributes in Elements(page).found if tag == "script"]
        assert all(each.get("src") or each.get("type") == "application/json" for each in scripts)
        assert not any(attribute.startswith("on") for _, attrs in Elements(page).found for attribute in attrs)
        assert " ".join(HOSTILE.split()) in text(page)
    articles = re.findall(r'<article class="metric" id="([^"]+)"', index.with_name("aarrr.html").read_text())
    assert len(articles) == 1 and re.fullmatch(r"[a-z0-9-]+", articles[0])


def test_nothing_is_loaded_from_elsewhere(published: Any) -> None:
    index = history(published).write()
    for name in PAGES:
        elements = Elements(index.with_name(name))
        loaded = elements.values("src") + [a["href"] or "" for tag, a in elements.found if tag == "link"]
        assert all(value == "data:," or (index.parent / value).is_file() for value in loaded)
        links = [a["href"] or "" for tag, a in elements.found if tag == "a"]
        assert all(
            re.fullmatch(r"(index|aarrr|heart|people|definitions|data)?(\.html)?(#[a-z0-9_-]+)?", link)
            for link in links
        )
        assert (
            "http://" not in index.with_name(name).read_text()
            and "https://" not in index.with_name(name).read_text()
        )
    assert "url(" not in index.with_name("report.css").read_text()


def test_anchors_and_labels_resolve(published: Any) -> None:
    index = history(published).write()
    identifiers = {name: Elements(index.with_name(name)).values("id") for name in PAGES}
    for name in PAGES:
        assert len(identifiers[name]) == len(set(identifiers[name]))
        elements = Elements(index.with_name(name))
        assert set(elements.values("aria-labelledby")) <= set(identifiers[name])
        for link in elements.values("href"):
            page, _, anchor = link.partition("#")
            assert not anchor or anchor in identifiers[page or name]


def test_folder_is_small_and_names_no_place(published: Any) -> None:
    index = history(published).write()
    files = {path.name: path for path in index.parent.iterdir()}
    assert set(files) == {*PAGES, "plotly.min.js", "report.css", "report.js"}
    assert sum(path.stat().st_size for path in files.values()) < 8_000_000
    for name in (*PAGES, "report.css", "report.js"):
        content = files[name].read_text()
        assert str(published.workspace.root) not in content and str(Path.home()) not in content
        assert "site-packages" not in content


def test_writing_twice_gives_the_same_folder(published: Any) -> None:
    index = history(published).write()
    first = {path.name: path.read_bytes() for path in index.parent.iterdir()}
    assert write_report(published.workspace) == index
    assert {path.name: path.read_bytes() for path in index.parent.iterdir()} == first
    assert [path.name for path in index.parent.parent.iterdir() if path.name.startswith(".")] == []


def test_values_of_suppressed_cells_are_ignored_even_where_they_are_left_in(
    published: Any, text: Read
) -> None:
    # Publishing empties hidden cells; the report does not rely on it.
    tables = dict(history(published).tables())
    values = tables["metric_values"]
    tables["metric_values"] = values.with_columns(
        value=0.777,
        low=0.766,
        high=0.788,
        people=pl.lit(777, pl.Int64),
        suppressed=True,
        reason=pl.lit("hidden"),
    )
    tables["active_people"] = tables["active_people"].with_columns(
        value=pl.lit(777, pl.Int64), suppressed=pl.lit(True)
    )
    replace_database(published.workspace.published_db, tables, comments=True)
    index = write_report(published.workspace)
    html = " ".join(index.with_name(name).read_text() for name in PAGES)
    assert not re.search(r"77[.]7|0[.]777|\b777\b|7[68][.][68]", html)


def test_a_failure_leaves_the_old_report(published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    index = history(published).write()
    before = index.read_bytes()

    def broken() -> bytes:
        raise OSError("disk full")

    monkeypatch.setattr(write, "_plotly", broken)
    published.info["product"] = "Another"
    with pytest.raises(OSError, match="disk full"):
        published.write()
    assert index.read_bytes() == before
    assert sorted(path.name for path in index.parent.parent.iterdir()) == ["published", "report"]


def test_a_failed_swap_puts_the_old_report_back(published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    index = history(published).write()
    before, rename = index.read_bytes(), Path.rename

    def refuse(source: Path, target: Path) -> Path:
        if target.name == "report" and source.name != ".report.old":
            raise OSError("busy")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse)
    published.info["product"] = "Another"
    with pytest.raises(OSError, match="busy"):
        published.write()
    assert index.read_bytes() == before


def test_a_run_killed_between_the_renames_is_repaired(published: Any) -> None:
    index = history(published).write()
    index.parent.rename(index.parent.with_name(".report.old"))
    index.parent.with_name(".report.1234abcd").mkdir()
    write_report(published.workspace)
    assert index.is_file()
    assert sorted(path.name for path in index.parent.parent.iterdir()) == ["published", "report"]


def test_nothing_published_yet(published: Any) -> None:
    with pytest.raises(InputError, match="nothing has been published yet"):
        write_report(published.workspace)


def test_charts_are_drawn_in_a_browser(published: Any, browse: Browse, tmp_path: Path) -> None:
    index = history(published).write()
    # Of what the browser writes to its console nothing may be an error; all charts come near a window this high.
    for name, expected in (("index.html", 0), ("aarrr.html", 2), ("heart.html", 1), ("people.html", 1)):
        page = index.with_name(name)
        drawn = browse(page, "--window-size=1280,4000", "--dump-dom")
        charts = [attributes for tag, attributes in Elements(page).found if "data-chart" in attributes]
        assert len(charts) == expected
        assert drawn.stdout.count('class="plot-container plotly"') == expected
        assert not expected or 'class="main-svg"' in drawn.stdout
        assert [line for line in drawn.stderr.splitlines() if "CONSOLE" in line] == []
    picture = tmp_path / "page.png"
    browse(index.with_name("aarrr.html"), "--window-size=400,2400", f"--screenshot={picture}")
    assert picture.stat().st_size > 20_000


def test_a_missing_chart_script_leaves_the_numbers(published: Any, browse: Browse) -> None:
    # The console test above can fail: without Plotly the same page does log an error, and still shows its tables.
    index = history(published).write()
    index.with_name("plotly.min.js").unlink()
    drawn = browse(index.with_name("aarrr.html"), "--dump-dom")
    assert any("CONSOLE" in line for line in drawn.stderr.splitlines())
    assert "Numbers week by week" in drawn.stdout and "41 %" in drawn.stdout
