"""One version of a resource as the store holds it, and what a write tells its listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from server.access.caller import Caller

CREATE, UPDATE, DELETE, RESTORE = "C", "U", "D", "R"
"""How a version came: a restore is an update of what was deleted."""


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


Query = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Runs a SELECT: of the store or of a transaction."""

COLUMNS = "rid, type, id, version, updated, change, patient, body"


_VREAD = "SELECT rid, type, id, version, updated, change, patient, body FROM history WHERE rid = ? AND version = ?"


def read_version(
    query: Query, current: Version, version: int, opened: Callable[[Sequence[Any]], Version]
) -> Version | None:
    """A version of a resource, given its newest; None when there never was one of this number."""
    if version == current.version:
        return current
    rows = query(_VREAD, (current.rid, version))
    return opened(rows[0]) if rows else None


class Written(msgspec.Struct, frozen=True):
    """What an `on_write` hook gets: the new version and, unless deleted, the resource as a dict (not to be changed)."""

    version: Version
    resource: dict[str, Any] | None
    who: str
    caller: Caller | None = None
    """Who wrote it, and what that one may do."""


Rows = dict[str, list[tuple[Any, ...]]]
"""Index rows by table name, each without its leading row id and number."""
