"""Preparing the demo's workspace: simulate once, reuse the logs as long as the same demo is asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import InputError
from headway_pipelines.progress import counted_progress

if TYPE_CHECKING:
    from headway_pipelines.demo.scenario import Scenario

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
    from headway_pipelines.demo.strategy import freeze_bets, write_strategy

    announce(f"simulating {people:,} people over {days} days")
    root.mkdir(parents=True, exist_ok=True)
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    scenario = demo_scenario(people=people, days=days, seed=seed)
    with counted_progress("simulating") as progress:
        simulate(root, people=people, days=days, seed=seed, start=scenario.start, progress=progress)
    write_strategy(root, scenario)
    freeze_bets(root, scenario)
    stamp.write_text(json.dumps({**wanted, "done": True}), encoding="utf-8")
    return root


def demo_scenario(*, people: int, days: int, seed: int) -> Scenario:
    """Returns the scenario of a demo: a longer log begins earlier, since what has not happened yet is no data.

    Args:
        people: People to simulate.
        days: Days to simulate.
        seed: The seed.

    Returns:
        The scenario.

    Examples:
        >>> demo_scenario(people=50, days=365, seed=7).start.isoformat()
        '2025-10-30'
    """
    from headway_pipelines.demo.scenario import Scenario

    usual = Scenario()
    start = usual.start - timedelta(days=max(0, days - usual.days))
    return Scenario(people=people, days=days, seed=seed, start=start)


def tell_kata(root: Path, *, people: int, days: int, seed: int) -> None:
    """Plays the demo's kata in what was published, and publishes it, unless that was done before.

    Args:
        root: The demo's workspace, after a run.
        people: People that were simulated.
        days: Days that were simulated.
        seed: The seed.
    """
    from headway_pipelines.demo.kata import practise
    from headway_pipelines.freshness import fingerprint, is_fresh, remember
    from headway_pipelines.lake.ledger import Ledger
    from headway_pipelines.locking import workspace_lock
    from headway_pipelines.publishing.publish import publish
    from headway_pipelines.report import write_report
    from headway_pipelines.workspace import Workspace

    workspace = Workspace.at(root)
    with workspace_lock(workspace):
        ledger = Ledger(workspace.ledger_file)
        try:
            fresh = is_fresh(workspace, ledger, fingerprint(workspace))
            if practise(workspace, demo_scenario(people=people, days=days, seed=seed)):
                # Kata are published beside values that they do not change: nothing needs to be computed again.
                publish(workspace)
                write_report(workspace)
                if fresh:
                    remember(ledger, fingerprint(workspace))
        finally:
            ledger.close()
