"""Checks of a product definition against the tracking plan it builds on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from headway.errors import InputError
from headway.models.composition import composition_problems
from headway.models.explain import did_you_mean, listed
from headway.models.metrics import EventSelector, Metric, PromoterScore
from headway.models.plan import Column, TrackingPlan
from headway.models.privacy_checks import privacy_problems
from headway.models.where_checks import mismatches
from headway.models.yaml_file import Location, Problem
from headway.selectors import parse_where

if TYPE_CHECKING:
    from headway.models.product import Product

_NUMERIC = ("number", "integer")
TOUCH_COLUMNS = ("utm_source", "utm_medium", "utm_campaign", "referrer")
"""Columns that a ready-made channel grouping reads, as far as the plan has them."""
_TAKEN = ("direct", "all")


def problems(product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    """Lists everything in a product that the tracking plan contradicts.

    Args:
        product: A product whose shape is right.
        plan: The tracking plan.

    Yields:
        One problem each, with its place in the product's file.
    """
    yield from selector_problems(product.activity, ("activity",), plan)
    yield from _events(product.identity.logout, ("identity", "logout"), plan)
    yield from _channels(product, plan)
    yield from _segments(product, plan)
    for name, metric in product.metrics.items():
        yield from _metric(metric, ("metrics", name), plan)
    yield from (composed := list(composition_problems(product)))
    if not composed:
        yield from privacy_problems(product)
    for name, funnel in product.funnels.items():
        for position, step in enumerate(funnel.steps):
            yield from selector_problems(step, ("funnels", name, "steps", position), plan)
    for name, question in product.retentions.items():
        yield from selector_problems(question.start, ("retentions", name, "start"), plan)
        yield from selector_problems(question.returning, ("retentions", name, "returning"), plan)
    yield from _sessions(product, plan)
    yield from _releases(product, plan)


def _releases(product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    told = product.releases
    for name, feature in told.features.items():
        at: Location = ("releases", "features", name)
        yield from selector_problems(feature.used, (*at, "used"), plan)
        if feature.eligible is not None:
            yield from selector_problems(feature.eligible, (*at, "eligible"), plan)
    for name, release in told.events.items():
        yield from selector_problems(release.event, ("releases", "events", name, "event"), plan)
        for metric in release.metrics:
            if metric not in product.metrics:
                yield Problem(
                    ("releases", "events", name, "metrics"),
                    f"there is no metric {metric!r}{did_you_mean(metric, product.metrics)}; "
                    f"there are: {listed(product.metrics)}",
                )


def _channels(product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    if product.channel_grouping:
        yield from _grouping(product, plan)
    seen: set[str] = set()
    for position, channel in enumerate(product.channels):
        at = ("channels", position)
        if channel.name in _TAKEN:
            yield Problem(
                (*at, "name"), f"{channel.name!r} is taken: it is what Headway calls the rest or the sum"
            )
        if channel.name in seen:
            yield Problem((*at, "name"), f"{channel.name!r} is listed twice; join the conditions with or")
        seen.add(channel.name)
        yield from _where(channel.where, (*at, "where"), plan.columns(), "any event")


def _grouping(product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    at = ("channel_grouping",)
    if product.channels:
        yield Problem(at, "is a grouping of its own; remove it, or channels")
    if not set(TOUCH_COLUMNS) & set(plan.columns()):
        yield Problem(
            at,
            f"needs a property that says where people come from, in at least one of the columns "
            f"{listed(TOUCH_COLUMNS)}; the plan has: {listed(plan.columns())}",
        )


def _sessions(product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    for position, name in enumerate(product.sessions.exclude):
        yield from selector_problems(EventSelector(event=(name,)), ("sessions", "exclude", position), plan)
    tracker = product.sessions.tracker_id
    ids = [name for name, column in plan.columns().items() if column.privacy_class == "id"]
    if tracker is not None and tracker not in ids:
        yield Problem(
            ("sessions", "tracker_id"),
            f"the tracking plan has no id {tracker!r}{did_you_mean(tracker, ids)}; its properties of class id "
            f"fill: {listed(ids)}",
        )


def _segments(product: Product, plan: TrackingPlan) -> Iterator[Problem]:
    known = [name.removeprefix("person.") for name in plan.dated_columns() if name.startswith("person.")]
    for name, segment in product.segments.items():
        if name in (*_TAKEN, "channel"):
            yield Problem(("segments", name), f"{name!r} is taken; give the segment another name")
        if segment.person is not None and segment.person not in known:
            yield Problem(
                ("segments", name, "person"),
                f"the tracking plan has no person property {segment.person!r}"
                f"{did_you_mean(segment.person, known)}; it declares: {listed(known)}",
            )


def _metric(metric: Metric, at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    for place, selector in metric.selectors().items():
        yield from selector_problems(selector, (*at, *place), plan)
    for place, name, selector in metric.numbers():
        yield from _number(name, selector, (*at, *place), plan)
    for place, name, selector in metric.properties():
        yield from _property(name, selector, (*at, *place), plan)
    if isinstance(metric, PromoterScore):
        yield from _score_range(metric, at, plan)


def selector_problems(selector: EventSelector, at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    """Lists what the tracking plan does not know of a selection of events.

    Args:
        selector: The events.
        at: Where they are named.
        plan: The tracking plan.

    Yields:
        One problem each.
    """
    yield from _events(selector.event, at, plan)
    if selector.where is not None and all(name in plan.events for name in selector.event):
        columns = {**_columns(selector, plan), **plan.dated_columns()}
        yield from _where(selector.where, (*at, "where"), columns, " or ".join(selector.event))


def _events(names: Iterable[str], at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    for name in names:
        if name not in plan.events:
            yield Problem(
                at,
                f"the tracking plan has no event {name!r}{did_you_mean(name, plan.events)}; "
                f"it declares: {listed(plan.events)}",
            )


def _where(text: str, at: Location, columns: Mapping[str, Column], of: str) -> Iterator[Problem]:
    try:
        tree = parse_where(text, columns)
    except InputError as error:
        yield Problem(at, f"{error} (properties of {of})" if "unknown property" in str(error) else str(error))
        return
    yield from (Problem(at, message) for message in mismatches(tree, columns))


def _columns(selector: EventSelector, plan: TrackingPlan) -> dict[str, Column]:
    """Returns the columns that at least one of the selected events fills."""
    events = [plan.events[name] for name in selector.event]
    names = {column.name for event in events for field in event.fields() for column in field.columns()}
    return {name: plan.columns()[name] for name in sorted(names)}


def _number(name: str, selector: EventSelector, at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    for event in selector.event:
        if event not in plan.events:
            continue
        columns = {each.name: each for field in plan.events[event].fields() for each in field.columns()}
        numeric = [each for each, column in columns.items() if column.privacy_class in _NUMERIC]
        if name not in columns:
            yield Problem(
                at,
                f"{event!r} has no property {name!r}{did_you_mean(name, numeric)}; "
                f"its numbers are: {listed(numeric)}",
            )
        elif name not in numeric:
            yield Problem(
                at,
                f"{name!r} of {event!r} is of class {columns[name].privacy_class}, not a number; "
                f"its numbers are: {listed(numeric)}",
            )


def _property(name: str, selector: EventSelector, at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    for event in selector.event:
        if event in plan.events:
            known = [each.name for field in plan.events[event].fields() for each in field.columns()]
            if name not in known:
                yield Problem(
                    at,
                    f"{event!r} has no property {name!r}{did_you_mean(name, known)}; it has: {listed(known)}",
                )


def _score_range(metric: PromoterScore, at: Location, plan: TrackingPlan) -> Iterator[Problem]:
    for event in metric.event.event:
        for field in plan.events[event].fields() if event in plan.events else ():
            if field.column is not None and field.column.name == metric.score:
                low, high = getattr(field.spec, "min", None), getattr(field.spec, "max", None)
                if (low is not None and low < 0) or (high is not None and high > 10):
                    yield Problem(
                        (*at, "score"),
                        f"a promoter score lies between 0 and 10; the plan's limits of {metric.score!r} are wider",
                    )
