"""Estimates and their uncertainty, as pure functions of sufficient statistics."""

from headway.statistics.estimates import Estimate, SufficientStatistics, estimate
from headway.statistics.intervals import Interval, mean_t, nps, poisson_exact, wilson
from headway.statistics.verdicts import verdict

__all__ = [
    "Estimate",
    "Interval",
    "SufficientStatistics",
    "estimate",
    "mean_t",
    "nps",
    "poisson_exact",
    "verdict",
    "wilson",
]
