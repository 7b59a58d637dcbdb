"""`Claim/[id]/$explanation-of-benefit`: stored, found, once (https://hl7.org/fhir/us/carin-bb/)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.claiming.making import claim
from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.operations import benefit, claims
from tests.conftest import make_request
from tests.unit.claims.answer.carin import broken
from tests.unit.claims.answer.test_benefit import _answer

Call = Callable[..., Any]
Json = dict[str, Any]


@pytest.fixture
def explain(fhir: Fhir) -> Callable[..., Response]:
    """`explain("c1", network="other")`: the Response."""
    (operation,) = benefit.operations(fhir)

    def ask(id: str, **said: str) -> Response:
        parameters = [{"name": name.replace("_", "-"), "valueString": value} for name, value in said.items()]
        body = {"resourceType": "Parameters", "parameter": parameters}
        return asyncio.run(operation.handler(make_request("POST", f"Claim/{id}/$explanation-of-benefit", body)))  # type: ignore[arg-type]

    return ask


def made(number: int = 1) -> Json:
    """A claim that can be stored."""
    found = claim(random.Random(number), number)
    for item in found["item"]:
        item["quantity"] = {"value": 1}
    return found


def _paid(resource: Json, id: str = "r1", **more: Any) -> Json:
    answer = _answer(resource)
    kind = resource["type"]
    return answer | {
        "id": id, "type": kind, "use": "claim", "patient": {"display": "p"}, "insurer": {"display": "y"},
        "payment": answer["payment"] | {"type": {"text": "complete"}}, "request": {"reference": "Claim/c1"}, **more,
    }  # fmt: skip


def test_an_answer_becomes_an_explanation_that_is_found(call: Call, explain: Callable[..., Response]) -> None:
    """A payer's answer: of the profile, found by its claim; asked again it is the same, without a new version."""
    resource = made()
    call("PUT", "Claim/c1", resource)
    call("PUT", "ClaimResponse/r1", _paid(resource))
    first = explain("c1", network="innetwork")
    found = json.loads(first.body)
    assert first.status == 200 and broken(found, "professional") == []
    assert json.loads(call("GET", f"ExplanationOfBenefit/{found['id']}").body) == found
    again = explain("c1", network="innetwork")
    assert again.body == first.body and again.etag == 'W/"1"'
    searched = json.loads(call("GET", "ExplanationOfBenefit?claim=Claim/c1").body)
    assert [entry["resource"]["id"] for entry in searched["entry"]] == [found["id"]]
    later = json.loads(explain("c1").body)
    assert later["meta"]["versionId"] == "2" and "profile" not in later["meta"]


def test_a_decision_goes_before_an_estimate(fhir: Fhir, call: Call, explain: Callable[..., Response]) -> None:
    """Without an answer there is none; a scrub makes an estimate, a payer's answer an adjudication of its own."""
    resource = made()
    call("PUT", "Claim/c1", resource)
    with pytest.raises(FhirError, match="no answer yet") as refused:
        explain("c1")
    assert refused.value.category is Category.CONFLICT
    (submit,) = claims.operations(fhir)
    asyncio.run(submit.handler(make_request("POST", "Claim/$submit", resource)))  # type: ignore[arg-type]
    estimate = json.loads(explain("c1").body)
    assert estimate["status"] == "draft" and estimate["meta"]["tag"][0]["code"] == "estimate"
    call("PUT", "ClaimResponse/r1", _paid(resource))
    decided = json.loads(explain("c1", network="other").body)
    assert decided["status"] == "active" and decided["id"] != estimate["id"]


def test_only_an_answer_to_the_claim_is_taken(call: Call, explain: Callable[..., Response]) -> None:
    """Named answers: by number of the claim taken, of another claim refused; other words for the network refused."""
    resource = made()
    call("PUT", "Claim/c1", resource)
    number = resource["identifier"][0]
    call("PUT", "ClaimResponse/r1", _paid(resource, request={"identifier": {"value": number["value"]}}))
    call("PUT", "ClaimResponse/r2", _paid(resource, "r2", request={"reference": "Claim/other"}))
    assert explain("c1", response="ClaimResponse/r1").status == 200
    for said in ({"response": "ClaimResponse/r2"}, {"response": "Claim/c1"}, {"network": "maybe"}, {"more": "x"}):
        with pytest.raises(FhirError) as refused:
            explain("c1", **said)
        assert refused.value.category is Category.INCORRECT
    with pytest.raises(FhirError) as refused:
        explain("none")
    assert refused.value.category is Category.NOT_FOUND
