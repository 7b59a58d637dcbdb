"""What no database can make right in a transaction: its entries' forms, and two that are about one resource.

https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_profiles.errors import Category, FhirError, Problem

from . import content, update
from .conditional import identity_of
from .entries import DELETE, READ, Entry, place, placed

MAX_PROBLEMS = 100

Identity = tuple[str, ...]
Admit = Callable[[dict[str, Any]], None]


def check(entries: list[Entry], admit: Admit) -> None:
    """Refuse what is wrong with the entries themselves, with every problem's place; `admit` checks the resources."""
    problems: list[Problem] = []
    identities: set[Identity] = set()
    full_urls: set[str] = set()
    for entry in entries:
        try:
            _check_full_url(entry, full_urls)
            _check_entry(entry, identities, admit)
        except FhirError as error:
            problems.extend(placed(error, entry.number).problems)
            if len(problems) >= MAX_PROBLEMS:
                break
    if problems:
        raise FhirError(Category.INCORRECT, *problems[:MAX_PROBLEMS])


def overlap(changed: set[tuple[str, str]], resource_type: str, resource_id: str) -> None:
    """Refuse a second change of one resource, which a query may have found."""
    if (resource_type, resource_id) in changed:
        raise _twice()
    changed.add((resource_type, resource_id))


def _twice() -> FhirError:
    text = "Two entries change the same resource; a transaction may do that once."
    return FhirError.of(Category.INCORRECT, "invalid", text, "request.url")


def _check_entry(entry: Entry, identities: set[Identity], admit: Admit) -> None:
    asked = entry.request
    if entry.rank == READ:
        return
    _check_identity(entry, identities)
    if entry.rank == DELETE:
        return
    if entry.resource is None:
        raise FhirError.of(Category.INCORRECT, "required", "The entry needs a resource.", "resource")
    with place(None, "resource"):
        if asked.method == "PATCH":
            _check_patch(entry)
            return
        content.expect_type(entry.resource, asked.path[0])
        admit(entry.resource)
        if asked.method == "PUT" and len(asked.path) == 2:
            update.check_id(asked.path[1])
            if entry.resource.get("id") != asked.path[1]:
                text = "The resource must have an id that is the same as in the URL."
                raise FhirError.of(Category.INCORRECT, "value", text, "id")


def _check_full_url(entry: Entry, full_urls: set[str]) -> None:
    """A link to a fullUrl that two entries have would mean either (bdl-7)."""
    if entry.full_url is None or entry.rank in (DELETE, READ):
        return
    if entry.full_url in full_urls:
        text = "Another entry has this fullUrl: links to it could mean either. Give each entry its own."
        raise FhirError.of(Category.INCORRECT, "invalid", text, "fullUrl")
    full_urls.add(entry.full_url)


def _check_identity(entry: Entry, identities: set[Identity]) -> None:
    """The url fits the method, and no other entry says that it is about the same resource."""
    asked = entry.request
    if len(asked.path) not in ((1,) if asked.method == "POST" else (1, 2)) or (
        asked.method != "POST" and len(asked.path) == 1 and not asked.query
    ):
        raise FhirError.of(Category.INCORRECT, "value", "The url does not fit the method.", "request.url")
    if len(asked.path) == 2:
        identity: Identity = asked.path
    elif asked.method == "POST":
        if asked.if_none_exist is None:
            return
        identity = ("POST", identity_of(asked.path[0], asked.if_none_exist))
    else:
        identity = ("", identity_of(asked.path[0], asked.query))
    if identity in identities:
        if asked.method == "POST":
            text = "Two entries create a resource under the same ifNoneExist; a transaction may do that once."
            raise FhirError.of(Category.INCORRECT, "invalid", text, "request.ifNoneExist")
        raise _twice()
    identities.add(identity)


def _check_patch(entry: Entry) -> None:
    resource = entry.resource or {}
    if resource.get("resourceType") not in ("Binary", "Parameters"):
        text = "A patch is a Binary that holds a JSON Patch, or a Parameters resource with operations."
        raise FhirError.of(Category.INCORRECT, "structure", text, "resourceType")
    content.validate(resource)
