"""`$figures`: from stored resources to numbers, under the caller's reach (docs/operations/figures.md)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import (
    ADJUDICATION,
    ANSWER_SOURCE,
    CLAIM_RULE,
    CODING_BASIS,
    CODING_DECISION,
    CODING_REPLACED,
    CONFIDENCE,
    EDIT_RUN,
    ICD10CM,
    PROVENANCE_PARTICIPANT,
    TASK_CODE,
    WORK_STATE,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
)
from fhir_profiles.validate import check
from server.access.caller import ANYBODY, Caller
from server.access.grants import read_scope
from server.interactions import update
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.measured import Reading, Stopwatch
from server.jobs.tasks import Run
from server.operations.figures import Figures
from server.operations.house import House
from tests.conftest import make_request

Json = dict[str, Any]
NOW = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def caller(*scopes: str, patient: str | None = None) -> Caller:
    """Somebody with these scopes and no more."""
    grants = tuple(grant for scope in scopes if (grant := read_scope(scope)) is not None)
    return Caller(who="somebody", grants=grants, patient=patient)


@pytest.fixture
def ask(fhir: Fhir) -> Callable[..., Any]:
    """`ask("of=claims", caller=…)`: the body of the answer, JSON decoded."""
    figures = Figures(fhir, House(fhir))

    def call(query: str, who: Caller = ANYBODY, wants: str = "") -> Any:
        answer = figures.answer(make_request("GET", f"$figures?{query}", caller=who, wants=wants))
        return answer if wants else json.loads(answer.body)

    return call


@pytest.fixture
def filled(fhir: Fhir) -> None:
    """Two patients' documents, decisions and claims."""
    resources = [*_documents(), *_decisions(), *_claims()]
    fhir.store.write_sync(lambda tx: [update.put(fhir, tx, one, "test", new=True) for one in resources])


def _documents() -> list[Json]:
    found = []
    for name, patient in (("a", "p"), ("b", "p"), ("c", "q")):
        task = tasks.requested(Run(name, 1, 1), "x" * 64, NOW, {"reference": f"Patient/{patient}"}, None)
        watch = Stopwatch()
        watch.enter("pages")
        if name == "b":
            task = tasks.ended(
                task, "failed", NOW, code="structure", reason="No.", at="pages", measured=watch.measured(task)
            )
        elif name == "a":
            import msgspec

            read = msgspec.msgpack.encode(Reading(2, 1, 83.5))
            task = tasks.completed(task, ["Condition/a"], None, NOW, watch.measured(task, read))
        found.append(task)
    review = {"resourceType": "Task", "id": "review", "status": "ready", "intent": "order", "authoredOn": NOW,
              "lastModified": NOW, "for": {"reference": "Patient/p"},
              "code": {"coding": [{"system": TASK_CODE, "code": "review-document"}]}}  # fmt: skip
    return [*found, review]


def _decisions() -> list[Json]:
    sure = {"url": CONFIDENCE, "valueDecimal": 0.9}
    basis = {"url": CODING_BASIS, "extension": [{"url": "rule", "valueString": "copd"}]}
    former = {"url": CODING_REPLACED, "valueCoding": {"system": ICD10CM, "code": "J44.1"}}
    kept = _condition("a", "p", [sure, basis], "I10")
    taken = _condition("b", "p", [sure, former], "E11.9")
    other = _condition("c", "q", [sure], "Z00.00")
    machine = _provenance("m", "a", None, role="assembler")
    return [
        kept, taken, other, machine, _provenance("1", "a", "reject"), _provenance("2", "a", "undo", undoes="1"),
        _provenance("3", "a", "accept"), _provenance("4", "b", "replace"), _provenance("5", "c", "reject"),
    ]  # fmt: skip


def _condition(id: str, patient: str, extensions: list[Json], code: str) -> Json:
    coding = {"extension": extensions, "system": ICD10CM, "code": code}
    return {"resourceType": "Condition", "id": id, "subject": {"reference": f"Patient/{patient}"},
            "code": {"coding": [coding]}}  # fmt: skip


def _provenance(id: str, about: str, kind: str | None, role: str = "author", undoes: str = "") -> Json:
    at = f"{NOW[:-5]}.{int(id) if id.isdigit() else 0:03d}Z"
    found: Json = {
        "resourceType": "Provenance", "id": id, "recorded": at, "target": [{"reference": f"Condition/{about}"}],
        "agent": [{"type": {"coding": [{"system": PROVENANCE_PARTICIPANT, "code": role}]},
                   "who": {"reference": "Practitioner/x"}}],
    }  # fmt: skip
    if kind:
        found["activity"] = {"coding": [{"system": CODING_DECISION, "code": kind}]}
    if undoes:
        found["entity"] = [{"role": "removal", "what": {"reference": f"Provenance/{undoes}"}}]
    return found


def _claims() -> list[Json]:
    def amount(code: str, value: float) -> Json:
        return {"category": {"coding": [{"system": ADJUDICATION, "code": code}]}, "amount": {"value": value}}

    def answer(id: str, patient: str, extension: Json, **more: Any) -> Json:
        return {
            "resourceType": "ClaimResponse", "id": id, "status": "active", "use": "claim", "outcome": "complete",
            "type": {"text": "professional"}, "patient": {"reference": f"Patient/{patient}"}, "created": NOW,
            "insurer": {"display": "Payer"}, "request": {"reference": f"Claim/{id}"}, "extension": [extension], **more,
        }  # fmt: skip

    run, payer = {"url": EDIT_RUN, "valueString": "x"}, {"url": ANSWER_SOURCE, "valueCode": "835"}
    error = {"code": {"coding": [{"system": CLAIM_RULE, "code": "EL-1"}]}, "itemSequence": 1}
    line = {"itemSequence": 1, "adjudication": [amount("submitted", 40.0)]}
    denied = {
        "category": {"coding": [{"system": X12_ADJUSTMENT_GROUPS, "code": "CO"}]},
        "reason": {"coding": [{"system": X12_ADJUSTMENT_REASONS, "code": "50"}]},
        "amount": {"value": 70.0},
    }
    due: Json = {
        "resourceType": "Task", "id": "due", "status": "requested", "intent": "order", "lastModified": NOW,
        "code": {"coding": [{"system": TASK_CODE, "code": "resolve-claim"}]}, "for": {"reference": "Patient/p"},
        "businessStatus": {"coding": [{"system": WORK_STATE, "code": "denied"}]},
        "restriction": {"period": {"end": "2020-01-01"}},
    }  # fmt: skip
    return [
        answer("clean", "p", run, total=[amount("submitted", 100.0), amount("eligible", 60.0)]),
        answer("dirty", "q", run, total=[amount("submitted", 90.0)], error=[error], item=[line]),
        answer("paid", "p", payer, total=[amount("submitted", 70.0)], adjudication=[denied]),
        due,
    ]


def told(parameters: Json) -> dict[tuple[str, ...], float | None]:
    """Values by name and label values, zeros left out."""
    found = {}
    for one in parameters["parameter"]:
        if one["name"] == "figure":
            parts = {part["name"]: part for part in one["part"]}
            labels = [part["valueString"] for part in parts.get("label", {}).get("part", ())]
            value = parts.get("value", {}).get("valueDecimal")
            if value:
                found[(parts["name"]["valueCode"], *labels)] = value
    return found


def ids(bundle: Json) -> list[str]:
    """What a page of rows holds."""
    return sorted(f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", ()))


@pytest.mark.usefixtures("filled")
def test_operations_are_computed_from_tasks(ask: Callable[..., Any]) -> None:
    """States, failures by stage and cause, confidence of scans, the queue and the backlog; the answer is valid R4."""
    answer = ask("of=operations")
    assert check(answer) == []
    found = told(answer)
    assert found["documents", "coded"] == found["documents", "failed"] == found["documents", "waiting"] == 1
    assert found["failures", "pages", "structure"] == 1
    assert found["reading-confidence", "80–90"] == 1 and found["reading-confidence-mean",] == 83.5
    assert found["pages",] == 2 and found["queue",] == 1 and found["review-backlog",] == 1


@pytest.mark.usefixtures("filled")
def test_quality_is_computed_from_decisions(ask: Callable[..., Any]) -> None:
    """What was undone does not count; a replaced code counts as the machine had suggested it; the machine is nobody."""
    found = told(ask("of=quality"))
    assert {key: value for key, value in found.items() if key[0] == "decisions"} == {
        ("decisions", "accept"): 1, ("decisions", "replace"): 1, ("decisions", "reject"): 1,
    }  # fmt: skip
    assert found["decisions-by-category", "I10", "accept"] == 1
    assert found["decisions-by-category", "J44", "replace"] == 1
    assert found["decisions-by-proposer", "copd", "accept"] == 1
    assert found["acceptance",] == 0.3333 and found["calibration", "0.9–1.0"] == 0.3333
    assert found["coder-decisions", "Practitioner/x"] == 3


@pytest.mark.usefixtures("filled")
def test_claims_are_computed_from_answers(ask: Callable[..., Any]) -> None:
    """Clean claims, the money of the line that an edit is about, denials with theirs, and limits that have passed."""
    found = told(ask("of=claims"))
    assert found["clean-claim-rate",] == 0.5
    assert found["edits", "EL-1"] == 1 and found["edit-dollars", "EL-1"] == 40
    assert found["denials", "CO-50"] == 1 and found["denied-dollars", "CO-50"] == 70
    assert found["denial-rate",] == 1 and found["expected",] == 60 and found["charged",] == 100
    assert found["claims-due", "overdue"] == 1


@pytest.mark.usefixtures("filled")
def test_a_caller_is_told_of_what_that_one_may_see(ask: Callable[..., Any]) -> None:
    """Another patient's document, decision and claim change no number and are in no row."""
    own = caller("patient/*.rs", "user/Task.rs?patient=Patient/p", patient="p")
    found = told(ask("of=operations", own))
    assert found["documents", "coded"] == 1 and ("documents", "waiting") not in found
    assert ids(ask("of=operations&rows=queue", own)) == []
    assert told(ask("of=claims", own))["clean-claim-rate",] == 1
    quality = told(ask("of=quality", own))
    assert ("decisions-by-category", "Z00", "reject") not in quality
    assert "Z00" not in json.dumps(ask("of=quality", own))


@pytest.mark.usefixtures("filled")
def test_what_may_not_be_seen_at_all_is_refused_or_noted(ask: Callable[..., Any]) -> None:
    """Without Tasks there are no operations (403); without ExplanationOfBenefit the rest of the claims is told."""
    with pytest.raises(FhirError) as refused:
        ask("of=operations", caller("user/Patient.rs"))
    assert refused.value.category is Category.FORBIDDEN
    answer = ask("of=claims", caller("user/ClaimResponse.rs"))
    notes = [one["valueString"] for one in answer["parameter"] if one["name"] == "note"]
    assert len(notes) == 2 and told(answer)["clean-claim-rate",] == 0.5
    with pytest.raises(FhirError) as kept:
        ask("of=system", caller("user/Patient.rs"))
    assert kept.value.category is Category.FORBIDDEN
    assert told(ask("of=system", caller("user/Task.rs")))["database",] > 0
    with pytest.raises(FhirError):
        ask("of=system", caller("user/Task.rs?patient=Patient/p"))


@pytest.mark.usefixtures("filled")
def test_each_number_opens_its_rows(ask: Callable[..., Any]) -> None:
    """Rows are the resources themselves, in pages that lead on; labels narrow them; the Bundle is valid R4."""
    page = ask("of=operations&rows=documents&_count=2")
    assert check(page) == [] and page["total"] == 3 and len(page["entry"]) == 2
    links = {link["relation"]: link["url"] for link in page["link"]}
    last = ask(links["next"].partition("?")[2].replace("%3D", "="))
    assert len(last["entry"]) == 1 and {*ids(page)} & {*ids(last)} == set()
    assert ids(ask("of=operations&rows=failures&label=stage=pages")) == [f"Task/{tasks.task_id('b')}"]
    assert ids(ask("of=quality&rows=decisions&label=decision=replace")) == ["Provenance/4"]
    assert ids(ask("of=claims&rows=edits&label=rule=EL-1")) == ["ClaimResponse/dirty"]
    assert ask("of=operations&rows=failures&label=stage=none")["total"] == 0


@pytest.mark.usefixtures("filled")
def test_the_same_figures_as_a_table(ask: Callable[..., Any]) -> None:
    """CSV holds the numbers of the Parameters."""
    answer = ask("of=claims", wants="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert answer.content_type.startswith("text/csv")
    assert {row["figure"]: row["value"] for row in rows}["clean-claim-rate"] == "0.5"
    assert len(rows) == sum(one["name"] == "figure" for one in ask("of=claims")["parameter"])


@pytest.mark.parametrize(
    "query",
    ["of=nothing", "", "of=claims&since=2026", "of=claims&since=2026-02-02&until=2026-02-01",
     "of=claims&since=2024-01-01&until=2025-12-31", "of=claims&rows=nothing", "of=claims&rows=edits&label=rule",
     "of=claims&since=0001-01-01&until=0001-01-02", "of=claims&patient=p", "of=claims&rows=claims-scrubbed&_count=0"],
)  # fmt: skip
def test_what_is_not_understood_is_refused(ask: Callable[..., Any], query: str) -> None:
    """Areas, days, lengths of time, names and labels are held to what there is."""
    with pytest.raises(FhirError):
        ask(query)


def test_a_period_without_anything_has_no_rates(ask: Callable[..., Any]) -> None:
    """Nothing to measure is no zero."""
    found = ask("of=claims&since=2001-01-01&until=2001-01-31")
    [rate] = [one["part"] for one in found["parameter"] if one["name"] == "figure"
              and one["part"][0]["valueCode"] == "clean-claim-rate"]  # fmt: skip
    assert [part["name"] for part in rate] == ["name", "unit", "rows"]
