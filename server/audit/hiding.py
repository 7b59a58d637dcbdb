"""What events say of a person, sealed: the query as it was asked, the AuditEvent that a client handed in, the reason of
an emergency, and the id that somebody asked for where nothing ever had it.

It is sealed before the event leaves the process, so that the spool, the chain and its hashes hold nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from server.store.ledger import Line
from server.store.sealing import TEXT, Sealing

from .event import Event, decode, encode, line_from

Unknown = Callable[[str, str], bool]
"""Whether no resource of a type ever had an id."""

NOT_FOUND = 404
EMERGENCY = "break-glass"

_TEXT = f'"{TEXT}'.encode()


def hide(sealing: Sealing | None, data: bytes, unknown: Unknown) -> bytes:
    """The bytes of an event, sealed where they must be; the same when they are already, or nothing is sealed."""
    if sealing is None:
        return data
    event = decode(data)
    given = bytes(event.given)
    changes: dict[str, object] = {}
    if event.query and not event.query.startswith(TEXT):
        changes["query"] = sealing.hide(_place(event, "query"), event.query)
    if given != b"null" and not given.startswith(_TEXT):
        told = sealing.hide(_place(event, "given"), given.decode())
        changes["given"] = msgspec.Raw(msgspec.json.encode(told))
    if event.code == EMERGENCY and event.purpose and not event.purpose.startswith(TEXT):
        changes["purpose"] = sealing.hide(_place(event, "purpose"), event.purpose)
    if event.status == NOT_FOUND and event.id and not event.id.startswith(TEXT) and unknown(event.type, event.id):
        patients = () if event.patients == (event.id,) else event.patients
        changes |= {"id": sealing.hide(_place(event, "id"), event.id), "patients": patients}
    return encode(msgspec.structs.replace(event, **changes)) if changes else data


def hidden(sealing: Sealing, line: Line, unknown: Unknown) -> Line:
    """The same for an event that goes into the chain."""
    data = hide(sealing, line.data, unknown)
    return line if data is line.data else line_from(data)


def reveal(sealing: Sealing | None, event: Event) -> Event:
    """The event as it was."""
    if sealing is None:
        return event
    changes: dict[str, object] = {}
    if event.query.startswith(TEXT):
        changes["query"] = sealing.reveal(_place(event, "query"), event.query)
    if bytes(event.given).startswith(_TEXT):
        text = sealing.reveal(_place(event, "given"), msgspec.json.decode(event.given))
        changes["given"] = msgspec.Raw(text.encode())
    if event.purpose.startswith(TEXT):
        changes["purpose"] = sealing.reveal(_place(event, "purpose"), event.purpose)
    if event.id.startswith(TEXT):
        name = sealing.reveal(_place(event, "id"), event.id)
        changes |= {"id": name, "patients": event.patients or ((name,) if event.type == "Patient" else ())}
    return msgspec.structs.replace(event, **changes) if changes else event


def _place(event: Event, field: str) -> tuple[str | int, ...]:
    return "audit", event.at, event.code, field
