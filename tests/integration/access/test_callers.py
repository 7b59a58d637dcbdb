"""What callers with grants see and change, on both engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import NOBODY, Caller
from server.access.grants import read_scopes
from server.http.errors import status_of
from server.interactions.exchange import Response

Call = Callable[..., Response]
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def patient(*scopes: str) -> Caller:
    """The token of patient A."""
    return Caller(who="app", grants=read_scopes(scopes), patient="A")


def observation(name: str, subject: str, category: str = "laboratory", **more: Any) -> dict[str, Any]:
    """An Observation of somebody."""
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"text": "x"},
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "subject": {"reference": f"Patient/{subject}"},
        **more,
    }


@pytest.fixture
def world(call: Call) -> Call:
    """Two patients with an observation of each kind, and a doctor."""
    call("PUT", "Practitioner/d", {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Smith"}]})
    for name in "AB":
        call("PUT", f"Patient/{name}", {"resourceType": "Patient", "id": name, "name": [{"family": f"Fam{name}"}]})
        for kind in ("laboratory", "vital-signs"):
            made = observation(f"{name}-{kind}", name, kind, performer=[{"reference": "Practitioner/d"}])
            call("PUT", f"Observation/{name}-{kind}", made)
    return call


def found(answer: Response) -> list[str]:
    """What a Bundle holds."""
    return sorted(
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in json.loads(answer.body).get("entry", [])
        if "resource" in entry
    )


def status(call: Call, *args: Any, **more: Any) -> int:
    """The status of a call, also where it is refused."""
    try:
        return call(*args, **more).status
    except FhirError as error:
        return status_of(error)


def test_nobody_may_do_anything(world: Call) -> None:
    """A caller without grants is refused whatever it asks."""
    for method, url in [
        ("GET", "Patient/A"),
        ("GET", "Patient"),
        ("GET", "_history"),
        ("DELETE", "Patient/A"),
        ("GET", ""),
    ]:
        assert status(world, method, url, caller=NOBODY) == 403, url


def test_a_patient_sees_what_is_its_own(world: Call) -> None:
    """Search, read, include, total and history hold the compartment and nothing else."""
    me = patient("patient/*.rs")
    assert found(world("GET", "Observation", caller=me)) == ["Observation/A-laboratory", "Observation/A-vital-signs"]
    assert found(world("GET", "Patient", caller=me)) == ["Patient/A"]
    assert json.loads(world("GET", "Observation?_total=accurate&_count=1", caller=me).body)["total"] == 2
    assert found(world("GET", "Observation?subject=Patient/B", caller=me)) == []
    included = found(world("GET", "Observation?_include=*&_revinclude=*", caller=me))
    assert included == ["Observation/A-laboratory", "Observation/A-vital-signs", "Patient/A", "Practitioner/d"]
    assert status(world, "GET", "Observation/A-laboratory", caller=me) == 200
    assert status(world, "GET", "Observation/B-laboratory", caller=me) == 404
    assert status(world, "GET", "Observation/B-laboratory", caller=me, if_none_match='W/"1"') == 404
    assert status(world, "GET", "Observation/B-laboratory/_history/1", caller=me) == 404
    assert status(world, "GET", "Observation/B-laboratory/_history", caller=me) == 404
    assert status(world, "GET", "Basic", caller=me) == 200
    assert status(world, "GET", "Questionnaire", caller=me) == 403
    assert found(world("GET", "_history", caller=me)) == [
        "Observation/A-laboratory", "Observation/A-vital-signs", "Patient/A", "Practitioner/d",
    ]  # fmt: skip


def test_a_filter_is_a_wall(world: Call) -> None:
    """A granular scope gives what its search finds, by every road, and two of them the union."""
    me = patient(f"patient/Observation.rs?category={CATEGORY}|laboratory")
    assert found(world("GET", "Observation", caller=me)) == ["Observation/A-laboratory"]
    assert status(world, "GET", "Observation/A-vital-signs", caller=me) == 404
    assert status(world, "GET", "Observation/A-laboratory/_history/1", caller=me) == 200
    assert status(world, "GET", "Patient/A", caller=me) == 403
    both = patient(
        f"patient/Observation.rs?category={CATEGORY}|laboratory",
        f"patient/Observation.rs?category={CATEGORY}|vital-signs",
    )
    assert len(found(world("GET", "Observation", caller=both))) == 2


def test_a_question_about_what_may_not_be_searched_is_refused(world: Call) -> None:
    """Chains, `_has` and sort keys over a type without the right would tell of it."""
    me = patient("patient/Observation.rs")
    for url in ("Observation?patient.name=FamB", "Observation?_sort=patient.birthdate"):
        assert status(world, "GET", url, caller=me) == 403, url
    assert status(world, "GET", "Patient?_has:Observation:patient:code=x", caller=patient("patient/Patient.rs")) == 403


def test_writes_stay_within_the_compartment(world: Call) -> None:
    """What is written must be the caller's before and after; what is another's is as if it were not there."""
    me = patient("patient/Observation.cruds")
    assert status(world, "POST", "Observation", observation("n", "A"), caller=me) == 201
    assert status(world, "POST", "Observation", observation("n", "B"), caller=me) == 403
    assert status(world, "PUT", "Observation/A-laboratory", observation("A-laboratory", "B"), caller=me) == 403
    assert status(world, "PUT", "Observation/B-laboratory", observation("B-laboratory", "A"), caller=me) == 404
    assert status(world, "DELETE", "Observation/B-laboratory", caller=me) == 204
    assert status(world, "GET", "Observation/B-laboratory") == 200
    assert status(world, "DELETE", "Observation/A-laboratory", caller=patient("patient/Observation.rs")) == 403
    assert status(world, "DELETE", "Observation/A-laboratory", caller=me) == 204


def test_who_may_not_write_hears_so_before_the_body_is_read(world: Call) -> None:
    """A body that is no resource is 403 to who may not write the type, and 400 to who may."""
    wrong = {"resourceType": "Observation", "id": "n", "status": 1}
    for method, url in (("POST", "Observation"), ("PUT", "Observation/n"), ("PUT", "Observation?code=x")):
        assert status(world, method, url, wrong, caller=patient("patient/Observation.rs")) == 403, url
        assert status(world, method, url, wrong, caller=patient("patient/Observation.cruds")) in (400, 422), url
    assert status(world, "PATCH", "Observation/A-laboratory", {}, caller=patient("patient/Observation.rs")) == 403


def test_a_condition_is_a_search(world: Call) -> None:
    """Conditional forms need the right to search, and find what the caller may see."""
    writer = patient("patient/Observation.cu")
    one = observation("n", "A")
    assert status(world, "POST", "Observation", one, caller=writer, if_none_exist="code=x") == 403
    assert status(world, "PUT", "Observation?_id=B-laboratory", one, caller=writer) == 403
    me = patient("patient/Observation.cruds")
    made = world("POST", "Observation", one, caller=me, if_none_exist="_id=B-laboratory")
    assert made.status == 201
    assert status(world, "DELETE", "Observation?_id=B-laboratory", caller=me) == 204
    assert status(world, "GET", "Observation/B-laboratory") == 200


def test_a_person_is_held_to_the_role(world: Call) -> None:
    """A grant at user level gives what the role gives too."""
    role = read_scopes(["user/Observation.rs"])
    me = Caller(who="u", grants=read_scopes(["user/*.cruds"]), role=role)
    assert len(found(world("GET", "Observation", caller=me))) == 4
    assert status(world, "GET", "Patient/A", caller=me) == 403
    assert status(world, "POST", "Observation", observation("n", "A"), caller=me) == 403


def test_a_transaction_is_refused_whole(world: Call) -> None:
    """Each entry is held to the grants; one that is refused ends all."""
    me = patient("patient/Observation.cruds")

    def entry(method: str, url: str, resource: Any = None) -> dict[str, Any]:
        return {"request": {"method": method, "url": url}} | ({"resource": resource} if resource else {})

    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [entry("POST", "Observation", observation("n", "A")), entry("GET", "Patient/A")],
    }
    assert status(world, "POST", "", bundle, caller=me) == 403
    assert len(found(world("GET", "Observation", caller=me))) == 2
    bundle["type"] = "batch"
    answers = json.loads(world("POST", "", bundle, caller=me).body)["entry"]
    assert [answer["response"]["status"][:3] for answer in answers] == ["201", "403"]


@pytest.mark.check("COMP-27")
def test_a_link_to_a_patient_opens_nothing(world: Call) -> None:
    """COMP-27: a record that is linked to the patient's is not the patient's; nor is it the other way."""
    linked = {"resourceType": "Patient", "id": "B", "link": [{"other": {"reference": "Patient/A"}, "type": "seealso"}]}
    assert status(world, "PUT", "Patient/B", linked) == 200
    me = patient("patient/*.cruds")
    assert found(world("GET", "Patient", caller=me)) == ["Patient/A"]
    assert status(world, "GET", "Patient/B", caller=me) == 404
    assert status(world, "PUT", "Patient/B", linked, caller=me) == 404
    new = {"resourceType": "Patient", "link": linked["link"]}
    assert status(world, "POST", "Patient", new, caller=me) == 403


def test_a_condition_passes_through_what_may_only_be_searched(world: Call) -> None:
    """The right to delete is asked of what is deleted, not of what the condition goes through."""
    service = Caller(who="s", grants=read_scopes(["system/Observation.cruds", "system/Patient.rs"]))
    assert status(world, "DELETE", "Observation?patient.family=FamB&_id=B-laboratory", caller=service) == 204
    assert status(world, "GET", "Observation/B-laboratory") == 410


def test_a_patch_shows_nothing_to_who_may_not_read(world: Call) -> None:
    """Whoever may update and not read is told that it is done, not what is there."""
    writer = patient("patient/Observation.u")
    change = {"content_type": "application/merge-patch+json", "caller": writer}
    answer = world("PATCH", "Observation/A-laboratory", {"language": "de"}, **change)
    assert answer.status == 200
    assert answer.body == b""


def test_a_transaction_needs_the_right_to_create_what_is_there(world: Call) -> None:
    """An entry whose condition finds its resource is a create all the same."""
    request = {"method": "POST", "url": "Observation", "ifNoneExist": "_id=A-laboratory"}
    entry = {"resource": observation("n", "A"), "request": request}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert status(world, "POST", "", bundle, caller=patient("patient/Observation.rs")) == 403


async def test_an_app_of_an_auditor_writes_nothing(closed: Any) -> None:
    """With every scope there is, the role leaves reading; second looks are taken at the workbench alone."""
    token = closed.token("user/*.cruds", person="eve", roles=("auditor",))
    made = {"resourceType": "Provenance", "target": [{"reference": "Observation/Ao"}],
            "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": {"display": "x"}}]}  # fmt: skip
    task = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order"}
    finish = {"resourceType": "Parameters", "parameter": [{"name": "kind", "valueCode": "finish"}]}
    for method, url, body in (
        ("POST", "Provenance", made), ("PUT", "Task/t", task), ("POST", "DocumentReference/d/$second-look", finish),
    ):  # fmt: skip
        assert (await closed.ask(token, method, url, body)).status_code == 403, url
