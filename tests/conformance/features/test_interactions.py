"""Interactions, one test for each row of docs/conformance.md (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.conformance.features.conftest import Client, observation, patient

PATCH = {"content_type": "application/json-patch+json"}


def _fhirpath_patch(kind: str, path: str, **value: Any) -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    parts += [{"name": "value", **value}] if value else []
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


async def test_crud_vread_instance_history(client: Client) -> None:
    """A resource is made, read, changed, deleted; each version stays readable, and the history tells all of it."""
    made = await client.call("POST", "Patient", {"resourceType": "Patient", "gender": "female"}, must=201)
    name = made.json()["id"]
    await client.call("PUT", f"Patient/{name}", patient(name, gender="male"), must=200)
    assert (await client.get(f"Patient/{name}"))["gender"] == "male"
    assert (await client.get(f"Patient/{name}/_history/1"))["gender"] == "female"
    assert (await client.call("DELETE", f"Patient/{name}")).status_code in (200, 204)
    await client.call("GET", f"Patient/{name}", must=410)
    history = await client.get(f"Patient/{name}/_history")
    assert [entry["request"]["method"] for entry in history["entry"]] == ["DELETE", "PUT", "POST"]
    assert history["total"] == 3
    await client.call("PUT", f"Patient/{name}", patient(name), must=201)
    await client.get(f"Patient/{name}")


async def test_type_and_system_history(client: Client) -> None:
    """The history of a type and of the server, newest first, in pages and since a time."""
    for n in range(5):
        await client.put(patient(f"p{n}"))
    await client.put(observation("o", "p1"))
    await client.call("DELETE", "Patient/p0")
    of_type = await client.get("Patient/_history?_count=4")
    assert of_type["total"] == 6 and len(of_type["entry"]) == 4
    assert of_type["entry"][0]["request"]["method"] == "DELETE"
    following = next(link["url"] for link in of_type["link"] if link["relation"] == "next")
    rest = await client.get(following)
    assert len(rest["entry"]) == 2
    assert (await client.get("_history"))["total"] == 7
    late = (await client.get("Observation/o"))["meta"]["lastUpdated"]
    since = await client.get(f"_history?_since={late}")
    assert {entry["request"]["url"].partition("/")[0] for entry in since["entry"]} <= {"Observation", "Patient"}
    assert len(since["entry"]) < 7


async def test_conditional_create(client: Client) -> None:
    """Of several that race, one makes the resource; a search that finds two is refused."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]}
    racing = [client.call("POST", "Patient", body, if_none_exist="identifier=urn:mrn|1") for _ in range(8)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*racing))
    assert codes == [200] * 7 + [201]
    await client.call("POST", "Patient", body, must=201)
    await client.call("POST", "Patient", body, if_none_exist="identifier=urn:mrn|1", must=412)


async def test_conditional_update(client: Client) -> None:
    """What the search finds is changed, what it does not find is made, and two are refused."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "2"}]}
    made = await client.call("PUT", "Patient?identifier=urn:mrn|2", body, must=201)
    changed = await client.call("PUT", "Patient?identifier=urn:mrn|2", {**body, "gender": "male"}, must=200)
    assert changed.json()["id"] == made.json()["id"] and changed.headers["etag"] == 'W/"2"'
    await client.call("POST", "Patient", body, must=201)
    await client.call("PUT", "Patient?identifier=urn:mrn|2", body, must=412)


async def test_conditional_delete(client: Client) -> None:
    """One match is deleted, none is no error, and several are deleted together where the server says so."""
    await client.put(patient("one", active=True))
    assert (await client.call("DELETE", "Patient?active=true")).status_code in (200, 204)
    await client.call("GET", "Patient/one", must=410)
    assert (await client.call("DELETE", "Patient?active=true")).status_code in (200, 204)
    statement = await client.get("metadata")
    declared = {one["type"]: one["conditionalDelete"] for one in statement["rest"][0]["resource"]}["Patient"]
    for n in range(3):
        await client.put(patient(f"m{n}", gender="other"))
    answer = await client.call("DELETE", "Patient?gender=other")
    if declared == "multiple":
        assert answer.status_code in (200, 204)
        assert await client.ids("Patient?gender=other") == set()
    else:
        assert answer.status_code == 412
    await client.call("DELETE", "Patient", must=400)


async def test_conditional_read(client: Client) -> None:
    """304 for what the client has already."""
    made = await client.put(patient("p"))
    await client.call("GET", "Patient/p", if_none_match=made.headers["etag"], must=304)
    await client.call("GET", "Patient/p", if_modified_since=made.headers["last-modified"], must=304)
    await client.call("GET", "Patient/p", if_none_match='W/"7"', must=200)


async def test_json_patch(client: Client) -> None:
    """Operations apply in order and together; a failing test changes nothing; decimals keep their digits."""
    await client.put(observation("o", "p", valueQuantity={"value": 1, "unit": "kg"}))
    more = b'{"op":"add","path":"/note","value":[{"text":"x"}]}'
    raw = b'[{"op":"replace","path":"/valueQuantity/value","value":72.50},%b]' % more
    answer = await client.call("PATCH", "Observation/o", raw, must=200, **PATCH)
    assert b"72.50" in answer.content
    wrong = [{"op": "remove", "path": "/note"}, {"op": "test", "path": "/status", "value": "amended"}]
    refused = await client.call("PATCH", "Observation/o", wrong, **PATCH)
    assert refused.status_code in (409, 412, 422)
    assert (await client.get("Observation/o"))["note"] == [{"text": "x"}]
    invalid = await client.call("PATCH", "Observation/o", [{"op": "remove", "path": "/status"}], **PATCH)
    assert invalid.status_code in (400, 422)


async def test_fhirpath_patch(client: Client) -> None:
    """Replace, add and delete by FHIRPath; a path that names nothing to replace is refused."""
    await client.put(patient("p", gender="female", birthDate="1970-01-01"))
    await client.call("PATCH", "Patient/p", _fhirpath_patch("replace", "Patient.gender", valueCode="male"), must=200)
    added = _fhirpath_patch("add", "Patient")
    added["parameter"][0]["part"] += [
        {"name": "name", "valueString": "active"},
        {"name": "value", "valueBoolean": True},
    ]
    await client.call("PATCH", "Patient/p", added, must=200)
    await client.call("PATCH", "Patient/p", _fhirpath_patch("delete", "Patient.birthDate"), must=200)
    found = await client.get("Patient/p")
    assert (found["gender"], found["active"], "birthDate" in found) == ("male", True, False)
    wrong = await client.call("PATCH", "Patient/p", _fhirpath_patch("replace", "Patient.name", valueString="x"))
    assert wrong.status_code in (400, 422)


async def test_conditional_patch(client: Client) -> None:
    """The one resource that a search finds is patched; a transaction patches too."""
    await client.put(patient("p", identifier=[{"system": "urn:mrn", "value": "3"}]))
    change = [{"op": "add", "path": "/gender", "value": "male"}]
    await client.call("PATCH", "Patient?identifier=urn:mrn|3", change, must=200, **PATCH)
    answer = await client.call("PATCH", "Patient?identifier=urn:mrn|4", change, **PATCH)
    assert answer.status_code == 404
    entry = {
        "resource": _fhirpath_patch("replace", "Patient.gender", valueCode="other"),
        "request": {"method": "PATCH", "url": "Patient/p"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    await client.call("POST", "", bundle, must=200)
    assert (await client.get("Patient/p"))["gender"] == "other"


def _entry(
    method: str, url: str, resource: dict[str, Any] | None = None, full_url: str | None = None
) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url}}
    return entry | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


async def test_batch(client: Client) -> None:
    """Each entry is answered for itself, in order; one that is wrong harms no other."""
    entries = [_entry("POST", "Patient", {"resourceType": "Patient"}), _entry("GET", "Patient/none"),
               _entry("POST", "Patient", {"resourceType": "Patient", "gender": "wrong"})]  # fmt: skip
    answer = await client.call("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries}, must=200)
    assert [entry["response"]["status"][:3] for entry in answer.json()["entry"]] == ["201", "404", "400"]


async def test_transaction(client: Client) -> None:
    """Links by urn:uuid become references; all or nothing."""
    one, two = "urn:uuid:aaaaaaaa-0000-4000-8000-000000000001", "urn:uuid:aaaaaaaa-0000-4000-8000-000000000002"
    about = {**observation("", "x"), "subject": {"reference": one}}
    del about["id"]
    entries = [_entry("POST", "Observation", about, two), _entry("POST", "Patient", {"resourceType": "Patient"}, one)]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = (await client.call("POST", "", bundle, must=200)).json()
    observed, who = (entry["response"]["location"].partition("/_history")[0] for entry in answer["entry"])
    found = await client.get(observed)
    assert who.endswith(found["subject"]["reference"])
    broken = {**bundle, "entry": [entries[1], _entry("PUT", "Patient/x", {"resourceType": "Patient", "id": "y"})]}
    assert (await client.call("POST", "", broken)).status_code == 400
    assert (await client.get("Patient?_summary=count"))["total"] == 1


async def test_etag_if_match_prefer(client: Client) -> None:
    """A stale version is refused; the client chooses what it gets back."""
    made = await client.put(patient("p"))
    assert made.headers["etag"] == 'W/"1"'
    await client.call("PUT", "Patient/p", patient("p", active=True), if_match='W/"1"', must=200)
    await client.call("PUT", "Patient/p", patient("p", active=False), if_match='W/"1"', must=412)
    assert (await client.call("PUT", "Patient/p", patient("p"), prefer="return=minimal")).content == b""
    told = await client.call("PUT", "Patient/p", patient("p", active=True), prefer="return=OperationOutcome")
    assert told.json()["resourceType"] == "OperationOutcome"


async def test_xml(client: Client) -> None:
    """What goes in as XML comes out as the same JSON, and the other way; errors too come in the form asked for."""
    text = (
        '<Observation xmlns="http://hl7.org/fhir"><id value="o"/><status value="final"/>'
        '<code><text value="pulse"/></code>'
        '<valueQuantity><value value="72.50"/><unit value="/min"/></valueQuantity></Observation>'
    )
    await client.call("PUT", "Observation/o", text.encode(), content_type="application/fhir+xml", must=201)
    plain = await client.call("GET", "Observation/o")
    assert b"72.50" in plain.content and json.loads(plain.content)["valueQuantity"]["unit"] == "/min"
    back = await client.call("GET", "Observation/o", accept="application/fhir+xml", must=200)
    assert back.headers["content-type"].startswith("application/fhir+xml") and '<value value="72.50"/>' in back.text
    wrong = await client.call("GET", "Observation/none?_format=xml", must=404)
    assert "<OperationOutcome" in wrong.text


async def test_summary_and_elements(client: Client) -> None:
    """Parts of a resource, marked as such; what must be there stays."""
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    await client.put(observation("o", "p", text=text, note=[{"text": "long"}]))
    part = await client.get("Observation/o?_elements=note")
    assert "note" in part and "status" in part and "subject" not in part
    assert any(tag["code"] == "SUBSETTED" for tag in part["meta"]["tag"])
    for mode, kept, gone in (("true", "subject", "note"), ("text", "text", "subject"), ("data", "note", "text")):
        found = (await client.get(f"Observation?_summary={mode}"))["entry"][0]["resource"]
        assert kept in found and gone not in found, mode
    assert (await client.get("Observation?_summary=count"))["total"] == 1


async def test_embedded_database(client: Client) -> None:
    """Every test here runs on an SQLite file and on PostgreSQL: what is stored is found."""
    await client.put(patient("p", active=True))
    assert await client.ids("Patient?active=true") == {"Patient/p"}
