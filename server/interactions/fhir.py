"""Every FHIR interaction behind one call, with or without HTTP (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from fhir_profiles.capability import Declared
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.subset import WHOLE
from server.access.gate import require_write
from server.access.honouring import honour
from server.audit import search as audit
from server.audit.interaction import handed_in, unchangeable, wrote
from server.search.custom import Known, remember
from server.search.indexing import Indexing
from server.settings import Settings
from server.store import QueryTimeout, Store, Tx, Version, Written

from . import batch, capabilities, create, delete, history, patch, read, search, transaction, update
from .action import Write
from .conformance import Conformance
from .content import Content
from .exchange import Request, Response, is_reading
from .narrow import narrow, wish_of
from .published import keep
from .seen import seen, seen_version
from .view import View

Hook = Callable[[Tx, Written], None]
Handler = Callable[[View], Response]

LARGE = 64 * 1024
"""Bodies above this many bytes are prepared in a thread, so that the event loop stays free."""


class Fhir:
    """The interactions over one store. `on_write` hooks run inside the transaction of each new version.

    `operations` are those that the server answers beside, for the CapabilityStatement.
    """

    def __init__(self, store: Store, settings: Settings, on_write: Sequence[Hook] = ()) -> None:
        self.store = store
        self.settings = settings
        self.on_write = list(on_write)
        self.operations: tuple[Declared, ...] = ()
        self.conformance = Conformance(settings, self.handle_sync)
        self.indexing = Indexing(store, settings, self.conformance.library.search_parameters)
        remember(store.engine, Known(self.indexing.params, lambda: self.conformance.value_sets))
        self.on_write += [keep, self.conformance.stored.on_write, self.indexing.on_write]
        if settings.consent == "honour":
            self.on_write.append(honour(store).on_write)
        self._types = frozenset(load().resource_types)

    async def handle(self, request: Request) -> Response:
        """Answer a request; raises FhirError, and nothing else that a client could cause."""
        if is_reading(request):
            handler, brief = self._reading(request)
            if brief and self.store.reader.inline:
                return handler(self.store)
            if brief and len(request.path) == 2 and _is_plain(request):
                version = await self.store.lookup(*request.path)
                return read.read(lambda *_: version, request)
            return await self.store.run(self._read, handler)
        request = self._versioned(request)
        if not request.path:
            return await batch.handle(self, request)
        if len(request.body) > LARGE:
            write = await self.store.work(self.prepare, request)
        else:
            write = self.prepare(request)
        return await self.store.write(write.run, write.reads)

    def handle_sync(self, request: Request) -> Response:
        """The same, for threads."""
        if is_reading(request):
            return self._read(self._reading(request)[0])
        request = self._versioned(request)
        if not request.path:
            return batch.handle_sync(self, request)
        write = self.prepare(request)
        return self.store.write_sync(write.run, write.reads)

    def handle_in(self, tx: Tx, request: Request) -> Response:
        """Answer a request inside a transaction that is open: what it writes commits with the rest of that one.

        Everything but a batch Bundle can be asked for, a transaction Bundle too.
        """
        if is_reading(request):
            return self._reading(request)[0](tx)
        write = (
            self.prepare(request) if request.path else transaction.prepare(self, request, batch.parse(self, request))
        )
        tx.prefetch(write.reads)
        return write.run(tx)

    def _versioned(self, request: Request) -> Request:
        """The request of a client, who must name the version that it changes when the settings ask for that."""
        return msgspec.structs.replace(request, versioned=True) if self.settings.require_if_match else request

    def _read(self, handler: Handler) -> Response:
        try:
            return handler(self.store)
        except QueryTimeout:
            text = "The search took longer than the server allows. Make it narrower."
            raise FhirError.of(Category.INCORRECT, "too-costly", text) from None

    def _reading(self, request: Request) -> tuple[Handler, bool]:
        """The handler of a request that reads, and whether it is brief enough for the event loop."""
        handler, brief = self._route_reading(request)
        if not request.query or (wish := wish_of(request)) is WHOLE:
            return handler, brief
        return lambda view: narrow(handler(view), wish), False

    def _route_reading(self, request: Request) -> tuple[Handler, bool]:
        """The handler of a request that reads, for whole resources."""
        path = request.path
        match path:
            case ("metadata",):
                return partial(capabilities.capabilities, self, request), True
            case () | ("_search",):
                return partial(search.search, self.settings, request), False
            case ("_history",):
                return partial(history.history, self.settings, request), False
        self._check_type(path)
        if path[0] == audit.KIND or (path[0] == "Patient" and path[2:3] == (audit.KIND,)):
            return partial(audit.answer, self.settings, request), False
        match path[1:]:
            case () | ("_search",):
                return partial(search.search, self.settings, request), False
            case ("_history",) | (_, "_history"):
                return partial(history.history, self.settings, request), False
            case (_,) if path[0] in capabilities.DEFINED:
                return partial(capabilities.read_definition, self, request), True
            case (_,):
                return lambda view: read.read(seen(view, request), request), True
            case (_, "_history", _):
                return lambda view: read.vread(seen(view, request), seen_version(view, request), request), True
            case (_, other) | (_, other, "_search") if other == "*" or other in self._types:
                return partial(search.search, self.settings, request), False
        raise unknown_route()

    def prepare(self, request: Request) -> Write:
        """The write that a request asks for, checked as far as it can be without the database."""
        self._check_type(request.path)
        if request.path[0] == "AuditEvent" and request.method != "POST":
            raise unchangeable()
        if not request.caller.whole:
            require_write(request.caller, request.path[0], request.method)
        match (request.method, len(request.path)):
            case ("POST", 1):
                return create.prepare(self, request)
            case ("PUT", 2):
                return update.prepare(self, request)
            case ("PUT", 1):
                return update.prepare_conditional(self, request)
            case ("PATCH", 1 | 2):
                return patch.prepare(self, request)
            case ("DELETE", 2):
                return delete.prepare(self, request)
            case ("DELETE", 1):
                return delete.prepare_conditional(self, request)
        raise unknown_route()

    def _check_type(self, path: tuple[str, ...]) -> None:
        if not path:
            raise unknown_route()
        if path[0] not in self._types:
            raise FhirError.of(Category.NOT_FOUND, "not-supported", "R4 has no resource type of this name.")
        if len(path) > 1 and "\0" in path[1]:  # which PostgreSQL cannot even be asked for
            raise read.absent()

    def store_version(
        self,
        tx: Tx,
        request: Request,
        version: Version,
        current: Version | None,
        made: Content | None,
        action: str,
        status: int,
    ) -> None:
        """Put a new version into the transaction, with its audit row, and tell the hooks."""
        if version.type == "AuditEvent":
            tx.audit(handed_in(request, version))
            return
        tx.put(version, current, made.rows if made else {})
        tx.audit(wrote(request, action, version, status))
        if self.on_write:
            written = Written(version, made.resource if made else None, request.who, request.caller)
            for hook in self.on_write:
                hook(tx, written)


def _is_plain(request: Request) -> bool:
    """Whether a read gives what is stored, to whoever asks."""
    return request.caller.whole and request.path[0] not in capabilities.DEFINED


def unknown_route() -> FhirError:
    """The error for a path and method that name no interaction."""
    return FhirError.of(Category.NOT_FOUND, "not-supported", "There is no such interaction on this server.")
