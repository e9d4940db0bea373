"""The second line: declared values of open classes that look personal all the same.

A token, a parameter of an address or a host may be whatever its pattern allows, an encoded address of a person too.
Each different value of such a column is looked at once, by `detection.columns`; what fires is dropped and counted by
type. Closed classes need none of this: what they may hold is written in the plan, or is a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import duckdb
import polars as pl

from headway.engine.sql import literal
from headway.models.plan import Column
from headway_pipelines.lake.ledger import LOOKS_LIKE, MISFIT
from headway_pipelines.privacy.classes import OF_AGENTS, ColumnRule, UrlTable
from headway_pipelines.privacy.detection.columns import suspects
from headway_pipelines.privacy.detection.keys import Hint, hint

_SCHEMA = {"name": pl.String, "value": pl.String, "kind": pl.String}


def kinds_of(values: pl.Series, column: Column, sources: Sequence[str] = ()) -> pl.Series:
    """Says of each value of a column of text what it looks like.

    Args:
        values: Different values.
        column: The column they are stored in. What an enum declares is never suspected.
            The name alone makes a value personal only where it is a token.
        sources: Names under which logs carry the values, where they are known.

    Returns:
        The type, null where nothing looks personal; as long as `values`.

    Examples:
        >>> values = pl.Series(["spring_sale", "Z3JpemVsZGFAZXhhbXBsZS5jb20="])
        >>> kinds_of(values, Column("campaign", "VARCHAR", "token")).to_list()
        [None, 'email']
    """
    if column.values:
        # Files of before the plan changed may hold values that it declares no more.
        declared = values.is_in(pl.Series(column.values).implode())
        kinds = suspects(values).kinds
        return pl.select(pl.when(~declared.fill_null(True)).then(kinds)).to_series()
    told = dict.fromkeys(_told(name, column.privacy_class) for name in (column.name, *sources))
    return reduce(lambda one, other: one.fill_null(other), (suspects(values, each).kinds for each in told))


def _told(name: str, privacy_class: str) -> Hint:
    told = hint(tuple(name.removeprefix("properties.").split(".")[-3:]))
    # A page whose property is called an address is a page.
    return told if privacy_class == "token" else replace(told, type=None, phrase="")


@dataclass
class SecondLine:
    """Looks at the open columns of some rows.

    Attributes:
        owner: Of which rows; names the table of what was caught.
        rules: Their column rules.
        urls: Tables of addresses that the rules refer to.
        rows: Where the raw rows are, with the columns outcome, event and properties.
        caught: Columns of which some value was caught, after `look`.
    """

    owner: str
    rules: list[ColumnRule]
    urls: list[UrlTable]
    rows: str
    caught: tuple[str, ...] = field(default=(), init=False)

    @property
    def table(self) -> str:
        """The table of what was caught: name, value, kind. It lives in the gate's memory only."""
        return f"caught_{self.owner}"

    @property
    def tables(self) -> dict[str, str]:
        """Column of which some value was caught -> the table of what was caught."""
        return dict.fromkeys(self.caught, self.table)

    def look(self, con: duckdb.DuckDBPyConnection) -> None:
        """Looks at each different value once, and notes those that look personal.

        Args:
            con: The gate's connection, holding the rows and the tables of addresses.
        """
        found = [pl.DataFrame(schema=_SCHEMA)]
        for rule in self.rules:
            if rule.open:
                values = con.sql(" UNION ".join(self._values(rule))).pl()["value"].drop_nulls()
                kinds = kinds_of(values, rule.open, sorted(rule.sources))
                found.append(
                    pl.DataFrame(
                        {"name": rule.name, "value": values, "kind": kinds}, schema=_SCHEMA
                    ).drop_nulls()
                )
        caught = pl.concat(found)
        self.caught = tuple(caught["name"].unique(maintain_order=True))
        if self.caught:
            con.register("caught_now", caught.to_arrow())
            con.execute(f"CREATE OR REPLACE TEMP TABLE {self.table} AS FROM caught_now")
            con.unregister("caught_now")

    def _values(self, rule: ColumnRule) -> Iterator[str]:
        """Queries of the different values that fit a column's class."""
        for fill, events in rule.fills.items():
            if fill.table is not None:
                yield f"SELECT {fill.typed} AS value FROM {fill.table}"
                continue
            carried = f"{self.rows} WHERE outcome = 'event' AND event IN {literal(sorted(events))}"
            rows = "agents" if fill.raw == OF_AGENTS else carried
            yield f"SELECT {fill.typed} AS value FROM (SELECT DISTINCT {fill.raw} AS {rule.raw_name} FROM {rows})"

    def count(
        self, con: duckdb.DuckDBPyConnection, told: str = "batch, event, 1 AS n", where: str = "TRUE"
    ) -> Counter[tuple[int, str, str, str]]:
        """Counts the rows of values that were caught.

        Args:
            con: The gate's connection, after `look`.
            told: Select items of a raw row: its batch, its event, and n, how many rows it stands for.
            where: Which raw rows count.

        Returns:
            Rows by batch, event, column and reason.
        """
        counts: Counter[tuple[int, str, str, str]] = Counter()
        joins = [table.join() for table in self.urls]
        if self.rows == "judged":
            joins.append("LEFT JOIN agents ON agents.agent = user_agent")
        for rule in self.rules:
            if rule.name in self.caught:
                rows = f"{self.rows} {' '.join(joins)} WHERE outcome = 'event' AND {where}"
                found = con.execute(
                    f"SELECT batch, event, c.kind, sum(n)::BIGINT FROM (SELECT {told}, {rule.expression()} AS value "
                    f"FROM {rows}) AS r JOIN {self.table} AS c ON c.name = $name AND c.value = r.value GROUP BY ALL",
                    {"name": rule.name},
                ).fetchall()
                for batch, event, kind, n in found:
                    counts[batch, event, rule.name, f"{LOOKS_LIKE}{kind}"] += n
        return counts


def told_apart(
    misfits: Counter[tuple[int, str, str, str]], caught: Counter[tuple[int, str, str, str]]
) -> Counter[tuple[int, str, str, str]]:
    """Takes what was caught out of the values that do not fit, among which it was counted.

    Args:
        misfits: Values by batch, event, column and reason.
        caught: The same of what was caught.

    Returns:
        Both together; no value twice.
    """
    known = Counter(misfits)
    for (batch, event, name, _), rows in caught.items():
        known[batch, event, name, MISFIT] -= rows
    return +known + caught
