"""Consent, judged line by line before any id is looked up: without it a line is counted and nothing else.

Signals are read from the raw call, judged, and forgotten: what remains is one of a few words. Whatever cannot be read
speaks against a purpose. A line without consent is not stored without its ids either: an exact time and some properties
single people out just as well.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import or_

import duckdb
import polars as pl

from headway.engine.sql import literal, load
from headway.models.consent import BrowserSignal, Consent, ConsentPurpose
from headway.models.plan import TrackingPlan
from headway_pipelines.privacy.classes import trait_of, value_of
from headway_pipelines.privacy.tcf import consented_purposes

_HERE = "headway_pipelines.privacy"
_OFF = ["0", "false", "no"]
_KINDS = ["event", "identify", "group", "alias"]


def apply_consent(con: duckdb.DuckDBPyConnection, plan: TrackingPlan, *, lines: bool = False) -> None:
    """Says of lines of ``judged`` that they do not pass for want of consent.

    Args:
        con: The connection that holds `judged`.
        plan: The tracking plan.
        lines: Whether `frames` holds the lines as texts, among which headers of requests may be.
    """
    consent = plan.consent
    if consent is None:
        return
    _read_strings(con, consent)
    join = ""
    in_headers = lines and (consent.gpc or consent.dnt) is not None
    if in_headers:
        con.execute(f"CREATE OR REPLACE TEMP TABLE line_signals AS {load(_HERE, 'line_signals.sql')}")
        join = "LEFT JOIN line_signals USING (batch, line) "
    if consent.tcf is not None:
        join += f"LEFT JOIN tcf_strings ON tcf_strings.text = {signal_value(consent.tcf)}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE refusals AS SELECT n, reason FROM ("
        f"SELECT judged.rowid AS n, {_reasons(plan, consent, in_headers=in_headers)} AS reason FROM judged {join} "
        f"WHERE outcome IN {literal(_KINDS)}) WHERE reason IS NOT NULL"
    )
    if con.execute("SELECT 1 FROM refusals LIMIT 1").fetchall():
        con.execute("UPDATE judged SET outcome = r.reason FROM refusals r WHERE judged.rowid = r.n")
        # Before any id is looked up: those of such lines never are.
        con.execute(f"CREATE OR REPLACE TABLE told AS {load(_HERE, 'told_ids.sql')}")
    con.execute("DROP TABLE refusals")
    con.execute("DROP TABLE IF EXISTS line_signals")
    if consent.tcf is not None:
        con.unregister("tcf_strings")


def count_without_consent(
    con: duckdb.DuckDBPyConnection, plan: TrackingPlan
) -> Counter[tuple[int, str, str, str]]:
    """Counts events that did not pass for want of consent, by name, as far as the plan lets them be counted.

    Args:
        con: The connection that holds `judged`.
        plan: The tracking plan.

    Returns:
        Events by batch, name, no property and reason.
    """
    if plan.consent is None:
        return Counter()
    rows = con.execute(
        "SELECT batch, event, outcome, count(*) FROM judged WHERE starts_with(outcome, 'no consent: ') "
        "AND event IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    ways = {"unknown": plan.consent.unknown, "refused": plan.consent.refused}
    return Counter(
        {
            (batch, event, "", outcome): n
            for batch, event, outcome, n in rows
            if ways["unknown" if outcome.endswith("unknown") else "refused"] == "count"
        }
    )


def signal_value(source: str) -> str:
    """SQL for a signal in a row of ``judged``; empty text is no signal.

    Args:
        source: Path as the plan writes it.

    Returns:
        An expression of type VARCHAR.

    Examples:
        >>> signal_value("traits.ok")
        "nullif(traits['ok'], '')"
    """
    parts = source.split(".")
    if parts[0] == "context":
        path = "$" + "".join(f'."{part}"' for part in parts[2:])
        return f"nullif(TRY(json_extract_string(consent, {literal(path)})), '')"
    if parts[0] == "traits":
        return trait_of(".".join(parts[1:]))
    return value_of(source)


def _reasons(plan: TrackingPlan, consent: Consent, *, in_headers: bool) -> str:
    """Why a line does not pass: by its event's purpose; other calls by that of the defaults, or by all purposes."""
    by_purpose: dict[str, list[str]] = {}
    passing = [] if consent.withdrawal is None else list(consent.withdrawal.events)
    for name in plan.events:
        if name not in passing:
            by_purpose.setdefault(plan.terms(name).purpose, []).append(name)
    named = [
        f"WHEN outcome = 'event' AND event IN {literal(names)} THEN {_reason(consent, purpose, in_headers)}"
        for purpose, names in by_purpose.items()
        if purpose in consent.purposes
    ]
    usual = plan.defaults.purpose
    asked = [usual] if usual is not None else list(consent.purposes)
    others = [_reason(consent, purpose, in_headers) for purpose in asked if purpose in consent.purposes]
    rest = f"WHEN outcome <> 'event' THEN coalesce({', '.join(others)})" if others else ""
    whens = " ".join([*named, rest]).strip()
    return f"CASE {whens} END" if whens else "NULL::VARCHAR"


def _reason(consent: Consent, name: str, in_headers: bool) -> str:
    purpose = consent.purposes[name]
    whens = [
        f"WHEN {_is_on(word, signal, in_headers)} THEN 'no consent: {word}'"
        for word, signal in (("gpc", consent.gpc), ("dnt", consent.dnt))
        if signal is not None and name in signal.denies
    ]
    yes = []
    if purpose.tcf and consent.tcf is not None:
        text, granted = signal_value(consent.tcf), _string_grants(purpose)
        whens.append(f"WHEN {text} IS NOT NULL AND NOT {granted} THEN 'no consent: tcf'")
        yes.append(granted)
    for signal in purpose.signals:
        value = f"lower(trim({signal_value(signal.source)}))"
        whens.append(f"WHEN {value} NOT IN {literal(list(signal.granted))} THEN 'no consent: refused'")
        yes.append(f"{value} IS NOT NULL")
    if consent.unknown != "allow":
        whens.append(f"WHEN NOT ({' OR '.join(yes)}) THEN 'no consent: unknown'")
    return f"CASE {' '.join(whens)} END"


def _is_on(word: str, signal: BrowserSignal, in_headers: bool) -> str:
    places = [f"coalesce(line_signals.{word}, FALSE)"] if in_headers else []
    if signal.source is not None:
        places.append(f"lower(trim({signal_value(signal.source)})) NOT IN {literal(_OFF)}")
    return " OR ".join(places) or "FALSE"


def _string_grants(purpose: ConsentPurpose) -> str:
    mask = reduce(or_, (1 << (number - 1) for number in purpose.tcf))
    return f"coalesce((tcf_strings.purposes & {mask}) = {mask}, FALSE)"


def _read_strings(con: duckdb.DuckDBPyConnection, consent: Consent) -> None:
    """Makes `tcf_strings(text, purposes)`: each distinct string is read once; purposes are NULL where it cannot be."""
    if consent.tcf is None:
        return
    found = con.execute(
        f"SELECT DISTINCT {signal_value(consent.tcf)} AS text FROM judged WHERE text IS NOT NULL"
    ).fetchall()
    rows = [(text, consented_purposes(text)) for (text,) in found]
    frame = pl.DataFrame(rows, {"text": pl.String, "purposes": pl.Int64}, orient="row")
    con.register("tcf_strings", frame.to_arrow())
