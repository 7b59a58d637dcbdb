"""`$break-glass`: read one more patient's record in an emergency, for a reason, for a while; somebody is told.

https://hl7.org/fhir/R4/security-labels.html#break-the-glass
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from prometheus_client import Counter

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import ALERT_CATEGORY, BASE, BREAK_GLASS
from server.access import glass
from server.auth import keep
from server.auth.model import Broken
from server.interactions import update
from server.interactions.content import instant
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation
from server.store import Tx
from server.store.keys import new_id

WHO = "fhirwright-alert"
LEAST, MOST = 10, 1000
"""Characters of a reason."""
log = structlog.get_logger("access")
BROKEN = Counter("fhirwright_break_glass_total", "Times that somebody opened a record in an emergency.")
Json = dict[str, Any]


class BreakGlass:
    """Opens a record to be read through the token that asks."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """200 with the patient and until when; 403 for a role that may not, 404 where there is no such patient."""
        arguments = read_arguments(request)
        arguments.only("patient", "reason", "minutes")
        if not (request.caller.emergency or request.caller.whole):
            text = "Your role does not let you open a record in an emergency."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text)
        patient, reason = _patient(arguments), (arguments.text("reason") or "").strip()
        if not LEAST <= len(reason) <= MOST:
            raise wrong(f"Say why, in {LEAST} to {MOST} characters.", "reason")
        most = self._fhir.settings.break_glass_minutes
        minutes = arguments.whole("minutes", most, most, least=1)
        until = time.time_ns() // 1_000_000 + minutes * 60_000
        await self._fhir.store.write(lambda tx: self._open(tx, request, Broken(patient, until, reason)))
        BROKEN.inc()
        log.warning("access.glass_broken", minutes=minutes)
        told: list[Json] = [
            {"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}},
            {"name": "until", "valueInstant": instant(until * 1000).decode()},
        ]
        return Response(status=200, body=json.encode({"resourceType": "Parameters", "parameter": told}))

    def _open(self, tx: Tx, request: Request, one: Broken) -> None:
        there = tx.current("Patient", one.patient)
        if there is None or there.deleted:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no Patient with this id.")
        caller = request.caller
        if caller.token is not None:
            tx.lock(f"glass {caller.token}")
            granted = keep.authorization(tx, caller.token)
            if granted is None:
                raise FhirError.of(Category.FORBIDDEN, "forbidden", "What your token rests on has ended.")
            opened = glass.opened(granted, one)
            if len(opened.broken) > self._fhir.settings.break_glass_patients:
                text = "As many records as are allowed at once are open. Wait until one is closed again."
                raise FhirError.of(Category.BUSY, "throttled", text)
            keep.put_authorization(tx, opened)
        update.put(self._fhir, tx, _alert(request, one, instant(tx.now).decode()), WHO, new=True)


def _patient(arguments: Arguments) -> str:
    value = arguments.value("patient")
    named = value.get("reference") if isinstance(value, dict) else arguments.text("patient")
    kind, _, name = str(named or "").rpartition("/")
    if not name or kind not in ("", "Patient"):
        raise wrong("Name the patient as Patient/[id].", "patient")
    return name


def _alert(request: Request, one: Broken, now: str) -> Json:
    """The Communication that tells whoever watches."""
    caller = request.caller
    by: Json = {"reference": caller.user} if caller.user else {"display": caller.who}
    return {
        "resourceType": "Communication", "id": new_id(), "status": "completed", "priority": "urgent",
        "category": [{"coding": [{"system": ALERT_CATEGORY, "code": "alert"}]}],
        "topic": {"coding": [{"system": BREAK_GLASS, "code": "break-glass"}], "text": "Opened in an emergency"},
        "subject": {"reference": f"Patient/{one.patient}"}, "sender": by, "sent": now,
        "payload": [{"contentString": one.reason}, {"contentString": f"Until {instant(one.until * 1000).decode()}"}],
    }  # fmt: skip


def operations(fhir: Fhir) -> list[Operation]:
    """`$break-glass` at the base."""
    return [
        Operation(
            "break-glass", frozenset({"system"}), BreakGlass(fhir), for_all=True,
            definition=f"{BASE}/OperationDefinition/break-glass",
        )
    ]  # fmt: skip
