"""What README and docs/ show is run here: commands, queries, Python, YAML, paths and links."""

from __future__ import annotations

import ast
import json
import re
import secrets
import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click
import pytest

import headway as hw
from headway.engine import connect
from headway.insights import Result
from headway.macros import MACROS
from headway.models.experiments import parse_experiments
from headway.models.metrics import KINDS
from headway.models.plan import load_plan, parse_plan
from headway.models.product import SessionRules, load_product, parse_product
from headway_pipelines.sources.config import parse_sources
from headway_pipelines.sources.formats import formats, plain_formats

with warnings.catch_warnings():
    # Typer still imports a name that Click has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import typer

    from headway_pipelines.cli.commands import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
README = ROOT / "README.md"
Command = Callable[..., "subprocess.CompletedProcess[str]"]
EVENTS_IN_PAGES = ("Signed Out",)
DEFAULTS = "{purpose: test, owner: test, retention: 1 month}"
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


class Demo(Protocol):
    """The fixture `demo_workspace`."""

    root: Path
    printed: str


@dataclass(frozen=True)
class Fenced:
    """One fenced block of a page."""

    page: Path
    language: str
    text: str
    following: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.text.splitlines()[0][:40]}"


def blocks(page: Path, language: str = "") -> list[Fenced]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    texts = [text for _, text in found] + [""]
    every = [Fenced(page, lang, text, texts[i + 1]) for i, (lang, text) in enumerate(found)]
    return [block for block in every if language in ("", block.language)]


def everywhere(language: str) -> list[Fenced]:
    return [block for page in PAGES for block in blocks(page, language)]


def command_line() -> click.Group:
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group)
    return group


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):.*##", text, re.MULTILINE))


def test_blocks_are_of_kinds_that_are_checked() -> None:
    kinds = {block.language for page in PAGES for block in blocks(page)}
    assert kinds == {"sh", "text", "sql", "python", "yaml"}


@pytest.mark.parametrize("block", everywhere("sh"), ids=str)
def test_commands_exist(block: Fenced) -> None:
    for line in block.text.splitlines():
        program, *arguments = line.split()
        if program == "make":
            assert set(arguments) <= targets(), line
        elif program == "headway":
            command = command_line().commands[arguments[0]]
            known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
            assert {a for a in arguments[1:] if a.startswith("-")} <= known, line
        else:
            assert line == "source .venv/bin/activate"


def test_every_command_and_option_named_in_prose_exists() -> None:
    for page in PAGES:
        for words in re.findall(r"`headway ([^`]+)`", page.read_text(encoding="utf-8")):
            assert words.split()[0] in command_line().commands, (page.name, words)
        for words in re.findall(r"`make ([a-z]+)`", page.read_text(encoding="utf-8")):
            assert words in targets(), (page.name, words)


def test_every_command_is_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    for name in command_line().commands:
        assert f"| `headway {name}` |" in text, name


def test_make_help_lists_the_targets() -> None:
    # --no-print-directory: the tests themselves may run under make, which would announce each folder it enters
    command = ["make", "--no-print-directory", "help"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in printed.splitlines()} == targets()


def shape(text: str) -> list[str]:
    """What a run prints without the parts that depend on the size of the demo and where it lies."""
    lines = [re.sub(r"\S*/demo/", "…/demo/", line) for line in text.strip().splitlines()]
    return [re.sub(r"\d{4}-\d\d-\d\d|[\d,]+", "N", line) for line in lines]


def test_the_demo_prints_what_the_readme_says(demo_workspace: Demo) -> None:
    (block,) = [b for b in blocks(README, "sh") if b.text == "make demo\n"]
    assert shape(demo_workspace.printed) == shape(block.following)


@pytest.fixture
def demo(demo_workspace: Demo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's folder; its parent is the working directory, as the repository is for who follows README."""
    monkeypatch.chdir(demo_workspace.root.parent)
    return demo_workspace.root


def headings(table: str) -> list[list[str]]:
    """Names and types of a printed table."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in table.splitlines()[1:3]]


@pytest.mark.parametrize("block", everywhere("sql"), ids=str)
def test_queries_run_and_look_as_shown(block: Fenced, demo: Path) -> None:
    file, query = re.match(r"-- (\S+)\n(.*)", block.text, re.DOTALL).groups()  # type: ignore[union-attr]
    con = connect(demo.parent / file, read_only=True)
    try:
        relation = con.sql(query)
        # a printed table calls the integers otherwise
        types = [str(t).replace("BIGINT", "int64").replace("INTEGER", "int32") for t in relation.types]
        shown = [relation.columns, [kind.lower() for kind in types]]
        assert shown == headings(block.following)
        rows = relation.fetchall()
    finally:
        con.close()
    assert len(rows) == len(block.following.splitlines()) - 5


def test_python_runs(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in blocks(README, "python"):
        exec(compile(block.text, "README.md", "exec"), names)
    assert "People who did Signed Up → Course Created → Course Published" in capsys.readouterr().out
    for name in ("funnel", "back", "weekly", "active"):
        result = names[name]
        assert all(hasattr(result, part) for part in ("frame", "figure", "sql", "describe")), name
    names["log"].close()  # type: ignore[attr-defined]


def test_python_of_the_detection_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in blocks(ROOT / "docs" / "detection.md", "python"):
        exec(compile(block.text, "detection.md", "exec"), names)
    assert "types={'email': 1, 'phone': 1}" in capsys.readouterr().out
    assert names["found"].cleaned == ["spring_sale", "[email]", "call [phone]"]


def test_python_of_the_properties_page_runs(demo: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs" / "properties.md", "python"):
        exec(compile(block.text, "properties.md", "exec"), names)
    assert all(names[name].frame["value"].sum() > 0 for name in ("weekly", "by_role", "schools"))  # type: ignore[attr-defined]
    names["log"].close()  # type: ignore[attr-defined]


def test_python_of_the_insights_page_runs(demo: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs" / "insights.md", "python"):
        exec(compile(block.text, "insights.md", "exec"), names)
    results = [value for value in names.values() if isinstance(value, Result)]
    assert len(results) >= 9 and all(result.frame.height for result in results)
    names["log"].close()  # type: ignore[attr-defined]


def test_python_of_the_trends_page_runs(demo: Path) -> None:
    names: dict[str, Any] = {}
    heights = []
    for block in blocks(ROOT / "docs" / "trends.md", "python"):
        for statement in ast.parse(block.text).body:
            if isinstance(statement, ast.Expr):
                # the page shows questions; here each of them is asked
                question = eval(compile(ast.Expression(statement.value), "trends.md", "eval"), names)
                heights.append(question.run(names["log"]).frame.height)
            else:
                exec(compile(ast.Module([statement], []), "trends.md", "exec"), names)
    assert len(heights) >= 8 and all(heights)
    names["log"].close()


def test_python_of_the_experiments_page_runs(demo: Path) -> None:
    names: dict[str, Any] = {}
    for block in blocks(ROOT / "docs" / "experiments.md", "python"):
        exec(compile(block.text, "experiments.md", "exec"), names)
    assert names["decision"] in ("ship", "stop", "continue", "inconclusive")
    assert all(
        names[name].height for name in ("effects", "segments", "novelty", "needed", "split", "stages", "both")
    )
    assert "were promised" in names["promise"]
    names["log"].close()


def test_every_insight_has_a_section_and_the_first_table_leads_to_each() -> None:
    page = (ROOT / "docs" / "insights.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", page, re.MULTILINE)
    insights = {
        name for name in hw.__all__ if isinstance(made := getattr(hw, name), type) and hasattr(made, "run")
    }
    assert len(insights) > 10 and insights <= set(sections)
    led = re.findall(r"\]\(#([a-z-]+)\)", page.split("\n\n", 2)[1])
    assert led == list(dict.fromkeys(led))
    assert sorted(led) == sorted(section.lower().replace(" ", "-") for section in sections)


def test_the_macros_shown_are_those_of_the_demo(demo: Path) -> None:
    page = (ROOT / "docs" / "insights.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `(\w+)\(", page.split("## Without Python", 1)[1], re.MULTILINE)
    con = connect(demo / "warehouse" / "explore.duckdb", read_only=True)
    try:
        listed = con.execute(
            "SELECT function_name FROM duckdb_functions() WHERE comment LIKE '%:=%'"
        ).fetchall()
    finally:
        con.close()
    assert sorted(shown) == sorted(name for (name,) in listed) == sorted(MACROS)
    queries = "".join(block.text for page in PAGES for block in blocks(page, "sql"))
    assert "FROM funnel(" in queries and "FROM retention(" in queries


@pytest.mark.parametrize("block", everywhere("yaml"), ids=str)
def test_definitions_can_be_read(block: Fenced) -> None:
    file, part = block.text.split("\n", 1)
    plans = [b.text for b in blocks(block.page, "yaml") if b.text.startswith("# tracking_plan.yml\n")]
    if file == "# tracking_plan.yml":
        assert parse_plan(block.text).events
    elif file == "# product.yml" and plans:
        # a product builds on the plan shown on the same page
        assert parse_product(block.text, parse_plan(plans[0])).name
    elif file == "# product.yml":
        # a part of the file: it must fit into a product that knows every event a page names
        events = "".join(f"  {name}:\n" for name in EVENTS_IN_PAGES)
        plan = parse_plan(f"version: 1\nproduct: x\ndefaults: {DEFAULTS}\nevents:\n{events}")
        parse_product(f"name: X\ntimezone: UTC\ncurrency: EUR\nactivity: Signed Out\n{part}", plan)
    elif file.startswith("# experiments/"):
        demo = ROOT / "pipelines" / "headway_pipelines" / "demo"
        plan = load_plan(demo / "tracking_plan.yml")
        assert parse_experiments({"shown.yml": part}, plan, load_product(demo / "product.yml", plan))
    else:
        assert file == "# sources.yml"
        assert len(parse_sources(block.text)) >= 2


def test_the_rules_of_sessions_shown_are_the_defaults() -> None:
    plan, product = (b.text for b in blocks(ROOT / "docs" / "sessions.md", "yaml"))
    assert parse_product(product, parse_plan(plan)).sessions == SessionRules()


def test_every_kind_of_metric_is_described() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page, re.MULTILINE) == list(KINDS)


def test_every_format_is_described_and_what_it_needs_is_true() -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", page.split("## ", 1)[0], re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(formats())
    assert sorted(name for name, needs in rows if needs.startswith("nothing")) == sorted(plain_formats())


def test_the_steps_for_own_logs_work(demo: Path, tmp_path: Path, headway: Command) -> None:
    (block,) = [b for b in blocks(README, "sh") if "headway init" in b.text]
    logs = tmp_path / "path" / "to" / "logs"
    # ten days are enough to try the steps
    for day in sorted((demo / "raw").iterdir())[:10]:
        shutil.copytree(day, logs / day.name)
    key = tmp_path / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    for line in block.text.splitlines()[1:]:
        done = headway(*line.split()[1:], cwd=tmp_path, key_file=key)
        assert done.returncode == 0, (line, done.stderr)
    assert len(load_plan(tmp_path / "shop" / "tracking_plan.yml").events) > 5
    assert (tmp_path / "shop" / "report" / "index.html").is_file()


def table_paths(page: Path, heading: str) -> list[str]:
    """The paths in the first column of the table after a sentence."""
    after = page.read_text(encoding="utf-8").split(heading, 1)[1].lstrip()
    rows = after.split("\n\n", 1)[0].splitlines()[2:]
    return [path for row in rows for path in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_workspace_is_as_described(demo: Path) -> None:
    paths = table_paths(README, "A workspace is one folder per product:")
    assert len(paths) == 9
    assert [p for p in paths if p != "sources.yml" and not (demo / p).exists()] == []


def test_the_repository_is_as_described() -> None:
    paths = table_paths(README, "The repository:") + table_paths(ROOT / "CONTRIBUTING.md", "## Map")
    assert len(paths) > 12
    assert [p for p in paths if not (ROOT / p).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("https://", "#")):
            assert (page.parent / target.split("#")[0]).exists(), target


def test_the_picture_is_small() -> None:
    picture = ROOT / "docs" / "images" / "report.png"
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) < 400_000
    assert int.from_bytes(content[16:20], "big") == 1280


def test_records_are_numbered_and_complete() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for path in RECORDS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: ")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences")), path.name
        title = text.splitlines()[0].split(": ", 1)[1]
        assert f"| [{path.name[:4]}]({path.name}) | {title} |" in index


def test_the_notebook_carries_no_results() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in cells)
