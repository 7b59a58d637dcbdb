"""Consents where data goes by itself or beside: exports, subscriptions, pages, what tells of it; on both engines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.operations.page_image import PageImage
from server.operations.page_words import PageWords
from tests.integration.access.test_consents import IN, OUT, consent, ids, put, status, towards
from tests.integration.access.test_jobs import kick_off
from tests.integration.access.test_subscribers import hook, observation, subscribe


async def exported(closed: Any, token: str, job: str) -> dict[str, list[str]]:
    """The ids in the files of an export, by type."""
    manifest = (await closed.ask(token, "GET", job)).json()
    files = {one["type"]: await closed.ask(token, "GET", one["url"]) for one in manifest["output"]}
    return {kind: [json.loads(line)["id"] for line in file.text.splitlines()] for kind, file in files.items()}


async def test_an_export_holds_what_consents_leave(closed: Any) -> None:
    """Of the system, of patients, of named ones and of a group, also where it was asked for before the Consent."""
    root, bulk = closed.token("system/*.cruds", client="root"), closed.token("system/*.rs", client="bulk")
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    members = [{"entity": {"reference": f"Patient/{name}"}} for name in "AB"]
    assert (await put(closed, root, group | {"member": members})).status_code == 201
    kinds = "_type=Patient,Observation"
    places = (f"$export?{kinds}", f"Patient/$export?{kinds}", f"Patient/$export?{kinds}&patient=Patient/A")
    jobs = [await kick_off(closed, bulk, "GET", place) for place in places]
    of_group = await kick_off(closed, bulk, "GET", f"Group/g/$export?{kinds}")
    assert (await put(closed, root, consent(OUT))).status_code == 201
    assert await status(closed, bulk, "Group/g") == 404  # it names whom nobody may know of
    await closed.house.work()
    found = [await exported(closed, bulk, job) for job in jobs]
    assert found == [{"Patient": ["B"], "Observation": ["Bo"]}] * 2 + [{}]
    assert (await closed.ask(bulk, "GET", of_group)).status_code == 404
    only = {
        name: value for name, value in towards("deny", "Practitioner/ann", "Observation").items() if name != "actor"
    }
    assert (await put(closed, root, consent(IN, only))).status_code == 200
    again = await kick_off(closed, bulk, "GET", f"Group/g/$export?{kinds}")
    await closed.house.work()
    assert await exported(closed, bulk, again) == {"Patient": ["A", "B"], "Observation": ["Bo"]}


@pytest.mark.parametrize("content", [None, "full-resource"])
async def test_what_is_denied_is_not_told(closed: Any, postman: Any, endpoint: Any, content: str | None) -> None:
    """Neither what is written after the Consent nor what was matched before it: no delivery, no event, no number."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.cruds", person="ann")
    topic = "https://fhirwright.dev/fhir/SubscriptionTopic/Observation"
    name = await subscribe(closed, ann, hook(endpoint.url, topic if content else "Observation", content))
    await postman.go(1)
    endpoint.taken.clear()
    await put(closed, root, observation("early", "A"))
    await closed.store.run(postman.deliverer.matcher.turn)
    assert closed.store.query("SELECT count(*) FROM event") == [(1,)]
    assert (await put(closed, root, consent(IN, towards("deny", "Practitioner/ann")))).status_code == 201
    await put(closed, root, observation("late", "A"))
    await put(closed, root, observation("open", "B"))
    assert await status(closed, root, "Observation/late", "DELETE") == 204
    await postman.go()
    sent = " ".join(path + body.decode() for _, path, _, body in endpoint.taken)
    told = (await closed.ask(ann, "GET", f"Subscription/{name}/$events?content=full-resource")).text
    assert "early" not in sent + told and "late" not in sent + told and "Patient/A" not in sent + told
    assert "open" in told and closed.store.query("SELECT count(*) FROM event") == [(2,)]


async def test_the_pages_of_a_document_go_with_it(closed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and words are denied with the document, or with its file, though both lie in the cache."""
    monkeypatch.setattr(PageImage, "_draw", lambda *_: b"png")
    monkeypatch.setattr(PageImage, "prepare", lambda _: None)
    monkeypatch.setattr(PageWords, "_make", lambda *_: ("key", b"{}"))
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    file = {"resourceType": "Binary", "id": "f", "contentType": "text/plain", "data": "eA=="}
    await put(closed, root, file | {"securityContext": {"reference": "Patient/A"}})
    letter = {"resourceType": "DocumentReference", "id": "d", "status": "current",
              "subject": {"reference": "Patient/A"}, "content": [{"attachment": {"url": "Binary/f"}}]}  # fmt: skip
    assert (await put(closed, root, letter)).status_code == 201
    urls = ("DocumentReference/d/$page-image", "DocumentReference/d/$page-words")
    assert [await status(closed, ann, url) for url in urls] == [200, 200]
    for kind in ("DocumentReference", "Binary"):
        denial = consent(IN, towards("deny", "Practitioner/ann", kind))
        assert (await put(closed, root, denial)).status_code in (200, 201)
        assert [await status(closed, ann, url) for url in urls] == [404, 404], kind
        assert [await status(closed, root, url) for url in urls] == [200, 200], kind


async def test_what_tells_of_something_goes_with_the_patient(closed: Any) -> None:
    """A Provenance that names no Patient, also in its history, and a document Bundle, are whose that is."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    for name in "AB":
        text: dict[str, Any] = {"resourceType": "Composition", "id": f"{name}c", "status": "final",
                "type": {"text": "x"}, "date": "2026-01-01", "title": "x", "author": [{"display": "x"}],
                "subject": {"reference": f"Patient/{name}"}}  # fmt: skip
        made: dict[str, Any] = {"resourceType": "Provenance", "id": f"{name}p", "recorded": "2026-01-01T00:00:00Z",
                "target": [{"reference": f"Observation/{name}o"}], "agent": [{"who": {"display": "x"}}]}  # fmt: skip
        entry = [{"fullUrl": f"http://test/fhir/Composition/{name}c", "resource": text}]
        whole = {"resourceType": "Bundle", "id": f"{name}b", "type": "document", "timestamp": "2026-01-01T00:00:00Z",
                 "identifier": {"system": "urn:x", "value": name}, "entry": entry}  # fmt: skip
        again = made | {"recorded": "2026-01-02T00:00:00Z"}
        for one in (text, made, again, whole):
            assert (await put(closed, root, one)).status_code in (200, 201)
    assert await ids(closed, ann, "Provenance") == ["Ap", "Bp"]
    assert (await put(closed, root, consent(IN, towards("deny", "Practitioner/ann")))).status_code == 201
    for kind, name in (("Provenance", "p"), ("Bundle", "b")):
        assert await ids(closed, ann, kind) == [f"B{name}"]
        assert [await status(closed, ann, f"{kind}/{one}{name}") for one in "AB"] == [404, 200]
    assert await ids(closed, ann, "Provenance?target=Observation/Ao") == []
    assert await ids(closed, ann, "Observation?_revinclude=Provenance:target") == ["Bo", "Bp"]
    assert await status(closed, ann, "Provenance/Ap/_history/1") == 404
    assert await ids(closed, ann, "Provenance/_history") == ["Bp", "Bp"]


async def test_what_tells_of_something_of_two_people_goes_with_each(closed: Any) -> None:
    """A Provenance about what two take part in, also before it was replaced, and a document that holds its text."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    both = [{"actor": {"reference": f"Patient/{name}"}, "status": "accepted"} for name in "AB"]
    await put(closed, root, {"resourceType": "Appointment", "id": "two", "status": "booked", "participant": both,
                             "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"})  # fmt: skip
    text: dict[str, Any] = {"resourceType": "Composition", "id": "c", "status": "final", "type": {"text": "x"},
            "date": "2026-01-01", "title": "x", "author": [{"reference": "Patient/B"}],
            "subject": {"reference": "Patient/A"}}  # fmt: skip
    entry = [{"fullUrl": "http://test/fhir/Composition/c", "resource": text}]
    paper = {"resourceType": "Bundle", "id": "paper", "type": "document", "timestamp": "2026-01-01T00:00:00Z",
             "identifier": {"system": "urn:x", "value": "x"}, "entry": entry}  # fmt: skip
    made: dict[str, Any] = {"resourceType": "Provenance", "id": "p", "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"display": "x"}}]}  # fmt: skip
    for one in (paper, *(made | {"target": [{"reference": name}]} for name in ("Appointment/two", "Organization/o"))):
        assert (await put(closed, root, one)).status_code in (200, 201)
    told = ("Bundle/paper", "Provenance/p", "Provenance/p/_history/1")
    assert [await status(closed, ann, url) for url in told] == [200] * 3
    for name in "AB":
        denial = consent(IN, towards("deny", "Practitioner/ann")) | {"patient": {"reference": f"Patient/{name}"}}
        assert (await put(closed, root, denial)).status_code in (200, 201)
        assert [await status(closed, ann, url) for url in told] == [404, 200, 404], name
        assert await ids(closed, ann, "Provenance/_history") == ["p"]


async def test_who_has_left_a_house_is_not_there(closed: Any) -> None:
    """A role that is over, or not active, places nobody: a permit for the house does not count any more."""
    root, ann = closed.token("system/*.cruds", client="root"), closed.token("user/*.rs", person="ann")
    await put(closed, root, {"resourceType": "Organization", "id": "o", "name": "o"})
    role = {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "Practitioner/ann"},
            "organization": {"reference": "Organization/o"}}  # fmt: skip
    assert (await put(closed, root, consent(OUT, towards("permit", "Organization/o")))).status_code == 201
    seen = []
    for more in ({}, {"active": False}, {"active": True}, {"period": {"end": "2020-01-01"}}):
        assert (await put(closed, root, role | more)).status_code in (200, 201)
        seen.append(await status(closed, ann, "Patient/A"))
    assert seen == [200, 404, 200, 404]
