"""AARRR and HEART: the metrics a product declares, computed by day and week."""

from headway.frameworks.catalogue import metric_catalogue
from headway.frameworks.channels import first_touch_channels, first_touch_query
from headway.frameworks.identities import broken_identities
from headway.frameworks.values import measure, metric_values

__all__ = [
    "broken_identities",
    "first_touch_channels",
    "first_touch_query",
    "measure",
    "metric_catalogue",
    "metric_values",
]
