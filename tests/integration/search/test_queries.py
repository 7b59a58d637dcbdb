"""Queries beyond one type and its parameters: compartments, the system, `_filter`, `_list`, chains, `_has`, order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.settings import Settings

Call = Callable[..., Response]
BASE = "http://test/fhir"


def _entry(kind: str, id_: str, /, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id_, **more}


def _ref(target: str) -> dict[str, str]:
    return {"reference": target}


def _coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def _observation(name: str, code: str, subject: str, value: float, **more: Any) -> dict[str, Any]:
    quantity = {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    subject_ = _ref(subject)
    return _entry(
        "Observation", name, status="final", code=_coded(code), subject=subject_, valueQuantity=quantity, **more
    )


WORLD = [
    _entry("Organization", "org", name="General Hospital", partOf=_ref("Organization/top")),
    _entry("Organization", "top", name="Holding", partOf=_ref("Organization/org")),
    _entry("Practitioner", "doc", name=[{"family": "Smith"}]),
    _entry(
        "Patient",
        "ann",
        name=[{"family": "Smith", "given": ["Ann Marie"]}],
        birthDate="1980-05-01",
        gender="female",
        managingOrganization=_ref("Organization/org"),
        generalPractitioner=[_ref("Practitioner/doc")],
    ),
    _entry("Patient", "bob", name=[{"family": "Smithson"}], birthDate="1990-01-01", gender="male"),
    _entry("Patient", "cid", name=[{"family": "Jones (Jr)"}], gender="male", active=True),
    _entry("Group", "grp", type="person", actual=True, identifier=[{"system": "urn:i", "value": "same"}]),
    _entry("Device", "dev", identifier=[{"system": "urn:i", "value": "same"}]),
    _observation("o1", "a", "Patient/ann", 1, effectiveDateTime="2020-01-01", performer=[_ref("Practitioner/doc")]),
    _observation("o2", "b", "Patient/ann", 2, effectiveDateTime="2021-01-01"),
    _observation("o3", "a", "Patient/bob", 3, effectivePeriod={"start": "2019-06-01", "end": "2020-06-01"}),
    _observation("o4", "a", "Group/grp", 4, hasMember=[_ref("Observation/o1")]),
    _observation("o5", "b", "Device/dev", 5, hasMember=[_ref("Observation/o4")]),
    _entry("Condition", "c1", subject=_ref("Patient/ann"), code=_coded("x"), recordedDate="2020-03-01"),
    _entry("Condition", "c2", subject=_ref("Patient/bob"), code=_coded("y"), asserter=_ref("Practitioner/doc")),
    _entry("List", "fav", status="current", mode="working",
           entry=[{"item": _ref(f"Observation/{n}")} for n in ("o2", "o5")]),
    _entry("Questionnaire", "q", url="http://example.org/q", status="active"),
    _entry("QuestionnaireResponse", "qr", questionnaire="http://example.org/q|1", status="completed"),
]  # fmt: skip


@pytest.fixture(params=[0, 3000])
def stored(call: Call, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The world above; searches take the way along indexes, or gather, which must not matter."""
    monkeypatch.setattr("server.search.find.FEW", request.param)
    for resource in WORLD:
        call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
    return call


def _bundle(call: Call, url: str, **more: Any) -> dict[str, Any]:
    return json.loads(call("GET", url, **{"prefer": "handling=strict", **more}).body)


def _ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    return [e["resource"]["id"] for e in bundle.get("entry", ()) if e["search"]["mode"] == mode]


def _links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"].removeprefix(BASE).lstrip("/") for link in bundle["link"]}


FILTERS = {
    'Patient?name co "mit"': "ann bob",
    "Patient?family eq SMITH": "ann",
    "Patient?family ne Smith": "bob cid",
    "Patient?family sw smith": "ann bob",
    "Patient?family ew son": "bob",
    'Patient?family eq "Jones (Jr)" or birthdate lt 1985': "ann cid",
    "Patient?birthdate ge 1980 and birthdate le 1980": "ann",
    "Patient?gender eq male and not (birthdate pr true)": "cid",
    "Patient?not(gender eq male)": "ann",
    "Patient?birthdate pr false": "cid",
    "Patient?_id eq ann or _id eq bob and gender eq male": "bob",  # from left to right
    "Patient?_id eq ann or (_id eq bob and gender eq male)": "ann bob",
    "Patient?_id ne ann": "bob cid",
    "Patient?_lastUpdated gt 2020-01-01 and gender eq female": "ann",
    "Patient?organization re Organization/org": "ann",
    "Patient?general-practitioner:Practitioner.name eq smith": "ann",
    "Patient?_has:Observation:patient:code eq b": "ann",
    "Observation?code eq http://loinc.org|a and value-quantity gt 2": "o3 o4",
    "Observation?code ne a": "o2 o5",
    "Observation?code sw A": "o1 o3 o4",
    "Observation?patient.name co mit and date po 2020-03": "o3",
    "Observation?date sa 2020-06-01": "o2",
    "Observation?date eb 2020-06-02": "o1 o3",
    "Observation?date ap 2020-01-01": "o1 o3",
    "Observation?patient[gender eq male].family co smith": "o3",
    "Observation?patient[gender eq male or birthdate pr true].family co mit": "o1 o2 o3",
    "Observation?subject.identifier eq urn:i|same": "o4 o5",
    "Observation?value-quantity eq 3|http://unitsofmeasure.org|mg": "o3",
    "Observation?value-quantity lt 3 and code eq b": "o2",
    "Questionnaire?url sw http://example.org": "q",
    "Questionnaire?url ne http://example.org/q": "",
}


def test_filters(stored: Call) -> None:
    """`_filter` finds what its grammar says, alone and beside another parameter."""
    for asked in FILTERS:
        from urllib.parse import quote

        kind, _, text = asked.partition("?")
        found = _bundle(stored, f"{kind}?_filter={quote(text)}&_total=accurate")
        assert (sorted(_ids(found)), found["total"]) == (FILTERS[asked].split(), len(FILTERS[asked].split()))
        if FILTERS[asked]:
            first = FILTERS[asked].split()[0]
            assert _ids(_bundle(stored, f"{kind}?_id={first}&_filter={quote(text)}")) == [first]


WRONG = ["gender", "gender eq", "gender is male", "(gender eq male", "gender eq male)", "not gender eq male", "eq",
     '"x"',
     "gender eq male and", "gender eq male gender eq male", "general-practitioner[.name eq x", "birthdate eq soon",
     "birthdate pr maybe", "birthdate.family eq x", 'family eq ""', "(" * 30 + "gender eq male" + ")" * 30,
     " or ".join(["gender eq male"] * 60)]  # fmt: skip


def test_a_wrong_filter_is_refused(call: Call) -> None:
    """What the grammar or its limits do not allow is an error in either handling."""
    for text in WRONG:
        from urllib.parse import quote

        for prefer in ("handling=strict", "handling=lenient"):
            with pytest.raises(FhirError) as refused:
                call("GET", f"Patient?_filter={quote(text)}", prefer=prefer)
            assert refused.value.category is Category.INCORRECT


UNKNOWN = [
    "Patient?_has:Observation:patient:colour=1",
    "Patient?_has:Colour:patient:code=1",
    "Patient?_has:Observation:colour:code=1",
    "Patient?_filter=colour%20eq%20red",
    "Patient?_filter=gender%20gt%20x",
    "Patient?_filter=general-practitioner.colour%20eq%20x",
    "Patient?_sort=colour",
    "Patient?_sort=-_text",
    "Patient?_include=Patient:colour",
    "Patient?_include=Colour:x",
    "Patient?_include:recurse=Patient:organization",
    "Patient?_list=$current-problems",
    "Patient?_query=everything",
    "Patient?_contained=true",
    "Patient?_containedType=container",
    "Patient?_type=Patient",
    "Patient?general-practitioner.colour=x",
    "?_type=Patient,Observation&gender=male",
    "?gender=male",
    "Patient/ann/Observation?colour=x",
    "Patient/ann/*?colour=x",
]  # fmt: skip


def test_what_is_not_known_is_never_silent(stored: Call) -> None:
    """Strict refuses it; lenient leaves it out of the search and of the self link, and says so in an outcome."""
    for url in UNKNOWN:
        with pytest.raises(FhirError) as refused:
            stored("GET", url, prefer="handling=strict")
        assert refused.value.category is Category.UNSUPPORTED
        bundle = _bundle(stored, url, prefer="handling=lenient")
        assert bundle["entry"][-1]["search"]["mode"] == "outcome"
        assert bundle["entry"][-1]["resource"]["issue"][0]["severity"] == "warning"
        assert url.rpartition("?")[2].rpartition("&")[2] not in _links(bundle)["self"]


def test_a_modifier_that_is_not_taken_is_refused(call: Call) -> None:
    """R4 has an unknown modifier refused: it says something else than the parameter without it."""
    for prefer in ("handling=strict", "handling=lenient"):
        for url in ("Patient?gender:colour=x", "Patient?_has:Observation:patient:code:colour=x", "?_id:colour=x"):
            with pytest.raises(FhirError) as refused:
                call("GET", url, prefer=prefer)
            assert refused.value.category is Category.INCORRECT


def test_the_setting_says_what_is_done_unasked(call: Call, fhir: Fhir, settings: Settings) -> None:
    """Without Prefer the setting decides: lenient says what was left out, strict refuses."""
    assert _bundle(call, "Patient?colour=x", prefer="")["entry"][0]["search"]["mode"] == "outcome"
    fhir.settings = settings.model_copy(update={"search_handling": "strict"})
    with pytest.raises(FhirError):
        call("GET", "Patient?colour=x")
    assert _bundle(call, "Patient?colour=x", prefer="handling=lenient")["entry"]


COMPARTMENTS = {
    "Patient/ann/Observation": "o1 o2",
    "Patient/ann/Observation?code=a": "o1",
    "Patient/ann/Condition?_has:Observation:subject:code=a": "",
    "Patient/ann/*": "ann c1 o1 o2",
    "Patient/ann/*?_type=Condition,Observation": "c1 o1 o2",
    "Patient/ann/Patient": "ann",
    "Patient/nobody/Observation": "",
    "Practitioner/doc/Observation": "o1",
    "Practitioner/doc/*": "ann c2 doc o1",
    "Device/dev/Observation": "o5",
}


def test_compartments(stored: Call) -> None:
    """A compartment holds what one of its parameters puts there, and the resource that it is of."""
    for url in COMPARTMENTS:
        if "_has" in url:
            with pytest.raises(FhirError):  # no Observation.subject is a Condition
                _bundle(stored, url)
            continue
        found = _bundle(stored, url)
        assert sorted(_ids(found)) == COMPARTMENTS[url].split()
        assert _links(found)["self"].startswith(url.partition("?")[0])


def test_a_compartment_that_is_none(call: Call) -> None:
    """Only five types have a compartment, and only some types are in one."""
    for url in ("Organization/x/Patient", "Patient/x/Organization"):
        with pytest.raises(FhirError) as refused:
            call("GET", url)
        assert refused.value.category is Category.NOT_FOUND


def test_compartments_are_searched_by_post(stored: Call) -> None:
    """`POST Patient/ann/Observation/_search` and `POST _search` take a form."""
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert _ids(json.loads(stored("POST", "Patient/ann/Observation/_search", b"code=a", **form).body)) == ["o1"]
    found = json.loads(stored("POST", "_search", b"_type=Condition&subject=Patient/bob", **form).body)
    assert _ids(found) == ["c2"]
    found = json.loads(stored("POST", "Patient/_search", b"_id=ann&_elements=gender", **form).body)
    assert ("gender" in found["entry"][0]["resource"], "name" in found["entry"][0]["resource"]) == (True, False)


SYSTEM = {
    "?_type=Observation,Condition&patient=ann": "c1 o1 o2",
    "?_type=Observation,Condition&patient.gender=female": "c1 o1 o2",
    "?_type=Observation,Condition&code=a,x": "c1 o1 o3 o4",
    "?_type=Questionnaire": "q",
    "?_type=Questionnaire,Schedule": "q",
    "?_id=ann,o1,org": "ann o1 org",
    "?_list=fav": "o2 o5",
    "?_type=Observation,Condition&_filter=patient eq ann": "c1 o1 o2",
}


def test_the_whole_system(stored: Call) -> None:
    """Several types are searched by what all of them know."""
    for url in SYSTEM:
        found = _bundle(stored, url.replace(" ", "%20") + "&_total=accurate")
        assert sorted(_ids(found)) == SYSTEM[url].split()
        assert found["total"] == len(_ids(found))


PAGED = ["?_type=Observation,Condition,Patient", "?_type=Observation,Patient&_sort=-_lastUpdated", "Patient/ann/*",
     "?_type=Observation,Condition&_sort=-code,_id", "Observation?_sort=date", "Observation?code=a",
     "Observation?code=a,b",
     "Observation?_sort=-patient.family", "Observation?subject:missing=false", "Patient?_sort=family",
     "Observation?date=gt2019", "Observation?value-quantity=gt0&_sort=-value-quantity,code",
     "Observation?code=a&_sort=date", "Observation?value-quantity=gt0",
     "Patient?name=s", "Observation?_has:Observation:has-member:code=a,b"]  # fmt: skip


def test_pages_lead_forth_and_back(stored: Call) -> None:
    """next and previous walk over the same pages; first is where it began; all pages together are one long one."""
    for url in PAGED:
        mark = "&" if "?" in url else "?"
        whole = _ids(_bundle(stored, f"{url}{mark}_count=1000"))
        for count in (1, 2):
            pages, at = [], f"{url}{mark}_count={count}"
            bundle = _bundle(stored, at)
            assert "previous" not in _links(bundle)
            pages.append(_ids(bundle))
            while "next" in _links(bundle):
                bundle = _bundle(stored, _links(bundle)["next"])
                pages.append(_ids(bundle))
                assert _ids(_bundle(stored, _links(bundle)["first"])) == pages[0]
            assert [name for page in pages for name in page] == whole
            for page in reversed(pages[:-1]):
                bundle = _bundle(stored, _links(bundle)["previous"])
                assert _ids(bundle) == page
            assert "previous" not in _links(bundle)


CHAINS = {
    "Observation?subject.identifier=urn:i|same": "o4 o5",
    "Observation?subject.name=smith": "o1 o2 o3",
    "Observation?subject:Patient.name=smith": "o1 o2 o3",
    "Observation?patient.organization.name=general": "o1 o2",
    "Observation?patient.organization.partof.partof.partof.name=holding": "o1 o2",
    "Observation?has-member.patient.organization.partof._has:Organization:partof:name=gen": "o4",
    "Observation?patient.organization:Organization.name:exact=General": "",
    "Observation?patient.birthdate:missing=true": "",
    "Observation?patient.active:missing=true": "o1 o2 o3",
    "Observation?patient.gender:not=male": "o1 o2",
    "Observation?patient._id=bob": "o3",
    "Observation?patient._has:Condition:patient:code=x": "o1 o2",
    "Observation?has-member.has-member.patient.family=smith": "o5",
    "Patient?_has:Observation:patient:code=b": "ann",
    "Patient?_has:Observation:patient:performer.name=smith": "ann",
    "Patient?_has:Observation:patient:_has:Observation:has-member:code=a": "ann",
    "Patient?_has:Observation:subject:value-quantity=gt2": "bob",
    "Patient?_has:Observation:patient:code=a&_has:Condition:patient:code=x": "ann",
    "Practitioner?_has:Patient:general-practitioner:_has:Condition:subject:code=x": "doc",
    "Observation?_list=fav": "o2 o5",
    "Observation?_list=fav&code=b&value-quantity=5": "o5",
    "Observation?_list=nothing": "",
    "Patient?_list=fav": "",
    "Patient?gender=male,female": "ann bob cid",
    "Patient?gender=male,,": "bob cid",
    "Patient?gender=,": "ann bob cid",
    "Patient?gender=&family=jones": "cid",
}


def test_chains(stored: Call) -> None:
    """Chains and `_has`, nested and in each other, find what stands at their end."""
    for url in CHAINS:
        found = _bundle(stored, url + "&_total=accurate")
        assert (sorted(_ids(found)), found["total"]) == (CHAINS[url].split(), len(CHAINS[url].split()))


INCLUDES = {
    "Observation?_id=o5&_include=Observation:has-member": "o4",
    "Observation?_id=o5&_include:iterate=Observation:has-member": "o1 o4",
    "Patient?_id=ann&_include=Patient:organization": "org",
    "Patient?_id=ann&_include=Patient:organization&_include:iterate=Organization:partof": "org top",  # a cycle
    "Patient?_id=ann&_include=*": "doc org",
    "Patient?_id=ann&_revinclude=*": "c1 o1 o2",
    "Patient?_id=ann&_revinclude=Observation:*": "o1 o2",
    "Patient?_id=ann&_revinclude=Observation:subject:Patient": "o1 o2",
    "Patient?_id=ann&_revinclude=Observation:subject:Group": "",
    "Patient?_id=ann&_revinclude=Observation:subject&_include:iterate=Observation:performer": "doc o1 o2",
    "Patient?_id=bob&_revinclude=Condition:patient&_include:iterate=Condition:asserter&_revinclude:iterate=Patient:general-practitioner":
        "ann c2 doc",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire": "q",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire:Questionnaire": "q",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire:Patient": "",
}  # fmt: skip


def test_includes(stored: Call) -> None:
    """Includes follow references forth and back, again and again where asked, each once, and count for nothing."""
    for url in INCLUDES:
        found = _bundle(stored, url + "&_total=accurate")
        assert sorted(_ids(found, "include")) == INCLUDES[url].split()
        assert found["total"] == len(_ids(found)) == 1


def test_a_limit_on_includes_is_told(stored: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that could not include everything says so; one that could says nothing."""
    from server.search.query import Limits

    monkeypatch.setattr("server.interactions.search.Limits", lambda **given: Limits(**given, max_included=2))
    found = _bundle(stored, "Patient?_id=ann&_revinclude=*")
    assert len(_ids(found, "include")) == 2
    outcome = found["entry"][-1]
    assert (outcome["search"]["mode"], outcome["resource"]["issue"][0]["code"]) == ("outcome", "incomplete")
    assert _ids(_bundle(stored, "Patient?_id=ann&_include=*"), "outcome") == []


SORTS = {
    "Observation?_sort=patient.birthdate,_id": "o1 o2 o3 o4 o5",
    "Observation?_sort=-patient.birthdate,_id": "o3 o1 o2 o4 o5",
    "Observation?_sort=-subject:Patient.family,-_id": "o3 o2 o1 o5 o4",
    "Observation?_sort=date": "o3 o1 o2 o4 o5",
    "Observation?code=a&_sort=date": "o3 o1 o4",
    "Observation?code=a&_sort=-date": "o1 o3 o4",
    "Observation?code=a,b&_sort=-value-quantity": "o5 o4 o3 o2 o1",
    "Observation?_sort=code,-_id": "o4 o3 o1 o5 o2",
    "Patient?_sort=birthdate": "ann bob cid",
    "Patient?_sort=-birthdate": "bob ann cid",
    "Patient?_sort=family": "cid ann bob",
    "Patient?gender=male&_sort=-family": "bob cid",
    "?_type=Patient,Practitioner&_sort=-name,_id": "bob doc ann cid",
    "Observation?date=ge2020&date=lt2021&_sort=date": "o1",
    "Observation?code=a&date=le2020-12&_sort=-date": "o1 o3",
    "Observation?code=a&date=ge2020-02": "o3",
    "Observation?code=a&date=lt2019-12-31": "o3",
}


def test_sorts(stored: Call) -> None:
    """The order is that of the keys, in turn; what has no value comes last in either direction."""
    for url in SORTS:
        found = _ids(_bundle(stored, url))
        expected = SORTS[url].split()
        if url.startswith("?_type=Patient,Practitioner"):
            assert found[0] == "bob"
            assert set(found[1:3]) == {"ann", "doc"}
            continue
        undated = {"o4", "o5"} if "date" in url and "birth" not in url else set()
        assert [name for name in found if name not in undated] == [name for name in expected if name not in undated]
        assert set(found) == set(expected)
        assert set(found[len(found) - len(undated & set(found)) :]) == undated & set(found)


def test_a_page_holds_while_others_write(fhir: Fhir, stored: Call) -> None:
    """Writers change, add and delete between the pages of a search of several types: what stays is seen once."""
    seen: list[str] = []
    url = "?_type=Observation,Condition,Patient&_count=2"
    for n in range(20):
        bundle = _bundle(stored, url)
        seen += _ids(bundle)
        stored("PUT", f"Patient/x{n}", _entry("Patient", f"x{n}"))
        stored("PUT", "Patient/bob", _entry("Patient", "bob", birthDate=f"19{n + 20}"))
        stored("PUT", f"Condition/a{n}", _entry("Condition", f"a{n}", subject=_ref("Patient/ann")))
        if n == 1:
            fhir.handle_sync(Request(caller=ANYBODY, method="DELETE", path=("Observation", "o5")))
        if "next" not in _links(bundle):
            break
        url = _links(bundle)["next"]
    kept = [name for name in seen if name in {"ann", "bob", "cid", "c1", "c2", "o1", "o2", "o3", "o4"}]
    assert sorted(kept) == ["ann", "bob", "c1", "c2", "cid", "o1", "o2", "o3", "o4"]
    assert len(seen) == len(set(seen))
