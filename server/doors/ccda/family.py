"""Family history organizers to FamilyMemberHistory (https://hl7.org/fhir/R4/familymemberhistory.html)."""

from __future__ import annotations

from fhir_profiles.systems import GENDER, UCUM

from . import codes, times
from .people import GENDERS
from .sheet import Sheet, is_negated, related
from .tree import Element, attribute, every, find, words
from .values import Json, absent_concept, quantity

_YEARS = {"a": "a", "mo": "mo", "wk": "wk", "d": "d", "year": "a", "years": "a"}


def family(sheet: Sheet, organizer: Element) -> None:
    """One relative with what that one has or had; what is denied of a relative is told and not mapped."""
    subject = find(organizer, "v:subject/v:relatedSubject")
    person = find(subject, "v:subject")
    gender = GENDERS.get(attribute(person, "v:administrativeGenderCode", "code"))
    conditions = []
    died: Json = {}
    for one in every(organizer, "v:component/v:observation"):
        if is_negated(one):
            sheet.left("what a relative does not have")
            continue
        condition, death = _condition(sheet, one)
        conditions.append(condition)
        died = died or death
    if not died and attribute(person, "s:deceasedInd", "value") == "true":
        died = {"deceasedBoolean": True}
    content: Json = {
        "status": "completed",
        "name": words(find(person, "v:name")),
        "relationship": sheet.concept(find(subject, "v:code")) or absent_concept(find(subject, "v:code")),
        "sex": {"coding": [{"system": GENDER, "code": gender}]} if gender else None,
        "bornDate": times.day(find(person, "v:birthTime"), sheet.notes),
        "condition": conditions,
        **died,
    }
    sheet.entry("FamilyMemberHistory", organizer, content, "patient")


def _condition(sheet: Sheet, node: Element) -> tuple[Json, Json]:
    value = find(node, "v:value")
    found: Json = {"code": sheet.concept(value) or absent_concept(value)}
    if age := _age(related(node, codes.AGE)):
        found["onsetAge"] = age
    death = related(node, codes.FAMILY_DEATH)
    if death is None:
        return found, {}
    found["contributedToDeath"] = True
    at = _age(related(death, codes.AGE))
    return found, {"deceasedAge": at} if at else {"deceasedBoolean": True}


def _age(node: Element | None) -> Json:
    given = quantity(find(node, "v:value"))
    unit = _YEARS.get(str(given.get("unit", "")))
    if not given or unit is None or given["value"] <= 0:
        return {}
    return {"value": given["value"], "unit": given["unit"], "system": UCUM, "code": unit}
