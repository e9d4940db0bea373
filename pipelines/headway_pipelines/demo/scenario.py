"""The planted rates of the demo world: everything a report about Lectern should be able to find again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

#: Channels in the order of their codes; ``direct`` is what no rule of ``product.yml`` matches.
CHANNELS: tuple[str, ...] = ("organic", "paid", "email", "referral", "direct")


def _by_channel(*values: float) -> dict[str, float]:
    return dict(zip(CHANNELS, values, strict=True))


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Parameters of the simulated product; shares and probabilities are fractions, never percent.

    Attributes:
        people: Number of people drawn (bots not among them).
        days: Length of the export in UTC days.
        start: First UTC day of the export.
        seed: Seed of every draw.
        timezone: Reporting time zone of local days and weeks.
        daily_growth: Growth of arrivals per day (0.01 = one per cent a day).
        weekday_weight: Relative traffic Monday to Sunday.
        channel_share: Share of people by first touch; sums to 1.
        sign_up: Probability that a person ever signs up, by channel.
        second_visit: Probabilities of signing up on the first, second, third visit.
        teacher: Probability that someone who signs up is a teacher.
        activation: Probability that a learner completes a lesson within 7 days of signing up, by channel.
        enrol_unactivated: Probability that a learner who does not activate enrols in the first 7 days.
        week1_activated: Probability that an activated learner is active in rolling week 1, [7 d, 14 d).
        week1_unactivated: The same for a learner who did not activate.
        weekly_decay: Factor on that probability for each further week, down to the floor.
        retention_floor: Part of week 1's probability that never decays.
        stickiness: Probability that a person's own tendency, not fresh luck, decides a week.
        course_created: Probability that a teacher starts a course.
        publish_control: Probability of publishing it within 14 days with the old editor.
        editor_uplift: Added to that probability by the new video editor (treatment).
        editor_release: When the editor is released, as a fraction of the range, rounded to whole days.
        treatment: Share of teachers who get the new editor.
        save_control: Probability that somebody who signed up saves a course within a week.
        tour_uplift: Added to that probability by the welcome tour (treatment).
        badge_lost: Share of the price badge's treatment whose exposure nobody hears of.
        second_course: Probability per active week that a published teacher publishes another course.
        teacher_week1: Like ``week1_activated``, for teachers, counted from their first course.
        paid_enrolment: Probability that an enrolment in a priced course is paid.
        refund: Probability that a payment is refunded, 1 to 10 days later.
        further_enrolment: Probability per later visit of enrolling in another course.
        invite: Probability per active week that an activated person sends an invite.
        invite_accepted: Probability that someone from the referral channel signs up through the invite.
        survey: Probability per active week of being shown the recommendation survey (nps).
        survey_after_work: Probability that a lesson or edit brings a satisfaction (csat) or an effort (ces) survey.
        survey_response: Probability that a survey shown is answered, by channel.
        survey_mood: Points by which the mean answer to nps is moved, by channel; csat and ces move by a third of it.
        survey_again: Probability that an answered survey is shown again one to four days later.
        ticket: Probability per active week of opening a support ticket.
        ticket_by_bot: Probability that a bot answers it, within minutes.
        ticket_minutes: Median business minutes until an agent first answers a ticket.
        ticket_cause: Probability that a payment, a failed upload or a stalled playback, a week or more after the
            start, brings a ticket.
        quick_reply_minutes: Business minutes within which a first human reply counts as quick.
        quick_reply_return: Probability that a quick first human reply to the first ticket brings back, in the days 7
            to 14 after it was opened, somebody who would have stayed away.
        currency_share: Share of people by the currency they pay in; sums to 1.
        subscribe_school: Probability that a school ever subscribes.
        subscribe_own: Probability that a teacher without a school ever subscribes.
        subscription_days: Mean days between changes of a subscription.
        upload: Probability that an edited video is uploaded.
        upload_outcome: Probabilities that an attempt at an upload finishes, fails, is given up.
        upload_again: Probabilities of trying again after a failure, after giving up.
        page_failed: Probability that a page view fails.
        app_error: Probability that a page view is followed by an error of the app.
        fatal_error: Share of those errors that are fatal.
        school: Probability that a teacher belongs to a school (an account).
        second_device: Probability that someone who signs up also uses a second device.
        shared_device: Probability that a pair of people who both sign up (every second person and the one
            before) share one device.
        e_mail_user_id: Probability that a user id is an e-mail address.
        wrong_clock: Probability that a device's clock is off, by 2 minutes to 3 days.
        late: Probability that a client event of a signed-in visit reaches the server 1 to 3 days late.
        retry: Probability that a line is sent again, in a later file.
        violation: Probability that a line of the kinds in ``mess.VIOLATIONS`` breaks the tracking plan.
        undeclared_event: Probability that a lesson brings an event the plan does not know.
        malformed: Malformed lines per good line.
        bots: Bots per person.
    """

    people: int = 1000
    days: int = 60
    start: date = date(2026, 8, 31)
    seed: int = 7
    timezone: str = "Europe/Berlin"
    daily_growth: float = 0.012
    weekday_weight: tuple[float, ...] = (1.15, 1.2, 1.15, 1.05, 0.9, 0.7, 0.85)
    channel_share: dict[str, float] = field(default_factory=lambda: _by_channel(0.30, 0.25, 0.10, 0.15, 0.20))
    sign_up: dict[str, float] = field(default_factory=lambda: _by_channel(0.46, 0.38, 0.62, 0.72, 0.50))
    second_visit: tuple[float, float, float] = (0.68, 0.20, 0.12)
    teacher: float = 0.22
    activation: dict[str, float] = field(default_factory=lambda: _by_channel(0.50, 0.31, 0.55, 0.64, 0.46))
    enrol_unactivated: float = 0.40
    week1_activated: float = 0.68
    week1_unactivated: float = 0.20
    weekly_decay: float = 0.82
    retention_floor: float = 0.45
    stickiness: float = 0.7
    course_created: float = 0.62
    publish_control: float = 0.40
    editor_uplift: float = 0.22
    editor_release: float = 0.3
    treatment: float = 0.5
    save_control: float = 0.20
    tour_uplift: float = 0.20
    badge_lost: float = 0.45
    second_course: float = 0.10
    teacher_week1: float = 0.55
    paid_enrolment: float = 0.85
    refund: float = 0.06
    further_enrolment: float = 0.16
    invite: float = 0.14
    invite_accepted: float = 0.88
    survey: float = 0.34
    survey_after_work: float = 0.06
    survey_response: dict[str, float] = field(
        default_factory=lambda: _by_channel(0.42, 0.22, 0.58, 0.64, 0.36)
    )
    survey_mood: dict[str, float] = field(default_factory=lambda: _by_channel(0.0, -0.9, 0.2, 0.5, 0.0))
    survey_again: float = 0.12
    ticket: float = 0.05
    ticket_by_bot: float = 0.30
    ticket_minutes: float = 110.0
    ticket_cause: float = 0.25
    quick_reply_minutes: float = 120.0
    quick_reply_return: float = 0.5
    currency_share: dict[str, float] = field(default_factory=lambda: {"EUR": 0.8, "USD": 0.13, "GBP": 0.07})
    subscribe_school: float = 0.85
    subscribe_own: float = 0.65
    subscription_days: float = 11.0
    upload: float = 0.5
    upload_outcome: tuple[float, float, float] = (0.74, 0.17, 0.09)
    upload_again: tuple[float, float] = (0.75, 0.3)
    page_failed: float = 0.004
    app_error: float = 0.006
    fatal_error: float = 0.25
    school: float = 0.35
    second_device: float = 0.25
    shared_device: float = 0.04
    e_mail_user_id: float = 0.02
    wrong_clock: float = 0.06
    late: float = 0.012
    retry: float = 0.02
    violation: float = 0.01
    undeclared_event: float = 0.02
    malformed: float = 0.0008
    bots: float = 0.004

    @property
    def release_day(self) -> int:
        """Day of the range (0-based) on whose UTC midnight the editor is released."""
        return round(self.days * self.editor_release)

    def week1_expected(self, channel: str) -> float:
        """Probability that a learner of a channel is active in rolling week 1.

        Args:
            channel: One of ``CHANNELS``.

        Returns:
            The mixture of the activated and the not activated learners' probabilities.

        Examples:
            >>> round(Scenario().week1_expected("referral"), 4)
            0.5072
        """
        share = self.activation[channel]
        return share * self.week1_activated + (1 - share) * self.week1_unactivated

    def as_dict(self) -> dict[str, Any]:
        """Gives the parameters as plain JSON values.

        Returns:
            Field name to value; dates as ISO strings.

        Examples:
            >>> Scenario().as_dict()["start"]
            '2026-08-31'
        """
        values = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        values["start"] = self.start.isoformat()
        values["release_day"] = self.release_day
        values["week1_expected"] = {channel: self.week1_expected(channel) for channel in CHANNELS}
        return values
