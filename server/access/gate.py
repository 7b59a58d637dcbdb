"""What interactions ask before they answer: may this caller do that, and see this version.

What a caller may not see is as if it were not there: 404, never 403, so that nothing tells which ids exist. A right
that the caller has on no resource of the type is refused by its name: 403, which tells nothing of the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.search.query import Branch, Chain, Every, Has, Node, Not, Query, Some
from server.search.rows import index_rows
from server.search.sql import Sql
from server.search.tree import about
from server.search.view import View
from server.store import Version
from server.store.alone import alone
from server.store.version import COLUMNS, Rows

from .caller import Caller
from .files import BINARY, TELLING
from .grants import Right
from .owning import owns
from .reach import condition, consented, permits

MOST_TOLD = 100
"""References of a replaced Provenance that are followed; one with more is kept back from whom a Consent limits."""

_WRITES: dict[str, tuple[Right, ...]] = {"POST": ("c",), "PUT": ("u", "c"), "PATCH": ("u",), "DELETE": ("d",)}

_WORDS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}


def require(caller: Caller, resource_type: str, *rights: Right) -> None:
    """403 when the caller has one of the rights on no resource of the type."""
    for right in rights:
        if not permits(caller, resource_type, right):
            text = f"What you were given does not let you {_WORDS[right]} resources of type {resource_type}."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text)


def require_write(caller: Caller, resource_type: str, method: str) -> None:
    """403, before the body is read, for a method that the caller may use on no resource of the type."""
    rights = _WRITES.get(method, ())
    if rights and not any(permits(caller, resource_type, right) for right in rights):
        require(caller, resource_type, rights[0])


def require_any(caller: Caller, right: Right) -> None:
    """403 when the caller has the right on no type at all."""
    if caller.grants is not None and not any(right in grant.rights for grant in caller.grants):
        text = f"What you were given does not let you {_WORDS[right]} resources of any type."
        raise FhirError.of(Category.FORBIDDEN, "forbidden", text)


def require_query(caller: Caller, query: Query) -> None:
    """403 for a search that passes through a type which the caller may not search: its answer would tell of it."""
    if caller.whole:
        return
    require_any(caller, "s")
    if len(query.branches) == 1:
        require(caller, query.branches[0].type, "s")
    for branch in query.branches:
        if len(query.branches) == 1 or permits(caller, branch.type, "s"):
            for kind in _passed(branch):
                require(caller, kind, "s")


def _passed(branch: Branch) -> Iterable[str]:
    """The types that the conditions and sort keys of a branch go through."""
    for sort in branch.sorts:
        if sort.target is not None:
            yield sort.target
    for node in branch.conditions:
        yield from _types(node)


def _types(node: Node) -> Iterable[str]:
    match node:
        case Chain():
            yield node.target
            yield from _types(node.node)
        case Has():
            yield node.source
            yield from _types(node.node)
        case Every() | Some():
            for part in node.parts:
                yield from _types(part)
        case Not():
            yield from _types(node.part)


def sees(view: View, caller: Caller, version: Version, right: Right = "r", base_url: str = "") -> bool:
    """Whether the caller has the right on the current version of a resource, as the view has it."""
    if caller.whole:
        return True
    asked = condition(view, caller, version.type, right, base_url)
    return asked is None or (not version.deleted and _holds(view, asked, version.rid))


def within(view: View, caller: Caller, resource_type: str, right: Right, base_url: str = "") -> Sql | None:
    """What holds of `v.rid` where the caller has the right on the current version, so that one query asks both."""
    asked = None if caller.whole else condition(view, caller, resource_type, right, base_url)
    return None if asked is None else Sql(_about_v(asked.text), asked.params)


@lru_cache(maxsize=1024)
def _about_v(text: str) -> str:
    return text.replace("{rid}", "v.rid")


def judges(
    view: View, caller: Caller, version: Version, right: Right, base_url: str = "", rows: Rows | None = None
) -> bool:
    """The same for any version, by what it says itself: one that has been replaced, or is about to be written.

    `rows` are its index rows where it is about to be written: Consents are about what is there, and keep nobody from
    telling more.
    """
    if caller.whole:
        return True
    if not owns(view, caller, version, right):
        return False
    if rows is None and _taken(view, caller, version, right, base_url):
        return False
    asked = condition(view, caller, version.type, right, base_url, beside=False)
    if asked is None:
        return True
    if version.deleted:
        return False
    if version.type == BINARY and right in "rs" and rows is None:
        newest = view.query("SELECT version FROM resource WHERE rid = ?", (version.rid,))
        if newest and newest[0][0] == version.version:  # what points to it is not in the version
            return sees(view, caller, version, right, base_url)
    if rows is None:
        rows, _ = index_rows(json.decode(version.body), base_url)
    single = alone(view.engine)
    single.hold(version, rows)
    local = condition(single, caller, version.type, right, base_url, beside=False)
    return local is None or _holds(single, local, version.rid)


def withheld(view: View, caller: Caller, version: Version, right: Right, base_url: str = "") -> bool:
    """Whether nothing but a Consent keeps a current version from the caller."""
    if version.deleted or not _taken(view, caller, version, right, base_url):
        return False
    granted = condition(view, caller, version.type, right, base_url, beside=False)
    return granted is None or _holds(view, granted, version.rid)


def _taken(view: View, caller: Caller, version: Version, right: Right, base_url: str) -> bool:
    """Whether a Consent keeps a version from the caller, by what the version says itself.

    Where a replaced Binary belonged cannot be told but by a Patient that it names: any other is kept back. A replaced
    Provenance or document is whose that is which it referred to, as that is now.
    """
    taken = consented(view, caller, version.type, right, base_url)
    if taken is None:
        return False
    if version.deleted:
        return True
    newest = view.query("SELECT version FROM resource WHERE rid = ?", (version.rid,))
    if newest and newest[0][0] == version.version:
        return _holds(view, taken, version.rid)
    rows, _ = index_rows(json.decode(version.body), base_url)
    named = [str(row[1]) for row in rows.get("idx_reference", ())]
    if version.type == BINARY and not any(one.startswith("Patient/") for one in named):
        return True
    beside = _told_of(view, version, named, base_url) if version.type in TELLING else []
    if beside is None:
        return True
    single = alone(view.engine)
    single.hold(version, rows, beside)
    local = consented(single, caller, version.type, right, base_url)
    return local is not None and _holds(single, local, version.rid)


def _told_of(view: View, version: Version, named: Iterable[str], base_url: str) -> list[tuple[Version, Rows]] | None:
    """What stands now of what a version refers to; None where that is too much, or a file, which others tell of."""
    keys = {(kind, name) for kind, _, name in (one.partition("/") for one in named)}
    keys.discard((version.type, version.id))
    if len(keys) > MOST_TOLD or any(kind == BINARY for kind, _ in keys):
        return None
    found = []
    for key in sorted(keys):
        for row in view.query(f"SELECT {COLUMNS} FROM resource WHERE type = ? AND id = ?", key):
            rid, kind, name, number, updated, change, patient, sealed = row
            body = view.body(kind, name, number, sealed)
            one = Version(rid, kind, name, number, updated, change, patient, body)
            found.append((one, {} if one.deleted else index_rows(json.decode(one.body), base_url)[0]))
    return found


def _holds(view: View, asked: Sql, rid: int) -> bool:
    text = f"SELECT 1 FROM resource v WHERE v.rid = ? AND {about(asked, 'v.rid')}"
    return bool(view.query(text, (rid, *asked.params)))
