"""Which real files which recogniser claims: its own and no others."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from headway_pipelines.sources.formats import RECOGNISERS
from headway_pipelines.sources.sample import Sample

MINE = (
    *("snowplow_wire", "rudder_wire", "plausible_wire", "snowplow", "snowplow_table", "segment_warehouse"),
    "rudder",
)
OWN = {
    "tracker_captures/py_snowplow.jsonl": "snowplow_wire",
    "tracker_captures/node_snowplow.jsonl": "snowplow_wire",
    "tracker_captures/browser_snowplow.jsonl": "snowplow_wire",
    "tracker_captures/py_rudder.jsonl": "rudder_wire",
    "tracker_captures/node_rudder.jsonl": "rudder_wire",
    "tracker_captures/browser_plausible.jsonl": "plausible_wire",
    "snowplow_web/source/snowplow_web_events.csv": "snowplow_table",
    "snowplow_ecommerce/source/snowplow_ecommerce_events.csv.gz": "snowplow_table",
    "dbt_seeds/segment_pages.csv": "segment_warehouse",
}
OTHERS = (
    "tracker_captures/py_segment.jsonl",
    "tracker_captures/node_segment.jsonl",
    "tracker_captures/browser_segment.jsonl",
    "tracker_captures/py_posthog.jsonl",
    "tracker_captures/browser_posthog.jsonl",
    "tracker_captures/py_mixpanel.jsonl",
    "tracker_captures/node_amplitude.jsonl",
    "apache_logs/apache_access.log.gz",
    "nasa_http/nasa_19950701.tsv.gz",
    "wikiticker/wikiticker-2015-09-12-sampled.json.gz",
    "dbt_seeds/mixpanel_event.csv",
    "dbt_seeds/amplitude_event.csv",
    "ga4_dbt/raw_export_sample.jsonl",
    "online_retail/online_retail.csv.gz",
)


def sample(path: Path) -> Sample:
    """The first lines of a file."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        lines = tuple(line.rstrip("\n") for line, _ in zip(file, range(50), strict=False))
    objects = []
    for line in lines:
        try:
            objects.append(json.loads(line))
        except ValueError:
            continue
    found = tuple(each for each in objects if isinstance(each, dict))
    columns = tuple(lines[0].replace("\t", ",").replace('"', "").split(","))
    return Sample(path.name, lines, found, columns)


@pytest.mark.parametrize("name", [*OWN, *OTHERS])
def test_a_real_file(data: Path, name: str) -> None:
    given = sample(data / name)
    assert [each for each in MINE if RECOGNISERS[each](given)] == ([OWN[name]] if name in OWN else [])
    # The order of the recognisers decides where a general one claims a file too.
    first = next((each for each, recognise in RECOGNISERS.items() if recognise(given)), None)
    assert name not in OWN or first == OWN[name]


def test_a_reason_holds_no_value(data: Path) -> None:
    for name, format_ in OWN.items():
        reason = RECOGNISERS[format_](sample(data / name)) or ""
        assert reason and not [text for text in ("@", "203.0.113", "example", "user-") if text in reason]
