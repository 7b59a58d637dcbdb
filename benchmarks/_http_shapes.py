"""The requests that FHIR servers are compared by, and a few of our own: many of each, so that no two are alike."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from typing import Any

from benchmarks._http_load import Load, Sent

PATIENTS = 200
FAMILIES = ("Moreau", "Okafor", "Lindgren", "Tanaka", "Silva", "Novak", "Haddad", "Fischer", "Rossi", "Kowalski")
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_MANY = 1000


@dataclass(frozen=True)
class Shape:
    """One kind of request and what it may cost: CPU-ms a request of server and database, by engine."""

    name: str
    load: Load
    most: dict[str, float]
    resources: int = 1
    """How many resources a request stores; the figure is per resource."""


def patient(dice: random.Random) -> dict[str, Any]:
    """A patient with an identifier, a name, a birth date and an address."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:mrn", "value": str(dice.randrange(10**9))}],
        "name": [{"family": dice.choice(FAMILIES), "given": ["Robin"]}],
        "gender": dice.choice(("female", "male")),
        "birthDate": f"{dice.randrange(1930, 2020)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}",
        "address": [{"line": ["12 Mill Lane"], "city": "Springfield", "postalCode": "01103", "country": "US"}],
    }


def observation(dice: random.Random, subject: str) -> dict[str, Any]:
    """A systolic blood pressure."""
    when = f"{dice.randrange(2020, 2026)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}T10:15:00Z"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": "8480-6", "display": "Systolic blood pressure"}]},
        "subject": {"reference": subject},
        "effectiveDateTime": when,
        "valueQuantity": {"value": dice.randrange(90, 190), "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
    }


def document() -> bytes:
    """A short note, whose coding is a job in the same commit."""
    text = base64.b64encode(b"Vitals: BP 120/80, HR 72. Assessment: Essential hypertension (I10).").decode()
    return _bytes(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "type": {"coding": [{"system": LOINC, "code": "11506-3"}]},
            "subject": {"reference": "Patient/p0"},
            "date": "2026-03-04T10:15:00Z",
            "content": [{"attachment": {"contentType": "text/plain", "data": text}}],
        }
    )


def transaction(dice: random.Random, observations: int) -> bytes:
    """A patient and its observations, linked by a urn."""
    urn = _urn(dice)
    resources = [patient(dice), *(observation(dice, urn) for _ in range(observations))]
    entries = [
        {
            "fullUrl": _urn(dice) if at else urn,
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for at, resource in enumerate(resources)
    ]
    return _bytes({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def before() -> list[Sent]:
    """What is stored before anything is measured."""
    dice = random.Random(1)
    sent = [Sent("PUT", f"/fhir/Patient/p{n}", _bytes({**patient(dice), "id": f"p{n}"})) for n in range(PATIENTS)]
    sent += [Sent("POST", "/fhir/Observation", _bytes(observation(dice, f"Patient/p{n % 200}"))) for n in range(1000)]
    return sent


def shapes() -> list[Shape]:
    """Every kind of request, the six that servers are compared by first."""
    dice = random.Random(2)

    def some(count: int, make: Any) -> Load:
        return Load(tuple(make() for _ in range(count)))

    def get(path: str) -> Sent:
        return Sent("GET", f"/fhir/{path}")

    def code() -> str:
        return f"Observation?subject=Patient/p{dice.randrange(PATIENTS)}&code={LOINC}%7C8480-6&_count=20"

    def named() -> str:
        return f"Patient?family={dice.choice(FAMILIES)}&birthdate=ge1980-01-01&_count=20"

    def subject() -> str:
        return f"Patient/p{dice.randrange(PATIENTS)}"

    def post(type_: str, body: bytes) -> Sent:
        return Sent("POST", f"/fhir/{type_}", body)

    patients = some(_MANY, lambda: post("Patient", _bytes(patient(dice))))
    observations = some(_MANY, lambda: post("Observation", _bytes(observation(dice, subject()))))
    bundles = some(_MANY, lambda: Sent("POST", "/fhir", transaction(dice, 1)))
    large = some(60, lambda: Sent("POST", "/fhir", transaction(dice, 99)))
    return [
        Shape("create Patient", patients, {"postgresql": 2.0, "sqlite": 1.0}),
        Shape("create Observation", observations, {"postgresql": 2.0, "sqlite": 1.0}),
        Shape("read Patient", some(PATIENTS, lambda: get(subject())), {"postgresql": 0.4, "sqlite": 0.2}),
        Shape("search Patient", some(PATIENTS, lambda: get(named())), {"postgresql": 1.0, "sqlite": 0.5}),
        Shape("search Observation", some(PATIENTS, lambda: get(code())), {"postgresql": 1.0, "sqlite": 0.5}),
        Shape("transaction of 2", bundles, {"postgresql": 4.0, "sqlite": 2.0}),
        Shape("bundle of 100", large, {"sqlite": 0.2}, resources=100),
        Shape(
            "create with job",
            some(1, lambda: post("DocumentReference", document())),
            {"postgresql": 2.0, "sqlite": 1.0},
        ),
    ]


def _urn(dice: random.Random) -> str:
    return f"urn:uuid:{dice.getrandbits(32):08x}-0000-4000-8000-{dice.getrandbits(48):012x}"


def _bytes(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()
