"""The command line.

Exit codes: 0 done, 1 a check held something back, 2 the input cannot be used, 3 an internal fault.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from headway_pipelines.cli import audit as audits
from headway_pipelines.cli import kata as katas
from headway_pipelines.cli import plan as plans
from headway_pipelines.cli.rights import add_commands as add_rights

if TYPE_CHECKING:
    from headway_pipelines.inputs import ReadInput
    from headway_pipelines.recognition import Recognition
    from headway_pipelines.run import Outcome
    from headway_pipelines.workspace import Workspace

app = typer.Typer(
    name="headway",
    help="Outcomes instead of output: private, exact AARRR and HEART metrics from raw event logs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
audits.register(app)
plans.register(app)
app.add_typer(katas.app)
add_rights(app)
_INTERRUPTED = 130
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="HEADWAY_WORKSPACE")
]


@app.command()
def demo(
    people: Annotated[int, typer.Option(min=50, max=1_000_000, help="People to simulate.")] = 5_000,
    days: Annotated[int, typer.Option(min=14, max=730, help="Days to simulate.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed writes the same logs.")] = 7,
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="Where to build it.")] = Path("demo"),
) -> None:
    """Simulate an online course marketplace with planted truth, run everything, print where the report is."""
    from headway_pipelines.demo_workspace import build_demo, tell_kata

    ready = build_demo(workspace.expanduser().absolute(), people=people, days=days, seed=seed, announce=_say)
    done = _run(ready, ())
    tell_kata(ready, people=people, days=days, seed=seed)
    _report(ready, done)


@app.command()
def init(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new workspace.")],
    paths: Annotated[list[Path], typer.Option("--from", help="Log file or folder; may be repeated.")],
    source: Annotated[
        str | None,
        typer.Option(
            help="Format of all files, instead of looking; an unknown one lists all. "
            "Formats with a mapping are described in DIR/sources.yml."
        ),
    ] = None,
) -> None:
    """Make a workspace on a product's own logs: recognise them, write a first plan and product file."""
    from headway_pipelines.init_workspace import init_workspace

    made = init_workspace(root, paths, source)
    ready = made.workspace
    _say_recognised(made.recognition)
    if ready.sources_file.exists():
        guessed = any(each.guessed for each in made.recognition.sources)
        todo = "check what is guessed there" if guessed else "says how files are read"
        _say(f"sources         {todo}: {ready.sources_file}")
    _say(f"looked at       {made.lines:,} lines")
    _say(
        f"tracking plan   {made.events} events, {made.properties} properties, {made.sensitive} look personal"
    )
    _say(f"                read it before the first run: {ready.plan_file}")
    _say(f"product         replace the example metrics: {ready.product_file}")
    _say(f"raw logs        linked, read in place, never copied: {ready.raw}")
    if not made.follows:
        _say("                link later files below raw/ too, or start again from one folder")
    _say(f"next            headway check -w {root}; headway run -w {root}")


@app.command()
def run(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders below raw/ (default: all).")
    ] = None,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Ingest what is new, recompute what it touches, publish."""
    root = workspace.expanduser().absolute()
    _report(root, _run(root, tuple(paths or ())))


@app.command()
def dev(
    workspace: WorkspaceOption = Path(),
    port: Annotated[int, typer.Option(help="Port on the loopback interface.")] = 3000,
) -> None:
    """Open Dagster's UI and daemon on a workspace, on this machine only."""
    from headway_pipelines.run import dagster_environment
    from headway_pipelines.workspace import Workspace

    dagster_environment(Workspace.at(workspace))
    dagster = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    command = [dagster, "dev", "-m", "headway_pipelines.definitions", "-h", "127.0.0.1", "-p", str(port)]
    _say(f"Dagster on http://127.0.0.1:{port} (stop with Ctrl-C)")
    # Dagster ends on SIGTERM as on Ctrl-C: started in a shell's background, which ignores Ctrl-C, nothing would end it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.execvp(command[0], command)


@app.command()
def check(workspace: WorkspaceOption = Path()) -> None:
    """Check the workspace's definitions and key without reading any log."""
    from headway.errors import InputError
    from headway.models.experiments import load_experiments
    from headway.models.explain import listed
    from headway.models.plan import load_plan
    from headway.models.product import load_product
    from headway.models.product_checks import overdue_targets
    from headway_pipelines.ingest import landed
    from headway_pipelines.inputs import read_inputs
    from headway_pipelines.noise import check_noise
    from headway_pipelines.privacy.keys import key_file, load_key
    from headway_pipelines.publishing.publish import months_never_shown
    from headway_pipelines.recognition import described
    from headway_pipelines.sources.config import load_sources
    from headway_pipelines.workspace import Workspace

    ready = Workspace.at(workspace)
    plan = load_plan(ready.plan_file)
    product = load_product(ready.product_file, plan)
    sources = load_sources(ready)
    _say(f"tracking plan   {len(plan.events)} events, {len(plan.columns())} properties")
    _say(f"product         {len(product.metrics)} metrics, {len(product.funnels)} funnels")
    if hidden := months_never_shown(product):
        _say(f"                months of {listed(hidden)} will not be published beside weeks:")
        _say("                give them grains: [day, week, month], or months or weeks alone")
    if late := overdue_targets(product, datetime.now(ZoneInfo(product.timezone)).date()):
        _say(f"                the date of the target of {listed(late)} is past:")
        _say("                give it a new one, or take it off if nobody aims at it any more")
    check_noise(product)
    for name, each in read_inputs(ready.inputs, product).items():
        _say(f"side input      {name}: {each.rows.height:,} rows{_rejected(each)}")
    if experiments := load_experiments(ready.product_file, plan, product):
        _say(f"experiments     {len(experiments)}")
    for line in katas.told_of_strategy(ready, product, plan):
        _say(line)
    _say(f"sources         {', '.join(f'{s.name} ({s.format})' for s in sources)}")
    with suppress(InputError):  # there may be no log yet
        _say_claimed(described([each.relative for each in landed(ready)], sources))
    if (ready.state / "vault").exists() or key_file(ready).exists():
        _say(f"key             {load_key(ready, create=False).id} at {key_file(ready)}")
        _say("                back it up: a lost key means new ids for everybody")
    else:
        _say(f"key             will be made on the first run at {key_file(ready)}")
        return
    for line in katas.told_of_ledger(ready, product, plan):
        _say(line)


@app.command()
def report(workspace: WorkspaceOption = Path()) -> None:
    """Write the report again from the published database."""
    from headway_pipelines.report import write_report
    from headway_pipelines.workspace import Workspace

    _say(f"report  {write_report(Workspace.at(workspace))}")


def _rejected(each: ReadInput) -> str:
    if each.rejects.is_empty():
        return ""
    _, line, reason = each.rejects.row(0)
    return f"; {each.rejects.height:,} cannot be used, the first in line {line}: {reason}"


def _say_recognised(recognition: Recognition) -> None:
    from headway_pipelines.recognition import files

    for source in recognition.sources:
        kind = source.format if source.name == source.format else f"{source.name} ({source.format})"
        for why, count in source.why:
            _say(f"{'guessed' if source.guessed else 'recognised':16}{kind}, {files(count)}: {why}")
    _say_unclaimed(recognition)


def _say_claimed(recognition: Recognition) -> None:
    from headway_pipelines.recognition import files

    for source in recognition.sources:
        _say(f"                {source.name} reads {files(len(source.files))}")
    _say_unclaimed(recognition)


def _say_unclaimed(recognition: Recognition) -> None:
    from headway_pipelines.recognition import files

    if recognition.unknown:
        _say(f"left alone      {files(len(recognition.unknown))} that no source reads")
        for line in recognition.left_alone():
            _say(f"                {line}")
    if recognition.contested:
        _say(f"claimed twice   {files(recognition.contested)}: the first source in sources.yml reads them")


def _run(root: Path, paths: tuple[Path, ...]) -> Outcome:
    from headway_pipelines.run import run as run_all
    from headway_pipelines.workspace import Workspace

    return run_all(Workspace.at(root), paths, announce=_say)


def _report(root: Path, outcome: Outcome) -> None:
    """Prints what a run did and where its results are; leaves with 1 when something was held back."""
    from headway_pipelines.cli.run import told_of_run
    from headway_pipelines.workspace import Workspace

    workspace = Workspace(root)
    for line in told_of_run(outcome):
        _say(line)
    for title, files in (("held back", outcome.blocked), ("damaged", outcome.damaged)):
        for label, note in files.items():
            _err.print(f"{title}: {label}: {note}", markup=False)
    if outcome.unfinished:
        _say(f"{outcome.unfinished} files wait until their export is finished")
    for name in outcome.problems:
        _err.print(f"check failed: {name}; see 'headway dev' for details", markup=False)
    _say_strategy(workspace)
    for title, path in (
        ("report", workspace.report / "index.html"),
        ("published database", workspace.published_db),
        ("team's database", workspace.explore_db),
    ):
        if path.exists():
            _say(f"{title:20}{path}")
    if outcome.blocked or outcome.damaged or outcome.problems:
        raise typer.Exit(1)


def _say_strategy(workspace: Workspace) -> None:
    """How bets stand after a run, and what about them or kata was rewritten."""
    from headway_pipelines.strategy.after_run import bets_told, problems_told

    for line in bets_told(workspace):
        _say(line)
    for line in problems_told(workspace):
        _err.print(line, markup=False)


def _say(text: str) -> None:
    _out.print(text, markup=False)


def main() -> None:
    """Runs the command line; a user's mistake ends with a sentence, never a traceback."""
    os.umask(0o077)
    try:
        # Without its standalone mode typer hands exit codes back instead of leaving with them.
        code = app(standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except Exception as error:
        from headway_pipelines.cli.errors import explain

        code = explain(error, _err)
    if code == _INTERRUPTED:
        _err.print("interrupted; the previous state is intact")
    sys.exit(code)


if __name__ == "__main__":
    main()
