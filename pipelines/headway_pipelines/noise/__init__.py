"""Differential privacy of published metrics: noise, what it spends, and which noisy values were published."""

from headway_pipelines.noise.publish import NOISE, TABLE, check_noise, noise_ledger, with_noise
from headway_pipelines.noise.spending import Spent, spent_of

__all__ = ["NOISE", "TABLE", "Spent", "check_noise", "noise_ledger", "spent_of", "with_noise"]
