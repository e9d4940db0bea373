"""The side inputs about releases: what was shipped when, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

import polars as pl

from headway.frameworks.segments import CHANNEL, channel_names
from headway.models.product import Product
from headway.models.releases import RELEASE_KINDS
from headway_pipelines.inputs.cells import (
    Column,
    Row,
    Table,
    UnusableCellError,
    ids,
    instants,
    number,
    one_of,
    titles,
)
from headway_pipelines.privacy.detect import looks_personal

_LONGEST_LABEL = 64


def release_tables(product: Product) -> dict[str, Table]:
    """Declares the release log and the incidents of a product.

    Args:
        product: The product; it says which metrics, features and segments there are.

    Returns:
        Tables by name.

    Examples:
        >>> from headway.models.product import Product
        >>> shop = Product(name="Shop", timezone="UTC", currency="EUR", activity={"event": ["Paid"]})
        >>> list(release_tables(shop)["incidents"].columns)
        ['incident', 'started_at', 'detected_at', 'restored_at', 'release']
    """
    timezone = product.timezone
    releases = Table(
        "releases",
        "Something that went live at an instant: a release, a step of its rollout, a deploy, or a rollback",
        {
            "release": ids("release"),
            "released_at": instants("released_at", timezone),
            "name": titles("name"),
            "kind": one_of("kind", RELEASE_KINDS, f"none of {', '.join(RELEASE_KINDS)}", absent="release"),
            "committed_at": instants("committed_at", timezone, optional=True),
            "share": Column(_share, pl.Float64(), optional=True),
            "segment": Column(_segment(product), pl.String(), optional=True),
            "changes": Column(lambda text: number("changes", text, zero=True), pl.Float64(), optional=True),
            "team": ids("team", optional=True),
            "rolls_back": ids("rolls_back", optional=True),
            "feature": one_of(
                "feature", product.releases.features, "no feature of product.yml (releases: features:)"
            ),
            "metrics": Column(_metrics(product), pl.String(), optional=True),
            "experiment": ids("experiment", optional=True),
        },
        unread=frozenset({"note", "url", "ticket"}),
        once=("release", "released_at", "kind", "segment"),
        check=_release_makes_sense,
    )
    incidents = Table(
        "incidents",
        "A time in which something did not work as it should",
        {
            "incident": ids("incident"),
            "started_at": instants("started_at", timezone),
            "detected_at": instants("detected_at", timezone, optional=True),
            "restored_at": instants("restored_at", timezone, optional=True),
            "release": ids("release", optional=True),
        },
        unread=frozenset({"note", "url", "severity", "name"}),
        once=("incident",),
        check=lambda row: _in_order(row, "started_at", "detected_at", "restored_at"),
    )
    return {"releases": releases, "incidents": incidents}


def _share(text: str) -> float:
    percent = number("share", text.removesuffix("%").rstrip(), zero=False)
    if not 1 <= percent <= 100:
        raise UnusableCellError(
            "share is not between 1 and 100 percent; write 25 for a quarter of the people"
        )
    return percent / 100


def _segment(product: Product) -> Callable[[str], str]:
    channels = channel_names(product)

    def read(text: str) -> str:
        dimension, equals, label = text.partition("=")
        known = label in channels if dimension == CHANNEL else dimension in product.segments
        if not equals or not known or not 0 < len(label) <= _LONGEST_LABEL or looks_personal(label):
            raise UnusableCellError("segment is none of the product's; write for example channel=email")
        return text

    return read


def _metrics(product: Product) -> Callable[[str], str]:
    def read(text: str) -> str:
        names = text.split()
        if any(name not in product.metrics for name in names):
            raise UnusableCellError(
                "metrics names one that is none of the product's; separate names by spaces"
            )
        return " ".join(names)

    return read


def _release_makes_sense(row: Row) -> None:
    _in_order(row, "committed_at", "released_at")
    if row["kind"] == "rollback" and row["rolls_back"] is None:
        raise UnusableCellError("a rollback does not say in rolls_back which release it takes back")
    if row["kind"] != "rollback" and row["rolls_back"] is not None:
        raise UnusableCellError("rolls_back is only for rows of the kind rollback")
    if row["rolls_back"] == row["release"]:
        raise UnusableCellError("a release takes itself back; give the rollback a name of its own")


def _in_order(row: Row, *names: str) -> None:
    told = [(name, at) for name in names if isinstance(at := row[name], datetime)]
    for (first, early), (second, late) in pairwise(told):
        if late < early:
            raise UnusableCellError(f"{second} is before {first}")
