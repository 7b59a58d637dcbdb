"""Language tags by grammar and registry (https://www.rfc-editor.org/info/bcp47)."""

from __future__ import annotations

import re
from functools import lru_cache

from fhir_profiles.systems import BCP47
from terminology.core.pack import core

KINDS = ("language", "extlang", "script", "region", "variant", "grandfathered", "redundant")
SUBTAGS = {kind: f"{BCP47}#{kind}" for kind in KINDS}
"""Where the core keeps each kind of subtag."""

MAX_LENGTH = 100
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<extlang>[a-z]{3}))?(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*)(?:-x(?:-[a-z0-9]{1,8})+)?"
)
_PRIVATE = re.compile(r"x(?:-[a-z0-9]{1,8})+")


@lru_cache(maxsize=2048)
def is_language(tag: str) -> bool:
    """Whether a tag is well formed and made of registered subtags; letter case does not count."""
    if len(tag) > MAX_LENGTH or not tag.isascii():
        return False
    tag = tag.lower()
    if _PRIVATE.fullmatch(tag) or _registered("grandfathered", tag):
        return True
    match = _TAG.fullmatch(tag)
    if match is None:
        return False
    variants = match["variants"].split("-")[1:]
    singletons = re.findall(r"-([a-wy-z0-9])(?=-)", match["extensions"])
    named = ((kind, match[kind]) for kind in ("language", "extlang", "script", "region"))
    return (
        all(_registered(kind, subtag) for kind, subtag in named if subtag)
        and all(_registered("variant", v) for v in variants)
        and len(set(variants)) == len(variants)
        and len(set(singletons)) == len(singletons)
    )


def _registered(kind: str, subtag: str) -> bool:
    known = _subtags(kind)
    if subtag in known:
        return True
    return any(low <= subtag <= high for low, high in _ranges(kind) if len(low) == len(subtag))


@lru_cache
def _subtags(kind: str) -> frozenset[str]:
    listed = core().code_system(SUBTAGS[kind])
    return frozenset(code.casefold() for code in listed.codes) if listed else frozenset()


@lru_cache
def _ranges(kind: str) -> tuple[tuple[str, str], ...]:
    """Ranges for private use: `qaa..qtz`."""
    return tuple((low, high) for low, _, high in (c.partition("..") for c in _subtags(kind)) if high)
