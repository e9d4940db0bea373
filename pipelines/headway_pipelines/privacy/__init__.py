"""The privacy gate and what belongs to it: the only code that sees raw data."""
