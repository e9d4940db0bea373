"""The TCF string, against strings packed bit by bit as the specification lays them out."""

from __future__ import annotations

import base64

import pytest

from headway_pipelines.privacy.tcf import consented_purposes

#: Fields of the core before the purposes: name and bits (IAB Tech Lab, TC string v2, "The Core String").
LAYOUT = [
    ("Version", 6),
    ("Created", 36),
    ("LastUpdated", 36),
    ("CmpId", 12),
    ("CmpVersion", 12),
    ("ConsentScreen", 6),
    ("ConsentLanguage", 12),
    ("VendorListVersion", 12),
    ("TcfPolicyVersion", 6),
    ("IsServiceSpecific", 1),
    ("UseNonStandardTexts", 1),
    ("SpecialFeatureOptIns", 12),
]


def packed(purposes: set[int], version: int = 2) -> str:
    """A core string in which every other field is all ones, so that one bit off would show."""
    bits = "".join(format(version, "06b") if name == "Version" else "1" * size for name, size in LAYOUT)
    bits += "".join("1" if n in purposes else "0" for n in range(1, 25))
    bits += "1" * 24 + "1" + "0" * 12 + "0" * 16 + "0"
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize("purposes", [set(), {1}, {24}, {8, 9, 10}, {1, 8, 9, 10}, set(range(1, 25))])
def test_purposes_are_read(purposes: set[int]) -> None:
    wanted = sum(1 << (n - 1) for n in purposes)
    assert consented_purposes(packed(purposes)) == wanted
    assert consented_purposes(f" {packed(purposes)}.IFoEUQQgAIQ.YAAAAAAAAAA ") == wanted


def test_a_string_that_others_made() -> None:
    """From the test vectors of the IAB's own decoder: purposes 1, 2 and 3."""
    assert (
        consented_purposes(
            "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAA"
        )
        == 0b111
    )


@pytest.mark.parametrize(
    "text",
    ["", ".", "not base64 at all!", "C", packed({1}, version=1), packed({1})[:20], "A" * 200_000, "Ç" * 40],
)
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    assert consented_purposes(text) is None
