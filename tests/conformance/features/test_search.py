"""Search, one test for each row of docs/conformance.md (https://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.conformance.features.conftest import Client, observation, patient, weight


async def _wards(client: Client) -> None:
    """Two patients of two organizations, one below the other, with observations."""
    top = {"resourceType": "Organization", "id": "top", "name": "Top"}
    await client.put(top)
    await client.put({**top, "id": "ward", "name": "Ward", "partOf": {"reference": "Organization/top"}})
    ward = {"managingOrganization": {"reference": "Organization/ward"}}
    await client.put(patient("ann", name=[{"family": "Müller", "given": ["Ann"]}], birthDate="1970-05-06", **ward))
    await client.put(patient("bob", name=[{"family": "Smith"}], birthDate="1981", gender="male"))
    await client.put(observation("a1", "ann", valueQuantity=weight(5.4, "mg"), effectiveDateTime="2020-01-15"))
    await client.put(observation("a2", "ann", "8302-2", valueQuantity=weight(2, "g"), effectiveDateTime="2021-03"))
    await client.put(observation("b1", "bob", effectivePeriod={"start": "2019-12-31"}))


async def test_search_string(client: Client) -> None:
    """Starts with, whatever the case and the accents."""
    await _wards(client)
    assert await client.ids("Patient?family=mul") == {"Patient/ann"}
    assert await client.ids("Patient?name=ANN") == {"Patient/ann"}
    assert await client.ids("Patient?family=uller") == set()


async def test_search_token(client: Client) -> None:
    """By code, by system and code, by system."""
    await _wards(client)
    assert await client.ids("Observation?code=8302-2") == {"Observation/a2"}
    assert await client.ids("Observation?code=http://loinc.org|8302-2") == {"Observation/a2"}
    assert await client.ids("Observation?code=urn:other|8302-2") == set()
    assert len(await client.ids("Observation?code=http://loinc.org|")) == 3
    many = ",".join(f"x{n}" for n in range(1500))
    assert await client.ids(f"Observation?code={many},8302-2") == {"Observation/a2"}


async def test_search_reference(client: Client) -> None:
    """By type and id, by id, by URL."""
    await _wards(client)
    for written in ("Patient/bob", "bob", "http://test/fhir/Patient/bob"):
        assert await client.ids(f"Observation?subject={written}") == {"Observation/b1"}


async def test_search_date(client: Client) -> None:
    """Each prefix, also over a period without an end."""
    await _wards(client)
    for value, found in (
        ("2020-01-15", {"a1"}), ("ne2020-01-15", {"a2", "b1"}), ("gt2020", {"a2", "b1"}), ("lt2020", {"b1"}),
        ("ge2021-03", {"a2", "b1"}), ("le2020-01", {"a1", "b1"}), ("sa2020", {"a2"}), ("eb2021", {"a1"}),
        ("ap2020-01-15", {"a1", "b1"}),
    ):  # fmt: skip
        got = await client.ids(f"Observation?date={value}")
        wanted = {f"Observation/{one}" for one in found}
        assert got >= wanted if value.startswith("ap") else got == wanted, value


async def test_search_number(client: Client) -> None:
    """By value, by precision, by prefix."""
    risk = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": "Patient/x"}}
    for name, value in (("low", 0.1), ("high", 0.74)):
        await client.put({**risk, "id": name, "prediction": [{"probabilityDecimal": value}]})
    assert await client.ids("RiskAssessment?probability=0.7") == {"RiskAssessment/high"}
    assert await client.ids("RiskAssessment?probability=lt0.5") == {"RiskAssessment/low"}


async def test_search_quantity(client: Client) -> None:
    """The same amount is found in whatever unit it is asked for."""
    await _wards(client)
    ucum = "http://unitsofmeasure.org"
    assert await client.ids(f"Observation?value-quantity=5.4|{ucum}|mg") == {"Observation/a1"}
    assert await client.ids(f"Observation?value-quantity=0.0054|{ucum}|g") == {"Observation/a1"}
    assert await client.ids(f"Observation?value-quantity=gt1000|{ucum}|mg") == {"Observation/a2"}
    assert await client.ids("Observation?value-quantity=gt1000") == set()
    assert await client.ids("Observation?value-quantity=2||g") == {"Observation/a2"}


async def test_search_uri(client: Client) -> None:
    """Equal, below and above."""
    for name in ("a", "a/b"):
        body = {
            "resourceType": "ValueSet",
            "id": name.replace("/", "-"),
            "status": "active",
            "url": f"http://x.org/{name}",
        }
        await client.put(body)
    assert await client.ids("ValueSet?url=http://x.org/a") == {"ValueSet/a"}
    assert await client.ids("ValueSet?url:below=http://x.org/a") == {"ValueSet/a", "ValueSet/a-b"}
    assert await client.ids("ValueSet?url:above=http://x.org/a/b/c") == {"ValueSet/a", "ValueSet/a-b"}


async def test_search_composite(client: Client) -> None:
    """The parts must stand in one component together."""
    parts = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": weight(value, "mm[Hg]")}
        for code, value in (("8480-6", 150), ("8462-4", 80))
    ]
    await client.put(observation("bp", "ann", "85354-9", component=parts))
    assert await client.ids("Observation?component-code-value-quantity=8480-6$gt140") == {"Observation/bp"}
    assert await client.ids("Observation?component-code-value-quantity=8462-4$gt140") == set()
    assert await client.ids("Observation?combo-code-value-quantity=http://loinc.org|8462-4$80") == {"Observation/bp"}


async def test_search_near(client: Client) -> None:
    """Locations within a distance."""
    for name, latitude in (("here", 42.25), ("far", 43.5)):
        place = {"latitude": latitude, "longitude": -83.69}
        await client.put({"resourceType": "Location", "id": name, "position": place})
    assert await client.ids("Location?near=42.256|-83.694|11|km") == {"Location/here"}
    assert await client.ids("Location?near=42.256|-83.694|200|km") == {"Location/here", "Location/far"}


async def test_chaining(client: Client) -> None:
    """One reference and several."""
    await _wards(client)
    assert await client.ids("Observation?subject:Patient.family=smith") == {"Observation/b1"}
    assert await client.ids("Observation?patient.organization.partof.name=top") == {"Observation/a1", "Observation/a2"}


async def test_reverse_chaining(client: Client) -> None:
    """Nested and with a chain inside."""
    await _wards(client)
    assert await client.ids("Patient?_has:Observation:patient:code=8302-2") == {"Patient/ann"}
    assert await client.ids("Organization?_has:Patient:organization:_has:Observation:patient:code=8302-2") == {
        "Organization/ward"
    }
    assert await client.ids("Patient?_has:Observation:patient:subject:Patient.gender=male") == {"Patient/bob"}


async def test_include_and_revinclude(client: Client) -> None:
    """What is referred to and what refers, also all of it."""
    await _wards(client)
    assert await client.included("Observation?code=8302-2&_include=Observation:subject") == {"Patient/ann"}
    assert await client.included("Observation?code=8302-2&_include=*") == {"Patient/ann"}
    found = await client.included("Patient?_id=ann&_revinclude=Observation:subject")
    assert found == {"Observation/a1", "Observation/a2"}
    assert await client.included("Patient?_id=ann&_revinclude=*") >= found


async def test_include_iterate(client: Client) -> None:
    """Includes of what was included, to the end."""
    await _wards(client)
    query = "Observation?code=8302-2&_include=Observation:subject&_include:iterate=Patient:organization"
    assert await client.included(query) == {"Patient/ann", "Organization/ward"}
    assert await client.included(f"{query}&_include:iterate=Organization:partof") == {
        "Patient/ann", "Organization/ward", "Organization/top"
    }  # fmt: skip


async def test_modifiers(client: Client) -> None:
    """Each modifier of each type of parameter."""
    tree = {"resourceType": "CodeSystem", "id": "tree", "url": "http://x.org/tree", "status": "active",
            "content": "complete", "concept": [{"code": "a", "concept": [{"code": "a1"}]}, {"code": "b"}]}  # fmt: skip
    some = {"resourceType": "ValueSet", "id": "some", "url": "http://x.org/some", "status": "active",
            "compose": {"include": [{"system": "http://x.org/tree", "concept": [{"code": "b"}]}]}}  # fmt: skip
    await client.put(tree)
    await client.put(some)
    kind = {"coding": [{"system": "urn:types", "code": "MR"}]}
    names = {"name": [{"family": "Smithson"}], "gender": "male"}
    await client.put(patient("p", identifier=[{"type": kind, "system": "urn:mrn", "value": "7"}], **names))
    for name, code in (("a", "a"), ("a1", "a1"), ("b", "b")):
        concept = {"coding": [{"system": "http://x.org/tree", "code": code}], "text": f"word{code} more"}
        await client.put(
            {"resourceType": "Condition", "id": name, "code": concept, "subject": {"reference": "Patient/p"}}
        )
    who = {"identifier": {"system": "urn:mrn", "value": "7"}}
    await client.put({"resourceType": "Condition", "id": "c", "subject": who})
    for query, wanted in {
        "Condition?code:missing=true": {"c"}, "Condition?code:missing=false": {"a", "a1", "b"},
        "Condition?code:not=b": {"a", "a1", "c"}, "Condition?code:text=worda1": {"a1"},
        "Condition?code:in=http://x.org/some": {"b"}, "Condition?code:not-in=http://x.org/some": {"a", "a1", "c"},
        "Condition?code:below=http://x.org/tree|a": {"a", "a1"},
        "Condition?code:above=http://x.org/tree|a1": {"a", "a1"},
        "Condition?subject:identifier=urn:mrn|7": {"c"}, "Condition?subject:Patient=p": {"a", "a1", "b"},
        "Patient?family:exact=Smithson": {"p"}, "Patient?family:exact=smithson": set(),
        "Patient?family:contains=ITHS": {"p"}, "Patient?identifier:of-type=urn:types|MR|7": {"p"},
        "Patient?identifier:of-type=urn:types|SS|7": set(),
    }.items():  # fmt: skip
        kind_of = query.partition("?")[0]
        assert await client.ids(query) == {f"{kind_of}/{one}" for one in wanted}, query


async def test_sort(client: Client) -> None:
    """Several keys, either way; what has no value comes last, either way."""
    await _wards(client)

    async def order(query: str) -> list[str]:
        return [entry["resource"]["id"] for entry in (await client.get(query))["entry"]]

    assert await order("Patient?_sort=-birthdate") == ["bob", "ann"]
    assert await order("Patient?_sort=gender,family") == ["bob", "ann"]
    assert await order("Patient?_sort=family") == ["ann", "bob"]
    assert await order("Patient?_sort=-gender") == ["bob", "ann"]
    assert await order("Observation?_sort=code,-date") == ["a2", "a1", "b1"]
    await client.call("GET", "Patient?_sort=nothing", prefer="handling=strict", must=400)


async def test_total(client: Client) -> None:
    """Counted when it is asked for."""
    for n in range(5):
        await client.put(patient(f"p{n}"))
    assert (await client.get("Patient?_count=2&_total=accurate"))["total"] == 5
    assert "total" not in await client.get("Patient?_count=2&_total=none")
    assert (await client.get("Patient?_count=2&_total=estimate"))["total"] >= 1
    empty = await client.get("Patient?_count=0")
    assert empty["total"] == 5 and not empty.get("entry")


async def test_filter(client: Client) -> None:
    """And, or, not, and a path."""
    await _wards(client)
    for text, wanted in (
        ('family eq "Smith" or family sw "mül"', {"ann", "bob"}), ("gender pr true", {"bob"}),
        ("not (gender eq male)", {"ann"}), ("birthdate lt 1980-01-01 and family co ller", {"ann"}),
        ("organization.name eq Ward", {"ann"}),
    ):  # fmt: skip
        assert await client.ids(f"Patient?_filter={quote(text)}") == {f"Patient/{one}" for one in wanted}, text


async def test_list(client: Client) -> None:
    """The members of a List, and only those that match."""
    await _wards(client)
    items = [{"item": {"reference": name}} for name in ("Patient/ann", "Observation/b1")]
    await client.put({"resourceType": "List", "id": "l", "status": "current", "mode": "working", "entry": items})
    assert await client.ids("Patient?_list=l") == {"Patient/ann"}
    assert await client.ids("Observation?_list=l&code=8302-2") == set()


async def test_full_text(client: Client) -> None:
    """Words of the narrative, and of all of the resource."""
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Persistent cough since spring</p></div>'
    await client.put(patient("p", text={"status": "generated", "div": div}, name=[{"family": "Quux"}]))
    await client.put(patient("q"))
    assert await client.ids("Patient?_text=cough") == {"Patient/p"}
    assert await client.ids("Patient?_text=quux") == set()
    assert await client.ids("Patient?_content=quux") == {"Patient/p"}


async def test_compartment_search(client: Client) -> None:
    """One type in a compartment, and all of them."""
    await _wards(client)
    assert await client.ids("Patient/ann/Observation?code=8302-2") == {"Observation/a2"}
    assert await client.ids("Patient/bob/*") >= {"Observation/b1"}
    assert "Observation/a1" not in await client.ids("Patient/bob/*")


async def test_system_search(client: Client) -> None:
    """Several types in one search; the same by POST."""
    await _wards(client)
    assert await client.ids("?_type=Patient,Organization&_id=ann,top") == {"Patient/ann", "Organization/top"}
    form = {"content_type": "application/x-www-form-urlencoded"}
    answer = await client.call("POST", "Patient/_search", b"family=smith", must=200, **form)
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["bob"]


async def test_custom_search_parameter(client: Client) -> None:
    """A parameter of one's own finds what is written from then on, and, after a reindex, what was there."""
    await client.put(patient("old", maritalStatus={"coding": [{"system": "urn:m", "code": "M"}]}))
    parameter: dict[str, Any] = {
        "resourceType": "SearchParameter", "id": "marital", "url": "http://x.org/SearchParameter/marital",
        "name": "marital", "description": "Marital status.", "status": "active", "code": "marital", "base": ["Patient"],
        "type": "token", "expression": "Patient.maritalStatus",
    }  # fmt: skip
    assert (await client.put(parameter)).status_code == 201
    await client.put(patient("new", maritalStatus={"coding": [{"system": "urn:m", "code": "M"}]}))
    assert "Patient/new" in await client.ids("Patient?marital=urn:m|M")


async def test_paging(client: Client) -> None:
    """While others write, each page goes on where the last one ended."""
    for n in range(12):
        await client.put(patient(f"p{n:02}", birthDate=f"19{50 + n}-01-01"))
    seen: list[str] = []
    url = "Patient?_sort=birthdate&_count=5"
    while url:
        bundle = await client.get(url)
        seen += [entry["resource"]["id"] for entry in bundle["entry"]]
        await client.call("DELETE", f"Patient/{seen[0]}")
        await client.put(patient(f"early{len(seen)}", birthDate="1900-01-01"))
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    assert seen == [f"p{n:02}" for n in range(12)]


async def test_unknown_parameters_are_never_silent(client: Client) -> None:
    """Strict refuses; lenient says so in the Bundle, and the self link shows only what was used."""
    await _wards(client)
    for wrong in ("nothing=1", "_sort=nothing", "_include=Patient:nothing", "subject.nothing=x"):
        await client.call("GET", f"Patient?gender=male&{wrong}", prefer="handling=strict", must=400)
        bundle = await client.get(f"Patient?gender=male&{wrong}", prefer="handling=lenient")
        modes = [entry["search"]["mode"] for entry in bundle["entry"]]
        assert sorted(modes) == ["match", "outcome"], wrong
        link = next(link["url"] for link in bundle["link"] if link["relation"] == "self")
        assert "gender" in link and "nothing" not in link
    for handling in ("strict", "lenient"):
        await client.call("GET", "Patient?family:strange=x", prefer=f"handling={handling}", must=400)
