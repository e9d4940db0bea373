"""Files that cannot be used are told before anything is read: with file and line, and exit code 2."""

from __future__ import annotations

import pytest
from command_line import run_here
from shop import Shop, track

EXPERIMENT = "tour:\n  title: Tour\n  primary: [nothing_like_that]\n"
STRATEGY = "intents:\n  more: {title: More, under: nobody}\n"


NAMES_SOMEBODY = """\
intents: {more: {title: More}}
initiatives: {faster: {title: Faster, under: more, aims: [{metric: buying}]}}
options:
  editor:
    title: Editor
    under: faster
    risks: {value: [{date: 2026-01-01, kind: interview, says: supports, reference: grizelda@example.com}]}
"""


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("strategy/tree.yml", STRATEGY, "strategy/tree.yml:2"),
        (
            "strategy/tree.yml",
            NAMES_SOMEBODY,
            "options.editor.risks.value.0.reference: looks like",
        ),
        ("experiments/tour.yml", EXPERIMENT, "experiments/tour.yml"),
    ],
)
def test_a_wrong_file_stops_everything_before_it_begins(
    shop: Shop, command: str, file: str, text: str, line: str
) -> None:
    shop.land("a.json", [track("Signed Up", 0, user="u1")])
    path = shop.root / file
    path.parent.mkdir()
    path.write_text(text)
    done = run_here(command, "--workspace", str(shop.root))
    assert done.returncode == 2
    assert line in done.stderr
    assert "grizelda" not in done.stderr
    assert not shop.workspace.metrics_db.exists()
    assert not shop.workspace.lake.exists()
