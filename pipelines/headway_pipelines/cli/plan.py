"""``headway plan``: what an experiment could find, and when."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_HELP = """Say what an experiment could find and how long it takes, from what people did so far.

NAME is an experiment, a file of experiments, or a metric. The table tells the mean and the variance between people,
the smallest relative effect that would be found after some weeks of exposures, and the weeks that the wanted effect
takes, the window at the end included. Of a guardrail: the weeks until it is shown to hold within its margin. Nothing is
read but what the last run loaded; what fewer people did than may be spoken of is hidden.
"""


def plan(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An experiment, a file of experiments, or a metric.")
    ],
    weeks: Annotated[
        list[int] | None, typer.Option("--weeks", help="Weeks of exposures; may be repeated (1, 2, 4, 8).")
    ] = None,
    effect: Annotated[
        float | None,
        typer.Option(help="Relative effect to find; without, what is declared worthwhile, else 0.05."),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            help="Event that could have exposed somebody; without, what is declared or the metric starts with."
        ),
    ] = None,
    power: Annotated[float, typer.Option(help="Probability of finding it.")] = 0.8,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the history.")
    ] = None,
    aa: Annotated[
        bool, typer.Option("--aa", help="Split the same people at random and count false claims.")
    ] = False,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="HEADWAY_WORKSPACE")
    ] = Path(),
) -> None:
    """Say what an experiment could find and how long it takes, from what people did so far."""
    from headway_pipelines.warehouse.planning import Wanted, plan_lines
    from headway_pipelines.workspace import Workspace

    day = None if since is None else since.date().isoformat()
    wanted = Wanted(tuple(weeks or (1, 2, 4, 8)), effect, after, power, day, aa)
    out = Console(highlight=False, soft_wrap=True)
    for line in plan_lines(Workspace.at(workspace), name, wanted):
        out.print(line, markup=False)


def register(app: typer.Typer) -> None:
    """Adds the command.

    Args:
        app: The command line.
    """
    app.command(help=_HELP)(plan)
