"""Import: every good line is stored under its id, every bad one is told, and nothing happens twice."""

from __future__ import annotations

import json
from typing import Any

import pytest


def patient(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, **more}


def ndjson(*resources: Any) -> bytes:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources]
    return b"\n".join(lines) + b"\n"


async def upload(house: Any, body: bytes, *, run: bool = True) -> dict[str, Any]:
    """Import a body; the manifest."""
    answer = await house.client.post("$import", content=body, headers={"content-type": "application/fhir+ndjson"})
    assert answer.status_code == 202, answer.text
    status = answer.headers["content-location"]
    if run:
        await house.work()
    done = await house.client.get(status)
    assert done.status_code == 200, done.text
    return dict(done.json())


async def total(house: Any, kind: str = "Patient") -> int:
    return int((await house.client.get(f"{kind}?_summary=count")).json()["total"])


async def test_lines_keep_their_ids_and_bad_ones_are_told(house: Any) -> None:
    """Good lines are resources under their ids; each bad line is an OperationOutcome that says which line it was."""
    body = ndjson(patient("a"), b"{nonsense", b"", patient("b", birthDate="never"), patient("c"), {"no": "type"})
    manifest = await upload(house, body)
    assert manifest["output"] == [{"type": "Patient", "count": 2}]
    [file] = manifest["error"]
    assert file["count"] == 3
    outcomes = [json.loads(line) for line in (await house.client.get(file["url"])).text.splitlines()]
    assert [one["issue"][0]["diagnostics"].partition(":")[0] for one in outcomes] == ["Line 2", "Line 4", "Line 6"]
    assert outcomes[1]["issue"][0]["expression"] == ["Patient.birthDate"]
    assert "never" not in json.dumps(outcomes)
    assert [(await house.client.get(f"Patient/{name}")).status_code for name in "abc"] == [200, 404, 200]


async def test_an_import_that_is_run_again_changes_nothing(house: Any) -> None:
    """The same lines make no new versions."""
    body = ndjson(*(patient(f"p{number}") for number in range(20)))
    for _ in range(2):
        await upload(house, body)
    assert await total(house) == 20
    assert (await house.client.get("Patient/p0")).json()["meta"]["versionId"] == "1"


async def test_a_killed_import_goes_on(house: Any) -> None:
    """A line without an id is stored once, however often the worker dies."""
    lines = [{"resourceType": "Patient", "name": [{"family": f"f{number}"}]} for number in range(2500)]
    headers = {"content-type": "application/fhir+ndjson"}
    answer = await house.client.post("$import", content=ndjson(*lines), headers=headers)
    [(job, _)] = house.queued()
    steps = house.steps()
    deaths = 0

    class Killed(Exception):
        pass

    def kill(_: str) -> None:
        nonlocal deaths
        deaths += 1
        if deaths % 2:
            raise Killed

    steps.before = kill
    while True:
        try:
            await house.store.run(house.run, job, steps)
            break
        except Killed:
            continue
    assert deaths > 6
    assert await total(house) == 2500
    manifest = (await house.client.get(answer.headers["content-location"])).json()
    assert manifest["output"] == [{"type": "Patient", "count": 2500}]
    assert house.store.query("SELECT count(*) FROM later_chunk") == [(0,)]


async def test_what_was_exported_can_be_imported(house: Any) -> None:
    """A file of an export of this server is an input; what was deleted stands again."""
    for name in "abc":
        await house.client.put(f"Patient/{name}", json=patient(name))
    answer = await house.client.get("Patient/$export?_type=Patient", headers={"prefer": "respond-async"})
    await house.work()
    [file] = (await house.client.get(answer.headers["content-location"])).json()["output"]
    await house.client.delete("Patient/b")
    parts = [{"name": "type", "valueCode": "Patient"}, {"name": "url", "valueUrl": file["url"]}]
    asked = {"resourceType": "Parameters", "parameter": [{"name": "input", "part": parts}]}
    answer = await house.client.post("$import", json=asked, headers={"content-type": "application/fhir+json"})
    assert answer.status_code == 202, answer.text
    await house.work()
    manifest = (await house.client.get(answer.headers["content-location"])).json()
    assert manifest["output"] == [{"type": "Patient", "count": 3, "inputUrl": file["url"]}]
    assert (await house.client.get("Patient/b")).status_code == 200


async def test_a_file_is_fetched_from_an_allowed_host(house: Any, endpoint: Any) -> None:
    """An input that answers with something else than 200 ends the import with the reason; the status tells it."""
    endpoint.status = 404
    asked = {"input": [{"type": "Patient", "url": endpoint.url}]}
    answer = await house.client.post("$import", json=asked, headers={"content-type": "application/json"})
    assert answer.status_code == 202, answer.text
    assert await house.work() == ["failed"]
    failed = await house.client.get(answer.headers["content-location"])
    assert (failed.status_code, failed.json()["resourceType"]) == (422, "OperationOutcome")
    assert endpoint.asked == 1


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "https://169.254.169.254/x", "file:///etc/passwd", "http://example.org/x", "nonsense"]
)
async def test_an_input_outside_the_wall_is_refused(house: Any, url: str) -> None:
    """Nothing is fetched from inner addresses, without TLS, or by another protocol."""
    asked = {"input": [{"type": "Patient", "url": url}]}
    answer = await house.client.post("$import", json=asked, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("more_settings", [{"imports_at_once": 1}])
async def test_so_many_imports_at_once(house: Any) -> None:
    """One more is told to come back."""
    headers = {"content-type": "application/fhir+ndjson"}
    assert (await house.client.post("$import", content=ndjson(patient("a")), headers=headers)).status_code == 202
    assert (await house.client.post("$import", content=ndjson(patient("a")), headers=headers)).status_code == 429
