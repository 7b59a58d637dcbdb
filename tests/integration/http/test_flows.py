"""The interactions over HTTP, on both databases (https://hl7.org/fhir/R4/http.html)."""

import json

from fhir_profiles.validate import check
from server.access.caller import ANYBODY
from server.interactions.exchange import Request

BODY = b'{"resourceType":"Observation","status":"final","code":{"text":"pulse"},"valueQuantity":{"value":72.50}}'
JSON = {"Content-Type": "application/fhir+json"}


async def _create(client, body=BODY, **headers):
    kind = json.loads(body)["resourceType"]
    return await client.post(kind, content=body, headers={**JSON, **headers})


async def test_create_answers_201_with_location_and_etag(client):
    """The place and the version of what was made are in the headers, and the place can be read."""
    made = await _create(client)
    assert made.status_code == 201
    assert made.headers["etag"] == 'W/"1"'
    assert made.headers["location"].startswith("http://test/fhir/Observation/")
    assert made.headers["location"].endswith("/_history/1")
    assert (await client.get(made.headers["location"])).status_code == 200
    assert "last-modified" in made.headers


async def test_decimals_keep_their_digits(client):
    """72.50 stays 72.50, pretty or not."""
    made = await _create(client)
    for query in ("", "?_pretty=true"):
        found = await client.get(f"Observation/{made.json()['id']}{query}")
        assert b"72.50" in found.content


async def test_head_tells_what_get_would(client):
    """The same headers, no body."""
    identifier = (await _create(client)).json()["id"]
    got, head = await client.get(f"Observation/{identifier}"), await client.head(f"Observation/{identifier}")
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


async def test_a_version_that_is_known_is_304(client):
    """If-None-Match with the current ETag saves the body."""
    made = await _create(client)
    path = f"Observation/{made.json()['id']}"
    again = await client.get(path, headers={"If-None-Match": made.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert (await client.get(path, headers={"If-None-Match": 'W/"7"'})).status_code == 200


async def test_an_update_of_a_stale_version_is_412(client):
    """If-Match guards against the lost update."""
    path = f"Observation/{(await _create(client)).json()['id']}"
    resource = (await client.get(path)).json()
    resource["status"] = "amended"
    body = json.dumps(resource).encode()
    first = await client.put(path, content=body, headers={**JSON, "If-Match": 'W/"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"2"')
    second = await client.put(path, content=body, headers={**JSON, "If-Match": 'W/"1"'})
    assert second.status_code == 412
    assert second.json()["resourceType"] == "OperationOutcome"


async def test_versions_are_read_one_by_one_and_as_a_history(client):
    """vread answers old bytes, the history lists newest first."""
    path = f"Observation/{(await _create(client)).json()['id']}"
    resource = (await client.get(path)).json()
    await client.put(path, content=json.dumps({**resource, "status": "amended"}).encode(), headers=JSON)
    assert (await client.get(f"{path}/_history/1")).json()["status"] == "final"
    assert (await client.get(f"{path}/_history/9")).status_code == 404
    entries = (await client.get(f"{path}/_history")).json()["entry"]
    assert [entry["resource"]["meta"]["versionId"] for entry in entries] == ["2", "1"]


async def test_what_was_deleted_is_410(client):
    """Deleting twice is no error; reading is gone, not unknown."""
    path = f"Observation/{(await _create(client)).json()['id']}"
    assert (await client.delete(path)).status_code in (200, 204)
    assert (await client.delete(path)).status_code in (200, 204)
    assert (await client.get(path)).status_code == 410
    assert (await client.get("Observation/never-there")).status_code == 404


async def test_put_of_a_new_id_creates(client):
    """Update as create answers 201."""
    body = b'{"resourceType":"Patient","id":"chosen-3"}'
    assert (await client.put("Patient/chosen-3", content=body, headers=JSON)).status_code == 201
    assert (await client.put("Patient/other", content=body, headers=JSON)).status_code == 400


async def test_conditional_create_makes_one(client):
    """If-None-Exist finds the first instead of making a second."""
    body = b'{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"88"}]}'
    first = await _create(client, body, **{"If-None-Exist": "identifier=urn:x|88"})
    second = await _create(client, body, **{"If-None-Exist": "identifier=urn:x|88"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["location"] == first.headers["location"]


async def test_prefer_chooses_what_comes_back(client):
    """minimal has no body, OperationOutcome has one."""
    minimal = await _create(client, Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    outcome = await _create(client, Prefer="return=OperationOutcome")
    assert outcome.json()["resourceType"] == "OperationOutcome"


async def test_search_by_get_and_by_post_are_one(client):
    """Both answer a searchset with the same matches and a self link."""
    body = b'{"resourceType":"Patient","name":[{"family":"Zufallsname"}]}'
    identifier = (await _create(client, body)).json()["id"]
    by_get = (await client.get("Patient?family=zufalls")).json()
    by_post = (await client.post("Patient/_search", data={"family": "zufalls"})).json()
    for bundle in (by_get, by_post):
        assert bundle["type"] == "searchset"
        assert [entry["resource"]["id"] for entry in bundle["entry"]] == [identifier]
        assert bundle["link"][0]["relation"] == "self"


async def test_a_transaction_is_posted_to_the_base(client):
    """Entries that refer to each other by urn:uuid are stored together."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:6f0e0b1c-6f0a-4f7e-9a1e-000000000001",
                "resource": {"resourceType": "Patient"},
                "request": {"method": "POST", "url": "Patient"},
            },
            {
                "resource": {
                    "resourceType": "Observation",
                    "status": "final",
                    "code": {"text": "x"},
                    "subject": {"reference": "urn:uuid:6f0e0b1c-6f0a-4f7e-9a1e-000000000001"},
                },
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }
    answer = await client.post("", content=json.dumps(bundle).encode(), headers=JSON)
    assert answer.status_code == 200
    places = [entry["response"]["location"] for entry in answer.json()["entry"]]
    observation = (await client.get(places[1])).json()
    assert observation["subject"]["reference"].split("/")[-1] in places[0]


async def test_what_is_invalid_is_told_with_its_place(client):
    """400 or 422 with a FHIRPath for each problem."""
    answer = await _create(client, b'{"resourceType":"Observation","status":"nonsense","code":{"text":"x"}}')
    assert answer.status_code in (400, 422)
    assert answer.json()["issue"][0]["expression"] == ["Observation.status"]
    broken = await client.post("Observation", content=b'{"resourceType":"Observation"', headers=JSON)
    assert broken.status_code == 400


async def test_a_body_of_another_type_is_refused(client):
    """A Patient posted to Observation is a mistake, not a Patient."""
    answer = await client.post("Observation", content=b'{"resourceType":"Patient"}', headers=JSON)
    assert answer.status_code == 400


async def test_metadata_declares_what_is_served(client, app):
    """The CapabilityStatement names the base, the version and every operation."""
    statement = (await client.get("metadata")).json()
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == "http://test/fhir"
    resources = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
    assert len(resources) > 140
    operations = {(name, o["name"]) for name, r in resources.items() for o in r.get("operation", ())}
    assert operations >= {("DocumentReference", "code"), ("Task", "retry"), ("Task", "cancel")}
    assert check(statement) == []
    inner = app.state.fhir.handle_sync(
        Request(caller=ANYBODY, method="GET", path=("metadata",), base_url="http://test/fhir")
    )
    assert json.loads(inner.body) == statement


async def test_openapi_describes_the_fhir_routes(client):
    """Tools can drive the server from /openapi.json."""
    schema = (await client.get("http://test/openapi.json")).json()
    assert {"get", "post"} <= set(schema["paths"]["/fhir/Patient"])
    assert "put" in schema["paths"]["/fhir/Observation/{id}"]
    assert "/healthz" in schema["paths"]


async def test_health_and_readiness(client, app):
    """Alive always; ready only when the database and the terminology stand, by name and without details."""
    assert (await client.get("http://test/healthz")).json() == {"status": "ok"}
    ready = await client.get("http://test/readyz")
    assert ready.status_code == 503  # there is no terminology in this test's directory
    assert ready.json()["checks"]["database"] == "ok"
    assert ready.json()["checks"]["terminology"].startswith("failed: ")


async def test_other_routes_are_not_fhir(client):
    """Outside of the base there is no OperationOutcome to expect."""
    assert (await client.get("http://test/fhirx")).status_code == 404
    assert (await client.get("http://test/elsewhere")).status_code == 404
