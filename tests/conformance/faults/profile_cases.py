"""Single faults against the profiles of `profile_bases`: one change each, and what must be told of it."""

from __future__ import annotations

import copy
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_bases = runpy.run_path(str(Path(__file__).with_name("profile_bases.py")))
PROFILES: dict[str, tuple[Json, Json]] = _bases["PROFILES"]
OTHERS: tuple[Json, ...] = _bases["OTHERS"]
VALUE_SETS: dict[str, dict[str, set[str]] | None] = _bases["VALUE_SETS"]
HERE, SETS, A, B = _bases["HERE"], _bases["SETS"], _bases["A"], _bases["B"]
coded: Callable[..., Json] = _bases["coded"]


@dataclass(frozen=True)
class Fault:
    """One change that breaks one rule; `severity` and `expression` are what must be told of it."""

    kind: str
    name: str
    profile: str
    change: Callable[[Json], Any]
    expression: str
    severity: str = "error"


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
