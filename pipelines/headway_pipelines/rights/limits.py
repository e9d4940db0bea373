"""Which days are gone for good, event by event: what was written away does not come back with a rebuild."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from headway.models.durations import parse_retention
from headway.models.plan import TrackingPlan
from headway_pipelines.workspace import Workspace, write_atomically


def limits_in_force(workspace: Workspace) -> dict[str, date]:
    """Reads the first day that is kept of each event; empty where nothing was ever written away.

    Args:
        workspace: The workspace.

    Returns:
        Event -> day; the name ``""`` stands for calls that are no events.
    """
    path = _file(workspace)
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {name: date.fromisoformat(day) for name, day in kept.items()}


def put_limits_in_force(workspace: Workspace, limits: Mapping[str, date]) -> None:
    """Writes them; they only ever move forward.

    Args:
        workspace: The workspace.
        limits: Event -> first day that is kept.
    """
    workspace.state.mkdir(parents=True, exist_ok=True)
    content = {name: day.isoformat() for name, day in sorted(limits.items())}
    write_atomically(_file(workspace), json.dumps(content, indent=2) + "\n")


def limits_on(plan: TrackingPlan, before: Mapping[str, date], today: date) -> dict[str, date]:
    """Computes what a plan keeps on some day.

    Args:
        plan: The tracking plan.
        before: What is in force.
        today: The day, UTC.

    Returns:
        Event -> first day that is kept, never before what is in force; what is no event goes by the defaults, or by the
        event that is kept longest.
    """
    limits = {name: plan.terms(name).retention.before(today) for name in plan.events}
    shared = plan.defaults.retention
    limits[""] = parse_retention(shared).before(today) if shared else min(limits.values())
    return {name: max(day, before.get(name, day)) for name, day in limits.items()}


def _file(workspace: Workspace) -> Path:
    return workspace.state / "retention.json"
