"""Make sound claims of every kind, the same for the same seed; tests break one thing of them at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from fhir_profiles.systems import (
    CLAIM_INFORMATION,
    CLAIM_TYPE,
    CPT,
    DIAGNOSIS_TYPE,
    EIN,
    HCPCS,
    ICD10CM,
    NPI,
    NUCC,
    PLACE_OF_SERVICE,
    PROCESS_PRIORITY,
)

Json = dict[str, Any]
FAMILIES = ("Moreau", "Okafor", "Lindgren", "Tanaka", "Silva", "Novak", "Haddad", "Fischer", "Rossi", "Kowalski")
DIAGNOSES = ("I10", "E11.9", "J45.909", "M54.50", "G47.33", "E78.5", "K21.9", "R07.9", "Z00.00", "F32.A")
CODES = ("99213", "83036", "36415", "80053", "85025", "71046", "93000", "90471", "G0438", "J1100")
CITIES = (("Springfield", "MA", "01103"), ("Austin", "TX", "78701"), ("Fresno", "CA", "93701"))
FIRST = date(2026, 4, 6)


def npi(dice: random.Random) -> str:
    """A number with the right check digit."""
    body = "1" + "".join(str(dice.randrange(10)) for _ in range(8))
    total = 24
    for place, digit in enumerate(map(int, body)):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


COVERAGES = {
    "medicare": ("MEDICARE", "1EG4TE5MK73"), "medicaid": ("MCAID", "00123456A"), "commercial": ("EHCPOL", None),
    "federal": ("CH", "012345678"), "workers": ("WCBPOL", None), "auto": ("AUTOPOL", None), "other": ("SELFPAY", None),
}  # fmt: skip
"""Kind of payer → type of the coverage, and a number of a member such as these have."""

UNKNOWN = npi(random.Random(99))
NPIS = tuple(npi(random.Random(n)) for n in range(12))
"""Those who bill and treat in made claims: even places are organisations, odd ones persons."""


def paid_by(claim: Json, kind: str) -> None:
    """Send a claim to another kind of payer, with what such a payer is told."""
    coverage = next(one for one in claim["contained"] if one["resourceType"] == "Coverage")
    type, member = COVERAGES[kind]
    coverage["type"]["coding"][0]["code"] = type
    coverage["subscriberId"] = member or coverage.get("subscriberId")
    if kind in ("workers", "auto"):
        _injured(claim, coverage, kind)


def _injured(claim: Json, coverage: Json, kind: str) -> None:
    """The patient was hurt: no member of anything, known by a social security number or that of the policy."""
    del coverage["subscriber"]
    coverage["relationship"]["coding"][0]["code"] = "injured"
    coverage["subscriberId"] = "219-09-9999" if kind == "workers" else "POL 77/4711"
    claim["accident"] = {
        "date": (date.fromisoformat(claim["billablePeriod"]["start"]) - timedelta(days=3)).isoformat(),
        "type": coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "WPA" if kind == "workers" else "MVA"),
        "locationAddress": {"state": "MA"},
    }


def coded(system: str, code: str) -> Json:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def claim(dice: random.Random, number: int, lines: int = 3) -> Json:
    """A professional claim for an office visit with tests, which breaks no rule."""
    city, state, postal = dice.choice(CITIES)
    address = [{"line": [f"{dice.randrange(1, 999)} Mill Lane"], "city": city, "state": state, "postalCode": postal}]
    site = [{**address[0], "postalCode": f"{postal}1234"}]
    born = date(dice.randrange(1940, 2000), dice.randrange(1, 13), dice.randrange(1, 29))
    day = (FIRST + timedelta(days=dice.randrange(120))).isoformat()
    chosen = dice.sample(CODES, lines)
    items = [_item(dice, n, code, day) for n, code in enumerate(chosen, 1)]
    total = sum(round(item["net"]["value"] * 100) for item in items)
    return {
        "resourceType": "Claim",
        "id": f"c{number}",
        "contained": [
            {
                "resourceType": "Patient", "id": "p", "name": [{"family": dice.choice(FAMILIES), "given": ["Robin"]}],
                "gender": dice.choice(("female", "male")), "birthDate": born.isoformat(), "address": address,
            },
            {
                "resourceType": "Organization", "id": "o", "name": "Mill Lane Clinic", "address": site,
                "identifier": [{"system": NPI, "value": NPIS[0]}, {"system": EIN, "value": "043456789"},
                               {"system": NUCC, "value": "207R00000X"}],
            },
            {
                "resourceType": "Practitioner", "id": "r", "name": [{"family": "Adler", "given": ["Jo"]}],
                "identifier": [{"system": NPI, "value": NPIS[1]}],
            },
            {
                "resourceType": "Organization", "id": "y", "name": "Example Health Plan",
                "identifier": [{"system": "urn:payer", "value": "12345"}],
            },
            {
                "resourceType": "Coverage", "id": "v", "status": "active",
                "subscriberId": f"W{dice.randrange(10**8):08d}",
                "relationship": coded("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self"),
                "subscriber": {"reference": "#p"}, "beneficiary": {"reference": "#p"}, "payor": [{"reference": "#y"}],
                "type": coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "EHCPOL"),
                "period": {"start": "2020-01-01"},
            },
        ],
        "identifier": [{"system": "urn:claims", "value": f"A{number:08d}"}],
        "status": "active",
        "type": coded(CLAIM_TYPE, "professional"),
        "use": "claim",
        "patient": {"reference": "#p"},
        "billablePeriod": {"start": day, "end": day},
        "created": (date.fromisoformat(day) + timedelta(days=2)).isoformat(),
        "insurer": {"reference": "#y"},
        "provider": {"reference": "#o"},
        "priority": coded(PROCESS_PRIORITY, "normal"),
        "careTeam": [
            {"sequence": 1, "provider": {"reference": "#r"},
             "role": coded("http://terminology.hl7.org/CodeSystem/claimcareteamrole", "rendering"),
             "qualification": coded(NUCC, "207R00000X")}
        ],
        "supportingInfo": [
            {"sequence": 1, "category": coded(CLAIM_INFORMATION, "clmrecvddate"),
             "timingDate": (date.fromisoformat(day) + timedelta(days=3)).isoformat()},
        ],
        "diagnosis": [
            {"sequence": n, "diagnosisCodeableConcept": coded(ICD10CM, code),
             **({"type": [coded(DIAGNOSIS_TYPE, "principal")]} if n == 1 else {})}
            for n, code in enumerate(dice.sample(DIAGNOSES, 3), 1)
        ],
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "#v"}}],
        "item": items,
        "total": {"value": total / 100, "currency": "USD"},
    }  # fmt: skip


def _item(dice: random.Random, number: int, code: str, day: str) -> Json:
    price = dice.randrange(20_000, 40_000)
    return {
        "sequence": number,
        "careTeamSequence": [1],
        "diagnosisSequence": [1, 2, 3] if number == 1 else sorted(dice.sample((1, 2, 3), dice.randrange(1, 4))),
        "productOrService": coded(HCPCS if code[0].isalpha() else CPT, code),
        "servicedDate": day,
        "locationCodeableConcept": coded(PLACE_OF_SERVICE, "11"),
        "quantity": {"value": 1, "code": "UN"},
        "unitPrice": {"value": price / 100, "currency": "USD"},
        "net": {"value": price / 100, "currency": "USD"},
    }


def claims(count: int, seed: int = 1, lines: int = 3) -> Iterator[Json]:
    """Many claims."""
    dice = random.Random(seed)
    for number in range(count):
        yield claim(dice, number, lines)
