"""Erasing somebody from a shop without publishing: the steps of `headway forget`, around a load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shop import Shop

from headway_pipelines.privacy.keys import load_key
from headway_pipelines.rights.carry_out import carry_out
from headway_pipelines.rights.forget import Forgotten, begin, conclude


def erase(shop: Shop, ids: Sequence[str], **options: Any) -> Forgotten | None:
    """Erases, loads, proves; None where nobody is known by these ids."""
    key = load_key(shop.workspace)
    with shop.ledger() as ledger:
        erasure, _, _ = begin(shop.workspace, ledger, key, ids, **options)
        if erasure is None:
            return None
        carry_out(shop.workspace, ledger, key, erasure)
    shop.load()
    with shop.ledger() as ledger:
        return conclude(shop.workspace, ledger, ids)
