"""Accident, stay and what else a Claim's supportingInfo tells, as values of its row."""

from __future__ import annotations

from collections.abc import Sequence

from claims.sheet.reading import Info, Reading, Values, code_of, names
from claims.sheet.shapes import Accident, Related

EVENTS = names("""
    accident_date accident_type accident_state related_number related_how
    admission discharge admission_hour admission_type admission_source discharge_status drg clia trial delay_reason
    onset last_menses last_seen paid
    """)
"""The names of the values, in their order."""

_UNSAID = Info(None, None, None, None, None)
_SAID = (
    "admission-hour",
    "admtype",
    "pointoforigin",
    "discharge-status",
    "drg",
    "clia",
    "clinical-trial",
    "delay-reason",
)
_DATED = ("onset", "last-menstrual-period", "last-seen")
_QUIET: Values = (None,) * 14
"""Of a claim that tells only when it was received."""

_NOTHING: Values = (None,) * len(EVENTS)


def event_values(at: Reading) -> Values:
    """What happened, and what the patient has paid."""
    claim, info = at.claim, at.by_category
    quiet = len(info) == (1 if "clmrecvddate" in info else 0)
    if quiet and claim.accident is None and not claim.related:
        return _NOTHING
    happened = _accident(at, claim.accident) + _related(claim.related)
    if quiet:
        return happened + _QUIET
    stay = info.get("admissionperiod") or info.get("hospitalized") or _UNSAID
    return (
        *happened, stay.start, info.get("discharge", _UNSAID).start or stay.end, *map(at.said, _SAID),
        *[info.get(name, _UNSAID).start for name in _DATED], info.get("patient-paid", _UNSAID).amount,
    )  # fmt: skip


def received(at: Reading) -> int | None:
    """When the claim was received."""
    info = at.by_category.get("clmrecvddate")
    return (info.start if info is not None else None) or at.received


def _accident(at: Reading, accident: Accident | None) -> Values:
    if accident is None:
        return (None, None, None)
    where = accident.location_address
    return (at.day(accident.date), code_of(accident.type), where.state if where else None)


def _related(related: Sequence[Related]) -> Values:
    if not related:
        return (None, None)
    first = related[0]
    return (first.reference.value if first.reference else None, code_of(first.relationship))
