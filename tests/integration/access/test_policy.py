"""An external policy over its real protocol: asked after our own rules, fail-closed, remembered, in the audit."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.access.decisions import Decision, read_decision
from server.app import create_app
from server.settings import Settings


class Judge:
    """A decision endpoint as Open Policy Agent has it: notes what it is asked, says what `rule` says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.rule: Any = lambda _input: True
        self.status, self.id = 200, str(uuid.uuid4())
        judge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
                judge.asked.append(asked)
                body = json.dumps({"decision_id": judge.id, "result": judge.rule(asked)}).encode()
                self.send_response(judge.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server.server_port}/v1/data/fhirwright/allow"


@pytest.fixture
def judge() -> Iterator[Judge]:
    """A policy that allows until told otherwise."""
    made = Judge()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
async def client(database_url: str, tmp_path: Path, judge: Judge) -> AsyncIterator[httpx.AsyncClient]:
    """A server that asks the judge each time."""
    settings = Settings(
        database=database_url, data=tmp_path / "var", open=True, coding="off", policy_url=judge.url,
        policy_keep_seconds=0.0,
    )  # fmt: skip
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/") as made:
        yield made
    app.state.fhir.store.close()


def patient(name: str) -> dict[str, str]:
    return {"resourceType": "Patient", "id": name}


async def test_what_is_allowed_is_done_and_the_audit_names_the_decision(client: Any, judge: Judge) -> None:
    """The question holds who, what and whom, and nothing of the resource; the event of the write holds the id."""
    made = {**patient("p1"), "name": [{"family": "Quillfeather"}]}
    assert (await client.put("Patient/p1", json=made)).status_code == 201
    [asked] = judge.asked
    assert asked["actions"] == [{"interaction": "update", "type": "Patient", "operation": ""}]
    assert asked["patients"] == ["p1"] and asked["who"] == "anonymous" and "Quillfeather" not in json.dumps(asked)
    events = (await client.get("AuditEvent?entity=Patient/p1")).json()["entry"]
    policies = [agent.get("policy") for entry in events for agent in entry["resource"]["agent"]]
    assert [f"urn:uuid:{judge.id}"] in policies


async def test_what_is_denied_is_403_and_leaves_nothing_but_its_event(client: Any, judge: Judge) -> None:
    """No resource; an event of the refusal with the decision."""
    judge.rule = lambda asked: asked["actions"][0]["interaction"] != "update"
    answer = await client.put("Patient/p1", json=patient("p1"))
    assert answer.status_code == 403 and answer.json()["issue"][0]["code"] == "forbidden"
    assert (await client.get("Patient/p1")).status_code == 404
    found: Any = []
    for _ in range(600):  # what was refused is kept by a thread of its own
        if found := (await client.get("AuditEvent?outcome=8")).json().get("entry"):
            break
        await asyncio.sleep(0.1)
    assert f"urn:uuid:{judge.id}" in json.dumps(found)


async def test_entries_of_a_bundle_and_operations_are_named(client: Any, judge: Judge) -> None:
    """Each different thing that a Bundle does is asked about at once, and denying one denies all."""
    entries = [
        {"request": {"method": "PUT", "url": f"Patient/p{n}"}, "resource": patient(f"p{n}")} for n in range(3)
    ] + [
        {"request": {"method": "GET", "url": "Observation?patient=p1"}},
        {"request": {"method": "DELETE", "url": "Claim/c"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    judge.rule = lambda asked: {"allow": not any(a["interaction"] == "delete" for a in asked["actions"])}
    assert (await client.post("", json=bundle)).status_code == 403
    kinds = [(action["interaction"], action["type"]) for action in judge.asked[-1]["actions"]]
    assert kinds == [("batch", ""), ("update", "Patient"), ("search-type", "Observation"), ("delete", "Claim")]
    bundle["entry"] = entries[:-1]
    assert (await client.post("", json=bundle)).status_code == 200
    await client.get("Patient/p1/$everything")
    assert judge.asked[-1]["actions"] == [{"interaction": "operation", "type": "Patient", "operation": "everything"}]


@pytest.mark.parametrize("fault", ["status", "gone"])
async def test_no_answer_is_no(client: Any, judge: Judge, fault: str) -> None:
    """503, and nothing is done."""
    if fault == "status":
        judge.status = 500
    else:
        judge.server.shutdown()
        judge.server.server_close()
    answer = await client.put("Patient/p1", json=patient("p1"))
    assert answer.status_code == 503 and "retry-after" in answer.headers


async def test_a_decision_counts_for_the_same_question_for_a_while(
    database_url: str, tmp_path: Path, judge: Judge
) -> None:
    """Two reads of one patient are one question, of two patients two."""
    settings = Settings(
        database=database_url, data=tmp_path / "var", open=True, coding="off", policy_url=judge.url,
        policy_keep_seconds=600,
    )  # fmt: skip
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/") as http:
        for name in ("p1", "p1", "p2", "p1"):
            await http.get(f"Patient/{name}")
    app.state.fhir.store.close()
    assert [asked["patients"] for asked in judge.asked] == [["p1"], ["p2"]]


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        (b'{"result": true}', Decision(allowed=True)),
        (b'{"result": {"allow": true}, "decision_id": "d"}', Decision(allowed=True, id="d")),
        (b'{"result": {"allow": "true"}}', Decision(allowed=False)),
        (b'{"result": 1}', Decision(allowed=False)),
        (b"{}", Decision(allowed=False)),
        (b"[]", Decision(allowed=False)),
        (b"yes", Decision(allowed=False)),
    ],
)
def test_only_a_clear_yes_is_one(answer: bytes, decision: Decision) -> None:
    """True itself, or `allow` that is true; undefined, other types and what is no JSON are no."""
    assert read_decision(answer) == decision
