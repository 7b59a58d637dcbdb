"""Scopes of clinical data as SMART writes them, versions 1 and 2 (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from fhir_profiles.definitions import load

Level = Literal["patient", "user", "system"]
Right = Literal["c", "r", "u", "d", "s"]
Pairs = tuple[tuple[str, str], ...]

RIGHTS = "cruds"
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(
    r"(?P<level>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})\.(?P<rights>read|write|\*|(?=[cruds])c?r?u?d?s?)"
    r"(?:\?(?P<query>[^\s#]{1,1000}))?"
)
_BEYOND = frozenset({"_has", "_list", "_filter", "_query", "_text", "_content"})
_MANNER = frozenset(
    {"_sort", "_count", "_include", "_revinclude", "_summary", "_elements", "_total", "_contained", "_containedType"}
    | {"_cursor", "_type", "_format", "_pretty"}
)


class Grant(msgspec.Struct, frozen=True, cache_hash=True):
    """One permission: rights (letters of `cruds`) on a type or `*`, as far as a search with `filter` finds it."""

    level: Level
    type: str
    rights: str
    filter: Pairs = ()

    def covers(self, resource_type: str, right: Right) -> bool:
        """Whether it gives the right on the type at all."""
        return right in self.rights and self.type in ("*", resource_type)

    def __str__(self) -> str:
        query = f"?{urlencode(self.filter, safe=':/|,.')}" if self.filter else ""
        return f"{self.level}/{self.type}.{self.rights}{query}"


@lru_cache(maxsize=4096)
def read_scope(text: str) -> Grant | None:
    """The grant that a scope names; None for one that is no scope of clinical data, or is not well formed.

    Letters stand in the order of `cruds`, each once. A filter looks at the resource itself: chains, `_has`, lists and
    parameters that say how a result looks make a scope that is not granted.
    """
    found = _SCOPE.fullmatch(text)
    if found is None or (found["type"] != "*" and found["type"] not in load().resource_types):
        return None
    pairs = tuple(parse_qsl(found["query"] or "", keep_blank_values=True, strict_parsing=False))
    plain = bool(pairs) and found["type"] != "*" and all(_is_plain(*pair) for pair in pairs)
    if found["query"] is not None and not plain:
        return None
    level: Level = found["level"]  # type: ignore[assignment]
    return Grant(level, found["type"], _VERSION_1.get(found["rights"], found["rights"]), pairs)


def read_scopes(scopes: Iterable[str]) -> tuple[Grant, ...]:
    """The grants among scopes, each once, in their order."""
    return tuple(dict.fromkeys(grant for scope in scopes if (grant := read_scope(scope)) is not None))


def _is_plain(name: str, value: str) -> bool:
    base = name.partition(":")[0]
    return bool(value) and "." not in name and base not in _BEYOND and base not in _MANNER
