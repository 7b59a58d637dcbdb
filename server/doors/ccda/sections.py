"""Which statement becomes what: by its template, and by its section where vendors leave the template out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_profiles.systems import CDA

from . import codes
from .allergies import allergy, allergy_concern
from .encounters import encounter
from .family import family
from .immunizations import immunization
from .medications import medication, medications_within
from .observations import observation, results, social, vitals
from .plans import care_plan, goal
from .problems import problem, problem_concern
from .procedures import planned, procedure
from .sheet import Sheet
from .tree import Element, attribute, every, name_of, templates

Map = Callable[[Sheet, Element], Any]
PLAN = "18776-5"

BY_TEMPLATE: dict[str, Map] = {
    codes.ALLERGY_CONCERN: allergy_concern,
    codes.ALLERGY: allergy,
    codes.PROBLEM_CONCERN: problem_concern,
    codes.PROBLEM: problem,
    codes.DISCHARGE_DIAGNOSIS: problem_concern,
    codes.ADMISSION_DIAGNOSIS: problem_concern,
    codes.HEALTH_CONCERN: problem_concern,
    codes.MEDICATION: medication,
    codes.DISCHARGE_MEDICATION: medications_within,
    codes.ADMISSION_MEDICATION: medications_within,
    codes.PLANNED_MEDICATION: medication,
    codes.IMMUNIZATION: immunization,
    codes.PROCEDURE: procedure,
    codes.PROCEDURE_ACT: procedure,
    codes.PROCEDURE_OBSERVATION: procedure,
    codes.RESULTS: results,
    codes.VITALS: vitals,
    codes.SMOKING: social,
    codes.SOCIAL: social,
    codes.TOBACCO: social,
    codes.PREGNANCY: social,
    codes.BIRTH_SEX: social,
    codes.FAMILY: family,
    codes.ENCOUNTER: encounter,
    codes.GOAL: goal,
    codes.PLANNED_PROCEDURE: planned,
    codes.PLANNED_ACT: planned,
    codes.PLANNED_OBSERVATION: planned,
    codes.PLANNED_ENCOUNTER: planned,
}

BY_SECTION: dict[tuple[str, str], Map] = {
    ("48765-2", "act"): allergy_concern,
    ("48765-2", "observation"): allergy,
    ("11450-4", "act"): problem_concern,
    ("11450-4", "observation"): problem,
    ("11348-0", "act"): problem_concern,
    ("11348-0", "observation"): problem,
    ("46241-6", "act"): problem_concern,
    ("11535-2", "act"): problem_concern,
    ("10160-0", "substanceAdministration"): medication,
    ("10183-2", "act"): medications_within,
    ("10183-2", "substanceAdministration"): medication,
    ("42346-7", "act"): medications_within,
    ("42346-7", "substanceAdministration"): medication,
    ("29549-3", "substanceAdministration"): medication,
    ("11369-6", "substanceAdministration"): immunization,
    ("47519-4", "procedure"): procedure,
    ("47519-4", "act"): procedure,
    ("47519-4", "observation"): procedure,
    ("30954-2", "organizer"): results,
    ("30954-2", "observation"): lambda sheet, node: observation(sheet, node, "laboratory"),
    ("8716-3", "organizer"): vitals,
    ("8716-3", "observation"): lambda sheet, node: observation(sheet, node, "vital-signs"),
    ("29762-2", "observation"): social,
    ("10157-6", "organizer"): family,
    ("46240-8", "encounter"): encounter,
    ("61146-7", "observation"): goal,
    (PLAN, "procedure"): planned,
    (PLAN, "act"): planned,
    (PLAN, "observation"): planned,
    (PLAN, "encounter"): planned,
    (PLAN, "substanceAdministration"): medication,
}


def map_sections(sheet: Sheet, root: Element) -> None:
    """Map every entry of every section, and tell which were not."""
    for section in root.iter(f"{{{CDA}}}section"):
        sheet.section = attribute(section, "v:code", "code")
        before = len(sheet.resources)
        for entry in every(section, "v:entry"):
            for statement in entry:
                if isinstance(statement.tag, str):
                    _map(sheet, statement)
        if sheet.section == PLAN:
            made = sheet.resources[before:]
            asked = [_of(one) for one in made if one["resourceType"] in ("ServiceRequest", "MedicationRequest")]
            goals = [_of(one) for one in made if one["resourceType"] == "Goal"]
            care_plan(sheet, section, asked, goals)
    sheet.section = ""


def _of(resource: dict[str, Any]) -> dict[str, str]:
    return {"reference": f"urn:uuid:{resource['id']}"}


def _map(sheet: Sheet, statement: Element) -> None:
    """One statement of an entry; one that is null says nothing."""
    if statement.get("nullFlavor"):
        return
    kind = name_of(statement)
    if kind in ("templateId", "realmCode", "typeId", "reference"):
        return
    mapped = next((BY_TEMPLATE[one] for one in templates(statement) if one in BY_TEMPLATE), None)
    mapped = mapped or BY_SECTION.get((sheet.section, kind))
    if mapped is None:
        sheet.left(f"an entry ({kind})")
        return
    mapped(sheet, statement)
