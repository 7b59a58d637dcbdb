"""Bindings to value sets that no table lists, as validation sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fhir_profiles import bindings
from fhir_profiles.accept import accepts
from fhir_profiles.validate import check
from terminology.bindings import open_bindings

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Validation knows the sets for the length of a test."""
    monkeypatch.setattr(bindings, "_told", {})
    bindings.tell(open_bindings())
    return


def money(currency: str) -> Json:
    """A resource with an amount of money."""
    value = {"value": 1, "currency": currency}
    return {"resourceType": "Basic", "code": {"text": "x"}, "extension": [{"url": "urn:x:y", "valueMoney": value}]}


def spoken(*codings: Json, **more: Any) -> Json:
    """A Patient who speaks a language."""
    concept = more | ({"coding": list(codings)} if codings else {})
    return {"resourceType": "Patient", "communication": [{"language": concept}]}


def risk(coding: Json) -> Json:
    """A resource with a required binding to UCUM."""
    estimate = {"unitOfMeasure": {"coding": [coding]}}
    return {
        "resourceType": "RiskEvidenceSynthesis",
        "status": "draft",
        "population": {"reference": "EvidenceVariable/a"},
        "outcome": {"reference": "EvidenceVariable/b"},
        "riskEstimate": estimate,
    }


BCP47 = "urn:ietf:bcp:47"
UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize("resource", [
    {"resourceType": "Patient", "language": "en-US"},
    {"resourceType": "Patient", "language": "x-klingon"},
    {"resourceType": "Binary", "contentType": "application/pdf"},
    {"resourceType": "Binary", "contentType": "text/plain; charset=utf-8"},
    money("USD"), money("HRK"), risk({"system": UCUM, "code": "mg/dL"}),
    spoken({"system": BCP47, "code": "de-CH"}), spoken(text="English"),
    spoken({"system": "urn:x:own", "code": "e"}, {"system": BCP47, "code": "en"}),
])  # fmt: skip
def test_codes_of_the_sets_pass(resource: Json) -> None:
    """A language, a media type, a currency and a unit are accepted, without a closer look."""
    assert check(resource) == []
    assert accepts(resource)


@pytest.mark.parametrize(("resource", "place"), [
    ({"resourceType": "Patient", "language": "xx"}, "Patient.language"),
    ({"resourceType": "Patient", "language": "english"}, "Patient.language"),
    ({"resourceType": "Binary", "contentType": "pdf"}, "Binary.contentType"),
    ({"resourceType": "Subscription", "status": "off", "reason": "x", "criteria": "Patient?",
      "channel": {"type": "rest-hook", "payload": "fhir json"}}, "Subscription.channel.payload"),
    (money("US$"), "Basic.extension[0].value.currency"),
    (money("usd"), "Basic.extension[0].value.currency"),
    (risk({"system": UCUM, "code": "mgs"}), "RiskEvidenceSynthesis.riskEstimate.unitOfMeasure"),
    (risk({"system": "urn:x:own", "code": "mg"}), "RiskEvidenceSynthesis.riskEstimate.unitOfMeasure"),
    (spoken({"system": BCP47, "code": "qx"}), "Patient.communication[0].language"),
    (spoken({"system": "urn:x:own", "code": "en"}), "Patient.communication[0].language"),
])  # fmt: skip
def test_other_codes_are_refused_at_their_place(resource: Json, place: str) -> None:
    """Anything else is an error where it stands, and its text repeats no value."""
    problems = [p for p in check(resource) if p.code == "code-invalid"]
    assert [p.expression for p in problems] == [place]
    assert not accepts(resource)


def test_what_nobody_tells_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the terminology validation still works."""
    monkeypatch.setattr(bindings, "_told", {})
    assert check({"resourceType": "Patient", "language": "xx"}) == []
    assert check(spoken({"system": BCP47, "code": "qx"})) == []
