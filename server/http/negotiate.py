"""Which format a client can send and take: JSON and XML, by many names (https://hl7.org/fhir/R4/http.html#mime-type)."""

from __future__ import annotations

from functools import lru_cache

from server.http.errors import HttpError, not_supported

FHIR_JSON = b"application/fhir+json; charset=utf-8"
PLAIN_JSON = b"application/json; charset=utf-8"
FHIR_XML = b"application/fhir+xml; charset=utf-8"
PLAIN_XML = b"application/xml; charset=utf-8"
HTML = b"text/html; charset=utf-8"
XML_TYPES = frozenset({FHIR_XML, PLAIN_XML})

JSON_NAMES = frozenset({"application/fhir+json", "application/json", "application/json+fhir", "text/json"})
XML_NAMES = frozenset({"application/fhir+xml", "application/xml", "application/xml+fhir", "text/xml"})
_HTML_NAMES = frozenset({"text/html", "application/xhtml+xml"})
_ANY = frozenset({"application/*", "*/*", "*", ""})
_FORMATS = {
    **dict.fromkeys({*JSON_NAMES, *_ANY, "json", "application/fhir json"}, FHIR_JSON),
    **dict.fromkeys({*XML_NAMES, "xml", "application/fhir xml"}, FHIR_XML),
    **dict.fromkeys({"html", "text/html"}, HTML),
}
_PATCHES = frozenset({"application/json-patch+json", "application/merge-patch+json"})
_VERSIONS = frozenset({"4.0", "4.0.1"})


@lru_cache(maxsize=512)
def answer_type(accept: bytes, page: bool = False) -> bytes | None:
    """The media type of the answer for an Accept header; None when it takes neither JSON nor XML of R4.

    A browser names HTML and, because it can show it, XML: it gets the page where there is one, and JSON elsewhere.
    """
    names = ranges(accept)
    for name in names:
        if name in _HTML_NAMES and page:
            return HTML
        if name in _ANY or (name in _HTML_NAMES and not _ANY.isdisjoint(names)):
            return FHIR_JSON
        if name in JSON_NAMES:
            return FHIR_JSON if "application/fhir+json" in names or not _ANY.isdisjoint(names) else PLAIN_JSON
        if name in XML_NAMES:
            return FHIR_XML if "application/fhir+xml" in names else PLAIN_XML
    return None


@lru_cache(maxsize=64)
def format_type(value: str) -> bytes | None:
    """The media type that a `_format` parameter asks for; None when there is none of that name."""
    name, parameters = _media(value.lower())
    return _FORMATS.get(name) if _version_fits(parameters) else None


def not_acceptable() -> HttpError:
    """406: the client takes neither of the formats."""
    text = "This server answers in JSON and XML of FHIR R4: use Accept: application/fhir+json or application/fhir+xml."
    return not_supported(406, text)


def takes(accept: bytes, media_type: str) -> bool:
    """Whether an Accept header names a media type, or all of its kind."""
    return not {media_type, f"{media_type.partition('/')[0]}/*"}.isdisjoint(ranges(accept))


@lru_cache(maxsize=512)
def ranges(accept: bytes) -> tuple[str, ...]:
    """The media ranges of an Accept header that are acceptable, the best first, a named type before a wildcard."""
    found: list[tuple[float, bool, str]] = []
    for entry in accept.decode("latin-1").lower().split(","):
        name, parameters = _media(entry)
        quality = _quality(parameters.get("q", "1"))
        if quality and _version_fits(parameters):
            found.append((-quality, "*" in name or not name, name))
    return tuple(name for *_, name in sorted(found, key=lambda one: one[:2]))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


@lru_cache(maxsize=512)
def is_json(content_type: bytes) -> bool:
    """Whether a request body of this Content-Type is FHIR JSON in UTF-8; no Content-Type is taken as JSON."""
    return _is_one_of(content_type, JSON_NAMES | {""})


@lru_cache(maxsize=512)
def is_xml(content_type: bytes) -> bool:
    """Whether a request body of this Content-Type is FHIR XML in UTF-8."""
    return _is_one_of(content_type, XML_NAMES)


def _is_one_of(content_type: bytes, names: frozenset[str]) -> bool:
    name, parameters = _media(content_type.decode("latin-1").lower())
    in_utf8 = parameters.get("charset", "utf-8") in ("utf-8", "utf8", "us-ascii")
    return name in names and in_utf8 and _version_fits(parameters)


@lru_cache(maxsize=64)
def is_json_patch(content_type: bytes) -> bool:
    """Whether a request body is a JSON Patch (RFC 6902) or a merge patch (RFC 7396)."""
    return _media(content_type.decode("latin-1").lower())[0] in _PATCHES


@lru_cache(maxsize=64)
def is_form(content_type: bytes) -> bool:
    """Whether a request body is a form, as POST `_search` sends it."""
    return _media(content_type.decode("latin-1").lower())[0] == "application/x-www-form-urlencoded"


@lru_cache(maxsize=64)
def encoding_for(accept_encoding: bytes) -> bytes:
    """How to compress for a client: gzip or deflate when it names them, and not with a quality of 0."""
    for name in ranges(accept_encoding) if accept_encoding else ():
        if name in ("gzip", "x-gzip"):
            return b"gzip"
        if name == "deflate":
            return b"deflate"
    return b""


def _media(entry: str) -> tuple[str, dict[str, str]]:
    """A media range and its parameters."""
    name, *rest = entry.split(";")
    pairs = (part.partition("=") for part in rest)
    return name.strip(), {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _version_fits(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") in _VERSIONS
