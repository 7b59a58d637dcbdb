"""The websocket of subscriptions, at `/fhir/$subscriptions`.

R4 (https://hl7.org/fhir/R4/subscription.html): `bind :id` → `bound :id`, then `ping :id` for each event. Topics:
`bind-with-token :token` → the handshake, then a notification Bundle for each event, and heartbeats. `bind` is for
connections that came with an access token of the owner in their Authorization header.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import msgspec

from fhir_profiles.errors import FhirError
from server.access.caller import NOBODY, Caller, Identify, anybody
from server.audit.delivery import keep_told
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.observability import Receive, Scope, Send
from server.operations.subscriptions import digest
from server.subscriptions import states
from server.subscriptions.events import Event, Matcher, events_between
from server.subscriptions.notices import Notices
from server.subscriptions.states import State

_MOST_BOUND = 100
_MOST_OPEN = 1000
_MOST_AT_ONCE = 100
_LONGEST = 4096
_MISUSED, _TOO_MANY = 1008, 1013


class Bound:
    """A subscription that a connection listens to: the last number it was told, and when it was told anything."""

    def __init__(self, state: State, *, plain: bool) -> None:
        self.id = state.id
        self.plain = plain
        self.told = state.events
        self.at = states.now()


class SubscriptionSocket:
    """An ASGI application for the websocket; each connection looks for events on its own."""

    def __init__(self, fhir: Fhir, identify: Identify = anybody) -> None:
        self._fhir = fhir
        self._identify = identify
        self._matcher = Matcher(fhir, fhir.settings.base_url or "")
        self._poll = fhir.settings.subscription_poll_seconds
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until the client leaves."""
        await receive()
        if self._open >= _MOST_OPEN:
            await send({"type": "websocket.close", "code": _TOO_MANY})
            return
        caller = await self._caller(scope)
        await send({"type": "websocket.accept"})
        self._open += 1
        bound: dict[str, Bound] = {}
        base_url = self._fhir.settings.base_url or _base_url(scope)
        telling = asyncio.create_task(self._tell(bound, Notices(self._fhir, base_url), send))
        try:
            await self._listen(bound, Notices(self._fhir, base_url), receive, send, caller)
        finally:
            self._open -= 1
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

    async def _caller(self, scope: Scope) -> Caller:
        """Who connects; nobody where no token was shown: a binding token may come later."""
        header = dict(scope["headers"]).get(b"authorization")
        try:
            return await self._identify(header, scope)
        except FhirError:
            return NOBODY

    async def _listen(
        self, bound: dict[str, Bound], notices: Notices, receive: Receive, send: Send, caller: Caller
    ) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            text = message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
            command, _, given = text.strip().partition(" ")
            if len(text) > _LONGEST or command not in ("bind", "bind-with-token") or len(bound) >= _MOST_BOUND:
                await send({"type": "websocket.close", "code": _MISUSED})
                return
            if command == "bind":
                await self._bind(bound, given.strip(), send, caller)
            else:
                await self._bind_with(bound, given.strip(), notices, send)

    async def _bind(self, bound: dict[str, Bound], name: str, send: Send, caller: Caller) -> None:
        state = await self._state(name)
        if state is None or not await self._fhir.store.run(self._is_of, caller, name):
            await _text(send, "error: there is no such websocket Subscription")
            return
        bound[name] = Bound(state, plain=True)
        await _text(send, f"bound {name}")

    async def _bind_with(self, bound: dict[str, Bound], token: str, notices: Notices, send: Send) -> None:
        rows = await self._fhir.store.run(
            self._fhir.store.query,
            "SELECT subscriptions FROM socket_token WHERE token = ? AND expires > ?",
            (digest(token), states.now()),
        )
        if not rows:
            await send({"type": "websocket.close", "code": _MISUSED})
            return
        for name in msgspec.json.decode(rows[0][0], type=list[str]):
            if (state := await self._state(name)) is not None:
                await self._notify(state, notices, "handshake", send)
                bound[name] = Bound(state, plain=False)

    def _is_of(self, caller: Caller, name: str) -> bool:
        try:
            self._fhir.handle_sync(Request(method="GET", path=("Subscription", name), caller=caller))
        except FhirError:
            return False
        return True

    async def _state(self, name: str) -> State | None:
        store = self._fhir.store
        state = await store.run(states.find_state, store, name)
        if state is None or state.channel != "websocket" or state.state == states.OFF:
            return None
        return state if await store.run(self._matcher.owners.of, name) is not None else None

    async def _tell(self, bound: dict[str, Bound], notices: Notices, send: Send) -> None:
        """Look for events of what is bound and send them in order."""
        while True:
            await asyncio.sleep(self._poll)
            for one in list(bound.values()):
                if not await self._tell_one(one, notices, send):
                    del bound[one.id]

    async def _tell_one(self, one: Bound, notices: Notices, send: Send) -> bool:
        """Tell what is new of one subscription; False when it is gone."""
        state = await self._state(one.id)
        if state is None:
            return False
        store = self._fhir.store
        events = await store.run(events_between, store, one.id, one.told + 1, state.events, _MOST_AT_ONCE)
        owner = await store.run(self._matcher.owners.of, one.id)
        told = [] if owner is None else await store.run(self._matcher.owners.seen, owner, events)
        for event in told:
            text = f"ping {one.id}"
            if not one.plain:
                text = await self._notice(state, notices, "event-notification", [event])
            if owner is not None and text:
                await keep_told(store, owner, one.id, [(event.type, event.id)], text.encode())
                await _text(send, text)
        one.told = events[-1].number if events else one.told
        definition = await store.run(self._matcher.definition, state)
        if told:
            one.at = states.now()
        elif definition and definition.heartbeat and states.now() - one.at >= definition.heartbeat * 1000:
            await self._notify(state, notices, "heartbeat", send)
            one.at = states.now()
        return True

    async def _notify(self, state: State, notices: Notices, kind: str, send: Send) -> None:
        """Send what tells of no event."""
        if text := await self._notice(state, notices, kind, []):
            await _text(send, text)

    async def _notice(self, state: State, notices: Notices, kind: str, events: list[Event]) -> str:
        """A notification Bundle; empty where nobody can follow any more what is asked for."""
        store = self._fhir.store
        definition = await store.run(self._matcher.definition, state)
        if definition is None:
            return ""
        make: Callable[..., bytes] = notices.notification
        return (await store.run(make, state, definition, kind, events)).decode()


async def _text(send: Send, text: str) -> None:
    await send({"type": "websocket.send", "text": text})


def _base_url(scope: Scope) -> str:
    """The FHIR base as the client addressed it."""
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return f"{'https' if scope.get('scheme') == 'wss' else 'http'}://{host}/fhir"
