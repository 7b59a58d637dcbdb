"""`$validate-code` where something is missing, out of use or named wrongly (https://hl7.org/fhir/R4/valueset-operation-validate-code.html)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import FhirError

sys.path.insert(0, str(Path(__file__).parent))
from asking import SET, A, ask, issues, system, value_set, values

IN_SET, IN_SYSTEM = "ValueSet/$validate-code", "CodeSystem/$validate-code"
CODES = system({"code": "one", "display": "One"}, {"code": "two", "display": "Two"})
ONE = value_set({"system": A, "concept": [{"code": "one"}]})


@pytest.mark.parametrize("coding", [{"system": A}, {"display": "One"}])
def test_a_coding_without_a_code_is_one_warning(coding: dict[str, str]) -> None:
    """It is not valid, and nothing is said of a code that was never sent."""
    for name in (IN_SET, IN_SYSTEM):
        found = ask(name, CODES, ONE, coding=coding, url=SET if name == IN_SET else "")
        assert values(found)["result"] is False and "code" not in values(found)
        assert issues(found) == [("warning", "invalid-data", "Coding")]


def test_a_coding_without_a_system_is_not_given_one() -> None:
    """Only a code may have its system inferred, and only when that is asked for."""
    found = ask(IN_SET, CODES, ONE, url=SET, coding={"code": "one"}, inferSystem=True)
    assert values(found)["result"] is False and ("warning", "invalid-data", "Coding") in issues(found)
    assert values(ask(IN_SET, CODES, ONE, url=SET, code="one", inferSystem=True))["system"] == A
    with pytest.raises(FhirError):
        ask(IN_SET, CODES, ONE, url=SET, code="one")


def test_one_good_coding_is_enough() -> None:
    """Beside it a coding without a system, or of a system that is not known, is a warning."""
    for other in ({"code": "one"}, {"code": "x", "system": "http://example.org/nowhere"}):
        found = ask(IN_SET, CODES, ONE, url=SET, codeableConcept={"coding": [other, {"code": "one", "system": A}]})
        told = values(found)
        assert told["result"] is True and told["code"] == "one" and "x-unknown-system" not in told
        assert {severity for severity, _, _ in issues(found)} == {"warning", "information"}


def test_a_concept_without_codings_is_in_no_value_set() -> None:
    """A text alone is told as what it is: no valid coding."""
    found = ask(IN_SET, CODES, ONE, url=SET, codeableConcept={"coding": []})
    assert values(found)["result"] is False and issues(found) == [("error", "not-in-vs", "")]


def test_a_supplement_is_no_system() -> None:
    """A coding that names a supplement as its system is told so."""
    more = {"resourceType": "CodeSystem", "url": f"{A}/more", "content": "supplement", "supplements": A, "version": "2"}
    found = ask(IN_SYSTEM, CODES, more, coding={"system": f"{A}/more", "code": "one"})
    assert values(found)["result"] is False and issues(found) == [("error", "invalid-data", "Coding.system")]
    assert f"{A}/more|2" in values(found)["message"]


@pytest.mark.parametrize(("status", "inactive"), [("deprecated", None), ("retired", True), ("inactive", True)])
def test_what_is_out_of_use_is_said(status: str, inactive: bool | None) -> None:
    """A deprecated concept is valid and in use, a retired one is inactive; both are warnings."""
    codes = system({"code": "one", "property": [{"code": "status", "valueCode": status}]})
    for name, url in ((IN_SET, SET), (IN_SYSTEM, A)):
        found = ask(name, codes, ONE, url=url, coding={"system": A, "code": "one"})
        told: dict[str, Any] = values(found)
        assert told["result"] is True and told.get("inactive") is inactive
        assert told.get("status") == (None if status == "inactive" else status)
        assert issues(found) == [("warning", "code-comment", "Coding")]
