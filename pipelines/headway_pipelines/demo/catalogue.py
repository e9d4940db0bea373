"""The fixed furniture of the demo world: pages, browsers, courses, names. Everything personal is made up.

Addresses, numbers and domains are the ones reserved for documentation: example.com, 555-01xx, 203.0.113.0/24.
"""

from __future__ import annotations

from itertools import product

HOST = "https://learn.example.com"
CATEGORIES = ("art", "business", "code", "languages", "music", "photography")
#: Course prices in cents, taken by course number; a third of the courses are free.
PRICES = (0, 900, 1250, 0, 1900, 2490, 2900, 0, 3900, 4900, 1500, 7900)
CURRENCIES = ("EUR", "USD", "GBP")
#: What is paid in the buyer's currency, in its hundredths: a price list by currency.
AMOUNTS = (
    PRICES,
    (0, 999, 1399, 0, 2099, 2799, 3199, 0, 4299, 5399, 1699, 8699),
    (0, 799, 1099, 0, 1649, 2149, 2499, 0, 3399, 4249, 1299, 6849),
)
SURVEYS = ("nps", "csat", "ces")
#: Lowest and highest answer of each survey.
SCALES = ((0, 10), (1, 5), (1, 7))
PLANS = ("solo", "studio", "school")
#: Monthly prices of teachers on their own, in cents, ascending; the first two are ``solo``, the rest ``studio``.
OWN_PRICES = (1900, 2900, 4900, 5900, 7900, 9900)
#: A school pays a base and as much for every seat, in cents a month.
SCHOOL_BASE, SCHOOL_SEAT = 12000, 1250
UPLOAD_REASONS = ("network", "format", "size")

_SLUGS = (
    "watercolour-basics",
    "linocut-printing",
    "pricing-your-craft",
    "first-customers",
    "python-from-zero",
    "sql-for-analysts",
    "spanish-a1",
    "business-german",
    "fingerstyle-guitar",
    "home-recording",
    "street-photography",
    "portrait-light",
)
_FIXED = (
    ("/", "Lectern: learn what you always wanted to"),
    ("/courses", "All courses"),
    ("/search", "Search"),
    ("/pricing", "Pricing"),
    ("/signup", "Create your account"),
    ("/login", "Log in"),
    ("/teach", "Teach on Lectern"),
    ("/account", "Your account"),
    ("/help", "Help"),
)


def _title(slug: str) -> str:
    return slug.replace("-", " ").capitalize()


_BASE = (
    *_FIXED,
    *((f"/courses/{slug}", f"{_title(slug)} | Lectern") for slug in _SLUGS),
    *((f"/learn/{slug}", f"Learning: {_title(slug)}") for slug in _SLUGS),
    *((f"/teach/{slug}", f"Editing: {_title(slug)}") for slug in _SLUGS),
)
#: Positions in ``PAGES`` that journeys refer to.
SEARCH_PAGE, SIGN_UP_PAGE, LOGIN_PAGE, TEACH_PAGE, HELP_PAGE = 2, 4, 5, 6, 8
COURSE_PAGES = range(len(_FIXED), len(_FIXED) + len(_SLUGS))
LEARN_PAGES = range(COURSE_PAGES.stop, COURSE_PAGES.stop + len(_SLUGS))
TEACH_PAGES = range(LEARN_PAGES.stop, LEARN_PAGES.stop + len(_SLUGS))

_LANDINGS = ("/", "/courses", "/courses/python-from-zero", "/courses/watercolour-basics")
_UTM = {
    "paid": (
        "utm_source=google&utm_medium=cpc&utm_campaign=autumn_courses",
        "utm_source=meta&utm_medium=cpc&utm_campaign=creators",
    ),
    "email": (
        "utm_source=newsletter&utm_medium=email&utm_campaign=weekly_picks",
        "utm_source=newsletter&utm_medium=email&utm_campaign=come_back",
    ),
    "referral": (
        "utm_source=invite&utm_medium=referral",
        "utm_source=partner_blog&utm_medium=referral&utm_campaign=partners",
    ),
}
_TAGGED = tuple(
    (channel, path, utm) for channel, queries in _UTM.items() for path in _LANDINGS for utm in queries
)
_TITLES = dict(_BASE)

#: Every page a line can come from: (url, path, title).
PAGES: tuple[tuple[str, str, str], ...] = (
    *((HOST + path, path, title) for path, title in _BASE),
    *((f"{HOST}{path}?{utm}", path, _TITLES[path]) for _, path, utm in _TAGGED),
)
#: Pages people land on, by channel; untagged for organic and direct.
LANDING_PAGES: dict[str, tuple[int, ...]] = {
    "organic": (0, 1, *COURSE_PAGES),
    "direct": (0, 0, 1),
    **{
        channel: tuple(len(_BASE) + i for i, tagged in enumerate(_TAGGED) if tagged[0] == channel)
        for channel in _UTM
    },
}
_EXTERNAL = (
    "",
    "https://www.google.com/",
    "https://www.google.de/",
    "https://www.bing.com/",
    "https://social.example.net/",
    "https://blog.example.org/reading-list",
)
#: Referrers: nothing, other sites, then every page of the product itself.
REFERRERS: tuple[str, ...] = (*_EXTERNAL, *(url for url, _, _ in PAGES))
#: Add to a page's position to get its position as a referrer.
INTERNAL = len(_EXTERNAL)
LANDING_REFERRERS: dict[str, tuple[int, ...]] = {
    "organic": (1, 1, 1, 2, 2, 3),
    "paid": (1, 4),
    "email": (0,),
    "referral": (0, 5),
    "direct": (0,),
}

MOBILE = 4
#: Browsers; the first ``MOBILE`` of them are phones and tablets.
USER_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Safari/605.1.15",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
)
BOT_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; ExampleCrawler/3.1; +https://crawler.example.org/bot)",
)
LOCALES = ("de-DE", "en-GB", "en-US", "fr-FR", "es-ES", "pl-PL")
IPS = (*(f"203.0.113.{n}" for n in range(20, 52)), *(f"198.51.100.{n}" for n in range(120, 152)))

FIRST_NAMES = (
    "Ottoline",
    "Barnaby",
    "Clementine",
    "Ignatius",
    "Philippa",
    "Thaddeus",
    "Wilhelmina",
    "Zebedee",
)
#: Unusual on purpose: a byte scan for them finds a leak and nothing else. All longer than eight letters.
SURNAMES = tuple(
    a + b
    for a, b in product(
        (
            "Quillfen",
            "Zwartwyk",
            "Brambleth",
            "Oxlipton",
            "Fennimarsh",
            "Vexworth",
            "Thistleby",
            "Dunwhistle",
        ),
        ("ingham", "straat", "onbury", "elsham"),
    )
)
PHONES = tuple(f"+12025550{n}" for n in range(100, 164))
STREETS = tuple(
    f"{17 + 3 * n} {name}"
    for n, name in enumerate(
        ("Quagmire Crescent", "Pennywhistle Row", "Snapdragon Mews", "Gooseberry Wharf", "Tumbledown Steps")
    )
)
#: Schools teachers belong to (accounts).
SCHOOLS = tuple(
    f"{name} {kind}"
    for name, kind in product(
        ("Ravenscroft-Obermeyer", "Hollyhock Vale", "Saint Eustorgia", "Winterbourne Quay", "Kestrelmount"),
        ("Academy", "College", "Night School"),
    )
)

QUERIES = (
    "watercolour",
    "python",
    "guitar for beginners",
    "spanish a1",
    "portrait light",
    "excel",
    "linocut",
)
COMMENTS = (
    "Great teachers, I keep coming back.",
    "Clear lessons, good pace.",
    "Videos stutter in the evening.",
    "Too expensive for what it is.",
    "More advanced courses please.",
    "",
)
MESSAGES = (
    "The video stops after two minutes.",
    "I was charged twice.",
    "How do I publish my course?",
    "I cannot log in any more.",
    "Where do I find my invoice?",
)
TOPICS = ("billing", "playback", "publishing", "account")
ERRORS = (
    "TypeError: undefined is not a function",
    "ChunkLoadError: loading chunk 7 failed",
    "NetworkError: the request timed out",
    "RangeError: maximum call stack size exceeded",
)
REASONS_TO_LEAVE = ("Too expensive.", "I do not teach at the moment.", "I miss a gradebook.", "")
METHODS = ("email", "google", "apple")
