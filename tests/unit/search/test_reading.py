"""How search parameters become a query."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import Category, FhirError
from server.search.query import Chain, Condition, Limits, Query, Some
from server.search.reading import read_query


def read(resource_type: str, *pairs: tuple[str, str]) -> Query:
    """The query of one type, strictly."""
    return read_query(resource_type, pairs, strict=True, limits=Limits())


def test_a_parameter_without_a_value_is_as_if_absent() -> None:
    """`name=` neither limits the search nor shows in the self link."""
    query = read("Patient", ("name", ""), ("active", "true"))
    (node,) = query.branches[0].conditions
    assert isinstance(node, Condition)
    assert node.param.code == "active"
    assert query.used == (("active", "true"),)


def test_a_chain_without_a_type_means_every_target_that_knows_it() -> None:
    """`subject.family` means Patient, the one target that has a family; `subject.identifier` all that have one."""
    (one,) = read("Observation", ("subject.family", "x")).branches[0].conditions
    assert isinstance(one, Chain)
    assert one.target == "Patient"
    (several,) = read("Observation", ("subject.identifier", "x")).branches[0].conditions
    assert isinstance(several, Some)
    targets = {part.target for part in several.parts if isinstance(part, Chain)}
    assert targets == {"Patient", "Group", "Device", "Location"}


@pytest.mark.parametrize("name", ["family:above", "gender:zork", "organization.name:zork", "link:Zork", "_list:not"])
def test_a_modifier_that_a_parameter_does_not_take_is_never_left_out(name: str) -> None:
    """R4 has such a search rejected; leaving the condition out would answer every resource."""
    with pytest.raises(FhirError) as refused:
        read_query("Patient", [(name, "x")], strict=False, limits=Limits())
    assert refused.value.category is Category.INCORRECT


def test_chains_have_a_depth() -> None:
    """A chain that never ends is refused."""
    with pytest.raises(FhirError, match="deep"):
        read("Encounter", ("part-of." * 20 + "status", "x"))
