"""Diagnoses, procedures and the codes of hospital bills as segments HI of an 837."""

from __future__ import annotations

import re
from collections.abc import Sequence

from claims.sheet.reading import code_of
from claims.sheet.shapes import Claim, Concept, Diagnosis, Info
from claims.x12.elements import Draft, composite, decimal, number, remembered, segment
from claims.x12.whole import Infos
from fhir_profiles.systems import ICD10CM

_ICD = re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]{0,4}")
_PCS = re.compile(r"[0-9A-HJ-NP-Z]{7}")
_CAUSES = frozenset("VWXY")
_APART = frozenset({"admitting", "patientreasonforvisit"})
MOST = {"professional": 12, "institutional": 25}
IN_ONE = 12
MOST_OF_CODE = 3


def icd(draft: Draft, concept: Concept | None, place: int) -> str:
    """An ICD-10-CM code without its dot."""
    coding = concept.coding[0] if concept is not None and concept.coding else None
    if coding is None or not coding.code:
        return draft.missing(f"Claim.diagnosis[{place}]", "an ICD-10-CM code")
    return _icd(draft, coding.code, coding.system, at=("Claim.diagnosis", place))


@remembered
def _icd(draft: Draft, code: str, system: str | None) -> str:
    code = code.strip().upper().replace(".", "")
    if system not in (None, ICD10CM) or not _ICD.fullmatch(code):
        return draft.wrong("", "Not an ICD-10-CM code: choose one")
    return code


def pointed(draft: Draft, claim: Claim) -> tuple[str, dict[int, str]]:
    """HI of a professional claim, and the place of each diagnosis by its number."""
    if not claim.diagnosis:
        return draft.missing("Claim.diagnosis", "at least one diagnosis"), {}
    if len(claim.diagnosis) > MOST["professional"]:
        return draft.wrong("Claim.diagnosis", "A professional claim has at most 12 diagnoses: send fewer"), {}
    ordered = sorted(claim.diagnosis, key=_number) if len(claim.diagnosis) > 1 else claim.diagnosis
    parts = [
        f"{'ABF' if place else 'ABK'}:{icd(draft, one.diagnosis_codeable_concept, place)}"
        for place, one in enumerate(ordered)
    ]
    return segment("HI", *parts), {one.sequence: str(place) for place, one in enumerate(ordered, 1)}


def _number(one: Diagnosis) -> int:
    return one.sequence


def listed(draft: Draft, claim: Claim, known: Infos) -> str:
    """HI of an institutional claim: principal, admitting, reasons, causes, others and procedures."""
    groups: dict[str, list[str]] = {"ABK": [], "ABJ": [], "APR": [], "ABN": [], "ABF": []}
    ordered = sorted(claim.diagnosis, key=_number)
    kinds = [{code_of(one) for one in diagnosis.type} for diagnosis in ordered]
    principal = next((n for n, types in enumerate(kinds) if "principal" in types), None)
    if principal is None:
        principal = next((n for n, types in enumerate(kinds) if not types), None)
    if principal is None:
        draft.missing("Claim.diagnosis", "a principal diagnosis")
    for n, (one, types) in enumerate(zip(ordered, kinds, strict=True)):
        code = icd(draft, one.diagnosis_codeable_concept, n)
        present = (code_of(one.on_admission) or "").upper() if one.on_admission else ""
        if present and present not in ("Y", "N", "U", "W", "1"):
            text = "Present on admission is one of y, n, u, w: correct it"
            present = draft.wrong(f"Claim.diagnosis[{n}].onAdmission", text)
        full = f"{code}:::::::{present}" if present and present != "1" else code
        if n == principal:
            groups["ABK"].append(full)
        if "admitting" in types:
            groups["ABJ"].append(code)
        if "patientreasonforvisit" in types:
            groups["APR"].append(code)
        if n != principal and types.isdisjoint(_APART):
            outside = "externalcauseofinjury" in types or code[:1] in _CAUSES
            groups["ABN" if outside else "ABF"].append(full)
    for name, most in (("ABJ", 1), ("APR", 3), ("ABN", 12), ("ABF", 24)):
        if len(groups[name]) > most:
            draft.wrong("Claim.diagnosis", f"X12 holds at most {most} diagnoses of one of the kinds: send fewer")
    first = "".join([_joined(name, groups[name]) for name in ("ABK", "ABJ", "APR", "ABN")])
    return first + _drg(draft, known) + _joined("ABF", groups["ABF"]) + _procedures(draft, claim)


def _joined(name: str, parts: Sequence[str]) -> str:
    if not parts:
        return ""
    before = f"*{name}:"
    if len(parts) <= IN_ONE:
        return f"HI{before}{before.join(parts)}~"
    return "".join(f"HI{before}{before.join(parts[n : n + IN_ONE])}~" for n in range(0, len(parts), IN_ONE))


def _drg(draft: Draft, known: Infos) -> str:
    info = known["drg"][1] if "drg" in known else None
    code = draft.number(code_of(info.code) or info.value_string, 4, "Claim.supportingInfo.code") if info else ""
    return segment("HI", f"DR:{code}") if code else ""


def _procedures(draft: Draft, claim: Claim) -> str:
    parts = []
    if len(claim.procedure) > IN_ONE * 2 + 1:
        draft.wrong("Claim.procedure", "X12 holds at most 25 procedures: send fewer")
    for n, one in enumerate(sorted(claim.procedure, key=lambda p: p.sequence)):
        at = f"Claim.procedure[{n}]"
        code = (code_of(one.procedure_codeable_concept) or "").strip().upper()
        if not _PCS.fullmatch(code):
            draft.wrong(f"{at}.procedure", "Not an ICD-10-PCS code of seven characters: choose one")
        day = draft.date(one.date, f"{at}.date", "the day of a procedure")
        parts.append(composite(code, "D8", day))
    return _joined("BBR", parts[:1]) + _joined("BBQ", parts[1:])


CODES = {"span": "BI", "occurrence": "BH", "value": "BE", "condition": "BG"}
"""Claim.supportingInfo.category → the list in HI, in the order of the segments."""


def billed(draft: Draft, claim: Claim) -> str:
    """HI of occurrence spans, occurrences, values and conditions."""
    found: dict[str, list[str]] = {name: [] for name in CODES}
    for n, info in enumerate(claim.supporting_info):
        category = info.category.coding[0].code or "" if info.category and info.category.coding else ""
        if category in found:
            found[category].append(_coded(draft, info, category, f"Claim.supportingInfo[{n}]"))
    if any(len(parts) > IN_ONE * 2 for parts in found.values()):
        draft.wrong("Claim.supportingInfo", "X12 holds at most 24 codes of each kind: send fewer")
    return "".join(_joined(CODES[name], parts) for name, parts in found.items() if parts)


def _coded(draft: Draft, info: Info, category: str, at: str) -> str:
    said = code_of(info.code)
    code = number(said) if said else None
    if not code or len(code) > MOST_OF_CODE:
        code = draft.number(said, MOST_OF_CODE, f"{at}.code", "the code")
    if category == "condition":
        return code
    if category == "occurrence":
        return f"{code}:D8:{draft.date(info.timing_date, f'{at}.timing', 'the day of an occurrence')}"
    if category == "value":
        quantity = info.value_quantity
        if quantity is None or quantity.value is None or quantity.value < 0:
            return draft.missing(f"{at}.value", "the amount of a value code")
        return f"{code}:::{decimal(quantity.value)}"
    period = info.timing_period
    first = draft.date(period.start if period else None, f"{at}.timing.start", "the first day of a span")
    last = draft.date(period.end if period else None, f"{at}.timing.end", "the last day of a span")
    return composite(code, "RD8", f"{first}-{last}")
