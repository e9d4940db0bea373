"""Strategy and kata are published: nobody's address or number may stand in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headway.errors import DefinitionError
from headway.models.kata import Kata
from headway.models.plan import TrackingPlan
from headway.models.product import Product
from headway.models.strategy import Strategy, load_strategy
from headway_pipelines.privacy.detect import looks_personal


def strategy_of(workspace: Path, product: Product, plan: TrackingPlan) -> Strategy:
    """Reads the strategy of a workspace, which must name nobody.

    Args:
        workspace: The workspace folder.
        product: The product.
        plan: The tracking plan.

    Returns:
        The strategy.

    Raises:
        DefinitionError: A file is wrong, or holds what looks like somebody's address or number.
    """
    strategy = load_strategy(workspace, product, plan)
    _refuse("strategy", _personal(strategy.model_dump(mode="json", by_alias=True), ""))
    return strategy


def without_people(name: str, kata: Kata) -> Kata:
    """Returns a kata that names nobody.

    Args:
        name: Its name.
        kata: The kata.

    Returns:
        The same.

    Raises:
        DefinitionError: It holds what looks like somebody's address or number.
    """
    said = kata.model_dump(mode="json", by_alias=True)
    for step in said["steps"]:
        # Digits of a seal or a hash are nobody's number.
        del step["current"], step["happened"]
    _refuse(f"kata/{name}.yml", _personal(said, ""))
    return kata


def _refuse(file: str, places: Iterator[str]) -> None:
    if found := list(places):
        raise DefinitionError(
            f"{file}: {', '.join(found)}: looks like somebody's address or number, and this is published; say where "
            "it is kept without naming anybody"
        )


def _personal(said: Any, at: str) -> Iterator[str]:
    if isinstance(said, dict):
        for key, value in said.items():
            yield from _personal(value, f"{at}.{key}".lstrip("."))
    elif isinstance(said, list):
        for position, value in enumerate(said):
            yield from _personal(value, f"{at}.{position}")
    elif isinstance(said, str) and looks_personal(said):
        yield at
