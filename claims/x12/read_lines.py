"""The lines of an 837 as Claim.item."""

from __future__ import annotations

import re

from claims.x12.building import Json, coded, money, number, party
from claims.x12.codes import Kind
from claims.x12.loops import Loop
from claims.x12.segments import Segment
from fhir_profiles.systems import CLAIM_EXTENSIONS, CPT, DATA_ABSENT, HCPCS, NDC, PLACE_OF_SERVICE, REVENUE

_NOT_STATED = {"extension": [{"url": DATA_ABSENT, "valueCode": "not-applicable"}]}
_DOUBLED = re.compile(r"[1-9][0-9]?")


def item(line: Loop, sequence: int, kind: Kind, place: str, diagnoses: int) -> Json:
    """One line; `place` is the place of service of the claim, `diagnoses` how many it has."""
    if line.head.whole(1) != sequence:
        line.head.damaged("the lines are not counted from 1")
    service = line.first("SV1" if kind == "professional" else "SV2")
    if service is None:
        return line.head.damaged("no service of this kind of claim follows")
    found: Json = {"sequence": sequence}
    if kind == "professional":
        found["diagnosisSequence"] = _pointers(service, diagnoses)
        _service(found, service, 1)
        found["locationCodeableConcept"] = coded(service.get(5) or place, PLACE_OF_SERVICE)
        at = 2
    else:
        found["revenue"] = coded(service.need(1), REVENUE)
        if service.get(2):
            _service(found, service, 2)
        else:
            found["productOrService"] = _NOT_STATED
        at = 3
    charge = money(service.decimal(at))
    found["quantity"] = {"value": number(service.decimal(at + 2)), "code": service.need(at + 1)}
    found["net"] = charge
    served = line.first("DTP", "472")
    if served is not None:
        first, last = served.days(3, served.get(2))
        found |= {"servicedPeriod": {"start": first, "end": last}} if last else {"servicedDate": first}
    elif kind == "professional":
        line.head.damaged("the day of service does not follow")
    extensions = _extensions(line, service, kind)
    if extensions:
        found["extension"] = extensions
    drug = line.first("LIN")
    if drug is not None and drug.get(2) == "N4":
        found["detail"] = [_drug(drug, line.first("CTP"))]
    return found


def _service(found: Json, segment: Segment, place: int) -> None:
    parts = segment.split(place)
    if len(parts) < 2 or parts[0] not in ("HC", "HP", "IV", "WK", "ER") or not parts[1]:
        segment.damaged(f"element {place} is no service")
    code = parts[1]
    concept = coded(code, HCPCS if code[0].isalpha() else CPT)
    if len(parts) > 6 and parts[6]:
        concept["text"] = parts[6]
    found["productOrService"] = concept
    modifiers = [coded(one, HCPCS if one[0].isalpha() else CPT) for one in parts[2:6] if one]
    if modifiers:
        found["modifier"] = modifiers


def _pointers(segment: Segment, diagnoses: int) -> list[int]:
    found = segment.split(7)
    if not all(_DOUBLED.fullmatch(one) and int(one) <= diagnoses for one in found) or len(found) > 4:
        segment.damaged("element 7 points to no diagnosis of the claim")
    return [int(one) for one in found]


def _extensions(line: Loop, service: Segment, kind: Kind) -> list[Json]:
    found: list[Json] = []
    if kind == "institutional" and service.get(7):
        found.append({"url": f"{CLAIM_EXTENSIONS}noncovered", "valueMoney": money(service.decimal(7))})
    authorised = line.first("REF", "G1")
    if authorised is not None:
        found.append({"url": f"{CLAIM_EXTENSIONS}authorisation", "valueString": authorised.need(2)})
    return found


def _drug(drug: Segment, quantity: Segment | None) -> Json:
    found: Json = {"sequence": 1, "productOrService": coded(drug.need(3), NDC)}
    if quantity is not None:
        found["quantity"] = {"value": number(quantity.decimal(4)), "code": quantity.part(5, 1)}
    return found


def site(line: Loop, id: str) -> Json | None:
    """Where a line was rendered, when that is another place than the claim's."""
    found = line.party("77")
    return None if found is None else party(found, id, group="Location")
