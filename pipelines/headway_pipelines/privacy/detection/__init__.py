"""Detection, the second line: what looks personal in values and names that the plan leaves open."""

from __future__ import annotations

from headway_pipelines.privacy.detection.scanning import Scanned, scan
from headway_pipelines.privacy.detection.walk import Finding, Verdict, judge

__all__ = ["Finding", "Scanned", "Verdict", "judge", "scan"]
