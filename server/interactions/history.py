"""history of a resource, a type or the whole system, in pages (https://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from fhir_profiles import json
from server.access.gate import judges, require, require_any
from server.access.grants import Right
from server.access.reach import condition
from server.search.reach import NOTHING
from server.search.sql import Sql, join
from server.search.stored import stored_types
from server.search.tree import about
from server.settings import Settings
from server.store import Version
from server.store.version import CREATE, DELETE, RESTORE, UPDATE

from .content import instant
from .exchange import Request, Response
from .past import Asked, read_asked
from .read import absent
from .seen import seen
from .view import View

COUNTED = 100_000
"""Versions that are counted for the total; of a longer history it is not told."""

ROUNDS = 50
"""How often a page of a history is filled up with further versions where some must not be seen."""

_METHODS = {CREATE: "POST", UPDATE: "PUT", RESTORE: "PUT", DELETE: "DELETE"}
_NOW = "SELECT {columns} FROM resource v WHERE {where}"
_PAST = "SELECT {columns} FROM history v WHERE {where}"
_THERE = "EXISTS (SELECT 1 FROM resource n WHERE n.rid = v.rid AND n.change <> 'D')"
_COLUMNS = "v.rid, v.type, v.id, v.version, v.updated, v.change, v.patient, v.body"


class Entries(msgspec.Struct, frozen=True):
    """One page of versions, whether there are more, how many in all when that is known, and the last looked at."""

    versions: list[Version]
    more: bool
    total: int | None
    last: Version | None


def history(settings: Settings, request: Request, view: View) -> Response:
    """A Bundle of versions, newest first: `Type/id/_history`, `Type/_history` or `_history`.

    Who may not see all sees the versions that are within reach themselves, of resources that still are: a version may
    have been about another patient than the newest one is. Such a history tells no total.
    """
    asked = read_asked(request.query, settings)
    place = _place(request, view)
    if request.caller.whole:
        entries = read_entries(view, (place,), asked)
    else:
        entries = _seen_entries(view, request, (place, _within_reach(view, request)), asked)
    return Response(status=200, body=_bundle(request, asked, entries))


def _within_reach(view: View, request: Request) -> Sql:
    """The versions of resources that the caller may see now."""
    instance = len(request.path) == 3
    right: Right = "r" if instance else "s"
    require_any(request.caller, right)
    if len(request.path) > 1:
        require(request.caller, request.path[0], right)
    kinds = (request.path[0],) if len(request.path) > 1 else stored_types(view)
    ways: list[Sql] = []
    for kind in kinds:
        of_type = condition(view, request.caller, kind, right, request.base_url)
        if of_type is None:
            ways.append(Sql("v.type = ?", (kind,)))
        elif of_type is not NOTHING:
            seen_now = f"(v.type = ? AND {about(of_type, 'v.rid')} AND {_THERE})"
            ways.append(Sql(seen_now, (kind, *of_type.params)))
    return join("OR", ways) if ways else NOTHING


def _seen_entries(view: View, request: Request, conditions: Sequence[Sql], asked: Asked) -> Entries:
    """A page of the versions that the caller may see, each looked at on its own; a page may hold fewer than asked."""
    right: Right = "r" if len(request.path) == 3 else "s"
    kept: list[Version] = []
    last: Version | None = None
    at, more = asked, bool(asked.count)
    for _ in range(ROUNDS):
        if not more or len(kept) >= asked.count:
            break
        versions, more = _versions(view, conditions, at)
        kept += [one for one in versions if judges(view, request.caller, one, right, request.base_url)]
        if versions:
            last = versions[-1]
            at = msgspec.structs.replace(at, after=(last.updated, last.rid))
    if len(kept) > asked.count:
        kept, more = kept[: asked.count], True
        last = kept[-1]
    return Entries(kept, more, None, last)


def _place(request: Request, view: View) -> Sql:
    """Whose versions these are."""
    match request.path[:-1]:
        case ():
            return Sql("")
        case (resource_type,):
            return Sql("v.type = ?", (resource_type,))
    current = seen(view, request)(request.path[0], request.path[1])
    if current is None:
        raise absent()
    return Sql("v.rid = ?", (current.rid,))


def read_entries(view: View, conditions: Sequence[Sql], asked: Asked) -> Entries:
    """The versions of a page. A version's key is its time and its resource: both never change, so pages join."""
    versions, more = _versions(view, conditions, asked) if asked.count else ([], False)
    if asked.after is not None:
        total = asked.total
    elif asked.count and not more:
        total = len(versions)
    else:
        total = _total(view, conditions, asked)
    return Entries(versions, more, total, versions[-1] if versions else None)


def _versions(view: View, conditions: Sequence[Sql], asked: Asked) -> tuple[list[Version], bool]:
    """The versions of a page, and whether there are more."""
    statement = _page([part for part in conditions if part.text], asked)
    versions = view.versions(view.query(statement.text, statement.params))
    return versions[: asked.count], len(versions) > asked.count


def _page(conditions: Sequence[Sql], asked: Asked) -> Sql:
    sign, direction = (">", "") if asked.ascending else ("<", " DESC")
    beyond = () if asked.after is None else (Sql(f"(v.updated, v.rid) {sign} (?, ?)", asked.after),)
    parts = _halves(_COLUMNS, [*conditions, *beyond], asked)
    order = f"ORDER BY updated{direction}, rid{direction} LIMIT {asked.count + 1:d}"
    texts = [f"SELECT * FROM ({part.text} {order.replace(' updated', ' v.updated')}) h" for part in parts]
    return Sql(f"{' UNION ALL '.join(texts)} {order}", tuple(value for part in parts for value in part.params))


def _total(view: View, conditions: Sequence[Sql], asked: Asked) -> int | None:
    conditions, found = [part for part in conditions if part.text], 0
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
    if entries.more and entries.last is not None:
        links.append(_link("next", url, (*asked.used, ("_cursor", asked.cursor(entries.last, entries.total)))))
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
