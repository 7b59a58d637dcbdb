"""CPU per resource for reading, checking and indexing, beside an orjson parse and two other validators."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fhirkit
import fhirpathpy
import orjson
from fhirpathpy.models import models

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.extract import index
from fhir_profiles.fhirpath import compile
from fhir_profiles.validate import check

_CODING = {"system": "http://loinc.org", "code": "8480-6", "display": "Systolic blood pressure"}
WIDTHS = (7, 8, 8, 8, 8, 9, 16)
SHARED = Path(__file__).parents[2] / "shared" / "conformance"
PATHS = ("name.given", "name.where(use = 'official').given.first()", "name.all(family.exists() or given.exists())")
_MONEY = {"value": 72.5, "currency": "USD"}


def _samples() -> dict[str, dict[str, Any]]:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"use": "usual", "system": "https://example.org/mrn", "value": "M-1001"}],
        "active": True,
        "name": [{"use": "official", "family": "Quill", "given": ["Ada", "Mae"]}],
        "telecom": [{"system": "phone", "value": "555-0100", "use": "home"}],
        "gender": "female",
        "birthDate": "1980-02-29",
        "address": [{"line": ["1 Elm Street"], "city": "Dover", "state": "DE", "postalCode": "19901"}],
        "managingOrganization": {"reference": "Organization/o1"},
    }
    observation = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [_CODING], "text": "Systolic"},
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "effectiveDateTime": "2024-03-01T10:00:00+01:00",
        "issued": "2024-03-01T09:00:00.000Z",
        "valueQuantity": {"value": 120.5, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        "referenceRange": [{"low": {"value": 90}, "high": {"value": 120}}],
    }
    item = {
        "sequence": 1,
        "diagnosisSequence": [1],
        "productOrService": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99213"}]},
        "servicedDate": "2024-03-01",
        "quantity": {"value": 1},
        "unitPrice": _MONEY,
        "net": _MONEY,
    }
    claim = {
        "resourceType": "Claim",
        "id": "c1",
        "status": "active",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "use": "claim",
        "patient": {"reference": "Patient/p1"},
        "created": "2024-03-02",
        "provider": {"reference": "Organization/o1"},
        "priority": {"coding": [{"code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/v1"}}],
        "diagnosis": [
            {
                "sequence": 1,
                "diagnosisCodeableConcept": {
                    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}]
                },
            }
        ],
        "item": [item | {"sequence": n} for n in range(1, 6)],
        "total": _MONEY,
    }
    return {r["resourceType"]: r for r in (patient, observation, claim)}  # type: ignore[misc]


def microseconds(call: Callable[[], Any], runs: int = 300) -> float:
    """CPU of one call, the best of five rounds."""
    call()
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(runs):
            call()
        best = min(best, (time.process_time() - start) / runs)
    return best * 1e6


def main() -> None:
    """Print one row per sample."""
    start = time.process_time()
    load()
    print(f"definitions loaded in {(time.process_time() - start) * 1e3:.0f} ms of CPU")
    titles = zip(("bytes", "orjson", "decode", "check", "index", "fhirkit", "fhir.resources"), WIDTHS, strict=True)
    print(f"{'CPU us':12}" + "".join(f"{t:>{w}}" for t, w in titles))
    for name, sample in _samples().items():
        body = orjson.dumps(sample)
        resource = json.decode(body)
        assert check(resource) == []
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name)
        measured = (
            microseconds(lambda body=body: orjson.loads(body)),
            microseconds(lambda body=body: json.decode(body)),
            microseconds(lambda resource=resource: check(resource)),
            microseconds(lambda resource=resource: index(resource)),
            microseconds(lambda body=body: fhirkit.validate(body)),
            microseconds(lambda body=body, model=model: model.model_validate_json(body), runs=50),
        )
        cells = (len(body), *(f"{m:.1f}" for m in measured))
        print(f"{name:12}" + "".join(f"{c:>{w}}" for c, w in zip(cells, WIDTHS, strict=True)))
    _print_corpora()
    _print_paths(_samples()["Patient"])


def _print_corpora() -> None:
    """What checking costs over published resources, when they lie beside the repository."""
    for folder in ("synthea", "r4-examples"):
        files = [json.decode(path.read_bytes()) for path in sorted((SHARED / folder).glob("*.json"))]
        resources = [e["resource"] for r in files for e in r["entry"]] if folder == "synthea" else files
        for resource in resources:
            check(resource)
        start = time.process_time()
        refused = sum(bool(check(resource)) for resource in resources)
        spent = (time.process_time() - start) / max(len(resources), 1) * 1e3
        print(f"check {folder}: {len(resources)} resources, {refused} refused, {spent:.3f} CPU-ms each")


def _print_paths(patient: dict[str, Any]) -> None:
    """A FHIRPath here and in another engine."""
    for text in PATHS:
        path, other = compile(text), fhirpathpy.compile(text, models["r4"])
        own = microseconds(lambda path=path: path.evaluate(patient))
        theirs = microseconds(lambda other=other: other(patient))
        print(f"{text}: {own:.1f} us, fhirpathpy {theirs:.1f}")


if __name__ == "__main__":
    main()
