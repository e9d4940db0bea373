"""Network and hardware addresses in a text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from headway_pipelines.privacy.detection.hits import Hit

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![0-9A-Za-z.])(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z_]|\.[0-9A-Za-z])")
_IPV4_DASHED = re.compile(
    rf"(?<![0-9A-Za-z.])(?:ip|host|ec2|pool|dsl|cable|dyn|client)-((?:{_OCTET}-){{3}}{_OCTET})(?![0-9-])"
)
_IPV6 = re.compile(
    r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|[0-9A-Fa-f]{0,4})(?![0-9A-Za-z:]|\.[0-9])"
)
_MAC = re.compile(
    r"(?:(?<![0-9A-Fa-f:.])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|(?<![0-9A-Fa-f:.-])(?:(?:[0-9A-Fa-f]{2}-){5}"
    r"[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})"
    r"|(?<![0-9A-Za-z] )(?<![0-9A-Za-z])(?:[0-9A-F]{2} ){5}[0-9A-F]{2}(?! [0-9A-F]{2}\b))"
    r"(?![0-9A-Za-z]|[:.-][0-9A-Fa-f])"
)
_LETTERS = re.compile(r"[A-F].*[A-F]")
#: What stands before the version of something: v1.2.3.4, Chrome/120.0.0.0, lib-1.2.3.4.jar, pkg==1.2.3.4
_VERSION_BEFORE = re.compile(
    r"(?i)(?:\bv(?:er(?:s(?:i[oó]n|ione|ao|ie)?)?)?[ .:=#_-]{0,2}|\bversion(?: number)?s?[ "
    r":=]{1,3}|\b(?:build|release|firmware|fw|update[d]?|upgrade[d]?|patch|driver|kernel|sdk"
    r"|section|chapter|clause|rev(?:ision)?"
    r"|(?:updat|upgrad|downgrad|migrat|bump|chang|mov)[a-z]{1,4} [^\n]{0,24}?(?:from|to))"
    r"(?: (?:to|version|from))?[ :=#-]{1,2}|[A-Za-z][A-Za-z.]{2,30}/|[A-Za-z]{2,30}@|(?:==|>="
    r"|<=|~=|=>|[~^]) ?|[A-Za-z]{2,30}-)$"
)
_ADDRESS_BEFORE = re.compile(
    r"(?i)(?:\bips?|addr(?:ess)?|from ip|to ip|host|login from|logged in from|(?:ssh|scp|sftp|ftp|rsync)[^/]{1,30}"
    r"|root|admin|connect(?:ed"
    r"|ion)? (?:from|to)|request from|client|server|visit(?:or)? from|blocked)[ :=/@-]{1,3}$"
)
#: Folders of releases, and images of containers: /dist/1.2.3.4/, team/app:1.2.3.4
_OF_FILES = re.compile(
    r"(?i)(?:[a-z0-9._-]{2,}/(?:v|ver|versions?|releases?|dist|npm|libs?|sdk|downloads?|gh|pkg|packages?|tags?|ajax)"
    r"/[^ /]{0,30}/?"
    r"|(?<![/:])\b[a-z0-9._-]{1,40}/[a-z0-9._-]{1,40}:)$"
)
_PORT_AFTER = re.compile(r"(?::| port |, port )[0-9]{1,5}(?![0-9.])")
_MEANS_NOBODY = frozenset(("0.0.0.0", "255.255.255.255", "::", "::1"))


def addresses(text: str, *, version: bool = False) -> Iterator[Hit]:
    """Finds IPv4, IPv6 and hardware addresses.

    Args:
        text: A folded text.
        version: Whether the text is known to be a version, which is never an address.

    Yields:
        Hits of types ``ipv4``, ``ipv6`` and ``mac``.
    """
    if not version and text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            if _is_ipv4(text, match):
                yield Hit("ipv4", *match.span())
    if not version and text.count("-") >= 4:
        for match in _IPV4_DASHED.finditer(text):
            yield Hit("ipv4", *match.span(1))
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            if _is_ipv6(match[0]):
                yield Hit("ipv6", *match.span())
    for match in _MAC.finditer(text):
        if len(set(match[0].lower()) - set(":.- ")) > 2 and (
            " " not in match[0] or _LETTERS.search(match[0])
        ):
            yield Hit("mac", *match.span())


def _is_ipv4(text: str, match: re.Match[str]) -> bool:
    address = match[0]
    if address in _MEANS_NOBODY or address.startswith("127."):
        return False
    before = text[max(0, match.start() - 40) : match.start()]
    if _ADDRESS_BEFORE.search(before) or _PORT_AFTER.match(text, match.end()):
        return True
    if _OF_FILES.search(before):
        return False
    if before.endswith("//") or "://" in before:
        return True
    if _VERSION_BEFORE.search(before) and not re.search(r"[:/]/[^ ]*$", before):
        return False
    return text[match.end() : match.end() + 2] not in ("-b", "-a", "-r", "+b") and not address.startswith(
        "0."
    )


def _is_ipv6(text: str) -> bool:
    if not any(map(str.isdigit, text)) or len(text) < 6:
        return False
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return str(address) not in _MEANS_NOBODY
