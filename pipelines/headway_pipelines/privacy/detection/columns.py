"""Detection over whole columns of short values: tokens, addresses of pages, identifiers before they become pseudonyms.

The bulk never reaches Python. Few alternations, the sieve, fire for whatever a detector could find and for little
else; forms that can be decided without looking closer are decided column by column; each of what remains is looked at
once. The answer is the one that `texts.find` gives value by value, without names, birth dates and streets: those need
sentences, and a sentence has no place in such a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import phonenumbers
import polars as pl

from headway_pipelines.privacy.detection import contact, national
from headway_pipelines.privacy.detection.contact import top_level
from headway_pipelines.privacy.detection.decode import says_more
from headway_pipelines.privacy.detection.keys import NOTHING, Hint, hint
from headway_pipelines.privacy.detection.money import COUNTRIES, ISSUERS
from headway_pipelines.privacy.detection.pairs import lets_in
from headway_pipelines.privacy.detection.texts import LONGEST, find
from headway_pipelines.privacy.detection.words import words

_EDGE = r"(?:^|[^0-9A-Za-z.+_-])"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

#: What any detector needs to see, and as little else as a pass can tell. Whatever is not ASCII is looked at closer.
_FOREIGN = r"[^\x00-\x7f]"
_WRITING = (
    # what only decoding shows: percent, entities, escapes, quoted-printable
    r"%[0-9A-Fa-fu]{2}",
    r"&(?:#|[A-Za-z]{2,8};)",
    r"\\[ux0-7/\"'@]",
    r"[\[({](?:[.:@]|dot|DOT)[\])}]",
    r"=[0-9A-F]{2}=[0-9A-F]{2}|=(?:40|2[BDE]|3[AD]|5F)[A-Za-z0-9]|=\r?\n",
    # e-mail addresses, also spelled out
    r"@",
    r"[\s\[({<_-](?:(?i:at|aet|arroba|klammeraffe|chez|kukac|zavinac|malpa|snabel-a|chiocciola|apenstaartje|miukumauku|alfa)|\([aA]\))[\s\])}>_-]|\([aA]\)",
)
_NUMBERS = (
    # telephones, cards, accounts, identity numbers: long numbers and numbers in groups
    r"(?:\+|(?:^|[^0-9A-Za-z+])00)[ .]?[1-9][0-9 ()./-]{5}",
    r"(?:^|[^0-9A-Za-z.+_-]|[A-Za-z][_-])(?:[0-9](?:[ _/-]{1,3}|\.)?){13,18}[0-9](?:$|[^0-9A-Za-z])",
    _EDGE + r"\(?[0-9]{3}\)?[ .-]{0,2}[0-9]{3}[ .-][0-9]{4}",
    _EDGE + r"[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}",
    _EDGE + r"\(?0[1-9][0-9]{0,4}\)?[ ./-]{1,3}[0-9]{2}",
    _EDGE + r"\(?[1-9][0-9]{1,3}\)?[ .][0-9]{2,5}[ .][0-9]{2}",
    _EDGE + r"\(?[1-9][0-9]{1,2}\)?-[0-9]{2,5}-[0-9]{2}",
    # accounts in one run: Norway's and Belgium's are the only ones of less than 18 signs, and all digits
    _EDGE + rf"(?i:{COUNTRIES})[0-9]{{2}}(?:(?:[ .-][A-Za-z0-9]{{2,11}}){{2}}|[A-Za-z0-9]{{14}})",
    _EDGE + r"(?i:NO|BE)[0-9]{13}",
    _EDGE
    + r"756[0-9]{10}|"
    + _EDGE
    + r"[12][ ]?[0-9]{2}[ ]?(?:0[1-9]|1[0-2]|[2-9][0-9])[ ]?(?:[0-9]{2}|2[AB])[ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{2}",
    _EDGE + r"(?:[XYZ]-?)?[0-9]{7,8}-?[A-Z](?:$|[^0-9A-Za-z_])",
    _EDGE + r"[A-Z]{1,6}[0-9]{6}[A-Z(]|" + _EDGE + r"[A-Z&]{3,6}[0-9LMNP-V]{2}[0-9A-Z]{4,}",
    _EDGE + r"[STFGM][0-9]{7}[A-Z]|" + _EDGE + r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
    _EDGE
    + r"[A-Z]{5}[0-9]{4}[A-Z]|"
    + _EDGE
    + r"[0-9]{7}[A-W]|"
    + _EDGE
    + r"[0-9]{7,8}-[0-9K](?:$|[^0-9A-Za-z_])",
    _EDGE
    + r"(?:19|20)?[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}[-+ABCDEFUVWXY][0-9]{3}|"
    + _EDGE
    + r"[0-9]{6}(?:/[0-9]{3}|-[1-8][0-9]{6})|"
    + _EDGE
    + r"[0-9]{5,6} [0-9]{5}",
    _EDGE
    + r"(?:756|[0-9]{4})[. -][0-9]{4}|"
    + _EDGE
    + r"[0-9]{5}-[0-9]{7}|"
    + _EDGE
    + r"[0-9]{1,2}\.[0-9]{2,3}\.[0-9]{2,3}-",
    _EDGE + r"(?:2[0347]-[0-9]{8}|[0-9]{3}-[0-9]{3}-[0-9]{3}|[0-9]{2} [0-9]{6}|[1-8]-[0-9]{4}-|784-"
    r"|[0-9]{3}-[0-9]{7}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-|[0-9]{2}\.[0-9]{2}\.[0-9]{2}-)",
    # network and hardware addresses, coordinates
    rf"(?:^|[^0-9A-Za-z.@])(?:{_OCTET}\.){{3}}{_OCTET}|-(?:{_OCTET}-){{3}}{_OCTET}",
    r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]",
    r"[0-9]\.[0-9]{3,15}[^0-9]{1,8}[0-9]{1,3}\.[0-9]{3}",
)
_ENCODED = (
    # what gzip or zlib packed, bytes in decimal
    r"H4sI[A-Za-z0-9+/_-]{12}|e(?:J[w-z]|N[o-r]|A[E-H])[A-Za-z0-9+/_-]{12}|[0-9][ ,;]{1,2}64[ ,;]"
    r"|(?:[2-7][0-9A-Fa-f]00){6}|(?:00[2-7][0-9A-Fa-f]){6}|(?:0[01]{7}[ ,]?){8}",
    # what looks like base64, base32 or hexadecimal of something that can be read
    r"(?:[I-Za-f][C-HS-Xi-ny-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]){3}",
    r"(?:^|[^A-Z0-9])[A-Z2-7]{16}",
    r"(?:^|[^0-9A-Fa-f])(?:0[xX])?(?:[2-7][0-9A-Fa-f]){6,}(?:$|[^0-9A-Fa-f])",
)
_SECRETS = (
    r"(?:[0-9A-Fa-f]{2}[- ,:]){5}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}",
    r"[23456789CFGHJMPQRVWX]{4}\+[23456789CFGHJMPQRVWX]{2}",
    # secrets: providers' prefixes, tokens
    r"A[KSBC][IC]A[A-Z2-7]|gh[opsur]_|github_pat_|gl(?:pat|ptt|dt|rt|soat|cbt|ft)-|xox[a-z]"
    r"|xapp-|[srp]k_(?:live|test|prod)|whsec_|sk-|AIza|ya29\.|1//0|GOCSPX-|SG\.|key-[0-9a-f]"
    r"|re_[A-Za-z0-9]{8}|xkeysib|npm_|hf_[A-Za-z0-9]{20}|gsk_|rubygems_",
    r"pypi-|dckr_|r8_[A-Za-z0-9]{8}|do[opr]_v1|shp(?:at|ca|pa|ss)_|sq0|EAA|ATATT|lin_api"
    r"|(?:secret|ntn)_[A-Za-z0-9]{8}|figd_|dp\.[spc]|hv[sbr]\.|dapi[0-9a-f]|NRAK|PMAK|sbp_"
    r"|pscale|tfp_|gl(?:c|sa)_|SK[0-9a-f]{8}|AC[0-9a-f]{8}|AGE-|sl\.|ph[cx]_|rzp_|:AA|_token\$"
    r"|[MNO][A-Za-z0-9_-]{23,25}\.",
    r"eyJ|-----BEGIN|\$(?:2[abxy]|argon2|[156]|scrypt|pbkdf2)",
)
_KEYED = (
    # keys and values: forms, cookies, parameters, lines; words before numbers; schemes and folders of people
    r"[A-Za-z0-9_\]\"'.-][ ]{0,2}(?:=>?|:=?)[ \"']{0,2}[^/\s&=]",
    r"(?i:bearer|basic|token|digest|apikey|code|pin|otp|tan|password|secret|key)[ :]",
    r"(?i:[a-z]{2,}) [^0-9\n]{0,24}\+?\(?[0-9][0-9A-Za-z ()./-]{3}",
    r"[A-Za-z_.-]/[^/?#]*[^/?#a-z.][^/?#]*|/[a-z]{1,12}/[a-z]+[-._+~][a-z]|gravatar|(?i:wa\.me|t\.me)/|///[a-z]{3}"
    r"|hooks\.slack|discord|://[^/@]*@",
)
_WORDS = (rf"(?:^|[^A-Za-z])(?i:{contact.NAMED}|{national.NAMED})(?:[0-9]|[^A-Za-z][^\n]{{0,60}}[0-9])",)


def _one_of(*patterns: tuple[str, ...]) -> str:
    """An alternation for texts of ASCII: classes that leave signs out need not know all the others there are."""
    one = "|".join("|".join(each) for each in patterns)
    return re.sub(r"\[\^((?:\\.|[^\]\\])*)\]", r"[\\x00-\\x7f--[\1]]", one).replace(r"\s", r" \t\n\r\x0b\x0c")


#: Three passes, because one automaton for all of it outgrows its memory and becomes thirty times slower.
SIEVES = (
    f"{_FOREIGN}|{_one_of(_WRITING, _NUMBERS)}",
    _one_of(_ENCODED, _SECRETS),
    _one_of(_WORDS, _KEYED),
)
_SECRET, _WORD = _one_of(_SECRETS), _one_of(_WORDS)

_EMAIL = r"^[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}$"
_LAST_LABEL = r"([A-Za-z]+)$"
_SCALED = r"@[1-9](?:\.[0-9])?x\."
_IPV4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
_NOBODY = r"^(?:0|127)\.|^255\.255\.255\.255$"
_CARD = r"^[0-9](?:[ -]?[0-9]){13,18}$"
_SSN = r"^[0-9]{3}(?:-[0-9]{2}-|[ ][0-9]{2}[ ])[0-9]{4}$"
_NANP = (
    r"^(?:\([2-9][0-9]{2}\)[ .-]?[0-9]{3}[ .-][0-9]{4}|[2-9][0-9]{2}(?:-[0-9]{3}-|\.[0-9]{3}\."
    r"|[ ][0-9]{3}[ ])[0-9]{4})$"
)
_MAC = r"^(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$|^(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}$"
_DULL_MAC = r"^(?:00[:-]){5}|^(?i:ff[:-]){5}"
_IPV6 = (
    r"^2[0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{1,4}){7}$"
    r"|^2001:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,2}::(?:[0-9A-Fa-f]{1,4}:){0,2}[0-9A-Fa-f]{1"
    r",4}$"
)
_TOKEN = (
    r"^eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*$|^(?:AKIA[A-Z2-7]{16}"
    r"|ghp_[A-Za-z0-9]{36}|sk_(?:live|test)_[A-Za-z0-9]{24,})$"
)
_ADDRESS = r"^(?:https?://[A-Za-z0-9.-]+(?::[0-9]+)?)?/?[A-Za-z0-9/_.-]*(?:\?[A-Za-z0-9_.=&-]*)?$"
_NAME_IN_ADDRESS = r"[A-Za-z][A-Za-z_.-]*[/=]"
_EMAIL_INSIDE = (
    r"(?:^|[^A-Za-z0-9._%+@-])[A-Za-z0-9][A-Za-z0-9._+-]{1,63}@(?:[A-Za-z][A-Za-z0-9-]{1,62}\.){1,4}"
    r"(?:com|org|net|edu|io|de|fr|es|it|nl|uk|at|ch|pl|br|jp|test)(?:$|[^A-Za-z0-9.@:/-])"
)


@dataclass(frozen=True, slots=True)
class Suspects:
    """Which values of a column look personal.

    Attributes:
        kinds: What a value looks like, null where it does not; as long as the column. Of several the first in
            alphabetical order. Not shown by `repr`.
        types: Type -> how many values were found to hold it.
    """

    kinds: pl.Series = field(repr=False)
    types: dict[str, int]

    @property
    def mask(self) -> pl.Series:
        """True where a value looks personal; as long as the column, False for nulls."""
        return self.kinds.is_not_null()


def suspects(values: pl.Series, told: Hint = NOTHING) -> Suspects:
    """Finds the values of a column that look personal.

    Args:
        values: Texts.
        told: What the column's name says, looked up once: `keys.hint`.

    Returns:
        Which ones, and how many of each type.

    Examples:
        >>> found = suspects(pl.Series(["spring_sale", "grizelda@example.com", None]))
        >>> found.mask.to_list(), found.types
        ([False, True, False], {'email': 1})
    """
    rest = _sifted(values, told)
    types: dict[str, int] = {}
    hits = [pl.DataFrame(schema={"at": rest["at"].dtype, "kind": pl.String})]
    if told.type is None:
        for kind, decide in _DECISIONS:
            if rest.is_empty() or not _may_decide(kind, told):
                continue
            decided = decide(rest["v"])
            if count := int(decided.sum() or 0):
                types[kind] = types.get(kind, 0) + count
                hits.append(rest.filter(decided).select("at", kind=pl.lit(kind)))
                rest = rest.filter(~decided)
    hits.append(_looked_at(rest, told, types))
    found = pl.concat(hits)
    kinds = pl.repeat(None, len(values), dtype=pl.String, eager=True).alias(values.name)
    return Suspects(kinds.scatter(found["at"], found["kind"]), dict(sorted(types.items())))


def _sifted(values: pl.Series, told: Hint) -> pl.DataFrame:
    """Place and text of the values that a closer look is for."""
    if told.type is not None:
        return pl.DataFrame({"at": values.is_not_null().arg_true(), "v": values.drop_nulls()})
    written, runs, named = (values.str.contains(each).fill_null(False) for each in SIEVES)
    written |= (values.str.len_bytes() > LONGEST).fill_null(False)
    rest, encoded, pages = (
        pl.DataFrame({"at": mask.arg_true(), "v": values.filter(mask)})
        for mask in (written, runs & ~named & ~written, named & ~runs & ~written)
    )
    both = runs & named & ~written
    # Of what only looks encoded, what chance wrote says nothing; of addresses, only the names in them can say more.
    packed = encoded["v"].map_elements(says_more, return_dtype=pl.Boolean)
    return pl.concat(
        [
            rest,
            pl.DataFrame({"at": both.arg_true(), "v": values.filter(both)}),
            encoded.filter(packed | encoded["v"].str.contains(_SECRET)),
            pages.filter(pages["v"].str.contains(_WORD) | ~_dull(pages["v"])),
        ]
    )


def _may_decide(kind: str, told: Hint) -> bool:
    if kind == "ipv4":
        return not (told.version or told.agent)
    return not (kind in _OF_NUMBERS and (told.code or told.time or told.version or told.agent))


_OF_NUMBERS = frozenset(("card", "ssn", "phone"))


def _looked_at(rest: pl.DataFrame, told: Hint, types: dict[str, int]) -> pl.DataFrame:
    """What a closer look at each distinct value finds: place and kind."""
    found: dict[str, str] = {}
    counts = rest["v"].value_counts()
    for value, count in zip(counts["v"], counts["count"], strict=True):
        if hits := find(value, told, prose=False):
            kinds = {hit.type for hit in hits}
            found[value] = min(kinds)
            for kind in kinds:
                types[kind] = types.get(kind, 0) + count
    kinds_of = pl.DataFrame(
        {"v": list(found), "kind": list(found.values())}, schema={"v": pl.String, "kind": pl.String}
    )
    return rest.join(kinds_of, on="v").select("at", "kind")


def _email(values: pl.Series) -> pl.Series:
    fits = values.str.contains(_EMAIL)
    some = values.filter(fits)
    labels = some.str.extract(_LAST_LABEL, 1).str.to_lowercase()
    known = labels.is_in(pl.Series(sorted(top_level())).implode()) & ~some.str.contains(_SCALED)
    return fits.scatter(fits.arg_true(), known)


def _email_inside(values: pl.Series) -> pl.Series:
    return values.str.replace_all("%40", "@", literal=True).str.contains(_EMAIL_INSIDE)


def _ipv4(values: pl.Series) -> pl.Series:
    fits = values.str.contains(_IPV4)
    return fits & ~values.str.contains(_NOBODY) if fits.any() else fits


def _card(values: pl.Series) -> pl.Series:
    fits = values.str.contains(_CARD)
    digits = values.filter(fits).str.replace_all(r"[ -]", "")
    if not digits.is_empty():
        good = digits.str.contains(f"^(?:{ISSUERS.pattern})$") & _luhn(digits)
        fits = fits.scatter(fits.arg_true(), good)
    return fits


def _luhn(digits: pl.Series) -> pl.Series:
    """Whether check digits fit (ISO/IEC 7812), for all numbers at once; zeros in front change nothing."""
    width = 20
    padded = "".join(digits.str.pad_start(width, "0"))
    table = np.frombuffer(padded.encode("ascii"), dtype=np.uint8).reshape(-1, width).astype(np.int16) - ord(
        "0"
    )
    table[:, 0::2] *= 2
    table[table > 9] -= 9
    different = digits.str.contains(r"^0+$|^1+$|^2+$|^3+$|^4+$|^5+$|^6+$|^7+$|^8+$|^9+$").to_numpy()
    return pl.Series((table.sum(axis=1) % 10 == 0) & ~different)


def _phone(values: pl.Series) -> pl.Series:
    fits = values.str.contains(r"^\+[1-9][0-9 ().-]{7,20}[0-9]$")
    digits = values.filter(fits).str.replace_all(r"[^0-9]", "")
    if not digits.is_empty():
        fits = fits.scatter(fits.arg_true(), digits.str.contains(_international()))
    return fits | values.str.contains(_NANP)


@cache
def _international() -> str:
    """Country codes and how many digits may follow each, from the library's metadata."""
    parts = []
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        known = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        described = known.general_desc if known else None
        lengths = sorted(n for n in described.possible_length if n > 0) if described else []
        parts.append(f"{code}(?:{'|'.join(f'[0-9]{{{n}}}' for n in lengths)})") if lengths else None
    return f"^(?:{'|'.join(parts)})$"


def _pattern(pattern: str, but: str = "") -> Callable[[pl.Series], pl.Series]:
    def decide(values: pl.Series) -> pl.Series:
        fits = values.str.contains(pattern)
        return fits & ~values.str.contains(but) if but and fits.any() else fits

    return decide


#: In the order of how often they are met. Each says yes only where `find` says yes.
_DECISIONS: tuple[tuple[str, Callable[[pl.Series], pl.Series]], ...] = (
    ("email", _email),
    ("ipv4", _ipv4),
    ("phone", _phone),
    ("card", _card),
    ("ssn", _pattern(_SSN)),
    ("mac", _pattern(_MAC, _DULL_MAC)),
    ("ipv6", _pattern(_IPV6)),
    ("secret", _pattern(_TOKEN)),
    ("email", _email_inside),
)


def _dull(values: pl.Series) -> pl.Series:
    """Addresses of pages in which no part of the path and no parameter has a name that says anything."""
    plain = values.str.contains(_ADDRESS)
    if not plain.any():
        return plain
    names = values.filter(plain).str.extract_all(_NAME_IN_ADDRESS)
    told = [name for name in names.explode().drop_nulls().unique() if _says(name)]
    speaking = names.list.eval(pl.element().is_in(pl.Series(told, dtype=pl.String).implode())).list.any()
    return plain.scatter(
        plain.arg_true(), ~speaking.fill_null(False) & ~values.filter(plain).str.contains(_people())
    )


def _says(name: str) -> bool:
    """Whether what follows a parameter's name, or a part of a path, may be personal."""
    bare = name.strip("/?&=#;")
    return hint((bare,)).type is not None or lets_in(bare)


@cache
def _people() -> str:
    """Parts of a path below which a person's name may stand."""
    return (
        rf"(?i:/(?:{'|'.join(sorted(words('folders_of_people')))}))/[@~]?[A-Za-z]{{2,}}[^A-Za-z/?#&=]"
        rf"[^/?#&=]*[A-Za-z]|/[@~][A-Za-z]"
    )
