"""What the audit tells of emergencies and deliveries, and who may read it; on both engines."""

from __future__ import annotations

import json
from typing import Any

from server.audit.chain import events_of
from server.audit.event import Event, decode

REASON = "Unconscious in the emergency room"


def events(closed: Any) -> list[Event]:
    """All events, after what waits was chained."""
    closed.app.state.trail.chain()
    return [decode(data) for _, data in events_of(closed.store)]


async def found(closed: Any, token: str, query: str = "") -> list[dict[str, Any]]:
    """The AuditEvents that a token finds."""
    answer = await closed.ask(token, "GET", f"AuditEvent?_count=100{query}")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def test_breaking_the_glass_is_told_with_its_reason_and_what_was_read(closed: Any) -> None:
    """OPS-15: the opening is a security alert with the reason; each read through it bears the purpose of use."""
    mine = closed.token("patient/*.rs", "A", person="alice")
    asked = [
        {"name": "patient", "valueReference": {"reference": "Patient/B"}}, {"name": "reason", "valueString": REASON},
    ]  # fmt: skip
    body = {"resourceType": "Parameters", "parameter": asked}
    assert (await closed.ask(mine, "POST", "$break-glass", body)).status_code == 200
    assert (await closed.ask(mine, "GET", "Observation/Bo")).status_code == 200
    auditor = closed.token("user/AuditEvent.rs", person="otto", roles=("auditor",))
    closed.app.state.trail.chain()
    [opening] = await found(closed, auditor, "&patient=Patient/B&subtype=break-glass")
    assert opening["type"]["code"] == "110113" and opening["purposeOfEvent"][0]["text"] == REASON
    assert opening["agent"][-1]["who"]["reference"] == "Practitioner/alice"
    [read] = await found(closed, auditor, "&patient=Patient/B&subtype=read")
    assert read["purposeOfEvent"][0]["coding"][0]["code"] == "BTG"
    root = closed.token("system/*.cruds", client="root")
    alert = (await closed.ask(root, "GET", "Communication?category=alert&subject=Patient/B")).json()
    assert alert["total"] == 1
    written = [one for one in events(closed) if one.type == "Communication" and one.version == 1]
    assert [one.patients for one in written] == [("B",)]


async def test_what_a_subscriber_is_told_leaves_an_event(closed: Any, postman: Any, endpoint: Any) -> None:
    """Each notification is an event of its owner's, about the patient, before it leaves; one that fails too."""
    mine = closed.token("patient/*.cruds", "A", person="alice")
    channel = {"type": "rest-hook", "endpoint": endpoint.url, "payload": "application/fhir+json"}
    asked = {"resourceType": "Subscription", "status": "requested", "reason": "t", "criteria": "Observation"}
    made = await closed.ask(mine, "POST", "Subscription", asked | {"channel": channel})
    assert made.status_code == 201, made.text
    await postman.go(1)
    root = closed.token("system/*.cruds", client="root")
    for name, who in (("nA", "A"), ("nB", "B")):
        one = {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"}}
        await closed.ask(root, "PUT", f"Observation/{name}", one | {"subject": {"reference": f"Patient/{who}"}})
    await postman.go()
    assert len(endpoint.taken) == 1
    [told] = [one for one in events(closed) if one.detail == "notify"]
    assert (told.patients, told.type, told.who, told.client) == (("A",), "Subscription", "alice", "app")
    assert told.id == made.json()["id"]


async def test_who_reads_the_trail(closed: Any) -> None:
    """An auditor reads all, a patient's app its patient's where its scopes say so, nobody else; none is written."""
    staff = closed.token("user/*.cruds", person="alice")
    await closed.ask(staff, "GET", "Observation/Ao")
    await closed.ask(staff, "GET", "Observation/Bo")
    closed.app.state.trail.chain()
    auditor = closed.token("user/AuditEvent.rs", person="otto", roles=("auditor",))
    every = await found(closed, auditor)
    patients = {e["what"]["reference"] for one in every for e in one["entity"] if "reference" in e.get("what", {})}
    assert {"Patient/A", "Patient/B"} <= patients
    mine = closed.token("patient/*.rs", "A")
    own = await found(closed, mine)
    assert own and "Patient/B" not in json.dumps(own)
    of_b = next(one["id"] for one in every if "Patient/B" in json.dumps(one) and "Patient/A" not in json.dumps(one))
    assert (await closed.ask(mine, "GET", f"AuditEvent/{of_b}")).status_code == 404
    for token in (
        staff, closed.token("patient/Observation.rs", "A"), closed.token("user/*.rs", person="bill", roles=("biller",)),
    ):  # fmt: skip
        assert (await closed.ask(token, "GET", "AuditEvent")).status_code == 403
        assert (await closed.ask(token, "GET", f"AuditEvent/{of_b}")).status_code == 403
    system = closed.token("system/*.cruds", client="root")
    for method in ("PUT", "PATCH", "DELETE"):
        for token in (auditor, staff, system):
            answer = await closed.ask(token, method, f"AuditEvent/{of_b}", {"resourceType": "AuditEvent", "id": of_b})
            assert answer.status_code in (403, 405), (method, answer.text)
    assert (await found(closed, auditor, f"&_id={of_b}"))[0]["id"] == of_b
