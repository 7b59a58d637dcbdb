"""`Claim/$remittance`: what payers answer in X12 becomes ClaimResponses, payments and Tasks."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from campaigns.claiming.making import claim
from campaigns.claiming.x12_cases import written
from claims.correct import payer_number
from claims.work import state_of
from fhir_profiles import json as fhir_json
from fhir_profiles.validate import check

Json = dict[str, Any]
X12 = {"content-type": "application/edi-x12"}


def enveloped(code: str, kind: str, guide: str, body: str, control: int = 9) -> str:
    count = body.count("~") + 2
    return (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'PAYER':15}*ZZ*{'SENDER1':15}*261101*1000*^*00501*{control:09}*0*P*:~"
        f"GS*{code}*PAYER*SENDER1*20261101*1000*9*X*{guide}~ST*{kind}*0001*{guide}~{body}SE*{count}*0001~GE*1*9~"
        f"IEA*1*{control:09}~"
    )


REMITTANCE = enveloped(
    "HP",
    "835",
    "005010X221A1",
    "BPR*I*150*C*ACH*CCP*01*1*DA*2*1512345678**01*1*DA*2*20261105~TRN*1*T99*1512345678~DTM*405*20261104~"
    "N1*PR*EXAMPLE HEALTH PLAN~N3*1 MAIN~N4*AUSTIN*TX*78701~N1*PE*MILL LANE CLINIC*XX*1660487640~LX*1~"
    "CLP*A00000001*1*200*150**CI*ICN1*11*1~NM1*QC*1*NOVAK*ROBIN~SVC*HC:99213*200*150**1~CAS*CO*45*50~"
    "CLP*A00000002*4*50*0**CI*ICN2~NM1*QC*1*NOVAK*ROBIN~CAS*CO*29*50~"
    "CLP*B7*1*10*0**CI*ICN3~NM1*QC*1*SILVA*ROBIN~CAS*PR*1*10~",
)
ACKNOWLEDGED = enveloped(
    "HN",
    "277",
    "005010X214",
    "BHT*0085*08*1*20261102*1000*TH~HL*1**20*1~NM1*PR*2*PLAN*****PI*12345~TRN*1*9~DTP*050*D8*20261102~"
    "HL*2*1*21*1~NM1*41*2*US*****46*S1~TRN*2*B1~STC*A1:19:PR*20261102*WQ*250~HL*3*2*19*1~NM1*85*2*CLINIC*****XX*1~"
    "HL*4*3*PT~NM1*QC*1*NOVAK*ROBIN~TRN*2*A00000001~STC*A2:20:PR*20261102*WQ*200~REF*1K*ICN1~"
    "HL*5*3*PT~NM1*QC*1*SILVA*ROBIN~TRN*2*A00000002~STC*A3:187*20261102*U*50~SVC*HC:99213*50~STC*A7:454**U~REF*FJ*2~",
)
REFUSED = enveloped(
    "FA",
    "999",
    "005010X231A1",
    "AK1*HC*1*005010X222A1~AK2*837*0001*005010X222A1~IK3*NM1*8*2010AA*8~IK4*9*67*1~IK5*R*5~AK9*R*1*1*0~",
)
TAKEN = enveloped("FA", "999", "005010X231A1", "AK1*HC*1*005010X222A1~AK2*837*0001*005010X222A1~IK5*A~AK9*A*1*1*1~", 10)


def made(number: int) -> Json:
    found = claim(random.Random(number), number)
    for item in found["item"]:
        item["quantity"]["system"] = "urn:units"
    return found


@pytest.fixture
async def stored(house: Any) -> None:
    """Two claims that were sent: A00000001 and A00000002."""
    for number in (1, 2):
        answer = await house.client.put(f"Claim/c{number}", json=made(number))
        assert answer.status_code == 201, answer.text


async def deliver(house: Any, text: str) -> Json:
    """The parameters of the answer by name."""
    answer = await house.client.post("Claim/$remittance", content=text, headers=X12)
    assert answer.status_code == 200, answer.text
    found: Json = {"missing": {}, "payment": []}
    for one in answer.json()["parameter"]:
        if one["name"] == "missing":
            number, reason = (part["valueString"] for part in one["part"])
            found["missing"][number] = reason
        elif one["name"] == "payment":
            found["payment"].append(one["valueReference"]["reference"])
        else:
            found[one["name"]] = next(v for k, v in one.items() if k.startswith("value"))
    return found


async def answers(house: Any, query: str) -> list[Json]:
    found = (await house.client.get(f"ClaimResponse?{query}")).json().get("entry", [])
    resources = [entry["resource"] for entry in found]
    assert all(check(fhir_json.decode(json.dumps(one).encode())) == [] for one in resources)
    return resources


async def task(house: Any, name: str) -> tuple[str, str] | None:
    found = (await house.client.get(f"Task?focus=Claim/{name}")).json().get("entry", [])
    return (found[0]["resource"]["status"], state_of(found[0]["resource"])) if found else None


async def history(house: Any) -> dict[str, int]:
    """How many versions there are of each type."""
    kinds = ("ClaimResponse", "PaymentReconciliation", "Task", "Claim", "List", "Communication")
    totals = {}
    for kind in kinds:
        totals[kind] = int((await house.client.get(f"{kind}/_history?_count=1")).json()["total"])
    return totals


async def test_a_remittance_is_stored_and_linked(house: Any, stored: None) -> None:
    """ClaimResponses refer to their Claims, the payment to both; a denial is work, a payment is not."""
    found = await deliver(house, REMITTANCE)
    assert (found["kind"], found["matched"], found["unmatched"], found["known"]) == ("835", 2, 1, False)
    assert found["control"] == "PAYER-000000009"
    [paid] = await answers(house, "request=Claim/c1")
    assert payer_number([paid]) == {"value": "ICN1"} and paid["payment"]["amount"]["value"] == 150
    [payment] = found["payment"]
    reconciliation = (await house.client.get(payment)).json()
    assert check(fhir_json.decode(json.dumps(reconciliation).encode())) == []
    first = reconciliation["detail"][0]
    assert first["request"]["reference"] == "Claim/c1"
    assert first["response"]["reference"] == f"ClaimResponse/{paid['id']}"
    assert await task(house, "c1") is None
    assert await task(house, "c2") == ("requested", "denied")


async def test_nothing_is_lost(house: Any, stored: None) -> None:
    """An answer to a claim that is not here is stored and told; so is the file, byte for byte."""
    found = await deliver(house, REMITTANCE)
    assert found["missing"] == {"B7": "no stored claim has this number"}
    every = await answers(house, "_count=50")
    [lost] = [one for one in every if "reference" not in one["request"]]
    assert lost["request"]["identifier"]["value"] == "B7"
    kept = (await house.client.get(found["file"]["reference"])).json()
    assert base64.b64decode(kept["payload"][0]["contentAttachment"]["data"]).decode() == REMITTANCE
    assert kept["payload"][1]["contentString"] == "B7: no stored claim has this number"


@pytest.mark.parametrize("text", [REMITTANCE, ACKNOWLEDGED])
async def test_the_same_file_again_changes_nothing(house: Any, stored: None, text: str) -> None:
    """No new version of anything; a claim that is stored since is linked then."""
    await deliver(house, text)
    before = await history(house)
    found = await deliver(house, text)
    assert found["known"] is True and await history(house) == before
    if found["unmatched"]:
        late = made(7)
        late["identifier"][0]["value"] = "b7"  # X12 has capitals only
        await house.client.put("Claim/c7", json=late)
        found = await deliver(house, text)
        assert found["unmatched"] == 0 and len(await answers(house, "request=Claim/c7")) == 1


async def test_acknowledged_claims_wait_and_rejected_ones_are_work(house: Any, stored: None) -> None:
    """A 277CA: queued with the payer's number, or an error with its statuses; the Tasks say where each claim stands."""
    found = await deliver(house, ACKNOWLEDGED)
    assert (found["kind"], found["matched"]) == ("277ca", 2)
    [queued] = await answers(house, "request=Claim/c1")
    assert (queued["outcome"], payer_number([queued])) == ("queued", {"value": "ICN1"})
    [error] = await answers(house, "request=Claim/c2")
    assert error["outcome"] == "error" and error["error"][1]["itemSequence"] == 2
    assert await task(house, "c1") == ("accepted", "accepted")
    assert await task(house, "c2") == ("requested", "rejected")
    await deliver(house, REMITTANCE)
    assert await task(house, "c1") == ("completed", "paid")


async def test_a_999_answers_what_was_sent(house: Any, stored: None) -> None:
    """The 837 tells which claims were sent, which are bills from then on; its 999 refuses or takes them."""
    sent = await deliver(house, written([made(1), made(2), made(3)], "professional"))
    assert (sent["kind"], sent["matched"], set(sent["missing"])) == ("837", 2, {"A00000003"})
    changed = (await house.client.get("Claim/c1")).json()
    assert changed["meta"]["tag"][0]["code"] == "exported"
    assert (await house.client.put("Claim/c1", json={**changed, "status": "cancelled"})).status_code == 409
    found = await deliver(house, REFUSED)
    assert (found["kind"], found["matched"]) == ("999", 2)
    assert await task(house, "c1") == ("requested", "refused")
    [told] = (await house.client.get("Task?focus=Claim/c1")).json()["entry"]
    assert "segment NM1 at 8" in told["resource"]["reasonCode"]["text"]
    await deliver(house, TAKEN)
    assert await task(house, "c1") == ("received", "received")
    await deliver(house, REFUSED)  # once more, as files come twice
    assert await task(house, "c1") == ("received", "received")


async def test_a_receipt_of_what_nobody_sent_is_kept(house: Any) -> None:
    """A 999 whose group is not known is stored and told."""
    found = await deliver(house, TAKEN)
    assert found["missing"] == {"1-0001": "nothing is known to have been sent under this number"}
    assert (await house.client.get(found["file"]["reference"])).status_code == 200


async def test_two_claims_with_a_number_are_not_confused(house: Any, stored: None) -> None:
    """An answer is linked to neither; when one of them is cancelled, to the other."""
    twin = {**made(1), "id": "twin"}
    await house.client.put("Claim/twin", json=twin)
    found = await deliver(house, REMITTANCE)
    assert found["missing"]["A00000001"] == "several stored claims have this number"
    await house.client.put("Claim/twin", json={**twin, "status": "cancelled"})
    assert "A00000001" not in (await deliver(house, REMITTANCE))["missing"]


async def test_a_file_in_parameters_is_read(house: Any, stored: None) -> None:
    """`file` in base64 says what the file as the body says."""
    data = base64.b64encode(REMITTANCE.encode()).decode()
    asked = {"resourceType": "Parameters", "parameter": [{"name": "file", "valueBase64Binary": data}]}
    answer = await house.client.post("Claim/$remittance", json=asked)
    assert answer.status_code == 200 and answer.json()["parameter"][0]["valueCode"] == "835"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ISA*nothing",
        REMITTANCE[:-20],
        REMITTANCE.replace("CLP*A00000001*", "CLP**"),
        REMITTANCE.replace("835", "834"),
    ],
)
async def test_what_is_damaged_is_refused_whole(house: Any, stored: None, text: str) -> None:
    """A file that cannot be read leaves nothing behind; the error says where, not what."""
    answer = await house.client.post("Claim/$remittance", content=text, headers=X12)
    assert answer.status_code == 400 and "NOVAK" not in answer.text
    assert (await history(house))["Communication"] == 0 and await answers(house, "_count=9") == []
