"""Identifiers planted at every entrance, and looked for at every exit that is not an answer to who may see them."""

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.conftest import start_live
from tests.support.clock import until

PLANTED = 200


def _identifiers() -> list[dict[str, str]]:
    return [
        {
            "family": f"Quarzelbrix{n:03d}fam", "given": f"Zweltharin{n:03d}giv", "mrn": f"MRN77{n:03d}5512",
            "phone": f"614-555-{7000 + n}", "secret": f"sekrit{n:03d}tokenvalue", "mail": f"plant{n:03d}@planted.example",  # noqa: E501
        }
        for n in range(PLANTED // 4)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, furnish) -> tuple[Path, list[dict[str, str]], list[str]]:
    """A server and a worker that met every identifier: the directory of its logs, the identifiers, its open texts."""
    data = furnish(tmp_path_factory.mktemp("scrub"))
    server = start_live(data, "--worker", FHIRWRIGHT_LOG_LEVEL="debug", FHIRWRIGHT_LOG_REQUESTS="all")
    people = _identifiers()
    said: list[str] = []
    with httpx.Client(base_url=f"{server.base}/fhir", timeout=120) as client:
        for n, person in enumerate(people):
            _meet(client, n, person, said)

        def refused() -> list[dict[str, Any]]:
            tasks = [entry["resource"] for entry in client.get("Task?_count=50").json().get("entry", [])]
            return tasks if any(task["status"] in ("failed", "rejected") for task in tasks) else []

        tasks = until(refused)
        said += [str(task.get("statusReason")) for task in tasks]
        said.append(httpx.get(f"{server.base}/metrics").text)
    server.stop()
    return data, people, said


def _meet(client: httpx.Client, n: int, person: dict[str, str], said: list[str]) -> None:
    patient = {
        "resourceType": "Patient", "id": f"scrub-{n}", "name": [{"family": person["family"], "given": [person["given"]]}],  # noqa: E501
        "identifier": [{"system": "urn:mrn", "value": person["mrn"]}],
        "telecom": [{"system": "phone", "value": person["phone"]}, {"system": "email", "value": person["mail"]}],
    }  # fmt: skip
    note = f"Patient: {person['family']}, {person['given']} MRN {person['mrn']} Phone {person['phone']} {person['mail']}. Asthma."  # noqa: E501
    client.put(f"Patient/scrub-{n}", json=patient).raise_for_status()
    client.get("Patient", params={"name": person["family"], "identifier": person["mrn"], "phone": person["phone"]})
    token = {"Authorization": f"Bearer {person['secret']}"}
    wrong = [
        client.get(f"Patient/{person['mrn']}", headers=token),
        client.get("Patient", params={"birthdate": person["family"]}),
        client.get(f"{person['family']}/1"),
        client.put(f"Patient/other-{n}", json={**patient, "id": f"other-{n}", "gender": person["mail"]}),
        client.post("Patient", content=f'{{"resourceType": "{person["family"]}'.encode()),
        client.post("Patient", json={**patient, "birthDate": person["phone"]}),
        client.request("PATCH", f"Patient/scrub-{n}", json=[{"op": "test", "path": "/" + person["given"], "value": 1}],
                       headers={"content-type": "application/json-patch+json"}),
        client.post("$graphql", json={"query": "{" + person["family"] + "}"}),
        client.post("$deidentify", json={"resourceType": person["family"]}),
    ]  # fmt: skip
    # what stands where a name of FHIR belongs is told to its sender alone, so only the logs are looked at for these
    client.get("Patient", params={person["given"]: person["mail"]}, headers={"Prefer": "handling=strict"})
    client.put(f"Patient/third-{n}", json={**patient, "id": f"third-{n}", person["given"]: "x"})
    said += [f"{answer.status_code} {answer.text}" for answer in wrong if answer.status_code >= 400]
    if n < 6:
        kind = ("text/plain", "application/pdf", "image/png")[n % 3]
        document = {
            "resourceType": "DocumentReference", "status": "current", "subject": {"reference": f"Patient/scrub-{n}"},
            "content": [{"attachment": {"contentType": kind, "title": person["given"],
                                        "data": base64.b64encode(b"%PDF-1.7 " * (n % 3) + note.encode()).decode()}}],
        }  # fmt: skip
        client.post("DocumentReference", json=document)
        client.post(
            "DocumentReference/$code", content=b"%PDF-1.7 " + note.encode(), headers={"content-type": "application/pdf"}
        )


def _hits(texts: list[str], people: list[dict[str, str]]) -> list[str]:
    whole = "\n".join(texts).lower()
    return [
        f"{kind} {n}" for n, person in enumerate(people) for kind, value in person.items() if value.lower() in whole
    ]


@pytest.mark.check("OPS-13")
def test_ops_13_logs_hold_no_identifier(planted) -> None:
    """OPS-13: names searched, bad requests, failing jobs and tokens reach no line of a log, at any level."""
    data, people, _ = planted
    logs = [path.read_text(errors="replace") for path in data.rglob("*.log*") if path.is_file()]
    assert logs and any(logs)
    assert _hits(logs, people) == []


def test_metrics_and_errors_hold_no_identifier(planted) -> None:
    """Neither the metrics nor the OperationOutcomes of refused requests repeat what was sent."""
    _, people, said = planted
    assert len(said) > PLANTED
    leaks = [text for text in said if _hits([text], people)]
    assert leaks == []
