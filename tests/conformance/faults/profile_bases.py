"""Profiles of our own making, and a resource that meets each; `profile_cases` plants faults in them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
HERE = "http://example.org/StructureDefinition/"
SETS = "http://example.org/ValueSet/"
A, B = "http://example.org/a", "http://example.org/b"


def profile(id: str, of: str, *elements: Json, kind: str = "resource", **more: Any) -> Json:
    """A StructureDefinition with a differential only."""
    return {
        "resourceType": "StructureDefinition", "id": id, "url": HERE + id, "version": "1.0.0", "name": id,
        "status": "active", "kind": kind, "abstract": False, "type": of, "baseDefinition": CORE + of,
        "derivation": "constraint", "differential": {"element": [{"id": of, "path": of}, *elements]}, **more,
    }  # fmt: skip


def on(path: str, slice_name: str = "", **rules: Any) -> Json:
    """An ElementDefinition; `path` may have slices as ids have them (`Patient.identifier:mrn.system`)."""
    id = f"{path}:{slice_name}" if slice_name else path
    plain = ".".join(step.partition(":")[0] for step in path.split("."))
    return {"id": id, "path": plain, **({"sliceName": slice_name} if slice_name else {}), **rules}


def sliced(kind: str, path: str, rules: str = "open", **more: Any) -> Json:
    """The slicing of an element by one discriminator."""
    return {"slicing": {"discriminator": [{"type": kind, "path": path}], "rules": rules, **more}}


def types(*codes: str, **more: Any) -> Json:
    """The types of an element."""
    return {"type": [{"code": code, **more} for code in codes]}


def bound(strength: str, value_set: str) -> Json:
    """A binding."""
    return {"binding": {"strength": strength, "valueSet": SETS + value_set}}


def coded(code: str, system: str = A) -> Json:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def rule(key: str, expression: str, severity: str = "error") -> Json:
    """An invariant."""
    return {"constraint": [{"key": key, "severity": severity, "human": key, "expression": expression}]}


PROFILES: dict[str, tuple[Json, Json]] = {}
"""Profile → its definition and a resource that meets it."""


def meets(definition: Json, resource: Json) -> None:
    """Declare a profile with a resource that meets it."""
    PROFILES[definition["id"]] = (definition, resource)


VALUE_SETS: dict[str, dict[str, set[str]] | None] = {
    SETS + "a": {A: {"one", "two"}}, SETS + "b": {B: {"one"}}, SETS + "most": {A: {"one", "two", "three"}},
    SETS + "unknown": None,
}  # fmt: skip

EXTENSION = profile(
    "colour", "Extension", on("Extension.extension", max="0"), on("Extension.url", fixedUri=HERE + "colour"),
    on("Extension.value[x]", min=1, **types("code"), **bound("required", "a")), kind="complex-type",
    context=[{"type": "element", "expression": "Patient"}],
)  # fmt: skip
NESTED = profile(
    "place", "Extension", on("Extension.extension", **sliced("value", "url", "closed"), min=1),
    on("Extension.extension", "page", min=1, max="1", **types("Extension")),
    on("Extension.extension:page.url", fixedUri="page"),
    on("Extension.extension:page.value[x]", min=1, **types("positiveInt")),
    on("Extension.url", fixedUri=HERE + "place"), on("Extension.value[x]", max="0"), kind="complex-type",
    context=[{"type": "element", "expression": "Element"}],
)  # fmt: skip
MEDICATION = profile("coded-drug", "Medication", on("Medication.code", min=1))
DATED = profile("dated", "Observation", on("Observation.effective[x]", min=1))
OTHERS = (EXTENSION, NESTED, MEDICATION, DATED)
"""What the profiles lean on."""

meets(
    profile(
        "person", "Patient",
        on("Patient.extension", **sliced("value", "url")),
        on("Patient.extension", "colour", min=1, max="1", **types("Extension", profile=[HERE + "colour"])),
        on("Patient.extension", "place", max="1", **types("Extension", profile=[HERE + "place"])),
        on("Patient.identifier", min=2, **sliced("value", "system")),
        on("Patient.identifier", "mrn", min=1, max="1"),
        on("Patient.identifier:mrn.system", min=1, fixedUri=A),
        on("Patient.identifier:mrn.value", min=1, maxLength=5),
        on("Patient.active", min=1, fixedBoolean=True),
        on("Patient.name", max="2", **rule("p-1", "family.exists() or given.exists()"), mustSupport=True),
        on("Patient.name.family", maxLength=10),
        on("Patient.gender", **bound("required", "gender")),
        on("Patient.birthDate", minValueDate="1900-01-01", maxValueDate="2100-12-31", mustSupport=True),
        on("Patient.deceased[x]", **types("boolean")),
        on("Patient.multipleBirth[x]", **types("integer"), minValueInteger=1, maxValueInteger=9),
        on("Patient.photo", max="0"),
        on("Patient.maritalStatus", **bound("extensible", "a"), mustSupport=True),
        on("Patient.contact.relationship", min=1, **bound("preferred", "a")),
        on("Patient.generalPractitioner", **types("Reference", targetProfile=[CORE + "Practitioner"])),
        on("Patient.managingOrganization", min=1),
        on("Patient.managingOrganization.display", min=1, patternString="Clinic"),
    ),
    {
        "resourceType": "Patient", "id": "p",
        "extension": [{"url": HERE + "colour", "valueCode": "one"},
                      {"url": HERE + "place", "extension": [{"url": "page", "valuePositiveInt": 1}]}],
        "identifier": [{"system": A, "value": "12345"}, {"system": B, "value": "2"}],
        "active": True, "name": [{"family": "short"}], "gender": "female", "birthDate": "1970-01-02",
        "deceasedBoolean": False, "multipleBirthInteger": 2, "maritalStatus": coded("two"),
        "contact": [{"relationship": [coded("one")], "name": {"text": "x"}}],
        "generalPractitioner": [{"reference": "Practitioner/1"}],
        "managingOrganization": {"reference": "Organization/1", "display": "Clinic"},
    },
)  # fmt: skip

meets(
    profile(
        "pressure", "Observation",
        on("Observation.status", **bound("required", "status")),
        on("Observation.category", min=1, **sliced("pattern", "$this", "closed")),
        on("Observation.category", "vital", min=1, max="1", patternCodeableConcept=coded("vital")),
        on("Observation.category", "other", max="1", patternCodeableConcept=coded("other")),
        on("Observation.code", patternCodeableConcept=coded("bp")),
        on("Observation.subject", min=1, **types("Reference", targetProfile=[CORE + "Patient"])),
        on("Observation.effective[x]", min=1, **types("dateTime", "Period"),
           **rule("o-1", "$this is dateTime implies $this.toString().length() >= 10")),
        on("Observation.value[x]", max="0"),
        on("Observation.component", min=2, **sliced("pattern", "code", "openAtEnd", ordered=True)),
        on("Observation.component", "high", min=1, max="1"),
        on("Observation.component:high.code", patternCodeableConcept=coded("high")),
        on("Observation.component:high.value[x]", min=1, **types("Quantity"), mustSupport=True),
        on("Observation.component:high.value[x].code", min=1, fixedCode="mm[Hg]"),
        on("Observation.component:high.value[x].value", min=1, minValueDecimal=0),
        on("Observation.component", "low", min=1, max="1"),
        on("Observation.component:low.code", patternCodeableConcept=coded("low")),
        on("Observation.component:low.valueQuantity", min=1, mustSupport=True),
    ),
    {
        "resourceType": "Observation", "id": "o", "status": "final", "category": [coded("vital")], "code": coded("bp"),
        "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2024-01-02",
        "component": [
            {"code": coded("high"), "valueQuantity": {"value": 120, "system": A, "code": "mm[Hg]"}},
            {"code": coded("low"), "valueQuantity": {"value": 80, "system": A, "code": "mm[Hg]"}},
            {"code": coded("mean"), "valueString": "x"},
        ],
    },
)  # fmt: skip

meets(
    profile(
        "order", "MedicationRequest",
        on("MedicationRequest.contained", **sliced("type", "$this")),
        on("MedicationRequest.contained", "drug", min=1, max="1", **types("Medication")),
        on("MedicationRequest.medication[x]", **sliced("type", "$this", "closed")),
        on("MedicationRequest.medication[x]", "medicationReference", min=1, max="1",
           **types("Reference", targetProfile=[HERE + "coded-drug"])),
        on("MedicationRequest.requester", **sliced("type", "resolve()")),
        on("MedicationRequest.insurance", max="1"),
        on("MedicationRequest.performer",
           **types("Reference", targetProfile=[CORE + "Practitioner", CORE + "Patient"])),
        on("MedicationRequest.supportingInformation", **sliced("type", "resolve()", "closed")),
        on("MedicationRequest.supportingInformation", "weight", min=1, max="1",
           **types("Reference", targetProfile=[CORE + "Observation"])),
        on("MedicationRequest.supportingInformation", "coverage", max="1",
           **types("Reference", targetProfile=[CORE + "Coverage"])),
        on("MedicationRequest.note", **sliced("exists", "author", "closed")),
        on("MedicationRequest.note", "signed", min=1, max="1"),
        on("MedicationRequest.note:signed.author[x]", min=1),
        on("MedicationRequest.note:signed.time", min=1),
        on("MedicationRequest.note", "unsigned", max="1"),
        on("MedicationRequest.note:unsigned.author[x]", max="0"),
        on("MedicationRequest.reasonCode", **sliced("value", "coding.code")),
        on("MedicationRequest.reasonCode", "main", min=1),
        on("MedicationRequest.reasonCode:main.coding", min=1),
        on("MedicationRequest.reasonCode:main.coding.code", min=1, fixedCode="main"),
        on("MedicationRequest.reasonCode:main.text", min=1),
    ),
    {
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "contained": [{"resourceType": "Medication", "id": "d", "code": coded("x")}],
        "medicationReference": {"reference": "#d"}, "subject": {"reference": "Patient/1"},
        "performer": {"reference": "Patient/1"},
        "supportingInformation": [{"reference": "Observation/1"}, {"reference": "Coverage/1"}],
        "note": [{"authorString": "x", "time": "2024-01-02", "text": "x"}, {"text": "y"}],
        "reasonCode": [{**coded("main"), "text": "x"}],
    },
)  # fmt: skip

meets(
    profile(
        "report", "Bundle",
        on("Bundle.type", fixedCode="collection"),
        on("Bundle.entry", **sliced("profile", "resource", "closed")),
        on("Bundle.entry", "dated", min=1, max="2"),
        on("Bundle.entry:dated.resource", min=1, **types("Observation", profile=[HERE + "dated"])),
        on("Bundle.entry", "drug", max="*"),
        on("Bundle.entry:drug.resource", min=1, **types("Medication", profile=[HERE + "coded-drug"])),
    ),
    {
        "resourceType": "Bundle", "id": "b", "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
                   "resource": {"resourceType": "Observation", "id": "1", "status": "final", "code": coded("x"),
                                "effectiveDateTime": "2024"}},
                  {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002",
                   "resource": {"resourceType": "Medication", "id": "2", "code": coded("x")}}],
    },
)  # fmt: skip

meets(
    profile(
        "agreement", "Consent",
        on("Consent.category", **sliced("value", "$this")),
        on("Consent.category", "first", min=1, **bound("required", "a")),
        on("Consent.category", "second", max="1", **bound("required", "b")),
        on("Consent.policyRule", min=1, fixedCodeableConcept=coded("policy")),
        on("Consent.provision.code", **sliced("pattern", "$this")),
        on("Consent.provision.code", "any", patternCodeableConcept={"coding": [{"system": A}]},
           **sliced("value", "text")),
        on("Consent.provision.code", "any/plain", max="1"),
        on("Consent.provision.code:any/plain.text", min=1, fixedString="plain"),
        on("Consent.verification", **rule("c-1", "verified implies verificationDate.exists()")),
        on("Consent.performer", **rule("c-2", "display.exists()", "warning")),
        on("Consent.scope", binding={"strength": "extensible", "valueSet": SETS + "a", "extension": [
            {"url": CORE + "elementdefinition-maxValueSet", "valueCanonical": SETS + "most"}]}),
        on("Consent.provision.purpose", **bound("required", "unknown")),
    ),
    {
        "resourceType": "Consent", "id": "c", "status": "active", "scope": coded("one"),
        "category": [coded("one"), coded("one", B)], "policyRule": coded("policy"),
        "provision": {"code": [{**coded("x"), "text": "plain"}, coded("y")]},
        "verification": [{"verified": True, "verificationDate": "2024"}], "performer": [{"display": "x"}],
    },
)  # fmt: skip
