"""What the simulation knows and a pipeline has to find: ``truth.json``.

Nothing in here was read back from the log. ``README.md`` beside this file explains every section.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headway.errors import InputError
from headway_pipelines.demo import catalogue as cat
from headway_pipelines.demo.canaries import Canary
from headway_pipelines.demo.measures import MEASURES
from headway_pipelines.demo.segment_log import e_mail
from headway_pipelines.demo.tally import EXPERIMENT_DAYS, FUNNELS, VARIANTS, Tally


@dataclass(frozen=True)
class Truth:
    """Planted parameters and realised counts of one simulation.

    Attributes:
        scenario: The parameters, by field name of ``Scenario``.
        range: First and last instant, horizon, week starts, release instant.
        people: People, devices, sign-ups, bots and how identity is strained.
        channels: New people and sign-ups by first touch.
        log: Lines, messages, retries, late, malformed, violations, by kind; files and bytes.
        metrics: For every metric of ``product.yml``: overall and by local week, for all and by channel.
        funnels: People per step.
        retention: Weekly learner cohorts.
        experiment: The editor's release.
        trials: The experiments around signing up.
        daily: People per local day.
        activation: How soon newcomers get what they came for, and who takes all steps on the way in order.
        referral: Invites sent and accepted, K, and both by cohort of senders.
        weekly_events: Events and people by week, of every event of the plan.
        subscriptions: Recurring revenue by month, and how it changed.
        money: Payments in their own currencies and in EUR.
        spend: Cost per new person by channel.
        surveys: Answers, and what everybody shown would have answered.
        support: Tickets, waiting times, and what quick replies do.
        uploads: Attempts and their outcomes.
        quality: Pages, errors and sessions.
        releases: What each release was meant to change, and by how much it did for those who got it.
        personal_data: Every planted value with its type and place.
    """

    scenario: dict[str, Any]
    range: dict[str, Any]
    people: dict[str, Any]
    channels: dict[str, Any]
    log: dict[str, Any]
    metrics: dict[str, Any]
    funnels: dict[str, Any]
    retention: dict[str, Any]
    experiment: dict[str, Any]
    trials: dict[str, Any]
    daily: dict[str, Any]
    activation: dict[str, Any]
    referral: dict[str, Any]
    weekly_events: dict[str, Any]
    subscriptions: dict[str, Any]
    money: dict[str, Any]
    spend: dict[str, Any]
    surveys: dict[str, Any]
    support: dict[str, Any]
    uploads: dict[str, Any]
    quality: dict[str, Any]
    releases: dict[str, Any]
    personal_data: list[dict[str, str]]

    def write(self, path: Path) -> None:
        """Writes the truth as JSON.

        Args:
            path: The file to write.
        """
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Reads what ``write`` wrote.

        Args:
            path: A ``truth.json``.

        Returns:
            The truth.

        Raises:
            InputError: There is no such file, or it is not a truth file.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise InputError(
                f"{path.name} is not a readable truth file; simulate() writes one into the workspace"
            ) from None


def assemble(tally: Tally, planted: list[Canary], files: dict[str, Any]) -> Truth:
    """Puts the truth together.

    Args:
        tally: The counts.
        planted: The canaries that found a place.
        files: What the writer counted.

    Returns:
        The truth.
    """
    world, scenario = tally.world, tally.world.scenario
    metrics = {name: tally.measure_table(name) for name in MEASURES}
    clock = world.clock
    return Truth(
        scenario=scenario.as_dict(),
        range={
            "start_ms": clock.start,
            "end_ms": clock.end,
            "release_ms": world.release,
            "timezone": scenario.timezone,
            "week_starts": [clock.week_start(week).isoformat() for week in range(clock.weeks)],
        },
        people=_people(tally),
        channels=_channels(metrics),
        log=_log(tally, files),
        metrics=metrics,
        funnels={
            name: {
                "steps": list(FUNNELS[name][0]),
                "within_days": FUNNELS[name][1],
                "people": counts.tolist(),
            }
            for name, counts in tally.funnels.items()
        },
        retention={
            "learning": {
                "cohort_people": tally.retention[:, 0].tolist(),
                "returned": [row[1 : clock.weeks - i].tolist() for i, row in enumerate(tally.retention)],
            }
        },
        experiment=_experiment(tally),
        trials=tally.trials.table(),
        daily={
            "first_day": scenario.start.isoformat(),
            **{name: days.tolist() for name, days in tally.daily.items()},
        },
        activation=tally.activation.table(),
        referral=_referral(tally, metrics),
        weekly_events=tally.weekly.table(),
        subscriptions=tally.money.subscriptions(),
        money=tally.money.money(),
        spend=tally.money.spend(metrics["new_people"]),
        surveys=tally.surveys.table(),
        support=tally.support.table(),
        uploads=tally.uploads.table(),
        quality=tally.quality.table(),
        releases=tally.side.shipped.effects,
        personal_data=_personal_data(tally, planted),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _people(tally: Tally) -> dict[str, Any]:
    c, n = tally.counts, tally.counts["people"]
    return {
        "people": n,
        "sign_ups": c["sign_ups"],
        "devices": c["devices"],
        "second_devices": c["second_devices"],
        "wrong_clock_devices": c["wrong_clock_devices"],
        "bots": c["bots"],
        "e_mail_user_ids": c["e_mail_user_ids"],
        "shared_devices": c["shared_devices"],
        "shared_device_people": 2 * c["shared_devices"],
        "shared_device_anonymous_events": c["shared_device_anonymous_events"],
        "people_if_sharers_merge": n - c["shared_devices"],
        "people_if_bots_count": n + c["bots"],
    }


def _channels(metrics: dict[str, Any]) -> dict[str, Any]:
    segments = [segment for segment in metrics["new_people"] if segment.startswith("channel=")]
    return {
        segment.removeprefix("channel="): {
            "people": metrics["new_people"][segment]["denominator"],
            "activation": metrics["activation"][segment]["value"],
            "learner_week1": metrics["learner_week1"][segment]["value"],
        }
        for segment in segments
    }


def _log(tally: Tally, files: dict[str, Any]) -> dict[str, Any]:
    c = tally.counts
    names = ("lines", "messages", "retries", "late", "wrong_clock_lines", "anonymous_lines", "bot_lines")
    return {
        **{name: c[name] for name in names},
        "malformed": sum(tally.malformed.values()),
        "malformed_by_kind": dict(tally.malformed),
        "identify": c["identify"],
        "group": c["group"],
        "undeclared_events": c["undeclared_events"],
        "events": dict(tally.events),
        "violations": dict(tally.violations),
        **files,
    }


def _experiment(tally: Tally) -> dict[str, Any]:
    scenario = tally.world.scenario
    arms = {}
    for name, (exposed, ripe, published) in zip(VARIANTS, tally.experiment.tolist(), strict=True):
        arms[name] = {
            "exposed": exposed,
            "window_elapsed": ripe,
            "published": published,
            "rate": _share(published, ripe),
        }
    return {
        "feature": "video_editor",
        "release_ms": tally.world.release,
        "within_days": EXPERIMENT_DAYS,
        "planted_control": scenario.publish_control,
        "planted_treatment": scenario.publish_control + scenario.editor_uplift,
        "planted_uplift": scenario.editor_uplift,
        "arms": arms,
    }


def _referral(tally: Tally, metrics: dict[str, Any]) -> dict[str, Any]:
    sent, accepted = tally.events["Invite Sent"], tally.events["Invite Accepted"]
    return {
        "invites_sent": sent,
        "invites_accepted": accepted,
        "active_people": metrics["inviters"]["all"]["denominator"],
        "inviters": metrics["inviters"]["all"]["numerator"],
        "k": _share(accepted, tally.counts["people"]),
        **tally.referral.table(),
    }


def _personal_data(tally: Tally, planted: list[Canary]) -> list[dict[str, str]]:
    def entry(
        type_: str, value: str, where: str, encoding: str = "plain", written: str = ""
    ) -> dict[str, str]:
        written = written or value
        return {"type": type_, "value": value, "where": where, "encoding": encoding, "written": written}

    out = [entry(c.type, c.value, c.where, c.encoding, c.written) for c in planted]
    pools = (
        ("surname", "name", cat.SURNAMES, "traits.name"),
        ("phone", "phone", cat.PHONES, "traits.phone"),
        ("street", "address", cat.STREETS, "traits.address.street"),
        ("school", "organisation", cat.SCHOOLS, "groupId"),
        ("ip", "ip", cat.IPS, "context.ip"),
    )
    for part, type_, values, where in pools:
        out += [entry(type_, values[i], where) for i in sorted(tally.used[part])]
    out += [entry("e_mail", e_mail(tally.world, person), "userId") for person in tally.e_mail_user_ids]
    return out
