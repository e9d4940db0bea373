"""Incremental means equal: after any sequence of files, kills and reruns the warehouse equals a rebuild.

The machine lands files in any order, some with copies of earlier events, some late, and kills runs between and inside
their steps. At the end a second workspace with the same raw files and the same state is built in one go; the lake,
the mapping, the people, their sessions, their store and all metric values must be the same, by surrogate.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from erasing import erase
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from shop import PLAN, PRODUCT, Shop, at, track
from stored import days_of, rows_of

from headway_pipelines import ingest
from headway_pipelines.lake import promote
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.people import derive as deriving
from headway_pipelines.people import histories, sessions
from headway_pipelines.people import part as people_part
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.rights import forget
from headway_pipelines.store import derive
from headway_pipelines.store import rows as store_rows

TABLES = {
    "lake": "SELECT * EXCLUDE (batch) FROM lake ORDER BY ALL",
    "actor_person": "SELECT * FROM actor_person ORDER BY ALL",
    "device_spans": "SELECT * FROM device_spans ORDER BY ALL",
    "people": "SELECT * FROM people ORDER BY ALL",
    "sessions": "SELECT * FROM sessions ORDER BY ALL",
    "person_properties": "SELECT * FROM person_properties ORDER BY ALL",
}
#: The third person on a device makes it a shared one: who was joined comes apart.
STITCHING = PRODUCT + "identity: {mode: components, max_users_per_device: 2, logout: [Order Completed]}\n"
#: Metrics of which some depend on their own days, on what comes after, on what was first, and on everything.
MEASURED = STITCHING.replace(
    "funnels:",
    """
  active: {framework: heart, stage: engagement, title: Active, unit: people, kind: count,
    of: {event: [Page Viewed, Order Completed], measure: people}, grains: [day, week, rolling_7d]}
  free: {framework: aarrr, stage: revenue, title: Free, unit: percent, kind: share,
    of: Page Viewed, did: {event: Order Completed, where: "person.plan = 'free'"}}
  back: {framework: aarrr, stage: retention, title: Back, unit: people, kind: lifecycle, of: Page Viewed,
    part: resurrected}
  waited: {framework: aarrr, stage: revenue, title: Waited, unit: hours, kind: duration, start: Page Viewed,
    end: Order Completed}
segments: {plan: {person: plan}, last: {touch: last}}
funnels:""",
)
#: Where a run may be killed: inside each step, before its effects become visible.
KILLS = [
    (Vault, "_append"),
    (ingest, "sync_folder"),
    (Ledger, "add_group"),
    (Ledger, "move"),
    (Ledger, "swap_files"),
    (promote, "_write_links"),
    (promote, "write_statements"),
    (deriving, "write_table"),
    (people_part, "write_table"),
    (histories, "write_table"),
    (deriving, "swap_tables"),
    (deriving, "write_basis"),
    (sessions, "sync_file"),
    (store_rows, "sync_file"),
    (derive, "write_atomically"),
]

#: Where an erasure may be killed; the next run finishes it.
ERASURE_KILLS = [(Tombstones, "add"), (Ledger, "swap_files"), (Vault, "drop"), (forget, "write_receipt")]

DECLARED = f"{PLAN}\nperson_properties: {{plan: {{class: enum, values: [free, pro]}}}}\n"

_call = st.builds(
    lambda event, user, device, minute, late, number: track(
        event, minute, user=user, device=device, received=minute + late, id=f"m{number}"
    ),
    st.sampled_from(["Page Viewed", "Signed Up", "Order Completed"]),
    st.sampled_from(["u1", "u2", "u3", None]),
    st.sampled_from(["d1", "d2", None]),
    st.integers(-2000, 2000),
    st.sampled_from([0, 1, 4000]),
    st.integers(0, 12),
)
_traits = st.builds(
    lambda user, device, minute, late, plan: (
        track("", minute, user=user, device=device, received=minute + late)
        | {"type": "identify", "traits": {"plan": plan}}
    ),
    st.sampled_from(["u1", "u2", None]),
    st.sampled_from(["d1", None]),
    st.integers(0, 6),
    st.sampled_from([0, 1]),
    st.sampled_from(["free", "pro"]),
)
_alias = st.builds(
    lambda user, other, minute: {
        "type": "alias",
        "userId": user,
        "previousId": other,
        "timestamp": at(minute),
    },
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(["u1", "u2", "u3", "d1", "d2"]),
    st.integers(-2000, 2000),
)
_file = st.lists(st.one_of(_call, _call, _call, _traits, _alias), min_size=1, max_size=6)


def what_is_known(shop: Shop) -> tuple[Any, ...]:
    """The mapping's version, how many people there are, and what was set aside."""
    with shop.ledger() as ledger:
        counts = ledger.get_json("identity")
        names = ("after", "shared_devices", "oversized_people", "not_one_to_one")
        return ledger.get("people_version"), *(counts[name] for name in names)


class Killed(BaseException):
    """Stands for kill -9: nothing may catch it and go on."""


class Incremental(RuleBasedStateMachine):
    """Runs a shop file by file."""

    @initialize(merged_below=st.sampled_from([0, 1, 4]))
    def open(self, merged_below: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(derive, "MERGED_BELOW", merged_below)
        self.folder = Path(tempfile.mkdtemp())
        self.shop = Shop(self.folder / "shop", plan=DECLARED, product=MEASURED)
        self.files = 0

    @rule(calls=_file)
    def land(self, calls: list[dict[str, Any]]) -> None:
        self.shop.land(f"{self.files:03}.json{'.gz' if self.files % 2 else ''}", calls)
        self.files += 1

    @rule(calls=_file)
    def land_another_copy_of_the_last_file_with_more(self, calls: list[dict[str, Any]]) -> None:
        if self.files:
            last = sorted(self.shop.workspace.raw.iterdir())[-1]
            if not last.name.endswith(".gz"):
                self.shop.land(last.name, [*last.read_text().splitlines(), *calls])

    @rule()
    def run(self) -> None:
        if self.files:
            self.shop.load()

    @rule(kill=st.sampled_from(KILLS))
    def run_and_be_killed(self, kill: tuple[Any, str]) -> None:
        if not self.files:
            return

        def die(*_: object, **__: object) -> None:
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(*kill, die)
            with contextlib.suppress(Killed):
                self.shop.load()

    @rule()
    def compute_values(self) -> None:
        if self.files:
            self.shop.load()
            self.shop.values()

    @rule(
        who=st.sampled_from(["u1", "u2", "d1", "d2"]),
        only=st.booleans(),
        kill=st.sampled_from([None, *ERASURE_KILLS]),
    )
    def somebody_is_erased(self, who: str, only: bool, kill: tuple[Any, str] | None) -> None:
        if not self.files:
            return
        self.shop.load()

        def die(*_: object, **__: object) -> None:
            raise Killed

        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Killed):
            if kill:
                patch.setattr(*kill, die)
            # a device that several people used has to be taken alone
            erase(self.shop, [who], only=only or who.startswith("d"))

    @rule(table=st.sampled_from(["actor_person", "device_spans", "people", "actors", "sessions"]))
    def a_derived_table_is_damaged(self, table: str) -> None:
        path = Path(self.shop.workspace.people / f"{table}.parquet")
        if self.files and path.exists():
            path.write_bytes(path.read_bytes()[:-20])
            self.shop.load()

    @invariant()
    def no_event_twice(self) -> None:
        if self.files:
            assert self.shop.query("SELECT count(*) - count(DISTINCT event_id) FROM lake") == [(0,)]

    def teardown(self) -> None:
        try:
            if self.files:
                self.shop.load()
                again = Shop(self.folder / "again", plan=DECLARED, product=MEASURED)
                for name in ("raw", "state"):
                    shutil.rmtree(again.root / name, ignore_errors=True)
                    shutil.copytree(self.shop.root / name, again.root / name)
                again.load()
                for table, query in TABLES.items():
                    assert self.shop.query(query) == again.query(query), table
                assert what_is_known(self.shop) == what_is_known(again)
                mine, whole = self.shop.values()[0], again.values()[0]
                assert mine.rows() == whole.rows()
                assert rows_of(self.shop.workspace) == rows_of(again.workspace)
                assert days_of(self.shop.workspace) == days_of(again.workspace)
        finally:
            self.patch.undo()
            shutil.rmtree(self.folder, ignore_errors=True)


def test_incremental_equals_a_rebuild() -> None:
    full = bool(os.environ.get("HEADWAY_FULL"))
    run_state_machine_as_test(
        Incremental,
        settings=settings(
            max_examples=150 if full else 10,
            stateful_step_count=12 if full else 7,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
