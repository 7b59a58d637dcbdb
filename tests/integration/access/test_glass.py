"""Breaking the glass: a reason, a while, an alert, and nothing else; on both engines."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from server.auth import keep, memo

REASON = "Unconscious in the emergency room"


def asking(patient: str, reason: str = REASON, minutes: int | None = None) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}}]
    parts += [{"name": "reason", "valueString": reason}]
    parts += [{"name": "minutes", "valueInteger": minutes}] if minutes else []
    return {"resourceType": "Parameters", "parameter": parts}


def wait(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    """Let time pass for all that knows callers."""
    later = keep.now() + minutes * 60_000
    monkeypatch.setattr(keep, "now", lambda: later)
    monkeypatch.setattr(memo, "time", SimpleNamespace(time=lambda: later / 1000))


async def test_a_record_is_opened_to_be_read_and_closes_by_itself(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-15: with a reason a clinician reads B's record for a while, and writes nothing; an alert tells who."""
    mine = closed.token("patient/*.cruds", "A", person="alice")
    assert (await closed.ask(mine, "GET", "Observation/Bo")).status_code == 404
    answer = await closed.ask(mine, "POST", "$break-glass", asking("B", minutes=10))
    assert answer.status_code == 200, answer.text
    assert (await closed.ask(mine, "GET", "Observation/Bo")).status_code == 200
    assert (await closed.ask(mine, "GET", "Observation?subject=Patient/B")).json()["total"] == 1
    assert (await closed.ask(mine, "DELETE", "Patient/B")).status_code == 204
    root = closed.token("system/*.cruds", client="root")
    assert (await closed.ask(root, "GET", "Patient/B")).status_code == 200
    [alert] = (await closed.ask(root, "GET", "Communication?category=alert")).json()["entry"]
    assert alert["resource"]["payload"][0]["contentString"] == REASON
    assert alert["resource"]["sender"] == {"reference": "Practitioner/alice"}
    wait(monkeypatch, minutes=11)
    assert (await closed.ask(mine, "GET", "Observation/Bo")).status_code == 404


async def test_not_everybody_breaks_the_glass(closed: Any) -> None:
    """OPS-15: services, apps of patients and other roles may not; a reason is needed; the number is limited."""
    for token in (
        closed.token("patient/*.rs", "A"), closed.token("system/*.cruds"),
        closed.token("user/*.rs", person="carl", roles=("coder",)),
    ):  # fmt: skip
        assert (await closed.ask(token, "POST", "$break-glass", asking("B"))).status_code == 403
    mine = closed.token("patient/*.rs", "A", person="alice")
    assert (await closed.ask(mine, "POST", "$break-glass", asking("B", "short"))).status_code in (400, 422)
    assert (await closed.ask(mine, "POST", "$break-glass", asking("absent"))).status_code == 404
    assert (await closed.ask(mine, "POST", "$break-glass", asking("B", minutes=10_000))).status_code in (200, 400, 422)
    root = closed.token("system/*.cruds", client="root")
    for number in range(6):
        await closed.ask(root, "PUT", f"Patient/p{number}", {"resourceType": "Patient", "id": f"p{number}"})
    codes = [(await closed.ask(mine, "POST", "$break-glass", asking(f"p{n}"))).status_code for n in range(6)]
    assert codes.count(429) >= 1


async def test_what_was_opened_is_not_kept_for_later(closed: Any, postman: Any, endpoint: Any) -> None:
    """A subscription made while the glass was broken hears nothing of the other patient."""
    mine = closed.token("patient/*.cruds", "A", person="alice")
    await closed.ask(mine, "POST", "$break-glass", asking("B"))
    channel = {"type": "rest-hook", "endpoint": endpoint.url}
    asked = {"resourceType": "Subscription", "status": "requested", "reason": "t", "criteria": "Observation"}
    made = await closed.ask(mine, "POST", "Subscription", asked | {"channel": channel})
    assert made.status_code == 201, made.text
    await postman.go(1)
    root = closed.token("system/*.cruds", client="root")
    one = {"resourceType": "Observation", "id": "nB", "status": "final", "code": {"text": "x"}}
    await closed.ask(root, "PUT", "Observation/nB", one | {"subject": {"reference": "Patient/B"}})
    await postman.go()
    assert not endpoint.taken


async def test_what_is_opened_is_no_wider_than_the_scopes(closed: Any) -> None:
    """A token that reads Patients only, or laboratory only, breaks the glass for that and no more."""
    root = closed.token("system/*.cruds", client="root")
    lab = {"coding": [{"system": "urn:x", "code": "lab"}]}
    one = {"resourceType": "Observation", "id": "Bl", "status": "final", "code": {"text": "x"}, "category": [lab]}
    await closed.ask(root, "PUT", "Observation/Bl", one | {"subject": {"reference": "Patient/B"}})
    narrow = closed.token("user/Patient.r", "A", person="alice", roles=("nobody-yet", "clinician"))
    assert (await closed.ask(narrow, "POST", "$break-glass", asking("B"))).status_code == 200
    assert (await closed.ask(narrow, "GET", "Patient/B")).status_code == 200
    for url in ("Observation/Bo", "Observation", "Patient", "Patient/B/$everything"):
        assert (await closed.ask(narrow, "GET", url)).status_code == 403, url
    some = closed.token("patient/Observation.rs?category=urn:x|lab", "A", person="alice")
    assert (await closed.ask(some, "POST", "$break-glass", asking("B"))).status_code == 200
    assert (await closed.ask(some, "GET", "Observation/Bl")).status_code == 200
    assert (await closed.ask(some, "GET", "Observation/Bo")).status_code == 404


async def test_the_time_ends_in_the_middle(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the while is over, the next page, what waits to be answered, operations and the audit's purpose end too."""
    mine = closed.token("patient/*.rs", "A", person="alice")
    root = closed.token("system/*.cruds", client="root")
    for number in range(3):
        one = {"resourceType": "Observation", "id": f"m{number}", "status": "final", "code": {"text": "x"}}
        await closed.ask(root, "PUT", f"Observation/m{number}", one | {"subject": {"reference": "Patient/B"}})
    assert (await closed.ask(mine, "POST", "$break-glass", asking("B", minutes=5))).status_code == 200
    page = (await closed.ask(mine, "GET", "Observation?subject=Patient/B&_count=1&_sort=_id")).json()
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert len((await closed.ask(mine, "GET", following)).json()["entry"]) == 1
    job = await closed.ask(mine, "GET", "Observation?subject=Patient/B", prefer="respond-async")
    status = job.headers["content-location"]
    wait(monkeypatch, minutes=6)
    assert "entry" not in (await closed.ask(mine, "GET", following)).json()
    assert (await closed.ask(mine, "GET", "Patient/B/$everything")).status_code == 404
    assert (await closed.ask(mine, "GET", "Observation/m0/_history/1")).status_code == 404
    query = "$graphql?query={ObservationList(_count:50){subject{reference}}}"
    assert "Patient/B" not in (await closed.ask(mine, "GET", query)).text
    await closed.house.work()
    answer = (await closed.ask(mine, "GET", status)).json()["entry"][0]["resource"]
    assert answer["total"] == 0
    closed.app.state.trail.chain()
    events = (await closed.ask(root, "GET", "AuditEvent?_count=200&subtype=operation")).json()["entry"]
    told = {one["resource"]["subtype"][0]["display"]: "purposeOfEvent" in one["resource"] for one in events}
    assert told == dict.fromkeys(("$break-glass", "$everything", "$graphql", "$async-status"), False)
    assert "purposeOfEvent" in (await closed.ask(root, "GET", "AuditEvent?_count=200&subtype=search-type")).text
