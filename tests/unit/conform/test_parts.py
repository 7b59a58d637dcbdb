"""The small parts of profile validation, and profiles that mean harm."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_profiles.conform import Profiles, check_profile, own_resources, read_profile
from fhir_profiles.conform.items import steps_of
from fhir_profiles.conform.matching import equal, fits
from fhir_profiles.conform.registry import version_key
from fhir_profiles.errors import FhirError

CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "http://example.org/StructureDefinition/"


def definition(id, of, *elements, base=None, kind="resource"):
    """A StructureDefinition with a differential."""
    return {
        "resourceType": "StructureDefinition", "url": URL + id, "name": id, "status": "active", "kind": kind,
        "abstract": False, "type": of, "baseDefinition": base or CORE + of, "derivation": "constraint",
        "differential": {"element": list(elements)},
    }  # fmt: skip


class Source:
    """Profiles by URL."""

    def __init__(self, *definitions):
        self._known = {d["url"]: read_profile(d) for d in definitions}

    def profiles(self, url):
        return [self._known[url]] if url in self._known else []

    def resources(self, resource_type, url):
        return []

    def types(self):
        return iter(())


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": [1]}, {"a": [2, 1]}, True),
        ({"a": [1, 3]}, {"a": [1]}, False),
        (True, 1, False),
        (Decimal("1.0"), 1, True),
        ({"a": {"b": "x"}}, {"a": "x"}, False),
        ([], "x", False),
    ],
)
def test_a_pattern_asks_for_its_parts(pattern, value, expected):
    """More may be there, true is not 1, and a number is its value."""
    assert fits(pattern, value) is expected


def test_a_fixed_value_is_all_there_may_be():
    """Not one property more, not one item more."""
    assert equal({"a": [1]}, {"a": [1]})
    assert not equal({"a": [1]}, {"a": [1], "b": 2})
    assert not equal([1], [1, 1])


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$this", ()),
        ("code.coding.code", (("code", None), ("coding", None), ("code", None))),
        ("value[x]", (("value", None),)),
        ("$this.resolve().code", (("resolve", ""), ("code", None))),
        ("extension('http://a.b/c').value", (("extension", "http://a.b/c"), ("value", None))),
        ("value.ofType(Quantity)", (("value", None), ("ofType", "Quantity"))),
        ("a + b", None),
        ("", ()),
    ],
)
def test_the_path_of_a_discriminator_is_read_or_refused(path, steps):
    """The restricted FHIRPath of the specification, and nothing else: what is not read is not checked."""
    assert steps_of(path) == steps


def test_versions_are_ordered_as_people_do():
    """By numbers, and a release after its previews."""
    versions = ["1.9.0", "1.10.0", "2.0.0-ballot", "2.0.0", ""]
    assert sorted(versions, key=version_key) == ["", "1.9.0", "1.10.0", "2.0.0-ballot", "2.0.0"]


def test_a_profile_that_is_its_own_base_is_not_checked():
    """And so is one whose bases form a circle."""
    one = definition("one", "Patient", base=f"{URL}two")
    two = definition("two", "Patient", base=f"{URL}one")
    problems = check_profile({"resourceType": "Patient"}, f"{URL}one", registry=Profiles([Source(one, two)]))
    assert [(p.severity, p.code) for p in problems] == [("warning", "not-supported")]


def test_an_extension_that_contains_itself_ends():
    """Recursion goes as deep as the resource, at most eight profiles deep."""
    nested = {"id": "Extension.extension:self", "path": "Extension.extension", "sliceName": "self",
              "type": [{"code": "Extension", "profile": [f"{URL}self"]}]}  # fmt: skip
    on = {"id": "Patient.extension:self", "path": "Patient.extension", "sliceName": "self",
          "type": [{"code": "Extension", "profile": [f"{URL}self"]}]}  # fmt: skip
    profiles = Profiles([Source(definition("self", "Extension", nested, kind="complex-type"),
                                definition("p", "Patient", on))])  # fmt: skip
    value: dict = {"url": f"{URL}self", "valueString": "x"}
    for _ in range(40):
        value = {"url": f"{URL}self", "extension": [value]}
    assert check_profile({"resourceType": "Patient", "extension": [value]}, f"{URL}p", registry=profiles) == []


def test_combinations_have_an_end():
    """A profile that tries others on every item at every level is given up, and said to be not checked."""
    entry = {"id": "Bundle.entry", "path": "Bundle.entry",
             "slicing": {"discriminator": [{"type": "profile", "path": "resource"}], "rules": "open"}}  # fmt: skip
    slices = []
    for n in range(30):
        slices += [
            {"id": f"Bundle.entry:s{n}", "path": "Bundle.entry", "sliceName": f"s{n}"},
            {"id": f"Bundle.entry:s{n}.resource", "path": "Bundle.entry.resource", "min": 1,
             "type": [{"code": "Bundle", "profile": [f"{URL}b"]}]},
        ]  # fmt: skip
    last = {"id": "Bundle.total", "path": "Bundle.total", "min": 1}
    profiles = Profiles([Source(definition("b", "Bundle", entry, *slices, last))])
    bundle: dict = {"resourceType": "Bundle", "type": "collection"}
    for _ in range(6):
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": bundle}] * 5}
    problems = check_profile(bundle, f"{URL}b", registry=profiles)
    assert ("warning", "not-supported") in {(p.severity, p.code) for p in problems}


@pytest.mark.parametrize(
    "change",
    [
        {"path": "Patient" + ".contact" * 50},
        {"max": "many"},
        {"min": "1"},
        {"type": "string"},
        {"slicing": {"discriminator": [{"type": "value"}]}},
        {"binding": {"strength": "strong", "valueSet": "x"}},
        {"path": None},
    ],
)
def test_an_element_that_cannot_be_read_is_named(change):
    """Its place in the definition, so that its author finds it."""
    with pytest.raises(FhirError) as caught:
        read_profile(definition("p", "Patient", {"path": "Patient.name", **change}))
    assert caught.value.problems[0].expression == "StructureDefinition.differential.element[0]"


def test_an_element_that_the_type_does_not_have_is_named():
    """At compiling, and whoever claims the profile is told that it was not checked."""
    profiles = Profiles([Source(definition("p", "Patient", {"path": "Patient.nonsense", "min": 1}))])
    with pytest.raises(FhirError, match="nonsense"):
        profiles.checker(f"{URL}p")


def test_ids_are_not_needed():
    """Slices are known by the order of paths and names, as R4 allows."""
    elements = [
        {"path": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "system"}]}},
        {"path": "Patient.identifier", "sliceName": "mrn", "min": 1},
        {"path": "Patient.identifier.system", "fixedUri": "http://example.org/mrn", "min": 1},
        {"path": "Patient.name", "min": 1},
    ]
    profiles = Profiles([Source(definition("p", "Patient", *elements))])
    told = {p.expression for p in check_profile({"resourceType": "Patient"}, f"{URL}p", registry=profiles)}
    assert told == {"Patient.identifier", "Patient.name"}


def test_what_ships_has_the_elements_of_its_base():
    """A snapshot names every element of the type, each with its base and cardinality."""
    for resource in own_resources():
        for element in resource.get("snapshot", {}).get("element", ()):
            assert {"id", "path", "min", "max", "definition", "base"} <= element.keys(), element["id"]
