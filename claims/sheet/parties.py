"""Those whom a Claim names: found among what it contains, the entries of its Bundle, or by a caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from claims.sheet.shapes import Address, Identifier, Party, Reference
from fhir_profiles.systems import EIN, NPI, NUCC, SSN

Resolve = Callable[[str], Any]
"""`Type/id` → the resource as JSON bytes or a dict; None when it is not known."""

NOBODY = Party()
NOWHERE = Address()


class Parties:
    """The resources beside one Claim, each read when it is asked for.

    `lost` when one that stands here, or that a caller looked for, was not found.
    """

    def __init__(self, near: dict[str, Any], resolve: Resolve | None = None) -> None:
        self._near = near
        self._resolve = resolve
        self.lost = False

    def of(self, reference: Reference | None) -> Party:
        """Whom a reference names; an empty party where that is not known."""
        if reference is None or reference.reference is None:
            return _named(reference)
        found = self._near.get(reference.reference)
        if found is None and self._resolve is not None:
            found = self._resolve(reference.reference)
            self._near[reference.reference] = found
        if found is None:
            self.lost = self.lost or self._resolve is not None or reference.reference.startswith(("#", "urn:"))
            return _named(reference)
        if not isinstance(found, Party):
            if isinstance(found, bytes | msgspec.Raw):
                found = msgspec.json.decode(found, type=Party)
            else:
                found = msgspec.convert(found, Party)
            self._near[reference.reference] = found
        return found


def _named(reference: Reference | None) -> Party:
    """One who is known by a number alone."""
    return Party(identifier=[reference.identifier]) if reference is not None and reference.identifier else NOBODY


def numbered(party: Party, system: str) -> str | None:
    """The identifier of a system."""
    for one in party.identifier:
        if one.system == system:
            return one.value
    return None


def npi(party: Party) -> str | None:
    """The National Provider Identifier."""
    return numbered(party, NPI)


def tax(party: Party) -> str | None:
    """The tax identifier."""
    return numbered(party, EIN)


def ssn(party: Party) -> str | None:
    """The social security number."""
    return numbered(party, SSN)


def taxonomy(party: Party) -> str | None:
    """The NUCC code of what a provider is."""
    concepts = party.specialty if isinstance(party.specialty, list) else []
    for concept in concepts:
        for coding in concept.coding:
            if coding.system == NUCC:
                return coding.code
    return numbered(party, NUCC)


def person(party: Party) -> tuple[str | None, str | None]:
    """(family, given) name of a person."""
    first = party.name[0] if isinstance(party.name, list) and party.name else None
    if not isinstance(first, dict):
        return None, None
    given = first.get("given") or [None]
    return first.get("family"), given[0]


def title(party: Party) -> str | None:
    """The name of an organisation, or of a person in one line."""
    if isinstance(party.name, str):
        return party.name
    family, given = person(party)
    return " ".join(part for part in (given, family) if part) or None


def address(party: Party) -> Address:
    """The first address."""
    raw = party.address[0] if isinstance(party.address, list) and party.address else party.address
    if not isinstance(raw, dict):
        return NOWHERE
    return Address(raw.get("line") or [], raw.get("city"), raw.get("state"), raw.get("postalCode"), raw.get("country"))


def control_number(identifiers: list[Identifier]) -> str | None:
    """What the submitter calls a claim."""
    return identifiers[0].value if identifiers else None
