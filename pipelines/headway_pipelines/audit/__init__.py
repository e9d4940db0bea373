"""What a privacy officer reads: what came in, what was kept and why, and the proof that nothing else was."""

from headway_pipelines.audit.stored import StoredText, stored_text

__all__ = ["StoredText", "stored_text"]
