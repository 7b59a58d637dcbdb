"""The patient, the billing provider and the facility of a Claim, as values of its row."""

from __future__ import annotations

from claims.sheet import parties as who
from claims.sheet.kept import Kept
from claims.sheet.reading import Reading, Values, names
from claims.sheet.shapes import Party
from claims.sheet.values import any_day, day

PATIENT = names("""
    patient_family patient_given gender patient_line patient_city patient_state patient_zip patient_country ssn
    birth death
    """)
PROVIDER = names("""
    provider_npi provider_name provider_line provider_city provider_state provider_zip provider_tax provider_taxonomy
    provider_is_box sole_proprietor
    """)
FACILITY = names("facility_npi facility_name facility_state facility_zip")
"""The names of the values of each of them, in their order."""


def patient_values(at: Reading, patient: Party) -> Values:
    """Who was treated."""
    home, born = who.address(patient), any_day(patient.birth_date)
    if born is None and patient.birth_date is not None:
        at.bad = True
    return (
        *who.person(patient), patient.gender, home.line[0] if home.line else None, home.city, home.state,
        home.postal_code, home.country, who.ssn(patient), born,
        day(patient.deceased_date_time),
    )  # fmt: skip


def provider_values(at: Reading, provider: Party) -> Values:
    """Who bills: the organisation, or the person, of a role."""
    if provider.resource_type != "PractitionerRole":
        return _BILLS[provider]
    specialty = who.taxonomy(provider)
    values = _BILLS[at.near.of(provider.organization or provider.practitioner)]
    if not specialty:
        return values
    return tuple(
        specialty if name == "provider_taxonomy" else value for name, value in zip(PROVIDER, values, strict=True)
    )


def _bills(provider: Party) -> Values:
    place = who.address(provider)
    street = place.line[0] if place.line else None
    return (
        who.npi(provider), who.title(provider), street, place.city, place.state, place.postal_code,
        who.tax(provider) or who.ssn(provider), who.taxonomy(provider), street is not None and _is_box(street),
        who.is_sole(provider),
    )  # fmt: skip


def _stands(facility: Party) -> Values:
    if facility is who.NOBODY:
        return (None, None, None, None)
    site = who.address(facility)
    return (who.npi(facility), who.title(facility), site.state, site.postal_code)


_BILLS: Kept[Party, Values] = Kept(_bills, most=4_096)
FACILITIES: Kept[Party, Values] = Kept(_stands, most=4_096)
"""Where it was done → the values of that."""


def _is_box(street: str) -> bool:
    words = street.upper().replace(".", "").replace(" ", "")
    return words.startswith(("POBOX", "POSTOFFICEBOX", "LOCKBOX"))
