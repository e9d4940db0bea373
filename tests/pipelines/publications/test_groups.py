"""Groups of cells that are published twice, by way of the ledger, for every table that is held in groups."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from headway_pipelines.publications import PublicationLedger
from headway_pipelines.publications.groups import GROUPED, hold_groups

K = 10
FIRST, SECOND = datetime(2026, 3, 2), datetime(2026, 3, 3)


def table(name: str, people: int) -> pl.DataFrame:
    """Two groups of one cell each; in each all counts are this number of people."""
    rules = GROUPED[name]
    counts = {key: [people, people] for key in (*rules.counts, *rules.values)}
    return pl.DataFrame(
        {
            **{key: ["one", "two"] for key in rules.keys},
            **{key: ["same", "same"] for key in rules.asked},
            **counts,
            "suppressed": [False, False],
        }
    )


@pytest.mark.parametrize("name", sorted(GROUPED))
@pytest.mark.parametrize(("more", "shown"), [(K - 1, 40), (K, 40 + K)])
def test_few_people_more_are_not_told_of_and_many_are(
    name: str, more: int, shown: int, tmp_path: Path
) -> None:
    first = table(name, 40)
    final, noted = hold_groups(name, pl.DataFrame(), first, first, K, FIRST)
    PublicationLedger(tmp_path).append(FIRST, {name: noted})
    assert final.drop("held_since").equals(first)
    second = table(name, 40 + more)
    final, _ = hold_groups(name, PublicationLedger(tmp_path).cells(name), second, second, K, SECOND)
    counted = GROUPED[name].counts[0]
    assert final[counted].to_list() == [shown, shown]
    assert final["held_since"].to_list() == [FIRST if shown == 40 else None] * 2


def test_a_column_of_the_ledgers_own_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="people_counts"):
        PublicationLedger(tmp_path).append(
            FIRST, {"people_counts": pl.DataFrame({"publication_number": [1]})}
        )
