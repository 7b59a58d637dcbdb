"""Answers to requests for authorisation by what PAS demands, as FHIRPath (https://hl7.org/fhir/us/davinci-pas/)."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.claimresponse import ClaimResponse

from campaigns.claiming.making import claim
from claims.answer.benefit_parties import Beside
from claims.preauth.answer import Made, pended
from claims.preauth.decision import WORDS, Decision, ItemDecision, decided
from claims.preauth.inquiry import bundle, fits
from claims.preauth.request import content, read_request
from fhir_profiles import json as fhir_json
from fhir_profiles.errors import FhirError
from fhir_profiles.fhirpath import compile
from fhir_profiles.validate import check

Json = dict[str, Any]
RULES: list[Json] = json.loads((Path(__file__).parent / "pas.json").read_text())
MADE = Made("preauth-1", "2026-11-22T10:00:00.000Z", "Claim/preauth-1")


def _claim(number: int = 1) -> Json:
    made = claim(random.Random(number), number) | {"use": "preauthorization", "id": "preauth-1"}
    for item in made["item"]:
        item["quantity"] = {"value": 1}
    return made


def _answers() -> list[Json]:
    found = [pended(_claim(), ["Claim.item: say what."], (), MADE)]
    for word in WORDS:
        items = {2: ItemDecision("denied"), 3: ItemDecision(word, Decimal("2.5"))}
        decision = Decision(word, "AUTH1", "2026-12-01", "2026-12-31", "Because", items)
        found.append(decided(_claim(), decision, MADE._replace(id=f"decision-{word}")))
    return found


@pytest.mark.parametrize("answer", _answers(), ids=lambda answer: answer["id"])
def test_answers_are_as_pas_has_them(answer: Json) -> None:
    """Pended and each decision: R4, fhir.resources and every demand of PAS are met, stored and in its Bundle."""
    assert check(fhir_json.decode(fhir_json.encode(answer))) == []
    ClaimResponse.model_validate_json(fhir_json.encode(answer))
    whole = json.loads(
        fhir_json.encode(bundle([answer], "http://test/fhir", answer["created"], {"value": "B1"}, Beside({})))
    )
    assert check(whole) == []
    for rule in RULES:
        on = whole if rule["on"] == "bundle" else whole["entry"][0]["resource"]
        assert compile(rule["holds"]).evaluate(on) == [True], rule["says"]


def test_the_number_stands_where_something_is_certified() -> None:
    """Denied and cancelled requests have no number or days, certified ones have both."""
    by_word = {answer["id"].partition("-")[2]: answer for answer in _answers()[1:]}
    assert {word for word, answer in by_word.items() if "preAuthRef" in answer} == {"certified", "partial", "modified"}
    assert by_word["pended"]["outcome"] == "partial" and by_word["denied"]["outcome"] == "complete"


def test_a_bundle_becomes_a_whole_claim() -> None:
    """References to entries, relative and full, become references inside; those of the server and lost ones stay."""
    made = _claim()
    coverage = [{"sequence": 1, "focal": True, "coverage": {"reference": "http://x/Coverage/p"}}]
    own = {
        "patient": {"reference": "urn:uuid:2"}, "provider": {"reference": "Organization/o"}, "insurance": coverage,
        "insurer": {"reference": "Organization/here"},
        "careTeam": [{"sequence": 1, "provider": {"reference": "Practitioner/q"}}],
    }  # fmt: skip
    others: dict[str, Json] = {
        "urn:uuid:2": {"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}},
        "http://x/Coverage/p": {"resourceType": "Coverage", "id": "p", "beneficiary": {"reference": "urn:uuid:2"}},
        "urn:uuid:3": {"resourceType": "Organization", "id": "o", "name": "O"},
        "urn:uuid:4": {"resourceType": "Device", "id": "d"},
    }
    entries: list[Json] = [{"fullUrl": "urn:uuid:1", "resource": made | own}]
    entries += [{"fullUrl": url, "resource": one} for url, one in others.items()]
    del entries[0]["resource"]["contained"]
    sent = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    asked = read_request(sent, lambda name: name if name == "Organization/here" else None)
    assert [(one["resourceType"], one["id"]) for one in asked.claim["contained"]] == [
        ("Patient", "p"), ("Organization", "o"), ("Coverage", "p-2"),
    ]  # fmt: skip
    assert asked.claim["patient"] == {"reference": "#p"} and asked.claim["contained"][2]["beneficiary"] == {
        "reference": "#p"
    }
    assert asked.claim["insurer"] == {"reference": "Organization/here"} and "meta" not in asked.claim["contained"][0]
    assert asked.claim["careTeam"][0]["provider"] == {"reference": "Practitioner/q"}
    assert [one.split(":")[0] for one in asked.lacks[:2]] == ["Bundle.identifier", "Bundle.timestamp"]
    assert content(asked.claim) == content(dict(reversed(list({**asked.claim, "id": "other"}.items()))))


def test_inquiries_fit_by_what_both_say() -> None:
    """What only one side says does not count; what both say must be the same."""
    request = _claim()
    asked = Beside(request)
    assert fits({}, Beside({}), request, asked) and fits(request, asked, request, asked)
    other = {
        "patient": {"reference": "#p"},
        "contained": [{"resourceType": "Patient", "id": "p", "birthDate": "1900-01-01"}],
    }
    assert not fits(other, Beside(other), request, asked)


def test_another_use_is_refused() -> None:
    """A bill in a Bundle of a request is none."""
    with pytest.raises(FhirError, match="preauthorization"):
        read_request(_claim() | {"use": "claim"}, lambda _: None)
