"""Faults in the enforcement beyond the interactions: of jobs, files, subscriptions, operations, and between tenants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from campaigns.reaching.houses import Houses
from fhir_profiles.errors import Category, FhirError
from server.access import owning, reach
from server.access.caller import ANYBODY, SYSTEM, Caller
from server.audit import search as trail
from server.auth import endpoints, keep
from server.auth.memo import Memo, memo_of
from server.http.files import Files
from server.http.websocket import SubscriptionSocket
from server.interactions.exchange import Request
from server.interactions.stored import Stored
from server.jobs import chunks, later
from server.jobs.binary import binary_data
from server.jobs.claiming import follow
from server.jobs.exporting.pages import Pages
from server.jobs.importing import inputs
from server.jobs.importing import run as importing
from server.operations import answers, code, correct, preauth
from server.operations import later as statuses
from server.operations.near import Near
from server.operations.registry import Operation
from server.operations.subscriptions import Subscriptions
from server.store import Store
from server.subscriptions.owners import Owners

Change = tuple[Any, str, Any]
Make = Callable[[Houses], list[Change]]

_find, _live_token, _binary_data, _asking, _take = (
    later.find,
    keep.live_token,
    binary_data,
    answers.asking,
    later.take,
)
_chunks_of, _read_chunk, _memo_find = chunks.chunks_of, chunks.read_chunk, Memo.find


def _yes(*_args: Any, **_more: Any) -> bool:
    return True


def _none(*_args: Any, **_more: Any) -> None:
    return None


def _stores(several: Houses) -> list[Any]:
    return [one.store for one in several.tenants]


def _anywhere(several: Houses, look: Callable[..., Any]) -> Callable[..., Any]:
    """A look into one database as one into those of all tenants."""

    def found(view: Any, *rest: Any) -> Any:
        here = look(view, *rest)
        if here or not isinstance(view, Store):
            return here
        return next((there for one in _stores(several) if (there := look(one, *rest))), here)

    return found


def _shared_memo(_several: Houses) -> list[Change]:
    known: list[Memo] = []

    def find(self: Memo, header: bytes) -> Caller | None:
        if self not in known:
            known.append(self)
        return next((found for one in known if (found := _memo_find(one, header)) is not None), None)

    return [(Memo, "find", find)]


def _shared_jobs(several: Houses) -> list[Change]:
    def unnamed(self: later.Later, caller: Caller) -> bool:
        return self.who.partition("-")[2] == caller.key.partition("-")[2]

    return [(later, "find", _anywhere(several, _find)), (later.Later, "belongs_to", unnamed)]


def _shared_files(several: Houses) -> list[Change]:
    def read(view: Any, job: str, n: int) -> bytes:
        try:
            return _read_chunk(view, job, n)
        except LookupError:
            return next(_read_chunk(one, job, n) for one in _stores(several) if _find(one, job) is not None)

    more: list[Change] = [(chunks, "chunks_of", _anywhere(several, _chunks_of)), (chunks, "read_chunk", read)]
    return [*_shared_jobs(several), *more]


def _shared_definitions(several: Houses) -> list[Change]:
    stored = several.tenants[0].fhir.conformance.stored

    def resources(_self: Any, kind: str, url: str) -> Any:
        return _search(stored, kind, ("url", url))

    def generation(_self: Any) -> Any:  # nothing that was read before counts
        return next(_TIMES)

    return [(Stored, "resources", resources), (Stored, "generation", generation)]


_search, _TIMES = Stored._search, itertools.count()


def _caller_of_system(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **more: Any) -> Any:
        made = function(*args, **more)
        return msgspec.structs.replace(made, caller=SYSTEM)

    return run


def _taken_as_system(*args: Any) -> Any:
    found = _take(*args)
    asked = msgspec.structs.replace(found.asked, caller=SYSTEM)
    return msgspec.structs.replace(found, request=msgspec.json.encode(asked).decode())


def _import_as_system(self: Any, work: Any, found: Any) -> None:
    _import_init(self, work, found)
    self.base = msgspec.structs.replace(self.base, caller=SYSTEM)


_import_init = importing.Import.__init__


def _near_as_system(self: Any, fhir: Any, request: Request, *rest: Any) -> None:
    _near_init(self, fhir, msgspec.structs.replace(request, caller=SYSTEM), *rest)


_near_init = Near.__init__
_pages_request = Pages._request


def _any_file(self: Any, path: str, _caller: Caller) -> Any:
    try:
        return _files_find(self, path, _caller)
    except FhirError:
        with patch.object(later.Later, "belongs_to", _yes):
            return _files_find(self, path, _caller)


_files_find = Files._find


def _same_key(self: later.Later, caller: Caller) -> bool:
    return self.who == caller.key


def _same_person(self: later.Later, caller: Caller) -> bool:
    return self.who.split(" ")[0] == caller.key.split(" ")[0]


def _given(found: Any, _request: Any) -> Any:
    if found is None:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is none.")
    return found


def _as_system_everywhere() -> list[Change]:
    wide = _caller_of_system(_asking)
    return [(place, "asking", wide) for place in (answers, correct, preauth)]


def _any_export(work: Any, _request: Any, job: str, name: str) -> Iterator[bytes]:
    asked = msgspec.structs.replace(_request, caller=ANYBODY)
    with patch.object(later.Later, "belongs_to", _yes):
        yield from _exported(work, asked, job, name)


_exported = inputs._exported


def _any_binary(fhir: Any, binary: str, **_more: Any) -> bytes | None:
    return _binary_data(fhir, binary, caller=SYSTEM)


def _any_reader(view: Any, token: str, issuer: str, reader: str | None = None) -> Any:
    del reader
    return _introspected(view, token, issuer, None)


_introspected = endpoints.introspected


WALLS: dict[str, Make] = {
    "a token counts at every tenant": lambda several: [(keep, "live_token", _anywhere(several, _live_token))],
    "callers are remembered for all tenants": _shared_memo,
    "jobs have no column of the tenant": _shared_jobs,
    "files have no column of the tenant": _shared_files,
    "definitions are those of another tenant": _shared_definitions,
    "the status of a job is anybody's": lambda _: [(statuses, "_own", _given)],
    "a file is anybody's": lambda _: [(Files, "_find", _any_file)],
    "a narrower token gets what a wider one asked for": lambda _: [(later.Later, "belongs_to", _same_key)],
    "a job is its person's with every client and patient": lambda _: [(later.Later, "belongs_to", _same_person)],
    "what is answered later is answered by the server": lambda _: [(later, "take", _taken_as_system)],
    "an export runs as the server": lambda _: [(Pages, "_request", _caller_of_system(_pages_request))],
    "bulk operations are for all": lambda _: [(Operation, "admit", _none)],
    "an import writes as the server": lambda _: [(importing.Import, "__init__", _import_as_system)],
    "an import takes the file of another": lambda _: [(inputs, "_exported", _any_export)],
    "a subscriber is told everything": lambda _: [(Owners, "seen", lambda _self, _owner, several: list(several))],
    "a subscription is anybody's": lambda _: [(owning, "owned", _none), (reach, "owned", _none)],
    "what stands beside a subscription is anybody's": lambda _: [(Subscriptions, "_read", _none)],
    "a websocket is bound by anybody": lambda _: [(SubscriptionSocket, "_is_of", _yes)],
    "$code reads every file": lambda _: [(code, "binary_data", _any_binary)],
    "claims are read as by the server": lambda _: [*_as_system_everywhere(), (Near, "__init__", _near_as_system)],
    "an answer to any claim moves its Task": lambda _: [(follow, "_seen", _yes)],
    "the audit trail tells what others asked": lambda _: [(trail, "_as_seen", lambda _caller, _right, event: event)],
    "the audit trail is everybody's": lambda _: [(trail, "allowed", _none)],
    "a token is told to every client": lambda _: [(endpoints, "introspected", _any_reader)],
}
"""What is wrong, and how the names are replaced that make it so."""


@contextmanager
def breached(several: Houses, name: str) -> Iterator[None]:
    """The server with this fault, for the time of the block."""
    with ExitStack() as stack:
        for place, attribute, value in WALLS[name](several):
            stack.enter_context(patch.object(place, attribute, value))
        _forget(several)
        try:
            yield
        finally:
            _forget(several)


def _forget(several: Houses) -> None:
    """Nobody is known from the time before."""
    reach._rules.cache_clear()
    for app in several.apps:
        memo_of(app.state.fhir.store.engine).forget()
