"""What a query finds, inside the transaction that acts on it (https://hl7.org/fhir/R4/http.html#ccreate)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from fhir_profiles.errors import Category, FhirError
from server.access.gate import require, require_query
from server.access.grants import Right
from server.access.reach import both, reach_of
from server.search.custom import params_of
from server.search.find import find_ids
from server.search.query import Limits
from server.search.reading import read_query
from server.search.sql import Sql
from server.store import Tx, Version

from .exchange import Request

Criteria = str | Sequence[tuple[str, str]]

_COMMA = re.compile(r"(?<!\\),")
_MANNER = frozenset({"_format", "_pretty"})
_RESULT = frozenset(
    {"_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_contained", "_containedType"}
    | {"_cursor"}
)
"""Parameters that say how a result is given and leave out nothing: whoever sends them expects something else."""


def pairs_of(criteria: Criteria) -> tuple[tuple[str, str], ...]:
    """The parameters of a query, which may come with its type before a `?`."""
    if isinstance(criteria, str):
        return tuple(parse_qsl(_split(criteria)[1], keep_blank_values=True))
    return tuple(criteria)


def _split(criteria: str) -> tuple[str, str]:
    """What stands before the query, if anything does, and the query; a value may hold a `?` too."""
    head, mark, query = criteria.partition("?")
    return (head, query) if mark and "=" not in head else ("", criteria)


def identity_of(resource_type: str, criteria: Criteria) -> str:
    """The criteria in one form, whatever the order of their parameters."""
    return f"{resource_type}?{sorted(pairs_of(criteria))}"


def locks_of(resource_type: str, criteria: Criteria) -> list[str]:
    """What conditional writes wait for before they search, so that two of them never both find nothing.

    Those that name identifiers wait for each of them, however their other parameters differ; the rest for all alike.
    """
    pairs = pairs_of(criteria)
    identifiers = {value for name, text in pairs if name == "identifier" for value in _COMMA.split(text)}
    if identifiers:
        return sorted(f"{resource_type}?identifier={value}" for value in identifiers)
    return [identity_of(resource_type, pairs)]


def find_one(tx: Tx, resource_type: str, criteria: Criteria, request: Request) -> Version | None:
    """The resource that the criteria find for who asks; None for none, FhirError for several.

    It is held until the transaction ends.
    """
    found = find_some(tx, resource_type, criteria, 2, request)
    if len(found) > 1:
        raise several()
    return found[0] if found else None


def find_some(
    tx: Tx, resource_type: str, criteria: Criteria, limit: int, request: Request, right: Right = "s"
) -> list[Version]:
    """The same for several, at most `limit`; on which the caller has the right too."""
    named = _split(criteria)[0].rpartition("/")[2] if isinstance(criteria, str) else ""
    if named not in ("", resource_type):
        text = f"The criteria are about another type than {resource_type}. Leave out what stands before its `?`."
        raise FhirError.of(Category.INCORRECT, "value", text)
    pairs = tuple(pair for pair in pairs_of(criteria) if pair[0] not in _MANNER)
    asked = {name.partition(":")[0] for name, value in pairs if value}
    if result := sorted(asked & _RESULT):
        text = (
            f"{result[0]} says how a search is answered, not which resources are meant. Leave it out of the criteria."
        )
        raise FhirError.of(Category.INCORRECT, "not-supported", text)
    if not asked:
        text = "A conditional interaction needs search parameters; without any it would mean every resource."
        raise FhirError.of(Category.INCORRECT, "required", text)
    tx.lock(*locks_of(resource_type, pairs))
    keys = [(resource_type, found) for found in _found(tx, resource_type, pairs, limit, request, right)]
    tx.prefetch(keys)
    versions = [tx.current(*key) for key in keys]
    return [version for version in versions if version is not None]


def _found(
    tx: Tx, resource_type: str, pairs: Sequence[tuple[str, str]], limit: int, request: Request, right: Right
) -> list[str]:
    """The ids; a condition is a search, and needs the right to one."""
    caller, base_url = request.caller, request.base_url
    query = read_query(resource_type, pairs, strict=True, limits=Limits(), base_url=base_url, params=params_of(tx))
    if caller.whole:
        return find_ids(tx, query, limit=limit)
    require_query(caller, query)
    require(caller, resource_type, right)
    searched = reach_of(tx, caller, "s", base_url)
    changed = both(searched, reach_of(tx, caller, right, base_url))

    def reach(name: str) -> Sql | None:
        return (changed if name == resource_type else searched)(name)

    return find_ids(tx, query, limit=limit, reach=reach)


def several() -> FhirError:
    """The error for criteria that must find one resource and find more."""
    text = "More than one resource matches the criteria; make them narrower."
    return FhirError.of(Category.CONFLICT, "multiple-matches", text)
