"""Those whom an explanation of benefits names, as the Claim has them (https://hl7.org/fhir/R4/references.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from claims.sheet.parties import Resolve
from fhir_profiles import json

Json = dict[str, Any]
_KIND = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_BEHIND = ("organization", "practitioner")
"""Where a PractitionerRole tells for whom it stands, an organisation first."""


class Beside:
    """What a Claim contains and what a caller finds for it, each read once."""

    def __init__(self, claim: Json, resolve: Resolve | None = None) -> None:
        self._own = {f"#{one.get('id')}": one for one in claim.get("contained", ()) if isinstance(one, dict)}
        self._found: dict[str, Json | None] = dict(self._own)
        self._resolve = resolve

    def of(self, reference: Json | None) -> Json | None:
        """The resource that a reference names, None where it is not known."""
        name = (reference or {}).get("reference")
        if not isinstance(name, str):
            return None
        if name not in self._found:
            body = self._resolve(name) if self._resolve is not None else None
            self._found[name] = json.decode(body) if isinstance(body, bytes) else body
        return self._found[name]

    def kind(self, reference: Json | None) -> str | None:
        """The type of what a reference names, as far as it can be told."""
        found = self.of(reference)
        if found is not None:
            kind = found.get("resourceType")
            return kind if isinstance(kind, str) else None
        told = _KIND.search((reference or {}).get("reference") or "")
        kind = told[1] if told else (reference or {}).get("type")
        return kind if isinstance(kind, str) else None

    def party(self, reference: Json | None, first: str = "organization") -> Json | None:
        """The organisation or practitioner of a reference: of a role the one behind it, `first` where it has both."""
        if self.kind(reference) != "PractitionerRole":
            return reference
        role = self.of(reference) or {}
        behind = next((role[one] for one in (first, *_BEHIND) if role.get(one)), None)
        return behind or reference

    def kept(self, resource: Json) -> list[Json]:
        """Of what the Claim contains, that which a resource refers to, and what that refers to in turn."""
        wanted: dict[str, Json] = {}
        fresh: list[Any] = [resource]
        while fresh:
            for name in _inside(fresh.pop()):
                if name in self._own and name not in wanted:
                    wanted[name] = self._own[name]
                    fresh.append(self._own[name])
        return [one for name, one in self._own.items() if name in wanted]


def _inside(value: Any) -> Iterator[str]:
    """Every reference to something that is contained."""
    if isinstance(value, dict):
        name = value.get("reference")
        if isinstance(name, str) and name.startswith("#"):
            yield name
        for key, part in value.items():
            if key != "contained":
                yield from _inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from _inside(part)


def codings(concept: Any) -> list[Json]:
    """The codings of a CodeableConcept."""
    found = concept.get("coding") if isinstance(concept, dict) else None
    return [one for one in found or () if isinstance(one, dict)]


def code(concept: Any) -> str | None:
    """The first code of a CodeableConcept."""
    return next((str(one["code"]) for one in codings(concept) if one.get("code")), None)


def concept(system: str, code: str) -> Json:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}]}
