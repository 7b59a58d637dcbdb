"""What changed, as CloudEvents on Kafka: deterministic ids, ordered by patient (https://github.com/cloudevents/spec).

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.access.caller import SYSTEM
from server.interactions.content import instant
from server.interactions.exchange import FHIR_JSON, Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store.version import CREATE, DELETE
from server.subscriptions.events import Event
from server.subscriptions.matching import Candidate, matches
from server.subscriptions.outbox import STREAM
from server.subscriptions.topics import OURS, Topic

SPEC = "1.0"
_DOMAIN = "dev.fhirwright"
_CHANGES = {CREATE: "created", DELETE: "deleted"}
_JSON = "application/json"
_STRUCTURED = "application/cloudevents+json; charset=utf-8"
_READ = """SELECT e.number, e.at, e.type, e.id, e.version, e.change,
 CASE WHEN r.version = e.version THEN r.patient ELSE h.patient END, coalesce(t.parent, '') FROM event e
 LEFT JOIN resource r ON r.type = e.type AND r.id = e.id
 LEFT JOIN history h ON h.rid = r.rid AND h.version = e.version
 LEFT JOIN trace t ON t.type = e.type AND t.id = e.id AND t.version = e.version
 WHERE e.subscription = ? AND e.number > ? ORDER BY e.number LIMIT ?"""


class Published(NamedTuple):
    """One message: its number in the order of all, its key, headers and value."""

    number: int
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


class Change(NamedTuple):
    """A version that is to be published, whose it is, and the `traceparent` of what wrote it."""

    event: Event
    patient: str | None
    trace: str = ""


def changes_after(fhir: Fhir, number: int, most: int) -> list[Change]:
    """Changes in their order."""
    return [Change(Event(*row[:6]), *row[6:]) for row in fhir.store.query(_READ, (STREAM, number, most))]


def publish_form(fhir: Fhir, settings: Settings, change: Change) -> Iterator[Published]:
    """The messages of a change: the change itself, then what it means: a document was coded, a claim is ready."""
    event = change.event
    whose = _patient(fhir, change) or f"{event.type}/{event.id}"
    # A key that tells nobody who does not know it anyway: only that events belong together.
    key = sha256(f"{settings.stream_source}\x1f{whose}".encode()).hexdigest()[:32].encode()
    topics = [topic for topic in OURS if topic.type == event.type and event.change != DELETE]
    wants_body = settings.stream_content == "full" and event.change != DELETE
    body = _body(fhir, event, event.version) if topics or wants_body else None
    kinds = [f"resource.{_CHANGES.get(event.change, 'updated')}"]
    kinds += [topic.url.rsplit("/", 1)[1] for topic in topics if body and _became(fhir, event, body, topic)]
    for kind in kinds:
        attributes = _attributes(settings, event, kind, change.trace)
        data, content = (body, FHIR_JSON) if wants_body and body else (_reference(event), _JSON)
        yield _written(settings, event.number, key, attributes, data, content)


def _patient(fhir: Fhir, change: Change) -> str | None:
    """The id of the patient whose order an event keeps; a Task is in no compartment, and tells whose it is by `for`."""
    event = change.event
    if event.type != "Task":
        return event.id if event.type == "Patient" else change.patient
    body = _body(fhir, event, event.version - (event.change == DELETE))
    reference = (json.decode(body).get("for") or {}).get("reference") if body else None
    return reference.removeprefix("Patient/") if isinstance(reference, str) else None


def _became(fhir: Fhir, event: Event, body: bytes, topic: Topic) -> bool:
    """Whether this version is found by what a topic asks and, where that counts, the one before was not."""
    if not matches(fhir, Candidate.of(body, fhir.settings.base_url or ""), topic.criteria):
        return False
    before = _body(fhir, event, event.version - 1) if topic.becomes and event.version > 1 else None
    return before is None or not matches(fhir, Candidate.of(before, fhir.settings.base_url or ""), topic.criteria)


def _body(fhir: Fhir, event: Event, version: int) -> bytes | None:
    path = (event.type, event.id, "_history", str(version))
    try:
        return fhir.handle_sync(Request(method="GET", path=path, caller=SYSTEM)).body
    except FhirError:  # it was a deletion, or was shredded since
        return None


def _attributes(settings: Settings, event: Event, kind: str, trace: str) -> dict[str, str]:
    """`id` follows from the version alone: published twice it is the same, and consumers can tell.

    A version that was traced says so: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
    """
    traced = {"traceparent": trace} if trace else {}
    return traced | {
        "specversion": SPEC,
        "id": f"{event.type}/{event.id}/{event.version}/{kind}",
        "source": settings.stream_source,
        "type": f"{_DOMAIN}.{kind}",
        "subject": f"{event.type}/{event.id}",
        "time": instant(event.at).decode(),
        "sequence": f"{event.number:020d}",
    }


def _reference(event: Event) -> bytes:
    return json.encode(
        {
            "resourceType": event.type,
            "id": event.id,
            "versionId": str(event.version),
            "reference": f"{event.type}/{event.id}/_history/{event.version}",
        }
    )


def _written(
    settings: Settings, number: int, key: bytes, attributes: dict[str, str], data: bytes, content: str
) -> Published:
    if settings.stream_out_mode == "binary":
        headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
        return Published(number, key, [*headers, ("content-type", content.encode())], data)
    whole: dict[str, Any] = {**attributes, "datacontenttype": content, "data": json.decode(data)}
    return Published(number, key, [("content-type", _STRUCTURED.encode())], json.encode(whole))
