"""Telling subscribers: each has a lane of its own, in the order of its events, at least once.

A lane waits for its endpoint, never for another's. What was told is noted after the endpoint has taken it, so that a
kill in between tells it twice. One process does this at a time.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import structlog

from server.access.caller import Caller
from server.audit.delivery import keep_told
from server.interactions.fhir import Fhir
from server.jobs.outside import Wall
from server.settings import Settings
from server.store import Tx
from server.store.traces import traces_of
from server.subscriptions import states
from server.subscriptions.definition import Definition
from server.subscriptions.events import Event, Matcher, events_between
from server.subscriptions.notices import Notices
from server.subscriptions.outbox import SETTLED_MS
from server.subscriptions.show import show_state
from server.subscriptions.states import State
from server.telemetry import spans

log = structlog.get_logger("fhirwright.subscriptions")
_LONGEST_PAUSE = 900.0
_LANES = 256
_ASKED_AGAIN = 30.0  # seconds after which every owner is asked for again
_ENDED = "What the owner of the Subscription was given has ended. Write it again with another token."
_AT_ONCE = 20  # requests between two notes of what was told; a kill tells at most so many again
_FHIR = "application/fhir+json"


class Refusal(Exception):
    """The endpoint did not take it; the text says why, for the owner. `told` is the last event that it did take."""

    told = 0


class Deliverer:
    """Moves events from the outbox to those who wait for them, until it is stopped."""

    def __init__(self, fhir: Fhir, settings: Settings, check: Callable[..., None] = lambda _query: None) -> None:
        """`check` refuses a transaction, given its `query`, once the delivery is another's."""
        self._fhir = fhir
        self._settings = settings
        self._check = check
        base_url = settings.base_url or ""
        self.matcher = Matcher(fhir, base_url)
        self._notices = Notices(fhir, base_url)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(_LANES)
        self._asked = 0.0

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
        await self._end_those_without_owner()
        for state in await self._fhir.store.run(states.live_states, self._fhir.store):
            if state.id not in self._lanes and _has_something_to_do(state):
                lane = asyncio.create_task(self._lane(client, state.id))
                self._lanes[state.id] = lane
                lane.add_done_callback(lambda _, name=state.id: self._lanes.pop(name, None))  # type: ignore[misc]
        return taken > 0

    async def _end_those_without_owner(self) -> None:
        """Turn off what nobody may be told any more."""
        if time.monotonic() < self._asked:
            return
        self._asked = time.monotonic() + _ASKED_AGAIN
        store = self._fhir.store
        for state in await store.run(states.live_states, store):
            if await store.run(self.matcher.owners.of, state.id) is None:
                await self._end(state, _ENDED)

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
        owner = await store.run(self.matcher.owners.of, state.id)
        if owner is None:
            await self._end(state, _ENDED)
            return False
        try:
            told = await self._tell(client, state, definition, owner)
        except Refusal as refusal:
            await self._failed(state, str(refusal), refusal.told)
            return False
        await self._succeeded(state, definition, told)
        return True

    async def _tell(self, client: httpx.AsyncClient, state: State, definition: Definition, owner: Caller) -> int:
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
        found = await store.run(events_between, store, state.id, state.delivered + 1, state.events, most * _AT_ONCE)
        events = await store.run(self.matcher.owners.seen, owner, found)
        told = state.delivered
        for at in range(0, len(events), most):
            try:
                await self._tell_some(client, state, definition, owner, events[at : at + most])
            except Refusal as refusal:
                refusal.told = told
                raise
            told = events[at : at + most][-1].number
        return found[-1].number if found else state.events  # none are left of what was pruned while it was off

    async def _tell_some(
        self, client: httpx.AsyncClient, state: State, definition: Definition, owner: Caller, events: list[Event]
    ) -> None:
        """Send events that share a request, once the audit knows of it."""
        store, method, url = self._fhir.store, "POST", ""
        body: bytes | None
        if definition.content:
            body = await store.run(self._notice, state, definition, "event-notification", events)
        elif (
            definition.payload is None
        ):  # R4 without topics: an empty POST, or with a payload the resource as an update
            body = b""
        else:
            body = await store.run(self._notices.resource, events[0]) or b""
            method, url = "PUT", f"{definition.endpoint.rstrip('/')}/{events[0].type}/{events[0].id}"
        await keep_told(store, owner, state.id, [(one.type, one.id) for one in events], body or b"")
        await self._send(client, definition, body or b"", method, url, await self._follows(events))

    async def _follows(self, events: list[Event]) -> list[str]:
        """The traces that events follow from, the first with how long its event has waited."""
        if spans.tracing is None:
            return []
        versions = [(one.type, one.id, one.version) for one in events]
        found = await self._fhir.store.run(traces_of, self._fhir.store.query, versions)
        if found:
            spans.past("queue.wait", events[0].at * 1000, time.time_ns(), parent=found[0])
        return found

    def _notice(self, state: State, definition: Definition, kind: str, events: list[Event]) -> bytes:
        return self._notices.notification(state, definition, kind, events)

    async def _send(
        self, client: httpx.AsyncClient, definition: Definition, body: bytes, method: str = "POST", url: str = "",
        follows: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Send one request, in a span below the first of `follows`, linked to the rest; Refusal unless it is taken."""
        headers = list(definition.headers)
        if body:
            headers.append(("Content-Type", definition.payload or _FHIR))
        options: dict[str, Any] = {"timeout": definition.timeout} if definition.timeout else {}
        options["timeout"] = min(options.get("timeout", 10**6), self._settings.subscription_seconds)
        try:
            told, parent = {"http.request.method": method}, next(iter(follows), "")
            sending = spans.span(
                "subscription.send", kind="producer", parent=parent, links=follows[1:], attributes=told
            )
            with sending as span:
                if span.parent:
                    headers.append(("traceparent", span.parent))
                async with asyncio.timeout(options["timeout"]):
                    to = url or definition.endpoint
                    request = client.stream(method, to, content=body, headers=headers, **options)
                    async with request as response:  # its body is not read
                        status = response.status_code
                span.set(http__response__status_code=status)
        except TimeoutError:
            raise Refusal("The endpoint did not answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Refusal(f"The endpoint could not be reached ({type(error).__name__}).") from None
        if not 200 <= status < 300:
            raise Refusal(f"The endpoint answered with status {status}.")

    async def _succeeded(self, state: State, definition: Definition, told: int) -> None:
        beat = states.now() + definition.heartbeat * 1000 if definition.heartbeat and definition.content else 0
        values = {"delivered": told, "failures": 0, "due": 0, "beat": beat}
        await self._show(state, states.ACTIVE, "", **values)

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
        await self._show(state, shown, text, **values)
        log.warning("subscription.failed", failures=failures)

    async def _end(self, state: State, reason: str) -> None:
        await self._show(state, states.OFF, reason)

    async def _show(self, state: State, shown: str, text: str | None, **values: Any) -> None:
        """Note where a subscription stands, as the one who delivers."""

        def run(tx: Tx) -> None:
            self._check(tx.query)
            show_state(self._fhir, tx, state, shown, text, **values)

        await self._fhir.store.write(run)


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
