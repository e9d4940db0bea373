"""The commands about rights: what they say, and the codes they leave with."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from shop import Shop, track

from headway.errors import InputError

with warnings.catch_warnings():
    # Typer still imports a name that Click has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from typer.testing import CliRunner

    from headway_pipelines.cli.commands import app

ADA = "ada.lovelace@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "shop")
    made.land("a.json", [track("Page Viewed", 0, user=ADA), track("Page Viewed", 1, user="user-bob-0001")])
    made.load()
    return made


def said(shop: Shop, *arguments: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments, "--workspace", str(shop.root)], input=typed)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert ADA not in done.output
    return done.exit_code, done.output


def test_an_unknown_id_is_told_by_its_place_and_not_echoed(shop: Shop) -> None:
    code, text = said(shop, "forget", "user-zoe-0001")
    assert code == 2 and "not known: id 1 of those given" in text and "zoe" not in text


def test_no_id_at_all_is_refused(shop: Shop) -> None:
    with pytest.raises(InputError, match="name at least one id"):
        said(shop, "forget")
    with pytest.raises(InputError, match="name at least one id"):
        said(shop, "export-person", "-", typed="\n")


def test_a_hold_stands_against_an_erasure_until_it_is_released(shop: Shop) -> None:
    assert said(shop, "hold", "-", "--reason", "regulator", typed=f"{ADA}\n") == (
        0,
        "1 ids are held: regulator\n",
    )
    with pytest.raises(InputError, match=r"legal hold \(regulator\)"):
        said(shop, "forget", ADA)
    assert said(shop, "hold", ADA, "--release") == (0, "1 ids are no longer held\n")


def test_an_export_says_what_it_wrote(shop: Shop, tmp_path: Path) -> None:
    code, text = said(shop, "export-person", ADA, "--out", str(tmp_path / "ada.zip"))
    assert code == 0 and "events                1" in text and (tmp_path / "ada.zip").exists()


def test_keys_are_shown_by_their_ids(shop: Shop, key_outside_the_workspace: Path) -> None:
    code, text = said(shop, "key", "--rotate")
    assert code == 0 and text.count("older   ") == 1 and "in use  " in text
    assert not any(secret in text for secret in key_outside_the_workspace.read_text().split())
    with pytest.raises(InputError, match="are two steps"):
        said(shop, "key", "--rotate", "--retire")


def test_nobody_withdrew(shop: Shop) -> None:
    assert said(shop, "forget", "--withdrawn") == (
        0,
        "nobody who may be erased has withdrawn their consent\n",
    )
