"""Who bills, who is insured, who is ill and who pays, from the levels of an 837."""

from __future__ import annotations

from claims.x12.building import Json, coded, party, taxonomy
from claims.x12.codes import FILING, RANKS, RELATIONSHIPS
from claims.x12.loops import Levels, Loop
from claims.x12.read_others import response
from claims.x12.segments import Segment
from fhir_profiles.systems import ACT_CODE, CLAIM_EXTENSIONS, COVERAGE_CLASS, SUBSCRIBER_RELATIONSHIP, X12_FILING

_RELATIONS = {code: name for name, code in RELATIONSHIPS.items()}
_PLANS = {code: name for name, code in FILING.items() if name not in ("MCAID", "SUBSIDIZ")}


def account(claim: Json, levels: Levels, loop: Loop) -> None:
    """Put patient, provider, insurer and insurance on a claim, with what it contains."""
    contained = claim["contained"]
    biller = levels.billing.party("85")
    if biller is None:
        levels.billing.head.damaged("nobody who bills follows")
    provider = party(biller, "o")
    taxonomy(provider, levels.billing.first("PRV", "BI"))
    insured, payer = levels.subscriber.party("IL"), levels.subscriber.party("PR")
    sbr = levels.subscriber.first("SBR")
    if insured is None or payer is None or sbr is None:
        levels.subscriber.head.damaged("SBR, who is insured or who pays does not follow")
    below = levels.patient
    ill = insured if below is None else below.party("QC")
    if ill is None:
        levels.subscriber.head.damaged("nobody who is ill follows")
    patient = party(ill, "p", "Patient")
    relation = levels.subscriber.first("PAT") if below is None else below.first("PAT")
    if relation is not None and relation.get(6):
        patient["deceasedDateTime"] = relation.days(6, relation.get(5))[0]
    contained += [patient, provider, party(payer, "y")]
    related = "18" if below is None else relation.need(1) if relation else "G8"
    if below is not None:
        contained.append(party(insured, "s", "Patient"))
    contained.append(_coverage("v", sbr, insured, related, "#y"))
    claim["provider"], claim["insurer"] = {"reference": "#o"}, {"reference": "#y"}
    claim["insurance"] = _insurances(contained, sbr, loop)


def _coverage(id: str, sbr: Segment, insured: Loop, related: str, payer: str, whose: str = "#s") -> Json:
    code = sbr.get(9)
    codings = [{"system": X12_FILING, "code": code}] if code else []
    if code in _PLANS:
        codings.insert(0, {"system": ACT_CODE, "code": _PLANS[code]})
    found: Json = {"resourceType": "Coverage", "id": id, "status": "active"}
    if codings:
        found["type"] = {"coding": codings}
    found["subscriber"] = {"reference": "#p" if related == "18" else whose}
    found["subscriberId"] = insured.head.need(9)
    found["beneficiary"] = {"reference": "#p"}
    found["relationship"] = coded(_RELATIONS.get(related, "other"), SUBSCRIBER_RELATIONSHIP)
    found["payor"] = [{"reference": payer}]
    if sbr.get(5):
        found["extension"] = [{"url": f"{CLAIM_EXTENSIONS}medicare-secondary", "valueCode": sbr.get(5)}]
    if sbr.get(3) or sbr.get(4):
        group = {"type": coded("group", COVERAGE_CLASS), "value": sbr.get(3), "name": sbr.get(4)}
        found["class"] = [{name: value for name, value in group.items() if value}]
    return found


def _insurances(contained: list[Json], focal: Segment, loop: Loop) -> list[Json]:
    """The coverages in the order of the payers."""
    ranked = [(_rank(focal), {"focal": True, "coverage": {"reference": "#v"}})]
    for n, other in enumerate(loop.others, 1):
        insured, payer = other.party("IL"), other.party("PR")
        if insured is None or payer is None:
            return other.head.damaged("who is insured or who pays does not follow")
        id, related = f"v{n}", other.head.need(2)
        if related != "18":
            contained.append(party(insured, f"s{n}", "Patient"))
        answer = response(other, loop.lines, f"a{n}")
        contained.append(party(payer, f"a{n}y"))
        contained.append(_coverage(id, other.head, insured, related, f"#a{n}y", f"#s{n}"))
        one: Json = {"focal": False, "coverage": {"reference": f"#{id}"}}
        if answer is not None:
            contained.append(answer)
            one["claimResponse"] = {"reference": f"#a{n}"}
        ranked.append((_rank(other.head), one))
    ranked.sort(key=lambda one: one[0])
    return [{"sequence": n, **one} for n, (_, one) in enumerate(ranked, 1)]


def _rank(sbr: Segment) -> int:
    place = RANKS.find(sbr.need(1)) if len(sbr.need(1)) == 1 else -1
    return place if place >= 0 else sbr.damaged("element 1 is no rank of a payer")
