"""`Claim/$submit`: one answer to a claim, kept (https://hl7.org/fhir/R4/claim-operation-submit.html)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.claiming.making import claim
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CLAIM_RULE
from fhir_profiles.validate import check
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.operations import claims
from tests.conftest import make_request

Call = Callable[..., Any]
Json = dict[str, Any]
Submit = Callable[[Json], Response]


@pytest.fixture
def submit(fhir: Fhir) -> Submit:
    """`submit(claim)`: the Response."""
    (operation,) = claims.operations(fhir)
    return lambda body: asyncio.run(operation.handler(make_request("POST", "Claim/$submit", body)))  # type: ignore[arg-type]


def _made(seed: int = 1) -> Json:
    return claim(random.Random(seed), seed)


def _rules(found: Json) -> set[str]:
    return {c["code"] for e in found.get("error", ()) for c in e["code"]["coding"] if c["system"] == CLAIM_RULE}


def _stored(call: Call) -> int:
    return int(json.loads(call("GET", "ClaimResponse?_summary=count").body)["total"])


def test_the_answer_is_stored_and_the_same_again(call: Call, submit: Submit) -> None:
    """The same claim, its properties in another order, has one ClaimResponse; another claim has another."""
    resource = _made()
    first = submit(resource)
    again = submit(dict(reversed(list(resource.items()))))
    found = json.loads(first.body)
    assert first.status == 200 and check(found) == [] and again.body == first.body
    assert json.loads(call("GET", f"ClaimResponse/{found['id']}").body) == found
    assert _stored(call) == 1
    resource["item"][0]["net"]["value"] = 1
    assert json.loads(submit(resource).body)["id"] != found["id"]
    assert _stored(call) == 2


def test_what_breaks_a_rule_is_answered_with_200(submit: Submit) -> None:
    """A claim without a provider and with a negative charge: errors in the ClaimResponse, no OperationOutcome."""
    resource = _made()
    del resource["provider"]
    resource["item"][0]["net"]["value"] = -5
    found = submit(resource)
    assert found.status == 200 and json.loads(found.body)["outcome"] == "error"
    assert "CHG-002" in _rules(json.loads(found.body))


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Patient"},
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]},
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Parameters"},
        {"resourceType": "Claim", "item": "none"},
        {"resourceType": "Claim", "item": [{"sequence": 1}] * 2001},
    ],
)
def test_what_is_no_claim_is_refused(call: Call, submit: Submit, body: Json) -> None:
    """Other resources, a claim that is not built as one, too many lines: an error, and nothing is stored."""
    with pytest.raises(FhirError) as refused:
        submit(body)
    assert refused.value.category is Category.INCORRECT
    assert _stored(call) == 0


def test_bundle_and_parameters_are_read(submit: Submit) -> None:
    """A Bundle whose first entry is the Claim, and the Claim as parameter, say what the Claim by itself says."""
    resource = _made()
    alone = json.loads(submit(resource).body)
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}]}
    assert json.loads(submit(wrapped).body) == alone
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
    assert _rules(json.loads(submit(bundle).body)) == _rules(alone)


def test_what_the_server_has_is_looked_up(call: Call, submit: Submit) -> None:
    """References to stored resources count; when one of them changes, the claim is answered anew."""
    resource = _made()
    parts = {f"#{one['id']}": one for one in resource.pop("contained")}
    text = json.dumps(resource)
    for name, one in parts.items():
        text = text.replace(f'"{name}"', f'"{one["resourceType"]}/{one["id"]}"')
    for one in parts.values():
        call("PUT", f"{one['resourceType']}/{one['id']}", json.loads(_pointed(json.dumps(one), parts)))
    found = json.loads(submit(json.loads(text)).body)
    assert _rules(found) == _rules(json.loads(submit(_made()).body))
    assert found["patient"] == {"reference": "Patient/p"}
    patient = json.loads(call("GET", "Patient/p").body)
    del patient["birthDate"]
    call("PUT", "Patient/p", patient)
    later = json.loads(submit(json.loads(text)).body)
    assert later["id"] != found["id"] and _rules(later) > _rules(found)


def _pointed(text: str, parts: dict[str, Json]) -> str:
    for name, one in parts.items():
        text = text.replace(f'"{name}"', f'"{one["resourceType"]}/{one["id"]}"')
    return text


def test_the_answer_refers_to_a_stored_claim_alone(call: Call, submit: Submit) -> None:
    """`request` is a reference when the server has the Claim, and its identifier otherwise."""
    resource = _made()
    found = json.loads(submit(resource).body)
    assert "reference" not in found["request"] and found["request"]["identifier"]["value"] == "A00000001"
    for item in resource["item"]:
        del item["quantity"]["code"]  # R4 wants its system beside it
    call("PUT", "Claim/c1", resource)
    assert json.loads(submit(resource).body)["request"]["reference"] == "Claim/c1"


@pytest.mark.parametrize("asked", ["query", "parameter"])
def test_a_preview_says_the_same_and_keeps_nothing(fhir: Fhir, call: Call, submit: Submit, asked: str) -> None:
    """The ClaimResponse that would be stored, without a stored one; sending the claim afterwards stores it."""
    (operation,) = claims.operations(fhir)
    resource = _made()
    if asked == "query":
        request = make_request("POST", "Claim/$submit?preview=true", resource)
    else:
        given = [{"name": "resource", "resource": resource}, {"name": "preview", "valueBoolean": True}]
        request = make_request("POST", "Claim/$submit", {"resourceType": "Parameters", "parameter": given})
    told = asyncio.run(operation.handler(request))  # type: ignore[arg-type]
    found = json.loads(told.body)
    assert told.status == 200 and check(found) == [] and _stored(call) == 0
    kept = json.loads(submit(resource).body)
    assert {**kept, "created": "", "meta": {}} == {**found, "created": "", "meta": {}}
    assert _stored(call) == 1


def test_a_preview_of_an_answer_that_stands_moves_nothing(fhir: Fhir, call: Call, submit: Submit) -> None:
    """The stored answer stays the only one, in its first version."""
    (operation,) = claims.operations(fhir)
    resource = _made()
    kept = json.loads(submit(resource).body)
    asyncio.run(operation.handler(make_request("POST", "Claim/$submit?preview=true", resource)))  # type: ignore[arg-type]
    stored = json.loads(call("GET", f"ClaimResponse/{kept['id']}").body)
    assert _stored(call) == 1 and stored["meta"]["versionId"] == "1"


@pytest.mark.parametrize(("use", "preview"), [("preauthorization", "true"), ("claim", "perhaps")])
def test_what_has_no_preview_is_refused(fhir: Fhir, use: str, preview: str) -> None:
    """A request for authorisation, and a switch that is neither on nor off."""
    (operation,) = claims.operations(fhir)
    request = make_request("POST", f"Claim/$submit?preview={preview}", _made() | {"use": use})
    with pytest.raises(FhirError) as refused:
        asyncio.run(operation.handler(request))  # type: ignore[arg-type]
    assert refused.value.category is Category.INCORRECT
