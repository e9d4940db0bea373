"""Whatever is wrong with the input, the disk or the key: one clear sentence, the right exit code, nothing half-done.

Exit codes: 1 something was held back, 2 the input (or the machine) cannot be used, 3 an internal fault.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import run_here
from shop import Shop, track

from headway_pipelines import ingest
from headway_pipelines.lake import promote
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.people import tables as people_tables
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.report import write as report_write
from headway_pipelines.warehouse import databases

ROOT = Path(__file__).resolve().parents[2]
#: Stands in for whatever a log may hold; no message may quote it.
SECRET = "grizelda.quux@example.com"


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Store:
    """A shop with results, to be spoiled."""

    shop: Shop
    key: Path
    say: Callable[..., Said]

    @property
    def root(self) -> Path:
        return self.shop.root

    def run(self, *paths: str) -> Said:
        return self.say("run", "--workspace", str(self.root), *paths)

    def shown(self) -> dict[str, str]:
        """Everything a reader may have open, by content."""
        files = [p for name in ("published", "report", "state") for p in (self.root / name).rglob("*")]
        files += [*self.shop.workspace.lake.rglob("*"), self.shop.workspace.explore_db]
        return {
            p.relative_to(self.root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in files
            if p.is_file()
        }

    def leftovers(self) -> list[str]:
        """Files that a step writes before it renames them."""
        return [
            p.relative_to(self.root).as_posix()
            for p in self.root.rglob(".*")
            if p.name not in (".lock", ".logs_queue") and "dagster" not in p.parts
        ]


def story(first: int, count: int) -> list[dict[str, Any]]:
    return [
        call
        for i in range(first, first + count)
        for call in (
            track("Page Viewed", i, device=f"d{i}", url="https://shop.example.com/", title=SECRET),
            track("Signed Up", i + 1, user=f"u{i}", device=f"d{i}", method="email"),
            track("Order Completed", i + 2, user=f"u{i}", amount=9, email=SECRET),
        )
    ]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs the command line in this process."""

    def command(*arguments: str) -> Said:
        capfd.readouterr()
        code = run_here(*arguments, keep=False).returncode
        said = Said(code, *capfd.readouterr())
        assert "Traceback" not in said.out + said.err
        assert SECRET not in said.out + said.err
        return said

    return command


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after a first run, and its key beside it."""
    folder = tmp_path_factory.mktemp("finished")
    key = folder / "shop.key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o600)
    shop = Shop(folder / "shop")
    shop.land("first.json", story(0, 30))
    done = run_here("run", "--workspace", str(shop.root), key_file=key)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture
def store(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[..., Said]) -> Store:
    """A copy of the finished workspace that a test may spoil."""
    folder = tmp_path / "store"
    shutil.copytree(finished, folder)
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(folder / "shop.key"))
    shop = Shop(folder / "shop")
    return Store(shop, folder / "shop.key", say)


# -- nothing is read -----------------------------------------------------------------------------------------------


def refused(store: Store, said: Said, *words: str) -> None:
    """One sentence, exit code 2, everything as it was."""
    assert said.code == 2
    for word in words:
        assert word in said.err.replace("\n", " "), said.err
    assert said.err.startswith("headway: ")


def test_a_workspace_that_is_none(say: Callable[..., Said], tmp_path: Path) -> None:
    said = say("run", "--workspace", str(tmp_path / "nowhere"))
    assert said.code == 2
    assert "the folder does not exist" in said.err
    assert "headway init" in said.err
    said = say("run", "--workspace", str(tmp_path))
    assert said.code == 2
    assert "it has no tracking_plan.yml and no product.yml" in said.err
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(say: Callable[..., Said]) -> None:
    said = say("run", "--wurkspace", "x")
    assert said.code == 2
    assert "--wurkspace" in said.err


def test_paths_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    before = store.shown()
    refused(store, store.run("nope.json"), "nope.json does not exist, neither as given nor below")
    (tmp_path / "elsewhere.json").write_text("{}")
    refused(store, store.run(str(tmp_path / "elsewhere.json")), "is not below", "move or link it there")
    shutil.rmtree(store.shop.workspace.raw)
    refused(store, store.run(), "raw does not exist", "Put the product's event logs there")
    store.shop.workspace.raw.mkdir()
    refused(store, store.run(), "no event logs under", "Put the product's raw logs there")
    assert store.shown() == before


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("product.yml", "start: Signed Up", "start: Sign Up", ("product.yml:", "'Sign Up'", "Signed Up")),
        ("product.yml", "within: 7d", "within: 7 parsecs", ("product.yml:", "7 parsecs")),
        ("product.yml", "name: Shop", "name: [Shop", ("product.yml:",)),
        ("product.yml", "kind: new_people", "kind: old_people", ("product.yml:", "old_people")),
        ("tracking_plan.yml", "class: bool", "class: string", ("tracking_plan.yml:", "string")),
        ("tracking_plan.yml", "events:", "evnts:", ("tracking_plan.yml:", "evnts")),
        ("sources.yml", None, "sources: {web: {format: segmnt}}", ("sources.yml:1", "segmnt")),
        ("sources.yml", None, "sources: [", ("sources.yml:",)),
    ],
)
def test_definitions_that_say_nothing_usable(
    store: Store, file: str, old: str | None, new: str, words: tuple[str, ...]
) -> None:
    before = store.shown()
    path = store.root / file
    good = path.read_text() if path.exists() else None
    path.write_text(new if good is None else good.replace(old or "", new, 1))
    refused(store, store.run(), *words)
    refused(store, store.say("check", "--workspace", str(store.root)), *words)
    assert store.shown() == before
    if good is None:
        path.unlink()
    else:
        path.write_text(good)
    assert store.say("check", "--workspace", str(store.root)).code == 0


def test_check_says_which_months_will_never_be_published(store: Store) -> None:
    product = store.root / "product.yml"
    whole = product.read_text()
    product.write_text(f"{whole}grains: [week, month]\n")
    said = store.say("check", "--workspace", str(store.root))
    assert said.code == 0
    assert "months of buying, new_people will not be published beside weeks" in said.out
    product.write_text(f"{whole}grains: [day, week, month]\n")
    assert "will not be published" not in store.say("check", "--workspace", str(store.root)).out


def test_check_says_whose_target_is_past(store: Store) -> None:
    product = store.root / "product.yml"
    whole = product.read_text()
    for year, told in ((2020, True), (9999, False)):
        product.write_text(
            whole.replace(
                "    kind: new_people",
                f"    kind: new_people\n    target: {{value: 9, by: {year}-01-31}}",
            )
        )
        said = store.say("check", "--workspace", str(store.root))
        assert said.code == 0
        assert ("the date of the target of new_people (2020-01-31) is past" in said.out) == told


def test_keys_that_cannot_be_used(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.shown()
    store.shop.land("second.json", story(100, 5))
    good = store.key.read_text()

    def spoiled(content: str, mode: int = 0o600) -> Said:
        store.key.write_text(content)
        store.key.chmod(mode)
        said = store.run()
        assert content.strip() not in said.err + said.out
        assert store.shown() == before
        return said

    refused(store, spoiled("00" * 32), "too weak", "secrets.token_hex(32)")
    refused(store, spoiled(good[:40]), "too weak")
    refused(store, spoiled("not hexadecimal at all"), "hexadecimal digits only")
    refused(
        store,
        spoiled(secrets.token_hex(32)),
        "this workspace's ids were made with key",
        "Restore the right key",
    )
    refused(store, spoiled(good, 0o644), "can be read by others", "chmod 600")
    store.key.unlink()
    refused(store, store.run(), "is missing", "Restore it from a backup")
    inside = store.root / "shop.key"
    inside.write_text(good)
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(inside))
    refused(store, store.run(), "must be kept outside the workspace")
    inside.unlink()
    assert store.shown() == before
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(store.key))
    store.key.write_text(good)
    store.key.chmod(0o600)
    assert store.run().code == 0


def test_a_damaged_vault(store: Store) -> None:
    store.shop.land("second.json", story(100, 5))
    (segment,) = store.shop.workspace.state.glob("vault/*.parquet")
    good = segment.read_bytes()
    segment.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    before = store.shown()
    refused(
        store, store.run(), "vault segment state/vault/000001", "is damaged", "Restore state/ from a backup"
    )
    assert store.shown() == before
    segment.write_bytes(good)
    assert store.run().code == 0


def test_a_damaged_ledger(store: Store) -> None:
    before = store.shown()
    store.shop.workspace.ledger_file.write_bytes(b"no database" * 500)
    refused(store, store.run(), "warehouse/ledger.sqlite is damaged", "Delete the folder warehouse/")
    assert store.shown() == before
    shutil.rmtree(store.shop.workspace.warehouse)
    assert store.run().code == 0


def test_a_second_run_at_once(store: Store) -> None:
    before = store.shown()
    store.shop.land("second.json", story(100, 5))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from headway_pipelines.locking import workspace_lock\n"
            "from headway_pipelines.workspace import Workspace\n"
            "with workspace_lock(Workspace.at(sys.argv[1])):\n"
            "    print('held', flush=True)\n"
            "    time.sleep(60)\n",
            str(store.root),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        refused(store, store.run(), "another run is working on", "Wait for it to finish")
        assert store.shown() == before
    finally:
        holder.kill()  # a killed run leaves no lock behind
        holder.wait()
        holder.stdout.close()
    assert store.run().code == 0


# -- some of it is read ----------------------------------------------------------------------------------------------


def test_files_that_are_no_logs_are_held_back_and_the_rest_proceeds(store: Store) -> None:
    raw = store.shop.workspace.raw
    (raw / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(20_000))
    (raw / "notes.txt").write_text(f"call {SECRET} back\n" * 30)
    (raw / "latin1.json").write_bytes(
        b"".join(
            json.dumps(c, ensure_ascii=False).encode().replace(b"email", b"\xe9mail") + b"\n"
            for c in story(90, 9)
        )
    )
    (raw / "empty.json").write_bytes(b"")
    (raw / f"{SECRET}.txt").write_text("no log\n" * 30)
    cut = store.shop.land("cut.json.gz", story(200, 300))
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    store.shop.land("good.json", story(100, 5))
    said = store.run()
    assert said.code == 1
    told = dict(line.split(": ", 2)[1:] for line in said.err.splitlines())
    assert {name.partition("#")[0] for name in told} == {
        "photo.png",
        "notes.txt",
        "latin1.json",
        "cut.json.gz",
        "file",
    }
    assert "damaged: cut.json.gz: compressed data damaged" in said.err
    assert told["notes.txt"].startswith("At most 20 % of the lines may be rejected. Here: 100%. Most often: ")
    assert store.shop.query("SELECT count(*) FROM lake") == [(3 * 35,)]
    assert store.shop.outcomes()["not UTF-8"] > 0
    assert store.leftovers() == []
    # nothing changed: the same is said again at once
    again = store.run()
    assert (again.code, again.err) == (1, said.err)
    assert "nothing new" in again.out
    # the files are put right
    for name in ("photo.png", "notes.txt", "latin1.json", f"{SECRET}.txt"):
        (raw / name).unlink()
    cut.write_bytes(whole)
    mended = store.run()
    assert store.shop.query("SELECT count(*) FROM lake") == [(3 * 335,)]
    assert (mended.code, mended.err) == (0, "")


def test_a_mapping_that_names_a_column_the_file_lacks(store: Store) -> None:
    (store.root / "sources.yml").write_text(
        "sources:\n"
        "  orders:\n"
        "    format: delimited\n"
        '    files: ["*.csv"]\n'
        "    event: {value: Order Completed}\n"
        "    user: customer\n"
        "    time: {column: date}\n"
        "  web: {format: segment}\n"
    )
    path = store.shop.workspace.raw / "orders.csv"
    path.write_text(f"client,date\n{SECRET},2026-03-02\n")
    said = store.run()
    assert said.code == 1
    assert said.err.strip() == "damaged: orders.csv: the file has no column 'customer'; it has: client, date"
    path.write_text("customer,date\n" + "u1,2026-03-02\n" * 3)
    assert store.run().code == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_line_of_50_megabytes_does_not_fill_the_memory(tmp_path: Path) -> None:
    """In a process of its own, whose peak is told by the system; compared with the same without the line."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from shop import Shop\n"
        "shop = Shop(Path(sys.argv[1]))\n"
        "shop.ingest()\n"
        # the peak of this program alone; the system's other figure includes the process that started it
        "peak = next(l for l in Path('/proc/self/status').read_text().splitlines() if l.startswith('VmHWM'))\n"
        "print(shop.outcomes(), int(peak.split()[1]) // 1024)\n"
    )
    roots = [str(ROOT / name) for name in ("metrics", "pipelines", "tests/pipelines")]
    peaks = {}
    for name, size in (("short", 100), ("long", 50 << 20)):
        shop = Shop(tmp_path / name)
        long = {**track("Signed Up", 0, user="u1"), "padding": "x" * size}
        shop.land("a.json", [*story(0, 20), long, *story(100, 20)])
        done = subprocess.run(
            [sys.executable, "-c", script, str(shop.root)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
            capture_output=True,
            text=True,
            check=True,
        )
        peaks[name] = int(done.stdout.split()[-1])
        assert "'event': 12" in done.stdout
        assert ("'line too long': 1" in done.stdout) == (name == "long")
    assert peaks["long"] - peaks["short"] < 120  # megabytes; the line itself has 50, blocks are read ahead


# -- the machine fails ----------------------------------------------------------------------------------------------


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), SECRET)

    return fail


#: Where a run writes, in the order in which it gets there; the quick suite tries every other place.
WRITES = {
    "vault": (Vault, "_append"),
    "staging": (ingest, "sync_file"),
    "lake": (promote, "sync_file"),
    "ledger": (Ledger, "swap_files"),
    "people": (people_tables, "sync_file"),
    "databases": (databases, "sync_file"),
    "report": (report_write, "_fill"),
}


def test_a_disk_that_is_full_at_every_place_in_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.shown()
    store.shop.land("second.json", story(100, 5))
    places = list(WRITES.items())
    for place, target in places if os.environ.get("HEADWAY_FULL") else places[::2]:
        with monkeypatch.context() as patch:
            patch.setattr(*target, failing(errno.ENOSPC))
            refused(store, store.run(), "the disk is full", "the previous state is intact", "Free some space")
        if place != "report":
            # what readers have open is as it was; the vault and the lake are only ever added to
            assert store.shown().items() >= before.items(), place
    mended = store.run()
    assert (mended.code, mended.err) == (0, "")
    assert store.shop.query("SELECT count(*) FROM lake") == [(3 * 35,)]
    assert store.leftovers() == []


def test_a_read_only_workspace(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.shown()
    store.shop.land("second.json", story(100, 5))
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "sync_file", failing(errno.EROFS))
        refused(store, store.run(), "cannot be written (read-only file system)", "previous state is intact")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", failing(errno.EACCES))
        refused(store, store.run(), "cannot be written (permission denied)")
    store.shop.workspace.ledger_file.rename(store.root / "aside")
    store.shop.workspace.ledger_file.mkdir()  # a folder where the ledger should be
    refused(store, store.run(), "cannot be written (the ledger cannot be opened)")
    assert store.shown().items() >= before.items()
    store.shop.workspace.ledger_file.rmdir()
    (store.root / "aside").rename(store.shop.workspace.ledger_file)
    assert store.run().code == 0


@pytest.mark.parametrize("limit", [96 << 10, 1 << 20])
def test_files_that_may_not_grow(store: Store, limit: int) -> None:
    """A real limit of the system: Dagster's history meets the small one, the internal database the other."""
    before = store.shown()
    store.shop.land("second.json", story(1000, 3000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        said = store.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert said.code == 2
    assert said.err.startswith("headway: ")
    assert "disk" in said.err
    assert store.shown().items() >= before.items()
    assert store.run().code == 0
    assert store.leftovers() == []


def test_an_internal_fault_tells_where_and_nothing_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.shown()
    store.shop.land("second.json", story(100, 5))

    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"could not convert {SECRET}")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "stage", fail)
        said = store.run()
    assert said.code == 3
    assert "headway: internal fault: ValueError at test_bad_input.py:" in said.err
    assert store.shown().items() >= before.items()
    assert store.run().code == 0


@pytest.mark.parametrize(
    "place", ["headway_pipelines.ingest.stage", "headway_pipelines.lake.promote._write_days"]
)
def test_an_interrupted_run(store: Store, place: str) -> None:
    """A real SIGINT in a real process, sent by the process itself: it always comes in the middle of that step."""
    before = store.shown()
    store.shop.land("second.json", story(1000, 50))
    module, function = place.rsplit(".", 1)
    script = f"""
import os, signal, time
import {module}
from headway_pipelines import cli

def interrupted(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

{module}.{function} = interrupted
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "--workspace", str(store.root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    # SQLAlchemy may add a word of its own when it is closing a connection at that moment
    assert (done.stderr.splitlines()[-1:], done.returncode) == (
        ["interrupted; the previous state is intact"],
        130,
    )
    assert store.shown().items() >= before.items()
    assert store.run().code == 0
    assert store.shop.query("SELECT count(*) FROM lake") == [(3 * 80,)]
