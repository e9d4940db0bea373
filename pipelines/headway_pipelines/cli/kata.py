"""`headway kata`: begin a kata, go on with it, look at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from headway.models.kata import Kata, Snapshot
    from headway.models.plan import TrackingPlan
    from headway.models.product import Product
    from headway_pipelines.workspace import Workspace

app = typer.Typer(
    name="kata",
    help="Improve towards a target, one step after the other: what is in the way, what to try, what came of it.",
    no_args_is_help=True,
)
_GAPS_SHOWN = 8
_out = Console(highlight=False, soft_wrap=True)

_Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="HEADWAY_WORKSPACE")
]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the kata.")]
_Day = Annotated[datetime | None, typer.Option("--by", formats=["%Y-%m-%d"], help="Until which day.")]


@app.command("new")
def new(
    name: _Name,
    title: Annotated[str, typer.Option(help="Its name for people.")],
    team: Annotated[str, typer.Option(help="The team, from strategy/*.yml.")],
    direction: Annotated[str, typer.Option(help="The intent, product or initiative that it serves.")],
    metric: Annotated[str, typer.Option(help="The metric of the target condition.")],
    value: Annotated[float, typer.Option(help="The value to reach; percent as a fraction.")],
    by: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Until which day.")],
    period: Annotated[str, typer.Option(help="Kind of period whose value counts.")] = "week",
    workspace: _Workspace = Path(),
) -> None:
    """Begin a kata: which direction, which target condition."""
    from headway_pipelines.strategy.kata_files import new_kata
    from headway_pipelines.workspace import Workspace

    target = {"metric": metric, "value": value, "by": by.date(), "period": period}
    path = new_kata(Workspace.at(workspace), name, title, team, direction, target)
    _say(f"kata            {path}")
    _say(
        f"next            headway kata next {name} --obstacle funnel:NAME:2 --try '...' --low ... --high ... --by DAY"
    )


@app.command("next")
def next_(
    name: _Name,
    learned: Annotated[
        str | None, typer.Option(help="What was learned from the open step; closes it.")
    ] = None,
    obstacle: Annotated[
        str | None,
        typer.Option(
            help="What is in the way: funnel:NAME:STEP, retention:NAME, survey:METRIC, topic:METRIC."
        ),
    ] = None,
    attempt: Annotated[str | None, typer.Option("--try", help="What is tried next.")] = None,
    low: Annotated[float | None, typer.Option(help="Lower end of what is expected of the metric.")] = None,
    high: Annotated[float | None, typer.Option(help="Upper end.")] = None,
    by: _Day = None,
    tests: Annotated[str | None, typer.Option(help="Option or experiment that it is.")] = None,
    workspace: _Workspace = Path(),
) -> None:
    """Close the open step with what was learned, begin the next one, or both."""
    from headway.errors import InputError
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.strategy.kata_files import Turn, next_step
    from headway_pipelines.workspace import Workspace

    parts = {"--obstacle": obstacle, "--try": attempt, "--low": low, "--high": high, "--by": by}
    given = [option for option, value in parts.items() if value is not None]
    if given and len(given) < len(parts):
        missing = ", ".join(option for option in parts if option not in given)
        raise InputError(
            f"a step needs {missing}, too: what is in the way, what is tried, what is expected by when"
        )
    turn = None
    if (
        obstacle is not None
        and attempt is not None
        and low is not None
        and high is not None
        and by is not None
    ):
        turn = Turn(obstacle, attempt, low, high, by.date(), tests)
    ready = Workspace.at(workspace)
    kata = next_step(ready, name, load_key(ready), learned=learned, turn=turn)
    _show(name, kata)


@app.command("show")
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One kata; without, all of them.")
    ] = None,
    workspace: _Workspace = Path(),
) -> None:
    """Show where the kata stand."""
    from headway.errors import InputError
    from headway.models.plan import load_plan
    from headway.models.product import load_product
    from headway.models.strategy import load_strategy
    from headway_pipelines.privacy.keys import load_key
    from headway_pipelines.strategy.kata_files import katas_of
    from headway_pipelines.workspace import Workspace

    ready = Workspace.at(workspace)
    plan = load_plan(ready.plan_file)
    product = load_product(ready.product_file, plan)
    katas = katas_of(ready, product, load_strategy(ready.root, product, plan), load_key(ready))
    if name is not None and name not in katas:
        raise InputError.unknown("kata", name, katas)
    if not katas:
        _say("no kata yet     begin one: headway kata new NAME --title ... --team ... --direction ...")
    for each, kata in katas.items():
        if name in (None, each):
            _show(each, kata)


def told_of_strategy(workspace: Workspace, product: Product, plan: TrackingPlan) -> Iterator[str]:
    """Says in `headway check` what the strategy files hold, and what they do not say yet.

    Args:
        workspace: The workspace.
        product: Its product.
        plan: Its tracking plan.

    Yields:
        Lines; none without strategy files.
    """
    from headway.models.kata import kata_files, load_kata
    from headway.models.strategy import strategy_files
    from headway.strategy import gaps
    from headway_pipelines.strategy.personal import strategy_of

    strategy = strategy_of(workspace.root, product, plan)
    if strategy_files(workspace.root):
        bets = sum(len(option.bets) for option in strategy.options.values())
        yield f"strategy        {len(list(strategy.nodes()))} nodes, {bets} bets"
        # What two people would read differently comes before what nobody has written yet.
        missing = sorted(
            gaps(strategy, today=datetime.now(UTC).date()),
            key=lambda gap: gap.missing not in ("team", "one at a time"),
        )
        for gap in missing[:_GAPS_SHOWN]:
            yield f"                {gap.node or gap.section}: {gap.ask}"
        if len(missing) > _GAPS_SHOWN:
            yield f"                and {len(missing) - _GAPS_SHOWN} more questions, in the report"
    if katas := [load_kata(path, product, strategy) for path in kata_files(workspace.root)]:
        yield f"kata            {len(katas)}, {sum(len(kata.steps) for kata in katas)} steps"


def told_of_ledger(workspace: Workspace, product: Product, plan: TrackingPlan) -> Iterator[str]:
    """Says in `headway check` what of bets and kata the files say otherwise than when it was frozen and measured.

    Args:
        workspace: The workspace; it has a key.
        product: Its product.
        plan: Its tracking plan.

    Yields:
        Lines; none without bets.
    """
    from headway_pipelines.strategy.personal import strategy_of
    from headway_pipelines.strategy.tables import has_strategy
    from headway_pipelines.strategy.told import ledger_told

    if has_strategy(workspace):
        yield from ledger_told(workspace, product, strategy_of(workspace.root, product, plan))


def _show(name: str, kata: Kata) -> None:
    from headway.strategy import came

    target = kata.target
    _say(f"{name}: {kata.title} ({kata.team}, for {kata.direction})")
    _say(f"  target        {target.metric} {target.value:g} by {target.by} ({target.period})")
    for number, step in enumerate(kata.steps, start=1):
        _say(f"  {number}. {step.date}  {_value(step.current)}; in the way: {step.obstacle.label}")
        _say(f"     try         {step.attempt}")
        _say(f"     expected    {step.expect.low:g} to {step.expect.high:g} by {step.expect.by}")
        if step.happened is not None:
            _say(f"     happened    {_value(step.happened)} on {step.happened.taken}: {came(step)}")
            _say(f"     learned     {step.learned}")


def _value(snapshot: Snapshot) -> str:
    return "no value" if snapshot.value is None else f"{snapshot.value:g}"


def _say(text: str) -> None:
    _out.print(text, markup=False)
