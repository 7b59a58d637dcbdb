"""The queue over HTTP: its order, whose a document is, what two people at one document are told, on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.review.work import LOCK
from tests.integration.work.conftest import House, hidden, open_house, rows, words


@pytest.fixture
def office(database_url: str, tmp_path: Path, furnish: Callable[[Path], Path]) -> Iterator[House]:
    """A house of the test's own on each engine, with three coded documents."""
    made = open_house(furnish(tmp_path / "var"), database_url)
    made.coded("old", "An old letter", "2026-01-01T08:00:00Z", 10)
    made.coded("rich", "A rich letter", "2026-11-20T08:00:00Z", 5000)
    made.coded("new", "A new letter", "2026-11-21T08:00:00Z", 10)
    yield made
    made.fhir.store.close()


async def test_two_people_at_one_queue(office: House) -> None:
    """Taken, taken over, timed out, given back, put aside, asked about, finished: each as the other sees it."""
    coder, second = office.people["coder"], office.people["second"]
    # Order and filters
    assert rows(await coder.get("/work/queue?sort=oldest")) == ["An old letter", "A rich letter", "A new letter"]
    assert rows(await coder.get("/work/queue?sort=money"))[0] == "A rich letter"
    assert rows(await coder.get("/work/queue?text=RICH")) == ["A rich letter"]
    assert rows(await coder.get("/work/queue?text=quill"))[:1] != []
    assert "called so" in words(await coder.get("/work/queue?text=nobody"))
    assert "You have no document" in words(await coder.get("/work/queue?state=mine"))
    # Taken by one
    assert (await coder.post("/work/queue/take", id="rich")).headers["x-go-to"] == "/work/review/rich"
    assert rows(await coder.get("/work/queue?state=mine")) == ["A rich letter"]
    assert "A rich letter" not in rows(await second.get("/work/queue"))
    refused = await second.post("/work/queue/take", id="rich")
    assert refused.headers["x-refused"] == "409" and "coder%20has%20this" in refused.headers["x-toast"]
    page = await second.get("/work/review/rich")
    assert "coder has this document until" in words(page) and "Take over" in words(page)
    decided = await second.post("/work/review/rich/decide", kind="accept", **hidden(page, "I10"))
    assert decided.headers["x-refused"] == "409" and office.claim("rich")["meta"]["versionId"] == "1"
    # Taken over, and timed out
    assert "x-refused" not in (await second.post("/work/queue/take", id="rich", over="1")).headers
    assert (await coder.post("/work/queue/take", id="rich")).headers["x-refused"] == "409"
    work = office.work("rich")
    assert work["owner"]["reference"] == "Practitioner/second" and work["status"] == "in-progress"
    office.put(work | {"authoredOn": "2026-11-01T08:00:00Z", "lastModified": "2026-11-01T08:00:00Z"})
    assert "A rich letter" in rows(await coder.get("/work/queue")) and LOCK.total_seconds() == 1200
    assert (await coder.post("/work/queue/take", id="rich")).headers["x-go-to"] == "/work/review/rich"
    # Given back
    await coder.post("/work/queue/release", id="rich")
    assert "owner" not in office.work("rich") and office.work("rich")["status"] == "ready"
    # Put aside, asked
    assert (await coder.post("/work/review/new/pend", reason="nonsense")).headers["x-refused"] == "400"
    await coder.post("/work/review/new/pend", reason="waiting-documentation", note="page 3")
    shown = await second.get("/work/queue?state=pending")
    assert rows(shown) == ["A new letter"] and "Waits for documentation" in words(shown)
    assert (await coder.post("/work/review/old/ask", about="specificity", text=" ")).headers["x-refused"] == "400"
    await coder.post("/work/review/old/ask", about="specificity", text="Which kind?")
    asked = office.do("GET", "CommunicationRequest")["entry"][0]["resource"]
    assert asked["payload"][0]["contentString"] == "Which kind?" and asked["subject"]["reference"] == "Patient/p"
    held = office.work("old")
    assert held["status"] == "on-hold" and held["statusReason"]["coding"][0]["code"] == "waiting-physician"
    # The next that is free
    assert (await second.post("/work/queue/take")).headers["x-go-to"] == "/work/review/rich"
    nothing = await coder.post("/work/queue/take")
    assert nothing.headers["x-go-to"] == "/work/queue" and "Nothing%20waits" in nothing.headers["x-toast"]


async def test_what_was_seen_is_what_is_decided(office: House) -> None:
    """A decision about a version that is no longer the newest changes nothing, and shows how things stand."""
    coder = office.people["coder"]
    stale = hidden(await coder.get("/work/review/rich"), "I10")
    first = await coder.post("/work/review/rich/decide", kind="accept", **stale)
    assert "x-refused" not in first.headers and "accepted" in words(first)
    version = office.claim("rich")["meta"]["versionId"]
    again = await coder.post("/work/review/rich/decide", kind="reject", reason="not-supported", **stale)
    assert again.headers["x-refused"] == "412" and "changed%20meanwhile%20by%20coder" in again.headers["x-toast"]
    assert office.claim("rich")["meta"]["versionId"] == version
    undone = await coder.post("/work/review/rich/decide", kind="undo")
    assert "x-refused" not in undone.headers
    assert (await coder.post("/work/review/rich/decide", kind="nonsense")).headers["x-refused"] == "400"


async def test_a_claim_is_finished_as_it_was_shown(office: House) -> None:
    """What was changed since it was shown is not finished; as it stands it becomes a bill, and the work is done."""
    coder = office.people["coder"]
    shown = office.claim("rich")["meta"]["versionId"]
    card = hidden(await coder.get("/work/review/rich"), "I10")
    await coder.post("/work/review/rich/decide", kind="reject", reason="not-supported", **card)
    stale = await coder.post("/work/review/rich/finish", claim=shown)
    assert stale.headers["x-refused"] == "412"
    assert office.claim("rich")["status"] == "draft"
    done = await coder.post("/work/review/rich/finish", claim=office.claim("rich")["meta"]["versionId"])
    assert "x-refused" not in done.headers, done.headers["x-toast"]
    assert office.claim("rich")["status"] == "active"


async def test_a_document_that_is_not_coded_says_so(office: House) -> None:
    """Whoever opens a document too early sees how far it is, by the title it came with, and the page asks again."""
    office.waits("early", "A title of an attachment")
    coder = office.people["coder"]
    for path in ("/work/review/early", "/work/upload?of=early"):
        page = await coder.get(path)
        assert page.status_code == 200 and "A title of an attachment" in words(page), path
        assert 'data-href="/work/upload/stages?of=early&amp;wait=early"' in page.text, path
    assert "Not coded yet" in words(await coder.get("/work/review/early"))
    assert (await coder.get("/work/review/none")).status_code == 404
