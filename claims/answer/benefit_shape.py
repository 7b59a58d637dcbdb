"""What an explanation of benefits lacks of a profile of CARIN's Blue Button guide (https://hl7.org/fhir/us/carin-bb/)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from claims.answer.benefit_parties import Beside, code
from claims.answer.benefit_parts import Shape
from claims.answer.needs import is_of, lacking, read_needs

Json = dict[str, Any]
_PERSONS = frozenset({"attending", "primary", "referring", "supervisor", "prescribing"})
"""Roles of the team that ask for a Practitioner."""


def unmet(found: Json, shape: Shape, beside: Beside) -> list[str]:
    """What keeps a resource of the shape from being of its profile, in sentences; empty where nothing does."""
    needs = read_needs("claims.answer", "benefit.toml")
    return lacking(needs, found, beside, shape) + list(_further(found, shape, beside, needs.codes["amount"]))


def _further(found: Json, shape: Shape, beside: Beside, amount: tuple[str, ...]) -> Iterator[str]:
    """The invariants over several elements."""
    persons = _PERSONS | ({"rendering"} if shape in ("professional", "oral") else set())
    team = [(code(one.get("role")), beside.kind(one.get("provider"))) for one in found.get("careTeam", ())]
    if any(role in persons and kind != "Practitioner" for role, kind in team):
        yield "careTeam.provider: one whose role asks for a Practitioner is none."
    if shape in ("inpatient", "outpatient"):
        above = any(is_of(one.get("category"), amount) for one in found.get("adjudication", ()))
        below = [[is_of(one.get("category"), amount) for one in i["adjudication"]] for i in _adjudged(found)]
        if above == any(any(one) for one in below):
            yield "adjudication: amounts stand neither on the claim alone nor on its lines alone."
        if not all(any(one) for one in below):
            yield "item.adjudication: the answer gives a line reasons and no amount."


def _adjudged(found: Json) -> list[Json]:
    return [item for item in found.get("item", ()) if item.get("adjudication")]
