"""V3's data types to FHIR's: codes, identifiers, quantities (https://hl7.org/fhir/us/ccda/mappingGuidance.html)."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_profiles.systems import (
    DATA_ABSENT,
    DATA_ABSENT_REASON,
    IDENTIFIER_ROOTS,
    OID,
    OIDS,
    UCUM,
    URI,
    UUID,
    V3_OIDS,
)

from .tree import Element, attribute, every, find, words

Json = dict[str, Any]
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNIT = re.compile(r"[!-~]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_WRONG_UNITS = {
    "mmHg": "mm[Hg]",
    "mm Hg": "mm[Hg]",
    "bpm": "/min",
    "breaths/min": "/min",
    "beats/min": "/min",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "in": "[in_i]",
    "inches": "[in_i]",
    "degF": "[degF]",
    "F": "[degF]",
    "C": "Cel",
    "tablet": "{tablet}",
    "TAB": "{tablet}",
    "percent": "%",
}
"""Units that vendors write → UCUM, as far as nothing else can be meant."""

ABSENT = {
    "UNK": "unknown",
    "NI": "unknown",
    "NAVU": "unknown",
    "NAV": "temp-unknown",
    "ASKU": "asked-unknown",
    "NASK": "not-asked",
    "MSK": "masked",
    "NA": "not-applicable",
    "OTH": "unsupported",
    "NINF": "negative-infinity",
    "PINF": "positive-infinity",
}
"""nullFlavor → data-absent-reason."""


def system_of(root: str) -> str | None:
    """The URI of a code system by its OID or UUID; None for what is neither."""
    if known := OIDS.get(root) or V3_OIDS.get(root):
        return known
    if _OID.fullmatch(root):
        return f"{OID}{root}"
    return f"{UUID}{root.lower()}" if _UUID.fullmatch(root) else None


def absent(node: Element | None) -> str:
    """The data-absent-reason of an element that has no value."""
    return ABSENT.get(attribute(node, ".", "nullFlavor"), "unknown")


def absent_concept(node: Element | None, text: str = "") -> Json:
    """A CodeableConcept that says why there is no code."""
    reason = absent(node)
    concept: Json = {"coding": [{"system": DATA_ABSENT_REASON, "code": reason}]}
    return {**concept, "text": text} if text else concept


def absent_extension(node: Element | None) -> Json:
    """What stands beside a primitive that has no value."""
    return {"extension": [{"url": DATA_ABSENT, "valueCode": absent(node)}]}


def coding(node: Element | None) -> Json | None:
    """The Coding in the attributes of a CD; None without a code."""
    code = " ".join((node.get("code") or "").split()) if node is not None else ""
    if node is None or not code:
        return None
    found: Json = {}
    if system := system_of((node.get("codeSystem") or "").strip()):
        found["system"] = system
    found["code"] = code
    if display := " ".join((node.get("displayName") or "").split()):
        found["display"] = display
    return found


def concept(node: Element | None, texts: dict[str, str]) -> Json:
    """A CD as CodeableConcept: its code, its translations, its original text; empty when it says nothing."""
    if node is None:
        return {}
    codings: list[Json] = []
    for one in (node, *every(node, "v:translation"), *every(node, "v:qualifier/v:translation")):
        found = coding(one)
        if found and found not in codings:
            codings.append(found)
    text = original(node, texts)
    return {**({"coding": codings} if codings else {}), **({"text": text} if text else {})}


def original(node: Element | None, texts: dict[str, str]) -> str:
    """The words of a code: those that `originalText` has or refers to, else the display of what has no code."""
    given = find(node, "v:originalText")
    return referred(given, texts) or ("" if attribute(node, ".", "code") else attribute(node, ".", "displayName"))


def referred(node: Element | None, texts: dict[str, str]) -> str:
    """The words of a `text`: its own, or those of the narrative that its reference names."""
    if node is None:
        return ""
    target = attribute(node, "v:reference", "value")
    return texts.get(target.removeprefix("#"), "") or words(node)


def concept_or_absent(node: Element | None, texts: dict[str, str]) -> Json:
    """The same; where it says no code, why not."""
    found = concept(node, texts)
    return found if found.get("coding") or found.get("text") else absent_concept(node)


def number(value: str) -> Decimal | None:
    """A decimal as it was written; None for what is none."""
    text = value.strip()
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def quantity(node: Element | None) -> Json:
    """A PQ as Quantity in UCUM where its unit is of UCUM; empty without a number."""
    if node is None or (value := number(node.get("value") or "")) is None:
        return {}
    found: Json = {"value": value}
    unit = " ".join((node.get("unit") or "").split())
    if unit and unit != "1":
        found["unit"] = unit
        code = _WRONG_UNITS.get(unit, unit)
        if _UNIT.fullmatch(code):
            found |= {"system": UCUM, "code": code}
    elif words_of := attribute(node, "v:translation/v:originalText", "value") or words(
        find(node, "v:translation/v:originalText")
    ):
        found["unit"] = words_of
    return found


def identifier(node: Element | None) -> Json | None:
    """An II as Identifier; None when it is null or damaged."""
    if node is None or node.get("nullFlavor"):
        return None
    root, extension = (node.get("root") or "").strip(), " ".join((node.get("extension") or "").split())
    if extension:
        system = IDENTIFIER_ROOTS.get(root) or (system_of(root) if root else None)
        if system is None and root:
            return None
        return {**({"system": system} if system else {}), "value": extension}
    if _UUID.fullmatch(root):
        return {"system": URI, "value": f"{UUID}{root.lower()}"}
    return {"system": URI, "value": f"{OID}{root}"} if _OID.fullmatch(root) else None


def identifiers(node: Element | None, path: str = "v:id") -> list[Json]:
    """All identifiers of an element, each once."""
    found = [one for each in every(node, path) if (one := identifier(each)) is not None]
    return [one for place, one in enumerate(found) if one not in found[:place]]
