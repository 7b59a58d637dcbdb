"""Claims as X12: what is missing is told, what is damaged is refused, answers are read."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import pytest

from campaigns.claiming.fuller import fuller
from campaigns.claiming.institutional import inpatient
from campaigns.claiming.making import claim, claims
from campaigns.claiming.x12_cases import ENVELOPE, KINDS, written
from claims.x12.elements import plain
from claims.x12.envelope import Envelope
from claims.x12.read277ca import read_277ca
from claims.x12.read835 import read_835
from claims.x12.read837 import read_837
from claims.x12.read999 import read_999
from claims.x12.write837 import interchange, write_claim
from fhir_profiles.errors import FhirError

TEXT = written(claims(2), "professional")


def _one() -> dict[str, Any]:
    return claim(random.Random(4), 1)


def _refused(made: dict[str, Any]) -> list[str | None]:
    with pytest.raises(FhirError) as caught:
        write_claim(orjson.dumps(made))
    return [problem.expression for problem in caught.value.problems]


def _contained(made: dict[str, Any], id: str) -> dict[str, Any]:
    return next(one for one in made["contained"] if one["id"] == id)


MISSING: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "number": (lambda c: c.pop("identifier"), "Claim.identifier"),
    "total": (lambda c: c.pop("total"), "Claim.total"),
    "diagnoses": (lambda c: c.update(diagnosis=[], item=c["item"][:1]), "Claim.diagnosis"),
    "lines": (lambda c: c.update(item=[]), "Claim.item"),
    "insurance": (lambda c: c.update(insurance=[]), "Claim.insurance"),
    "biller": (lambda c: c.pop("provider"), "Claim.provider"),
    "member": (lambda c: _contained(c, "v").pop("subscriberId"), "Coverage.subscriberId"),
    "birth": (lambda c: _contained(c, "p").pop("birthDate"), "Patient.birthDate"),
    "gender": (lambda c: _contained(c, "p").pop("gender"), "Patient.gender"),
    "family": (lambda c: _contained(c, "p")["name"][0].pop("family"), "Patient.name.family"),
    "street": (lambda c: _contained(c, "p")["address"][0].pop("line"), "Patient.address.line"),
    "npi": (lambda c: _contained(c, "o")["identifier"].pop(0), "Claim.provider.identifier"),
    "tax": (lambda c: _contained(c, "o")["identifier"].pop(1), "Claim.provider.identifier"),
    "charge": (lambda c: c["item"][1].pop("net"), "Claim.item[1].net"),
    "units": (lambda c: c["item"][1].pop("quantity"), "Claim.item[1].quantity"),
    "day": (lambda c: c["item"][2].pop("servicedDate"), "Claim.item[2].serviced"),
    "pointer": (lambda c: c["item"][0].pop("diagnosisSequence"), "Claim.item[0].diagnosisSequence"),
    "lost pointer": (lambda c: c["item"][0].update(diagnosisSequence=[9]), "Claim.item[0].diagnosisSequence"),
    "service": (lambda c: c["item"][0]["productOrService"].update(coding=[]), "Claim.item[0].productOrService"),
    "cents": (lambda c: c["item"][0]["net"].update(value=1.005), "Claim.item[0].net"),
    "currency": (lambda c: c["total"].update(currency="EUR"), "Claim.total"),
    "long name": (lambda c: _contained(c, "p")["name"][0].update(family="A" * 61), "Patient.name.family"),
    "script": (lambda c: _contained(c, "p")["name"][0].update(family="山田"), "Patient.name.family"),
    "star": (lambda c: c["identifier"][0].update(value="A*B"), "Claim.identifier"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_told(name: str) -> None:
    """A claim that X12 cannot hold is refused with the element that must be added or corrected."""
    made = _one()
    change, element = MISSING[name]
    change(made)
    assert element in _refused(made)


def test_every_fault_is_told_at_once() -> None:
    """A refused claim tells all that is wrong with it."""
    made = _one()
    made.pop("identifier")
    _contained(made, "p").pop("birthDate")
    assert {"Claim.identifier", "Patient.birthDate"} <= set(_refused(made))


def test_nothing_invalid_is_written_from_claims_with_holes() -> None:
    """Whatever element a claim lacks, it is refused by a FhirError or written so that it reads back."""
    dice = random.Random(8)
    for kind in KINDS:
        for made in fuller(kind, 60, seed=5):
            part: Any = made
            while isinstance(part, dict | list) and part and dice.random() < 0.75:
                key = dice.choice(list(part)) if isinstance(part, dict) else dice.randrange(len(part))
                if dice.random() < 0.4 or not isinstance(part[key], dict | list):
                    del part[key]
                    break
                part = part[key]
            try:
                text = "".join(interchange([orjson.dumps(made)], kind, ENVELOPE))
            except FhirError:
                continue
            assert len(list(read_837(text.encode()))) == 1


def test_text_is_upper_case_without_delimiters() -> None:
    """Accents fall, delimiters become blanks, other scripts are not guessed."""
    assert plain("Núñez-Øre*~:^ß") == "NUNEZ-ORE SS"
    assert plain("山田") is None


def test_claims_of_one_family_share_their_levels() -> None:
    """Claims of one provider and one subscriber stand under one level each."""
    made = _one()
    again = {**made, "identifier": [{"value": "B"}]}
    assert written([made, again], "professional").count("~HL*") == 2


def test_another_kind_is_refused_or_left_out() -> None:
    """A file holds one kind of claim; who asks is told which claim was left out and why."""
    told: list[int] = []
    bodies = [orjson.dumps(_one()), orjson.dumps(inpatient(random.Random(1), 2))]
    text = "".join(interchange(bodies, "professional", ENVELOPE, refused=lambda n, _: told.append(n)))
    assert told == [1] and text.count("~CLM*") == 1
    with pytest.raises(FhirError):
        "".join(interchange(bodies, "professional", ENVELOPE))
    with pytest.raises(FhirError, match="No claim"):
        "".join(interchange([], "professional", ENVELOPE))


def test_an_envelope_without_a_name_is_refused() -> None:
    """The envelope tells what it lacks."""
    with pytest.raises(FhirError, match="sender"):
        "".join(
            interchange([], "professional", Envelope("", "R1", "S", "C", "4135550101", "R", 1, datetime(2026, 1, 1)))
        )


DAMAGES: dict[str, Callable[[str], str]] = {
    "cut": lambda t: t[: len(t) // 2],
    "empty": lambda t: "",
    "no ISA": lambda t: t[10:],
    "short ISA": lambda t: t.replace("ISA*00* ", "ISA*00*", 1),
    "lost segment": lambda t: re.sub(r"~DMG\*[^~]*", "", t, count=1),
    "count": lambda t: re.sub(r"~SE\*\d+", "~SE*3", t),
    "control": lambda t: t.replace("~IEA*1*000000001", "~IEA*1*000000002"),
    "parent": lambda t: t.replace("~HL*2*1*22", "~HL*2*7*22"),
    "level": lambda t: t.replace("~HL*2*1*22", "~HL*2*1*99"),
    "date": lambda t: re.sub(r"DTP\*472\*D8\*\d{8}", "DTP*472*D8*20260230", t, count=1),
    "amount": lambda t: re.sub(r"~SV1\*HC:(.....)\*[\d.]+", r"~SV1*HC:\1*12,5", t, count=1),
    "pointer": lambda t: re.sub(r"(~SV1.*?)\*[\d:]+~", r"\1*9~", t, count=1),
    "name of segment": lambda t: t.replace("~CLM*", "~C!M*", 1),
    "place": lambda t: t.replace("~HI*", "~SV1*", 1),
    "no lines": lambda t: t.replace("~LX*", "~K3*"),
    "letter": lambda t: t.replace("MILL", "MÏLL", 1),
    "other guide": lambda t: t.replace("005010X222A1", "004010X098A1"),
    "two ST": lambda t: t.replace("~BHT*", "~ST*837*0002~BHT*", 1),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_refused(name: str) -> None:
    """A damaged file is refused; where a segment is to blame, with its number and position."""
    damaged = DAMAGES[name](TEXT)
    assert damaged != TEXT
    with pytest.raises(FhirError) as caught:
        list(read_837(damaged.encode()))
    text = str(caught.value)
    if name not in ("empty", "letter", "other guide"):
        found = re.search(r"Segment (\d+) .* at character (\d+)", text)
        assert found is not None or "IEA" in text


def test_the_place_of_damage_is_right() -> None:
    """Number and position lead to the segment that is damaged."""
    damaged = DAMAGES["date"](TEXT)
    with pytest.raises(FhirError) as caught:
        list(read_837(damaged.encode()))
    found = re.search(r"Segment (\d+) \(DTP\) at character (\d+)", str(caught.value))
    assert found is not None
    position = int(found[2])
    assert damaged[position:].startswith("DTP*472*D8*20260230")
    assert damaged[:position].count("~") == int(found[1]) - 1


def test_any_damage_is_read_or_refused() -> None:
    """Bytes changed at random are read or refused by a FhirError, never anything else."""
    dice, raw = random.Random(6), TEXT.encode()
    for _ in range(1_500):
        changed = bytearray(raw)
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(changed))
            changed[at : at + dice.randrange(3)] = bytes(dice.choice(b"*~:^A09 ") for _ in range(dice.randrange(3)))
        with contextlib.suppress(FhirError):
            list(read_837(bytes(changed)))


def test_delimiters_and_lines_of_others_are_read() -> None:
    """A file with other delimiters and a line for each segment holds the same claims."""
    other = TEXT.translate(str.maketrans("*:~^", "|>'!")).replace("'", "'\r\n")
    assert list(read_837(other.encode())) == list(read_837(TEXT.encode()))


def _enveloped(code: str, kind: str, guide: str, body: str) -> bytes:
    count = body.count("~") + 2
    return (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'PAYER':15}*ZZ*{'SENDER1':15}*261101*1000*^*00501*000000009*0*P*:~"
        f"GS*{code}*PAYER*SENDER1*20261101*1000*9*X*{guide}~ST*{kind}*0001*{guide}~{body}SE*{count}*0001~GE*1*9~IEA*1*000000009~"
    ).encode()


REMITTANCE = (
    "BPR*I*130*C*ACH*CCP*01*1*DA*2*1512345678**01*1*DA*2*20261105~TRN*1*T99*1512345678~DTM*405*20261104~"
    "N1*PR*EXAMPLE HEALTH PLAN~N3*1 MAIN~N4*AUSTIN*TX*78701~N1*PE*MILL LANE CLINIC*XX*1660487640~LX*1~"
    "CLP*A1*1*200*150*20*CI*ICN1*11*1~NM1*QC*1*NOVAK*ROBIN~SVC*HC:99213:25*120*90**1~DTM*472*20260410~CAS*CO*45*20~"
    "CAS*PR*2*10~REF*6R*2~AMT*B6*100~LQ*HE*N1~SVC*HC:J1100*80*60**1~CAS*CO*45*10**96*10~"
    "CLP*A2*4*50*0**CI*ICN2~NM1*QC*1*NOVAK*ROBIN~CAS*CO*29*50~PLB*1660487640*20261231*WO:X1*20~"
)


def test_a_remittance_is_read() -> None:
    """An 835 becomes a PaymentReconciliation that balances and a ClaimResponse for each claim."""
    (found,) = read_835(_enveloped("HP", "835", "005010X221A1", REMITTANCE))
    assert found.reconciliation["paymentAmount"] == {"value": 130, "currency": "USD"}
    assert found.reconciliation["paymentDate"] == "2026-11-05" and "processNote" not in found.reconciliation
    assert [one["amount"]["value"] for one in found.reconciliation["detail"]] == [150, 0, -20]
    paid, denied = found.responses
    assert paid["request"]["identifier"]["value"] == "A1" and paid["identifier"] == [{"value": "ICN1"}]
    assert [item["itemSequence"] for item in paid["item"]] == [2, 2]
    reasons = [a["reason"]["coding"][0]["code"] for item in paid["item"] for a in item["adjudication"] if "reason" in a]
    assert reasons == ["45", "2", "N1", "45", "96"]
    assert denied["disposition"] == "Denied" and denied["adjudication"][0]["amount"]["value"] == 50


def test_a_remittance_that_does_not_balance_says_so() -> None:
    """The sum of an 835 is checked, and the difference told."""
    (found,) = read_835(_enveloped("HP", "835", "005010X221A1", REMITTANCE.replace("I*130*", "I*131*")))
    assert "processNote" in found.reconciliation


@pytest.mark.parametrize(
    "change", [("CLP*A1*", "CLP**"), ("*200*", "*2x0*"), ("20261105", "20261305"), ("N1*PR", "N1*XX")]
)
def test_a_damaged_remittance_is_refused(change: tuple[str, str]) -> None:
    """An 835 without what it needs is refused with the place."""
    with pytest.raises(FhirError, match="Segment"):
        list(read_835(_enveloped("HP", "835", "005010X221A1", REMITTANCE.replace(*change, 1))))


def test_acknowledged_claims_are_told_apart() -> None:
    """A 277CA tells of each claim whether it goes on, with its statuses and those of its lines."""
    body = (
        "BHT*0085*08*1*20261102*1000*TH~HL*1**20*1~NM1*PR*2*PLAN*****PI*12345~TRN*1*9~DTP*050*D8*20261102~"
        "HL*2*1*21*1~NM1*41*2*US*****46*S1~TRN*2*B1~STC*A1:19:PR*20261102*WQ*250~HL*3*2*19*1~NM1*85*2*CLINIC*****XX*1~"
        "HL*4*3*PT~NM1*QC*1*NOVAK*ROBIN~TRN*2*A1~STC*A2:20:PR*20261102*WQ*200~REF*1K*ICN1~"
        "HL*5*3*PT~NM1*QC*1*SILVA*ROBIN~TRN*2*A2~STC*A3:187*20261102*U*50~SVC*HC:99213*50~STC*A7:454**U~REF*FJ*2~"
    )
    good, bad = read_277ca(_enveloped("HN", "277", "005010X214", body))
    assert good.accepted and good.payer_control == "ICN1" and good.day == "2026-11-02" and good.amount == 200
    assert not bad.accepted and [s.code for s in bad.statuses] == ["187"] and bad.lines["2"][0].category == "A7"


def test_faults_of_a_999_are_told() -> None:
    """A 999 tells of each transaction set whether it was taken in, and each fault with its place."""
    body = (
        "AK1*HC*1*005010X222A1~AK2*837*0001*005010X222A1~IK3*NM1*8*2010AA*8~IK4*9*67*1~IK4*3*1035*7~IK3*HI*30**3~"
        "IK5*R*5~AK2*837*0002~IK5*A~AK9*P*2*2*1~"
    )
    (group,) = read_999(_enveloped("FA", "999", "005010X231A1", body))
    first, second = group.transactions
    assert group.accepted and not first.accepted and second.accepted
    assert [(f.segment, f.position, f.element, f.code) for f in first.faults] == [
        ("NM1", 8, "9", "1"), ("NM1", 8, "3", "7"), ("HI", 30, None, "3"),
    ]  # fmt: skip
