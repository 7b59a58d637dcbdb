"""`Claim/[id]/$correct`, and bills that stay as they are (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from claims.x12.envelope import Envelope
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BILLING
from fhir_profiles.validate import check
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.operations import correct
from server.operations.correct import Bills
from tests.conftest import make_request
from tests.integration.operations.test_benefit import _paid, made

Call = Callable[..., Any]
Json = dict[str, Any]
Correct = Callable[..., Response]
EXPORTED = {"tag": [{"system": BILLING, "code": "exported"}]}


@pytest.fixture
def amend(fhir: Fhir) -> Correct:
    """`amend("c1", kind="void")`: the Response; bills are kept."""
    fhir.on_write.append(Bills(fhir))
    (operation,) = correct.operations(fhir)

    def ask(id: str, resource: Json | None = None, **said: str) -> Response:
        parameters: list[Json] = [{"name": name, "valueString": value} for name, value in said.items()]
        if resource is not None:
            parameters.append({"name": "resource", "resource": resource})
        body = {"resourceType": "Parameters", "parameter": parameters}
        return asyncio.run(operation.handler(make_request("POST", f"Claim/{id}/$correct", body)))  # type: ignore[arg-type]

    return ask


def _refused(ask: Callable[[], Any], says: str) -> None:
    with pytest.raises(FhirError, match=says) as refused:
        ask()
    assert refused.value.category is Category.CONFLICT


def test_a_decided_claim_is_replaced_once(call: Call, amend: Correct) -> None:
    """A payer's answer gives the number; the new Claim is stored, the old stays; again it is the same one."""
    resource = made()
    call("PUT", "Claim/c1", resource)
    call("PUT", "ClaimResponse/r1", _paid(resource))
    before = call("GET", "Claim/c1").body
    first = amend("c1", {**resource, "item": resource["item"][:2]})
    found = json.loads(first.body)
    assert first.status == 201 and check(found) == [] and found["related"][0]["reference"] == {"value": "ICN1"}
    assert found["related"][0]["claim"]["reference"] == "Claim/c1" and found["status"] == "active"
    assert call("GET", "Claim/c1").body == before
    again = amend("c1", {**resource, "item": resource["item"][:2]})
    assert again.status == 200 and again.body == first.body
    _refused(lambda: amend("c1", kind="void"), "was corrected by")
    _refused(lambda: amend("c1", {**resource, "item": resource["item"][:1]}), "was corrected by")


def test_the_chain_goes_on_from_its_end(call: Call, amend: Correct) -> None:
    """A replacement that was sent is voided in turn; the void is the end."""
    call("PUT", "Claim/c1", made() | {"meta": EXPORTED})
    second = json.loads(amend("c1", made(), number="ICN1").body)
    _refused(lambda: amend(second["id"], kind="void"), "was not sent")
    call("PUT", f"Claim/{second['id']}", second | {"meta": EXPORTED})
    third = json.loads(amend(second["id"], kind="void", number="ICN2").body)
    assert third["related"][0]["claim"]["reference"] == f"Claim/{second['id']}"
    assert third["related"][0]["reference"]["value"] == "ICN2"
    call("PUT", f"Claim/{third['id']}", third | {"meta": EXPORTED})
    _refused(lambda: amend(third["id"], kind="void"), "takes another one back")
    assert amend(second["id"], kind="void", number="ICN2").status == 200


def test_what_was_not_sent_is_changed_itself(call: Call, amend: Correct) -> None:
    """A claim that nobody has: no correction, and updates as ever; a draft made by a correction is edited too."""
    call("PUT", "Claim/c1", made())
    _refused(lambda: amend("c1"), "was not sent")
    assert call("PUT", "Claim/c1", made() | {"status": "cancelled"}).status == 200
    call("PUT", "Claim/c2", made(2) | {"id": "c2", "meta": EXPORTED})
    draft = json.loads(amend("c2").body)
    assert draft["status"] == "draft"
    assert call("PUT", f"Claim/{draft['id']}", draft | {"status": "active"}).status == 200
    for said in ({"kind": "change"}, {"other": "x"}):
        with pytest.raises(FhirError):
            amend("c2", **said)


def test_a_bill_stays_as_it_is(call: Call, amend: Correct) -> None:
    """Sent or decided: update, patch and delete are refused and point to $correct; its tags may change."""
    resource = made()
    call("PUT", "Claim/c1", resource)
    assert call("PUT", "Claim/c1", resource | {"meta": EXPORTED}).status == 200
    changed = resource | {"item": resource["item"][:1], "meta": EXPORTED}
    _refused(lambda: call("PUT", "Claim/c1", changed), r"\$correct")
    _refused(lambda: call("DELETE", "Claim/c1"), r"\$correct")
    patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
    _refused(
        lambda: call("PATCH", "Claim/c1", json.dumps(patch).encode(), content_type="application/json-patch+json"),
        r"\$correct",
    )
    assert json.loads(call("GET", "Claim/c1").body)["status"] == "active"
    call("PUT", "Claim/c2", made(2) | {"id": "c2"})
    call("PUT", "ClaimResponse/r2", _paid(made(2), "r2", request={"reference": "Claim/c2"}))
    _refused(lambda: call("PUT", "Claim/c2", made(2) | {"id": "c2", "status": "cancelled"}), r"\$correct")


def test_a_correction_is_exported(call: Call, amend: Correct) -> None:
    """What was stored goes out as an 837 with frequency 7 and the payer's number, which pyx12 accepts."""
    from datetime import datetime

    from campaigns.claiming.x12_cases import pyx12_accepts
    from claims.x12.write837 import interchange

    resource = made()
    call("PUT", "Claim/c1", resource)
    call("PUT", "ClaimResponse/r1", _paid(resource))
    body = amend("c1", resource).body
    envelope = Envelope(
        "SENDER1", "PAYER1", "Mill Lane", "Kim Roe", "5125550100", "PLAN", 7, datetime(2026, 11, 1), "T"
    )
    text = "".join(interchange([body], "professional", envelope))
    assert "REF*F8*ICN1~" in text and ":B:7*" in text and pyx12_accepts(text)[0]


def test_of_corrections_at_once_one_is_made(fhir: Fhir, call: Call) -> None:
    """Eight at the same time, half of each kind: one Claim, one kind, and all who asked for that get it."""
    call("PUT", "Claim/c1", made() | {"meta": EXPORTED})
    (operation,) = correct.operations(fhir)

    async def ask(kind: str) -> Response | FhirError:
        body = {"resourceType": "Parameters", "parameter": [{"name": "kind", "valueString": kind}]}
        try:
            return await operation.handler(make_request("POST", "Claim/c1/$correct", body))
        except FhirError as error:
            return error

    async def all_at_once() -> list[Response | FhirError]:
        return await asyncio.gather(*(ask(("void", "replace")[n % 2]) for n in range(8)))

    done = asyncio.run(all_at_once())
    told = [one for one in done if isinstance(one, Response)]
    assert sorted(one.status for one in told) == [200, 200, 200, 201] and len({one.body for one in told}) == 1
    assert json.loads(call("GET", "Claim?_summary=count").body)["total"] == 2


def test_no_way_in_goes_past_a_bill(call: Call, amend: Correct) -> None:
    """A transaction that changes a bill is refused whole; one that does not goes through."""
    resource = made() | {"meta": EXPORTED}
    call("PUT", "Claim/c1", resource)
    assert amend("c1").status == 201

    def sends(claim: Json) -> Any:
        parts = [claim, {"resourceType": "Patient", "id": "new"}]
        entries = [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in parts
        ]
        return call("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    _refused(lambda: sends(resource | {"status": "cancelled"}), r"\$correct")
    assert json.loads(call("GET", "Patient?_summary=count").body)["total"] == 0
    assert sends(resource).status == 200
