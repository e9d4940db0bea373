"""What Dagster is told of a run, by allowlist: counts, dates, names from definitions, paths of the workspace's files.

Whatever is told is kept in Dagster's database for as long as runs are. A new name here has to be looked at first: is it
a number, or a text that no log can have written?
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[2] / "pipelines" / "headway_pipelines" / "assets"
TOLD = {
    "ingest": "files, lines, dagster/row_count, damaged_files, unfinished_files, lines by outcome, rules,"
    " passed_batches, warned_batches, blocked",
    "lake": "changed_days, expired_events, dagster/row_count, events per day, changed, repeated_events, files, columns,"
    " values, looks personal",
    "metrics": "metrics, dagster/row_count, people, events, computed_anew, violated, identities, broken",
    "people": "actors, dagster/row_count, people, version, mapping_changed, derived anew, **done.counts",
    "person_store": "dagster/row_count, rows_written, parts",
    "publish": "path, latest complete week, suppressed cells, problems, files_deleted, **old",
    "sessions": "dagster/row_count, set_apart, derived_anew",
    "side_inputs": "dagster/row_count, rows, rejected",
}
#: Numbers and words of what was done, counts, small tables of counts, and paths.
FORMS = re.compile(
    r"(done|gone|found|verdict)\.\w+( or 'no')?|(len|sum)\(.+\)|(table|bars|scorecard)\(.+\)"
    r"|dg\.MetadataValue\.path\(str\((workspace\.\w+|index)\)\)|repeated|deleted|old|\{name.*done\.counts\(\)\.items\(\)\}"
)
ELSEWHERE = (
    "add_output_metadata",
    "add_asset_metadata",
    "get_dagster_logger",
    "print(",
    "io_manager",
)


def told() -> Iterator[tuple[str, str, str]]:
    for path in sorted(ASSETS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "metadata":
                assert isinstance(node.value, ast.Dict), f"{path.name}: metadata is not written out"
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    text = ast.unparse(value)
                    spread = "**done.counts" if "done.counts" in text else f"**{text}"
                    yield path.stem, spread if key is None else ast.literal_eval(key), text


def test_dagster_is_told_nothing_that_is_not_listed() -> None:
    listed = {(module, name.strip()) for module, names in TOLD.items() for name in names.split(",")}
    assert {(module, name) for module, name, _ in told()} <= listed


@pytest.mark.parametrize(("module", "name", "text"), list(told()), ids=lambda text: str(text)[:30])
def test_what_dagster_is_told_is_a_number_a_small_table_or_a_path(module: str, name: str, text: str) -> None:
    assert FORMS.fullmatch(text), f"{module}: {name} is {text}"


def test_assets_tell_in_no_other_way() -> None:
    for path in ASSETS.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert [word for word in ELSEWHERE if word in text] == [], path.name
        assert re.findall(r"context\.log\.\w+\((.*)\)", text) in ([], ['f"{len(days)} days changed"']), (
            path.name
        )
