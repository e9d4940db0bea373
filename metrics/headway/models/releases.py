"""Where releases are told of, what features they bring, and over how long their effects are looked for."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StrictInt, StrictStr, model_validator

from headway.models.metrics import EventSelector
from headway.models.yaml_file import Definition

ReleaseKind = Literal["release", "deploy", "rollout", "rollback"]
"""``release``: something new for users. ``rollout``: a step of one. ``deploy``: code that went live and is counted,
whose effect nobody asks for. ``rollback``: something was taken back."""

RELEASE_KINDS: tuple[ReleaseKind, ...] = get_args(ReleaseKind)

_NAME = r"[a-z][a-z0-9_]{0,62}"


def _no_path_outside(text: str) -> str:
    if text.startswith("-"):
        raise ValueError(f"{text!r} begins with a hyphen, which git takes for an option")
    return text


class Feature(Definition):
    """Something that a release brings to users.

    Attributes:
        title: Its name for people.
        used: What somebody does who uses it.
        eligible: What somebody does who could; None takes the product's activity.
    """

    title: StrictStr = Field(min_length=1)
    used: EventSelector
    eligible: EventSelector | None = None


class ReleaseEvent(Definition):
    """A release that the log itself tells of: it began on the day of the first such event.

    Attributes:
        title: Its name for people.
        event: The events that only happen once it is there.
        kind: What it is.
        feature: The feature it brings.
        metrics: Metrics it is meant to change.
    """

    title: StrictStr = Field(min_length=1)
    event: EventSelector
    kind: Literal["release", "deploy"] = "release"
    feature: StrictStr | None = None
    metrics: tuple[StrictStr, ...] = ()


class Releases(Definition):
    """What a product says of its releases, beside ``inputs/releases.csv``.

    Attributes:
        git: Folder of a git repository, relative to the workspace; its tags are releases.
        tags: Pattern of the tags that are, as in ``v*``.
        tags_are: What a tag is: ``deploy`` or ``release``.
        features: Features by name.
        events: Releases that events tell of, by name.
        weeks_before: Weeks before a release that its effect is compared with, at most.
        weeks_after: Weeks after a release over which its effect is measured, at most.
        kept_after: Weeks after first use from which on somebody who uses a feature has kept it.
    """

    git: Annotated[StrictStr, AfterValidator(_no_path_outside)] | None = None
    tags: Annotated[StrictStr, AfterValidator(_no_path_outside)] = "*"
    tags_are: Literal["release", "deploy"] = "deploy"
    features: dict[Annotated[StrictStr, Field(pattern=f"^{_NAME}$")], Feature] = Field(default_factory=dict)
    events: dict[Annotated[StrictStr, Field(pattern=f"^{_NAME}$")], ReleaseEvent] = Field(
        default_factory=dict
    )
    weeks_before: StrictInt = Field(default=8, ge=3, le=52)
    weeks_after: StrictInt = Field(default=4, ge=1, le=26)
    kept_after: StrictInt = Field(default=2, ge=1, le=26)

    @model_validator(mode="after")
    def _tags_are_of_a_repository(self) -> Releases:
        asked = {"tags", "tags_are"} & self.model_fields_set
        if asked and self.git is None:
            raise ValueError(
                f"{sorted(asked)[0]}: say whose tags: add git: with the folder of the repository"
            )
        return self

    @model_validator(mode="after")
    def _features_exist(self) -> Releases:
        for name, each in self.events.items():
            if each.feature is not None and each.feature not in self.features:
                known = ", ".join(sorted(self.features)) or "none"
                raise ValueError(f"events.{name}: there is no feature {each.feature!r}; declared: {known}")
        return self
