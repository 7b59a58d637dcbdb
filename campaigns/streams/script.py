"""The messages of the campaign, made from a seed: what is sent, in which order, how often."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

PATIENTS = 500
LATE, AGAIN = 0.06, 0.08
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_TYPE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]}


class Sent(NamedTuple):
    """One message as it is sent."""

    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def order(count: int, seed: int) -> list[int]:
    """The numbers of messages in the order in which they are sent: some late, some more than once."""
    dice = random.Random(seed)
    placed: list[tuple[float, int]] = []
    for number in range(count):
        at = number + (dice.uniform(1, 4000) if dice.random() < LATE else 0)
        placed.append((at, number))
        if dice.random() < AGAIN:
            placed.append((at + dice.uniform(0.1, 8000), number))
    return [number for _, number in sorted(placed)]


def make(number: int, seed: int) -> Sent:
    """Message `number`: the larger the number, the later the version that it holds."""
    dice = random.Random(seed * 1_000_003 + number)
    patient = f"p{dice.randrange(PATIENTS)}"
    headers = [("ce_id", f"m{number}".encode())]
    roll = dice.random()
    if roll < 0.02:
        return Sent(patient.encode(), headers, _bad(dice))
    if roll < 0.55:
        headers.append(("ce_sequence", str(number).encode()))
        body = _document(f"d-{patient}-{dice.randrange(3)}", patient, number)
    elif roll < 0.7:
        body = {**_claim(f"c-{patient}-{dice.randrange(2)}", patient), "meta": {"lastUpdated": moment(number)}}
        body["created"] = moment(number)[:10]
        body["identifier"] = [{"value": str(number)}]
    else:
        body = _bundle(patient, number, "batch" if roll > 0.97 else "transaction")
    return Sent(patient.encode(), headers, json.dumps(body).encode())


def moment(number: int) -> str:
    """The instant at which the version of a message was made."""
    return (_BEGIN + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _document(name: str, patient: str, number: int) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference", "id": name, "status": "current", "description": str(number),
        "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "Q291Z2gu"}}],
    }  # fmt: skip


def _claim(name: str, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Claim", "id": name, "status": "active", "type": _TYPE, "use": "claim",
        "patient": {"reference": f"Patient/{patient}"}, "provider": {"display": "Clinic"},
        "priority": {"text": "normal"}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}],
    }  # fmt: skip


def _bundle(patient: str, number: int, kind: str) -> dict[str, Any]:
    """A patient in a version, and an observation that is created."""
    resource = {"resourceType": "Patient", "id": patient, "meta": {"lastUpdated": moment(number)}}
    resource["identifier"] = [{"value": str(number)}]
    observation = {
        "resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
        "identifier": [{"value": str(number)}],
        "subject": {"reference": f"Patient/{patient}"}, "valueInteger": number % 200,
    }  # fmt: skip
    entries = [
        {"resource": resource, "request": {"method": "PUT", "url": f"Patient/{patient}"}},
        {"resource": observation, "request": {"method": "POST", "url": "Observation"}},
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _bad(dice: random.Random) -> bytes:
    return dice.choice(
        [
            b'{"resourceType": "DocumentReference", ',
            b'{"resourceType": "Medication"}',
            json.dumps({"resourceType": "DocumentReference", "status": "lost", "n": dice.random()}).encode(),
        ]
    )
