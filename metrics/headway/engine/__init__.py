"""The one door to the database and the text of its queries."""

from headway.engine.duck import connect, connect_again, guarded
from headway.engine.sql import bind, identifier, literal, load, with_inputs

__all__ = ["bind", "connect", "connect_again", "guarded", "identifier", "literal", "load", "with_inputs"]
