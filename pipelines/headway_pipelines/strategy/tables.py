"""Everything about strategy that is published: from published tables, strategy files, kata and the ledger of bets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from headway.engine import connect
from headway.errors import DefinitionError
from headway.feed import feed
from headway.models.kata import kata_files
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway.models.strategy import Strategy, strategy_files
from headway.models.yaml_file import parse_document, read_text
from headway.periods import local_day, utc_us
from headway.strategy import FrozenBet, MeasuredEffect, bets_of
from headway_pipelines.privacy.keys import Key, load_key
from headway_pipelines.strategy.bet_tables import bet_tables
from headway_pipelines.strategy.bets_ledger import Entry, LedgerError, append_bets, read_bets
from headway_pipelines.strategy.effects import (
    adoption,
    effects_of,
    first_outcomes,
    measured_effects,
    release_days,
    why_unmeasured,
)
from headway_pipelines.strategy.follow import histories, news
from headway_pipelines.strategy.git_time import Commit, committed
from headway_pipelines.strategy.health import product_health
from headway_pipelines.strategy.kata_files import katas_of
from headway_pipelines.strategy.kata_tables import kata_tables
from headway_pipelines.strategy.leadership import leadership_tables
from headway_pipelines.strategy.personal import strategy_of
from headway_pipelines.strategy.remembered import with_remembered
from headway_pipelines.strategy.scorecards import team_scorecards
from headway_pipelines.strategy.sentences import feed_table
from headway_pipelines.strategy.tree_tables import tree_tables
from headway_pipelines.workspace import Workspace

PROBLEMS: Final = {"file": pl.String(), "problem": pl.String()}
"""Columns of ``strategy_problems``."""

_Tables = Mapping[str, pl.DataFrame]


def has_strategy(workspace: Workspace) -> bool:
    """Says whether a workspace speaks of strategy at all.

    Args:
        workspace: The workspace.

    Returns:
        True where there is a strategy file, a kata or a bet.
    """
    root = workspace.root
    return bool(strategy_files(root) or kata_files(root)) or workspace.bets_file.exists()


def strategy_tables(workspace: Workspace, shown: _Tables) -> dict[str, pl.DataFrame]:
    """Freezes new bets, settles those whose horizon is over, and writes down how everything stands.

    Args:
        workspace: The workspace.
        shown: The tables that are about to be published, hidden cells null.

    Returns:
        The tables to publish beside them: ``insight_feed``, and with a strategy those about it.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    (horizon, as_of) = shown["run_info"].select("horizon", "as_of").row(0)
    today = local_day(utc_us(horizon), product.timezone)
    tables: dict[str, pl.DataFrame] = {}
    strategy: Strategy | None = None
    titles = {name: metric.title for name, metric in product.metrics.items()}
    titles |= {name: asked.title for name, asked in product.retentions.items()}
    titles |= {f"funnel {name}": asked.title for name, asked in product.funnels.items()}
    if has_strategy(workspace):
        strategy = strategy_of(workspace.root, product, plan)
        tables = _of_strategy(workspace, product, strategy, shown, today, as_of)
        titles |= {name: node.title for _, name, node in strategy.nodes() if name not in titles}
    units = {name: metric.unit for name, metric in product.metrics.items()}
    tables["insight_feed"] = feed_table(feed({**shown, **tables}, today=today), titles, units)
    if strategy is not None:
        known = {**shown, **tables}
        tables["team_scorecards"] = team_scorecards(strategy, known, today=today)
        tables |= leadership_tables(strategy, known, today=today)
        tables["product_health"] = product_health(strategy, known, today=today)
    return tables


def _of_strategy(
    workspace: Workspace,
    product: Product,
    strategy: Strategy,
    shown: _Tables,
    today: dt.date,
    as_of: dt.datetime,
) -> dict[str, pl.DataFrame]:
    key = load_key(workspace)
    directions = {name: metric.direction for name, metric in product.metrics.items()}
    problems = []
    entries: tuple[Entry, ...] = ()
    try:
        entries = _followed(workspace, product, strategy, shown, key, today, as_of)
    except LedgerError as error:
        problems.append(("state/bets.jsonl", str(error)))
    katas = {}
    try:
        katas = katas_of(workspace, product, strategy, key)
    except DefinitionError as error:
        problems.append(("kata", str(error)))
    known = histories(entries)
    whole = with_remembered(strategy, known)
    return {
        **tree_tables(strategy, shown["metric_values"], directions, today=today),
        **bet_tables(
            whole,
            known,
            entries,
            measured_effects(whole, shown, directions),
            adoption(whole.options, shown),
            release_days(whole.options, shown),
            first_outcomes(whole.options, shown),
            shown["metric_values"],
            product.currency,
            today=today,
        ),
        **kata_tables(katas, today=today),
        "strategy_problems": pl.DataFrame(problems, schema=PROBLEMS, orient="row"),
    }


def _followed(
    workspace: Workspace,
    product: Product,
    strategy: Strategy,
    shown: _Tables,
    key: Key,
    today: dt.date,
    as_of: dt.datetime,
) -> tuple[Entry, ...]:
    entries = read_bets(workspace.bets_file, key, seen=last_seen(workspace.published_db))
    directions = {name: metric.direction for name, metric in product.metrics.items()}

    def evidence(bet: FrozenBet) -> tuple[MeasuredEffect, ...]:
        found = {each.metric: each for each in effects_of(bet.release, bet.experiment, shown, directions)}
        own = found.get(bet.metric)
        if (own is None or own.effect is None) and (why := why_unmeasured(bet.release, shown)):
            own = MeasuredEffect(bet.metric, None, None, None, direction=bet.direction, reason=why)
            found[bet.metric] = own
        return tuple(found.values())

    commits = _commits(workspace.root)
    found = news(histories(entries), bets_of(strategy, product), evidence, commits, today=today)
    return append_bets(workspace.bets_file, entries, list(found), key, as_of)


def last_seen(published: Path) -> tuple[int, str] | None:
    """Returns number and hash of the last entry of the ledger of bets that was published.

    Args:
        published: The published database.

    Returns:
        Number and hash; None where nothing of it was published yet.
    """
    if not published.is_file():
        return None
    con = connect(published, read_only=True)
    try:
        known = con.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'bet_entries'"
        ).fetchall()
        if not known[0][0]:
            return None
        rows = con.execute("SELECT number, hash FROM bet_entries ORDER BY number DESC LIMIT 1").fetchall()
    finally:
        con.close()
    return (int(rows[0][0]), str(rows[0][1])) if rows else None


def _commits(root: Path) -> dict[str, Commit]:
    """Option -> last commit of its file."""
    found: dict[str, Commit] = {}
    for path in strategy_files(root):
        text, name = read_text(path)
        said = parse_document(text, f"strategy/{name}").data
        options = said.get("options") if isinstance(said, dict) else None
        commit = committed(path) if options else None
        if commit is not None:
            found |= dict.fromkeys(options or {}, commit)
    return found


__all__ = ["PROBLEMS", "has_strategy", "last_seen", "strategy_tables"]
