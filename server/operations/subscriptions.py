"""`Subscription/[id]/$status`, `$events`, `$get-ws-binding-token`, and `Subscription/$topics`.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BACKPORT, BASE
from server.interactions.content import instant
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Handler, Level, Operation
from server.store import Tx
from server.subscriptions import states
from server.subscriptions.definition import CONTENTS, Definition
from server.subscriptions.events import Matcher, events_between
from server.subscriptions.notices import Notices
from server.subscriptions.owners import Owners
from server.subscriptions.states import State
from server.subscriptions.topics import all_topics, as_basic

SOCKET = "$subscriptions"
TOKEN_SECONDS = 300
_MOST = 1000


class Subscriptions:
    """What a subscriber can ask beside being told."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._matcher = Matcher(fhir)

    async def status(self, request: Request) -> Response:
        """The status of one subscription, or of those that `id` and `status` name, in a searchset."""
        return await self._fhir.store.run(self._status, request, read_arguments(request))

    def _status(self, request: Request, arguments: Arguments) -> Response:
        arguments.only("id", "status")
        single = len(request.path) == 3
        ids = [request.path[1]] if single else _listed(arguments, "id")
        wanted = set(_listed(arguments, "status"))
        store = self._fhir.store
        known = [states.find_state(store, one) for one in ids] if ids else states.live_states(store)
        found = [state for state in known if single or (state is not None and self._mine(request, state.id))]
        if single:
            self._read(request, ids[0])
        notices = Notices(self._fhir, request.base_url)
        entries = []
        for state in found:
            if state is None:
                raise _absent()
            definition = self._matcher.definition(state)
            if definition is not None and (not wanted or state.state in wanted):
                status = notices.status(state, definition, "query-status", [])
                url = f"{request.base_url}/Subscription/{state.id}/$status"
                entries.append({"fullUrl": url, "resource": status, "search": {"mode": "match"}})
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        return Response(status=200, body=json.encode(bundle | ({"entry": entries} if entries else {})))

    async def events(self, request: Request) -> Response:
        """The events of a subscription by number, for who has missed some."""
        return await self._fhir.store.run(self._events, request, read_arguments(request))

    def _events(self, request: Request, arguments: Arguments) -> Response:
        arguments.only("eventsSinceNumber", "eventsUntilNumber", "content")
        state, definition = self._known(request)
        first = arguments.whole("eventsSinceNumber", 1, 2**53, least=0)
        last = arguments.whole("eventsUntilNumber", 2**53, 2**53, least=0)
        content = arguments.text("content") or definition.content or "id-only"
        if content not in CONTENTS:
            raise wrong(f"content must be one of {', '.join(CONTENTS)}.", "content")
        every = events_between(self._fhir.store, state.id, first, last, _MOST)
        found = Owners(self._fhir, request.base_url).seen(request.caller, every)
        notices = Notices(self._fhir, request.base_url)
        body = notices.notification(state, definition, "query-event", found, content)
        return Response(status=200, body=body)

    async def token(self, request: Request) -> Response:
        """A token that binds a websocket to subscriptions, for a few minutes."""
        arguments = read_arguments(request)
        arguments.only("id")
        ids = [request.path[1]] if len(request.path) == 3 else _listed(arguments, "id")
        if not ids or len(ids) > _MOST:
            raise wrong("Name the subscriptions that the websocket is for with id.", "id")
        for one in ids:
            await self._fhir.store.run(self._read, request, one)
        token = secrets.token_urlsafe(32)
        expires = states.now() + TOKEN_SECONDS * 1000
        await self._fhir.store.write(lambda tx: _keep(tx, token, expires, ids))
        url = f"{request.base_url.replace('http', 'ws', 1)}/{SOCKET}"
        parameters = [
            {"name": "token", "valueString": token},
            {"name": "expiration", "valueDateTime": instant(expires * 1000).decode()},
            *({"name": "subscription", "valueString": one} for one in ids),
            {"name": "websocket-url", "valueUrl": url},
        ]
        return Response(status=200, body=json.encode({"resourceType": "Parameters", "parameter": parameters}))

    async def topics(self, request: Request) -> Response:  # noqa: ARG002 - the shape of a handler
        """Every topic, as Basic resources in a collection."""
        entries = [{"resource": as_basic(topic)} for topic in all_topics()]
        return Response(
            status=200, body=json.encode({"resourceType": "Bundle", "type": "collection", "entry": entries})
        )

    def _read(self, request: Request, name: str) -> None:
        """404 unless who asks sees the Subscription, which is its owner."""
        path = ("Subscription", name)
        self._fhir.handle_sync(Request(method="GET", path=path, base_url=request.base_url, caller=request.caller))

    def _mine(self, request: Request, name: str) -> bool:
        try:
            self._read(request, name)
        except FhirError:
            return False
        return True

    def _known(self, request: Request) -> tuple[State, Definition]:
        self._read(request, request.path[1])
        state = states.find_state(self._fhir.store, request.path[1])
        definition = self._matcher.definition(state) if state else None
        if state is None or definition is None:
            raise _absent()
        return state, definition


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _keep(tx: Tx, token: str, expires: int, ids: list[str]) -> None:
    """Note a token; 404 unless every subscription is there and has a websocket."""
    for one in ids:
        state = states.find_state(tx, one)
        if state is None or state.channel != "websocket":
            raise _absent()
    row = (digest(token), expires, msgspec.json.encode(ids).decode())
    tx.execute("INSERT INTO socket_token (token, expires, subscriptions) VALUES (?, ?, ?)", row)


def _listed(arguments: Arguments, name: str) -> list[str]:
    return [one for text in arguments.all(name) for one in text.split(",") if one]


def _absent() -> FhirError:
    return FhirError.of(Category.NOT_FOUND, "not-found", "There is no such Subscription that can be asked this.")


def operations(fhir: Fhir) -> list[Operation]:
    """All four."""
    handler = Subscriptions(fhir)
    types = frozenset({"Subscription"})
    one: frozenset[Level] = frozenset({"instance"})
    kind: frozenset[Level] = frozenset({"type"})
    methods = frozenset({"GET", "POST"})
    at = f"{BACKPORT}/OperationDefinition/backport-subscription-"
    told: tuple[tuple[str, frozenset[Level], Handler, str], ...] = (
        ("status", one | kind, handler.status, f"{at}status"),
        ("events", one, handler.events, f"{at}events"),
        ("get-ws-binding-token", one | kind, handler.token, f"{at}get-ws-binding-token"),
        ("topics", kind, handler.topics, f"{BASE}/OperationDefinition/topics"),
    )
    return [Operation(name, where, call, types, methods, url, for_all=True) for name, where, call, url in told]
