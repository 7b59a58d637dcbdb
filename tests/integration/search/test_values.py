"""What one condition finds: every modifier and kind of value, on both engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from fhir_profiles.errors import FhirError
from server.interactions.exchange import Response

Call = Callable[..., Response]
Resource = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
TREE = "http://example.org/tree"


def ids(call: Call, kind: str, **params: str) -> list[str]:
    """The ids that a strict search finds; `__` in a name is a colon, `_o_` a dash."""
    pairs = [f"{quote(name.replace('__', ':').replace('_o_', '-'))}={quote(value)}" for name, value in params.items()]
    body = json.loads(call("GET", f"{kind}?{'&'.join(pairs)}", prefer="handling=strict").body)
    return sorted(entry["resource"]["id"] for entry in body.get("entry", ()))


def put(call: Call, kind: str, id_: str, /, **elements: Any) -> None:
    """Store a resource."""
    call("PUT", f"{kind}/{id_}", {"resourceType": kind, "id": id_, **elements})


def observe(call: Call, id_: str, /, code: str = "8480-6", **elements: Any) -> None:
    """Store an Observation."""
    coded = {"coding": [{"system": LOINC, "code": code, "display": "Systolic pressure"}], "text": "Oberer Wert"}
    put(call, "Observation", id_, status="final", code=coded, **elements)


def mass(value: str, code: str) -> Resource:
    """A quantity of UCUM; the value as it is written."""
    return {"value": json.loads(value), "unit": f"{code} written", "system": UCUM, "code": code}


def test_quantities_are_compared_in_base_units(call: Call) -> None:
    """5.4 mg, 0.0054 g and 0.0000054 kg are one amount, whatever unit is asked for, and [pH] falls as acid rises."""
    for name, value, code in (("mg", "5.4", "mg"), ("g", "0.0054", "g"), ("kg", "1", "kg")):
        observe(call, name, valueQuantity=mass(value, code))
    observe(call, "other", valueQuantity={"value": 5.4, "unit": "mg"})
    for text in (f"5.4|{UCUM}|mg", f"0.0054|{UCUM}|g", f"0.0000054|{UCUM}|kg", f"le5400|{UCUM}|ug", f"ap5|{UCUM}|mg"):
        assert ids(call, "Observation", value_o_quantity=text) == ["g", "mg"], text
    assert ids(call, "Observation", value_o_quantity=f"gt5.4|{UCUM}|mg") == ["kg"]
    assert ids(call, "Observation", value_o_quantity=f"ne5.4|{UCUM}|mg") == ["kg"]
    assert ids(call, "Observation", value_o_quantity="5.4||mg") == ["mg", "other"]
    assert ids(call, "Observation", value_o_quantity="1||kg written") == ["kg"]
    assert ids(call, "Observation", value_o_quantity="5.4") == ["mg", "other"]
    observe(call, "long", valueQuantity=mass("85.70028327584579", "mm[Hg]"))
    assert ids(call, "Observation", value_o_quantity=f"85.70028327584579|{UCUM}|mm[Hg]") == ["long"]
    observe(call, "acid", valueQuantity=mass("5", "[pH]"))
    assert ids(call, "Observation", value_o_quantity=f"lt6|{UCUM}|[pH]") == ["acid"]
    assert ids(call, "Observation", value_o_quantity=f"gt6|{UCUM}|[pH]") == []


def test_numbers_mean_their_precision(call: Call) -> None:
    """100 is 99.5 to 100.5 and 1e2 what its digits say; exponents change nothing about equality."""
    for name, value in (("a", "0.00001"), ("b", "1.00e-5"), ("c", "99.6"), ("d", "120")):
        factor = (
            b'{"resourceType":"ChargeItem","id":"%b","status":"billed","code":{"text":"x"},"subject":{"display":"x"},'
        )
        call("PUT", f"ChargeItem/{name}", factor % name.encode() + b'"factorOverride":%b}' % value.encode())
    assert ids(call, "ChargeItem", factor_o_override="0.00001") == ["a", "b"]
    assert ids(call, "ChargeItem", factor_o_override="1.0e-5") == ["a", "b"]
    assert ids(call, "ChargeItem", factor_o_override="100") == ["c"]
    assert ids(call, "ChargeItem", factor_o_override="1e2") == ["c", "d"]
    assert ids(call, "ChargeItem", factor_o_override="sa99.6") == ["d"]
    with pytest.raises(FhirError, match="must lie between"):
        ids(call, "ChargeItem", factor_o_override="1e999")


def test_parts_of_a_composite_hold_for_one_element(call: Call) -> None:
    """A code of one component with the value of another is no match; units, lists and the whole Observation count."""
    parts = [("8480-6", 140), ("8462-4", 90)]
    component = [
        {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": mass(str(value), "mm[Hg]")}
        for code, value in parts
    ]
    observe(call, "bp", code="85354-9", component=component)
    observe(call, "plain", valueQuantity=mass("141", "mm[Hg]"))

    def found(name: str, value: str) -> list[str]:
        return ids(call, "Observation", **{name: value})

    assert found("component_o_code_o_value_o_quantity", "8480-6$140") == ["bp"]
    assert found("component_o_code_o_value_o_quantity", "8480-6$90") == []
    assert found("combo_o_code_o_value_o_quantity", "8480-6$gt100") == ["bp", "plain"]
    assert found("combo_o_code_o_value_o_quantity", f"{LOINC}|8480-6$gt13.9|{UCUM}|kPa") == [
        "bp",
        "plain",
    ]
    assert found("code_o_value_o_quantity", f"{LOINC}|8480-6$141||mm[Hg]") == ["plain"]
    assert found("code_o_value_o_quantity", f"{LOINC}|8480-6$18.8|{UCUM}|kPa") == ["plain"]
    assert found("combo_o_code_o_value_o_quantity", "x$1,8462-4$90") == ["bp"]
    assert found("combo_o_code_o_value_o_quantity__missing", "true") == []
    assert found("component_o_code_o_value_o_quantity__missing", "true") == ["plain"]
    assert ids(call, "Patient", **{"_has:Observation:subject:combo_o_code_o_value_o_quantity": "8480-6$141"}) == []
    for wrong in ("8480-6", "8480-6$", "8480-6$1$2"):
        with pytest.raises(FhirError, match="parts"):
            found("combo_o_code_o_value_o_quantity", wrong)


def test_composites_of_every_kind_of_part(call: Call) -> None:
    """Code with code, text and date, a kind with a reference, and a code with two numbers."""
    concept = {"coding": [{"system": "urn:s", "code": "a|b$c"}]}
    observe(call, "concept", valueCodeableConcept=concept)
    observe(call, "text", valueString="Ärger, with commas")
    observe(call, "date", valueDateTime="2020-02-03")
    assert ids(call, "Observation", code_o_value_o_concept=r"8480-6$urn:s|a\|b\$c") == ["concept"]
    assert ids(call, "Observation", code_o_value_o_concept=r"8480-6$a\|b\$c") == ["concept"]
    assert ids(call, "Observation", code_o_value_o_concept="8480-6$urn:s|") == ["concept"]
    assert ids(call, "Observation", code_o_value_o_string=r"8480-6$arger\, w") == ["text"]
    assert ids(call, "Observation", code_o_value_o_date="8480-6$ge2020-02") == ["date"]
    assert ids(call, "Observation", code_o_value_o_date="8480-6$lt2020-02") == []
    put(
        call,
        "DocumentReference",
        "d",
        status="current",
        content=[{"attachment": {"url": "http://e.org"}}],
        relatesTo=[
            {"code": "replaces", "target": {"reference": "DocumentReference/x"}},
            {"code": "signs", "target": {"reference": "DocumentReference/y"}},
        ],
    )
    assert ids(call, "DocumentReference", relationship="replaces$DocumentReference/x") == ["d"]
    assert ids(call, "DocumentReference", relationship="signs$x") == []
    put(
        call,
        "MolecularSequence",
        "m",
        coordinateSystem=0,
        referenceSeq={
            "referenceSeqId": {"coding": [{"code": "NC_1"}]},
            "windowStart": 10,
            "windowEnd": 20,
            "strand": "watson",
        },
    )
    assert ids(call, "MolecularSequence", referenceseqid_o_window_o_coordinate="NC_1$ge10$le20") == ["m"]
    assert ids(call, "MolecularSequence", referenceseqid_o_window_o_coordinate="NC_1$ge10$le19") == []


def test_near_is_a_circle_on_the_globe(call: Call) -> None:
    """By distance and unit, over the date line and at the pole; without a distance ten kilometres."""
    places = {"ann": (42.2565, -83.6948), "far": (42.2565, -82.0), "fiji": (-17.0, 179.99), "pole": (89.99, 10.0)}
    for name, (latitude, longitude) in places.items():
        put(call, "Location", name, position={"latitude": latitude, "longitude": longitude})
    put(call, "Location", "nowhere", name="Nowhere")
    assert ids(call, "Location", near="42.25|-83.69|11.2|km") == ["ann"]
    assert ids(call, "Location", near="42.25|-83.69") == ["ann"]
    assert ids(call, "Location", near="42.25|-83.69|139|km") == ["ann"]
    assert ids(call, "Location", near="42.25|-83.69|140|km") == ["ann", "far"]
    assert ids(call, "Location", near="42.25|-83.69|100|[mi_us]") == ["ann", "far"]
    assert ids(call, "Location", near="-17|-179.99|3000|m") == ["fiji"]
    assert ids(call, "Location", near="89.99|-170|3|km,42.25|-83.69|1|km") == ["ann", "pole"]
    assert ids(call, "Location", near="0|0|30000|km") == ["ann", "far", "fiji", "pole"]
    assert ids(call, "Location", near__missing="true") == ["nowhere"]
    for wrong in ("1", "91|0", "0|181", "1|1|1|kg", "1|1|-1|km", "a|b"):
        with pytest.raises(FhirError):
            ids(call, "Location", near=wrong)


def test_long_strings_are_compared_whole(call: Call) -> None:
    """What differs behind 255 characters differs in every modifier."""
    long = "Straße " + "x" * 300
    for name, family in (("a", f"{long} End"), ("b", f"{long} other"), ("c", "Strasse")):
        put(call, "Patient", name, name=[{"family": family}])
    assert ids(call, "Patient", family="strasse") == ["a", "b", "c"]
    assert ids(call, "Patient", family=long) == ["a", "b"]
    assert ids(call, "Patient", family=f"{long} e") == ["a"]
    assert ids(call, "Patient", family__exact=f"{long} End") == ["a"]
    assert ids(call, "Patient", family__exact=f"{long} end") == []
    assert ids(call, "Patient", family__contains="X END") == ["a"]
    assert ids(call, "Patient", family__text="other strasse") == ["b"]


def test_texts_of_codes_and_references(call: Call) -> None:
    """`:text` looks at displays and texts, of every element that the parameter reads."""
    observe(call, "a", subject={"reference": "Patient/1", "display": "Ada Lovelace"})
    observe(call, "b", component=[{"code": {"text": "Inner"}}])
    put(call, "Patient", "p", identifier=[{"type": {"text": "Passport"}, "value": "1"}])
    assert ids(call, "Observation", code__text="systolic") == ["a", "b"]
    assert ids(call, "Observation", code__text="OBERER W") == ["a", "b"]
    assert ids(call, "Observation", combo_o_code__text="inn") == ["b"]
    assert ids(call, "Observation", code__text="inn") == []
    assert ids(call, "Observation", subject__text="ada") == ["a"]
    assert ids(call, "Patient", identifier__text="pass") == ["p"]


def test_identifiers_of_a_type(call: Call) -> None:
    """`:of-type` needs the system, the code of the type and the value of one identifier."""
    kind = {"coding": [{"system": "urn:types", "code": "MR"}]}
    put(call, "Patient", "a", identifier=[{"type": kind, "value": "1|2"}, {"value": "3"}])
    assert ids(call, "Patient", identifier__of_o_type=r"urn:types|MR|1\|2") == ["a"]
    assert ids(call, "Patient", identifier__of_o_type="urn:types|MR|3") == []
    assert ids(call, "Patient", identifier__of_o_type="urn:other|MR|1|2".replace("1|2", r"1\|2")) == []
    with pytest.raises(FhirError, match="of-type"):
        ids(call, "Patient", identifier__of_o_type="MR|1")


def test_value_sets_and_hierarchies_of_codes(call: Call) -> None:
    """`:in`, `:not-in`, `:below` and `:above` by stored definitions; what is not known is said, never empty."""
    concepts = [{"code": "a", "concept": [{"code": "a1", "concept": [{"code": "a11"}]}]}, {"code": "b"}]
    put(call, "CodeSystem", "tree", url=TREE, status="active", content="complete", concept=concepts)
    include = [{"system": TREE, "concept": [{"code": "a1"}]}, {"system": LOINC, "concept": [{"code": "8480-6"}]}]
    put(call, "ValueSet", "some", url="http://e.org/vs", version="2", status="active", compose={"include": include})
    put(call, "ValueSet", "all", url="http://e.org/all", status="active", compose={"include": [{"system": TREE}]})
    for code in ("a", "a1", "a11", "b"):
        put(call, "Observation", code, status="final", code={"coding": [{"system": TREE, "code": code}]})
    observe(call, "pressure")
    assert ids(call, "Observation", code__in="http://e.org/vs") == ["a1", "pressure"]
    assert ids(call, "Observation", code__in="http://e.org/vs|2") == ["a1", "pressure"]
    assert ids(call, "Observation", code__in="ValueSet/some") == ["a1", "pressure"]
    assert ids(call, "Observation", code__not_o_in="http://e.org/vs") == ["a", "a11", "b"]
    assert ids(call, "Observation", code__in="http://e.org/all") == ["a", "a1", "a11", "b"]
    assert ids(call, "Observation", status__in="http://hl7.org/fhir/ValueSet/observation-status") == sorted(
        ["a", "a1", "a11", "b", "pressure"]
    )
    assert ids(call, "Observation", code__below=f"{TREE}|a1") == ["a1", "a11"]
    assert ids(call, "Observation", code__above=f"{TREE}|a1") == ["a", "a1"]
    for name, value in (
        ("code__in", "http://e.org/none"),
        ("code__in", "http://e.org/vs|9"),
        ("code__below", f"{TREE}|x"),
    ):
        with pytest.raises(FhirError, match="not known"):
            ids(call, "Observation", **{name: value})


def test_hierarchies_of_references(call: Call) -> None:
    """`:below` finds what refers to a place or anything in it, `:above` to a place or anything around it."""
    for name, around in (("land", None), ("town", "land"), ("ward", "town")):
        part_of = {"partOf": {"reference": f"Location/{around}"}} if around else {}
        put(call, "Location", name, **part_of)
        put(
            call,
            "Encounter",
            name,
            status="planned",
            location=[{"location": {"reference": f"Location/{name}"}}],
            **{"class": {"code": "AMB"}},
        )
    assert ids(call, "Encounter", location__below="town") == ["town", "ward"]
    assert ids(call, "Encounter", location__above="Location/town") == ["land", "town"]
    put(call, "Location", "land", partOf={"reference": "Location/ward"})
    assert ids(call, "Encounter", location__below="town") == ["land", "town", "ward"]
    with pytest.raises(FhirError, match="hierarchy"):
        ids(call, "Observation", device__below="Device/1")


def test_canonicals_with_and_without_a_version(call: Call) -> None:
    """A bare canonical finds every version, one with a version that one, `:below` the versions under it."""
    for name, version in (("one", "|1.2.0"), ("two", "|2.0"), ("none", "")):
        put(call, "QuestionnaireResponse", name, status="completed", questionnaire=f"http://e.org/q{version}")
    assert ids(call, "QuestionnaireResponse", questionnaire="http://e.org/q") == ["none", "one", "two"]
    assert ids(call, "QuestionnaireResponse", questionnaire="http://e.org/q|2.0") == ["two"]
    assert ids(call, "QuestionnaireResponse", questionnaire__below="http://e.org/q|1") == ["one"]


def test_uris_above_below_and_with_a_text(call: Call) -> None:
    """Paths are compared by their segments."""
    for name, url in (("a", "http://e.org/fhir"), ("b", "http://e.org/fhir/ValueSet/1"), ("c", "http://e.org/fhirs")):
        put(call, "ValueSet", name, url=url, status="active")
    assert ids(call, "ValueSet", url__below="http://e.org/fhir") == ["a", "b"]
    assert ids(call, "ValueSet", url__above="http://e.org/fhir/ValueSet/1/x") == ["a", "b"]
    assert ids(call, "ValueSet", url__contains="ValueSet") == ["b"]
    assert ids(call, "ValueSet", url="http://e.org/fhir") == ["a"]


def test_what_is_missing(call: Call) -> None:
    """An element that is there counts, although it holds nothing to compare; unions count each of their elements."""
    observe(call, "text", valueCodeableConcept={"text": "words only"})
    observe(call, "value", valueQuantity={"value": 1}, subject={"display": "somebody"})
    assert ids(call, "Observation", value_o_concept__missing="false") == ["text"]
    assert ids(call, "Observation", value_o_quantity__missing="true") == ["text"]
    assert ids(call, "Observation", subject__missing="false") == ["value"]
    assert ids(call, "Observation", _id__missing="true") == []
    assert ids(call, "Observation", _lastUpdated__missing="false") == ["text", "value"]
    assert ids(call, "Observation", value_o_concept__missing="true", status="final") == ["value"]


def test_full_text(call: Call) -> None:
    """Words of the narrative and of everything, with and, or, not, phrases and beginnings, until they change."""

    def told(text: str) -> Resource:
        return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'}

    observe(call, "a", text=told("chest <b>pain</b> &amp; Fièvre"))
    observe(call, "b", note=[{"text": "pain in the knee, no chest complaint"}])
    assert ids(call, "Observation", _text="pain") == ["a"]
    assert ids(call, "Observation", _text="fievre chest") == ["a"]
    assert ids(call, "Observation", _content="pain") == ["a", "b"]
    assert ids(call, "Observation", _content='"chest pain"') == ["a"]
    assert ids(call, "Observation", _content="pain and (knee or fievre)") == ["a", "b"]
    assert ids(call, "Observation", _content="pain not knee") == ["a"]
    assert ids(call, "Observation", _content="kne*,fiev*") == ["a", "b"]
    assert ids(call, "Observation", _content="8480-6", status="final") == ["a", "b"]
    assert ids(call, "Patient", _content="pain") == []
    for wrong in ("not pain", "(pain", "or", "pain)", '"'):
        with pytest.raises(FhirError):
            ids(call, "Observation", _content=wrong)
    observe(call, "a")
    call("DELETE", "Observation/b")
    assert ids(call, "Observation", _content="pain") == []


def test_long_lists_of_values(call: Call) -> None:
    """1,500 values of any kind are one search."""
    observe(
        call, "a", valueQuantity=mass("7", "mg"), subject={"reference": "Patient/77"}, effectiveDateTime="2020-01-01"
    )
    put(call, "Patient", "77", name=[{"family": "Name77"}], birthDate="1977-07-07")
    numbers = range(1500)
    lists = {
        "code": [f"{LOINC}|{n}" for n in numbers] + [f"{LOINC}|8480-6"],
        "subject": [f"Patient/{n}" for n in numbers],
        "value-quantity": [f"{n}|{UCUM}|mg" for n in numbers],
        "date": [f"{2020 + n}" for n in numbers],
        "_id": [*map(str, numbers), "a"],
        "combo-code-value-quantity": [f"8480-6${n}" for n in numbers],
    }
    for code, values in lists.items():
        assert ids(call, "Observation", **{code: ",".join(values)}) == ["a"], code
    assert ids(call, "Patient", family=",".join(f"name{n}" for n in numbers)) == ["77"]
    assert ids(call, "Observation", code__not=",".join(lists["code"])) == []


def test_a_wrong_value_is_told_with_its_parameter(call: Call) -> None:
    """Of several conditions the message names the one whose value is wrong, and never repeats the value."""
    for parameter, wrong in (("date", "yesterday"), ("value_o_quantity", "much"), ("combo_o_code", "a|b|c|")):
        with pytest.raises(FhirError) as told:
            ids(call, "Observation", status="final", **{parameter: wrong})
        assert str(told.value).startswith(f"{parameter.replace('_o_', '-')}: ") and wrong not in str(told.value)
