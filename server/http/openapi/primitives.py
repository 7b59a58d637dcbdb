"""FHIR's primitives as JSON Schema (https://hl7.org/fhir/R4/datatypes.html#primitive)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_profiles.systems import EXAMPLE, LOINC, OID, XHTML

Schema = dict[str, Any]

_DAY = "(0[1-9]|1[0-9]|2[0-8])"
_DATE = f"[12][0-9]{{3}}(-(0[1-9]|1[0-2])(-{_DAY})?)?"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_MOMENT = f"[12][0-9]{{3}}-(0[1-9]|1[0-2])-{_DAY}T{_CLOCK}(Z|[+-]0[0-9]:[0-5]0)"
_LINE = "[^\\u0000-\\u001f\\u007f-\\u009f\\ufffe\\uffff]"
_HEX = "[0-9a-f]"
_MOST = 2**31 - 1
_XHTML = XHTML.replace(".", "\\.")


def _text(pattern: str, example: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$", "examples": [example]}


PRIMITIVES: Mapping[str, Schema] = {
    "base64Binary": _text("([A-Za-z0-9+/]{4})+", "aGVsbG8h"),
    "boolean": {"type": "boolean"},
    "canonical": _text("https?://[a-z0-9./-]{3,60}", f"{EXAMPLE}/definition"),
    "code": _text("[^\\s,$|\\\\\\u0000-\\u001f\\u007f-\\u00a0\\ufffe\\uffff]{1,40}", "final"),
    "date": _text(_DATE, "1980-02-28"),
    "dateTime": _text(f"({_DATE}|{_MOMENT})", "2024-05-01T10:20:30Z"),
    "decimal": {"type": "number", "examples": [72.5]},
    "id": _text("[A-Za-z0-9.-]{1,64}", "example-1"),
    "instant": _text(_MOMENT, "2024-05-01T10:20:30Z"),
    "integer": {"type": "integer", "minimum": -_MOST, "maximum": _MOST},
    "markdown": {**_text(f"{_LINE}+", "Some *text*"), "maxLength": 1_048_576},
    "oid": _text("urn:oid:[0-2](\\.(0|[1-9][0-9]{0,8})){1,8}", f"{OID}1.2.3"),
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": _MOST},
    "string": {**_text(f"{_LINE}*[^\\s\\u0000-\\u001f\\u007f-\\u00a0\\ufffe\\uffff]{_LINE}*", "some text")},
    "time": _text(_CLOCK, "10:20:30"),
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": _MOST},
    "uri": _text("https?://[a-z0-9./-]{3,60}", f"{EXAMPLE}/system"),
    "url": _text("https?://[a-z0-9./-]{3,60}", f"{EXAMPLE}/page"),
    "uuid": _text(
        f"urn:uuid:{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}", "urn:uuid:00000000-0000-4000-8000-000000000001"
    ),
    "xhtml": _text(f'<div xmlns="{_XHTML}">[A-Za-z0-9 ]{{0,80}}[A-Za-z0-9]</div>', f'<div xmlns="{XHTML}">Seen</div>'),
}

_COMPARED = "(eq|ne|gt|lt|ge|le|sa|eb|ap)?"
_NUMBER = "-?[0-9]{1,9}(\\.[0-9]{1,6})?"
SEARCHED: Mapping[str, Schema] = {
    "date": _text(f"{_COMPARED}({_DATE}|{_MOMENT})", "ge2024-01-01"),
    "number": _text(f"{_COMPARED}{_NUMBER}", "gt0.5"),
    "quantity": _text(f"{_COMPARED}{_NUMBER}(\\|[^|,$\\\\]{{0,40}}\\|[^|,$\\\\]{{0,20}})?", "le72.5||kg"),
    "reference": _text("([A-Z][A-Za-z]{3,30}/)?[A-Za-z0-9.-]{1,64}", "Patient/example-1"),
    "string": {"type": "string", "minLength": 1, "examples": ["Smith"]},
    "token": {"type": "string", "minLength": 1, "examples": [f"{LOINC}|8480-6"]},
    "uri": _text("[a-z]{1,10}:[a-z0-9./-]{1,60}", f"{EXAMPLE}/definition"),
    "composite": _text("[^$,]{1,40}\\$[^$,]{1,40}", "8480-6$gt140"),
    "special": {"type": "string", "minLength": 1},
}
"""The value of a search parameter in its simple form: one value, perhaps with a prefix."""
