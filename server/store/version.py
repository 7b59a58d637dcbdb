"""One version of a resource as the store holds it, and what a write tells its listeners."""

from __future__ import annotations

from typing import Any

import msgspec

CREATE, UPDATE, DELETE = "C", "U", "D"


class Version(msgspec.Struct, frozen=True):
    """A stored version; `updated` in microseconds since 1970, `body` canonical JSON and empty when deleted."""

    rid: int
    type: str
    id: str
    version: int
    updated: int
    change: str
    patient: str | None
    body: bytes

    @property
    def deleted(self) -> bool:
        """Whether this version says that the resource is gone."""
        return self.change == DELETE

    @property
    def etag(self) -> str:
        """The weak ETag that FHIR builds from the version."""
        return f'W/"{self.version}"'


COLUMNS = "rid, type, id, version, updated, change, patient, body"


class Written(msgspec.Struct, frozen=True):
    """What an `on_write` hook gets: the new version and, unless deleted, the resource as a dict (not to be changed)."""

    version: Version
    resource: dict[str, Any] | None
    who: str


Rows = dict[str, list[tuple[Any, ...]]]
"""Index rows by table name, each without its leading row id and number."""
