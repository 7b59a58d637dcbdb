"""Subscriptions: from the outbox of the same transaction, in order, at least once, each on its own."""

from __future__ import annotations

import asyncio
import threading
import uuid
from typing import Any

import pytest

from tests.support.clock import eventually

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
TOPICS = "https://fhirwright.dev/fhir/SubscriptionTopic/"


def plain(url: str, criteria: str = "Observation?code=8480-6", payload: str | None = "application/fhir+json") -> Any:
    """A Subscription of R4."""
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": url, "header": ["Authorization: Bearer t"]}
    channel |= {"payload": payload} if payload else {}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": criteria,
        "channel": channel,
    }


def topical(url: str, topic: str, content: str = "id-only", filters: tuple[str, ...] = (), **numbers: int) -> Any:
    """A Subscription to a topic."""
    made = plain(url, TOPICS + topic)
    extension = [{"url": f"{BACKPORT}backport-payload-content", "valueCode": content}]
    made["channel"]["_payload"] = {"extension": extension}
    names = {"heartbeat": "backport-heartbeat-period", "most": "backport-max-count"}
    kinds = {"heartbeat": "valueUnsignedInt", "most": "valuePositiveInt"}
    made["channel"]["extension"] = [{"url": BACKPORT + names[k], kinds[k]: v} for k, v in numbers.items()]
    if not numbers:
        del made["channel"]["extension"]
    if filters:
        wanted = [{"url": f"{BACKPORT}backport-filter-criteria", "valueString": text} for text in filters]
        made["_criteria"] = {"extension": wanted}
    return made


def observation(name: str, code: str = "8480-6", status: str = "final") -> dict[str, Any]:
    coding = {"system": "http://loinc.org", "code": code}
    return {"resourceType": "Observation", "id": name, "status": status, "code": {"coding": [coding]}}


async def put(house: Any, resource: dict[str, Any]) -> None:
    answer = await house.client.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code in (200, 201), answer.text


async def subscribe(house: Any, postman: Any, subscription: Any) -> str:
    """Write a Subscription and see it become active; its id."""
    answer = await house.client.post("Subscription", json=subscription)
    assert answer.status_code == 201, answer.text
    await postman.go(1)
    name = str(answer.json()["id"])
    assert (await shown(house, name))["status"] == "active"
    return name


async def shown(house: Any, name: str) -> dict[str, Any]:
    return dict((await house.client.get(f"Subscription/{name}")).json())


def value(bundle: dict[str, Any], name: str) -> Any:
    for one in bundle["entry"][0]["resource"]["parameter"]:
        if one["name"] == name:
            return next(value for key, value in one.items() if key != "name")
    return None


async def test_a_match_is_sent_as_the_resource_and_nothing_else_is(house: Any, postman: Any, endpoint: Any) -> None:
    """R4 with a payload: the resource as an update below the endpoint, with the headers that were asked for."""
    await subscribe(house, postman, plain(endpoint.url))
    await put(house, observation("a"))
    await put(house, observation("b", "8462-4"))
    await put(house, {"resourceType": "Patient", "id": "p"})
    await postman.go()
    [(method, path, headers, body)] = endpoint.taken
    assert (method, path, headers["authorization"]) == ("PUT", "/hook/Observation/a", "Bearer t")
    assert headers["content-type"] == "application/fhir+json"
    assert body == (await house.client.get("Observation/a")).content


async def test_without_payload_the_endpoint_is_only_called(house: Any, postman: Any, endpoint: Any) -> None:
    """R4 without a payload: an empty POST for each match."""
    await subscribe(house, postman, plain(endpoint.url, payload=None))
    await put(house, observation("a"))
    await postman.go()
    [(method, path, _, body)] = endpoint.taken
    assert (method, path, body) == ("POST", "/hook", b"")


async def test_each_version_is_judged_as_it_was(house: Any, postman: Any, endpoint: Any) -> None:
    """A version that matched is told although it was replaced by one that does not before anybody looked."""
    await subscribe(house, postman, plain(endpoint.url, "Observation?status=preliminary"))
    for status in ("preliminary", "final", "preliminary", "amended"):
        await put(house, observation("a", status=status))
    await postman.go()
    versions = [bundle["meta"]["versionId"] for bundle in endpoint.bundles()]
    assert versions == ["1", "3"]


async def test_a_chain_is_asked_of_the_database(house: Any, postman: Any, endpoint: Any) -> None:
    """Criteria may reach to other resources."""
    await subscribe(house, postman, plain(endpoint.url, "Observation?subject:Patient.gender=female"))
    for name, gender in (("f", "female"), ("m", "male")):
        await put(house, {"resourceType": "Patient", "id": name, "gender": gender})
        await put(house, observation(name) | {"subject": {"reference": f"Patient/{name}"}})
    await postman.go()
    assert [path for _, path, _, _ in endpoint.taken] == ["/hook/Observation/f"]


async def test_a_write_that_fails_leaves_nothing_in_the_outbox(house: Any, postman: Any, endpoint: Any) -> None:
    """The note is part of the transaction: a Bundle that is refused is told to nobody."""
    await subscribe(house, postman, plain(endpoint.url))
    entries = [
        {"resource": observation("a"), "request": {"method": "PUT", "url": "Observation/a"}},
        {"request": {"method": "DELETE", "url": "Observation/zzz", "ifMatch": 'W/"9"'}},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert (await house.client.post("", json=bundle)).status_code >= 400
    assert house.store.query("SELECT count(*) FROM outbox") == [(0,)]


async def test_without_subscriptions_nothing_is_noted(house: Any) -> None:
    """Types that nobody wants do not go through the outbox."""
    await put(house, observation("a"))
    assert house.store.query("SELECT count(*) FROM outbox") == [(0,)]


async def test_the_order_is_kept_while_an_endpoint_fails(house: Any, postman: Any, endpoint: Any) -> None:
    """Failures are tried again after a pause; no event overtakes another, none is lost."""
    await subscribe(house, postman, plain(endpoint.url, "Observation"))
    endpoint.statuses = [500, 503, 200, 404, 200]
    for number in range(5):
        await put(house, observation("a") | {"note": [{"text": str(number)}]})
    async with asyncio.timeout(120):
        while len(endpoint.taken) < 5:
            await postman.go(1)
            await asyncio.sleep(0.02)
    assert [bundle["note"][0]["text"] for bundle in endpoint.bundles()] == list("01234")


async def test_an_endpoint_that_fails_shows_on_the_subscription(house: Any, postman: Any, endpoint: Any) -> None:
    """After some failures its status is error, with the reason; when it answers again, active without one."""
    name = await subscribe(house, postman, plain(endpoint.url))
    endpoint.status = 503
    await put(house, observation("a"))
    await _until(house, postman, name, "error")
    assert (await shown(house, name))["error"] == "The endpoint answered with status 503."
    endpoint.status = 200
    await _until(house, postman, name, "active")
    assert "error" not in await shown(house, name)
    assert len(endpoint.taken) == 1


@pytest.mark.parametrize("more_settings", [{"subscription_off_after": 5}])
async def test_after_too_many_failures_it_is_off_until_it_is_requested_again(
    house: Any, postman: Any, endpoint: Any
) -> None:
    """Then nothing is sent; what it missed is told when its owner writes it again."""
    name = await subscribe(house, postman, plain(endpoint.url))
    endpoint.status = 500
    await put(house, observation("a"))
    await _until(house, postman, name, "off")
    asked = endpoint.asked
    await postman.go()
    assert endpoint.asked == asked
    endpoint.status = 200
    await put(house, await shown(house, name) | {"status": "requested"})
    await _until(house, postman, name, "active")
    await postman.go()
    assert [path for _, path, _, _ in endpoint.taken] == ["/hook/Observation/a"]


async def _until(house: Any, postman: Any, name: str, status: str) -> None:
    async with asyncio.timeout(120):
        while (await shown(house, name))["status"] != status:
            await postman.go(1)
            await asyncio.sleep(0.02)


async def test_a_dead_endpoint_blocks_nobody_else(house: Any, postman: Any, endpoint: Any) -> None:
    """While one endpoint hangs, another is told."""
    hanging = threading.Event()
    from endpoint import open_endpoint

    dead, server = open_endpoint()
    await subscribe(house, postman, plain(dead.url))
    await subscribe(house, postman, plain(endpoint.url))
    dead.hold = hanging
    await put(house, observation("a"))
    task = asyncio.create_task(postman.go(1))
    await eventually(lambda: endpoint.taken)
    assert len(endpoint.taken) == 1
    assert dead.taken == []
    hanging.set()
    await task
    server.shutdown()
    server.server_close()


async def test_redirects_are_not_followed(house: Any, postman: Any, endpoint: Any) -> None:
    """A redirect is a failure: it could lead inside."""
    name = await subscribe(house, postman, plain(endpoint.url))
    endpoint.statuses = [307, 307, 307]
    await put(house, observation("a"))
    await _until(house, postman, name, "error")
    assert (await shown(house, name))["error"] == "The endpoint answered with status 307."


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


async def test_a_quiet_subscription_has_a_heartbeat(house: Any, postman: Any, endpoint: Any) -> None:
    """With a period, a notification without events shows that the connection stands."""
    await subscribe(house, postman, topical(endpoint.url, "Observation", heartbeat=1))
    await postman.go()
    assert endpoint.kinds() == ["handshake"]
    await asyncio.sleep(1.1)
    await postman.go()
    assert endpoint.kinds() == ["handshake", "heartbeat"]


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


@pytest.mark.parametrize(
    "change",
    [
        {"criteria": "Nothing?x=1"},
        {"criteria": "Patient?nonsense=1"},
        {"criteria": "Patient?_include=Patient:link"},
        {"criteria": "https://example.org/topic"},
        {"channel": {"type": "email", "endpoint": "mailto:a@example.org"}},
        {"channel": {"type": "rest-hook"}},
        {"channel": {"type": "rest-hook", "endpoint": "ftp://example.org"}},
        {"channel": {"type": "rest-hook", "endpoint": "http://example.org/hook"}},
        {"channel": {"type": "rest-hook", "endpoint": "https://user:secret@example.org/hook"}},
        {"channel": {"type": "rest-hook", "endpoint": "https://10.0.0.1/hook"}},
        {"channel": {"type": "rest-hook", "endpoint": "https://[::1]/hook"}},
        {"channel": {"type": "rest-hook", "endpoint": "https://169.254.169.254/latest"}},
        {"channel": {"type": "rest-hook", "endpoint": "https://example.org", "header": ["Host: other"]}},
        {"channel": {"type": "rest-hook", "endpoint": "https://example.org", "payload": "text/csv"}},
    ],
)
async def test_what_cannot_be_followed_is_refused_when_it_is_written(house: Any, change: Any) -> None:
    """Criteria that no search understands and endpoints that may not be reached are no Subscription."""
    answer = await house.client.post("Subscription", json=plain("https://example.org/hook") | change)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("more_settings", [{"subscriptions": 1}])
async def test_so_many_subscriptions(house: Any) -> None:
    """One more than the setting allows is refused; a deleted one makes room."""
    first = await house.client.post("Subscription", json=plain("https://example.org/hook"))
    assert (await house.client.post("Subscription", json=plain("https://example.org/b"))).status_code == 429
    await house.client.delete(f"Subscription/{first.json()['id']}")
    assert (await house.client.post("Subscription", json=plain("https://example.org/c"))).status_code == 201


async def test_a_deletion_that_is_rolled_back_does_not_make_the_outbox_deaf(
    house: Any, postman: Any, endpoint: Any
) -> None:
    """A transaction that ends a Subscription and is refused changes nothing about what is noted."""
    name = await subscribe(house, postman, plain(endpoint.url, "Observation"))
    entries = [
        {"request": {"method": "DELETE", "url": f"Subscription/{name}"}},
        {"resource": observation("a"), "request": {"method": "PUT", "url": "Observation/a", "ifMatch": 'W/"9"'}},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert (await house.client.post("", json=bundle)).status_code >= 400
    await put(house, observation("b"))
    await postman.go()
    assert [path for _, path, _, _ in endpoint.taken] == ["/hook/Observation/b"]


async def test_old_events_are_pruned_once_they_were_told(house: Any, postman: Any, endpoint: Any) -> None:
    """What was told long ago is forgotten; what still waits, and what is new, stays."""
    from server.subscriptions import events

    name = await subscribe(house, postman, plain(endpoint.url, "Observation"))
    for one in "ab":
        await put(house, observation(one))
    await postman.go()
    endpoint.status = 500
    await put(house, observation("c"))
    await postman.go(1)
    house.store.write_sync(lambda tx: tx.execute("UPDATE event SET at = 1 WHERE number <> 2"))
    await house.store.run(events.prune, house.parts.fhir, 1)
    rows = house.store.query("SELECT number FROM event WHERE subscription = ? ORDER BY number", (name,))
    assert rows == [(2,), (3,)]
