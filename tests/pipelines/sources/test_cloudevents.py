"""CloudEvents in JSON: single events and batches, by a mapping of their attributes and data."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway.errors import DefinitionError
from headway_pipelines.sources.cloudevents import recognise
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.sample import Sample
from headway_pipelines.sources.shape import Source

Run = Callable[..., Any]

PLAN = """
  Order Completed: {properties: {amount: {class: number}, plan: {class: enum, values: [pro, free]}}}
"""
NINE = dt.datetime(2026, 3, 2, 9)


def source(options: str = "") -> Source:
    (found,) = parse_sources(f"sources: {{shop: {{format: cloudevents{', ' + options if options else ''}}}}}")
    return found


def event(**changes: Any) -> dict[str, Any]:
    base = {
        "specversion": "1.0",
        "type": "com.example.order",
        "source": "/shop",
        "id": "e1",
        "time": "2026-03-02T10:00:00+01:00",
        "subject": "u1",
        "datacontenttype": "application/json",
        "data": {"amount": 25.5, "user": {"id": 7, "plan": "pro"}},
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def read(tmp_path: Path, shape: Run, given: Source, *lines: Any, columns: str = "line, outcome") -> list[Any]:
    path = tmp_path / "events.jsonl"
    texts = (each if isinstance(each, str) else json.dumps(each) for each in lines)
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    rows: list[Any] = shape(path, given).execute(f"SELECT {columns} FROM shape").fetchall()
    return rows


def test_attributes_become_parts_of_the_event(tmp_path: Path, shape: Run) -> None:
    columns = "event, user_raw, message_id, occurred_at, received_at, properties"
    rows = read(
        tmp_path,
        shape,
        source(),
        event(recordedtime="2026-03-02T09:00:05Z"),
        [event(id="e2")],
        columns=columns,
    )
    properties = {"amount": "25.5", "user": '{"id":7,"plan":"pro"}'}
    assert rows == [
        ("com.example.order", "u1", "/shop\x1fe1", NINE, NINE + dt.timedelta(seconds=5), properties),
        ("com.example.order", "u1", "/shop\x1fe2", NINE, None, properties),
    ]


def test_the_mapping_looks_into_the_data(tmp_path: Path, shape: Run) -> None:
    options = (
        "event: {column: type, names: {com.example.order: Order Completed}}, user: data.user.id, device: browserid, "
        "account: data.team, properties: {plan: data.user.plan, region: region}"
    )
    rows = read(
        tmp_path,
        shape,
        source(options),
        event(browserid="b1", region="eu"),
        # As base64, and as a text that holds JSON.
        event(data=None, data_base64=base64.b64encode(b'{"user": {"id": 8}, "team": "t1"}').decode()),
        event(data='{"user": {"id": 9}}'),
        # No JSON at all, malformed JSON, a list: nothing can be looked up in it.
        event(data="<order/>"),
        event(data='{"user": '),
        event(data=[1]),
        columns="outcome, event, user_raw, device_raw, account_raw, properties",
    )
    assert rows == [
        ("event", "Order Completed", "7", "b1", None, {"plan": "pro", "region": "eu"}),
        ("event", "Order Completed", "8", None, "t1", {}),
        ("event", "Order Completed", "9", None, None, {}),
        *[("event", "Order Completed", None, None, None, {})] * 3,
    ]


def test_what_the_mapping_uses_is_no_property(tmp_path: Path, shape: Run) -> None:
    rows = read(tmp_path, shape, source("user: data.user"), event(), columns="user_raw, properties")
    assert rows == [('{"id":7,"plan":"pro"}', {"amount": "25.5"})]


def test_every_line_is_accounted_for(tmp_path: Path, shape: Run) -> None:
    rows = read(
        tmp_path,
        shape,
        source(),
        [event(), 7, event(id="e2"), event(id=None)],
        [],
        event(type=""),
        event(source=None),
        event(specversion=None),
        "",
        "{",
        "[{]",
        "7",
        json.dumps(event()).replace('"subject"', '"id"'),
        event(data=None, data_base64="%%%"),
        event(data=None, data_base64="/w=="),
        event(data=None),
        event(time=1772442000, neweventattribute=1),
    )
    assert rows == [
        (1, "event"),
        (1, "not a JSON object"),
        (1, "event"),
        (1, "not a CloudEvent"),
        (2, "empty batch"),
        (3, "not a CloudEvent"),
        (4, "not a CloudEvent"),
        (5, "not a CloudEvent"),
        (6, "blank"),
        (7, "malformed JSON"),
        (8, "malformed JSON"),
        (9, "not a JSON object"),
        (10, "a name occurs twice"),
        (11, "unusable data"),
        (12, "unusable data"),
        (13, "event"),
        (14, "event"),
    ]


@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ("", ["none", "public", "internal"]),
        ("classification: public", ["none", "public"]),
        ("classification: restricted", ["none", "public", "internal", "confidential", "restricted"]),
        ("regulations: [GDPR, HIPAA]", ["none", "public", "internal", "gdpr", "both"]),
        ("categories: [special-category]", ["none", "public", "internal", "special"]),
    ],
)
def test_data_labelled_above_what_is_accepted_is_rejected(
    tmp_path: Path, shape: Run, options: str, accepted: list[str]
) -> None:
    labelled = {
        "none": {},
        "public": {"dataclassification": "public"},
        "internal": {"dataclassification": " Internal "},
        "confidential": {"dataclassification": "confidential"},
        "restricted": {"dataclassification": "restricted"},
        "unknown": {"dataclassification": "top secret"},
        "gdpr": {"dataclassification": "public", "dataregulation": "GDPR"},
        "both": {"dataclassification": "public", "dataregulation": "gdpr , HIPAA"},
        "more": {"dataclassification": "public", "dataregulation": "GDPR,PCI-DSS"},
        "special": {"dataclassification": "public", "datacategory": "special-category"},
    }
    events = [event(subject=name, **labels) for name, labels in labelled.items()]
    rows = read(tmp_path, shape, source(options), events, columns="user_raw, outcome")
    assert [name for name, outcome in rows if outcome == "event"] == accepted
    assert {outcome for _, outcome in rows} <= {
        "event",
        "data classification not accepted",
        "data regulation not accepted",
        "data category not accepted",
    }


def test_data_that_repeats_a_name_are_no_properties(tmp_path: Path, shape: Run) -> None:
    """Which of both values counts cannot be known; lists of the same names in the same order are judged together."""
    twice = json.dumps(event()).replace('"data": {', '"data": {"same": 1, "same": 2, ')
    assert twice.count("same") == 2
    rows = read(
        tmp_path, shape, source(), twice, event(id="e2"), twice, columns="line, outcome, properties IS NULL"
    )
    assert [row[1:] for row in sorted(rows)] == [
        ("unusable properties", True),
        ("event", False),
        ("unusable properties", True),
    ]


def test_source_and_id_name_an_event(tmp_path: Path, clean: Run) -> None:
    names = "event: {value: Order Completed}"
    path = tmp_path / "e.jsonl"
    events = [
        event(),
        event(),
        event(source="/other"),
        event(time=None),
        event(time="1772442000"),
        event(subject=""),
    ]
    path.write_text(json.dumps(events), encoding="utf-8")
    result = clean(path, source(names), PLAN)
    assert result.outcomes == {"event": 3, "no valid time": 2, "no usable id": 1}
    assert result.rows("SELECT count(DISTINCT event_id), count(DISTINCT actor), sum(amount) FROM events") == [
        (2, 1, 76.5)
    ]
    assert result.lines == 1


def test_what_is_wrong_in_sources_yml() -> None:
    with pytest.raises(DefinitionError, match="classification"):
        source("classification: secret")


def test_recognised_by_its_attributes() -> None:
    assert recognise(Sample("e", ("",), (event(),)))
    assert recognise(Sample("e", ("",), (event(subject=None),))) is None
    assert recognise(Sample("e", ("",), (event(id=7),))) is None
