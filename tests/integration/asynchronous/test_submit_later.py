"""`Claim/$submit` with `Prefer: respond-async` (https://hl7.org/fhir/R4/async.html)."""

from __future__ import annotations

import random
from typing import Any

from campaigns.claiming.making import claim

LATER = {"prefer": "respond-async"}


async def test_a_claim_is_answered_later_with_the_same_answer(house: Any) -> None:
    """202 with a status URL, then a batch-response with the stored ClaimResponse; asked at once it is the same."""
    resource = claim(random.Random(1), 1)
    taken = await house.client.post("Claim/$submit", json=resource, headers=LATER)
    assert taken.status_code == 202 and taken.content == b""
    status = taken.headers["content-location"]
    assert (await house.client.get(status)).status_code == 202
    assert await house.work() == ["done"]
    (entry,) = (await house.client.get(status)).json()["entry"]
    assert entry["response"]["status"] == "200" and entry["resource"]["resourceType"] == "ClaimResponse"
    at_once = await house.client.post("Claim/$submit", json=resource)
    assert at_once.json() == entry["resource"]
    stored = await house.client.get(f"ClaimResponse/{entry['resource']['id']}")
    assert stored.json() == entry["resource"]


async def test_a_job_that_runs_twice_gives_one_answer(house: Any) -> None:
    """A worker that dies before it could tell the answer leaves one ClaimResponse."""
    taken = await house.client.post("Claim/$submit?explain=true", json=claim(random.Random(2), 2), headers=LATER)
    [(job, _)] = house.queued()
    await house.store.run(house.run, job)
    house.end(job, "ENQUEUED")
    await house.store.run(house.run, job)
    found = (await house.client.get("ClaimResponse?_total=accurate")).json()
    (entry,) = (await house.client.get(taken.headers["content-location"])).json()["entry"]
    assert found["total"] == 1 and found["entry"][0]["resource"] == entry["resource"]


async def test_what_is_no_claim_is_refused_later(house: Any) -> None:
    """The batch-response holds the status and the OperationOutcome, and repeats nothing of what was sent."""
    sent = {"resourceType": "Claim", "item": "Adelaide Quill"}
    taken = await house.client.post("Claim/$submit", json=sent, headers=LATER)
    assert await house.work() == ["refused"]
    answer = await house.client.get(taken.headers["content-location"])
    assert answer.json()["entry"][0]["response"]["status"] == "400" and "Quill" not in answer.text
