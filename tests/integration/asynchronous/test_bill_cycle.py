"""The life of a bill: sent, thrown back, changed, taken, decided, explained, corrected, sent again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from campaigns.claiming.x12_cases import pyx12_accepts, written
from claims.x12.envelope import Envelope
from claims.x12.write837 import interchange
from tests.integration.asynchronous.test_remittance import REMITTANCE, deliver, enveloped, made
from tests.unit.claims.answer.carin import broken

Json = dict[str, Any]
HEAD = (
    "BHT*0085*08*1*20261102*1000*TH~HL*1**20*1~NM1*PR*2*PLAN*****PI*12345~TRN*1*9~DTP*050*D8*20261102~"
    "HL*2*1*21*1~NM1*41*2*US*****46*S1~TRN*2*B1~STC*A1:19:PR*20261102*WQ*250~HL*3*2*19*1~NM1*85*2*CLINIC*****XX*1~"
    "HL*4*3*PT~NM1*QC*1*NOVAK*ROBIN~TRN*2*A00000001~"
)
THROWN_BACK = enveloped("HN", "277", "005010X214", f"{HEAD}STC*A3:187*20261102*U*200~", 21)
TAKEN = enveloped("HN", "277", "005010X214", f"{HEAD}STC*A2:20:PR*20261103*WQ*200~REF*1K*ICN1~", 22)
ENVELOPE = Envelope("SENDER1", "PAYER1", "Mill Lane", "Kim Roe", "5125550100", "PLAN", 8, datetime(2026, 11, 1), "T")


async def test_the_life_of_a_bill(house: Any) -> None:
    """Each door of the payer opens or closes the claim, and what it says goes into explanation and correction."""
    resource = made(1)
    client = house.client

    async def change(name: str) -> int:
        resource["extension"] = [{"url": "http://example.org/changed", "valueString": name}]
        return int((await client.put("Claim/c1", json=resource)).status_code)

    assert await change("before") == 201
    assert (await client.post("Claim/c1/$correct", json={"resourceType": "Parameters"})).status_code == 409
    await deliver(house, written([resource], "professional"))
    assert await change("sent") == 409
    await deliver(house, THROWN_BACK)
    assert await change("thrown back") == 200
    await deliver(house, TAKEN)
    refused = await client.put("Claim/c1", json=resource | {"status": "cancelled"})
    assert refused.status_code == 409 and "$correct" in refused.json()["issue"][0]["diagnostics"]
    await deliver(house, REMITTANCE)
    told = await client.post("Claim/c1/$explanation-of-benefit?network=innetwork")
    explained = told.json()
    assert told.status_code == 200 and explained["identifier"][0]["value"] == "ICN1"
    lacks = [one["valueString"] for one in explained["extension"]]
    assert "item.adjudication: the answer says nothing of a line." in lacks and broken(explained, "professional")
    done = await client.post(
        "Claim/c1/$correct",
        json={"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}]},
    )
    assert done.status_code == 201, done.text
    fresh = done.json()
    assert fresh["related"][0]["reference"]["value"] == "ICN1" and fresh["identifier"][0]["value"] == "A00000001-R1"
    text = "".join(interchange([json.dumps(fresh).encode()], "professional", ENVELOPE))
    assert "REF*F8*ICN1~" in text and ":B:7*" in text and pyx12_accepts(text)[0]
    again = await deliver(house, text)
    assert again["matched"] == 1
    assert (await client.put(f"Claim/{fresh['id']}", json=fresh | {"status": "cancelled"})).status_code == 409
