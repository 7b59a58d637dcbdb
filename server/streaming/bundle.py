"""From a message to transaction Bundles, and what of one is dropped because something later is stored.

https://hl7.org/fhir/R4/bundle.html#transaction
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.doors.arrivals import Made, Unusable, derived_id
from server.interactions.entries import split_url
from server.store import Tx
from server.streaming.message import Message
from server.streaming.order import Position, overtaken, position_of

DOOR = "kafka"
_MARK = b"sequence "
_WHY = {
    "empty": "The message has no value.",
    "too-large": "The message is larger than stream_message_bytes.",
    "sequence": "The sequence header is no whole number of 64 bits.",
    "structure": "The CloudEvent is no JSON, or has no object as data.",
    "failed": "The server failed on this message again and again.",
}
_TYPE = "The message holds no resource of a type that is read here."


class Part(NamedTuple):
    """What of a message stands or falls together: a key of the ledger and the bytes that are kept for it."""

    key: str
    content: bytes


def parts_of(message: Message) -> list[Part]:
    """A message as one part; a batch Bundle as one for each entry, since each has a fate of its own."""
    key = f"{message.place.topic} {message.id}"
    front = b"" if message.sequence is None else b"%s%d\n" % (_MARK, message.sequence)
    entries = None if message.problem else _batch(message.value)
    if not entries:
        return [Part(key, front + message.value)]
    return [
        Part(f"{key} #{number}", front + json.encode({"resourceType": "Bundle", "type": "transaction", "entry": [one]}))
        for number, one in enumerate(entries)
    ]


def _batch(value: bytes) -> list[Any] | None:
    """The entries of a batch Bundle."""
    if b'"batch"' not in value:
        return None
    try:
        found = json.decode(value)
    except FhirError:
        return None
    is_batch = found.get("resourceType") == "Bundle" and found.get("type") == "batch"
    entries = found.get("entry") if is_batch else None
    return entries if isinstance(entries, list) else None


def to_bundle(key: str, problem: str, types: tuple[str, ...], content: bytes) -> Made:
    """What a part becomes; raises Unusable. Without `problem` it is also how a part is tried again."""
    if problem:
        raise Unusable(problem, _WHY[problem])
    sequence = None
    if content.startswith(_MARK):
        line, _, content = content.partition(b"\n")
        sequence = int(line[len(_MARK) :])
    resource = json.decode(content)
    kind = resource.get("resourceType")
    if kind not in types:
        raise Unusable("type", _TYPE)
    if kind != "Bundle":
        entry = {"resource": resource, "request": {"method": "POST", "url": kind}}
        if "id" in resource:
            entry["request"] = {"method": "PUT", "url": f"{kind}/{quote(str(resource['id']), safe='')}"}
        resource = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    elif resource.get("type") != "transaction":
        raise Unusable("type", "A Bundle must be a transaction or a batch.")
    entries = resource.get("entry")
    positions: dict[str, Position] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not _create(entry, key, number) and (subject := _subject(entry)):
            positions[subject] = position_of(entry.get("resource"), sequence)
    return Made(resource, (), partial(_settle, positions) if positions else None)


def _create(entry: Any, key: str, number: int) -> bool:
    """Give what an entry creates an id that the message decides; whether it creates something."""
    match entry:
        case {"resource": {"resourceType": str(kind)} as resource, "request": {"method": "POST", "url": str(url)}}:
            if url.strip("/") != kind or entry["request"].get("ifNoneExist"):
                return False
            resource["id"] = derived_id(DOOR, key, str(number))
            entry["request"] = {"method": "PUT", "url": f"{kind}/{resource['id']}"}
            return True
    return False


def _subject(entry: Any) -> str:
    """`Type/id` of what an entry changes; empty for what is found by a query, or written otherwise."""
    match entry:
        case {"request": {"method": "PUT" | "DELETE" | "PATCH", "url": str(url)}}:
            path, _ = split_url(url, "")
            return "/".join(path) if len(path) == 2 else ""
    return ""


def _settle(positions: dict[str, Position], tx: Tx, bundle: dict[str, Any]) -> dict[str, Any]:
    """The Bundle without the entries of which something later is stored; links to them go to what is stored."""
    late = overtaken(tx, positions)
    if not late:
        return bundle
    kept, links = [], {}
    for entry in bundle["entry"]:
        subject = _subject(entry)
        if subject not in late:
            kept.append(entry)
        elif isinstance(entry.get("fullUrl"), str):
            links[entry["fullUrl"]] = subject
    return {**bundle, "entry": list(_linked(kept, links))}


def _linked(value: Any, links: dict[str, str]) -> Any:
    """A value in which references to what was dropped go to what is stored."""
    if isinstance(value, list):
        return [_linked(one, links) for one in value]
    if isinstance(value, dict):
        return {
            name: links.get(one, one) if name == "reference" and isinstance(one, str) else _linked(one, links)
            for name, one in value.items()
        }
    return value
