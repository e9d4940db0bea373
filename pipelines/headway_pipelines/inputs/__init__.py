"""Side inputs: what metrics need beside the log, as CSV files under ``inputs/``.

Only what `tables.TABLES` declares is read, and only as a date, a number, a currency code or a channel of the product:
no text of such a file reaches anything that is stored.
"""

from headway_pipelines.inputs.derive import Derived, attach_inputs, derive_inputs, input_counts
from headway_pipelines.inputs.read import ReadInput, read_inputs
from headway_pipelines.inputs.tables import TABLES

__all__ = ["TABLES", "Derived", "ReadInput", "attach_inputs", "derive_inputs", "input_counts", "read_inputs"]
