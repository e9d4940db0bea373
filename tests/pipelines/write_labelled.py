"""Writes the labelled rows that are made by rule: ``python tests/pipelines/write_labelled.py``.

Two sets from two seeds, with other keys, texts and encodings each. The second one was written before the detectors met it
and is not tuned to.
"""
# ruff: noqa: E501  (rows are easier to compare on one line each)

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import labelled_parts as made
from labelled_parts import Random

HERE = Path(__file__).parent / "privacy" / "labelled"
Row = dict[str, Any]
Make = Callable[[Random], str]


def row(kind: str, key: str, value: Any, *spans: str, hard: bool = False) -> Row:
    return {
        "key": key,
        "value": value,
        "type": kind,
        "tier": "hard" if hard else "core",
        "spans": list(spans),
    }


def trap(kind: str, key: str, value: Any) -> Row:
    return {"key": key, "value": value, "type": kind, "tier": "trap", "spans": []}


#: Ways to write a value so that it is no longer seen; those of the second list are in the held-out set only.
ENCODINGS: dict[str, Callable[[str], str]] = {
    "percent": lambda v: quote(v, safe=""), "percent all": lambda v: "".join(f"%{b:02X}" for b in v.encode()), "html": lambda v: v.replace("@", "&#64;").replace(".", "&#46;"),
    "json": lambda v: v.replace("@", "\\u0040"), "base64": lambda v: base64.b64encode(v.encode()).decode(), "hex": lambda v: v.encode().hex(), "quoted": lambda v: v.replace("@", "=40"), "twice": lambda v: quote(quote(v, safe=""), safe=""),
}  # fmt: skip
OTHER_ENCODINGS: dict[str, Callable[[str], str]] = {
    "html hex": lambda v: v.replace("@", "&#x40;"), "base64url": lambda v: base64.urlsafe_b64encode(f"u={v}".encode()).decode().rstrip("="), "hex upper": lambda v: v.encode().hex().upper(), "entity": lambda v: v.replace("@", "&commat;").replace(".", "&period;"),
    "escape": lambda v: "".join(f"\\x{ord(c):02x}" for c in v), "quoted all": lambda v: "".join(f"={b:02X}" for b in v.encode()), "base64 of percent": lambda v: base64.b64encode(quote(v, safe="").encode()).decode(), "percent lower": lambda v: quote(v, safe="").lower(),
}  # fmt: skip


def fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def arabic(text: str) -> str:
    return "".join(chr(0x0660 + int(c)) if c.isdigit() else c for c in text)


PLAIN: dict[str, tuple[Make, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # type: maker, own keys, other keys, texts (own: even places, held out: odd places)
    "email": (made.email, ("email", "user.email", "contactEmail", "value"), ("correo", "E-Mail", "adresse_mail", "text"), ("Please write to {} soon", "sent a copy to {}, thanks", "user={} logged in", "bounce <{}> 550")),
    "phone": (made.phone, ("phone", "mobile", "value", "telefon"), ("telefono", "contact.tel", "msisdn", "v"), ("call me at {} after six", "SMS to {} failed", "My number is {}.", "rufen Sie {} an")),
    "card": (made.card, ("card_number", "value", "payment.card", "cc"), ("kartennummer", "numero_tarjeta", "pan", "x"), ("paid with {} yesterday", "charge on {} declined", "card {} expired", "carte {} refusée")),
    "iban": (made.iban, ("iban", "bank_account", "value", "note"), ("kontonummer", "account.iban", "x", "cuenta"), ("please refund to {}", "IBAN: {}", "transfer from {} arrived", "Konto {} belastet")),
    "ssn": (made.ssn, ("ssn", "social_security_number", "value", "text"), ("SocialSecurity", "us_ssn", "x", "field_3"), ("my social is {}", "SSN {} on file", "applicant {} approved", "verify ssn: {}")),
    "ipv4": (made.ipv4, ("ip", "client_ip", "value", "message"), ("remoteAddr", "x_forwarded_for", "v", "detail"), ("login from {}", "blocked {} after 5 attempts", "connection to {} refused", "visitor {} returned")),
    "ipv6": (made.ipv6, ("ip", "ip_address", "value", "message"), ("peer", "source_ip", "v", "detail"), ("request from {}", "host {} is up", "new session ({})", "denied {}")),
    "mac": (made.mac, ("mac", "bssid", "value", "message"), ("hw_address", "wifi.mac", "v", "detail"), ("router {} joined", "paired with {}", "seen {} nearby", "lease for {}")),
    "birth_date": (made.birth, ("dob", "birth_date", "geburtsdatum", "profile.birthday"), ("fecha_nacimiento", "dateOfBirth", "date_naissance", "dogum_tarihi"), ("born {}", "DOB: {}", "date of birth {} confirmed", "geboren am {}")),
    "secret": (made.secret, ("api_key", "access_token", "value", "config"), ("authorization", "client_secret", "v", "env"), ("use {} for now", "key={} rejected", "deployed with {}", "export TOKEN={}")),
}  # fmt: skip


def plain(r: Random, own: bool, times: int) -> Iterator[Row]:
    for kind, (make, keys, other_keys, texts) in PLAIN.items():
        for _ in range(times):
            value = make(r)
            for key in keys if own else other_keys:
                neutral = key in (
                    "value",
                    "text",
                    "message",
                    "config",
                    "note",
                    "v",
                    "x",
                    "field_3",
                    "detail",
                    "env",
                    "peer",
                )
                if kind == "birth_date" or not neutral or r.random() < 0.7:
                    yield row(kind, key, value, value)
            text = r.choice(texts[0::2] if own else texts[1::2])
            yield row(kind, "message" if own else "comment", text.format(value), value)


def national(r: Random, own: bool) -> Iterator[Row]:
    for at, (name, make) in enumerate(made.NATIONAL.items()):
        value = make(r)
        yield row("national_id", name if own else f"customer.{name}", value, value)
        if at % 2 == int(own):
            text = (
                f"{name.replace('_', ' ')} {value}"
                if own
                else f"my {name.replace('_', ' ')} is {value}, please check"
            )
            yield row("national_id", "note", text, value, hard=not own)


def encoded(r: Random, own: bool) -> Iterator[Row]:
    for name, encode in (ENCODINGS if own else OTHER_ENCODINGS).items():
        for key in ("value", "q", "data") if own else ("payload", "x"):
            value = encode(made.email(r))
            yield row("encoded_email", key, value, value, hard=name in ("twice", "base64 of percent"))
        number = (
            encode(made.phone(r))
            if "percent" in name or "base64" in name
            else encode(made.card(r) if "hex" in name else made.email(r))
        )
        yield row("encoded_email", "blob" if own else "state", number, number, hard=True)
    for value in (
        fullwidth(made.email(r)),
        made.email(r).replace("@", "\u200b@\u00ad"),
        made.email(r).replace("a", "а").replace("e", "е"),
    ):
        yield row("encoded_email", "value" if own else "text", value, value, hard=True)
    for value in (
        (arabic(made.phone(r)), fullwidth(made.card(r)), arabic(made.iban(r)[:2]) + made.iban(r)[2:])
        if own
        else (fullwidth(made.phone(r)), arabic(made.card(r)))
    ):
        kind = "phone" if value[0] in "+＋" else "card" if len(value) in (15, 16) else "iban"
        if kind != "iban":
            yield row(kind, "phone" if kind == "phone" else "value", value, value, hard=True)


def people(r: Random, own: bool) -> Iterator[Row]:
    keys = (
        ("full_name", "first_name", "customer_name", "nachname", "user.name", "name", "recipient")
        if own
        else ("fullName", "apellidos", "prenom", "cardholder", "contact.name", "assignee", "soyad")
    )
    for key in keys:
        for _ in range(2):
            name = made.person(r) if r.random() < 0.6 else r.choice(made.RARE)
            name = (
                name.split()[-1]
                if key in ("first_name", "nachname", "apellidos", "prenom", "soyad")
                else name
            )
            yield row("person_name", key, name, name)
    texts = (
        (
            "Ticket opened by {} about billing",
            "Thanks, {}",
            "Dear {}, your order has shipped",
            "Meeting with {} at noon",
            "assigned to {}",
            "{} asked for a refund",
        )
        if own
        else (
            "Spoke to {} on Monday",
            "Kind regards,\n{}",
            "Hi {}, welcome back",
            "review written by {}",
            "My name is {} and I need help",
            "{} called twice today",
        )
    )
    for text in texts:
        for _ in range(3):
            name = made.person(r)
            yield row("person_name", "text" if own else "body", text.format(name), name)
        name = r.choice(made.RARE)
        yield row("person_name", "text" if own else "body", text.format(name), name, hard=True)
    for _ in range(4):
        name = made.person(r).lower()
        yield row(
            "person_name",
            "search_query",
            f"{name} phone number" if own else f"who is {name}",
            name,
            hard=True,
        )


def devices(r: Random, own: bool) -> Iterator[Row]:
    for key in (
        ("idfa", "device_id", "advertising_id", "android_id", "gaid")
        if own
        else ("IDFV", "deviceId", "context.device.id", "adid", "udid")
    ):
        value = made.uuid(r) if key != "android_id" else f"{r.getrandbits(64):016x}"
        yield row(
            "device_id",
            key,
            value.upper() if key in ("idfa", "IDFV") else value,
            value.upper() if key in ("idfa", "IDFV") else value,
        )
    for key in ("imei", "serial_number") if own else ("device_imei", "iccid"):
        for _ in range(2):
            value = made.imei(r)
            yield row("device_id", key, value, value)
            yield row("device_id", key, int(value), value)
    for _ in range(3):
        value = made.uuid(r)
        yield row("device_id", "event", {"idfa": value, "os": "ios"}, value)


STREETS = (
    "221B Baker Street",
    "1600 Pennsylvania Avenue",
    "12 Rue de la Paix",
    "Hauptstraße 5",
    "Calle de Alcalá 42",
    "Via Roma 10",
    "Rua Augusta 1508",
    "ul. Marszałkowska 84",
    "Keizersgracht 123",
    "742 Evergreen Terrace",
)
OTHER_STREETS = (
    "10 Downing Street",
    "350 Fifth Avenue",
    "8 boulevard Haussmann",
    "Lindenallee 27",
    "Avenida de la Constitución 7",
    "Corso Buenos Aires 33",
    "Avenida Paulista 1578",
    "Storgatan 14",
    "Prinsengracht 263",
    "Atatürk Caddesi No: 12",
)


def places(r: Random, own: bool) -> Iterator[Row]:
    for street in STREETS if own else OTHER_STREETS:
        yield row(
            "address",
            "address" if own else "shipping_address",
            f"{street}, {r.choice(('London', 'Berlin', 'Paris', 'Madrid'))}",
            street,
        )
        yield row("address", "street" if own else "billing.street", street, street)
        text = f"Please deliver to {street} before noon" if own else f"the parcel for {street} was returned"
        yield row("address", "comment", text, street)
    for _ in range(8):
        lat, lng = made.coordinates(r)
        if own:
            yield row("location", "lat", float(lat), lat)
            yield row("location", "longitude", lng, lng)
            yield row("location", "position", {"lat": float(lat), "lng": float(lng)}, lat, lng)
            yield row("location", "text", f"{lat}, {lng}", lat, lng)
        else:
            yield row("location", "geo.latitude", lat, lat)
            yield row("location", "lon", float(lng), lng)
            yield row("location", "coordinates", [float(lng), float(lat)], lat, lng)
            yield row("location", "message", f"pickup at {lat},{lng} confirmed", lat, lng)


def urls(r: Random, own: bool) -> Iterator[Row]:
    for _ in range(4):
        e, p = made.email(r), made.phone(r)
        f, s = r.choice(made.FIRST).lower(), r.choice(made.LAST[:3]).lower()
        forms = (
            [
                (f"https://shop.example.com/unsubscribe?email={quote(e)}&list=7", quote(e)), (f"https://example.com/users/{f}-{s}/orders", f"{f}-{s}"), (f"https://{f}:s3cr3t{r.randint(10, 99)}@intranet.example.com/", f"{f}:s3cr3t"),
                (f"https://app.example.com/cb#access_token={made.jwt(r)}", "access_token=eyJ"), (f"https://example.com/reset/{e}", e), (f"mailto:{e}?subject=hi", e), (f"/search?phone={quote(p)}", quote(p)),
            ]
            if own
            else [
                (f"https://news.example.org/r?u={quote(quote(e, safe=''), safe='')}", quote(quote(e, safe=''), safe='')), (f"https://example.org/profile/{f}.{s}", f"{f}.{s}"), (f"ftp://{f}{s}:pa55word@files.example.org/x", "pa55word"),
                (f"https://example.org/#/invite?to={quote(e, safe='')}", quote(e, safe='')), (f"https://example.org/login?next=%2Fhome&user={e}", e), (f"tel:{p.replace(' ', '')}", p.replace(' ', '')), (f"https://example.org/v?ssn={made.ssn(r)}", "ssn=9"),
            ]
        )  # fmt: skip
        for url, span in forms:
            yield row("url", r.choice(("url", "referrer", "page_url", "href")), url, span)


def shapes(r: Random, own: bool) -> Iterator[Row]:
    for _ in range(4):
        e, p, n, c = made.email(r), made.phone(r), made.person(r), made.card(r)
        if own:
            yield row("nested", "traits", {"plan": "pro", "contact": {"email": e, "tags": ["a", "b"]}}, e)
            yield row("nested", "user", {"name": n, "seats": 3}, n)
            yield row("nested", "items", [{"sku": "A-1"}, {"gift_to": p}], p)
            yield row("nested", "fields", [{"name": "email", "value": e}, {"name": "size", "value": "XL"}], e)
            yield row("nested", "payload", json.dumps({"order": 7, "email": e}), e)
            yield row("nested", "body", f"plan=pro&email={quote(e)}&x=1", quote(e))
            yield row("nested", "cookie", f"theme=dark; session_token={made.uuid(r)}; uid={e}", e)
            yield row("in_name", f"clicks_by_{e}", 3, e)
            yield row("in_name", "counts", {e: 4, "total": 9}, e)
            yield row("in_name", f"seen {p}", True, p)
            for key, bits in (("email_sha256", 256), ("hashed_email", 128)):
                digest = f"{r.getrandbits(bits):0{bits // 4}x}"
                yield row("email_hash", key, digest, digest)
        else:
            yield row(
                "nested",
                "identity",
                {"kunde": {"vorname": n.split()[0], "nachname": n.split()[1]}, "ok": True},
                n.split()[0],
                n.split()[1],
            )
            yield row("nested", "data", {"a": {"b": {"c": [1, 2, {"d": e}]}}}, e)
            yield row("nested", "answers", [{"question": "phone number", "answer": p}], p)
            yield row("nested", "props", [["card_number", c], ["plan", "pro"]], c)
            yield row("nested", "raw", json.dumps(json.dumps({"mail": e})), e)
            yield row(
                "nested",
                "form",
                f"name={n.replace(' ', '+')}&address=12+High+Street&ok=1",
                n.replace(" ", "+"),
                "12+High+Street",
            )
            yield row("nested", "headers", {"Authorization": f"Bearer {made.jwt(r)}", "Accept": "*/*"}, "eyJ")
            yield row("in_name", f"votes[{e}]", 1, e)
            yield row("in_name", "scores", {"by_ip": {made.ipv4(r): 2}}, ".")
            yield row("in_name", f"opened:{quote(e, safe='')}", 1, e)
            for key, bits in (("md5_email", 128), ("user.emailHash", 160)):
                digest = f"{r.getrandbits(bits):0{bits // 4}x}"
                yield row("email_hash", key, digest, digest)


def harmless(r: Random, own: bool) -> Iterator[Row]:
    for _ in range(3):
        n = made.number(r, 9)
        yield trap("id", "order_id" if own else "invoice_number", f"ORD-{n}" if own else f"INV-2024-{n[:6]}")
        yield trap("id", "session_id" if own else "request_id", made.uuid(r))
        yield trap("id", "order_number" if own else "tracking_number", made.card(r))
        yield trap(
            "id",
            "message_id" if own else "trace_id",
            f"{r.getrandbits(128):032x}"
            if own
            else f"00-{r.getrandbits(128):032x}-{r.getrandbits(64):016x}-01",
        )
        yield trap("id", "id" if own else "object_id", int(made.number(r, 18)))
        yield trap("number", "price" if own else "revenue", round(r.uniform(1, 900), 2))
        yield trap("number", "quantity" if own else "duration_ms", r.randint(1, 10**7))
        yield trap(
            "number",
            "total" if own else "balance",
            f"{r.randint(1, 9)},{r.randint(100, 999)},{r.randint(100, 999)}.00",
        )
        yield trap(
            "time",
            "timestamp" if own else "sent_at",
            f"2024-0{r.randint(1, 9)}-1{r.randint(0, 9)}T0{r.randint(0, 9)}:30:15.{r.randint(100, 999)}Z",
        )
        yield trap("time", "ts" if own else "created", 1_700_000_000_000 + r.randint(0, 10**10))
        yield trap(
            "version",
            "version" if own else "build",
            f"{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}.{r.randint(0, 99)}",
        )
        yield trap(
            "version",
            "app_version" if own else "sdk",
            f"v{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}",
        )
        yield trap("hash", "commit" if own else "etag", f"{r.getrandbits(160):040x}")
        yield trap("hash", "sha256" if own else "checksum", f"{r.getrandbits(256):064x}")
        yield trap(
            "url",
            "url" if own else "page",
            f"https://www.example.com/{r.choice(('pricing', 'blog/how-to', 'docs/v2/api'))}?utm_source=mail&page={r.randint(1, 9)}",
        )
        yield trap(
            "nested",
            "cart" if own else "config",
            {"items": [{"sku": f"A-{n[:4]}", "qty": 2, "price": 9.99}], "currency": "EUR"}
            if own
            else {"theme": "dark", "flags": {"beta": True}, "limits": [1, 5, 25]},
        )


def write(name: str, seed: int, own: bool) -> None:
    r = random.Random(seed)
    parts = (
        plain(r, own, 2 if own else 1),
        national(r, own),
        encoded(r, own),
        people(r, own),
        devices(r, own),
        places(r, own),
        urls(r, own),
        shapes(r, own),
        harmless(r, own),
    )
    lines = (json.dumps(each, ensure_ascii=False) for part in parts for each in part)
    (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("made", 6, own=True)
    write("made_held_out", 1729, own=False)
