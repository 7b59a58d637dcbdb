"""C-CDA documents on their way into the store: versions replace each other in place (https://hl7.org/fhir/us/ccda/)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from extractors.emit.bundle import SHARED
from extractors.emit.ids import is_coded_id
from extractors.pages.limits import Refused
from fhir_profiles import json
from fhir_profiles.systems import DOCUMENT_VERSION
from server.access.caller import server_as
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.intake import read_task
from server.jobs.results import replaced
from server.settings import Settings
from server.store import Tx

from .arrivals import Arrival, Made, Unusable
from .ccda import Limits, Mapped, home_of, map_document, provenance_id

DOOR = "ccda"
_KEPT = frozenset((*SHARED, "Organization"))
_CALLER = server_as(f"door:{DOOR}")


def limits_of(settings: Settings) -> Limits:
    """The limits on a C-CDA document."""
    return Limits(size=settings.document_bytes, depth=settings.document_depth)


def arrival_of(content: bytes, settings: Settings) -> Arrival:
    """A document under its own id; one that has none, or that cannot be read, under the hash of its bytes."""
    try:
        key = map_document(content, limits_of(settings), _now()).key
    except Refused:
        key = ""
    return Arrival(DOOR, sha256(key.encode() if key else b"bytes\0" + content).hexdigest(), content)


def to_bundle(fhir: Fhir, content: bytes) -> Made:
    """The resources of a document, and how they meet those of its other versions; raises Unusable."""
    try:
        mapped = map_document(content, limits_of(fhir.settings), _now())
    except Refused as refused:
        raise Unusable(refused.code, refused.text) from None
    return Made(mapped.bundle(), mapped.notes, partial(_settle, fhir, mapped))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _settle(fhir: Fhir, mapped: Mapped, tx: Tx, bundle: dict[str, Any]) -> dict[str, Any]:
    """The Bundle as it stands beside what is stored: nothing for an earlier version, without what a later one lost."""
    new = next(one for one in mapped.resources if one["resourceType"] == "DocumentReference")
    old = _current(tx, mapped.home)
    extra = list(_ended(tx, new, mapped))
    if old is None:
        return {**bundle, "entry": [*bundle["entry"], *extra]}
    before, same = _version(old), old.get("masterIdentifier") == new.get("masterIdentifier")
    if mapped.version < before:
        return {}
    if mapped.version == before and not same:
        raise Unusable("conflict", "Another document of the same set has this version number.")
    _same_patient(fhir, tx, bundle, old)
    entries = [_replacing(entry, mapped.home, old, same=same) for entry in bundle["entry"]]
    kept = {f"{one['resourceType']}/{one['id']}" for one in mapped.resources}
    return {**bundle, "entry": [*entries, *map(_delete, _lost(tx, mapped.home, kept)), *extra]}


def _current(tx: Tx, home: str) -> dict[str, Any] | None:
    found = tx.current("DocumentReference", home)
    return None if found is None or found.deleted else json.decode_own(found.body)


def _version(document: dict[str, Any]) -> int:
    told = [one["value"] for one in document.get("identifier", ()) if one.get("system") == DOCUMENT_VERSION]
    return int(told[0]) if told and told[0].isdigit() else 0


def _replacing(entry: dict[str, Any], home: str, old: dict[str, Any], *, same: bool) -> dict[str, Any]:
    """The entry of the new version says which one it replaces."""
    resource = entry.get("resource") or {}
    number = old.get("masterIdentifier")
    if same or not number or resource.get("id") != home or resource["resourceType"] != "DocumentReference":
        return entry
    relations = [one for one in resource.get("relatesTo", ()) if one["target"].get("identifier") != number]
    relations.append({"code": "replaces", "target": {"type": "DocumentReference", "identifier": number}})
    return {**entry, "resource": {**resource, "relatesTo": relations}}


def _same_patient(fhir: Fhir, tx: Tx, bundle: dict[str, Any], old: dict[str, Any]) -> None:
    """Refuse a version that is about somebody else."""
    entry = next(one for one in bundle["entry"] if one["fullUrl"].startswith("urn:") and _is_patient(one))
    query = entry["request"].get("ifNoneExist")
    if query is None:
        return  # a patient without a number has an id that comes from the document
    asked = Request(method="GET", path=("Patient",), query=tuple(parse_qsl(query)), caller=_CALLER)
    found = json.decode_own(fhir.handle_in(tx, asked).body).get("entry") or ()
    ours = {f"Patient/{one['resource']['id']}" for one in found if one["resource"]["resourceType"] == "Patient"}
    if (old.get("subject") or {}).get("reference") not in ours:
        raise Unusable("conflict", "Another version of this document is about another patient.")


def _is_patient(entry: dict[str, Any]) -> bool:
    return (entry.get("resource") or {}).get("resourceType") == "Patient"


def _lost(tx: Tx, home: str, kept: set[str]) -> Iterator[str]:
    """What the stored version made of its entries, and this one does not."""
    found = tx.current("Provenance", provenance_id(home))
    if found is None or found.deleted:
        return
    for target in json.decode_own(found.body).get("target", ()):
        reference = target.get("reference", "")
        kind, _, id = reference.partition("/")
        if kind not in _KEPT and reference not in kept and is_coded_id(id, home, kind):
            yield reference


def _ended(tx: Tx, new: dict[str, Any], mapped: Mapped) -> Iterator[dict[str, Any]]:
    """The end of a document of no set that this one says it replaces: superseded, and what was made of it goes."""
    for relation in new.get("relatesTo", ()):
        number = relation["target"].get("identifier") or {}
        home = home_of(number) if relation["code"] == "replaces" and number.get("value") else mapped.home
        old = None if home == mapped.home else _current(tx, home)
        if old is None or old.get("subject") is None:
            continue
        yield {
            "resource": {**old, "status": "superseded"},
            "request": {"method": "PUT", "url": f"DocumentReference/{home}"},
        }
        task = read_task(tx, home)
        read = replaced(home, tasks.outputs_of(task), ()) if task else []
        yield from map(_delete, dict.fromkeys((*_lost(tx, home, set()), *read)))


def _delete(reference: str) -> dict[str, Any]:
    return {"request": {"method": "DELETE", "url": reference}}
