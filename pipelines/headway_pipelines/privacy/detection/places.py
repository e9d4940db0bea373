"""Precise places in a text: coordinates and codes that stand for them, and street addresses in many languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headway_pipelines.privacy.detection.hits import Hit

_DEGREES = r"[+-]?(?:[0-9]|[1-8][0-9]|90)\.[0-9]{3,15}"
_DEGREES_LON = r"[+-]?(?:[0-9]{1,2}|1[0-7][0-9]|180)\.[0-9]{3,15}"
_PAIR = re.compile(
    rf"(?<![0-9A-Za-z.])(?<![0-9],)(?<![0-9], )(?:{_DEGREES}°?\s?[NSns]?\s{{0,2}}[,;/| "
    rf"]\s{{0,2}}{_DEGREES_LON}|{_DEGREES_LON}\s{{0,2}}[,;/| "
    rf"]\s{{0,2}}{_DEGREES})°?\s?[EWOewo]?(?![0-9.]|\s?,\s?[+-]?[0-9]+\.[0-9])"
)
_ANNOUNCED = re.compile(
    r"(?i)(?:coord|koord|gps|lat|lng|position|standort|ubicaci|location|located|pickup"
    r"|drop-?off|\bat|@)\W"
)
_MINUTES = re.compile(
    r"(?:(?<![A-Za-z])[NSns]\s?)?(?<![0-9])[0-9]{1,2}\s?°\s?[0-9]{1,2}(?:\.[0-9]+)?\s?['′]\s?(?:[0-9]{1,2}(?:\.[0-9]+)?\s?("
    r"?:\"|″|''|′′)\s?)?[NSns]?[\s,;/]{0,3}(?:[EWOewo]\s?)?[0-9]{1,3}\s?°\s?[0-9]{1,2}(?:\.[0-9]+)?\s?['′]\s?(?:[0-"
    r"9]{1,2}(?:\.[0-9]+)?\s?(?:\"|″|''|′′)\s?)?[EWOewo]?"
)
_CODES = re.compile(
    r"(?<![0-9A-Za-z])(?:[23456789C][23456789CFGHJMPQRV][23456789CFGHJMPQRVWX]{6}\+[23456789CFGH"
    r"JMPQRVWX]{2,3}|[23456789CFGHJMPQRVWX]{4}\+[23456789CFGHJMPQRVWX]{2,3}(?=,? "
    r"[A-Z]))(?![0-9A-Za-z])"
    r"|(?<![/:])///[a-zà-ÿ]{3,20}\.[a-zà-ÿ]{3,20}\.[a-zà-ÿ]{3,20}"
    rf"|geo:{_DEGREES},{_DEGREES_LON}|(?:SRID=4326;)?POINT\s?Z?\s?\(\s?{_DEGREES_LON}\s{_DEGREES}[^)]{{0,20}}\)"
)

_W = r"[A-Z\u00c0-\u024f][A-Za-z\u00c0-\u024f'.-]{1,30}"
_L = r"(?:[A-Z\u00c0-\u024f]|d['’]|l['’])[A-Za-z\u00c0-\u024f'’.-]{1,30}"
_NO = r"[0-9]{1,5}(?:[ -]?[A-Za-z](?![A-Za-z]))?(?:\s?[-/]\s?[0-9]{1,4}[A-Za-z]?)?"
_PLACE_WORDS = (
    r"(?:de la |de los |de las |del |de l['’]|de |du |des |della |delle |dei |degli |dell['’]"
    r"|di |da |do |dos |das |e |la |le |les |el |von |van der |van den |van |den |der |aan de "
    r"|am |an der )"
)
_STREETS = (
    rf"{_NO},? (?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.? )?(?:{_W} |[0-9]{{1,3}}(?:st|nd|rd|th) ){{1,4}}"
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Circle|Cir"
    r"|Way|Place|Pl|Terrace|Ter|Parkway|Pkwy|Highway|Hwy|Square|Sq|Crescent|Cres|Close|Gardens"
    r"|Grove|Mews|Row|Hill|Walk|Alley|Trail|Loop|Green|Quay|Wharf|Broadway|Esplanade|Parade"
    r"|Rise|View|Gate|Path)\b\.?",
    rf"{_NO} (?:Broadway|Strand|Piccadilly|Whitehall|Pall Mall|Park Row)\b",
    r"(?:P\.? ?O\.? ?Box|Postfach|Bo[iî]te [Pp]ostale|B\.?P\.?|Apartado(?: de [Cc]orreos)?"
    r"|Casella [Pp]ostale|Caixa [Pp]ostal|Postbus|Skrytka pocztowa) [0-9]{1,7}\b",
    rf"\b(?:[A-Z\u00c0-\u024f][A-Za-z\u00c0-\u024f.-]{{1,30}}[ "
    rf"-]){{0,3}}[A-Za-z\u00c0-\u024f-]{{2,30}}(?:stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse"
    rf"|ring|damm|ufer|chaussee|steig|pfad|markt|graben|hof|berg|straat|laan|plein|gracht|kade"
    rf"|singel|dijk|steeg|dreef|gatan|gata|vägen|gränd|vej|gade|alle|veien|vegen|gaten|gate|katu"
    rf"|tie|polku|kuja) {_NO}\b",
    rf"\b{_W}(?:[ -]{_W})?[ -](?:Stra(?:ß|ss)e|Str\.?|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer"
    rf"|Chaussee|Straat|Laan|Plein|Gatan|Väg|Vej|Gade|Gate|Vei) {_NO}\b",
    rf"\b(?:Am|An der|Im|Zum|Zur|Unter den|Auf der|In der) {_W} {_NO}\b",
    rf"{_NO}(?: bis| ter)?,? (?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Bb]d|[Pp]lace|[Cc]hemin"
    rf"|[Ii]mpasse|[Qq]uai|[Aa]ll[ée]e|[Cc]ours|[Rr]oute|[Ss]quare|[Pp]assage|[Ff]aubourg"
    rf"|[Vv]illa|[Rr]uelle) (?:{_PLACE_WORDS}){{0,2}}{_L}(?:[ -](?:{_PLACE_WORDS})?{_L}){{0,3}}",
    rf"\b(?:[Rr]ue|[Cc]hauss[ée]e|[Aa]venue|[Bb]oulevard) (?:{_PLACE_WORDS}){{0,2}}{_L}(?:[ "
    rf"-](?:{_PLACE_WORDS})?{_L}){{0,3}},? {_NO}\b",
    rf"\b(?:[Cc]alle|[Cc]/|C\.|[Aa]venida|[Aa]vda\.?|[Aa]v\.|[Pp]aseo|[Pp]laza|[Pp]l\.|[Cc]arrer"
    rf"|[Cc]amino|[Cc]arretera|[Rr]onda|[Tt]raves[ií]a|[Cc]arrera|[Cc]ra\.?|[Rr]ua|R\."
    rf"|[Tt]ravessa|[Pp]ra[çc]a|[Ll]argo|[Aa]lameda|[Ee]strada|[Vv]ia|[Vv]iale|[Cc]orso"
    rf"|[Pp]iazza|[Pp]iazzale|[Vv]icolo|[Ll]ungomare|[Cc]ontrada|[Ss]trada|[Bb]ulevardul|[Bb]d\."
    rf"|[Aa]leea|[Cc]alea|Jalan|Jl\.?) "
    rf"(?:{_PLACE_WORDS}){{0,2}}{_L}(?: (?:{_PLACE_WORDS}){{0,2}}{_L}){{0,4}},? "
    rf"{{0,1}}(?:n[ºo°.]{{1,2}} ?|no\.? ?|nr\.? ?|num\.? ?|km |# ?)?{_NO}\b",
    rf"\b(?:[Uu]l\.?|[Uu]lica|[Aa]l\.|[Aa]leja|[Pp]l\.|[Oo]s\.|[Uu]lice|[Nn][áa]m\."
    rf"|[Nn][áa]m[ěe]st[íi]|[Uu]licа) (?:{_W} ){{1,4}}{_NO}(?:\s?(?:m\.|lok\.) ?[0-9]+)?",
    rf"\b(?:{_W} ){{1,3}}(?:n[áa]m\.|n[áa]m[ěe]st[íi]|t[řr](?:[íi]da|\.)"
    r"|utca|út|tér|körút|ulica|ulice|trg|tee|tänav|iela|gatv[ėe]|Caddesi"
    rf"|Cad\.?|Soka[kğ][ıi]?|Sok\.?|Sk\.?|Bulvar[ıi]|Mahallesi|Mah\.),? (?:[Nn]o ?[:.]? ?)?{_NO}",
    r"(?:ул(?:ица|\.)|просп(?:ект|\.)|пр-т|пер(?:еулок|\.)|вул(?:иця|\.)|бул(?:ьвар|\.)|наб\."
    r"|ш\.) ?[А-ЯЁІЇЄ][А-Яа-яёіїє. -]{2,40},? ?(?:д(?:ом|\.)?|буд\.?)? ?[0-9]{1,4}",
    r"(?:οδ[όο]ς|Λεωφ(?:όρος|\.)) [Α-ΩΆ-Ώ][α-ωά-ώ]{2,30} [0-9]{1,4}",
    r"[\u4e00-\u9fff]{2,8}(?:省|市|区|區|县|縣|都|府"
    r"|道)[\u3040-\u30ff\u4e00-\u9fffー々]{1,24}(?:[0-9一二三四五六七八九十]{1,4}(?:丁目|番地?|号|號|-|－|ー|弄|栋|室|楼"
    r"|巷|路|街)?){1,5}",
    r"[\u4e00-\u9fff]{2,10}(?:路|街|大道|巷|弄)[0-9]{1,5}(?:号|號|弄)",
    r"[가-힣]{2,8}(?:시|도|구|군)\s?[가-힣0-9]{1,10}(?:로|길|동)\s?[0-9]{1,4}(?:-[0-9]{1,4})?",
    rf"\b[0-9]{{1,3}}-[0-9]{{1,3}}(?:-[0-9]{{1,3}})? {_W}(?:[ -]{_W})?,? {_W}-(?:ku|shi|cho|machi|gun)\b",
    rf"\b[0-9]{{1,4}},? (?:Lorong|Jalan|Soi|Moo) {_W}",
)
_STREET = re.compile("|".join(f"(?:{each})" for each in _STREETS))
_UNIT = re.compile(
    rf"(?:,? {{0,2}}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Fl|Floor|#|Wohnung|appt?|bureau|piso"
    rf"|int\.|scala|bus|lok\.|m\.|kat|daire|D:)\.? ?[0-9A-Za-z-]{{1,6}})?"
    rf"(?:,? {{0,2}}(?:[A-Z]{{1,2}}-)?(?:[0-9]{{4,6}}(?:-[0-9]{{3,4}})?|[0-9]{{2}}-[0-9]{{3}}"
    rf"|[0-9]{{3}} [0-9]{{2}}|[0-9]{{4}} ?[A-Z]{{2}}) {_W}(?:[ -]{_W}){{0,2}})?"
    rf"(?:,? {_W}(?: {_W}){{0,2}},? (?:[A-Z]{{2}} [0-9]{{5}}(?:-[0-9]{{4}})?"
    rf"|[A-Z]{{1,2}}[0-9][0-9A-Z]? ?[0-9][A-Z]{{2}}|[A-Z]{{2,3}} [0-9]{{4}}|[A-Z][0-9][A-Z] "
    rf"?[0-9][A-Z][0-9]))?"
)
_UK_POSTCODE = re.compile(
    r"(?<![0-9A-Za-z])(?:GIR 0AA|[A-PR-UWYZ][A-HK-Y]?[0-9][0-9ABEHMNPRVWXY]? [0-9][ABD-HJLN-UW-Z]{2})(?![0-9A-Za-z])"
)


def locations(text: str) -> Iterator[Hit]:
    """Finds precise coordinates and codes that stand for them.

    Args:
        text: A folded text.

    Yields:
        Hits of type ``location``.
    """
    for match in _PAIR.finditer(text):
        numbers = re.findall(r"[0-9]+\.[0-9]+", match[0])
        precise = all(len(number.partition(".")[2]) >= 4 for number in numbers)
        announced = _ANNOUNCED.search(text[max(0, match.start() - 24) : match.start()])
        # Nobody lives within a degree of 0, 0, where shares and sizes on a page lie.
        if (precise or announced) and any(float(number) >= 1 for number in numbers):
            yield Hit("location", *match.span())
    for match in _CODES.finditer(text):
        yield Hit("location", *match.span())
    if "°" in text:
        for match in _MINUTES.finditer(text):
            yield Hit("location", *match.span())


def streets(shown: str) -> Iterator[Hit]:
    """Finds street addresses.

    Args:
        shown: A normalised text; letters of other scripts must be as they are.

    Yields:
        Hits of type ``address``.
    """
    if not any(map(str.isdigit, shown)):
        return
    for match in _STREET.finditer(shown):
        rest = _UNIT.match(shown, match.end())
        yield Hit("address", match.start(), rest.end() if rest else match.end())
    for match in _UK_POSTCODE.finditer(shown):
        yield Hit("address", *match.span())
