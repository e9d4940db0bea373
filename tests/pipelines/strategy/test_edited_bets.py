"""A small shop whose strategy is edited after its bets were frozen: said everywhere, and nothing is lost."""

from __future__ import annotations

import polars as pl
import pytest
from command_line import run_here
from shop import Shop, track

from headway_pipelines.warehouse.reading import tables_of

STRATEGY = """\
teams: {sales: {title: Sales}, till: {title: Till}}
intents: {more: {title: More orders, team: till, aims: [{metric: buying, target: 0.5, by: 2026-12-31}]}}
initiatives: {easier: {title: Easier buying, under: more, aims: [{metric: buying}]}}
options:
  one_click:
    title: One click
    under: easier
    team: sales
    start: 2026-03-02
    horizon: 2026-12-01
    release: one-click
    bets: [{metric: buying, expect: 0.2, low: 0.1, high: 0.3, probability: 0.6}]
  gift_wrap:
    title: Gift wrap
    under: easier
    start: 2026-03-03
    horizon: 2026-11-01
    release: gift-wrap
    bets: [{metric: buying, expect: 0.4, low: 0.2, high: 0.5, probability: 0.5}]
"""


@pytest.fixture
def strategy(shop: Shop) -> str:
    """The shop's strategy, its bets frozen by a first run."""
    shop.land(
        "a.json",
        [
            call
            for n in range(30)
            for call in (
                track("Page Viewed", n, user=f"u{n}", url="https://shop.example.com/"),
                track("Signed Up", n + 0.5, user=f"u{n}"),
            )
        ],
    )
    (shop.root / "strategy").mkdir()
    (shop.root / "strategy" / "tree.yml").write_text(STRATEGY)
    done = run_here("run", "--workspace", str(shop.root))
    assert (done.returncode, done.stderr) == (0, "")
    assert "bets                2 frozen, 0 settled\n" in done.stdout
    return STRATEGY


def test_bets_that_are_edited_teams_that_vanish_and_bets_that_overlap_are_named_and_nothing_is_lost(
    shop: Shop, strategy: str
) -> None:
    checked = run_here("check", "--workspace", str(shop.root))
    assert checked.returncode == 0
    assert "'one_click' is a bet on buying in the same days" in checked.stdout
    assert "bets            2 frozen, 0 settled\n" in checked.stdout
    assert "settled as" not in checked.stdout
    frozen = shop.workspace.bets_file.read_bytes()

    # The bar is lowered, an option that looks bad is deleted, and the team that promised it is gone.
    easier = strategy.replace("low: 0.1,", "low: 0.01,").replace("sales: {title: Sales}, ", "")
    (shop.root / "strategy" / "tree.yml").write_text(easier[: easier.index("  gift_wrap:")])
    checked = run_here("check", "--workspace", str(shop.root))
    assert checked.returncode == 0
    for said in (
        "one_click.buying: the lower end written otherwise; settled as frozen on",
        "gift_wrap.buying is taken out of the files; it is settled as it was frozen on",
        "one_click: The team 'sales' is not among teams",
    ):
        assert said in checked.stdout
    done = run_here("run", "--workspace", str(shop.root))
    assert (done.returncode, done.stderr) == (0, "")
    assert "one_click.buying: the lower end written otherwise; settled as frozen" in done.stdout
    assert "gift_wrap.buying was taken out of the files; it is settled as it was frozen" in done.stdout

    tables = tables_of(shop.workspace.published_db)
    bets = tables["bets"].select("bet", "low", "team", "changed", pl.col("withdrawn_at").is_not_null())
    assert bets.rows() == [
        ("one_click.buying", 0.1, "sales", "low", False),
        ("gift_wrap.buying", 0.2, "till", "", True),
    ]
    assert [row["team"] for row in tables["team_scorecards"].unique("team").sort("team").to_dicts()] == [
        "sales",
        "till",
    ]
    assert shop.workspace.bets_file.read_bytes().startswith(frozen)
    page = (shop.workspace.report / "strategy.html").read_text()
    assert "changed once since it was frozen (the lower end), settled as it was" in page
    assert "taken out of the files on" in page
    assert "sales (not among the teams)" in page

    # Whoever edits the ledger instead is told which line it is.
    shop.workspace.bets_file.write_bytes(frozen.replace(b'"low": 0.1', b'"low": 0.01', 1))
    checked = run_here("check", "--workspace", str(shop.root))
    assert checked.returncode == 2
    assert "state/bets.jsonl:1: this entry was changed after it was written" in checked.stderr
    assert "tracking plan" in checked.stdout
