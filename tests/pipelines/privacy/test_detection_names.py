"""Names of properties that are in no list: order, abbreviations, compounds; and encodings that seldom occur."""

from __future__ import annotations

import base64
import codecs
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from headway_pipelines.privacy.detection import judge
from headway_pipelines.privacy.detection.keys import hint

ADDRESS = "grizelda.fenwick@example.com"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("carte_num", "card"),
        ("numéro de carte", "card"),
        ("drivers_licence_no", "national_id"),
        ("fec_nac", "birth_date"),
        ("date_birth", "birth_date"),
        ("datnaiss", "birth_date"),
        ("festnetznummer", "phone"),
        ("telNr", "phone"),
        ("cprnr", "national_id"),
        ("gerätenummer", "device_id"),
        ("lst_nm", "person_name"),
        ("student_last", "person_name"),
        ("hotel_guest", "weak_name"),
        ("nachname_kind", "person_name"),
        ("md5_of_email", "email_hash"),
        ("phone_sha256", "email_hash"),
    ],
)
def test_names_in_no_list_say_what_they_hold(name: str, kind: str) -> None:
    assert hint((name,)).type == kind


@pytest.mark.parametrize(
    "name",
    ["bestellnummer", "kursname", "birthday_email_sent_at", "email_template", "phone_verified_at", "guest_hotel",
     "date_from", "card_layout", "hash_algo", "port_count", "last_page", "nome_arquivo", "casino"],
)  # fmt: skip
def test_names_of_other_things_say_nothing(name: str) -> None:
    assert hint((name,)).type is None


def test_a_form_decides_between_two_things_that_a_name_says() -> None:
    assert judge("12 rue Oberkampf", "tel_domicile").types == ("address",)
    assert judge("06 12 34 56 78", "tel_domicile").types == ("phone",)
    assert judge("loft", "tel_domicile").action == "keep"


def test_a_driver_has_a_version_and_a_place() -> None:
    assert judge("10.0.1.2", "driver").action == "keep"
    assert judge("48.20849,16.37208", "driver_position").types == ("location",)


ENCODINGS: dict[str, Callable[[str], Any]] = {
    "gzip": lambda text: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode(),
    "zlib": lambda text: base64.urlsafe_b64encode(
        zlib.compress(json.dumps({"mail": text}).encode())
    ).decode(),
    "decimal": lambda text: " ".join(str(byte) for byte in text.encode()),
    "bits": lambda text: " ".join(f"{byte:08b}" for byte in text.encode()),
    "two bytes a letter": lambda text: text.encode("utf-16-le").hex(),
    "bytes in an array": lambda text: list(text.encode()),
    "a buffer": lambda text: {"type": "Buffer", "data": list(text.encode())},
    "letters apart": lambda text: " ".join(text),
    "hyphens": lambda text: "-".join(text),
    "thirteen letters on": lambda text: codecs.encode(text, "rot13"),
    "backwards": lambda text: text[::-1],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_address_is_found_however_it_is_written(encoding: str) -> None:
    written = ENCODINGS[encoding](ADDRESS)
    verdict = judge(written, "blob")
    assert verdict.types == ("email",)
    kept = json.dumps(verdict.cleaned)
    assert ADDRESS not in kept and json.dumps(written)[1:-1] not in kept


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_written_the_same_way_and_is_no_address_stays(encoding: str) -> None:
    written = ENCODINGS[encoding]("spring sale at home, 20 percent")
    assert judge(written, "blob").action == "keep"


@pytest.mark.parametrize(
    "value", [[90, 64, 85, 77, 12, 64, 3, 9], [64] * 40, "64 46 64 46 64 46 64 46 64 46", "a @ b"]
)
def test_numbers_that_could_be_letters_stay(value: Any) -> None:
    assert judge(value, "scores").action == "keep"


def test_what_is_packed_is_unpacked_within_a_budget() -> None:
    bomb = base64.b64encode(gzip.compress(b"x" * 30_000_000, mtime=0)).decode()
    assert judge(bomb[:60_000], "blob").action in ("keep", "drop")


@pytest.mark.parametrize(
    "name",
    ["visits@81.2.69.142", "users.81.2.69.142", f"chat.{ADDRESS}.n", "wifi.3C:22:FB:1A:9E:44.rssi"],
)
def test_people_in_names_of_properties_are_found_between_dots(name: str) -> None:
    assert judge(1, name).action == "drop"


@pytest.mark.parametrize("name", ["pkg@1.2.3.4x", "flags.v1.2.3", "users.12.count", "a.b.c.d"])
def test_versions_in_names_of_properties_stay(name: str) -> None:
    assert judge(1, name).action == "keep"


@pytest.mark.parametrize(
    "text", ["https://shop.test/dist/1.2.3.4/app.js", "team/app:1.2.3.4", "update from 1.2.3.4 to 1.2.3.5"]
)
def test_versions_in_paths_are_no_addresses(text: str) -> None:
    assert judge(text, "note").action == "keep"


def test_a_sessions_parameter_lets_somebody_in() -> None:
    assert judge("https://shop.test/?session_id=9f2b7c4e1a0d4c55a1b2", "page").types == ("secret",)
    assert judge("9f2b7c4e1a0d4c55a1b2", "session_id").action == "keep"
