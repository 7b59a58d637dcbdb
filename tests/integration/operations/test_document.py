"""`Composition/$document`: what is in it, and what makes it fail (https://hl7.org/fhir/R4/composition-operation-document.html)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.validate import check

Operate = Callable[..., Any]
Call = Callable[..., Any]


def _composition(*entries: str) -> dict[str, Any]:
    section = [{"title": "s", "entry": [{"reference": one} for one in entries]}]
    return {
        "resourceType": "Composition", "id": "c", "status": "final", "type": {"text": "note"}, "date": "2020-01-01",
        "title": "Note", "author": [{"reference": "Practitioner/dr"}], "section": section,
    }  # fmt: skip


@pytest.fixture
def stored(call: Call) -> None:
    """A chain: the Composition, an Observation, its Patient, the Patient's Organization."""
    call("PUT", "Practitioner/dr", {"resourceType": "Practitioner", "id": "dr"})
    call("PUT", "Organization/org", {"resourceType": "Organization", "id": "org", "name": "x"})
    managed = {"managingOrganization": {"reference": "Organization/org"}}
    call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p", **managed})
    body = {"status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/p"}}
    call("PUT", "Observation/o", {"resourceType": "Observation", "id": "o", **body})
    call("PUT", "Composition/c", _composition("Observation/o"))


@pytest.mark.usefixtures("stored")
def test_everything_is_in_it_once_and_it_is_valid(operate: Operate) -> None:
    """The Composition first, then each resource that it leads to; a Bundle that validates."""
    bundle = operate("GET", "Composition/c/$document")
    names = [entry["fullUrl"].removeprefix("http://test/fhir/") for entry in bundle["entry"]]
    assert names[0] == "Composition/c"
    assert sorted(names[1:]) == ["Observation/o", "Organization/org", "Patient/p", "Practitioner/dr"]
    assert [problem for problem in check(bundle) if problem.severity == "error"] == []


@pytest.mark.usefixtures("stored")
def test_it_can_be_stored(operate: Operate, call: Call) -> None:
    """`persist` makes a Bundle of it; the type-level call names the Composition by id."""
    made = operate("GET", "Composition/$document?id=c&persist=true")
    assert json.loads(call("GET", f"Bundle/{made['id']}").body)["type"] == "document"


@pytest.mark.usefixtures("stored")
def test_a_document_with_holes_is_refused(operate: Operate, call: Call) -> None:
    """A reference that finds nothing, a Composition that is not there, a parameter that is not known."""
    call("PUT", "Composition/c", _composition("Observation/gone"))
    for url in (
        "Composition/c/$document",
        "Composition/none/$document",
        "Composition/$document",
        "Composition/c/$document?x=1",
    ):
        with pytest.raises(FhirError):
            operate("GET", url)
