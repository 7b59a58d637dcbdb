"""Invented notes with every identifier marked, of pools of names, places and templates that share nothing.

A template is text with `{field}`; what stands for a field is an identifier of its kind and is marked in the note's
gold. One that begins with `!caps` is printed in capitals, with `!ocr` as if a scanner had misread it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from campaigns.deidentifying.pool import Pool, pool_of

_MISREAD = str.maketrans({"0": "O", "1": "l", "5": "S", "o": "0", "l": "1"})
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass
class Note:
    """A note, its gold (start, end, kind; `other` is the name of a third party) and the patient's resource."""

    text: str
    gold: list[tuple[int, int, str]]
    patient: dict


@dataclass
class Person:
    """One invented person."""

    given: str
    family: str
    sex: str


@dataclass
class _Case:
    pool: Pool
    rng: random.Random
    patient: Person
    born: date
    seen: date
    fields: dict[str, str] = field(default_factory=dict)


def make(pool: str, seed: int, other: Pool | None = None) -> Note:
    """One note of a pool, or of another in its place; the same seed gives the same note."""
    rng = random.Random(f"{pool}-{seed}")
    chosen = other or pool_of(pool)
    born = date(1928, 1, 1) + timedelta(days=rng.randrange(33_000))
    seen = date(2024, 1, 15) + timedelta(days=rng.randrange(640))
    patient = _person(chosen, rng)
    case = _Case(chosen, rng, patient, min(born, seen - timedelta(days=400)), seen)
    case.fields = _own(case)
    if chosen.templates:
        return _whole(chosen.templates[seed % len(chosen.templates)], case)
    parts = [rng.choice(chosen.headers)]
    parts.append(" ".join(rng.sample(chosen.histories, rng.randint(2, 4))))
    parts.append(rng.choice(chosen.clinical))
    parts.append(" ".join(rng.sample(chosen.social, rng.randint(1, 3))))
    parts.append(rng.choice(chosen.clinical_plans))
    parts.append(" ".join(rng.sample(chosen.plans, rng.randint(1, 3))))
    parts.append(rng.choice(chosen.signatures))
    return _filled("\n\n".join(parts), case)


def _whole(template: str, case: _Case) -> Note:
    """A note of one template, in capitals or misread where that asks for it; both keep every offset."""
    how, _, rest = template.partition("\n")
    if how not in ("!caps", "!ocr"):
        return _filled(template, case)
    note = _filled(rest, case)
    if how == "!caps":
        note.text = "".join(c.upper() if len(c.upper()) == 1 else c for c in note.text)
    else:
        rng = case.rng
        note.text = "".join(c.translate(_MISREAD) if rng.random() < 0.04 else c for c in note.text)
    return note


def _filled(template: str, case: _Case) -> Note:
    out: list[str] = []
    gold: list[tuple[int, int, str]] = []
    at = last = 0
    for match in _FIELD.finditer(template):
        out.append(template[last : match.start()])
        at += match.start() - last
        name = match[1]
        value, kind = _value(name, case)
        out.append(value)
        if kind:
            gold.append((at, at + len(value), kind))
        at += len(value)
        last = match.end()
    out.append(template[last:])
    return Note("".join(out), gold, _resource(case))


def _value(name: str, case: _Case) -> tuple[str, str]:
    rng, pool = case.rng, case.pool
    if name in case.fields:
        return case.fields[name], _KINDS.get(name, "name")
    if name in ("doctor", "relative", "colleague", "he", "she"):
        other = _person(pool, rng, {"he": "m", "she": "f"}.get(name, ""))
        return f"{other.given} {other.family}", "other"
    if name in ("surname", "drsurname"):
        return _person(pool, rng).family, "other"
    if name == "firstname":
        return _person(pool, rng).given, "other"
    if name == "reversed":
        other = _person(pool, rng)
        return f"{other.family}, {other.given}", "other"
    if name == "initialed":
        other = _person(pool, rng)
        return f"{other.given[0]}. {other.family}", "other"
    if name == "upper":
        other = _person(pool, rng)
        return f"{other.given} {other.family}".upper(), "other"
    if name == "shouted":
        other = _person(pool, rng)
        return f"{other.family}, {other.given}".upper(), "other"
    if name == "lowered":
        return _person(pool, rng).given.lower(), "other"
    if name == "trailing":
        other = _person(pool, rng)
        return f"{other.family}, {other.given[0]}.", "other"
    if name == "twofamily":
        other = _person(pool, rng)
        return f"{other.given} {other.family} {_person(pool, rng).family}", "other"
    if name == "middled":
        other = _person(pool, rng)
        return f"{other.given} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {other.family}", "other"
    if name == "day":
        return pool.date(case.seen - timedelta(days=rng.randrange(1, 900)), rng), "date"
    if name == "later":
        return pool.date(case.seen + timedelta(days=rng.randrange(5, 120)), rng), "date"
    if name == "shortday":
        day = case.seen - timedelta(days=rng.randrange(1, 60))
        return f"{day.month}/{day.day}", "date"
    if name == "phone":
        return pool.phone(rng), "phone"
    if name == "email":
        return (
            f"{_person(pool, rng).family.lower().replace(' ', '')}{rng.randrange(99)}@{rng.choice(pool.domains)}",
            "email",
        )
    if name == "url":
        return f"https://{rng.choice(pool.domains)}/p/{rng.randrange(10**6)}", "url"
    if name == "hospital":
        return rng.choice(pool.hospitals), "place"
    if name == "city":
        return rng.choice(pool.cities), "place"
    if name in ("digits6", "digits8", "digits10"):
        return "".join(rng.choices("0123456789", k=int(name[6:]))), "id"
    if name == "alnum":
        return "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=2)) + "".join(rng.choices("0123456789", k=7)), "id"
    if name == "ssn":
        return f"{rng.randrange(100, 899)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}", "id"
    if name == "street":
        return f"{rng.randrange(10, 9999)} {rng.choice(pool.streets)}", "address"
    if name == "zip":
        return f"{rng.randrange(10000, 99999)}", "zip"
    if name == "initials":
        other = _person(pool, rng)
        return rng.choice(("{}{}", "{}.{}.", "{}. {}.")).format(other.given[0], other.family[0].upper()), "other"
    if name == "device":
        return f"SN-{''.join(rng.choices('BCDFGHKLMNPRTVWXZ', k=6))}-{rng.randrange(10, 99)}", "id"
    if name == "ip":
        return ".".join(str(rng.randrange(1, 255)) for _ in range(4)), "url"
    if name == "handle":
        return f"{_person(pool, rng).given.lower().split()[0]}_{rng.randrange(10, 99)}", "url"
    if name == "old":
        return str(rng.randrange(90, 104)), "age"
    if name == "years":
        return str(case.seen.year - case.born.year), "age" if case.seen.year - case.born.year > 89 else ""
    raise KeyError(name)


_KINDS = {"mrn": "id", "dob": "date", "dos": "date", "home": "address", "town": "place", "postcode": "zip", "tel": "phone",  # noqa: E501
          "mail": "email"}  # fmt: skip


def _own(case: _Case) -> dict[str, str]:
    rng, pool, p = case.rng, case.pool, case.patient
    return {
        "patient": f"{p.given} {p.family}", "Patient": f"{p.family}, {p.given}", "PATIENT": f"{p.family}, {p.given}".upper(),  # noqa: E501
        "last": p.family, "first": p.given, "mrn": pool.mrn(rng), "dob": pool.date(case.born, rng), "dos": pool.date(case.seen, rng),  # noqa: E501
        "home": f"{rng.randrange(10, 9999)} {rng.choice(pool.streets)}", "town": rng.choice(pool.cities),
        "postcode": f"{rng.randrange(10000, 99999)}", "tel": pool.phone(rng),
        "mail": f"{p.given.lower()}.{p.family.lower().replace(' ', '')}@{rng.choice(pool.domains)}",
    }  # fmt: skip


def _resource(case: _Case) -> dict:
    f, p = case.fields, case.patient
    return {
        "resourceType": "Patient", "id": "p", "gender": {"f": "female", "m": "male"}[p.sex], "birthDate": case.born.isoformat(),  # noqa: E501
        "name": [{"family": p.family, "given": [p.given]}], "identifier": [{"value": f["mrn"]}],
        "telecom": [{"system": "phone", "value": f["tel"]}, {"system": "email", "value": f["mail"]}],
        "address": [{"line": [f["home"]], "city": f["town"], "postalCode": f["postcode"]}],
    }  # fmt: skip


def _person(pool: Pool, rng: random.Random, sex: str = "") -> Person:
    sex = sex or rng.choice("fm")
    family = rng.choice(pool.families)
    if rng.random() < 0.06:
        family += "-" + rng.choice(pool.families).split()[-1]
    return Person(rng.choice(pool.women if sex == "f" else pool.men), family, sex)
