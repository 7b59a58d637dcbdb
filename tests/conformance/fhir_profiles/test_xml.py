"""XML in and out over HL7's published R4 examples and Synthea's bundles, and against another library."""

import importlib

import pytest

from fhir_profiles import json
from fhir_profiles.xml import from_json, to_json
from fhir_profiles.xml.xhtml import canonical


def _sorted(value):
    """JSON text of a value with its keys in order and narratives in canonical form; digits of numbers count."""
    if isinstance(value, dict):
        pairs = (
            f'"{key}":{_sorted(canonical(child) if key == "div" else child)}'
            for key, child in sorted(value.items())
            if key != "fhir_comments"  # of old examples, not part of FHIR R4
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_sorted, value)) + "]"
    return json.encode(value).decode()


def test_every_example_comes_back_from_xml_as_it_was(examples):
    """JSON to XML to JSON loses nothing, and XML to JSON to XML gives the same bytes, pretty or not."""
    assert len(examples) > 250
    for name, resource in examples:
        document = from_json(json.encode(resource))
        back = to_json(document)
        assert _sorted(json.decode(back)) == _sorted(resource), name
        assert from_json(back) == document, name
        assert to_json(from_json(back, pretty=True)) == back, name


def test_every_synthea_bundle_comes_back_from_xml_as_it_was(synthea):
    """The same for bundles with thousands of resources."""
    for name, resource in synthea:
        document = from_json(json.encode(resource))
        back = to_json(document)
        assert _sorted(json.decode(back)) == _sorted(resource), name
        assert from_json(back) == document, name


def _model(type_name):
    """The model of a type in fhir.resources for R4B, which shares most types with R4; None when it lacks it."""
    try:
        return getattr(importlib.import_module(f"fhir.resources.R4B.{type_name.lower()}"), type_name)
    except ModuleNotFoundError:
        return None


@pytest.mark.filterwarnings("ignore")
def test_another_library_reads_our_xml_as_it_reads_the_json(examples):
    """What fhir.resources makes of our XML is what it makes of the JSON, where it knows the type and keeps its data."""
    compared = 0
    for name, resource in examples:
        model = _model(resource["resourceType"])
        body = json.encode(resource)
        if model is None or len(body) > 50_000 or _beyond_the_other(resource):
            continue
        try:
            expected = model.model_validate_json(body)
        except ValueError:
            continue  # R4B differs from R4
        found = model.model_validate_xml(from_json(body))
        assert _plain(found) == _plain(expected), name
        compared += 1
    assert compared > 100


def _plain(model):
    return _shared(json.decode(model.model_dump_json().encode()))


def _shared(value):
    """A value without narratives and ids of elements, which the other library changes or loses in XML."""
    if isinstance(value, dict):
        return {key: _shared(child) for key, child in value.items() if key not in ("div", "id")}
    return [_shared(item) for item in value] if isinstance(value, list) else value


def _beyond_the_other(value):
    """Whether the resource holds what the other library loses: ids and extensions beside primitives."""
    if isinstance(value, dict):
        return any(key.startswith("_") or key == "fhir_comments" or _beyond_the_other(v) for key, v in value.items())
    return isinstance(value, list) and any(map(_beyond_the_other, value))
