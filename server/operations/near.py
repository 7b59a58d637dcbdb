"""The resources of this server that a claim rests on: each read once, as any client would read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

MOST_REFERENCES = 200
"""Resources of this server that one claim may rest on."""
_LOCAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
Read = tuple[bytes | None, str | None]
"""The body of a resource and the ETag of its version; None where this server has none."""


class Near:
    """Reads what a claim refers to, on behalf of who sent it."""

    def __init__(self, fhir: Fhir, request: Request, most: int = MOST_REFERENCES) -> None:
        self._fhir, self._request, self._most = fhir, request, most
        self._found: dict[str, Read] = {}
        self._asked: dict[str, str | None] | None = None

    def __call__(self, reference: str) -> bytes | None:
        """The body of a resource, None where this server has none of the name."""
        path = self.path(reference)
        if path is None:
            return None
        name = "/".join(path)
        if name not in self._found:
            if len(self._found) >= self._most:
                text = f"A claim may refer to {self._most} resources of this server."
                raise FhirError.of(Category.INCORRECT, "too-costly", text, "Claim")
            self._found[name] = self._read(path)
        body, version = self._found[name]
        if self._asked is not None:
            self._asked[name] = version
        return body

    def path(self, reference: str) -> tuple[str, str] | None:
        """Type and id, where the reference is one to this server."""
        local = reference.removeprefix(f"{self._request.base_url}/")
        if not _LOCAL.fullmatch(local):
            return None
        name, _, id = local.partition("/")
        return name, id

    def has(self, reference: str) -> bool:
        """Whether a resource was asked for before, and found."""
        path = self.path(reference)
        return path is not None and self._found.get("/".join(path), (None, None))[0] is not None

    def version(self, reference: str) -> str | None:
        """The ETag of a resource, None where this server has none of the name."""
        self(reference)
        return self._found[reference][1]

    @contextmanager
    def noting(self) -> Iterator[dict[str, str | None]]:
        """What is asked for meanwhile: `Type/id` → ETag."""
        self._asked = {}
        try:
            yield self._asked
        finally:
            self._asked = None

    def told(self) -> list[tuple[str, str | None]]:
        """What was read, and in which version."""
        return sorted((name, version) for name, (_, version) in self._found.items())

    def _read(self, path: tuple[str, str]) -> Read:
        one = msgspec.structs.replace(self._request, method="GET", path=path, query=(), body=b"", prefer="")
        try:
            found = self._fhir.handle_sync(one)
        except FhirError as error:
            if error.category in (Category.NOT_FOUND, Category.FORBIDDEN):  # hidden is absent
                return None, None
            raise
        return found.body, found.etag
