"""What the published tables for teams and for those who lead mean; part of `headway_pipelines.strategy.comments`."""

from __future__ import annotations

from typing import Final

SCORECARD_TABLES: Final = {
    "team_scorecards": "One row per team and figure: outcomes, bets, kata, experiments, guardrails, customers in "
    "trouble, focus, and output beside its outcome.",
    "leadership_intents": "One row per open strategic intent and metric: where it stands beside its target, and what "
    "was done below it.",
    "weak_evidence": "One row per place in the tree where little is known, with the question to ask.",
    "stop_candidates": "One row per node that could be let go: why, who uses it, what it costs, what it did.",
    "output_and_outcome": "One row per team, and one for all: what went out, and in the same row what came of it.",
    "product_health": "One row per question about the organisation and thing that can be counted of it; without "
    "evidence it stays open.",
}

_COUNTS: Final = {
    "options_released": "Options that people got.",
    "options_improved": "Of those, the ones shown to improve an outcome they were meant to.",
    "bets_settled": "Bets whose horizon is over.",
    "bets_hit": "Of those, the hits.",
}

SCORECARD_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "team_scorecards": {
        "team": "The team; empty for what nobody owns.",
        "part": "outcomes, bets, kata, experiments, guardrails, customers, focus or output.",
        "measure": "What the figure is.",
        "subject": "Node or experiment that it is about; null for the team as a whole.",
        "metric": "Metric whose value it is, or null.",
        "unit": "Unit of the figure; count for numbers of things.",
        "period_start": "First local day of the metric's period.",
        "value": "The figure; of an experiment its effect.",
        "low": "Lower bound of its 95 % interval.",
        "high": "Upper bound.",
        "reference": "What it is beside: the target, the limit, or of how many.",
        "state": "What can be said of it. Of customers, measure says whether the metrics are the team's own.",
        "sure": "Of an aim, whether chance does not explain its state.",
    },
    "leadership_intents": {
        "intent": "Name of the strategic intent.",
        "team": "Team that owns it.",
        "metric": "Metric that tells whether it worked; null where none is named.",
        "period": "Kind of period whose value counts.",
        "period_start": "First local day of its period.",
        "value": "The metric's latest complete value of everybody.",
        "low": "Lower bound of its 95 % interval.",
        "high": "Upper bound.",
        "target": "Value to reach.",
        "by": "Last day for it.",
        "state": "met, missed, on the way, no target, no value or no outcome.",
        "sure": "Whether chance does not explain it.",
        "grade": "Strongest grade of the evidence that settled a bet below it, A to E; null without any.",
        "initiatives": "Active initiatives below it.",
        **_COUNTS,
        "bets_harm": "Bets that did harm.",
    },
    "weak_evidence": {
        "node": "Name of the node.",
        "level": "intent, product, initiative or option.",
        "team": "Team that owns it.",
        "weakness": "What is not known well.",
        "metric": "Metric that it is about, or null.",
        "value": "Its figure: a value, a count or days.",
        "reference": "What that is beside: target, promise, of how many, or days after which evidence is old.",
        "ask": "The question to ask.",
    },
    "stop_candidates": {
        "node": "Name of the node.",
        "level": "intent, product, initiative or option.",
        "team": "Team that owns it.",
        "reason": "Why it could go.",
        "adoption": "Share of eligible people who used it.",
        "cost_per_month": "Cost of keeping it, where given.",
        "metric": "Metric of its bet.",
        "scale": "relative or absolute: the scale of the effect.",
        "effect": "What it did to that metric, as settled.",
        "low": "Lower bound of its 95 % interval.",
        "high": "Upper bound.",
        "grade": "Strength of the evidence.",
    },
    "output_and_outcome": {
        "team": "The team; all for everybody, empty for what nobody owns.",
        "releases": "Releases in the log, deploys and rollbacks among them.",
        "changes": "Changes that they brought, as far as the log says.",
        "tickets_closed": "Tickets that the team closed (inputs/work.csv); null where there is no such file.",
        "options_measured": "Options of which any outcome was measured.",
        "targets": "Targets of the nodes.",
        "targets_met": "Of those, the ones that are met.",
        **_COUNTS,
    },
    "product_health": {
        "question": "The question in short.",
        "asks": "The question.",
        "measure": "What is counted, of what.",
        "counted": "How many.",
        "of": "Of how many; 0 leaves the question open.",
        "share": "The share.",
        "low": "Lower bound of its 95 % interval (Wilson), taking what is counted for a sample.",
        "high": "Upper bound.",
        "last_day": "Last day on which it happened, where it has one.",
        "state": "counted, or open.",
        "would_answer": "What would answer the question, or answer it better.",
    },
}
