"""The person store: events ordered by person and time, kept equal to the lake and its people."""

from headway_pipelines.store.derive import Stored, derive_store, store_version, sweep_store

__all__ = ["Stored", "derive_store", "store_version", "sweep_store"]
