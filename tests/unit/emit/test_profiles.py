"""What is emitted meets the profiles that we publish for it."""

from __future__ import annotations

import pytest

from extractors.model import Assertion
from fhir_profiles import systems
from fhir_profiles.conform import Own, Profiles, check_known, check_profile
from fhir_profiles.validate import check

PROFILES = Profiles([Own()])
OURS = {
    "Claim": systems.DRAFT_CLAIM,
    "Condition": systems.CODED_CONDITION,
    "MedicationStatement": systems.CODED_MEDICATION,
    "Observation": systems.CODED_OBSERVATION,
}


def broken(resource):
    """The errors by R4, by our profile of the type, and by our extensions."""
    found = [*check(resource), *check_known(resource, registry=PROFILES, thorough=False)]
    if resource["resourceType"] in OURS:
        found += check_profile(resource, OURS[resource["resourceType"]], registry=PROFILES, thorough=False)
    return found


def test_one_of_each_kind(case):
    """Vital signs, a panel, a laboratory result, diagnoses, a medication and the draft Claim."""
    emitted = case.emit(refuted=True)
    assert OURS.keys() <= {resource["resourceType"] for resource in emitted}
    assert [(r["resourceType"], broken(r)) for r in emitted if broken(r)] == []


def test_doubt_is_within_the_profiles(case, doubtful):
    """A badly read finding, one without a code, and one that the words put in doubt."""
    case.items[:] = [doubtful(item) for item in case.items]
    case.codes[:] = [code for code in case.codes if code.system != systems.RXNORM]
    case.add("problem", "Possible sleep apnea", systems.ICD10CM, "R06.83", assertion=Assertion(historical=True))
    assert [(r["resourceType"], broken(r)) for r in case.emit() if broken(r)] == []


def test_a_claim_without_anything_is_still_one(empty):
    """Nothing found, nobody named."""
    empty.identity = type(empty.identity)()
    empty.add("code", "99214", systems.CPT, "99214")
    assert [broken(r) for r in empty.emit() if broken(r)] == []


@pytest.mark.parametrize(
    ("kind", "change", "expression"),
    [
        ("Condition", lambda r: r["code"]["coding"][0].pop("extension"), "Condition.code.coding[0].extension"),
        ("Condition", lambda r: r["code"]["coding"][0].update(system=systems.LOINC), "Condition.code.coding"),
        ("Observation", lambda r: r.update(valueBoolean=r.pop("valueQuantity", None) is None), "Observation.value"),
        ("MedicationStatement", lambda r: r.pop("derivedFrom"), "MedicationStatement.derivedFrom"),
        ("Claim", lambda r: r.update(status="active"), "Claim.status"),
        ("Claim", lambda r: r.update(total={"value": 1, "currency": "USD"}), "Claim.total"),
    ],
)
def test_a_promise_that_is_broken_is_seen(case, kind, change, expression):
    """Evidence, code system, type of value, source, draft and the absence of prices are held."""
    resource = next(r for r in case.of(kind) if kind != "Observation" or "valueQuantity" in r)
    change(resource)
    assert expression in {p.expression for p in broken(resource) if p.severity == "error"}
