"""Planning an experiment of a workspace: what it could find and when, told in lines, small groups hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from headway.errors import InputError
from headway.models.experiments import ExperimentDefinition, experiment_files, load_experiments
from headway.models.plan import load_plan
from headway.models.product import Product, load_product
from headway.opening import open as open_log
from headway_pipelines.workspace import Workspace

if TYPE_CHECKING:
    from headway.experiments.ahead import Ahead

_ROLES: Final = {"primary": "decides", "guardrail": "guardrail", "secondary": "beside"}
_AA_DRAWS: Final = 500


@dataclass(frozen=True)
class Wanted:
    """What is asked of a plan.

    Attributes:
        weeks: Weeks of exposures for which the smallest effect that can be found is told.
        effect: Relative effect that should be found; None: what is declared worthwhile, else 5 %.
        after: Event that could have exposed somebody; None: what is declared.
        power: Probability of finding an effect that is there.
        since: First day of the history, as a date in ISO form; None: all of it.
        aa: Whether the same people are split at random, to see the error that comes out.
    """

    weeks: Sequence[int] = (1, 2, 4, 8)
    effect: float | None = None
    after: str | None = None
    power: float = 0.8
    since: str | None = None
    aa: bool = False


def plan_lines(workspace: Workspace, name: str, wanted: Wanted) -> Iterator[str]:
    """Plans an experiment, all experiments of a file, or a metric.

    Args:
        workspace: The workspace, loaded.
        name: An experiment, a file of experiments, or a metric.
        wanted: What is asked.

    Yields:
        Lines to print. Outcomes that fewer people did, or did not, than may be spoken of have no numbers.

    Raises:
        InputError: There is nothing of that name, an event never occurs, or a number is out of range.
    """
    _check(wanted)
    plan = load_plan(workspace.plan_file)
    product = load_product(workspace.product_file, plan)
    experiments = load_experiments(workspace.product_file, plan, product)
    asked = list(_asked(workspace, name, experiments, product, wanted))
    log = open_log(workspace.root)
    for place, (definition, ahead) in enumerate(asked):
        if place:
            yield ""
        yield from _told(log, definition, ahead, product, wanted)


def _check(wanted: Wanted) -> None:
    if wanted.effect is not None and not 0 < wanted.effect < 10:
        raise InputError("effect is relative, such as 0.05 for 5 %")
    if not 0.05 < wanted.power < 1:
        raise InputError("power is a probability, such as 0.8")
    if not wanted.weeks or not all(1 <= each <= 520 for each in wanted.weeks):
        raise InputError("weeks are whole numbers from 1 to 520")


def _asked(
    workspace: Workspace,
    name: str,
    experiments: Mapping[str, ExperimentDefinition],
    product: Product,
    wanted: Wanted,
) -> Iterator[tuple[ExperimentDefinition | None, Ahead]]:
    from headway.experiments.ahead import ahead_of_experiment, ahead_of_metric

    options: dict[str, Any] = {"effect": wanted.effect, "after": wanted.after}
    named = _experiments_named(workspace, name, experiments)
    if not named and name not in product.metrics:
        raise InputError.unknown("experiment or metric", name, [*experiments, *product.metrics])
    if named:
        made = [
            (experiments[each], ahead_of_experiment(each, experiments[each], product, **options))
            for each in named
        ]
        asked: list[tuple[ExperimentDefinition | None, Ahead]] = [*made]
    else:
        asked = [(None, ahead_of_metric(name, product, **options))]
    for definition, ahead in asked:
        yield definition, ahead if wanted.since is None else ahead.aware_of(since=wanted.since)


def _experiments_named(
    workspace: Workspace, name: str, experiments: Mapping[str, ExperimentDefinition]
) -> list[str]:
    if name in experiments:
        return [name]
    files = {each.name: each for each in experiment_files(workspace.product_file)}
    file = files.get(Path(name).name)
    if file is None:
        return []
    # The names of a file's experiments stand at the start of its lines.
    told = file.read_text(encoding="utf-8").splitlines()
    return [each for each in experiments if any(line.startswith(f"{each}:") for line in told)]


def _told(
    log: Any, definition: ExperimentDefinition | None, ahead: Ahead, product: Product, wanted: Wanted
) -> Iterator[str]:
    from headway.experiments.ahead import outlook
    from headway.experiments.planning import aa_test
    from headway.selectors import as_event

    k = product.publishing.min_people
    found = outlook(log, ahead, wanted.weeks, power=wanted.power)
    first = found.row(0, named=True)
    title = product.metrics[ahead.name].title if definition is None else definition.title
    yield f"{ahead.name:16}{title}"
    yield f"{'history':16}{_history(first, as_event(ahead.history.exposed_by).label, ahead, k)}"
    rows = [_cells(row, k) for row in found.iter_rows(named=True)]
    yield from _table(rows, wanted.weeks)
    yield f"{'':16}found with a probability of {100 * wanted.power:g} %; zeros count, what was before is taken off"
    for row in found.iter_rows(named=True):
        if (why := _unsaid(row, k)) is not None:
            yield f"{'':16}{row['title']}: {why}"
    for what, why in ahead.left_out:
        yield f"{'':16}{what}: {why}"
    yield from _rule(ahead, definition, found, k)
    if wanted.aa:
        hidden = {row["metric"] for row in found.iter_rows(named=True) if _unsaid(row, k) is not None}
        for test in aa_test(log, ahead.history, draws=_AA_DRAWS):
            if test.metric not in hidden:
                yield f"{'split at random':16}{test.describe()}"


def _history(row: Mapping[str, Any], label: str, ahead: Ahead, k: int) -> str:
    unit = {"person": "people"}.get(ahead.history.unit, f"{ahead.history.unit}s")
    if row["units"] < k:
        return f"fewer than {k} {unit} have their window after {label!r} behind them"
    control, other = (f"{100 * share:.3g} %" for share in ahead.shares)
    return (
        f"{row['units']:,} {unit} have their window after {label!r} behind them; {row['units_per_day']:.3g} meet it a "
        f"day; {control} would be the control's, {other} a variant's"
    )


def _unsaid(row: Mapping[str, Any], k: int) -> str | None:
    """Why no number of an outcome may be told, None where it may."""
    some = None if row["zeros"] is None else round((1 - row["zeros"]) * row["units"])
    few = row["units"] < k or (some is not None and 0 < some < k)
    if few or (some is not None and row["unit"] == "percent" and 0 < row["units"] - some < k):
        return f"hidden, because fewer than {k} people were counted, did it, or did not"
    return None if row["reason"] is None else str(row["reason"])


def _cells(row: Mapping[str, Any], k: int) -> list[str]:
    named = [str(row["title"]), _ROLES[row["role"]]]
    if _unsaid(row, k) is not None:
        return named
    percent = row["unit"] == "percent"
    mean = f"{100 * row['mean']:.1f} %" if percent else f"{row['mean']:.3g}"
    effect = f"{row['weeks_needed']:,} for {100 * row['effect']:g} %"
    return [*named, mean, f"{row['variance']:.3g}", *(_percent(each) for each in row["smallest"]), effect]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _table(rows: Sequence[Sequence[str]], weeks: Sequence[int]) -> Iterator[str]:
    after = [f"{each} week{'' if each == 1 else 's'}" for each in weeks]
    head = ["smallest effect after", "", "mean", "variance", *after, "weeks needed"]
    full = [head, *([*row, *[""] * (len(head) - len(row))] for row in rows)]
    widths = [max(len(row[at]) for row in full) for at in range(len(head))]
    for row in full:
        cells = [
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _rule(
    ahead: Ahead, definition: ExperimentDefinition | None, found: pl.DataFrame, k: int
) -> Iterator[str]:
    rule = ahead.rule
    worth = "" if rule.worthwhile is None else f", or {100 * rule.worthwhile:g} % is no longer possible"
    yield f"{'rule':16}ship: a metric that decides is surely better, none is worse, every guardrail holds"
    yield f"{'':16}stop: one is surely worse, a guardrail is past its margin{worth}"
    when = "at any time" if ahead.method == "sequential" else "once, at the end"
    yield f"{'':16}judged {when}; at least {rule.minimum_units:,} units an arm"
    if definition is None:
        return
    days = (definition.end - definition.start).days + 1
    yield f"{'declared':16}{definition.start} to {definition.end}, {days} days of exposures"
    for row in found.iter_rows(named=True):
        if _unsaid(row, k) is not None:
            continue
        if row["units_per_day"] * days * min(ahead.shares) < rule.minimum_units:
            yield f"{'too short':16}an arm will not have {rule.minimum_units:,} units by then"
            break
    for row in found.filter(pl.col("role") != "secondary").iter_rows(named=True):
        if _unsaid(row, k) is None and 7 * (row["weeks_needed"] - 1) > days + _wait(ahead, row["metric"]):
            yield f"{'too short':16}{row['title']}: {_short(row)}"


def _short(row: Mapping[str, Any]) -> str:
    if row["role"] == "guardrail":
        margin = f"{100 * row['effect']:g} %"
        return f"{row['weeks_needed']:,} weeks show that it holds within {margin}; before, nothing ships"
    return f"{row['weeks_needed']:,} weeks find an effect of {100 * row['effect']:g} %"


def _wait(ahead: Ahead, metric: str) -> float:
    (outcome,) = (each for each in ahead.history.experiment.outcomes if each.name == metric)
    return (outcome.closes(ahead.history.window) or 0) / 86_400_000_000
