"""history of a resource, a type or the whole system, in pages (https://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from fhir_profiles import json
from server.search.sql import Sql
from server.settings import Settings
from server.store import Version
from server.store.version import CREATE, DELETE, RESTORE, UPDATE

from .content import instant
from .exchange import Request, Response
from .past import Asked, read_asked
from .read import absent
from .view import View

COUNTED = 100_000
"""Versions that are counted for the total; of a longer history it is not told."""

_METHODS = {CREATE: "POST", UPDATE: "PUT", RESTORE: "PUT", DELETE: "DELETE"}
_NOW = "SELECT {columns} FROM resource v WHERE {where}"
_PAST = "SELECT {columns} FROM history v WHERE {where}"
_COLUMNS = "v.rid, v.type, v.id, v.version, v.updated, v.change, v.patient, v.body"


class Entries(msgspec.Struct, frozen=True):
    """One page of versions, whether there are more, and how many there are in all when that is known."""

    versions: list[Version]
    more: bool
    total: int | None


def history(settings: Settings, request: Request, view: View, reach: Sequence[Sql] = ()) -> Response:
    """A Bundle of versions, newest first: `Type/id/_history`, `Type/_history` or `_history`.

    `reach` limits what may be seen before anything is counted or cut: conditions on `{rid}` and, as a version may
    have been about another patient than the newest one is, on `{patient}`.
    """
    asked = read_asked(request.query, settings)
    place = _place(request, view)
    entries = read_entries(view, (place, *reach), asked)
    return Response(status=200, body=_bundle(request, asked, entries))


def _place(request: Request, view: View) -> Sql:
    """Whose versions these are."""
    match request.path[:-1]:
        case ():
            return Sql("")
        case (resource_type,):
            return Sql("v.type = ?", (resource_type,))
    current = view.read(request.path[0], request.path[1])
    if current is None:
        raise absent()
    return Sql("v.rid = ?", (current.rid,))


def read_entries(view: View, conditions: Sequence[Sql], asked: Asked) -> Entries:
    """The versions of a page. A version's key is its time and its resource: both never change, so pages join."""
    conditions = [
        Sql(part.text.replace("{rid}", "v.rid").replace("{patient}", "v.patient"), part.params)
        for part in conditions
        if part.text
    ]
    versions: list[Version] = []
    if asked.count:
        statement = _page(conditions, asked)
        versions = [Version(*row) for row in view.query(statement.text, statement.params)]
    more = len(versions) > asked.count > 0
    if asked.after is not None:
        total = asked.total
    elif asked.count and not more:
        total = len(versions)
    else:
        total = _total(view, conditions, asked)
    return Entries(versions[: asked.count], more, total)


def _page(conditions: Sequence[Sql], asked: Asked) -> Sql:
    sign, direction = (">", "") if asked.ascending else ("<", " DESC")
    beyond = () if asked.after is None else (Sql(f"(v.updated, v.rid) {sign} (?, ?)", asked.after),)
    parts = _halves(_COLUMNS, [*conditions, *beyond], asked)
    order = f"ORDER BY updated{direction}, rid{direction} LIMIT {asked.count + 1:d}"
    texts = [f"SELECT * FROM ({part.text} {order.replace(' updated', ' v.updated')}) h" for part in parts]
    return Sql(f"{' UNION ALL '.join(texts)} {order}", tuple(value for part in parts for value in part.params))


def _total(view: View, conditions: Sequence[Sql], asked: Asked) -> int | None:
    found = 0
    for part in _halves("1", conditions, asked):
        limited = f"SELECT count(*) FROM ({part.text} LIMIT {COUNTED + 1 - found:d}) n"
        found += view.query(limited, part.params)[0][0]
        if found > COUNTED:
            return None
    return found


def _halves(columns: str, conditions: Sequence[Sql], asked: Asked) -> list[Sql]:
    """The newest versions, and those before them, under the same conditions."""
    halves = []
    for text, dated in ((_NOW, asked.now), (_PAST, asked.past)):
        parts = [*conditions, *dated]
        where = " AND ".join(part.text for part in parts) or "1 = 1"
        params = tuple(value for part in parts for value in part.params)
        halves.append(Sql(text.format(columns=columns, where=where), params))
    return halves


def _bundle(request: Request, asked: Asked, entries: Entries) -> bytes:
    url = "/".join((request.base_url, *request.path))
    links = [_link("self", url, asked.used)]
    if entries.more:
        links.append(_link("next", url, (*asked.used, ("_cursor", asked.cursor(entries.versions[-1], entries.total)))))
    head = {"resourceType": "Bundle", "type": "history"}
    told = {} if entries.total is None else {"total": entries.total}
    rest = b",".join(_entry(request.base_url, version) for version in entries.versions)
    body = json.encode({**head, **told, "link": links})[:-1]
    return body + (b',"entry":[%b]}' % rest if rest else b"}")


def _link(relation: str, url: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    query = "&".join(f"{quote(name, safe=':')}={quote(value, safe=':/,')}" for name, value in pairs)
    return {"relation": relation, "url": f"{url}?{query}" if query else url}


def _entry(base_url: str, version: Version) -> bytes:
    url = f"{version.type}/{version.id}"
    status = "204" if version.deleted else "200" if version.change == UPDATE and version.version > 1 else "201"
    rest = {
        "request": {"method": _METHODS[version.change], "url": version.type if version.change == CREATE else url},
        "response": {"status": status, "etag": version.etag, "lastModified": instant(version.updated).decode()},
    }
    resource = b'"resource":%b,' % version.body if version.body else b""
    return b'{"fullUrl":%b,%b%b' % (json.encode(f"{base_url}/{url}"), resource, json.encode(rest)[1:])
