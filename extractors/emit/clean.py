"""Words of a document as FHIR strings (https://hl7.org/fhir/R4/datatypes.html#string)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec import structs

from extractors.model import Coded, Findings, Identity

NAMES = ("family", "mrn", "phone", "address", "provider", "npi", "facility")


def clean(value: Any) -> str:
    """The text on one line without the control characters that FHIR forbids; "" when nothing is left."""
    text = str(value)
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def readable(coded: Coded) -> Coded:
    """The same findings and codes with every text in them clean; what is empty then counts as not said."""
    items = (structs.replace(finding, attributes=_attributes(finding.attributes)) for finding in coded.findings.items)
    codes = (structs.replace(code, display=clean(code.display), reason=clean(code.reason)) for code in coded.codes)
    findings = Findings(tuple(items), _identity(coded.findings.identity), coded.findings.sections)
    return replace(coded, findings=findings, codes=tuple(codes))


def _identity(identity: Identity) -> Identity:
    words: dict[str, Any] = {name: clean(getattr(identity, name) or "") or None for name in NAMES}
    return replace(identity, given=tuple(name for given in identity.given if (name := clean(given))), **words)


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = {key: _value(value) for key, value in attributes.items()}
    return {key: value for key, value in cleaned.items() if value != ""}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return _attributes(value)
    return tuple(_value(item) for item in value) if isinstance(value, tuple | list) else value
