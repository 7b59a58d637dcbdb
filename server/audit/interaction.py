"""From what was asked and answered to its event (https://hl7.org/fhir/R4/valueset-type-restful-interaction.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.errors import FhirError
from server.http.errors import not_supported
from server.store.ledger import Line
from server.store.version import Version

from .event import Event, by, encode, line_of

_ALLOW = (b"allow", b"GET, HEAD, POST")

if TYPE_CHECKING:
    from server.interactions.exchange import Request

MOST_PATIENTS = 100_000
"""Patients of one answer, all kept in one event."""

_PATIENT = re.compile(rb'Patient/([A-Za-z0-9\-.]{1,64})(?=["/|?])')
_PATIENT_TYPE = b'"resourceType":"Patient",'
_ITSELF = re.compile(rb'"resourceType":"Patient",(?:[^{}\[\]]{0,200},)?"id":"([A-Za-z0-9\-.]{1,64})"')
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ABOUT = frozenset({"patient", "subject", "beneficiary", "_for", "individual"})


def wrote(request: Request, action: str, version: Version, status: int) -> Line:
    """The event of a write, for its own transaction."""
    code = "patch" if request.method == "PATCH" else action
    target = (version.type, version.id, version.version)
    conditional = bool(request.query or request.if_none_exist)
    return line_of(by(request.caller, code, status, target, _of(version), method=request.method, query=conditional))


def kept_back(request: Request, version: Version) -> bytes:
    """The event of something that a Consent kept from who asked for it."""
    target = (version.type, version.id, version.version)
    return encode(by(request.caller, "withheld", 403, target, _of(version), method=request.method))


def handed_in(request: Request, version: Version) -> Line:
    """An AuditEvent that a client keeps here, in the chain with ours; 405 for a change of what is there."""
    if request.method != "POST" or version.version != 1 or version.deleted:
        raise unchangeable()
    event = by(request.caller, "create", 201, (version.type, version.id, 1), named(version.body), method="POST")
    return line_of(msgspec.structs.replace(event, given=msgspec.Raw(version.body)))


def unchangeable() -> FhirError:
    """405: the audit trail is added to and never changed."""
    return not_supported(405, "AuditEvents can be created and read; they are never changed.", (_ALLOW,))


def missed(request: Request, version: Version | None) -> Line:
    """The event of a delete that found nothing to delete."""
    if version is not None:
        return wrote(request, "delete", version, 204)
    kind, name = request.path[0], request.path[1] if len(request.path) > 1 else ""
    target, patients = (kind, name, 0), asked_patients(request.path, request.query)
    return line_of(by(request.caller, "delete", 204, target, patients, method="DELETE", query=not name))


def _of(version: Version) -> tuple[str, ...]:
    if version.type == "Patient":
        return (version.id,)
    return (version.patient,) if version.patient else ()


def read(
    request: Request, status: int, body: bytes, operation: str | None = None, about: tuple[str, ...] = ()
) -> Event:
    """The event of anything else: what was read, called or refused, and of whom the answer tells, `about` too."""
    path = request.path
    if status == 200 and len(path) == 2 and _ID.fullmatch(path[1]) and request.method == "GET" and not request.query:
        kind, name = path  # what is asked most, without the rest
        found = alone(body, name) if kind == "Patient" else named(body)
        return by(request.caller, "read", 200, (kind, name, 0), found, method="GET")
    code = "operation" if operation else interaction(request.method, path)
    patients = asked_patients(path, request.query)
    if status < 400 and code not in ("batch", "transaction", "capabilities"):
        patients = named(body, (*patients, *about))
    target = _target(path)
    return by(
        request.caller, code, status, target, patients, method=request.method, detail=operation or "",
        query=code not in ("read", "vread", "capabilities") or bool(request.query),
    )  # fmt: skip


def interaction(method: str, path: tuple[str, ...]) -> str:
    """The restful interaction that a method and a path ask for."""
    if method in ("GET", "HEAD"):
        match path:
            case ("metadata",):
                return "capabilities"
            case (*_, "_history"):
                return ("history-system", "history-type", "history-instance")[min(len(path) - 1, 2)]
            case (_, _, "_history", _):
                return "vread"
            case (_, _):
                return "read"
        return "search-type" if path else "search-system"
    if not path:
        return "batch"
    if path[-1] == "_search":
        return "search-type" if len(path) > 1 else "search-system"
    return _WRITES.get(method, "operation")


def _target(path: tuple[str, ...]) -> tuple[str, str, int]:
    """Type, id and version that a path names; an id that could be none is left out."""
    kind = path[0] if path and path[0] in load().resource_types else ""
    name = path[1] if kind and len(path) > 1 and _ID.fullmatch(path[1]) else ""
    version = path[3] if len(path) == 4 and path[2] == "_history" else ""
    return kind, name, int(version) if version.isdecimal() and len(version) < 9 else 0


def asked_patients(path: tuple[str, ...], query: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The patients that a request names, in its path or by a parameter that says whom it is about."""
    found = [path[1]] if len(path) > 1 and path[0] == "Patient" and _ID.fullmatch(path[1]) else []
    for name, value in query:
        if name.partition(":")[0] in _ABOUT:
            for one in value.split(","):
                kind, _, id_ = one.rpartition("/")
                if (kind.endswith("Patient") or (not kind and name.startswith("patient"))) and _ID.fullmatch(id_):
                    found.append(id_)
        elif name == "_id" and path == ("Patient",):
            found += [one for one in value.split(",") if _ID.fullmatch(one)]
    return tuple(dict.fromkeys(found))


def alone(body: bytes, patient: str) -> tuple[str, ...]:
    """The patients that a Patient tells of, who is mostly one alone: it refers to no other and holds none."""
    if body.find(b"Patient/") < 0 and body.count(_PATIENT_TYPE) < 2:
        return (patient,)
    return named(body, (patient,))


def named(body: bytes, first: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The patients that an answer in JSON tells of, by reference or themselves, after those that were asked about."""
    at = body.find(b"Patient/")
    found = _PATIENT.findall(body, at) if at >= 0 else []
    if body.find(_PATIENT_TYPE) >= 0:
        found += _ITSELF.findall(body)
    if not found:
        return first
    if len(found) == 1 and not first:
        return (found[0].decode(),)
    return tuple(dict.fromkeys((*first, *(match.decode() for match in found))))[:MOST_PATIENTS]
