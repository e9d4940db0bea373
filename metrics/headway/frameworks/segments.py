"""What divides people: the channel of their first touch, and the further segments a product declares.

Each segment is a dimension with its labels. A person counts under the label that held at the instant which puts the
person into the period; two segments are never crossed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from headway.engine import guarded
from headway.engine.sql import DIALECT, Parameter, bind, identifier, load, with_inputs
from headway.errors import InputError
from headway.frameworks.channels import GA4_CHANNELS, touches_query
from headway.frameworks.kept import TOUCHES, News
from headway.frameworks.prelude import RECENT, Prelude, instant, relation_columns
from headway.models.product import DIRECT, Product, Segment
from headway.subjects import VALID_FROM, History, histories_of

ALL = "all"
CHANNEL = "channel"
MISSING = "(none)"
OTHER = "(other)"

_TABLE = "headway_metric_labels_"
_HERE = "headway.frameworks"


@dataclass(frozen=True)
class Dimension:
    """One way to divide people, everybody under one label included.

    Attributes:
        name: ``all``, ``channel`` or the segment's name.
        labels: Every label a person can have, sorted.
        text: Name of the query that labels units.
        inputs: Further inputs of that query.
        params: Its parameters.
    """

    name: str
    labels: tuple[str, ...]
    text: str
    inputs: Mapping[str, str]
    params: Mapping[str, Parameter]

    def labelled(self, units: str | exp.Expr) -> str:
        """Writes the query that puts each unit under its label.

        Args:
            units: Query of the units: person, grain, start_day, at_us, y, x.

        Returns:
            One statement: label, grain, start_day, y, x.
        """
        return with_inputs(bind(load(_HERE, self.text), dict(self.params)), {**self.inputs, "units": units})

    def segment(self, label: str) -> str:
        """Returns what `metric_values` calls a label: ``all``, or for example ``channel=email``."""
        return ALL if self.name == ALL else f"{self.name}={label}"


@contextmanager
def dimensions(
    connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude, news: News | None = None
) -> Iterator[tuple[Dimension, ...]]:
    """Prepares the dimensions of a product, and drops their tables afterwards, but for that of touches.

    Args:
        connection: The connection of the prelude.
        product: The product.
        shared: The shared input.
        news: What is new since touches were kept; None finds them in all events.

    Yields:
        Everybody, channels, and the declared segments in the product's order.

    Raises:
        InputError: The log knows no such property of people.
        EngineError: The database refused a statement.
    """
    found = [
        Dimension(ALL, (ALL,), "labelled_everybody", {}, {}),
        _by_channel(connection, product, shared),
    ]
    made = []
    if any(segment.touch for segment in product.segments.values()):
        _list_touches(connection, product, shared, news)
    try:
        for name, segment in product.segments.items():
            table = identifier(f"{_TABLE}{name}")
            told = _labels(connection, product, name, segment, shared)
            query = with_inputs(load(_HERE, "label_spans"), {"labels": told})
            with guarded(f"label people by the segment {name}"):
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
                made.append(table)
                labels = {
                    label for (label,) in connection.execute(f"SELECT DISTINCT label FROM {table}").fetchall()
                }
            missing = DIRECT if segment.touch else MISSING
            found.append(
                Dimension(
                    name,
                    tuple(sorted(labels | {missing})),
                    "labelled_as_of",
                    {"labels": f"SELECT person, since_us, until_us, label FROM {table}"},
                    {"missing": missing},
                )
            )
        yield tuple(found)
    finally:
        for table in made:
            connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


def channel_names(product: Product) -> frozenset[str]:
    """Lists the channels that people of a product can come by.

    Args:
        product: The product.

    Returns:
        Names of channels.
    """
    declared = frozenset({DIRECT, *(channel.name for channel in product.channels)})
    return declared | frozenset(GA4_CHANNELS) if product.channel_grouping else declared


def _by_channel(connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude) -> Dimension:
    with guarded("list the channels"):
        known = connection.execute(f"SELECT DISTINCT channel FROM {shared.people}").fetchall()
    labels = tuple(sorted(channel_names(product) | {name for (name,) in known}))
    everyone = {"everyone": f"SELECT code, channel FROM {shared.people}"}
    return Dimension(CHANNEL, labels, "labelled_channel", everyone, {})


def _labels(
    connection: duckdb.DuckDBPyConnection, product: Product, name: str, segment: Segment, shared: Prelude
) -> str:
    everyone = f"SELECT person, code FROM {shared.people}"
    if segment.touch is not None:
        return f"SELECT person, since_us, label FROM {identifier(TOUCHES)}"
    params: dict[str, Parameter] = {"top": segment.top, "missing": MISSING, "other": OTHER}
    told = _told(histories_of(connection), name, str(segment.person))
    return with_inputs(
        bind(load(_HERE, "labels_of_property"), params),
        {"everyone": everyone, "told": told},
    )


def _list_touches(
    connection: duckdb.DuckDBPyConnection, product: Product, shared: Prelude, news: News | None
) -> None:
    """Writes the touches of everybody: out of all events, or of what was known and what is new."""
    everyone = {"everyone": f"SELECT person, code FROM {shared.people}"}
    columns = relation_columns(connection, "events")
    text = load(_HERE, "labels_of_touches")
    with guarded("list the touches"):
        if news is None:
            query = with_inputs(text, {"touches": touches_query(product, columns), **everyone})
        else:
            inputs = {
                "news": f"FROM {news.people}",
                "recent": f"FROM {identifier(RECENT)} WHERE is_new",
                "touches": touches_query(product, columns, "recent"),
                **everyone,
                "known": f"FROM {news.touches}",
                "fresh": text,
            }
            query = with_inputs(load(_HERE, "touches_known"), inputs)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(TOUCHES)} AS {query}")


def _told(histories: list[History], name: str, wanted: str) -> exp.Expr:
    history = next((each for each in histories if each.subject == "person"), None)
    if history is None or wanted not in history.columns:
        known = history.columns if history else {}
        raise InputError.unknown(f"person property of the segment {name}", wanted, known)
    since = instant().transform(_renamed)
    return (
        exp.select(
            exp.column("code", table="everyone", quoted=True).as_("person", quoted=True),
            exp.alias_(since, "since_us", quoted=True),
            exp.alias_(
                exp.cast(exp.column(wanted, table="history", quoted=True), "VARCHAR"), "value", quoted=True
            ),
        )
        .from_(exp.alias_(exp.to_table(history.relation, dialect=DIALECT), "history", table=True))
        .join("everyone", on="everyone.person = history.person")
    )


def _renamed(node: exp.Expr) -> exp.Expr:
    """Reads the instant of a history instead of an event's."""
    return exp.column(VALID_FROM, table="history", quoted=True) if isinstance(node, exp.Column) else node
