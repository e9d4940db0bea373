"""Consent as the tracking plan declares it: which purposes need it, and what in a raw call says that it was given."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StrictStr, field_validator, model_validator

from headway.models.yaml_file import Definition

#: What a signal may begin with; a bare name is looked up among the event's properties.
SIGNAL_ROOTS = ("properties", "traits", "context.consent")
TCF_PURPOSES = 24
GRANTED = ("true", "1", "yes", "granted", "allow", "allowed", "accepted", "opt_in", "opted_in")


def _path(text: str) -> str:
    parts = text.split(".")
    if not all(parts) or '"' in text:
        raise ValueError(f"{text!r} is not a path; write for example properties.consent_analytics")
    if parts[0] == "context" and (parts[1:2] != ["consent"] or len(parts) < 3):
        raise ValueError(
            f"{text!r} is not read: of the context only context.consent is, "
            "for example context.consent.categoryPreferences.Analytics"
        )
    if parts[0] in ("properties", "traits") and len(parts) < 2:
        raise ValueError(f"{text!r} names no property; write for example {text}.consent_analytics")
    return text


SignalPath = Annotated[StrictStr, AfterValidator(_path)]


class ConsentSignal(Definition):
    """A value that says whether consent was given for a purpose.

    Attributes:
        source: Where it is in the raw call.
        granted: Values that mean yes, in lower case. Any other value means no.
    """

    source: SignalPath = Field(alias="from")
    granted: tuple[StrictStr, ...] = GRANTED

    @field_validator("granted")
    @classmethod
    def _some_lower_case_values(cls, granted: tuple[str, ...]) -> tuple[str, ...]:
        if not granted or any(value != value.lower().strip() or not value for value in granted):
            raise ValueError("list at least one value, in lower case and without blanks around")
        return granted


class ConsentPurpose(Definition):
    """What counts as consent for one purpose: any signal that says yes, as long as none says no.

    Attributes:
        signals: Values that say so.
        tcf: Purposes of the TCF string that must all be consented to; product analytics needs 1, 8, 9 and 10.
    """

    signals: tuple[ConsentSignal, ...] = ()
    tcf: tuple[StrictInt, ...] = ()

    @model_validator(mode="after")
    def _something_can_say_yes(self) -> ConsentPurpose:
        if not self.signals and not self.tcf:
            raise ValueError("needs signals, or purposes of the TCF string under tcf")
        for number in self.tcf:
            if not 1 <= number <= TCF_PURPOSES:
                raise ValueError(f"{number} is no purpose of the TCF; they are 1 to {TCF_PURPOSES}")
        return self


class BrowserSignal(Definition):
    """A signal of the browser that denies purposes, whatever else says yes.

    It counts wherever a log has it as a header of the request. Where it is elsewhere, `source` says so.

    Attributes:
        source: Where else it is in the raw call; ``0``, ``false`` and ``no`` mean that it is not set, all else that it
            is. None where headers are all there is.
        denies: The purposes.
    """

    source: SignalPath | None = Field(default=None, alias="from")
    denies: tuple[StrictStr, ...] = Field(min_length=1)


class Withdrawal(Definition):
    """Events by which people withdraw.

    Attributes:
        events: Their names. They pass the gate whatever the signals say.
        then: Whether people are only listed until ``headway forget --withdrawn``, or erased by the run that reads it.
    """

    events: tuple[StrictStr, ...] = Field(min_length=1)
    then: Literal["list", "erase"] = "list"


class Consent(Definition):
    """The section ``consent`` of a tracking plan.

    Attributes:
        purposes: Purposes that need consent.
        exempt: Purposes that need none.
        tcf: Where the TCF string is.
        gpc: Where the Global Privacy Control (``Sec-GPC``) is, and what it denies.
        dnt: The same of Do Not Track.
        unknown: What becomes of a line without any signal: counted by event, only counted, or let through.
        refused: What becomes of a line that a signal speaks against.
        withdrawal: Events by which people withdraw.

    Examples:
        >>> consent = Consent.model_validate({
        ...     "purposes": {"product_analytics": {"signals": [{"from": "context.consent.analytics"}]}}
        ... })
        >>> consent.unknown, consent.purposes["product_analytics"].signals[0].granted[0]
        ('count', 'true')
    """

    purposes: dict[StrictStr, ConsentPurpose] = Field(min_length=1)
    exempt: tuple[StrictStr, ...] = ()
    tcf: SignalPath | None = None
    gpc: BrowserSignal | None = None
    dnt: BrowserSignal | None = None
    unknown: Literal["count", "drop", "allow"] = "count"
    refused: Literal["count", "drop"] = "count"
    withdrawal: Withdrawal | None = None

    @model_validator(mode="after")
    def _says_where_the_string_is(self) -> Consent:
        asked = [name for name, purpose in self.purposes.items() if purpose.tcf]
        if asked and self.tcf is None:
            raise ValueError(
                f"purpose {asked[0]!r} asks for the TCF string; say where it is with tcf: properties.NAME"
            )
        both = sorted(set(self.purposes) & set(self.exempt))
        if both:
            raise ValueError(f"purpose {both[0]!r} needs consent and is exempt; it can only be one of them")
        for name, signal in (("gpc", self.gpc), ("dnt", self.dnt)):
            unknown = sorted(set(signal.denies) - set(self.purposes)) if signal else []
            if unknown:
                raise ValueError(f"{name} denies {unknown[0]!r}, which is not among purposes")
        return self
