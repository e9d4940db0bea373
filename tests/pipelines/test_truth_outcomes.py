"""Money, surveys, waiting times, tasks and quality: declared metrics find what was planted, to the last cent.

The metrics are those the demo declares in ``metrics/*.yml``; the world has no shared devices, so every number of every
week and month is equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import pytest
from planted import Computed

from headway.frameworks.identities import broken_identities, identities
from headway.models.plan import load_plan
from headway.models.product import load_product
from headway_pipelines.workspace import Workspace

Truth = Mapping[str, Any]
Series = list[float | None]

#: Seconds of an hour and of a day.
HOUR, DAY = 3600.0, 86_400.0


def ratio(top: float | None, bottom: float | None) -> float | None:
    return top / bottom if top is not None and bottom else None


def ratios(tops: Series, bottoms: Series) -> Series:
    return [ratio(top, bottom) for top, bottom in zip(tops, bottoms, strict=True)]


def revenue(truth: Truth) -> Series:
    paid, back = truth["money"]["payments"]["eur"]["weeks"], truth["money"]["refunds"]["eur"]["weeks"]
    return [a - b for a, b in zip(paid, back, strict=True)]


def per_payer(truth: Truth) -> Series:
    return ratios(truth["money"]["payments"]["eur"]["weeks"], truth["money"]["payers"]["weeks"])


def lifetime_value(truth: Truth) -> Series:
    value = truth["money"]["lifetime_value"]
    return ratios(value["eur_28d"], value["people"])


def spent(truth: Truth) -> Series:
    return [sum(week) for week in zip(*(row["eur"] for row in truth["spend"].values()), strict=True)]


def new_people(truth: Truth) -> Series:
    return list(truth["metrics"]["new_people"]["all"]["weekly_numerator"])


def weeks_of(table: str, part: str) -> Callable[[Truth, str], Series]:
    return lambda truth, name: [week[name] for week in truth[table][part]["weeks"]]


survey = {name: weeks_of("surveys", name) for name in ("nps", "csat", "ces")}
attempts, first_attempts = weeks_of("uploads", "attempts"), weeks_of("uploads", "first_of_person")
pages, errors = weeks_of("quality", "pages"), weeks_of("quality", "errors")


def share(of: Callable[[Truth, str], Series], part: str, whole: str) -> Callable[[Truth], Series]:
    return lambda truth: ratios(of(truth, part), of(truth, whole))


def wait(name: str, hours: str, quantile: str) -> Callable[[Truth], Series]:
    def planted(truth: Truth) -> Series:
        weeks = truth["support"][name][hours]["weeks"]
        return [None if week[quantile] is None else week[quantile] / HOUR for week in weeks]

    return planted


def days(times: Mapping[str, Any], quantile: str = "median") -> Series:
    return [None if week[quantile] is None else week[quantile] / DAY for week in times["weeks"]]


def invites(part: str, whole: str) -> Callable[[Truth], Series]:
    return lambda truth: ratios(truth["referral"]["cohorts"][part], truth["referral"]["cohorts"][whole])


def in_order(truth: Truth) -> Series:
    planted = truth["activation"]["search_to_lesson"]
    return ratios(planted["in_order"], planted["learners"])


def bridge(part: str) -> Callable[[Truth], Series]:
    return lambda truth: list(truth["subscriptions"]["mrr"][part])


WEEKLY: Mapping[str, Callable[[Truth], Series]] = {
    "revenue": revenue,
    "revenue_per_payer": per_payer,
    "value_28d": lifetime_value,
    "k_28d": lambda truth: list(truth["referral"]["cohorts"]["k_28d"]),
    "invites_28d": invites("sent_28d", "people"),
    "invites_accepted_28d": invites("accepted_28d", "sent_28d"),
    "referral_cycle": lambda truth: days(truth["referral"]["cycle_28d"]),
    "time_to_value": lambda truth: days(truth["activation"]["time_to_value"]),
    "search_to_lesson": in_order,
    "recommendation": lambda truth: survey["nps"](truth, "raw"),
    "recommendation_weighted": lambda truth: survey["nps"](truth, "weighted"),
    "satisfied": lambda truth: survey["csat"](truth, "raw"),
    "satisfied_weighted": lambda truth: survey["csat"](truth, "weighted"),
    "ease": lambda truth: survey["ces"](truth, "raw"),
    "uploads_done": share(attempts, "success", "attempts"),
    "uploads_failed": share(attempts, "failure", "attempts"),
    "uploads_abandoned": share(attempts, "abandoned", "attempts"),
    "uploads_first_try": share(first_attempts, "success", "attempts"),
    "first_reply": wait("first_reply", "business", "median"),
    "first_reply_p90": wait("first_reply", "calendar", "p90"),
    "next_reply": wait("next_reply", "business", "median"),
    "resolution": wait("first_resolution", "calendar", "median"),
    "followed_up": lambda truth: ratios(
        truth["support"]["checked_back_28d"], truth["support"]["tickets"]["opened"]
    ),
    "slow_pages": share(pages, "slow", "views"),
    "page_load_p95": lambda truth: pages(truth, "p95_ms"),
    "failed_pages": share(pages, "failed", "views"),
    "upload_time": lambda truth: weeks_of("uploads", "seconds")(truth, "trimmed_mean"),
    "crash_free_sessions": share(weeks_of("quality", "sessions"), "crash_free", "sessions"),
    "cost_per_new_person": lambda truth: ratios(spent(truth), new_people(truth)),
    "payback": lambda truth: ratios(revenue(truth), spent(truth)),
    # The world lies within one year.
    "enrolments_this_year": lambda truth: list(
        accumulate(truth["weekly_events"]["Course Enrolled"]["events"])
    ),
    "errors": lambda truth: ratios(errors(truth, "errors"), pages(truth, "views")),
}
MONTHLY: Mapping[str, Callable[[Truth], Series]] = {
    "mrr": bridge("closing"),
    "mrr_opening": bridge("opening"),
    "mrr_new": bridge("new"),
    "mrr_reactivation": bridge("reactivation"),
    "mrr_expansion": bridge("expansion"),
    "mrr_contraction": bridge("contraction"),
    "mrr_churned": bridge("churned"),
    "net_revenue_retention": lambda truth: list(truth["subscriptions"]["net_retention"]),
    "gross_revenue_retention": lambda truth: list(truth["subscriptions"]["gross_retention"]),
}
#: Of these the truth says nothing; they are compared with a second implementation elsewhere.
UNPLANTED = (
    "active_people",
    "people_new",
    "people_returning",
    "people_resurrected",
    "people_dormant",
    "churn",
    "quick_ratio",
    "stickiness",
    "reopened",
    "csat_answered",
    "people_with_fatal_errors",
)
BACK = {"quick": "back_after_quick_reply", "slow": "back_after_slow_reply"}
OUTCOMES = frozenset({*WEEKLY, *MONTHLY, *UNPLANTED, *BACK.values()} - {"recommendation"})


def same(planted: Series) -> list[Any]:
    """Numbers that were planted, as equal as two orders of addition are; nothing where nothing was."""
    return [None if each is None else pytest.approx(each, rel=1e-9, abs=1e-9) for each in planted]


def values(exact: Computed, metric: str, period: str, segment: str = "all") -> tuple[list[str], Series]:
    rows = exact.tables["metric_values"].filter(metric=metric, segment=segment, period=period)
    rows = rows.sort("period_start")
    return [str(day) for day in rows["period_start"]], rows["value"].to_list()


@pytest.mark.parametrize("metric", WEEKLY)
def test_every_week(exact: Computed, metric: str) -> None:
    starts, found = values(exact, metric, "week")
    planted = WEEKLY[metric](exact.truth)
    assert starts == exact.truth["range"]["week_starts"]
    assert found == same(planted)
    assert sum(each is not None and each != 0 for each in planted) > 3, "hardly anything is planted"


@pytest.mark.parametrize("metric", MONTHLY)
def test_every_month(exact: Computed, metric: str) -> None:
    starts, found = values(exact, metric, "month")
    planted = MONTHLY[metric](exact.truth)
    assert starts == exact.truth["subscriptions"]["months"]
    assert found == same(planted)


def test_the_order_of_steps_and_the_horizon_decide_numbers(exact: Computed) -> None:
    """Else a metric that forgot them would find what was planted, too."""
    steps = exact.truth["activation"]["search_to_lesson"]
    assert 0 < sum(steps["in_order"]) < sum(steps["in_any_order"]) < sum(steps["learners"])
    whole = exact.truth["activation"]["time_to_value"]["all"]
    assert 0.5 * whole["n"] < whole["closed"] < whole["n"]
    late = exact.ask(
        "SELECT count(*) FROM (SELECT person, min(occurred_at) AS start FROM events WHERE event = 'Signed Up' "
        "GROUP BY 1) "
        "JOIN (SELECT person, min(occurred_at) AS there FROM events "
        "WHERE event IN ('Lesson Watched', 'Course Published') GROUP BY 1) USING (person) "
        "WHERE there > start + INTERVAL 14 DAY"
    )
    assert late[0][0] > 0, "nobody gets there after the horizon: nothing is tested"


def test_weeks_with_a_horizon_are_complete_once_it_is_over(exact: Computed) -> None:
    values = exact.tables["metric_values"].filter(segment="all", period="week")
    cohorts = exact.truth["referral"]["cohorts"]
    for metric, planted in (
        ("time_to_value", cohorts["complete_14d"]),
        ("search_to_lesson", cohorts["complete_14d"]),
        ("invites_28d", cohorts["complete_28d"]),
        ("followed_up", cohorts["complete_28d"]),
    ):
        rows = values.filter(metric=metric).sort("period_start")
        assert rows["complete"].to_list() == planted, metric


def test_all_that_must_add_up_does(exact: Computed) -> None:
    workspace = Workspace(exact.root)
    product = load_product(workspace.product_file, load_plan(workspace.plan_file))
    assert sorted(each.name for each in identities(product)) == [
        "active people are new or were here before",
        "active people stay or leave",
        "attempts end one way",
        "recurring revenue from month to month",
        "the bridge of recurring revenue",
    ]
    values = exact.tables["metric_values"]
    assert broken_identities(product, values) == []


def test_who_comes_back_after_a_quick_reply(exact: Computed) -> None:
    """The truth counts people with a fortnight left at the end in UTC; complete are local days, which end earlier."""
    for name, metric in BACK.items():
        days = exact.tables["metric_values"].filter(metric=metric, segment="all", period="day", complete=True)
        planted = exact.truth["support"]["retention"][name]
        assert planted["people"] > 20
        assert 0 <= planted["people"] - days["people"].sum() <= 1
        assert 0 <= planted["retained"] - days["numerator"].sum() <= 1


def test_the_bridge_adds_up(exact: Computed) -> None:
    parts = {name: values(exact, name, "month")[1] for name in MONTHLY if name.startswith("mrr")}
    for opening, new, back, more, less, lost, closing in zip(
        *(parts[name] for name in ("mrr_opening", "mrr_new", "mrr_reactivation", "mrr_expansion")),
        *(parts[name] for name in ("mrr_contraction", "mrr_churned", "mrr")),
        strict=True,
    ):
        assert opening + new + back + more - less - lost == pytest.approx(closing)


def test_several_currencies_are_at_work(exact: Computed) -> None:
    assert sum(exact.truth["money"]["payments"]["USD"]["count"]) > 0
    left_out = exact.tables["metric_exclusions"].filter(metric="revenue")
    assert left_out.height > 0 and left_out["n_events"].sum() == 0
    assert exact.tables["side_inputs"].filter(outcome="used")["input"].to_list() == [
        "exchange_rates",
        "holidays",
        "incidents",
        "releases",
        "spend",
        "work",
    ]
