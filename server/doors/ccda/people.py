"""Names, addresses, telecoms, and who they belong to (https://hl7.org/fhir/us/ccda/CF-patient.html)."""

from __future__ import annotations

import re
from typing import Any

from fhir_profiles.systems import BCP47, NPI, SSN

from . import times
from .tree import Element, attribute, every, find, words
from .values import Json, coding, concept, identifiers

_NAME_USE = {"L": "official", "C": "official", "P": "nickname", "A": "anonymous", "ABC": "official", "ASGN": "usual"}
_PLACE_USE = {"H": "home", "HP": "home", "HV": "home", "WP": "work", "TMP": "temp", "BAD": "old"}
_TELECOM_USE = {"H": "home", "HP": "home", "HV": "home", "WP": "work", "MC": "mobile", "TMP": "temp", "BAD": "old"}
_SCHEME = re.compile(r"(tel|mailto|fax|https?|sms)\s*:\s*(.+)", re.IGNORECASE | re.DOTALL)
_KINDS = {"tel": "phone", "mailto": "email", "fax": "fax", "sms": "sms", "http": "url", "https": "url"}
GENDERS = {"M": "male", "F": "female", "UN": "other", "U": "unknown", "UNK": "unknown"}


def names(node: Element | None, path: str = "v:name") -> list[Json]:
    """PN as HumanName; a name without parts is its text."""
    found = []
    for one in every(node, path):
        name: Json = {}
        if use := _NAME_USE.get(one.get("use", "")):
            name["use"] = use
        if family := " ".join(filter(None, map(words, every(one, "v:family")))):
            name["family"] = family
        for part, field in (("given", "given"), ("prefix", "prefix"), ("suffix", "suffix")):
            if parts := [text for text in map(words, every(one, f"v:{part}")) if text]:
                name[field] = parts
        if not name.keys() - {"use"} and (text := words(one)):
            name["text"] = text
        if name.keys() - {"use"}:
            found.append(name)
    return found


def addresses(node: Element | None) -> list[Json]:
    """AD as Address."""
    found = []
    for one in every(node, "v:addr"):
        place: Json = {}
        if use := _PLACE_USE.get(one.get("use", "").split(" ")[0]):
            place["use"] = use
        if lines := [text for text in map(words, every(one, "v:streetAddressLine")) if text]:
            place["line"] = lines
        for part, field in (
            ("city", "city"),
            ("county", "district"),
            ("state", "state"),
            ("postalCode", "postalCode"),
            ("country", "country"),
        ):
            if text := words(find(one, f"v:{part}")):
                place[field] = text
        if not place.keys() - {"use"} and (text := words(one)):
            place["text"] = text
        if place.keys() - {"use"}:
            found.append(place)
    return found


def telecoms(node: Element | None) -> list[Json]:
    """TEL as ContactPoint."""
    found = []
    for one in every(node, "v:telecom"):
        value = (one.get("value") or "").strip()
        if not value:
            continue
        scheme = _SCHEME.fullmatch(value)
        kind = scheme[1].lower() if scheme else "tel"
        text = value if kind.startswith("http") else scheme[2].strip() if scheme else value
        point: Json = {"system": _KINDS[kind], "value": text}
        if use := _TELECOM_USE.get(one.get("use", "").split(" ")[0]):
            point["use"] = use
        found.append(point)
    return found


def _filled(pairs: dict[str, Any]) -> Json:
    return {key: value for key, value in pairs.items() if value not in (None, [], {}, "")}


def patient(role: Element, notes: list[str]) -> Json:
    """The Patient of a recordTarget; its medical record number stands before its social security number."""
    person = find(role, "v:patient")
    numbers = sorted(identifiers(role), key=lambda one: one.get("system") == SSN)
    languages = []
    for spoken in every(person, "v:languageCommunication"):
        if code := attribute(spoken, "v:languageCode", "code"):
            preferred = {"preferred": True} if attribute(spoken, "v:preferenceInd", "value") == "true" else {}
            languages.append({"language": {"coding": [{"system": BCP47, "code": code}]}, **preferred})
    made = _filled(
        {
            "identifier": numbers,
            "name": names(person),
            "telecom": telecoms(role),
            "gender": GENDERS.get(attribute(person, "v:administrativeGenderCode", "code")),
            "birthDate": times.day(find(person, "v:birthTime"), notes),
            "address": addresses(role),
            "maritalStatus": concept(find(person, "v:maritalStatusCode"), {}),
            "communication": languages,
        }
    )
    if attribute(person, "s:deceasedInd", "value") == "true":
        died = times.of(find(person, "s:deceasedTime"), notes)
        made |= {"deceasedDateTime": died} if died else {"deceasedBoolean": True}
    contacts = [_contact(guardian) for guardian in every(person, "v:guardian")]
    return made | ({"contact": kept} if (kept := [one for one in contacts if one]) else {})


def _contact(guardian: Element) -> Json:
    name = names(guardian, "v:guardianPerson/v:name")
    return _filled(
        {
            "relationship": [kin] if (kin := concept(find(guardian, "v:code"), {})) else [],
            "name": name[0] if name else {},
            "telecom": telecoms(guardian),
            "address": (addresses(guardian) or [{}])[0],
        }
    )


def practitioner(entity: Element) -> Json:
    """The Practitioner of an assignedAuthor or assignedEntity; empty when it is no person."""
    person = find(entity, "v:assignedPerson")
    if person is None:
        return {}
    name = names(person)
    numbers = sorted(identifiers(entity), key=lambda one: one.get("system") != NPI)
    if not name and not numbers:
        return {}
    skill = concept(find(entity, "v:code"), {})
    return _filled(
        {
            "identifier": numbers,
            "name": name,
            "telecom": telecoms(entity),
            "address": addresses(entity),
            "qualification": [{"code": skill}] if skill else [],
        }
    )


def organization(entity: Element | None) -> Json:
    """The Organization of a representedOrganization or custodian; empty without name and number."""
    if entity is None:
        return {}
    name = words(find(entity, "v:name"))
    numbers = sorted(identifiers(entity), key=lambda one: one.get("system") != NPI)
    if not name and not numbers:
        return {}
    return _filled({"identifier": numbers, "name": name, "telecom": telecoms(entity), "address": addresses(entity)})


def class_of(node: Element | None, default: Json) -> Json:
    """The class of an encounter: its code or a translation of it, where that is of ActCode; otherwise `default`."""
    for one in (node, *every(node, "v:translation")):
        found = coding(one)
        if found and found.get("system") == default["system"]:
            return found
    return default
