"""Expressions and patterns that mean harm: in patches, in profiles and in searches (INPUT-11, INPUT-12)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.conformance.security.test_input import JSON, http, patient
from tests.support.clock import within

__all__ = ["http"]

TWIN = "(a+)+$"
NAME = "a" * 5000 + "b"
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def _quick(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer, for which the work did not run away."""
    with within(30):
        return await call()


def _patch(path: str) -> str:
    """A FHIRPath Patch that deletes what a path finds."""
    part = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]
    return json.dumps({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]})


async def _profiled(http: httpx.AsyncClient, expression: str, asked: dict[str, Any]) -> httpx.Response:
    """`$validate` against a profile with one invariant."""
    url = "https://profiles.example/dear"
    constraint = {"key": "dear-1", "severity": "error", "human": "It is dear", "expression": expression}
    profile = {
        "resourceType": "StructureDefinition", "id": "dear", "url": url, "name": "Dear", "status": "active",
        "kind": "resource", "abstract": False, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {"element": [{"id": "Patient", "path": "Patient", "constraint": [constraint]}]},
    }  # fmt: skip
    assert (await http.put("StructureDefinition/dear", json=profile, headers=JSON)).status_code in (200, 201)
    return await _quick(lambda: http.post("Patient/$validate", params={"profile": url}, json=asked, headers=JSON))


@pytest.mark.check("INPUT-11")
@pytest.mark.parametrize(
    "path",
    [
        f"Patient.name.where(family.matches('{TWIN}'))", "Patient.name.where(family.matches('^(a|a)*$'))",
        f"Patient.name.where(family.replaceMatches('{TWIN}', 'x') = 'x')", "Patient.name.where(family.matches('(((('))",
    ],
    ids=["nested", "overlapping", "replaced", "broken"],
)  # fmt: skip
async def test_input_11_a_pattern_takes_no_time_in_a_patch(http: httpx.AsyncClient, path: str) -> None:
    """Patterns that make engines backtrack are answered or refused at once, and change nothing."""
    await http.put("Patient/p", json=patient(id="p", name=[{"family": NAME}]), headers=JSON)
    answer = await _quick(lambda: http.patch("Patient/p", content=_patch(path), headers=JSON))
    assert answer.status_code in (200, 400, 413, 422)
    assert (await http.get("Patient/p")).json()["name"] == [{"family": NAME}]


@pytest.mark.check("INPUT-11")
async def test_input_11_a_pattern_takes_no_time_in_a_profile_or_a_search(http: httpx.AsyncClient) -> None:
    """Nor as an invariant, as a value of a hundred kilobytes, or where a token looks like a pattern."""
    named = patient(name=[{"family": NAME}] * 20)
    told = await _profiled(http, f"name.family.all(matches('{TWIN}'))", named)
    assert told.status_code == 200 and "dear-1" in told.text
    await http.put("Patient/p", json=patient(id="p", name=[{"family": NAME}]), headers=JSON)
    for name, value in (
        ("name:contains", "a" * 100_000), ("name:contains", "%" * 100_000), ("name", "_" * 100_000),
        ("name:contains", TWIN), ("identifier", f"{TWIN}^(a|a)*$"), ("_filter", f'name co "{"a" * 50_000}"'),
    ):  # fmt: skip
        form = httpx.QueryParams({name: value})
        answer = await _quick(lambda form=form: http.post("Patient/_search", content=str(form), headers=FORM))  # type: ignore[misc]
        assert answer.status_code in (200, 400, 413), name
        assert answer.status_code != 200 or not answer.json().get("entry")


BOMBS = ("Patient" + ".descendants()" * 200, f"Patient.name.where({'(' * 5000}1{')' * 5000} = 1)",
         "Patient.where((1 | 2).repeat($this + 1).exists())",
         "Patient.where(name.family.select($this & $this).repeat($this & $this).exists())")  # fmt: skip


@pytest.mark.check("INPUT-12")
@pytest.mark.parametrize("path", BOMBS, ids=["chain", "parentheses", "counting", "growing"])
async def test_input_12_a_patch_that_never_ends_is_422(http: httpx.AsyncClient, path: str) -> None:
    """A path that nests without end, or makes new items without end, is stopped by its steps; nothing is changed."""
    before = patient(id="p", name=[{"family": "a" * 500}] * 50)
    await http.put("Patient/p", json=before, headers=JSON)
    answer = await _quick(lambda: http.patch("Patient/p", content=_patch(path), headers=JSON))
    assert answer.status_code == 422 and answer.json()["issue"][0]["code"] == "too-costly"
    assert (await http.get("Patient/p")).json()["meta"]["versionId"] == "1"


@pytest.mark.check("INPUT-12")
@pytest.mark.parametrize(
    ("expression", "ends"),
    [
        ("(1 | 2).repeat($this + 1).exists()", True),
        ("descendants().select(%resource.descendants()).select(%resource.descendants()).exists()", True),
        ("repeat(descendants()).exists()", False),
        ("descendants().descendants().descendants().exists().not()", False),
    ],
)
async def test_input_12_an_invariant_that_never_ends_is_an_error(
    http: httpx.AsyncClient, expression: str, ends: bool
) -> None:
    """It is told as too costly, not passed over; a write that claims the profile is 422 then."""
    asked = patient(name=[{"family": "x", "given": ["y"] * 10}] * 50)
    told = (await _profiled(http, expression, asked)).json()["issue"]
    found = [one for one in told if "dear-1" in one.get("diagnostics", "")]
    assert bool(found) is ends
    if ends:
        assert (found[0]["severity"], found[0]["code"]) == ("error", "too-costly")
        claimed = asked | {"meta": {"profile": ["https://profiles.example/dear"]}}
        answer = await _quick(lambda: http.post("Patient", json=claimed, headers=JSON))
        assert answer.status_code in (413, 422)
