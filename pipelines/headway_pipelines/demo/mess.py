"""What goes wrong between a browser and a log: every kind is planted, and every one is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headway_pipelines.demo.catalogue import COURSE_PAGES
from headway_pipelines.demo.clock import DAY, FILES_PER_DAY, MINUTE, SECOND
from headway_pipelines.demo.quality import load_times
from headway_pipelines.demo.rows import LATE, LOGGED_IN, RETRY, ROW, SERVER_KINDS, Kind, RowArray
from headway_pipelines.demo.world import World

Line = dict[str, Any]
#: Codes of ``special``: violations from here, malformed lines from there, canaries from yonder.
FIRST_VIOLATION, FIRST_MALFORMED, FIRST_CANARY = 1, 50, 100
#: Stands for two bytes that are not UTF-8 until the file is written; no string type holds those.
NOT_UTF8 = "\x7f\x7f"


@dataclass(frozen=True)
class Violation:
    """One way of breaking the tracking plan.

    Attributes:
        name: What the truth calls it.
        kind: The events it strikes. Never a property that a metric of ``product.yml`` reads: dropping the
            property leaves every planted number as it is.
        change: Changes the parsed line in place.
    """

    name: str
    kind: Kind
    change: Callable[[Line], None]


def _set(name: str, value: Any) -> Callable[[Line], None]:
    def change(line: Line) -> None:
        line["properties"][name] = value

    return change


VIOLATIONS: tuple[Violation, ...] = (
    Violation("wrong_type", Kind.LESSON_WATCHED, _set("seconds", "312 s")),
    Violation("out_of_range", Kind.LESSON_WATCHED, _set("seconds", -5)),
    Violation("undeclared_property", Kind.LESSON_WATCHED, _set("playback_rate", 1.5)),
    Violation("wrong_type", Kind.SEARCH_PERFORMED, _set("results", "many")),
    Violation("wrong_type", Kind.SEARCH_PERFORMED, _set("results", [3])),
    Violation("value_not_in_plan", Kind.COURSE_ENROLLED, _set("category", "cooking")),
    Violation("undeclared_property", Kind.COURSE_ENROLLED, _set("offer", {"code": "AUTUMN", "percent": 20})),
    Violation("wrong_type", Kind.VIDEO_EDITED, _set("seconds", True)),
    Violation("value_not_in_plan", Kind.TICKET_OPENED, _set("topic", "refunds")),
    Violation("wrong_type", Kind.COURSE_PUBLISHED, _set("has_video", "yes")),
    Violation("undeclared_property", Kind.PAGE_VIEWED, _set("scroll_depth", 0.4)),
    Violation("value_not_in_plan", Kind.UPLOAD_FAILED, _set("reason", "quota")),
    Violation("undeclared_property", Kind.APP_ERROR, _set("stack", ["app.js:1:2041"])),
)
MALFORMED = ("truncated", "not_json", "not_utf8", "not_an_object", "no_id", "bad_timestamp")


def send(world: World, rng: np.random.Generator, rows: RowArray) -> RowArray:
    """Sends events to the server and keeps those that arrive before the export ends.

    Args:
        world: The world.
        rng: The block's stream.
        rows: Events of one block, by time.

    Returns:
        The same with latencies and arrival times; anonymous visits on a second or borrowed device stay only
        if the log says who it was.
    """
    n = len(rows)
    server = np.isin(rows["kind"], SERVER_KINDS)
    rows["lat"] = np.where(server, rng.integers(5, 60, n), rng.integers(20, 400, n))
    wait = np.where(server, 0, rng.exponential(2 * SECOND, n)).astype(np.int64)
    offline = np.isin(rows["kind"], [Kind.LESSON_WATCHED, Kind.SEARCH_PERFORMED, Kind.PAGE_VIEWED])
    offline &= rows["flags"] & LOGGED_IN > 0
    offline &= world.is_mobile(rows["device"]) & (rng.random(n) < 2.25 * world.scenario.late)
    wait = np.where(offline, rng.integers(DAY + MINUTE, 3 * DAY, n), wait)
    rows["recv"] = rows["ts"] + wait
    rows["flags"] |= np.where(offline, LATE, 0).astype(np.uint8)
    rows = rows.take(np.flatnonzero((rows["ts"] >= world.clock.start) & (rows["recv"] < world.clock.end)))
    return linked(world, rows)


def linked(world: World, rows: RowArray) -> RowArray:
    """Drops anonymous visits that nothing in the log, cut as it is, ties to their person.

    Args:
        world: The world.
        rows: Lines the export holds.

    Returns:
        Those without visits on second or borrowed devices whose user never signs in on record.
    """
    logged = rows["flags"] & LOGGED_IN > 0
    real = rows["device"] != world.no_device
    second = (rows["device"] % 2 == 1) & ~np.isin(rows["device"], rows["device"][logged])
    borrowed = (rows["device"] // 2 != rows["person"]) & ~np.isin(rows["person"], rows["person"][logged])
    return rows.take(np.flatnonzero(~(real & (second | borrowed))))


def number(rows: RowArray, stream: int) -> None:
    """Numbers messages in place.

    Args:
        rows: Rows of one stream.
        stream: Which block, or one past the last for bots.
    """
    rows["msg"] = (np.uint64(stream) << np.uint64(32)) + np.arange(len(rows), dtype=np.uint64)


def violate(world: World, rng: np.random.Generator, rows: RowArray) -> None:
    """Marks rows to break the plan, in place.

    Args:
        world: The world.
        rng: The block's stream.
        rows: Numbered rows of one block.
    """
    hit = rng.random(len(rows)) < world.scenario.violation
    draw = rng.integers(0, 2**16, len(rows))
    for kind in {violation.kind for violation in VIOLATIONS}:
        codes = [FIRST_VIOLATION + i for i, v in enumerate(VIOLATIONS) if v.kind == kind]
        index = np.flatnonzero(hit & (rows["kind"] == kind) & (rows["special"] == 0))
        rows["special"][index] = np.array(codes)[draw[index] % len(codes)]


def retries(world: World, rng: np.random.Generator, rows: RowArray) -> RowArray:
    """Makes the copies of lines sent twice.

    Args:
        world: The world.
        rng: The block's stream.
        rows: Numbered rows of one block.

    Returns:
        The copies: same message, minutes to a day later, always in a later file, before the export ends.
    """
    copies = rows[rng.random(len(rows)) < world.scenario.retry].copy()
    n = len(copies)
    slot = DAY // FILES_PER_DAY
    minutes = (2 * MINUTE * (DAY / (2 * MINUTE)) ** rng.random(n)).astype(np.int64)
    next_file = world.clock.start + (world.clock.file_of(copies["recv"]) + 1) * slot
    again = copies["recv"] + minutes
    late_enough = next_file + rng.integers(0, 20 * MINUTE, n)
    copies["recv"] = np.where(again < next_file, late_enough, again)
    copies["skew"] = rng.integers(-15, 300, n)
    copies["flags"] |= RETRY
    return copies[copies["recv"] < world.clock.end]


def malformed(world: World, rng: np.random.Generator, rows: RowArray, at_least: int) -> RowArray:
    """Makes lines that are no events, from copies of lines that are.

    Args:
        world: The world.
        rng: The block's stream.
        rows: Numbered rows of one block.
        at_least: Fewest lines to make, if there is anything to copy.

    Returns:
        Additional rows with a code from ``FIRST_MALFORMED`` on, kinds in equal shares.
    """
    usable = np.flatnonzero(
        np.isin(rows["kind"], [Kind.PAGE_VIEWED, Kind.LESSON_WATCHED]) & (rows["special"] == 0)
    )
    count = max(at_least, round(world.scenario.malformed * len(rows))) if len(usable) else 0
    lines = rows[rng.choice(usable, count)] if count else np.zeros(0, ROW)
    lines["special"] = FIRST_MALFORMED + np.arange(count) % len(MALFORMED)
    lines["recv"] = np.minimum(lines["recv"] + rng.integers(1, 30 * SECOND, count), world.clock.end - 1)
    # Numbers far above the block's own: a malformed line never shares a message with a good one.
    lines["msg"] += np.uint64(2**31)
    lines["msg"] += np.arange(count, dtype=np.uint64) << np.uint64(24)
    return lines


def bots(world: World, rng: np.random.Generator) -> RowArray:
    """Makes the crawlers' page views.

    Args:
        world: The world.
        rng: The bots' stream.

    Returns:
        Their rows; the person number is one past the people's, the device number is no person's.
    """
    count = 20 + rng.poisson(40, world.bots)
    bot = np.repeat(np.arange(world.bots), count)
    n = len(bot)
    rows = np.zeros(n, ROW)
    rows["ts"] = np.sort(world.clock.start + rng.integers(SECOND, world.clock.days * DAY - MINUTE, n))
    rows["person"] = world.scenario.people + bot
    rows["device"] = world.first_bot_device + bot
    rows["page"] = rng.integers(0, COURSE_PAGES.stop, n)
    rows["lat"] = rng.integers(20, 400, n)
    rows["recv"] = rows["ts"] + rows["lat"]
    rows["a"] = load_times(world, world.rng(2**31, 4), rows["device"])
    return rows


def change_line(code: int, text: str) -> str:
    """Renders a line that breaks the plan, or is none.

    Args:
        code: The row's special code, below ``FIRST_CANARY``.
        text: The line as it would have been, without its line end.

    Returns:
        The line to write.
    """
    if code >= FIRST_MALFORMED:
        return _break(MALFORMED[code - FIRST_MALFORMED], text)
    line: Line = json.loads(text)
    VIOLATIONS[code - FIRST_VIOLATION].change(line)
    return dump(line)


def dump(line: Line | list[Any]) -> str:
    """Writes a line the way the rest of the log is written.

    Args:
        line: The parsed line, or what stands in its place.

    Returns:
        Compact JSON.
    """
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False)


def _break(how: str, text: str) -> str:
    line: Line = json.loads(text)
    if how == "truncated":
        return text[: 40 + len(text) * 3 // 5]
    if how == "not_json":
        return f"upstream timed out (110) while reading response header, message {line['messageId']}"
    if how == "not_an_object":
        return dump([line["messageId"], line["type"]])
    if how == "not_utf8":
        line["context"]["page"]["title"] = f"Caf{NOT_UTF8}"
    elif how == "no_id":
        del line["anonymousId"]
        line["userId"] = None
    else:
        line["timestamp"] = line["originalTimestamp"] = "2026-13-45T99:99:99Z"
    return dump(line)
