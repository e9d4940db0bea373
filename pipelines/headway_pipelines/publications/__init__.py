"""What was published before, and what that forbids to publish now."""

from headway_pipelines.publications.evidence import hold_counts, hold_experiments, hold_impact
from headway_pipelines.publications.held import hold_back
from headway_pipelines.publications.ledger import PublicationLedger, Release

__all__ = ["PublicationLedger", "Release", "hold_back", "hold_counts", "hold_experiments", "hold_impact"]
