"""Merge keys: what is the same in several definitions is written once."""

from __future__ import annotations

import pytest

from headway.errors import DefinitionError
from headway.models.yaml_file import parse_document


def test_what_is_not_said_is_taken_over_and_keeps_its_line() -> None:
    document = parse_document("a: &a\n  x: 1\n  y: {z: 2}\nb:\n  <<: *a\n  x: 3\n", "p.yml")
    assert document.data == {"a": {"x": 1, "y": {"z": 2}}, "b": {"x": 3, "y": {"z": 2}}}
    assert [document.line(("b", *at)) for at in (("x",), ("y",), ("y", "z"))] == [6, 3, 3]


def test_the_first_of_several_wins_and_merges_may_build_on_merges() -> None:
    text = "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: [*b, {x: 9, z: 3}]}\n"
    assert parse_document(text, "p.yml").data["c"] == {"x": 1, "y": 2, "z": 3}


def test_a_quoted_key_is_a_key() -> None:
    assert parse_document("a: {'<<': 1}", "p.yml").data == {"a": {"<<": 1}}


@pytest.mark.parametrize("value", ["1", "[1]", "{a: 1}, <<: x"])
def test_only_mappings_can_be_taken_over(value: str) -> None:
    with pytest.raises(DefinitionError, match=r"p.yml:2: a: << takes a mapping or a list of mappings"):
        parse_document(f"# first\na: {{<<: {value}}}", "p.yml")


def test_a_mapping_cannot_take_over_itself() -> None:
    with pytest.raises(DefinitionError, match="contains itself"):
        parse_document("a: &a {<<: *a}", "p.yml")
