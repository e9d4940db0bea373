"""The privacy gate: the only way from raw files into the warehouse.

It frames lines, lets a source read them, and lets through what the tracking plan declares: typed values of declared
properties, and surrogates in place of identifiers. Everything else is counted and forgotten. What leaves the gate is a
`CleanBatch`, which cannot be made anywhere else; loaders accept nothing but that.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from headway.engine import connect, connect_again, guarded
from headway.engine.sql import bind, identifier, literal, load, with_inputs
from headway.errors import HeadwayError
from headway.models.plan import Subject, TrackingPlan
from headway_pipelines.ahead import ahead
from headway_pipelines.lake.ledger import Account
from headway_pipelines.privacy.accounts import add_rejects, count_group
from headway_pipelines.privacy.classes import (
    MASK,
    ColumnRule,
    column_rules,
    declared_keys,
    mask_columns,
    typed_rows,
)
from headway_pipelines.privacy.consent import apply_consent, count_without_consent
from headway_pipelines.privacy.fields import table_schema
from headway_pipelines.privacy.framing import (
    LINE_SCHEMA,
    MAX_LINE_BYTES,
    Block,
    column,
    frame_lines,
)
from headway_pipelines.privacy.judging import (
    ANCIENT,
    FUTURE_TOLERANCE,
    forget_no_ids,
    judged,
    leave_out_erased,
    leave_out_expired,
    mark_erased,
    possible_times,
    refuse_repeated_names,
)
from headway_pipelines.privacy.keys import Key
from headway_pipelines.privacy.opening import DamagedFile
from headway_pipelines.privacy.second_line import SecondLine
from headway_pipelines.privacy.tables import frame_table
from headway_pipelines.privacy.tombstones import Tombstones
from headway_pipelines.privacy.traffic import Marker
from headway_pipelines.privacy.traits import declared_traits
from headway_pipelines.privacy.vault import Vault
from headway_pipelines.sources.shape import Source

GROUP_BYTES = 320 << 20
GROUP_LINES = 500_000
#: The first group is read while nothing else can be done: as small as the database still takes in one piece.
FIRST_GROUP_LINES = 120_000
#: Staged files are read once or twice and deleted: neither filters nor large dictionaries would ever pay.
_STAGED = "(FORMAT parquet, PARQUET_VERSION v2, COMPRESSION snappy, WRITE_BLOOM_FILTER 0, DICTIONARY_SIZE_LIMIT 2000)"
_HERE = "headway_pipelines.privacy"
#: Schemas of the gate's memory: on one lies the group that is being cleaned, on the other the next one.
_DESKS = ("left", "right")
_TOKEN = object()


@dataclass(frozen=True)
class RawFile:
    """A raw file that has been given a batch number.

    Attributes:
        path: Where it lies.
        batch: Its number in the ledger.
    """

    path: Path
    batch: int


@dataclass(frozen=True, init=False)
class CleanBatch:
    """Some events that passed the gate. Only the gate makes it.

    Attributes:
        folder: Where ``events.parquet`` (rows of the lake, and their misfits as bits), ``links.parquet`` (which device
            was seen with which user, and when) and, where the plan declares such properties, ``person.parquet`` and
            ``account.parquet`` (dated statements about them) were written; they count only once the ledger says so.
        accounts: What was counted, by batch number.
        finished: Batches whose file ends in this group.
        damaged: Batches whose file is damaged, with the place.
    """

    folder: Path
    accounts: dict[int, Account]
    finished: tuple[int, ...]
    damaged: dict[int, str]

    def __init__(self, token: object, **values: object) -> None:
        if token is not _TOKEN:
            raise TypeError("a CleanBatch comes out of the privacy gate and cannot be made elsewhere")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def events(self) -> pa.Table:
        """The events, in memory."""
        table = _read(self.folder / "events.parquet")
        return table.select([name for name in table.column_names if not name.startswith(MASK)])

    @property
    def links(self) -> pa.Table:
        """The links, in memory."""
        return _read(self.folder / "links.parquet")

    def statements(self, subject: Subject) -> pa.Table:
        """What was said of people or of accounts, in memory; the plan must declare properties of them."""
        return _read(self.folder / f"{subject}.parquet")


def _read(path: Path) -> pa.Table:
    con = connect()
    try:
        return con.sql("FROM read_parquet($path)", params={"path": str(path)}).to_arrow_table()
    finally:
        con.close()


@dataclass
class _Group:
    blocks: list[pa.Table] = field(default_factory=list)
    rejects: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)
    finished: list[int] = field(default_factory=list)
    damaged: dict[int, str] = field(default_factory=dict)
    framed: dict[int, int] = field(default_factory=dict)
    size: int = 0
    lines: int = 0

    def add(self, batch: int, block: Block) -> None:
        self.blocks.append(block.lines.append_column("batch", _constant(batch, block.lines.num_rows)))
        if block.rejects:
            self.rejects.setdefault(batch, []).extend(block.rejects)
        self.framed[batch] = self.framed.get(batch, 0) + block.lines.num_rows
        self.size += block.lines.nbytes
        self.lines += block.lines.num_rows

    def full(self, most_lines: int) -> bool:
        return self.size >= GROUP_BYTES or self.lines >= most_lines


def _no_rows(source: Source) -> pa.Table:
    schema = LINE_SCHEMA if source.reader.kind == "lines" else table_schema(source.reader)
    return schema.append(pa.field("batch", pa.uint32())).empty_table()


def _constant(value: int, count: int) -> pa.Array:
    return column(np.full(count, value, np.uint32))


def _taken_ids(rules: Sequence[ColumnRule]) -> str:
    """Query of the raw identifiers among the properties of events, a column each, of the events that declare one."""
    events = sorted({event for rule in rules for declared in rule.fills.values() for event in declared})
    columns = ", ".join(f"{rule.expression()} AS {identifier(rule.name)}" for rule in rules)
    return f"SELECT {columns} FROM judged WHERE outcome = 'event' AND event IN {literal(events)}"


class Gate:
    """The gate of one workspace.

    Args:
        plan: What may pass.
        key: The workspace's key.
        vault_folder: Where the vault is.
        now: The present, naive UTC; events after it (and after their arrival) are rejected.
        staging: Folder for clean batches; None takes one that is deleted with the gate.
        max_line_bytes: Longer lines are rejected.
        logout: Events that end what a device and a user have to do with each other.
        limits: First day that is kept of each event, see `judging.leave_out_expired`.
    """

    def __init__(
        self,
        plan: TrackingPlan,
        key: Key,
        vault_folder: Path,
        *,
        now: datetime,
        staging: Path | None = None,
        max_line_bytes: int = MAX_LINE_BYTES,
        logout: Sequence[str] = (),
        limits: Mapping[str, date] | None = None,
    ) -> None:
        self._plan, self._key, self._now, self._cap = plan, key, now, max_line_bytes
        self._logout, self._limits = list(logout), dict(limits or {})
        self._careful: set[str] = set()
        self._opened = ExitStack()
        self._staging = staging or Path(self._opened.enter_context(TemporaryDirectory(prefix="headway-")))
        # Raw values live in this memory only: nothing may spill to disk.
        self._con = connect(temp_directory="")
        self._vault = Vault(vault_folder, key, self._con)
        self._rules, self._urls = column_rules(plan)
        self._second_line = SecondLine("event", self._rules, self._urls, "judged")
        self._masks = mask_columns(self._rules)
        self._keys = declared_keys(plan)
        self._marker = Marker(plan.traffic)
        self._traits = declared_traits(plan)
        with guarded("prepare the gate"):
            self._con.execute("CREATE TEMP TABLE seen (batch UINTEGER, content UUID, n BIGINT)")
            for desk in _DESKS:
                self._con.execute(f"CREATE SCHEMA {identifier(desk)}")

    def close(self) -> None:
        """Forgets everything raw, and what was staged in a folder of its own."""
        self._con.close()
        self._opened.close()

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def clean(self, files: Sequence[RawFile], source: Source) -> Iterator[CleanBatch]:
        """Reads files of one source and yields what may be kept, in groups of bounded size.

        Args:
            files: The files, each with its batch number.
            source: How to read them.

        Yields:
            Clean batches; a file may span several, and several small files may share one.
        """
        # One thread unpacks, one has the database read what was unpacked: neither keeps all processors busy alone.
        for place, group in enumerate(ahead(self._told(ahead(self._groups(files, source)), source))):
            with guarded("prepare the gate"):
                self._con.execute(f"SET schema = {literal(_DESKS[place % 2])}")
            yield self._clean(group, source)

    def naming(self, files: Sequence[RawFile], source: Source, some: Tombstones) -> Iterator[pl.DataFrame]:
        """Finds the lines of raw files that name some erased people.

        Args:
            files: The files, each with a number.
            source: How to read them.
            some: The tombstones of those people.

        Yields:
            Columns ``batch`` (the number), ``line`` and ``own``: whether everything in the line is theirs. Nothing of
            what the lines say.
        """
        for group in self._groups(files, source):
            self._con.register("frames", self._frames(group, source))
            with guarded(f"look for people in source {source.name}"):
                self._tell(self._con, source)
                if mark_erased(self._con, self._vault, some):
                    yield self._con.sql(load(_HERE, "erased_lines.sql")).pl()
                self._con.execute("DROP TABLE judged")
            self._con.unregister("frames")

    @staticmethod
    def _frames(group: _Group, source: Source) -> pa.Table:
        blocks = [b for b in group.blocks if b.num_rows]
        return pa.concat_tables(blocks) if blocks else _no_rows(source)

    def _groups(self, files: Sequence[RawFile], source: Source) -> Generator[_Group]:
        group, most = _Group(), FIRST_GROUP_LINES
        for file in files:
            try:
                for block in self._blocks(file, source):
                    group.add(file.batch, block)
                    if group.full(most):
                        yield group
                        group, most = _Group(), GROUP_LINES
                group.finished.append(file.batch)
            except DamagedFile as error:
                group.damaged[file.batch] = str(error)
        if group.blocks or group.finished or group.damaged:
            yield group

    def _blocks(self, file: RawFile, source: Source) -> Iterable[Block]:
        if source.reader.kind == "lines":
            return frame_lines(file.path, self._cap)
        return frame_table(file.path, source.reader, self._cap)

    def _told(self, groups: Iterable[_Group], source: Source) -> Generator[_Group]:
        """Reads each group into tables of the desk whose turn it is; the group on the other one is being cleaned."""
        with closing(connect_again(self._con)) as con:
            for place, group in enumerate(groups):
                con.register("frames", self._frames(group, source))
                with guarded(f"read source {source.name}"):
                    con.execute(f"SET schema = {literal(_DESKS[place % 2])}")
                    self._judge(con, source)
                con.unregister("frames")
                group.blocks.clear()
                yield group

    def _clean(self, group: _Group, source: Source) -> CleanBatch:
        with guarded("apply the tracking plan"):
            leave_out_erased(self._con, self._vault)
            self._marker.prepare(self._con)
            self._take_addresses_apart()
            self._second_line.look(self._con)
            for traits in self._traits:
                traits.read(
                    self._con,
                    ancient=ANCIENT,
                    now=self._now,
                    tolerance=FUTURE_TOLERANCE,
                    log_outs=bool(self._logout),
                )
            self._assign_ids()
            self._hash_event_ids(source)
            folder = self._staging / f".{secrets.token_hex(6)}"
            folder.mkdir(parents=True)
            tables = {"events": self._clean_sql(source), "links": self._links_sql(source)}
            tables |= {traits.subject: traits.statements() for traits in self._traits}
            for name, query in tables.items():
                target = literal(str(folder / f"{name}.parquet"))
                self._con.execute(f"COPY ({query}) TO {target} {_STAGED}")
            typed = f"read_parquet({literal(str(folder / 'events.parquet'))})"
            accounts = count_group(self._con, self._keys, typed, self._second_line, self._key, group.framed)
            self._count_traits(accounts)
            for (batch, *what), n in count_without_consent(self._con, self._plan).items():
                accounts[batch].dropped[what[0], what[1], what[2]] = n
            self._con.execute("DROP TABLE judged")
        for name in ("hashed", "agents", "internal_addresses"):
            self._con.unregister(name)
        lost = sum(abs(n - accounts[b].lines if b in accounts else n) for b, n in group.framed.items())
        if lost:
            raise HeadwayError(
                f"source {source.name!r} lost {lost} lines: its SELECT must yield a row for each line"
            )
        for batch, rejects in group.rejects.items():
            add_rejects(accounts.setdefault(batch, Account()), rejects)
        return CleanBatch(
            _TOKEN,
            folder=folder,
            accounts=accounts,
            finished=tuple(group.finished),
            damaged=group.damaged,
        )

    def _judge(self, con: duckdb.DuckDBPyConnection, source: Source) -> None:
        """Makes `judged`: one row a line, with what becomes of it. Who was erased is still among them."""
        self._tell(con, source)
        leave_out_expired(con, self._limits)
        apply_consent(con, self._plan, lines=source.reader.kind == "lines")

    def _tell(self, con: duckdb.DuckDBPyConnection, source: Source) -> None:
        """Makes `judged` as the lines tell it, and `told`."""
        queries = [source.query]
        if source.hasty_query is not None and source.name not in self._careful:
            queries.insert(0, source.hasty_query)
        for query in queries:
            try:
                con.execute(
                    f"CREATE OR REPLACE TABLE judged AS {judged(query, list(self._plan.events), self._now)}"
                )
                break
            except duckdb.InterruptException:
                raise
            except duckdb.Error:
                if query is queries[-1]:
                    raise
                # Where one such line is, there are more.
                self._careful.add(source.name)
        refuse_repeated_names(con)
        forget_no_ids(con)

    def _links_sql(self, source: Source) -> str:
        values = {"logout": self._logout or [""], "numbers": source.numbers, **possible_times(self._now)}
        return bind(load(_HERE, "links.sql"), values)

    def _take_addresses_apart(self) -> None:
        """Makes a table per kind of web address: the parts of each distinct one."""
        for table in self._urls:
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE {table.name} AS {table.query()}")

    def _typed_sql(self) -> str:
        """The events, with one typed column per declared property and the misfits as bits."""
        joins = " ".join([*(table.join() for table in self._urls), self._marker.join()])
        own = f"judged.rowid AS n, judged.*, {self._marker.expression()} AS traffic"
        source = f"judged {joins} WHERE outcome = 'event'"
        return typed_rows(self._rules, own, source, self._second_line.tables)

    def _count_traits(self, accounts: dict[int, Account]) -> None:
        for traits in self._traits:
            for (batch, *what), values in traits.dropped(self._con).items():
                owner, name, reason = what
                accounts[batch].dropped[owner, name, reason] = values
            traits.forget(self._con)

    def _assign_ids(self) -> None:
        """Makes `ids`: the surrogate of every identifier of this group."""
        parts = ["SELECT domain, raw FROM told WHERE domain IS NOT NULL"]
        parts += [part for traits in self._traits for part in traits.identifiers()]
        named = [rule for rule in self._rules if rule.domain]
        if named:
            # All are taken out of a row at once: to read its properties again for each would cost more than the rest.
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE named AS {_taken_ids(named)}")
            parts += [f"SELECT {literal(r.domain)}, {identifier(r.name)} FROM named" for r in named]
        every = " UNION ALL ".join(parts)
        self._vault.assign(
            self._con.sql(f"SELECT DISTINCT domain, raw FROM ({every}) WHERE raw IS NOT NULL").pl()
        )
        self._con.execute("DROP TABLE IF EXISTS named")

    def _hash_event_ids(self, source: Source) -> None:
        """Makes `hashed`: the keyed hash that identifies each event."""
        untracked = self._con.execute(
            "SELECT count(*) FROM judged WHERE outcome = 'event' AND message_id IS NULL"
        ).fetchall()[0][0]
        texts = self._con.sql(
            load(_HERE, "identity_text.sql" if untracked else "identity_text_tracked.sql")
        ).pl()
        digests = self._key.digests(pl.lit(f"event:{source.name}"), pl.col("text"))
        self._con.register("hashed", texts.select("n", event_id=digests).to_arrow())
        if untracked:
            self._con.execute(load(_HERE, "remember_content.sql"))

    def _clean_sql(self, source: Source) -> str:
        columns, joins = [], []
        for rule in self._rules:
            name, alias = identifier(rule.name), identifier("id:" + rule.name)
            if rule.domain is None:
                columns.append(f", t.{rule.typed_name} AS {name}")
            else:
                columns.append(f", {alias}.surrogate AS {name}")
                joins.append(
                    f"LEFT JOIN ids AS {alias} ON {alias}.domain = {literal(rule.domain)} "
                    f"AND {alias}.raw = t.{rule.typed_name}"
                )
        columns += [f", t.{name}" for name in self._masks]
        text = bind(load(_HERE, "clean_events.sql"), {"source": source.name})
        text = text.replace("/* columns */", "".join(columns)).replace("/* joins */", "\n".join(joins))
        return with_inputs(text, {"typed": self._typed_sql()})
