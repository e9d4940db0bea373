"""What `headway run` prints: what changed, what was not joined, how many copies there were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import run_here
from shop import PRODUCT, Shop, track

from headway_pipelines.cli.run import told_of_run
from headway_pipelines.run import Outcome

PEOPLE = {
    "before": 4, "after": 1_204, "new": 1_200, "merged": 0, "split": 0, "gone": 0, "devices_joined": 7,
    "shared_devices": 0, "oversized_people": 0, "not_one_to_one": 0,
}  # fmt: skip
JOINED = "1,204 people (4 before; 1,200 new, 0 merged, 0 split; 7 devices joined)"


@pytest.mark.parametrize(
    ("done", "lines"),
    [
        ({"nothing_new": True}, ["nothing new under raw/: everything is up to date"]),
        ({}, ["0 days changed"]),
        ({"people": PEOPLE}, ["0 days changed", JOINED]),
        (
            {"changed_days": ("2026-03-02", "2026-03-04"), "people": PEOPLE | {"shared_devices": 1}},
            [
                "2 days changed, 2026-03-02 to 2026-03-04",
                JOINED,
                "1 shared device belongs to nobody and joined nobody (more people than max_users_per_device)",
            ],
        ),
        (
            {"people": PEOPLE | {"shared_devices": 1_200, "oversized_people": 2, "not_one_to_one": 3}},
            [
                "0 days changed",
                JOINED,
                "1,200 shared devices belong to nobody and joined nobody (more people than max_users_per_device)",
                "2 groups of users were not joined (more users than max_users_per_person)",
                "3 devices or users have more than one counterpart and were not joined (identity mode strict)",
            ],
        ),
        ({"copies": 1}, ["0 days changed", "1 copy of an event left out"]),
        (
            {"copies": 4_000, "new_copies": 12, "contested": 1},
            [
                "0 days changed",
                "4,000 copies of events left out (12 of them new in this run)",
                "1 event id has copies that say different things",
            ],
        ),
    ],
)
def test_only_what_there_is_is_told(done: dict[str, Any], lines: list[str]) -> None:
    assert list(told_of_run(Outcome(**done))) == lines


def test_a_run_tells_of_shared_devices_and_copies(tmp_path: Path) -> None:
    """Three users on a device of at most two; an id four times, once with another amount; then one more copy."""
    shop = Shop(tmp_path / "shop", product=PRODUCT + "identity: {max_users_per_device: 2}\n")
    kiosk = [track("Signed Up", i, user=f"u{i}", device="kiosk", id=f"s{i}") for i in range(3)]
    order = track("Order Completed", 5, user="u0", id="o", amount=5)
    dearer = track("Order Completed", 5, user="u0", id="o", amount=6, received=9)
    shop.land("a.json", [*kiosk, order, order, order, dearer])
    key = tmp_path / "key"

    first = run_here("run", "--workspace", str(shop.root), key_file=key)
    assert first.returncode == 0, first.stderr
    told = first.stdout.splitlines()
    assert (
        "1 shared device belongs to nobody and joined nobody (more people than max_users_per_device)" in told
    )
    assert "3 copies of events left out" in told
    assert "1 event id has copies that say different things" in told

    shop.land("b.json", [kiosk[0], track("Page Viewed", 7, user="u1")])
    second = run_here("run", "--workspace", str(shop.root), key_file=key).stdout.splitlines()
    assert "4 copies of events left out (1 of them new in this run)" in second
    assert "1 event id has copies that say different things" in second
