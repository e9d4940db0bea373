"""`headway init` on logs of any kind: what it recognises, what it guesses, what it says where it cannot."""

from __future__ import annotations

import gzip
import io
import json
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from shop import Shop, track

from headway.errors import InputError
from headway.models.plan import load_plan
from headway_pipelines.ingest import ingest, landed
from headway_pipelines.init_workspace import Initialised, init_workspace
from headway_pipelines.lake.ledger import Ledger
from headway_pipelines.privacy.sampling import recognise_files, sample_of, take_sample
from headway_pipelines.privacy.suggest import Suggested, suggest
from headway_pipelines.privacy.times import times_of
from headway_pipelines.quality.batches import judge_batches
from headway_pipelines.recognition import Recognition
from headway_pipelines.sources.config import load_sources
from headway_pipelines.sources.formats import RECOGNISERS, plain_formats
from headway_pipelines.sources.sample import Sample
from headway_pipelines.workspace import Workspace

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SECRET = "grizelda.quux@example.com"


def calls(people: int = 20, each: int = 12) -> list[str]:
    names = ("Page Viewed", "Signed Up", "Order Completed")
    return [
        json.dumps(track(names[i % 3], i * 60 + person, user=f"u{person}", amount=i))
        for person in range(people)
        for i in range(each)
    ]


def requests(count: int = 300) -> list[str]:
    return [
        f'198.51.100.{i % 30} - - [02/Mar/2026:10:00:{i % 60:02d} +0000] "GET /p{i % 3} HTTP/1.1" 200 {i} "-" "a{i}"'
        for i in range(count)
    ]


def orders(count: int = 100) -> list[str]:
    rows = [f"{i};u{i % 20};{i % 28 + 1:02d}.03.2026 10:00;{i % 7}.50;{SECRET}" for i in range(count)]
    return ["order_no;customer_id;paid_at;total;mail", *rows]


def written(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def zipped(path: Path, members: list[tuple[str, list[str]]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in members:
            archive.writestr(name, gzip.compress("".join(line + "\n" for line in lines).encode()))
    return path


def outcomes(workspace: Workspace) -> dict[str, int]:
    """Reads everything as a run does, and makes sure that nothing is held back."""
    ledger = Ledger(workspace.ledger_file)
    try:
        done = ingest(workspace, ledger)
        assert done.damaged == 0 and judge_batches(workspace, ledger).blocked == {}
        found: Counter[str] = Counter()
        for each in ledger.outcomes():
            found[each["outcome"]] += each["lines"]
        return found
    finally:
        ledger.close()


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    written(folder / "web" / "2026-03-01.json.gz", calls()[::2])
    written(folder / "web" / "2026-03-02.json.gz", calls()[1::2])
    written(folder / "nginx" / "access.log", requests())
    written(folder / "nginx" / "access.log.1", requests()[:100])
    written(folder / "orders" / "march.csv", orders())
    written(folder / "notes.txt", [f"call {SECRET}"])
    (folder / f"{SECRET}.bin").write_bytes(b"\x00\x01\x02\xff" * 400)
    return folder


def test_a_folder_of_several_formats_becomes_several_sources(tmp_path: Path, mixed: Path) -> None:
    made = init_workspace(tmp_path / "shop", [mixed])
    text = made.workspace.sources_file.read_text()
    sources = {source.name: source for source in load_sources(made.workspace)}
    assert {name: source.files for name, source in sources.items()} == {
        "access_log": ("**/*.log*",),
        "segment": ("**/*.json.gz",),
        "march": ("orders/**/*.csv",),
    }
    claims = {each.relative: each.source.name for each in landed(made.workspace) if each.source}
    assert claims == {
        "web/2026-03-01.json.gz": "segment", "web/2026-03-02.json.gz": "segment", "orders/march.csv": "march",
        "nginx/access.log": "access_log", "nginx/access.log.1": "access_log",
    }  # fmt: skip
    assert "segment: # 2 files: Segment calls, one a line: type, messageId, userId or anonymousId\n" in text
    assert '    separator: ";" # the first line is cut into most names by it\n' in text
    assert "    user: customer_id # it is named like one; different values in 100 sampled rows: 20\n" in text
    assert '    time: {column: paid_at, format: "%d.%m.%Y %H:%M"} # its values are such times; ' in text
    assert made.recognition.left_alone() == [
        "notes.txt: text of no known format",
        "1 file whose name is not shown: no line of text in it",
    ]
    assert SECRET not in text + made.workspace.plan_file.read_text()
    # and the rest goes on, without an edit
    plan = load_plan(made.workspace.plan_file)
    assert set(plan.events) == {
        "Page Requested",
        "March Recorded",
        "Order Completed",
        "Page Viewed",
        "Signed Up",
    }
    assert outcomes(made.workspace) == {"event": 240 + 400 + 100}


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    return written(tmp_path / "loose" / "a.json", calls())


def test_a_zip_is_recognised_and_the_order_of_its_members_means_nothing(tmp_path: Path, loose: Path) -> None:
    parts = [(f"81/81_2026-03-0{i}_0.json.gz", calls()[i::4]) for i in range(4)]
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    made = init_workspace(tmp_path / "init", [zipped(one, parts), zipped(two, parts[::-1])])
    assert made.source_formats == ("segment",) and not made.workspace.sources_file.exists()
    product = made.workspace.product_file.read_text()
    shop = Shop(tmp_path / "shop", made.workspace.plan_file.read_text(), product)
    for count, file in enumerate((one, two, loose), 1):
        (shop.workspace.raw / file.name).symlink_to(file)
        shop.load()
        assert shop.query("SELECT count(*) FROM lake") == [(240,)]
        copies = {"copy of an event": 240 * (count - 1)} if count > 1 else {}
        assert shop.outcomes() == {"event": 240, **copies}


def test_rejects_in_an_archive_are_located(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    zipped(shop.workspace.raw / "x.zip", [("b.gz", ["{broken", calls()[0]]), ("a.gz", calls()[:3])])
    shop.ingest()
    with shop.ledger() as ledger:
        (reject,) = ledger.rejects()
    # three sound lines of member a come first
    assert (reject["line"], reject["reason"]) == (4, "malformed JSON")
    assert reject["position"] == sum(len(line) + 1 for line in calls()[:3])


def test_a_small_log_of_known_names_gets_a_plan(tmp_path: Path) -> None:
    names = ("Order Completed", "Invoice for Lovelace", "survey_answered")
    lines = [json.dumps(track(name, 1, user="u1", amount=5, hobby="x")) for name in names]
    made = init_workspace(tmp_path / "shop", [written(tmp_path / "a.json", lines)])
    plan = load_plan(made.workspace.plan_file)
    assert set(plan.events) == {"Order Completed", "survey_answered"}
    assert list(plan.events["Order Completed"].properties) == ["amount"]
    with pytest.raises(
        InputError, match=r"there are events in the logs .* none whose name several people sent"
    ):
        init_workspace(tmp_path / "b", [written(tmp_path / "b.json", lines[1:2])])


GA4 = {"event_timestamp": "1772442000000000", "event_params": [], "user_pseudo_id": "1.2", "stream_id": "1"}
SNOWPLOW = ["event,event_id,collector_tstamp,domain_userid,se_action"]
SNOWPLOW += [f"{event},e{event},2026-03-02 09:00:00,d1,{action}" for event, action in
             (("struct", "kassensturz"), ("page_ping", ""), ("struct", "survey_lovelace"))]  # fmt: skip


@pytest.mark.parametrize(
    ("format_", "lines", "own"),
    [
        pytest.param(
            "ga4",
            [
                json.dumps(GA4 | {"event_name": name})
                for name in ("kassensturz", "page_view", "survey_lovelace")
            ],
            "Page Viewed",
            id="ga4",
        ),
        pytest.param("snowplow_table", SNOWPLOW, "Page Pinged", id="snowplow_table"),
    ],
)
def test_names_that_a_source_gives_are_listed_whoever_sent_them(
    tmp_path: Path, format_: str, lines: list[str], own: str
) -> None:
    written(
        tmp_path / "shop" / "sources.yml",
        ["sources:", f"  web: {{format: {format_}, names: {{kassensturz: Till Balanced}}}}"],
    )
    made = init_workspace(tmp_path / "shop", [written(tmp_path / "a.log", lines)])
    assert set(load_plan(made.workspace.plan_file).events) == {"Till Balanced", own}


REAL = {
    "wikiticker": (39_244, "jsonl"),
    "retentioneering_ecom": (31_106, "delimited"),
    "mitzu_samples": (8_018, "delimited"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables_get_a_mapping(tmp_path: Path, name: str) -> None:
    if not DATA.is_dir():
        pytest.skip("the real data sets are not here: ../shared/data")
    made = init_workspace(tmp_path / "shop", [DATA / name])
    rows, format_ = REAL[name]
    assert (made.lines, made.source_formats) == (rows, (format_,))
    assert all(source.guessed for source in made.recognition.sources)
    assert made.recognition.unknown == {}


def suggested(path: Path) -> Suggested | str:
    made, refused = suggest({path.name: path}, {})
    return made[0] if made else refused.get(path.name, "nothing named")


TABLES = """
user_id,event,timestamp | u{i},open,2026-03-02T09:00:{i:02d}Z
event: {column: event} / user: user_id / time: {column: timestamp, format: iso}

Customer ID;Invoice Date;id | u{i};12/{i}/2010 8:26;{i}
separator: ";" / event: {value: Trips Recorded} / user: Customer ID
/ time: {column: Invoice Date, format: "%m/%d/%Y %H:%M"} / id: id

device_id;action;ts | d{i};open;17724420{i:02d}
separator: ";" / event: {column: action} / device: device_id / time: {column: ts, format: s}

userId,session_id,type,received_at,created_at | u{i},s{i},a,2026-03-02 10:00,2026-03-02 09:00
event: {column: type} / user: userId / time: {column: created_at, format: iso}
/ received: {column: received_at, format: iso}

session_id,name,time | s{i},open,1772442000{i:03d}
event: {column: name} / device: session_id / time: {column: time, format: ms}

user,company_id,day | u{i},c{i},202603{i:02d}
event: {value: Trips Recorded} / user: user / account: company_id / time: {column: day, format: "%Y%m%d"}
"""


@pytest.mark.parametrize("told", TABLES.strip().split("\n\n"))
def test_columns_are_told_by_name_and_values(tmp_path: Path, told: str) -> None:
    given, settings = told.split("\n", 1)
    header, row = given.split(" | ")
    made = suggested(written(tmp_path / "trips.csv", [header, *(row.format(i=i) for i in range(1, 29))]))
    assert isinstance(made, Suggested), made
    assert [line.split(" # ")[0] for line in made.settings] == settings.replace("\n", " ").split(" / ")
    assert all(" # " in line for line in made.settings)


def test_json_and_parquet_get_a_mapping_too(tmp_path: Path) -> None:
    rows = [{"actor": {"id": f"u{i}"}, "kind": "open", "at": f"2026-03-02T09:00:{i:02d}Z"} for i in range(20)]
    made = suggested(written(tmp_path / "a.jsonl", [json.dumps(row) for row in rows]))
    assert isinstance(made, Suggested)
    assert [line.split(" # ")[0] for line in made.settings] == [
        "event: {column: kind}", 'user: "actor.id"', "time: {column: at, format: iso}"
    ]  # fmt: skip
    flat = pa.table({"user_id": [f"u{i}" for i in range(20)], "ts": [1_772_442_000 + i for i in range(20)]})
    parquet.write_table(flat, tmp_path / "b.parquet")
    made = suggested(tmp_path / "b.parquet")
    assert isinstance(made, Suggested) and made.format == "parquet"
    assert [line.split(" # ")[0] for line in made.settings][1:] == [
        "user: user_id",
        "time: {column: ts, format: s}",
    ]


def test_what_stands_before_a_dot_of_a_personal_file_name_names_nothing(tmp_path: Path) -> None:
    made = suggested(written(tmp_path / f"orders_{SECRET}.csv", orders()))
    assert isinstance(made, Suggested) and made.name == "rows"
    assert "grizelda" not in " ".join(made.settings).lower()


@pytest.mark.parametrize(
    ("header", "row", "why"),
    [
        ("user_id,amount", "u{i},5", "none that is clearly the time"),
        ("user_id,born,died", "u{i},1815-12-10,1852-11-27", "none that is clearly the time"),
        ("user_id,count", "u{i},17724420{i:02d}", "none that is clearly the time"),
        ("amount,time", "5,2026-03-02", "none that clearly says which user or device acted"),
        ("user_id,time", "u1,2026-03-02", "none that clearly says which user or device acted"),
        ("u1,2026-03-02,5", "u{i},2026-03-02,5", "nothing named"),
        (f"{SECRET},time", "u{i},2026-03-02", "none that clearly says which user or device acted"),
    ],
)  # fmt: skip
def test_what_is_not_evident_is_not_guessed(tmp_path: Path, header: str, row: str, why: str) -> None:
    made = suggested(written(tmp_path / "t.csv", [header, *(row.format(i=i) for i in range(1, 29))]))
    assert isinstance(made, str) and why in made and SECRET not in made


@pytest.mark.parametrize(
    ("values", "format_", "note"),
    [
        (["2026-03-02", "2026-03-02 10:00:00.123"], "iso", "read as UTC"),
        (["2026-03-02T10:00:00Z", "2026-03-02 10:00:00 UTC", "2026-03-02T10:00:00+01:00"], "iso", ""),
        (["1.2.2026", "31.12.2026"], "%d.%m.%Y", "read as UTC"),
        (["1/2/2026", "3/4/2026"], "%m/%d/%Y", "cannot be told"),
        (["1/2/2026", "13/4/2026"], "%d/%m/%Y", "read as UTC"),
        (["02/Mar/2026:10:00:00 +0000"], "%d/%b/%Y:%H:%M:%S %z", ""),
        (["1772442000.5"], "s", ""),
        (["1772442000123456"], "us", ""),
    ],
)
def test_ways_to_write_a_time(values: list[str], format_: str, note: str) -> None:
    found = times_of(values * 10)
    assert found is not None and found.format == format_ and note in found.note


@pytest.mark.parametrize("values", [["5"], ["2026"], ["9999-99-99"], ["yes", "2026-03-02"], ["99999999999"]])
def test_what_is_no_time(values: list[str]) -> None:
    assert times_of(values * 10) is None


def test_a_guessed_mapping_that_yields_no_events_is_dropped(tmp_path: Path) -> None:
    # the ids are all placeholders that trackers send, which the gate does not take for anybody
    rows = [f"{('null', 'undefined')[i % 2]},2026-03-02T09:00:00Z" for i in range(40)]
    made = suggested(written(tmp_path / "t.csv", ["user_id,time", *rows]))
    assert made == "by the mapping that was guessed only 0 of 40 rows become events"


JUNK: tuple[Mapping[str, object], ...] = (
    {},
    {"type": None, "event": 1, "properties": []},
    {"type": {"track": 1}, "messageId": [], "userId": 0},
    {"path": "/v1/batch", "received_at": 1, "query": [], "headers": "x", "body": [1, None, {"type": 5}]},
    {"path": "/v1/batch", "received_at": 1, "body": {"batch": [None]}, "headers": None, "query": {"data": 7}},
    {"path": 5, "received_at": None, "body": "eyJ", "query": {"data": "%%%"}},
)


@pytest.mark.parametrize("format_", RECOGNISERS)
def test_recognisers_survive_anything(format_: str) -> None:
    knows = RECOGNISERS[format_]
    for sample in (
        Sample("a"),
        Sample("a.parquet", columns=("a", ""), parquet=True),
        *(sample_of("a", [json.dumps(each)] * 5) for each in JUNK),
        *(
            sample_of("a", [line] * 5)
            for line in ("x", "[1]", "\x00", '{"a"', "a,b", "\t" * 131, '"', "\ufeffa")
        ),
    ):
        assert knows(sample) is None


def test_every_format_that_needs_no_mapping_is_recognised() -> None:
    assert set(RECOGNISERS) == set(plain_formats())


def test_of_many_files_some_are_looked_at(tmp_path: Path) -> None:
    raw = {p.name: p for i in range(60) if (p := written(tmp_path / f"a{i:02d}.json", calls(1, 2)))}
    odd = written(tmp_path / "a30.json", requests(2))
    found = {each.file: each for each in recognise_files(raw, RECOGNISERS)}
    assert len(found) == 60 and {each.format for each in found.values()} == {"segment"}
    assert sum(each.like is None for each in found.values()) == 8
    # one of those that are looked at differs: then all are
    raw["a00.json"] = odd
    again = {each.file: each for each in recognise_files(raw, RECOGNISERS)}
    assert all(each.like is None for each in again.values())
    assert [name for name, each in again.items() if each.format == "access_log"] == ["a00.json", "a30.json"]


def test_a_sample_is_taken_from_several_members_of_an_archive(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", [("1.gz", calls()), ("2.gz", []), ("3.gz", requests())])
    lines = take_sample(file).lines
    assert len(lines) == 200 and sum("messageId" in line for line in lines) == 100
    (found,) = recognise_files({"a.zip": file}, RECOGNISERS)
    assert found.why == "lines of different formats are mixed in it (access_log, segment); split it"


def test_a_line_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("wb") as handle:
        handle.write(b"".join(line.encode() + b"\n" for line in requests(10)))
        handle.truncate(1 << 34)  # 16 GiB of zeros, a hole on the disk
    assert len(take_sample(path).lines) == 10


def test_every_file_that_is_left_alone_is_listed_or_counted() -> None:
    names = [f"note{i}.txt" for i in range(13)] + [f"{i}@example.com" for i in range(3)]
    listing = Recognition((), dict.fromkeys(names, "text")).left_alone()
    assert listing[:10] == [f"note{i}.txt: text" for i in range(10)]
    assert listing[10:] == ["and 3 files more", "3 files whose name is not shown: text"]


def poem(folder: Path) -> Path:
    return written(folder / "poem.txt", ["Shall I compare thee to a summer's day?"] * 20)


def binary(folder: Path) -> Path:
    (folder / "b.bin").write_bytes(b"\x00\x01\x02\xff" * 500)
    return folder / "b.bin"


def both(folder: Path) -> Path:
    return written(folder / "b.log", [*calls(5, 5), *requests(20)])


def document(folder: Path) -> Path:
    return written(folder / "b.json", json.dumps([{"a": 1}, {"a": 2}], indent=2).splitlines())


def locked(folder: Path) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.json", b"{}\n")
    content = bytearray(buffer.getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (folder / "a.zip").write_bytes(content)
    return folder / "a.zip"


Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """Runs the command line in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # typer imports what click has deprecated
        from headway_pipelines import cli

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headway", *map(str, arguments)])
        monkeypatch.setattr("os.umask", lambda _: 0)
        with pytest.raises(SystemExit) as left:
            cli.main()
        return (int(left.value.code or 0), *capfd.readouterr())

    yield command


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder, "no files under "),
        (poem, "poem.txt: text of no known format"),
        (binary, "b.bin: no line of text in it"),
        (both, "b.log: lines of different formats are mixed in it (access_log, segment); split it"),
        (document, "b.json: JSON that is not one object a line; write it so, for example with jq"),
        (locked, "a.zip: member 1 of 1 of the zip archive (a.json) is encrypted"),
    ],
)
def test_what_cannot_be_used_is_said_and_leaves_nothing(
    tmp_path: Path, say: Say, make: Callable[[Path], Path], words: str
) -> None:
    (tmp_path / "in").mkdir()
    path, root = make(tmp_path / "in"), tmp_path / "made" / "shop"
    code, _, err = say("init", root, "--from", path)
    assert code == 2 and words in err
    assert not (tmp_path / "made").exists()
    if path.is_file():
        assert f"Recognised are {', '.join(plain_formats())}" in err and "format: delimited" in err
    # a second try is not blocked by the first
    assert say("init", root, "--from", written(tmp_path / "good.json", calls()))[0] == 0


def test_the_command_line_says_what_was_recognised_and_why(tmp_path: Path, mixed: Path, say: Say) -> None:
    code, out, _ = say("init", tmp_path / "shop", "--from", mixed)
    assert code == 0
    for line in (
        "recognised      access_log, 2 files: web server requests in combined log format",
        "guessed         march (delimited), 1 file: no known export, but columns for the time (paid_at) and who acted",
        "left alone      2 files that no source reads",
        "                notes.txt: text of no known format",
        "sources         check what is guessed there: ",
    ):
        assert line in out
    code, out, _ = say("check", "-w", tmp_path / "shop")
    assert code == 0 and "                access_log reads 2 files" in out
    sources = tmp_path / "shop" / "sources.yml"
    sources.write_text(sources.read_text() + "  twice: {format: segment, files: ['nginx/access.log', 'x']}\n")
    code, out, _ = say("check", "-w", tmp_path / "shop")
    assert code == 0 and "claimed twice   1 file: the first source in sources.yml reads them" in out


def test_source_takes_any_format_that_needs_no_mapping(tmp_path: Path, say: Say, loose: Path) -> None:
    for format_ in plain_formats():
        root = tmp_path / format_
        code, out, err = say("init", root, "--from", loose, "--source", format_)
        assert (code, root.exists()) == ((0, True) if format_ in ("segment", "rudder") else (2, False)), err
    assert "as --source says" in out + say("init", tmp_path / "s2", "--from", loose, "--source", "segment")[1]
    code, _, err = say("init", tmp_path / "d", "--from", loose, "--source", "delimited")
    assert (
        code == 2
        and "delimited needs a mapping: write" in err
        and ", ".join(map(repr, plain_formats())) in err
    )
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "sources.yml").write_text("sources: {a: {format: segment}}")
    code, _, err = say("init", tmp_path / "e", "--from", loose, "--source", "segment")
    assert code == 2 and "sources.yml says how the logs are read. Remove it, or leave out --source." in err
    assert (tmp_path / "e" / "sources.yml").exists()


def test_sources_that_claim_nothing(tmp_path: Path, loose: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "sources.yml").write_text("sources: {a: {format: segment, files: ['*.gz']}}")
    with pytest.raises(InputError, match=r"no source in .*sources.yml claims any of 1 file under"):
        init_workspace(tmp_path / "s", [loose])
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["sources.yml"]


def test_a_name_that_appears_late_is_counted(tmp_path: Path) -> None:
    rows = [
        {"user": f"u{i % 20}", "event": "opened", "time": f"2026-03-02T09:00:{i % 60:02d}Z", "n": i}
        for i in range(400)
    ]
    late = [row | {"coupon": "x", "deep": {"er": 1}} for row in rows[350:]]
    made: Initialised = init_workspace(
        tmp_path / "shop", [written(tmp_path / "a.jsonl", [json.dumps(row) for row in rows])]
    )
    written(tmp_path / "a.jsonl", [json.dumps(row) for row in rows[:350] + late])
    assert outcomes(made.workspace) == {"event": 400}
    ledger = Ledger(made.workspace.ledger_file)
    try:
        dropped = {each["property"]: each["n_values"] for each in ledger.dropped()}
    finally:
        ledger.close()
    assert dropped == {"coupon": 50, "deep": 50}
