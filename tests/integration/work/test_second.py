"""A second look is written by the server: whoever takes one has no right by which decisions could be made up.

docs/review.md
"""

from __future__ import annotations

from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from fhir_profiles import json
from fhir_profiles.systems import CODING_DECISION, TASK_CODE
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.review.gather import claim_of
from server.review.second_task import look_id, score_of
from tests.integration.work.conftest import House, Someone, words

DOCUMENT = "DocumentReference/looked"


@pytest.fixture
def coded(house: House) -> House:
    """The house with a document that nobody looked at, made once."""
    if house.fhir.store.read("DocumentReference", "looked") is None:
        house.coded("looked")
    return house


async def send(someone: Someone, method: str, path: str, body: str = "") -> str:
    """A FHIR request with the person's own rights: what the console tells of its answer."""
    return words(await someone.post("/work/console", method=method, path=path, body=body))


def cards(page: Any) -> list[str]:
    """The suggestions on a page."""
    found = LexborHTMLParser(page.text).css("li.s")
    return [str(one.attributes["id"]) for one in found]


async def test_an_auditor_writes_no_decision_and_no_task(coded: House) -> None:
    """By the FHIR API neither a Provenance nor a Task is created or changed, whatever it says to be."""
    auditor, body_of = coded.people["auditor"], '{"resourceType":"%s",%s}'
    opinion = '"target":[{"reference":"%s"}],"recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]'
    made = body_of % (
        "Provenance",
        opinion % DOCUMENT + ',"activity":{"coding":[{"system":"%s","code":"second-look"}]}',
    )
    look = f'"id":"x","status":"completed","intent":"order","code":{{"coding":[{{"system":"{TASK_CODE}",'
    look += '"code":"second-look"}]}'
    for method, path, body in (
        ("POST", "Provenance", made % CODING_DECISION), ("PUT", "Task/x", body_of % ("Task", look)),
        ("PUT", f"Task/{look_id('looked')}", (body_of % ("Task", look)).replace('"x"', f'"{look_id("looked")}"')),
    ):  # fmt: skip
        assert "403" in await send(auditor, method, path, body), path
    assert coded.fhir.store.read("Task", "x") is None


async def test_a_look_is_taken_finished_and_counted(coded: House) -> None:
    """Opinions by the page, undo, the score at the end; the claim stays; the figure of agreement has it."""
    auditor, before = coded.people["auditor"], coded.claim("looked")["meta"]["versionId"]
    page = f"/work/second/{DOCUMENT.partition('/')[2]}"
    suggested = cards(await auditor.get(page))
    assert len(suggested) > 1
    refused = await auditor.post(f"{page}/finish")
    assert refused.headers["x-refused"] == "422"
    for target in suggested:
        answer = await auditor.post(f"{page}/opinion", kind="accept", target=target)
        assert "x-refused" not in answer.headers, words(answer)
    await auditor.post(f"{page}/opinion", kind="undo")
    other = await coded.people["second"].post(f"{page}/opinion", kind="accept", target=suggested[-1])
    assert other.headers["x-refused"] == "409", "somebody else has it"
    await auditor.post(f"{page}/opinion", kind="reject", target=suggested[-1], reason="not-documented")
    bad = await auditor.post(f"{page}/opinion", kind="add", system="http://hl7.org/fhir/sid/icd-10-cm", code="E11")
    assert bad.headers["x-refused"] in ("400", "422"), "a heading is no code to bill"
    finish = await auditor.post(f"{page}/finish")
    assert finish.headers["x-go-to"] == page
    task = coded.do("GET", f"Task/{look_id('looked')}")
    score = score_of(task)
    assert score is not None and 0 < score.jaccard < 1
    assert task["owner"]["reference"] == "Practitioner/auditor"
    assert coded.do("GET", claim_of(DOCUMENT))["meta"]["versionId"] == before
    operation = coded.app.state.parts.operations.find(("$figures",))
    asked = Request(method="GET", path=("$figures",), query=(("of", "quality"),), caller=ANYBODY)
    told = json.decode((await operation.handler(asked)).body)
    agreed = next(
        {part["name"]: part for part in one["part"]} for one in told["parameter"]
        if {"name": "name", "valueCode": "agreement"} in one.get("part", ())
    )  # fmt: skip
    assert float(agreed["value"]["valueDecimal"]) == pytest.approx(score.jaccard, abs=0.01), (
        "the one finished look of this house"
    )
    told = coded.fhir.store.query("SELECT COUNT(*) FROM resource WHERE type = 'Provenance' AND change <> 'D'")
    assert told[0][0] >= len(suggested) + 2


async def test_what_is_sent_is_checked(coded: House) -> None:
    """No other kind, nothing too long, no look at one's own decisions by nobody who may not see the document."""
    biller, coder, path = coded.people["biller"], coded.people["coder"], f"{DOCUMENT}/$second-look"
    body = '{"resourceType":"Parameters","parameter":[{"name":"kind","valueString":"%s"}]}'
    assert "403" in await send(biller, "POST", path, body % "finish")
    assert "400" in await send(coder, "POST", path, body % "principal")
    assert "404" in await send(coder, "POST", "DocumentReference/none/$second-look", body % "finish")
