"""What a write adds to the index beside the rows of R4: its words, and the values of parameters of one's own.

https://hl7.org/fhir/R4/search.html#searchparameter
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fhir_profiles import json
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.extract.own import Own, read_parameter
from fhir_profiles.extract.words import words
from server.settings import Settings
from server.store import Store, Tx, Written
from server.store.version import Rows

from .custom import STANDARD, Params
from .rows import own_rows
from .view import View

KEEP_SECONDS = 2.0
"""How long the stored parameters are taken as read: what another process stores is seen then."""

MOST_STORED = 5_000
OWN_ROWS = 1 << 20
"""Where the numbers of these rows begin within their tables."""

_STAMP = "SELECT count(*), max(updated) FROM resource WHERE type = 'SearchParameter'"
_STORED = (
    "SELECT type, id, version, body FROM resource WHERE type = 'SearchParameter' AND change <> 'D' ORDER BY id LIMIT ?"
)
Json = dict[str, Any]


class Indexing:
    """The parameters beyond R4 of one store, of packages and stored ones, and what they and full text index."""

    def __init__(self, store: Store, settings: Settings, packaged: Callable[[], Iterable[Json]]) -> None:
        self._store = store
        self._packaged = packaged
        self._words = settings.search_text
        self._base_url = settings.base_url or ""
        self._params = STANDARD
        self._stamp: tuple[Any, ...] = ()
        self._until = 0.0
        self._unsettled = 0.0

    def params(self, _view: View | None = None) -> Params:
        """The parameters that can be searched for; the same object until they change."""
        now = time.monotonic()
        if now < self._until:
            return self._params
        packaged = list(self._packaged())
        stamp = (*self._store.query(_STAMP)[0], tuple((one.get("url"), one.get("version")) for one in packaged))
        if stamp != self._stamp:
            self._params = self._read(packaged)
            self._stamp = stamp
        if now >= self._unsettled:  # a write that is not committed yet must not leave its past behind
            self._until = now + KEEP_SECONDS
        return self._params

    def rows(self, resource: Json) -> Rows:
        """The rows of a resource beside those of R4."""
        found: Rows = {}
        if own := self.params().readers.get(resource["resourceType"]):
            found = own_rows(resource, own, self._base_url)
        if self._words:
            narrative, content = words(resource)
            if narrative or content:
                found["idx_text"] = [(narrative, content)]
        return found

    def on_write(self, tx: Tx, written: Written) -> None:
        """Add the rows of a new version; refuse a search parameter that could not be searched for."""
        if written.version.type == "SearchParameter":
            if written.resource is not None:
                self._admit(written.resource)
            self._unsettled = time.monotonic() + KEEP_SECONDS
            self._until = 0.0
        if written.resource is not None:
            tx.index(written.version.rid, self.rows(written.resource), OWN_ROWS, kind=written.version.type)

    def _admit(self, resource: Json) -> None:
        """Refuse an active parameter that cannot be read, or whose name another one has."""
        if not _is_usable(resource):
            return
        own = read_parameter(resource)
        for name, known in self.params().extra.items():
            found = known.get(own.param.code)
            if name in own.read and found is not None and found.url != own.param.url:
                text = (
                    "Another active search parameter of the type has this code. Give yours another, or retire that one."
                )
                raise FhirError.of(Category.CONFLICT, "duplicate", text, "SearchParameter.code")

    def _read(self, packaged: list[Json]) -> Params:
        stored = [json.decode(self._store.body(*row)) for row in self._store.query(_STORED, (MOST_STORED,))]
        own = list(_usable([*stored, *packaged]))
        return Params(own) if own else STANDARD


def _usable(resources: Iterable[Json]) -> Iterator[Own]:
    """The parameters that can be searched for; of packages those that cannot are passed over."""
    for resource in resources:
        if _is_usable(resource):
            try:
                yield read_parameter(resource)
            except FhirError:
                continue


def _is_usable(resource: Json) -> bool:
    """Whether a parameter is to be searched for: active, and not one that R4 defines for all its types."""
    if resource.get("status") != "active" or "code" not in resource:
        return False
    types = load().types
    bases = [base for base in resource.get("base", ()) if base in types]
    return not bases or any(not _has(base, resource["code"]) for base in bases)


def _has(base: str, code: str) -> bool:
    """Whether R4 has the parameter for the type."""
    return base in load().resource_types and code in load().search_params(base)
