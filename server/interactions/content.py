"""A resource on its way in: checked, encoded but for its version, with its index rows (https://hl7.org/fhir/R4/resource.html)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.validate import check
from server.search.rows import index_rows
from server.store.version import Rows, Version

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Content(msgspec.Struct, frozen=True):
    """What is stored of a resource: the JSON around its version and time, and its index rows."""

    type: str
    id: str
    head: bytes
    tail: bytes
    rows: Rows
    patient: str | None
    resource: dict[str, Any]

    def body(self, version: int, updated: int) -> bytes:
        """The stored bytes of a version."""
        return b'%b"versionId":"%d","lastUpdated":"%b"%b' % (self.head, version, instant(updated), self.tail)

    def is_stored(self, current: Version) -> bool:
        """Whether the current version says the same, whatever the order of its properties."""
        if current.deleted or len(current.body) != len(self.head) + len(self.tail) + _stamp_length(current.version):
            return False
        mine = self.body(current.version, current.updated)
        return mine == current.body or _plain(json.decode(mine)) == _plain(json.decode(current.body))


def instant(updated: int) -> bytes:
    """Microseconds since 1970 as a FHIR instant."""
    second, rest = divmod(updated, 1_000_000)
    return b"%b.%03dZ" % (_second(second), rest // 1000)


@lru_cache(maxsize=1024)
def _second(second: int) -> bytes:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def _stamp_length(version: int) -> int:
    return len(b'"versionId":"","lastUpdated":"2020-01-01T00:00:00.000Z"') + len(str(version))


def _plain(value: Any) -> Any:
    """The value with decimals as they are written, so that 1.50 differs from 1.5."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value


def parse(body: bytes, resource_type: str) -> dict[str, Any]:
    """The resource in a request's body; FhirError when it is not JSON or of another type."""
    if not body:
        raise FhirError.of(Category.INCORRECT, "structure", "The request has no body; send the resource as JSON.")
    resource = json.decode(body)
    expect_type(resource, resource_type)
    return resource


def expect_type(resource: dict[str, Any], resource_type: str) -> None:
    """Refuse a resource of another type than the URL says."""
    if resource.get("resourceType") != resource_type:
        text = f"The body must be a resource of type {resource_type}, as the URL says."
        raise FhirError.of(Category.INCORRECT, "structure", text, "resourceType")


def validate(resource: dict[str, Any], body: bytes | None = None) -> None:
    """Refuse a resource that is not valid R4, with every error."""
    problems = check(resource, body)
    if any(problem.severity in ("error", "fatal") for problem in problems):
        raise FhirError(Category.INCORRECT, *problems)


def content_of(resource: dict[str, Any], resource_id: str, base_url: str = "") -> Content:
    """The resource as it will be stored under `resource_id`; what it says of its own version and time is dropped."""
    rest = dict(resource)
    meta = dict(rest.pop("meta", None) or ())
    meta.pop("versionId", None)
    meta.pop("lastUpdated", None)
    name = rest.pop("resourceType")
    rest.pop("id", None)
    stored = {"resourceType": name, "id": resource_id, "meta": meta, **rest}
    rows, patient = index_rows(stored, base_url)
    head = b'{"resourceType":"%b","id":"%b","meta":{' % (name.encode(), resource_id.encode())
    more = json.encode(meta)[1:-1] if meta else b""
    tail = b"%b}%b%b" % (b"," + more if more else b"", b"," if rest else b"", json.encode(rest)[1:])
    return Content(name, resource_id, head, tail, rows, patient, stored)
