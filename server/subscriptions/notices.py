"""What a subscriber is sent: the notification Bundle of the backport, and its status Parameters.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import BACKPORT_EXTENSIONS
from server.access.caller import SYSTEM
from server.interactions.content import instant
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.store.keys import new_id
from server.store.version import CREATE, DELETE
from server.subscriptions.definition import Definition
from server.subscriptions.events import Event
from server.subscriptions.states import State

_METHODS = {CREATE: "POST", DELETE: "DELETE"}


class Notices:
    """Builds notifications; resources are given in the version that the event is about."""

    def __init__(self, fhir: Fhir, base_url: str) -> None:
        self._fhir = fhir
        self._base_url = base_url

    def notification(
        self, state: State, definition: Definition, kind: str, events: Iterable[Event] = (), content: str | None = None
    ) -> bytes:
        """A Bundle of type history: the status, then the resources when the content asks for them."""
        events = list(events)
        content = content or definition.content or "empty"
        last = events[-1].number if events else 0
        status = self.status(state, definition, kind, events if content != "empty" else [], last)
        url = self._here(f"Subscription/{state.id}/$status")
        first = {
            "fullUrl": f"urn:uuid:{status['id']}",
            "resource": status,
            "request": {"method": "GET", "url": url},
            "response": {"status": "200"},
        }
        entries = [first, *(self._entry(event, content) for event in events if content != "empty")]
        return json.encode(
            {
                "resourceType": "Bundle",
                "id": new_id(),
                "meta": {"profile": [f"{BACKPORT_EXTENSIONS}backport-subscription-notification-r4"]},
                "type": "history",
                "timestamp": instant(max((event.at for event in events), default=_now())).decode(),
                "entry": entries,
            }
        )

    def status(
        self, state: State, definition: Definition, kind: str, events: list[Event], told: int = 0
    ) -> dict[str, Any]:
        """The SubscriptionStatus, which R4 writes as Parameters."""
        reference = self._here(f"Subscription/{state.id}")
        last = events[-1].number if events else told or state.events
        parameters: list[dict[str, Any]] = [{"name": "subscription", "valueReference": {"reference": reference}}]
        if definition.topic:
            parameters.append({"name": "topic", "valueCanonical": definition.topic})
        parameters += [
            {"name": "status", "valueCode": state.state},
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(last)},
            *({"name": "notification-event", "part": self._parts(event)} for event in events),
        ]
        return {
            "resourceType": "Parameters",
            "id": new_id(),
            "meta": {"profile": [f"{BACKPORT_EXTENSIONS}backport-subscription-status-r4"]},
            "parameter": parameters,
        }

    def _parts(self, event: Event) -> list[dict[str, Any]]:
        return [
            {"name": "event-number", "valueString": str(event.number)},
            {"name": "timestamp", "valueInstant": instant(event.at).decode()},
            {"name": "focus", "valueReference": {"reference": self._url(event)}},
        ]

    def _entry(self, event: Event, content: str) -> dict[str, Any]:
        method = _METHODS.get(event.change, "PUT")
        target = event.type if method == "POST" else f"{event.type}/{event.id}"
        status = {"POST": "201", "PUT": "200", "DELETE": "204"}[method]
        entry: dict[str, Any] = {"fullUrl": self._url(event)}
        body = self.resource(event) if content == "full-resource" else None
        if body:
            entry["resource"] = json.decode(body)
        return entry | {"request": {"method": method, "url": target}, "response": {"status": status}}

    def resource(self, event: Event) -> bytes | None:
        """The version of an event as it is stored; None when it says that the resource is gone."""
        path = (event.type, event.id, "_history", str(event.version))
        try:
            return self._fhir.handle_sync(Request(method="GET", path=path, base_url=self._base_url, caller=SYSTEM)).body
        except FhirError:
            return None

    def _url(self, event: Event) -> str:
        return self._here(f"{event.type}/{event.id}")

    def _here(self, path: str) -> str:
        return f"{self._base_url}/{path}" if self._base_url else path


def _now() -> int:
    from server.subscriptions.states import now

    return now() * 1000
