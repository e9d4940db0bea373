"""Days, and birth dates in a text, by the words that announce them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headway_pipelines.privacy.detection.hits import Hit

_MONTH = (
    r"(?:jan(?:uar[iy]?|vier|eiro|uari|\.)?|feb(?:ruar[iy]?|braio|rero|bruari|\.)?"
    r"|f[ée]v(?:rier|ereiro|\.)?|m[aä]r(?:ch|z|s|zo|co|ço|\.)?|mrz|maart|apr(?:il|ile|\.)?"
    r"|avr(?:il|\.)?|abr(?:il|\.)?|ma[iyj]o?|mag(?:gio)?|mei|jun[ie]?o?|juin|giugno|jul[iy]?o?"
    r"|juillet|luglio|"
    r"aug(?:ust|ustus|\.)?|ao[uû]t|ago(?:sto)?|sep(?:t(?:ember|embre|iembre|\.)?|\.)?"
    r"|set(?:embro|tembre|\.)?|o[ck]t(?:ober|obre|ubre|\.)?|out(?:ubro)?|ott(?:obre)?"
    r"|nov(?:ember|embre|iembre|embro|\.)?|de[cz](?:ember|embro|\.)?|d[ée]c(?:embre|\.)?"
    r"|dic(?:iembre|embre|\.)?|"
    r"ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık|stycznia"
    r"|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia)"
)
_YEAR = r"(?:19|20)[0-9]{2}"
DATE = (
    rf"(?:{_YEAR}[-./ ]?(?:0?[1-9]|1[0-2])[-./ ]?(?:3[01]|[12][0-9]"
    rf"|0?[1-9])(?:T[0-9:.]{{4,15}}(?:Z|[+-][0-9:]{{4,6}})?)?"
    rf"|(?:3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th|er|º|\.)?[-./ ]{{1,2}}(?:de )?(?:{_MONTH}"
    rf"|0?[1-9]|1[0-2])[-./, ]{{1,2}}(?:de )?(?:{_YEAR}|[0-9]{{2}}(?![0-9]))"
    rf"|(?:0?[1-9]|1[0-2])[-/](?:3[01]|[12][0-9]|0?[1-9])[-/](?:{_YEAR}|[0-9]{{2}}(?![0-9]))"
    rf"|{_MONTH}\.? (?:3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?,? {_YEAR}|{_YEAR}年 "
    rf"?[0-9]{{1,2}}月 ?[0-9]{{1,2}}日?|(?:昭和|平成|令和)[0-9元]{{1,2}}年[0-9]{{1,2}}月[0-9]{{1,2}}日)"
)
_DATE = re.compile(DATE, re.IGNORECASE)
_BORN = re.compile(
    r"(?:\b(?:b\.(?=\s?[0-9])|born|birth ?dates?|date of birth|d\.?o\.?b\.?|birthday|b-?day|geb(?:oren|\.)?"
    r"|geburtsdatum|geburtstag|n[ée](?:\(?e\)?)?s? le|date de naissance|naci[dó](?:[ao])?|fecha de "
    r"nacimiento|nacimiento|nat[oa] il|data di nascita|nascid[oa]|data de nascimento|geboren op"
    r"|geboortedatum|"
    r"urodzon[ya]|ur\.|data urodzenia|narozen[aý]?|f[öø]dt?|fødselsdato|födelsedatum|syntynyt"
    r"|do[ğg]um(?: tarihi)?|do[ğg]du|sz[üu]letett|n[ăa]scut[ăa]?|рожд(?:ения|ен)|родился"
    r"|родилась|生年月日|誕生日|生日|出生(?:日期)?)[^0-9\n]{0,16}?)"
    rf"(?P<date>{DATE})",
    re.IGNORECASE,
)


_BEFORE_BORN = re.compile(
    rf"(?P<date>{DATE})[^0-9\n]{{0,24}}?"
    r"(?:\b(?:geboren|born|n[ée]e?|nacid[oa]|nat[oa] (?:il|a)|nascid[oa]|do[ğg]du|do[ğg]umlu"
    r"|född|født|narozen[aá]?|urodzon[aey]|syntynyt|született)\b|生まれ|出生|생(?![가-힣]))",
    re.IGNORECASE,
)


def births(shown: str) -> Iterator[Hit]:
    """Finds birth dates that a word announces.

    Args:
        shown: A normalised text.

    Yields:
        Hits of type ``birth_date``.
    """
    for pattern in (_BORN, _BEFORE_BORN):
        for match in pattern.finditer(shown):
            yield Hit("birth_date", *match.span("date"))


def is_date(text: str) -> bool:
    """Says whether a text is a day, in any usual way of writing.

    Args:
        text: The text.

    Returns:
        True when it is.

    Examples:
        >>> is_date("12 avril 1990"), is_date("19900412"), is_date("spring 1990")
        (True, True, False)
    """
    return _DATE.fullmatch(text.strip()) is not None
