"""The lines of a claim: loops 2400 to 2430 of an 837."""

from __future__ import annotations

import re
from functools import lru_cache

from claims.sheet.parties import Parties
from claims.sheet.reading import code_of, said_code, said_money
from claims.sheet.shapes import Detail, Item
from claims.x12.codes import DRUG_UNITS, LINE_ROLES, UNITS, Kind
from claims.x12.elements import Draft, composite, date8, remembered, segment, simple_money, simple_units
from claims.x12.names import address, digits, provider, provider_name
from claims.x12.others import Others
from claims.x12.team import Members, member_text
from fhir_profiles.systems import CPT, HCPCS

_SERVICE = re.compile(r"[A-Z0-9]{5}")
_REVENUE = re.compile(r"[0-9]{4}")
_MODIFIER = re.compile(r"[A-Z0-9]{2}")
_POS = re.compile(r"[0-9A-Z]{2}")
_CODED = frozenset({None, CPT, HCPCS})
MOST_POINTERS = 4
_DOLLARS = (None, "USD")


def line_text(
    draft: Draft, item: Item, near: Parties, kind: Kind, n: int, places: dict[int, str], pos: str | None,
    members: Members, paid: Others,
) -> str:  # fmt: skip
    """One line; `n` counts from 1, `places` says where the diagnoses stand, `pos` is the place of the claim."""
    if not members and not paid.lines and kind == "professional" and (plain := _plain(item, n, places, pos)):
        return plain
    at, at_net, at_unit, at_units = _elements(n)
    service = _service(draft, item, at, kind)
    charge = draft.money(item.net, at_net, "the charge of a line")
    unit = item.quantity.code or item.quantity.unit if item.quantity else None
    measure = UNITS[kind].get(unit)
    if measure is None:
        measure = draft.wrong(at_unit, "Not a unit of lines: give UN for units, MJ for minutes or DA for days")
    units = draft.quantity(item.quantity, at_units, "the units of a line")
    if kind == "professional":
        own = code_of(item.location_codeable_concept)
        place_of = own if own and own != pos else ""
        if place_of and not _POS.fullmatch(place_of):
            place_of = draft.wrong(f"{at}.locationCodeableConcept", "A place of service has two characters: correct it")
        pointers = _pointers(draft, item, at, places)
        text = f"SV1*{service}*{charge}*{measure}*{units}*{place_of}**{pointers}~"
    else:
        revenue = code_of(item.revenue) or draft.missing(f"{at}.revenue", "a revenue code")
        if revenue and not _REVENUE.fullmatch(revenue):
            revenue = draft.wrong(f"{at}.revenue", "A revenue code has four digits: correct it")
        noncovered = ""
        if item.extension:
            noncovered = draft.money(said_money(item.extension, "noncovered"), f"{at}.extension")
        text = f"SV2*{revenue}*{service}*{charge}*{measure}*{units}{f'**{noncovered}' if noncovered else ''}~"
    numbers = _numbers(draft, item, at, kind) if item.extension else ""
    text = f"LX*{n}~{text}{_dates(draft, item, at, kind)}{numbers}REF*6R*{n}~"
    if not (item.detail or members or paid.lines or item.location_reference):
        return text
    for detail in item.detail[:1]:
        text += _drug(draft, detail, at)
    for role in LINE_ROLES[kind]:
        if role == "DQ" and item.location_reference is not None:
            text += _site(draft, item, near, at)
        if role in members:
            text += member_text(draft, near, kind, role, members[role])
    for one in paid.lines.get(item.sequence, ()):
        text += segment("SVD", one.payer, one.amount, service, revenue if kind == "institutional" else "", units)
        text += one.after
    return text


def _plain(item: Item, n: int, places: dict[int, str], pos: str | None) -> str | None:
    """A professional line that says no more than nearly all do, at once; None for any other, and for a fault."""
    net, quantity, concept, where = item.net, item.quantity, item.product_or_service, item.location_codeable_concept
    if (
        item.extension or item.detail or item.location_reference or item.serviced_period or net is None
        or quantity is None or quantity.value is None or concept is None or not concept.coding or concept.text
        or not item.serviced_date or not 1 <= len(item.diagnosis_sequence) <= MOST_POINTERS
        or (where is not None and where.coding and where.coding[0].code not in (None, "", pos))
    ):  # fmt: skip
        return None
    coding = concept.coding[0]
    modifiers = tuple([code_of(one) for one in item.modifier]) if item.modifier else ()
    service = _whole_service(coding.code, coding.system, modifiers)
    charge = simple_money(bytes(net.value)) if net.currency in _DOLLARS else ""
    measure = UNITS["professional"].get(quantity.code or quantity.unit)
    units = "1" if quantity.value == 1 else simple_units(quantity.value)
    day = date8(item.serviced_date)
    try:
        pointers = ":".join([places[number] for number in item.diagnosis_sequence])
    except KeyError:
        return None
    if not (service and charge and measure and units and day):
        return None
    return f"LX*{n}~SV1*{service}*{charge}*{measure}*{units}***{pointers}~DTP*472*D8*{day}~REF*6R*{n}~"


@lru_cache(maxsize=8_192)
def _whole_service(code: str | None, system: str | None, modifiers: tuple[str | None, ...]) -> str:
    """The service of a line; empty where something is wrong with it."""
    draft = Draft()
    text = _composed(draft, code, system, modifiers, None, at="") if code else ""
    return "" if draft.problems else text


@lru_cache(maxsize=1_024)
def _elements(n: int) -> tuple[str, str, str, str]:
    """A line, its charge, its unit and its quantity in FHIRPath."""
    at = f"Claim.item[{n - 1}]"
    return at, f"{at}.net", f"{at}.quantity.code", f"{at}.quantity"


def _service(draft: Draft, item: Item, at: str, kind: Kind) -> str:
    concept = item.product_or_service
    coding = concept.coding[0] if concept is not None and concept.coding else None
    if coding is None or not coding.code:
        if kind == "institutional":
            return ""
        return draft.missing(f"{at}.productOrService", "a service with a HCPCS or CPT code")
    modifiers = tuple([code_of(one) for one in item.modifier]) if item.modifier else ()
    return _composed(draft, coding.code, coding.system, modifiers, concept.text if concept else None, at=at)


@remembered
def _composed(
    draft: Draft, code: str, system: str | None, modifiers: tuple[str | None, ...], note: str | None
) -> str:  # fmt: skip
    code = code.strip().upper()
    if system not in _CODED or not _SERVICE.fullmatch(code):
        return draft.wrong(".productOrService", "Not a HCPCS or CPT code of five characters: choose one")
    found = [(one or "").strip().upper() for one in modifiers]
    if not all(_MODIFIER.fullmatch(one) for one in found):
        draft.wrong(".modifier", "A modifier has two characters: correct it")
    if len(found) > 4:
        draft.wrong(".modifier", "X12 holds four modifiers for each line: send fewer")
    if note is None:
        return composite("HC", code, *found)
    found += [""] * (4 - len(found))
    return composite("HC", code, *found[:4], draft.maybe(note, 80, ".productOrService"))


def _pointers(draft: Draft, item: Item, at: str, places: dict[int, str]) -> str:
    numbers = item.diagnosis_sequence
    if not numbers:
        return draft.missing(f"{at}.diagnosisSequence", "a diagnosis for each line")
    if len(numbers) > MOST_POINTERS:
        return draft.wrong(f"{at}.diagnosisSequence", "X12 holds four diagnoses for each line: send fewer")
    try:
        return ":".join([places[n] for n in numbers])
    except KeyError:
        text = "A line names a diagnosis that the claim does not have: correct it"
        return draft.wrong(f"{at}.diagnosisSequence", text)


def _dates(draft: Draft, item: Item, at: str, kind: Kind) -> str:
    period = item.serviced_period
    start = period.start if period else item.serviced_date
    end = (period.end if period else None) or start
    if start and end == start and (day := date8(start)):
        return f"DTP*472*D8*{day}~"
    needed = "the day of service of a line" if kind == "professional" else None
    first = draft.date(start, f"{at}.serviced", needed)
    if not first:
        return ""
    if end == start:
        return f"DTP*472*D8*{first}~"
    return f"DTP*472*RD8*{first}-{draft.date(end, f'{at}.servicedPeriod.end')}~"


def _numbers(draft: Draft, item: Item, at: str, kind: Kind) -> str:
    text = ""
    if item.extension and kind == "professional":
        number = draft.number(said_code(item.extension, "authorisation"), 50, f"{at}.extension")
        text += segment("REF", "G1", number) if number else ""
    return text


def _drug(draft: Draft, detail: Detail, at: str) -> str:
    code = _eleven(code_of(detail.product_or_service))
    where = f"{at}.detail[0]"
    if len(code) != 11 or not code.isdigit():
        return draft.wrong(f"{where}.productOrService", "A drug has an NDC of eleven digits: correct it")
    quantity = detail.quantity
    unit = DRUG_UNITS.get((quantity.code or quantity.unit or "") if quantity else "")
    if unit is None:
        unit = draft.wrong(f"{where}.quantity.code", "A unit of drugs is one of F2, GR, ME, ML and UN: give one")
    units = draft.quantity(quantity, f"{where}.quantity", "how much of the drug")
    return segment("LIN", "", "N4", code) + segment("CTP", "", "", "", units, unit)


def _eleven(code: str | None) -> str:
    """An NDC as 5-4-2 digits."""
    parts = (code or "").split("-")
    if len(parts) == 3:
        return parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    return digits(code)


def _site(draft: Draft, item: Item, near: Parties, at: str) -> str:
    found = provider(near, item.location_reference).party
    element = f"{at}.locationReference"
    return provider_name(draft, "77", found, element) + address(draft, found, element)
