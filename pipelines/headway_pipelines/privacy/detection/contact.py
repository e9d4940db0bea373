"""E-mail addresses and telephone numbers in a text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise

import phonenumbers

from headway_pipelines.privacy.detection.hits import Hit
from headway_pipelines.privacy.detection.words import words

_LOCAL = r"[A-Za-z0-9\u00c0-\uffef!#$%&'*+/=?^_`{|}~.-]{1,64}"
_LABEL = r"[A-Za-z0-9\u00c0-\uffef](?:[A-Za-z0-9\u00c0-\uffef_-]{0,62})"
_EMAIL = re.compile(
    rf"(?P<local>{_LOCAL}|\"[^\"@\n]{{1,64}}\")@(?P<domain>{_LABEL}(?:\.{_LABEL}){{1,8}}|\[[0-9A-Fa-f.:]{{7,45}}\])"
)
_AT = (
    r"(?:\s{0,3}[\[({<]\s?(?:at|ät|aet|@|arroba|klammeraffe|chez|kukac|zavinac|snabel-a"
    r"|malpa|chiocciola|apenstaartje|miukumauku|alfa)\s?[\])}>]\s{0,3}|\s{1,3}(?:at|AT|ät|chez|arroba|chiocciola|\(a\))\s{1,3}|\s{0,3}@\s{0,3}|_at_|-at-)"
)
_DOT = (
    r"(?:\s{0,3}[\[({<]\s?(?:dot|\.|punto|punkt|point|ponto|kropka|nokta)\s?[\])}>]\s{0,3}"
    r"|\s{1,3}(?:dot|DOT|punto|punkt|point|ponto)\s{1,3}|\s{0,2}\.\s{0,2}|_dot_|-dot-)"
)
_SPOKEN = re.compile(
    rf"(?<![A-Za-z0-9+_-])(?P<local>[A-Za-z0-9][A-Za-z0-9+_-]{{0,40}}(?:{_DOT}[A-Za-z0-9+_-]{{1,4"
    rf"0}}){{0,3}})(?P<at>{_AT})"
    rf"(?P<domain>[A-Za-z0-9-]{{2,40}}(?:{_DOT}[A-Za-z0-9-]{{2,40}}){{0,3}}{_DOT}(?P<tld>[A-Za-z]"
    rf"{{2,10}}))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SPOKEN_SIGN = re.compile(
    r"(?i)\b[aä]t\b|@|arroba|klammeraffe|chiocciola|apenstaartje|miukumauku|kukac|zavinac|snabel|malpa|\(a\)|_at_|-at-|chez"
)
_SPOKEN_DOT = re.compile(r"(?i)\bdot\b|punto|punkt|point|ponto|kropka|nokta|_dot_|-dot-|\.")

#: Names of files and releases that are written like addresses: logo@2x.png, react@18.2.0.
_SCALE = re.compile(r"[1-9](?:\.[0-9])?x")


@cache
def top_level() -> frozenset[str]:
    """Lists the last labels of domains that exist or are reserved.

    Returns:
        The labels, in small letters; international ones in both forms.
    """
    rules = (files("publicsuffixlist") / "public_suffix_list.dat").read_text(encoding="utf-8").splitlines()
    listed = {rule.rpartition(".")[2] for rule in rules if rule and not rule.startswith("//")}
    encoded = {label.encode("idna").decode("ascii") for label in listed if not label.isascii()}
    return frozenset(listed | encoded | words("reserved"))


def is_domain(name: str) -> bool:
    """Says whether a name can be a domain's: its last label exists, or is reserved for tests.

    Args:
        name: The name.

    Returns:
        True when it can.

    Examples:
        >>> is_domain("mail.example.com"), is_domain("2x.png")
        (True, False)
    """
    return name.rpartition(".")[2].lower() in top_level()


def emails(text: str) -> Iterator[Hit]:
    """Finds e-mail addresses, also those written to be read by people only.

    Args:
        text: A folded text.

    Yields:
        Hits of type ``email``.
    """
    if "@" in text:
        yield from filter(None, (_email(text, match) or _rotated(match) for match in _EMAIL.finditer(text)))
        yield from (Hit("email", *m.span()) for m in _BACKWARDS.finditer(text) if _is_backwards(m))
    if _SPOKEN_SIGN.search(text) and _SPOKEN_DOT.search(text):
        for match in _SPOKEN.finditer(text):
            if match["tld"].lower() in top_level() and _spoken(match):
                yield Hit("email", *match.span())


def _email(text: str, match: re.Match[str]) -> Hit | None:
    local, domain = match["local"], match["domain"].rstrip("-_")
    end = match.start("domain") + len(domain)
    if domain.startswith("["):
        return Hit("email", *match.span())
    first = domain.partition(".")[0].lower()
    labels = domain.split(".")
    while len(labels) > 1 and not is_domain(".".join(labels)):
        # What follows may belong to the text: jo@example.com.Thanks, jo@example.com_score, jo@example.com-done
        head, _, tail = labels[-1].replace("-", "_").partition("_")
        if tail and head.lower() in top_level():
            labels[-1] = head
            end -= len(tail) + 1
        else:
            end -= len(labels.pop()) + 1
    if len(labels) < 2 or _SCALE.fullmatch(first):
        return None
    if local == "git" and text[end : end + 1] in (":", "/"):
        return None
    # What stands before the address in a text or a query is not part of it.
    start = match.start() + (len(local) - len(re.split(r"[=?&|{}/!'`]|%20|mailto:", local)[-1]))
    return Hit("email", start if start < match.start("domain") - 1 else match.start(), end)


#: Last labels by which an address is known that was turned by thirteen letters: others are endings of files too.
_ROTATED = frozenset(
    (
        *(
            "com",
            "org",
            "net",
            "edu",
            "test",
            "de",
            "fr",
            "uk",
            "it",
            "es",
            "nl",
            "eu",
            "us",
            "ru",
            "jp",
            "br",
            "in",
        ),
        *("mx", "ch", "be", "ca", "au", "dk", "no", "fi", "cn", "kr"),
    )
)
#: Endings of files that turn into those of countries.
_ENDINGS = frozenset(
    ("js", "ts", "vb", "hs", "kt", "db", "rb", "go", "cs", "tf", "xz", "gz", "md", "py", "sh", "rs", "ps")
)
_BACKWARDS = re.compile(
    r"(?<![A-Za-z0-9._+@-])(?P<tld>[A-Za-z]{2,10})\.(?P<rest>[A-Za-z0-9.-]{2,64})@(?P<local>[A-Za-z0-9._+-]{2,64})(?![A-Za-z0-9@])"
)


def _rotated(match: re.Match[str]) -> Hit | None:
    """An address whose letters are turned by thirteen (rot13): wb@rknzcyr.pbz."""
    labels = codecs.encode(match["domain"].lower(), "rot13").split(".")
    country = (
        len(labels[-1]) == 2 and labels[-1] in top_level() and match["domain"][-2:].lower() not in _ENDINGS
    )
    written_so = (labels[-1] in _ROTATED or country) and match["local"][0].isalpha()
    return Hit("email", *match.span()) if written_so and not match["domain"][0].isdigit() else None


def _is_backwards(match: re.Match[str]) -> bool:
    """An address from its end to its beginning: moc.elpmaxe@oj."""
    first = match["tld"][::-1].lower()
    if first not in _ROTATED and not (len(first) == 2 and first in top_level()):
        return False
    if match["rest"][0] in ".-" or not any(map(str.isalpha, match["local"])):
        return False
    return not (is_domain(match["local"]) and "." in match["local"])


def _spoken(match: re.Match[str]) -> bool:
    """Spoken words are many: at least the sign or a dot is written as nobody writes in a sentence."""
    at, domain = match["at"], match["domain"]
    if at == "@" and re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        return False
    bracketed = not at.strip().isalpha() or any(sign in domain for sign in "[({<_")
    worded = re.search(r"(?i)\s(?:dot|punto|punkt|point|ponto)\s", domain) is not None
    return bracketed or worded


_PLUS = re.compile(
    r"(?<![0-9A-Za-z+])(?:\+|00|\(\+)[ .]?[1-9][0-9]{0,3}[)]?[0-9 ()./\u00a0-]{4,22}[0-9](?![0-9])"
)
_NANP = re.compile(
    r"(?<![0-9A-Za-z.+/=_-])(?:1[ .-])?\(?[2-9][0-9]{2}\)?(?P<a>[ .-]{0,2})[0-9]{3}(?P<b>[ "
    r".-])[0-9]{4}(?![0-9A-Za-z_]|[.-][0-9])"
)
_TRUNK = re.compile(
    r"(?<![0-9A-Za-z.,+/:=_-])\(?0[1-9][0-9]{0,4}\)?(?:[ ./-]{1,3}[0-9]{2,8}){1,5}(?![0-9A-Za-z_:]|[.,-][0-9])"
)
_GROUPED = re.compile(
    r"(?<![0-9A-Za-z.,+/:=_-])\(?[1-9][0-9]{1,3}\)?(?:[ .-][0-9]{2,5}){2,5}(?![0-9A-Za-z_:]|[.,-][0-9])"
)
#: Words that announce a telephone number, in a text before it.
NAMED = (
    r"call(?:ed|ing)?|phone(?:d)?|tel(?:efon|ephone|efono|efone|\.)?|mobile?|mobil|cell(?:ular)?|whats ?app|sms"
    r"|text(?:ed)?|fax|dial|reach(?:ed)?|ring|ruf(?:en)?|handy|appel(?:er|ez)|portable|llama(?:r|me)?|movil|celular"
    r"|ligar|chiama(?:re|mi)?|cellulare|bel(?:len)?|zadzwon|ara(?:yin)?|my number"
)
_WORDED = re.compile(
    rf"(?i)(?<![a-z])(?:{NAMED})(?![a-z])[ :.#=-]{{0,3}}"
    r"(?:(?:me|us|him|her|them|back|at|on|to|number|no|nr|num|is|ist|es|est|under|unter|via|am|an|au|al|il|the|my|or"
    r"|whatsapp|sms|cell|mobile|phone|tel)(?![a-z])[ :.#=-]{1,3}){0,4}"
    r"(?P<number>\+?\(?[0-9][0-9 ()./-]{5,20}[0-9])(?![0-9A-Za-z])"
)
_REGIONS = (
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "BE",
    "AT",
    "CH",
    "PL",
    "PT",
    "SE",
    "NO",
    "DK",
    "FI",
    "IE",
    "CZ",
    "TR",
    "JP",
    "CN",
    "IN",
    "AU",
    "NZ",
    "ZA",
    "BR",
    "MX",
    "KR",
    "GR",
    "RO",
    "HU",
    "UA",
    "RU",
    "IL",
    "AE",
    "NG",
    "KE",
    "EG",
    "ID",
    "TH",
    "MY",
    "SG",
    "HK",
    "VN",
)
_DATE = re.compile(
    r"[0-9]{3}-[0-9]{2}-[0-9]{4}|(?:19|20)[0-9]{2}[ ./-][0-9]{1,2}[ ./-][0-9]{1,2}|[0-9]{1,2}[ "
    r"./-][0-9]{1,2}[ ./-](?:19|20)[0-9]{2}"
)


def phones(text: str) -> Iterator[Hit]:
    """Finds telephone numbers that are written as such: with a country code, in groups, or after a word that says so.

    Args:
        text: A folded text.

    Yields:
        Hits of type ``phone``.
    """
    for match in _PLUS.finditer(text):
        if _possible(match[0]):
            yield Hit("phone", *match.span())
    for match in _NANP.finditer(text):
        if "(" in match[0] or (match["a"] and match["a"] == match["b"]):
            yield Hit("phone", *match.span())
    for pattern in (_TRUNK, _GROUPED):
        for match in pattern.finditer(text):
            if not _DATE.search(match[0]) and national_phone(match[0]):
                yield Hit("phone", *match.span())
    for match in _WORDED.finditer(text):
        digits = sum(map(str.isdigit, match["number"]))
        if 7 <= digits <= 15 and not _DATE.search(match["number"]):
            yield Hit("phone", *match.span("number"))


def _possible(number: str) -> bool:
    written = "+" + re.sub(r"[^0-9]", "", number).removeprefix("00")
    try:
        parsed = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed)


def national_phone(number: str) -> bool:
    """Says whether a number in groups is one that some country's plan of numbers has.

    Args:
        number: Digits with separators, without a country code.

    Returns:
        True when it is a valid number there, and is not a row of equal groups of other meaning.
    """
    digits = re.sub(r"[^0-9]", "", number)
    if not 8 <= len(digits) <= 12 or len(set(digits)) < 3:
        return False
    groups = re.split(r"[^0-9]+", number.strip("() "))
    trunk = digits.startswith("0")
    if not trunk and (len(groups) < 3 or _rising(groups)):
        return False
    for region in _REGIONS if trunk else ("ES", "PL", "PT", "NO", "DK", "CZ", "IT", "SG", "HK"):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)) and (
                trunk or len(digits) == 9
            ):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def _rising(groups: list[str]) -> bool:
    numbers = [int(g) for g in groups if g]
    return all(a < b for a, b in pairwise(numbers))
