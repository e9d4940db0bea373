"""Headway: outcomes instead of output, from raw event logs.

The names to start with::

    import headway as hw

    log = hw.open("workspace")                      # a workspace that `headway run` filled, or
    log = hw.EventLog(frame, person="user_id")      # any Polars frame, Parquet files or DuckDB relation
    hw.Funnel(["Signed Up", "Course Created"], within="14d").run(log)

=====================  ==================================================================================
`open`, `EventLog`     the events a question is asked of
`Event`                events by name and by a condition on their properties
`Funnel`               how many people get through a series of steps, and how long they take
`Exclude`              an event that spoils a funnel's attempt between two of its steps
`Retention`            how many people come back, cohort by cohort
`Lifecycle`            who is new, returning, resurrected or dormant
`GrowthAccounting`     what the number of active people is made of, and the quick ratio
`Stickiness`           in how many days, weeks or months of the range people are active
`PowerUsers`           the same over the last 7 or 28 days, the power-user curve
`UsageInterval`        how long people stay away between two active days
`ActivePeople`         distinct people in trailing windows of days
`Trend`                how often, how many people, how much, period by period
`Formula`              arithmetic over trends: ratios, differences, shares
`Paths`                what people do next, or did before, step by step
`Sessions`             visits: how many, how long, how deep, how many bounce
`Did`, `Where`         people by what they did, by their properties: a `Cohort`, for ``cohort=`` and ``by=``
`People`               a list of people as a cohort; cohorts combine with ``&``, ``|``, ``-`` and ``~``
`Experiment`           what variants did to outcomes, and whether to believe it; `Outcome`, `Exposure`, `Phase`, `Rule`
`plan_experiment`      how much data is enough, from a `History` of one's own; `aa_test`: does the method keep its word?
`Explorer`             what exists: events, their properties, the values of these
`HeadwayError`         root of every error: `InputError`, `DefinitionError`, `EngineError`
`HeadwayWarning`       computed, but read the caveat; `ExcludedEventsWarning`
=====================  ==================================================================================

Further modules: `headway.charts` (figures), `headway.statistics` (intervals), `headway.models` (tracking plan and
product file), `headway.frameworks` (AARRR and HEART metrics), `headway.macros` (questions in SQL), `headway.store`
(events ordered by person, for speed), `headway.selectors`, `headway.engine` (DuckDB).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.errors import DefinitionError, EngineError, HeadwayError, HeadwayWarning, InputError
    from headway.experiments import (
        Experiment,
        Exposure,
        History,
        Outcome,
        Phase,
        Rule,
        aa_test,
        plan_experiment,
    )
    from headway.insights import (
        ActivePeople,
        Cohort,
        Did,
        Exclude,
        Explorer,
        Formula,
        Funnel,
        GrowthAccounting,
        Lifecycle,
        Paths,
        People,
        PowerUsers,
        Retention,
        Sessions,
        Stickiness,
        Trend,
        UsageInterval,
        Where,
    )
    from headway.log import EventLog, ExcludedEventsWarning
    from headway.opening import open  # noqa: A004 - read as hw.open
    from headway.selectors import Event

__all__ = [
    "ActivePeople",
    "Cohort",
    "DefinitionError",
    "Did",
    "EngineError",
    "Event",
    "EventLog",
    "Exclude",
    "ExcludedEventsWarning",
    "Experiment",
    "Explorer",
    "Exposure",
    "Formula",
    "Funnel",
    "GrowthAccounting",
    "HeadwayError",
    "HeadwayWarning",
    "History",
    "InputError",
    "Lifecycle",
    "Outcome",
    "Paths",
    "People",
    "Phase",
    "PowerUsers",
    "Retention",
    "Rule",
    "Sessions",
    "Stickiness",
    "Trend",
    "UsageInterval",
    "Where",
    "aa_test",
    "open",
    "plan_experiment",
]

# Names are imported when they are first used: a command that only looks whether there is something to do must not
# pay for DuckDB, Polars and SQLGlot.
_HOMES = {
    "headway.errors": ("DefinitionError", "EngineError", "HeadwayError", "HeadwayWarning", "InputError"),
    "headway.experiments": (
        "Experiment",
        "Exposure",
        "History",
        "Outcome",
        "Phase",
        "Rule",
        "aa_test",
        "plan_experiment",
    ),
    "headway.insights": (
        "ActivePeople",
        "Cohort",
        "Did",
        "Exclude",
        "Explorer",
        "Formula",
        "Funnel",
        "GrowthAccounting",
        "Lifecycle",
        "Paths",
        "People",
        "PowerUsers",
        "Retention",
        "Sessions",
        "Stickiness",
        "Trend",
        "UsageInterval",
        "Where",
    ),
    "headway.log": ("EventLog", "ExcludedEventsWarning"),
    "headway.opening": ("open",),
    "headway.selectors": ("Event",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'headway' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
