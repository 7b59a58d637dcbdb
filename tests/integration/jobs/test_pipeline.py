"""The life of a document from the write to its results, with stages that answer at once, on both engines."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from extractors.emit.ids import resource_id
from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.figures.reading import read_work
from server.http.errors import status_of
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.cache import ContentCache
from server.jobs.children import Failure
from server.jobs.engine import INTERRUPTED, Interrupted
from server.jobs.intake import Intake, attach, depths
from server.jobs.kinds import sweep
from server.jobs.pipeline import Coding
from server.operations import task as task_operations
from server.operations.registry import Operations
from server.settings import Settings

Call = Callable[..., Response]


class AtOnce:
    """Steps without an engine: each runs once, a transactional one in a transaction of the store."""

    def __init__(self, write: Callable[[Any], Any]) -> None:
        self._write = write

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        return function()

    def tx_step(self, name: str, operation: Callable[[Any], Any]) -> Any:
        value = self._write(operation)
        if value == INTERRUPTED:
            raise Interrupted
        return value


class Stages:
    """Children that find one Condition for each line of the text."""

    def __init__(self, cache: ContentCache) -> None:
        self.cache = cache
        self.runs = 0

    def run(self, stage: str, *arguments: Any, progress: Callable[[str], None]) -> str | None:
        progress("pages" if stage == "read" else "codes")
        if stage == "read":
            self.runs += 1
            if arguments[0] == b"unreadable":
                raise Failure("structure", "The file is damaged. Send it again.")
            self.cache.put("pages", arguments[0])
            return "pages"
        document = json.loads(arguments[1])
        entries = []
        for number, _ in enumerate((self.cache.get(arguments[0]) or b"").splitlines()):
            resource = {
                "resourceType": "Condition",
                "id": resource_id(document["id"], "Condition", number),
                "subject": {"display": "somebody"},
            }
            request = {"method": "PUT", "url": f"Condition/{resource['id']}"}
            entries.append({"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request})
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        self.cache.put("bundle", json.dumps(bundle).encode())
        return "bundle"


class House:
    """A store with the hook in place, and a worker that works when it is told to."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self.fhir = fhir
        self.intake: Intake = attach(fhir, settings)
        self.stages = Stages(ContentCache(settings.data / "cache", 10**9))
        self.coding = Coding(settings, fhir, self.intake, self.stages)  # type: ignore[arg-type]
        self.coding._steps = AtOnce(self.coding._write)  # type: ignore[assignment]
        self.operations = Operations(task_operations.operations(fhir, self.intake))

    def call(self, method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        path, _, query = url.partition("?")
        pairs = tuple(tuple(pair.split("=", 1)) for pair in query.split("&") if pair)
        request = Request(
            caller=ANYBODY,
            method=method,
            path=tuple(path.split("/")),
            query=pairs,  # type: ignore[arg-type]
            body=json.dumps(body).encode() if body else b"",
        )
        answer: dict[str, Any] = json.loads(self.fhir.handle_sync(request).body or b"{}")
        return answer

    def send(self, text: str, name: str = "d1", **more: Any) -> None:
        attachment = {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}
        self.call("PUT", f"DocumentReference/{name}", document(attachment, id=name, **more))

    def task(self, name: str = "d1") -> dict[str, Any]:
        return self.call("GET", f"Task/{tasks.task_id(name)}")

    def work(self, name: str = "d1") -> str:
        run = tasks.run_of(self.task(name))
        assert run
        return self.coding.run(run.document, run.version, run.attempt)

    def operation(self, name: str, task: str = "d1") -> dict[str, Any]:
        path = ("Task", tasks.task_id(task), f"${name}")
        operation = self.operations.find(path)
        assert operation
        answer = asyncio.run(operation.handler(Request(caller=ANYBODY, method="POST", path=path)))  # type: ignore[arg-type]
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def jobs(self) -> list[tuple[str, str]]:
        schema = "dbos." if self.fhir.store.dialect == "postgresql" else ""
        sql = f"SELECT workflow_uuid, status FROM {schema}workflow_status ORDER BY workflow_uuid"
        return [(row[0], row[1]) for row in self.fhir.store.query(sql)]


def document(attachment: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"attachment": attachment}]
    return {"resourceType": "DocumentReference", "status": "current", "content": content, **more}


@pytest.fixture
def house(fhir: Fhir, settings: Settings) -> House:
    """Everything but the worker process."""
    return House(fhir, settings)


def test_the_task_and_the_job_stand_with_the_document(house: House) -> None:
    """They are there when the write is answered, and the Task is found by its focus."""
    house.send("asthma", subject={"reference": "Patient/p1"})
    found = house.call("GET", "Task?focus=DocumentReference/d1")
    assert [entry["resource"]["id"] for entry in found["entry"]] == [tasks.task_id("d1")]
    task = found["entry"][0]["resource"]
    assert (task["status"], task["for"]) == ("requested", {"reference": "Patient/p1"})
    assert task["businessStatus"]["coding"][0]["code"] == "received"
    assert house.jobs() == [("d1/1/1", "ENQUEUED")]
    assert depths(house.fhir.store) == {"received": 1}


def test_a_document_ends_with_its_results(house: House) -> None:
    """The results are stored and listed, and the Task says so."""
    house.send("asthma\ncough")
    assert house.work() == "completed"
    task = house.task()
    assert task["status"] == "completed"
    assert task["businessStatus"]["coding"][0]["code"] == "emitted"
    spent = read_work(json.dumps(task).encode()).seconds
    assert {"received", "pages", "emitted", "whole"} <= {*spent} and min(spent.values()) >= 0
    outputs = [output["valueReference"]["reference"] for output in task["output"]]
    assert outputs == [
        f"Condition/{resource_id('d1', 'Condition', 0)}",
        f"Condition/{resource_id('d1', 'Condition', 1)}",
    ]
    assert house.call("GET", f"Condition/{resource_id('d1', 'Condition', 1)}")["meta"]["versionId"] == "1"


def test_running_again_doubles_nothing(house: House) -> None:
    """A run that is repeated, and a retry after it, store the same under the same ids."""
    house.send("asthma")
    house.work()
    assert house.work() == "completed"
    house.operation("retry")
    assert house.work() == "completed"
    assert house.call("GET", "Condition?_total=accurate")["total"] == 1
    assert house.call("GET", f"Condition/{resource_id('d1', 'Condition', 0)}")["meta"]["versionId"] == "1"


def test_a_change_of_something_else_does_not_run_again(house: House) -> None:
    """Only what is read counts: a new description leaves Task and results alone."""
    house.send("asthma")
    house.work()
    before = house.task()
    house.send("asthma", description="Letter")
    assert house.task() == before
    assert len(house.jobs()) == 1


def test_a_changed_file_runs_again_and_replaces_the_results(house: House) -> None:
    """What the new version no longer says is deleted; what it says is updated."""
    house.send("asthma\ncough")
    house.work()
    house.send("bronchitis")
    assert tasks.run_of(house.task()) == tasks.Run("d1", 2, 1)
    assert [output["valueReference"]["reference"] for output in house.task()["output"]][
        -1
    ] == f"Condition/{resource_id('d1', 'Condition', 1)}"
    house.work()
    assert [output["valueReference"]["reference"] for output in house.task()["output"]] == [
        f"Condition/{resource_id('d1', 'Condition', 0)}"
    ]
    with pytest.raises(FhirError):
        house.call("GET", f"Condition/{resource_id('d1', 'Condition', 1)}")


def test_a_newer_version_takes_the_job_of_the_older_one(house: House) -> None:
    """The run of a version that was overtaken stores nothing."""
    house.send("asthma")
    old = tasks.run_of(house.task())
    house.send("cough\nfever")
    assert house.jobs() == [("d1/1/1", "CANCELLED"), ("d1/2/1", "ENQUEUED")]
    assert old
    assert house.coding.run(old.document, old.version, old.attempt) == "cancelled"
    assert house.task()["status"] == "requested"
    assert house.call("GET", "Condition?_total=accurate")["total"] == 0


@pytest.mark.parametrize(
    ("attachment", "code", "words"),
    [
        ({"url": "https://elsewhere.example/a.pdf"}, "not-supported", "Binary"),
        ({"url": "Binary/none"}, "not-found", "Binary"),
        ({"contentType": "text/plain", "data": base64.b64encode(b"unreadable").decode()}, "structure", "damaged"),
    ],
)
def test_a_failed_task_says_what_to_do(house: House, attachment: dict[str, Any], code: str, words: str) -> None:
    """The document stays readable; the Task carries an issue type and a sentence."""
    house.call("PUT", "DocumentReference/d1", document(attachment, id="d1"))
    assert house.work() == "failed"
    task = house.task()
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("failed", "failed")
    assert task["statusReason"]["coding"][0]["code"] == code
    assert words in task["statusReason"]["text"]
    work = read_work(json.dumps(task).encode())
    assert (work.state, work.stage, work.cause) == ("failed", "pages", code)
    assert house.call("GET", "DocumentReference/d1")["id"] == "d1"


def test_a_binary_of_ours_is_read(house: House) -> None:
    """Attachment.url may name a Binary on this server."""
    data = base64.b64encode(b"asthma\ncough").decode()
    house.call("PUT", "Binary/b1", {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": data})
    house.call("PUT", "DocumentReference/d1", document({"url": "Binary/b1"}, id="d1"))
    assert house.work() == "completed"
    assert len(house.task()["output"]) == 2


def test_a_failed_task_can_be_retried(house: House) -> None:
    """$retry queues a new run of the newest version; while it waits, a second one is refused."""
    house.call("PUT", "DocumentReference/d1", document({"url": "Binary/b1"}, id="d1"))
    house.work()
    data = base64.b64encode(b"asthma").decode()
    house.call("PUT", "Binary/b1", {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": data})
    task = house.operation("retry")
    assert (task["status"], "statusReason" in task) == ("requested", False)
    with pytest.raises(FhirError) as refused:
        house.operation("retry")
    assert status_of(refused.value) == 409
    assert house.work() == "completed"
    assert house.jobs()[-1] == ("d1/1/2", "ENQUEUED")


def test_a_cancelled_run_stores_nothing(house: House) -> None:
    """$cancel ends the Task and the job; cancelling again changes nothing."""
    house.send("asthma")
    assert house.operation("cancel")["status"] == "cancelled"
    assert house.operation("cancel")["meta"]["versionId"] == "2"
    assert house.jobs() == [("d1/1/1", "CANCELLED")]


def test_a_deleted_document_is_not_coded(house: House) -> None:
    """Its job is cancelled with it, and cannot be retried."""
    house.send("asthma")
    house.call("DELETE", "DocumentReference/d1")
    assert house.task()["status"] == "cancelled"
    with pytest.raises(FhirError):
        house.operation("retry")


def test_a_job_that_was_given_up_fails_its_task(house: House) -> None:
    """The worker that finds it says so, once."""
    house.send("asthma")
    schema = "dbos." if house.fhir.store.dialect == "postgresql" else ""
    given_up = f"UPDATE {schema}workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'"
    house.fhir.store.write_sync(lambda tx: tx.execute(given_up))
    for _ in range(2):
        sweep(house.fhir, [house.coding.kind])
    task = house.task()
    assert (task["status"], task["meta"]["versionId"]) == ("failed", "2")
    assert task["statusReason"]["text"].endswith(".")


def test_what_the_cache_forgets_is_made_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost intermediate result costs work, never a document."""
    house.send("asthma")
    forgotten = iter([True, False])
    get = house.coding._cache.get
    monkeypatch.setattr(house.coding._cache, "get", lambda key: None if next(forgotten, False) else get(key))
    assert house.work() == "completed"
