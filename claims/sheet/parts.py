"""The rows of what a Claim has many of, but for its lines."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec

from claims.sheet import parties as who
from claims.sheet.kept import Kept, kept
from claims.sheet.parties import NOBODY
from claims.sheet.reading import Info, Layout, Reading, Values, code_of, names, said_code, system_of
from claims.sheet.shapes import CareTeam, Concept, Diagnosis, Insurance, Party, Payment, Procedure, Reference
from claims.sheet.shapes import Info as Said
from claims.sheet.values import cents, day

INFOS: Layout = ("row", names("seq category code text quantity amount start end reference document"))
DIAGNOSES: Layout = ("row", names("seq place code system on_admission verification clinical listed types principal"))
TEAM: Layout = ("row", names("seq role npi taxonomy name person"))
PROCEDURES: Layout = ("row", names("seq date code system"))
INSURANCES: Layout = (
    "row", "member_id",
    names("""
        seq coverage order focal payer_id payer_name status type relationship start end has_response secondary
        response_date response_paid response_adjusted
        """),
)  # fmt: skip
"""The names of the values of each row, in their order."""

_UNLISTED = frozenset({"admitting", "patientreasonforvisit"})


def _info(info: Said) -> tuple[str, Info, Values, Reference | None, bool]:
    """Supporting information: its category, what it says, its values, what it refers to, whether a date is bad."""
    period, quantity, reference = info.timing_period, info.value_quantity, info.value_reference
    start, end = day(info.timing_date), None
    bad = start is None and info.timing_date is not None
    if period is not None:
        if not start:
            start = day(period.start)
            bad = bad or (start is None and period.start is not None)
        end = day(period.end)
        bad = bad or (end is None and period.end is not None)
    size = quantity.value if quantity else None
    total = round(size * 100) if size is not None else None
    category, code = code_of(info.category), code_of(info.code)
    values = (info.sequence, category, code, info.value_string, size, total, start, end, reference is not None)
    return category or "", Info(code, info.value_string, start, end, total), values, reference, bad


_INFOS = kept(Said, _info)


def info_row(at: Reading, raw: bytes) -> Values:
    """One piece of supporting information, which the claim is asked for by its category: the first of each counts."""
    category, info, values, reference, bad = _INFOS[raw]
    at.by_category.setdefault(category, info)
    if bad:
        at.bad = True
    return (at.row, (*values, None if reference is None else at.near.of(reference).status))


def _diagnosis(one: Diagnosis) -> tuple[int, Values, tuple[str, ...], Reference | None, bool]:
    """A diagnosis: number, code with its system and whether it was there on admission, types, to what it refers."""
    concept = one.diagnosis_codeable_concept
    types = tuple(said for kind in one.type if (said := code_of(kind)))
    values = (code_of(concept), system_of(concept), code_of(one.on_admission))
    return one.sequence, values, types, one.diagnosis_reference, concept is None


_DIAGNOSES = kept(Diagnosis, _diagnosis)
_first = itemgetter(0)


def diagnosis_rows(at: Reading) -> list[Values]:
    """The diagnoses in the order of their numbers."""
    stated = [_DIAGNOSES[bytes(raw)] for raw in at.claim.diagnosis]
    if len(stated) > 1:
        stated.sort(key=_first)
    chief = [place for place, one in enumerate(stated, 1) if "principal" in one[2]] or [1]
    rows: list[Values] = []
    for place, (number, said, types, reference, bare) in enumerate(stated, 1):
        code, system, on_admission = said
        verification = clinical = None
        if reference is not None:
            condition = at.near.of(reference)
            verification, clinical = code_of(condition.verification_status), code_of(condition.clinical_status)
            if bare and isinstance(condition.code, dict):
                concept = msgspec.convert(condition.code, Concept)
                code, system = code_of(concept), system_of(concept)
        listed = not types or _UNLISTED.isdisjoint(types)
        rows.append((
            at.row,
            (number, place, code, system, on_admission, verification, clinical, listed, types, place in chief),
        ))  # fmt: skip
    return rows


def _member(member: CareTeam) -> tuple[int, Reference | None, str | None, str | None]:
    return member.sequence, member.provider, code_of(member.role), code_of(member.qualification)


def _team(members: Sequence[CareTeam] | None) -> list[tuple[int, Reference | None, str | None, str | None]]:
    return [_member(one) for one in members or ()]


def _treats(party: Party) -> Values:
    """Number, taxonomy and name of who treats, and whether that is a person."""
    is_person = party.resource_type == "Practitioner" if party.resource_type else None
    return (who.npi(party), who.taxonomy(party), who.title(party), is_person)


_TEAMS = kept(list[CareTeam], _team)
_TREATS: Kept[Party, Values] = Kept(_treats, most=4_096)


def team_rows(at: Reading) -> list[Values]:
    """The care team."""
    rows: list[Values] = []
    for number, reference, role, specialty in _TEAMS[bytes(at.claim.care_team)]:
        party = at.near.of(reference)
        if party.resource_type == "PractitionerRole":
            specialty = specialty or who.taxonomy(party)
            party = at.near.of(party.practitioner)
            npi, _, name, is_person = _TREATS[party]
        else:
            npi, taxonomy, name, is_person = _TREATS[party]
            specialty = specialty or taxonomy
        rows.append((at.row, (number, role, npi, specialty, name, is_person)))
    return rows


def _procedure(one: Procedure) -> tuple[Values, bool]:
    concept, on = one.procedure_codeable_concept, day(one.date)
    return (one.sequence, on, code_of(concept), system_of(concept)), on is None and one.date is not None


_PROCEDURES = kept(Procedure, _procedure)


def procedure_row(at: Reading, raw: bytes) -> Values:
    """One procedure of a stay."""
    values, bad = _PROCEDURES[raw]
    if bad:
        at.bad = True
    return (at.row, values)


def _pays(party: Party) -> Values:
    """Number and name of who pays."""
    return (party.identifier[0].value if party.identifier else None, who.title(party))


PAYS: Kept[Party, Values] = Kept(_pays, most=4_096)
INSURED: Kept[bytes, tuple[Insurance, ...]] = kept(tuple[Insurance, ...], lambda some: some or ())


def insurance_row(at: Reading, one: Insurance) -> Values:
    """One coverage."""
    coverage = at.near.of(one.coverage)
    payer_id, payer_name = PAYS[at.near.of(coverage.payor[0]) if coverage.payor else NOBODY]
    period = coverage.period
    kinds = (coverage.type.get("coding") if isinstance(coverage.type, dict) else None) or [{}]
    paid_on, paid = (None, None) if one.claim_response is None else _response(at.near.of(one.claim_response).payment)
    return (
        at.row, coverage.subscriber_id,
        (
            one.sequence, one.coverage.reference if one.coverage else None, one.sequence, one.focal, payer_id,
            payer_name or (coverage.payor[0].display if coverage.payor else None),
            coverage.status, kinds[0].get("code"), code_of(coverage.relationship),
            at.day(period.start) if period else None, at.day(period.end) if period else None,
            one.claim_response is not None, said_code(coverage.extension, "medicare-secondary"), paid_on, paid, None,
        ),
    )  # fmt: skip


def _response(payment: Any) -> tuple[int | None, int | None]:
    """When another payer has paid, and how much in cents."""
    if not isinstance(payment, dict):
        return None, None
    said = msgspec.convert(payment, Payment)
    value = said.amount.get("value") if said.amount else None
    return day(said.date), None if value is None else cents(str(value).encode())[0]
