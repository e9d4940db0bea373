"""An audit, and the record of processing, as one page each: no script, nothing from a network."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from headway_pipelines.audit.facts import Audit
from headway_pipelines.audit.record import Record
from headway_pipelines.audit.show import NOISE_HEADER, came_in, guards, noise_rows, proof_words, receipt_words


@cache
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("headway_pipelines.audit", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["n"] = lambda number: f"{number:,}"
    return found


def audit_page(audit: Audit) -> str:
    """Writes an audit as HTML.

    Args:
        audit: The audit.

    Returns:
        The page; names from definitions are escaped.
    """
    template = _templates().get_template("audit.html.j2")
    return template.render(
        audit=audit,
        came_in=came_in(audit),
        guards=guards(audit),
        proof=proof_words(audit.proof),
        line_rows=[(row["source"], row["state"], row["outcome"], row["lines"]) for row in audit.lines],
        kept_rows=[
            (k.of, k.property, k.privacy_class, k.kept_as, k.purpose, k.owner, k.retention)
            for k in audit.kept
        ],
        dropped_rows=[
            (row["event"], row["property"], row["reason"], row["n_values"]) for row in audit.dropped
        ],
        published_rows=[(p.table, p.cells, p.hidden, p.held) for p in audit.published],
        release_rows=[(f"{r['release']}", r["at"], r["cells"]) for r in audit.releases],
        noise_header=NOISE_HEADER,
        noise_rows=noise_rows(audit),
        zone_rows=[(z.name, z.holds, z.files, z.size, z.open_to_others) for z in audit.zones],
        receipt_rows=[(r["receipt"], receipt_words(r)) for r in audit.rights],
    )


def record_page(record: Record) -> str:
    """Writes a record of processing as HTML.

    Args:
        record: The record.

    Returns:
        The page.
    """
    return _templates().get_template("record.html.j2").render(record=record)
