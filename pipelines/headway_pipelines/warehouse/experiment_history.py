"""Definitions of experiments as runs saw them: whether one was changed after its experiment had begun.

``state/experiments.jsonl`` only ever grows, by a line whenever a definition is another one than the run before saw. It
holds names, hashes and days, and cannot be computed again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from headway.models.experiments import ExperimentDefinition
from headway_pipelines.workspace import sync_folder


class Seen(NamedTuple):
    """A definition as a run saw it first."""

    experiment: str
    on: date
    hash: str


def changed_definitions(
    path: Path, experiments: Mapping[str, ExperimentDefinition], today: date
) -> dict[str, date]:
    """Notes definitions that are new, and says which differ from the one their experiment began with.

    Args:
        path: The file; there is none before the first run that sees an experiment.
        experiments: The experiments by name.
        today: Local day of the run.

    Returns:
        Experiment -> local day of the run that first saw the definition of now. What was changed before the first day
        of exposures, or is again as it was then, is not among them; nor is what no run saw before it began.
    """
    before = list(_read(path))
    news = []
    for name, definition in experiments.items():
        known = [each for each in before if each.experiment == name]
        if not known or known[-1].hash != definition.definition_hash():
            news.append(Seen(name, today, definition.definition_hash()))
    _append(path, news)
    changed = {}
    for name, definition in experiments.items():
        known = [each for each in (*before, *news) if each.experiment == name]
        begun_with = ([each for each in known if each.on < definition.start] or known[:1])[-1]
        if known[-1].hash != begun_with.hash:
            changed[name] = known[-1].on
    return changed


def _read(path: Path) -> Iterator[Seen]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            told: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue  # The last line of a run that was killed while it wrote: the run after it writes it anew.
        yield Seen(told["experiment"], date.fromisoformat(told["on"]), told["definition"])


def _append(path: Path, news: list[Seen]) -> None:
    if not news:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"experiment": each.experiment, "on": each.on.isoformat(), "definition": each.hash})
        for each in news
    ]
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as handle:
        handle.seek(handle.read().rfind(b"\n") + 1)
        handle.truncate()
        handle.write(("\n".join(lines) + "\n").encode())
        handle.flush()
        os.fsync(handle.fileno())
    sync_folder(path.parent)
