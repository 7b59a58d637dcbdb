"""What a scope lets do and what not, over HTTP with tokens of whole flows, on both engines (SCOPE-01 to SCOPE-07)."""

from __future__ import annotations

from typing import Any

import pytest

from server.access.grants import read_scope
from tests.conformance.security.conftest import LAB, NUMBERS, VITAL, Ground, keys, observation

ONLY_LAB = f"patient/Observation.cruds?{LAB}"


@pytest.mark.check("SCOPE-01")
async def test_scope_01_without_a_token_nothing_is_told(ground: Ground) -> None:
    """SCOPE-01: 401 with WWW-Authenticate and an OperationOutcome, whatever is asked; three documents are public."""
    asked = [
        ("GET", "Patient/A"), ("GET", "Patient/A/_history/1"), ("GET", "Patient"), ("POST", "Patient/_search"),
        ("GET", "Patient/A/_history"), ("GET", "Patient/_history"), ("GET", "_history"), ("POST", "Patient"),
        ("PUT", "Patient/A"), ("PATCH", "Patient/A"), ("DELETE", "Patient/A"), ("POST", ""), ("GET", "$export"),
        ("GET", "Patient/A/$everything"), ("GET", "$graphql?query={x}"), ("GET", "Patient/A/Observation"),
        ("GET", "Patient/A/$meta"), ("GET", "Observation/$lastn"), ("GET", "Patient/none"),
    ]  # fmt: skip
    for header in (
        {},
        {"authorization": "Bearer made-up"},
        {"authorization": "Bearer"},
        {"authorization": "Basic eDp5"},
    ):
        for method, path in asked:
            answer = await ground.http.request(method, f"/fhir/{path}" if path else "/fhir", headers=header)
            assert answer.status_code == 401, (method, path, header)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["resourceType"] == "OperationOutcome"
            assert "Fam" not in answer.text
    for public in ("/fhir/metadata", "/fhir/.well-known/smart-configuration"):
        assert (await ground.http.get(public)).status_code == 200, public


@pytest.mark.check("SCOPE-03")
@pytest.mark.parametrize("letters", ["sr", "rr", "x", "", "rus.", "cr us", "Rs", "dc", "r*", "*s", "reads"])
def test_scope_03_letters_out_of_order_are_no_scope(letters: str) -> None:
    """SCOPE-03: letters out of order, twice or unknown name nothing."""
    assert read_scope(f"patient/Observation.{letters}") is None


@pytest.mark.check("SCOPE-03")
async def test_scope_03_what_is_not_well_formed_is_not_granted(ground: Ground) -> None:
    """SCOPE-03: asked for beside another, it is not among what is granted, and gives nothing."""
    told = await ground.tokens(client="wide", scope="launch/patient patient/Patient.rs patient/Observation.sr")
    assert "Observation" not in told["scope"]
    assert (await ground.get("Observation/A1", told["access_token"])).status_code == 403


@pytest.mark.check("SCOPE-04")
async def test_scope_04_a_granular_scope_is_a_filter_everywhere(ground: Ground) -> None:
    """SCOPE-04: laboratory only: vital signs are not read, searched, counted, included, in a history, or changed."""
    scope = f"{ONLY_LAB} patient/Encounter.rs patient/Patient.rs"
    for url in ("Observation/A2", "Observation/A2/_history/1", "Observation/A2/_history"):
        assert (await ground.see(url, scope=scope)).status_code == 404, url
    assert await ground.found("Observation", scope=scope) == ["Observation/A1", "Observation/moved"]
    assert await ground.total("Observation?_total=accurate&_count=1", scope=scope) == 2
    assert "Observation/A2" not in await ground.found("Patient?_revinclude=Observation:patient", scope=scope)
    assert "Observation/A2" not in await ground.found("Observation/_history", scope=scope)
    assert "Observation/A2" not in await ground.found("Patient/A/$everything", scope=scope)
    same = observation("A", "vital-signs", id="A2", value=1)
    assert (await ground.send("PUT", "Observation/A2", same, scope=scope)).status_code == 404
    assert (await ground.send("POST", "Observation", observation("A", "vital-signs"), scope=scope)).status_code == 403
    moved = observation("A", "vital-signs", id="A1")
    assert (await ground.send("PUT", "Observation/A1", moved, scope=scope)).status_code == 403
    await ground.send("DELETE", "Observation/A2", scope=scope)
    assert (await ground.see("Observation/A2")).json()["meta"]["versionId"] == "1"


@pytest.mark.check("SCOPE-05")
async def test_scope_05_scopes_add_up_to_their_union(ground: Ground) -> None:
    """SCOPE-05: the whole type and a part of it give the whole; two parts give both, and nothing else."""
    assert len(await ground.found("Observation", scope=f"{ONLY_LAB} patient/Observation.rs")) == 3
    both = f"patient/Observation.rs?{LAB} patient/Observation.rs?{VITAL}"
    assert len(await ground.found("Observation", scope=both)) == 3
    assert (await ground.see("Patient/A", scope=both)).status_code == 403
    mixed = f"{ONLY_LAB} patient/Observation.rs"
    same = observation("A", "vital-signs", id="A2", value=1)
    assert (await ground.send("PUT", "Observation/A2", same, scope=mixed)).status_code == 404


@pytest.mark.check("SCOPE-06")
async def test_scope_06_entries_are_checked_one_by_one(ground: Ground) -> None:
    """SCOPE-06: in a batch each entry has its own answer; a transaction with a forbidden entry writes nothing."""

    def entry(method: str, url: str, resource: Any = None) -> dict[str, Any]:
        return {"request": {"method": method, "url": url}} | ({"resource": resource} if resource else {})

    bundle = {
        "resourceType": "Bundle", "type": "batch",
        "entry": [
            entry("POST", "Observation", observation("A")), entry("POST", "Observation", observation("B")),
            entry("GET", "Observation/A1"), entry("GET", "Observation/B1"), entry("GET", "Patient/A"),
            entry("PUT", "Encounter/EA", {"resourceType": "Encounter", "id": "EA"}),
        ],
    }  # fmt: skip
    answer = await ground.send("POST", "", bundle, scope="patient/Observation.cruds")
    got = [one["response"]["status"][:3] for one in answer.json()["entry"]]
    assert got[:5] == ["201", "403", "200", "404", "403"]
    assert got[5][0] == "4"
    before = await ground.total("Observation?_total=accurate")
    bundle |= {"type": "transaction", "entry": bundle["entry"][:2]}  # type: ignore[index]
    assert (await ground.send("POST", "", bundle, scope="patient/Observation.cruds")).status_code == 403
    assert await ground.total("Observation?_total=accurate") == before


@pytest.mark.check("SCOPE-07")
async def test_scope_07_a_condition_needs_the_right_to_search(ground: Ground) -> None:
    """SCOPE-07: conditional forms with `c`, `u` or `d` alone are refused alike, whether there is something or not."""
    scope = "patient/Observation.cud"
    for value in ("obs-A", "obs-B", "obs-none"):
        query = f"identifier={NUMBERS}|{value}"
        one = observation("A")
        merge = {"content_type": "application/merge-patch+json"}
        answers = [
            await ground.send("PUT", f"Observation?{query}", one, scope=scope),
            await ground.send("POST", "Observation", one, scope=scope, if_none_exist=query),
            await ground.send("DELETE", f"Observation?{query}", scope=scope),
            await ground.send("PATCH", f"Observation?{query}", "{}", scope=scope, **merge),
        ]
        assert [one.status_code for one in answers] == [403] * 4, value
    assert len(keys((await ground.see("Observation")).json())) == 3
