"""The coder's item of work for a document: a Task that says who has it, until when, and what it waits for.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from fhir_profiles.systems import PENDING_REASON, TASK_CODE
from server.jobs.tasks import task_id
from server.review.unaided import is_unaided, marked

Json = dict[str, Any]
State = Literal["open", "taken", "pending", "done"]

_SPACE: Final = UUID("9a5c6f0e-52b1-5d1e-8a64-6f0f5d0f7c21")
CODE: Final = "review-document"
LOCK: Final = timedelta(minutes=20)
"""How long somebody who does nothing keeps a document from others."""

FRESH: Final = timedelta(minutes=2)
"""A lock that was used so lately is not written again."""

REASONS: Final = {
    "waiting-documentation": "Waits for documentation",
    "waiting-physician": "Waits for the physician",
    "waiting-authorisation": "Waits for authorisation",
    "second-opinion": "A second opinion is wanted",
    "other": "Something else",
}
"""Why work is put aside: codes of CodeSystem pending-reason."""


def work_id(document: str) -> str:
    """The id of the review Task of a DocumentReference's id, known before it exists."""
    return str(uuid5(_SPACE, document))


def state_of(work: Mapping[str, Any] | None, now: datetime) -> State:
    """How the work stands: a lock that nobody used for a while is open again."""
    status = (work or {}).get("status", "ready")
    if status == "completed":
        return "done"
    if status == "on-hold":
        return "pending"
    return "taken" if status == "in-progress" and not _is_over(work or {}, now) else "open"


def is_of(work: Mapping[str, Any] | None, who: Mapping[str, Any]) -> bool:
    """Whether the work is somebody's."""
    owner = (work or {}).get("owner") or {}
    key = "reference" if "reference" in who else "display"
    return bool(owner) and owner.get(key) == who.get(key)


def until(work: Mapping[str, Any]) -> datetime:
    """When a lock ends if nothing is done."""
    return datetime.fromisoformat(str(work["lastModified"])) + LOCK


def is_fresh(work: Mapping[str, Any], now: datetime) -> bool:
    """Whether a lock needs not be written again."""
    return until(work) - LOCK + FRESH > now


def taken(work: Mapping[str, Any] | None, document: str, coding: Mapping[str, Any], who: Json, now: datetime) -> Json:
    """The work in somebody's hands; `coding` is the Task of the document's coding."""
    made = _changed(work or _new(document, coding, now), "in-progress", now)
    made.pop("statusReason", None)
    made["owner"] = _person(who)
    made["executionPeriod"] = {"start": (work or {}).get("executionPeriod", {}).get("start", _text(now))}
    return made


def released(work: Mapping[str, Any], now: datetime) -> Json:
    """The work free for anybody."""
    made = _changed(work, "ready", now)
    for name in ("owner", "statusReason"):
        made.pop(name, None)
    return made


def pended(work: Mapping[str, Any], reason: str, note: str, now: datetime) -> Json:
    """The work put aside for a reason of REASONS."""
    made = _changed(work, "on-hold", now)
    coding = {"system": PENDING_REASON, "code": reason, "display": REASONS[reason]}
    made["statusReason"] = {"coding": [coding], **({"text": note} if note else {})}
    return made


def finished(work: Mapping[str, Any], now: datetime) -> Json:
    """The work done."""
    made = _changed(work, "completed", now)
    made.pop("statusReason", None)
    made["executionPeriod"] = {**(made.get("executionPeriod") or {}), "end": _text(now)}
    return made


def put(work: Json, before: Mapping[str, Any] | None) -> Json:
    """The entry of a transaction that stores the work, against the version that was seen."""
    request: Json = {"method": "PUT", "url": f"Task/{work['id']}"}
    version = ((before or {}).get("meta") or {}).get("versionId")
    request |= {"ifMatch": f'W/"{version}"'} if version else {"ifNoneMatch": "*"}
    return {"resource": work, "request": request}


def _new(document: str, coding: Mapping[str, Any], now: datetime) -> Json:
    made: Json = {
        "resourceType": "Task",
        "id": work_id(document),
        "status": "ready",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": CODE, "display": "Review a document"}]},
        "partOf": [{"reference": f"Task/{task_id(document)}"}],
        "reasonReference": {"reference": f"DocumentReference/{document}"},
        "authoredOn": _text(now),
    }
    made |= {"for": coding["for"]} if "for" in coding else {}
    return marked(made) if is_unaided(coding) else made


def _changed(work: Mapping[str, Any], status: str, now: datetime) -> Json:
    kept = {name: value for name, value in work.items() if name != "meta"}
    kept = marked(kept) if is_unaided(work) else kept
    return kept | {"status": status, "lastModified": _text(now)}


def _person(who: Mapping[str, Any]) -> Json:
    return {name: who[name] for name in ("reference", "display") if name in who}


def _is_over(work: Mapping[str, Any], now: datetime) -> bool:
    return until(work) <= now


def _text(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
