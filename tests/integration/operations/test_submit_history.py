"""`Claim/$submit` and what the server has of the patient: earlier claims, answers of payers."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.claiming.making import claim
from campaigns.claiming.tables import framed, made_rows
from claims.tables.store import Release, TableSource, save
from fhir_profiles.systems import CLAIM_RULE, EARLIER_CLAIMS
from fhir_profiles.validate import check
from server.interactions.fhir import Fhir
from server.operations import claims, earlier
from server.settings import Settings
from tests.conftest import make_request

Call = Callable[..., Any]
Json = dict[str, Any]
Submit = Callable[[Json], Json]


@pytest.fixture
def submit(fhir: Fhir, settings: Settings) -> Submit:
    """`submit(claim)`: the ClaimResponse, with the made tables loaded."""
    for name, rows in made_rows().items():
        frame = framed(name, rows)
        release = Release(name, "made", None, None, "made", "none", f"made-{len(frame)}")
        save(settings.data, TableSource(release, lambda frame=frame: frame))  # type: ignore[misc]
    (operation,) = claims.operations(fhir)
    return lambda body: json.loads(asyncio.run(operation.handler(make_request("POST", "Claim/$submit", body))).body)  # type: ignore[arg-type]


@pytest.fixture
def made(call: Call) -> Callable[..., Json]:
    """`made(1)`: a claim of a stored patient; those of different numbers differ in nothing else."""
    resource = claim(random.Random(1), 1)
    parts = {f'"#{one["id"]}"': f'"{one["resourceType"]}/{one["id"]}"' for one in resource["contained"]}

    def pointed(text: str) -> str:
        for name, stored in parts.items():
            text = text.replace(name, stored)
        return text

    for one in resource.pop("contained"):
        call("PUT", f"{one['resourceType']}/{one['id']}", json.loads(pointed(json.dumps(one))))
    for item in resource["item"]:
        del item["quantity"]["code"]  # R4 wants its system beside it
    text = pointed(json.dumps(resource))

    def make(number: int, **changes: Any) -> Json:
        number_of = [{"system": "urn:claims", "value": f"A{number}"}]
        return json.loads(text) | {"id": f"c{number}", "identifier": number_of} | changes

    return make


def rules(found: Json) -> set[str]:
    """The rules of severity error that a claim breaks."""
    return {c["code"] for e in found.get("error", ()) for c in e["code"]["coding"] if c["system"] == CLAIM_RULE}


def told(found: Json) -> Json:
    """What the answer says of earlier claims."""
    (parts,) = (e["extension"] for e in found["extension"] if e["url"] == EARLIER_CLAIMS)
    return {part["url"]: value for part in parts for name, value in part.items() if name != "url"}


def paid(call: Call, number: int, amount: int, disposition: str = "Processed as primary") -> None:
    """A payer's answer to a stored claim."""
    answer = {
        "resourceType": "ClaimResponse", "status": "active", "use": "claim", "outcome": "complete",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "patient": {"reference": "Patient/p"}, "created": "2026-08-01", "insurer": {"reference": "Organization/y"},
        "request": {"reference": f"Claim/c{number}"}, "disposition": disposition,
        "payment": {"type": {"text": "Payment"}, "amount": {"value": amount, "currency": "USD"}},
    }  # fmt: skip
    assert call("POST", "ClaimResponse", answer).status == 201


def test_an_earlier_claim_of_the_patient_counts(call: Call, submit: Submit, made: Callable[..., Json]) -> None:
    """A copy of a stored claim is a duplicate, and the answer tells how many claims were asked."""
    alone = submit(made(2))
    assert "DUP-003" not in rules(alone) and told(alone)["claims"] == 0
    call("PUT", "Claim/c1", made(1))
    found = submit(made(2))
    assert "DUP-003" in rules(found) and check(found) == [] and found["id"] != alone["id"]
    assert told(found) == {"claims": 1, "since": told(found)["since"]} and told(found)["since"] < "2024"


def test_what_does_not_count(call: Call, submit: Submit, made: Callable[..., Json]) -> None:
    """The claim itself, what it corrects, and claims in error, cancelled, of others, or only asked for in advance."""
    call("PUT", "Claim/c1", made(1, status="entered-in-error"))
    call("PUT", "Claim/c2", made(2))
    call("PUT", "Claim/c3", made(3, use="preauthorization"))
    call("PUT", "Patient/q", {"resourceType": "Patient", "id": "q"})
    call("PUT", "Claim/c4", made(4, patient={"reference": "Patient/q"}))
    call("PUT", "Claim/c5", made(5, created="2019-01-01"))
    assert "DUP-003" not in rules(submit(made(2)))
    related = [{"relationship": {"coding": [{"code": "prior"}]}, "claim": {"reference": "Claim/c2"}}]
    assert "DUP-003" not in rules(submit(made(6, related=related)))
    assert "DUP-003" in rules(submit(made(7)))


def test_a_change_of_the_history_asks_for_a_new_answer(call: Call, submit: Submit, made: Callable[..., Json]) -> None:
    """The same claim has the same answer until an earlier claim, or who is named there, changes."""
    call("PUT", "Claim/c1", made(1))
    first = submit(made(2))
    assert submit(made(2)) == first
    organisation = json.loads(call("GET", "Organization/o").body)
    organisation["identifier"] = [one for one in organisation["identifier"] if one["value"] != "043456789"]
    call("PUT", "Organization/o", organisation)
    second = submit(made(2))
    assert second["id"] != first["id"] and "DUP-003" in rules(second)
    call("DELETE", "Claim/c1")
    assert "DUP-003" not in rules(submit(made(2)))


def test_the_answers_of_payers_tell_what_became_of_a_claim(
    call: Call, submit: Submit, made: Callable[..., Json]
) -> None:
    """A line of a denied claim may be billed again; our own answers to a claim say nothing of it."""
    other = made(2)
    other["item"][0]["net"]["value"] += 1
    call("PUT", "Claim/c1", made(1))
    submit(made(1))
    assert "DUP-002" in rules(submit(other))
    paid(call, 1, 0, "Denied")
    assert "DUP-002" not in rules(submit(other))
    paid(call, 1, 100)
    assert "DUP-002" in rules(submit(other))


def test_the_newest_claims_are_asked(
    call: Call, submit: Submit, made: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number the older ones are left out, and the answer says that there are more."""
    monkeypatch.setattr(earlier, "MOST", 2)
    for number in (1, 2, 3):
        call("PUT", f"Claim/c{number}", made(number))
    assert told(submit(made(4))) == {"claims": 2, "more": True, "since": told(submit(made(4)))["since"]}


def test_a_patient_who_comes_with_the_claim_has_no_history_here(
    call: Call, submit: Submit, made: Callable[..., Json]
) -> None:
    """A Bundle's Patient/p may be another person than the server's, and nothing is looked up."""
    call("PUT", "Claim/c1", made(1))
    patient = json.loads(call("GET", "Patient/p").body)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": made(2)}, {"resource": patient}]}
    found = submit(bundle)
    assert "DUP-003" not in rules(found)
    assert EARLIER_CLAIMS not in [e["url"] for e in found["extension"]]
