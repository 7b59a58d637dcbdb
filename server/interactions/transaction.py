"""transaction: all entries of a Bundle or none (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError, Problem
from fhir_profiles.references import references, rewrite
from server.store import Tx
from server.store.keys import new_id

from . import batch, content, create, delete, update
from .action import Write
from .conditional import find_one
from .exchange import Request, Response

if TYPE_CHECKING:
    from .batch import Entry
    from .content import Content
    from .fhir import Fhir

MAX_PROBLEMS = 100


def prepare(fhir: Fhir, request: Request, bundle: dict[str, Any]) -> Write:
    """Check every entry; what needs no database (nearly always all of it) is made ready before the transaction."""
    entries = batch.read_entries(request, bundle)
    _check(entries)
    ids = {entry.number: new_id() for entry in entries if entry.request.method == "POST"}
    known = {
        entry.full_url: f"{entry.request.path[0]}/{ids.get(entry.number) or entry.request.path[1]}"
        for entry in entries
        if entry.full_url and entry.request.method in ("POST", "PUT") and not _is_conditional(entry)
    }
    reads = tuple(
        (entry.request.path[0], entry.request.path[1])
        for entry in entries
        if entry.request.method in ("PUT", "DELETE") and len(entry.request.path) == 2
    )
    conditional = [entry for entry in entries if _is_conditional(entry)]
    searched = _conditional_references(entries)
    if not conditional and not searched:
        for entry in entries:
            if entry.resource is not None and entry.resource.get("resourceType"):
                rewrite(entry.resource, known)
        ready = _make_all(entries, ids)
        return Write(lambda tx: _run(fhir, tx, request, entries, ready), reads)

    def write(tx: Tx) -> Response:
        replacements = dict(known)
        found = dict(ids)
        for entry in conditional:
            _resolve_entry(tx, entry, found, replacements)
        for text, number in searched.items():
            with _at(number, ".resource"):
                replacements[text] = _resolve_reference(tx, text, request.base_url)
        return _run(fhir, tx, request, entries, _make_all(entries, found, replacements))

    return Write(write, reads)


def _is_conditional(entry: Entry) -> bool:
    asked = entry.request
    return asked.if_none_exist is not None if asked.method == "POST" else asked.method == "PUT" and len(asked.path) == 1


def _check(entries: list[Entry]) -> None:
    """Refuse what no database can make right, with every problem's place."""
    problems: list[Problem] = []
    targets: set[tuple[str, ...]] = set()
    for entry in entries:
        try:
            with _at(entry.number):
                _check_entry(entry, targets)
        except FhirError as error:
            problems.extend(error.problems)
            if len(problems) >= MAX_PROBLEMS:
                break
    if problems:
        raise FhirError(Category.INCORRECT, *problems[:MAX_PROBLEMS])


def _check_entry(entry: Entry, targets: set[tuple[str, ...]]) -> None:
    asked = entry.request
    wrong = FhirError.of(Category.INCORRECT, "value", "The url does not fit the method.", "request.url")
    if asked.method in ("GET", "HEAD"):
        return
    if asked.method == "POST" and len(asked.path) != 1:
        raise wrong
    if len(asked.path) == 2:
        if asked.path in targets:
            text = "Two entries change the same resource; a transaction may do that once."
            raise FhirError.of(Category.INCORRECT, "invalid", text, "request.url")
        targets.add(asked.path)
    elif len(asked.path) != 1 or (asked.method != "POST" and not asked.query):
        raise wrong
    if asked.method == "DELETE":
        return
    if entry.resource is None:
        raise FhirError.of(Category.INCORRECT, "required", "The entry needs a resource.", "resource")
    with _at(None, "resource"):
        content.expect_type(entry.resource, asked.path[0])
        content.validate(entry.resource)
        if asked.method == "PUT" and len(asked.path) == 2:
            update.check_id(asked.path[1])
            if entry.resource.get("id") != asked.path[1]:
                text = "The resource must have an id that is the same as in the URL."
                raise FhirError.of(Category.INCORRECT, "value", text, "id")


@contextmanager
def _at(number: int | None, below: str = "") -> Iterator[None]:
    """Say in which entry a problem is: its expression gets `Bundle.entry[n]` in front, and loses its type."""
    try:
        yield
    except FhirError as error:
        front = below if number is None else f"Bundle.entry[{number}]{below}"
        placed = [_placed(front, problem, strip=number is None) for problem in error.problems]
        raise FhirError(error.category, *placed) from None


def _placed(front: str, problem: Problem, *, strip: bool) -> Problem:
    rest = problem.expression or ""
    if strip and rest[:1].isupper():
        rest = rest.partition(".")[2]
    return Problem(problem.severity, problem.code, problem.text, f"{front}.{rest}" if rest else front)


def _conditional_references(entries: list[Entry]) -> dict[str, int]:
    """Every reference of the form `Type?query`, with the first entry that holds it."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry.resource is not None:
            for link in references(entry.resource):
                if "?" in link["reference"] and ":" not in link["reference"].partition("?")[0]:
                    found.setdefault(link["reference"], entry.number)
    return found


def _resolve_reference(tx: Tx, text: str, base_url: str) -> str:
    resource_type = text.partition("?")[0]
    if (found := find_one(tx, resource_type, text, base_url)) is None:
        raise FhirError.of(Category.CONFLICT, "multiple-matches", "A conditional reference finds no resource.")
    return f"{resource_type}/{found.id}"


def _resolve_entry(tx: Tx, entry: Entry, ids: dict[int, str], replacements: dict[str, str]) -> None:
    """Find what a conditional create or update is about, so that references to it can be written."""
    asked = entry.request
    with _at(entry.number):
        if asked.method == "PUT":
            with _at(None, "resource"):
                target = update.find_target(tx, asked, entry.resource or {})
        else:
            found = find_one(tx, asked.path[0], asked.if_none_exist or (), asked.base_url)
            target = found.id if found else ids[entry.number]
    ids[entry.number] = target
    if entry.full_url:
        replacements[entry.full_url] = f"{asked.path[0]}/{target}"


def _make_all(
    entries: list[Entry], ids: dict[int, str], replacements: dict[str, str] | None = None
) -> dict[int, Content]:
    """Every resource as it will be stored; its references are rewritten in a copy, as this may run more than once."""
    made: dict[int, Content] = {}
    for entry in entries:
        if entry.resource is None or entry.request.method not in ("POST", "PUT"):
            continue
        resource = entry.resource
        if replacements:
            resource = json.decode(json.encode(resource))
            rewrite(resource, replacements)
        target = ids.get(entry.number) or entry.request.path[1]
        made[entry.number] = content.content_of(resource, target, entry.request.base_url)
    return made


def _run(fhir: Fhir, tx: Tx, request: Request, entries: list[Entry], ready: dict[int, Content]) -> Response:
    """Carry out the entries in the order of the specification; the first error ends them all."""
    answers: dict[int, Response] = {}
    for entry in sorted(entries, key=lambda entry: batch.ORDER[entry.request.method]):
        with _at(entry.number):
            answers[entry.number] = _run_entry(fhir, tx, entry, ready.get(entry.number))
    return batch.bundle_of("transaction-response", [(entry, answers[entry.number]) for entry in entries], request)


def _run_entry(fhir: Fhir, tx: Tx, entry: Entry, made: Content | None) -> Response:
    asked = entry.request
    if made is None:
        if asked.method != "DELETE":
            return fhir.handle_in(tx, asked)
        conditional = len(asked.path) == 1
        write = (delete.prepare_conditional if conditional else delete.prepare)(fhir, asked)
        return write.run(tx)
    return create.run(fhir, tx, asked, made) if asked.method == "POST" else update.run(fhir, tx, asked, made)
