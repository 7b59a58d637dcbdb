"""What a caller may not see changes nothing that a search shows: no result, count, order or included resource."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fhir_profiles.definitions import load
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.search.find import run_search
from server.search.query import Limits
from server.search.reach import Reach, whole
from server.search.reading import read_query
from server.search.sql import Sql

HIDDEN = "-hidden"

ROADS = [
    "Patient?_count=7",
    "Patient?name=s&_total=accurate",
    "Patient?gender=male&_sort=-birthdate&_count=5",
    "Patient?_id=p0-hidden,p1",
    "Patient?_sort=general-practitioner:Practitioner.family,_id",
    "Patient?_has:Observation:patient:code=a&_total=accurate",
    "Patient?_has:Observation:patient:code:not=a&_total=accurate",
    "Patient?_has:Observation:patient:performer.family=s",
    "Patient?_has:Observation:patient:_has:Observation:has-member:code=b",
    "Patient?general-practitioner.family=smith&_total=estimate",
    "Patient?general-practitioner:Practitioner._id=d0-hidden",
    "Patient?_filter=general-practitioner.family sw s and not(_has:Observation:patient:code eq b)",
    "Patient?_list=l",
    "Patient?_list=l-hidden",
    "Patient?_id=p1&_revinclude=*",
    "Patient?_id=p1,p2,p3&_include=*&_revinclude=Observation:patient&_include:iterate=Observation:performer",
    "Observation?code=a&_count=4",
    "Observation?code=a,b&_summary=count",
    "Observation?patient.family=s&code=a",
    "Observation?patient.general-practitioner.family=s",
    "Observation?patient:missing=true",
    "Observation?has-member.patient.gender=male&_total=accurate",
    "Observation?_sort=-patient.birthdate,code&_count=9",
    "Observation?code=a&_include=Observation:patient&_include:iterate=Patient:general-practitioner",
    "Observation?_include:iterate=Observation:has-member&_sort=_id&_count=3",
    "Observation?date=ge2019&_sort=date",
    "Observation?code=b&date=ge2019-06&date=lt2021",
    "*?_type=Observation,Patient&_sort=-_lastUpdated&_count=6",
    "*?_type=Observation,Patient,Practitioner&_total=accurate",
    "Patient/p1/*?_total=accurate",
    "Patient/p0-hidden/Observation",
    "Practitioner/d1/*",
]


def _world(dice: random.Random) -> list[dict[str, Any]]:
    """Resources of which a third are hidden, all pointing to each other."""

    def some(letter: str, count: int) -> str:
        n = dice.randrange(count)
        return f"{letter}{n}{HIDDEN if n % 3 == 0 else ''}"

    def ref(kind: str, letter: str, count: int) -> dict[str, str]:
        return {"reference": f"{kind}/{some(letter, count)}"}

    made: list[dict[str, Any]] = []
    for n in range(9):
        name = f"d{n}{HIDDEN if n % 3 == 0 else ''}"
        made.append({"resourceType": "Practitioner", "id": name, "name": [{"family": dice.choice(["Smith", "Jones"])}]})
    for n in range(30):
        patient = {"resourceType": "Patient", "id": f"p{n}{HIDDEN if n % 3 == 0 else ''}"}
        patient |= {"gender": dice.choice(["male", "female"]), "birthDate": f"19{dice.randrange(40, 99)}-01-01"}
        names = [{"family": dice.choice(["Smith", "Stone", "Jones"])}]
        made.append({**patient, "name": names, "generalPractitioner": [ref("Practitioner", "d", 9)]})
    for n in range(90):
        observation: dict[str, Any] = {
            "resourceType": "Observation",
            "id": f"o{n}{HIDDEN if n % 3 == 0 else ''}",
            "status": "final",
            "code": {"coding": [{"system": "urn:s", "code": dice.choice("ab")}]},
            "effectiveDateTime": f"20{dice.randrange(18, 22)}-0{dice.randrange(1, 9)}-01",
            "performer": [ref("Practitioner", "d", 9)],
            "hasMember": [ref("Observation", "o", 90)],
        }
        if n % 5:
            observation["subject"] = ref("Patient", "p", 30)
        made.append(observation)
    for name in ("l", f"l{HIDDEN}"):
        items = [{"item": ref("Patient", "p", 30)} for _ in range(9)]
        made.append({"resourceType": "List", "id": name, "status": "current", "mode": "working", "entry": items})
    return made


def put_all(fhir: Fhir, resources: list[dict[str, Any]], method: str = "PUT") -> None:
    """Store the resources, or delete them."""
    for resource in resources:
        path = (resource["resourceType"], resource["id"])
        fhir.handle_sync(Request(caller=ANYBODY, method=method, path=path, body=json.dumps(resource).encode()))


def _only_visible(resource_type: str) -> Sql:
    """The condition that the id does not say otherwise."""
    text = "{rid} IN (SELECT z.rid FROM resource z WHERE z.type = ? AND z.id NOT LIKE ?)"
    return Sql(text, (resource_type, f"%{HIDDEN}"))


def _nothing_of(resource_type: str) -> Sql | None:
    """The reach that knows all but Observations."""
    return Sql("1 = 0") if resource_type == "Observation" else None


def _answers(fhir: Fhir, asked: str, reach: Reach) -> list[Any]:
    """All that the pages of a search say, in order."""
    path, _, text = asked.partition("?")
    pairs = parse_qsl(text.replace("+", "%2B"))
    parts = path.split("/")
    within = (parts[0], parts[1]) if len(parts) == 3 else None
    kinds: Any = load().resource_types if parts[-1] == "*" else parts[-1]
    if within and parts[-1] == "*":
        kinds = tuple(sorted({*load().compartment(within[0]), within[0]}))
    said: list[Any] = []
    while True:
        query = read_query(kinds, pairs, strict=True, limits=Limits(), within=within)
        page = run_search(fhir.store, query, reach)
        said.append([f"{found.type}/{found.id}" for found in page.matches])
        said.append(sorted(f"{found.type}/{found.id}" for found in page.included))
        said.append((page.total, page.previous is None, page.problems))
        if page.cursor is None:
            return said
        pairs = [pair for pair in pairs if pair[0] != "_cursor"] + [("_cursor", page.cursor)]


@pytest.mark.parametrize("few", [0, 20, 3000])
def test_what_is_hidden_is_as_if_it_were_not_there(fhir: Fhir, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every road answers with a reach as a store would that never had the hidden resources."""
    monkeypatch.setattr("server.search.find.FEW", few)
    world = _world(random.Random(3))
    put_all(fhir, world)
    limited = {asked: _answers(fhir, asked, _only_visible) for asked in ROADS}
    unlimited = {asked: _answers(fhir, asked, whole) for asked in ROADS}
    assert sum(limited[asked] != unlimited[asked] for asked in ROADS) > len(ROADS) * 3 // 4
    for resource in world:
        if resource["id"].endswith(HIDDEN):
            put_all(fhir, [resource], method="DELETE")
    for asked in ROADS:
        assert limited[asked] == _answers(fhir, asked, whole), asked
        assert HIDDEN not in str(limited[asked])


def test_a_type_out_of_reach_is_nowhere(fhir: Fhir) -> None:
    """Where a whole type is hidden neither chains nor includes nor counts know of it."""
    world = _world(random.Random(5))
    put_all(fhir, world)
    limited = {asked: _answers(fhir, asked, _nothing_of) for asked in ROADS}
    for resource in world:
        if resource["resourceType"] == "Observation":
            put_all(fhir, [resource], method="DELETE")
    for asked in ROADS:
        assert limited[asked] == _answers(fhir, asked, whole), asked
