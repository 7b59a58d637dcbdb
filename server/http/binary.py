"""A Binary as the file that it holds, in and out (https://hl7.org/fhir/R4/binary.html#rest)."""

from __future__ import annotations

import base64
import re
from functools import lru_cache

import msgspec
import orjson

from fhir_profiles.json import MAX_BYTES
from server.http.answer import Header, Manner
from server.http.errors import not_supported
from server.http.negotiate import is_form, is_json, ranges
from server.http.routes import INSTANCE, TYPE, VERSION, Shape, too_long
from server.interactions.exchange import Request, Response

LARGEST = MAX_BYTES * 3 // 4 - 4096
"""Bytes of a file that fit a resource of the largest size."""

LARGE = 256 * 1024
"""Files above this many bytes are coded and decoded in a thread."""

_MEDIA_TYPE = re.compile(r"^[\w.+-]{1,100}/[\w.+-]{1,100}( ?;[ \w.+=\"'-]{1,200})?$", re.ASCII)
_SHOWN = frozenset({"application/pdf", "image/gif", "image/jpeg", "image/png", "image/tiff", "text/plain"})
_RESOURCE = frozenset({"application/fhir+json", "application/json", "text/json", "application/fhir+xml"})
_SAFE: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), (b"vary", b"accept"))
_INLINE: tuple[Header, ...] = ((b"content-disposition", b"inline"), (b"content-security-policy", b"default-src 'none'"))
_APART: tuple[Header, ...] = (
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),  # which would keep a browser from showing a PDF
)


class _Stored(msgspec.Struct):
    """What a file needs of its resource."""

    contentType: str
    data: str = ""
    securityContext: dict[str, object] | None = None


def is_file_upload(shape: Shape, parts: tuple[str, ...], method: str, content_type: bytes) -> bool:
    """Whether the body of a request is the file of a Binary and not the resource."""
    places = (TYPE,) if method == "POST" else (INSTANCE,)
    if parts[:1] != ("Binary",) or shape not in places or is_json(content_type):
        return False
    if is_form(content_type) or content_type.startswith((b"multipart/", b"application/fhir+")):
        return False  # the defaults of clients that were not told what they send, and FHIR in another format
    return _MEDIA_TYPE.match(_spaced(content_type)) is not None


def read_upload(request: Request, security_context: bytes | None) -> Request:
    """The same request with the Binary as its body, which is not sent back unless the client asks for it."""
    if len(request.body) > LARGEST:
        raise too_long(LARGEST, "file")
    resource: dict[str, object] = {"resourceType": "Binary"}
    if request.method == "PUT":
        resource["id"] = request.path[1]
    resource["contentType"] = _spaced(request.content_type.encode("latin-1"))
    if security_context is not None:
        resource["securityContext"] = {"reference": security_context.decode("latin-1")}
    if request.body:
        resource["data"] = base64.b64encode(request.body).decode("ascii")
    prefer = request.prefer if request.preferred.returns else f"{request.prefer}, return=minimal"
    return msgspec.structs.replace(request, body=orjson.dumps(resource), content_type="", prefer=prefer)


def is_download(shape: Shape, parts: tuple[str, ...], method: str, manner: Manner) -> bool:
    """Whether a request may be answered with the file of a Binary."""
    return parts[:1] == ("Binary",) and shape in (INSTANCE, VERSION) and method == "GET" and not manner.forced


def answer_download(response: Response, accept: bytes, manner: Manner) -> Response:
    """The file, unless the client names FHIR; 406 when it takes neither. The headers keep a browser from running it."""
    if not response.body:
        return response
    stored = msgspec.json.decode(response.body, type=_Stored)
    own = stored.contentType if _MEDIA_TYPE.match(stored.contentType) else "application/octet-stream"
    name = own.partition(";")[0].strip().lower()
    if not _wants_file(accept, name):
        return response
    manner.as_it_is = True
    manner.content_type = own.encode("ascii")
    manner.headers = [*_SAFE, *(_INLINE if name in _SHOWN else _APART)]
    written = (stored.securityContext or {}).get("reference")
    if isinstance(written, str) and written.isascii() and written.isprintable():
        manner.headers.append((b"x-security-context", written.encode("ascii")))
    return msgspec.structs.replace(response, body=base64.b64decode(stored.data))


@lru_cache(maxsize=512)
def _wants_file(accept: bytes, own: str) -> bool:
    """Whether the file is what an Accept header likes best; a type that is named goes before a wildcard."""
    for name in ranges(accept):
        if name == own or name in ("*/*", "*", "", f"{own.partition('/')[0]}/*"):
            return True
        if name in _RESOURCE:
            return False
    raise not_supported(406, f"This Binary is {own}: accept that, or application/fhir+json for the resource.")


def _spaced(content_type: bytes) -> str:
    """The header as a FHIR code: one space where there was any."""
    return " ".join(content_type.decode("latin-1").split())
