"""From declared privacy classes to SQL: what of a raw value may become a lake value.

Every function returns an expression that is NULL where the value does not fit its class; the gate counts those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from headway.engine.sql import identifier, literal
from headway.models.plan import Column, PropertyField, Subject, TrackingPlan
from headway.models.properties import (
    TOKEN_MAX_LENGTH,
    BoolProperty,
    EnumProperty,
    IdProperty,
    IntegerProperty,
    NumberProperty,
    Property,
    TimestampProperty,
    TokenProperty,
    UrlProperty,
)
from headway.models.traffic import BROWSER_FAMILY

TRAIT_OWNERS: Mapping[Subject, str] = {"person": "(identify)", "account": "(group)"}
"""Under which name the traits of people and of accounts are counted."""

OF_AGENTS = "agents.browser_family"
"""SQL of the one raw value that is no property: what the user agent says of the browser."""

#: Classes whose values may be anything that fits a pattern.
_OPEN = ("token", "url")

_PARAMETER_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.+~-]*"

#: A parameter is a label, such as a campaign's name. A device id, a click id or something encoded is none.
_NO_LABEL = r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[a-z0-9+]{24,}"


@dataclass(frozen=True)
class Fill:
    """One way in which a lake column is filled.

    Attributes:
        raw: SQL of the raw value, from the source's row.
        typed: SQL of the lake value: over the column of raw values, or a column of a table of addresses.
        table: Name of that table; None where the value comes from the column of raw values.
    """

    raw: str
    typed: str
    table: str | None = None

    @property
    def over_raw(self) -> bool:
        """Whether the value comes from the column of raw values."""
        return self.table is None


@dataclass
class ColumnRule:
    """How one lake column is filled.

    The raw value is taken out of a row once, then typed: two steps, so that nothing is looked up twice. Their columns
    have names that no property and no column of the source can have.

    Attributes:
        name: The lake column.
        sql_type: Its type.
        domain: Pseudonym domain of an id column, else None. The typed value is then the raw id.
        open: The column where its class is open: its values are looked at once more, see `second_line`.
        fills: Ways to fill it -> the events that use them.
        sources: Names under which logs carry it.
    """

    name: str
    sql_type: str
    domain: str | None
    open: Column | None = None
    fills: dict[Fill, list[str]] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)

    @property
    def raw_name(self) -> str:
        """Quoted name of the column of raw values."""
        return raw_name(self.name)

    @property
    def typed_name(self) -> str:
        """Quoted name of the column of typed values."""
        return identifier(f"typed:{self.name}")

    def taken(self) -> list[str]:
        """Select items of the first step: what is taken out of a row."""
        items = [f"{self.raw()} AS {self.raw_name}"]
        early = {fill: events for fill, events in self.fills.items() if not fill.over_raw}
        if early:
            items.append(f"{_case((fill.typed, events) for fill, events in early.items())} AS {self._early}")
        return items

    def typed(self, caught: str | None = None) -> str:
        """Select item of the second step: the lake value, NULL where there is none, it does not fit or was caught.

        Args:
            caught: A table with the columns name and value: what may not pass although it fits.

        Returns:
            The item.
        """
        values = {fill: fill.typed if fill.over_raw else self._early for fill in self.fills}
        value = next(iter(values.values()))
        # Where no event of a single fill is, the raw value is NULL already.
        if len(set(values.values())) > 1:
            value = _case((values[fill], events) for fill, events in self.fills.items())
        if caught is not None:
            known = f"SELECT value FROM {caught} WHERE name = {literal(self.name)}"
            value = f"CASE WHEN {value} NOT IN ({known}) THEN {value} END"
        return f"{value} AS {self.typed_name}"

    def raw(self) -> str:
        """The raw value before it is judged, from a source's row."""
        return _case((fill.raw, events) for fill, events in self.fills.items())

    def expression(self) -> str:
        """The lake value in one step, from a source's row."""
        return _case(
            (fill.typed.replace(self.raw_name, fill.raw), events) for fill, events in self.fills.items()
        )

    @property
    def _early(self) -> str:
        return identifier(f"early:{self.name}")


def raw_name(column: str) -> str:
    """Quoted name of the column that holds the raw values of a lake column.

    Args:
        column: The lake column.

    Returns:
        The name; no property can take it.
    """
    return identifier(f"raw:{column}")


@dataclass
class UrlTable:
    """Web addresses are taken apart once per distinct value, not once per event.

    Attributes:
        name: Name of the temporary table; its column ``v`` is the raw address.
        raw: SQL of the raw address.
        parts: Column of the table -> expression over ``v``.
        events: Events that carry such an address.
        rows: Where the raw rows are: `judged`, or a relation with its columns outcome, event and properties.
    """

    name: str
    raw: str
    parts: dict[str, str]
    events: list[str] = field(default_factory=list)
    rows: str = "judged"

    def query(self) -> str:
        """The table's content, from the raw rows."""
        parts = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in self.parts.items())
        return (
            f"SELECT v, {parts} FROM (SELECT DISTINCT {self.raw} AS v FROM {self.rows} "
            f"WHERE outcome = 'event' AND event IN {literal(sorted(self.events))}) WHERE v IS NOT NULL"
        )

    def join(self) -> str:
        """How a raw row finds its addresses in the table."""
        events = literal(sorted(self.events))
        return f"LEFT JOIN {self.name} ON event IN {events} AND {self.name}.v = {self.raw}"


def column_rules(plan: TrackingPlan) -> tuple[list[ColumnRule], list[UrlTable]]:
    """Lists how each lake column of a plan is filled.

    Args:
        plan: The tracking plan.

    Returns:
        One rule a column, in the order of the plan's columns; and the tables of addresses that rules refer to.
    """
    return _rules({name: event.fields() for name, event in plan.events.items()}, plan.columns())


def trait_rules(plan: TrackingPlan, subject: Subject, rows: str) -> tuple[list[ColumnRule], list[UrlTable]]:
    """Lists how each column of the properties of people or of accounts is filled.

    Args:
        plan: The tracking plan.
        subject: Whose properties.
        rows: A relation of rows with traits: outcome, event (`TRAIT_OWNERS`) and traits as `properties`.

    Returns:
        As `column_rules`; both empty where the plan declares none that is stored.
    """
    declared = {TRAIT_OWNERS[subject]: plan.subject_fields(subject)}
    return _rules(declared, plan.subject_columns(subject), rows, f"{subject}_")


def _rules(
    declared: Mapping[str, tuple[PropertyField, ...]],
    columns: Mapping[str, Column],
    rows: str = "judged",
    prefix: str = "",
) -> tuple[list[ColumnRule], list[UrlTable]]:
    rules = {
        n: ColumnRule(n, c.sql_type, c.domain, c if c.privacy_class in _OPEN else None)
        for n, c in columns.items()
    }
    tables: dict[tuple[str, str], UrlTable] = {}
    for event, fields in declared.items():
        for prop in fields:
            raw = value_of(prop.source)
            if isinstance(prop.spec, UrlProperty):
                parts = _url_parts(prop, prop.spec)
                table = tables.setdefault(
                    (raw, repr(parts)), UrlTable(f"{prefix}url{len(tables)}", raw, parts, rows=rows)
                )
                table.events.append(event)
                fills = {
                    c.name: Fill(
                        f"{table.name}.{raw_name(c.name)}",
                        f"{table.name}.{identifier(c.name)}",
                        table.name,
                    )
                    for c in prop.columns()
                }
            else:
                fills = {c.name: Fill(raw, _typed(prop.spec, raw_name(c.name))) for c in prop.columns()}
            names = {c.name: parameter for parameter, c in prop.query.items()}
            for name, fill in fills.items():
                rules[name].fills.setdefault(fill, []).append(event)
                rules[name].sources.add(names.get(name, prop.source))
    return list(rules.values()), list(tables.values())


def declared_keys(plan: TrackingPlan) -> Mapping[tuple[str, str], str]:
    """Which raw keys the plan knows: ``(event or owner of traits, top-level key) -> class``."""
    owners = {event: declared.fields() for event, declared in plan.events.items()}
    owners |= {owner: plan.subject_fields(subject) for subject, owner in TRAIT_OWNERS.items()}
    return {
        (owner, _path(prop.source)[0]): prop.spec.class_
        for owner, fields in owners.items()
        for prop in fields
    }


def value_of(source: str) -> str:
    """SQL for a raw property, in the lists or in the MAP; a dotted path looks into nested JSON. Empty text is no value.

    Args:
        source: Property name, optionally with the prefix ``properties.``, or a dotted path.

    Returns:
        An expression of type VARCHAR.

    Examples:
        >>> value_of("properties.plan")
        "nullif(coalesce(property_texts[list_position(property_names, 'plan')], properties['plan']), '')"
    """
    if source == BROWSER_FAMILY:
        return OF_AGENTS
    head, *rest = _path(source)
    name = literal(head)
    return _within(
        f"coalesce(property_texts[list_position(property_names, {name})], properties[{name}])", rest
    )


def trait_of(source: str) -> str:
    """SQL for a raw value in the MAP ``traits``, as `value_of` for a property.

    Args:
        source: Name of the trait, or a dotted path.

    Returns:
        An expression of type VARCHAR.

    Examples:
        >>> trait_of("ok")
        "nullif(traits['ok'], '')"
    """
    head, *rest = source.split(".")
    return _within(f"traits[{literal(head)}]", rest)


def _within(top: str, rest: list[str]) -> str:
    if not rest:
        return f"nullif({top}, '')"
    path = "$" + "".join(f'."{part}"' for part in rest)
    return f"nullif(TRY(json_extract_string({top}, {literal(path)})), '')"


def _path(source: str) -> list[str]:
    return source.removeprefix("properties.").split(".")


def _url_parts(prop: PropertyField, spec: UrlProperty) -> dict[str, str]:
    parts: dict[str, str] = {}
    if prop.column is not None:
        parts |= {prop.column.name: _url("v", spec), f"raw:{prop.column.name}": "v"}
    for parameter, column in prop.query.items():
        found = _query_parameter("v", parameter)
        label = f"CASE WHEN NOT regexp_matches({found}, {literal(_NO_LABEL)}) THEN {found} END"
        parts |= {column.name: _token(label, _PARAMETER_PATTERN), f"raw:{column.name}": found}
    return parts


def _typed(spec: Property, raw: str) -> str:
    match spec:
        case EnumProperty(case="fold"):
            values = " ".join(f"WHEN {literal(v.lower())} THEN {literal(v)}" for v in spec.values)
            return f"CASE lower({raw}) {values} END"
        case EnumProperty():
            return f"CASE WHEN {raw} IN {literal(list(spec.values))} THEN {raw} END"
        case NumberProperty():
            number = f"TRY_CAST({raw} AS DOUBLE)"
            return f"CASE WHEN isfinite({number}){_bounds(number, spec.min, spec.max)} THEN {number} END"
        case IntegerProperty():
            whole = f"TRY_CAST({raw} AS BIGINT)"
            exact = f"{whole} = TRY_CAST({raw} AS DOUBLE)"
            return f"CASE WHEN {exact}{_bounds(whole, spec.min, spec.max)} THEN {whole} END"
        case BoolProperty():
            word = f"lower({raw})"
            return f"CASE WHEN {word} IN ('true', '1') THEN TRUE WHEN {word} IN ('false', '0') THEN FALSE END"
        case TimestampProperty():
            return f"make_timestamp(epoch_us(TRY_CAST({raw} AS TIMESTAMPTZ)))"
        case TokenProperty():
            return _token(raw, spec.pattern)
        case IdProperty():
            return f"nullif(trim({raw}), '')"
    raise AssertionError(f"class {spec.class_} is never stored")


def _bounds(value: str, low: float | None, high: float | None) -> str:
    return (f" AND {value} >= {literal(low)}" if low is not None else "") + (
        f" AND {value} <= {literal(high)}" if high is not None else ""
    )


def _token(value: str, pattern: str) -> str:
    fits = f"length({value}) <= {TOKEN_MAX_LENGTH} AND regexp_full_match({value}, {literal(pattern)})"
    return f"CASE WHEN {fits} THEN {value} END"


def _query_parameter(url: str, name: str) -> str:
    pattern = r"^[^#]*?[?&]" + re.escape(name) + r"=([^&#]*)"
    return f"nullif(TRY(url_decode(regexp_extract({url}, {literal(pattern)}, 1))), '')"


def _url(raw: str, spec: UrlProperty) -> str:
    # userinfo, port, query and fragment are never part of what these patterns capture
    host = f"lower(regexp_extract({raw}, {literal(r'^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([A-Za-z0-9.-]+)')}, 1))"
    if spec.keep == "host":
        allowed = f"{host} IN {literal(list(spec.hosts))} AND " if spec.hosts else ""
        is_host = f"regexp_full_match({host}, {literal(r'[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}')})"
        return f"CASE WHEN {allowed}length({host}) <= 253 AND {is_host} THEN {host} END"
    path = f"regexp_extract({raw}, {literal(r'^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)')}, 1)"
    templates = " ".join(
        f"WHEN regexp_full_match({path}, {literal(_template(t))}) THEN {literal(t)}" for t in spec.paths
    )
    template = f"CASE {templates} ELSE '/…' END" if templates else "''"
    return f"CASE WHEN {host} IN {literal(list(spec.hosts))} THEN {host} || {template} END"


def _template(path: str) -> str:
    if path == "/":
        return "/?"
    return "/".join("[^/]+" if part == "*" else re.escape(part) for part in path.split("/")) + "/?"


def _case(branches: Iterable[tuple[str, list[str]]]) -> str:
    by_value: dict[str, set[str]] = {}
    for value, events in branches:
        by_value.setdefault(value, set()).update(events)
    whens = " ".join(
        f"WHEN event IN {literal(sorted(events))} THEN {value}" for value, events in by_value.items()
    )
    return f"CASE {whens} END"


#: No property can take this name: a column has no colon.
MASK = "misfits:"
WORD_BITS = 62


def mask_columns(rules: list[ColumnRule]) -> list[str]:
    """Quoted names of the columns that hold the bits of `violation_masks`, one per word.

    Args:
        rules: The column rules.

    Returns:
        The names.
    """
    return [identifier(f"{MASK}{word}") for word in range(max(1, -(-len(rules) // WORD_BITS)))]


def violation_masks(rules: list[ColumnRule]) -> list[str]:
    """SQL for one bit per column whose raw value was present but did not fit, 62 columns a word.

    Args:
        rules: The column rules; raw and typed values are the columns of their names.

    Returns:
        One BIGINT expression per word.
    """
    words = []
    for start in range(0, len(rules), WORD_BITS):
        bits = (
            f"CASE WHEN {r.raw_name} IS NOT NULL AND {r.typed_name} IS NULL THEN {1 << i}::BIGINT ELSE 0 END"
            for i, r in enumerate(rules[start : start + WORD_BITS])
        )
        words.append(" + ".join(bits))
    return words or ["0::BIGINT"]


def typed_rows(
    rules: list[ColumnRule], own: str, source: str, caught: Mapping[str, str] = MappingProxyType({})
) -> str:
    """SQL of rows with the typed values of declared properties, and their misfits as bits.

    Args:
        rules: The column rules.
        own: Select items of the rows themselves; `event` must be among them.
        source: What follows FROM: the rows, joined with the tables of addresses that rules refer to.
        caught: Columns of which some values may not pass although they fit -> the table of those, see `second_line`.

    Returns:
        A query. Typed values are in columns named `ColumnRule.typed_name`, bits in those of `mask_columns`.
    """
    taken = ", ".join([own, *(item for rule in rules for item in rule.taken())])
    typed = ", ".join(["*", *(rule.typed(caught.get(rule.name)) for rule in rules)])
    words = zip(violation_masks(rules), mask_columns(rules), strict=True)
    masks = ", ".join(["*", *(f"{mask} AS {name}" for mask, name in words)])
    return f"SELECT {masks} FROM (SELECT {typed} FROM (SELECT {taken} FROM {source}))"
