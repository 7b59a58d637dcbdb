"""The searchset Bundle, put together from stored bytes (https://hl7.org/fhir/R4/bundle.html#searchset)."""

from __future__ import annotations

from urllib.parse import quote

from fhir_profiles import json
from fhir_profiles.errors import operation_outcome

from .find import Page
from .includes import Found
from .query import Query


def searchset(query: Query, page: Page) -> bytes:
    """The Bundle of a page; its self link shows the parameters that were used, and no others."""
    links = [("self", _url(query, query.cursor))]
    if query.cursor is not None:
        links.append(("first", _url(query, None)))
    if page.previous is not None:
        links.append(("previous", _url(query, page.previous)))
    if page.cursor is not None:
        links.append(("next", _url(query, page.cursor)))
    head = {
        "resourceType": "Bundle",
        "type": "searchset",
        **({"total": page.total} if page.total is not None else {}),
        "link": [{"relation": relation, "url": url} for relation, url in links],
    }
    base = query.base_url.encode()
    entries = [_entry(base, found, b"match") for found in page.matches]
    entries += [_entry(base, found, b"include") for found in page.included]
    if problems := (*query.problems, *page.problems):
        outcome = json.encode(operation_outcome(problems))
        entries.append(b'{"resource":%b,"search":{"mode":"outcome"}}' % outcome)
    body = json.encode(head)
    return b'%b,"entry":[%b]}' % (body[:-1], b",".join(entries)) if entries else body


def _entry(base: bytes, found: Found, mode: bytes) -> bytes:
    full_url = b"%b/%b/%b" % (base, found.type.encode(), found.id.encode())
    return b'{"fullUrl":"%b","resource":%b,"search":{"mode":"%b"}}' % (full_url, found.body, mode)


def _url(query: Query, cursor: str | None) -> str:
    pairs = [f"{quote(name, safe=':.')}={quote(value, safe=':/,')}" for name, value in query.used]
    if cursor:
        pairs.append(f"_cursor={quote(cursor)}")
    base = f"{query.base_url}/{query.path}" if query.path else query.base_url
    return base + (f"?{'&'.join(pairs)}" if pairs else "")
