"""Operations, one test for each row of docs/conformance.md (https://hl7.org/fhir/R4/operationslist.html)."""

from __future__ import annotations

from typing import Any

from tests.conformance.features.conftest import Client, observation, patient


def _parameters(**values: Any) -> dict[str, Any]:
    """Parameters with these values; `resource=` is a resource."""
    made = []
    for name, value in values.items():
        key = "resource" if isinstance(value, dict) and "resourceType" in value else "valueString"
        made.append({"name": name, key: value})
    return {"resourceType": "Parameters", "parameter": made}


def _value(parameters: dict[str, Any], name: str) -> Any:
    """The value of a parameter that is there once."""
    found = next(one for one in parameters["parameter"] if one["name"] == name)
    return next(value for key, value in found.items() if key.startswith("value"))


async def test_patient_everything(client: Client) -> None:
    """All of the patient's compartment and what it refers to, in pages, of the wanted types."""
    await client.put({"resourceType": "Practitioner", "id": "dr"})
    await client.put(patient("p", generalPractitioner=[{"reference": "Practitioner/dr"}]))
    await client.put(patient("other"))
    for n in range(5):
        await client.put(observation(f"o{n}", "p"))
    await client.put(observation("x", "other"))
    url, seen = "Patient/p/$everything?_count=3", set()
    while url:
        bundle = await client.get(url)
        assert bundle["type"] == "searchset"
        seen |= {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in bundle.get("entry", ())}
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    assert seen == {"Patient/p", "Practitioner/dr", *(f"Observation/o{n}" for n in range(5))}
    some = await client.get("Patient/p/$everything?_type=Observation")
    assert {entry["resource"]["resourceType"] for entry in some["entry"]} == {"Observation"}


async def test_every_page_of_everything_is_cut_alike(client: Client) -> None:
    """The links carry `_elements`: what was left out of the first page is left out of the next."""
    await client.put(patient("p", gender="male"))
    for n in range(4):
        await client.put(observation(f"o{n}", "p"))
    url, seen = "Patient/p/$everything?_count=2&_elements=id", 0
    while url:
        bundle = await client.get(url)
        for entry in bundle["entry"]:
            assert "subject" not in entry["resource"]
            assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
            seen += 1
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    assert seen >= 5


async def test_validate_with_profiles(client: Client) -> None:
    """A profile that was posted is used; what is wrong is named by its expression."""
    profile = {
        "resourceType": "StructureDefinition", "id": "named", "url": "http://x.org/StructureDefinition/named",
        "name": "Named", "status": "active", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
        "differential": {"element": [{"id": "Patient", "path": "Patient"},
                                     {"id": "Patient.name", "path": "Patient.name", "min": 1}]},
    }  # fmt: skip
    assert (await client.put(profile)).status_code == 201
    fine = _parameters(resource=patient("p", name=[{"family": "x"}]), profile=profile["url"])
    wrong = _parameters(resource=patient("p"), profile=profile["url"])
    for parameters, severities in ((fine, set()), (wrong, {"error"})):
        parameters["parameter"][1]["valueUri"] = parameters["parameter"][1].pop("valueString")
        outcome = (await client.call("POST", "Patient/$validate", parameters, must=200)).json()
        assert {issue["severity"] for issue in outcome["issue"]} & {"error", "fatal"} == severities, outcome
    bad = patient("p", gender="wrong")
    outcome = (await client.call("POST", "Patient/$validate", bad, must=200)).json()
    assert any(issue.get("expression") == ["Patient.gender"] for issue in outcome["issue"])


async def test_validate_code(client: Client) -> None:
    """A code of a code system, and of a value set."""
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    good = await client.get(f"CodeSystem/$validate-code?url={icd}&code=E11.9")
    assert _value(good, "result") is True
    bad = await client.get(f"CodeSystem/$validate-code?url={icd}&code=E11.99999")
    assert _value(bad, "result") is False
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    system = "http://hl7.org/fhir/administrative-gender"
    inside = await client.get(f"ValueSet/$validate-code?url={gender}&system={system}&code=female")
    assert _value(inside, "result") is True
    outside = await client.get(f"ValueSet/$validate-code?url={gender}&system={system}&code=nothing")
    assert _value(outside, "result") is False


async def test_expand(client: Client) -> None:
    """The codes of a value set, filtered and counted."""
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    expanded = await client.get(f"ValueSet/$expand?url={gender}")
    assert {one["code"] for one in expanded["expansion"]["contains"]} == {"male", "female", "other", "unknown"}
    some = await client.get(f"ValueSet/$expand?url={gender}&filter=fem&count=5")
    assert [one["code"] for one in some["expansion"]["contains"]] == ["female"]


async def test_lookup(client: Client) -> None:
    """The display of a code."""
    found = await client.get("CodeSystem/$lookup?system=http://hl7.org/fhir/sid/icd-10-cm&code=E11.9")
    assert "diabetes" in _value(found, "display").lower()


async def test_graphql(client: Client) -> None:
    """One resource with what refers to it, and a list."""
    await client.put(patient("p", name=[{"family": "Smith", "given": ["Ann"]}]))
    await client.put(observation("o", "p"))
    query = '{ Patient(id: "p") { id name { family given } ObservationList(_reference: patient) { id status } } }'
    answer = (await client.call("POST", "$graphql", {"query": query}, content_type="application/json", must=200)).json()
    assert answer["data"]["Patient"] == {
        "id": "p", "name": [{"family": "Smith", "given": ["Ann"]}], "ObservationList": [{"id": "o", "status": "final"}]
    }  # fmt: skip


async def test_document(client: Client) -> None:
    """A Composition and all that it refers to, as a document Bundle."""
    await client.put(patient("p"))
    await client.put(observation("o", "p"))
    await client.put({
        "resourceType": "Composition", "id": "c", "status": "final", "type": {"text": "note"}, "date": "2020-01-01",
        "title": "Note", "author": [{"reference": "Patient/p"}], "subject": {"reference": "Patient/p"},
        "section": [{"title": "s", "entry": [{"reference": "Observation/o"}]}],
    })  # fmt: skip
    bundle = await client.get("Composition/c/$document")
    assert bundle["type"] == "document" and bundle["entry"][0]["resource"]["id"] == "c"
    assert {entry["resource"]["id"] for entry in bundle["entry"]} == {"c", "p", "o"}


async def test_match(client: Client) -> None:
    """The same person scores high, another not at all."""
    name = [{"family": "Smithson", "given": ["Annabel"]}]
    await client.put(patient("p", name=name, birthDate="1970-05-06", gender="female"))
    await client.put(patient("q", name=[{"family": "Other"}], birthDate="1999-01-01", gender="male"))
    asked = {"resourceType": "Patient", "name": name, "birthDate": "1970-05-06", "gender": "female"}
    bundle = (await client.call("POST", "Patient/$match", _parameters(resource=asked), must=200)).json()
    first = bundle["entry"][0]
    assert first["resource"]["id"] == "p" and first["search"]["score"] > 0.7
    assert "q" not in {entry["resource"]["id"] for entry in bundle["entry"]}


async def test_lastn(client: Client) -> None:
    """The newest of each code."""
    for n, (code, day) in enumerate((("8867-4", 1), ("8867-4", 3), ("8867-4", 2), ("8302-2", 1))):
        category = [{"coding": [{"code": "vital-signs"}]}]
        await client.put(observation(f"o{n}", "p", code, effectiveDateTime=f"2020-01-0{day}", category=category))
    bundle = await client.get("Observation/$lastn?patient=Patient/p&category=vital-signs&max=1")
    assert {entry["resource"]["id"] for entry in bundle["entry"]} == {"o1", "o3"}


async def test_meta_operations(client: Client) -> None:
    """Tags are added, told and taken away without a new version's worth of guessing."""
    await client.put(patient("p"))
    tag = {"resourceType": "Parameters",
           "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "x"}]}}]}  # fmt: skip
    await client.call("POST", "Patient/p/$meta-add", tag, must=200)
    told = await client.get("Patient/p/$meta")
    assert _value(told, "return")["tag"] == [{"system": "urn:t", "code": "x"}]
    assert await client.ids("Patient?_tag=urn:t|x") == {"Patient/p"}
    await client.call("POST", "Patient/p/$meta-delete", tag, must=200)
    assert await client.ids("Patient?_tag=urn:t|x") == set()


async def test_provenance(client: Client) -> None:
    """Provenance is found by its target; that the pipeline writes it is shown in tests/integration/emit."""
    await client.put(patient("p"))
    agent = [{"who": {"display": "x"}}]
    made = {"resourceType": "Provenance", "id": "v", "target": [{"reference": "Patient/p"}], "agent": agent}
    await client.put({**made, "recorded": "2020-01-01T00:00:00Z"})
    assert await client.included("Patient?_id=p&_revinclude=Provenance:target") == {"Provenance/v"}
