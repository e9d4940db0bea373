"""Detection on labelled rows: how much gets through, and how much that is harmless is touched.

`labelled/*.jsonl`: made by rule (`write_labelled`) or by hand. The second pair of files was written before the
detectors met it.
"""

from __future__ import annotations

from collections import Counter

import pytest
from labelled_score import FRESH, HELD_OUT, OWN, Score, free_of_leaks, rows, score

from headway_pipelines.privacy.detection import Verdict, judge
from headway_pipelines.privacy.detection.people import names

#: What the rows must cover.
TYPES = {
    "email",
    "encoded_email",
    "phone",
    "card",
    "iban",
    "ssn",
    "national_id",
    "ipv4",
    "ipv6",
    "mac",
    "device_id",
    "person_name",
    "address",
    "url",
    "secret",
    "location",
    "birth_date",
    "in_name",
    "nested",
    "free_text",
    "email_hash",
}
TRAPS = {"id", "number", "time", "version", "hash", "word", "key", "nested", "url", "like"}


@pytest.fixture(scope="module", params=[OWN, HELD_OUT, FRESH], ids=["own", "held out", "fresh"])
def scored(request: pytest.FixtureRequest) -> Score:
    return score(rows(request.param))


def test_there_are_enough_rows_of_every_type() -> None:
    tiers = Counter(row["tier"] for row in rows(OWN))
    assert tiers["core"] + tiers["hard"] >= 400 and tiers["trap"] >= 200
    for files in (OWN, HELD_OUT):
        assert {row["type"] for row in rows(files) if row["tier"] != "trap"} >= TYPES
        assert {row["type"] for row in rows(files) if row["tier"] == "trap"} >= TRAPS


def test_core_rows_are_free_of_leaks(scored: Score) -> None:
    assert scored.tiers["core"] >= 0.97, scored.failed


def test_no_type_falls_behind(scored: Score) -> None:
    assert {kind: share for kind, share in scored.types.items() if share < 0.9} == {}


def test_hard_rows_are_mostly_free_of_leaks(scored: Score) -> None:
    assert scored.tiers["hard"] >= 0.6


def test_traps_stay_as_they_are(scored: Score) -> None:
    assert scored.tiers["trap"] <= 0.02, scored.failed


def test_the_score_sees_leaks() -> None:
    row = {"key": "note", "value": "a b", "spans": ["b"], "tier": "core"}
    assert free_of_leaks(row, Verdict("drop", ("x",)))
    assert free_of_leaks(row, Verdict("redact", ("x",), cleaned="a [x]"))
    assert not free_of_leaks(row, Verdict("redact", ("x",), cleaned="[x] b"))
    assert not free_of_leaks(row, Verdict("keep", (), cleaned="a b"))
    assert not free_of_leaks(row | {"key": "b"}, Verdict("redact", ("x",), cleaned="[x]"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("María José García", ""),
        ("Jean Paul Sartre", ""),
        ("José María Aznar", ""),
        ("Summer Rose Collection", "Summer Rose Collection"),
        ("Hope Grace Faith", "Hope Grace Faith"),
    ],
)
def test_a_second_given_name_belongs_to_the_name(text: str, left: str) -> None:
    for hit in reversed(list(names(text))):
        text = text[: hit.start] + text[hit.end :]
    assert text == left


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("secret", "dRvQkXjOEaHgTnzC", ("secret",)),
        ("clave", "getUserByName2", ()),
        ("passcode", "4MUU1deLPH7s7m9sZqNyce1VS8hEOkn6", ("secret",)),
        ("passcode_enabled", True, ()),
        ("kod_weryfikacyjny", "962725", ("secret",)),
        ("deviceSerial", "F2LDEAELKTIN", ("device_id",)),
        ("serial_port", "COM3", ()),
        ("birth_timestamp", 689_040_000_000, ("birth_date",)),
        ("birthday_sent_at", "2026-11-27T10:00:00Z", ()),
        ("user_name", "Federico Young", ("username",)),
        ("username_rule", "letters and digits", ()),
        ("nom", "Lefèvre", ("person_name",)),
        ("nom", "O'Fenwick", ("person_name",)),
        ("nom", "Standard", ()),
        ("vollstaendiger_name", "Grant Young", ("person_name",)),
        ("log", "env K=ASIAS1KUE8IEPPPGG6WJ", ("secret",)),
        ("message", "Slack Bot has joined the channel", ()),
        ("message", "Thanks Everyone", ()),
    ],
)
def test_forms_and_keys_that_say_it_in_other_words(key: str, value: object, found: tuple[str, ...]) -> None:
    assert judge(value, key).types == found
