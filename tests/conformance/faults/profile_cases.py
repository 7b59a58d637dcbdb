"""Profiles of our own making, a resource that meets each, and single faults with the place where each must be told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
HERE = "http://example.org/StructureDefinition/"
SETS = "http://example.org/ValueSet/"
A, B = "http://example.org/a", "http://example.org/b"


@dataclass(frozen=True)
class Fault:
    """One change that breaks one rule; `severity` and `expression` are what must be told of it."""

    kind: str
    name: str
    profile: str
    change: Callable[[Json], Any]
    expression: str
    severity: str = "error"


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
        on("MedicationRequest.performer", **types("Reference", targetProfile=[CORE + "Practitioner", CORE + "Patient"])),
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
        on("Consent.provision.code", "any", patternCodeableConcept={"coding": [{"system": A}]}, **sliced("value", "text")),
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


def path(owner: Any, *steps: str | int) -> Any:
    """What stands at a place."""
    for step in steps:
        owner = owner[step]
    return owner


def put(*steps_and_value: Any) -> Callable[[Json], Any]:
    """A change that sets a value."""
    *steps, last, value = steps_and_value
    return lambda r: path(r, *steps).__setitem__(last, copy.deepcopy(value))


def drop(*steps: str | int) -> Callable[[Json], Any]:
    """A change that takes a value away."""
    return lambda r: path(r, *steps[:-1]).__delitem__(steps[-1])


def add(*steps_and_value: Any) -> Callable[[Json], Any]:
    """A change that adds an item at the end."""
    *steps, value = steps_and_value
    return lambda r: path(r, *steps).append(copy.deepcopy(value))


def also(*changes: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """Several changes that make one fault."""
    return lambda r: [change(r) for change in changes]


def rename(*steps_and_names: Any) -> Callable[[Json], Any]:
    """A change of a property's name and value: another type of a choice."""
    *steps, old, new, value = steps_and_names
    return also(drop(*steps, old), put(*steps, new, value))


PLACE = {"url": HERE + "place", "extension": [{"url": "page", "valuePositiveInt": 1}]}
WEIGHT = {"value": 1, "system": A, "code": "mm[Hg]"}

FAULTS = [
    Fault("cardinality", "an element that is needed is missing", "person", drop("active"), "Patient.active"),
    Fault("cardinality", "fewer than the least", "person", drop("identifier", 1), "Patient.identifier"),
    Fault("cardinality", "more than the most", "person",
          put("name", [{"family": "x"}] * 3), "Patient.name"),
    Fault("cardinality", "an element that must not be given", "person", put("photo", [{"url": A}]), "Patient.photo"),
    Fault("cardinality", "a nested element is missing", "person",
          drop("contact", 0, "relationship"), "Patient.contact[0].relationship"),
    Fault("cardinality", "an element of a datatype is missing", "person",
          drop("managingOrganization", "display"), "Patient.managingOrganization.display"),
    Fault("cardinality", "a choice that is needed is missing", "pressure",
          drop("effectiveDateTime"), "Observation.effective"),
    Fault("fixed", "a boolean", "person", put("active", False), "Patient.active"),
    Fault("fixed", "a code in a slice", "pressure",
          put("component", 0, "valueQuantity", "code", "kPa"), "Observation.component[0].value.code"),
    Fault("fixed", "a concept has more than the fixed one", "agreement",
          put("policyRule", "text", "more"), "Consent.policyRule"),
    Fault("fixed", "a code of a Bundle", "report", put("type", "searchset"), "Bundle.type"),
    Fault("pattern", "a concept without the coding", "pressure", put("code", coded("other")), "Observation.code"),
    Fault("pattern", "a string", "person",
          put("managingOrganization", "display", "Other"), "Patient.managingOrganization.display"),
    Fault("type", "a type of a choice that is excluded", "person",
          rename("deceasedBoolean", "deceasedDateTime", "2024"), "Patient.deceased"),
    Fault("type", "a type of a choice in a slice", "pressure",
          rename("component", 0, "valueQuantity", "valueString", "x"), "Observation.component[0].value"),
    Fault("type", "a type of a choice that is closed", "order",
          rename("medicationReference", "medicationCodeableConcept", coded("x")), "MedicationRequest.medication"),
    Fault("length", "a string is longer than the most", "person",
          put("name", 0, "family", "much too long"), "Patient.name[0].family"),
    Fault("length", "a string in a slice", "person", put("identifier", 0, "value", "123456"),
          "Patient.identifier[0].value"),
    Fault("range", "a date before the first", "person", put("birthDate", "1899-12-31"), "Patient.birthDate"),
    Fault("range", "a date after the last", "person", put("birthDate", "2101"), "Patient.birthDate"),
    Fault("range", "an integer below the least", "person", put("multipleBirthInteger", 0), "Patient.multipleBirth"),
    Fault("range", "an integer above the most", "person", put("multipleBirthInteger", 10), "Patient.multipleBirth"),
    Fault("range", "a decimal in a slice", "pressure",
          put("component", 0, "valueQuantity", "value", -1), "Observation.component[0].value.value"),
    Fault("slicing by value", "a slice that is needed is missing", "person",
          put("identifier", 0, "system", "http://example.org/c"), "Patient.identifier"),
    Fault("slicing by value", "more of a slice than the most", "person",
          put("identifier", 1, "system", A), "Patient.identifier"),
    Fault("slicing by value", "an element of a slice is missing", "person",
          drop("identifier", 0, "value"), "Patient.identifier[0].value"),
    Fault("slicing by value", "an element below the discriminator's path", "order",
          drop("reasonCode", 0, "text"), "MedicationRequest.reasonCode[0].text"),
    Fault("slicing by value", "a slice told by a nested value is missing", "order",
          put("reasonCode", 0, "coding", 0, "code", "side"), "MedicationRequest.reasonCode"),
    Fault("slicing by value", "a slice told by a value set is missing", "agreement",
          drop("category", 0), "Consent.category"),
    Fault("slicing by value", "more of a slice told by a value set", "agreement",
          add("category", coded("one", B)), "Consent.category"),
    Fault("slicing by pattern", "a slice that is needed is missing", "pressure",
          put("category", [coded("other")]), "Observation.category"),
    Fault("slicing by pattern", "an item fits no slice of a closed slicing", "pressure",
          add("category", coded("third")), "Observation.category[1]"),
    Fault("slicing by pattern", "more of a slice than the most", "pressure",
          add("category", coded("vital")), "Observation.category"),
    Fault("slicing by pattern", "slices out of order", "pressure",
          lambda r: r["component"].insert(0, r["component"].pop(1)), "Observation.component[1]"),
    Fault("slicing by pattern", "an item of no slice before the end", "pressure",
          lambda r: r["component"].insert(1, r["component"].pop(2)), "Observation.component[2]"),
    Fault("slicing by pattern", "a slice of a slice", "agreement",
          add("provision", "code", {**coded("z"), "text": "plain"}), "Consent.provision.code"),
    Fault("slicing by exists", "what a slice told by presence needs", "order",
          drop("note", 0, "time"), "MedicationRequest.note[0].time"),
    Fault("slicing by exists", "a slice told by presence is missing", "order",
          drop("note", 0), "MedicationRequest.note"),
    Fault("slicing by exists", "more of a slice told by absence", "order",
          add("note", {"text": "z"}), "MedicationRequest.note"),
    Fault("slicing by type", "a contained resource of the type is missing", "order",
          also(put("contained", 0, {"resourceType": "Basic", "id": "d", "code": coded("x")}),
               put("medicationReference", {"reference": "Medication/1"})), "MedicationRequest.contained"),
    Fault("slicing by type", "a reference of no type of a closed slicing", "order",
          add("supportingInformation", {"reference": "Condition/1"}), "MedicationRequest.supportingInformation[2]"),
    Fault("slicing by type", "no reference of a type that is needed", "order",
          drop("supportingInformation", 0), "MedicationRequest.supportingInformation"),
    Fault("slicing by profile", "an entry that meets none of the profiles", "report",
          drop("entry", 0, "resource", "effectiveDateTime"), "Bundle.entry[0]"),
    Fault("slicing by profile", "a slice told by a profile is missing", "report", drop("entry", 0), "Bundle.entry"),
    Fault("extension", "an extension that is needed is missing", "person", drop("extension", 0), "Patient.extension"),
    Fault("extension", "more than the most", "person", add("extension", PLACE), "Patient.extension"),
    Fault("extension", "a code outside of its value set", "person",
          put("extension", 0, "valueCode", "three"), "Patient.extension[0].value"),
    Fault("extension", "a value of another type", "person",
          rename("extension", 0, "valueCode", "valueString", "one"), "Patient.extension[0].value"),
    Fault("extension", "a nested extension of another type", "person",
          rename("extension", 1, "extension", 0, "valuePositiveInt", "valueString", "1"),
          "Patient.extension[1].extension[0].value"),
    Fault("extension", "a nested extension that is not defined", "person",
          add("extension", 1, "extension", {"url": "other", "valueString": "x"}), "Patient.extension[1].extension[1]"),
    Fault("extension", "an extension where it may not stand", "person",
          put("name", 0, "extension", [{"url": HERE + "colour", "valueCode": "one"}]), "Patient.name[0].extension[0]"),
    Fault("binding", "required: a code outside", "person", put("gender", "unknown"), "Patient.gender"),
    Fault("binding", "extensible: a code outside", "person",
          put("maritalStatus", coded("three")), "Patient.maritalStatus", "warning"),
    Fault("binding", "preferred: a code outside", "person",
          put("contact", 0, "relationship", [coded("three")]), "Patient.contact[0].relationship[0]", "information"),
    Fault("binding", "a code outside of the most that is allowed", "agreement",
          put("scope", coded("four")), "Consent.scope"),
    Fault("binding", "a value set that cannot be told is not checked", "agreement",
          put("provision", "purpose", [{"system": A, "code": "x"}]), "Consent.provision.purpose[0]", "information"),
    Fault("invariant", "an error on an element", "person",
          put("name", 0, {"text": "x"}), "Patient.name[0]"),
    Fault("invariant", "an error on a typed choice", "pressure",
          put("effectiveDateTime", "2024"), "Observation.effective"),
    Fault("invariant", "an error on a backbone element", "agreement",
          drop("verification", 0, "verificationDate"), "Consent.verification[0]"),
    Fault("invariant", "a warning", "agreement", put("performer", 0, {"reference": "Patient/1"}),
          "Consent.performer[0]", "warning"),
    Fault("target", "a reference to another type", "person",
          put("generalPractitioner", 0, {"reference": "Organization/1"}), "Patient.generalPractitioner[0].reference"),
    Fault("target", "a contained resource that does not meet the target profile", "order",
          drop("contained", 0, "code"), "MedicationRequest.medication.reference"),
    Fault("target", "a reference to a type that only R4 allows", "order",
          put("performer", {"reference": "Organization/1"}), "MedicationRequest.performer.reference"),
    Fault("must-support", "an element is absent", "person", drop("birthDate"), "Patient.birthDate", "report"),
    Fault("must-support", "a list is absent", "person", drop("name"), "Patient.name", "report"),
]  # fmt: skip
