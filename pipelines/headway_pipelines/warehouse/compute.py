"""Metric values and insights, computed from the lake into the internal database."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import duckdb
import polars as pl

from headway import ActivePeople, EventLog, Funnel, Retention
from headway.engine import connect, guarded
from headway.engine.sql import literal, load, with_inputs
from headway.errors import EngineError
from headway.feed import EarlyBehaviours
from headway.frameworks import measure, metric_catalogue
from headway.frameworks.values import Measured
from headway.models.experiments import load_experiments
from headway.models.plan import TrackingPlan, load_plan
from headway.models.product import Product, load_product
from headway.periods import local_day, utc_us
from headway_pipelines.freshness import definitions
from headway_pipelines.inputs import attach_inputs, input_counts
from headway_pipelines.lake.ledger import BLOCKED, DAMAGED, Ledger
from headway_pipelines.lake.promote import attach_lake
from headway_pipelines.people.derive import TABLES
from headway_pipelines.people.properties import described_subjects
from headway_pipelines.rights.kept_values import with_kept
from headway_pipelines.warehouse.closed_work import closed_work
from headway_pipelines.warehouse.databases import replace_database
from headway_pipelines.warehouse.experiment_history import changed_definitions
from headway_pipelines.warehouse.experiments import experiment_tables
from headway_pipelines.warehouse.kept_values import UNREADABLE, Recalled, recall, remember, still_readable
from headway_pipelines.warehouse.release_impact import release_tables
from headway_pipelines.workspace import Workspace

_HERE = "headway_pipelines.warehouse"
_PEOPLE = "headway_pipelines.people"

DEFINED = "defined"
"""Setting of the ledger: summary of the definitions by which the values were computed."""


@dataclass(frozen=True)
class Computed:
    """What was computed.

    Attributes:
        metrics: Metrics defined.
        values: Metric values, one per metric, segment and period.
        people: People known.
        events: Events in the lake.
        anew: Why every value was computed; empty where only those were that what is new can have changed.
    """

    metrics: int
    values: int
    people: int
    events: int
    anew: str = ""


def compute(workspace: Workspace, ledger: Ledger) -> Computed:
    """Computes everything the product file asks for and replaces the internal database.

    Args:
        workspace: The workspace.
        ledger: Its ledger.

    Returns:
        Counts of what was computed.
    """
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    defined = definitions(workspace)
    as_of = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    con = connect(temp_directory=workspace.warehouse / "tmp")
    try:
        attach_people(con, workspace, ledger)
        attach_sessions(con, workspace)
        attach_inputs(con, workspace)
        horizon = horizon_of(con, as_of)
        measured = renewed_values(con, workspace, ledger, product, horizon, as_of)
        tables = {
            "metric_values": with_kept(workspace, measured.values),
            "metric_catalogue": metric_catalogue(product),
            "metric_exclusions": measured.exclusions,
        }
        log = planned_log(con, plan, product, horizon)
        tables |= _insights(log, product)
        if experiments := load_experiments(workspace.product_file, plan, product):
            today = local_day(utc_us(as_of), product.timezone)
            changed = changed_definitions(workspace.experiments_file, experiments, today)
            tables |= experiment_tables(log, product, experiments, as_of=as_of, changed=changed)
        tables |= release_tables(con, product, horizon, product.publishing.min_people)
        tables |= closed_work(con, local_day(utc_us(horizon), product.timezone))
        tables |= _account(con, ledger)
        tables["side_inputs"] = input_counts(workspace)
        tables["identity_change"] = pl.DataFrame([ledger.get_json("identity")])
        tables["run_info"] = _run_info(con, workspace, ledger, product, horizon, as_of)
        remember(con, workspace, ledger, product, measured.kept)
    finally:
        con.close()
    replace_database(workspace.metrics_db, tables)
    ledger.put(DEFINED, defined)
    info = tables["run_info"].row(0, named=True)
    return Computed(
        len(product.metrics),
        tables["metric_values"].height,
        int(info["people"]),
        int(info["events"]),
        measured.anew,
    )


def renewed_values(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    product: Product,
    horizon: datetime,
    as_of: datetime,
) -> Measured:
    """Computes the values that what is new can have changed, or all of them where there is doubt about the others.

    Args:
        con: A connection with the tables of people and the side inputs.
        workspace: The workspace.
        ledger: Its ledger.
        product: The product.
        horizon: The instant before which all data is in.
        as_of: When the values are computed.

    Returns:
        All values, why they were computed anew if they were, and what `kept_values.remember` takes.
    """

    def measured(known: Recalled) -> Measured:
        found = measure(
            con,
            product,
            horizon=horizon,
            as_of=as_of,
            code_version=code_version(),
            keep=True,
            kept=known.kept,
            news=known.news,
        )
        return replace(found, anew=known.anew) if known.anew else found

    known = recall(con, workspace, ledger, product)
    with guarded("compute metric values"):
        try:
            return measured(known)
        except EngineError:
            # damage inside a file shows only when it is read
            if known.kept is None or still_readable(workspace, ledger):
                raise
            return measured(Recalled(anew=UNREADABLE))


def attach_people(con: duckdb.DuckDBPyConnection, workspace: Workspace, ledger: Ledger) -> None:
    """Gives a connection `lake`, the tables of people, `events` (the lake of people, without bots) and histories.

    Args:
        con: A connection.
        workspace: The workspace.
        ledger: Its ledger.
    """
    attach_lake(con, workspace, ledger)
    described = described_subjects(load_plan(workspace.plan_file))
    for name in (*TABLES, *(f"{subject}_properties" for subject in described)):
        path = literal(str(workspace.people / f"{name}.parquet"))
        con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM read_parquet({path})")
    con.execute(f"CREATE OR REPLACE VIEW events AS {load(_PEOPLE, 'events.sql')}")


def attach_sessions(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Gives a connection the view `sessions`, empty where none were derived yet.

    Args:
        con: A connection.
        workspace: The workspace.
    """
    query = load(_HERE, "no_sessions.sql")
    if workspace.sessions_file.exists():
        query = f"FROM read_parquet({literal(str(workspace.sessions_file))})"
    con.execute(f"CREATE OR REPLACE VIEW sessions AS {query}")


def code_version() -> str:
    """Headway's version, stored with every value."""
    return importlib.metadata.version("headway")


def horizon_of(con: duckdb.DuckDBPyConnection, as_of: datetime) -> datetime:
    """Says before which instant all data is in: the latest arrival, never the future.

    Args:
        con: A connection with `lake`.
        as_of: Now.

    Returns:
        The instant.
    """
    latest = con.execute("SELECT max(coalesce(received_at, occurred_at)) FROM lake").fetchall()[0][0]
    return min(latest, as_of) if latest else as_of


class PlannedLog(EventLog):
    """The lake as a log in which every declared event is known: one that nobody did yet is no mistake."""

    planned: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that occur or are declared."""
        return super().names | self.planned


def planned_log(
    con: duckdb.DuckDBPyConnection, plan: TrackingPlan, product: Product, horizon: datetime
) -> PlannedLog:
    """Makes the lake a log to be asked.

    Args:
        con: A connection that `attach_people` was given.
        plan: The tracking plan.
        product: The product.
        horizon: The instant before which all data is in.

    Returns:
        The log.
    """
    described = described_subjects(plan)
    log = PlannedLog(
        (con, "events"),
        timezone=product.timezone,
        week_start=product.week_start,
        horizon=horizon,
        person_properties="person_properties" if "person" in described else None,
        account_properties="account_properties" if "account" in described else None,
    )
    log.planned = frozenset(plan.events)
    return log


def _insights(log: PlannedLog, product: Product) -> dict[str, pl.DataFrame]:
    funnels, retentions, behaviours = [], [], []
    for name, funnel in product.funnels.items():
        steps = [s.selector() for s in funnel.steps]
        # What is published of steps is what the suppression of small cells knows.
        frame = Funnel(steps, within=funnel.within).run(log).frame.drop("previous_low", "previous_high")
        funnels.append(_named(frame, funnel=name, title=funnel.title, within=funnel.within))
    for name, asked in product.retentions.items():
        insight = Retention(
            asked.start.selector(), asked.returning.selector(), period=asked.period, periods=asked.periods
        )
        frame = insight.run(log).frame
        retentions.append(_named(frame, retention=name, title=asked.title, period_unit=asked.period))
        early = EarlyBehaviours(asked.start.selector(), asked.returning.selector(), period=asked.period)
        behaviours.append(_named(early.run(log), retention=name, title=asked.title, period_unit=asked.period))
    active = ActivePeople(product.activity.selector(), windows=(1, 7, 28)).run(log).frame
    tables = {"active_people": active}
    if funnels:
        tables["funnel_steps"] = pl.concat(funnels)
    if retentions:
        tables["retention_cells"] = pl.concat(retentions)
        tables["activation_correlates"] = pl.concat(behaviours)
    return tables


def _named(frame: pl.DataFrame, **labels: str) -> pl.DataFrame:
    return frame.select(*(pl.lit(text).alias(name) for name, text in labels.items()), pl.all())


def _account(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> dict[str, pl.DataFrame]:
    outcomes = {"source": pl.String, "state": pl.String, "outcome": pl.String, "lines": pl.Int64}
    dropped = {"event": pl.String, "property": pl.String, "reason": pl.String, "n_values": pl.Int64}
    rejects = {"file": pl.String, "line": pl.Int64, "position": pl.Int64, "reason": pl.String}
    contested = {"file": pl.String, "line": pl.Int64, "kept_file": pl.String, "kept_line": pl.Int64}
    left_out = with_inputs(load(_HERE, "left_out.sql"), {"all_events": load(_PEOPLE, "all_events.sql")})
    return {
        "line_outcomes": pl.DataFrame(ledger.outcomes(), schema=outcomes),
        "dropped_values": pl.DataFrame(ledger.dropped(), schema=dropped),
        "rejected_lines": pl.DataFrame(ledger.rejects(), schema=rejects),
        "contested_copies": pl.DataFrame(ledger.contested(), schema=contested),
        "left_out": con.sql(left_out).pl(),
        "daily_events": con.sql(load(_HERE, "daily_events.sql")).pl(),
    }


def _run_info(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    ledger: Ledger,
    product: Product,
    horizon: datetime,
    as_of: datetime,
) -> pl.DataFrame:
    events, first, last = con.execute(
        "SELECT count(*), min(occurred_at), max(occurred_at) FROM lake"
    ).fetchall()[0]
    people, actors, merged = con.execute(load(_HERE, "people_counts.sql")).fetchall()[0]
    identity = ledger.get_json("identity")
    batches = ledger.batches()
    return pl.DataFrame(
        {
            "product": [product.name],
            "timezone": [product.timezone],
            "week_start": [product.week_start],
            "currency": [product.currency],
            "horizon": [horizon],
            "as_of": [as_of],
            "events": [events],
            "first_event_at": [first],
            "last_event_at": [last],
            "people": [people],
            "actors": [actors],
            "devices_joined": [merged],
            "identity_mode": [identity["mode"]],
            "max_users_per_device": [product.identity.max_users_per_device],
            "shared_devices": [identity["shared_devices"]],
            "oversized_people": [identity["oversized_people"]],
            "not_one_to_one": [identity["not_one_to_one"]],
            "people_version": [ledger.get("people_version")],
            "files": [len(batches)],
            "files_blocked": [sum(b.state == BLOCKED for b in batches)],
            "files_damaged": [sum(b.state == DAMAGED for b in batches)],
            "lines": [sum(b.lines for b in batches)],
            "plan_hash": [load_plan(workspace.plan_file).hash],
            "code_version": [code_version()],
        },
        schema_overrides={"first_event_at": pl.Datetime("us"), "last_event_at": pl.Datetime("us")},
    )
