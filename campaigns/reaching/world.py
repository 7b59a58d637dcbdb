"""Two patients whose resources refer to each other in every direction, with versions that moved between them.

Everything carries a mark of its own (`meta.tag`), by which it is known wherever it turns up.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

Json = dict[str, Any]
Step = tuple[str, str, Json | None]
"""PUT or DELETE, `Type/id`, the resource."""

MARKS = "urn:fhirwright:mark"
IDS = "urn:fhirwright:numbers"
BASE = "http://test.example/fhir"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
CODES = "urn:fhirwright:codes"
PEOPLE = ("A", "B")
SLOT = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T10:30:00Z"}
HELPERS: dict[str, Json] = {
    "Practitioner/d": {"name": [{"family": "Shared"}], "birthDate": "1970-01-01"},
    "PractitionerRole/dr": {"practitioner": {"reference": "Practitioner/d"}},
    "Organization/o": {"name": "Shared house"},
    "Location/l": {"name": "Ward", "managingOrganization": {"reference": "Organization/o"}},
    "Medication/m": {"code": {"text": "pill"}, "manufacturer": {"reference": "Organization/o"}},
    "Questionnaire/q": {"status": "active", "title": "Questions"},
}


def _code(text: str) -> Json:
    return {"coding": [{"system": CODES, "code": text}], "text": text}


def _to(target: str) -> Json:
    return {"reference": target}


def bodies(who: str, other: str, n: int) -> dict[str, Json]:
    """A resource of each type whose subject is `who` and that mentions `other` where it can."""
    me, them, encounter = _to(f"Patient/{who}"), _to(f"Patient/{other}"), _to(f"Encounter/{other}-0")
    active = {"coding": [{"system": CLINICAL, "code": "active" if n % 2 else "resolved"}]}
    today, code = f"2026-0{1 + n % 9}-1{n % 10}", _code(f"c{n % 3}")
    status = {"status": "final" if n % 2 else "preliminary"}
    money = {"value": 10 + n, "currency": "EUR"}
    claim: Json = {"status": "active", "type": code, "use": "claim", "patient": me, "created": today}
    claim |= {"provider": _to("Organization/o"), "priority": code}
    claim["insurance"] = [{"sequence": 1, "focal": True, "coverage": _to(f"Coverage/{other}-0")}]
    kinds: dict[str, Json] = {
        "Encounter": {
            "status": "finished", "class": {"system": CODES, "code": "AMB"}, "subject": me,
            "participant": [{"individual": _to("Practitioner/d")}], "serviceProvider": _to("Organization/o"),
            "diagnosis": [{"condition": _to(f"Condition/{other}-1")}], "period": {"start": today},
        },
        "Observation": {
            **status, "code": code, "subject": me, "encounter": encounter, "focus": [them], "effectiveDateTime": today,
            "category": [{"coding": [{"system": CATEGORY, "code": "laboratory" if n % 2 else "vital-signs"}]}],
            "performer": [_to("Practitioner/d")], "valueQuantity": {"value": 5 + n, "unit": "mg"},
            "hasMember": [_to(f"Observation/{other}-1")], "specimen": _to(f"Specimen/{other}-0"),
        },
        "Condition": {
            "clinicalStatus": active, "code": code, "subject": me, "encounter": encounter, "recordedDate": today,
            "recorder": _to("Practitioner/d"), "evidence": [{"detail": [_to(f"Observation/{other}-0")]}],
        },
        "Procedure": {
            "status": "completed", "code": code, "subject": me, "encounter": encounter, "location": _to("Location/l"),
            "reasonReference": [_to(f"Condition/{other}-0")], "performedDateTime": today,
        },
        "AllergyIntolerance": {
            "patient": me, "code": code, "encounter": encounter,
            "clinicalStatus": {"coding": [{"system": ALLERGY, "code": "active"}]},
        },
        "MedicationRequest": {
            "status": "active", "intent": "order", "subject": me, "medicationReference": _to("Medication/m"),
            "requester": _to("Practitioner/d"), "encounter": encounter,
        },
        "MedicationStatement": {
            "status": "active", "subject": me, "medicationReference": _to("Medication/m"),
            "partOf": [_to(f"Procedure/{other}-0")],
        },
        "MedicationAdministration": {
            "status": "completed", "subject": me, "medicationReference": _to("Medication/m"),
            "effectiveDateTime": today,
            "request": _to(f"MedicationRequest/{other}-0"),
        },
        "Immunization": {
            "status": "completed", "vaccineCode": code, "patient": me, "occurrenceDateTime": today,
            "location": _to("Location/l"),
        },
        "DiagnosticReport": {
            **status, "code": code, "subject": me, "result": [_to(f"Observation/{who}-1"),
            _to(f"Observation/{other}-1")],
            "encounter": encounter, "issued": f"{today}T10:00:00Z",
        },
        "ServiceRequest": {
            "status": "active", "intent": "order", "subject": me, "code": code, "encounter": encounter,
            "performer": [_to("Organization/o")],
        },
        "DocumentReference": {
            "status": "current", "subject": me, "author": [_to("Practitioner/d")], "date": f"{today}T10:00:00Z",
            "content": [{"attachment": {"url": f"Binary/{who}-0", "contentType": "text/plain"}}],
            "context": {"encounter": [encounter], "sourcePatientInfo": them},
        },
        "Composition": {
            "status": "final", "type": code, "subject": me, "date": today, "title": "Letter",
            "author": [_to("Practitioner/d")], "encounter": encounter,
            "section": [{"title": "s",
            "entry": [_to(f"Observation/{who}-0")] + [_to(f"Condition/{other}-0")] * (n % 2)}],
        },
        "Task": {"status": "requested", "intent": "order", "for": me, "focus": _to(f"Observation/{other}-0")},
        "Provenance": {
            "target": [_to(f"Observation/{who}-{n}"), _to(f"Observation/{other}-{n}")],
            "recorded": f"{today}T10:00:00Z", "agent": [{"who": _to("Practitioner/d")}],
        },
        "Communication": {"status": "completed", "subject": me,
            "payload": [{"contentReference": _to(f"List/{other}-0")}]},
        "CarePlan": {"status": "active", "intent": "plan", "subject": me, "addresses": [_to(f"Condition/{other}-1")]},
        "CareTeam": {"status": "active", "subject": me, "participant": [{"member": _to("Practitioner/d")}]},
        "Goal": {"lifecycleStatus": "active", "description": code, "subject": me,
            "addresses": [_to(f"Condition/{other}-0")]},
        "Claim": claim | {"item": [{"sequence": 1, "productOrService": code, "encounter": [encounter], "net": money}]},
        "Coverage": {"status": "active", "beneficiary": me, "payor": [_to("Organization/o")]},
        "Account": {"status": "active", "subject": [me], "owner": _to("Organization/o")},
        "Appointment": {"status": "booked", "participant": [{"actor": me, "status": "accepted"}], **SLOT},
        "QuestionnaireResponse": {"status": "completed", "subject": me, "encounter": encounter,
            "questionnaire": "Questionnaire/q"},
        "RelatedPerson": {"patient": me, "name": [{"family": f"Kin{who}"}]},
        "Specimen": {"status": "available", "subject": me, "parent": [_to(f"Specimen/{other}-1")]},
        "FamilyMemberHistory": {"status": "completed", "patient": me, "relationship": code},
        "Flag": {"status": "active", "code": code, "subject": me, "encounter": encounter},
        "Device": {"status": "active", "patient": me, "owner": _to("Organization/o")},
        "Basic": {"code": code, "subject": me},
        "List": {"status": "current", "mode": "working", "subject": me,
            "entry": [{"item": _to(f"Observation/{other}-0")}]},
        "Consent": {
            "status": "active", "scope": code, "category": [code], "patient": me,
            "policyRule": code,
        },
        "Person": {"name": [{"family": f"Person{who}"}], "link": [{"target": me}]},
        "Media": {"status": "completed", "subject": me, "content": {"contentType": "text/plain"},
            "encounter": encounter},
        "ImagingStudy": {"status": "available", "subject": me, "encounter": encounter, "started": f"{today}T10:00:00Z"},
        "RiskAssessment": {"status": "final", "subject": me, "condition": _to(f"Condition/{other}-0")},
        "Bundle": {"type": "collection", "entry": [{"resource": {"resourceType": "Basic", "code": code,
            "subject": me}}]},
        "Binary": {"contentType": "text/plain", "data": "eHl6", "securityContext": me},
    }  # fmt: skip
    return {kind: {"identifier": [{"system": IDS, "value": f"{kind}-{who}-{n}"}], **body} if kind in NUMBERED else body
            for kind, body in kinds.items()}  # fmt: skip


NUMBERED = frozenset(
    {"Encounter", "Observation", "Condition", "Procedure", "MedicationRequest", "DiagnosticReport", "ServiceRequest"}
    | {"DocumentReference", "CarePlan", "CareTeam", "Goal", "Claim", "Coverage", "Account", "Specimen", "Task"}
)
"""Types whose resources get a business identifier."""

TYPES = tuple(sorted({*bodies("A", "B", 0), *(key.partition("/")[0] for key in HELPERS), "Patient", "Group"}))


def steps(seed: int, each: int = 2) -> Iterator[Step]:
    """The writes that make the world, in their order."""
    dice = Random(seed)
    for key, body in HELPERS.items():
        yield _put(key, body)
    for who in PEOPLE:
        yield _put(f"Patient/{who}", _patient(who))
    for n in range(each):
        for who, other in (PEOPLE, PEOPLE[::-1]):
            for kind, body in bodies(who, other, n).items():
                yield _put(f"{kind}/{who}-{n}", body)
    yield from _odd()
    yield from _moved(dice)


def _patient(who: str) -> Json:
    other = "B" if who == "A" else "A"
    return {
        "identifier": [{"system": IDS, "value": f"mrn-{who}"}],
        "name": [{"family": f"Fam{who}", "given": ["Pat"]}],
        "birthDate": "1980-01-0" + ("1" if who == "A" else "2"),
        "gender": "female" if who == "A" else "male",
        "managingOrganization": _to("Organization/o"),
        "generalPractitioner": [_to("Practitioner/d")],
        "link": [{"other": _to(f"Patient/{other}"), "type": "seealso"}],
    }


def _put(key: str, body: Json) -> Step:
    kind, _, name = key.partition("/")
    return "PUT", key, {"resourceType": kind, "id": name, **body}


def _odd() -> Iterator[Step]:
    """What puts a resource beside a compartment, or into two of them."""
    plain = {"status": "final", "code": _code("odd"), "valueQuantity": {"value": 7.5, "unit": "mg"}}
    a, b = _to("Patient/A"), _to("Patient/B")
    lab = {"category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}]}
    odd: dict[str, Json] = {
        "Observation/focus": {**plain, **lab, "subject": b, "focus": [a]},
        "Observation/performer": {**plain, "subject": b, "performer": [a]},
        "Observation/nobody": plain,
        "Observation/identified": {**plain, "subject": {"identifier": {"system": IDS, "value": "mrn-B"}}},
        "Observation/absolute": {**plain, **lab, "subject": _to(f"{BASE}/Patient/B")},
        "Observation/foreign": {**plain, "subject": _to("http://elsewhere.example/fhir/Patient/A")},
        "Observation/versioned": {**plain, "subject": _to("Patient/B/_history/1")},
        "Observation/contained": {
            **plain, "contained": [{"resourceType": "Patient", "id": "p", "name": [{"family": "FamB"}]}],
            "subject": _to("#p"),
        },
        "Observation/within": {
            **plain, "contained": [{"resourceType": "Observation", "id": "in", **plain, "subject": a}], "subject": b,
            "hasMember": [_to("#in")],
        },
        "Observation/device": {**plain, "subject": _to("Device/A-0")},
        "Observation/group": {**plain, "subject": _to("Group/both")},
        "Group/both": {"type": "person", "actual": True, "member": [{"entity": a}, {"entity": b}]},
        "Group/b": {"type": "person", "actual": True, "member": [{"entity": b}]},
        "List/both": {
            "status": "current", "mode": "working", "source": a,
            "entry": [{"item": _to("Observation/A-0")}, {"item": _to("Observation/B-0")}, {"item": b}],
        },
        "Encounter/both": {
            "status": "finished", "class": {"system": CODES, "code": "AMB"}, "subject": a,
            "participant": [{"individual": _to("RelatedPerson/B-0")}],
        },
        "Appointment/both": {"status": "booked", "participant": [{"actor": one,
            "status": "accepted"} for one in (a, b)], **SLOT},
        "Composition/author": {
            "status": "final", "type": _code("odd"), "subject": b, "date": "2026-01-01", "title": "t", "author": [a],
        },
        "Provenance/a": {
            "target": [a], "recorded": "2026-01-01T10:00:00Z", "agent": [{"who": _to("Practitioner/d")}],
            "entity": [{"role": "source", "what": _to("DocumentReference/B-0")}],
        },
        "Provenance/b": {"target": [b], "recorded": "2026-01-01T10:00:00Z", "agent": [{"who": a}]},
        "Provenance/meeting": _telling("Appointment/both"),
        "Provenance/panel": _telling("Group/both"),
        "Provenance/letter": _telling("Composition/author"),
        "Provenance/file": _telling("Binary/context-B"),
        "Bundle/letter": _document("author"),
        "Bundle/posted": _document("inside", subject=a, author=[b]),
        "Binary/filed-A": {"contentType": "text/plain", "data": "eHl6"},
        "Binary/filed-B": {"contentType": "text/plain", "data": "eHl6"},
        "Binary/loose": {"contentType": "text/plain", "data": "eHl6"},
        "Binary/context-A": {"contentType": "text/plain", "securityContext": _to("Observation/A-1")},
        "Binary/context-B": {"contentType": "text/plain", "securityContext": _to("DocumentReference/B-0")},
        "DocumentReference/filed-A": {
            "status": "current", "subject": a, "content": [{"attachment": {"url": "Binary/filed-A"}}],
        },
        "DocumentReference/filed-B": {
            "status": "current", "subject": b, "content": [{"attachment": {"url": f"{BASE}/Binary/filed-B"}}],
        },
    }  # fmt: skip
    for key, body in odd.items():
        yield _put(key, body)


def _telling(*targets: str) -> Json:
    return {
        "target": [_to(one) for one in targets], "recorded": "2026-01-01T10:00:00Z",
        "agent": [{"who": _to("Practitioner/d")}],
    }  # fmt: skip


def _document(name: str, **more: Any) -> Json:
    """A document Bundle whose Composition is stored under the name, or only inside; what is inside says `more`."""
    text = {"resourceType": "Composition", "id": name, "status": "final", "type": _code("odd"), "date": "2026-01-01"}
    text |= {"title": "t", "author": [_to("Practitioner/d")]} | more
    entry = [{"fullUrl": f"{BASE}/Composition/{name}", "resource": text}]
    number = {"system": IDS, "value": f"Bundle-{name}"}
    return {"type": "document", "identifier": number, "timestamp": "2026-01-01T10:00:00Z", "entry": entry}


def _moved(dice: Random) -> Iterator[Step]:
    """Versions that change whose they are, and ones that end."""
    for name, way in (("ab", "AB"), ("ba", "BA"), ("aba", "ABA"), ("bab", "BAB"), ("ba-gone", "BA"), ("ab-gone", "AB")):
        for kind in ("Observation", "Condition", "DocumentReference", "Task"):
            for n, who in enumerate(way):
                body = bodies(who, "B" if who == "A" else "A", n + dice.randrange(2))[kind]
                yield _put(f"{kind}/{name}", body)
            if name.endswith("gone"):
                yield "DELETE", f"{kind}/{name}", None
    for name in ("Observation/A-0", "Appointment/both", "Encounter/B-1", "Organization/o"):
        yield _put("Provenance/moved", _telling(name))
    yield _put("Observation/back", bodies("B", "A", 1)["Observation"])
    yield "DELETE", "Observation/back", None
    yield _put("Observation/back", bodies("A", "B", 1)["Observation"])


def marked(step: Step, number: int) -> Step:
    """The step with a mark on its resource."""
    method, key, body = step
    if body is None:
        return step
    meta = body.get("meta", {}) | {"tag": [{"system": MARKS, "code": f"mark{number:05d}x"}]}
    return method, key, body | {"meta": meta}
