"""Calls to the terminology that are made to break it: refused with the issue that fits, or answered within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.tx_hostility import circles, patterns, shapes
from campaigns.tx_hostility.making import FINE, Attack, code_system, concepts, parameters, value_set
from fhir_profiles.errors import FhirError
from fhir_profiles.validate import check
from server.operations.terminology import KEPT_LONGEST, MOST_OBJECTS

Json = dict[str, Any]
Operate = Callable[..., Any]
FRUIT = "urn:x:fruit"
SMALL = 60_000

ATTACKS = [
    attack
    for group in (circles, patterns, shapes)
    for attack in group.attacks()
    if len(attack.body) < SMALL
    and "over all" not in attack.name
    and attack.path.partition("?")[0].count("/") == 1
    and ("XML" not in attack.name and "JSON" not in attack.name and "UTF" not in attack.name)
]
"""Those that are small, and about what an operation understands rather than about HTTP."""


def _resource(attack: Attack) -> Any:
    try:
        found = json.loads(attack.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@pytest.mark.parametrize("at", range(6))
def test_hostile_calls_are_refused_as_fits_or_answered(operate: Operate, at: int) -> None:
    """No attack ends in anything but an answer that is FHIR or an error whose issue is one of those that fit."""
    for attack in ATTACKS[at::6]:
        body = _resource(attack) if attack.method == "POST" else None
        if attack.method == "POST" and body is None:
            continue
        try:
            answer = operate(attack.method, attack.path, body)
        except FhirError as error:
            fits = attack.fits | {"not-found"}  # no code system is loaded here
            assert {p.code for p in error.problems} & fits, attack.name
        else:
            assert FINE in attack.fits, attack.name
            assert not [p for p in check(answer) if p.severity in ("error", "fatal")], attack.name


def test_stored_value_sets_of_each_other_are_refused(call: Operate, operate: Operate) -> None:
    """A ring of stored value sets is found, whichever of them is asked for."""
    for me, other in (("a", "b"), ("b", "a")):
        one = {**value_set(f"urn:x:{me}", {"valueSet": [f"urn:x:{other}"]}), "id": me}
        assert call("PUT", f"ValueSet/{me}", one).status == 201
    for path in (
        "ValueSet/$expand?url=urn:x:a",
        "ValueSet/b/$expand",
        f"ValueSet/$validate-code?url=urn:x:b&system={FRUIT}&code=x",
    ):
        with pytest.raises(FhirError) as error:
            operate("GET", path)
        assert error.value.problems[0].code == "processing"


def test_an_expansion_without_end_is_too_costly(call: Operate, operate: Operate) -> None:
    """More members than may be shown are refused uncounted, and shown by the page."""
    many = {**code_system(FRUIT, concepts(3_000)), "id": "many"}
    assert call("PUT", "CodeSystem/many", many).status == 201
    with pytest.raises(FhirError) as error:
        operate("GET", f"ValueSet/$expand?url={FRUIT}?fhir_vs")
    assert error.value.problems[0].code == "too-costly"
    page = operate("GET", f"ValueSet/$expand?url={FRUIT}?fhir_vs&count=3&offset=2990")["expansion"]
    assert (page["total"], [c["code"] for c in page["contains"]]) == (3_000, ["c2990", "c2991", "c2992"])


def test_a_body_of_too_many_objects_is_not_read(operate: Operate) -> None:
    """What would become a million objects is refused before it does."""
    with pytest.raises(FhirError) as error:
        operate("POST", "CodeSystem/$lookup", {"resourceType": "Parameters", "parameter": [{}] * (MOST_OBJECTS + 1)})
    assert error.value.problems[0].code == "too-costly"


def test_a_long_parameter_is_refused_and_not_repeated(operate: Operate) -> None:
    """A code of a megabyte is told to be too long, in few words."""
    body = parameters(("url", FRUIT), ("code", "x" * 1_000_000))
    with pytest.raises(FhirError) as error:
        operate("POST", "CodeSystem/$validate-code", body)
    assert error.value.problems[0].code == "too-long"
    assert len(str(error.value)) < KEPT_LONGEST / 100
