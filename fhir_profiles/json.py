"""FHIR JSON in and out without losing a digit (https://hl7.org/fhir/R4/json.html).

Decimals are `Decimal`, so 72.50 stays 72.50 and 1E+2 keeps its exponent; integers of any size stay integers.
A property named twice in one object is refused: what was checked would not be what another reader sees.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError

MAX_DEPTH = 100
MAX_BYTES = 64 * 1024 * 1024

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_one_bracket = bytes.maketrans(b"[]", b"{}")
_all_but_brackets = bytes(set(range(256)) - set(b'[]{}"'))
_escape = re.compile(rb"\\.", re.DOTALL)
_string = re.compile(rb'"[^"]*"?')


def decode(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The JSON object in `body`, which must be UTF-8; FhirError(INCORRECT) says what is wrong and at which byte."""
    if len(body) > max_bytes:
        raise _error("too-long", f"The body has {len(body)} bytes; the limit is {max_bytes}. Send less at once.")
    if body.count(b"{") + body.count(b"[") > max_depth and _deeper_than(body, max_depth):
        raise _error("structure", f"The JSON is nested more than {max_depth} levels deep. Flatten it.")
    try:
        value = _decoder.decode(body)
    except UnicodeDecodeError as e:
        raise _error("structure", f"The body is not UTF-8 (near byte {e.start}). Send UTF-8.") from None
    except msgspec.DecodeError as e:
        raise _error("structure", f"The body is not valid JSON: {e}. Send one JSON object.") from None
    except RecursionError:
        raise _error("structure", f"The JSON is nested more than {max_depth} levels deep. Flatten it.") from None
    if type(value) is not dict:
        raise _error("structure", "The body must be a JSON object with a resourceType.")
    # The body without its white space equals what was understood: no property was dropped. Else look closely.
    if msgspec.json.format(body, indent=-1) != _encoder.encode(value):
        _refuse_duplicates(body)
    return value


def decode_own(body: bytes) -> dict[str, Any]:
    """The JSON object in what this server wrote itself: decimals as in `decode`, and nothing is looked for."""
    found: dict[str, Any] = _decoder.decode(body)
    return found


def encode(value: Any) -> bytes:
    """Compact UTF-8 JSON; a `Decimal` is written as the number it was read from."""
    return _encoder.encode(value)


def _error(code: str, text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, code, text)


def _deeper_than(body: bytes, limit: int) -> bool:
    """Whether brackets nest deeper than `limit`: the innermost pairs are removed, level by level."""
    plain = _escape.sub(b"", body) if b"\\" in body else body
    brackets = plain.translate(_one_bracket, _all_but_brackets).replace(b'""', b"")
    if b'"' in brackets:
        brackets = _string.sub(b"", brackets)
    for _ in range(limit):
        brackets = brackets.replace(b"{}", b"")
        if not brackets:
            return False
    return bool(brackets)


def _refuse_duplicates(body: bytes) -> None:
    """Raise when one object of `body`, known to be valid JSON, names a property twice."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) != len(pairs):
            raise _error("structure", "A JSON object names the same property twice. Keep one of them.")

    json.loads(body, object_pairs_hook=once, parse_float=str, parse_int=str)
