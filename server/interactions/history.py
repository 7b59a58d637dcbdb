"""history of one resource: its versions, newest first, in pages (https://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.settings import Settings
from server.store import Version
from server.store.version import CREATE, DELETE, UPDATE

from .content import instant
from .exchange import Request, Response
from .read import absent
from .view import View

_OLDER = (
    "SELECT version, updated, change, body FROM history WHERE rid = ? AND version < ? ORDER BY version DESC LIMIT ?"
)
MOST = 2**31 - 1  # versions and pages beyond this there are not
_METHODS = {CREATE: "POST", UPDATE: "PUT", DELETE: "DELETE"}


def history(settings: Settings, request: Request, view: View) -> Response:
    """A Bundle of versions; `_count` sets the page size and `_before` (in the next link) where it starts."""
    current = view.read(request.path[0], request.path[1])
    if current is None:
        raise absent()
    given = dict(request.query)
    count = min(_number(given, "_count", settings.default_count), settings.max_count)
    before = _number(given, "_before", current.version + 1)
    versions = [current] if current.version < before else []
    for number, updated, change, body in view.query(_OLDER, (current.rid, before, count + 1 - len(versions))):
        versions.append(Version(current.rid, current.type, current.id, number, updated, change, None, body))
    url = f"{request.base_url}/{current.type}/{current.id}"
    links = [("self", f"{url}/_history?_count={count}")]
    if len(versions) > count:
        versions = versions[:count]
        links.append(("next", f"{url}/_history?_count={count}&_before={versions[-1].version if versions else before}"))
    head = {
        "resourceType": "Bundle",
        "type": "history",
        "total": current.version,
        "link": [{"relation": relation, "url": link} for relation, link in links],
    }
    entries = b",".join(_entry(url, version) for version in versions)
    body = json.encode(head)[:-1] + (b',"entry":[%b]}' % entries if entries else b"}")
    return Response(status=200, body=body)


def _entry(url: str, version: Version) -> bytes:
    method = _METHODS[version.change]
    asked = version.type if version.change == CREATE else f"{version.type}/{version.id}"
    status = "204" if version.deleted else "201" if version.version == 1 else "200"
    rest = {
        "request": {"method": method, "url": asked},
        "response": {"status": status, "etag": version.etag, "lastModified": instant(version.updated).decode()},
    }
    resource = b'"resource":%b,' % version.body if version.body else b""
    return b'{"fullUrl":%b,%b%b' % (json.encode(url), resource, json.encode(rest)[1:])


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 100):
        raise FhirError.of(Category.INCORRECT, "value", f"{name} must be a whole number that is not negative.")
    return min(int(text), MOST)
