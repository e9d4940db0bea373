"""Kata as files: begun and continued by the command line, measured by Headway, sealed against edits."""

from __future__ import annotations

import datetime as dt
import hmac
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from headway.errors import DefinitionError, InputError
from headway.models.kata import (
    Kata,
    Obstacle,
    Snapshot,
    Step,
    check_kata,
    kata_files,
    load_kata,
    obstacle_problems,
)
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway.models.strategy import Strategy, load_strategy
from headway.models.yaml_file import parse_document
from headway_pipelines.privacy.keys import Key
from headway_pipelines.strategy.personal import without_people
from headway_pipelines.strategy.tree_tables import latest_values
from headway_pipelines.warehouse.reading import tables_of
from headway_pipelines.workspace import Workspace, write_atomically

Moment = Literal["current", "happened"]

_DOMAIN = "kata"


@dataclass(frozen=True)
class Turn:
    """What a team says when it begins a step.

    Attributes:
        obstacle: What stands in the way, as ``funnel:NAME:STEP``, ``retention:NAME``, ``survey:METRIC`` or
            ``topic:METRIC``.
        attempt: What is tried.
        low: Lower end of what is expected of the target's metric.
        high: Upper end.
        by: Until when.
        tests: Option or experiment that it is, or None.
    """

    obstacle: str
    attempt: str
    low: float
    high: float
    by: dt.date
    tests: str | None = None


def katas_of(workspace: Workspace, product: Product, strategy: Strategy, key: Key) -> dict[str, Kata]:
    """Reads the kata of a workspace.

    Args:
        workspace: The workspace.
        product: Its product.
        strategy: Its strategy.
        key: Its key.

    Returns:
        Name -> kata.

    Raises:
        DefinitionError: A file is wrong, or something that was measured was edited.
    """
    found, wrong = {}, []
    for path in kata_files(workspace.root):
        kata = without_people(path.stem, load_kata(path, product, strategy))
        for position, step in enumerate(kata.steps):
            moments: dict[Moment, Snapshot | None] = {"current": step.current, "happened": step.happened}
            for moment, snapshot in moments.items():
                if snapshot is not None and _is_edited(path.stem, position, moment, kata, snapshot, key):
                    wrong.append(f"kata/{path.name}: steps.{position}.{moment}")
        found[path.stem] = kata
    if wrong:
        raise DefinitionError(
            f"{', '.join(wrong)}: was edited; what Headway measured stays as it was. Restore it, for example with "
            "'git checkout'."
        )
    return found


def new_kata(
    workspace: Workspace, name: str, title: str, team: str, direction: str, target: Mapping[str, Any]
) -> Path:
    """Begins a kata.

    Args:
        workspace: The workspace.
        name: Name of the kata and of its file.
        title: Its name for people.
        team: The team.
        direction: The intent, product or initiative that it serves.
        target: Where the team wants to be next: metric, value, by, period.

    Returns:
        The file.

    Raises:
        InputError: There is one of that name, or what is said does not fit product and strategy.
    """
    product, strategy = _definitions(workspace)
    path = workspace.root / "kata" / f"{name}.yml"
    if not name.replace("_", "").isalnum() or not name.isascii() or name != name.lower():
        raise InputError(f"{name!r} is not a name; use lower-case letters, digits and underscores")
    if path.exists():
        raise InputError(f"there is a kata {name!r} already; go on with it: headway kata next {name}")
    said = CommentedMap(
        title=title,
        team=team,
        direction=direction,
        target=_flow(**target),
    )
    said["steps"] = CommentedSeq()
    text = _dumped(said)
    check_kata(parse_document(text, f"kata/{path.name}"), product, strategy)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, text)
    return path


def next_step(
    workspace: Workspace,
    name: str,
    key: Key,
    *,
    learned: str | None = None,
    turn: Turn | None = None,
    now: dt.datetime | None = None,
) -> Kata:
    """Closes the open step of a kata, begins the next one, or both.

    What the target's metric is then, its latest value that was complete before that day, is read from the published
    database and sealed.

    Args:
        workspace: The workspace.
        name: The kata.
        key: The workspace's key.
        learned: What was learned from the open step; closes it.
        turn: The step to begin.
        now: The instant, with its time zone; None for now. Its day in the product's time zone is written down.

    Returns:
        The kata as it is then.

    Raises:
        InputError: There is no such kata, nothing to close, something still open, or an obstacle that is not in
            the data.
    """
    product, strategy = _definitions(workspace)
    known = katas_of(workspace, product, strategy, key)
    if name not in known:
        raise InputError.unknown("kata", name, known)
    kata = known[name]
    _in_turn(kata, name, learned, turn)
    today = (now or dt.datetime.now(dt.UTC)).astimezone(ZoneInfo(product.timezone)).date()
    path = workspace.root / "kata" / f"{name}.yml"
    yaml = _yaml()
    said = yaml.load(path.read_text(encoding="utf-8"))
    measured = _measure(workspace, kata, product, today)
    steps = said["steps"] if said.get("steps") is not None else said.setdefault("steps", CommentedSeq())
    if learned is not None:
        steps[-1]["happened"] = _sealed(name, len(steps) - 1, "happened", kata, measured, key)
        steps[-1]["learned"] = learned
    if turn is not None:
        obstacle = parse_obstacle(turn.obstacle, product)
        step = CommentedMap(date=today)
        step["current"] = _sealed(name, len(steps), "current", kata, measured, key)
        step["obstacle"] = _flow(**obstacle.model_dump(exclude_none=True))
        step["try"] = turn.attempt
        if turn.tests:
            step["tests"] = turn.tests
        step["expect"] = _flow(low=turn.low, high=turn.high, by=turn.by)
        steps.append(step)
    text = _dumped(said)
    done = check_kata(parse_document(text, f"kata/{path.name}"), product, strategy)
    write_atomically(path, text)
    return done


def parse_obstacle(text: str, product: Product) -> Obstacle:
    """Reads an obstacle as the command line writes it.

    Args:
        text: For example ``funnel:publish:2``.
        product: The product.

    Returns:
        The obstacle.

    Raises:
        InputError: It points to nothing in the product.
    """
    kind, _, rest = text.partition(":")
    try:
        if kind == "funnel":
            funnel, _, step = rest.rpartition(":")
            obstacle = Obstacle(funnel=funnel, step=int(step))
        elif kind in ("retention", "survey", "topic"):
            obstacle = Obstacle(**{kind: rest})
        else:
            raise ValueError
    except ValueError:
        raise InputError(
            f"{text!r} is no obstacle; point to something in the data: funnel:NAME:STEP (from step 2), "
            "retention:NAME, survey:METRIC or topic:METRIC"
        ) from None
    for problem in obstacle_problems(obstacle, (), product):
        raise InputError(f"obstacle {text!r}: {problem.message}")
    return obstacle


def _definitions(workspace: Workspace) -> tuple[Product, Strategy]:
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    return product, load_strategy(workspace.root, product, plan)


def _in_turn(kata: Kata, name: str, learned: str | None, turn: Turn | None) -> None:
    if learned is None and turn is None:
        raise InputError(
            f"say what was learned (--learned) to close the open step of {name!r}, or begin one: --obstacle, --try, "
            "--low, --high, --by"
        )
    if learned is not None and not learned.strip():
        raise InputError("--learned is empty: what did you find out?")
    if learned is not None and kata.open_step is None:
        raise InputError(
            f"{name!r} has no open step to close; begin one with --obstacle, --try, --low, --high, --by"
        )
    if learned is None and kata.open_step is not None:
        raise InputError(f"{name!r} has an open step; close it first, or now, with --learned")


def _measure(workspace: Workspace, kata: Kata, product: Product, today: dt.date) -> dict[str, Any]:
    if not workspace.published_db.is_file():
        raise InputError(
            "nothing has been published yet, so there is nothing to measure. Run 'headway run' first."
        )
    values = tables_of(workspace.published_db, ("metric_values",))["metric_values"]
    # What was not over before that day, or not ripe yet, could not be known then.
    _, _, wait = product.metrics[kata.target.metric].measured()
    known = today - dt.timedelta(days=1, microseconds=wait)
    row = latest_values(values, until=known).get((kata.target.metric, kata.target.period), {})
    return {
        "taken": today,
        "period_start": row.get("period_start"),
        "value": row.get("value"),
        "low": row.get("low"),
        "high": row.get("high"),
        "definition_hash": product.definition_hash(kata.target.metric),
    }


def _sealed(
    name: str, position: int, moment: Moment, kata: Kata, measured: Mapping[str, Any], key: Key
) -> CommentedMap:
    seal = f"{key.id}.{key.digest(_DOMAIN, _text(name, position, moment, kata, measured))}"
    said = {**measured, "definition_hash": str(measured["definition_hash"]), "seal": seal}
    return CommentedMap({field: value for field, value in said.items() if value is not None})


def _is_edited(name: str, position: int, moment: Moment, kata: Kata, snapshot: Snapshot, key: Key) -> bool:
    key_id, _, seal = snapshot.seal.partition(".")
    measured = snapshot.model_dump(exclude={"seal"})
    expected = key.digest(_DOMAIN, _text(name, position, moment, kata, measured))
    # A seal of another key, the one before a rotation, cannot be looked at any more.
    return key_id == key.id and not hmac.compare_digest(seal, expected)


def _text(name: str, position: int, moment: Moment, kata: Kata, measured: Mapping[str, Any]) -> str:
    said = {
        "kata": name,
        "step": position,
        "moment": moment,
        "metric": kata.target.metric,
        "period": kata.target.period,
        **{
            field: float(value) if isinstance(value, int | float) else value
            for field, value in measured.items()
        },
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096  # a sentence stays on its line: folded ones would end in blanks
    # The same day twice is written twice, not as a reference to the first.
    yaml.representer.ignore_aliases = lambda *_: True
    return yaml


def _flow(**said: Any) -> CommentedMap:
    mapping = CommentedMap(said)
    mapping.fa.set_flow_style()
    return mapping


def _dumped(said: CommentedMap) -> str:
    out = io.StringIO()
    _yaml().dump(said, out)
    return out.getvalue()


def sealed_by(step: Step) -> str:
    """Returns the ids of the keys that sealed a step.

    Args:
        step: The step.

    Returns:
        Key ids, joined by a comma where they differ.
    """
    snapshots = [step.current, *([step.happened] if step.happened else [])]
    return ", ".join(dict.fromkeys(each.seal.partition(".")[0] for each in snapshots))
