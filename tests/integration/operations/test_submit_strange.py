"""`Claim/$submit` and bodies that no billing system should send."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.claiming.making import claim
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import PRICE_STEPS
from fhir_profiles.validate import check
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.operations import claims, near
from tests.conftest import make_request

Call = Callable[..., Any]
Json = dict[str, Any]
Submit = Callable[..., Response]
SECRET = "Quillfeather"


@pytest.fixture
def submit(fhir: Fhir) -> Submit:
    """`submit(body)`: the Response."""
    (operation,) = claims.operations(fhir)

    def send(body: Json | bytes, query: str = "") -> Response:
        return asyncio.run(operation.handler(make_request("POST", f"Claim/$submit{query}", body)))  # type: ignore[arg-type]

    return send


def _with(**changes: Any) -> Json:
    return claim(random.Random(1), 1) | changes


def _item(**changes: Any) -> Json:
    made = _with()
    made["item"][0] |= changes
    return made


def _parameters(*several: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(several)}


REFUSED: dict[str, Json | bytes] = {
    "nothing": b"",
    "no JSON": b'{"resourceType": "Claim", "x": Quillfeather',
    "a list": b'["Quillfeather"]',
    "a number": b"12345678901234567890",
    "null": b"null",
    "bytes that are no text": b'{"resourceType": "Claim", "id": "\xff\xfe"}',
    "deep": b'{"resourceType": "Claim", "x": ' + b"[" * 100_000,
    "an empty Bundle": {"resourceType": "Bundle", "type": "collection"},
    "entries without resources": {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": SECRET}]},
    "a Bundle in a Bundle": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle"}}]},
    "entry is text": {"resourceType": "Bundle", "entry": SECRET},
    "empty Parameters": _parameters(),
    "Parameters with another name": _parameters({"name": "claim", "resource": {"resourceType": "Claim"}}),
    "two claims": _parameters(*[{"name": "resource", "resource": {"resourceType": "Claim"}}] * 2),
    "Parameters in Parameters": _parameters({"name": "resource", "resource": _parameters()}),
    "item is text": _with(item=SECRET),
    "patient is text": _with(patient=SECRET),
    "diagnosis is an object": _with(diagnosis={"sequence": 1}),
    "a sequence of text": _item(sequence=SECRET),
    "a huge sequence": _item(sequence=10**30),
    "a code that is a number": _item(productOrService={"coding": [{"code": 99213}]}),
    "too many lines": _with(item=[{"sequence": 1}] * 2_001),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(call: Call, submit: Submit, body: Json | bytes) -> None:
    """An error of the client that repeats nothing of what was sent; nothing is stored."""
    with pytest.raises(FhirError) as refused:
        submit(body)
    assert refused.value.category is Category.INCORRECT
    assert all(SECRET not in f"{problem.text}{problem.expression}" for problem in refused.value.problems)
    assert json.loads(call("GET", "ClaimResponse?_summary=count").body)["total"] == 0


ANSWERED: dict[str, Json | bytes] = {
    "nothing but its type": {"resourceType": "Claim"},
    "no lines": _with(item=[]),
    "as many lines as may be": _with(item=[{"sequence": n} for n in range(1, 2_001)]),
    "a huge amount": _item(net={"value": 10**40, "currency": "USD"}),
    "a tiny amount": _item(net={"value": 1e-300, "currency": "USD"}),
    "many units": _item(quantity={"value": 1e11}),
    "fewer units than none": _item(quantity={"value": -1e11}),
    "days that are none": _item(servicedDate="2026-02-31"),
    "a day before all others": _item(servicedDate="0001-01-01"),
    "a day after all others": _item(servicedDate="9999-12-31"),
    "a long text": _item(productOrService={"text": "x" * 1_000_000}),
    "pointers to nothing": _item(diagnosisSequence=[999_999, -1, 0], careTeamSequence=[77]),
    "numbers twice": _with(item=[{"sequence": 1}, {"sequence": 1}]),
    "a line numbered nought": _with(item=[{"sequence": 0}, {"sequence": -3}]),
    "odd characters": _with(identifier=[{"value": "\u0000\ud83d\ude00\u202e"}]),
}


@pytest.mark.parametrize("body", ANSWERED.values(), ids=ANSWERED)
def test_what_can_be_read_is_answered(submit: Submit, body: Json) -> None:
    """200 with a valid ClaimResponse, and the same again."""
    found = submit(body)
    assert found.status == 200 and check(json.loads(found.body)) == []
    assert submit(body).body == found.body


def test_references_that_loop_come_to_an_end(call: Call, submit: Submit) -> None:
    """Coverage, organisations and contained resources that point at themselves and at each other."""
    made = _with()
    made["contained"] += [{"resourceType": "PractitionerRole", "id": "x", "organization": {"reference": "#x"}}]
    made["provider"] = {"reference": "#x"}
    made["related"] = [{"claim": {"reference": "Claim/c1"}, "relationship": {"coding": [{"code": "prior"}]}}]
    made["insurance"][0]["claimResponse"] = {"reference": "#"}
    assert submit(made).status == 200
    call(
        "PUT",
        "Organization/a",
        {"resourceType": "Organization", "id": "a", "name": "A", "partOf": {"reference": "Organization/a"}},
    )
    assert submit(_with(provider={"reference": "Organization/a"})).status == 200


def test_references_to_elsewhere_are_not_followed(submit: Submit) -> None:
    """Other servers, operations, searches and paths are names that nobody here has."""
    for name in (
        "http://169.254.169.254/latest",
        "Patient/$everything",
        "Patient?name=x",
        "../Patient/p",
        "file:///etc",
    ):
        assert submit(_with(patient={"reference": name})).status == 200


def test_a_claim_may_rest_on_so_many_resources(call: Call, submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    """More references than that are refused with what the limit is."""
    made = _with(careTeam=[{"sequence": n, "provider": {"reference": f"Practitioner/{n}"}} for n in range(1, 202)])
    with pytest.raises(FhirError) as refused:
        submit(made)
    assert str(near.MOST_REFERENCES) in refused.value.problems[0].text


def test_the_way_to_a_price_is_told_where_it_is_asked_for(submit: Submit) -> None:
    """`explain=true` in the URL or as a parameter; by itself the answer has none; other values are refused."""
    plain = json.loads(submit(_with()).body)
    told = json.loads(submit(_with(), "?explain=true").body)
    again = _parameters({"name": "resource", "resource": _with()}, {"name": "explain", "valueBoolean": True})
    assert json.loads(submit(again).body) == told and check(told) == []
    assert [e["url"] for e in told["extension"]].count(PRICE_STEPS) == 3
    assert plain["id"] != told["id"] and PRICE_STEPS not in [e["url"] for e in plain["extension"]]
    with pytest.raises(FhirError):
        submit(_with(), f"?explain={SECRET}")


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_it_is_not_run_inside_a_bundle(call: Call, kind: str) -> None:
    """An entry that calls it is told to call it by itself; a transaction fails as a whole."""
    entry = {"resource": _with(), "request": {"method": "POST", "url": "Claim/$submit"}}
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
    if kind == "transaction":
        with pytest.raises(FhirError) as refused:
            call("POST", "", bundle)
        assert "Operations" in refused.value.problems[0].text
        return
    (answer,) = json.loads(call("POST", "", bundle).body)["entry"]
    assert answer["response"]["status"].startswith("4")
    assert "Operations" in json.dumps(answer["response"]["outcome"])


def test_requests_at_once_have_one_answer(fhir: Fhir, call: Call) -> None:
    """The same claim, ten times at the same time, is answered and stored once."""
    (operation,) = claims.operations(fhir)

    async def ten() -> list[Response]:
        request = make_request("POST", "Claim/$submit", _with())
        return await asyncio.gather(*(operation.handler(request) for _ in range(10)))  # type: ignore[arg-type]

    assert len({one.body for one in asyncio.run(ten())}) == 1
    assert json.loads(call("GET", "ClaimResponse?_summary=count").body)["total"] == 1
