"""Quantiles of all cells at once against that of each cell by itself."""

from __future__ import annotations

import numpy as np
import pytest

from headway.errors import InputError
from headway.statistics.clusters import Clusters, clustered_quantiles
from headway.statistics.quantiles import clustered_quantile


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, people and cells of some observations, by person and cell; values have ties."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 80))
    people, cells = draw.integers(0, 12, n), draw.integers(0, 4, n)
    order = np.lexsort((cells, people))
    _, cells = np.unique(cells[order], return_inverse=True)
    return draw.integers(0, 9, n).astype(np.float64), people[order], cells


def clusters_of(values: np.ndarray, people: np.ndarray, cells: np.ndarray) -> Clusters:
    first = np.flatnonzero(np.append(True, (people[1:] != people[:-1]) | (cells[1:] != cells[:-1])))
    ranked = values[np.lexsort((values, cells))]
    return Clusters(values, first, cells[first], ranked, np.append(0, np.cumsum(np.bincount(cells))))


@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("seed", range(20))
def test_every_cell_is_as_if_it_were_alone(seed: int, q: float) -> None:
    values, people, cells = drawn(seed)
    found = clustered_quantiles(clusters_of(values, people, cells), q)
    for cell in range(found.value.size):
        here = cells == cell
        alone = clustered_quantile(values[here], people[here], q)
        together = (found.value[cell], found.low[cell], found.high[cell])
        assert together == pytest.approx(tuple(alone), nan_ok=True)
        assert found.people[cell] == np.unique(people[here]).size
        sides = (values[here] <= alone.value, values[here] >= alone.value)
        assert found.beyond[cell] == min(np.unique(people[here][side]).size for side in sides)


def test_a_quantile_lies_between_0_and_1() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        clustered_quantiles(clusters_of(*drawn(1)), 1.0)
