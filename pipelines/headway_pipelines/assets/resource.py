"""The one resource of the pipeline: a workspace, opened for the length of a step."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from headway_pipelines.faults import in_words
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.locking import workspace_lock
from headway_pipelines.workspace import Workspace


class WorkspaceResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Which workspace the assets work on.

    Attributes:
        root: The workspace folder.
        only: Files or folders below ``raw/`` to read; empty means all.
    """

    root: str
    only: list[str] = []  # noqa: RUF012  (a configuration field, copied by pydantic)

    @property
    def workspace(self) -> Workspace:
        """The workspace, checked."""
        return Workspace.at(Path(self.root))

    @property
    def paths(self) -> list[Path]:
        """Which raw files to look at."""
        return [Path(p) for p in self.only]

    @contextmanager
    def opened(self) -> Iterator[tuple[Workspace, Ledger]]:
        """Opens workspace and ledger for writing, alone; what is written meanwhile its owner alone can read.

        Yields:
            The workspace and its ledger.

        Raises:
            HeadwayError: Whatever went wrong, without a value of any log: Dagster keeps exception texts.
        """
        # Whoever started Dagster may have let others read what is written.
        mask = os.umask(0o077)
        try:
            with sanitised():
                workspace = self.workspace
                with workspace_lock(workspace):
                    ledger = Ledger(workspace.ledger_file)
                    try:
                        yield workspace, ledger
                    finally:
                        ledger.close()
        finally:
            os.umask(mask)


@contextmanager
def sanitised() -> Iterator[None]:
    """Replaces foreign exceptions by one that says where, not what.

    Raises:
        HeadwayError: In place of any other exception; its own messages carry no values.
    """
    try:
        yield
    except Exception as error:
        # DuckDB says so when Ctrl-C meets a query.
        stopped = isinstance(error, RuntimeError) and str(error) == "Query interrupted"
        raise (KeyboardInterrupt() if stopped else in_words(error)) from None
