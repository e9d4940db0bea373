"""Experiments: exposure, effects with what makes them trustworthy, a declared rule, and planning."""

from headway.experiments.experiment import Experiment
from headway.experiments.exposure import EXPOSURES, Exposure, Phase
from headway.experiments.outcome import Outcome
from headway.experiments.result import ExperimentResult
from headway.experiments.rule import Rule, Verdict

__all__ = ["EXPOSURES", "Experiment", "ExperimentResult", "Exposure", "Outcome", "Phase", "Rule", "Verdict"]
