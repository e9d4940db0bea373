"""Releases: what went live, how it was delivered, who took it up, and what it did to the metrics.

`read_log` puts the release log together, `delivery_table` measures output, `ask_people` looks at people around
releases, and `impact_table` climbs the evidence ladder (see `headway.releases.evidence`) for every release and metric.
"""

from headway.releases.delivery import CADENCE_REFERENCE, delivery_table
from headway.releases.evidence import Evidence, Randomised, strongest
from headway.releases.impact import estimates_table, impact_table, read_estimates
from headway.releases.log import Release, Step, read_log, release_table, unknown_names
from headway.releases.people import Told, ask_people

__all__ = [
    "CADENCE_REFERENCE",
    "Evidence",
    "Randomised",
    "Release",
    "Step",
    "Told",
    "ask_people",
    "delivery_table",
    "estimates_table",
    "impact_table",
    "read_estimates",
    "read_log",
    "release_table",
    "strongest",
    "unknown_names",
]
