"""Consents by every road over HTTP: what is denied is as if it were not there; on both engines."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fhir_profiles.systems import ACT_CODE, CONSENT_SCOPE, PARTICIPATION, RESOURCE_TYPES
from server.access import honouring

OUT, IN = "OPTOUT", "OPTIN"


def consent(basis: str, *exceptions: dict[str, Any], patient: str = "A", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Consent", "id": "c", "status": "active", "patient": {"reference": f"Patient/{patient}"},
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"text": "privacy"}], "policyRule": {"coding": [{"system": ACT_CODE, "code": basis}]},
    }  # fmt: skip
    return made | ({"provision": {"provision": list(exceptions)}} if exceptions else {}) | more


def towards(kind: str, reference: str, *classes: str) -> dict[str, Any]:
    actor = {"role": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]}, "reference": {"reference": reference}}
    named = [{"system": RESOURCE_TYPES, "code": name} for name in classes]
    return {"type": kind, "actor": [actor]} | ({"class": named} if named else {})


async def put(closed: Any, root: str, resource: dict[str, Any]) -> Any:
    return await closed.ask(root, "PUT", f"{resource['resourceType']}/{resource['id']}", resource)


async def status(closed: Any, token: str, url: str, method: str = "GET") -> int:
    return int((await closed.ask(token, method, url)).status_code)


async def ids(closed: Any, token: str, url: str) -> list[str]:
    answer = await closed.ask(token, "GET", url)
    assert answer.status_code == 200, answer.text
    return sorted(one["resource"]["id"] for one in answer.json().get("entry", ()))


async def test_what_a_consent_denies_is_not_there(closed: Any) -> None:
    """Read, vread, history, search, totals, chains, includes, $everything, GraphQL, batches and conditions agree."""
    root = closed.token("system/*.cruds", client="root")
    ann, ben = closed.token("user/*.cruds", person="ann"), closed.token("user/*.cruds", person="ben")
    for token in (ann, ben):
        assert await ids(closed, token, "Observation") == ["Ao", "Bo"]
    assert (await put(closed, root, consent(IN, towards("deny", "Practitioner/ann")))).status_code == 201
    for url in ("Patient/A", "Observation/Ao", "Observation/Ao/_history/1", "Observation/Ao/_history",
                "Patient/A/$everything"):  # fmt: skip
        assert (await status(closed, ann, url), await status(closed, ben, url)) == (404, 200), url
    roads = {
        "Observation": ["Bo"], "Observation?patient=Patient/A": [],
        "Patient?_revinclude=Observation:subject": ["B", "Bo"],
        "Observation?_include=Observation:subject": ["B", "Bo"], "Observation?subject:Patient._id=A,B": ["Bo"],
        "Patient?_has:Observation:subject:code:text=x": ["B"], "Patient/A/Observation": [], "Patient?_sort=_id": ["B"],
        "Observation/_history": ["Bo"],
    }  # fmt: skip
    for url, seen in roads.items():
        assert await ids(closed, ann, url) == seen, url
        assert len(await ids(closed, ben, url)) > len(seen), url
    assert (await closed.ask(ann, "GET", "Observation?_summary=count")).json()["total"] == 1
    for token, seen in ((ann, 1), (ben, 2)):
        told = await closed.ask(token, "POST", "$graphql", {"query": "{ObservationList {id}}"})
        assert len(told.json()["data"]["ObservationList"]) == seen
        entries = [{"request": {"method": "GET", "url": url}} for url in ("Observation/Ao", "Observation/Bo")]
        answer = await closed.ask(token, "POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
        assert sum(one["response"]["status"][:3] == "200" for one in answer.json()["entry"]) == seen
    assert await status(closed, ann, "Observation/Ao", "DELETE") == 204
    assert await status(closed, ann, "Observation?_id=Ao", "DELETE") == 204
    assert await status(closed, ben, "Observation/Ao") == 200


async def test_a_change_of_a_consent_counts_at_once(closed: Any) -> None:
    """Written, narrowed, ended, brought back, deleted: the next request knows."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    seen = []
    for one in (
        consent(OUT), consent(IN, towards("deny", "Practitioner/ann", "Patient")), consent(OUT, status="inactive"),
        consent(OUT, towards("permit", "Practitioner/ann")), consent(OUT),
    ):  # fmt: skip
        assert (await put(closed, root, one)).status_code in (200, 201)
        seen.append((await status(closed, ann, "Patient/A"), await status(closed, ann, "Observation/Ao")))
    assert seen == [(404, 404), (404, 200), (200, 200), (200, 200), (404, 404)]
    assert await status(closed, root, "Consent/c", "DELETE") == 204
    assert await status(closed, ann, "Patient/A") == 200


async def test_another_process_knows_soon(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not written here is found when the last look is over, and until then it is not looked for."""
    looked = []
    look = honouring.Honoured._look
    monkeypatch.setattr(honouring.Honoured, "_look", lambda self, before: looked.append(1) or look(self, before))
    monkeypatch.setattr(honouring, "LONGEST", 1e6)
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    assert (await put(closed, root, consent(IN))).status_code == 201
    assert [await status(closed, ann, "Patient/A") for _ in range(3)] == [200] * 3
    assert len(looked) == 1
    monkeypatch.setattr(honouring.Honoured, "_forget", lambda _self: None)  # as if the write had been elsewhere
    assert (await put(closed, root, consent(OUT))).status_code == 200
    assert await status(closed, ann, "Patient/A") == 200
    [honoured] = [one for one in honouring._honoured.values() if one._store is closed.store]
    honoured._active = msgspec.structs.replace(honoured._active, until=0.0)
    assert await status(closed, ann, "Patient/A") == 404


async def test_the_patient_and_the_emergency_see(closed: Any) -> None:
    """An opt-out keeps nothing from the patient, nor from whom the glass is broken for; that one writes nothing."""
    root = closed.token("system/*.cruds", client="root")
    ann = closed.token("user/*.cruds", person="ann")
    assert (await put(closed, root, consent(OUT))).status_code == 201
    assert await ids(closed, ann, "Observation") == ["Bo"]
    carer = closed.token("patient/*.rs", "A", person="x", roles=("patient",), user="RelatedPerson")
    own = closed.token("patient/*.rs", "A", person="A", roles=("patient",), user="Patient")
    assert (await ids(closed, carer, "Observation"), await ids(closed, own, "Observation")) == ([], ["Ao"])
    asked = {"resourceType": "Parameters", "parameter": [
        {"name": "patient", "valueReference": {"reference": "Patient/A"}},
        {"name": "reason", "valueString": "Unconscious in the emergency room"}]}  # fmt: skip
    assert (await closed.ask(ann, "POST", "$break-glass", asked)).status_code == 200
    assert await ids(closed, ann, "Observation") == ["Ao", "Bo"]
    assert await status(closed, ann, "Observation/Ao") == 200
    assert await status(closed, ann, "Observation/Ao", "DELETE") == 204
    assert await status(closed, ann, "Observation/Ao") == 200


async def test_the_audit_tells_what_was_kept_back(closed: Any) -> None:
    """An event of its own about the patient, where the answer is that of an id that never was."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    assert (await put(closed, root, consent(OUT))).status_code == 201
    told = [await closed.ask(ann, "GET", f"Observation/{name}") for name in ("Ao", "never")]
    assert [one.status_code for one in told] == [404, 404]
    assert told[0].json()["issue"] == told[1].json()["issue"]
    closed.app.state.trail.chain()
    reader = closed.token("system/AuditEvent.rs", client="root")
    found = (await closed.ask(reader, "GET", "AuditEvent?patient=Patient/A&subtype=withheld")).json()
    [event] = [one["resource"] for one in found["entry"]]
    assert "Observation/Ao" in str(event["entity"])
    assert event["outcome"] == "8"


async def test_files_go_with_what_they_are_of(closed: Any) -> None:
    """A Binary is kept back by its context, and by any document that names it."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.cruds", person="ann")
    files = {"own": {"reference": "Patient/A"}, "near": {"reference": "Observation/Ao"}, "named": None, "loose": None}
    for name, context in files.items():
        body: dict[str, Any] = {"resourceType": "Binary", "id": name, "contentType": "text/plain", "data": "eA=="}
        await put(closed, root, body | ({"securityContext": context} if context else {}))
    letter = {"resourceType": "DocumentReference", "id": "d", "status": "current",
              "subject": {"reference": "Patient/A"}, "content": [{"attachment": {"url": "Binary/named"}}]}  # fmt: skip
    assert (await put(closed, root, letter)).status_code == 201
    assert [await status(closed, ann, f"Binary/{name}") for name in files] == [200] * 4
    assert (await put(closed, root, consent(OUT))).status_code == 201
    assert [await status(closed, ann, f"Binary/{name}") for name in files] == [404, 404, 404, 200]
    assert await status(closed, ann, "Binary/near", "DELETE") == 204
    only = consent(IN, towards("deny", "Practitioner/ann", "DocumentReference"))
    assert (await put(closed, root, only)).status_code == 200
    assert [await status(closed, ann, f"Binary/{name}") for name in files] == [200, 200, 404, 200]


async def test_what_cannot_be_kept_to_is_refused(closed: Any) -> None:
    """422 that names the element; a denied caller still writes what is new, and keeps Consents only with the right."""
    root = closed.token("system/*.cruds", client="root")
    wrong = consent(IN, {"type": "deny", "dataPeriod": {"end": "2020"}})
    answer = await put(closed, root, wrong)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Consent.provision.provision[0].dataPeriod"]
    assert await status(closed, root, "Consent/c") == 404
    assert (await put(closed, root, consent(OUT))).status_code == 201
    ann, eve = closed.token("user/*.cruds", person="ann"), closed.token("user/*.rs", person="eve")
    assert (await status(closed, ann, "Consent/c"), await status(closed, eve, "Consent/c")) == (200, 404)
    new = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/A"},
    }
    assert (await closed.ask(ann, "POST", "Observation", new)).status_code == 201
    assert await ids(closed, ann, "Observation") == ["Bo"]


async def test_a_house_is_told_by_roles(closed: Any) -> None:
    """A denial of an organization meets who works there or below it, and whoever's place is not known."""
    root = closed.token("system/*.cruds", client="root")
    records: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": name, "name": name} for name in ("north", "south")
    ]
    north = {"reference": "Organization/north"}
    records.append({"resourceType": "Organization", "id": "ward", "name": "ward", "partOf": north})
    records += [{"resourceType": "PractitionerRole", "id": who, "practitioner": {"reference": f"Practitioner/{who}"},
                 "organization": {"reference": f"Organization/{where}"}}
                for who, where in (("ann", "ward"), ("ben", "south"))]  # fmt: skip
    for one in records:
        assert (await put(closed, root, one)).status_code == 201
    assert (await put(closed, root, consent(IN, towards("deny", "Organization/north")))).status_code == 201
    tokens = [closed.token("user/*.rs", person=name) for name in ("ann", "ben", "carl")]
    assert [await status(closed, token, "Patient/A") for token in tokens] == [404, 200, 404]
    assert (
        await put(closed, root, records[3] | {"organization": {"reference": "Organization/south"}})
    ).status_code == 200
    assert await status(closed, tokens[0], "Patient/A") == 200
