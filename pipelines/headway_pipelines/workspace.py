"""One folder per product: where everything of a workspace is."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from headway.errors import InputError
from headway_pipelines.tag_files import tag_files


@dataclass(frozen=True)
class Workspace:
    """The folders and files of one product's workspace.

    Attributes:
        root: Absolute path of the workspace folder.

    Examples:
        >>> Workspace(Path("shop")).plan_file.name
        'tracking_plan.yml'
    """

    root: Path

    @property
    def plan_file(self) -> Path:
        """The tracking plan: what may pass the privacy gate."""
        return self.root / "tracking_plan.yml"

    @property
    def product_file(self) -> Path:
        """The product's metrics, stages, channels and calendar."""
        return self.root / "product.yml"

    @property
    def sources_file(self) -> Path:
        """Which raw files are read how; optional, the default is Segment JSON lines."""
        return self.root / "sources.yml"

    @property
    def raw(self) -> Path:
        """Landed event logs: read in place, never modified."""
        return self.root / "raw"

    @property
    def inputs(self) -> Path:
        """Side inputs as CSV files: money spent, exchange rates, holidays, releases, incidents; optional."""
        return self.root / "inputs"

    @property
    def state(self) -> Path:
        """What cannot be recomputed: back this folder up."""
        return self.root / "state"

    @property
    def publications(self) -> Path:
        """What was published when, so that differences between publications tell nothing."""
        return self.state / "publications"

    @property
    def noise(self) -> Path:
        """Which noisy values were published, and what they spent of the privacy budget."""
        return self.state / "noise"

    @property
    def bets_file(self) -> Path:
        """The ledger of bets: what was bet, when, and how it ended."""
        return self.state / "bets.jsonl"

    @property
    def experiments_file(self) -> Path:
        """Definitions of experiments as runs saw them."""
        return self.state / "experiments.jsonl"

    @property
    def warehouse(self) -> Path:
        """Everything that can be rebuilt from raw and state."""
        return self.root / "warehouse"

    @property
    def staging(self) -> Path:
        """Cleaned batches that wait for their quality verdict."""
        return self.warehouse / "staging"

    @property
    def definition_files(self) -> tuple[Path, ...]:
        """The files that say what is stored, measured and bet on: plan, product, sources, inputs, strategy, tags."""
        folders = ("metrics/*.yml", "experiments/*.yml", "inputs/*.csv", "strategy/*.yml", "kata/*.yml")
        more = [path for files in folders for path in sorted(self.root.glob(files))]
        more += tag_files(self.repository_note)
        return (self.plan_file, self.product_file, self.sources_file, *more)

    @property
    def lake(self) -> Path:
        """The event lake: one folder a UTC day, immutable Parquet files."""
        return self.warehouse / "events"

    @property
    def people(self) -> Path:
        """Derived tables about actors and people."""
        return self.warehouse / "people"

    @property
    def sessions_file(self) -> Path:
        """Sessions of people, derived."""
        return self.people / "sessions.parquet"

    @property
    def derived_inputs(self) -> Path:
        """Side inputs after their check, derived."""
        return self.warehouse / "inputs"

    @property
    def kept(self) -> Path:
        """What is kept of computed values for the next run."""
        return self.warehouse / "kept"

    @property
    def repository_note(self) -> Path:
        """Names the git repository whose tags are releases; absent where none is."""
        return self.derived_inputs / "repository.txt"

    @property
    def store(self) -> Path:
        """Events ordered by person and time, derived."""
        return self.warehouse / "store"

    @property
    def ledger_file(self) -> Path:
        """What was read, judged and promoted."""
        return self.warehouse / "ledger.sqlite"

    @property
    def metrics_db(self) -> Path:
        """Metric values and insights before suppression; internal."""
        return self.warehouse / "headway.duckdb"

    @property
    def explore_db(self) -> Path:
        """Views over pseudonymous events for analysts of the team; unsuppressed."""
        return self.warehouse / "explore.duckdb"

    @property
    def published_db(self) -> Path:
        """Only cells that passed suppression; shareable."""
        return self.root / "published" / "analytics.duckdb"

    @property
    def report(self) -> Path:
        """The report folder; opens offline."""
        return self.root / "report"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder of this workspace."""
        return self.warehouse / "dagster"

    @property
    def id(self) -> str:
        """The random id under which this workspace's key is kept; made on first use."""
        path = self.state / "workspace.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps({"id": secrets.token_hex(8)}) + "\n")
        return str(json.loads(path.read_text(encoding="utf-8"))["id"])

    @classmethod
    def at(cls, root: Path | str) -> Workspace:
        """Opens an existing workspace.

        Args:
            root: The workspace folder.

        Returns:
            The workspace, with an absolute root.

        Raises:
            InputError: There is no such folder, or it lacks a tracking plan or a product file.
        """
        path = Path(root).expanduser().absolute()
        if not path.is_dir():
            raise InputError(
                f"no workspace at {path}: the folder does not exist. "
                "Make one with 'headway init DIR --from PATH' or try 'headway demo'."
            )
        workspace = cls(path)
        missing = [p.name for p in (workspace.plan_file, workspace.product_file) if not p.is_file()]
        if missing:
            raise InputError(
                f"{path} is not a workspace: it has no {' and no '.join(missing)}. "
                "Make one with 'headway init DIR --from PATH', or name another folder with --workspace."
            )
        return workspace


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file so that a reader sees the old content or the new one, never a part.

    Args:
        path: The file to write or replace.
        content: Text (written as UTF-8) or bytes.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "a.txt"
        >>> write_atomically(target, "done")
        >>> target.read_text()
        'done'
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as handle:
            handle.write(content.encode("utf-8") if isinstance(content, str) else content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flushes a written file to disk.

    Args:
        path: The file.
    """
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def sync_folder(path: Path) -> None:
    """Flushes a folder's entries, so that a rename survives a power cut (a no-op on Windows).

    Args:
        path: The folder.
    """
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
