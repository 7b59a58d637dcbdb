"""Clients in Python that others wrote, as black boxes against a server that listens (fhirclient and fhirpy)."""

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient

LINK = "urn:uuid:00000000-0000-4000-8000-0000000000cc"
TRANSACTION = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": LINK,
            "resource": {"resourceType": "Patient", "name": [{"family": "Bundled"}]},
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "pulse"},
                "subject": {"reference": LINK},
            },
            "request": {"method": "POST", "url": "Observation"},
        },
    ],
}


def test_fhirclient(live):
    """The SMART Python client, with its own models: create, read, search in pages, update, patch, history, bundle."""
    from fhirclient.client import FHIRClient
    from fhirclient.models.bundle import Bundle
    from fhirclient.models.fhirdate import FHIRDate
    from fhirclient.models.humanname import HumanName
    from fhirclient.models.patient import Patient

    smart = FHIRClient(settings={"app_id": "test", "api_base": f"{live.base}/fhir"})
    made = []
    for number in range(5):
        patient = Patient()
        name = HumanName()
        name.family, name.given = "Clientson", [f"Smart{number}"]
        patient.name, patient.birthDate = [name], FHIRDate("1980-02-29")
        made.append(patient.create(smart.server))
    assert made[0]["resourceType"] == "Patient"
    found = Patient.read(made[0]["id"], smart.server)
    assert found.birthDate.isostring == "1980-02-29"
    results = Patient.where({"family": "Clientson", "_count": "2"}).perform_resources_iter(smart.server)
    assert {one["id"] for one in made} == {result.id for result in results}
    found.gender = "other"
    assert found.update(smart.server)["meta"]["versionId"] == "2"
    patch = [{"op": "replace", "path": "/gender", "value": "female"}]
    headers = {"Content-Type": "application/json-patch+json", "Accept": "application/json"}
    path = f"{smart.server.base_uri}Patient/{found.id}"
    response = smart.server.session.patch(path, json=patch, headers=headers)
    assert response.json()["gender"] == "female"
    history = Bundle(smart.server.request_json(f"Patient/{found.id}/_history"))
    assert [entry.resource.gender for entry in history.entry] == ["female", "other", None]
    answer = Bundle(smart.server.post_json("", TRANSACTION).json())
    assert [entry.response.status[:3] for entry in answer.entry] == ["201", "201"]
    found.delete(smart.server)


def test_fhirpy(live):
    """The beda.software client: create, search in pages, count, patch, history, bundle, delete."""
    client = SyncFHIRClient(f"{live.base}/fhir")
    for number in range(5):
        client.resource("Patient", name=[{"family": "Pyson", "given": [f"No{number}"]}]).save()
    found = client.resources("Patient").search(family="Pyson").limit(2)
    assert len(found.fetch()) == 2
    everyone = found.fetch_all()
    assert len(everyone) == 5
    assert client.resources("Patient").search(family="Pyson").count() == 5
    one = client.reference("Patient", everyone[0].id).to_resource()
    one["active"] = True
    one.save()
    assert client.resources("Patient").search(active="true", family="Pyson").first().id == one.id
    one.patch(gender="other")
    history = client.execute(f"Patient/{one.id}/_history", method="get")
    assert [entry["resource"].get("gender") for entry in history["entry"]] == ["other", None, None]
    answer = client.execute("", method="post", data=TRANSACTION)
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "201"]
    one.delete()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # aiohttp closes its transports after the loop
async def test_fhirpy_asynchronously(live):
    """The same client over aiohttp."""
    client = AsyncFHIRClient(f"{live.base}/fhir")
    made = client.resource("Organization", name="Async Clinic")
    await made.save()
    found = await client.resources("Organization").search(name="Async").fetch()
    assert made.id in [resource.id for resource in found]
