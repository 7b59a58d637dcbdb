"""What the server does by itself after a write is done for who wrote, and never to what that one has no part in."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from claims.work import task_id
from extractors.emit.ids import resource_id
from server.jobs.results import replaced

CLAIM: dict[str, Any] = {
    "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-01-01",
    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
    "provider": {"display": "x"}, "priority": {"text": "normal"},
    "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}],
}  # fmt: skip


def response(name: str, patient: str, claim: str) -> dict[str, Any]:
    """An answer that throws a claim back."""
    return {
        "resourceType": "ClaimResponse", "id": name, "status": "active", "use": "claim", "created": "2026-01-01",
        "type": CLAIM["type"], "patient": {"reference": f"Patient/{patient}"}, "insurer": {"display": "x"},
        "request": {"reference": f"Claim/{claim}"}, "outcome": "error",
        "error": [{"code": {"coding": [{"system": "urn:x", "code": "DX-001"}], "text": "no good"}}],
    }  # fmt: skip


async def put(closed: Any, token: str, resource: dict[str, Any]) -> int:
    """The status of a PUT."""
    return int((await closed.ask(token, "PUT", f"{resource['resourceType']}/{resource['id']}", resource)).status_code)


async def test_an_answer_to_anothers_claim_moves_no_task(closed: Any) -> None:
    """A ClaimResponse of A that names the Claim of B is stored, and makes and changes no Task; one of a biller does."""
    root, mine = closed.token("system/*.cruds", client="root"), closed.token("patient/*.cruds", "A")
    await put(closed, root, CLAIM | {"id": "c", "patient": {"reference": "Patient/B"}})
    assert await put(closed, mine, response("forged", "A", "c")) == 201
    assert (await closed.ask(root, "GET", f"Task/{task_id('c')}")).status_code == 404
    assert await put(closed, root, response("real", "B", "c")) == 201
    task = (await closed.ask(root, "GET", f"Task/{task_id('c')}")).json()
    assert task["for"] == {"reference": "Patient/B"}
    assert await put(closed, mine, response("again", "A", "c")) == 201
    assert (await closed.ask(root, "GET", f"Task/{task_id('c')}")).json() == task


async def test_a_task_that_waited_under_the_id_of_anothers_is_not_filled(closed: Any) -> None:
    """A Task of A under the id that the Task of B's Claim will have is replaced, and A sees nothing of B's in it."""
    root = closed.token("system/*.cruds", client="root")
    mine = closed.token("system/Task.cruds?patient=Patient/A", client="narrow")
    name = task_id("c")
    trap = {"resourceType": "Task", "id": name, "status": "requested", "intent": "order"}
    assert await put(closed, mine, trap | {"for": {"reference": "Patient/A"}}) == 201
    await put(closed, root, CLAIM | {"id": "c", "patient": {"reference": "Patient/B"}})
    assert await put(closed, root, response("real", "B", "c")) == 201
    assert (await closed.ask(mine, "GET", f"Task/{name}")).status_code == 404
    assert (await closed.ask(root, "GET", f"Task/{name}")).json()["for"] == {"reference": "Patient/B"}
    told = (await closed.ask(mine, "GET", f"Task/{name}/_history")).text
    assert "no good" not in told


def test_only_results_of_a_document_are_taken_back() -> None:
    """A Task whose outputs a client wrote makes the server delete nothing but what the document itself had yielded."""
    own = f"Condition/{resource_id('d', 'Condition', 3)}"
    others = ["Observation/B-0", f"Condition/{resource_id('other', 'Condition', 3)}", "Patient/B", "nonsense"]
    assert replaced("d", [own, *others], []) == [own]
    assert replaced("d", [own, *others], [own]) == []


@pytest.mark.parametrize("written", ["test", "localhost"])
async def test_a_file_is_nobodys_by_the_name_of_the_host(closed: Any, written: str) -> None:
    """A whole URL under a base that only the Host header says opens no file, whoever says it when."""
    root, mine = closed.token("system/*.cruds", client="root"), closed.token("patient/*.cruds", "A")
    file = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"B").decode()}
    await put(closed, root, file | {"id": "secret"})
    document = {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/A"}}
    for number, host in enumerate(("test", "localhost", "other.example")):
        content = [{"attachment": {"url": f"http://{host}/fhir/Binary/secret"}}]
        made = document | {"id": f"d{number}", "content": content}
        answer = await closed.ask(mine, "PUT", f"DocumentReference/d{number}", made, host=written)
        assert answer.status_code == (403 if host == written else 201)
    assert (await closed.ask(mine, "GET", "Binary/secret", host="other.example")).status_code == 421
    for host in ("test", "localhost"):
        assert (await closed.ask(mine, "GET", "Binary/secret", host=host)).status_code == 404
        assert (await closed.ask(mine, "GET", "Binary", host=host)).json()["total"] == 0


async def test_the_trail_of_a_patient_does_not_tell_what_others_asked(closed: Any) -> None:
    """A sees that A's record was searched, by whom and when; the question, which names B too, is its asker's."""
    staff = closed.token("user/*.rs", person="alice")
    mine = closed.token("patient/*.rs", "A")
    asked = "Observation?subject=Patient/A,Patient/B"
    assert (await closed.ask(staff, "GET", asked)).json()["total"] == 2
    assert (await closed.ask(mine, "GET", "Observation?subject=Patient/A")).json()["total"] == 1
    found: list[dict[str, Any]] = []
    for _ in range(600):  # another may be chaining them
        await asyncio.sleep(0.1)
        if sum("query" in entity for event in found for entity in event["entity"]) > 1:
            break
        closed.app.state.trail.chain()
        found = [
            entry["resource"] for entry in (await closed.ask(mine, "GET", "AuditEvent?_count=1000")).json()["entry"]
        ]
    queries = {
        entity["query"]: event["agent"][-1]["who"]["identifier"]["value"]
        for event in found for entity in event["entity"] if "query" in entity
    }  # fmt: skip
    told = {base64.b64decode(query).decode(): who for query, who in queries.items()}
    assert "alice" in told.values()
    assert told["/"] == "alice"
    assert any("subject=Patient/A" in one for one in told)
    assert not any("Patient/B" in one for one in told)
    one = next(event for event in found if event["agent"][-1]["who"]["identifier"]["value"] == "alice")
    assert (await closed.ask(mine, "GET", f"AuditEvent/{one['id']}")).json() == one
    auditor = closed.token("user/*.rs user/AuditEvent.rs", person="otto", roles=("auditor",))
    whole = (await closed.ask(auditor, "GET", f"AuditEvent/{one['id']}")).text
    assert base64.b64encode(f"GET /fhir/{asked}".encode()).decode()[:40] in whole
