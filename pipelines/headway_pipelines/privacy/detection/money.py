"""Payment cards and bank accounts in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn

from headway_pipelines.privacy.detection.hits import Hit

_CARD = re.compile(
    r"(?:(?<![0-9A-Za-z.+_-])|(?<=[A-Za-z][_-])|(?<=%[Bb]))"
    r"(?:[0-9](?:[ _/-]{1,3}|\.)?){13,18}[0-9](?![0-9A-Za-z]|[._/-][0-9])"
)
#: Countries that have such numbers (ISO 13616, the register of SWIFT).
COUNTRIES = (
    "AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FK|"
    "FO|FR|GB|GE|GI|GL|GR|GT|HN|HR|HU|IE|IL|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|"
    "LY|MC|MD|ME|MK|MN|MR|MT|MU|NI|NL|NO|OM|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|"
    "SI|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE"
)
_IBAN = re.compile(
    rf"(?<![0-9A-Za-z])(?i:{COUNTRIES})[0-9]{{2}}"
    r"(?:(?:[ .-][A-Za-z0-9]{4}){2,7}(?:[ .-][A-Za-z0-9]{1,3})?|(?:[ .-][A-Za-z0-9]{2,11}){2,8}|[A-Za-z0-9]{11,30})"
    r"(?![0-9A-Za-z])"
)

#: First digits of issuers, and how long their numbers are (ISO/IEC 7812; the networks' published ranges).
ISSUERS = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?"  # Visa; its old numbers of 13 digits are mostly article numbers
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11,16}"  # American Express, Diners Club
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"
    r"|62[0-9]{14,17}"  # Discover, JCB, UnionPay
    r"|(?:50[0-9]{2}|5[6-8][0-9]{2}|6[0-9]{3})[0-9]{12,15}|220[0-4][0-9]{12,15}|9792[0-9]{12}"  # Maestro, Mir, Troy
)


def cards(text: str) -> Iterator[Hit]:
    """Finds payment card numbers: an issuer's first digits, its length, and the check digit.

    Args:
        text: A folded text.

    Yields:
        Hits of type ``card``.
    """
    for match in _CARD.finditer(text):
        if is_card(re.sub(r"[^0-9]", "", match[0])):
            yield Hit("card", *match.span())


def is_card(digits: str) -> bool:
    """Says whether digits are a payment card's.

    Args:
        digits: Digits only.

    Returns:
        True when issuer, length and check digit fit.

    Examples:
        >>> is_card("4111111111111111"), is_card("4111111111111112")
        (True, False)
    """
    return ISSUERS.fullmatch(digits) is not None and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def ibans(text: str) -> Iterator[Hit]:
    """Finds international bank account numbers.

    Args:
        text: A folded text.

    Yields:
        Hits of type ``iban``.
    """
    for match in _IBAN.finditer(text):
        # In a text, words may follow: the number ends where its check digits fit.
        parts = [m.end() for m in re.finditer(r"[A-Za-z0-9]+", match[0])]
        for end in reversed(parts):
            if is_iban(match[0][:end]):
                yield Hit("iban", match.start(), match.start() + end)
                break


def is_iban(text: str) -> bool:
    """Says whether a text is an international bank account number.

    Args:
        text: The text.

    Returns:
        True when length and check digits fit (ISO 13616, ISO 7064 mod 97-10).

    Examples:
        >>> is_iban("DE89 3704 0044 0532 0130 00")
        True
    """
    compact = re.sub(r"[^A-Za-z0-9]", "", text).upper()
    if not 15 <= len(compact) <= 34 or not compact[:2].isalpha() or not compact[2:4].isdigit():
        return False
    # The check digits first: the library's look at each country's form takes long.
    digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return int(digits) % 97 == 1 and bool(iban.is_valid(compact, check_country=False))
