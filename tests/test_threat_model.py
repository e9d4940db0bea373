"""The threat model names tests: each exists, so that a guard that is no longer tested is noticed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)::(\w+)`", TEXT)))


def test_every_way_out_names_a_test() -> None:
    table = TEXT.partition("## Ways out")[2].partition("## What is not defended")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "| guard |" not in line]
    assert len(rows) > 20
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
