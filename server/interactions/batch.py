"""batch and transaction Bundles at the base (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.audit import interaction
from server.audit.event import encode
from server.http.errors import status_of
from server.observability import describe

from . import transaction
from .action import Write
from .entries import READ, Entry, place, read_each, with_body
from .exchange import Request, Response
from .links import is_query, refuse_open, relink
from .replies import bundle_of

if TYPE_CHECKING:
    from .fhir import Fhir

SMALL = 16 * 1024
"""A Bundle of at most this many bytes is prepared in the event loop, which takes a few milliseconds."""

AT_ONCE = 200
"""Entries of a batch that run at the same time."""

_log = structlog.get_logger("batch")


async def handle(fhir: Fhir, request: Request) -> Response:
    """Answer a Bundle that was posted to the base."""
    if len(request.body) > SMALL:
        bundle, write = await fhir.store.work(_prepare, fhir, request)
    else:
        bundle, write = _prepare(fhir, request)
    if write is not None:
        return await fhir.store.write(write.run, write.reads)
    entries, answers = read_each(request, bundle)
    for rank in range(READ + 1):
        same = [entry for entry in entries if entry.rank == rank]
        for at in range(0, len(same), AT_ONCE):
            part = same[at : at + AT_ONCE]
            results = await asyncio.gather(*(_attempt(fhir, entry) for entry in part))
            answers.update(zip((entry.number for entry in part), results, strict=True))
    return _reply(request, bundle, entries, answers)


def _prepare(fhir: Fhir, request: Request) -> tuple[dict[str, Any], Write | None]:
    """The Bundle and, of a transaction, the write."""
    bundle = parse(fhir, request)
    return bundle, transaction.prepare(fhir, request, bundle) if bundle["type"] == "transaction" else None


async def _attempt(fhir: Fhir, entry: Entry) -> Response | FhirError:
    answer: Response | FhirError
    try:
        answer = await fhir.handle(_ready(entry))
    except Exception as error:
        answer = _refusal(error)
    _note(entry, answer)
    return answer


def _note(entry: Entry, answer: Response | FhirError) -> None:
    """Tell the audit of an entry that left no event in a transaction."""
    request = entry.request
    status, body = (status_of(answer), b"") if isinstance(answer, FhirError) else (answer.status, answer.body)
    notes = request.caller.trace.notes
    if notes is not None and (entry.rank == READ or status >= 400):
        notes.append(encode(interaction.read(request, status, body)))


def handle_sync(fhir: Fhir, request: Request) -> Response:
    """The same, for threads."""
    bundle, write = _prepare(fhir, request)
    if write is not None:
        return fhir.store.write_sync(write.run, write.reads)
    entries, answers = read_each(request, bundle)
    for entry in sorted(entries, key=lambda entry: entry.rank):
        try:
            answers[entry.number] = fhir.handle_sync(_ready(entry))
        except Exception as error:
            answers[entry.number] = _refusal(error)
        _note(entry, answers[entry.number])
    return _reply(request, bundle, entries, answers)


def _ready(entry: Entry) -> Request:
    """The entry on its own: in a batch it cannot point to its neighbours."""
    if entry.resource is not None and entry.rank != READ:
        with place(entry.number):
            refuse_open(link for link in relink(entry.resource, {}) if not is_query(link))
    return with_body(entry)


def _refusal(error: Exception) -> FhirError:
    """What an entry is answered that failed, so that the others are answered all the same."""
    if isinstance(error, FhirError):
        return error
    _log.error("fault", **describe(error))
    return FhirError.of(Category.FAULT, "exception", "The server failed on this entry.")


def parse(fhir: Fhir, request: Request) -> dict[str, Any]:
    """The Bundle in a request's body, of a type that can be posted to the base."""
    if not request.body:
        raise FhirError.of(Category.INCORRECT, "structure", "The request has no body; send a Bundle as JSON.")
    bundle = json.decode(request.body)
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
        text = "The base takes a Bundle whose type is batch or transaction."
        raise FhirError.of(Category.INCORRECT, "invalid", text, "Bundle.type")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FhirError.of(Category.INCORRECT, "structure", "entry must be an array of objects.", "Bundle.entry")
    limit = fhir.settings.max_bundle_entries
    if len(entries) > limit:
        text = f"The Bundle has {len(entries)} entries; the limit is {limit}. Send it in parts."
        raise FhirError.of(Category.INCORRECT, "too-costly", text, "Bundle.entry")
    return bundle


def _reply(
    request: Request, bundle: dict[str, Any], entries: Iterable[Entry], answers: dict[int, Response | FhirError]
) -> Response:
    read = {entry.number: entry for entry in entries}
    in_order = [(read.get(number), answers[number]) for number in range(len(bundle.get("entry", [])))]
    return bundle_of("batch-response", in_order, request)
