"""The demo product: Lectern, an online course marketplace, simulated with planted truth.

``simulate`` writes a workspace whose raw log is as messy as a real one and a ``truth.json`` that says exactly
what a pipeline must find in it. ``README.md`` in this folder documents both.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from headway.errors import InputError
from headway_pipelines.demo import canaries as planting
from headway_pipelines.demo import mess
from headway_pipelines.demo.canaries import Canary
from headway_pipelines.demo.chapters import write_profile_experiment
from headway_pipelines.demo.journeys import draw_block
from headway_pipelines.demo.people import People, blocks
from headway_pipelines.demo.rows import RowArray
from headway_pipelines.demo.scenario import CHANNELS, Scenario
from headway_pipelines.demo.segment_log import Renderer
from headway_pipelines.demo.tally import Tally
from headway_pipelines.demo.trials import write_experiments
from headway_pipelines.demo.truth import Truth, assemble
from headway_pipelines.demo.world import World
from headway_pipelines.demo.writer import Spill, write_log

__all__ = ["CHANNELS", "Scenario", "Truth", "simulate", "simulate_scenario"]

_WORKERS = 2
_FEWEST_DAYS = 7
_MOST_PEOPLE = 10_000_000


def simulate(
    workspace: Path,
    *,
    people: int = 1000,
    days: int = 60,
    seed: int = 7,
    start: date = date(2026, 8, 31),
    progress: Callable[[int, int], None] | None = None,
) -> Truth:
    """Simulates the demo product and writes its workspace.

    Writes ``raw/<received day>/events-0N.json.gz``, ``inputs/*.csv``, ``tracking_plan.yml``, ``product.yml``,
    ``metrics/*.yml``, ``experiments/*.yml`` and ``truth.json``. The same arguments give the same bytes.

    Args:
        workspace: Folder to write into; made if missing. Its ``raw`` folder must not hold anything yet.
        people: Number of people, 1 to 10 million; each leaves some 30 lines in 60 days.
        days: Length of the export in UTC days, at least 7.
        seed: Seed of every draw, 0 or more.
        start: First UTC day.
        progress: Called with (done, total) in people, first while they are drawn, then while lines are
            written; ``total`` is twice the number of people.

    Returns:
        The planted truth, as in ``truth.json``.

    Raises:
        InputError: An argument is out of range, or the workspace already holds raw data.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     truth = simulate(Path(folder), people=50, days=14)
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['experiments', 'inputs', 'metrics', 'product.yml', 'raw', 'tracking_plan.yml', 'truth.json']
        >>> truth.people["people"]
        50
    """
    scenario = Scenario(people=people, days=days, seed=seed, start=start)
    return simulate_scenario(workspace, scenario, progress=progress)


def simulate_scenario(
    workspace: Path, scenario: Scenario, *, progress: Callable[[int, int], None] | None = None
) -> Truth:
    """Simulates a scenario with rates of its own: more retries, no bots, another effect.

    Args:
        workspace: As for ``simulate``.
        scenario: The planted rates.
        progress: As for ``simulate``.

    Returns:
        The planted truth, as in ``truth.json``.

    Raises:
        InputError: As for ``simulate``.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     truth = simulate_scenario(Path(folder), Scenario(people=50, days=14, retry=0.0))
        >>> truth.log["retries"]
        0
    """
    _check(workspace, scenario)
    world = World.build(scenario)
    canaries = planting.build(world)
    raw = workspace / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    _write_definitions(workspace, scenario)
    people = scenario.people
    report = progress or (lambda done, total: None)
    with TemporaryDirectory(dir=workspace, prefix=".simulating-") as folder:
        spill = Spill(Path(folder), world)
        tally, planted = _draw(world, canaries, spill, lambda done: report(done, 2 * people))
        lines, done = int(spill.counts().sum()), 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            report(people + people * done // max(lines, 1), 2 * people)

        written = write_log(world, spill, Renderer(world, canaries), raw, count)
    tally.side.write(workspace / "inputs")
    truth = assemble(tally, planted, asdict(written))
    truth.write(workspace / "truth.json")
    return truth


def _write_definitions(workspace: Path, scenario: Scenario) -> None:
    packaged = files(__package__)
    more = [each for each in packaged.joinpath("metrics").iterdir() if each.name.endswith(".yml")]
    (workspace / "metrics").mkdir(exist_ok=True)
    write_experiments(workspace / "experiments", scenario)
    write_profile_experiment(workspace / "experiments", scenario)
    for folder, each in [
        (workspace, packaged.joinpath("tracking_plan.yml")),
        (workspace, packaged.joinpath("product.yml")),
        *((workspace / "metrics", each) for each in more),
    ]:
        (folder / each.name).write_text(each.read_text(encoding="utf-8"), encoding="utf-8")


def _check(workspace: Path, scenario: Scenario) -> None:
    people, days, seed = scenario.people, scenario.days, scenario.seed
    if not 1 <= people <= _MOST_PEOPLE:
        raise InputError(f"people must be 1 to {_MOST_PEOPLE:,}, not {people:,}")
    if days < _FEWEST_DAYS:
        raise InputError(f"days must be at least {_FEWEST_DAYS}, not {days}")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, not {seed}")
    raw = workspace / "raw"
    if raw.exists() and any(raw.iterdir()):
        raise InputError("the workspace already holds raw data; name an empty folder, or remove its raw/")


def _draw(
    world: World, canaries: tuple[Canary, ...], spill: Spill, progress: Callable[[int], None]
) -> tuple[Tally, list[Canary]]:
    """Draws all blocks, two at a time, and counts them in order."""
    tally = Tally(world, canaries)
    planted: list[Canary] = []
    done = 0

    def work(block: int) -> tuple[People, RowArray, RowArray, RowArray, list[Canary]]:
        return _draw_lines(world, block, canaries)

    with ThreadPoolExecutor(_WORKERS) as pool:
        total = blocks(world)
        ahead = [pool.submit(work, block) for block in range(min(_WORKERS, total))]
        for block in range(total):
            crowd, rows, copies, broken, found = ahead.pop(0).result()
            if block + _WORKERS < total:
                ahead.append(pool.submit(work, block + _WORKERS))
            spill.add(block, np.concatenate([rows, copies, broken]))
            tally.add_people(crowd, rows)
            tally.add_lines(rows, copies, broken)
            planted += found
            done += len(crowd)
            progress(done)
    crawlers = mess.bots(world, world.rng(2**31, 2))
    mess.number(crawlers, total)
    spill.add(total, crawlers)
    tally.add_bots(crawlers)
    return tally, planted


def _draw_lines(
    world: World, block: int, canaries: tuple[Canary, ...]
) -> tuple[People, RowArray, RowArray, RowArray, list[Canary]]:
    """One block: people, good lines, retries, malformed lines, and the canaries planted among them."""
    rng = world.rng(block)
    crowd, rows = draw_block(world, block, rng)
    rows = mess.send(world, rng, rows)
    mess.number(rows, block)
    first = block == 0
    broken = mess.malformed(world, rng, rows, 2 * len(mess.MALFORMED) if first else 0)
    planted = planting.assign(world.rng(2**31, 3), rows, broken, canaries) if first else []
    mess.violate(world, rng, rows)
    return crowd, rows, mess.retries(world, rng, rows), broken, planted
