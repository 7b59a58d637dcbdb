"""batch and transaction (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir

Call = Callable[..., Response]


def _entry(
    method: str, url: str, resource: dict[str, Any] | None = None, full_url: str = "", **more: str
) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    if resource:
        entry["resource"] = resource
    if full_url:
        entry["fullUrl"] = full_url
    return entry


def _bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _patient(name: str = "", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **({"id": name} if name else {}), **more}


def _observation(subject: str, **more: Any) -> dict[str, Any]:
    code = {"text": "x"}
    return {"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": subject}, **more}


def _count(call: Call, kind: str) -> int:
    return json.loads(call("GET", f"{kind}?_summary=count").body)["total"]


URN = "urn:uuid:11111111-1111-4111-8111-111111111111"
URN2 = "urn:uuid:22222222-2222-4222-8222-222222222222"


def test_references_between_entries_are_resolved(call: Call) -> None:
    """A urn:uuid is replaced wherever it links: references, narrative and urls, but not in identifier values."""
    note = {
        "resourceType": "DocumentReference",
        "status": "current",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{URN}">who</a></div>',
        },
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": URN2},
        "subject": {"reference": URN},
        "content": [{"attachment": {"url": URN2}}],
    }
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}
    answer = call(
        "POST",
        "",
        _bundle(
            "transaction",
            _entry("POST", "DocumentReference", note),
            _entry("POST", "Patient", _patient(), URN),
            _entry("POST", "Binary", binary, URN2),
        ),
    )
    entries = json.loads(answer.body)["entry"]
    assert [entry["response"]["status"] for entry in entries] == ["201 Created"] * 3
    places = ["/".join(entry["response"]["location"].split("/")[-4:-2]) for entry in entries]
    stored = json.loads(call("GET", places[0]).body)
    assert stored["subject"]["reference"] == places[1]
    assert f'href="{places[1]}"' in stored["text"]["div"]
    assert stored["content"][0]["attachment"]["url"] == places[2]
    assert stored["masterIdentifier"]["value"] == URN2
    assert len(json.loads(call("GET", f"DocumentReference?subject={places[1]}").body)["entry"]) == 1


def test_all_or_nothing(call: Call) -> None:
    """An error in one entry keeps all out and says which entry and where."""
    for bad, at in (
        (_entry("POST", "Patient", _patient(gender="red")), "Bundle.entry[1].resource.gender"),
        (_entry("PUT", "Patient/x", _patient("x"), ifMatch='W/"3"'), "Bundle.entry[1]"),
        (_entry("POST", "Observation", _observation("Patient?identifier=none")), "Bundle.entry[1].resource"),
        (_entry("GET", "Patient/none"), "Bundle.entry[1]"),
        (_entry("POST", "Patient"), "Bundle.entry[1].resource"),
        (_entry("PATCH", "Patient/1"), "Bundle.entry[1].resource"),
        (_entry("LINK", "Patient/1"), "Bundle.entry[1].request.method"),
    ):
        with pytest.raises(FhirError) as refused:
            call("POST", "", _bundle("transaction", _entry("POST", "Patient", _patient()), bad))
        assert refused.value.problems[0].expression == at
        assert _count(call, "Patient") == 0


def test_the_same_resource_twice_is_refused(call: Call) -> None:
    """A transaction must not change one resource twice."""
    twice = _bundle("transaction", _entry("PUT", "Patient/a", _patient("a")), _entry("DELETE", "Patient/a"))
    with pytest.raises(FhirError) as refused:
        call("POST", "", twice)
    assert refused.value.problems[0].expression == "Bundle.entry[1].request.url"


def test_a_full_url_names_one_entry(call: Call) -> None:
    """Two entries with one fullUrl are refused, as links to it could mean either; nothing is stored."""
    both = [_entry("POST", "Patient", _patient(), URN), _entry("POST", "Patient", _patient(), URN)]
    with pytest.raises(FhirError) as refused:
        call("POST", "", _bundle("transaction", *both))
    assert refused.value.problems[0].expression == "Bundle.entry[1].fullUrl"
    assert _count(call, "Patient") == 0


def test_a_url_of_another_server_is_refused(call: Call) -> None:
    """`DELETE https://other.org/Patient/p` does not delete ours; one below our base does."""
    call("PUT", "Patient/p", _patient("p"))
    for url in ("https://other.org/Patient/p", "//other.org/Patient/p"):
        with pytest.raises(FhirError) as refused:
            call("POST", "", _bundle("transaction", _entry("DELETE", url)))
        assert refused.value.problems[0].expression == "Bundle.entry[0].request.url"
    assert _count(call, "Patient") == 1
    call("POST", "", _bundle("transaction", _entry("DELETE", "http://test/fhir/Patient/p")))
    assert _count(call, "Patient") == 0


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_operation_in_a_bundle_is_told_where_it_runs(call: Call, kind: str) -> None:
    """Nobody has to guess why `Patient/p/$everything` is refused there."""
    bundle = _bundle(kind, _entry("GET", "Patient/p/$everything"))
    try:
        told = call("POST", "", bundle).body.decode()
    except FhirError as error:
        told = error.problems[0].text
    assert "Call this one on its own" in told


def test_entries_run_in_the_order_of_the_specification(call: Call) -> None:
    """DELETE, POST, PUT, then GET, whatever the order in the Bundle: reads see the writes."""
    call("PUT", "Patient/old", _patient("old"))
    answer = call(
        "POST",
        "",
        _bundle(
            "transaction",
            _entry("GET", "Patient?_summary=count"),
            _entry("GET", "Patient/new"),
            _entry("PUT", "Patient/new", _patient("new")),
            _entry("DELETE", "Patient/old"),
        ),
    )
    entries = json.loads(answer.body)["entry"]
    assert entries[0]["resource"]["total"] == 1
    assert entries[1]["resource"]["id"] == "new"
    assert [entry["response"]["status"][:3] for entry in entries] == ["200", "200", "201", "204"]


def test_conditional_entries_meet_what_is_there(call: Call) -> None:
    """ifNoneExist, conditional PUT and conditional references find existing resources, and links follow them."""
    mrn = [{"system": "urn:mrn", "value": "7"}]
    call("PUT", "Patient/p7", _patient("p7", identifier=mrn))
    call("PUT", "Practitioner/dr", {"resourceType": "Practitioner", "id": "dr", "identifier": [{"value": "9"}]})
    observation = _observation(URN, performer=[{"reference": "Practitioner?identifier=9"}])
    for _ in range(2):
        call(
            "POST",
            "",
            _bundle(
                "transaction",
                _entry("POST", "Patient", _patient(identifier=mrn), URN, ifNoneExist="identifier=urn:mrn|7"),
                _entry("PUT", "Observation?identifier=obs", {**observation, "identifier": [{"value": "obs"}]}),
            ),
        )
    assert (_count(call, "Patient"), _count(call, "Observation")) == (1, 1)
    found = json.loads(call("GET", "Observation?subject=Patient/p7").body)["entry"][0]["resource"]
    assert found["performer"][0]["reference"] == "Practitioner/dr"
    assert found["meta"]["versionId"] == "1"


def test_a_batch_answers_each_entry(call: Call) -> None:
    """One bad entry of a batch fails alone, with its own status and outcome."""
    answer = call(
        "POST",
        "",
        _bundle(
            "batch",
            _entry("POST", "Patient", _patient()),
            _entry("GET", "Patient/none"),
            _entry("POST", "Patient", _patient(gender="red")),
        ),
    )
    bundle = json.loads(answer.body)
    assert bundle["type"] == "batch-response"
    assert [entry["response"]["status"][:3] for entry in bundle["entry"]] == ["201", "404", "400"]
    assert bundle["entry"][2]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert _count(call, "Patient") == 1


async def test_bundles_run_in_the_event_loop_too(fhir: Fhir) -> None:
    """The asynchronous way gives the same answers."""
    for kind, status in (("batch", "201 Created"), ("transaction", "201 Created")):
        body = json.dumps(_bundle(kind, *(_entry("POST", "Patient", _patient()) for _ in range(5)))).encode()
        answer = await fhir.handle(Request(caller=ANYBODY, method="POST", body=body))
        assert [e["response"]["status"] for e in json.loads(answer.body)["entry"]] == [status] * 5


def test_what_is_no_bundle_is_refused(call: Call, fhir: Fhir) -> None:
    """The base takes batch and transaction Bundles of a limited size."""
    for body in (_patient(), {"resourceType": "Bundle", "type": "collection"}, _bundle("transaction", {"request": {}})):
        with pytest.raises(FhirError) as refused:
            call("POST", "", body)
        assert refused.value.category is Category.INCORRECT
    many = _bundle("batch", *([_entry("GET", "Patient/1")] * (fhir.settings.max_bundle_entries + 1)))
    with pytest.raises(FhirError) as refused:
        call("POST", "", many)
    assert refused.value.problems[0].code == "too-costly"


def test_a_bundle_joins_an_open_transaction(fhir: Fhir) -> None:
    """`handle_in` writes a whole Bundle with whatever else the transaction does: both or neither."""
    body = json.dumps(_bundle("transaction", _entry("PUT", "Patient/a", _patient("a")))).encode()
    request = Request(caller=ANYBODY, method="POST", body=body)

    def fail(tx: Any) -> None:
        fhir.handle_in(tx, request)
        tx.execute("INSERT INTO job_step (job, step, output) VALUES (?, ?, ?)", ("j", "s", "1"))
        raise RuntimeError("after the write")

    with pytest.raises(RuntimeError):
        fhir.store.write_sync(fail)
    assert fhir.store.read("Patient", "a") is None
    assert fhir.store.query("SELECT count(*) FROM job_step") == [(0,)]
    assert fhir.store.write_sync(lambda tx: fhir.handle_in(tx, request)).status == 200
    assert fhir.store.read("Patient", "a") is not None


def test_hooks_see_every_version(fhir: Fhir) -> None:
    """`on_write` hooks run in the transaction, and a hook that fails keeps the write out."""
    seen = []
    fhir.on_write.append(lambda _tx, written: seen.append((written.version.version, written.resource is None)))
    put = Request(caller=ANYBODY, method="PUT", path=("Patient", "a"), body=json.dumps(_patient("a")).encode())
    fhir.handle_sync(put)
    fhir.handle_sync(Request(caller=ANYBODY, method="DELETE", path=("Patient", "a")))
    assert seen == [(1, False), (2, True)]

    def refuse(_tx: Any, _written: Any) -> None:
        raise FhirError.of(Category.INCORRECT, "business-rule", "no")

    fhir.on_write.append(refuse)
    with pytest.raises(FhirError):
        fhir.handle_sync(put)
    assert fhir.store.read("Patient", "a").version == 2


async def test_racing_conditional_creates_make_one(fhir: Fhir) -> None:
    """Thirty creates with the same If-None-Exist at once leave one resource."""
    body = json.dumps(_patient(identifier=[{"value": "1"}])).encode()
    request = Request(caller=ANYBODY, method="POST", path=("Patient",), body=body, if_none_exist="identifier=1")
    answers = await asyncio.gather(*(fhir.handle(request) for _ in range(30)))
    assert sorted(answer.status for answer in answers) == [200] * 29 + [201]
    assert fhir.store.query("SELECT count(*) FROM resource") == [(1,)]


def test_a_wrong_entry_does_not_spoil_a_batch(call: Call) -> None:
    """What cannot be read, is not supported or is a Bundle again gets its own outcome; the rest is done, in order."""
    answer = call(
        "POST",
        "",
        _bundle(
            "batch",
            {"request": {"method": "GET"}},
            {"resource": _patient()},
            _entry("LINK", "Patient/p"),
            _entry("POST", "Patient", _patient()),
            _entry("POST", "", _bundle("batch")),
        ),
    )
    entries = json.loads(answer.body)["entry"]
    assert [entry["response"]["status"][:3] for entry in entries] == ["400", "400", "400", "201", "400"]
    assert [entry["response"].get("outcome", {}).get("issue", [{}])[0].get("expression") for entry in entries] == [
        ["Bundle.entry[0].request"],
        ["Bundle.entry[1].request"],
        ["Bundle.entry[2].request.method"],
        None,
        ["Bundle.entry[4].request.url"],
    ]


def test_a_batch_can_search_by_post(call: Call) -> None:
    """The answer to POST _search holds the Bundle that was found."""
    call("PUT", "Patient/p", _patient("p"))
    (entry,) = json.loads(call("POST", "", _bundle("batch", _entry("POST", "Patient/_search?_id=p"))).body)["entry"]
    assert entry["resource"]["entry"][0]["resource"]["id"] == "p"


def test_a_conditional_update_in_a_transaction_keeps_to_its_id(call: Call) -> None:
    """An id in the body that is not the one found ends the transaction, as it ends the interaction."""
    body = _patient(identifier=[{"system": "urn:mrn", "value": "7"}])
    call("POST", "Patient", body)
    with pytest.raises(FhirError) as refused:
        call("POST", "", _bundle("transaction", _entry("PUT", "Patient?identifier=urn:mrn|7", {**body, "id": "q"})))
    assert refused.value.problems[0].expression == "Bundle.entry[0].resource.id"


@pytest.mark.parametrize("method", [None, 7, {}, [None], "BREW"])
def test_a_method_that_is_none_is_told(call: Call, method: Any) -> None:
    """Whatever stands for the method of an entry, the answer says that it is none and the others are run."""
    wrong = {"request": {"method": method, "url": "Patient"}}
    answer = call("POST", "", _bundle("batch", wrong, _entry("POST", "Patient", _patient())))
    statuses = [entry["response"]["status"][:3] for entry in json.loads(answer.body)["entry"]]
    assert statuses == ["400", "201"]
