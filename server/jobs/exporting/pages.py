"""Pages of a search or a history as stored bytes: the same interactions that a client calls, with its own rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import msgspec

from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

Pairs = tuple[tuple[str, str], ...]
_HEAD = re.compile(rb'\{"resourceType":"(\w+)","id":"([A-Za-z0-9\-.]{1,64})"')
_UPDATED = re.compile(rb'"lastUpdated":"([0-9T:.\-]+Z)"')


class _Link(msgspec.Struct):
    relation: str
    url: str


class _Asked(msgspec.Struct):
    method: str = ""
    url: str = ""


class _Told(msgspec.Struct, rename="camel"):
    last_modified: str = ""
    etag: str = ""


class _Entry(msgspec.Struct, rename="camel"):
    full_url: str = ""
    resource: msgspec.Raw = msgspec.Raw(b"")
    request: _Asked | None = None
    response: _Told | None = None


class _Bundle(msgspec.Struct):
    link: list[_Link] = []
    entry: list[_Entry] = []
    total: int | None = None


class Page(msgspec.Struct, frozen=True):
    """Resources as they are stored, and where the next page begins."""

    resources: list[bytes]
    cursor: str | None


class Change(msgspec.Struct, frozen=True):
    """One version of a history."""

    type: str
    id: str
    version: int
    updated: str
    deleted: bool


class Pages:
    """Reads on behalf of whoever asked for the export."""

    def __init__(self, fhir: Fhir, asked: Request) -> None:
        self._fhir = fhir
        self._asked = asked

    def search(self, resource_type: str, pairs: Pairs, cursor: str | None, count: int | None = None) -> Page:
        """The page of a search in the order of ids, which no write changes."""
        most = str(count or self._fhir.settings.max_count)
        query = (*pairs, ("_sort", "_id"), ("_count", most), *((("_cursor", cursor),) if cursor else ()))
        bundle = self._get((resource_type,), query)
        return Page([bytes(entry.resource) for entry in bundle.entry], _cursor(bundle))

    def count(self, resource_type: str, pairs: Pairs) -> int:
        """How many resources a search finds now."""
        return self._get((resource_type,), (*pairs, ("_summary", "count"))).total or 0

    def check(self, resource_type: str, pairs: Pairs) -> None:
        """FhirError when a search would not be understood."""
        self._get((resource_type,), (*pairs, ("_count", "1")))

    def changes(self, path: tuple[str, ...], since: str) -> Iterator[Change]:
        """Versions at or after `since`, newest first, of a type or of everything."""
        query: Pairs = (("_since", since), ("_count", str(self._fhir.settings.max_count)))
        cursor: str | None = None
        while True:
            bundle = self._get((*path, "_history"), (*query, *((("_cursor", cursor),) if cursor else ())))
            for entry in bundle.entry:
                kind, name = entry.full_url.rsplit("/", 2)[-2:]
                told = entry.response or _Told()
                number = int(told.etag.strip('W/"'))
                deleted = entry.request is not None and entry.request.method == "DELETE"
                yield Change(kind, name, number, told.last_modified, deleted)
            cursor = _cursor(bundle)
            if cursor is None:
                return

    def version(self, kind: str, name: str, number: int) -> bytes:
        """One version as it is stored; FhirError when it says that the resource is gone."""
        return self._fhir.handle_sync(self._request((kind, name, "_history", str(number)), ())).body

    def _get(self, path: tuple[str, ...], query: Pairs) -> _Bundle:
        return msgspec.json.decode(self._fhir.handle_sync(self._request(path, query)).body, type=_Bundle)

    def _request(self, path: tuple[str, ...], query: Pairs) -> Request:
        asked = self._asked
        return Request(
            method="GET", path=path, query=query, base_url=asked.base_url, caller=asked.caller, prefer="handling=strict"
        )


def _cursor(bundle: _Bundle) -> str | None:
    url = next((link.url for link in bundle.link if link.relation == "next"), None)
    return dict(parse_qsl(urlsplit(url).query)).get("_cursor") if url else None


def id_of(line: bytes) -> str:
    """The id of a stored resource."""
    found = _HEAD.match(line)
    return found[2].decode() if found else ""


def updated_of(line: bytes) -> str:
    """When a stored version was written, as text that sorts by time."""
    found = _UPDATED.search(line)
    return found[1].decode() if found else ""
