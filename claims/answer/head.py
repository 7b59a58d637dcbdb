"""What an answer repeats of a Claim: who, to whom, of which kind, under which number (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from claims.sheet.shapes import Bundle, Concept, Identifier, Reference, Shape
from fhir_profiles.systems import CLAIM_TYPE

Json = dict[str, Any]
USES = ("claim", "preauthorization", "predetermination")
_TOKEN = re.compile(r"[^\s]+(?: [^\s]+)*")
_URI = re.compile(r"[a-z][a-zA-Z0-9+.-]*:[^\s]+")
_ADDRESS = re.compile(r"(?:https?://[^\s]+/)?[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Head(Shape):
    """The head of a Claim as it came."""

    resource_type: str = ""
    id: str | None = None
    identifier: list[Identifier] = []  # noqa: RUF012, of a Struct each has its own
    type: Concept | None = None
    use: str | None = None
    patient: Reference | None = None
    insurer: Reference | None = None
    provider: Reference | None = None

    def parts(self) -> Json:
        """The elements of a ClaimResponse that repeat the Claim; what cannot be repeated is said to be unknown."""
        found: Json = {
            "type": _concept(self.type),
            "use": self.use if self.use in USES else "claim",
            "patient": _reference(self.patient, "Patient"),
            "insurer": _reference(self.insurer, "Organization"),
            "request": self._request(),
        }
        if self.provider is not None:
            found["requestor"] = _reference(self.provider, "Organization")
        return found

    def _request(self) -> Json:
        found: Json = {"type": "Claim"}
        if self.id is not None and _ID.fullmatch(self.id):
            found["reference"] = f"Claim/{self.id}"
        numbers = [one for one in self.identifier if (shown := _identifier(one)) and shown]
        if numbers:
            found["identifier"] = _identifier(numbers[0])
        return found if len(found) > 1 else found | {"display": "A claim without a number"}


_head = msgspec.json.Decoder(Head)
_bundle = msgspec.json.Decoder(Bundle)


def read_head(body: bytes) -> Head:
    """The head of a Claim, or of the Claim that is the first entry of a Bundle; the body was read as a claim before."""
    try:
        head = _head.decode(body)
    except msgspec.ValidationError:  # the elements of a Bundle have names that a Claim has too
        head = Head("Bundle")
    if head.resource_type == "Bundle":
        head = _head.decode(next(bytes(e.resource) for e in _bundle.decode(body).entry if bytes(e.resource)))
    return head


def _concept(concept: Concept | None) -> Json:
    codings = [
        {"system": coding.system, "code": coding.code}
        for coding in (concept.coding if concept else ())
        if _URI.fullmatch(coding.system or CLAIM_TYPE) and coding.system and _TOKEN.fullmatch(coding.code or "")
    ]
    return {"coding": codings} if codings else {"text": "Not said"}


def _identifier(identifier: Identifier | None) -> Json:
    if identifier is None or not (identifier.value or "").strip():
        return {}
    found: Json = {"value": identifier.value}
    return found | ({"system": identifier.system} if _URI.fullmatch(identifier.system or "") else {})


def _reference(reference: Reference | None, kind: str) -> Json:
    """The same reference where others can follow it; what stands inside the claim is named as such."""
    if reference is None:
        return {"type": kind, "display": "Not said in the claim"}
    found: Json = {}
    if _ADDRESS.fullmatch(reference.reference or ""):
        found["reference"] = reference.reference
    if number := _identifier(reference.identifier):
        found["identifier"] = number
    return found or {"type": kind, "display": "As it came with the claim"}
