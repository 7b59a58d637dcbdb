"""A message as it came: who it is, what it is about, what it holds.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.settings import Settings

_STRUCTURED = "application/cloudevents+json"
_LEAST, _MOST = -(2**63), 2**63 - 1


class Raw(Protocol):
    """What the library gives."""

    def topic(self) -> str: ...  # noqa: D102
    def partition(self) -> int: ...  # noqa: D102
    def offset(self) -> int: ...  # noqa: D102
    def key(self) -> bytes | None: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...  # noqa: D102


class Place(NamedTuple):
    """Where a message stands."""

    topic: str
    partition: int
    offset: int


class Message(NamedTuple):
    """One message; `id` names it within its topic, `problem` is a reason by code when it cannot be used at all."""

    place: Place
    lane: bytes | None
    id: str
    sequence: int | None
    value: bytes
    problem: str = ""


def read_message(raw: Raw, settings: Settings) -> Message:
    """The message that the library gave; never raises."""
    place = Place(raw.topic(), raw.partition(), raw.offset())
    value = raw.value() or b""
    headers = {name.lower(): text for name, text in raw.headers() or () if text is not None}
    problem = "" if value else "empty"
    if len(value) > settings.stream_message_bytes:
        # Kept is what tells it from others; its bytes still stand in its topic.
        value, problem = f"sha256 {sha256(value).hexdigest()}, {len(value)} bytes".encode(), "too-large"
    attributes = {name: _text(text) for name, text in headers.items()}
    if not problem and attributes.get("content-type", "").startswith(_STRUCTURED):
        attributes, value, problem = _unwrap(attributes, value)
    name = next((attributes[header] for header in settings.stream_id_headers if attributes.get(header)), "")
    if name and attributes.get("ce_source"):
        name = f"{attributes['ce_source']} {name}"
    given = next((attributes[one] for one in settings.stream_sequence_headers if attributes.get(one)), None)
    sequence = _number(given)
    if given is not None and sequence is None:
        problem = problem or "sequence"
    return Message(place, raw.key(), name or f"{place.partition}/{place.offset}", sequence, value, problem)


def _unwrap(attributes: dict[str, str], value: bytes) -> tuple[dict[str, str], bytes, str]:
    """The attributes and the data of an event that came as JSON."""
    try:
        event = json.decode(value)
    except FhirError:
        return attributes, value, "structure"
    inside = {f"ce_{name}": str(text) for name, text in event.items() if isinstance(text, str | int)}
    data: Any = event.get("data")
    if not isinstance(data, dict):
        return attributes | inside, value, "structure"
    return attributes | inside, json.encode(data), ""


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\0", "")


def _number(text: str | None) -> int | None:
    """A whole number that a column of 64 bits holds."""
    try:
        number = int(text) if text is not None and len(text) <= 20 else None
    except ValueError:
        return None
    return number if number is not None and _LEAST <= number <= _MOST else None
