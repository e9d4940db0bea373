"""Passwords, keys and tokens in a text: providers' prefixes, tokens of known form, and words that announce them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from headway_pipelines.privacy.detection.hits import Hit
from headway_pipelines.privacy.detection.words import words

#: Prefixes that providers publish so that secrets can be found, and the shortest rest that is one.
_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)(?:[A-Z2-7]{12,16}|[A-Z0-9]{16}(?![A-Za-z0-9]))"
    r"|gh[opsur]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|gl(?:pat|ptt|dt|rt|soat|cbt|ft)-[A-Za-z0-9_-]{16,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|xoxe\.[A-Za-z0-9.-]{10,}"
    r"|[srp]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{12,}"
    r"|sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{18,}|AIza[A-Za-z0-9_-]{30,}"
    r"|ya29\.[A-Za-z0-9_-]{16,}|1//0[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{16,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|key-[0-9a-f]{32}"
    r"|xkeysib-[0-9a-f]{32,}[A-Za-z0-9-]*|re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{16,}"
    r"|npm_[A-Za-z0-9]{24,}|pypi-[A-Za-z0-9_-]{20,}|rubygems_[0-9a-f]{24,}"
    r"|dckr_pat_[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{24,}|gsk_[A-Za-z0-9]{24,}"
    r"|do[opr]_v1_[0-9a-f]{24,}|shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{24,}|sq0(?:atp"
    r"|csp)-[A-Za-z0-9_-]{16,}|EAACEdEose0cBA[A-Za-z0-9]+|EAA[A-Za-z0-9]{40,}"
    r"|ATATT[A-Za-z0-9_=-]{24,}|lin_api_[A-Za-z0-9]{24,}|(?:secret|ntn)_[A-Za-z0-9]{32,}"
    r"|figd_[A-Za-z0-9_-]{20,}|dp\.(?:st|pt|ct)\.[A-Za-z0-9._-]{16,}"
    r"|hv[sbr]\.[A-Za-z0-9_-]{16,}|dapi[0-9a-f]{32}"
    r"|NRAK-[A-Z0-9]{20,}|PMAK-[0-9a-f-]{24,}|sbp_[0-9a-f]{24,}|pscale_(?:tkn|pw"
    r"|oauth)_[A-Za-z0-9_-]{16,}|tfp_[A-Za-z0-9_-]{24,}|glc_[A-Za-z0-9+/=]{24,}"
    r"|glsa_[A-Za-z0-9_]{24,}"
    r"|SK[0-9a-f]{32}|AC[0-9a-f]{32}|AGE-SECRET-KEY-1[A-Z0-9]{20,}|sl\.[A-Za-z0-9_-]{40,}"
    r"|phc_[A-Za-z0-9]{24,}|phx_[A-Za-z0-9]{24,}|rzp_(?:live|test)_[A-Za-z0-9]{10,}|(?:access"
    r"|refresh)_token\$[a-z]+\$[A-Za-z0-9$]{20,}"
    r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{30,}|[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"
    r")"
)
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}"
    r"|-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{0,16000}(?:-----END [A-Z0-9 ]{0,24}-----)?)?"
    r"|(?<![A-Za-z])(?:[Bb]earer|[Bb]asic|[Tt]oken|[Dd]igest|[Aa]piKey|BEARER|BASIC)[ "
    r":]{1,2}(?P<bearer>(?=[A-Za-z._~+/=-]{0,24}[0-9]|[A-Za-z0-9+/]{20,}=)[A-Za-z0-9._~+/=-]{8,})"
    r"|https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{10,}|https://(?:ptb\."
    r"|canary\.)?discord(?:app)?\.com/api/webhooks/[0-9]{8,}/[A-Za-z0-9_-]{16,}"
    r"|(?:AccountKey|SharedAccessKey|SharedAccessSignature|sig|X-Amz-Signature|X-Goog-Signature"
    r"|X-Amz-Credential)=(?P<sas>[A-Za-z0-9%+/=_-]{16,})"
    r"|[A-Za-z][A-Za-z0-9+.-]{1,20}://(?P<userinfo>[^\s/@:?#]{0,100}:[^\s/@]{1,200}|[^\s/@:?#]{1,100})@"
    r"|\$(?:2[abxy]|argon2(?:id?|d)|6|5|1|scrypt|pbkdf2[a-z0-9-]*)\$[A-Za-z0-9$./=,+]{16,}"
)
_SHORTEST_TOKEN = 16
#: Words, and identifiers that no provider's secrets look like.
_PLAIN = re.compile(r"[a-z_.-]*|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
#: Words of an identifier, as capitals and digits set them apart.
_SET_APART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_PUNCTUATED = re.compile(r"[ :=.$]")
_SIGNING_IN = re.compile(
    r"(?i)\b(?:sign(?:ing)?[ -]?in|log(?:ging)?[ -]?in|verif\w+|confirm\w*|anmeld\w+|einlogg\w+"
    r"|two[- ]factor|2fa|one[- ]time|expires?|authenti\w+|connexion|iniciar sesi[oó]n|accedere"
    r"|inloggen|giri[sş])"
)
_CODE = re.compile(
    r"(?i)\b(?:code|codes|pin|tan|otp|passcode|c[oó]digo|codice|kod|kodu"
    r"|g-)\b[^0-9\n]{0,20}(?P<value>[0-9]{3}[ -]?[0-9]{1,5})(?![0-9A-Za-z])"
)
_SAID = re.compile(
    r"(?i)(?<![a-z])(?P<word>password|passwd|pwd|passwort|kennwort|mot de passe|mdp"
    r"|contrase(?:ñ|n)a|clave|senha|parola|wachtwoord|has(?:ł|l)o|heslo|jelsz(?:ó|o)|(?:ş"
    r"|s)ifre(?:m|si|niz)?|l(?:ö|o)senord|passord|adgangskode|salasana|passphrase|passcode|"
    r"api[ _-]?key|secret(?: key)?|access[ _-]?key|access[ _-]?token|auth[ _-]?token|token"
    r"|pin(?: code)?|otp|one[- ]time (?:code|password)|verification code|security code|cvv2?"
    r"|cvc2?|login code|recovery code|recovery phrase|seed phrase|code de v[eé]rification"
    r"|best(?:ä|ae)tigungscode|c(?:ó|o)digo de verificaci(?:ó|o)n)"
    r"(?P<link>\s{0,2}(?:=>?|:=|:)\s{0,2}|\s(?:is|ist|est|es|was|to|war|lautet|er|olarak|it is"
    r"|set to|e|è|é)\s{1,2}(?:now |:)?\s?|\s{1,2}(?=[^\s]{0,40}[0-9]))"
    r"[\"'`<(\[]{0,1}(?P<value>[^\s\"'`<>&;,)]{3,200})"
)


def credentials(text: str) -> Iterator[Hit]:
    """Finds secrets that their form or a word before them gives away.

    Args:
        text: A folded text.

    Yields:
        Hits of type ``secret``.
    """
    if len(text) >= _SHORTEST_TOKEN and not _PLAIN.fullmatch(text):
        for match in _PREFIXED.finditer(text):
            yield Hit("secret", *match.span())
    if not _PUNCTUATED.search(text):
        return
    for match in _TOKENS.finditer(text):
        group = next((name for name in ("bearer", "sas", "userinfo") if match[name]), 0)
        if match["userinfo"] == "git":
            continue
        yield Hit("secret", *match.span(group))
    if _SIGNING_IN.search(text):
        for match in _CODE.finditer(text):
            yield Hit("secret", *match.span("value"))
    for match in _SAID.finditer(text):
        if _said(match):
            yield Hit("secret", *match.span("value"))


def _said(match: re.Match[str]) -> bool:
    word, value = match["word"].lower(), match["value"]
    if value.lower().rstrip(".!?") in words("idle") or value.startswith(("*", "[", "…", "...")):
        return False
    digits = sum(map(str.isdigit, value))
    if word.startswith(
        ("pin", "otp", "one", "verif", "security", "cvv", "cvc", "login", "code", "best", "c")
    ) and not word.startswith(("contra", "clave")):
        return digits >= 3 and not re.fullmatch(r"[0-9]+%|[0-9]+(?:\.[0-9]+)", value)
    if word in ("token", "secret", "clave", "parola", "senha") or not match["link"].strip():
        return looks_random(value) or (digits > 0 and len(value) >= 6 and not value.isdigit())
    return len(value.rstrip(".!?,")) >= 4


def looks_random(text: str) -> bool:
    """Says whether a text is too mixed to be made of words.

    Args:
        text: A text without blanks.

    Returns:
        True from 16 characters on, with letters and digits, and at least 3 bits of entropy a character (Shannon 1948).

    Examples:
        >>> looks_random("q8Zt3LmW0xYv7RbK"), looks_random("weekly_newsletter_2")
        (True, False)
    """
    if len(text) < 16 or not any(map(str.isdigit, text)) or not any(map(str.isalpha, text)):
        return False
    counts = Counter(text)
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    switches = sum(a.isdigit() != b.isdigit() for a, b in pairwise(text))
    return entropy >= 3 and switches >= 4


def shuffled(text: str) -> bool:
    """Says whether letters and digits are mixed as in no word or identifier, however few digits there are.

    Args:
        text: A text without blanks.

    Returns:
        True from 12 characters on, where what capitals and digits set apart is shorter than two and a half characters
        on average: words that are run together, as in an identifier, are longer.

    Examples:
        >>> shuffled("dRvQkXjOEaHgTnzC"), shuffled("getUserNameFromStore2"), shuffled("WELCOME_BACK_2024")
        (True, False, False)
    """
    if len(text) < 12 or not text.isalnum() or text.isupper() or text.islower():
        return False
    return len(text) < 2.5 * len(_SET_APART.findall(text))
