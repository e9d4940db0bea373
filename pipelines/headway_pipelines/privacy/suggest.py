"""A first mapping for files that no recogniser knows: which column is the time, who acted, what happened.

Columns are told by their names and by their values. Only names that may be shown leave this module, each with what the
guess rests on; a mapping leaves it only when rows really become events by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headway.models.properties import snake_case
from headway_pipelines.privacy.columns import Columns, Layout, common_rows, layout_of
from headway_pipelines.privacy.detect import safe_name, safe_path
from headway_pipelines.privacy.survey import survey
from headway_pipelines.privacy.times import Times, times_of
from headway_pipelines.privacy.vocabulary import words_of
from headway_pipelines.quoting import quoted
from headway_pipelines.sources.config import parse_sources

_USERS = words_of("""
user_id userid uid user customer_id customerid customer customer_no member_id person_id subscriber_id player_id
learner_id student_id employee_id profile_id email user_email customer_email login username user_name actor_id actor
""")
_DEVICES = words_of("""
device_id deviceid anonymous_id anonymousid anon_id visitor_id visitorid cookie_id cookie client_id clientid device
""")
#: A session stands for a person only where nothing else does.
_SESSIONS = words_of("session_id sessionid user_session session")
_ACCOUNTS = words_of(
    "account_id company_id organization_id organisation_id org_id workspace_id tenant_id team_id"
)
_EVENTS = words_of("""
event event_name eventname event_type eventtype event_action action action_name activity activity_name type kind name
""")
_IDS = words_of("event_id eventid event_uuid message_id messageid insert_id uuid id row_id")
_TIMES = words_of("""
occurred_at event_time eventtime event_timestamp event_date event_at timestamp time ts datetime date_time
created_at createdat created ordered_at date day
""")
_RECEIVED = words_of("received_at receivedat received ingested_at server_time server_timestamp loaded_at")
_TIME_LIKE = re.compile(r"(^|_)(time|timestamp|date|datetime|ts|at|on|day)(_|$)")
_MOST_EVENTS = 60
_FILES, _LINES = 4, 2_000
_PASSING = 0.5


@dataclass(frozen=True)
class Suggested:
    """A mapping for some files.

    Attributes:
        format: Format of `sources.yml`.
        name: What the source may be called.
        settings: Lines of YAML below the source's name, each with its reason; without `format` and `files`.
        files: Paths below ``raw/`` that it reads.
        why: The reason in one sentence.
    """

    format: str
    name: str
    settings: tuple[str, ...]
    files: tuple[str, ...]
    why: str


def suggest(files: Mapping[str, Path], alike: Mapping[str, str]) -> tuple[list[Suggested], dict[str, str]]:
    """Guesses mappings for files.

    Args:
        files: Path below ``raw/`` -> where the file lies.
        alike: For files that need not be opened: the path of the one they are like.

    Returns:
        The mappings, and for each other file with named columns why there is none.
    """
    layouts = {name: layout_of(path) for name, path in files.items() if name not in alike}
    groups: dict[tuple[Layout, str], list[str]] = {}
    for name in files:
        if (layout := layouts.get(alike.get(name, name))) is not None:
            place = PurePosixPath(name)
            folder = f"{place.parent}*{_suffix(name)}" if layout.kind == "jsonl" else ""
            groups.setdefault((layout, folder), []).append(name)
    suggested: list[Suggested] = []
    refused: dict[str, str] = {}
    for (layout, _), names in groups.items():
        looked = [name for name in names if name not in alike][:_FILES] or names[:1]
        made = _mapping(common_rows([files[name] for name in looked], layout), names)
        if isinstance(made, Suggested):
            made = _tried(made, [files[name] for name in looked])
        if isinstance(made, Suggested):
            suggested.append(made)
        else:
            refused |= dict.fromkeys(names, made)
    return suggested, refused


def _tried(made: Suggested, paths: Sequence[Path]) -> Suggested | str:
    """Reads some rows by the mapping, as a run would; a mapping that yields few events is none."""
    text = "\n".join(
        ("sources:", "  guessed:", f"    format: {made.format}", *(f"    {s}" for s in made.settings))
    )
    (source,) = parse_sources(text)
    found = survey([(path, source) for path in paths], lines=_LINES)
    rows, events = sum(found.outcomes.values()), found.outcomes.get("event", 0)
    if events < _PASSING * rows or not events:
        return f"by the mapping that was guessed only {events} of {rows} rows become events"
    return made


def _mapping(columns: Columns, files: Sequence[str]) -> Suggested | str:
    """Puts a mapping together; where a part is missing, says which."""
    names = {name: snake_case(name.replace(".", "_")) for name in columns.names()}
    time = _time(columns, names)
    if time is None:
        return "it has columns, but none that is clearly the time of an event"
    user = _first(columns, names, _USERS, _acts)
    device = _first(columns, names, _DEVICES, _acts)
    if user is None and device is None:
        device = _first(columns, names, _SESSIONS, _acts)
    if user is None and device is None:
        return "it has columns, but none that clearly says which user or device acted"
    event = _first(columns, names, _EVENTS, _tells)
    settings = [*_separator(columns.layout), *_event(columns, event, files)]
    account = _first(columns, names, _ACCOUNTS, _acts) if user is not None else None
    for part, name in (("user", user), ("device", device), ("account", account)):
        if name is not None:
            settings.append(f"{part}: {quoted(name)} # it is named like one; {_counted(columns, name)}")
    settings += [*_times(columns, names, time), *_id(columns, names, event)]
    who = user or device
    return Suggested(
        columns.layout.kind,
        _source_name(files),
        tuple(settings),
        tuple(files),
        f"no known export, but columns for the time ({time[0]}) and who acted ({who}); check the mapping",
    )


def _first(
    columns: Columns, names: Mapping[str, str], wanted: Sequence[str], fits: Callable[[Columns, str], bool]
) -> str | None:
    for want in wanted:
        for name, plain in names.items():
            if plain == want and fits(columns, name):
                return name
    return None


def _acts(columns: Columns, name: str) -> bool:
    values = columns.values(name)
    return len(values) >= len(columns.rows) / 4 and (len(set(values)) > 1 or len(columns.rows) < 5)


def _tells(columns: Columns, name: str) -> bool:
    values = columns.values(name)
    kinds = set(values)
    return (
        len(values) >= 0.95 * len(columns.rows)
        and len(kinds) <= min(_MOST_EVENTS, max(3, len(values) // 2))
        and sum(map(safe_name, kinds)) >= 0.9 * len(kinds)
    )


def _time(columns: Columns, names: Mapping[str, str]) -> tuple[str, Times] | None:
    """The column that says when: by its name and values, else the only one whose values are times."""
    found: list[tuple[int, str, Times]] = []
    for name, plain in names.items():
        values = columns.values(name)
        times = times_of(values) if len(values) >= 0.95 * len(columns.rows) else None
        if times is not None:
            last = plain.rsplit("_", 1)[-1]
            known = _TIMES.index(plain) if plain in _TIMES else len(_TIMES) + (last not in ("at", "time"))
            if plain in _RECEIVED:
                known = len(_TIMES) + 2
            elif plain not in _TIMES and not _TIME_LIKE.search(plain):
                known = len(_TIMES) + 3
            if times.telling or known < len(_TIMES) + 3:
                found.append((known, name, times))
    if not found:
        return None
    found.sort(key=lambda each: each[0])
    best = found[0]
    if best[0] >= len(_TIMES) + 3 and len(found) > 1:
        return None
    return best[1], best[2]


def _times(columns: Columns, names: Mapping[str, str], time: tuple[str, Times]) -> Iterator[str]:
    name, times = time
    notes = "; ".join(filter(None, (f"its values are such times{_written(times)}", times.note)))
    yield f"time: {_time_field(name, times)} # {notes}"
    received = next((n for n, plain in names.items() if plain in _RECEIVED and n != name), None)
    if received is not None and (arrived := times_of(columns.values(received))) is not None:
        yield f"received: {_time_field(received, arrived)} # it is named like the time of arrival"


def _written(times: Times) -> str:
    units = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}
    return f", in {units[times.format]} since 1970" if times.format in units else ""


def _time_field(name: str, times: Times) -> str:
    shown = times.format if times.format.isalpha() else quoted(times.format)
    return f"{{column: {quoted(name)}, format: {shown}}}"


def _separator(layout: Layout) -> Iterator[str]:
    if layout.kind == "delimited" and layout.separator != ",":
        shown = "\\t" if layout.separator == "\t" else layout.separator
        yield f'separator: "{shown}" # the first line is cut into most names by it'


def _event(columns: Columns, event: str | None, files: Sequence[str]) -> Iterator[str]:
    if event is None:
        words = f"{_title(files)} Recorded"
        yield f"event: {{value: {quoted(words)}}} # no column names the event; say what one row is"
    else:
        yield f"event: {{column: {quoted(event)}}} # it is named like one; {_counted(columns, event)}"


def _counted(columns: Columns, name: str) -> str:
    values, rows = columns.values(name), len(columns.rows)
    empty = f", empty in {rows - len(values)}" if len(values) < rows else ""
    return f"different values in {rows} sampled rows: {len(set(values))}{empty}"


def _id(columns: Columns, names: Mapping[str, str], event: str | None) -> Iterator[str]:
    """The event's own id. A number of an order may stand on several rows, so only names of event ids count."""

    def unique(columns: Columns, name: str) -> bool:
        values = columns.values(name)
        return len(values) == len(columns.rows) > 1 and len(set(values)) == len(values)

    found = _first(columns, names, _IDS, unique)
    if found is not None and found != event:
        yield f"id: {quoted(found)} # each of {len(columns.rows)} sampled rows has another value; equal ids are copies"


def _title(files: Sequence[str]) -> str:
    words = [word for word in re.findall(r"[A-Za-z]{2,}", _source_name(files)) if safe_name(word)]
    return " ".join(words).title() or "Row"


def _source_name(files: Sequence[str]) -> str:
    """A name after the one file, or after the folder of several."""
    place = PurePosixPath(files[0])
    folders = {PurePosixPath(name).parent for name in files}
    own = len(files) == 1 or len(folders) > 1 or not place.parent.name
    # What is cut off with the suffix may be what tells that a name is a person's.
    name = place.name if own else place.parent.name
    stem = name.split(".")[0] if own else name
    words = re.findall(r"[a-z]+", stem.lower()) if safe_path(name) else []
    return "_".join(words)[:40].strip("_") or "rows"


def _suffix(name: str) -> str:
    return "".join(PurePosixPath(name).suffixes)
