"""Who: the name, address and numbers of a person or an organisation as segments NM1, N3, N4, DMG and REF."""

from __future__ import annotations

from typing import Any, NamedTuple

from claims.sheet import parties as who
from claims.sheet.parties import Parties
from claims.sheet.shapes import Party, Reference
from claims.x12.codes import GENDERS
from claims.x12.elements import Draft, segment

_PEOPLE = frozenset({"Practitioner", "Patient", "RelatedPerson", "Person"})


class Provider(NamedTuple):
    """Who bills or treats: a person or an organisation, and what they are."""

    party: Party
    taxonomy: str | None


def provider(near: Parties, reference: Reference | None, bills: bool = False) -> Provider:
    """Whom a reference names; behind a role stands its organisation for the claim, its person for the care."""
    party = near.of(reference)
    taxonomy = who.taxonomy(party)
    if party.resource_type == "PractitionerRole":
        first, second = party.practitioner, party.organization
        party = near.of((second or first) if bills else (first or second))
        taxonomy = taxonomy or who.taxonomy(party)
    return Provider(party, taxonomy)


def is_person(party: Party) -> bool:
    """Whether somebody is a person; one without a type is judged by the name."""
    if party.resource_type:
        return party.resource_type in _PEOPLE
    return not isinstance(party.name, str)


def named(draft: Draft, entity: str, party: Party, element: str, id_kind: str = "", number: str = "") -> str:
    """NM1 of a person or an organisation."""
    if not is_person(party):
        title = draft.text(who.title(party), 60, f"{element}.name", "a name")
        return segment("NM1", entity, "2", title, "", "", "", "", id_kind, number)
    first: dict[str, Any] = {}
    if isinstance(party.name, list) and party.name and isinstance(party.name[0], dict):
        first = party.name[0]
    given: list[Any] = first.get("given") or []
    suffixes = first.get("suffix") or ()
    parts = [
        draft.text(_text(first.get("family")), 60, f"{element}.name.family", "a family name"),
        draft.maybe(_text(given[0] if given else None), 35, f"{element}.name.given"),
        draft.maybe(_text(given[1] if len(given) > 1 else None), 25, f"{element}.name.given"),
        "",
        draft.maybe(_text(suffixes[0] if suffixes else None), 10, f"{element}.name.suffix"),
    ]
    return segment("NM1", entity, "1", *parts, id_kind, number)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def provider_name(draft: Draft, entity: str, party: Party, element: str) -> str:
    """NM1 of one who has a National Provider Identifier."""
    number = draft.number(who.npi(party), 10, f"{element}.identifier", "the National Provider Identifier (NPI)")
    if number and not (len(number) == 10 and number.isdigit()):
        number = draft.wrong(f"{element}.identifier", "A National Provider Identifier has ten digits: correct it")
    return named(draft, entity, party, element, "XX", number)


def address(draft: Draft, party: Party, element: str) -> str:
    """N3 and N4, which must be there."""
    where = who.address(party)
    return place(draft, where.line, where.city, where.state, where.postal_code, where.country, f"{element}.address")


def place(
    draft: Draft,
    lines: list[str],
    city: str | None,
    state: str | None,
    postal: str | None,
    country: str | None,
    at: str,
) -> str:
    """N3 and N4 of a place."""
    street = draft.text(lines[0] if lines else None, 55, f"{at}.line", "a street")
    more = draft.maybe(lines[1] if len(lines) > 1 else None, 55, f"{at}.line")
    town = draft.text(city, 30, f"{at}.city", "a city")
    if len(town) == 1:
        town = draft.wrong(f"{at}.city", "A city has at least two characters: spell it out")
    if country and country.upper() not in ("US", "USA"):
        found = draft.number(country, 3, f"{at}.country")
        region = draft.number(state, 2, f"{at}.state")
        return segment("N3", street, more) + segment("N4", town, region, _digits(postal or ""), found)
    region = draft.number(state, 2, f"{at}.state", "the state")
    if region and not (len(region) == 2 and region.isalpha()):
        region = draft.wrong(f"{at}.state", "A state has a code of two letters: give it")
    code = _digits(postal or "")
    if not code:
        draft.missing(f"{at}.postalCode", "a postal code")
    elif len(code) not in (5, 9) or not code.isdigit():
        code = draft.wrong(f"{at}.postalCode", "A postal code of the United States has five or nine digits: correct it")
    return segment("N3", street, more) + segment("N4", town, region, code)


def _digits(postal: str) -> str:
    return postal.replace("-", "").replace(" ", "").upper()


def birth(draft: Draft, party: Party, element: str) -> str:
    """DMG."""
    born = draft.date(party.birth_date, f"{element}.birthDate", "the date of birth")
    gender = GENDERS.get(party.gender or "")
    if gender is None:
        gender = draft.missing(f"{element}.gender", "female, male or unknown as gender")
    return segment("DMG", "D8", born, gender)


def digits(value: str | None) -> str:
    """A number without the hyphens that people write into it."""
    return (value or "").replace("-", "")
