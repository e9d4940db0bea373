"""The one door to the database and the text of its queries."""

from headway.engine.duck import connect, guarded

__all__ = ["connect", "guarded"]
