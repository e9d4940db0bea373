"""Rules of this repository that no other tool checks. CONTRIBUTING.md says why each exists."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.engine import connect

ROOT = Path(__file__).resolve().parents[1]
ROOTS = {"headway": ROOT / "metrics", "headway_pipelines": ROOT / "pipelines"}
MOST_LINES = 450
#: Modules that read raw bytes or hold raw values; only the privacy package may use them.
RAW_MODULES = ("opening", "framing", "columnar", "delimited", "tables")


def modules(package: str = "") -> list[Path]:
    """The Python files of both packages, or of one."""
    roots = [ROOTS[package] / package] if package else [folder / name for name, folder in ROOTS.items()]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every imported module or name, in full, with where."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def tracked() -> list[Path]:
    """Every file of the repository; where this is no checkout, the files of the folders that a checkout has."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
    folders = ("metrics", "pipelines", "tests", "docs", "notebooks")
    return [p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix != ".pyc"]


def relative(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_the_rules_see_the_code() -> None:
    assert len(modules("headway")) > 20 and len(modules("headway_pipelines")) > 40 and len(tracked()) > 150


def test_source_roots_hold_packages_only() -> None:
    for name, root in ROOTS.items():
        assert list(root.glob("*.py")) == []
        assert [p.name for p in root.iterdir() if (p / "__init__.py").exists()] == [name]


def test_queries_of_the_pipelines_lie_in_packages() -> None:
    """Each step of the flow is a package; in the root is only what starts a run and what all steps share."""
    assert list((ROOTS["headway_pipelines"] / "headway_pipelines").glob("*.sql")) == []


def test_the_library_never_imports_the_pipelines() -> None:
    guilty = [
        p for p in modules("headway") if any(n.split(".")[0] == "headway_pipelines" for n, _ in imports(p))
    ]
    assert relative(guilty) == []


def test_the_library_knows_nothing_of_dagster() -> None:
    heavy = {"dagster", "great_expectations"}
    assert relative([p for p in modules("headway") if heavy & {n.split(".")[0] for n, _ in imports(p)}]) == []


def test_only_the_privacy_package_reads_raw_files() -> None:
    raw = {f"headway_pipelines.privacy.{name}" for name in RAW_MODULES}
    guilty = [
        path
        for path in modules()
        if path.parent.name != "privacy" and any(name in raw for name, _ in imports(path))
    ]
    assert relative(guilty) == []


def test_only_one_module_opens_duckdb() -> None:
    called = re.compile(r"\bduckdb\s*\.\s*connect\s*\(")
    assert relative([p for p in modules() if called.search(p.read_text(encoding="utf-8"))]) == [
        "metrics/headway/engine/duck.py"
    ]
    assert relative([p for p in modules() if any(n == "duckdb.connect" for n, _ in imports(p))]) == []


def test_great_expectations_is_imported_late() -> None:
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not any(name.startswith("great_expectations") for name in names), path


@pytest.mark.parametrize(
    "imported",
    [
        "headway",
        "headway_pipelines.cli.commands, headway_pipelines.run, headway_pipelines.strategy.after_run",
    ],
    ids=["the library", "a run with nothing new"],
)
def test_importing_stays_light(imported: str) -> None:
    heavy = ["dagster", "great_expectations", "plotly", "pandas", "scipy"]
    heavy += ["headway_pipelines"] if imported == "headway" else ["headway.feed", "headway.frameworks"]
    code = f"import sys, {imported}; print([m for m in {heavy!r} if m in sys.modules])"
    paths = [str(root) for root in ROOTS.values()]
    program = f"import sys; sys.path[:0] = {paths!r}; {code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        # The patterns are written so that they do not find themselves.
        (
            "a package registry or proxy",
            r"https?://[^\s\"')]*(?:arti" r"factory|nexus|devpi|/sim" r"ple/?\b|/py" r"pi/)",
        ),
        ("a path of one machine", r"(?<![\w.])/(?:work|home/[a-z]\w*|Users/[A-Za-z]\w*|tmp/lab)" r"/"),
        (
            "a place that takes telemetry",
            r"(?i)\b(?:app|eu|us)\.i?\.?post"
            r"hog\.com|api\.segment"
            r"\.io|/telemetry/v[0-9]|sentry"
            r"\.io",
        ),
    ],
)
def test_no_file_names(what: str, pattern: str) -> None:
    guilty = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        guilty += [
            f"{path.relative_to(ROOT)}:{text[: m.start()].count(chr(10)) + 1}"
            for m in re.finditer(pattern, text)
        ]
    assert guilty == [], f"these places name {what}"


def test_telemetry_of_the_tools_is_off() -> None:
    for name in ("dagster_home/dagster.yaml", "pipelines/headway_pipelines/dagster.yaml"):
        assert re.search(r"telemetry:\s*\n\s+enabled: false", (ROOT / name).read_text(encoding="utf-8")), name


def queries() -> list[Path]:
    return sorted(path for root in ROOTS.values() for path in root.rglob("*.sql"))


def test_every_query_states_grain_and_inputs() -> None:
    assert len(queries()) > 50
    bare = []
    for path in queries():
        lines = path.read_text(encoding="utf-8").splitlines()
        header = "\n".join(line for line in lines if line.startswith("--")).lower()
        if path.name == "ledger.sql":  # the ledger's tables, not a query: it says what one row of each is
            assert header.count("one row per") >= 6
        elif not lines[0].startswith("--") or "grain" not in header or "inputs" not in header:
            bare.append(path)
    assert relative(bare) == []


def test_modules_stay_readable() -> None:
    long = {p: n for p in modules() if (n := len(p.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    assert {p.relative_to(ROOT).as_posix(): n for p, n in long.items()} == {}


@pytest.fixture
def hive(tmp_path: Path) -> str:
    """Ten folders p=0 … p=9 of 1,000 rows each; every key u lies in several of them."""
    con = connect()
    con.execute(
        "COPY (SELECT i % 10 AS p, (i * 7919) % 97 AS u FROM range(10000) t(i)) "
        f"TO '{tmp_path / 'hive'}' (FORMAT parquet, PARTITION_BY (p))"
    )
    con.close()
    return str(tmp_path / "hive" / "*" / "*.parquet")


def test_windows_over_filtered_files_are_right(hive: str) -> None:
    """DuckDB 2.0.0: the optimizer `window_self_join` loses the file filter of one side; the door disables it.

    Truth by hand from the rows of the one folder, without any window: a key that occurs m times adds m * m.
    """
    con = connect()
    try:
        (setting,) = con.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0]
        assert "window_self_join" in setting
        rows = [(i * 7919) % 97 for i in range(10000) if i % 10 == 5]
        truth = sum(rows.count(u) ** 2 for u in set(rows))
        found = con.execute(
            "SELECT sum(m) FROM (SELECT count(*) OVER (PARTITION BY u) AS m "
            "FROM read_parquet($files, hive_partitioning = true) WHERE p = 5)",
            {"files": hive},
        ).fetchall()[0][0]
        assert found == truth
    finally:
        con.close()
