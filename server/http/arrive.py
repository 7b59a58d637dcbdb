"""From the wire to a Request: the query, the headers, and the body as FHIR JSON whatever form it came in.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from fhir_profiles.capability import PATCH_FORMATS
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.xml import to_json
from server.access.caller import Caller
from server.http.answer import Manner
from server.http.body import read_body, read_pairs, unpack
from server.http.errors import not_supported
from server.http.negotiate import format_type, is_form, is_json, is_json_patch, is_xml
from server.http.routes import PREFIX, too_long
from server.interactions.exchange import FHIR_JSON, Request
from server.observability import Receive, Scope
from server.settings import Settings

Pairs = tuple[tuple[str, str], ...]

_HOST = re.compile(r"^[A-Za-z0-9._~:\-\[\]]{1,255}$")
_ACCEPT_PATCH = ", ".join(PATCH_FORMATS).encode()


def split_path(path: str) -> tuple[str, ...]:
    """The parts of a path below the FHIR base; one slash at the end is forgiven."""
    below = path[len(PREFIX) + 1 :].removesuffix("/")
    return tuple(below.split("/")) if below else ()


def read_query(scope: Scope, manner: Manner, limit: int) -> Pairs:
    """The query without what concerns the form of the answer, which goes to `manner`."""
    raw: bytes = scope["query_string"]
    if len(raw) + len(scope["path"]) > limit:
        raise too_long(limit, "URL", 414)
    if not raw:
        return ()
    pairs = read_pairs(raw)
    return take_form(pairs, manner) if b"_format" in raw or b"_pretty" in raw else pairs


def take_form(pairs: Pairs, manner: Manner) -> Pairs:
    """The pairs without `_format` and `_pretty`, which are kept in `manner`."""
    for name, value in pairs:
        if name == "_pretty":
            manner.pretty = value == "true"
        elif name == "_format" and value:
            wanted = format_type(value)
            if wanted is None:
                manner.other = value.lower()
            else:
                manner.content_type, manner.forced = wanted, True
    return tuple(pair for pair in pairs if pair[0] not in ("_format", "_pretty"))


async def receive_body(receive: Receive, fields: dict[bytes, bytes], settings: Settings) -> bytes:
    """The whole body, unpacked, within the limit of the settings."""
    limit = settings.max_body_bytes
    body = await read_body(receive, limit, fields.get(b"content-length"))
    encoding = fields.get(b"content-encoding", b"identity").strip().lower()
    return body if encoding in (b"identity", b"") else unpack(body, encoding, limit)


def check_form(content_type: bytes, body: bytes) -> None:
    """415 when a search by POST is not a form."""
    if not is_form(content_type) and (body or content_type):
        raise not_supported(415, "Send _search as Content-Type: application/x-www-form-urlencoded.")


def check_content(content_type: bytes, method: str) -> None:
    """415 when a body is in no form that its route reads."""
    if is_json(content_type) or is_xml(content_type):
        return
    if method != "PATCH":
        text = "Send JSON or XML in UTF-8 as Content-Type: application/fhir+json or application/fhir+xml."
        raise not_supported(415, text)
    if not is_json_patch(content_type):
        text = "Send a patch as application/json-patch+json, or Parameters as application/fhir+json."
        raise not_supported(415, text, ((b"accept-patch", _ACCEPT_PATCH),))


def as_json(request: Request) -> Request:
    """The same request with its XML body as JSON."""
    body = to_json(request.body) if request.body else b""
    return msgspec.structs.replace(request, body=body, content_type=FHIR_JSON)


def request_of(
    method: str,
    parts: tuple[str, ...],
    query: Pairs,
    body: bytes,
    fields: dict[bytes, bytes],
    base_url: str,
    caller: Caller,
) -> Request:
    """The request with what its headers say."""
    return Request(
        method=method,
        path=parts,
        query=query,
        body=body,
        content_type=_text(fields.get(b"content-type")) or FHIR_JSON,
        base_url=base_url,
        if_match=_text(fields.get(b"if-match")),
        if_none_match=_text(fields.get(b"if-none-match")),
        if_none_exist=_text(fields.get(b"if-none-exist")),
        if_modified_since=_text(fields.get(b"if-modified-since")),
        prefer=_text(fields.get(b"prefer")) or "",
        language=_text(fields.get(b"accept-language")) or "",
        caller=caller,
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


@lru_cache(maxsize=128)
def base_url(scheme: str, host: bytes) -> str:
    """The FHIR base as this client addressed it."""
    name = host.decode("latin-1")
    if not _HOST.match(name):
        raise FhirError.of(Category.INCORRECT, "structure", "The Host header is not a host name.")
    return f"{scheme}://{name}{PREFIX}"
