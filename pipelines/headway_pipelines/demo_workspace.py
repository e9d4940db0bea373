"""Preparing the demo's workspace: simulate once, reuse the logs as long as the same demo is asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from headway.errors import InputError
from headway_pipelines.progress import counted_progress

_STAMP = ".demo.json"


def build_demo(
    root: Path, *, people: int, days: int, seed: int, announce: Callable[[str], None] = lambda _: None
) -> Path:
    """Makes the demo's workspace, or finds it as it was made before.

    Args:
        root: The folder.
        people: People to simulate.
        days: Days to simulate.
        seed: The same seed writes the same logs.
        announce: Called with a short word about what is being done.

    Returns:
        The folder.

    Raises:
        InputError: The folder exists and is not a demo's.
    """
    wanted = {"people": people, "days": days, "seed": seed}
    stamp = root / _STAMP
    if root.exists() and any(root.iterdir()):
        if not stamp.exists():
            raise InputError(f"{root} exists and is not a demo. Name another folder with --workspace.")
        if json.loads(stamp.read_text(encoding="utf-8")) == {**wanted, "done": True}:
            return root
        # Another demo, or one that was interrupted: everything in it was simulated.
        shutil.rmtree(root)
    from headway_pipelines.demo import simulate
    from headway_pipelines.demo.scenario import Scenario
    from headway_pipelines.demo.strategy import freeze_bets, write_strategy

    announce(f"simulating {people:,} people over {days} days")
    root.mkdir(parents=True, exist_ok=True)
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    usual = Scenario()
    # A longer log begins earlier and ends on the same day: what has not happened yet is no data.
    start = usual.start - timedelta(days=max(0, days - usual.days))
    scenario = Scenario(people=people, days=days, seed=seed, start=start)
    with counted_progress("simulating") as progress:
        simulate(root, people=people, days=days, seed=seed, start=start, progress=progress)
    write_strategy(root, scenario)
    freeze_bets(root, scenario)
    stamp.write_text(json.dumps({**wanted, "done": True}), encoding="utf-8")
    return root
