"""The ledger of all doors: an outside message has its effects once, and only what is on disk is acknowledged.

The effects of a message go through the same interactions as any client's Bundle, in one transaction with its row here.
https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import structlog

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.access.caller import server_as
from server.interactions import batch, transaction
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.results import references
from server.observability import describe
from server.store import Tx
from server.store.texts import sealed

from .rows import Outcome, find, is_taken, standing_now

PASSING = frozenset({Category.UNAVAILABLE, Category.BUSY, Category.CONFLICT, Category.INTERRUPTED, Category.FAULT})
"""Errors that say nothing of a message: whoever sent it is to send it again."""

log = structlog.get_logger("fhirwright.doors")
LONGEST_KEY = 256
TEXT = 4000
_SPACE = UUID("6f2d9a5e-3c0b-5a7e-9b1d-0e5f4c8a7b21")
_INSERT = (
    "INSERT INTO arrival (id, door, key, hash, at, state, reason, text, written) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE = "UPDATE arrival SET at = ?, state = ?, reason = ?, text = ?, written = ? WHERE id = ?"
_KEEP = "INSERT INTO arrival_raw (id, raw) VALUES (?, ?)"
_DROP = "DELETE FROM arrival_raw WHERE id = ?"


class Arrival(NamedTuple):
    """What came: by which door, how it is known there (no PHI: a name of a file is handed on as its hash), its bytes.

    A key is one message: the same one with other content is a conflict.
    """

    door: str
    key: str
    content: bytes

    @property
    def hash(self) -> str:
        """The hash of the content."""
        return sha256(self.content).hexdigest()

    @property
    def name(self) -> str:
        """The key as it stands in the ledger; one that is too long is a hash."""
        return self.key if len(self.key) <= LONGEST_KEY else sha256(self.key.encode()).hexdigest()

    @property
    def id(self) -> str:
        """The id of its row."""
        return str(uuid5(_SPACE, f"{self.door}\x1f{self.name}\x1f{self.hash}"))


class Made(NamedTuple):
    """What a message becomes: a transaction Bundle, and what of the message is not in it, in words without PHI.

    `settle(tx, bundle)` looks at what is stored, inside the transaction, and gives the Bundle to write; without one
    the Bundle is checked before the transaction begins, which is cheaper.
    """

    bundle: dict[str, Any]
    notes: Sequence[str] = ()
    settle: Callable[[Tx, dict[str, Any]], dict[str, Any]] | None = None


class Unusable(Exception):
    """A message that nothing can be made of: a reason by code and in words without PHI."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


ToBundle = Callable[[bytes], Made]
"""From the bytes of a message to what it becomes; raises Unusable."""


def derived_id(door: str, key: str, place: str) -> str:
    """The id of what a message makes at a place of it: made twice, it is the same."""
    return str(uuid5(_SPACE, f"{door}\x1f{key}\x1f{place}"))


def arrive(fhir: Fhir, arrival: Arrival, to_bundle: ToBundle) -> Outcome:
    """Give a message its effects, once; what cannot be used goes into quarantine. For threads; after the commit.

    Raises FhirError only where it is to be sent again: the database is away or busy, the quarantine is full.
    """
    if (known := find(fhir.store, arrival.door, arrival.name, arrival.id)) is not None:
        return known if known.id == arrival.id else _quarantine(fhir, arrival, *_CONFLICT)
    return _take(fhir, arrival, to_bundle)


def retry(fhir: Fhir, arrival: Arrival, to_bundle: ToBundle) -> Outcome:
    """The same for one that lies in quarantine; where it is of no use still, it stays there with today's reason."""
    return _take(fhir, arrival, to_bundle, again=True)


_CONFLICT = ("conflict", "Another content was stored under the same id.")


def _take(fhir: Fhir, arrival: Arrival, to_bundle: ToBundle, *, again: bool = False) -> Outcome:
    try:
        write = _prepared(fhir, arrival, _made(arrival, to_bundle), again=again)
        done = fhir.store.write_sync(write)
    except Unusable as error:
        return _quarantine(fhir, arrival, error.reason, error.text, again=again)
    except FhirError as error:
        if error.category in PASSING:
            raise
        text = " ".join(dict.fromkeys(f"{p.text} {p.expression or ''}".strip() for p in error.problems))
        return _quarantine(fhir, arrival, "refused", text, again=again)
    if done is None:
        return _quarantine(fhir, arrival, *_CONFLICT, again=again)
    return done


def _made(arrival: Arrival, to_bundle: ToBundle) -> Made:
    """What a message becomes. One that the server fails on lies in quarantine too, lest it stop what comes behind."""
    try:
        return to_bundle(arrival.content)
    except (Unusable, FhirError):
        raise
    except Exception as error:
        log.error("doors.fault", door=arrival.door, **describe(error))
        raise Unusable("fault", "The server failed on this message.") from None


def _prepared(fhir: Fhir, arrival: Arrival, made: Made, *, again: bool) -> Callable[[Tx], Outcome | None]:
    """The write of a message and of its row: None where its id is another content's already."""
    caller = server_as(f"door:{arrival.door}")
    request = Request(method="POST", body=json.encode(made.bundle), caller=caller, prefer="return=minimal")
    ready = None
    if made.settle is None and made.bundle.get("entry"):
        ready = transaction.prepare(fhir, request, batch.parse(fhir, request)).run

    def write(tx: Tx) -> Outcome | None:
        if (known := standing_now(tx, arrival.door, arrival.name, arrival.id)) is not None:
            if known.id != arrival.id:
                return None
            if not again or known.state != "quarantined":
                return known
            if is_taken(tx, arrival.door, arrival.name):
                return None
        bundle = made.bundle if made.settle is None else made.settle(tx, made.bundle)
        written: list[str] = []
        if bundle.get("entry"):
            posted = Request(method="POST", body=json.encode(bundle), caller=caller, prefer="return=minimal")
            written = references((ready(tx) if ready else fhir.handle_in(tx, posted)).body)
        outcome = Outcome(arrival.id, "stored", "", "\n".join(made.notes)[:TEXT], tuple(written))
        _note(tx, arrival, outcome, again=again)
        if again:
            tx.execute(_DROP, (arrival.id,))
        return outcome

    return write


def _note(tx: Tx, arrival: Arrival, outcome: Outcome, *, again: bool) -> None:
    """Write the row of a message, or change it when it stands."""
    row = (tx.now // 1000, outcome.state, outcome.reason, outcome.text, " ".join(outcome.written))
    if again:
        tx.execute(_UPDATE, (*row, arrival.id))
    else:
        tx.later(_INSERT, (arrival.id, arrival.door, arrival.name, arrival.hash, *row))


def _quarantine(fhir: Fhir, arrival: Arrival, reason: str, text: str, *, again: bool = False) -> Outcome:
    """Put a message away with its reason."""
    return fhir.store.write_sync(partial(_put_away, fhir, arrival, reason, text[:TEXT], again))


def _put_away(fhir: Fhir, arrival: Arrival, reason: str, text: str, again: bool, tx: Tx) -> Outcome:
    known = standing_now(tx, arrival.door, arrival.name, arrival.id)
    if known is not None and known.id == arrival.id and not (again and known.state == "quarantined"):
        return known
    outcome = Outcome(arrival.id, "quarantined", reason, text, ())
    if not again:
        [(many,)] = tx.query("SELECT count(*) FROM arrival_raw")
        if many >= fhir.settings.doors_quarantine:
            raise FhirError.of(Category.BUSY, "throttled", "The quarantine of the doors is full; see to it first.")
        raw = base64.b64encode(arrival.content).decode()
        tx.later(_KEEP, (arrival.id, sealed(tx, "arrival_raw", arrival.id, raw)))
    _note(tx, arrival, outcome, again=again)
    return outcome
