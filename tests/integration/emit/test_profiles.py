"""What the pipeline makes of notes meets the profiles that we publish, and writes that claim them are held to them."""

from __future__ import annotations

import csv
import sys
from collections import Counter

import pytest

from claims.draft import draft_claim
from extractors.emit import Source, as_dict, emit
from extractors.pipeline import Pipeline
from fhir_profiles import json, systems
from fhir_profiles.conform import Own, Profiles, check_known, check_profile
from fhir_profiles.errors import FhirError
from fhir_profiles.validate import check
from server.demo.letter import PAGES

PROFILES = Profiles([Own()])
OURS = {
    "Claim": systems.DRAFT_CLAIM,
    "Condition": systems.CODED_CONDITION,
    "MedicationStatement": systems.CODED_MEDICATION,
    "Observation": systems.CODED_OBSERVATION,
}
LETTER = "\n".join(
    line for page in PAGES for block in page for line in (*block.lines, *("  ".join(row) for row in block.rows))
)


@pytest.fixture(scope="module")
def pipeline(built):
    """The whole pipeline below the server."""
    return Pipeline.open(built)


def emitted(pipeline, text):
    """The resources of a note."""
    document, coded = pipeline.run(text)
    source = Source("doc-1", "2026-03-13T08:41:00Z", "1", refuted=True)
    return [as_dict(resource) for resource in emit(source, document, coded, draft_claim=draft_claim)]


def broken(resource):
    """The errors by R4, by our extensions, and by our profile of its type."""
    found = [*check(resource), *check_known(resource, registry=PROFILES, thorough=False)]
    if resource["resourceType"] in OURS:
        found += check_profile(resource, OURS[resource["resourceType"]], registry=PROFILES, thorough=False)
    return [(resource["resourceType"], p.expression, p.text) for p in found]


def test_the_letter_of_the_demo(pipeline):
    """Every resource of the demo's letter, of each kind that has a profile."""
    resources = emitted(pipeline, LETTER)
    assert OURS.keys() <= {resource["resourceType"] for resource in resources}
    assert [fault for resource in resources for fault in broken(resource)] == []


def test_notes_of_encounters(pipeline, shared):
    """Every resource of sixty notes that were written for another purpose."""
    csv.field_size_limit(sys.maxsize)
    with (shared / "corpus/aci_bench_notes.csv").open(newline="") as file:
        notes = [row["note"] for _, row in zip(range(60), csv.DictReader(file), strict=False)]
    faults, seen = [], Counter()
    for note in notes:
        for resource in emitted(pipeline, note):
            seen[resource["resourceType"]] += 1
            faults += broken(resource)
    assert faults == []
    assert all(seen[name] >= 30 for name in ("Condition", "MedicationStatement", "Observation"))


def test_a_write_that_claims_our_profile_is_held_to_it(pipeline, call):
    """An emitted Condition is stored with the claim, and refused without its evidence."""
    condition = next(r for r in emitted(pipeline, LETTER) if r["resourceType"] == "Condition")
    condition = {**condition, "subject": {"reference": "Patient/p"}, "meta": {"profile": [systems.CODED_CONDITION]}}
    for link in ("encounter", "asserter"):
        condition.pop(link, None)
    call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p"})
    path = f"Condition/{condition['id']}"
    assert call("PUT", path, json.encode(condition)).status == 201
    del condition["code"]["coding"][0]["extension"]
    with pytest.raises(FhirError) as caught:
        call("PUT", path, json.encode(condition))
    assert "Condition.code.coding[0].extension" in {p.expression for p in caught.value.problems}
