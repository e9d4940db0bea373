"""Previews for Dagster's pages: small tables and drawings of counts. Nothing here ever shows a value of a log."""

from collections.abc import Sequence

import dagster as dg
import polars as pl


def table(
    header: Sequence[str], rows: Sequence[Sequence[object]], limit: int = 30
) -> dg.MarkdownMetadataValue:
    """Renders a small table.

    Args:
        header: Column titles.
        rows: Cells: counts, dates and names that are safe to show.
        limit: Rows shown; the rest is counted.

    Returns:
        Markdown metadata.
    """
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows[:limit]]
    if len(rows) > limit:
        lines.append(f"\n… and {len(rows) - limit} more")
    return dg.MetadataValue.md("\n".join(lines) if rows else "none")


def bars(counts: dict[str, int], width: int = 640, height: int = 120) -> dg.MarkdownMetadataValue:
    """Draws counts by day as a small SVG.

    Args:
        counts: Day -> count, in order.
        width: Pixels.
        height: Pixels.

    Returns:
        Markdown metadata with the drawing inlined.
    """
    import base64

    top = max(counts.values(), default=0) or 1
    step = width / max(len(counts), 1)
    body = "".join(
        f'<rect x="{i * step:.1f}" y="{height - height * n / top:.1f}" width="{max(step - 1, 0.5):.1f}" '
        f'height="{height * n / top:.1f}" fill="#2a6f97"><title>{day}: {n}</title></rect>'
        for i, (day, n) in enumerate(counts.items())
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{body}</svg>'
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![events per day](data:image/svg+xml;base64,{encoded})")


def scorecard(values: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """Shows the latest complete week of every metric, from published (suppressed) values alone.

    Args:
        values: The published table ``metric_values``.

    Returns:
        Markdown metadata.
    """
    weeks = values.filter((pl.col("segment") == "all") & (pl.col("period") == "week") & pl.col("complete"))
    latest = weeks.sort("period_start").group_by("metric", maintain_order=True).last().sort("stage", "metric")
    rows = [
        (
            r["stage"],
            r["metric"],
            r["period_start"],
            *(_number(r[c]) for c in ("value", "low", "high")),
            r["unit"],
        )
        for r in latest.iter_rows(named=True)
    ]
    return table(("stage", "metric", "week", "value", "low", "high", "unit"), rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
