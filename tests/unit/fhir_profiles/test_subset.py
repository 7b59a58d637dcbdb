"""Parts of resources: what is asked for, what must be there, and the mark that something is missing."""

import pytest

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from fhir_profiles.subset import WHOLE, Wish, cut, cut_resource, read_wish

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "status": "final",
    "_status": {"id": "s"},
    "code": {"text": "pulse"},
    "subject": {"reference": "Patient/p"},
    "valueQuantity": {"value": 1},
    "note": [{"text": "n"}],
    "modifierExtension": [{"url": "https://example.org/m", "valueString": "x"}],
}


def _left(wish, resource=OBSERVATION):
    return set(cut_resource(resource, wish)) - {"resourceType", "id", "meta"}


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        (Wish("true"), {"status", "_status", "code", "subject", "valueQuantity", "modifierExtension"}),
        (Wish("text"), {"text", "status", "_status", "code"}),
        (Wish("data"), set(OBSERVATION) - {"resourceType", "id", "text"}),
        (Wish(elements=("note",)), {"note", "status", "_status", "code", "modifierExtension"}),
        (Wish(elements=("value",)), {"valueQuantity", "status", "_status", "code", "modifierExtension"}),
        (
            Wish(elements=("Observation.subject", "Patient.name")),
            {"subject", "status", "_status", "code", "modifierExtension"},
        ),
    ],
)
def test_what_is_left_is_what_was_asked_for_and_what_must_be_there(wish, left):
    """Mandatory elements and modifiers stay; primitives keep their extensions; a prefix names the type it is for."""
    assert _left(wish) == left


def test_every_part_is_marked_once():
    """SUBSETTED is added to the tags that are there, and not twice."""
    tagged = {**OBSERVATION, "meta": {"versionId": "2", "tag": [{"code": "a"}]}}
    once = cut_resource(tagged, Wish("data"))
    assert once["meta"]["versionId"] == "2"
    assert [tag["code"] for tag in once["meta"]["tag"]] == ["a", "SUBSETTED"]
    assert cut_resource(once, Wish("data"))["meta"] == once["meta"]
    assert tagged["meta"]["tag"] == [{"code": "a"}]


def test_a_summary_goes_into_datatypes():
    """An attachment keeps its type and title in a summary, and loses its data."""
    resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "eA==", "title": "t"}}],
    }
    left = cut_resource(resource, Wish("true"))
    assert left["content"] == [{"attachment": {"contentType": "text/plain", "title": "t"}}]


def test_contained_resources_stay_while_something_points_at_them():
    """A reference that is left never points at nothing."""
    inside = [{"resourceType": "Patient", "id": "p"}]
    resource = {**OBSERVATION, "contained": inside, "subject": {"reference": "#p"}}
    assert "contained" in _left(Wish("true"), resource)
    assert "contained" not in _left(Wish(elements=("note",)), resource)


def test_the_entries_of_a_list_are_cut_and_not_the_list():
    """A searchset and a history keep their own elements; an OperationOutcome in them stays whole."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "entry": [
            {"fullUrl": "u", "resource": OBSERVATION, "search": {"mode": "match"}},
            {"resource": outcome, "search": {"mode": "outcome"}},
            {"fullUrl": "gone"},
        ],
    }
    left = json.decode(cut(json.encode(bundle), Wish("text")))
    assert left["total"] == 1
    assert "subject" not in left["entry"][0]["resource"]
    assert left["entry"][1]["resource"] == outcome


def test_a_count_keeps_what_was_left_out_of_the_question():
    """A number without its warning would be the answer to another search."""
    told = {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}
    match = {"resource": OBSERVATION, "search": {"mode": "match"}}
    for entries, left in (([match, told], [told]), ([match], None)):
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": entries}
        assert json.decode(cut(json.encode(bundle), Wish("count"))).get("entry") == left


def test_digits_survive():
    """A part is cut from the numbers as they were written."""
    body = b'{"resourceType":"Observation","valueQuantity":{"value":72.50}}'
    assert b"72.50" in cut(body, Wish("true"))


@pytest.mark.parametrize(
    ("pairs", "wish"),
    [
        ([("name", "x")], WHOLE),
        ([("_summary", "false")], WHOLE),
        ([("_summary", "true")], Wish("true")),
        ([("_elements", "id, name"), ("_elements", "value[x]")], Wish(elements=("id", "name", "value"))),
        ([("_elements", ""), ("_summary", "")], WHOLE),
    ],
)
def test_wishes_are_read_from_a_query(pairs, wish):
    """Repeated `_elements` add up; empty parameters say nothing."""
    assert read_wish(pairs) == wish


@pytest.mark.parametrize("pairs", [[("_summary", "short")], [("_summary", "text"), ("_elements", "name")]])
def test_a_wish_that_makes_no_sense_is_refused(pairs):
    """An unknown mode, or a summary of chosen elements."""
    with pytest.raises(FhirError):
        read_wish(pairs)
