"""What the server says of itself is what it does: the CapabilityStatement, its page, OpenAPI and the definitions."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import httpx
import pytest

from fhir_profiles.served import id_of, told_operations

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
VALUES = {
    "date": "2024-01-01",
    "number": "1",
    "quantity": "1",
    "token": "x",
    "string": "x",
    "uri": "urn:x",
    "reference": "Patient/x",
}


@pytest.fixture
async def statement(client):
    """The CapabilityStatement as a client reads it."""
    return (await client.get("metadata")).json()


def _resources(statement):
    return {one["type"]: one for one in statement["rest"][0]["resource"]}


async def test_every_search_parameter_that_is_named_can_be_searched(client, statement):
    """No parameter of the types that matter most is answered with 'unknown' in strict handling."""
    refused = []
    for name in ("Patient", "Observation", "Encounter", "Location", "Condition", "MedicationRequest"):
        for parameter in _resources(statement)[name]["searchParam"]:
            if parameter["type"] in VALUES:
                query = {parameter["name"]: VALUES[parameter["type"]], "_count": "0"}
                answer = await client.get(name, params=query, headers={"prefer": "handling=strict"})
                if answer.status_code != 200:
                    refused.append((name, parameter["name"], answer.text[:200]))
    assert refused == []


async def test_each_operation_is_named_once(statement):
    """However many levels it is known at, a type names an operation once."""
    for resource in statement["rest"][0]["resource"]:
        names = [one["name"] for one in resource.get("operation", ())]
        assert len(names) == len(set(names)), resource["type"]


async def test_every_operation_is_told_and_defined(client, app, statement):
    """Each operation that is registered has a text, parameters and, under its id, a definition that can be read."""
    rest = statement["rest"][0]
    declared = {one["definition"] for r in [rest, *rest["resource"]] for one in r.get("operation", ())}
    assert declared == {one.definition for one in app.state.fhir.operations}
    for definition in declared:
        assert id_of(definition) in told_operations(), definition
        found = await client.get(f"OperationDefinition/{id_of(definition)}")
        assert found.status_code == 200
        assert found.json()["url"] == definition


async def test_a_search_parameter_can_be_read(client, statement):
    """The definitions that the statement points at are there, until somebody stores another under the same id."""
    named = next(p for p in _resources(statement)["Patient"]["searchParam"] if p["name"] == "birthdate")
    found = (await client.get(f"SearchParameter/{id_of(named['definition'])}")).json()
    assert (found["url"], found["code"]) == (named["definition"], "birthdate")
    assert (await client.get("SearchParameter/nothing-like-this")).status_code == 404


async def test_a_browser_gets_a_page(client, statement):
    """One page with everything on it, no script, nothing from elsewhere, and a policy that holds it to that."""
    answer = await client.get("metadata", headers=BROWSER)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.text
    assert '<html lang="en">' in page
    assert all(f'<details id="{name}">' in page for name in _resources(statement))
    assert "<script" not in page
    assert not re.search(r"(src|srcset)=|@import|url\(", page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    for told in ("$everything", "patch", "Patient:general-practitioner", "application/json-patch+json"):
        assert told in page


async def test_the_root_leads_to_the_page(app):
    """Who only knows the host arrives at what the server can do."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/", headers=BROWSER, follow_redirects=True)
    assert answer.status_code == 200
    assert "what it can do" in answer.text


async def test_openapi_tells_every_route(app, statement):
    """Each interaction of each type has its route, its body a schema with real elements, its answers links."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/openapi.json")
        one = (await client.get("/openapi/Patient.json")).json()
        assert (await client.get("/openapi/Spoon.json")).status_code == 404
    assert len(answer.content) < 5_000_000
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    for name in _resources(statement):
        assert {"get", "post", "put", "patch", "delete"} <= document["paths"][f"/fhir/{name}"].keys()
        assert {"get", "put", "patch", "delete"} <= document["paths"][f"/fhir/{name}/{{id}}"].keys()
    assert "/fhir/Patient/{id}/$everything" in one["paths"]
    assert "/fhir/Observation" not in one["paths"]
    patient = one["components"]["schemas"]["Patient"]["properties"]
    assert patient["gender"] == {"enum": ["female", "male", "other", "unknown"]}
    assert patient["birthDate"] == {"$ref": "#/components/schemas/date"}
    links = one["paths"]["/fhir/Patient"]["post"]["responses"]["201"]["links"]
    assert {"read", "update", "patch", "delete", "history", "vread"} <= links.keys()


async def test_openapi_holds_together(app):
    """Every reference finds its component, every link its operation, every name in a path its parameter."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        document = (await client.get("/openapi.json")).json()
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "#/components/([^"]+)"', text)):
        kind, _, name = reference.partition("/")
        assert name in document["components"][kind], reference
    operations = [route for path in document["paths"].values() for route in path.values()]
    identifiers = [route["operationId"] for route in operations]
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'"operationId": "([^"]+)", "parameters": \{"id": "\$resp', text)) <= set(identifiers)
    shared = document["components"]["parameters"]
    for path, routes in document["paths"].items():
        for route in routes.values():
            given = [shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in route.get("parameters", ())]
            assert len({(p["in"], p["name"]) for p in given}) == len(given), path
            assert set(re.findall(r"\{(\w+)\}", path)) == {p["name"] for p in given if p["in"] == "path"}, path
