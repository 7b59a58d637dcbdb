"""Single faults: one valid resource, one change, and what must be said about it.

`at` is the place of the change as keys and indexes; None as value takes away what stands there, and a dict for the
place "" changes several properties of the resource at once. More faults, of other rooms, are added to CASES.
"""

from __future__ import annotations

import copy
import runpy
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_bases = runpy.run_path(str(Path(__file__).with_name("bases.py")))
BASES: dict[str, Json] = _bases["BASES"]
CODES: str = _bases["CODES"]
UCUM: str = _bases["UCUM"]


@dataclass(frozen=True)
class Fault:
    """One change to a base and the one problem that it must raise."""

    kind: str
    base: str
    at: str
    value: Any
    expression: str
    code: str
    key: str = ""

    @property
    def name(self) -> str:
        """For the test report."""
        shown = f"{self.at}={self.value}" if self.value is not None else f"-{self.at}"
        return f"{self.kind}:{self.key or self.base}:{shown}"[:90]

    def resource(self) -> Json:
        """The base with the fault in it."""
        changed = copy.deepcopy(BASES[self.base])
        *way, last = self.at.split(".") if self.at else ["", ""]
        if not self.at:
            for key, value in self.value.items():
                _put(changed, key, value)
            return changed
        owner: Any = changed
        for step in way:
            owner = owner[int(step)] if isinstance(owner, list) else owner[step]
        _put(owner, last, copy.deepcopy(self.value))
        return changed


def _put(owner: Any, key: str, value: Any) -> None:
    at = int(key) if isinstance(owner, list) else key
    if value is None:
        del owner[at]
    elif isinstance(owner, list) and at == len(owner):
        owner.append(value)
    else:
        owner[at] = value


def _of(kind: str, code: str, *rows: tuple[str, str, Any, str]) -> list[Fault]:
    return [Fault(kind, base, at, value, expression, code) for base, at, value, expression in rows]


def _primitive(type_: str, value: Any) -> Fault:
    key = f"value{type_[0].upper()}{type_[1:]}"
    return Fault(
        "primitive", "Parameters", "parameter.0", {"name": type_, key: value}, "Parameters.parameter[0].value", "value"
    )


def _invariant(key: str, base: str, at: str, value: Any, expression: str) -> Fault:
    return Fault("invariant", base, at, value, expression, "invariant", key)


def _narrative(div: str) -> Fault:
    return Fault("narrative", "Patient", "text.div", div, "Patient.text.div", "invalid")


def _div(inner: str, attributes: str = "") -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml"{attributes}>{inner}</div>'


STRUCTURE = _of(
    "structure",
    "structure",
    ("Patient", "resourceType", "Human", ""),
    ("Patient", "resourceType", "patient", ""),
    ("Patient", "resourceType", None, ""),
    ("Patient", "name", {"family": "Quill"}, "Patient.name"),
    ("Patient", "name.0", "Ada Quill", "Patient.name[0]"),
    ("Patient", "name.0.given", "Ada", "Patient.name[0].given"),
    ("Observation", "code", [{"text": "BP"}], "Observation.code"),
    ("Observation", "subject", "Patient/p1", "Observation.subject"),
    ("Bundle", "entry.0.resource", {"name": "O"}, "Bundle.entry[0].resource"),
    ("Bundle", "entry.0.resource", [], "Bundle.entry[0].resource"),
)
UNKNOWN = _of(
    "unknown property",
    "structure",
    ("Patient", "surname", "Quill", "Patient.surname"),
    ("Patient", "name.0.first", "Ada", "Patient.name[0].first"),
    ("Patient", "Name", [{"family": "Q"}], "Patient.Name"),
    ("Observation", "valueMoney", {"value": 1}, "Observation.valueMoney"),
    (
        "Observation",
        "component.0.valueReference",
        {"reference": "Patient/1"},
        "Observation.component[0].valueReference",
    ),
    ("Claim", "item.0.price", 5, "Claim.item[0].price"),
    ("Patient", "contained.0.birthdate", "1980", "Patient.contained[0].birthdate"),
    ("Bundle", "entry.1.resource.sex", "f", "Bundle.entry[1].resource.sex"),
    ("Patient", "_name", [{"id": "a"}], "Patient._name"),
)
CARDINALITY = [
    *_of(
        "cardinality",
        "required",
        ("Observation", "status", None, "Observation.status"),
        ("Observation", "code", None, "Observation.code"),
        ("Observation", "component.0.code", None, "Observation.component[0].code"),
        ("Claim", "insurance", None, "Claim.insurance"),
        ("Claim", "item.0.sequence", None, "Claim.item[0].sequence"),
        ("MedicationRequest", "medicationCodeableConcept", None, "MedicationRequest.medication"),
        ("Patient", "link.0.other", None, "Patient.link[0].other"),
        ("Patient", "extension.0.url", None, "Patient.extension[0].url"),
        ("Bundle", "type", None, "Bundle.type"),
        ("Bundle", "entry.0.request.method", None, "Bundle.entry[0].request.method"),
        ("Patient", "text.status", None, "Patient.text.status"),
    ),
    *_of(
        "cardinality",
        "structure",
        ("Patient", "gender", ["female", "male"], "Patient.gender"),
        ("Patient", "birthDate", ["1980"], "Patient.birthDate"),
        ("Patient", "birthDate", {"value": "1980"}, "Patient.birthDate"),
        ("Patient", "name.0.given.0", ["Ada"], "Patient.name[0].given[0]"),
        ("Observation", "subject", [{"reference": "Patient/1"}, {"reference": "Patient/2"}], "Observation.subject"),
    ),
]
CHOICE = _of(
    "choice",
    "structure",
    ("Observation", "valueString", "heavy", "Observation.value"),
    ("Patient", "deceasedDateTime", "2020", "Patient.deceased"),
    ("Condition", "onsetString", "long ago", "Condition.onset"),
    ("Observation", "component.0.valueString", "x", "Observation.component[0].value"),
    ("Observation", "value", {"value": 1}, "Observation.value"),
)
PRIMITIVES = [
    *(_primitive("base64Binary", value) for value in ("a", "a===", "å")),
    *(_primitive("boolean", value) for value in ("true", 1)),
    *(_primitive("canonical", value) for value in ("http://example.org/a b", 7)),
    *(_primitive("code", value) for value in (" a", "a  b", "a\tb")),
    *(
        _primitive("date", value)
        for value in ("2024-02-30", "2023-02-29", "2024-13", "24-01-01", "2024-1-1", "2024-01-01T00:00:00Z")
    ),
    *(
        _primitive("dateTime", value)
        for value in ("2024-04-31", "2024-01-01T10:00Z", "2024-01-01T10:00:00", "2024-01-01T24:00:00Z")
    ),
    *(_primitive("decimal", value) for value in ("1.5", True, Decimal("1E+999999"), 10**400)),
    *(_primitive("id", value) for value in ("a_b", "a" * 65)),
    *(_primitive("instant", value) for value in ("2024-01-01", "2024-01-01T10:00:00", "2024-02-30T10:00:00Z")),
    *(_primitive("integer", value) for value in (2**31, "1", 1.5)),
    *(_primitive("markdown", value) for value in ("", 1)),
    *(_primitive("oid", value) for value in ("1.2.3", "urn:oid:3.1")),
    *(_primitive("positiveInt", value) for value in (0, -1)),
    *(_primitive("string", value) for value in ("", "a\x00b", 5)),
    *(_primitive("time", value) for value in ("10:00", "25:00:00", "10:00:00Z")),
    *(_primitive("unsignedInt", value) for value in (-1, True)),
    *(_primitive("uri", value) for value in ("a b", "")),
    *(_primitive("url", value) for value in ("http://e.org/ x", 7)),
    *(_primitive("uuid", value) for value in ("urn:uuid:123", "0b6b3f2a-5f0e-4f43-9c3a-7d4d5b9a2c11")),
]
DATES = _of(
    "real dates",
    "value",
    ("Patient", "birthDate", "1981-02-29", "Patient.birthDate"),
    ("Patient", "birthDate", "1900-02-29", "Patient.birthDate"),
    ("Patient", "birthDate", "0000", "Patient.birthDate"),
    ("Observation", "issued", "2024-03-32T09:00:00Z", "Observation.issued"),
    ("Observation", "effectiveDateTime", "2024-03-01T10:00:00+15:00", "Observation.effective"),
    ("Claim", "created", "2024-06-31", "Claim.created"),
)
BINDINGS = _of(
    "required binding",
    "code-invalid",
    ("Patient", "gender", "f", "Patient.gender"),
    ("Patient", "telecom.0.system", "telephone", "Patient.telecom[0].system"),
    ("Patient", "link.0.type", "twin", "Patient.link[0].type"),
    ("Observation", "status", "done", "Observation.status"),
    ("Observation", "status", "Final", "Observation.status"),
    ("Condition", "clinicalStatus.coding.0.code", "acute", "Condition.clinicalStatus"),
    ("Condition", "clinicalStatus.coding.0.system", "http://example.org/x", "Condition.clinicalStatus"),
    ("Bundle", "entry.0.request.method", "PSOT", "Bundle.entry[0].request.method"),
    (
        "MedicationRequest",
        "dosageInstruction.0.timing.repeat.periodUnit",
        "day",
        "MedicationRequest.dosageInstruction[0].timing.repeat.periodUnit",
    ),
    ("Questionnaire", "item.1.type", "select", "Questionnaire.item[1].type"),
)
TARGETS = _of(
    "reference",
    "value",
    ("Observation", "subject.reference", "Practitioner/d1", "Observation.subject.reference"),
    ("Observation", "subject.reference", "Human/1", "Observation.subject.reference"),
    ("Observation", "subject.reference", "p1", "Observation.subject.reference"),
    ("Observation", "subject.reference", "http://example.org/fhir/Organization/1", "Observation.subject.reference"),
    ("Claim", "insurance.0.coverage.reference", "Patient/p1", "Claim.insurance[0].coverage.reference"),
    ("Patient", "generalPractitioner.0.reference", "Patient/p1", "Patient.generalPractitioner[0].reference"),
    ("Patient", "link.0.other.reference", "Patient/a_b", "Patient.link[0].other.reference"),
)
CONTAINED = [
    *_of(
        "contained",
        "invariant",
        ("Patient", "generalPractitioner.2", {"reference": "#nobody"}, "Patient.generalPractitioner[2].reference"),
        ("Patient", "generalPractitioner.1", None, "Patient.contained[0]"),
        ("Patient", "contained.1", {"resourceType": "Practitioner", "id": "d2"}, "Patient.contained[1]"),
        (
            "Patient",
            "contained.0.contained",
            [{"resourceType": "Practitioner", "id": "d3"}],
            "Patient.contained[0].contained",
        ),
        ("Patient", "contained.0.meta", {"versionId": "1"}, "Patient.contained[0].meta"),
        ("Patient", "contained.0.meta", {"security": [{"code": "R"}]}, "Patient.contained[0].meta"),
    ),
    *_of("contained", "required", ("Patient", "contained.1", {"resourceType": "Practitioner"}, "Patient.contained[1]")),
    *_of(
        "ids",
        "value",
        ("Patient", "id", "p 1", "Patient.id"),
        ("Patient", "id", "", "Patient.id"),
        ("Patient", "name.0.id", 5, "Patient.name[0].id"),
        ("Bundle", "entry.1.resource.id", "x" * 65, "Bundle.entry[1].resource.id"),
    ),
]
NARRATIVES = [
    _narrative(_div("<script>alert(1)</script>")),
    _narrative(_div('<p onclick="x()">a</p>')),
    _narrative(_div('<a href="javascript:alert(1)">a</a>')),
    _narrative(_div('<a href="&#106;avascript:alert(1)">a</a>')),
    _narrative(_div('<img src="data:text/html;base64,PHA+"/>')),
    _narrative(_div('<iframe src="http://example.org"/>')),
    _narrative(_div("<form><input/></form>")),
    _narrative(_div('<p style="background:url(javascript:x)">a</p>')),
    _narrative(_div("<object/>a")),
    _narrative(_div("<style>p{}</style>a")),
    _narrative(_div("  ")),
    _narrative(_div("<p></p>")),
    _narrative("<div>no namespace</div>"),
    _narrative("plain text"),
    _narrative(_div("<p>open")),
    _narrative('<p xmlns="http://www.w3.org/1999/xhtml">no div</p>'),
    _narrative('<!DOCTYPE div [<!ENTITY a "b">]>' + _div("&a;")),
    _narrative(_div("&nosuchentity;")),
    _narrative(_div("<![CDATA[><img src=x onerror=alert(1)>]]>")),
    _narrative(_div("a<!--><img src=x onerror=alert(1)>-->")),
    _narrative(_div('<p formaction="http://example.org">a</p>')),
    _narrative(_div('<p ONCLICK="x()">a</p>')),
    _narrative(_div('<a href="vbscript:x">a</a>')),
    _narrative(_div('<a href="java\tscript:x">a</a>')),
]
EXTENSIONS = [
    *_of(
        "extension",
        "invariant",
        ("Patient", "extension.0", {"url": "https://example.org/a"}, "Patient.extension[0]"),
        ("Patient", "extension.1.valueString", "x", "Patient.extension[1]"),
        ("Patient", "_birthDate", {"extension": [{"url": "https://example.org/a"}]}, "Patient.birthDate.extension[0]"),
        ("Patient", "modifierExtension", [{"url": "https://example.org/m"}], "Patient.modifierExtension[0]"),
    ),
    *_of(
        "extension",
        "structure",
        ("Patient", "extension.0.valueInteger", 5, "Patient.extension[0].value"),
        ("Patient", "extension.0.valueResource", {}, "Patient.extension[0].valueResource"),
        (
            "Patient",
            "name.0.modifierExtension",
            [{"url": "a:b", "valueBoolean": True}],
            "Patient.name[0].modifierExtension",
        ),
    ),
    *_of("extension", "value", ("Patient", "extension.0.url", "a b", "Patient.extension[0].url")),
]
EMPTY = [
    *_of(
        "empty",
        "structure",
        ("Patient", "name", [], "Patient.name"),
        ("Patient", "name.0", {}, "Patient.name[0]"),
        ("Patient", "name.0", {"id": "n"}, "Patient.name[0]"),
        ("Patient", "name.0.given", [], "Patient.name[0].given"),
        ("Observation", "code", {}, "Observation.code"),
        ("Patient", "extension", [], "Patient.extension"),
        ("Observation", "contained", [], "Observation.contained"),
    ),
    *_of(
        "empty",
        "value",
        ("Patient", "name.0.family", "", "Patient.name[0].family"),
        ("Patient", "name.0.given.1", "", "Patient.name[0].given[1]"),
        ("Patient", "gender", "", "Patient.gender"),
    ),
]
WRONG_TYPES = _of(
    "wrong JSON type",
    "value",
    ("Patient", "active", "true", "Patient.active"),
    ("Patient", "active", 1, "Patient.active"),
    ("Patient", "birthDate", 1980, "Patient.birthDate"),
    ("Patient", "name.0.given.1", False, "Patient.name[0].given[1]"),
    ("Observation", "valueQuantity.value", "72.5", "Observation.value.value"),
    ("Patient", "telecom.0.rank", 1.5, "Patient.telecom[0].rank"),
    ("Claim", "item.0.sequence", "1", "Claim.item[0].sequence"),
)
SIBLINGS = _of(
    "_ sibling",
    "structure",
    ("Patient", "_birthDate", {}, "Patient.birthDate"),
    ("Patient", "_birthDate", [{"id": "b1"}], "Patient.birthDate"),
    ("Patient", "_birthDate", "b1", "Patient.birthDate"),
    ("Patient", "name.0._given", [{"id": "a"}], "Patient.name[0].given"),
    ("Patient", "name.0._given", {"id": "a"}, "Patient.name[0].given"),
    ("Patient", "_birthDate", {"id": "b", "value": "x"}, "Patient.birthDate.value"),
    ("Patient", "_id", {"id": "b"}, "Patient._id"),
)
INVARIANTS = [
    _invariant("qty-3", "Observation", "valueQuantity.system", None, "Observation.value"),
    _invariant("obs-6", "Observation", "dataAbsentReason", {"text": "unknown"}, "Observation"),
    _invariant(
        "obs-7",
        "Observation",
        "component.0.code",
        {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "Observation",
    ),
    _invariant(
        "obs-3", "Observation", "referenceRange.0", {"type": {"text": "normal"}}, "Observation.referenceRange[0]"
    ),
    _invariant("per-1", "Patient", "name.0.period.start", "2011", "Patient.name[0].period"),
    _invariant("cpt-2", "Patient", "telecom.0.system", None, "Patient.telecom[0]"),
    _invariant("att-1", "Patient", "photo.0.contentType", None, "Patient.photo[0]"),
    _invariant("pat-1", "Patient", "contact.0", {"gender": "male"}, "Patient.contact[0]"),
    _invariant("con-1", "Condition", "stage.0", {"type": {"text": "t"}}, "Condition.stage[0]"),
    _invariant(
        "con-2", "Condition", "evidence.0", {"extension": [{"url": "a:b", "valueCode": "c"}]}, "Condition.evidence[0]"
    ),
    _invariant("con-4", "Condition", "abatementString", "gone", "Condition"),
    _invariant("con-5", "Condition", "verificationStatus.coding.0.code", "entered-in-error", "Condition"),
    _invariant("ait-1", "AllergyIntolerance", "clinicalStatus", None, "AllergyIntolerance"),
    _invariant(
        "ait-2", "AllergyIntolerance", "verificationStatus.coding.0.code", "entered-in-error", "AllergyIntolerance"
    ),
    _invariant("app-1", "Appointment", "participant.0.actor", None, "Appointment.participant[0]"),
    _invariant("app-2", "Appointment", "", {"end": None, "status": "proposed"}, "Appointment"),
    _invariant("app-3", "Appointment", "", {"start": None, "end": None}, "Appointment"),
    _invariant("app-4", "Appointment", "cancelationReason", {"text": "ill"}, "Appointment"),
    _invariant(
        "rng-2",
        "MedicationRequest",
        "dosageInstruction.0.doseAndRate.0.doseRange.low.value",
        3,
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].dose",
    ),
    _invariant(
        "tim-2",
        "MedicationRequest",
        "dosageInstruction.0.timing.repeat.periodUnit",
        None,
        "MedicationRequest.dosageInstruction[0].timing.repeat",
    ),
    _invariant(
        "tim-9",
        "MedicationRequest",
        "dosageInstruction.0.timing.repeat.when",
        ["CM"],
        "MedicationRequest.dosageInstruction[0].timing.repeat",
    ),
    _invariant(
        "tim-10",
        "MedicationRequest",
        "dosageInstruction.0.timing.repeat.timeOfDay",
        ["10:00:00"],
        "MedicationRequest.dosageInstruction[0].timing.repeat",
    ),
    _invariant(
        "tim-1",
        "MedicationRequest",
        "dosageInstruction.0.timing.repeat.duration",
        1,
        "MedicationRequest.dosageInstruction[0].timing.repeat",
    ),
    _invariant(
        "tim-5",
        "MedicationRequest",
        "dosageInstruction.0.timing.repeat.period",
        -1,
        "MedicationRequest.dosageInstruction[0].timing.repeat",
    ),
    _invariant("bdl-1", "Bundle", "total", 2, "Bundle"),
    _invariant("bdl-2", "Bundle", "entry.0.search", {"mode": "match"}, "Bundle"),
    _invariant("bdl-3", "Bundle", "entry.0.request", None, "Bundle"),
    _invariant("bdl-4", "Bundle", "entry.0.response", {"status": "201"}, "Bundle"),
    _invariant("bdl-7", "Bundle", "entry.1.fullUrl", "urn:uuid:0b6b3f2a-5f0e-4f43-9c3a-7d4d5b9a2c11", "Bundle"),
    _invariant("bdl-8", "Bundle", "entry.0.fullUrl", "http://example.org/Organization/1/_history/1", "Bundle.entry[0]"),
    _invariant("que-2", "Questionnaire", "item.2.linkId", "1.1", "Questionnaire"),
    _invariant("que-3", "Questionnaire", "item.2.code", [{"code": "a"}], "Questionnaire.item[2]"),
    _invariant("que-4", "Questionnaire", "item.1.answerValueSet", "http://example.org/vs", "Questionnaire.item[1]"),
    _invariant("que-5", "Questionnaire", "item.0.answerValueSet", "http://example.org/vs", "Questionnaire.item[0]"),
    _invariant("que-6", "Questionnaire", "item.2.required", True, "Questionnaire.item[2]"),
    _invariant(
        "que-7",
        "Questionnaire",
        "item.3.enableWhen.0",
        {"question": "2", "operator": "exists", "answerString": "y"},
        "Questionnaire.item[3].enableWhen[0]",
    ),
    _invariant("que-8", "Questionnaire", "item.0.initial", [{"valueString": "a"}], "Questionnaire.item[0]"),
    _invariant("que-9", "Questionnaire", "item.2.readOnly", True, "Questionnaire.item[2]"),
    _invariant("que-10", "Questionnaire", "item.3.maxLength", 3, "Questionnaire.item[3]"),
    _invariant(
        "que-13",
        "Questionnaire",
        "item.3.initial",
        [{"valueDate": "2020"}, {"valueDate": "2021"}],
        "Questionnaire.item[3]",
    ),
    _invariant("vsd-1", "ValueSet", "compose.include.0", {"version": "1"}, "ValueSet.compose.include[0]"),
    _invariant(
        "vsd-3",
        "ValueSet",
        "compose.include.0.filter",
        [{"property": "p", "op": "=", "value": "v"}],
        "ValueSet.compose.include[0]",
    ),
    _invariant("sdf-6", "StructureDefinition", "differential", None, "StructureDefinition"),
    _invariant(
        "sdf-8a",
        "StructureDefinition",
        "differential.element.1.path",
        "Person.name",
        "StructureDefinition.differential",
    ),
    _invariant("sdf-17", "StructureDefinition", "differential.element.1.id", "Patient", "StructureDefinition"),
    _invariant("sdf-18", "StructureDefinition", "contextInvariant", ["true"], "StructureDefinition"),
    _invariant(
        "eld-2", "StructureDefinition", "differential.element.1.min", 3, "StructureDefinition.differential.element[1]"
    ),
    _invariant(
        "eld-3",
        "StructureDefinition",
        "differential.element.1.max",
        "many",
        "StructureDefinition.differential.element[1].max",
    ),
    _invariant(
        "eld-16",
        "StructureDefinition",
        "differential.element.1.sliceName",
        "a b",
        "StructureDefinition.differential.element[1]",
    ),
    _invariant(
        "eld-8",
        "StructureDefinition",
        "differential.element.1",
        {"id": "Patient.x", "path": "Patient.x", "fixedString": "a", "patternString": "a"},
        "StructureDefinition.differential.element[1]",
    ),
    _invariant(
        "eld-18",
        "StructureDefinition",
        "differential.element.1.isModifier",
        True,
        "StructureDefinition.differential.element[1]",
    ),
    _invariant("lst-2", "List", "mode", "snapshot", "List"),
    _invariant("lst-3", "List", "entry.0.date", "2024-01-01", "List"),
    _invariant("lst-1", "List", "emptyReason", {"text": "none"}, "List"),
    _invariant("ppc-1", "Consent", "policyRule", None, "Consent"),
    _invariant("org-1", "Organization", "name", None, "Organization"),
    _invariant("org-2", "Organization", "address.0.use", "home", "Organization.address[0]"),
    _invariant("inv-1", "Parameters", "parameter.0.valueString", None, "Parameters.parameter[0]"),
]

CASES: list[Fault] = [
    *(*STRUCTURE, *UNKNOWN, *CARDINALITY, *CHOICE, *PRIMITIVES, *DATES, *BINDINGS, *TARGETS, *CONTAINED),
    *(*NARRATIVES, *EXTENSIONS, *EMPTY, *WRONG_TYPES, *SIBLINGS, *INVARIANTS),
]
