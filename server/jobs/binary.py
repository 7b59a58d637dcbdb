"""The bytes of a stored Binary (https://hl7.org/fhir/R4/binary.html)."""

from __future__ import annotations

import base64

import orjson

from fhir_profiles.errors import Category, FhirError
from server.access.caller import SYSTEM, Caller
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir


def binary_data(fhir: Fhir, binary: str, caller: Caller = SYSTEM) -> bytes | None:
    """The bytes of a stored Binary; None when there is none that the caller may read."""
    try:
        body = fhir.handle_sync(Request(method="GET", path=("Binary", binary), caller=caller)).body
    except FhirError as error:
        if error.category in (Category.NOT_FOUND, Category.FORBIDDEN):
            return None
        raise
    return unpacked(body)


def unpacked(binary: bytes) -> bytes:
    """The bytes in a stored Binary."""
    return base64.b64decode(orjson.loads(binary).get("data") or "")
