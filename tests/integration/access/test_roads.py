"""Every other road to data: what mentions somebody else, and the operations of coders and billers."""

from __future__ import annotations

from typing import Any

import pytest

OF_B = {
    "Provenance": {"target": [{"reference": "Patient/B"}], "recorded": "2026-01-01T00:00:00Z",
                   "agent": [{"who": {"display": "x"}}]},
    "List": {"status": "current", "mode": "working", "subject": {"reference": "Patient/B"},
             "entry": [{"item": {"reference": "Patient/A"}}]},
    "Composition": {"status": "final", "type": {"text": "x"}, "date": "2026-01-01", "title": "t",
                    "author": [{"display": "x"}], "subject": {"reference": "Patient/B"}},
    "Group": {"type": "person", "actual": True, "member": [{"entity": {"reference": "Patient/B"}}]},
    "Task": {"status": "requested", "intent": "order", "for": {"reference": "Patient/A"}},
    "Bundle": {"type": "collection", "entry": [{"fullUrl": "urn:uuid:6b1b0a44-6f0b-4a83-8a7a-222222222222",
               "resource": {"resourceType": "Patient", "id": "B"}}]},
}  # fmt: skip


@pytest.mark.check("COMP-17")
async def test_what_mentions_another_is_not_seen(closed: Any) -> None:
    """COMP-17: Provenance, List, Composition, Group, Task and Bundle are in a compartment as R4 says, or in none."""
    root, mine = closed.token("system/*.cruds", client="root"), closed.token("patient/*.cruds", "A")
    for kind, content in OF_B.items():
        made = await closed.ask(root, "PUT", f"{kind}/b", {"resourceType": kind, "id": "b", **content})
        assert made.status_code == 201, made.text
        assert (await closed.ask(mine, "GET", f"{kind}/b")).status_code in (403, 404), kind
        found = await closed.ask(mine, "GET", kind)
        assert found.status_code == 403 or found.json()["total"] == 0, kind


@pytest.mark.check("COMP-17")
async def test_an_identifier_or_a_contained_resource_opens_nothing(closed: Any) -> None:
    """COMP-17: a reference by identifier, or to a contained Patient, is no membership of a compartment."""
    root, mine = closed.token("system/*.cruds", client="root"), closed.token("patient/*.cruds", "A")
    one = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    by_name = one | {"id": "i", "subject": {"type": "Patient", "identifier": {"system": "urn:x", "value": "A"}}}
    inside = one | {"id": "c", "subject": {"reference": "#p"}, "contained": [{"resourceType": "Patient", "id": "p"}]}
    for made in (by_name, inside):
        assert (await closed.ask(root, "PUT", f"Observation/{made['id']}", made)).status_code == 201
        assert (await closed.ask(mine, "GET", f"Observation/{made['id']}")).status_code == 404


@pytest.mark.check("COMP-25", "COMP-31")
@pytest.mark.parametrize("url", ["Observation/Bo", "Patient/B"])
async def test_hidden_and_absent_are_told_alike(closed: Any, url: str) -> None:
    """COMP-25, COMP-31: status, body and headers of a hidden id are those of an id that never was."""
    mine = closed.token("patient/*.cruds", "A")
    kind = url.partition("/")[0]
    roads = ("", "?_summary=true", "?_elements=id", "/_history", "/_history/1", "/$meta", "/$validate")
    for road in roads:
        told = []
        for target in (url, f"{kind}/nobody"):
            answer = await closed.ask(mine, "GET", target + road, if_none_match='W/"1"')
            told.append((answer.status_code, answer.text, sorted(set(answer.headers) - {"x-request-id"})))
        assert told[0] == told[1], road
        assert told[0][0] == 404, road


@pytest.mark.check("COMP-29")
async def test_tasks_of_others_are_not_moved(closed: Any) -> None:
    """COMP-29: $retry and $cancel find the Tasks that their caller may change, and no other."""
    root, mine = closed.token("system/*.cruds", client="root"), closed.token("patient/*.cruds", "A")
    await closed.ask(root, "PUT", "Task/b", {"resourceType": "Task", "id": "b", **OF_B["Task"]})
    for operation in ("$retry", "$cancel"):
        assert (await closed.ask(mine, "POST", f"Task/b/{operation}")).status_code == 403
        reader = closed.token("system/*.rs", client="reader")
        assert (await closed.ask(reader, "POST", f"Task/b/{operation}")).status_code == 403
        narrow = closed.token("system/Task.cruds?status=completed", client="narrow")
        assert (await closed.ask(narrow, "POST", f"Task/b/{operation}")).status_code == 404
        assert (await closed.ask(root, "POST", f"Task/b/{operation}")).status_code == 422


async def test_coders_and_billers_do_their_work(closed: Any) -> None:
    """A coder codes and decides, a biller submits and asks; neither does what the other's role does not give."""
    coder = closed.token("user/*.cruds", person="cora", roles=("coder",))
    biller = closed.token("user/*.cruds", person="bill", roles=("biller",))
    auditor = closed.token("user/*.cruds", person="otto", roles=("auditor",))
    claim = {
        "resourceType": "Claim", "id": "c", "status": "active", "use": "claim", "created": "2026-01-01",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "patient": {"reference": "Patient/A"}, "provider": {"display": "x"}, "priority": {"text": "normal"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}],
    }  # fmt: skip
    assert (await closed.ask(biller, "PUT", "Claim/c", claim)).status_code == 201
    assert (await closed.ask(auditor, "PUT", "Claim/c", claim)).status_code == 403
    for token, status in ((biller, 200), (coder, 200), (auditor, 403)):
        answer = await closed.ask(token, "POST", "Claim/$submit", claim)
        assert answer.status_code == status, answer.text
    answered = await closed.ask(biller, "GET", "ClaimResponse?request=Claim/c")
    assert answered.json()["total"] >= 1
    assert (await closed.ask(biller, "POST", "Claim/c/$explanation-of-benefit")).status_code == 200
    assert (await closed.ask(auditor, "POST", "Claim/c/$explanation-of-benefit")).status_code == 403
    mine = closed.token("patient/*.cruds", "B")
    assert (await closed.ask(mine, "POST", "Claim/c/$explanation-of-benefit")).status_code == 404
    assert (await closed.ask(mine, "POST", "Claim/c/$correct")).status_code == 404
