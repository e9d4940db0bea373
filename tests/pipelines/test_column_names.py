"""A property may have any name that the plan accepts: none of Headway's own columns gets in its way."""

from __future__ import annotations

from pathlib import Path

from shop import PLAN, Shop, track

from headway.models.plan import RESERVED_COLUMNS
from headway_pipelines.lake.promote import BASE_COLUMNS

METHOD = "      method: {class: enum, values: [email, google]}\n"
#: Columns that promotion adds to those of events, as they are or were called.
OWN = ("day", "filename", "live", "rank", "content", "file", "is_live")


def test_every_column_of_the_lake_is_taken() -> None:
    assert set(BASE_COLUMNS) | {"person"} <= RESERVED_COLUMNS


def test_properties_named_like_columns_that_promotion_adds_keep_their_values(tmp_path: Path) -> None:
    named = "".join(METHOD.replace("method", name) for name in OWN)
    shop = Shop(tmp_path / "shop", plan=PLAN.replace(METHOD, named))
    for received, value in ((7, "email"), (5, "google")):
        call = track("Signed Up", 2, user="u1", id="m", received=received, **dict.fromkeys(OWN, value))
        shop.land(f"{received}.json", [call])
        shop.ingest()
        shop.judge()
        shop.promote()
    assert shop.query(f"SELECT {', '.join(OWN)} FROM lake") == [("google",) * len(OWN)]
    assert [folder.name for folder in shop.workspace.lake.glob("*=*")] == ["day=2026-03-02"]
