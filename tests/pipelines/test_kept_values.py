"""A run takes values from the run before where it may, says why where it may not, and never shows the difference."""

from __future__ import annotations

import shutil
from pathlib import Path

from shop import PRODUCT, Shop, track

from headway_pipelines.warehouse import kept_values

DAY = 24 * 60
MEASURED = PRODUCT.replace(
    "funnels:",
    """
  active: {framework: heart, stage: engagement, title: Active, unit: people, kind: count,
    of: {event: Page Viewed, measure: people}}
funnels:""",
)


def equals_a_rebuild(shop: Shop, folder: Path) -> str:
    """Loads what is new and compares the values with a rebuild's; returns why everything was computed, if it was."""
    shop.load()
    values, anew = shop.values()
    again = Shop(folder, product=(shop.root / "product.yml").read_text())
    for name in ("raw", "state"):
        shutil.rmtree(again.root / name, ignore_errors=True)
        shutil.copytree(shop.root / name, again.root / name)
    again.load()
    assert values.rows() == again.values()[0].rows()
    shutil.rmtree(folder)
    return anew


def test_values_are_taken_from_the_run_before_or_it_is_said_why_not(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop", product=MEASURED)
    visits = [track("Page Viewed", DAY * day, device="d1") for day in range(40)]
    others = [track("Signed Up", DAY * 3, user="u1", device="d2"), track("Page Viewed", DAY * 10, user="u3")]
    shop.land("0.json", [*visits, *others])
    assert equals_a_rebuild(shop, tmp_path / "again") == kept_values.FIRST

    # A day more, and a device that becomes somebody's who was somebody else on day 10.
    shop.land(
        "1.json", [track("Page Viewed", DAY * 40, device="d1"), track("Signed Up", DAY * 40, user="u2")]
    )
    shop.land("2.json", [track("Signed Up", DAY * 40 + 5, user="u3", device="d1")])
    assert equals_a_rebuild(shop, tmp_path / "again") == ""
    # An event that comes five weeks late, in the window of a conversion.
    shop.land("3.json", [track("Order Completed", DAY * 5, user="u1", device="d2", received=DAY * 41)])
    assert equals_a_rebuild(shop, tmp_path / "again") == ""

    # A kept file that is cut short is not used.
    (cells,) = shop.workspace.kept.glob("*/cells.parquet")
    cells.write_bytes(cells.read_bytes()[:-20])
    assert equals_a_rebuild(shop, tmp_path / "again") == kept_values.NOT_OURS

    (shop.root / "product.yml").write_text(MEASURED.replace("within: 7d", "within: 1d"))
    assert equals_a_rebuild(shop, tmp_path / "again") == kept_values.RULES
    shop.land("4.json", [track("Order Completed", DAY * 41, user="u2")])
    assert equals_a_rebuild(shop, tmp_path / "again") == ""
    assert [path.name for path in shop.workspace.kept.iterdir()] == ["6"]


def test_events_of_which_all_are_needed_are_kept_and_written_again_where_something_is_new(
    tmp_path: Path,
) -> None:
    everything = """
  orders: {framework: aarrr, stage: revenue, title: Orders so far, unit: events, kind: cumulative, since: 2026-01-01,
    of: {event: Order Completed, measure: events}}
  pace: {framework: aarrr, stage: revenue, title: From view to order, unit: hours, kind: duration,
    start: Page Viewed, end: Order Completed}
funnels:"""
    shop = Shop(tmp_path / "shop", product=MEASURED.replace("funnels:", everything))

    def parts() -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in shop.workspace.kept.glob("*/log_*.parquet")}

    visits = [track("Page Viewed", DAY * day, device=f"d{day % 3}") for day in range(90)]
    orders = [track("Order Completed", DAY * day + 60, device=f"d{day % 3}") for day in range(0, 90, 7)]
    shop.land("0.json", [*visits, *orders])
    assert equals_a_rebuild(shop, tmp_path / "again") == kept_values.FIRST
    first = parts()
    assert len(first) == 4

    # The last part is new; then the second too, since an order comes late.
    shop.land("1.json", [track("Page Viewed", DAY * 90, device="d1")])
    assert equals_a_rebuild(shop, tmp_path / "again") == ""
    second = parts()
    assert [second[name] == inode for name, inode in sorted(first.items())] == [True, True, True, False]
    shop.land("2.json", [track("Order Completed", DAY * 40, device="d2", received=DAY * 91)])
    assert equals_a_rebuild(shop, tmp_path / "again") == ""
    oldest = min(second)
    assert parts()[oldest] == second[oldest]
    # One that is not what was written is not used.
    (path, *_) = sorted(shop.workspace.kept.glob("*/log_*.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    assert equals_a_rebuild(shop, tmp_path / "again") == kept_values.NOT_OURS
