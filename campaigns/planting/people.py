"""Invented people whose every identifier is a word that nothing else holds (45 CFR 164.514(b)(2))."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import Any

KINDS = (
    "family", "given", "mrn", "ssn", "phone", "email", "street", "born", "member", "serial", "url", "account"
)  # fmt: skip
_STARTS, _MIDDLES, _ENDS = ("Vru", "Zwi", "Kqo", "Bjy", "Ghu"), "aeiouy", ("xqar", "jzen", "wqil", "kvyx", "pzoq")


@dataclass(frozen=True)
class Person:
    """Somebody: the id says nothing, everything else does."""

    id: str
    family: str
    given: str
    mrn: str
    ssn: str
    phone: str
    email: str
    street: str
    born: str
    member: str
    serial: str
    url: str
    account: str

    def planted(self) -> dict[str, str]:
        """Each identifier by its kind."""
        return {kind: str(getattr(self, kind)) for kind in KINDS}


def people(count: int, seed: int) -> list[Person]:
    """Different people, the same for the same seed."""
    dice = random.Random(seed)
    words: set[str] = set()

    def word() -> str:
        while True:
            made = dice.choice(_STARTS) + dice.choice(_MIDDLES) + dice.choice(_ENDS) + dice.choice(_MIDDLES)
            made += "".join(dice.choice("bdfgklmnprstvz") for _ in range(3))
            if made not in words:
                words.add(made)
                return made

    def born(others: list[str]) -> str:
        """A day on which nobody else's comes to lie when dates are moved 30 to 52 whole weeks back for a prompt."""
        while True:
            made = date(1900 + dice.randrange(11, 60), dice.randrange(1, 13), dice.randrange(1, 29))
            apart = [abs((made - date.fromisoformat(other)).days) for other in others]
            if not any(210 <= days <= 364 and days % 7 == 0 for days in apart):
                return made.isoformat()

    found: list[Person] = []
    for n in range(count):
        family = word() + ("ő" if n % 3 == 1 else "")
        number = dice.randrange(100_000, 999_999)
        found.append(
            Person(
                id=f"n{n}",
                family=family,
                given=word(),
                mrn=f"MR{number}Q{n:02}",
                ssn=f"9{dice.randrange(10, 99)}-{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}",
                phone=f"({dice.randrange(200, 999)}) 555-{dice.randrange(1000, 9999)}",
                email=f"{word().lower()}.{n}@mail.example",
                street=f"{dice.randrange(100, 999)} {word()} Street",
                born=born([one.born for one in found]),
                member=f"W{dice.randrange(10**8, 10**9)}{n:02}",
                serial=f"SN-{word().upper()}-{n:02}",
                url=f"https://{word().lower()}.example/me",
                account=f"AC{dice.randrange(10**7, 10**8)}{n:02}",
            )
        )
    return found


def patient(one: Person) -> dict[str, Any]:
    """The person as a Patient."""
    named = {"family": one.family, "given": [one.given], "text": f"{one.given} {one.family}"}
    return {
        "resourceType": "Patient",
        "id": one.id,
        "meta": {"source": one.url},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{one.family}</div>'},
        "identifier": [
            {"system": "http://hospital.example/mrn", "value": one.mrn},
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": one.ssn},
            {"system": "http://hospital.example/account", "value": one.account},
        ],
        "name": [named],
        "telecom": [
            {"system": "phone", "value": one.phone},
            {"system": "email", "value": one.email},
            {"system": "url", "value": one.url},
        ],
        "birthDate": one.born,
        "address": [{"line": [one.street], "city": "Dayton"}],
        "contact": [{"name": {"family": one.family}}],
        "photo": [{"url": one.url, "title": f"{one.given} {one.family}"}],
    }


def note(one: Person) -> str:
    """The person in a note, in several ways of writing."""
    year, month, day = one.born.split("-")
    return "\n".join(
        [
            "PROGRESS NOTE",
            f"Patient: {one.family.upper()}, {one.given.upper()}    MRN: {one.mrn}    DOB: {month}/{day}/{year}",
            f"{one.given} {one.family}, {one.street}, phone {one.phone}, {one.email}, {one.url}",
            f"SSN {one.ssn}  Member {one.member}  Account {one.account}  Device {one.serial}",
            "PAST MEDICAL HISTORY",
            f"{one.given} {one.family} ({one.mrn}) had cholecystitis in 2010 and constipation in 2012.",
            f"Mrs. {one.family}'s sister, {one.given.upper()}, lives at {one.street}; write to {one.email}.",
            "ASSESSMENT",
            "1. Type 2 diabetes mellitus without complications (E11.9)",
            "2. Essential hypertension (I10)",
            f"Mr. {one.family} denies chest pain.",
        ]
    )
