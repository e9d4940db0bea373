"""The one door to the database and the text of its queries."""

from headway.engine.duck import connect, guarded
from headway.engine.sql import bind, identifier, literal, load, with_inputs

__all__ = ["bind", "connect", "guarded", "identifier", "literal", "load", "with_inputs"]
