"""Subscriptions tell their owner what the owner may read, and nobody else anything; on both engines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

TOPIC = "https://fhirwright.dev/fhir/SubscriptionTopic/Observation"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
WS = {"type": "websocket"}


def hook(url: str, criteria: str = "Observation", content: str | None = None) -> dict[str, Any]:
    """A Subscription with a secret in its header."""
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": url, "header": ["Authorization: Bearer secret"]}
    channel["payload"] = "application/fhir+json"
    if content:
        channel["_payload"] = {"extension": [{"url": f"{BACKPORT}backport-payload-content", "valueCode": content}]}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "t",
        "criteria": criteria,
        "channel": channel,
    }


def observation(name: str, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip


async def subscribe(closed: Any, token: str, subscription: dict[str, Any]) -> str:
    answer = await closed.ask(token, "POST", "Subscription", subscription)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.check("COMP-28")
@pytest.mark.parametrize("content", [None, "id-only", "full-resource"])
async def test_only_what_the_owner_may_read_is_told(closed: Any, postman: Any, endpoint: Any, content: Any) -> None:
    """COMP-28: an app of patient A hears of A, by R4 and by topic, with ids and with resources, and never of B."""
    mine, root = closed.token("patient/*.cruds", "A"), closed.token("system/*.cruds", client="root")
    name = await subscribe(closed, mine, hook(endpoint.url, TOPIC if content else "Observation", content))
    await postman.go(1)
    for patient in "BAB":
        await closed.ask(root, "PUT", f"Observation/n{patient}", observation(f"n{patient}", patient))
    await closed.ask(root, "PUT", "Observation/Ao", observation("Ao", "B"))  # away from A: not told
    await postman.go()
    sent = " ".join(path + body.decode() for _, path, _, body in endpoint.taken)
    assert "nA" in sent
    assert "nB" not in sent
    assert "Ao" not in sent
    assert "Patient/B" not in sent
    told = await closed.ask(mine, "GET", f"Subscription/{name}/$events?content=full-resource")
    assert told.status_code == 200, told.text
    assert "nB" not in told.text


@pytest.mark.check("COMP-28")
async def test_a_granular_scope_limits_what_is_told(closed: Any, postman: Any, endpoint: Any) -> None:
    """COMP-28: an owner whose scope has a filter hears of what the filter finds, and of nothing else."""
    mine, root = (
        closed.token("patient/Observation.rs?status=final patient/Subscription.cruds", "A"),
        closed.token("system/*.cruds", client="root"),
    )
    await subscribe(closed, mine, hook(endpoint.url))
    await postman.go(1)
    await closed.ask(root, "PUT", "Observation/hidden", observation("hidden", "A") | {"status": "preliminary"})
    await closed.ask(root, "PUT", "Observation/seen", observation("seen", "A"))
    await postman.go()
    sent = " ".join(path + body.decode() for _, path, _, body in endpoint.taken)
    assert "seen" in sent and "hidden" not in sent


async def test_what_is_hidden_when_it_is_told_is_not_told(closed: Any, postman: Any, endpoint: Any) -> None:
    """An event that was matched is dropped when its resource has gone to somebody else before it is delivered."""
    mine, root = closed.token("patient/*.cruds", "A"), closed.token("system/*.cruds", client="root")
    await subscribe(closed, mine, hook(endpoint.url))
    await postman.go(1)
    await closed.ask(root, "PUT", "Observation/n", observation("n", "A"))
    await closed.store.run(postman.deliverer.matcher.turn)
    assert closed.store.query("SELECT count(*) FROM event") == [(1,)]
    await closed.ask(root, "PUT", "Observation/n", observation("n", "B"))
    await postman.go()
    assert not endpoint.taken


async def test_an_event_tells_nothing_of_a_version_that_is_hidden(closed: Any, postman: Any, endpoint: Any) -> None:
    """Whether a Task became completed is judged as if a version before it that is hidden from the owner never was."""
    mine = closed.token("user/Task.rs?intent=order user/Subscription.cruds", person="alice")
    root = closed.token("system/*.cruds", client="root")
    topic = f"{TOPIC.removesuffix('Observation')}document-coded"
    await subscribe(closed, mine, hook(endpoint.url, topic, "id-only"))
    await postman.go(1)
    endpoint.taken.clear()
    code = {"coding": [{"system": "https://fhirwright.dev/fhir/CodeSystem/task-code", "code": "code-document"}]}
    for name, status in (("was", "completed"), ("became", "requested")):
        task = {"resourceType": "Task", "id": name, "code": code}
        for intent, state in (("plan", status), ("order", "completed"), ("order", "completed")):
            body = task | {"intent": intent, "status": state}
            await closed.ask(root, "PUT", f"Task/{name}", body)
    await postman.go()
    sent = " ".join(body.decode() for _, _, _, body in endpoint.taken)
    assert sent.count("Task/was") == sent.count("Task/became") > 0


@pytest.mark.check("COMP-28")
async def test_criteria_beyond_what_was_given_are_refused(closed: Any) -> None:
    """COMP-28: another patient, another type or a chain over one in the criteria is 403; another's is as if absent."""
    mine = closed.token("patient/*.cruds", "A")
    for criteria in ("Observation?patient=B", "Observation?subject=Patient/B", "Patient?_id=B", "Questionnaire"):
        answer = await closed.ask(mine, "POST", "Subscription", hook("http://127.0.0.1/x", criteria))
        assert answer.status_code == 403, criteria
    narrow = closed.token("patient/Observation.rs patient/Subscription.cruds", "A")
    for criteria in ("Condition", "Observation?patient.name=x", f"{TOPIC[:-11]}Condition"):
        answer = await closed.ask(narrow, "POST", "Subscription", hook("http://127.0.0.1/x", criteria))
        assert answer.status_code == 403, criteria
    assert (await closed.ask(narrow, "POST", "Subscription", hook("http://127.0.0.1/x"))).status_code == 201


async def test_nobody_but_the_owner_sees_a_subscription(closed: Any) -> None:
    """Its header is a secret: read, search, history, $status, $events, tokens and writes of others find none."""
    mine = closed.token("user/*.cruds", person="alice")
    name = await subscribe(closed, mine, hook("http://127.0.0.1/x"))
    others = [
        closed.token("user/*.cruds", person="bob"), closed.token("system/*.cruds", client="root"),
        closed.token("user/*.cruds fhirwright/admin", person="admin", roles=("admin",)),
        closed.token("user/*.cruds", person="alice", client="other"),
    ]  # fmt: skip
    for token in others:
        for url in (f"Subscription/{name}", f"Subscription/{name}/_history", f"Subscription/{name}/_history/1",
                    f"Subscription/{name}/$status", f"Subscription/{name}/$events"):  # fmt: skip
            assert (await closed.ask(token, "GET", url)).status_code == 404, url
        searches = ("Subscription", "Subscription/_history", "_history", "Subscription/$status")
        for url in (*searches, f"?_type=Subscription&_id={name}"):
            found = await closed.ask(token, "GET", url)
            assert "secret" not in found.text, url
            assert name not in found.text.replace(f"_id={name}", ""), url
        put = await closed.ask(token, "PUT", f"Subscription/{name}", hook("http://127.0.0.1/x") | {"id": name})
        assert put.status_code == 404
    assert "secret" in (await closed.ask(mine, "GET", f"Subscription/{name}")).text
    assert name in (await closed.ask(mine, "GET", "Subscription")).text
    assert (await closed.ask(others[2], "DELETE", f"Subscription/{name}")).status_code == 204
    assert (await closed.ask(others[0], "GET", f"Subscription/{name}/_history/1")).status_code == 404


async def test_what_was_revoked_is_told_nothing_and_turned_off(closed: Any, postman: Any, endpoint: Any) -> None:
    """A subscription ends with the authorization that it was made by."""
    mine = closed.token("patient/*.cruds", "A")
    granted = closed.last
    name = await subscribe(closed, mine, hook(endpoint.url))
    await postman.go(1)
    root = closed.token("system/*.cruds", client="root")
    await closed.ask(root, "PUT", "Observation/n", observation("n", "A"))
    closed.revoke(granted)
    await postman.go()
    assert not endpoint.taken
    assert closed.store.query("SELECT state FROM subscription WHERE id = ?", (name,)) == [("off",)]


class Socket:
    """A websocket connection to the application."""

    def __init__(self, app: Any, token: str | None = None) -> None:
        self._in: asyncio.Queue[Any] = asyncio.Queue()
        self.out: asyncio.Queue[Any] = asyncio.Queue()
        headers = [(b"host", b"test")] + ([(b"authorization", f"Bearer {token}".encode())] if token else [])
        scope = {
            "type": "websocket",
            "path": "/fhir/$subscriptions",
            "headers": headers,
            "query_string": b"",
            "scheme": "ws",
        }
        self._in.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(app(scope, self._in.get, self.out.put))

    async def say(self, text: str) -> str:
        self._in.put_nowait({"type": "websocket.receive", "text": text})
        while True:
            message = await asyncio.wait_for(self.out.get(), 120)
            if message["type"] != "websocket.accept":
                return str(message.get("text") or message["type"])

    async def close(self) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, 120)


@pytest.mark.check("COMP-28")
async def test_a_websocket_is_bound_by_its_owner_only(closed: Any, postman: Any) -> None:
    """COMP-28: `bind` needs the owner's token on the connection, `bind-with-token` a token the owner asked for."""
    mine, other = closed.token("patient/*.cruds", "A"), closed.token("patient/*.cruds", "B")
    name = await subscribe(
        closed, mine, hook("", TOPIC, "id-only") | {"channel": WS | {"payload": "application/fhir+json"}}
    )
    await postman.go(1)
    for token in (None, "nonsense", other):
        socket = Socket(closed.app, token)
        assert (await socket.say(f"bind {name}")).startswith("error")
        await socket.close()
    assert (await closed.ask(other, "GET", f"Subscription/{name}/$get-ws-binding-token")).status_code == 404
    socket = Socket(closed.app, mine)
    assert await socket.say(f"bind {name}") == f"bound {name}"
    root = closed.token("system/*.cruds", client="root")
    for patient in "BA":
        await closed.ask(root, "PUT", f"Observation/w{patient}", observation(f"w{patient}", patient))
    await postman.go()
    assert (await asyncio.wait_for(socket.out.get(), 120))["text"] == f"ping {name}"
    await asyncio.sleep(0.6)
    assert socket.out.empty()
    await socket.close()
    given = (await closed.ask(mine, "GET", f"Subscription/{name}/$get-ws-binding-token")).json()
    token = next(one["valueString"] for one in given["parameter"] if one["name"] == "token")
    socket = Socket(closed.app)
    assert json.loads(await socket.say(f"bind-with-token {token}"))["type"] == "history"
    await socket.close()
