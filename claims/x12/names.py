"""Who: the name, address and numbers of a person or an organisation as segments NM1, N3, N4, DMG and REF."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from claims.sheet import parties as who
from claims.sheet.parties import Parties
from claims.sheet.shapes import Name, Party, Reference
from claims.x12.codes import GENDERS
from claims.x12.elements import Draft, remembered, segment
from claims.x12.opened import MOST_KEPT, Known

_PEOPLE = frozenset({"Practitioner", "Patient", "RelatedPerson", "Person"})


class Provider(NamedTuple):
    """Who bills or treats: a person or an organisation, and what they are."""

    party: Party
    taxonomy: str | None


def provider(near: Parties, reference: Reference | None, bills: bool = False) -> Provider:
    """Whom a reference names; behind a role stands its organisation for the claim, its person for the care."""
    party = near.of(reference)
    if party.__class__ is Known and party.resource_type != "PractitionerRole":
        return _plain(party)
    taxonomy = who.taxonomy(party)
    if party.resource_type == "PractitionerRole":
        first, second = party.practitioner, party.organization
        party = near.of((second or first) if bills else (first or second))
        taxonomy = taxonomy or who.taxonomy(party)
    return Provider(party, taxonomy)


@lru_cache(maxsize=MOST_KEPT)
def _plain(party: Known) -> Provider:
    return Provider(party, who.taxonomy(party))


def is_person(party: Party) -> bool:
    """Whether somebody is a person; one without a type is judged by the name."""
    if party.resource_type:
        return party.resource_type in _PEOPLE
    return not isinstance(party.name, str)


def named(draft: Draft, entity: str, party: Party, element: str, id_kind: str = "", number: str = "") -> str:
    """NM1 of a person or an organisation."""
    if not is_person(party):
        text = _group(draft, entity, who.title(party), at=element)
        return f"{text}*****{id_kind}*{number}~" if number else f"{text}~"
    first: Name = {}
    if isinstance(party.name, list) and party.name and isinstance(party.name[0], dict):
        first = party.name[0]
    given = first.get("given") or []
    suffixes = first.get("suffix")
    second = given[1] if len(given) > 1 else None
    names = first.get("family"), given[0] if given else None, second, suffixes[0] if suffixes else None
    text = _person(draft, entity, *names, at=element)
    return f"{text}*{id_kind}*{number}~" if number else text.rstrip("*") + "~"


@remembered
def _group(draft: Draft, entity: str, title: str | None) -> str:
    return f"NM1*{entity}*2*{draft.text(title, 60, '.name', 'a name')}"


@remembered
def _person(
    draft: Draft, entity: str, family: str | None, given: str | None, second: str | None, suffix: str | None
) -> str:  # fmt: skip
    parts = (
        draft.text(family, 60, ".name.family", "a family name"),
        draft.maybe(given, 35, ".name.given"),
        draft.maybe(second, 25, ".name.given"),
        "",
        draft.maybe(suffix, 10, ".name.suffix"),
    )
    return "*".join(("NM1", entity, "1", *parts))


def provider_name(draft: Draft, entity: str, party: Party, element: str) -> str:
    """NM1 of one who has a National Provider Identifier."""
    return named(draft, entity, party, element, "XX", _npi(draft, who.npi(party), at=element))


@remembered
def _npi(draft: Draft, value: str | None) -> str:
    number = draft.number(value, 10, ".identifier", "the National Provider Identifier (NPI)")
    if number and not (len(number) == 10 and number.isdigit()):
        return draft.wrong(".identifier", "A National Provider Identifier has ten digits: correct it")
    return number


def address(draft: Draft, party: Party, element: str) -> str:
    """N3 and N4, which must be there."""
    where = who.address(party)
    lines = where.line or ()
    first, more = lines[0] if lines else None, lines[1] if len(lines) > 1 else None
    return _place(draft, first, more, where.city, where.state, where.postal_code, where.country, at=element)


@remembered
def _place(
    draft: Draft, first: str | None, more: str | None, city: str | None, state: str | None, postal: str | None,
    country: str | None,
) -> str:  # fmt: skip
    street = segment("N3", draft.text(first, 55, ".address.line", "a street"), draft.maybe(more, 55, ".address.line"))
    town = draft.text(city, 30, ".address.city", "a city")
    if len(town) == 1:
        town = draft.wrong(".address.city", "A city has at least two characters: spell it out")
    if country and country.upper() not in ("US", "USA"):
        found = draft.number(country, 3, ".address.country")
        if len(found) < 2:
            found = draft.wrong(".address.country", "A country has a code of two or three letters: give it")
        code = draft.number(_digits(postal or ""), 15, ".address.postalCode")
        return street + segment("N4", town, "", code, found)
    region = draft.number(state, 2, ".address.state", "the state")
    if region and not (len(region) == 2 and region.isalpha()):
        region = draft.wrong(".address.state", "A state has a code of two letters: give it")
    code = _digits(postal or "")
    if not code:
        draft.missing(".address.postalCode", "a postal code")
    elif len(code) not in (5, 9) or not code.isdigit():
        text = "A postal code of the United States has five or nine digits: correct it"
        code = draft.wrong(".address.postalCode", text)
    return street + segment("N4", town, region, code)


def _digits(postal: str) -> str:
    return postal.replace("-", "").replace(" ", "").upper()


def birth(draft: Draft, party: Party, element: str) -> str:
    """DMG."""
    return _birth(draft, party.birth_date, party.gender, at=element)


@remembered
def _birth(draft: Draft, born: str | None, gender: str | None) -> str:
    day = draft.date(born, ".birthDate", "the date of birth")
    found = GENDERS.get(gender or "") or draft.missing(".gender", "female, male or unknown as gender")
    return f"DMG*D8*{day}*{found}~"


def digits(value: str | None) -> str:
    """A number without the hyphens that people write into it."""
    return (value or "").replace("-", "")
