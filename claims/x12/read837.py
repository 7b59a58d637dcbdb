"""Read an X12 interchange 837P or 837I as FHIR Claims (https://hl7.org/fhir/R4/claim.html); see docs/claims.md."""

from __future__ import annotations

from collections.abc import Iterator

from claims.x12.building import Json, coded, money, party
from claims.x12.codes import CLAIM_ROLES, EVENTS, LINE_ROLES, NUMBERS, Kind
from claims.x12.loops import Levels, Loop, claims_of
from claims.x12.read_account import account
from claims.x12.read_codes import diagnoses, infos, listed, procedures
from claims.x12.read_lines import item, site
from claims.x12.segments import Segment, Transaction, transactions
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import (
    CARE_TEAM_ROLE,
    CLAIM_EXTENSIONS,
    CLAIM_INFORMATION,
    CLAIM_NUMBER,
    CLAIM_TYPE,
    NUCC,
    PROCESS_PRIORITY,
)

_ROLES = {
    "82": "rendering", "DN": "referring", "DK": "ordering", "DQ": "supervisor", "71": "attending", "72": "operating",
    "ZZ": "otheroperating",
}  # fmt: skip
_ACCIDENTS = {"AA": "MVA", "EM": "WPA"}
_STUDIES = {code: name for name, code in NUMBERS.items()}


def read_837(data: bytes) -> Iterator[Json]:
    """The Claims of a file, each with those it names as contained resources.

    FhirError with segment and position where the file is damaged or is not an 837P or 837I of version 5010.
    """
    for transaction in transactions(data):
        kind = _kind(transaction)
        for levels, loop in claims_of(transaction):
            yield _claim(levels, loop, kind)


def _kind(transaction: Transaction) -> Kind:
    if transaction.number == "837" and transaction.guide.startswith("005010X222"):
        return "professional"
    if transaction.number == "837" and transaction.guide.startswith("005010X223"):
        return "institutional"
    text = "Only 837P (005010X222) and 837I (005010X223) are read as claims"
    raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)


def _claim(levels: Levels, loop: Loop, kind: Kind) -> Json:
    head = loop.head
    if not loop.lines:
        head.damaged("the claim has no lines")
    begun = levels.header.first("BHT")
    place, qualifier, how = head.part(5, 1), head.part(5, 2), head.part(5, 3)
    if not place or qualifier != ("B" if kind == "professional" else "A") or len(how) != 1:
        head.damaged("element 5 says no place and frequency of this kind of claim")
    codes = listed(loop)
    claim: Json = {
        "resourceType": "Claim",
        "contained": [],
        "identifier": [{"system": CLAIM_NUMBER, "value": head.need(1)}],
        "status": "active",
        "type": coded(kind, CLAIM_TYPE),
        "use": "claim",
        "patient": {"reference": "#p"},
        "created": begun.day(begun.need(4), 4) if begun else levels.header.head.damaged("BHT does not follow"),
        "priority": coded("normal", PROCESS_PRIORITY),
        "diagnosis": diagnoses(codes),
        "total": money(head.decimal(2)),
    }
    account(claim, levels, loop)
    if head.get(7) in ("A", "C"):
        accepts = {"url": f"{CLAIM_EXTENSIONS}participating", "valueBoolean": head.get(7) == "A"}
        claim["extension"] = [accepts]
    _numbers(claim, loop, how)
    said = infos(codes)
    if kind == "institutional":
        claim["subType"] = coded(f"0{place}{how}")
        claim["procedure"] = procedures(codes)
        said += _stay(claim, loop)
    else:
        _accident(claim, loop)
        said += _events(loop)
    late = head.get(20)
    if late:
        said.append(_info("delay-reason", code=coded(late)))
    claim["supportingInfo"] = [{"sequence": n, **one} for n, one in enumerate(said, 1)]
    claim["item"] = [item(line, n, kind, place, len(claim["diagnosis"])) for n, line in enumerate(loop.lines, 1)]
    _team(claim, loop, kind)
    _places(claim, loop)
    if kind == "professional":
        _period(claim)
    return {name: value for name, value in claim.items() if value != []}


def _info(category: str, **said: object) -> Json:
    return {"category": coded(category, CLAIM_INFORMATION), **said}


def _numbers(claim: Json, loop: Loop, how: str) -> None:
    """REF: referral, authorisation and the payer's number of an earlier claim."""
    referral, authorised, earlier = loop.first("REF", "9F"), loop.first("REF", "G1"), loop.first("REF", "F8")
    if referral is not None:
        claim["contained"].append(
            {
                "resourceType": "ServiceRequest", "id": "q", "identifier": [{"value": referral.need(2)}],
                "status": "active", "intent": "order", "subject": {"reference": "#p"},
            }
        )  # fmt: skip
        claim["referral"] = {"reference": "#q"}
    if authorised is not None:
        focal = next(one for one in claim["insurance"] if one["focal"])
        focal["preAuthRef"] = [authorised.need(2)]
    if earlier is not None:
        claim["related"] = [{"relationship": coded(how), "reference": {"value": earlier.need(2)}}]


def _events(loop: Loop) -> list[Json]:
    """Dates, amounts and numbers of a professional claim."""
    found = []
    for category, qualifier in EVENTS.items():
        event = loop.first("DTP", qualifier)
        if event is not None:
            found.append(_info(category, timingDate=event.days(3, event.get(2))[0]))
    start, end = loop.first("DTP", "435"), loop.first("DTP", "096")
    if start is not None:
        stay = {"start": start.days(3, start.get(2))[0]}
        if end is not None:
            stay["end"] = end.days(3, end.get(2))[0]
        found.append(_info("admissionperiod", timingPeriod=stay))
    paid = loop.first("AMT", "F5")
    if paid is not None:
        found.append(_info("patient-paid", valueQuantity={"value": float(paid.decimal(2))}))
    return found + _studies(loop)


def _studies(loop: Loop) -> list[Json]:
    return [_info(_STUDIES[one.get(1)], code=coded(one.need(2))) for one in loop.all("REF") if one.get(1) in _STUDIES]


def _stay(claim: Json, loop: Loop) -> list[Json]:
    """Period, admission and discharge of an institutional claim."""
    stated, admitted = loop.first("DTP", "434"), loop.first("DTP", "435")
    found: list[Json] = []
    if stated is None:
        return loop.head.damaged("the period of the bill does not follow")
    first, last = stated.days(3, stated.get(2))
    claim["billablePeriod"] = {"start": first, "end": last or first}
    if admitted is not None:
        stay = {"start": admitted.days(3, admitted.get(2))[0]}
        if loop.head.part(5, 3) in ("1", "4", "7", "8"):
            stay["end"] = last or first
        found.append(_info("admissionperiod", timingPeriod=stay))
        if admitted.get(2) == "DT":
            found.append(_info("admission-hour", code=coded(_hour(admitted.get(3)[8:]))))
    left = loop.first("DTP", "096")
    if left is not None:
        found.append(_info("discharge-hour", code=coded(_hour(left.need(3)))))
    condition = loop.first("CL1")
    if condition is not None:
        for place, category in enumerate(("admtype", "pointoforigin", "discharge-status"), 1):
            if condition.get(place):
                found.append(_info(category, code=coded(condition.get(place))))
    return found + _studies(loop)


def _hour(time: str) -> str:
    return time[:2] if time.endswith("00") else time


def _accident(claim: Json, loop: Loop) -> None:
    head, day = loop.head, loop.first("DTP", "439")
    kind = head.part(11, 1)
    if not kind and day is None:
        return
    accident: Json = {}
    if day is not None:
        accident["date"] = day.days(3, day.get(2))[0]
    if kind:
        accident["type"] = coded(_ACCIDENTS.get(kind, kind))
    if head.part(11, 4):
        accident["locationAddress"] = {"state": head.part(11, 4)}
    claim["accident"] = accident


def _team(claim: Json, loop: Loop, kind: Kind) -> None:
    """The care team: those of the claim, then those of single lines, each person once for each role."""
    team: list[Json] = []
    known: dict[tuple[str, tuple[str, ...]], int] = {}

    def member(role: str, found: Loop) -> int:
        key = role, tuple(found.head.elements)
        if key not in known:
            known[key] = len(team) + 1
            id = f"r{len(team) + 1}"
            claim["contained"].append(party(found, id))
            one = {
                "sequence": len(team) + 1,
                "provider": {"reference": f"#{id}"},
                "role": coded(_ROLES[role], CARE_TEAM_ROLE),
            }
            provider: Segment | None = found.first("PRV")
            if provider is not None:
                one["qualification"] = coded(provider.need(3), NUCC)
            team.append(one)
        return known[key]

    whole = {role: member(role, one) for role in CLAIM_ROLES[kind] if (one := loop.party(role)) is not None}
    lines = []
    for line in loop.lines:
        own = {role: member(role, one) for role in LINE_ROLES[kind] if (one := line.party(role)) is not None}
        lines.append(sorted({**whole, **own}.values()))
    for one, sequences in zip(claim["item"], lines, strict=True):
        if sequences and (kind == "professional" or len(sequences) != len(team)):
            one["careTeamSequence"] = sequences
    claim["careTeam"] = team


def _places(claim: Json, loop: Loop) -> None:
    """Where the services were rendered."""
    whole = loop.party("77")
    if whole is not None:
        claim["contained"].append(party(whole, "f", group="Location"))
        claim["facility"] = {"reference": "#f"}
    for n, (line, one) in enumerate(zip(loop.lines, claim["item"], strict=True), 1):
        found = site(line, f"f{n}")
        if found is not None:
            claim["contained"].append(found)
            one["locationReference"] = {"reference": f"#f{n}"}


def _period(claim: Json) -> None:
    """The days of service as the billable period of a professional claim."""
    days = []
    for one in claim["item"]:
        period = one.get("servicedPeriod") or {"start": one["servicedDate"], "end": one["servicedDate"]}
        days += [period["start"], period["end"]]
    claim["billablePeriod"] = {"start": min(days), "end": max(days)}
