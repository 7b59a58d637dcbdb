"""The words of a resource, for full-text search (https://hl7.org/fhir/R4/search.html#content)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from fhir_profiles.extract.values import normalise

MAX_CHARACTERS = 200_000
"""Characters of words that are kept of one resource; PostgreSQL caps what one row can index."""
MAX_WORD = 64

_WORD = re.compile(r"[^\W_]+")
_MARKUP = re.compile(r"<[^>]*>|&(?:nbsp|#160);")
_MOMENT = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d.*)?)?)?$", re.DOTALL)
_UNREAD = frozenset(
    {
        "resourceType",
        "id",
        "meta",
        "system",
        "url",
        "reference",
        "data",
        "contentType",
        "language",
        "hash",
        "implicitRules",
    }
)
"""Properties that address or encode; nobody looks for their words."""


def words(resource: Mapping[str, Any]) -> tuple[str, str]:
    """The words of the narrative and those of everything else, normalised, in order, with a space between them."""
    narrative = resource.get("text")
    div = narrative.get("div", "") if isinstance(narrative, dict) else ""
    rest = [text for key, value in resource.items() if key not in _UNREAD and key != "text" for text in _texts(value)]
    return split(unescape(_MARKUP.sub(" ", div))), split(" ".join(rest))


def split(text: str) -> str:
    """A text as normalised words."""
    found = " ".join([word[:MAX_WORD] for word in _WORD.findall(normalise(text))])
    return found[:MAX_CHARACTERS].rpartition(" ")[0] if len(found) > MAX_CHARACTERS else found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if not _MOMENT.match(value):
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _UNREAD:
                if key == "div":
                    yield unescape(_MARKUP.sub(" ", str(inner)))
                else:
                    yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
