"""The bytes of a stored Binary (https://hl7.org/fhir/R4/binary.html)."""

from __future__ import annotations

import base64

import orjson

from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir


def binary_data(fhir: Fhir, binary: str) -> bytes | None:
    """The bytes of a stored Binary; None when there is none."""
    try:
        body = fhir.handle_sync(Request(method="GET", path=("Binary", binary))).body
    except FhirError as error:
        if error.category is Category.NOT_FOUND:
            return None
        raise
    return base64.b64decode(orjson.loads(body).get("data") or "")
