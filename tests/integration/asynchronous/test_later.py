"""`Prefer: respond-async`: 202 now, the answer later, once."""

from __future__ import annotations

from typing import Any

import pytest

from server.jobs import later

LATER = {"prefer": "respond-async"}


def patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"family": name}]}


async def kick_off(house: Any, method: str, url: str, **more: Any) -> str:
    """Ask for a request to be answered later; its status URL."""
    response = await house.client.request(method, url, headers=LATER | more.pop("headers", {}), **more)
    assert response.status_code == 202, response.text
    assert response.content == b""
    return str(response.headers["content-location"])


async def test_a_search_is_answered_later_as_a_batch_response(house: Any) -> None:
    """The status says 202 with its progress while the job waits, then 200 with what the search would have answered."""
    await house.client.post("Patient", json=patient("Abel"))
    status = await kick_off(house, "GET", "Patient?family=abel")
    waiting = await house.client.get(status)
    assert (waiting.status_code, waiting.headers["x-progress"]) == (202, "waiting")
    assert int(waiting.headers["retry-after"]) > 0
    assert await house.work() == ["done"]
    done = await house.client.get(status)
    assert done.status_code == 200
    assert "expires" in done.headers
    bundle = done.json()
    assert (bundle["type"], len(bundle["entry"])) == ("batch-response", 1)
    assert bundle["entry"][0]["response"]["status"] == "200"
    assert bundle["entry"][0]["resource"]["entry"][0]["resource"]["name"][0]["family"] == "Abel"


async def test_a_create_is_done_once_though_its_job_runs_twice(house: Any) -> None:
    """A write commits with the record of its step."""
    status = await kick_off(house, "POST", "Patient", json=patient("Baker"))
    [(job, _)] = house.queued()
    steps = house.steps()
    await house.store.run(house.run, job, steps)
    house.end(job, "ENQUEUED")
    await house.store.run(house.run, job, steps)
    assert (await house.client.get("Patient?family=Baker&_total=accurate")).json()["total"] == 1
    entry = (await house.client.get(status)).json()["entry"][0]
    assert (entry["response"]["status"], entry["resource"]["name"][0]["family"]) == ("201", "Baker")


async def test_a_batch_answers_each_entry_and_one_does_not_spoil_another(house: Any) -> None:
    """Entries are answered one by one, with their progress."""
    entries = [
        {"resource": patient("One"), "request": {"method": "POST", "url": "Patient"}},
        {"resource": {"resourceType": "Patient", "birthDate": "x"}, "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": "Patient?family=One"}},
        {"nonsense": True},
    ]
    status = await kick_off(house, "POST", "", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    await house.work()
    answered = (await house.client.get(status)).json()["entry"]
    assert [entry["response"]["status"][:3] for entry in answered] == ["201", "400", "200", "400"]
    assert answered[2]["resource"]["entry"][0]["resource"]["name"][0]["family"] == "One"


async def test_an_error_is_an_answer_too(house: Any) -> None:
    """The bundle holds the status and the OperationOutcome of what went wrong."""
    status = await kick_off(house, "GET", "Patient/nobody")
    await house.work()
    entry = (await house.client.get(status)).json()["entry"][0]
    assert entry["response"]["status"] == "404"
    assert entry["response"]["outcome"]["resourceType"] == "OperationOutcome"


async def test_delete_cancels_and_forgets(house: Any) -> None:
    """After DELETE there is nothing at the status URL, and the job does not run."""
    status = await kick_off(house, "POST", "Patient", json=patient("Cancelled"))
    assert (await house.client.delete(status)).status_code == 202
    assert (await house.client.get(status)).status_code == 404
    assert (await house.client.delete(status)).status_code == 404
    assert house.queued() == []
    assert (await house.client.get("Patient?_total=accurate")).json()["total"] == 0


@pytest.mark.parametrize("more_settings", [{"later_running": 2}])
async def test_a_client_has_so_many_at_once(house: Any) -> None:
    """One more is told to wait; one that has ended makes room."""
    for _ in range(2):
        await kick_off(house, "GET", "Patient")
    refused = await house.client.get("Patient", headers=LATER)
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    await house.work()
    await kick_off(house, "GET", "Patient")


async def test_results_expire(house: Any) -> None:
    """A result that is older than the setting says is not given, and is pruned."""
    status = await kick_off(house, "GET", "Patient")
    await house.work()
    house.store.write_sync(lambda tx: tx.execute("UPDATE later SET expires = 1"))
    assert (await house.client.get(status)).status_code == 404
    assert later.prune(house.store, house.parts.intake.jobs) == 1
    assert house.store.query("SELECT count(*) FROM later") == [(0,)]


async def test_what_was_given_up_says_so(house: Any) -> None:
    """A job whose worker died again and again is answered with 500 and an OperationOutcome."""
    from server.jobs.kinds import sweep

    status = await kick_off(house, "GET", "Patient")
    [(job, _)] = house.queued()
    house.end(job, "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    for _ in range(2):
        await house.store.run(sweep, house.parts.fhir, house.kinds.values())
    failed = await house.client.get(status)
    assert (failed.status_code, failed.json()["resourceType"]) == (500, "OperationOutcome")
