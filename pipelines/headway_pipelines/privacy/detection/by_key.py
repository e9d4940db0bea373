"""Whether a value is what its key says: the key alone never makes it personal, its form must fit."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from headway_pipelines.privacy.detection.births import is_date
from headway_pipelines.privacy.detection.credentials import looks_random, shuffled
from headway_pipelines.privacy.detection.keys import Hint
from headway_pipelines.privacy.detection.money import is_iban
from headway_pipelines.privacy.detection.national import keyed_id
from headway_pipelines.privacy.detection.people import is_family_name, looks_like_name
from headway_pipelines.privacy.detection.words import plain, words

_PHONE = re.compile(r"(?:tel:|sms:|whatsapp:)?[+(]{0,2}[0-9][0-9 ()./\u00a0x#ext-]{4,28}", re.IGNORECASE)
_HEX = re.compile(
    r"(?:0x)?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})"
)
_BASE64_HASH = re.compile(
    r"[A-Za-z0-9+/_-]{22}(?:==)?|[A-Za-z0-9+/_-]{27}=?|[A-Za-z0-9+/_-]{43}=?|[A-Za-z0-9+/_-]{86}(?:==)?"
)
_PREFIXED_HASH = re.compile(r"(?i)^(?:md5|sha-?1|sha-?256|sha-?512|hash)[:=$_-]\s?")
_MAC = re.compile(
    r"[0-9A-Fa-f]{12}|(?:[0-9A-Fa-f]{1,2}[:. -]){5}[0-9A-Fa-f]{1,2}|(?:[0-9A-Fa-f]{4}[.:-]){2}[0-9A-Fa-f]{4}"
)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,3}[.,]([0-9]+)")
_GEOHASH = re.compile(r"[0-9b-hjkmnp-z]{5,12}")
_WHAT3WORDS = re.compile(r"(?:///)?[^\W\d_]{2,20}[./][^\W\d_]{2,20}[./][^\W\d_]{2,20}")
_PLUS_CODE = re.compile(r"(?i)[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}.{0,40}")
_POSTCODE = re.compile(
    r"(?i)[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[0-9]{4} ?[A-Z]{2}|[A-Z][0-9][A-Z] "
    r"?[0-9][A-Z][0-9]|[0-9]{5}-[0-9]{4}|[A-Z][0-9]{2} [0-9A-Z]{4}"
)
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
#: A cookie that may let somebody in.
_SESSION = re.compile(
    r"(?i)[A-Za-z._-]*(?:sess|sid|auth|token|login|jwt|csrf|remember)[A-Za-z._-]*=[^;\s]{6,}"
)
_OPTED_OUT = re.compile(r"[0-]+")


def fits(hint: Hint, text: str) -> bool:
    """Says whether a value is what its key says.

    Args:
        hint: What the key says.
        text: The value, normalised and decoded.

    Returns:
        True when its form fits the type.
    """
    stripped = text.strip()
    if hint.type is None or not stripped or len(stripped) > 2_000:
        return False
    return _FORMS[hint.type](hint, stripped) or any(fits(other, stripped) for other in hint.also)


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _email(_: Hint, text: str) -> bool:
    return "@" in text and not text.startswith("@") and not text.endswith("@")


def _phone(_: Hint, text: str) -> bool:
    return _PHONE.fullmatch(text) is not None and 6 <= _digits(text) <= 19 and not is_date(text)


#: India's permanent account number: its key, pan, is also a card's.
_INDIAN = re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]")


def _card(hint: Hint, text: str) -> bool:
    if hint.phrase.startswith("pan") and _INDIAN.fullmatch(text):
        return True
    return 12 <= _digits(text) <= 19 and re.fullmatch(r"[0-9 .-]+", text) is not None


def _card_code(_: Hint, text: str) -> bool:
    return re.fullmatch(r"[0-9]{3,4}", text) is not None


def _iban(_: Hint, text: str) -> bool:
    return is_iban(text) or (
        6 <= _digits(text) <= 34 and re.fullmatch(r"[A-Za-z]{0,4}[0-9A-Za-z ./-]{6,42}", text) is not None
    )


def _ssn(_: Hint, text: str) -> bool:
    return 4 <= _digits(text) <= 9 and re.fullmatch(r"[0-9Xx* -]+", text) is not None


def _national_id(hint: Hint, text: str) -> bool:
    return keyed_id(hint.phrase, text)


def _ip(_: Hint, text: str) -> bool:
    for part in re.split(r"[,; ]+", text):
        bare = part.strip("[]\"'").partition("%")[0]
        bare = (
            re.sub(r"^(?:for=)?\"?|:[0-9]{1,5}$", "", bare)
            if bare.count(":") == 1 or bare.startswith("for=")
            else bare
        )
        try:
            address = ipaddress.ip_interface(bare).ip
        except ValueError:
            if re.fullmatch(r"(?:0x[0-9a-fA-F]{8}|[0-9]{8,10})", bare) or re.fullmatch(
                r"(?:[0-9]{1,3}\.){3}(?:[0-9]{1,3}|[x*])", bare
            ):
                return True
            continue
        if not (address.is_loopback or address.is_unspecified):
            return True
    return False


def _mac(_: Hint, text: str) -> bool:
    return _MAC.fullmatch(text) is not None and len(set(text.lower()) - set(":.- ")) > 2


#: Number plates: letters and digits in groups, at least one of each or digits alone.
_PLATE = re.compile(
    r"(?=.*[0-9])[A-Za-z\u00c0-\u024f0-9]{1,4}(?:[ .:-]{1,3}[A-Za-z0-9]{1,5}){1,3}|[A-Z0-9]{5,8}"
)
_OF_PLATES = re.compile(r"plate|kennzeichen|immatricul|matricula|placa|targa|nummernschild|vehiclereg")

#: Serial numbers have few digits, or one.
_SERIAL = re.compile(r"(?=.*[0-9])[A-Z0-9]{8,20}")


def _device_id(hint: Hint, text: str) -> bool:
    if _OF_PLATES.search(hint.phrase) and _PLATE.fullmatch(text):
        return True
    if _OPTED_OUT.fullmatch(text) or len(text) > 300 or (" " in text.strip() and _digits(text) < 4):
        return False
    if "serial" in hint.phrase and _SERIAL.fullmatch(text):
        return True
    return (len(text) >= 5 and _digits(text) >= 2 and not is_date(text)) or (
        len(text) >= 16 and looks_random(text)
    )


#: Names that only people have.
_OF_PEOPLE = re.compile(
    r"first|given|last|famil|surname|forename|maiden|birthname|vorname|nachname|geburtsname|prenom|apellid|cognome|sobrenome"
    r"|voornaam|achternaam|nazwisk|fornavn|etternavn|efternavn|fornamn|efternamn|etunim|sukunim|prijmeni|priezvisk|soyad|keresztnev"
    r"|vezeteknev|prenume|patronym|otchestvo|фамили|姓|fullname|vollsta?e?ndigername|nomcomplet|nombrecompleto"
    r"|nomecompleto|volledigenaam"
)


def _person_name(hint: Hint, text: str) -> bool:
    return looks_like_name(text, announced=True, own=_OF_PEOPLE.search(hint.phrase) is not None)


def _weak_name(hint: Hint, text: str) -> bool:
    return looks_like_name(text, announced=False) or (hint.phrase == "nom" and is_family_name(text))


def _username(_: Hint, text: str) -> bool:
    low = plain(text)
    parts = [part for part in re.split(r"[^a-z]+", low) if part]
    ordinary = words("words") | words("things") | words("harmless")
    if not 2 <= len(text) <= 120:
        return False
    if " " in text and not text.startswith("http"):
        # Who may choose what they are called often choose their name.
        return looks_like_name(text, announced=text.istitle())
    return _digits(text) > 0 or not all(part in ordinary for part in parts) or not parts


def _address(hint: Hint, text: str) -> bool:
    if re.match(r"(?i)https?://|0x[0-9a-f]+$", text) or len(text) > 300:
        return False
    if _IDEOGRAPHS.search(text):
        return len(text) >= 4
    parts = [plain(part) for part in re.findall(r"[^\W\d_]+", text)]
    if not parts:
        return "number" in hint.phrase or ("nummer" in hint.phrase and bool(_digits(text)))
    ordinary = words("words") | words("harmless")
    if _digits(text):
        return " " in text or "," in text or hint.phrase.startswith(("hausn", "house", "huisn"))
    if len(parts) == 1:
        return (
            hint.phrase not in ("address", "via", "adresse")
            and parts[0] not in ordinary
            and text[0].isupper()
            and "_" not in text
        )
    return " " in text and not all(part in ordinary for part in parts) and hint.phrase != "via"


def _postcode(_: Hint, text: str) -> bool:
    return _POSTCODE.fullmatch(text) is not None


def _birth_date(_: Hint, text: str) -> bool:
    if is_date(text) or re.fullmatch(
        r"[0-9]{1,2}[-./ ][0-9]{1,2}[-./ ][0-9]{2,4}|-?[0-9]{8,13}"
        r"|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}.{0,30}",
        text,
    ):
        return True
    return _digits(text) >= 5 and len(text) <= 40 and re.search(r"(?:19|20)[0-9]{2}", text) is not None


def _degrees(most: float) -> Callable[[Hint, str], bool]:
    def check(_: Hint, text: str) -> bool:
        match = _DECIMAL.fullmatch(re.sub(r"\s?°?\s?[NSEWO]?$", "", text))
        if match is None:
            return "°" in text and _digits(text) >= 4
        return len(match[1]) >= 2 and abs(float(re.sub(r"[^0-9.+-]", "", match[0].replace(",", ".")))) <= most

    return check


def _location(hint: Hint, text: str) -> bool:
    if "hash" in hint.phrase:
        return _GEOHASH.fullmatch(text) is not None
    if "word" in hint.phrase or hint.phrase == "w3w":
        return _WHAT3WORDS.fullmatch(text) is not None
    numbers = re.findall(r"[+-]?[0-9]{1,3}\.[0-9]{2,}", text)
    if len(numbers) >= 2 or _PLUS_CODE.fullmatch(text):
        return True
    # One number of a pair, in an array.
    return len(numbers) == 1 and numbers[0] == text and abs(float(text)) <= 180 and hint.phrase != "point"


def _secret(hint: Hint, text: str) -> bool:
    low = text.lower()
    if low in words("idle_secrets") or set(text) <= set("*•.x-"):
        return False
    if hint.phrase in words("one_time_codes") or hint.phrase.endswith("code"):
        short = re.fullmatch(r"[0-9A-Za-z -]{3,24}", text) is not None and _digits(text) >= 3
        return short or looks_random(text) or shuffled(text)
    if "cookie" in hint.phrase:
        return _SESSION.search(text) is not None or (len(text) >= 16 and looks_random(text))
    parts = [part for part in re.split(r"[^a-z]+", plain(text)) if part]
    known = words("words") | words("harmless") | words("things")
    if hint.phrase in words("loose_secrets") or hint.phrase.endswith(("token", "key", "dsn", "url")):
        if re.fullmatch(r"[0-9.]+", text):
            return len(text) >= 8
        mixed = _digits(text) >= 2 and len(text) >= 8 and not is_date(text)
        return (
            mixed
            or looks_random(text)
            or shuffled(text)
            or (len(text) >= 20 and " " not in text and not all(part in known for part in parts))
        )
    return len(text) >= 3 and not re.fullmatch(r"[0-9]{1,2}", text)


def _email_hash(_: Hint, text: str) -> bool:
    bare = _PREFIXED_HASH.sub("", text)
    return _HEX.fullmatch(bare) is not None or (
        _BASE64_HASH.fullmatch(bare) is not None and looks_random(bare)
    )


_FORMS: Mapping[str, Callable[[Hint, str], bool]] = {
    "email": _email,
    "phone": _phone,
    "card": _card,
    "card_code": _card_code,
    "iban": _iban,
    "ssn": _ssn,
    "national_id": _national_id,
    "ip": _ip,
    "mac": _mac,
    "device_id": _device_id,
    "person_name": _person_name,
    "weak_name": _weak_name,
    "username": _username,
    "address": _address,
    "postcode": _postcode,
    "birth_date": _birth_date,
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "location": _location,
    "secret": _secret,
    "email_hash": _email_hash,
}

#: As what a type of `keys.txt` is reported, where that differs.
REPORTED: Mapping[str, str] = {
    "weak_name": "person_name",
    "latitude": "location",
    "longitude": "location",
    "postcode": "address",
    "card_code": "card",
}


def type_of(hint: Hint, text: str) -> str:
    """Gives the type under which a value is reported that is what its key says.

    Args:
        hint: What the key says.
        text: The value.

    Returns:
        The type.
    """
    for other in hint.also:
        if fits(other, text) and not _FORMS[hint.type or ""](hint, text.strip()):
            return type_of(other, text)
    kind = hint.type or ""
    if kind == "card" and _INDIAN.fullmatch(text):
        return "national_id"
    if kind == "ip":
        return "ipv6" if ":" in text else "ipv4"
    return REPORTED.get(kind, kind)
