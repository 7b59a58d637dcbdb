"""From the outbox to numbered events: which subscription wants which version, decided once.

One worker does this at a time; what it decides commits with the removal from the outbox, so that a kill costs nothing.
"""

from __future__ import annotations

import msgspec
import orjson
import structlog

from fhir_profiles.errors import FhirError
from server.access.caller import SYSTEM, Caller
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.engine import View
from server.observability import describe
from server.store import Tx
from server.store.traces import FORGET
from server.store.version import CREATE, DELETE
from server.subscriptions import states
from server.subscriptions.definition import Definition, read_definition
from server.subscriptions.matching import Candidate, matches
from server.subscriptions.outbox import STREAM, is_streamed
from server.subscriptions.owners import Owners
from server.subscriptions.states import State

log = structlog.get_logger("fhirwright.subscriptions")
BATCH = 500
_NAMES = {CREATE: "create", DELETE: "delete"}
_WAITING = "SELECT seq, at, type, id, version, change FROM outbox ORDER BY at, seq LIMIT ?"


class Note(msgspec.Struct, frozen=True):
    """A version in the outbox."""

    seq: int
    at: int
    type: str
    id: str
    version: int
    change: str


class Event(msgspec.Struct, frozen=True):
    """A version that a subscription is told of."""

    number: int
    at: int
    type: str
    id: str
    version: int
    change: str


class Matcher:
    """Turns notes into events; keeps the definitions it has read."""

    def __init__(self, fhir: Fhir, base_url: str = "") -> None:
        self._fhir = fhir
        self._base_url = base_url
        self._known: dict[str, tuple[int, Definition | None]] = {}
        self.owners = Owners(fhir, base_url)

    def turn(self) -> int:
        """Take what waits, at most BATCH; how many notes that were."""
        notes = [Note(*row) for row in self._fhir.store.query(_WAITING, (BATCH,))]
        if not notes:
            return 0
        wanting = [state for state in states.live_states(self._fhir.store) if state.state != states.REQUESTED]
        types = {note.type for note in notes}
        owners = {state.id: self.owners.of(state.id) for state in wanting if state.type in types}
        streamed = frozenset(self._fhir.settings.stream_out_types)
        found = [
            (note, self._subscribers(note, wanting, owners) + [STREAM] * is_streamed(streamed, note.type))
            for note in notes
        ]
        self._fhir.store.write_sync(lambda tx: _keep(tx, found))
        return len(notes)

    def definition(self, state: State) -> Definition | None:
        """What a subscription asks for in its owner's version; None when it can no longer be followed."""
        known = self._known.get(state.id)
        if known is None or known[0] != state.version:
            known = self._known[state.id] = (state.version, self._read(state))
        return known[1]

    def _read(self, state: State) -> Definition | None:
        path = ("Subscription", state.id, "_history", str(state.version))
        try:
            body = self._fhir.handle_sync(Request(method="GET", path=path, caller=SYSTEM)).body
            return read_definition(self._fhir, orjson.loads(body))
        except FhirError:
            return None

    def _subscribers(self, note: Note, wanting: list[State], owners: dict[str, Caller | None]) -> list[str]:
        interested = [
            (state, owner)
            for state in wanting
            if state.type == note.type and (owner := owners[state.id]) is not None and self.owners.seen(owner, [note])
        ]
        if not interested:
            return []
        body = self._body(note.type, note.id, note.version) if note.change != DELETE else None
        candidate = Candidate.of(body, self._base_url) if body else None
        return [state.id for state, owner in interested if self._wants(state, owner, note, candidate)]

    def _wants(self, state: State, owner: Caller, note: Note, candidate: Candidate | None) -> bool:
        definition = self.definition(state)
        if definition is None or _NAMES.get(note.change, "update") not in definition.changes:
            return False
        try:
            if candidate is None:
                return self._wanted_before(definition, owner, note)
            asked = (definition.criteria, *definition.filters)
            if not all(matches(self._fhir, candidate, pairs, owner) for pairs in asked):
                return False
            return definition.becomes is None or not self._was(note, owner, definition.becomes)
        except FhirError:  # a parameter that is no longer there finds nothing
            return False
        except Exception as error:  # one subscription must not stop all others
            log.error("subscription.unjudged", **describe(error))
            return False

    def _wanted_before(self, definition: Definition, owner: Caller, note: Note) -> bool:
        """A deletion is told to those who were told of what was deleted."""
        return all(self._was(note, owner, pairs) for pairs in (definition.criteria, *definition.filters))

    def _was(self, note: Note, owner: Caller, pairs: tuple[tuple[str, str], ...]) -> bool:
        """Whether the version before was found by a query; one that is hidden from the owner was not."""
        number = note.version - 1
        body = self._body(note.type, note.id, number) if number else None
        if body is None or not self.owners.saw(owner, note.type, note.id, number):
            return False
        return matches(self._fhir, Candidate.of(body, self._base_url), pairs, owner)

    def _body(self, kind: str, name: str, version: int) -> bytes | None:
        path = (kind, name, "_history", str(version))
        try:
            return self._fhir.handle_sync(Request(method="GET", path=path, caller=SYSTEM)).body
        except FhirError:
            return None


def _keep(tx: Tx, found: list[tuple[Note, list[str]]]) -> None:
    """Number the events of what is still in the outbox."""
    numbers: dict[str, int] = {}
    for note, subscribers in found:
        if tx.execute("DELETE FROM outbox WHERE seq = ?", (note.seq,)) != 1:
            continue
        for name in subscribers:
            if name not in numbers:
                state = states.find_state(tx, name)
                if state is None and name == STREAM:
                    states.request(tx, STREAM, 0, states.OFF, "*", "kafka")  # off: no lane delivers it
                    state = states.find_state(tx, name)
                if state is None:
                    continue
                numbers[name] = state.events
            numbers[name] += 1
            row = (name, numbers[name], note.at, note.type, note.id, note.version, note.change)
            tx.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    for name, number in numbers.items():
        tx.execute("UPDATE subscription SET events = ? WHERE id = ?", (number, name))


def events_between(view: View, subscription: str, first: int, last: int, most: int) -> list[Event]:
    """Events by number, both ends included."""
    sql = (
        "SELECT number, at, type, id, version, change FROM event WHERE subscription = ? AND number >= ?"
        " AND number <= ? ORDER BY number LIMIT ?"
    )
    return [Event(*row) for row in view.query(sql, (subscription, first, last, most))]


def prune(fhir: Fhir, keep_days: int) -> None:
    """Forget old events that were told, tokens that ran out, and what nobody will ever be told."""
    day, now = 86_400_000, states.now()
    sql = (
        "DELETE FROM event WHERE at < ? AND subscription <> ? AND (number <= (SELECT s.delivered FROM subscription s"
        " WHERE s.id = event.subscription) OR NOT EXISTS (SELECT 1 FROM subscription s"
        " WHERE s.id = event.subscription AND s.state <> 'off' AND s.channel = 'rest-hook'))"
    )
    published = (
        "DELETE FROM event WHERE subscription = ? AND (at < ? OR number <= (SELECT s.delivered FROM subscription s"
        " WHERE s.id = event.subscription))"
    )

    def forget(tx: Tx) -> None:
        tx.execute(sql, ((now - keep_days * day) * 1000, STREAM))
        tx.execute(published, (STREAM, (now - fhir.settings.stream_keep_days * day) * 1000))
        tx.execute(FORGET, ((now - max(keep_days, fhir.settings.stream_keep_days) * day) * 1000,))
        tx.execute("DELETE FROM socket_token WHERE expires < ?", (now,))

    fhir.store.write_sync(forget)
