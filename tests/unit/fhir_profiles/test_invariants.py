"""Each invariant, kept and broken."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.invariants import RULES
from fhir_profiles.validate import check

UCUM = "http://unitsofmeasure.org"
EIE = b'{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/%s","code":"entered-in-error"}]}'
ALLERGY = EIE % b"allergyintolerance-verification"
CONDITION = EIE % b"condition-ver-status"

PAIRS: list[tuple[str, str, bytes, bytes]] = [
    ("Quantity", "qty-3", b'{"code":"a","system":"s"}', b'{"code":"a"}'),
    ("Age", "qty-3", b'{"code":"a","system":"http://unitsofmeasure.org"}', b'{"code":"a"}'),
    ("Age", "age-1", b'{"value":1,"code":"a","system":"http://unitsofmeasure.org"}', b'{"value":-1,"code":"a"}'),
    ("AllergyIntolerance", "ait-1", b'{"clinicalStatus":{}}', b"{}"),
    (
        "AllergyIntolerance",
        "ait-2",
        b'{"verificationStatus":%s}' % ALLERGY,
        b'{"verificationStatus":%s,"clinicalStatus":{}}' % ALLERGY,
    ),
    ("Appointment", "app-2", b'{"start":"2024","end":"2024"}', b'{"status":"proposed","start":"2024"}'),
    ("Appointment", "app-3", b'{"status":"booked","start":"2024","end":"2024"}', b'{"status":"booked","start":"2024"}'),
    ("Appointment", "app-3", b'{"status":"proposed"}', b'{"status":"booked"}'),
    (
        "Appointment",
        "app-4",
        b'{"status":"cancelled","cancelationReason":{}}',
        b'{"status":"booked","cancelationReason":{}}',
    ),
    ("Appointment.participant", "app-1", b'{"actor":{}}', b'{"status":"accepted"}'),
    ("Attachment", "att-1", b'{"data":"x","contentType":"a/b"}', b'{"data":"x"}'),
    ("Bundle", "bdl-1", b'{"type":"searchset","total":0}', b'{"type":"batch","total":0}'),
    ("Bundle", "bdl-2", b'{"type":"searchset","entry":[{"search":{}}]}', b'{"type":"batch","entry":[{"search":{}}]}'),
    ("Bundle", "bdl-3", b'{"type":"batch","entry":[{"request":{}}]}', b'{"type":"batch","entry":[{}]}'),
    ("Bundle", "bdl-3", b'{"type":"searchset","entry":[{}]}', b'{"type":"searchset","entry":[{"request":{}}]}'),
    ("Bundle", "bdl-4", b'{"type":"history","entry":[{"response":{}}]}', b'{"type":"history","entry":[{}]}'),
    (
        "Bundle",
        "bdl-7",
        b'{"type":"history","entry":[{"fullUrl":"a"},{"fullUrl":"a"}]}',
        b'{"entry":[{"fullUrl":"a"},{"fullUrl":"a"}]}',
    ),
    (
        "Bundle",
        "bdl-9",
        b'{"type":"document","identifier":{"system":"a","value":"b"}}',
        b'{"type":"document","identifier":{"system":"a"}}',
    ),
    ("Bundle", "bdl-10", b'{"type":"document","timestamp":"x"}', b'{"type":"document"}'),
    (
        "Bundle",
        "bdl-11",
        b'{"type":"document","entry":[{"resource":{"resourceType":"Composition"}}]}',
        b'{"type":"document","entry":[{"resource":{"resourceType":"Patient"}}]}',
    ),
    (
        "Bundle",
        "bdl-12",
        b'{"type":"message","entry":[{"resource":{"resourceType":"MessageHeader"}}]}',
        b'{"type":"message"}',
    ),
    ("Bundle.entry", "bdl-5", b'{"resource":{}}', b'{"fullUrl":"a"}'),
    ("Bundle.entry", "bdl-8", b'{"fullUrl":"a/1"}', b'{"fullUrl":"a/1/_history/1"}'),
    ("CarePlan.activity", "cpl-3", b'{"detail":{}}', b'{"detail":{},"reference":{}}'),
    ("Composition.section", "cmp-1", b'{"text":{}}', b'{"title":"x"}'),
    ("Composition.section", "cmp-2", b'{"entry":[]}', b'{"entry":[],"emptyReason":{}}'),
    ("Condition", "con-4", b'{"clinicalStatus":{}}', b'{"abatementString":"x"}'),
    (
        "Condition",
        "con-5",
        b'{"verificationStatus":%s}' % CONDITION,
        b'{"verificationStatus":%s,"clinicalStatus":{}}' % CONDITION,
    ),
    ("Condition.evidence", "con-2", b'{"code":[]}', b"{}"),
    ("Condition.stage", "con-1", b'{"summary":{}}', b"{}"),
    ("Consent", "ppc-1", b'{"policyRule":{}}', b"{}"),
    ("ContactPoint", "cpt-2", b'{"value":"1","system":"phone"}', b'{"value":"1"}'),
    ("Count", "qty-3", b'{"code":"1","system":"http://unitsofmeasure.org"}', b'{"code":"1"}'),
    ("Count", "cnt-3", b'{"value":2.0,"code":"1"}', b'{"value":2.5,"code":"1"}'),
    ("Distance", "qty-3", b'{"code":"m","system":"http://unitsofmeasure.org"}', b'{"code":"m"}'),
    ("Distance", "dis-1", b'{"value":2,"code":"m"}', b'{"value":2}'),
    ("Duration", "qty-3", b'{"code":"h","system":"http://unitsofmeasure.org"}', b'{"code":"h"}'),
    ("Duration", "drt-1", b'{"value":2,"code":"h","system":"http://unitsofmeasure.org"}', b'{"code":"h","system":"x"}'),
    ("FamilyMemberHistory", "fhs-1", b'{"ageAge":{}}', b'{"ageAge":{},"bornDate":"2000"}'),
    ("FamilyMemberHistory", "fhs-2", b'{"ageAge":{},"estimatedAge":true}', b'{"estimatedAge":true}'),
    ("Goal.target", "gol-1", b'{"detailString":"x","measure":{}}', b'{"detailString":"x"}'),
    ("Group", "grp-1", b'{"actual":true,"member":[]}', b'{"actual":false,"member":[]}'),
    ("Immunization.education", "imm-1", b'{"reference":"x"}', b"{}"),
    ("List", "lst-1", b'{"entry":[]}', b'{"entry":[],"emptyReason":{}}'),
    (
        "List",
        "lst-2",
        b'{"mode":"changes","entry":[{"deleted":true}]}',
        b'{"mode":"working","entry":[{"deleted":true}]}',
    ),
    ("List", "lst-3", b'{"mode":"working","entry":[{"date":"x"}]}', b'{"mode":"changes","entry":[{"date":"x"}]}'),
    ("Observation", "obs-6", b'{"valueString":"x"}', b'{"valueString":"x","dataAbsentReason":{}}'),
    (
        "Observation",
        "obs-7",
        b'{"code":{"coding":[{"code":"a"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"b"}]}}]}',
        b'{"code":{"coding":[{"code":"a"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"a"}]}}]}',
    ),
    ("Observation.referenceRange", "obs-3", b'{"text":"x"}', b'{"type":{}}'),
    ("Organization", "org-1", b'{"name":"x"}', b"{}"),
    ("Parameters.parameter", "inv-1", b'{"name":"a","valueCode":"b"}', b'{"name":"a"}'),
    ("Parameters.parameter", "inv-1", b'{"name":"a","part":[]}', b'{"name":"a","valueCode":"b","part":[]}'),
    ("Patient.contact", "pat-1", b'{"name":{}}', b'{"gender":"male"}'),
    (
        "Period",
        "per-1",
        b'{"start":"2024-01-05T23:00:00-05:00","end":"2024-01-05"}',
        b'{"start":"2024-01-05T23:00:00-05:00","end":"2024-01-05T23:00:00-04:00"}',
    ),
    ("Period", "per-1", b'{"start":"2024-01-05","end":"2024-01"}', b'{"start":"2024-01-05","end":"2024-01-04"}'),
    (
        "Questionnaire",
        "que-2",
        b'{"item":[{"linkId":"1","item":[{"linkId":"2"}]}]}',
        b'{"item":[{"linkId":"1","item":[{"linkId":"1"}]}]}',
    ),
    ("Questionnaire.item", "que-1", b'{"type":"group","item":[]}', b'{"type":"display","item":[]}'),
    ("Questionnaire.item", "que-4", b'{"answerOption":[]}', b'{"answerOption":[],"answerValueSet":"x"}'),
    ("Questionnaire.item", "que-11", b'{"initial":[]}', b'{"answerOption":[],"initial":[]}'),
    ("QuestionnaireResponse.item", "qrs-1", b'{"answer":[]}', b'{"answer":[],"item":[]}'),
    ("Range", "rng-2", b'{"low":{"value":1},"high":{"value":1.0}}', b'{"low":{"value":1.1},"high":{"value":1}}'),
    (
        "Range",
        "rng-2",
        b'{"low":{"value":9,"code":"mm"},"high":{"value":1,"code":"cm"}}',
        b'{"low":{"value":2},"high":{"value":1}}',
    ),
    ("Ratio", "rat-1", b'{"numerator":{},"denominator":{}}', b'{"numerator":{}}'),
    ("ServiceRequest", "prr-1", b'{"code":{},"orderDetail":[]}', b'{"orderDetail":[]}'),
    (
        "StructureDefinition",
        "sdf-9",
        b'{"differential":{"element":[{"path":"A"},{"path":"A.b","label":"x"}]}}',
        b'{"differential":{"element":[{"path":"A","label":"x"}]}}',
    ),
    (
        "StructureDefinition",
        "sdf-8",
        b'{"type":"A","snapshot":{"element":[{"path":"A"},{"path":"A.b"}]}}',
        b'{"type":"A","snapshot":{"element":[{"path":"A"},{"path":"B.b"}]}}',
    ),
    (
        "StructureDefinition",
        "sdf-8a",
        b'{"type":"A","differential":{"element":[{"path":"A.c"},{"path":"A.b"}]}}',
        b'{"type":"A","differential":{"element":[{"path":"B"}]}}',
    ),
    (
        "Task",
        "inv-1",
        b'{"authoredOn":"2024","lastModified":"2024-01-01"}',
        b'{"authoredOn":"2024","lastModified":"2023"}',
    ),
    ("Timing.repeat", "tim-1", b'{"duration":1,"durationUnit":"h"}', b'{"duration":1}'),
    ("Timing.repeat", "tim-2", b'{"period":1,"periodUnit":"h"}', b'{"period":1}'),
    ("Timing.repeat", "tim-4", b'{"duration":0}', b'{"duration":-1}'),
    ("Timing.repeat", "tim-5", b'{"period":0}', b'{"period":-1}'),
    ("Timing.repeat", "tim-6", b'{"period":1,"periodMax":2}', b'{"periodMax":2}'),
    ("Timing.repeat", "tim-7", b'{"duration":1,"durationMax":2}', b'{"durationMax":2}'),
    ("Timing.repeat", "tim-8", b'{"count":1,"countMax":2}', b'{"countMax":2}'),
    ("Timing.repeat", "tim-9", b'{"when":["AC"],"offset":2}', b'{"offset":2}'),
    ("Timing.repeat", "tim-9", b'{"when":["ACM"],"offset":2}', b'{"when":["CM"],"offset":2}'),
    ("Timing.repeat", "tim-10", b'{"when":["AC"]}', b'{"when":["AC"],"timeOfDay":["10:00:00"]}'),
    ("ValueSet.compose.include", "vsd-1", b'{"system":"a"}', b"{}"),
    ("ValueSet.compose.include", "vsd-2", b'{"system":"a","concept":[]}', b'{"concept":[]}'),
    ("ValueSet.compose.include", "vsd-2", b'{"system":"a","filter":[]}', b'{"filter":[]}'),
    ("ValueSet.compose.include", "vsd-3", b'{"concept":[]}', b'{"concept":[],"filter":[]}'),
    ("ValueSet.expansion.contains", "vsd-6", b'{"code":"a"}', b"{}"),
    ("ValueSet.expansion.contains", "vsd-10", b'{"code":"a","system":"b"}', b'{"code":"a"}'),
]


@pytest.mark.parametrize(("type_name", "key", "kept", "broken"), PAIRS)
def test_an_invariant_holds_when_kept_and_not_when_broken(type_name: str, key: str, kept: bytes, broken: bytes) -> None:
    """Each rule tells the two apart."""
    (rule,) = [r for r in RULES[type_name] if r.key == key and r.severity == "error"]
    assert rule.holds(json.decode(kept))
    assert not rule.holds(json.decode(broken))


def test_every_rule_is_one_of_r4_and_is_tested() -> None:
    """No rule of our own invention, none without a pair above."""
    d = load()
    for type_name, rules in RULES.items():
        for rule in rules:
            place = f"{type_name}.{rule.at}" if rule.at else type_name
            assert rule.key in {i.key for i in d.types[place].invariants}, place
    assert {(t, r.key) for t, rules in RULES.items() for r in rules} == {(t, k) for t, k, _, _ in PAIRS}


def test_a_broken_invariant_is_reported_by_key_and_place(observation: dict[str, Any]) -> None:
    """The problem says which rule and where, deep in a resource too."""
    del observation["valueQuantity"]["system"]
    (problem,) = check(observation)
    assert problem.code == "invariant"
    assert problem.text.startswith("qty-3: ")
    assert problem.expression == "Observation.value"
