"""Links below raw/: to files they are read, to nothing or to folders they are left alone, and none ends a run."""

from __future__ import annotations

from shop import Shop, track

from headway_pipelines.freshness import fingerprint
from headway_pipelines.ingest import landed


def test_links_below_raw(shop: Shop) -> None:
    raw = shop.workspace.raw
    shop.land("a.json", [track("Page Viewed", 1, user="u1")])
    before = fingerprint(shop.workspace)
    outside = shop.root / "elsewhere"
    outside.mkdir()
    (outside / "b.json").write_text((raw / "a.json").read_text().replace("u1", "u2"))
    for name, target in (("nothing.json", shop.root / "gone"), ("itself.json", raw / "itself.json"),
                         ("loop", raw), ("folder", outside)):  # fmt: skip
        (raw / name).symlink_to(target)
    assert fingerprint(shop.workspace) == before
    assert [file.relative for file in landed(shop.workspace)] == ["a.json"]
    (raw / "b.json").symlink_to(outside / "b.json")
    assert fingerprint(shop.workspace) != before
    assert [file.relative for file in landed(shop.workspace)] == ["a.json", "b.json"]
