"""Patterns for `sources.yml`: they claim exactly the files they are made for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from headway_pipelines.sources.config import source_of
from headway_pipelines.sources.patterns import matches, patterns_for
from headway_pipelines.sources.segment import segment

PARTS = st.sampled_from(
    ["a", "b", "2026-03-01", "2026-03-02", "x.json", "x.json.gz", "1.json.gz", "2.csv", "a.log", "a.log.1", "o*"]
)  # fmt: skip
PATHS = st.dictionaries(st.lists(PARTS, min_size=1, max_size=3).map("/".join), st.integers(0, 3), max_size=9)


@settings(deadline=None, max_examples=120, derandomize=True)
@given(PATHS, st.booleans())
def test_each_format_gets_its_files_and_no_others(kinds: dict[str, int], anywhere: bool) -> None:
    sources, left = [], set()
    for kind in sorted(set(kinds.values())):
        mine = [path for path, each in kinds.items() if each == kind]
        others = [path for path, each in kinds.items() if each != kind]
        patterns, unclaimed = patterns_for(mine, others, anywhere=anywhere)
        left |= set(unclaimed)
        sources.append(segment(f"s{kind}", patterns))
    for path, kind in kinds.items():
        # in any order of precedence
        for order in (sources, sources[::-1]):
            source = source_of(order, path)
            assert (source.name if source else None) == (None if path in left else f"s{kind}")
    # only a name that is a pattern itself may be impossible to tell from another
    assert all("*" in path for path in left)


def test_few_patterns_by_extension_or_folder() -> None:
    days = [f"2026-03-{day:02d}/events-{part}.json.gz" for day in range(1, 10) for part in (0, 1)]
    assert patterns_for(days, ["notes.txt"]) == (("**/*.json.gz",), ())
    assert patterns_for(days, ["2026-03-05/orders-1.json.gz"]) == (("**/events*.json.gz",), ())
    assert patterns_for(["web/a.json", "web/b/c.json"], ["app/a.json"]) == (("web/**/*.json",), ())
    assert patterns_for(["n/access.log", "n/access.log.2.gz"], ["a.gz"]) == (("**/*.log*",), ())
    assert patterns_for(["orders/a.csv"], ["x.log"], anywhere=False) == (("orders/**/*.csv",), ())
    assert patterns_for(["a/data"], ["a/data.json"]) == (("**/data",), ())


def test_names_that_may_not_be_shown_are_not_written_down() -> None:
    def safe(part: str) -> bool:
        return "@" not in part

    patterns, left = patterns_for(["in/ada@example.com.csv", "in/b@example.com"], ["in/c.csv"], safe)
    assert not any("@" in pattern or "ada" in pattern for pattern in patterns)
    assert left == () and all(
        any(matches(p, f) for p in patterns) for f in ("in/ada@example.com.csv", "in/b@example.com")
    )
    # nothing but its letters tells this one from the other
    assert patterns_for(["in/a@b.csv"], ["in/abc.csv"], safe) == ((), ("in/a@b.csv",))
