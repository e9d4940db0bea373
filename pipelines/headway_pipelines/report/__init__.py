"""The report: where we are against target, what changed, how sure we are. A folder that opens offline."""

from headway_pipelines.report.write import write_report

__all__ = ["write_report"]
