"""Jobs, their results and their files belong to who asked; exports hold what was given; on both engines."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

LATER = {"prefer": "respond-async"}


async def kick_off(closed: Any, token: str, method: str, url: str, body: Any = None) -> str:
    answer = await closed.ask(token, method, url, body, **LATER)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["content-location"])


async def test_a_deferred_request_has_the_reach_of_its_caller(closed: Any) -> None:
    """A search that is answered later finds what it would have found at once."""
    mine = closed.token("patient/*.rs", "A")
    status = await kick_off(closed, mine, "GET", "Observation")
    await closed.house.work()
    told = (await closed.ask(mine, "GET", status)).json()["entry"][0]["resource"]
    assert [one["resource"]["id"] for one in told["entry"]] == ["Ao"]


@pytest.mark.check("SCOPE-10")
async def test_a_result_is_its_askers(closed: Any) -> None:
    """SCOPE-10: another client, another patient, another person and a narrower token are told there is no such job."""
    mine = closed.token("patient/*.rs", "A")
    status = await kick_off(closed, mine, "GET", "Observation")
    others = [
        closed.token("patient/*.rs", "B"), closed.token("patient/*.rs", "A", client="other"),
        closed.token("system/*.cruds", client="root"), closed.token("patient/Patient.rs", "A"),
        closed.token("user/*.cruds fhirwright/admin", person="admin", roles=("admin",)),
    ]  # fmt: skip
    for when in ("before", "after"):
        for token in others:
            for method in ("GET", "DELETE"):
                assert (await closed.ask(token, method, status)).status_code == 404, when
        await closed.house.work()
    again = closed.token("patient/*.rs", "A")
    assert (await closed.ask(again, "GET", status)).status_code == 200
    name = status.rpartition("=")[2]
    assert len(re.sub("[^0-9a-f]", "", name)) == 32
    assert len({int(name.replace("-", ""), 16) >> shift & 0xFFFF for shift in (0, 64, 112)}) > 1
    assert (await closed.ask(mine, "GET", status[:-4] + "0000")).status_code == 404


async def test_what_was_revoked_is_not_answered_later(closed: Any) -> None:
    """A job whose authorization ended meanwhile does nothing and says so."""
    mine = closed.token("patient/*.cruds", "A")
    granted = closed.last
    patient = {"resourceType": "Patient", "id": "A", "active": True}
    status = await kick_off(closed, mine, "PUT", "Patient/A", patient)
    closed.revoke(granted)
    await closed.house.work()
    again = closed.token("patient/*.cruds", "A")
    assert (await closed.ask(again, "GET", status)).status_code == 403
    assert "active" not in (await closed.ask(again, "GET", "Patient/A")).json()


@pytest.mark.check("SCOPE-09")
async def test_an_export_needs_scopes_at_system_level(closed: Any) -> None:
    """SCOPE-09: people and apps of patients are refused; a service exports the types that it was given, no other."""
    for token in (closed.token("patient/*.rs", "A"), closed.token("user/*.rs", person="alice")):
        for url in ("$export", "Patient/$export", "Group/g/$export"):
            assert (await closed.ask(token, "GET", url, **LATER)).status_code == 403, url
    some = closed.token("system/Patient.rs", client="bulk")
    asked = await closed.ask(some, "GET", "$export?_type=Patient,Observation", **LATER)
    assert asked.status_code == 403
    lenient = {"prefer": "respond-async, handling=lenient"}
    asked = await closed.ask(some, "GET", "$export?_type=Patient,Observation", **lenient)
    status = asked.headers["content-location"]
    await closed.house.work()
    manifest = (await closed.ask(some, "GET", status)).json()
    assert {one["type"] for one in manifest["output"]} == {"Patient"}
    assert manifest["requiresAccessToken"] is True
    assert (await closed.ask(some, "GET", "$export?_type=Observation", **LATER)).status_code == 403
    assert (
        await closed.ask(some, "GET", "$export?_type=Patient&_typeFilter=Observation%3Fcode%3Dx", **LATER)
    ).status_code >= 400


@pytest.mark.check("SCOPE-09")
@pytest.mark.parametrize("place", ["$export", "Patient/$export"])
async def test_an_export_holds_what_the_filters_find(closed: Any, place: str) -> None:
    """SCOPE-09: a granular scope limits an export; its files are read with a token of the same service only."""
    some = closed.token("system/Observation.rs?subject=Patient/A", client="bulk")
    status = await kick_off(closed, some, "GET", place)
    await closed.house.work()
    manifest = (await closed.ask(some, "GET", status)).json()
    [file] = manifest["output"]
    lines = (await closed.ask(some, "GET", file["url"])).text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["Ao"]
    path = file["url"].partition("/fhir/")[2]
    assert (await closed.http.get(path)).status_code == 401
    for other in (closed.token("system/*.rs", client="other"), closed.token("system/Patient.rs", client="bulk")):
        assert (await closed.ask(other, "GET", file["url"])).status_code == 404


async def test_operations_of_the_server_are_for_its_keepers(closed: Any) -> None:
    """Import, reindex, bulk claims and remittances are refused to whom they are not for."""
    clinician = closed.token("user/*.cruds", person="alice")
    narrow = closed.token("system/Claim.cruds", client="narrow")
    for token, url in (
        (clinician, "$import"), (clinician, "$reindex"), (narrow, "$reindex"), (narrow, "Claim/$submit-bulk"),
        (narrow, "Claim/$remittance"), (closed.token("patient/*.cruds", "A"), "Claim/$remittance"),
    ):  # fmt: skip
        assert (await closed.ask(token, "POST", url, {"resourceType": "Parameters"}, **LATER)).status_code == 403, url


async def test_an_import_writes_what_its_caller_may_write(closed: Any) -> None:
    """Lines beyond the grants of a service are refused one by one."""
    some = closed.token("system/Patient.cruds", client="loader")
    lines = b'{"resourceType":"Patient","id":"i1"}\n'
    lines += b'{"resourceType":"Observation","id":"i2","status":"final","code":{"text":"x"}}\n'
    headers = {"authorization": f"Bearer {some}", "content-type": "application/fhir+ndjson", **LATER}
    answer = await closed.http.post("$import", content=lines, headers=headers)
    assert answer.status_code == 202, answer.text
    await closed.house.work()
    root = closed.token("system/*.rs", client="root")
    assert (await closed.ask(root, "GET", "Patient/i1")).status_code == 200
    assert (await closed.ask(root, "GET", "Observation/i2")).status_code == 404
