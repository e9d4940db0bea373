"""Questions about a log: each a frozen dataclass whose ``run`` returns a frame, a figure and its SQL."""

from headway.insights.active_people import ActivePeople, ActivePeopleResult
from headway.insights.cohorts import Cohort, Did, People, Where
from headway.insights.explorer import Explorer, ExplorerResult
from headway.insights.funnel import Funnel
from headway.insights.funnel_options import Exclude
from headway.insights.funnel_result import FunnelResult
from headway.insights.lifecycle import GrowthAccounting, GrowthAccountingResult, Lifecycle, LifecycleResult
from headway.insights.question import Question
from headway.insights.result import Result
from headway.insights.retention import Retention, RetentionResult
from headway.insights.sessions import Sessions, SessionsResult
from headway.insights.stickiness import PowerUsers, PowerUsersResult, Stickiness, StickinessResult
from headway.insights.trend import Trend, TrendResult
from headway.insights.usage_interval import UsageInterval, UsageIntervalResult

__all__ = [
    "ActivePeople",
    "ActivePeopleResult",
    "Cohort",
    "Did",
    "Exclude",
    "Explorer",
    "ExplorerResult",
    "Funnel",
    "FunnelResult",
    "GrowthAccounting",
    "GrowthAccountingResult",
    "Lifecycle",
    "LifecycleResult",
    "People",
    "PowerUsers",
    "PowerUsersResult",
    "Question",
    "Result",
    "Retention",
    "RetentionResult",
    "Sessions",
    "SessionsResult",
    "Stickiness",
    "StickinessResult",
    "Trend",
    "TrendResult",
    "UsageInterval",
    "UsageIntervalResult",
    "Where",
]
