"""The product: time zone, channels, metrics, funnels and retention questions of one workspace."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from headway.errors import InputError
from headway.models.composition import parts_of
from headway.models.explain import did_you_mean
from headway.models.identity import Identity
from headway.models.metrics import PRESENTATION, CostPer, EventSelector, Grain, Metric, checked_duration
from headway.models.plan import TrackingPlan
from headway.models.product_checks import problems
from headway.models.publishing import Publishing
from headway.models.releases import Releases
from headway.models.yaml_file import Definition, Document, joined, parse_document, read_text, validate
from headway.periods import known_zones

WeekDay = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

DIRECT = "direct"
"""Channel of people whom no rule matches."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _snake_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name; use lower-case letters, digits and underscores, at most 63"
        )
    return name


Name = Annotated[
    StrictStr, AfterValidator(_snake_name), Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$"})
]


class Channel(Definition):
    """One acquisition channel: the first rule that a person's first touch satisfies gives the channel."""

    name: Name
    where: StrictStr


class Segment(Definition):
    """A way to divide people, beside the channel of their first touch.

    Attributes:
        person: A declared person property; its value at the time counts.
        touch: ``last``: the channel of the last touch up to the time, direct visits aside.
        top: Values shown by themselves, those of most people; the rest is ``(other)``.
    """

    person: StrictStr | None = None
    touch: Literal["last"] | None = None
    top: StrictInt = Field(default=8, ge=1, le=100)

    @model_validator(mode="after")
    def _is_one_thing(self) -> Segment:
        if (self.person is None) == (self.touch is None):
            raise ValueError("write person: with the name of a person property, or touch: last")
        return self


class BusinessHours(Definition):
    """When the team is there to answer, in the product's time zone.

    Attributes:
        days: Days of the week.
        opens: First minute of the working day, ``HH:MM``.
        closes: Minute after its last, ``HH:MM``; ``24:00`` is midnight.
    """

    days: tuple[WeekDay, ...] = Field(
        default=("monday", "tuesday", "wednesday", "thursday", "friday"), min_length=1
    )
    opens: StrictStr = "09:00"
    closes: StrictStr = "17:00"

    @field_validator("opens", "closes")
    @classmethod
    def _is_a_time_of_day(cls, text: str) -> str:
        if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
            raise ValueError(f'{text!r} is no time of day; write it in quotes, as in "09:00"')
        return text

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> BusinessHours:
        if self.opens >= self.closes:
            raise ValueError(f"opens {self.opens} must be before closes {self.closes}")
        return self


class FunnelQuestion(Definition):
    """A funnel the report shows."""

    title: StrictStr = Field(min_length=1)
    steps: tuple[EventSelector, ...] = Field(min_length=2)
    within: StrictStr

    _within = field_validator("within")(checked_duration)


class RetentionQuestion(Definition):
    """A retention triangle the report shows."""

    title: StrictStr = Field(min_length=1)
    start: EventSelector
    returning: EventSelector
    period: Literal["day", "week", "month"] = "week"
    periods: StrictInt = Field(default=8, ge=1, le=400)


class SessionRules(Definition):
    """What a session is.

    Attributes:
        idle: Longest pause within a session.
        tracker_id: Column with the tracker's own session id, to go by it instead of pauses.
        max_length: Longest session; null allows any length.
        too_long: ``set_apart`` takes a longer one for no visit, ``cut`` ends it there.
        max_rate: Most events a minute of a visit; null allows any number.
        cut_at_midnight: Whether midnight in the product's time zone ends a session.
        exclude: Events that are no activity, for example a server's.
    """

    idle: StrictStr = "30m"
    tracker_id: StrictStr | None = None
    max_length: StrictStr | None = "24h"
    too_long: Literal["set_apart", "cut"] = "set_apart"
    max_rate: StrictInt | None = Field(default=600, ge=1)
    cut_at_midnight: StrictBool = False
    exclude: tuple[StrictStr, ...] = ()

    @field_validator("idle", "max_length")
    @classmethod
    def _is_a_duration(cls, text: str | None) -> str | None:
        return text if text is None else checked_duration(text)


class Product(Definition):
    """Everything product.yml says.

    Attributes:
        name: Name shown in reports.
        timezone: IANA reporting time zone: it decides which day an event belongs to.
        week_start: First day of a week.
        currency: ISO 4217 code of amounts.
        activity: What "active" means.
        identity: How users and devices become people.
        channels: Acquisition channels in the order in which they are tried.
        channel_grouping: A ready-made grouping instead: ``ga4``, the default channels of Google Analytics 4.
        segments: Further ways to divide people, by name.
        grains: Kinds of period metrics are computed for, where they do not say.
        metrics: Metrics by name; those of ``metrics/*.yml`` beside the file are among them.
        funnels: Funnels by name.
        retentions: Retention triangles by name.
        sessions: What a session is.
        business_hours: When the team is there to answer.
        publishing: How small a published number may be.
        releases: Where releases are told of, and what they bring.
    """

    name: StrictStr = Field(min_length=1)
    timezone: StrictStr
    week_start: WeekDay = "monday"
    currency: StrictStr
    activity: EventSelector
    identity: Identity = Identity()
    channels: tuple[Channel, ...] = ()
    channel_grouping: Literal["ga4"] | None = None
    segments: dict[Name, Segment] = Field(default_factory=dict)
    grains: tuple[Grain, ...] = Field(default=("day", "week"), min_length=1)
    metrics: dict[Name, Metric] = Field(default_factory=dict)
    funnels: dict[Name, FunnelQuestion] = Field(default_factory=dict)
    retentions: dict[Name, RetentionQuestion] = Field(default_factory=dict)
    sessions: SessionRules = SessionRules()
    business_hours: BusinessHours = BusinessHours()
    publishing: Publishing = Publishing()
    releases: Releases = Releases()

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        if name not in known_zones():
            hint = did_you_mean(name, known_zones())
            raise ValueError(f"unknown time zone {name!r}; write an IANA name such as Europe/Berlin{hint}")
        return name

    @field_validator("currency")
    @classmethod
    def _currency_is_a_code(cls, code: str) -> str:
        if not re.fullmatch("[A-Z]{3}", code):
            raise ValueError(f"{code!r} is not a currency code; write three capital letters such as EUR")
        return code

    def metric(self, name: str) -> Metric:
        """Returns one metric.

        Args:
            name: Its name.

        Returns:
            The metric.

        Raises:
            InputError: There is no such metric.
        """
        if name not in self.metrics:
            raise InputError.unknown("metric", name, self.metrics)
        return self.metrics[name]

    def grains_of(self, metric: str) -> tuple[Grain, ...]:
        """Returns the kinds of period a metric is computed for, each once, shortest first.

        Args:
            metric: The metric's name.

        Returns:
            The grains.

        Raises:
            InputError: There is no such metric.
        """
        declared = self.metric(metric)
        if parts := parts_of(declared):
            shared = set.intersection(*(set(self.grains_of(part)) for part in parts))
            return tuple(
                grain
                for grain in declared.possible_grains
                if grain in shared & set(declared.grains or shared)
            )
        asked = declared.grains or self.grains
        fitting = tuple(grain for grain in declared.possible_grains if grain in asked)
        # Revenue that recurs by the month is monthly, whatever the other metrics are.
        return fitting or declared.possible_grains

    def definition_hash(self, metric: str) -> str:
        """Hashes everything that decides a metric's numbers: its fields, days, weeks, channels, and its components.

        The product's currency and business hours count where the metric goes by them.

        Titles, owners, targets and limits do not count, so editing them does not start a new series.

        Args:
            metric: The metric's name.

        Returns:
            SHA-256 in hexadecimal.

        Raises:
            InputError: There is no such metric.
        """
        declared = self.metric(metric)
        content: dict[str, object] = {
            "metric": declared.model_dump(mode="json", exclude=set(PRESENTATION), exclude_none=True),
            "timezone": self.timezone,
            "week_start": self.week_start,
            "channels": [channel.model_dump(mode="json") for channel in self.channels],
        }
        if self.channel_grouping:
            content["channel_grouping"] = self.channel_grouping
        if parts := parts_of(declared):
            content["components"] = {part: self.definition_hash(part) for part in parts}
        if isinstance(declared, CostPer) or any(
            place[-1] == "currency" for place, _, _ in declared.properties()
        ):
            content["currency"] = self.currency
        if declared.at_most is not None:
            content["at_most"] = float(declared.at_most)
        if declared.in_business_hours:
            content["business_hours"] = self.business_hours.model_dump(mode="json")
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_product(text: str, plan: TrackingPlan, name: str = "product.yml") -> Product:
    """Reads a product definition from YAML text and checks it against the tracking plan.

    Args:
        text: The YAML text.
        plan: The workspace's tracking plan.
        name: File name to show in messages.

    Returns:
        The product.

    Raises:
        DefinitionError: Something is wrong; the message lists every problem with its line.

    Examples:
        >>> from headway.models.plan import parse_plan
        >>> plan = parse_plan('''
        ... version: 1
        ... product: lectern
        ... defaults: {purpose: product_analytics, owner: data, retention: 25 months}
        ... events: {Signed Up: , Course Published: }
        ... ''')
        >>> product = parse_product('''
        ... name: Lectern
        ... timezone: Europe/Berlin
        ... currency: EUR
        ... activity: Course Published
        ... metrics:
        ...   publishing:
        ...     {framework: aarrr, stage: activation, title: Publish, unit: percent, kind: conversion,
        ...      start: Signed Up, reach: Course Published, within: 14d}
        ... ''', plan)
        >>> print(product.metrics["publishing"].definition())
        People who did 'Course Published' after their first 'Signed Up', divided by people whose first
        'Signed Up' ever falls in the period, within 14 days of that first event (inclusive); a value is
        complete once the period and 14 days after it are over.
    """
    return _checked(parse_document(text, name), plan)


def _checked(document: Document, plan: TrackingPlan) -> Product:
    return validate(document, Product, lambda product: problems(product, plan))


def load_product(path: str | Path, plan: TrackingPlan) -> Product:
    """Reads a product definition from a file and checks it against the tracking plan.

    The files ``metrics/*.yml`` beside it hold more metrics, each a mapping from name to metric.

    Args:
        path: The YAML file.
        plan: The workspace's tracking plan.

    Returns:
        The product.

    Raises:
        DefinitionError: The file is missing or wrong; the message lists every problem with its line.
    """
    text, name = read_text(path)
    more = [_metrics_file(each) for each in metric_files(path)]
    return _checked(joined(parse_document(text, name), "metrics", more), plan)


def metric_files(path: str | Path) -> tuple[Path, ...]:
    """Lists the files with further metrics of a product.

    Args:
        path: The product's file.

    Returns:
        ``metrics/*.yml`` beside it, by name.
    """
    return tuple(sorted((Path(path).parent / "metrics").glob("*.yml")))


def _metrics_file(path: Path) -> Document:
    text, name = read_text(path)
    return parse_document(text, f"metrics/{name}")
