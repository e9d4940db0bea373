"""Questions about a log: each a frozen dataclass whose ``run`` returns a frame, a figure and its SQL."""

from headway.insights.funnel import Funnel, FunnelResult

__all__ = ["Funnel", "FunnelResult"]
