"""Where a concept stands in its book, and what the book says of its use there and above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from terminology.model import Concept

if TYPE_CHECKING:
    from terminology.terminology import Terminology


@dataclass(frozen=True, slots=True)
class Note:
    """A note: what it is about (`excludes1`, `code-first` …), its text, and the code that it stands at."""

    kind: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Context:
    """`path` leads from the chapter down to the parent; the notes at the concept come first, then those above it."""

    path: tuple[Concept, ...]
    notes: tuple[Note, ...] = ()


def context(
    terminology: Terminology,
    system: str,
    code: str,
    version: str | None = None,
    on: date | None = None,
    *,
    notes: bool = False,
) -> Context:
    """The place of a code that the edition has; `notes` tells those that govern its use too."""
    above = terminology.ancestors(system, code, version, on)
    path = tuple(reversed(above))
    if not notes:
        return Context(path)
    file = terminology.file(system, version, on)
    places = (code, *(c.code for c in above)) if file else ()
    found = tuple(Note(kind, text, place) for place in places if file for kind, text in file.notes(place))
    return Context(path, found)
