"""Versions as a caller may see them: what may not be seen is as if it were not there."""

from __future__ import annotations

from collections.abc import Callable

from fhir_profiles.errors import Category, FhirError
from server.access.files import BINARY, pointed
from server.access.gate import judges, require, sees, withheld, within
from server.access.grants import Right
from server.audit.interaction import kept_back
from server.store import Tx, Version
from server.store.version import Rows

from .exchange import Request
from .view import View


def seen(view: View, request: Request) -> Callable[[str, str], Version | None]:
    """How the current version of a resource is found for who asks; 403 where no resource of the type may be read."""
    if request.caller.whole:
        return view.read
    require(request.caller, request.path[0], "r")

    def find(resource_type: str, resource_id: str) -> Version | None:
        asked = within(view, request.caller, resource_type, "r", request.base_url)
        if asked is None:
            return view.read(resource_type, resource_id)
        version = view.read(resource_type, resource_id, asked.text, asked.params)
        if version is None:
            _tell(view, request, resource_type, resource_id)
        return None if version is None or version.deleted else version

    return find


def _tell(view: View, request: Request, resource_type: str, resource_id: str) -> None:
    """Leave in the audit, and nowhere else, that a Consent kept something from who asked."""
    notes = request.caller.trace.notes
    there = None if notes is None else view.read(resource_type, resource_id)
    if notes is not None and there is not None and withheld(view, request.caller, there, "r", request.base_url):
        notes.append(kept_back(request, there))


def seen_version(view: View, request: Request) -> Callable[[Version, int], Version | None]:
    """The same for any version of a resource whose current one is seen."""
    if request.caller.whole:
        return view.read_version

    def find(current: Version, number: int) -> Version | None:
        version = view.read_version(current, number)
        if version is None or not judges(view, request.caller, version, "r", request.base_url):
            return None
        return version

    return find


def changeable(tx: Tx, request: Request, current: Version | None, right: Right) -> Version | None:
    """The version that a write finds: None where the caller may not change it so; 403 where it may change none."""
    if request.caller.whole:
        return current
    resource_type = current.type if current is not None else request.path[0]
    require(request.caller, resource_type, right)
    if current is None or judges(tx, request.caller, current, right, request.base_url):
        return current
    return None


def admit(tx: Tx, request: Request, version: Version, rows: Rows, right: Right) -> None:
    """403 for a version that the caller may not write; `rows` are its index rows."""
    if request.caller.whole:
        return
    require(request.caller, version.type, right)
    if not judges(tx, request.caller, version, right, request.base_url, rows):
        text = "What you were given does not let you write this resource: it is about somebody or something else."
        raise FhirError.of(Category.FORBIDDEN, "forbidden", text)
    for name in pointed(rows.get("idx_uri", ()), request.base_url) if version.type == "DocumentReference" else ():
        _admit_pointer(tx, request, name)


def _admit_pointer(tx: Tx, request: Request, binary: str) -> None:
    """403 for a pointer to a file that the writer has no right on: it would be read, and coded, for the writer."""
    there = tx.current(BINARY, binary)
    tx.flush()
    rights: tuple[Right, ...] = ("r", "c", "u")
    if there is None or not any(sees(tx, request.caller, there, right, request.base_url) for right in rights):
        text = "The document points to a Binary that you may not read. Send the file in Attachment.data, or store it."
        raise FhirError.of(Category.FORBIDDEN, "forbidden", text, "DocumentReference.content")
