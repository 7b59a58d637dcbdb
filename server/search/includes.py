"""_include and _revinclude: what the matches refer to, and what refers to them (https://hl7.org/fhir/R4/search.html#include)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_profiles.definitions import load
from server.store.keys import param_key

from .query import Include, Query
from .sql import any_of, any_rid, key_list
from .view import View


class Found(msgspec.Struct, frozen=True):
    """A resource in a page."""

    rid: int
    type: str
    id: str
    body: bytes


def include(view: View, query: Query, matches: list[Found]) -> list[Found]:
    """What the includes of the query add to its matches, each resource once, up to the limit."""
    seen = {found.rid for found in matches}
    added: list[Found] = []
    fresh: Iterable[Found] = matches
    for depth in range(query.limits.max_depth):
        round_: list[Found] = []
        for one in query.includes:
            if depth and not one.iterate:
                continue
            room = query.limits.max_included - len(added) - len(round_)
            if room <= 0:
                return added + round_
            find = _referring if one.reverse else _referred
            for found in find(view, one, fresh, room):
                if found.rid not in seen:
                    seen.add(found.rid)
                    round_.append(found)
        if not round_:
            break
        added += round_
        fresh = round_
    return added


def _referred(view: View, one: Include, sources: Iterable[Found], room: int) -> list[Found]:
    sources = [found for found in sources if one.source in ("*", found.type)]
    if not sources:
        return []
    where = any_rid(view.dialect, "t.rid", [found.rid for found in sources])
    text, params = f"SELECT DISTINCT t.target FROM idx_reference t WHERE {where.text}", where.params
    if one.code != "*":
        text, params = f"{text} AND +t.param = ?", (*params, param_key(one.source, one.code))
    keys = []
    for (target,) in view.query(text, params):
        kind, slash, name = target.partition("/")
        if slash and "/" not in name and ":" not in kind and one.target in (None, kind):
            keys.append((kind, name))
    return _fetch(view, keys[:room])


def _fetch(view: View, keys: list[tuple[str, str]]) -> list[Found]:
    if not keys:
        return []
    wanted = key_list(view.dialect, keys)
    text = (
        f"SELECT r.rid, r.type, r.id, r.body FROM {wanted.text} JOIN resource r ON r.type = k.type AND r.id = k.id"
        " WHERE r.change <> 'D'"
    )
    return [Found(*row) for row in view.query(text, wanted.params)]


def _referring(view: View, one: Include, targets: Iterable[Found], room: int) -> list[Found]:
    codes = [one.code]
    if one.code == "*":
        codes = [code for code, param in load().search_params(one.source).items() if param.type == "reference"]
    names = [f"{found.type}/{found.id}" for found in targets if one.target in (None, found.type)]
    found: list[Found] = []
    for code in codes if names else ():
        where = any_of(view.dialect, "t.target", names)
        text = (
            "SELECT r.rid, r.type, r.id, r.body FROM resource r WHERE r.rid IN"
            f" (SELECT t.rid FROM idx_reference t WHERE t.param = ? AND {where.text}) ORDER BY r.rid LIMIT ?"
        )
        found += [Found(*row) for row in view.query(text, (param_key(one.source, code), *where.params, room))]
    return found
