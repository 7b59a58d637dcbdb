"""transaction: all entries of a Bundle or none (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from fhir_profiles.errors import FhirError
from server.store import Tx, Version
from server.store.keys import new_id

from . import content, create, delete, patch, update
from .action import Write
from .conditional import find_one, identity_of, locks_of
from .content import Content
from .entries import DELETE, POST, PUT, READ, Entry, place, placed, read_entries, with_body
from .exchange import Request, Response
from .identities import check, overlap
from .links import Links, conditional_references, copy_of, refuse_missing, resolve_references
from .replies import bundle_of

if TYPE_CHECKING:
    from .fhir import Fhir


class Plan(msgspec.Struct, frozen=True):
    """A transaction, checked: its entries, the ids of those that are new, and what is ready to be stored."""

    entries: list[Entry]
    ids: dict[int, str]
    links: Links
    searched: dict[int, set[str]]
    """The conditional references of each entry that has some."""
    ready: dict[int, Content]


def prepare(fhir: Fhir, request: Request, bundle: dict[str, Any]) -> Write:
    """Check every entry; what needs no database (nearly always all of it) is made ready before the transaction."""
    entries = read_entries(request, bundle)
    check(entries, fhir.conformance.admit)
    plan = _plan(entries)
    reads = tuple(
        (entry.request.path[0], entry.request.path[1])
        for entry in entries
        if entry.request.method in ("PUT", "PATCH", "DELETE") and len(entry.request.path) == 2
    )
    return Write(lambda tx: _run(fhir, tx, request, plan), reads)


def _plan(entries: list[Entry]) -> Plan:
    ids, links = {}, Links()
    for entry in entries:
        asked = entry.request
        if entry.rank == POST:
            ids[entry.number] = new_id()
        if entry.rank in (POST, PUT) and not entry.is_conditional:
            links.add(entry.full_url, f"{asked.path[0]}/{ids.get(entry.number) or asked.path[1]}")
    searched = conditional_references(entries)
    ready = {}
    if not searched and not any(entry.is_conditional for entry in entries):
        for entry in entries:
            if entry.resource is not None:
                links.rewrite(entry, entry.resource)
                if entry.request.method in ("POST", "PUT"):
                    ready[entry.number] = _content_of(entry, entry.resource, ids)
    return Plan(entries, ids, links, searched, ready)


def _content_of(entry: Entry, resource: dict[str, Any], ids: dict[int, str]) -> Content:
    target = ids.get(entry.number) or entry.request.path[1]
    return content.content_of(resource, target, entry.request.base_url)


def _run(fhir: Fhir, tx: Tx, request: Request, plan: Plan) -> Response:
    """Carry out the entries in the order of the specification; the first error ends them all."""
    answers = _Answers(fhir, tx, plan)
    answers.run(entry for entry in plan.entries if entry.rank == DELETE)
    answers.resolve(request.base_url)
    writes = [entry for rank in (POST, PUT) for entry in plan.entries if entry.rank == rank]
    waiting = answers.waiting()
    answers.run(entry for entry in writes if entry.number not in waiting)
    if waiting:
        answers.find_references(request.base_url)
        refuse_missing(plan.searched, answers.links.full)
        answers.run(entry for entry in writes if entry.number in waiting)
    answers.run(entry for entry in plan.entries if entry.rank == READ)
    in_order: list[tuple[Entry | None, Response | FhirError]] = [
        (entry, answers.found[entry.number]) for entry in plan.entries
    ]
    return bundle_of("transaction-response", in_order, request)


class _Answers:
    """One run of a plan: what was found and answered so far. A transaction may be run more than once."""

    def __init__(self, fhir: Fhir, tx: Tx, plan: Plan) -> None:
        self.fhir = fhir
        self.tx = tx
        self.plan = plan
        self.found: dict[int, Response] = {}
        self.ids = plan.ids
        self.links = plan.links
        self.identities: dict[str, str] = {}
        self.changed: set[tuple[str, str]] = {
            (path[0], path[1]) for entry in plan.entries if entry.rank != READ and len(path := entry.request.path) == 2
        }

    def resolve(self, base_url: str) -> None:
        """Find what conditional entries and references are about, so that links to them can be written."""
        conditional = [entry for entry in self.plan.entries if entry.is_conditional]
        if not conditional and not self.plan.searched:
            return
        self.ids, self.links = dict(self.ids), self.links.copy()
        self.tx.lock(*(name for entry in conditional for name in _locks_of(entry)))
        for entry in conditional:
            with place(entry.number):
                self._resolve(entry)
        self.find_references(base_url)

    def _resolve(self, entry: Entry) -> None:
        asked = entry.request
        name = asked.path[0]
        if asked.method == "POST":
            there = find_one(self.tx, name, asked.if_none_exist or (), asked.base_url)
            target = there.id if there else self.ids[entry.number]
            if there:
                self.found[entry.number] = create.found(asked, there)
            self.identities[identity_of(name, asked.if_none_exist or ())] = f"{name}/{target}"
        else:
            if asked.method == "PATCH":
                target = patch.find_target(self.tx, asked).id
            else:
                with place(None, "resource"):
                    target = update.find_target(self.tx, asked, entry.resource or {})
            overlap(self.changed, name, target)
            self.identities[identity_of(name, asked.query)] = f"{name}/{target}"
        self.ids[entry.number] = target
        self.links.add(entry.full_url, f"{name}/{target}")

    def find_references(self, base_url: str) -> None:
        """Look for what conditional references are about among the entries and in the store."""
        for number, texts in self.plan.searched.items():
            with place(number, ".resource"):
                resolve_references(self.tx, sorted(texts), self.links.full, self.identities, base_url)

    def waiting(self) -> set[int]:
        """The entries with a conditional reference that nothing stored answers yet: the others are written first."""
        known = self.links.full.keys()
        return {number for number, texts in self.plan.searched.items() if not texts <= known}

    def run(self, entries: Iterable[Entry]) -> None:
        """Carry out some entries, in this order."""
        for entry in entries:
            if entry.number in self.found:
                continue
            try:
                self.found[entry.number] = self._run(entry)
            except FhirError as error:
                raise placed(error, entry.number) from None

    def _run(self, entry: Entry) -> Response:
        asked, fhir, tx = entry.request, self.fhir, self.tx
        if entry.rank == READ:
            return fhir.handle_in(tx, asked)
        if entry.rank == DELETE:
            if len(asked.path) == 1:
                return delete.run_each(fhir, tx, asked, self._ended(asked))
            return delete.run(fhir, tx, asked, tx.current(asked.path[0], asked.path[1]))
        if asked.method == "PATCH":
            return self._patch(entry)
        made = self.plan.ready.get(entry.number) or self._make(entry)
        return (create.store if entry.rank == POST else update.run)(fhir, tx, asked, made)

    def _make(self, entry: Entry) -> Content:
        resource = copy_of(entry.resource or {})
        self.links.rewrite(entry, resource)
        return _content_of(entry, resource, self.ids)

    def _patch(self, entry: Entry) -> Response:
        asked = entry.request
        resource = copy_of(entry.resource or {})
        self.links.rewrite(entry, resource)
        request = with_body(msgspec.structs.replace(entry, resource=resource))
        change = patch.read_change(request, self.links.full)
        key = (asked.path[0], self.ids.get(entry.number) or asked.path[1])
        return patch.run(self.fhir, self.tx, asked, change, self.tx.current(*key))

    def _ended(self, asked: Request) -> list[Version]:
        found = delete.find_targets(self.fhir, self.tx, asked)
        for version in found:
            overlap(self.changed, version.type, version.id)
        return found


def _locks_of(entry: Entry) -> list[str]:
    asked = entry.request
    return locks_of(asked.path[0], (asked.if_none_exist or ()) if asked.method == "POST" else asked.query)
