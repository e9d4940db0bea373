"""Experiments: exposure, effects with what makes them trustworthy, a declared rule, and planning."""

from headway.experiments.experiment import Experiment
from headway.experiments.exposure import EXPOSURES, Exposure, Phase
from headway.experiments.outcome import Outcome
from headway.experiments.planning import AATest, History, aa_test, plan_experiment
from headway.experiments.result import ExperimentResult
from headway.experiments.rule import Rule, Verdict
from headway.experiments.together import together

__all__ = [
    "EXPOSURES",
    "AATest",
    "Experiment",
    "ExperimentResult",
    "Exposure",
    "History",
    "Outcome",
    "Phase",
    "Rule",
    "Verdict",
    "aa_test",
    "plan_experiment",
    "together",
]
