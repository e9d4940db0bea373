"""Names of people in a text, by lists of words and what stands beside them; no trained model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from headway_pipelines.privacy.detection.hits import Hit
from headway_pipelines.privacy.detection.words import plain, words

_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+){0,3}\.?")
_LONGEST = 4
_WORDS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINED = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,30}(?:[_.+-]{1,2}[^\W\d_]{2,30}){1,6}")
_DEVICE = re.compile(
    r"(?P<name>(?<![^\W\d_])[A-ZÀ-ÖØ-Þ][^\W\d_]{1,20}?)(?:['’]?s)?[-_ ](?:MacBook|Mac|iPhone|iPad|iMac|iPod"
    r"|Apple|AirPods|Watch|PC|Laptop|Desktop|Notebook|Galaxy|Pixel|Phone|Tablet|Computer|Air"
    r"|Pro|Mini|Kindle|Echo|Surface|ThinkPad)\b"
    r"|\b(?:iPhone|iPad|MacBook|PC|Laptop|Galaxy|Handy|Ordinateur|Portable) (?:de|von|di|do|da"
    r"|van|of) (?P<owner>[A-ZÀ-ÖØ-Þ][^\W\d_]{1,20})"
)

_CAPITAL = r"(?<![^\W\d_])[A-ZÀ-ÖØ-ÞĀ-Ž][^\W\d_]{0,30}(?:['’-][^\W\d_]{1,30}){0,2}"
_FULL = (
    rf"{_CAPITAL}(?: (?:(?:de|van|von|der|den|la|le|da|dos|di|bin|al|el|O') ){{0,2}}(?:[A-Z]\. "
    rf"?)?{_CAPITAL}){{0,3}}"
)
#: What stands before a name, whatever the name is.
_ANNOUNCED = re.compile(
    r"(?:(?i:\b(?:my (?:full )?name is|name is|named|i am called|call me|je m['’]appelle|mon "
    r"nom est|ich hei(?:ß|ss)e|mein name ist|me llamo|mi nombre es|mi chiamo|il mio nome è|meu "
    r"nome é|chamo-me|me chamo|ik heet|mijn naam is|"
    r"nazywam się|mam na imię|jmenuji se|jag heter|jeg heter|jeg hedder|nimeni on|ad[ıi]m|benim "
    r"ad[ıi]m|numele meu este|nevem"
    r"|nama saya|jina langu ni|tên (?:tôi|em|mình|anh|chị) là"
    r"|tôi tên là|меня зовут|мо[её] имя|мене звати|με λένε|ονομάζομαι"
    r"|volám sa|zovem se|moje ime je|ime mi je|mani sauc|mano vardas|minu nimi on|aš esu"
    r"|signed(?: by)?,?|undersigned,?|on behalf of|attn:?|c/o|care of"
    r"|patient|passenger|beneficiary|cardholder|account holder|next of kin)[ :]{1,2})"
    r"|\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Herr|Herrn|Frau|Mme|Mlle|Madame"
    r"|Monsieur|Mademoiselle|Sr|Sra|Srta|Señor|Señora|Don|Doña|Signor|Signora|Sig|Dott|Senhor"
    r"|Senhora|Dhr|Mevr|Mevrouw|Meneer|Pan|Pani|Pan[íi]|Bay|Bayan|Sayın|Hr|Fru|Herra|Rouva"
    r"|Bapak|Ibu|Shri|Smt)\b\.?\s"
    r"|(?:^|[\n.!?,] ?)(?:(?i:best regards|kind regards|warm regards|regards|best wishes"
    r"|sincerely|yours truly|yours sincerely|cheers|thanks|many thanks|thank you|mit "
    r"freundlichen gr(?:ü|u)(?:ß|ss)en|viele gr(?:ü|u)(?:ß|ss)e|lg|mfg|cordialement|bien à vous"
    r"|saludos|un saludo|atentamente|atenciosamente|abra(?:ç|c)os|cordiali saluti|distinti "
    r"saluti|met vriendelijke groet|groeten|pozdrawiam|hilsen|h(?:ä|a)lsningar|terveisin"
    r"|sayg(?:ı|i)lar(?:ı|i)mla)[,!.]?\s{1,4}))"
    rf"(?P<name>{_FULL})"
)
#: What stands before a name, and before other things too: the word itself must then be a given name or unknown.
_GREETED = re.compile(
    r"(?:\b(?:(?i:dear|hi|hello|hey|bonjour|hola|ciao|olá|hallo|liebe[r]?|lieber|cher|chère"
    r"|querid[oa]|estimad[oa]|gentile|caro|cara|beste|geachte|cześć|witaj|hei|hallå|tere|labas|zdravo|szia|salut|halo|habari|namaste|merhaba|ahoj|hej|moi|"
    r"sehr geehrte[r]?|good morning|good evening|guten tag))[ ,]{1,2})"
    rf"(?P<name>{_FULL})(?=[,!.:;? \n]|$)"
)
_BESIDE = re.compile(
    rf"(?:(?i:\b(?:by|with|from|to|for|contact|ask|call(?:ed)?|invite[d]?|met|meet|meeting|via"
    rf"|cc|@|assigned to|reported by|mentor|manager|colleague|friend|wife|husband|son|daughter"
    rf"|mother|father|sister|brother|boss|nurse|doctor|patient|customer|user|client|agent|owner"
    rf"|author|teacher|student|spoke to|spoken with|talked to|und|and|und|von|mit|für|bei|an|par"
    rf"|avec|pour|chez|por|con|para|da|per|met|van|od|dla|ile|hos|med|till"
    rf"|av))\s)(?P<name>{_CAPITAL})(?![^\W\d_])"
)
_DOING = re.compile(
    rf"(?P<name>{_CAPITAL})(?:['’]s\b(?! (?:Day|Eve))|\s(?:said|says|asked|asks|called|calls"
    rf"|wrote|writes|liked|likes|requested|invited|complained|reported|mentioned|joined|left"
    rf"|shared|replied|commented|wants|wanted|needs|paid|bought|ordered|signed|confirmed"
    rf"|cancelled|canceled|cannot|can't|couldn't|lives|works|moved|hat|ist|a demandé|dijo|ha"
    rf"|disse|heeft|schrieb|fragte|sagte|ruft|wohnt)\b)"
)
#: Who did or got something, with two words that no list need know.
_DOER = re.compile(
    rf"(?:\b(?i:(?:opened|closed|written|signed|created|submitted|reported|requested|approved"
    rf"|reviewed|assigned|invited|uploaded|edited|owned|sent|posted|booked|ordered|paid|made"
    rf"|called|referred|recommended|handled|answered|scheduled) (?:by|to)|"
    rf"meeting with|met with|met|spoke (?:to|with)|spoken to|talked (?:to|with)|chat with|call "
    rf"with|interview with|contract with"
    rf"|forward(?:ed)? (?:it |this )?to|(?:ship|send|deliver)(?:ed)? (?:it |this |them )?to|i am|i['’]m|invite|remind|"
    rf"reassign(?:ed)? to|on behalf of|deceased|employee"
    rf"|applicant|candidate|tenant|defendant|claimant|kundin|kunde|herrn|patientin))\s"
    rf"(?P<name>{_CAPITAL}(?: {_CAPITAL}){{1,2}})(?![^\W\d_])"
    rf"|(?P<doer>{_CAPITAL} {_CAPITAL})(?=\s(?:(?:has|have|had|just) )?(?:said|says|asked|asks|called|calls|wrote"
    rf"|writes|requested|invited|complained|reported|mentioned|replied|commented|wants|paid|bought"
    rf"|ordered|signed|confirmed|cancelled|canceled|shared|joined|approved|assigned|would like)\b)"
)
_HONOURED = re.compile(
    r"[\u3040-\u30ff\u4e00-\u9fff]{1,6}(?=\s?(?:さん|様|さま|氏|先生|女士|小姐|くん|ちゃん|君))"
    r"|[가-힣]{2,4}(?=\s?(?:씨|님))|(?P<roman>[A-Z][a-z]{1,14})(?=-(?:san|sama|kun|chan|ssi|nim)\b)"
)
_SELF = re.compile(
    r"(?:我叫|我的名字(?:是|叫)|我姓|本人姓名|名前は|제 이름은 ?|저는 )"
    r"(?P<name>[\u3040-\u30ff\u4e00-\u9fff가-힣]{2,5}?)"
    r"(?=$|[,，。、 .!！]|です|と申|といい|입니다|이에요|예요|，|的)"
    r"|(?:اسمي|إسمي|שמי|मेरा नाम|ผมชื่อ|ดิฉันชื่อ|ฉันชื่อ) ?(?P<word>[^\W\d_]{2,20}(?: [^\W\d_]{2,20})?)"
)
_JAPANESE = re.compile(
    r"(?<![\u4e00-\u9fff])(?:佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|斎藤|林|清水|山崎"
    r"|森|池田|橋本|阿部|石川|前田|藤田|後藤|小川|岡田|長谷川|村上|近藤|石井|坂本|遠藤|青木|藤井|西村|福田|太田|三浦|藤原|岡本|松田|中島|中野|原田|小野"
    r"|田村)[ 　]?[\u3040-\u30ff\u4e00-\u9fff]{1,3}(?![\u4e00-\u9fff])"
    r"|(?<![\u4e00-\u9fff])[王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏"
    r"薛叶葉阎余潘杜戴夏钟鍾汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文][\u4e00-\u9fff]{1,2}(?=(?:先生|女士"
    r"|小姐)|$|[,，。 ])"
    r"|(?<![가-힣])[김이박최정강조윤장임한오서신권황안송류홍전"
    r"고문양손배백허유남심노하곽성차주우구민진][가-힣]{2}(?=(?:씨|님)|$|[ ,.])"
)
_CYRILLIC = re.compile(
    r"(?<![А-Яа-яЁёІіЇїЄє])[А-ЯЁІЇЄ][а-яёіїє]{1,15} (?:[А-ЯЁІЇЄ][а-яёіїє]{1,15}(?:вич|вна|ична"
    r"|йович) ?)?[А-ЯЁІЇЄ][а-яёіїє]{1,15}(?:ов|ова|ев|ева|ёв|ин|ина|ын|ский|ская|цкий|цкая|енко"
    r"|ко|ук|юк|чук|ян|ич|дзе|швили|ько)(?![а-яёіїє])"
    r"|(?<![А-Яа-яЁё])[А-ЯЁ][а-яё]{1,15}(?:ов|ова|ев|ева|ин|ина|ский|ская|енко) "
    r"[А-ЯЁ][а-яё]{1,15}(?: [А-ЯЁ][а-яё]{1,15}(?:вич|вна))?(?![а-яё])"
    r"|[Α-ΩΆ-Ώ][α-ωά-ώ]{2,14} [Α-ΩΆ-Ώ][α-ωά-ώ]{2,20}(?:όπουλος|οπούλου|ίδης|ίδου|άκης|άκη|άδης"
    r"|ιάδης|ιάδου|έλλης|ούδης)"
    r"|(?<![\u0600-\u06ff])(?:محمد|أحمد|احمد|علي|فاطمة|عبد ?الله|عبد ?الرحمن|خالد|عمر|يوسف|مريم"
    r"|عائشة|حسن|حسين|إبراهيم|نور|سارة|ليلى|زينب)(?: (?:بن |ال)?[\u0600-\u06ff]{2,12}){1,3}"
    r"|(?<![\u0590-\u05ff])(?:דוד|משה|יוסף|שרה|רחל|יעקב|אברהם|מרים|דניאל|נועה|יעל|תמר) [\u0590-\u05ff]{2,12}"
)
#: O'Fenwick, D'Arcy: an apostrophe behind a capital is in no brand's or plan's name of one word.
_PATRONYMIC = re.compile(r"[OD]['’][A-ZÀ-ÖØ-Þ][^\W\d_]{2,20}")


def names(shown: str) -> Iterator[Hit]:
    """Finds people's names: known ones, and unknown ones where the words around say that one follows.

    Args:
        shown: A normalised text.

    Yields:
        Hits of type ``person_name``.
    """
    if not shown.isascii():
        for match in _SELF.finditer(shown):
            yield Hit("person_name", *match.span("name" if match["name"] else "word"))
        for pattern in (_HONOURED, _JAPANESE, _CYRILLIC):
            yield from (Hit("person_name", *m.span()) for m in pattern.finditer(shown))
    elif "-" in shown:
        yield from (Hit("person_name", *m.span()) for m in _HONOURED.finditer(shown))
    for match in _ANNOUNCED.finditer(shown):
        yield from _unless_ordinary(match)
    for match in _GREETED.finditer(shown):
        yield from _unless_ordinary(match)
    for pattern in (_BESIDE, _DOING):
        for match in pattern.finditer(shown):
            if _given(plain(match["name"])):
                yield Hit("person_name", *match.span("name"))
    for match in _DOER.finditer(shown):
        who = "name" if match["name"] else "doer"
        first, *rest = map(plain, _WORDS.findall(match[who]))
        known = first in words("given") or first not in _ordinary()
        if known and not any(word in _ordinary() for word in rest):
            yield Hit("person_name", *match.span(who))
    for match in _DEVICE.finditer(shown):
        owner = "name" if match["name"] else "owner"
        if _given(plain(match[owner])) or _given(plain(match[owner]).removesuffix("s")):
            yield Hit("person_name", *match.span(owner))
    yield from _listed(shown)
    yield from _joined(shown)


def _joined(shown: str) -> Iterator[Hit]:
    """Names without blanks, as in names of files: Fenwick_Grizelda.pdf, maria.gonzalez."""
    for run in _JOINED.finditer(shown):
        parts = list(_WORDS.finditer(run[0]))
        for one, other in pairwise(parts):
            low, last = plain(one[0]), plain(other[0])
            known = last in words("family") and last not in _ordinary()
            new = one[0][0].isupper() and other[0][0].isupper() and last not in _ordinary() and len(last) > 2
            if (_given(low) and (known or new)) or (
                _given(last) and low in words("family") and low not in _ordinary()
            ):
                yield Hit("person_name", run.start() + one.start(), run.start() + other.end())


@cache
def _ordinary() -> frozenset[str]:
    return words("words") | words("things") | words("harmless")


def _unless_ordinary(match: re.Match[str]) -> Iterator[Hit]:
    first, *others = map(_bare, match["name"].split()[:2])
    # Grant Echeverria: an ordinary word, with a word behind it that is none.
    named = others and others[0] not in _ordinary() and others[0] in words("family") | words("given")
    if first in words("given") or first not in words("words") or named:
        end = match.start("name")
        for token in _TOKEN.finditer(match["name"]):
            low = plain(token[0].rstrip("."))
            if (
                token.start()
                and low in words("words")
                and low not in words("family")
                and low not in words("given")
            ):
                break
            end = match.start("name") + token.end()
        yield Hit("person_name", match.start("name"), end)


def _given(word: str) -> bool:
    return word in words("given") and word not in words("words")


def _listed(shown: str) -> Iterator[Hit]:
    """Runs of words that the lists know for names."""
    tokens = list(_TOKEN.finditer(shown))
    low = [_bare(token[0]) for token in tokens]
    at = 0
    while at < len(tokens):
        size = _name_length(shown, tokens, low, at)
        behind = low[at + size : at + size + 1] + (low[at + size - 1 : at + size] if size > 2 else [])
        if "".join(low[at : at + size]) in words("called_like_people"):
            at += size
            continue
        if size and not words("called_behind_people").intersection(behind):
            yield Hit("person_name", tokens[at].start(), tokens[at + size - 1].end())
        at += max(size, 1)


def _bare(token: str) -> str:
    return plain(token.rstrip(".")).replace("'", "").replace("’", "")


def _name_length(shown: str, tokens: Sequence[re.Match[str]], low: Sequence[str], at: int) -> int:
    """How many tokens from one on are a person's name."""
    first = low[at]
    if first.partition("-")[0] not in words("given") and first not in words("family"):
        return 2 if at and _before_family(shown, tokens, low, at) else 0
    end = at + 1
    while end < len(tokens) and end - at < _LONGEST and _adjoins(shown, tokens[end - 1], tokens[end]):
        if low[end] not in words("particles") and not _surname(tokens[end][0], low[end], tokens[at][0]):
            break
        end += 1
    while end > at + 1 and low[end - 1] in words("particles"):
        end -= 1
    size = end - at
    if size == 1:
        return _reversed(shown, tokens, low, at)
    last = low[end - 1]
    known = last in words("family")
    if first.partition("-")[0] in words("given"):
        if first in words("words"):
            # Three capitalised words, one of which is a given name and nothing else: José María Aznar.
            known = known or (size > 2 and any(_given(word) for word in low[at + 1 : end]))
            return (
                size
                if known
                and (last not in words("words") or last not in words("nouns"))
                and tokens[at][0][0].isupper()
                else 0
            )
        return size if known or tokens[end - 1][0][0].isupper() or last not in words("words") else 0
    # Family name first: Tanaka Yuki.
    return size if first not in words("words") and any(_given(word) for word in low[at + 1 : end]) else 0


def _before_family(shown: str, tokens: Sequence[re.Match[str]], low: Sequence[str], at: int) -> bool:
    """Whether an unknown word is a given name, as a family name stands behind it: ship it to Tine Olsen."""
    if at + 1 >= len(tokens) or not _adjoins(shown, tokens[at], tokens[at + 1]):
        return False
    one, other = tokens[at][0], tokens[at + 1][0]
    family = low[at + 1] in words("family") and low[at + 1] not in words("words") | words("nouns")
    return (
        family
        and other[0].isupper()
        and one[0].isupper()
        and one[1:].islower()
        and _surname(one, low[at], one)
    )


def _surname(token: str, low: str, first: str) -> bool:
    """Whether a token may continue a name: an initial, a known name, or a capitalised word that is no ordinary one."""
    if len(low) == 1:
        return token.endswith(".") or token.isupper()
    # A second given name may be a word elsewhere: Maria Jose, Jean Paul.
    if low in words("family") or _given(low) or (low in words("given") and token[0].isupper()):
        return first[0].isupper() == token[0].isupper()
    parts = low.split("-")
    if low.endswith(("ing", "tion", "ment", "ness", "able", "less", "ology", "ware")):
        return False
    return (
        token[0].isupper()
        and len(low) > 2
        and not any(
            part in words("words") or part in words("things") or part in words("harmless") for part in parts
        )
        and not (token.isupper() and not first.isupper())
    )


def _adjoins(shown: str, one: re.Match[str], other: re.Match[str]) -> bool:
    between = shown[one.end() : other.start()]
    return between in (" ", "  ", "\u3000", "\t") and not (one[0].endswith(".") and len(one[0]) > 3)


def _reversed(shown: str, tokens: Sequence[re.Match[str]], low: Sequence[str], at: int) -> int:
    """Fenwick, Grizelda."""
    if at + 1 >= len(tokens) or not re.fullmatch(r", ?", shown[tokens[at].end() : tokens[at + 1].start()]):
        return 0
    family = low[at] in words("family") and low[at] not in words("nouns")
    return 2 if family and _given(low[at + 1]) and tokens[at][0][0].isupper() else 0


def slug(text: str) -> bool:
    """Says whether a handle or a part of a path is made of a person's name.

    Args:
        text: For example ``john-smith`` or ``maria.gonzalez84``.

    Returns:
        True when a given name and another name, neither an ordinary word, make it up.

    Examples:
        >>> slug("maria.gonzalez84"), slug("mark-read"), slug("summer-sale")
        (True, False, False)
    """
    parts = [plain(part).replace("'", "") for part in _WORDS.findall(_CAMEL.sub(" ", text))]
    if not 2 <= len(parts) <= 3:
        return False
    first, last = parts[0], parts[-1]
    if _given(first) and (last in words("family") or (last not in words("words") and len(last) > 2)):
        return True
    return (
        first in words("given")
        and last in words("family")
        and last not in words("nouns")
        and (first not in words("words") or last not in words("words"))
    ) or (first in words("family") and first not in words("words") and _given(last))


def is_family_name(text: str) -> bool:
    """Says whether one word is a family name and nothing else.

    Args:
        text: The normalised value.

    Returns:
        True for a name in the list that is no ordinary word, and for one that begins as no other word does.

    Examples:
        >>> is_family_name("Lefèvre"), is_family_name("O'Fenwick"), is_family_name("Standard")
        (True, True, False)
    """
    low = _bare(text.strip())
    if _PATRONYMIC.fullmatch(text.strip()):
        return True
    return text[:1].isupper() and low in words("family") and low not in _ordinary()


def looks_like_name(shown: str, *, announced: bool, own: bool = False) -> bool:
    """Says whether a whole value is a person's name.

    Args:
        shown: The normalised value.
        announced: Whether its key says that it is one; then any words will do that are not ordinary ones.
        own: Whether nothing but people has what the key says, such as a maiden name: then ordinary words will do too.

    Returns:
        True when it looks like one.

    Examples:
        >>> looks_like_name("Grizelda Fenwick", announced=False), looks_like_name("Spring Sale", announced=False)
        (True, False)
    """
    text = shown.strip()
    tokens = [token[0] for token in _TOKEN.finditer(text)]
    if not tokens or len(tokens) > 7 or len(text) > 80 or re.search(r"[_/\\<>{}=@#|:]|[0-9]{2}", text):
        return False
    low = [plain(token.rstrip(".")) for token in tokens]
    listed = words("given") | words("family")
    if announced and own and len(tokens) <= 3 and text[0] != text[0].lower() and _capitalised(tokens):
        return not all(word in words("no_names") for word in low)
    if announced:
        return any(word in listed or word not in words("words") for word in low if len(word) > 1) and not (
            len(tokens) == 1 and text.islower() and low[0] not in listed and "-" in text
        )
    if any(hit.end - hit.start >= len(text) - 4 for hit in names(shown)):
        return True
    if len(tokens) == 1:
        return _given(low[0]) and text[0].isupper()
    ordinary = words("words") | words("things") | words("harmless")
    return (
        _capitalised(tokens)
        and 2 <= len(tokens) <= 4
        and not any(part in ordinary for word in low for part in word.split("-"))
        and "," not in text
    )


def _capitalised(tokens: Sequence[str]) -> bool:
    return all(token[0].isupper() or plain(token) in words("particles") for token in tokens)
