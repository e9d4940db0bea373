"""Mixpanel's and Amplitude's tables as a warehouse gets them: a mapping is all they need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.shape import Source

Run = Callable[..., Any]

#: Name of three of Amplitude's ten events: longer than a plan lets a name be, so a mapping shortens it.
LONG = "a" * 260
AMPLITUDE = f"""
    format: delimited
    event: {{column: event_type, names: {{{LONG}: Named At Length}}}}
    user: user_id
    device: device_id
    id: uuid
    time: {{column: event_time}}
    properties: {{cohort: user_properties.Cohort}}"""


def the(text: str) -> Source:
    (source,) = parse_sources("sources:\n  s:" + text)
    return source


def counted(result: Any) -> dict[str, int]:
    return dict(result.rows("SELECT event, count(*) FROM events GROUP BY 1"))


def test_events_of_mixpanel(data: Path, clean: Run) -> None:
    source = the("""
    format: delimited
    event: {column: name}
    user: properties.user_id
    device: distinct_id
    id: _fivetran_id
    time: {column: time}
    properties: {os: properties.Operating System}""")
    names = ("plays", "playthrough_25", "playthrough_29", "playthrough_30")
    systems = "{properties: {os: {class: enum, values: [Roku]}}}"
    result = clean(
        data / "dbt_seeds" / "mixpanel_event.csv", source, "".join(f"\n  {n}: {systems}" for n in names)
    )
    assert result.lines == 5 and result.outcomes == {"event": 5}
    assert counted(result) == {"plays": 1, "playthrough_25": 2, "playthrough_29": 1, "playthrough_30": 1}
    assert result.rows("SELECT count(DISTINCT actor), count(os) FROM events") == [(3, 5)]
    assert "114521" not in result.stored() and "9e308c27" not in result.stored()


def test_events_of_amplitude(data: Path, clean: Run) -> None:
    path = data / "dbt_seeds" / "amplitude_event.csv"
    names = (
        "watch_test_amplitude", "watch_test_amplitude_2", "watch_test_amplitude_3", "Named At Length", "test_event_01",
    )  # fmt: skip
    plan = "".join(
        f"\n  {name}: {{properties: {{cohort: {{class: enum, values: [Test A]}}}}}}" for name in names
    )
    result = clean(path, the(AMPLITUDE), plan)
    assert result.lines == 10 and result.outcomes == {"event": 10}
    assert counted(result) == dict(zip(names, (2, 3, 1, 3, 1), strict=True))
    assert result.rows(
        "SELECT count(DISTINCT event_id), count(DISTINCT actor), count(cohort) FROM events"
    ) == [(10, 7, 10)]
    assert "@" not in result.stored() and "2ff5d160" not in result.stored()
    # Four of them are dated more than a day after they arrived.
    received = "\n    received: {column: server_received_time}"
    assert clean(path, the(AMPLITUDE + received), plan).outcomes == {"event": 6, "time in the future": 4}


def test_event_types_of_amplitude(data: Path, clean: Run) -> None:
    source = the("""
    format: delimited
    event: {value: Event Type Known}
    device: id
    time: {column: _fivetran_synced}
    properties: {totals: totals}""")
    plan = "\n  Event Type Known: {properties: {totals: {class: integer}}}"
    result = clean(data / "dbt_seeds" / "amplitude_event_type.csv", source, plan)
    assert result.lines == 6 and result.outcomes == {"event": 6}
    assert result.rows("SELECT count(DISTINCT actor), sum(totals) FROM events") == [(6, 0)]
