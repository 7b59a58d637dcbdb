"""Parts of FHIR resources from segments of X12."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from claims.x12.loops import Loop
from claims.x12.segments import Segment
from fhir_profiles.systems import EIN, NPI, NUCC, PAYER_NUMBER, SSN

Json = dict[str, Any]
_GENDERS = {"F": "female", "M": "male", "U": "unknown"}
_IDENTIFIERS = {"EI": EIN, "SY": SSN}


def coded(code: str, system: str | None = None) -> Json:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code} if system else {"code": code}]}


def number(value: Decimal) -> int | float:
    """A decimal as JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


def money(value: Decimal) -> Json:
    """An amount of US dollars."""
    return {"value": number(value), "currency": "USD"}


def party(loop: Loop, id: str, person: str = "Practitioner", group: str = "Organization") -> Json:
    """Whom NM1 names, with address, birth and identifiers."""
    head = loop.head
    kind = head.need(2)
    if kind not in ("1", "2"):
        head.damaged("it names neither a person nor an organisation")
    found: Json = {"resourceType": person if kind == "1" else group, "id": id}
    if head.get(9):
        system = NPI if head.get(8) == "XX" else PAYER_NUMBER
        if head.get(8) != "MI":
            found["identifier"] = [{"system": system, "value": head.get(9)}]
    for reference in loop.all("REF"):
        known = _IDENTIFIERS.get(reference.get(1))
        if known:
            found.setdefault("identifier", []).append({"system": known, "value": reference.need(2)})
    if kind == "1":
        found["name"] = [_name(head)]
    elif head.get(3):
        found["name"] = head.get(3)
    where = address(loop)
    if where:
        found["address"] = where if found["resourceType"] == "Location" else [where]
    birth = loop.first("DMG")
    if birth is not None and person != "Practitioner":
        found["birthDate"] = birth.days(2, birth.get(1))[0]
        if birth.get(3) in _GENDERS:
            found["gender"] = _GENDERS[birth.get(3)]
    return found


def _name(head: Segment) -> Json:
    name: Json = {"family": head.need(3)}
    given = [part for part in (head.get(4), head.get(5)) if part]
    if given:
        name["given"] = given
    if head.get(7):
        name["suffix"] = [head.get(7)]
    return name


def address(loop: Loop) -> Json:
    """N3 and N4."""
    street, town = loop.first("N3"), loop.first("N4")
    found: Json = {}
    if street is not None:
        found["line"] = [line for line in (street.need(1), street.get(2)) if line]
    if town is not None:
        for place, name in ((1, "city"), (2, "state"), (3, "postalCode"), (4, "country")):
            if town.get(place):
                found[name] = town.get(place)
    return found


def taxonomy(resource: Json, provider: Segment | None) -> None:
    """PRV of who bills, among the identifiers."""
    if provider is not None:
        resource.setdefault("identifier", []).append({"system": NUCC, "value": provider.need(3)})
