"""Those whom a Claim names: found among what it contains, the entries of its Bundle, or by a caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from claims.sheet.kept import Kept
from claims.sheet.shapes import Address, Identifier, Party, Reference
from fhir_profiles.systems import EIN, NPI, NUCC, SSN

Resolve = Callable[[str], Any]
"""`Type/id` → the resource as JSON bytes or a dict; None when it is not known."""

_OWN = frozenset({"Patient", "Coverage", "RelatedPerson"})
"""What hardly two claims have in the same bytes."""

_decode = msgspec.json.Decoder(Party).decode
_met: Kept[bytes, Party] = Kept(_decode, most=4_096)
NOBODY = Party()
NOWHERE = Address()


def met(raw: bytes) -> Party:
    """A resource beside a Claim; the same object for the same bytes, where many claims have those.

    msgspec.MsgspecError when it cannot be read.
    """
    found = _met.get(raw)
    if found is None:
        found = _decode(raw)
        if found.resource_type not in _OWN:
            _met.keep(raw, found)
    return found


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
        if reference is None:
            return NOBODY
        if reference.reference is None:
            return _named(reference)
        found = self._near.get(reference.reference)
        if found.__class__ is Party:
            return found
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
    return Party(identifier=(reference.identifier,)) if reference is not None and reference.identifier else NOBODY


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


def is_sole(party: Party) -> bool:
    """Whether a provider bills in person or under a social security number."""
    return party.resource_type == "Practitioner" or (numbered(party, EIN) is None and numbered(party, SSN) is not None)


def ssn(party: Party) -> str | None:
    """The social security number."""
    return numbered(party, SSN)


def taxonomy(party: Party) -> str | None:
    """The NUCC code of what a provider is."""
    for concept in party.specialty:
        for coding in concept.coding:
            if coding.system == NUCC:
                return coding.code
    return numbered(party, NUCC)


def person(party: Party) -> tuple[str | None, str | None]:
    """(family, given) name of a person."""
    if not isinstance(party.name, list) or not party.name:
        return None, None
    first = party.name[0]
    given = first.get("given")
    return first.get("family"), given[0] if given else None


def title(party: Party) -> str | None:
    """The name of an organisation, or of a person in one line."""
    if isinstance(party.name, str):
        return party.name
    family, given = person(party)
    return " ".join(part for part in (given, family) if part) or None


def address(party: Party) -> Address:
    """The first address."""
    places = party.address
    if isinstance(places, list):
        return places[0] if places else NOWHERE
    return places or NOWHERE


def control_number(identifiers: Sequence[Identifier]) -> str | None:
    """What the submitter calls a claim."""
    return identifiers[0].value if identifiers else None
