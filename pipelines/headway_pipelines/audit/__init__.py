"""What a privacy officer reads: what came in, what was kept and why, and the proof that nothing else was."""

from headway_pipelines.audit.facts import Audit, audit_workspace
from headway_pipelines.audit.proving import prove
from headway_pipelines.audit.show import guards
from headway_pipelines.audit.stored import StoredText, stored_text

__all__ = ["Audit", "StoredText", "audit_workspace", "guards", "prove", "stored_text"]
