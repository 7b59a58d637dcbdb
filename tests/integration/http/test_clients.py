"""Clients that others wrote create, read and search (fhirclient and fhirpy)."""

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient


def test_fhirclient_creates_reads_and_searches(live):
    """The SMART Python client, with its own models."""
    from fhirclient.client import FHIRClient
    from fhirclient.models.fhirdate import FHIRDate
    from fhirclient.models.humanname import HumanName
    from fhirclient.models.patient import Patient

    smart = FHIRClient(settings={"app_id": "test", "api_base": f"{live.base}/fhir"})
    patient = Patient()
    name = HumanName()
    name.family, name.given = "Clientson", ["Smart"]
    patient.name, patient.birthDate = [name], FHIRDate("1980-02-29")
    made = patient.create(smart.server)
    assert made["resourceType"] == "Patient"
    found = Patient.read(made["id"], smart.server)
    assert found.birthDate.isostring == "1980-02-29"
    results = Patient.where({"family": "Clientson"}).perform_resources_iter(smart.server)
    assert made["id"] in [result.id for result in results]
    found.gender = "other"
    assert found.update(smart.server)["meta"]["versionId"] == "2"
    found.delete(smart.server)


def test_fhirpy_creates_reads_and_searches(live):
    """The beda.software client, synchronously, with paging and counting."""
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
    one.delete()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # aiohttp closes its transports after the loop
async def test_fhirpy_works_asynchronously(live):
    """The same client over aiohttp."""
    client = AsyncFHIRClient(f"{live.base}/fhir")
    made = client.resource("Organization", name="Async Clinic")
    await made.save()
    found = await client.resources("Organization").search(name="Async").fetch()
    assert made.id in [resource.id for resource in found]
