"""`_filter`, and queries that are not known or not taken."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.settings import Settings
from tests.integration.search.queries.conftest import Call, asked, ids, links

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
    for query in FILTERS:
        from urllib.parse import quote

        kind, _, text = query.partition("?")
        found = asked(stored, f"{kind}?_filter={quote(text)}&_total=accurate")
        assert (sorted(ids(found)), found["total"]) == (FILTERS[query].split(), len(FILTERS[query].split()))
        if FILTERS[query]:
            first = FILTERS[query].split()[0]
            assert ids(asked(stored, f"{kind}?_id={first}&_filter={quote(text)}")) == [first]


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
        bundle = asked(stored, url, prefer="handling=lenient")
        assert bundle["entry"][-1]["search"]["mode"] == "outcome"
        assert bundle["entry"][-1]["resource"]["issue"][0]["severity"] == "warning"
        assert url.rpartition("?")[2].rpartition("&")[2] not in links(bundle)["self"]


def test_a_modifier_that_is_not_taken_is_refused(call: Call) -> None:
    """R4 has an unknown modifier refused: it says something else than the parameter without it."""
    for prefer in ("handling=strict", "handling=lenient"):
        for url in ("Patient?gender:colour=x", "Patient?_has:Observation:patient:code:colour=x", "?_id:colour=x"):
            with pytest.raises(FhirError) as refused:
                call("GET", url, prefer=prefer)
            assert refused.value.category is Category.INCORRECT


def test_the_setting_says_what_is_done_unasked(call: Call, fhir: Fhir, settings: Settings) -> None:
    """Without Prefer the setting decides: lenient says what was left out, strict refuses."""
    assert asked(call, "Patient?colour=x", prefer="")["entry"][0]["search"]["mode"] == "outcome"
    fhir.settings = settings.model_copy(update={"search_handling": "strict"})
    with pytest.raises(FhirError):
        call("GET", "Patient?colour=x")
    assert asked(call, "Patient?colour=x", prefer="handling=lenient")["entry"]
