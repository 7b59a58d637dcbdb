"""Who is known: the identifiers of a Patient, of RelatedPersons and of a printed identity block.

https://hl7.org/fhir/R4/patient.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from extractors.deid.model import Known, Name, Sex
from extractors.model import Identity

_SEX: Mapping[str, Sex] = {"female": "f", "male": "m"}
SHORTEST = 4  # an identifier of fewer characters is no identifier by itself


def known_from(resources: Iterable[Mapping[str, Any]]) -> Known:
    """What Patient, RelatedPerson, Person and Practitioner resources say of who they are; other types say nothing."""
    names: list[Name] = []
    found: dict[str, list[Any]] = {
        "ids": [],
        "dates": [],
        "phones": [],
        "emails": [],
        "lines": [],
        "cities": [],
        "zips": [],
    }
    for resource in resources:
        if resource.get("resourceType") not in ("Patient", "RelatedPerson", "Person", "Practitioner"):
            continue
        sex = _SEX.get(resource.get("gender", ""), "")
        names += _names(resource.get("name"), sex)
        for contact in _list(resource.get("contact")):
            names += _names([contact.get("name")], _SEX.get(contact.get("gender", ""), ""))
            _telecoms(contact.get("telecom"), found)
            _addresses([contact.get("address")], found)
        found["ids"] += [i["value"] for i in _list(resource.get("identifier")) if isinstance(i.get("value"), str)]
        found["dates"] += [day for key in ("birthDate", "deceasedDateTime") if (day := _day(resource.get(key)))]
        _telecoms(resource.get("telecom"), found)
        _addresses(resource.get("address"), found)
    long = [value for value in found["ids"] if len(value.strip()) >= SHORTEST]
    found["ids"] = long
    return Known(tuple(dict.fromkeys(names)), **{key: tuple(dict.fromkeys(values)) for key, values in found.items()})


def known_from_block(identity: Identity) -> Known:
    """What the identity block of a document says of its patient."""
    sex = _SEX.get(identity.sex or "", "")
    names = (Name(identity.family, identity.given, sex),) if identity.family else ()
    ids = tuple(value for value in (identity.mrn,) if value and len(value) >= SHORTEST)
    return Known(
        names,
        ids,
        (identity.birth_date,) if identity.birth_date else (),
        (identity.phone,) if identity.phone else (),
    )


def together(*all_known: Known) -> Known:
    """The identifiers of all of them."""

    def joined(field: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(value for known in all_known for value in getattr(known, field)))

    return Known(*(joined(field) for field in Known.__slots__))


def _names(listed: Any, sex: Sex) -> list[Name]:
    found = []
    for name in _list(listed):
        given = tuple(part for text in _texts(name.get("given")) for part in text.split())
        family = name.get("family") or ""
        if not isinstance(family, str):
            continue
        if family or given:
            found.append(Name(family.strip(), given, sex))
        elif isinstance(name.get("text"), str) and name["text"].split():
            *first, last = name["text"].replace(",", " ").split()
            found.append(Name(last, tuple(first), sex))
    return found


def _telecoms(listed: Any, found: dict[str, list[Any]]) -> None:
    for point in _list(listed):
        value = point.get("value")
        if isinstance(value, str):
            digits = sum(c.isdigit() for c in value)
            if "@" in value:
                found["emails"].append(value)
            elif digits >= 7:
                found["phones"].append(value)


def _addresses(listed: Any, found: dict[str, list[Any]]) -> None:
    for address in _list(listed):
        found["lines"] += [line for line in _texts(address.get("line")) if any(c.isalpha() for c in line)]
        found["cities"] += [city for city in _texts([address.get("city")]) if len(city) >= 3]
        found["zips"] += [code for code in _texts([address.get("postalCode")]) if len(code) >= 5]


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _list(value: Any) -> Sequence[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str) and item.strip()] if isinstance(value, list) else []
