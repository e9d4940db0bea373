"""Headway: outcomes instead of output, from raw event logs."""
