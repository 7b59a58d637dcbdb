"""Team, diagnoses, procedures and further information of a Claim, as CARIN's Blue Button guide has them.

https://hl7.org/fhir/us/carin-bb/
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from claims.answer.benefit_parties import Beside, code, codings, concept
from fhir_profiles.systems import (
    CARE_TEAM_ROLE,
    CARIN_DIAGNOSIS,
    CARIN_INFO,
    CARIN_PROCEDURE,
    CARIN_ROLE,
    DIAGNOSIS_TYPE,
    MS_DRG,
    NUBC,
    NUCC,
    PRESENT_ON_ADMISSION,
)

Json = dict[str, Any]
Shape = Literal["professional", "inpatient", "outpatient", "oral", "pharmacy"]
_PEOPLE = frozenset({"primary", "supervisor", "rendering", "purchasedservice", "referring"})
_HOSPITAL = frozenset({"primary", "attending", "referring", "operating", "otheroperating", "rendering"})
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "professional": _PEOPLE, "oral": _PEOPLE, "inpatient": _HOSPITAL, "outpatient": _HOSPITAL,
        "pharmacy": frozenset({"primary", "prescribing"}),
    }
)  # fmt: skip
"""The roles that a shape knows; who has another one is left out, the Claim still names them."""

_HL7_ROLES = frozenset({"primary", "supervisor"})
_KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "inpatient": frozenset({"principal", "admitting", "externalcauseofinjury"}),
        "outpatient": frozenset({"principal", "patientreasonforvisit", "externalcauseofinjury"}),
    }
)
INFOS = frozenset(
    {
        "admissionperiod", "pointoforigin", "admtype", "brandgenericindicator", "clmrecvddate", "compoundcode",
        "dawcode", "dayssupply", "discharge-status", "drg", "refillnum", "refillsauthorized", "rxorigincode",
        "servicefacility",
        "typeofbill", "medicalrecordnumber", "patientaccountnumber", "orthodontics", "prosthesis", "additionalbodysite",
        "missingtoothnumber",
    }
)  # fmt: skip
"""The categories of information that CARIN knows."""

_LISTS: Mapping[str, str] = MappingProxyType(
    {
        "admtype": f"{NUBC}PriorityTypeOfAdmitOrVisit", "pointoforigin": f"{NUBC}PointOfOrigin",
        "discharge-status": f"{NUBC}PatDischargeStatus", "typeofbill": f"{NUBC}TypeOfBill", "drg": MS_DRG,
    }
)  # fmt: skip
"""Category → the list that its codes are of, where the Claim names none."""

_NEWBORN = "4"
_MANY = frozenset({"additionalbodysite", "missingtoothnumber"})


def team(claim: Json, shape: Shape, beside: Beside) -> list[Json]:
    """Those of the care team whose role the shape knows."""
    found = []
    for member in claim.get("careTeam", ()):
        role = code(member.get("role"))
        if role not in ROLES[shape] or role is None:
            continue
        system = CARE_TEAM_ROLE if role in _HL7_ROLES else CARIN_ROLE
        one = {
            "sequence": member.get("sequence"),
            "provider": beside.party(member.get("provider"), "practitioner"),
            "role": concept(system, role),
        }
        if member.get("responsible") is not None:
            one["responsible"] = member["responsible"]
        if taxonomy := [c for c in codings(member.get("qualification")) if c.get("system") == NUCC]:
            one["qualification"] = {"coding": taxonomy}
        found.append(one)
    return found


def diagnoses(claim: Json, shape: Shape, beside: Beside) -> list[Json]:
    """The diagnoses, each with one kind; where none is called principal, the first is."""
    rows = sorted(claim.get("diagnosis", ()), key=lambda one: one.get("sequence", 0))
    kinds = [[code(kind) for kind in one.get("type", ())] for one in rows]
    told = any("principal" in kind for kind in kinds)
    found = []
    for place, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        said = "principal" if not told and place == 0 else next((k for k in kind if k), None)
        one: Json = {"sequence": row.get("sequence"), "type": [_kind(said, shape)]}
        stated = row.get("diagnosisCodeableConcept")
        if stated is None and row.get("diagnosisReference"):
            stated = (beside.of(row["diagnosisReference"]) or {}).get("code")
        if stated is not None:
            one["diagnosisCodeableConcept"] = stated
        elif row.get("diagnosisReference"):
            one["diagnosisReference"] = row["diagnosisReference"]
        present = code(row.get("onAdmission"))
        if present and shape == "inpatient":
            one["onAdmission"] = concept(PRESENT_ON_ADMISSION, present.upper())
        found.append(one)
    return found


def _kind(said: str | None, shape: Shape) -> Json:
    if said == "principal":
        return concept(DIAGNOSIS_TYPE, said)
    if shape in _KINDS:
        if said not in _KINDS[shape] or said is None:
            return concept(CARIN_DIAGNOSIS, "other")
        return concept(DIAGNOSIS_TYPE if said == "admitting" else CARIN_DIAGNOSIS, said)
    return concept(CARIN_DIAGNOSIS, "secondary")


def procedures(claim: Json, beside: Beside) -> list[Json]:
    """The procedures of a stay: the first is the principal one, unless another is called so."""
    rows = sorted(claim.get("procedure", ()), key=lambda one: one.get("sequence", 0))
    called = [any(code(kind) in ("primary", "principal") for kind in one.get("type", ())) for one in rows]
    found = []
    for place, row in enumerate(rows):
        principal = called[place] if any(called) else place == 0
        one: Json = {
            "sequence": row.get("sequence"),
            "type": [concept(CARIN_PROCEDURE, "principal" if principal else "other")],
        }
        if row.get("date"):
            one["date"] = row["date"]
        stated = row.get("procedureCodeableConcept")
        if stated is None and row.get("procedureReference"):
            stated = (beside.of(row["procedureReference"]) or {}).get("code")
        one |= {"procedureCodeableConcept": stated} if stated else {"procedureReference": row.get("procedureReference")}
        found.append(one)
    return found


def infos(claim: Json, shape: Shape, beside: Beside) -> list[Json]:
    """Further information under CARIN's categories; what CARIN does not know stays as the Claim has it."""
    rows = [dict(one) for one in claim.get("supportingInfo", ())]
    newborn = any(code(r.get("category")) == "admtype" and code(r.get("code")) == _NEWBORN for r in rows)
    seen: set[str] = set()
    found = []
    for row in rows:
        name = code(row.get("category"))
        if name is not None and name in INFOS:
            if name in seen and name not in _MANY:
                continue  # a slice has one, and the Claim is read so too
            seen.add(name)
            row["category"] = concept(CARIN_INFO, name)
            if name in _LISTS and row.get("code"):
                system = f"{NUBC}PointOfOriginNewborn" if name == "pointoforigin" and newborn else _LISTS[name]
                row["code"] = {**row["code"], "coding": [{"system": system, **c} for c in codings(row["code"])]}
        found.append(row)
    found += _further(claim, shape, seen, beside, max((r.get("sequence", 0) for r in rows), default=0))
    return found


def _further(claim: Json, shape: Shape, seen: set[str], beside: Beside, last: int) -> list[Json]:
    """What the Claim says elsewhere: type of bill, its own number, who the place belongs to."""
    found: list[Json] = []

    def add(name: str, **said: Any) -> None:
        if name not in seen:
            found.append({"sequence": last + len(found) + 1, "category": concept(CARIN_INFO, name), **said})

    bill = code(claim.get("subType"))
    if bill and shape in _KINDS:
        add("typeofbill", code=concept(_LISTS["typeofbill"], bill))
    number = next((one.get("value") for one in claim.get("identifier", ()) if one.get("value")), None)
    if number and shape != "pharmacy":
        add("patientaccountnumber", valueString=number)
    place = claim.get("facility")
    if place and shape in ("professional", "oral"):
        owner = place if beside.kind(place) == "Organization" else (beside.of(place) or {}).get("managingOrganization")
        if beside.kind(owner) == "Organization":
            add("servicefacility", valueReference=owner)
    return found
