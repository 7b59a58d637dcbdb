"""Which format a client can send and take: JSON, by many names (https://hl7.org/fhir/R4/http.html#mime-type)."""

from __future__ import annotations

from functools import lru_cache

from server.http.errors import not_supported

FHIR_JSON = b"application/fhir+json; charset=utf-8"
PLAIN_JSON = b"application/json; charset=utf-8"

_FHIR_TYPES = frozenset({"application/fhir+json", "application/*", "*/*", "*", ""})
_JSON_TYPES = frozenset({"application/json", "text/json"})
_FORMATS = _FHIR_TYPES | _JSON_TYPES | {"json", "application/fhir json"}
_VERSIONS = frozenset({"4.0", "4.0.1"})

_ONLY_JSON = "This server answers in JSON only: use Accept: application/fhir+json, or _format=json."


@lru_cache(maxsize=512)
def answer_type(accept: bytes) -> bytes:
    """The media type of the answer for an Accept header; raises 406 when JSON is not acceptable."""
    plain = False
    for entry in accept.decode("latin-1").lower().split(","):
        name, parameters = _media(entry)
        if parameters.get("q") in ("0", "0.0", "0.00", "0.000") or not _version_fits(parameters):
            continue
        if name in _FHIR_TYPES:
            return FHIR_JSON
        plain = plain or name in _JSON_TYPES
    if plain:
        return PLAIN_JSON
    raise not_supported(406, _ONLY_JSON)


def ranges(accept: bytes) -> list[str]:
    """The media ranges of an Accept header that are acceptable, the best first, a named type before a wildcard."""
    found: list[tuple[float, bool, str]] = []
    for entry in accept.decode("latin-1").lower().split(","):
        name, parameters = _media(entry)
        quality = _quality(parameters.get("q", "1"))
        if quality and _version_fits(parameters):
            found.append((-quality, "*" in name or not name, name))
    return [name for *_, name in sorted(found, key=lambda one: one[:2])]


def names_json(name: str) -> bool:
    """Whether a media range names FHIR JSON, and not just anything."""
    return name == "application/fhir+json" or name in _JSON_TYPES


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


@lru_cache(maxsize=64)
def check_format(value: str) -> None:
    """Raise 406 when a `_format` parameter asks for anything but JSON."""
    name, parameters = _media(value.lower())
    if name not in _FORMATS or not _version_fits(parameters):
        raise not_supported(406, _ONLY_JSON)


@lru_cache(maxsize=512)
def is_json(content_type: bytes) -> bool:
    """Whether a request body of this Content-Type is FHIR JSON in UTF-8; no Content-Type is taken as JSON."""
    name, parameters = _media(content_type.decode("latin-1").lower())
    if parameters.get("charset", "utf-8") not in ("utf-8", "utf8", "us-ascii") or not _version_fits(parameters):
        return False
    return name == "application/fhir+json" or name in _JSON_TYPES or name == ""


@lru_cache(maxsize=64)
def is_json_patch(content_type: bytes) -> bool:
    """Whether a request body is a JSON Patch (RFC 6902)."""
    return _media(content_type.decode("latin-1").lower())[0] == "application/json-patch+json"


@lru_cache(maxsize=64)
def is_form(content_type: bytes) -> bool:
    """Whether a request body is a form, as POST `_search` sends it."""
    return _media(content_type.decode("latin-1").lower())[0] == "application/x-www-form-urlencoded"


@lru_cache(maxsize=64)
def takes_gzip(accept_encoding: bytes) -> bool:
    """Whether a client names gzip in Accept-Encoding, and not with a quality of 0."""
    return any(name in ("gzip", "x-gzip") for name in ranges(accept_encoding)) if accept_encoding else False


def _media(entry: str) -> tuple[str, dict[str, str]]:
    """A media range and its parameters."""
    name, *rest = entry.split(";")
    pairs = (part.partition("=") for part in rest)
    return name.strip(), {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _version_fits(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") in _VERSIONS
