"""Requests for authorisation: submitted, asked about, decided (https://hl7.org/fhir/us/davinci-pas/)."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.claiming.making import claim, coded
from claims.preauth.answer import action_of
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import PAS_EXTENSION
from fhir_profiles.validate import check
from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.operations import claims, preauth
from tests.conftest import make_request

Call = Callable[..., Any]
Json = dict[str, Any]
Operate = Callable[..., Response]
BASE = "http://other.example/fhir"


@pytest.fixture
def operate(fhir: Fhir) -> Operate:
    """`operate("Claim/$inquire", body)`: the Response."""
    found = {one.name: one.handler for one in (*claims.operations(fhir), *preauth.operations(fhir))}

    def ask(path: str, body: Json) -> Response:
        return asyncio.run(found[path.rpartition("$")[2]](make_request("POST", path, body)))  # type: ignore[arg-type]

    return ask


def request(number: int = 1, **more: Any) -> Json:
    """A request as PAS has it: a collection, the Claim first, with whom it names as entries."""
    made = claim(random.Random(number), number) | {"use": "preauthorization"} | more
    for item in made["item"]:
        item["quantity"] = {"value": 1}
        item["category"] = coded("https://codesystem.x12.org/005010/1365", "3")
        item["extension"] = [
            {"url": f"{PAS_EXTENSION}itemTraceNumber", "valueIdentifier": {"value": f"T{item['sequence']}"}}
        ]
    others = {f"#{one['id']}": one for one in made.pop("contained")}
    text = json.dumps([made, *others.values()])
    for name, one in others.items():
        text = text.replace(f'"{name}"', f'"{one["resourceType"]}/{one["id"]}"')
    entries = [{"fullUrl": f"{BASE}/{r['resourceType']}/{r['id']}", "resource": r} for r in json.loads(text)]
    return {
        "resourceType": "Bundle", "type": "collection", "timestamp": "2026-11-20T10:00:00Z",
        "identifier": {"system": "urn:transactions", "value": f"B{number}"}, "entry": entries,
    }  # fmt: skip


def _first(response: Response) -> Json:
    bundle = json.loads(response.body)
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "collection" and check(bundle) == []
    return bundle["entry"][0]["resource"]  # type: ignore[no-any-return]


def _decision(**said: Any) -> Json:
    items = [{"name": "item", "part": part} for part in said.pop("items", ())]
    texts = [{"name": name, "valueString": value} for name, value in said.items()]
    return {"resourceType": "Parameters", "parameter": [*texts, *items]}


def _refused(ask: Callable[[], Any], category: Category, says: str | None = None) -> None:
    with pytest.raises(FhirError, match=says) as refused:
        ask()
    assert refused.value.category is category


def test_a_request_is_pended_and_kept(call: Call, operate: Operate) -> None:
    """A Bundle gives a Bundle: the ClaimResponse first, every item pended, those it names beside; again the same."""
    sent = request()
    first = operate("Claim/$submit", sent)
    bundle, found = json.loads(first.body), _first(first)
    assert first.status == 200 and bundle["identifier"] == sent["identifier"]
    assert found["use"] == "preauthorization" and found["outcome"] == "queued" and "contained" not in found
    assert [action_of(item) for item in found["item"]] == ["A4", "A4", "A4"]
    traced = [e["valueIdentifier"]["value"] for i in found["item"] for e in i["extension"] if "valueIdentifier" in e]
    assert traced == ["T1", "T2", "T3"] and "Missing" not in json.dumps(found.get("processNote", []))
    named = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in bundle["entry"][1:]}
    assert {named[found[one]["reference"]] for one in ("patient", "insurer", "requestor")} == {
        "Patient",
        "Organization",
    }
    kept = json.loads(call("GET", found["request"]["reference"]).body)
    assert kept["use"] == "preauthorization" and len(kept["contained"]) == 5 and check(kept) == []
    assert check(json.loads(call("GET", f"ClaimResponse/{found['id']}").body)) == []
    assert operate("Claim/$submit", copy.deepcopy(sent)).body == first.body


def test_what_is_missing_and_would_be_refused_is_told(operate: Operate) -> None:
    """What PAS asks for and is not there, and edits that hold before a service, are notes; those of bills are not."""
    sent = request()
    del sent["timestamp"], sent["entry"][0]["resource"]["item"][0]["category"]
    sent["entry"][2]["resource"]["identifier"][0]["value"] = "1234567890"
    del sent["entry"][0]["resource"]["total"]
    notes = _first(operate("Claim/$submit", sent))["processNote"]
    texts = [note["text"] for note in notes if "extension" not in note]
    assert [text.split(":")[1].strip() for text in texts] == ["Bundle.timestamp", "Claim.item.category"]
    rules = {part["valueCoding"]["code"] for n in notes for e in n.get("extension", ()) for part in e["extension"][:1]}
    assert any(rule.startswith("IDN") for rule in rules)
    assert not any(rule.startswith(("CHG", "TFL", "DUP", "REQ")) for rule in rules)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b.update(type="batch"),
        lambda b: b["entry"].append(copy.deepcopy(b["entry"][0])),
        lambda b: b["entry"][1]["resource"].update(contained=[{"resourceType": "Patient", "id": "x"}]),
        lambda b: b["entry"][0]["resource"].pop("priority"),
        lambda b: b["entry"].extend({"resource": {"resourceType": "Patient"}} for _ in range(500)),
    ],
)
def test_what_is_no_request_is_refused(call: Call, operate: Operate, spoil: Callable[[Json], Any]) -> None:
    """Another kind of Bundle, two Claims, what R4 does not allow, too much: an error, and nothing is kept."""
    sent = request()
    spoil(sent)
    _refused(lambda: operate("Claim/$submit", sent), Category.INCORRECT)
    assert json.loads(call("GET", "Claim?_summary=count").body)["total"] == 0


def test_a_claim_alone_gets_a_response_alone(call: Call, operate: Operate) -> None:
    """Without a Bundle the answer is the ClaimResponse, and says that one is asked for; a stored Claim is used."""
    made = claim(random.Random(2), 2) | {"use": "preauthorization"}
    for item in made["item"]:
        item["quantity"] = {"value": 1}
    call("PUT", "Claim/c2", made | {"id": "c2"})
    found = json.loads(operate("Claim/$submit", made | {"id": "c2"}).body)
    assert found["resourceType"] == "ClaimResponse" and found["request"]["reference"] == "Claim/c2"
    assert found["processNote"][0]["text"].startswith("Missing: Bundle")
    assert json.loads(call("GET", "Claim?_summary=count").body)["total"] == 1


def test_a_decision_is_what_an_inquiry_gives(call: Call, operate: Operate) -> None:
    """Certified with a number and days, an item denied: $inquire tells it, a later one in its place; all are kept."""
    sent = request()
    pended = _first(operate("Claim/$submit", sent))
    path = f"{pended['request']['reference']}/$decide"
    item = [{"name": "sequence", "valuePositiveInt": 2}, {"name": "decision", "valueCode": "denied"}]
    half = [{"name": "sequence", "valuePositiveInt": 3}, {"name": "quantity", "valueDecimal": 0.5}]
    said = _decision(decision="certified", number="AUTH1", start="2026-12-01", end="2026-12-31", reason="Met",
                     items=[item, half])  # fmt: skip
    made = operate(path, said)
    decided = json.loads(made.body)
    assert made.status == 201 and check(decided) == [] and operate(path, said).status == 200
    asked = _first(operate("Claim/$inquire", sent))
    assert asked["id"] == decided["id"] and asked["preAuthRef"] == "AUTH1" and asked["outcome"] == "complete"
    assert asked["preAuthPeriod"] == {"start": "2026-12-01", "end": "2026-12-31"}
    assert [action_of(one) for one in asked["item"]] == ["A1", "A3", "A1"]
    urls = [{e["url"].removeprefix(PAS_EXTENSION) for e in one["extension"]} for one in asked["item"]]
    days = {"itemPreAuthIssueDate", "itemPreAuthPeriod"}
    assert days <= urls[0] and not days & urls[1] and "itemAuthorizedDetail" in urls[2]
    assert _first(operate("Claim/$submit", sent))["id"] == decided["id"]
    named = json.loads(call("GET", "ClaimResponse?identifier=AUTH1&use=preauthorization").body)
    assert [entry["resource"]["id"] for entry in named["entry"]] == [decided["id"]]
    operate(path, _decision(decision="cancelled"))
    assert action_of(_first(operate("Claim/$inquire", sent))["item"][0]) == "C"
    assert json.loads(call("GET", "ClaimResponse?use=preauthorization&_summary=count").body)["total"] == 3


def test_a_payers_own_answer_counts(call: Call, operate: Operate) -> None:
    """A ClaimResponse that somebody stores for the request is what $inquire gives, whatever its day is precise to."""
    sent = request()
    pended = _first(operate("Claim/$submit", sent))
    theirs = {k: v for k, v in pended.items() if k not in ("id", "meta", "extension", "processNote")}
    theirs |= {"id": "payer-1", "outcome": "complete", "preAuthRef": "P9", "created": "2026-11-20"}
    theirs |= {"patient": {"display": "p"}, "insurer": {"display": "y"}, "requestor": {"display": "o"}}
    call("PUT", "ClaimResponse/payer-1", theirs)
    assert _first(operate("Claim/$inquire", sent))["preAuthRef"] == "P9"


def test_an_inquiry_tells_nothing_of_others(operate: Operate) -> None:
    """Another number, provider, patient or payer finds nothing; without a number there is nothing to ask for."""
    sent = request()
    operate("Claim/$submit", sent)

    def asks(change: Callable[[list[Json]], Any]) -> Json:
        other = copy.deepcopy(sent)
        change([entry["resource"] for entry in other["entry"]])
        return json.loads(operate("Claim/$inquire", other).body)  # type: ignore[no-any-return]

    assert len(asks(lambda _: None)["entry"]) > 1
    for change in (
        lambda r: r[0].update(identifier=[{"system": "urn:claims", "value": "other"}]),
        lambda r: r[1].update(birthDate="1900-01-01"),
        lambda r: r[1].update(name=[{"family": "Other"}]),
        lambda r: r[2].update(identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1"}]),
        lambda r: r[4].update(identifier=[{"value": "other"}]),
    ):
        found = asks(change)
        assert "entry" not in found and check(found) == []
    _refused(lambda: asks(lambda r: r[0].pop("identifier")), Category.INCORRECT, "number")


def test_a_decision_fits_its_request(call: Call, operate: Operate) -> None:
    """No number, days that run backwards, an unknown item or word, a bill: refused, and nothing is kept."""
    path = f"{_first(operate('Claim/$submit', request()))['request']['reference']}/$decide"
    item = [{"name": "sequence", "valuePositiveInt": 9}, {"name": "decision", "valueCode": "denied"}]
    for said in (
        {}, {"decision": "certified"}, {"decision": "perhaps"}, {"decision": "denied", "start": "soon"},
        {"decision": "certified", "number": "A", "start": "2026-12-31", "end": "2026-12-01"},
        {"decision": "denied", "items": [item]}, {"decision": "denied", "items": [[{"name": "other"}]]},
        {"decision": "denied", "else": "x"},
    ):  # fmt: skip
        _refused(lambda said=said: operate(path, _decision(**said)), Category.INCORRECT)  # type: ignore[misc]
    made = claim(random.Random(3), 3)
    for one in made["item"]:
        del one["quantity"]
    call("PUT", "Claim/bill", made | {"id": "bill"})
    _refused(lambda: operate("Claim/bill/$decide", _decision(decision="denied")), Category.CONFLICT)
    assert json.loads(call("GET", "ClaimResponse?_summary=count").body)["total"] == 1


def test_whom_the_server_has_is_named_by_address(call: Call, operate: Operate) -> None:
    """A patient who is stored here stays a reference to the server, so that the answer is found by the patient."""
    sent = request()
    patient = sent["entry"][1]["resource"]
    call("PUT", "Patient/p", patient)
    sent["entry"][1]["fullUrl"] = "http://test/fhir/Patient/p"
    first = operate("Claim/$submit", sent)
    assert _first(first)["patient"] == {"reference": "Patient/p"}
    entries = {e["fullUrl"]: e["resource"] for e in json.loads(first.body)["entry"]}
    assert entries["http://test/fhir/Patient/p"]["birthDate"] == patient["birthDate"]
    found = json.loads(call("GET", "ClaimResponse?patient=Patient/p&use=preauthorization").body)
    assert len(found["entry"]) == 1


@pytest.mark.parametrize("operation", ["submit", "inquire"])
def test_no_request_is_a_fault_of_ours(operate: Operate, operation: str) -> None:
    """Every part of a request replaced by something of another kind: an answer or a refusal, never anything else."""
    dice, kinds = random.Random(5), (None, 7, "x", [], {}, [None], [[]], {"a": 1}, True)
    for _ in range(150):
        sent = request()
        place: Any = sent
        while True:
            key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not place[key] or not isinstance(place[key], dict | list) or dice.random() < 0.25:
                place[key] = dice.choice(kinds)
                break
            place = place[key]
        try:
            operate(f"Claim/${operation}", sent)
        except FhirError as error:
            assert error.category in (Category.INCORRECT, Category.NOT_FOUND, Category.UNSUPPORTED)
