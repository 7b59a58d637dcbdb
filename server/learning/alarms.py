"""An alarm of learning as work for somebody: one Task for each thing that is watched, open while its alarm lasts.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import orjson

from fhir_profiles.systems import REVIEW_ROLE, TASK_CODE
from server.access.caller import SYSTEM
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.learning.drift import Alarm, Look
from server.store import Tx

_SPACE: Final = UUID("c1a7f2f4-6a5f-5e0e-9d57-0b9a5a3f1e66")
CODE: Final = "learning-alarm"
CLOSED: Final = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})
_WHAT: Final = {"calibration": "Confidence is calibrated otherwise than before."}
_MOVED: Final = "What coders decide has moved."


def alarm_id(of: str) -> str:
    """The id of the Task about one thing that is watched, known before it exists."""
    return str(uuid5(_SPACE, of))


def tell_by_tasks(fhir: Fhir, tx: Tx, found: Look, before: Look | None) -> None:
    """Open the Tasks of alarms that are new since the look `before`, and complete those whose cause is gone.

    A Task that a person ended stays so while its alarm lasts. A look at too few documents changes nothing.
    """
    if not found.enough:
        return
    stood = {one.of for one in before.alarms} if before is not None else set()
    now = datetime.fromtimestamp(tx.now / 1e6, UTC)
    for one in found.found:
        task = _current(tx, one.of)
        is_open = task is not None and task.get("status") not in CLOSED
        if one.alarm and not is_open and (task is None or one.of not in stood):
            _put(fhir, tx, opened(one, found, now, fhir.settings.learn_alarm_days))
        elif not one.alarm and is_open and task is not None:
            _put(fhir, tx, gone(task, now))


def opened(one: Alarm, found: Look, now: datetime, days: int) -> dict[str, Any]:
    """The Task of an alarm: the reason in numbers, whom it is for, and when it is due."""
    figures = {"moved": one.moved, "chance": one.chance, "before": one.before, "now": one.now}
    numbers = {name: round(told, 4) for name, told in figures.items() if told is not None}
    at = now.isoformat(timespec="milliseconds")
    return {
        "resourceType": "Task",
        "id": alarm_id(one.of),
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": TASK_CODE, "code": CODE, "display": "See to an alarm of learning"}]},
        "description": f"{_WHAT.get(one.of, _MOVED)} See fhirwright learn status, and whether a run is the answer.",
        "authoredOn": at,
        "lastModified": at,
        "requester": {"display": "fhirwright learn"},
        "performerType": [
            {"coding": [{"system": REVIEW_ROLE, "code": "auditor"}], "text": "An auditor or an administrator"}
        ],
        "reasonCode": {"text": f"{one.of}: moved {one.moved:.4f}, by chance {one.chance:.4f}"},
        "restriction": {"period": {"end": (now + timedelta(days=days)).isoformat(timespec="milliseconds")}},
        "input": [
            {"type": {"text": "of"}, "valueString": one.of},
            *({"type": {"text": name}, "valueDecimal": told} for name, told in numbers.items()),
            {"type": {"text": "documents lately"}, "valueInteger": found.now},
            {"type": {"text": "documents before"}, "valueInteger": found.before},
        ],
    }  # fmt: skip


def gone(task: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The Task done, because what it is about does not stand any more."""
    at = now.isoformat(timespec="milliseconds")
    kept = {name: value for name, value in task.items() if name != "meta"}
    period = {**(kept.get("executionPeriod") or {}), "end": at}
    why = {"text": "A later look finds the cause gone."}
    return kept | {"status": "completed", "lastModified": at, "executionPeriod": period, "statusReason": why}


def _current(tx: Tx, of: str) -> dict[str, Any] | None:
    found = tx.current("Task", alarm_id(of))
    if found is None:
        return None
    return {"status": "cancelled"} if found.deleted else orjson.loads(found.body or b"{}")


def _put(fhir: Fhir, tx: Tx, task: dict[str, Any]) -> None:
    base = fhir.settings.base_url or ""
    body = orjson.dumps(task)
    fhir.handle_in(tx, Request(method="PUT", path=("Task", task["id"]), body=body, base_url=base, caller=SYSTEM))
