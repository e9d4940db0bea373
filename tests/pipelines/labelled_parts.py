"""Made-up people and their numbers, for labelled rows. Check digits are computed here, apart from the detectors' library."""
# ruff: noqa: E501  (rows are easier to compare on one line each)

from __future__ import annotations

import base64
import random
from collections.abc import Callable

Random = random.Random

FIRST = (
    "Grizelda",
    "Maria",
    "John",
    "Emma",
    "Lukas",
    "Chloe",
    "Mateo",
    "Agnieszka",
    "Mehmet",
    "Yuki",
    "Priya",
    "Olga",
    "Henrik",
    "Giulia",
    "Fatima",
    "Thandiwe",
    "Sean",
    "Ines",
    "Bjorn",
    "Zsofia",
)
LAST = (
    "Fenwick",
    "Gonzalez",
    "Smith",
    "Müller",
    "Novak",
    "Dubois",
    "Rossi",
    "Kowalska",
    "Yilmaz",
    "Tanaka",
    "Sharma",
    "Petrov",
    "Larsen",
    "Okafor",
    "Nguyen",
    "Almeida",
    "Szabo",
    "O'Connor",
    "Lindqvist",
    "Haddad",
)
#: People whose names no list is likely to hold.
RARE = (
    "Xochitl Barragan",
    "Oluwadamilare Ogunleye",
    "Saoirse Kavanagh",
    "Anneliese Vandenbroucke",
    "Thordis Bjornsdottir",
    "Tsubasa Kirishima",
    "Quvenzhane Delacroix",
    "Eluned Prydderch",
    "Wojslaw Brzeczyszczykiewicz",
    "Ngaire Tamihana",
    "Isaura Quintanilha",
    "Zbynka Hlavackova",
)
DOMAINS = (
    "example.com",
    "example.org",
    "mail.example.net",
    "posteo.de",
    "orange.fr",
    "company.co.uk",
    "uni-wien.ac.at",
    "startup.io",
    "correo.test",
)


def luhn(digits: str) -> str:
    """Adds the check digit of ISO/IEC 7812."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        double = int(digit) * (2 if place % 2 == 0 else 1)
        total += double - 9 if double > 9 else double
    return digits + str(-total % 10)


def number(r: Random, size: int) -> str:
    return str(r.randint(1, 9)) + "".join(str(r.randint(0, 9)) for _ in range(size - 1))


def weighted(digits: str, weights: tuple[int, ...], modulus: int) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % modulus


def person(r: Random) -> str:
    return f"{r.choice(FIRST)} {r.choice(LAST)}"


def email(r: Random) -> str:
    first, last = r.choice(FIRST).lower(), r.choice(LAST).lower().replace("ü", "ue").replace("'", "")
    local = r.choice(
        (
            f"{first}.{last}",
            f"{first}{r.randint(1, 99)}",
            f"{first[0]}{last}",
            f"{first}_{last}",
            f"{first}+news",
        )
    )
    return f"{local}@{r.choice(DOMAINS)}"


def card(r: Random) -> str:
    prefix, size = r.choice((("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("3530", 16)))
    return luhn(prefix + number(r, size - len(prefix) - 1))


def iban(r: Random) -> str:
    country, size = r.choice(
        (("DE", 18), ("FR", 23), ("ES", 20), ("NL", 0), ("GB", 0), ("AT", 16), ("BE", 12), ("PT", 21))
    )
    account = (
        number(r, size) if size else ("ABNA" + number(r, 10) if country == "NL" else "WEST" + number(r, 14))
    )
    rest = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(rest) % 97:02d}{account}"


def phone(r: Random) -> str:
    return r.choice((
        f"+1 202 555 01{r.randint(10, 99)}", f"+44 20 7946 0{r.randint(100, 999)}", f"+49 151 {number(r, 8)}", f"+33 6 {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)}",
        f"+34 612 {r.randint(100, 999)} {r.randint(100, 999)}", f"+81 90-{r.randint(1000, 9999)}-{r.randint(1000, 9999)}", f"+55 (11) 9{number(r, 4)}-{number(r, 4)}", f"+90 532 {number(r, 3)} {number(r, 2)} {number(r, 2)}", f"+48 512 {number(r, 3)} {number(r, 3)}", f"+1-415-555-01{r.randint(10, 99)}",
    ))  # fmt: skip


def ssn(r: Random) -> str:
    return r.choice(
        (
            "078-05-1120",
            "219-09-9999",
            f"987-65-43{r.randint(20, 29)}",
            f"000-{r.randint(10, 99)}-{number(r, 4)}",
            f"666-{r.randint(10, 99)}-{number(r, 4)}",
            f"9{number(r, 2)}-{r.randint(10, 99)}-{number(r, 4)}",
        )
    )


def ipv4(r: Random) -> str:
    return r.choice(("203.0.113.", "198.51.100.", "192.0.2.", "81.2.69.", "192.168.1.")) + str(
        r.randint(2, 254)
    )


def ipv6(r: Random) -> str:
    return r.choice(
        (
            f"2001:db8::{r.randint(1, 9999):x}:{r.randint(1, 65535):x}",
            f"2001:db8:85a3::8a2e:370:{r.randint(1000, 9999)}",
            f"fe80::1ff:fe23:{r.randint(4096, 65535):x}:890a",
        )
    )


def mac(r: Random) -> str:
    pairs = [f"{r.randint(0, 255):02x}" for _ in range(6)]
    return r.choice(
        (
            ":".join(pairs),
            "-".join(pairs).upper(),
            "".join(pairs[:2]) + "." + "".join(pairs[2:4]) + "." + "".join(pairs[4:]),
        )
    )


def uuid(r: Random) -> str:
    digits = f"{r.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def imei(r: Random) -> str:
    return luhn("35" + number(r, 12))


def birth(r: Random) -> str:
    day, month, year = r.randint(1, 28), r.randint(1, 12), r.randint(1950, 2005)
    return r.choice(
        (
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}.{month:02d}.{year}",
            f"{day:02d}/{month:02d}/{year}",
            f"{year}/{month:02d}/{day:02d}",
        )
    )


def coordinates(r: Random) -> tuple[str, str]:
    return f"{r.uniform(36, 60):.6f}1", f"{r.uniform(-9, 28):.6f}3"


def secret(r: Random) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    rest = "".join(r.choice(letters) for _ in range(36))
    capital = "".join(r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    return r.choice(
        (
            f"AKIA{capital}",
            f"ghp_{rest}",
            f"glpat-{rest[:20]}",
            f"sk_test_{rest[:24]}",
            f"AIza{rest[:35]}",
            f"hf_{rest[:34]}",
            f"npm_{rest}",
            jwt(r),
        )
    )


def jwt(r: Random) -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{number(r, 10)}"}}'.encode(), r.randbytes(24))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _cpf(r: Random) -> str:
    base = number(r, 9)
    first = weighted(base, tuple(range(10, 1, -1)), 11)
    base += str(0 if first < 2 else 11 - first)
    second = weighted(base, tuple(range(11, 1, -1)), 11)
    return base + str(0 if second < 2 else 11 - second)


def _pesel(r: Random) -> str:
    base = f"{r.randint(50, 99)}{r.randint(1, 12):02d}{r.randint(1, 28):02d}{number(r, 4)}"
    return base + str(-weighted(base, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10) % 10)


def _bsn(r: Random) -> str:
    while True:
        base = number(r, 8)
        if (check := weighted(base, (9, 8, 7, 6, 5, 4, 3, 2), 11)) < 10:
            return base + str(check)


def _dni(r: Random) -> str:
    base = number(r, 8)
    return base + "TRWAGMYFPDXBNJZSQVHLCKE"[int(base) % 23]


def _nir(r: Random) -> str:
    base = f"{r.choice('12')}{r.randint(50, 99)}{r.randint(1, 12):02d}75{number(r, 3)}{number(r, 3)}"
    return base + f"{97 - int(base) % 97:02d}"


def _hetu(r: Random) -> str:
    base = f"{r.randint(1, 28):02d}{r.randint(1, 12):02d}{r.randint(50, 99)}{r.randint(100, 899)}"
    return f"{base[:6]}-{base[6:]}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(base) % 31]}"


def _nhs(r: Random) -> str:
    while True:
        base = number(r, 9)
        if (check := 11 - weighted(base, tuple(range(10, 1, -1)), 11)) != 10:
            return base + str(0 if check == 11 else check)


def _tckn(r: Random) -> str:
    base = number(r, 9)
    tenth = (sum(map(int, base[::2])) * 7 - sum(map(int, base[1::2]))) % 10
    return f"{base}{tenth}{(sum(map(int, base)) + tenth) % 10}"


def _personnummer(r: Random) -> str:
    base = f"{r.randint(50, 99)}{r.randint(1, 12):02d}{r.randint(1, 28):02d}{r.randint(100, 999)}"
    full = luhn(base)
    return f"{full[:6]}-{full[6:]}"


def _rut(r: Random) -> str:
    base = number(r, 8)
    check = 11 - weighted(base, (3, 2, 7, 6, 5, 4, 3, 2), 11)
    return f"{base[:2]}.{base[2:5]}.{base[5:]}-{'K' if check == 10 else check % 11}"


def _ahv(r: Random) -> str:
    base = "756" + number(r, 9)
    full = base + str(-weighted(base, (1, 3) * 6, 10) % 10)
    return f"{full[:3]}.{full[3:7]}.{full[7:11]}.{full[11:]}"


def _china(r: Random) -> str:
    base = f"110105{r.randint(1950, 2004)}{r.randint(1, 12):02d}{r.randint(1, 28):02d}{r.randint(100, 999)}"
    return base + "10X98765432"[weighted(base, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 11)]


#: Name of a number -> how one is made. Which key names it, and in which words a text does, is up to the rows.
NATIONAL: dict[str, Callable[[Random], str]] = {
    "cpf": _cpf, "pesel": _pesel, "bsn": _bsn, "dni": _dni, "nir": _nir, "hetu": _hetu, "nhs_number": _nhs, "tckn": _tckn, "personnummer": _personnummer, "rut": _rut, "ahv": _ahv, "sfz": _china,
    "nino": lambda r: f"AB{number(r, 6)}C", "codice_fiscale": lambda r: f"RSSMRA{r.randint(50, 99)}A01H501{r.choice('UXYZ')}", "aadhaar": lambda r: f"{r.randint(2345, 9999)} {number(r, 4)} {number(r, 4)}",
    "pan_number": lambda r: f"ABCPE{number(r, 4)}F", "sin": lambda r: luhn("4" + number(r, 7)), "cpr": lambda r: (
        f"{r.randint(1, 28):02d}{r.randint(1, 12):02d}{r.randint(50, 99)}-{number(r, 4)}"
    ),
    "curp": lambda r: f"GOMC{r.randint(50, 99)}0101HDFRRL0{r.randint(0, 9)}", "passport_number": lambda r: f"{r.choice('CFGHX')}{number(r, 8)}", "fodselsnummer": lambda r: f"0101{r.randint(50, 99)}{number(r, 5)}",
    "rodne_cislo": lambda r: f"{r.randint(54, 99)}0101/{number(r, 4)}", "steuer_id": lambda r: number(r, 11), "amka": lambda r: f"0101{r.randint(50, 99)}{number(r, 5)}", "cnp": lambda r: f"1{r.randint(50, 99)}0101{number(r, 6)}",
    "egn": lambda r: f"{r.randint(50, 99)}0101{number(r, 4)}", "oib": lambda r: number(r, 11), "tfn": lambda r: number(r, 9), "rrn": lambda r: f"{r.randint(50, 99)}0101-1{number(r, 6)}", "nric": lambda r: f"S{number(r, 7)}D",
    "my_number": lambda r: number(r, 12), "teudat_zehut": lambda r: number(r, 9), "cnic": lambda r: f"{number(r, 5)}-{number(r, 7)}-{number(r, 1)}", "drivers_license": lambda r: f"D{number(r, 7)}", "isikukood": lambda r: f"3{r.randint(50, 99)}0101{number(r, 4)}",
}  # fmt: skip
