"""transaction: all entries of a Bundle or none (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from fhir_profiles.errors import FhirError
from server.access.gate import require
from server.audit import interaction
from server.audit.event import line_of
from server.store import Tx, Version
from server.store.keys import new_id

from . import content, create, delete, patch, update
from .action import Write
from .conditional import find_one, identity_of, locks_of
from .content import Content
from .entries import DELETE, POST, PUT, READ, Entry, copy_of, place, placed, read_entries, with_body
from .exchange import Request, Response
from .identities import check, overlap
from .links import Links, is_query, refuse_open, relink, resolve_references
from .replies import bundle_of

if TYPE_CHECKING:
    from .fhir import Fhir


class Plan(msgspec.Struct, frozen=True):
    """A transaction, checked: its entries, the ids of those that are new, and what is ready to be stored."""

    entries: list[Entry]
    ids: dict[int, str]
    links: Links
    open: dict[int, set[str]]
    """The links of each entry that only the database can tell, by way of a query."""
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
    plan = Plan(entries, {}, Links(), {}, {})
    late: set[str | None] = set()
    for entry in entries:
        if entry.rank == POST:
            plan.ids[entry.number] = new_id()
        if entry.is_conditional:
            late.add(entry.full_url)
        elif entry.rank in (POST, PUT):
            path = entry.request.path
            plan.links.add(entry.full_url, f"{path[0]}/{plan.ids.get(entry.number) or path[1]}")
    for entry in entries:
        if entry.resource is None or entry.rank not in (POST, PUT):
            continue
        if is_open := relink(entry.resource, plan.links.of(entry.full_url)):
            with place(entry.number):
                refuse_open(link for link in is_open if not is_query(link) and link not in late)
            plan.open[entry.number] = is_open
        elif entry.rank == POST or (entry.request.method == "PUT" and len(entry.request.path) == 2):
            plan.ready[entry.number] = _content_of(entry, entry.resource, plan.ids)
    return plan


def _content_of(entry: Entry, resource: dict[str, Any], ids: dict[int, str]) -> Content:
    target = ids.get(entry.number) or entry.request.path[1]
    return content.content_of(resource, target, entry.request.base_url)


def _run(fhir: Fhir, tx: Tx, request: Request, plan: Plan) -> Response:
    """Carry out the entries in the order of the specification; the first error ends them all."""
    answers = _Answers(fhir, tx, plan)
    answers.run(entry for entry in plan.entries if entry.rank == DELETE)
    answers.resolve(request)
    writes = [entry for rank in (POST, PUT) for entry in plan.entries if entry.rank == rank]
    waiting = answers.waiting()
    answers.run(entry for entry in writes if entry.number not in waiting)
    if waiting:
        answers.find_references(request)
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

    def resolve(self, request: Request) -> None:
        """Find what conditional entries and references are about, so that links to them can be written."""
        conditional = [entry for entry in self.plan.entries if entry.is_conditional]
        if not conditional and not self.plan.open:
            return
        self.ids, self.links = dict(self.ids), self.links.copy()
        self.tx.lock(*(name for entry in conditional for name in _locks_of(entry)))
        for entry in conditional:
            with place(entry.number):
                self._resolve(entry)
        self.find_references(request)

    def _resolve(self, entry: Entry) -> None:
        asked = entry.request
        name = asked.path[0]
        if asked.method == "POST":
            require(asked.caller, name, "c")
            there = find_one(self.tx, name, asked.if_none_exist or (), asked)
            target = there.id if there else self.ids[entry.number]
            if there:
                self.found[entry.number] = create.found(self.tx, asked, there)
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

    def find_references(self, request: Request) -> None:
        """Look for what conditional references are about among the entries and in the store."""
        for number, texts in self.plan.open.items():
            with place(number, ".resource"):
                resolve_references(self.tx, sorted(texts), self.links.full, self.identities, request)

    def waiting(self) -> set[int]:
        """The entries with a conditional reference that nothing stored answers yet: the others are written first."""
        known = self.links.full.keys()
        return {number for number, texts in self.plan.open.items() if not texts <= known}

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
            response = fhir.handle_in(tx, asked)
            tx.audit(line_of(interaction.read(asked, response.status, response.body)))
            return response
        if entry.rank == DELETE:
            if len(asked.path) == 1:
                return delete.run_each(fhir, tx, asked, self._ended(asked))
            return delete.run(fhir, tx, asked, tx.current(asked.path[0], asked.path[1]))
        if asked.method == "PATCH":
            return self._patch(entry)
        made = self.plan.ready.get(entry.number) or self._make(entry)
        return (create.store if entry.rank == POST else update.run)(fhir, tx, asked, made)

    def _make(self, entry: Entry) -> Content:
        return _content_of(entry, self._linked(entry), self.ids)

    def _linked(self, entry: Entry) -> dict[str, Any]:
        """The entry's resource with every link in place."""
        resource = entry.resource or {}
        if entry.number in self.plan.open:
            resource = copy_of(resource)
            refuse_open(relink(resource, self.links.of(entry.full_url)))
        return resource

    def _patch(self, entry: Entry) -> Response:
        asked = entry.request
        request = with_body(msgspec.structs.replace(entry, resource=self._linked(entry)))
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
