"""From declared privacy classes to SQL: what of a raw value may become a lake value.

Every function returns an expression that is NULL where the value does not fit its class; the gate counts those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headway.engine.sql import identifier, literal
from headway.models.plan import PropertyField, TrackingPlan
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
from headway_pipelines.privacy.detect import PERSONAL

_PARAMETER_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.+~-]*"


@dataclass
class ColumnRule:
    """How one lake column is filled.

    Attributes:
        name: The lake column.
        sql_type: Its type.
        domain: Pseudonym domain of an id column, else None. The expression then yields the raw id.
        branches: Expression and raw value -> the events that use them.
    """

    name: str
    sql_type: str
    domain: str | None
    branches: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def expression(self) -> str:
        """The lake value, NULL where there is none or it does not fit."""
        return _case((typed, events) for (typed, _), events in self.branches.items())

    def raw(self) -> str:
        """The raw value before it is judged."""
        return _case((raw, events) for (_, raw), events in self.branches.items())


@dataclass
class UrlTable:
    """Web addresses are taken apart once per distinct value, not once per event.

    Attributes:
        name: Name of the temporary table; its column ``v`` is the raw address.
        raw: SQL of the raw address.
        parts: Column of the table -> expression over ``v``.
        events: Events that carry such an address.
    """

    name: str
    raw: str
    parts: dict[str, str]
    events: list[str] = field(default_factory=list)

    def query(self) -> str:
        """The table's content, from `judged`."""
        parts = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in self.parts.items())
        return (
            f"SELECT v, {parts} FROM (SELECT DISTINCT {self.raw} AS v FROM judged "
            f"WHERE outcome = 'event' AND event IN {literal(sorted(self.events))}) WHERE v IS NOT NULL"
        )

    def join(self) -> str:
        """How `judged` finds its addresses in the table."""
        events = literal(sorted(self.events))
        return f"LEFT JOIN {self.name} ON event IN {events} AND {self.name}.v = {self.raw}"


def column_rules(plan: TrackingPlan) -> tuple[list[ColumnRule], list[UrlTable]]:
    """Lists how each lake column of a plan is filled.

    Args:
        plan: The tracking plan.

    Returns:
        One rule a column, in the order of the plan's columns; and the tables of addresses that rules refer to.
    """
    rules = {n: ColumnRule(n, c.sql_type, c.domain) for n, c in plan.columns().items()}
    tables: dict[tuple[str, str], UrlTable] = {}
    for event, declared in plan.events.items():
        for prop in declared.fields():
            raw = value_of(prop.source)
            if isinstance(prop.spec, UrlProperty):
                parts = _url_parts(prop, prop.spec)
                table = tables.setdefault((raw, repr(parts)), UrlTable(f"url{len(tables)}", raw, parts))
                table.events.append(event)
                fills = [
                    (
                        c.name,
                        f"{table.name}.{identifier(c.name)}",
                        f"{table.name}.{identifier('raw:' + c.name)}",
                    )
                    for c in prop.columns()
                ]
            else:
                fills = [(c.name, _typed(prop.spec, raw), raw) for c in prop.columns()]
            for column, typed, source in fills:
                rules[column].branches.setdefault((typed, source), []).append(event)
    return list(rules.values()), list(tables.values())


def declared_keys(plan: TrackingPlan) -> Mapping[tuple[str, str], str]:
    """Which raw keys the plan knows: ``(event, top-level key) -> class``."""
    return {
        (event, _path(prop.source)[0]): prop.spec.class_
        for event, declared in plan.events.items()
        for prop in declared.fields()
    }


def value_of(source: str) -> str:
    """SQL for a raw value in the MAP ``properties``; a dotted path looks into nested JSON. Empty text is no value.

    Args:
        source: Property name, optionally with the prefix ``properties.``, or a dotted path.

    Returns:
        An expression of type VARCHAR.

    Examples:
        >>> value_of("properties.plan")
        "nullif(properties['plan'], '')"
    """
    head, *rest = _path(source)
    top = f"properties[{literal(head)}]"
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
        parts |= {column.name: _token(found, _PARAMETER_PATTERN), f"raw:{column.name}": found}
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
            return f"CAST(TRY_CAST({raw} AS TIMESTAMPTZ) AS TIMESTAMP)"
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
    return f"CASE WHEN {fits} AND NOT regexp_matches({value}, {literal(PERSONAL)}) THEN {value} END"


def _query_parameter(url: str, name: str) -> str:
    pattern = r"^[^#]*?[?&]" + re.escape(name) + r"=([^&#]*)"
    return f"nullif(TRY(url_decode(regexp_extract({url}, {literal(pattern)}, 1))), '')"


def _url(raw: str, spec: UrlProperty) -> str:
    # userinfo, port, query and fragment are never part of what these patterns capture
    host = f"lower(regexp_extract({raw}, {literal(r'^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([A-Za-z0-9.-]+)')}, 1))"
    if spec.keep == "host":
        allowed = f"{host} IN {literal(list(spec.hosts))} AND " if spec.hosts else ""
        is_host = f"regexp_full_match({host}, {literal(r'[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}')})"
        personal = f"regexp_matches({host}, {literal(PERSONAL)})"
        return f"CASE WHEN {allowed}length({host}) <= 253 AND {is_host} AND NOT {personal} THEN {host} END"
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
    whens = " ".join(f"WHEN event IN {literal(sorted(events))} THEN {value}" for value, events in branches)
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
        rules: The column rules; typed values are the columns of that name, raw ones ``raw:<name>``.

    Returns:
        One BIGINT expression per word.
    """
    words = []
    for start in range(0, len(rules), WORD_BITS):
        bits = (
            f"CASE WHEN {identifier('raw:' + r.name)} IS NOT NULL AND {identifier(r.name)} IS NULL "
            f"THEN {1 << i}::BIGINT ELSE 0 END"
            for i, r in enumerate(rules[start : start + WORD_BITS])
        )
        words.append(" + ".join(bits))
    return words or ["0::BIGINT"]
