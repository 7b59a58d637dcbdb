"""Subscriptions: from the outbox of the same transaction, in order, at least once, each on its own."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.integration.asynchronous.subscriptions import (
    observation,
    plain,
    put,
    shown,
    subscribe,
    topical,
)
from tests.support.clock import eventually


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


async def test_a_quiet_subscription_has_a_heartbeat(house: Any, postman: Any, endpoint: Any) -> None:
    """With a period, a notification without events shows that the connection stands."""
    await subscribe(house, postman, topical(endpoint.url, "Observation", heartbeat=1))
    await postman.go()
    assert endpoint.kinds() == ["handshake"]
    await asyncio.sleep(1.1)
    await postman.go()
    assert endpoint.kinds() == ["handshake", "heartbeat"]


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
