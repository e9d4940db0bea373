"""Estimates and their uncertainty, as pure functions of sufficient statistics."""

from headway.statistics.intervals import Interval, mean_t, nps, poisson_exact, wilson

__all__ = ["Interval", "mean_t", "nps", "poisson_exact", "wilson"]
