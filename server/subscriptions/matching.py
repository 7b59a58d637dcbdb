"""Whether one version of a resource is what a query searches for (https://hl7.org/fhir/R4/subscription.html).

The query is compiled and run as any search is, over a store that holds this version alone: a version that has been
replaced meanwhile is judged as it was. What reaches beyond the resource (a chain, `_has`, a list) or needs what only
the database has is asked of the database, about the resource as it stands now.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.access.caller import SYSTEM, Caller
from server.interactions import search
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.search.rows import index_rows
from server.store.alone import alone
from server.store.version import UPDATE, Rows, Version

Pairs = tuple[tuple[str, str], ...]
_BEYOND = frozenset({"_has", "_list", "_text", "_content", "_filter", "_query"})
_SHAPES = frozenset(
    {"_sort", "_count", "_include", "_revinclude", "_summary", "_elements", "_total", "_contained", "_containedType"}
)


class Candidate(msgspec.Struct, frozen=True):
    """A version with its index rows."""

    version: Version
    rows: Rows
    base_url: str

    @classmethod
    def of(cls, body: bytes, base_url: str = "") -> Candidate:
        """The candidate that stored bytes make."""
        resource = json.decode(body)
        rows, patient = index_rows(resource, base_url)
        meta = resource.get("meta") or {}
        number = int(meta.get("versionId", 1))
        version = Version(1, resource["resourceType"], resource["id"], number, 0, UPDATE, patient, body)
        return cls(version, rows, base_url)


class _Found(msgspec.Struct):
    entry: list[msgspec.Raw] = []


def matches(fhir: Fhir, candidate: Candidate, pairs: Pairs, caller: Caller = SYSTEM) -> bool:
    """Whether a search of the candidate's type with these parameters would find it; what lies beyond, for a caller."""
    if not pairs:
        return True
    if not reaches_beyond(pairs):
        try:
            view = alone(fhir.store.engine)
            view.hold(candidate.version, candidate.rows)
            return _finds(search.search(fhir.settings, _request(candidate, pairs), view).body)
        except sqlite3.Error:
            pass  # the query needs a table that only the database has
        except FhirError as error:
            if error.category is not Category.UNSUPPORTED:  # a parameter of one's own is known to the database only
                raise
    only = (*pairs, ("_id", candidate.version.id))
    return _finds(fhir.handle_sync(_request(candidate, only, caller)).body)


def _finds(body: bytes) -> bool:
    return bool(msgspec.json.decode(body, type=_Found).entry)


def _request(candidate: Candidate, pairs: Pairs, caller: Caller = SYSTEM) -> Request:
    return Request(
        method="GET",
        path=(candidate.version.type,),
        query=(*pairs, ("_count", "1")),
        base_url=candidate.base_url,
        prefer="handling=strict",
        caller=caller,
    )


def reaches_beyond(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a query asks about more than the resource itself."""
    names = [name for name, _ in pairs]
    return any("." in name or name.partition(":")[0] in _BEYOND for name in names)


def check_criteria(fhir: Fhir, resource_type: str, pairs: Pairs) -> None:
    """Refuse criteria that no search would understand; FhirError says why."""
    if any(name.partition(":")[0] in _SHAPES for name, _ in pairs):
        text = (
            "Criteria say which resources are wanted, not how a result looks: leave _sort, _include and the like out."
        )
        raise FhirError.of(Category.INCORRECT, "not-supported", text)
    request = Request(
        method="GET",
        path=(resource_type,),
        query=(*pairs, ("_summary", "count")),
        prefer="handling=strict",
        caller=SYSTEM,
    )
    search.read(fhir.settings, request, fhir.store)
