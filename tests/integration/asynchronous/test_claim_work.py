"""Failed claims become Tasks, in the transaction that stores the answer."""

from __future__ import annotations

import random
from typing import Any

import pytest

from campaigns.claiming.making import claim
from claims.work import task_id
from fhir_profiles.systems import WORK_STATE
from server.jobs.intake import depths

Json = dict[str, Any]


def made(number: int = 1, **more: Any) -> Json:
    """A sound claim that can be stored."""
    found = claim(random.Random(number), number)
    for item in found["item"]:
        item["quantity"]["system"] = "urn:units"  # R4 wants it beside the code
    return {**found, **more}


def broken(number: int = 1) -> Json:
    """The same with a charge below zero."""
    found = made(number)
    found["item"][0]["net"]["value"] = -5
    return found


async def put(house: Any, resource: Json) -> None:
    answer = await house.client.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code in (200, 201), answer.text


async def submit(house: Any, resource: Json) -> Json:
    await put(house, resource)
    answer = await house.client.post("Claim/$submit", json=resource)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def task(house: Any, name: str = "c1") -> Json | None:
    """The Task of a claim, found as a client would find it."""
    found = (await house.client.get(f"Task?focus=Claim/{name}")).json().get("entry", [])
    assert len(found) <= 1
    return found[0]["resource"] if found else None


def state(found: Json) -> tuple[str, str]:
    [coding] = [c for c in found["businessStatus"]["coding"] if c["system"] == WORK_STATE]
    return found["status"], coding["code"]


async def test_a_claim_that_fails_has_one_task_until_it_is_clean(house: Any) -> None:
    """Requested with reason and findings; the same Task when it fails again, completed when it is clean."""
    response = await submit(house, broken())
    first = await task(house)
    assert first is not None and first["id"] == task_id("c1")
    assert state(first) == ("requested", "CHG")
    assert first["reasonReference"] == {"reference": f"ClaimResponse/{response['id']}"}
    assert len(first["input"]) == len(response["error"])
    again = broken()
    again["item"][1]["net"]["value"] = -5
    await submit(house, again)
    second = await task(house)
    assert second is not None and len(second["input"]) > len(first["input"])
    await submit(house, made())
    done = await task(house)
    assert done is not None and state(done) == ("completed", "clean") and done["meta"]["versionId"] == "3"


async def test_an_answer_that_is_given_again_counts_again(house: Any) -> None:
    """A claim that is put back to what failed is work again, though its answer was stored before."""
    await submit(house, broken())
    await submit(house, made())
    await submit(house, broken())
    found = await task(house)
    assert found is not None and state(found) == ("requested", "CHG")
    await submit(house, broken())
    assert await task(house) == found


async def test_no_work_is_made_of_what_is_not_stored_or_clean(house: Any) -> None:
    """A claim that this server does not hold, a clean one, and an answer to a request for authorisation."""
    assert (await house.client.post("Claim/$submit", json=broken())).json()["outcome"] == "error"
    await submit(house, made(2))
    await put(house, made())
    response = (await house.client.post("Claim/$submit", json=broken())).json()
    await put(house, {**response, "id": "other", "use": "preauthorization", "request": {"reference": "Claim/c2"}})
    assert await task(house, "c2") is None and await task(house) is not None
    assert (await house.client.get("Task?_summary=count")).json()["total"] == 1


async def test_people_assign_and_close_work_by_updates(house: Any) -> None:
    """An owner and a status that a client writes stay when the claim fails again."""
    await submit(house, broken())
    found = await task(house)
    assert found is not None
    await put(house, {**found, "status": "in-progress", "owner": {"reference": "Practitioner/me"}})
    again = broken()
    again["item"][1]["net"]["value"] = -5
    await submit(house, again)
    after = await task(house)
    assert after is not None
    assert (after["status"], after["owner"]) == ("in-progress", {"reference": "Practitioner/me"})
    assert (await house.client.get("Task?owner=Practitioner/me&_summary=count")).json()["total"] == 1


@pytest.mark.parametrize("more_settings", [{"claim_owners": {"CHG": "Organization/charges"}}])
async def test_settings_say_whose_work_a_category_is(house: Any) -> None:
    """`FHIRWRIGHT_CLAIM_OWNERS` gives the Tasks of a category to somebody."""
    await submit(house, broken())
    found = await task(house)
    assert found is not None and found["owner"] == {"reference": "Organization/charges"}


async def test_tasks_of_claims_are_no_documents(house: Any) -> None:
    """The metric of documents by stage does not count them."""
    await submit(house, broken())
    assert depths(house.store) == {}
