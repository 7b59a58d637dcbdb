"""The job that answers a request that came with `Prefer: respond-async` (https://hl7.org/fhir/R4/async.html).

A write is done exactly once, each entry of a batch in a transaction of its own. What only reads, and an operation, may
be run again when the worker dies before the answer is kept.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.http.errors import outcome_of, status_of
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import chunks, later
from server.jobs.deflate import unpack
from server.jobs.kinds import Kind, Work
from server.store import Tx

_RANK = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
_READS = 3  # what only reads comes after the writes


def run(work: Work) -> str:
    """Answer the request whose id is the job's; how it ended."""
    found = later.take(work)
    request = _plain(found.asked)
    try:
        if not request.path and request.method == "POST" and _is_batch(request):
            return _answer_batch(work, request)
        if _is_write(work, request):
            return str(work.tx_step("answer", lambda tx: _write(work, tx, request)))
        response = _read(work, request)
    except FhirError as error:
        problem = error
        return str(work.tx_step("refused", lambda tx: _refuse(work, tx, problem)))
    return str(work.tx_step("answer", lambda tx: _keep(work, tx, bundle([entry_of(response)]))))


def _plain(request: Request) -> Request:
    """The request without its wish to be answered later."""
    kept = [part for part in request.prefer.split(",") if part.strip() != "respond-async"]
    return msgspec.structs.replace(request, prefer=",".join(kept))


def _is_batch(request: Request) -> bool:
    found = json.decode(request.body)
    return isinstance(found, dict) and found.get("type") == "batch"


def _is_write(work: Work, request: Request) -> bool:
    reads = request.method in ("GET", "HEAD") or request.path[-1:] == ("_search",)
    return not reads and work.operations.find(request.path) is None


def _write(work: Work, tx: Tx, request: Request) -> str:
    return _keep(work, tx, bundle([entry_of(work.fhir.handle_in(tx, request))]))


def _read(work: Work, request: Request) -> Response:
    operation = work.operations.find(request.path)
    if operation is None:
        return work.fhir.handle_sync(request)

    async def answer() -> Response:
        return await operation.handler(request)

    return asyncio.run(answer())


def _keep(work: Work, tx: Tx, body: bytes) -> str:
    later.finish(tx, work.id, body, work.settings)
    return "done"


def _refuse(work: Work, tx: Tx, error: FhirError) -> str:
    """An error is an answer too: a batch-response with its status and outcome."""
    later.finish(tx, work.id, bundle([refused(error)]), work.settings)
    return "refused"


def _answer_batch(work: Work, request: Request) -> str:
    """Answer the entries one by one, writes before reads as FHIR asks; each answer is kept with what it did."""
    entries = json.decode(request.body).get("entry") or []
    if len(entries) > work.settings.max_bundle_entries:
        text = f"The Bundle has more entries than the limit of {work.settings.max_bundle_entries}. Send it in parts."
        raise FhirError.of(Category.INCORRECT, "too-costly", text, "Bundle.entry")
    order = sorted(range(len(entries)), key=lambda n: _rank(entries[n]))
    for done, number in enumerate(order, 1):
        one = msgspec.structs.replace(request, body=_single(entries[number]))
        _answer_entry(work, one, number, done, len(entries), reads=_rank(entries[number]) == _READS)

    def gather(tx: Tx) -> str:
        answers = [unpack(chunks.read_chunk(tx, work.id, n)).rstrip(b"\n") for n in range(len(entries))]
        tx.execute("DELETE FROM later_chunk WHERE request = ?", (work.id,))
        return _keep(work, tx, bundle(answers))

    return str(work.tx_step("answer", gather))


def _answer_entry(work: Work, one: Request, number: int, done: int, of: int, *, reads: bool) -> None:
    def keep(tx: Tx, answer: bytes) -> None:
        chunks.write_chunk(tx, work.id, number, ("answer", "entries", ""), [answer])
        work.note_progress(tx, done, of)

    def write(tx: Tx) -> None:
        keep(tx, _first_entry(work.fhir.handle_in(tx, one)))

    try:
        if reads:
            answer = _first_entry(work.fhir.handle_sync(one))
            work.tx_step(f"entry-{number}", lambda tx: keep(tx, answer))
        else:
            work.tx_step(f"entry-{number}", write)
    except FhirError as error:
        told = refused(error)
        work.tx_step(f"refused-{number}", lambda tx: keep(tx, told))


def _rank(entry: Any) -> int:
    asked = entry.get("request") if isinstance(entry, dict) else None
    method = asked.get("method") if isinstance(asked, dict) else None
    return _RANK.get(method, _READS) if isinstance(method, str) else _READS


def _single(entry: Any) -> bytes:
    """A Bundle of one entry: a transaction when it writes, so that it can share one with its answer."""
    kind = "batch" if _rank(entry) == _READS else "transaction"
    return json.encode({"resourceType": "Bundle", "type": kind, "entry": [entry]})


def _first_entry(response: Response) -> bytes:
    return json.encode(json.decode(response.body)["entry"][0])


def entry_of(response: Response) -> bytes:
    """The entry of a batch-response that says what a response says."""
    told: dict[str, Any] = {"status": str(response.status)}
    told |= {"location": response.location} if response.location else {}
    told |= {"etag": response.etag} if response.etag else {}
    resource = b""
    if response.body and response.content_type.startswith("application/fhir+json"):
        resource = b'"resource":%b,' % response.body
    return b'{%b"response":%b}' % (resource, json.encode(told))


def refused(error: FhirError) -> bytes:
    """The entry of a batch-response for an error."""
    return b'{"response":%b}' % json.encode({"status": str(status_of(error)), "outcome": outcome_of(error)})


def bundle(entries: list[bytes]) -> bytes:
    """The batch-response."""
    body = b'{"resourceType":"Bundle","type":"batch-response"'
    return b'%b,"entry":[%b]}' % (body, b",".join(entries)) if entries else body + b"}"


def _given_up(fhir: Fhir, tx: Tx, job_id: str) -> None:
    later.given_up(tx, job_id, fhir.settings)


KIND = Kind("answer_later", later.traced("answer_later", run), given_up=_given_up)
