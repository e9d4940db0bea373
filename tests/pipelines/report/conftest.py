"""Small published databases, made by hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from headway.frameworks.catalogue import SCHEMA as CATALOGUE
from headway.frameworks.values import EXCLUSIONS
from headway.frameworks.values import SCHEMA as VALUES
from headway.statistics.estimates import Kind, SufficientStatistics, estimate
from headway_pipelines.publishing.publish import suppress
from headway_pipelines.report import write_report
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.workspace import Workspace

MONDAY = date(2026, 3, 2)
"""The first week of every hand-made history."""

DROPPED = {"event": pl.String, "property": pl.String, "reason": pl.String, "n_values": pl.Int64}
OUTCOMES = {"source": pl.String, "state": pl.String, "outcome": pl.String, "lines": pl.Int64}


@dataclass
class Published:
    """What will be in the published database; suppression runs when it is written.

    Attributes:
        workspace: Where.
        catalogue: Rows of metric_catalogue.
        values: Rows of metric_values.
        others: The remaining tables that are suppressed, by name; one with the column `suppressed` already is.
        info: Changes to the row of run_info.
        dropped: Rows of dropped_values.
        outcomes: Rows of line_outcomes.
        exclusions: Rows of metric_exclusions.
        as_given: Whether the values are published as they are: what is hidden is not the question.
    """

    workspace: Workspace
    catalogue: list[dict[str, Any]] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, pl.DataFrame] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    dropped: list[tuple[str, str, str, int]] = field(default_factory=list)
    outcomes: list[tuple[str, str, str, int | None]] = field(default_factory=list)
    exclusions: list[tuple[str, str, int | None]] = field(default_factory=list)
    as_given: bool = False

    def metric(self, name: str = "activation", **facts: Any) -> Published:
        """Declares a metric."""
        row = {
            "metric": name,
            "framework": "aarrr",
            "stage": "activation",
            "title": name.replace("_", " ").capitalize(),
            "question": f"What about {name}?",
            "goal": "",
            "signal": "",
            "owner": "growth",
            "unit": "percent",
            "direction": "up",
            "target_value": None,
            "target_by": None,
            "target_period": None,
            "definition": "People who did 'b' divided by people who did 'a'.",
            "definition_hash": "0123456789abcdef",
        }
        if facts.get("target_value") is not None:
            row["target_period"] = "week"
        self.catalogue.append(row | facts)
        return self

    def weeks(
        self,
        *cells: tuple[int, float] | None,
        name: str = "activation",
        kind: Kind = "proportion",
        squares: tuple[float, ...] = (),
        segment: str = "all",
        incomplete: int = 0,
        period: str = "week",
    ) -> Published:
        """Adds (people, total) of consecutive weeks from `MONDAY` on; the last `incomplete` ones are not over."""
        facts = next(row for row in self.catalogue if row["metric"] == name)
        length = 7 if period == "week" else 1
        for number, cell in enumerate(cells):
            n, total = cell or (0, 0)
            square = squares[number] if squares else total
            found = estimate(kind, SufficientStatistics.of([n], [total], [square]))
            value, low, high = (
                None if number_ != number_ else float(number_)
                for number_ in (found.value[0], found.low[0], found.high[0])
            )
            self.values.append(
                {
                    "metric": name,
                    "framework": facts["framework"],
                    "stage": facts["stage"],
                    "segment": segment,
                    "period": period,
                    "period_start": MONDAY + timedelta(days=length * number),
                    "value": value,
                    "unit": facts["unit"],
                    "numerator": float(total),
                    "denominator": None if kind == "count" else float(n),
                    "people": n,
                    "low": low,
                    "high": high,
                    "interval_method": found.method[0],
                    "complete": number < len(cells) - incomplete,
                    "suppressed": False,
                    "estimate": kind,
                    "reason": found.reason[0],
                    "as_of": datetime(2026, 4, 6),
                    "definition_hash": facts["definition_hash"],
                    "code_version": "0.1.0",
                }
            )
        return self

    def tables(self) -> Mapping[str, pl.DataFrame]:
        """Returns the tables as publishing makes them."""
        values = pl.DataFrame(self.values, schema=VALUES, orient="row")
        hidden = {"metric_values": values} | self.others
        shown = {
            n: f if "suppressed" in f.columns and n in self.others else suppress(n, f)
            for n, f in hidden.items()
        }
        if self.as_given:
            shown["metric_values"] = values.drop("contributors", "estimate", "effective")
        if self.exclusions:
            shown["metric_exclusions"] = pl.DataFrame(self.exclusions, schema=EXCLUSIONS, orient="row")
        return shown | {
            "metric_catalogue": pl.DataFrame(self.catalogue, schema=CATALOGUE, orient="row"),
            "line_outcomes": pl.DataFrame(self.outcomes, schema=OUTCOMES, orient="row"),
            "dropped_values": pl.DataFrame(self.dropped, schema=DROPPED, orient="row"),
            "run_info": _info(self.info),
        }

    def write(self) -> Path:
        """Publishes and writes the report."""
        replace_database(self.workspace.published_db, self.tables(), comments=True)
        return write_report(self.workspace)


def _info(changes: dict[str, Any]) -> pl.DataFrame:
    first = datetime(2026, 3, 1, 23, 30)  # 2 March in Berlin: the data cover the first week
    row = {
        "product": "Lectern",
        "timezone": "Europe/Berlin",
        "week_start": "monday",
        "currency": "EUR",
        "horizon": datetime(2026, 4, 5, 22),
        "as_of": datetime(2026, 4, 6, 4, 30),
        "events": 12_345,
        "first_event_at": first,
        "last_event_at": datetime(2026, 4, 5, 21),
        "people": 1_000,
        "actors": 1_500,
        "devices_joined": 500,
        "identity_mode": "latest_user",
        "max_users_per_device": 3,
        "shared_devices": 20,
        "oversized_people": 0,
        "not_one_to_one": 0,
        "people_version": "aabbccddeeff0011",
        "files": 3,
        "files_blocked": 0,
        "files_damaged": 0,
        "lines": 20_000,
        "plan_hash": "99887766554433221100",
        "code_version": "0.1.0",
        "min_people": 10,
    } | changes
    instants = dict.fromkeys(("horizon", "as_of", "first_event_at", "last_event_at"), pl.Datetime("us"))
    return pl.DataFrame([row], schema_overrides=instants)


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return Published(Workspace(tmp_path / "shop"))


@pytest.fixture
def text() -> Callable[[Path], str]:
    """Turns a page into the words a reader sees: no markup, no scripts, single spaces."""

    def read(page: Path) -> str:
        reader = _Words()
        reader.feed(page.read_text(encoding="utf-8"))
        return " ".join("".join(reader.words).split())

    return read


@pytest.fixture
def read(text: Callable[[Path], str]) -> Callable[[Path], str]:
    """Turns the first page and all pages with numbers into words, in the order of the navigation."""

    def every(index: Path) -> str:
        names = ("index", "aarrr", "heart", "customer", "quality", "people")
        pages = [index.with_name(f"{name}.html") for name in names]
        return " ".join(text(page) for page in pages if page.is_file())

    return every


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Opens a page in a headless Chromium with further options; skips the test where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    browser = next((path for name in names if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium or Chrome on PATH: the page is not drawn in this run")
    quiet = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    )
    quiet += " --disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=10000"

    def run(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [browser, *quiet.split(), profile, *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run


class _Words(HTMLParser):
    _SILENT = ("script", "style", "title")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag in self._SILENT
        if tag not in ("span", "a", "em", "code"):
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag not in ("span", "a", "em", "code"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
