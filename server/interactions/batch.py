"""batch and transaction Bundles at the base (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.http.errors import outcome_of, status_of

from . import transaction
from .action import Write
from .exchange import Request, Response

if TYPE_CHECKING:
    from .fhir import Fhir

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
REASONS = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified"}


class Entry(msgspec.Struct, frozen=True):
    """One entry of a Bundle: where it stands, its full URL, its resource as a dict and what it asks for."""

    number: int
    full_url: str | None
    resource: dict[str, Any] | None
    request: Request


async def handle(fhir: Fhir, request: Request) -> Response:
    """Answer a Bundle that was posted to the base."""
    bundle = await fhir.store.run(parse, fhir, request)
    if bundle["type"] == "transaction":
        write = await fhir.store.run(transaction.prepare, fhir, request, bundle)
        return await fhir.store.write(write.run, write.reads)
    entries, answers = _read_each(request, bundle)
    for rank in sorted(set(ORDER.values())):
        same = [entry for entry in entries if ORDER[entry.request.method] == rank]
        for at in range(0, len(same), 200):
            part = same[at : at + 200]
            results = await asyncio.gather(*(_attempt(fhir, entry) for entry in part))
            answers.update(zip((entry.number for entry in part), results, strict=True))
    return _reply(request, bundle, entries, answers)


async def _attempt(fhir: Fhir, entry: Entry) -> Response | FhirError:
    try:
        return await fhir.handle(with_body(entry))
    except FhirError as error:
        return error


def handle_sync(fhir: Fhir, request: Request) -> Response:
    """The same, for threads."""
    bundle = parse(fhir, request)
    if bundle["type"] == "transaction":
        write: Write = transaction.prepare(fhir, request, bundle)
        return fhir.store.write_sync(write.run, write.reads)
    entries, answers = _read_each(request, bundle)
    for entry in sorted(entries, key=lambda entry: ORDER[entry.request.method]):
        try:
            answers[entry.number] = fhir.handle_sync(with_body(entry))
        except FhirError as error:
            answers[entry.number] = error
    return _reply(request, bundle, entries, answers)


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


def read_entries(request: Request, bundle: dict[str, Any]) -> list[Entry]:
    """The entries of a Bundle as requests; FhirError names the first that cannot be read."""
    return [_read_entry(request, number, entry) for number, entry in enumerate(bundle.get("entry", []))]


def _read_each(request: Request, bundle: dict[str, Any]) -> tuple[list[Entry], dict[int, Response | FhirError]]:
    """The entries of a batch that can be read, and the answers to those that cannot: one does not spoil the others."""
    entries: list[Entry] = []
    answers: dict[int, Response | FhirError] = {}
    for number, entry in enumerate(bundle.get("entry", [])):
        try:
            entries.append(_read_entry(request, number, entry))
        except FhirError as error:
            answers[number] = error
    return entries, answers


def _read_entry(outer: Request, number: int, entry: dict[str, Any]) -> Entry:
    at = f"Bundle.entry[{number}]"
    asked = entry.get("request")
    if not isinstance(asked, dict) or not isinstance(asked.get("url"), str):
        text = "Each entry needs a request with a method and a url."
        raise FhirError.of(Category.INCORRECT, "required", text, f"{at}.request")
    method = asked.get("method")
    if method not in ORDER or method == "PATCH":
        text = "The method must be GET, HEAD, POST, PUT or DELETE."
        raise FhirError.of(Category.INCORRECT, "not-supported", text, f"{at}.request.method")
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    if (resource is not None and not isinstance(resource, dict)) or not isinstance(full_url, str | None):
        raise FhirError.of(Category.INCORRECT, "structure", "The entry is not built as FHIR says.", at)
    texts = {name: asked.get(name) for name in ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince")}
    if not all(isinstance(text, str | None) for text in texts.values()):
        raise FhirError.of(Category.INCORRECT, "structure", "The request holds something that is no text.", at)
    path, query = _split(asked["url"], outer.base_url)
    if not path:
        text = "The url must name what the entry is about; a Bundle inside a Bundle is not run."
        raise FhirError.of(Category.INCORRECT, "value", text, f"{at}.request.url")
    one = Request(
        method=method,
        path=path,
        query=query,
        base_url=outer.base_url,
        if_match=texts["ifMatch"],
        if_none_match=texts["ifNoneMatch"],
        if_modified_since=texts["ifModifiedSince"],
        if_none_exist=texts["ifNoneExist"],
        prefer=outer.prefer,
        who=outer.who,
    )
    return Entry(number, full_url, resource, one)


def _split(url: str, base_url: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    if base_url and url.startswith(f"{base_url}/"):
        url = url[len(base_url) :]
    parts = urlsplit(url)
    path = tuple(unquote(segment) for segment in parts.path.split("/") if segment)
    return path, tuple(parse_qsl(parts.query, keep_blank_values=True))


def with_body(entry: Entry) -> Request:
    """The entry's request with its resource as body."""
    body = b"" if entry.resource is None else json.encode(entry.resource)
    return msgspec.structs.replace(entry.request, body=body)


def _reply(
    request: Request, bundle: dict[str, Any], entries: Iterable[Entry], answers: dict[int, Response | FhirError]
) -> Response:
    read = {entry.number: entry for entry in entries}
    in_order = [(read.get(number), answers[number]) for number in range(len(bundle.get("entry", [])))]
    return bundle_of("batch-response", in_order, request)


def bundle_of(kind: str, answered: Iterable[tuple[Entry | None, Response | FhirError]], request: Request) -> Response:
    """The Bundle that answers each entry; resources of writes come only when the client asked for them."""
    wants = request.preferred.returns
    parts = []
    for entry, result in answered:
        if entry is None or isinstance(result, FhirError):
            assert isinstance(result, FhirError)
            status = status_of(result)
            told: dict[str, Any] = {"status": str(status), "outcome": outcome_of(result)}
            parts.append(b'{"response":%b}' % json.encode(told))
            continue
        told = {"status": f"{result.status} {REASONS.get(result.status, '')}".rstrip()}
        told |= {"location": result.location} if result.location else {}
        told |= {"etag": result.etag} if result.etag else {}
        reads = entry.request.method in ("GET", "HEAD") or entry.request.path[1:] == ("_search",)
        if wants == "OperationOutcome" and not reads and result.body:
            told["outcome"] = json.decode(result.body)
        resource = b""
        if result.body and (reads or wants == "representation"):
            resource = b'"resource":%b,' % result.body
        parts.append(b'{%b"response":%b}' % (resource, json.encode(told)))
    head = b'{"resourceType":"Bundle","type":"%b"' % kind.encode()
    return Response(status=200, body=head + (b',"entry":[%b]}' % b",".join(parts) if parts else b"}"))
