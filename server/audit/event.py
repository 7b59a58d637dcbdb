"""One event as it is kept: compact, in canonical bytes; the AuditEvent resources that tell it are made when read.

https://profiles.ihe.net/ITI/BALP/
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from server.access.caller import Caller
from server.store.ledger import Line
from server.store.sealing import TEXT

_encoder = msgspec.json.Encoder()
NOTHING = msgspec.Raw(b"null")
"""Of what no client handed in."""


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What happened. `code` is a restful interaction, or what was done about a token; `status` as HTTP has it.

    Of an answer about several patients it stands for one AuditEvent each.
    """

    at: int
    """Microseconds since 1970."""

    code: str
    status: int
    type: str = ""
    id: str = ""
    version: int = 0
    patients: tuple[str, ...] = ()
    who: str = ""
    client: str = ""
    user: str = ""
    token: str = ""
    purpose: str = ""
    request: str = ""
    address: str = ""
    server: str = ""
    method: str = ""
    query: str = ""
    """Method, path and query as they came, in base64."""

    detail: str = ""
    """The name of an operation, or a word about a token."""

    given: msgspec.Raw = NOTHING
    """The AuditEvent of a client that keeps its own events here."""

    decision: str = ""
    """By which id an external policy has its decision."""


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The beginning of an event: what its place in the chain and its keys are made of."""

    at: int
    code: str
    status: int
    type: str = ""
    id: str = ""
    version: int = 0
    patients: tuple[str, ...] = ()
    who: str = ""
    client: str = ""
    user: str = ""


_decoder = msgspec.json.Decoder(Event)
_head_decoder = msgspec.json.Decoder(Head)
_heads_decoder = msgspec.json.Decoder(list[Head])


def encode(event: Event) -> bytes:
    """The canonical bytes of an event: what is hashed."""
    return _encoder.encode(event)


def decode(data: bytes) -> Event:
    """The event of such bytes; msgspec.DecodeError when they are none."""
    return _decoder.decode(data)


@lru_cache(maxsize=4096)
def in_base64(text: str) -> str:
    """Text as it stands in `entity.query`."""
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def by(
    caller: Caller,
    code: str,
    status: int,
    target: tuple[str, str, int] = ("", "", 0),
    patients: Iterable[str] = (),
    *,
    method: str = "",
    detail: str = "",
    query: bool = False,
    at: int = 0,
    given: msgspec.Raw = NOTHING,
) -> Event:
    """The event of something that a caller did; `query`: what was asked is kept too."""
    trace = caller.trace
    asked = in_base64(f"{method} {trace.asked}") if query and trace.asked else ""
    return Event(
        at or time.time_ns() // 1000, code, status, *target, tuple(patients), caller.who, caller.client or "",
        caller.user or "", caller.token or "", caller.purpose or "", trace.request, trace.address, trace.server,
        method, asked, detail, given, trace.decision,
    )  # fmt: skip


def line_of(event: Event) -> Line:
    """The event as the chain takes it, with the keys it is found by."""
    return line_from(encode(event))


def line_from(data: bytes) -> Line:
    """The same of an event's bytes."""
    head = _head_decoder.decode(data)
    return Line(head.at, data, keys_of(head))


def lines_of(kept: Sequence[bytes]) -> list[Line]:
    """The same of many."""
    return [Line(head.at, data, keys_of(head)) for head, data in zip(heads_of(kept), kept, strict=True)]


def heads_of(kept: Sequence[bytes]) -> list[Head]:
    """The beginnings of events."""
    return _heads_decoder.decode(b"[" + b",".join(kept) + b"]")


def outcome_of(status: int) -> int:
    """Success, minor, serious or major failure (https://hl7.org/fhir/R4/valueset-audit-event-outcome.html)."""
    if status < 400:
        return 0
    if status in (401, 403):
        return 8
    if status < 500:
        return 4
    return 12 if status == 503 else 8


def keys_of(event: Event | Head) -> tuple[str, ...]:
    """What an event is found by: what was done, patients, what it was about, who did it, how it ended if not well."""
    patients, kind, name = event.patients, event.type, event.id
    keys = [did(event.code), *_by(event.who, event.client, event.user)]
    keys += [f"Patient/{patient}" for patient in patients]
    if name and kind and not (kind == "Patient" and name in patients) and not name.startswith(TEXT):
        keys.append(f"{kind}/{name}")
    if event.status >= 400:
        keys.append(ended(outcome_of(event.status)))
    return tuple(keys)


@lru_cache(maxsize=4096)
def _by(*several: str) -> tuple[str, ...]:
    """The keys of those who did something, each once."""
    return tuple(f"by {one}" for one in dict.fromkeys(several) if one)


@lru_cache(maxsize=256)
def did(code: str) -> str:
    """The key of events by which something was done."""
    return f"did {code}"


def ended(outcome: int) -> str:
    """The key of events that did not end well; those that did have none."""
    return f"ended {outcome}"
