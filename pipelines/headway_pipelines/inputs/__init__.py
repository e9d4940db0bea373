"""Side inputs: what metrics need beside the log, as CSV files under ``inputs/``.

Only what `tables.TABLES` declares is read, and only as a time, a number, a currency code or a name of the product.
Names of releases, incidents and teams are the only texts of such a file that are stored: short, plain, nothing personal
in them.
"""

from headway_pipelines.inputs.derive import Derived, attach_inputs, derive_inputs, input_counts, is_attached
from headway_pipelines.inputs.read import ReadInput, read_inputs
from headway_pipelines.inputs.tables import TABLES

__all__ = [
    "TABLES",
    "Derived",
    "ReadInput",
    "attach_inputs",
    "derive_inputs",
    "input_counts",
    "is_attached",
    "read_inputs",
]
