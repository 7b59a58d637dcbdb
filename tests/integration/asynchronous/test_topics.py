"""Subscriptions to topics: numbered bundles, contents, filters, and what is told of them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.integration.asynchronous.subscriptions import (
    TOPICS,
    observation,
    put,
    subscribe,
    topical,
    value,
)


async def test_a_topic_is_told_in_numbered_bundles(house: Any, postman: Any, endpoint: Any) -> None:
    """Handshake first, then a history Bundle for each event with its number and the resource."""
    name = await subscribe(house, postman, topical(endpoint.url, "Observation", "full-resource"))
    await put(house, observation("a"))
    await house.client.delete("Observation/a")
    await postman.go()
    handshake, created, deleted = endpoint.bundles()
    assert endpoint.kinds() == ["handshake", "event-notification", "event-notification"]
    assert value(handshake, "status") == "requested"
    assert (created["type"], value(created, "status")) == ("history", "active")
    assert value(created, "topic") == f"{TOPICS}Observation"
    assert value(created, "subscription")["reference"].endswith(f"Subscription/{name}")
    assert value(created, "events-since-subscription-start") == "1"
    event = {part["name"]: part for part in value(created, "notification-event")}
    assert event["event-number"]["valueString"] == "1"
    assert event["focus"]["valueReference"]["reference"] == "Observation/a"
    assert created["entry"][1]["resource"]["id"] == "a"
    assert deleted["entry"][1]["request"] == {"method": "DELETE", "url": "Observation/a"}
    assert "resource" not in deleted["entry"][1]


@pytest.mark.parametrize(("content", "focus", "entries"), [("empty", False, 1), ("id-only", True, 2)])
async def test_contents(house: Any, postman: Any, endpoint: Any, content: str, focus: bool, entries: int) -> None:
    """`empty` says only that there is something, `id-only` which resource; neither holds it."""
    await subscribe(house, postman, topical(endpoint.url, "Observation", content))
    await put(house, observation("a"))
    await postman.go()
    told = endpoint.bundles()[1]
    assert (value(told, "notification-event") is not None) is focus
    assert value(told, "events-since-subscription-start") == "1"
    assert len(told["entry"]) == entries
    assert all("resource" not in entry for entry in told["entry"][1:])


async def test_several_events_share_a_bundle_when_that_is_asked_for(house: Any, postman: Any, endpoint: Any) -> None:
    """Up to `max-count` events in one notification, in order."""
    await subscribe(house, postman, topical(endpoint.url, "Observation", most=3))
    for name in "abcd":
        await put(house, observation(name))
    await postman.go()
    sizes = [len(bundle["entry"]) - 1 for bundle in endpoint.bundles()]
    assert sizes == [0, 3, 1]


async def test_filters_narrow_a_topic(house: Any, postman: Any, endpoint: Any) -> None:
    """Each filter must be met."""
    await subscribe(house, postman, topical(endpoint.url, "Observation", filters=("Observation?code=8462-4",)))
    await put(house, observation("a"))
    await put(house, observation("b", "8462-4"))
    await postman.go()
    assert [bundle["entry"][1]["fullUrl"] for bundle in endpoint.bundles()[1:]] == ["Observation/b"]


async def test_a_coded_document_and_a_ready_claim_are_topics(house: Any, postman: Any, endpoint: Any) -> None:
    """Told when the Task of a document becomes completed, and for each draft Claim."""
    await subscribe(house, postman, topical(endpoint.url, "document-coded"))
    await subscribe(house, postman, topical(endpoint.url, "claim-ready"))
    code = {"coding": [{"system": "https://fhirwright.dev/fhir/CodeSystem/task-code", "code": "code-document"}]}
    task = {"resourceType": "Task", "id": "t", "intent": "order", "code": code}
    for status in ("requested", "completed", "completed"):
        await put(house, task | {"status": status, "description": str(uuid.uuid4())})
    claim = {
        "resourceType": "Claim",
        "id": "c",
        "status": "draft",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "use": "claim",
        "patient": {"reference": "Patient/p"},
        "created": "2026-01-01",
        "provider": {"reference": "Practitioner/p"},
        "priority": {"text": "normal"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "none"}}],
    }
    await put(house, {"resourceType": "Patient", "id": "p"})
    await put(house, {"resourceType": "Practitioner", "id": "p"})
    await put(house, claim)
    await postman.go()
    told = [bundle["entry"][1]["fullUrl"] for bundle in endpoint.bundles() if len(bundle["entry"]) > 1]
    assert sorted(told) == ["Claim/c", "Task/t"]


async def test_status_and_events_can_be_asked_for(house: Any, postman: Any, endpoint: Any) -> None:
    """$status for one and for all, $events by number and with another content."""
    name = await subscribe(house, postman, topical(endpoint.url, "Observation"))
    for one in "abc":
        await put(house, observation(one))
    await postman.go()
    status = (await house.client.get(f"Subscription/{name}/$status")).json()
    assert (status["type"], value(status, "type")) == ("searchset", "query-status")
    assert value(status, "events-since-subscription-start") == "3"
    assert (await house.client.get("Subscription/$status?status=active")).json()["total"] == 1
    assert (await house.client.get("Subscription/$status?status=error")).json()["total"] == 0
    events = (await house.client.get(f"Subscription/{name}/$events?eventsSinceNumber=2&content=full-resource")).json()
    assert value(events, "type") == "query-event"
    assert [entry["resource"]["id"] for entry in events["entry"][1:]] == ["b", "c"]
    assert (await house.client.get("Subscription/none/$events")).status_code == 404


async def test_topics_are_listed(house: Any) -> None:
    """Each topic is a Basic that the validator takes, ours among them."""
    from fhir_profiles.validate import check

    bundle = (await house.client.get("Subscription/$topics")).json()
    assert [problem for problem in check(bundle) if problem.severity == "error"] == []
    urls = [entry["resource"]["extension"][0]["valueUri"] for entry in bundle["entry"]]
    assert {f"{TOPICS}document-coded", f"{TOPICS}claim-ready", f"{TOPICS}Patient"} <= set(urls)
