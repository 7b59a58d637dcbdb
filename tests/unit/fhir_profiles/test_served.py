"""Definitions that can be read at the server though nobody stored them."""

from __future__ import annotations

import pytest

from fhir_profiles import served
from fhir_profiles.capability import Declared
from fhir_profiles.definitions import load
from fhir_profiles.validate import check

CODE = Declared("code", "https://e.org/OperationDefinition/DocumentReference-code", ("type",), ("DocumentReference",))


def test_an_operation_is_told_with_its_levels_and_parameters() -> None:
    """The definition says where the operation is called, and is valid FHIR."""
    found = served.find("OperationDefinition", "DocumentReference-code", [CODE])
    assert found is not None
    assert (found["url"], found["code"], found["resource"]) == (CODE.definition, "code", ["DocumentReference"])
    assert (found["system"], found["type"], found["instance"]) == (False, True, False)
    assert check(found) == []


def test_every_operation_that_is_told_makes_a_valid_definition() -> None:
    """Whatever stands in the table of operations can be served."""
    for name in served.told_operations():
        one = Declared(name.rpartition("-")[2], f"https://e.org/OperationDefinition/{name}", ("system",))
        found = served.find("OperationDefinition", name, [one])
        assert found is not None
        assert check(found) == [], name


def test_every_search_parameter_makes_a_valid_definition() -> None:
    """Each parameter of R4 can be read by the last part of its URL."""
    urls = {p.url for name in load().resource_types for p in load().search_params(name).values()}
    assert len(urls) > 1000
    for url in urls:
        found = served.find("SearchParameter", served.id_of(url), ())
        assert found is not None
        assert found["url"] == url
        assert [p for p in check(found) if p.severity == "error"] == [], url


@pytest.mark.parametrize("type_name", ["OperationDefinition", "SearchParameter", "Patient"])
def test_what_is_not_defined_is_none(type_name) -> None:
    """Nothing is made up."""
    assert served.find(type_name, "unknown", [CODE]) is None
