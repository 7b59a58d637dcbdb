"""`$correct-words`: what was misread is put right, and all that was coded from it follows, on both engines."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CODING_DECISION, EVIDENCE_BOX
from server.access.caller import Caller
from server.access.grants import Grant
from server.http.errors import status_of
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.bounds import bounds_of
from server.jobs.cache import ContentCache
from server.jobs.engine import INTERRUPTED, Interrupted
from server.jobs.intake import attach
from server.jobs.pipeline import Coding
from server.jobs.stages import Stages
from server.operations import pages
from server.operations.registry import Operations
from server.settings import Settings
from tests.conftest import make_request

LINES = (
    "ASSESSMENT",
    "1. Essential hypertension (I10)",
    "2. E13.9",
    "MEDICATIONS",
    "Metoprolol tartrate 26 mg PO twice daily",
    "VITAL SIGNS",
    "Pulse 27",
)
CODER = Caller(
    who="coder-1",
    user="Practitioner/c",
    grants=tuple(
        Grant("user", name, rights)
        for name, rights in (("DocumentReference", "rs"), ("Condition", "cruds"), ("Provenance", "crs"))
    ),
)


def letter() -> bytes:
    """A page whose text layer has three misread words."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out := io.BytesIO(), pagesize=(612, 792), invariant=1)
    for number, line in enumerate(LINES):
        canvas.drawString(72, 700 - 20 * number, line)
    canvas.save()
    return out.getvalue()


class AtOnce:
    """Steps that each run once, and children whose stages run here."""

    def __init__(self, coding: Coding, stages: Stages) -> None:
        self._write, self._stages = coding._write, stages

    def step(self, _name: str, function: Callable[[], Any]) -> Any:
        return function()

    def tx_step(self, _name: str, operation: Callable[[Any], Any]) -> Any:
        value = self._write(operation)
        if value == INTERRUPTED:
            raise Interrupted
        return value

    def run(self, stage: str, *arguments: Any, progress: Callable[[str], None] = lambda _: None) -> Any:
        progress("pages")
        return self._stages.run(stage, list(arguments))


class Desk:
    """A store with a coded document in it, and whoever corrects its words."""

    def __init__(self, fhir: Fhir, settings: Settings, stages: Stages) -> None:
        self.fhir = fhir
        stages.cache = ContentCache(settings.data / "cache", settings.cache_bytes)
        self.coding = Coding(settings, fhir, attach(fhir, settings), AtOnce.__new__(AtOnce))  # type: ignore[arg-type]
        hands = AtOnce(self.coding, stages)
        self.coding._steps = self.coding.children = hands  # type: ignore[assignment]
        self._operations = Operations(pages.operations(fhir, settings))
        attachment = {"contentType": "application/pdf", "data": base64.b64encode(letter()).decode()}
        document = {"resourceType": "DocumentReference", "id": "d", "status": "current"}
        self.ask("PUT", "DocumentReference/d", {**document, "content": [{"attachment": attachment}]})

    def ask(self, method: str, url: str, body: Any = None, **more: Any) -> Any:
        return json.loads(self.fhir.handle_sync(make_request(method, url, body, **more)).body)

    def operate(self, method: str, url: str, body: Any = None, **more: Any) -> Response:
        request: Request = make_request(method, url, body, **more)
        operation = self._operations.find(request.path)
        assert operation is not None and method in operation.methods
        return asyncio.run(operation.handler(request))  # type: ignore[arg-type]

    def work(self) -> dict[str, dict[str, Any]]:
        """Code the document; its results by reference."""
        run = tasks.run_of(self.ask("GET", f"Task/{tasks.task_id('d')}"))
        assert run is not None
        assert self.coding.run(run.document, run.version, run.attempt) == "completed"
        references = tasks.outputs_of(self.ask("GET", f"Task/{tasks.task_id('d')}"))
        return {reference: self.ask("GET", reference) for reference in references}

    def correct(self, *pairs: tuple[str, str], version: str = "1", caller: Caller = CODER) -> Response:
        words = json.loads(self.operate("GET", "DocumentReference/d/$page-words?page=1").body)["words"]
        places = {word[0]: (word[5], word[6] - word[5]) for word in words}
        listed = [correction(1, *places[old], new) for old, new in pairs]
        body = {"resourceType": "Parameters", "parameter": listed}
        url = "DocumentReference/d/$correct-words"
        return self.operate("POST", url, body, caller=caller, if_match=f'W/"{version}"')


def correction(page: int, offset: int, length: int, text: str) -> dict[str, Any]:
    """One parameter of a call."""
    numbers = (("page", page), ("offset", offset), ("length", length))
    parts = [{"name": name, "valueInteger": value} for name, value in numbers]
    return {"name": "correction", "part": [*parts, {"name": "text", "valueString": text}]}


@pytest.fixture(scope="module")
def stages(built: Path) -> Stages:
    """The stages of coding, opened once."""
    return Stages(bounds_of(Settings(data=built, open=True)))


@pytest.fixture
def desk(fhir: Fhir, settings: Settings, stages: Stages) -> Desk:
    """A desk with a document that waits to be coded."""
    return Desk(fhir, settings, stages)


def codes(results: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The diagnosis codes of the Conditions, by id."""
    conditions = [one for one in results.values() if one["resourceType"] == "Condition"]
    return {one["code"]["coding"][0]["code"]: one["id"] for one in conditions}


def box_of(resource: dict[str, Any], text: str) -> list[Any]:
    """The sides of the first evidence box of a resource that holds a text."""
    found: list[list[Any]] = []

    def walk(node: Any) -> None:
        for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(one)
        if isinstance(node, dict) and node.get("url") == EVIDENCE_BOX:
            parts = {part["url"]: next(v for k, v in part.items() if k != "url") for part in node["extension"]}
            if text in parts["text"]:
                found.append([parts[name] for name in ("page", "left", "top", "width", "height")])

    walk(resource)
    return found[0]


def of_type(results: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one result of a type."""
    (found,) = [one for one in results.values() if one["resourceType"] == kind]
    return found


def test_a_corrected_code_dose_and_value_change_what_rests_on_them(desk: Desk) -> None:
    """Condition, MedicationStatement and Observation say what stands there; ids and boxes stay, and it is signed."""
    before = desk.work()
    assert codes(before).keys() == {"I10", "E13.9"}
    answer = desk.correct(("E13.9", "E11.9"), ("26", "25"), ("27", "72"))
    told = {one["name"]: one["valueReference"]["reference"] for one in json.loads(answer.body)["parameter"]}
    assert told == {"document": "DocumentReference/d/_history/2", "task": f"Task/{tasks.task_id('d')}"}
    after = desk.work()
    assert codes(after).keys() == {"I10", "E11.9"}
    assert codes(after)["I10"] == codes(before)["I10"]
    pulse, former = of_type(after, "Observation"), of_type(before, "Observation")
    assert (pulse["id"], pulse["valueQuantity"]["value"]) == (former["id"], 72)
    assert box_of(pulse, "72") == pytest.approx(box_of(former, "27"), abs=2e-5)
    dose, former = of_type(after, "MedicationStatement"), of_type(before, "MedicationStatement")
    assert "25 mg" in json.dumps(dose["dosage"]) and "26 mg" in json.dumps(former["dosage"])
    provenance = [one["resource"] for one in desk.ask("GET", "Provenance?target=DocumentReference/d")["entry"]]
    (signed,) = [p for p in provenance if p.get("activity", {}).get("coding", [{}])[0].get("system") == CODING_DECISION]
    assert signed["agent"][0]["who"] == {"reference": "Practitioner/c"}
    assert signed["target"] == [{"reference": "DocumentReference/d/_history/2"}]
    words = json.loads(desk.operate("GET", "DocumentReference/d/$page-words?page=1").body)["words"]
    assert [word[7:] for word in words if word[0] == "25"] == [[100, 0, "26"]]


def test_an_older_version_is_not_corrected(desk: Desk) -> None:
    """Offsets are those of one version: another one is 412, none is 428, and nothing is stored."""
    desk.work()
    desk.correct(("26", "25"))
    desk.work()
    for version in ("1", "7"):
        with pytest.raises(FhirError) as caught:
            desk.correct(("27", "72"), version=version)
        assert status_of(caught.value) == 412
    with pytest.raises(FhirError) as caught:
        desk.operate("POST", "DocumentReference/d/$correct-words", parameters(correction(1, 0, 10, "x")), caller=CODER)
    assert status_of(caught.value) == 428
    assert desk.ask("GET", "DocumentReference/d")["meta"]["versionId"] == "2"


def parameters(*listed: dict[str, Any]) -> dict[str, Any]:
    """The body of a call."""
    return {"resourceType": "Parameters", "parameter": list(listed)}


def test_only_who_decides_about_codes_corrects(desk: Desk) -> None:
    """Whoever may only read gets 403, whoever may not read the document 404."""
    desk.work()
    assert CODER.grants is not None
    patient = tuple(Grant("patient", grant.type, grant.rights) for grant in CODER.grants)
    callers = {403: Caller(who="r", grants=CODER.grants[:1]), 404: Caller(who="p", grants=patient, patient="q")}
    for status, caller in callers.items():
        with pytest.raises(FhirError) as caught:
            desk.correct(("26", "25"), caller=caller)
        assert status_of(caught.value) == status


@pytest.mark.parametrize(
    "body",
    [
        parameters(),
        parameters(*(correction(1, 0, 1, "x") for _ in range(501))),
        parameters({"name": "correction", "valueString": "x"}),
        parameters(correction(0, 0, 1, "x")),
        parameters(correction(1, 0, 10, "two\nlines")),
        parameters(correction(1, 0, 10, "x" * 201)),
        {"resourceType": "Patient"},
    ],
    ids=["none", "too many", "no parts", "page 0", "two lines", "too long", "another resource"],
)
def test_what_is_no_correction_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    """400 with what to send instead."""
    with pytest.raises(FhirError) as caught:
        desk.operate("POST", "DocumentReference/d/$correct-words", body, if_match='W/"1"')
    assert status_of(caught.value) == 400


def test_words_of_a_document_that_is_being_read_are_not_there_yet(desk: Desk) -> None:
    """503 until its Task has ended: nothing is read twice."""
    with pytest.raises(FhirError) as caught:
        desk.operate("GET", "DocumentReference/d/$page-words")
    assert status_of(caught.value) == 503
