"""The encompassing encounter and encounter activities to Encounter (https://hl7.org/fhir/us/ccda/CF-encounters.html)."""

from __future__ import annotations

from fhir_profiles.systems import ACT_CODE

from . import codes, times
from .people import class_of
from .problems import problem_concern
from .sheet import Sheet
from .tree import Element, attribute, every, find, templates, words
from .values import Json, absent_concept, identifiers

_AMBULATORY = {"system": ACT_CODE, "code": "AMB", "display": "ambulatory"}
_INPATIENT = {"system": ACT_CODE, "code": "IMP", "display": "inpatient encounter"}
_STAYS = ("18842-5",)
"""Types of documents whose visit is a stay unless they say otherwise: the discharge summary."""


def encompassing(sheet: Sheet, root: Element) -> None:
    """The visit that the document is of."""
    visit = find(root, "v:componentOf/v:encompassingEncounter")
    if visit is None:
        return
    stays = attribute(root, "v:code", "code") in _STAYS
    code = find(visit, "v:code")
    period = times.period(find(visit, "v:effectiveTime"), sheet.notes)
    place = find(visit, "v:location/v:healthCareFacility")
    name = words(find(place, "v:location/v:name")) or words(find(place, "v:serviceProviderOrganization/v:name"))
    people = [sheet.person(one) for one in every(visit, "v:responsibleParty/v:assignedEntity")]
    people += [sheet.person(one) for one in every(visit, "v:encounterParticipant/v:assignedEntity")]
    kind = sheet.concept(code)
    made = class_of(code, _INPATIENT if stays else _AMBULATORY)
    content: Json = {
        "identifier": identifiers(visit),
        "status": "finished" if period.get("end") else "in-progress" if stays and period else "finished",
        "class": made,
        "type": [kind] if kind and kind.get("coding") != [made] else [],
        "subject": dict(sheet.patient),
        "participant": [{"individual": one} for one in _each_once(people) if sheet.is_person(one)],
        "period": period,
        "hospitalization": _discharge(sheet, visit),
        "location": [{"location": {"display": name}}] if name else [],
    }
    sheet.encounter = sheet.add("Encounter", visit, content)


def _discharge(sheet: Sheet, visit: Element) -> Json:
    found = sheet.concept(find(visit, "v:dischargeDispositionCode"))
    return {"dischargeDisposition": found} if found else {}


def _each_once(people: list[Json | None]) -> list[Json]:
    found = [one for one in people if one]
    return [one for place, one in enumerate(found) if one not in found[:place]]


def encounter(sheet: Sheet, node: Element) -> None:
    """A visit of the encounters section, with its diagnoses; one that is planned is a request."""
    diagnoses = []
    for act in every(node, "v:entryRelationship/v:act"):
        if codes.ENCOUNTER_DIAGNOSIS in templates(act):
            diagnoses += problem_concern(sheet, act)
    code = find(node, "v:code")
    kind = sheet.concept(code)
    people = [sheet.person(one) for one in every(node, "v:performer/v:assignedEntity")]
    place = next(
        (
            words(find(one, "v:participantRole/v:playingEntity/v:name"))
            for one in every(node, "v:participant")
            if one.get("typeCode") == "LOC"
        ),
        "",
    )
    content: Json = {
        "status": "cancelled" if attribute(node, "v:statusCode", "code") == "cancelled" else "finished",
        "class": class_of(code, _AMBULATORY),
        "type": [kind or absent_concept(code)],
        "period": times.period(find(node, "v:effectiveTime"), sheet.notes),
        "participant": [{"individual": one} for one in _each_once(people) if sheet.is_person(one)],
        "diagnosis": [{"condition": one} for one in diagnoses],
        "location": [{"location": {"display": place}}] if place else [],
    }
    sheet.entry("Encounter", node, content)
