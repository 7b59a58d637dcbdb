"""Telling subscribers: each has a lane of its own, in the order of its events, at least once.

A lane waits for its endpoint, never for another's. What was told is noted after the endpoint has taken it, so that a
kill in between tells it twice. One process does this at a time.
"""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import httpx
import structlog

from server.interactions.fhir import Fhir
from server.jobs.outside import Wall
from server.settings import Settings
from server.subscriptions import states
from server.subscriptions.definition import Definition
from server.subscriptions.events import Event, Matcher, events_between
from server.subscriptions.notices import Notices
from server.subscriptions.outbox import SETTLED_MS
from server.subscriptions.show import show_state
from server.subscriptions.states import State

log = structlog.get_logger("fhirwright.subscriptions")
_LONGEST_PAUSE = 900.0
_LANES = 256
_AT_ONCE = 20  # requests between two notes of what was told; a kill tells at most so many again
_FHIR = "application/fhir+json"


class Refusal(Exception):
    """The endpoint did not take it; the text says why, for the owner. `told` is the last event that it did take."""

    told = 0


class Deliverer:
    """Moves events from the outbox to those who wait for them, until it is stopped."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        base_url = settings.base_url or ""
        self.matcher = Matcher(fhir, base_url)
        self._notices = Notices(fhir, base_url)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(_LANES)

    async def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        async with Wall(self._settings.inner_hosts).client(self._settings.subscription_seconds) as client:
            while not stop.is_set():
                if not await self.turn(client):
                    await asyncio.sleep(self._settings.subscription_poll_seconds)
            for lane in self._lanes.values():
                lane.cancel()
            await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def turn(self, client: httpx.AsyncClient) -> bool:
        """Make events of what waits and see that each subscription with something to do has its lane."""
        taken = await self._fhir.store.run(self.matcher.turn)
        for state in await self._fhir.store.run(states.live_states, self._fhir.store):
            if state.id not in self._lanes and _has_something_to_do(state):
                lane = asyncio.create_task(self._lane(client, state.id))
                self._lanes[state.id] = lane
                lane.add_done_callback(lambda _, name=state.id: self._lanes.pop(name, None))  # type: ignore[misc]
        return taken > 0

    async def idle(self) -> None:
        """Wait until every lane that is open has ended."""
        while self._lanes:
            await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def _lane(self, client: httpx.AsyncClient, name: str) -> None:
        """Tell one subscription all that there is to tell, until it fails or nothing is left."""
        async with self._room:
            try:
                while await self._next(client, name):
                    pass
            except Exception as error:
                log.error("subscription.fault", kind=type(error).__name__)
                await asyncio.sleep(self._settings.subscription_back_off_seconds)

    async def _next(self, client: httpx.AsyncClient, name: str) -> bool:
        """Tell the next thing; whether there may be more."""
        store = self._fhir.store
        state = await store.run(states.find_state, store, name)
        if state is None or not _has_something_to_do(state):
            return False
        definition = await store.run(self.matcher.definition, state)
        if definition is None:
            await self._end(state, "What the Subscription asks for can no longer be followed. Write it again.")
            return False
        if _is_over(definition):
            await self._end(state, "")
            return False
        try:
            told = await self._tell(client, state, definition)
        except Refusal as refusal:
            await self._failed(state, str(refusal), refusal.told)
            return False
        await self._succeeded(state, definition, told)
        return True

    async def _tell(self, client: httpx.AsyncClient, state: State, definition: Definition) -> int:
        """Send the handshake, the next events or a heartbeat; the number of the last event that was told."""
        if state.channel == "websocket":
            return state.delivered
        store = self._fhir.store
        if state.state == states.REQUESTED:
            if definition.content:
                await self._send(client, definition, await store.run(self._notice, state, definition, "handshake", []))
            return state.delivered
        if state.events == state.delivered:
            if not definition.content:
                return state.delivered
            await self._send(client, definition, await store.run(self._notice, state, definition, "heartbeat", []))
            return state.delivered
        most = definition.most if definition.content else 1
        events = await store.run(events_between, store, state.id, state.delivered + 1, state.events, most * _AT_ONCE)
        told = state.events if not events else state.delivered  # none are left of what was pruned while it was off
        for at in range(0, len(events), most):
            try:
                await self._tell_some(client, state, definition, events[at : at + most])
            except Refusal as refusal:
                refusal.told = told
                raise
            told = events[at : at + most][-1].number
        return told

    async def _tell_some(
        self, client: httpx.AsyncClient, state: State, definition: Definition, events: list[Event]
    ) -> None:
        """Send events that share a request."""
        if definition.content:
            body = await self._fhir.store.run(self._notice, state, definition, "event-notification", events)
            await self._send(client, definition, body)
        else:
            await self._send_plain(client, definition, events[0])

    def _notice(self, state: State, definition: Definition, kind: str, events: list[Event]) -> bytes:
        return self._notices.notification(state, definition, kind, events)

    async def _send_plain(self, client: httpx.AsyncClient, definition: Definition, event: Event) -> None:
        """R4 without topics: an empty POST, or with a payload the resource as an update."""
        if definition.payload is None:
            await self._send(client, definition, b"")
            return
        body = await self._fhir.store.run(self._notices.resource, event)
        url = f"{definition.endpoint.rstrip('/')}/{event.type}/{event.id}"
        await self._send(client, definition, body or b"", "PUT", url)

    async def _send(
        self, client: httpx.AsyncClient, definition: Definition, body: bytes, method: str = "POST", url: str = ""
    ) -> None:
        """Send one request; Refusal unless it is taken."""
        headers = list(definition.headers)
        if body:
            headers.append(("Content-Type", definition.payload or _FHIR))
        options: dict[str, Any] = {"timeout": definition.timeout} if definition.timeout else {}
        options["timeout"] = min(options.get("timeout", 10**6), self._settings.subscription_seconds)
        try:
            async with asyncio.timeout(options["timeout"]):
                request = client.stream(method, url or definition.endpoint, content=body, headers=headers, **options)
                async with request as response:  # its body is not read
                    status = response.status_code
        except TimeoutError:
            raise Refusal("The endpoint did not answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Refusal(f"The endpoint could not be reached ({type(error).__name__}).") from None
        if not 200 <= status < 300:
            raise Refusal(f"The endpoint answered with status {status}.")

    async def _succeeded(self, state: State, definition: Definition, told: int) -> None:
        beat = states.now() + definition.heartbeat * 1000 if definition.heartbeat and definition.content else 0
        values = {"delivered": told, "failures": 0, "due": 0, "beat": beat}
        await self._fhir.store.write(lambda tx: show_state(self._fhir, tx, state, states.ACTIVE, "", **values))

    async def _failed(self, state: State, reason: str, told: int) -> None:
        """Wait longer before the next try; show `error`, and in the end `off`, to whoever looks."""
        failures = 1 if told > state.delivered else state.failures + 1
        base = self._settings.subscription_back_off_seconds
        pause = min(base * 2 ** min(failures - 1, 20), _LONGEST_PAUSE) * random.uniform(0.75, 1.25)  # noqa: S311
        settings = self._settings
        shown = state.state
        values: dict[str, Any] = {}
        if failures >= settings.subscription_off_after:
            shown = states.OFF
            reason += " It was tried too often; write the Subscription with status requested to go on."
        elif failures >= settings.subscription_error_after:
            shown = states.ERROR
            values = {"state": state.state} if state.state == states.REQUESTED else {}  # the handshake is still to come
        values |= {"failures": failures, "due": states.now() + int(pause * 1000)}
        values["delivered"] = max(told, state.delivered)
        text = reason if failures >= settings.subscription_error_after else None
        await self._fhir.store.write(lambda tx: show_state(self._fhir, tx, state, shown, text, **values))
        log.warning("subscription.failed", failures=failures)

    async def _end(self, state: State, reason: str) -> None:
        await self._fhir.store.write(lambda tx: show_state(self._fhir, tx, state, states.OFF, reason))


def _has_something_to_do(state: State) -> bool:
    now = states.now()
    if now < state.due:
        return False
    if state.state == states.REQUESTED:
        return now >= state.since + SETTLED_MS
    if state.channel == "websocket":
        return False  # who is connected is told by the server that has the socket
    return state.events > state.delivered or 0 < state.beat <= now or state.state == states.ERROR


def _is_over(definition: Definition) -> bool:
    from fhir_profiles.dates import interval

    return definition.end is not None and interval(definition.end)[0] <= states.now() * 1000
