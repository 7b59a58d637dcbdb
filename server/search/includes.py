"""_include and _revinclude: what the matches refer to, and what refers to them (https://hl7.org/fhir/R4/search.html#include)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.errors import Problem
from server.store.keys import indexed, param_key

from .query import Include, Query
from .reach import Reach
from .sql import Sql, any_of, any_rid, key_list
from .stored import stored_types
from .tree import live
from .view import View


class Found(msgspec.Struct, frozen=True):
    """A resource in a page."""

    rid: int
    type: str
    id: str
    body: bytes


def found_of(view: View, row: Sequence[Any]) -> Found:
    """What a row (rid, type, id, version, body) found."""
    return Found(row[0], row[1], row[2], view.body(row[1], row[2], row[3], row[4]))


def include(view: View, query: Query, matches: list[Found], reach: Reach) -> tuple[list[Found], tuple[Problem, ...]]:
    """What the includes of the query add to its matches, each resource once, and what must be said of the limits."""
    search = _Search(view, query, reach, {found.rid for found in matches})
    fresh: list[Found] = matches
    for depth in range(query.limits.max_depth + 1):
        wanted = [one for one in query.includes if one.iterate or not depth]
        if not fresh or not wanted:
            return search.added, ()
        if depth == query.limits.max_depth:
            break
        fresh = search.round(wanted, fresh)
        if search.full:
            text = f"Not everything was included: a page includes at most {query.limits.max_included} resources."
            return search.added, (Problem("warning", "incomplete", text),)
    if not search.round(wanted, fresh, dry=True):
        return search.added, ()
    text = f"Not everything was included: includes are followed {query.limits.max_depth} times at most."
    return search.added, (Problem("warning", "incomplete", text),)


class _Search:
    """The includes of one page, with what was found so far."""

    def __init__(self, view: View, query: Query, reach: Reach, seen: set[int]) -> None:
        self.view = view
        self.query = query
        self.reach = reach
        self.seen = seen
        self.added: list[Found] = []
        self.full = False

    def round(self, wanted: Iterable[Include], sources: Sequence[Found], *, dry: bool = False) -> list[Found]:
        """What the includes find from the sources and was not there before; `dry` keeps nothing of it."""
        new: list[Found] = []
        for one in wanted:
            for found in (self._referring if one.reverse else self._referred)(one, sources):
                if found.rid in self.seen:
                    continue
                if dry:
                    return [found]
                if len(self.added) >= self.query.limits.max_included:
                    self.full = True
                    return new
                self.seen.add(found.rid)
                self.added.append(found)
                new.append(found)
        return new

    def _room(self) -> int:
        """How many rows may be read for one include: one more than may be shown, and those that are there already."""
        return self.query.limits.max_included - len(self.added) + len(self.seen) + 1

    def _referred(self, one: Include, sources: Iterable[Found]) -> list[Found]:
        """What the sources refer to, by type and id or by canonical URL."""
        rids = [found.rid for found in sources if one.source in ("*", found.type)]
        if not rids:
            return []
        where = any_rid(self.view.dialect, "t.rid", rids)
        text, params = f"SELECT DISTINCT t.target FROM idx_reference t WHERE {where.text}", where.params
        if one.code != "*":
            text, params = f"{text} AND t.param + 0 = ?", (*params, param_key(one.source, one.code))
        keys: list[tuple[str, str]] = []
        urls: list[str] = []
        types = load().types
        for (target,) in self.view.query(text, params):
            kind, slash, name = target.partition("/")
            if slash and "/" not in name and kind in types:
                if one.target in (None, kind):
                    keys.append((kind, name))
            elif ":" in target:
                urls.append(target)
        found = self._fetch(keys) if keys else []
        return found + (self._canonical(one, urls) if urls else [])

    def _fetch(self, keys: list[tuple[str, str]]) -> list[Found]:
        """The resources of these types and ids, in the order of their row ids."""
        by_type: dict[str, list[str]] = {}
        for kind, name in keys:
            by_type.setdefault(kind, []).append(name)
        if all(self.reach(kind) is None for kind in by_type):
            wanted = key_list(self.view.dialect, keys)
            text = (
                f"SELECT r.rid, r.type, r.id, r.version, r.body FROM {wanted.text} JOIN resource r ON r.type = k.type"
                f" AND r.id = k.id WHERE r.change <> 'D' ORDER BY r.rid LIMIT {self._room():d}"
            )
            return [found_of(self.view, row) for row in self.view.query(text, wanted.params)]
        rows: list[Found] = []
        for kind, names in by_type.items():
            there = live(kind, "r", self.reach)
            wanted = any_of(self.view.dialect, "r.id", names)
            text = (
                f"SELECT r.rid, r.type, r.id, r.version, r.body FROM resource r WHERE {there.text} AND {wanted.text}"
                f" ORDER BY r.rid LIMIT {self._room():d}"
            )
            rows += [found_of(self.view, row) for row in self.view.query(text, (*there.params, *wanted.params))]
        return rows

    def _of_type(self, kind: str, rids: Sql) -> list[Found]:
        """The resources of a type with these row ids that the caller may see, in the order of their row ids."""
        there = live(kind, "r", self.reach)
        text = (
            f"SELECT r.rid, r.type, r.id, r.version, r.body FROM (SELECT DISTINCT t.rid {rids.text}) k"
            f" CROSS JOIN resource r WHERE r.rid = k.rid AND {there.text} ORDER BY r.rid LIMIT {self._room():d}"
        )
        return [found_of(self.view, row) for row in self.view.query(text, (*rids.params, *there.params))]

    def _canonical(self, one: Include, urls: list[str]) -> list[Found]:
        """The definitions with these canonical URLs; a version that a reference names is not looked at."""
        definitions = load()
        kinds = [one.target] if one.target else definitions.resource_types
        keys = {param_key(kind, "url"): kind for kind in kinds if "url" in definitions.search_params(kind)}
        where = any_of(self.view.dialect, "t.value", [indexed(url) for url in urls])
        params = any_rid(self.view.dialect, "t.param", list(keys))
        text = f"SELECT DISTINCT t.param FROM idx_uri t WHERE {params.text} AND {where.text}"
        rows: list[Found] = []
        for (param,) in self.view.query(text, (*params.params, *where.params)):
            rids = Sql(f"FROM idx_uri t WHERE t.param = ? AND {where.text}", (param, *where.params))
            rows += self._of_type(keys[param], rids)
        return rows

    def _referring(self, one: Include, targets: Iterable[Found]) -> list[Found]:
        """What refers to the targets."""
        names = [f"{found.type}/{found.id}" for found in targets if one.target in (None, found.type)]
        if not names:
            return []
        rows: list[Found] = []
        for kind in self._sources(one):
            keys = [param_key(kind, code) for code in reference_codes(kind, one.code)]
            params = any_rid(self.view.dialect, "t.param", keys)
            where = any_of(self.view.dialect, "t.target", names)
            text = f"FROM idx_reference t WHERE {params.text} AND {where.text}"
            rows += self._of_type(kind, Sql(text, (*params.params, *where.params)))
        return rows

    def _sources(self, one: Include) -> Sequence[str]:
        """The types whose references are followed back: one, or all that are stored."""
        if one.source != "*":
            return (one.source,)
        return stored_types(self.view)


def reference_codes(kind: str, code: str) -> list[str]:
    """The reference parameters that an include follows."""
    if code != "*":
        return [code]
    return [name for name, param in load().search_params(kind).items() if param.type == "reference"]
