"""A small world, and short ways to ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from server.interactions.exchange import Response

Call = Callable[..., Response]


BASE = "http://test/fhir"


def entry(kind: str, id_: str, /, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id_, **more}


def ref(target: str) -> dict[str, str]:
    return {"reference": target}


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def observation(name: str, code: str, subject: str, value: float, **more: Any) -> dict[str, Any]:
    quantity = {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    subject_ = ref(subject)
    return entry(
        "Observation", name, status="final", code=coded(code), subject=subject_, valueQuantity=quantity, **more
    )


WORLD = [
    entry("Organization", "org", name="General Hospital", partOf=ref("Organization/top")),
    entry("Organization", "top", name="Holding", partOf=ref("Organization/org")),
    entry("Practitioner", "doc", name=[{"family": "Smith"}]),
    entry(
        "Patient",
        "ann",
        name=[{"family": "Smith", "given": ["Ann Marie"]}],
        birthDate="1980-05-01",
        gender="female",
        managingOrganization=ref("Organization/org"),
        generalPractitioner=[ref("Practitioner/doc")],
    ),
    entry("Patient", "bob", name=[{"family": "Smithson"}], birthDate="1990-01-01", gender="male"),
    entry("Patient", "cid", name=[{"family": "Jones (Jr)"}], gender="male", active=True),
    entry("Group", "grp", type="person", actual=True, identifier=[{"system": "urn:i", "value": "same"}]),
    entry("Device", "dev", identifier=[{"system": "urn:i", "value": "same"}]),
    observation("o1", "a", "Patient/ann", 1, effectiveDateTime="2020-01-01", performer=[ref("Practitioner/doc")]),
    observation("o2", "b", "Patient/ann", 2, effectiveDateTime="2021-01-01"),
    observation("o3", "a", "Patient/bob", 3, effectivePeriod={"start": "2019-06-01", "end": "2020-06-01"}),
    observation("o4", "a", "Group/grp", 4, hasMember=[ref("Observation/o1")]),
    observation("o5", "b", "Device/dev", 5, hasMember=[ref("Observation/o4")]),
    entry("Condition", "c1", subject=ref("Patient/ann"), code=coded("x"), recordedDate="2020-03-01"),
    entry("Condition", "c2", subject=ref("Patient/bob"), code=coded("y"), asserter=ref("Practitioner/doc")),
    entry("List", "fav", status="current", mode="working",
           entry=[{"item": ref(f"Observation/{n}")} for n in ("o2", "o5")]),
    entry("Questionnaire", "q", url="http://example.org/q", status="active"),
    entry("QuestionnaireResponse", "qr", questionnaire="http://example.org/q|1", status="completed"),
]  # fmt: skip


@pytest.fixture(params=[0, 3000])
def stored(call: Call, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The world above; searches take the way along indexes, or gather, which must not matter."""
    monkeypatch.setattr("server.search.find.FEW", request.param)
    for resource in WORLD:
        call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
    return call


def asked(call: Call, url: str, **more: Any) -> dict[str, Any]:
    return json.loads(call("GET", url, **{"prefer": "handling=strict", **more}).body)


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    return [e["resource"]["id"] for e in bundle.get("entry", ()) if e["search"]["mode"] == mode]


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"].removeprefix(BASE).lstrip("/") for link in bundle["link"]}
