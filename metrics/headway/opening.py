"""Opening the events of a workspace."""

from __future__ import annotations

from pathlib import Path

from headway.engine import connect, guarded, identifier, literal
from headway.errors import InputError
from headway.log import EventLog
from headway.sources import Opened
from headway.store import attach_store
from headway.subjects import histories_of

_TRAFFIC = {"people": "events", "all": "all_events"}


def open(workspace: str | Path, *, traffic: str = "people") -> EventLog:  # noqa: A001 - read as hw.open
    """Opens the events of a workspace for reading.

    Args:
        workspace: Folder of the workspace.
        traffic: ``"people"`` leaves out bots and the team's own traffic; ``"all"`` keeps them, told apart by the
            property ``traffic``.

    Returns:
        The log on ``warehouse/explore.duckdb``, with the product's time zone, week start and horizon. `sql`
        reaches everything in that file.

    Raises:
        InputError: There is no such folder, it holds no events yet, or `traffic` is neither.
        EngineError: The file cannot be opened.

    Examples:
        >>> open("nowhere")
        Traceback (most recent call last):
            ...
        headway.errors.InputError: no workspace at 'nowhere': ...
    """
    if traffic not in _TRAFFIC:
        raise InputError.unknown("traffic", traffic, _TRAFFIC)
    if not isinstance(workspace, str | Path):
        raise InputError(f"a workspace is the path of a folder, not a {type(workspace).__name__}")
    folder = Path(workspace)
    file = folder / "warehouse" / "explore.duckdb"
    if not folder.is_dir():
        raise InputError(
            f"no workspace at {str(workspace)!r}: 'headway demo' or 'headway init DIR --from PATH' makes one"
        )
    if not file.is_file():
        raise InputError(
            f"{str(workspace)!r} holds no events yet: 'headway run --workspace {workspace}' loads them"
        )
    con = connect()
    with guarded("open the events of the workspace"):
        con.execute(f"ATTACH {literal(str(file))} AS explore (READ_ONLY)")
        con.execute("USE explore")
        product = con.execute("SELECT timezone, week_start FROM product").fetchall()
        horizon = con.execute("SELECT horizon FROM horizon").fetchall()
        store = con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name = 'person_store'"
        ).fetchall()
        version = con.execute("SELECT version FROM person_store").fetchall() if store else []
    (timezone, week_start), (until,) = product[0], horizon[0] if horizon else (None,)
    known = {f"{history.subject}_properties": history.relation for history in histories_of(con)}
    log = EventLog(
        Opened(con, identifier(_TRAFFIC[traffic])),
        timezone=timezone,
        week_start=week_start,
        horizon=until,
        person_properties=known.get("person_properties"),
        account_properties=known.get("account_properties"),
    )
    if version and traffic == "people":
        log.store = attach_store(folder / "warehouse" / "store", version[0][0])
    return log
