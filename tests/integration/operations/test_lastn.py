"""`Observation/$lastn`: groups, ties and what is asked for (https://hl7.org/fhir/R4/observation-operation-lastn.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError

Operate = Callable[..., Any]


def _put(call: Callable[..., Any], name: str, codes: list[str], day: str | None, subject: str = "p") -> None:
    body = {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": code} for code in codes]},
        "subject": {"reference": f"Patient/{subject}"},
        **({"effectiveDateTime": day} if day else {}),
    }
    assert call("PUT", f"Observation/{name}", body).status == 201


def _ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


def test_ties_come_too(call: Callable[..., Any], operate: Operate) -> None:
    """Two observations of one moment are both the newest."""
    for name, day in (("a", "2020-01-02"), ("b", "2020-01-02"), ("c", "2020-01-01")):
        _put(call, name, ["x"], day)
    assert set(_ids(operate("GET", "Observation/$lastn?patient=p&code=x"))) == {"a", "b"}
    assert set(_ids(operate("GET", "Observation/$lastn?patient=p&code=x&max=3"))) == {"a", "b", "c"}


def test_observations_that_share_a_code_are_one_group(call: Callable[..., Any], operate: Operate) -> None:
    """A translation joins two codes."""
    _put(call, "a", ["x"], "2020-01-01")
    _put(call, "b", ["y"], "2020-01-02")
    _put(call, "c", ["x", "y"], "2020-01-03")
    _put(call, "d", ["z"], "2019-01-01")
    assert _ids(operate("GET", "Observation/$lastn?subject=Patient/p&code=urn:c|")) == ["c", "d"]


def test_only_the_patient_and_what_the_search_finds(call: Callable[..., Any], operate: Operate) -> None:
    """Other patients' observations and filtered ones are not looked at; without a date comes last."""
    _put(call, "a", ["x"], "2020-01-01")
    _put(call, "b", ["x"], "2021-01-01", subject="q")
    _put(call, "c", ["x"], None)
    assert _ids(operate("GET", "Observation/$lastn?patient=p&code=x&max=5")) == ["a", "c"]
    assert _ids(operate("GET", "Observation/$lastn?patient=p&code=x&date=lt2020")) == []


@pytest.mark.parametrize("query", ["code=x", "patient=p", "patient=p&code=x&max=0", "patient=p&code=x&nothing=1"])
def test_what_is_not_understood_is_refused(operate: Operate, query: str) -> None:
    """A patient, a code and known parameters are needed."""
    with pytest.raises(FhirError):
        operate("GET", f"Observation/$lastn?{query}")
