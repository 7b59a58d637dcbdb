"""Subscriptions of each tenant: made, told, asked about and bound, by their owner and by others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from campaigns.reaching import oracle, world
from campaigns.reaching.ground import Ground
from campaigns.reaching.judging import Finding
from campaigns.reaching.seats import SEATS, Seat
from campaigns.reaching.world import Json


class Hearing(Ground):
    """Requests about what is told to subscribers, and changes that they may want to hear of."""

    def subscribe(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A Subscription by R4 or by topic, that is told over HTTP or over a websocket."""
        if self.dice.random() < 0.7:
            seat = self.dice.choice([one for one in SEATS if oracle.may_some(one.holder, "Subscription", "c")])
        made = self.dice.choice(_SUBSCRIPTIONS)(f"http://127.0.0.1/{tenant}/{SEATS.index(seat)}", self.dice)
        answer = self.ask(tenant, seat, "POST", "Subscription", json=made)
        yield from self.scan(tenant, seat, answer.content)
        if answer.status_code == 201:
            self.subscriptions.append((tenant, seat.name, answer.json()["id"]))
            self.houses.loop.run_until_complete(self.houses.tenants[tenant].post())
            if len(self.subscriptions) > 30:
                old, owner, name = self.subscriptions.pop(self.dice.randrange(15))
                self.ask(old, self.seats[owner], "DELETE", f"Subscription/{name}")

    def change(self, tenant: int, seat: Seat) -> Iterator[Finding]:  # noqa: ARG002 - it is the server's own
        """A resource goes to another patient and back: subscribers are told what they may see, when they may."""
        house = self.houses.tenants[tenant]
        kind = self.dice.choice(["Observation", "Observation", "Condition", "Encounter"])
        name = self.dice.choice(self.asker.ids[kind])
        mark = f"mark{90_000 + sum(len(one.later) for one in self.houses.tenants) % 10_000:05d}x"
        body = self.asker._resource(kind, name) | {"meta": {"tag": [{"system": world.MARKS, "code": mark}]}}
        house.later[mark.encode()] = body
        self.told = f"PUT {kind}/{name} by the server"
        house.put("PUT", f"{kind}/{name}", body)
        yield from self._notified(tenant, kind, name, body, mark.encode())
        house.heal()
        yield from self._notified(tenant, kind, name, self.asker.past.current((kind, name)), b"")

    def _notified(self, tenant: int, kind: str, name: str, now: Json | None, mark: bytes) -> Iterator[Finding]:
        house = self.houses.tenants[tenant]
        self.houses.loop.run_until_complete(house.post())
        there = self.asker.past.there
        for path, content in house.sent:
            place, number = path.strip("/").split("/")[:2]
            seat = SEATS[int(number)]
            if int(place) != tenant:
                yield Finding("leak", "a subscriber of another tenant is told")
            sees = now is not None and oracle.may(seat.holder, kind, "r", now, there)
            yield from self.scan(tenant, seat, content, frozenset({mark} if sees and mark else ()))
            if f'/{kind}/{name}"'.encode() in content and not sees:
                yield Finding("leak", f"{seat.name} is told of {kind}/{name}")
        house.sent.clear()

    def subscription(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """What stands beside a Subscription, of one's own or of somebody else's."""
        if not self.subscriptions:
            return
        at, owner, name = self.dice.choice(self.subscriptions)
        if self.dice.random() < 0.4:
            tenant, seat = at, self.seats[owner]
        road = self.dice.choice(
            ["", "/_history", "/_history/1", "/$status", "/$events?content=full-resource", "/$get-ws-binding-token"]
        )
        answer = self.ask(tenant, seat, "GET", f"Subscription/{name}{road}")
        if at == tenant and self._owns(seat, self.seats[owner]):
            gone = (
                mark for mark, body in self.houses.tenants[tenant].later.items() if self._told_when_gone(seat, body)
            )
            yield from self.scan(tenant, seat, answer.content, frozenset(gone))
        else:
            yield from self.hidden(answer, self.ask(tenant, seat, "GET", f"Subscription/{'0' * 36}{road}"))

    def _told_when_gone(self, seat: Seat, body: Json) -> bool:
        """Whether a version of what is gone since was the seat's: its event is told still."""
        there = self.asker.past.there
        return there.get((body["resourceType"], body["id"])) is None and oracle.may(
            seat.holder, body["resourceType"], "r", body, there
        )

    def _owns(self, seat: Seat, owner: Seat) -> bool:
        return (seat.client, seat.person, seat.holder.patient) == (owner.client, owner.person, owner.holder.patient)

    def bind(self, tenant: int, seat: Seat) -> Iterator[Finding]:
        """A websocket, bound by name or with a token, here or at the other tenant."""
        if not self.subscriptions:
            return
        at, owner, name = self.dice.choice(self.subscriptions)
        text = f"bind {name}"
        if self.dice.random() < 0.5:
            given = self.ask(at, self.seats[owner], "GET", f"Subscription/{name}/$get-ws-binding-token")
            if given.status_code != 200:
                return
            token = next(one["valueString"] for one in given.json()["parameter"] if one["name"] == "token")
            text = f"bind-with-token {token}"
            seat = self.seats[owner]
        self.told = text
        told = self.houses.loop.run_until_complete(self._socket(tenant, seat, text))
        bound = told.startswith(("bound", "{"))
        allowed = at == tenant and self._owns(seat, self.seats[owner])
        if bound and not allowed:
            yield Finding("leak", f"a websocket is told {told[:40]}")
        yield from self.scan(tenant, seat, told.encode())

    async def _socket(self, tenant: int, seat: Seat, text: str) -> str:
        house = self.houses.tenants[tenant]
        going: asyncio.Queue[Any] = asyncio.Queue()
        coming: asyncio.Queue[Any] = asyncio.Queue()
        headers = [(b"host", house.host.encode()), (b"authorization", f"Bearer {house.tokens[seat.name]}".encode())]
        scope = {
            "type": "websocket",
            "path": "/fhir/$subscriptions",
            "headers": headers,
            "query_string": b"",
            "scheme": "ws",
        }
        for message in ({"type": "websocket.connect"}, {"type": "websocket.receive", "text": text}):
            going.put_nowait(message)
        transport: Any = self.houses.client._transport
        task = asyncio.ensure_future(transport.app(scope, going.get, coming.put))
        while (message := await asyncio.wait_for(coming.get(), 10))["type"] == "websocket.accept":
            pass
        going.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(task, 10)
        return str(message.get("text") or message["type"])


_TOPIC = "https://fhirwright.dev/fhir/SubscriptionTopic/"
_CONTENT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"


def _by_criteria(url: str, dice: Random) -> Json:
    criteria = dice.choice(
        ["Observation", "Condition", "Encounter", "Observation?status=final", "Observation?patient=Patient/A",
         "Observation?patient.family=FamB", "Observation?_has:DiagnosticReport:result:status=final"]
    )  # fmt: skip
    channel = {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json"}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "t",
        "criteria": criteria,
        "channel": channel,
    }


def _by_topic(url: str, dice: Random) -> Json:
    content = {"extension": [{"url": _CONTENT, "valueCode": dice.choice(["id-only", "full-resource"])}]}
    made = _by_criteria(url, dice) | {"criteria": _TOPIC + dice.choice(["Observation", "Condition"])}
    made["channel"]["_payload"] = content
    if dice.random() < 0.5:
        made["channel"] = {k: v for k, v in made["channel"].items() if k != "endpoint"} | {"type": "websocket"}
    return made


_SUBSCRIPTIONS: tuple[Callable[[str, Random], Json], ...] = (_by_criteria, _by_topic)
