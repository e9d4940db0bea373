"""Sessions of people, derived from the lake after stitching.

Whole sessions are computed anew each time, so late events and merges of people never leave half a session behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from headway import Sessions
from headway.engine import connect, guarded
from headway.engine.sql import literal
from headway.insights.sessions import every_session
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway_pipelines.compute import PlannedLog, attach_people
from headway_pipelines.ledger import Ledger
from headway_pipelines.workspace import Workspace, sync_file, sync_folder


@dataclass(frozen=True)
class Visits:
    """What was found.

    Attributes:
        sessions: Sessions that count.
        set_apart: Sessions that are no visits, by the rules of the product.
    """

    sessions: int
    set_apart: int


def session_question(product: Product) -> Sessions:
    """Turns the product's rules into the question.

    Args:
        product: The product.

    Returns:
        The question.
    """
    rules = product.sessions
    return Sessions(
        idle=rules.idle,
        tracker=rules.tracker_id,
        max_length=rules.max_length,
        too_long=rules.too_long,
        max_rate=rules.max_rate,
        cut_at_midnight=rules.cut_at_midnight,
        exclude=rules.exclude or None,
    )


def derive_sessions(workspace: Workspace, ledger: Ledger) -> Visits:
    """Rebuilds the table `sessions` from the lake and its people.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Counts.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    con = connect(temp_directory=workspace.warehouse / "tmp")
    target = workspace.sessions_file
    temporary = target.with_name(f".{target.name}.partial")
    try:
        attach_people(con, workspace, ledger)
        log = PlannedLog((con, "events"), timezone=product.timezone, week_start=product.week_start)
        log.planned = frozenset(plan.events)
        query = every_session(session_question(product), log)
        with guarded("make sessions"):
            con.execute(f"COPY ({query}) TO {literal(str(temporary))} (FORMAT parquet, COMPRESSION zstd)")
            counts = con.execute(
                "SELECT count(*) FILTER (reason IS NULL), count(reason) FROM read_parquet($path)",
                {"path": str(temporary)},
            ).fetchall()[0]
    finally:
        con.close()
    sync_file(temporary)
    temporary.replace(target)
    sync_folder(target.parent)
    return Visits(*counts)
