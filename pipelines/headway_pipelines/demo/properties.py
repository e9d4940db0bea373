"""The properties (or traits) of every kind of line, as pieces of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from headway_pipelines.demo import catalogue as cat
from headway_pipelines.demo.chapters import TRIAL
from headway_pipelines.demo.rows import Kind, RowArray
from headway_pipelines.demo.trials import TRIALS
from headway_pipelines.demo.world import Trait, World

#: A text that is the same in every line, or one text a line.
Piece: TypeAlias = str | pl.Series


def properties(world: World, kind: Kind, rows: RowArray) -> list[Piece]:
    """Writes the properties of rows of one kind.

    Args:
        world: The world.
        kind: Their kind.
        rows: The rows.

    Returns:
        Pieces that, put together, read ``"properties":{...},`` (``"traits"`` for identify and group).
    """
    return _WRITERS[kind](world, rows)


def amount_of(course: NDArray[Any], currency: NDArray[np.int64]) -> NDArray[np.int64]:
    """Looks up what is paid for a course.

    Args:
        course: Course numbers.
        currency: Positions in ``CURRENCIES``.

    Returns:
        Hundredths of the currency.
    """
    return np.asarray(np.array(cat.AMOUNTS)[currency, course % len(cat.PRICES)])


def look_up(table: pl.Series, index: NDArray[Any]) -> pl.Series:
    """Picks texts by position.

    ``Series.gather`` does the same through a lazy query, five times slower for the short columns at hand.

    Args:
        table: Texts.
        index: Positions.

    Returns:
        One text a position.
    """
    return table[pl.Series(index.astype(np.uint32))]


def _texts(values: tuple[Any, ...]) -> pl.Series:
    return pl.Series([json.dumps(value) for value in values])


_PRICES = _texts(tuple(cents / 100 for cents in cat.PRICES))
_CATEGORIES = _texts(cat.CATEGORIES)
_BOOLS = _texts((False, True))
_METHODS, _TOPICS = _texts(cat.METHODS), _texts(cat.TOPICS)
_ROLES, _VARIANTS = _texts(("learner", "teacher")), _texts(("control", "treatment"))
_TRIALS = _texts((*TRIALS, TRIAL))
_MEDIA, _ANSWERERS = _texts(("email", "link")), _texts(("agent", "bot"))
_QUERIES, _COMMENTS, _MESSAGES = _texts(cat.QUERIES), _texts(cat.COMMENTS), _texts(cat.MESSAGES)
_FIRST, _SURNAMES = pl.Series(cat.FIRST_NAMES), pl.Series(cat.SURNAMES)
_FIRST_LOWER, _SURNAMES_LOWER = _FIRST.str.to_lowercase(), _SURNAMES.str.to_lowercase()
_PHONES, _STREETS = pl.Series(cat.PHONES), pl.Series(cat.STREETS)
_SURVEYS, _CURRENCIES = _texts(cat.SURVEYS), _texts(cat.CURRENCIES)
_PLANS, _LEAVING = _texts(cat.PLANS), _texts(cat.REASONS_TO_LEAVE)
_ERRORS, _UPLOAD_REASONS = _texts(cat.ERRORS), _texts(cat.UPLOAD_REASONS)
_AMOUNTS = _texts(tuple(cents / 100 for amounts in cat.AMOUNTS for cents in amounts))
_PAGE_PROPERTIES = pl.Series(
    [
        json.dumps({"url": url, "referrer": referrer, "title": title}, separators=(",", ":"))[:-1]
        for url, _, title in cat.PAGES
        for referrer in cat.REFERRERS
    ]
)


_TICKET, _UPLOAD = '"properties":{"ticket_id":"tkt_', '"properties":{"upload_id":"upl_'


def _int(values: NDArray[Any]) -> pl.Series:
    return pl.Series(values.astype(np.int64)).cast(pl.String)


def _course(rows: RowArray) -> list[Piece]:
    return ['"properties":{"course_id":"crs_', _int(rows["a"]), '"']


def _category(rows: RowArray) -> list[Piece]:
    return [',"category":', look_up(_CATEGORIES, rows["a"] % len(cat.CATEGORIES))]


def _price(rows: RowArray) -> pl.Series:
    return look_up(_PRICES, rows["a"] % len(cat.PRICES))


def _page_viewed(_: World, rows: RowArray) -> list[Piece]:
    number = rows["page"].astype(np.int64) * len(cat.REFERRERS) + rows["ref"]
    speed: list[Piece] = [',"load_ms":', _int(rows["a"]), ',"failed":', look_up(_BOOLS, rows["c"]), "},"]
    return ['"properties":', look_up(_PAGE_PROPERTIES, number), *speed]


def _signed_up(_: World, rows: RowArray) -> list[Piece]:
    return [
        '"properties":{"method":',
        look_up(_METHODS, rows["a"]),
        ',"role":',
        look_up(_ROLES, rows["b"]),
        "},",
    ]


def _course_created(_: World, rows: RowArray) -> list[Piece]:
    return [*_course(rows), *_category(rows), "},"]


def _course_published(_: World, rows: RowArray) -> list[Piece]:
    more: list[Piece] = [',"price":', _price(rows), ',"lessons":', _int(rows["b"])]
    return [*_course(rows), *_category(rows), *more, ',"has_video":', look_up(_BOOLS, rows["c"]), "},"]


def _feature_exposed(_: World, rows: RowArray) -> list[Piece]:
    return ['"properties":{"feature":"video_editor","variant":', look_up(_VARIANTS, rows["c"]), "},"]


def _video_edited(_: World, rows: RowArray) -> list[Piece]:
    return [*_course(rows), ',"seconds":', _int(rows["b"]), "},"]


def _course_enrolled(_: World, rows: RowArray) -> list[Piece]:
    return [*_course(rows), *_category(rows), ',"price":', _price(rows), "},"]


def _lesson_watched(_: World, rows: RowArray) -> list[Piece]:
    return [*_course(rows), ',"seconds":', _int(rows["b"]), ',"completed":', look_up(_BOOLS, rows["c"]), "},"]


def _payment(world: World, rows: RowArray) -> list[Piece]:
    currency = world.currency(rows["person"])
    amount = look_up(_AMOUNTS, currency * len(cat.PRICES) + rows["a"] % len(cat.PRICES))
    order: list[Piece] = [',"order_id":"ord_', _int(rows["b"]), '"},']
    return ['"properties":{"amount":', amount, ',"currency":', look_up(_CURRENCIES, currency), *order]


def _invite_sent(_: World, rows: RowArray) -> list[Piece]:
    return ['"properties":{"medium":', look_up(_MEDIA, rows["c"]), *_id(rows, ',"invite_id":"inv_'), "},"]


def _invite_accepted(_: World, rows: RowArray) -> list[Piece]:
    return [*_id(rows, '"properties":{"invite_id":"inv_'), "},"]


def _id(rows: RowArray, begin: str) -> list[Piece]:
    return [begin, _int(rows["a"]), '"']


def _nothing(_: World, __: RowArray) -> list[Piece]:
    return ['"properties":{},']


def _survey_shown(_: World, rows: RowArray) -> list[Piece]:
    return ['"properties":{"survey":', look_up(_SURVEYS, rows["c"]), "},"]


def _survey_answered(_: World, rows: RowArray) -> list[Piece]:
    score: list[Piece] = [',"score":', _int(rows["b"]), ',"comment":', look_up(_COMMENTS, rows["a"]), "},"]
    return ['"properties":{"survey":', look_up(_SURVEYS, rows["c"]), *score]


def _ticket(_: World, rows: RowArray) -> list[Piece]:
    return [*_id(rows, _TICKET), "},"]


def _ticket_opened(_: World, rows: RowArray) -> list[Piece]:
    said: list[Piece] = [',"message":', look_up(_MESSAGES, rows["b"]), "},"]
    return [*_id(rows, _TICKET), ',"topic":', look_up(_TOPICS, rows["c"]), *said]


def _ticket_answered(_: World, rows: RowArray) -> list[Piece]:
    by: list[Piece] = [',"by":', look_up(_ANSWERERS, rows["b"]), "},"]
    return [*_id(rows, _TICKET), ',"topic":', look_up(_TOPICS, rows["c"]), *by]


def _ticket_followed_up(_: World, rows: RowArray) -> list[Piece]:
    return [*_id(rows, _TICKET), ',"message":', look_up(_MESSAGES, rows["b"]), "},"]


def _subscription(_: World, rows: RowArray) -> list[Piece]:
    mrr = (pl.Series(rows["a"].astype(np.int64)) / 100).cast(pl.String)
    return ['"properties":{"plan":', look_up(_PLANS, rows["c"]), ',"mrr":', mrr, "},"]


def _subscription_cancelled(world: World, rows: RowArray) -> list[Piece]:
    why: list[Piece] = [',"comment":', look_up(_LEAVING, rows["b"]), "},"]
    return [*_subscription(world, rows)[:-1], *why]


def _upload(_: World, rows: RowArray) -> list[Piece]:
    return [*_id(rows, _UPLOAD), "},"]


def _upload_failed(_: World, rows: RowArray) -> list[Piece]:
    return [*_id(rows, _UPLOAD), ',"reason":', look_up(_UPLOAD_REASONS, rows["c"]), "},"]


def _app_error(_: World, rows: RowArray) -> list[Piece]:
    said: list[Piece] = [',"message":', look_up(_ERRORS, rows["a"]), "},"]
    return ['"properties":{"fatal":', look_up(_BOOLS, rows["c"]), *said]


def _experiment_viewed(_: World, rows: RowArray) -> list[Piece]:
    named: list[Piece] = ['"properties":{"experiment":', look_up(_TRIALS, rows["a"])]
    return [*named, ',"variant":', look_up(_VARIANTS, rows["c"]), "},"]


def _course_saved(_: World, rows: RowArray) -> list[Piece]:
    return [*_course(rows), "},"]


def _search(_: World, rows: RowArray) -> list[Piece]:
    return ['"properties":{"query":', look_up(_QUERIES, rows["a"]), ',"results":', _int(rows["b"]), "},"]


def _stalled(_: World, rows: RowArray) -> list[Piece]:
    return [*_course(rows), ',"buffer":"empty"},']


def _identify(world: World, rows: RowArray) -> list[Piece]:
    parts = world.person_parts(rows["person"])
    first, last = parts["first"], parts["surname"]
    name: list[Piece] = ['"traits":{"name":"', look_up(_FIRST, first), " ", look_up(_SURNAMES, last)]
    mail: list[Piece] = [
        '","email":"',
        look_up(_FIRST_LOWER, first),
        ".",
        look_up(_SURNAMES_LOWER, last),
        ".",
    ]
    reach: list[Piece] = [_int(rows["person"]), '@example.com","phone":"', look_up(_PHONES, parts["phone"])]
    home: list[Piece] = ['","address":{"street":"', look_up(_STREETS, parts["street"]), '","country":"DE"}']
    return [*name, *mail, *reach, *home, ',"role":', look_up(_ROLES, rows["b"]), "},"]


def _group(world: World, rows: RowArray) -> list[Piece]:
    """A teacher's own account is named after its owner; a school's name is its id."""
    person = rows["person"]
    school = world.may_have_school(person)
    size = np.where(school, world.pick(person, Trait.SCHOOL, 40) + 3, 1)
    parts = world.person_parts(person)
    names = [
        "" if member else f',"name":"{cat.FIRST_NAMES[first]} {cat.SURNAMES[last]} Studio"'
        for member, first, last in zip(school, parts["first"], parts["surname"], strict=True)
    ]
    return [
        '"traits":{"industry":"education","employees":',
        _int(size),
        pl.Series(names, dtype=pl.String),
        "},",
    ]


_WRITERS: dict[Kind, Callable[[World, RowArray], list[Piece]]] = {
    Kind.PAGE_VIEWED: _page_viewed,
    Kind.SIGNED_UP: _signed_up,
    Kind.COURSE_CREATED: _course_created,
    Kind.COURSE_PUBLISHED: _course_published,
    Kind.FEATURE_EXPOSED: _feature_exposed,
    Kind.VIDEO_EDITED: _video_edited,
    Kind.COURSE_ENROLLED: _course_enrolled,
    Kind.LESSON_WATCHED: _lesson_watched,
    Kind.PAYMENT_COMPLETED: _payment,
    Kind.PAYMENT_REFUNDED: _payment,
    Kind.INVITE_SENT: _invite_sent,
    Kind.INVITE_ACCEPTED: _invite_accepted,
    Kind.SURVEY_ANSWERED: _survey_answered,
    Kind.TICKET_OPENED: _ticket_opened,
    Kind.TICKET_ANSWERED: _ticket_answered,
    Kind.SEARCH_PERFORMED: _search,
    Kind.SURVEY_SHOWN: _survey_shown,
    Kind.TICKET_FOLLOWED_UP: _ticket_followed_up,
    Kind.TICKET_RESOLVED: _ticket,
    Kind.TICKET_REOPENED: _ticket,
    Kind.TICKET_CHECKED_BACK: _ticket,
    Kind.SUBSCRIPTION_STARTED: _subscription,
    Kind.SUBSCRIPTION_CHANGED: _subscription,
    Kind.SUBSCRIPTION_CANCELLED: _subscription_cancelled,
    Kind.UPLOAD_STARTED: _upload,
    Kind.UPLOAD_FINISHED: _upload,
    Kind.UPLOAD_FAILED: _upload_failed,
    Kind.APP_ERROR: _app_error,
    Kind.EXPERIMENT_VIEWED: _experiment_viewed,
    Kind.COURSE_SAVED: _course_saved,
    Kind.IDENTIFY: _identify,
    Kind.GROUP: _group,
    Kind.LOGGED_IN: _nothing,
    Kind.PLAYBACK_STALLED: _stalled,
}
