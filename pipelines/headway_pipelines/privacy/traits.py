"""What logs say of people and of accounts: traits, typed by the plan's rules, as dated statements.

A statement is: from then on this property of this person has this value. Trackers repeat values on every event; of a
value that is repeated, the first and the last time of each UTC day are kept; of what a device says that may change
hands, those of each minute. That choice depends on the set of rows
alone, not on the files or the order they come in, so that it can be made again when statements are put together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from headway.engine.sql import bind, identifier, literal, load, with_inputs
from headway.models.plan import SUBJECTS, Subject, TrackingPlan
from headway_pipelines.privacy.accounts import misfits
from headway_pipelines.privacy.classes import (
    TRAIT_OWNERS,
    ColumnRule,
    UrlTable,
    declared_keys,
    mask_columns,
    trait_rules,
    typed_rows,
)
from headway_pipelines.privacy.second_line import SecondLine, told_apart

UNUSABLE = "no usable id or time"

TRAIT_KINDS: dict[Subject, list[str]] = {"person": ["event", "identify"], "account": ["group"]}
"""Outcomes of the rows that speak of people and of accounts."""

_HERE = "headway_pipelines.privacy"
_NEVER_STORED = ("text", "sensitive")
#: Domains of the vault and the columns that name the subject, the best first.
_NAMED_BY: dict[Subject, list[tuple[str, str]]] = {
    "person": [("user", "_user"), ("device", "_device")],
    "account": [("account", "_account")],
}


@dataclass(frozen=True)
class Traits:
    """How the declared properties of people, or of accounts, are taken from `judged`.

    Attributes:
        subject: Whose properties.
        rules: One a column.
        urls: Tables of addresses the rules refer to.
        names: Raw names of the traits that may be stored.
        second_line: Looks at the open ones of them.
    """

    subject: Subject
    rules: list[ColumnRule]
    urls: list[UrlTable]
    names: list[str]
    second_line: SecondLine

    @property
    def _rows(self) -> str:
        return f"{self.subject}_rows"

    @property
    def _typed(self) -> str:
        return f"{self.subject}_typed"

    def read(
        self,
        con: duckdb.DuckDBPyConnection,
        *,
        ancient: datetime,
        now: datetime,
        tolerance: timedelta,
        log_outs: bool = False,
    ) -> None:
        """Makes the tables of rows that say something of the subject, raw and typed.

        Args:
            con: The gate's connection, holding `judged`.
            ancient: Statements before this instant are dropped.
            now: The present.
            tolerance: How long after its arrival a statement may be.
            log_outs: Whether devices change hands by log-outs.
        """
        text = bind(
            load(_HERE, "trait_rows.sql").replace("/* names */", f"[{', '.join(map(literal, self.names))}]"),
            {
                "kinds": TRAIT_KINDS[self.subject],
                "owner": TRAIT_OWNERS[self.subject],
                "of_accounts": self.subject == "account",
                "log_outs": log_outs,
                "ancient": ancient,
                "now": now,
                "tolerance_us": tolerance // timedelta(microseconds=1),
            },
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE {self._rows} AS {text}")
        for table in self.urls:
            con.execute(f"CREATE OR REPLACE TEMP TABLE {table.name} AS {table.query()}")
        self.second_line.look(con)
        joins = " ".join(table.join() for table in self.urls)
        own = "_batch, _user, _device, _account, _usable, _by_minute, _slot, _n, _first, _last, event"
        typed = typed_rows(self.rules, own, f"{self._rows} {joins}", self.second_line.tables)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {self._typed} AS {typed}")

    def identifiers(self) -> list[str]:
        """Selects, as ``domain, raw``, the identifiers that need a surrogate besides those of events."""
        named = [
            f"SELECT {literal(d)} AS domain, {c} AS raw FROM {self._typed}"
            for d, c in _NAMED_BY[self.subject]
        ]
        return named + [
            f"SELECT {literal(r.domain)}, {r.typed_name} FROM {self._typed}" for r in self.rules if r.domain
        ]

    def statements(self) -> str:
        """Writes the query of what may be kept."""
        columns, joins = [], []
        for rule in self.rules:
            name, alias = identifier(rule.name), identifier("id:" + rule.name)
            value = f"t.{rule.typed_name}"
            if rule.domain is not None:
                joins.append(
                    f"LEFT JOIN ids AS {alias} ON {alias}.domain = {literal(rule.domain)} AND {alias}.raw = {value}"
                )
                value = f"{alias}.surrogate"
            columns.append(f"{value}::VARCHAR AS {name}")
        named = _NAMED_BY[self.subject]
        joins += [f"LEFT JOIN ids AS {c} ON {c}.domain = {literal(d)} AND {c}.raw = t.{c}" for d, c in named]
        subject = ", ".join(f"{c}.surrogate" for _, c in named)
        stated = (
            f"SELECT t._batch, coalesce({subject}) AS _subject, t._by_minute, t._slot, t._first, t._last, "
            f"{', '.join(columns)} "
            f"FROM {self._typed} t {' '.join(joins)} WHERE t._usable"
        )
        return with_inputs(load(_HERE, "trait_statements.sql"), {"stated": stated})

    def dropped(self, con: duckdb.DuckDBPyConnection) -> Counter[tuple[int, str, str, str]]:
        """Counts declared values that were not kept.

        Args:
            con: The gate's connection, after `read`.

        Returns:
            Values by batch, owner, property and reason.
        """
        owner = TRAIT_OWNERS[self.subject]
        masks = ", ".join(mask_columns(self.rules))
        told = f"SELECT _batch AS batch, {literal(owner)} AS event, _n AS n, {masks} FROM {self._typed} WHERE _usable"
        caught = self.second_line.count(con, "_batch AS batch, event, _n AS n", "_usable")
        counts = told_apart(misfits(con, self.rules, f"({told})", "sum(n)::BIGINT"), caught)
        for batch, name, n in con.execute(
            load(_HERE, "trait_unusable.sql").replace("stated_rows", self._rows)
        ).fetchall():
            if name in self.names:
                counts[batch, owner, name, UNUSABLE] += n
        return counts

    def forget(self, con: duckdb.DuckDBPyConnection) -> None:
        """Drops what `read` made."""
        for table in (self._rows, self._typed, *(table.name for table in self.urls)):
            con.execute(f"DROP TABLE {table}")


def declared_traits(plan: TrackingPlan) -> list[Traits]:
    """Lists what a plan lets through of traits.

    Args:
        plan: The tracking plan.

    Returns:
        One for people and one for accounts, each only where something of it is stored.
    """
    keys = declared_keys(plan).items()
    found = []
    for subject in SUBJECTS:
        rules, urls = trait_rules(plan, subject, f"{subject}_rows")
        names = {n for (owner, n), c in keys if owner == TRAIT_OWNERS[subject] and c not in _NEVER_STORED}
        if rules:
            second_line = SecondLine(subject, rules, urls, f"{subject}_rows")
            found.append(Traits(subject, rules, urls, sorted(names), second_line))
    return found
