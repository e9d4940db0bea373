"""Events ordered by person and time, kept as arrays that are read in place, for questions that SQL answers slowly.

The store is derived from the lake and holds what `headway.open` shows by default. A question that it cannot answer
exactly goes to SQL, which defines every answer.
"""

from headway.store.files import attach_store
from headway.store.part import ANY, Part, make_part
from headway.store.person_store import PersonStore

__all__ = ["ANY", "Part", "PersonStore", "attach_store", "make_part"]
