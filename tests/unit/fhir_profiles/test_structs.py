"""Typed views of resources."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from fhir_profiles import json, structs
from fhir_profiles.definitions import load
from fhir_profiles.errors import FhirError


def test_elements_are_attributes_and_decimals_keep_their_digits() -> None:
    """What was read is there, what was not is UNSET, and encoding gives the same bytes."""
    body = b'{"resourceType":"Observation","valueQuantity":{"value":72.50},"component":[{"valueInteger":3}]}'
    observation = structs.decode(body)
    assert observation.valueQuantity.value == Decimal("72.50")
    assert observation.component[0].valueInteger == 3
    assert observation.status is msgspec.UNSET
    assert json.encode(observation) == body


def test_keywords_get_an_underscore() -> None:
    """`class` is read as `class_`."""
    assert structs.decode(b'{"resourceType":"Encounter","class":{"code":"AMB"}}').class_.code == "AMB"


def test_every_type_has_a_struct() -> None:
    """All resources, datatypes and backbone elements."""
    for name, type_ in load().types.items():
        if type_.kind != "primitive-type":
            assert issubclass(structs.struct(name), msgspec.Struct)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"resourceType":"Banana"}',
        b'{"resourceType":"Patient","banana":1}',
        b'{"resourceType":"Patient","active":"true"}',
        b'{"resourceType":"Patient","name":{}}',
        b'{"resourceType":"Patient","gender":null}',
    ],
)
def test_what_does_not_fit_is_refused(body: bytes) -> None:
    """Wrong JSON types and unknown properties are a FhirError."""
    with pytest.raises(FhirError):
        structs.decode(body)
