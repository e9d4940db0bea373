"""A bet's life in the ledger: frozen once, every change visible, settled by what was frozen."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from headway.strategy import FrozenBet, MeasuredEffect
from headway_pipelines.privacy.keys import Key
from headway_pipelines.strategy.bets_ledger import append_bets, read_bets
from headway_pipelines.strategy.follow import History, histories, news
from headway_pipelines.strategy.git_time import Commit, committed

KEY = Key(bytes(range(32)))
BET = FrozenBet(
    bet="editor.publishing", option="editor", initiative="faster", team="creators", metric="publishing", segment=None,
    direction="up", definition_hash="d", scale="absolute", expect=0.1, low=0.05, high=0.15, confidence=0.8,
    probability=0.7, start=dt.date(2026, 1, 10), horizon=dt.date(2026, 6, 30), release="editor", experiment=None,
    guardrails=("errors",),
)  # fmt: skip
BEFORE, AFTER = dt.date(2026, 1, 5), dt.date(2026, 7, 1)


class Ledger:
    """Runs of a workspace whose only content is bets."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self,
        bets: Sequence[FrozenBet],
        day: dt.date,
        effects: Sequence[MeasuredEffect] = (),
        commits: dict[str, Commit] | None = None,
    ) -> dict[str, History]:
        entries = read_bets(self.path, KEY)
        found = list(news(histories(entries), bets, lambda _: effects, commits or {}, today=day))
        at = dt.datetime.combine(day, dt.time(6))
        return histories(append_bets(self.path, entries, found, KEY, at))

    @property
    def kinds(self) -> list[str]:
        return [entry.kind for entry in read_bets(self.path, KEY)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "bets.jsonl")


def effect(value: float, half: float = 0.01, metric: str = "publishing") -> MeasuredEffect:
    return MeasuredEffect(metric, value, value - half, value + half, method="did", grade="B")


def test_a_bet_is_frozen_once_and_nothing_happens_when_nothing_changes(ledger: Ledger) -> None:
    first = ledger.run([BET], BEFORE)
    assert ledger.run([BET], dt.date(2026, 2, 1)) == first
    assert ledger.kinds == ["frozen"]
    assert first["editor.publishing"].bet == BET
    assert first["editor.publishing"].settled is None


def test_it_is_settled_once_at_its_horizon(ledger: Ledger) -> None:
    ledger.run([BET], BEFORE)
    found = ledger.run([BET], AFTER, [effect(0.08)])["editor.publishing"]
    assert found.settled is not None
    assert (found.settled.verdict, found.settled.effect, found.settled.in_range) == ("hit", 0.08, True)
    ledger.run([BET], AFTER, [effect(0.081)])
    assert ledger.kinds == ["frozen", "settled"]


def test_lowering_the_bar_afterwards_does_not_help_and_shows(ledger: Ledger) -> None:
    ledger.run([BET], BEFORE)
    easier = replace(BET, low=0.001, expect=0.002, probability=0.99)
    found = ledger.run([easier], AFTER, [effect(0.02)])["editor.publishing"]
    assert found.settled is not None
    assert found.settled.verdict == "miss"
    assert (found.changed, found.changes) == (("expect", "low", "probability"), 1)
    # Writing it back as it was is a change, too.
    back = ledger.run([BET], AFTER, [effect(0.02)])["editor.publishing"]
    assert (back.changed, back.changes) == ((), 2)


def test_a_bet_that_is_taken_out_is_settled_nevertheless(ledger: Ledger) -> None:
    ledger.run([BET], BEFORE)
    found = ledger.run([], AFTER, [effect(-0.1)])["editor.publishing"]
    assert found.withdrawn_at is not None
    assert found.settled is not None
    assert found.settled.verdict == "harm"
    ledger.run([], AFTER, [effect(-0.1)])
    assert ledger.kinds == ["frozen", "withdrawn", "settled"]
    again = ledger.run([BET], AFTER, [effect(-0.1)])["editor.publishing"]
    assert (again.withdrawn_at, again.changes) == (None, 1)


def test_what_is_known_later_is_told_beside_what_was_settled(ledger: Ledger) -> None:
    ledger.run([BET], BEFORE)
    ledger.run([BET], AFTER)
    found = ledger.run([BET], AFTER, [effect(0.08)])["editor.publishing"]
    assert found.settled is not None
    assert found.revised is not None
    assert (found.settled.verdict, found.revised.verdict) == ("untested", "hit")
    back = ledger.run([BET], AFTER)["editor.publishing"]
    assert back.revised is None
    assert ledger.kinds == ["frozen", "settled", "revised", "revised"]


@pytest.mark.parametrize(
    ("day", "released", "before"),
    [
        (dt.date(2026, 1, 10), None, "start"),
        (dt.date(2026, 1, 11), dt.date(2026, 2, 1), "release"),
        (dt.date(2026, 2, 2), dt.date(2026, 2, 1), "horizon"),
        (dt.date(2026, 2, 2), None, "horizon"),
        (dt.date(2026, 6, 30), dt.date(2026, 2, 1), "nothing"),
    ],
)
def test_a_bet_says_what_it_was_made_before(
    ledger: Ledger, day: dt.date, released: dt.date | None, before: str
) -> None:
    assert ledger.run([BET], day)["editor.publishing"].made_before(released) == before


def test_an_earlier_commit_vouches_for_an_earlier_day(ledger: Ledger) -> None:
    commit = Commit("c0ffee", dt.datetime(2026, 1, 9, 23))
    found = ledger.run([BET], dt.date(2026, 3, 1), commits={"editor": commit})["editor.publishing"]
    assert (found.commit_id, found.committed_at) == ("c0ffee", commit.at)
    assert found.made_before(None) == "start"


def test_the_time_of_a_file_is_that_of_its_last_commit_unless_it_was_changed_since(tmp_path: Path) -> None:
    path = tmp_path / "strategy.yml"
    path.write_text("a\n")
    assert committed(path) is None
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", "-C", str(tmp_path)]
    when = {"GIT_COMMITTER_DATE": "2026-01-02T03:04:05+0100", "PATH": "/usr/bin:/bin:/usr/local/bin"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "bets"]):
        subprocess.run([*git, *command], check=True, env=when, capture_output=True)
    found = committed(path)
    assert found is not None
    assert found.at == dt.datetime(2026, 1, 2, 2, 4, 5)
    path.write_text("b\n")
    assert committed(path) is None
