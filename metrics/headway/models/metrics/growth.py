"""Metrics of growth: how people come, stay and leave, what a cohort adds up to, and whom it brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import StrictStr, field_validator, model_validator

from headway.models.durations import describe_duration, parse_duration
from headway.models.metrics.amounts import Amount, placed_in
from headway.models.metrics.base import BaseMetric, Measured, Reads, checked_duration
from headway.models.metrics.selector import EventSelector


class Lifecycle(BaseMetric):
    """People by how they stand to the period before, or a rate made of them."""

    kind: Literal["lifecycle"]
    of: EventSelector
    part: Literal["new", "returning", "resurrected", "dormant", "churn", "quick_ratio"]
    # Windows overlap, so that there is no period before.
    possible_grains = ("day", "week", "month")
    is_no_share = True

    WORDS: ClassVar[Mapping[str, str]] = {
        "new": "Number of people active for the first time ever",
        "returning": "Number of people active who were active in the period before as well",
        "resurrected": "Number of people active again who were not active in the period before",
        "dormant": "Number of people active in the period before and not in this one",
        "churn": "People active in the period before and not in this one, divided by people active in the one before",
        "quick_ratio": "New and resurrected people divided by dormant people",
    }

    @property
    def is_count(self) -> bool:
        """See the base class."""
        return self.part not in ("churn", "quick_ratio")

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(f"{self.WORDS[self.part]}, active meaning {self.of.label}", "period by period", 0)


class Stickiness(BaseMetric):
    """On which share of the days of a period its active people are active, on average."""

    kind: Literal["stickiness"]
    of: EventSelector
    needed_unit = "percent"

    def measured(self) -> Measured:
        """See the base class."""
        return Measured(
            f"Days on which people did {self.of.label}, divided by the days of the period, averaged over the people "
            "who did it in the period",
            "counting the days the log covers",
            0,
        )


class CohortAmount(BaseMetric):
    """What a person adds up to within a time from the first start: observed lifetime value, for example."""

    kind: Literal["cohort_amount"]
    start: EventSelector
    of: Amount
    within: StrictStr

    _within = field_validator("within")(checked_duration)

    @model_validator(mode="after")
    def _adds_up(self) -> CohortAmount:
        if self.of.measure not in ("events", "sum"):
            raise ValueError(f"measure: {self.of.measure} does not add up over time; write events or sum")
        return self

    def numbers(self) -> Reads:
        """See the base class."""
        return placed_in("of", self.of.numbers())

    def properties(self) -> Reads:
        """See the base class."""
        return placed_in("of", self.of.properties())

    def measured(self) -> Measured:
        """See the base class."""
        label, start = self.of.label, self.start.label
        return Measured(
            f"{label[0].upper()}{label[1:]}, divided by people whose first {start} ever falls in the period",
            f"within {describe_duration(self.within)} of that first event, people without any counted as zero",
            parse_duration(self.within),
        )


class Referral(BaseMetric):
    """Invitations by the people of a cohort within a time from their first start.

    Attributes:
        start: What makes a person of the cohort.
        sent: Invitations.
        accepted: Their acceptances, by whomever they were sent to.
        key: Property that says which invitation.
        part: ``k``: accepted invitations per person of the cohort; ``sent``: invitations per person; ``acceptance``:
            the share of invitations that were accepted.
        within: The horizon.
    """

    kind: Literal["referral"]
    is_no_share = True
    start: EventSelector
    sent: EventSelector
    accepted: EventSelector
    key: StrictStr
    part: Literal["k", "sent", "acceptance"] = "k"
    within: StrictStr

    _within = field_validator("within")(checked_duration)

    def properties(self) -> Reads:
        """See the base class."""
        return ((("key",), self.key, self.sent), (("key",), self.key, self.accepted))

    def measured(self) -> Measured:
        """See the base class."""
        top = {
            "k": f"Invitations ({self.sent.label}) by people of the cohort that somebody else accepted",
            "sent": f"Invitations ({self.sent.label}) by people of the cohort",
            "acceptance": f"Invitations ({self.sent.label}) by people of the cohort that somebody else accepted",
        }[self.part]
        bottom = "all their invitations" if self.part == "acceptance" else "people of the cohort"
        return Measured(
            f"{top}, divided by {bottom}; the cohort are those whose first {self.start.label} ever falls in the period",
            f"sent and accepted within {describe_duration(self.within)} of that first event, told apart by {self.key}",
            parse_duration(self.within),
        )


class Mrr(BaseMetric):
    """A part of the bridge of monthly recurring revenue, account by account, or a rate made of it.

    An account is the person's whose event said first what it pays, so that people are what is sampled here too. It
    counts in the segments of that moment, month after month: the bridge adds up in every segment.

    Attributes:
        event: Events that say what an account pays a month from then on.
        value: The property that says it; values below 0 are left out and counted.
        ends: Events after which an account pays nothing.
        account: ``account`` goes by the event's account; None by its person.
        part: Part of the bridge, ``net_retention`` or ``gross_retention``.
    """

    kind: Literal["mrr"]
    event: EventSelector
    value: StrictStr
    ends: EventSelector
    account: Literal["account"] | None = "account"
    part: Literal[
        "opening",
        "new",
        "reactivation",
        "expansion",
        "contraction",
        "churned",
        "closing",
        "net_retention",
        "gross_retention",
    ] = "closing"
    possible_grains = ("month",)
    is_no_share = True

    WORDS: ClassVar[Mapping[str, str]] = {
        "opening": "Monthly recurring revenue at the end of the month before",
        "new": "Monthly recurring revenue of accounts that never paid before",
        "reactivation": "Monthly recurring revenue of accounts that paid once, but not at the end of the month before",
        "expansion": "Growth of the monthly recurring revenue of accounts that paid at the end of the month before",
        "contraction": "Decline of the monthly recurring revenue of accounts that go on paying",
        "churned": "Monthly recurring revenue, at the end of the month before, of accounts that pay nothing any more",
        "closing": "Monthly recurring revenue at the end of the month",
        "net_retention": "Monthly recurring revenue, now, of the accounts that paid at the end of the month before, "
        "divided by what they paid then",
        "gross_retention": "The same without growth: of each account at most what it paid at the end of the month "
        "before, divided by what they paid then",
    }

    def numbers(self) -> Reads:
        """See the base class."""
        return ((("value",), self.value, self.event),)

    def base_columns(self) -> tuple[str, ...]:
        """See the base class."""
        return () if self.account is None else (self.account,)

    def measured(self) -> Measured:
        """See the base class."""
        of = f"{self.value} of the latest {self.event.label}, nothing after {self.ends.label}"
        by = f"account by account ({self.account})" if self.account else "person by person"
        return Measured(f"{self.WORDS[self.part]} ({of})", f"{by}, month by month", 0)
