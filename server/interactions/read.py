"""read and vread: the stored bytes of the current or of one version (https://hl7.org/fhir/R4/http.html#read)."""

from __future__ import annotations

from collections.abc import Callable

from fhir_profiles.errors import Category, FhirError, Problem
from server.store import Version

from .action import last_modified
from .exchange import Request, Response
from .preconditions import is_unchanged

Find = Callable[[str, str], Version | None]
FindVersion = Callable[[Version, int], Version | None]


def absent() -> FhirError:
    """The error for a resource that never was here."""
    return FhirError.of(Category.NOT_FOUND, "not-found", "There is no resource of this type with this id.")


class Gone(FhirError):
    """The resource was deleted; the version that says so comes as its ETag."""

    def __init__(self, version: Version) -> None:
        text = "The resource was deleted; its history tells the versions before."
        super().__init__(Category.NOT_FOUND, Problem("error", "deleted", text))
        self.headers = ((b"etag", version.etag.encode()), (b"last-modified", last_modified(version).encode()))


def read(find: Find, request: Request) -> Response:
    """The current version."""
    version = find(request.path[0], request.path[1])
    if version is None:
        raise absent()
    return _found(request, version)


def vread(find: Find, find_version: FindVersion, request: Request) -> Response:
    """The version that the path names."""
    current = find(request.path[0], request.path[1])
    if current is None:
        raise absent()
    number = request.path[3]
    version = find_version(current, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    if version is None:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "The resource has no version of this number.")
    return _found(request, version)


def _refuse_unknown(request: Request) -> None:
    """With `handling=strict`, 400 for a parameter that a read does not have."""
    for name, value in request.query:
        if value and name not in ("_summary", "_elements"):
            text = f"A read has no parameter {name}; it takes _summary and _elements."
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)


def _found(request: Request, version: Version) -> Response:
    if request.query and request.preferred.handling == "strict":
        _refuse_unknown(request)
    if version.deleted:
        raise Gone(version)
    if (request.if_none_match or request.if_modified_since) and is_unchanged(request, version):
        return Response(status=304, etag=version.etag, last_modified=last_modified(version))
    return Response(status=200, body=version.body, etag=version.etag, last_modified=last_modified(version))
