"""Numbers by which states know people: social security, tax, identity, health, in about forty countries.

Without a key or a word beside it, a number counts only where its form is one of its own and its check digits fit.
Beside a word that names it, its form is enough, so that void and specimen numbers are found too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from headway_pipelines.privacy.detection.hits import Hit

_SSN = re.compile(r"(?<![0-9A-Za-z-])[0-9]{3}([- ])[0-9]{2}\1[0-9]{4}(?![0-9A-Za-z]|-[0-9])")

#: A form that is seldom anything else -> the modules of python-stdnum that know its check digits; none: form suffices.
_FORMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", ("br.cpf",)),
    (r"[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", ("it.codicefiscale", "")),
    (r"[0-9]{8}-?[A-HJ-NP-TV-Z]", ("es.dni",)),
    (r"[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]", ("es.nie",)),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", ("",)),
    (
        r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        ("fr.nir",),
    ),
    (r"756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}", ("ch.ssn",)),
    (r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}[.-][0-9]{2}", ("be.nn", "be.bis")),
    (
        r"(?:19|20)?[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}[-+][0-9]{4}",
        ("se.personnummer", "dk.cpr", "is_.kennitala"),
    ),
    (r"[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}[-+ABCDEFUVWXY][0-9]{3}[0-9A-Z]", ("fi.hetu",)),
    (r"[0-9]{6} [0-9]{5}", ("no.fodselsnummer",)),
    (r"[0-9]{6}/[0-9]{3,4}", ("cz.rc",)),
    (r"[0-9]{6}-[1-8][0-9]{6}", ("kr.rrn", "date")),
    (r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]", ("cn.ric",)),
    (r"[STFGM][0-9]{7}[A-Z]", ("nric",)),
    (r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)", ("",)),
    (r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]", ("mx.curp", "")),
    (r"[A-Z&]{4}[0-9]{6}[0-9A-Z]{3}", ("mx.rfc",)),
    (r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9kK]", ("cl.rut", "")),
    (r"[0-9]{7,8}-[0-9K]", ("cl.rut",)),
    (r"(?:20|23|24|27)-[0-9]{8}-[0-9]", ("ar.cuit",)),
    (r"[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}", ("in_.aadhaar",)),
    (r"[A-Z]{3}P[A-Z][0-9]{4}[A-Z]", ("",)),
    (r"[0-9]{5}-[0-9]{7}-[0-9]", ("",)),
    (r"[0-9]{6}-[0-9]{2}-[0-9]{4}", ("my.nric",)),
    (r"[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]", ("th.pin",)),
    (r"[0-9]{7}[A-W][A-IW]?", ("ie.pps",)),
    (r"[0-9]{3}-[0-9]{3}-[0-9]{3} [0-9]{2}", ("",)),
    (r"[0-9]{2} [0-9]{6} [A-Z] [0-9]{3}", ("",)),
    (r"[0-9]{3}-[0-9]{7}-[0-9]", ("do.cedula",)),
    (r"784-[0-9]{4}-[0-9]{7}-[0-9]", ("",)),
)
_DISTINCT = re.compile(
    "|".join(f"(?P<f{at}>{form})" for at, (form, _) in enumerate(_FORMS)).join(
        (r"(?<![0-9A-Za-z.,+/_-])(?:", r")(?![0-9A-Za-z_]|[.,/-][0-9A-Za-z])")
    )
)
#: Words that name such a number, in a text before it.
NAMED = (
    r"ssn|social security|itin|cpf|pesel|bsn|nino|national insurance|ni (?:no"
    r"|number)|nhs(?: number| no)?|sin|tfn|tax file|tax id|tax number|steuer[ -]?id(?:nr)?"
    r"|steueridentifikationsnummer|idnr|svnr|rentenversicherung\w*|"
    r"sozialversicherung\w*|versicherungs(?:nummer|nr)|personalausweis\w*|ausweis\w*"
    r"|reisepass\w*|passport|passeport|pasaporte|passaporto|passaporte|paspoort|dni|nie|nif|rut"
    r"|curp|rfc|cuit|cuil|dui|c[eé]dula|aadhaar|aadhar|pan card|pan no|pan number|voter id|nric"
    r"|fin no|mykad|hkid|my ?number|rrn|"
    r"resident registration|codice fiscale|partita|personnummer|fodselsnummer"
    r"|cpr(?:-?n(?:umme)?r)?|hetu|henkil.tunnus|kennitala|isikukood|rodne cislo"
    r"|rijksregister\w*|burgerservicenummer|registre national|numero national|"
    r"s[eé]curit[eé] sociale|insee|nir|ahv(?:-?n(?:umme)?r)?|avs|oib|egn|jmbg|emso|cnp|amka|afm"
    r"|t\.?c\.? ?kimlik(?: no)?|tckn|kimlik(?: no)?|inn|snils|teudat zehut|id number|id no"
    r"|identity (?:card|number)|national id|id card|driver'?s? licen[cs]e|driving licen[cs]e"
    r"|licen[cs]e no|"
    r"f.hrerschein\w*|permis de conduire|medicare|personal (?:code|number|id)|social insurance"
    r"|pps(?:n)?|ird|emirates id|iqama|nin|bvn"
)
_WORDED = re.compile(
    rf"(?i)(?<![a-z])(?:{NAMED})(?:\b|(?=\d))"
    r"[^0-9A-Za-z\n]{0,4}(?:(?:number|nummer|num[eé]ro|n[ºo°]|no|nr|is|ist|es|est|lautet|card"
    r"|id|:|#|\.|=)[^0-9A-Za-z\n]{0,4}){0,3}"
    r"(?P<number>[A-Za-z]{0,6}[ ]?[0-9][0-9A-Za-z]*(?:[ "
    r"./-][0-9A-Za-z]*[0-9][0-9A-Za-z]*){0,7}(?:[ -][A-Za-z](?![A-Za-z]))?)"
)

#: Which modules know the check digits of numbers named by a key that means other things too.
_CHECKED = {
    "pan": ("in_.pan",),
    "rc": ("cz.rc",),
    "run": ("cl.rut",),
    "rut": ("cl.rut", "uy.rut"),
    "fin": ("nric",),
    "cf": ("it.codicefiscale",),
    "tin": ("us.tin", "de.idnr", "at.tin"),
    "sin": ("ca.sin",),
    "nit": ("co.nit", "gt.nit"),
    "nip": ("pl.nip",),
    "inn": ("ru.inn",),
    "rg": ("",),
    "secu": ("fr.nir",),
    "nid": ("",),
    "pis": ("",),
    "epic": ("in_.epic",),
    "taj": ("",),
    "nin": ("",),
    "afm": ("gr.vat",),
    "ird": ("nz.ird",),
    "documento": ("es.dni", "es.nie", "ar.dni", "br.cpf", "ec.ci"),
    "rfc": ("mx.rfc",),
    "curp": ("mx.curp",),
    "nie": ("es.nie",),
    "ipn": ("ua.rntrc",),
    "qid": ("",),
}
_FORM_BY_KEY = re.compile(r"[A-Za-z]{0,6}[0-9A-Za-z ()./+-]{4,24}")


def national_ids(text: str) -> Iterator[Hit]:
    """Finds numbers by which states know people.

    Args:
        text: A folded text.

    Yields:
        Hits of types ``ssn`` and ``national_id``.
    """
    for match in _SSN.finditer(text):
        yield Hit("ssn", *match.span())
    for match in _DISTINCT.finditer(text):
        modules = _FORMS[int(str(match.lastgroup)[1:])][1]
        if any(is_valid(module, match[0]) for module in modules):
            yield Hit("national_id", *match.span())
    for match in _WORDED.finditer(text):
        if 5 <= sum(map(str.isdigit, match["number"])) <= 18:
            kind = "ssn" if match[0].lower().startswith(("ssn", "social sec", "itin")) else "national_id"
            yield Hit(kind, *match.span("number"))


def keyed_id(name: str, text: str) -> bool:
    """Says whether a value is the number that its key names.

    Args:
        name: The part of the key that names it, in one word.
        text: The value.

    Returns:
        True when its form, or where the key means other things too its check digits, fit.
    """
    digits = sum(map(str.isdigit, text))
    if "pass" in name and digits >= 2 and re.fullmatch(r"[A-Z0-9]{6,10}", text.strip()):
        return True
    if not _FORM_BY_KEY.fullmatch(text.strip()) or digits < 4:
        return False
    if modules := _CHECKED.get(name):
        return any(is_valid(module, text.strip()) if module else digits >= 7 for module in modules)
    return digits >= 5 or any(map(str.isalpha, text))


def is_valid(module: str, number: str) -> bool:
    """Says whether the check digits of a number fit.

    Args:
        module: Module of python-stdnum, for example ``br.cpf``; empty when the form alone is enough.
        number: The number.

    Returns:
        True when they do.
    """
    if module in ("", "date", "nric"):
        return module == "" or (_nric(number) if module == "nric" else _dated(number))
    try:
        return bool(_module(module).is_valid(number))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # The library does not know a part of it (a county that was renamed): the rest fitted.
        return True


@cache
def _module(name: str) -> ModuleType:
    return import_module(f"stdnum.{name}")


def _dated(number: str) -> bool:
    """South Korea has given numbers without check digits since 2020: the date of birth in front must be one."""
    return "01" <= number[2:4] <= "12" and "01" <= number[4:6] <= "31"


def _nric(number: str) -> bool:
    """Singapore's check letter: weights 2 7 6 5 4 3 2, one table for citizens, one for others."""
    total = sum(int(d) * w for d, w in zip(number[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(number[0].upper(), 0)
    tables = {
        "S": "JZIHGFEDCBA",
        "T": "JZIHGFEDCBA",
        "F": "XWUTRQPNMLK",
        "G": "XWUTRQPNMLK",
        "M": "KLJNPQRTUWX",
    }
    return number[8].upper() == tables[number[0].upper()][total % 11]
