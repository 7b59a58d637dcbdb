"""AuditEvents of what is kept, one for each patient (https://profiles.ihe.net/ITI/BALP/)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from fhir_profiles import json
from fhir_profiles.systems import (
    AUDIT_ENTITY,
    AUDIT_SOURCE,
    BALP,
    BASE,
    DCM,
    OBJECT_ROLE,
    PARTICIPANT,
    PARTICIPATION,
    PURPOSE,
    RESTFUL,
)

from .codes import DISPLAYS, SECURITY, action_of, profile_of, type_of
from .event import Event, outcome_of

Json = dict[str, Any]
_SEARCHES = ("search-type", "search-system")
_JOB_HOST = "fhirwright"


def render(seq: int, event: Event) -> Iterator[Json]:
    """The AuditEvents of a kept event, with ids that say where it stands in the chain."""
    if bytes(event.given) != b"null":
        yield json.decode(bytes(event.given))
        return
    for number, patient in enumerate(event.patients or (None,)):
        yield _one(f"{seq}-{number}", event, patient)


def render_one(seq: int, number: int, event: Event) -> Json | None:
    """The AuditEvent of that number; None when there are fewer."""
    return next((found for n, found in enumerate(render(seq, event)) if n == number), None)


def _one(name: str, event: Event, patient: str | None) -> Json:
    outcome = outcome_of(event.status)
    profile = profile_of(event.code, outcome, patient=patient is not None)
    made: Json = {"resourceType": "AuditEvent", "id": name}
    if profile:
        made["meta"] = {"profile": [profile, *([f"{_OAUTH}.Opaque"] if event.token else [])]}
    made["type"] = type_of(event.code)
    made["subtype"] = [_subtype(event)]
    made["action"] = action_of(event.code)
    made["recorded"] = instant(event.at)
    made["outcome"] = str(outcome)
    if outcome:
        made["outcomeDesc"] = f"HTTP {event.status}"
    if event.purpose:
        made["purposeOfEvent"] = [_purpose(event.purpose)]
    made["agent"] = _agents(event)
    made["source"] = _source(event.server)
    made["entity"] = list(_entities(event, patient))
    return made


_OAUTH = f"{BALP}/StructureDefinition/IHE.BasicAudit.OAUTHaccessTokenUse"


def instant(at: int) -> str:
    """Microseconds since 1970 as an instant."""
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _subtype(event: Event) -> Json:
    if event.code in SECURITY:
        return {"system": f"{BASE}/CodeSystem/audit-subtype", "code": event.code}
    if event.code == "operation":
        return {"system": RESTFUL, "code": "operation", "display": f"${event.detail}"}
    return {"system": RESTFUL, "code": event.code}


def _purpose(reason: str) -> Json:
    """Emergency treatment, and the words of who broke the glass."""
    return {"coding": [{"system": PURPOSE, "code": "BTG", "display": "break the glass"}], "text": reason[:1000]}


def _roles(code: str) -> tuple[Json, Json]:
    """The types of client and server: who sends the data and who gets it."""
    if code == "delete":
        return _coding(DCM, "110150"), {"coding": [{"system": PARTICIPANT, "code": "custodian"}]}
    reading = code in ("read", "vread", "history-instance", "history-type", "history-system", "capabilities")
    client, server = ("110152", "110153") if reading else ("110153", "110152")
    return _coding(DCM, client), _coding(DCM, server)


@lru_cache(maxsize=16)
def _coding(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": DISPLAYS[code]}]}


def _agents(event: Event) -> list[Json]:
    client, server = _roles(event.code)
    agents = [
        {
            "type": client,
            "who": {"identifier": {"system": f"{BASE}/client", "value": event.client or event.who or "unknown"}},
            "requestor": not event.user and not _is_person(event),
            "network": {"address": event.address or _JOB_HOST, "type": "2" if event.address else "1"},
        },
        {
            "type": server,
            "who": {"identifier": {"system": f"{BASE}/server", "value": event.server or _JOB_HOST}},
            "requestor": False,
            "network": {"address": event.server or _JOB_HOST, "type": "1"},
        },
    ]
    if event.decision:
        agents[1]["policy"] = [_named(event.decision, "decision")]
    if event.token or event.user or _is_person(event):
        agents.append(_user(event))
    return agents


def _is_person(event: Event) -> bool:
    return bool(event.client) and event.who != event.client


def _user(event: Event) -> Json:
    """Whom the token speaks for: the person, or the client itself."""
    types = [{"system": f"{BALP}/CodeSystem/UserAgentTypes", "code": "UserOauthAgent"}]
    if event.code in ("read", "vread", *_SEARCHES):
        types.insert(0, {"system": PARTICIPATION, "code": "IRCP", "display": "information recipient"})
    elif event.code in ("create", "update", "patch"):
        types.insert(0, {"system": PARTICIPATION, "code": "AUT", "display": "author (originator)"})
    who: Json = {"identifier": {"system": f"{BASE}/user", "value": event.who or "unknown"}}
    if event.user:
        who = {"reference": event.user, **who}
    user: Json = {"type": {"coding": types}, "who": who, "requestor": True}
    if event.token:
        user["policy"] = [_named(event.token, "token")]
    if event.purpose:
        user["purposeOfUse"] = [_purpose(event.purpose)]
    return user


def _named(id: str, kind: str) -> str:
    return f"urn:uuid:{id}" if _is_uuid(id) else f"{BASE}/{kind}/{quote(id, safe='')}"


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def _source(server: str) -> Json:
    return {
        "observer": {"identifier": {"system": f"{BASE}/server", "value": server or _JOB_HOST}},
        "type": [{"system": AUDIT_SOURCE, "code": "4", "display": "Application Server"}],
    }


def _entities(event: Event, patient: str | None) -> Iterator[Json]:
    if patient is not None:
        yield {
            "what": {"reference": f"Patient/{patient}"},
            "type": {"system": AUDIT_ENTITY, "code": "1", "display": "Person"},
            "role": {"system": OBJECT_ROLE, "code": "1", "display": "Patient"},
        }
    thing: Json = {"type": {"system": AUDIT_ENTITY, "code": "2", "display": "System Object"}}
    if event.code in _SEARCHES:
        query = {"role": {"system": OBJECT_ROLE, "code": "24", "display": "Query"}, "query": event.query or "Lw=="}
        yield {**thing, **query}
    else:
        yield {**_what(event), **thing, "role": {"system": OBJECT_ROLE, "code": "4", "display": "Domain Resource"}}
        if event.query:
            role = {"system": OBJECT_ROLE, "code": "24", "display": "Query"}
            yield {
                "type": {"system": AUDIT_ENTITY, "code": "4", "display": "Other"},
                "role": role,
                "query": event.query,
            }
    if event.request:
        yield {
            "what": {"identifier": {"value": event.request}},
            "type": {"system": f"{BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"},
        }


def _what(event: Event) -> Json:
    if event.type and event.id:
        history = f"/_history/{event.version}" if event.version else ""
        return {"what": {"reference": f"{event.type}/{event.id}{history}"}}
    if event.type:
        return {"what": {"type": event.type, "display": event.type}}
    return {"what": {"display": event.detail or event.code}}
