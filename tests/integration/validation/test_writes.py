"""What writes are held to, by setting, on both engines."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhir_profiles.conform import own_resources
from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.interactions.published import publish
from server.store import open_store
from tests.conftest import make_request

NAMED = "http://example.org/StructureDefinition/named"
CLAIMING = {"resourceType": "Patient", "meta": {"profile": [NAMED]}, "active": True}
CONFIDENCE = "https://fhirwright.dev/fhir/StructureDefinition/confidence"


def refusal(fhir, method, url, body):
    """The places that a refused write is told, or None when it is stored."""
    try:
        fhir.handle_sync(make_request(method, url, body))
    except FhirError as error:
        assert error.category is Category.INCORRECT
        return [problem.expression for problem in error.problems if problem.severity == "error"]
    return None


@pytest.mark.usefixtures("loaded")
def test_a_claimed_profile_is_enforced_on_every_way_in(serve):
    """Create, update, patch and the entries of a transaction."""
    fhir = serve()
    assert refusal(fhir, "POST", "Patient", CLAIMING) == ["Patient.name"]
    assert refusal(fhir, "PUT", "Patient/p", {**CLAIMING, "id": "p"}) == ["Patient.name"]
    entry = {"resource": CLAIMING, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert refusal(fhir, "POST", "", bundle) == ["Bundle.entry[0].resource.name"]
    assert refusal(fhir, "PUT", "Patient/p", {**CLAIMING, "id": "p", "name": [{"family": "x"}]}) is None
    patch = json.dumps([{"op": "remove", "path": "/name"}]).encode()
    with pytest.raises(FhirError) as caught:
        fhir.handle_sync(make_request("PATCH", "Patient/p", patch, content_type="application/json-patch+json"))
    assert [p.expression for p in caught.value.problems] == ["Patient.name"]


@pytest.mark.usefixtures("loaded")
def test_the_level_is_a_setting(serve):
    """`structure` stores what only breaks a profile; `off` also what breaks R4, unless it could not be found again."""
    broken = {"resourceType": "Patient", "gender": "wrong", "birthDate": "1970-13-45"}
    assert refusal(serve(validation="structure"), "POST", "Patient", CLAIMING) is None
    assert refusal(serve(validation="structure"), "POST", "Patient", broken) == ["Patient.gender", "Patient.birthDate"]
    assert refusal(serve(validation="off"), "POST", "Patient", CLAIMING) is None
    assert refusal(serve(validation="off"), "POST", "Patient", {**broken, "birthDate": "1970-01-01"}) is None
    shapeless = {"resourceType": "Patient", "name": "x", "identifier": 7, "birthDate": {"a": []}}
    assert refusal(serve(validation="off"), "POST", "Patient", shapeless) in (None, [None])


@pytest.mark.usefixtures("loaded")
def test_a_required_profile_holds_without_a_claim(serve):
    """The settings ask it of every resource of its type, and of no other."""
    fhir = serve(required_profiles=(f"{NAMED}|1.0.0",))
    assert refusal(fhir, "POST", "Patient", {"resourceType": "Patient", "active": True}) == ["Patient.name"]
    assert refusal(fhir, "POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}}) is None
    either = serve(required_profiles=(NAMED, "http://example.org/StructureDefinition/coded"))
    assert refusal(either, "POST", "Patient", {"resourceType": "Patient", "name": [{"text": "x"}]}) is None


def test_a_profile_that_is_not_known_does_not_hinder(serve):
    """The claim may be about a package that nobody loaded."""
    assert refusal(serve(), "POST", "Patient", CLAIMING) is None


def test_a_profile_that_a_client_stores_is_used_at_once(serve):
    """From the next write on, and in its new form after it changed."""
    fhir = serve()
    url = "http://example.org/StructureDefinition/mine"
    definition = {
        "resourceType": "StructureDefinition", "id": "mine", "url": url, "name": "Mine", "status": "active",
        "kind": "resource", "abstract": False, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]},
    }  # fmt: skip
    claiming = {**CLAIMING, "meta": {"profile": [url]}}
    assert refusal(fhir, "POST", "Patient", claiming) is None
    assert refusal(fhir, "PUT", "StructureDefinition/mine", definition) is None
    assert refusal(fhir, "POST", "Patient", claiming) == ["Patient.name"]
    definition["differential"]["element"][0] |= {"id": "Patient.gender", "path": "Patient.gender"}
    assert refusal(fhir, "PUT", "StructureDefinition/mine", definition) is None
    assert refusal(fhir, "POST", "Patient", claiming) == ["Patient.gender"]
    fhir.handle_sync(make_request("DELETE", "StructureDefinition/mine"))
    assert refusal(fhir, "POST", "Patient", claiming) is None


def test_an_extension_that_is_known_is_checked_wherever_it_stands(serve):
    """Its value, and that it stands on what it is for."""
    coding = {"system": "http://loinc.org", "code": "1-8", "extension": [{"url": CONFIDENCE, "valueString": "high"}]}
    observation = {"resourceType": "Observation", "status": "final", "code": {"coding": [coding]}}
    assert refusal(serve(), "POST", "Observation", observation) == ["Observation.code.coding[0].extension[0].value"]
    patient = {"resourceType": "Patient", "extension": [{"url": CONFIDENCE, "valueDecimal": 0.5}]}
    assert refusal(serve(), "POST", "Patient", patient) == ["Patient.extension[0]"]


def test_what_ships_is_published_and_kept(serve, call):
    """Found by its canonical, read by its id, written once, and changed by nobody."""
    fhir = serve()
    assert publish(fhir) == len(own_resources())
    assert publish(fhir) == 0
    for resource in own_resources():
        name, id = resource["resourceType"], resource["id"]
        stored = json.loads(call("GET", f"{name}/{id}").body)
        assert stored["meta"]["versionId"] == "1"
        found = json.loads(call("GET", f"{name}?url={resource['url']}").body)
        assert [entry["resource"]["id"] for entry in found["entry"]] == [id]
    for method, body in (("PUT", {**own_resources()[0], "status": "retired"}), ("DELETE", None)):
        with pytest.raises(FhirError) as caught:
            fhir.handle_sync(
                make_request(method, f"{own_resources()[0]['resourceType']}/{own_resources()[0]['id']}", body)
            )
        assert caught.value.category is Category.FORBIDDEN


def test_every_profile_of_ours_has_a_snapshot_and_a_differential(call, serve):
    """So that a client needs no tool of its own to use it."""
    publish(serve())
    for resource in own_resources():
        if resource["resourceType"] == "StructureDefinition":
            stored = json.loads(call("GET", f"StructureDefinition/{resource['id']}").body)
            assert stored["snapshot"]["element"][0]["path"] == stored["type"]
            assert stored["differential"]["element"]
            ids = [element["id"] for element in stored["snapshot"]["element"]]
            assert len(set(ids)) == len(ids)
            assert {e["id"] for e in stored["differential"]["element"]} <= set(ids)


@pytest.mark.usefixtures("loaded")
def test_the_capability_statement_names_what_is_checked(serve):
    """Our profiles and those of loaded packages, by type."""
    body = json.loads(serve().handle_sync(make_request("GET", "metadata")).body)
    by_type = {r["type"]: r.get("supportedProfile", []) for r in body["rest"][0]["resource"]}
    assert f"{NAMED}|1.0.0" in by_type["Patient"]
    assert "https://fhirwright.dev/fhir/StructureDefinition/draft-claim|0.1.0" in by_type["Claim"]


def test_who_asks_for_an_outcome_is_told_what_was_not_checked(serve):
    """A claim to a profile that is not known is stored, and not called checked."""
    request = make_request("POST", "Patient", CLAIMING, prefer="return=OperationOutcome")
    answer = serve().handle_sync(request)
    said = [(i["severity"], i["diagnostics"][:11]) for i in json.loads(answer.body)["issue"]]
    assert (answer.status, said) == (201, [("information", "Created."), ("warning", "Not checked")])


def test_processes_that_start_at_once_publish_once(database_url, settings):
    """Several API processes start together on a new database: each resource is written by one of them."""
    stores = [open_store(database_url, create=False) for _ in range(3)]
    try:
        with ThreadPoolExecutor(3) as pool:
            written = list(pool.map(lambda store: publish(Fhir(store, settings)), stores))
        assert sum(written) == len(own_resources())
        for resource in own_resources():
            assert stores[0].read(resource["resourceType"], resource["id"]).version == 1
    finally:
        for store in stores:
            store.close()
