"""The definitions that ship, stored like any resource so that they are read and found, and kept as they ship.

https://hl7.org/fhir/R4/conformance-module.html
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fhir_profiles import json
from fhir_profiles.conform import own_resources
from fhir_profiles.errors import Category, FhirError
from server.store import Tx, Version, Written

from . import update

if TYPE_CHECKING:
    from .fhir import Fhir

WHO = "fhirwright"
"""Who publishes, for the audit."""


def publish(fhir: Fhir) -> int:
    """Store what ships where it is missing or of another version; returns how many were written."""
    return fhir.store.write_sync(lambda tx: _publish(fhir, tx))


def _publish(fhir: Fhir, tx: Tx) -> int:
    tx.prefetch(_own())
    outdated = [r for key, r in _own().items() if not _holds(tx.current(*key), r)]
    for resource in outdated:
        update.put(fhir, tx, resource, WHO)
    return len(outdated)


def keep(_tx: Tx, written: Written) -> None:
    """Refuse a write that would change what ships; others decide about the rest."""
    version = written.version
    own = _own().get((version.type, version.id))
    if own is not None and (written.resource is None or _plain(written.resource) != own):
        text = "This definition ships with the server and cannot be changed. Store yours under another id."
        raise FhirError.of(Category.FORBIDDEN, "forbidden", text)


@cache
def _own() -> dict[tuple[str, str], dict[str, Any]]:
    return {(r["resourceType"], r["id"]): r for r in own_resources()}


def _holds(current: Version | None, resource: dict[str, Any]) -> bool:
    return current is not None and not current.deleted and _plain(json.decode(current.body)) == resource


def _plain(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what the server adds to it."""
    return {key: value for key, value in resource.items() if key != "meta"}
